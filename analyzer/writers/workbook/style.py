"""Define the styles of cells. Every colour has a meaning that the cell's text says too."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

INK: Final = "1F3864"
"""The dark blue of titles and of the heads of tables."""

MOMENT_FORMAT: Final = "yyyy-mm-dd hh:mm"
DAY_FORMAT: Final = "yyyy-mm-dd"
ALARM_RED: Final = "C00000"
FONT: Final = "Arial"
"""Wherever it is missing, there is one of the same widths."""

DEFAULT_FONT: Final = Font(name=FONT, size=10)
_LINE: Final = Side(style="thin", color="D0D0D0")
_BOX: Final = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
_UNDERLINE: Final = Border(bottom=Side(style="medium", color=INK))
_NOTHING: Final = Border()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """Say how cells look; a cell with `quote` stays text when it is edited."""

    size: int = 9
    bold: bool = False
    italic: bool = False
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


class CellStyle(StrEnum):
    """Name what a cell is, with its look; verdicts, severities and results by their words."""

    look: _Look

    def __new__(cls, name: str, look: _Look = _PLAIN) -> Self:
        """Return a word that has a look."""
        style = str.__new__(cls, name)
        style._value_ = name
        style.look = look
        return style

    TITLE = "title", _Look(size=20, bold=True, colour=INK, border=_NOTHING, wrap=False)
    SUBTITLE = "subtitle", _Look(size=12, colour="404040", border=_NOTHING, wrap=False)
    SECTION = "section", _Look(size=13, bold=True, colour=INK, border=_UNDERLINE, wrap=False)
    HEADER = "header", _Look(bold=True, colour="FFFFFF", fill=INK, vertical="center")
    COUNT_HEADER = (
        "count header",
        _Look(
            bold=True, colour="FFFFFF", fill=INK, vertical="center", horizontal="right", indent=1
        ),
    )
    FILTER_HEADER = "filter header", _Look(bold=True, colour="FFFFFF", fill=INK)
    LABEL = "label", _Look(bold=True, fill="F2F2F2")
    TEXT = "text", _Look(quote=True)
    RECORD = "record", _Look(horizontal="fill", wrap=False, quote=True)
    DATE = "date", _Look(format=MOMENT_FORMAT)
    DAY = "day", _Look(format=DAY_FORMAT)
    NUMBER = "number", _Look(horizontal="right", indent=1, format="#,##0")
    DECIMAL = "decimal", _Look(horizontal="right", indent=1, format="General")
    TOTAL = "total", _Look(bold=True, horizontal="right", indent=1, format="#,##0", fill="F2F2F2")
    FAINT = "faint", _Look(colour="767676")
    NOT_UNDERSTOOD = (
        "not understood",
        _Look(italic=True, colour="7B0000", fill="EDEDED", quote=True),
    )
    INPUT = "input", _Look(fill="FFFFE0")
    INPUT_DAY = "input day", _Look(fill="FFFFE0", format=DAY_FORMAT)
    NONE = "none", _Look(colour="767676", horizontal="right", indent=1)
    ALARM = "alarm", _Look(size=12, bold=True, colour="FFFFFF", fill=ALARM_RED, wrap=False)
    SUCCESS = "success", _Look(bold=True, colour="375623", fill="E2EFDA")
    UNDETERMINED = "undetermined", _Look(italic=True, fill="D0CECE")
    UNUSED = "unused", _Look(bold=True, fill="F4B084")
    RETIRED = "retired", _Look(fill="FFE699")
    DORMANT = "dormant", _Look(fill="DDEBF7")
    ACTIVE = "active", _Look(fill="E2EFDA")
    CERTAIN = "certain", _Look(bold=True)
    CHECK = "check", _Look(italic=True, fill="FFF2CC")
    CRITICAL = "critical", _Look(bold=True, colour="FFFFFF", fill="9C0006")
    HIGH = "high", _Look(bold=True, fill="F4B084")
    MEDIUM = "medium", _Look(fill="FFE699")
    LOW = "low", _Look(fill="DDEBF7")
    FAILS = "fails", _Look(bold=True)
    NOTED = "noted", _Look(colour="767676")
    UNDECIDED = "undecided", _Look(italic=True, fill="D0CECE")
    FAIL = "fail", _Look(bold=True, fill="F4B084")
    PASS = "pass", _Look(bold=True, colour="375623", fill="E2EFDA")
    EXCUSED = "pass but for exemptions", _Look(colour="375623", fill="F2F7EE")
    NOT_RUN = "not run", _Look(italic=True, colour="767676")
    NOT_DECIDABLE = "not decidable", _Look(colour="767676")


VERDICT_COLOURS: Final = {
    CellStyle.UNDETERMINED: "7F7F7F",
    CellStyle.UNUSED: "A23B05",
    CellStyle.RETIRED: "D6A300",
    CellStyle.DORMANT: "2E75B6",
    CellStyle.ACTIVE: "A9D18E",
}
"""The colours of verdicts in charts; in cells the same in pale."""


def _solid(colour: str) -> PatternFill:
    return PatternFill("solid", start_color=colour, end_color=colour)


ALARM: Final = _solid(ALARM_RED)
"""The dark red, under white text, of a check that fails."""

Styles = Mapping[CellStyle, int]
"""The number under which a workbook knows each style."""


def register_styles(workbook: Workbook) -> Styles:
    """Make all styles known to a workbook, and return their numbers."""
    sheet = workbook.create_sheet()
    numbers = {each: _number(WriteOnlyCell(sheet), each.look) for each in CellStyle}
    workbook.remove(sheet)
    return numbers


def _number(cell: Cell, look: _Look) -> int:
    cell.font = Font(
        name=FONT, size=look.size, bold=look.bold, italic=look.italic, color=look.colour
    )
    if look.fill:
        cell.fill = _solid(look.fill)
    cell.border = look.border
    cell.alignment = Alignment(
        horizontal=look.horizontal,
        vertical=look.vertical,
        wrap_text=look.wrap,
        indent=look.indent,
    )
    cell.number_format = look.format
    cell.quotePrefix = look.quote
    return cell.style_id
