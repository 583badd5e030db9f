"""Find since when decisions are done, by following up each report of a period alone.

A history therefore agrees with the follow-ups of its reports.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.changes.stays import AFTER_REPORT, BEFORE_REPORT, DETAIL, EVENT, IDENTITY
from analyzer.changes.timeline import Span, Timeline
from analyzer.decisions.decision import Decision, LedgerLine, UserKey
from analyzer.decisions.outcome import DecisionOutcome, decision_outcomes
from analyzer.decisions.reported_users import UsersInNewestReports
from analyzer.report.model import Report, concatenated
from analyzer.report.users import Users
from analyzer.terms import OVERDUE

_ReportRows = list[tuple[Users, np.ndarray]]
"""Pages, each with the positions of its rows' reports in `Timeline.account_reports`."""


def _final_outcomes(
    timeline: Timeline, analysis: Analysis
) -> tuple[Mapping[UserKey, DecisionOutcome], Mapping[UserKey, int]]:
    """Return the outcomes of the decisions in force at the end of a period, and since when.

    The second has, by user, the position of the first report from which all reports show the
    decision done. A decision that is not done at the end is missing.
    """
    covered, ledger = timeline.covered, analysis.ledger
    lines = [line for line in ledger.removals() if line.account in covered]
    position_of_account = {line.account: covered[line.account].end for line in lines}
    at_end, done = dict[UserKey, DecisionOutcome](), dict[UserKey, int]()
    rows = _pages_and_positions(timeline, analysis, lines) if lines else ([], [], [])
    while lines:
        asked = {line.account: position_of_account[line.account] for line in lines}
        report = _report_at(asked, timeline, analysis.report, rows)
        users = UsersInNewestReports(lines, report, report.pages())
        shown = decision_outcomes(ledger, lines, report, users)
        at_end = at_end or shown
        lines = [line for line in lines if shown[line.user_key].is_done]
        done |= {line.user_key: position_of_account[line.account] for line in lines}
        position_of_account = {
            account: position - 1 for account, position in position_of_account.items()
        }
        lines = [
            line
            for line in lines
            if position_of_account[line.account] >= covered[line.account].start
        ]
    return at_end, done


def _pages_and_positions(
    timeline: Timeline, analysis: Analysis, lines: Sequence[LedgerLine]
) -> tuple[_ReportRows, _ReportRows, _ReportRows]:
    """Return the users that may be those decided on, the roots, and the users of older reports.

    The first have the ARN of a user decided on, or may be such a user renamed. Older reports count
    if AWS's list was saved with them, and for users that share their second of creation.
    """
    report, second = analysis.report, [columns.ACCOUNT, columns.CREATED]
    accounts, arns = [line.account for line in lines], [line.user_key.arn for line in lines]
    seconds = pd.DatetimeIndex([line.user_key.created for line in lines], tz=UTC)
    keys = [(report.file, report.account) for report in timeline.account_reports]
    known = pd.MultiIndex.from_tuples(keys)
    candidates = []
    for page in analysis.pages():
        account, created, arn = (page.users[name] for name in (*second, columns.ARN))
        is_alike = arn.isin(arns) | created.isin(seconds) | created.isna()
        candidates.append(page.where((is_alike & account.isin(accounts)).to_numpy(bool)))
    users, roots = (
        [
            (page, known.get_indexer(page.users.set_index([columns.FILE, columns.ACCOUNT]).index))
            for page in pages
        ]
        for pages in (candidates, report.roots())
    )
    distinct = concatenated(page.users[[*second, columns.ARN]] for page in candidates)
    distinct = distinct.drop_duplicates()
    shared = distinct.loc[distinct.duplicated(second), columns.CREATED]
    with_list = np.array([file.shows_service_credentials for file in report.files])
    older = []
    for page, at in users:
        has_list = with_list[page.users[columns.FILE].to_numpy()]
        counts = np.asarray(has_list | page.users[columns.CREATED].isin(shared))
        older.append((page.where(counts), at[counts]))
    return users, roots, older


def _report_at(
    position_of_account: Mapping[str, int],
    timeline: Timeline,
    report: Report,
    rows: tuple[_ReportRows, _ReportRows, _ReportRows],
) -> Report:
    """Return a report in which the reports at positions are the newest of their accounts."""
    of_users, of_roots, of_older = rows
    positions = [*position_of_account.values()]
    files = []
    for account_report in (timeline.account_reports[at] for at in positions):
        file = report.files[account_report.file]
        own = (account for account in file.accounts if account.account == account_report.account)
        files.append(replace(file, accounts=(*own,)))
    users, roots = (
        [page.where(kept) for page, at in pages if (kept := np.isin(at, positions)).any()]
        for pages in (of_users, of_roots)
    )
    older = []
    for page, at in of_older:
        end = page.users[columns.ACCOUNT].map(position_of_account).to_numpy(float)
        if (kept := (at >= 0) & (at < end)).any():
            older.append(page.where(kept))
    before = replace(report, pages=lambda: iter(older))
    return replace(
        report,
        files=(*files,),
        pages=lambda: iter(users),
        roots=lambda: roots,
        older=lambda: [before] if older else [],
    )


def decision_counts_and_events(
    timeline: Timeline, span: Span, analysis: Analysis
) -> tuple[Counter[tuple[str, str]], list[dict[str, object]]]:
    """Return the numbers of decisions in a period by account, and the events of decisions.

    The numbers are those of `history.DECISION_COUNTS`; the events have the columns of `EVENTS`.
    """
    covered, ledger = timeline.covered, analysis.ledger
    outcomes, done_since = _final_outcomes(timeline, analysis)
    first_days = {
        account: (span.since or timeline.account_reports[of.start].at).date()
        for account, of in covered.items()
    }
    last_day = span.until.date() if span.until else date.max
    counts: Counter[tuple[str, str]] = Counter()
    events = []
    for line in ledger.lines:
        of = covered.get(line.account) if line.decision is not Decision.CONFLICT else None
        if of and first_days[of.account] <= line.decided_on <= last_day:
            counts[of.account, "decisions"] += 1
            midnight = datetime.combine(line.decided_on, time(), UTC)
            events.append(_event(line, None, midnight, "decision"))
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
        return OVERDUE if outcome.is_overdue(due_days) else "open"
    before, at_last = (
        (timeline.account_reports[at].at.date() - outcome.line.decided_on).days
        for at in (done - 1, done)
    )
    if at_last <= due_days:
        return "done_in_time"
    return "done_late" if before > due_days else "done_undated"


def _event(line: LedgerLine, *cells: object) -> dict[str, object]:
    """Return a decision as an event; the cells are `after`, `before` and the event."""
    user = line.account, line.user_key.arn, line.user, line.user_key.created
    names = (*IDENTITY, AFTER_REPORT, BEFORE_REPORT, EVENT, DETAIL)
    return dict(zip(names, (*user, *cells, line.summary), strict=True))
