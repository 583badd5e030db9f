"""Choose which accounts and users the outputs list and count.

In the patterns `*` and `?` match. Users that are left out are counted, never dropped silently.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.decisions.review import Review
from analyzer.limits import MOST_DAYS
from analyzer.report.frames import TEXT
from analyzer.report.model import AccountName, account_name, account_with_name
from analyzer.report.report import Report
from analyzer.report.users import Users
from analyzer.terms import (
    ANY_UNKNOWN_EXPOSURE,
    ROOT_USER,
    UNKNOWN_EXPOSURE,
    Certainty,
    Exposure,
    count_text,
    pattern_regex,
)

NOT: Final = "!"
"""The sign in front of a pattern of users to leave out."""

_EXPOSURES: Final = [*map(str, Exposure), ANY_UNKNOWN_EXPOSURE]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Hold the conditions that a user must meet to be listed and counted.

    - `accounts`: patterns of account ids or names; empty for all accounts.
    - `users`: patterns of user names, or of ARNs if they begin with `arn:`, in any case; empty for
      all users. One that begins with `!`, which no name does, leaves out the users that it matches.
      The root user is left out if only others are asked for.
    - `exposures`: words of `Exposure`, or `unknown` for users with an unknown one; empty for all.
    - `certain`: leave out users with caveats (certainty `check`).
    - `min_age`: whole days between creation and as-of. A user of unknown age is kept: an unknown
      age is not a young one.

    Raises ValueError for a negative number of days and for an empty pattern, TypeError for one
    pattern instead of several.
    """

    accounts: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    exposures: tuple[str, ...] = ()
    certain: bool = False
    min_age: int = 0

    def __post_init__(self) -> None:
        """Refuse values without a meaning."""
        several: tuple[object, ...] = (self.accounts, self.users, self.exposures)
        if any(isinstance(words, str) for words in several):
            raise TypeError('accounts, users, … are several words: Filter(users=("svc-*",))')
        if unknown := [word for word in self.exposures if word not in _EXPOSURES]:
            raise ValueError(f"{', '.join(unknown)}: use {', '.join(_EXPOSURES)}")
        if not 0 <= self.min_age <= MOST_DAYS:
            raise ValueError(f"min_age must be 0 to {MOST_DAYS:,} days")
        if not all((*self.accounts, *self.wanted_users, *self.unwanted_users)):
            raise ValueError("a pattern of an account or a user must not be empty")

    def __bool__(self) -> bool:
        """Return whether the filter can leave anything out."""
        return self != Filter()

    def __str__(self) -> str:
        """Return the filter in words."""
        parts = []
        if self.accounts:
            parts.append(f"account {' or '.join(self.accounts)}")
        if self.wanted_users:
            parts.append(f"user {' or '.join(self.wanted_users)}")
        if self.unwanted_users:
            parts.append(f"not user {' or '.join(self.unwanted_users)}")
        if self.exposures:
            parts.append(f"exposure {' or '.join(self.exposures)}")
        if self.certain:
            parts.append("without caveats")
        if self.min_age:
            parts.append(f"created {count_text(self.min_age, 'day')} or more before as-of")
        return ", ".join(parts)

    @property
    def keeps_roots(self) -> bool:
        """Return whether the root users stay."""
        wanted, unwanted = self.wanted_users, self.unwanted_users
        is_wanted = not wanted or any(_matches(pattern, ROOT_USER) for pattern in wanted)
        return is_wanted and not any(_matches(pattern, ROOT_USER) for pattern in unwanted)

    @property
    def wanted_users(self) -> list[str]:
        """Return the patterns of the users to keep; none for all users."""
        return [pattern for pattern in self.users if not pattern.startswith(NOT)]

    @property
    def unwanted_users(self) -> list[str]:
        """Return the patterns of the users to leave out."""
        return [pattern.removeprefix(NOT) for pattern in self.users if pattern.startswith(NOT)]


def filter_of_review(review: Review) -> Filter:
    """Return the filter by which the lists of a review were made; raises ValueError."""
    return Filter(
        accounts=tuple(review.accounts),
        users=tuple(review.users),
        exposures=tuple(review.exposures),
        certain=review.certain,
        min_age=review.min_age,
    )


def user_mask(page: Users, chosen: Filter, names: Mapping[str, AccountName]) -> np.ndarray:
    """Return which users of a judged page the filter keeps (bool).

    `names` are the names of the accounts by their ids.
    """
    mask = _account_mask(page, chosen, names) & ~_name_mask(page, chosen.unwanted_users)
    if chosen.wanted_users:
        mask &= _name_mask(page, chosen.wanted_users)
    if chosen.exposures:
        exposure = page.users[columns.EXPOSURE]
        has_exposure = exposure.isin(chosen.exposures)
        if ANY_UNKNOWN_EXPOSURE in chosen.exposures:
            has_exposure |= exposure.str.endswith(UNKNOWN_EXPOSURE)
        mask &= has_exposure.to_numpy(bool)
    if chosen.certain:
        mask &= (page.users[columns.CERTAINTY] != Certainty.CHECK).to_numpy()
    if chosen.min_age:
        young = page.users[columns.AGE_DAYS] < chosen.min_age
        mask &= ~young.fillna(value=False).to_numpy(bool)
    return np.asarray(mask)


def filtered_report(report: Report, chosen: Filter) -> Report:
    """Return the report with the accounts and the roots that the filter keeps.

    An input that could not be read and names no account stays: the filter may keep its account.
    """
    names = report.account_names
    kept = {
        account
        for account in report.accounts
        if _keeps(chosen, account, account_name(account, names))
    }
    left_out = (
        account for account in report.left_out if _keeps(chosen, account.account, account.name)
    )
    not_covered = (
        account
        for account in report.not_covered
        if not account.account or _keeps(chosen, account.account, account.name)
    )
    roots = report.root_users
    is_kept = _account_mask(roots, chosen, names) & chosen.keeps_roots
    return replace(
        of_accounts(report, kept),
        root_users=roots.where(is_kept),
        not_covered=tuple(not_covered),
        left_out=tuple(left_out),
    )


def of_accounts(report: Report, kept: Collection[str]) -> Report:
    """Return the report with some of its accounts.

    Every file keeps its position; a file without such an account then lists no account.
    """
    files = (
        replace(
            file, accounts=tuple(account for account in file.accounts if account.account in kept)
        )
        for file in report.files
    )
    return replace(report, files=tuple(files))


def unmatched_accounts(report: Report, chosen: Filter) -> list[str]:
    """Return the patterns that match no account of the report, covered or not."""
    names = report.account_names
    uncovered = report.not_covered + report.left_out
    known = set(report.accounts)
    known.update(account_name(account, names) for account in report.accounts)
    known.update(account.account for account in uncovered)
    known.update(account.name or account_name(account.account, names) for account in uncovered)
    known.discard("")
    return [
        pattern for pattern in chosen.accounts if not any(_matches(pattern, word) for word in known)
    ]


def unmatched_users(users: Users, chosen: Filter) -> list[str]:
    """Return the names, ARNs and patterns that match no user."""
    return [
        pattern
        for pattern in chosen.users
        if not _matches(pattern.removeprefix(NOT), ROOT_USER)
        and not _name_mask(users, [pattern.removeprefix(NOT)]).any()
    ]


def account_labels(report: Report) -> list[str]:
    """Return the accounts of the report, each with its name where that is known."""
    return [account_with_name(each, report.account_names) for each in sorted(report.accounts)]


def _matches(pattern: str, text: str) -> bool:
    return bool(pd.Series([text], dtype=TEXT).str.fullmatch(pattern_regex(pattern), case=False)[0])


def _keeps(chosen: Filter, account: str, name: str) -> bool:
    return not chosen.accounts or any(
        _matches(pattern, word) for pattern in chosen.accounts for word in (account, name) if word
    )


def _account_mask(page: Users, chosen: Filter, names: Mapping[str, AccountName]) -> np.ndarray:
    if not chosen.accounts:
        return np.ones(len(page), bool)
    accounts = page.users[columns.ACCOUNT]
    ids = [
        account
        for account in accounts.unique()
        if _keeps(chosen, account, account_name(account, names))
    ]
    return accounts.isin(ids).to_numpy(bool)


def _name_mask(page: Users, patterns: Sequence[str]) -> np.ndarray:
    """Return which users a pattern matches: their ARN if it begins like one, else their name."""
    mask = np.zeros(len(page), bool)
    for pattern in patterns:
        cells = page.users[columns.ARN if pattern.startswith("arn:") else columns.USER]
        mask |= cells.str.fullmatch(pattern_regex(pattern), case=False).to_numpy(bool)
    return mask
