"""Judge all rules in plain Python: a second opinion that shares no code with analyzer.

A rule holds (True), does not (False), or cannot be told (None). Rows are read by `verdict_oracle`;
it is written to be read beside the table of rules, a function a rule.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from tests.support.verdict_oracle import (
    ABSENT,
    ACTIVE,
    Columns,
    Slot,
    Terms,
    User,
    days,
    is_root,
    judge,
    key_idle,
    moment,
    password_idle,
    person,
    read_user,
    rows_of,
)

IDLE_DAYS, ROTATION_DAYS, ROOT_USED_DAYS, EXPIRY_DAYS = 90, 90, 30, 14

Known = bool | None


class Verdict(NamedTuple):
    """Name one thing that a rule finds."""

    rule: str
    arn: str
    slot: int
    outcome: str


def both(*parts: Known) -> Known:
    if any(part is False for part in parts):
        return False
    return True if all(parts) else None


def either(*parts: Known) -> Known:
    if any(part is True for part in parts):
        return True
    return None if None in parts else False


def no(part: Known) -> Known:
    return None if part is None else not part


def active(slot: Slot) -> Known:
    """Return whether a key or certificate is active, which its own cell alone says."""
    is_unread = any(column.endswith("_active") for column in slot.unread)
    return None if is_unread else slot.state == ACTIVE


@dataclass(frozen=True)
class Row:
    """Hold the cells of one user or root, and what they say."""

    cells: dict[str, str]
    as_of: datetime

    @cached_property
    def user(self) -> User:
        return read_user(self.cells)

    @property
    def password(self) -> Known:
        return self.user.has_password

    @property
    def mfa(self) -> Known:
        return self.user.mfa

    @property
    def unread_sign_in(self) -> Columns:
        return tuple(each for each in self.user.unread if each == "password_last_used")

    def key(self, slot: int) -> Slot:
        return self.user.keys[slot - 1]

    def active_keys(self) -> list[Known]:
        return [*map(active, self.user.keys)]

    def any_key(self) -> Known:
        return either(*self.active_keys())

    def password_or_key(self) -> Known:
        return either(self.password, self.any_key())

    def expires(self, first: datetime, last: datetime) -> Known:
        """Return whether the password expires between two moments, both included."""
        raw = self.cells.get("password_next_rotation")
        at = moment(raw)
        return None if at is None and raw != "N/A" else at is not None and first <= at <= last


def is_idle(idle: int | Columns) -> Known:
    return None if isinstance(idle, tuple) else idle >= IDLE_DAYS


# A line a rule: for a user or root, or for one slot of it

UserRule = Callable[[Row], Known]
SlotRule = Callable[[Row, int], Known]


def idle_password(row: Row) -> Known:
    return both(row.password, is_idle(row.unread_sign_in or password_idle(row.user, row.as_of)))


def expired_password(row: Row) -> Known:
    ever = datetime.min.replace(tzinfo=row.as_of.tzinfo)
    return both(row.password, row.expires(ever, row.as_of - timedelta(microseconds=1)))


def password_expires_soon(row: Row) -> Known:
    last = row.as_of + timedelta(days=EXPIRY_DAYS)
    return both(row.password, row.expires(row.as_of, last))


def service_key_user_with_credentials(row: Row) -> Known:
    return both("apikey-" in row.cells["user"].lower(), row.password_or_key())


def initial_setup_access_key(row: Row, slot: int) -> Known:
    key = row.key(slot)
    never = None if key.unread_use else key.used is None
    return both(row.password, active(key), never)


def unrotated_access_key(row: Row, slot: int) -> Known:
    key = row.key(slot)
    old = None if key.created is None else days(key.created, row.as_of) > ROTATION_DAYS
    return both(active(key), old)


def idle_access_key(row: Row, slot: int) -> Known:
    """An active key whose creation is N/A counts from the user's; another one is unknown."""
    key = row.key(slot)
    is_dated = key.used or key.unread_use or key.created or (key.state == ACTIVE and not key.unread)
    return both(active(key), is_idle(key_idle(key, row.user, row.as_of)) if is_dated else None)


def root_without_mfa(row: Row) -> Known:
    assumed = row.cells.get("password_enabled") == "not_supported"
    return both(either(True if assumed else row.password, row.any_key()), no(row.mfa))


def root_used(row: Row) -> Known:
    """What an absent key has in its date of use is no use."""

    def lately(at: datetime | None, *, is_unread: bool) -> Known:
        return None if is_unread else at is not None and days(at, row.as_of) < ROOT_USED_DAYS

    keys = [key for key in row.user.keys if key.state != ABSENT or key.unread]
    uses = [(key.used, bool(key.unread_use)) for key in keys]
    uses.append((row.user.signed_in, bool(row.unread_sign_in)))
    return either(*(lately(at, is_unread=is_unread) for at, is_unread in uses))


def has_inactive_key(row: Row) -> bool:
    return any(active(key) is False and key.created is not None for key in row.user.keys)


OF_USERS: dict[str, UserRule] = {
    "idle-password": idle_password,
    "two-active-access-keys": lambda row: both(*row.active_keys()),
    "console-user-without-mfa": lambda row: both(row.password, no(row.mfa)),
    "user-without-mfa": lambda row: both(row.password_or_key(), no(row.mfa)),
    "expired-password": expired_password,
    "password-expires-soon": password_expires_soon,
    "password-and-access-key": lambda row: both(row.password, row.any_key()),
    "service-key-user-with-credentials": service_key_user_with_credentials,
}
OF_SLOTS: dict[str, SlotRule] = {
    "idle-access-key": idle_access_key,
    "unrotated-access-key": unrotated_access_key,
    "initial-setup-access-key": initial_setup_access_key,
    "active-signing-certificate": lambda row, slot: active(row.user.certificates[slot - 1]),
}
OF_ROOTS: dict[str, UserRule] = {
    "root-access-key": Row.any_key,
    "root-without-mfa": root_without_mfa,
    "root-used": root_used,
    "root-certificate": lambda row: either(*map(active, row.user.certificates)),
    "root-password": lambda row: row.password,
}
OF_VERDICTS = {"unused-user": "unused", "retired-user": "retired"}


def judge_rules(text: str, as_of: datetime) -> Iterator[Verdict]:
    """Yield everything that the rules find in a report, of which each user counts once."""
    for row in read(text, as_of):
        of_root = is_root(row.cells)
        for rule, holds in (OF_ROOTS if of_root else OF_USERS).items():
            yield from verdict(rule, row, 0, holds(row))
        for slot in (1, 2) if not of_root else ():
            for slot_rule, holds_in in OF_SLOTS.items():
                yield from verdict(slot_rule, row, slot, holds_in(row, slot))
        if of_root and row.any_key() is False and has_inactive_key(row):
            yield Verdict("root-access-key", row.cells["arn"], 0, "noted")
    for opinion in judge(text, Terms(as_of)):
        for rule, word in OF_VERDICTS.items():
            if opinion.judgement.verdict in (word, "undetermined"):
                outcome = "fails" if opinion.judgement.verdict == word else "undecided"
                yield Verdict(rule, opinion.arn, 0, outcome)


def read(text: str, as_of: datetime) -> list[Row]:
    """Return the first row of each user and root."""
    rows: dict[object, Row] = {}
    for row in rows_of(text):
        rows.setdefault((is_root(row), person(row)), Row(row, as_of))
    return [*rows.values()]


def verdict(rule: str, row: Row, slot: int, holds: Known) -> Iterator[Verdict]:
    if holds is not False:
        yield Verdict(rule, row.cells["arn"], slot, "fails" if holds else "undecided")
