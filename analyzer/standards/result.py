"""Say how the controls of a standard came out."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from analyzer.standards.control import Control, Standard


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
    counts: Mapping[Any, int],
    *,
    ran: Collection[str],
    unseen: Mapping[str, str],
) -> tuple[ControlResult, ...]:
    """Return how the standard's controls came out.

    `counts` are the numbers of findings, as `analyzer.rules.engine.counted` gives them; `ran` are
    the ids of the rules that ran, `unseen` says of those that did not see everything why.
    """
    return tuple(_result(control, counts, ran, unseen) for control in standard.controls)


def _result(
    control: Control, counts: Mapping[Any, int], ran: Collection[str], unseen: Mapping[str, str]
) -> ControlResult:
    fails, exempt = (_number(control, counts, "fails", each) for each in (False, True))
    undecided = sum(_number(control, counts, "undecided", each) for each in (False, True))
    if not control.rules:
        result, why = Result.NOT_DECIDABLE, control.reason
    elif fails:
        result, why = Result.FAIL, ""
    elif doubt := _doubt(control, undecided, ran, unseen):
        result, why = doubt
    elif exempt:
        result, why = Result.EXCUSED, "Who fails it is exempt."
    else:
        result, why = Result.PASS, ""
    return ControlResult(
        control=control, result=result, fails=fails, exempt=exempt, undecided=undecided, why=why
    )


def _number(control: Control, counts: Mapping[Any, int], outcome: str, exempt: bool) -> int:  # noqa: FBT001  a key of the counts
    return sum(counts.get((rule, outcome, exempt), 0) for rule in control.rules)


def _doubt(
    control: Control, undecided: int, ran: Collection[str], unseen: Mapping[str, str]
) -> tuple[Result, str] | None:
    """Return why a control cannot be said to pass, though nothing is known to fail it."""
    if left_out := [rule for rule in control.rules if rule not in ran]:
        return Result.NOT_RUN, f"It was not asked for: {', '.join(left_out)}."
    if undecided:
        return Result.UNDECIDED, "A cell that it needs was not understood."
    return next(
        ((Result.UNDECIDED, unseen[rule]) for rule in control.rules if rule in unseen), None
    )
