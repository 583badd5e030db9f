from tests.support.builders import a_key, in_slot, the_root
from tests.support.pages import check_facts

RULE = "root-without-mfa"
KEY_1, KEY_2 = (in_slot("access_key", slot, a_key()) for slot in (1, 2))
ASSUMED = the_root(password_enabled="not_supported", mfa_active="false")


def test_a_root_without_mfa_fails_and_the_fact_lists_what_is_usable_or_assumed() -> None:
    assumed = "the report does not say if there is a password; one is assumed"
    facts = {
        "usable: password, access key 2": the_root(mfa_active="false") | KEY_2,
        "usable: access key 1": the_root(password_enabled="false", mfa_active="false") | KEY_1,
        assumed: ASSUMED,
    }
    check_facts(RULE, {f"no MFA device; {text}": row for text, row in facts.items()})
