"""Reason with what may not be known: yes, no, or cannot be told (Kleene's three values)."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from analyzer import columns
from analyzer.model import in_any_slot


@dataclass(frozen=True, slots=True)
class Truth:
    """Hold for each user, or each slot, whether something holds: two masks, never both true.

    Where both are false it cannot be told. `and`, `or` and `not` decide as much as the known
    parts allow: no is enough against `and`, yes is enough for `or`.
    """

    yes: np.ndarray
    no: np.ndarray

    @classmethod
    def known(cls, holds: np.ndarray, unknown: np.ndarray) -> Self:
        """Return what holds, left open where it is unknown."""
        return cls(holds & ~unknown, ~(holds | unknown))

    def __and__(self, other: Self) -> Self:
        """Return whether both hold."""
        return type(self)(self.yes & other.yes, self.no | other.no)

    def __or__(self, other: Self) -> Self:
        """Return whether at least one holds."""
        return type(self)(self.yes | other.yes, self.no & other.no)

    def __invert__(self) -> Self:
        """Return whether it does not hold."""
        return type(self)(self.no, self.yes)

    @property
    def undecided(self) -> np.ndarray:
        """Tell where it cannot be told."""
        return np.asarray(~(self.yes | self.no))

    def of_slots(self) -> Self:
        """Return what is known of the users for each of their slots."""
        slots = len(columns.SLOTS)
        return type(self)(np.tile(self.yes, slots), np.tile(self.no, slots))

    def in_any_slot(self) -> Self:
        """Return for each user whether it holds in at least one slot."""
        no = np.asarray(by_slot(self.no).all(axis=0))
        return type(self)(in_any_slot(self.yes), no)

    def in_every_slot(self) -> Self:
        """Return for each user whether it holds in all slots."""
        return ~(~self).in_any_slot()


def by_slot(values: np.ndarray) -> np.ndarray:
    """Return values of `Page.keys` or `Page.certificates`: a row for each slot, a column a user."""
    return values.reshape(len(columns.SLOTS), -1)


@dataclass(frozen=True, slots=True)
class Elapsed:
    """Hold for each user, or each slot, the whole days from a moment to as-of.

    `moment` is datetime64[s] and `days` int64 where it is `there`; elsewhere there is none, or
    it is `unknown`. Where there is none, and that is known, no comparison holds.
    """

    moment: np.ndarray
    days: np.ndarray
    there: np.ndarray
    unknown: np.ndarray

    @property
    def known(self) -> Truth:
        """Return where there is a moment."""
        return Truth.known(self.there, self.unknown)

    def at_least(self, days: int) -> Truth:
        """Return where so many days or more have elapsed."""
        return Truth.known(self.there & (self.days >= days), self.unknown)

    def more_than(self, days: int) -> Truth:
        """Return where more days than that have elapsed."""
        return self.at_least(days + 1)

    def less_than(self, days: int) -> Truth:
        """Return where fewer days have elapsed."""
        return Truth.known(self.there & (self.days < days), self.unknown)
