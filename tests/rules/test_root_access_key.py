from tests.support.builders import (
    Row,
    a_key,
    an_inactive_key,
    days_before,
    in_slot,
    no_key,
    the_root,
)
from tests.support.pages import check_facts

RULE = "root-access-key"
ABSENT = no_key()
UNKNOWN = ABSENT | {"active": "?"}


def root(first: Row, second: Row) -> Row:
    return the_root() | in_slot("access_key", 1, first) | in_slot("access_key", 2, second)


def test_an_active_key_fails_an_inactive_one_is_noted_and_the_fact_names_each() -> None:
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
