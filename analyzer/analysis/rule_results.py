"""Run the rules over a judged report: findings, counts, and results of controls."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.analysis.rulebook import Rulebook
from analyzer.lists.exemptions import ExemptionMatches
from analyzer.lists.owners import NO_OWNERS, Owners
from analyzer.report.model import SLICE_ROWS, Exemption, stable_order, together
from analyzer.report.report import Report
from analyzer.report.users import Users
from analyzer.report.values import is_one_of, texts
from analyzer.rules.engine import FindingCounts, finding_counts, page_findings
from analyzer.rules.rule import DAYS, FINDINGS, OUTCOME, RULE, SEVERITY, Outcome, Rule
from analyzer.standards import Control
from analyzer.terms import count_text, numbers_text, with_noun

if TYPE_CHECKING:
    import pandas as pd


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


@dataclass(frozen=True)
class RuleResults:
    """Hold the findings of a book's rules in a report; no rule runs before its result is needed.

    `users` are the judged users of `report`; `filtered_rules` are the ids of the rules that a
    filter leaves out with the root users.
    """

    report: Report
    users: Users
    exemptions: Sequence[Exemption]
    book: Rulebook
    owners: Owners = NO_OWNERS
    filtered_rules: Collection[str] = ()

    def __repr__(self) -> str:
        """Return how many findings there are, of how many rules, in a line."""
        findings, rules = sum(self.counts.values()), len(self.book.rules)
        return f"<RuleResults: findings {findings:,}, rules {rules}>"

    def tables(self) -> Iterator[Mapping[str, pa.Array]]:
        """Yield the findings in their order: of many users, those of one rule after the other."""
        if len(self.users) <= SLICE_ROWS:
            yield self.finding_columns
            return
        rules = [*enumerate(self.book.rules)]
        rules.sort(key=lambda numbered: (numbered[1].severity.rank, numbered[0]))
        yield from (self._findings([rule]) for _, rule in rules)

    @property
    def findings(self) -> "pd.DataFrame":
        """Return all findings as a frame (`frames.finding_frame`)."""
        from analyzer.report.frames import finding_frame  # noqa: PLC0415  pandas takes 0.15 s

        return finding_frame(self.finding_columns)

    @cached_property
    def finding_columns(self) -> Mapping[str, pa.Array]:
        """Return all findings, with the columns that `rules.rule.FINDINGS` describes.

        The columns of the users' owners follow (`columns.OWNERSHIP`). The most severe rules come
        first; within a rule the failures, then the findings that are not exempt, then the longest
        ago.
        """
        return self._findings(self.book.rules)

    def _findings(self, rules: Sequence[Rule]) -> dict[str, pa.Array]:
        thresholds = self.book.thresholds
        parts = [
            page_findings(part, rules, thresholds, exempt, of_roots=of_roots)
            for part, exempt, of_roots in self._parts(rules)
        ]
        every = {name: together([part[name] for part in parts]) for name in FINDINGS}
        order = stable_order(
            *(every[name].indices for name in (SEVERITY, RULE, OUTCOME)),
            ~is_one_of([""], every[columns.EXEMPTION]),
            pc.negate(every[DAYS].fill_null(-1)),
            *(texts(every[name]) for name in (columns.ACCOUNT, columns.ARN)),
            every[columns.SLOT],
        )
        # Each column goes once it is ordered: together they would be held twice.
        ordered = {name: every.pop(name).take(pa.array(order)) for name in FINDINGS}
        as_of = np.array([file.as_of.replace(tzinfo=None) for file in self.report.files], "M8[s]")
        moments = as_of[ordered[columns.FILE]]
        return ordered | self.owners.columns_of(ordered, moments)

    @cached_property
    def counts(self) -> FindingCounts:
        """Return how many findings there are of each rule and outcome, exempt and not."""
        rules, thresholds = self.book.rules, self.book.thresholds
        counts: FindingCounts = Counter()
        for part, exempt, of_roots in self._parts(rules):
            counts += finding_counts(part, rules, thresholds, exempt, of_roots=of_roots)
        return counts

    def _parts(self, rules: Sequence[Rule]) -> Iterator[tuple[Users, ExemptionMatches, bool]]:
        """Yield the users, then the roots, in parts, as far as the rules are about them."""
        for of_roots in sorted({rule.is_of_root for rule in rules} or {False}):
            for part in (self.report.root_users if of_roots else self.users).slices():
                yield part, ExemptionMatches(part, self.exemptions), of_roots

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
        rootless = {account for (account, _), number in roots.items() if not number}
        why = f"The report has no root row of {with_noun('account', sorted(rootless))}."
        return {rule.id: why for rule in self.book.rules if rootless and rule.is_of_root}

    def failures(self, words: Collection[str]) -> list[str]:
        """Return for each rule that the words name its number of findings that are not exempt.

        Undecided findings count, and so does a rule that did not see all input.
        """
        lacking, failures = self.rules_lacking_input, []
        for rule in self.book.rules:
            fails = self.counts[rule.id, Outcome.FAILS, False]
            undecided = self.counts[rule.id, Outcome.UNDECIDED, False]
            numbers = numbers_text({"fail": fails, "undecided": undecided})
            failure = numbers or lacking.get(rule.id, "").removesuffix(".")
            if failure and rule.is_named(words):
                failures.append(f"{rule.id}: {failure}")
        return failures

    def control_failures(self) -> list[str]:
        """Return the result of each control of the standard that fails or is undecided."""
        unmet = [
            control
            for control in self.controls
            if control.result in (Result.FAIL, Result.UNDECIDED)
        ]
        name = self.book.standard.short_name
        return [f"{name} {control.control.number}: {control.result}" for control in unmet]


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
