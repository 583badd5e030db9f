"""Find users without an MFA device that have any working credential."""

from analyzer import columns
from analyzer.rules.rule import Rule, Subject, pages
from analyzer.rules.wording import usable_credentials
from analyzer.terms import Severity

RULE = Rule(
    id="user-without-mfa",
    title="User with a usable credential has no MFA device",
    requirement="Every user with a usable credential has an MFA device",
    severity=Severity.MEDIUM,
    subject=Subject.USER,
    judge=lambda facts, _: (facts.password | facts.key_active.in_any_slot()) & ~facts.mfa,
    fact=lambda facts, at, _: ["no MFA device; usable: ", usable_credentials(facts, at)],
    default=False,
    reads=(columns.PASSWORD_ENABLED, columns.MFA_ACTIVE),
    reads_keys=("active",),
    why="A policy can require MFA for calls with an access key, but only if the user has a device.",
    how="Fails when mfa_active is false while password_enabled is true or an access key is"
    " active. Off by default: programs cannot enter a code.",
    fix="Ask the user to register an MFA device.",
    remedy=("# Only the user can register a device.", "aws iam list-mfa-devices --user-name=NAME"),
    references=pages("config:iam-user-mfa-enabled", "id_credentials_mfa"),
)
