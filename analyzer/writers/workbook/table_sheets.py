"""Spread rows over as many sheets as they need, each an Excel table with filters."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow.compute as pc
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.filters import AutoFilter
from openpyxl.worksheet.properties import Outline
from openpyxl.worksheet.table import Table, TableColumn, TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet

from analyzer.decisions.review_list_layout import AS_OF, USER
from analyzer.report.users import Users
from analyzer.writers.workbook.archive import Sheet
from analyzer.writers.workbook.book import Book, CellStyle, SheetName, set_widths
from analyzer.writers.workbook.column import Column, EntryColumn, Rows, text_cell

ROWS_A_SHEET: Final = 1_048_576  # the most rows of a sheet in Excel, head included
CHUNK_ROWS: Final = 4_096  # rows that become cells at a time, to keep the memory small
_HEAD_HEIGHT: Final = 34  # two lines, and the filters' buttons at the bottom

_SIGN_OFF: Final = (
    "Reviewed by: ______________________  Date: ____________  Signature: ______________"
)
"""The text at the foot of each printed page of a list to decide in."""

_REMARK_WIDTH: Final = 120  # the characters of a remark that fit on a screen


@dataclass(slots=True)
class TableSheets:
    """List users or findings under one title; a list longer than a sheet continues on the next.

    A title that the book does not want gets no sheet. `row_keys` are the keys of the listed rows
    (`tables.row_keys`), for other sheets that show whether a user is listed.
    """

    book: Book
    title: SheetName
    columns: tuple[Column, ...]
    row_keys: "pd.Index[int]" = field(default_factory=lambda: pd.Index([], dtype="int64"))
    sheets: list[Sheet] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Return how many rows are listed so far."""
        return sum(sheet.row - 1 for sheet in self.sheets)

    def add(self, listed: Rows, order: np.ndarray | None = None) -> None:
        """List the rows of a page or frame, in its own or another order."""
        every = np.arange(len(listed)) if order is None else order
        while self._is_wanted and len(every):
            if not self.sheets or self.sheets[-1].row >= ROWS_A_SHEET:
                self.sheets.append(self._new_sheet())
            sheet = self.sheets[-1]
            count = min(CHUNK_ROWS, ROWS_A_SHEET - sheet.row, len(every))
            some = take_rows(listed, every[:count])
            sheet.add_many(count, [column.cells(some, self.book.styles) for column in self.columns])
            every = every[count:]

    def finish(self, nothing: str = "") -> None:
        """Make each sheet a table; if no row is listed, add one with the text `nothing`, if any."""
        if nothing and self._is_wanted and not self.sheets:
            sheet = self._new_sheet()
            for line in wrap(nothing, _REMARK_WIDTH, break_on_hyphens=False):
                sheet.add([text_cell(line, self.book.styles[CellStyle.SUBTITLE])])
        for sheet in self.sheets:
            self._finish(sheet)

    def fill(self, parts: Iterable[Rows], nothing: str = "") -> None:
        """List the rows of pages or frames, and finish the list."""
        for part in parts:
            self.add(part)
        self.finish(nothing)

    def column_references(self, column: Column) -> list[str]:
        """Return the cells of a column, as one reference per sheet."""
        letter = get_column_letter(self._heads.index(column.head) + 1)
        return [
            f"'{sheet.worksheet.title}'!${letter}$2:${letter}${sheet.row}" for sheet in self.sheets
        ]

    @property
    def _is_wanted(self) -> bool:
        return self.title in self.book.titles

    @property
    def _as_of_cell(self) -> str:
        """Return the cell with the as-of of the first row of a list to decide in."""
        return f"${get_column_letter(self._heads.index(AS_OF) + 1)}2"

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
        _fold_columns(sheet.worksheet, [at for at, c in enumerate(self.columns, 1) if c.folded])
        sheet.worksheet.freeze_panes = f"{get_column_letter(self._repeated + 1)}2"
        sheet.worksheet.print_title_rows = "1:1"
        head = self.book.styles[CellStyle.FILTER_HEADER]
        sheet.add([text_cell(text, head) for text in self._heads], _HEAD_HEIGHT)
        return sheet

    def _finish(self, sheet: Sheet) -> None:
        sheet.number_like = f"A2:{get_column_letter(max(self._repeated, 2))}{sheet.row}"
        ref = f"A1:{get_column_letter(len(self.columns))}{sheet.row}"
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
                foot: Any = sheet.worksheet.oddFooter
                foot.left.text = _SIGN_OFF
                letter = get_column_letter(at)
                cells = f"{letter}2:{letter}{sheet.row}"
                sheet.worksheet.data_validations.append(
                    _validation(column, cells, self._as_of_cell)
                )
        printed = sum(column.printed for column in self.columns)
        sheet.worksheet.print_area = f"A1:{get_column_letter(printed)}{sheet.row}"


def _fold_columns(worksheet: Worksheet, folded: Sequence[int]) -> None:
    """Put columns, by number, in closed outline groups; the button is on the column before."""
    if folded:
        worksheet.sheet_properties.outlinePr = Outline(summaryRight=False)
    for at in folded:
        before, column = (worksheet.column_dimensions[get_column_letter(n)] for n in (at - 1, at))
        column.outlineLevel = 1
        column.hidden = True
        before.collapsed = at - 1 not in folded


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


def filled_columns(listed: Rows, some: Iterable[Column]) -> list[Column]:
    """Return the columns with text in any row; the first rows are looked at first."""
    parts = listed.take(np.arange(min(len(listed), CHUNK_ROWS))), listed
    return [
        column
        for column in some
        if any(pc.any(pc.not_equal(column.shown(part), "")).as_py() for part in parts)
    ]
