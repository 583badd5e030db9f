"""Throw arbitrary cells at the program: it may refuse, but neither break nor guess."""

import random
import time

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from analyzer.errors import InputRefused
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    COLUMNS,
    MORE_CREDENTIALS,
    TERMS,
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
    the_root,
)
from tests.support.odd_cells import BOOLEANS, JUNK, MOMENTS, NO_MOMENTS, ODD_MOMENTS, WORDS
from tests.support.pages import of_users
from tests.support.verdict_oracle import Judgement, Opinion, Terms, judge

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in half the time

QUICK = settings(
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

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


def lists_of(users: st.SearchStrategy[Row], least: int, most: int) -> st.SearchStrategy[list[Row]]:
    return st.lists(users, min_size=least, max_size=most).map(in_separate_accounts)


HARMED = lists_of(a_harmed_user(), 12, 24)
FEW_HARMED = lists_of(a_harmed_user(), 1, 4)
DEFINITIONS = st.sampled_from(["no-active-key", "iam-029"])
WHOLLY_ARBITRARY = st.lists(
    st.fixed_dictionaries(dict.fromkeys(COLUMNS, ANY_BYTES)), min_size=1, max_size=4
)


def judged(text: str, terms: Terms = TERMS) -> pd.DataFrame:
    return judged_users(("report.csv", text.encode()), terms)


def judged_or_refused(text: str) -> dict[str, Judgement] | InputRefused:
    try:
        return judgements_by("row", judged(text))
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


@settings(QUICK, max_examples=8)
@given(users=HARMED, definition=DEFINITIONS, form=st.sampled_from(["Z", "+00:00"]))
def test_harmed_reports_are_judged_as_the_oracle_does(
    users: list[Row], definition: str, form: str
) -> None:
    terms, text = Terms(AS_OF, definition), report_text([*users, a_user("last")], form=form)
    found = judgements_by("row", judged(text, terms))
    law = {str(opinion.row): opinion for opinion in judge(text, terms)}
    assert found.keys() == law.keys()
    for row, opinion in law.items():
        assert agrees(found[row], opinion), (found[row], opinion)


@settings(QUICK, max_examples=100)
@given(rows=WHOLLY_ARBITRARY, root=st.booleans())
def test_arbitrary_cells_give_a_result_or_a_refusal(
    rows: list[dict[str, str]], *, root: bool
) -> None:
    lines: list[Row] = [dict(row) for row in rows]
    first, rest = (None, lines) if root else (lines[0], lines[1:])
    text = report_text(rest, root=first)
    found = judged_or_refused(text)
    if isinstance(found, InputRefused):
        assert found.problems
        return
    law = {str(opinion.row): opinion for opinion in judge(text, TERMS)}
    unused = {row for row, judgement in found.items() if judgement.verdict == "unused"}
    assert unused <= {row for row, opinion in law.items() if opinion.judgement.verdict == "unused"}


@settings(QUICK, max_examples=40)
@given(
    users=FEW_HARMED,
    cell=st.sampled_from(AMBIGUOUS),
    thing=st.sampled_from(["access_key", "cert"]),
    slot=st.sampled_from([1, 2]),
)
def test_an_ambiguous_local_date_makes_nobody_unused_for_certain(
    users: list[Row], cell: str, thing: str, slot: int
) -> None:
    users[0] |= {f"{thing}_{slot}_last_rotated": cell}
    found = judged_or_refused(report_text([*users, a_user("last")]))
    if isinstance(found, InputRefused):
        assert any(problem.value == cell for problem in found.problems)
        return
    judgement = found.get("3", Judgement("undetermined"))
    assert judgement.certainty != "certain"
    assert thing == "cert" or judgement.verdict not in {"unused", "retired"}


@settings(QUICK, max_examples=6)
@given(
    users=HARMED,
    seed=st.integers(0, 2**16),
    more=st.sampled_from(["", "N/A", "1 more access key"]),
    quoted=st.booleans(),
)
def test_the_order_of_rows_and_columns_changes_no_verdict(
    users: list[Row], seed: int, more: str, *, quoted: bool
) -> None:
    root = the_root() | {MORE_CREDENTIALS: ""}
    users = [user | {MORE_CREDENTIALS: more} for user in users]
    columns = [*COLUMNS, MORE_CREDENTIALS]
    before = judged(report_text(users, root=root, columns=columns))
    shuffle = random.Random(seed).shuffle
    shuffle(users)
    shuffle(columns)
    after = judged(report_text(users, root=root, columns=columns, quoted=quoted) + "\n")
    assert judgements_by("arn", before) == judgements_by("arn", after)


def test_a_cell_is_read_alike_whatever_stands_in_other_rows() -> None:
    cells = [*MOMENTS, *NO_MOMENTS, *ODD_MOMENTS]
    users = [a_user(f"user-{number}", created=cell) for number, cell in enumerate(cells)]
    others = [a_user(odd[:4], created=odd) for odd in ("2024-13-22T19:47:52Z", "x" * 30)]
    together = judgements_by("user", of_users(*users, *others).users)
    for user in users:
        name = str(user["user"])
        assert judgements_by("user", of_users(user).users) == {name: together[name]}, user


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/St_Johns"])
def test_the_time_zone_changes_no_verdict(zone: str) -> None:
    ages = (0, 0.5, 1, 89.5, 89.9999, 90, 90.0001, 90.5, 5000)
    users = [
        a_user(f"edge.{number}", password=a_password(days_before(age)), created=days_before(age))
        for number, age in enumerate(ages)
    ]
    text = report_text(users)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        found = judgements_by("row", judged(text))
    time.tzset()
    assert found == {str(each.row): each.judgement for each in judge(text, TERMS)}
