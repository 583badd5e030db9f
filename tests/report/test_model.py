"""A part of a page says of its users what the whole page says, and rows are put in order."""

import itertools

import numpy as np
import pandas as pd
import pytest

from analyzer import columns
from analyzer.report.model import TEXT, Page, stable_order
from analyzer.terms import ROWS_DIFFER
from analyzer.verdicts.facts import Facts, unknown_cell_sentences
from tests.support.builders import COLUMNS, a_key, a_user
from tests.support.pages import page_of

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

PAGE = page_of(
    [
        a_user("ann", mfa_active="?"),
        a_user("bob"),
        a_user("cid", password_enabled="x", mfa_active="!"),
        a_user("dan", key_1=a_key(), access_key_1_last_used_service="s3"),
    ],
    contradicted="mfa_active",
)
MASKS = [np.array(each) for each in itertools.product([True, False], repeat=len(PAGE))]


def sentences(page: Page) -> dict[str, str]:
    """Return the sentences on all unknown cells by user."""
    every = {name: np.ones(len(page), bool) for name in COLUMNS}
    found = unknown_cell_sentences(Facts(page), every)
    users = page.users[columns.USER].tolist()
    return {users[position]: text for position, text in zip(found.index, found, strict=True)}


def test_a_part_of_a_page_names_the_unknown_cells_of_its_users_alone() -> None:
    for mask in MASKS:
        part, users = PAGE.where(mask), {*PAGE.users[columns.USER][mask]}
        expected = {user: text for user, text in sentences(PAGE).items() if user in users}
        assert sentences(part) == expected
        assert part.frame(["report.csv"])["mfa_active"].isna().sum() == len(part)


def test_only_the_cells_that_are_asked_for_are_named() -> None:
    asked = {"mfa_active": np.array([False, True])}
    found = unknown_cell_sentences(Facts(PAGE.where(MASKS[5])), asked)
    assert found.to_dict() == {1: "another row of this ARN has another mfa_active"}


def test_a_name_in_which_rows_differ_is_kept_and_unknown_and_a_missing_column_has_no_cell() -> None:
    page = page_of([a_user("ann")], columns=COLUMNS[:-1], contradicted=f"user, {COLUMNS[-1]}")
    assert page.users[columns.USER].tolist() == ["ann"]
    unread = dict(zip(page.unread[columns.COLUMN], page.unread[columns.VALUE], strict=True))
    assert unread[columns.USER] == ROWS_DIFFER
    assert pd.isna(unread[COLUMNS[-1]])


def test_rows_are_ordered_by_the_first_key_then_by_the_next_and_equal_ones_stay() -> None:
    words = pd.Series(["b", "a", "b", None, "a", "b"], dtype=TEXT)
    numbers = pd.Series([2, None, 1, 0, 5, 2], dtype="Int64")
    assert stable_order(words, numbers).tolist() == [4, 1, 2, 0, 5, 3]
    assert stable_order(np.array([True, False, True, False])).tolist() == [1, 3, 0, 2]
