"""Follow up all decisions to remove users: a table, and a text beside each user."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from analyzer import columns
from analyzer.decisions.credentials import users_of
from analyzer.decisions.decision import Decision, LedgerLine, User
from analyzer.decisions.entries import COMMENT, DECIDED_BY, DECIDED_ON, DECISION, TICKET
from analyzer.decisions.fate import NOT_IDENTIFIED, Fate, Overdue, State, became_text, fates
from analyzer.decisions.ledger import ROW, WORKBOOK, Ledger
from analyzer.decisions.reported_accounts import reported_accounts, with_same_second
from analyzer.decisions.standing import Standing, last_day
from analyzer.limits import DUE_DAYS
from analyzer.lists.exemptions import EXEMPTED_VERDICTS
from analyzer.lists.owners import NO_OWNERS, Owners
from analyzer.report.frames import TEXT, account_names, as_category, categories
from analyzer.report.report import Report
from analyzer.report.users import Users
from analyzer.terms import OVERDUE, POSSIBLY_RENAMED, Verdict, code_of, short_list

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
    OVERDUE: (TEXT, lambda fate: str(fate.overdue or "")),
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
    REPORT: (TEXT, lambda fate: fate.newest.file.name if fate.newest else ""),
    columns.AS_OF: (_MOMENT_DTYPE, lambda fate: fate.newest.file.as_of if fate.newest else None),
    DONE_SINCE: (_MOMENT_DTYPE, lambda fate: fate.done_since.time if fate.done_since else None),
    DONE_AT: (_MOMENT_DTYPE, lambda fate: fate.logged.at if fate.logged else None),
    DONE_BY: (TEXT, lambda fate: fate.logged.caller if fate.logged else ""),
    DONE_IN: (TEXT, lambda fate: fate.logged.run if fate.logged else ""),
    FACT: (TEXT, lambda fate: fate.fact),
    DECIDED_VERDICT: (TEXT, lambda fate: fate.line.user_row[columns.VERDICT]),
    DECIDED_AS_OF: (_MOMENT_DTYPE, lambda fate: fate.line.as_of),
    WORKBOOK: (TEXT, lambda fate: fate.line.workbook),
    ROW: ("int64", lambda fate: fate.line.row),
    **dict.fromkeys((*columns.OWNERSHIP, columns.ACCOUNT_NAME), (TEXT, lambda _: "")),
}
"""The dtype and the value of each column; some are filled in for all rows together."""

COLUMNS: Final = tuple(_CELLS)


@dataclass(frozen=True)
class FollowUp:
    """Hold what became of the removals of each user, as a frame and by user.

    `frame` has the columns `COLUMNS`, the most urgent first: `status` is a category (`State`),
    `overdue` is `Fate.overdue` (empty if it is not), `days` count from the report decided on to the
    newest one, `verdict` is the one now (empty if the user is gone), `report` is the newest file
    (empty if the account is not covered), `as_of` its moment, `done_since` the time of the first
    report in which the decision is done. `done_at`, `done_by` and `done_in` are time, caller and
    run in the log of the script. `standings` are what stands on each user.
    """

    frame: pd.DataFrame
    fates: Mapping[User, Fate]
    standings: Mapping[User, Standing]


def follow_up(users: Users, report: Report, ledger: Ledger, owners: Owners = NO_OWNERS) -> FollowUp:
    """Return what became of each removal; `users` are the judged users of `report`."""
    accounts = reported_accounts(ledger.lines, report, users)
    complete = with_same_second(ledger, accounts)
    every = fates(complete, accounts)
    cells = {
        name: pd.Series([value(fate) for fate in every], dtype=dtype)
        for name, (dtype, value) in _CELLS.items()
    }
    frame = pd.DataFrame(cells)
    codes = [code_of(fate.state) for fate in every]
    frame[STATUS] = as_category(np.array(codes, np.int64), State)
    frame = frame.assign(**categories(owners.columns_of(frame)))
    frame[columns.ACCOUNT_NAME] = account_names(frame[columns.ACCOUNT], report.account_names)
    order = [STATUS, DECIDED_ON, columns.ACCOUNT, columns.ARN]
    sorted_frame = frame.sort_values(order, kind="stable", ignore_index=True)
    by_user = {fate.line.subject: fate for fate in every}
    return FollowUp(sorted_frame, by_user, complete.standings)


def follow_up_counts(frame: pd.DataFrame) -> dict[str, int]:
    """Return how many decisions have each status, and how many are overdue, by the reason."""
    counts = {str(status): int((frame[STATUS] == status).sum()) for status in State}
    return counts | overdue_counts(frame)


def overdue_counts(frame: pd.DataFrame) -> dict[str, int]:
    """Return how many decisions are overdue, by the reason (`Overdue`)."""
    return {str(why): int((frame[OVERDUE] == why).sum()) for why in Overdue}


class Removed(StrEnum):
    """Name how a user went who is gone without a removal among the last words."""

    AGAINST_KEEP = "removed against a keep"
    AGAINST_INVESTIGATION = "removed against an investigation"
    RENAMED = POSSIBLY_RENAMED
    UNDECIDED = "removed without a decision"


_AGAINST: Final = {
    Decision.KEEP: Removed.AGAINST_KEEP,
    Decision.INVESTIGATE: Removed.AGAINST_INVESTIGATION,
}


@dataclass(frozen=True, slots=True)
class GoneUser:
    """Hold how a user went, and the as-of of the last report with it.

    `against` are the last words that counted at a time between that report and the first without
    the user. `fact` names them, or the new names of its creation second.
    """

    arn: str
    last_seen: datetime
    how: Removed
    against: tuple[LedgerLine, ...] = ()
    fact: str = ""


def gone_users(users: Users, report: Report, followed: FollowUp) -> dict[User, GoneUser]:
    """Return the users of older reports who are gone without a removal among the last words.

    `users` are the judged users of `report`. Of an account without a row of the root user, and of
    users without a creation time, nothing is known.
    """
    if report.older is None:
        return {}
    older, now = report.older.iam_users.users, set(users_of(users.users))
    is_whole = older[columns.ACCOUNT].isin(report.root_users.users[columns.ACCOUNT])
    older = older[is_whole & older[columns.CREATED].notna()].sort_values(columns.AS_OF)
    shown = [*zip(users_of(older), older[columns.ARN], older[columns.AS_OF], strict=True)]
    last = {
        user: (arn, as_of)
        for user, arn, as_of in shown
        if not ({user, user._replace(created=None)} & now or user in followed.fates)
    }
    seconds = {(user.account, user.created) for user in last}
    names = defaultdict[tuple[str, datetime | None], set[str]](set)
    names_then = defaultdict[tuple[str, datetime | None, datetime], set[str]](set)
    for user in now:
        if (user.account, user.created) in seconds:
            names[user.account, user.created].add(user.name)
    for user, _, as_of in shown:
        if (user.account, user.created) in seconds:
            names_then[user.account, user.created, as_of].add(user.name)
    moments = _moments(report)
    gone = {}
    for user, (arn, last_seen) in last.items():
        missed = min(at for at in moments[user.account] if at > last_seen)
        then = names_then[user.account, user.created, last_seen]
        new_names = names[user.account, user.created] - then
        stand = followed.standings.get(user)
        gone[user] = gone_user(stand, arn, last_seen, missed, new_names)
    return gone


def _moments(report: Report) -> dict[str, list[datetime]]:
    """Return the as-of of each report of an account, by account."""
    moments = defaultdict[str, list[datetime]](list)
    for file in (*report.files, *(report.older.files if report.older else ())):
        for of in file.accounts:
            moments[of.account].append(file.as_of)
    return moments


def gone_user(
    stand: Standing | None,
    arn: str,
    last_seen: datetime,
    missed: datetime,
    new_names: Iterable[str],
) -> GoneUser:
    """Return how a user went on whom nobody's last words are removals.

    `last_seen` and `missed` are the last report with the user and the first without it, `new_names`
    those of its creation second that the newest report shows, and the last one with it did not.
    """
    words = stand.words if stand else ()
    names = short_list(sorted(new_names))
    renamed = f"{POSSIBLY_RENAMED} to {names}" if names else ""
    for decision, how in _AGAINST.items():
        against = tuple(
            line
            for line in words
            if line.decision is decision
            and line.decided_on <= missed.date()
            and last_day(line) >= last_seen.date()
        )
        if against:
            fact = "; ".join(filter(None, (_words_text(against), renamed)))
            return GoneUser(arn, last_seen, how, against, fact)
    how = Removed.RENAMED if renamed else Removed.UNDECIDED
    return GoneUser(arn, last_seen, how, fact=renamed or _words_text(words))


def _words_text(words: Iterable[LedgerLine]) -> str:
    """Return words with their comments, in one line."""
    return "; ".join(
        f"{line.summary}: {line.comment}" if line.comment else line.summary for line in words
    )


def earlier_decisions(page: Users, followed: FollowUp) -> pa.Array:
    """Return the earlier decision on each user of a judged page, in words (large_string)."""
    shown = page.users[columns.AS_OF], page.users[columns.VERDICT]
    texts = map(partial(_earlier_decision, followed), users_of(page.users), *shown)
    return pa.array(texts, pa.large_string())


def _earlier_decision(followed: FollowUp, user: User, as_of: datetime, verdict: str) -> str:
    stand, fate = followed.standings.get(user), followed.fates.get(user)
    if stand is None:
        return ""
    words = _words_text(stand.words)
    if fate:
        return f"{words}; {became_text(fate.state, fate.overdue or '')}: {fate.fact}"
    keep = stand.longest_keep
    return f"{words}; {_effect_of_keep(keep, as_of, verdict)}" if keep else words


def _effect_of_keep(keep: LedgerLine, as_of: datetime, verdict: str) -> str:
    """Return from what a keep exempts, in words."""
    if as_of.date() > last_day(keep):
        return f"ended on {last_day(keep)}"
    if not keep.identifies_user:
        return f"exempts from nothing: {NOT_IDENTIFIED}"
    if Verdict(verdict) not in EXEMPTED_VERDICTS:
        return f"exempts a user who is {verdict} from nothing"
    return f"exempt until {last_day(keep)}"


def needs_no_decision(page: Users, followed: FollowUp) -> np.ndarray:
    """Return which users of a judged page need no decision now (bool)."""
    settled = map(partial(_is_settled, followed), users_of(page.users), page.users[columns.AS_OF])
    return np.array([*settled], bool)


def _is_settled(followed: FollowUp, user: User, as_of: datetime) -> bool:
    """Return whether a user was decided on, on this report or in a way that still counts."""
    stand, fate = followed.standings.get(user), followed.fates.get(user)
    if stand is None or stand.is_contested:
        return False
    if any(line.as_of >= as_of for line in stand.words):
        return True
    if fate:
        return fate.state in (State.OPEN, State.EXEMPT)
    keep, soon = stand.longest_keep, as_of.date() + timedelta(DUE_DAYS)
    return keep is not None and keep.identifies_user and last_day(keep) > soon
