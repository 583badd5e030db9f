"""What a list shows is known as text, so that a workbook that is read back can be compared."""

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analyzer.analysis.analysis import Analysis
from analyzer.report.model import Page
from analyzer.writers.workbook.column import (
    CUT,
    LONGEST,
    Column,
    DayColumn,
    EntryColumn,
    MomentColumn,
    NumberColumn,
    TextColumn,
)
from analyzer.writers.workbook.review_lists import REVIEW_LISTS, ReviewList, review_order
from analyzer.writers.workbook.table_sheets import GatheredUsers
from tests.support.workbook_texts import second_review
from tests.support.workbooks import organization, records, review_book_of

ENTRIES = {"Decision", "Decided by", "Decided on", "Ticket", "Comment"}
HEADS = ("Created", "Last activity (UTC)", "As of (UTC)", "Age in days", "Last sign-in (UTC)")


def listed_page(analysis: Analysis, each: ReviewList) -> Page:
    listed = GatheredUsers(each.has)
    for page in analysis.pages():
        listed.add(page)
    page = listed.page()
    return page.with_users({"earlier_decision": analysis.earlier_decisions(page)})


def shown(analysis: Analysis, each: ReviewList, page: Page) -> dict[str, list[str]]:
    texts = each.shown_texts(page, analysis.report.files, analysis.report.account_names)
    return {head: column.to_pylist() for head, column in texts.items()}


def as_text(value: Any) -> str:
    """Return a cell as openpyxl reads it in the form in which cells are compared."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    return "" if value is None else str(value)


@pytest.mark.no_cover
def test_the_texts_are_those_of_every_cell_of_every_list() -> None:
    analysis = second_review()
    book = review_book_of(analysis)
    lists = [each for each in REVIEW_LISTS if each.title in book.sheetnames]
    assert len(lists) > 1
    for each in lists:
        page = listed_page(analysis, each)
        expected = shown(analysis, each, page)
        rows = records(book[each.title])
        assert {*rows[0]} <= {*expected} | ENTRIES | {"Record"}
        for head in {*expected} - {*rows[0]}:
            assert {*expected.pop(head)} == {""}
        for head, texts in expected.items():
            in_order = [texts[at] for at in review_order(page)]
            assert [as_text(row[head]) for row in rows] == in_order


def test_a_part_of_the_users_has_the_texts_that_it_has_among_all() -> None:
    analysis = organization()
    each = REVIEW_LISTS[0]
    page = listed_page(analysis, each)
    part = np.arange(len(page)) % 7 == 0
    every, some = shown(analysis, each, page), shown(analysis, each, page.where(part))
    assert {*HEADS} <= {*some} == {*every}
    for head, texts in some.items():
        assert texts == [text for text, there in zip(every[head], part, strict=True) if there]


MOMENTS = pd.array(
    ["2026-03-01 09:30:15", "2026-03-01", "1900-01-01", "1899-12-30", "1899-12-29", None],
    dtype="datetime64[s]",
)
DAYS = ["2026-03-01", "2026-03-01", "1900-01-01", "1899-12-30"]
SHOWN = ["2026-03-01T09:30:15Z", *(f"{day}T00:00:00Z" for day in DAYS[1:])]
TEXTS = ("=1+1", "", " a ", "x" * LONGEST, "x" * (LONGEST + 1))
NUMBERS = pd.array([12, 0, 1_234_567, -1, None], dtype="Int64")


def never(frame: pd.DataFrame) -> list[str]:
    return ["never"] * len(frame)


CASES: tuple[tuple[Column, Any, list[str]], ...] = (
    (TextColumn("X", 9, "x"), TEXTS, [*TEXTS[:4], "x" * (LONGEST - len(CUT)) + CUT]),
    (NumberColumn("X", 9, "x"), NUMBERS, ["12", "0", "1234567", "", ""]),
    (MomentColumn("X", 9, "x", never), MOMENTS, [*SHOWN, "never", "never"]),
    (DayColumn("X", 9, "x"), MOMENTS, [*DAYS, "", ""]),
    (EntryColumn("X", 9), ["a", "b"], ["", ""]),
)


def test_a_cell_shows() -> None:
    for column, values, expected in CASES:
        texts = column.shown(pd.DataFrame({"x": values}))
        assert texts.type == "large_string", column
        assert texts.to_pylist() == expected, column
