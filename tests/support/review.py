"""Fill in a workbook as a reviewer does, and do to it what people do besides."""

import io
import pickle
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import openpyxl
import pytest
from openpyxl.workbook import Workbook
from openpyxl.worksheet.merge import MergedCellRange
from openpyxl.worksheet.worksheet import Worksheet

from analyzer.decisions.decision import LedgerLine
from analyzer.decisions.entries import DecisionFile
from analyzer.decisions.review import Review
from analyzer.decisions.review_list_layout import REVIEW
from analyzer.errors import InputRefused
from analyzer.reviews.entries import read_files
from analyzer.reviews.given_reports import GivenReports
from analyzer.writers.workbook import write_workbook
from analyzer.writers.workbook.book import SheetName
from analyzer.writers.workbook.listed_users import users_on_lists
from tests.support.builders import (
    Row,
    a_certificate,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
)
from tests.support.decisions import REPORTS, TODAY, analysis_of, ledger_of
from tests.support.workbooks import head_row

HEADS = ("Decision", "Decided by", "Decided on", "Ticket", "Comment")
UNUSED = "Unused users"

USERS = (
    a_user("ann", password=a_password(), created=days_before(900)),
    a_user("bob", password=a_password(), created=days_before(800)),
    a_user("cid", certificate_1=a_certificate(), mfa=True, created=days_before(700)),
    a_user("anna", key_1=an_inactive_key(), created=days_before(600)),
    a_user("=cmd", created=days_before(550)),
)
"""The unused users of a review."""

Edit = Callable[[Workbook], Any]
"""Does to an open workbook what a person does."""


def fill_in(
    workbook: Path,
    entries: Mapping[str, str],
    *,
    by: str = "Anna",
    on: date,
    copy: Path | None = None,
) -> Path:
    """Enter decisions by user name, in the workbook or in a copy; `=` before a word empties."""
    with patch.object(MergedCellRange, "format"):  # borders that nobody looks at
        book = openpyxl.load_workbook(workbook)
    filled: set[str] = set()
    for sheet in book.worksheets:
        top = head_row(sheet) if sheet.tables else 1
        columns = {cell.value: at for at, cell in enumerate(sheet[top], start=1)}
        if "Decision" not in columns:
            continue
        for row in sheet.iter_rows(min_row=top + 1):
            user = str(row[columns["User"] - 1].value)
            if word := entries.get(user):
                filled.add(user)
                comment = "needed" if word == "keep" else None
                cells: tuple[Any, ...] = (word, by, on, None, comment)
                for head, value in zip(HEADS, cells if word != "=" else (None,) * 5, strict=True):
                    sheet.cell(int(str(row[0].row)), columns[head]).value = value
    assert filled == set(entries), f"not listed: {sorted(set(entries) - filled)}"
    book.save(copy or workbook)
    return copy or workbook


@cache
def review() -> bytes:
    """Return the workbook of a review of these users, as it is written."""
    return review_of(*USERS)


def review_of(*users: Row, decided: LedgerLine | None = None) -> bytes:
    """Return the workbook of a review of these users, one of whom was decided on before."""
    ledger = ledger_of(decided) if decided else None
    stream = io.BytesIO()
    write_workbook(analysis_of(*users, ledger=ledger), stream)
    return stream.getvalue()


@cache
def written() -> bytes:
    """Return that workbook after a person saved it without the sheet that only explains."""
    return edited(review(), lambda book: book.remove(book["Method"]))


@lru_cache(maxsize=32)
def edited(content: bytes, *edits: Edit) -> bytes:
    """Return a workbook as it is after a person edited and saved it."""
    return saved(edited_book(content, *edits))


def edited_book(content: bytes, *edits: Edit) -> Workbook:
    """Return a workbook as it is after a person edited it."""
    book: Workbook = pickle.loads(_opened(content))
    for edit in edits:
        edit(book)
    return book


@lru_cache(maxsize=8)
def _opened(content: bytes) -> bytes:
    """Return an open workbook, pickled: ten times as fast as opening it again."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    for sheet in book.worksheets:
        if sheet.tables:
            sheet.delete_rows(1, head_row(sheet) - 1)  # Nothing reads the remarks above a list.
        sheet.tables.clear()  # They cannot be pickled, and nothing reads them.
    return pickle.dumps(book)


def saved(book: Workbook) -> bytes:
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def column(sheet: Worksheet, head: str) -> int:
    (at,) = (at for at, cell in enumerate(sheet[1], start=1) if cell.value == head)
    return at


def row_of(sheet: Worksheet, user: str) -> int:
    at = column(sheet, "User")
    (row,) = (
        cells[at - 1].row for cells in sheet.iter_rows(min_row=2) if cells[at - 1].value == user
    )
    return int(str(row))


def put(sheet: Worksheet, row: int, at: int, value: Any) -> None:
    """Enter a value; a text with `=` in front is one, as when an apostrophe was typed before it."""
    cell = sheet.cell(row, at)
    cell.value = value
    if isinstance(value, str):
        cell.data_type = "s"


Rows = list[list[Any]]


def reorder(
    sheet: Worksheet, order: Callable[[Rows], Rows], last: int = 99, first: int = 1
) -> None:
    """Put the rows below the heads in another order, in columns from the first to the last."""
    rows = [[cell.value for cell in row[first - 1 : last]] for row in sheet.iter_rows(min_row=2)]
    for at, values in enumerate(order(rows), start=2):
        for to, value in enumerate(values, start=first):
            put(sheet, at, to, value)


def entered(user: str, entry: tuple[Any, ...], title: str = UNUSED) -> Edit:
    """Return what fills the five cells of a user in."""

    def edit(book: Workbook) -> None:
        for head, value in zip(HEADS, entry, strict=True):
            shown(user, head, value, title)(book)

    return edit


def shown(user: str, head: str, value: Any, title: str = UNUSED) -> Edit:
    """Return what types over one cell of a user."""
    return lambda book: put(
        book[title], row_of(book[title], user), column(book[title], head), value
    )


def review_edited(**fields: Any) -> Edit:
    """Return what forges by what the lists were made."""

    def edit(book: Workbook) -> None:
        for cell in _cells_with_review(book):
            review = Review.model_validate_json(str(cell.value).removeprefix(REVIEW))
            cell.value = REVIEW + review.model_copy(update=fields).model_dump_json()

    return edit


def review_text_edited(old: str, new: str) -> Edit:
    """Return what replaces a text in the hidden cell."""

    def edit(book: Workbook) -> None:
        for cell in _cells_with_review(book):
            assert old in str(cell.value)
            cell.value = str(cell.value).replace(old, new)

    return edit


def _cells_with_review(book: Workbook) -> list[Any]:
    cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row]
    return [cell for cell in cells if str(cell.value).startswith(REVIEW)]


def given_reports(**given: Any) -> GivenReports:
    """Return the reports that tests judged, or other `sources`, to make lists anew."""
    of_tests = {"sources": list(REPORTS.values()), "sheets": list(SheetName)}
    return GivenReports(make_lists=users_on_lists, **{**of_tests, **given})


def read_back(content: bytes, name: str = "r.xlsx", **given: Any) -> DecisionFile:
    """Return what is entered in a workbook."""
    (file,) = read_files([(name, content)], TODAY, given_reports(**given))
    return file


def problems_of(content: bytes, *, name: str = "r.xlsx", **given: Any) -> list[str]:
    """Return why a workbook is refused, compared with its reports."""
    with pytest.raises(InputRefused) as refused:
        read_back(content, name, **given)
    assert all(each.file.startswith(name) for each in refused.value.problems)
    return [str(each) for each in refused.value.problems]
