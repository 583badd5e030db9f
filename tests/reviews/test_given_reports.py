"""The lists of a review are made anew from the reports that are given, or something is named."""

from functools import partial
from typing import Any

import pytest
from openpyxl.workbook import Workbook

import analyzer
from analyzer.errors import InputRefused
from analyzer.lists.owners import read_owners
from analyzer.report.input_formats import InputLimit
from analyzer.sources.source import Source
from analyzer.terms import SplitBy
from analyzer.writers.workbook import split
from tests.support.builders import a_user, days_before
from tests.support.decisions import in_accounts
from tests.support.review import (
    UNUSED,
    USERS,
    column,
    edited,
    entered,
    problems_of,
    read_back,
    review_of,
    row_of,
)

OWNERS = b"account,user,owner\n000000000000,*,Tom\n000000000001,*,Tom\n*,*,Eva\n"
ENTRY: tuple[Any, ...] = ("delete", "Anna", "2026-05-04", None, None)


def unreadable(_: InputLimit) -> bytes:
    raise PermissionError(13, "Permission denied")


def test_a_report_that_cannot_be_read_is_named() -> None:
    sources = [Source("closed.csv", unreadable), Source("notes.md", b"x", is_skipped=True)]
    with pytest.raises(InputRefused) as refused:
        read_back(review_of(*USERS), sources=sources)
    assert "closed.csv" in str(refused.value)


def as_number(user: str, head: str, book: Workbook) -> None:
    sheet = book[UNUSED]
    sheet.cell(row_of(sheet, user), column(sheet, head)).number_format = "General"


def test_a_moment_that_is_shown_as_a_number_is_the_same_moment() -> None:
    content = edited(review_of(*USERS), entered("ann", ENTRY), partial(as_number, "ann", "Created"))
    assert [line.user for line in read_back(content).lines] == ["ann"]


@pytest.mark.parametrize("by", SplitBy)
def test_each_workbook_of_a_split_of_one_report_with_two_accounts_is_what_it_gives(
    by: SplitBy,
) -> None:
    """The users of a workbook may be of one of the accounts only."""
    users = [[a_user("deploy", created=days_before(900))], [a_user("eve")]]
    report = in_accounts(days_before(0), *(((), each) for each in users)).report
    owned = OWNERS if by is SplitBy.ACCOUNT else OWNERS.replace(b"1,*,Tom", b"1,*,Eva")
    for owners in (OWNERS, owned):
        made = analyzer.analyze(report, owners=read_owners("o.csv", owners))
        books = {name: book for name, book in split(made, by).files() if name.endswith(".xlsx")}
        for name, content in books.items():
            read = read_back(content, name, lists=[("o.csv", owners)])
            assert len(read.open_rows) == 2 // len(books)


def test_a_list_that_decides_who_is_listed_is_needed() -> None:
    report = in_accounts(days_before(0), ((), USERS)).report
    made = analyzer.analyze(report, owners=read_owners("o.csv", OWNERS))
    content = dict(split(made, SplitBy.OWNER).files())["tom.xlsx"]
    (problem,) = problems_of(content, name="tom.xlsx")
    assert "it was made with o.csv, SHA-256" in problem
    assert "Name it, as it was then, with --list." in problem
