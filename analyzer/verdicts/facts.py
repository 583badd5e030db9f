"""Read a page as facts with three values, yes, no and unknown, and days elapsed.

Verdict, caveats and rules decide from these facts alone. A cell is unknown if it was not
understood, or if another row of the same ARN differs in it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.columns import AccessKeyColumns, CertificateColumns
from analyzer.report.model import NO_MOMENT, TEXT, Page, repeated_per_slot
from analyzer.report.values import REGION_OR_SERVICE, cell_timestamp
from analyzer.terms import (
    LONGEST_SHOWN,
    NO_VALUE,
    NOT_SUPPORTED,
    ROOT_USER,
    ROWS_DIFFER,
    SlotState,
    Verdict,
)
from analyzer.verdicts.truth import Elapsed, Truth

SlotColumns = Sequence[AccessKeyColumns | CertificateColumns]

_DAY_SECONDS: Final = 86_400

_DATE_OF: Final = {
    name: key.last_used_date
    for key in columns.ACCESS_KEYS
    for name in (key.last_used_region, key.last_used_service)
}

_SLOT_OF: Final[Mapping[str, Any]] = {
    name: slot for slot in (*columns.ACCESS_KEYS, *columns.CERTIFICATES) for name in slot
}


@dataclass(frozen=True)
class Facts:
    """Hold a page in the terms of the rules: three-valued masks and whole days.

    Facts on access keys or certificates have one value a slot, in the order of `Page.keys`; all
    other facts have one value a user.
    """

    page: Page

    # Cells

    def unread_cells(self, name: str) -> tuple[np.ndarray, list[str]]:
        """Return the users with a cell in this column that was not understood, and the cells."""
        cells = self.page.unread[self.page.unread[columns.COLUMN] == name]
        return cells[columns.POSITION].to_numpy(), cells[columns.VALUE].tolist()

    def unknown_cell_sentence(self, position: int, column: str, value: object) -> str:
        """Return what is wrong with a user's cell; it has no value if the column is missing."""
        if not isinstance(value, str):
            return f"{column} is not in this report"
        if value == ROWS_DIFFER:
            return f"another row of this ARN has another {column}"
        problem = self.unread_cell_problem(position, column, value)
        return f'{column} "{value[:LONGEST_SHOWN]}" {problem}'

    def unread_cell_problem(self, position: int, column: str, value: str) -> str:
        """Return why a cell was not read: the cells that it contradicts, if its form is right.

        AWS itself writes `not_supported` for the password of a root.
        """
        if (column, value) == (columns.PASSWORD_ENABLED, NOT_SUPPORTED):
            is_root = self.page.users[columns.USER].iloc[position] == ROOT_USER
            return "is not reported" if is_root else "is not understood"
        if (slot := _SLOT_OF.get(column)) is None:
            return "is not understood"
        others = _contradicting_cells(slot, column, value, self._slot_cells_of_unread[position])
        named = [f'{name} "{cell[:LONGEST_SHOWN]}"' for name, cell in others.items()]
        return f"contradicts {' and '.join(named)}" if named else "is not understood"

    @cached_property
    def _slot_cells_of_unread(self) -> dict[Any, dict[Any, Any]]:
        """Return by position the cells of the slots of each user with an unread cell."""
        positions = self.page.unread[columns.POSITION].unique()
        return self.page.cells.loc[positions, [*_SLOT_OF]].to_dict("index")

    def has_unknown_cell(self, *names: str) -> np.ndarray:
        """Return which users have an unknown cell in these columns."""
        mask = np.zeros(len(self.page), bool)
        for name in names:
            mask[self._unknown_cells.get(name, [])] = True
        return mask

    @cached_property
    def _unknown_cells(self) -> dict[str, np.ndarray]:
        """Return by column the users with an unknown cell in it."""
        cells = pd.concat([self.page.unread, self.page.contradicted])
        by_column = cells.groupby(columns.COLUMN)[columns.POSITION]
        return {str(name): positions.to_numpy() for name, positions in by_column}

    def _unknown_in(self, slots: SlotColumns, name: str) -> np.ndarray:
        return np.concatenate([self.has_unknown_cell(getattr(slot, name)) for slot in slots])

    def lacks(self, name: str) -> np.ndarray:
        """Return which users are of a report that has no such column."""
        return self.page.cells[name].isna().to_numpy()

    # Users

    def verdict(self, word: Verdict) -> Truth:
        """Return which users have a verdict; of undetermined users it is unknown."""
        verdict = self.page.users[columns.VERDICT]
        undetermined = (verdict == Verdict.UNDETERMINED).to_numpy()
        return Truth.unless_unknown((verdict == word).to_numpy(), undetermined)

    @cached_property
    def password(self) -> Truth:
        """Return which users have an enabled password."""
        enabled = self.page.users[columns.PASSWORD_ENABLED].to_numpy()
        return Truth.unless_unknown(enabled, self.has_unknown_cell(columns.PASSWORD_ENABLED))

    @cached_property
    def password_unreported(self) -> np.ndarray:
        """Return for which roots the report does not say if there is a password."""
        positions, cells = self.unread_cells(columns.PASSWORD_ENABLED)
        mask = np.zeros(len(self.page), bool)
        mask[positions] = [cell == NOT_SUPPORTED for cell in cells]
        return mask

    @cached_property
    def mfa(self) -> Truth:
        """Return which users have an MFA device."""
        active = self.page.users[columns.MFA_ACTIVE].to_numpy()
        return Truth.unless_unknown(active, self.has_unknown_cell(columns.MFA_ACTIVE))

    @cached_property
    def age(self) -> Elapsed:
        """Count from the users' creation."""
        created = _moments(self.page.users[columns.CREATED])
        return self._elapsed(created, self.has_unknown_cell(columns.USER_CREATION_TIME))

    @cached_property
    def sign_in(self) -> Elapsed:
        """Count from the last sign-in with the password; there is none if it was never used."""
        signed_in = _moments(self.page.users[columns.PASSWORD_LAST_USED])
        return self._elapsed(signed_in, self.has_unknown_cell(columns.PASSWORD_LAST_USED))

    @cached_property
    def password_change(self) -> Elapsed:
        """Count from the last change of the password, else from the user's creation."""
        changed = _moments(self.page.users[columns.PASSWORD_LAST_CHANGED])
        never = np.isnat(changed)
        unknown = self.has_unknown_cell(columns.PASSWORD_LAST_CHANGED) | never & self.age.unknown
        return self._elapsed(np.where(never, self.age.moment, changed), unknown)

    @cached_property
    def password_idle(self) -> Elapsed:
        """Count from the last use of the password, else from its last change."""
        return _first_else_second(self.sign_in, self.password_change)

    @cached_property
    def password_expiry(self) -> Elapsed:
        """Count from the expiry of the password, past or future; none if it never expires."""
        expires = _moments(self.page.users[columns.PASSWORD_NEXT_ROTATION])
        return self._elapsed(expires, self.has_unknown_cell(columns.PASSWORD_NEXT_ROTATION))

    @cached_property
    def more_credentials(self) -> np.ndarray:
        """Return which users have more credentials than the report lists."""
        info = self.page.cells[columns.ADDITIONAL_CREDENTIALS_INFO]
        return ~(info.isna() | info.isin(["", NO_VALUE, ROWS_DIFFER])).to_numpy(bool)

    # Slots

    def keys_in(self, state: SlotState) -> np.ndarray:
        """Return which access keys are in a state."""
        return (self.page.keys[columns.STATE] == state).to_numpy()

    @cached_property
    def key_active(self) -> Truth:
        """Return which access keys are active."""
        return self._active(columns.ACCESS_KEYS)

    @cached_property
    def key_age(self) -> Elapsed:
        """Count from the creation of the access keys."""
        return self._age(self.page.keys, columns.ACCESS_KEYS, self.key_active)

    @cached_property
    def key_use(self) -> Elapsed:
        """Count from the last use of the access keys; there is none if they were never used."""
        used = _moments(self.page.keys[columns.KEY_LAST_USED])
        unknown = self._unknown_in(columns.ACCESS_KEYS, "last_used_date")
        return self._elapsed(used, unknown & ~self.keys_in(SlotState.ABSENT))

    @cached_property
    def key_idle(self) -> Elapsed:
        """Count from the last use of the access keys, else from their creation.

        An active key whose creation is `N/A` counts from the creation of the user.
        """
        counts_from_user = self.keys_in(SlotState.ACTIVE) & ~self.key_undated_by_report
        age = replace(self.key_age, unknown=self.key_age.unknown & ~counts_from_user)
        created = _first_else_second(age, self.age.repeated_per_slot())
        return _first_else_second(self.key_use, created)

    @cached_property
    def certificate_active(self) -> Truth:
        """Return which signing certificates are active."""
        return self._active(columns.CERTIFICATES)

    @cached_property
    def certificate_age(self) -> Elapsed:
        """Count from the creation of the signing certificates."""
        return self._age(self.page.certificates, columns.CERTIFICATES, self.certificate_active)

    # How facts are computed

    @cached_property
    def as_of(self) -> np.ndarray:
        """Return the moment that each user's report describes (datetime64[s])."""
        return _moments(self.page.users[columns.AS_OF])

    def _elapsed(self, moment: np.ndarray, unknown: np.ndarray) -> Elapsed:
        """Count whole days, floored; a moment after as-of, due to clock skew, counts as 0 days."""
        moment = np.where(unknown, NO_MOMENT, moment)
        as_of = self.as_of if len(moment) == len(self.page) else repeated_per_slot(self.as_of)
        days = np.maximum((as_of - moment).astype(np.int64) // _DAY_SECONDS, 0)
        return Elapsed(moment, days, present=~np.isnat(moment), unknown=unknown)

    @cached_property
    def key_undated_by_report(self) -> np.ndarray:
        """Return the slots for which the report has no column with the creation of keys.

        If such a slot is not active, it may hold an inactive key.
        """
        return np.concatenate([self.lacks(key.last_rotated) for key in columns.ACCESS_KEYS])

    def _age(self, slots: pd.DataFrame, named: SlotColumns, active: Truth) -> Elapsed:
        """Count from the creation of each slot's credential; only active slots must have a date."""
        created = _moments(slots[columns.CREATED])
        unknown = self._unknown_in(named, "last_rotated") | np.isnat(created) & ~active.no
        return self._elapsed(created, unknown)

    def _active(self, named: SlotColumns) -> Truth:
        """Return which slots are active: only the cell of the column `active` decides."""
        cells = [(self.page.cells[slot.active] == "true").to_numpy(bool) for slot in named]
        return Truth.unless_unknown(np.concatenate(cells), self._unknown_in(named, "active"))


def _moments(moments: pd.Series) -> np.ndarray:
    return moments.to_numpy("datetime64[s]")


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
    """Return the cells of the slot that an unread cell contradicts, none if its form is odd."""
    is_date = column == getattr(slot, "last_used_date", "")
    if column == slot.last_rotated and value == NO_VALUE:
        return {slot.active: "true"}
    if is_date and value == NO_VALUE:
        of_use = {name: cells[name] for name in (slot.last_used_region, slot.last_used_service)}
        no_use = ("", NO_VALUE, NOT_SUPPORTED)
        return {
            name: cell for name, cell in of_use.items() if pd.notna(cell) and cell not in no_use
        }
    has_form = cell_timestamp if is_date else re.compile(REGION_OR_SERVICE).fullmatch
    if column in (slot.active, slot.last_rotated) or not has_form(value):
        return {}
    absent = {slot.active: "false", slot.last_rotated: NO_VALUE}
    other = slot.last_used_service if is_date else slot.last_used_date
    return absent if absent.items() <= cells.items() else {other: NO_VALUE}


def unknown_cell_sentences(facts: Facts, masks: Mapping[str, np.ndarray]) -> pd.Series:
    """Return, by position, a sentence on each unknown cell, with its raw value, joined by `; `.

    `masks` select, for each column, the users whose cells are named.
    """
    unread = facts.page.unread
    of_column = {str(name): rows for name, rows in unread.groupby(columns.COLUMN).indices.items()}
    position = unread[columns.POSITION].to_numpy()
    selected = np.zeros(len(unread), bool)
    for name in of_column.keys() & masks.keys():
        rows = of_column[name]
        selected[rows] = masks[name][position[rows]]
    cells = _without_dates_of_named_use(unread[selected])
    parts = (cells[name] for name in (columns.POSITION, columns.COLUMN, columns.VALUE))
    texts = map(facts.unknown_cell_sentence, *parts)
    sentence = pd.Series([*texts], pd.Index(cells[columns.POSITION]), TEXT)
    sentences: pd.Series = sentence.groupby(level=0).agg("; ".join)
    return sentences


def _without_dates_of_named_use(unread: pd.DataFrame) -> pd.DataFrame:
    """Leave out each unread date of use if the region or service of this use is named itself."""
    cells = [*zip(unread[columns.POSITION], unread[columns.COLUMN], strict=True)]
    dates = {(position, _DATE_OF.get(column)) for position, column in cells}
    return unread[np.array([cell not in dates for cell in cells], bool)]
