"""Spell columns as text or plain values, join them row by row, and give the result as bytes."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, repeat
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.report.model import arrow_array
from analyzer.report.values import utc_texts

TEXT_TYPE: Final = pa.large_string()
_VALUES_AT_ONCE: Final = 4_096
"""A plain value takes many times the memory that it takes in a column."""

Texts: TypeAlias = pa.Array | pd.Series | pd.Index | Sequence[str]


def array(values: Texts) -> pa.Array:
    """Return values of any kind as an Arrow array."""
    return values if isinstance(values, pa.Array) else arrow_array(values)


Columns: TypeAlias = Mapping[str, Any] | pd.DataFrame


def plain_rows(table: Columns, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Yield the values of these columns row by row, as encoders of JSON take them.

    Moments are ISO text; what is missing is None.
    """
    return zip(*(_plain_values(array(table[name])) for name in names), strict=True)


def plain_objects(table: Columns, names: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    """Yield the same of these or all columns as objects, the names in this order."""
    chosen = names or [*table]
    return map(dict, map(zip, repeat(chosen), plain_rows(table, chosen)))


def _plain_values(values: pa.Array) -> Iterator[Any]:
    if pa.types.is_dictionary(values.type):
        words = [*_plain_values(values.dictionary), None]
        return map(words.__getitem__, _plain_values(values.indices.fill_null(-1)))
    starts = range(0, len(values), _VALUES_AT_ONCE)
    parts = (values.slice(start, _VALUES_AT_ONCE) for start in starts)
    return chain.from_iterable(_spelled(part).to_pylist() for part in parts)


def _spelled(values: pa.Array) -> pa.Array:
    """Return moments as ISO text, those without a zone as days, and other values as they are."""
    if not pa.types.is_timestamp(values.type):
        return values
    return utc_texts(values) if values.type.tz else values.cast(pa.date32())


def text_column(texts: Texts) -> pa.Array:
    """Return values as text (large_string), empty where one is missing; moments as ISO text."""
    values = array(texts)
    values = values.dictionary_decode() if pa.types.is_dictionary(values.type) else values
    cells = _spelled(values).cast(TEXT_TYPE)
    return cells.fill_null("") if cells.null_count else cells


def coded(texts: Texts) -> pa.DictionaryArray:
    """Return texts by codes, empty where one is missing.

    Of a part of a large category only the words that occur are kept.
    """
    each = array(texts)
    is_coded = pa.types.is_dictionary(each.type) and not each.null_count
    if is_coded and len(each.dictionary) <= len(each):
        return each
    return text_column(each).dictionary_encode()


def mapped(texts: Texts, text_of: Callable[[str], str]) -> pa.DictionaryArray:
    """Return another text for each; a function is asked once for each distinct one."""
    each = coded(texts)
    others = text_column([text_of(text) for text in each.dictionary.to_pylist()])
    return pa.DictionaryArray.from_arrays(each.indices, others)


def joined(*parts: pa.Array | str, between: str = "") -> pa.Array:
    """Return the parts of each row joined; a part that is no column stands in every row."""
    texts = [pa.scalar(part, TEXT_TYPE) if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(*texts, pa.scalar(between, TEXT_TYPE))


def joined_present(columns: Iterable[pa.Array], between: str) -> pa.Array:
    """Return the parts of each row joined that are there; what is null leaves nothing."""
    together = joined(*(joined(between, each).fill_null("") for each in columns))
    return pc.utf8_slice_codeunits(together, len(between))


def contains(texts: pa.Array, marks: Sequence[bytes], *, below: bytes = b"\0") -> bool:
    """Return whether a mark is among the bytes of all cells, or a byte that is less than another.

    A pattern takes ten times as long to tell; most columns hold no byte so low.
    """
    text = content(texts)
    least = int(np.frombuffer(text, np.uint8).min()) if text else 255
    if least < ord(below):
        return True
    copied = bytes(text) if least <= max(mark[0] for mark in marks) else b""
    return any(mark in copied for mark in marks)


def content(texts: pa.Array) -> memoryview:
    """Return the bytes of all cells, which lie one behind the other; they are not copied."""
    _, offsets, text = texts.buffers()
    if not len(texts) or text is None:
        return memoryview(b"")
    ends = np.frombuffer(offsets, np.int64)
    return memoryview(text)[ends[texts.offset] : ends[texts.offset + len(texts)]]
