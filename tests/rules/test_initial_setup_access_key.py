from tests.support.builders import (
    AS_OF,
    QUIET_PASSWORD,
    Row,
    Value,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    in_slot,
    no_key,
    no_password,
)
from tests.support.pages import FAILS, UNDECIDED, check_facts, check_outcomes

RULE = "initial-setup-access-key"
PASSWORD, NONE = QUIET_PASSWORD, no_password()
UNKNOWN = a_password() | {"password_enabled": "?"}
CASES: dict[str, tuple[Row, Row, str | None]] = {
    "never used, from the first day": (PASSWORD, a_key(AS_OF), FAILS),
    "never used": (PASSWORD, a_key(), FAILS),
    "used": (PASSWORD, a_key(used=AS_OF), None),
    "inactive": (PASSWORD, an_inactive_key(), None),
    "absent": (PASSWORD, no_key(), None),
    "no password": (NONE, a_key(), None),
    "unknown use": (PASSWORD, a_key(used="once"), UNDECIDED),
    "unknown key": (PASSWORD, no_key() | {"active": "?"}, UNDECIDED),
    "unknown password": (UNKNOWN, a_key(), UNDECIDED),
    "unknown password, used key": (UNKNOWN, a_key(used=AS_OF), None),
    "unknown creation": (PASSWORD, a_key("once"), FAILS),
}


def test_a_key_never_used_by_a_console_user_fails() -> None:
    for slot in (1, 2):
        users = {
            name: (a_user(password=password) | in_slot("access_key", slot, key), outcome)
            for name, (password, key, outcome) in CASES.items()
        }
        check_outcomes(RULE, users, slot=slot)


def test_the_fact_names_the_key_and_its_age() -> None:
    facts: dict[str, Value] = {
        "created 2026-04-30, 1 day old": days_before(1),
        "created at an unknown time": "once",
    }
    users = {
        f"access key 2, {text}, never used; the user has a password too": a_user(
            password=PASSWORD, key_2=a_key(created)
        )
        for text, created in facts.items()
    }
    check_facts(RULE, users)
