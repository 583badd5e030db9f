"""Spell columns as JSON, and objects of their cells; Arrow joins them row by row.

With an object a row, made in Python and encoded by itself, 100,000 users take 1.3 times as long.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
import orjson
import pandas as pd
import pyarrow as pa

from analyzer.model import arrow_array
from analyzer.moment_texts import utc_texts
from analyzer.writers.text_columns import (
    contains,
    joined,
    text_column,
    with_neighbors_joined,
)

_MARKS: Final = (b'"', b"\\")
"""What JSON cannot hold between quotes as it is, besides what is below a space."""


def json_cells(values: pd.Series | np.ndarray) -> pa.Array:
    """Return each value of a column as JSON: moments as ISO text, `null` where one is missing."""
    texts = _spelled(arrow_array(values))
    return texts.fill_null("null") if texts.null_count else texts


def json_values(values: Iterable[Any]) -> pa.Array:
    """Return values of any kind as JSON."""
    return text_column([orjson.dumps(value).decode() for value in values])


def json_objects(members: Mapping[str, pa.Array | str]) -> pa.Array:
    """Return an object for each row; a member is a column of JSON, or one JSON for all rows."""
    parts: list[pa.Array | str] = []
    for name, cells in members.items():
        parts += [f"{',' if parts else '{'}{json.dumps(name)}:", cells]
    return joined(*with_neighbors_joined([*parts, "}"]))


def _spelled(values: pa.Array) -> pa.Array:
    kind = values.type
    if pa.types.is_dictionary(kind):
        return _spelled(values.dictionary).take(values.indices)
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return values.cast(pa.large_string())
    texts = (utc_texts(values) if pa.types.is_timestamp(kind) else values).cast(pa.large_string())
    if contains(texts, _MARKS, below=b" "):
        encoded = texts.dictionary_encode()
        return json_values(encoded.dictionary.to_pylist()).take(encoded.indices)
    return joined('"', texts, '"')
