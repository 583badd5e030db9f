"""Find unused users: the verdict `unused`, as a rule."""

from analyzer.rules.rule import (
    CERTIFICATE_CELLS,
    DELETION_COMMANDS,
    KEY_CELLS,
    UNSEEN_COMMANDS,
    VERDICT_CELLS,
    Rule,
    Subject,
    pages,
)
from analyzer.rules.wording import (
    created_age_caveats,
    reason_texts,
)
from analyzer.terms import Severity, Verdict

RULE = Rule(
    id="unused-user",
    title="User has no sign-in on record and no active access key",
    requirement="No user is unused",
    severity=Severity.MEDIUM,
    subject=Subject.USER,
    judge=lambda facts, _: facts.verdict(Verdict.UNUSED),
    fact=lambda facts, at, _: [
        reason_texts(facts, at),
        *created_age_caveats(facts, at),
    ],
    undecided_fact=reason_texts,
    deletes_user=True,
    since=lambda facts: facts.age,
    reads=VERDICT_CELLS,
    reads_keys=KEY_CELLS,
    reads_certificates=CERTIFICATE_CELLS,
    why="The user is not needed, and misuse of it would not be noticed.",
    how="Fails when the verdict is unused: password_last_used has no date, and no access key is"
    " active (with --definition iam-029: none is attached). Check a user with a caveat first.",
    fix="Disable any credentials, wait, then delete the user.",
    remedy=(
        *UNSEEN_COMMANDS,
        "# Disable any credentials, then wait.",
        "aws iam delete-login-profile --user-name=NAME",
        *DELETION_COMMANDS,
    ),
    references=(
        *pages("id_credentials_finding-unused", "id_users_remove"),
        "https://www.trendmicro.com/cloudoneconformity/knowledge-base/aws/IAM/unused-iam-user.html",
    ),
)
