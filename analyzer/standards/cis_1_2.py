"""List the identity controls of the CIS AWS Foundations Benchmark v1.2.0.

Numbers, titles and limits: turbot/steampipe-mod-aws-compliance, `cis_v120/section_1.pp` and
`cis_v120/docs`; AWS Security Hub User Guide, "CIS AWS Foundations Benchmark".
"""

from typing import Final

from analyzer.standards import reasons
from analyzer.standards.standard import Standard, decided, undecidable
from analyzer.terms import Benchmark

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
        undecidable("1.5", "Passwords need an upper-case letter", reasons.PASSWORD_POLICY),
        undecidable("1.6", "Passwords need a lower-case letter", reasons.PASSWORD_POLICY),
        undecidable("1.7", "Passwords need a symbol", reasons.PASSWORD_POLICY),
        undecidable("1.8", "Passwords need a digit", reasons.PASSWORD_POLICY),
        undecidable("1.9", "Passwords have 14 characters or more", reasons.PASSWORD_POLICY),
        undecidable("1.10", "Old passwords cannot be used again", reasons.PASSWORD_POLICY),
        undecidable("1.11", "Passwords expire within 90 days", reasons.PASSWORD_EXPIRY),
        decided("1.12", "Root has no access key", "root-access-key"),
        decided("1.13", "Root has MFA", "root-without-mfa"),
        undecidable("1.14", "Root's MFA device is a hardware one", reasons.HARDWARE_MFA),
        undecidable("1.15", "Security questions are registered", reasons.CONTACTS),
        undecidable("1.16", "Policies hang on groups and roles only", reasons.POLICIES),
        undecidable("1.17", "Contact details are current", reasons.CONTACTS),
        undecidable("1.18", "A security contact is registered", reasons.CONTACTS),
        undecidable("1.19", "Instances get their access from roles", reasons.ROLES),
        undecidable("1.20", "There is a role for incidents with AWS Support", reasons.ROLES),
        decided(
            "1.21",
            "Console users get no access key when they are set up",
            "initial-setup-access-key",
        ),
        undecidable("1.22", "No policy allows everything", reasons.POLICIES),
    ),
)
