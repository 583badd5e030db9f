import pytest

from tests.support.builders import Row, a_certificate, a_user, days_before, in_slot, no_certificate
from tests.support.pages import FAILS, UNDECIDED, check_outcomes, fact, found

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

BORN = days_before(1)


@pytest.mark.parametrize("slot", [1, 2])
def test_an_active_certificate_fails(slot: int) -> None:
    certificates = {
        "active": (a_certificate(BORN), FAILS),
        "inactive": (a_certificate(BORN, active=False), None),
        "absent": (no_certificate(), None),
        "unknown": (no_certificate() | {"active": "?"}, UNDECIDED),
        "active, unknown creation": (a_certificate("once"), FAILS),
        "inactive, unknown creation": (a_certificate("once", active=False), None),
    }
    users = {
        name: (a_user() | in_slot("cert", slot, certificate), outcome)
        for name, (certificate, outcome) in certificates.items()
    }
    check_outcomes("active-signing-certificate", users, slot=slot)


@pytest.mark.parametrize(
    ("certificate", "told"),
    [
        (a_certificate(BORN), "signing certificate 2, created 2026-04-30, 1 day old, is active"),
        (a_certificate("once"), "signing certificate 2, created at an unknown time, is active"),
    ],
)
def test_the_fact_names_the_certificate(certificate: Row, told: str) -> None:
    user = a_user(certificate_2=certificate)
    assert fact("active-signing-certificate", user) == told


def test_the_finding_has_slot_and_creation() -> None:
    user = a_user(certificate_1=a_certificate(days_before(3)), certificate_2=a_certificate(BORN))
    rows = found("active-signing-certificate", user).to_dict("records")
    slots = [(row["slot"], row["created"]) for row in rows]
    assert slots == [(1, days_before(3)), (2, BORN)]
