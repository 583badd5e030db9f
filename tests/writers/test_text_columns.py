"""Columns of text are joined, mapped and looked through without changing what they say."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from analyzer.model import TEXT
from analyzer.writers.text_columns import (
    coded,
    combinations,
    contains,
    content,
    joined,
    joined_present,
    mapped,
    text_column,
    with_neighbors_joined,
)


@pytest.mark.parametrize(
    "texts",
    [
        pd.Series(["b", None, "a", "b"], dtype="category"),
        pd.Series(["b", None, "a", "b"], dtype=TEXT),
        pa.array(["b", None, "a", "b"]),
        ["b", "", "a", "b"],
    ],
    ids=["category", "series", "array", "list"],
)
def test_texts_of_any_kind_are_the_same_column_empty_where_one_is_missing(texts: pd.Series) -> None:
    assert text_column(texts).to_pylist() == ["b", "", "a", "b"]
    assert coded(texts).to_pylist() == ["b", "", "a", "b"]


def test_a_function_is_asked_once_for_each_text_that_occurs() -> None:
    asked: list[str] = []

    def text_of(text: str) -> str:
        asked.append(text)
        return text.upper()

    part = pd.Series([*"abcdef"], dtype="category").iloc[1:3]
    assert mapped(pd.concat([part, part], ignore_index=True), text_of).to_pylist() == [*"BCBC"]
    assert sorted(asked) == ["b", "c"]


def test_a_part_that_is_no_column_stands_in_every_row() -> None:
    column = text_column(["a", ""])
    parts = [*with_neighbors_joined(["<", "p>", column, column, "</p", ">"])]
    assert [each if isinstance(each, str) else "column" for each in parts] == [
        "<p>",
        "column",
        "column",
        "</p>",
    ]
    assert joined(*parts).to_pylist() == ["<p>aa</p>", "<p></p>"]
    assert joined("x", column, between=",").to_pylist() == ["x,a", "x,"]


def test_the_content_of_a_part_is_its_own() -> None:
    column = text_column(["ab", "ä", "c"])
    assert bytes(content(column)) == "abäc".encode()
    assert bytes(content(column.slice(1, 1))) == "ä".encode()
    assert bytes(content(column.slice(3))) == bytes(content(text_column([]))) == b""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ab", False),
        ("a&b", True),
        ("\n", True),
        ("\x1f", True),
        (" ", False),
        ("é", False),
        ("", False),
    ],
)
def test_a_mark_or_a_low_byte_is_noticed_wherever_it_stands(text: str, found: bool) -> None:  # noqa: FBT001  what is expected
    for texts in ([text], ["x", text, "y"]):
        assert contains(text_column(texts), (b"&", b"\xef\xbf\xbf"), below=b" ") is found
    assert not contains(text_column(["x", text]).slice(0, 1), (b"&",), below=b" ")


def test_what_is_not_there_leaves_nothing_between_the_others() -> None:
    columns = [
        pa.array(texts, pa.large_string())
        for texts in (["a", None, "é", None], [None, None, "b", ""], ["c", None, None, "d"])
    ]
    assert joined_present(columns, "; ").to_pylist() == ["a; c", "", "é; b", "; d"]


def test_each_combination_that_occurs_is_there_once() -> None:
    first, second = np.array([1, 0, 1, 1]), np.array([2, 0, 2, 1])
    codes, occurring = combinations([first, second], [2, 3])
    assert codes.to_pylist() == [0, 1, 0, 2]
    assert [each.tolist() for each in occurring] == [[1, 0, 1], [2, 0, 1]]
