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

USED = a_password(days_before(1))


@pytest.mark.parametrize(
    ("user", "outcome"),
    [
        pytest.param(a_user(password=USED), FAILS, id="password"),
        pytest.param(a_user(key_1=a_key()), FAILS, id="key 1"),
        pytest.param(a_user(key_2=a_key()), FAILS, id="key 2"),
        pytest.param(a_user(key_2=a_key(), mfa=True), None, id="MFA"),
        pytest.param(a_user(), None, id="nothing usable"),
        pytest.param(a_user(key_1=an_inactive_key()), None, id="inactive"),
        pytest.param(a_user(key_2=no_key() | {"active": "?"}), UNDECIDED, id="unknown key"),
        pytest.param(a_user(password_enabled="?"), UNDECIDED, id="unknown password"),
        pytest.param(a_user(password_enabled="?", key_1=a_key()), FAILS, id="a key is enough"),
        pytest.param(a_user(password=USED) | {"mfa_active": "?"}, UNDECIDED, id="unknown MFA"),
        pytest.param(a_user() | {"mfa_active": "?"}, None, id="unknown MFA, nothing usable"),
    ],
)
def test_a_usable_credential_without_mfa_fails(user: Row, outcome: str | None) -> None:
    assert outcomes("user-without-mfa", user) == ({0: outcome} if outcome else {})


def test_the_fact_lists_what_is_usable() -> None:
    user = a_user(password=USED, key_1=an_inactive_key(), key_2=a_key())
    assert fact("user-without-mfa", user) == "no MFA device; usable: password, access key 2"
    assert fact("user-without-mfa", a_user(key_1=a_key())) == "no MFA device; usable: access key 1"


def test_it_is_off_by_default() -> None:
    assert not BY_ID["user-without-mfa"].default
