"""JSON that is spelled a column at a time is what an encoder makes of each row."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.model import TEXT
from analyzer.writers import json_columns
from analyzer.writers.json_columns import json_cells, json_objects, json_values

HARD = ["", " ", '"', "\\", "\n", "\x00", "\x1f", "\x7f", "\u2028", "\ufffe", "naïve", "😀", "</"]

TEXTS = st.lists(
    st.one_of(st.sampled_from(HARD), st.text(st.characters(exclude_categories=["Cs"]), max_size=9)),
    min_size=1,
    max_size=7,
)


@given(TEXTS)
def test_a_text_reads_back_as_it_was_whatever_stands_beside_it(texts: list[str]) -> None:
    series = pd.Series(texts, dtype=TEXT)
    for column in (series, series.astype("category"), series.iloc[-1:]):
        assert [json.loads(each) for each in json_cells(column).to_pylist()] == column.tolist()


@pytest.mark.parametrize(
    ("column", "spelled"),
    [
        (pd.Series([1, None], dtype="Int64"), ["1", "null"]),
        (pd.Series([True, False]), ["true", "false"]),
        (pd.Series(["a", None], dtype=TEXT), ['"a"', "null"]),
        (pd.Series(["a", None], dtype="category"), ['"a"', "null"]),
        (pd.Series([None, None], dtype=TEXT), ["null", "null"]),
        (np.array([7, -7]), ["7", "-7"]),
        (
            pd.Series(["2026-03-01T09:30:07Z", None], dtype="datetime64[s, UTC]"),
            ['"2026-03-01T09:30:07Z"', "null"],
        ),
    ],
    ids=["numbers", "booleans", "text", "words", "nothing", "array", "moments"],
)
def test_what_is_missing_is_null_and_all_else_is_of_its_kind(
    column: Any, spelled: list[str]
) -> None:
    assert json_cells(column).to_pylist() == spelled


def test_objects_have_their_members_in_order_also_those_within(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(json_columns, "ROWS_AT_ONCE", 2)
    numbers = json_cells(pd.Series([1, 2, 3]))
    members = {"a": numbers, "same": '"x"', "within": {"b": json_values([[], {}, None])}}
    batches = [*json_objects(members)]
    assert [*map(len, batches)] == [2, 1]
    assert [each for batch in batches for each in batch.to_pylist()] == [
        '{"a":1,"same":"x","within":{"b":[]}}',
        '{"a":2,"same":"x","within":{"b":{}}}',
        '{"a":3,"same":"x","within":{"b":null}}',
    ]
