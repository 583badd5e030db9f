"""List the controls of each version of the benchmarks, with the numbers of that version.

A control names the rules that decide it, or the reason why no report can. Most versions of CIS
share one list with new numbers. A new version needs a `_cis` in STANDARDS, and its word in
`Benchmark` of `terms` and in the JSON schema.
Numbers, titles and limits of CIS v1.4 and later: prowler-cloud/prowler,
`prowler/compliance/aws/cis_<version>_aws.json`, whose audit texts are the benchmark's own.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import inf
from typing import Final

from analyzer.terms import Benchmark


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """Describe one control of a standard; `title` says what must hold.

    It fails where one of `rules` (ids) fails; without rules, `reason` says why the report alone
    cannot decide it. `limit` is the threshold's name and the days that the standard asks for.
    """

    number: str = ""
    title: str
    rules: tuple[str, ...] = ()
    reason: str = ""
    limit: tuple[str, int] | None = None

    @property
    def idle_days(self) -> int:
        """Return the idle days that the standard asks for, 0 for none."""
        return dict([self.limit] if self.limit else ()).get("idle_days", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """Describe the part of one version of a standard that is about an account's identities.

    `id` is its name as an option, `short_name` its name in a line of text, `scope` the part of the
    benchmark, `source` the publication of the numbers, titles and limits.
    """

    id: str
    name: str
    short_name: str
    scope: str
    source: str
    controls: tuple[Control, ...]

    @property
    def rules(self) -> frozenset[str]:
        """Return the ids of the rules that the standard selects."""
        return frozenset(rule for control in self.controls for rule in control.rules)

    @property
    def limits(self) -> dict[str, int]:
        """Return the thresholds that the standard sets, by their names."""
        return dict(control.limit for control in self.controls if control.limit)

    def numbers(self, rule: str, idle_days: float = inf) -> tuple[str, ...]:
        """Return the numbers of the controls that a rule decides; `references` says of which."""
        asked = {control: control.idle_days for control in self.controls if rule in control.rules}
        return tuple(control.number for control, days in asked.items() if days <= idle_days)


def decidable(title: str, *rules: str, **limits: int) -> Control:
    """Describe a control that rules decide, with the threshold that the standard sets, if any."""
    return Control(title=title, rules=rules, limit=next(iter(limits.items()), None))


def undecidable(title: str, reason: str) -> Control:
    """Describe a control that the report alone cannot decide."""
    return Control(title=title, reason=reason)


def numbered(section: str, controls: Iterable[Control], *, first: int = 1) -> tuple[Control, ...]:
    """Return controls under the running numbers of a section, such as `1.1` and `1.2`."""
    return tuple(
        replace(control, number=f"{section}.{number}")
        for number, control in enumerate(controls, first)
    )


# Why a control cannot be decided

_PASSWORD_POLICY: Final = (
    "The account's password policy is not in the report; see `aws iam get-account-password-policy`."
)
_PASSWORD_EXPIRY: Final = (
    f"{_PASSWORD_POLICY} password_next_rotation is a hint, for users with a password."
)
_CONTACTS: Final = "The account's contacts and questions are not in the report."
_POLICIES: Final = "Policies and groups are not in the report."
_ROLES: Final = "Roles are not in the report."
_IDENTITY_CENTER: Final = "Identity providers and IAM Identity Center are not in the report."
_SERVER_CERTIFICATES: Final = (
    "Server certificates are not in the report: cert_1 and cert_2 are users' signing certificates."
)
_ORGANIZATION: Final = "The organization's settings are not in the report."
"""Also the reason for centralised root access, though a root without a password hints at it."""


def _idle(days: int, demand: str) -> Control:
    title = f"Credentials unused for {days} days {demand}"
    return decidable(title, "idle-password", "idle-access-key", idle_days=days)


# Controls that several versions share; each list gives them their numbers

_CONTACT_DETAILS: Final = undecidable("Contact details are current", _CONTACTS)
_SECURITY_CONTACT: Final = undecidable("A security contact is registered", _CONTACTS)
_SECURITY_QUESTIONS: Final = undecidable("Security questions are registered", _CONTACTS)
_ROOT_KEY: Final = decidable("Root has no access key", "root-access-key")
_ROOT_MFA: Final = decidable("Root has MFA", "root-without-mfa")
_ROOT_HARDWARE_MFA: Final = undecidable(
    "Root's MFA is a hardware device",
    "The report says that root has an MFA device, not which kind; see `aws iam"
    " list-virtual-mfa-devices`. A root without one fails root-without-mfa.",
)
_PASSWORD_LENGTH: Final = undecidable("Passwords have 14 characters or more", _PASSWORD_POLICY)
_PASSWORD_REUSE: Final = undecidable("Passwords cannot be reused", _PASSWORD_POLICY)
_CONSOLE_MFA: Final = decidable("Console users have MFA", "console-user-without-mfa")
_SETUP_KEY: Final = decidable(
    "Console users get no access key at initial setup", "initial-setup-access-key"
)
_NO_FULL_ACCESS: Final = undecidable("No policy allows full access", _POLICIES)
_ONE_KEY: Final = decidable("A user has at most one active access key", "two-active-access-keys")
_ROTATION: Final = decidable(
    "Access keys are rotated within 90 days", "unrotated-access-key", rotation_days=90
)
_SUPPORT_ROLE: Final = undecidable("A role to manage incidents with AWS Support exists", _ROLES)
_INSTANCE_ROLES: Final = undecidable("Instances use roles to access AWS", _ROLES)
_ACCESS_ANALYZER: Final = undecidable(
    "IAM Access Analyzer is on in all regions", "IAM Access Analyzer is not in the report."
)

_OF_2_0: Final = (
    _CONTACT_DETAILS,
    _SECURITY_CONTACT,
    _SECURITY_QUESTIONS,
    _ROOT_KEY,
    _ROOT_MFA,
    _ROOT_HARDWARE_MFA,
    decidable("Root is not used for administrative and daily tasks", "root-used"),
    _PASSWORD_LENGTH,
    _PASSWORD_REUSE,
    _CONSOLE_MFA,
    _SETUP_KEY,
    _idle(45, "or more are disabled"),
    _ONE_KEY,
    _ROTATION,
    undecidable("Users get permissions through groups only", _POLICIES),
    undecidable("No policy with full access is attached", _POLICIES),
    _SUPPORT_ROLE,
    _INSTANCE_ROLES,
    undecidable("Expired TLS certificates are removed from IAM", _SERVER_CERTIFICATES),
    _ACCESS_ANALYZER,
    undecidable("Users of several accounts are managed centrally", _IDENTITY_CENTER),
    undecidable("AWSCloudShellFullAccess is restricted", _POLICIES),
)
"""The controls of v2.0.0, v3.0.0 and v4.0.1; v1.4.0 and v1.5.0 have all but the last."""

_OF_5_0: Final = tuple(
    replace(control, title="The external access analyzer is on in all regions")
    if control is _ACCESS_ANALYZER
    else control
    for control in _OF_2_0
    if control is not _SECURITY_QUESTIONS
)
"""The controls of v5.0.0 and v6.0.0."""

_OF_7_0: Final = (
    *(control for control in _OF_5_0 if control not in (_SETUP_KEY, _ONE_KEY)),
    undecidable("Resource policies do not make resources public", _POLICIES),
)
"""The controls of v7.0.0, without those on the organization."""

_OF_1_2: Final = (
    decidable("Root is not used", "root-used"),
    _CONSOLE_MFA,
    _idle(90, "or more are disabled"),
    _ROTATION,
    undecidable("Passwords need an upper-case letter", _PASSWORD_POLICY),
    undecidable("Passwords need a lower-case letter", _PASSWORD_POLICY),
    undecidable("Passwords need a symbol", _PASSWORD_POLICY),
    undecidable("Passwords need a digit", _PASSWORD_POLICY),
    _PASSWORD_LENGTH,
    _PASSWORD_REUSE,
    undecidable("Passwords expire within 90 days", _PASSWORD_EXPIRY),
    _ROOT_KEY,
    _ROOT_MFA,
    _ROOT_HARDWARE_MFA,
    _SECURITY_QUESTIONS,
    undecidable("Policies are attached to groups and roles only", _POLICIES),
    _CONTACT_DETAILS,
    _SECURITY_CONTACT,
    _INSTANCE_ROLES,
    _SUPPORT_ROLE,
    _SETUP_KEY,
    _NO_FULL_ACCESS,
)

_ORGANIZATION_OF_7_0: Final = tuple(
    undecidable(title, _ORGANIZATION)
    for title in (
        "Root access is managed centrally",
        "Guardrails limit what accounts can do",
        "The management account runs no workloads",
        "Organizational units follow environment and sensitivity",
        "A delegated administrator manages the organization's policies",
        "Delegated administrators manage integrated services",
    )
)


def _cis(benchmark: Benchmark, version: str, section: int, controls: Iterable[Control]) -> Standard:
    """Return a version of CIS; the section is the one about identities."""
    return Standard(
        id=benchmark,
        name=f"CIS AWS Foundations Benchmark v{version}",
        short_name=f"CIS {benchmark.removeprefix('cis-')}",
        scope=f"section {section}, Identity and Access Management",
        source=f"github.com/prowler-cloud/prowler: cis_{version[:3]}_aws.json",
        controls=tuple(controls),
    )


_OF_FSBP: Final = (
    _NO_FULL_ACCESS,
    undecidable("No policy is attached to a user", _POLICIES),
    _ROTATION,
    _ROOT_KEY,
    _CONSOLE_MFA,
    _ROOT_HARDWARE_MFA,
    undecidable("The password policy is strong", _PASSWORD_POLICY),
    _idle(90, "are removed"),
)
_LATER_OF_FSBP: Final = (undecidable("No policy allows all actions of a service", _POLICIES),)

FSBP: Final = Standard(
    id=Benchmark.FSBP,
    name="AWS Foundational Security Best Practices v1.0.0",
    short_name="FSBP",
    scope="IAM",
    source="docs.aws.amazon.com/securityhub/latest/userguide/iam-controls.html",
    controls=numbered("IAM", _OF_FSBP) + numbered("IAM", _LATER_OF_FSBP, first=21),
)

STANDARDS: Final[tuple[Standard, ...]] = (
    _cis(
        Benchmark.CIS_7_0,
        "7.0.0",
        2,
        numbered("2.1", _ORGANIZATION_OF_7_0) + numbered("2", _OF_7_0, first=2),
    ),
    _cis(Benchmark.CIS_6_0, "6.0.0", 2, numbered("2", _OF_5_0)),
    _cis(Benchmark.CIS_5_0, "5.0.0", 1, numbered("1", _OF_5_0)),
    _cis(Benchmark.CIS_4_0_1, "4.0.1", 1, numbered("1", _OF_2_0)),
    _cis(Benchmark.CIS_3_0, "3.0.0", 1, numbered("1", _OF_2_0)),
    _cis(Benchmark.CIS_2_0, "2.0.0", 1, numbered("1", _OF_2_0)),
    _cis(Benchmark.CIS_1_5, "1.5.0", 1, numbered("1", _OF_2_0[:-1])),
    _cis(Benchmark.CIS_1_4, "1.4.0", 1, numbered("1", _OF_2_0[:-1])),
    replace(
        _cis(Benchmark.CIS_1_2, "1.2.0", 1, numbered("1", _OF_1_2)),
        source="github.com/turbot/steampipe-mod-aws-compliance: cis_v120",
    ),
    FSBP,
)
"""All standards, the newest first."""

# Frameworks

_IDLE_RULES: Final = "idle-password idle-access-key"
_MFA_RULES: Final = "console-user-without-mfa user-without-mfa root-without-mfa"
_NUMBERS_BY_RULES: Final = {
    "AWS Security Hub": {
        _IDLE_RULES: ("IAM.8", "IAM.22"),
        "unrotated-access-key": ("IAM.3",),
        "console-user-without-mfa": ("IAM.5",),
        "user-without-mfa": ("IAM.19",),
        "root-access-key": ("IAM.4",),
        "root-without-mfa": ("IAM.9",),
        "root-used": ("IAM.20, retired in April 2024",),
    },
    "NIST SP 800-53 r5": {
        "unused-user": ("AC-2(3)",),
        _IDLE_RULES: ("AC-2", "AC-2(1)", "AC-2(3)", "AC-3", "AC-3(7)", "AC-3(15)", "AC-6"),
        "unrotated-access-key": ("AC-2(1)", "AC-2(3)", "AC-3(15)"),
        _MFA_RULES: ("AC-2(1)", "AC-3(15)", "IA-2(1)", "IA-2(2)", "IA-2(6)", "IA-2(8)"),
        "root-access-key": ("AC-2(1)", "AC-3(7)", "AC-3(15)", "AC-6", "AC-6(2)", "AC-6(10)"),
    },
    "PCI DSS v4.0.1": {
        _IDLE_RULES: ("7.2.4", "8.2.6"),
        "unrotated-access-key": ("8.3.9", "8.6.3"),
        _MFA_RULES: ("8.4.2",),
    },
    "SOC 2": {
        "unused-user": ("CC6.3",),
        f"{_IDLE_RULES} root-access-key": ("CC6.1", "CC6.2", "CC6.3"),
        "unrotated-access-key": ("CC6.1", "CC6.2"),
        _MFA_RULES: ("CC6.6",),
    },
    "ISO/IEC 27001:2022": {
        "unused-user": ("A.5.18",),
        f"{_IDLE_RULES} unrotated-access-key root-access-key root-used": ("A.5.15",),
        "console-user-without-mfa root-without-mfa": ("A.5.15", "A.5.17", "A.8.5"),
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
FRAMEWORKS: Final = {
    name: {rule: numbers for rules, numbers in table.items() for rule in rules.split()}
    for name, table in _NUMBERS_BY_RULES.items()
}
"""The requirements of each framework by the id of the rule, for reference; they decide nothing.

NIST SP 800-53 revision 5, PCI DSS v4.0.1 and Security Hub: AWS Security Hub User Guide, "Security
Hub CSPM controls for IAM", under "Related requirements" of the control that is named with them.
PCI DSS 7.2.4 and ISO/IEC 27001:2022: prowler-cloud/prowler, `pci_4.0_aws.json` and
`iso27001_2022_aws.json` under `prowler/compliance/aws`, by the checks of the same credentials.
What `unused-user` supports (AC-2(3), A.5.18, CC6.3) asks for unneeded accounts to be found and
removed, and names no days. SOC 2: turbot/steampipe-mod-aws-compliance, `soc_2/cc_6.pp`, likewise.
Conformity: Trend Micro's knowledge base and `kb5fls/ConformityRulesList`.
"""


_IDLE_DAYS_OF: Final = {"IAM.8": 90, "IAM.22": 45, "8.2.6": 90}
"""The idle days from which requirements of frameworks fail; the others name no days."""


UNUSED_USER_SUPPORTS: Final = (
    "Finding and removing unused users supports NIST SP 800-53 AC-2(3), ISO/IEC 27001:2022 A.5.18"
    " and SOC 2 CC6.3, which name no days; the rule unused-user is a control of no benchmark."
)
"""What the main finding is to an auditor, beside the controls of a benchmark."""


def reached_days(idle_days: int) -> int:
    """Return the greatest number of idle days of a control that some idle days reach."""
    asked = {control.idle_days for standard in STANDARDS for control in standard.controls}
    return max(days for days in asked | set(_IDLE_DAYS_OF.values()) if days <= idle_days)


def references(rule: str, idle_days: int | None = None) -> list[tuple[str, tuple[str, ...]]]:
    """Return which standards and frameworks ask for a rule: (name, numbers of their controls).

    With the idle days of a finding, controls that ask for more days are left out.
    """
    days = inf if idle_days is None else idle_days
    every = {standard.name: standard.numbers(rule, days) for standard in STANDARDS}
    for name, numbers in FRAMEWORKS.items():
        of_rule = numbers.get(rule, ())
        every[name] = tuple(each for each in of_rule if _IDLE_DAYS_OF.get(each, 0) <= days)
    return [(name, numbers) for name, numbers in every.items() if numbers]
