"""Whatever somebody forges in a workbook is found: by the workbook alone, or by its reports."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

import analyzer
from analyzer.analysis.analysis import Analysis
from analyzer.decisions.review_list_layout import REVIEW
from analyzer.lists.owners import read_owners
from analyzer.report.model import Exemption
from analyzer.reviews.comparison import GivenReports
from analyzer.reviews.entries import read_files
from analyzer.terms import VERSION, SplitBy
from analyzer.writers.workbook import split
from tests.support.builders import ACCOUNT, a_key, a_user, days_before
from tests.support.decisions import OTHER_ACCOUNT, TODAY, analysis_of, ledger_of, line
from tests.support.review import (
    UNUSED,
    USERS,
    Edit,
    column,
    edited,
    edited_book,
    entered,
    given_reports,
    problems_of,
    put,
    record_edited,
    reorder,
    review_edited,
    review_of,
    row_of,
    shown,
)
from tests.support.workbooks import file_of

INACTIVE = "Inactive users"
EMIL = a_user("emil", key_1=a_key(days_before(500), days_before(300)), created=days_before(500))
LISTED = (*USERS, EMIL)
BOB_DECIDED = line("delete", USERS[1])
DELETED = entered("ann", ("delete", "Anna", "2026-05-04", "SEC-1", "left"))


@cache
def whole() -> bytes:
    """Return the workbook of a review after a decision on one of the users."""
    return edited(review_of(*LISTED, decided=BOB_DECIDED), DELETED)


@cache
def analysis() -> Analysis:
    return analysis_of(*LISTED)


def given(**lists: Any) -> GivenReports:
    return given_reports(analysis(), **lists)


def in_list(edit: Callable[[Worksheet], object], title: str = UNUSED) -> Edit:
    return lambda book: edit(book[title])


def steps(*edits: Edit) -> Edit:
    return lambda book: [edit(book) for edit in edits]


def row_taken_out(user: str, title: str = UNUSED) -> Edit:
    return in_list(lambda sheet: sheet.delete_rows(row_of(sheet, user)), title)


def numbers_fitted(book: Workbook) -> None:
    for row in book["Summary"].iter_rows():
        for cell in row:
            if row[0].value == UNUSED and cell.value == len(USERS):
                cell.value = len(USERS) - 1


def replaced_everywhere(old: str, new: str) -> Edit:
    """Return what find-and-replace over all sheets does."""

    def edit(book: Workbook) -> None:
        for sheet in book.worksheets:
            for cell in (cell for row in sheet.iter_rows() for cell in row):
                if isinstance(cell.value, str) and old in cell.value:
                    cell.value = cell.value.replace(old, new)

    return edit


def row_copied(sheet: Worksheet, to: int) -> None:
    for cell in sheet[2]:
        put(sheet, to, int(str(cell.column)), cell.value)


def of_another_review(row: int) -> Edit:
    """Return what pastes a row of another account's review into the list."""

    def edit(sheet: Worksheet) -> None:
        other = edited_book(review_of(a_user("zoe", account=OTHER_ACCOUNT)))[UNUSED]
        for head, value in zip(other[1], other[2], strict=True):
            heads = [cell.value for cell in sheet[1]]
            if head.value in heads:
                put(sheet, row, column(sheet, str(head.value)), value.value)

    return in_list(edit)


def swap(head: str) -> Edit:
    def edit(sheet: Worksheet) -> None:
        one, other = (sheet.cell(row, column(sheet, head)) for row in (2, 3))
        one.value, other.value = other.value, one.value

    return in_list(edit)


def on_follow_up(row: int, **words: str) -> Edit:
    def edit(book: Workbook) -> None:
        sheet = book["Follow-up"]
        for head, word in words.items():
            put(sheet, row, column(sheet, head), word)

    return edit


def summary_of_another_review(book: Workbook) -> None:
    other = edited_book(review_of(*USERS[:2], decided=BOB_DECIDED))["Summary"]
    texts = [cell.value for (cell, *_) in other.iter_rows() if str(cell.value).startswith(REVIEW)]
    for cell, *_ in book["Summary"].iter_rows():
        if str(cell.value).startswith(REVIEW):
            cell.value = texts[0]


def without_review_record(book: Workbook) -> None:
    for cell, *_ in book["Summary"].iter_rows():
        if str(cell.value).startswith(REVIEW):
            cell.value = None


EXPOSED = "password-without-mfa"


def report_says(text: str, cell: str) -> str:
    return f"{text} in the report; this file says {cell}"


NOT_FOUND_ALONE: dict[str, tuple[Edit, str]] = {
    "a cell and its record": (
        steps(
            shown("emil", "Why", "dormant: working credentials idle for 900 days", INACTIVE),
            record_edited(
                *("emil", "idle for 300 days", "idle for 900 days"),
                INACTIVE,
            ),
        ),
        report_says("dormant: working credentials idle for 300 days", "dormant: "),
    ),
    "a cell of the report in the record": (
        record_edited("cid", '"mfa_active":"true"', '"mfa_active":"false"'),
        "its record has mfa_active false, and the report gives true",
    ),
    "the baseline": (
        record_edited("ann", '"baseline":"2026-05-01', '"baseline":"2026-04-01'),
        "its record has baseline 2026-04-01T12:00:00Z, and the report gives 2026-05-01T12:00:00Z",
    ),
    "the names of one second": (
        record_edited("bob", '"same_second":["bob"]', '"same_second":["x"]'),
        "its record has same_second ['x'], and the report gives ['bob']",
    ),
    "the service credentials": (
        record_edited("bob", '"service_credentials":""', '"service_credentials":"s"'),
        "its record has service_credentials s, and the report gives ",
    ),
    "the as-of of a row": (
        record_edited("bob", '"as_of":"2026-05-01T12:', '"as_of":"2026-05-01T13:'),
        "the reports do not put this user on this list",
    ),
    "the list of a row": (
        steps(
            record_edited("ann", f'"title":"{UNUSED}"', f'"title":"{INACTIVE}"'),
            review_edited(listed={UNUSED: 4, INACTIVE: 2, "Undetermined": 0}),
        ),
        "the reports do not put this user on this list",
    ),
    "a name everywhere, with the digests": (
        review_edited("anna", "bobo"),
        "the reports do not put this user on this list",
    ),
    "a row taken out, and the count in the record of the review": (
        steps(
            row_taken_out("cid"),
            numbers_fitted,
            review_edited(listed={UNUSED: 4, INACTIVE: 1, "Undetermined": 0}),
        ),
        f"the reports put more users on its lists, 1 user: arn:aws:iam::{ACCOUNT}:user/cid",
    ),
    "a list taken out, and its count": (
        steps(
            lambda book: book.remove(book[INACTIVE]),
            review_edited(listed={UNUSED: 5, INACTIVE: 0, "Undetermined": 0}),
        ),
        f"the reports put more users on its lists, 1 user: arn:aws:iam::{ACCOUNT}:user/emil",
    ),
    "the SHA-256 of the report": (
        review_edited(analysis().report.files[0].sha256, "a" * 64),
        "6 rows come from reports that --report did not include: status_reports_2026",
    ),
    "another list of exemptions": (
        review_edited(lists=[("exemptions", "b" * 64, "exempt.csv")]),
        f"it was made with the list of SHA-256 {'b' * 64}, and --exemptions names another or none",
    ),
}
"""What is forged in cells and records, with their digests: `collect --report` finds it."""

CHANGED = "the record of this row was changed"
FOUND_ALONE: dict[str, tuple[Edit, str]] = {
    "a name typed over": (shown("ann", "User", "tom"), report_says("ann", "tom")),
    "an account": (shown("ann", "Account", OTHER_ACCOUNT), report_says(ACCOUNT, OTHER_ACCOUNT)),
    "an account as a number": (shown("ann", "Account", 12345678901), "this file says 12345678901"),
    "an ARN": (
        shown("ann", "ARN", f"arn:aws:iam::{ACCOUNT}:user/bob"),
        "column ARN, cell AD2: arn:aws:iam",
    ),
    "a creation time": (
        shown("ann", "Created", 40000.5),
        "column Created, cell N2: 2023-11-13T12:00:00Z in",
    ),
    "an age": (shown("ann", "Age in days", 12), report_says("900", "12")),
    "a caveat emptied": (shown("cid", "Check first", None), "; this file says nothing"),
    "an exposure": (shown("ann", "Exposure", "none"), report_says(EXPOSED, "none")),
    "a last use": (
        shown("emil", "Key 1 last used (UTC)", "never", INACTIVE),
        report_says("2025-07-05T12:00:00Z", "never"),
    ),
    "a verdict": (shown("emil", "Verdict", "retired", INACTIVE), report_says("dormant", "retired")),
    "names of two rows swapped": (swap("User"), "rows 2-3: columns B-G were sorted without the"),
    "records of two rows swapped": (swap("Record"), "rows 2-3: columns B-AD were sorted without"),
    "the block sorted apart": (
        in_list(lambda sheet: reorder(sheet, lambda rows: rows[::-1], 7, 2)),
        "rows 2-3, 5-6: columns B-G were sorted without the others",
    ),
    "a row over its neighbour": (
        in_list(lambda sheet: row_copied(sheet, 3)),
        "row 3, column Record, cell AE3: rows 2 and 3 are the same user",
    ),
    "a row doubled": (
        in_list(lambda sheet: row_copied(sheet, 7)),
        "row 7, column Record, cell AE7: rows 2 and 7 are the same user",
    ),
    "a row taken out, and the numbers of the Summary fitted": (
        steps(row_taken_out("cid"), numbers_fitted),
        f"{UNUSED} has 4 users, and had 5 when it was written",
    ),
    "a list deleted": (lambda book: book.remove(book[INACTIVE]), "has 0 users, and had 1 when"),
    "a row of another review below": (
        of_another_review(7),
        "row 7, column Record, cell AE7: a row of another workbook",
    ),
    "a row of another review instead": (of_another_review(2), "AE2: a row of another workbook"),
    "a record emptied": (shown("ann", "Record", None), "the record of this row is gone"),
    "a cell of a record": (
        record_edited("ann", '"verdict":"unused"', '"verdict":"active"', is_closed=False),
        CHANGED,
    ),
    "find and replace over the whole sheet": (
        replaced_everywhere(ACCOUNT, OTHER_ACCOUNT),
        f"rows 2-6, column Record: {CHANGED}",
    ),
    "the row of users.csv in a record, with its digest": (
        record_edited("ann", '"user":"ann"', '"user":"bob"'),
        "the ARN names another user",
    ),
    "the user of a record, with its digest": (
        record_edited("ann", f"{ACCOUNT}:user/ann", f"{ACCOUNT}:user/x/ann"),
        f"arn:aws:iam::{ACCOUNT}:user/x/ann in the report",
    ),
    "the record of the review edited": (
        replaced_everywhere('"idle_days":90', '"idle_days":9'),
        "the record of the review, hidden below its Summary, is gone or was changed",
    ),
    "the record of the review removed": (without_review_record, "is gone or was changed"),
    "the Summary of another review": (summary_of_another_review, "a row of another workbook"),
    "an earlier decision changed": (
        on_follow_up(2, Decided="keep"),
        "sheet Follow-up: earlier decisions were changed here, and are not read",
    ),
    "a decision added among the earlier ones": (
        on_follow_up(3, User="ann", Decided="delete"),
        "sheet Follow-up: earlier decisions were changed here",
    ),
}
"""What is forged without the digests: `collect` finds it."""


@pytest.mark.parametrize(("edit", "problem"), FOUND_ALONE.values(), ids=FOUND_ALONE)
def test_collecting_finds_what_is_forged_in_a_workbook(edit: Edit, problem: str) -> None:
    problems = problems_of(edited(whole(), edit))
    assert any(problem in each for each in problems), problems


@pytest.mark.parametrize(("edit", "problem"), NOT_FOUND_ALONE.values(), ids=NOT_FOUND_ALONE)
def test_the_reports_show_what_is_forged_with_its_record(edit: Edit, problem: str) -> None:
    content = edited(whole(), edit)
    assert read_files([("r.xlsx", content)], TODAY)
    problems = problems_of(content, given())
    assert any(problem in each for each in problems), problems


def test_a_workbook_is_what_its_reports_give_and_may_lack_users_with_a_word() -> None:
    (read,) = read_files([("r.xlsx", whole())], TODAY, given())
    assert ([each.user for each in read.lines], read.notes) == (["ann"], ())
    keep = line("keep", USERS[2])
    content = file_of(analysis_of(*LISTED, ledger=ledger_of(keep)))
    (problem,) = problems_of(content, given())
    assert "the reports put more users on its lists, 1 user: " in problem
    assert read_files([("r.xlsx", content)], TODAY, given(decided={keep.subject}))


def test_a_refusal_by_the_reports_names_another_version_that_wrote_the_workbook() -> None:
    other = edited(whole(), shown("ann", "Exposure", "open"), review_edited(version="0.0.9"))
    words = record_edited("ann", f'"Exposure":"{EXPOSED}"', '"Exposure":"open"')
    refused, difference = problems_of(edited(other, words), given())
    assert f"r.xlsx: 0.0.9 of credreport wrote the workbook, and this is {VERSION}" in refused
    assert report_says(EXPOSED, "open") in difference
    assert read_files([("r.xlsx", edited(whole(), review_edited(version="0")))], TODAY, given())


EXEMPTIONS = b"account,user,reason,owner,expires\n*,cid,break-glass,IT,\n"
OWNERS = f"account,user,owner\n{ACCOUNT},ann,Tom\n{ACCOUNT},bob,Eva\n".encode()


def test_a_workbook_is_compared_with_the_lists_and_the_part_it_was_made_of() -> None:
    exemptions = analyzer.read_exemptions(("e.csv", EXEMPTIONS))
    owners = read_owners("o.csv", OWNERS)
    criteria = analyzer.Criteria(idle_days=30)
    report = analysis().report
    made = analyzer.analyze(report, criteria, exemptions, owners=owners)
    lists = {"exemptions": exemptions, "owners": owners}
    part = made.where(analyzer.Filter(users=("ann", "b*"), accounts=("0*",), min_age=9))
    files = dict(split(part, SplitBy.OWNER).files())
    (read,) = read_files([("tom.xlsx", files["tom.xlsx"])], TODAY, given(**lists))
    assert [each.user[:2] for each in read.open_rows] == [(ACCOUNT, "ann")]
    (note,) = read.notes
    assert note == (
        f"tom.xlsx lists only idle_days 30, split owner, part Tom, accounts ['{ACCOUNT}'],"
        " users ['ann', 'b*'], min_age 9."
    )
    problems = problems_of(files["tom.xlsx"], given())
    assert ["--exemptions names" in each for each in problems] == [True, False]
    assert "Name the same list with --owners." in problems[1]
    files = dict(split(made, SplitBy.ACCOUNT).files())
    assert read_files([("a.xlsx", files[f"{ACCOUNT}.xlsx"])], TODAY, given(**lists))


def test_a_workbook_is_compared_with_the_entries_of_exempt_that_it_names() -> None:
    entries = analyzer.read_exemptions(("e.csv", EXEMPTIONS))
    by_option = replace(entries, entries=(*entries, Exemption.of_option("b* = robots")))
    made = analyzer.analyze(analysis().report, exemptions=by_option)
    content = file_of(made)
    (read,) = read_files([("r.xlsx", content)], TODAY, given(exemptions=entries))
    assert "r.xlsx lists only exempt [('b*', 'robots')]." in read.notes
    assert not [row for row in read.open_rows if row.user.name == "bob"]
    forged = edited(content, review_edited(exempt=[]))
    (problem,) = problems_of(forged, given(exemptions=entries))
    assert f"the reports put more users on its lists, 1 user: arn:aws:iam::{ACCOUNT}:" in problem
