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
from tests.support.pages import FAILS, UNDECIDED, check_facts, check_outcomes

UNUSED_KEY = a_user(key_1=a_key(days_before(1500)))
SECOND_KEY = a_user(key_1=an_inactive_key(), key_2=a_key(days_before(800), days_before(700)))
UNDATED, EMPTY = (a_user(key_1=a_key(created)) for created in ("N/A", ""))
SOON, LATER = (AS_OF + timedelta(seconds=seconds) for seconds in (5, 3600))
USED_SOON, USED_LATER = (
    a_user(password=a_password(used), key_1=a_key(days_before(80), used)) for used in (SOON, LATER)
)


def root(password_last_used: Value, key: Row | None = None, **cells: Value) -> Row:
    keys = in_slot("access_key", 2, key) if key else {}
    return the_root(password_last_used=password_last_used) | keys | cells


def old_root(enabled: str, used: Value, mfa: str) -> Row:
    changed = "N/A" if enabled == "false" else "not_supported"
    return root(used, password_enabled=enabled, password_last_changed=changed, mfa_active=mfa)


def never_used(password_changed: Value) -> Row:
    return a_user(created=days_before(2000), password=a_password(NEVER, password_changed))


IDLE_ROOT, NEW_ROOT = (root(used, a_key(used=AS_OF)) for used in (days_before(400), NEVER))
NO_PASSWORD, NO_MFA = old_root("false", "N/A", "false"), old_root("not_supported", NEVER, "false")
WITH_MFA = [old_root("not_supported", used, "true") for used in (NEVER, days_before(400))]
OLD_ROOTS: dict[str, tuple[Row, str | None]] = {
    f"4: a root without a password or of the old form, {number}": (row, None)
    for number, row in enumerate((NO_PASSWORD, *WITH_MFA, NO_MFA))
}
FUTURE: dict[str, tuple[Row, str | None]] = {
    "10: a last use in 5 seconds is a use today": (USED_SOON, None),
    "10: a last use in an hour is a use today": (USED_LATER, None),
}
CASES: dict[str, dict[str, tuple[Row, dict[int, str] | str | None]]] = {
    "idle-access-key": {
        "1: never used for 1,500 days": (UNUSED_KEY, {1: FAILS}),
        "7: key 2 is looked at although key 1 is inactive": (SECOND_KEY, {2: FAILS}),
        "11: an active key without a date is as old as its user": (UNDATED, {1: FAILS}),
        "11: a missing date of an active key does not slip through": (EMPTY, {1: UNDECIDED}),
        **FUTURE,
    },
    "unrotated-access-key": {
        "1: never used for 1,500 days": (UNUSED_KEY, {1: FAILS}),
        "7: key 2 is looked at although key 1 is inactive": (SECOND_KEY, {2: FAILS}),
        "11: an active key without a date does not slip through": (UNDATED, {1: UNDECIDED}),
        "11: a missing date of an active key does not slip through": (EMPTY, {1: UNDECIDED}),
    },
    "user-without-mfa": {"1: never used for 1,500 days": (UNUSED_KEY, FAILS)},
    "initial-setup-access-key": {**FUTURE},
    "idle-password": {
        "2: never used for 2,000 days": (never_used(days_before(2000)), FAILS),
        "7: a password of one day does not alarm": (never_used(days_before(1)), None),
        "9: given today, it is not idle for the age of its user": (never_used(AS_OF), None),
        "11: no password": (a_user(), None),
        "11: a password never used is told apart from none": (
            a_user(password=a_password()),
            FAILS,
        ),
        **FUTURE,
    },
    "root-used": {
        "3: a key used today counts although the password is idle": (IDLE_ROOT, FAILS),
        "5: a root that never signed in is used by its key": (NEW_ROOT, FAILS),
        "5: or is not": (root(NEVER, a_key()), None),
        "6: a key unused for 90 days does not alarm": (
            root(NEVER, a_key(used=days_before(90))),
            None,
        ),
        **OLD_ROOTS,
    },
    "root-access-key": {**OLD_ROOTS},
    "root-certificate": {**OLD_ROOTS},
    "root-without-mfa": {**OLD_ROOTS, [*OLD_ROOTS][-1]: (NO_MFA, FAILS)},
}


@pytest.mark.parametrize("rule", CASES)
def test_what_other_tools_are_known_to_find_wrong_is_found_right(rule: str) -> None:
    check_outcomes(rule, CASES[rule])


def test_facts_are_right_where_other_tools_say_nan_or_zero_days() -> None:
    key, password = (
        f"{used} last used 2026-05-01, 0 days before as-of; limit 30"
        for used in ("access key 2", "password")
    )
    check_facts("root-used", {key: IDLE_ROOT, password: root(SOON)})
    check_facts("root-used", {key: NEW_ROOT, password: root(LATER)})
    text = "access key 2, created 2026-03-16, never used, idle 46 days; limit 45"
    check_facts("idle-access-key", {text: a_user(key_2=a_key(days_before(46)))})
