"""Explain rules to people, from the same fields that the rules are made of."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from typing import Final

from analyzer.rules.rule import Rule
from analyzer.terms import Thresholds

_WIDTH: Final = 88


def listed(rules: Sequence[Rule]) -> list[str]:
    """Return a line a rule: id, severity, title."""
    longest = max(len(rule.id) for rule in rules)
    return [f"{rule.id:<{longest}}  {rule.severity:<8}  {_title(rule)}" for rule in rules]


def explained(rule: Rule, references: Iterable[tuple[str, Sequence[str]]]) -> str:
    """Return the manual page of a rule.

    `references` are what standards and frameworks call it: (name, control numbers).
    """
    sections = (
        ("Why", [rule.why]),
        ("How it is decided", [rule.how, *_limit(rule)]),
        ("Columns of the report", [", ".join(rule.columns)]),
        ("What to do", rule.remedy),
        ("Standards", [f"{name}: {', '.join(numbers)}" for name, numbers in references]),
        ("Read more", rule.references),
    )
    each = rule.subject.replace("-", " ")
    heads = [rule.id, _title(rule), f"Severity {rule.severity}, judged for each {each}"]
    return "\n".join([*heads, *(line for head, body in sections for line in _section(head, body))])


def markdown(rules: Sequence[Rule]) -> str:
    """Return the table of the rules for the README."""
    rows = [f"| `{rule.id}` | {rule.title} | {_severity(rule)} |" for rule in rules]
    return "\n".join(["| rule | finds | severity |", "|---|---|---|", *rows])


def _severity(rule: Rule) -> str:
    return rule.severity if rule.default else f"{rule.severity}; off unless asked for"


def _title(rule: Rule) -> str:
    return rule.title if rule.default else f"{rule.title} (off by default)"


def _limit(rule: Rule) -> list[str]:
    return [
        f"{each.name} is {each.default} unless set otherwise."
        for each in fields(Thresholds)
        if each.name == rule.threshold
    ]


def _section(head: str, body: Iterable[str]) -> Iterator[str]:
    lines = [line for text in body for line in _wrapped(text)]
    return iter(["", head, *lines] if lines else [])


def _wrapped(text: str) -> list[str]:
    """Break prose into lines; commands and addresses stay whole, to be copied."""
    if text.startswith(("aws ", "https://")):
        return [f"  {text}"]
    return textwrap.wrap(text, _WIDTH, initial_indent="  ", subsequent_indent="  ")
