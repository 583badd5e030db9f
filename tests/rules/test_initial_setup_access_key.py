import pytest

from tests.support.builders import (
    Row,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    in_slot,
    no_key,
    no_password,
)
from tests.support.pages import FAILS, UNDECIDED, fact, outcomes

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

PASSWORD, NONE = a_password(days_before(1)), no_password()
UNKNOWN = a_password() | {"password_enabled": "?"}
NEW = days_before(0)


@pytest.mark.parametrize("slot", [1, 2])
@pytest.mark.parametrize(
    ("password", "key", "outcome"),
    [
        pytest.param(PASSWORD, a_key(NEW), FAILS, id="never used, from the first day"),
        pytest.param(PASSWORD, a_key(), FAILS, id="never used"),
        pytest.param(PASSWORD, a_key(used=NEW), None, id="used"),
        pytest.param(PASSWORD, an_inactive_key(), None, id="inactive"),
        pytest.param(PASSWORD, no_key(), None, id="absent"),
        pytest.param(NONE, a_key(), None, id="no password"),
        pytest.param(PASSWORD, a_key(used="once"), UNDECIDED, id="unknown use"),
        pytest.param(PASSWORD, no_key() | {"active": "?"}, UNDECIDED, id="unknown key"),
        pytest.param(UNKNOWN, a_key(), UNDECIDED, id="unknown password"),
        pytest.param(UNKNOWN, a_key(used=NEW), None, id="unknown password, used key"),
        pytest.param(PASSWORD, a_key("once"), FAILS, id="unknown creation"),
    ],
)
def test_a_key_never_used_by_a_console_user_fails(
    slot: int, password: Row, key: Row, outcome: str | None
) -> None:
    user = a_user(password=password) | in_slot("access_key", slot, key)
    found = outcomes("initial-setup-access-key", user)
    assert found == ({slot: outcome} if outcome else {})


@pytest.mark.parametrize(
    ("key", "told"),
    [
        (a_key(days_before(1)), "access key 2, created 2026-04-30, 1 day old, never used; the"),
        (a_key("once"), "access key 2, created at an unknown time, never used; the"),
    ],
)
def test_the_fact_names_the_key_and_its_age(key: Row, told: str) -> None:
    user = a_user(password=PASSWORD, key_2=key)
    assert fact("initial-setup-access-key", user) == f"{told} user has a password too"
