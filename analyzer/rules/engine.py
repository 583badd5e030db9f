"""Run rules over a page of users and a page of roots, and put what they find in one frame."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from analyzer import columns
from analyzer.model import Page, joined, worded
from analyzer.rules.doubt import doubts
from analyzer.rules.evidence import Evidence
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
from analyzer.terms import Severity, Thresholds

_WHO: Final = [columns.FILE, columns.ROW, columns.ACCOUNT, columns.USER, columns.ARN]
_NEVER: Final = np.datetime64("NaT", "s")


def findings(
    page: Page, roots: Page, rules: Sequence[Rule], thresholds: Thresholds
) -> pd.DataFrame:
    """Return what the rules find, with the columns that `rule.FINDINGS` describes.

    `page` holds IAM users with their verdicts, `roots` root rows, each at most once. The findings
    stand in the order of the rules; of each, the undecided come last; then by slot; then as the
    pages have them.
    """
    of_users = _findings(page, rules, thresholds, of_roots=False)
    of_roots = _findings(roots, rules, thresholds, of_roots=True)
    return joined([of_users, of_roots]) if len(of_roots) else of_users


def counted(
    page: Page, roots: Page, rules: Sequence[Rule], thresholds: Thresholds
) -> Counter[tuple[str, Outcome]]:
    """Return how many findings there are of each rule's id and outcome, without wording them."""
    of_users, of_roots = Evidence(page), Evidence(roots)
    count: Counter[tuple[str, Outcome]] = Counter()
    for rule in rules:
        kinds = _kinds(rule, of_roots if rule.subject is Subject.ROOT else of_users, thresholds)
        count.update({(rule.id, each): len(at) for each, at in zip(Outcome, kinds, strict=True)})
    return +count


@dataclass(frozen=True, slots=True)
class _Found:
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


def _findings(
    page: Page, rules: Sequence[Rule], thresholds: Thresholds, *, of_roots: bool
) -> pd.DataFrame:
    evidence = Evidence(page)
    return _frame(
        page,
        rules,
        [
            _found(position, rule, evidence, thresholds)
            for position, rule in enumerate(rules)
            if len(page) and (rule.subject is Subject.ROOT) is of_roots
        ],
    )


def _found(position: int, rule: Rule, evidence: Evidence, thresholds: Thresholds) -> _Found:
    kinds = _kinds(rule, evidence, thresholds)
    told, unsure = np.concatenate(kinds[:2]), kinds[2]
    at = np.concatenate(kinds)
    slot, user = np.divmod(at, len(evidence.page))
    since, days = _since(rule, evidence, at)
    return _Found(
        rule=np.full(len(at), position),
        outcome=np.repeat(np.arange(len(Outcome)), [len(kind) for kind in kinds]),
        user=user,
        slot=slot + rule.subject.in_slots,
        created=_created(rule.subject, evidence)[at],
        since=since,
        days=days,
        facts=pa.concat_arrays(
            [rule.fact(evidence, told, thresholds), doubts(rule, evidence, unsure)]
        ),
    )


def _kinds(rule: Rule, evidence: Evidence, thresholds: Thresholds) -> list[np.ndarray]:
    """Return the positions that fail, those that are noted and those that are undecided."""
    truth = rule.judge(evidence, thresholds)
    noted = truth.no & rule.notes(evidence) if rule.notes else np.zeros(len(truth.no), bool)
    return [np.flatnonzero(mask) for mask in (truth.yes, noted, truth.undecided)]


def _created(subject: Subject, evidence: Evidence) -> np.ndarray:
    if subject is Subject.ACCESS_KEY:
        return evidence.key_age.moment
    if subject is Subject.CERTIFICATE:
        return evidence.certificate_age.moment
    return evidence.age.moment


def _since(rule: Rule, evidence: Evidence, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the moments counted from and the days, NaT and 0 where there are none."""
    if rule.since is None:
        return np.full(len(at), _NEVER), np.zeros(len(at), np.int64)
    elapsed = rule.since(evidence)
    told = elapsed.known.yes[at]
    return np.where(told, elapsed.moment[at], _NEVER), elapsed.days[at]


def _frame(page: Page, rules: Sequence[Rule], found: Sequence[_Found]) -> pd.DataFrame:
    def every(name: str, dtype: str) -> np.ndarray:
        return np.concatenate([np.array([], dtype), *(getattr(each, name) for each in found)])

    rule, slot = every("rule", "int64"), every("slot", "int64").astype("int8")
    since = every("since", "datetime64[s]")
    severity = np.array([list(Severity).index(each.severity) for each in rules])
    subject = np.array([list(Subject).index(each.subject) for each in rules])
    who = page.users[_WHO].take(every("user", "int64"))
    told: dict[str, Any] = {
        **{name: who[name].array for name in _WHO},
        RULE: worded(rule, [each.id for each in rules]),
        SEVERITY: worded(severity[rule], Severity),
        SUBJECT: worded(subject[rule], Subject),
        columns.SLOT: pd.arrays.IntegerArray(slot, slot == 0),
        columns.CREATED: pd.DatetimeIndex(every("created", "datetime64[s]"), tz="UTC"),
        SINCE: pd.DatetimeIndex(since, tz="UTC"),
        DAYS: pd.arrays.IntegerArray(every("days", "int64"), np.isnat(since)),
        FACT: _texts([each.facts for each in found]),
        OUTCOME: worded(every("outcome", "int64"), Outcome),
    }
    return pd.DataFrame({name: told[name] for name in FINDINGS}, copy=False)


def _texts(facts: Sequence[pa.Array]) -> pd.Series:
    every = pa.chunked_array(facts, pa.string()).cast(pa.large_string())
    return pd.Series(every.to_pandas(), copy=False)
