"""Find console passwords that have not been used for a long time."""

from typing import TYPE_CHECKING

from analyzer import columns
from analyzer.rules.rule import Rule, Subject, pages
from analyzer.rules.wording import date_texts, days_text, last_use_text, text_where
from analyzer.terms import Severity

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from analyzer.verdicts.facts import Facts


def _beginnings(facts: "Facts", at: "np.ndarray") -> "pa.Array":
    """Return from when passwords count that were never used: a change, or the user's creation."""
    created, changed = (
        date_texts(facts.password_change.moment[at], f", {what} ")
        for what in ("user created", "last changed")
    )
    return text_where(facts.password_never_changed[at], created, changed)


RULE = Rule(
    id="idle-password",
    title="Console password is idle",
    requirement="No console password is idle",
    severity=Severity.MEDIUM,
    subject=Subject.PASSWORD,
    judge=lambda facts, limits: facts.password & facts.password_idle.at_least(limits.idle_days),
    fact=lambda facts, at, limits: [
        last_use_text(facts.sign_in, at, "password "),
        text_where(facts.sign_in.present[at], "", _beginnings(facts, at)),
        days_text(facts.password_idle.days[at], ", idle ", f"; limit {limits.idle_days}"),
    ],
    since=lambda facts: facts.password_idle,
    threshold="idle_days",
    reads=(
        *(columns.PASSWORD_ENABLED, columns.PASSWORD_LAST_USED, columns.PASSWORD_LAST_CHANGED),
        columns.USER_CREATION_TIME,
    ),
    why="A password that is not needed can be guessed or leak, and its use would not be noticed.",
    how="Fails when password_enabled is true and password_last_used is {days} or more"
    " whole days before as-of. A password that was never used counts from"
    " password_last_changed; without that, from user_creation_time.",
    fix="Delete the password.",
    remedy=("aws iam delete-login-profile --user-name=NAME",),
    references=pages("config:iam-user-unused-credentials-check", "id_credentials_finding-unused"),
)
