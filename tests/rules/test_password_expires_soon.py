from datetime import timedelta

from tests.support.builders import AS_OF, QUIET_PASSWORD, Row, Value, a_user, days_before
from tests.support.pages import FAILS, UNDECIDED, check_facts, check_outcomes

RULE = "password-expires-soon"
LIMIT, SECOND = AS_OF + timedelta(days=14), timedelta(seconds=1)


def expiring(at: Value) -> Row:
    return a_user(password=QUIET_PASSWORD, password_next_rotation=at)


def test_a_password_that_expires_within_14_days_fails() -> None:
    users = {
        "expired": (expiring(AS_OF - SECOND), None),
        "at as-of": (expiring(AS_OF), FAILS),
        "just below the limit": (expiring(LIMIT - SECOND), FAILS),
        "at the limit": (expiring(LIMIT), FAILS),
        "just above the limit": (expiring(LIMIT + SECOND), None),
        "never expires": (expiring("N/A"), None),
        "unknown": (expiring("soon"), UNDECIDED),
        "no password": (a_user(password_next_rotation=LIMIT), None),
        "unknown password": (expiring(LIMIT) | {"password_enabled": "maybe"}, UNDECIDED),
    }
    check_outcomes(RULE, users)
    soon = {name: (user, None) for name, (user, outcome) in users.items() if outcome == FAILS}
    check_outcomes("expired-password", soon)


def test_the_fact_names_the_date_and_the_days_left() -> None:
    facts = {
        "05-01, 0 days": AS_OF + SECOND,
        "05-02, 1 day": days_before(-1),
        "05-15, 14 days": LIMIT,
    }
    users = {f"password expires 2026-{day} after as-of; limit 14": at for day, at in facts.items()}
    check_facts(RULE, {text: expiring(at) for text, at in users.items()})
