"""Choose the rules that run, their limits, and the standard whose controls are shown."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final

from analyzer import columns
from analyzer.limits import Thresholds
from analyzer.rules import RULES
from analyzer.rules.rule import UNCOVERED_ACCOUNT, Rule
from analyzer.standards import STANDARDS, Control, Standard
from analyzer.terms import Benchmark, Severity

OWN_STANDARD: Final = "credreport"
"""The id of the standard of a run without a benchmark: each rule is a control of its own."""

DEFAULT_RULES: Final = "default"
ALL_RULES: Final = "all"
_MAIN_RULE: Final = RULES[0].id  # runs beside each benchmark, and is a control of none
_ID: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rulebook:
    """Hold the rules that run, their limits, and the standard whose controls are shown.

    `rules_by_id` are all rules that can run, by their ids.
    """

    rules: tuple[Rule, ...]
    thresholds: Thresholds
    standard: Standard
    rules_by_id: Mapping[str, Rule]

    def __repr__(self) -> str:
        """Return its standard and its number of rules, in a line."""
        return f"<Rulebook: {self.standard.short_name}, rules {len(self.rules)}>"

    @property
    def has_benchmark(self) -> bool:
        """Return whether the controls are those of a benchmark."""
        return self.standard.id != OWN_STANDARD


def rulebook(  # noqa: PLR0913  each is one choice
    benchmark: Benchmark | str | None = None,
    *,
    rules: Collection[str] | str = (),
    skip: Collection[str] | str = (),
    extra: Sequence[Rule] = (),
    least: Severity | str = Severity.LOW,
    limits: Mapping[str, int] | None = None,
) -> Rulebook:
    """Return the rules and limits of a benchmark, or the default rules and limits.

    The rule `unused-user` runs beside each benchmark.

    `rules` are the ids of the rules to run instead, or one id; `default` stands for the rules that
    run otherwise, `all` for every rule. `skip` are the ids of rules that do not run; rules less
    severe than `least` do not run either. `extra` are your own rules, which run last. `limits` are
    days by the names of `Thresholds`.

    Raises ValueError for an unknown id, benchmark, severity or limit, for an extra rule whose id is
    taken or has another form, or that reads a column that no report has, and for days that are not
    a whole number of 1 or more; TypeError for an extra rule that is not a Rule.
    """
    rules, skip = ([names] if isinstance(names, str) else names for names in (rules, skip))
    known = _rules_by_id(extra)
    standard = own_rules_standard(known.values())
    if benchmark is not None:
        _check_words("benchmark", [benchmark], Benchmark)
        standard = next(standard for standard in STANDARDS if standard.id == benchmark)
    _check_words("severity", [least], Severity)
    _check_words("limit", limits or (), asdict(Thresholds()))
    by_default = [rule.id for rule in known.values() if rule.default]
    own = [rule.id for rule in extra if rule.default]
    words = {
        DEFAULT_RULES: [_MAIN_RULE, *standard.rules, *own] if benchmark else by_default,
        ALL_RULES: [*known],
    }
    chosen = {rule for word in rules or [DEFAULT_RULES] for rule in words.get(word, [word])}
    _check_words("rule", {*chosen, *skip}, known, *words)
    some = (rule for rule in known.values() if rule.id in chosen and rule.id not in skip)
    run = tuple(rule for rule in some if rule.severity.rank <= Severity(least).rank)
    thresholds = replace(Thresholds(), **{**standard.limits, **(limits or {})})
    return Rulebook(rules=run, thresholds=thresholds, standard=standard, rules_by_id=known)


def _check_words(kind: str, words: Iterable[str], known: Iterable[str], *others: str) -> None:
    """Raise ValueError for unknown words; its message names the known words and the others."""
    if unknown := sorted({*words} - {*known}):
        choices = ", ".join([*known, *others])
        raise ValueError(f"unknown {kind} {', '.join(unknown)}: choose from {choices}")


def own_rules_standard(rules: Collection[Rule]) -> Standard:
    """Return the standard of a run without a benchmark."""
    return Standard(
        id=OWN_STANDARD,
        name="credreport's own rules",
        short_name="credreport",
        scope=f"{len(rules)} in all",
        source="ids of the rules",
        controls=tuple(
            Control(number=rule.id, title=rule.requirement, rules=(rule.id,)) for rule in rules
        ),
    )


def _rules_by_id(extra: Sequence[Rule]) -> dict[str, Rule]:
    """Return all rules by their ids, the extra ones last."""
    known = {rule.id: rule for rule in RULES}
    for rule in extra:
        if not isinstance(rule, Rule):
            raise TypeError(f"an extra rule is an analyzer.Rule, not {rule!r}")
        if not _ID.fullmatch(rule.id):
            raise ValueError(f"rule id {rule.id!r}: use small letters, digits and single hyphens")
        if rule.id in (*known, DEFAULT_RULES, ALL_RULES, UNCOVERED_ACCOUNT.id):
            raise ValueError(f"rule id {rule.id!r} is taken: choose another id")
        for name, read, there in (
            ("reads", rule.reads, columns.IN_REPORT),
            ("reads_keys", rule.reads_keys, columns.AccessKeyColumns._fields),
            ("reads_certificates", rule.reads_certificates, columns.CertificateColumns._fields),
        ):
            _check_words(f"column in {name} of rule {rule.id}:", read, there)
        known[rule.id] = rule
    return known
