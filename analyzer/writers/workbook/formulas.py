"""Count listed rows by formulas that recompute, each with the result that it has now."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Generic

import pandas as pd

from analyzer.inspection import Inspection
from analyzer.rules.rule import Outcome
from analyzer.terms import Severity
from analyzer.writers.workbook.cells import Formula, Value
from analyzer.writers.workbook.column import Column, Rows
from analyzer.writers.workbook.findings_sheet import (
    EXEMPTION,
    OUTCOME_COLUMN,
    RULE_COLUMN,
    SEVERITY_COLUMN,
)
from analyzer.writers.workbook.listing import Listing

MOST_COMPARISONS: Final = 100_000_000
"""More would keep a spreadsheet program busy for minutes: then the program's count stands."""

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

    def is_quick_with(self, formulas: int) -> bool:
        """Return whether so many formulas over the list do not keep a program busy."""
        return self.listing.rows * formulas <= MOST_COMPARISONS

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


_MOST_FORMULAS: Final = 100
"""About so many count findings in a workbook."""


@dataclass(frozen=True, slots=True)
class FindingKind:
    """Say which findings are counted: of one outcome, exempt, not exempt or both."""

    outcome: Outcome
    exempt: bool | None = None

    @property
    def conditions(self) -> Iterable[tuple[Column[pd.DataFrame], str]]:
        """Return what a formula asks for."""
        yield OUTCOME_COLUMN, f'"{self.outcome}"'
        if self.exempt is not None:
            yield EXEMPTION, ANY_TEXT if self.exempt else NO_TEXT

    def includes(self, outcome: Outcome, *, exempt: bool) -> bool:
        """Return whether findings of this outcome count."""
        return outcome is self.outcome and self.exempt in (None, exempt)


FAILS: Final = FindingKind(Outcome.FAILS, exempt=False)
EXEMPT: Final = FindingKind(Outcome.FAILS, exempt=True)
UNDECIDED: Final = FindingKind(Outcome.UNDECIDED)
NOTED: Final = FindingKind(Outcome.NOTED)


@dataclass(frozen=True, slots=True)
class RuleCounts:
    """Count findings by formulas over the list, or in numbers if there are too many."""

    inspection: Inspection
    count: CountFormula[pd.DataFrame]

    def of_rules(self, ids: Collection[str], kind: FindingKind) -> Value:
        """Return how many findings of a kind some rules have."""
        return self._of(RULE_COLUMN, ids, self.number(ids, kind), kind)

    def of_severity(self, severity: Severity, kind: FindingKind) -> Value:
        """Return how many findings of a kind the rules of a severity have."""
        ids = [rule.id for rule in self.inspection.book.rules if rule.severity is severity]
        return self._of(SEVERITY_COLUMN, [severity], self.number(ids, kind), kind)

    def number(self, ids: Collection[str], *kinds: FindingKind) -> int:
        """Return how many findings of these kinds some rules have, as a number."""
        return sum(
            count
            for (rule, outcome, exempt), count in self.inspection.counts.items()
            for kind in kinds
            if rule in ids and kind.includes(outcome, exempt=exempt)
        )

    def _of(
        self, column: Column[pd.DataFrame], words: Iterable[str], number: int, kind: FindingKind
    ) -> Value:
        if not self.count.is_quick_with(_MOST_FORMULAS):
            return number
        alternatives = ([(column, f'"{word}"'), *kind.conditions] for word in words)
        return self.count.of_any(number, alternatives)
