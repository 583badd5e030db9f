"""Count the decisions of a period, and find what was decided on each of its users."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cached_property
from typing import Any, Final

import pandas as pd

from analyzer import columns
from analyzer.changes.period import Coverage
from analyzer.decisions.credentials import users_of
from analyzer.decisions.decision import REMOVALS, LedgerLine, User, normal_name, user_names
from analyzer.decisions.entries import DECIDED_BY, DECIDED_ON, DECISION
from analyzer.decisions.fate import Fate, Fates, State
from analyzer.decisions.ledger import Ledger
from analyzer.decisions.standing import standings
from analyzer.lists.owners import Owners
from analyzer.report.model import TEXT
from analyzer.terms import OVERDUE, count_text

STATE: Final = "state"
DONE_AT: Final = "done_at"
DONE_BY: Final = "done_by"
REMOVED_UNDECIDED: Final = "removed_undecided"
AFTER_LEAVING: Final = "decided_after_leaving"
KEEPS_ENDING: Final = "keeps_ending"
DONE_LOGGED: Final = "done_logged"

OPEN_STATES: Final[Mapping[State, str]] = {
    state: state.replace(" ", "_") for state in State if state is not State.DONE
}
"""The columns of the removals that are not done, by their states."""

DONE_COUNTS: Final = ("done_in_time", "done_undated", "done_late")
DECISION_COUNTS: Final = (
    *("decisions", AFTER_LEAVING, "removals", *DONE_COUNTS, DONE_LOGGED),
    *(*OPEN_STATES.values(), OVERDUE, REMOVED_UNDECIDED, KEEPS_ENDING),
)
"""The numbers of decisions. `decisions` are all of the days of the period, `decided_after_leaving`
those of them by people who had left.

`removals` are the users with a removal that was not done before the period. Each is done in time,
undated (between two reports, in time or late), done late, or in one state of those not done. Of
those done, `done_logged` are in the log of the script; of the others, some are overdue.
`removed_undecided` are users removed without a removal that stood, `keeps_ending` the keeps that
end within `Ledger.due_days` after the period.
"""

USER_COLUMNS: Final[dict[str, Any]] = {
    **dict.fromkeys((DECISION, DECIDED_BY, DECIDED_ON, STATE, DONE_BY), TEXT),
    DONE_AT: "datetime64[s, UTC]",
    REMOVED_UNDECIDED: "bool",
}
"""The columns of decisions in the table of users, with their dtypes: the decision that stands, or
the newest of those that disagree, its state if it is a removal, and what the log of the script has.
"""

Counts = Counter[tuple[str, str]]
Event = tuple[LedgerLine, datetime | None, datetime, str, str]
"""A decision, the reports after and before which it happened, the event and its detail."""


@dataclass(frozen=True)
class Decided:
    """Hold the ledger of a period, what became of its removals, and the accounts covered.

    `since` and `until` are the edges that are set, None for the first report and for all days.
    `end` is the last day that a report shows.
    """

    ledger: Ledger
    fates: Fates
    owners: Owners
    covered: Mapping[str, Coverage]
    since: datetime | None
    until: datetime | None
    end: date

    @cached_property
    def words(self) -> Sequence[LedgerLine]:
        """Return the decisions of people in the period, in accounts that are covered."""
        last = self.until.date() if self.until else date.max
        return [
            line
            for line in self.ledger.lines
            if not line.is_fact and (of := self.covered.get(line.account))
            if (self.since or of.moments[0]).date() <= line.decided_on <= last
        ]

    @cached_property
    def after_leaving(self) -> Sequence[LedgerLine]:
        """Return the decisions of the period by people who had left, by the list of owners."""
        lasts = defaultdict[str, list[date]](list)
        for entry in self.owners.entries:
            for name in {normal_name(entry.owner), normal_name(entry.email)}:
                lasts[name].append(entry.left or date.max)
        never = [date.max]
        return [line for line in self.words if line.decided_on > max(lasts.get(line.person, never))]

    @cached_property
    def keeps_ending(self) -> Sequence[LedgerLine]:
        """Return the keeps that end soon after the period."""
        return [each for each in self.ledger.keeps_ending(self.end) if each.account in self.covered]

    @cached_property
    def removals(self) -> Sequence[tuple[Fate, datetime]]:
        """Return the fates of removals not done before the period, each with the report before."""
        found = []
        for fate in self.fates.fates:
            of, since = self.covered.get(fate.line.account), fate.done_since
            if of and not (since and since <= of.moments[0]):
                earlier = (at for at in of.moments if since and at < since)
                found.append((fate, max(earlier, default=of.moments[0])))
        return found

    def events(self) -> Iterator[Event]:
        """Yield the decisions of the period, and the removals done in it."""
        for line in self.words:
            yield (
                line,
                None,
                datetime.combine(line.decided_on, time(), UTC),
                "decision",
                line.summary,
            )
        for fate, before in self.removals:
            if fate.done_since:
                how = str(fate.logged or "between two reports")
                yield fate.line, before, fate.done_since, "done", f"{fate.line.summary}; {how}"

    def counts(self) -> Counts:
        """Return `DECISION_COUNTS` by account, but for `REMOVED_UNDECIDED`."""
        counts = Counter((line.account, "decisions") for line in self.words)
        counts.update((line.account, AFTER_LEAVING) for line in self.after_leaving)
        counts.update((line.account, KEEPS_ENDING) for line in self.keeps_ending)
        for fate, before in self.removals:
            is_late = fate.is_overdue(self.ledger.due_days)
            counts.update(
                (fate.line.account, name)
                for name, applies in (
                    ("removals", True),
                    (self._outcome(fate, before), True),
                    (DONE_LOGGED, fate.done_since and fate.logged),
                    (OVERDUE, is_late),
                )
                if applies
            )
        return counts

    def _outcome(self, fate: Fate, before: datetime) -> str:
        """Return the one of `DECISION_COUNTS` that says what became of a removal."""
        if not fate.done_since:
            return OPEN_STATES[fate.state]
        edges = (fate.logged.at,) * 2 if fate.logged else (before, fate.done_since)
        first, last = ((at.date() - fate.line.decided_on).days for at in edges)
        if last <= self.ledger.due_days:
            return "done_in_time"
        return "done_late" if first > self.ledger.due_days else "done_undated"

    def of_users(self, users: pd.DataFrame, gone: pd.Series) -> dict[str, pd.Series]:
        """Return `USER_COLUMNS` of users; `gone` is the first report without each, NaT for none."""
        days = (None if pd.isna(at) else at.date() for at in gone)
        rows = [*map(self._of_user, users_of(users), days)]
        cells = pd.DataFrame(rows, users.index, columns=[*USER_COLUMNS], dtype=object)
        return {str(name): column for name, column in cells.astype(USER_COLUMNS).items()}

    def _of_user(self, user: User, gone: date | None) -> tuple[Any, ...]:
        stand, fate = self.fates.ledger.standings.get(user), self._fates.get(user)
        is_undecided = gone is not None and not self._is_decided(user, gone)
        if not stand:
            return "", "", "", "", "", None, is_undecided
        line, logged = stand.line, fate.logged if fate else None
        word = str(line.decision), line.decided_by, line.decided_on.isoformat()
        state, caller = str(fate.state if fate else stand.doubt), logged.caller if logged else ""
        return *word, state, caller, logged.at if logged else None, is_undecided

    def _is_decided(self, user: User, day: date) -> bool:
        """Return whether a removal of the user stood on a day."""
        lines = [line for line in self._lines.get(user, ()) if line.decided_on <= day]
        stand = standings(lines, self.ledger.days).get(user)
        return bool(stand and stand.stands and stand.line.decision in REMOVALS)

    @cached_property
    def _fates(self) -> Mapping[User, Fate]:
        return {fate.line.subject: fate for fate in self.fates.fates}

    @cached_property
    def _lines(self) -> Mapping[User, Sequence[LedgerLine]]:
        lines = defaultdict[User, list[LedgerLine]](list)
        for line in self.fates.ledger.lines:
            lines[line.subject].append(line)
        return lines

    def remarks(self, users: pd.DataFrame) -> dict[str, Sequence[str]]:
        """Return what is to be looked at, each with the users that it names.

        `users` have `USER_COLUMNS`.
        """
        removed = users[users[REMOVED_UNDECIDED]]
        words = zip(removed[columns.USER], removed[DECISION], removed[DECIDED_BY], strict=True)
        done = ((fate.line, fate.done_since) for fate, _ in self.removals)
        early = [line for line, since in done if since and since.date() < line.decided_on]
        soon = f"Decisions to keep that end within {count_text(self.ledger.due_days, 'day')} after"
        return {
            "Removed without a removal that stood": [
                f"{user} ({f'{word}, {by}' if word else 'no decision'})" for user, word, by in words
            ],
            "Decided by people who had left": user_names(self.after_leaving),
            f"{soon} the period": user_names(self.keeps_ending),
            "Done before the day of the decision": user_names(early),
        }
