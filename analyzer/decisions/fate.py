"""Say what the reports show of each removal: the one judgement for plan, follow-up and history.

What a report shows is remembered as lines of the program (`facts`), by which a removal is done or
overtaken; the newest report of the account says the rest.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property, partial
from itertools import takewhile
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.decisions.credentials import (
    ReportedUser,
    access_added,
    credentials_of_users,
    users_decided_on,
    users_of,
)
from analyzer.decisions.decision import (
    REMOVALS,
    CreationSecond,
    Decision,
    LedgerLine,
    User,
    fact_line,
)
from analyzer.decisions.ledger import Ledger
from analyzer.decisions.standing import Doubt, Standing
from analyzer.limits import Criteria
from analyzer.report.model import ReportFile, ReportTime
from analyzer.report.report import Report
from analyzer.report.users import Users
from analyzer.terms import POSSIBLY_RENAMED, AsOfSource, Verdict, short_list, utc_text
from analyzer.verdicts.verdict import with_verdicts

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


# What reports show


@dataclass(slots=True)
class ReportedAccount:
    """Hold what a report shows of one account: of the users near decisions.

    `names` are by the second in which users were created, `creations` by name.
    """

    file: ReportFile
    has_root: bool = False
    users: dict[User, ReportedUser] = field(default_factory=dict)
    names: dict[CreationSecond, set[str]] = field(default_factory=lambda: defaultdict(set))
    creations: dict[str, set[datetime | None]] = field(default_factory=lambda: defaultdict(set))

    @property
    def earliest(self) -> datetime:
        """Return the earliest time that the report can have."""
        return report_time(self.file).earliest

    def created_with(self, line: LedgerLine) -> set[str]:
        """Return the names that were, or may have been, created in the second of a line's user."""
        seconds = line.creation_second, (line.account, None)
        return {name for second in seconds for name in self.names.get(second, ())}


ReportedAccounts = Mapping[str, Sequence[ReportedAccount]]
"""By account, what each of its reports shows, the newest last."""


def report_time(file: ReportFile) -> ReportTime:
    """Return the time of a report."""
    return ReportTime(file.as_of, file.as_of_source, file.baseline)


def reported_accounts(
    ledger: Ledger, report: Report, pages: Iterable[Users], until: datetime | None = None
) -> ReportedAccounts:
    """Return what the reports up to a moment show of the users of a ledger.

    `pages` are the judged pages of `report`; its older reports are read too.
    """
    lines = [line for line in ledger.lines if line.decision in REMOVALS]
    limits = {user: stand.line.idle_limit for user, stand in ledger.standings.items()}
    accounts = _accounts_of(report, pages, lines, limits)
    for older in report.older():
        accounts = {**_accounts_of(older, older.pages(), lines, {}), **accounts}
    by_account = defaultdict[str, list[ReportedAccount]](list)
    for (account, as_of), shown in sorted(accounts.items(), key=lambda item: item[0]):
        if until is None or as_of <= until:
            by_account[account].append(shown)
    return by_account


def _accounts_of(
    report: Report, pages: Iterable[Users], lines: Sequence[LedgerLine], limits: Mapping[User, int]
) -> dict[tuple[str, datetime], ReportedAccount]:
    """Return what each report shows of the users of removals, by account and as-of."""
    shown = dict[tuple[str, datetime], ReportedAccount]()
    by_file = dict[tuple[int, str], ReportedAccount]()
    for at, file in enumerate(report.files):
        for of in file.accounts:
            key = of.account, file.as_of
            by_file[at, of.account] = shown.setdefault(key, ReportedAccount(file))
    for page in report.roots():
        for at, arn in zip(page.users[columns.FILE], page.users[columns.ARN], strict=True):
            if of_account := by_file.get((at, arn.split(":")[4])):
                of_account.has_root = True
    names = {line.user for line in lines}
    seconds = pd.DatetimeIndex([line.user_key.created for line in lines], tz=UTC).dropna()
    for page in pages:
        created = page.users[columns.CREATED]
        is_near = created.isin(seconds) | created.isna() | page.users[columns.USER].isin(names)
        some = page.where(is_near.to_numpy(bool))
        for at, user, reported in _reported_users(some, limits):
            of_account = by_file[at, user.account]
            of_account.users[user] = reported
            of_account.names[user.account, user.created].add(user.name)
            of_account.creations[user.name].add(user.created)
    return shown


def _reported_users(
    page: Users, limits: Mapping[User, int]
) -> Iterator[tuple[int, User, ReportedUser]]:
    """Yield the number of each user's file, and the user judged by the limit of its decision."""
    users = page.users
    every = [*users_of(users)]
    limit = np.array([limits.get(user, 0) for user in every])
    is_active = np.zeros(len(every), bool)
    for days in {*limit.tolist()} - {0}:
        judged = with_verdicts(page, Criteria(dormant_days=days)).users[columns.VERDICT]
        is_active |= (limit == days) & (judged == Verdict.ACTIVE).to_numpy()
    is_judged = columns.VERDICT in users
    reported = map(
        ReportedUser,
        credentials_of_users(page),
        users[columns.SERVICE_CREDENTIALS] != "",
        is_active,
        users[columns.VERDICT] if is_judged else [""] * len(users),
        users[columns.EXEMPTION] if is_judged else [""] * len(users),
    )
    return zip(users[columns.FILE], every, reported, strict=True)


# What the program remembers of reports


def facts(ledger: Ledger, accounts: ReportedAccounts) -> list[LedgerLine]:
    """Return what the reports show of the removals of a ledger, and it does not have yet."""
    lines = [line for line in ledger.lines if line.decision in REMOVALS and line.identifies_user]
    removals = defaultdict[User, list[_Removal]](list)
    for removal in map(_Removal, lines, users_decided_on(lines)):
        removals[removal.line.subject].append(removal)
    known = _facts_by_user(ledger)
    found = (
        fact_line(fact, removal.line, shown.file)
        for user, of_user in removals.items()
        for new in (_overtaken, _done)
        for fact, removal, shown in new(of_user, accounts, known.get(user, ()))
    )
    return [*{fact.identity: fact for fact in found}.values()]


class _Removal(NamedTuple):
    """Hold the line of a removal, and what its author saw of the user."""

    line: LedgerLine
    before: ReportedUser


def _facts_by_user(ledger: Ledger) -> Mapping[User, Sequence[LedgerLine]]:
    facts_by_user = defaultdict[User, list[LedgerLine]](list)
    for line in ledger.lines:
        if line.is_fact:
            facts_by_user[line.subject].append(line)
    return facts_by_user


_NewFacts = Iterator[tuple[Decision, _Removal, ReportedAccount]]


def _overtaken(
    removals: Sequence[_Removal], accounts: ReportedAccounts, known: Iterable[LedgerLine]
) -> _NewFacts:
    """Yield the reports that show more than the newest removal on an older report saw."""
    recorded = max((fact.earliest for fact in known if _is_overtaken(fact)), default=_MIN)
    for shown in accounts.get(removals[0].line.account, ()):
        older = [removal for removal in removals if removal.line.earliest < shown.earliest]
        newest = max((removal.line.earliest for removal in older), default=_MAX)
        for removal in older if newest >= recorded else ():
            if removal.line.earliest == newest and _access_gained(*removal, shown):
                yield Decision.OVERTAKEN, removal, shown
                is_proof = shown.file.as_of_source is not AsOfSource.OPTION
                recorded = shown.earliest if is_proof else recorded
                break


def _is_overtaken(fact: LedgerLine) -> bool:
    return fact.decision is Decision.OVERTAKEN


def _done(
    removals: Sequence[_Removal], accounts: ReportedAccounts, known: Iterable[LedgerLine]
) -> _NewFacts:
    """Yield the reports from which on all show that a removal is done."""
    for removal in removals:
        line = removal.line
        later = sorted((of.earliest, of.decision) for of in known if of.earliest > line.earliest)
        since = {fact: earliest for earliest, fact in reversed(later)}
        there, newer = _names_there(line, accounts) or frozenset(), _newer(line, accounts)
        for fact in _DONE_BY[line.decision]:
            shows = partial(_shows, fact, line, removal.before, there)
            unbroken = [*takewhile(shows, reversed(newer))]
            if unbroken and unbroken[-1].earliest < since.get(fact, _MAX):
                yield fact, removal, unbroken[-1]


_MIN: Final = datetime.min.replace(tzinfo=UTC)
_MAX: Final = datetime.max.replace(tzinfo=UTC)
_DONE_BY: Final = {
    Decision.DELETE: (Decision.GONE,),
    Decision.DEACTIVATE: (Decision.GONE, Decision.DEACTIVATED),
}
"""The facts by which a removal is done."""


def _newer(line: LedgerLine, accounts: ReportedAccounts) -> list[ReportedAccount]:
    return [shown for shown in accounts.get(line.account, ()) if shown.earliest > line.earliest]


def _access_gained(line: LedgerLine, before: ReportedUser, shown: ReportedAccount) -> list[str]:
    """Return the access and use, in words, that a later report shows beyond what people saw."""
    now = shown.users.get(line.subject)
    if now is None:
        return []
    added = access_added(before.credentials, now.credentials, line.baseline)
    has_more = now.has_service_credential and not before.has_service_credential
    return [*added, *(["service-specific credential"] if has_more else [])]


def _names_there(line: LedgerLine, accounts: ReportedAccounts) -> frozenset[str] | None:
    """Return the other names of the second in the report decided on, None if not known."""
    if line.same_second is not None:
        return line.same_second
    of_report = (
        shown for shown in accounts.get(line.account, ()) if shown.file.as_of == line.as_of
    )
    return next((frozenset(shown.created_with(line) - {line.user}) for shown in of_report), None)


def _shows(
    fact: Decision,
    line: LedgerLine,
    before: ReportedUser,
    there: Collection[str],
    shown: ReportedAccount,
) -> bool:
    """Return whether a report shows that a user is gone, or has no working credentials."""
    if fact is Decision.GONE:
        is_gone = not (_is_there(line, shown) or _others(line, there, shown))
        return shown.has_root and is_gone
    user = shown.users.get(line.subject)
    return user is not None and user.has_no_way_in(
        shown.file, needs_list=before.has_service_credential
    )


def _is_there(line: LedgerLine, shown: ReportedAccount) -> bool:
    """Return whether a report has a user of this name who is not known to be a later one."""
    created = shown.creations.get(line.user, ())
    return any(moment is None or moment <= line.baseline for moment in created)


def _others(line: LedgerLine, there: Collection[str], shown: ReportedAccount) -> set[str]:
    """Return who may be the user, renamed: other names of its second that were not there."""
    return shown.created_with(line) - {line.user, *there}


# What became of each removal


@dataclass(frozen=True, slots=True)
class Fate:
    """Say what became of a removal.

    `now` is the user in the newest report, `file`, None if it is not there; `file` is None if no
    report covers the account. `before` is what the reviewer saw. `done_since` is the moment of the
    first report that shows it done.
    """

    line: LedgerLine
    state: State
    fact: str
    as_of: datetime
    file: ReportFile | None
    now: ReportedUser | None
    before: ReportedUser
    done_since: datetime | None = None

    @property
    def is_done(self) -> bool:
        """Return whether a report shows that it is done."""
        return self.state is State.DONE

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
        return not self.is_done and self.days > due_days


@dataclass(frozen=True, slots=True)
class Fates:
    """Hold the fate of each removal, the facts that the reports show, and the ledger with these."""

    fates: tuple[Fate, ...]
    facts: tuple[LedgerLine, ...]
    ledger: Ledger

    @property
    def kept_facts(self) -> Iterator[LedgerLine]:
        """Yield the facts that a ledger keeps: `--as-of` proves nothing."""
        return (line for line in self.facts if line.report_time.source is not AsOfSource.OPTION)


def fates(
    ledger: Ledger, report: Report, pages: Iterable[Users], until: datetime | None = None
) -> Fates:
    """Return the fate of each removal that stands, and of each that something keeps from it.

    `pages` are the judged pages of `report`. Reports after `until` do not count.
    """
    accounts = reported_accounts(ledger, report, pages, until)
    of_reports = tuple(facts(ledger, accounts))
    after = ledger.with_lines(of_reports)
    evidence = _Evidence(after, accounts, max((file.as_of for file in report.files), default=None))
    removals = [stand for stand in after.standings.values() if stand.is_of_removal]
    before = users_decided_on([stand.line for stand in removals])
    return Fates(tuple(map(evidence.fate, removals, before)), of_reports, after)


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
        done = self._done_by(line, before, newest)
        state, fact = self._state(stand, before, newest, now)
        return Fate(
            line=line,
            state=State.DONE if done else state,
            fact=_DONE_TEXTS[done.decision] if done else fact,
            as_of=newest.file.as_of if newest else self.newest or line.as_of,
            file=newest.file if newest else None,
            now=now,
            before=before,
            done_since=done.earliest if done else None,
        )

    def _done_by(
        self, line: LedgerLine, before: ReportedUser, newest: ReportedAccount | None
    ) -> LedgerLine | None:
        """Return the earliest fact by which a removal is done, unless a later report denies it."""
        there = _names_there(line, self.accounts) or frozenset()

        def is_denied(fact: LedgerLine) -> bool:
            if newest is None or newest.earliest < fact.earliest:
                return False
            if fact.decision is Decision.GONE:
                return _is_there(line, newest)
            is_there = line.subject in newest.users
            return is_there and not _shows(fact.decision, line, before, there, newest)

        done = (
            fact
            for fact in self._facts.get(line.subject, ())
            if fact.decision in _DONE_BY[line.decision] and fact.earliest > line.earliest
        )
        return min((fact for fact in done if not is_denied(fact)), key=_earliest, default=None)

    @cached_property
    def _facts(self) -> Mapping[User, Sequence[LedgerLine]]:
        return _facts_by_user(self.ledger)

    def _state(
        self,
        stand: Standing,
        before: ReportedUser,
        newest: ReportedAccount | None,
        now: ReportedUser | None,
    ) -> tuple[State, str]:
        """Return the first state that fits a removal that is not done, and why."""
        line = stand.line
        if stand.doubt is Doubt.OVERTAKEN:
            return State.OVERTAKEN, self._new_access(line, before) or stand.why
        if stand.doubt:
            return State(stand.doubt), stand.why
        if not line.identifies_user:
            return State.UNKNOWN, f"{NOT_IDENTIFIED}: nothing acts on this"
        if newest is None or now is None:
            return State.UNKNOWN, self._absent(line, newest)
        why = self._unsure(line, newest, now)
        return (State.UNKNOWN, why) if why else _state_of_user(line, before, now)

    def _new_access(self, line: LedgerLine, before: ReportedUser) -> str:
        """Return the access that the first newer report shows beyond what people saw."""
        for shown in _newer(line, self.accounts):
            if gained := _access_gained(line, before, shown):
                return f"{', '.join(gained)} (report {shown.file.name})"
        return ""

    def _absent(self, line: LedgerLine, newest: ReportedAccount | None) -> str:
        """Return why nothing can be said of a user whom the newest report does not show."""
        if newest is None:
            return "no report covers the account"
        if newest.earliest < line.earliest:
            return _OLDER
        if User(line.account, line.user, None) in newest.users:
            return "the creation time of the user is not understood"
        if not newest.has_root:
            return "the report has no row of the root, so it does not show the whole account"
        others = _others(line, _names_there(line, self.accounts) or (), newest)
        if others:
            return f"{POSSIBLY_RENAMED} to {short_list(sorted(others))}"
        return "no user in the report has this name and this creation time"

    def _unsure(self, line: LedgerLine, newest: ReportedAccount, now: ReportedUser) -> str:
        """Return why it is not sure that the user shown is the one decided on, empty if it is."""
        if newest.earliest < line.earliest:
            return _OLDER
        there, shown = _names_there(line, self.accounts), newest.created_with(line)
        if there is None:
            decided_on = utc_text(line.as_of)
            return f"name the report of {decided_on} too: it shows who was created with this user"
        if gone := there - shown - self._to_delete(line):
            names = short_list(sorted(gone))
            return f"{names}, created in the same second, is gone: perhaps this is that user"
        if other := self._word_on_another(line, {line.user, *there, *shown}):
            return f"{other.summary} on {other.user}, of the same second: withdraw that"
        return "the report does not show all its credentials" if now.credentials.is_unknown else ""

    def _to_delete(self, line: LedgerLine) -> set[str]:
        """Return the names of the second on which a `delete` stands."""
        stands = (stand.stands for stand in self._of_second[line.creation_second])
        return {line.user for line in stands if line and line.decision is Decision.DELETE}

    def _word_on_another(self, line: LedgerLine, names: set[str]) -> LedgerLine | None:
        """Return a word that holds or stands on another name of the second, if there is one.

        `names` were in one report with the user; others may be the user under another name.
        """
        together = names.union(
            *(
                shown.created_with(line)
                for shown in self.accounts.get(line.account, ())
                if line.subject in shown.users
            )
        )
        last_day = self.ledger.days.last_day
        for stand in self._of_second[line.creation_second]:
            is_another = stand.line.user not in together
            if is_another and line.user not in (stand.line.same_second or ()):
                if stand.stands and stand.stands.decision is not Decision.WITHDRAW:
                    return stand.stands
                if holding := [o for o in stand.holding if last_day(o) >= line.decided_on]:
                    return holding[0]
        return None

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
    if now.can_be_deleted:
        return State.DEACTIVATED, "write delete again, on a report that shows it without access"
    return State.OPEN, "deactivated first; write delete again afterwards"
