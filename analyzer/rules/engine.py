"""Run rules over a page of users or of roots, and put the findings into columns."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from analyzer import columns
from analyzer.limits import Thresholds
from analyzer.report import values
from analyzer.report.model import NO_MOMENT, word_column
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
from analyzer.rules.wording import unknown_cells
from analyzer.terms import Certainty, Severity, code_of
from analyzer.verdicts.facts import Facts

if TYPE_CHECKING:
    from analyzer.lists.exemptions import ExemptionMatches

NO_FINDING: Final = len(Outcome)  # instead of the position of an outcome, if there is no finding

FindingCounts = Counter[tuple[str, Outcome, bool]]
"""The number of findings by the rule's id, the outcome, and whether they are exempt."""

# Outcomes, as numbers


def outcomes(
    facts: Facts, rules: Sequence[Rule], thresholds: Thresholds, *, of_roots: bool
) -> Iterator[tuple[Rule, np.ndarray]]:
    """Yield each rule with its outcomes as positions in `Outcome` (int8), `NO_FINDING` for none.

    The users or roots of the page are the columns; a rule on slots has a row for each slot, other
    rules have one row. Rules that are not about such a page find nothing.
    """
    for rule in rules:
        slots = len(columns.SLOTS) if rule.subject.in_slots else 1
        if len(facts.page) and rule.is_of_root is of_roots:
            yield rule, _outcomes_of_rule(rule, facts, thresholds).reshape(slots, -1)
        else:
            yield rule, np.full((slots, len(facts.page)), NO_FINDING, np.int8)


def _outcomes_of_rule(rule: Rule, facts: Facts, thresholds: Thresholds) -> np.ndarray:
    truth = rule.judge(facts, thresholds)
    outcome = np.full(truth.yes.shape, NO_FINDING, np.int8)
    outcome[truth.unknown] = code_of(Outcome.UNDECIDED)
    if rule.noted:
        outcome[truth.no & rule.noted(facts)] = code_of(Outcome.NOTED)
    outcome[truth.yes] = code_of(Outcome.FAILS)
    return outcome


def finding_counts(
    page: Users,
    rules: Sequence[Rule],
    thresholds: Thresholds,
    exemptions: "ExemptionMatches",
    *,
    of_roots: bool,
) -> FindingCounts:
    """Return how many findings a page has; none is put into words."""
    counts: FindingCounts = Counter()
    for rule, found in outcomes(Facts(page), rules, thresholds, of_roots=of_roots):
        is_exempt = exemptions.reason_codes(rule.id) > 0
        for outcome in Outcome:
            has = found == code_of(outcome)
            counts[rule.id, outcome, True] += int(has[:, is_exempt].sum())
            counts[rule.id, outcome, False] += int(has[:, ~is_exempt].sum())
    return +counts


# Findings, in words


def page_findings(
    page: Users,
    rules: Sequence[Rule],
    thresholds: Thresholds,
    exemptions: "ExemptionMatches",
    *,
    of_roots: bool,
) -> dict[str, pa.Array]:
    """Return what the rules find, in the columns that `rule.FINDINGS` describes.

    The page holds root rows, or else IAM users with their verdicts. The findings are in the order
    of the rules; for each rule, undecided ones come last; then by slot; then in the page's order.
    """
    facts = Facts(page)
    findings = []
    of_rules = outcomes(facts, rules, thresholds, of_roots=of_roots)
    for position, (rule, found) in enumerate(of_rules):
        if (found != NO_FINDING).any():
            finding = _findings_of_rule(rule, found.reshape(-1), facts, thresholds)
            user = finding[columns.POSITION]
            finding[RULE] = np.full(len(user), position)
            finding[columns.EXEMPTION] = exemptions.reason_codes(rule.id)[user]
            findings.append(finding)
    return _columns(page, rules, findings, exemptions.reasons)


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
page, among reasons and in `RuleText.remedies`; `slot` is 0 if the subject has no slots.
"""


def _findings_of_rule(
    rule: Rule, outcome: np.ndarray, facts: Facts, thresholds: Thresholds
) -> dict[str, Any]:
    """Return the values of `_DTYPES` that one rule and its outcomes decide, and the facts.

    The facts are a pyarrow.Array of text (large_string).
    """
    decided = np.concatenate(
        [np.flatnonzero(outcome == code_of(word)) for word in (Outcome.FAILS, Outcome.NOTED)]
    )
    undecided = np.flatnonzero(outcome == code_of(Outcome.UNDECIDED))
    at = np.concatenate([decided, undecided])
    slot, user = np.divmod(at, len(facts.page))
    since, days = _since(rule, facts, at)
    fact = values.joined(*rule.fact(facts, decided, thresholds))
    return {
        OUTCOME: outcome[at],
        columns.POSITION: user,
        columns.SLOT: slot + rule.subject.in_slots,
        columns.CREATED: _created(rule.subject, facts).flat[at],
        SINCE: since,
        DAYS: days,
        REMEDY: _remedy_cases(rule, outcome[at], facts, user),
        FACT: pa.concat_arrays([fact, _undecided_facts(rule, facts, undecided)]),
    }


def _undecided_facts(rule: Rule, facts: Facts, at: np.ndarray) -> pa.Array:
    """Return for the undecided positions why they are undecided.

    Positions in slots count through both rows; only the slot's own columns are then named.
    """
    if not len(at):
        return pa.array([], pa.large_string())
    if rule.undecided_fact is not None:
        return rule.undecided_fact(facts, at)
    if not rule.subject.in_slots:
        return unknown_cells(facts, at, rule.columns)
    slot, user = np.divmod(at, len(facts.page))
    return pa.concat_arrays(
        unknown_cells(facts, user[slot == row], (*rule.reads, *rule.slot_columns(number)))
        for row, number in enumerate(columns.SLOTS)
    )


def _remedy_cases(rule: Rule, outcome: np.ndarray, facts: Facts, user: np.ndarray) -> np.ndarray:
    """Return for each finding the position of its sentence in `RuleText.remedies`."""
    undecided = outcome == code_of(Outcome.UNDECIDED)
    live = facts.service_credential[user]
    caveats = np.zeros(len(user), bool)
    if rule.deletes_user:
        caveats = values.is_one_of([Certainty.CHECK], facts.page.added[columns.CERTAINTY])[user]
    return np.select([undecided, live, caveats], [1, 3, 2], 0)


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


def _columns(
    page: Users, rules: Sequence[Rule], findings: Sequence[dict[str, Any]], reasons: Sequence[str]
) -> dict[str, pa.Array]:
    joined = {
        name: np.concatenate(
            [np.array([], dtype), *(finding[name] for finding in findings)], dtype=dtype
        )
        for name, dtype in _DTYPES.items()
    }
    rule, slot, since = joined[RULE], joined[columns.SLOT], joined[SINCE]
    severity = np.array([rule.severity.rank for rule in rules])
    subject = np.array([code_of(rule.subject) for rule in rules])
    remedies = {text: None for rule in rules for text in rule.remedies}
    cells = {
        **_subjects(page, joined[columns.POSITION]),
        RULE: word_column(rule, [rule.id for rule in rules]),
        SEVERITY: word_column(severity[rule], Severity),
        SUBJECT: word_column(subject[rule], Subject),
        columns.SLOT: pa.array(slot, mask=slot == 0),
        columns.CREATED: pa.array(joined[columns.CREATED], _MOMENT),
        SINCE: pa.array(since, _MOMENT),
        DAYS: pa.array(joined[DAYS], mask=np.isnat(since)),
        FACT: pa.concat_arrays(
            [pa.array([], pa.large_string()), *(each[FACT] for each in findings)]
        ),
        OUTCOME: word_column(joined[OUTCOME], Outcome),
        columns.EXEMPTION: word_column(joined[columns.EXEMPTION], reasons),
        REMEDY: word_column(_remedy_codes(rules, list(remedies))[rule, joined[REMEDY]], remedies),
    }
    return {name: cells[name] for name in FINDINGS}


_MOMENT: Final = pa.timestamp("s", "UTC")


def _subjects(page: Users, at: np.ndarray) -> dict[str, pa.Array]:
    """Return place, account, name, ARN and exposure of users or roots; a root has no exposure."""
    exposure = page.added.get(columns.EXPOSURE)
    blank = word_column(np.zeros(len(at), np.int8), [""])
    rows = pa.array(at)
    return {
        columns.FILE: pa.array(page.file[at].astype(np.int64)),
        columns.ROW: pa.array(page.row[at].astype(np.int64)),
        columns.ACCOUNT: page.account.take(rows),
        columns.USER: values.texts(page.text[columns.USER].take(rows)),
        columns.ARN: page.arn.take(rows),
        columns.EXPOSURE: blank if exposure is None else exposure.take(rows),
    }


def _remedy_codes(rules: Sequence[Rule], texts: list[str]) -> np.ndarray:
    """Return the position of each remedy of each rule among the texts, a row for each rule."""
    codes = [[texts.index(text) for text in rule.remedies] for rule in rules]
    return np.array(codes or [[0]], np.int64)
