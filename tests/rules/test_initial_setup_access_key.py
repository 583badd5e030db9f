from tests.support.builders import (
    AS_OF,
    QUIET_PASSWORD,
    Value,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    no_key,
)
from tests.support.pages import FAILS, UNDECIDED, check_facts, check_slots

RULE = "initial-setup-access-key"
PASSWORD = QUIET_PASSWORD
UNKNOWN = a_password() | {"password_enabled": "?"}


def test_a_key_never_used_by_a_console_user_fails() -> None:
    keys = {
        "never used": (a_key(), FAILS),
        "used": (a_key(used=AS_OF), None),
        "inactive": (an_inactive_key(), None),
        "absent": (no_key(), None),
        "unknown use": (a_key(used="once"), UNDECIDED),
        "unknown key": (no_key() | {"active": "?"}, UNDECIDED),
        "unknown creation": (a_key("once"), FAILS),
    }
    check_slots(RULE, "access_key", keys, PASSWORD)
    check_slots(RULE, "access_key", {"unknown password": (a_key(), UNDECIDED)}, UNKNOWN)
    check_slots(RULE, "access_key", {"no password": (a_key(), None)})


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
