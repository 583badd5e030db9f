"""Decisions go from the reviewer's workbook to the ledger and to the script, or nothing does."""

import csv
import fcntl
import io
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from analyzer.cli import main
from analyzer.errors import OutputFailed
from tests.support.builders import a_key, a_user, days_before
from tests.support.decisions import bulk, user_rows
from tests.support.review import fill_in
from tests.support.runs import console_report

DAY, LATER = "2026-05-01", "2026-06-01"
ON = date(2026, 5, 4)
ANN, BOB = a_user("ann", created=days_before(900)), a_user("bob", created=days_before(800))


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return console_report(tmp_path / DAY, DAY, ANN, BOB)


@pytest.fixture
def workbook(tmp_path: Path, report: Path) -> Path:
    """Write the workbook of a review in which two users are unused."""
    path = tmp_path / "review.xlsx"
    assert analyze(report, path) == 0
    return path


def analyze(report: Path, output: Path, *more: str | Path) -> int:
    return main(["analyze", str(report), "-o", str(output), *map(str, more)])


def collect(*arguments: str | Path) -> int:
    return main(["collect", *map(str, arguments)])


def plan(*arguments: str | Path) -> int:
    return main(["plan", *map(str, arguments)])


def lines_in(ledger: Path) -> list[tuple[str, str]]:
    rows = csv.DictReader(io.StringIO(ledger.read_text("utf-8-sig")))
    return [(row["user"], row["decision"]) for row in rows]


# Collecting


def test_without_an_output_a_workbook_is_only_checked(
    workbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill_in(workbook, {"ann": "delete"}, on=ON)
    before = sorted(workbook.parent.rglob("*"))
    assert collect(workbook) == 0
    answer = capsys.readouterr()
    assert "entered 1, emptied 0, still open 1" in answer.out
    assert "Anna: entered 1, added 1, changed 0, withdrawn 0, already there 0" in answer.out
    assert "nothing was written" in answer.err
    assert sorted(workbook.parent.rglob("*")) == before


def test_decisions_are_added_once_and_changed_by_a_later_one(
    tmp_path: Path, workbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = tmp_path / "decisions.csv"
    fill_in(workbook, {"ann": "delete", "bob": "keep"}, on=ON)
    assert collect(workbook, "-o", ledger) == 0
    once = ledger.read_bytes()
    assert lines_in(ledger) == [("ann", "delete"), ("bob", "keep")]

    assert collect(workbook, "-o", ledger) == 0
    assert ledger.read_bytes() == once
    assert "already there 2" in capsys.readouterr().out

    fill_in(workbook, {"ann": "keep"}, on=date(2026, 5, 5))
    assert collect(workbook, "-o", ledger) == 0
    assert ledger.read_bytes().startswith(once)
    assert lines_in(ledger)[2:] == [("ann", "keep")]
    assert "added 0, changed 1, withdrawn 0, already there 1" in capsys.readouterr().out


def test_an_emptied_cell_takes_nothing_back_and_withdraw_does(
    tmp_path: Path, workbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = tmp_path / "decisions.csv"
    fill_in(workbook, {"ann": "delete"}, on=ON)
    assert collect(workbook, "-o", ledger) == 0
    before = ledger.read_bytes()
    fill_in(workbook, {"ann": "="}, on=ON)
    assert collect(workbook, "-o", ledger) == 0
    assert ledger.read_bytes() == before
    out = capsys.readouterr().out
    assert "emptied: arn:aws:iam::012345678901:user/ann: delete, Anna, 2026-05-04" in out
    fill_in(workbook, {"ann": "withdraw"}, on=ON)
    assert collect(workbook, "-o", ledger) == 0
    assert "withdrawn 1" in capsys.readouterr().out
    assert plan(ledger) == 0
    assert "changes nothing" in capsys.readouterr().err


def test_one_refusal_refuses_every_file_and_leaves_the_ledger_as_it_is(
    tmp_path: Path, workbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = tmp_path / "decisions.csv"
    fill_in(workbook, {"ann": "delete"}, on=ON)
    good = fill_in(workbook, {"ann": "delete"}, on=ON, copy=tmp_path / "good.xlsx")
    bad = fill_in(workbook, {"ann": "delete", "bob": "remove"}, on=ON, copy=tmp_path / "bad.xlsx")
    worse = fill_in(workbook, {"bob": "keep"}, by="", on=ON, copy=tmp_path / "worse.xlsx")
    assert collect(good, bad, worse, "-o", ledger) == 3
    errors = capsys.readouterr().err
    assert "bad.xlsx" in errors
    assert "not a decision" in errors
    assert "worse.xlsx" in errors
    assert "column Decided by" in errors
    assert not ledger.exists()
    assert collect(good, "-o", ledger) == 0
    before = ledger.read_bytes()
    assert collect(bad, "-o", ledger) == 3
    assert ledger.read_bytes() == before


def test_people_who_decide_differently_on_one_day_are_refused(
    tmp_path: Path, workbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill_in(workbook, {"ann": "delete"}, on=ON)
    other = fill_in(workbook, {"ann": "keep"}, by="Bea", on=ON, copy=tmp_path / "other.xlsx")
    assert collect(workbook, other) == 3
    assert "made on the same day by another person" in capsys.readouterr().err


def test_a_name_that_differs_in_case_is_the_same_person(tmp_path: Path, workbook: Path) -> None:
    fill_in(workbook, {"ann": "delete"}, on=ON)
    again = fill_in(workbook, {"ann": "delete"}, by="ANNA", on=ON, copy=tmp_path / "again.xlsx")
    ledger = tmp_path / "decisions.csv"
    assert collect(workbook, again, "-o", ledger) == 0
    assert len(lines_in(ledger)) == 1


def test_a_ledger_that_another_run_is_writing_is_left_alone(tmp_path: Path, workbook: Path) -> None:
    fill_in(workbook, {"ann": "delete"}, on=ON)
    ledger = tmp_path / "decisions.csv"
    with (tmp_path / ".decisions.csv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert collect(workbook, "-o", ledger) == 75
        assert not ledger.exists()
    assert collect(workbook, "-o", ledger) == 0


def test_a_ledger_that_cannot_be_locked_is_an_output_that_failed(
    tmp_path: Path, workbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill_in(workbook, {"ann": "delete"}, on=ON)
    (tmp_path / ".decisions.csv.lock").mkdir()
    assert collect(workbook, "-o", tmp_path / "decisions.csv") == OutputFailed.exit_code
    assert "cannot be locked" in capsys.readouterr().err
    assert not (tmp_path / "decisions.csv").exists()


def test_a_workbook_is_compared_with_the_report_that_it_was_made_from(
    tmp_path: Path, report: Path, workbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill_in(workbook, {"ann": "delete"}, on=ON)
    assert collect(workbook, "--report", report) == 0
    other = console_report(tmp_path / "other", DAY, a_user("ann", created=days_before(1)), BOB)
    capsys.readouterr()
    assert collect(workbook, "--report", other) == 3
    assert "ann" in capsys.readouterr().err


def test_rows_that_were_sorted_still_name_their_users(tmp_path: Path, workbook: Path) -> None:
    fill_in(workbook, {"ann": "delete", "bob": "keep"}, on=ON)
    book = openpyxl.load_workbook(workbook)
    for sheet in book.worksheets:
        heads = [cell.value for cell in sheet[1]]
        if "Decision" in heads:
            rows = [*sheet.iter_rows(min_row=2, values_only=True)]
            for at, row in enumerate(reversed(rows), start=2):
                for column, value in enumerate(row, start=1):
                    sheet.cell(at, column).value = value
    book.save(workbook)
    ledger = tmp_path / "decisions.csv"
    assert collect(workbook, "-o", ledger) == 0
    assert sorted(lines_in(ledger)) == [("ann", "delete"), ("bob", "keep")]


def test_cells_that_moved_to_another_row_are_refused_with_every_row(
    workbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill_in(workbook, {"ann": "delete", "bob": "keep"}, on=ON)
    book = openpyxl.load_workbook(workbook)
    sheet = next(each for each in book.worksheets if "Decision" in [c.value for c in each[1]])
    column = [cell.value for cell in sheet[1]].index("User") + 1
    one, two = sheet.cell(2, column), sheet.cell(3, column)
    one.value, two.value = two.value, one.value
    book.save(workbook)
    assert collect(workbook) == 3
    errors = capsys.readouterr().err
    assert "row 2" in errors
    assert "row 3" in errors


def test_a_list_in_csv_is_collected_like_a_workbook(tmp_path: Path) -> None:
    many = [a_user(f"user-{number}") for number in range(300)]
    listed = tmp_path / "bulk.csv"
    listed.write_bytes(bulk(user_rows(*many), *[("delete", "Anna", "2026-05-01")] * 300))
    ledger = tmp_path / "decisions.csv"
    assert collect(listed, "-o", ledger) == 0
    assert len(lines_in(ledger)) == 300
    assert collect(ledger) == 0


# Following up


def test_a_follow_up_needs_a_ledger(tmp_path: Path, report: Path) -> None:
    follow_up = tmp_path / "follow_up.csv"
    assert main(["analyze", str(report), "--follow-up", str(follow_up)]) == 2
    assert not follow_up.exists()


def test_an_explanation_says_what_was_decided_earlier(
    tmp_path: Path, report: Path, workbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = tmp_path / "decisions.csv"
    fill_in(workbook, {"ann": "delete"}, on=ON)
    assert collect(workbook, "-o", ledger) == 0
    assert main(["explain", "ann", str(report), "--decisions", str(ledger)]) == 0
    assert "earlier decision: delete" in capsys.readouterr().out


# Never over a reviewer's work


def test_no_workbook_with_decisions_is_written_over(
    report: Path, workbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert analyze(report, workbook) == 0
    fill_in(workbook, {"ann": "delete"}, on=ON)
    before = workbook.read_bytes()
    assert analyze(report, workbook) == 2
    assert "has decisions of a reviewer" in capsys.readouterr().err
    assert workbook.read_bytes() == before


def test_no_ledger_and_no_script_is_written_over_a_workbook_it_comes_from(workbook: Path) -> None:
    fill_in(workbook, {"ann": "delete"}, on=ON)
    assert collect(workbook, "-o", workbook) == 2
    assert plan(workbook, "-o", workbook) == 2


# The script


def test_the_script_names_who_is_to_go_and_no_other(tmp_path: Path, workbook: Path) -> None:
    fill_in(workbook, {"ann": "delete", "bob": "keep"}, on=ON)
    script = tmp_path / "remove.sh"
    assert plan(workbook, "-o", script) == 0
    text = script.read_text()
    assert "user/ann" in text
    assert "user/bob" not in text


def test_a_user_with_newer_use_is_left_out_and_the_exit_code_says_so(
    tmp_path: Path, workbook: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill_in(workbook, {"ann": "delete", "bob": "delete"}, on=ON)
    back = a_user("ann", created=days_before(900), key_1=a_key("2026-05-20T00:00:00Z"))
    newer = console_report(tmp_path / LATER, LATER, back, BOB)
    assert plan(workbook, "--report", newer, "-o", tmp_path / "remove.sh") == 5
    assert "Left out" in capsys.readouterr().err
    text = (tmp_path / "remove.sh").read_text()
    assert [line for line in text.splitlines() if "user/ann" in line and line[:1] != "#"] == []


def test_an_exempt_user_is_left_out(tmp_path: Path, workbook: Path) -> None:
    fill_in(workbook, {"ann": "delete"}, on=ON)
    exempt = tmp_path / "exempt.csv"
    exempt.write_text("account,user,reason,owner,expires\n*,ann,By design,,\n")
    assert plan(workbook, "--exemptions", exempt, "-o", tmp_path / "remove.sh") == 5


def test_a_refused_workbook_makes_no_script(tmp_path: Path, workbook: Path) -> None:
    fill_in(workbook, {"ann": "erase"}, on=ON)
    script = tmp_path / "remove.sh"
    assert plan(workbook, "-o", script) == 3
    assert not script.exists()
