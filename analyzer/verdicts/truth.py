"""Hold what is true of users with three values, yes, no and unknown, and days elapsed.

Listing the rules takes this module without numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class Truth:
    """Hold for each user whether something holds: two masks, never both true.

    The masks of a truth on slots have two rows, one for each slot. Where both masks are false, the
    truth is unknown. `and`, `or` and `not` decide as far as the known parts allow: one no is enough
    for `and` to be no, one yes is enough for `or` to be yes.
    """

    yes: np.ndarray
    no: np.ndarray

    @classmethod
    def unless_unknown(cls, holds: np.ndarray, unknown: np.ndarray) -> Self:
        """Return the truth of a mask, unknown where the other mask is true."""
        return cls(holds & ~unknown, ~(holds | unknown))

    def __and__(self, other: Self) -> Self:
        """Return whether both hold; a truth on users counts for each of their slots."""
        return type(self)(self.yes & other.yes, self.no | other.no)

    def __or__(self, other: Self) -> Self:
        """Return whether at least one holds; a truth on users counts for each of their slots."""
        return ~(~self & ~other)

    def __invert__(self) -> Self:
        """Return whether it does not hold."""
        return type(self)(self.no, self.yes)

    @property
    def unknown(self) -> np.ndarray:
        """Return where it is unknown."""
        mask: np.ndarray = ~(self.yes | self.no)
        return mask

    def in_any_slot(self) -> Self:
        """Return for each user whether it holds in at least one slot."""
        return type(self)(in_any_slot(self.yes), ~in_any_slot(~self.no))

    def in_every_slot(self) -> Self:
        """Return for each user whether it holds in all slots."""
        return ~(~self).in_any_slot()


def in_any_slot(slots: np.ndarray) -> np.ndarray:
    """Return for each user whether a mask of slots (two rows) holds in at least one of them."""
    mask: np.ndarray = slots[0] | slots[1]
    return mask


@dataclass(frozen=True, slots=True)
class Elapsed:
    """Hold for each user, or each slot (two rows), the whole days from a moment to as-of.

    `moment` is datetime64[s] and `days` int64 where a moment is `present`; elsewhere there is no
    moment, or it is `unknown`. Where it is known that there is no moment, no comparison holds.
    """

    moment: np.ndarray
    days: np.ndarray
    present: np.ndarray
    unknown: np.ndarray

    @property
    def exists(self) -> Truth:
        """Return where there is a moment."""
        return Truth.unless_unknown(self.present, self.unknown)

    def at_least(self, days: int) -> Truth:
        """Return where at least this many days have elapsed."""
        return Truth.unless_unknown(self.present & (self.days >= days), self.unknown)

    def more_than(self, days: int) -> Truth:
        """Return where more days than that have elapsed."""
        return self.at_least(days + 1)

    def less_than(self, days: int) -> Truth:
        """Return where fewer days have elapsed."""
        return Truth.unless_unknown(self.present & (self.days < days), self.unknown)
