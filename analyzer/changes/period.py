"""Order the reports of each account, and find those of a period.

A day without a time counts as its start.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, pairwise
from typing import NamedTuple

from analyzer.errors import InputRefused, Problem
from analyzer.report.model import ReportFile
from analyzer.terms import AsOfSource, count_text, minute_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Set the period, in UTC, and the longest gap in days between reports that is not named.

    By default the period is from the first report of each account to the newest report of all.
    """

    since: datetime | None = None
    until: datetime | None = None
    max_gap: int = 31


class AccountReport(NamedTuple):
    """Name one report of one account: its moment, its position in `Report.files`, and its rows."""

    account: str
    at: datetime
    position: int
    rows: int
    file: ReportFile

    def has_as_of_of(self, other: "AccountReport") -> bool:
        """Return whether both are of one account and as-of: then they must be equal."""
        return (self.account, self.file.as_of) == (other.account, other.file.as_of)


@dataclass(frozen=True, slots=True)
class Coverage:
    """Hold the moments of an account's reports in the period, with numbers from `start` to `end`.

    An account that is not covered has no report, but a `reason`. `gaps` are the intervals without a
    report that are longer than the span allows.
    """

    account: str
    start: int = 0
    end: int = -1
    moments: Sequence[datetime] = ()
    gaps: Sequence[tuple[datetime, datetime]] = ()
    reason: str = ""


def ordered_reports(files: Sequence[ReportFile]) -> list[AccountReport]:
    """Return the reports by account and moment.

    Raises InputRefused for two whose order is not known.
    """
    reports = sorted(
        AccountReport(of.account, file.time, position, of.rows, file)
        for position, file in enumerate(files)
        for of in file.accounts
    )
    if unordered := [pair for pair in pairwise(reports) if _is_order_unknown(*pair)]:
        raise InputRefused(order_problem(*pair) for pair in unordered)
    return reports


def _is_order_unknown(one: AccountReport, other: AccountReport) -> bool:
    if one.account != other.account or one.has_as_of_of(other):
        return False
    sources = {one.file.as_of_source, other.file.as_of_source}
    is_one_day = one.at.date() == other.at.date()
    return AsOfSource.ASSUMED in sources or (AsOfSource.FOLDER in sources and is_one_day)


def order_problem(one: AccountReport, other: AccountReport) -> Problem:
    """Return the problem of two reports of an account whose order is not known."""
    named = f"another report of account {other.account}"
    about = f"its time or that of {one.file.name}, {named}, is not exact"
    if one.has_as_of_of(other):
        about = f"as of {minute_text(other.at)}, like {named}, {one.file.name}"
    message = f"{about}: which of the two is later is not known"
    hint = "Leave one of them out, or name the files so that they have a time."
    return Problem.of_file(other.file.name, message, hint)


def coverages(reports: Sequence[AccountReport], span: Span) -> Iterator[Coverage]:
    """Yield the reports in the period, for each account."""
    until = span.until or max(report.at for report in reports)
    for account, own in groupby(reports, lambda report: report.account):
        yield _coverage(account, [report.at for report in own], span, until)


def _coverage(account: str, at: Sequence[datetime], span: Span, until: datetime) -> Coverage:
    since = span.since or at[0]
    start, end = (_edge(at, moment, span.max_gap) for moment in (since, until))
    if start is None or end is None or (at[end] - until).days > span.max_gap:
        days, nearest = count_text(span.max_gap, "day"), min(at, key=lambda each: abs(each - until))
        reason = f"no report within {days} of {until.date()}; the nearest is of {nearest.date()}"
        inside = list(dict.fromkeys(each for each in at if since <= each <= until))
        if inside:
            number = count_text(len(inside), "report")
            reason += f"; {number} of {inside[0].date()} to {inside[-1].date()} in the period:"
            reason += " end the period there, or allow a longer gap with --max-gap"
        return Coverage(account, reason=reason)
    moments = list(dict.fromkeys(at[start : end + 1]))
    late = [since] if moments[0] > since else []
    gaps = [gap for gap in pairwise(late + moments) if (gap[1] - gap[0]).days > span.max_gap]
    return Coverage(account, start, end, moments, gaps)


def _edge(at: Sequence[datetime], moment: datetime, max_gap: int) -> int | None:
    """Return the last report up to a moment, or the first after it if that one is too old."""
    after = bisect_right(at, moment)
    if after and (moment - at[after - 1]).days <= max_gap:
        return bisect_left(at, at[after - 1])  # of equal reports the first
    return after if after < len(at) else None
