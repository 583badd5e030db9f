"""Find since when decisions are done, by following up each report of a period alone.

So a history and the follow-ups of its reports agree. Of the reports before it, those count that
have AWS's list of service-specific credentials, and users of one creation second.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.changes.presence import AFTER_REPORT, BEFORE_REPORT, DETAIL, EVENT, IDENTITY
from analyzer.changes.timeline import Span, Timeline
from analyzer.decisions.decision import Decision, LedgerLine, UserKey
from analyzer.decisions.ledger import Ledger
from analyzer.decisions.outcome import DecisionOutcome, decision_outcomes
from analyzer.report.model import Page, Report
from analyzer.terms import OVERDUE

_OF_ACCOUNT_REPORT: Final = (columns.FILE, columns.ACCOUNT)


def final_outcomes(
    timeline: Timeline, analysis: Analysis
) -> tuple[Mapping[UserKey, DecisionOutcome], Mapping[UserKey, int]]:
    """Return what the last reports of a period show of the decisions in force, and since when.

    The second are the positions of the reports since which those are done that are done at the end:
    that report, and each after it, shows it.
    """
    covered = timeline.covered
    ledger = analysis.ledger
    lines = [each for each in ledger.removals() if each.account in covered]
    places = {each.account: covered[each.account].end for each in lines}
    at_end, done = dict[UserKey, DecisionOutcome](), dict[UserKey, int]()
    rows: _RowsByReport | None = None
    while lines:
        rows = rows or _RowsByReport(timeline, analysis.report, *_rows(timeline, analysis, lines))
        report = rows.report_of({each.account: places[each.account] for each in lines})
        shown = decision_outcomes(ledger, lines, report, report.pages())
        at_end = at_end or shown
        lines = [each for each in lines if shown[each.user_key].is_done]
        done |= {each.user_key: places[each.account] for each in lines}
        places = {account: place - 1 for account, place in places.items()}
        lines = [each for each in lines if places[each.account] >= covered[each.account].start]
    return at_end, done


def _rows(
    timeline: Timeline, analysis: Analysis, lines: Sequence[LedgerLine]
) -> Iterator[list[tuple[Page, np.ndarray]]]:
    """Yield the users who may tell of decisions, and the roots: pages, and the report of each row.

    These are the users decided on, and those who may be one of them renamed.
    """
    arns, accounts = [each.user_key.arn for each in lines], [each.account for each in lines]
    seconds = pd.DatetimeIndex([each.user_key.created for each in lines], tz=UTC)

    def may_tell(users: pd.DataFrame) -> pd.Series:
        created = users[columns.CREATED]
        is_alike = users[columns.ARN].isin(arns) | created.isin(seconds) | created.isna()
        return is_alike & users[columns.ACCOUNT].isin(accounts)

    keys = [(each.file, each.account) for each in timeline.account_reports]
    known = pd.MultiIndex.from_tuples(keys)
    users = (page.where(may_tell(page.users).to_numpy(bool)) for page in analysis.pages())
    for pages in (users, analysis.report.roots()):
        yield [
            (page, known.get_indexer(pd.MultiIndex.from_frame(page.users[[*_OF_ACCOUNT_REPORT]])))
            for page in pages
        ]


@dataclass(frozen=True)
class _RowsByReport:
    """Hold rows of users and of roots in pages, with the position of the report of each row."""

    timeline: Timeline
    report: Report
    users: Sequence[tuple[Page, np.ndarray]]
    roots: Sequence[tuple[Page, np.ndarray]]

    def report_of(self, places: Mapping[str, int]) -> Report:
        """Return what the reports at some positions show, by account, as the newest of each.

        Of older ones there are only the users that are needed.
        """
        positions = [*places.values()]
        files = []
        for each in (self.timeline.account_reports[at] for at in positions):
            file = self.report.files[each.file]
            own = (account for account in file.accounts if account.account == each.account)
            files.append(replace(file, accounts=(*own,)))
        users, roots = (
            [page.where(kept) for page, at in rows if (kept := np.isin(at, positions)).any()]
            for rows in (self.users, self.roots)
        )
        older = [
            page.where(kept)
            for page, at in self.users
            if (kept := self._is_needed(page.users) & _is_before(page.users, at, places)).any()
        ]
        before = replace(self.report, pages=lambda: iter(older))
        return replace(
            self.report,
            files=(*files,),
            pages=lambda: iter(users),
            roots=lambda: roots,
            older=lambda: [before] if older else [],
        )

    def _is_needed(self, users: pd.DataFrame) -> np.ndarray:
        """Return which users of older reports count: beside AWS's list, or of a shared second."""
        with_list = np.array([file.shows_service_credentials for file in self.report.files])
        has_list = with_list[users[columns.FILE].to_numpy()]
        return np.asarray(has_list | users[columns.CREATED].isin(self.shared_seconds))

    @cached_property
    def shared_seconds(self) -> list[datetime]:
        """Return when several users of an account were created at once."""
        arns = defaultdict[tuple[str, datetime], set[str]](set)
        for page, _ in self.users:
            identity = (
                page.users[name] for name in (columns.ACCOUNT, columns.CREATED, columns.ARN)
            )
            for account, created, arn in zip(*identity, strict=True):
                arns[account, created].add(arn)
        return [created for (_, created), of_second in arns.items() if len(of_second) > 1]


def _is_before(users: pd.DataFrame, at: np.ndarray, places: Mapping[str, int]) -> np.ndarray:
    """Return which users are in a report before the position of the account (bool)."""
    return np.asarray((at >= 0) & (at < users[columns.ACCOUNT].map(places).to_numpy(float)))


def decision_counts_and_events(
    timeline: Timeline,
    span: Span,
    ledger: Ledger,
    outcomes: Mapping[UserKey, DecisionOutcome],
    done_since: Mapping[UserKey, int],
) -> tuple[Counter[tuple[str, str]], list[dict[str, object]]]:
    """Return how many decisions of each account a period counts, and they and what was done.

    `outcomes` and `done_since` are those of `final_outcomes`. The numbers are those of
    `history.DECISION_COUNTS`, the rows have the columns of `EVENTS`.
    """
    covered = timeline.covered
    first_days = {
        account: (span.since or timeline.account_reports[of.start].at).date()
        for account, of in covered.items()
    }
    last_day = span.until.date() if span.until else date.max
    counts: Counter[tuple[str, str]] = Counter()
    events = []
    for each in ledger.lines:
        of = covered.get(each.account) if each.decision is not Decision.CONFLICT else None
        if of and first_days[of.account] <= each.decided_on <= last_day:
            counts[of.account, "decisions"] += 1
            midnight = datetime.combine(each.decided_on, time(), UTC)
            events.append(_event(each, None, midnight, "decision"))
    for user, outcome in outcomes.items():
        of, done = covered[outcome.line.account], done_since.get(user)
        if done is None or done > of.start:
            status = _status(timeline, outcome, done, ledger.due_days)
            counts.update(((of.account, "removals"), (of.account, status)))
        if done is not None and done > of.start:
            edges = (timeline.account_reports[at].at for at in (done - 1, done))
            events.append(_event(outcome.line, *edges, "done"))
    return counts, events


def _status(timeline: Timeline, outcome: DecisionOutcome, done: int | None, due_days: int) -> str:
    if done is None:
        return OVERDUE if outcome.days > due_days else "open"
    before, at_last = (
        (timeline.account_reports[at].at.date() - outcome.line.decided_on).days
        for at in (done - 1, done)
    )
    if at_last <= due_days:
        return "done_in_time"
    return "done_late" if before > due_days else "done_undated"


def _event(line: LedgerLine, *cells: object) -> dict[str, object]:
    """Return a decision as an event; the cells are after, before and what happened."""
    user = line.account, line.user_key.arn, line.user, line.user_key.created
    names = (*IDENTITY, AFTER_REPORT, BEFORE_REPORT, EVENT, DETAIL)
    return dict(zip(names, (*user, *cells, line.summary), strict=True))
