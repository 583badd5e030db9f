from tests.support.builders import (
    NEVER,
    QUIET_PASSWORD,
    Row,
    a_key,
    a_password,
    a_user,
    days_before,
    no_password,
)
from tests.support.pages import FAILS, UNDECIDED, check_facts, check_outcomes

RULE = "console-user-without-mfa"
PASSWORD, NONE = QUIET_PASSWORD, no_password()
UNKNOWN = a_password() | {"password_enabled": "?"}


def user(password: Row, mfa: str = "false") -> Row:
    return a_user(password=password, key_1=a_key(), mfa_active=mfa)


def test_a_password_without_mfa_fails() -> None:
    users = {
        "no MFA": (user(PASSWORD), FAILS),
        "no MFA, never used": (user(a_password(NEVER)), FAILS),
        "no MFA, in capitals": (user(PASSWORD, "FALSE"), FAILS),
        "MFA": (user(PASSWORD, "true"), None),
        "no password": (user(NONE), None),
        "password deleted": (user(no_password(days_before(9))), None),
        "unknown MFA": (user(PASSWORD, "?"), UNDECIDED),
        "unknown password": (user(UNKNOWN), UNDECIDED),
        "unknown password, MFA": (user(UNKNOWN, "true"), None),
        "no password, unknown MFA": (user(NONE, "?"), None),
    }
    check_outcomes(RULE, users)


def test_the_fact_has_the_last_use() -> None:
    facts = {
        "password enabled, last used 2026-04-30, no MFA device": user(PASSWORD),
        "password enabled, never used, no MFA device": user(a_password(NEVER)),
        "password enabled, last use unknown, no MFA device": user(a_password("once")),
    }
    check_facts(RULE, facts)
