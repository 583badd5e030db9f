"""Judge all rules in plain Python: a second opinion that shares no code with analyzer.

A rule holds (True), does not (False), or cannot be told (None). It is written to be read beside
the table of rules, a function a rule.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from tests.support.verdict_oracle import (
    NO_PLACE,
    USE,
    Terms,
    boolean,
    is_root,
    judge,
    moment,
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


@dataclass(frozen=True)
class Moment:
    """Hold when something was: at a time, never (None), or not known to us."""

    at: datetime | None = None
    unknown: bool = False

    def days(self, as_of: datetime) -> int | None:
        return None if self.at is None else max(0, (as_of - self.at) // timedelta(days=1))


UNKNOWN = Moment(unknown=True)


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


@dataclass(frozen=True)
class Row:
    """Read the cells of one user or root."""

    cells: dict[str, str]
    as_of: datetime

    def flag(self, column: str) -> Known:
        return boolean(self.cells.get(column))

    def when(self, column: str, *words: str) -> Moment:
        raw = self.cells.get(column)
        at = moment(raw)
        if at is None and raw not in words:
            return UNKNOWN
        return Moment(at.replace(microsecond=0)) if at else Moment()

    # What a user has

    @property
    def password(self) -> Known:
        return self.flag("password_enabled")

    @property
    def mfa(self) -> Known:
        return self.flag("mfa_active")

    @property
    def sign_in(self) -> Moment:
        return self.when("password_last_used", "N/A", "no_information")

    @property
    def expires(self) -> Moment:
        return self.when("password_next_rotation", "N/A")

    @property
    def password_idle_since(self) -> Moment:
        used, changed = self.sign_in, self.when("password_last_changed", "N/A")
        if used.unknown or used.at:
            return used
        return changed if changed.unknown or changed.at else self.when("user_creation_time")

    def active(self, thing: str, slot: int) -> Known:
        return self.flag(f"{thing}_{slot}_active")

    def created(self, thing: str, slot: int) -> Moment:
        born = self.when(f"{thing}_{slot}_last_rotated", "N/A")
        is_used = thing == "access_key" and self.uses(slot) - NO_PLACE
        if born.at is None and (self.active(thing, slot) is not False or is_used):
            return UNKNOWN
        return born

    def uses(self, slot: int) -> set[str | None]:
        return {self.cells.get(f"access_key_{slot}_last_used_{each}") for each in USE}

    def used(self, slot: int) -> Moment:
        column = f"access_key_{slot}_last_used_date"
        raw_active = boolean(self.cells.get(f"access_key_{slot}_active"))
        absent = raw_active is False and self.cells.get(f"access_key_{slot}_last_rotated") == "N/A"
        if absent and not self.uses(slot) - NO_PLACE:
            return Moment()
        return self.when(column, "N/A")

    def key_idle_since(self, slot: int) -> Moment:
        used = self.used(slot)
        if used.unknown or used.at:
            return used
        return (
            self.when("user_creation_time")
            if self.undated(slot)
            else self.created("access_key", slot)
        )

    def undated(self, slot: int) -> bool:
        """Return whether a key is active and its creation N/A: it counts from the user's."""
        is_active = self.active("access_key", slot) is True
        return is_active and self.cells.get(f"access_key_{slot}_last_rotated") == "N/A"

    def at_least(self, since: Moment, days: int) -> Known:
        if since.unknown:
            return None
        elapsed = since.days(self.as_of)
        return elapsed is not None and elapsed >= days

    def has_inactive_key(self, slot: int) -> bool:
        is_inactive = self.active("access_key", slot) is False
        return is_inactive and self.created("access_key", slot).at is not None

    def active_keys(self) -> list[Known]:
        return [self.active("access_key", slot) for slot in (1, 2)]

    def any_key(self) -> Known:
        return either(*self.active_keys())

    def password_or_key(self) -> Known:
        return either(self.password, self.any_key())


# A line a rule: for a user or root, or for one slot of it

UserRule = Callable[[Row], Known]
SlotRule = Callable[[Row, int], Known]


def expired_password(row: Row) -> Known:
    expires = row.expires
    late = None if expires.unknown else expires.at is not None and expires.at < row.as_of
    return both(row.password, late)


def password_expires_soon(row: Row) -> Known:
    expires, last = row.expires, row.as_of + timedelta(days=EXPIRY_DAYS)
    soon = None if expires.unknown else expires.at is not None and row.as_of <= expires.at <= last
    return both(row.password, soon)


def service_key_user_with_credentials(row: Row) -> Known:
    return both("apikey-" in row.cells["user"].lower(), row.password_or_key())


def initial_setup_access_key(row: Row, slot: int) -> Known:
    use = row.used(slot)
    never = None if use.unknown else use.at is None
    return both(row.password, row.active("access_key", slot), never)


def unrotated_access_key(row: Row, slot: int) -> Known:
    old = row.at_least(row.created("access_key", slot), ROTATION_DAYS + 1)
    return both(row.active("access_key", slot), old)


def idle_access_key(row: Row, slot: int) -> Known:
    idle = row.at_least(row.key_idle_since(slot), IDLE_DAYS)
    return both(row.active("access_key", slot), idle)


def root_without_mfa(row: Row) -> Known:
    assumed = row.cells.get("password_enabled") == "not_supported"
    return both(either(True if assumed else row.password, row.any_key()), no(row.mfa))


def root_used(row: Row) -> Known:
    def lately(use: Moment) -> Known:
        return both(no(row.at_least(use, ROOT_USED_DAYS)), use.unknown or use.at is not None)

    return either(*map(lately, (row.sign_in, row.used(1), row.used(2))))


OF_USERS: dict[str, UserRule] = {
    "idle-password": lambda row: both(
        row.password, row.at_least(row.password_idle_since, IDLE_DAYS)
    ),
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
    "active-signing-certificate": lambda row, slot: row.active("cert", slot),
}
OF_ROOTS: dict[str, UserRule] = {
    "root-access-key": Row.any_key,
    "root-without-mfa": root_without_mfa,
    "root-used": root_used,
    "root-certificate": lambda row: either(*(row.active("cert", slot) for slot in (1, 2))),
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
        if of_root and row.any_key() is False and any(map(row.has_inactive_key, (1, 2))):
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
        rows.setdefault((is_root(row), row["arn"]), Row(row, as_of))
    return list(rows.values())


def verdict(rule: str, row: Row, slot: int, holds: Known) -> Iterator[Verdict]:
    if holds is not False:
        yield Verdict(rule, row.cells["arn"], slot, "fails" if holds else "undecided")
