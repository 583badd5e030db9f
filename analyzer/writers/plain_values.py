"""Give the rows of frames as plain Python values, which encoders of JSON take."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Final

import pandas as pd
import pyarrow as pa

from analyzer.model import arrow_array
from analyzer.moment_texts import utc_texts

_VALUES_AT_ONCE: Final = 4_096
"""A plain value takes many times the memory that it takes in a column."""


def plain_rows(frame: pd.DataFrame, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Yield the values of these columns row by row: moments as ISO text, None if missing."""
    return zip(*(_plain_values(frame[name]) for name in names), strict=True)


def _plain_values(column: pd.Series) -> Iterator[Any]:
    values = arrow_array(column)
    starts = range(0, len(values), _VALUES_AT_ONCE)
    return chain.from_iterable(_plain(values.slice(start, _VALUES_AT_ONCE)) for start in starts)


def _plain(values: pa.Array) -> list[Any]:
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_timestamp(values.type):
        values = utc_texts(values)
    plain: list[Any] = values.to_pylist()
    return plain
