"""Say what became of each removal: the one judgement for plan, follow-up and history.

It is done or overtaken by `facts`; the newest report of the account says the rest.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Final

from analyzer.decisions.credentials import ReportedUser, access_added, users_decided_on
from analyzer.decisions.decision import CreationSecond, Decision, LedgerLine, User
from analyzer.decisions.facts import (
    DONE_BY,
    ReportedAccount,
    ReportedAccounts,
    denies,
    facts,
    facts_by_user,
    names_there,
    newer_reports,
    possibly_renamed,
    reported_accounts,
)
from analyzer.decisions.ledger import Ledger
from analyzer.decisions.removal_log import LoggedRemoval
from analyzer.decisions.standing import Doubt, Standing
from analyzer.report.model import ReportFile
from analyzer.report.report import Report
from analyzer.report.users import Users
from analyzer.terms import POSSIBLY_RENAMED, AsOfSource, short_list, utc_text

NOT_IDENTIFIED: Final = "the creation time or the account of the user is not known"


class State(StrEnum):
    """Name the states of a removal, the most urgent first in lists."""

    DISAGREE = "disagree"
    KEPT = "kept"
    NEWER_WORD = "newer word"
    OVERTAKEN = "overtaken"
    OPEN = "open"
    DEACTIVATED = "deactivated"
    UNKNOWN = "unknown"
    EXEMPT = "exempt"
    ACTIVE = "active"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Fate:
    """Say what became of a removal.

    `now` is the user in the newest report, `file`, None if it is not there; `file` is None if no
    report covers the account. `before` is what the reviewer saw. `done_since` is the moment of the
    first report that shows it done; `logged` is what the log of the script says of it, if the
    reports do not contradict that.
    """

    line: LedgerLine
    state: State
    fact: str
    as_of: datetime
    file: ReportFile | None
    now: ReportedUser | None
    before: ReportedUser
    done_since: datetime | None = None
    logged: LoggedRemoval | None = None

    @property
    def action(self) -> Decision:
        """Return what is done: a user with access is deactivated before it is deleted."""
        can_be_deleted = self.before.can_be_deleted and bool(self.now and self.now.can_be_deleted)
        return self.line.decision if can_be_deleted else Decision.DEACTIVATE

    @property
    def days(self) -> int:
        """Return the whole days from the decision to the report."""
        return max((self.as_of.date() - self.line.decided_on).days, 0)

    def is_overdue(self, due_days: int) -> bool:
        """Return whether it is late."""
        return self.state is not State.DONE and self.days > due_days


@dataclass(frozen=True, slots=True)
class Fates:
    """Hold the fate of each removal, the facts that the reports show, and the ledger with these.

    `contradictions` are sentences on the lines of the log that ledger or reports contradict.
    """

    fates: tuple[Fate, ...]
    facts: tuple[LedgerLine, ...]
    ledger: Ledger
    contradictions: tuple[str, ...]

    @property
    def kept_facts(self) -> Iterator[LedgerLine]:
        """Yield the facts that a ledger keeps: `--as-of` proves nothing."""
        return (line for line in self.facts if line.report_time.source is not AsOfSource.OPTION)


def fates(ledger: Ledger, report: Report, users: Users, until: datetime | None = None) -> Fates:
    """Return the fate of each removal that stands, and of each that something keeps from it.

    `users` are the judged users of `report`. Reports after `until` do not count.
    """
    newest = max((file.as_of for file in report.files), default=None)
    return fates_of(ledger, reported_accounts(ledger, report, users, until), newest)


def fates_of(ledger: Ledger, accounts: ReportedAccounts, newest: datetime | None) -> Fates:
    """Return the fate of each removal, from what reports show; `newest` is the last as-of."""
    of_reports = tuple(facts(ledger, accounts))
    after = ledger.with_lines(of_reports)
    evidence = _Evidence(after, accounts, newest)
    removals = [stand for stand in after.standings.values() if stand.is_of_removal]
    before = users_decided_on([stand.line for stand in removals])
    texts = (
        f"{of.place}: {of.user.name} {of}: {why}." for of, why in evidence.contradicted.items()
    )
    return Fates(tuple(map(evidence.fate, removals, before)), of_reports, after, (*texts,))


@dataclass(frozen=True)
class _Evidence:
    """Hold the ledger with all facts, what the reports show, and the as-of of the newest."""

    ledger: Ledger
    accounts: ReportedAccounts
    newest: datetime | None

    def fate(self, stand: Standing, before: ReportedUser) -> Fate:
        """Return the fate of a removal: the first state that fits."""
        line = stand.line
        newest = next(reversed(self.accounts.get(line.account, ())), None)
        now = newest.users.get(line.subject) if newest else None
        done = self._done_by(line)
        state, fact = self._state(stand, before, newest, now)
        fact = _DONE_TEXTS[done.decision] if done else fact
        logged = self._logged(line, done)
        return Fate(
            line=line,
            state=State.DONE if done else state,
            fact=f"{fact}; log: {logged}" if logged else fact,
            as_of=newest.file.as_of if newest else self.newest or line.as_of,
            file=newest.file if newest else None,
            now=now,
            before=before,
            done_since=done.earliest if done else None,
            logged=logged,
        )

    def _logged(self, line: LedgerLine, done: LedgerLine | None) -> LoggedRemoval | None:
        """Return the last removal of a user in the log, up to the report that shows it done."""
        facts = DONE_BY[line.decision if done else Decision.DEACTIVATE]
        found = (
            of
            for of in self.ledger.log.removals
            if of.user == line.subject and of not in self.contradicted and of.fact in facts
            if line.earliest < of.at and not (done and of.at > done.as_of)
        )
        return max(found, key=lambda of: of.at, default=None)

    @cached_property
    def contradicted(self) -> Mapping[LoggedRemoval, str]:
        """Return the removals of the log that ledger or reports contradict, and why."""
        removals = self.ledger.log.removals
        return {of: why for of in removals if (why := self._contradiction(of))}

    def _contradiction(self, of: LoggedRemoval) -> str:
        words = self._words.get(of.user, ())
        decided = [line for line in words if of.is_by(line)]
        if not decided:
            return "the ledger has no such decision"
        reports = self.accounts.get(of.user.account, ())
        before = [shown for shown in reports if shown.file.as_of < of.at]
        if before and of.user not in before[-1].users:
            return f"{before[-1].file.name}, the report before, does not show the user"
        after = [shown for shown in reports if shown.earliest > of.at]
        # Somebody may restore the access of a user later, but nobody a user.
        is_gone = of.fact is Decision.GONE
        checked = after if is_gone else after[:1]
        denying = (
            shown
            for shown in checked
            if (denies(of.fact, decided[0], shown) if is_gone else shown.has_way_in(of.user))
        )
        shows = "the user" if is_gone else "access of the user"
        return next((f"{shown.file.name} shows {shows} afterwards" for shown in denying), "")

    def _done_by(self, line: LedgerLine) -> LedgerLine | None:
        """Return the earliest fact by which a removal is done, unless a later report denies it."""

        def is_denied(fact: LedgerLine) -> bool:
            return any(
                denies(fact.decision, line, shown)
                for shown in self.accounts.get(line.account, ())
                if shown.earliest >= fact.earliest
            )

        done = (
            fact
            for fact in self._facts.get(line.subject, ())
            if fact.decision in DONE_BY[line.decision] and fact.earliest > line.earliest
        )
        return min((fact for fact in done if not is_denied(fact)), key=_earliest, default=None)

    @cached_property
    def _facts(self) -> Mapping[User, Sequence[LedgerLine]]:
        return facts_by_user(self.ledger)

    def _state(
        self,
        stand: Standing,
        before: ReportedUser,
        newest: ReportedAccount | None,
        now: ReportedUser | None,
    ) -> tuple[State, str]:
        """Return the first state that fits a removal that is not done, and why."""
        line = stand.line
        if stand.doubt not in (Doubt.NONE, Doubt.OVERTAKEN):
            return State(stand.doubt), stand.why
        if not line.identifies_user:
            return State.UNKNOWN, f"{NOT_IDENTIFIED}: nothing acts on this"
        # What the newest removal saw is no fact, and still new to a late word on an older report.
        if why := self._new_access(line, before) or stand.why:
            return State.OVERTAKEN, why
        if newest is None or now is None:
            return State.UNKNOWN, self._absent(line, newest)
        why = self._unsure(line, newest, now)
        return (State.UNKNOWN, why) if why else _state_of_user(line, before, now)

    def _new_access(self, line: LedgerLine, before: ReportedUser) -> str:
        """Return the access that the first newer report, given or recorded, shows beyond that."""
        newer = newer_reports(line, self.accounts)
        shown = ((report.file.name, report.users.get(line.subject)) for report in newer)
        for name, now in (*shown, *self._recorded[line.subject]):
            if gained := access_added(before, now, line.baseline):
                return f"{', '.join(gained)} (report {name})"
        return ""

    @cached_property
    def _recorded(self) -> Mapping[User, Sequence[tuple[str, ReportedUser]]]:
        """Return what people saw who decided on newer reports than those whose word stands."""
        newer = [
            line
            for user, stand in self.ledger.standings.items()
            for line in self._words[user]
            if stand.is_of_removal and line.earliest > stand.line.earliest
        ]
        recorded = defaultdict[User, list[tuple[str, ReportedUser]]](list)
        for line, now in zip(newer, users_decided_on(newer), strict=True):
            recorded[line.subject].append((f"of {utc_text(line.as_of)}", now))
        return recorded

    def _absent(self, line: LedgerLine, newest: ReportedAccount | None) -> str:
        """Return why nothing can be said of a user whom the newest report does not show."""
        if newest is None:
            return "no report covers the account"
        if newest.earliest < line.earliest:
            return _OLDER
        if User(line.account, line.user, None) in newest.users:
            return "the creation time of the user is not understood"
        if not newest.is_whole_for(line):
            return "the report has no row of the root, so it does not show the whole account"
        others = possibly_renamed(line, names_there(line, self.accounts) or (), newest)
        if others:
            return f"{POSSIBLY_RENAMED} to {short_list(sorted(others))}"
        return "no user in the report has this name and this creation time"

    def _unsure(self, line: LedgerLine, newest: ReportedAccount, now: ReportedUser) -> str:
        """Return why it is not sure that the user shown is the one decided on, empty if it is."""
        if newest.earliest < line.earliest:
            return _OLDER
        there, shown = names_there(line, self.accounts), newest.created_with(line)
        if there is None:
            decided_on = utc_text(line.as_of)
            return f"name the report of {decided_on} too: it shows who was created with this user"
        if gone := there - shown - self._to_delete(line):
            names = short_list(sorted(gone))
            return f"{names}, created in the same second, is gone: perhaps this is that user"
        if other := self._word_on_another(line, shown):
            return f"{other.summary} on {other.user}, of the same second: withdraw that"
        return "the report does not show all its credentials" if now.credentials.is_unknown else ""

    def _to_delete(self, line: LedgerLine) -> set[str]:
        """Return the names of the second on which a `delete` stands."""
        stands = (stand.stands for stand in self._of_second[line.creation_second])
        return {line.user for line in stands if line and line.decision is Decision.DELETE}

    def _word_on_another(self, line: LedgerLine, shown: set[str]) -> LedgerLine | None:
        """Return a word that holds or stands on another name of the second that is not shown.

        Perhaps the user had that name, unless people saw both on one report and delete that one.
        """
        last_day = self.ledger.days.last_day
        for stand in self._of_second[line.creation_second]:
            if stand.line.user in shown:
                continue
            stands = stand.doubt in (Doubt.NONE, Doubt.OVERTAKEN)
            if stands and not self._spares(stand.line, line.user):
                return stand.line
            if holding := [o for o in stand.holding if last_day(o) >= line.decided_on]:
                return holding[0]
        return None

    def _spares(self, other: LedgerLine, name: str) -> bool:
        """Return whether the word on another user of the second cannot be on the one of a name."""
        if other.decision is Decision.DELETE:
            words = self._words[other.subject]
            return any(name in (names_there(each, self.accounts) or ()) for each in words)
        return other.decision is Decision.WITHDRAW

    @cached_property
    def _words(self) -> Mapping[User, Sequence[LedgerLine]]:
        words = defaultdict[User, list[LedgerLine]](list)
        for line in self.ledger.lines:
            if not line.is_fact:
                words[line.subject].append(line)
        return words

    @cached_property
    def _of_second(self) -> Mapping[CreationSecond, Sequence[Standing]]:
        of_seconds = defaultdict[CreationSecond, list[Standing]](list)
        for stand in self.ledger.standings.values():
            of_seconds[stand.line.creation_second].append(stand)
        return of_seconds


_OLDER: Final = "the report is older than the one decided on"
_DONE_TEXTS: Final = {
    Decision.GONE: "the user is gone",
    Decision.DEACTIVATED: "no working credentials",
}


def _earliest(line: LedgerLine) -> datetime:
    return line.earliest


def _state_of_user(line: LedgerLine, before: ReportedUser, now: ReportedUser) -> tuple[State, str]:
    """Return the state of a removal of a user of whom the newest report shows everything."""
    if now.exemption:
        return State.EXEMPT, now.exemption
    if before.is_active or now.is_active:
        when = "when it was decided on" if before.is_active else "now"
        return State.ACTIVE, f"the verdict is active {when}"
    if line.decision is Decision.DEACTIVATE or (before.can_be_deleted and now.can_be_deleted):
        return State.OPEN, "still there"
    if now.can_be_deleted and now.credentials.has_password is False:
        return State.DEACTIVATED, "write delete again, on a report that shows it without access"
    return State.OPEN, "deactivated first; write delete again afterwards"
