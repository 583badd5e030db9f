"""Define the styles of cells, collect the sheets in their order, and set them up for print.

Every colour has a meaning that the cell's text also gives. The file never holds today's date:
same input, same bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, BinaryIO, Final, Literal, Self, cast

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from analyzer.writers.workbook.archive import Sheet, write_archive

# Styles

INK: Final = "1F3864"  # the dark blue of titles and of the heads of tables
_DAY_FORMAT: Final = "yyyy-mm-dd"
ALARM_RED: Final = "C00000"
FONT: Final = "Arial"  # a system without it has a font of the same widths
_LINE: Final = Side(style="thin", color="D0D0D0")
_BOX: Final = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
_UNDERLINE: Final = Border(bottom=Side(style="medium", color=INK))
_NO_BORDER: Final = Border()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """Hold the look of cells; a cell with `quote` stays text when it is edited."""

    size: int = 9
    bold: bool = False
    italic: bool = False
    underline: Literal["single"] | None = None
    colour: str = "000000"
    fill: str | None = None
    border: Border = _BOX
    horizontal: str = "left"
    format: str = "General"
    wrap: bool = True
    vertical: str = "top"
    quote: bool = False
    indent: int = 0


_PLAIN: Final = _Look()
_HEAD: Final = _Look(bold=True, colour="FFFFFF", fill=INK)


class CellStyle(StrEnum):
    """Name a kind of cell, with its look; verdicts, severities and results keep their words."""

    look: _Look

    def __new__(cls, name: str, look: _Look = _PLAIN) -> Self:
        """Return a word with a look."""
        style = str.__new__(cls, name)
        style._value_ = name
        style.look = look
        return style

    TITLE = "title", _Look(size=20, bold=True, colour=INK, border=_NO_BORDER, wrap=False)
    SUBTITLE = "subtitle", _Look(size=12, colour="404040", border=_NO_BORDER, wrap=False)
    LINK = "link", _Look(bold=True, colour="0563C1", underline="single")
    RESULT = "result", _Look(size=12, bold=True, border=_NO_BORDER, wrap=False)
    SECTION = "section", _Look(size=13, bold=True, colour=INK, border=_UNDERLINE, wrap=False)
    HEADER = "header", replace(_HEAD, vertical="center")
    COUNT_HEADER = "count header", replace(_HEAD, vertical="center", horizontal="right", indent=1)
    FILTER_HEADER = "filter header", _HEAD
    LABEL = "label", _Look(bold=True, fill="F2F2F2")
    TEXT = "text", _Look(quote=True)
    REMARK = "remark", _Look(colour="404040", border=_NO_BORDER, wrap=False, quote=True)
    DATE = "date", _Look(format=f"{_DAY_FORMAT} hh:mm")
    DAY = "day", _Look(format=_DAY_FORMAT)
    NUMBER = "number", _Look(horizontal="right", indent=1, format="#,##0")
    DECIMAL = "decimal", _Look(horizontal="right", indent=1, format="General")
    TOTAL = "total", _Look(bold=True, horizontal="right", indent=1, format="#,##0", fill="F2F2F2")
    FAINT = "faint", _Look(colour="767676")
    NOT_UNDERSTOOD = (
        "not understood",
        _Look(italic=True, colour="7B0000", fill="EDEDED", quote=True),
    )
    INPUT = "input", _Look(fill="FFFFE0")
    INPUT_DAY = "input day", _Look(fill="FFFFE0", format=_DAY_FORMAT)
    NONE = "none", _Look(colour="767676", horizontal="right", indent=1)
    SUCCESS = "success", _Look(bold=True, colour="375623", fill="E2EFDA")
    UNDETERMINED = "undetermined", _Look(italic=True, fill="D0CECE")
    UNUSED = "unused", _Look(bold=True, fill="F4B084")
    RETIRED = "retired", _Look(fill="FFE699")
    DORMANT = "dormant", _Look(fill="DDEBF7")
    ACTIVE = "active", _Look(fill="E2EFDA")
    CERTAIN = "certain", _Look(bold=True)
    CHECK = "check", _Look(italic=True, fill="FFF2CC")
    CRITICAL = "critical", _Look(bold=True, colour="FFFFFF", fill="9C0006")


def _solid(colour: str) -> PatternFill:
    return PatternFill("solid", start_color=colour, end_color=colour)


ALARM: Final = _solid(ALARM_RED)  # the dark red, under white text, of a check that fails

Styles = Mapping[CellStyle, int]  # the number under which a workbook knows each style


def _styles(workbook: Workbook) -> Styles:
    """Make all styles known to a workbook, and return their numbers."""
    sheet, numbers = workbook.create_sheet(), {}
    for style in CellStyle:
        cell, look = WriteOnlyCell(sheet), style.look
        cell.font = Font(
            FONT,
            look.size,
            bold=look.bold,
            italic=look.italic,
            underline=look.underline,
            color=look.colour,
        )
        if look.fill:
            cell.fill = _solid(look.fill)
        cell.border = look.border
        at = look.horizontal, look.vertical
        cell.alignment = Alignment(*at, wrap_text=look.wrap, indent=look.indent)
        cell.number_format = look.format
        cell.quotePrefix = look.quote
        numbers[style] = cell.style_id
    workbook.remove(sheet)
    return numbers


# Sheets

_DEFAULT_FONT: Final = f'<font><name val="{FONT}"/><sz val="10"/></font>'


class SheetName(StrEnum):
    """Name a sheet, in order: sheets to work in, then reference sheets, then those of a history."""

    SUMMARY = "Summary"
    ACCOUNTS = "Accounts and owners"
    UNUSED = "Unused users"
    INACTIVE = "Inactive users"
    UNDETERMINED = "Undetermined"
    FINDINGS = "Findings"
    EXEMPT = "Exempt"
    FOLLOW_UP = "Follow-up"
    ROOTS = "Root users"
    ALL_USERS = "All users"
    METHOD = "Method"
    PERIOD = "Period"
    USERS = "Users"
    EVENTS = "Events"
    REPORTS = "Reports"
    DECISIONS = "Decisions"


class Book:
    """Hold the workbook, and its sheets in the order of their titles."""

    def __init__(self, name: str, scope: str, moment: datetime) -> None:
        """Begin with no sheets; `moment` is the creation time.

        `name`, and the reports as `scope`, are printed on each page.
        """
        self._heading = name, scope
        self._workbook = Workbook(write_only=True)
        self._sheets: dict[tuple[int, int], Sheet] = {}
        self.styles = _styles(self._workbook)
        properties = self._workbook.properties
        properties.title = name
        properties.creator = properties.lastModifiedBy = "credreport"
        properties.created = properties.modified = moment.replace(tzinfo=None)

    def sheet(self, title: SheetName, number: int = 1) -> Sheet:
        """Return a new sheet; rows beyond the limit of a sheet go to the next number."""
        key = [*SheetName].index(title), number
        before = sum(other < key for other in self._sheets)
        name = title if number == 1 else f"{title} {number}"
        # It has all we use.
        worksheet = cast("Worksheet", self._workbook.create_sheet(name, before))
        _set_print_page(worksheet, *self._heading)
        self._sheets[key] = Sheet(worksheet)
        return self._sheets[key]

    def name_cell(self, name: str, cell: str) -> None:
        """Name a cell, such as `'Summary'!$A$9`, for links that are written before it."""
        self._workbook.defined_names[name] = DefinedName(name, attr_text=cell)

    def save(self, stream: BinaryIO) -> None:
        """Write the file."""
        sheets = [self._sheets[key] for key in sorted(self._sheets)]
        write_archive(self._workbook, sheets, _DEFAULT_FONT, stream)


_A4: Final = 9  # Excel's number of the paper
_LONGEST_SCOPE: Final = 130  # characters that fit beside the name on a page; Excel allows 255


def set_widths(worksheet: Worksheet, widths: Sequence[float]) -> None:
    """Set the widths of the first columns, in characters."""
    for at, width in enumerate(widths, 1):
        worksheet.column_dimensions[get_column_letter(at)].width = width


def _set_print_page(worksheet: Worksheet, name: str, scope: str) -> None:
    """Print a sheet landscape on A4, as wide as the page; each page names the reports."""
    header = scope.replace("&", "&&")  # A single & begins a code.
    if len(header) > _LONGEST_SCOPE:
        cut = header[:_LONGEST_SCOPE]
        header = f"{cut[: len(cut) - (len(cut) - len(cut.rstrip('&'))) % 2]}…"
    worksheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    worksheet.page_setup.orientation = "landscape"
    worksheet.page_setup.paperSize = _A4
    worksheet.page_setup.fitToWidth = 1
    worksheet.page_setup.fitToHeight = 0
    worksheet.page_margins.left = worksheet.page_margins.right = 0.3
    worksheet.page_margins.top = worksheet.page_margins.bottom = 0.7
    worksheet.page_margins.header = worksheet.page_margins.footer = 0.3
    top: Any = worksheet.oddHeader
    foot: Any = worksheet.oddFooter
    top.left.text = name
    top.right.text = header
    foot.right.text = "&A, page &P of &N"
