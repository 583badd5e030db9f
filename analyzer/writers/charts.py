"""Draw bars as SVG for the HTML page: where, how exposed and how old the unused users are."""

from collections.abc import Sequence
from html import escape
from itertools import islice
from typing import Final

from analyzer.analysis.analysis import Analysis
from analyzer.terms import printable
from analyzer.writers.accounts import WITHOUT_MFA, counts_by_name, unused_bars

_MOST_BARS: Final = 10
_LONGEST_LABEL: Final = 46  # characters that fit above a bar
_WIDTH: Final = 380
_ROW: Final = 38  # the height of a label and its bar
_LONGEST_BAR: Final = 310  # leaves room for the number behind it


def bar_charts(analysis: Analysis) -> str:
    """Return the charts of unused users; empty if there are none."""
    by_kind = unused_bars(analysis)
    charts = {f"Unused users by {name}": bars for name, bars in by_kind.items()}
    for name, counts in counts_by_name(analysis).items():
        title = f"Unused users that can sign in without MFA, by {name.lower()}"
        first = islice(counts.items(), _MOST_BARS)
        charts[title] = {label: numbers[WITHOUT_MFA] for label, numbers in first}
    drawn = [
        _chart(title, list(bars), list(bars.values()))
        for title, bars in charts.items()
        if any(bars.values())
    ]
    return f'<div class="charts">\n{"".join(drawn)}</div>\n' if drawn else ""


def _chart(title: str, labels: Sequence[str], numbers: Sequence[int]) -> str:
    lengths = (number * _LONGEST_BAR / max(numbers) for number in numbers)
    tops = range(0, len(labels) * _ROW, _ROW)
    rows = "".join(map(_bar, labels, numbers, tops, lengths))
    size = f'viewBox="0 0 {_WIDTH} {len(labels) * _ROW}"'
    return (
        f"<figure><figcaption>{title}</figcaption>\n"
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}>\n{rows}</svg></figure>\n'
    )


def _bar(label: str, number: int, top: int, length: float) -> str:
    name = printable(label)
    shown = name if len(name) <= _LONGEST_LABEL else f"{name[: _LONGEST_LABEL - 1]}…"
    return (
        f'<text x="0" y="{top + 14}">{escape(shown)}</text>'
        f'<rect x="0" y="{top + 19}" width="{max(length, 1):.0f}" height="13"/>'
        f'<text x="{length + 6:.0f}" y="{top + 30}">{number:,}</text>\n'
    )
