from tests.support.builders import a_certificate, a_user, days_before
from tests.support.pages import check_facts, found

RULE = "active-signing-certificate"
ACTIVE, UNDATED = a_certificate(days_before(1)), a_certificate("once")


def test_an_active_certificate_fails_and_the_fact_names_it() -> None:
    facts = {
        "2, created 2026-04-30, 1 day old, is active": a_user(certificate_2=ACTIVE),
        "1, created at an unknown time, is active": a_user(certificate_1=UNDATED),
    }
    check_facts(RULE, {f"signing certificate {fact}": user for fact, user in facts.items()})


def test_the_finding_has_slot_and_creation() -> None:
    user = a_user(certificate_1=a_certificate(days_before(3)), certificate_2=ACTIVE)
    rows = found(RULE, user)[["slot", "created"]].to_numpy().tolist()
    assert rows == [[1, days_before(3)], [2, days_before(1)]]
