"""Count the decisions of a period, and say what became of each."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cached_property
from typing import Any, Final

import pandas as pd

from analyzer import columns
from analyzer.changes.period import Coverage
from analyzer.decisions.credentials import users_of
from analyzer.decisions.decision import LedgerLine, User, last_days
from analyzer.decisions.entries import COMMENT, DECIDED_BY, DECIDED_ON, DECISION, TICKET
from analyzer.decisions.fate import Fate, Overdue, State
from analyzer.decisions.follow_up import GoneUser, Removed, gone_user
from analyzer.decisions.ledger import Ledger
from analyzer.decisions.standing import last_day
from analyzer.lists.owners import Owners
from analyzer.report.frames import TEXT
from analyzer.terms import OVERDUE

STATE: Final = "state"
FACT: Final = "fact"
DECIDED_AS_OF: Final = "decided_as_of"
DONE_SINCE: Final = "done_since"
DONE_AT: Final = "done_at"
DONE_BY: Final = "done_by"
HAD_LEFT: Final = "had_left"
REMOVED_AS: Final = "removed_as"
REMOVED_FACT: Final = "removed_fact"

STATES: Final[Mapping[State, str]] = {
    state: state.replace(",", "").replace(" ", "_") for state in State
}
"""The columns of the numbers of removals, by their states."""

OVERDUES: Final[Mapping[Overdue, str]] = {why: why.replace(" ", "_") for why in Overdue}
"""The columns of the numbers of overdue removals, by the reason."""

REMOVED: Final[Mapping[Removed, str]] = {how: how.replace(" ", "_") for how in Removed}
"""The columns of the numbers of users gone without a removal among the last words."""

DECISION_COUNTS: Final = (
    *("decisions", HAD_LEFT, "removals"),
    *STATES.values(),
    *OVERDUES.values(),
    *REMOVED.values(),
)
"""The numbers of decisions. `decisions` are all of the days of the period, `had_left` those of them
by people who had left by then, missing without a list of owners.

`removals` are the users with a removal that was not done before the period, each in one state; some
are overdue: not carried out, or undone. Beside them are the users gone without a removal among the
last words: against a word, perhaps under a new name, or without any.
"""

DECISIONS: Final[dict[str, Any]] = {
    **dict.fromkeys((columns.ACCOUNT, columns.USER, columns.ARN), TEXT),
    columns.CREATED: "datetime64[s, UTC]",
    **dict.fromkeys((DECISION, DECIDED_BY, DECIDED_ON, TICKET, COMMENT), TEXT),
    DECIDED_AS_OF: "datetime64[s, UTC]",
    STATE: TEXT,
    OVERDUE: TEXT,
    FACT: TEXT,
    **dict.fromkeys((DONE_SINCE, DONE_AT), "datetime64[s, UTC]"),
    DONE_BY: TEXT,
    HAD_LEFT: "boolean",
}
"""The columns of the table of decisions, with their dtypes.

`state`, `overdue` (the reason, empty for none) and `fact` say what became of a removal,
`done_since` is the first report that shows it done, `done_at` and `done_by` are what the log of the
script has. Of other words, `fact` says until when they count. `had_left` are decisions of people
who had left by then, missing without a list of owners.
"""

_ANOTHER_WORD: Final = "replaced: its person wrote another word later"

Counts = Counter[tuple[str, str]]
Event = tuple[LedgerLine, datetime | None, datetime, str, str]
"""A decision, the reports after and before which it happened, the event and its detail."""


def decisions_frame(rows: Iterable[Sequence[Any]]) -> pd.DataFrame:
    """Return a table of decisions with the columns `DECISIONS`."""
    return pd.DataFrame([*rows], columns=[*DECISIONS], dtype=object).astype(DECISIONS)


@dataclass(frozen=True)
class Decided:
    """Hold the ledger of a period, what became of its removals, and the accounts covered.

    `since` and `until` are the edges that are set, None for the first report and for all days.
    """

    ledger: Ledger
    fates: Sequence[Fate]
    owners: Owners
    covered: Mapping[str, Coverage]
    since: datetime | None
    until: datetime | None

    @cached_property
    def words(self) -> Sequence[LedgerLine]:
        """Return the decisions in the period, in accounts that are covered."""
        last = self.until.date() if self.until else date.max
        return [
            line
            for line in self.ledger.lines
            if (of := self.covered.get(line.account))
            if (self.since or of.moments[0]).date() <= line.decided_on <= last
        ]

    @cached_property
    def _last_days(self) -> Mapping[str, date]:
        return last_days(self.owners)

    def _had_left(self, line: LedgerLine) -> bool | None:
        """Return whether the person had left, None if it is not known without a list of owners."""
        if not self.owners:
            return None
        return line.decided_on > self._last_days.get(line.person, date.max)

    @cached_property
    def removals(self) -> Sequence[tuple[Fate, datetime]]:
        """Return the fates of removals not done before the period, each with the report before."""
        found = []
        for fate in self.fates:
            of, done = self.covered.get(fate.line.account), fate.done_since
            if of and not (done and done.time <= of.moments[0]):
                earlier = (at for at in of.moments if done and at < done.time)
                found.append((fate, max(earlier, default=of.moments[0])))
        return found

    def events(self) -> Iterator[Event]:
        """Yield the decisions of the period, and the removals done in it."""
        for line in self.words:
            day = datetime.combine(line.decided_on, time(), UTC)
            yield line, None, day, "decision", line.summary
        for fate, before in self.removals:
            if fate.done_since:
                how = str(fate.logged or "between two reports")
                detail = f"{fate.line.summary}; {how}"
                yield fate.line, before, fate.done_since.time, str(fate.state), detail

    def counts(self) -> Counts:
        """Return `DECISION_COUNTS` by account, but for `REMOVED`."""
        counts = Counter((line.account, "decisions") for line in self.words)
        counts.update((line.account, HAD_LEFT) for line in self.words if self._had_left(line))
        for fate, _ in self.removals:
            account = fate.line.account
            counts.update(((account, "removals"), (account, STATES[fate.state])))
            if fate.overdue:
                counts[account, OVERDUES[fate.overdue]] += 1
        return counts

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Yield the decisions of the period with what became of each, as `DECISIONS`."""
        return map(self._row, self.words)

    def _row(self, line: LedgerLine) -> tuple[Any, ...]:
        word = str(line.decision), line.decided_by, line.decided_on.isoformat()
        entry = (line.account, line.user, line.arn, line.created, *word, line.ticket, line.comment)
        fate = self._fates.get(line.subject) if line.is_removal else None
        if fate is None:
            fact = _ANOTHER_WORD if line.is_removal else f"counts until {last_day(line)}"
            return *entry, line.report_time, "", "", fact, None, None, "", self._had_left(line)
        logged, done = fate.logged, fate.done_since
        became = str(fate.state), str(fate.overdue or ""), fate.fact, done.time if done else None
        log = (logged.at, logged.caller) if logged else (None, "")
        return *entry, line.report_time, *became, *log, self._had_left(line)

    @cached_property
    def _fates(self) -> Mapping[User, Fate]:
        return {fate.line.subject: fate for fate in self.fates}

    def gone_users(self, users: pd.DataFrame) -> Iterator[GoneUser | None]:
        """Yield how each user of `History.users` went, None if it did not, or by a removal."""
        of_second = defaultdict[tuple[str, datetime | None], list[tuple[str, datetime]]](list)
        shown = zip(users_of(users), users["first"], users["verdict_end"], strict=True)
        for user, first, verdict in shown:
            if verdict and user.created:
                of_second[user.account, user.created].append((user.name, first))
        edges = zip(
            users_of(users), users[columns.ARN], users["after"], users["before"], strict=True
        )
        for user, arn, last_seen, missed in edges:
            if pd.isna(missed) or user in self._fates:
                yield None
            else:
                others = of_second.get((user.account, user.created), ())
                new_names = [name for name, first in others if first > last_seen]
                stand = self.ledger.standings.get(user)
                yield gone_user(stand, arn, last_seen, missed, new_names)
