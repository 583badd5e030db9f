"""Find active access keys that are too old."""

from analyzer.rules.rule import Rule, Subject, pages
from analyzer.rules.wording import access_key_texts, days_text
from analyzer.terms import Severity

RULE = Rule(
    id="unrotated-access-key",
    title="Active access key was not rotated",
    requirement="Active access keys are rotated in time",
    severity=Severity.MEDIUM,
    subject=Subject.ACCESS_KEY,
    judge=lambda facts, limits: facts.key_active & facts.key_age.more_than(limits.rotation_days),
    fact=lambda facts, at, limits: [
        *access_key_texts(facts, at),
        days_text(facts.key_age.days.flat[at], ", ", f" old; limit {limits.rotation_days}"),
    ],
    since=lambda facts: facts.key_age,
    threshold="rotation_days",
    reads_keys=("active", "last_rotated"),
    why="The older a key is, the more copies of it can exist, and a leaked copy works until"
    " the key is replaced.",
    how="Fails for each active key whose last_rotated, which is its creation, is more than"
    " {days} whole days before as-of. On that day it still passes.",
    fix="Replace the key with a new one, or with a role.",
    remedy=(
        "# The report has no key ids: compare CreateDate with the date in the finding.",
        "aws iam list-access-keys --user-name=NAME",
        "aws iam create-access-key --user-name=NAME",
        "# When everything uses the new key:",
        "aws iam update-access-key --user-name=NAME --access-key-id=KEY --status=Inactive",
        "aws iam delete-access-key --user-name=NAME --access-key-id=KEY",
    ),
    references=pages("config:access-keys-rotated", "id_credentials_access-keys"),
)
