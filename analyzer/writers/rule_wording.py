"""Say in words how the rules decide, by which limits, and what they did not see."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from analyzer.inspection import Inspection
from analyzer.rules.rule import Rule
from analyzer.standards.rulebook import Rulebook
from analyzer.terms import Thresholds

_LIMITS: Final[Mapping[str, str]] = {
    "idle_days": "passwords and access keys fail from {} days without use",
    "rotation_days": "access keys fail when older than {} days",
    "root_used_days": "a use of the root fails if less than {} days old",
}
"""What each threshold means."""


def how(rule: Rule, thresholds: Thresholds) -> str:
    """Return how a rule decides, with its limit as it was set."""
    if rule.threshold is None:
        return rule.how
    return rule.how.replace(rule.threshold, str(asdict(thresholds)[rule.threshold]))


def limits(book: Rulebook) -> str:
    """Return the limits of the rules that ran."""
    used = {rule.threshold for rule in book.rules}
    days = asdict(book.thresholds)
    told = [text.format(f"{days[name]:,}") for name, text in _LIMITS.items() if name in used]
    return sentence("; ".join(told) or "the rules that ran have none")


def which(book: Rulebook) -> str:
    """Return how many rules ran, for which standard."""
    return f"{book.standard.name} ({book.standard.scope}): {len(book.rules)} ran."


def blind(inspection: Inspection) -> list[str]:
    """Say which rules did not see everything, and why."""
    rules: dict[str, list[str]] = {}
    for rule, why in inspection.unseen.items():
        rules.setdefault(why, []).append(rule)
    every = len(inspection.book.rules)
    return [
        f"{'Every rule' if len(ids) == every else ', '.join(ids)}: not everything was seen. {why}"
        for why, ids in rules.items()
    ]


def sentence(text: str) -> str:
    """Return text as a sentence."""
    return text[0].upper() + text[1:] + "."
