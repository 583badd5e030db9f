"""Run rules over a page of users or of roots, and put the findings in one frame."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from analyzer import columns
from analyzer.limits import Thresholds
from analyzer.report.model import NO_MOMENT, as_category, text_series
from analyzer.report.users import Users
from analyzer.rules.rule import (
    DAYS,
    FACT,
    FINDINGS,
    OUTCOME,
    REMEDY,
    RULE,
    SEVERITY,
    SINCE,
    SUBJECT,
    Outcome,
    Rule,
    Subject,
)
from analyzer.rules.wording import remedies, remedy_cases, undecided_facts
from analyzer.terms import Severity, code_of
from analyzer.verdicts.exposure import EXPOSURES
from analyzer.verdicts.facts import Facts

if TYPE_CHECKING:
    from analyzer.lists.exemptions import ExemptionMatches

NO_FINDING: Final = len(Outcome)  # instead of the position of an outcome, if there is no finding

_USER_COLUMNS: Final = [columns.FILE, columns.ROW, columns.ACCOUNT, columns.USER, columns.ARN]


def page_findings(
    page: Users,
    rules: Sequence[Rule],
    thresholds: Thresholds,
    exemptions: "ExemptionMatches",
    *,
    of_roots: bool,
) -> pd.DataFrame:
    """Return what the rules find, with the columns that `rule.FINDINGS` describes.

    The page holds root rows, or else IAM users with their verdicts. The findings are in the order
    of the rules; for each rule, undecided ones come last; then by slot; then in the page's order.
    """
    facts = Facts(page)
    findings = [
        _findings_of_rule(position, rule, facts, thresholds, exemptions)
        for position, rule in enumerate(rules)
        if len(page) and rule.is_of_root is of_roots
    ]
    return _frame(page, rules, findings, exemptions.reasons)


def page_outcomes(
    facts: Facts, rules: Sequence[Rule], thresholds: Thresholds, *, of_roots: bool
) -> np.ndarray:
    """Return the outcomes of rules as positions in `Outcome` (int8), `NO_FINDING` for none.

    The rows are the users or roots of a page. A rule has one column, a rule on slots one per slot.
    """
    outcomes = [np.full((0, len(facts.page)), NO_FINDING, np.int8)]
    for rule in rules:
        slots = len(columns.SLOTS) if rule.subject.in_slots else 1
        of_rule = np.full(slots * len(facts.page), NO_FINDING, np.int8)
        if len(facts.page) and rule.is_of_root is of_roots:
            for code, at in enumerate(_positions_by_outcome(rule, facts, thresholds)):
                of_rule[at] = code
        outcomes.append(of_rule.reshape(slots, -1))
    return np.concatenate(outcomes).T


_DTYPES: Final = {
    RULE: "int64",
    OUTCOME: "int64",
    columns.POSITION: "int64",
    columns.SLOT: "int8",
    columns.CREATED: "datetime64[s]",
    SINCE: "datetime64[s]",
    DAYS: "int64",
    columns.EXEMPTION: "int32",
    REMEDY: "int64",
}
"""The values of a rule's findings, one a finding: positions among the rules, in `Outcome`, on the
page, among reasons and in `wording.remedies`; `slot` is 0 if the subject has no slots.
"""


def _findings_of_rule(
    position: int, rule: Rule, facts: Facts, thresholds: Thresholds, exemptions: "ExemptionMatches"
) -> dict[str, Any]:
    """Return the values of `_DTYPES` for one rule, and the facts (pyarrow.Array of text)."""
    positions = _positions_by_outcome(rule, facts, thresholds)
    at = np.concatenate(positions)
    slot, user = np.divmod(at, len(facts.page))
    since, days = _since(rule, facts, at)
    decided, undecided = np.concatenate(positions[:2]), positions[2]
    texts = rule.fact(facts, decided, thresholds), undecided_facts(rule, facts, undecided)
    outcome = np.repeat(np.arange(len(Outcome)), [len(rows) for rows in positions])
    return {
        RULE: np.full(len(at), position),
        OUTCOME: outcome,
        columns.POSITION: user,
        columns.SLOT: slot + rule.subject.in_slots,
        columns.CREATED: _created(rule.subject, facts).flat[at],
        SINCE: since,
        DAYS: days,
        columns.EXEMPTION: exemptions.reason_codes(rule.id)[user],
        REMEDY: remedy_cases(rule, outcome, facts.page.users, user),
        FACT: pa.concat_arrays(texts),
    }


def _positions_by_outcome(rule: Rule, facts: Facts, thresholds: Thresholds) -> list[np.ndarray]:
    """Return the positions that fail, those for information, and those that are undecided."""
    truth = rule.judge(facts, thresholds)
    noted = truth.no & rule.noted(facts) if rule.noted else np.array([], bool)
    return [np.flatnonzero(mask) for mask in (truth.yes, noted, truth.unknown)]


def _created(subject: Subject, facts: Facts) -> np.ndarray:
    if subject is Subject.ACCESS_KEY:
        return facts.key_age.moment
    if subject is Subject.CERTIFICATE:
        return facts.certificate_age.moment
    return facts.age.moment


def _since(rule: Rule, facts: Facts, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the moments from which days are counted, and the days; NaT and 0 if there are none."""
    if rule.since is None:
        return np.full(len(at), NO_MOMENT), np.zeros(len(at), np.int64)
    elapsed = rule.since(facts)
    known = elapsed.exists.yes.flat[at]
    return np.where(known, elapsed.moment.flat[at], NO_MOMENT), elapsed.days.flat[at]


def _frame(
    page: Users, rules: Sequence[Rule], findings: Sequence[dict[str, Any]], reasons: Sequence[str]
) -> pd.DataFrame:
    joined = {
        name: np.concatenate(
            [np.array([], dtype), *(finding[name] for finding in findings)], dtype=dtype
        )
        for name, dtype in _DTYPES.items()
    }
    rule, slot, since = joined[RULE], joined[columns.SLOT], joined[SINCE]
    severity = np.array([rule.severity.rank for rule in rules])
    subject = np.array([code_of(rule.subject) for rule in rules])
    facts = pa.chunked_array([finding[FACT] for finding in findings], pa.string())
    users = page.users[_USER_COLUMNS].take(joined[columns.POSITION])
    cells: dict[str, Any] = {
        **{name: users[name].array for name in _USER_COLUMNS},
        RULE: as_category(rule, [rule.id for rule in rules]),
        SEVERITY: as_category(severity[rule], Severity),
        SUBJECT: as_category(subject[rule], Subject),
        columns.SLOT: pd.arrays.IntegerArray(slot, slot == 0),
        columns.CREATED: pd.DatetimeIndex(joined[columns.CREATED], tz="UTC"),
        SINCE: pd.DatetimeIndex(since, tz="UTC"),
        DAYS: pd.arrays.IntegerArray(joined[DAYS], np.isnat(since)),
        FACT: text_series(facts.cast(pa.large_string())),
        OUTCOME: as_category(joined[OUTCOME], Outcome),
        columns.EXPOSURE: _exposure(page, joined[columns.POSITION]),
        columns.EXEMPTION: as_category(joined[columns.EXEMPTION], reasons),
        REMEDY: _remedy_column(rules, rule, joined[REMEDY]),
    }
    return pd.DataFrame({name: cells[name] for name in FINDINGS}, copy=False)


def _exposure(page: Users, at: np.ndarray) -> Any:
    """Return the exposure of users at positions, empty for roots; the categories are the same."""
    exposure = page.added.get(columns.EXPOSURE)
    code = np.zeros(len(at), np.int8) if exposure is None else exposure.codes[at] + 1
    return as_category(code, ("", *EXPOSURES))


def remedy_texts(rules: Iterable[Rule]) -> list[str]:
    """Return all remedies that findings of these rules can have, each once."""
    return list(dict.fromkeys(text for rule in rules for text in remedies(rule)))


def _remedy_column(
    rules: Sequence[Rule], rule: np.ndarray, case: np.ndarray
) -> "pd.Categorical[Any]":
    texts = remedy_texts(rules)
    of_rules = [[texts.index(text) for text in remedies(rule)] for rule in rules]
    return as_category(np.array(of_rules or [[0]], np.int64)[rule, case], texts)
