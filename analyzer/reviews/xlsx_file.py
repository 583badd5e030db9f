"""Read the cells of an Excel workbook (.xlsx) within bounds, whatever the file holds.

Sheets are read row by row: 100,000 rows of 31 columns take 5 s of CPU, with openpyxl 28 s. A file
is refused if a part is damaged, has a DTD, or exceeds the bounds.
"""

import io
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import chain
from posixpath import join, normpath
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

from lxml import etree

from analyzer.errors import InputRefused, Problem
from analyzer.reviews.xlsx_cells import (
    MOST_ROWS,
    SharedTexts,
    SheetCells,
    SheetReading,
    is_on,
    spreadsheetml_tags,
    struck_formats,
)

_MOST_UNPACKED: Final = 512 << 20
_MOST_TAGS: Final = 16_000_000
_MOST_TAGS_AT_ONCE: Final = 1_000_000
"""Tags of a row, or of a part that is not a sheet: Excel allows 65,490 formats of cells."""

_CHUNK: Final = 1 << 16
_KIND_HINT: Final = "Save it as .xlsx."
_DAMAGED_HINT: Final = "Open it in a spreadsheet program, and save it as .xlsx again."
_RELATIONSHIP: Final = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_PLAIN_XML: Final = {"resolve_entities": False, "remove_comments": True, "remove_pis": True}
_ZIP_ERRORS: Final = (
    *(zipfile.BadZipFile, zlib.error, LookupError, ValueError, EOFError, OSError),
    NotImplementedError,  # a compression that Python does not know
    RuntimeError,  # encrypted
)


class Sheet(NamedTuple):
    """Hold a sheet; `cells` reads its rows up to a given one, of all columns or of some.

    Rows below are not unpacked. `noted` reads the names of the cells with a note. Both raise
    InputRefused.
    """

    title: str
    is_hidden: bool
    cells: Callable[..., SheetCells]
    noted: Callable[[], set[str]]


class Spreadsheet(NamedTuple):
    """Hold the sheets of a workbook in their order, and whether it counts days from 1904."""

    sheets: tuple[Sheet, ...]
    counts_from_1904: bool


def open_spreadsheet(name: str, content: bytes) -> Spreadsheet:
    """Return the workbook in a file of that name and content.

    Raises InputRefused if it is not an .xlsx, is damaged, or exceeds the bounds.
    """
    package = _Package(name, content)
    part = package.book_part()
    related = package.relationships(part)
    for kind, other in related.values():
        if kind == "sharedStrings":
            package.read_texts(other)
        elif kind == "styles":
            package.struck_formats |= struck_formats(package.tree(other))
    book, sheets = package.tree(part), []
    for sheet in book.iter(*spreadsheetml_tags("sheet")):
        title = sheet.get("name", "")
        key = next((value for name, value in sheet.items() if name.endswith("}id")), "")
        kind, other = related.get(key, ("", ""))
        if not kind:
            raise package.refused("a sheet has no part", title)
        if kind == "worksheet":
            is_hidden = sheet.get("state", "visible") != "visible"
            cells, noted = partial(package.cells, other, title), partial(package.noted, other)
            sheets.append(Sheet(title, is_hidden, cells, noted))
    from_1904 = [
        properties.get("date1904", "0")
        for properties in book.iter(*spreadsheetml_tags("workbookPr"))
    ]
    return Spreadsheet(tuple(sheets), any(map(is_on, from_1904[-1:])))


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
        self._parts = {name.lower().removeprefix("/"): name for name in names}
        self._is_ambiguous = len(self._parts) < len(names)
        self._unpacked = self._tags_at_once = 0
        self._texts = SharedTexts()
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
        if not {part.lower(), "[content_types].xml"} & self._parts.keys():
            message, hint = "a zip archive, and no workbook", "Unpack it first."
            raise InputRefused.of_file(self.name, message, hint)
        if part.lower() not in self._parts or self._is_ambiguous:
            raise self.refused("it has no workbook, or parts of the same name")
        return part

    def relationships(self, part: str) -> dict[str, tuple[str, str]]:
        """Return the kind and name of each part that a part refers to, by id."""
        folder, _, base = part.rpartition("/")
        name = join(folder, "_rels", f"{base}.rels")
        related = self.tree(name).iter(_RELATIONSHIP) if name.lower() in self._parts else ()
        return {
            relation.get("Id", ""): (
                relation.get("Type", "").rpartition("/")[2],
                normpath(join("/", folder, relation.get("Target", ""))).lstrip("/"),
            )
            for relation in related
            if relation.get("TargetMode") != "External"
        }

    def read_texts(self, part: str) -> None:
        """Read the texts that cells share; raises InputRefused."""
        self._parse(part, spreadsheetml_tags("si"), self._texts.add)

    def cells(
        self,
        part: str,
        title: str,
        last_row: int = MOST_ROWS,
        columns: Collection[int] | None = None,
    ) -> SheetCells:
        """Return the cells of a sheet up to a row, of all or some columns; raises InputRefused."""
        refused = partial(self.refused, sheet=title)
        reading = SheetReading(self._texts, self.struck_formats, last_row, columns, refused)
        return reading.result(self._parse(part, reading.tags, reading.add, title))

    def noted(self, part: str) -> set[str]:
        """Return the names of the cells of a sheet that have a note; raises InputRefused."""
        notes = [other for kind, other in self.relationships(part).values() if kind == "comments"]
        elements = (self.tree(part).iter(*spreadsheetml_tags("comment")) for part in notes)
        return {comment.get("ref", "") for comment in chain.from_iterable(elements)}

    def tree(self, part: str) -> Any:
        """Return the root element of a part that is not a sheet; raises InputRefused."""
        return self._parse(part, (), bool)

    def _parse(
        self, part: str, tags: tuple[str, ...], take: Callable[[Any], object], sheet: str = ""
    ) -> Any:
        """Pass each element with one of the tags to `take`, until that returns true.

        Return the root with all other elements, None if `take` ended the reading. Raises
        InputRefused.
        """
        chunks = self._counted(self._chunks(part))
        stream = SimpleNamespace(read=lambda _: next(chunks, b""))
        parsed = etree.iterparse(stream, ("end",) if tags else (), tag=tags, **_PLAIN_XML)
        before = None
        try:
            for _, element in parsed:
                if take(element):
                    return None
                element.clear()
                self._tags_at_once = 0
                # The parser still needs the last element.
                if before is not None and (parent := before.getparent()) is not None:
                    parent.remove(before)
                before = element
        except (etree.XMLSyntaxError, ValueError) as error:
            raise self.refused(f"{part}: {getattr(error, 'msg', error)}", sheet) from None
        if parsed.root.getroottree().docinfo.doctype:
            raise self.refused(f"{part}: it has a document type", sheet)
        return parsed.root

    def _counted(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the chunks of a part; raises ValueError for too many tags in them.

        An empty element or an escaped character costs as much as a pair of tags with a value
        between them.
        """
        tags = self._tags_at_once = 0
        for chunk in chunks:
            number = chunk.count(b"<") + 2 * (chunk.count(b"/>") + chunk.count(b"_x"))
            tags += number
            self._tags_at_once += number
            if tags > _MOST_TAGS or self._tags_at_once > _MOST_TAGS_AT_ONCE:
                raise ValueError("it holds too many elements")
            yield chunk

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
