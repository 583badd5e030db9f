"""Hold the credentials of a user in a report or a decision, and name what differs between two.

A cell that is not understood is unknown. It is never read as "no".
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple, Self

import numpy as np
import pyarrow as pa

from analyzer import columns
from analyzer.decisions.decision import LedgerLine, User
from analyzer.report.users import Users, users_of_rows
from analyzer.verdicts.facts import Facts
from analyzer.verdicts.truth import Truth

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Moment:
    """Hold when something happened: `at` is None if it never did, or if it is not known."""

    at: datetime | None = None
    is_known: bool = True


class Slot(NamedTuple):
    """Hold an access key or a signing certificate; `is_active` is None if that is unknown."""

    is_active: bool | None
    created: Moment
    last_used: Moment = Moment()

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
        """Return whether a cell of these is not understood, or its column is missing."""
        moments = self.last_sign_in.is_known and self.password_changed.is_known
        slots = any(slot.is_unknown for slot in (*self.keys, *self.certificates))
        return None in (self.has_password, self.has_mfa) or slots or not moments


@dataclass(frozen=True, slots=True)
class ReportedUser:
    """Hold what a report shows of one user.

    `services` are those of active credentials in AWS's list, with `has_list`, and `listed` their
    ids; `SOME_SERVICE` if the list is not there, and a caveat shows that there are any. `exemption`
    is the reason, if any.
    """

    credentials: Credentials
    services: str
    has_list: bool = False
    verdict: str = ""
    exemption: str = ""
    listed: frozenset[str] = frozenset()

    @property
    def has_access(self) -> bool:
        """Return whether the user has what keeps it from being deleted.

        That is an active access key, certificate or listed service-specific credential, or a
        password that was ever used. What is unknown is neither access nor none.
        """
        shown = self.credentials
        is_active = any(slot.is_active for slot in (*shown.keys, *shown.certificates))
        was_used = bool(shown.has_password and shown.last_sign_in.at)
        return is_active or was_used or bool(self.services) or shown.has_more_credentials

    @property
    def has_credentials(self) -> bool:
        """Return whether a password, active key, certificate or listed credential is shown."""
        shown = self.credentials
        is_active = any(slot.is_active for slot in (*shown.keys, *shown.certificates))
        return bool(is_active or shown.has_password or self.services or shown.has_more_credentials)

    @property
    def has_no_credentials(self) -> bool:
        """Return whether none of these is left. What is unknown may be one."""
        return not (self.has_credentials or self.credentials.is_unknown)

    def differences(self, now: Self) -> list[str]:
        """Return, in words, in what a report shows the user otherwise than this one.

        A list of service-specific credentials that is not there any more is no difference.
        """
        before, after = self.credentials, now.credentials
        has_password = before.has_password, before.password_changed
        seen_services = bool(self.services) if self.services == SOME_SERVICE else self.services
        services = bool(now.services) if self.services == SOME_SERVICE else now.services
        are_others = seen_services != services or (self.has_list and self.listed != now.listed)
        return [
            name
            for name, differs in (
                ("password", has_password != (after.has_password, after.password_changed)),
                ("last sign-in", before.last_sign_in != after.last_sign_in),
                # AWS may show a key in another slot when the other one is gone.
                ("access keys", Counter(before.keys) != Counter(after.keys)),
                ("certificates", Counter(before.certificates) != Counter(after.certificates)),
                ("MFA", before.has_mfa != after.has_mfa),
                (
                    "additional credentials",
                    before.has_more_credentials != after.has_more_credentials,
                ),
                ("service-specific credentials", now.has_list and are_others),
            )
            if differs
        ]


SOME_SERVICE: Final = "some"
"""The text for service-specific credentials of which only a caveat is known."""


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
            SOME_SERVICE if line.has_service_credential else "",
            verdict=line.user_row[columns.VERDICT],
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
        for at, is_known in zip(datetimes(moments), facts.page.known[name], strict=True)
    ]


def datetimes(moments: np.ndarray) -> list[datetime | None]:
    """Return moments (datetime64[s], UTC) as datetimes of Python, None for NaT."""
    return [at and at.replace(tzinfo=UTC) for at in moments.astype("datetime64[s]").tolist()]


def users_of(users: "pd.DataFrame") -> Iterator[User]:
    """Yield the users of a page without their paths (`Users.users`)."""
    created = datetimes(users[columns.CREATED].to_numpy("datetime64[s]"))
    return map(User, users[columns.ACCOUNT], users[columns.USER], created)
