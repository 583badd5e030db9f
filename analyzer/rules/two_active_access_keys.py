"""Find users with two active access keys."""

from analyzer.rules.rule import Rule, Subject, pages
from analyzer.rules.wording import access_key_texts, each_slot_text, last_use_text
from analyzer.terms import Severity

RULE = Rule(
    id="two-active-access-keys",
    title="User has two active access keys",
    requirement="No user has two active access keys",
    severity=Severity.LOW,
    subject=Subject.USER,
    judge=lambda facts, _: facts.key_active.in_every_slot(),
    fact=lambda facts, at, _: [
        "two are active: ",
        each_slot_text(
            facts,
            at,
            facts.key_active.yes,
            lambda slot: (*access_key_texts(facts, slot), last_use_text(facts.key_use, slot, ", ")),
        ),
    ],
    reads_keys=("active", "last_rotated", "last_used_date"),
    why="A second key is meant for the time of a rotation. If both stay active, twice as much"
    " can leak.",
    how="Fails when both access keys are active, whether they are used or not.",
    fix="Keep the key that is used. Deactivate and delete the other.",
    remedy=(
        "# Keep the key that is used; the finding has the creation dates of both.",
        "aws iam list-access-keys --user-name=NAME",
        "aws iam update-access-key --user-name=NAME --access-key-id=KEY --status=Inactive",
        "aws iam delete-access-key --user-name=NAME --access-key-id=KEY",
    ),
    references=pages("id_credentials_access-keys"),
)
