from datetime import timedelta

import pytest

from analyzer.terms import Thresholds
from tests.support.builders import NEVER, Row, Value, a_password, a_user, days_before, no_password
from tests.support.pages import FAILS, UNDECIDED, fact, found, outcomes

LIMIT, SECOND = days_before(45), timedelta(seconds=1)
OLD, NEW = days_before(900), days_before(1)


def used(at: Value, changed: Value = OLD) -> Row:
    return a_user(password=a_password(at, changed))


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        pytest.param(used(LIMIT + SECOND), {}, id="just below"),
        pytest.param(used(LIMIT), {0: FAILS}, id="at the limit"),
        pytest.param(used(LIMIT - SECOND), {0: FAILS}, id="just above"),
        pytest.param(used(days_before(-1)), {}, id="in the future"),
        pytest.param(used(NEW, changed=OLD), {}, id="old password, used"),
        pytest.param(used(OLD, changed=NEW), {0: FAILS}, id="a change is no use"),
        pytest.param(used(NEVER, changed=LIMIT + SECOND), {}, id="never used, just below"),
        pytest.param(used(NEVER, changed=LIMIT), {0: FAILS}, id="never used, at the limit"),
        pytest.param(used("N/A", changed=LIMIT), {0: FAILS}, id="N/A is never used too"),
        pytest.param(
            used(NEVER, "N/A") | {"user_creation_time": LIMIT}, {0: FAILS}, id="from creation"
        ),
        pytest.param(used(NEVER, "N/A") | {"user_creation_time": NEW}, {}, id="new user"),
        pytest.param(a_user(password=no_password(OLD)), {}, id="no password"),
        pytest.param(used("once"), {0: UNDECIDED}, id="unknown use"),
        pytest.param(used(NEVER, "once"), {0: UNDECIDED}, id="unknown change"),
        pytest.param(used(NEW, "once"), {}, id="unknown change that does not matter"),
        pytest.param(
            used(NEVER, "N/A") | {"user_creation_time": "?"}, {0: UNDECIDED}, id="unknown creation"
        ),
        pytest.param(used(OLD) | {"password_enabled": "?"}, {0: UNDECIDED}, id="unknown password"),
        pytest.param(used(NEW) | {"password_enabled": "?"}, {}, id="unknown but in use"),
    ],
)
def test_a_password_idle_for_45_days_fails(user: Row, expected: dict[int, str]) -> None:
    assert outcomes("idle-password", user) == expected


@pytest.mark.parametrize(("days", "expected"), [(89, {}), (90, {0: FAILS})])
def test_the_limit_can_be_set(days: int, expected: dict[int, str]) -> None:
    limits = Thresholds(idle_days=90)
    assert outcomes("idle-password", used(days_before(days)), limits) == expected


def test_a_contradicted_use_is_undecided() -> None:
    found = outcomes("idle-password", used(OLD), contradicted="password_last_used, mfa_active")
    assert found == {0: UNDECIDED}


@pytest.mark.parametrize(
    ("user", "told"),
    [
        (used(LIMIT), "password last used 2026-03-17, idle 45 days; limit 45"),
        (
            used(NEVER, LIMIT),
            "password never used, last changed 2026-03-17, idle 45 days; limit 45",
        ),
        (
            used("once") | {"password_enabled": "?"},
            'password_enabled "?" is not understood; password_last_used "once" is not understood',
        ),
    ],
)
def test_the_fact_has_its_value(user: Row, told: str) -> None:
    assert fact("idle-password", user) == told


def test_the_finding_says_from_when_it_counts() -> None:
    (row,) = found("idle-password", used(NEVER, LIMIT)).to_dict("records")
    assert (row["since"], row["days"], row["subject"]) == (LIMIT, 45, "password")
    assert row["created"] == days_before(1000)
