"""Rows of frames become plain values, whatever their columns hold."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from analyzer.model import TEXT
from analyzer.writers import plain_values
from analyzer.writers.plain_values import plain_rows

COLUMNS: dict[str, tuple[pd.Series, list[Any]]] = {
    "numbers": (pd.Series([1, None], dtype="Int64"), [1, None]),
    "whole numbers": (pd.Series(np.array([7, -7])), [7, -7]),
    "booleans": (pd.Series([True, False]), [True, False]),
    "text": (pd.Series(['a"\\', None], dtype=TEXT), ['a"\\', None]),
    "empty text": (pd.Series(["", " "], dtype=TEXT), ["", " "]),
    "words": (pd.Series(["a", None], dtype="category"), ["a", None]),
    "nothing": (pd.Series([None, None], dtype=TEXT), [None, None]),
    "moments": (
        pd.Series(["2026-03-01T09:30:07Z", None], dtype="datetime64[s, UTC]"),
        ["2026-03-01T09:30:07Z", None],
    ),
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_values_are_of_their_kind_and_what_is_missing_is_none(kind: str) -> None:
    column, expected = COLUMNS[kind]
    rows = list(plain_rows(pd.DataFrame({"other": 0, kind: column}), [kind]))
    assert rows == [(value,) for value in expected]
    assert [type(value) for (value,) in rows] == [type(value) for value in expected]


@pytest.mark.parametrize("at_once", [1, 2, 3, 4])
def test_rows_keep_their_order_and_their_columns(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain_values, "_VALUES_AT_ONCE", at_once)
    words = pd.Series(["x", "y", "x"], dtype="category")
    frame = pd.DataFrame({"a": [1, 2, 3], "b": words}).set_axis([5, 5, 0])
    assert list(plain_rows(frame, ["b", "a"])) == [("x", 1), ("y", 2), ("x", 3)]
    assert list(plain_rows(frame.iloc[:0], ["b", "a"])) == []
