from datetime import timedelta

import pytest

from tests.support.builders import (
    AS_OF,
    COLUMNS,
    Row,
    Value,
    a_password,
    a_user,
    days_before,
    no_password,
)
from tests.support.pages import FAILS, UNDECIDED, check_outcomes, fact, found, outcomes

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

SECOND = timedelta(seconds=1)


def expiring(at: Value) -> Row:
    return a_user(password=a_password(days_before(1)) | {"password_next_rotation": at})


def test_a_password_fails_after_it_expired() -> None:
    check_outcomes(
        "expired-password",
        {
            "just below": (expiring(AS_OF + SECOND), None),
            "at as-of": (expiring(AS_OF), None),
            "just above": (expiring(AS_OF - SECOND), FAILS),
            "does not expire": (expiring("N/A"), None),
            "not told": (expiring("not_supported"), UNDECIDED),
            "unknown": (expiring(AS_OF - SECOND) | {"password_enabled": "?"}, UNDECIDED),
            "unknown, fine": (expiring(AS_OF + SECOND) | {"password_enabled": "?"}, None),
            "no password": (a_user(password=no_password() | {"password_next_rotation": "?"}), None),
        },
    )


def test_a_report_without_the_column_leaves_passwords_undecided() -> None:
    columns = [column for column in COLUMNS if column != "password_next_rotation"]
    user = a_user(password=a_password())
    told = fact("expired-password", user, columns=columns)
    assert told == "password_next_rotation is not in this report"
    assert outcomes("expired-password", a_user(), columns=columns) == {}


def test_the_fact_has_its_value() -> None:
    user = expiring(days_before(1.5))
    assert fact("expired-password", user) == "password expired 2026-04-30, 1 day before as-of"
    (row,) = found("expired-password", user).to_dict("records")
    assert (row["since"], row["days"]) == (days_before(1.5), 1)
