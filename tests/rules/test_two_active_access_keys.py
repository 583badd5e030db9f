from tests.support.builders import Row, a_key, a_user, days_before, no_key
from tests.support.pages import check_facts

RULE = "two-active-access-keys"
UNKNOWN = no_key() | {"active": "?"}


def user(first: Row, second: Row) -> Row:
    return a_user(key_1=first, key_2=second)


def test_both_fail_and_the_fact_tells_the_keys_apart_or_names_the_cells() -> None:
    both = "two are active: access key 1, created 2026-04-21, {}; access key 2, created 2026-01-21"
    new, old = days_before(10), a_key(days_before(100))
    odd = 'access_key_1_active "?" is not understood; access_key_2_active "?" is not understood'
    facts = {
        f"{both}, never used".format("last used 2026-04-30"): user(a_key(new, days_before(1)), old),
        f"{both}, never used".format("last use unknown"): user(a_key(new, "once"), old),
        odd: user(UNKNOWN, UNKNOWN),
    }
    check_facts(RULE, facts)
