"""Find users that sign in to the console with a password only."""

from analyzer import columns
from analyzer.rules.rule import Rule, Subject, pages
from analyzer.rules.wording import last_use_text
from analyzer.terms import Severity

RULE = Rule(
    id="console-user-without-mfa",
    title="Console user has no MFA device",
    requirement="Every console user has an MFA device",
    severity=Severity.HIGH,
    subject=Subject.USER,
    judge=lambda facts, _: facts.password & ~facts.mfa,
    fact=lambda facts, at, _: [
        last_use_text(facts.sign_in, at, "password enabled, "),
        ", no MFA device",
    ],
    reads=(columns.PASSWORD_ENABLED, columns.MFA_ACTIVE, columns.PASSWORD_LAST_USED),
    why="A password that leaks or is guessed is enough to sign in.",
    how="Fails when password_enabled is true and mfa_active is false, whether the password"
    " was used or not.",
    fix="Ask the user to register an MFA device, or delete the password.",
    remedy=(
        "# Only the user can register a device. Until then you can delete the password.",
        "aws iam list-mfa-devices --user-name=NAME",
        "aws iam delete-login-profile --user-name=NAME",
    ),
    references=pages("config:mfa-enabled-for-iam-console-access", "id_credentials_mfa"),
)
