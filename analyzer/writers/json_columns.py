"""Spell columns as JSON, and objects of their cells; Arrow joins them row by row.

With an object a row, made in Python and encoded by itself, 100,000 users take 1.3 times as long.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

import numpy as np
import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.model import arrow_array
from analyzer.moment_texts import utc_texts
from analyzer.writers.text_columns import (
    TEXT_TYPE,
    contains,
    joined,
    text_column,
    with_neighbors_joined,
)

ROWS_AT_ONCE: Final = 1024
"""So many rows are joined to objects at a time, to keep the memory small."""

Members: TypeAlias = Mapping[str, "pa.Array | str | Members"]
"""A member is a column of JSON, one JSON for all rows, or an object with members of its own.

A member is left out of a row where its column is null. The first one must not be null, except in
`json_object_column`. A column of texts that are long and few is best given by codes: it is decoded
some rows at a time.
"""

NOTHING: Final = pa.scalar(None, TEXT_TYPE)
"""The cell of a member that is left out."""

_EMPTY_TEXT: Final = '""'

_MARKS: Final = (b'"', b"\\")
"""What JSON cannot hold between quotes as it is, besides what is below a space."""


def json_cells(values: pd.Series | np.ndarray | pa.Array) -> pa.Array:
    """Return each value of a column as JSON: moments as ISO text, `null` where one is missing."""
    texts = _spelled(_array(values))
    return texts.fill_null("null") if texts.null_count else texts


def optional_json_cells(values: pd.Series | np.ndarray | pa.Array) -> pa.Array:
    """Return each value of a column as JSON, null where one is missing or an empty text."""
    texts = _spelled(_array(values))
    return pc.if_else(pc.equal(texts, _EMPTY_TEXT), NOTHING, texts)


def _array(values: pd.Series | np.ndarray | pa.Array) -> pa.Array:
    return values if isinstance(values, pa.Array) else arrow_array(values)


def json_values(values: Iterable[Any]) -> pa.Array:
    """Return values of any kind as JSON."""
    return text_column([orjson.dumps(value).decode() for value in values])


def json_object_column(members: Members) -> pa.Array:
    """Return an object for each row, null where its first member is."""
    return joined(*map(_decoded, with_neighbors_joined(_object_parts(members))))


def json_list_column(members: Members) -> pa.Array:
    """Return for each row a list of one object."""
    return joined("[", json_object_column(members), "]")


def json_objects(members: Members, *, before: str = "", after: str = "") -> Iterator[pa.Array]:
    """Yield an object for each row, some rows at a time, with what stands before and after each."""
    parts = [*with_neighbors_joined((before, *_object_parts(members), after))]
    rows = max(len(part) for part in parts if isinstance(part, pa.Array))
    for start in range(0, rows, ROWS_AT_ONCE):
        yield joined(*(_part_of_rows(part, start) for part in parts))


def _part_of_rows(part: pa.Array | str, start: int) -> pa.Array | str:
    if isinstance(part, str):
        return part
    return _decoded(part.slice(start, ROWS_AT_ONCE))


def _decoded(part: pa.Array | str) -> pa.Array | str:
    if isinstance(part, str) or not pa.types.is_dictionary(part.type):
        return part
    return part.cast(TEXT_TYPE)


def _object_parts(members: Members) -> Iterator[pa.Array | str]:
    yield "{"
    for at, (name, cells) in enumerate(members.items()):
        key = f"{',' if at else ''}{json.dumps(name)}:"
        if isinstance(cells, Mapping):
            yield key
            yield from _object_parts(cells)
        elif at and isinstance(cells, pa.Array) and cells.null_count:
            yield joined(key, cells).fill_null("")
        else:
            yield from (key, cells)
    yield "}"


def _spelled(values: pa.Array) -> pa.Array:
    kind = values.type
    if pa.types.is_dictionary(kind):
        return _spelled(values.dictionary).take(values.indices)
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return values.cast(TEXT_TYPE)
    texts = (utc_texts(values) if pa.types.is_timestamp(kind) else values).cast(TEXT_TYPE)
    if contains(texts, _MARKS, below=b" "):
        encoded = texts.dictionary_encode()
        return json_values(encoded.dictionary.to_pylist()).take(encoded.indices)
    return joined('"', texts, '"')
