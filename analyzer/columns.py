"""Name the columns of the credential report and of the tidy frames, each spelled once."""

from itertools import chain
from typing import Final, NamedTuple

USER: Final = "user"
ARN: Final = "arn"
USER_CREATION_TIME: Final = "user_creation_time"
PASSWORD_ENABLED: Final = "password_enabled"
PASSWORD_LAST_USED: Final = "password_last_used"
PASSWORD_LAST_CHANGED: Final = "password_last_changed"
PASSWORD_NEXT_ROTATION: Final = "password_next_rotation"
MFA_ACTIVE: Final = "mfa_active"
ADDITIONAL_CREDENTIALS_INFO: Final = "additional_credentials_info"

SLOTS: Final = (1, 2)
"""A user has two places for access keys, and two for signing certificates."""


class AccessKeyColumns(NamedTuple):
    """Name the report's five columns about the access key in one slot, in their order."""

    active: str
    last_rotated: str
    last_used_date: str
    last_used_region: str
    last_used_service: str

    @property
    def last_use(self) -> tuple[str, str, str]:
        """Return the columns about the last use."""
        return self.last_used_date, self.last_used_region, self.last_used_service


class CertificateColumns(NamedTuple):
    """Name the report's two columns about the signing certificate in one slot, in their order."""

    active: str
    last_rotated: str


ACCESS_KEYS: Final = tuple(
    AccessKeyColumns._make(f"access_key_{slot}_{name}" for name in AccessKeyColumns._fields)
    for slot in SLOTS
)
CERTIFICATES: Final = tuple(
    CertificateColumns._make(f"cert_{slot}_{name}" for name in CertificateColumns._fields)
    for slot in SLOTS
)

IN_REPORT: Final = (
    (USER, ARN, USER_CREATION_TIME, PASSWORD_ENABLED, PASSWORD_LAST_USED, PASSWORD_LAST_CHANGED)
    + (PASSWORD_NEXT_ROTATION, MFA_ACTIVE)
    + tuple(chain(*ACCESS_KEYS, *CERTIFICATES))
    + (ADDITIONAL_CREDENTIALS_INFO,)
)
"""Every column that AWS documents, in its order (IAM User Guide, "Generate credential reports")."""

OPTIONAL: Final = (
    (PASSWORD_LAST_CHANGED, PASSWORD_NEXT_ROTATION, MFA_ACTIVE, ADDITIONAL_CREDENTIALS_INFO)
    + tuple(name for key in ACCESS_KEYS for name in key.last_use)
    + tuple(chain(*CERTIFICATES))
)
"""Columns that a report may lack: those of later years, and those of which no verdict depends."""

OF_FEW_TEXTS: Final = (
    (PASSWORD_ENABLED, MFA_ACTIVE, ADDITIONAL_CREDENTIALS_INFO)
    + tuple(name for key in ACCESS_KEYS for name in (key.active,) + key.last_use[1:])
    + tuple(chain(*CERTIFICATES))
)
"""Columns in which the same few texts stand in nearly every row: each is kept once."""

REQUIRED: Final = tuple(name for name in IN_REPORT if name not in OPTIONAL)
"""Columns without which no report is read."""

SLOT_FLAGS: Final = tuple(slot.active for slot in ACCESS_KEYS + CERTIFICATES)
"""Columns that say whether the key or certificate in a slot is active."""

BOOLEANS: Final = (PASSWORD_ENABLED, MFA_ACTIVE) + SLOT_FLAGS
"""Columns whose cells are `true` or `false`."""

TIMESTAMPS: Final = (
    (USER_CREATION_TIME, PASSWORD_LAST_USED, PASSWORD_LAST_CHANGED, PASSWORD_NEXT_ROTATION)
    + tuple(name for key in ACCESS_KEYS for name in (key.last_rotated, key.last_used_date))
    + tuple(certificate.last_rotated for certificate in CERTIFICATES)
)
"""Columns whose cells hold a moment in UTC or a word that says why there is none."""

# Columns of the frames of users.
FILE: Final = "file"
ROW: Final = "row"
ACCOUNT: Final = "account"
CREATED: Final = "created"
AS_OF: Final = "as_of"
AS_OF_SOURCE: Final = "as_of_source"
SLOT: Final = "slot"
LAST_USE: Final = "last_use"
SERVICE_CREDENTIALS: Final = "service_credentials"
POSITION: Final = "position"

# Columns that the analysis adds to the users.
VERDICT: Final = "verdict"
REASON: Final = "reason"
EXPOSURE: Final = "exposure"
CERTAINTY: Final = "certainty"
CAVEATS: Final = "caveats"
EXEMPTION: Final = "exemption"
AGE_DAYS: Final = "age_days"
IDLE_DAYS: Final = "idle_days"
USERS: Final = "users"
EXEMPT: Final = "exempt"
AGE_BAND: Final = "age_band"
EARLIER_DECISION: Final = "earlier_decision"

ACCOUNT_NAME: Final = "account_name"
"""The column of outputs that holds the name of a row's account."""

OWNER: Final = "owner"
OWNER_EMAIL: Final = "owner_email"
OWNER_LEFT: Final = "owner_left"
OWNERSHIP: Final = (OWNER, OWNER_EMAIL, OWNER_LEFT)
"""The columns of outputs about the owner of a user: name, address, and last day, if past."""

JUDGED: Final = (
    (ACCOUNT, USER, ARN)
    + (VERDICT, REASON, EXPOSURE, CERTAINTY, CAVEATS, EXEMPTION)
    + (AS_OF, AS_OF_SOURCE, AGE_DAYS, IDLE_DAYS)
)
"""The columns of the analysis on each user, in the order of CSV and JSON."""

REPORT_ONLY: Final = tuple(name for name in IN_REPORT if name not in JUDGED)
"""The columns on a user that only the report has, under AWS's own names."""

OF_USERS_CSV: Final = JUDGED + REPORT_ONLY + OWNERSHIP + (ACCOUNT_NAME,)
"""The columns of `users.csv`, in their order."""

OF_LEDGER: Final = JUDGED + REPORT_ONLY
"""The columns of `users.csv` that a line of the ledger ends with: what a report gives of a user."""
