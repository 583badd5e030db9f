"""Hold the program right where other tools are known to be wrong; each test names what it guards.

Left out are the mistakes about the root user and about asking AWS: they belong to the rules
and to fetching. Names with commas are read in `report/test_rows.py`, names like formulas written in
`writers/test_csv.py` and `writers/test_workbook_cells.py`.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

import analyzer
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    COLUMNS,
    LONG_AGO,
    NEVER,
    Row,
    Value,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    judged_users,
    judgements_by,
    report_text,
    run,
    saved,
    the_root,
)
from tests.support.comparisons import named
from tests.support.outputs import csv_rows, everything_shown, json_bytes
from tests.support.verdict_oracle import Judgement, Terms
from tests.support.workbooks import review_book_of, texts

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in half the time


def test_a_missing_date_does_not_slip_through_the_dormant_limit(tmp_path: Path) -> None:
    users = [
        a_user("key", key_2=a_key(days_before(91))),
        a_user("password", password=a_password("N/A", days_before(91)), key_1=an_inactive_key()),
    ]
    frame = judged_users(saved(tmp_path, report_text(users)), Terms(AS_OF, "iam-029"))
    assert frame["verdict"].astype(str).tolist() == ["dormant", "dormant"]
    assert frame["idle_days"].tolist() == [91, 91]


TODAY, BORN = days_before(0.5), days_before(2000)
ACTIVE, DORMANT = Judgement("active"), Judgement("dormant")
Case = tuple[str, Row, Judgement, int | None]


def unused(reason: str, caveats: str = "") -> Judgement:
    return Judgement("unused", reason, "check" if caveats else "certain", caveats)


def key(created: Value = LONG_AGO, used: Value = "N/A") -> Row:
    return a_user(created=BORN, key_1=a_key(created, used))


def password(used: Value, changed: Value = LONG_AGO, created: Value = BORN) -> Row:
    return a_user(created=created, password=a_password(used, changed))


def ahead(seconds: int) -> datetime:
    return AS_OF + timedelta(seconds=seconds)


WAITING, INACTIVE = unused("never-signed-in"), unused("inactive-keys-only", "inactive-key-was-used")
NEW, OLD_KEY = unused("never-signed-in", "new-user"), an_inactive_key()
WAITING_WITH_KEY = unused("never-signed-in-inactive-keys")
USED_YESTERDAY = a_user(key_1=an_inactive_key(used=days_before(1)))
SECOND_KEY = a_user(key_1=OLD_KEY, key_2=a_key(used=days_before(700)))
SECOND_KEY_LATELY = a_user(key_1=OLD_KEY, key_2=a_key(used=days_before(7)))
PASSWORD_OF_TODAY = a_user(password=a_password(changed=TODAY), key_1=a_key(days_before(1900)))
NEVER_USED = password(NEVER, days_before(600))
WITH_OLD_KEY = a_user(password=a_password(NEVER), key_1=OLD_KEY)
KNOWN: tuple[Case, ...] = (
    ("1: an active key never used grows old from its creation", key(BORN), DORMANT, 2000),
    ("2: a password never used for 2,000 days is unused", password(NEVER, BORN), WAITING, 2000),
    ("7: key 2 is looked at although key 1 is inactive", SECOND_KEY, DORMANT, 700),
    ("7: key 2 was used lately although key 1 is inactive", SECOND_KEY_LATELY, ACTIVE, 7),
    ("9: a user of today is not unused without a caveat", password(NEVER, TODAY, TODAY), NEW, 0),
    ("9: an inactive key used yesterday is a caveat", USED_YESTERDAY, INACTIVE, None),
    ("9: a password given today is not dormant", PASSWORD_OF_TODAY, ACTIVE, 0),
    ("10: a sign-in 5 seconds in the future is a use", password(ahead(5)), ACTIVE, 0),
    ("10: a sign-in an hour in the future is a use", password(ahead(3600)), ACTIVE, 0),
    ("10: a use of a key in the future is a use", key(used=ahead(59)), ACTIVE, 0),
    ("11: no password is not one never used", a_user(), unused("no-credentials"), None),
    ("11: a password that was never used is not none", password(NEVER), WAITING, 1000),
    ("16: no_information is no sign-in", WITH_OLD_KEY, WAITING_WITH_KEY, 1000),
    ("19: a key never used is not one used today", key(days_before(600)), DORMANT, 600),
    ("19: a password never used is not used today", NEVER_USED, WAITING, 600),
)


def test_what_other_tools_are_known_to_judge_wrong_is_judged_right() -> None:
    rows = [named(user, f"user-{at}") for at, (_, user, _, _) in enumerate(KNOWN)]
    users = judged_users(("report.csv", report_text(filter(None, rows)).encode()))
    idle_days = [None if pd.isna(days) else days for days in users["idle_days"].astype(object)]
    found = zip(judgements_by("user", users).values(), idle_days, strict=True)
    for (promise, _, *expected), each in zip(KNOWN, found, strict=True):
        assert [*each] == expected, promise


# 14
def test_line_ends_at_the_end_are_no_nameless_user(tmp_path: Path) -> None:
    for ending in ("", "\n", "\r\n", "\n\n", "\n\n\n"):
        frame = judged_users(saved(tmp_path, report_text([a_user("only")]) + ending))
        assert frame["user"].tolist() == ["only"], repr(ending)
        assert frame["verdict"].astype(str).tolist() == ["unused"]


def test_the_offset_of_a_moment_counts(tmp_path: Path) -> None:
    assert days_before(90) == datetime(2026, 1, 31, 12, tzinfo=UTC)
    moments = ("2026-01-31T23:00:00+10:59", "2026-01-31T01:00:00-11:00")
    users = [a_user(f"user{at}", key_1=a_key(used=each)) for at, each in enumerate(moments)]
    frame = judged_users(saved(tmp_path, report_text(users)))
    assert frame["verdict"].astype(str).tolist() == ["active", "dormant"]


# 16
WORDS = ("NA", "null", "None", "nan", "NaN", "007", "1e5", "true", "inf", "-", "1_000", "0x10")


def test_names_that_look_like_nothing_or_like_numbers_are_names() -> None:
    header, first, *rest = report_text([a_user(name) for name in WORDS]).split("\n")
    for root in ([first], []):
        text = "\n".join([header, *root, *rest])
        frame = judged_users(("report.csv", text.encode()))
        assert frame["user"].tolist() == list(WORDS)
        assert {*judgements_by("user", frame).values()} == {unused("no-credentials")}
        assert frame["account"].unique().tolist() == [ACCOUNT]


def test_an_enabled_password_is_seen_whatever_the_root_row_holds() -> None:
    recent, never = (a_user(name, password=a_password()) for name in ("recent", "never"))
    recent["password_last_used"] = days_before(1)
    users = [recent, never, a_user("shouting", password=a_password(), password_enabled="TRUE")]
    for root_password in ("not_supported", "true", "false"):
        text = report_text(users, root=the_root(password_enabled=root_password))
        found = judgements_by("user", judged_users(("report.csv", text.encode())))
        assert found == {"recent": ACTIVE, "never": WAITING, "shouting": WAITING}, root_password


# 18
SPRING = datetime(2020, 4, 1, 12, tzinfo=UTC)


def test_ages_count_to_the_moment_of_the_report_which_every_output_tells() -> None:
    born, used = SPRING - timedelta(days=100), SPRING - timedelta(days=10)
    bob = a_user("bob", created=born, password=a_password(used, born))
    lines = report_text([bob, a_user("eve", created=born)]).split("\n")
    text = "\n".join(line for line in lines if "<root_account>" not in line)
    name = "status_reports_2020-04-01T12-00-00+00-00.csv"
    analysis = analyzer.analyze(analyzer.load((name, text.encode())))
    assert analysis.users["verdict"].astype(str).tolist() == ["active", "unused"]
    assert analysis.users["age_days"].tolist() == [100, 100]
    assert analysis.users["idle_days"].tolist()[0] == 10
    for row in csv_rows(analysis):
        assert (row["as_of"], row["age_days"]) == ("2020-04-01T12:00:00Z", "100")
    for shown in (everything_shown(analysis, width=None), json_bytes(analysis).decode()):
        assert "2020-04-01" in shown
    assert "2020-04-01" in texts(review_book_of(analysis).worksheets[0])


def test_a_moment_that_is_only_assumed_is_said_to_be() -> None:
    text = report_text([a_user("bob", password=a_password(days_before(3)))])
    analysis = analyzer.analyze(analyzer.load(("report.csv", text.encode())))
    for shown in (everything_shown(analysis, width=None), json_bytes(analysis).decode()):
        assert "assumed" in shown
    assert {row["as_of"] for row in csv_rows(analysis)} == {"2026-04-28T12:00:00Z"}


ERROR_PAGE = "<html><body>Access denied</body></html>"


@pytest.mark.parametrize("content", [None, "", ERROR_PAGE, ",".join(COLUMNS)])
def test_a_missing_report_is_not_a_clean_one(content: str | None, tmp_path: Path) -> None:
    path, written = tmp_path / "report.csv", tmp_path / "unused.csv"
    if content is not None:
        path.write_text(content)
    done = run("analyze", path, "-o", written)
    assert (done.code, done.output, written.exists()) == (3, b"", False)
    assert str(path) in done.messages


# 20
def test_what_a_mock_server_writes_is_never_mistaken_for_an_unused_user(tmp_path: Path) -> None:
    columns = [f"access_key_1_last_used_{each}" for each in ("region", "service")]
    cells = dict.fromkeys(("password_last_used", *columns), "not_supported")
    keyless = a_user("keyless", password_last_used="not_supported")
    keyed = a_user("keyed", key_1=a_key(days_before(10))) | cells
    header, _, *rows = report_text([keyless, keyed], form="+00:00").split("\n")
    frame = judged_users(saved(tmp_path, "\n".join([header, *rows, ""])))
    open_ = Judgement("undetermined", 'password_last_used "not_supported" is not understood')
    assert judgements_by("user", frame) == dict.fromkeys(("keyless", "keyed"), open_)
