"""Follow up all decisions to remove users: a table, and a text beside each user."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.decisions.credentials import users_of
from analyzer.decisions.decision import Decision, LedgerLine, User
from analyzer.decisions.entries import COMMENT, DECIDED_BY, DECIDED_ON, DECISION, TICKET
from analyzer.decisions.fate import NOT_IDENTIFIED, Fate, State, fates
from analyzer.decisions.ledger import ROW, SHA256, SHEET, WORKBOOK, Ledger
from analyzer.lists.exemptions import RULE_OF_VERDICT
from analyzer.lists.owners import NO_OWNERS, Owners
from analyzer.report.model import TEXT, account_names, as_category
from analyzer.report.report import Report
from analyzer.report.users import Users
from analyzer.terms import OVERDUE, Verdict, code_of

STATUS: Final = "status"
DAYS: Final = "days"
REPORT: Final = "report"
DONE_SINCE: Final = "done_since"
DONE_AT: Final = "done_at"
DONE_BY: Final = "done_by"
DONE_IN: Final = "done_in"
FACT: Final = "fact"
DECIDED_VERDICT: Final = "decided_verdict"
DECIDED_AS_OF: Final = "decided_as_of"
_MOMENT_DTYPE: Final = "datetime64[s, UTC]"

MOMENTS: Final = (
    columns.CREATED,
    columns.LAST_USE,
    columns.AS_OF,
    DONE_SINCE,
    DONE_AT,
    DECIDED_AS_OF,
)
"""The columns that hold moments."""

_CELLS: Final[Mapping[str, tuple[Any, Callable[[Fate], Any]]]] = {
    STATUS: ("object", lambda fate: str(fate.state)),
    OVERDUE: ("bool", lambda _: False),
    columns.ACCOUNT: (TEXT, lambda fate: fate.line.account),
    columns.USER: (TEXT, lambda fate: fate.line.user),
    columns.ARN: (TEXT, lambda fate: fate.line.arn),
    columns.CREATED: (_MOMENT_DTYPE, lambda fate: fate.line.created),
    DECISION: (TEXT, lambda fate: str(fate.line.decision)),
    DECIDED_BY: (TEXT, lambda fate: fate.line.decided_by),
    DECIDED_ON: ("datetime64[s]", lambda fate: fate.line.decided_on),
    TICKET: (TEXT, lambda fate: fate.line.ticket),
    COMMENT: (TEXT, lambda fate: fate.line.comment),
    DAYS: ("int64", lambda fate: fate.days),
    columns.VERDICT: (TEXT, lambda fate: fate.now.verdict if fate.now else ""),
    columns.LAST_USE: (
        _MOMENT_DTYPE,
        lambda fate: fate.now.credentials.last_use if fate.now else None,
    ),
    REPORT: (TEXT, lambda fate: fate.file.name if fate.file else ""),
    columns.AS_OF: (_MOMENT_DTYPE, lambda fate: fate.as_of),
    DONE_SINCE: (_MOMENT_DTYPE, lambda fate: fate.done_since),
    DONE_AT: (_MOMENT_DTYPE, lambda fate: fate.logged.at if fate.logged else None),
    DONE_BY: (TEXT, lambda fate: fate.logged.caller if fate.logged else ""),
    DONE_IN: (TEXT, lambda fate: fate.logged.run if fate.logged else ""),
    FACT: (TEXT, lambda fate: fate.fact),
    DECIDED_VERDICT: (TEXT, lambda fate: fate.line.user_row[columns.VERDICT]),
    DECIDED_AS_OF: (_MOMENT_DTYPE, lambda fate: fate.line.as_of),
    WORKBOOK: (TEXT, lambda fate: fate.line.workbook),
    SHEET: (TEXT, lambda fate: fate.line.sheet),
    ROW: ("int64", lambda fate: fate.line.row),
    SHA256: (TEXT, lambda fate: fate.line.sha256),
    **dict.fromkeys((*columns.OWNERSHIP, columns.ACCOUNT_NAME), (TEXT, lambda _: "")),
}
"""The dtype and the value of each column; some are filled in for all rows together."""

COLUMNS: Final = tuple(_CELLS)


@dataclass(frozen=True)
class FollowUp:
    """Hold the fate of each removal, as a frame and by user.

    `frame` has the columns `COLUMNS`, the most urgent decision first: `status` is a category
    (`State`), `overdue` is `Fate.is_overdue` for `Ledger.due_days`, `days`
    count from the decision to the report, `verdict` is the one now (empty if the user is gone),
    `report` is the file (empty if the account is not covered), `as_of` its moment, `done_since`
    that of the first report in which the decision is done. `done_at`, `done_by` and `done_in` are
    time, caller and run in the log of the script; `contradictions` are as in `Fates`. `ledger` has
    what the reports show as lines of the program; `facts` are those that its file keeps.
    """

    frame: pd.DataFrame
    fates: Mapping[User, Fate]
    ledger: Ledger
    facts: tuple[LedgerLine, ...] = ()
    contradictions: tuple[str, ...] = ()


def follow_up(users: Users, report: Report, ledger: Ledger, owners: Owners = NO_OWNERS) -> FollowUp:
    """Return the fate of each removal; `users` are the judged users of `report`."""
    of_reports = fates(ledger, report, users)
    every = of_reports.fates
    cells = {
        name: pd.Series([value(fate) for fate in every], dtype=dtype)
        for name, (dtype, value) in _CELLS.items()
    }
    frame = pd.DataFrame(cells)
    codes = [code_of(fate.state) for fate in every]
    frame[STATUS] = as_category(np.array(codes, np.int64), State)
    frame[OVERDUE] = np.array([fate.is_overdue(ledger.due_days) for fate in every], bool)
    frame = frame.assign(**owners.columns_of(frame))
    frame[columns.ACCOUNT_NAME] = account_names(frame[columns.ACCOUNT], report.account_names)
    order = [STATUS, DECIDED_ON, columns.ACCOUNT, columns.ARN]
    sorted_frame = frame.sort_values(order, kind="stable", ignore_index=True)
    by_user = {fate.line.subject: fate for fate in every}
    facts, contradictions = (*of_reports.kept_facts,), of_reports.contradictions
    return FollowUp(sorted_frame, by_user, of_reports.ledger, facts, contradictions)


def follow_up_counts(frame: pd.DataFrame) -> dict[str, int]:
    """Return how many decisions have each status, and how many are overdue."""
    counts = {str(status): int((frame[STATUS] == status).sum()) for status in State}
    return {**counts, OVERDUE: int(frame[OVERDUE].sum())}


def earlier_decisions(page: Users, followed: FollowUp) -> pd.Series:
    """Return the earlier decision on each user of a judged page, in words (str)."""
    shown = page.users[columns.AS_OF], page.users[columns.VERDICT]
    texts = map(partial(_earlier_decision, followed), users_of(page.users), *shown)
    return pd.Series([*texts], page.users.index, TEXT)


def _earlier_decision(followed: FollowUp, user: User, as_of: datetime, verdict: str) -> str:
    stand = followed.ledger.standings.get(user)
    if stand is None:
        return ""
    line, last = stand.line, followed.ledger.days.last_day(stand.line)
    fate = followed.fates.get(user)
    if stand.doubt:
        return f"{stand.doubt}: {fate.fact if fate else stand.why}"
    decision = f"{line.summary}: {line.comment}" if line.comment else line.summary
    if fate:
        return f"{decision}; {fate.state}: {fate.fact}"
    is_keep = line.decision is Decision.KEEP
    return f"{decision}; {_effect_of_keep(line, last, as_of, verdict)}" if is_keep else decision


def _effect_of_keep(line: LedgerLine, last: date, as_of: datetime, verdict: str) -> str:
    """Return from what a keep exempts, in words."""
    if as_of.date() > last:
        return f"ended on {last}"
    if not line.identifies_user:
        return f"exempts from nothing: {NOT_IDENTIFIED}"
    rule = RULE_OF_VERDICT.get(Verdict(verdict))
    return (
        f"exempts from {rule} until {last}"
        if rule
        else f"exempts a user who is {verdict} from nothing"
    )


def needs_no_decision(page: Users, followed: FollowUp) -> np.ndarray:
    """Return which users of a judged page need no decision now (bool)."""
    settled = map(partial(_is_settled, followed), users_of(page.users), page.users[columns.AS_OF])
    return np.array([*settled], bool)


def _is_settled(followed: FollowUp, user: User, as_of: datetime) -> bool:
    stand = followed.ledger.standings.get(user)
    if stand is None or stand.doubt or stand.line.decision is Decision.WITHDRAW:
        return False
    line = stand.line
    if line.decision is Decision.INVESTIGATE or not line.identifies_user:
        return line.as_of >= as_of
    if line.decision is Decision.KEEP:
        return followed.ledger.days.last_day(line) >= as_of.date()
    return followed.fates[user].state not in _TO_DECIDE_AGAIN


_TO_DECIDE_AGAIN: Final = (State.DONE, State.DEACTIVATED, State.ACTIVE)
