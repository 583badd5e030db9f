"""Draw the charts of the summary: bars with their numbers, axes visible, legible in grey."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from openpyxl.chart import BarChart
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
from openpyxl.chart.marker import DataPoint
from openpyxl.chart.series import Series
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

_SIZE: Final = (13, 6.8)
"""Centimetres."""


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


def add_chart(frame: Worksheet, title: str, bars: Sequence[Bar], place: Place) -> None:
    """Add a chart of bars that follows the cells; programs that do not recalculate see it too."""
    chart = BarChart()
    chart.type = "col"
    chart.title = _titled(title, 1200)
    chart.legend = None
    chart.gapWidth = 40
    chart.width, chart.height = _SIZE
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.y_axis.title = _titled("users", 900)
    chart.x_axis.txPr = chart.y_axis.txPr = _text(900)
    chart.y_axis.number_format = "0"
    chart.y_axis.scaling.min = 0
    chart.y_axis.majorGridlines = ChartLines(spPr=_painted("E0E0E0", line=True))
    chart.series.append(_series(bars, place))
    frame.add_chart(chart, place.anchor)


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


def _series(bars: Sequence[Bar], place: Place) -> Series:
    numbers = [NumVal(idx=at, v=bar.count) for at, bar in enumerate(bars)]
    names = [StrVal(idx=at, v=bar.name) for at, bar in enumerate(bars)]
    return Series(
        idx=0,
        order=0,
        val=NumDataSource(
            numRef=NumRef(
                f=place.counts,
                numCache=NumData(formatCode="General", ptCount=len(bars), pt=numbers),
            )
        ),
        cat=AxDataSource(
            strRef=StrRef(f=place.names, strCache=StrData(ptCount=len(bars), pt=names))
        ),
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
