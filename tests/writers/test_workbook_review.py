"""The workbook is one to work in: lists to decide in, progress that moves, checks that turn red."""

import io
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import openpyxl
import pytest
from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

import analyzer
from analyzer.decisions.decision import Decision
from analyzer.errors import InputRefused
from analyzer.report.input_formats import InputLimit
from analyzer.report.model import AccountName, NotCovered
from analyzer.sources.find import find_sources
from analyzer.writers.workbook.accounts_sheet import have_several
from analyzer.writers.workbook.review_lists import Listings, first_step
from tests.support.builders import (
    ACCOUNT,
    LONG_AGO,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    no_password,
)
from tests.support.outputs import CONSOLE, EXEMPTIONS, analysis_of
from tests.support.review import HEADS as ENTERED
from tests.support.review import read_back, saved
from tests.support.workbook_texts import reviewed, second_review
from tests.support.workbooks import (
    SHEETS,
    book_of,
    console_book,
    console_file,
    file_of,
    head_row,
    heads_of,
    needs_libreoffice,
    opened,
    organization,
    records,
    remarks_of,
    row_of,
    seen_by_libreoffice,
    smallest_print,
    texts,
    values,
    width_of,
    with_wrong_results,
)

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in half the time


def letter(sheet: Worksheet, head: str) -> str:
    return get_column_letter(heads_of(sheet).index(head) + 1)


def test_no_prompt_covers_the_cells_beside_and_no_sheet_is_protected(book: Workbook) -> None:
    rules = [rule for sheet in book.worksheets for rule in sheet.data_validations.dataValidation]
    assert rules
    assert not any(rule.prompt or rule.promptTitle or rule.showInputMessage for rule in rules)
    assert all(rule.showErrorMessage for rule in rules)
    assert not any(sheet.protection.sheet for sheet in book.worksheets)


def test_what_decides_is_in_sight_beside_the_entries_on_a_screen_of_1366_pixels() -> None:
    digit, padding, row_heads, scroll_bar = 7, 5, 40, 17
    for book in (console_book(), book_of(second_review())):
        for title in SHEETS:
            sheet, names = book[title], heads_of(book[title])
            shown = names[: names.index("Age in days")]
            assert (set(ENTERED) | {"Exposure", "Last activity (UTC)", "Why"}) <= set(shown)
            assert "Check first" not in names[len(shown) :]
            pixels = width_of(sheet, *shown) * digit + len(shown) * padding
            assert row_heads + pixels + scroll_bar <= 1366


# Progress


def edited(content: bytes, edit: Callable[[Workbook], None]) -> bytes:
    """Return a workbook, with the remarks above its lists, after an edit."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    edit(book)
    return saved(book)


def calculated(folder: Path, edit: Callable[[Workbook], None]) -> list[list[str]]:
    """Return the Summary of the sample's workbook as LibreOffice shows it after an edit."""
    seen = seen_by_libreoffice(folder, edited(console_file(), edit))
    return [list(row) for row in seen["Summary"]]


def summary_line(sheet: list[list[str]], first: str, at: int = 0) -> list[str]:
    return [row for row in sheet if row[0] == first][at]


ENTRIES: Mapping[str, Any] = dict(zip(ENTERED, ("delete", "Ada", date(2026, 5, 2)), strict=False))
COMPLETE: Mapping[str, Any] = dict(ENTRIES) | {"Decided by": "Grace", "Comment": "break-glass"}
ROWS: tuple[Mapping[str, Any], ...] = (
    ENTRIES,
    dict(ENTRIES) | {"Decision": " Delete\u00a0", "Decided by": " ada "},
    dict(COMPLETE) | {"Decision": "KEEP"},
    dict(COMPLETE) | {"Decision": "keep", "Comment": " "},
    dict(COMPLETE) | {"Decision": "investigate\n"},
    dict(ENTRIES) | {"Decision": "investigate", "Decided by": " "},
    dict(ENTRIES) | {"Decision": "deactivate", "Decided on": None},
    dict(ENTRIES) | {"Decision": "deleted"},
    dict(ENTRIES) | {"Decision": "conflict"},
    dict(ENTRIES) | {"Decision": "delete?"},
    dict(ENTRIES) | {"Decision": None},
    {"Ticket": "SEC-1"},
    dict(ENTRIES) | {"Decided on": date(2026, 2, 28)},
    dict(ENTRIES) | {"Decided on": date(2026, 2, 27)},
    dict(ENTRIES) | {"Decided on": date(2999, 1, 1)},
    dict(ENTRIES) | {"Decided on": "2026-05-02"},
    dict(ENTRIES) | {"Decided by": "Credreport"},
    {"Decision": " "},
)
"""Entries of a list: six are accepted, the last is none."""


def decide(book: Workbook) -> None:
    """Fill in a list, and one row of another."""
    rows = [("Unused users", row, entries) for row, entries in enumerate(ROWS, 1)]
    for title, row, entries in (*rows, ("Inactive users", 1, dict(ENTRIES) | {"Decision": "keep"})):
        sheet = book[title]
        for head, value in entries.items():
            sheet[f"{letter(sheet, head)}{head_row(sheet) + row}"] = value


@needs_libreoffice
def test_the_progress_counts_entries_as_they_are_read_back(tmp_path: Path) -> None:
    sheet = calculated(tmp_path, decide)
    heads = summary_line(sheet, "List")
    assert heads[5:10] == [*map(str, Decision), "Incomplete"]
    unused, inactive = (summary_line(sheet, title)[1:11] for title in SHEETS[:2])
    assert unused[:4] == ["21", "21", "12", "9"]
    assert summary_line(sheet, "All lists")[3:5] == ["13", "21"]
    sources = find_sources([str(CONSOLE)], InputLimit())
    lists = [(str(EXEMPTIONS), EXEMPTIONS.read_bytes())]
    with pytest.raises(InputRefused) as refused:
        read_back(edited(console_file(), decide), sources=sources, lists=lists)
    rows = defaultdict[str, set[int]](set)
    for each in refused.value.problems:
        rows[each.file.rpartition(" sheet ")[2]].update(each.rows or [each.row or 0])
    incomplete = [f"{len(rows[title])}" for title in SHEETS[:2]]
    assert [unused[-2], inactive[-2]] == incomplete == ["11", "1"]


@needs_libreoffice
def test_a_row_that_is_deleted_from_a_list_turns_its_check_red(tmp_path: Path) -> None:
    sheet = calculated(tmp_path, lambda book: book["Unused users"].delete_rows(9))
    assert summary_line(sheet, "Unused users")[10] == "DIFFERS"
    assert summary_line(sheet, "Inactive users")[10] == "OK"
    assert summary_line(sheet, "1 account")[10] == "OK"


FIRST_STEPS: tuple[tuple[dict[str, int], str], ...] = (
    ({}, "Nothing to decide: no user is listed for review."),
    ({"Unused users": 1}, "Start with Unused users: 1 user."),
    (
        {"Unused users": 1_200, "Inactive users": 1, "Undetermined": 1},
        (
            "Start with Unused users: 1,200 users. Then Inactive users: 1 user. Then Undetermined:"
            " 1 user."
        ),
    ),
)
"""How many users each list has, and what to do first."""


def test_the_summary_says_what_to_do_first() -> None:
    for listed, first in FIRST_STEPS:
        lists = {title: SimpleNamespace(rows=number) for title, number in listed.items()}
        assert first_step(cast("Listings", lists)) == first


SUMMARIES: dict[str, Callable[[], bytes]] = {
    "of an organization": lambda: file_of(organization()),
    "of an organization on many sheets": lambda: file_of(organization(), 100),
    "of a second review": reviewed,
    "of a second review on many sheets": lambda: reviewed(rows_a_sheet=9),
    "of the sample": console_file,
}


@needs_libreoffice
@pytest.mark.parametrize("kind", SUMMARIES)
def test_libreoffice_comes_to_the_same_numbers(tmp_path: Path, kind: str) -> None:
    file = SUMMARIES[kind]()
    expected = values(opened(file, results=True)["Summary"])
    shown = seen_by_libreoffice(tmp_path, with_wrong_results(file))["Summary"]
    counted = [
        (["" if cell is None else str(cell) for cell in row[:11]], list(calculated[:11]))
        for row, calculated in zip(expected, shown, strict=False)
        if isinstance(row[1], int)
    ]
    assert len(counted) > 10
    for row, calculated in counted:
        assert calculated == row


# The sheets


def test_a_sheet_that_would_say_nothing_is_not_there() -> None:
    quiet = book_of(analysis_of([a_user()]))
    assert quiet.sheetnames == ["Summary", "Unused users", "Root users", "All users", "Method"]
    nobody = book_of(analysis_of([]))
    assert nobody.sheetnames == ["Summary", "Root users", "Method"]
    assert "Review progress" not in texts(nobody["Summary"])


def test_every_sheet_stands_in_its_order() -> None:
    assert opened(reviewed()).sheetnames == (
        ["Summary", "Accounts and owners"]
        + ["Unused users", "Inactive users", "Undetermined"]
        + ["Exempt", "Follow-up", "Root users", "All users", "Method"]
    )


def test_all_users_say_who_they_are_and_why_in_twelve_columns() -> None:
    assert heads_of(opened(reviewed())["All users"]) == (
        ["Account", "User", "Created (UTC)"]
        + ["Verdict", "Reason", "Certainty", "Exposure"]
        + ["Last activity (UTC)", "Age in days", "Idle days", "Exempt because", "Owner"]
    )


def test_no_column_of_a_list_is_empty_or_the_same_in_each_row() -> None:
    entered = set(ENTERED) | {"User", "ARN"}
    for book in (console_book(), opened(reviewed()), book_of(organization())):
        for sheet in book.worksheets:
            for head in set(heads_of(sheet)) - entered if sheet.tables else ():
                shown = {row[head] for row in records(sheet)}
                assert shown != {None}, (sheet.title, head)
                assert len(shown) > 1 or len(records(sheet)) == 1, (sheet.title, head)


def test_a_list_of_one_user_shows_all_in_its_row() -> None:
    sheet = book_of(analysis_of([a_user()]))["Unused users"]
    (row,) = records(sheet)
    assert (row["Account"], row["Exposure"], row["Access key 1"]) == (ACCOUNT, "none", "absent")
    assert "In every row" not in remarks_of(sheet)


def test_what_every_row_shows_stands_once_above_the_list() -> None:
    users = [a_user("ann", created=days_before(500)), a_user("bob", created=days_before(600))]
    sheet = book_of(analysis_of(users))["Unused users"]
    assert (
        f"In every row: Account {ACCOUNT}; Exposure none; Last activity (UTC) never; Why has"
        " neither a password nor an access key; As of (UTC) 2026-05-01 12:00; Password none;"
    ) in remarks_of(sheet).replace("\n", " ")


def test_lists_to_decide_in_have_the_most_exposed_of_all_accounts_first_then_the_oldest() -> None:
    one, other = "111111111111", "222222222222"
    years = [days_before(365 * number) for number in (4, 3, 2)]
    password, used = a_password(changed=LONG_AGO), a_password(days_before(200))
    retired = no_password(days_before(200))
    gone: dict[str, Any] = {"access_key_1_active": "?"}
    key = an_inactive_key(LONG_AGO, days_before(300))
    in_order = {
        "Unused users": [
            a_user("d-old", account=other, created=years[0], password=password),
            a_user("c-old", account=one, created=years[1], password=password),
            a_user("e-new", account=one, created=years[2], password=password),
            a_user("b-new", account=other, created=years[2], password=password),
            a_user("f-odd", account=one, created="?", password=password),
            a_user("a-mfa", account=one, created=years[0], password=password, mfa=True),
            a_user("a-nothing", account=one, created=years[0]),
            a_user("b-nothing", account=one, created=years[0]),
        ],
        "Inactive users": [
            a_user("z-dormant", account=other, created=years[2], password=used),
            a_user("k-dormant", account=one, created=years[2], key_1=a_key(LONG_AGO)),
            a_user("k-retired", account=other, created=years[0], password=retired, key_1=key),
            a_user("r-retired", account=one, created=years[0], password=retired),
        ],
        "Undetermined": [
            a_user("y", account=other, created=years[2], password=password, **gone),
            a_user("x", account=one, created=years[0], **gone),
        ],
    }
    users = sorted(chain.from_iterable(in_order.values()), key=lambda user: str(user["arn"]))
    book = book_of(analysis_of(users))
    for title, listed in in_order.items():
        shown = [row["User"] for row in records(book[title])]
        assert shown == [user["user"] for user in listed]
    for title in ("Unused users", "Inactive users"):
        assert "the most exposed first, then the oldest." in remarks_of(book[title])


def test_names_that_are_equal_in_two_accounts_stay_in_their_rows() -> None:
    users = [a_user("admin", created=days_before(9)), a_user("admin", account="1" * 12)]
    rows = records(book_of(analysis_of(users))["Unused users"])
    assert {(row["Account"], row["User"]) for row in rows} == {
        (ACCOUNT, "admin"),
        ("1" * 12, "admin"),
    }


def test_entries_without_effect_stand_before_the_exempt_users() -> None:
    rows = records(opened(reviewed())["Exempt"])
    assert [(row["User"], row["State"]) for row in rows[:4]] == [
        ("zoe", "matches no user"),
        ("yves", "matches no user"),
        ("adam", "has expired"),
        ("heidi", None),
    ]
    assert {row["User"]: row["Exemption owner"] for row in rows[3:]} == {
        "heidi": "Ann",
        "ivan": "@second",
        "oscar": "@first",
        "pat": "IT",
    }


ONE_ACCOUNT = analysis_of([a_user()])


def test_accounts_have_a_sheet_if_there_is_more_than_one_even_if_it_was_not_read() -> None:
    assert not have_several(ONE_ACCOUNT.report)
    missing = NotCovered(account="1" * 12, name="lost", reason="access denied")
    book = book_of(replace(ONE_ACCOUNT, report=replace(ONE_ACCOUNT.report, not_covered=(missing,))))
    assert row_of(book["Accounts and owners"], "1" * 12)[1] == "lost, not read: access denied"


def test_lists_are_one_page_wide_with_all_names_owners_and_earlier_decisions_too() -> None:
    owners = analyzer.read_owners(b"account,user,owner,email,left\n*,*,Bob,,2026-01-01\n")
    named = {
        account: AccountName(name=f"production {account}", owner=f"Ann {account}")
        for account in second_review().report.accounts
    }
    report, ledger = replace(second_review().report, account_names=named), second_review().ledger
    book = book_of(analyzer.analyze(report, ledger=ledger, owners=owners))
    for sheet in book.worksheets:
        if sheet.tables:
            assert smallest_print(sheet) >= 6, sheet.title
