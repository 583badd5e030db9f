"""Find signing certificates of the root user."""

from analyzer.rules.rule import Rule, Subject, pages
from analyzer.rules.wording import certificate_texts, each_slot_text
from analyzer.terms import Severity

RULE = Rule(
    id="root-certificate",
    title="Root has an active signing certificate",
    requirement="Root has no active signing certificate",
    severity=Severity.HIGH,
    subject=Subject.ROOT,
    judge=lambda facts, _: facts.certificate_active.in_any_slot(),
    fact=lambda facts, at, _: [
        each_slot_text(
            facts,
            at,
            facts.certificate_active.yes,
            lambda slot: (*certificate_texts(facts, slot), ", is active"),
        )
    ],
    reads_certificates=("active", "last_rotated"),
    why="It signs requests as root to a few old interfaces. AWS records no last use of it.",
    how="Fails when a certificate of the root is active, whatever its age.",
    fix="Delete the root's certificate.",
    remedy=(
        "# Without a user name these act on the caller: call them as root or, for a member",
        "# account, with a session of sts assume-root and the task IAMDeleteRootUserCredentials.",
        "aws iam list-signing-certificates",
        "aws iam delete-signing-certificate --certificate-id=ID",
    ),
    references=pages("api:API_DeleteSigningCertificate", "id_root-user"),
)
