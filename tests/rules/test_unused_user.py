import re

import pytest

from analyzer.rules import RULES
from tests.support.builders import (
    NEVER,
    Row,
    a_certificate,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    no_password,
)
from tests.support.pages import FAILS, UNDECIDED, fact, outcomes


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        pytest.param(a_user(), {0: FAILS}, id="nothing"),
        pytest.param(a_user(password=a_password()), {0: FAILS}, id="password never used"),
        pytest.param(a_user(key_1=an_inactive_key()), {0: FAILS}, id="key 1 inactive"),
        pytest.param(a_user(key_2=an_inactive_key()), {0: FAILS}, id="key 2 inactive"),
        pytest.param(a_user(key_1=a_key()), {}, id="key 1 active"),
        pytest.param(a_user(key_2=a_key()), {}, id="key 2 active"),
        pytest.param(a_user(password=a_password(days_before(0))), {}, id="signed in"),
        pytest.param(a_user(password=no_password(days_before(900))), {}, id="retired"),
        pytest.param(a_user(password_enabled="yes"), {0: UNDECIDED}, id="unknown password"),
        pytest.param(a_user(password_last_used="soon"), {0: UNDECIDED}, id="unknown sign-in"),
        pytest.param(a_user(access_key_1_active="?"), {0: UNDECIDED}, id="unknown key 1"),
        pytest.param(a_user(access_key_2_active="?"), {0: UNDECIDED}, id="unknown key 2"),
        pytest.param(a_user("two words"), {0: UNDECIDED}, id="no name"),
    ],
)
def test_it_is_the_verdict_unused(user: Row, expected: dict[int, str]) -> None:
    assert outcomes("unused-user", user) == expected


def test_a_contradicted_user_is_undecided() -> None:
    found = outcomes("unused-user", a_user(), contradicted="password_enabled")
    assert found == {0: UNDECIDED}


def test_the_fact_has_reason_age_and_what_to_check() -> None:
    user = a_user(password=a_password(NEVER), certificate_1=a_certificate(), mfa=True)
    assert fact("unused-user", user) == (
        "never-signed-in, created 2023-08-05, 1,000 days before as-of;"
        " check: active-certificate;mfa-registered"
    )
    assert (
        fact("unused-user", a_user())
        == "no-credentials, created 2023-08-05, 1,000 days before as-of"
    )


def test_the_remedy_takes_the_way_in_away_and_deletes_the_user_after_all_that_is_attached() -> None:
    (rule,) = (each for each in RULES if each.id == "unused-user")
    calls = re.findall(r"(?:list|delete|deactivate|detach|remove)-[a-z-]+", " ".join(rule.remedy))
    ahead = ["list-service-specific-credentials", "list-ssh-public-keys", "delete-login-profile"]
    assert (calls[:3], calls[-1]) == (ahead, "delete-user")
    assert set(calls[3:-1]) == {
        *("delete-access-key", "delete-signing-certificate", "deactivate-mfa-device"),
        *("delete-user-policy", "detach-user-policy", "remove-user-from-group"),
    }


def test_what_is_undecided_names_the_cell() -> None:
    told = 'password_enabled "yes" is not understood'
    assert fact("unused-user", a_user(password_enabled="yes")) == told
