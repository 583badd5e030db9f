"""Whatever people do with a workbook, what they entered is read, or refused by name."""

import io
import zipfile
from collections.abc import Callable
from datetime import date
from typing import Any

import openpyxl
import pandas as pd
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

import analyzer
from analyzer.analysis import Analysis
from analyzer.errors import InputRefused
from analyzer.sources.review_workbook import holds_entries, read_files, read_review
from analyzer.terms import WorkbookSheets
from analyzer.writers.workbook import write_workbook
from tests.support.builders import (
    AS_OF,
    a_certificate,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
)
from tests.support.decisions import analysis_of

UNUSED, INACTIVE, SUMMARY = "Unused users", "Inactive users", "Summary"
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
HEADS = ("Decision", "Decided by", "Decided on", "Ticket", "Comment")

Edit = Callable[[Workbook], Any]


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    return analysis_of(*USERS)


@pytest.fixture(scope="module")
def written(analysis: Analysis) -> bytes:
    stream = io.BytesIO()
    write_workbook(analysis, stream, sheets=WorkbookSheets.REVIEW)
    return stream.getvalue()


def saved(book: Workbook) -> bytes:
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def edited(content: bytes, *edits: Edit) -> bytes:
    """Return a workbook as it is after a person edited and saved it."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    for edit in edits:
        edit(book)
    return saved(book)


def column(sheet: Worksheet, head: str) -> int:
    (at,) = (at for at, cell in enumerate(sheet[1], start=1) if cell.value == head)
    return at


def row_of(sheet: Worksheet, user: str) -> int:
    at = column(sheet, "User")
    (row,) = (
        cells[at - 1].row for cells in sheet.iter_rows(min_row=2) if cells[at - 1].value == user
    )
    return int(str(row))


def entered(user: str, entry: tuple[Any, ...] = ENTRY, title: str = UNUSED) -> Edit:
    """Return what fills the five cells of a user in."""

    def edit(book: Workbook) -> None:
        sheet = book[title]
        for head, value in zip(HEADS, entry, strict=True):
            sheet.cell(row_of(sheet, user), column(sheet, head)).value = value

    return edit


def shown(user: str, head: str, value: Any, title: str = UNUSED) -> Edit:
    """Return what types over another cell of a user."""

    def edit(book: Workbook) -> None:
        sheet = book[title]
        sheet.cell(row_of(sheet, user), column(sheet, head)).value = value

    return edit


def decisions(content: bytes) -> dict[str, str]:
    return {line.user: str(line.decision) for line in read_review("r.xlsx", content).entries.lines}


def refused(content: bytes) -> list[str]:
    with pytest.raises(InputRefused) as error:
        read_review("r.xlsx", content)
    return [str(each) for each in error.value.problems]


# As it was written, and filled in


def test_every_listed_user_is_open_at_first(written: bytes) -> None:
    review = read_review("r.xlsx", written)
    assert review.entries.lines == ()
    assert len(review.entries.open_rows) == len(review.rows) == 6


def test_an_entry_is_read_with_its_place_and_what_the_report_showed(written: bytes) -> None:
    content = edited(written, entered("bob"))
    (line,) = read_review("folder/r.xlsx", content).entries.lines
    assert (line.decision, line.decided_by, line.decided_on) == ("delete", "Anna", ON)
    assert (line.ticket, line.comment) == ("SEC-1", "left")
    assert (line.workbook, line.sheet) == ("r.xlsx", UNUSED)
    assert line.row == row_of(openpyxl.load_workbook(io.BytesIO(content))[UNUSED], "bob")
    assert len(line.sha256) == 64
    assert (line.baseline, line.same_second) == (AS_OF, frozenset())
    assert (line.report_cells["password_enabled"], line.report_cells["verdict"]) == (
        "true",
        "unused",
    )


def test_entries_of_all_lists_are_read(written: bytes) -> None:
    content = edited(
        written,
        entered("ann"),
        entered("emil", ("deactivate", "Tom", ON, None, None), INACTIVE),
        entered("fay", ("investigate", "Tom", ON, None, None), "Undetermined"),
    )
    assert decisions(content) == {"ann": "delete", "emil": "deactivate", "fay": "investigate"}


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (("DELETE ", " Anna ", ON, 101, None), ("delete", "Anna", ON, "101", "")),
        (("Keep", "Anna", 46146.0, 1.5, "x"), ("keep", "Anna", ON, "1.5", "x")),
        (("withdraw", "Anna", "2026-05-04", None, None), ("withdraw", "Anna", ON, "", "")),
        (("delete", "Anna", " 2026-05-04 ", "=1", "'x"), ("delete", "Anna", ON, "=1", "'x")),
        (("delete", "Anna", "2026-05-04 00:00:00", None, None), ("delete", "Anna", ON, "", "")),
        (("delete", 7, 46146, None, True), ("delete", "7", ON, "", "TRUE")),
    ],
)
def test_an_entry_may_be_written_in_many_ways(
    written: bytes, entry: tuple[Any, ...], expected: tuple[Any, ...]
) -> None:
    def as_text(book: Workbook) -> None:
        for cell in (cell for row in book[UNUSED].iter_rows() for cell in row):
            cell.data_type = "s" if cell.data_type == "f" else cell.data_type

    (line,) = read_review("r.xlsx", edited(written, entered("ann", entry), as_text)).entries.lines
    assert (
        line.decision,
        line.decided_by,
        line.decided_on,
        line.ticket,
        line.comment,
    ) == expected


# Ways that are read


def reversed_rows(book: Workbook) -> None:
    sheet = book[UNUSED]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)][::-1]
    for row, values in zip(sheet.iter_rows(min_row=2), rows, strict=True):
        for cell, value in zip(row, values, strict=True):
            cell.value = value


def a_column_moved_to_the_end(book: Workbook) -> None:
    sheet = book[UNUSED]
    at, last = column(sheet, "Comment"), sheet.max_column + 1
    for row in sheet.iter_rows(min_row=1):
        sheet.cell(int(str(row[0].row)), last).value = row[at - 1].value
    sheet.delete_cols(at)


def a_new_column(book: Workbook) -> None:
    sheet = book[UNUSED]
    sheet.insert_cols(3)
    sheet["C1"], sheet["C2"] = "Asked", "yes"


def a_copied_sheet(book: Workbook) -> None:
    book.copy_worksheet(book[UNUSED]).title = "Unused users (2)"


def without_age(book: Workbook) -> None:
    book[UNUSED].delete_cols(column(book[UNUSED], "Age in days"))


def merged_title(book: Workbook) -> None:
    book[UNUSED].insert_rows(1)
    book[UNUSED].merge_cells("A1:D1")


READ: dict[str, Edit] = {
    "nothing else": lambda _: None,
    "rows sorted": reversed_rows,
    "rows hidden by a filter": lambda book: setattr(book[UNUSED].row_dimensions[3], "hidden", True),
    "a sheet renamed": lambda book: setattr(book[UNUSED], "title", "Mine"),
    "a sheet hidden": lambda book: setattr(book[UNUSED], "sheet_state", "veryHidden"),
    "the sheets in another order": lambda book: book.move_sheet(UNUSED, 4),
    "a sheet copied": a_copied_sheet,
    "the Summary renamed": lambda book: setattr(book[SUMMARY], "title", "Overview"),
    "a sheet added": lambda book: book.create_sheet("Notes").append(["Decision taken", "x"]),
    "another sheet deleted": lambda book: book.remove(book["Method"]),
    "rows inserted above the heads": lambda book: book[UNUSED].insert_rows(1, 3),
    "an empty row in between": lambda book: book[UNUSED].insert_rows(4),
    "a column moved": a_column_moved_to_the_end,
    "a column added": a_new_column,
    "a column that shows a fact deleted": without_age,
    "merged cells above the heads": merged_title,
    "a head on two lines": lambda book: setattr(book[UNUSED]["C1"], "value", "Decision\n"),
    "colours": lambda book: setattr(book[UNUSED]["C3"], "style", "Bad"),
}


@pytest.mark.parametrize("edit", READ.values(), ids=READ)
def test_what_people_do_besides_changes_no_decision(written: bytes, edit: Edit) -> None:
    content = edited(written, entered("ann"), entered("dora", ("keep", "Anna", ON, "", "x")), edit)
    assert decisions(content) == {"ann": "delete", "dora": "keep"}


def test_a_workbook_that_counts_days_from_1904_is_read(written: bytes) -> None:
    def from_1904(book: Workbook) -> None:
        book.epoch = CALENDAR_MAC_1904

    (line,) = read_review("r.xlsx", edited(written, entered("ann"), from_1904)).entries.lines
    assert line.decided_on == ON


def test_a_dimension_that_is_too_small_hides_nothing(written: bytes) -> None:
    content = edited(written, entered("ann"), entered("dora"))
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            if name.startswith("xl/worksheets/sheet"):
                start = text.index(b"<dimension ref=") + len(b"<dimension ref=") + 1
                text = text[:start] + b"A1:B2" + text[text.index(b'"', start) :]
            new.writestr(name, text)
    assert [*decisions(stream.getvalue())] == ["ann", "dora"]


def test_both_copies_of_a_sheet_are_read(written: bytes) -> None:
    content = edited(
        written,
        entered("ann"),
        a_copied_sheet,
        entered("bob", ("delete", "Tom", ON, None, None), "Unused users (2)"),
    )
    lines = read_review("r.xlsx", content).entries.lines
    assert [(line.user, line.sheet) for line in lines] == [
        ("ann", UNUSED),
        ("ann", "Unused users (2)"),
        ("bob", "Unused users (2)"),
    ]


# Ways that are refused


def columns_sorted_apart(book: Workbook) -> None:
    sheet = book[UNUSED]
    for at in range(1, 9):
        values: list[Any] = [
            cell.value for (cell,) in sheet.iter_rows(min_row=2, min_col=at, max_col=at)
        ]
        for (cell,), value in zip(
            sheet.iter_rows(min_row=2, min_col=at, max_col=at), values[::-1], strict=True
        ):
            cell.value = value


def pasted_aside(by: int) -> Edit:
    def edit(book: Workbook) -> None:
        sheet = book[UNUSED]
        row, first = row_of(sheet, "ann"), column(sheet, "Decision")
        for at in range(len(ENTRY)):
            sheet.cell(row, first + at).value = None
        for at, value in enumerate(ENTRY):
            sheet.cell(row, first + by + at).value = value

    return edit


def copied_over_its_neighbour(book: Workbook) -> None:
    sheet = book[UNUSED]
    for cell in sheet[2]:
        sheet.cell(3, int(str(cell.column))).value = cell.value


def merged(cells: str) -> Edit:
    return lambda book: book[UNUSED].merge_cells(cells)


def record_of_another(book: Workbook) -> None:
    sheet = book[UNUSED]
    at = column(sheet, "Record")
    sheet.cell(2, at).value, sheet.cell(3, at).value = (
        sheet.cell(3, at).value,
        sheet.cell(2, at).value,
    )


def record_edited(old: str, new: str) -> Edit:
    def edit(book: Workbook) -> None:
        sheet = book[UNUSED]
        cell = sheet.cell(row_of(sheet, "bob"), column(sheet, "Record"))
        assert old in str(cell.value)
        cell.value = str(cell.value).replace(old, new)

    return edit


def ok_typed_over(book: Workbook) -> None:
    for cell in (cell for row in book[SUMMARY].iter_rows() for cell in row):
        if isinstance(cell.value, str) and '"OK"' in cell.value:
            cell.value = "OK"


def without_column(head: str) -> Edit:
    return lambda book: book[UNUSED].delete_cols(column(book[UNUSED], head))


def a_number_in_the_summary(book: Workbook) -> None:
    sheet = book[SUMMARY]
    for row in sheet.iter_rows():
        if row[0].value == UNUSED and row[2].value == 4 and not isinstance(row[3].value, str):
            row[2].value = 3


REFUSED: dict[str, tuple[Edit, str]] = {
    "some columns sorted apart": (columns_sorted_apart, "the report gives"),
    "a block pasted a column aside": (pasted_aside(1), "an entry without a decision"),
    "a block pasted over the facts": (pasted_aside(5), "the report gives"),
    "a block pasted beside the list": (pasted_aside(40), "it is beside the list"),
    "a row copied over its neighbour": (copied_over_its_neighbour, "row 2 has the same user"),
    "a row deleted": (lambda book: book[UNUSED].delete_rows(3), "has 3 users, and had 4 when"),
    "all rows deleted": (lambda book: book[UNUSED].delete_rows(2, 9), "has 0 users, and had 4"),
    "a list deleted": (lambda book: book.remove(book[INACTIVE]), "has 0 users, and had 1 when"),
    "the Summary deleted": (lambda book: book.remove(book[SUMMARY]), "it has no Summary"),
    "a count of the Summary edited": (a_number_in_the_summary, "users, and had"),
    "decisions merged": (merged("C2:C4"), "merged cells ('C2:C4')"),
    "rows merged": (merged("A2:A3"), "merged cells"),
    "the names swapped": (shown("ann", "User", "bob"), "cell B2: the report gives"),
    "the account edited": (shown("ann", "Account", "111122223333"), 'gives "012345678901"'),
    "the ARN edited": (
        shown("ann", "ARN", "arn:aws:iam::012345678901:user/bob"),
        "the report gives",
    ),
    "the creation edited": (shown("ann", "Created", 40000.5), "the report gives"),
    "the as-of edited": (shown("ann", "As of (UTC)", 50000.5), "the report gives"),
    "a verdict swapped": (shown("emil", "Verdict", "retired", INACTIVE), 'gives "dormant"'),
    "certain typed over check": (shown("cid", "Certainty", "certain"), 'gives "check"'),
    "a caveat emptied": (shown("cid", "Check first", None), "the report gives"),
    "a password typed in": (shown("ann", "Password", "enabled"), 'gives "none"'),
    "an age edited": (shown("ann", "Age in days", 12), 'gives "900"'),
    "records swapped": (record_of_another, "the report gives"),
    "a record emptied": (shown("ann", "Record", None), "the record of this row is gone"),
    "a record that is none": (shown("ann", "Record", "{}"), "not a record"),
    "a row without a record added": (
        lambda book: book[UNUSED].append(["012345678901", "zoe", "delete", "Anna", ON]),
        "the record of this row is gone",
    ),
    "a cell of the record edited": (
        record_edited('"password_enabled":"true"', '"password_enabled":"false"'),
        "the report gives",
    ),
    "a check typed over": (ok_typed_over, "the formula of this check was typed over"),
    "a decision by a formula": (
        entered("ann", ("=C3", "Anna", ON, None, None)),
        "a formula, whose result may change",
    ),
    "another word": (entered("ann", ("remove", *ENTRY[1:])), "not a decision ('remove')"),
    "the word of the program": (entered("ann", ("conflict", *ENTRY[1:])), "not a decision"),
    "an entry without a decision": (
        entered("ann", (None, "Anna", ON, None, None)),
        "an entry without a decision",
    ),
    "a comment alone": (entered("ann", (None, None, None, None, "ask")), "without a decision"),
    "no name": (entered("ann", ("delete", None, ON, None, None)), "Decided by, cell D2"),
    "no day": (entered("ann", ("delete", "Anna", None, None, None)), "the cell is empty"),
    "a German day": (entered("ann", ("delete", "Anna", "04.05.2026", None, None)), "not a date"),
    "an American day": (entered("ann", ("delete", "Anna", "5/4/2026", None, None)), "not a date"),
    "a day that is none": (
        entered("ann", ("delete", "Anna", "2026-02-30", None, None)),
        "not a date",
    ),
    "a day with a time": (entered("ann", ("delete", "Anna", 46146.5, None, None)), "not a date"),
    "a keep without a reason": (entered("ann", ("keep", "Anna", ON, None, None)), "why the user"),
    "an error as a day": (entered("ann", ("delete", "Anna", "#N/A", None, None)), "not a date"),
    "a copy of a column": (
        lambda book: setattr(
            book[UNUSED].cell(1, book[UNUSED].max_column + 1), "value", "Decision2"
        ),
        "the column looks like a copy",
    ),
    "a head twice": (
        lambda book: setattr(book[UNUSED]["H1"], "value", "Decision"),
        "the column is there twice",
    ),
    **{
        f"the column {head} deleted": (without_column(head), f"column {head}: the column is gone")
        for head in ("Account", "User", *HEADS, "ARN", "Record")
    },
}


@pytest.mark.parametrize(("edit", "problem"), REFUSED.values(), ids=REFUSED)
def test_what_would_hit_the_wrong_user_or_lose_an_entry_is_refused_by_name(
    written: bytes, edit: Edit, problem: str
) -> None:
    problems = refused(edited(written, entered("ann"), edit))
    assert any(problem in each for each in problems), problems
    assert all(each.startswith("r.xlsx") for each in problems)


def test_every_problem_is_named_with_its_cell(written: bytes) -> None:
    content = edited(
        written,
        entered("ann", ("remove", None, "soon", None, None)),
        shown("bob", "Password", "none"),
    )
    problems = refused(content)
    assert [each.split(":")[0] for each in problems] == [
        f"r.xlsx, sheet {UNUSED}, row 3, column Password, cell O3",
        f"r.xlsx, sheet {UNUSED}, row 2, column Decision, cell C2",
        f"r.xlsx, sheet {UNUSED}, row 2, column Decided by, cell D2",
        f"r.xlsx, sheet {UNUSED}, row 2, column Decided on, cell E2",
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "not an Excel workbook"),
        (b"account,user\n", "not an Excel workbook"),
        (b"PK\x03\x04 and no more", "damaged"),
    ],
)
def test_what_is_no_workbook_is_refused_in_a_sentence(content: bytes, problem: str) -> None:
    (only,) = refused(content)
    assert only.startswith("r.xlsx: ")
    assert problem in only


def test_a_workbook_of_another_kind_is_refused() -> None:
    (only,) = refused(saved(Workbook()))
    assert "it has no list with a column Decision" in only


def test_a_list_alone_in_a_new_workbook_is_refused(written: bytes) -> None:
    frame = pd.read_excel(io.BytesIO(written), sheet_name=UNUSED)
    stream = io.BytesIO()
    frame.to_excel(stream, index=False)
    (only,) = refused(stream.getvalue())
    assert "it has no Summary" in only


# With the reports


def test_a_workbook_is_what_its_reports_give(analysis: Analysis, written: bytes) -> None:
    (entries,) = read_files([("r.xlsx", edited(written, entered("ann")))], analysis)
    assert [line.user for line in entries.lines] == ["ann"]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"baseline":"2026-05-01', '"baseline":"2026-04-01', "baseline is not what"),
        ('"same_second":[]', '"same_second":["x"]', "same_second is not what"),
        ('"access_key_1_last_used_region":"N/A"', '"access_key_1_last_used_region":""', "cells is"),
    ],
)
def test_a_record_that_was_forged_is_refused_by_the_reports(
    analysis: Analysis, written: bytes, old: str, new: str, problem: str
) -> None:
    content = edited(written, record_edited(old, new))
    assert len(read_files([("r.xlsx", content)])) == 1
    with pytest.raises(InputRefused, match=problem):
        read_files([("r.xlsx", content)], analysis)


def test_a_workbook_of_other_reports_is_refused(written: bytes) -> None:
    other = analysis_of(*USERS[1:])
    with pytest.raises(InputRefused, match="no report named has row 3 of this SHA-256"):
        read_files([("r.xlsx", written)], other)


def test_a_workbook_judged_by_other_criteria_is_refused(analysis: Analysis, written: bytes) -> None:
    other = analyzer.analyze(analysis.report, analyzer.Criteria(dormant_days=30))
    with pytest.raises(InputRefused, match="dormant_days is not what the report gives: 30"):
        read_files([("r.xlsx", written)], other)


def test_the_problems_of_all_files_are_named_together(written: bytes) -> None:
    wrong = edited(written, entered("ann", ("remove", *ENTRY[1:])))
    with pytest.raises(InputRefused) as error:
        read_files([("a.xlsx", wrong), ("b.xlsx", wrong), ("c.csv", b"decision\n")])
    assert {each.file.split(",")[0] for each in error.value.problems} == {
        "a.xlsx",
        "b.xlsx",
        "c.csv",
    }


# What is not written over


def test_a_workbook_that_holds_entries_is_known_by_them(written: bytes, tmp_path: Any) -> None:
    path = tmp_path / "r.xlsx"
    assert not holds_entries(path)
    for content, expected in (
        (written, False),
        (edited(written, entered("ann", (None, None, None, "7", None))), True),
        (saved(Workbook()), False),
        (b"no workbook", False),
        (written[:2000], True),
    ):
        path.write_bytes(content)
        assert holds_entries(path) is expected
    assert not holds_entries(tmp_path / "r.csv")


# Bounds, and what is empty


ERASE = ("erase", *ENTRY[1:])


def test_many_problems_end_the_reading(written: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.sources.review_workbook._CHUNK", 1)
    monkeypatch.setattr("analyzer.sources.review_workbook._MOST_PROBLEMS", 0)
    content = edited(written, entered("ann", ERASE), entered("bob", ERASE))
    assert len(refused(content)) < len(refused_at_all(content, monkeypatch))


def refused_at_all(content: bytes, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.undo()
    return refused(content)


def test_blanks_below_and_beside_a_list_are_nothing(written: bytes) -> None:
    def blanks(book: Workbook) -> None:
        sheet = book[UNUSED]
        sheet.cell(2, sheet.max_column + 3).value = " "
        sheet.cell(sheet.max_row + 2, column(sheet, "Last activity (UTC)")).value = " "

    assert decisions(edited(written, entered("ann"), blanks)) == {"ann": "delete"}


def test_a_summary_without_its_counts_is_refused(written: bytes) -> None:
    def without_counts(book: Workbook) -> None:
        for row in book[SUMMARY].iter_rows():
            if row[0].value == UNUSED and isinstance(row[2].value, int):
                row[2].value = None

    assert "the Summary has no count" in " ".join(refused(edited(written, without_counts)))
