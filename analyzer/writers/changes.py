"""Write what changed between two runs as CSV: one row a user, safe to open in a spreadsheet."""

from typing import BinaryIO, Final

import pandas as pd

from analyzer import columns
from analyzer.changes import COLUMNS, LAST_USE
from analyzer.terms import ISO_UTC
from analyzer.writers.csv import frame_lines

_FREE: Final = frozenset({columns.ACCOUNT, columns.USER, columns.ARN})
"""Columns in which any text may stand."""


def write_changes(frame: pd.DataFrame, stream: BinaryIO) -> None:
    """Write the changes (`changes.COLUMNS`) in their order."""
    stream.write(",".join(COLUMNS).encode() + b"\n")
    if len(frame):
        told = frame.assign(**{LAST_USE: frame[LAST_USE].dt.strftime(ISO_UTC)})
        stream.write(frame_lines(told[list(COLUMNS)], _FREE, raw=False))
