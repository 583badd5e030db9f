"""Find active access keys that are older than they should become."""

import numpy as np
import pyarrow as pa

from analyzer.facts import Facts, Truth
from analyzer.rules.rule import Rule, Subject
from analyzer.rules.wording import access_key, concat, days_text
from analyzer.terms import Severity, Thresholds


def _judge(facts: Facts, limits: Thresholds) -> Truth:
    return facts.key_active & facts.key_age.more_than(limits.rotation_days)


def _fact(facts: Facts, at: np.ndarray, limits: Thresholds) -> pa.Array:
    age = days_text(facts.key_age.days[at], ", ", f" old; limit {limits.rotation_days}")
    return concat(len(at), *access_key(facts, at), age)


RULE = Rule(
    id="unrotated-access-key",
    title="Active access key was not rotated",
    severity=Severity.MEDIUM,
    subject=Subject.ACCESS_KEY,
    judge=_judge,
    fact=_fact,
    since=lambda facts: facts.key_age,
    threshold="rotation_days",
    reads_keys=("active", "last_rotated"),
    why="The longer a key lives, the more copies of it there are, and a leaked one works on.",
    how="Fails for each key that is active and whose last_rotated, which is its creation, is more"
    " than rotation_days whole days ago; on that very day it passes.",
    fix="Replace the key by a new one, or by a role.",
    remedy=(
        "# The report knows no key ids: the key is the one whose CreateDate is in the finding.",
        "aws iam list-access-keys --user-name=NAME",
        "aws iam create-access-key --user-name=NAME",
        "# When everything uses the new key:",
        "aws iam update-access-key --user-name=NAME --access-key-id=KEY --status=Inactive",
        "aws iam delete-access-key --user-name=NAME --access-key-id=KEY",
    ),
    references=(
        "https://docs.aws.amazon.com/config/latest/developerguide/access-keys-rotated.html",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html",
    ),
)
