from tests.support.builders import (
    Row,
    a_certificate,
    days_before,
    in_slot,
    no_certificate,
    the_root,
)
from tests.support.pages import FAILS, UNDECIDED, check_facts, check_outcomes

RULE = "root-certificate"
ACTIVE, INACTIVE, ABSENT = (
    a_certificate(days_before(9)),
    a_certificate(active=False),
    no_certificate(),
)
UNKNOWN = ABSENT | {"active": "?"}


def root(first: Row, second: Row) -> Row:
    return the_root() | in_slot("cert", 1, first) | in_slot("cert", 2, second)


def test_an_active_certificate_of_the_root_fails() -> None:
    roots = {
        "first": (root(ACTIVE, ABSENT), FAILS),
        "second": (root(INACTIVE, ACTIVE), FAILS),
        "inactive": (root(INACTIVE, INACTIVE), None),
        "none": (root(ABSENT, ABSENT), None),
        "unknown": (root(ABSENT, UNKNOWN), UNDECIDED),
        "one is enough": (root(ACTIVE, UNKNOWN), FAILS),
        "active, unknown creation": (root(a_certificate("once"), INACTIVE), FAILS),
    }
    check_outcomes(RULE, roots)


def test_the_fact_names_each_active_certificate() -> None:
    first = "signing certificate 1, created 2026-04-22, is active"
    both = f"{first}; {first.replace('1', '2', 1)}"
    check_facts(RULE, {first: root(ACTIVE, INACTIVE), both: root(ACTIVE, ACTIVE)})
