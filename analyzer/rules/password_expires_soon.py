"""Find passwords that expire soon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer import columns
from analyzer.rules.rule import Rule, Subject, pages
from analyzer.rules.wording import date_texts, days_text
from analyzer.terms import Severity
from analyzer.verdicts.truth import Truth

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from analyzer.limits import Thresholds
    from analyzer.verdicts.facts import Facts


def _time_to_expiry(facts: Facts) -> np.ndarray:
    """Return the time from as-of until the password expires, NaT if it does not."""
    remaining: np.ndarray = facts.password_expiry.moment - facts.as_of
    return remaining


def _judge(facts: Facts, limits: Thresholds) -> Truth:
    import numpy as np

    remaining = _time_to_expiry(facts)
    limit = np.timedelta64(limits.expiry_days, "D")
    soon = (remaining >= np.timedelta64(0, "D")) & (remaining <= limit)
    return facts.password & Truth.unless_unknown(soon, facts.password_expiry.unknown)


def _fact(facts: Facts, at: np.ndarray, limits: Thresholds) -> list[pa.Array]:
    when = date_texts(facts.password_expiry.moment[at], "password expires ")
    days = _time_to_expiry(facts)[at].astype("timedelta64[D]").astype("int64")
    limit = f" after as-of; limit {limits.expiry_days}"
    return [when, days_text(days, ", ", limit)]


RULE = Rule(
    id="password-expires-soon",
    title="Console password expires soon",
    requirement="No console password expires soon",
    severity=Severity.LOW,
    subject=Subject.PASSWORD,
    judge=_judge,
    fact=_fact,
    default=False,
    threshold="expiry_days",
    reads=(columns.PASSWORD_ENABLED, columns.PASSWORD_NEXT_ROTATION),
    why="A user whose password expires unnoticed can be locked out when access is needed.",
    how="Fails when password_enabled is true and password_next_rotation is at as-of or up to"
    " {days} days of 24 hours after it, to the second. An earlier one is expired-password; N/A"
    " means that the password does not expire. Off by default: it is a reminder.",
    fix="Ask the user to change the password.",
    remedy=(
        "# The user changes it at the next sign-in:",
        "aws iam update-login-profile --user-name=NAME --password-reset-required",
    ),
    references=pages("id_credentials_passwords_account-policy"),
)
