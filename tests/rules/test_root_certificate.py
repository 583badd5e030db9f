import pytest

from tests.support.builders import (
    Row,
    a_certificate,
    days_before,
    in_slot,
    no_certificate,
    the_root,
)
from tests.support.pages import FAILS, UNDECIDED, fact, outcomes

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

ACTIVE, INACTIVE = a_certificate(days_before(9)), a_certificate(active=False)
UNKNOWN = no_certificate() | {"active": "?"}


def with_certificates(first: Row, second: Row) -> Row:
    return the_root() | in_slot("cert", 1, first) | in_slot("cert", 2, second)


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        pytest.param(ACTIVE, no_certificate(), FAILS, id="first"),
        pytest.param(INACTIVE, ACTIVE, FAILS, id="second"),
        pytest.param(INACTIVE, INACTIVE, None, id="inactive"),
        pytest.param(no_certificate(), no_certificate(), None, id="none"),
        pytest.param(no_certificate(), UNKNOWN, UNDECIDED, id="unknown"),
        pytest.param(ACTIVE, UNKNOWN, FAILS, id="one is enough"),
        pytest.param(a_certificate("once"), INACTIVE, FAILS, id="active, unknown creation"),
    ],
)
def test_an_active_certificate_of_the_root_fails(
    first: Row, second: Row, outcome: str | None
) -> None:
    found = outcomes("root-certificate", with_certificates(first, second))
    assert found == ({0: outcome} if outcome else {})


def test_the_fact_names_each_active_certificate() -> None:
    told = "signing certificate 1, created 2026-04-22, is active"
    assert fact("root-certificate", with_certificates(ACTIVE, INACTIVE)) == told
    both = fact("root-certificate", with_certificates(ACTIVE, ACTIVE))
    assert both == f"{told}; {told.replace('1', '2', 1)}"
