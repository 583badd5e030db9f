"""Run rules over a page of users and a page of roots, and put what they find in one frame."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa

from analyzer import columns
from analyzer.facts import Facts
from analyzer.model import Page, as_category, concatenated
from analyzer.rules.rule import (
    DAYS,
    FACT,
    FINDINGS,
    OUTCOME,
    RULE,
    SEVERITY,
    SINCE,
    SUBJECT,
    Outcome,
    Rule,
    Subject,
)
from analyzer.rules.wording import undecided_facts
from analyzer.terms import Severity, Thresholds

_WHO: Final = [columns.FILE, columns.ROW, columns.ACCOUNT, columns.USER, columns.ARN]
_NEVER: Final = np.datetime64("NaT", "s")


class ExemptionCodes(Protocol):
    """Tell who on a page is excused from a rule: codes that are positions in `reasons`, or 0."""

    @property
    def reasons(self) -> Sequence[str]:
        """Return the reasons, the first of which is empty."""

    def codes(self, rule: str) -> np.ndarray:
        """Return a code for each user of the page."""


@dataclass(frozen=True, slots=True)
class Nobody:
    """Excuse nobody on a page."""

    page: Page
    reasons: Sequence[str] = ("",)

    def codes(self, rule: str) -> np.ndarray:
        """Return no code but 0."""
        del rule
        return np.zeros(len(self.page), np.int32)


MatchExemptions = Callable[[Page], ExemptionCodes]
FindingCounts = Counter[tuple[str, Outcome, bool]]
"""How many findings there are of each rule's id and outcome, of whom is excused or not."""


def page_findings(
    page: Page | None,
    roots: Page | None,
    rules: Sequence[Rule],
    thresholds: Thresholds,
    excused: MatchExemptions = Nobody,
) -> pd.DataFrame:
    """Return what the rules find, with the columns that `rule.FINDINGS` describes.

    `page` holds IAM users with their verdicts, `roots` root rows, at least one of them is there.
    The findings stand in the order of the rules; of each, the undecided come last; then by slot;
    then as the pages have them.
    """
    frames = [
        _findings(each, rules, thresholds, excused(each), of_roots=each is roots)
        for each in (page, roots)
        if each is not None
    ]
    return concatenated([frame for frame in frames if len(frame)] or frames)


def page_counts(
    page: Page | None,
    roots: Page | None,
    rules: Sequence[Rule],
    thresholds: Thresholds,
    excused: MatchExemptions = Nobody,
) -> FindingCounts:
    """Return how many findings there are, without wording them."""
    count: FindingCounts = Counter()
    for each in (page, roots):
        if each is not None and len(each):
            evidence, excuses = Facts(each), excused(each)
            for rule in _rules_about(rules, of_roots=each is roots):
                kinds = _positions_by_outcome(rule, evidence, thresholds)
                count.update(_outcome_counts(rule.id, kinds, excuses.codes(rule.id) > 0))
    return count


def _rules_about(rules: Sequence[Rule], *, of_roots: bool) -> list[Rule]:
    return [rule for rule in rules if (rule.subject is Subject.ROOT) is of_roots]


def _outcome_counts(rule: str, kinds: Sequence[np.ndarray], exempt: np.ndarray) -> FindingCounts:
    count: FindingCounts = Counter()
    for outcome, at in zip(Outcome, kinds, strict=True):
        excused = int(exempt[at % len(exempt)].sum()) if exempt.any() else 0
        count[rule, outcome, True] = excused
        count[rule, outcome, False] = len(at) - excused
    return count


@dataclass(frozen=True, slots=True)
class _RuleFindings:
    """Hold what one rule found, each array with one value a finding.

    `rule` and `outcome` are positions among the rules and in `Outcome`, `user` is whom it is
    about, `slot` 0 where the subject has none.
    """

    rule: np.ndarray
    outcome: np.ndarray
    user: np.ndarray
    slot: np.ndarray
    created: np.ndarray
    since: np.ndarray
    days: np.ndarray
    facts: pa.Array
    exemption: np.ndarray


def _findings(
    page: Page,
    rules: Sequence[Rule],
    thresholds: Thresholds,
    excuses: ExemptionCodes,
    *,
    of_roots: bool,
) -> pd.DataFrame:
    evidence = Facts(page)
    found = [
        _findings_of_rule(position, rule, evidence, thresholds, excuses)
        for position, rule in enumerate(rules)
        if len(page) and (rule.subject is Subject.ROOT) is of_roots
    ]
    return _frame(page, rules, found, excuses.reasons)


def _findings_of_rule(
    position: int, rule: Rule, evidence: Facts, thresholds: Thresholds, excuses: ExemptionCodes
) -> _RuleFindings:
    kinds = _positions_by_outcome(rule, evidence, thresholds)
    told, unsure = np.concatenate(kinds[:2]), kinds[2]
    at = np.concatenate(kinds)
    slot, user = np.divmod(at, len(evidence.page))
    since, days = _since(rule, evidence, at)
    return _RuleFindings(
        rule=np.full(len(at), position),
        outcome=np.repeat(np.arange(len(Outcome)), [len(kind) for kind in kinds]),
        user=user,
        slot=slot + rule.subject.in_slots,
        created=_created(rule.subject, evidence)[at],
        since=since,
        days=days,
        facts=pa.concat_arrays(
            [rule.fact(evidence, told, thresholds), undecided_facts(rule, evidence, unsure)]
        ),
        exemption=excuses.codes(rule.id)[user],
    )


def _positions_by_outcome(rule: Rule, evidence: Facts, thresholds: Thresholds) -> list[np.ndarray]:
    """Return the positions that fail, those that are noted and those that are undecided."""
    truth = rule.judge(evidence, thresholds)
    noted = truth.no & rule.notes(evidence) if rule.notes else np.zeros(len(truth.no), bool)
    return [np.flatnonzero(mask) for mask in (truth.yes, noted, truth.undecided)]


def _created(subject: Subject, evidence: Facts) -> np.ndarray:
    if subject is Subject.ACCESS_KEY:
        return evidence.key_age.moment
    if subject is Subject.CERTIFICATE:
        return evidence.certificate_age.moment
    return evidence.age.moment


def _since(rule: Rule, evidence: Facts, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the moments counted from and the days, NaT and 0 where there are none."""
    if rule.since is None:
        return np.full(len(at), _NEVER), np.zeros(len(at), np.int64)
    elapsed = rule.since(evidence)
    told = elapsed.known.yes[at]
    return np.where(told, elapsed.moment[at], _NEVER), elapsed.days[at]


def _frame(
    page: Page, rules: Sequence[Rule], found: Sequence[_RuleFindings], reasons: Sequence[str]
) -> pd.DataFrame:
    def every(name: str, dtype: str) -> np.ndarray:
        return np.concatenate([np.array([], dtype), *(getattr(each, name) for each in found)])

    rule, slot = every("rule", "int64"), every("slot", "int64").astype("int8")
    since = every("since", "datetime64[s]")
    severity = np.array([each.severity.rank for each in rules])
    subject = np.array([list(Subject).index(each.subject) for each in rules])
    who = page.users[_WHO].take(every("user", "int64"))
    told: dict[str, Any] = {
        **{name: who[name].array for name in _WHO},
        RULE: as_category(rule, [each.id for each in rules]),
        SEVERITY: as_category(severity[rule], Severity),
        SUBJECT: as_category(subject[rule], Subject),
        columns.SLOT: pd.arrays.IntegerArray(slot, slot == 0),
        columns.CREATED: pd.DatetimeIndex(every("created", "datetime64[s]"), tz="UTC"),
        SINCE: pd.DatetimeIndex(since, tz="UTC"),
        DAYS: pd.arrays.IntegerArray(every("days", "int64"), np.isnat(since)),
        FACT: _texts([each.facts for each in found]),
        OUTCOME: as_category(every("outcome", "int64"), Outcome),
        columns.EXEMPTION: as_category(every("exemption", "int32"), reasons),
    }
    return pd.DataFrame({name: told[name] for name in FINDINGS}, copy=False)


def _texts(facts: Sequence[pa.Array]) -> pd.Series:
    every = pa.chunked_array(facts, pa.string()).cast(pa.large_string())
    return pd.Series(every.to_pandas(), copy=False)
