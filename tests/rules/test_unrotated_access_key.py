from datetime import timedelta

import pytest

from analyzer.terms import Thresholds
from tests.support.builders import a_key, a_user, an_inactive_key, days_before, in_slot, no_key
from tests.support.pages import FAILS, UNDECIDED, check_outcomes, fact, outcomes

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

LIMIT, DAY, SECOND = days_before(90), timedelta(days=1), timedelta(seconds=1)
NEW = days_before(1)


@pytest.mark.parametrize("slot", [1, 2])
def test_an_active_key_fails_after_90_days(slot: int) -> None:
    keys = {
        "day 90": (a_key(LIMIT), None),
        "the last second of day 90": (a_key(LIMIT - DAY + SECOND), None),
        "day 91": (a_key(LIMIT - DAY), FAILS),
        "used, yet old": (a_key(LIMIT - DAY, NEW), FAILS),
        "in the future": (a_key(days_before(-1)), None),
        "absent": (no_key(), None),
        "inactive": (an_inactive_key(days_before(900)), None),
        "unknown creation": (a_key("once"), UNDECIDED),
        "no creation": (a_key("N/A"), UNDECIDED),
        "unknown state": (a_key(LIMIT - DAY) | {"active": "?"}, UNDECIDED),
        "unknown state, young": (a_key(LIMIT) | {"active": "?"}, None),
        "unknown whether there is one": (no_key() | {"active": "?"}, UNDECIDED),
        "not active, unknown creation": (no_key() | {"last_rotated": "?"}, None),
    }
    users = {
        name: (a_user() | in_slot("access_key", slot, key), outcome)
        for name, (key, outcome) in keys.items()
    }
    check_outcomes("unrotated-access-key", users, slot=slot)


@pytest.mark.parametrize(("days", "expected"), [(45, {}), (46, {1: FAILS})])
def test_the_limit_can_be_set(days: int, expected: dict[int, str]) -> None:
    limits = Thresholds(rotation_days=45)
    user = a_user(key_1=a_key(days_before(days)))
    assert outcomes("unrotated-access-key", user, limits) == expected


def test_the_fact_names_the_key_and_its_age() -> None:
    user = a_user(key_1=a_key(NEW), key_2=a_key(days_before(91)))
    told = "access key 2, created 2026-01-30, 91 days old; limit 90"
    assert fact("unrotated-access-key", user) == told
