"""A part of the users says of them what all say together, and rows are put in order."""

import itertools

import numpy as np
import pandas as pd

from analyzer.report.frames import TEXT
from analyzer.report.model import stable_order
from analyzer.report.users import Users
from analyzer.verdicts.facts import Facts, unknown_cell_sentences
from tests.support.builders import COLUMNS, a_key, a_user
from tests.support.pages import page_of

USERS = page_of(
    [
        a_user("ann", mfa_active="?"),
        a_user("bob"),
        a_user("cid", password_enabled="x", mfa_active="!"),
        a_user("dan", key_1=a_key(), access_key_1_last_used_date="once"),
    ]
)


def sentences(users: Users) -> dict[str, str]:
    """Return the sentences on all unknown cells by user."""
    every = {name: np.ones(len(users), bool) for name in COLUMNS}
    names = users.text["user"].to_pylist()
    found = unknown_cell_sentences(Facts(users), every)
    return {names[position]: text for position, text in found.items()}


def test_a_part_of_the_users_names_their_unknown_cells_alone() -> None:
    whole = sentences(USERS)
    assert whole.keys() == {"ann", "cid", "dan"}
    for keep in itertools.product([True, False], repeat=len(USERS)):
        mask = np.array(keep)
        part = USERS.where(mask)
        names = part.text["user"].to_pylist()
        assert sentences(part) == {name: whole[name] for name in names if name in whole}
        assert part.frame(["report.csv"])["mfa_active"].isna().sum() == sum(mask[[0, 2]])
        assert len(part) == sum(keep)


def test_rows_are_ordered_by_the_first_key_then_by_the_next_and_equal_ones_stay() -> None:
    words = pd.Series(["b", "a", "b", None, "a", "b"], dtype=TEXT)
    numbers = pd.Series([2, None, 1, 0, 5, 2], dtype="Int64")
    assert stable_order(words, numbers).tolist() == [4, 1, 2, 0, 5, 3]
    assert stable_order(np.array([True, False, True, False])).tolist() == [1, 3, 0, 2]
