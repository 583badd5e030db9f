"""Run the rules over a judged report: what they find, how often, and how the controls came out."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from typing import Final

import pandas as pd

from analyzer import columns
from analyzer.exemptions import ExemptionMatches
from analyzer.model import Exemption, Page, Report, concatenated
from analyzer.report.notes import short_list
from analyzer.rules.engine import FindingCounts, page_counts, page_findings
from analyzer.rules.rule import (
    DAYS,
    FACT,
    FINDINGS,
    OUTCOME,
    RULE,
    SEVERITY,
    Outcome,
    Rule,
    Subject,
)
from analyzer.standards.results import ControlResult, results
from analyzer.standards.rulebook import Rulebook
from analyzer.terms import Severity

_ORDER: Final = [
    SEVERITY,
    RULE,
    OUTCOME,
    "exempt",
    "ago",
    columns.ACCOUNT,
    columns.ARN,
    columns.SLOT,
    FACT,
]
JUDGED_AT_ONCE: Final = 200_000
"""Rows times rules of which the findings are held and ordered together."""

ORDERED_ROWS: Final = 200_000
"""The findings of reports of up to so many rows come in one order; of larger ones page by page."""


@dataclass(frozen=True)
class Inspection:
    """Hold what the rules of a book find in a report; nothing runs before it is asked for.

    `pages` gives the judged pages of `report`.
    """

    report: Report
    pages: Callable[[], Iterator[Page]]
    exemptions: Sequence[Exemption]
    book: Rulebook

    def frames(self) -> Iterator[pd.DataFrame]:
        """Yield the findings in frames with the columns that `rules.rule.FINDINGS` describes.

        The worst rules come first, of each the failures, those who are not exempt, the longest
        ago. Reports of more than `ORDERED_ROWS` rows give a frame a page, each in that order.
        """
        if self.book.rules and self.report.rows <= ORDERED_ROWS:
            yield from self._some_rules_at_a_time()
        else:
            yield from self._page_by_page()

    @property
    def findings(self) -> pd.DataFrame:
        """Return all findings as one frame (columns: `rules.rule.FINDINGS`)."""
        return concatenated(self.frames())

    @cached_property
    def counts(self) -> FindingCounts:
        """Return how many findings there are of each rule and outcome, exempt and not."""
        total: FindingCounts = Counter()
        for page, roots in self._pairs():
            total += page_counts(page, roots, self.book.rules, self.book.thresholds, self._excused)
        return total

    @property
    def controls(self) -> tuple[ControlResult, ...]:
        """Return how the controls of the book's standard came out."""
        ran = [rule.id for rule in self.book.rules]
        limits = asdict(self.book.thresholds)
        return results(self.book.standard, self.counts, ran=ran, unseen=self.unseen, limits=limits)

    @property
    def unseen(self) -> Mapping[str, str]:
        """Return the ids of the rules that did not see everything, and why."""
        if self.report.not_covered:
            return {rule.id: "An account could not be read." for rule in self.book.rules}
        accounts = [account for file in self.report.files for account in file.accounts]
        rooted = {each.account for each in accounts if each.roots}
        rootless = {each.account or "that no ARN names" for each in accounts} - rooted
        why = f"The report has no root row of account {short_list(sorted(rootless))}."
        return {rule.id: why for rule in self.book.rules if rootless and _is_of_root(rule)}

    def failures(self, severities: Collection[Severity], rules: Collection[str]) -> list[str]:
        """Return for each rule of these severities or ids that is failed by how many not exempt.

        What a rule could not decide, or not see, counts as a failure of it.
        """
        met = [rule for rule in self.book.rules if rule.severity in severities or rule.id in rules]
        told = ((rule.id, self._failure(rule.id)) for rule in met)
        return [f"{rule}: {failure}" for rule, failure in told if failure]

    def _failure(self, rule: str) -> str:
        numbers = (
            (self.counts[rule, Outcome.FAILS, False], "fail"),
            (self.counts[rule, Outcome.UNDECIDED, False], "undecided"),
        )
        told = ", ".join(f"{number} {word}" for number, word in numbers if number)
        return told or self.unseen.get(rule, "").removesuffix(".")

    @property
    def _excused(self) -> Callable[[Page], ExemptionMatches]:
        return partial(ExemptionMatches, exemptions=self.exemptions)

    def _some_rules_at_a_time(self) -> Iterator[pd.DataFrame]:
        """Order the findings of some rules at a time: of many users all take too much memory."""
        pairs = list(self._pairs())
        ids = [rule.id for rule in self.book.rules]
        excuses = {
            id(page): self._excused(page) for pair in pairs for page in pair if page is not None
        }
        for rules in self._worst_first():
            found = concatenated(
                page_findings(*pair, rules, self.book.thresholds, lambda page: excuses[id(page)])
                for pair in pairs
            )
            yield _ordered(found.assign(**{RULE: found[RULE].cat.set_categories(ids)}))

    def _worst_first(self) -> Iterator[list[Rule]]:
        """Yield the rules, the worst first, so many at once as there is memory for."""
        rules = sorted(self.book.rules, key=lambda rule: rule.severity.rank)
        many = max(JUDGED_AT_ONCE // max(self.report.rows, 1), 1)
        for first in range(0, len(rules), many):
            yield rules[first : first + many]

    def _page_by_page(self) -> Iterator[pd.DataFrame]:
        total: FindingCounts = Counter()
        for pair in self._pairs():
            frame = page_findings(*pair, self.book.rules, self.book.thresholds, self._excused)
            total += _counted(frame)
            yield _ordered(frame)
        # A pass that came to its end has counted everything: `counts` need not go again.
        self.__dict__["counts"] = total

    def _pairs(self) -> Iterator[tuple[Page | None, Page | None]]:
        """Yield each page of users without roots, then each page of roots without users."""
        for page in self.pages():
            yield page, None
        for roots in self.report.roots():
            yield None, roots


def _is_of_root(rule: Rule) -> bool:
    return rule.subject is Subject.ROOT


def _counted(frame: pd.DataFrame) -> FindingCounts:
    exempt = frame[columns.EXEMPTION] != ""
    sizes = frame.groupby([RULE, OUTCOME, exempt], observed=True).size().reset_index()
    kinds = zip(*(sizes[name] for name in sizes), strict=True)
    return Counter({(rule, Outcome(word), each): size for rule, word, each, size in kinds})


def _ordered(frame: pd.DataFrame) -> pd.DataFrame:
    exempt = frame[columns.EXEMPTION] != ""
    ahead = frame.assign(exempt=exempt, ago=-frame[DAYS].fillna(-1))
    return ahead.sort_values(_ORDER, kind="stable", ignore_index=True)[list(FINDINGS)]
