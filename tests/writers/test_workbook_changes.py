"""The workbook lists what changed since the previous run, if it is told of one."""

from pathlib import Path

import pandas as pd
import pytest
from openpyxl import Workbook

from analyzer.analysis import Analysis
from analyzer.changes import COLUMNS, Change
from tests.support.builders import ACCOUNT, a_user
from tests.support.workbooks import analyzed_users, book_of, file_of, moment, records, row_of, texts

USED = "2026-02-03T04:05:06Z"


def changed(*rows: tuple[str, str, str, str, str, str, str | None]) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows), columns=list(COLUMNS))
    used = pd.to_datetime(frame["last_use"], utc=True).dt.as_unit("s")
    return frame.astype({"change": "category"}).assign(last_use=used)


def a_change(change: str, name: str, before: str, now: str, used: str | None = None) -> tuple:  # type: ignore[type-arg]
    return change, ACCOUNT, name, f"arn:aws:iam::{ACCOUNT}:user/{name}", before, now, used


CHANGES = changed(
    a_change("new-unused", "=1+1", "", "unused"),
    a_change("gone", "left", "unused", ""),
    a_change("used-again", "back", "unused", "active", USED),
    a_change("no-longer-unused", "got-a-key", "unused", "active"),
)


@pytest.fixture
def analysis(tmp_path: Path) -> Analysis:
    return analyzed_users(tmp_path, [a_user()])


@pytest.fixture
def book(analysis: Analysis) -> Workbook:
    return book_of(analysis, changes=CHANGES)


def test_each_change_is_listed_with_what_it_means_and_both_verdicts(book: Workbook) -> None:
    new, gone, again, _ = records(book["Changes"])
    assert new == {
        "Account": ACCOUNT,
        "User": "=1+1",
        "ARN": f"arn:aws:iam::{ACCOUNT}:user/=1+1",
        "Change": "new-unused",
        "Meaning": (
            "Unused now. In the previous run: another verdict, or not listed (Before is empty)."
        ),
        "Before": None,
        "Now": "unused",
        "Last use (UTC)": None,
    }
    assert (gone["Before"], gone["Now"]) == ("unused", None)
    assert again["Last use (UTC)"] == moment("2026-02-03 04:05:06")


def test_every_change_has_a_meaning(book: Workbook) -> None:
    assert [row["Change"] for row in records(book["Changes"])] == list(Change)


def test_names_stay_text(book: Workbook) -> None:
    assert {cell.data_type for cell in book["Changes"][2][:3]} == {"s"}


def test_the_changes_are_a_table_that_stands_behind_the_work(book: Workbook) -> None:
    assert book.sheetnames[:4] == ["Summary", "Unused users", "Changes", "Findings"]
    assert [table.displayName for table in book["Changes"].tables.values()] == ["Changes"]


def test_it_is_said_that_nothing_changed(analysis: Analysis) -> None:
    sheet = book_of(analysis, changes=CHANGES.iloc[:0])["Changes"]
    assert "No changes since the previous run." in texts(sheet)


def test_without_a_previous_run_there_is_no_such_sheet(analysis: Analysis) -> None:
    book = book_of(analysis)
    assert "Changes" not in book.sheetnames
    assert "Changes" not in texts(book["Method"]).split("\n")


def test_the_method_tells_of_the_sheet(book: Workbook) -> None:
    assert "since the previous run" in row_of(book["Method"], "Changes")[1]


def test_the_same_changes_give_the_same_bytes(analysis: Analysis) -> None:
    assert file_of(analysis, changes=CHANGES) == file_of(analysis, changes=CHANGES.copy())


def test_the_summary_says_with_which_run_was_compared_and_what_changed(analysis: Analysis) -> None:
    book = book_of(analysis, changes=CHANGES, since="2026-01-15T09-30-00Z")
    assert row_of(book["Summary"], "Compared with")[1] == (
        "The run 2026-01-15T09-30-00Z. Changes since:"
        " new-unused 1, gone 1, used-again 1, no-longer-unused 1."
    )


def test_the_summary_says_that_nothing_changed_or_that_nothing_was_compared(
    analysis: Analysis,
) -> None:
    book = book_of(analysis, changes=CHANGES.head(0), since="2026-01-15T09-30-00Z")
    assert row_of(book["Summary"], "Compared with")[1] == (
        "The run 2026-01-15T09-30-00Z. No changes since the previous run."
    )
    assert row_of(book_of(analysis)["Summary"], "Compared with")[1] == "No previous run."
