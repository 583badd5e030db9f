from datetime import timedelta

from tests.support.builders import AS_OF, COLUMNS, QUIET_PASSWORD, Row, Value, a_user, days_before
from tests.support.pages import FAILS, UNDECIDED, check_outcomes, fact, found, outcomes

RULE = "expired-password"
SECOND = timedelta(seconds=1)
UNKNOWN: Row = {"password_enabled": "?"}


def expiring(at: Value) -> Row:
    return a_user(password=QUIET_PASSWORD, password_next_rotation=at)


def test_a_password_fails_after_it_expired() -> None:
    users = {
        "just below": (expiring(AS_OF + SECOND), None),
        "at as-of": (expiring(AS_OF), None),
        "just above": (expiring(AS_OF - SECOND), FAILS),
        "does not expire": (expiring("N/A"), None),
        "not told": (expiring("not_supported"), UNDECIDED),
        "unknown": (expiring(AS_OF - SECOND) | UNKNOWN, UNDECIDED),
        "no password": (a_user(password_next_rotation="?"), None),
    }
    check_outcomes(RULE, users)


def test_a_report_without_the_column_leaves_passwords_undecided() -> None:
    columns = [column for column in COLUMNS if column != "password_next_rotation"]
    text = "password_next_rotation is not in this report"
    assert fact(RULE, expiring("N/A"), columns=columns) == text
    assert outcomes(RULE, a_user(), columns=columns) == {}


def test_the_finding_counts_from_the_end_of_the_password() -> None:
    (row,) = found(RULE, expiring(days_before(1.5))).to_dict("records")
    assert row["fact"] == "password expired 2026-04-30, 1 day before as-of"
    assert (row["since"], row["days"]) == (days_before(1.5), 1)
