"""Spread rows over as many sheets as they need, each an Excel table with filters."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from textwrap import wrap
from typing import Final

import numpy as np
import pyarrow as pa
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.filters import AutoFilter
from openpyxl.worksheet.table import Table, TableColumn, TableStyleInfo

from analyzer.decisions.review_list_layout import ARN, AS_OF, EVERY_ROW, USER
from analyzer.report.users import Users
from analyzer.writers.workbook.archive import Sheet
from analyzer.writers.workbook.book import Book, CellStyle, SheetName, set_widths
from analyzer.writers.workbook.column import Column, EntryColumn, Rows, text_cell

ROWS_A_SHEET: Final = 1_048_576  # the most rows of a sheet in Excel, head included
CHUNK_ROWS: Final = 4_096  # rows that become cells at a time, to keep the memory small
_HEAD_HEIGHT: Final = 34  # two lines, and the filters' buttons at the bottom
_LINE_WIDTH: Final = 150  # the characters of a line above a list that fit on a screen and a page
_NO_MOMENT: Final = datetime.fromtimestamp(0, UTC)  # of a list without entries


@dataclass(slots=True)
class TableSheets:
    """Hold the sheets of a list; one that is longer than a sheet continues on the next.

    `remarks` stand above the list on each sheet. `as_of` is that of a list to decide in, if all its
    rows have one: a decision is not older.
    """

    book: Book
    title: SheetName
    columns: Sequence[Column]
    remarks: Iterable[str] = ()
    as_of: datetime = _NO_MOMENT
    sheets: list[Sheet] = field(default_factory=list)
    _lines: list[str] = field(init=False)

    def __post_init__(self) -> None:
        """Break the remarks into lines."""
        wrapped = (wrap(text, _LINE_WIDTH, break_on_hyphens=False) for text in self.remarks)
        self._lines = [line for lines in wrapped for line in lines]

    @property
    def head_row(self) -> int:
        """Return the number of the row with the heads."""
        return len(self._lines) + 1

    @property
    def rows(self) -> int:
        """Return how many rows are listed."""
        return sum(sheet.row - self.head_row for sheet in self.sheets)

    def fill(self, listed: Rows, order: np.ndarray | None = None) -> None:
        """List rows, in their own or another order, and make each sheet a table."""
        every = np.arange(len(listed)) if order is None else order
        while len(every):
            if not self.sheets or self.sheets[-1].row >= ROWS_A_SHEET:
                self.sheets.append(self._new_sheet())
            sheet = self.sheets[-1]
            count = min(CHUNK_ROWS, ROWS_A_SHEET - sheet.row, len(every))
            sheet.add_many(count, partial(self._cells, listed, every[:count]))
            every = every[count:]
        for sheet in self.sheets:
            self._finish(sheet)

    def _cells(self, listed: Rows, positions: np.ndarray) -> list[pa.Array]:
        some = take_rows(listed, positions)
        return [column.cells(some, self.book.styles) for column in self.columns]

    def column_references(self, column: Column) -> list[str]:
        """Return the cells of a column, as one reference per sheet."""
        letter = get_column_letter(self._heads.index(column.head) + 1)
        first = self.head_row + 1
        return [
            f"'{sheet.worksheet.title}'!${letter}${first}:${letter}${sheet.row}"
            for sheet in self.sheets
        ]

    def place_of(self, position: int) -> str:
        """Return the first cell of the row at a position, as a link names it."""
        sheet, row = divmod(position, ROWS_A_SHEET - self.head_row)
        return f"'{self.sheets[sheet].worksheet.title}'!A{self.head_row + 1 + row}"

    def as_of_references(self) -> list[str]:
        """Return the cells with the as-of of each user, by sheet, or the day if all have one."""
        if AS_OF not in self._heads:
            return [self._as_of_cell] * len(self.sheets)
        return self.column_references(self.columns[self._heads.index(AS_OF)])

    @property
    def _as_of_cell(self) -> str:
        """Return the cell with the as-of of the first row, or the day if all rows have one."""
        if AS_OF not in self._heads:
            return f"{self.as_of:DATE(%Y,%m,%d)}"
        return f"${get_column_letter(self._heads.index(AS_OF) + 1)}{self.head_row + 1}"

    @property
    def _heads(self) -> list[str]:
        return [column.head for column in self.columns]

    @property
    def _repeated(self) -> int:
        """Return the number of columns that stay in sight: up to the user, else one."""
        return self._heads.index(USER) + 1 if USER in self._heads else 1

    def _new_sheet(self) -> Sheet:
        sheet = self.book.sheet(self.title, len(self.sheets) + 1)
        set_widths(sheet.worksheet, [column.width for column in self.columns])
        row = self.head_row
        sheet.worksheet.freeze_panes = f"{get_column_letter(self._repeated + 1)}{row + 1}"
        sheet.worksheet.print_title_rows = f"{row}:{row}"
        for line in self._lines:
            sheet.add([text_cell(line, self.book.styles[CellStyle.REMARK])])
        head = self.book.styles[CellStyle.FILTER_HEADER]
        sheet.add([text_cell(text, head) for text in self._heads], _HEAD_HEIGHT)
        return sheet

    def _finish(self, sheet: Sheet) -> None:
        last, row = get_column_letter(len(self.columns)), self.head_row
        repeated = get_column_letter(max(self._repeated, 2))
        sheet.number_like = f"A{row + 1}:{repeated}{sheet.row}"
        ref = f"A{row}:{last}{sheet.row}"
        table = Table(
            displayName=re.sub(r"\W", "_", sheet.worksheet.title),  # the signs that a name allows
            ref=ref,
            autoFilter=AutoFilter(ref=ref),
            tableColumns=[TableColumn(id=at, name=head) for at, head in enumerate(self._heads, 1)],
            tableStyleInfo=TableStyleInfo(name="TableStyleLight1", showRowStripes=True),
        )
        sheet.worksheet.tables.add(table)
        for at, column in enumerate(self.columns, 1):
            if isinstance(column, EntryColumn):
                letter = get_column_letter(at)
                cells = f"{letter}{row + 1}:{letter}{sheet.row}"
                validation = _validation(column, cells, self._as_of_cell)
                sheet.worksheet.data_validations.append(validation)
        printed = sum(column.printed for column in self.columns)
        sheet.worksheet.print_area = f"A1:{get_column_letter(printed)}{sheet.row}"


def add_list(  # noqa: PLR0913  what a list has besides its rows
    book: Book,
    title: SheetName,
    listed: Rows,
    columns: Iterable[Column],
    *,
    remarks: Iterable[str] = (),
    order: np.ndarray | None = None,
    as_of: datetime = _NO_MOMENT,
) -> TableSheets:
    """Add a list, without a sheet if there are no rows.

    A text that a column shows in every row stands once above the list; an empty column is left out.
    """
    every = tuple(columns)
    alike = alike_texts(listed, every)
    if len(listed) == 1:
        alike = {head: text for head, text in alike.items() if not text}
    said = "; ".join(f"{head} {text}" for head, text in alike.items() if text)
    remarks = [*remarks, f"{EVERY_ROW}{said}."] if said else remarks
    shown = [column for column in every if column.head not in alike]
    sheets = TableSheets(book, title, shown, remarks, as_of)
    sheets.fill(listed, order)
    return sheets


_ALWAYS_SHOWN: Final = (USER, ARN)


def alike_texts(listed: Rows, columns: Iterable[Column]) -> dict[str, str]:
    """Return by head the text of each column that shows the same one in every row.

    Columns for entries, and those that name a user, are not among them.
    """
    texts: dict[str, str] = {}
    first = take_rows(listed, np.arange(min(len(listed), CHUNK_ROWS)))
    for column in columns:
        if isinstance(column, EntryColumn) or column.head in _ALWAYS_SHOWN:
            continue
        # Most columns differ in their first rows.
        if len(column.shown(first).unique()) == 1:
            (text, *others) = column.shown(listed).unique().to_pylist()
            if not others:
                texts[column.head] = column.in_words(text)
    return texts


def _validation(entry: EntryColumn, cells: str, as_of: str) -> DataValidation:
    """Return a drop-down, a check that accepts only dates, or one that accepts any text.

    A date is not before the day of the report, nor after today, but for a day of time zones, as
    collecting has it; `as_of` is the cell of the first row. There is no prompt: Excel would show it
    over the cells beside.
    """
    validation = DataValidation(
        sqref=cells, allow_blank=True, showErrorMessage=True, errorTitle=entry.head
    )
    if entry.choices:
        validation.type = "list"
        validation.formula1 = f'"{",".join(entry.choices)}"'
        validation.error = f"Choose one of: {', '.join(entry.choices)}. See the sheet Summary."
    if entry.is_date:
        validation.type = "date"
        validation.operator = "between"
        validation.formula1, validation.formula2 = f"INT({as_of})-1", "TODAY()+1"
        validation.error = "Enter the date of the decision: not before the report, nor after today."
    return validation


def take_rows(listed: Rows, positions: np.ndarray) -> Rows:
    """Return the rows at these positions, in this order, numbered anew."""
    some = listed.take(positions)
    return some if isinstance(some, Users) else some.reset_index(drop=True)
