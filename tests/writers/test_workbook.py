"""The workbook ties out to the rows that were read, and has nothing that an analysis does not have.

`tests/golden/workbook.txt` has the whole workbook of a second review: here is what it lacks.
"""

from dataclasses import replace
from datetime import date
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest
from openpyxl import Workbook

import analyzer
from analyzer.analysis.rulebook import rulebook
from analyzer.limits import Criteria, Definition
from analyzer.rules import RULES
from analyzer.terms import WorkbookSheets
from analyzer.verdicts.verdict import criteria_meanings
from analyzer.writers.workbook import table_sheets
from analyzer.writers.workbook.lookup_lists import exemption_frame
from analyzer.writers.workbook.text_sheet import NOT_APPLICABLE
from tests.support.builders import ACCOUNT, AS_OF, QUIET_PASSWORD, a_user, report_text
from tests.support.comparisons import compared
from tests.support.decisions import analysis_of as decided_of
from tests.support.decisions import ledger_of, line
from tests.support.named_reports import load_named
from tests.support.outputs import CONSOLE, analysis_of, analyzed_sample
from tests.support.workbook_texts import reviewed
from tests.support.workbooks import (
    book_of,
    file_of,
    needs_libreoffice,
    organization,
    quiet_book,
    records,
    results_of,
    review_book_of,
    row_of,
    seen_by_libreoffice,
    texts,
    values,
)


def test_a_report_of_nobody_says_so() -> None:
    book = results_of(analysis_of([]), changes=compared([], []), previous_run="earlier")
    assert "No IAM users in the reports." in texts(book["All users"])
    assert "No users to review" in texts(book["Unused users"])
    assert row_of(book["Summary"], ACCOUNT)[1:11] == (1, 1, *[0] * 7, "OK")
    nothing = "No changes since the previous run."
    assert nothing in texts(book["Changes"])
    assert row_of(book["Summary"], "Compared with")[1] == f"The run earlier. {nothing}"


DASH = NOT_APPLICABLE.value
QUIET_SHEETS = "Summary, Unused users, Findings, Controls, All users, Root users, Method"
QUIET_HEADS = [
    *("Account", "Decision", "User", "Decided by", "Decided on", "Ticket", "Comment"),
    *("Exposure", "Last activity (UTC)", "Why", "Age in days", "Created", "As of (UTC)"),
    "Password",
]
ABSENT = {
    *("Earlier decisions", "Follow-up", "Follow-up of earlier decisions", "Changes", "Controls"),
    *("Exempt", "Exemption list", "Other input files", "unknown", "Note", "Not covered"),
}


@pytest.mark.no_cover
def test_what_an_analysis_does_not_have_has_no_sheet_no_column_and_no_line() -> None:
    book = quiet_book()
    assert ", ".join(book.sheetnames) == QUIET_SHEETS
    heads = {sheet.title: [cell.value for cell in sheet[1]] for sheet in book.worksheets}
    assert heads["Unused users"][: len(QUIET_HEADS)] == QUIET_HEADS
    for title in ("Findings", "All users", "Root users"):
        assert heads[title][:2] == ["Account", "User"]
    summary = book["Summary"]
    assert not ABSENT & {row[0] for row in values(summary)}
    assert not ABSENT - {"Controls"} & {row[0] for row in values(book["Method"])}
    assert "INCOMPLETE" not in texts(summary)
    assert row_of(summary, "Compared with")[1] == "No previous run."
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


def test_the_stricter_definition_is_in_words() -> None:
    (_, shown), *_ = criteria_meanings(Criteria(definition=Definition.IAM_029))
    assert shown == (
        "iam-029: No sign-in on record, and no access key attached, active or not."
        " Here an inactive access key is one."
    )


# Findings and controls


@pytest.mark.no_cover
def test_without_a_standard_a_finding_names_the_controls_of_the_newest_benchmarks(
    book: Workbook,
) -> None:
    controls = {row["Rule id"]: row["Controls"] for row in records(book["Findings"])}
    assert controls["idle-access-key"] == (
        "CIS AWS Foundations Benchmark v7.0.0: 2.11\n"
        "AWS Foundational Security Best Practices v1.0.0: IAM.8"
    )
    assert controls["retired-user"] is None


@pytest.mark.no_cover
def test_where_nothing_is_found_the_rules_that_ran_and_what_they_lack_are_named() -> None:
    header, _, row = report_text([a_user(password=QUIET_PASSWORD, mfa=True)]).splitlines()
    report = load_named(("report.csv", f"{header}\n{row}".encode()), as_of=AS_OF)
    book = book_of(analyzer.analyze(report))
    lines = [str(row[0]) for row in values(book["Findings"])[1:]]
    assert len(lines) > 2
    assert max(map(len, lines)) <= 120  # a screen
    shown = " ".join(lines)
    assert shown.startswith("No findings. Rules that ran: unused-user, ")
    assert "root-used, root-certificate: the input is incomplete. The report has no root" in shown
    assert ACCOUNT in shown
    assert not book["Findings"].tables
    assert "Root users" not in book.sheetnames
    lacking = row_of(book["Summary"], "Input incomplete")[1]
    assert lacking.startswith("root-access-key, root-without-mfa, root-used, root-certificate: the")


@pytest.mark.no_cover
def test_without_any_rule_none_is_named() -> None:
    none = replace(rulebook(), rules=())
    book = book_of(replace(analysis_of([a_user()]), book=none))
    assert "Rules that ran: none." in texts(book["Findings"])
    assert "Limits: None." in texts(book["Controls"])


@needs_libreoffice
def test_libreoffice_shows_the_findings_as_they_are(tmp_path: Path) -> None:
    analysis = analyzed_sample(CONSOLE)
    seen = seen_by_libreoffice(tmp_path, file_of(analysis))["Findings"]
    found = analysis.rule_results.findings
    assert [row[1] for row in seen[1:]] == found["user"].tolist()
    assert [row[4] for row in seen[1:]] == found["fact"].tolist()


@pytest.mark.no_cover
def test_without_a_standard_each_rule_is_a_control_of_its_own(book: Workbook) -> None:
    sheet = book["Controls"]
    listed = [row[0] for row in values(sheet) if row[0] in {rule.id for rule in RULES}]
    assert listed == [rule.id for rule in RULES]
    assert row_of(sheet, "unused-user")[6].startswith("Fails when the verdict is unused")
    optional = row_of(sheet, "user-without-mfa")
    assert optional[2:6] == ("not run", None, None, None)
    assert optional[7] == "Rule not selected, not run: user-without-mfa."
    cells = [row[2] for row in sheet.iter_rows(min_row=7)]
    looks = {cell.value: (cell.fill.start_color.rgb, cell.font.color.rgb) for cell in cells}
    assert {*looks} == {"fail", "pass", "not run"}
    assert len({*looks.values()}) == 3


@pytest.mark.no_cover
def test_every_rule_can_run_and_the_method_names_none_that_did_not() -> None:
    every = rulebook(rules=[rule.id for rule in RULES])
    book = book_of(replace(analysis_of([a_user()]), book=every))
    assert row_of(book["Method"], "Rules that did not run")[1] == "none"


def test_users_that_are_listed_part_by_part_are_those_that_are_listed_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at_once = reviewed()
    monkeypatch.setattr(table_sheets, "CHUNK_ROWS", 3)
    assert reviewed() == at_once
