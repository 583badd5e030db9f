"""What is damaged is refused whole, with every problem's file, row, column, value and way out."""

from pathlib import Path

import pytest

import analyzer
from analyzer.errors import InputRefused
from tests.support.builders import COLUMNS, COLUMNS_OF_2014, FORMS, a_user, report_text, the_root
from tests.support.reading import (
    ANN,
    BOB,
    HEADER,
    PLAIN,
    ROOT,
    TWO_USERS,
    VERDICTS,
    lines,
    of_account,
    problem_of,
    problems_of,
    put,
    refused,
    report_of,
    verdicts,
    with_cells,
)

ENDINGS = ("_time", "_rotated", "_date", "_last_used", "_changed", "_rotation")
TIMESTAMPS = [name for name in COLUMNS if name.endswith(ENDINGS)]
AGAIN = "Download the report again, or save the AWS CLI's output again."
LOCAL = "a date in a local form, which a spreadsheet wrote"


def judged(*rows: str) -> dict[str, str]:
    return verdicts(report_of(lines(*rows)))


# Booleans that a spreadsheet translated


def translated(text: str) -> str:
    return text.replace("true", "WAHR").replace("false", "FALSCH")


TRANSLATED = translated(report_text(map(a_user, "abcdef")))
ONE_OF_TWO = translated(report_text([a_user("a")]))
UNDERSTOOD = (
    ONE_OF_TWO,
    translated(report_text([])).replace("WAHR", "not_supported"),
    TRANSLATED.replace("WAHR", "TRUE"),
    lines(report_text([a_user("a")]), *TRANSLATED.splitlines()[3:]),
    lines(TRANSLATED, *report_text([a_user("z")]).splitlines()[2:]),
)


def test_a_report_whose_booleans_are_all_translated_is_refused(tmp_path: Path) -> None:
    (found,) = refused(put(tmp_path, TRANSLATED))
    assert (found.row, found.column, found.value) == (8, "password_enabled", "FALSCH")
    assert found.hint == AGAIN
    for text in UNDERSTOOD:
        analyzer.load(put(tmp_path, text))


def test_a_report_of_translated_booleans_is_refused_beside_others(tmp_path: Path) -> None:
    good = of_account("9" * 12, a_user("a"), a_user("b"))
    put(tmp_path, good, "a.csv")
    bad = put(tmp_path, TRANSLATED, "b.csv")
    put(tmp_path, of_account("8" * 12, a_user("a"), a_user("b")), "c.csv")
    assert [problem.file for problem in refused(tmp_path)] == [str(bad)]


# Dates in a local form

LOCAL_DATES = (
    ("03/04/2021 10:00", "3/4/2021", "12/7/2025 19:36", "12/07/25 7:36 PM", "13/2/2015 14:01")
    + ("03.04.2021 10:00:00", "03-04-2021", "3-4-21 10:00", " 03/04/2021", "31/12/2021 10:00")
    + ("2015/02/13 14:01", "2015-2-13 14:01:00", "3/4/20211")
)


def test_a_date_in_a_local_form_is_refused_in_each_column_and_for_the_root_too() -> None:
    odd = (with_cells(BOB, password_last_used=value) for value in LOCAL_DATES)
    for at, found in enumerate(problems_of(lines(HEADER, ROOT, ANN, *odd))):
        expected = (4 + at, "password_last_used", LOCAL_DATES[at], LOCAL, AGAIN)
        assert (found.row, found.column, found.value, found.message, found.hint) == expected
    dates = dict.fromkeys(TIMESTAMPS, "3/4/2021")
    every = problems_of(lines(HEADER, *(with_cells(row, **dates) for row in (ROOT, BOB)), ANN))
    assert sorted((each.row, str(each.column)) for each in every) == sorted(
        (row, column) for row in (2, 3) for column in TIMESTAMPS
    )


def test_another_odd_date_makes_no_refusal_but_an_undetermined_user() -> None:
    odd = ("2021-04-03", "20150213 14:01", "44289.4", "3/4/2")
    users = [a_user(f"odd{at}", password_last_used=value) for at, value in enumerate(odd)]
    found = verdicts(report_of(report_text(TWO_USERS + users)))
    assert found == VERDICTS | dict.fromkeys((f"odd{at}" for at in range(4)), "undetermined")


def test_a_column_of_ones_own_holds_dates_of_any_form_and_its_end_shows_no_cut() -> None:
    for cell in ("3/4/2021", "N/"):
        owned = zip((HEADER, ROOT, BOB), ("reviewed", "", cell), strict=True)
        assert judged(*map(",".join, owned)) == {"bob": "unused"}


def test_of_many_dates_the_first_is_named_with_the_number_of_others() -> None:
    text = report_text([a_user(f"u{n}", created="3/4/2021") for n in range(1200)])
    (found,) = problems_of(text)
    assert (found.row, found.more_rows) == (3, 1199)
    assert "('3/4/2021'), and at least 1,199 more like it\n" in str(found)


# A file that is cut off


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("form", "columns", "step"), [(FORMS[0], COLUMNS, 3), (FORMS[1], COLUMNS_OF_2014, 7)]
)
def test_wherever_the_file_is_cut_off_in_its_last_row_it_is_refused_or_nobody_is_misjudged(
    form: str, columns: tuple[str, ...], step: int
) -> None:
    users = [*TWO_USERS, a_user("last", cert_2_last_rotated=TWO_USERS[0]["user_creation_time"])]
    text = report_text(users, form=form, columns=columns)
    start = text.rindex("\n") + 1
    for end in range(len(text) - 1, start, -step):
        found = problem_of(text[:end])
        assert (found.row, found.hint) == (5, AGAIN)
        assert found.message.startswith("the file is cut off in ")
    for end in (start - 1, start, len(text)):
        assert set(judged(text[:end])) <= {"ann", "bob", "last"}


CUT = "the file is cut off in this cell, or a program rewrote it"
LAST_CELLS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "cert_2_last_rotated": (
        ("N/A", "not_supported", "2024-04-22T19:47:52Z", "2024-04-22T19:47:52+00:00"),
        ("", "N", "N/", "2", "2024-04-2", "2024-04-22T", "2024-04-22T19:47:52", "N/A ", "k.A."),
    ),
    "password_last_used": (("no_information",), ("no_inform", "never")),
    "cert_2_active": (("true", "FALSE"), ("", "f", "fals", "FALSCH", "N/A")),
    "access_key_2_last_used_service": (("", "s", "N/"), ()),
    "owner": (("", "N/"), ()),
}
"""Values of the last column, and what is none of its values."""


def test_a_report_whose_last_cell_is_no_value_of_its_column_is_refused() -> None:
    for column, (values, others) in LAST_CELLS.items():
        order = (*(name for name in COLUMNS if name != column), column)

        def ended(cell: str, last: str = column, order: tuple[str, ...] = order) -> str:
            rows = the_root() | {"owner": ""}, a_user("bob") | {last: cell}
            return report_text(rows[1:], root=rows[0], columns=order)

        for end in ("", "\n", "\r\n", "\n\n,,\n"):
            for value in values:
                assert verdicts(report_of(ended(value) + end)).keys() == {"bob"}, value
            for value in others:
                found = problem_of(ended(value) + end)
                assert (found.row, found.column, found.value) == (3, column, value)
                assert (found.message, found.hint) == (CUT, AGAIN)


def test_a_cut_is_seen_in_rows_that_were_mended_and_within_quotes() -> None:
    for users in ([a_user("a,b")] + TWO_USERS, TWO_USERS + [a_user("a,b")]):
        found = problem_of(report_text(users).replace('"', "")[:-1])
        assert (found.row, found.value) == (5, "N/")
    text = report_text(TWO_USERS, quoted=True)
    for end in range(len(text) - 2, text.rindex("\n") + 1, -5):
        assert problem_of(text[:end]).message.startswith("the file is cut off in ")


def test_a_report_without_data_rows_is_refused() -> None:
    for rest in ("", "\n", "\r\n\r\n", "\n" + "," * 21, "\n" + HEADER):
        found = problem_of(HEADER + rest)
        assert found.message == "the report has no data rows, not even the root's"
        assert (found.row, found.hint) == (None, AGAIN)


def test_a_report_without_a_moment_is_refused() -> None:
    found = problem_of(lines(HEADER, with_cells(BOB, user_creation_time="unknown")))
    assert found.message == "no row holds a timestamp that can be read"


# All problems together


def test_all_problems_of_a_report_are_told_together() -> None:
    two = with_cells(ANN, user_creation_time="3/4/2021", password_last_changed="03.04.2021")
    one = with_cells(BOB, access_key_2_last_rotated="1/1/24")
    found = problems_of(lines(HEADER, ROOT, two, "x,y", one, BOB[:30]))
    assert sorted((each.row, str(each.column)) for each in found) == [
        (3, "password_last_changed"),
        (3, "user_creation_time"),
        (4, "None"),
        (5, "access_key_2_last_rotated"),
        (6, "None"),
    ]
    cut = lines(HEADER, with_cells(ANN, user_creation_time="3/4/2021"), BOB[:-1])
    assert [each.row for each in problems_of(cut)] == [2, 3]


def test_the_problems_of_all_files_are_told_together_and_one_good_file_saves_nothing(
    tmp_path: Path,
) -> None:
    local = lines(HEADER, ROOT, with_cells(BOB, user_creation_time="3/4/2021"))
    files = {"good": PLAIN, "page": "<html>", "cut": PLAIN[:-1], "local": local}
    for name, text in files.items():
        put(tmp_path, text, f"{name}.csv")
    found = refused(tmp_path, tmp_path / "missing.csv")
    names = [Path(each.file).stem for each in found]
    assert names == ["cut", "local", "page", "missing"]


def test_a_refusal_reads_well() -> None:
    with pytest.raises(InputRefused) as refusal:
        report_of(lines(HEADER, ROOT, with_cells(BOB, user_creation_time="3/4/2021"), "x"))
    assert str(refusal.value) == (
        "report.csv, row 4: the file is cut off in the middle of this row ('x')\n"
        f"report.csv, row 3, column user_creation_time: {LOCAL} ('3/4/2021')\n    {AGAIN}"
    )
    assert refusal.value.exit_code == 3
