"""Count unused, inactive and all users per run, for the trend on the Summary."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow as pa
from pyarrow import csv

from analyzer import columns
from analyzer.exports.runs import Run
from analyzer.terms import NOT_COVERED, Verdict

NEWEST: Final = 12
"""So many runs at most make the trend."""

RUN: Final = "run"
INACTIVE: Final = "inactive"
COLUMNS: Final = (RUN, columns.AS_OF, str(Verdict.UNUSED), INACTIVE, columns.USERS)
_USERS_FILE: Final = "users.csv"
_LARGEST_BLOCK: Final = 1 << 30


def trend(runs: Sequence[Run]) -> pd.DataFrame:
    """Return the numbers of users of the newest runs, the oldest run first.

    `runs` come in the order of `exports.runs.runs`. The columns are `COLUMNS`: `run` str, `as_of`
    datetime64[s, UTC], `unused`, `inactive` (retired or dormant), `users` int64. Counts are those
    that each run was exported with.
    """
    rows = [
        (run.name, run.record["as_of"], *user_counts(verdict_counts(run.path / _USERS_FILE)))
        for run in runs[-NEWEST:]
    ]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    moments = pd.to_datetime(frame[columns.AS_OF], utc=True).dt.as_unit("s")
    whole = dict.fromkeys(COLUMNS[2:], "int64")
    return frame.astype({RUN: "str", **whole}).assign(**{columns.AS_OF: moments})


def user_counts(verdicts: Mapping[str, int]) -> tuple[int, int, int]:
    """Return how many users are unused, are inactive, and how many there are."""
    count = {each: verdicts.get(each, 0) for each in Verdict}
    inactive = count[Verdict.RETIRED] + count[Verdict.DORMANT]
    return count[Verdict.UNUSED], inactive, sum(count.values())


def verdict_counts(path: Path) -> Mapping[str, int]:
    """Return the number of users of each verdict in a run's list of users."""
    # A row must lie within a block, however long its cells are.
    blocks = csv.ReadOptions(block_size=min(max(path.stat().st_size, 1), _LARGEST_BLOCK))
    only = csv.ConvertOptions(
        include_columns=[columns.VERDICT], column_types={columns.VERDICT: pa.large_string()}
    )
    lines = csv.ParseOptions(newlines_in_values=True)
    verdicts = csv.read_csv(path, blocks, lines, only)[columns.VERDICT].value_counts()
    counts = Counter({each["values"]: each["counts"] for each in verdicts.to_pylist()})
    del counts[NOT_COVERED]
    return counts
