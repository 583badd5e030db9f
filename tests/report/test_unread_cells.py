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
    judgement_on,
    report_text,
    saved,
)

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

KEY_DATE = "access_key_2_last_used_date"
KEY_REGION = "access_key_2_last_used_region"
KEY_SERVICE = "access_key_2_last_used_service"
USED = days_before(3)


def unread_cells(folder: Path, user: Row, columns: tuple[str, ...] = COLUMNS) -> dict[str, str]:
    """Return the cells of one user that were not understood, by column."""
    report = analyzer.load(saved(folder, report_text([user], columns=columns)), as_of=AS_OF)
    (page,) = report.pages()
    return dict(zip(page.unread["column"], page.unread["value"], strict=True))


def test_of_a_report_as_aws_writes_it_every_cell_is_understood(tmp_path: Path) -> None:
    user = a_user(key_1=a_key(used=USED), key_2=an_inactive_key())
    assert unread_cells(tmp_path, user) == {}


@pytest.mark.parametrize("column", [each for each in COLUMNS if each != "arn"])
def test_a_foreign_cell_is_noted_in_every_column(tmp_path: Path, column: str) -> None:
    user = a_user(key_1=a_key(used=USED)) | {column: "so, so"}
    noted = unread_cells(tmp_path, user)
    assert noted[column] == "so, so"
    assert noted.keys() <= {column, "arn", "access_key_1_last_used_date", KEY_DATE}


def test_a_foreign_date_of_use_of_an_absent_key_is_noted_and_decides_nothing(
    tmp_path: Path,
) -> None:
    judgement = judgement_on(tmp_path, a_user())
    for cell in ("", "n/a", "no_information", "not_supported", "=1+1", "2024"):
        user = a_user() | {KEY_DATE: cell}
        assert unread_cells(tmp_path, user) == {KEY_DATE: cell}
        assert judgement_on(tmp_path, user) == judgement


def test_a_report_without_dates_of_use_has_none_that_are_foreign(tmp_path: Path) -> None:
    assert unread_cells(tmp_path, a_user(), COLUMNS_OF_2014) == {}


@pytest.mark.parametrize("column", [KEY_REGION, KEY_SERVICE])
@pytest.mark.parametrize(
    ("cell", "understood"),
    [
        ("us-gov-west-1", True),
        ("s3", True),
        ("N/A", True),
        ("not_supported", True),
        ("", True),
        ("so, so", False),
        ("line\nbreak", False),
        ("=1", False),
        ("\u00e9", False),
    ],
)
def test_a_region_or_service_of_a_use_is_a_code(
    tmp_path: Path, column: str, cell: str, *, understood: bool
) -> None:
    user = a_user(key_2=a_key(used=USED)) | {column: cell}
    if (column, cell) == (KEY_SERVICE, "N/A"):  # a use of nothing contradicts itself
        assert list(unread_cells(tmp_path, user)) == [KEY_DATE]
    else:
        assert unread_cells(tmp_path, user) == ({} if understood else {column: cell})
