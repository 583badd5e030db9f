"""Find users without working credentials: the verdict `retired`, as a rule."""

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
    date_texts,
    reason_texts,
    text_where,
)
from analyzer.terms import Severity, Verdict

RULE = Rule(
    id="retired-user",
    title="User has no password and no active access key left",
    requirement="No user is retired",
    severity=Severity.LOW,
    subject=Subject.USER,
    judge=lambda facts, _: facts.verdict(Verdict.RETIRED),
    fact=lambda facts, at, _: [
        text_where(
            facts.sign_in.present[at],
            date_texts(facts.sign_in.moment[at], "last signed in "),
            "no sign-in on record",
        ),
        ", no working credentials",
        *created_age_caveats(facts, at),
    ],
    undecided_fact=reason_texts,
    deletes_user=True,
    since=lambda facts: facts.sign_in,
    reads=VERDICT_CELLS,
    reads_keys=KEY_CELLS,
    reads_certificates=CERTIFICATE_CELLS,
    why="The user is not needed, yet keeps its permissions: a new password or a reactivated"
    " key would make it work again.",
    how="Fails when the verdict is retired: password_last_used has a date, password_enabled"
    " is false and no access key is active (with --definition iam-029 also: the user never"
    " signed in, but has an inactive access key). Check a user with a caveat first.",
    fix="Delete the user and its remaining credentials.",
    remedy=(*UNSEEN_COMMANDS, *DELETION_COMMANDS),
    references=pages("id_users_remove"),
)
