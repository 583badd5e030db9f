"""Find the lists of a workbook and the counts of its Summary, even if people changed its sheets.

Lists are found by their heads, so that sheets may be renamed and copied, and columns moved and
added. Entries elsewhere are refused and named.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from analyzer.decisions.review_list_layout import (
    ACCOUNT,
    ARN,
    DECIDED_ON,
    DECISION,
    DIFFERS,
    EARLIER_DECISION,
    ENTERED_IN,
    ENTRY_HEADS,
    LIST,
    OK,
    REASON,
    RECORD,
    STATE,
    USER,
    WHEN_WRITTEN,
)
from analyzer.decisions.user_record import parsed_record
from analyzer.errors import InputRefused, Problem
from analyzer.files import begins_as_workbook, may_be_workbook
from analyzer.reviews.xlsx_reader import (
    CellValue,
    SheetCells,
    cell_name,
    moment_text,
    read_sheets,
    text_of,
)
from analyzer.terms import count_text, with_noun
from analyzer.writers.workbook.review_lists import REVIEW_LISTS
from analyzer.writers.workbook.summary_sheet import TITLE

NEEDED: Final = (ACCOUNT, USER, *ENTRY_HEADS, ARN, RECORD)
"""Columns without which a list is refused."""

_LIKE_ENTRY: Final = re.compile(
    rf"({'|'.join(ENTRY_HEADS)})[\s\d().]*|(.*\W)?{DECISION}(\W.*)?", re.IGNORECASE
)

SAVED_COPY_HINT: Final = "Enter the decisions again in the workbook as credreport wrote it."
_FORMULA_ENTRY_HINT: Final = "Copy the cell, and paste it as a value."
_STRUCK_HINT: Final = "Empty the entry, or enter it again; a decision that was collected: withdraw."


@dataclass(frozen=True, slots=True)
class ListSheet:
    """Hold the cells of a list, the row of its heads, and the column of each head, from 0.

    `noted` are the names of cells with a note.
    """

    file: str
    title: str
    is_hidden: bool
    cells: SheetCells
    noted: Collection[str]
    head_row: int
    column_of: Mapping[str, int]
    counts_from_1904: bool

    @property
    def place(self) -> str:
        """Return the file and the sheet, as problems name them."""
        return f"{self.file}, sheet {self.title}"

    def value(self, head: str, at: int) -> CellValue:
        """Return the cell under a head in the row at a position."""
        cells = self.cells.columns.get(self.column_of[head])
        return cells[at] if cells else None

    def cell_name(self, head: str, row: int) -> str:
        """Return the name of the cell under a head, such as `C5`."""
        return cell_name(row, self.column_of[head])

    def entry(self, head: str, at: int) -> str:
        """Return an entry as text; a date as YYYY-MM-DD."""
        value = self.value(head, at)
        if head == DECIDED_ON and isinstance(value, float):
            return self.moment_text(value).removesuffix("T00:00:00Z") or text_of(value)
        text = text_of(value).strip()
        return text.removesuffix(" 00:00:00") if head == DECIDED_ON else text

    def problem(self, head: str, at: int, message: str, hint: str) -> Problem:
        """Return a problem of the cell under a head in the row at a position."""
        row = self.cells.row_numbers[at]
        cell = f"{head}, cell {self.cell_name(head, row)}"
        value = self.entry(head, at) if head == DECIDED_ON else text_of(self.value(head, at))
        return Problem(self.place, row, cell, value or None, message, hint)

    def cell_problems(self) -> Iterator[Problem]:
        """Yield a problem for each entry or user that is a formula, or is struck through.

        In a row without an entry, a user may be struck through.
        """
        entered = [self.column_of[head] for head in ENTRY_HEADS]
        struck = {
            (row, column)
            for row, column in self.cells.struck
            if any(text_of(self.cells.value(row, column)).strip() for column in entered)
        }
        heads = {self.column_of[head]: head for head in NEEDED}
        for cells, message, hint in (
            (self.cells.formulas, "a formula, whose result may change", _FORMULA_ENTRY_HINT),
            (struck, "it is struck through", _STRUCK_HINT),
        ):
            for row, column in sorted(cells):
                if row > self.head_row and column in heads:
                    cell = f"{heads[column]}, cell {cell_name(row, column)}"
                    text = text_of(self.cells.value(row, column)) or None
                    yield Problem(self.place, row, cell, text, message, hint)

    def entry_notes(self, entered: Sequence[int]) -> Iterator[str]:
        """Yield notes on hidden entries, which their person may have missed, and on unread notes.

        `entered` are the rows with an entry.
        """
        hidden = [row for row in entered if self.is_hidden or row in self.cells.hidden]
        if hidden:
            where = "a hidden sheet" if self.is_hidden else "hidden rows"
            rows = with_noun("row", [*map(str, hidden)])
            yield f"{count_text(len(hidden), 'decision')} in {where}, {self.place}: {rows}."
        rows_below = self.cells.row_numbers if self.noted else ()
        every = (self.cell_name(head, row) for row in rows_below for head in ENTRY_HEADS)
        if noted := [name for name in every if name in self.noted]:
            yield f"Notes on entries are not read, {self.place}: {with_noun('cell', noted)}."

    def moment_text(self, serial: float) -> str:
        """Return the moment that a number means in this workbook, empty if it means none."""
        return moment_text(serial, counts_from_1904=self.counts_from_1904)


class Summary(NamedTuple):
    """Hold the Summary: its place, the number of users of each list with its cell, all texts."""

    place: str
    counts: Mapping[str, tuple[int, str]]
    texts: frozenset[str]

    def changed_count_problems(self, listed: Mapping[str, int]) -> Iterator[Problem]:
        """Yield a problem for each list whose number of users changed since it was written."""
        for title in (str(review_list.title) for review_list in REVIEW_LISTS):
            count, cell = self.counts.get(title, (None, ""))
            if count is None:
                message = f"the Summary has no count of {title}"
                yield Problem.of_file(self.place, message, _FORMULA_HINT)
            elif listed.get(title, 0) != count:
                users = count_text(listed.get(title, 0), "user")
                message = f"{title} has {users}, and had {count:,} when it was written"
                yield Problem(self.place, None, f"cell {cell}", None, message, _ROWS_HINT)


def lists_and_summary(name: str, content: bytes) -> tuple[list[ListSheet], Summary]:
    """Return the lists of a workbook, and its Summary; raises InputRefused."""
    sheets, counts_from_1904 = read_sheets(name, content)
    lists: list[ListSheet] = []
    summary: Summary | None = None
    problems: list[Problem] = []
    for sheet in sheets:
        top = sheet
        place = f"{name}, sheet {sheet.title}"
        heads = _head_row(top, _are_of_list)
        try:
            if heads:
                _check_heads(place, *heads)
                lists.append(_list_sheet(name, sheet, heads, counts_from_1904=counts_from_1904))
                problems += _stray_problems(lists[-1])
            elif any(TITLE in map(text_of, values) for values in top.columns.values()):
                summary = _summary(place, sheet, summary)
            else:
                problems += _lost_list_problems(place, top)
                if heads := _head_row(top, {USER, REASON, STATE}.issubset):
                    problems += _added_exemption_problems(
                        _list_sheet(name, sheet, heads, counts_from_1904=counts_from_1904)
                    )
        except InputRefused as error:
            problems += error.problems
    if problems:
        raise InputRefused(problems)
    if not lists:
        hint = "Name a workbook that credreport wrote, with its lists of users."
        raise InputRefused.of_file(name, "it has no list with a column Decision", hint)
    if not summary or not summary.counts:
        hint = "Send the whole workbook: its Summary shows whether a row is missing."
        raise InputRefused.of_file(name, "it has no Summary", hint)
    return lists, summary


def _list_sheet(
    name: str,
    sheet: SheetCells,
    heads: tuple[int, Mapping[int, str]],
    *,
    counts_from_1904: bool,
) -> ListSheet:
    column_of = {head: column for column, head in heads[1].items()}
    return ListSheet(
        name,
        sheet.title,
        sheet.is_hidden,
        sheet,
        sheet.noted,
        heads[0],
        column_of,
        counts_from_1904,
    )


def _lost_list_problems(place: str, top: SheetCells) -> Iterator[Problem]:
    """Yield a problem for a list without its heads."""
    for column in top.columns:
        for row, value in top.below(column, 0):
            if text_of(value).startswith("{") and parsed_record(text_of(value)):
                message = "the heads of this list are gone"
                cell = f"cell {cell_name(row, column)}"
                yield Problem(place, row, cell, None, message, SAVED_COPY_HINT)
                return


def _added_exemption_problems(sheet: ListSheet) -> Iterator[Problem]:
    """Yield a problem for each row of an exemption list that the program did not write."""
    for at, row in enumerate(sheet.cells.row_numbers):
        is_added = sheet.entry(USER, at) or sheet.entry(REASON, at)
        if row > sheet.head_row and is_added and not sheet.entry(STATE, at):
            hint = "Add it to the file of exemptions, or decide keep in the list that has the user."
            yield sheet.problem(REASON, at, "an exemption that is not read here", hint)


def _head_row(
    top: SheetCells, are_heads: Callable[[set[str]], bool]
) -> tuple[int, dict[int, str]] | None:
    """Return the first row with such heads, and its heads by column number."""
    for at, row in enumerate(top.row_numbers):
        heads = {
            column: " ".join(text_of(values[at]).split())
            for column, values in top.columns.items()
            if text_of(values[at]).strip()
        }
        if are_heads({*heads.values()}):
            return row, heads
    return None


def _are_of_list(heads: set[str]) -> bool:
    """Return whether heads are those of a list, perhaps without one; a follow-up shares some."""
    shared = heads & {*ENTRY_HEADS, RECORD}
    is_alike = len(shared) > 1 and ENTERED_IN not in heads
    return is_alike or not shared.isdisjoint({DECISION, RECORD})


def _check_heads(place: str, row: int, heads: Mapping[int, str]) -> None:
    """Refuse heads without a column that is needed, or with one twice; raises InputRefused."""
    counts = Counter(heads.values())
    cells = {head: f"{head}, cell {cell_name(row, column)}" for column, head in heads.items()}
    others = counts.keys() - {*ENTRY_HEADS, EARLIER_DECISION}
    wrong = [
        *((head, *_GONE) for head in NEEDED if not counts[head]),
        *((cells[head], *_TWICE) for head in NEEDED if counts[head] > 1),
        *((cells[head], *_COPY) for head in sorted(others) if _LIKE_ENTRY.fullmatch(head)),
    ]
    if wrong:
        raise InputRefused(Problem(place, row, head, None, *why) for head, *why in wrong)


_GONE: Final = "the column is gone", SAVED_COPY_HINT
_TWICE: Final = "the column is there twice", "Remove the one you added."
_COPY: Final = "the column looks like a copy", "Give it another name."


def _stray_problems(sheet: ListSheet) -> Iterator[Problem]:
    """Yield a problem for merged cells, and for values beside the columns of a list."""
    for cells in sheet.cells.merged:
        rows = [*map(int, re.findall(r"\d{1,7}", cells))] or [sheet.head_row]
        if max(rows) >= sheet.head_row:
            hint = "Split them, and enter each decision in its own row."
            yield Problem(sheet.place, rows[0], f"cells {cells}", None, "merged cells", hint)
    for column in sheet.cells.columns.keys() - {*sheet.column_of.values()}:
        for row, value in sheet.cells.below(column, sheet.head_row):
            if text_of(value).strip():
                cell = f"cell {cell_name(row, column)}"
                hint = "Move it into its column, or give this column a head."
                yield Problem(sheet.place, row, cell, text_of(value), "it is beside the list", hint)
                break


def _summary(place: str, cells: SheetCells, other: Summary | None) -> Summary:
    """Return the Summary on a sheet, joined with another one if given; raises InputRefused."""
    message = "the formula of this check was typed over"
    problems = [
        Problem(place, row, f"cell {cell_name(row, column)}", str(value), message, _FORMULA_HINT)
        for column in cells.columns
        for row, value in cells.below(column, 0)
        if value in (OK, DIFFERS) and (row, column) not in cells.formulas
    ]
    if problems:
        raise InputRefused(problems)
    first, listed = cells.columns.get(0, []), cells.columns.get(2, [])
    titles = {str(review_list.title) for review_list in REVIEW_LISTS}
    pairs = [*zip(first, listed, strict=False)]
    starts = [at for at, pair in enumerate(pairs) if pair == (LIST, WHEN_WRITTEN)]
    lines = range(starts[0] + 1, starts[0] + 1 + len(titles)) if starts else range(0)
    counts = {
        str(first[at]): (int(number), cell_name(cells.row_numbers[at], 2))
        for at in lines
        if at < len(first) and first[at] in titles and isinstance(number := listed[at], float)
    }
    texts = (text_of(value) for values in cells.columns.values() for value in values)
    before = other or Summary(place, {}, frozenset())
    return Summary(place, {**before.counts, **counts}, before.texts.union(texts))


_FORMULA_HINT: Final = "Use the workbook as credreport wrote it."
_ROWS_HINT: Final = "Put the missing rows back: hide rows instead of deleting them."


# Entries and texts


def holds_entries(path: Path) -> bool:
    """Return whether a file is a workbook, of any name, that has entries or cannot be read."""
    return may_be_workbook(path) and content_holds_entries(path.name, path.read_bytes())


def content_holds_entries(name: str, content: bytes) -> bool:
    """Return whether the content of a workbook has entries, or cannot be read."""
    if not begins_as_workbook(content):
        return False
    try:
        return any(map(_has_entry, read_sheets(name, content)[0]))
    except InputRefused:
        return True


def _has_entry(sheet: SheetCells) -> bool:
    """Return whether a sheet is a list in which anything is entered."""
    heads = _head_row(sheet, _are_of_list)
    if heads is None:
        return False
    row, head_of = heads
    entries = {column for column, head in head_of.items() if head in ENTRY_HEADS}
    return any(at > row for at, _ in sheet.formulas) or any(
        text_of(value).strip() for column in entries for _, value in sheet.below(column, row)
    )


def is_of_entry(problem: Problem) -> bool:
    """Return whether a problem concerns only an entry, so that the user of its row is known."""
    return (problem.column or "").partition(", cell ")[0] in ENTRY_HEADS
