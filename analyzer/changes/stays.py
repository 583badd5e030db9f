"""Find the unbroken runs of reports that have a user, and in which it has the same verdict."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Self

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.changes.coverage import Coverage
from analyzer.changes.timeline import READING, Timeline
from analyzer.terms import Verdict, code_of

UNUSED, _UNDETERMINED = code_of(Verdict.UNUSED), code_of(Verdict.UNDETERMINED)


class PeriodRows(NamedTuple):
    """Hold the rows of a period: their `places` in `Timeline.rows`, and what stands there.

    `goes_on` says which are of the same user as the row before, and of the next report; `start` and
    `end` which readings are the first and last of their account in the period.
    """

    places: np.ndarray
    user: np.ndarray
    reading: np.ndarray
    verdict: np.ndarray
    goes_on: np.ndarray
    start: np.ndarray
    end: np.ndarray

    @classmethod
    def of(cls, line: Timeline, covered: Sequence[Coverage]) -> Self:
        """Return the rows in the period of each account."""
        inside, start, end = np.zeros((3, len(line.readings)), bool)
        for each in covered:
            if not each.reason:
                inside[each.start : each.end + 1] = start[each.start] = end[each.end] = True
        at = np.flatnonzero(inside[line.rows[READING]])
        named = (columns.USER, READING, columns.VERDICT)
        user, reading, verdict = (line.rows[name][at] for name in named)
        goes_on = (np.diff(user, prepend=-1) == 0) & (np.diff(reading, prepend=-1) == 1)
        return cls(at, user, reading, verdict, goes_on, start, end)


def runs_of(line: Timeline, rows: PeriodRows) -> pd.DataFrame:
    """Return a row for each unbroken run of reports in which a user has the same verdict.

    A stay is an unbroken run of reports that have the user. `user`, `stay`, `verdict`, `first`,
    `last` int64: positions of the user, the stay, in `Verdict` and of readings; bool: `at_start`
    and `at_end` of the period, `enters` and `leaves` (the first run of a stay that begins in the
    period, the last of one that ends in it), `created` (of those that enter; the others appeared),
    `old_name` (of those that leave: possibly renamed), `new_name` likewise, `newly` unused, `back`
    in use. Runs of undetermined users are passed over in `newly` and `back`, and in `was_unused`:
    whether the run before of the stay is unused.
    """
    begins = ~rows.goes_on | (np.diff(rows.verdict, prepend=-1) != 0)
    first = np.flatnonzero(begins)
    last = np.append(first[1:], len(begins))[: len(first)] - 1
    stay = np.cumsum(~rows.goes_on)[first] - 1
    is_last = np.diff(stay, append=-1) != 0
    runs = pd.DataFrame(
        {
            columns.USER: rows.user[first],
            "stay": stay,
            columns.VERDICT: rows.verdict[first].astype(np.int64),
            "first": rows.reading[first],
            "last": rows.reading[last],
        }
    )
    runs["at_start"] = ~rows.goes_on[first] & rows.start[runs["first"]]
    runs["at_end"] = is_last & rows.end[runs["last"]]
    runs["enters"] = ~rows.goes_on[first] & ~runs["at_start"]
    runs["leaves"] = is_last & ~runs["at_end"]
    created = line.users[columns.CREATED].to_numpy("datetime64[s]")[runs[columns.USER]]
    runs["new_name"], runs["old_name"] = _possibly_renamed(runs, created)
    is_new = created >= line.moments[runs["first"] - 1]
    runs["created"] = runs["enters"] & (is_new | runs["new_name"])
    known = runs[runs[columns.VERDICT] != _UNDETERMINED]
    before = known.groupby("stay")[columns.VERDICT].shift().reindex(runs.index)
    unused = runs[columns.VERDICT] == UNUSED
    runs["was_unused"] = before == UNUSED
    runs["newly"] = unused & ~runs["was_unused"] & ~(before.isna() & runs["at_start"])
    runs["back"] = runs.index.isin(known.index) & ~unused & runs["was_unused"]
    return runs


def _possibly_renamed(runs: pd.DataFrame, created: np.ndarray) -> Iterator[pd.Series]:
    """Yield which runs enter, and which leave, as another user of the same second does not.

    Of two users of one second, one is gone and one is new in the same interval.
    """
    known, seconds = ~np.isnat(created), created.astype(np.int64)
    enters, leaves = known & runs["enters"], known & runs["leaves"]
    key_in = pd.Series((runs["first"].to_numpy() - 1) << 32 | seconds)
    key_out = pd.Series(runs["last"].to_numpy() << 32 | seconds)
    yield enters & key_in.isin(key_out[leaves])
    yield leaves & key_out.isin(key_in[enters])


def stays_of(runs: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each stay, with what its runs say of it.

    `user`, `first` and `last` reading, `leaves`; `since` and `used` are readings (int64, -1 for
    none): since when it is unused up to its end, and the last report in which it was not, or not
    yet there. Runs of undetermined users are passed over.
    """
    stay, verdict = runs["stay"], runs[columns.VERDICT]
    unused, known = verdict == UNUSED, verdict != _UNDETERMINED
    ends_unused = verdict.where(known).groupby(stay).last() == UNUSED
    since = runs["first"].where(unused & ~runs["was_unused"]).groupby(stay).last()
    used = runs["last"].where(known & ~unused).groupby(stay).last()
    stays = runs.groupby("stay").agg({columns.USER: "first", "first": "first", "last": "last"})
    entered = runs["enters"].groupby(stay).any()
    before = (stays["first"] - 1).where(entered)
    readings = {"since": since.where(ends_unused), "used": used.fillna(before)}
    whole = {name: each.fillna(-1).astype(np.int64) for name, each in readings.items()}
    return stays.assign(**whole, leaves=runs["leaves"].groupby(stay).any())
