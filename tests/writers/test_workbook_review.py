"""The workbook is one to work in: lists to decide in, progress that moves, checks that turn red."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

import analyzer
from analyzer.decisions.decision import Decision
from analyzer.errors import InputRefused
from analyzer.report.input_formats import InputLimit
from analyzer.report.model import AccountName
from analyzer.sources.find import find_sources
from analyzer.writers.workbook.review_lists import REVIEW_LISTS, Listings, first_step
from tests.support.builders import (
    ACCOUNT,
    a_password,
    a_user,
    days_before,
)
from tests.support.decisions import line
from tests.support.outputs import CONSOLE, EXEMPTIONS, analysis_of
from tests.support.review import HEADS as ENTERED
from tests.support.review import edited, read_back
from tests.support.workbook_texts import reviewed, second_review
from tests.support.workbooks import (
    SHEETS,
    console_book,
    console_file,
    console_review_file,
    file_of,
    needs_libreoffice,
    opened,
    organization,
    review_book_of,
    seen_by_libreoffice,
    smallest_print,
    values,
    width_of,
    with_wrong_results,
)

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in half the time


def heads(sheet: Worksheet) -> list[Any]:
    return [cell.value for cell in sheet[1]]


def letter(sheet: Worksheet, head: str) -> str:
    return get_column_letter(heads(sheet).index(head) + 1)


def test_no_prompt_covers_the_cells_beside_and_no_sheet_is_protected(book: Workbook) -> None:
    rules = [rule for sheet in book.worksheets for rule in sheet.data_validations.dataValidation]
    assert rules
    assert not any(rule.prompt or rule.promptTitle or rule.showInputMessage for rule in rules)
    assert all(rule.showErrorMessage for rule in rules)
    assert not any(sheet.protection.sheet for sheet in book.worksheets)


def test_what_decides_is_in_sight_beside_the_entries_on_a_screen_of_1366_pixels() -> None:
    digit, padding, row_heads, scroll_bar = 7, 5, 40, 17
    for book in (console_book(), review_book_of(second_review())):
        for title in SHEETS:
            sheet, names = book[title], heads(book[title])
            shown = names[: names.index("Age in days")]
            assert {*ENTERED, "Exposure", "Last activity (UTC)", "Why"} <= {*shown}
            assert "Check first" not in names[len(shown) :]
            pixels = width_of(sheet, *shown) * digit + len(shown) * padding
            assert row_heads + pixels + scroll_bar <= 1366


def test_folded_columns_open_on_their_left(book: Workbook) -> None:
    for title in SHEETS:
        outline = book[title].sheet_properties.outlinePr
        assert outline is not None
        assert not outline.summaryRight


# Progress


def test_no_rule_runs_for_the_sheets_of_a_review() -> None:
    analysis = analysis_of([a_user()])
    review_book_of(analysis)
    assert "rule_results" not in analysis.__dict__


def calculated(folder: Path, edit: Callable[[Workbook], None]) -> list[list[str]]:
    """Return the Summary of the sample's workbook as LibreOffice shows it after an edit."""
    seen = seen_by_libreoffice(folder, edited(console_file(), edit))
    return [list(row) for row in seen["Summary"]]


def summary_line(sheet: list[list[str]], first: str, at: int = 0) -> list[str]:
    return [row for row in sheet if row[0] == first][at]


ENTRIES: Mapping[str, Any] = dict(zip(ENTERED, ("delete", "Ada", date(2026, 5, 2)), strict=False))
COMPLETE: Mapping[str, Any] = {**ENTRIES, "Decided by": "Grace", "Comment": "break-glass"}
ROWS: tuple[Mapping[str, Any], ...] = (
    ENTRIES,
    {**ENTRIES, "Decision": " Delete\u00a0", "Decided by": " ada "},
    {**COMPLETE, "Decision": "KEEP"},
    {**COMPLETE, "Decision": "keep", "Comment": " "},
    {**COMPLETE, "Decision": "investigate\n"},
    {**ENTRIES, "Decision": "investigate", "Decided by": " "},
    {**ENTRIES, "Decision": "deactivate", "Decided on": None},
    {**ENTRIES, "Decision": "deleted"},
    {**ENTRIES, "Decision": "conflict"},
    {**ENTRIES, "Decision": "delete?"},
    {**ENTRIES, "Decision": None},
    {"Ticket": "SEC-1"},
    {**ENTRIES, "Decided on": date(2026, 2, 28)},
    {**ENTRIES, "Decided on": date(2026, 2, 27)},
    {**ENTRIES, "Decided on": date(2999, 1, 1)},
    {**ENTRIES, "Decided on": "2026-05-02"},
    {**ENTRIES, "Decided by": "Credreport"},
    {"Decision": " "},
)
"""Entries of a list: six are accepted, the last is none."""


def decide(book: Workbook) -> None:
    """Fill in a list, and one row of another."""
    rows = [("Unused users", row, entries) for row, entries in enumerate(ROWS, 2)]
    for title, row, entries in (*rows, ("Inactive users", 2, {**ENTRIES, "Decision": "keep"})):
        sheet = book[title]
        for head, value in entries.items():
            sheet[f"{letter(sheet, head)}{row}"] = value


@needs_libreoffice
def test_the_progress_counts_entries_as_they_are_read_back(tmp_path: Path) -> None:
    sheet = calculated(tmp_path, decide)
    assert summary_line(sheet, "List")[4:10] == [*Decision, "Incomplete"]
    unused, inactive = (summary_line(sheet, title)[1:10] for title in SHEETS[:2])
    assert unused[:1] == ["21"]
    assert unused[1:3] == ["12", "9"]
    assert summary_line(sheet, "All lists")[2:4] == ["13", "21"]
    sources = find_sources([str(CONSOLE)], InputLimit())
    lists = [(str(EXEMPTIONS), EXEMPTIONS.read_bytes())]
    with pytest.raises(InputRefused) as refused:
        read_back(edited(console_file(), decide), sources=sources, lists=lists)
    rows = defaultdict[str, set[int]](set)
    for each in refused.value.problems:
        rows[each.file.rpartition(" sheet ")[2]].update(each.rows or [each.row or 0])
    incomplete = [f"{len(rows[title])}" for title in SHEETS[:2]]
    assert [unused[-1], inactive[-1]] == incomplete == ["11", "1"]


@needs_libreoffice
def test_a_row_that_is_deleted_from_a_list_turns_its_check_red(tmp_path: Path) -> None:
    sheet = calculated(tmp_path, lambda book: book["Unused users"].delete_rows(3))
    assert summary_line(sheet, "Unused users", -1)[5] == "DIFFERS"
    assert summary_line(sheet, "Inactive users", -1)[5] == "OK"
    assert summary_line(sheet, "123456789012")[10] == "OK"


USERS = (
    *map(a_user, ("=1+1", "-x", "a,b")),
    a_user("back", created=days_before(20)),
    a_user("asleep", password=a_password(days_before(200))),
    a_user("odd", password_enabled="perhaps"),
)
KEPT = (line("keep", USERS[1], on=date(2026, 3, 5)),)
UNUSED_USERS = "Start with Unused users: {}, by account, the most exposed first."
FIRST_STEPS = (
    ((0, 0, 0), "Nothing to decide: no user is listed for review."),
    ((1, 0, 0), UNUSED_USERS.format("1 user")),
    (
        (1_200, 1, 1),
        (
            f"{UNUSED_USERS.format('1,200 users')} Then Inactive users: 1 user."
            " Then Undetermined: 1 user."
        ),
    ),
    ((0, 0, 1), "Start with Undetermined: 1 user."),
)
"""How many users each list has, and what to do first."""


def test_the_summary_says_what_to_do_first() -> None:
    for listed, first in FIRST_STEPS:
        rows = zip(REVIEW_LISTS, listed, strict=True)
        lists = {each.title: SimpleNamespace(rows=number) for each, number in rows}
        assert first_step(cast("Listings", lists)) == first


SUMMARIES: dict[str, Callable[[], bytes]] = {
    "of an organization": lambda: file_of(organization()),
    "of an organization on many sheets": lambda: file_of(organization(), 100),
    "of a second review": reviewed,
    "of a second review on many sheets": lambda: reviewed(rows_a_sheet=3),
    "of the sheets of a review": console_review_file,
}


@needs_libreoffice
@pytest.mark.parametrize("kind", SUMMARIES)
def test_libreoffice_comes_to_the_same_numbers(tmp_path: Path, kind: str) -> None:
    file = SUMMARIES[kind]()
    expected = values(opened(file, results=True)["Summary"])
    shown = seen_by_libreoffice(tmp_path, with_wrong_results(file))["Summary"]
    counted = [
        (["" if cell is None else str(cell) for cell in row[:11]], [*calculated[:11]])
        for row, calculated in zip(expected, shown, strict=False)
        if isinstance(row[1], int)
    ]
    assert len(counted) > 20
    for row, calculated in counted:
        assert calculated == row


def test_lists_are_one_page_wide_with_all_names_owners_and_earlier_decisions_too() -> None:
    owners = analyzer.read_owners(b"account,user,owner,email,left\n*,*,Bob,,2026-01-01\n")
    named = AccountName(name="production", owner="Ann")
    report = replace(second_review().report, account_names={ACCOUNT: named})
    ledger = second_review().ledger
    book = review_book_of(analyzer.analyze(report, ledger=ledger, owners=owners))
    assert min(smallest_print(book[title]) for title in SHEETS) >= 6
    assert smallest_print(book["Follow-up"]) >= 5.5
