"""Walk from each report of an account to the next, and find the users that differ.

A user is an ARN with a creation time. Arrays hold the rows of all reports; only those of users that
changed become values (`UserState`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from itertools import chain
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from analyzer import columns
from analyzer.changes.events import (
    CERTIFICATE_COLUMNS,
    KEY_COLUMNS,
    KEY_USE_COLUMNS,
    USE_COLUMNS,
    Credential,
    UserState,
)
from analyzer.columns import AccessKeyColumns, CertificateColumns
from analyzer.report.model import NO_MOMENT
from analyzer.report.users import Users
from analyzer.report.values import texts
from analyzer.terms import SlotState, Verdict, code_of

_UNKNOWN: Final = "unknown"
_FLAGS: Final = (columns.PASSWORD_ENABLED, columns.MFA_ACTIVE)
_TEXTS: Final = (
    columns.ACCOUNT,
    columns.USER,
    columns.ARN,
    columns.REASON,
    columns.EXEMPTION,
)
_LAST_KEY_USE: Final = "last_key_use"
_SAME_IN_STATE: Final = _TEXTS + (
    columns.PASSWORD_LAST_USED,
    columns.PASSWORD_LAST_CHANGED,
    columns.PASSWORD_NEXT_ROTATION,
    columns.LAST_USE,
    _LAST_KEY_USE,
)
_BIT_OF: Final = {name: at for at, name in enumerate(columns.IN_REPORT)}
_ABSENT, _ACTIVE = code_of(SlotState.ABSENT), code_of(SlotState.ACTIVE)
_SECONDS_BITS: Final = 32  # the bits that hold a moment of a report (`values.YEARS`)


class Steps(NamedTuple):
    """Hold the rows of users in a report and in the next, as positions, -1 without the user.

    `report` is the number of the later report. A user is `renamed`, perhaps, if only one of the
    reports has it, and only the other has another user of its second.
    """

    before: np.ndarray
    now: np.ndarray
    report: np.ndarray
    renamed: np.ndarray

    def where(self, mask: np.ndarray) -> "Steps":
        """Return the steps where a mask holds."""
        return Steps(*(values[mask] for values in self))

    def parts(self, size: int) -> Iterator["Steps"]:
        """Yield the steps in parts, whose values take little memory."""
        for start in range(0, len(self.now), size):
            yield Steps(*(values[start : start + size] for values in self))


@dataclass(frozen=True)
class Walk:
    """Hold judged pages with all rows of some accounts, and the number of each row's report.

    The reports of an account have consecutive numbers in the order of time; -1 does not count.
    Pages without verdicts hold roots. With `as_shown`, a creation that a row does not show stays
    unknown.
    """

    pages: Sequence[Users]
    report: np.ndarray
    as_shown: bool = False

    def values(self, of_page: Callable[[Users], Any]) -> np.ndarray:
        """Return a value for each row."""
        return np.concatenate([np.asarray(of_page(page)) for page in self.pages])

    @cached_property
    def arn(self) -> np.ndarray:
        """Return a number for each row, the same for equal ARNs (int64)."""
        coded = pa.chunked_array([page.arn for page in self.pages]).dictionary_encode()
        codes = [np.array([], np.int64)]
        codes += [chunk.indices.to_numpy() for chunk in coded.chunks]
        return np.concatenate(codes, dtype=np.int64)

    @cached_property
    def shown(self) -> np.ndarray:
        """Return the creation that a row shows, in seconds (int64), 0 if unknown or of a root."""
        return self.values(_created)

    @cached_property
    def created(self) -> np.ndarray:
        """Return the creation that a row shows, else that of the other rows of its ARN, if one."""
        if self.as_shown:
            return self.shown
        known = np.unique((self.arn << _SECONDS_BITS | self.shown)[self.shown > 0])
        of_arn, seconds = known >> _SECONDS_BITS, known & ((1 << _SECONDS_BITS) - 1)
        only = np.zeros(self.arn.max(initial=0) + 1, np.int64)
        only[of_arn] = seconds
        only[of_arn[1:][np.diff(of_arn) == 0]] = 0
        return np.where(self.shown > 0, self.shown, only[self.arn])

    @cached_property
    def user(self) -> np.ndarray:
        """Return a number for each row, the same for all rows of a user (int64)."""
        identity = self.arn << _SECONDS_BITS | self.created
        return np.unique(identity, return_inverse=True)[1].reshape(-1)

    def steps(self, is_first: np.ndarray) -> Steps:
        """Return all steps; `is_first` are the first reports of accounts, by number."""
        order = np.lexsort((self.report, self.user))
        order = order[self.report[order] >= 0]
        user, report = self.user[order], self.report[order]
        follows = (np.diff(user, prepend=-1) == 0) & (np.diff(report, prepend=-1) == 1)
        new = order[~follows & ~is_first[report]]
        gone = order[~np.append(follows[1:], False) & ~np.append(is_first[1:], True)[report]]
        at = np.flatnonzero(follows)
        before = np.concatenate([order[at - 1], gone, np.full(len(new), -1)])
        now = np.concatenate([order[at], np.full(len(gone), -1), new])
        later = np.where(now < 0, self.report[before] + 1, self.report[now])
        seconds = self.created[np.maximum(before, now)]
        is_gone, is_new = ((rows < 0) & (seconds > 0) for rows in (now, before))
        key = later << _SECONDS_BITS | seconds
        renamed = is_gone & np.isin(key, key[is_new]) | is_new & np.isin(key, key[is_gone])
        return Steps(before, now, later, renamed)

    def differs(
        self, steps: Steps, *, without: Iterable[str] = (), newer: Iterable[str] = ()
    ) -> np.ndarray:
        """Return which steps show a difference; a user that only one report has is one.

        Columns `without` are not compared. In those `newer` no later moment is a difference.
        """
        mask = (steps.before < 0) | (steps.now < 0)
        for name, of_page in _COMPARED.items():
            if name not in without:
                was, has = (self.values(of_page)[rows] for rows in steps[:2])
                mask |= (has < was) | (was < 0) & (has > 0) if name in newer else was != has
        return mask

    def parts(self, at: np.ndarray) -> Iterator[tuple[np.ndarray, Users]]:
        """Yield the rows at some positions, page by page, each with its place in `at`."""
        start = 0
        for page in self.pages:
            here = np.flatnonzero((at >= start) & (at < start + len(page)))
            if len(here):
                yield here, page.take(at[here] - start)
            start += len(page)

    def states(self, at: np.ndarray) -> list[UserState]:
        """Return the states in the rows at some positions, an empty one for -1."""
        states = [UserState()] * len(at)
        for places, users in self.parts(at):
            for place, state in zip(places.tolist(), _states(users), strict=True):
                states[place] = state
        return states


def of_roots(page: Users) -> bool:
    """Return whether a page of an analysis holds roots."""
    return columns.VERDICT not in page.added


# What is compared


def _moments(name: str, page: Users) -> np.ndarray:
    return np.where(page.known[name], page.moments[name], NO_MOMENT)


def seconds_of(name: str, page: Users) -> np.ndarray:
    """Return moments as seconds from 1970 on (int64), negative where there is none."""
    return _moments(name, page).astype(np.int64)


def _created(page: Users) -> np.ndarray:
    return seconds_of(columns.USER_CREATION_TIME, page).clip(0) * (not of_roots(page))


def _slots(page: Users) -> np.ndarray:
    """Return the states of access keys and of certificates, a row for each slot."""
    return np.concatenate([page.key_states, page.certificate_states])


def _unknown(page: Users) -> np.ndarray:
    """Return a bit for each column of the report whose cell is not known (int32)."""
    unknown = {name: ~known for name, known in page.known.items()}
    for name, state in zip(columns.SLOT_FLAGS, _slots(page), strict=True):
        unknown[name] = unknown[name] | (state == code_of(SlotState.UNKNOWN))
    bits = [mask.astype(np.int32) << _BIT_OF[name] for name, mask in unknown.items()]
    return np.asarray(np.bitwise_or.reduce(bits))


def _facts(page: Users) -> np.ndarray:
    """Return the verdict, the password, the MFA device and the slots as one number (int64)."""
    number = np.zeros(len(page), np.int64)
    if not of_roots(page):
        number += page.users[columns.VERDICT].cat.codes.to_numpy()
    for codes in chain((page.flags[name] for name in _FLAGS), _slots(page)):
        number = number * len(Verdict) + codes
    return number


def _exemptions(page: Users) -> np.ndarray:
    """Return a number for the exemption of each row: equal texts have equal hashes (int64)."""
    if of_roots(page):
        return np.zeros(len(page), np.int64)
    reasons = page.added[columns.EXEMPTION]
    hashes = np.array([hash(reason) for reason in reasons.dictionary.to_pylist()])
    return np.asarray(hashes[reasons.indices])


_TIMESTAMPS: Final = {name: partial(seconds_of, name) for name in columns.TIMESTAMPS}
_COMPARED: Final[Mapping[str, Callable[[Users], np.ndarray]]] = _TIMESTAMPS | {
    _UNKNOWN: _unknown,
    columns.VERDICT: _facts,
    columns.EXEMPTION: _exemptions,
}


# From rows to states


def _states(users: Users) -> list[UserState]:
    moments = {name: _moments(name, users) for name in columns.TIMESTAMPS}
    for name, shown_in in ((columns.LAST_USE, USE_COLUMNS), (_LAST_KEY_USE, KEY_USE_COLUMNS)):
        moments[name] = np.fmax.reduce([moments[use] for use in shown_in])
    cells: dict[str, list[Any]] = {name: values.tolist() for name, values in moments.items()}
    text = {**users.text, **users.added, columns.ACCOUNT: users.account}
    for name in (*_TEXTS, columns.VERDICT):
        # Arrow takes 25 times as long for the values of a dictionary.
        cells[name] = texts(text[name]).to_pylist() if name in text else [""] * len(users)
    for name in _FLAGS:
        cells[name] = users.flags[name].tolist()
    for name, codes in zip(columns.SLOT_FLAGS, _slots(users), strict=True):
        cells[name] = codes.tolist()
    cells[_UNKNOWN] = _unknown(users).tolist()
    return [_state(dict(zip(cells, row, strict=True))) for row in zip(*cells.values(), strict=True)]


def _state(cells: Mapping[str, Any]) -> UserState:
    unknown = _unknown_columns(cells[_UNKNOWN])
    keys = tuple(_credential(cells, key) for key in columns.ACCESS_KEYS)
    certificates = tuple(_credential(cells, certificate) for certificate in columns.CERTIFICATES)
    return UserState(
        **{name: cells[name] for name in _SAME_IN_STATE},
        verdict=Verdict(cells[columns.VERDICT]) if cells[columns.VERDICT] else None,
        created=cells[columns.USER_CREATION_TIME],
        password=None if columns.PASSWORD_ENABLED in unknown else cells[columns.PASSWORD_ENABLED],
        mfa=None if columns.MFA_ACTIVE in unknown else cells[columns.MFA_ACTIVE],
        keys=keys if unknown.isdisjoint(KEY_COLUMNS) else None,
        certificates=certificates if unknown.isdisjoint(CERTIFICATE_COLUMNS) else None,
        unknown=unknown,
    )


def _credential(
    cells: Mapping[str, Any], names: AccessKeyColumns | CertificateColumns
) -> Credential | None:
    if cells[names.active] == _ABSENT:
        return None
    used = cells[names.last_used_date] if isinstance(names, AccessKeyColumns) else None
    return Credential(cells[names.active] == _ACTIVE, cells[names.last_rotated], used)


@lru_cache(4096)
def _unknown_columns(bits: int) -> frozenset[str]:
    return frozenset(name for name, at in _BIT_OF.items() if bits >> at & 1)
