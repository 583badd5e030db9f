"""Say what a page tells, and what of it cannot be told; each thing is worked out once.

A cell is unknown if it was not understood, or if another row of the same ARN differs in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.ages import days_between
from analyzer.columns import AccessKeyColumns, CertificateColumns
from analyzer.model import Page
from analyzer.rules.truth import Elapsed, Truth
from analyzer.terms import State

UNTOLD: Final = "not_supported"
"""What reports before 2025 say of the root's password: nothing (IAM User Guide)."""

_STATES: Final = list(State)


@dataclass(frozen=True)
class Evidence:
    """Hold a page in the terms that rules speak in: three-valued masks and whole days.

    What speaks of access keys or certificates has one value a slot, in the order of `Page.keys`;
    all else has one a user.
    """

    page: Page

    def unknown(self, *names: str) -> np.ndarray:
        """Tell which users have an unknown cell in these columns."""
        mask = np.zeros(len(self.page), bool)
        for name in names:
            mask[self._unread.get(name, [])] = True
            mask[self._contradicted.get(name, [])] = True
        return mask

    def unknown_in_slots(self, named: Sequence[Any], *names: str) -> np.ndarray:
        """Tell which slots have an unknown cell in these of their columns."""
        return np.concatenate(
            [self.unknown(*(getattr(slot, name) for name in names)) for slot in named]
        )

    @cached_property
    def _unread(self) -> dict[str, np.ndarray]:
        unread = self.page.unread
        position = unread[columns.POSITION].to_numpy()
        by_column = unread.groupby(columns.COLUMN).indices
        return {str(name): position[where] for name, where in by_column.items()}

    @cached_property
    def _contradicted(self) -> dict[str, list[int]]:
        told = self.page.users[columns.CONTRADICTED]
        found: dict[str, list[int]] = {}
        for position, names in told[told != ""].items():
            for name in names.split(", "):
                found.setdefault(name, []).append(int(str(position)))
        return found

    # The user

    @cached_property
    def password(self) -> Truth:
        """Tell who has a password that is enabled."""
        enabled = self.page.users[columns.PASSWORD_ENABLED].to_numpy()
        return Truth.known(enabled, self.unknown(columns.PASSWORD_ENABLED))

    @cached_property
    def password_untold(self) -> np.ndarray:
        """Tell of whom the report says `not_supported` instead of whether there is a password."""
        unread = self.page.unread
        here = (unread[columns.COLUMN] == columns.PASSWORD_ENABLED) & (
            unread[columns.VALUE] == UNTOLD
        )
        mask = np.zeros(len(self.page), bool)
        mask[unread.loc[here, columns.POSITION]] = True
        return mask & ~self._contradicted_in(columns.PASSWORD_ENABLED)

    @cached_property
    def mfa(self) -> Truth:
        """Tell who has an MFA device."""
        active = self.page.users[columns.MFA_ACTIVE].to_numpy()
        return Truth.known(active, self.unknown(columns.MFA_ACTIVE))

    @cached_property
    def created(self) -> np.ndarray:
        """Return when the users were created (datetime64[s])."""
        return _moments(self.page.users[columns.CREATED])

    @cached_property
    def sign_in(self) -> Elapsed:
        """Count from the last sign-in with the password; there is none if it was never used."""
        signed_in = _moments(self.page.users[columns.PASSWORD_LAST_USED])
        return self._elapsed(signed_in, self.unknown(columns.PASSWORD_LAST_USED))

    @cached_property
    def password_idle(self) -> Elapsed:
        """Count from the last use of the password, else its last change, else the user's creation."""
        used = self.sign_in
        changed = _moments(self.page.users[columns.PASSWORD_LAST_CHANGED])
        unchanged = np.isnat(changed)
        unknown = used.unknown | ~used.there & (
            self.unknown(columns.PASSWORD_LAST_CHANGED)
            | unchanged & self.unknown(columns.USER_CREATION_TIME)
        )
        since = np.where(unchanged, self.created, changed)
        return self._elapsed(np.where(used.there, used.moment, since), unknown)

    @cached_property
    def password_expiry(self) -> Elapsed:
        """Count from when the password expired; there is no moment if passwords do not expire."""
        expires = _moments(self.page.users[columns.PASSWORD_NEXT_ROTATION])
        return self._elapsed(expires, self.unknown(columns.PASSWORD_NEXT_ROTATION))

    @cached_property
    def expired(self) -> Truth:
        """Tell whose password, if any, expired before as-of."""
        expiry = self.password_expiry
        return Truth.known(expiry.moment < self._as_of, expiry.unknown)

    # The slots

    @cached_property
    def key_active(self) -> Truth:
        """Tell which access keys are active."""
        return self._active(self.page.keys, columns.ACCESS_KEYS)

    @cached_property
    def key_inactive(self) -> np.ndarray:
        """Tell which slots are known to hold an inactive access key."""
        inactive = _codes(self.page.keys) == _STATES.index(State.INACTIVE)
        return inactive & ~self.unknown_in_slots(columns.ACCESS_KEYS, "active", "last_rotated")

    @cached_property
    def certificate_active(self) -> Truth:
        """Tell which signing certificates are active."""
        return self._active(self.page.certificates, columns.CERTIFICATES)

    @cached_property
    def key_age(self) -> Elapsed:
        """Count from the creation of the access keys."""
        created = _moments(self.page.keys[columns.CREATED])
        unknown = self.unknown_in_slots(columns.ACCESS_KEYS, "last_rotated")
        return self._elapsed(created, unknown)

    @cached_property
    def key_use(self) -> Elapsed:
        """Count from the last use of the access keys; there is none if they were never used."""
        used = _moments(self.page.keys[columns.LAST_USED])
        return self._elapsed(used, self.unknown_in_slots(columns.ACCESS_KEYS, "last_used_date"))

    @cached_property
    def key_idle(self) -> Elapsed:
        """Count from the last use of the access keys, else from their creation."""
        used, age = self.key_use, self.key_age
        unknown = used.unknown | ~used.there & (age.unknown | ~age.there)
        return self._elapsed(np.where(used.there, used.moment, age.moment), unknown)

    @cached_property
    def certificate_age(self) -> Elapsed:
        """Count from the creation of the signing certificates."""
        created = _moments(self.page.certificates[columns.CREATED])
        unknown = self.unknown_in_slots(columns.CERTIFICATES, "last_rotated")
        return self._elapsed(created, unknown)

    @cached_property
    def _as_of(self) -> np.ndarray:
        return _moments(self.page.users[columns.AS_OF])

    def _contradicted_in(self, name: str) -> np.ndarray:
        mask = np.zeros(len(self.page), bool)
        mask[self._contradicted.get(name, [])] = True
        return mask

    def _elapsed(self, moment: np.ndarray, unknown: np.ndarray) -> Elapsed:
        moment = np.where(unknown, np.datetime64("NaT"), moment)
        as_of = np.tile(self._as_of, len(moment) // max(len(self._as_of), 1))
        days, _ = days_between(pd.Series(moment, copy=False), pd.Series(as_of, copy=False))
        return Elapsed(moment, days, unknown)

    def _active(
        self, slots: pd.DataFrame, named: Sequence[AccessKeyColumns | CertificateColumns]
    ) -> Truth:
        """Tell which slots are active: by their state, failing that by the one cell that says so."""
        code = _codes(slots)
        unknown = self.unknown_in_slots(named, "active")
        active = code == _STATES.index(State.ACTIVE)
        odd = np.flatnonzero((code == _STATES.index(State.UNKNOWN)) & ~unknown)
        for slot, position in zip(*np.divmod(odd, max(len(self.page), 1)), strict=True):
            cells = self.page.cells[named[slot].active]
            active[slot * len(self.page) + position] = cells.iloc[position] == "true"
        return Truth.known(active, unknown)


def _codes(slots: pd.DataFrame) -> np.ndarray:
    return slots[columns.STATE].cat.codes.to_numpy()


def _moments(moments: pd.Series) -> np.ndarray:
    return moments.to_numpy("datetime64[s]")
