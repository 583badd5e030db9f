"""Choose the rules that run, their limits and the standard, and give its controls their results."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from analyzer import columns
from analyzer.limits import Thresholds
from analyzer.rules import RULES
from analyzer.rules.rule import UNCOVERED_ACCOUNT, Outcome, Rule
from analyzer.standards import STANDARDS, Control, Standard
from analyzer.terms import Benchmark, Severity, count_text

if TYPE_CHECKING:
    from analyzer.rules.engine import FindingCounts

OWN_STANDARD: Final = "credreport"
"""The id of the standard of a run without a benchmark: each rule is a control of its own."""

DEFAULT_RULES: Final = "default"
ALL_RULES: Final = "all"
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
    """Return the rules and limits of a benchmark; without one, the default rules and limits.

    `rules` are the ids of the rules to run instead, or the only one; `default` stands for those
    that would have run, `all` for every rule. `skip` are the ids of rules that do not run; rules
    less severe than `least` do not run either. `extra` are rules of one's own, which run last.
    `limits` are days by the names of `Thresholds`.

    Raises ValueError for an unknown id, benchmark, severity or limit, for an id of an extra rule
    that is there already or has another form, for a column that it reads and no report has, and
    for days that are not a whole number of 1 or more; TypeError for an extra rule that is not a
    Rule.
    """
    rules, skip = ([each] if isinstance(each, str) else each for each in (rules, skip))
    known = _rules_by_id(extra)
    standard = own_rules_standard(known.values())
    if benchmark is not None:
        _check_words("benchmark", [benchmark], Benchmark)
        standard = next(each for each in STANDARDS if each.id == benchmark)
    _check_words("severity", [least], Severity)
    _check_words("limit", limits or (), asdict(Thresholds()))
    by_default = [rule.id for rule in known.values() if rule.default]
    own = [rule.id for rule in extra if rule.default]
    words = {
        DEFAULT_RULES: [*standard.rules, *own] if benchmark else by_default,
        ALL_RULES: [*known],
    }
    chosen = {each for word in rules or [DEFAULT_RULES] for each in words.get(word, [word])}
    _check_words("rule", {*chosen, *skip}, known, *words)
    some = (rule for rule in known.values() if rule.id in chosen and rule.id not in skip)
    run = tuple(rule for rule in some if rule.severity.rank <= Severity(least).rank)
    thresholds = replace(Thresholds(), **{**standard.limits, **(limits or {})})
    return Rulebook(rules=run, thresholds=thresholds, standard=standard, rules_by_id=known)


def _check_words(kind: str, words: Iterable[str], known: Iterable[str], *others: str) -> None:
    """Raise ValueError for words that are not known; it names those that are, and others."""
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
        source="credreport rules",
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


# Results


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

    `fails` and `undecided` count findings that are not exempt, `exempt` those that are.
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
        return ", ".join(f"{number:,} {word}" for number, word in counts if number)

    @property
    def rules_text(self) -> str:
        """Return of which rules the findings are, empty if there are none."""
        return ", ".join(self.control.rules) if self.fails or self.undecided else ""


def control_results(
    book: Rulebook,
    counts: "FindingCounts",
    *,
    lacking_input: Mapping[str, str],
    left_out: Collection[str] = (),
) -> tuple[ControlResult, ...]:
    """Return the results of the controls of the book's standard, in its order.

    `counts` are the numbers of findings. `lacking_input` has the reason for each rule that did not
    see all input; `left_out` are the ids of those that a filter leaves out with the root users.
    """
    return tuple(
        _control_result(control, book, counts, lacking_input, left_out)
        for control in book.standard.controls
    )


def _control_result(
    control: Control,
    book: Rulebook,
    counts: "FindingCounts",
    lacking_input: Mapping[str, str],
    left_out: Collection[str],
) -> ControlResult:
    def number(*outcomes: Outcome, exempt: bool = False) -> int:
        return sum(counts[rule, each, exempt] for rule in control.rules for each in outcomes)

    fails, undecided = number(Outcome.FAILS), number(Outcome.UNDECIDED)
    exempt = number(Outcome.FAILS, Outcome.UNDECIDED, exempt=True)
    name, asked = control.limit or ("", 0)
    limit = getattr(book.thresholds, name, asked)
    other_limit = (
        f"The limit of this run is {count_text(limit, 'day')}; the control asks for"
        f" {count_text(asked, 'day')}."
    )
    ran = {rule.id for rule in book.rules}
    not_run = [rule for rule in control.rules if rule not in ran]
    is_filtered = all(rule in left_out for rule in not_run)
    why_not_run = "The root user is left out by the filter" if is_filtered else "Rule not selected"
    lacking = [lacking_input[rule] for rule in control.rules if rule in lacking_input]
    cases = (
        (not control.rules, Result.NOT_DECIDABLE, control.reason),
        (fails and limit < asked, Result.UNDECIDED, other_limit),
        (fails, Result.FAIL, ""),
        (not_run, Result.NOT_RUN, f"{why_not_run}, not run: {', '.join(not_run)}."),
        (undecided, Result.UNDECIDED, "Some findings are undecided."),
        (limit > asked, Result.UNDECIDED, other_limit),
        (lacking, Result.UNDECIDED, next(iter(lacking), "")),
        (exempt, Result.EXCUSED, "All failures and undecided findings are exempt."),
        (True, Result.PASS, ""),
    )
    result, why = next((result, why) for holds, result, why in cases if holds)
    return ControlResult(
        control=control, result=result, fails=fails, exempt=exempt, undecided=undecided, why=why
    )


def summary(standard: Standard, controls: Iterable[ControlResult]) -> str:
    """Return the numbers of results: `CIS 3.0: 3 pass, 5 fail, 14 not decidable from a report`."""
    count = Counter(each.result for each in controls)
    numbers = [f"{count[result]} {result}" for result in Result if count[result]]
    source = " from a report" if count[Result.NOT_DECIDABLE] else ""
    return f"{standard.short_name}: {', '.join(numbers)}{source}"
