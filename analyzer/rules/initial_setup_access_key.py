"""Find access keys of console users that were never used."""

from analyzer import columns
from analyzer.rules.rule import Rule, Subject, pages
from analyzer.rules.wording import access_key_texts, age_text
from analyzer.terms import Severity

RULE = Rule(
    id="initial-setup-access-key",
    title="Console user has an active access key that was never used",
    requirement="No console user has an active access key that was never used",
    severity=Severity.LOW,
    subject=Subject.ACCESS_KEY,
    judge=lambda facts, _: facts.password & facts.key_active & ~facts.key_use.exists,
    fact=lambda facts, at, _: [
        *access_key_texts(facts, at),
        age_text(facts.key_age, at),
        ", never used; the user has a password too",
    ],
    since=lambda facts: facts.key_age,
    reads=(columns.PASSWORD_ENABLED,),
    reads_keys=("active", "last_rotated", "last_used_date"),
    why="The key was probably created together with the user, and was never needed.",
    how="Fails for each active key whose last_used_date has no date, while password_enabled"
    " is true, from the first day.",
    fix="Delete the key.",
    remedy=(
        "# The report has no key ids: compare CreateDate with the date in the finding.",
        "aws iam list-access-keys --user-name=NAME",
        "aws iam delete-access-key --user-name=NAME --access-key-id=KEY",
    ),
    references=pages("id_credentials_access-keys"),
)
