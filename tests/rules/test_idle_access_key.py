from datetime import timedelta

from tests.support.builders import (
    COLUMNS_OF_2014,
    Row,
    a_key,
    a_user,
    an_inactive_key,
    days_before,
    no_key,
)
from tests.support.pages import FAILS, UNDECIDED, check_facts, check_slots, fact, found, outcomes

RULE = "idle-access-key"
LIMIT, SECOND = days_before(90), timedelta(seconds=1)
OLD, NEW = days_before(900), days_before(1)
UNKNOWN: Row = {"active": "?"}


def test_an_active_key_idle_for_90_days_fails() -> None:
    keys = {
        "just below": (a_key(OLD, LIMIT + SECOND), None),
        "at the limit": (a_key(OLD, LIMIT), FAILS),
        "just above": (a_key(OLD, LIMIT - SECOND), FAILS),
        "in the future": (a_key(OLD, days_before(-1)), None),
        "never used, at the limit": (a_key(LIMIT), FAILS),
        "absent": (no_key(), None),
        "inactive": (an_inactive_key(OLD, OLD), None),
        "unknown use": (a_key(OLD, "once"), UNDECIDED),
        "never used, no creation: as old as the user": (a_key("N/A"), FAILS),
        "unknown state": (a_key(OLD, LIMIT) | UNKNOWN, UNDECIDED),
        "use without a service": (a_key(OLD, LIMIT) | {"last_used_service": "N/A"}, FAILS),
    }
    check_slots(RULE, "access_key", keys)


def test_a_report_without_last_use_leaves_active_keys_undecided() -> None:
    user = a_user(key_1=a_key(OLD), key_2=an_inactive_key(OLD))
    assert outcomes(RULE, user, columns=COLUMNS_OF_2014) == {1: UNDECIDED}
    text = "access_key_1_last_used_date is not in this report"
    assert fact(RULE, user, columns=COLUMNS_OF_2014) == text


def test_the_fact_names_the_key_and_has_its_value() -> None:
    used, undated = a_key(days_before(1000), days_before(684)), a_key("once", LIMIT)
    facts = {
        "2, created 2023-08-05, last used 2024-06-16, idle 684 days": a_user(key_2=used),
        "1, created 2026-01-31, never used, idle 90 days": a_user(key_1=a_key(LIMIT)),
        "1, created at an unknown time, last used 2026-01-31, idle 90 days": a_user(key_1=undated),
    }
    check_facts(RULE, {f"access key {text}; limit 90": user for text, user in facts.items()})
    long = fact(RULE, a_user(key_2=a_key(OLD, "x" * 99)))
    assert long.startswith(f'access_key_2_last_used_date "{"x" * 80}" is not')


def test_the_finding_has_slot_creation_and_days() -> None:
    (row,) = found(RULE, a_user(key_2=a_key(OLD, LIMIT))).to_dict("records")
    assert (row["slot"], row["created"], row["since"], row["days"]) == (2, OLD, LIMIT, 90)
    assert (row["user"], row["severity"], row["outcome"]) == ("quiet", "medium", FAILS)
