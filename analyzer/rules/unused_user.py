"""Find unused users: the verdict `unused`, as a rule."""

import numpy as np
import pyarrow as pa

from analyzer import columns
from analyzer.rules.rule import (
    EVERY_CERTIFICATE_CELL,
    EVERY_KEY_CELL,
    VERDICT_CELLS,
    Rule,
    Subject,
)
from analyzer.rules.wording import (
    DELETION_COMMANDS,
    UNSEEN_COMMANDS,
    category_words_at,
    concat,
    created_age_caveats,
    undetermined_reason,
)
from analyzer.terms import Severity, Thresholds, Verdict
from analyzer.verdicts.facts import Elapsed, Facts, Truth


def _fact(facts: Facts, at: np.ndarray, _: Thresholds) -> pa.Array:
    reason = category_words_at(facts.page.users[columns.REASON], at)
    return concat(len(at), reason, *created_age_caveats(facts, at))


def _judge(facts: Facts, _: Thresholds) -> Truth:
    return facts.verdict(Verdict.UNUSED)


def _since(facts: Facts) -> Elapsed:
    return facts.age


RULE = Rule(
    id="unused-user",
    title="User never signed in and has no active access key",
    requirement="No user is unused",
    severity=Severity.MEDIUM,
    subject=Subject.USER,
    judge=_judge,
    fact=_fact,
    undecided_fact=undetermined_reason,
    deletes_user=True,
    since=_since,
    reads=VERDICT_CELLS,
    reads_keys=EVERY_KEY_CELL,
    reads_certificates=EVERY_CERTIFICATE_CELL,
    why="The user is not needed, and misuse of it would not be noticed.",
    how="Fails when the verdict is unused: password_last_used has no date, and no access key"
    " is active (with --definition iam-029: none is attached). Check a user with a caveat"
    " first.",
    fix="Disable the credentials, wait, then delete the user.",
    remedy=(
        *UNSEEN_COMMANDS,
        "# Disable the credentials, then wait.",
        "aws iam delete-login-profile --user-name=NAME",
        *DELETION_COMMANDS,
    ),
    references=(
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_finding-unused.html",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_users_remove.html",
        "https://www.trendmicro.com/cloudoneconformity/knowledge-base/aws/IAM/unused-iam-user.html",
    ),
)
