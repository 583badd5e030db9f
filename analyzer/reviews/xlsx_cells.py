"""Hold the cells of a sheet, and read them from the elements of an Excel workbook, within bounds.

Elements are those of lxml, in one of the two namespaces of spreadsheets.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import filterfalse
from sys import getsizeof
from typing import Any, ClassVar, Final

from analyzer.errors import InputRefused
from analyzer.terms import utc_text

MOST_ROWS: Final = 1_048_576
_MOST_COLUMNS: Final = 256
_MOST_MERGED: Final = 10_000
_MOST_HELD: Final = 380 << 20  # bytes of values that are kept
_LONGEST_TEXT: Final = 1 << 16  # a cell of Excel ends at 32,767 characters
_SLOT_BYTES: Final = 16
_MARK_BYTES: Final = 512  # an upper bound: few cells of a list have a formula or are struck
_SHORT: Final = 64  # texts up to this length repeat often, and are read once
_MOST_READ: Final = 1 << 14  # short texts that are kept at a time

_NAMESPACES: Final = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)
_DAY_0: Final = datetime(1899, 12, 30, tzinfo=UTC)
_ESCAPE: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_NUMBER: Final = re.compile(r"[-+]?[0-9.]{1,400}([eE][-+]?[0-9]{1,4})?")


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
    `formulas` and `struck` are the row and column of each cell with a formula, and of each with
    text that is struck through, also in part; `merged` are ranges such as `C2:C5`, `hidden` the
    numbers of hidden rows with a value.
    """

    row_numbers: list[int] = field(default_factory=list)
    columns: dict[int, list[CellValue]] = field(default_factory=dict)
    formulas: set[tuple[int, int]] = field(default_factory=set)
    struck: set[tuple[int, int]] = field(default_factory=set)
    merged: list[str] = field(default_factory=list)
    hidden: set[int] = field(default_factory=set)

    def value(self, row: int, column: int) -> CellValue:
        """Return the value of a cell, None if it has none."""
        at = bisect_left(self.row_numbers, row)
        has_row = self.row_numbers[at : at + 1] == [row]
        return self.columns[column][at] if has_row and column in self.columns else None

    def below(self, column: int, row: int) -> Iterator[tuple[int, CellValue]]:
        """Yield the rows below a row, with the values of a column there."""
        first = bisect_right(self.row_numbers, row)
        values = self.columns.get(column, [None] * len(self.row_numbers))
        return zip(self.row_numbers[first:], values[first:], strict=True)


def cell_name(row: int, column: int) -> str:
    """Return the name of a cell, such as `C5`, by its row from 1 and its column from 0."""
    before, last = divmod(column, 26)
    letters = cell_name(0, before - 1)[:-1] if before else ""
    return f"{letters}{chr(ord('A') + last)}{row}"


def moment_of_serial(number: float, *, counts_from_1904: bool) -> datetime | None:
    """Return the moment in UTC, to the second, of a spreadsheet's number; None if it has none.

    Counted from 1900, day 60 is a February 29 that did not exist.
    """
    if not 1 <= number < 2_958_466:  # the year 10000
        return None
    days, seconds = divmod(round(number * 86_400), 86_400)
    if counts_from_1904:
        days += 1_462
    elif days <= 60:
        return None
    try:
        return _DAY_0 + timedelta(days, seconds)
    except OverflowError:
        return None


# Rows share few moments: caching takes a 24th of the time.
@lru_cache(maxsize=4096)
def moment_text(serial: float, *, counts_from_1904: bool) -> str:
    """Return the moment of a number as text, empty if it has none."""
    at = moment_of_serial(serial, counts_from_1904=counts_from_1904)
    return utc_text(at) if at else ""


def text_of(value: CellValue) -> str:
    """Return the text of a cell: whole numbers plain, errors by name, line ends as line feeds."""
    if isinstance(value, str):
        return value.replace("\r\n", "\n").replace("\r", "\n") if "\r" in value else value
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return text_of(value.text)


def spreadsheetml_tags(*names: str) -> tuple[str, ...]:
    """Return the tags of elements of these names."""
    return tuple(f"{{{space}}}{name}" for name in names for space in _NAMESPACES)


_ROWS: Final = spreadsheetml_tags("row")
_CELLS: Final = spreadsheetml_tags("c")
_FORMULAS: Final = spreadsheetml_tags("f")
_STRIKES: Final = spreadsheetml_tags("strike")
_INLINE: Final = spreadsheetml_tags("is")
_TEXTS: Final = spreadsheetml_tags("v", "t")
_PRONOUNCED: Final = spreadsheetml_tags("rPh")
_MERGED: Final = spreadsheetml_tags("mergeCell")
_COLUMNS_BY_LETTERS: Final = {cell_name(0, column)[:-1]: column for column in range(_MOST_COLUMNS)}


def is_on(flag: str) -> bool:
    """Return whether a flag of XML is set."""
    return flag in ("1", "true", "on")


def _is_struck(element: Any) -> bool:
    """Return whether the text of an element is struck through, also in part."""
    return any(is_on(strike.get("val", "1")) for strike in element.iter(*_STRIKES))


def struck_formats(styles: Any) -> set[str]:
    """Return the numbers of the formats of cells that strike their text through."""
    fonts, formats = (
        [item for section in styles.iter(*spreadsheetml_tags(name)) for item in section]
        for name in ("fonts", "cellXfs")
    )
    struck = {str(number) for number, font in enumerate(fonts) if _is_struck(font)}
    return {str(number) for number, item in enumerate(formats) if item.get("fontId") in struck}


def _plain_text(element: Any) -> str | None:
    """Return the text of an element, None if the element holds anything else."""
    only = element[0] if len(element) == 1 else element
    if only.tag in _INLINE and len(only) == 1:
        only = only[0]
    return only.text or "" if only.tag in _TEXTS and not len(only) else None


def _joined_text(element: Any) -> str:
    """Return the value or the text of an element, without its pronunciation.

    Raises ValueError for an element within a text.
    """
    parts = [part for part in element.iter(*_TEXTS) if part.getparent().tag not in _PRONOUNCED]
    if any(map(len, parts)):
        raise ValueError("an element is in a text")
    return "".join(part.text or "" for part in parts)


def _unescaped_text(text: str) -> str:
    """Return a text with the escapes of Excel decoded.

    Raises ValueError if it is too long, or has half of a pair of surrogates.
    """
    if "_x" in text:
        units = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
        text = units.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    if len(text) > _LONGEST_TEXT:
        raise ValueError("its text is too long")
    return text


@dataclass(slots=True)
class SharedTexts:
    """Hold the texts that cells share, the numbers of partly struck ones, and the bytes of all."""

    texts: list[str] = field(default_factory=list)
    struck: set[int] = field(default_factory=set)
    held: int = 0

    def add(self, element: Any) -> None:
        """Add the text of an element; raises ValueError for too many."""
        plain = _plain_text(element)
        if plain is None and _is_struck(element):
            self.struck.add(len(self.texts))
        self.texts.append(_unescaped_text(_joined_text(element) if plain is None else plain))
        self.held += getsizeof(self.texts[-1]) + _SLOT_BYTES
        if self.held > _MOST_HELD:
            raise ValueError("its texts are too many")


@dataclass(slots=True)
class SheetReading:
    """Read the elements of a sheet as they come, up to a row, and only some columns if given.

    `_struck_formats` are the numbers of formats that strike text through, `_refusal` makes a
    refusal of the sheet from a message, a row and a column. `_read` are the values of short texts
    that came before, by the type of their cell.
    """

    _texts: SharedTexts
    _struck_formats: set[str]
    _last_row: int
    _only: Collection[int] | None
    _refusal: Callable[..., InputRefused]
    _cells: SheetCells = field(default_factory=SheetCells)
    _row: int = 0
    _read: dict[str, dict[str, CellValue]] = field(default_factory=dict)
    _held: int = 0
    tags: ClassVar = (*_ROWS, *_MERGED)

    def add(self, element: Any) -> bool:
        """Add the content of an element, and return whether all wanted rows are read."""
        if element.tag in _ROWS:
            return self._add_row(element)
        self._cells.merged.append(element.get("ref", ""))
        if len(self._cells.merged) > _MOST_MERGED:
            raise self._refused("it has too many merged cells")
        return False

    def result(self, sheet: Any) -> SheetCells:
        """Return the cells, each column as long as there are rows; `sheet` has all that is left."""
        if sheet is not None and next(sheet.iter(*_CELLS), None) is not None:
            raise self._refused("a cell is in no row")
        for values in self._cells.columns.values():
            values.extend([None] * (len(self._cells.row_numbers) - len(values)))
        return self._cells

    def _add_row(self, row: Any) -> bool:
        if next(row.iterancestors(*_ROWS), None) is not None:
            raise self._refused("a row is in a row")
        before, number = self._row, row.get("r", "")
        self._row = int(number) if number.isdecimal() else before + 1
        if not before < self._row <= MOST_ROWS:
            raise self._refused("its rows are not in order")
        if self._row > self._last_row:
            return True
        values = self._row_values(row)
        if values:
            if is_on(row.get("hidden", "")):
                self._cells.hidden.add(self._row)
                self._hold(_SHORT)
            columns, row_numbers = self._cells.columns, self._cells.row_numbers
            for column in filterfalse(columns.__contains__, values):
                self._hold(_SLOT_BYTES * len(row_numbers))
                columns[column] = [None] * len(row_numbers)
            self._hold(_SLOT_BYTES * len(columns))
            row_numbers.append(self._row)
            for column, above in columns.items():
                above.append(values.get(column))
        return False

    def _row_values(self, row: Any) -> dict[int, CellValue]:
        """Return the values of a row by column, and mark its formulas and struck cells."""
        values: dict[int, CellValue] = {}
        number, unnamed = str(self._row), 0
        for cell in row.iter(*_CELLS):
            name = cell.get("r")
            unnamed += name is None
            if not len(cell):
                continue
            name = cell_name(self._row, unnamed - 1) if name is None else name
            # A cell in no column is refused, and so are two cells in one place.
            letters = name.removesuffix(number)
            column = _COLUMNS_BY_LETTERS.get(letters, -1) if letters != name else -1
            if self._only is not None and column >= 0 and column not in self._only:
                continue
            self._add_cell(cell, name, column, values)
        return values

    def _add_cell(self, cell: Any, name: str, column: int, values: dict[int, CellValue]) -> None:
        """Add the value of a cell to its row, and mark a formula and a struck cell."""
        plain, kind = _plain_text(cell), cell.get("t", "n")
        is_struck = bool(self._struck_formats) and cell.get("s") in self._struck_formats
        # Most cells repeat a plain text: reusing its value takes a third of the time.
        read = self._read.get(kind, {}).get(plain or "")
        if read is not None and column >= 0 and column not in values and not is_struck:
            values[column] = read
            return
        if plain is None and next(cell.iterdescendants(*_CELLS), None) is not None:
            raise self._refused("a cell is in a cell", name)
        text = _joined_text(cell) if plain is None else plain
        is_formula = plain is None and next(cell.iter(*_FORMULAS), None) is not None
        if not text and not is_formula:
            return
        if column < 0:
            message = f"a cell is not in this row, or in {_MOST_COLUMNS} columns"
            raise self._refused(message, name)
        if text:
            if column in values:
                raise self._refused("a cell is there twice", name)
            values[column] = self._value(kind, text, name)
        is_struck_text = kind == "s" and bool(text) and int(text) in self._texts.struck
        if is_formula:
            self._mark(self._cells.formulas, column)
        if is_struck or is_struck_text or (plain is None and _is_struck(cell)):
            self._mark(self._cells.struck, column)
        if plain is not None and len(plain) <= _SHORT and not is_struck_text:
            self._remember(kind, plain, values[column])

    def _remember(self, kind: str, text: str, value: CellValue) -> None:
        """Keep the value of a text for later cells, of at most `_MOST_READ` texts."""
        read = self._read.setdefault(kind, {})
        if len(read) >= _MOST_READ:
            read.clear()
        read[text] = value

    def _mark(self, cells: set[tuple[int, int]], column: int) -> None:
        cells.add((self._row, column))
        self._hold(_MARK_BYTES)

    def _value(self, kind: str, text: str, name: str) -> CellValue:
        """Return the value of a cell; raises InputRefused if it is not valid."""
        try:
            return self._value_of_text(kind, text)
        except (ValueError, LookupError) as error:
            raise self._refused(f"the cell cannot be read ({error})", name) from None

    def _value_of_text(self, kind: str, text: str) -> CellValue:
        """Return the value of a cell; raises ValueError, LookupError if it is not valid."""
        if kind in ("inlineStr", "str"):
            kept = _unescaped_text(text)
            self._hold(getsizeof(kept) if len(kept) > _SHORT else 0)
            return kept
        if kind == "n":
            return self._number(text)
        if kind == "s":
            if (number := int(text)) < 0:
                raise IndexError(number)
            return self._texts.texts[number]
        if kind == "b":
            return {"1": True, "0": False}[text]
        if kind == "e":
            return CellError(text)
        if kind == "d":
            at = datetime.fromisoformat(text).replace(tzinfo=UTC)
            return (at - _DAY_0) / timedelta(1)
        raise ValueError(f"its type is {kind}")

    def _number(self, text: str) -> float:
        """Return the number in a cell; raises ValueError for another text, and for infinity."""
        number = float(text) if _NUMBER.fullmatch(text.strip()) else float("nan")
        if not abs(number) < float("inf"):
            raise ValueError(f"not a number: {text[:_SHORT]}")
        self._hold(_SHORT * 2)
        return number

    def _hold(self, size: int) -> None:
        self._held += size
        if self._held + self._texts.held > _MOST_HELD:
            raise self._refused("it holds too many cells")

    def _refused(self, message: str, cell: str = "") -> InputRefused:
        at = {"row": self._row or None, "column": f"cell {cell}" if cell else None}
        return self._refusal(message, **at)
