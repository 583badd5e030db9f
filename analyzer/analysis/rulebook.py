"""Choose the rules that run, their limits, and the standard whose controls are shown."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Final

from analyzer.limits import Thresholds
from analyzer.rules import RULES, RULES_BY_ID
from analyzer.rules.rule import Rule
from analyzer.standards import STANDARDS, Control, Standard
from analyzer.terms import Benchmark

DEFAULT_RULES: Final = "default"
ALL_RULES: Final = "all"
_MAIN_RULE: Final = RULES[0].id  # runs beside each benchmark, and is a control of none

OWN_STANDARD: Final = Standard(
    id="credreport",
    name="credreport's own rules",
    short_name="credreport",
    scope=f"{len(RULES)} in all",
    source="ids of the rules",
    controls=tuple(
        Control(number=rule.id, title=rule.requirement, rules=(rule.id,)) for rule in RULES
    ),
)
"""The standard of a run without a benchmark: each rule is a control of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rulebook:
    """Hold the rules that run, their limits, and the standard whose controls are shown."""

    rules: tuple[Rule, ...]
    thresholds: Thresholds
    standard: Standard

    def __repr__(self) -> str:
        """Return its standard and its number of rules, in a line."""
        return f"<Rulebook: {self.standard.short_name}, rules {len(self.rules)}>"

    @property
    def has_benchmark(self) -> bool:
        """Return whether the controls are those of a benchmark."""
        return self.standard.id != OWN_STANDARD.id


def rulebook(
    benchmark: Benchmark | str | None = None,
    *,
    rules: Collection[str] | str = (),
    limits: Mapping[str, int] | None = None,
) -> Rulebook:
    """Return the rules and limits of a benchmark, or the default rules and limits.

    The rule `unused-user` runs beside each benchmark.

    `rules` are the ids of the rules to run instead, or one id; `default` stands for the rules that
    run otherwise, `all` for every rule. `limits` are days by the names of `Thresholds`.

    Raises ValueError for an unknown id, benchmark or limit, and for days that are not a whole
    number of 1 or more.
    """
    if isinstance(rules, str):
        rules = [rules]
    standard = OWN_STANDARD
    default = {rule.id for rule in RULES if rule.default}
    if benchmark is not None:
        _check_words("benchmark", [benchmark], Benchmark)
        standard = next(standard for standard in STANDARDS if standard.id == benchmark)
        default = {_MAIN_RULE} | standard.rules
    chosen: set[str] = set()
    for word in rules or [DEFAULT_RULES]:
        if word == DEFAULT_RULES:
            chosen |= default
        elif word == ALL_RULES:
            chosen.update(RULES_BY_ID)
        else:
            chosen.add(word)
    _check_words("rule", chosen, RULES_BY_ID, DEFAULT_RULES, ALL_RULES)
    _check_words("limit", limits or (), asdict(Thresholds()))
    days = standard.limits | dict(limits or {})
    return Rulebook(
        rules=tuple(rule for rule in RULES if rule.id in chosen),
        thresholds=replace(Thresholds(), **days),
        standard=standard,
    )


def _check_words(kind: str, words: Iterable[str], known: Iterable[str], *others: str) -> None:
    """Raise ValueError for unknown words; its message names the known words and the others."""
    if unknown := sorted(set(words).difference(known)):
        choices = ", ".join([*known, *others])
        raise ValueError(f"unknown {kind} {', '.join(unknown)}: choose from {choices}")
