from tests.support.builders import QUIET_PASSWORD, a_key, a_user, an_inactive_key
from tests.support.pages import FAILS, UNDECIDED, check_outcomes, fact

RULE = "password-and-access-key"
PASSWORD = QUIET_PASSWORD
UNKNOWN = PASSWORD | {"password_enabled": "?"}


def test_both_on_one_user_fail() -> None:
    users = {
        "key 1": (a_user(password=PASSWORD, key_1=a_key()), FAILS),
        "key 2": (a_user(password=PASSWORD, key_2=a_key()), FAILS),
        "password only": (a_user(password=PASSWORD), None),
        "key only": (a_user(key_1=a_key()), None),
        "inactive": (a_user(password=PASSWORD, key_1=an_inactive_key()), None),
        "unknown password": (a_user(password=UNKNOWN, key_1=a_key()), UNDECIDED),
        "unknown password, no key": (a_user(password=UNKNOWN), None),
        "unknown key": (a_user(password=PASSWORD, access_key_2_active="?"), UNDECIDED),
    }
    check_outcomes(RULE, users)


def test_the_fact_lists_what_is_usable() -> None:
    user = a_user(password=PASSWORD, key_1=a_key(), key_2=a_key())
    assert fact(RULE, user) == "usable: password, access key 1, access key 2"
