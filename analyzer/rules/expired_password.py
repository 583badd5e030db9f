"""Find passwords that have expired."""

from analyzer import columns
from analyzer.rules.rule import Rule, Subject, pages
from analyzer.rules.wording import date_texts, days_text
from analyzer.terms import Severity
from analyzer.verdicts.truth import Truth

RULE = Rule(
    id="expired-password",
    title="Console password has expired",
    requirement="No console password has expired",
    severity=Severity.LOW,
    subject=Subject.PASSWORD,
    judge=lambda facts, _: (
        facts.password
        & Truth.unless_unknown(
            facts.password_expiry.moment < facts.as_of, facts.password_expiry.unknown
        )
    ),
    fact=lambda facts, at, _: [
        date_texts(facts.password_expiry.moment[at], "password expired "),
        days_text(facts.password_expiry.days[at], ", ", " before as-of"),
    ],
    since=lambda facts: facts.password_expiry,
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
    references=pages("id_credentials_passwords_account-policy"),
)
