"""Find the users decided on in the reports, and those who may be one of them renamed.

A user is known by ARN and second of creation; scripts create many users in one second.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self, TypeAlias

import pandas as pd

from analyzer import columns
from analyzer.decisions.credentials import Credentials, credentials_of_users, datetimes
from analyzer.decisions.decision import LedgerLine, ReportTime, UserKey
from analyzer.report.model import Page, Report, ReportFile
from analyzer.terms import Verdict, short_list


def report_time(file: ReportFile) -> ReportTime:
    """Return the time of a report."""
    return ReportTime(file.as_of, file.as_of_source, file.baseline)


@dataclass(frozen=True, slots=True)
class ReportedUser:
    """Hold what a report shows of one user: its credentials, and what the analysis says."""

    user_key: UserKey
    credentials: Credentials
    verdict: Verdict
    has_service_credential: bool
    exemption: str


IsAnother: TypeAlias = Callable[[LedgerLine, str], bool]
"""Says whether a name of the same second is that of another user than the one of a line."""


class UsersInNewestReports:
    """Find the users decided on in judged pages, and those who may be one of them renamed.

    `files` are by account, `newest` is the newest as-of. `names` are by account and second of
    creation, None where that is not known. `with_list` are the accounts of which AWS's list of
    service-specific credentials was saved with the report.
    """

    def __init__(self, lines: Iterable[LedgerLine], report: Report, pages: Iterable[Page]) -> None:
        """Find the users of lines; `pages` are the judged pages of `report`."""
        known = [line.user_key for line in lines]
        places = [(of.account, file) for file in report.files for of in file.accounts]
        self.files = dict(places)
        self.newest = max(file.as_of for file in report.files)
        self.with_list = {account for account, file in places if file.shows_service_credentials}
        self.roots = {arn for page in report.roots() for arn in page.users[columns.ARN]}
        self.by_arn: dict[str, list[ReportedUser]] = {}
        self.names: dict[tuple[str, datetime | None], dict[str, str]] = {}
        self._named: set[tuple[str, datetime | None, str]] = set()
        arns = {user.arn for user in known}
        seconds = pd.DatetimeIndex([user.created for user in known if user.created], tz=UTC)
        lack_seconds = [account for account, file in places if not file.has_seconds]
        for page in pages:
            users = page.users
            unknown = page.contradicted_in(columns.USER_CREATION_TIME)
            unknown |= users[columns.ACCOUNT].isin(lack_seconds).to_numpy(bool)
            created = users[columns.CREATED].mask(unknown)
            known_page = page.with_users({columns.CREATED: created})
            for user in _reported_users(known_page.where(users[columns.ARN].isin(arns).to_numpy())):
                self.by_arn.setdefault(user.user_key.arn, []).append(user)
            is_alike = created.isin(seconds) | created.isna()
            alike = users[is_alike]
            second = zip(alike[columns.ACCOUNT], datetimes(created[is_alike]), strict=True)
            named = zip(alike[columns.ARN], alike[columns.USER], strict=True)
            for of_second, (arn, name) in zip(second, named, strict=True):
                self.names.setdefault(of_second, {})[arn] = name
                self._named.add((*of_second, name))

    def renamed(self, line: LedgerLine, is_another: IsAnother) -> str:
        """Return who may be the user of a line under another name or path, empty for nobody."""
        arn, created = line.user_key
        alike = self.names.get((line.account, created), {})
        names = sorted(
            name for other, name in alike.items() if other != arn and not is_another(line, name)
        )
        if names:
            were = "was" if len(names) == 1 else "were"
            return f"{short_list(names)} {were} created in the same second"
        unread = self.names.get((line.account, None), {}).values()
        name = next((each for each in unread if not is_another(line, each)), None)
        return f"when {name} was created is not understood" if name is not None else ""

    def shows_beside(self, line: LedgerLine, name: str) -> bool:
        """Return whether one of that name and the same second is there beside the user of a line.

        Both are there, so that they are two.
        """
        arn, created = line.user_key
        is_there = any(each.user_key == line.user_key for each in self.by_arn.get(arn, ()))
        return is_there and (line.account, created, name) in self._named

    def gone_of_second(self, line: LedgerLine, names: Iterable[str]) -> set[str]:
        """Return which names of the same second as the user of a line are there no more."""
        seconds = (line.account, line.user_key.created), (line.account, None)
        there = (self.names.get(each, {}).values() for each in seconds)
        return set(names).difference(*there)


class UsersInOlderReports:
    """Find the users decided on in pages, whatever they were called there.

    A report has each user once; what many reports show alike is held once.
    """

    def __init__(self, lines: Iterable[LedgerLine], pages: Iterable[Page]) -> None:
        """Find the users of lines."""
        arns = defaultdict[tuple[str, datetime | None], set[str]](set)
        for line in lines:
            arns[line.account, line.user_key.created].add(line.user_key.arn)
        every = {arn for of_second in arns.values() for arn in of_second}
        seconds = pd.DatetimeIndex([created for _, created in arns if created], tz=UTC)
        alike: dict[Credentials, Credentials] = {}
        self._by_arn: dict[tuple[int, str], tuple[datetime | None, Credentials, bool]] = {}
        self._by_second = defaultdict[_Second, dict[str, list[tuple[Credentials, bool]]]](dict)
        for page in pages:
            unknown = page.contradicted_in(columns.USER_CREATION_TIME)
            created = page.users[columns.CREATED].mask(unknown)
            near = page.users[columns.ARN].isin(every) | created.isin(seconds)
            some = page.with_users({columns.CREATED: created}).where(near.to_numpy())
            names = (some.users[name] for name in (columns.FILE, columns.ACCOUNT, columns.USER))
            listed = (some.users[columns.SERVICE_CREDENTIALS] != "").tolist()
            shown = zip(
                *names, user_keys(some.users), credentials_of_users(some), listed, strict=True
            )
            for file, account, name, (arn, second), found, has_listed in shown:
                credentials = alike.setdefault(found, found)
                self._by_arn[file, arn] = second, credentials, has_listed
                if arns.get((account, second), set()) - {arn}:
                    of_second = self._by_second[file, account, second]
                    of_second.setdefault(name, []).append((credentials, has_listed))

    def shows_beside(self, line: LedgerLine, name: str, file: int) -> bool:
        """Return whether a file has one of that name and second beside the user of a line."""
        of_second = self._by_second.get((file, line.account, line.user_key.created), ())
        return name in of_second and self.has(line, file)

    def has(self, line: LedgerLine, file: int) -> bool:
        """Return whether a file has the user of a line, for certain."""
        arn, created = line.user_key
        shown = self._by_arn.get((file, arn))
        return shown is not None and shown[0] == created

    def names_beside(self, line: LedgerLine, file: int) -> set[str]:
        """Return the names of the same second that a file has beside the user of a line."""
        names = self._by_second.get((file, line.account, line.user_key.created), ())
        return {each for each in names if self.shows_beside(line, each, file)} - {line.user}

    def of_name(self, line: LedgerLine, name: str, file: int) -> Iterator[Credentials]:
        """Yield what a file shows of a user of that name and the same second."""
        of_second = self._by_second.get((file, line.account, line.user_key.created), {})
        return (credentials for credentials, _ in of_second.get(name, ()))

    def of(
        self, line: LedgerLine, file: int, is_another: IsAnother
    ) -> Iterator[tuple[list[str], Credentials, bool]]:
        """Yield what a file shows of the user of a line, with a remark if it has another name.

        Last is whether AWS's list shows a service-specific credential. One of the ARN whose
        creation time is not understood may be the user.
        """
        arn, created = line.user_key
        shown = self._by_arn.get((file, arn))
        if shown and shown[0] in (created, None):
            yield [], *shown[1:]
            return
        for name, of_name in self._by_second.get((file, line.account, created), {}).items():
            if not is_another(line, name):
                yield from (([f"possibly renamed to {name}"], *of_other) for of_other in of_name)


_Second: TypeAlias = tuple[int, str, datetime | None]
"""A file, an account, and when users were created."""


def _reported_users(page: Page) -> Iterator[ReportedUser]:
    users = page.users
    return map(
        ReportedUser,
        user_keys(users),
        credentials_of_users(page),
        map(Verdict, users[columns.VERDICT]),
        (users[columns.SERVICE_CREDENTIALS] != "").tolist(),
        users[columns.EXEMPTION],
    )


def user_keys(users: pd.DataFrame) -> Iterator[UserKey]:
    """Yield which user each is."""
    return map(UserKey, users[columns.ARN], datetimes(users[columns.CREATED]))


@dataclass(frozen=True, slots=True)
class OlderReports:
    """Hold the users in older reports, with the moment, number and name of each, in their order.

    `with_list` are the numbers of those with which AWS's list was saved.
    """

    shown: UsersInOlderReports
    files: Sequence[tuple[datetime, int, str]]
    with_list: frozenset[int]

    @classmethod
    def of(cls, lines: Sequence[LedgerLine], older: Report) -> Self:
        """Return what older reports show of the users of lines."""
        files = [(report_time(file).earliest, at, file.name) for at, file in enumerate(older.files)]
        listed = (at for at, file in enumerate(older.files) if file.shows_service_credentials)
        return cls(UsersInOlderReports(lines, older.pages()), sorted(files), frozenset(listed))

    def since(self, line: LedgerLine) -> Iterator[tuple[datetime, int, str]]:
        """Yield each that is not older than the one decided on."""
        since = line.report_time.earliest
        return (each for each in self.files if each[0] >= since)

    def has_service_credential(self, line: LedgerLine, is_another: IsAnother) -> bool | None:
        """Return whether the newest list since the decision shows an active one, None if none does.

        Only a later list than that of the report decided on shows that there is none any more.
        """
        listed = None
        for made, at, _ in self.since(line):
            if any(has_one for *_, has_one in self.shown.of(line, at, is_another)):
                listed = True
            elif at in self.with_list and made > line.report_time.earliest:
                listed = False if self.shown.has(line, at) else listed
        return listed

    def of_name(self, line: LedgerLine, name: str) -> Iterator[Credentials]:
        """Yield what these show of a user of that name and the same second."""
        return (each for _, at, _ in self.files for each in self.shown.of_name(line, name, at))

    def names_beside(self, line: LedgerLine) -> set[str]:
        """Return the names of the same second that these have beside the user of a line."""
        return set().union(*(self.shown.names_beside(line, at) for _, at, _ in self.since(line)))

    def shows_beside(self, line: LedgerLine, name: str) -> bool:
        """Return whether one of these has that name and second beside the user of a line."""
        return any(self.shown.shows_beside(line, name, at) for _, at, _ in self.since(line))
