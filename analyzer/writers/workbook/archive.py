"""Stream the rows of sheets past openpyxl.

Arrow joins columns of cells to rows, which become part of the file between what openpyxl writes of
a sheet, in constant memory: all sheets of 100,000 users take 0.24 of the time of one sheet by
`DataFrame.to_excel`, which makes an object of each cell.

The module relies on these facts, which tests/writers/test_workbook_cells.py checks:

- `ExcelWriter(workbook, archive).write_data()` hands every part to `archive.writestr(name, text)`,
  and every sheet, in its order, as a file on disk to `archive.write(path, name)`.
- A sheet without rows holds `<sheetData></sheetData>` once, behind `<sheetViews>`; a drawing,
  tables and the end follow in this order, behind all that must precede `<ignoredErrors>`.
- The first font of `xl/styles.xml` is the default and the unit of widths.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import Any, BinaryIO, Final
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pyarrow as pa
from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter

from analyzer.files import seal
from analyzer.report.values import joined
from analyzer.writers.tables import cell_bytes, text_column

_MANY_CELLS: Final = 1 << 23  # a sheet with more may need the 64-bit form of zip

_COMPRESSION: Final = 2
"""Less than half the time of zlib's usual 6, for sheets a quarter larger."""

_NO_ROWS: Final = b"<sheetData></sheetData>"
_VIEWS: Final = b"<sheetViews>"
_AFTER_WARNINGS: Final = re.compile(rb"(?=<drawing |<tableParts|</worksheet>)")
_FIRST_FONT: Final = re.compile(rb"<font>.*?</font>", re.DOTALL)
_STYLES: Final = "xl/styles.xml"

CellColumns = Callable[[], Sequence[pa.Array | str]]
"""A function that makes columns of cells when they are written; a str is the cell of every row."""


@dataclass(slots=True, eq=False)
class Sheet:
    """Hold one sheet: `worksheet` is its part in openpyxl, `row` the number of the last row.

    `number_like` are cells with text like numbers, for which Excel must not warn.
    """

    worksheet: Worksheet
    row: int = 0
    number_like: str = ""
    _columns: int = 1
    _blocks: list[Callable[[], bytes | memoryview]] = field(default_factory=list)

    @property
    def needs_64_bits(self) -> bool:
        """Return whether the part may have 2 GiB or more."""
        return self.row * self._columns > _MANY_CELLS

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
        row = f'<row r="{self.row}"{attributes}>{spelled}</row>'.encode()
        self._blocks.append(lambda: row)
        return self.row

    def add_many(self, rows: int, columns: CellColumns) -> None:
        """Add `rows` rows, whose cells are made when the file is written."""
        self._blocks.append(partial(_row_block, self.row + 1, rows, columns))
        self.row += rows

    def write_to(self, part: Any, xml: bytes) -> None:
        """Write the sheet as a part of the file: its XML with the rows inside."""
        before, after = xml.split(_NO_ROWS)
        area = f'<dimension ref="A1:{get_column_letter(self._columns)}{max(self.row, 1)}"/>'
        part.write(before.replace(_VIEWS, area.encode() + _VIEWS, 1) + b"<sheetData>")
        for block in self._blocks:
            part.write(block())
        warning = f'<ignoredError sqref="{self.number_like}" numberStoredAsText="1"/>'
        ignored = f"<ignoredErrors>{warning}</ignoredErrors>" if self.number_like else ""
        part.write(b"</sheetData>" + _AFTER_WARNINGS.sub(ignored.encode(), after, count=1))


def _row_block(first: int, rows: int, columns: CellColumns) -> bytes | memoryview:
    numbers = pa.array(np.arange(first, first + rows))
    number = joined(text_column(numbers), '"')  # the row's number, in each of its cells
    named = zip(map(get_column_letter, count(1)), columns(), strict=False)
    parts = chain.from_iterable((f'<c r="{letter}', number, cell) for letter, cell in named)
    return cell_bytes(joined('<row r="', number, ">", *parts, "</row>"))


def write_archive(
    workbook: Workbook, sheets: Iterable[Sheet], default_font: str, stream: BinaryIO
) -> None:
    """Write the file with the sheets in the order of the workbook.

    A column of width 1 holds one digit of the default font, which is XML.
    """
    with _Archive(stream, sheets, default_font.encode()) as archive:
        ExcelWriter(workbook, archive).write_data()
        archive.comment = seal(archive)


class _Archive(ZipFile):
    """Insert the rows while openpyxl writes each sheet, and date every part 1980."""

    def __init__(self, stream: BinaryIO, sheets: Iterable[Sheet], default_font: bytes) -> None:
        super().__init__(stream, "w", ZIP_DEFLATED, compresslevel=_COMPRESSION)
        self._sheets = iter(sheets)
        self._default_font = default_font

    def writestr(self, zinfo_or_arcname: Any, data: Any, *_: Any, **__: Any) -> None:
        content = data.encode() if isinstance(data, str) else data
        if zinfo_or_arcname == _STYLES:
            content = _FIRST_FONT.sub(self._default_font, content, count=1)
        with self.open(zinfo_or_arcname, "w") as part:
            part.write(content)

    def write(self, filename: Any, arcname: Any = None, *_: Any, **__: Any) -> None:
        sheet = next(self._sheets)
        with self.open(arcname, "w", force_zip64=sheet.needs_64_bits) as part:
            sheet.write_to(part, Path(filename).read_bytes())
