from datetime import timedelta

import pytest

from tests.support.builders import (
    COLUMNS_OF_2014,
    Row,
    a_key,
    a_user,
    an_inactive_key,
    days_before,
    in_slot,
    no_key,
)
from tests.support.pages import FAILS, UNDECIDED, fact, found, outcomes

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

LIMIT, SECOND = days_before(45), timedelta(seconds=1)
OLD, NEW = days_before(900), days_before(1)


@pytest.mark.parametrize("slot", [1, 2])
@pytest.mark.parametrize(
    ("key", "outcome"),
    [
        pytest.param(a_key(OLD, LIMIT + SECOND), None, id="just below"),
        pytest.param(a_key(OLD, LIMIT), FAILS, id="at the limit"),
        pytest.param(a_key(OLD, LIMIT - SECOND), FAILS, id="just above"),
        pytest.param(a_key(OLD, days_before(-1)), None, id="in the future"),
        pytest.param(a_key(LIMIT + SECOND), None, id="never used, just below"),
        pytest.param(a_key(LIMIT), FAILS, id="never used, at the limit"),
        pytest.param(a_key(LIMIT - SECOND), FAILS, id="never used, just above"),
        pytest.param(no_key(), None, id="absent"),
        pytest.param(an_inactive_key(OLD, OLD), None, id="inactive"),
        pytest.param(an_inactive_key(OLD), None, id="inactive, never used"),
        pytest.param(a_key(OLD, "once"), UNDECIDED, id="unknown use"),
        pytest.param(an_inactive_key(OLD, "once"), None, id="inactive, unknown use"),
        pytest.param(a_key("once"), UNDECIDED, id="never used, unknown creation"),
        pytest.param(a_key("once", OLD), FAILS, id="unknown creation that does not matter"),
        pytest.param(a_key("N/A", OLD), FAILS, id="no creation, which does not matter"),
        pytest.param(a_key("N/A"), FAILS, id="never used, no creation: as old as the user"),
        pytest.param(a_key(OLD, LIMIT) | {"active": "?"}, UNDECIDED, id="unknown state"),
        pytest.param(a_key(OLD, NEW) | {"active": "?"}, None, id="unknown state, in use"),
        pytest.param(no_key() | {"active": "?"}, UNDECIDED, id="unknown whether there is one"),
        pytest.param(
            a_key(OLD, NEW) | {"last_used_service": "N/A"}, UNDECIDED, id="use without a service"
        ),
    ],
)
def test_an_active_key_idle_for_45_days_fails(slot: int, key: Row, outcome: str | None) -> None:
    user = a_user() | in_slot("access_key", slot, key)
    assert outcomes("idle-access-key", user) == ({slot: outcome} if outcome else {})


def test_each_key_is_judged_by_itself() -> None:
    user = a_user(key_1=a_key(OLD, NEW), key_2=a_key(OLD, LIMIT))
    assert outcomes("idle-access-key", user) == {2: FAILS}
    both = a_user(key_1=a_key(OLD, LIMIT), key_2=a_key(LIMIT))
    assert outcomes("idle-access-key", both) == {1: FAILS, 2: FAILS}


def test_a_report_without_last_use_leaves_active_keys_undecided() -> None:
    user = a_user(key_1=a_key(OLD), key_2=an_inactive_key(OLD))
    assert outcomes("idle-access-key", user, columns=COLUMNS_OF_2014) == {1: UNDECIDED}
    told = fact("idle-access-key", user, columns=COLUMNS_OF_2014)
    assert told == "access_key_1_last_used_date is not in this report"


@pytest.mark.parametrize(
    ("user", "told"),
    [
        (
            a_user(key_2=a_key(days_before(1000), days_before(684))),
            "access key 2, created 2023-08-05, last used 2024-06-16, idle 684 days; limit 45",
        ),
        (
            a_user(key_1=a_key(LIMIT)),
            "access key 1, created 2026-03-17, never used, idle 45 days; limit 45",
        ),
        (
            a_user(key_1=a_key("once", LIMIT)),
            "access key 1, created at an unknown time, last used 2026-03-17, idle 45 days;",
        ),
        (a_user(key_2=a_key(OLD, "x" * 99)), f'access_key_2_last_used_date "{"x" * 80}" is not'),
    ],
)
def test_the_fact_names_the_key_and_has_its_value(user: Row, told: str) -> None:
    assert fact("idle-access-key", user).startswith(told)


def test_the_finding_has_slot_creation_and_days() -> None:
    user = a_user(key_1=a_key(OLD, NEW), key_2=a_key(OLD, LIMIT))
    (row,) = found("idle-access-key", user).to_dict("records")
    assert (row["slot"], row["created"], row["since"], row["days"]) == (2, OLD, LIMIT, 45)
    assert (row["user"], row["severity"], row["outcome"]) == ("quiet", "medium", FAILS)


def test_a_contradicted_state_is_undecided() -> None:
    user = a_user(key_1=a_key(OLD, LIMIT), key_2=a_key(OLD, OLD))
    found = outcomes("idle-access-key", user, contradicted="access_key_1_active")
    assert found == {1: UNDECIDED, 2: FAILS}
