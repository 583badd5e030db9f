"""Run the rules over a judged report: findings, counts, and results of controls."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Final, Protocol, TypeVar

import pandas as pd

from analyzer import columns
from analyzer.analysis.rulebook import Rulebook
from analyzer.lists.exemptions import ExemptionMatches
from analyzer.lists.owners import NO_OWNERS, Owners
from analyzer.report.model import Exemption, Page, Report, concatenated, stable_order
from analyzer.rules.engine import FindingCounts, page_counts, page_findings, remedy_texts
from analyzer.rules.rule import DAYS, FACT, FINDINGS, OUTCOME, REMEDY, RULE, SEVERITY, Outcome
from analyzer.standards import Control
from analyzer.terms import count_text, numbers_text, with_noun

MOST_ROWS_TIMES_RULES: Final = 200_000
"""The most rows times rules whose findings are held and ordered together."""

MOST_ROWS_IN_ONE_ORDER: Final = 200_000
"""Reports of up to this many rows give findings in one order, larger ones page by page."""


class Result(StrEnum):
    """Name the results that a control can have, in the order of a summary."""

    PASS = "pass"
    EXCUSED = "pass but for exemptions"
    FAIL = "fail"
    UNDECIDED = "undecided"
    NOT_RUN = "not run"
    NOT_DECIDABLE = "not decidable"


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlResult:
    """Hold the result of a control, its numbers of findings, and the reason for the result.

    `fails` and `undecided` count findings that are not exempt, `exempt` those that are.
    """

    control: Control
    result: Result
    fails: int
    exempt: int
    undecided: int
    why: str

    @property
    def counts_text(self) -> str:
        """Return how many findings fail and are undecided, in words; empty for none."""
        return numbers_text({"fail": self.fails, "undecided": self.undecided})

    @property
    def rules_text(self) -> str:
        """Return the rules of the findings, empty if there are no findings."""
        return ", ".join(self.control.rules) if self.fails or self.undecided else ""


T = TypeVar("T")


class Store(Protocol):
    """Keep the values that a function yields, so that they are made only once."""

    def __call__(self, values: Callable[[], Iterator[T]], /) -> Callable[[], Iterator[T]]:
        """Return a function that yields the same values at each call."""


@dataclass(frozen=True)
class RuleResults:
    """Hold the findings of a book's rules in a report; no rule runs before its result is needed.

    `pages` gives the judged pages of `report`; `store` may hold the findings, to find them once.
    `filtered_rules` are the ids of the rules that a filter leaves out with the root users. A pass
    that counted all findings leaves their numbers in `cached_counts`.
    """

    report: Report
    pages: Callable[[], Iterator[Page]]
    exemptions: Sequence[Exemption]
    book: Rulebook
    owners: Owners = NO_OWNERS
    store: Store | None = None
    filtered_rules: Collection[str] = ()
    cached_counts: list[FindingCounts] = field(default_factory=list)

    def __repr__(self) -> str:
        """Return how many findings there are, of how many rules, in a line."""
        findings, rules = sum(self.counts.values()), len(self.book.rules)
        return f"<RuleResults: findings {findings:,}, rules {rules}>"

    def frames(self) -> Iterator[pd.DataFrame]:
        """Yield the findings in frames with the columns that `rules.rule.FINDINGS` describes.

        The columns of the users' owners follow (`columns.OWNERSHIP`). The most severe rules come
        first; within a rule the failures, then the findings that are not exempt, then the longest
        ago. Reports of more than `MOST_ROWS_IN_ONE_ORDER` rows give a frame for each page, in the
        same order.
        """
        return (self._stored_frames or self._ordered_frames)()

    @cached_property
    def _stored_frames(self) -> Callable[[], Iterator[pd.DataFrame]] | None:
        return self.store(self._ordered_frames) if self.store else None

    def _ordered_frames(self) -> Iterator[pd.DataFrame]:
        if self.book.rules and self.report.rows <= MOST_ROWS_IN_ONE_ORDER:
            yield from self._frames_by_rule_group()
        else:
            yield from self._page_by_page()

    @property
    def findings(self) -> pd.DataFrame:
        """Return all findings as one frame (columns: as in `frames`)."""
        return concatenated(self.frames())

    @property
    def counts(self) -> FindingCounts:
        """Return how many findings there are of each rule and outcome, exempt and not."""
        if not self.cached_counts:
            self.cached_counts.append(self._finding_counts())
        return self.cached_counts[0]

    def _finding_counts(self) -> FindingCounts:
        total: FindingCounts = Counter()
        if self.store:
            return sum(map(_finding_counts, self.frames()), total)
        rules, limits = self.book.rules, self.book.thresholds
        for page, exempt, of_roots in self._pages_and_roots():
            total += page_counts(page, rules, limits, exempt, of_roots=of_roots)
        return total

    @property
    def controls(self) -> tuple[ControlResult, ...]:
        """Return the results of the controls of the book's standard."""
        context = self.book, self.counts, self.rules_lacking_input, self.filtered_rules
        return tuple(control_result(control, *context) for control in self.book.standard.controls)

    @property
    def control_summary(self) -> str:
        """Return the results: `CIS 3.0: 3 pass, 5 fail, 14 not decidable from a report`."""
        count = Counter(control.result for control in self.controls)
        numbers = numbers_text({result: count[result] for result in Result})
        source = " from a report" if count[Result.NOT_DECIDABLE] else ""
        return f"{self.book.standard.short_name}: {numbers}{source}"

    @property
    def rules_lacking_input(self) -> Mapping[str, str]:
        """Return the ids of the rules that did not see all input, and why."""
        if self.report.not_covered:
            return {rule.id: "An account could not be read." for rule in self.book.rules}
        # If an account has no number, each file counts as an account of its own.
        roots = Counter[tuple[str, str]]()
        for file in self.report.files:
            for account in (one for one in file.accounts if one.rows > one.repeated):
                roots[account.account, "" if account.account else file.name] += account.roots
        rootless = {
            account or "(number unknown)" for (account, _), number in roots.items() if not number
        }
        why = f"The report has no root row of {with_noun('account', sorted(rootless))}."
        return {rule.id: why for rule in self.book.rules if rootless and rule.is_of_root}

    def failures(self, words: Collection[str]) -> list[str]:
        """Return for each rule that the words name its number of findings that are not exempt.

        Undecided findings count, and so does a rule that did not see all input.
        """
        named = [rule.id for rule in self.book.rules if rule.is_named(words)]
        failures = ((rule, self._failure(rule)) for rule in named)
        return [f"{rule}: {failure}" for rule, failure in failures if failure]

    def control_failures(self) -> list[str]:
        """Return the result of each control of the standard that fails or is undecided."""
        unmet = [
            control
            for control in self.controls
            if control.result in (Result.FAIL, Result.UNDECIDED)
        ]
        name = self.book.standard.short_name
        return [f"{name} {control.control.number}: {control.result}" for control in unmet]

    def _failure(self, rule: str) -> str:
        fails, undecided = (
            self.counts[rule, outcome, False] for outcome in (Outcome.FAILS, Outcome.UNDECIDED)
        )
        counts = numbers_text({"fail": fails, "undecided": undecided})
        return counts or self.rules_lacking_input.get(rule, "").removesuffix(".")

    def _frames_by_rule_group(self) -> Iterator[pd.DataFrame]:
        """Yield the ordered findings of some rules at a time: all together need too much memory."""
        pages = [*self._pages_and_roots()]
        ids = [rule.id for rule in self.book.rules]
        by_severity = sorted(self.book.rules, key=lambda rule: rule.severity.rank)
        many = max(MOST_ROWS_TIMES_RULES // max(self.report.rows, 1), 1)
        for first in range(0, len(by_severity), many):
            rules = by_severity[first : first + many]
            frame = concatenated(
                page_findings(page, rules, self.book.thresholds, exempt, of_roots=of_roots)
                for page, exempt, of_roots in pages
            )
            words = {RULE: ids, REMEDY: remedy_texts(self.book.rules)}
            cells = {
                name: frame[name].cat.set_categories(categories)
                for name, categories in words.items()
            }
            yield self._with_owners(_ordered(frame.assign(**cells)))

    def _page_by_page(self) -> Iterator[pd.DataFrame]:
        total: FindingCounts = Counter()
        rules, limits = self.book.rules, self.book.thresholds
        for page, exempt, of_roots in self._pages_and_roots():
            frame = page_findings(page, rules, limits, exempt, of_roots=of_roots)
            total += _finding_counts(frame)
            yield self._with_owners(_ordered(frame))
        self.cached_counts[:] = [total]

    def _with_owners(self, frame: pd.DataFrame) -> pd.DataFrame:
        as_of = pd.DatetimeIndex([file.as_of for file in self.report.files]).as_unit("s")
        moments = as_of.tz_localize(None).to_numpy()[frame[columns.FILE]]
        return frame.assign(**self.owners.columns_of(frame, moments))

    def _pages_and_roots(self) -> Iterator[tuple[Page, ExemptionMatches, bool]]:
        """Yield pages of users, then of roots, with exemptions, and whether they are of roots."""
        for pages, of_roots in ((self.pages, False), (self.report.roots, True)):
            for page in pages():
                yield page, ExemptionMatches(page, self.exemptions), of_roots


def _finding_counts(frame: pd.DataFrame) -> FindingCounts:
    exempt = frame[columns.EXEMPTION] != ""
    sizes = frame.groupby([RULE, OUTCOME, exempt], observed=True).size().reset_index()
    kinds = zip(*(sizes[name] for name in sizes), strict=True)
    return Counter(
        {(rule, Outcome(word), is_exempt): size for rule, word, is_exempt, size in kinds}
    )


def _ordered(frame: pd.DataFrame) -> pd.DataFrame:
    order = stable_order(
        *(frame[name].cat.codes for name in (SEVERITY, RULE, OUTCOME)),
        frame[columns.EXEMPTION] != "",
        -frame[DAYS].fillna(-1),
        *(frame[name] for name in (columns.ACCOUNT, columns.ARN, columns.SLOT, FACT)),
    )
    return frame.take(order).reset_index(drop=True)[list(FINDINGS)]


def control_result(
    control: Control,
    book: Rulebook,
    counts: FindingCounts,
    lacking_input: Mapping[str, str],
    left_out: Collection[str] = (),
) -> ControlResult:
    """Return the result of a control of the book's standard.

    `lacking_input` has the reason for each rule that did not see all input; `left_out` are the ids
    of the rules that a filter leaves out with the root users.
    """
    unmet = (Outcome.FAILS, Outcome.UNDECIDED)
    fails, undecided = (
        sum(counts[rule, outcome, False] for rule in control.rules) for outcome in unmet
    )
    exempt = sum(counts[rule, outcome, True] for rule in control.rules for outcome in unmet)
    name, asked = control.limit or ("", 0)
    limit = getattr(book.thresholds, name, asked)
    other_limit = (
        f"The limit of this run is {count_text(limit, 'day')}; the control asks for"
        f" {count_text(asked, 'day')}."
    )
    ran = {rule.id for rule in book.rules}
    not_run = [rule for rule in control.rules if rule not in ran]
    is_filtered = all(rule in left_out for rule in not_run)
    why_not_run = "The root user is left out by the filter" if is_filtered else "Rule not selected"
    lacking = [lacking_input[rule] for rule in control.rules if rule in lacking_input]
    cases = (
        (not control.rules, Result.NOT_DECIDABLE, control.reason),
        (fails and limit < asked, Result.UNDECIDED, other_limit),
        (fails, Result.FAIL, ""),
        (not_run, Result.NOT_RUN, f"{why_not_run}, not run: {', '.join(not_run)}."),
        (undecided, Result.UNDECIDED, "Some findings are undecided."),
        (limit > asked, Result.UNDECIDED, other_limit),
        (lacking, Result.UNDECIDED, next(iter(lacking), "")),
        (exempt, Result.EXCUSED, "All failures and undecided findings are exempt."),
        (True, Result.PASS, ""),
    )
    result, why = next((result, why) for holds, result, why in cases if holds)
    return ControlResult(
        control=control, result=result, fails=fails, exempt=exempt, undecided=undecided, why=why
    )
