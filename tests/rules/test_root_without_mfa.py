from collections.abc import Mapping

import pytest

from tests.support.builders import Row, Value, a_key, an_inactive_key, in_slot, no_key, the_root
from tests.support.pages import FAILS, UNDECIDED, check_outcomes, fact, outcomes

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

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


def test_a_root_without_mfa_fails_unless_it_has_no_credentials() -> None:
    check_outcomes(
        "root-without-mfa",
        {
            "MFA": (root("true"), None),
            "password": (root("false"), FAILS),
            "no password, no key": (root("false", NO_PASSWORD), None),
            "no password, key 1": (root("false", NO_PASSWORD, KEY_1), FAILS),
            "no password, key 2": (root("false", NO_PASSWORD, KEY_2), FAILS),
            "no password, inactive key": (
                root("false", NO_PASSWORD, in_slot("access_key", 1, an_inactive_key())),
                None,
            ),
            "not_supported": (root("false", told("not_supported")), FAILS),
            "not_supported, MFA": (root("true", told("not_supported")), None),
            "unknown password": (root("false", told("maybe")), UNDECIDED),
            "unknown password, MFA": (root("true", told("maybe")), None),
            "a key is enough": (root("false", told("maybe"), KEY_1), FAILS),
            "unknown MFA": (root("maybe"), UNDECIDED),
            "untold MFA": (root("not_supported"), UNDECIDED),
            "unknown MFA, nothing to protect": (root("maybe", NO_PASSWORD), None),
            "unknown key": (root("false", NO_PASSWORD, UNKNOWN_KEY), UNDECIDED),
        },
    )


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
