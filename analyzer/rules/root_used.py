"""Find root users that were used recently, with any credential."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer import columns
from analyzer.rules.rule import Rule, Subject, pages
from analyzer.rules.wording import date_texts, days_text, text_where, unknown_cells
from analyzer.terms import Severity
from analyzer.verdicts.truth import Elapsed, Truth

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from analyzer.limits import Thresholds
    from analyzer.verdicts.facts import Facts


def _judge(facts: Facts, limits: Thresholds) -> Truth:
    days = limits.root_used_days
    used = facts.sign_in.less_than(days) | facts.key_use.less_than(days).in_any_slot()
    # The real as-of can only be later: a pass stays one, a failure may pass.
    assumed = facts.as_of_is_assumed
    return Truth(used.yes & ~assumed, used.no)


def _newest_use(facts: Facts) -> tuple[Elapsed, np.ndarray]:
    """Count from the newest known use, and return its credential: 0 for the password, or a slot."""
    import numpy as np

    used, keys = facts.sign_in, facts.key_use
    moment = np.vstack([used.moment, keys.moment])
    which = moment.astype(np.int64).argmax(axis=0)  # NaT is less than any moment
    newest = (which, np.arange(len(which)))
    days = np.vstack([used.days, keys.days])[newest]
    moment, unknown = moment[newest], used.unknown | keys.unknown.any(axis=0)
    return Elapsed(moment, days, present=~np.isnat(moment), unknown=unknown), which


def _fact(facts: Facts, at: np.ndarray, limits: Thresholds) -> list[pa.Array]:
    limit = f" before as-of; limit {limits.root_used_days}"
    return _last_use(facts, at, limit)


def _last_use(facts: Facts, at: np.ndarray, limit: str) -> list[pa.Array]:
    import pyarrow as pa

    use, which = _newest_use(facts)
    names = ["password", *(f"access key {slot}" for slot in columns.SLOTS)]
    credential = pa.array(names, pa.large_string()).take(pa.array(which[at]))
    when = date_texts(use.moment[at], " last used ")
    return [credential, when, days_text(use.days[at], ", ", limit)]


def _undecided_fact(facts: Facts, at: np.ndarray) -> pa.Array:
    from analyzer.report.values import is_one_of, joined

    cells = unknown_cells(facts, at, RULE.columns)
    readable = is_one_of([""], cells)
    later = " before as-of, which is assumed and may be later"
    return text_where(readable, joined(*_last_use(facts, at, later)), cells)


RULE = Rule(
    id="root-used",
    title="Root was used recently",
    requirement="Root is not in use",
    severity=Severity.HIGH,
    subject=Subject.ROOT,
    judge=_judge,
    fact=_fact,
    undecided_fact=_undecided_fact,
    since=lambda facts: _newest_use(facts)[0],
    threshold="root_used_days",
    reads=(columns.PASSWORD_LAST_USED,),
    reads_keys=("active", "last_rotated", "last_used_date"),
    why="Root has no limits, and its use does not show which person it was.",
    how="Fails when the newest of the root's password_last_used and two last_used_date is"
    " less than {days} whole days before as-of; a date after as-of counts as 0"
    " days. Undecided when as-of is assumed, because the real as-of can be later. A few"
    " tasks do need root. No benchmark says how many days.",
    fix="Find out which person used root and for which task. Do that task without root.",
    remedy=(
        "# CloudTrail logs the sign-ins of root in us-east-1.",
        (
            "aws cloudtrail lookup-events"
            " --lookup-attributes=AttributeKey=Username,AttributeValue=root"
        ),
    ),
    references=pages("root-user-tasks", "root-user-best-practices"),
)
