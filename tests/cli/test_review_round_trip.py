"""A review goes round: analyze, decide in the workbook, and the next report knows it."""

import io
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from analyzer.review_columns import SHEETS
from tests.support.builders import Run, a_password, a_user, days_before, table
from tests.support.runs import console_report
from tests.support.workbooks import needs_libreoffice, opened, records, saved_by_libreoffice

Program = Callable[..., Run]
Edit = Callable[[Worksheet], None]
FIRST, SECOND = "2026-05-01", "2026-05-20"
DAY = date(2026, 5, 4)
RECREATED = "back"
DECISIONS = {
    "=1+1": "keep",
    "-x": "delete",
    "a,b": "deactivate",
    "+A1": "investigate",
    RECREATED: "delete",
    "asleep": "delete",
}
COMMENTS = {name: f"={name}" for name in DECISIONS}
USERS = (
    *map(a_user, ("=1+1", "-x", "a,b", "+A1", "plain")),
    a_user("asleep", password=a_password(days_before(400))),
)


def no_edit(_: Worksheet) -> None:
    return


def another_order(sheet: Worksheet) -> None:
    """Sort the rows the other way round; text stays text, as in a spreadsheet program."""
    rows = [[(cell.value, cell.data_type) for cell in row] for row in sheet.iter_rows(min_row=2)]
    for row, cells in zip(sheet.iter_rows(min_row=2), reversed(rows), strict=True):
        for cell, (value, kind) in zip(row, cells, strict=True):
            cell.value = value
            cell.data_type = kind


def another_column(sheet: Worksheet) -> None:
    sheet.insert_cols(3)
    sheet.cell(1, 3).value = "Team"
    sheet.cell(2, 3).value = "Payments"


def both(sheet: Worksheet) -> None:
    another_order(sheet)
    another_column(sheet)


def filled_in(content: bytes, edit: Edit) -> bytes:
    """Decide on the users in a workbook that the program wrote, and edit its lists."""
    book = opened(content)
    for title in SHEETS:
        if title in book.sheetnames:
            decide(book[title])
            edit(book[title])
    book.create_sheet("Notes", 0).append(["Call Ann"])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def decide(sheet: Worksheet) -> None:
    heads = [cell.value for cell in sheet[1]]
    for row in sheet.iter_rows(min_row=2):
        name = str(row[heads.index("User")].value)
        if name in DECISIONS:
            entries: dict[str, Any] = {
                "Decision": DECISIONS[name],
                "Decided by": "Ann",
                "Decided on": DAY,
                "Ticket": 7,
                "Comment": COMMENTS[name],
            }
            for head, value in entries.items():
                row[heads.index(head)].value = value
            row[heads.index("Comment")].data_type = "s"


def reviewed(folder: Path, program: Program, edit: Edit = no_edit) -> Path:
    """Write the first workbook, and return it decided and edited."""
    report = console_report(folder / "1", FIRST, *USERS, a_user(RECREATED))
    assert program("analyze", report, "-o", folder / "first.xlsx").code == 0
    last = folder / "review.xlsx"
    last.write_bytes(filled_in((folder / "first.xlsx").read_bytes(), edit))
    return last


def check_next_report(folder: Path, program: Program, last: Path) -> None:
    """Hold every decision to its user in JSON, workbook and follow-up of the next report."""
    again = a_user(RECREATED, created=days_before(-5))
    report = console_report(folder / "2", SECOND, *reversed(USERS), again)
    outputs = ("-o", folder / "next.xlsx", "--follow-up", folder / "follow-up.csv")
    arguments = ("analyze", report, "--review", last, *outputs, "--verdict", "all")
    done = program(*arguments, "--format", "json")
    assert done.code == 0, done.messages
    users = {each["user"]: each for each in json.loads(done.output)["users"]}
    same = {name: word for name, word in DECISIONS.items() if name != RECREATED}
    decided = {name: each["review"] for name, each in users.items() if each["review"]}
    assert {name: each["decision"] for name, each in decided.items()} == same
    assert {name: each["comment"] for name, each in decided.items()} == {
        name: COMMENTS[name] for name in same
    }
    assert {each["decided_on"] for each in decided.values()} == {"2026-05-04"}
    assert {each["ticket"] for each in decided.values()} == {"7"}
    assert users["=1+1"]["exemption"] == COMMENTS["=1+1"]
    book = opened((folder / "next.xlsx").read_bytes())
    listed = {*same, "plain", RECREATED} - {"=1+1"}
    assert {name: row["Decision"] for name, row in in_lists(book).items()} == dict.fromkeys(listed)
    follow_up = {row["user"]: row["status"] for row in table(outputs[-1].read_bytes())}
    assert follow_up == {
        "'-x": "not-done",
        "a,b": "done",
        RECREATED: "done",
        "asleep": "not-done",
    }


def in_lists(book: Workbook) -> dict[str, dict[str, Any]]:
    """Return the users who are to be decided on."""
    sheets = [book[title] for title in SHEETS if title in book.sheetnames]
    return {row["User"]: row for sheet in sheets for row in records(sheet)}


@pytest.mark.parametrize("edit", [no_edit, another_order, another_column, both])
def test_every_decision_reaches_its_user_in_the_next_report(
    tmp_path: Path, program: Program, edit: Edit
) -> None:
    check_next_report(tmp_path, program, reviewed(tmp_path, program, edit))


def test_a_workbook_with_exempt_users_is_read_as_well(tmp_path: Path, program: Program) -> None:
    report = console_report(tmp_path / "1", FIRST, *USERS)
    listed = tmp_path / "exemptions.csv"
    listed.write_text("account,user,reason,owner,expires\n*,plain,By design,,\n")
    last = tmp_path / "review.xlsx"
    exempting = ("--exemptions", listed)
    assert program("analyze", report, *exempting, "-o", last).code == 0
    last.write_bytes(filled_in(last.read_bytes(), no_edit))
    done = program(
        "analyze", report, *exempting, "--review", last, "--verdict", "all", "--format", "json"
    )
    assert done.code == 0, done.messages
    users = json.loads(done.output)["users"]
    assert {each["user"] for each in users if each["review"]} == {*DECISIONS} - {RECREATED}


@needs_libreoffice
def test_so_it_does_after_libreoffice_has_saved_the_workbook(
    tmp_path: Path, program: Program
) -> None:
    last = reviewed(tmp_path, program, both)
    last.write_bytes(saved_by_libreoffice(tmp_path, last.read_bytes()))
    check_next_report(tmp_path, program, last)


def test_decisions_of_all_workbooks_that_are_named_count_those_to_keep_too(
    tmp_path: Path, program: Program
) -> None:
    last = reviewed(tmp_path, program)
    report = console_report(tmp_path / "2", SECOND, *USERS)
    assert program("analyze", report, "--review", last, "-o", tmp_path / "next.xlsx").code == 0
    third = console_report(tmp_path / "3", "2026-06-20", *USERS)
    named = ("--review", last, "--review", tmp_path / "next.xlsx", "-o", tmp_path / "third.xlsx")
    done = program("analyze", third, *named, "--verdict", "all", "--format", "json")
    users = {each["user"]: each for each in json.loads(done.output)["users"]}
    decided = {name: each["review"]["decision"] for name, each in users.items() if each["review"]}
    assert decided == {name: word for name, word in DECISIONS.items() if name != RECREATED}
    (kept,) = records(openpyxl.load_workbook(tmp_path / "third.xlsx")["Exempt"])
    assert (kept["User"], kept["Exempt because"]) == ("=1+1", COMMENTS["=1+1"])
