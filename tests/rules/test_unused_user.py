import re

import pytest

from analyzer.rules import RULES
from tests.support.builders import (
    NEVER,
    a_certificate,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    no_password,
)
from tests.support.pages import FAILS, UNDECIDED, check_outcomes, fact, outcomes

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time


def test_it_is_the_verdict_unused() -> None:
    check_outcomes(
        "unused-user",
        {
            "nothing": (a_user(), {0: FAILS}),
            "password never used": (a_user(password=a_password()), {0: FAILS}),
            "key 1 inactive": (a_user(key_1=an_inactive_key()), {0: FAILS}),
            "key 2 inactive": (a_user(key_2=an_inactive_key()), {0: FAILS}),
            "key 1 active": (a_user(key_1=a_key()), {}),
            "key 2 active": (a_user(key_2=a_key()), {}),
            "signed in": (a_user(password=a_password(days_before(0))), {}),
            "retired": (a_user(password=no_password(days_before(900))), {}),
            "unknown password": (a_user(password_enabled="yes"), {0: UNDECIDED}),
            "unknown sign-in": (a_user(password_last_used="soon"), {0: UNDECIDED}),
            "unknown key 1": (a_user(access_key_1_active="?"), {0: UNDECIDED}),
            "unknown key 2": (a_user(access_key_2_active="?"), {0: UNDECIDED}),
            "no name": (a_user("two words"), {0: UNDECIDED}),
        },
    )


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
    assert fact("unused-user", a_user(user_creation_time="soon")) == (
        "no-credentials, created at an unknown time; check: unread-cell"
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
