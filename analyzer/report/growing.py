"""Put users under each other slice by slice, in columns that grow."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

import numpy as np
import pyarrow as pa

from analyzer.report.users import Users
from analyzer.report.values import is_dictionary, text_bytes

_MISSING: Final = -1
"""The code of a cell that is null."""


class GrowingUsers:
    """Collect users in columns with room for more.

    If slices were kept and joined in the end, a million users would take 130 MB more: their memory
    does not come back while any of it is in use.
    """

    def __init__(self) -> None:
        """Begin with nobody."""
        self.count = 0
        self._columns: dict[tuple[str, str], _Numbers | _Texts | _Words] = {}

    def append(self, users: Users) -> None:
        """Add users; a column that earlier users lacked (`unread`) is false for them."""
        for name, column in _named_columns(users):
            if name not in self._columns:
                self._columns[name] = _growing(column)
            self._columns[name].append(self.count, column)
        self.count += len(users)

    def users(self) -> Users:
        """Return all users; nobody can be added any more."""
        columns: dict[str, Any] = defaultdict(dict)
        for (name, key), column in self._columns.items():
            if key:
                columns[name][key] = column.whole(self.count)
            else:
                columns[name] = column.whole(self.count)
        return Users(**{"unread": {}, **columns})


def _named_columns(users: Users) -> list[tuple[tuple[str, str], Any]]:
    """Return all columns, those of a mapping by both names."""
    named: list[tuple[tuple[str, str], Any]] = []
    for one in fields(users):
        value = getattr(users, one.name)
        if isinstance(value, Mapping):
            named += [((one.name, key), column) for key, column in value.items()]
        else:
            named.append(((one.name, ""), value))
    return named


def _growing(column: Any) -> "_Numbers | _Texts | _Words":
    if isinstance(column, np.ndarray):
        return _Numbers(column)
    return _Words() if is_dictionary(column) else _Texts()


class _Numbers:
    """Hold numbers or flags, one a user, or a row of them for each slot."""

    def __init__(self, like: np.ndarray) -> None:
        self.memory = np.zeros((*like.shape[:-1], 0), like.dtype)

    def append(self, start: int, values: np.ndarray) -> None:
        end, room = start + values.shape[-1], self.memory.shape[-1]
        if end > room:
            # What is not written to takes no memory.
            wider = np.zeros((*self.memory.shape[:-1], max(end, 2 * room)), self.memory.dtype)
            wider[..., :room] = self.memory
            self.memory = wider
        self.memory[..., start:end] = values

    def whole(self, count: int) -> np.ndarray:
        if self.memory.shape[-1] < count:
            self.append(count, self.memory[..., :0])
        return self.memory[..., :count]


class _Texts:
    """Hold texts: their bytes, and where each ends."""

    def __init__(self) -> None:
        self.bytes, self.size = _Numbers(np.zeros(0, np.uint8)), 0
        self.ends = _Numbers(np.zeros(0, np.int64))

    def append(self, start: int, texts: pa.Array) -> None:
        data, ends = text_bytes(texts)
        self.ends.append(start + 1, ends[1:] - ends[0] + self.size)
        self.bytes.append(self.size, data)
        self.size += len(data)

    def whole(self, count: int) -> pa.Array:
        buffers = map(pa.py_buffer, (self.ends.whole(count + 1), self.bytes.whole(self.size)))
        return pa.Array.from_buffers(pa.large_string(), count, [None, *buffers])


class _Words:
    """Hold few distinct words, and the code of the word of each user."""

    def __init__(self) -> None:
        self.words: dict[str, int] = {}
        self.codes = _Numbers(np.zeros(0, np.int8))

    def append(self, start: int, cells: pa.DictionaryArray) -> None:
        words = cells.dictionary.to_pylist()
        code = [self.words.setdefault(word, len(self.words)) for word in words]
        if len(self.words) > np.iinfo(self.codes.memory.dtype).max:
            self.codes.memory = self.codes.memory.astype(np.int32)
        codes = np.array([*code, _MISSING], self.codes.memory.dtype)
        self.codes.append(start, codes[cells.indices.fill_null(len(words))])

    def whole(self, count: int) -> pa.DictionaryArray:
        codes = self.codes.whole(count)
        is_missing = codes == _MISSING
        indices = pa.array(codes, mask=is_missing if is_missing.any() else None)
        words = pa.array([*self.words], pa.large_string())
        return pa.DictionaryArray.from_arrays(indices, words)
