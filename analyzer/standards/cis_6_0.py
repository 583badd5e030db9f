"""List the identity controls of the CIS AWS Foundations Benchmark v6.0.0.

Numbers, titles and limits: prowler-cloud/prowler, `prowler/compliance/aws/cis_6.0_aws.json`,
whose audit texts are the benchmark's own.
"""

from typing import Final

from analyzer.standards import reasons
from analyzer.standards.standard import Standard, decided, undecidable
from analyzer.terms import Benchmark

CIS_6_0: Final = Standard(
    id=Benchmark.CIS_6_0,
    name="CIS AWS Foundations Benchmark v6.0.0",
    scope="section 2, Identity and Access Management",
    source="github.com/prowler-cloud/prowler: cis_6.0_aws.json",
    controls=(
        undecidable("2.1", "Contact details are current", reasons.CONTACTS),
        undecidable("2.2", "A security contact is registered", reasons.CONTACTS),
        decided("2.3", "Root has no access key", "root-access-key"),
        decided("2.4", "Root has MFA", "root-without-mfa"),
        undecidable("2.5", "Root's MFA device is a hardware one", reasons.HARDWARE_MFA),
        decided("2.6", "Root is not used for administration and daily tasks", "root-used"),
        undecidable("2.7", "Passwords have 14 characters or more", reasons.PASSWORD_POLICY),
        undecidable("2.8", "Old passwords cannot be used again", reasons.PASSWORD_POLICY),
        decided("2.9", "Console users have MFA", "console-user-without-mfa"),
        decided(
            "2.10",
            "Console users get no access key when they are set up",
            "initial-setup-access-key",
        ),
        decided(
            "2.11",
            "Credentials unused for 45 days or more are disabled",
            "idle-password",
            "idle-access-key",
            idle_days=45,
        ),
        decided("2.12", "A user has one active access key at most", "two-active-access-keys"),
        decided(
            "2.13",
            "Access keys are rotated within 90 days",
            "unrotated-access-key",
            rotation_days=90,
        ),
        undecidable("2.14", "Users get permissions through groups only", reasons.POLICIES),
        undecidable("2.15", "No policy that allows everything is attached", reasons.POLICIES),
        undecidable("2.16", "There is a role for incidents with AWS Support", reasons.ROLES),
        undecidable("2.17", "Instances get their access from roles", reasons.ROLES),
        undecidable(
            "2.18", "Expired TLS certificates are removed from IAM", reasons.SERVER_CERTIFICATES
        ),
        undecidable("2.19", "The external access analyzer is on in all regions", reasons.ANALYZER),
        undecidable("2.20", "Users of many accounts are managed in one place", reasons.FEDERATION),
        undecidable("2.21", "AWSCloudShellFullAccess is restricted", reasons.POLICIES),
    ),
)
