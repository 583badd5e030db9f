"""Find since when decisions are done, by following up each report of a period alone.

So a history and the follow-ups of its reports agree.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Final

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.changes.timeline import Timeline
from analyzer.decisions.decision import LedgerLine, UserKey
from analyzer.decisions.follow_up import DecisionOutcome, decision_outcomes
from analyzer.report.model import Page, Report

_OF_READING: Final = (columns.FILE, columns.ACCOUNT)


def followed_to_end(
    line: Timeline, analysis: Analysis
) -> tuple[Mapping[UserKey, DecisionOutcome], Mapping[UserKey, int]]:
    """Return what the last reports of a period show of the decisions in force, and since when.

    The second are the readings since which those are done that are done at the end: each is the
    first of an unbroken run of reports, up to the last, each of which shows it.
    """
    covered = line.covered
    lines = [each for each in analysis.ledger.removals() if each.account in covered]
    places = {each.account: covered[each.account].end for each in lines}
    at_end, done = dict[UserKey, DecisionOutcome](), dict[UserKey, int]()
    readings: _Readings | None = None
    while lines:
        readings = readings or _Readings(line, analysis.report, *_rows(line, analysis, lines))
        report = readings.report_of([*{places[each.account]: None for each in lines}])
        shown = decision_outcomes(lines, report, report.pages())
        at_end = at_end or shown
        lines = [each for each in lines if shown[each.user_key].is_done]
        done |= {each.user_key: places[each.account] for each in lines}
        places = {account: reading - 1 for account, reading in places.items()}
        lines = [each for each in lines if places[each.account] >= covered[each.account].start]
    return at_end, done


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

    def report_of(self, readings: Sequence[int]) -> Report:
        """Return what some readings show, one of each account, as the newest report of each."""
        files = []
        for each in (self.line.readings[at] for at in readings):
            file = self.report.files[each.file]
            own = (account for account in file.accounts if account.account == each.account)
            files.append(replace(file, accounts=(*own,)))
        users, roots = (
            [page.where(kept) for page, at in rows if (kept := np.isin(at, readings)).any()]
            for rows in (self.users, self.roots)
        )
        return replace(self.report, files=(*files,), pages=lambda: iter(users), roots=lambda: roots)
