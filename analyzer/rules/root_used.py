"""Find roots that were used lately, by whatever credential."""

import numpy as np
import pyarrow as pa

from analyzer import columns
from analyzer.facts import Elapsed, Facts, Truth, by_slot
from analyzer.rules.rule import Rule, Subject
from analyzer.rules.wording import concat, dates, days_text
from analyzer.terms import Severity, Thresholds


def _judge(facts: Facts, limits: Thresholds) -> Truth:
    days = limits.root_used_days
    return facts.sign_in.less_than(days) | facts.key_use.less_than(days).in_any_slot()


def _newest(facts: Facts) -> tuple[Elapsed, np.ndarray]:
    """Count from the newest known use, and say whose it is: 0 the password, else the key's slot."""
    used, keys = facts.sign_in, facts.key_use
    moment = np.vstack([used.moment, by_slot(keys.moment)])
    which = moment.astype(np.int64).argmax(axis=0)  # NaT is the least of all
    newest = (which, np.arange(len(which)))
    days = np.vstack([used.days, by_slot(keys.days)])[newest]
    unknown = used.unknown | by_slot(keys.unknown).any(axis=0)
    moment = moment[newest]
    return Elapsed(moment, days, there=~np.isnat(moment), unknown=unknown), which


def _fact(facts: Facts, at: np.ndarray, limits: Thresholds) -> pa.Array:
    use, which = _newest(facts)
    names = pa.array(["password", *(f"access key {slot}" for slot in columns.SLOTS)])
    when = dates(use.moment[at], " last used ")
    limit = f" before as-of; limit {limits.root_used_days}"
    ago = days_text(use.days[at], ", ", limit)
    return concat(len(at), names.take(pa.array(which[at])), when, ago)


RULE = Rule(
    id="root-used",
    title="Root was used lately",
    severity=Severity.HIGH,
    subject=Subject.ROOT,
    judge=_judge,
    fact=_fact,
    since=lambda facts: _newest(facts)[0],
    threshold="root_used_days",
    reads=(columns.PASSWORD_LAST_USED,),
    reads_keys=("last_used_date",),
    why="Daily work as the root has no limits, and no name in the log.",
    how="Fails when the newest of password_last_used and both last_used_date of the root is less"
    " than root_used_days whole days ago; one after as-of counts as today. A few tasks do need the"
    " root. No benchmark says how many days.",
    fix="Find out who used it for which task, and do that without the root.",
    remedy=(
        "# Find out who it was, and for which task; its sign-ins are logged in us-east-1.",
        (
            "aws cloudtrail lookup-events"
            " --lookup-attributes=AttributeKey=Username,AttributeValue=root"
        ),
    ),
    references=(
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/root-user-tasks.html",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/root-user-best-practices.html",
    ),
)
