"""Define the styles of cells. Every colour has a meaning that the cell's text says too."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side


class CellStyle(StrEnum):
    """Name what a cell is; verdicts, severities, outcomes and results by their words."""

    TITLE = "title"
    SUBTITLE = "subtitle"
    SECTION = "section"
    HEADER = "header"
    COUNT_HEADER = "count header"
    FILTER_HEADER = "filter header"
    LABEL = "label"
    TEXT = "text"
    RECORD = "record"
    DATE = "date"
    DAY = "day"
    NUMBER = "number"
    TOTAL = "total"
    FAINT = "faint"
    NOT_UNDERSTOOD = "not understood"
    INPUT = "input"
    INPUT_DAY = "input day"
    ALARM = "alarm"
    NONE = "none"
    SUCCESS = "success"
    UNDETERMINED = "undetermined"
    UNUSED = "unused"
    RETIRED = "retired"
    DORMANT = "dormant"
    ACTIVE = "active"
    CERTAIN = "certain"
    CHECK = "check"
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    FAILS = "fails"
    NOTED = "noted"
    UNDECIDED = "undecided"
    FAIL = "fail"
    PASS = "pass"
    EXCUSED = "pass but for exemptions"
    NOT_RUN = "not run"
    NOT_DECIDABLE = "not decidable"


INK: Final = "1F3864"
"""The dark blue of titles and of the heads of tables."""

VERDICT_COLOURS: Final = {
    CellStyle.UNDETERMINED: "7F7F7F",
    CellStyle.UNUSED: "A23B05",
    CellStyle.RETIRED: "D6A300",
    CellStyle.DORMANT: "2E75B6",
    CellStyle.ACTIVE: "A9D18E",
}
"""The colours of verdicts in charts; in cells the same in pale."""

MOMENT: Final = "yyyy-mm-dd hh:mm"
DAY: Final = "yyyy-mm-dd"
ALARM_RED: Final = "C00000"
FONT: Final = "Arial"
"""Wherever it is missing, there is one of the same widths."""

DEFAULT_FONT: Final = Font(name=FONT, size=10)
_LINE: Final = Side(style="thin", color="D0D0D0")
_BOX: Final = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
_UNDERLINE: Final = Border(bottom=Side(style="medium", color=INK))
_NOTHING: Final = Border()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Style:
    """Write a style; a cell with `quote` stays text when it is edited."""

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


_STYLES: Final[Mapping[CellStyle, _Style]] = {
    CellStyle.TITLE: _Style(size=20, bold=True, colour=INK, border=_NOTHING, wrap=False),
    CellStyle.SUBTITLE: _Style(size=12, colour="404040", border=_NOTHING, wrap=False),
    CellStyle.SECTION: _Style(size=13, bold=True, colour=INK, border=_UNDERLINE, wrap=False),
    CellStyle.HEADER: _Style(bold=True, colour="FFFFFF", fill=INK, vertical="center"),
    CellStyle.COUNT_HEADER: _Style(
        bold=True, colour="FFFFFF", fill=INK, vertical="center", horizontal="right", indent=1
    ),
    CellStyle.FILTER_HEADER: _Style(bold=True, colour="FFFFFF", fill=INK),
    CellStyle.LABEL: _Style(bold=True, fill="F2F2F2"),
    CellStyle.TEXT: _Style(quote=True),
    CellStyle.RECORD: _Style(horizontal="fill", wrap=False, quote=True),
    CellStyle.DATE: _Style(format=MOMENT),
    CellStyle.DAY: _Style(format=DAY),
    CellStyle.NUMBER: _Style(horizontal="right", indent=1, format="#,##0"),
    CellStyle.TOTAL: _Style(bold=True, horizontal="right", indent=1, format="#,##0", fill="F2F2F2"),
    CellStyle.FAINT: _Style(colour="767676"),
    CellStyle.NOT_UNDERSTOOD: _Style(italic=True, colour="7B0000", fill="EDEDED", quote=True),
    CellStyle.INPUT: _Style(fill="FFFFE0"),
    CellStyle.INPUT_DAY: _Style(fill="FFFFE0", format=DAY),
    CellStyle.NONE: _Style(colour="767676", horizontal="right", indent=1),
    CellStyle.ALARM: _Style(size=12, bold=True, colour="FFFFFF", fill=ALARM_RED, wrap=False),
    CellStyle.SUCCESS: _Style(bold=True, colour="375623", fill="E2EFDA"),
    CellStyle.UNDETERMINED: _Style(italic=True, fill="D0CECE"),
    CellStyle.UNUSED: _Style(bold=True, fill="F4B084"),
    CellStyle.RETIRED: _Style(fill="FFE699"),
    CellStyle.DORMANT: _Style(fill="DDEBF7"),
    CellStyle.ACTIVE: _Style(fill="E2EFDA"),
    CellStyle.CERTAIN: _Style(bold=True),
    CellStyle.CHECK: _Style(italic=True, fill="FFF2CC"),
    CellStyle.CRITICAL: _Style(bold=True, colour="FFFFFF", fill="9C0006"),
    CellStyle.HIGH: _Style(bold=True, fill="F4B084"),
    CellStyle.MEDIUM: _Style(fill="FFE699"),
    CellStyle.LOW: _Style(fill="DDEBF7"),
    CellStyle.FAILS: _Style(bold=True),
    CellStyle.NOTED: _Style(colour="767676"),
    CellStyle.UNDECIDED: _Style(italic=True, fill="D0CECE"),
    CellStyle.FAIL: _Style(bold=True, fill="F4B084"),
    CellStyle.PASS: _Style(bold=True, colour="375623", fill="E2EFDA"),
    CellStyle.EXCUSED: _Style(colour="375623", fill="F2F7EE"),
    CellStyle.NOT_RUN: _Style(italic=True, colour="767676"),
    CellStyle.NOT_DECIDABLE: _Style(colour="767676"),
}


def _solid(colour: str) -> PatternFill:
    return PatternFill("solid", start_color=colour, end_color=colour)


ALARM: Final = _solid(ALARM_RED)
"""The dark red, under white text, of a check that fails."""

Styles = Mapping[CellStyle, int]
"""The number under which a workbook knows each style."""


def register_styles(workbook: Workbook) -> Styles:
    """Make all styles known to a workbook, and return their numbers."""
    sheet = workbook.create_sheet()
    numbers = {name: _number(WriteOnlyCell(sheet), style) for name, style in _STYLES.items()}
    workbook.remove(sheet)
    return numbers


def font_size(style: CellStyle) -> int:
    """Return the size of a style's font in points."""
    return _STYLES[style].size


def _number(cell: Cell, style: _Style) -> int:
    cell.font = Font(
        name=FONT, size=style.size, bold=style.bold, italic=style.italic, color=style.colour
    )
    if style.fill:
        cell.fill = _solid(style.fill)
    cell.border = style.border
    cell.alignment = Alignment(
        horizontal=style.horizontal,
        vertical=style.vertical,
        wrap_text=style.wrap,
        indent=style.indent,
    )
    cell.number_format = style.format
    cell.quotePrefix = style.quote
    return cell.style_id
