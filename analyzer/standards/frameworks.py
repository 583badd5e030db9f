"""Name the frameworks that refer to each rule; they decide nothing.

NIST SP 800-53 revision 5, PCI DSS v4.0.1 and Security Hub: AWS Security Hub User Guide, "Security
Hub CSPM controls for IAM", under "Related requirements" of the control that is named with them.
PCI DSS 7.2.4 and ISO/IEC 27001:2022: prowler-cloud/prowler, `pci_4.0_aws.json` and
`iso27001_2022_aws.json` under `prowler/compliance/aws`, by the checks of the same credentials.
SOC 2: turbot/steampipe-mod-aws-compliance, `soc_2/cc_6.pp`, likewise.
Conformity: Trend Micro's knowledge base and `kb5fls/ConformityRulesList`.
"""

from typing import Final

_MFA: Final = ("AC-2(1)", "AC-3(15)", "IA-2(1)", "IA-2(2)", "IA-2(6)", "IA-2(8)")
_UNUSED: Final = ("AC-2", "AC-2(1)", "AC-2(3)", "AC-3", "AC-3(7)", "AC-3(15)", "AC-6")
_ROOT_KEY: Final = ("AC-2(1)", "AC-3(7)", "AC-3(15)", "AC-6", "AC-6(2)", "AC-6(10)")

FRAMEWORKS: Final = {
    "AWS Security Hub": {
        "idle-password": ("IAM.8", "IAM.22"),
        "idle-access-key": ("IAM.8", "IAM.22"),
        "unrotated-access-key": ("IAM.3",),
        "console-user-without-mfa": ("IAM.5",),
        "user-without-mfa": ("IAM.19",),
        "root-access-key": ("IAM.4",),
        "root-without-mfa": ("IAM.9",),
        "root-used": ("IAM.20, retired in April 2024",),
    },
    "NIST SP 800-53 r5": {
        "idle-password": _UNUSED,
        "idle-access-key": _UNUSED,
        "unrotated-access-key": ("AC-2(1)", "AC-2(3)", "AC-3(15)"),
        "console-user-without-mfa": _MFA,
        "user-without-mfa": _MFA,
        "root-access-key": _ROOT_KEY,
        "root-without-mfa": _MFA,
    },
    "PCI DSS v4.0.1": {
        "idle-password": ("7.2.4", "8.2.6"),
        "idle-access-key": ("7.2.4", "8.2.6"),
        "unrotated-access-key": ("8.3.9", "8.6.3"),
        "console-user-without-mfa": ("8.4.2",),
        "user-without-mfa": ("8.4.2",),
        "root-without-mfa": ("8.4.2",),
    },
    "SOC 2": {
        "idle-password": ("CC6.1", "CC6.2", "CC6.3"),
        "idle-access-key": ("CC6.1", "CC6.2", "CC6.3"),
        "unrotated-access-key": ("CC6.1", "CC6.2"),
        "console-user-without-mfa": ("CC6.6",),
        "user-without-mfa": ("CC6.6",),
        "root-access-key": ("CC6.1", "CC6.2", "CC6.3"),
        "root-without-mfa": ("CC6.6",),
    },
    "ISO/IEC 27001:2022": {
        "idle-password": ("A.5.15",),
        "idle-access-key": ("A.5.15",),
        "unrotated-access-key": ("A.5.15",),
        "console-user-without-mfa": ("A.5.15", "A.5.17", "A.8.5"),
        "root-access-key": ("A.5.15",),
        "root-without-mfa": ("A.5.15", "A.5.17", "A.8.5"),
        "root-used": ("A.5.15",),
    },
    "Trend Micro Conformity": {
        "unused-user": ("IAM-029",),
        "idle-password": ("IAM-003", "IAM-028"),
        "idle-access-key": ("IAM-003",),
        "unrotated-access-key": ("IAM-038",),
        "two-active-access-keys": ("IAM-004",),
        "initial-setup-access-key": ("IAM-043",),
        "console-user-without-mfa": ("IAM-013",),
        "password-and-access-key": ("IAM-024",),
        "root-access-key": ("IAM-015",),
        "root-without-mfa": ("IAM-014",),
        "root-used": ("IAM-035",),
        "root-certificate": ("IAM-048",),
    },
}
"""The requirements of each framework, by the id of the rule."""
