"""Earlier decisions are shown beside the entries of a review, which begins with none."""

import json
from datetime import date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from openpyxl import Workbook
from openpyxl.utils import get_column_letter

import analyzer
from analyzer.decisions.review_columns import SHEETS
from analyzer.decisions.user_decisions import LedgerLine
from analyzer.judging.analysis import Analysis
from analyzer.writers.workbook.review_lists import REVIEW_LISTS, first_step
from tests.support.builders import (
    AS_OF,
    Row,
    a_certificate,
    a_key,
    a_password,
    a_user,
    days_before,
    report_text,
    saved,
)
from tests.support.decisions import ledger_of, line
from tests.support.workbooks import (
    book_of,
    file_of,
    needs_libreoffice,
    opened,
    records,
    review_book_of,
    row_of,
    seen_by_libreoffice,
    values,
    with_wrong_results,
)

if TYPE_CHECKING:
    from analyzer.writers.workbook.review_lists import Listings

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

HEADS = ("Decision", "Decided by", "Decided on", "Ticket", "Comment")
NAMES = ("=1+1", "-x", "a,b")
USERS = (
    *map(a_user, NAMES),
    a_user("back", created=days_before(20)),
    a_user("asleep", password=a_password(days_before(200))),
    a_user("odd", password_enabled="perhaps"),
)
SEEN, ON = days_before(58), date(2026, 3, 5)
DECISIONS = (
    line("delete", USERS[1], by="Ann", on=ON, as_of=SEEN, ticket="7", comment="=SUM(1)"),
    line("investigate", USERS[2], on=ON, as_of=SEEN),
    line("delete", a_user("back"), by="Ann", on=ON, as_of=SEEN),
    line("deactivate", USERS[4], by="Grace", on=ON, as_of=SEEN),
    line("delete", USERS[5], by="ann", on=ON, as_of=SEEN),
)


def carried_over(folder: Path, *decisions: LedgerLine, users: tuple[Row, ...] = USERS) -> Analysis:
    report = analyzer.load(saved(folder, report_text(users)), as_of=AS_OF)
    return analyzer.analyze(report, ledger=ledger_of(*decisions))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return file_of(carried_over(tmp_path_factory.mktemp("report"), *DECISIONS))


@pytest.fixture(scope="module")
def book(file: bytes) -> Workbook:
    return opened(file)


def entries(book: Workbook) -> list[tuple[Any, ...]]:
    """Return the five cells of every user of the lists."""
    rows = [row for title in SHEETS if title in book.sheetnames for row in records(book[title])]
    return [tuple(map(row.get, HEADS)) for row in rows]


def test_nothing_is_entered_for_the_reviewer_whatever_was_decided_before(book: Workbook) -> None:
    assert entries(book) == [(None,) * 5] * 6


def test_what_was_decided_before_stands_beside_the_entries(book: Workbook) -> None:
    for title, expected in (
        (
            "Unused users",
            {
                "-x": "delete, Ann, 2026-03-05, 7: =SUM(1); not done for 57 days",
                "a,b": "investigate, Anna, 2026-03-05",
            },
        ),
        ("Inactive users", {"asleep": "deactivate, Grace, 2026-03-05; not done for 57 days"}),
        ("Undetermined", {"odd": "delete, ann, 2026-03-05; not done for 57 days"}),
    ):
        head = [cell.value for cell in book[title][1]]
        assert head[head.index("Comment") + 1] == "Earlier decision"
        listed = {row["User"]: row["Earlier decision"] for row in records(book[title])}
        assert {user: text for user, text in listed.items() if text} == expected


@pytest.mark.no_cover
def test_without_decisions_there_is_no_column_for_them(tmp_path: Path) -> None:
    book = review_book_of(carried_over(tmp_path))
    for title in SHEETS:
        assert "Earlier decision" not in [cell.value for cell in book[title][1]]


def test_the_record_is_the_last_column_folded_and_not_printed(book: Workbook) -> None:
    for title in SHEETS:
        sheet = book[title]
        head = [cell.value for cell in sheet[1]]
        assert head[-1] == "Record"
        column = sheet.column_dimensions[get_column_letter(len(head))]
        assert (column.hidden, column.outlineLevel) == (True, 1)
        assert not sheet.print_area.endswith(f"${column.index}${sheet.max_row}")
        assert not sheet.cell(2, len(head)).alignment.wrap_text  # or rows grow high
    (record,) = (row["Record"] for row in records(book["Undetermined"]))
    assert json.loads(record)["cells"]["password_enabled"] == "perhaps"


def test_users_to_keep_are_exempt_with_the_comment_and_asked_for_anew_later(tmp_path: Path) -> None:
    kept = line("keep", USERS[0], by="Ann", on=ON, comment="by design")
    long_ago = line("keep", USERS[1], on=date(2025, 1, 1))
    book = book_of(carried_over(tmp_path, kept, long_ago))
    (exempt,) = records(book["Exempt"])
    assert (exempt["User"], exempt["Exempt because"]) == ("=1+1", "by design")
    assert exempt["Exemption owner"] == "Ann"
    assert exempt["Exempt until"] == datetime(2026, 9, 1)  # noqa: DTZ001  as a workbook has it
    assert not {*HEADS} & {*exempt}
    assert "-x" in {row["User"] for row in records(book["Unused users"])}


CHECK = a_user("doubtful", certificate_1=a_certificate())


Case = tuple[tuple[Row, ...], tuple[LedgerLine, ...], tuple[int, int, int], str]
THEN = " Then 1 user to check there. Then Inactive users: 1 user. Then Undetermined: 1 user."
FIRST_STEPS: tuple[Case, ...] = (
    (
        (a_user("busy", key_1=a_key(used=AS_OF)),),
        (),
        (0, 0, 0),
        "Nothing to decide: no user is listed for review.",
    ),
    (
        USERS[:1],
        (),
        (1, 0, 0),
        "Start with Unused users: 1 certain user, by account, the oldest first.",
    ),
    (
        (*USERS, CHECK),
        (),
        (5, 1, 1),
        f"Start with Unused users: 4 certain users, by account, the oldest first.{THEN}",
    ),
    (
        (*USERS[1:3], CHECK, *USERS[4:]),
        DECISIONS,
        (3, 1, 1),
        f"Start with Unused users: 2 certain users, by account, the oldest first.{THEN}",
    ),
    (
        USERS[:2],
        (line("keep", USERS[1], on=ON),),
        (1, 0, 0),
        "Start with Unused users: 1 certain user, by account, the oldest first.",
    ),
    ((CHECK,), (), (1, 0, 0), "Start with Unused users: 1 user to check."),
    (USERS[5:], (), (0, 0, 1), "Start with Undetermined: 1 user."),
)
"""Users and decisions, how many users each list has, and what to do first."""


@pytest.mark.no_cover
def test_the_summary_says_what_to_do_first(tmp_path: Path, book: Workbook) -> None:
    for users, decisions, listed, first in FIRST_STEPS:
        lists = {
            each.title: SimpleNamespace(rows=rows)
            for each, rows in zip(REVIEW_LISTS, listed, strict=True)
        }
        analysis = carried_over(tmp_path, *decisions, users=users)
        assert first_step(analysis, cast("Listings", lists)) == first
    first = "Start with Unused users: 4 certain users, by account, the oldest first."
    assert str(values(book["Summary"])[3][0]).startswith(first)


def test_the_progress_counts_no_earlier_decision(file: bytes) -> None:
    summary = opened(file, results=True)["Summary"]
    for first, users in (("Unused users", 4), ("Inactive users", 1), ("All lists", 6)):
        row = next(row for row in values(summary) if row[0] == first)
        assert row[1:10] == (users, 0, users, 0, 0, 0, 0, 0, 0)
    assert row_of(summary, "Reviewers")[1:] == (None,) * 11
    assert row_of(summary, "Users decided by each")[1:] == (None,) * 11


@needs_libreoffice
@pytest.mark.parametrize("rows_a_sheet", [1_000, 3])
def test_libreoffice_comes_to_the_same_progress(tmp_path: Path, rows_a_sheet: int) -> None:
    file = file_of(carried_over(tmp_path, *DECISIONS), rows_a_sheet)
    expected = values(opened(file, results=True)["Summary"])
    shown = seen_by_libreoffice(tmp_path, with_wrong_results(file))["Summary"]
    for first in ("Unused users", "All lists", "Reviewers", "Users decided by each"):
        row = next(row for row in expected if row[0] == first)
        calculated = next(row for row in shown if row[0] == first)
        assert list(calculated[:11]) == ["" if cell is None else str(cell) for cell in row[:11]]
