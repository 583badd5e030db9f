"""Find users that have both a password and an active access key."""

from analyzer import columns
from analyzer.rules.rule import Rule, Subject, pages
from analyzer.rules.wording import usable_credentials
from analyzer.terms import Severity

RULE = Rule(
    id="password-and-access-key",
    title="User has both a password and an active access key",
    requirement="No user has both a password and an active access key",
    severity=Severity.LOW,
    subject=Subject.USER,
    judge=lambda facts, _: facts.password & facts.key_active.in_any_slot(),
    fact=lambda facts, at, _: ["usable: ", usable_credentials(facts, at)],
    default=False,
    reads=(columns.PASSWORD_ENABLED,),
    reads_keys=("active",),
    why="A person and a program need different permissions. A user that serves both has too many.",
    how="Fails when password_enabled is true and an access key is active, used or not.",
    fix="Delete the credential that is not needed.",
    remedy=(
        "# Delete the credential that is not needed:",
        "aws iam delete-login-profile --user-name=NAME",
        "aws iam list-access-keys --user-name=NAME",
        "aws iam update-access-key --user-name=NAME --access-key-id=KEY --status=Inactive",
    ),
    references=pages("best-practices"),
)
