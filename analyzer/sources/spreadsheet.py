"""Read the cells of an Excel workbook (.xlsx) within bounds, whatever the file holds.

Sheets are read as a stream by expat: 100,000 rows of 31 columns take 5 s of CPU and 300 MB, with
openpyxl 28 s. A damaged part, a DTD, or more than the bounds allow refuses the file.
"""

import io
import re
import zipfile
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from posixpath import join, normpath
from sys import getsizeof, intern
from typing import Any, Final
from xml.parsers import expat

from analyzer.errors import InputRefused, Problem

MOST_ROWS: Final = 1_048_576
MOST_COLUMNS: Final = 256
_MOST_UNPACKED: Final = 512 << 20
_MOST_TAGS: Final = 16_000_000
_MOST_HELD: Final = 380 << 20
"""Bytes of values that are kept."""

_MOST_MERGED: Final = 10_000
_MOST_STARTS: Final = 200_000
"""Elements of parts other than sheets and texts: Excel ends at 65,490 formats of cells."""

_DEEPEST: Final = 32
_LONGEST_TEXT: Final = 1 << 16
"""A cell of Excel ends at 32,767 characters."""

_LONGEST_TOKEN: Final = 1 << 20
_CHUNK: Final = 1 << 16
_SLOT_BYTES: Final = 16
_SHORT: Final = 64
"""Texts up to this length come again and again, and are kept once."""

_SPREADSHEET: Final = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)
_RELATIONSHIPS: Final = "http://schemas.openxmlformats.org/package/2006/relationships"
_ESCAPE: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_DAMAGED_HINT: Final = "Open it in a spreadsheet program, and save it as .xlsx again."
_KIND_HINT: Final = "Save it as .xlsx."
_ZIP_ERRORS: Final = (
    zipfile.BadZipFile,
    zlib.error,
    LookupError,
    ValueError,
    EOFError,
    OSError,
    NotImplementedError,  # a compression that Python does not know
    RuntimeError,  # encrypted
)


@dataclass(frozen=True, slots=True)
class CellError:
    """Hold the error that a cell shows, such as `#N/A`."""

    text: str


Start = tuple[str, dict[str, str]]
"""A start tag: its name and attributes."""

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


@dataclass(frozen=True, slots=True)
class Sheet:
    """Hold a sheet, whose cells are read when they are asked for."""

    title: str
    _read: Callable[[int], SheetCells] = field(repr=False)

    def cells(self, last_row: int = MOST_ROWS) -> SheetCells:
        """Return the cells of the rows up to one; no more is unpacked. Raises InputRefused."""
        return self._read(last_row)


@dataclass(frozen=True, slots=True)
class Spreadsheet:
    """Hold the sheets of a workbook in their order, and whether it counts days from 1904."""

    sheets: tuple[Sheet, ...]
    counts_from_1904: bool


def open_spreadsheet(name: str, content: bytes) -> Spreadsheet:
    """Return the workbook in a file of that name and content.

    Raises InputRefused for what is no .xlsx, is damaged, or holds more than the bounds allow.
    """
    package = _Package(name, content)
    book = package.book_part()
    related = package.relationships(book)
    for kind, part in related.values():
        if kind == "sharedStrings":
            package.parse(part, package.strings)
        elif kind == "styles":
            package.struck_formats |= _struck_formats(package.starts(part))
    sheets = []
    counts_from_1904 = False
    for tag, attributes in package.starts(book):
        if tag == "workbookPr":
            counts_from_1904 = _is_on(attributes.get("date1904", "0"))
        if tag == "sheet":
            title = attributes.get("name", "")
            key = next((value for name, value in attributes.items() if name.endswith(" id")), "")
            kind, part = related.get(key, ("", ""))
            if not kind:
                raise package.refused("a sheet has no part", title)
            if kind == "worksheet":
                sheets.append(Sheet(title, partial(package.cells, part, title)))
    return Spreadsheet(tuple(sheets), counts_from_1904)


def _struck_formats(starts: Iterable[Start]) -> set[str]:
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
    return tag == "strike" and _is_on(attributes.get("val", "1"))


def _is_on(flag: str) -> bool:
    return flag in ("1", "true", "on")


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


class _Package:
    """Read the parts of a zip archive, and count what is unpacked."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name = name
        if content.startswith(b"\xd0\xcf\x11\xe0"):
            message = "an encrypted workbook, or one of Excel 97 to 2003 (.xls)"
            raise InputRefused.of_file(name, message, _KIND_HINT)
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(content))
        except _ZIP_ERRORS as error:
            is_archive = content.startswith(b"PK")
            message = f"the file is damaged: {error}" if is_archive else "not an Excel workbook"
            hint = _DAMAGED_HINT if is_archive else _KIND_HINT
            raise InputRefused.of_file(name, message, hint) from None
        names = self._archive.namelist()
        self._parts = {each.lower().removeprefix("/"): each for each in names}
        self._is_ambiguous = len(self._parts) < len(names)
        self._unpacked = 0
        self.strings = _SharedStrings()
        self.struck_formats: set[str] = set()

    def refused(self, message: str, sheet: str = "", **at: Any) -> InputRefused:
        """Return a refusal of a damaged file."""
        place = f"{self.name}, sheet {sheet}" if sheet else self.name
        problem = Problem.of_file(place, f"the file is damaged: {message}", _DAMAGED_HINT)
        return InputRefused([replace(problem, **at)])

    def book_part(self) -> str:
        """Return the name of the part with the workbook; raises InputRefused."""
        related = self.relationships("").values()
        named = [part for kind, part in related if kind == "officeDocument"]
        part = named[0] if named else "xl/workbook.xml"
        if part.lower().endswith(".bin") or "mimetype" in self._parts:
            raise InputRefused.of_file(self.name, "another kind of workbook", _KIND_HINT)
        if part.lower() not in self._parts or self._is_ambiguous:
            raise self.refused("it has no workbook, or parts of the same name")
        return part

    def relationships(self, part: str) -> dict[str, tuple[str, str]]:
        """Return by id the kind and name of each part that a part refers to."""
        folder, _, base = part.rpartition("/")
        name = join(folder, "_rels", f"{base}.rels")
        related = self.starts(name) if name.lower() in self._parts else []
        return {
            each.get("Id", ""): (
                each.get("Type", "").rpartition("/")[2],
                normpath(join("/", folder, each.get("Target", ""))).lstrip("/"),
            )
            for tag, each in related
            if tag == "Relationship" and each.get("TargetMode") != "External"
        }

    def starts(self, part: str) -> list[Start]:
        """Return the start tags of a part that is no sheet; raises InputRefused."""
        elements = _Starts()
        self.parse(part, elements)
        return elements.starts

    def cells(self, part: str, title: str, last_row: int) -> SheetCells:
        """Return the cells of a sheet in the rows up to one; raises InputRefused."""
        reading = _Reading(self, title, last_row)
        with suppress(_RowsRead):
            self.parse(part, reading, title)
        return reading.result()

    def parse(self, part: str, elements: "_Elements", sheet: str = "") -> None:
        """Give the elements of a part to what takes them; raises InputRefused."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.buffer_size = _CHUNK
        parser.StartElementHandler = elements.start
        parser.EndElementHandler = elements.end
        parser.CharacterDataHandler = elements.text.append
        parser.StartDoctypeDeclHandler = _refuse_document_type
        fed = tags = 0
        try:
            for chunk in self._chunks(part):
                parser.Parse(chunk)
                fed += len(chunk)
                # An empty element costs as much as a pair of tags with a value between them.
                tags += chunk.count(b"<") + 2 * chunk.count(b"/>")
                if fed - parser.CurrentByteIndex > _LONGEST_TOKEN or tags > _MOST_TAGS:
                    raise self.refused("it holds too many or too long elements", sheet)
            parser.Parse(b"", True)  # noqa: FBT003  the end of the text
        except (expat.ExpatError, ValueError) as error:
            raise self.refused(f"{part}: {error}", sheet) from None

    def _chunks(self, part: str) -> Iterator[bytes]:
        """Yield the bytes of a part; raises InputRefused."""
        try:
            with self._archive.open(self._parts[part.lower()]) as stream:
                while chunk := stream.read(_CHUNK):
                    self._unpacked += len(chunk)
                    if self._unpacked > _MOST_UNPACKED:
                        message = f"it unpacks to more than {_MOST_UNPACKED >> 20} MiB"
                        hint = "Split the list, or decide in a CSV of the ledger's form."
                        raise InputRefused.of_file(self.name, message, hint)
                    yield chunk
        except _ZIP_ERRORS as error:
            raise self.refused(f"{part}: {error}") from None


def _refuse_document_type(*_: Any) -> None:
    raise ValueError("it has a document type")


class _Elements:
    """Take the elements of a part, by their names in the namespace of spreadsheets.

    `text` gathers the text since it was cleared.
    """

    def __init__(self) -> None:
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


class _Starts(_Elements):
    """Collect the start tags that have a meaning."""

    def __init__(self) -> None:
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


class _SharedStrings(_Elements):
    """Read the texts that cells share.

    `struck` are the numbers of those of which a part is struck through, `held` the bytes of all.
    """

    def __init__(self) -> None:
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


class _RowsRead(Exception):  # noqa: N818  no error: enough is read
    """Stop reading after the rows that were asked for."""


class _Reading(_Elements):
    """Take the elements of a sheet as they come.

    Of the many cells that are empty only the attributes are kept, until the next one.
    """

    def __init__(self, package: _Package, title: str, last_row: int) -> None:
        super().__init__()
        self._package = package
        self._title = title
        self._last_row = last_row
        self._cells = SheetCells()
        self._values: list[tuple[int, CellValue]] = []
        self._row = self._column = 0
        self._row_text = "0"
        self._attributes: dict[str, str] = {}
        self._cell = ""
        self._is_pronounced = False
        self._numbers: dict[str, float] = {}
        self._may_be_struck = bool(package.struck_formats or package.strings.struck)
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
                attributes["r"] = cell_name(self._row, self._column)
                self._column += 1
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
        if name := self._attributes.get("r"):
            cells.add((self._row, self._column_of(name)))
            self._hold(_SHORT * 2)

    def end(self, tag: str) -> None:
        """Take the end of an element."""
        self.depth -= 1
        tag = _LOCAL_NAMES.get(tag, "")
        if tag == "c":
            if self._cell:
                self._end_cell()
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
        for values in self._cells.columns.values():
            values.extend([None] * (len(self._cells.row_numbers) - len(values)))
        return self._cells

    def _start_row(self, number: str) -> None:
        before = self._row
        self._row = int(number) if number.isdecimal() else before + 1
        self._row_text = str(self._row)
        self._column = 0
        if not before < self._row <= MOST_ROWS:
            raise self._refused("its rows are not in order")
        if self._row > self._last_row:
            raise _RowsRead

    def _end_row(self) -> None:
        self._attributes = {}
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

    def _end_cell(self) -> None:
        name = self._attributes["r"]
        column = self._column_of(name)
        kind = self._attributes.get("t", "n")
        try:
            value = self._value(kind, self._cell)
        except (ValueError, LookupError) as error:
            raise self._refused(f"the cell cannot be read ({error})", name) from None
        self._values.append((column, value))
        if self._may_be_struck and (
            self._attributes.get("s") in self._package.struck_formats
            or (kind == "s" and int(self._cell) in self._package.strings.struck)
        ):
            self._mark(self._cells.struck)

    def _column_of(self, name: str) -> int:
        letters = name.removesuffix(self._row_text)
        if letters == name or letters not in _COLUMNS:
            raise self._refused(f"a cell is not in this row, or in {MOST_COLUMNS} columns", name)
        return _COLUMNS[letters]

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
            return self._package.strings.texts[number]
        if kind == "b":
            return {"1": True, "0": False}[text]
        if kind == "e":
            return CellError(text)
        if kind == "d":
            return _serial(text)
        raise ValueError(f"its type is {kind}")

    def _number(self, text: str) -> float:
        if text not in self._numbers:
            self._numbers[text] = _number(text)
            self._hold(_SHORT * 2)
        return self._numbers[text]

    def _hold(self, size: int) -> None:
        self._held += size
        if self._held + self._package.strings.held > _MOST_HELD:
            raise self._refused("it holds too many cells")

    def _refused(self, message: str, cell: str = "") -> InputRefused:
        at = {"row": self._row or None, "column": f"cell {cell}" if cell else None}
        return self._package.refused(message, self._title, **at)


_COLUMNS: Final = {cell_name(0, column)[:-1]: column for column in range(MOST_COLUMNS)}
"""Columns by their letters: the same come in every row."""

_NUMBER: Final = re.compile(r"[-+]?[0-9.]{1,400}([eE][-+]?[0-9]{1,4})?")


def _number(text: str) -> float:
    """Return the number in a cell; raises ValueError for another text, and for infinity."""
    number = float(text) if _NUMBER.fullmatch(text.strip()) else float("nan")
    if not abs(number) < float("inf"):
        raise ValueError(f"not a number: {text[:_SHORT]}")
    return number


def _serial(text: str) -> float:
    """Return the number of days from 1900 for an ISO date or date with time."""
    at = datetime.fromisoformat(text)
    return (at.replace(tzinfo=UTC) - datetime(1899, 12, 30, tzinfo=UTC)) / timedelta(1)
