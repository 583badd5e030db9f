"""`--review`, `--follow-up`, `--fail-on overdue` and `--accounts` on the command line."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import jsonschema
import openpyxl
import pytest

from tests.support.builders import ACCOUNT, ROOT_FOLDER, Run, a_user, report_text, saved, table
from tests.support.reviews import listed, workbook_bytes
from tests.support.runs import check_whole, console_report, exporting, record_of

Program = Callable[..., Run]
SCHEMA = json.loads((ROOT_FOLDER / "analyzer" / "writers" / "schema.json").read_bytes())
NAMES = ("=1+1", "-x", "a,b")
KEPT = listed("=1+1", "keep", Comment="by design")
GOING = listed("-x", "delete")
FIRST, SECOND, THIRD = "2026-04-01", "2026-04-10", "2026-07-01"


def report(folder: Path, day: str = SECOND, names: tuple[str, ...] = NAMES) -> Path:
    return console_report(folder, day, *map(a_user, names))


def workbook(folder: Path, *rows: dict[str, object], name: str = "LAST.xlsx") -> Path:
    path = folder / name
    path.write_bytes(workbook_bytes(*(rows or (KEPT, GOING, listed("a,b")))))
    return path


def test_decisions_reach_the_right_users_and_the_schema_knows_them(
    tmp_path: Path, program: Program
) -> None:
    last = workbook(tmp_path)
    follow_up = tmp_path / "follow.csv"
    arguments = ("--review", last, "--follow-up", follow_up, "--format", "json")
    done = program("analyze", report(tmp_path), *arguments)
    assert done.code == 0
    document = json.loads(done.output)
    jsonschema.validate(document, SCHEMA)
    users = {user["user"]: user for user in document["users"]}
    assert users["=1+1"]["exemption"] == "by design"
    assert users["=1+1"]["review"]["decision"] == "keep"
    assert users["-x"]["review"] == {
        "decision": "delete",
        "decided_by": "Ann",
        "decided_on": "2026-03-05",
        "ticket": "",
        "comment": "",
    }
    assert users["a,b"]["review"] is None
    assert document["review"]["counts"]["overdue"] == 1
    assert [row["done_since"] for row in document["review"]["follow_up"]] == [None]
    (row,) = table(follow_up.read_bytes())
    assert (row["user"], row["status"], row["overdue"]) == ("'-x", "not-done", "true")


@pytest.mark.parametrize(("days", "code"), [("35", 1), ("36", 0)])
def test_overdue_fails_a_run(days: str, code: int, tmp_path: Path, program: Program) -> None:
    arguments = ("--review", workbook(tmp_path), "--fail-on", "overdue", "--due-days", days)
    done = program("analyze", report(tmp_path), *arguments)
    assert done.code == code
    assert ("Meets --fail-on: 1 overdue" in done.messages) == bool(code)


def test_the_days_to_keep_can_be_set(tmp_path: Path, program: Program) -> None:
    arguments = ("analyze", report(tmp_path), "--review", workbook(tmp_path), "--format", "json")
    done = program(*arguments, "--keep-days", "35")
    assert {user["exemption"] for user in json.loads(done.output)["users"]} == {""}


def test_the_newest_decision_of_several_workbooks_counts(tmp_path: Path, program: Program) -> None:
    newer = listed("=1+1", "delete", Decided_on=date(2026, 4, 2))
    books = (workbook(tmp_path, newer, name="new.xlsx"), workbook(tmp_path))
    options = [option for book in books for option in ("--review", book)]
    done = program("analyze", report(tmp_path), *options, "--format", "json")
    users = {user["user"]: user for user in json.loads(done.output)["users"]}
    assert users["=1+1"]["review"]["decision"] == "delete"


def test_all_workbooks_that_are_wrong_are_refused_together(
    tmp_path: Path, program: Program
) -> None:
    one = workbook(tmp_path, listed("ann", "delte"), name="one.xlsx")
    other = workbook(tmp_path, listed("ann", "kep"), name="other.xlsx")
    done = program("analyze", report(tmp_path), "--review", one, "--review", other)
    assert (done.code, done.output) == (3, b"")
    assert "one.xlsx, sheet Unused users, row 2, column Decision, cell C2" in done.messages
    assert "other.xlsx, sheet Unused users, row 2, column Decision, cell C2" in done.messages


@pytest.mark.parametrize(
    ("option", "value"), [("--follow-up", "follow.csv"), ("--fail-on", "overdue")]
)
def test_without_a_review_there_is_nothing_to_follow_up(
    option: str, value: str, tmp_path: Path, program: Program
) -> None:
    done = program("analyze", report(tmp_path), option, value)
    assert done.code == 2
    assert "--review" in done.messages


def test_a_workbook_that_is_read_is_not_written_over(tmp_path: Path, program: Program) -> None:
    last = workbook(tmp_path)
    assert program("analyze", report(tmp_path), "--review", last, "-o", last).code == 2


def test_a_workbook_that_is_not_there_is_refused(tmp_path: Path, program: Program) -> None:
    done = program("analyze", report(tmp_path), "--review", tmp_path / "none.xlsx")
    assert done.code == 2
    assert "cannot be read" in done.messages


# What export reads back


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def review_in(runs: Path, day: str, *rows: dict[str, object]) -> Path:
    """Have a person fill in the workbook of a run."""
    return workbook(runs / f"{day}T09-30-00Z", *rows, name="review.xlsx")


def test_export_reads_the_workbook_that_was_filled_in_and_seals_what_it_read(
    runs: Path, tmp_path: Path
) -> None:
    assert exporting(runs, "--from", report(tmp_path / "1", FIRST)) == 0
    edited = review_in(runs, FIRST)
    assert exporting(runs, "--from", report(tmp_path / "2")) == 0
    check_whole(runs / "latest")
    record = record_of(runs / "latest")
    (read,) = record["reviews"]
    assert read["name"] == str(edited)
    assert record["parameters"]["review"] == [read["sha256"]]
    users = {row["user"]: row for row in table((runs / "latest" / "users.csv").read_bytes())}
    assert users["'=1+1"]["exemption"] == "by design"
    (row,) = table((runs / "latest" / "follow_up.csv").read_bytes())
    assert (row["user"], row["status"]) == ("'-x", "not-done")


def test_a_workbook_of_an_older_run_still_counts_and_what_is_done_stays_done_since_then(
    runs: Path, tmp_path: Path
) -> None:
    exporting(runs, "--from", report(tmp_path / "1", FIRST))
    review_in(runs, FIRST)
    exporting(runs, "--from", report(tmp_path / "2", SECOND, ("=1+1",)))
    exporting(runs, "--from", report(tmp_path / "3", THIRD, ("=1+1",)))
    (row,) = table((runs / "latest" / "follow_up.csv").read_bytes())
    assert (row["status"], row["as_of"][:10], row["done_since"][:10]) == ("done", THIRD, SECOND)


def test_a_follow_up_that_was_changed_is_no_evidence(runs: Path, tmp_path: Path) -> None:
    exporting(runs, "--from", report(tmp_path / "1", FIRST))
    review_in(runs, FIRST)
    exporting(runs, "--from", report(tmp_path / "2", SECOND, ("=1+1",)))
    with (runs / "latest" / "follow_up.csv").open("a") as stream:
        stream.write("\n")
    exporting(runs, "--from", report(tmp_path / "3", THIRD, ("=1+1",)))
    (row,) = table((runs / "latest" / "follow_up.csv").read_bytes())
    assert row["done_since"][:10] == THIRD


def test_decisions_on_a_newer_report_say_nothing_of_an_older_one(
    runs: Path, tmp_path: Path
) -> None:
    exporting(runs, "--from", report(tmp_path / "2"))
    review_in(runs, SECOND)
    exporting(runs, "--from", report(tmp_path / "1", FIRST))
    assert record_of(runs / f"{FIRST}T09-30-00Z")["reviews"] == []


def test_decisions_make_another_run_of_the_same_report_but_only_once(
    runs: Path, tmp_path: Path
) -> None:
    given = report(tmp_path / "1", FIRST)
    for _ in range(2):
        exporting(runs, "--from", given)
    assert len([*runs.glob("2*")]) == 1
    review_in(runs, FIRST)
    for _ in range(2):
        exporting(runs, "--from", given)
    assert len([*runs.glob("2*")]) == 2
    assert openpyxl.load_workbook(runs / "latest" / "review.xlsx", read_only=True).sheetnames


@pytest.mark.parametrize("options", [(), ("--check",)])
def test_a_workbook_with_a_decision_that_is_none_refuses_the_run(
    options: tuple[str, ...], runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exporting(runs, "--from", report(tmp_path / "1", FIRST))
    review_in(runs, FIRST, listed("ann", "delte"))
    assert exporting(runs, "--from", report(tmp_path / "2"), *options) == 3
    assert "row 2, column Decision, cell C2: not a decision" in capsys.readouterr().err
    assert len([*runs.glob("2*")]) == 1


def test_a_run_holds_the_list_of_account_names(runs: Path, tmp_path: Path) -> None:
    accounts = saved(tmp_path, f"account,name,owner\n{ACCOUNT},Pay,Ann", "names.csv")
    assert exporting(runs, "--from", report(tmp_path / "1"), "--accounts", accounts) == 0
    assert (runs / "latest" / "accounts.csv").read_bytes() == accounts.read_bytes()
    check_whole(runs / "latest")
    assert isinstance(record_of(runs / "latest")["parameters"]["accounts"], str)


# The names of accounts


def test_the_command_line_takes_the_list(tmp_path: Path, program: Callable[..., Run]) -> None:
    report = saved(tmp_path, report_text([a_user()]))
    accounts = saved(tmp_path, f"account,name,owner\n{ACCOUNT},Pay,Ann", "accounts.csv")
    arguments = ("analyze", report, "--accounts", accounts)
    done = program(*arguments, "--format", "json")
    assert json.loads(done.output)["users"][0]["account_name"] == "Pay"
    assert program(*arguments, "-o", accounts).code == 2
    accounts.write_text("account\n")
    refused = program(*arguments)
    assert (refused.code, refused.output) == (3, b"")
