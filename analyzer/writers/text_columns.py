"""Join columns of text row by row, and give the result as bytes; Arrow does both."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.model import arrow_array

TEXT_TYPE: Final = pa.large_string()

Texts: TypeAlias = pa.Array | pd.Series | pd.Index | Sequence[str]


def text_column(texts: Texts) -> pa.Array:
    """Return texts as a column (large_string), empty where one is missing."""
    cells = _array(texts).cast(TEXT_TYPE)
    return cells.fill_null("") if cells.null_count else cells


def _array(texts: Texts) -> pa.Array:
    return texts if isinstance(texts, pa.Array) else arrow_array(texts)


def coded(texts: Texts) -> pa.DictionaryArray:
    """Return texts by codes, empty where one is missing.

    Of a part of a large category only the words that occur are kept.
    """
    array = _array(texts)
    is_coded = pa.types.is_dictionary(array.type) and not array.null_count
    if is_coded and len(array.dictionary) <= len(array):
        return array
    return text_column(array).dictionary_encode()


def mapped(texts: Texts, text_of: Callable[[str], str]) -> pa.DictionaryArray:
    """Return another text for each; a function is asked once for each distinct one."""
    each = coded(texts)
    others = text_column([text_of(text) for text in each.dictionary.to_pylist()])
    return pa.DictionaryArray.from_arrays(each.indices, others)


def combinations(
    codes: Sequence[np.ndarray], sizes: Sequence[int]
) -> tuple[pa.Array, tuple[np.ndarray, ...]]:
    """Return which combination of codes each row has, and the codes of those that occur.

    A code is a number below the size at its place. The combinations are in the order of the rows.
    """
    encoded = pa.array(np.ravel_multi_index([*codes], [*sizes])).dictionary_encode()
    return encoded.indices, np.unravel_index(encoded.dictionary.to_numpy(), [*sizes])


def joined(*parts: pa.Array | str, between: str = "") -> pa.Array:
    """Return the parts of each row joined; a part that is no column stands in every row."""
    texts = [pa.scalar(part, TEXT_TYPE) if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(*texts, pa.scalar(between, TEXT_TYPE))


def joined_present(columns: Iterable[pa.Array], between: str) -> pa.Array:
    """Return the parts of each row joined that are there; what is null leaves nothing."""
    together = joined(*(joined(between, each).fill_null("") for each in columns))
    return pc.utf8_slice_codeunits(together, len(between))


def with_neighbors_joined(parts: Iterable[pa.Array | str]) -> Iterator[pa.Array | str]:
    """Yield the parts of rows; of texts that follow each other one is made."""
    for are_texts, some in groupby(parts, lambda part: isinstance(part, str)):
        if are_texts:
            yield "".join(map(str, some))
        else:
            yield from some


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
