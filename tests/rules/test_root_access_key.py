from tests.support.builders import (
    Row,
    a_key,
    an_inactive_key,
    days_before,
    in_slot,
    no_key,
    the_root,
)
from tests.support.pages import FAILS, NOTED, UNDECIDED, check_facts, check_outcomes

RULE = "root-access-key"
ACTIVE, INACTIVE, ABSENT = a_key(), an_inactive_key(), no_key()
UNKNOWN = no_key() | {"active": "?"}


def root(first: Row, second: Row) -> Row:
    return the_root() | in_slot("access_key", 1, first) | in_slot("access_key", 2, second)


def test_an_active_key_of_the_root_fails() -> None:
    roots = {
        "key 1": (root(ACTIVE, ABSENT), FAILS),
        "key 2": (root(ABSENT, ACTIVE), FAILS),
        "both": (root(ACTIVE, ACTIVE), FAILS),
        "none": (root(ABSENT, ABSENT), None),
        "key 1 inactive": (root(INACTIVE, ABSENT), NOTED),
        "key 2 inactive": (root(ABSENT, INACTIVE), NOTED),
        "one inactive, one active": (root(INACTIVE, ACTIVE), FAILS),
        "unknown": (root(UNKNOWN, ABSENT), UNDECIDED),
    }
    check_outcomes(RULE, roots)


def test_the_fact_names_each_key() -> None:
    first = "access key 1, created 2026-04-22, is active"
    second = "access key 2, created 2026-01-22, is inactive, never used"
    inactive = an_inactive_key(days_before(99))
    facts = {
        f"{first}, last used 2026-04-30; {second}": root(
            a_key(days_before(9), days_before(1)), inactive
        ),
        second: root(ABSENT, inactive),
        f"{first}, never used": root(a_key(days_before(9)), a_key() | {"active": "?"}),
        'access_key_2_active "?" is not understood': root(ABSENT, UNKNOWN),
    }
    check_facts(RULE, facts)
