"""Hold the program right where other tools are known to be wrong; each test names what it guards.

Left out are the mistakes about the root user and about asking AWS: they belong to the rules
and to fetching.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest

import analyzer
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
    judgement_on,
    judgements_by,
    report_text,
    run,
    saved,
    table,
    the_root,
)
from tests.support.verdict_oracle import Judgement, Terms

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in half the time

AS_OF_OPTION = ("--as-of", "2026-05-01T12:00:00Z")
EVERYBODY = ("--verdict", "all")


def as_csv(path: Path, *options: str) -> list[dict[str, str]]:
    done = run("analyze", path, "--format", "csv", *EVERYBODY, *options)
    assert done.code == 0
    return table(done.output)


def verdicts(rows: list[dict[str, str]]) -> dict[str, str]:
    return {row["arn"].rpartition("/")[2]: row["verdict"] for row in rows}


# 1
def test_an_active_key_that_was_never_used_grows_old_from_its_creation(tmp_path: Path) -> None:
    user = a_user(created=days_before(1600), key_1=a_key(days_before(1500)))
    frame = judged_users(saved(tmp_path, report_text([user])))
    assert frame["verdict"].astype(str).tolist() == ["dormant"]
    assert frame["idle_days"].tolist() == [1500]


# 2
def test_a_password_never_used_for_2000_days_is_unused(tmp_path: Path) -> None:
    user = a_user(created=days_before(2000), password=a_password(changed=days_before(2000)))
    found = judgement_on(tmp_path, user)
    assert found == Judgement("unused", "never-signed-in", "certain")


# 7
@pytest.mark.parametrize(("idle", "verdict"), [(700, "dormant"), (7, "active")])
def test_key_2_is_looked_at_although_key_1_is_inactive(
    idle: int, verdict: str, tmp_path: Path
) -> None:
    user = a_user(key_1=an_inactive_key(), key_2=a_key(used=days_before(idle)))
    assert judgement_on(tmp_path, user) == Judgement(verdict)


# 8
def test_an_account_of_root_and_one_user_is_judged_like_any_other(tmp_path: Path) -> None:
    text = report_text([a_user("only", key_1=a_key(used=days_before(400)))])
    assert verdicts(as_csv(saved(tmp_path, text), *AS_OF_OPTION)) == {"only": "dormant"}


# 9
def test_a_user_created_today_is_not_called_unused_without_a_caveat(tmp_path: Path) -> None:
    today = days_before(0.5)
    user = a_user(created=today, password=a_password(changed=today))
    found = judgement_on(tmp_path, user)
    assert found == Judgement("unused", "never-signed-in", "check", "new-user")


def test_an_inactive_key_used_yesterday_is_no_way_in_and_yet_a_caveat(tmp_path: Path) -> None:
    user = a_user(key_1=an_inactive_key(used=days_before(1)))
    found = judgement_on(tmp_path, user)
    assert found == Judgement("unused", "inactive-keys-only", "check", "inactive-key-was-used")


def test_a_password_given_today_is_not_dormant_for_the_age_of_its_user(tmp_path: Path) -> None:
    user = a_user(
        created=days_before(2000),
        password=a_password(changed=days_before(0.5)),
        key_1=a_key(days_before(1900)),
    )
    assert judgement_on(tmp_path, user) == Judgement("active")


# 10
@pytest.mark.parametrize("seconds", [5, 59, 3600])
def test_a_last_use_in_the_future_is_a_use_and_not_never(seconds: int, tmp_path: Path) -> None:
    soon = days_before(0) + timedelta(seconds=seconds)
    users = [a_user("password", password=a_password(soon)), a_user("key", key_1=a_key(used=soon))]
    frame = judged_users(saved(tmp_path, report_text(users)))
    assert frame["verdict"].astype(str).tolist() == ["active", "active"]
    assert frame["idle_days"].tolist() == [0, 0]


# 11
def test_no_password_and_a_password_never_used_are_told_apart(tmp_path: Path) -> None:
    users = [a_user("without"), a_user("with", password=a_password())]
    found = judgements_by("user", judged_users(saved(tmp_path, report_text(users))))
    assert found["without"].reason == "no-credentials"
    assert found["with"].reason == "never-signed-in"


def test_a_missing_date_does_not_slip_through_the_dormant_limit(tmp_path: Path) -> None:
    users = [
        a_user("key", key_2=a_key(days_before(91))),
        a_user("password", password=a_password("N/A", days_before(91)), key_1=an_inactive_key()),
    ]
    frame = judged_users(saved(tmp_path, report_text(users)), Terms(AS_OF, "iam-029"))
    assert frame["verdict"].astype(str).tolist() == ["dormant", "dormant"]
    assert frame["idle_days"].tolist() == [91, 91]


# 13
@pytest.mark.parametrize("quoted", [True, False], ids=["quoted", "unquoted"])
@pytest.mark.parametrize("name", ["a,b", ",", "x,true,no_information", ",,,,"])
def test_a_name_with_commas_shifts_no_column(name: str, *, quoted: bool, tmp_path: Path) -> None:
    users = [
        a_user("before"),
        a_user(name, password=a_password(days_before(1)), path="team/"),
        a_user("after", key_2=a_key(used=days_before(400))),
    ]
    text = report_text(users)
    if not quoted:
        text = text.replace('"', "")
    frame = judged_users(saved(tmp_path, text))
    assert dict(zip(frame["user"], frame["verdict"].astype(str), strict=True)) == {
        "before": "unused",
        name: "active",
        "after": "dormant",
    }
    arns = dict(zip(frame["row"], frame["arn"], strict=True))
    assert arns[4] == f"arn:aws:iam::{ACCOUNT}:user/team/{name}"


# 14
@pytest.mark.parametrize("ending", ["", "\n", "\r\n", "\n\n", "\n\n\n"])
def test_line_ends_at_the_end_are_no_nameless_user(ending: str, tmp_path: Path) -> None:
    path = saved(tmp_path, report_text([a_user("only")]) + ending)
    frame = judged_users(path)
    assert frame["user"].tolist() == ["only"]
    assert frame["verdict"].astype(str).tolist() == ["unused"]


# 15
def test_the_time_zone_of_the_machine_changes_no_byte(tmp_path: Path) -> None:
    users = [
        a_user("just-active", key_1=a_key(used=days_before(90) + timedelta(seconds=1))),
        a_user("just-dormant", key_1=a_key(used=days_before(90))),
    ]
    path = saved(tmp_path, report_text(users))
    options = ("analyze", path, "--format", "csv", *EVERYBODY, *AS_OF_OPTION)
    zones = ("UTC", "Pacific/Kiritimati", "Etc/GMT+12", "Europe/Berlin")
    runs = [run(*options, environment={"TZ": zone}) for zone in zones]
    assert {each.code for each in runs} == {0}
    (output,) = {each.output for each in runs}
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


def test_no_information_is_never_a_sign_in(tmp_path: Path) -> None:
    user = a_user(password=a_password(NEVER), key_1=an_inactive_key())
    found = judgement_on(tmp_path, user)
    assert found == Judgement("unused", "never-signed-in-inactive-keys", "certain")


# 17
FORMULAS = ("=1+1", "+A1", "-1", "@SUM")


@pytest.fixture
def formula_report(tmp_path: Path) -> Path:
    return saved(tmp_path, report_text([a_user(name) for name in FORMULAS]))


def test_a_name_like_a_formula_is_text_in_the_workbook(formula_report: Path) -> None:
    book = formula_report.with_name("report.xlsx")
    assert run("analyze", formula_report, "--quiet", "-o", book, *AS_OF_OPTION).code == 0
    cells = [
        cell
        for sheet in openpyxl.load_workbook(book).worksheets
        for row in sheet.iter_rows()
        for cell in row
    ]
    named = [cell for cell in cells if cell.value in FORMULAS]
    assert {cell.value for cell in named} == set(FORMULAS)
    assert {cell.data_type for cell in named} == {"s"}
    assert any(cell.value == ACCOUNT for cell in cells)
    assert not any(cell.value == int(ACCOUNT) for cell in cells)


def test_a_name_like_a_formula_is_text_in_the_csv(formula_report: Path) -> None:
    rows = as_csv(formula_report, *AS_OF_OPTION)
    assert [row["user"] for row in rows] == [f"'{name}" for name in FORMULAS]
    assert [row["arn"].rpartition("/")[2] for row in rows] == list(FORMULAS)
    assert {row["account"] for row in rows} == {ACCOUNT}


def test_a_machine_can_have_the_exact_name_from_the_csv(formula_report: Path) -> None:
    rows = as_csv(formula_report, "--raw-csv", *AS_OF_OPTION)
    assert [row["user"] for row in rows] == list(FORMULAS)


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


def test_every_output_tells_the_moment_of_the_report(last_spring: Path, tmp_path: Path) -> None:
    for row in as_csv(last_spring):
        assert row["as_of"] == "2020-04-01T12:00:00Z"
        assert row["age_days"] == "100"
    for form in ("table", "json"):
        done = run("analyze", last_spring, "--format", form)
        assert done.code == 0
        assert "2020-04-01" in done.output.decode() + done.messages
    book = tmp_path / "spring.xlsx"
    assert run("analyze", last_spring, "-o", book).code == 0
    values = {
        value.date() if isinstance(value, datetime) else str(value)[:10]
        for row in openpyxl.load_workbook(book).worksheets[0].iter_rows(values_only=True)
        for value in row
    }
    assert values & {SPRING.date(), "2020-04-01"}


def test_a_moment_that_is_only_assumed_is_said_to_be(tmp_path: Path) -> None:
    path = saved(tmp_path, report_text([a_user("bob", password=a_password(days_before(3)))]))
    done = run("analyze", path, "--format", "json")
    assert done.code == 0
    assert "assumed" in json.dumps(json.loads(done.output))
    done = run("analyze", path, "--format", "table")
    assert done.code == 0
    assert "assumed" in done.output.decode() + done.messages
    assert {row["as_of"] for row in as_csv(path)} == {"2026-04-28T12:00:00Z"}


# 19
@pytest.mark.parametrize(
    "user",
    [
        a_user(created=days_before(700), key_1=a_key(days_before(600))),
        a_user(created=days_before(700), password=a_password(changed=days_before(600))),
    ],
)
def test_never_used_is_not_used_today(user: Row, tmp_path: Path) -> None:
    frame = judged_users(saved(tmp_path, report_text([user])))
    assert frame["verdict"].astype(str).tolist() != ["active"]
    assert frame["age_days"].tolist() == [700]
    assert frame["idle_days"].tolist() == [600]


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


def test_the_root_of_a_true_report_is_no_user(tmp_path: Path) -> None:
    rows = as_csv(saved(tmp_path, report_text([a_user("only")], root=the_root())), *AS_OF_OPTION)
    assert verdicts(rows) == {"only": "unused"}
