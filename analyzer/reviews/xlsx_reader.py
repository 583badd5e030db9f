"""Read the cells of an Excel workbook (.xlsx) by openpyxl, behind limits on what it unpacks to.

Formulas have no value, as their results may be of another time. Only sheets with a heading of a
list to decide in are read.
"""

import io
import posixpath
import re
import warnings
import zipfile
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from openpyxl.comments.comment_sheet import CommentSheet
from openpyxl.packaging.relationship import get_dependents
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.utils.cell import coordinate_to_tuple, get_column_letter
from openpyxl.utils.datetime import CALENDAR_MAC_1904, WINDOWS_EPOCH, from_excel
from openpyxl.utils.escape import unescape
from openpyxl.worksheet._reader import WorkSheetParser
from openpyxl.xml.constants import COMMENTS_NS, SHARED_STRINGS, SHEET_MAIN_NS
from openpyxl.xml.functions import fromstring, iterparse

from analyzer.errors import InputRefused
from analyzer.terms import utc_text

_MOST_UNPACKED: Final = 96 << 20
_MOST_ELEMENTS: Final = 2_000_000  # tags, of which a cell with a text has four to six; attributes
_MOST_OTHERS: Final = 50_000  # of parts without cells, which openpyxl reads slowly
_LONGEST_TEXT: Final = 1 << 16  # twice the most characters of a cell
_TOO_MANY: Final = "it has too many cells or elements"
_SPLIT_HINT: Final = "Split the review with --split-by, or decide in a CSV."
_KIND_HINT: Final = "Save it as .xlsx."
_DAMAGED_HINT: Final = "Open it in a spreadsheet program, and save it as .xlsx again."
_OTHER_XML: Final = re.compile(
    rb"<[^<>]{60000}|<\0?!\0?D|\A<\?xml [^>]*encoding=.(?!(?i:utf-8|utf-16|us-ascii))"
)
"""A tag with very many attributes, a document type, which can define what a few bytes unpack to, or
letters not seen as such.
"""

_OF_CELLS: Final = re.compile(rb"<(\w+:)?(worksheet|sst)[\s>]")


@dataclass(frozen=True, slots=True)
class CellError:
    """Hold the error that a cell shows, such as `#N/A`."""

    text: str


CellValue = str | float | bool | CellError | None


@dataclass(slots=True)
class SheetCells:
    """Hold the cells of a sheet that have a value, by row from 1 and column from 0.

    A sheet that is not read has no rows. `formulas` are cells with a formula, `struck` those with
    text that is struck through, perhaps in part, `formatted` those whose number format can show
    another value, with the format. `noted` are the names of cells with a note, `hidden` the rows
    and `hidden_columns` the columns that are hidden, or too small to be read.
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
    hidden_columns: set[int] = field(default_factory=set)
    formatted: dict[tuple[int, int], str] = field(default_factory=dict)

    def value(self, row: int, column: int) -> CellValue:
        """Return the value of a cell, None if it has none."""
        return self.rows.get(row, {}).get(column)

    def moment_text(self, serial: float) -> str:
        """Return the moment that a number means in this workbook, empty if it means none."""
        return _moment_text(serial, CALENDAR_MAC_1904 if self.counts_from_1904 else WINDOWS_EPOCH)


def cell_name(row: int, column: int) -> str:
    """Return the name of a cell, such as `C5`, by its row from 1 and its column from 0."""
    return f"{column_name(column)}{row}"


def column_name(column: int) -> str:
    """Return the letters of a column, such as `C`, by its number from 0."""
    return get_column_letter(column + 1)


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
    """Return the sheets; those with a cell that has one of these texts, or begins so, are read.

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
            reader = ExcelReader(io.BytesIO(content), keep_links=False)
            _check_archive(name, reader.archive)
            sheets = [*_sheets(name, reader, {head.casefold() for head in heads}, beginning)]
            _check_conditional_formats(name, reader.wb)
            return sheets
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
    if {info.compress_type for info in infos} - {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise ValueError("a part is packed in another way")
    if sum(info.file_size for info in infos) > _MOST_UNPACKED:
        message = f"it unpacks to more than {_MOST_UNPACKED >> 20} MiB"
        raise InputRefused.of_file(name, message, _SPLIT_HINT)
    elements = others = 0
    for info in infos:
        part = archive.read(info)
        if info.filename.endswith((".xml", ".rels", ".vml")) and _OTHER_XML.search(part):
            raise ValueError(
                f"{info.filename} has a very long tag, a document type or another encoding"
            )
        is_of_cells = _OF_CELLS.search(part, 0, 1000)
        elements += 0 if is_of_cells and is_of_cells[2] == b"worksheet" else _elements(part)
        others += 0 if is_of_cells else _elements(part)
        if elements > _MOST_ELEMENTS or others > _MOST_OTHERS:
            raise InputRefused.of_file(name, _TOO_MANY, _SPLIT_HINT)


def _elements(part: bytes) -> int:
    """Return the number of tags, or of attributes if they are more."""
    return max(part.count(b"<"), part.count(b"="))


def _sheets(
    name: str, reader: ExcelReader, heads: Collection[str], beginning: str
) -> Iterator[SheetCells]:
    reader.read_manifest()
    reader.read_workbook()
    apply_stylesheet(reader.archive, reader.wb)
    shared = _shared_texts(reader.archive, reader.package)
    pattern = _pattern([text for text, _ in shared], heads, beginning)
    read: set[str] = set()
    remaining = _MOST_ELEMENTS
    for sheet, related in reader.parser.find_sheets():
        if related.target in read:
            raise ValueError("two sheets are the same part")
        read.add(related.target)
        part = reader.archive.read(related.target)
        cells = SheetCells(sheet.name, sheet.state != "visible")
        if "chartsheet" not in related.Type and pattern.search(part):
            remaining -= _elements(part)
            if remaining < 0:
                raise InputRefused.of_file(name, _TOO_MANY, _SPLIT_HINT)
            _read_sheet(_Parser(part, reader.wb, shared), cells)
            merged = islice(_MERGED.finditer(part), _MOST_MERGED)
            cells.merged = [match[1].decode() for match in merged]
            cells.noted = {*_noted_cells(reader.archive, related.target)}
        yield cells


def _shared_texts(archive: zipfile.ZipFile, package: Any) -> list[tuple[str, bool]]:
    """Return the texts that cells share, each with whether it is struck through in part."""
    part = package.find(SHARED_STRINGS)
    texts = []
    if part:
        for _, element in iterparse(io.BytesIO(archive.read(part.PartName[1:]))):
            if element.tag == _tag("si"):
                texts.append(_text_and_strike(element))
                element.clear()
    return texts


def _tag(name: str) -> str:
    return f"{{{SHEET_MAIN_NS}}}{name}"


_TEXT, _RUN, _INLINE, _VALUE, _FORMULA = map(_tag, ("t", "r", "is", "v", "f"))
_DATA, _ROW, _CELL, _COLUMN = map(_tag, ("sheetData", "row", "c", "col"))
_MERGED: Final = re.compile(rb"<(?:\w+:)?mergeCell [^>]*\bref=.([A-Z0-9:]+)")
_MOST_MERGED: Final = 1_000
_MOST_COLUMNS: Final = 16_384  # of a sheet in Excel
_STRIKE: Final = f"{_tag('rPr')}/{_tag('strike')}"


def _text_and_strike(element: Any) -> tuple[str, bool]:
    """Return a text, perhaps of several runs, and whether one of them is struck through."""
    texts, is_struck = [], False
    for part in element:
        if part.tag == _TEXT:
            texts.append(part.text or "")
        elif part.tag == _RUN:
            texts.append(part.findtext(_TEXT) or "")
            strike = part.find(_STRIKE)
            is_struck |= strike is not None and strike.get("val") not in ("0", "false")
    text = "".join(texts)
    if len(text) > _LONGEST_TEXT:
        raise ValueError("a text is too long")
    return _unescaped(text), is_struck


def _unescaped(text: str) -> str:
    """Return a text with the characters that XML cannot hold, such as `_x0007_`."""
    if "_x" not in text:
        return text
    return unescape(text).encode("utf-16", "surrogatepass").decode("utf-16")


def _pattern(shared: list[str], heads: Collection[str], beginning: str) -> re.Pattern[bytes]:
    """Return a pattern that finds cells with one of the texts; it may find others besides."""
    longest = max(map(len, heads), default=0) + _BLANKS
    numbers = [
        str(at)
        for at, text in enumerate(shared)
        if text.startswith(beginning)
        or (len(text) < longest and " ".join(text.split()).casefold() in heads)
    ]
    texts = "|".join(map(re.escape, heads))
    of_shared = rf"|v>({'|'.join(numbers)})<" if numbers else ""
    every = rf"(?i)>\s*({texts})\s*<|>{re.escape(beginning)}|<(\w+:)?rPr{of_shared}"
    return re.compile(every.encode())


_BLANKS: Final = 50  # around and in a head


class _Parser(WorkSheetParser):
    """Read the rows of a sheet; texts are read in a fifth of the time."""

    def __init__(self, part: bytes, book: Any, shared: list[tuple[str, bool]]) -> None:
        formats = {
            "date_formats": book._date_formats,
            "timedelta_formats": book._timedelta_formats,
        }
        super().__init__(io.BytesIO(part), [], epoch=book.epoch, **formats)
        self._shared = shared
        shown = [_number_format(book, style.numFmtId) for style in book._cell_styles]
        self.odd_formats = {
            at: text for at, text in enumerate(shown) if can_show_another_value(text)
        }
        self.struck_styles = {
            at for at, style in enumerate(book._cell_styles) if book._fonts[style.fontId].strike
        }

    def parse_cell(self, element: Any) -> dict[str, Any]:
        """Return the place, value, type and style of a cell, and whether it is struck in part."""
        kind, text, is_struck = element.get("t", "n"), None, False
        inline = element.find(_INLINE) if kind == "inlineStr" else None
        if inline is not None:
            text, is_struck = _text_and_strike(inline)
        elif kind == "s" and (number := element.findtext(_VALUE)):
            if not number.isdecimal():
                raise ValueError(f"not the number of a text: {number}")
            text, is_struck = self._shared[int(number)]
        if text is None or element.find(_FORMULA) is not None:
            cell = dict(super().parse_cell(element))
        else:
            cell = {"value": text, "data_type": "s", "style_id": int(element.get("s", 0))}
            cell |= self._place(element.get("r"))
        cell["is_struck"] = is_struck or cell["style_id"] in self.struck_styles
        return cell

    def _place(self, name: str | None) -> dict[str, int]:
        """Return row and column of a cell; one without a name is beside the one before."""
        row, column = (self.row_counter, self.col_counter + 1)
        if name:
            row, column = coordinate_to_tuple(name)
        self.col_counter = column
        return {"row": row, "column": column}

    def parse_formula(self, _element: Any) -> Any:
        """Return any formula: openpyxl would translate shared ones."""
        return "="


def _number_format(book: Any, number: int) -> str:
    """Return the number format of a style, built in or defined in the workbook."""
    custom = number - BUILTIN_FORMATS_MAX_SIZE
    if 0 <= custom < len(book._number_formats):
        return str(book._number_formats[custom])
    return BUILTIN_FORMATS.get(number, "General")


def can_show_another_value(number_format: str) -> bool:
    """Return whether cells of a number format can show another value than theirs.

    Literal digits can, a scale (`0,`, `0%`), words instead of the value or nothing, and a word
    beside a text. Other words are shown beside a number or a day.
    """
    literals, places = [""], [""]
    for piece in _PIECE.finditer(number_format):
        if piece[0] == ";":
            literals.append("")
            places.append("")
        elif piece.lastgroup == "place":
            places[-1] += piece[0]
        else:
            literals[-1] += "".join(filter(None, piece.groups()))
    for literal, place in zip(literals, places, strict=True):
        has_words = any(map(str.isalnum, literal))
        has_place = bool(_PLACE.search(place))
        if any(map(str.isnumeric, literal)) or _SCALED.search(place):
            return True
        if has_words and ("@" in place or not has_place):
            return True
        if not (has_place or literal):
            return True
    return False


_PIECE: Final = re.compile(
    r'"([^"]*)"|[\\_*!](.)|\[\$([^\]-]*)[^\]]*\]|\[(?![hms]+\])[^\]]*\]|(?P<place>.)', re.IGNORECASE
)
"""Words, a mark that stands for itself, a currency; a colour or condition; what else is there."""

_SCALED: Final = re.compile(r"%|E[+-]|[0#?],+(?![0#?])", re.IGNORECASE)
_PLACE: Final = re.compile("[0#?@ymdhs]|General", re.IGNORECASE)


def _check_conditional_formats(name: str, book: Any) -> None:
    """Refuse a workbook whose conditional formats can show another value."""
    formats = (style.numFmt for style in book._differential_styles.styles)
    texts = (str(each.formatCode) for each in formats if each is not None)
    if odd := [text for text in texts if can_show_another_value(text)]:
        message = f"a conditional format can show other values than the cells have: {odd[0]}"
        raise InputRefused.of_file(name, message, "Remove this conditional format.")


_TRUE: Final = ("1", "true")
_NARROWEST: Final = 1.0  # characters
_LOWEST: Final = 4.0  # points


def _read_sheet(parser: _Parser, cells: SheetCells) -> None:
    """Read the rows; what follows them is not read."""
    cells.counts_from_1904 = parser.epoch == CALENDAR_MAC_1904
    values: dict[int, CellValue] = {}
    for event, element in iterparse(parser.source, events=("start", "end")):
        if event == "start":
            if element.tag == _ROW:
                values = _new_row(parser, element, cells)
            elif element.tag == _COLUMN and _is_hidden(element, "width", _NARROWEST):
                first, last = int(element.get("min")), int(element.get("max"))
                cells.hidden_columns.update(range(first - 1, min(last, _MOST_COLUMNS)))
        elif element.tag == _CELL:
            _add_cell(parser, parser.parse_cell(element), values, cells)
            element.clear()
        elif element.tag == _ROW:
            element.clear()
        elif element.tag == _DATA:
            break
    cells.rows = {row: cells.rows[row] for row in sorted(cells.rows) if cells.rows[row]}


def _is_hidden(element: Any, size: str, least: float) -> bool:
    """Return whether a row or column is hidden, or too small to show what it holds."""
    return element.get("hidden") in _TRUE or float(element.get(size, least)) < least


def _new_row(parser: _Parser, element: Any, cells: SheetCells) -> dict[int, CellValue]:
    """Return the values of a row, none so far."""
    number = int(element.get("r", parser.row_counter + 1))
    if number in cells.rows:
        raise ValueError(f"row {number} is there twice")
    parser.row_counter, parser.col_counter = number, 0
    if _is_hidden(element, "ht", _LOWEST):
        cells.hidden.add(number)
    return cells.rows.setdefault(number, {})


def _add_cell(
    parser: _Parser, cell: dict[str, Any], values: dict[int, CellValue], cells: SheetCells
) -> None:
    """Add the value of a cell to those of its row, and what else is to know of it."""
    value, at, row = cell["value"], cell["column"] - 1, parser.row_counter
    if cell["row"] != row or at in values or at >= _MOST_COLUMNS:
        raise ValueError(f"cell {cell_name(cell['row'], at)} is not where it should be")
    if cell["data_type"] == "f":
        cells.formulas.add((row, at))
    elif value is not None and value != "":
        if odd := parser.odd_formats.get(cell["style_id"]):
            cells.formatted[row, at] = odd
        values[at] = CellError(str(value)) if cell["data_type"] == "e" else _value(value)
        if cell["is_struck"]:
            cells.struck.add((row, at))


def _value(value: Any) -> CellValue:
    match value:
        case bool() | str():
            return value
        case datetime():
            return _text_of_moment(value)
        case date() | time() | timedelta():
            return str(value)
    return float(value)


def _noted_cells(archive: zipfile.ZipFile, target: str) -> Iterator[str]:
    path = f"{posixpath.dirname(target)}/_rels/{posixpath.basename(target)}.rels"
    related = get_dependents(archive, path).find(COMMENTS_NS) if path in archive.namelist() else ()
    for each in related:
        notes: Any = CommentSheet.from_tree(fromstring(archive.read(each.target)))  # type: ignore[arg-type]  # its stub
        yield from (name for name, _ in notes.comments)
