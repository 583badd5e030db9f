"""Each cell that has none of the forms of its column is noted, whatever it decides."""

from pathlib import Path

import pytest

import analyzer
from tests.support.builders import (
    AS_OF,
    COLUMNS,
    COLUMNS_OF_2014,
    Row,
    a_key,
    a_user,
    an_inactive_key,
    days_before,
    in_separate_accounts,
    judged_users,
    judgements_by,
    report_text,
    saved,
)

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

KEY_DATE = "access_key_2_last_used_date"
KEY_REGION = "access_key_2_last_used_region"
KEY_SERVICE = "access_key_2_last_used_service"
USED = days_before(3)


def unread_cells(*users: Row, columns: tuple[str, ...] = COLUMNS) -> list[dict[str, str]]:
    """Return the cells of each user that were not understood, by column."""
    content = report_text(in_separate_accounts(users), columns=columns).encode()
    (page,) = analyzer.load(("report.csv", content), as_of=AS_OF).pages()
    found: list[dict[str, str]] = [{} for _ in users]
    for at, column, value in page.unread[["position", "column", "value"]].to_numpy().tolist():
        found[at][column] = value
    return found


def test_of_a_report_as_aws_writes_it_every_cell_is_understood() -> None:
    assert unread_cells(a_user(key_1=a_key(used=USED), key_2=an_inactive_key())) == [{}]


def test_a_foreign_cell_is_noted_in_every_column() -> None:
    columns = [each for each in COLUMNS if each != "arn"]
    users = [a_user(key_1=a_key(used=USED)) | {column: "so, so"} for column in columns]
    for column, noted in zip(columns, unread_cells(*users), strict=True):
        assert noted[column] == "so, so"
        assert noted.keys() <= {column, "arn", "access_key_1_last_used_date", KEY_DATE}


def test_a_foreign_date_of_use_of_an_absent_key_is_noted_and_decides_nothing(
    tmp_path: Path,
) -> None:
    cells = ("", "n/a", "no_information", "not_supported", "=1+1", "2024")
    users = [a_user() | {KEY_DATE: cell} for cell in cells]
    assert unread_cells(*users) == [{KEY_DATE: cell} for cell in cells]
    text = report_text(in_separate_accounts([a_user(), *users]))
    assert len(set(judgements_by("arn", judged_users(saved(tmp_path, text))).values())) == 1


def test_a_report_without_dates_of_use_has_none_that_are_foreign() -> None:
    assert unread_cells(a_user(), columns=COLUMNS_OF_2014) == [{}]


def test_a_region_or_service_of_a_use_is_a_code() -> None:
    codes, others = ["us-gov-west-1", "s3", "not_supported", ""], ["so, so", "a\nb", "=1", "\u00e9"]
    used = a_user(key_2=a_key(used=USED))
    for column in (KEY_REGION, KEY_SERVICE):
        assert unread_cells(*(used | {column: cell} for cell in codes)) == [{}] * len(codes)
        odd = unread_cells(*(used | {column: cell} for cell in others))
        assert odd == [{column: cell} for cell in others]
    region, service = unread_cells(*(used | {name: "N/A"} for name in (KEY_REGION, KEY_SERVICE)))
    assert (region, [*service]) == ({}, [KEY_DATE])  # a use of nothing contradicts itself
