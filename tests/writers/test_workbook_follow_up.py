"""The workbook shows what became of the earlier decisions."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.utils import get_column_letter

import analyzer
from analyzer.analysis.analysis import Analysis
from analyzer.decisions.follow_up import FollowUpStatus
from analyzer.decisions.ledger import Ledger
from analyzer.report.model import AccountName, FileReference
from analyzer.terms import WorkbookSheets
from analyzer.writers.workbook.column import NumberColumn
from analyzer.writers.workbook.lookup_lists import exemption_frame
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    LONG_AGO,
    a_key,
    a_password,
    a_user,
    days_before,
    report_text,
)
from tests.support.decisions import ledger_of, line
from tests.support.workbooks import (
    PAGE_POINTS,
    POINTS_A_UNIT,
    console_book,
    records,
    results_of,
    row_of,
    texts,
    width_of,
)

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

OLD, NEW = date(2026, 3, 1), date(2026, 4, 20)
MISSING = "999999999999"
NAMES = frozenset({"=ann", "bob", "eve", "stays"})
SEEN = days_before(90)
LEDGER = ledger_of(
    line("delete", a_user("=ann"), on=OLD, as_of=SEEN, by="Ann", ticket="7", comment="=1+1"),
    line("deactivate", a_user("bob", password=a_password(days_before(200))), on=NEW, as_of=SEEN),
    line("deactivate", a_user("eve", key_1=a_key()), on=OLD, as_of=SEEN),
    line("delete", a_user("gone"), on=OLD, as_of=SEEN, same_second=NAMES),
    line("delete", a_user("far", account=MISSING), on=NEW, as_of=SEEN),
    line("keep", a_user("stays"), on=NEW, as_of=SEEN, comment="by design"),
)
USERS = (
    a_user("=ann"),
    a_user("bob", password=a_password(days_before(200))),
    a_user("eve", key_1=a_key(used=days_before(2))),
    a_user("stays"),
)


def followed_up(ledger: Ledger = LEDGER) -> Analysis:
    report = analyzer.load(("report.csv", report_text(USERS).encode()), as_of=AS_OF)
    names = {ACCOUNT: AccountName(name="production")}
    listed = FileReference(name="accounts.csv", sha256="a" * 64)
    named = replace(report, account_names=names, account_list=listed)
    return analyzer.analyze(named, ledger=ledger)


@pytest.fixture(scope="module")
def book() -> Workbook:
    return results_of(followed_up(), sheets=WorkbookSheets.REVIEW)


def shown(moment: datetime) -> datetime:
    """Return a moment as a workbook has it."""
    return moment.replace(tzinfo=None)


ARN_OF_ANN = f"arn:aws:iam::{ACCOUNT}:user/=ann"
OF_ANN: dict[tuple[str, ...], tuple[Any, ...]] = {
    ("Fact", "Days since", "Verdict now"): ("The user is still there.", 61, "unused"),
    ("Decided", "Decided by", "Ticket", "Comment"): ("delete", "Ann", "7", "=1+1"),
    ("Decided on", "Created (UTC)"): (datetime(2026, 3, 1), shown(LONG_AGO)),  # noqa: DTZ001
    ("Account name", "ARN"): ("production", ARN_OF_ANN),
    ("Entered in", "Sheet", "Row", "SHA-256"): ("review.xlsx", "Unused users", 2, "a" * 64),
    ("Verdict decided on", "As of decided on (UTC)"): ("unused", shown(SEEN)),
}


def test_each_decision_is_a_line_with_what_became_of_it(book: Workbook) -> None:
    listed = {row["User"]: row for row in records(book["Follow-up"])}
    assert [(name, row["Status"], row["Overdue"]) for name, row in listed.items()] == [
        ("eve", "overtaken", "overdue"),
        ("=ann", "not-done", "overdue"),
        ("bob", "not-done", None),
        ("far", "unknown", None),
        ("gone", "done", None),
    ]
    for heads, cells in OF_ANN.items():
        assert tuple(listed["=ann"][head] for head in heads) == cells
    assert listed["gone"]["Done since (UTC)"] == shown(AS_OF)
    assert listed["eve"]["Last use (UTC)"] == shown(days_before(2))
    assert (listed["gone"]["Verdict now"], listed["far"]["Report"]) == (None, None)


def test_the_sheet_is_a_table_behind_the_lists_printed_on_two_pages_without_the_source(
    book: Workbook,
) -> None:
    assert book.sheetnames == ["Summary", "Unused users", "Inactive users", "Follow-up", "Method"]
    sheet = book["Follow-up"]
    (table,) = sheet.tables.values()
    assert (table.displayName, sheet.freeze_panes) == ("Follow_up", "D2")
    heads = [str(cell.value) for cell in sheet[1]]
    first, last = heads.index("Verdict now") + 1, heads.index("Created (UTC)") + 1
    assert [each.id for each in sheet.col_breaks.brk] == [first]
    assert sheet.print_area == f"'Follow-up'!$A$1:${get_column_letter(last)}$6"
    for page in (heads[:first], [*heads[:3], *heads[first:last]]):
        assert width_of(sheet, *page) * POINTS_A_UNIT * 0.89 <= min(PAGE_POINTS.values())
    colours = {cell.value: cell.fill.start_color.rgb for cell in sheet[2]}
    assert (colours["overtaken"], colours["overdue"]) == ("00FFF2CC", "009C0006")


def test_summary_and_method_have_the_follow_up_and_what_was_read_for_it(book: Workbook) -> None:
    summary = book["Summary"]
    counts = {each: row_of(summary, each)[1:5] for each in map(str, FollowUpStatus)}
    assert counts == {  # all, delete, deactivate, overdue
        "overtaken": (1, 0, 1, 1),
        "not-done": (2, 1, 1, 1),
        "unknown": (1, 1, 0, 0),
        "done": (1, 1, 0, 0),
    }
    assert row_of(summary, "All")[1:5] == (5, 3, 2, 2)
    earlier = row_of(summary, "Earlier decisions")[1]
    assert earlier.startswith("Decisions: 6, on users: 6. A user to keep is exempt for 180 days")
    assert "30 days" in earlier
    for name, digest in (("decisions.csv", "0" * 64), ("accounts.csv", "a" * 64)):
        assert digest in row_of(summary, name)
    overtaken = "overtaken (new access or use since the decision)"
    assert overtaken in row_of(book["Method"], "Follow-up")[1]


def test_without_a_user_to_delete_it_says_so_and_one_to_keep_that_is_gone_matches_no_user() -> None:
    kept = ledger_of(
        line("keep", a_user("gone"), on=NEW, as_of=SEEN),
        line("keep", a_user("stays"), on=NEW, as_of=SEEN),
    )
    analysis = followed_up(kept)
    results = results_of(analysis, sheets=WorkbookSheets.REVIEW)
    none = "No decision in force is to delete or deactivate a user."
    assert none in texts(results["Follow-up"])
    assert row_of(results["Summary"], "All")[1:6] == (0, 0, 0, 0, none)
    entries = exemption_frame(analysis)
    states = {"gone": "matches no user", "stays": "applies"}
    assert dict(zip(entries["user"], entries["state"], strict=True)) == states
    assert {*NumberColumn("Line", 8, "line").shown(entries).to_pylist()} == {""}


def test_without_decisions_there_is_no_follow_up() -> None:
    book = console_book()
    assert "Follow-up" not in book.sheetnames
    for text in ("Follow-up", "Earlier decisions"):
        assert text not in texts(book["Summary"])
        assert text not in texts(book["Method"])
