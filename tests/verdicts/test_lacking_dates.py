"""A report that lacks the dates of one slot says nothing of the other."""

from pathlib import Path

import pytest

from tests.support.builders import (
    COLUMNS,
    Row,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    judgement_on,
)

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

WITHOUT_DATES_OF_KEY_2 = [each for each in COLUMNS if each != "access_key_2_last_rotated"]


@pytest.mark.parametrize(
    ("user", "reason"),
    [
        (a_user(key_1=an_inactive_key()), "inactive-keys-only"),
        (a_user(password=a_password(), key_1=an_inactive_key()), "never-signed-in-inactive-keys"),
        (a_user(), "no-active-key"),
        (
            a_user(key_1=a_key() | {"last_used_date": "soon"}),
            'access_key_1_last_used_date "soon" is not understood',
        ),
        (a_user(password=a_password("soon")), 'password_last_used "soon" is not understood'),
    ],
)
def test_a_slot_without_dates_hides_nothing_that_the_other_shows(
    tmp_path: Path, user: Row, reason: str
) -> None:
    found = judgement_on(tmp_path, user, columns=WITHOUT_DATES_OF_KEY_2)
    assert found.reason == reason
