"""Read the history of reports."""

from functools import lru_cache

import analyzer
from analyzer.analysis.analysis import Analysis, analyze
from analyzer.changes.history import History, history
from analyzer.changes.period import Span

Named = tuple[str, bytes]


def history_of(reports: list[Named], span: Span | None = None) -> History:
    """Return what the program says of these reports."""
    return history(_analysis(tuple(reports)), span or Span())


@lru_cache(maxsize=2)
def _analysis(reports: tuple[Named, ...]) -> Analysis:
    """Judge reports once for the periods that one test asks for after another."""
    return analyze(analyzer.load(*reports, with_older=True))
