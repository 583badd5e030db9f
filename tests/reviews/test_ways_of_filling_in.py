"""Whatever people do with a workbook: what is entered is collected for its user, or refused.

A decision is then read for the user of the row in which it was entered, or the workbook is refused
with the name of the cell. No way may lead to neither.
"""

import io
import re
from collections.abc import Callable
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
from analyzer.decisions.decision import LedgerLine
from tests.support.builders import AS_OF, a_user, days_before, report_text
from tests.support.decisions import collected, console_name, in_accounts, line
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
    read_back,
    reorder,
    review,
    review_of,
    row_of,
    saved,
    shown,
    written,
)
from tests.support.workbooks import (
    file_of,
    head_row,
    needs_libreoffice,
    opened,
    parts,
    saved_by_libreoffice,
)

SUMMARY, COPY = "Summary", "Unused users (2)"
ON, DAY = date(2026, 5, 4), "2026-05-04"
DELETE: tuple[Any, ...] = ("delete", "Anna", ON, "SEC-1", "left")
KEEP: tuple[Any, ...] = ("keep", "Anna", ON, None, "break-glass")
ANN_DELETED, ANNA_KEPT = entered("ann", DELETE), entered("anna", KEEP)
BOTH = {"ann": "delete", "anna": "keep"}


def lines_of(content: bytes) -> tuple[LedgerLine, ...]:
    return read_back(content).lines


def words(content: bytes) -> dict[str, str]:
    """Return the decisions by user."""
    return {each.user: str(each.decision) for each in lines_of(content)}


def assert_named(content: bytes, *expected: str, name: str = "r.xlsx") -> None:
    """Hold that a workbook is refused with problems that say so."""
    problems = problems_of(content, name=name)
    assert [each for each in expected if not any(each in one for one in problems)] == [], problems


def in_list(edit: Callable[[Worksheet], object]) -> Edit:
    return lambda book: edit(book[UNUSED])


def in_order(order: Callable[[Rows], Rows], last: int = 99, first: int = 1) -> Edit:
    """Return what puts rows of a list in another order, in columns from the first to the last."""
    return in_list(lambda sheet: reorder(sheet, order, last, first))


def backwards(rows: Rows) -> Rows:
    return rows[::-1]


def column_moved_to_the_end(sheet: Worksheet) -> None:
    at, last = column(sheet, "Comment"), sheet.max_column + 1
    for row in range(1, sheet.max_row + 1):
        put(sheet, row, last, sheet.cell(row, at).value)
    sheet.delete_cols(at)


def a_copied_sheet(book: Workbook) -> None:
    book.copy_worksheet(book[UNUSED]).title = COPY


def without_column(head: str) -> Edit:
    return in_list(lambda sheet: sheet.delete_cols(column(sheet, head)))


def typed(row: int, at: int, value: Any) -> Edit:
    return lambda book: put(book[UNUSED], row, at, value)


def cell_with(name: str, attribute: str, value: Any) -> Edit:
    return lambda book: setattr(book[UNUSED][name], attribute, value)


def new_sheet(title: str, *cells: str) -> Edit:
    return lambda book: book.create_sheet(title).append(cells)


def with_rows(title: str, *rows: tuple[str | None, ...]) -> Edit:
    def edit(book: Workbook) -> None:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)

    return edit


def hide_row(row: int, sheet: Worksheet, **how: Any) -> None:
    how = how or {"hidden": True}
    sheet.row_dimensions[row] = RowDimension(sheet, index=row, **how)


def hide_rows_and_columns(sheet: Worksheet) -> None:
    sheet.auto_filter.add_filter_column(2, ["delete"])
    for row in range(3, 7):
        hide_row(row, sheet)
    for letter in ("A", "B", "U"):
        sheet.column_dimensions[letter].hidden = True


READ: dict[str, tuple[Edit, ...]] = {
    "rows sorted, a cell coloured, a note, a sheet hidden, moved, copied, the Summary renamed": (
        in_order(lambda rows: sorted(rows, key=lambda row: str(row[1] or "z"))),
        cell_with("A3", "fill", PatternFill("solid")),
        cell_with("A3", "comment", Comment("delete", "Anna")),
        a_copied_sheet,
        in_list(lambda sheet: setattr(sheet, "sheet_state", "veryHidden")),
        lambda book: book.move_sheet(UNUSED, -1),
        new_sheet("Mine", "Ticket"),
        lambda book: book.copy_worksheet(book[SUMMARY]),
        lambda book: setattr(book[SUMMARY], "title", "Overview"),
    ),
    "rows sorted the other way round, the sheet renamed, a sheet and a chart added": (
        in_order(backwards),
        in_list(lambda sheet: setattr(sheet, "title", "Mine")),
        new_sheet("Notes", "Decision taken", "x"),
        lambda book: book.create_chartsheet("Chart"),
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
        in_list(lambda sheet: sheet.insert_rows(1, 3)),
        in_list(lambda sheet: sheet.merge_cells("A1:D1")),
    ),
    "an empty row, blanks below, beside and around a name, a head on two lines, rich text": (
        in_list(lambda sheet: sheet.insert_rows(4)),
        typed(9, 12, " \n"),
        typed(3, 40, " "),
        shown("bob", "Decided by", "\u00a0 "),
        typed(1, 1, "Decision\n"),
        typed(2, 1, None),
        cell_with("A2", "value", CellRichText("del", TextBlock(InlineFont(b=True), "ete"))),
    ),
}


@pytest.mark.parametrize("edits", READ.values(), ids=READ)
def test_what_people_do_besides_changes_nothing(edits: tuple[Edit, ...]) -> None:
    book = edited_book(written(), ANN_DELETED, ANNA_KEPT, *edits)
    lines = lines_of(saved(book))
    assert {each.user: str(each.decision) for each in lines} == BOTH
    for each in lines:
        assert each.decided_on == ON
        sheet = book[each.read_from.file.partition(", sheet ")[2]]
        assert each.arn in [cell.value for cell in sheet[each.row]]


LONG = "because " * 625
BELL = "bell _x0007_, smile _xD83D__xDE00_"
ENTERED: tuple[tuple[tuple[Any, ...], tuple[str, ...]], ...] = (
    (("DELETE ", " Anna ", ON, 101, None), ("delete", "Anna", DAY, "101", "")),
    (("\u00a0Delete\u00a0", "Anna\u00a0", ON, None, None), ("delete", "Anna", DAY, "", "")),
    (("delete\n", "Anna\r\n", ON, None, "a\r\nb"), ("delete", "Anna", DAY, "", "a b")),
    (("Keep", "Anna", 46146.0, 1.5, "x"), ("keep", "Anna", DAY, "1.5", "x")),
    (("Investigate", "Anna", f" {DAY} ", None, None), ("investigate", "Anna", DAY, "", "")),
    (("delete", "A", datetime.combine(ON, time()), None, None), ("delete", "A", DAY, "", "")),
    (("delete", "Anna", f"{DAY} 00:00:00", None, None), ("delete", "Anna", DAY, "", "")),
    (("delete", "Anna", f"{DAY} 09:15", None, None), ("delete", "Anna", DAY, "", "")),
    (("delete", "Anna", 46146.5, None, None), ("delete", "Anna", DAY, "", "")),
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
        each.user: (
            f"{each.decision}",
            each.decided_by,
            f"{each.decided_on}",
            each.ticket,
            each.comment,
        )
        for each in lines
    } == dict(zip(users, expected, strict=True))


def entry(
    word: Any = "delete", by: Any = "Anna", on: Any = ON, ticket: Any = None, comment: Any = None
) -> Callable[[str], Edit]:
    return lambda user: entered(user, (word, by, on, ticket, comment))


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
UNFIT, NO_DAY = "cell A{row}: not a decision", "cell D{row}: not a date"
FORMULA = "cell {}{{row}}: a formula, whose result may change"
STRUCK = "{{row}}: it is struck through{}"
REFUSED_ROWS: dict[str, tuple[Callable[[str], Edit], str]] = (
    {
        "another word": (entry("remove"), f"{UNFIT} ('remove')"),
        "a word with a control character": (entry("keep_x0007_", comment="x"), UNFIT),
        "a word of logic": (entry(word=True), f"{UNFIT} ('TRUE')"),
        "a word in the wrong column": (
            entry(None, ticket="delete"),
            "cell A{row}: an entry without",
        ),
        "no name": (entry(by=None), "Decided by, cell C{row}: the cell is empty"),
        "the name of the program": (entry(by="Credreport"), "C{row}: the name of the program"),
        "a keep without a reason": (entry("keep", comment=" "), "F{row}: the cell is empty"),
        "no day": (entry(on=None), "cell D{row}: the cell is empty"),
        "a day that is none": (entry(on="2026-02-30"), NO_DAY),
        "a day of digits": (entry(on=20260504), "cell D{row}: it holds an error"),
        "a year": (entry(on=2026), "decided before the report"),
        "a day before the report": (entry(on=date(2026, 4, 29)), "decided before the report"),
        "a day in future": (entry(on=date(2999, 1, 1)), "the day is after today"),
        "a time of day alone": (entry(on=time(9, 30)), NO_DAY),
        "a name turned into a formula": (of_cell("User", "value", "=1"), FORMULA.format("B")),
        "a word in a formula": (of_cell("Decision", "value", '="delete"'), FORMULA.format("A")),
        "a comment by a formula": (of_cell("Comment", "value", "=A2"), FORMULA.format("F")),
    }
    | {
        f"an error as {name}": (
            of_cell(name, "value", "#REF!", *KEEP),
            f"column {name}, cell {letter}{{row}}: it holds an error ('#REF!')",
        )
        for name, letter in zip(HEADS, "ACDEF", strict=True)
    }
    | {
        "a word struck through": (
            of_cell("Decision", "font", STRIKE, *DELETE),
            STRUCK.format(" ('delete')"),
        ),
        "a user struck through": (of_cell("User", "font", STRIKE, *DELETE), STRUCK.format(" ('=")),
        "a word struck through in part": (
            of_cell("Decision", "value", PART, *DELETE),
            "cell A{row}: it is struck through",
        ),
    }
)


def test_an_entry_that_is_not_valid_is_refused_by_its_cell() -> None:
    """Let each row of one workbook have its own mistake: each is named, and no other row."""
    users = {f"={at}": each for at, each in enumerate(REFUSED_ROWS)}
    edits = [REFUSED_ROWS[name][0](user) for user, name in users.items()]
    book = review_of(*map(a_user, (*users, "zoe")))
    sheet = edited_book(book)[UNUSED]
    problems = problems_of(edited(book, entered("zoe", DELETE), *edits))
    for user, name in users.items():
        row = row_of(sheet, user)
        of_row = [each for each in problems if f"r.xlsx, sheet {UNUSED}, row {row}," in each]
        expected = REFUSED_ROWS[name][1].format(row=row)
        assert any(expected in each for each in of_row), (name, expected, of_row)
    assert not [each for each in problems if f", row {row_of(sheet, 'zoe')}," in each]


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (in_order(backwards, 6, 1), "rows 2-3, 5-6: columns A-F were sorted without the others"),
        (in_order(backwards, 2, 2), "rows 2-3, 5-6: columns A-F were sorted without the others"),
        (in_order(backwards, 7), "rows 2-3, 5-6: columns A-G were sorted without the others"),
        (in_order(backwards, 29, 7), "rows 2-3, 5-6: columns A-F were sorted without the others"),
    ],
    ids=["block", "names", "left half", "right half"],
)
def test_columns_sorted_without_the_others_are_one_problem(edit: Edit, problem: str) -> None:
    (refused,) = problems_of(edited(written(), ANN_DELETED, edit))
    assert refused.startswith(f"r.xlsx, sheet {UNUSED}, {problem}\n    Undo the sort")


def block_copied_down(sheet: Worksheet) -> None:
    for row in (3, 4, 5):
        for at in range(1, 7):
            put(sheet, row, at, sheet.cell(2, at).value)


def test_a_block_that_was_copied_down_over_names_is_one_problem_with_the_right_names() -> None:
    (refused,) = problems_of(edited(written(), ANN_DELETED, in_list(block_copied_down)))
    problem = "rows 3-5, column User: the names of other users, copied with their entries"
    assert refused.startswith(f"r.xlsx, sheet {UNUSED}, {problem}")
    assert refused.endswith("names of these rows: row 3 bob, row 4 cid, row 5 anna.")


def test_users_of_several_accounts_are_named_with_the_account_in_the_block() -> None:
    users = [[a_user("deploy", created=days_before(900))]] * 2
    content = file_of(in_accounts(days_before(0), *(((), users_of) for users_of in users)))
    deleted = [typed(2, at, value) for at, value in zip((1, 4, 5), DELETE, strict=False)]
    assert set(words(edited(content, *deleted))) == {"deploy"}
    (refused,) = problems_of(edited(content, *deleted, in_order(backwards, 7, 1)))
    assert "rows 2-3: column B was sorted without the others" in refused


NEEDED = ("Decision", "User", *HEADS[1:], "ARN")
GONE = "row 1, column {}: the column is gone"


def pasted_aside(by: int) -> Edit:
    """Return what enters a decision so many columns beside the yellow cells."""

    def edit(sheet: Worksheet) -> None:
        for at, value in enumerate(("delete", "ann") + DELETE[1:], start=1 + by):
            put(sheet, row_of(sheet, "ann"), at, value)

    return in_list(edit)


SPOILT: dict[str, tuple[Edit, str]] = {
    "a block pasted beside the list": (pasted_aside(40), "it is beside the list"),
    "a remark beside the list": (typed(2, 52, "ask Bob"), "cell AZ2: it is beside the list"),
    "a block over the facts": (pasted_aside(6), "cell G2: "),
    "a block below the list": (
        in_list(lambda sheet: put(sheet, sheet.max_row + 1, column(sheet, "Decision"), "Keep")),
        ": an entry, but no user\n    Clear row ",
    ),
    "decisions merged": (
        in_list(lambda sheet: sheet.merge_cells("B2:B4")),
        "cells B2:B4: merged cells",
    ),
    "a column renamed in another case": (typed(1, 1, "decision"), GONE.format("Decision")),
    "a copy of a column": (typed(1, 40, "Decision2"), "cell AN1: it could be mistaken for"),
    "a head twice": (typed(1, 7, "Decision"), "cell G1: the column is there twice"),
    "no heads": (in_list(lambda sheet: sheet.delete_rows(1)), "it has no list with a column"),
    "a list of one's own": (
        with_rows("Mine", ("User", "Decision", "ARN"), ("ann", "keep", "arn:aws:iam::1:user/ann")),
        'Mine, row 1: it has a heading "Decision" and ARNs, and is no list of users',
    ),
}


@pytest.mark.parametrize(("edit", "problem"), SPOILT.values(), ids=SPOILT)
def test_what_is_entered_elsewhere_is_refused_by_name(edit: Edit, problem: str) -> None:
    assert_named(edited(written(), ANN_DELETED, edit), problem)


def test_decisions_on_an_added_sheet_are_named_and_never_read() -> None:
    named = "Not read, r.xlsx: added sheet Mine."
    decided = [named, "Decisions that are not read, r.xlsx: sheet Mine."]
    notes: dict[tuple[str, str | None], list[str]] = {
        ("delete", None): [named],
        ("ann", "keep"): decided,
        ("ann", "Stop!"): decided,
        ("ann", "=A1"): decided,
    }
    for row, expected in notes.items():
        added = with_rows("Mine", ("User", "Decision"), row)
        file = read_back(edited(written(), ANN_DELETED, added))
        assert ([each.user for each in file.lines], list(file.notes)) == (["ann"], expected)


def test_each_column_that_is_needed_and_gone_is_named() -> None:
    for names in (*((name,) for name in NEEDED), NEEDED[1:4]):
        problems = problems_of(edited(written(), *map(without_column, names)))
        gone = [f"r.xlsx, sheet {UNUSED}, {GONE.format(name)}" for name in names]
        assert [each.split("\n")[0] for each in problems] == gone


def test_explanations_can_go_and_remarks_can_stand_elsewhere() -> None:
    book = review_of(*USERS, decided=line("delete", USERS[1]))
    remark = partial(put, row=4, at=2, value="{ann} is in the list")
    edits = (
        ANN_DELETED,
        lambda book: remark(book["Follow-up"]),
        lambda book: book.remove(book["Method"]),
    )
    assert words(edited(book, *edits)) == {"ann": "delete"}


def rewritten(content: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """Return a workbook with changed parts."""
    return zipped({name: change(name, part) for name, part in parts(content).items()})


def with_inline_entries(name: str, part: bytes) -> bytes:
    """Enter texts as our own writer and some services save them, in the cell itself."""
    if name != "xl/worksheets/sheet2.xml":
        return part
    row = head_row(opened(review())[UNUSED]) + 1
    for letter, text in zip("ACD", ("delete", "Anna", f"{ON}"), strict=True):
        cell = f"{letter}{row}"
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
    content = edited(review(), ANN_DELETED, ANNA_KEPT)
    assert words(saved_by_libreoffice(tmp_path, content)) == BOTH


def by_pandas(content: bytes, *titles: str) -> bytes:
    """Return these sheets, all if none is named, as pandas reads and writes them."""
    frames = pd.read_excel(io.BytesIO(content), sheet_name=list(titles) or None)
    stream = io.BytesIO()
    with pd.ExcelWriter(stream) as writer:
        for title, frame in frames.items():
            frame.to_excel(writer, sheet_name=str(title), index=False)
    return stream.getvalue()


def as_csv(content: bytes) -> bytes:
    return pd.read_excel(io.BytesIO(content), sheet_name=UNUSED).to_csv(index=False).encode()


OTHER_FILES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "list.xlsx": (lambda content: by_pandas(content, UNUSED), "the hidden cell of its Summary"),
    "sheets.xlsx": (by_pandas, "row 6, column User, cell B6: a formula, whose result may change"),
    "list.csv": (as_csv, "a sheet of a workbook, saved as CSV"),
    "of-1997.xls": (lambda _: b"\xd0\xcf\x11\xe0" + bytes(99), "(.xls)"),
    "empty.xlsx": (lambda _: b"", "not an Excel workbook"),
    "another.xlsx": (lambda _: saved(Workbook()), "it has no list with a column"),
}


@pytest.mark.parametrize("name", OTHER_FILES)
def test_what_is_not_the_workbook_as_a_whole_is_refused(name: str) -> None:
    change, problem = OTHER_FILES[name]
    assert_named(change(edited(written(), ANN_DELETED)), problem, name=name)


def test_a_sheet_copied_after_it_was_filled_in_adds_its_entries_once() -> None:
    content = edited(written(), ANN_DELETED, a_copied_sheet)
    update = collected(read_back(content))
    assert [each.user for each in update.added] == ["ann"]
    other = entered("ann", KEEP, COPY)
    update = collected(read_back(edited(content, other)))
    assert [str(each.decision) for each in update.added] == ["delete", "keep"]


def test_a_mistake_in_one_of_two_workbooks_leaves_the_ledger_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    misspelt = entered("bob", ("delet", "Anna", ON, None, None))
    edits = (ANNA_KEPT,), (ANN_DELETED, ANNA_KEPT), (misspelt,)
    one, more, wrong = (
        str(saved_as(tmp_path, edited(written(), *of), f"{at}.xlsx")) for at, of in enumerate(edits)
    )
    report = saved_as(tmp_path, report_text(USERS).encode(), console_name(AS_OF))
    ledger = tmp_path / "decisions.csv"
    options = ["--report", str(report), "-o", str(ledger)]
    assert main(["collect", one] + options) == 0
    before = ledger.read_bytes()
    assert main(["collect", more, wrong] + options) == 3
    place = f"2.xlsx, sheet {UNUSED}, row 3, column Decision, cell A3: not a decision"
    assert place in capsys.readouterr().err
    assert ledger.read_bytes() == before


def test_hidden_entries_and_notes_on_entries_are_named_with_their_cells() -> None:
    note = cell_with("A2", "comment", Comment("NO, keep", "Bob"))
    plain = cell_with("B2", "comment", Comment("left", "Bob"))
    hidden_sheet = in_list(lambda sheet: setattr(sheet, "sheet_state", "hidden"))
    row = row_of(edited_book(written())[UNUSED], "ann")
    hidden_row = in_list(partial(hide_row, row))
    low_row = in_list(partial(hide_row, row, ht=0.1))
    narrow = in_list(lambda sheet: setattr(sheet.column_dimensions["B"], "width", 0.1))
    place = f"r.xlsx, sheet {UNUSED}: "
    for edits, expected in (
        ((hidden_row, plain), [f"1 decision in hidden rows, {place}row {row}."]),
        ((low_row, narrow), [f"Hidden, {place}column B (User)", "1 decision in hidden rows, "]),
        ((hidden_sheet,), [f"2 decisions in a hidden sheet, {place}rows "]),
        ((note,), [f"Notes on entries are not read, {place}cell A2."]),
        ((plain,), []),
    ):
        file = read_back(edited(written(), ANN_DELETED, ANNA_KEPT, *edits))
        assert len(file.notes) == len(expected), file.notes
        assert all(map(str.startswith, file.notes, expected)), file.notes
