"""A workbook is read with what its report says, and compared with the report itself."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl.workbook import Workbook

import analyzer
from analyzer.analysis.analysis import Analysis
from analyzer.decisions.ledger import ledger_bytes
from analyzer.reviews.entries import read_files, read_review
from analyzer.reviews.list_sheets import holds_entries
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    a_key,
    a_user,
    days_before,
    report_text,
)
from tests.support.decisions import TODAY, analysis_of
from tests.support.named_reports import load_named
from tests.support.review import (
    UNUSED,
    USERS,
    edited,
    edited_book,
    entered,
    given_reports,
    problems_of,
    review_of,
    row_of,
    saved,
    shown,
    written,
)

INACTIVE, UNDETERMINED = "Inactive users", "Undetermined"
EVERY_LIST = (
    *USERS[:4],
    a_user("emil", key_1=a_key(days_before(500)), created=days_before(500)),
    a_user("fay", password_enabled="maybe", created=days_before(400)),
    a_user("gus", key_1=a_key(days_before(9), days_before(1))),
    a_user("hal", password_enabled="perhaps", created=days_before(300)),
    a_user("zoe", arn=f"arn:aws:iam::{ACCOUNT}:user/other", created=days_before(200)),
)
ON = date(2026, 5, 4)
ENTRY: tuple[Any, ...] = ("delete", "Anna", ON, "SEC-1", "left")


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    return analysis_of(*EVERY_LIST)


@pytest.fixture(scope="module")
def every_list() -> bytes:
    """Return the workbook of a review in which each list has users."""
    return review_of(*EVERY_LIST)


@pytest.mark.no_cover
def test_users_are_open_until_an_entry_is_read_with_what_was_shown(every_list: bytes) -> None:
    at_first = read_review("r.xlsx", every_list, TODAY)
    assert (at_first.lines, len(at_first.open_rows)) == ((), 8)
    content = edited(
        every_list,
        entered("bob", ENTRY),
        entered("emil", ("deactivate", "Tom", ON, None, None), INACTIVE),
        entered("fay", ("investigate", "Tom", ON, None, None), UNDETERMINED),
    )
    entries = read_review("folder/r.xlsx", content, TODAY)
    decisions = {line.user: str(line.decision) for line in entries.lines}
    assert decisions == {"bob": "delete", "emil": "deactivate", "fay": "investigate"}
    assert len(entries.open_rows) == 5
    line = entries.lines[0]
    row = row_of(edited_book(content)[UNUSED], "bob")
    assert (line.decision, line.decided_by, line.decided_on) == ("delete", "Anna", ON)
    assert (line.ticket, line.comment) == ("SEC-1", "left")
    assert (line.workbook, line.row) == ("r.xlsx", row)
    assert (line.report_time, line.same_second) == (AS_OF, frozenset({"bob"}))
    cells = line.user_row
    assert (cells["password_enabled"], cells["verdict"]) == ("true", "unused")


@pytest.mark.no_cover
def test_every_problem_is_named_with_its_cell_or_its_rows() -> None:
    content = edited(
        written(),
        entered("ann", ("remove", None, "soon", None, None)),
        *(entered(user, ("delete", None, ON, None, None)) for user in ("anna", "=cmd")),
        entered("cid", ("delete", "Anna", date(2062, 3, 4), None, None)),
        shown("bob", "Password", "none"),
        shown("bob", "Why", "Delete"),
    )
    problems = problems_of(content)
    why = "has a password that was never used, and no access key"
    assert [each.split("\n")[0].removeprefix(f"r.xlsx, sheet {UNUSED}, ") for each in problems] == [
        f"row 3, column Why, cell J3: {why} in the report; this file says Delete",
        "row 3, column Password, cell O3: enabled in the report; this file says none",
        "row 2, column Decision, cell B2: not a decision ('remove')",
        "rows 2, 5-6, column Decided by: the cell is empty",
        "row 2, column Decided on, cell E2: not a date ('soon')",
        "row 4, column Decided on, cell E4: the day is after today, 2027-01-01 ('2062-03-04')",
    ]
    assert problems[0].endswith("Start from the file as credreport wrote it, and enter it there.")


@pytest.mark.no_cover
def test_a_workbook_and_its_ledger_are_what_its_reports_give(
    analysis: Analysis, every_list: bytes
) -> None:
    unread = entered("fay", ("investigate", *ENTRY[1:]), UNDETERMINED)
    content = edited(every_list, entered("ann", ENTRY), unread)
    given = given_reports(analysis)
    (read,) = read_files([("r.xlsx", content)], TODAY, given)
    assert [line.user for line in read.lines] == ["ann", "fay"]
    (again,) = read_files([("d.csv", ledger_bytes(read.lines))], TODAY, given)
    assert again.lines == read.lines


def test_a_workbook_is_compared_with_the_older_reports_that_it_was_made_from(
    analysis: Analysis, every_list: bytes
) -> None:
    newer = analysis_of(*EVERY_LIST, as_of=days_before(-30))
    given = given_reports(newer, analysis.report)
    assert read_files([("r.xlsx", every_list)], TODAY, given)


def test_a_workbook_of_other_reports_is_refused_with_their_names(
    every_list: bytes,
) -> None:
    report = load_named(("report.csv", report_text(EVERY_LIST).encode()))
    name = "status_reports_2026-05-01T12-00-00+00-00.csv"
    times = "as of 2026-05-01T12:00:00Z, and now as of 2026-04-30T12:00:00Z"
    for other, message in (
        (analysis_of(*EVERY_LIST[1:]), f"8 rows come from reports that --report did not: {name}"),
        (analyzer.analyze(report), f"{name} was judged {times}"),
    ):
        (problem,) = problems_of(every_list, given_reports(other))
        assert message.replace("did not:", "did not include:") in problem


def test_a_workbook_that_holds_entries_is_known_by_them(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    for content, expected in (
        (written(), False),
        (edited(written(), entered("ann", (None, None, None, "7", None))), True),
        (edited(written(), lambda book: setattr(book[UNUSED]["B7"], "value", "=A7")), True),
        (saved(Workbook()), False),
        (b"no workbook", False),
        (written()[:2000], True),
        (b"\xd0\xcf\x11\xe0 encrypted", True),
    ):
        path.write_bytes(content)
        assert holds_entries(path) is expected


def test_many_problems_end_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    content = edited(written(), *(shown(user, "Record", "x") for user in ("ann", "bob")))
    (problem,) = problems_of(content)
    assert "rows 2-3, column Record: the record of this row was changed" in problem
    monkeypatch.setattr("analyzer.reviews.entries._MOST_PROBLEMS", 0)
    (problem,) = problems_of(content)
    assert "row 2, column Record, cell AD2: the record of this row was changed" in problem
