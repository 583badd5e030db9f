import pytest

from tests.support.builders import (
    Row,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    no_key,
)
from tests.support.pages import BY_ID, FAILS, UNDECIDED, fact, outcomes

PASSWORD = a_password(days_before(1))
UNKNOWN = PASSWORD | {"password_enabled": "?"}


@pytest.mark.parametrize(
    ("user", "outcome"),
    [
        pytest.param(a_user(password=PASSWORD, key_1=a_key()), FAILS, id="key 1"),
        pytest.param(a_user(password=PASSWORD, key_2=a_key()), FAILS, id="key 2"),
        pytest.param(a_user(password=PASSWORD), None, id="password only"),
        pytest.param(a_user(key_1=a_key()), None, id="key only"),
        pytest.param(a_user(password=PASSWORD, key_1=an_inactive_key()), None, id="inactive"),
        pytest.param(a_user(password=UNKNOWN, key_1=a_key()), UNDECIDED, id="unknown password"),
        pytest.param(a_user(password=UNKNOWN), None, id="unknown password, no key"),
        pytest.param(
            a_user(password=PASSWORD, key_2=no_key() | {"active": "?"}), UNDECIDED, id="unknown key"
        ),
    ],
)
def test_both_on_one_user_fail(user: Row, outcome: str | None) -> None:
    assert outcomes("password-and-access-key", user) == ({0: outcome} if outcome else {})


def test_the_fact_lists_what_is_usable() -> None:
    user = a_user(password=PASSWORD, key_1=a_key(), key_2=a_key())
    told = "usable: password, access key 1, access key 2"
    assert fact("password-and-access-key", user) == told


def test_it_is_off_by_default() -> None:
    assert not BY_ID["password-and-access-key"].default
