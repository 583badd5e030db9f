"""Find active signing certificates of users."""

from analyzer.rules.rule import Rule, Subject, pages
from analyzer.rules.wording import age_text, certificate_texts
from analyzer.terms import Severity

RULE = Rule(
    id="active-signing-certificate",
    title="User has an active signing certificate",
    requirement="No user has an active signing certificate",
    severity=Severity.LOW,
    subject=Subject.CERTIFICATE,
    judge=lambda facts, _: facts.certificate_active,
    fact=lambda facts, at, _: [
        *certificate_texts(facts, at),
        age_text(facts.certificate_age, at),
        ", is active",
    ],
    since=lambda facts: facts.certificate_age,
    reads_certificates=("active", "last_rotated"),
    why="A signing certificate signs requests to a few old interfaces, as an access key"
    " would. AWS records no last use of it, so it is easily forgotten.",
    how="Fails for each active certificate, whatever its age.",
    fix="Deactivate the certificate. Delete it when nothing has failed.",
    remedy=(
        "aws iam list-signing-certificates --user-name=NAME",
        "aws iam update-signing-certificate --user-name=NAME --certificate-id=ID --status=Inactive",
        "aws iam delete-signing-certificate --user-name=NAME --certificate-id=ID",
    ),
    references=pages("api:API_ListSigningCertificates"),
)
