"""Count listed rows by formulas that recompute, each with the result that it has now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Generic

from analyzer.writers.workbook.cells import Formula
from analyzer.writers.workbook.column import Column
from analyzer.writers.workbook.listing import Listing
from analyzer.writers.workbook.taken import Listed

MOST_COMPARISONS: Final = 100_000_000
"""More would keep a spreadsheet program busy for minutes: then the program's count stands."""

OK: Final = "OK"
DIFFERS: Final = "DIFFERS"

ANY_TEXT: Final = '"?*"'
"""What a formula asks for where any text will do."""

NO_TEXT: Final = '""'
"""What a formula asks for where there must be none."""


@dataclass(frozen=True, slots=True)
class Recount(Generic[Listed]):
    """Count rows over all sheets of a list."""

    listing: Listing[Listed]

    def is_quick(self, formulas: int) -> bool:
        """Tell whether so many formulas over the list do not keep a program busy."""
        return self.listing.rows * formulas <= MOST_COMPARISONS

    def of(self, result: int, *conditions: tuple[Column[Listed], str]) -> Formula:
        """Return the number of rows that meet all conditions: a column, and what it must equal."""
        each = [self._conditions(column, wanted) for column, wanted in conditions]
        counts = [f"COUNTIFS({','.join(sheet)})" for sheet in zip(*each, strict=True)]
        return Formula("+".join(counts) or "0", result)

    def _conditions(self, column: Column[Listed], wanted: str) -> Iterator[str]:
        return (f"{cells},{wanted}" for cells in self.listing.column(column))


def summed(cells: str, result: int) -> Formula:
    """Return the sum of a range of cells."""
    return Formula(f"SUM({cells})", result)


def check(left: str, right: Sequence[str], *, holds: bool) -> Formula:
    """Return whether one cell equals the sum of others."""
    result = OK if holds else DIFFERS
    return Formula(f'IF({left}={"+".join(right)},"{OK}","{DIFFERS}")', result)
