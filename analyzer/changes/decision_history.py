"""Add to a history what was decided in the period, and when reports first show it done."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, time
from itertools import product
from typing import Final

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.changes.events import CERTIFICATE_COLUMNS, KEY_COLUMNS
from analyzer.changes.history import ALL, History
from analyzer.changes.period import AFTER, BEFORE, DETAIL, EVENT
from analyzer.changes.snapshot import UNKNOWN
from analyzer.changes.timeline import READING, STATES, Coverage, Timeline
from analyzer.decisions.follow_up import FollowUp, Outcome
from analyzer.decisions.review_columns import Decision
from analyzer.decisions.user_decisions import LedgerLine
from analyzer.report.model import stable_order, user_positions
from analyzer.terms import OVERDUE, State, code_of

DECIDED: Final = ("decisions", "removals", "done_in_time", "done_late", OVERDUE, "open")
"""What the period counts: all decisions of its days; of those in force to delete or deactivate that
were not done before it, those done in time, done late, overdue, and open.
"""

_HIDING: Final = {columns.PASSWORD_ENABLED, *KEY_COLUMNS, *CERTIFICATE_COLUMNS}
_HIDING_BITS: Final = sum(1 << columns.IN_REPORT.index(name) for name in _HIDING)
"""The cells without which it is unknown whether a credential works, as bits of `unknown`."""


def with_decisions(found: History, followed: FollowUp) -> History:
    """Return a history with the columns `DECIDED` of the period, and events `decision` and `done`.

    `followed` is what the reports at the end of the period show of the decisions in force.
    """
    covered = {each.account: each for each in found.coverages if not each.reason}
    counts: Counter[tuple[str, str]] = Counter()
    moments = found.timeline.moments
    events = []
    for line in found.analysis.ledger.lines:
        of, day = covered.get(line.account), np.datetime64(line.decided_on)
        if of and moments[of.start].astype("datetime64[D]") <= day <= moments[of.end]:
            counts.update(product((of.account, ALL), ["decisions"]))
            midnight = datetime.combine(line.decided_on, time(), UTC)
            events.append(_event(line, None, midnight, "decision"))
    for each in followed.outcomes.values():
        of = covered.get(each.line.account)
        done = _done(found.timeline, of, each) if of and each.is_done else None
        if of and (done is None or done > of.start):
            status = _status(found, each, done)
            counts.update(product((of.account, ALL), ["removals", status]))
        if of and done is not None and done > of.start:
            after, before = (found.timeline.readings[at].at for at in (done - 1, done))
            events.append(_event(each.line, after, before, "done"))
    accounts = found.period[columns.ACCOUNT]
    added = {name: [counts[account, name] for account in accounts] for name in DECIDED}
    period = found.period.assign(**added)
    return replace(found, period=period, events=_with_events(found.events, events))


def _status(found: History, outcome: Outcome, done: int | None) -> str:
    """Return under which of `DECIDED` a decision to delete or deactivate is counted."""
    due = found.analysis.ledger.due_days
    if done is None:
        return OVERDUE if outcome.days > due else "open"
    days = (found.timeline.readings[done].at.date() - outcome.line.decided_on).days
    return "done_in_time" if days <= due else "done_late"


def _done(line: Timeline, covered: Coverage, outcome: Outcome) -> int:
    """Return the reading that first shows a decision done that is done at the end."""
    decided = outcome.line
    created = line.users[columns.CREATED].dt.tz_localize("UTC")
    users, (arn, at) = line.users.assign(**{columns.CREATED: created}), decided.user_key
    user = np.flatnonzero(user_positions(users, [(arn, at)] if at else []) >= 0)
    rows = np.flatnonzero(np.isin(line.rows[columns.USER], user))
    if decided.decision is Decision.DEACTIVATE:
        rows = rows[~_has_no_credential(line, rows)]
    last = line.rows[READING][rows].max(initial=covered.start - 1)
    decided_at = np.datetime64(decided.report_time.earliest.replace(tzinfo=None), "s")
    later = np.searchsorted(line.moments[covered.start : covered.end + 1], decided_at, "right")
    return max(int(last) + 1, covered.start + int(later))


def _has_no_credential(line: Timeline, rows: np.ndarray) -> np.ndarray:
    """Return in which rows a user is known to have no password, active key or certificate."""
    works = line.situation(columns.PASSWORD_ENABLED, rows)
    for name in STATES:
        works = works | (line.situation(name, rows) == code_of(State.ACTIVE))
    return np.asarray(~works & (line.situation(UNKNOWN, rows) & _HIDING_BITS == 0))


def _event(
    line: LedgerLine, after: datetime | None, before: datetime, event: str
) -> dict[str, object]:
    user = {
        columns.ACCOUNT: line.account,
        columns.USER: line.user,
        columns.ARN: line.user_key.arn,
        columns.CREATED: line.user_key.created,
    }
    return {**user, AFTER: after, BEFORE: before, EVENT: event, DETAIL: line.summary}


def _with_events(events: pd.DataFrame, more: list[dict[str, object]]) -> pd.DataFrame:
    if not more:
        return events
    added = pd.DataFrame(more, columns=events.columns).astype(events.dtypes.to_dict())
    every = pd.concat([events, added], ignore_index=True)
    by = (columns.ACCOUNT, columns.ARN, columns.USER, columns.CREATED, BEFORE)
    return every.iloc[stable_order(*(every[name] for name in by))].reset_index(drop=True)
