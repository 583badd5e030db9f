"""Hold the rules right where other tools are known to be wrong; each test names what it guards."""

from datetime import timedelta

import pytest

from tests.support.builders import (
    NEVER,
    Row,
    Value,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    in_slot,
    no_password,
    the_root,
)
from tests.support.pages import FAILS, UNDECIDED, fact, outcomes

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time


def root(password_last_used: Value, key: Row | None = None, **cells: Value) -> Row:
    keys = in_slot("access_key", 2, key) if key else {}
    return the_root(password_last_used=password_last_used) | keys | cells


# 1
def test_an_active_key_never_used_for_1500_days_is_found_three_times() -> None:
    user = a_user(key_1=a_key(days_before(1500)))
    for rule in ("idle-access-key", "unrotated-access-key"):
        assert outcomes(rule, user) == {1: FAILS}
    assert outcomes("user-without-mfa", user) == {0: FAILS}


# 2
def test_a_password_never_used_for_2000_days_is_idle() -> None:
    user = a_user(password=a_password(NEVER, days_before(2000)))
    assert outcomes("idle-password", user) == {0: FAILS}


# 3
def test_a_root_key_used_today_counts_although_the_password_is_idle() -> None:
    used = root(days_before(400), a_key(used=days_before(0)))
    assert outcomes("root-used", used) == {0: FAILS}
    assert fact("root-used", used).startswith("access key 2 last used 2026-05-01")


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
    assert outcomes("root-used", row) == {}
    assert outcomes("root-access-key", row) == {}
    assert outcomes("root-certificate", row) == {}
    assert outcomes("root-without-mfa", row) == without_mfa


# 5
def test_a_root_that_never_signed_in_is_used_by_its_key() -> None:
    used = root(NEVER, a_key(used=days_before(0)))
    assert outcomes("root-used", used) == {0: FAILS}
    assert "NaN" not in fact("root-used", used)
    assert outcomes("root-used", root(NEVER, a_key())) == {}


# 6
def test_a_root_key_unused_for_90_days_is_not_the_one_that_alarms() -> None:
    assert outcomes("root-used", root(NEVER, a_key(used=days_before(90)))) == {}
    assert outcomes("root-used", root(NEVER, a_key(used=days_before(0)))) == {0: FAILS}


# 7
def test_key_2_is_looked_at_although_key_1_is_inactive() -> None:
    user = a_user(key_1=an_inactive_key(), key_2=a_key(days_before(800), days_before(700)))
    assert outcomes("idle-access-key", user) == {2: FAILS}
    assert outcomes("unrotated-access-key", user) == {2: FAILS}


def test_a_password_of_one_day_does_not_alarm() -> None:
    assert outcomes("idle-password", a_user(password=a_password(NEVER, days_before(1)))) == {}


# 9
def test_a_password_given_today_is_not_idle_for_the_age_of_its_user() -> None:
    user = a_user(created=days_before(2000), password=a_password(NEVER, days_before(0)))
    assert outcomes("idle-password", user) == {}


# 10
@pytest.mark.parametrize("seconds", [5, 59, 3600])
def test_a_last_use_in_the_future_is_a_use_today(seconds: int) -> None:
    soon = days_before(0) + timedelta(seconds=seconds)
    user = a_user(password=a_password(soon), key_1=a_key(days_before(80), soon))
    for rule in ("idle-password", "idle-access-key", "initial-setup-access-key"):
        assert outcomes(rule, user) == {}
    assert fact("root-used", root(soon)).endswith("0 days before as-of; limit 30")


# 11
@pytest.mark.parametrize(
    ("rule", "cell", "outcome"),
    [
        ("idle-access-key", "N/A", FAILS),
        ("idle-access-key", "", UNDECIDED),
        ("unrotated-access-key", "N/A", UNDECIDED),
        ("unrotated-access-key", "", UNDECIDED),
    ],
)
def test_a_missing_date_of_an_active_key_does_not_slip_through(
    rule: str, cell: str, outcome: str
) -> None:
    assert outcomes(rule, a_user(key_1=a_key(cell))) == {1: outcome}


def test_no_password_and_a_password_never_used_are_told_apart() -> None:
    assert outcomes("idle-password", a_user(password=no_password())) == {}
    assert outcomes("idle-password", a_user(password=a_password())) == {0: FAILS}


# 19
def test_never_used_is_not_used_today() -> None:
    user = a_user(key_2=a_key(days_before(46)))
    told = "access key 2, created 2026-03-16, never used, idle 46 days; limit 45"
    assert fact("idle-access-key", user) == told
