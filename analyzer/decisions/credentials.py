"""Hold the credentials of a user in a report or a decision, and find access that is added later.

A cell that is not understood, or in which another row of the ARN differs, is unknown. It is never
read as "no": if it turns out to be access, that access is new.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import permutations
from typing import NamedTuple, Self

import numpy as np
import pandas as pd
import pyarrow as pa

from analyzer import columns
from analyzer.decisions.decision import LedgerLine, User
from analyzer.report.model import ReportFile
from analyzer.report.users import UTC_INDEX, Users, users_of_rows
from analyzer.terms import Verdict
from analyzer.verdicts.facts import Facts
from analyzer.verdicts.truth import Truth


@dataclass(frozen=True, slots=True)
class Moment:
    """Hold when something happened: `at` is None if it never did, or if it is not known."""

    at: datetime | None = None
    is_known: bool = True

    def is_later_than(self, other: Self) -> bool:
        """Return whether this moment is later than the other one, or the only one known."""
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
    """Hold the credentials of one user in a report; None is unknown."""

    has_password: bool | None
    last_sign_in: Moment
    password_changed: Moment
    has_mfa: bool | None
    keys: tuple[Slot, ...]
    certificates: tuple[Slot, ...]
    has_more_credentials: bool = False

    @property
    def last_use(self) -> datetime | None:
        """Return the newest sign-in or use of an access key, None if none is known."""
        uses = (self.last_sign_in, *(key.last_used for key in self.keys))
        return max((use.at for use in uses if use.at), default=None)

    @property
    def is_unknown(self) -> bool:
        """Return whether a cell hides access, or use, of the user."""
        changed = self.has_password is True and not self.password_changed.is_known
        hidden = None in (self.has_password, self.has_mfa) or changed
        slots = any(slot.is_unknown for slot in (*self.keys, *self.certificates))
        return hidden or slots or not self.last_sign_in.is_known


@dataclass(frozen=True, slots=True)
class ReportedUser:
    """Hold what a report shows of one user.

    `is_active` is the verdict by the limit of the decision, `verdict` the one of the analysis.
    """

    credentials: Credentials
    has_service_credential: bool
    is_active: bool = False
    verdict: str = ""
    exemption: str = ""

    @property
    def can_be_deleted(self) -> bool:
        """Return whether no key, certificate or listed service-specific credential is active.

        Nor was a password ever used. What is unknown counts as active or used.
        """
        shown = self.credentials
        is_active = any(slot.is_active is not False for slot in (*shown.keys, *shown.certificates))
        never = shown.last_sign_in.is_known and shown.last_sign_in.at is None
        was_used = shown.has_password is not False and not never
        return not (is_active or was_used or self.has_service_credential)

    def has_no_way_in(self, file: ReportFile, *, needs_list: bool) -> bool:
        """Return whether nothing works, as far as all of it is known.

        With `needs_list`, AWS's list must show that too.
        """
        return (file.shows_service_credentials or not needs_list) and self._ways_in == {False}

    @property
    def has_way_in(self) -> bool:
        """Return whether anything works, as far as it is known."""
        return True in self._ways_in

    @property
    def _ways_in(self) -> set[bool | None]:
        """Return what is active, True, and what is not, False; None is unknown."""
        shown = self.credentials
        active = {slot.is_active for slot in (*shown.keys, *shown.certificates)}
        others = {self.has_service_credential, shown.has_more_credentials}
        return active | others | {shown.has_password}


def access_added(
    of_before: ReportedUser, of_now: ReportedUser | None, baseline: datetime
) -> list[str]:
    """Return each access or use that a later report shows beyond an earlier one, in words.

    `changes.events.events` has all changes of a user; here are only those new to a decision.

    What was unknown before counts as absent, and so does a user whom the later report does not
    show. `baseline` is the moment of the earlier report: if the change of the password is unknown
    there, a change after `baseline` is new.
    """
    if of_now is None:
        return []
    before, now = of_before.credentials, of_now.credentials
    is_set = now.has_password is True and before.has_password is not True
    known_change = before.password_changed if before.password_changed.is_known else Moment(baseline)
    is_changed = not is_set and now.password_changed.is_later_than(known_change)
    has_more = now.has_more_credentials and not before.has_more_credentials
    of_service = of_now.has_service_credential and not of_before.has_service_credential
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
        *(["service-specific credential"] if of_service else []),
    ]


def _added_slots(
    name: str, before: Sequence[Slot], now: Sequence[Slot], baseline: datetime
) -> list[str]:
    """Return the access that slots add, paired with earlier slots in the order that adds least.

    AWS may later show a key or certificate in another slot (IAM User Guide).
    """
    orders = (
        [
            text
            for pair in zip(now, order, strict=True)
            for text in _access_added_to_slot(name, *pair, baseline)
        ]
        for order in permutations(before)
    )
    return min(orders, key=lambda news: (len(news), sum(" created " in text for text in news)))


def _access_added_to_slot(name: str, now: Slot, before: Slot, baseline: datetime) -> Iterator[str]:
    """Yield the access that a slot adds to an earlier one.

    A credential is identified by its creation time. If that is not known now, it may be any; if it
    was not known before, it may be an older one that gives no access.
    """
    if now.shows_nothing:
        return
    is_used = now.last_used.is_later_than(before.last_used)
    is_old = now.created.at is not None and now.created.at <= baseline
    was_hidden = not (before.created.is_known or now.is_active or is_used) and is_old
    if now.created.at not in (None, before.created.at) and not was_hidden:
        yield f"{name} created {now.created.day}"
        return
    known = f"{name} of {now.created.day}" if now.created.at else name
    if now.is_active and before.is_active is not True:
        yield f"{known} activated"
    if is_used:
        yield f"{known} used {now.last_used.day}"


def credentials_of_users(page: Users) -> Iterator[Credentials]:
    """Yield the credentials of the users of a page, in their order."""
    facts = Facts(page)
    moments = {name: _moments(facts, name, values) for name, values in page.moments.items()}
    keys = [
        map(Slot, active, moments[names.last_rotated], moments[names.last_used_date])
        for active, names in zip(_flags(facts.key_active), columns.ACCESS_KEYS, strict=True)
    ]
    certificates = [
        map(Slot, active, moments[names.last_rotated])
        for active, names in zip(
            _flags(facts.certificate_active), columns.CERTIFICATES, strict=True
        )
    ]
    return map(
        Credentials,
        _flags(facts.password),
        moments[columns.PASSWORD_LAST_USED],
        moments[columns.PASSWORD_LAST_CHANGED],
        _flags(facts.mfa),
        zip(*keys, strict=True),
        zip(*certificates, strict=True),
        facts.more_credentials.tolist(),
    )


def users_decided_on(lines: Sequence[LedgerLine]) -> list[ReportedUser]:
    """Return what the reports decided on showed of the users of lines."""
    return [
        ReportedUser(
            credentials,
            line.has_service_credential,
            is_active=line.user_row[columns.VERDICT] == Verdict.ACTIVE,
        )
        for line, credentials in zip(lines, credentials_of_users(page_of_lines(lines)), strict=True)
    ]


def page_of_lines(lines: Sequence[LedgerLine]) -> Users:
    """Return the users of lines as their reports showed them, each of a file of its own."""
    numbers = range(len(lines))
    texts = {
        name: pa.array([line.user_row[name] for line in lines], pa.large_string())
        for name in columns.IN_REPORT
    }
    places = dict.fromkeys((columns.FILE, columns.ROW), pa.array(numbers, pa.int64()))
    moments = [np.datetime64(line.as_of.replace(tzinfo=None), "s") for line in lines]
    return users_of_rows(pa.table({**texts, **places}), moments)


def _flags(truth: Truth) -> np.ndarray:
    """Return a Truth as True, False or None (object)."""
    flags = truth.yes.astype(object)
    flags[truth.unknown] = None
    return flags


def _moments(facts: Facts, name: str, moments: np.ndarray) -> list[Moment]:
    """Return the moments in a column of the report, not known if the cell is unknown."""
    return [
        Moment(at, is_known=bool(is_known))
        for at, is_known in zip(datetimes(UTC_INDEX(moments)), facts.page.known[name], strict=True)
    ]


def datetimes(moments: pd.Series | pd.DatetimeIndex) -> list[datetime | None]:
    """Return moments as datetimes of Python, None for NaT."""
    return [None if at is pd.NaT else at for at in pd.DatetimeIndex(moments).to_pydatetime()]


def users_of(users: pd.DataFrame) -> Iterator[User]:
    """Yield the users of a page without their paths (`Users.users`)."""
    created = datetimes(users[columns.CREATED])
    return map(User, users[columns.ACCOUNT], users[columns.USER], created)
