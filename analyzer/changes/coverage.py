"""Find which reports of each account lie in a period, and the gaps between them."""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

import numpy as np

from analyzer.changes.timeline import Timeline
from analyzer.terms import count_text

MAX_GAP: Final = 31
"""Days: a longer gap between two reports is named, by default."""

_DAY: Final = np.timedelta64(86_400, "s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Set the period, in UTC, and the longest gap in days between reports that is not named.

    Without `since` it begins with the first report of each account, without `until` it ends with
    the newest report of all.
    """

    since: datetime | None = None
    until: datetime | None = None
    max_gap: int = MAX_GAP


@dataclass(frozen=True, slots=True)
class Coverage:
    """Name the readings of an account in the period, from `start` up to `end`, by position.

    An account that is not covered has none, and a `reason`. `gaps` are the intervals without a
    report that are longer than the span allows, in datetime64[s].
    """

    account: str
    start: int = 0
    end: int = -1
    reason: str = ""
    gaps: tuple[tuple[np.datetime64, np.datetime64], ...] = ()


def coverages(timeline: Timeline, span: Span) -> list[Coverage]:
    """Return which reports of each account lie in the period, in the order of accounts."""
    accounts = np.array([each.account for each in timeline.readings])
    distinct, first, count = np.unique(accounts, return_index=True, return_counts=True)
    until = _moment(span.until) if span.until else timeline.moments.max()
    parts = zip(distinct.tolist(), first.tolist(), count.tolist(), strict=True)
    return [
        _coverage(account, start, timeline.moments[start : start + number], span, until)
        for account, start, number in parts
    ]


def _coverage(
    account: str, first: int, at: np.ndarray, span: Span, until: np.datetime64
) -> Coverage:
    start = _edge(at, _moment(span.since), span.max_gap) if span.since else 0
    end = _edge(at, until, span.max_gap)
    if start is None or end is None or at[end] - until >= (span.max_gap + 1) * _DAY:
        reason = f"no report within {count_text(span.max_gap, 'day')} of {day_text(until)}"
        return Coverage(account, reason=reason)
    moments = at[start : end + 1]
    if span.since and moments[0] > _moment(span.since):
        moments = np.append(_moment(span.since), moments)
    pairs = pairwise(moments)
    gaps = tuple(each for each in pairs if whole_days(each[1] - each[0]) > span.max_gap)
    return Coverage(account, first + start, first + end, gaps=gaps)


def _edge(at: np.ndarray, moment: np.datetime64, max_gap: int) -> int | None:
    """Return the last report up to a moment, if not too long before it, else the first after."""
    before = int(np.searchsorted(at, moment, "right")) - 1
    if before >= 0 and whole_days(moment - at[before]) <= max_gap:
        return before
    return before + 1 if before + 1 < len(at) else None


def whole_days(elapsed: Any) -> Any:
    """Return timedelta64 as whole days (int64), rounded down."""
    return elapsed // _DAY


def day_text(at: np.datetime64) -> str:
    """Return the day of a moment: `2026-03-01`."""
    return str(at.astype("datetime64[D]"))


def _moment(at: datetime) -> np.datetime64:
    return np.datetime64(at.replace(tzinfo=None), "s")
