from datetime import timedelta

import pytest

from analyzer.terms import Thresholds
from tests.support.builders import NEVER, Row, Value, a_password, a_user, days_before, no_password
from tests.support.pages import FAILS, UNDECIDED, check_outcomes, fact, found, outcomes

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

LIMIT, SECOND = days_before(45), timedelta(seconds=1)
OLD, NEW = days_before(900), days_before(1)


def used(at: Value, changed: Value = OLD) -> Row:
    return a_user(password=a_password(at, changed))


def test_a_password_idle_for_45_days_fails() -> None:
    check_outcomes(
        "idle-password",
        {
            "just below": (used(LIMIT + SECOND), {}),
            "at the limit": (used(LIMIT), {0: FAILS}),
            "just above": (used(LIMIT - SECOND), {0: FAILS}),
            "in the future": (used(days_before(-1)), {}),
            "old password, used": (used(NEW, changed=OLD), {}),
            "a change is no use": (used(OLD, changed=NEW), {0: FAILS}),
            "never used, just below": (used(NEVER, changed=LIMIT + SECOND), {}),
            "never used, at the limit": (used(NEVER, changed=LIMIT), {0: FAILS}),
            "N/A is never used too": (used("N/A", changed=LIMIT), {0: FAILS}),
            "from creation": (used(NEVER, "N/A") | {"user_creation_time": LIMIT}, {0: FAILS}),
            "new user": (used(NEVER, "N/A") | {"user_creation_time": NEW}, {}),
            "no password": (a_user(password=no_password(OLD)), {}),
            "unknown use": (used("once"), {0: UNDECIDED}),
            "unknown change": (used(NEVER, "once"), {0: UNDECIDED}),
            "unknown change that does not matter": (used(NEW, "once"), {}),
            "unknown creation": (used(NEVER, "N/A") | {"user_creation_time": "?"}, {0: UNDECIDED}),
            "unknown password": (used(OLD) | {"password_enabled": "?"}, {0: UNDECIDED}),
            "unknown but in use": (used(NEW) | {"password_enabled": "?"}, {}),
        },
    )


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
