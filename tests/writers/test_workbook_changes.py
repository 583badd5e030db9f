"""The workbook lists what changed since the previous run, if it is told of one."""

import pandas as pd
import pytest
from openpyxl import Workbook

from analyzer.changes.diff import COLUMNS
from analyzer.changes.user_changes import Change
from analyzer.judging.analysis import Analysis
from tests.support.builders import ACCOUNT, a_user
from tests.support.workbooks import analyzed_users, book_of, moment, records, row_of, texts

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in half the time

USED = "2026-02-03T04:05:06Z"


def changed(*rows: dict[str, str]) -> pd.DataFrame:
    """Return changes of which only some columns are filled."""
    frame = pd.DataFrame(list(rows), columns=list(COLUMNS), dtype="str").fillna("")
    moments = {
        name: pd.to_datetime(frame[name], utc=True).dt.as_unit("s")
        for name in ("last_use", "created")
    }
    return frame.astype({"change": "category"}).assign(**moments)


def a_change(change: str, name: str, before: str, now: str, **cells: str) -> dict[str, str]:
    return {
        "change": change,
        "account": ACCOUNT,
        "user": name,
        "arn": f"arn:aws:iam::{ACCOUNT}:user/{name}",
        "before": before,
        "now": now,
        **cells,
    }


CHANGES = changed(
    a_change("new", "=1+1", "", "unused", cause="user created on 2026-01-01"),
    a_change("gone", "left", "unused", ""),
    a_change("used-again", "back", "unused", "active", last_use=USED),
    a_change("finding-new", "back", "", "fails", rule="idle-password", fact="idle 50 days"),
    {"change": "not-covered", "account": ACCOUNT, "cause": "not covered now: Denied."},
)


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    return analyzed_users(tmp_path_factory.mktemp("changes"), [a_user()])


@pytest.fixture(scope="module")
def book(analysis: Analysis) -> Workbook:
    return book_of(analysis, changes=CHANGES, since="2026-01-15T09-30-00Z")


def test_each_change_is_listed_with_what_it_means_and_both_verdicts(book: Workbook) -> None:
    new, gone, again, finding, account = records(book["Changes"])
    assert new == {
        "Account": ACCOUNT,
        "User": "=1+1",
        "ARN": f"arn:aws:iam::{ACCOUNT}:user/=1+1",
        "Change": "new",
        "Before": None,
        "Now": "unused",
        "Cause": "user created on 2026-01-01",
        "Rule": None,
        "Finding": None,
        "Last use (UTC)": None,
        "Created (UTC)": None,
        "Exemption before": None,
        "Exemption now": None,
        "Meaning": "A user that the earlier report does not have.",
    }
    assert (gone["Before"], gone["Now"]) == ("unused", None)
    assert again["Last use (UTC)"] == moment("2026-02-03 04:05:06")
    assert (finding["Rule"], finding["Finding"]) == ("idle-password", "idle 50 days")
    assert (account["User"], account["Cause"]) == (None, "not covered now: Denied.")


def test_every_change_has_a_meaning_in_the_sheet(analysis: Analysis) -> None:
    changes = changed(*(a_change(each, "ann", "", "") for each in Change))
    listed = records(book_of(analysis, changes=changes)["Changes"])
    assert [row["Meaning"] for row in listed] == [each.meaning for each in Change]


def test_names_stay_text(book: Workbook) -> None:
    assert {cell.data_type for cell in book["Changes"][2][:3]} == {"s"}


def test_the_changes_are_a_table_that_stands_behind_the_work(book: Workbook) -> None:
    assert book.sheetnames[:4] == ["Summary", "Unused users", "Changes", "Findings"]
    assert [table.displayName for table in book["Changes"].tables.values()] == ["Changes"]


def test_without_a_previous_run_there_is_no_such_sheet(analysis: Analysis) -> None:
    book = book_of(analysis)
    assert "Changes" not in book.sheetnames
    assert "Changes" not in texts(book["Method"]).split("\n")
    assert row_of(book["Summary"], "Compared with")[1] == "No previous run."


def test_the_method_tells_of_the_sheet(book: Workbook) -> None:
    assert "since the previous run" in row_of(book["Method"], "Changes")[1]


def test_the_summary_says_with_which_run_was_compared_and_what_changed(book: Workbook) -> None:
    assert row_of(book["Summary"], "Compared with")[1] == (
        "The run 2026-01-15T09-30-00Z. Changes since:"
        " new 1, gone 1, used-again 1, finding-new 1. Accounts not compared: 1."
    )


def test_it_is_said_that_nothing_changed(analysis: Analysis) -> None:
    book = book_of(analysis, changes=CHANGES.head(0), since="2026-01-15T09-30-00Z")
    assert "No changes since the previous run." in texts(book["Changes"])
    assert row_of(book["Summary"], "Compared with")[1] == (
        "The run 2026-01-15T09-30-00Z. No changes since the previous run."
    )
