"""Take the elements of an Excel workbook's parts as expat gives them, within bounds.

A sheet becomes `SheetCells`, the other parts texts and start tags.
"""

import re
from collections.abc import Callable, Iterable
from sys import getsizeof, intern
from typing import Final

from analyzer.errors import InputRefused
from analyzer.sources.sheet_cells import (
    COLUMNS_BY_LETTERS,
    MOST_COLUMNS,
    MOST_ROWS,
    CellError,
    CellValue,
    SheetCells,
    cell_name,
    number_of,
    serial_of_date,
)

_MOST_HELD: Final = 380 << 20
"""Bytes of values that are kept."""

_MOST_MERGED: Final = 10_000
_MOST_STARTS: Final = 200_000
"""Elements of parts other than sheets and texts: Excel ends at 65,490 formats of cells."""

_DEEPEST: Final = 32
_LONGEST_TEXT: Final = 1 << 16
"""A cell of Excel ends at 32,767 characters."""

_SLOT_BYTES: Final = 16
_MARK_BYTES: Final = 512
"""More than it takes: a list has few formulas, and is not struck through as a whole."""

_SHORT: Final = 64
"""Texts up to this length come again and again, and are kept once."""

_SPREADSHEET: Final = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)
_RELATIONSHIPS: Final = "http://schemas.openxmlformats.org/package/2006/relationships"
_ESCAPE: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")

Start = tuple[str, dict[str, str]]
"""A start tag: its name and attributes."""


class Elements:
    """Take the elements of a part, by their names in the namespace of spreadsheets.

    `text` gathers the text since it was cleared.
    """

    def __init__(self) -> None:
        """Begin before the first element."""
        self.text: list[str] = []
        self.depth = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take the start of an element; raises ValueError if too many are open."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise ValueError("too many elements are open")
        self.started(_LOCAL_NAMES.get(tag, ""), attributes)

    def end(self, tag: str) -> None:
        """Take the end of an element."""
        self.depth -= 1
        self.ended(_LOCAL_NAMES.get(tag, ""))

    def started(self, tag: str, attributes: dict[str, str]) -> None:
        """Take the start of an element that a subclass knows."""

    def ended(self, tag: str) -> None:
        """Take the end of an element that a subclass knows."""


_SECTIONS: Final = ("fonts", "cellStyleXfs", "cellXfs", "cellStyles", "dxfs")
_OF_BOOK: Final = ("sheet", "workbookPr", *_SECTIONS, "font", "strike", "xf")
_TAGS: Final = (*_OF_BOOK, "si", "t", "rPh", "row", "c", "v", "f", "mergeCell")
_LOCAL_NAMES: Final = {
    **{f"{space} {tag}": tag for space in _SPREADSHEET for tag in _TAGS},
    f"{_RELATIONSHIPS} Relationship": "Relationship",
}


class Starts(Elements):
    """Collect the start tags that have a meaning."""

    def __init__(self) -> None:
        """Begin without a tag."""
        super().__init__()
        self.starts: list[Start] = []

    def started(self, tag: str, attributes: dict[str, str]) -> None:
        """Take a start tag; raises ValueError for too many."""
        if tag:
            self.starts.append((tag, attributes))
        if len(self.starts) > _MOST_STARTS:
            raise ValueError("it has too many elements")


def _kept(text: str) -> str:
    """Return a text as it is kept: short ones once.

    Raises ValueError for one that is too long, and for half of a pair of surrogates.
    """
    if "_x" in text:
        units = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
        text = units.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    if len(text) > _LONGEST_TEXT:
        raise ValueError("its text is too long")
    return intern(text) if len(text) <= _SHORT else text


class SharedStrings(Elements):
    """Read the texts that cells share.

    `struck` are the numbers of those of which a part is struck through, `held` the bytes of all.
    """

    def __init__(self) -> None:
        """Begin without a text."""
        super().__init__()
        self.texts: list[str] = []
        self.struck: set[int] = set()
        self.held = 0
        self._text = ""
        self._is_pronounced = False

    def started(self, tag: str, attributes: dict[str, str]) -> None:
        """Begin a text."""
        if tag == "t":
            self.text.clear()
        elif tag == "rPh":
            self._is_pronounced = True
        elif _is_struck(tag, attributes):
            self.struck.add(len(self.texts))

    def ended(self, tag: str) -> None:
        """Take a text, which may be in several pieces; raises ValueError for too many."""
        if tag == "t" and not self._is_pronounced:
            self._text += "".join(self.text)
        elif tag == "rPh":
            self._is_pronounced = False
        elif tag == "si":
            self.texts.append(_kept(self._text))
            self._text = ""
            self.held += getsizeof(self.texts[-1]) + _SLOT_BYTES
            if self.held > _MOST_HELD:
                raise ValueError("its texts are too many")


class RowsRead(Exception):  # noqa: N818  no error: enough is read
    """Stop reading after the rows that were asked for."""


class SheetReading(Elements):
    """Take the elements of a sheet as they come.

    Of the many cells that are empty only the attributes are kept, until the next one.
    """

    def __init__(
        self,
        strings: SharedStrings,
        struck_formats: set[str],
        last_row: int,
        refused: Callable[..., InputRefused],
    ) -> None:
        """Begin before the first row; `refused` makes a refusal of the sheet from a message."""
        super().__init__()
        self._strings = strings
        self._struck_formats = struck_formats
        self._last_row = last_row
        self._refusal = refused
        self._cells = SheetCells()
        self._values: list[tuple[int, CellValue]] = []
        self._row = 0
        self._row_text = "0"
        self._unnamed = 0
        self._attributes: dict[str, str] | None = None
        self._cell = ""
        self._is_pronounced = False
        self._numbers: dict[str, float] = {}
        self._may_be_struck = bool(struck_formats or strings.struck)
        self._held = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take the start of an element; here, and not in `started`: it takes a quarter less."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise ValueError("too many elements are open")
        tag = _LOCAL_NAMES.get(tag, "")
        if tag == "c":
            self._attributes = attributes
            self._cell = ""
            if "r" not in attributes:
                self._unnamed += 1
        elif tag in ("v", "t"):
            self.text.clear()
        elif tag == "row":
            self._start_row(attributes.get("r", ""))
        elif tag:
            self._start_other(tag, attributes)

    def _start_other(self, tag: str, attributes: dict[str, str]) -> None:
        """Take the start of an element that few cells have."""
        if tag == "rPh":
            self._is_pronounced = True
        elif tag == "f":
            self._mark(self._cells.formulas)
        elif _is_struck(tag, attributes):
            self._mark(self._cells.struck)
        elif tag == "mergeCell":
            self._cells.merged.append(attributes.get("ref", ""))
            if len(self._cells.merged) > _MOST_MERGED:
                raise self._refused("it has too many merged cells")

    def _mark(self, cells: set[tuple[int, int]]) -> None:
        """Add the cell that is open; behind the rows, formats of conditions have the same tags."""
        if self._attributes is not None:
            cells.add((self._row, self._open_column(self._attributes)))
            self._hold(_MARK_BYTES)

    def end(self, tag: str) -> None:
        """Take the end of an element."""
        self.depth -= 1
        tag = _LOCAL_NAMES.get(tag, "")
        if tag == "c":
            if self._cell:
                self._end_cell(self._attributes)
        elif tag in ("v", "t"):
            if not self._is_pronounced:
                text = self.text
                self._cell += text[0] if len(text) == 1 else "".join(text)
        elif tag == "row":
            self._end_row()
        elif tag == "rPh":
            self._is_pronounced = False

    def result(self) -> SheetCells:
        """Return the cells, each column as long as there are rows."""
        if self._values:
            raise self._refused("a cell is in no row")
        for values in self._cells.columns.values():
            values.extend([None] * (len(self._cells.row_numbers) - len(values)))
        return self._cells

    def _start_row(self, number: str) -> None:
        before = self._row
        self._row = int(number) if number.isdecimal() else before + 1
        self._row_text = str(self._row)
        self._unnamed = 0
        if self._values or not before < self._row <= MOST_ROWS:
            raise self._refused("its rows are not in order")
        if self._row > self._last_row:
            raise RowsRead

    def _end_row(self) -> None:
        self._attributes = None
        if not self._values:
            return
        at = len(self._cells.row_numbers)
        self._cells.row_numbers.append(self._row)
        columns = self._cells.columns
        for column, value in self._values:
            if column not in columns:
                columns[column] = []
            values = columns[column]
            if len(values) > at:
                raise self._refused("a cell is there twice", cell_name(self._row, column))
            if len(values) < at:
                values.extend([None] * (at - len(values)))
            values.append(value)
        self._values.clear()

    def _end_cell(self, attributes: dict[str, str] | None) -> None:
        if attributes is None:
            raise ValueError("a row is in a cell")
        column = self._open_column(attributes)
        kind = attributes.get("t", "n")
        try:
            value = self._value(kind, self._cell)
        except (ValueError, LookupError) as error:
            message = f"the cell cannot be read ({error})"
            raise self._refused(message, cell_name(self._row, column)) from None
        self._values.append((column, value))
        if self._may_be_struck and (
            attributes.get("s") in self._struck_formats
            or (kind == "s" and int(self._cell) in self._strings.struck)
        ):
            self._mark(self._cells.struck)

    def _open_column(self, attributes: dict[str, str]) -> int:
        """Return the column of the open cell: by its name, else behind the last without one."""
        if "r" in attributes:
            name = attributes["r"]
            letters = name.removesuffix(self._row_text)
            if letters != name and letters in COLUMNS_BY_LETTERS:
                return COLUMNS_BY_LETTERS[letters]
        elif self._unnamed <= MOST_COLUMNS:
            return self._unnamed - 1
        else:
            name = cell_name(self._row, self._unnamed - 1)
        raise self._refused(f"a cell is not in this row, or in {MOST_COLUMNS} columns", name)

    def _value(self, kind: str, text: str) -> CellValue:
        """Return the value of a cell; raises ValueError, LookupError for what is none."""
        self._hold(_SLOT_BYTES)
        if kind == "inlineStr" or kind == "str":  # noqa: PLR1714  quicker than a tuple
            kept = _kept(text)
            self._hold(getsizeof(kept) if len(kept) > _SHORT else 0)
            return kept
        if kind == "n":
            return self._number(text)
        if kind == "s":
            if (number := int(text)) < 0:
                raise IndexError(number)
            return self._strings.texts[number]
        if kind == "b":
            return {"1": True, "0": False}[text]
        if kind == "e":
            return CellError(text)
        if kind == "d":
            return serial_of_date(text)
        raise ValueError(f"its type is {kind}")

    def _number(self, text: str) -> float:
        if text not in self._numbers:
            self._numbers[text] = number_of(text)
            self._hold(_SHORT * 2)
        return self._numbers[text]

    def _hold(self, size: int) -> None:
        self._held += size
        if self._held + self._strings.held > _MOST_HELD:
            raise self._refused("it holds too many cells")

    def _refused(self, message: str, cell: str = "") -> InputRefused:
        at = {"row": self._row or None, "column": f"cell {cell}" if cell else None}
        return self._refusal(message, **at)


def struck_formats(starts: Iterable[Start]) -> set[str]:
    """Return the numbers of the formats of cells that strike their text through."""
    fonts: set[str] = set()
    formats: set[str] = set()
    section, number = "", -1
    for tag, attributes in starts:
        if tag in _SECTIONS:
            section, number = tag, -1
        elif section == "fonts" and _is_struck(tag, attributes):
            fonts.add(str(number))
        elif tag in ("font", "xf"):
            number += 1
            if section == "cellXfs" and attributes.get("fontId") in fonts:
                formats.add(str(number))
    return formats


def _is_struck(tag: str, attributes: dict[str, str]) -> bool:
    return tag == "strike" and is_on(attributes.get("val", "1"))


def is_on(flag: str) -> bool:
    """Return whether a flag of XML is set."""
    return flag in ("1", "true", "on")
