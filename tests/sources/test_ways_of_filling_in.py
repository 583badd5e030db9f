"""Whatever people do with a workbook: what is entered is collected for its user, or refused.

Each way is played through `collect`: a decision is then in the ledger, for the user of the row in
which it was entered, or the call ends with 3, names the cell, and writes nothing. No way may lead
to neither.
"""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.workbook import Workbook
from openpyxl.worksheet.dimensions import RowDimension

from analyzer.cli import main
from tests.support.builders import (
    ACCOUNT,
    a_certificate,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
)
from tests.support.decisions import OTHER_ACCOUNT, line
from tests.support.review import (
    HEADS,
    UNUSED,
    Edit,
    column,
    edited,
    edited_book,
    entered,
    put,
    review_of,
    row_of,
    saved,
    shown,
)
from tests.support.workbooks import needs_libreoffice, parts, saved_by_libreoffice

INACTIVE, SUMMARY = "Inactive users", "Summary"
USERS = (
    a_user("ann", created=days_before(900)),
    a_user("bob", password=a_password(), created=days_before(800)),
    a_user("cid", certificate_1=a_certificate(), mfa=True, created=days_before(700)),
    a_user("dora", key_1=an_inactive_key(), created=days_before(600)),
    a_user("=cmd", created=days_before(550)),
)
ON = date(2026, 5, 4)
DELETE: tuple[Any, ...] = ("delete", "Anna", ON, "SEC-1", "left")
KEEP: tuple[Any, ...] = ("keep", "Anna", ON, None, "break-glass")
BOTH = {"ann": "delete", "dora": "keep"}


class Outcome(NamedTuple):
    """Hold how `collect` ended, what it printed, and the lines of the ledger after it."""

    code: int
    said: str
    lines: list[dict[str, str]]

    @property
    def words(self) -> dict[str, str]:
        """Return the decisions by user."""
        return {each["user"].removeprefix("'"): each["decision"] for each in self.lines}


Collect = Callable[..., Outcome]


@pytest.fixture(scope="module")
def written() -> bytes:
    """Return the workbook of a review, without the sheet that only explains."""
    return edited(review_of(*USERS), lambda book: book.remove(book["Method"]))


@pytest.fixture
def collect(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Collect:
    """Collect files, by name, into the ledger of this test, to which lines are only added."""
    ledger = tmp_path / "decisions.csv"

    def collect(**files: bytes) -> Outcome:
        before = ledger.read_text() if ledger.exists() else ""
        paths = [tmp_path / name.replace("_", ".") for name in files]
        for path, content in zip(paths, files.values(), strict=True):
            path.write_bytes(content)
        code = main(["collect", *map(str, paths), "-o", str(ledger)])
        text = ledger.read_text() if ledger.exists() else ""
        assert text == before if code else text.startswith(before)
        said = capsys.readouterr()
        return Outcome(code, said.out + said.err, [*csv.DictReader(io.StringIO(text))])

    return collect


def check_rows(book: Workbook, outcome: Outcome) -> None:
    """Check that each decision is on the user of the row that it names."""
    for each in outcome.lines:
        sheet = book[each["sheet"]]
        shown_arns = [cell.value for cell in sheet[int(each["row"])]]
        assert each["arn"] in shown_arns


# What people do besides


def moved_rows(order: Callable[[list[list[Any]]], list[list[Any]]], last_column: int) -> Edit:
    """Return what puts the rows of a list in another order, up to a column."""

    def edit(book: Workbook) -> None:
        sheet = book[UNUSED]
        rows = [[cell.value for cell in row][:last_column] for row in sheet.iter_rows(min_row=2)]
        for at, values in enumerate(order(rows), start=2):
            for to, value in enumerate(values, start=1):
                put(sheet, at, to, value)

    return edit


def by_decision(rows: list[list[Any]]) -> list[list[Any]]:
    return sorted(rows, key=lambda row: str(row[2] or "z"))


def a_column_moved_to_the_end(book: Workbook) -> None:
    sheet = book[UNUSED]
    at, last = column(sheet, "Comment"), sheet.max_column + 1
    for row in range(1, sheet.max_row + 1):
        put(sheet, row, last, sheet.cell(row, at).value)
    sheet.delete_cols(at)


def a_new_column(book: Workbook) -> None:
    book[UNUSED].insert_cols(3)
    put(book[UNUSED], 1, 3, "Asked")
    put(book[UNUSED], 2, 3, "yes")


def a_copied_sheet(book: Workbook) -> None:
    book.copy_worksheet(book[UNUSED]).title = "Unused users (2)"


def without_column(head: str) -> Edit:
    return lambda book: book[UNUSED].delete_cols(column(book[UNUSED], head))


def a_merged_title(book: Workbook) -> None:
    book[UNUSED].insert_rows(1)
    book[UNUSED].merge_cells("A1:D1")


def another_table(book: Workbook) -> None:
    book[SUMMARY].append(["List", None, "when written"])
    book[SUMMARY].append([UNUSED, None, 99])


def a_note(book: Workbook) -> None:
    book[UNUSED]["C3"].comment = Comment("delete", "Anna")


def a_protected_sheet(book: Workbook) -> None:
    book[UNUSED].protection.set_password("x")
    book[UNUSED].protection.enable()


def a_filter(book: Workbook) -> None:
    book[UNUSED].auto_filter.add_filter_column(2, ["delete"])
    for row in range(3, 7):
        dimension = RowDimension(book[UNUSED], index=row, hidden=True)
        book[UNUSED].row_dimensions[row] = dimension


def folded_columns(book: Workbook) -> None:
    for letter in ("C", "D", "AC", "AD"):
        book[UNUSED].column_dimensions[letter].hidden = True


def from_1904(book: Workbook) -> None:
    book.epoch = CALENDAR_MAC_1904


def in_rich_text(book: Workbook) -> None:
    bold = TextBlock(InlineFont(b=True), "ete")
    put(book[UNUSED], 2, 3, None)
    book[UNUSED]["C2"].value = CellRichText("del", bold)


def title(name: str, value: str) -> Edit:
    return lambda book: setattr(book[name], "title", value)


def nothing(_: Workbook) -> None:
    pass


READ: dict[str, Edit] = {
    "saved again": nothing,
    "rows sorted by decision": moved_rows(by_decision, 40),
    "rows sorted the other way round": moved_rows(lambda rows: rows[::-1], 40),
    "rows hidden by a filter": a_filter,
    "columns hidden, that with the record too": folded_columns,
    "a sheet renamed": title(UNUSED, "Mine"),
    "a sheet hidden": lambda book: setattr(book[UNUSED], "sheet_state", "veryHidden"),
    "the sheets in another order": lambda book: book.move_sheet(UNUSED, -1),
    "a sheet copied": a_copied_sheet,
    "the Summary renamed": title(SUMMARY, "Overview"),
    "a table like that of the checks below it": another_table,
    "a sheet with one of the heads": lambda book: book.create_sheet("Mine").append(["Ticket"]),
    "a sheet added": lambda book: book.create_sheet("Notes").append(["Decision taken", "x"]),
    "a sheet protected": a_protected_sheet,
    "rows inserted above the heads": lambda book: book[UNUSED].insert_rows(1, 3),
    "an empty row in between": lambda book: book[UNUSED].insert_rows(4),
    "a column moved": a_column_moved_to_the_end,
    "a column added": a_new_column,
    "a column that shows a fact deleted": without_column("Age in days"),
    "merged cells above the heads": a_merged_title,
    "a head on two lines": lambda book: put(book[UNUSED], 1, 3, "Decision\n"),
    "cells coloured": lambda book: setattr(book[UNUSED]["C3"], "fill", PatternFill("solid")),
    "a note on a cell": a_note,
    "days counted from 1904": from_1904,
    "a word in rich text": in_rich_text,
    "blanks below the list": lambda book: put(book[UNUSED], 9, 12, " \n"),
    "blanks beside the list": lambda book: put(book[UNUSED], 3, 40, " "),
    "blanks around a name that is shown": shown("bob", "Decided by", "\u00a0 "),
}


@pytest.mark.parametrize("edit", READ.values(), ids=READ)
def test_what_people_do_besides_changes_no_decision(
    written: bytes, collect: Collect, edit: Edit
) -> None:
    book = edited_book(written, entered("ann", DELETE), entered("dora", KEEP), edit)
    outcome = collect(r_xlsx=saved(book))
    assert (outcome.code, outcome.words) == (0, BOTH), outcome.said
    assert {each["decided_on"] for each in outcome.lines} == {"2026-05-04"}
    check_rows(book, outcome)


# How an entry is written

LONG = "because " * 625
ENTERED: dict[str, tuple[tuple[Any, ...], tuple[str, ...]]] = {
    "in capitals, with a blank": (
        ("DELETE ", " Anna ", ON, 101, None),
        ("delete", "Anna", "2026-05-04", "101", ""),
    ),
    "with blanks that do not break": (
        ("\u00a0Delete\u00a0", "Anna\u00a0", ON, None, None),
        ("delete", "Anna", "2026-05-04", "", ""),
    ),
    "with a line end": (
        ("delete\n", "Anna\r\n", ON, None, "a\r\nb"),
        ("delete", "Anna", "2026-05-04", "", "a\nb"),
    ),
    "the day as a number": (
        ("Keep", "Anna", 46146.0, 1.5, "x"),
        ("keep", "Anna", "2026-05-04", "1.5", "x"),
    ),
    "the day as text": (
        ("withdraw", "Anna", " 2026-05-04 ", None, None),
        ("withdraw", "Anna", "2026-05-04", "", ""),
    ),
    "the day with midnight": (
        ("delete", "Anna", datetime.combine(ON, time()), None, None),
        ("delete", "Anna", "2026-05-04", "", ""),
    ),
    "the day with midnight as text": (
        ("delete", "Anna", "2026-05-04 00:00:00", None, None),
        ("delete", "Anna", "2026-05-04", "", ""),
    ),
    "numbers and words of logic": (
        ("delete", 7, ON, True, False),
        ("delete", "7", "2026-05-04", "TRUE", "FALSE"),
    ),
    "formulas as text": (
        ("delete", "Anna", ON, "=1", "'x"),
        ("delete", "Anna", "2026-05-04", "'=1", "''x"),
    ),
    "a long reason": (
        ("keep", "Anna", ON, None, LONG),
        ("keep", "Anna", "2026-05-04", "", LONG.strip()),
    ),
    "signs that are escaped": (
        ("keep", "Anna", ON, "_x0041_", "bell _x0007_, smile _xD83D__xDE00_"),
        ("keep", "Anna", "2026-05-04", "A", "bell \x07, smile \U0001f600"),
    ),
}


@pytest.mark.no_cover
@pytest.mark.parametrize(("entry", "expected"), ENTERED.values(), ids=ENTERED)
def test_an_entry_may_be_written_in_many_ways(
    written: bytes, collect: Collect, entry: tuple[Any, ...], expected: tuple[str, ...]
) -> None:
    outcome = collect(r_xlsx=edited(written, entered("=cmd", entry)))
    assert outcome.code == 0, outcome.said
    (only,) = outcome.lines
    assert tuple(only.values())[:5] == expected
    assert (only["user"], only["arn"]) == ("'=cmd", f"arn:aws:iam::{ACCOUNT}:user/=cmd")
    assert collect(r_xlsx=edited(written, entered("=cmd", entry))).lines == [only]


def test_a_series_that_was_dragged_is_what_the_cells_show(written: bytes, collect: Collect) -> None:
    users = ("ann", "bob", "dora", "=cmd", "cid")
    series = [
        entered(user, ("delete", "Anna", ON + timedelta(at), f"SEC-{101 + at}", None))
        for at, user in enumerate(users)
    ]
    outcome = collect(r_xlsx=edited(written, *series))
    shown_cells = [(each["ticket"], each["decided_on"]) for each in outcome.lines]
    assert shown_cells == [(f"SEC-{101 + at}", f"{ON + timedelta(at)}") for at in range(5)]


# What is refused


def pasted_aside(by: int) -> Edit:
    def edit(book: Workbook) -> None:
        sheet = book[UNUSED]
        row, first = row_of(sheet, "ann"), column(sheet, "Decision")
        for at in range(len(DELETE)):
            put(sheet, row, first + at, None)
        for at, value in enumerate(DELETE):
            put(sheet, row, first + by + at, value)

    return edit


def pasted_below(book: Workbook) -> None:
    for at, value in enumerate(DELETE, start=3):
        put(book[UNUSED], book[UNUSED].max_row + (at == 3), at, value)


def copied_over_its_neighbour(book: Workbook) -> None:
    for cell in book[UNUSED][2]:
        put(book[UNUSED], 3, int(str(cell.column)), cell.value)


def doubled(book: Workbook) -> None:
    book[UNUSED].insert_rows(3)
    copied_over_its_neighbour(book)


def of_another_review(book: Workbook) -> None:
    """Paste a row of another account's review below the list."""
    other = edited_book(review_of(a_user("zoe", account=OTHER_ACCOUNT)))[UNUSED]
    for head, value in zip(other[1], other[2], strict=True):
        put(book[UNUSED], 7, column(book[UNUSED], str(head.value)), value.value)


def a_second_list_below(book: Workbook) -> None:
    for row in range(1, 7):
        for cell in book[UNUSED][row]:
            put(book[UNUSED], row + 8, int(str(cell.column)), cell.value)


def merged(cells: str) -> Edit:
    return lambda book: book[UNUSED].merge_cells(cells)


def merged_over_heads(book: Workbook) -> None:
    book[UNUSED].insert_rows(1)
    book[UNUSED].merge_cells("AZ1:AZ3")


def without_entries(book: Workbook) -> None:
    for name in HEADS:
        without_column(name)(book)


def two_columns_alone(book: Workbook) -> None:
    book.create_sheet("Mine").append(["Ticket", "Comment"])


def records_swapped(book: Workbook) -> None:
    at = column(book[UNUSED], "Record")
    one, other = book[UNUSED].cell(2, at), book[UNUSED].cell(3, at)
    one.value, other.value = other.value, one.value


def record_edited(book: Workbook) -> None:
    old, new = '"password_enabled":"true"', '"password_enabled":"false"'
    cell = book[UNUSED].cell(row_of(book[UNUSED], "bob"), column(book[UNUSED], "Record"))
    assert old in str(cell.value)
    cell.value = str(cell.value).replace(old, new)


def ok_typed_over(book: Workbook) -> None:
    for cell in (cell for row in book[SUMMARY].iter_rows() for cell in row):
        if isinstance(cell.value, str) and '"OK"' in cell.value:
            cell.value = "OK"


def a_number_in_the_summary(book: Workbook) -> None:
    for row in book[SUMMARY].iter_rows():
        if row[0].value == UNUSED and row[2].value == 5 and not isinstance(row[3].value, str):
            row[2].value = 4


def formulas(*texts: str) -> Edit:
    """Return what enters formulas for a user, from the first entry on."""

    def edit(book: Workbook) -> None:
        row = row_of(book[UNUSED], "bob")
        for at, text in enumerate(texts, start=column(book[UNUSED], "Decision")):
            book[UNUSED].cell(row, at).value = text

    return edit


def an_error(head: str) -> Edit:
    def edit(book: Workbook) -> None:
        entered("bob", KEEP)(book)
        cell = book[UNUSED].cell(row_of(book[UNUSED], "bob"), column(book[UNUSED], head))
        cell.value = "#REF!"
        assert cell.data_type == "e"

    return edit


def struck(head: str) -> Edit:
    def edit(book: Workbook) -> None:
        cell = book[UNUSED].cell(row_of(book[UNUSED], "ann"), column(book[UNUSED], head))
        cell.font = Font(strike=True)

    return edit


def struck_in_part(book: Workbook) -> None:
    struck_text = TextBlock(InlineFont(strike=True), "delete")
    book[UNUSED]["C2"].value = CellRichText(struck_text, " ")


def headless_copy(book: Workbook) -> None:
    a_copied_sheet(book)
    book["Unused users (2)"].delete_rows(1)


def an_active_user_in_a_copy(book: Workbook) -> None:
    a_copied_sheet(book)
    cell = book["Unused users (2)"].cell(2, column(book[UNUSED], "Record"))
    key = '"access_key_1_active":"{}","access_key_1_last_rotated":"{}"'
    active = str(cell.value).replace(key.format("false", "N/A"), key.format("true", days_before(1)))
    assert active != cell.value
    cell.value = active


def a_copy_far_below(book: Workbook) -> None:
    a_copied_sheet(book)
    book["Unused users (2)"].insert_rows(1, 60)
    put(book["Unused users (2)"], 63, 3, "delet")


def head(at: int, text: str | None) -> Edit:
    return lambda book: put(book[UNUSED], 1, at, text)


def bob(*entry: Any) -> Edit:
    return entered("bob", entry)


C3 = f"sheet {UNUSED}, row 3, column Decision, cell C3: "
E3 = f"sheet {UNUSED}, row 3, column Decided on, cell E3: "
LOGIC = (True, "Anna")
REFUSED: dict[str, tuple[Edit, str]] = {
    # rows and columns
    "columns A to H sorted alone": (moved_rows(lambda rows: rows[::-1], 8), "cell B2: the report"),
    "the names sorted alone": (moved_rows(lambda rows: rows[::-1], 2), "cell B2: the report gives"),
    "a block pasted a column aside": (pasted_aside(1), "cell C2: an entry without a decision"),
    "a block pasted over the facts": (pasted_aside(5), "cell H2: the report gives"),
    "a block pasted beside the list": (pasted_aside(40), "it is beside the list"),
    "a remark beside the list": (
        lambda book: put(book[UNUSED], 2, 52, "ask Bob"),
        "cell AZ2: it is beside the list",
    ),
    "a block pasted below the list": (pasted_below, "row 7, column Record, cell AD7: the record"),
    "a row copied over its neighbour": (copied_over_its_neighbour, "row 2 has the same user"),
    "a row doubled": (doubled, "row 3, column Record, cell AD3: row 2 has the same user"),
    "a row deleted": (lambda book: book[UNUSED].delete_rows(3), "has 4 users, and had 5 when"),
    "all rows deleted": (lambda book: book[UNUSED].delete_rows(2, 9), "has 0 users, and had 5"),
    "a row of another review": (of_another_review, "has 6 users, and had 5"),
    "the list again below the list": (a_second_list_below, "row 9, column Record, cell AD9: not"),
    "decisions merged": (merged("C2:C4"), "cells C2:C4: merged cells"),
    "heads merged": (merged("AY1:AZ1"), "cells AY1:AZ1: merged cells"),
    "cells merged from above the heads": (merged_over_heads, "cells AZ1:AZ3: merged cells"),
    "all columns for entries deleted": (without_entries, "column Decision: the column is gone"),
    "two columns of a list on a sheet": (two_columns_alone, "sheet Mine, row 1, column Decision"),
    "rows merged": (merged("A2:A3"), "cells A2:A3: merged cells"),
    **{
        f"the column {name} deleted": (without_column(name), f"column {name}: the column is gone")
        for name in ("Account", "User", *HEADS, "ARN", "Record")
    },
    "a column renamed": (head(3, "Decisions"), "column Decision: the column is gone"),
    "a column renamed in another case": (head(3, "decision"), "column Decision: the column is"),
    "a column without a head": (head(3, None), "column Decision: the column is gone"),
    "a copy of a column": (head(40, "Decision2"), "the column looks like a copy"),
    "a column of another reviewer": (head(40, "Decision of Tom"), "the column looks like a copy"),
    "a head twice": (head(8, "Decision"), "cell H1: the column is there twice"),
    # sheets
    "the heads deleted": (
        lambda book: book[UNUSED].delete_rows(1),
        "row 1, column cell AD1: the heads of",
    ),
    "the heads of a copy deleted": (
        headless_copy,
        "(2), row 1, column cell AD1: the heads of this",
    ),
    "a record of an active user": (an_active_user_in_a_copy, "(2), row 2, column Record, cell AD2"),
    "a copy far below": (a_copy_far_below, "(2), row 63, column Decision, cell C63: not a"),
    "the Summary deleted": (lambda book: book.remove(book[SUMMARY]), "it has no Summary"),
    "a count of the Summary edited": (a_number_in_the_summary, "users, and had"),
    "a check typed over": (ok_typed_over, "the formula of this check was typed over ('OK')"),
    # what the report says
    "a name typed over": (shown("ann", "User", "bob"), "cell B2: the report gives"),
    "an account typed over": (shown("ann", "Account", OTHER_ACCOUNT), f'gives "{ACCOUNT}"'),
    "an account turned into a number": (shown("ann", "Account", 12345678901), f'"{ACCOUNT}"'),
    "a name turned into a formula": (
        lambda book: setattr(book[UNUSED]["B5"], "value", "=cmd"),
        'cell B5: the report gives "=cmd"',
    ),
    "the ARN of another": (
        shown("ann", "ARN", f"arn:aws:iam::{ACCOUNT}:user/bob"),
        "column ARN, cell AC2: the report gives",
    ),
    "the creation typed over": (shown("ann", "Created", 40000.5), "the report gives"),
    "the as-of typed over": (shown("ann", "As of (UTC)", 50000.5), "the report gives"),
    "certain typed over check": (shown("cid", "Certainty", "certain"), 'gives "check"'),
    "a caveat emptied": (shown("cid", "Check first", None), "the report gives"),
    "a password typed in": (shown("ann", "Password", "enabled"), 'gives "none"'),
    "an age typed over": (shown("ann", "Age in days", 12), 'gives "900"'),
    "records swapped": (records_swapped, "the report gives"),
    "a record emptied": (shown("ann", "Record", None), "cell AD2: the record of this row is gone"),
    "a record that is none": (shown("ann", "Record", "{}"), "cell AD2: not a record"),
    "a cell of the record edited": (record_edited, "the report gives"),
    # words
    "another word": (bob("remove", "Anna", ON, None, None), f"{C3}not a decision ('remove')"),
    "a word cut off": (bob("delet", "Anna", ON, None, None), f"{C3}not a decision ('delet')"),
    "two words": (bob("keep or delete", "Anna", ON, None, "x"), f"{C3}not a decision"),
    "a word with an apostrophe": (bob("'delete", "Anna", ON, None, None), f"{C3}not a decision"),
    "a word of another alphabet": (bob("k\u0435ep", "Anna", ON, None, "x"), f"{C3}not a decision"),
    "a word with a control character": (bob("keep_x0007_", "A", ON, None, "x"), f"{C3}not a"),
    "the word of the program": (bob("conflict", "Anna", ON, None, None), f"{C3}not a decision"),
    "a word of logic": (bob(*LOGIC, ON, None, None), f"{C3}not a decision ('TRUE')"),
    "a number": (bob(1, "Anna", ON, None, None), f"{C3}not a decision ('1')"),
    "a word in the wrong column": (bob(None, None, None, "delete", None), f"{C3}an entry without"),
    "a word over what is shown": (shown("bob", "Certainty", "delete"), "cell I3: the report gives"),
    "an entry without a decision": (bob(None, "Anna", ON, None, None), f"{C3}an entry without"),
    "a comment alone": (bob(None, None, None, None, "ask"), f"{C3}an entry without a decision"),
    "no name": (bob("delete", None, ON, None, None), "column Decided by, cell D3: the cell is"),
    "a keep without a reason": (bob("keep", "Anna", ON, None, " "), "cell G3: the cell is empty"),
    "half a character": (bob("keep", "Anna", ON, None, "_xD83D_"), "the file is damaged"),
    # days
    "no day": (bob("delete", "Anna", None, None, None), f"{E3}the cell is empty"),
    "a German day": (bob("delete", "Anna", "04.05.2026", None, None), f"{E3}not a date"),
    "an American day": (bob("delete", "Anna", "5/4/2026", None, None), f"{E3}not a date"),
    "a French day": (bob("delete", "Anna", "4 mai 2026", None, None), f"{E3}not a date"),
    "a day without zeros": (bob("delete", "Anna", "2026-5-4", None, None), f"{E3}not a date"),
    "a day that is none": (bob("delete", "Anna", "2026-02-30", None, None), f"{E3}not a date"),
    "a day with a time": (bob("delete", "Anna", 46146.5, None, None), f"{E3}not a date"),
    "a day as a number alone": (bob(None, None, 20260504, None, None), f"{C3}an entry without"),
    "a day as a number of digits": (
        bob("delete", "Anna", 20260504, None, None),
        f"{E3}not a date ('20260504')",
    ),
    "a year": (bob("delete", "Anna", 2026, None, None), "decided before the report"),
    "a day before the report": (bob("delete", "Anna", date(2026, 4, 29), None, None), "before the"),
    "a day in future": (bob("delete", "Anna", date(2999, 1, 1), None, None), "the day is after"),
    # formulas, errors, and what is struck through
    "a decision by a formula": (formulas("=C2"), f"{C3}a formula, whose result may change"),
    "a word in a formula": (formulas('="delete"', "Anna"), f"{C3}a formula, whose result may"),
    "an entry by formulas": (formulas(*(f"={at}2" for at in "CDEFG")), f"{C3}a formula, whose"),
    **{
        f"an error as {name}": (an_error(name), f", row 3, column {name}, cell {letter}3: ")
        for name, letter in zip(HEADS, "CDEFG", strict=True)
    },
    "a decision struck through": (struck("Decision"), "cell C2: it is struck through ('delete')"),
    "a name struck through": (struck("Decided by"), "cell D2: it is struck through ('Anna')"),
    "a day struck through": (struck("Decided on"), "cell E2: it is struck through"),
    "a word struck through in the text": (struck_in_part, "cell C2: it is struck through"),
}


@pytest.mark.parametrize(("edit", "problem"), REFUSED.values(), ids=REFUSED)
def test_what_would_hit_the_wrong_user_or_lose_an_entry_is_refused_by_name(
    written: bytes, collect: Collect, edit: Edit, problem: str
) -> None:
    outcome = collect(r_xlsx=edited(written, entered("ann", DELETE), edit))
    assert (outcome.code, outcome.lines) == (3, [])
    assert problem in outcome.said
    assert "r.xlsx" in outcome.said


# With more sheets


@pytest.fixture(scope="module")
def with_more_sheets() -> bytes:
    """Return the workbook of a review with two lists, after a decision on another user."""
    emil = a_user("emil", key_1=a_key(days_before(500)), created=days_before(500))
    return review_of(USERS[0], emil, decided=line("delete", USERS[1]))


def on_follow_up(row: int, words: Mapping[str, str]) -> Edit:
    def edit(book: Workbook) -> None:
        for head, word in words.items():
            put(book["Follow-up"], row, column(book["Follow-up"], head), word)

    return edit


def a_column_on_the_follow_up(book: Workbook) -> None:
    put(book["Follow-up"], 1, 60, "Decision")
    put(book["Follow-up"], 2, 60, "keep")


WITH_MORE_SHEETS: dict[str, tuple[Edit, str]] = {
    "a list deleted": (lambda book: book.remove(book[INACTIVE]), "has 0 users, and had 1 when"),
    "a verdict typed over": (shown("emil", "Verdict", "retired", INACTIVE), 'gives "dormant"'),
    "an earlier decision typed over": (
        on_follow_up(2, {"Decided": "keep"}),
        "sheet Follow-up, row 2, column Decided, cell E2: not an earlier decision ('keep')",
    ),
    "a decision entered among earlier ones": (
        on_follow_up(3, {"User": "ann", "Decided": "delete", "Decided by": "Anna"}),
        "sheet Follow-up, row 3, column Decided, cell E3: not an earlier decision ('delete')",
    ),
    "a comment entered among earlier decisions": (
        on_follow_up(4, {"Comment": "keep ann"}),
        "sheet Follow-up, row 4, column Decided, cell E4: not an earlier decision",
    ),
    "a column Decision on that sheet": (
        a_column_on_the_follow_up,
        "sheet Follow-up, row 1, column Record: the column is gone",
    ),
}


@pytest.mark.parametrize(("edit", "problem"), WITH_MORE_SHEETS.values(), ids=WITH_MORE_SHEETS)
def test_what_is_entered_elsewhere_or_lost_with_a_sheet_is_refused_by_name(
    with_more_sheets: bytes, collect: Collect, edit: Edit, problem: str
) -> None:
    outcome = collect(r_xlsx=edited(with_more_sheets, entered("ann", DELETE), edit))
    assert (outcome.code, outcome.lines) == (3, [])
    assert problem in outcome.said


def test_a_sheet_that_explains_can_go(with_more_sheets: bytes, collect: Collect) -> None:
    def edit(book: Workbook) -> None:
        book.remove(book["Method"])

    outcome = collect(r_xlsx=edited(with_more_sheets, entered("ann", DELETE), edit))
    assert (outcome.code, outcome.words) == (0, {"ann": "delete"}), outcome.said


# As other programs save it


def rewritten(content: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """Return a workbook with changed parts."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, part in parts(content).items():
            archive.writestr(name, change(name, part))
    return stream.getvalue()


def with_small_dimension(_: str, part: bytes) -> bytes:
    return re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:B2"', part)


def without_styles(_: str, part: bytes) -> bytes:
    return re.sub(rb'(<c r="[A-Z]+[0-9]+") s="[0-9]+"', rb"\1", part)


def with_inline_entries(name: str, part: bytes) -> bytes:
    """Enter texts as our own writer and some services save them, in the cell itself."""
    if name != "xl/worksheets/sheet2.xml":
        return part
    for cell, text in zip(("C2", "D2", "E2"), ("delete", "Anna", f"{ON}"), strict=True):
        inline = f'<c r="{cell}" t="inlineStr"><is><t>{text}</t></is></c>'.encode()
        part, count = re.subn(rf'<c r="{cell}"[^>]*/>'.encode(), inline, part)
        assert count == 1
    return part


def with_merged_columns(_: str, part: bytes) -> bytes:
    return part.replace(
        b"</sheetData>", b'</sheetData><mergeCells><mergeCell ref="A:B"/></mergeCells>'
    )


SAVED_OTHERWISE = {
    "a dimension that is too small": with_small_dimension,
    "cells without styles": without_styles,
}


@pytest.mark.parametrize("change", SAVED_OTHERWISE.values(), ids=SAVED_OTHERWISE)
def test_how_a_program_saves_the_workbook_does_not_matter(
    written: bytes, collect: Collect, change: Callable[[str, bytes], bytes]
) -> None:
    content = edited(written, entered("ann", DELETE), entered("dora", KEEP))
    assert collect(r_xlsx=rewritten(content, change)).words == BOTH


def test_an_entry_in_the_cell_itself_is_read(collect: Collect) -> None:
    content = rewritten(review_of(*USERS), with_inline_entries)
    assert collect(r_xlsx=content).words == {"ann": "delete"}


@needs_libreoffice
def test_a_workbook_that_libreoffice_saved_is_read(
    written: bytes, collect: Collect, tmp_path: Path
) -> None:
    content = edited(written, entered("ann", DELETE), entered("dora", KEEP))
    outcome = collect(r_xlsx=saved_by_libreoffice(tmp_path, content))
    assert (outcome.code, outcome.words) == (0, BOTH), outcome.said


def by_pandas(content: bytes, *titles: str) -> bytes:
    """Return these sheets, all if none is named, as pandas reads and writes them."""
    frames = pd.read_excel(io.BytesIO(content), sheet_name=[*titles] or None)
    stream = io.BytesIO()
    with pd.ExcelWriter(stream) as writer:
        for title, frame in frames.items():
            frame.to_excel(writer, sheet_name=str(title), index=False)
    return stream.getvalue()


def list_by_pandas(content: bytes) -> bytes:
    return by_pandas(content, UNUSED)


def as_csv(content: bytes) -> bytes:
    return pd.read_excel(io.BytesIO(content), sheet_name=UNUSED).to_csv(index=False).encode()


def as_ods(_: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    return stream.getvalue()


OTHER_FILES: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "a list alone, saved by pandas": ("r_xlsx", list_by_pandas, "no Summary"),
    "all sheets, saved by pandas": (
        "r_xlsx",
        by_pandas,
        f'row 2, column Account, cell A2: the report gives "{ACCOUNT}"',
    ),
    "a CSV": ("r_csv", as_csv, "missing: decided_by, decided_on"),
    "a workbook with a password": ("r_xlsx", lambda _: b"\xd0\xcf\x11\xe0" + bytes(99), "encrypt"),
    "a workbook of Excel 97": ("r_xls", lambda _: b"\xd0\xcf\x11\xe0" + bytes(99), "(.xls)"),
    "a workbook of LibreOffice": ("r_ods", as_ods, "another kind of workbook"),
    "a workbook with merged columns": (
        "r_xlsx",
        lambda content: rewritten(content, with_merged_columns),
        "cells A:B: merged cells",
    ),
    "a workbook cut off": ("r_xlsx", lambda content: content[:-99], "the file is damaged"),
    "a file that is empty": ("r_xlsx", lambda _: b"", "not an Excel workbook"),
    "another workbook": ("r_xlsx", lambda _: saved(Workbook()), "it has no list with a column"),
}


@pytest.mark.parametrize(("name", "change", "problem"), OTHER_FILES.values(), ids=OTHER_FILES)
def test_what_is_not_the_workbook_as_a_whole_is_refused(
    written: bytes, collect: Collect, name: str, change: Callable[[bytes], bytes], problem: str
) -> None:
    outcome = collect(**{name: change(edited(written, entered("ann", DELETE)))})
    assert (outcome.code, outcome.lines) == (3, [])
    assert problem in outcome.said


# Several workbooks, one after the other and together

ANN_DELETED = entered("ann", DELETE)
ANN_KEPT = entered("ann", KEEP)
KEPT_BY_BEA = entered("ann", ("keep", "Bea", ON, None, "x"))
KEPT_LATER = entered("ann", ("keep", "Anna", ON + timedelta(1), None, "x"))
DELETED_BY_ANNA = entered("ann", ("delete", "ANNA ", *DELETE[2:]))
WITHDRAWN = entered("ann", ("withdraw", "Anna", ON, None, None))
DORA_KEPT = entered("dora", KEEP)
MISSPELT = entered("bob", ("delet", "Anna", ON, None, None))


def in_copy(*entry: Any) -> Edit:
    def edit(book: Workbook) -> None:
        a_copied_sheet(book)
        entered("ann", entry, "Unused users (2)")(book)

    return edit


Calls = list[dict[str, list[Edit]]]
"""The workbooks of each call of `collect`, one call after the other."""

SEVERAL: dict[str, tuple[Calls, list[tuple[str, str]], int, str]] = {
    "two copies with the same entries": (
        [{"a": [ANN_DELETED], "b": [ANN_DELETED]}],
        [("ann", "delete")],
        0,
        "already there 1",
    ),
    "two copies in which a name differs in case": (
        [{"a": [ANN_DELETED], "b": [DELETED_BY_ANNA]}],
        [("ann", "delete")],
        0,
        "already there 1",
    ),
    "two copies, each with its part": (
        [{"a": [ANN_DELETED], "b": [DORA_KEPT]}],
        [("ann", "delete"), ("dora", "keep")],
        0,
        "Added 2 lines",
    ),
    "two copies that two people decided differently in": (
        [{"a": [ANN_DELETED], "b": [KEPT_BY_BEA]}],
        [],
        3,
        "cell C2: a.xlsx, sheet Unused users, row 2 has delete, Anna, 2026-05-04, SEC-1, made on",
    ),
    "two copies that one person decided differently in": (
        [{"a": [ANN_DELETED], "b": [ANN_KEPT]}],
        [("ann", "delete"), ("ann", "keep")],
        0,
        "keep, Anna, 2026-05-04 (b.xlsx, sheet Unused users, row 2) counts, and not delete",
    ),
    "a sheet copied after it was filled in": (
        [{"a": [ANN_DELETED, a_copied_sheet]}],
        [("ann", "delete")],
        0,
        "entered 2, added 1, changed 0, withdrawn 0, already there 1",
    ),
    "two copies of a sheet that two people decided differently in": (
        [{"a": [ANN_DELETED, in_copy("keep", "Bea", ON, None, "x")]}],
        [],
        3,
        "a.xlsx, sheet Unused users, row 2 has delete",
    ),
    "the same workbook again": (
        [{"a": [ANN_DELETED]}, {"a": [ANN_DELETED]}],
        [("ann", "delete")],
        0,
        "nothing new",
    ),
    "a mind changed in a later copy": (
        [{"a": [ANN_DELETED]}, {"b": [KEPT_LATER]}],
        [("ann", "delete"), ("ann", "keep")],
        0,
        "added 0, changed 1",
    ),
    "a mind changed by another person on that day": (
        [{"a": [ANN_DELETED]}, {"b": [KEPT_BY_BEA]}],
        [("ann", "delete")],
        3,
        "a.xlsx, sheet Unused users, row 2 has delete",
    ),
    "an entry emptied": (
        [{"a": [ANN_DELETED]}, {"a": []}],
        [("ann", "delete")],
        0,
        f"emptied: arn:aws:iam::{ACCOUNT}:user/ann: delete, Anna, 2026-05-04, SEC-1, stays in",
    ),
    "an entry withdrawn": (
        [{"a": [ANN_DELETED]}, {"a": [WITHDRAWN]}],
        [("ann", "delete"), ("ann", "withdraw")],
        0,
        "withdrawn 1",
    ),
    "one workbook of two with a mistake": (
        [{"a": [DORA_KEPT]}, {"a": [ANN_DELETED, DORA_KEPT], "b": [MISSPELT]}],
        [("dora", "keep")],
        3,
        f"b.xlsx, {C3}not a decision",
    ),
}


@pytest.mark.parametrize(("calls", "expected", "code", "says"), SEVERAL.values(), ids=SEVERAL)
def test_several_workbooks_are_collected_once_or_refused_together(  # noqa: PLR0913, PLR0917  a table
    written: bytes,
    collect: Collect,
    calls: Calls,
    expected: list[tuple[str, str]],
    code: int,
    says: str,
) -> None:
    for files in calls:
        outcome = collect(**{f"{each}_xlsx": edited(written, *of) for each, of in files.items()})
    assert [(each["user"], each["decision"]) for each in outcome.lines] == expected
    assert outcome.code == code, outcome.said
    assert says in outcome.said
