"""Find active access keys that have not been used for a long time."""

from analyzer import columns
from analyzer.rules.rule import Rule, Subject, pages
from analyzer.rules.wording import access_key_texts, days_text, last_use_text
from analyzer.terms import Severity

RULE = Rule(
    id="idle-access-key",
    title="Active access key is idle",
    requirement="No active access key is idle",
    severity=Severity.MEDIUM,
    subject=Subject.ACCESS_KEY,
    judge=lambda facts, limits: facts.key_active & facts.key_idle.at_least(limits.idle_days),
    fact=lambda facts, at, limits: [
        *access_key_texts(facts, at),
        last_use_text(facts.key_use, at, ", "),
        days_text(facts.key_idle.days.flat[at], ", idle ", f"; limit {limits.idle_days}"),
    ],
    since=lambda facts: facts.key_idle,
    threshold="idle_days",
    reads=(columns.USER_CREATION_TIME,),
    reads_keys=("active", "last_rotated", "last_used_date"),
    why="An access key that is not needed still gives access to the account if it leaks.",
    how="Fails for each active key whose last_used_date is {days} or more whole days"
    " before as-of. A key that was never used counts from last_rotated, which is its"
    " creation; without that, from user_creation_time.",
    fix="Deactivate the key. Delete it when nothing has failed.",
    remedy=(
        "# The report has no key ids: compare CreateDate with the date in the finding.",
        "aws iam list-access-keys --user-name=NAME",
        "aws iam update-access-key --user-name=NAME --access-key-id=KEY --status=Inactive",
        "# When nothing has failed for some time:",
        "aws iam delete-access-key --user-name=NAME --access-key-id=KEY",
    ),
    references=pages("config:iam-user-unused-credentials-check", "id_credentials_finding-unused"),
)
