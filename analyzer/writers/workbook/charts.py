"""Draw the charts of the summary: bars and lines, axes visible, legible in grey.

They follow the cells; programs that do not recalculate see the numbers too.
"""

from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Final, Literal, NamedTuple, TypeAlias

import pandas as pd
from openpyxl.chart import BarChart, LineChart, data_source
from openpyxl.chart.axis import ChartLines
from openpyxl.chart.label import DataLabelList
from openpyxl.chart.legend import Legend
from openpyxl.chart.marker import DataPoint, Marker
from openpyxl.chart.series import Series, SeriesLabel
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText, Text
from openpyxl.chart.title import Title
from openpyxl.drawing import text

from analyzer import columns
from analyzer.report.values import day_text_series
from analyzer.terms import Verdict
from analyzer.writers.workbook.style import FONT, VERDICT_COLOURS, CellStyle
from analyzer.writers.workbook.text_sheet import TextSheet, head, label

_BARS_SIZE: Final = (9, 6.8)
_LINES_SIZE: Final = (14, 7.2)
"""Centimetres."""

_LINE_WIDTH: Final = 22_225
"""English Metric Units: 1.75 points."""

_TREND_ROWS: Final = 14
"""How many rows the chart of the trend takes."""


Bar: TypeAlias = tuple[str, int, str]
"""A name, its number and its colour."""


class _Line(NamedTuple):
    """Say how a line is called and drawn; in grey, dash and marker tell it from others."""

    head: str
    colour: str
    dash: Literal["solid", "dash", "sysDot"]
    marker: Literal["circle", "square", "triangle"]


RUN_LINES: Final[Mapping[str, _Line]] = {
    str(Verdict.UNUSED): _Line("unused", VERDICT_COLOURS[CellStyle.UNUSED], "solid", "circle"),
    columns.INACTIVE_COUNT: _Line(
        "retired or dormant", VERDICT_COLOURS[CellStyle.DORMANT], "dash", "square"
    ),
    columns.USERS: _Line("all IAM users", "404040", "sysDot", "triangle"),
}
"""The line of each column of the trend of runs."""

DAY_LINES: Final[Mapping[str, _Line]] = {
    str(Verdict.UNUSED): RUN_LINES[Verdict.UNUSED],
    str(Verdict.RETIRED): _Line(
        "retired", VERDICT_COLOURS[CellStyle.RETIRED], "sysDot", "triangle"
    ),
    str(Verdict.DORMANT): _Line("dormant", VERDICT_COLOURS[CellStyle.DORMANT], "dash", "square"),
    str(Verdict.ACTIVE): _Line("active", VERDICT_COLOURS[CellStyle.ACTIVE], "solid", "triangle"),
}
"""The same of the trend of a history."""


def add_bar_chart(
    sheet: TextSheet, title: str, bars: Sequence[Bar], rows: range, anchor: str
) -> None:
    """Add a chart of bars, whose names and numbers stand in these rows of A and B."""
    chart = BarChart()
    chart.type = "bar"
    chart.x_axis.scaling.orientation = "maxMin"  # the first bar on top
    chart.y_axis.crosses = "max"
    chart.title = _titled(title, 1200)
    chart.legend = None
    chart.gapWidth = 40
    chart.width, chart.height = _BARS_SIZE
    names, counts, colours = zip(*bars, strict=True)
    series = Series(
        idx=0,
        order=0,
        val=_numbers(counts, sheet.reference("B", rows)),
        cat=data_source.AxDataSource(strRef=_texts(names, sheet.reference("A", rows))),
        dPt=[
            DataPoint(idx=at, invertIfNegative=False, spPr=_painted(colour))
            for at, colour in enumerate(colours)
        ],
        dLbls=DataLabelList(
            showVal=True,
            showSerName=False,
            showCatName=False,
            showLegendKey=False,
            showPercent=False,
            txPr=_text(900),
            dLblPos="outEnd",
        ),
    )
    chart.series.append(series)
    _set_axes(chart)
    sheet.frame.add_chart(chart, anchor)


def add_trend(
    sheet: TextSheet, title: str, trend: pd.DataFrame, lines: Mapping[str, _Line] = RUN_LINES
) -> None:
    """Add a line a row of the trend, the oldest first, and beside them the chart of the numbers.

    `trend` has `as_of` and a column of numbers of users for each of the `lines`.
    """
    sheet.section(title)
    top = sheet.table_head(head("As of (UTC)"), *(line.head for line in lines.values()))
    days = day_text_series(trend[columns.AS_OF]).tolist()
    numbers = trend[list(lines)].itertuples(index=False, name=None)
    for day, of_day in zip(days, numbers, strict=True):
        sheet.row(label(day), *of_day)
    rows = range(top + 1, sheet.next_row)
    chart = LineChart()
    chart.width, chart.height = _LINES_SIZE
    chart.legend = Legend(legendPos="b", txPr=_text(900))
    names = data_source.AxDataSource(strRef=_texts(days, sheet.reference("A", rows)))
    letters = ascii_uppercase[1 : len(lines) + 1]
    for at, (letter, (column, line)) in enumerate(zip(letters, lines.items(), strict=True)):
        series = _line_series(line, at)
        series.tx = SeriesLabel(
            strRef=_texts([line.head], f"'{sheet.frame.title}'!${letter}${top}")
        )
        series.val = _numbers(trend[column].tolist(), sheet.reference(letter, rows))
        series.cat = names
        chart.series.append(series)
    _set_axes(chart)
    sheet.frame.add_chart(chart, f"{ascii_uppercase[len(lines) + 2]}{top}")
    sheet.space(max(top + _TREND_ROWS - sheet.next_row, 0))


def _line_series(line: _Line, at: int) -> Series:
    drawn = GraphicalProperties()
    drawn.line.solidFill = line.colour
    drawn.line.dashStyle = line.dash
    drawn.line.width = _LINE_WIDTH
    marker = Marker(symbol=line.marker, size=6, spPr=_painted(line.colour))
    return Series(idx=at, order=at, marker=marker, smooth=False, spPr=drawn)


def _set_axes(chart: BarChart | LineChart) -> None:
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.y_axis.title = _titled("users", 900)
    chart.x_axis.txPr = chart.y_axis.txPr = _text(900)
    chart.y_axis.number_format = "0"
    chart.y_axis.scaling.min = 0
    grey = GraphicalProperties()
    grey.line.solidFill = "E0E0E0"
    chart.y_axis.majorGridlines = ChartLines(spPr=grey)


def _titled(title: str, size: int) -> Title:
    """Return a title, its size in hundredths of a point."""
    run = text.RegularTextRun(rPr=_font(size, bold=True), t=title)
    return Title(tx=Text(rich=RichText(p=[text.Paragraph(r=[run])])), overlay=False)


def _text(size: int) -> RichText:
    """Return how the labels of an axis are written."""
    properties = text.ParagraphProperties(defRPr=_font(size, bold=False))
    return RichText(p=[text.Paragraph(pPr=properties, endParaRPr=text.CharacterProperties())])


def _font(size: int, *, bold: bool) -> text.CharacterProperties:
    return text.CharacterProperties(latin=text.Font(typeface=FONT), sz=size, b=bold)


def _numbers(numbers: Sequence[int], cells: str) -> data_source.NumDataSource:
    points = [data_source.NumVal(idx=at, v=number) for at, number in enumerate(numbers)]
    cache = data_source.NumData(formatCode="General", ptCount=len(points), pt=points)
    return data_source.NumDataSource(numRef=data_source.NumRef(f=cells, numCache=cache))


def _texts(texts: Sequence[str], cells: str) -> data_source.StrRef:
    points = [data_source.StrVal(idx=at, v=each) for at, each in enumerate(texts)]
    return data_source.StrRef(f=cells, strCache=data_source.StrData(ptCount=len(points), pt=points))


def _painted(colour: str) -> GraphicalProperties:
    painted = GraphicalProperties(solidFill=colour)
    painted.line.solidFill = "404040"
    return painted
