"""The workbook ties out to the rows that were read, and has nothing that an analysis does not have.

`tests/golden/workbook.txt` has the whole workbook of a second review: here is what it lacks.
"""

from datetime import date
from functools import partial
from hashlib import sha256

import pytest
from openpyxl import Workbook

from analyzer.limits import Criteria, Definition
from analyzer.verdicts.verdict import criteria_meanings
from analyzer.writers.workbook import table_sheets
from analyzer.writers.workbook.text_sheet import NOT_APPLICABLE
from tests.support.builders import ACCOUNT, a_user
from tests.support.decisions import analysis_of as decided_of
from tests.support.decisions import ledger_of, line
from tests.support.outputs import CONSOLE, analysis_of
from tests.support.workbook_texts import reviewed
from tests.support.workbooks import (
    organization,
    quiet_book,
    records,
    results_of,
    review_book_of,
    row_of,
    texts,
    values,
)


def test_a_report_of_nobody_says_so() -> None:
    book = results_of(analysis_of([]))
    assert "No IAM users in the reports." in texts(book["All users"])
    assert "No users to review" in texts(book["Unused users"])
    assert row_of(book["Summary"], ACCOUNT)[1:11] == (1, 1, *[0] * 7, "OK")


DASH = NOT_APPLICABLE.value
QUIET_SHEETS = "Summary, Unused users, All users, Root users, Method"
QUIET_HEADS = [
    *("Account", "Decision", "User", "Decided by", "Decided on", "Ticket", "Comment"),
    *("Exposure", "Last activity (UTC)", "Why", "Age in days", "Created", "As of (UTC)"),
    "Password",
]
ABSENT = {
    *("Earlier decisions", "Follow-up", "Follow-up of earlier decisions", "Changes", "Controls"),
    *("Exempt", "Exemption list", "Other input files", "unknown", "Note", "Not covered"),
}


def test_what_an_analysis_does_not_have_has_no_sheet_no_column_and_no_line() -> None:
    book = quiet_book()
    assert ", ".join(book.sheetnames) == QUIET_SHEETS
    heads = {sheet.title: [cell.value for cell in sheet[1]] for sheet in book.worksheets}
    assert heads["Unused users"][: len(QUIET_HEADS)] == QUIET_HEADS
    for title in ("All users", "Root users"):
        assert heads[title][:2] == ["Account", "User"]
    summary = book["Summary"]
    assert not ABSENT & {row[0] for row in values(summary)}
    assert not ABSENT & {row[0] for row in values(book["Method"])}
    assert "INCOMPLETE" not in texts(summary)
    assert row_of(summary, "Exemptions")[1] == "No exemptions."
    assert row_of(summary, "All lists")[1] == "=SUM(B17:B19)"
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
def test_each_file_has_its_as_of_and_the_workbook_is_of_the_newest() -> None:
    report, book = organization().report, review_book_of(organization())
    for file in report.files:
        row = row_of(book["Summary"], file.name)
        assert row[1] == file.as_of.replace(tzinfo=None)
        assert row[2] == "assumed: the newest timestamp in the report"
        assert file.sha256 in row
    newest = max(file.as_of for file in report.files)
    assert book.properties.created == newest.replace(tzinfo=None)


@pytest.mark.no_cover
def test_without_a_user_to_delete_it_says_so() -> None:
    users, keep = (a_user("gone"), a_user("stays")), partial(line, "keep", on=date(2026, 4, 20))
    analysis = decided_of(users[1], ledger=ledger_of(*map(keep, users)))
    book = results_of(analysis)
    none = "No decision in force is to delete or deactivate a user."
    assert none in texts(book["Follow-up"])
    assert row_of(book["Summary"], "All")[1:6] == (0, 0, 0, 0, none)


def test_the_stricter_definition_is_in_words() -> None:
    (_, shown), *_ = criteria_meanings(Criteria(definition=Definition.IAM_029))
    assert shown == (
        "iam-029: No sign-in on record, and no access key attached, active or not."
        " Here an inactive access key is one."
    )


def test_users_that_are_listed_part_by_part_are_those_that_are_listed_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at_once = reviewed()
    monkeypatch.setattr(table_sheets, "CHUNK_ROWS", 3)
    assert reviewed() == at_once
