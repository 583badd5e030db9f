"""Find passwords that have expired."""

import numpy as np
import pyarrow as pa

from analyzer import columns
from analyzer.rules.rule import Rule, Subject
from analyzer.rules.wording import concat, date_texts, days_text
from analyzer.terms import Severity, Thresholds
from analyzer.verdicts.facts import Elapsed, Facts, Truth


def _judge(facts: Facts, _: Thresholds) -> Truth:
    expiry = facts.password_expiry
    return facts.password & Truth.unless_unknown(expiry.moment < facts.as_of, expiry.unknown)


def _fact(facts: Facts, at: np.ndarray, _: Thresholds) -> pa.Array:
    expiry = facts.password_expiry
    when = date_texts(expiry.moment[at], "password expired ")
    return concat(len(at), when, days_text(expiry.days[at], ", ", " before as-of"))


def _since(facts: Facts) -> Elapsed:
    return facts.password_expiry


RULE = Rule(
    id="expired-password",
    title="Console password has expired",
    requirement="No console password has expired",
    severity=Severity.LOW,
    subject=Subject.PASSWORD,
    judge=_judge,
    fact=_fact,
    since=_since,
    reads=(columns.PASSWORD_ENABLED, columns.PASSWORD_NEXT_ROTATION),
    why="A password that was not changed in time is probably not needed. Depending on the"
    " password policy, it can still work.",
    how="Fails when password_enabled is true and password_next_rotation is before as-of, to"
    " the second. N/A means that the password does not expire.",
    fix="Delete the password, or ask the user to reset it.",
    remedy=(
        "aws iam delete-login-profile --user-name=NAME",
        "# Or, where the user is still needed:",
        "aws iam update-login-profile --user-name=NAME --password-reset-required",
    ),
    references=(
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html",
    ),
)
