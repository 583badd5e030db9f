"""Count the listed findings by rule or severity, and by outcome."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

import pandas as pd

from analyzer.inspection import Inspection
from analyzer.rules.rule import Outcome
from analyzer.terms import Severity
from analyzer.writers.workbook.cells import Formula, Value
from analyzer.writers.workbook.column import Column
from analyzer.writers.workbook.findings_sheet import EXEMPTION, OUTCOME_OF, RULE_OF, SEVERITY_OF
from analyzer.writers.workbook.formulas import ANY_TEXT, NO_TEXT, Recount

_FORMULAS: Final = 100
"""About so many count findings in a workbook."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Say which findings are counted: of one outcome, exempt, not exempt or both."""

    outcome: Outcome
    exempt: bool | None = None

    @property
    def conditions(self) -> Iterable[tuple[Column[pd.DataFrame], str]]:
        """Return what a formula asks for."""
        yield OUTCOME_OF, f'"{self.outcome}"'
        if self.exempt is not None:
            yield EXEMPTION, ANY_TEXT if self.exempt else NO_TEXT

    def has(self, outcome: Outcome, *, exempt: bool) -> bool:
        """Tell whether findings of this outcome count."""
        return outcome is self.outcome and self.exempt in (None, exempt)


FAILS: Final = Kind(Outcome.FAILS, exempt=False)
EXEMPT: Final = Kind(Outcome.FAILS, exempt=True)
UNDECIDED: Final = Kind(Outcome.UNDECIDED)
NOTED: Final = Kind(Outcome.NOTED)


@dataclass(frozen=True, slots=True)
class Tally:
    """Count findings by formulas over the list, or in numbers if there are too many."""

    inspection: Inspection
    recount: Recount[pd.DataFrame]

    def of_rules(self, ids: Collection[str], kind: Kind) -> Value:
        """Return how many findings of a kind some rules have."""
        return self._of(RULE_OF, ids, self.number(ids, kind), kind)

    def of_severity(self, severity: Severity, kind: Kind) -> Value:
        """Return how many findings of a kind the rules of a severity have."""
        ids = [rule.id for rule in self.inspection.book.rules if rule.severity is severity]
        return self._of(SEVERITY_OF, [severity], self.number(ids, kind), kind)

    def number(self, ids: Collection[str], *kinds: Kind) -> int:
        """Return how many findings of these kinds some rules have, as a number."""
        return sum(
            count
            for (rule, outcome, exempt), count in self.inspection.counts.items()
            for kind in kinds
            if rule in ids and kind.has(outcome, exempt=exempt)
        )

    def _of(
        self, column: Column[pd.DataFrame], words: Iterable[str], number: int, kind: Kind
    ) -> Value:
        if not self.recount.is_quick(_FORMULAS):
            return number
        wanted = [(column, f'"{word}"') for word in words]
        each = [self.recount.of(number, one, *kind.conditions) for one in wanted]
        return Formula("+".join(formula.expression for formula in each), number)
