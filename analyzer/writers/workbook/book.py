"""Collect the sheets of the workbook in their order, and set them up for print and screen.

Nothing in the file holds today's date: same input, same bytes.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from enum import StrEnum
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.properties import Outline, PageSetupProperties

from analyzer.review_columns import EXEMPT, INACTIVE_USERS, UNDETERMINED, UNUSED_USERS
from analyzer.writers.workbook.archive import Sheet, new_workbook, write_archive
from analyzer.writers.workbook.style import DEFAULT_FONT, register_styles

if TYPE_CHECKING:
    from openpyxl.worksheet.header_footer import HeaderFooterItem
    from openpyxl.worksheet.worksheet import Worksheet

EXCEL_ROWS: Final = 1_048_576
"""The rows of a sheet."""

CREATOR: Final = "credreport"

_IN_MEMORY: Final = 8 << 20
"""Rows of a sheet beyond so many bytes, compressed, go to a file on disk."""


class Title(StrEnum):
    """Name a sheet; the order is that of the work, and then of looking things up."""

    SUMMARY = "Summary"
    UNUSED = UNUSED_USERS
    INACTIVE = INACTIVE_USERS
    UNDETERMINED = UNDETERMINED
    FOLLOW_UP = "Follow-up"
    CHANGES = "Changes"
    FINDINGS = "Findings"
    CONTROLS = "Controls"
    ALL_USERS = "All users"
    ROOTS = "Root users"
    EXEMPT = EXEMPT
    EXEMPTIONS = "Exemption list"
    METHOD = "Method"


class Book(ExitStack):
    """Hold the workbook; it gives its temporary files back when it is left."""

    def __init__(self, title: str, moment: datetime) -> None:
        """Begin with no sheets; the moment stands in the file as that of its making."""
        super().__init__()
        self._workbook = new_workbook(DEFAULT_FONT)
        self._sheets: dict[tuple[int, int], Sheet] = {}
        self.styles = register_styles(self._workbook)
        properties = self._workbook.properties
        properties.title = title
        properties.creator = properties.lastModifiedBy = CREATOR
        properties.created = properties.modified = moment.replace(tzinfo=None)

    def sheet(self, title: Title, number: int = 1) -> Sheet:
        """Return a new sheet, which gets its place when the file is written.

        What one sheet cannot hold goes on, on others with the same title and a number.
        """
        rows = self.enter_context(SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115  closed on exit
        name = title if number == 1 else f"{title} {number}"
        frame = cast("Worksheet", self._workbook.create_sheet(name))  # It has all we use.
        place = (list(Title).index(title), number)
        self._sheets[place] = Sheet(frame, rows)
        return self._sheets[place]

    def save(self, stream: BinaryIO) -> None:
        """Write the file."""
        write_archive(self._workbook, [sheet for _, sheet in sorted(self._sheets.items())], stream)


A4: Final = 9

A3: Final = 8
"""Excel's numbers for sizes of paper."""


def set_widths(frame: "Worksheet", widths: Sequence[float]) -> None:
    """Make columns so many characters wide."""
    for at, width in enumerate(widths, 1):
        frame.column_dimensions[get_column_letter(at)].width = width


def set_print_page(frame: "Worksheet", footer: str, paper: int) -> None:
    """Print the sheet landscape, as wide as the page; the footer names the report and the page."""
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
    foot.right.text = "&A, page &P of &N"


PrintBlocks = tuple[int, ...]
"""The last column of each block of columns that is printed on a page of its own."""

_BLOCK_SCALE: Final = 89
"""Per cent: text of 9 points is printed at 8."""

_BLOCK_MARGIN: Final = 0.3
"""Inches left and right."""


def set_print_blocks(frame: "Worksheet", blocks: PrintBlocks, repeated: int, rows: int) -> None:
    """Print blocks of columns on A4 or Letter, with the first columns on each page."""
    frame.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=False)
    frame.page_setup.paperSize = A4
    frame.page_setup.scale = _BLOCK_SCALE
    frame.page_margins.left = frame.page_margins.right = _BLOCK_MARGIN
    frame.page_setup.fitToWidth = frame.page_setup.fitToHeight = None
    frame.page_setup.pageOrder = "overThenDown"
    frame.print_area = f"A1:{get_column_letter(blocks[-1])}{rows}"
    frame.print_title_cols = f"A:{get_column_letter(repeated)}"
    for last in blocks[:-1]:
        frame.col_breaks.append(Break(id=last))


def fold_columns(frame: "Worksheet", folded: Sequence[int]) -> None:
    """Put columns, by number, in closed outline groups; the button is on the column before."""
    if folded:
        frame.sheet_properties.outlinePr = Outline(summaryRight=False)
    for at in folded:
        dimension = frame.column_dimensions[get_column_letter(at)]
        dimension.outlineLevel = 1
        dimension.hidden = True
        before = frame.column_dimensions[get_column_letter(at - 1)]
        before.collapsed = at - 1 not in folded
