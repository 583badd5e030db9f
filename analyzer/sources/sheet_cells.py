"""Hold the cells of a sheet: their values by column, their names, and the moments they show."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

MOST_ROWS: Final = 1_048_576
MOST_COLUMNS: Final = 256
_LONGEST_SHOWN: Final = 64


@dataclass(frozen=True, slots=True)
class CellError:
    """Hold the error that a cell shows, such as `#N/A`."""

    text: str


CellValue = str | float | bool | CellError | None


@dataclass(frozen=True, slots=True)
class SheetCells:
    """Hold the cells of a sheet as columns, numbered from 0.

    `row_numbers` are the rows with a value, from 1, ascending; the lists of `columns` are aligned
    with them, and a column without any value is absent. Dates are numbers (`moment_of_serial`).
    `formulas` and `struck` are the row and column of each cell with a formula, and of each whose
    text is struck through, or a part of it; `merged` are ranges such as `C2:C5`.
    """

    row_numbers: list[int] = field(default_factory=list)
    columns: dict[int, list[CellValue]] = field(default_factory=dict)
    formulas: set[tuple[int, int]] = field(default_factory=set)
    struck: set[tuple[int, int]] = field(default_factory=set)
    merged: list[str] = field(default_factory=list)

    def value(self, row: int, column: int) -> CellValue:
        """Return the value of a cell, None if it has none."""
        at = bisect_left(self.row_numbers, row)
        has_row = self.row_numbers[at : at + 1] == [row]
        return self.columns[column][at] if has_row and column in self.columns else None

    def below(self, column: int, row: int) -> Iterator[tuple[int, CellValue]]:
        """Yield the rows below one, and the values of a column there."""
        first = bisect_right(self.row_numbers, row)
        values = self.columns.get(column, [None] * len(self.row_numbers))
        return zip(self.row_numbers[first:], values[first:], strict=True)


def cell_name(row: int, column: int) -> str:
    """Return the name of a cell, such as `C5`, by its row from 1 and its column from 0."""
    before, last = divmod(column, 26)
    letters = cell_name(0, before - 1)[:-1] if before else ""
    return f"{letters}{chr(ord('A') + last)}{row}"


def moment_of_serial(number: float, *, counts_from_1904: bool) -> datetime | None:
    """Return the moment in UTC, to the second, that a spreadsheet counts so; None if there is none.

    Counted from 1900, day 60 is a February 29 that there was not.
    """
    if not 1 <= number < 2_958_466:  # the year 10000
        return None
    days, seconds = divmod(round(number * 86_400), 86_400)
    if counts_from_1904:
        days += 1_462
    elif days <= 60:
        return None
    try:
        return datetime(1899, 12, 30, tzinfo=UTC) + timedelta(days, seconds)
    except OverflowError:
        return None


COLUMNS_BY_LETTERS: Final = {cell_name(0, column)[:-1]: column for column in range(MOST_COLUMNS)}
"""Columns by their letters: the same come in every row."""

_NUMBER: Final = re.compile(r"[-+]?[0-9.]{1,400}([eE][-+]?[0-9]{1,4})?")


def number_of(text: str) -> float:
    """Return the number in a cell; raises ValueError for another text, and for infinity."""
    number = float(text) if _NUMBER.fullmatch(text.strip()) else float("nan")
    if not abs(number) < float("inf"):
        raise ValueError(f"not a number: {text[:_LONGEST_SHOWN]}")
    return number


def serial_of_date(text: str) -> float:
    """Return the number of days from 1900 for an ISO date or date with time."""
    at = datetime.fromisoformat(text)
    return (at.replace(tzinfo=UTC) - datetime(1899, 12, 30, tzinfo=UTC)) / timedelta(1)
