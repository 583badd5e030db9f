"""Find since when decisions are done, by following up each report of a period alone.

So a history and the follow-ups of its reports agree.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Final

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.changes.timeline import Timeline
from analyzer.decisions.decision import LedgerLine, UserKey
from analyzer.decisions.follow_up import FollowUp, outcomes
from analyzer.report.model import Page, Report

_OF_READING: Final = (columns.FILE, columns.ACCOUNT)


def first_done(line: Timeline, analysis: Analysis, followed: FollowUp) -> Mapping[UserKey, int]:
    """Return the reading since which each decision is done that is done at the end.

    It is the first of an unbroken run of reports, up to the end, each of which shows it done.
    """
    covered = line.covered
    at_end = (each.line for each in followed.outcomes.values() if each.is_done)
    lines = [each for each in at_end if each.account in covered]
    done = {each.user_key: covered[each.account].end for each in lines}
    readings: _Readings | None = None
    while lines := [each for each in lines if done[each.user_key] > covered[each.account].start]:
        readings = readings or _Readings(line, analysis.report, *_rows(line, analysis, lines))
        before = {each.account: done[each.user_key] - 1 for each in lines}
        report = readings.report_of(before.values())
        shown = outcomes(lines, report, report.pages())
        lines = [each for each in lines if shown[each.user_key].is_done]
        done |= {each.user_key: before[each.account] for each in lines}
    return done


def _rows(
    line: Timeline, analysis: Analysis, lines: Sequence[LedgerLine]
) -> Iterator[list[tuple[Page, np.ndarray]]]:
    """Yield the users who may tell of decisions, and the roots: pages, and the reading of each row.

    These are the users decided on, and those who may be one of them renamed.
    """
    arns, accounts = [each.user_key.arn for each in lines], [each.account for each in lines]
    seconds = pd.DatetimeIndex([each.user_key.created for each in lines], tz=UTC)

    def may_tell(users: pd.DataFrame) -> pd.Series:
        created = users[columns.CREATED]
        is_alike = users[columns.ARN].isin(arns) | created.isin(seconds) | created.isna()
        return is_alike & users[columns.ACCOUNT].isin(accounts)

    known = pd.MultiIndex.from_tuples([(each.file, each.account) for each in line.readings])
    users = (page.where(may_tell(page.users).to_numpy(bool)) for page in analysis.pages())
    for pages in (users, analysis.report.roots()):
        yield [
            (page, known.get_indexer(pd.MultiIndex.from_frame(page.users[[*_OF_READING]])))
            for page in pages
        ]


@dataclass(frozen=True, slots=True)
class _Readings:
    """Hold rows of users and of roots in pages, with the reading of each row."""

    line: Timeline
    report: Report
    users: Sequence[tuple[Page, np.ndarray]]
    roots: Sequence[tuple[Page, np.ndarray]]

    def report_of(self, readings: Iterable[int]) -> Report:
        """Return what some readings show, one of each account, as the newest report of each."""
        places = [*readings]
        files = []
        for each in (self.line.readings[at] for at in places):
            file = self.report.files[each.file]
            own = (account for account in file.accounts if account.account == each.account)
            files.append(replace(file, accounts=(*own,)))
        users, roots = (
            [page.where(kept) for page, at in rows if (kept := np.isin(at, places)).any()]
            for rows in (self.users, self.roots)
        )
        return replace(self.report, files=(*files,), pages=lambda: iter(users), roots=lambda: roots)
