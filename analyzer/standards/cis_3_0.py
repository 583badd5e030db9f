"""List the identity controls of the CIS AWS Foundations Benchmark v3.0.0.

Numbers, titles and limits: prowler-cloud/prowler, `prowler/compliance/aws/cis_3.0_aws.json`,
whose audit texts are the benchmark's own; AWS Security Hub User Guide, "CIS AWS
Foundations Benchmark".
"""

from typing import Final

from analyzer.standards import reasons
from analyzer.standards.standard import Standard, decided, undecidable
from analyzer.terms import Benchmark

CIS_3_0: Final = Standard(
    id=Benchmark.CIS_3_0,
    name="CIS AWS Foundations Benchmark v3.0.0",
    scope="section 1, Identity and Access Management",
    source="github.com/prowler-cloud/prowler: cis_3.0_aws.json",
    controls=(
        undecidable("1.1", "Contact details are current", reasons.CONTACTS),
        undecidable("1.2", "A security contact is registered", reasons.CONTACTS),
        undecidable("1.3", "Security questions are registered", reasons.CONTACTS),
        decided("1.4", "Root has no access key", "root-access-key"),
        decided("1.5", "Root has MFA", "root-without-mfa"),
        undecidable("1.6", "Root's MFA device is a hardware one", reasons.HARDWARE_MFA),
        decided("1.7", "Root is not used for administration and daily tasks", "root-used"),
        undecidable("1.8", "Passwords have 14 characters or more", reasons.PASSWORD_POLICY),
        undecidable("1.9", "Old passwords cannot be used again", reasons.PASSWORD_POLICY),
        decided("1.10", "Console users have MFA", "console-user-without-mfa"),
        decided(
            "1.11",
            "Console users get no access key when they are set up",
            "initial-setup-access-key",
        ),
        decided(
            "1.12",
            "Credentials unused for 45 days or more are disabled",
            "idle-password",
            "idle-access-key",
            idle_days=45,
        ),
        decided("1.13", "A user has one active access key at most", "two-active-access-keys"),
        decided(
            "1.14",
            "Access keys are rotated within 90 days",
            "unrotated-access-key",
            rotation_days=90,
        ),
        undecidable("1.15", "Users get permissions through groups only", reasons.POLICIES),
        undecidable("1.16", "No policy that allows everything is attached", reasons.POLICIES),
        undecidable("1.17", "There is a role for incidents with AWS Support", reasons.ROLES),
        undecidable("1.18", "Instances get their access from roles", reasons.ROLES),
        undecidable(
            "1.19", "Expired TLS certificates are removed from IAM", reasons.SERVER_CERTIFICATES
        ),
        undecidable("1.20", "IAM Access Analyzer is on in all regions", reasons.ANALYZER),
        undecidable("1.21", "Users of many accounts are managed in one place", reasons.FEDERATION),
        undecidable("1.22", "AWSCloudShellFullAccess is restricted", reasons.POLICIES),
    ),
)
