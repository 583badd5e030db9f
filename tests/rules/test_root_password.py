import pytest

from tests.support.builders import NEVER, Value, days_before, the_root
from tests.support.pages import FAILS, UNDECIDED, fact, outcomes

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time


@pytest.mark.parametrize(
    ("enabled", "outcome"),
    [
        pytest.param("true", FAILS, id="a password"),
        pytest.param("TRUE", FAILS, id="in capitals"),
        pytest.param("false", None, id="none"),
        pytest.param("not_supported", UNDECIDED, id="not reported"),
        pytest.param("", UNDECIDED, id="empty"),
        pytest.param("maybe", UNDECIDED, id="unknown"),
    ],
)
def test_a_root_with_a_password_fails(enabled: str, outcome: str | None) -> None:
    row = the_root(password_enabled=enabled)
    assert outcomes("root-password", row) == ({0: outcome} if outcome else {})


def test_rows_that_contradict_each_other_leave_it_undecided() -> None:
    row = the_root(password_enabled="true")
    assert outcomes("root-password", row, contradicted="password_enabled") == {0: UNDECIDED}


@pytest.mark.parametrize(
    ("used", "text"),
    [
        (days_before(1), "password enabled, last used 2026-04-30"),
        (NEVER, "password enabled, never used"),
        ("once", "password enabled, last use unknown"),
    ],
)
def test_the_fact_names_the_last_use(used: Value, text: str) -> None:
    assert fact("root-password", the_root(password_last_used=used)) == text


def test_what_is_not_reported_is_named() -> None:
    row = the_root(password_enabled="not_supported")
    assert fact("root-password", row) == 'password_enabled "not_supported" is not reported'
    odd = the_root(password_enabled="?")
    assert fact("root-password", odd) == 'password_enabled "?" is not understood'
