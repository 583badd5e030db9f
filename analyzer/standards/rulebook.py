"""Choose the rules that run, their limits, and the standard whose controls are shown."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

from analyzer.rules import RULES
from analyzer.rules.rule import Rule
from analyzer.standards import STANDARDS
from analyzer.standards.standard import Standard, decided
from analyzer.terms import Benchmark, Severity, Thresholds

OWN: Final = Standard(
    id="credreport",
    name="credreport's own rules",
    short_name="credreport",
    scope=f"{len(RULES)} in all",
    source="credreport rules",
    controls=tuple(decided(rule.requirement, rule.id).under(rule.id) for rule in RULES),
)
"""What is shown without a standard: each rule is a control of its own."""

DEFAULT: Final = "default"
EVERY: Final = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rulebook:
    """Hold the rules that run, their limits, and the standard whose controls are shown."""

    rules: tuple[Rule, ...]
    thresholds: Thresholds
    standard: Standard


def rulebook(
    benchmark: Benchmark | str | None = None,
    *,
    rules: Collection[str] = (),
    skip: Collection[str] = (),
    least: Severity | str = Severity.LOW,
    limits: Mapping[str, int] | None = None,
) -> Rulebook:
    """Return the rules and limits of a benchmark; without one, the default rules and limits.

    `rules` are the ids of the rules to run instead; `default` stands for those that would have
    run, `all` for every rule. `skip` are the ids of rules that do not run; rules less severe than
    `least` do not run either. `limits` are days by the names of `Thresholds`.

    Raises ValueError for an unknown id, benchmark or severity, and for days that are not a whole
    number of 1 or more.
    """
    standard = _standard(benchmark)
    by_default = [rule.id for rule in RULES if rule.default]
    words = {
        DEFAULT: standard.rules if benchmark else by_default,
        EVERY: [rule.id for rule in RULES],
    }
    chosen = {each for word in rules or [DEFAULT] for each in words.get(word, [word])}
    unknown = sorted({*chosen, *skip} - {rule.id for rule in RULES})
    if unknown:
        known = ", ".join([*words[EVERY], DEFAULT, EVERY])
        raise ValueError(f"unknown rule {', '.join(unknown)}: choose from {known}")
    mildest = Severity(least).rank
    return Rulebook(
        rules=tuple(
            rule
            for rule in RULES
            if rule.id in chosen and rule.id not in skip and rule.severity.rank <= mildest
        ),
        thresholds=replace(Thresholds(), **{**standard.limits, **(limits or {})}),
        standard=standard,
    )


def _standard(benchmark: Benchmark | str | None) -> Standard:
    if benchmark is None:
        return OWN
    return next(each for each in STANDARDS if each.id == Benchmark(benchmark))
