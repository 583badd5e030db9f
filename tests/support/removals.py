"""Build removals, and users in AWS that are just what the reviewer saw."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from analyzer.decisions.removal_script import CredentialInReport, Removal
from analyzer.decisions.review_columns import Decision
from tests.support.aws_account import ACCOUNT, AwsAccount, User, stated

SHELLS = ("dash", "bash")
CREATED = datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC)
BASELINE = datetime(2026, 5, 1, 12, 0, 30, tzinfo=UTC)
NOW = BASELINE + timedelta(days=10)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

PASSWORD_CHANGED = CREATED + HOUR
SIGNED_IN = datetime(2025, 1, 1, 9, 0, 7, tzinfo=UTC)
KEY_USED = datetime(2025, 2, 2, 10, tzinfo=UTC)
ACTIVE_KEY = CredentialInReport(created=CREATED + 2 * HOUR, active=True, last_used=KEY_USED)
INACTIVE_KEY = CredentialInReport(created=CREATED + 3 * HOUR, active=False)
CERTIFICATE = CredentialInReport(created=CREATED + 4 * HOUR, active=False)
EVERYTHING: dict[str, Any] = {
    "has_password": True,
    "password_last_used": SIGNED_IN,
    "password_changed": PASSWORD_CHANGED,
    "keys": (ACTIVE_KEY, INACTIVE_KEY),
    "certificates": (CERTIFICATE,),
    "has_mfa": True,
}
"""What a report can show of a user."""


def removal(user: str = "bob", path: str = "/", **values: Any) -> Removal:
    """Return the decision to delete a user who has nothing, unless values say otherwise."""
    standard: dict[str, Any] = {
        "arn": f"arn:aws:iam::{ACCOUNT}:user{path}{user}",
        "created": CREATED,
        "decision": Decision.DELETE,
        "baseline": BASELINE,
        "confirmed": BASELINE,
        "decided_by": "Ann",
        "decided_on": date(2026, 5, 2),
    }
    return Removal(**{**standard, **values})


def device(user: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:mfa/{user}"


def exists(account: AwsAccount, each: Removal) -> User:
    """Let AWS know the user, with all that the reviewer saw and nothing else."""
    user = account.add(each.arn, each.created)
    if each.password_last_used:
        user.signed_in = stated(each.password_last_used)
    if each.has_password:
        user.password = stated(each.password_changed or each.baseline)
    for number, key in enumerate(each.keys):
        name = f"AKIA{number}{each.user}"
        user.lists["list-access-keys"].append([_status(key.active), stated(key.created), name])
        if key.last_used:
            account.uses[name] = stated(key.last_used)
    for number, certificate in enumerate(each.certificates):
        item = [_status(certificate.active), stated(certificate.created), f"CERT{number}"]
        user.lists["list-signing-certificates"].append(item)
    if each.has_mfa:
        user.lists["list-mfa-devices"].append(["-", stated(each.created), device(each.user)])
    return user


def attach_permissions(user: User) -> None:
    """Attach what every user may have, and no report shows; one of everything."""
    user.lists["list-ssh-public-keys"] = [["Inactive", user.created, "APKA1"]]
    user.lists["list-service-specific-credentials"] = [
        ["Inactive", user.created, "ACCA1"],
        ["Expired", user.created, "ACCA2"],
    ]
    user.lists["list-user-policies"] = [["-", "-", "None"], ["-", "-", "-x"]]
    user.lists["list-attached-user-policies"] = [
        ["-", "-", "arn:aws:iam::aws:policy/ReadOnlyAccess"]
    ]
    user.lists["list-groups-for-user"] = [["-", "-", "a,b"]]


def _status(active: bool) -> str:  # noqa: FBT001 - a word is made of it
    return "Active" if active else "Inactive"
