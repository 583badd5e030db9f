from datetime import timedelta

from tests.support.builders import Row, a_key, a_user, an_inactive_key, days_before, no_key
from tests.support.pages import FAILS, UNDECIDED, check_slots, fact

RULE = "unrotated-access-key"
LIMIT, DAY, SECOND = days_before(90), timedelta(days=1), timedelta(seconds=1)
NEW = days_before(1)
UNKNOWN: Row = {"active": "?"}


def test_an_active_key_fails_after_90_days() -> None:
    keys = {
        "day 90": (a_key(LIMIT), None),
        "the last second of day 90": (a_key(LIMIT - DAY + SECOND), None),
        "day 91": (a_key(LIMIT - DAY), FAILS),
        "absent": (no_key(), None),
        "inactive": (an_inactive_key(days_before(900)), None),
        "unknown creation": (a_key("once"), UNDECIDED),
        "no creation": (a_key("N/A"), UNDECIDED),
        "unknown state": (a_key(LIMIT - DAY) | UNKNOWN, UNDECIDED),
    }
    check_slots(RULE, "access_key", keys)


def test_the_fact_names_the_key_and_its_age() -> None:
    user = a_user(key_1=a_key(NEW), key_2=a_key(days_before(91)))
    assert fact(RULE, user) == "access key 2, created 2026-01-30, 91 days old; limit 90"
