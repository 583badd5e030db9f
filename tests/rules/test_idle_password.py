from datetime import timedelta

from tests.support.builders import NEVER, Row, Value, a_password, a_user, days_before, no_password
from tests.support.pages import FAILS, UNDECIDED, check_facts, check_outcomes, found

RULE = "idle-password"
LIMIT, SECOND = days_before(90), timedelta(seconds=1)
OLD, NEW = days_before(900), days_before(1)
UNKNOWN: Row = {"password_enabled": "?"}


def used(at: Value, changed: Value = OLD) -> Row:
    return a_user(password=a_password(at, changed))


def unchanged(created: Value) -> Row:
    return used(NEVER, "N/A") | {"user_creation_time": created}


def test_a_password_idle_for_90_days_fails() -> None:
    users = {
        "just below": (used(LIMIT + SECOND), None),
        "at the limit": (used(LIMIT), FAILS),
        "just above": (used(LIMIT - SECOND), FAILS),
        "in the future": (used(days_before(-1)), None),
        "a change is no use": (used(OLD, changed=NEW), FAILS),
        "never used, at the limit": (used(NEVER, changed=LIMIT), FAILS),
        "from creation": (unchanged(LIMIT), FAILS),
        "no password": (a_user(password=no_password(OLD)), None),
        "unknown use": (used("once"), UNDECIDED),
        "unknown change": (used(NEVER, "once"), UNDECIDED),
        "unknown password": (used(OLD) | UNKNOWN, UNDECIDED),
    }
    check_outcomes(RULE, users)


def test_the_fact_has_its_value() -> None:
    odd = 'password_enabled "?" is not understood; password_last_used "once" is not understood'
    facts = {
        "password last used 2026-01-31, idle 90 days; limit 90": used(LIMIT),
        "password never used, last changed 2026-01-31, idle 90 days; limit 90": used(NEVER, LIMIT),
        "password never used, user created 2026-01-31, idle 90 days; limit 90": unchanged(LIMIT),
        odd: used("once") | UNKNOWN,
    }
    check_facts(RULE, facts)


def test_the_finding_says_from_when_it_counts() -> None:
    (row,) = found(RULE, used(NEVER, LIMIT)).to_dict("records")
    assert (row["since"], row["days"], row["subject"]) == (LIMIT, 90, "password")
    assert row["created"] == days_before(1000)
