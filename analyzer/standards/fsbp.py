"""List the IAM controls of AWS Foundational Security Best Practices v1.0.0.

Which controls belong to it: AWS Security Hub User Guide, "AWS Foundational Security Best
Practices standard"; what each asks for: the same guide, "Security Hub CSPM controls for IAM".
IAM.9, IAM.19 and IAM.22 belong to other standards only.
"""

from typing import Final

from analyzer.standards import reasons
from analyzer.standards.standard import Standard, decided, undecidable
from analyzer.terms import Benchmark

FSBP: Final = Standard(
    id=Benchmark.FSBP,
    name="AWS Foundational Security Best Practices v1.0.0",
    scope="IAM",
    source="docs.aws.amazon.com/securityhub/latest/userguide/iam-controls.html",
    controls=(
        undecidable("IAM.1", "No policy allows everything", reasons.POLICIES),
        undecidable("IAM.2", "No policy is attached to a user", reasons.POLICIES),
        decided(
            "IAM.3",
            "Access keys are rotated within 90 days",
            "unrotated-access-key",
            rotation_days=90,
        ),
        decided("IAM.4", "Root has no access key", "root-access-key"),
        decided("IAM.5", "Console users have MFA", "console-user-without-mfa"),
        undecidable("IAM.6", "Root's MFA device is a hardware one", reasons.HARDWARE_MFA),
        undecidable("IAM.7", "The password policy is strong", reasons.PASSWORD_POLICY),
        decided(
            "IAM.8",
            "Credentials unused for 90 days are removed",
            "idle-password",
            "idle-access-key",
            idle_days=90,
        ),
        undecidable("IAM.21", "No policy allows all actions of a service", reasons.POLICIES),
    ),
)
