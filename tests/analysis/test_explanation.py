"""An explanation shows every cell that decides, how it was read, and what follows from it."""

from typing import Any

import pytest

from analyzer.analysis.explanation import Explanation
from tests.support.builders import (
    AS_OF,
    COLUMNS_OF_2014,
    LONG_AGO,
    Row,
    a_key,
    a_user,
    an_inactive_key,
    days_before,
)
from tests.support.outputs import analysis_of, analyzed_console


def explained(user: Row, **options: Any) -> Explanation:
    (explanation,) = analysis_of([user], **options).explain("ann")
    return explanation


def readings(explanation: Explanation, decides: str) -> dict[str, str]:
    return {cell.column: cell.reading for cell in explanation.cells if cell.decides == decides}


NOT_DORMANT = "not dormant: working credentials idle for 3 days, fewer than 90"
WHY_NOT = (
    (a_user("ann", key_2=an_inactive_key()), "iam-029", ("not unused: access key 2 is inactive",)),
    (
        a_user("ann", key_1=a_key(LONG_AGO, days_before(3))),
        "no-active-key",
        ("not unused and not retired: access key 1 is active", NOT_DORMANT),
    ),
)


def test_it_says_why_the_user_has_none_of_the_verdicts_above() -> None:
    for user, definition, expected in WHY_NOT:
        assert explained(user, definition=definition).why_not == expected


def test_idle_days_that_need_a_cell_that_is_not_understood_are_said_to_be_unknown() -> None:
    user = a_user("ann", key_1=a_key(used=AS_OF), key_2=a_key(used="2026-1"))
    explanation = explained(user)
    assert explanation.reason == "working credentials idle for an unknown number of days"
    less = "a working credential was used less than 90 days before as-of"
    assert explanation.why_not[-1] == f"not dormant: {less}"


COUNTED_FROM_CREATION: tuple[tuple[Row, bool], ...] = (
    ({"access_key_1_active": "true"}, True),
    ({"access_key_1_active": "true", "access_key_1_last_used_date": AS_OF}, False),
    ({"access_key_1_active": "true", "access_key_1_last_used_date": "2026-1"}, False),
    ({"password_enabled": "true", "password_last_changed": "N/A"}, True),
    ({"password_enabled": "true", "password_last_changed": LONG_AGO}, False),
)


@pytest.mark.no_cover
def test_the_creation_of_the_user_decides_where_a_credential_counts_from_it() -> None:
    users = [
        a_user(f"ann{number}", key_2=a_key(LONG_AGO, AS_OF)) | cells
        for number, (cells, _) in enumerate(COUNTED_FROM_CREATION)
    ]
    explanations = analysis_of(users).explain("ann*")
    for (cells, counts), explanation in zip(COUNTED_FROM_CREATION, explanations, strict=True):
        shown = readings(explanation, "verdict")
        assert ("user_creation_time" in shown) is counts, cells
        if counts:
            assert shown["user_creation_time"] == "user created, 1,000 days before as-of"


def test_a_column_that_the_report_lacks_is_named_and_cells_that_contradict_each_other_are() -> None:
    old = explained(a_user("ann", key_1=an_inactive_key()), columns=COLUMNS_OF_2014)
    cells = {cell.column: (cell.value, cell.reading) for cell in old.cells}
    assert cells["access_key_1_last_used_date"] == (None, "not in this report")
    assert cells["additional_credentials_info"] == (None, "not in this report")
    at_odds = explained(a_user("ann", access_key_1_last_used_date="2024-01-01T00:00:00Z"))
    assert at_odds.verdict == "undetermined"
    reading = readings(at_odds, "verdict")["access_key_1_last_rotated"]
    assert reading == 'contradicts access_key_1_last_used_date "2024-01-01T00:00:00Z"'


PLACES: tuple[tuple[dict[str, str], str], ...] = (
    ({}, ", by ec2 in eu-west-1"),
    ({"region": "eu-west-1", "service": "s3"}, ", by s3 in eu-west-1"),
    ({"region": "N/A", "service": "iam"}, ", by iam"),
    ({"region": "us-east-1", "service": "N/A"}, ", in us-east-1"),
    ({"region": "", "service": ""}, ""),
)


def test_the_last_use_of_a_key_has_its_service_and_region() -> None:
    for cells, expected in PLACES:
        used = {f"access_key_2_last_used_{name}": cell for name, cell in cells.items()}
        user = a_user("ann", key_2=a_key(LONG_AGO, days_before(3))) | used
        reading = readings(explained(user), "verdict")["access_key_2_last_used_date"]
        assert reading == f"access key 2 last used, 3 days before as-of{expected}"


def test_reason_and_caveats_have_their_sentences() -> None:
    (explanation,) = analyzed_console().explain("git-mirror")
    sentence = "Has an active service-specific credential: codecommit.amazonaws.com."
    text = str(explanation)
    assert f"  service-credential: {sentence}" in text
    assert "unused (to check): " in text
    assert "exempt: Mirrors the repositories by HTTPS Git credentials" in text


@pytest.mark.no_cover
def test_a_user_is_found_by_name_pattern_or_arn() -> None:
    for user in ("BATCH-export", "arn:aws:iam::*:user/*/batch-e*"):
        (explanation,) = analyzed_console().explain(user)
        assert explanation.user == "batch-export", user
    with pytest.raises(ValueError, match="no IAM user has the name or ARN 'nobody'"):
        analyzed_console().explain("nobody")
