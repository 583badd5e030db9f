"""Throw arbitrary cells at the program: it may refuse, but neither break nor guess."""

import os
import random
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import analyzer
from analyzer.errors import InputRefused
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    COLUMNS,
    MORE_CREDENTIALS,
    Row,
    a_certificate,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    in_separate_accounts,
    judged_users,
    judgements_by,
    no_certificate,
    no_key,
    no_password,
    report_text,
    run,
    saved,
    the_root,
)
from tests.support.verdict_oracle import Judgement, Opinion, Terms, judge

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in half the time

QUICK = settings(
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

WORDS = ["N/A", "no_information", "not_supported", "", "n/a", "NO_INFORMATION", "None", "-", "0"]
BOOLEANS = [
    "true",
    "false",
    "TRUE",
    "False",
    "tRuE",
    "yes",
    "1",
    "FAL\u017fE",
    "\uff34\uff32\uff35\uff25",
    "true ",
]
MOMENTS = [
    "2024-04-22T19:47:52Z",
    "2024-04-22T19:47:52+00:00",
    "2024-04-22T19:47:52-07:00",
    "2026-04-30T23:59:59+14:00",
    "2026-05-01T12:00:05Z",
    "2014-10-19T23:59:59Z",
    "2018-05-10T00:00:00.123456Z",
    "1970-01-01T00:00:00Z",
    "2099-12-31T23:59:59Z",
]
NO_MOMENTS = [
    "2024-04-22",
    "2024-04-22T19:47:52",
    "2024-02-30T00:00:00Z",
    "2024-04-22T24:00:01Z",
    "2024-04-22T19:47:60Z",
    "2024-04-22T19:47",
    "2024-04-22T19:47:52ZZ",
    "2024-04-22T19:47:52+00",
    "2024-04-22x19:47:52Z",
    "2024-04-22T19:47:52+24:00",
    "0000-01-01T00:00:00Z",
    "\u0662\u0660\u0662\u0664-04-22T19:47:52Z",
    "1969-12-31T23:59:59Z",
    "2100-01-01T00:00:00Z",
    "9999-12-31T23:59:59-05:00",
    "0001-01-01T00:00:00+05:00",
    "1745351272",
    "45404.824",
    "22 April 2024",
]
ODD_MOMENTS = [
    "2024-04-22 19:47:52Z",
    "2024-04-22T19:47Z",
    "2024-04-22T194752Z",
    "2024-04-22T19Z",
    "20240422T194752Z",
    "2024-W17-1T19:47:52Z",
    "2024-04-22T19:47:52+0530",
]
"""Moments by ISO 8601 that AWS does not write: understood or not, but always alike."""
JUNK = [
    "a,b",
    'say "no"',
    "line\nbreak",
    "line\r\nbreak",
    "tab\there",
    "\u202e",
    "\x1b[31m",
    "=1+1",
    "😀",
    "x" * 200,
]
AMBIGUOUS = ["03/04/2021 10:00", "2021/04/03", "12/7/2025 19:36", "03.04.2021"]
NAMES = ["NA", "null", "007", "1e5", "a,b", "=1+1", "-x", "@SUM", "AeaApiKey-a1b2", "x" * 128]
NO_NAMES = ["", "two words", "<b>x</b>", "name\n", "naïve", "root:user", "x" * 129]
SERVICES = ["s3", "N/A", "not_supported"]

ANY_CELL = st.one_of(
    st.sampled_from(WORDS + BOOLEANS + MOMENTS + NO_MOMENTS + JUNK),
    st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=12),
)
ANY_BYTES = st.one_of(
    ANY_CELL,
    st.text(st.characters(codec="utf-8"), max_size=4),
    st.sampled_from(["\0", "\r", "\ufeff", "\x1a"]),
)

AGES = st.sampled_from([-0.001, 0.5, 1, 5, 89.999, 90, 400, 3000, 5000])
DATES = st.one_of(AGES.map(days_before), st.sampled_from(MOMENTS))
USES = st.one_of(DATES, st.just("N/A"))
PASSWORDS = st.one_of(
    st.builds(a_password, st.one_of(USES, st.just("no_information")), USES),
    st.builds(no_password, st.one_of(USES, st.just("no_information"))),
)
KEYS = st.one_of(
    st.builds(no_key),
    st.builds(a_key, DATES, USES),
    st.builds(an_inactive_key, DATES, USES),
)
CERTIFICATES = st.one_of(
    st.builds(no_certificate), st.builds(a_certificate, DATES, active=st.booleans())
)


@st.composite
def a_named_user(draw: st.DrawFn) -> Row:
    name = draw(
        st.one_of(st.from_regex(r"[a-z0-9_.]{1,6}", fullmatch=True), st.sampled_from(NAMES))
    )
    return a_user(
        name,
        password=draw(PASSWORDS),
        key_1=draw(KEYS),
        key_2=draw(KEYS),
        certificate_1=draw(CERTIFICATES),
        certificate_2=draw(CERTIFICATES),
        created=draw(DATES),
        mfa=draw(st.booleans()),
    )


@st.composite
def a_harmed_user(draw: st.DrawFn) -> Row:
    """Return a user some of whose cells hold what the next person might put there."""
    row = draw(a_named_user())
    for column in draw(st.lists(st.sampled_from(COLUMNS), max_size=3, unique=True)):
        if column == "user":
            row["user"] = draw(st.sampled_from(NO_NAMES))
        elif column == "arn":
            row["arn"] = draw(
                st.sampled_from([f"arn:aws:iam::{ACCOUNT}:user/{NO_NAMES[1]}", f"arn:{ACCOUNT}"])
            )
        elif column.endswith(("_service", "_region")):
            row[column] = draw(st.sampled_from(SERVICES))
        else:
            row[column] = draw(ANY_CELL)
    return row


USERS = st.lists(a_named_user(), min_size=1, max_size=8).map(in_separate_accounts)
HARMED = st.lists(a_harmed_user(), min_size=1, max_size=8).map(in_separate_accounts)
WHOLLY_ARBITRARY = st.lists(
    st.fixed_dictionaries(dict.fromkeys(COLUMNS, ANY_BYTES)), min_size=1, max_size=4
)
DEFINITIONS = st.sampled_from(["no-active-key", "iam-029"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reports")


def judgements_by_row(path: Path, definition: str) -> dict[str, Judgement]:
    return judgements_by("row", judged_users(path, Terms(AS_OF, definition)))


def judged_or_refused(path: Path) -> dict[str, Judgement] | InputRefused:
    try:
        return judgements_by_row(path, "no-active-key")
    except InputRefused as refusal:
        return refusal


def agrees(found: Judgement, opinion: Opinion) -> bool:
    """Compare with the oracle; who is undetermined must be so for the cells that deserve it.

    A reason may name more cells that are not understood than the decision needs, but no others.
    """
    if found.verdict != "undetermined" or opinion.judgement.verdict != "undetermined":
        return found == opinion.judgement
    named, left = set(), found.reason
    for sentence in sorted({str(cell) for cell in opinion.unread}, key=len, reverse=True):
        if sentence in left:
            named.add(sentence)
            left = left.replace(sentence, "")
    return {str(cell) for cell in opinion.blamed} <= named and set(left) <= {";", " "}


@settings(QUICK, max_examples=50)
@given(users=HARMED, definition=DEFINITIONS, form=st.sampled_from(["Z", "+00:00"]))
def test_harmed_reports_are_judged_as_the_oracle_does(
    folder: Path, users: list[Row], definition: str, form: str
) -> None:
    text = report_text([*users, a_user("last")], form=form)
    path = saved(folder, text)
    found = judgements_by_row(path, definition)
    law = {str(opinion.row): opinion for opinion in judge(text, Terms(AS_OF, definition))}
    assert found.keys() == law.keys()
    for row, opinion in law.items():
        assert agrees(found[row], opinion), (found[row], opinion)


@settings(QUICK, max_examples=100)
@given(rows=WHOLLY_ARBITRARY, root=st.booleans())
def test_arbitrary_cells_give_a_result_or_a_refusal(
    folder: Path, rows: list[dict[str, str]], *, root: bool
) -> None:
    lines: list[Row] = [dict(row) for row in rows]
    first, rest = (None, lines) if root else (lines[0], lines[1:])
    text = report_text(rest, root=first)
    path = saved(folder, text)
    found = judged_or_refused(path)
    if isinstance(found, InputRefused):
        assert found.problems
        return
    law = {str(opinion.row): opinion for opinion in judge(text, Terms(AS_OF))}
    unused = {row for row, judgement in found.items() if judgement.verdict == "unused"}
    assert unused <= {row for row, opinion in law.items() if opinion.judgement.verdict == "unused"}


@settings(QUICK, max_examples=60)
@given(users=HARMED, cell=st.sampled_from(AMBIGUOUS), data=st.data())
def test_an_ambiguous_local_date_makes_nobody_unused(
    folder: Path, users: list[Row], cell: str, data: st.DataObject
) -> None:
    dated = st.sampled_from([column for column in COLUMNS if column.endswith("_last_rotated")])
    users[0] |= {data.draw(dated): cell}
    path = saved(folder, report_text([*users, a_user("last")]))
    found = judged_or_refused(path)
    if isinstance(found, InputRefused):
        assert any(problem.value == cell for problem in found.problems)
        return
    assert found.get("3", Judgement("undetermined")).verdict not in {"unused", "retired"}


@settings(QUICK, max_examples=25)
@given(
    users=HARMED,
    seed=st.integers(0, 2**16),
    more=st.sampled_from(["", "N/A", "1 more access key"]),
    quoted=st.booleans(),
)
def test_the_order_of_rows_and_columns_changes_no_verdict(
    folder: Path, users: list[Row], seed: int, more: str, *, quoted: bool
) -> None:
    root = the_root() | {MORE_CREDENTIALS: ""}
    users = [user | {MORE_CREDENTIALS: more} for user in users]
    columns = [*COLUMNS, MORE_CREDENTIALS]
    before = judged_users(saved(folder, report_text(users, root=root, columns=columns)))
    shuffle = random.Random(seed).shuffle
    shuffle(users)
    shuffle(columns)
    text = report_text(users, root=root, columns=columns, quoted=quoted) + "\n"
    after = judged_users(saved(folder, text))
    assert judgements_by("arn", before) == judgements_by("arn", after)


@settings(QUICK, max_examples=25)
@given(users=HARMED, others=HARMED, column=st.sampled_from(COLUMNS[2:]), data=st.data())
def test_splitting_a_report_into_files_changes_no_verdict(
    folder: Path, users: list[Row], others: list[Row], column: str, data: st.DataObject
) -> None:
    rows = [
        *users,
        *(user | {column: other[column]} for user, other in zip(users, others, strict=False)),
    ]
    last = a_user("last")
    whole = judged_users(saved(folder, report_text([*rows, last])))
    first = data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    parts = folder / "parts"
    parts.mkdir(exist_ok=True)
    for part in (True, False):
        of_part = [row for row, is_first in zip(rows, first, strict=True) if is_first == part]
        name = f"{part}_status_reports_{AS_OF:%Y-%m-%dT%H-%M-%S}+00-00.csv"
        saved(parts, report_text([*of_part, last]), name)
    assert judgements_by("arn", judged_users(parts)) == judgements_by("arn", whole)


def test_a_cell_is_read_alike_whatever_stands_in_other_rows(folder: Path) -> None:
    cells = [*MOMENTS, *NO_MOMENTS, *ODD_MOMENTS]
    users = [a_user(f"user-{number}", created=cell) for number, cell in enumerate(cells)]
    others = [a_user(odd[:4], created=odd) for odd in ("2024-13-22T19:47:52Z", "x" * 30)]
    together = judgements_by(
        "user", judged_users(saved(folder, report_text([*users, *others, a_user("last")])))
    )
    for user in users:
        alone = judged_users(saved(folder, report_text([user, a_user("last")])))
        name = str(user["user"])
        assert judgements_by("user", alone)[name] == together[name], user


@settings(QUICK, max_examples=25)
@given(users=USERS, form=st.sampled_from(["Z", "+00:00"]))
def test_both_forms_of_a_moment_and_of_an_ending_mean_the_same(
    folder: Path, users: list[Row], form: str
) -> None:
    plain = judgements_by_row(saved(folder, report_text(users)), "no-active-key")
    text = report_text(users, form=form).replace("\n", "\r\n") + "\r\n"
    assert judgements_by_row(saved(folder, text), "no-active-key") == plain


@settings(QUICK, max_examples=25)
@given(users=USERS)
def test_a_later_report_of_the_same_rows_never_turns_the_dormant_active(
    folder: Path, users: list[Row]
) -> None:
    path = saved(folder, report_text(users))
    now = judged_users(path)
    later = judged_users(path, Terms(AS_OF + timedelta(days=30)))
    dormant = now["verdict"].astype(str) == "dormant"
    assert set(later["verdict"].astype(str)[dormant]) <= {"dormant"}
    assert (later["age_days"] >= now["age_days"]).all()


@pytest.fixture(params=["Pacific/Kiritimati", "America/St_Johns"])
def zone(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


EDGES = [
    a_user(f"edge.{number}", password=a_password(days_before(age)), created=days_before(age))
    for number, age in enumerate([0, 0.5, 1, 89.5, 89.9999, 90, 90.0001, 90.5, 5000])
]


@pytest.mark.usefixtures("zone")
def test_the_time_zone_changes_no_verdict(tmp_path: Path) -> None:
    text = report_text(EDGES)
    found = judgements_by_row(saved(tmp_path, text), "no-active-key")
    assert found == {str(each.row): each.judgement for each in judge(text, Terms(AS_OF))}


def test_locale_encoding_and_hashing_change_no_byte_of_the_output(tmp_path: Path) -> None:
    odd = a_user(
        "odd",
        password_enabled="wahr ☂",
        mfa_active="\uff34\uff32\uff35\uff25",
        created="\uff12\uff10\uff12\uff14",
    )
    path = saved(tmp_path, report_text([*EDGES, odd, a_user("a,b"), a_user("İ")]))
    environments = [
        {"LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1"},
        {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONHASHSEED": "2"},
        {"LC_ALL": "tr_TR.UTF-8", "LANG": "de_DE.UTF-8", "TZ": "Asia/Kathmandu"},
    ]
    document = tmp_path / "users.json"
    arguments = ("analyze", path, "-o", document, "--format", "csv", "--verdict", "all")
    outputs = set()
    for each in environments:
        done = run(*arguments, environment=each)
        assert done.code == 0, done.messages
        outputs.add((done.output, document.read_bytes()))
    ((table, _),) = outputs
    assert b"edge.8" in table


def test_the_same_report_gives_the_same_result_again(tmp_path: Path) -> None:
    path = saved(tmp_path, report_text(EDGES))
    report = analyzer.load(path, as_of=AS_OF)
    first, second = analyzer.analyze(report).users, analyzer.analyze(report).users
    assert first.equals(second)
