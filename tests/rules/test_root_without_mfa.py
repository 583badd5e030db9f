from tests.support.builders import Row, a_key, an_inactive_key, in_slot, the_root
from tests.support.pages import FAILS, UNDECIDED, check_facts, check_outcomes, outcomes

RULE = "root-without-mfa"
KEY_1, KEY_2 = (in_slot("access_key", slot, a_key()) for slot in (1, 2))
INACTIVE = in_slot("access_key", 1, an_inactive_key())
UNKNOWN: Row = {"access_key_1_active": "?"}
NONE: Row = {"password_last_changed": "N/A"}


def root(password: str = "true", mfa: str = "false", key: Row | None = None) -> Row:
    changed = NONE if password == "false" else {}
    return the_root(password_enabled=password, mfa_active=mfa) | changed | (key or {})


def test_a_root_without_mfa_fails_unless_it_has_no_credentials() -> None:
    roots = {
        "MFA": (root(mfa="true"), None),
        "password": (root(), FAILS),
        "no password, no key": (root("false"), None),
        "no password, key 1": (root("false", key=KEY_1), FAILS),
        "no password, key 2": (root("false", key=KEY_2), FAILS),
        "no password, inactive key": (root("false", key=INACTIVE), None),
        "not_supported": (root("not_supported"), FAILS),
        "unknown password": (root("maybe"), UNDECIDED),
        "unknown MFA": (root(mfa="maybe"), UNDECIDED),
        "untold MFA": (root(mfa="not_supported"), UNDECIDED),
        "unknown key": (root("false", key=UNKNOWN), UNDECIDED),
    }
    check_outcomes(RULE, roots)


def test_an_assumed_password_does_not_hide_a_contradiction() -> None:
    found = outcomes(RULE, root("not_supported"), contradicted="password_enabled")
    assert found == {0: UNDECIDED}


def test_the_fact_lists_what_is_usable_or_assumed() -> None:
    assumed = "the report does not say if there is a password; one is assumed"
    facts = {
        "usable: password, access key 2": root(key=KEY_2),
        "usable: access key 1": root("false", key=KEY_1),
        assumed: root("not_supported"),
    }
    check_facts(RULE, {f"no MFA device; {text}": row for text, row in facts.items()})
