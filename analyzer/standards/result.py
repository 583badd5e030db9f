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
    NOT_DECIDABLE = "not decidable"


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlResult:
    """Hold how a control came out, how many findings fail it and leave it open, and why."""

    control: Control
    result: Result
    fails: int
    undecided: int
    why: str


def results(
    standard: Standard, counts: Mapping[Any, int], unseen: Collection[str] = ()
) -> tuple[ControlResult, ...]:
    """Return how the standard's controls came out.

    `counts` are the numbers of findings, as `analyzer.rules.engine.counted` gives them; `unseen`
    the ids of rules that had nothing to look at in some account, as a report without its root row
    leaves them.
    """
    return tuple(_result(control, counts, unseen) for control in standard.controls)


def _result(control: Control, counts: Mapping[Any, int], unseen: Collection[str]) -> ControlResult:
    fails = sum(counts.get((rule, "fails"), 0) for rule in control.rules)
    undecided = sum(counts.get((rule, "undecided"), 0) for rule in control.rules)
    missing = any(rule in unseen for rule in control.rules)
    if not control.rules:
        result, why = Result.NOT_DECIDABLE, control.reason
    elif fails:
        result, why = Result.FAIL, ""
    elif undecided:
        result, why = Result.UNDECIDED, "A cell that it needs was not understood."
    elif missing:
        result, why = Result.UNDECIDED, "The report of an account lacks the row that it needs."
    else:
        result, why = Result.PASS, ""
    return ControlResult(control=control, result=result, fails=fails, undecided=undecided, why=why)
