"""Draw the charts of the summary: bars and lines, axes visible, legible in grey."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from openpyxl.chart import BarChart, LineChart
from openpyxl.chart.axis import ChartLines
from openpyxl.chart.data_source import (
    AxDataSource,
    NumData,
    NumDataSource,
    NumRef,
    NumVal,
    StrData,
    StrRef,
    StrVal,
)
from openpyxl.chart.label import DataLabelList
from openpyxl.chart.legend import Legend
from openpyxl.chart.marker import DataPoint, Marker
from openpyxl.chart.series import Series, SeriesLabel
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText, Text
from openpyxl.chart.title import Title
from openpyxl.drawing.text import (
    CharacterProperties,
    Font,
    Paragraph,
    ParagraphProperties,
    RegularTextRun,
)
from openpyxl.worksheet.worksheet import Worksheet

from analyzer.writers.workbook.style import FONT

_SIZE: Final = (9, 6.8)
_WIDE: Final = (14, 7.2)
"""Centimetres."""

_LINE_WIDTH: Final = 22_225
"""English Metric Units: 1.75 points."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Show one number, under its name, in a colour."""

    name: str
    count: int
    colour: str


@dataclass(frozen=True, slots=True)
class Place:
    """Say where a chart stands, and where the names and numbers of its bars do."""

    anchor: str
    names: str
    counts: str


class LineStyle(NamedTuple):
    """Say how a line is drawn; in grey, dash and marker tell it from others."""

    colour: str
    dash: Literal["solid", "dash", "sysDot"]
    marker: Literal["circle", "square", "triangle"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Show numbers as a line: its head, where head and numbers stand, and its style."""

    head: str
    head_cell: str
    cells: str
    numbers: Sequence[int]
    style: LineStyle


def add_chart(frame: Worksheet, title: str, bars: Sequence[Bar], place: Place) -> None:
    """Add a chart of bars that follows the cells; programs that do not recalculate see it too."""
    chart = BarChart()
    chart.type = "bar"
    chart.x_axis.scaling.orientation = "maxMin"  # the first bar on top
    chart.y_axis.crosses = "max"
    chart.title = _titled(title, 1200)
    chart.legend = None
    chart.gapWidth = 40
    chart.width, chart.height = _SIZE
    chart.series.append(_series(bars, place))
    _set_axes(chart)
    frame.add_chart(chart, place.anchor)


def add_line_chart(
    frame: Worksheet, lines: Sequence[Line], names: Sequence[str], cells: str, anchor: str
) -> None:
    """Add a chart of lines over the names that stand in some cells."""
    chart = LineChart()
    chart.width, chart.height = _WIDE
    chart.legend = Legend(legendPos="b", txPr=_text(900))
    chart.series.extend(_line(line, _names(names, cells), at) for at, line in enumerate(lines))
    _set_axes(chart)
    frame.add_chart(chart, anchor)


def _set_axes(chart: BarChart | LineChart) -> None:
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.y_axis.title = _titled("users", 900)
    chart.x_axis.txPr = chart.y_axis.txPr = _text(900)
    chart.y_axis.number_format = "0"
    chart.y_axis.scaling.min = 0
    chart.y_axis.majorGridlines = ChartLines(spPr=_painted("E0E0E0", line=True))


def _titled(title: str, size: int) -> Title:
    """Return a title, its size in hundredths of a point."""
    run = RegularTextRun(rPr=_font(size, bold=True), t=title)
    return Title(tx=Text(rich=RichText(p=[Paragraph(r=[run])])), overlay=False)


def _text(size: int) -> RichText:
    """Return how the labels of an axis are written."""
    properties = ParagraphProperties(defRPr=_font(size, bold=False))
    return RichText(p=[Paragraph(pPr=properties, endParaRPr=CharacterProperties())])


def _font(size: int, *, bold: bool) -> CharacterProperties:
    return CharacterProperties(latin=Font(typeface=FONT), sz=size, b=bold)


def _numbers(numbers: Sequence[int], cells: str) -> NumDataSource:
    points = [NumVal(idx=at, v=number) for at, number in enumerate(numbers)]
    cache = NumData(formatCode="General", ptCount=len(points), pt=points)
    return NumDataSource(numRef=NumRef(f=cells, numCache=cache))


def _names(names: Sequence[str], cells: str) -> AxDataSource:
    return AxDataSource(strRef=_texts(names, cells))


def _texts(texts: Sequence[str], cells: str) -> StrRef:
    points = [StrVal(idx=at, v=text) for at, text in enumerate(texts)]
    return StrRef(f=cells, strCache=StrData(ptCount=len(points), pt=points))


def _line(line: Line, names: AxDataSource, at: int) -> Series:
    drawn = GraphicalProperties()
    drawn.line.solidFill = line.style.colour
    drawn.line.dashStyle = line.style.dash
    drawn.line.width = _LINE_WIDTH
    return Series(
        idx=at,
        order=at,
        tx=SeriesLabel(strRef=_texts([line.head], line.head_cell)),
        val=_numbers(line.numbers, line.cells),
        cat=names,
        marker=Marker(symbol=line.style.marker, size=6, spPr=_painted(line.style.colour)),
        smooth=False,
        spPr=drawn,
    )


def _series(bars: Sequence[Bar], place: Place) -> Series:
    return Series(
        idx=0,
        order=0,
        val=_numbers([bar.count for bar in bars], place.counts),
        cat=_names([bar.name for bar in bars], place.names),
        dPt=[
            DataPoint(idx=at, invertIfNegative=False, spPr=_painted(bar.colour))
            for at, bar in enumerate(bars)
        ],
        dLbls=_numbers_on_bars(),
    )


def _numbers_on_bars() -> DataLabelList:
    return DataLabelList(
        showVal=True,
        showSerName=False,
        showCatName=False,
        showLegendKey=False,
        showPercent=False,
        txPr=_text(900),
        dLblPos="outEnd",
    )


def _painted(colour: str, *, line: bool = False) -> GraphicalProperties:
    painted = GraphicalProperties() if line else GraphicalProperties(solidFill=colour)
    painted.line.solidFill = colour if line else "404040"
    return painted
