from tests.support.builders import QUIET_PASSWORD, a_key, a_user, an_inactive_key
from tests.support.pages import FAILS, UNDECIDED, check_facts, check_outcomes

RULE = "user-without-mfa"
USED, KEY = QUIET_PASSWORD, a_key()


def test_a_usable_credential_without_mfa_fails() -> None:
    users = {
        "password": (a_user(password=USED), FAILS),
        "key 1": (a_user(key_1=KEY), FAILS),
        "key 2": (a_user(key_2=KEY), FAILS),
        "MFA": (a_user(key_2=KEY, mfa=True), None),
        "nothing usable": (a_user(), None),
        "inactive": (a_user(key_1=an_inactive_key()), None),
        "unknown key": (a_user(access_key_2_active="?"), UNDECIDED),
        "unknown password": (a_user(password_enabled="?"), UNDECIDED),
        "a key is enough": (a_user(password_enabled="?", key_1=KEY), FAILS),
        "unknown MFA": (a_user(password=USED, mfa_active="?"), UNDECIDED),
        "unknown MFA, nothing usable": (a_user(mfa_active="?"), None),
    }
    check_outcomes(RULE, users)


def test_the_fact_lists_what_is_usable() -> None:
    both = a_user(password=USED, key_1=an_inactive_key(), key_2=KEY)
    facts = {"password, access key 2": both, "access key 1": a_user(key_1=KEY)}
    check_facts(RULE, {f"no MFA device; usable: {text}": user for text, user in facts.items()})
