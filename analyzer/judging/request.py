"""Judge reports by one set of criteria, rules and lists, and say what meets `--fail-on`."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyzer.decisions.ledger import Ledger
from analyzer.judging.analysis import Analysis, analyze
from analyzer.lists.account_names import AccountList, with_account_list
from analyzer.report.model import Exemptions, Report
from analyzer.terms import CONTROL, OVERDUE, Criteria, Severity, Verdict

if TYPE_CHECKING:
    from analyzer.standards.rulebook import Rulebook


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgingRequest:
    """Hold what reports are judged by, and what a run fails on.

    `book` chooses the rules, None those that run by default. `accounts` are names, `ledger` has
    earlier decisions. `fail_on` are verdicts, severities, ids of rules, `control` and `overdue`.
    """

    criteria: Criteria
    book: "Rulebook | None"
    exemptions: Exemptions
    ledger: Ledger
    accounts: AccountList | None = None
    fail_on: Collection[str] = ()

    def analysis(self, report: Report) -> Analysis:
        """Judge a report, with the names of its accounts."""
        named = with_account_list(report, self.accounts) if self.accounts else report
        return analyze(named, self.criteria, self.exemptions, self.book, self.ledger)

    def failures(self, analysis: Analysis) -> list[str]:
        """Return what meets `fail_on`, each with its number of users or findings.

        Undetermined users and accounts that could not be read always meet it.
        """
        if not self.fail_on:
            return []
        verdicts = [each for each in Verdict if each in (Verdict.UNDETERMINED, *self.fail_on)]
        counted = ((analysis.totals.users(each, exempt=False), each) for each in verdicts)
        rules = [word for word in self.fail_on if word not in (*verdicts, CONTROL, OVERDUE)]
        overdue = int(analysis.follow_up[OVERDUE].sum()) if OVERDUE in self.fail_on else 0
        return [
            *(["accounts that could not be read"] if analysis.report.not_covered else []),
            *(f"{number} {verdict}" for number, verdict in counted if number),
            *(analysis.inspection.failures(_severities_from(rules), rules) if rules else []),
            *(analysis.inspection.control_failures() if CONTROL in self.fail_on else []),
            *([f"{overdue} {OVERDUE}"] if overdue else []),
        ]


def _severities_from(words: Collection[str]) -> list[Severity]:
    """Return the severities named and all higher ones."""
    mildest = max((each.rank for each in Severity if each in words), default=-1)
    return [each for each in Severity if each.rank <= mildest]
