"""Say in words what happened to passwords, access keys, certificates and MFA devices.

An access key or certificate is known by its creation time. AWS may show it in the other slot of a
later report, which is no change.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import chain
from operator import add
from typing import Final

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.snapshot import (
    CERTIFICATE,
    CHANGED,
    EXPIRES,
    KEY,
    MFA,
    PASSWORD,
    SIGN_IN,
    STATES,
    UNKNOWN,
    slot_column,
)
from analyzer.terms import State

MaskedText = tuple[np.ndarray, *tuple[str | np.ndarray, ...]]
"""To which users something happened, and the parts of the words for it (`joined`)."""

_ABSENT: Final = STATES.index(State.ABSENT)
_INACTIVE: Final = STATES.index(State.INACTIVE)
_ACTIVE: Final = STATES.index(State.ACTIVE)
_UNKNOWN_STATE: Final = STATES.index(State.UNKNOWN)
_CREDENTIAL_NAMES: Final = {KEY: "access key", CERTIFICATE: "signing certificate"}
_COLUMNS_OF_STATE: Final = {
    KEY: [name for key in columns.ACCESS_KEYS for name in (key.active, key.last_rotated)],
    CERTIFICATE: [
        name for each in columns.CERTIFICATES for name in (each.active, each.last_rotated)
    ],
}
_COLUMNS_OF_USE: Final = [key.last_used_date for key in columns.ACCESS_KEYS]
_SEPARATOR: Final = "; "


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialChanges:
    """Hold for each user what happened between two reports.

    `texts` names changes of credentials, `uses` what was used, `unclear` what one report alone
    does not show; all are empty where there is nothing.
    `last_use` is the newest use that either report shows (datetime64[s]). `used` marks a use that
    is newer than all uses before, `first_sign_in` a first sign-in, `first_use` the first use of
    any credential.
    """

    texts: np.ndarray
    uses: np.ndarray
    unclear: np.ndarray
    last_use: np.ndarray
    used: np.ndarray
    first_sign_in: np.ndarray
    first_use: np.ndarray


def credential_changes(before: pd.DataFrame, now: pd.DataFrame) -> CredentialChanges:
    """Return what happened to the credentials of users.

    Both frames have the columns of `Snapshot.users`, and the same users in the same order. A cell
    that is unknown in one report shows no change.
    """
    keys = _slots_of(before, KEY), _slots_of(now, KEY)
    certificates = _slots_of(before, CERTIFICATE), _slots_of(now, CERTIFICATE)
    first_sign_in, again = _sign_ins(before, now)
    use_before, use_now = (last_use(frame) for frame in (before, now))
    certain = ~_has_unknown_use(before)
    used = (use_now > use_before) | np.isnat(use_before) & ~np.isnat(use_now) & certain
    return CredentialChanges(
        texts=event_texts(
            [
                *_password_changes(before, now),
                *_password_renewals(before, now),
                *chain.from_iterable(_slot_changes(KEY, *keys)),
                *chain.from_iterable(_slot_changes(CERTIFICATE, *certificates)),
                *_mfa_changes(before, now),
            ],
            len(now),
        ),
        uses=event_texts(
            [
                (first_sign_in, "first sign-in on ", now[SIGN_IN].to_numpy()),
                (again, "signed in again on ", now[SIGN_IN].to_numpy()),
                *chain.from_iterable(_key_uses(*keys)),
            ],
            len(now),
        ),
        unclear=event_texts(_unclear_events(before, now), len(now)),
        last_use=np.fmax(use_before, use_now),
        used=used,
        first_sign_in=first_sign_in,
        first_use=used & np.isnat(use_before),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FactChange:
    """Hold in words, for each user, what happened to one thing that rules read.

    `columns` are the report's columns that show it. `restarts` marks what starts a count of days
    anew, `unclear` what one report alone does not show. Of the credential in a slot, `created`
    has the moments of creation before and now (datetime64[s]).
    """

    columns: frozenset[str]
    texts: np.ndarray
    restarts: bool = False
    unclear: bool = False
    created: tuple[np.ndarray, np.ndarray] | None = None


def fact_changes(before: pd.DataFrame, now: pd.DataFrame) -> Iterator[FactChange]:
    """Yield what happened to users or roots, each thing apart.

    Both frames have the columns of `Snapshot.roots`, and the same users in the same order.
    """

    def texts(events: Iterable[MaskedText]) -> np.ndarray:
        return event_texts(events, len(now))

    changed = frozenset({columns.PASSWORD_LAST_CHANGED, columns.PASSWORD_NEXT_ROTATION})
    for names, events, restarts in (
        ({columns.PASSWORD_LAST_USED}, _sign_in_events(before, now), True),
        (changed, _password_renewals(before, now), True),
        ({columns.PASSWORD_NEXT_ROTATION}, _expiry_changes(before, now), True),
        ({columns.PASSWORD_ENABLED}, _password_changes(before, now), False),
        ({columns.MFA_ACTIVE}, _mfa_changes(before, now), False),
    ):
        yield FactChange(columns=frozenset(names), texts=texts(events), restarts=restarts)
    for kind in _CREDENTIAL_NAMES:
        yield from _slot_fact_changes(kind, _slots_of(before, kind), _slots_of(now, kind))
    for of_thing, where in _unclear_facts(before, now):
        yield FactChange(columns=frozenset(of_thing), texts=texts(where), unclear=True)


def _slot_fact_changes(kind: str, before: "_Slots", now: "_Slots") -> Iterator[FactChange]:
    """Yield what happened to the credential in each slot, then of access keys its uses."""
    matched = _reordered_slots(before, now)
    every: list[tuple[Sequence[str], list[list[MaskedText]], bool]] = [
        (_COLUMNS_OF_STATE[kind], _slot_changes(kind, before, now), False)
    ]
    if kind == KEY:
        every.append((_COLUMNS_OF_USE, _key_uses(before, now), True))
    for names, slots, restarts in every:
        for at, events in enumerate(slots):
            yield FactChange(
                columns=frozenset(names),
                texts=event_texts(events, len(matched.state[at])),
                restarts=restarts,
                created=(before.created[at], matched.created[at]),
            )


def _unclear_events(before: pd.DataFrame, now: pd.DataFrame) -> Iterator[MaskedText]:
    """Yield what was understood in one report only: whether it changed is not known."""
    for _, events in _unclear_facts(before, now):
        yield from events


def _unclear_facts(
    before: pd.DataFrame, now: pd.DataFrame
) -> Iterator[tuple[Sequence[str], list[MaskedText]]]:
    """Yield the report's columns of each thing, and where one report alone does not show it."""
    for (name, names, was), (_, _, has) in zip(
        _unknown_facts(before), _unknown_facts(now), strict=True
    ):
        contradicted = _contradicted(before, names), _contradicted(now, names)
        yield (
            names,
            [
                *_one_sided_events(name, "before", was & ~has, contradicted[0]),
                *_one_sided_events(name, "now", has & ~was, contradicted[1]),
            ],
        )


def _one_sided_events(
    name: str, side: str, where: np.ndarray, contradicted: np.ndarray
) -> Iterator[MaskedText]:
    yield where & ~contradicted, f"{name} not understood {side}"
    yield where & contradicted, f"rows contradict each other {side}: {name}"


def _contradicted(users: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """Return for which users the rows of the ARN differ in one of the columns."""
    differing = users[columns.CONTRADICTED]
    mask = np.zeros(len(users), bool)
    for at in np.flatnonzero(differing != ""):
        mask[at] = not set(names).isdisjoint(differing.iloc[at].split(", "))
    return mask


def _unknown_facts(users: pd.DataFrame) -> Iterator[tuple[str, Sequence[str], np.ndarray]]:
    """Yield the name of each thing, the report's columns of it, and where it is unknown."""
    yield "password", [columns.PASSWORD_ENABLED], (users[PASSWORD] == -1).to_numpy()
    sign_in = users[f"{SIGN_IN}{UNKNOWN}"].to_numpy()
    yield "last sign-in", [columns.PASSWORD_LAST_USED], sign_in
    for kind, name in _CREDENTIAL_NAMES.items():
        unread = (_slots_of(users, kind).state == _UNKNOWN_STATE).any(axis=0)
        yield f"{name}s", _COLUMNS_OF_STATE[kind], unread
    yield "MFA device", [columns.MFA_ACTIVE], (users[MFA] == -1).to_numpy()


def event_texts(events: Iterable[MaskedText], count: int) -> np.ndarray:
    """Return the words for the events of each user, empty where there is none.

    A part of an event's words is the same for all users, or an array of a text or a moment
    (datetime64[s], of which the day is named) for each.
    """
    words = np.full(count, "", object)
    for mask, *parts in events:
        at = np.flatnonzero(mask)
        if len(at):
            text = reduce(
                add, (each if isinstance(each, str) else _part_texts(each[at]) for each in parts)
            )
            words[at] = np.where(words[at] == "", text, words[at] + _SEPARATOR + text)
    return words


def _part_texts(part: np.ndarray) -> np.ndarray:
    return part if part.dtype == object else day_texts(part)


def day_texts(moments: np.ndarray) -> np.ndarray:
    """Return the days of moments (datetime64[s]) as text."""
    return np.datetime_as_string(moments, unit="D").astype(object)


# Password, sign-in, MFA


def _password_changes(before: pd.DataFrame, now: pd.DataFrame) -> Iterator[MaskedText]:
    was, has = before[PASSWORD].to_numpy(), now[PASSWORD].to_numpy()
    changed = now[CHANGED].to_numpy()
    dated = ~np.isnat(changed)
    is_set = (was == 0) & (has == 1)
    yield is_set & dated, "password set on ", changed
    yield is_set & ~dated, "password set"
    yield (was == 1) & (has == 0), "password removed"


def _password_renewals(before: pd.DataFrame, now: pd.DataFrame) -> Iterator[MaskedText]:
    yield _is_renewed(before, now), "password changed on ", now[CHANGED].to_numpy()


def _is_renewed(before: pd.DataFrame, now: pd.DataFrame) -> np.ndarray:
    both = (before[PASSWORD] == 1) & (now[PASSWORD] == 1)
    unknown = before[f"{CHANGED}{UNKNOWN}"] | now[f"{CHANGED}{UNKNOWN}"]
    changed = now[CHANGED].notna() & (now[CHANGED] != before[CHANGED])
    return (both & ~unknown & changed).to_numpy()


def _expiry_changes(before: pd.DataFrame, now: pd.DataFrame) -> Iterator[MaskedText]:
    """Yield where the password expires at another time, though it was not changed."""
    was, has = before[EXPIRES].to_numpy(), now[EXPIRES].to_numpy()
    unknown = before[f"{EXPIRES}{UNKNOWN}"] | now[f"{EXPIRES}{UNKNOWN}"]
    kept = (before[PASSWORD] == 1) & (now[PASSWORD] == 1) & ~unknown
    kept = kept.to_numpy() & ~_is_renewed(before, now)
    until = ~np.isnat(has)
    yield kept & until & (was != has), "password expires on ", has, " by the password policy now"
    yield kept & ~until & ~np.isnat(was), "password no longer expires"


def _sign_ins(before: pd.DataFrame, now: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return which users signed in for the first time, and which again."""
    earlier, newest = before[SIGN_IN].to_numpy(), now[SIGN_IN].to_numpy()
    never = np.isnat(earlier) & ~before[f"{SIGN_IN}{UNKNOWN}"].to_numpy()
    return never & ~np.isnat(newest), newest > earlier


def _sign_in_events(before: pd.DataFrame, now: pd.DataFrame) -> Iterator[MaskedText]:
    first, again = _sign_ins(before, now)
    earlier, newest = before[SIGN_IN].to_numpy(), now[SIGN_IN].to_numpy()
    lost = ~np.isnat(earlier) & np.isnat(newest) & ~now[f"{SIGN_IN}{UNKNOWN}"].to_numpy()
    yield first, "first sign-in on ", newest
    yield again, "signed in again on ", newest
    yield lost, "last sign-in of ", earlier, " no longer in the report"


def _mfa_changes(before: pd.DataFrame, now: pd.DataFrame) -> Iterator[MaskedText]:
    was, has = before[MFA].to_numpy(), now[MFA].to_numpy()
    yield (was == 0) & (has == 1), "MFA device registered"
    yield (was == 1) & (has == 0), "MFA device removed"


# What lies in slots


@dataclass(frozen=True, slots=True)
class _Slots:
    """Hold what lies in the slots of users: a row for each slot, a column a user."""

    state: np.ndarray
    created: np.ndarray
    used: np.ndarray
    use_unknown: np.ndarray

    @property
    def present(self) -> np.ndarray:
        """Tell where there is a credential."""
        return np.asarray((self.state == _INACTIVE) | (self.state == _ACTIVE))

    def swapped(self, where: np.ndarray) -> "_Slots":
        """Return the slots, swapped for the users where the mask holds."""
        fields = (self.state, self.created, self.used, self.use_unknown)
        return _Slots(*(np.where(where, values[::-1], values) for values in fields))


def _slots_of(users: pd.DataFrame, kind: str) -> _Slots:
    def row_per_slot(name: str) -> np.ndarray:
        return np.vstack([users[slot_column(kind, slot, name)] for slot in columns.SLOTS])

    state = row_per_slot(columns.STATE)
    created = row_per_slot(columns.CREATED)
    if kind == CERTIFICATE:
        return _Slots(state, created, np.full_like(created, "NaT"), np.zeros(state.shape, bool))
    used = row_per_slot(columns.LAST_USED)
    return _Slots(state, created, used, row_per_slot(columns.LAST_USED + UNKNOWN))


def _reordered_slots(before: _Slots, now: _Slots) -> _Slots:
    """Return the slots of now in the order of those before: each credential beside itself.

    Where two were created in the same second, the order with fewer changes is the right one.
    """
    straight = _match_score(before, now, 0, 0) + _match_score(before, now, 1, 1)
    crossed = _match_score(before, now, 0, 1) + _match_score(before, now, 1, 0)
    return now.swapped(crossed > straight)


def _match_score(before: _Slots, now: _Slots, one: int, other: int) -> np.ndarray:
    """Return how much speaks for one credential in two slots; creation outweighs all else."""
    both = before.present[one] & now.present[other]
    same = both & (before.created[one] == now.created[other])
    state = before.state[one] == now.state[other]
    used, used_later = before.used[one], now.used[other]
    goes_on = np.isnat(used) | (used_later >= used)
    return np.asarray(same * (8 + 4 * state + 2 * goes_on) + both * 1)


def _slot_changes(kind: str, before: _Slots, now: _Slots) -> list[list[MaskedText]]:
    """Return what happened in each slot of those before."""
    matched = _reordered_slots(before, now)
    return [
        list(_changes_in_slot(_CREDENTIAL_NAMES[kind], before, matched, at))
        for at in range(len(columns.SLOTS))
    ]


def _changes_in_slot(name: str, before: _Slots, now: _Slots, at: int) -> Iterator[MaskedText]:
    known = _have_known_states(before, now)
    was, has = before.present[at] & known, now.present[at] & known
    same = was & has & (before.created[at] == now.created[at])
    old, new = before.created[at], now.created[at]
    later, earlier = now.state[at], before.state[at]
    yield (
        was & has & ~same,
        f"{name} of ",
        old,
        " rotated: new one created on ",
        new,
    )
    yield has & ~was, f"{name} created on ", new
    yield was & ~has, f"{name} of ", old, " deleted"
    yield same & (earlier > later), f"{name} of ", old, " deactivated"
    yield same & (earlier < later), f"{name} of ", old, " reactivated"


def _key_uses(before: _Slots, now: _Slots) -> list[list[MaskedText]]:
    """Return what was used in each slot of those before."""
    matched = _reordered_slots(before, now)
    return [list(_uses_in_slot(before, matched, at)) for at in range(len(columns.SLOTS))]


def _uses_in_slot(before: _Slots, now: _Slots, at: int) -> Iterator[MaskedText]:
    known = _have_known_states(before, now)
    present = now.present[at] & known
    same = present & before.present[at] & (before.created[at] == now.created[at])
    used, earlier = now.used[at], before.used[at]
    never = ~same | np.isnat(earlier) & ~before.use_unknown[at]
    key = "access key of ", now.created[at]
    yield present & never & ~np.isnat(used), *key, " first used on ", used
    yield same & (used > earlier), *key, " used again on ", used


def _have_known_states(*slots: _Slots) -> np.ndarray:
    """Tell for which users what lies in all slots is known."""
    return np.asarray(
        ~np.any([(each.state == _UNKNOWN_STATE).any(axis=0) for each in slots], axis=0)
    )


def last_use(users: pd.DataFrame) -> np.ndarray:
    """Return the newest use of any credential (datetime64[s]), NaT where there is none."""
    keys = _slots_of(users, KEY)
    return np.asarray(np.fmax.reduce([users[SIGN_IN].to_numpy(), *keys.used]))


def _has_unknown_use(users: pd.DataFrame) -> np.ndarray:
    sign_in = users[f"{SIGN_IN}{UNKNOWN}"].to_numpy()
    return np.asarray(sign_in | _slots_of(users, KEY).use_unknown.any(axis=0))
