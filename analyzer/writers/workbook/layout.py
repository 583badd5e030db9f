"""Set widths and the print-out of a sheet: landscape, as wide as the paper, numbered pages."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, cast

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties

if TYPE_CHECKING:
    from openpyxl.worksheet.header_footer import HeaderFooterItem
    from openpyxl.worksheet.worksheet import Worksheet

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
