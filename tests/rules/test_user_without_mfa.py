from tests.support.builders import QUIET_PASSWORD, a_key, a_user, an_inactive_key
from tests.support.pages import check_facts

RULE = "user-without-mfa"
USED, KEY = QUIET_PASSWORD, a_key()


def test_a_usable_credential_without_mfa_fails_and_the_fact_lists_it() -> None:
    both = a_user(password=USED, key_1=an_inactive_key(), key_2=KEY)
    facts = {"password, access key 2": both, "access key 1": a_user(key_1=KEY)}
    check_facts(RULE, {f"no MFA device; usable: {text}": user for text, user in facts.items()})
