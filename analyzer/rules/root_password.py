"""Find root users that have a password."""

import numpy as np
import pyarrow as pa

from analyzer import columns
from analyzer.rules.rule import Rule, Subject
from analyzer.rules.wording import last_use_text, text_where, unknown_cells
from analyzer.terms import NOT_SUPPORTED, Severity
from analyzer.verdicts.facts import Facts


def _undecided_fact(facts: Facts, at: np.ndarray) -> pa.Array:
    cells = unknown_cells(facts, at, (columns.PASSWORD_ENABLED,))
    unreported = f'{columns.PASSWORD_ENABLED} "{NOT_SUPPORTED}" is not reported'
    return text_where(facts.password_unreported[at], unreported, cells)


RULE = Rule(
    id="root-password",
    title="Root has a password",
    requirement="Root has no password",
    severity=Severity.LOW,
    subject=Subject.ROOT,
    judge=lambda facts, _: facts.password,
    fact=lambda facts, at, _: last_use_text(facts.sign_in, at, "password enabled, "),
    undecided_fact=_undecided_fact,
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
    references=(
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-enable-root-access.html",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user-privileged-task.html",
    ),
)
