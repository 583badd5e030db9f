from tests.support.builders import Row, a_certificate, days_before, in_slot, the_root
from tests.support.pages import check_facts

RULE = "root-certificate"
ACTIVE, INACTIVE = a_certificate(days_before(9)), a_certificate(active=False)


def root(first: Row, second: Row) -> Row:
    return the_root() | in_slot("cert", 1, first) | in_slot("cert", 2, second)


def test_an_active_certificate_fails_and_the_fact_names_it() -> None:
    first = "signing certificate 1, created 2026-04-22, is active"
    both = f"{first}; {first.replace('1', '2', 1)}"
    check_facts(RULE, {first: root(ACTIVE, INACTIVE), both: root(ACTIVE, ACTIVE)})
