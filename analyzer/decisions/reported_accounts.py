"""Find what each report shows of the users of decisions, and of those created with them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np

from analyzer import columns
from analyzer.decisions.credentials import ReportedUser, credentials_of_users, users_of
from analyzer.decisions.decision import LedgerLine, User
from analyzer.decisions.ledger import Ledger
from analyzer.report.model import ReportFile
from analyzer.report.report import Report
from analyzer.report.users import Users
from analyzer.report.values import is_one_of, texts
from analyzer.terms import account_number


@dataclass(slots=True)
class ReportedAccount:
    """Hold what a report shows of one account: of the users near decisions.

    `names` are by the second in which users were created.
    """

    file: ReportFile
    has_root: bool = False
    users: dict[User, ReportedUser] = field(default_factory=dict)
    names: dict[datetime | None, set[str]] = field(default_factory=lambda: defaultdict(set))

    @property
    def time(self) -> datetime:
        """Return the time of the report."""
        return self.file.time

    def same_second(self, user: User) -> frozenset[str]:
        """Return the names of the users that were created in the second of a user."""
        return frozenset(self.names.get(user.created, ()))

    def later_names(self, line: LedgerLine) -> frozenset[str]:
        """Return the names of the user's second that were not there: perhaps it was renamed."""
        return self.same_second(line.subject) - (line.same_second or frozenset())

    def may_show(self, user: User) -> bool:
        """Return whether a user is there, or one of its name of unknown creation time."""
        return user in self.users or user._replace(created=None) in self.users


ReportedAccounts = Mapping[str, Sequence[ReportedAccount]]
"""By account, what each of its reports shows, the newest last."""


def reported_accounts(
    lines: Sequence[LedgerLine], report: Report, users: Users, until: datetime | None = None
) -> ReportedAccounts:
    """Return what the reports up to a moment show of the users of decisions.

    `users` are the judged users of `report`; its older reports are read too.
    """
    accounts = _accounts_of(report, users, lines)
    if report.older:
        accounts = {**_accounts_of(report.older, report.older.iam_users, lines), **accounts}
    by_account = defaultdict[str, list[ReportedAccount]](list)
    for (account, as_of), shown in accounts.items():
        if until is None or as_of <= until:
            by_account[account].append(shown)
    return {
        account: sorted(of_account, key=lambda shown: (shown.time, shown.file.as_of))
        for account, of_account in by_account.items()
    }


def with_same_second(ledger: Ledger, accounts: ReportedAccounts) -> Ledger:
    """Return a ledger whose lines of scripts have the names that the reports decided on show."""
    lines = []
    for line in ledger.lines:
        names = line.same_second
        for shown in accounts.get(line.account, ()) if names is None else ():
            if shown.file.as_of == line.as_of:
                names = shown.same_second(line.subject) or None
        lines.append(line if names is line.same_second else replace(line, same_second=names))
    return replace(ledger, lines=tuple(lines))


def _accounts_of(
    report: Report, users: Users, lines: Sequence[LedgerLine]
) -> dict[tuple[str, datetime], ReportedAccount]:
    """Return what each report shows of the users of decisions, by account and as-of."""
    shown = dict[tuple[str, datetime], ReportedAccount]()
    by_file = dict[tuple[int, str], ReportedAccount]()
    for at, file in enumerate(report.files):
        for of in file.accounts:
            key = of.account, file.as_of
            by_file[at, of.account] = shown.setdefault(key, ReportedAccount(file))
    for page in report.roots():
        cells = page.file.tolist(), texts(page.account).to_pylist(), page.arn.to_pylist()
        for at, account, arn in zip(*cells, strict=True):
            by_file[at, account].has_root |= arn.endswith(f":{account_number(account)}:root")
    names = {line.user for line in lines}
    ids = [*map(_ids_listed, report.files)]
    created = {line.created.astimezone(UTC).replace(tzinfo=None) for line in lines if line.created}
    seconds = np.array([*created], "M8[s]")
    for page in users.slices() if lines else ():
        is_near = np.isin(page.moments[columns.USER_CREATION_TIME], seconds)
        some = page.where(is_near | is_one_of(names, page.text[columns.USER]))
        for at, user, reported in _reported_users(some, report.files, ids):
            of_account = by_file[at, user.account]
            of_account.users[user] = reported
            of_account.names[user.created].add(user.name)
    return shown


def _ids_listed(file: ReportFile) -> dict[str, frozenset[str]]:
    """Return the ids of the active credentials in the list of a report, by user in lower case."""
    ids = defaultdict[str, set[str]](set)
    for user, credential in () if file.has_older_list else file.listed_credentials:
        ids[user].add(credential)
    return {user: frozenset(of_user) for user, of_user in ids.items()}


def _reported_users(
    page: Users, files: Sequence[ReportFile], ids: Sequence[Mapping[str, frozenset[str]]]
) -> Iterator[tuple[int, User, ReportedUser]]:
    """Yield the number of each user's file, and the user; `ids` are `_ids_listed` by file."""
    users = page.users
    is_judged = columns.VERDICT in users
    blank = [""] * len(users)
    file_of = [files[at] for at in users[columns.FILE]]
    names_listed = zip(file_of, users[columns.SERVICE_CREDENTIALS], strict=True)
    services = ["" if file.has_older_list else names for file, names in names_listed]
    user_of = zip(users[columns.FILE], users[columns.USER], strict=True)
    listed = [ids[at].get(user.lower(), frozenset()) for at, user in user_of]
    shows = zip(file_of, services, strict=True)
    has_list = [file.shows_service_credentials or names != "" for file, names in shows]
    reported = map(
        ReportedUser,
        credentials_of_users(page),
        services,
        has_list,
        users[columns.VERDICT] if is_judged else blank,
        users[columns.EXEMPTION] if is_judged else blank,
        listed,
    )
    return zip(users[columns.FILE], users_of(users), reported, strict=True)
