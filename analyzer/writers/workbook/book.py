"""Make the file: openpyxl keeps all but the rows of the sheets, which are streamed past it.

Nothing in the file tells the time of day at which it was made: same input, same bytes.
"""

import re
import shutil
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter

from analyzer.writers.workbook.style import registered

if TYPE_CHECKING:
    from openpyxl.worksheet.header_footer import HeaderFooterItem

EXCEL_ROWS: Final = 1_048_576
"""The rows of a sheet."""

CREATOR: Final = "credreport"

_HELD: Final = 8 << 20

_LARGE: Final = 1 << 30

_COMPRESSION: Final = 3
"""Half the time of zlib's usual 6, for a file a tenth larger."""

_NO_ROWS: Final = b"<sheetData></sheetData>"

_VIEWS: Final = b"<sheetViews>"

_AFTER_WARNINGS: Final = re.compile(rb"(?=<drawing |<tableParts|</worksheet>)")


class Sheet:
    """Hold one sheet: `frame` is what openpyxl keeps of it, `row` the number of the last row.

    Cells come as `cells` spells them. `ids` names the cells in which text looks like a number,
    for which Excel is not to warn.
    """

    def __init__(self, frame: Worksheet, rows: SpooledTemporaryFile[bytes]) -> None:
        """Begin with no rows; they go to a file that nobody else sees."""
        self.frame = frame
        self.row = 0
        self.ids = ""
        self._columns = 1
        self._rows = rows

    def add(self, cells: Sequence[str], height: float | None = None) -> int:
        """Add a row, and return its number; without a height, programs fit it to the text."""
        told = f' ht="{height}" customHeight="1"' if height else ""
        self._write([[cell] for cell in cells], f"{told}>")
        return self.row

    def add_many(self, columns: Sequence[Iterable[str]]) -> None:
        """Add rows, given as columns of cells."""
        self._write(columns, ">")

    def copy_to(self, part: Any, frame: bytes) -> None:
        """Write the sheet as a part of the file: the frame with the rows inside."""
        before, after = frame.split(_NO_ROWS)
        used = f'<dimension ref="A1:{get_column_letter(self._columns)}{max(self.row, 1)}"/>'
        part.write(before.replace(_VIEWS, used.encode() + _VIEWS, 1) + b"<sheetData>")
        self._rows.seek(0)
        shutil.copyfileobj(self._rows, part, 1 << 20)
        part.write(b"</sheetData>" + _AFTER_WARNINGS.sub(self._no_warnings(), after, count=1))

    @property
    def is_large(self) -> bool:
        """Tell whether the sheet may need the 64-bit form of zip."""
        return self._rows.tell() > _LARGE

    def skip(self, rows: int) -> None:
        """Leave rows empty."""
        self.row += rows

    def _write(self, columns: Sequence[Iterable[str]], opened: str) -> None:
        """Spell rows; the row's number is what stands between their pieces, once a cell."""
        self._columns = max(self._columns, len(columns))
        start = ('<row r="', f'{opened}<c r="A')
        thens = [f'<c r="{get_column_letter(at)}' for at in range(2, len(columns) + 1)]
        pieces = [
            [cell + then for cell in column]
            for column, then in zip(columns, [*thens, "</row>"], strict=True)
        ]
        rows = [
            f'{row}"'.join((*start, *cells))
            for row, cells in enumerate(zip(*pieces, strict=True), self.row + 1)
        ]
        self._rows.write("".join(rows).encode())
        self.row += len(rows)

    def _no_warnings(self) -> bytes:
        if not self.ids:
            return b""
        warning = f'<ignoredError sqref="{self.ids}" numberStoredAsText="1"/>'
        return f"<ignoredErrors>{warning}</ignoredErrors>".encode()


class Title(StrEnum):
    """Name a sheet; the order is that of the work, and then of looking things up."""

    SUMMARY = "Summary"
    UNUSED = "Unused users"
    CHANGES = "Changes"
    FINDINGS = "Findings"
    CONTROLS = "Controls"
    EVERYBODY = "All users"
    ROOTS = "Root users"
    EXEMPT = "Exempt"
    EXEMPTIONS = "Exemption list"
    UNDETERMINED = "Undetermined"
    METHOD = "Method"


class Book(ExitStack):
    """Hold the workbook; it gives its temporary files back when it is left."""

    def __init__(self, title: str, moment: datetime) -> None:
        """Begin with no sheets; the moment stands in the file as that of its making."""
        super().__init__()
        self._workbook = Workbook(write_only=True)
        self._sheets: dict[tuple[int, int], Sheet] = {}
        self.styles = registered(self._workbook)
        properties = self._workbook.properties
        properties.title = title
        properties.creator = properties.lastModifiedBy = CREATOR
        properties.created = properties.modified = moment.replace(tzinfo=None)

    def sheet(self, title: Title, number: int = 1) -> Sheet:
        """Return a new sheet, which gets its place when the file is written.

        What one sheet cannot hold goes on, on others with the same title and a number.
        """
        rows = self.enter_context(SpooledTemporaryFile(_HELD))  # noqa: SIM115  closed on exit
        name = title if number == 1 else f"{title} {number}"
        frame = cast("Worksheet", self._workbook.create_sheet(name))  # It has all we use.
        place = (list(Title).index(title), number)
        self._sheets[place] = Sheet(frame, rows)
        return self._sheets[place]

    def save(self, stream: BinaryIO) -> None:
        """Write the file."""
        sheets = [sheet for _, sheet in sorted(self._sheets.items())]
        self._workbook._sheets = [sheet.frame for sheet in sheets]  # type: ignore[attr-defined]  # noqa: SLF001  no public way
        with _Archive(stream, sheets) as archive:
            ExcelWriter(self._workbook, archive).write_data()


class _Archive(ZipFile):
    """Put the rows into the sheets as openpyxl writes these, and date every part 1980."""

    def __init__(self, stream: BinaryIO, sheets: Iterable[Sheet]) -> None:
        super().__init__(stream, "w", ZIP_DEFLATED, compresslevel=_COMPRESSION)
        self._sheets = iter(sheets)

    def writestr(self, zinfo_or_arcname: Any, data: Any, *_: Any, **__: Any) -> None:
        with self.open(zinfo_or_arcname, "w") as part:
            part.write(data.encode() if isinstance(data, str) else data)

    def write(self, filename: Any, arcname: Any = None, *_: Any, **__: Any) -> None:
        sheet = next(self._sheets)
        with self.open(arcname, "w", force_zip64=sheet.is_large) as part:
            sheet.copy_to(part, Path(filename).read_bytes())


A4: Final = 9

A3: Final = 8
"""Excel's numbers for sizes of paper."""


def set_widths(frame: "Worksheet", widths: Sequence[float]) -> None:
    """Make columns so many characters wide."""
    for at, width in enumerate(widths, 1):
        frame.column_dimensions[get_column_letter(at)].width = width


def for_print(frame: "Worksheet", footer: str, paper: int) -> None:
    """Set the sheet up for printing; the footer tells what it is, the sheet and the page."""
    frame.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    frame.page_setup.orientation = "landscape"
    frame.page_setup.paperSize = paper
    frame.page_setup.fitToWidth = 1
    frame.page_setup.fitToHeight = 0
    frame.page_margins.left = frame.page_margins.right = 0.4
    frame.page_margins.top = 0.5
    frame.page_margins.bottom = 0.7
    frame.page_margins.header = frame.page_margins.footer = 0.3
    foot = cast("HeaderFooterItem", frame.oddFooter)
    foot.left.text = footer.replace("&", "&&")
    foot.center.text = "&A"
    foot.right.text = "Page &P of &N"
