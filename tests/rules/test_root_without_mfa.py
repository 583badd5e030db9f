from collections.abc import Mapping

import pytest

from tests.support.builders import Row, Value, a_key, an_inactive_key, in_slot, no_key, the_root
from tests.support.pages import FAILS, UNDECIDED, fact, outcomes

KEY_1, KEY_2 = (in_slot("access_key", slot, a_key()) for slot in (1, 2))
UNKNOWN_KEY = in_slot("access_key", 1, no_key() | {"active": "?"})
NO_PASSWORD = {"password_enabled": "false", "password_last_changed": "N/A"}


def root(mfa: str, *parts: Mapping[str, Value]) -> Row:
    row = the_root()
    for part in ({"mfa_active": mfa}, *parts):
        row.update(part)
    return row


def told(password: str) -> dict[str, str]:
    return {"password_enabled": password}


@pytest.mark.parametrize(
    ("row", "outcome"),
    [
        pytest.param(root("true"), None, id="MFA"),
        pytest.param(root("false"), FAILS, id="password"),
        pytest.param(root("false", NO_PASSWORD), None, id="no password, no key"),
        pytest.param(root("false", NO_PASSWORD, KEY_1), FAILS, id="no password, key 1"),
        pytest.param(root("false", NO_PASSWORD, KEY_2), FAILS, id="no password, key 2"),
        pytest.param(
            root("false", NO_PASSWORD, in_slot("access_key", 1, an_inactive_key())),
            None,
            id="no password, inactive key",
        ),
        pytest.param(root("false", told("not_supported")), FAILS, id="not_supported"),
        pytest.param(root("true", told("not_supported")), None, id="not_supported, MFA"),
        pytest.param(root("false", told("maybe")), UNDECIDED, id="unknown password"),
        pytest.param(root("true", told("maybe")), None, id="unknown password, MFA"),
        pytest.param(root("false", told("maybe"), KEY_1), FAILS, id="a key is enough"),
        pytest.param(root("maybe"), UNDECIDED, id="unknown MFA"),
        pytest.param(root("not_supported"), UNDECIDED, id="untold MFA"),
        pytest.param(root("maybe", NO_PASSWORD), None, id="unknown MFA, nothing to protect"),
        pytest.param(root("false", NO_PASSWORD, UNKNOWN_KEY), UNDECIDED, id="unknown key"),
    ],
)
def test_a_root_without_mfa_fails_unless_it_has_no_credentials(
    row: Row, outcome: str | None
) -> None:
    assert outcomes("root-without-mfa", row) == ({0: outcome} if outcome else {})


def test_an_assumed_password_is_said() -> None:
    row = root("false", told("not_supported"))
    assert fact("root-without-mfa", row) == (
        "no MFA device; the report does not say if there is a password; one is assumed"
    )


def test_an_assumed_password_does_not_hide_a_contradiction() -> None:
    row = root("false", told("not_supported"))
    found = outcomes("root-without-mfa", row, contradicted="password_enabled")
    assert found == {0: UNDECIDED}


def test_the_fact_lists_what_is_usable() -> None:
    row = root("false", KEY_2)
    assert fact("root-without-mfa", row) == "no MFA device; usable: password, access key 2"
    row = root("false", NO_PASSWORD, KEY_1)
    assert fact("root-without-mfa", row) == "no MFA device; usable: access key 1"
