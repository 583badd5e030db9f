"""Whatever somebody forges in a workbook is found by its reports."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from openpyxl.formatting.rule import Rule
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.styles.numbers import NumberFormat
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

import analyzer
from analyzer.analysis.analysis import Analysis
from analyzer.decisions.review_list_layout import REVIEW
from analyzer.lists.owners import read_owners
from analyzer.report.model import Exemption
from analyzer.terms import VERSION, SplitBy
from analyzer.writers.workbook import split
from tests.support.builders import ACCOUNT, a_key, a_user, days_before
from tests.support.decisions import OTHER_ACCOUNT, analysis_of, ledger_of, line
from tests.support.review import (
    UNUSED,
    USERS,
    Edit,
    column,
    edited,
    edited_book,
    entered,
    problems_of,
    put,
    read_back,
    reorder,
    review_edited,
    review_of,
    review_text_edited,
    row_of,
    shown,
)
from tests.support.workbooks import file_of

INACTIVE = "Inactive users"
EMIL = a_user("emil", key_1=a_key(days_before(500), days_before(300)), created=days_before(500))
LISTED = (*USERS, EMIL)
DELETED = entered("ann", ("delete", "Anna", "2026-05-04", "SEC-1", "left"))


@cache
def whole() -> bytes:
    """Return the workbook of a review with a decision."""
    return edited(review_of(*LISTED), DELETED)


@cache
def analysis() -> Analysis:
    return analysis_of(*LISTED)


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


def summary_of_another_review(book: Workbook) -> None:
    other = edited_book(review_of(*USERS[:2]))["Summary"]
    texts = [cell.value for (cell, *_) in other.iter_rows() if str(cell.value).startswith(REVIEW)]
    for cell, *_ in book["Summary"].iter_rows():
        if str(cell.value).startswith(REVIEW):
            cell.value = texts[0]


def without_hidden_cell(book: Workbook) -> None:
    for cell, *_ in book["Summary"].iter_rows():
        if str(cell.value).startswith(REVIEW):
            cell.value = None


def of_cell(user: str, head: str, attribute: str, value: Any, title: str = UNUSED) -> Edit:
    """Return what sets something of one cell of a user."""

    def edit(book: Workbook) -> None:
        sheet = book[title]
        setattr(sheet.cell(row_of(sheet, user), column(sheet, head)), attribute, value)

    return edit


def shown_in_front(sheet: Worksheet) -> None:
    """Show other exposures in front, and leave the column of the report behind them."""
    sheet.insert_cols(1)
    for row in range(1, sheet.max_row + 1):
        put(sheet, row, 1, "none" if row > 1 else "Exposure")


def shown_by_a_conditional_format(sheet: Worksheet) -> None:
    dxf = DifferentialStyle(numFmt=NumberFormat(200, '"12"'))
    rule = Rule(type="cellIs", operator="greaterThan", formula=["0"], dxf=dxf)
    sheet.conditional_formatting.add("A1:Z9", rule)


EXPOSED = "password-without-mfa"
HIDDEN = "the hidden cell of its Summary, with what it was made by, is gone or was changed"


def report_says(text: str, cell: str) -> str:
    return f"{text} in the report; this file says {cell}"


CHEATS: dict[str, tuple[Edit, str]] = {
    "a name typed over": (shown("ann", "User", "tom"), report_says("ann", "tom")),
    "an ARN of another user": (
        shown("ann", "ARN", f"arn:aws:iam::{ACCOUNT}:user/bob"),
        "rows 2 and 3 are the same user",
    ),
    "an ARN of nobody": (
        shown("ann", "ARN", f"arn:aws:iam::{ACCOUNT}:user/zoe"),
        "column ARN, cell U2: the reports do not put this user on these lists",
    ),
    "an ARN emptied": (shown("ann", "ARN", None), "column ARN, cell U2: an entry, but no user"),
    "an ARN emptied beside an entry that is not valid": (
        steps(
            shown("bob", "Decision", "delet"),
            shown("bob", "Decided on", "2026-05-04"),
            shown("bob", "ARN", None),
        ),
        "an entry, but no user",
    ),
    "an ARN emptied beside a decision by a formula": (
        steps(of_cell("bob", "Decision", "value", '="delete"'), shown("bob", "ARN", None)),
        "an entry, but no user",
    ),
    "an ARN by a formula": (shown("bob", "ARN", "=A2"), "the reports put more users on its lists"),
    "a creation time": (
        shown("ann", "Created", 40000.5),
        "column Created, cell K2: 2023-11-13T12:00:00Z in",
    ),
    "an age": (shown("ann", "Age in days", 12), report_says("900", "12")),
    "an age emptied": (shown("ann", "Age in days", None), report_says("900", "nothing")),
    "an exposure": (shown("ann", "Exposure", "none"), report_says(EXPOSED, "none")),
    "an exposure by a formula": (
        of_cell("ann", "Exposure", "value", '="none"'),
        "column Exposure, cell G2: a formula, whose result may change",
    ),
    "an age by a format": (
        of_cell("ann", "Age in days", "number_format", '"12"'),
        'a number format can show another value: "12"',
    ),
    "an age in hundreds": (
        of_cell("ann", "Age in days", "number_format", "0%"),
        "a number format can show another value: 0%",
    ),
    "a word by a format": (
        of_cell("ann", "Decision", "number_format", ';;;"keep"'),
        'column Decision, cell A2: a number format can show another value: ;;;"keep"',
    ),
    "a conditional format": (
        in_list(shown_by_a_conditional_format),
        'a conditional format can show other values than the cells have: "12"',
    ),
    "a column in front": (in_list(shown_in_front), "the column is there twice"),
    "a last use": (
        shown("emil", "Key 1 last used (UTC)", "never", INACTIVE),
        report_says("2025-07-05T12:00:00Z", "never"),
    ),
    "a verdict": (shown("emil", "Verdict", "retired", INACTIVE), report_says("dormant", "retired")),
    "idle days": (shown("emil", "Idle days", 900, INACTIVE), report_says("300", "900")),
    "MFA": (shown("cid", "MFA", "no"), report_says("yes", "no")),
    "a certificate": (shown("cid", "Certificate 1", "none"), "in the report; this file says none"),
    "names of two rows swapped": (swap("User"), "rows 2-3: columns A-F were sorted without the"),
    "ARNs of two rows swapped": (swap("ARN"), "rows 2-3: columns A-K were sorted without the"),
    "the block sorted apart": (
        in_list(lambda sheet: reorder(sheet, lambda rows: rows[::-1], 6, 1)),
        "rows 2-3, 5-6: columns A-F were sorted without the others",
    ),
    "a row over its neighbour": (
        in_list(lambda sheet: row_copied(sheet, 3)),
        "row 3, column ARN, cell U3: rows 2 and 3 are the same user",
    ),
    "a row doubled": (
        in_list(lambda sheet: row_copied(sheet, 7)),
        "row 7, column ARN, cell U7: rows 2 and 7 are the same user",
    ),
    "a row taken out, and the numbers of the Summary fitted": (
        steps(row_taken_out("cid"), numbers_fitted),
        f"the reports put more users on its lists, 1 user: arn:aws:iam::{ACCOUNT}:user/cid",
    ),
    "a list deleted": (
        lambda book: book.remove(book[INACTIVE]),
        f"the reports put more users on its lists, 1 user: arn:aws:iam::{ACCOUNT}:user/emil",
    ),
    "a row of another review below": (
        of_another_review(7),
        "row 7, column ARN, cell U7: the reports do not put this user on these lists",
    ),
    "a row of another review instead": (of_another_review(2), "do not put this user"),
    "find and replace over the whole workbook": (
        replaced_everywhere(ACCOUNT, OTHER_ACCOUNT),
        "the reports do not put this user on these lists",
    ),
    "the limits in the hidden cell": (
        replaced_everywhere('"idle_days":90', '"idle_days":900'),
        "the reports do not put this user on these lists",
    ),
    "a limit that is none": (replaced_everywhere('"idle_days":90', '"idle_days":-9'), HIDDEN),
    "a limit without end": (
        replaced_everywhere('"idle_days":90', f'"idle_days":1{"0" * 400}'),
        HIDDEN,
    ),
    "an age that is none": (replaced_everywhere('"min_age":0', '"min_age":-1'), HIDDEN),
    "an age without end": (replaced_everywhere('"min_age":0', f'"min_age":1{"0" * 30}'), HIDDEN),
    "an exposure that is none": (
        replaced_everywhere('"exposures":[]', '"exposures":["!bob"]'),
        HIDDEN,
    ),
    "an empty pattern": (replaced_everywhere('"users":[]', '"users":["!"]'), HIDDEN),
    "an exemption without a reason": (
        replaced_everywhere('"exempt":[]', '"exempt":[["ann",""]]'),
        HIDDEN,
    ),
    "a cell that is no JSON": (replaced_everywhere('"idle_days":90', '"idle_days":90]'), HIDDEN),
    "another form": (replaced_everywhere('"form":2', '"form":7'), "(form 7), this is form 2"),
    "a time that is none": (replaced_everywhere('12:00:00Z"]', '"]'), HIDDEN),
    "the hidden cell removed": (without_hidden_cell, HIDDEN),
    "the Summary of another review": (
        summary_of_another_review,
        "the reports do not put this user on these lists",
    ),
    "the SHA-256 of the report": (
        review_edited(reports=[("a.csv", "a" * 64, "2026-05-01T12:00:00Z")]),
        "its rows come from reports that --report did not include: a.csv",
    ),
    "the as-of of the report": (
        review_text_edited("01T12:00:00Z", "01T13:00:00Z"),
        "was judged as of 2026-05-01T13:00:00Z, and now as of 2026-05-01T12:00:00Z",
    ),
    "a list of exemptions": (
        review_edited(lists=[("exemptions", "exempt.csv", "b" * 64)]),
        f"it was made with exempt.csv, SHA-256 {'b' * 64}, which is missing",
    ),
}
"""What is forged: `collect` finds it, as it makes the lists anew."""


@pytest.mark.parametrize(("edit", "problem"), CHEATS.values(), ids=CHEATS)
def test_collecting_finds_what_is_forged_in_a_workbook(edit: Edit, problem: str) -> None:
    problems = problems_of(edited(whole(), edit))
    assert any(problem in each for each in problems), problems


def test_what_narrows_the_review_in_the_hidden_cell_is_said() -> None:
    for fields, name, told in (
        ({"users": ["*n*", "bob", "=*", "e*"]}, "cid", "users ['*n*', 'bob', '=*', 'e*']"),
        ({"exempt": [("cid", "x")]}, "cid", "exempt [('cid', 'x')]"),
    ):
        content = edited(whole(), row_taken_out(name), review_edited(**fields))
        assert [each for each in read_back(content).notes if told in each]


def test_a_workbook_is_what_its_reports_give_and_may_lack_users_with_a_word() -> None:
    read = read_back(whole())
    assert ([each.user for each in read.lines], read.notes) == (["ann"], ())
    keep = line("keep", USERS[2])
    content = file_of(analysis_of(*LISTED, ledger=ledger_of(keep)))
    (problem,) = problems_of(content)
    assert "made with decisions.csv, which left out 1 user: " in problem
    assert not read_back(content, decided={keep.subject}).lines
    (problem,) = problems_of(content, decided={line("keep", USERS[0]).subject})
    assert "the reports put more users on its lists, 1 user: " in problem


def test_a_refusal_names_another_version_that_wrote_the_workbook() -> None:
    other = edited(whole(), shown("ann", "Exposure", "open"), review_edited(version="0.0.9"))
    refused, difference = problems_of(other)
    assert f"r.xlsx: 0.0.9 of credreport wrote it, and this is {VERSION}" in refused
    assert report_says(EXPOSED, "open") in difference
    assert read_back(edited(whole(), review_edited(version="0"))).lines


SENTENCE = "not what this version of credreport says of the user"


@pytest.mark.parametrize("head", ["Why", "Check first"])
@pytest.mark.parametrize("text", ["left", "", None, "one\ntwo"])
def test_sentences_of_the_same_version_are_compared(head: str, text: str | None) -> None:
    other = edited(whole(), shown("cid", head, text))
    (problem,) = problems_of(other)
    assert f"column {head}, cell " in problem
    assert SENTENCE in problem
    read = read_back(edited(other, review_edited(version="0.0.9")))
    note = "Not compared, r.xlsx: Why and Check first, sentences of a version."
    assert (bool(read.lines), read.notes) == (True, (note,))


EXEMPTIONS = b"account,user,reason,owner,expires\n*,cid,break-glass,IT,\n"
OWNERS = f"account,user,owner\n{ACCOUNT},ann,Tom\n{ACCOUNT},bob,Eva\n".encode()


def test_a_workbook_is_compared_with_the_lists_and_the_part_it_was_made_of() -> None:
    exemptions = analyzer.read_exemptions(("e.csv", EXEMPTIONS))
    owners = read_owners("o.csv", OWNERS)
    criteria = analyzer.Criteria(idle_days=30)
    made = analyzer.analyze(analysis().report, criteria, exemptions, owners=owners)
    part = made.where(analyzer.Filter(users=("ann", "b*"), accounts=("0*",), min_age=9))
    files = dict(split(part, SplitBy.OWNER).files())
    lists = [("e.csv", EXEMPTIONS), ("o.csv", OWNERS)]
    read = read_back(files["tom.xlsx"], "tom.xlsx", lists=lists)
    assert [each.user[:2] for each in read.open_rows] == [(ACCOUNT, "ann")]
    (note,) = read.notes
    assert note == (
        f"tom.xlsx lists only idle_days 30, split owner, part Tom, accounts ['{ACCOUNT}'],"
        " users ['ann', 'b*'], min_age 9."
    )
    for given, lacking in (([], "e.csv"), (lists[:1], "o.csv"), (lists[1:], "e.csv")):
        (problem,) = problems_of(files["tom.xlsx"], lists=given)
        assert f"it was made with {lacking}, SHA-256" in problem
    files = dict(split(made, SplitBy.ACCOUNT).files())
    assert read_back(files[f"{ACCOUNT}.xlsx"], lists=lists[:1]).open_rows


def test_a_workbook_is_compared_with_the_entries_of_exempt_that_it_names() -> None:
    entries = analyzer.read_exemptions(("e.csv", EXEMPTIONS))
    by_option = replace(entries, entries=(*entries, Exemption.of_option("b* = robots")))
    content = file_of(analyzer.analyze(analysis().report, exemptions=by_option))
    read = read_back(content, lists=[("e.csv", EXEMPTIONS)])
    assert "r.xlsx lists only exempt [('b*', 'robots')]." in read.notes
    assert not [row for row in read.open_rows if row.user.name == "bob"]
    forged = edited(content, review_edited(exempt=[]))
    (problem,) = problems_of(forged, lists=[("e.csv", EXEMPTIONS)])
    assert f"the reports put more users on its lists, 1 user: arn:aws:iam::{ACCOUNT}:" in problem
