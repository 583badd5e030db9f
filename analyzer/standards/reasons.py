"""Say why a credential report cannot decide a control."""

from typing import Final

HARDWARE_MFA: Final = (
    "The report tells that root has an MFA device, not which kind; `aws iam"
    " list-virtual-mfa-devices` does. A root without any fails root-without-mfa."
)
PASSWORD_POLICY: Final = (
    "The account's password policy is not in the report; `aws iam get-account-password-policy`"
    " tells it."
)
PASSWORD_EXPIRY: Final = (
    "The account's password policy is not in the report. password_next_rotation hints at it, for"
    " users with a password only; `aws iam get-account-password-policy` tells it."
)
POLICIES: Final = "Policies and groups are not in the report."
ROLES: Final = "Roles are not in the report."
CONTACTS: Final = "The account's contacts and questions are not in the report."
SERVER_CERTIFICATES: Final = (
    "Server certificates are not in the report: cert_1 and cert_2 are users' signing certificates."
)
ANALYZER: Final = "IAM Access Analyzer is not in the report."
FEDERATION: Final = "Identity providers and IAM Identity Center are not in the report."
ORGANIZATION: Final = "The organization's settings are not in the report."
"""Also of centralised root access, though a root without a password hints at it."""
