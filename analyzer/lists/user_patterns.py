"""Find the users that the entries of a list match: many patterns, many users."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.report.frames import text_series
from analyzer.report.model import arrow_array
from analyzer.report.values import is_dictionary, texts
from analyzer.terms import WILDCARDS, pattern_regex


class UserPatterns:
    """Match patterns with the accounts and names of users, whatever their case.

    Most entries of a list name one account and one user, which are looked up: 100,000 of them take
    0.5 s on 5,000 users. A pattern is matched with each of the accounts, then with its users.
    """

    def __init__(self, users: Mapping[str, Any] | pd.DataFrame) -> None:
        """Read `account` and `user` (text, of Arrow or pandas) of the users."""
        names, accounts = (arrow_array(users[name]) for name in (columns.USER, columns.ACCOUNT))
        self._names = text_series(texts(names))
        if not is_dictionary(accounts):
            accounts = accounts.dictionary_encode()
        self._account_numbers = accounts.indices.to_numpy()
        self._accounts = text_series(accounts.dictionary)
        self._numbers = {account: number for number, account in enumerate(self._accounts)}
        self._in_account: dict[str, tuple[np.ndarray, pd.Series]] = {}
        self._named = defaultdict[str, list[int]](list)
        for at, name in enumerate(self._names.str.lower()):
            self._named[name].append(at)

    def matching(self, account: str, user: str) -> np.ndarray:
        """Return the positions of the users whose account and name match (`*` and `?` match)."""
        if not has_wildcard(user):
            positions = np.array(self._named.get(user.lower(), ()), int)
            matching = positions[self._is_in(account, self._account_numbers[positions])]
            return np.asarray(matching)
        if account not in self._in_account:
            positions = np.flatnonzero(self._is_in(account, self._account_numbers))
            self._in_account[account] = (positions, self._names.iloc[positions])
        positions, names = self._in_account[account]
        return np.asarray(positions[_is_match(names, user)])

    def _is_in(self, account: str, numbers: np.ndarray) -> np.ndarray:
        """Return for accounts, by their numbers, whether they match."""
        if not has_wildcard(account):
            return np.asarray(numbers == self._numbers.get(account, -1))
        return np.asarray(_is_match(self._accounts, account)[numbers])


def has_wildcard(pattern: str) -> bool:
    """Return whether a pattern can match more than one text."""
    return any(sign in pattern for sign in WILDCARDS)


def _is_match(texts: pd.Series, pattern: str) -> np.ndarray:
    return texts.str.fullmatch(pattern_regex(pattern), case=False).to_numpy(bool)
