"""What a run holds, what it is compared with the run before it by, and what its feeds close."""

import csv
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

import analyzer
from analyzer.decisions.ledger import ledger_bytes
from analyzer.files import sha256
from analyzer.terms import VERSION
from tests.support.builders import (
    ACCOUNT,
    ROOT_FOLDER,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    report_text,
    saved,
    saved_credentials,
    table,
    the_root,
)
from tests.support.builders import run as program
from tests.support.decisions import line
from tests.support.reading import OTHER_ACCOUNT, of_account
from tests.support.runs import (
    OUTPUTS,
    SAMPLE,
    check_folder,
    check_whole,
    console_report,
    exporting,
    exporting_day,
    have_review_workbook,
    record_of,
    visible,
)

Capture = pytest.CaptureFixture[str]
FIRST, SECOND, THIRD = "2026-06-01", "2026-07-15", "2026-07-30"
OTHER = "210987654321"
EARLIER = ROOT_FOLDER / "samples/earlier/status_reports_2025-12-01T09-30-00+00-00.csv"


def name(day: str, number: str = "") -> str:
    return f"{day}T09-30-00Z{number}"


def changes_of(run: Path) -> list[dict[str, str]]:
    return table((run / "changes.csv").read_bytes())


def changed(run: Path, column: str = "user") -> list[tuple[str, str]]:
    """Return each change that is not about a finding, with another column of it."""
    return [(row["change"], row[column]) for row in changes_of(run) if not row["rule"]]


def test_a_run_holds_reports_outputs_naming_them_and_a_record(runs: Path, capsys: Capture) -> None:
    assert exporting(runs, "--from", SAMPLE, "--from", EARLIER) == 0
    assert visible(runs) == {"2026-03-01T09-30-00Z", "latest"}
    run = (runs / "latest").resolve()
    check_whole(run)
    for report in (SAMPLE, EARLIER):
        assert (run / "reports" / report.name).read_bytes() == report.read_bytes()
    assert {path.name for path in run.iterdir()} == (set(OUTPUTS) | {"manifest.json", "reports"})
    users = table((run / "users.csv").read_bytes())
    document = json.loads((run / "analysis.json").read_bytes())
    assert len(users) == len(document["users"]) > 40
    assert {row["verdict"] for row in users} == set(document["listed"])
    assert changed(run) == []
    assert document["files"][0]["name"] == f"reports/{SAMPLE.name}"
    (note,) = [each for each in document["notes"] if f"reports/{EARLIER.name}" in each]
    assert note in capsys.readouterr().err
    book = openpyxl.load_workbook(run / "review.xlsx", read_only=True)
    cells = [str(cell) for row in book["Summary"].values for cell in row]
    assert any(SAMPLE.name in cell for cell in cells)
    contents = [(run / output).read_bytes().decode("latin-1") for output in OUTPUTS]
    assert not any(".credreport-" in text for text in (*contents, *cells))


@pytest.mark.usefixtures("plain_workbook")
def test_changes_since_the_last_run(runs: Path, capsys: Capture) -> None:
    used = a_password(days_before(5))
    before = [a_user("-ann"), a_user("bob"), a_user("eve", key_1=a_key(used=days_before(2)))]
    now = [a_user("-ann", password=used), a_user("eve"), a_user("zoe")]
    for day, users in ((FIRST, before), (SECOND, now)):
        assert exporting_day(runs, day, *users) == 0
    came_and_went = [("new", "zoe"), ("gone", "bob")]
    others = [("became-unused", "eve"), ("no-longer-unused", "'-ann")]
    assert changed(runs / "latest") == came_and_went + others
    every = len(changes_of(runs / "latest"))
    assert f"; changes since {name(FIRST)}: {every}." in capsys.readouterr().err


@pytest.mark.no_cover
@pytest.mark.usefixtures("changes_alone")
def test_runs_are_compared_by_the_criteria_of_the_later_each_as_of_its_own_moment(
    runs: Path,
) -> None:
    used_once = a_key(used=datetime(2026, 5, 1, tzinfo=UTC))  # dormant since August
    eve = a_user("eve", password=a_password(days_before(20)))
    users = (a_user(key_1=an_inactive_key()), eve, a_user("bob", key_1=used_once))
    strict = ["--definition", "iam-029", "--idle-days", "9"]
    for day, options in (("2026-08-31", []), ("2026-09-30", strict)):
        assert exporting_day(runs, day, *users, more=options) == 0
    assert record_of(runs / "latest")["compared_with"] == name("2026-08-31")
    assert changes_of(runs / "latest") == []


@pytest.mark.no_cover
@pytest.mark.usefixtures("plain_workbook")
def test_evidence_about_service_credentials_makes_another_run(runs: Path, reports: Path) -> None:
    report = console_report(reports, FIRST)
    assert exporting(runs, "--from", report) == 0
    saved_credentials(report, quiet="Active")
    assert exporting(runs, "--from", report) == 0
    assert visible(runs) == {name(FIRST), name(FIRST, "-2"), "latest"}
    (user,) = table((runs / "latest" / "users.csv").read_bytes())
    assert user["caveats"] == "service-credential"


@pytest.mark.no_cover
@pytest.mark.usefixtures("changes_alone")
def test_an_older_report_is_compared_with_the_run_before_it(runs: Path) -> None:
    users = {FIRST: ["ann"], SECOND: ["ann", "bob"], THIRD: ["ann", "bob", "eve"]}
    for day in (FIRST, THIRD, SECOND):
        assert exporting_day(runs, day, *map(a_user, users[day])) == 0
    assert (runs / "latest").readlink().name == name(THIRD)
    assert record_of(runs / name(SECOND))["compared_with"] == name(FIRST)
    assert changed(runs / name(SECOND)) == [("new", "bob")]
    assert changed(runs / name(THIRD)) == [("new", "bob"), ("new", "eve")]


@pytest.mark.no_cover
@pytest.mark.usefixtures("changes_alone")
def test_accounts_that_are_missing_for_once_are_told_and_never_gone_or_new(
    runs: Path, reports: Path, tmp_path: Path, capsys: Capture
) -> None:
    both = report_text([a_user("ann"), a_user("bob", account=OTHER)])
    failed = {"account": OTHER, "name": "payments", "status": "failed", "reason": "AWS denied it."}
    console_report(reports, SECOND, a_user("ann"))
    saved(reports, json.dumps({"accounts": [failed]}), "fetched.manifest.json")
    first, third = (
        saved(tmp_path, both, f"status_reports_{day}T09-30-00+00-00.csv") for day in (FIRST, THIRD)
    )
    assert exporting(runs, "--from", first) == 0
    assert changed(runs / "latest") == []
    capsys.readouterr()
    assert exporting(runs, "--from", reports) == 5
    assert changed(runs / "latest", "cause") == [("not-covered", "not covered now: AWS denied it.")]
    record = record_of(runs / "latest")
    assert record["exit_code"] == 5
    missing = {"account": OTHER, "name": "payments", "reason": "AWS denied it."}
    assert record["accounts"]["not_covered"] == [missing]
    sentence = f"Account {OTHER} is not covered: AWS denied it."
    assert sentence in capsys.readouterr().err
    assert (runs / "latest" / "reports" / "fetched.manifest.json").is_file()
    assert exporting(runs, "--from", third) == 0
    cause = f"not covered before: AWS denied it.; for changes since the run {name(FIRST)},"
    before = [("not-covered", f"{cause} compare it with this one: credreport diff")]
    assert changed(runs / "latest", "cause") == before
    assert record_of(runs / "latest")["compared_with"] == name(SECOND)


@pytest.mark.usefixtures("changes_alone")
def test_runs_are_compared_by_their_unedited_decisions(runs: Path, capsys: Capture) -> None:
    ann = a_user("ann")
    assert exporting_day(runs, FIRST, ann) == 0
    kept = line("keep", ann, comment="needed")
    saved(runs, ledger_bytes([kept]), "decisions.csv")
    assert exporting_day(runs, SECOND, ann) == 0
    changes = changes_of(runs / "latest")
    (row,) = (row for row in changes if not row["rule"])
    assert (row["change"], row["exemption_now"]) == ("exempted", "kept by Anna until 2026-10-28")
    done = program("diff", *(runs / name(day) for day in (FIRST, SECOND)), "-q", "--format", "csv")
    assert (done.code, done.rows) == (0, changes)
    assert exporting_day(runs, THIRD, ann) == 0
    assert changes_of(runs / "latest") == []
    with (runs / name(THIRD) / "decisions.csv").open("ab") as stream:
        stream.write(b"\n")
    assert exporting_day(runs, "2026-08-01", ann) == 5
    assert "were changed: changes since it are not shown" in capsys.readouterr().err


@pytest.mark.usefixtures("changes_alone")
def test_a_run_whose_reports_are_refused_by_now_changes_nothing_and_is_named(
    runs: Path, capsys: Capture
) -> None:
    assert exporting_day(runs, FIRST, a_user("ann")) == 0
    run = runs / name(FIRST)
    (report,) = (run / "reports").iterdir()
    record = (run / "manifest.json").read_text()
    digest = sha256(report)
    report.write_text("no report")
    (run / "manifest.json").write_text(record.replace(digest, sha256(report)))
    assert exporting_day(runs, SECOND, a_user("eve")) == 5
    message = f"Changes since {run} are not known: the run {run.name} is refused: "
    assert message in capsys.readouterr().err
    assert "is refused: " in record_of(runs / "latest")["not_compared"]
    ((change, cause),) = changed(runs / "latest", "cause")
    assert change == "not-covered"
    assert cause.startswith(f"not covered before: the run {run.name} is refused: ")


OTHER_FORMS: dict[str, tuple[dict[str, Any], str]] = {
    "another number": ({"form": 7}, "written by credreport 0.0.9 (form 7), this is form 2"),
    "fields of then": ({"exit_code": "0"}, f"written by credreport 0.0.9, this is {VERSION}"),
}


def of_other_version(run: Path, fields: dict[str, Any]) -> None:
    """Have a run's record be one of another version, with these fields."""
    record = {**record_of(run), "tool": {"name": "credreport", "version": "0.0.9"}, **fields}
    (run / "manifest.json").write_text(json.dumps(record))


@pytest.mark.parametrize("kind", OTHER_FORMS)
def test_the_first_run_after_an_update_judges_the_reports_of_the_last_run_anew(
    runs: Path, capsys: Capture, kind: str
) -> None:
    fields, says = OTHER_FORMS[kind]
    assert exporting_day(runs, FIRST, a_user("ann"), a_user("bob")) == 0
    of_other_version(runs / name(FIRST), fields)
    arguments = ["--fail-on", "unused", "--keep", "1"]
    assert exporting_day(runs, SECOND, a_user("bob"), a_user("eve"), more=arguments) == 1
    messages = capsys.readouterr().err
    assert f"{runs / name(FIRST)}: {says}. Its reports are judged anew." in messages
    assert "passed over" not in messages
    assert record_of(runs / "latest")["compared_with"] == name(FIRST)
    assert record_of(runs / "latest")["not_compared"] is None
    assert {("gone", "ann"), ("new", "eve")} <= set(changed(runs / "latest"))
    assert exporting_day(runs, "2026-06-30", a_user("bob"), more=["--keep", "1"]) == 0
    assert (runs / name(FIRST)).is_dir()
    assert exporting(runs, "--from", runs / name(FIRST), "--keep", "1") == 0
    refused = program("verify", runs / name(FIRST))
    assert (refused.code, says in refused.message_line) == (3, True)
    assert "differ" not in refused.message_line


def test_where_the_reports_of_the_last_run_are_gone_after_an_update_it_says_so_and_ends_with_5(
    runs: Path, capsys: Capture
) -> None:
    assert exporting_day(runs, FIRST, a_user("ann")) == 0
    of_other_version(runs / name(FIRST), {"form": 7})
    shutil.rmtree(runs / name(FIRST) / "reports")
    for _ in range(2):
        assert exporting_day(runs, SECOND, a_user("eve")) == 5
    message = f"Changes since {runs / name(FIRST)} are not known: the run {name(FIRST)} is refused"
    assert message in capsys.readouterr().err
    assert "there is no such file or folder" in record_of(runs / "latest")["not_compared"]
    assert changed(runs / "latest") == [("not-covered", "")]


def test_accounts_of_a_last_run_of_another_form_are_those_of_its_reports(
    runs: Path, reports: Path, capsys: Capture
) -> None:
    other = of_account(OTHER_ACCOUNT, a_user("eve"))
    both = saved(reports, other, f"status_reports_{FIRST}T09-30-00+00-00 (1).csv")
    first = console_report(reports, FIRST, a_user("ann"))
    assert exporting(runs, "--from", first, "--from", both) == 0
    of_other_version(runs / name(FIRST), {"form": 7})
    assert exporting_day(runs, SECOND, a_user("ann")) == 0
    lost = f"No report of account {OTHER_ACCOUNT}, which the run {name(FIRST)} has."
    assert lost in capsys.readouterr().err


@pytest.mark.no_cover
@pytest.mark.usefixtures("changes_alone")
def test_a_workbook_that_was_filled_in_leaves_its_run_complete_and_is_never_removed(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        have_review_workbook(patch)
        exporting_day(runs, FIRST)
    with (runs / name(FIRST) / "review.xlsx").open("ab") as stream:
        stream.write(b"reviewed")
    assert exporting_day(runs, FIRST) == 0
    assert visible(runs) == {name(FIRST), "latest"}
    for day, before in ((SECOND, FIRST), (THIRD, SECOND)):
        assert exporting_day(runs, day, more=["--keep", "1"]) == 0
        assert record_of(runs / "latest")["compared_with"] == name(before)
    assert visible(runs) == {name(FIRST), name(THIRD), "latest"}


# Formats for other systems

IDLE, GONE = (a_user(name, key_1=a_key(days_before(90)), mfa=True) for name in ("ann", "bob"))


@pytest.mark.usefixtures("plain_workbook", "uncompared")
def test_parquet_in_a_run_has_the_users_and_findings_of_its_csv(runs: Path) -> None:
    for month in (FIRST, SECOND):
        assert exporting_day(runs, month, IDLE, GONE, more=["--also", "parquet"]) == 0
    run = runs / "latest"
    for name, schema in (("users", analyzer.USERS), ("findings", analyzer.FINDINGS)):
        table = pq.read_table(run / f"{name}.parquet")
        assert table.schema == schema
        with (run / f"{name}.csv").open(newline="") as stream:
            assert [row["arn"] for row in csv.DictReader(stream)] == table["arn"].to_pylist()
        assert f"{name}.parquet" in {each["path"] for each in record_of(run)["files"]}
    check_folder(runs)


BOTH_ACCOUNTS, MINE, OTHERS = (
    report_text(users, root=the_root(account))
    for users, account in (
        ((a_user("ann"), a_user("eve", account=OTHER)), ACCOUNT),
        ((a_user("ann"),), ACCOUNT),
        ((a_user("eve", account=OTHER),), OTHER),
    )
)


@pytest.mark.usefixtures("changes_alone")
@pytest.mark.parametrize(
    ("first", "then", "number"),
    [
        (BOTH_ACCOUNTS, MINE, "0, accounts not compared: 1"),
        (OTHERS, MINE, "not known, accounts not compared: 2"),
    ],
)
def test_an_account_of_the_run_before_that_has_no_report_now_is_named_once(
    runs: Path, capsys: Capture, first: str, then: str, number: str
) -> None:
    for day, text in ((FIRST, first), (SECOND, then), (THIRD, then)):
        source = console_report(runs.with_name(day), day)
        source.write_text(text)
        assert exporting(runs, "--from", source, *["--quiet"] * (day != SECOND)) == 0
    said = capsys.readouterr().err
    assert said.count(f"No report of account {OTHER}, which the run {name(FIRST)} has.\n") == 1
    assert f"; changes since {name(FIRST)}: {number}. SHA-256 of its manifest" in said
