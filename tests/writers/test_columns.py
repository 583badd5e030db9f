"""Columns of text are joined, mapped and looked through without changing what they say."""

from datetime import date
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from analyzer.report.frames import TEXT
from analyzer.report.values import joined_present
from analyzer.writers import tables
from analyzer.writers.tables import (
    cell_bytes,
    coded,
    contains,
    mapped,
    plain_rows,
    text_column,
    write_tables,
)

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time


def test_texts_of_any_kind_are_the_same_column_empty_where_one_is_missing() -> None:
    words = ["b", None, "a", "b"]
    category, texts = (pd.Series(words, dtype=kind) for kind in ("category", TEXT))
    for each in (category, texts, pa.array(words), ["b", "", "a", "b"]):
        assert text_column(each).to_pylist() == ["b", "", "a", "b"]
        assert coded(each).to_pylist() == ["b", "", "a", "b"]


def test_a_function_is_asked_once_for_each_text_that_occurs() -> None:
    asked: list[str] = []

    def text_of(text: str) -> str:
        asked.append(text)
        return text.upper()

    part = pd.Series(list("abcdef"), dtype="category").iloc[1:3]
    assert mapped(pd.concat([part, part], ignore_index=True), text_of).to_pylist() == list("BCBC")
    assert sorted(asked) == ["b", "c"]


def test_the_content_of_a_part_is_its_own() -> None:
    column = text_column(["ab", "ä", "c"])
    assert bytes(cell_bytes(column)) == "abäc".encode()
    assert bytes(cell_bytes(column.slice(1, 1))) == "ä".encode()
    assert bytes(cell_bytes(column.slice(3))) == bytes(cell_bytes(text_column([]))) == b""


@pytest.mark.parametrize("words", [1, 3, 255, 256, 257])
def test_coded_columns_side_by_side_are_the_same_lines_as_columns_of_text(words: int) -> None:
    rows = [(f"{row % words}", f'="{row}"', "x,y", None, f"{row}") for row in range(words)]
    columns = dict(zip("abcde", zip(*rows, strict=True), strict=True))
    plain = {name: pa.array(cells, pa.large_string()) for name, cells in columns.items()}
    coded_columns = {name: cells.dictionary_encode() for name, cells in plain.items()}
    expected = BytesIO()
    write_tables([plain], list("abcde"), expected)
    for kinds in (
        coded_columns,
        {**coded_columns, "c": plain["c"]},
        {**coded_columns, "e": plain["e"]},
    ):
        found = BytesIO()
        write_tables([kinds], list("abcde"), found)
        assert found.getvalue() == expected.getvalue()


def test_a_mark_or_a_low_byte_is_noticed_wherever_it_stands() -> None:
    for text, found in {"ab": False, "a&b": True, "\n": True, "\x1f": True, " ": False}.items():
        for texts in ([text], ["x", text, "é"], [""]):
            expected = found and text in texts
            column = text_column(texts)
            assert contains(column, (b"&", b"\xef\xbf\xbf"), below=b" ") is expected, texts
        assert not contains(text_column(["x", text]).slice(0, 1), (b"&",), below=b" ")


def test_what_is_not_there_leaves_nothing_between_the_others() -> None:
    columns = [
        pa.array(texts, pa.large_string())
        for texts in (["a", None, "é", None], [None, None, "b", ""], ["c", None, None, "d"])
    ]
    assert joined_present(*columns, between="; ").to_pylist() == ["a; c", "", "é; b", "; d"]


MOMENT, DAY = "2026-03-01T09:30:07Z", date(2026, 3, 1)
COLUMNS: tuple[tuple[pd.Series, list[Any]], ...] = (
    (pd.Series([1, None], dtype="Int64"), [1, None]),
    (pd.Series(np.array([7, -7])), [7, -7]),
    (pd.Series([True, False]), [True, False]),
    (pd.Series(['a"\\', None], dtype=TEXT), ['a"\\', None]),
    (pd.Series(["", " "], dtype=TEXT), ["", " "]),
    (pd.Series(["a", None], dtype="category"), ["a", None]),
    (pd.Series([None, None], dtype=TEXT), [None, None]),
    (pd.Series([MOMENT, None], dtype="datetime64[s, UTC]"), [MOMENT, None]),
    (pd.Series([DAY, None], dtype="datetime64[s]"), [DAY, None]),
)


def test_values_are_of_their_kind_and_what_is_missing_is_none() -> None:
    for column, expected in COLUMNS:
        rows = list(plain_rows(pd.DataFrame({"other": 0, "this": column}), ["this"]))
        assert rows == [(value,) for value in expected], column.dtype
        assert [type(value) for (value,) in rows] == [type(value) for value in expected]


def test_rows_keep_their_order_and_their_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    words = pd.Series(["x", "y", "x"], dtype="category")
    frame = pd.DataFrame({"a": [1, 2, 3], "b": words}).set_axis([5, 5, 0])
    for at_once in (1, 2, 3):
        monkeypatch.setattr(tables, "_VALUES_AT_ONCE", at_once)
        assert list(plain_rows(frame, ["b", "a"])) == [("x", 1), ("y", 2), ("x", 3)]
        assert list(plain_rows(frame.iloc[:0], ["b", "a"])) == []
