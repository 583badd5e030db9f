"""Say how the controls of a standard came out."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from analyzer.rules.engine import FindingCounts
from analyzer.rules.rule import Outcome
from analyzer.standards.standard import Control, Standard


class Result(StrEnum):
    """Say how a control came out."""

    FAIL = "fail"
    UNDECIDED = "undecided"
    PASS = "pass"
    EXCUSED = "pass but for exemptions"
    NOT_RUN = "not run"
    NOT_DECIDABLE = "not decidable"


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlResult:
    """Hold how a control came out, how many findings fail it, of which exempt, and why.

    `fails` counts those that are not exempt, `exempt` those that are, `undecided` those of either
    that are left open.
    """

    control: Control
    result: Result
    fails: int
    exempt: int
    undecided: int
    why: str


def results(
    standard: Standard,
    counts: FindingCounts,
    *,
    ran: Collection[str],
    unseen: Mapping[str, str],
    limits: Mapping[str, int],
) -> tuple[ControlResult, ...]:
    """Return how the standard's controls came out.

    `counts` are the numbers of findings, as `rules.engine.page_counts` gives them; `ran` are the
    ids of the rules that ran, `unseen` says of those that did not see everything why;
    `limits` are the days that they ran with, by the names of `Thresholds`.
    """
    doubts = _Doubts(ran, unseen, limits)
    return tuple(_result(control, counts, doubts) for control in standard.controls)


@dataclass(frozen=True, slots=True)
class _Doubts:
    """Tell why a result may not be said, though the counts would let it."""

    ran: Collection[str]
    unseen: Mapping[str, str]
    limits: Mapping[str, int]

    def of_failure(self, control: Control) -> str:
        """Return why a failure need not be one: the limit was stricter than the standard's."""
        name, days = control.limit or ("", 0)
        return self._other_limit(name, days) if self.limits.get(name, 0) < days else ""

    def of_pass(self, control: Control, undecided: int) -> tuple[Result, str] | None:
        """Return why a control cannot be said to pass, though nothing is known to fail it."""
        if left_out := [rule for rule in control.rules if rule not in self.ran]:
            return Result.NOT_RUN, f"It was not asked for: {', '.join(left_out)}."
        if undecided:
            return Result.UNDECIDED, "A cell that it needs was not understood."
        name, days = control.limit or ("", 0)
        if control.limit and self.limits[name] > days:
            return Result.UNDECIDED, self._other_limit(name, days)
        found = [self.unseen[rule] for rule in control.rules if rule in self.unseen]
        return (Result.UNDECIDED, found[0]) if found else None

    def _other_limit(self, name: str, days: int) -> str:
        return (
            f"It was judged by a limit of {self.limits[name]} days, not by the {days} it asks for."
        )


def _result(control: Control, counts: FindingCounts, doubts: _Doubts) -> ControlResult:
    fails, exempt = (_number(control, counts, Outcome.FAILS, each) for each in (False, True))
    undecided = sum(_number(control, counts, Outcome.UNDECIDED, each) for each in (False, True))
    if not control.rules:
        result, why = Result.NOT_DECIDABLE, control.reason
    elif fails:
        why = doubts.of_failure(control)
        result = Result.UNDECIDED if why else Result.FAIL
    elif doubt := doubts.of_pass(control, undecided):
        result, why = doubt
    elif exempt:
        result, why = Result.EXCUSED, "Who fails it is exempt."
    else:
        result, why = Result.PASS, ""
    return ControlResult(
        control=control, result=result, fails=fails, exempt=exempt, undecided=undecided, why=why
    )


def _number(control: Control, counts: FindingCounts, outcome: Outcome, exempt: bool) -> int:  # noqa: FBT001  a key of the counts
    return sum(counts[rule, outcome, exempt] for rule in control.rules)
