"""Find the lists of a workbook, and by what they were made, even if people changed its sheets.

Lists are found by their heads, so that sheets may be renamed and copied, and columns moved and
added. A heading elsewhere that could be taken for one of a list is refused and named.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from analyzer.analysis.filters import filter_of_review
from analyzer.decisions.entries import day_without_time
from analyzer.decisions.review import FORM, Review
from analyzer.decisions.review_list_layout import (
    ARN,
    BLOCK_HEADS,
    DECIDED,
    DECIDED_ON,
    DECISION,
    EARLIER_DECISION,
    ENTRY_HEADS,
    REVIEW,
)
from analyzer.errors import InputRefused, Problem
from analyzer.files import check_form
from analyzer.reviews.xlsx_reader import (
    CellValue,
    SheetCells,
    cell_name,
    column_name,
    read_sheets,
    text_of,
)
from analyzer.terms import count_text, with_noun

_LONGEST: Final = 256  # characters of a head

NEEDED: Final = (*BLOCK_HEADS, ARN)
"""Columns without which a list is refused."""

_LIKE_ENTRY: Final = re.compile(
    rf"({'|'.join(ENTRY_HEADS)})[\s\d().]*|(.*\W)?{DECISION}(\W.*)?", re.IGNORECASE
)

START_AGAIN_HINT: Final = "Start from the file as credreport wrote it, and enter it there."
_OTHER_FORM_HINT: Final = (
    "Use the version of credreport that wrote it, or enter the decisions in a new workbook."
)
_FORMULA_HINT: Final = "Copy the cell, and paste it as a value."
_STRUCK_HINT: Final = "Empty the entry, or enter it again."
_FORMAT_HINT: Final = "Set the number format of the cell to General."


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

    def cell_problems(self, heads: Iterable[str], rows: Sequence[int]) -> Iterator[Problem]:
        """Yield a problem for each cell of these heads and rows that can show another value.

        Formulas can, number formats, and entries that are struck through. In a row without an
        entry, anything may be struck through.
        """
        decided = [row for row in rows if any(self.entry(head, row) for head in ENTRY_HEADS)]
        columns = {self.column_of[head]: head for head in heads if head in self.column_of}
        needed = {self.column_of[head]: head for head in NEEDED}
        formulas, struck, formatted = self.cells.formulas, self.cells.struck, self.cells.formatted
        for row in rows:
            for at, head in columns.items():
                if (row, at) in formulas:
                    yield self.problem(
                        head, row, "a formula, whose result may change", _FORMULA_HINT
                    )
                if (row, at) in formatted:
                    message = f"a number format can show another value: {formatted[row, at]}"
                    yield self.problem(head, row, message, _FORMAT_HINT)
        for row in decided if struck else ():
            for at, head in needed.items():
                if (row, at) in struck:
                    yield self.problem(head, row, "it is struck through", _STRUCK_HINT)

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

    def column_notes(self, known: Iterable[str]) -> Iterator[str]:
        """Yield notes on columns that were added, and on hidden ones."""
        known = {*known, *BLOCK_HEADS}
        if added := [head for head in self.column_of if head not in known]:
            yield f"Not read, {self.place}: added {with_noun('column', added)}."
        hidden = [
            f"{column_name(at)} ({head})"
            for head, at in self.column_of.items()
            if at in self.cells.hidden_columns and head in known
        ]
        if hidden:
            yield f"Hidden, {self.place}: {with_noun('column', hidden)}."


def _has_arn(sheet: SheetCells) -> bool:
    """Return whether a sheet lists users, perhaps a list whose heads are gone."""
    values = (text_of(value) for cells in sheet.rows.values() for value in cells.values())
    return any(text.startswith("arn:") for text in values)


def _is_decided_on(sheet: SheetCells) -> bool:
    """Return whether a sheet has a word or a formula below a heading, and is no follow-up.

    The heading may be in any case, as in a list that somebody made by hand.
    """
    for row, cells in sheet.rows.items():
        heads = [text_of(value).strip().casefold() for value in cells.values()]
        if DECISION.casefold() in heads and DECIDED.casefold() not in heads:
            below = [*cells][heads.index(DECISION.casefold())]
            return any(
                at > row and ((at, below) in sheet.formulas or text_of(others.get(below)).strip())
                for at, others in sheet.rows.items()
            )
    return False


class ReviewWorkbook(NamedTuple):
    """Hold the lists of a workbook, by what they were made, and the titles of its other sheets.

    `unread_decisions` are the titles of those of the others on which people decided.
    """

    review: Review
    lists: list[ListSheet]
    other_sheets: list[str]
    unread_decisions: list[str]


def read_workbook(name: str, content: bytes) -> ReviewWorkbook:
    """Return what a workbook of a review holds; raises InputRefused."""
    return _workbook(name, _sheets(name, content))


def decided_workbook(name: str, content: bytes) -> ReviewWorkbook | None:
    """Return what a workbook holds in which people entered anything.

    Raises InputRefused, also where somebody decided on a sheet that is no list of a review.
    """
    sheets = _sheets(name, content)
    lists = [(sheet, heads) for sheet in sheets if (heads := _list_heads(sheet))]
    has_entry = any(_has_entry(*each) for each in lists)
    titles = {sheet.title for sheet, _ in lists}
    others = [
        sheet.title for sheet in sheets if sheet.title not in titles and _is_decided_on(sheet)
    ]
    if others:
        message = f"decisions on {with_noun('sheet', others)}, which is no list of a review"
        hint = "Enter them on the lists, or rename the heading."
        raise InputRefused.of_file(name, message, hint)
    return _workbook(name, sheets) if has_entry else None


def _workbook(name: str, sheets: Sequence[SheetCells]) -> ReviewWorkbook:
    _check_form(name, _review_texts(sheets))
    lists: list[ListSheet] = []
    problems: list[Problem] = []
    for sheet in sheets:
        heads = _head_row(sheet)
        if heads and _are_of_list(heads[1].values()):
            column_of = {head: column for column, head in heads[1].items()}
            lists.append(ListSheet(name, sheet, heads[0], column_of))
            wrong = [*_head_problems(f"{name}, sheet {sheet.title}", *heads)]
            problems += wrong or _stray_problems(lists[-1])
        elif heads and DECISION in heads[1].values() and _has_arn(sheet):
            message = f'it has a heading "{DECISION}" and ARNs, and is no list of users'
            problems.append(
                Problem(f"{name}, sheet {sheet.title}", heads[0], None, None, message, "Rename it.")
            )
    if not lists:
        hint = "Name a workbook that credreport wrote, with its lists of users."
        raise InputRefused.of_file(name, "it has no list with a column Decision", hint)
    if problems:
        raise InputRefused(problems)
    titles = {one.cells.title for one in lists}
    others = [sheet for sheet in sheets if sheet.title not in titles]
    unread = [sheet.title for sheet in others if _is_decided_on(sheet)]
    return ReviewWorkbook(_review(name, sheets), lists, [one.title for one in others], unread)


def _sheets(name: str, content: bytes) -> list[SheetCells]:
    return read_sheets(name, content, ENTRY_HEADS, REVIEW)


def _review(name: str, sheets: Iterable[SheetCells]) -> Review:
    """Return by what the lists were made; raises InputRefused if no sheet says it, or two differ.

    A copy of the Summary says it once more.
    """
    texts = _review_texts(sheets)
    try:
        (text,) = texts
        review = Review.model_validate_json(text)
        filter_of_review(review)
    except ValueError:  # pydantic's ValidationError is one
        _check_form(name, texts, is_valid=False)
        message = "the hidden cell of its Summary, with what it was made by, is gone or was changed"
        raise InputRefused.of_file(name, message, START_AGAIN_HINT) from None
    return review


def _check_form(name: str, review_texts: Iterable[str], *, is_valid: bool = True) -> None:
    """Raise InputRefused for a workbook that another version made in another form."""
    for text in review_texts:
        try:
            made: dict[str, object] = {**json.loads(text)}
        except (TypeError, ValueError, RecursionError):
            continue
        saved = made | {"tool": {"name": "credreport", "version": made.get("version")}}
        check_form(name, saved, FORM, _OTHER_FORM_HINT, is_valid=is_valid)


def _review_texts(sheets: Iterable[SheetCells]) -> set[str]:
    return {text for sheet in sheets if (text := _review_text(sheet))}


def _review_text(sheet: SheetCells) -> str:
    texts = (text_of(value) for cells in sheet.rows.values() for value in cells.values())
    return "".join(text.removeprefix(REVIEW) for text in texts if text.startswith(REVIEW))


def _head_row(sheet: SheetCells) -> tuple[int, dict[int, str]] | None:
    """Return the first row with a head of a list, and its heads by column."""
    for row, cells in sheet.rows.items():
        texts = ((column, text_of(value)) for column, value in cells.items())
        named = ((column, " ".join(text.split())) for column, text in texts if len(text) < _LONGEST)
        heads = {column: head for column, head in named if head}
        if _are_of_list(heads.values()) or DECISION in heads.values():
            return row, heads
    return None


def _are_of_list(heads: Iterable[str]) -> bool:
    """Return whether heads are those of a list, perhaps without some; a follow-up shares others."""
    words = {*heads}
    return len(words & {*NEEDED}) > _ENOUGH and DECIDED not in words


_ENOUGH: Final = len(NEEDED) // 2


def _head_problems(place: str, row: int, heads: Mapping[int, str]) -> Iterator[Problem]:
    """Yield a problem for each needed head that is gone, there twice or copied."""
    counts = Counter(heads.values())
    cells = {head: f"{head}, cell {cell_name(row, column)}" for column, head in heads.items()}
    for head in (head for head in NEEDED if not counts[head]):
        yield Problem(place, row, head, None, "the column is gone", START_AGAIN_HINT)
    for head in sorted(counts.keys() - {EARLIER_DECISION}):
        if counts[head] > 1:
            hint = "Rename the one you added."
            yield Problem(place, row, cells[head], None, "the column is there twice", hint)
        elif head not in ENTRY_HEADS and _LIKE_ENTRY.fullmatch(head):
            message = "it could be mistaken for a column to decide in"
            yield Problem(place, row, cells[head], None, message, "Rename it.")


def _stray_problems(sheet: ListSheet) -> Iterator[Problem]:
    """Yield a problem for merged cells, and for values beside the columns, in rows with an ARN."""
    listed = [row for row in sheet.rows if sheet.entry(ARN, row)]
    for cells in sheet.cells.merged:
        rows = [*map(int, re.findall(r"\d{1,7}", cells))] or [sheet.head_row]
        if any(rows[0] <= row <= rows[-1] for row in (sheet.head_row, *listed)):
            hint = "Split them, and enter each decision in its own row."
            yield Problem(sheet.place, rows[0], f"cells {cells}", None, "merged cells", hint)
    known = {*sheet.column_of.values()}
    beside: set[int] = set()
    for row in listed:
        for column in sheet.cells.rows[row].keys() - known - beside:
            if text := text_of(sheet.cells.value(row, column)).strip():
                beside.add(column)
                cell = f"cell {cell_name(row, column)}"
                hint = "Move it into its column, or give this column a head."
                yield Problem(sheet.place, row, cell, text, "it is beside the list", hint)


def _list_heads(sheet: SheetCells) -> tuple[int, dict[int, str]] | None:
    """Return the row of the heads of a list, and its heads by column; None for another sheet."""
    heads = _head_row(sheet)
    return heads if heads and _are_of_list(heads[1].values()) else None


def _has_entry(sheet: SheetCells, heads: tuple[int, Mapping[int, str]]) -> bool:
    """Return whether anything is entered in a list."""
    row, head_of = heads
    entries = {column for column, head in head_of.items() if head in ENTRY_HEADS}
    return any(at > row for at, _ in sheet.formulas) or any(
        text_of(cells.get(column)).strip()
        for at, cells in sheet.rows.items()
        if at > row
        for column in entries
    )
