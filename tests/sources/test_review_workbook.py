"""A workbook is read with what its report says, and compared with the report itself."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl.workbook import Workbook

import analyzer
from analyzer.analysis.analysis import Analysis
from analyzer.decisions.ledger import ledger_bytes
from analyzer.errors import InputRefused
from analyzer.reviews.entries import read_files, read_review
from analyzer.reviews.list_sheets import holds_entries
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    a_certificate,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    report_text,
)
from tests.support.decisions import TODAY, analysis_of
from tests.support.review import (
    HEADS,
    UNUSED,
    column,
    edited,
    edited_book,
    entered,
    put,
    record_edited,
    review_of,
    row_of,
    saved,
    shown,
)

INACTIVE, UNDETERMINED = "Inactive users", "Undetermined"
USERS = (
    a_user("ann", created=days_before(900)),
    a_user("bob", password=a_password(), created=days_before(800)),
    a_user("cid", certificate_1=a_certificate(), mfa=True, created=days_before(700)),
    a_user("dora", key_1=an_inactive_key(), created=days_before(600)),
    a_user("emil", key_1=a_key(days_before(500)), created=days_before(500)),
    a_user("fay", password_enabled="maybe", created=days_before(400)),
    a_user("gus", key_1=a_key(days_before(9), days_before(1))),
)
ON = date(2026, 5, 4)
ENTRY: tuple[Any, ...] = ("delete", "Anna", ON, "SEC-1", "left")
OTHER_REPORT = (
    "r.xlsx: no report named has the SHA-256 of the one behind 6 rows:"
    " status_reports_2026-05-01T12-00-00+00-00.csv"
    "\n    Name the report that it was made from"
)


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    return analysis_of(*USERS)


@pytest.fixture(scope="module")
def written() -> bytes:
    return review_of(*USERS)


@pytest.fixture(scope="module")
def one_list() -> bytes:
    """Return the workbook of a review in which all users are unused."""
    return review_of(*USERS[:4])


def refused(content: bytes) -> list[str]:
    with pytest.raises(InputRefused) as error:
        read_review("r.xlsx", content, TODAY)
    return [str(each) for each in error.value.problems]


@pytest.mark.no_cover
def test_users_are_open_until_an_entry_is_read_with_what_was_shown(written: bytes) -> None:
    at_first = read_review("r.xlsx", written, TODAY)
    assert (at_first.lines, len(at_first.open_rows)) == ((), 6)
    content = edited(
        written,
        entered("bob", ENTRY),
        entered("emil", ("deactivate", "Tom", ON, None, None), INACTIVE),
        entered("fay", ("investigate", "Tom", ON, None, None), UNDETERMINED),
    )
    entries = read_review("folder/r.xlsx", content, TODAY)
    decisions = {line.user: str(line.decision) for line in entries.lines}
    assert decisions == {"bob": "delete", "emil": "deactivate", "fay": "investigate"}
    assert len(entries.open_rows) == 3
    line = entries.lines[0]
    row = row_of(edited_book(content)[UNUSED], "bob")
    assert (line.decision, line.decided_by, line.decided_on) == ("delete", "Anna", ON)
    assert (line.ticket, line.comment) == ("SEC-1", "left")
    assert (line.workbook, line.sheet, line.row, len(line.sha256)) == ("r.xlsx", UNUSED, row, 64)
    assert (line.baseline, line.same_second) == (AS_OF, frozenset())
    cells = line.report_cells
    assert (cells["password_enabled"], cells["verdict"]) == ("true", "unused")


@pytest.mark.no_cover
def test_a_cell_in_which_rows_of_a_user_differ_is_unknown_in_the_decision_too() -> None:
    def decide(book: Workbook) -> None:
        for head, value in zip(HEADS, ENTRY, strict=True):
            put(book[UNDETERMINED], 2, column(book[UNDETERMINED], head), value)

    twice = review_of(a_user("ann", password=a_password()), a_user("ann", mfa=True))
    read = read_review("r.xlsx", edited(twice, decide), TODAY)
    (line,) = read.lines
    assert (len(read.open_rows), line.report_cells["verdict"]) == (0, "undetermined")
    names = ("password_enabled", "mfa_active", "cert_1_active")
    assert [line.report_cells[name] for name in names] == ["rows differ", "rows differ", "false"]


@pytest.mark.no_cover
def test_a_user_whose_arn_names_another_is_not_decided_on() -> None:
    zoe = a_user("zoe", arn=f"arn:aws:iam::{ACCOUNT}:user/ann")
    content = edited(review_of(zoe), entered("zoe", ENTRY, UNDETERMINED))
    (problem,) = refused(content)
    assert "row 2, column User, cell B2: the ARN names another user ('zoe')" in problem


@pytest.mark.no_cover
def test_every_problem_is_named_with_its_cell(one_list: bytes) -> None:
    content = edited(
        one_list,
        entered("ann", ("remove", None, "soon", None, None)),
        entered("cid", ("delete", "Anna", date(2062, 3, 4), None, None)),
        shown("bob", "Password", "none"),
    )
    problems = refused(content)
    assert [each.split(":")[0] for each in problems] == [
        f"r.xlsx, sheet {UNUSED}, row 3, column Password, cell O3",
        f"r.xlsx, sheet {UNUSED}, row 2, column Decision, cell C2",
        f"r.xlsx, sheet {UNUSED}, row 2, column Decided by, cell D2",
        f"r.xlsx, sheet {UNUSED}, row 2, column Decided on, cell E2",
        f"r.xlsx, sheet {UNUSED}, row 5, column Decided on, cell E5",
    ]
    assert "cell E5: the day is after today, 2027-01-01 ('2062-03-04')\n" in problems[-1]


@pytest.mark.no_cover
def test_a_decision_in_another_column_is_named_with_the_cell_to_restore(one_list: bytes) -> None:
    edits = shown("bob", "Why", "Delete"), shown("cid", "Password", "enabled")
    other, astray = sorted(refused(edited(one_list, *edits)), key=lambda each: "Why" in each)
    assert astray.startswith(f"r.xlsx, sheet {UNUSED}, row 3, column Why, cell ")
    assert 'the report gives "' in astray
    assert ', and the cell has "Delete"\n' in astray
    assert astray.endswith("Restore the cell, and enter the decision in the column Decision.")
    assert "Restore the cell, or enter the decisions again in the workbook as" in other


def test_the_problems_of_a_row_come_in_the_order_of_its_columns(one_list: bytes) -> None:
    heads = [str(cell.value) for cell in edited_book(one_list)[UNUSED][1]]
    changed = [heads[at] for at in range(7, 17)]
    problems = refused(edited(one_list, *(shown("bob", head, "x") for head in changed)))
    named = [each.partition("column ")[2].partition(", cell")[0] for each in problems]
    assert named == changed


@pytest.mark.no_cover
def test_a_workbook_and_its_ledger_are_what_its_reports_give(
    analysis: Analysis, written: bytes
) -> None:
    unread = entered("fay", ("investigate", *ENTRY[1:]), UNDETERMINED)
    content = edited(written, entered("ann", ENTRY), unread)
    (read,) = read_files([("r.xlsx", content)], TODAY, analysis)
    assert [line.user for line in read.lines] == ["ann", "fay"]
    (again,) = read_files([("d.csv", ledger_bytes(read.lines))], TODAY, analysis)
    assert again.lines == read.lines


@pytest.mark.no_cover
def test_a_forged_record_is_refused_by_the_reports(analysis: Analysis, written: bytes) -> None:
    region = '"access_key_1_last_used_region":"{}"'
    content = edited(
        written,
        record_edited("ann", '"baseline":"2026-05-01', '"baseline":"2026-04-01'),
        record_edited("bob", '"same_second":[]', '"same_second":["x"]'),
        record_edited("cid", region.format("N/A"), region.format("")),
    )
    assert len(read_files([("r.xlsx", content)], TODAY)) == 1
    with pytest.raises(InputRefused) as error:
        read_files([("r.xlsx", content)], TODAY, analysis)
    for each, of_row in zip(
        ("baseline is not what", "same_second is not what", "cells is"),
        sorted(error.value.problems, key=lambda problem: problem.row or 0),
        strict=True,
    ):
        assert each in of_row.message


def test_a_workbook_of_other_reports_or_criteria_is_refused(
    analysis: Analysis, written: bytes
) -> None:
    moved = edited(written, record_edited("bob", '"row":4', '"row":99'))
    criteria = analyzer.analyze(analysis.report, analyzer.Criteria(dormant_days=30))
    report = analyzer.load(("report.csv", report_text(USERS).encode()))
    times = "as of 2026-05-01T12:00:00Z, and now as of 2026-04-30T12:00:00Z"
    for content, other, message in (
        (written, analysis_of(*USERS[1:]), OTHER_REPORT),
        (moved, analysis, "no report named has row 99 of this SHA-256"),
        (written, criteria, "dormant_days is not what the report gives: 30"),
        (written, analyzer.analyze(report), f"was judged {times}"),
    ):
        with pytest.raises(InputRefused) as error:
            read_files([("r.xlsx", content)], TODAY, other)
        assert message in str(error.value.problems[0])
        assert len(error.value.problems) == 1 or other is criteria


@pytest.mark.no_cover
def test_the_problems_of_all_files_are_named_together(one_list: bytes) -> None:
    wrong = edited(one_list, entered("ann", ("remove", *ENTRY[1:])))
    files = {"a.xlsx": wrong, "b.xlsx": wrong, "c.csv": b"decision\n"}
    with pytest.raises(InputRefused) as error:
        read_files(files.items(), TODAY)
    assert {each.file.split(",")[0] for each in error.value.problems} == {*files}


def test_a_workbook_that_holds_entries_is_known_by_them(one_list: bytes, tmp_path: Path) -> None:
    path = tmp_path / "r.xlsx"
    assert not holds_entries(path)
    for content, expected in (
        (one_list, False),
        (edited(one_list, entered("ann", (None, None, None, "7", None))), True),
        (edited(one_list, lambda book: setattr(book[UNUSED]["C7"], "value", "=A7")), True),
        (saved(Workbook()), False),
        (b"no workbook", False),
        (one_list[:2000], True),
    ):
        path.write_bytes(content)
        assert holds_entries(path) is expected
    assert not holds_entries(tmp_path / "r.csv")


def test_many_problems_end_the_reading(one_list: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    erased = [entered(user, ("erase", *ENTRY[1:])) for user in ("ann", "bob")]
    content = edited(one_list, *erased)
    assert len(refused(content)) == 2
    monkeypatch.setattr("analyzer.reviews.entries._CHUNK", 1)
    monkeypatch.setattr("analyzer.reviews.entries._MOST_PROBLEMS", 0)
    assert len(refused(content)) == 1
