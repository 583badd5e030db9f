"""Return the result of each control of a standard."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from analyzer.rules.engine import FindingCounts
from analyzer.rules.rule import Outcome
from analyzer.standards.standard import Control, Standard
from analyzer.terms import count_text


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

    `fails` counts failures that are not exempt, `exempt` failures that are, `undecided` all
    undecided findings.
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
        counts = (self.fails, "fail"), (self.undecided, "undecided")
        return ", ".join(f"{number} {word}" for number, word in counts if number)


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesRun:
    """Hold what makes a result uncertain, whatever the counts.

    `ran` are the ids of the rules that ran; `filtered` those that a filter leaves out with the root
    users; `lacking_input` has the reason for each rule that did not see all input; `limits` are the
    days that they ran with, by the names of `Thresholds`.
    """

    ran: Collection[str]
    filtered: Collection[str]
    lacking_input: Mapping[str, str]
    limits: Mapping[str, int]

    def doubt_of_failure(self, control: Control) -> str:
        """Return why a failure is uncertain: the limit was stricter than the standard's."""
        name, days = control.limit or ("", 0)
        return self._other_limit(name, days) if self.limits.get(name, 0) < days else ""

    def doubt_of_pass(self, control: Control, undecided: int) -> tuple[Result, str] | None:
        """Return why a pass is uncertain, though there are no failures."""
        if left_out := [rule for rule in control.rules if rule not in self.ran]:
            is_filtered = all(rule in self.filtered for rule in left_out)
            why = "The root user is left out by the filter" if is_filtered else "Optional rule"
            return Result.NOT_RUN, f"{why}, not run: {', '.join(left_out)}."
        if undecided:
            return Result.UNDECIDED, "Some findings are undecided."
        name, days = control.limit or ("", 0)
        if control.limit and self.limits[name] > days:
            return Result.UNDECIDED, self._other_limit(name, days)
        reasons = [self.lacking_input[rule] for rule in control.rules if rule in self.lacking_input]
        return (Result.UNDECIDED, reasons[0]) if reasons else None

    def _other_limit(self, name: str, days: int) -> str:
        return (
            f"The limit of this run is {count_text(self.limits[name], 'day')}; the control asks for"
            f" {count_text(days, 'day')}."
        )


def results(standard: Standard, counts: FindingCounts, run: RulesRun) -> tuple[ControlResult, ...]:
    """Return the results of the standard's controls, in its order.

    `counts` are the numbers of findings, as `rules.engine.page_counts` returns them.
    """
    return tuple(_result(control, counts, run) for control in standard.controls)


def summary(standard: Standard, controls: Iterable[ControlResult]) -> str:
    """Return the numbers of results: `CIS 3.0: 3 pass, 5 fail, 14 not decidable from a report`."""
    count = Counter(each.result for each in controls)
    numbers = [f"{count[result]} {result}" for result in Result if count[result]]
    source = " from a report" if count[Result.NOT_DECIDABLE] else ""
    return f"{standard.short_name}: {', '.join(numbers)}{source}"


def _result(control: Control, counts: FindingCounts, run: RulesRun) -> ControlResult:
    fails, exempt = (_number(control, counts, Outcome.FAILS, each) for each in (False, True))
    undecided = sum(_number(control, counts, Outcome.UNDECIDED, each) for each in (False, True))
    if not control.rules:
        result, why = Result.NOT_DECIDABLE, control.reason
    elif fails:
        why = run.doubt_of_failure(control)
        result = Result.UNDECIDED if why else Result.FAIL
    elif doubt := run.doubt_of_pass(control, undecided):
        result, why = doubt
    elif exempt:
        result, why = Result.EXCUSED, "All failures are exempt."
    else:
        result, why = Result.PASS, ""
    return ControlResult(
        control=control, result=result, fails=fails, exempt=exempt, undecided=undecided, why=why
    )


def _number(control: Control, counts: FindingCounts, outcome: Outcome, exempt: bool) -> int:  # noqa: FBT001  a key of the counts
    return sum(counts[rule, outcome, exempt] for rule in control.rules)
