"""Find the users decided on in the reports, and users that may be one of them renamed.

A user is known by ARN and second of creation; scripts create many users in one second.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd

from analyzer import columns
from analyzer.decisions.credentials import (
    Credentials,
    credentials_of_users,
    datetimes,
)
from analyzer.decisions.decision import CreationSecond, LedgerLine, UserKey
from analyzer.report.model import Report, ReportFile, ReportTime
from analyzer.report.users import Users
from analyzer.terms import POSSIBLY_RENAMED, Verdict, short_list


def report_time(file: ReportFile) -> ReportTime:
    """Return the time of a report."""
    return ReportTime(file.as_of, file.as_of_source, file.baseline)


@dataclass(frozen=True, slots=True)
class ReportedUser:
    """Hold one user in a report: its credentials, and the results of the analysis."""

    user_key: UserKey
    credentials: Credentials
    verdict: Verdict
    has_service_credential: bool
    exemption: str


@dataclass(frozen=True, slots=True)
class NamesOfOthers:
    """Hold names of the same second that belong to other users, so that one user cannot have them.

    A user that was moved to another path keeps its own name.
    """

    of_others: tuple[Collection[str], ...] = ()
    own: str = ""

    def not_of_others(self, names: Iterable[str]) -> list[str]:
        """Return the names that the user may have, in their order."""
        given = [*names]
        possible = set(given).difference(*self.of_others)
        return [name for name in given if name in possible or name == self.own]


class UsersInNewestReports:
    """Find the users decided on in judged pages, and users that may be one of them renamed.

    `files` are by account, `newest` is the newest as-of. `by_arn` are users, each of which a report
    counts once. `names` are by account and second of creation, None if not known. `with_list` are
    the accounts for which AWS's list of service-specific credentials was saved with the report.
    """

    def __init__(self, lines: Iterable[LedgerLine], report: Report, pages: Iterable[Users]) -> None:
        """Find the users of lines; `pages` are the judged pages of `report`."""
        of_account = defaultdict[str, list[LedgerLine]](list)
        for line in lines:
            of_account[line.account].append(line)
        known = [line.user_key for of in of_account.values() for line in of]
        covered = [(of.account, file) for file in report.files for of in file.accounts]
        self.files = dict(covered)
        self.newest = max(file.as_of for file in report.files)
        self.with_list = {account for account, file in covered if file.shows_service_credentials}
        self.roots = {arn for page in report.roots() for arn in page.users[columns.ARN]}
        self.by_arn: dict[str, ReportedUser] = {}
        self.names: dict[CreationSecond, dict[str, str]] = {}
        self._named = defaultdict[CreationSecond, set[str]](set)
        self._alike: dict[Credentials, Credentials] = {}
        arns = {user.arn for user in known}
        seconds = pd.DatetimeIndex([user.created for user in known], tz=UTC)
        for page in pages:
            users = page.users
            created = users[columns.CREATED]
            has_arn = users[columns.ARN].isin(arns)
            self._add(page.where(has_arn.to_numpy()))
            in_page = (
                line for account in users[columns.ACCOUNT].unique() for line in of_account[account]
            )
            absent = [line.user_key.created for line in in_page if not self.user_of(line)]
            may_be_absent = created.isin(pd.DatetimeIndex(absent, tz=UTC).dropna()) & ~has_arn
            self._add(page.where(may_be_absent.to_numpy()))
            is_alike = created.isin(seconds) | created.isna()
            alike = users[is_alike]
            second = zip(alike[columns.ACCOUNT], datetimes(created[is_alike]), strict=True)
            named = zip(alike[columns.ARN], alike[columns.USER], strict=True)
            for of_second, (arn, name) in zip(second, named, strict=True):
                self.names.setdefault(of_second, {})[arn] = name
                self._named[of_second].add(name)

    def _add(self, page: Users) -> None:
        for user in _reported_users(page, self._alike):
            self.by_arn[user.user_key.arn] = user

    def user_of(self, line: LedgerLine) -> ReportedUser | None:
        """Return the user of a line, by ARN and creation time, None if it is not there."""
        user = self.by_arn.get(line.user_key.arn)
        return user if user and user.user_key == line.user_key else None

    def renamed(self, line: LedgerLine, names: NamesOfOthers) -> str:
        """Return users that may be the absent user of a line, renamed or moved; else empty."""
        alike = self.names.get(line.creation_second, {})
        others = sorted(names.not_of_others(alike.values()))
        if others:
            were = "was" if len(others) == 1 else "were"
            return f"{short_list(others)} {were} created in the same second"
        unread = names.not_of_others(self.names.get((line.account, None), {}).values())
        return f"when {unread[0]} was created is not understood" if unread else ""

    def shown_of_possible_users(
        self, line: LedgerLine, names: NamesOfOthers
    ) -> Iterator[tuple[list[str], Credentials]]:
        """Yield the credentials of users that may be the user of a line, whose key is not there.

        They come with a remark if the name is another, as in `OlderReports.shown_of_user`.
        """
        of_arn = self.by_arn.get(line.user_key.arn)
        if of_arn and of_arn.user_key.created is None:
            yield [], of_arn.credentials
            return
        alike = self.names.get(line.creation_second, {})
        possible = {*names.not_of_others(alike.values())}
        shown = set[int]()
        for arn, name in alike.items():
            if name in possible:
                credentials = self.by_arn[arn].credentials
                # Most users of one second have the same credentials, held once.
                if id(credentials) not in shown:
                    shown.add(id(credentials))
                    yield [f"{POSSIBLY_RENAMED} to {name}"], credentials

    def same_second_names(self, line: LedgerLine) -> AbstractSet[str]:
        """Return the names of the same second, if the user of a line is there beside them."""
        is_there = self.user_of(line) is not None
        return self._named.get(line.creation_second, frozenset()) if is_there else frozenset()

    def missing_same_second_names(self, line: LedgerLine, names: Iterable[str]) -> set[str]:
        """Return the names of the same second as the user of a line that are no longer there."""
        there = (
            self.names.get(second, {}).values()
            for second in (line.creation_second, (line.account, None))
        )
        return set(names).difference(*there)


class OlderReports:
    """Find the users decided on in older reports, under any name.

    `files` are the moment, number and name of each, in their order. A report has each user once;
    equal credentials are held once.
    """

    def __init__(self, lines: Iterable[LedgerLine], older: Report | None) -> None:
        """Find the users of lines."""
        files = older.files if older else ()
        times = (report_time(file).earliest for file in files)
        self.files = sorted((made, at, files[at].name) for at, made in enumerate(times))
        self._with_list = {at for at, file in enumerate(files) if file.shows_service_credentials}
        arns = defaultdict[CreationSecond, set[str]](set)
        for line in lines:
            arns[line.creation_second].add(line.user_key.arn)
        every = {arn for of_second in arns.values() for arn in of_second}
        seconds = pd.DatetimeIndex([created for _, created in arns if created], tz=UTC)
        alike: dict[Credentials, Credentials] = {}
        self._by_arn: dict[tuple[int, str], tuple[datetime | None, Credentials, bool]] = {}
        self._by_second = defaultdict[
            tuple[int, CreationSecond], dict[str, list[tuple[Credentials, bool]]]
        ](dict)
        self._names: dict[tuple[CreationSecond, tuple[int, ...]], frozenset[str]] = {}
        for page in older.pages() if older else ():
            created = page.users[columns.CREATED]
            near = page.users[columns.ARN].isin(every) | created.isin(seconds)
            some = page.with_users({columns.CREATED: created}).where(near.to_numpy())
            names = (some.users[name] for name in (columns.FILE, columns.ACCOUNT, columns.USER))
            listed = (some.users[columns.SERVICE_CREDENTIALS] != "").tolist()
            shown = zip(
                *names, user_keys(some.users), credentials_of_users(some), listed, strict=True
            )
            for file, account, name, (arn, at), found, has_listed in shown:
                second, credentials = (account, at), alike.setdefault(found, found)
                self._by_arn[file, arn] = at, credentials, has_listed
                if not arns.get(second, set()) <= {arn}:
                    of_second = self._by_second[file, second]
                    of_second.setdefault(name, []).append((credentials, has_listed))

    def since(self, line: LedgerLine) -> list[tuple[datetime, int, str]]:
        """Return the reports that are not older than the one decided on."""
        since = line.report_time.earliest
        return [file for file in self.files if file[0] >= since]

    def shown_of_user(
        self, line: LedgerLine, file: int, names: NamesOfOthers
    ) -> Iterator[tuple[list[str], Credentials, bool]]:
        """Yield the credentials in a file of the user of a line, with a remark if renamed.

        The last value is whether AWS's list shows a service-specific credential. A user of the ARN
        whose creation time is not understood may be the user of the line.
        """
        arn, created = line.user_key
        shown = self._by_arn.get((file, arn))
        if shown and shown[0] in (created, None):
            yield [], *shown[1:]
            return
        of_second = self._by_second.get((file, line.creation_second), {})
        # Most users share their second with no other user.
        for name in names.not_of_others(of_second) if of_second else ():
            for of_other in of_second[name]:
                yield [f"{POSSIBLY_RENAMED} to {name}"], *of_other

    def has_service_credential(self, line: LedgerLine, names: NamesOfOthers) -> bool | None:
        """Return whether the newest list since the decision shows an active one, None if unknown.

        Only a list later than that of the report decided on shows that there is none any more.
        """
        listed = None
        for made, at, _ in self.since(line):
            if any(has_one for *_, has_one in self.shown_of_user(line, at, names)):
                listed = True
            elif at in self._with_list and made > line.report_time.earliest:
                listed = False if self._has(line, at) else listed
        return listed

    def credentials_of_name(self, line: LedgerLine, name: str) -> Iterator[Credentials]:
        """Yield the credentials in these reports of a user of that name and the same second."""
        for _, at, _ in self.files:
            of_second = self._by_second.get((at, line.creation_second), {})
            yield from (credentials for credentials, _ in of_second.get(name, ()))

    def same_second_names(self, line: LedgerLine) -> frozenset[str]:
        """Return the names of the same second in reports that also show the user of a line."""
        files = tuple(at for _, at, _ in self.since(line) if self._has(line, at))
        # Users created by one script are in the same reports: they share one set.
        if (line.creation_second, files) not in self._names:
            names = (self._by_second.get((at, line.creation_second), ()) for at in files)
            self._names[line.creation_second, files] = frozenset().union(*names)
        return self._names[line.creation_second, files]

    def _has(self, line: LedgerLine, file: int) -> bool:
        """Return whether a file has the user of a line, for certain."""
        arn, created = line.user_key
        shown = self._by_arn.get((file, arn))
        return shown is not None and shown[0] == created


def _reported_users(page: Users, alike: dict[Credentials, Credentials]) -> Iterator[ReportedUser]:
    """Yield the users of a page; equal credentials are held once, in `alike`."""
    users = page.users
    return map(
        ReportedUser,
        user_keys(users),
        (alike.setdefault(credentials, credentials) for credentials in credentials_of_users(page)),
        map(Verdict, users[columns.VERDICT]),
        (users[columns.SERVICE_CREDENTIALS] != "").tolist(),
        users[columns.EXEMPTION],
    )


def user_keys(users: pd.DataFrame) -> Iterator[UserKey]:
    """Yield the key of each user."""
    return map(UserKey, users[columns.ARN], datetimes(users[columns.CREATED]))
