"""Read a page as facts with three values, yes, no and unknown, and days elapsed.

Verdict, caveats and rules decide from these facts alone. A cell that was not understood is unknown.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import pyarrow.compute as pc

from analyzer import columns
from analyzer.columns import AccessKeyColumns, CertificateColumns
from analyzer.report.model import NO_MOMENT
from analyzer.report.users import Users
from analyzer.report.values import is_one_of, texts
from analyzer.terms import (
    LONGEST_SHOWN,
    NO_VALUE,
    NOT_SUPPORTED,
    ROOT_USER,
    AsOfSource,
    SlotState,
    Verdict,
    code_of,
)
from analyzer.verdicts.truth import Elapsed, Truth

SlotColumns = Sequence[AccessKeyColumns | CertificateColumns]

_DAY_SECONDS: Final = 86_400

SERVICE_KEY_NAME: Final = "APIKey-"
"""Part of the name, in any case, that AWS gives to a user made for one service API key.

IAM User Guide, "API keys for AWS services": `BedrockAPIKey-…`, `AeaApiKey-…` (Claude Platform on
AWS), `CloudWatchAPIKey-…`.
"""

_SENTENCE_ORDER: Final = (
    *(columns.USER, columns.ARN, *columns.TIMESTAMPS[:4]),
    *(columns.PASSWORD_ENABLED, columns.MFA_ACTIVE),
    *(
        name
        for key in columns.ACCESS_KEYS
        for name in (key.active, key.last_rotated, key.last_used_date)
    ),
    *(name for certificate in columns.CERTIFICATES for name in certificate),
)

_SLOT_OF: Final[Mapping[str, Any]] = {
    name: slot for slot in (*columns.ACCESS_KEYS, *columns.CERTIFICATES) for name in slot
}


@dataclass(frozen=True)
class Facts:
    """Hold users in the terms of the rules: three-valued masks and whole days.

    Facts on access keys or certificates have a row for each slot; all have one value a user.
    """

    page: Users

    # Cells

    def unknown_cell_sentence(self, position: int, column: str, value: object) -> str:
        """Return what is wrong with a user's cell; it has no value if the column is missing."""
        if not isinstance(value, str):
            return f"{column} is not in this report"
        problem = self.unread_cell_problem(position, column, value)
        return f'{column} "{value[:LONGEST_SHOWN]}" {problem}'

    def unread_cell_problem(self, position: int, column: str, value: str) -> str:
        """Return why a cell was not read: the cells that it contradicts, if its form is right.

        AWS itself writes `not_supported` for the password of a root.
        """
        if (column, value) == (columns.PASSWORD_ENABLED, NOT_SUPPORTED):
            is_root = self.page.text[columns.USER][position].as_py() == ROOT_USER
            return "is not reported" if is_root else "is not understood"
        if (slot := _SLOT_OF.get(column)) is None:
            return "is not understood"
        cells = {name: self.page.text[name][position].as_py() for name in slot}
        others = _contradicting_cells(slot, column, value, cells)
        named = [f'{name} "{cell[:LONGEST_SHOWN]}"' for name, cell in others.items()]
        return f"contradicts {' and '.join(named)}" if named else "is not understood"

    def _unknown_in(self, slots: SlotColumns, name: str) -> np.ndarray:
        return np.stack([~self.page.known[getattr(slot, name)] for slot in slots])

    # Users

    def verdict(self, word: Verdict) -> Truth:
        """Return which users have a verdict; of undetermined users it is unknown."""
        verdict = self.page.added[columns.VERDICT]
        undetermined = is_one_of([Verdict.UNDETERMINED], verdict)
        return Truth.unless_unknown(is_one_of([word], verdict), undetermined)

    @cached_property
    def password(self) -> Truth:
        """Return which users have an enabled password."""
        return self._flag(columns.PASSWORD_ENABLED)

    @cached_property
    def password_unreported(self) -> np.ndarray:
        """Return for which roots the report does not say if there is a password."""
        positions, cells = self.page.unread_cells(columns.PASSWORD_ENABLED)
        mask = np.zeros(len(self.page), bool)
        mask[positions] = [cell == NOT_SUPPORTED for cell in cells]
        return mask

    @cached_property
    def mfa(self) -> Truth:
        """Return which users have an MFA device."""
        return self._flag(columns.MFA_ACTIVE)

    @cached_property
    def age(self) -> Elapsed:
        """Count from the users' creation."""
        return self._since(columns.USER_CREATION_TIME)

    @cached_property
    def sign_in(self) -> Elapsed:
        """Count from the last sign-in with the password; there is none if it was never used."""
        return self._since(columns.PASSWORD_LAST_USED)

    @cached_property
    def password_change(self) -> Elapsed:
        """Count from the last change of the password, else from the user's creation."""
        changed = self.page.moments[columns.PASSWORD_LAST_CHANGED]
        never = self.password_never_changed
        unknown = ~self.page.known[columns.PASSWORD_LAST_CHANGED] | never & self.age.unknown
        return self._elapsed(np.where(never, self.age.moment, changed), unknown)

    @property
    def password_never_changed(self) -> np.ndarray:
        """Return for which users the report has no date of a change of the password."""
        return np.asarray(np.isnat(self.page.moments[columns.PASSWORD_LAST_CHANGED]))

    @cached_property
    def password_idle(self) -> Elapsed:
        """Count from the last use of the password, else from its last change."""
        return _first_else_second(self.sign_in, self.password_change)

    @cached_property
    def password_expiry(self) -> Elapsed:
        """Count from the expiry of the password, past or future; none if it never expires."""
        return self._since(columns.PASSWORD_NEXT_ROTATION)

    @cached_property
    def service_key_name(self) -> np.ndarray:
        """Return which users have a name such as AWS gives to users made for a service API key."""
        names = texts(self.page.text[columns.USER])
        return np.asarray(pc.match_substring(names, SERVICE_KEY_NAME, ignore_case=True))

    @cached_property
    def service_credential(self) -> np.ndarray:
        """Return which users have an active service-specific credential, by AWS's saved list."""
        return ~is_one_of([""], self.page.added[columns.SERVICE_CREDENTIALS])

    @cached_property
    def more_credentials(self) -> np.ndarray:
        """Return which users have more credentials than the report lists."""
        info = self.page.text[columns.ADDITIONAL_CREDENTIALS_INFO]
        return ~is_one_of(("", NO_VALUE, None), info)

    # Slots

    def keys_in(self, state: SlotState) -> np.ndarray:
        """Return which access keys are in a state."""
        return np.asarray(self.page.key_states == code_of(state))

    @cached_property
    def key_active(self) -> Truth:
        """Return which access keys are active."""
        return self._active(columns.ACCESS_KEYS)

    @cached_property
    def key_age(self) -> Elapsed:
        """Count from the creation of the access keys."""
        return self._age(columns.ACCESS_KEYS, self.key_active)

    @cached_property
    def key_use(self) -> Elapsed:
        """Count from the last use of the access keys; there is none if they were never used."""
        used = np.stack([self.page.moments[key.last_used_date] for key in columns.ACCESS_KEYS])
        unknown = self._unknown_in(columns.ACCESS_KEYS, "last_used_date")
        return self._elapsed(used, unknown & ~self.keys_in(SlotState.ABSENT))

    @cached_property
    def key_idle(self) -> Elapsed:
        """Count from the last use of the access keys, else from their creation.

        An active key whose creation is `N/A` counts from the creation of the user.
        """
        is_active = self.keys_in(SlotState.ACTIVE)
        age = replace(self.key_age, unknown=self.key_age.unknown & ~is_active)
        created = _first_else_second(age, self.age)
        return _first_else_second(self.key_use, created)

    @cached_property
    def certificate_active(self) -> Truth:
        """Return which signing certificates are active."""
        return self._active(columns.CERTIFICATES)

    @cached_property
    def certificate_age(self) -> Elapsed:
        """Count from the creation of the signing certificates."""
        return self._age(columns.CERTIFICATES, self.certificate_active)

    # How facts are computed

    @cached_property
    def as_of(self) -> np.ndarray:
        """Return the moment that each user's report describes (datetime64[s])."""
        return self.page.as_of

    @property
    def as_of_is_assumed(self) -> np.ndarray:
        """Return for which users nothing but the newest moment in the report gives as-of."""
        return is_one_of([AsOfSource.ASSUMED], self.page.added[columns.AS_OF_SOURCE])

    def _flag(self, name: str) -> Truth:
        return Truth.unless_unknown(self.page.flags[name], ~self.page.known[name])

    def _since(self, name: str) -> Elapsed:
        return self._elapsed(self.page.moments[name], ~self.page.known[name])

    def _elapsed(self, moment: np.ndarray, unknown: np.ndarray) -> Elapsed:
        """Count whole days, floored; a moment after as-of, due to clock skew, counts as 0 days."""
        moment = np.where(unknown, NO_MOMENT, moment)
        days = np.maximum((self.as_of - moment).astype(np.int64) // _DAY_SECONDS, 0)
        return Elapsed(moment, days, present=~np.isnat(moment), unknown=unknown)

    def _age(self, named: SlotColumns, active: Truth) -> Elapsed:
        """Count from the creation of each slot's credential; only active slots must have a date."""
        created = np.stack([self.page.moments[slot.last_rotated] for slot in named])
        unknown = self._unknown_in(named, "last_rotated") | np.isnat(created) & ~active.no
        return self._elapsed(created, unknown)

    def _active(self, named: SlotColumns) -> Truth:
        """Return which slots are active: only the cell of the column `active` decides."""
        flags = np.stack([self.page.flags[slot.active] for slot in named])
        return Truth.unless_unknown(flags, self._unknown_in(named, "active"))


def _first_else_second(first: Elapsed, second: Elapsed) -> Elapsed:
    """Count from the first moment, or from the second where it is known that there is no first."""
    return Elapsed(
        moment=np.where(first.present, first.moment, second.moment),
        days=np.where(first.present, first.days, second.days),
        present=first.present | second.present & ~first.unknown,
        unknown=first.unknown | ~first.present & second.unknown,
    )


def _contradicting_cells(
    slot: Any, column: str, value: str, cells: Mapping[str, Any]
) -> Mapping[str, str]:
    """Return the cells of the slot that contradict `N/A` as the creation of a credential."""
    if column != slot.last_rotated or value != NO_VALUE:
        return {}
    no_use = ("", NO_VALUE, NOT_SUPPORTED)
    uses = {name: cells[name] or "" for name in getattr(slot, "last_use", ())}
    found = {name: cell for name, cell in uses.items() if cell not in no_use}
    return {slot.active: "true"} if cells[slot.active] == "true" else found


def unknown_cell_sentences(facts: Facts, masks: Mapping[str, np.ndarray]) -> dict[int, str]:
    """Return, by position, a sentence on each unknown cell, with its raw value, joined by `; `.

    `masks` select, for each column, the users whose cells are named.
    """
    named: dict[int, list[str]] = defaultdict(list)
    for name in _SENTENCE_ORDER:
        if name in masks:
            for position, value in zip(*facts.page.unread_cells(name, masks[name]), strict=True):
                named[int(position)].append(facts.unknown_cell_sentence(position, name, value))
    return {position: "; ".join(sentences) for position, sentences in sorted(named.items())}
