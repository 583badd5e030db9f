from datetime import timedelta

import pytest

from analyzer.terms import Thresholds
from tests.support.builders import Row, a_key, a_user, an_inactive_key, days_before, in_slot, no_key
from tests.support.pages import FAILS, UNDECIDED, fact, outcomes

LIMIT, DAY, SECOND = days_before(90), timedelta(days=1), timedelta(seconds=1)
NEW = days_before(1)


@pytest.mark.parametrize("slot", [1, 2])
@pytest.mark.parametrize(
    ("key", "outcome"),
    [
        pytest.param(a_key(LIMIT), None, id="day 90"),
        pytest.param(a_key(LIMIT - DAY + SECOND), None, id="the last second of day 90"),
        pytest.param(a_key(LIMIT - DAY), FAILS, id="day 91"),
        pytest.param(a_key(LIMIT - DAY, NEW), FAILS, id="used, yet old"),
        pytest.param(a_key(days_before(-1)), None, id="in the future"),
        pytest.param(no_key(), None, id="absent"),
        pytest.param(an_inactive_key(days_before(900)), None, id="inactive"),
        pytest.param(a_key("once"), UNDECIDED, id="unknown creation"),
        pytest.param(a_key("N/A"), UNDECIDED, id="no creation"),
        pytest.param(a_key(LIMIT - DAY) | {"active": "?"}, UNDECIDED, id="unknown state"),
        pytest.param(a_key(LIMIT) | {"active": "?"}, None, id="unknown state, young"),
        pytest.param(no_key() | {"active": "?"}, UNDECIDED, id="unknown whether there is one"),
        pytest.param(no_key() | {"last_rotated": "?"}, None, id="not active, unknown creation"),
    ],
)
def test_an_active_key_fails_after_90_days(slot: int, key: Row, outcome: str | None) -> None:
    user = a_user() | in_slot("access_key", slot, key)
    assert outcomes("unrotated-access-key", user) == ({slot: outcome} if outcome else {})


@pytest.mark.parametrize(("days", "expected"), [(45, {}), (46, {1: FAILS})])
def test_the_limit_can_be_set(days: int, expected: dict[int, str]) -> None:
    limits = Thresholds(rotation_days=45)
    user = a_user(key_1=a_key(days_before(days)))
    assert outcomes("unrotated-access-key", user, limits) == expected


def test_the_fact_names_the_key_and_its_age() -> None:
    user = a_user(key_1=a_key(NEW), key_2=a_key(days_before(91)))
    told = "access key 2, created 2026-01-30, 91 days old; limit 90"
    assert fact("unrotated-access-key", user) == told
