"""Show how the numbers of users moved from run to run: a table, and a chart of its lines."""

from collections.abc import Mapping
from typing import Final

import pandas as pd

from analyzer import columns
from analyzer.moment_texts import day_text_series
from analyzer.terms import Verdict
from analyzer.writers.workbook.charts import Line, LineStyle, add_line_chart
from analyzer.writers.workbook.grid import Grid, SpannedCell, head
from analyzer.writers.workbook.style import VERDICT_COLOURS, CellStyle

_LINES: Final[Mapping[str, tuple[str, LineStyle]]] = {
    str(Verdict.UNUSED): (
        "unused",
        LineStyle(VERDICT_COLOURS[CellStyle.UNUSED], "solid", "circle"),
    ),
    columns.INACTIVE_COUNT: (
        "retired or dormant",
        LineStyle(VERDICT_COLOURS[CellStyle.DORMANT], "dash", "square"),
    ),
    columns.USERS: ("all IAM users", LineStyle("404040", "sysDot", "triangle")),
}
"""The columns of a trend, with the head and the style of each line."""

_CHART_ROWS: Final = 14
"""How many rows the chart takes."""


def add_trend(grid: Grid, trend: pd.DataFrame) -> None:
    """Add a line a run, the oldest first, and beside them the chart."""
    grid.section("Trend: users per run")
    row = grid.table_head(head("As of (UTC)"), *(name for name, _ in _LINES.values()))
    days = day_text_series(trend[columns.AS_OF]).tolist()
    numbers = trend[list(_LINES)].itertuples(index=False, name=None)
    for day, of_run in zip(days, numbers, strict=True):
        cells = (SpannedCell(number, CellStyle.NUMBER) for number in of_run)
        grid.row(SpannedCell(day, CellStyle.LABEL), *cells)
    last = grid.next_row - 1
    names = f"'{grid.title}'!$A${row + 1}:$A${last}"
    lines = [
        Line(
            head=name,
            head_cell=f"'{grid.title}'!${letter}${row}",
            cells=f"'{grid.title}'!${letter}${row + 1}:${letter}${last}",
            numbers=trend[column].tolist(),
            style=style,
        )
        for letter, (column, (name, style)) in zip("BCD", _LINES.items(), strict=True)
    ]
    add_line_chart(grid.frame, lines, days, names, f"F{row}")
    grid.space(max(row + _CHART_ROWS - grid.next_row, 0))
