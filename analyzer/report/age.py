"""Refuse reports that are too old, or of the future, at a moment that the caller names."""

from datetime import datetime, timedelta
from typing import NamedTuple

from analyzer.errors import InputRefused, Problem
from analyzer.report.model import ReportFile
from analyzer.report.report import Report
from analyzer.terms import AsOfSource, count_text, minute_text

_DAY = timedelta(days=1)


class MaxAge(NamedTuple):
    """Hold the most days from the time of a report to a moment (UTC)."""

    days: int
    now: datetime

    def check(self, report: Report) -> None:
        """Raise InputRefused with each report that is older, or that is of a later time.

        A day without a time counts from its start. An assumed as-of is a lower bound.
        """
        found = (self._problem(file) for file in report.files if file.accounts)
        if problems := [problem for problem in found if problem]:
            raise InputRefused(problems)

    def _problem(self, file: ReportFile) -> Problem | None:
        is_day = file.as_of_source is AsOfSource.FOLDER
        at = file.as_of.replace(hour=0, minute=0, second=0) if is_day else file.as_of
        age = self.now - at
        as_of = f"as of {minute_text(file.as_of)}"
        if age < -_DAY:
            message = f"{as_of}, later than the clock, so its age is unknown"
            hint = f"Check the clock of this machine ({minute_text(self.now)}) and the time."
            return Problem.of_file(file.name, message, hint)
        if age <= timedelta(days=self.days):
            return None
        old = f"{age / _DAY:,.1f} days old"
        message = f"{as_of}, {old}; --max-report-age is {count_text(self.days, 'day')}"
        hint = "Get a new report."
        if file.as_of_source is AsOfSource.ASSUMED:
            hint = "Its time is assumed and may be later: keep AWS's file name, or set --as-of."
        return Problem.of_file(file.name, message, hint)
