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
        while self._columns:  # Kept, 500,000 users take 40 MB more.
            name, key = next(iter(self._columns))
            whole = self._columns.pop((name, key)).whole(self.count)
            if key:
                columns[name][key] = whole
            else:
                columns[name] = whole
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
    """Hold numbers or flags, one a user, or a row of them for each slot.

    A large bytearray grows where it is, by its pages: copied into larger arrays of NumPy, a million
    users take 0.3 s more.
    """

    def __init__(self, like: np.ndarray) -> None:
        self.dtype, self.has_slots = like.dtype, like.ndim > 1
        self.rows = [bytearray() for _ in np.atleast_2d(like)]

    def append(self, start: int, values: np.ndarray) -> None:
        for memory, row in zip(self.rows, np.atleast_2d(values), strict=True):
            memory.extend(bytes(start * self.dtype.itemsize - len(memory)))
            memory.extend(np.ascontiguousarray(row).data)

    def whole(self, count: int) -> np.ndarray:
        for memory in self.rows:
            memory.extend(bytes(count * self.dtype.itemsize - len(memory)))
        rows = [np.frombuffer(memory, self.dtype) for memory in self.rows]
        return np.stack(rows) if self.has_slots else rows[0]


class _Texts:
    """Hold texts: their bytes, and where each ends."""

    def __init__(self) -> None:
        self.bytes = bytearray()
        self.ends = _Numbers(np.zeros(0, np.int64))

    def append(self, start: int, texts: pa.Array) -> None:
        data, ends = text_bytes(texts)
        self.ends.append(start + 1, ends[1:] - ends[0] + len(self.bytes))
        self.bytes += data.data

    def whole(self, count: int) -> pa.Array:
        buffers = map(pa.py_buffer, (self.ends.whole(count + 1), self.bytes))
        return pa.Array.from_buffers(pa.large_string(), count, [None, *buffers])


class _Words:
    """Hold few distinct words, and the code of the word of each user."""

    def __init__(self) -> None:
        self.words: dict[str, int] = {}
        self.codes = _Numbers(np.zeros(0, np.int8))

    def append(self, start: int, cells: pa.DictionaryArray) -> None:
        words = cells.dictionary.to_pylist()
        code = [self.words.setdefault(word, len(self.words)) for word in words]
        if len(self.words) > np.iinfo(self.codes.dtype).max:
            narrow, self.codes = self.codes.whole(start), _Numbers(np.zeros(0, np.int32))
            self.codes.append(0, narrow.astype(np.int32))
        codes = np.array([*code, _MISSING], self.codes.dtype)
        self.codes.append(start, codes[cells.indices.fill_null(len(words))])

    def whole(self, count: int) -> pa.DictionaryArray:
        codes = self.codes.whole(count)
        is_missing = codes == _MISSING
        indices = pa.array(codes, mask=is_missing if is_missing.any() else None)
        words = pa.array([*self.words], pa.large_string())
        return pa.DictionaryArray.from_arrays(indices, words)
