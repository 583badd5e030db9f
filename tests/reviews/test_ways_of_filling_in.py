"""Whatever people do with a workbook: what is entered is collected for its user, or refused.

A decision is then read for the user of the row in which it was entered, or the workbook is refused
with the name of the cell. No way may lead to neither.
"""

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, time
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.workbook import Workbook
from openpyxl.worksheet.dimensions import RowDimension
from openpyxl.worksheet.worksheet import Worksheet

from analyzer.cli import main
from analyzer.decisions.collect import LedgerUpdate
from analyzer.decisions.decision import LedgerLine
from analyzer.errors import InputRefused
from analyzer.reviews.entries import read_files
from tests.support.builders import ACCOUNT, a_certificate, a_key, a_user, days_before
from tests.support.decisions import OTHER_ACCOUNT, TODAY, analysis_of, collected, ledger_of, line
from tests.support.reading import put as saved_as
from tests.support.reading import zipped
from tests.support.review import (
    HEADS,
    UNUSED,
    USERS,
    Edit,
    Rows,
    column,
    edited,
    edited_book,
    entered,
    problems_of,
    put,
    record_edited,
    reorder,
    review,
    review_of,
    row_of,
    saved,
    shown,
    written,
)
from tests.support.workbooks import file_of, needs_libreoffice, parts, saved_by_libreoffice

INACTIVE, SUMMARY, COPY = "Inactive users", "Summary", "Unused users (2)"
ON = date(2026, 5, 4)
DELETE: tuple[Any, ...] = ("delete", "Anna", ON, "SEC-1", "left")
KEEP: tuple[Any, ...] = ("keep", "Anna", ON, None, "break-glass")
ANN_DELETED, ANNA_KEPT = entered("ann", DELETE), entered("anna", KEEP)
BOTH = {"ann": "delete", "anna": "keep"}


def lines_of(content: bytes) -> tuple[LedgerLine, ...]:
    (read,) = read_files([("r.xlsx", content)], TODAY)
    return read.lines


def words(content: bytes) -> dict[str, str]:
    """Return the decisions by user."""
    return {each.user: str(each.decision) for each in lines_of(content)}


def assert_named(content: bytes, *expected: str, name: str = "r.xlsx") -> None:
    """Hold that a workbook is refused with problems that say so."""
    problems = problems_of(content, name=name)
    assert [each for each in expected if not any(each in one for one in problems)] == [], problems


def steps(*edits: Edit) -> Edit:
    return lambda book: [edit(book) for edit in edits]


def in_list(edit: Callable[[Worksheet], object]) -> Edit:
    return lambda book: edit(book[UNUSED])


def moved_rows(order: Callable[[Rows], Rows], last_column: int) -> Edit:
    """Return what puts the rows of a list in another order, up to a column."""
    return in_list(lambda sheet: reorder(sheet, order, last_column))


def column_moved_to_the_end(sheet: Worksheet) -> None:
    at, last = column(sheet, "Comment"), sheet.max_column + 1
    for row in range(1, sheet.max_row + 1):
        put(sheet, row, last, sheet.cell(row, at).value)
    sheet.delete_cols(at)


def a_copied_sheet(book: Workbook) -> None:
    book.copy_worksheet(book[UNUSED]).title = COPY


def without_column(head: str) -> Edit:
    return in_list(lambda sheet: sheet.delete_cols(column(sheet, head)))


def rows_inserted(at: int, count: int = 1) -> Edit:
    return in_list(lambda sheet: sheet.insert_rows(at, count))


def merged(cells: str) -> Edit:
    return in_list(lambda sheet: sheet.merge_cells(cells))


def typed(row: int, at: int, value: Any) -> Edit:
    return lambda book: put(book[UNUSED], row, at, value)


def cell_with(name: str, attribute: str, value: Any) -> Edit:
    return lambda book: setattr(book[UNUSED][name], attribute, value)


def new_sheet(title: str, *cells: str) -> Edit:
    return lambda book: book.create_sheet(title).append(cells)


def hide_row(row: int, sheet: Worksheet) -> None:
    sheet.row_dimensions[row] = RowDimension(sheet, index=row, hidden=True)


def hide_rows_and_columns(sheet: Worksheet) -> None:
    sheet.auto_filter.add_filter_column(2, ["delete"])
    for row in range(3, 7):
        hide_row(row, sheet)
    for letter in ("C", "D", "AC", "AD"):
        sheet.column_dimensions[letter].hidden = True


READ: dict[str, tuple[Edit, ...]] = {
    "rows sorted, a cell coloured, a note, a sheet hidden, moved, copied, the Summary renamed": (
        moved_rows(lambda rows: sorted(rows, key=lambda row: str(row[2] or "z")), 40),
        cell_with("C3", "fill", PatternFill("solid")),
        cell_with("C3", "comment", Comment("delete", "Anna")),
        a_copied_sheet,
        in_list(lambda sheet: setattr(sheet, "sheet_state", "veryHidden")),
        lambda book: book.move_sheet(UNUSED, -1),
        new_sheet("Mine", "Ticket"),
        lambda book: book[SUMMARY].append(("List", None, "when written")),
        lambda book: book[SUMMARY].append((UNUSED, None, 99)),
        lambda book: setattr(book[SUMMARY], "title", "Overview"),
    ),
    "rows sorted the other way round, the sheet renamed, a sheet added": (
        moved_rows(lambda rows: rows[::-1], 40),
        in_list(lambda sheet: setattr(sheet, "title", "Mine")),
        new_sheet("Notes", "Decision taken", "x"),
    ),
    "rows and columns hidden, a name struck through, a formula beside, protected, from 1904": (
        in_list(hide_rows_and_columns),
        cell_with("B3", "font", Font(strike=True)),
        in_list(lambda sheet: sheet.cell(3, 60, "=A3")),
        in_list(lambda sheet: sheet.protection.set_password("x")),
        in_list(lambda sheet: sheet.protection.enable()),
        lambda book: setattr(book, "epoch", CALENDAR_MAC_1904),
    ),
    "a column moved, another deleted, one added, rows above the heads, merged cells there": (
        in_list(column_moved_to_the_end),
        without_column("Age in days"),
        in_list(lambda sheet: sheet.insert_cols(3)),
        typed(1, 3, "Asked"),
        typed(2, 3, "yes"),
        rows_inserted(1, 3),
        merged("A1:D1"),
    ),
    "an empty row, blanks below, beside and around a name, a head on two lines, rich text": (
        rows_inserted(4),
        typed(9, 12, " \n"),
        typed(3, 40, " "),
        shown("bob", "Decided by", "\u00a0 "),
        typed(1, 3, "Decision\n"),
        typed(2, 3, None),
        cell_with("C2", "value", CellRichText("del", TextBlock(InlineFont(b=True), "ete"))),
    ),
}


@pytest.mark.parametrize("edits", READ.values(), ids=READ)
def test_what_people_do_besides_changes_nothing(edits: tuple[Edit, ...]) -> None:
    book = edited_book(written(), ANN_DELETED, ANNA_KEPT, *edits)
    lines = lines_of(saved(book))
    assert {each.user: str(each.decision) for each in lines} == BOTH
    for each in lines:
        assert each.decided_on == ON
        assert each.user_key.arn in [cell.value for cell in book[each.sheet][each.row]]


DAY = "2026-05-04"
LONG = "because " * 625
BELL = "bell _x0007_, smile _xD83D__xDE00_"
ENTERED: tuple[tuple[tuple[Any, ...], tuple[str, ...]], ...] = (
    (("DELETE ", " Anna ", ON, 101, None), ("delete", "Anna", DAY, "101", "")),
    (("\u00a0Delete\u00a0", "Anna\u00a0", ON, None, None), ("delete", "Anna", DAY, "", "")),
    (("delete\n", "Anna\r\n", ON, None, "a\r\nb"), ("delete", "Anna", DAY, "", "a\nb")),
    (("Keep", "Anna", 46146.0, 1.5, "x"), ("keep", "Anna", DAY, "1.5", "x")),
    (("withdraw", "Anna", f" {DAY} ", None, None), ("withdraw", "Anna", DAY, "", "")),
    (("delete", "A", datetime.combine(ON, time()), None, None), ("delete", "A", DAY, "", "")),
    (("delete", "Anna", f"{DAY} 00:00:00", None, None), ("delete", "Anna", DAY, "", "")),
    (("delete", 7, ON, True, False), ("delete", "7", DAY, "TRUE", "FALSE")),
    (("delete", "Anna", ON, "=1", "'x"), ("delete", "Anna", DAY, "=1", "'x")),
    (("keep", "Anna", ON, None, LONG), ("keep", "Anna", DAY, "", LONG.strip())),
    (("keep", "A", ON, "_x0041_", BELL), ("keep", "A", DAY, "A", "bell \x07, smile \U0001f600")),
)


def test_an_entry_may_be_written_in_many_ways() -> None:
    users = [f"={at}" for at in range(len(ENTERED))]
    edits = [entered(user, entry) for user, (entry, _) in zip(users, ENTERED, strict=True)]
    lines = lines_of(edited(review_of(*map(a_user, users)), *edits))
    expected = [cells for _, cells in ENTERED]
    assert {
        each.user_key.arn.rpartition("/")[2]: (
            *(f"{each.decision}", each.decided_by, f"{each.decided_on}"),
            *(each.ticket, each.comment),
        )
        for each in lines
    } == dict(zip(users, expected, strict=True))


def pasted_aside(by: int) -> Edit:
    def edit(sheet: Worksheet) -> None:
        row, first = row_of(sheet, "ann"), column(sheet, "Decision")
        for at in range(len(DELETE)):
            put(sheet, row, first + at, None)
        for at, value in enumerate(DELETE):
            put(sheet, row, first + by + at, value)

    return in_list(edit)


def copied_rows(first: int, last: int, to: int) -> Edit:
    """Return what copies rows of the list over others."""

    def edit(sheet: Worksheet) -> None:
        for row in range(first, last + 1):
            for cell in sheet[row]:
                put(sheet, row + to - first, int(str(cell.column)), cell.value)

    return in_list(edit)


def of_another_review(row: int) -> Edit:
    """Return what pastes a row of another account's review into the list."""

    def edit(sheet: Worksheet) -> None:
        other = edited_book(review_of(a_user("zoe", account=OTHER_ACCOUNT)))[UNUSED]
        for head, value in zip(other[1], other[2], strict=True):
            put(sheet, row, column(sheet, str(head.value)), value.value)

    return in_list(edit)


def swap_records(sheet: Worksheet) -> None:
    one, other = (sheet.cell(row, column(sheet, "Record")) for row in (2, 3))
    one.value, other.value = other.value, one.value


def ok_typed_over(book: Workbook) -> None:
    for cell in (cell for row in book[SUMMARY].iter_rows() for cell in row):
        if isinstance(cell.value, str) and '"OK"' in cell.value:
            cell.value = "OK"


def count_of_the_summary(count: int | None) -> Edit:
    def edit(book: Workbook) -> None:
        (cell,) = (
            row[2]
            for row in book[SUMMARY].iter_rows()
            if row[0].value == UNUSED and row[2].value == 5 and not isinstance(row[3].value, str)
        )
        cell.value = count

    return edit


NEEDED = ("Account", "User", *HEADS, "ARN", "Record")
GONE = "row 1, column {}: the column is gone"

SPOILT_FORMS: dict[str, tuple[Edit, str]] = {
    "a block pasted beside the list": (pasted_aside(40), "it is beside the list"),
    "a remark beside the list": (typed(2, 52, "ask Bob"), "cell AZ2: it is beside the list"),
    "decisions merged": (merged("C2:C4"), "cells C2:C4: merged cells"),
    "heads merged": (merged("AY1:AZ1"), "cells AY1:AZ1: merged cells"),
    "merged with a row above": (
        steps(rows_inserted(1), merged("AZ1:AZ3")),
        "cells AZ1:AZ3: merged cells",
    ),
    "a column renamed in another case": (typed(1, 3, "decision"), GONE.format("Decision")),
    "a copy of a column": (typed(1, 40, "Decision2"), "the column looks like a copy"),
    "another reviewer's column": (typed(1, 40, "Decision of Tom"), "the column looks like a copy"),
    "a head twice": (typed(1, 8, "Decision"), "cell H1: the column is there twice"),
    "no heads": (in_list(lambda sheet: sheet.delete_rows(1)), "row 1, cell AD1: the heads of"),
    "the record gone": (without_column("Record"), GONE.format("Record")),
}
"""What spoils the form of a list."""

KEY = '"access_key_1_active":"{}","access_key_1_last_rotated":"{}"'
ACTIVE = KEY.format("true", days_before(1))

SPOILT_ROWS: dict[str, tuple[Edit, str]] = {
    "columns A to H sorted alone": (moved_rows(lambda rows: rows[::-1], 8), "cell B2: the report"),
    "the names sorted alone": (moved_rows(lambda rows: rows[::-1], 2), "cell B2: the report gives"),
    "a block a column aside": (pasted_aside(1), "cell C2: an entry without a decision"),
    "a block over the facts": (pasted_aside(5), "cell H2: the report gives"),
    "a block below the list": (
        steps(*(typed(7, at, value) for at, value in enumerate(DELETE, start=3))),
        "row 7, column Record, cell AD7: the record",
    ),
    "a row over its neighbour": (copied_rows(2, 2, to=3), "row 2 has the same user"),
    "a row doubled": (
        steps(rows_inserted(3), copied_rows(2, 2, to=3)),
        "row 3, column Record, cell AD3: row 2 has the same user",
    ),
    "the list again below": (copied_rows(1, 6, to=9), "row 9, column Record, cell AD9: not"),
    "the record of an active user": (
        record_edited("ann", KEY.format("false", "N/A"), ACTIVE),
        "row 2, column Record, cell AD2",
    ),
    "a list far below": (
        steps(rows_inserted(1, 60), typed(63, 3, "delet")),
        "row 63, column Decision, cell C63: not a",
    ),
    "records swapped": (in_list(swap_records), "the report gives"),
}
"""What shows or decides in a row what belongs to another."""


@pytest.mark.parametrize("spoilt", [SPOILT_FORMS, SPOILT_ROWS], ids=["forms", "rows"])
def test_spoilt_lists_are_refused_by_name(spoilt: dict[str, tuple[Edit, str]]) -> None:
    """Let each copy of a list have its own mistake: each is named, and no other sheet."""

    def on_copies(book: Workbook) -> None:
        for at, (edit, _) in enumerate(spoilt.values()):
            as_it_was = book[UNUSED]
            as_it_was.title = "As it was"
            book.copy_worksheet(as_it_was).title = UNUSED
            edit(book)
            book[UNUSED].title = f"Case {at}"
            as_it_was.title = UNUSED

    problems = problems_of(edited(written(), ANN_DELETED, on_copies))
    sheets = [f"sheet Case {at}, " for at in range(len(spoilt))]
    for sheet, (name, (_, expected)) in zip(sheets, spoilt.items(), strict=True):
        of_sheet = [each for each in problems if sheet in each]
        assert any(expected in each for each in of_sheet), (name, of_sheet)
    assert all(any(sheet in each for sheet in sheets) for each in problems)


def test_each_column_that_is_needed_and_gone_is_named() -> None:
    problems = problems_of(edited(written(), *map(without_column, NEEDED[:-1])))
    gone = [f"r.xlsx, sheet {UNUSED}, {GONE.format(name)}" for name in NEEDED[:-1]]
    assert [each.split("\n")[0] for each in problems] == gone


SPOILT_BOOKS: dict[str, tuple[Edit, str]] = {
    "a row deleted": (in_list(lambda sheet: sheet.delete_rows(3)), "has 4 users, and had 5 when"),
    "all rows deleted": (in_list(lambda sheet: sheet.delete_rows(2, 9)), "has 0 users, and had 5"),
    "a row of another review below": (of_another_review(7), "has 6 users, and had 5"),
    "a row of another review instead": (of_another_review(2), "AD2: the Summary does not name"),
    "two heads of a list on a sheet": (
        new_sheet("Mine", "Ticket", "Comment"),
        "sheet Mine, row 1, column Decision",
    ),
    "the Summary deleted": (lambda book: book.remove(book[SUMMARY]), "it has no Summary"),
    "a count edited": (count_of_the_summary(4), "Unused users has 5 users, and had 4"),
    "a count emptied": (count_of_the_summary(None), "the Summary has no count"),
    "a check typed over": (ok_typed_over, "the formula of this check was typed over ('OK')"),
}
"""What is done to the whole workbook."""


@pytest.mark.parametrize(("edit", "problem"), SPOILT_BOOKS.values(), ids=SPOILT_BOOKS)
def test_a_workbook_with_parts_lost_or_foreign_is_refused(edit: Edit, problem: str) -> None:
    assert_named(edited(written(), ANN_DELETED, edit), problem)


def entry(
    word: Any = "delete", by: Any = "Anna", on: Any = ON, ticket: Any = None, comment: Any = None
) -> Callable[[str], Edit]:
    return lambda user: entered(user, (word, by, on, ticket, comment))


def over(head: str, value: Any) -> Callable[[str], Edit]:
    """Return what types over one cell of the row of a user."""
    return lambda user: shown(user, head, value)


def of_cell(head: str, attribute: str, value: Any, *entry: Any) -> Callable[[str], Edit]:
    """Return what enters five cells of a user, and sets something of one in the row."""

    def edit(user: str, book: Workbook) -> None:
        if entry:
            entered(user, entry)(book)
        cell = book[UNUSED].cell(row_of(book[UNUSED], user), column(book[UNUSED], head))
        setattr(cell, attribute, value)

    return lambda user: partial(edit, user)


STRIKE = Font(strike=True)
PART = CellRichText(TextBlock(InlineFont(strike=True), "delete"), " ")
UNFIT = "cell C{row}: not a decision"
MISSING = "cell C{row}: an entry without a decision"
NO_DAY = "cell E{row}: not a date"
FORMULA = "cell {}{{row}}: a formula, whose result may change"
STRUCK = "{{row}}: it is struck through{}"
REFUSED_ROWS: dict[str, tuple[Callable[[str], Edit], str]] = {
    # what the report says
    "a name typed over": (over("User", "bob"), ', and the cell has "bob"'),
    "an account turned into a number": (over("Account", 12345678901), f'"{ACCOUNT}"'),
    "a name turned into a formula": (of_cell("User", "value", "=1"), FORMULA.format("B")),
    "the ARN of another": (
        over("ARN", f"arn:aws:iam::{ACCOUNT}:user/bob"),
        "column ARN, cell AC{row}: the report gives",
    ),
    "the creation typed over": (over("Created", 40000.5), "the report gives"),
    "a caveat emptied": (over("Check first", None), ", and the cell is empty"),
    "an age typed over": (over("Age in days", 12), 'gives "1000"'),
    "a record emptied": (over("Record", None), "cell AD{row}: the record of this row is gone"),
    "a cell of the record edited": (
        lambda user: record_edited(user, '"mfa_active":"true"', '"mfa_active":"false"'),
        'gives "no',
    ),
    "a record that is none": (over("Record", "{}"), "cell AD{row}: not a record"),
    "a word over what is shown": (over("Certainty", "delete"), "cell I{row}: the report gives"),
    # words
    "another word": (entry("remove"), f"{UNFIT} ('remove')"),
    "a word with a control character": (entry("keep_x0007_", comment="x"), UNFIT),
    "a word of logic": (entry(word=True), f"{UNFIT} ('TRUE')"),
    "a word in the wrong column": (entry(None, None, None, "delete"), MISSING),
    "an entry without a decision": (entry(None), MISSING),
    "no name": (entry(by=None), "Decided by, cell D{row}: the cell is"),
    "a keep without a reason": (entry("keep", comment=" "), "G{row}: the cell is empty"),
    # days
    "no day": (entry(on=None), "cell E{row}: the cell is empty"),
    "a day that is none": (entry(on="2026-02-30"), NO_DAY),
    "a day with a time": (entry(on=46146.5), NO_DAY),
    "a day of digits": (entry(on=20260504), f"{NO_DAY} ('20260504')"),
    "a year": (entry(on=2026), "decided before the report"),
    "a day before the report": (entry(on=date(2026, 4, 29)), "decided before the report"),
    "a day in future": (entry(on=date(2999, 1, 1)), "the day is after today"),
    # formulas, errors, and what is struck through
    "a word in a formula": (of_cell("Decision", "value", '="delete"'), FORMULA.format("C")),
    "a comment by a formula": (of_cell("Comment", "value", "=A2"), FORMULA.format("G")),
    **{
        f"an error as {name}": (
            of_cell(name, "value", "#REF!", *KEEP),
            f"column {name}, cell {letter}{{row}}: ",
        )
        for name, letter in zip(HEADS, "CDEFG", strict=True)
    },
    "a word struck through": (
        of_cell("Decision", "font", STRIKE, *DELETE),
        STRUCK.format(" ('delete')"),
    ),
    "a user struck through": (of_cell("User", "font", STRIKE, *DELETE), STRUCK.format(" ('=")),
    "a word struck through in part": (
        of_cell("Decision", "value", PART, *DELETE),
        "cell C{row}: it is struck through",
    ),
}


def test_a_row_that_shows_or_decides_what_nobody_may_is_refused_by_its_cell() -> None:
    """Let each row of one workbook have its own mistake: each is named, and no other row."""
    users = {f"={at}": each for at, each in enumerate(REFUSED_ROWS)}
    checked: dict[str, Any] = {"certificate_1": a_certificate()}
    edits = [REFUSED_ROWS[name][0](user) for user, name in users.items()]
    book = review_of(*(a_user(name, mfa=True, **checked) for name in (*users, "zoe")))
    sheet = edited_book(book)[UNUSED]
    problems = problems_of(edited(book, entered("zoe", DELETE), *edits))
    for user, name in users.items():
        row = row_of(sheet, user)
        of_row = [each for each in problems if f"r.xlsx, sheet {UNUSED}, row {row}," in each]
        expected = REFUSED_ROWS[name][1].format(row=row)
        assert any(expected in each for each in of_row), (name, expected, of_row)
    assert not [each for each in problems if f", row {row_of(sheet, 'zoe')}," in each]


DECIDED = line("delete", USERS[1])


@pytest.fixture(scope="module")
def with_more_sheets() -> bytes:
    """Return the workbook of a review with two lists, after a decision on another user."""
    emil = a_user("emil", key_1=a_key(days_before(500)), created=days_before(500))
    return review_of(USERS[0], emil, decided=DECIDED)


def on_follow_up(row: int, words: Mapping[str, str | None]) -> Edit:
    def edit(book: Workbook) -> None:
        for head, word in words.items():
            put(book["Follow-up"], row, column(book["Follow-up"], head), word)

    return edit


FOLLOW_UP = "sheet Follow-up, row {0}, column Decided, cell E{0}: not an earlier decision{1}"
WITH_MORE_SHEETS: dict[str, tuple[list[Edit], list[str]]] = {
    "a list deleted": ([lambda book: book.remove(book[INACTIVE])], ["has 0 users, and had 1 when"]),
    "a verdict typed over": ([shown("emil", "Verdict", "retired", INACTIVE)], ['gives "dormant"']),
    "entries among earlier decisions": (
        [
            on_follow_up(2, {"Decided": "keep"}),
            on_follow_up(3, {"User": "ann", "Decided": "delete", "Decided by": "Anna"}),
            on_follow_up(4, {"Comment": "keep ann"}),
        ],
        [*map(FOLLOW_UP.format, (2, 3, 4), (" ('keep')", " ('delete')", ""))],
    ),
    "a column Decision on that sheet": (
        [lambda book: put(book["Follow-up"], 1, 60, "Decision")],
        ["sheet Follow-up, row 1, column Record: the column is gone"],
    ),
}


@pytest.mark.parametrize(("edits", "expected"), WITH_MORE_SHEETS.values(), ids=WITH_MORE_SHEETS)
def test_what_is_entered_elsewhere_or_lost_with_a_sheet_is_refused_by_name(
    with_more_sheets: bytes, edits: list[Edit], expected: list[str]
) -> None:
    assert_named(edited(with_more_sheets, ANN_DELETED, *edits), *expected)


def test_explanations_can_go_and_remarks_can_stand_elsewhere(with_more_sheets: bytes) -> None:
    remark = on_follow_up(4, {"User": "{ann} is in the list"})
    edits = ANN_DELETED, remark, lambda book: book.remove(book["Method"])
    assert words(edited(with_more_sheets, *edits)) == {"ann": "delete"}


def rewritten(content: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """Return a workbook with changed parts."""
    return zipped({name: change(name, part) for name, part in parts(content).items()})


def with_inline_entries(name: str, part: bytes) -> bytes:
    """Enter texts as our own writer and some services save them, in the cell itself."""
    if name != "xl/worksheets/sheet2.xml":
        return part
    for cell, text in zip(("C2", "D2", "E2"), ("delete", "Anna", f"{ON}"), strict=True):
        inline = f'<c r="{cell}" t="inlineStr"><is><t>{text}</t></is></c>'.encode()
        part, count = re.subn(rf'<c r="{cell}"[^>]*/>'.encode(), inline, part)
        assert count == 1
    return part


def without_dimension_and_styles(_: str, part: bytes) -> bytes:
    part = re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:B2"', part)
    return re.sub(rb'(<c r="[A-Z]+[0-9]+") s="[0-9]+"', rb"\1", part)


@pytest.mark.no_cover
def test_how_a_program_saves_the_workbook_does_not_matter() -> None:
    content = edited(written(), ANN_DELETED, ANNA_KEPT)
    assert words(rewritten(content, without_dimension_and_styles)) == BOTH
    assert words(rewritten(review(), with_inline_entries)) == {"ann": "delete"}


@needs_libreoffice
def test_a_workbook_that_libreoffice_saved_is_read(tmp_path: Path) -> None:
    content = edited(written(), ANN_DELETED, ANNA_KEPT)
    assert words(saved_by_libreoffice(tmp_path, content)) == BOTH


def by_pandas(content: bytes, *titles: str) -> bytes:
    """Return these sheets, all if none is named, as pandas reads and writes them."""
    frames = pd.read_excel(io.BytesIO(content), sheet_name=[*titles] or None)
    stream = io.BytesIO()
    with pd.ExcelWriter(stream) as writer:
        for title, frame in frames.items():
            frame.to_excel(writer, sheet_name=str(title), index=False)
    return stream.getvalue()


def as_csv(content: bytes) -> bytes:
    return pd.read_excel(io.BytesIO(content), sheet_name=UNUSED).to_csv(index=False).encode()


def with_merged_columns(_: str, part: bytes) -> bytes:
    end, merged = b"</sheetData>", b'<mergeCells><mergeCell ref="A:B"/></mergeCells>'
    return part.replace(end, end + merged)


OTHER_FILES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "list.xlsx": (lambda content: by_pandas(content, UNUSED), "no Summary"),
    "sheets.xlsx": (by_pandas, f'row 2, column Account, cell A2: the report gives "{ACCOUNT}"'),
    "list.csv": (as_csv, "a sheet of a workbook, saved as CSV"),
    "merged.xlsx": (lambda content: rewritten(content, with_merged_columns), "cells A:B: merged"),
    "of-1997.xls": (lambda _: b"\xd0\xcf\x11\xe0" + bytes(99), "(.xls)"),
    "empty.xlsx": (lambda _: b"", "not an Excel workbook"),
    "another.xlsx": (lambda _: saved(Workbook()), "it has no list with a column"),
}


@pytest.mark.parametrize("name", OTHER_FILES)
def test_what_is_not_the_workbook_as_a_whole_is_refused(name: str) -> None:
    change, problem = OTHER_FILES[name]
    assert_named(change(edited(written(), ANN_DELETED)), problem, name=name)


def collected_from(*edits: Edit) -> LedgerUpdate:
    return collected(*read_files([("a.xlsx", edited(written(), *edits))], TODAY))


def in_copy(*entry: Any) -> Edit:
    def edit(book: Workbook) -> None:
        a_copied_sheet(book)
        entered("ann", entry, COPY)(book)

    return edit


def test_a_sheet_copied_after_it_was_filled_in_adds_its_entries_once() -> None:
    update = collected_from(ANN_DELETED, a_copied_sheet)
    (file,) = update.files
    (tally,) = file.tallies
    assert (tally.entered, tally.added, tally.already_there) == (2, 1, 1)
    assert [each.user for each in update.added] == ["ann"]


@pytest.mark.parametrize("other", [DELETE, ("delete", "Bea", ON, None, "x")], ids=["same", "other"])
def test_two_copies_of_a_sheet_with_different_decisions_are_refused_whoever_decided(
    other: tuple[Any, ...],
) -> None:
    place = f"a.xlsx, sheet {UNUSED}, row 2 has keep, Anna, 2026-05-04"
    with pytest.raises(InputRefused, match=place):
        collected_from(entered("ann", KEEP), in_copy(*other))


def test_a_mistake_in_one_of_two_workbooks_and_an_emptied_one_leave_the_ledger_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    misspelt = entered("bob", ("delet", "Anna", ON, None, None))
    edits = (ANNA_KEPT,), (ANN_DELETED, ANNA_KEPT), (misspelt,)
    one, more, wrong = (
        str(saved_as(tmp_path, edited(written(), *of), f"{at}.xlsx")) for at, of in enumerate(edits)
    )
    ledger = tmp_path / "decisions.csv"
    assert main(["collect", one, "-o", str(ledger)]) == 0
    before = ledger.read_bytes()
    assert main(["collect", more, wrong, "-o", str(ledger)]) == 3
    place = f"2.xlsx, sheet {UNUSED}, row 3, column Decision, cell C3: not a decision"
    assert place in capsys.readouterr().err
    saved_as(tmp_path, written(), "0.xlsx")
    assert main(["collect", one, "-o", str(ledger)]) == 0
    of_anna = f"emptied: arn:aws:iam::{ACCOUNT}:user/anna: keep, Anna, 2026-05-04 (0.xlsx"
    assert of_anna in "".join(capsys.readouterr())
    assert ledger.read_bytes() == before


def test_a_decision_corrected_on_the_follow_up_is_refused_by_what_the_ledger_has(
    with_more_sheets: bytes,
) -> None:
    comment = {"Comment": "NO, keep"}
    for words_of_row, known, refused in (
        ({"User": "bob"}, DECIDED, False),
        (comment, DECIDED, True),
        ({"Decided": "deactivate"}, DECIDED, True),
        ({"Decided on": "2026-05-04", "SHA-256": None}, DECIDED, True),
        (comment, replace(DECIDED, sha256="b" * 64), False),
        ({"User": "ann"}, DECIDED, True),
    ):
        content = edited(with_more_sheets, ANN_DELETED, on_follow_up(2, words_of_row))
        files = read_files([("r.xlsx", content)], TODAY)
        if refused:
            with pytest.raises(InputRefused, match="row 2, column Decided, cell E2: the ledger"):
                collected(*files, ledger=ledger_of(known))
        else:
            notes = collected(*files, ledger=ledger_of(known)).notes
            assert (known is DECIDED) == (not notes), notes


def test_hidden_entries_and_notes_on_entries_are_named_with_their_cells() -> None:
    note = cell_with("C2", "comment", Comment("NO, keep", "Bob"))
    plain = cell_with("B2", "comment", Comment("left", "Bob"))
    hidden_sheet = in_list(lambda sheet: setattr(sheet, "sheet_state", "hidden"))
    row = row_of(edited_book(written())[UNUSED], "ann")
    hidden_row = in_list(partial(hide_row, row))
    place = f"r.xlsx, sheet {UNUSED}: "
    for edits, expected in (
        ((hidden_row, plain), [f"1 decision in hidden rows, {place}row {row}."]),
        ((hidden_sheet,), [f"2 decisions in a hidden sheet, {place}rows "]),
        ((note,), [f"Notes on entries are not read, {place}cell C2."]),
        ((plain,), []),
    ):
        files = read_files([("r.xlsx", edited(written(), ANN_DELETED, ANNA_KEPT, *edits))], TODAY)
        update = collected(*files)
        assert len(update.notes) == len(expected), update.notes
        assert all(map(str.startswith, update.notes, expected)), update.notes
        assert not collected(*files, ledger=update.ledger, attended=False).notes


def test_an_exemption_added_in_the_workbook_is_refused_by_its_cell() -> None:
    book = file_of(analysis_of(*USERS, ledger=ledger_of(line("keep", USERS[1]))))
    assert words(edited(book, ANN_DELETED)) == {"ann": "delete"}
    added = edited(book, ANN_DELETED, lambda book: put(book["Exemption list"], 3, 4, "payroll"))
    assert_named(added, "Exemption list, row 3, column Reason, cell D3: an exemption that is not")
