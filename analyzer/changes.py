"""Compare two runs: who is newly unused, who is gone, who was used again.

A user is its ARN: no apostrophe against formulas ever stands before it, and its name is in it.
"""

from collections.abc import Collection
from enum import StrEnum
from functools import reduce
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from analyzer import columns
from analyzer.model import as_category
from analyzer.report.values import timestamps
from analyzer.terms import Verdict

CHANGE: Final = "change"
BEFORE: Final = "before"
NOW: Final = "now"
LAST_USE: Final = "last_use"
COLUMNS: Final = (
    CHANGE,
    columns.ACCOUNT,
    columns.USER,
    columns.ARN,
    BEFORE,
    NOW,
    LAST_USE,
)


class Change(StrEnum):
    """Say what became of a user since the previous run; the first that fits."""

    NEW_UNUSED = "new-unused"
    GONE = "gone"
    USED_AGAIN = "used-again"
    NO_LONGER_UNUSED = "no-longer-unused"


_USES: Final = (columns.PASSWORD_LAST_USED, *(key.last_used_date for key in columns.ACCESS_KEYS))

NEEDED: Final = (columns.ACCOUNT, columns.USER, columns.ARN, columns.VERDICT, *_USES)
"""The columns of a CSV with all users that a comparison needs, all of them text."""

_IDLE: Final = (Verdict.UNUSED, Verdict.RETIRED, Verdict.DORMANT)


def changes(
    before: pd.DataFrame,
    now: pd.DataFrame,
    covered_before: Collection[str],
    covered: Collection[str],
) -> pd.DataFrame:
    """Return who changed, in the order of `Change`, then by account and ARN.

    `before` and `now` are all users of two runs, with the columns `NEEDED` as text.
    `covered_before` and `covered` are the accounts that the previous and the present run could
    read. Of an account that the previous run did not cover, nobody is known to be newly unused,
    not even in a new account; of one that the present run does not cover, nobody is known to be
    gone. Nor do users become unused, or stop being so, by being undetermined in between.

    The columns are `COLUMNS`: `change` category, `account`, `user`, `arn`, `before` and `now` str
    (verdicts, empty where there is no such user), `last_use` datetime64[s, UTC], the newest known.
    """
    before, now = (
        _comparable_users(before).add_prefix(BEFORE),
        _comparable_users(now).add_prefix(NOW),
    )
    both = before.join(now, how="outer").reset_index()
    last_use, last_before = both[NOW + LAST_USE], both[BEFORE + LAST_USE]
    frame = pd.DataFrame(
        {
            columns.ACCOUNT: _now_or_before(both, columns.ACCOUNT),
            columns.USER: _now_or_before(both, columns.USER),
            columns.ARN: both[columns.ARN],
            BEFORE: both[BEFORE + columns.VERDICT].fillna(""),
            NOW: both[NOW + columns.VERDICT].fillna(""),
            LAST_USE: _newest([last_use, last_before]),
        }
    )
    code = _codes(
        frame,
        newer=_is_later(last_use, last_before),
        was_covered=frame[columns.ACCOUNT].isin(list(covered_before)).to_numpy(),
        is_covered=frame[columns.ACCOUNT].isin(list(covered)).to_numpy(),
    )
    told = frame.assign(**{CHANGE: as_category(code, Change)})[list(COLUMNS)]
    return told[code >= 0].sort_values([CHANGE, columns.ACCOUNT, columns.ARN], ignore_index=True)


def _codes(
    frame: pd.DataFrame, *, newer: np.ndarray, was_covered: np.ndarray, is_covered: np.ndarray
) -> np.ndarray:
    """Return the position of each user's change among all, -1 where nothing changed."""
    before, now = frame[BEFORE], frame[NOW]
    was_unused, is_unused = ((verdict == Verdict.UNUSED).to_numpy() for verdict in (before, now))
    was_known, is_known = ((each != Verdict.UNDETERMINED).to_numpy() for each in (before, now))
    is_there = (now != "").to_numpy()
    fits = {
        Change.NEW_UNUSED: is_unused & ~was_unused & was_known & was_covered,
        Change.GONE: ~is_there & is_covered,
        Change.USED_AGAIN: is_there & newer & before.isin(list(_IDLE)).to_numpy(),
        Change.NO_LONGER_UNUSED: is_there & was_unused & ~is_unused & is_known,
    }
    return np.select([fits[each] for each in Change], range(len(Change)), default=-1)


def _comparable_users(users: pd.DataFrame) -> pd.DataFrame:
    """Return what two runs are compared by: account, user, verdict, last_use, by ARN."""
    # What was read from a file or joined may lie in pieces; Arrow's columns are wanted whole.
    users = pa.Table.from_pandas(users[list(NEEDED)]).combine_chunks().to_pandas()
    known = pd.DataFrame(
        {
            columns.ARN: users[columns.ARN],
            columns.ACCOUNT: users[columns.ACCOUNT],
            columns.USER: _names(users),
            columns.VERDICT: users[columns.VERDICT],
            LAST_USE: _newest([_moments(users[name]) for name in _USES]),
        }
    )
    # Rows of one ARN that contradict each other share a verdict, and may differ in their uses.
    newest_last = known.sort_values(LAST_USE, kind="stable", na_position="first")
    return newest_last.drop_duplicates(columns.ARN, keep="last").set_index(columns.ARN)


def _names(users: pd.DataFrame) -> pd.Series:
    """Return the users' names as they stand in their ARNs, without a spreadsheet's apostrophe."""
    in_arn: pd.Series = users[columns.ARN].str.extract(r"^arn:.*/([^/]+)$", expand=False)
    return in_arn.fillna(users[columns.USER])


def _moments(cells: pd.Series) -> pd.Series:
    read = timestamps(pa.array(cells, pa.large_string()))
    return pd.Series(read, index=cells.index).dt.tz_localize("UTC")


def _now_or_before(both: pd.DataFrame, name: str) -> pd.Series:
    return both[NOW + name].fillna(both[BEFORE + name])


def _newest(series: list[pd.Series]) -> pd.Series:
    return reduce(lambda one, other: one.where(~(_is_later(other, one)), other), series)


def _is_later(one: pd.Series, other: pd.Series) -> np.ndarray:
    """Tell where there is a moment, and none as late in the other."""
    later: np.ndarray = (one.notna() & (other.isna() | (one > other))).to_numpy()
    return later
