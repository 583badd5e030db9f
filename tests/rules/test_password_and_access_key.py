import pytest

from tests.support.builders import (
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    no_key,
)
from tests.support.pages import BY_ID, FAILS, UNDECIDED, check_outcomes, fact

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

PASSWORD = a_password(days_before(1))
UNKNOWN = PASSWORD | {"password_enabled": "?"}


def test_both_on_one_user_fail() -> None:
    check_outcomes(
        "password-and-access-key",
        {
            "key 1": (a_user(password=PASSWORD, key_1=a_key()), FAILS),
            "key 2": (a_user(password=PASSWORD, key_2=a_key()), FAILS),
            "password only": (a_user(password=PASSWORD), None),
            "key only": (a_user(key_1=a_key()), None),
            "inactive": (a_user(password=PASSWORD, key_1=an_inactive_key()), None),
            "unknown password": (a_user(password=UNKNOWN, key_1=a_key()), UNDECIDED),
            "unknown password, no key": (a_user(password=UNKNOWN), None),
            "unknown key": (a_user(password=PASSWORD, key_2=no_key() | {"active": "?"}), UNDECIDED),
        },
    )


def test_the_fact_lists_what_is_usable() -> None:
    user = a_user(password=PASSWORD, key_1=a_key(), key_2=a_key())
    told = "usable: password, access key 1, access key 2"
    assert fact("password-and-access-key", user) == told


def test_it_is_off_by_default() -> None:
    assert not BY_ID["password-and-access-key"].default
