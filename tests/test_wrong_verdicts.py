"""Hold the program right where other tools are known to be wrong; each test names what it guards.

Left out are the mistakes about the root user and about asking AWS: they belong to the rules
and to fetching. Names with commas are read in `report/test_rows.py`, names like formulas written in
`writers/test_csv.py` and `writers/test_workbook_cells.py`.
"""

import io
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

import analyzer
from analyzer.terms import WorkbookSheets
from analyzer.writers.workbook import write_workbook
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    COLUMNS,
    NEVER,
    Row,
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
    table,
    the_root,
)
from tests.support.comparisons import named
from tests.support.outputs import csv_rows, everything_shown, json_bytes
from tests.support.verdict_oracle import Judgement, Terms

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in half the time

AS_OF_OPTION = ("--as-of", "2026-05-01T12:00:00Z")
EVERYBODY = ("--verdict", "all")


def verdicts(rows: list[dict[str, str]]) -> dict[str, str]:
    return {row["arn"].rpartition("/")[2]: row["verdict"] for row in rows}


def test_a_missing_date_does_not_slip_through_the_dormant_limit(tmp_path: Path) -> None:
    users = [
        a_user("key", key_2=a_key(days_before(91))),
        a_user("password", password=a_password("N/A", days_before(91)), key_1=an_inactive_key()),
    ]
    frame = judged_users(saved(tmp_path, report_text(users)), Terms(AS_OF, "iam-029"))
    assert frame["verdict"].astype(str).tolist() == ["dormant", "dormant"]
    assert frame["idle_days"].tolist() == [91, 91]


TODAY = days_before(0.5)
USERS: dict[str, tuple[Row, Judgement, int | None]] = {
    "1: an active key that was never used grows old from its creation": (
        a_user(created=days_before(1600), key_1=a_key(days_before(1500))),
        Judgement("dormant"),
        1500,
    ),
    "2: a password never used for 2,000 days is unused": (
        a_user(created=days_before(2000), password=a_password(changed=days_before(2000))),
        Judgement("unused", "never-signed-in", "certain"),
        2000,
    ),
    "7: key 2 is looked at although key 1 is inactive": (
        a_user(key_1=an_inactive_key(), key_2=a_key(used=days_before(700))),
        Judgement("dormant"),
        700,
    ),
    "7: key 2 was used lately although key 1 is inactive": (
        a_user(key_1=an_inactive_key(), key_2=a_key(used=days_before(7))),
        Judgement("active"),
        7,
    ),
    "9: a user created today is not called unused without a caveat": (
        a_user(created=TODAY, password=a_password(changed=TODAY)),
        Judgement("unused", "never-signed-in", "check", "new-user"),
        0,
    ),
    "9: an inactive key used yesterday is no way in and yet a caveat": (
        a_user(key_1=an_inactive_key(used=days_before(1))),
        Judgement("unused", "inactive-keys-only", "check", "inactive-key-was-used"),
        None,
    ),
    "9: a password given today is not dormant for the age of its user": (
        a_user(password=a_password(changed=TODAY), key_1=a_key(days_before(1900))),
        Judgement("active"),
        0,
    ),
    **{
        f"10: a sign-in {seconds} seconds in the future is a use and not never": (
            a_user(password=a_password(days_before(0) + timedelta(seconds=seconds))),
            Judgement("active"),
            0,
        )
        for seconds in (5, 59, 3600)
    },
    "10: a use of a key in the future is a use and not never": (
        a_user(key_1=a_key(used=days_before(0) + timedelta(seconds=59))),
        Judgement("active"),
        0,
    ),
    "11: no password is not a password that was never used": (
        a_user(),
        Judgement("unused", "no-credentials", "certain"),
        None,
    ),
    "11: a password that was never used is not none": (
        a_user(password=a_password()),
        Judgement("unused", "never-signed-in", "certain"),
        1000,
    ),
    "16: no_information is never a sign-in": (
        a_user(password=a_password(NEVER), key_1=an_inactive_key()),
        Judgement("unused", "never-signed-in-inactive-keys", "certain"),
        1000,
    ),
    "19: a key that was never used is not one that was used today": (
        a_user(created=days_before(700), key_1=a_key(days_before(600))),
        Judgement("dormant"),
        600,
    ),
    "19: a password that was never used is not one that was used today": (
        a_user(created=days_before(700), password=a_password(changed=days_before(600))),
        Judgement("unused", "never-signed-in", "certain"),
        600,
    ),
}


def test_what_other_tools_are_known_to_judge_wrong_is_judged_right(tmp_path: Path) -> None:
    rows = [named(user, f"user-{at}") for at, (user, _, _) in enumerate(USERS.values())]
    users = judged_users(saved(tmp_path, report_text(filter(None, rows))))
    judgements = judgements_by("user", users)
    idle_days = dict(zip(users["user"], users["idle_days"].astype(object), strict=True))
    for at, (promise, (_, judgement, days)) in enumerate(USERS.items()):
        assert judgements[f"user-{at}"] == judgement, promise
        idle = idle_days[f"user-{at}"]
        assert (None if pd.isna(idle) else idle) == days, promise


# 14
def test_line_ends_at_the_end_are_no_nameless_user(tmp_path: Path) -> None:
    for ending in ("", "\n", "\r\n", "\n\n", "\n\n\n"):
        frame = judged_users(saved(tmp_path, report_text([a_user("only")]) + ending))
        assert frame["user"].tolist() == ["only"], repr(ending)
        assert frame["verdict"].astype(str).tolist() == ["unused"]


def test_the_time_zone_of_the_machine_changes_no_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = [
        a_user("just-active", key_1=a_key(used=days_before(90) + timedelta(seconds=1))),
        a_user("just-dormant", key_1=a_key(used=days_before(90))),
    ]
    path = saved(tmp_path, report_text(users))
    outputs = set()
    for zone in ("Pacific/Kiritimati", "Etc/GMT+12"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        done = run("analyze", path, "--format", "csv", *EVERYBODY, *AS_OF_OPTION)
        assert done.code == 0
        outputs.add(done.output)
    monkeypatch.undo()
    time.tzset()
    (output,) = outputs
    assert verdicts(table(output)) == {"just-active": "active", "just-dormant": "dormant"}


def test_the_offset_of_a_moment_counts(tmp_path: Path) -> None:
    users = [
        a_user("active", key_1=a_key(used="2026-01-31T23:00:00+10:59")),
        a_user("dormant", key_1=a_key(used="2026-01-31T01:00:00-11:00")),
    ]
    path = saved(tmp_path, report_text(users))
    found = judgements_by("user", judged_users(path))
    limit = datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert days_before(90) == limit
    assert found["active"].verdict == "active"
    assert found["dormant"].verdict == "dormant"


# 16
WORDS = ("NA", "null", "None", "nan", "NaN", "007", "1e5", "true", "inf", "-", "1_000", "0x10")


@pytest.mark.parametrize("root", [True, False], ids=["root", "no-root"])
def test_names_that_look_like_nothing_or_like_numbers_are_names(
    *, root: bool, tmp_path: Path
) -> None:
    text = report_text([a_user(name) for name in WORDS])
    if not root:
        header, _, *rest = text.split("\n")
        text = "\n".join([header, *rest])
    frame = judged_users(saved(tmp_path, text))
    assert frame["user"].tolist() == list(WORDS)
    assert set(judgements_by("user", frame).values()) == {
        Judgement("unused", "no-credentials", "certain")
    }
    assert frame["account"].unique().tolist() == [ACCOUNT]


@pytest.mark.parametrize("root_password", ["not_supported", "true", "false"])
def test_an_enabled_password_is_seen_whatever_the_root_row_holds(
    root_password: str, tmp_path: Path
) -> None:
    users = [
        a_user("recent", password=a_password(days_before(1))),
        a_user("never", password=a_password()),
        a_user("shouting", password=a_password() | {"password_enabled": "TRUE"}),
    ]
    text = report_text(users, root=the_root(password_enabled=root_password))
    assert judgements_by("user", judged_users(saved(tmp_path, text))) == {
        "recent": Judgement("active"),
        "never": Judgement("unused", "never-signed-in", "certain"),
        "shouting": Judgement("unused", "never-signed-in", "certain"),
    }


# 18
SPRING = datetime(2020, 4, 1, 12, tzinfo=UTC)


@pytest.fixture
def last_spring(tmp_path: Path) -> Path:
    user = a_user(
        "bob",
        created=SPRING - timedelta(days=100),
        password=a_password(SPRING - timedelta(days=10), SPRING - timedelta(days=100)),
    )
    idle = a_user("eve", created=SPRING - timedelta(days=100))
    text = report_text([user, idle], root=the_root(user_creation_time="2015-01-01T00:00:00Z"))
    lines = [line for line in text.split("\n") if "<root_account>" not in line]
    return saved(tmp_path, "\n".join(lines), "status_reports_2020-04-01T12-00-00+00-00.csv")


def test_ages_count_to_the_moment_of_the_report_and_not_to_today(last_spring: Path) -> None:
    frame = analyzer.analyze(analyzer.load(last_spring)).users
    assert frame["verdict"].astype(str).tolist() == ["active", "unused"]
    assert frame["age_days"].tolist() == [100, 100]
    assert frame["idle_days"].tolist()[0] == 10


def test_every_output_tells_the_moment_of_the_report(last_spring: Path) -> None:
    analysis = analyzer.analyze(analyzer.load(last_spring))
    for row in csv_rows(analysis):
        assert row["as_of"] == "2020-04-01T12:00:00Z"
        assert row["age_days"] == "100"
    for shown in (everything_shown(analysis, width=None), json_bytes(analysis).decode()):
        assert "2020-04-01" in shown
    stream = io.BytesIO()
    write_workbook(analysis, stream, sheets=WorkbookSheets.REVIEW)
    summary = openpyxl.load_workbook(stream).worksheets[0]
    values = {
        value.date() if isinstance(value, datetime) else str(value)[:10]
        for row in summary.iter_rows(values_only=True)
        for value in row
    }
    assert values & {SPRING.date(), "2020-04-01"}


def test_a_moment_that_is_only_assumed_is_said_to_be() -> None:
    text = report_text([a_user("bob", password=a_password(days_before(3)))])
    analysis = analyzer.analyze(analyzer.load(("report.csv", text.encode())))
    for shown in (everything_shown(analysis, width=None), json_bytes(analysis).decode()):
        assert "assumed" in shown
    assert {row["as_of"] for row in csv_rows(analysis)} == {"2026-04-28T12:00:00Z"}


@pytest.mark.parametrize("content", [None, "", "<html><body>Access denied</body></html>"])
def test_a_missing_report_is_not_a_clean_one(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    if content is not None:
        path.write_text(content)
    written = tmp_path / "unused.csv"
    done = run("analyze", path, "-o", written)
    assert done.code in {2, 3}
    assert done.output == b""
    assert str(path) in done.messages
    assert not written.exists()


def test_a_report_without_rows_is_not_a_clean_one(tmp_path: Path) -> None:
    path = saved(tmp_path, ",".join(COLUMNS))
    done = run("analyze", path, "--format", "csv")
    assert (done.code, done.output) == (3, b"")


# 20
def test_what_a_mock_server_writes_is_never_mistaken_for_an_unused_user(tmp_path: Path) -> None:
    keyless = a_user("keyless", password_last_used="not_supported")
    keyed = a_user(
        "keyed",
        key_1=a_key(days_before(10)),
        password_last_used="not_supported",
        access_key_1_last_used_region="not_supported",
        access_key_1_last_used_service="not_supported",
    )
    header, _, *rows = report_text([keyless, keyed], form="+00:00").split("\n")
    path = saved(tmp_path, "\n".join([header, *rows, ""]))
    found = judgements_by("user", judged_users(path))
    assert found == dict.fromkeys(
        ("keyless", "keyed"),
        Judgement("undetermined", 'password_last_used "not_supported" is not understood'),
    )
