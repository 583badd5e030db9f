"""Lay out a sheet of prose, small tables and charts, on columns of its own.

Charts are bars and lines, with visible axes, legible in grey. They refer to cells, and also hold
the numbers for programs that do not recalculate.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from string import ascii_uppercase
from textwrap import wrap
from typing import Final, Literal, NamedTuple, TypeAlias

import pandas as pd
from openpyxl.chart import BarChart, LineChart, data_source
from openpyxl.chart.axis import ChartLines
from openpyxl.chart.label import DataLabelList
from openpyxl.chart.legend import Legend
from openpyxl.chart.marker import Marker
from openpyxl.chart.series import Series, SeriesLabel
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText, Text
from openpyxl.chart.title import Title as ChartTitle
from openpyxl.drawing import text as drawn
from openpyxl.drawing.line import LineProperties
from openpyxl.formatting.rule import Rule
from openpyxl.styles import Font
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.worksheet.cell_range import CellRange
from openpyxl.worksheet.pagebreak import Break

from analyzer import columns
from analyzer.report.values import day_text_series
from analyzer.terms import Verdict
from analyzer.writers.workbook.book import ALARM, FONT, INK, Book, CellStyle, SheetName, set_widths
from analyzer.writers.workbook.column import Formula, Value, blank_cell, cell_of

_LINE_HEIGHT: Final = 1.35  # the height of a line of text, in font sizes
_HEAD_HEIGHT: Final = 28  # two lines: the heads of narrow columns are broken
_FULL_SIZE: Final = 10  # a column of width 1 holds one digit of this size
_PROSE_RATIO: Final = 1.15  # letters of prose in a digit's width; rather too low than too high
_BOLD_RATIO: Final = 1.0  # the same for bold letters and digits
_HIGHEST: Final = 409  # the greatest height of a row in Excel, in points

_PAGE_HEIGHT: Final = 490  # of the rows on A4, in points; Letter and LibreOffice have room for more
_PAGE_WIDTH: Final = 152  # of the columns on A4, in characters; wider sheets are printed smaller
_MOST_PAGES: Final = 1_000  # Excel allows 1,026 breaks in a sheet; it breaks later pages itself
_EMPTY_HEIGHT: Final = 12.75
_SECTION_ROWS: Final = 4  # kept together: the space above a heading, the heading and two rows
_TABLE_ROWS: Final = 9  # kept together: the heads of a table and its first rows, mostly all


@dataclass(frozen=True, slots=True)
class SpannedCell:
    """Show a value with a style, across one or more columns."""

    value: Value
    style: CellStyle = CellStyle.TEXT
    span: int = 1


Part: TypeAlias = SpannedCell | Value
"""A part of a row; a bare text or number takes one column, in the usual style."""

_OK: Final = "OK"
_DIFFERS: Final = "DIFFERS"
NOT_APPLICABLE: Final = SpannedCell("–", CellStyle.NONE)  # noqa: RUF001  as printed tables have it


label: Final = partial(SpannedCell, style=CellStyle.LABEL)  # what a row is about
total: Final = partial(SpannedCell, style=CellStyle.TOTAL)  # a number that sums up others


def head(text: str, span: int = 1) -> SpannedCell:
    """Return the head of a column of texts."""
    return SpannedCell(text, CellStyle.HEADER, span)


def check(condition: str, *, holds: bool) -> SpannedCell:
    """Return a cell whose formula shows whether a condition holds."""
    formula = Formula(f'IF({condition},"{_OK}","{_DIFFERS}")', _OK if holds else _DIFFERS)
    return SpannedCell(formula, CellStyle.SUCCESS)


class TextSheet:
    """Add rows of parts, each as high as its text: programs do not fit merged cells.

    The rows are divided into pages; rows that are kept together are printed on one page.
    """

    def __init__(self, book: Book, title: SheetName, widths: tuple[float, ...]) -> None:
        """Begin a sheet."""
        self._sheet = book.sheet(title)
        self.worksheet = self._sheet.worksheet
        self._room = _PAGE_HEIGHT * max(sum(widths) / _PAGE_WIDTH, 1)
        self._above = self._height = 0.0  # heights on this page: above the kept rows, and of them
        self._first, self._last = 1, 0  # numbers of the kept rows
        self._styles = book.styles
        self._widths = widths
        set_widths(self.worksheet, widths)
        self.worksheet.sheet_view.showGridLines = False

    @property
    def next_row(self) -> int:
        """Return the number of the next row."""
        return self._sheet.row + 1

    def row(self, *parts: Part, height: float = 0) -> int:
        """Add a row of at least `height`, and return its number; a last bare text fills the row."""
        cells: list[str] = []
        heights = [height]
        *others, last = map(_spanned, parts)
        if isinstance(parts[-1], str):
            last = replace(last, span=len(self._widths) - sum(part.span for part in others))
        for part in (*others, last):
            start, style = len(cells), self._styles[part.style]
            cells += [cell_of(part.value, style), *[blank_cell(style)] * (part.span - 1)]
            heights.append(_height(part, sum(self._widths[start : len(cells)])))
            if part.span > 1:
                # `merged_cells.add` first compares all merged cells: slow for thousands.
                merged = CellRange(None, start + 1, self.next_row, len(cells), self.next_row)
                self.worksheet.merged_cells.ranges.add(merged)
        self._add_height(max(heights))
        return self._sheet.add(cells, max(heights))

    def full_row(self, text: str, style: CellStyle = CellStyle.TEXT) -> None:
        """Add a text across the whole sheet."""
        self.row(SpannedCell(text, style, len(self._widths)))

    def space(self, rows: int = 1) -> None:
        """Leave rows empty."""
        for _ in range(rows):
            self._add_height(_EMPTY_HEIGHT)
            self._sheet.row += 1

    def hidden_row(self, text: str) -> None:
        """Add a hidden row with a text in its first cell."""
        self._sheet.add([cell_of(text, self._styles[CellStyle.TEXT])], is_hidden=True)

    def section(self, title: str) -> None:
        """Add the heading of a section."""
        self._keep_apart(_SECTION_ROWS)
        self.space()
        self.full_row(title, CellStyle.SECTION)

    def text_section(
        self, title: str, named: Iterable[tuple[str, str]], *, styled: bool = False
    ) -> None:
        """Add a section of names, each with a text; `styled` gives each name its own style."""
        self.section(title)
        for name, text in named:
            self.named_text(name, text, CellStyle(name) if styled else CellStyle.LABEL)

    def named_text(self, name: str, text: str, style: CellStyle = CellStyle.LABEL) -> None:
        """Add a name, with a text that takes the rest of the row."""
        self.row(SpannedCell(name, style), text)

    def next_page(self) -> None:
        """Begin a new printed page."""
        self._end_page(self._sheet.row)

    def keep(self, rows: int) -> None:
        """Keep the next rows on one page, and with the earlier kept rows if they overlap."""
        if self.next_row > self._last:
            self._keep_apart(1)
        self._last = max(self._last, self._sheet.row + rows)

    def _keep_apart(self, rows: int) -> None:
        self._above += self._height
        self._height, self._first, self._last = 0, self.next_row, self._sheet.row + rows

    def _add_height(self, height: float) -> None:
        """Add the next row's height; end a full page before the kept rows, if they fit a page."""
        self.keep(1)
        is_full = self._above + self._height + height > self._room
        # If each page repeats the heads of the table, a page may end anywhere.
        ends_itself = (
            self.worksheet.print_title_rows or len(self.worksheet.row_breaks) >= _MOST_PAGES
        )
        if is_full and not ends_itself:
            self._end_page(self._first - 1 if self._above else self._sheet.row)
        self._height += height

    def _end_page(self, row: int) -> None:
        if row >= self._first:
            self._keep_apart(1)
        self.worksheet.row_breaks.append(Break(id=row))
        self._above = 0

    def table_head(self, *heads: str | SpannedCell) -> int:
        """Add the heads of a table; a bare one stands over numbers in one column."""
        parts = (
            SpannedCell(head, CellStyle.COUNT_HEADER) if isinstance(head, str) else head
            for head in heads
        )
        self.keep(_TABLE_ROWS)
        return self.row(*parts, height=_HEAD_HEIGHT)

    def reference(self, letter: str, rows: range) -> str:
        """Return the reference of cells of a column, for charts."""
        return f"'{self.worksheet.title}'!${letter}${rows.start}:${letter}${rows.stop - 1}"

    def ignore_number_warning(self, cells: str) -> None:
        """Switch off Excel's warning of text that looks like a number in these cells."""
        self._sheet.number_like = f"{self._sheet.number_like} {cells}".strip()

    def alarm(self, cells: str) -> None:
        """Show failed checks in these cells of one column in red."""
        red = DifferentialStyle(font=Font(bold=True, color="FFFFFF"), fill=ALARM)
        rule = Rule(type="cellIs", operator="equal", formula=[f'"{_DIFFERS}"'], dxf=red)
        self.worksheet.conditional_formatting.add(cells, rule)


def _spanned(part: Part) -> SpannedCell:
    if isinstance(part, SpannedCell):
        return part
    return SpannedCell(part, CellStyle.TEXT if isinstance(part, str) else CellStyle.NUMBER)


def _height(part: SpannedCell, width: float) -> float:
    size = part.style.look.size
    value = part.value.result if isinstance(part.value, Formula) else part.value
    ratio = _BOLD_RATIO if part.style.look.bold else _PROSE_RATIO
    fits = max(int(width * _FULL_SIZE / size * ratio) - 1, 1)
    # Programs also break paths at `/`.
    text = value.replace("/", "/ ") if isinstance(value, str) else ""
    lines = sum(len(wrap(line, fits)) if len(line) > fits else 1 for line in text.split("\n"))
    return min(round(lines * size * _LINE_HEIGHT + 3, 1), _HIGHEST)


# Charts

_BARS_SIZE: Final = (9, 8)  # centimetres
_LINES_SIZE: Final = (14, 7.2)
_LINE_WIDTH: Final = 22_225  # English Metric Units: 1.75 points
_TREND_ROWS: Final = 14  # the rows that the chart of the trend takes
_font: Final = partial(drawn.CharacterProperties, latin=drawn.Font(typeface=FONT))
_PLAIN: Final = drawn.ParagraphProperties(defRPr=_font(sz=900, b=False))
_LABELS: Final = RichText(p=[drawn.Paragraph(pPr=_PLAIN, endParaRPr=drawn.CharacterProperties())])
"""The font of names and numbers in charts."""


class _Line(NamedTuple):
    """Hold the name and look of a line; in grey, dash and marker distinguish it."""

    head: str
    colour: str
    dash: Literal["solid", "dash", "sysDot"]
    marker: Literal["circle", "square", "triangle"]


DAY_LINES: Final[Mapping[str, _Line]] = {
    str(Verdict.UNUSED): _Line("unused", "A23B05", "solid", "circle"),
    str(Verdict.RETIRED): _Line("retired", "D6A300", "sysDot", "triangle"),
    str(Verdict.DORMANT): _Line("dormant", "2E75B6", "dash", "square"),
    str(Verdict.ACTIVE): _Line("active", "A9D18E", "solid", "triangle"),
    str(Verdict.UNDETERMINED): _Line("undetermined", "7F7F7F", "sysDot", "circle"),
}
"""The line of each column of the trend of a history; cells have paler shades of the colours."""

RUN_LINES: Final[Mapping[str, _Line]] = {
    str(Verdict.UNUSED): DAY_LINES[Verdict.UNUSED],
    columns.INACTIVE_COUNT: DAY_LINES[Verdict.DORMANT]._replace(head="retired or dormant"),
    columns.USERS: _Line("all IAM users", "404040", "sysDot", "triangle"),
}
"""The line of each column of the trend of runs."""

_NOT_SHOWN: Final = dict.fromkeys(
    ("showSerName", "showCatName", "showLegendKey", "showPercent"), False
)
"""The texts that programs would write beside each bar by default, besides its number."""


def add_bar_chart(
    sheet: TextSheet, title: str, bars: "pd.Series[int]", rows: range, anchor: str
) -> None:
    """Add a chart of bars, numbers by their names; both are in these rows of A and B."""
    chart = BarChart()
    chart.type = "bar"
    chart.x_axis.scaling.orientation = "maxMin"  # the first bar on top
    chart.x_axis.tickLblSkip = 1  # no name is left out
    chart.y_axis.crosses = "max"
    chart.title = _titled(title, 1200)
    chart.legend = None
    chart.gapWidth = 40
    chart.width, chart.height = _BARS_SIZE
    labels = DataLabelList(showVal=True, **_NOT_SHOWN, txPr=_LABELS, dLblPos="outEnd")
    values = _numbers(bars.tolist(), sheet.reference("B", rows))
    named = data_source.AxDataSource(strRef=_texts(bars.index.tolist(), sheet.reference("A", rows)))
    series = Series(idx=0, order=0, val=values, cat=named, spPr=_painted(INK), dLbls=labels)
    chart.series.append(series)
    _set_axes(chart)
    sheet.worksheet.add_chart(chart, anchor)


def add_trend(
    sheet: TextSheet, title: str, trend: pd.DataFrame, lines: Mapping[str, _Line] = RUN_LINES
) -> None:
    """Add a line per row of the trend, the oldest first, and a chart of the numbers beside.

    `trend` has `as_of` and a column of numbers of users for each of the `lines`.
    """
    sheet.section(title)
    sheet.keep(_TREND_ROWS)
    top = sheet.table_head(head("As of (UTC)"), *(line.head for line in lines.values()))
    days = day_text_series(trend[columns.AS_OF]).tolist()
    numbers = trend[list(lines)].itertuples(index=False, name=None)
    for day, of_day in zip(days, numbers, strict=True):
        sheet.row(label(day), *of_day)
    rows = range(top + 1, sheet.next_row)
    chart = LineChart()
    chart.width, chart.height = _LINES_SIZE
    chart.legend = Legend(legendPos="b", txPr=_LABELS)
    names = data_source.AxDataSource(strRef=_texts(days, sheet.reference("A", rows)))
    letters = ascii_uppercase[1 : len(lines) + 1]
    for at, (letter, (column, line)) in enumerate(zip(letters, lines.items(), strict=True)):
        stroke = LineProperties(solidFill=line.colour, prstDash=line.dash, w=_LINE_WIDTH)
        series = Series(
            idx=at,
            order=at,
            tx=SeriesLabel(
                strRef=_texts([line.head], f"'{sheet.worksheet.title}'!${letter}${top}")
            ),
            val=_numbers(trend[column].tolist(), sheet.reference(letter, rows)),
            cat=names,
            marker=Marker(symbol=line.marker, size=6, spPr=_painted(line.colour)),
            smooth=False,
            spPr=GraphicalProperties(ln=stroke),
        )
        chart.series.append(series)
    _set_axes(chart)
    sheet.worksheet.add_chart(chart, f"{ascii_uppercase[len(lines) + 2]}{top}")
    sheet.space(max(top + _TREND_ROWS - sheet.next_row, 0))


def _set_axes(chart: BarChart | LineChart) -> None:
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.y_axis.title = _titled("users", 900)
    chart.x_axis.txPr = chart.y_axis.txPr = _LABELS
    chart.y_axis.number_format = "0"
    chart.y_axis.scaling.min = 0
    chart.y_axis.majorGridlines = ChartLines(
        spPr=GraphicalProperties(ln=LineProperties(solidFill="E0E0E0"))
    )


def _titled(title: str, size: int) -> ChartTitle:
    """Return a title, its size in hundredths of a point."""
    run = drawn.RegularTextRun(rPr=_font(sz=size, b=True), t=title)
    return ChartTitle(tx=Text(rich=RichText(p=[drawn.Paragraph(r=[run])])), overlay=False)


def _numbers(numbers: Sequence[int], cells: str) -> data_source.NumDataSource:
    points = [data_source.NumVal(idx=at, v=number) for at, number in enumerate(numbers)]
    cache = data_source.NumData(formatCode="General", ptCount=len(points), pt=points)
    return data_source.NumDataSource(numRef=data_source.NumRef(f=cells, numCache=cache))


def _texts(texts: Sequence[str], cells: str) -> data_source.StrRef:
    points = [data_source.StrVal(idx=at, v=text) for at, text in enumerate(texts)]
    return data_source.StrRef(f=cells, strCache=data_source.StrData(ptCount=len(points), pt=points))


def _painted(colour: str) -> GraphicalProperties:
    return GraphicalProperties(solidFill=colour, ln=LineProperties(solidFill="404040"))
