"""What is damaged is refused whole, with every problem's file, row, column, value and way out."""

from pathlib import Path

import pytest

import analyzer
from analyzer.errors import InputRefused
from tests.support.builders import COLUMNS, COLUMNS_OF_2014, FORMS, a_user, report_text
from tests.support.reading import (
    ANN,
    BOB,
    HEADER,
    PLAIN,
    ROOT,
    TWO_USERS,
    VERDICTS,
    lines,
    problem,
    put,
    read,
    refused,
    verdicts,
    with_cells,
)

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

TIMESTAMPS = [
    name
    for name in COLUMNS
    if name.endswith(("_time", "_rotated", "_date", "_last_used", "_changed", "_rotation"))
]
AGAIN = "Download the report again, or save the AWS CLI's output again."

LOCAL_DATES = [
    *("03/04/2021 10:00", "3/4/2021", "12/7/2025 19:36", "12/07/25 7:36 PM"),
    *("03.04.2021 10:00:00", "03-04-2021", "3-4-21 10:00", " 03/04/2021", "31/12/2021 10:00"),
]


@pytest.mark.parametrize("value", LOCAL_DATES)
def test_a_date_in_a_local_form_among_others_is_refused(tmp_path: Path, value: str) -> None:
    found = problem(tmp_path, lines(HEADER, ROOT, ANN, with_cells(BOB, password_last_used=value)))
    assert (found.row, found.column, found.value) == (4, "password_last_used", value)
    assert found.message == "a date in a local form, but not all dates have one form"
    assert "give the report as AWS made it (2026-03-01T09:30:00Z)" in found.hint


@pytest.mark.parametrize("column", TIMESTAMPS)
def test_a_local_date_is_refused_in_each_column_of_moments_and_for_the_root_too(
    tmp_path: Path, column: str
) -> None:
    text = lines(HEADER, *(with_cells(row, **{column: "3/4/2021"}) for row in (ROOT, ANN, BOB)))
    found = refused(put(tmp_path, text))
    assert [(each.row, each.column) for each in found] == [(2, column), (3, column), (4, column)]


@pytest.mark.parametrize(
    "value",
    ["2021-04-03", "44289.4", "3 April 2021", "3/4/20211"],
)
def test_another_odd_date_makes_no_refusal_but_an_undetermined_user(
    tmp_path: Path, value: str
) -> None:
    text = lines(HEADER, ROOT, ANN, with_cells(BOB, password_last_used=value))
    assert verdicts(read(tmp_path, text)) == {**VERDICTS, "bob": "undetermined"}


def test_a_date_in_a_column_of_ones_own_may_have_any_form(tmp_path: Path) -> None:
    rows = (f"{row},{cell}" for row, cell in ((HEADER, "reviewed"), (ROOT, ""), (BOB, "3/4/2021")))
    assert verdicts(read(tmp_path, lines(*rows))) == {"bob": "unused"}


def test_no_more_than_a_thousand_dates_are_named(tmp_path: Path) -> None:
    text = report_text([a_user(f"u{n}", created="3/4/2021") for n in range(1200)])
    assert [each.row for each in refused(put(tmp_path, text))] == list(range(3, 1003))


@pytest.mark.parametrize(
    ("form", "columns", "step"), [(FORMS[0], COLUMNS, 1), (FORMS[1], COLUMNS_OF_2014, 7)]
)
def test_wherever_the_file_is_cut_off_in_its_last_row_it_is_refused_or_nobody_is_misjudged(
    tmp_path: Path, form: str, columns: tuple[str, ...], step: int
) -> None:
    users = [*TWO_USERS, a_user("last", cert_2_last_rotated=TWO_USERS[0]["user_creation_time"])]
    text = report_text(users, form=form, columns=columns)
    start = text.rindex("\n") + 1
    for end in range(len(text) - 1, start, -step):
        found = problem(tmp_path, text[:end])
        assert found.row == 5
        assert found.message.startswith("the file is cut off in ")
        assert found.hint == AGAIN
    for end in (start - 1, start, len(text)):
        assert set(verdicts(read(tmp_path, text[:end]))) <= {"ann", "bob", "last"}


@pytest.mark.parametrize(
    "cell", ["", "N", "N/", "2", "2024-04-2", "2024-04-22T", "2024-04-22T19:47:52"]
)
def test_a_file_that_ends_within_its_last_cell_is_refused(tmp_path: Path, cell: str) -> None:
    found = problem(tmp_path, lines(PLAIN, with_cells(BOB, cert_2_last_rotated=cell)))
    assert (found.row, found.column, found.value) == (5, "cert_2_last_rotated", cell)
    assert found.message == "the file is cut off in this cell"


def test_a_cut_in_the_last_cell_is_seen_behind_and_within_rows_that_were_mended(
    tmp_path: Path,
) -> None:
    for users in ([a_user("a,b"), *TWO_USERS], [*TWO_USERS, a_user("a,b")]):
        found = problem(tmp_path, report_text(users).replace('"', "")[:-1])
        assert (found.row, found.value) == (5, "N/")


def test_a_whole_last_row_is_no_cut_whatever_its_last_cell(tmp_path: Path) -> None:
    for cell in ("N/A", "not_supported", "2024-04-22T19:47:52Z", "2024-04-22T19:47:52+00:00"):
        text = lines(HEADER, ROOT, with_cells(BOB, cert_2_last_rotated=cell))
        assert set(verdicts(read(tmp_path, text))) == {"bob"}


def test_a_row_is_whole_where_a_line_ends_it(tmp_path: Path) -> None:
    text = lines(HEADER, ROOT, ANN, with_cells(BOB, cert_2_last_rotated=""))
    assert verdicts(read(tmp_path, text + "\n")) == {**VERDICTS, "bob": "unused"}


def test_where_the_last_column_holds_no_moments_no_cut_can_be_seen_in_it(tmp_path: Path) -> None:
    text = lines(*(f"{row},{cell}" for row, cell in ((HEADER, "owner"), (ROOT, ""), (BOB, "m"))))
    assert verdicts(read(tmp_path, text)) == {"bob": "unused"}


def test_a_file_cut_off_within_quotes_is_refused(tmp_path: Path) -> None:
    text = report_text(TWO_USERS, quoted=True)
    for end in range(len(text) - 2, text.rindex("\n") + 1, -5):
        assert problem(tmp_path, text[:end]).message.startswith("the file is cut off in ")


@pytest.mark.parametrize("rest", ["", "\n", "\r\n\r\n", "\n" + "," * 21, "\n" + HEADER])
def test_a_report_without_data_rows_is_refused(tmp_path: Path, rest: str) -> None:
    found = problem(tmp_path, HEADER + rest)
    assert found.message == "the report has no data rows, not even the root's"
    assert (found.row, found.hint) == (None, AGAIN)


def test_a_report_without_a_moment_is_refused(tmp_path: Path) -> None:
    row = with_cells(BOB, user_creation_time="unknown")
    assert problem(tmp_path, lines(HEADER, row)).message == (
        "no row holds a timestamp that can be read"
    )


def test_all_problems_of_a_report_are_told_together(tmp_path: Path) -> None:
    text = lines(
        HEADER,
        ROOT,
        with_cells(ANN, user_creation_time="3/4/2021", password_last_changed="03.04.2021"),
        "x,y",
        with_cells(BOB, access_key_2_last_rotated="1/1/24"),
        BOB[:30],
    )
    assert sorted((each.row or 0, str(each.column)) for each in refused(put(tmp_path, text))) == [
        (3, "password_last_changed"),
        (3, "user_creation_time"),
        (4, "None"),
        (5, "access_key_2_last_rotated"),
        (6, "None"),
    ]


def test_a_local_date_and_a_cut_in_the_last_cell_are_told_together(tmp_path: Path) -> None:
    text = lines(HEADER, with_cells(ANN, user_creation_time="3/4/2021"), BOB[:-1])
    assert [each.row for each in refused(put(tmp_path, text))] == [2, 3]


def test_the_problems_of_all_files_are_told_together_and_one_good_file_saves_nothing(
    tmp_path: Path,
) -> None:
    put(tmp_path, PLAIN, "good.csv")
    put(tmp_path, "<html>", "page.csv")
    put(tmp_path, PLAIN[:-1], "cut.csv")
    put(tmp_path, lines(HEADER, ROOT, with_cells(BOB, user_creation_time="3/4/2021")), "local.csv")
    found = refused(tmp_path, tmp_path / "missing.csv")
    assert [Path(each.file).name for each in found] == [
        "cut.csv",
        "local.csv",
        "page.csv",
        "missing.csv",
    ]


def test_a_refusal_reads_well(tmp_path: Path) -> None:
    path = put(tmp_path, lines(HEADER, ROOT, with_cells(BOB, user_creation_time="3/4/2021"), "x"))
    with pytest.raises(InputRefused) as refusal:
        analyzer.load(path)
    assert str(refusal.value) == (
        f"{path}, row 4: the file is cut off in the middle of this row ('x')\n"
        f"    {AGAIN}\n"
        f"{path}, row 3, column user_creation_time: a date in a local form, but not all dates have"
        " one form ('3/4/2021')\n"
        "    A spreadsheet rewrote it: give the report as AWS made it (2026-03-01T09:30:00Z)."
    )
    assert refusal.value.exit_code == 3
