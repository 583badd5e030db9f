"""Count unused, inactive and all users per run, for the trend on the Summary."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import pandas as pd

from analyzer import columns
from analyzer.analysis import Analysis
from analyzer.exports.runs import Run
from analyzer.model import TEXT
from analyzer.terms import ISO_UTC, Verdict, utc_text

MOST_RUNS: Final = 12
"""So many runs at most make the trend."""

COLUMNS: Final = (
    columns.RUN,
    columns.AS_OF,
    str(Verdict.UNUSED),
    columns.INACTIVE_COUNT,
    columns.USERS,
)


def trend(
    earlier: Sequence[Run], name: str, as_of: datetime, verdicts: Mapping[str, int]
) -> pd.DataFrame:
    """Return the numbers of users of the newest runs, the oldest first and the present one last.

    `earlier` are the older runs in their order, each with the counts that it was exported with;
    one whose record lacks them or its as-of is left out. `name`, `as_of` and `verdicts`
    (`verdict_counts`) are those of the present run. The columns are `COLUMNS`: `run` str, `as_of`
    datetime64[s, UTC], `unused`, `inactive` (retired or dormant), `users` int64.
    """
    counted = [(run, counts) for run in earlier if (counts := _recorded_counts(run.record))]
    rows = [
        *((run.name, run.record.get("as_of"), *_user_counts(counts)) for run, counts in counted),
        (name, utc_text(as_of), *_user_counts(verdicts)),
    ]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    moments = pd.to_datetime(frame[columns.AS_OF], format=ISO_UTC, utc=True, errors="coerce")
    kinds: dict[str, Any] = {columns.RUN: TEXT, **dict.fromkeys(COLUMNS[2:], "int64")}
    dated = frame.astype(kinds).assign(**{columns.AS_OF: moments.dt.as_unit("s")})
    return dated.dropna(subset=columns.AS_OF).tail(MOST_RUNS).reset_index(drop=True)


def verdict_counts(analysis: Analysis) -> dict[str, int]:
    """Return the number of users of each verdict."""
    return {str(verdict): analysis.totals.users(verdict) for verdict in Verdict}


def _recorded_counts(record: Mapping[str, Any]) -> Mapping[str, int]:
    """Return the counts in a record, none if it has no understood ones."""
    counts = record.get("users")
    if not isinstance(counts, dict) or {*counts} != {*map(str, Verdict)}:
        return {}
    return counts if all(type(number) is int for number in counts.values()) else {}


def _user_counts(verdicts: Mapping[str, int]) -> tuple[int, int, int]:
    """Return how many users are unused, are inactive, and how many there are."""
    inactive = verdicts[Verdict.RETIRED] + verdicts[Verdict.DORMANT]
    return verdicts[Verdict.UNUSED], inactive, sum(verdicts.values())
