import re

from tests.support.builders import (
    a_certificate,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    no_password,
)
from tests.support.pages import BY_ID, FAILS, UNDECIDED, check_facts, check_outcomes

RULE = "unused-user"


def test_it_is_the_verdict_unused() -> None:
    users = {
        "nothing": (a_user(), FAILS),
        "password never used": (a_user(password=a_password()), FAILS),
        "key 1 inactive": (a_user(key_1=an_inactive_key()), FAILS),
        "key 2 inactive": (a_user(key_2=an_inactive_key()), FAILS),
        "key 1 active": (a_user(key_1=a_key()), None),
        "key 2 active": (a_user(key_2=a_key()), None),
        "signed in": (a_user(password=a_password(days_before(0))), None),
        "retired": (a_user(password=no_password(days_before(900))), None),
        "unknown password": (a_user(password_enabled="yes"), UNDECIDED),
        "unknown sign-in": (a_user(password_last_used="soon"), UNDECIDED),
        "unknown key 1": (a_user(access_key_1_active="?"), UNDECIDED),
        "unknown key 2": (a_user(access_key_2_active="?"), UNDECIDED),
        "no name": (a_user("two words"), UNDECIDED),
    }
    check_outcomes(RULE, users)


def test_the_fact_has_reason_age_and_what_to_check_or_the_cell() -> None:
    age = "created 2023-08-05, 1,000 days before as-of"
    doubtful = a_user(password=a_password(), certificate_1=a_certificate(), mfa=True)
    facts = {
        f"never-signed-in, {age}; check: active-certificate, mfa-registered": doubtful,
        f"no-credentials, {age}": a_user(),
        "no-credentials, created at an unknown time; check: unread-cell": a_user(created="soon"),
        'password_enabled "yes" is not understood': a_user(password_enabled="yes"),
    }
    check_facts(RULE, facts)


def test_the_remedy_takes_the_way_in_away_and_deletes_the_user_after_all_that_is_attached() -> None:
    remedy = " ".join(BY_ID[RULE].remedy)
    calls = re.findall(r"(?:list|delete|deactivate|detach|remove)-[a-z-]+", remedy)
    ahead = ["list-service-specific-credentials", "list-ssh-public-keys", "delete-login-profile"]
    assert (calls[:3], calls[-1]) == (ahead, "delete-user")
    assert set(calls[3:-1]) == (
        {
            "delete-access-key",
            "delete-signing-certificate",
            "deactivate-mfa-device",
            "delete-user-policy",
            "detach-user-policy",
            "remove-user-from-group",
        }
    )
