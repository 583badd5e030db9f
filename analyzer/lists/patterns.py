"""Find the users whose account and name match patterns, many patterns on many users."""

import re
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.report.model import arrow_array
from analyzer.terms import pattern_regex

_WILDCARDS: Final = re.compile(r"[*?]+")


class UserPatterns:
    """Match patterns with the accounts and names of users, whatever their case."""

    def __init__(self, users: pd.DataFrame) -> None:
        """Read `account` and `user` (str) of the users."""
        account = arrow_array(users[columns.ACCOUNT]).cast(pa.large_string()).dictionary_encode()
        self._account, self._accounts = account.indices.to_numpy(), _Texts(account.dictionary)
        self._names = _Texts(arrow_array(users[columns.USER]).cast(pa.large_string()))

    def matching(self, account: str, user: str) -> np.ndarray:
        """Return the positions of the users whose account and name match (`*` and `?` match)."""
        positions = self._names.matching(user)
        is_match = self._accounts.are_matched(account)[self._account[positions]]
        return np.asarray(positions[is_match])


class _Texts:
    """Match patterns with texts, whatever their case.

    Only texts that hold the longest part of a pattern without wildcards are compared with it: so
    3,000 patterns on 5,000 names take 0.6 s, and 11 s if each is compared with all.
    """

    def __init__(self, texts: pa.Array) -> None:
        lower = [text.lower() for text in texts.to_pylist()]
        self._texts = texts
        self._joined = "\n".join(lower)
        self._starts = np.cumsum([0, *(len(text) + 1 for text in lower)])
        self._beyond_ascii = np.flatnonzero(pc.invert(pc.string_is_ascii(texts)))
        self._matched: dict[str, np.ndarray] = {}

    def are_matched(self, pattern: str) -> np.ndarray:
        """Return which texts a pattern matches; most entries of a list name the same accounts."""
        if pattern not in self._matched:
            self._matched[pattern] = matched = np.zeros(len(self._texts), bool)
            matched[self.matching(pattern)] = True
        return self._matched[pattern]

    def matching(self, pattern: str) -> np.ndarray:
        """Return the positions of the texts that a pattern matches."""
        near = self._near(pattern)
        if not len(near):
            return near
        regex = rf"\A{pattern_regex(pattern)}\z"
        matches = pc.match_substring_regex(
            self._texts.take(pa.array(near)), regex, ignore_case=True
        )
        return np.asarray(near[np.asarray(matches)])

    def _near(self, pattern: str) -> np.ndarray:
        """Return the positions of the texts that a pattern may match."""
        longest = max(_WILDCARDS.split(pattern), key=len).lower()
        if not longest or not pattern.isascii():
            return np.arange(len(self._texts))
        # Most are nowhere, which `in` tells ten times as fast.
        there = re.finditer(re.escape(longest), self._joined) if longest in self._joined else ()
        near = np.searchsorted(self._starts, [each.start() for each in there], side="right") - 1
        return np.union1d(near, self._beyond_ascii)
