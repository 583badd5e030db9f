import pytest

from tests.support.builders import (
    ACCOUNT,
    Row,
    a_key,
    an_inactive_key,
    days_before,
    in_slot,
    no_key,
    the_root,
)
from tests.support.pages import FAILS, NOTED, UNDECIDED, fact, found, outcomes

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

UNKNOWN = no_key() | {"active": "?"}


def with_keys(first: Row, second: Row) -> Row:
    return the_root() | in_slot("access_key", 1, first) | in_slot("access_key", 2, second)


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        pytest.param(a_key(), no_key(), FAILS, id="key 1"),
        pytest.param(no_key(), a_key(), FAILS, id="key 2"),
        pytest.param(a_key(), a_key(), FAILS, id="both"),
        pytest.param(a_key("N/A"), no_key(), FAILS, id="active without a creation"),
        pytest.param(no_key(), no_key(), None, id="none"),
        pytest.param(an_inactive_key(), no_key(), NOTED, id="key 1 inactive"),
        pytest.param(no_key(), an_inactive_key(), NOTED, id="key 2 inactive"),
        pytest.param(an_inactive_key(), a_key(), FAILS, id="one inactive, one active"),
        pytest.param(UNKNOWN, no_key(), UNDECIDED, id="unknown"),
        pytest.param(UNKNOWN, an_inactive_key(), UNDECIDED, id="unknown and inactive"),
        pytest.param(UNKNOWN, a_key(), FAILS, id="one is enough"),
    ],
)
def test_an_active_key_of_the_root_fails(first: Row, second: Row, outcome: str | None) -> None:
    assert outcomes("root-access-key", with_keys(first, second)) == (
        {0: outcome} if outcome else {}
    )


@pytest.mark.parametrize(
    ("root", "told"),
    [
        (
            with_keys(a_key(days_before(9), days_before(1)), an_inactive_key(days_before(99))),
            (
                "access key 1, created 2026-04-22, is active, last used 2026-04-30;"
                " access key 2, created 2026-01-22, is inactive, never used"
            ),
        ),
        (
            with_keys(no_key(), an_inactive_key(days_before(99))),
            "access key 2, created 2026-01-22, is inactive, never used",
        ),
        (
            with_keys(a_key(days_before(9)), a_key() | {"active": "?"}),
            "access key 1, created 2026-04-22, is active, never used",
        ),
        (with_keys(no_key(), UNKNOWN), 'access_key_2_active "?" is not understood'),
    ],
)
def test_the_fact_names_each_key(root: Row, told: str) -> None:
    assert fact("root-access-key", root) == told


def test_the_finding_names_the_account() -> None:
    (row,) = found("root-access-key", with_keys(a_key(), no_key())).to_dict("records")
    assert (row["account"], row["arn"]) == (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root")
    assert (row["severity"], row["subject"]) == ("critical", "root")
