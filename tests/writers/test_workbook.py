"""The workbook ties out to the rows that were read, and has nothing that an analysis does not have.

`tests/golden/workbook.txt` has the whole workbook of a second review: here is what it lacks.
"""

from datetime import date
from functools import partial
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

import pytest
from openpyxl import Workbook

from analyzer.terms import WorkbookSheets
from analyzer.writers.workbook.lookup_lists import exemption_frame
from analyzer.writers.workbook.summary_sheet import _as_of_spread_notes
from analyzer.writers.workbook.text_sheet import NOT_APPLICABLE
from tests.support.builders import ACCOUNT, a_user, days_before
from tests.support.comparisons import compared
from tests.support.decisions import analysis_of as decided_of
from tests.support.decisions import ledger_of, line
from tests.support.outputs import CONSOLE, analysis_of
from tests.support.workbooks import (
    opened,
    organization,
    organization_file,
    quiet_book,
    records,
    results_of,
    row_of,
    texts,
    values,
)


def test_a_report_of_nobody_says_so() -> None:
    book = results_of(analysis_of([]), changes=compared([], []), since="earlier")
    assert "No IAM users in the reports." in texts(book["All users"])
    assert "No users to review" in texts(book["Unused users"])
    assert row_of(book["Summary"], ACCOUNT)[1:5] == (1, 1, 0, 0)
    assert row_of(book["Summary"], "Row count check")[1] == "OK"
    assert "Reviewers" not in texts(book["Summary"])
    nothing = "No changes since the previous run."
    assert nothing in texts(book["Changes"])
    assert row_of(book["Summary"], "Compared with")[1] == f"The run earlier. {nothing}"


DASH = NOT_APPLICABLE.value
QUIET_SHEETS = "Summary, Unused users, Findings, Controls, All users, Root users, Method"
QUIET_HEADS = [
    *("Account", "User", "Decision", "Decided by", "Decided on", "Ticket", "Comment"),
    *("Why", "Certainty", "Age in days", "Last activity (UTC)", "Created", "As of (UTC)"),
]
ABSENT = {
    *("Earlier decisions", "Follow-up", "Follow-up of earlier decisions", "Changes", "Controls"),
    *("Exempt", "Exemption list", "Other input files", "unknown", "Note", "Not covered"),
}


@pytest.mark.no_cover
def test_what_an_analysis_does_not_have_has_no_sheet_no_column_and_no_line() -> None:
    book = quiet_book()
    assert ", ".join(book.sheetnames) == QUIET_SHEETS
    heads = [cell.value for cell in book["Unused users"][1]]
    assert heads[: heads.index("Password")] == QUIET_HEADS
    summary = book["Summary"]
    assert not ABSENT & {row[0] for row in values(summary)}
    assert not ABSENT - {"Controls"} & {row[0] for row in values(book["Method"])}
    assert "INCOMPLETE" not in texts(summary)
    assert row_of(summary, "Compared with")[1] == "No previous run."
    assert row_of(summary, "Exemptions")[1] == "No exemptions."
    assert row_of(summary, "All lists")[1] == "=SUM(B8:B10)"
    progress, _ = [row for row in values(summary) if row[0] == "Undetermined"]
    assert progress[1:4] == (0, DASH, DASH)


@pytest.mark.no_cover
def test_the_saved_list_of_service_credentials_is_named_and_says_what_each_user_has(
    book: Workbook,
) -> None:
    path = CONSOLE.with_name(f"{CONSOLE.name}.service-credentials.json")
    assert sha256(path.read_bytes()).hexdigest() in row_of(book["Summary"], str(path))
    listed = {row["User"]: row["Service credentials"] for row in records(book["All users"])}
    assert listed["git-mirror"] == "codecommit.amazonaws.com"
    assert listed["lena.hartwig"] == "none"


@pytest.mark.no_cover
def test_accounts_add_up_to_the_rows_read_and_each_file_has_its_as_of() -> None:
    report = organization().report
    book = opened(organization_file(), results=True)
    sheet, newest = book["Summary"], max(file.as_of for file in report.files)
    rows = [row_of(sheet, account) for account in sorted(report.accounts)]
    for account in rows:
        assert account[1] == sum(account[2:5])
        assert account[4] == sum(account[5:10])
        assert account[10] == "OK"
    total = row_of(sheet, "All accounts read")
    assert total[1:10] == tuple(map(sum, zip(*(row[1:10] for row in rows), strict=True)))
    assert total[1] == report.rows
    for file in report.files:
        row = row_of(sheet, file.name)
        assert row[1] == file.as_of.replace(tzinfo=None)
        assert row[2] == "assumed: the newest timestamp in the report"
        assert file.sha256 in row
    assert book.properties.created == newest.replace(tzinfo=None)


@pytest.mark.no_cover
def test_without_a_user_to_delete_it_says_so_and_one_to_keep_that_is_gone_matches_no_user() -> None:
    users, keep = (a_user("gone"), a_user("stays")), partial(line, "keep", on=date(2026, 4, 20))
    analysis = decided_of(users[1], ledger=ledger_of(*map(keep, users)))
    book = results_of(analysis, sheets=WorkbookSheets.REVIEW)
    none = "No decision in force is to delete or deactivate a user."
    assert none in texts(book["Follow-up"])
    assert row_of(book["Summary"], "All")[1:6] == (0, 0, 0, 0, none)
    entries = exemption_frame(analysis)
    states = {"gone": "matches no user", "stays": "applies"}
    assert dict(zip(entries["user"], entries["state"], strict=True)) == states


def test_reports_more_than_a_day_apart_are_noted() -> None:
    for apart, noted in ((1.0, False), (1.001, True)):
        moments = days_before(0), days_before(apart)
        files: list[Any] = [SimpleNamespace(name="x", as_of=moment) for moment in moments]
        notes = [*_as_of_spread_notes(files)]
        assert ["The reports are 1.0 days apart" in each for each in notes] == [True] * noted
