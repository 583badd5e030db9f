"""What is damaged is refused whole, with every problem's file, row, column, value and way out.

The dates of a report that a spreadsheet saved are read if it is sure which number is the day.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path

import pytest

import analyzer
from analyzer.errors import InputRefused
from tests.report.test_streaming import in_pieces
from tests.support.builders import (
    COLUMNS,
    COLUMNS_OF_2014,
    FORMS,
    a_key,
    a_password,
    a_user,
    days_before,
    judgements_by,
    report_text,
)
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
AS_MADE = "give the report as AWS made it (2026-03-01T09:30:00Z)"
FORM = "a date in a local form, "
MANY = f"{FORM}but not all dates have one form"
AMBIGUOUS = f"{FORM}whose day and month are ambiguous"


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


@pytest.mark.parametrize("reading", [nullcontext, in_pieces])
def test_a_report_whose_booleans_are_all_translated_is_refused(
    tmp_path: Path, reading: Callable[[], AbstractContextManager[None]]
) -> None:
    with reading():
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

USERS = [
    a_user("idle", password=a_password(days_before(100)), created=days_before(131)),
    a_user("busy", key_1=a_key(days_before(400), days_before(3))),
    a_user("quiet", created=days_before(30)),
]
LOCAL = {
    "%d/%m/%Y %H:%M": "day/month/year",
    "%m/%d/%Y %H:%M:%S": "month/day/year",
    "%m/%d/%Y %I:%M %p": "month/day/year",
    "%d.%m.%Y %H:%M": "day.month.year",
    "%d-%m-%Y %H:%M": "day-month-year",
    "%Y/%m/%d %H:%M": "year/month/day",
    "%Y-%m-%d %H:%M:%S": "year-month-day",
}


def test_dates_of_one_local_form_are_read_as_utc() -> None:
    plain = judgements_by("user", analyzer.analyze(report_of(report_text(USERS))).users)
    cells = [line.split(",") for line in report_text(USERS).split("\n")]
    for (form, told), separator in zip(LOCAL.items(), cycle(",;\t"), strict=False):
        local = (
            separator.join(
                f"{datetime.fromisoformat(cell):{form}}" if cell[-1] == "Z" else cell
                for cell in row
            )
            for row in cells
        )
        report = report_of("\n".join(local))
        assert judgements_by("user", analyzer.analyze(report).users) == plain, form
        assert f"they are read as {told}, in UTC." in " ".join(report.notes)
        assert report.files[0].as_of == days_before(3)
        (page,) = report.pages()
        created = [f"{days_before(days):%Y-%m-%dT%H:%M:%SZ}" for days in (131, 1000, 30)]
        assert page.cells["user_creation_time"].tolist() == created


def dated(*dates: str) -> str:
    """Return a report with the creation of users at these dates, and no other dates."""
    users = [a_user(f"user{at}", created=date) for at, date in enumerate(dates)]
    return report_text(users, root=a_user("<root_account>", created=dates[0]))


SURE = "13/2/2015 14:01"
UNSURE = {
    "no number above 12": (["1/2/2015 14:01", "12/12/2015 14:01"], AMBIGUOUS),
    "one for each order": ([SURE, "2/13/2015 14:01"], MANY),
    "two separators": ([SURE, "13.2.2015 14:01"], MANY),
    "two clocks": ([SURE, "13/2/2015 14:01:00"], MANY),
    "a date as AWS writes it": ([SURE, "2015-02-13T14:01:00Z"], MANY),
    "a year of two digits": (["13/2/15 14:01"], FORM + "whose year must have four digits"),
    "no time": (["13/2/2015"], FORM + "which must have a time"),
    "a day that is none": ([SURE, "31/2/2015 14:01"], MANY),
    "an hour that is none": ([SURE, "13/2/2015 24:00"], MANY),
    "a day and a month above 12": ([SURE, "13/13/2015 14:01"], MANY),
    "a month of 0": ([SURE, "13/0/2015 14:01"], MANY),
    "a date that is cut": ([SURE, "13/2/2015 1"], MANY),
}


def test_dates_are_refused_unless_it_is_sure_which_number_is_the_day() -> None:
    for kind, (dates, message) in UNSURE.items():
        assert {each.message for each in problems_of(dated(*dates))} == {message}, kind


def test_one_number_in_the_whole_report_shows_which_is_the_day() -> None:
    for at in (0, -1):
        dates = ["1/2/2015 14:01"] * 500
        dates[at] = "1/13/2015 14:01"
        report = report_of(dated(*dates))
        assert report.files[0].as_of == datetime(2015, 1, 13, 14, 1, tzinfo=UTC)
        assert {*report.users["created"].dt.month} == {1}


AMONG_OTHERS = (
    *("03/04/2021 10:00", "3/4/2021", "12/7/2025 19:36", "12/07/25 7:36 PM"),
    *("03.04.2021 10:00:00", "03-04-2021", "3-4-21 10:00", " 03/04/2021", "31/12/2021 10:00"),
)


@pytest.mark.no_cover
def test_a_date_in_a_local_form_among_others_is_refused_in_each_column_and_for_the_root_too() -> (
    None
):
    odd = (with_cells(BOB, password_last_used=value) for value in AMONG_OTHERS)
    for at, found in enumerate(problems_of(lines(HEADER, ROOT, ANN, *odd))):
        expected = (4 + at, "password_last_used", AMONG_OTHERS[at], MANY)
        assert (found.row, found.column, found.value, found.message) == expected
        assert AS_MADE in found.hint
    dates = dict.fromkeys(TIMESTAMPS, "3/4/2021")
    every = problems_of(lines(HEADER, *(with_cells(row, **dates) for row in (ROOT, BOB)), ANN))
    assert sorted((each.row, str(each.column)) for each in every) == sorted(
        (row, column) for row in (2, 3) for column in TIMESTAMPS
    )


def test_another_odd_date_makes_no_refusal_but_an_undetermined_user() -> None:
    odd = ("2021-04-03", "2015/02/13 14:01", "44289.4", "3/4/20211")
    users = [a_user(f"odd{at}", password_last_used=value) for at, value in enumerate(odd)]
    found = verdicts(report_of(report_text([*TWO_USERS, *users])))
    assert found == VERDICTS | dict.fromkeys((f"odd{at}" for at in range(4)), "undetermined")


def test_a_column_of_ones_own_holds_dates_of_any_form_and_its_end_shows_no_cut() -> None:
    for cell in ("3/4/2021", "m"):
        owned = zip((HEADER, ROOT, BOB), ("reviewed", "", cell), strict=True)
        assert judged(*map(",".join, owned)) == {"bob": "unused"}


def test_no_more_than_a_thousand_dates_are_named() -> None:
    text = report_text([a_user(f"u{n}", created="3/4/2021") for n in range(1200)])
    assert [each.row for each in problems_of(text)] == list(range(3, 1003))


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
        assert {*judged(text[:end])} <= {"ann", "bob", "last"}


def test_a_file_that_ends_within_its_last_cell_is_refused() -> None:
    for cell in ("", "N", "N/", "2", "2024-04-2", "2024-04-22T", "2024-04-22T19:47:52"):
        found = problem_of(lines(PLAIN, with_cells(BOB, cert_2_last_rotated=cell)))
        assert (found.row, found.column, found.value) == (5, "cert_2_last_rotated", cell)
        assert found.message == "the file is cut off in this cell"


def test_a_cut_is_seen_in_rows_that_were_mended_and_within_quotes() -> None:
    for users in ([a_user("a,b"), *TWO_USERS], [*TWO_USERS, a_user("a,b")]):
        found = problem_of(report_text(users).replace('"', "")[:-1])
        assert (found.row, found.value) == (5, "N/")
    text = report_text(TWO_USERS, quoted=True)
    for end in range(len(text) - 2, text.rindex("\n") + 1, -5):
        assert problem_of(text[:end]).message.startswith("the file is cut off in ")


def test_a_whole_last_row_is_no_cut_whatever_its_last_cell() -> None:
    for cell in ("N/A", "not_supported", "2024-04-22T19:47:52Z", "2024-04-22T19:47:52+00:00"):
        assert {*judged(HEADER, ROOT, with_cells(BOB, cert_2_last_rotated=cell))} == {"bob"}
    ended = with_cells(BOB, cert_2_last_rotated="") + "\n"
    assert judged(HEADER, ROOT, ANN, ended) == VERDICTS


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
        *((3, "password_last_changed"), (3, "user_creation_time")),
        *((4, "None"), (5, "access_key_2_last_rotated"), (6, "None")),
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
        f"report.csv, row 4: the file is cut off in the middle of this row ('x')\n    {AGAIN}\n"
        f"report.csv, row 3, column user_creation_time: {MANY} ('3/4/2021')\n"
        f"    A spreadsheet rewrote it: {AS_MADE}."
    )
    assert refusal.value.exit_code == 3
