"""Tell on the method's sheet which rules ran, how each decides, and what their words mean."""

from collections.abc import Mapping
from typing import Final

from analyzer.inspection import Inspection
from analyzer.rules import RULES
from analyzer.rules.rule import Outcome, Rule
from analyzer.standards.results import Result
from analyzer.terms import Severity
from analyzer.writers.rule_wording import how, limits, which
from analyzer.writers.workbook.grid import Grid

_OUTCOMES: Final[Mapping[Outcome, str]] = {
    Outcome.FAILS: "The rule fails. A run that is to fail for it does, unless an entry excuses it.",
    Outcome.NOTED: "Named, because it is worth knowing, though nothing fails.",
    Outcome.UNDECIDED: (
        "A cell that the rule needs was not understood, or two rows of one ARN differ in it. Never"
        " taken for a pass: look at it by hand."
    ),
}

_SEVERITY: Final = "Severities: how bad it is that a rule fails, which no standard says"
_SEVERITIES: Final[Mapping[Severity, str]] = {
    Severity.CRITICAL: "The root's own credentials: nothing limits what they can do.",
    Severity.HIGH: "One secret is enough to get in, or the root is in use.",
    Severity.MEDIUM: "A user, a password or a key that nobody uses, or that is too old.",
    Severity.LOW: "More ways in than are needed, or what was left behind.",
}

_RESULTS: Final[Mapping[Result, str]] = {
    Result.FAIL: "At least one finding that is not exempt fails it.",
    Result.UNDECIDED: "Nothing is known to fail it, but not everything was understood or seen.",
    Result.PASS: "Everything was seen, and nothing fails it.",
    Result.EXCUSED: "Only what is exempt fails it.",
    Result.NOT_RUN: "A rule that it needs was not asked for.",
    Result.NOT_DECIDABLE: "No credential report holds what it asks about. It is not a pass.",
}


def add_rules(grid: Grid, inspection: Inspection) -> None:
    """Add the sections about the rules."""
    book = inspection.book
    ran = {rule.id for rule in book.rules}
    left_out = ", ".join(rule.id for rule in RULES if rule.id not in ran) or "none"
    grid.lines(
        "The rules: which ran, and by which limits",
        (("Standard", which(book)), ("Limits", limits(book)), ("Rules that did not run", left_out)),
    )
    grid.lines(
        "How each rule decides",
        ((rule.id, f"{_title(rule)}. {how(rule, book.thresholds)}") for rule in book.rules),
    )
    grid.words(_SEVERITY, _SEVERITIES.items())
    grid.words("Outcomes of findings", _OUTCOMES.items())
    grid.words("Results of controls", _RESULTS.items())


def _title(rule: Rule) -> str:
    return f"{rule.severity.capitalize()}. {rule.title}"
