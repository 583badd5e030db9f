"""Collect the sheets of the workbook in their order, and set them up for print and screen.

Nothing in the file holds today's date: same input, same bytes.
"""

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, Final, cast

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.properties import Outline, PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from analyzer.decisions.review_columns import EXEMPT, INACTIVE_USERS, UNDETERMINED, UNUSED_USERS
from analyzer.writers.workbook.archive import Sheet, new_workbook, write_archive
from analyzer.writers.workbook.style import DEFAULT_FONT, register_styles

EXCEL_ROWS: Final = 1_048_576
"""The rows of a sheet."""

_IN_MEMORY: Final = 8 << 20
"""Bytes of rows of a sheet, compressed; rows beyond them go to a file on disk."""


class Title(StrEnum):
    """Name a sheet; the order is that of the work, then of looking things up, then of a history."""

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
    PERIOD = "Period"
    USERS = "Users"
    EVENTS = "Events"
    REPORTS = "Reports"


class Book(ExitStack):
    """Hold the workbook; it gives its temporary files back when it is left."""

    def __init__(
        self, name: str, scope: str, moment: datetime, titles: Collection[Title], rows_a_sheet: int
    ) -> None:
        """Begin with no sheets; the moment stands in the file as that of its making.

        Its name and scope, the reports, are printed on each page; `titles` are those of the sheets
        that are wanted; a sheet has at most so many rows, the head included.
        """
        super().__init__()
        self.titles = titles
        self.rows_a_sheet = rows_a_sheet
        self._heading = name, scope
        self._workbook = new_workbook(DEFAULT_FONT)
        self._sheets: dict[tuple[Title, int], Sheet] = {}
        self.styles = register_styles(self._workbook)
        properties = self._workbook.properties
        properties.title = name
        properties.creator = properties.lastModifiedBy = "credreport"
        properties.created = properties.modified = moment.replace(tzinfo=None)

    def sheet(self, title: Title, number: int = 1) -> Sheet:
        """Return a new sheet, which gets its place when the file is written.

        What one sheet cannot hold goes on, on others with the same title and a number.
        """
        rows = self.enter_context(SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115  closed on exit
        name = title if number == 1 else f"{title} {number}"
        frame = cast("Worksheet", self._workbook.create_sheet(name))  # It has all we use.
        _set_print_page(frame, *self._heading)
        sheet = self._sheets[title, number] = Sheet(frame, rows)
        return sheet

    def __contains__(self, title: Title) -> bool:
        """Return whether there is a sheet with the title."""
        return (title, 1) in self._sheets

    def save(self, stream: BinaryIO) -> None:
        """Write the file, with the sheets in the order of their titles."""
        order = list(Title)
        places = sorted(self._sheets, key=lambda place: (order.index(place[0]), place[1]))
        write_archive(self._workbook, [self._sheets[place] for place in places], stream)


@dataclass(frozen=True, slots=True)
class PrintForm:
    """Define how a list is printed: on which paper (Excel's number), at which scale (per cent).

    `room` is the width of all columns of a page, in characters.
    """

    paper: int
    room: float
    scale: int


LARGE_PRINT: Final = PrintForm(paper=9, room=151.5, scale=89)
"""On A4, and as well on Letter; text of 9 points is printed at 8."""

SMALL_PRINT: Final = PrintForm(paper=8, room=306, scale=67)
"""On A3; text of 9 points is printed at 6."""

_SIGN_OFF: Final = (
    "Reviewed by: ______________________  Date: ____________  Signature: ______________"
)
_LONGEST_SCOPE: Final = 110
"""Excel refuses a header of more than 255 characters; each `&` counts twice."""


def set_widths(frame: Worksheet, widths: Sequence[float]) -> None:
    """Set the widths of the first columns, in characters."""
    for at, width in enumerate(widths, 1):
        frame.column_dimensions[get_column_letter(at)].width = width


def _set_print_page(frame: Worksheet, name: str, scope: str) -> None:
    """Print a sheet landscape on A4, as wide as the page; each page names the reports."""
    frame.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    frame.page_setup.orientation = "landscape"
    frame.page_setup.paperSize = LARGE_PRINT.paper
    frame.page_setup.fitToWidth = 1
    frame.page_setup.fitToHeight = 0
    frame.page_margins.left = frame.page_margins.right = 0.3
    frame.page_margins.top = frame.page_margins.bottom = 0.7
    frame.page_margins.header = frame.page_margins.footer = 0.3
    top: Any = frame.oddHeader
    foot: Any = frame.oddFooter
    top.left.text = name
    top.right.text = scope[:_LONGEST_SCOPE].replace("&", "&&")
    foot.right.text = "&A, page &P of &N"


def add_sign_off(frame: Worksheet) -> None:
    """Print a line to sign at the foot of each page."""
    foot: Any = frame.oddFooter
    foot.left.text = _SIGN_OFF


def set_print_blocks(
    frame: Worksheet, widths: Sequence[float], repeated: int, rows: int, form: PrintForm
) -> None:
    """Print columns on pages side by side; the first ones are repeated on each page."""
    frame.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=False)
    frame.page_setup.paperSize = form.paper
    frame.page_setup.scale = form.scale
    frame.page_setup.fitToWidth = frame.page_setup.fitToHeight = None
    frame.page_setup.pageOrder = "overThenDown"
    frame.print_area = f"A1:{get_column_letter(len(widths))}{rows}"
    frame.print_title_cols = f"A:{get_column_letter(repeated)}"
    used = 0.0
    for at, width in enumerate(widths):
        if used + width > form.room:
            frame.col_breaks.append(Break(id=at))
            used = sum(widths[:repeated])
        used += width


def fold_columns(frame: Worksheet, folded: Sequence[int]) -> None:
    """Put columns, by number, in closed outline groups; the button is on the column before."""
    if folded:
        frame.sheet_properties.outlinePr = Outline(summaryRight=False)
    for at in folded:
        before, column = (frame.column_dimensions[get_column_letter(n)] for n in (at - 1, at))
        column.outlineLevel = 1
        column.hidden = True
        before.collapsed = at - 1 not in folded
