import pytest

from tests.support.builders import Row, a_key, a_user, an_inactive_key, days_before, no_key
from tests.support.pages import FAILS, UNDECIDED, fact, outcomes

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

ACTIVE, INACTIVE, ABSENT = a_key(), an_inactive_key(), no_key()
UNKNOWN = no_key() | {"active": "?"}
UNDATED = a_key("once")


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        pytest.param(ACTIVE, ACTIVE, FAILS, id="both"),
        pytest.param(ACTIVE, UNDATED, FAILS, id="both, one undated"),
        pytest.param(ACTIVE, INACTIVE, None, id="first"),
        pytest.param(INACTIVE, ACTIVE, None, id="second"),
        pytest.param(INACTIVE, INACTIVE, None, id="none active"),
        pytest.param(ABSENT, ABSENT, None, id="none"),
        pytest.param(ACTIVE, ABSENT, None, id="one only"),
        pytest.param(ACTIVE, UNKNOWN, UNDECIDED, id="second unknown"),
        pytest.param(UNKNOWN, ACTIVE, UNDECIDED, id="first unknown"),
        pytest.param(UNKNOWN, INACTIVE, None, id="unknown, but not both"),
        pytest.param(UNKNOWN, UNKNOWN, UNDECIDED, id="both unknown"),
    ],
)
def test_it_fails_when_both_are_active(first: Row, second: Row, outcome: str | None) -> None:
    user = a_user(key_1=first, key_2=second)
    assert outcomes("two-active-access-keys", user) == ({0: outcome} if outcome else {})


def test_the_fact_tells_the_keys_apart() -> None:
    user = a_user(key_1=a_key(days_before(10), days_before(1)), key_2=a_key(days_before(100)))
    assert fact("two-active-access-keys", user) == (
        "two are active: access key 1, created 2026-04-21, last used 2026-04-30;"
        " access key 2, created 2026-01-21, never used"
    )


def test_a_use_that_is_not_understood_is_said() -> None:
    user = a_user(key_1=a_key(days_before(10), "once"), key_2=a_key(days_before(100)))
    assert "created 2026-04-21, last use unknown; " in fact("two-active-access-keys", user)


def test_what_is_undecided_names_the_cells() -> None:
    user = a_user(key_1=UNKNOWN, key_2=UNKNOWN)
    assert fact("two-active-access-keys", user) == (
        'access_key_1_active "?" is not understood; access_key_2_active "?" is not understood'
    )
