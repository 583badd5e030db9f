"""The workbook begins with the decisions of the earlier review, and counts them."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

import analyzer
from analyzer.analysis import Analysis
from analyzer.review import ReviewDecision
from analyzer.review_columns import Decision
from analyzer.sources.review import read_review
from tests.support.builders import (
    AS_OF,
    LONG_AGO,
    Row,
    a_certificate,
    a_key,
    a_password,
    a_user,
    days_before,
    report_text,
    saved,
)
from tests.support.reviews import DAY, decision_on, review_of
from tests.support.workbooks import (
    book_of,
    file_of,
    needs_libreoffice,
    opened,
    records,
    row_of,
    seen_by_libreoffice,
    values,
    with_wrong_results,
)

HEADS = ("Decision", "Decided by", "Decided on", "Ticket", "Comment")
NAMES = ("=1+1", "-x", "a,b")
USERS = (
    *map(a_user, NAMES),
    a_user("back", created=days_before(20)),
    a_user("asleep", password=a_password(days_before(200))),
    a_user("odd", password_enabled="perhaps"),
)
DECISIONS = (
    decision_on("-x", Decision.DELETE, decided_by="Ann", ticket="7", comment="=SUM(1)"),
    decision_on("a,b", Decision.INVESTIGATE),
    decision_on("back", Decision.DELETE, decided_by="Ann", created=LONG_AGO),
    decision_on("asleep", Decision.DEACTIVATE, decided_by="Grace"),
    decision_on("odd", Decision.DELETE, decided_by="ann"),
)


def carried_over(
    folder: Path, *decisions: ReviewDecision, users: tuple[Row, ...] = USERS
) -> Analysis:
    report = analyzer.load(saved(folder, report_text(users)), as_of=AS_OF)
    return analyzer.analyze(report, review=review_of(*decisions))


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    return carried_over(tmp_path_factory.mktemp("report"), *DECISIONS)


@pytest.fixture(scope="module")
def book(analysis: Analysis) -> Workbook:
    return book_of(analysis)


def filled_in(book: Workbook) -> dict[str, tuple[Any, ...]]:
    """Return the reviewer's columns by user, of users on whom anything is decided."""
    titles = ("Unused users", "Inactive users", "Undetermined")
    rows = [row for title in titles if title in book.sheetnames for row in records(book[title])]
    return {row["User"]: tuple(map(row.get, HEADS)) for row in rows if row["Decision"]}


def test_decisions_stand_at_the_right_users_of_every_list(book: Workbook) -> None:
    day = datetime(DAY.year, DAY.month, DAY.day)  # noqa: DTZ001  as a workbook has it
    assert filled_in(book) == {
        "-x": ("delete", "Ann", day, "7", "=SUM(1)"),
        "a,b": ("investigate", None, day, None, None),
        "asleep": ("deactivate", "Grace", day, None, None),
        "odd": ("delete", "ann", day, None, None),
    }


def test_an_earlier_comment_stays_text_when_it_is_edited(book: Workbook) -> None:
    (cell,) = [c for row in book["Unused users"].iter_rows() for c in row if c.value == "=SUM(1)"]
    assert (cell.data_type, cell.quotePrefix) == ("s", True)
    assert cell.fill.start_color.rgb == "00FFFFE0"


def test_users_to_keep_are_exempt_with_the_comment_and_asked_for_anew_later(
    tmp_path: Path,
) -> None:
    kept = decision_on("=1+1", Decision.KEEP, decided_by="Ann", comment="by design")
    long_ago = decision_on("-x", Decision.KEEP, date(2025, 1, 1), comment="by design")
    book = book_of(carried_over(tmp_path, kept, long_ago))
    (exempt,) = records(book["Exempt"])
    assert (exempt["User"], exempt["Exempt because"]) == ("=1+1", "by design")
    assert exempt["Exemption owner"] == "Ann"
    assert filled_in(book) == {}


def test_the_next_review_reads_them_again(analysis: Analysis) -> None:
    again = read_review("next.xlsx", file_of(analysis)).decisions
    told = {each.user: (each.decision, each.decided_by, each.comment) for each in again}
    assert told == {
        each.user: (each.decision, each.decided_by, each.comment)
        for each in DECISIONS
        if each.user != "back"
    }
    assert {each.decided_on for each in again} == {DAY}


# The Summary


def progress(book: Workbook) -> list[tuple[Any, ...]]:
    rows = values(book["Summary"])
    at = next(number for number, row in enumerate(rows) if row[0] == "List")
    return [row[:9] for row in rows[at + 1 : at + 5]]


CHECK = a_user("doubtful", certificate_1=a_certificate())


@pytest.mark.parametrize(
    ("users", "decisions", "line"),
    [
        (
            (a_user("busy", key_1=a_key(used=AS_OF)),),
            (),
            "Nothing to decide: no user is listed for review.",
        ),
        (
            USERS[:1],
            (),
            "First: decide on 1 certain user on Unused users, by account, the oldest first.",
        ),
        (
            (*USERS, CHECK),
            (),
            (
                "First: decide on 4 certain users on Unused users, by account, the oldest first;"
                " then on 1 user to check there, 1 user on Inactive users and 1 user on"
                " Undetermined."
            ),
        ),
        (
            (*USERS[1:3], CHECK, *USERS[4:]),
            DECISIONS[:2],
            (
                "First: decide on 1 certain user on Unused users, by account, the oldest first;"
                " then on 1 user to check there, 1 user on Inactive users and 1 user on"
                " Undetermined."
            ),
        ),
        (
            USERS[1:],
            (*DECISIONS[:2], DECISIONS[4]),
            (
                "First: decide on 2 certain users on Unused users, by account, the oldest first;"
                " then on 1 user on Inactive users."
            ),
        ),
        (USERS[5:], (), "First: decide on 1 user on Undetermined."),
        (
            (USERS[1], CHECK),
            (*DECISIONS, decision_on("doubtful", Decision.DELETE)),
            "First: look at Follow-up. Every listed user has an earlier decision.",
        ),
    ],
)
def test_the_summary_says_what_to_do_first(
    tmp_path: Path, users: tuple[Row, ...], decisions: tuple[ReviewDecision, ...], line: str
) -> None:
    book = book_of(carried_over(tmp_path, *decisions, users=users))
    assert [row[0] for row in values(book["Summary"])[:4]][-1] == line


def test_the_progress_begins_with_the_earlier_decisions(analysis: Analysis) -> None:
    summary = opened(file_of(analysis), results=True)
    assert progress(summary) == [
        ("Unused users", 4, 1, 3, 1, 0, 0, 1, 1),
        ("Inactive users", 1, 1, 0, 0, 1, 0, 0, 0),
        ("Undetermined", 1, 1, 0, 1, 0, 0, 0, 0),
        ("All lists", 6, 3, 3, 2, 1, 0, 1, 1),
    ]
    assert row_of(summary["Summary"], "All lists")[9] == "Decided: 3 of 6 users."
    assert row_of(summary["Summary"], "Reviewers")[1:4] == ("Ann", "Grace", None)
    assert row_of(summary["Summary"], "Users decided by each")[1:4] == (2, 1, None)


@needs_libreoffice
@pytest.mark.parametrize("rows_a_sheet", [1_000, 3])
def test_libreoffice_comes_to_the_same_progress(tmp_path: Path, rows_a_sheet: int) -> None:
    more = [decision_on(name, Decision.DELETE, decided_by=f"R{name}") for name in NAMES]
    file = file_of(carried_over(tmp_path, *DECISIONS, *more), rows_a_sheet)
    expected = values(opened(file, results=True)["Summary"])
    shown = seen_by_libreoffice(tmp_path, with_wrong_results(file))["Summary"]
    for first in ("Unused users", "All lists", "Reviewers", "Users decided by each"):
        row = next(row for row in expected if row[0] == first)
        calculated = next(row for row in shown if row[0] == first)
        assert list(calculated[:10]) == ["" if cell is None else str(cell) for cell in row[:10]]
