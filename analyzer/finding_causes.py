"""Say in words why findings changed: what happened to what the rule reads, or that time passed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from analyzer import columns
from analyzer.credential_changes import FactChange, event_texts, fact_changes
from analyzer.model import concatenated
from analyzer.rules.rule import DAYS, FACT, OUTCOME, RULE, Outcome, Rule
from analyzer.rules.wording import days_text
from analyzer.snapshot import Snapshot

_SIDES: Final = ("before", "now")


@dataclass(frozen=True, slots=True)
class _Findings:
    """Hold findings of one rule that changed, with one value a finding in each array.

    `user` is the position among the users of both sides, `created` the moment that the user or
    the credential was created, `days` those counted to as-of (-1 where none are), `elapsed` the
    days between the reports.
    """

    rule: Rule
    limit: int
    user: np.ndarray
    created: np.ndarray
    days: np.ndarray
    elapsed: np.ndarray
    is_new: np.ndarray
    undecided: tuple[np.ndarray, np.ndarray]
    facts: tuple[np.ndarray, np.ndarray]


def finding_causes(
    findings: pd.DataFrame, before: Snapshot, now: Snapshot, causes: "pd.Series[str]"
) -> np.ndarray:
    """Return in words why each finding changed.

    `findings` has `account`, `arn`, `rule`, `created`, `days`, and `outcome` and `fact` of each
    side with the suffixes `_before` and `_now`, missing where a side has none. `causes` are, by
    ARN, the words for users that one side alone has, or that were created again.
    """
    texts = causes.reindex(findings[columns.ARN]).fillna("").to_numpy(object, copy=True)
    old, new = _shared_users(before, now, findings[columns.ARN])
    events = list(fact_changes(old, new))
    user = pd.Index(new[columns.ARN]).get_indexer(pd.Index(findings[columns.ARN]))
    one_sided = (texts == "") & (user < 0)
    texts[one_sided] = _causes_for_roots_on_one_side(findings[one_sided], before)
    rules, limits = {**before.rules, **now.rules}, {**before.limits, **now.limits}
    elapsed = _days_between(findings[columns.ACCOUNT], before, now)
    for name, rows in findings.groupby(RULE).indices.items():
        at = rows[texts[rows] == ""]
        rule, limit = rules[str(name)], limits.get(str(name), 0)
        changed = _findings_of(rule, limit, findings.take(at), user[at], elapsed[at])
        texts[at] = _texts(changed, events)
    return texts


def _shared_users(
    before: Snapshot, now: Snapshot, arns: "pd.Series[str]"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the users and roots with these ARNs that both sides have, in one order."""
    old, new = (
        concatenated([side.users, side.roots]).set_index(columns.ARN, drop=False)
        for side in (before, now)
    )
    both = pd.Index(arns.unique()).intersection(old.index).intersection(new.index)
    return old.loc[both].reset_index(drop=True), new.loc[both].reset_index(drop=True)


def _causes_for_roots_on_one_side(findings: pd.DataFrame, before: Snapshot) -> np.ndarray:
    """Return why findings changed about roots that one side alone has."""
    has = findings[columns.ARN].isin(before.roots[columns.ARN])
    return np.where(has, "no root row in the later report", "no root row in the earlier report")


def _days_between(accounts: "pd.Series[str]", before: Snapshot, now: Snapshot) -> np.ndarray:
    """Return how many days lie between the reports of each account."""
    days = {each: (now.as_of[each] - before.as_of[each]).days for each in accounts.unique()}
    return accounts.map(days).to_numpy(np.int64)


def _findings_of(
    rule: Rule, limit: int, findings: pd.DataFrame, user: np.ndarray, elapsed: np.ndarray
) -> _Findings:
    outcomes = [findings[f"{OUTCOME}_{side}"].fillna("").to_numpy(object) for side in _SIDES]
    undecided = [each == Outcome.UNDECIDED for each in outcomes]
    facts = [findings[f"{FACT}_{side}"].fillna("").to_numpy(object) for side in _SIDES]
    return _Findings(
        rule=rule,
        limit=limit,
        user=user,
        created=findings[columns.CREATED].to_numpy("datetime64[s]"),
        days=findings[DAYS].fillna(-1).to_numpy(np.int64),
        elapsed=elapsed,
        is_new=outcomes[0] == "",
        undecided=(undecided[0], undecided[1]),
        facts=(facts[0], facts[1]),
    )


def _texts(findings: _Findings, events: Sequence[FactChange]) -> np.ndarray:
    """Return what happened to what the rule reads; where nothing did, that time passed."""
    read = [each for each in events if _rule_reads(findings.rule, each)]
    changed = _joined_texts(
        findings, (each for each in read if not each.unclear and not each.restarts)
    )
    restarted = _joined_texts(findings, (each for each in read if each.restarts))
    unclear = _joined_texts(findings, (each for each in read if each.unclear))
    undecided = np.logical_or(*findings.undecided)
    passed = _is_past_limit(findings) & ~undecided
    texts = event_texts(
        [
            (~passed & (restarted != ""), restarted),
            ((~passed | findings.is_new) & (changed != ""), changed),
            (undecided & (unclear != ""), unclear),
            (passed, _limit_passed_texts(findings)),
        ],
        len(findings.user),
    )
    for where, words in (
        (unclear != "", unclear),
        (findings.undecided[1], "undecided now: " + findings.facts[1]),
        (findings.undecided[0], "undecided before: " + findings.facts[0]),
        (np.full(len(texts), _depends_on_time(findings.rule)), _elapsed_texts(findings.elapsed)),
    ):
        texts = np.where((texts == "") & where, words, texts)
    return texts


def _rule_reads(rule: Rule, event: FactChange) -> bool:
    """Return whether a rule reads what an event is about; one that names no columns reads all."""
    return not rule.columns or not event.columns.isdisjoint(rule.columns)


def _joined_texts(findings: _Findings, events: Iterable[FactChange]) -> np.ndarray:
    """Return the words for all events that concern each finding, of slots its own alone."""
    parts: list[Any] = []
    for event in events:
        text = event.texts[findings.user]
        parts.append(((text != "") & _is_concerned(findings, event), text))
    return event_texts(parts, len(findings.user))


def _is_concerned(findings: _Findings, event: FactChange) -> np.ndarray:
    if event.created is None or not findings.rule.subject.in_slots:
        return np.ones(len(findings.user), bool)
    created = np.vstack([each[findings.user] for each in event.created])
    undated = np.isnat(findings.created) & np.isnat(created).all(axis=0)
    return np.asarray((created == findings.created).any(axis=0) | undated)


def _is_past_limit(findings: _Findings) -> np.ndarray:
    """Return where the days counted passed the limit between the reports.

    A rule that fails for many days then has a new finding, one that fails for few has it resolved.
    """
    counted = (findings.days >= 0) & _depends_on_time(findings.rule)
    many = findings.days >= findings.limit
    earlier_many = findings.days - findings.elapsed > findings.limit
    later_many = findings.days + findings.elapsed >= findings.limit
    passed = np.where(findings.is_new, many & ~earlier_many, ~many & later_many)
    return np.asarray(counted & passed)


def _depends_on_time(rule: Rule) -> bool:
    return rule.threshold is not None or columns.PASSWORD_NEXT_ROTATION in rule.reads


def _limit_passed_texts(findings: _Findings) -> np.ndarray:
    if not findings.limit:
        return _elapsed_texts(findings.elapsed)
    limits = np.full(len(findings.user), findings.limit)
    return _objects(days_text(limits, "passed the limit of "))


def _elapsed_texts(days: np.ndarray) -> np.ndarray:
    return _objects(days_text(days, after=" passed between the reports"))


def _objects(texts: pa.Array) -> np.ndarray:
    return np.asarray(texts.to_numpy(zero_copy_only=False), object)
