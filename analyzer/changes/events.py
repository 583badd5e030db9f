"""Say what happened to one user between two reports: events, each with a sentence.

An access key or a signing certificate is known by its creation time: AWS may show it in the other
slot of a later report, which is no event.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import chain
from typing import Final, NamedTuple

from analyzer import columns
from analyzer.terms import POSSIBLY_RENAMED, Verdict

KEY_COLUMNS: Final = frozenset(
    name for key in columns.ACCESS_KEYS for name in (key.active, key.last_rotated)
)
CERTIFICATE_COLUMNS: Final = frozenset(
    name
    for certificate in columns.CERTIFICATES
    for name in (certificate.active, certificate.last_rotated)
)
KEY_USE_COLUMNS: Final = frozenset(key.last_used_date for key in columns.ACCESS_KEYS)
USE_COLUMNS: Final = KEY_USE_COLUMNS | {columns.PASSWORD_LAST_USED}
RENAMED_REMARK: Final = f"; {POSSIBLY_RENAMED}: another user has this creation time"
"""The remark on a user in only one report, if only the other has another user of its second."""

IDLE_VERDICTS: Final = (Verdict.UNUSED, Verdict.RETIRED, Verdict.DORMANT)


@dataclass(frozen=True, slots=True)
class Credential:
    """Hold an access key or a signing certificate; `last_used` is None if no use is known."""

    active: bool
    created: datetime
    last_used: datetime | None = None


Slots = tuple[Credential | None, ...]
Pairs = Sequence[tuple[Credential | None, Credential | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserState:
    """Hold the state of an IAM user or a root user in one report; without the user, `arn` is "".

    Moments are in UTC, None if absent or unknown. `password`, `mfa`, `keys` and `certificates` are
    None if unknown; `verdict` is None for a root user. `last_use` is the newest use of any
    credential, `last_key_use` that of any access key. `unknown` are the report's columns whose cell
    is not understood.
    """

    account: str = ""
    user: str = ""
    arn: str = ""
    verdict: Verdict | None = None
    reason: str = ""
    exemption: str = ""
    created: datetime | None = None
    password: bool | None = False
    password_last_used: datetime | None = None
    password_last_changed: datetime | None = None
    password_next_rotation: datetime | None = None
    mfa: bool | None = False
    keys: Slots | None = (None, None)
    certificates: Slots | None = (None, None)
    last_use: datetime | None = None
    last_key_use: datetime | None = None
    unknown: frozenset[str] = frozenset()


class EventKind(StrEnum):
    """Name what an event is about."""

    CREATED = "created"
    DELETED = "deleted"
    RE_CREATED = "re-created"
    FIRST_SIGN_IN = "first-sign-in"
    SIGN_IN = "sign-in"
    SIGN_IN_LOST = "sign-in-lost"
    PASSWORD = "password"
    PASSWORD_CHANGED = "password-changed"
    PASSWORD_EXPIRY = "password-expiry"
    MFA = "mfa"
    ACCESS_KEY = "access-key"
    KEY_USE = "key-use"
    KEY_USE_LOST = "key-use-lost"
    CERTIFICATE = "certificate"
    NOT_UNDERSTOOD = "not-understood"


_FACTS: Final = {
    "password": {columns.PASSWORD_ENABLED},
    "last sign-in": {columns.PASSWORD_LAST_USED},
    "access keys": KEY_COLUMNS,
    "signing certificates": CERTIFICATE_COLUMNS,
    "MFA device": {columns.MFA_ACTIVE},
}
"""Facts that can be unknown in one report, with the columns that show them."""


class Event(NamedTuple):
    """Hold one event of a user, or a fact that only one of the reports shows."""

    kind: EventKind
    sentence: str


def events(
    before: UserState,
    now: UserState,
    earlier: datetime | None = None,
    *,
    is_possibly_renamed: bool = False,
) -> tuple[Event, ...]:
    """Return what happened to a user or a root user from one report to the next.

    A fact that is unknown in one report gives no event but that. `earlier`, the moment of the
    earlier report, and `is_possibly_renamed` are read for a user that only one report has.
    """
    if before.arn != now.arn:
        return (_presence_event(before, now, earlier, is_possibly_renamed),)
    if now.verdict and before.created and now.created and before.created != now.created:
        days = f"{day_text(now.created)}, the earlier user on {day_text(before.created)}"
        return (Event(EventKind.RE_CREATED, f"created on {days}"),)
    are_keys_known = before.keys is not None and now.keys is not None
    keys = _pairs(before.keys, now.keys)
    certificates = _pairs(before.certificates, now.certificates)
    return tuple(
        chain(
            _sign_ins(before, now),
            _sign_in_settings(before, now),
            _slot_events(EventKind.ACCESS_KEY, "access key", keys),
            _key_uses(before, now, keys) if are_keys_known else _uses_of_any_key(before, now),
            _slot_events(EventKind.CERTIFICATE, "signing certificate", certificates),
            _not_understood(before, now),
        )
    )


def day_text(moment: datetime) -> str:
    """Return the day of a moment: `2026-03-01`."""
    return moment.date().isoformat()


def presence_text(
    created: str, *, is_gone: bool = False, is_new: bool = False, is_possibly_renamed: bool = False
) -> str:
    """Return the sentence on a user in only one report, with the day of its creation.

    `is_new` means that the user was created after the earlier report.
    """
    text = "user created on" if is_new else "not in the earlier report; created on"
    text = "user deleted or renamed; created on" if is_gone else text
    return f"{text} {created}{RENAMED_REMARK if is_possibly_renamed else ''}"


def renamed_count_text(number: int) -> str:
    """Return the remark that a number of users are possibly renamed, empty for none."""
    return f" ({POSSIBLY_RENAMED}: {number:,})" if number else ""


def _presence_event(
    before: UserState,
    now: UserState,
    earlier: datetime | None,
    is_possibly_renamed: bool,  # noqa: FBT001  as `events` has it
) -> Event:
    is_gone = bool(before.arn)
    user, other = (before, "later") if is_gone else (now, "earlier")
    if not user.verdict:
        sentence = f"no root row in the {other} report"
    elif not user.created:
        sentence = f"not in the {other} report"
    else:
        sentence = presence_text(
            day_text(user.created),
            is_gone=is_gone,
            is_new=earlier is None or user.created >= earlier,
            is_possibly_renamed=is_possibly_renamed,
        )
    return Event(EventKind.DELETED if is_gone else EventKind.CREATED, sentence)


def _sign_ins(before: UserState, now: UserState) -> Iterator[Event]:
    earlier, newest = before.password_last_used, now.password_last_used
    if earlier and newest and newest > earlier:
        yield Event(EventKind.SIGN_IN, f"signed in again on {day_text(newest)}")
    elif newest and not earlier and columns.PASSWORD_LAST_USED not in before.unknown:
        yield Event(EventKind.FIRST_SIGN_IN, f"first sign-in on {day_text(newest)}")
    elif earlier and newest != earlier and columns.PASSWORD_LAST_USED not in now.unknown:
        yield Event(EventKind.SIGN_IN_LOST, _lost_use("last sign-in", earlier, newest))


def _lost_use(name: str, earlier: datetime, newest: datetime | None) -> str:
    if newest:
        times = f"{earlier:%Y-%m-%d %H:%M:%S} to {newest:%Y-%m-%d %H:%M:%S}"
        return f"{name} went back from {times} UTC"
    return f"{name} of {day_text(earlier)} no longer in the report"


def _sign_in_settings(before: UserState, now: UserState) -> Iterator[Event]:
    """Yield the events of the password and of the MFA device."""
    changed, expires = now.password_last_changed, now.password_next_rotation
    unknown = before.unknown | now.unknown
    is_known = columns.PASSWORD_LAST_CHANGED not in unknown
    is_policy_known = columns.PASSWORD_NEXT_ROTATION not in unknown
    match before.password, now.password:
        case False, True:
            on = f" on {day_text(changed)}" if changed else ""
            yield Event(EventKind.PASSWORD, f"password set{on}")
        case True, False:
            yield Event(EventKind.PASSWORD, "password removed")
        case True, True if changed and is_known and changed != before.password_last_changed:
            yield Event(EventKind.PASSWORD_CHANGED, f"password changed on {day_text(changed)}")
        case True, True if is_policy_known and expires != before.password_next_rotation:
            on = f"expires on {day_text(expires)} by the password policy now" if expires else ""
            yield Event(EventKind.PASSWORD_EXPIRY, f"password {on or 'no longer expires'}")
    if None not in (before.mfa, now.mfa) and before.mfa != now.mfa:
        yield Event(EventKind.MFA, f"MFA device {'registered' if now.mfa else 'removed'}")


def _not_understood(before: UserState, now: UserState) -> Iterator[Event]:
    for name, shown_in in _FACTS.items() if before.unknown != now.unknown else ():
        was, is_now = (not shown_in.isdisjoint(state.unknown) for state in (before, now))
        if was != is_now:
            sentence = f"{name} not understood {'before' if was else 'now'}"
            yield Event(EventKind.NOT_UNDERSTOOD, sentence)


# Credentials in slots


def _pairs(before: Slots | None, now: Slots | None) -> Pairs:
    """Return pairs of an earlier credential and the same one now; none if a report's are unknown.

    If two were created in the same second, the order with fewer changes counts.
    """
    if before is None or now is None:
        return ()
    orders = (tuple(zip(before, order, strict=True)) for order in (now, now[::-1]))
    return max(orders, key=lambda pairs: sum(_likeness(*pair) for pair in pairs))


def _likeness(was: Credential | None, has: Credential | None) -> int:
    """Return how alike two credentials are; the creation time outweighs all else."""
    if not was or not has or was.created != has.created:
        return int(bool(was and has))
    goes_on = not was.last_used or bool(has.last_used and has.last_used >= was.last_used)
    return 9 + 4 * (was.active == has.active) + 2 * goes_on


def _slot_events(kind: EventKind, name: str, pairs: Pairs) -> Iterator[Event]:
    """Yield the events of credentials that are new, gone, rotated or in another state."""
    for was, has in pairs:
        earlier = f"{name} of {day_text(was.created)}" if was else ""
        match was, has:
            case None, Credential():
                sentence = f"{name} created on {day_text(has.created)}"
            case Credential(), None:
                sentence = f"{earlier} deleted"
            case Credential(created=created), Credential() if has.created != created:
                sentence = f"{earlier} rotated: new one created on {day_text(has.created)}"
            case Credential(active=active), Credential() if has.active != active:
                sentence = f"{earlier} {'reactivated' if has.active else 'deactivated'}"
            case _:
                continue
        yield Event(kind, sentence)


def _key_uses(before: UserState, now: UserState, pairs: Pairs) -> Iterator[Event]:
    for names, (was, has) in zip(columns.ACCESS_KEYS, pairs, strict=False):
        if not has:
            continue
        same = was if was and was.created == has.created else None
        earlier, newest = same and same.last_used, has.last_used
        key = f"access key of {day_text(has.created)}"
        if earlier and newest and newest > earlier:
            yield Event(EventKind.KEY_USE, f"{key} used again on {day_text(newest)}")
        elif newest and not earlier and not (same and names.last_used_date in before.unknown):
            yield Event(EventKind.KEY_USE, f"{key} first used on {day_text(newest)}")
        elif earlier and newest != earlier and now.unknown.isdisjoint(KEY_USE_COLUMNS):
            yield Event(EventKind.KEY_USE_LOST, _lost_use(f"{key}: last use", earlier, newest))


def _uses_of_any_key(before: UserState, now: UserState) -> Iterator[Event]:
    """Yield the use of a key that may be any of the user's: not all of them are understood."""
    earlier, newest = before.last_key_use, now.last_key_use
    if newest and KEY_USE_COLUMNS.isdisjoint(before.unknown) and (not earlier or newest > earlier):
        used = "used" if earlier else "first used"
        yield Event(EventKind.KEY_USE, f"an access key {used} on {day_text(newest)}")
