"""What everybody who relies on a result must know of its input is said in sentences."""

from datetime import timedelta
from pathlib import Path

import pytest

import analyzer
from tests.support.builders import AS_OF, COLUMNS, COLUMNS_OF_2014, a_user, report_text
from tests.support.reading import BOB, PLAIN, lines, of_account, put, with_cells

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

CONSOLE = "status_reports_2026-05-01T12-00-00+00-00.csv"


def notes(folder: Path) -> list[str]:
    return [note.replace(f"{folder}/", "") for note in analyzer.load(folder).notes]


def test_nothing_is_said_where_there_is_nothing_to_know(tmp_path: Path) -> None:
    put(tmp_path, PLAIN, CONSOLE)
    assert notes(tmp_path) == []


def test_an_assumed_moment_is_said_with_what_follows_from_it(tmp_path: Path) -> None:
    put(tmp_path, PLAIN)
    assert notes(tmp_path) == [
        (
            "No generation time in report.csv: the newest timestamp in the report is assumed to be"
            " its time. The report can be newer, so users can be idle for longer than shown;"
            " --as-of sets the time."
        )
    ]


@pytest.mark.parametrize(
    ("count", "named"),
    [
        (2, "0.csv, 1.csv:"),
        (5, "0.csv, 1.csv, 2.csv, 3.csv, 4.csv:"),
        (6, "0.csv, 1.csv, 2.csv, 3.csv, 4.csv and 1 more:"),
        (8, "0.csv, 1.csv, 2.csv, 3.csv, 4.csv and 3 more:"),
    ],
)
def test_no_more_than_five_names_are_listed(tmp_path: Path, count: int, named: str) -> None:
    for number in range(count):
        put(tmp_path, of_account(str(10**11 + number), a_user("x")), f"{number}.csv")
    (note,) = notes(tmp_path)
    assert note.startswith(f"No generation time in {named}")


@pytest.mark.parametrize("late", [False, True])
def test_a_timestamp_later_than_the_report_is_said_beyond_an_hour_of_skew(
    tmp_path: Path, *, late: bool
) -> None:
    used = AS_OF + timedelta(hours=1, seconds=late)
    put(tmp_path, report_text([a_user("x", password_last_used=used)]), CONSOLE)
    assert notes(tmp_path) == [
        (
            f"{CONSOLE} has a timestamp of 2026-05-01 13:00 UTC, after its as-of"
            " (2026-05-01 12:00 UTC): later times count as 0 days old, so this is not the"
            " state of that time."
        )
    ] * int(late)


def test_a_coming_rotation_is_not_later_than_the_report(tmp_path: Path) -> None:
    coming = AS_OF + timedelta(days=30)
    put(tmp_path, report_text([a_user("x", password_next_rotation=coming)]), CONSOLE)
    assert notes(tmp_path) == []


def test_the_columns_that_2014_did_not_have_are_said(tmp_path: Path) -> None:
    put(tmp_path, report_text([a_user("x")], columns=COLUMNS_OF_2014), CONSOLE)
    old = report_text([a_user("y")], columns=COLUMNS_OF_2014).replace("012345678901", "1" * 12)
    put(tmp_path, old, "sub/" + CONSOLE)
    assert notes(tmp_path) == [
        (
            f"{CONSOLE}, sub/{CONSOLE}: no column access_key_1_last_used_date,"
            " access_key_2_last_used_date, as in reports of 2014;"
            " verdicts that need it are undetermined."
        )
    ]


def test_reports_that_lack_different_columns_are_said_apart(tmp_path: Path) -> None:
    for number, gone in enumerate(("access_key_1_last_used_date", "access_key_2_last_used_date")):
        columns = [name for name in COLUMNS if name != gone]
        text = report_text([a_user("x")], columns=columns).replace("012345678901", str(number) * 12)
        put(tmp_path, text, f"{number}/{CONSOLE}")
    assert [note.split(",")[0] for note in notes(tmp_path)] == [
        f"0/{CONSOLE}: no column access_key_1_last_used_date",
        f"1/{CONSOLE}: no column access_key_2_last_used_date",
    ]


def test_a_missing_column_that_decides_nothing_is_not_said(tmp_path: Path) -> None:
    columns = [name for name in COLUMNS if not name.endswith(("_region", "_service", "_rotation"))]
    put(tmp_path, report_text([a_user("x")], columns=columns), CONSOLE)
    assert notes(tmp_path) == []


def test_all_there_is_to_know_is_said_in_one_order(tmp_path: Path) -> None:
    put(tmp_path, lines(PLAIN, BOB, with_cells(BOB, mfa_active="true")), "b.csv")
    put(tmp_path, report_text([], columns=COLUMNS_OF_2014), "a.csv")
    put(tmp_path, lines(PLAIN, BOB, with_cells(BOB, mfa_active="true")), "c.csv")
    future = report_text([a_user("x", created=AS_OF + timedelta(days=1))])
    put(tmp_path, future.replace("012345678901", "1" * 12), CONSOLE)
    assert [" ".join(note.split(" ")[:3]) for note in notes(tmp_path)] == [
        "No generation time",
        f"{CONSOLE} has a",
        "c.csv is the",
        "a.csv (2025-07-05 12:00",
        "b.csv: 2 rows",
        "Rows of the",
    ]
