import pytest

from tests.support.builders import NEVER, Row, a_key, a_password, a_user, days_before, no_password
from tests.support.pages import FAILS, UNDECIDED, fact, outcomes

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

PASSWORD, NONE = a_password(days_before(1)), no_password()
UNKNOWN = a_password() | {"password_enabled": "?"}


@pytest.mark.parametrize(
    ("password", "mfa", "outcome"),
    [
        pytest.param(PASSWORD, "false", FAILS, id="no MFA"),
        pytest.param(a_password(NEVER), "false", FAILS, id="no MFA, never used"),
        pytest.param(PASSWORD, "FALSE", FAILS, id="no MFA, in capitals"),
        pytest.param(PASSWORD, "true", None, id="MFA"),
        pytest.param(NONE, "false", None, id="no password"),
        pytest.param(no_password(days_before(9)), "false", None, id="password deleted"),
        pytest.param(PASSWORD, "?", UNDECIDED, id="unknown MFA"),
        pytest.param(UNKNOWN, "false", UNDECIDED, id="unknown password"),
        pytest.param(UNKNOWN, "true", None, id="unknown password, MFA"),
        pytest.param(NONE, "?", None, id="no password, unknown MFA"),
    ],
)
def test_a_password_without_mfa_fails(password: Row, mfa: str, outcome: str | None) -> None:
    user = a_user(password=password, key_1=a_key()) | {"mfa_active": mfa}
    assert outcomes("console-user-without-mfa", user) == ({0: outcome} if outcome else {})


@pytest.mark.parametrize(
    ("password", "told"),
    [
        (PASSWORD, "password enabled, last used 2026-04-30, no MFA device"),
        (a_password(NEVER), "password enabled, never used, no MFA device"),
        (a_password("once"), "password enabled, last use unknown, no MFA device"),
    ],
)
def test_the_fact_has_the_last_use(password: Row, told: str) -> None:
    assert fact("console-user-without-mfa", a_user(password=password)) == told
