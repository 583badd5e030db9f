"""List the identity controls of the CIS AWS Foundations Benchmark v7.0.0.

Numbers, titles and limits: prowler-cloud/prowler, `prowler/compliance/aws/cis_7.0_aws.json`,
whose audit texts are the benchmark's own.
"""

from typing import Final

from analyzer.standards.standard import Standard, decided, undecidable
from analyzer.terms import Benchmark

ORGANIZATION: Final = "The organization's settings are not in the report."
"""Also of centralised root access, though a root without a password hints at it."""

CONTACTS: Final = "The account's contacts and questions are not in the report."

HARDWARE_MFA: Final = (
    "The report tells that root has an MFA device, not which kind; `aws iam"
    " list-virtual-mfa-devices` does. A root without any fails root-without-mfa."
)

PASSWORD_POLICY: Final = (
    "The account's password policy is not in the report; `aws iam get-account-password-policy`"
    " tells it."
)

POLICIES: Final = "Policies and groups are not in the report."

ROLES: Final = "Roles are not in the report."

SERVER_CERTIFICATES: Final = (
    "Server certificates are not in the report: cert_1 and cert_2 are users' signing certificates."
)

ANALYZER: Final = "IAM Access Analyzer is not in the report."

FEDERATION: Final = "Identity providers and IAM Identity Center are not in the report."

CIS_7_0: Final = Standard(
    id=Benchmark.CIS_7_0,
    name="CIS AWS Foundations Benchmark v7.0.0",
    scope="section 2, Identity and Access Management",
    source="github.com/prowler-cloud/prowler: cis_7.0_aws.json",
    controls=(
        undecidable("2.1.1", "Root access is managed centrally", ORGANIZATION),
        undecidable("2.1.2", "Guardrails bound what all accounts may do", ORGANIZATION),
        undecidable("2.1.3", "The management account runs no workloads", ORGANIZATION),
        undecidable(
            "2.1.4", "Organizational units follow environment and sensitivity", ORGANIZATION
        ),
        undecidable(
            "2.1.5",
            "A delegated administrator manages the organization's policies",
            ORGANIZATION,
        ),
        undecidable("2.1.6", "Delegated administrators manage integrated services", ORGANIZATION),
        undecidable("2.2", "Contact details are current", CONTACTS),
        undecidable("2.3", "A security contact is registered", CONTACTS),
        decided("2.4", "Root has no access key", "root-access-key"),
        decided("2.5", "Root has MFA", "root-without-mfa"),
        undecidable("2.6", "Root's MFA device is a hardware one", HARDWARE_MFA),
        decided("2.7", "Root is not used for administration and daily tasks", "root-used"),
        undecidable("2.8", "Passwords have 14 characters or more", PASSWORD_POLICY),
        undecidable("2.9", "Old passwords cannot be used again", PASSWORD_POLICY),
        decided("2.10", "Console users have MFA", "console-user-without-mfa"),
        decided(
            "2.11",
            "Credentials unused for 45 days or more are disabled",
            "idle-password",
            "idle-access-key",
            idle_days=45,
        ),
        decided(
            "2.12",
            "Access keys are rotated within 90 days",
            "unrotated-access-key",
            rotation_days=90,
        ),
        undecidable("2.13", "Users get permissions through groups only", POLICIES),
        undecidable("2.14", "No policy that allows everything is attached", POLICIES),
        undecidable("2.15", "There is a role for incidents with AWS Support", ROLES),
        undecidable("2.16", "Instances get their access from roles", ROLES),
        undecidable("2.17", "Expired TLS certificates are removed from IAM", SERVER_CERTIFICATES),
        undecidable("2.18", "The external access analyzer is on in all regions", ANALYZER),
        undecidable("2.19", "Users of many accounts are managed in one place", FEDERATION),
        undecidable("2.20", "AWSCloudShellFullAccess is restricted", POLICIES),
        undecidable("2.21", "Resource policies do not open resources to everybody", POLICIES),
    ),
)

PASSWORD_EXPIRY: Final = (
    "The account's password policy is not in the report. password_next_rotation hints at it, for"
    " users with a password only; `aws iam get-account-password-policy` tells it."
)

CIS_1_2: Final = Standard(
    id=Benchmark.CIS_1_2,
    name="CIS AWS Foundations Benchmark v1.2.0",
    scope="section 1, Identity and Access Management",
    source="github.com/turbot/steampipe-mod-aws-compliance: cis_v120",
    controls=(
        decided("1.1", "Root is not used", "root-used"),
        decided("1.2", "Console users have MFA", "console-user-without-mfa"),
        decided(
            "1.3",
            "Credentials unused for 90 days or more are disabled",
            "idle-password",
            "idle-access-key",
            idle_days=90,
        ),
        decided(
            "1.4",
            "Access keys are rotated within 90 days",
            "unrotated-access-key",
            rotation_days=90,
        ),
        undecidable("1.5", "Passwords need an upper-case letter", PASSWORD_POLICY),
        undecidable("1.6", "Passwords need a lower-case letter", PASSWORD_POLICY),
        undecidable("1.7", "Passwords need a symbol", PASSWORD_POLICY),
        undecidable("1.8", "Passwords need a digit", PASSWORD_POLICY),
        undecidable("1.9", "Passwords have 14 characters or more", PASSWORD_POLICY),
        undecidable("1.10", "Old passwords cannot be used again", PASSWORD_POLICY),
        undecidable("1.11", "Passwords expire within 90 days", PASSWORD_EXPIRY),
        decided("1.12", "Root has no access key", "root-access-key"),
        decided("1.13", "Root has MFA", "root-without-mfa"),
        undecidable("1.14", "Root's MFA device is a hardware one", HARDWARE_MFA),
        undecidable("1.15", "Security questions are registered", CONTACTS),
        undecidable("1.16", "Policies hang on groups and roles only", POLICIES),
        undecidable("1.17", "Contact details are current", CONTACTS),
        undecidable("1.18", "A security contact is registered", CONTACTS),
        undecidable("1.19", "Instances get their access from roles", ROLES),
        undecidable("1.20", "There is a role for incidents with AWS Support", ROLES),
        decided(
            "1.21",
            "Console users get no access key when they are set up",
            "initial-setup-access-key",
        ),
        undecidable("1.22", "No policy allows everything", POLICIES),
    ),
)

CIS_1_4: Final = Standard(
    id=Benchmark.CIS_1_4,
    name="CIS AWS Foundations Benchmark v1.4.0",
    scope="section 1, Identity and Access Management",
    source="github.com/prowler-cloud/prowler: cis_1.4_aws.json",
    controls=(
        undecidable("1.1", "Contact details are current", CONTACTS),
        undecidable("1.2", "A security contact is registered", CONTACTS),
        undecidable("1.3", "Security questions are registered", CONTACTS),
        decided("1.4", "Root has no access key", "root-access-key"),
        decided("1.5", "Root has MFA", "root-without-mfa"),
        undecidable("1.6", "Root's MFA device is a hardware one", HARDWARE_MFA),
        decided("1.7", "Root is not used for administration and daily tasks", "root-used"),
        undecidable("1.8", "Passwords have 14 characters or more", PASSWORD_POLICY),
        undecidable("1.9", "Old passwords cannot be used again", PASSWORD_POLICY),
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
        undecidable("1.15", "Users get permissions through groups only", POLICIES),
        undecidable("1.16", "No policy that allows everything is attached", POLICIES),
        undecidable("1.17", "There is a role for incidents with AWS Support", ROLES),
        undecidable("1.18", "Instances get their access from roles", ROLES),
        undecidable("1.19", "Expired TLS certificates are removed from IAM", SERVER_CERTIFICATES),
        undecidable("1.20", "IAM Access Analyzer is on in all regions", ANALYZER),
        undecidable("1.21", "Users of many accounts are managed in one place", FEDERATION),
    ),
)

CIS_3_0: Final = Standard(
    id=Benchmark.CIS_3_0,
    name="CIS AWS Foundations Benchmark v3.0.0",
    scope="section 1, Identity and Access Management",
    source="github.com/prowler-cloud/prowler: cis_3.0_aws.json",
    controls=(
        undecidable("1.1", "Contact details are current", CONTACTS),
        undecidable("1.2", "A security contact is registered", CONTACTS),
        undecidable("1.3", "Security questions are registered", CONTACTS),
        decided("1.4", "Root has no access key", "root-access-key"),
        decided("1.5", "Root has MFA", "root-without-mfa"),
        undecidable("1.6", "Root's MFA device is a hardware one", HARDWARE_MFA),
        decided("1.7", "Root is not used for administration and daily tasks", "root-used"),
        undecidable("1.8", "Passwords have 14 characters or more", PASSWORD_POLICY),
        undecidable("1.9", "Old passwords cannot be used again", PASSWORD_POLICY),
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
        undecidable("1.15", "Users get permissions through groups only", POLICIES),
        undecidable("1.16", "No policy that allows everything is attached", POLICIES),
        undecidable("1.17", "There is a role for incidents with AWS Support", ROLES),
        undecidable("1.18", "Instances get their access from roles", ROLES),
        undecidable("1.19", "Expired TLS certificates are removed from IAM", SERVER_CERTIFICATES),
        undecidable("1.20", "IAM Access Analyzer is on in all regions", ANALYZER),
        undecidable("1.21", "Users of many accounts are managed in one place", FEDERATION),
        undecidable("1.22", "AWSCloudShellFullAccess is restricted", POLICIES),
    ),
)

CIS_5_0: Final = Standard(
    id=Benchmark.CIS_5_0,
    name="CIS AWS Foundations Benchmark v5.0.0",
    scope="section 1, Identity and Access Management",
    source="github.com/prowler-cloud/prowler: cis_5.0_aws.json",
    controls=(
        undecidable("1.1", "Contact details are current", CONTACTS),
        undecidable("1.2", "A security contact is registered", CONTACTS),
        decided("1.3", "Root has no access key", "root-access-key"),
        decided("1.4", "Root has MFA", "root-without-mfa"),
        undecidable("1.5", "Root's MFA device is a hardware one", HARDWARE_MFA),
        decided("1.6", "Root is not used for administration and daily tasks", "root-used"),
        undecidable("1.7", "Passwords have 14 characters or more", PASSWORD_POLICY),
        undecidable("1.8", "Old passwords cannot be used again", PASSWORD_POLICY),
        decided("1.9", "Console users have MFA", "console-user-without-mfa"),
        decided(
            "1.10",
            "Console users get no access key when they are set up",
            "initial-setup-access-key",
        ),
        decided(
            "1.11",
            "Credentials unused for 45 days or more are disabled",
            "idle-password",
            "idle-access-key",
            idle_days=45,
        ),
        decided("1.12", "A user has one active access key at most", "two-active-access-keys"),
        decided(
            "1.13",
            "Access keys are rotated within 90 days",
            "unrotated-access-key",
            rotation_days=90,
        ),
        undecidable("1.14", "Users get permissions through groups only", POLICIES),
        undecidable("1.15", "No policy that allows everything is attached", POLICIES),
        undecidable("1.16", "There is a role for incidents with AWS Support", ROLES),
        undecidable("1.17", "Instances get their access from roles", ROLES),
        undecidable("1.18", "Expired TLS certificates are removed from IAM", SERVER_CERTIFICATES),
        undecidable("1.19", "The external access analyzer is on in all regions", ANALYZER),
        undecidable("1.20", "Users of many accounts are managed in one place", FEDERATION),
        undecidable("1.21", "AWSCloudShellFullAccess is restricted", POLICIES),
    ),
)

CIS_6_0: Final = Standard(
    id=Benchmark.CIS_6_0,
    name="CIS AWS Foundations Benchmark v6.0.0",
    scope="section 2, Identity and Access Management",
    source="github.com/prowler-cloud/prowler: cis_6.0_aws.json",
    controls=(
        undecidable("2.1", "Contact details are current", CONTACTS),
        undecidable("2.2", "A security contact is registered", CONTACTS),
        decided("2.3", "Root has no access key", "root-access-key"),
        decided("2.4", "Root has MFA", "root-without-mfa"),
        undecidable("2.5", "Root's MFA device is a hardware one", HARDWARE_MFA),
        decided("2.6", "Root is not used for administration and daily tasks", "root-used"),
        undecidable("2.7", "Passwords have 14 characters or more", PASSWORD_POLICY),
        undecidable("2.8", "Old passwords cannot be used again", PASSWORD_POLICY),
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
        undecidable("2.14", "Users get permissions through groups only", POLICIES),
        undecidable("2.15", "No policy that allows everything is attached", POLICIES),
        undecidable("2.16", "There is a role for incidents with AWS Support", ROLES),
        undecidable("2.17", "Instances get their access from roles", ROLES),
        undecidable("2.18", "Expired TLS certificates are removed from IAM", SERVER_CERTIFICATES),
        undecidable("2.19", "The external access analyzer is on in all regions", ANALYZER),
        undecidable("2.20", "Users of many accounts are managed in one place", FEDERATION),
        undecidable("2.21", "AWSCloudShellFullAccess is restricted", POLICIES),
    ),
)

FSBP: Final = Standard(
    id=Benchmark.FSBP,
    name="AWS Foundational Security Best Practices v1.0.0",
    scope="IAM",
    source="docs.aws.amazon.com/securityhub/latest/userguide/iam-controls.html",
    controls=(
        undecidable("IAM.1", "No policy allows everything", POLICIES),
        undecidable("IAM.2", "No policy is attached to a user", POLICIES),
        decided(
            "IAM.3",
            "Access keys are rotated within 90 days",
            "unrotated-access-key",
            rotation_days=90,
        ),
        decided("IAM.4", "Root has no access key", "root-access-key"),
        decided("IAM.5", "Console users have MFA", "console-user-without-mfa"),
        undecidable("IAM.6", "Root's MFA device is a hardware one", HARDWARE_MFA),
        undecidable("IAM.7", "The password policy is strong", PASSWORD_POLICY),
        decided(
            "IAM.8",
            "Credentials unused for 90 days are removed",
            "idle-password",
            "idle-access-key",
            idle_days=90,
        ),
        undecidable("IAM.21", "No policy allows all actions of a service", POLICIES),
    ),
)
