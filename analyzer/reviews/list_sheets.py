"""Find the lists of a workbook and the record of its review, even if people changed its sheets.

Lists are found by their heads, so that sheets may be renamed and copied, and columns moved and
added. Entries elsewhere are refused and named.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple

from analyzer import columns
from analyzer.decisions.entries import day_without_time
from analyzer.decisions.record import ReviewRecord, UserRecord, digest_of_rows
from analyzer.decisions.review_list_layout import (
    ACCOUNT,
    ARN,
    BLOCK_HEADS,
    DECIDED,
    DECIDED_ON,
    DECISION,
    EARLIER_DECISION,
    ENTERED_IN,
    ENTRY_HEADS,
    FOLLOWED_UP,
    REASON,
    RECORD,
    REVIEW,
    STATE,
    USER,
)
from analyzer.errors import InputRefused, Problem
from analyzer.files import may_be_workbook
from analyzer.reviews.xlsx_reader import CellValue, SheetCells, cell_name, read_sheets, text_of
from analyzer.terms import count_text, with_noun

_LONGEST: Final = 256  # characters of a head

NEEDED: Final = (ACCOUNT, *BLOCK_HEADS, ARN, RECORD)
"""Columns without which a list is refused."""

_LIKE_ENTRY: Final = re.compile(
    rf"({'|'.join(ENTRY_HEADS)})[\s\d().]*|(.*\W)?{DECISION}(\W.*)?", re.IGNORECASE
)

START_AGAIN_HINT: Final = "Start from the file as credreport wrote it, and enter it there."
_FORMULA_HINT: Final = "Copy the cell, and paste it as a value."
_UNDO_HINT: Final = "Undo the change, and enter the decision in the list that has the user."
_STRUCK_HINT: Final = "Empty the entry, or enter it again."


@dataclass(frozen=True, slots=True)
class ListSheet:
    """Hold the cells of a list, the row of its heads, and the column of each head, from 0."""

    file: str
    cells: SheetCells
    head_row: int
    column_of: Mapping[str, int]

    @property
    def place(self) -> str:
        """Return the file and the sheet, as problems name them."""
        return f"{self.file}, sheet {self.cells.title}"

    @property
    def rows(self) -> list[int]:
        """Return the rows below the heads that have a value."""
        return [row for row in self.cells.rows if row > self.head_row]

    def value(self, head: str, row: int) -> CellValue:
        """Return the cell under a head in a row."""
        return self.cells.value(row, self.column_of[head])

    def cell_name(self, head: str, row: int) -> str:
        """Return the name of the cell under a head, such as `C5`."""
        return cell_name(row, self.column_of[head])

    def entry(self, head: str, row: int) -> str:
        """Return an entry as text; a date as YYYY-MM-DD, without a time of day."""
        value = self.value(head, row)
        if head != DECIDED_ON:
            return text_of(value).strip()
        moment = self.cells.moment_text(value) if isinstance(value, float) else ""
        return day_without_time((moment or text_of(value)).strip())

    def problem(self, head: str, row: int, message: str, hint: str) -> Problem:
        """Return a problem of the cell under a head in a row."""
        value = self.entry(head, row) if head == DECIDED_ON else text_of(self.value(head, row))
        cell = f"{head}, cell {self.cell_name(head, row)}"
        return Problem(self.place, row, cell, value or None, message, hint)

    def cell_problems(self) -> Iterator[Problem]:
        """Yield a problem for each entry or user that is a formula, or is struck through.

        In a row without an entry, a user may be struck through.
        """
        struck = {
            (row, column)
            for row, column in self.cells.struck
            if any(self.entry(head, row) for head in ENTRY_HEADS)
        }
        heads = {self.column_of[head]: head for head in NEEDED}
        for cells, message, hint in (
            (self.cells.formulas, "a formula, whose result may change", _FORMULA_HINT),
            (struck, "it is struck through", _STRUCK_HINT),
        ):
            for row, column in sorted(cells):
                if row > self.head_row and column in heads:
                    yield self.problem(heads[column], row, message, hint)

    def entry_notes(self, entered: Sequence[int]) -> Iterator[str]:
        """Yield notes on hidden entries, which their person may have missed, and on unread notes.

        `entered` are the rows with an entry.
        """
        hidden = [row for row in entered if self.cells.is_hidden or row in self.cells.hidden]
        if hidden:
            where = "a hidden sheet" if self.cells.is_hidden else "hidden rows"
            rows = with_noun("row", [*map(str, hidden)])
            yield f"{count_text(len(hidden), 'decision')} in {where}, {self.place}: {rows}."
        rows_below = self.rows if self.cells.noted else ()
        every = (self.cell_name(head, row) for row in rows_below for head in ENTRY_HEADS)
        if noted := [name for name in every if name in self.cells.noted]:
            yield f"Notes on entries are not read, {self.place}: {with_noun('cell', noted)}."


class ListRow(NamedTuple):
    """Hold a row of a list: its number, the record of its user, and the entries by `ENTRIES`."""

    sheet: ListSheet
    number: int
    record: UserRecord
    entered: Mapping[str, str]

    def problem(self, head: str, message: str, hint: str) -> Problem:
        """Return a problem of the cell under a head, or of the record if there is no such column.

        The cells of records are too long to name; the user is named instead.
        """
        here = head if head in self.sheet.column_of else RECORD
        problem = self.sheet.problem(here, self.number, message, hint)
        return replace(problem, value=self.record.user[columns.ARN]) if here == RECORD else problem


def lists_and_review(name: str, content: bytes) -> tuple[list[ListSheet], ReviewRecord]:
    """Return the lists of a workbook, and the record of its review; raises InputRefused."""
    sheets = _sheets(name, content)
    texts = [*map(_review_text, sheets)]
    reviews = {review.digest: review for review in map(ReviewRecord.read, texts) if review}
    lists: list[ListSheet] = []
    problems: list[Problem] = []
    follow_ups: list[tuple[str, str]] = []
    for sheet, review_text in zip(sheets, texts, strict=True):
        place, heads = f"{name}, sheet {sheet.title}", _head_row(sheet)
        if heads and _are_of_list(heads[1].values()):
            column_of = {head: column for column, head in heads[1].items()}
            lists.append(ListSheet(name, sheet, heads[0], column_of))
            wrong = [*_head_problems(place, *heads)]
            problems += wrong or _stray_problems(lists[-1])
        elif not heads:
            problems += _added_exemption_problems(place, sheet)
        elif not review_text:
            problems += _other_heading_problems(place, *heads)
            follow_ups.append((place, digest_of_rows(_followed_up(sheet, *heads))))
    if not lists:
        hint = "Name a workbook that credreport wrote, with its lists of users."
        raise InputRefused.of_file(name, "it has no list with a column Decision", hint)
    if len(reviews) != 1:
        message = "the record of the review, hidden below its Summary, is gone or was changed"
        raise InputRefused.of_file(name, message, START_AGAIN_HINT)
    ((_, review),) = reviews.items()
    problems = problems or [
        Problem.of_file(place, "earlier decisions were changed here, and are not read", _UNDO_HINT)
        for place, digest in follow_ups
        if digest != review.follow_up
    ]
    if problems:
        raise InputRefused(problems)
    return lists, review


def _sheets(name: str, content: bytes) -> list[SheetCells]:
    return read_sheets(name, content, (*ENTRY_HEADS, RECORD, DECIDED, STATE), REVIEW)


def _review_text(sheet: SheetCells) -> str:
    """Return the text of the record of the review on a sheet, empty if it has none."""
    texts = (text_of(value) for cells in sheet.rows.values() for value in cells.values())
    return "".join(text.removeprefix(REVIEW) for text in texts if text.startswith(REVIEW))


def _head_row(sheet: SheetCells) -> tuple[int, dict[int, str]] | None:
    """Return the first row with a head of a list, and its heads by column."""
    for row, cells in sheet.rows.items():
        texts = ((column, text_of(value)) for column, value in cells.items())
        named = ((column, " ".join(text.split())) for column, text in texts if len(text) < _LONGEST)
        heads = {column: head for column, head in named if head}
        words = {*heads.values()}
        if _are_of_list(words) or not words.isdisjoint({DECISION, DECIDED}):
            return row, heads
    return None


def _are_of_list(heads: Iterable[str]) -> bool:
    """Return whether heads are those of a list, perhaps without one; a follow-up shares some."""
    words = {*heads}
    is_alike = len(words & {*ENTRY_HEADS}) > 1 and ENTERED_IN not in words
    return is_alike or RECORD in words


def _head_problems(place: str, row: int, heads: Mapping[int, str]) -> Iterator[Problem]:
    """Yield a problem for each needed head that is gone, there twice or copied."""
    counts = Counter(heads.values())
    cells = {head: f"{head}, cell {cell_name(row, column)}" for column, head in heads.items()}
    for head in NEEDED:
        if not counts[head]:
            yield Problem(place, row, head, None, "the column is gone", START_AGAIN_HINT)
        elif counts[head] > 1:
            hint = "Remove the one you added."
            yield Problem(place, row, cells[head], None, "the column is there twice", hint)
    for head in sorted(counts.keys() - {*ENTRY_HEADS, EARLIER_DECISION}):
        if _LIKE_ENTRY.fullmatch(head):
            message = "it could be mistaken for a column to decide in"
            yield Problem(place, row, cells[head], None, message, "Rename it.")


def _other_heading_problems(place: str, row: int, heads: Mapping[int, str]) -> Iterator[Problem]:
    """Yield a problem for a sheet that is no list, and no follow-up, with a heading of one."""
    names = (DECISION,) if ENTERED_IN in heads.values() else (DECISION, DECIDED)
    for column, head in heads.items():
        if head in names:
            message = f'it has a heading "{head}", and is no list of users'
            yield Problem(place, row, f"cell {cell_name(row, column)}", None, message, "Rename it.")


def _followed_up(
    sheet: SheetCells, head_row: int, heads: Mapping[int, str]
) -> Iterator[tuple[str, ...]]:
    """Yield what a follow-up shows of what was entered before."""
    column_of = {head: column for column, head in heads.items()}
    for row, cells in sheet.rows.items():
        if row > head_row:
            texts = (text_of(cells.get(column_of.get(head, -1))) for head in FOLLOWED_UP)
            yield tuple(text.removesuffix("T00:00:00Z") for text in texts)


def _stray_problems(sheet: ListSheet) -> Iterator[Problem]:
    """Yield a problem for merged cells, and for values beside the columns of a list."""
    for cells in sheet.cells.merged:
        rows = [*map(int, re.findall(r"\d{1,7}", cells))] or [sheet.head_row]
        if max(rows) >= sheet.head_row:
            hint = "Split them, and enter each decision in its own row."
            yield Problem(sheet.place, rows[0], f"cells {cells}", None, "merged cells", hint)
    known = {*sheet.column_of.values()}
    beside: set[int] = set()
    for row in sheet.rows:
        for column in sheet.cells.rows[row].keys() - known - beside:
            if text := text_of(sheet.cells.value(row, column)).strip():
                beside.add(column)
                cell = f"cell {cell_name(row, column)}"
                hint = "Move it into its column, or give this column a head."
                yield Problem(sheet.place, row, cell, text, "it is beside the list", hint)


def _added_exemption_problems(place: str, sheet: SheetCells) -> Iterator[Problem]:
    """Yield a problem for each row of an exemption list that the program did not write."""
    column_of: dict[str, int] = {}
    for row, cells in sheet.rows.items():
        texts = {text_of(value).strip(): column for column, value in cells.items()}
        if column_of:
            user, reason, state = (text_of(cells.get(at)).strip() for at in column_of.values())
            if (user or reason) and not state:
                cell = f"{REASON}, cell {cell_name(row, column_of[REASON])}"
                hint = "Add it to the file of exemptions, or enter keep in the list of the user."
                message = "an exemption that is not read here"
                yield Problem(place, row, cell, reason or None, message, hint)
        elif {USER, REASON, STATE} <= texts.keys():
            column_of = {head: texts[head] for head in (USER, REASON, STATE)}


def holds_entries(path: Path) -> bool:
    """Return whether a file is a workbook, of any name, that has entries or cannot be read."""
    if not may_be_workbook(path):
        return False
    try:
        return any(map(_has_entry, _sheets(path.name, path.read_bytes())))
    except InputRefused:
        return True


def _has_entry(sheet: SheetCells) -> bool:
    """Return whether a sheet is a list in which anything is entered."""
    heads = _head_row(sheet)
    if heads is None or not _are_of_list(heads[1].values()):
        return False
    row, head_of = heads
    entries = {column for column, head in head_of.items() if head in ENTRY_HEADS}
    return any(at > row for at, _ in sheet.formulas) or any(
        text_of(cells.get(column)).strip()
        for at, cells in sheet.rows.items()
        if at > row
        for column in entries
    )
