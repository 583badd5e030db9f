"""Stream the rows of sheets past openpyxl: the one module that relies on internals of libraries.

Arrow joins columns of cells to rows, which are copied into the file between the parts that openpyxl
writes, in constant memory: all sheets of 100,000 users take 0.24 of the time of one sheet by
`DataFrame.to_excel`, which makes an object of each cell.

The module relies on these facts, which tests/writers/test_workbook_cells.py checks:

- `Workbook._fonts` is the list of fonts; the first one is the default and the unit of widths.
- `Workbook._sheets` is the list of sheets in the order of the file.
- `ExcelWriter(workbook, archive).write_data()` hands every part to `archive.writestr(name, text)`,
  and every sheet, in that order, as a file on disk to `archive.write(path, name)`.
- A part that `ZipFile.open` gives has `_compressor` and `_fileobj`, and keeps in `_crc`,
  `_file_size` and `_compress_size` what zipfile writes behind it.
- A sheet without rows holds `<sheetData></sheetData>` once, behind `<sheetViews>`; a drawing,
  tables and the end follow in this order, behind all that must precede `<ignoredErrors>`.
"""

import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import IO, Any, BinaryIO, Final
from zipfile import ZIP_DEFLATED, ZipFile
from zlib import MAX_WBITS, Z_FULL_FLUSH, compressobj, crc32

import numpy as np
import pyarrow as pa
from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.utils.indexed_list import IndexedList
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter

from analyzer.files import seal
from analyzer.report.values import joined
from analyzer.writers.tables import cell_bytes, text_column

_LARGE: Final = 1 << 30  # larger sheets, in bytes, may need the 64-bit form of zip

_COMPRESSION: Final = 2
"""Less than half the time of zlib's usual 6, for sheets a quarter larger."""

_NO_ROWS: Final = b"<sheetData></sheetData>"
_VIEWS: Final = b"<sheetViews>"
_AFTER_WARNINGS: Final = re.compile(rb"(?=<drawing |<tableParts|</worksheet>)")


def new_workbook(font: Font) -> Workbook:
    """Return a workbook without sheets; a column of width 1 holds one digit of the font."""
    workbook = Workbook(write_only=True)
    workbook._fonts = IndexedList([font])  # type: ignore[attr-defined]  # no public way
    return workbook


class DeflatedRows:
    """Hold the rows of a sheet in a file, deflated as they come, as the workbook has them.

    What stands before the rows is known last. Rows that wait as plain text take twelve times the
    space, and a tenth more of the time; none of them is deflated twice.
    """

    def __init__(self, file: IO[bytes]) -> None:
        """Begin with no rows, in an empty file."""
        self._file = file
        self._deflated = compressobj(_COMPRESSION, wbits=-MAX_WBITS)
        self._crc = self.size = 0

    def write(self, rows: bytes | memoryview) -> None:
        """Add rows."""
        self._crc = crc32(rows, self._crc)
        self.size += len(rows)
        self._file.write(self._deflated.compress(rows))

    def copy_to(self, part: Any) -> None:
        """Append the rows to a part of a zip file, to which more can be written."""
        # After a full flush, nothing refers to what stands before it.
        self._file.write(self._deflated.flush(Z_FULL_FLUSH))
        before = part._compressor.flush(Z_FULL_FLUSH)
        part._fileobj.write(before)
        part._compress_size += len(before) + self._file.tell()
        part._file_size += self.size
        part._crc = _crc32_of_both(part._crc, self._crc, self.size)
        self._file.seek(0)
        shutil.copyfileobj(self._file, part._fileobj)


def _crc32_of_both(first: int, second: int, length: int) -> int:
    """Return the CRC-32 of two texts, one behind the other; the second has `length` bytes.

    The first is shifted by as many bytes: multiplied by x to the power of 8 times `length`, modulo
    the polynomial of CRC-32, whose bits stand in reverse order.
    """
    power = _X_TO_THE_8TH
    while length:
        if length & 1:
            first = _product(first, power)
        power = _product(power, power)
        length >>= 1
    return first ^ second


_X_TO_THE_8TH: Final = 1 << 23
_POLYNOMIAL: Final = 0xEDB88320


def _product(one: int, other: int) -> int:
    product = 0
    for bit in range(31, -1, -1):
        if one >> bit & 1:
            product ^= other
        other = other >> 1 ^ (_POLYNOMIAL if other & 1 else 0)
    return product


@dataclass(slots=True, eq=False)
class Sheet:
    """Hold one sheet: `worksheet` is its part in openpyxl, `row` the number of the last row.

    `number_like` are cells with text like numbers, for which Excel must not warn.
    """

    worksheet: Worksheet
    rows: DeflatedRows
    row: int = 0
    number_like: str = ""
    _columns: int = 1

    def add(
        self, cells: Sequence[str], height: float | None = None, *, is_hidden: bool = False
    ) -> int:
        """Add a row, and return its number; without a height, programs fit it to the text."""
        self.row += 1
        self._columns = max(self._columns, len(cells))
        attributes = f' ht="{height}" customHeight="1"' if height else ""
        attributes = f'{attributes} hidden="1"' if is_hidden else attributes
        letters = map(get_column_letter, range(1, len(cells) + 1))
        named = zip(letters, cells, strict=True)
        spelled = "".join(f'<c r="{letter}{self.row}"{cell}' for letter, cell in named)
        self.rows.write(f'<row r="{self.row}"{attributes}>{spelled}</row>'.encode())
        return self.row

    def add_many(self, rows: int, columns: Sequence[pa.Array | str]) -> None:
        """Add `rows` rows, given as columns of cells; a str is the cell of every row."""
        self._columns = max(self._columns, len(columns))
        numbers = pa.array(np.arange(self.row + 1, self.row + rows + 1))
        number = joined(text_column(numbers), '"')  # the row's number, in each of its cells
        named = zip(map(get_column_letter, count(1)), columns, strict=False)
        parts = chain.from_iterable((f'<c r="{letter}', number, cell) for letter, cell in named)
        self.rows.write(cell_bytes(joined('<row r="', number, ">", *parts, "</row>")))
        self.row += rows

    def copy_to(self, part: Any, xml: bytes) -> None:
        """Write the sheet as a part of the file: its XML with the rows inside."""
        before, after = xml.split(_NO_ROWS)
        area = f'<dimension ref="A1:{get_column_letter(self._columns)}{max(self.row, 1)}"/>'
        part.write(before.replace(_VIEWS, area.encode() + _VIEWS, 1) + b"<sheetData>")
        self.rows.copy_to(part)
        warning = f'<ignoredError sqref="{self.number_like}" numberStoredAsText="1"/>'
        ignored = f"<ignoredErrors>{warning}</ignoredErrors>" if self.number_like else ""
        part.write(b"</sheetData>" + _AFTER_WARNINGS.sub(ignored.encode(), after, count=1))


def write_archive(workbook: Workbook, sheets: Sequence[Sheet], stream: BinaryIO) -> None:
    """Write the file with the sheets in this order."""
    workbook._sheets = [sheet.worksheet for sheet in sheets]  # type: ignore[attr-defined]  # no public way
    with _Archive(stream, sheets) as archive:
        ExcelWriter(workbook, archive).write_data()
        archive.comment = seal(archive)


class _Archive(ZipFile):
    """Insert the rows while openpyxl writes each sheet, and date every part 1980."""

    def __init__(self, stream: BinaryIO, sheets: Iterable[Sheet]) -> None:
        super().__init__(stream, "w", ZIP_DEFLATED, compresslevel=_COMPRESSION)
        self._sheets = iter(sheets)

    def writestr(self, zinfo_or_arcname: Any, data: Any, *_: Any, **__: Any) -> None:
        with self.open(zinfo_or_arcname, "w") as part:
            part.write(data.encode() if isinstance(data, str) else data)

    def write(self, filename: Any, arcname: Any = None, *_: Any, **__: Any) -> None:
        sheet = next(self._sheets)
        with self.open(arcname, "w", force_zip64=sheet.rows.size > _LARGE) as part:
            sheet.copy_to(part, Path(filename).read_bytes())
