"""Refuse reports that are too old, or of the future, at a moment that the caller names."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from analyzer.errors import InputRefused, Problem
from analyzer.report.model import ReportFile
from analyzer.report.report import Report
from analyzer.terms import AsOfSource, count_text, minute_text

_DAY = timedelta(days=1)


class MaxAge(NamedTuple):
    """Hold the time of a clock (UTC), and the most days from the time of a report to it, if any."""

    now: datetime
    days: int | None = None

    def check(self, report: Report) -> None:
        """Raise InputRefused with each report that is older, or that is later than the clock.

        A day without a time counts from its start. An assumed as-of is a lower bound.
        """
        found = (self._problem(file) for file in report.files if file.accounts)
        if problems := [*self.later_reports(report), *filter(None, found)]:
            raise InputRefused(problems)

    def later_reports(self, report: Report) -> Iterator[Problem]:
        """Yield a problem for each report that is more than a day later than the clock."""
        for file in report.files:
            at = max(_earliest(file), file.time)
            if file.accounts and at > self.now + _DAY:
                clock = f"this machine's clock, {minute_text(self.now)}"
                message = f"as of {minute_text(at)}, later than {clock}"
                hint = "Correct the clock, or the time in the name of the file."
                yield Problem.of_file(file.name, message, hint)

    def _problem(self, file: ReportFile) -> Problem | None:
        age = self.now - _earliest(file)
        if self.days is None or age <= timedelta(days=self.days):
            return None
        old = f"as of {minute_text(file.as_of)}, {age / _DAY:,.1f} days old"
        message = f"{old}; --max-report-age is {count_text(self.days, 'day')}"
        hint = "Get a new report."
        if file.as_of_source is AsOfSource.ASSUMED:
            hint = "Its time is assumed and may be later: keep AWS's file name, or set --as-of."
        return Problem.of_file(file.name, message, hint)


def _earliest(file: ReportFile) -> datetime:
    """Return the as-of of a report; a day without a time counts from its start."""
    is_day = file.as_of_source is AsOfSource.FOLDER
    return file.as_of.replace(hour=0, minute=0, second=0) if is_day else file.as_of
