"""List the controls of the benchmarks: the controls of each version under its own numbers.

Most versions of CIS are one list, numbered anew. A new version is one `_cis` and a place in
STANDARDS, both at the end; `Benchmark` in `terms` and the schema of JSON have its word.
Numbers, titles and limits of CIS v1.4 and later: prowler-cloud/prowler,
`prowler/compliance/aws/cis_<version>_aws.json`, whose audit texts are the benchmark's own.
"""

from collections.abc import Iterable
from typing import Final

from analyzer.standards.standard import Control, Standard, decidable, numbered, undecidable
from analyzer.terms import Benchmark

# Why a control cannot be decided

ORGANIZATION_REASON: Final = "The organization's settings are not in the report."
"""Also of centralised root access, though a root without a password hints at it."""

CONTACTS_REASON: Final = "The account's contacts and questions are not in the report."

HARDWARE_MFA_REASON: Final = (
    "The report says that root has an MFA device, not which kind; see `aws iam"
    " list-virtual-mfa-devices`. A root without one fails root-without-mfa."
)

PASSWORD_POLICY_REASON: Final = (
    "The account's password policy is not in the report; see `aws iam get-account-password-policy`."
)

PASSWORD_EXPIRY_REASON: Final = (
    "The account's password policy is not in the report; see `aws iam"
    " get-account-password-policy`. password_next_rotation is a hint, for users with a password."
)

POLICIES_REASON: Final = "Policies and groups are not in the report."
ROLES_REASON: Final = "Roles are not in the report."

SERVER_CERTIFICATES_REASON: Final = (
    "Server certificates are not in the report: cert_1 and cert_2 are users' signing certificates."
)

ANALYZER_REASON: Final = "IAM Access Analyzer is not in the report."
FEDERATION_REASON: Final = "Identity providers and IAM Identity Center are not in the report."

# Controls that several versions share; each list gives them their numbers

_CONTACT_DETAILS: Final = undecidable("Contact details are current", CONTACTS_REASON)
_SECURITY_CONTACT: Final = undecidable("A security contact is registered", CONTACTS_REASON)
_SECURITY_QUESTIONS: Final = undecidable("Security questions are registered", CONTACTS_REASON)
_ROOT_KEY: Final = decidable("Root has no access key", "root-access-key")
_ROOT_MFA: Final = decidable("Root has MFA", "root-without-mfa")
_ROOT_HARDWARE_MFA: Final = undecidable("Root's MFA is a hardware device", HARDWARE_MFA_REASON)
_ROOT_USE: Final = decidable("Root is not used for administrative and daily tasks", "root-used")
_PASSWORD_LENGTH: Final = undecidable(
    "Passwords have 14 characters or more", PASSWORD_POLICY_REASON
)
_PASSWORD_REUSE: Final = undecidable("Passwords cannot be reused", PASSWORD_POLICY_REASON)
_CONSOLE_MFA: Final = decidable("Console users have MFA", "console-user-without-mfa")
_SETUP_KEY: Final = decidable(
    "Console users get no access key at initial setup", "initial-setup-access-key"
)
_IDLE_45: Final = decidable(
    "Credentials unused for 45 days or more are disabled",
    *("idle-password", "idle-access-key"),
    idle_days=45,
)
_ONE_KEY: Final = decidable("A user has at most one active access key", "two-active-access-keys")
_ROTATION: Final = decidable(
    "Access keys are rotated within 90 days", "unrotated-access-key", rotation_days=90
)
_GROUPS_ONLY: Final = undecidable("Users get permissions through groups only", POLICIES_REASON)
_NO_FULL_POLICY: Final = undecidable("No policy with full access is attached", POLICIES_REASON)
_SUPPORT_ROLE: Final = undecidable(
    "A role to manage incidents with AWS Support exists", ROLES_REASON
)
_INSTANCE_ROLES: Final = undecidable("Instances use roles to access AWS", ROLES_REASON)
_TLS: Final = undecidable(
    "Expired TLS certificates are removed from IAM", SERVER_CERTIFICATES_REASON
)
_ACCESS_ANALYZER: Final = undecidable("IAM Access Analyzer is on in all regions", ANALYZER_REASON)
_EXTERNAL_ANALYZER: Final = undecidable(
    "The external access analyzer is on in all regions", ANALYZER_REASON
)
_CENTRAL_USERS: Final = undecidable(
    "Users of several accounts are managed centrally", FEDERATION_REASON
)
_CLOUD_SHELL: Final = undecidable("AWSCloudShellFullAccess is restricted", POLICIES_REASON)

_OF_2_0: Final = (
    *(_CONTACT_DETAILS, _SECURITY_CONTACT, _SECURITY_QUESTIONS),
    *(_ROOT_KEY, _ROOT_MFA, _ROOT_HARDWARE_MFA, _ROOT_USE),
    *(_PASSWORD_LENGTH, _PASSWORD_REUSE, _CONSOLE_MFA),
    *(_SETUP_KEY, _IDLE_45, _ONE_KEY, _ROTATION),
    *(_GROUPS_ONLY, _NO_FULL_POLICY, _SUPPORT_ROLE, _INSTANCE_ROLES, _TLS),
    *(_ACCESS_ANALYZER, _CENTRAL_USERS, _CLOUD_SHELL),
)
"""The controls of v2.0.0, v3.0.0 and v4.0.1; v1.4.0 and v1.5.0 have all but the last."""

_OF_5_0: Final = tuple(
    _EXTERNAL_ANALYZER if each is _ACCESS_ANALYZER else each
    for each in _OF_2_0
    if each is not _SECURITY_QUESTIONS
)
"""The controls of v5.0.0 and v6.0.0."""

_OF_7_0: Final = (
    *(each for each in _OF_5_0 if each not in (_SETUP_KEY, _ONE_KEY)),
    undecidable("Resource policies do not make resources public", POLICIES_REASON),
)
"""The controls of v7.0.0, but for those on the organization."""

_ORGANIZATION_OF_7_0: Final = tuple(
    undecidable(title, ORGANIZATION_REASON)
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


CIS_7_0: Final = _cis(
    Benchmark.CIS_7_0,
    *("7.0.0", 2),
    (*numbered("2.1", _ORGANIZATION_OF_7_0), *numbered("2", _OF_7_0, first=2)),
)
CIS_6_0: Final = _cis(Benchmark.CIS_6_0, "6.0.0", 2, numbered("2", _OF_5_0))
CIS_5_0: Final = _cis(Benchmark.CIS_5_0, "5.0.0", 1, numbered("1", _OF_5_0))
CIS_4_0_1: Final = _cis(Benchmark.CIS_4_0_1, "4.0.1", 1, numbered("1", _OF_2_0))
CIS_3_0: Final = _cis(Benchmark.CIS_3_0, "3.0.0", 1, numbered("1", _OF_2_0))
CIS_2_0: Final = _cis(Benchmark.CIS_2_0, "2.0.0", 1, numbered("1", _OF_2_0))
CIS_1_5: Final = _cis(Benchmark.CIS_1_5, "1.5.0", 1, numbered("1", _OF_2_0[:-1]))
CIS_1_4: Final = _cis(Benchmark.CIS_1_4, "1.4.0", 1, numbered("1", _OF_2_0[:-1]))

CIS_1_2: Final = Standard(
    id=Benchmark.CIS_1_2,
    name="CIS AWS Foundations Benchmark v1.2.0",
    short_name="CIS 1.2",
    scope="section 1, Identity and Access Management",
    source="github.com/turbot/steampipe-mod-aws-compliance: cis_v120",
    controls=numbered(
        "1",
        (
            decidable("Root is not used", "root-used"),
            _CONSOLE_MFA,
            decidable(
                "Credentials unused for 90 days or more are disabled",
                *("idle-password", "idle-access-key"),
                idle_days=90,
            ),
            _ROTATION,
            undecidable("Passwords need an upper-case letter", PASSWORD_POLICY_REASON),
            undecidable("Passwords need a lower-case letter", PASSWORD_POLICY_REASON),
            undecidable("Passwords need a symbol", PASSWORD_POLICY_REASON),
            undecidable("Passwords need a digit", PASSWORD_POLICY_REASON),
            _PASSWORD_LENGTH,
            _PASSWORD_REUSE,
            undecidable("Passwords expire within 90 days", PASSWORD_EXPIRY_REASON),
            _ROOT_KEY,
            _ROOT_MFA,
            _ROOT_HARDWARE_MFA,
            _SECURITY_QUESTIONS,
            undecidable("Policies are attached to groups and roles only", POLICIES_REASON),
            _CONTACT_DETAILS,
            _SECURITY_CONTACT,
            _INSTANCE_ROLES,
            _SUPPORT_ROLE,
            _SETUP_KEY,
            undecidable("No policy allows full access", POLICIES_REASON),
        ),
    ),
)

FSBP: Final = Standard(
    id=Benchmark.FSBP,
    name="AWS Foundational Security Best Practices v1.0.0",
    short_name="FSBP",
    scope="IAM",
    source="docs.aws.amazon.com/securityhub/latest/userguide/iam-controls.html",
    controls=(
        undecidable("No policy allows full access", POLICIES_REASON).with_number("IAM.1"),
        undecidable("No policy is attached to a user", POLICIES_REASON).with_number("IAM.2"),
        _ROTATION.with_number("IAM.3"),
        _ROOT_KEY.with_number("IAM.4"),
        _CONSOLE_MFA.with_number("IAM.5"),
        _ROOT_HARDWARE_MFA.with_number("IAM.6"),
        undecidable("The password policy is strong", PASSWORD_POLICY_REASON).with_number("IAM.7"),
        decidable(
            "Credentials unused for 90 days are removed",
            *("idle-password", "idle-access-key"),
            idle_days=90,
        ).with_number("IAM.8"),
        undecidable("No policy allows all actions of a service", POLICIES_REASON).with_number(
            "IAM.21"
        ),
    ),
)

STANDARDS: Final[tuple[Standard, ...]] = (
    CIS_7_0,
    CIS_6_0,
    CIS_5_0,
    CIS_4_0_1,
    CIS_3_0,
    CIS_2_0,
    CIS_1_5,
    CIS_1_4,
    CIS_1_2,
    FSBP,
)
"""All of them, the newest first."""
