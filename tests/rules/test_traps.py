"""Hold the rules right where other tools are known to be wrong; each case names what it guards."""

from datetime import timedelta

import pytest

from tests.support.builders import (
    AS_OF,
    NEVER,
    Row,
    Value,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    in_slot,
    the_root,
)
from tests.support.pages import FAILS, UNDECIDED, fact, outcomes

IDLE_KEY, OLD_KEY, IDLE_PASSWORD = "idle-access-key", "unrotated-access-key", "idle-password"
UNUSED_KEY = a_user(key_1=a_key(days_before(1500)))
SECOND_KEY = a_user(key_1=an_inactive_key(), key_2=a_key(days_before(800), days_before(700)))
UNDATED, EMPTY = (a_user(key_1=a_key(created)) for created in ("N/A", ""))


def root(password_last_used: Value, key: Row | None = None, **cells: Value) -> Row:
    keys = in_slot("access_key", 2, key) if key else {}
    return the_root(password_last_used=password_last_used) | keys | cells


def never_used(password_changed: Value) -> Row:
    return a_user(created=days_before(2000), password=a_password(NEVER, password_changed))


IDLE_ROOT, NEW_ROOT = (root(used, a_key(used=AS_OF)) for used in (days_before(400), NEVER))
CASES: dict[str, list[tuple[str, Row, dict[int, str]]]] = {
    "1: an active key never used for 1,500 days is found three times": [
        (IDLE_KEY, UNUSED_KEY, {1: FAILS}),
        (OLD_KEY, UNUSED_KEY, {1: FAILS}),
        ("user-without-mfa", UNUSED_KEY, {0: FAILS}),
    ],
    "2: a password never used for 2,000 days is idle": [
        (IDLE_PASSWORD, never_used(days_before(2000)), {0: FAILS})
    ],
    "3: a root key used today counts although the password is idle": [
        ("root-used", IDLE_ROOT, {0: FAILS})
    ],
    "5: a root that never signed in is used by its key": [
        ("root-used", NEW_ROOT, {0: FAILS}),
        ("root-used", root(NEVER, a_key()), {}),
    ],
    "6: a root key unused for 90 days is not the one that alarms": [
        ("root-used", root(NEVER, a_key(used=days_before(90))), {})
    ],
    "7: key 2 is looked at although key 1 is inactive": [
        (IDLE_KEY, SECOND_KEY, {2: FAILS}),
        (OLD_KEY, SECOND_KEY, {2: FAILS}),
    ],
    "7: a password of one day does not alarm": [(IDLE_PASSWORD, never_used(days_before(1)), {})],
    "9: a password given today is not idle for the age of its user": [
        (IDLE_PASSWORD, never_used(AS_OF), {})
    ],
    "11: no password and a password never used are told apart": [
        (IDLE_PASSWORD, a_user(), {}),
        (IDLE_PASSWORD, a_user(password=a_password()), {0: FAILS}),
    ],
    "11: a missing date of an active key does not slip through": [
        (IDLE_KEY, UNDATED, {1: FAILS}),
        (IDLE_KEY, EMPTY, {1: UNDECIDED}),
        (OLD_KEY, UNDATED, {1: UNDECIDED}),
        (OLD_KEY, EMPTY, {1: UNDECIDED}),
    ],
}


@pytest.mark.parametrize("trap", CASES)
def test_what_other_tools_are_known_to_find_wrong_is_found_right(trap: str) -> None:
    for rule, row, outcome in CASES[trap]:
        assert outcomes(rule, row) == outcome, rule


def test_facts_are_right_where_other_tools_say_nan_or_zero_days() -> None:
    for used in (IDLE_ROOT, NEW_ROOT):
        assert fact("root-used", used).startswith("access key 2 last used 2026-05-01, 0 days")
    text = "access key 2, created 2026-03-16, never used, idle 46 days; limit 45"
    assert fact(IDLE_KEY, a_user(key_2=a_key(days_before(46)))) == text


# 4
@pytest.mark.parametrize(
    ("enabled", "used", "mfa", "without_mfa"),
    [
        ("false", "N/A", "false", {}),
        ("not_supported", NEVER, "false", {0: FAILS}),
        ("not_supported", NEVER, "true", {}),
        ("not_supported", days_before(400), "true", {}),
    ],
)
def test_a_root_without_a_password_or_of_the_old_form_is_judged(
    enabled: str, used: Value, mfa: str, without_mfa: dict[int, str]
) -> None:
    changed = "N/A" if enabled == "false" else "not_supported"
    row = root(used, password_enabled=enabled, password_last_changed=changed, mfa_active=mfa)
    for rule in ("root-used", "root-access-key", "root-certificate"):
        assert outcomes(rule, row) == {}
    assert outcomes("root-without-mfa", row) == without_mfa


# 10
@pytest.mark.parametrize("seconds", [5, 3600])
def test_a_last_use_in_the_future_is_a_use_today(seconds: int) -> None:
    soon = AS_OF + timedelta(seconds=seconds)
    user = a_user(password=a_password(soon), key_1=a_key(days_before(80), soon))
    for rule in (IDLE_PASSWORD, IDLE_KEY, "initial-setup-access-key"):
        assert outcomes(rule, user) == {}
    assert fact("root-used", root(soon)).endswith("0 days before as-of; limit 30")
