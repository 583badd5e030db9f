"""Read the cells of an Excel workbook (.xlsx) within bounds, whatever the file holds.

Sheets are read as a stream by expat: 100,000 rows of 31 columns take 5 s of CPU and 300 MB, with
openpyxl 28 s. A damaged part, a DTD, or more than the bounds allow refuses the file.
"""

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from posixpath import join, normpath
from typing import Any, Final
from xml.parsers import expat

from analyzer.errors import InputRefused, Problem
from analyzer.sources.sheet_cells import MOST_ROWS, SheetCells
from analyzer.sources.sheet_elements import (
    Elements,
    RowsRead,
    SharedStrings,
    SheetReading,
    Start,
    Starts,
    is_on,
    struck_formats,
)

_MOST_UNPACKED: Final = 512 << 20
_MOST_TAGS: Final = 16_000_000
_LONGEST_TOKEN: Final = 1 << 20
_CHUNK: Final = 1 << 16
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
            package.struck_formats |= struck_formats(package.starts(part))
    sheets = []
    counts_from_1904 = False
    for tag, attributes in package.starts(book):
        if tag == "workbookPr":
            counts_from_1904 = is_on(attributes.get("date1904", "0"))
        if tag == "sheet":
            title = attributes.get("name", "")
            key = next((value for name, value in attributes.items() if name.endswith(" id")), "")
            kind, part = related.get(key, ("", ""))
            if not kind:
                raise package.refused("a sheet has no part", title)
            if kind == "worksheet":
                sheets.append(Sheet(title, partial(package.cells, part, title)))
    return Spreadsheet(tuple(sheets), counts_from_1904)


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
        self.strings = SharedStrings()
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
        elements = Starts()
        self.parse(part, elements)
        return elements.starts

    def cells(self, part: str, title: str, last_row: int) -> SheetCells:
        """Return the cells of a sheet in the rows up to one; raises InputRefused."""
        refused = partial(self.refused, sheet=title)
        reading = SheetReading(self.strings, self.struck_formats, last_row, refused)
        with suppress(RowsRead):
            self.parse(part, reading, title)
        return reading.result()

    def parse(self, part: str, elements: Elements, sheet: str = "") -> None:
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
                # An empty element costs as much as a pair of tags with a value between them, and
                # so does a sign that is escaped.
                tags += chunk.count(b"<") + 2 * (chunk.count(b"/>") + chunk.count(b"_x"))
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
