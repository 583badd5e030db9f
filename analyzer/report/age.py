"""Refuse reports that are later than a clock, or too old at the moment that it shows."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from analyzer.errors import InputRefused, Problem
from analyzer.report.model import ReportFile
from analyzer.report.report import Report
from analyzer.terms import AsOfSource, count_text, minute_text

_DAY: Final = timedelta(days=1)


class TimeRefused(InputRefused):
    """Refuse reports for their times: each can be read."""


def later_problem(name: str, at: datetime, now: datetime) -> Problem | None:
    """Return what is wrong with a report of a time (UTC) more than a day later than the clock."""
    if at - now <= _DAY:
        return None
    clock = f"the clock of this machine, {minute_text(now)}"
    message = f"as of {minute_text(at)}, more than a day later than {clock}"
    return Problem.of_file(name, message, "Set the clock, or remove the report of a wrong time.")


def later_problems(report: Report, now: datetime) -> Iterator[Problem]:
    """Yield a problem for each report that counts and is later than the clock.

    Its own time counts, never `--as-of`; a day without a time counts from its start.
    """
    for file in report.files:
        if file.accounts and (problem := later_problem(file.name, file.time, now)):
            yield problem


def refuse_later(report: Report, now: datetime) -> None:
    """Raise TimeRefused with each report that is more than a day later than the clock."""
    if problems := [*later_problems(report, now)]:
        raise TimeRefused(problems)


class MaxAge(NamedTuple):
    """Hold the most days from the time of a report to a moment (UTC)."""

    days: int
    now: datetime

    def check(self, report: Report) -> None:
        """Raise TimeRefused with each report that is older, or that is of a later time.

        A day without a time counts from its start. An assumed as-of is a lower bound.
        """
        found = (self._problem(file) for file in report.files if file.accounts)
        if problems := [problem for problem in found if problem]:
            raise TimeRefused(problems)

    def _problem(self, file: ReportFile) -> Problem | None:
        is_day = file.as_of_source is AsOfSource.FOLDER
        at = file.as_of.replace(hour=0, minute=0, second=0) if is_day else file.as_of
        age = self.now - at
        as_of = f"as of {minute_text(file.as_of)}"
        if later := later_problem(file.name, at, self.now):
            return later
        if age <= timedelta(days=self.days):
            return None
        old = f"{age / _DAY:,.1f} days old"
        message = f"{as_of}, {old}; --max-report-age is {count_text(self.days, 'day')}"
        hint = "Get a new report."
        if file.as_of_source is AsOfSource.ASSUMED:
            hint = "Its time is assumed and may be later: keep AWS's file name, or set --as-of."
        return Problem.of_file(file.name, message, hint)
