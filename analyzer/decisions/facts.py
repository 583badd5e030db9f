"""Find what reports show of the users of removals, and what of it the ledger remembers.

A report that is not given again is remembered by lines of the program: that a user is gone or
deactivated, or has more access or use than people saw.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
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
    Decision,
    LedgerLine,
    User,
    fact_line,
)
from analyzer.decisions.ledger import Ledger
from analyzer.limits import Criteria
from analyzer.report.model import ReportFile, ReportTime
from analyzer.report.report import Report
from analyzer.report.users import Users
from analyzer.terms import AsOfSource, Verdict
from analyzer.verdicts.verdict import with_verdicts


@dataclass(slots=True)
class ReportedAccount:
    """Hold what a report shows of one account: of the users near decisions.

    `names` are by the second in which users were created, `creations` by name.
    """

    file: ReportFile
    roots: set[str] = field(default_factory=set)
    users: dict[User, ReportedUser] = field(default_factory=dict)
    names: dict[datetime | None, set[str]] = field(default_factory=lambda: defaultdict(set))
    creations: dict[str, set[datetime | None]] = field(default_factory=lambda: defaultdict(set))

    @property
    def earliest(self) -> datetime:
        """Return the earliest time that the report can have."""
        return report_time(self.file).earliest

    def is_whole_for(self, line: LedgerLine) -> bool:
        """Return whether the report has the root of a line's account: it shows all users then."""
        return f"{line.arn.partition(':user/')[0]}:root" in self.roots

    def has_way_in(self, user: User) -> bool:
        """Return whether it shows that anything of a user works."""
        return user in self.users and self.users[user].has_way_in

    def created_with(self, line: LedgerLine) -> set[str]:
        """Return the names that were, or may have been, created in the second of a line's user."""
        return {name for second in (line.created, None) for name in self.names.get(second, ())}


ReportedAccounts = Mapping[str, Sequence[ReportedAccount]]
"""By account, what each of its reports shows, the newest last."""


def report_time(file: ReportFile) -> ReportTime:
    """Return the time of a report."""
    return ReportTime(file.as_of, file.as_of_source, file.baseline)


def reported_accounts(
    ledger: Ledger, report: Report, users: Users, until: datetime | None = None
) -> ReportedAccounts:
    """Return what the reports up to a moment show of the users of a ledger.

    `users` are the judged users of `report`; its older reports are read too.
    """
    lines = [line for line in ledger.lines if line.decision in REMOVALS]
    limits = {user: stand.line.idle_limit for user, stand in ledger.standings.items()}
    accounts = _accounts_of(report, users, lines, limits)
    for older in report.older():
        accounts = {**_accounts_of(older, older.iam_users, lines, {}), **accounts}
    by_account = defaultdict[str, list[ReportedAccount]](list)
    for (account, as_of), shown in sorted(accounts.items(), key=lambda item: item[0]):
        if until is None or as_of <= until:
            by_account[account].append(shown)
    return by_account


def _accounts_of(
    report: Report, users: Users, lines: Sequence[LedgerLine], limits: Mapping[User, int]
) -> dict[tuple[str, datetime], ReportedAccount]:
    """Return what each report shows of the users of removals, by account and as-of."""
    shown = dict[tuple[str, datetime], ReportedAccount]()
    by_file = dict[tuple[int, str], ReportedAccount]()
    for at, file in enumerate(report.files):
        for of in file.accounts:
            key = of.account, file.as_of
            by_file[at, of.account] = shown.setdefault(key, ReportedAccount(file))
    for page in report.roots():
        places = zip(page.users[columns.FILE], page.users[columns.ACCOUNT], strict=True)
        for place, arn in zip(places, page.users[columns.ARN], strict=True):
            by_file[place].roots.add(arn)
    names = {line.user for line in lines}
    seconds = pd.DatetimeIndex([line.created for line in lines], tz=UTC).dropna()
    for page in users.slices() if lines else ():
        created = page.users[columns.CREATED]
        is_near = created.isin(seconds) | created.isna() | page.users[columns.USER].isin(names)
        some = page.where(is_near.to_numpy(bool))
        for at, user, reported in _reported_users(some, limits):
            of_account = by_file[at, user.account]
            of_account.users[user] = reported
            of_account.names[user.created].add(user.name)
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
        judged = with_verdicts(page, Criteria(idle_days=days)).users[columns.VERDICT]
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
    known = facts_by_user(ledger)
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


def facts_by_user(ledger: Ledger) -> Mapping[User, Sequence[LedgerLine]]:
    """Return the lines of the program by user."""
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
    recorded = max(
        (fact.earliest for fact in known if fact.decision is Decision.OVERTAKEN), default=_MIN
    )
    for shown in accounts.get(removals[0].line.account, ()):
        older = [removal for removal in removals if removal.line.earliest < shown.earliest]
        newest = max((removal.line.earliest for removal in older), default=_MAX)
        for removal in older if newest >= recorded else ():
            now = shown.users.get(removal.line.subject)
            if removal.line.earliest == newest and access_added(
                removal.before, now, removal.line.baseline
            ):
                yield Decision.OVERTAKEN, removal, shown
                is_proof = shown.file.as_of_source is not AsOfSource.OPTION
                recorded = shown.earliest if is_proof else recorded
                break


def _done(
    removals: Sequence[_Removal], accounts: ReportedAccounts, known: Iterable[LedgerLine]
) -> _NewFacts:
    """Yield the first report that shows a removal done and that no later report denies."""
    for removal in removals:
        line = removal.line
        there, newer = names_there(line, accounts) or frozenset(), newer_reports(line, accounts)
        for fact in DONE_BY[line.decision]:
            denials = (each.earliest for each in newer if denies(fact, line, each))
            denied = max(denials, default=line.earliest)
            shows = partial(_shows, fact, line, removal.before, there)
            first = next((each for each in newer if each.earliest > denied and shows(each)), None)
            recorded = (of.earliest for of in known if of.decision is fact)
            if first and not any(denied < at <= first.earliest for at in recorded):
                yield fact, removal, first


_MIN: Final = datetime.min.replace(tzinfo=UTC)
_MAX: Final = datetime.max.replace(tzinfo=UTC)
DONE_BY: Final = {
    Decision.DELETE: (Decision.GONE,),
    Decision.DEACTIVATE: (Decision.GONE, Decision.DEACTIVATED),
}
"""The facts by which a removal is done."""


def newer_reports(line: LedgerLine, accounts: ReportedAccounts) -> list[ReportedAccount]:
    """Return the reports of the account that are newer than the one decided on."""
    return [shown for shown in accounts.get(line.account, ()) if shown.earliest > line.earliest]


def names_there(line: LedgerLine, accounts: ReportedAccounts) -> frozenset[str] | None:
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
        is_gone = not (_is_there(line, shown) or possibly_renamed(line, there, shown))
        return shown.is_whole_for(line) and is_gone
    user = shown.users.get(line.subject)
    return user is not None and user.has_no_way_in(
        shown.file, needs_list=before.has_service_credential
    )


def denies(fact: Decision, line: LedgerLine, shown: ReportedAccount) -> bool:
    """Return whether a report shows that a fact is not so; a missing list denies nothing."""
    if fact is Decision.GONE:
        return _is_there(line, shown)
    user = shown.users.get(line.subject)
    return user is not None and not user.has_no_way_in(shown.file, needs_list=False)


def _is_there(line: LedgerLine, shown: ReportedAccount) -> bool:
    """Return whether a report has a user of this name who is not known to be a later one."""
    created = shown.creations.get(line.user, ())
    return any(moment is None or moment <= line.baseline for moment in created)


def possibly_renamed(line: LedgerLine, there: Collection[str], shown: ReportedAccount) -> set[str]:
    """Return who may be the user, renamed: other names of its second that were not there."""
    return shown.created_with(line) - {line.user, *there}
