from datetime import timedelta

import pytest

from analyzer.terms import Thresholds
from tests.support.builders import AS_OF, Value, a_password, a_user, days_before, no_password
from tests.support.pages import FAILS, UNDECIDED, fact, outcomes

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

LIMIT, SECOND = AS_OF + timedelta(days=14), timedelta(seconds=1)


@pytest.mark.parametrize(
    ("expires", "outcome"),
    [
        pytest.param(AS_OF - SECOND, None, id="expired"),
        pytest.param(AS_OF, FAILS, id="at as-of"),
        pytest.param(AS_OF + SECOND, FAILS, id="a second after as-of"),
        pytest.param(LIMIT - SECOND, FAILS, id="just below the limit"),
        pytest.param(LIMIT, FAILS, id="at the limit"),
        pytest.param(LIMIT + SECOND, None, id="just above the limit"),
        pytest.param("N/A", None, id="never expires"),
        pytest.param("not_supported", UNDECIDED, id="not reported"),
        pytest.param("soon", UNDECIDED, id="unknown"),
    ],
)
def test_a_password_that_expires_within_14_days_fails(expires: Value, outcome: str | None) -> None:
    user = a_user(password=a_password(days_before(1)), password_next_rotation=expires)
    assert outcomes("password-expires-soon", user) == ({0: outcome} if outcome else {})
    if outcome == FAILS:
        assert outcomes("expired-password", user) == {}


@pytest.mark.parametrize(("days", "expected"), [(29, {}), (30, {0: FAILS})])
def test_the_limit_can_be_set(days: int, expected: dict[int, str]) -> None:
    user = a_user(password=a_password(), password_next_rotation=AS_OF + timedelta(days=30))
    assert outcomes("password-expires-soon", user, Thresholds(expiry_days=days)) == expected


def test_a_password_that_is_not_enabled_cannot_expire() -> None:
    user = a_user(password=no_password(), password_next_rotation=AS_OF + SECOND)
    assert outcomes("password-expires-soon", user) == {}


def test_an_unknown_password_leaves_it_undecided() -> None:
    user = a_user(password_enabled="maybe", password_next_rotation=AS_OF + SECOND)
    assert outcomes("password-expires-soon", user) == {0: UNDECIDED}


@pytest.mark.parametrize(
    ("expires", "text"),
    [
        (AS_OF + SECOND, "password expires 2026-05-01, 0 days after as-of; limit 14"),
        (AS_OF + timedelta(days=1), "password expires 2026-05-02, 1 day after as-of; limit 14"),
        (LIMIT, "password expires 2026-05-15, 14 days after as-of; limit 14"),
    ],
)
def test_the_fact_names_the_date_and_the_days_left(expires: Value, text: str) -> None:
    user = a_user(password=a_password(), password_next_rotation=expires)
    assert fact("password-expires-soon", user) == text
