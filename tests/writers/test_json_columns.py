"""JSON that is spelled a column at a time is what an encoder makes of each row."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.model import TEXT
from analyzer.writers import json_columns
from analyzer.writers.json_columns import (
    json_cells,
    json_list_column,
    json_object_column,
    json_objects,
    json_values,
    optional_json_cells,
)

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


def test_a_member_without_a_value_is_left_out_and_so_is_an_object_without_its_first_member() -> (
    None
):
    names = pd.Series(["", "b", None, "d"], dtype=TEXT)
    numbers = optional_json_cells(pd.Series([0, None, 2, None], dtype="Int64"))
    inner = json_object_column({"name": optional_json_cells(names), "number": numbers})
    members = {"always": "1", "number": numbers, "inner": inner}
    (objects,) = json_objects(members, before="<", after=">")
    assert objects.to_pylist() == [
        '<{"always":1,"number":0}>',
        '<{"always":1,"inner":{"name":"b"}}>',
        '<{"always":1,"number":2}>',
        '<{"always":1,"inner":{"name":"d"}}>',
    ]


def test_a_column_by_codes_gives_the_text_of_each_row() -> None:
    words = json_values(["long", "longer"])
    coded = pa.DictionaryArray.from_arrays(pa.array([1, 0, 1]), words)
    rows = ['{"a":"longer"}', '{"a":"long"}', '{"a":"longer"}']
    assert json_object_column({"a": coded}).to_pylist() == rows
    assert json_list_column({"a": coded}).to_pylist() == [f"[{row}]" for row in rows]
    assert next(json_objects({"a": coded})).to_pylist() == rows
