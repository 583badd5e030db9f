"""Exposure is the most dangerous working credential; what is unknown is never taken for safe."""

from tests.support.builders import (
    COLUMNS,
    LONG_AGO,
    MORE_CREDENTIALS,
    Row,
    a_certificate,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    in_separate_accounts,
    judged_users,
    report_text,
    the_root,
)

MORE = "1 more"
ROOT = the_root(**{MORE_CREDENTIALS: ""})
SIGNED_IN = a_password(LONG_AGO)
KEY = a_key(LONG_AGO)
CASES: dict[str, Row] = {
    "password-without-mfa": a_user(password=SIGNED_IN, key_1=KEY),
    "password-without-mfa (unknown)": a_user(password=SIGNED_IN, mfa_active="?"),
    "access-key": a_user(password=SIGNED_IN, mfa=True, key_2=KEY),
    "access-key (unknown)": a_user(password=SIGNED_IN, mfa=True, access_key_1_active="?"),
    "password-with-mfa": a_user(password=SIGNED_IN, mfa=True, certificate_1=a_certificate()),
    "password-with-mfa (unknown)": a_user(password_enabled="?", mfa=True),
    "certificate-or-service": a_user(certificate_2=a_certificate(), key_1=an_inactive_key()),
    "certificate-or-service (unknown)": a_user(cert_1_active="?"),
    "inactive-key": a_user(mfa=True, key_2=an_inactive_key()),
    "inactive-key (unknown)": a_user(access_key_1_last_rotated="?"),
    "none": a_user(mfa=True),
}


def exposures(*users: Row, columns: tuple[str, ...] = COLUMNS) -> list[str]:
    """Return the exposure of users, each in an account of its own."""
    text = report_text(in_separate_accounts(users), root=ROOT, columns=columns)
    return [*judged_users(("report.csv", text.encode()))["exposure"].astype(str)]


def test_the_most_dangerous_working_credential_counts() -> None:
    assert exposures(*CASES.values()) == [*CASES]


def test_who_may_have_a_service_credential_is_exposed() -> None:
    columns = (*COLUMNS, MORE_CREDENTIALS)
    more = a_user() | {MORE_CREDENTIALS: MORE}
    assert exposures(more, a_user() | {MORE_CREDENTIALS: "N/A"}, columns=columns) == [
        "certificate-or-service",
        "none",
    ]
    assert exposures(a_user("BedrockAPIKey-a1")) == ["certificate-or-service"]


def test_a_report_without_columns_knows_less() -> None:
    without_mfa = tuple(name for name in COLUMNS if name != "mfa_active")
    users = a_user(password=SIGNED_IN), a_user()
    assert exposures(*users, columns=without_mfa) == ["password-without-mfa (unknown)", "none"]
    without_certificates = tuple(name for name in COLUMNS if not name.startswith("cert"))
    assert exposures(*users, columns=without_certificates) == [
        "password-without-mfa",
        "certificate-or-service (unknown)",
    ]
