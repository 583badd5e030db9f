from tests.support.builders import QUIET_PASSWORD, a_key, a_user
from tests.support.pages import fact

RULE = "password-and-access-key"


def test_both_on_one_user_fail_and_the_fact_lists_what_is_usable() -> None:
    user = a_user(password=QUIET_PASSWORD, key_1=a_key(), key_2=a_key())
    assert fact(RULE, user) == "usable: password, access key 1, access key 2"
