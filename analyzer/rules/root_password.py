"""Find root users that have a password."""

from analyzer import columns
from analyzer.rules.rule import Rule, Subject, pages
from analyzer.rules.wording import last_use_text, unknown_cells
from analyzer.terms import Severity

RULE = Rule(
    id="root-password",
    title="Root has a password",
    requirement="Root has no password",
    severity=Severity.LOW,
    subject=Subject.ROOT,
    judge=lambda facts, _: facts.password,
    fact=lambda facts, at, _: [last_use_text(facts.sign_in, at, "password enabled, ")],
    undecided_fact=lambda facts, at: unknown_cells(facts, at, (columns.PASSWORD_ENABLED,)),
    default=False,
    reads=(columns.PASSWORD_ENABLED, columns.PASSWORD_LAST_USED),
    why="A member account of an organization needs no root password: without one, nobody can sign"
    " in as root.",
    how="Fails when password_enabled of the root is true. Undecided when it is not_supported, which"
    " is what reports before 2025 contain. Off by default: the management account and an account"
    " on its own need the password.",
    fix="In a member account, delete the root password centrally.",
    remedy=(
        "# Member accounts only: turn on central root access, then delete the password with a",
        "# session of sts assume-root and the task IAMDeleteRootUserCredentials.",
        "aws iam enable-organizations-root-credentials-management",
        "aws iam delete-login-profile",
    ),
    references=pages("id_root-enable-root-access", "id_root-user-privileged-task"),
)
