"""Hold the credentials of one user as a report shows them, and say what a later report adds.

A cell that is not understood, or in which another row of the ARN differs, is unknown. It is never
read as "no": if it turns out to be access, that is news.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import permutations
from typing import Final, NamedTuple, Self

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.model import Page


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
        hidden = self.is_active is None or not self.created.is_known
        return hidden or not (self.shows_nothing or self.last_used.is_known)


@dataclass(frozen=True, slots=True)
class UserState:
    """Hold what a report shows of the credentials of one user; None is unknown."""

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
        hidden = self.has_password is None or self.has_mfa is None or changed
        slots = any(slot.is_unknown for slot in (*self.keys, *self.certificates))
        return hidden or slots or not self.last_sign_in.is_known

    @property
    def has_working_credential(self) -> bool | None:
        """Return whether a password, key or certificate works; None if a cell hides it."""
        active = [slot.is_active for slot in (*self.keys, *self.certificates)]
        works = [self.has_password, *active]
        return True if True in works else None if None in works else False


def access_added(before: UserState, now: UserState, baseline: datetime) -> list[str]:
    """Return what a later report shows more than `before`: each new access or use in words.

    What was unknown counts as not there. `baseline` is the moment of the earlier report: a password
    whose change is unknown was changed since if that was after it.
    """
    is_set = now.has_password is True and before.has_password is not True
    known_change = before.password_changed if before.password_changed.is_known else Moment(baseline)
    news = [
        (now.last_sign_in.is_later_than(before.last_sign_in), f"signed in {now.last_sign_in.day}"),
        (is_set, f"password set {now.password_changed.day}"),
        (
            not is_set and now.password_changed.is_later_than(known_change),
            f"password changed {now.password_changed.day}",
        ),
        (now.has_mfa is True and before.has_mfa is not True, "MFA device added"),
        (
            now.has_more_credentials and not before.has_more_credentials,
            "more access keys or certificates than the report lists",
        ),
    ]
    return [
        *(text.strip() for is_new, text in news if is_new),
        *_added_slots("access key", before.keys, now.keys, baseline),
        *_added_slots("signing certificate", before.certificates, now.certificates, baseline),
    ]


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


def user_states(page: Page, positions: Sequence[int]) -> list[UserState]:
    """Return what a page shows of the users at some positions, in their order."""
    cells = _CellsOfUsers(page, np.array(positions, np.int64))
    users = page.users
    more = page.cells[columns.ADDITIONAL_CREDENTIALS_INFO].take(positions).fillna("")
    return list(
        map(
            UserState,
            cells.flags(columns.PASSWORD_ENABLED),
            cells.moments(users[columns.PASSWORD_LAST_USED], columns.PASSWORD_LAST_USED),
            cells.moments(users[columns.PASSWORD_LAST_CHANGED], columns.PASSWORD_LAST_CHANGED),
            cells.flags(columns.MFA_ACTIVE),
            zip(*map(cells.keys, columns.SLOTS), strict=True),
            zip(*map(cells.certificates, columns.SLOTS), strict=True),
            (~more.isin(_NO_MORE)).tolist(),
        )
    )


_NO_MORE: Final = ("", "N/A")
"""What stands where a user has no more keys or certificates than the slots show."""


class _CellsOfUsers:
    """Read cells of the users at some positions of a page, a column at a time."""

    def __init__(self, page: Page, positions: np.ndarray) -> None:
        self._page = page
        self._positions = positions
        self._unknown = _unknown_cells(page, positions)

    def flags(self, name: str) -> list[bool | None]:
        """Return a column of true and false cells."""
        texts = self._page.cells[name].take(self._positions)
        unknown = self._unknown.get(name, set())
        return [
            None if at in unknown else text == "true"
            for at, text in zip(self._positions.tolist(), texts, strict=True)
        ]

    def moments(self, column: pd.Series, name: str, slot: int = 1) -> list[Moment]:
        """Return a column of moments; in one of slots, those of the slot."""
        start = (slot - 1) * len(self._page)
        times = pd.DatetimeIndex(column.take(self._positions + start)).to_pydatetime()
        unknown = self._unknown.get(name, set())
        return [
            Moment(is_known=False) if at in unknown else Moment(None if time is pd.NaT else time)
            for at, time in zip(self._positions.tolist(), times, strict=True)
        ]

    def keys(self, slot: int) -> list[Slot]:
        """Return the access keys in a slot."""
        names, keys = columns.ACCESS_KEYS[slot - 1], self._page.keys
        created = self.moments(keys[columns.CREATED], names.last_rotated, slot)
        last_used = self.moments(keys[columns.LAST_USED], names.last_used_date, slot)
        return list(map(Slot, self.flags(names.active), created, last_used))

    def certificates(self, slot: int) -> list[Slot]:
        """Return the signing certificates in a slot."""
        names, certificates = columns.CERTIFICATES[slot - 1], self._page.certificates
        created = self.moments(certificates[columns.CREATED], names.last_rotated, slot)
        return list(map(Slot, self.flags(names.active), created))


def _unknown_cells(page: Page, positions: np.ndarray) -> dict[str, set[int]]:
    """Return by column the positions whose cell is not understood or contradicted."""
    unread = page.unread[page.unread[columns.POSITION].isin(positions)]
    pairs = [*zip(unread[columns.COLUMN], unread[columns.POSITION].tolist(), strict=True)]
    contradicted = page.users[columns.CONTRADICTED].take(positions)
    pairs += [
        (name, at)
        for at, names in zip(positions.tolist(), contradicted, strict=True)
        for name in filter(None, names.split(", "))
    ]
    unknown: dict[str, set[int]] = {}
    for name, at in pairs:
        unknown.setdefault(name, set()).add(at)
    return unknown
