"""Whatever people do with a workbook: what is entered is collected for its user, or refused.

A decision is then read for the user of the row in which it was entered, or the workbook is refused
with the name of the cell. No way may lead to neither.
"""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from functools import partial
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
from analyzer.decisions.decision import LedgerLine
from analyzer.errors import InputRefused
from analyzer.sources.review_workbook import read_files
from tests.support.builders import (
    ACCOUNT,
    a_certificate,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
)
from tests.support.decisions import OTHER_ACCOUNT, TODAY, line
from tests.support.review import (
    HEADS,
    UNUSED,
    Edit,
    column,
    edited,
    edited_book,
    entered,
    put,
    record_edited,
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


def lines_of(content: bytes) -> tuple[LedgerLine, ...]:
    (read,) = read_files([("r.xlsx", content)], TODAY)
    return read.lines


def words(content: bytes) -> dict[str, str]:
    """Return the decisions by user."""
    return {each.user: str(each.decision) for each in lines_of(content)}


def moved_rows(order: Callable[[list[list[Any]]], list[list[Any]]], last_column: int) -> Edit:
    """Return what puts the rows of a list in another order, up to a column."""

    def edit(book: Workbook) -> None:
        sheet = book[UNUSED]
        rows = [[cell.value for cell in row][:last_column] for row in sheet.iter_rows(min_row=2)]
        for at, values in enumerate(order(rows), start=2):
            for to, value in enumerate(values, start=1):
                put(sheet, at, to, value)

    return edit


def a_column_moved_to_the_end(book: Workbook) -> None:
    sheet = book[UNUSED]
    at, last = column(sheet, "Comment"), sheet.max_column + 1
    for row in range(1, sheet.max_row + 1):
        put(sheet, row, last, sheet.cell(row, at).value)
    sheet.delete_cols(at)


def a_copied_sheet(book: Workbook) -> None:
    book.copy_worksheet(book[UNUSED]).title = "Unused users (2)"


def without_column(head: str) -> Edit:
    return lambda book: book[UNUSED].delete_cols(column(book[UNUSED], head))


def a_filter(book: Workbook) -> None:
    book[UNUSED].auto_filter.add_filter_column(2, ["delete"])
    for row in range(3, 7):
        dimension = RowDimension(book[UNUSED], index=row, hidden=True)
        book[UNUSED].row_dimensions[row] = dimension


def folded_columns(book: Workbook) -> None:
    for letter in ("C", "D", "AC", "AD"):
        book[UNUSED].column_dimensions[letter].hidden = True


def in_rich_text(book: Workbook) -> None:
    bold = TextBlock(InlineFont(b=True), "ete")
    put(book[UNUSED], 2, 3, None)
    book[UNUSED]["C2"].value = CellRichText("del", bold)


def title(name: str, value: str) -> Edit:
    return lambda book: setattr(book[name], "title", value)


READ: dict[str, tuple[Edit, ...]] = {
    "rows sorted by decision, cells coloured, a note": (
        moved_rows(lambda rows: sorted(rows, key=lambda row: str(row[2] or "z")), 40),
        lambda book: setattr(book[UNUSED]["C3"], "fill", PatternFill("solid")),
        lambda book: setattr(book[UNUSED]["C3"], "comment", Comment("delete", "Anna")),
    ),
    "rows sorted the other way round, the sheet renamed, a sheet added": (
        moved_rows(lambda rows: rows[::-1], 40),
        title(UNUSED, "Mine"),
        lambda book: book.create_sheet("Notes").append(["Decision taken", "x"]),
    ),
    "rows and columns hidden, a name struck through, a formula beside the list": (
        a_filter,
        folded_columns,
        lambda book: setattr(book[UNUSED]["B3"], "font", Font(strike=True)),
        lambda book: book[UNUSED].cell(3, 60, "=A3"),
    ),
    "a sheet hidden, the sheets in another order, a sheet with one of the heads": (
        lambda book: setattr(book[UNUSED], "sheet_state", "veryHidden"),
        lambda book: book.move_sheet(UNUSED, -1),
        lambda book: book.create_sheet("Mine").append(["Ticket"]),
    ),
    "a sheet copied": (a_copied_sheet,),
    "the Summary renamed, a table like that of the checks below it": (
        lambda book: book[SUMMARY].append(["List", None, "when written"]),
        lambda book: book[SUMMARY].append([UNUSED, None, 99]),
        title(SUMMARY, "Overview"),
    ),
    "a sheet protected, days counted from 1904": (
        lambda book: book[UNUSED].protection.set_password("x"),
        lambda book: book[UNUSED].protection.enable(),
        lambda book: setattr(book, "epoch", CALENDAR_MAC_1904),
    ),
    "rows inserted above the heads": (lambda book: book[UNUSED].insert_rows(1, 3),),
    "an empty row in between, blanks below and beside the list and around a name": (
        lambda book: book[UNUSED].insert_rows(4),
        lambda book: put(book[UNUSED], 9, 12, " \n"),
        lambda book: put(book[UNUSED], 3, 40, " "),
        shown("bob", "Decided by", "\u00a0 "),
    ),
    "a column moved, a column of facts deleted": (
        a_column_moved_to_the_end,
        without_column("Age in days"),
    ),
    "a column added": (
        lambda book: book[UNUSED].insert_cols(3),
        lambda book: put(book[UNUSED], 1, 3, "Asked"),
        lambda book: put(book[UNUSED], 2, 3, "yes"),
    ),
    "merged cells above the heads": (
        lambda book: book[UNUSED].insert_rows(1),
        lambda book: book[UNUSED].merge_cells("A1:D1"),
    ),
    "a head on two lines, a word in rich text": (
        lambda book: put(book[UNUSED], 1, 3, "Decision\n"),
        in_rich_text,
    ),
}


@pytest.mark.parametrize("edits", READ.values(), ids=READ)
def test_what_people_do_besides_changes_no_decision(
    written: bytes, edits: tuple[Edit, ...]
) -> None:
    book = edited_book(written, entered("ann", DELETE), entered("dora", KEEP), *edits)
    lines = lines_of(saved(book))
    assert {each.user: str(each.decision) for each in lines} == BOTH
    for each in lines:
        assert each.decided_on == ON
        assert each.user_key.arn in [cell.value for cell in book[each.sheet][each.row]]


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
def test_an_entry_may_be_written_in_many_ways(collect: Collect) -> None:
    users = [f"={at}" for at in range(len(ENTERED))]
    edits = [entered(user, entry) for user, (entry, _) in zip(users, ENTERED.values(), strict=True)]
    content = edited(review_of(*map(a_user, users)), *edits)
    outcome = collect(r_xlsx=content)
    assert outcome.code == 0, outcome.said
    read = {each["user"]: tuple(each.values())[:5] for each in outcome.lines}
    expected = [cells for _, cells in ENTERED.values()]
    assert read == {f"'{user}": cells for user, cells in zip(users, expected, strict=True)}
    assert {each["arn"] for each in outcome.lines} == {
        f"arn:aws:iam::{ACCOUNT}:user/{user}" for user in users
    }
    assert collect(r_xlsx=content).lines == outcome.lines


def test_a_series_that_was_dragged_is_what_the_cells_show(written: bytes) -> None:
    users = ("ann", "bob", "dora", "=cmd", "cid")
    series = [
        entered(user, ("delete", "Anna", ON + timedelta(at), f"SEC-{101 + at}", None))
        for at, user in enumerate(users)
    ]
    shown_cells = [(each.ticket, each.decided_on) for each in lines_of(edited(written, *series))]
    assert shown_cells == [(f"SEC-{101 + at}", ON + timedelta(at)) for at in range(5)]


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


def records_swapped(book: Workbook) -> None:
    at = column(book[UNUSED], "Record")
    one, other = book[UNUSED].cell(2, at), book[UNUSED].cell(3, at)
    one.value, other.value = other.value, one.value


def ok_typed_over(book: Workbook) -> None:
    for cell in (cell for row in book[SUMMARY].iter_rows() for cell in row):
        if isinstance(cell.value, str) and '"OK"' in cell.value:
            cell.value = "OK"


def a_number_in_the_summary(book: Workbook) -> None:
    for row in book[SUMMARY].iter_rows():
        if row[0].value == UNUSED and row[2].value == 5 and not isinstance(row[3].value, str):
            row[2].value = 4


def formulas(user: str, head: str, *texts: str) -> Edit:
    """Return what enters formulas for a user, from a column on."""

    def edit(book: Workbook) -> None:
        row = row_of(book[UNUSED], user)
        for at, text in enumerate(texts, start=column(book[UNUSED], head)):
            book[UNUSED].cell(row, at).value = text

    return edit


def an_error(head: str, user: str) -> Edit:
    def edit(book: Workbook) -> None:
        entered(user, KEEP)(book)
        cell = book[UNUSED].cell(row_of(book[UNUSED], user), column(book[UNUSED], head))
        cell.value = "#REF!"
        assert cell.data_type == "e"

    return edit


def struck(head: str, user: str) -> Edit:
    def edit(book: Workbook) -> None:
        entered(user, DELETE)(book)
        cell = book[UNUSED].cell(row_of(book[UNUSED], user), column(book[UNUSED], head))
        cell.font = Font(strike=True)

    return edit


def struck_in_part(user: str) -> Edit:
    def edit(book: Workbook) -> None:
        entered(user, DELETE)(book)
        struck_text = TextBlock(InlineFont(strike=True), "delete")
        book[UNUSED].cell(row_of(book[UNUSED], user), 3).value = CellRichText(struck_text, " ")

    return edit


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


REFUSED_LISTS: dict[str, tuple[Edit, str]] = {
    "a block pasted beside the list": (pasted_aside(40), "it is beside the list"),
    "a remark beside the list": (
        lambda book: put(book[UNUSED], 2, 52, "ask Bob"),
        "cell AZ2: it is beside the list",
    ),
    "decisions merged": (merged("C2:C4"), "cells C2:C4: merged cells"),
    "heads merged": (merged("AY1:AZ1"), "cells AY1:AZ1: merged cells"),
    "cells merged from above the heads": (merged_over_heads, "cells AZ1:AZ3: merged cells"),
    "rows merged": (merged("A2:A3"), "cells A2:A3: merged cells"),
    "a column renamed in another case": (head(3, "decision"), "column Decision: the column is"),
    "a column without a head": (head(3, None), "column Decision: the column is gone"),
    "a copy of a column": (head(40, "Decision2"), "the column looks like a copy"),
    "a column of another reviewer": (head(40, "Decision of Tom"), "the column looks like a copy"),
    "a head twice": (head(8, "Decision"), "cell H1: the column is there twice"),
    "the heads deleted": (
        lambda book: book[UNUSED].delete_rows(1),
        "row 1, cell AD1: the heads of",
    ),
}
"""What spoils the form of a list."""

REFUSED: dict[str, tuple[Edit, str]] = {
    "columns A to H sorted alone": (moved_rows(lambda rows: rows[::-1], 8), "cell B2: the report"),
    "the names sorted alone": (moved_rows(lambda rows: rows[::-1], 2), "cell B2: the report gives"),
    "a block pasted a column aside": (pasted_aside(1), "cell C2: an entry without a decision"),
    "a block pasted over the facts": (pasted_aside(5), "cell H2: the report gives"),
    "a block pasted below the list": (pasted_below, "row 7, column Record, cell AD7: the record"),
    "a row copied over its neighbour": (copied_over_its_neighbour, "row 2 has the same user"),
    "a row doubled": (doubled, "row 3, column Record, cell AD3: row 2 has the same user"),
    "a row deleted": (lambda book: book[UNUSED].delete_rows(3), "has 4 users, and had 5 when"),
    "all rows deleted": (lambda book: book[UNUSED].delete_rows(2, 9), "has 0 users, and had 5"),
    "a row of another review": (of_another_review, "has 6 users, and had 5"),
    "the list again below the list": (a_second_list_below, "row 9, column Record, cell AD9: not"),
    "two columns of a list on a sheet": (
        lambda book: book.create_sheet("Mine").append(["Ticket", "Comment"]),
        "sheet Mine, row 1, column Decision",
    ),
    "the heads of a copy deleted": (
        headless_copy,
        "(2), row 1, cell AD1: the heads of this",
    ),
    "a record of an active user": (an_active_user_in_a_copy, "(2), row 2, column Record, cell AD2"),
    "a copy far below": (a_copy_far_below, "(2), row 63, column Decision, cell C63: not a"),
    "the Summary deleted": (lambda book: book.remove(book[SUMMARY]), "it has no Summary"),
    "a count of the Summary edited": (a_number_in_the_summary, "users, and had"),
    "a check typed over": (ok_typed_over, "the formula of this check was typed over ('OK')"),
    "records swapped": (records_swapped, "the report gives"),
    "half a character": (
        entered("bob", ("keep", "Anna", ON, None, "_xD83D_")),
        "the file is damaged",
    ),
}
"""What shows or decides in a row what belongs to another, or is done to the whole workbook."""


def test_a_list_whose_form_was_spoilt_is_refused_by_name(written: bytes) -> None:
    """Let each copy of a list have its own mistake: each is named, and no other sheet."""

    def on_copies(book: Workbook) -> None:
        for at, (edit, _) in enumerate(REFUSED_LISTS.values()):
            as_it_was = book[UNUSED]
            as_it_was.title = "As it was"
            book.copy_worksheet(as_it_was).title = UNUSED
            edit(book)
            book[UNUSED].title = f"Case {at}"
            as_it_was.title = UNUSED

    problems = problems_of(edited(written, entered("ann", DELETE), on_copies))
    sheets = [f"sheet Case {at}, " for at in range(len(REFUSED_LISTS))]
    for sheet, (name, (_, expected)) in zip(sheets, REFUSED_LISTS.items(), strict=True):
        of_sheet = [each for each in problems if sheet in each]
        assert any(expected in each for each in of_sheet), (name, of_sheet)
    assert all(any(sheet in each for sheet in sheets) for each in problems)


@pytest.mark.parametrize(("edit", "problem"), REFUSED.values(), ids=REFUSED)
def test_what_would_hit_the_wrong_user_or_lose_an_entry_is_refused_by_name(
    written: bytes, edit: Edit, problem: str
) -> None:
    problems = problems_of(edited(written, entered("ann", DELETE), edit))
    assert any(problem in each for each in problems), problems


NEEDED = ("Account", "User", *HEADS, "ARN", "Record")


def test_each_column_that_is_needed_and_gone_is_named(written: bytes) -> None:
    for names in (NEEDED[:-1], NEEDED[2:7], NEEDED[-1:]):
        problems = problems_of(edited(written, *map(without_column, names)))
        gone = [f"sheet {UNUSED}, row 1, column {name}: the column is gone" for name in names]
        assert [each.split("\n")[0] for each in problems] == [f"r.xlsx, {each}" for each in gone]


def problems_of(content: bytes, name: str = "r.xlsx") -> list[str]:
    with pytest.raises(InputRefused) as refused:
        read_files([(name, content)], TODAY)
    assert all(each.file.startswith(name) for each in refused.value.problems)
    return [str(each) for each in refused.value.problems]


def entry(*cells: Any) -> Callable[[str], Edit]:
    return lambda user: entered(user, cells)


def over(head: str, value: Any) -> Callable[[str], Edit]:
    """Return what types over one cell of the row of a user."""
    return lambda user: shown(user, head, value)


NO_WORD = "column Decision, cell C{row}: not a decision"
NO_DECISION = "column Decision, cell C{row}: an entry without a decision"
NO_DAY = "column Decided on, cell E{row}: not a date"
FORMULA = "column Decision, cell C{row}: a formula, whose result may change"
REFUSED_ROWS: dict[str, tuple[Callable[[str], Edit], str]] = {
    # what the report says
    "a name typed over": (over("User", "bob"), ', and the cell has "bob"'),
    "an account typed over": (over("Account", OTHER_ACCOUNT), f'gives "{ACCOUNT}"'),
    "an account turned into a number": (over("Account", 12345678901), f'"{ACCOUNT}"'),
    "a name turned into a formula": (
        lambda user: formulas(user, "User", user),
        "column User, cell B{row}: a formula, whose result may change",
    ),
    "the ARN of another": (
        over("ARN", f"arn:aws:iam::{ACCOUNT}:user/bob"),
        "column ARN, cell AC{row}: the report gives",
    ),
    "the creation typed over": (over("Created", 40000.5), "the report gives"),
    "the as-of typed over": (over("As of (UTC)", 50000.5), "the report gives"),
    "certain typed over check": (over("Certainty", "certain"), 'gives "check"'),
    "a caveat emptied": (over("Check first", None), ", and the cell is empty"),
    "a password typed in": (over("Password", "enabled"), 'gives "none"'),
    "an age typed over": (over("Age in days", 12), 'gives "1000"'),
    "a record emptied": (over("Record", None), "cell AD{row}: the record of this row is gone"),
    "a cell of the record edited": (
        lambda user: record_edited(user, '"mfa_active":"true"', '"mfa_active":"false"'),
        'gives "no',
    ),
    "a record that is none": (over("Record", "{}"), "cell AD{row}: not a record"),
    "a word over what is shown": (over("Certainty", "delete"), "cell I{row}: the report gives"),
    # words
    "another word": (entry("remove", "Anna", ON, None, None), f"{NO_WORD} ('remove')"),
    "a word cut off": (entry("delet", "Anna", ON, None, None), f"{NO_WORD} ('delet')"),
    "a word with an apostrophe": (entry("'delete", "Anna", ON, None, None), NO_WORD),
    "a word of another alphabet": (entry("k\u0435ep", "Anna", ON, None, "x"), NO_WORD),
    "a word with a control character": (entry("keep_x0007_", "A", ON, None, "x"), NO_WORD),
    "the word of the program": (entry("conflict", "Anna", ON, None, None), NO_WORD),
    "a word of logic": (entry(True, "Anna", ON, None, None), f"{NO_WORD} ('TRUE')"),  # noqa: FBT003  a cell
    "a word in the wrong column": (entry(None, None, None, "delete", None), NO_DECISION),
    "an entry without a decision": (entry(None, "Anna", ON, None, None), NO_DECISION),
    "a comment alone": (entry(None, None, None, None, "ask"), NO_DECISION),
    "no name": (entry("delete", None, ON, None, None), "Decided by, cell D{row}: the cell is"),
    "a keep without a reason": (entry("keep", "Anna", ON, None, " "), "G{row}: the cell is empty"),
    # days
    "no day": (entry("delete", "Anna", None, None, None), "cell E{row}: the cell is empty"),
    "a German day": (entry("delete", "Anna", "04.05.2026", None, None), NO_DAY),
    "a day without zeros": (entry("delete", "Anna", "2026-5-4", None, None), NO_DAY),
    "a day that is none": (entry("delete", "Anna", "2026-02-30", None, None), NO_DAY),
    "a day with a time": (entry("delete", "Anna", 46146.5, None, None), NO_DAY),
    "a day as a number alone": (entry(None, None, 20260504, None, None), NO_DECISION),
    "a day of digits": (entry("delete", "Anna", 20260504, None, None), f"{NO_DAY} ('20260504')"),
    "a year": (entry("delete", "Anna", 2026, None, None), "decided before the report"),
    "a day before the report": (
        entry("delete", "Anna", date(2026, 4, 29), None, None),
        "decided before the report",
    ),
    "a day in future": (
        entry("delete", "Anna", date(2999, 1, 1), None, None),
        "the day is after today",
    ),
    # formulas, errors, and what is struck through
    "a decision by a formula": (lambda user: formulas(user, "Decision", "=C2"), FORMULA),
    "a word in a formula": (lambda user: formulas(user, "Decision", '="delete"', "Anna"), FORMULA),
    "an entry by formulas": (
        lambda user: formulas(user, "Decision", *(f"={at}2" for at in "CDEFG")),
        FORMULA,
    ),
    **{
        f"an error as {name}": (partial(an_error, name), f"column {name}, cell {letter}{{row}}: ")
        for name, letter in zip(HEADS, "CDEFG", strict=True)
    },
    **{
        f"{name} struck through": (partial(struck, name), f"{{row}}: it is struck through{entry}")
        for name, entry in zip(
            (*HEADS[:3], "User"), (" ('delete')", " ('Anna')", "", " ('="), strict=True
        )
    },
    "a word struck through in the text": (struck_in_part, "cell C{row}: it is struck through"),
}


def test_a_row_that_shows_or_decides_what_nobody_may_is_refused_by_its_cell() -> None:
    """Let each row of one workbook have its own mistake: each is named, and no other row."""
    users = {f"={at}": each for at, each in enumerate(REFUSED_ROWS)}
    checked: dict[str, Any] = {"certificate_1": a_certificate()}
    edits = [REFUSED_ROWS[name][0](user) for user, name in users.items()]
    written = review_of(*(a_user(name, mfa=True, **checked) for name in (*users, "zoe")))
    sheet = edited_book(written)[UNUSED]
    problems = problems_of(edited(written, entered("zoe", DELETE), *edits))
    for user, name in users.items():
        row = row_of(sheet, user)
        of_row = [each for each in problems if f"r.xlsx, sheet {UNUSED}, row {row}," in each]
        expected = REFUSED_ROWS[name][1].format(row=row)
        assert any(expected in each for each in of_row), (name, expected, of_row)
    assert not [each for each in problems if f", row {row_of(sheet, 'zoe')}," in each]


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


WITH_MORE_SHEETS: dict[str, tuple[list[Edit], list[str]]] = {
    "a list deleted": ([lambda book: book.remove(book[INACTIVE])], ["has 0 users, and had 1 when"]),
    "a verdict typed over": ([shown("emil", "Verdict", "retired", INACTIVE)], ['gives "dormant"']),
    "entries among earlier decisions": (
        [
            on_follow_up(2, {"Decided": "keep"}),
            on_follow_up(3, {"User": "ann", "Decided": "delete", "Decided by": "Anna"}),
            on_follow_up(4, {"Comment": "keep ann"}),
        ],
        [
            "sheet Follow-up, row 2, column Decided, cell E2: not an earlier decision ('keep')",
            "sheet Follow-up, row 3, column Decided, cell E3: not an earlier decision ('delete')",
            "sheet Follow-up, row 4, column Decided, cell E4: not an earlier decision",
        ],
    ),
    "a column Decision on that sheet": (
        [a_column_on_the_follow_up],
        ["sheet Follow-up, row 1, column Record: the column is gone"],
    ),
}


@pytest.mark.parametrize(("edits", "expected"), WITH_MORE_SHEETS.values(), ids=WITH_MORE_SHEETS)
def test_what_is_entered_elsewhere_or_lost_with_a_sheet_is_refused_by_name(
    with_more_sheets: bytes, edits: list[Edit], expected: list[str]
) -> None:
    problems = problems_of(edited(with_more_sheets, entered("ann", DELETE), *edits))
    for each in expected:
        assert any(each in problem for problem in problems), (each, problems)


def test_a_sheet_that_explains_can_go_and_remarks_can_stand_on_another(
    with_more_sheets: bytes,
) -> None:
    remark = on_follow_up(4, {"User": "{ann} is in the list"})
    edits = entered("ann", DELETE), remark, lambda book: book.remove(book["Method"])
    assert words(edited(with_more_sheets, *edits)) == {"ann": "delete"}


def rewritten(content: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """Return a workbook with changed parts."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, part in parts(content).items():
            archive.writestr(name, change(name, part))
    return stream.getvalue()


def with_inline_entries(name: str, part: bytes) -> bytes:
    """Enter texts as our own writer and some services save them, in the cell itself."""
    if name != "xl/worksheets/sheet2.xml":
        return part
    for cell, text in zip(("C2", "D2", "E2"), ("delete", "Anna", f"{ON}"), strict=True):
        inline = f'<c r="{cell}" t="inlineStr"><is><t>{text}</t></is></c>'.encode()
        part, count = re.subn(rf'<c r="{cell}"[^>]*/>'.encode(), inline, part)
        assert count == 1
    return part


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("pattern", "replaced"),
    [
        (rb'<dimension ref="[^"]*"', b'<dimension ref="A1:B2"'),
        (rb'(<c r="[A-Z]+[0-9]+") s="[0-9]+"', rb"\1"),
    ],
    ids=["a dimension that is too small", "cells without styles"],
)
def test_how_a_program_saves_the_workbook_does_not_matter(
    written: bytes, pattern: bytes, replaced: bytes
) -> None:
    content = edited(written, entered("ann", DELETE), entered("dora", KEEP))
    saved_so = rewritten(content, lambda _, part: re.sub(pattern, replaced, part))
    assert words(saved_so) == BOTH


@pytest.mark.no_cover
def test_an_entry_in_the_cell_itself_is_read() -> None:
    assert words(rewritten(review_of(*USERS), with_inline_entries)) == {"ann": "delete"}


@needs_libreoffice
def test_a_workbook_that_libreoffice_saved_is_read(written: bytes, tmp_path: Path) -> None:
    content = edited(written, entered("ann", DELETE), entered("dora", KEEP))
    assert words(saved_by_libreoffice(tmp_path, content)) == BOTH


def by_pandas(content: bytes, *titles: str) -> bytes:
    """Return these sheets, all if none is named, as pandas reads and writes them."""
    frames = pd.read_excel(io.BytesIO(content), sheet_name=[*titles] or None)
    stream = io.BytesIO()
    with pd.ExcelWriter(stream) as writer:
        for title, frame in frames.items():
            frame.to_excel(writer, sheet_name=str(title), index=False)
    return stream.getvalue()


def as_ods(_: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    return stream.getvalue()


SHEET_END, MERGED = b"</sheetData>", b'<mergeCells><mergeCell ref="A:B"/></mergeCells>'
MERGED_COLUMNS = SHEET_END, SHEET_END + MERGED
OTHER_FILES: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "a list alone, saved by pandas": (
        "r.xlsx",
        lambda content: by_pandas(content, UNUSED),
        "no Summary",
    ),
    "all sheets, saved by pandas": (
        "r.xlsx",
        by_pandas,
        f'row 2, column Account, cell A2: the report gives "{ACCOUNT}"',
    ),
    "a CSV": (
        "r.csv",
        lambda content: (
            pd.read_excel(io.BytesIO(content), sheet_name=UNUSED).to_csv(index=False).encode()
        ),
        "missing: decided_by, decided_on",
    ),
    "a workbook with a password": ("r.xlsx", lambda _: b"\xd0\xcf\x11\xe0" + bytes(99), "encrypt"),
    "a workbook of Excel 97": ("r.xls", lambda _: b"\xd0\xcf\x11\xe0" + bytes(99), "(.xls)"),
    "a workbook of LibreOffice": ("r.ods", as_ods, "another kind of workbook"),
    "a workbook with merged columns": (
        "r.xlsx",
        lambda content: rewritten(content, lambda _, part: part.replace(*MERGED_COLUMNS)),
        "cells A:B: merged cells",
    ),
    "a workbook cut off": ("r.xlsx", lambda content: content[:-99], "the file is damaged"),
    "a file that is empty": ("r.xlsx", lambda _: b"", "not an Excel workbook"),
    "another workbook": ("r.xlsx", lambda _: saved(Workbook()), "it has no list with a column"),
}


@pytest.mark.parametrize(("name", "change", "problem"), OTHER_FILES.values(), ids=OTHER_FILES)
def test_what_is_not_the_workbook_as_a_whole_is_refused(
    written: bytes, name: str, change: Callable[[bytes], bytes], problem: str
) -> None:
    problems = problems_of(change(edited(written, entered("ann", DELETE))), name)
    assert any(problem in each for each in problems), problems


ANN_DELETED = entered("ann", DELETE)
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
    "a sheet copied after it was filled in": (
        [{"a": [ANN_DELETED, a_copied_sheet]}],
        [("ann", "delete")],
        0,
        "entered 2, added 1, already there 1",
    ),
    "two copies of a sheet in which one person decided differently on one day": (
        [{"a": [entered("ann", KEEP), in_copy(*DELETE)]}],
        [],
        3,
        "a.xlsx, sheet Unused users, row 2 has keep, Anna, 2026-05-04 ('delete",
    ),
    "two copies of a sheet that two people decided differently in": (
        [{"a": [ANN_DELETED, in_copy("keep", "Bea", ON, None, "x")]}],
        [],
        3,
        "a.xlsx, sheet Unused users, row 2 has delete",
    ),
    "an entry emptied": (
        [{"a": [ANN_DELETED]}, {"a": []}],
        [("ann", "delete")],
        0,
        f"emptied: arn:aws:iam::{ACCOUNT}:user/ann: delete, Anna, 2026-05-04, SEC-1, stays in",
    ),
    "one workbook of two with a mistake": (
        [{"a": [DORA_KEPT]}, {"a": [ANN_DELETED, DORA_KEPT], "b": [MISSPELT]}],
        [("dora", "keep")],
        3,
        f"b.xlsx, sheet {UNUSED}, row 3, column Decision, cell C3: not a decision",
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
