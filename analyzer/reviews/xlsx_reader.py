"""Read the cells of an Excel workbook (.xlsx) by openpyxl, behind limits on what it unpacks to.

Formulas have no value, as their results may be of another time. Sheets without a heading of a list
to decide in are not read.
"""

import io
import posixpath
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final

from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.comments.comment_sheet import CommentSheet
from openpyxl.packaging.relationship import get_dependents
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.utils.cell import get_column_letter
from openpyxl.utils.datetime import CALENDAR_MAC_1904, WINDOWS_EPOCH, from_excel
from openpyxl.utils.escape import unescape
from openpyxl.worksheet._reader import WorkSheetParser
from openpyxl.xml.constants import COMMENTS_NS, SHEET_MAIN_NS
from openpyxl.xml.functions import fromstring

from analyzer.errors import InputRefused
from analyzer.terms import utc_text

_MOST_UNPACKED: Final = 96 << 20
_MOST_TAGS: Final = 2_500_000  # of all parts together: a cell with a text has four to six
_SPLIT_HINT: Final = "Split the review with --split, or decide in a CSV."
_KIND_HINT: Final = "Save it as .xlsx."
_DAMAGED_HINT: Final = "Open it in a spreadsheet program, and save it as .xlsx again."
_OTHER_XML: Final = re.compile(rb"<\0?!\0?D|encoding=['\"](?!(?i:utf-8|utf-16|us-ascii)['\"])")
"""A document type, which can define what a few bytes unpack to, or letters not seen as such."""


@dataclass(frozen=True, slots=True)
class CellError:
    """Hold the error that a cell shows, such as `#N/A`."""

    text: str


CellValue = str | float | bool | CellError | None


@dataclass(slots=True)
class SheetCells:
    """Hold the cells of a sheet that have a value, by row from 1 and column from 0.

    `formulas` and `struck` are cells with a formula, and with text that is struck through, perhaps
    in part. `noted` are the names of cells with a note, `hidden` the hidden rows.
    """

    title: str
    is_hidden: bool = False
    counts_from_1904: bool = False
    rows: dict[int, dict[int, CellValue]] = field(default_factory=dict)
    formulas: set[tuple[int, int]] = field(default_factory=set)
    struck: set[tuple[int, int]] = field(default_factory=set)
    merged: list[str] = field(default_factory=list)
    hidden: set[int] = field(default_factory=set)
    noted: set[str] = field(default_factory=set)

    def value(self, row: int, column: int) -> CellValue:
        """Return the value of a cell, None if it has none."""
        return self.rows.get(row, {}).get(column)

    def moment_text(self, serial: float) -> str:
        """Return the moment that a number means in this workbook, empty if it means none."""
        return _moment_text(serial, CALENDAR_MAC_1904 if self.counts_from_1904 else WINDOWS_EPOCH)


def cell_name(row: int, column: int) -> str:
    """Return the name of a cell, such as `C5`, by its row from 1 and its column from 0."""
    return f"{get_column_letter(column + 1)}{row}"


# Many cells show few moments.
@lru_cache(maxsize=4096)
def _moment_text(serial: float, epoch: datetime) -> str:
    try:
        at = from_excel(serial, epoch)
    except (OverflowError, ValueError):
        return ""
    return _text_of_moment(at) if serial >= 1 and isinstance(at, datetime) else ""


def _text_of_moment(at: datetime) -> str:
    """Return the moment of a cell, which has no zone, to the nearest second."""
    return utc_text((at + timedelta(milliseconds=500)).replace(microsecond=0, tzinfo=UTC))


def text_of(value: CellValue) -> str:
    """Return the text of a cell: whole numbers plain, errors by name, line ends as line feeds."""
    match value:
        case str():
            return value.replace("\r\n", "\n").replace("\r", "\n") if "\r" in value else value
        case None:
            return ""
        case bool():
            return str(value).upper()
        case float():
            return str(int(value)) if value.is_integer() else repr(value)
    return value.text


def read_sheets(
    name: str, content: bytes, heads: Iterable[str], beginning: str
) -> list[SheetCells]:
    """Return the sheets with a cell that has one of these texts, or one that begins so.

    Raises InputRefused.
    """
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        message = "an encrypted workbook, or one of Excel 97 to 2003 (.xls)"
        raise InputRefused.of_file(name, message, _KIND_HINT)
    if not content.startswith(b"PK"):
        raise InputRefused.of_file(name, "not an Excel workbook (.xlsx)", _KIND_HINT)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of what it does not read
            reader = ExcelReader(io.BytesIO(content), rich_text=True, keep_links=False)
            _check_archive(name, reader.archive)
            return [*_sheets(reader, {head.casefold() for head in heads}, beginning)]
    except InputRefused:
        raise
    except Exception as error:  # noqa: BLE001  openpyxl raises whatever its parsers do
        message = f"the file is damaged: {type(error).__name__}: {error}"
        raise InputRefused.of_file(name, message, _DAMAGED_HINT) from None


def _check_archive(name: str, archive: zipfile.ZipFile) -> None:
    """Refuse another kind of file, and one that unpacks to too much or too many elements."""
    infos = archive.infolist()
    names = {info.filename.lower() for info in infos}
    if "mimetype" in names or "xl/workbook.bin" in names:
        raise InputRefused.of_file(name, "another kind of workbook", _KIND_HINT)
    if "[content_types].xml" not in names:
        raise InputRefused.of_file(name, "a zip archive, and no workbook", "Unpack it first.")
    if len(names) < len(infos):
        raise ValueError("two parts have the same name")
    if sum(info.file_size for info in infos) > _MOST_UNPACKED:
        message = f"it unpacks to more than {_MOST_UNPACKED >> 20} MiB"
        raise InputRefused.of_file(name, message, _SPLIT_HINT)
    tags = 0
    for info in infos:
        part = archive.read(info)
        tags += part.count(b"<")
        if _OTHER_XML.search(part, 0) and part.lstrip()[:1] in (b"<", b"\xff", b"\xfe", b"\xef"):
            raise ValueError(f"{info.filename} has a document type, or another encoding")
        if tags > _MOST_TAGS:
            raise InputRefused.of_file(name, "it has too many cells", _SPLIT_HINT)


def _sheets(reader: ExcelReader, heads: set[str], beginning: str) -> Iterator[SheetCells]:
    reader.read_manifest()
    reader.read_strings()
    reader.read_workbook()
    apply_stylesheet(reader.archive, reader.wb)
    pattern = _pattern(reader.shared_strings, heads, beginning)
    for sheet, related in reader.parser.find_sheets():
        if "chartsheet" not in related.Type:
            part = reader.archive.read(related.target)
            if pattern.search(part):
                cells = SheetCells(sheet.name, sheet.state != "visible")
                _read_sheet(reader, part, cells)
                cells.noted = {*_noted_cells(reader.archive, related.target)}
                yield cells


def _pattern(shared: list[Any], heads: set[str], beginning: str) -> re.Pattern[bytes]:
    """Return a pattern that finds cells with one of the texts; it may find others besides."""
    numbers = [
        str(at)
        for at, text in enumerate(map(str, shared))
        if text.startswith(beginning) or " ".join(text.split()).casefold() in heads
    ]
    texts = "|".join(map(re.escape, heads))
    of_shared = rf"|v>({'|'.join(numbers)})<" if numbers else ""
    every = rf"(?i)>\s*({texts})\s*<|>{re.escape(beginning)}|<(\w+:)?rPr{of_shared}"
    return re.compile(every.encode())


def _read_sheet(reader: ExcelReader, part: bytes, cells: SheetCells) -> None:
    book: Any = reader.wb
    cells.counts_from_1904 = book.epoch == CALENDAR_MAC_1904
    struck = {at for at, style in enumerate(book._cell_styles) if book._fonts[style.fontId].strike}
    parser = _Parser(
        io.BytesIO(part),
        reader.shared_strings,
        epoch=book.epoch,
        date_formats=book._date_formats,
        timedelta_formats=book._timedelta_formats,
        rich_text=True,
    )
    for number, row in parser.parse():
        values: dict[int, CellValue] = {}
        for cell in row:
            value, at = cell["value"], cell["column"] - 1
            if cell["row"] != number or at in values:
                raise ValueError(f"cell {cell_name(cell['row'], at)} is not where it should be")
            if cell["data_type"] == "f":
                cells.formulas.add((number, at))
            elif value is not None and value != "":
                values[at] = CellError(str(value)) if cell["data_type"] == "e" else _value(value)
                if cell["style_id"] in struck or _is_struck_in_part(value):
                    cells.struck.add((number, at))
        if values:
            cells.rows[number] = values
    cells.rows = dict(sorted(cells.rows.items()))
    cells.merged = (
        [each.ref for each in parser.merged_cells.mergeCell] if parser.merged_cells else []
    )
    attributes = parser.row_dimensions.items()
    cells.hidden = {int(row) for row, has in attributes if has.get("hidden") in ("1", "true")}


class _Parser(WorkSheetParser):
    """Read texts in cells at once if they are in one piece: in a fifth of the time."""

    def parse_cell(self, element: Any) -> dict[str, Any]:
        """Return the place, value, type and style of a cell."""
        inline: Any = element[0] if len(element) == 1 else ()
        if len(inline) != 1 or inline.tag != _INLINE or inline[0].tag != _TEXT:
            return dict(super().parse_cell(element))
        text = inline[0].text
        inline.clear()
        return {**super().parse_cell(element), "value": text, "data_type": "s"}


_INLINE, _TEXT = (f"{{{SHEET_MAIN_NS}}}{tag}" for tag in ("is", "t"))


def _value(value: Any) -> CellValue:
    match value:
        case bool():
            return value
        case str() | CellRichText():
            return _unescaped(str(value))
        case datetime():
            return _text_of_moment(value)
        case date() | time() | timedelta():
            return str(value)
    return float(value)


def _unescaped(text: str) -> str:
    """Return a text with the characters that XML cannot hold, such as `_x0007_`."""
    if "_x" not in text:
        return text
    return unescape(text).encode("utf-16", "surrogatepass").decode("utf-16")


def _is_struck_in_part(value: object) -> bool:
    parts = value if isinstance(value, CellRichText) else ()
    return any(isinstance(part, TextBlock) and part.font.strike for part in parts)


def _noted_cells(archive: zipfile.ZipFile, target: str) -> Iterator[str]:
    path = f"{posixpath.dirname(target)}/_rels/{posixpath.basename(target)}.rels"
    related = get_dependents(archive, path).find(COMMENTS_NS) if path in archive.namelist() else ()
    for each in related:
        notes: Any = CommentSheet.from_tree(fromstring(archive.read(each.target)))  # type: ignore[arg-type]  # its stub
        yield from (name for name, _ in notes.comments)
