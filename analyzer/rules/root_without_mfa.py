"""Find root users that are protected by a password or an access key alone."""

from analyzer import columns
from analyzer.rules.rule import Rule, Subject, pages
from analyzer.rules.wording import text_where, usable_credentials
from analyzer.terms import Severity
from analyzer.verdicts.truth import Truth

RULE = Rule(
    id="root-without-mfa",
    title="Root has no MFA device",
    requirement="Root has an MFA device",
    severity=Severity.CRITICAL,
    subject=Subject.ROOT,
    judge=lambda facts, _: (
        (
            Truth(facts.password.yes | facts.password_unreported, facts.password.no)
            | facts.key_active.in_any_slot()
        )
        & ~facts.mfa
    ),
    fact=lambda facts, at, _: [
        "no MFA device; ",
        text_where(
            facts.password_unreported[at],
            "the report does not say if there is a password; one is assumed",
            "usable: ",
        ),
        text_where(facts.password_unreported[at], "", usable_credentials(facts, at)),
    ],
    reads=(columns.PASSWORD_ENABLED, columns.MFA_ACTIVE),
    reads_keys=("active",),
    why="A leaked root password, or access to the root user's mailbox, is enough to take over"
    " the account.",
    how="Fails when mfa_active of the root is false, unless password_enabled is false and no"
    " access key is active. If password_enabled is not_supported, as in reports before 2025, a"
    " password is assumed, and the finding says so. In AWS GovCloud (US) there may be none.",
    fix="Register an MFA device, or delete the root credentials centrally.",
    remedy=(
        "# Sign in as the root and register a device in the console, under Security credentials.",
        "# A member account needs no root credentials: delete them centrally.",
        "aws iam enable-organizations-root-credentials-management",
    ),
    references=pages(
        "enable-mfa-for-root", "id_root-enable-root-access", "config:root-account-mfa-enabled"
    ),
)
