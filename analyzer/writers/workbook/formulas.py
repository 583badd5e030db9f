"""Count listed rows by formulas that recompute, each with the result that it has now."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Generic

from analyzer.writers.workbook.cells import Formula, Value
from analyzer.writers.workbook.column import Column, Rows
from analyzer.writers.workbook.listing import Listing

OK: Final = "OK"
DIFFERS: Final = "DIFFERS"

ANY_TEXT: Final = '"?*"'
"""What a formula asks for where any text will do."""

NO_TEXT: Final = '""'
"""What a formula asks for where there must be none."""


@dataclass(frozen=True, slots=True)
class CountFormula(Generic[Rows]):
    """Count rows over all sheets of a list."""

    listing: Listing[Rows]

    def of(self, result: int, *conditions: tuple[Column[Rows], str]) -> Value:
        """Return the number of rows that meet all conditions: a column, and what it must equal."""
        return self.of_any(result, [conditions])

    def of_any(
        self, result: int, alternatives: Iterable[Iterable[tuple[Column[Rows], str]]]
    ) -> Value:
        """Return the number of rows that meet all conditions of an alternative, for all of them.

        Of a list without a sheet it is the number, not a formula.
        """
        counts = [
            f"COUNTIFS({','.join(sheet)})"
            for conditions in alternatives
            for sheet in zip(*(self._conditions(*each) for each in conditions), strict=True)
        ]
        return Formula("+".join(counts), result) if counts else result

    def _conditions(self, column: Column[Rows], criterion: str) -> Iterator[str]:
        return (f"{cells},{criterion}" for cells in self.listing.column_references(column))


def summed(cells: str, result: int) -> Formula:
    """Return the sum of a range of cells."""
    return Formula(f"SUM({cells})", result)


def sum_check(left: str, right: Sequence[str], *, holds: bool) -> Formula:
    """Return whether one cell equals the sum of others."""
    result = OK if holds else DIFFERS
    return Formula(f'IF({left}={"+".join(right)},"{OK}","{DIFFERS}")', result)
