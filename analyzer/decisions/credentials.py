"""Hold the credentials of a user as a report or a decision shows them, and what is added later.

A cell that is not understood, or in which another row of the ARN differs, is unknown. It is never
read as "no": if it turns out to be access, that is news.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import permutations
from typing import Final, NamedTuple, Self, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa

from analyzer import columns
from analyzer.decisions.decision import LedgerLine, UserKey
from analyzer.report.model import Page, Report, slot_matrix
from analyzer.report.pages import page_of_rows
from analyzer.terms import Verdict, short_list
from analyzer.verdicts.facts import Facts, Truth


@dataclass(frozen=True, slots=True)
class Moment:
    """Hold when something happened: `at` is None if it never did, or if it is not known."""

    at: datetime | None = None
    is_known: bool = True

    def is_later_than(self, other: Self) -> bool:
        """Return whether this is news to somebody who knew the other moment only."""
        return self.at is not None and (other.at is None or self.at > other.at)

    @property
    def day(self) -> str:
        """Return the day as 2026-03-01, empty if there is none."""
        return f"{self.at:%Y-%m-%d}" if self.at else ""


class Slot(NamedTuple):
    """Hold an access key or a signing certificate; `is_active` is None if that is unknown."""

    is_active: bool | None
    created: Moment
    last_used: Moment = Moment()

    @property
    def shows_nothing(self) -> bool:
        """Return whether nothing is known to be in the slot."""
        return not (self.is_active or self.created.at or self.last_used.at)

    @property
    def is_unknown(self) -> bool:
        """Return whether a cell hides what is in the slot, or its use."""
        return self.is_active is None or not (self.created.is_known and self.last_used.is_known)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Hold what a report shows of the credentials of one user; None is unknown."""

    has_password: bool | None
    last_sign_in: Moment
    password_changed: Moment
    has_mfa: bool | None
    keys: tuple[Slot, ...]
    certificates: tuple[Slot, ...]
    has_more_credentials: bool | None = False

    @property
    def last_use(self) -> datetime | None:
        """Return the newest sign-in or use of an access key, None if none is known."""
        uses = (self.last_sign_in, *(key.last_used for key in self.keys))
        return max((use.at for use in uses if use.at), default=None)

    @property
    def is_unknown(self) -> bool:
        """Return whether a cell hides access, or use, of the user."""
        changed = self.has_password is True and not self.password_changed.is_known
        flags = (self.has_password, self.has_mfa, self.has_more_credentials)
        hidden = None in flags or changed
        slots = any(slot.is_unknown for slot in (*self.keys, *self.certificates))
        return hidden or slots or not self.last_sign_in.is_known

    @property
    def has_working_credential(self) -> bool | None:
        """Return whether a password, key or certificate works; None if a cell hides it.

        Of more credentials than the slots show, none is known not to work.
        """
        active = [slot.is_active for slot in (*self.keys, *self.certificates)]
        others = False if self.has_more_credentials is False else None
        works = [self.has_password, *active, others]
        return True if True in works else None if None in works else False


def access_added(before: Credentials, now: Credentials, baseline: datetime) -> list[str]:
    """Return what a later report shows more than `before`: each new access or use in words.

    What was unknown counts as not there. `baseline` is the moment of the earlier report: a password
    whose change is unknown was changed since if that was after it.
    """
    is_set = now.has_password is True and before.has_password is not True
    known_change = before.password_changed if before.password_changed.is_known else Moment(baseline)
    is_changed = not is_set and now.password_changed.is_later_than(known_change)
    has_more = now.has_more_credentials is True and before.has_more_credentials is not True
    news = [
        (now.last_sign_in.is_later_than(before.last_sign_in), f"signed in {now.last_sign_in.day}"),
        (is_set, f"password set {now.password_changed.day}"),
        (is_changed, f"password changed {now.password_changed.day}"),
        (now.has_mfa is True and before.has_mfa is not True, "MFA device added"),
        (has_more, "more access keys or certificates than the report lists"),
    ]
    return [
        *(text.strip() for is_new, text in news if is_new),
        *_added_slots("access key", before.keys, now.keys, baseline),
        *_added_slots("signing certificate", before.certificates, now.certificates, baseline),
    ]


def cannot_become(then: Credentials, now: Credentials) -> bool:
    """Return whether the user of an earlier report cannot be the one of a later report.

    A sign-in, the change of a password, or the use of a key that is still there never goes back.
    A sign-in does not vanish beside a password, a key that was deleted takes its use along.
    """
    have_password = then.has_password is True and now.has_password is True
    signed_in = now.last_sign_in.is_known and (now.last_sign_in.at or now.has_password is True)
    changed = have_password and now.password_changed.at
    return (
        (bool(signed_in) and then.last_sign_in.is_later_than(now.last_sign_in))
        or (bool(changed) and then.password_changed.is_later_than(now.password_changed))
        or any(_was_used_later(key, then.keys, now.keys) for key in then.keys)
    )


def _was_used_later(key: Slot, then: Sequence[Slot], now: Sequence[Slot]) -> bool:
    """Return whether a key was used later than it shows now; creation tells which one it is."""
    if key.created.at is None:
        return False
    of_then, of_now = (
        [each.last_used for each in keys if each.created.at == key.created.at]
        for keys in (then, now)
    )
    is_one = len(of_then) == len(of_now) == 1 and of_now[0].is_known
    return is_one and key.last_used.is_later_than(of_now[0])


def _added_slots(
    name: str, before: Sequence[Slot], now: Sequence[Slot], baseline: datetime
) -> list[str]:
    """Return what is new of access keys or certificates, by the order in which least is new.

    AWS may show one in another slot later on (IAM User Guide).
    """
    orders = (
        [text for pair in zip(now, order, strict=True) for text in _news(name, *pair, baseline)]
        for order in permutations(before)
    )
    return min(orders, key=lambda news: (len(news), sum(" created " in text for text in news)))


def _news(name: str, now: Slot, before: Slot, baseline: datetime) -> Iterator[str]:
    """Yield what a slot shows more than one of before.

    A credential is known by its creation time. Where that is not known now, it may be any; where it
    was not known, it may be an older one that gives no access.
    """
    if now.shows_nothing:
        return
    is_without_access = not now.is_active and now.last_used.at is None
    is_old = now.created.at is not None and now.created.at <= baseline
    was_hidden = not before.created.is_known and is_old and is_without_access
    if now.created.at not in (None, before.created.at) and not was_hidden:
        yield f"{name} created {now.created.day}"
        return
    known = f"{name} of {now.created.day}" if now.created.at else name
    if now.is_active and before.is_active is not True:
        yield f"{known} activated"
    if now.last_used.is_later_than(before.last_used):
        yield f"{known} used {now.last_used.day}"


def credentials_of_users(page: Page) -> Iterator[Credentials]:
    """Yield what a page shows of its users, in their order."""
    facts = Facts(page)
    moments = {name: _moments(facts, name, each) for name, each in page.moments().items()}
    keys = [
        map(Slot, active, moments[names.last_rotated], moments[names.last_used_date])
        for active, names in zip(
            slot_matrix(_flags(facts.key_active)), columns.ACCESS_KEYS, strict=True
        )
    ]
    certificates = [
        map(Slot, active, moments[names.last_rotated])
        for active, names in zip(
            slot_matrix(_flags(facts.certificate_active)), columns.CERTIFICATES, strict=True
        )
    ]
    differs = facts.page.contradicted_in(columns.ADDITIONAL_CREDENTIALS_INFO)
    return map(
        Credentials,
        _flags(facts.password),
        moments[columns.PASSWORD_LAST_USED],
        moments[columns.PASSWORD_LAST_CHANGED],
        _flags(facts.mfa),
        zip(*keys, strict=True),
        zip(*certificates, strict=True),
        _flags(Truth.unless_unknown(facts.more_credentials, differs)),
    )


def credentials_decided_on(lines: Sequence[LedgerLine]) -> list[Credentials]:
    """Return what the report that was decided on showed of the user of each line."""
    return [*credentials_of_users(page_of_lines(lines))] if lines else []


def page_of_lines(lines: Sequence[LedgerLine]) -> Page:
    """Return the users of lines as their reports showed them, each of a file of its own."""
    texts = {
        name: pa.array([line.report_cells[name] for line in lines], pa.large_string())
        for name in columns.IN_REPORT
    }
    numbers = pa.array(np.arange(len(lines)))
    table = pa.table({**texts, columns.FILE: numbers, columns.ROW: numbers})
    return page_of_rows(
        table, [np.datetime64(line.as_of.replace(tzinfo=None), "s") for line in lines]
    )


def _flags(truth: Truth) -> np.ndarray:
    """Return whether something holds as True, False or None (object)."""
    flags = truth.yes.astype(object)
    flags[truth.undecided] = None
    return flags


def _moments(facts: Facts, name: str, moments: pd.Series) -> list[Moment]:
    """Return the moments in a column of the report, not known where its cell is unknown.

    Where there is no date of use, an unknown region or service may be of one.
    """
    places = _PLACES_OF_USE.get(name, ())
    unknown = facts.has_unknown_cell(name) | moments.isna() & facts.has_unknown_cell(*places)
    return [
        Moment(is_known=False) if is_unknown else Moment(at)
        for at, is_unknown in zip(datetimes(moments), unknown, strict=True)
    ]


_PLACES_OF_USE: Final = {
    key.last_used_date: (key.last_used_region, key.last_used_service) for key in columns.ACCESS_KEYS
}


def datetimes(moments: pd.Series) -> list[datetime | None]:
    """Return moments as Python has them, None where there is none."""
    return [None if at is pd.NaT else at for at in pd.DatetimeIndex(moments).to_pydatetime()]


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
