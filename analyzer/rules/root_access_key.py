"""Find access keys of the root user."""

from analyzer.rules.rule import Rule, Subject, pages
from analyzer.rules.wording import access_key_texts, each_slot_text, last_use_text, text_where
from analyzer.terms import Severity

RULE = Rule(
    id="root-access-key",
    title="Root has an active access key",
    requirement="Root has no active access key",
    severity=Severity.CRITICAL,
    subject=Subject.ROOT,
    judge=lambda facts, _: facts.key_active.in_any_slot(),
    fact=lambda facts, at, _: [
        each_slot_text(
            facts,
            at,
            facts.key_active.yes | (facts.key_age.exists & ~facts.key_active).yes,
            lambda slot: (
                *access_key_texts(facts, slot),
                text_where(facts.key_active.yes.flat[slot], ", is active", ", is inactive"),
                last_use_text(facts.key_use, slot, ", "),
            ),
        )
    ],
    noted=lambda facts: (facts.key_age.exists & ~facts.key_active).in_any_slot().yes,
    reads_keys=("active", "last_rotated", "last_used_date"),
    why="It can do everything in the account. No policy of the account restricts it, and MFA"
    " does not protect it.",
    how="Fails when an access key of the root is active. An inactive key is noted and does"
    " not fail: the root user can activate it again.",
    fix="Delete the root's access keys.",
    remedy=(
        "# Without a user name these act on the caller: call them as root or, for a member",
        "# account, with a session of sts assume-root and the task IAMDeleteRootUserCredentials.",
        "aws iam list-access-keys",
        "aws iam update-access-key --access-key-id=KEY --status=Inactive",
        "aws iam delete-access-key --access-key-id=KEY",
    ),
    references=pages("id_root-user", "config:iam-root-access-key-check"),
)
