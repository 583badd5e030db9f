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

USED = a_password(days_before(1))


def test_a_usable_credential_without_mfa_fails() -> None:
    check_outcomes(
        "user-without-mfa",
        {
            "password": (a_user(password=USED), FAILS),
            "key 1": (a_user(key_1=a_key()), FAILS),
            "key 2": (a_user(key_2=a_key()), FAILS),
            "MFA": (a_user(key_2=a_key(), mfa=True), None),
            "nothing usable": (a_user(), None),
            "inactive": (a_user(key_1=an_inactive_key()), None),
            "unknown key": (a_user(key_2=no_key() | {"active": "?"}), UNDECIDED),
            "unknown password": (a_user(password_enabled="?"), UNDECIDED),
            "a key is enough": (a_user(password_enabled="?", key_1=a_key()), FAILS),
            "unknown MFA": (a_user(password=USED) | {"mfa_active": "?"}, UNDECIDED),
            "unknown MFA, nothing usable": (a_user() | {"mfa_active": "?"}, None),
        },
    )


def test_the_fact_lists_what_is_usable() -> None:
    user = a_user(password=USED, key_1=an_inactive_key(), key_2=a_key())
    assert fact("user-without-mfa", user) == "no MFA device; usable: password, access key 2"
    assert fact("user-without-mfa", a_user(key_1=a_key())) == "no MFA device; usable: access key 1"


def test_it_is_off_by_default() -> None:
    assert not BY_ID["user-without-mfa"].default
