"""Write what changed between two runs as CSV: one row a user, safe to open in a spreadsheet."""

from typing import BinaryIO, Final

import pandas as pd

from analyzer import columns
from analyzer.changes import CHANGE, COLUMNS, LAST_USE
from analyzer.model import Report
from analyzer.terms import ISO_UTC, NOT_COVERED
from analyzer.writers.csv import frame_lines, text_lines

_FREE: Final = frozenset({columns.ACCOUNT, columns.USER, columns.ARN})
"""Columns in which any text may stand."""


def write_changes(frame: pd.DataFrame, report: Report, stream: BinaryIO) -> None:
    """Write the changes (`changes.COLUMNS`) up to a report, in their order.

    An account that could not be read has a row at the end, whose change is `NOT_COVERED`: what
    changed in it is not known.
    """
    stream.write(",".join(COLUMNS).encode() + b"\n")
    told = frame.assign(**{LAST_USE: frame[LAST_USE].dt.strftime(ISO_UTC)})
    stream.write(frame_lines(told[list(COLUMNS)], _FREE, raw=False))
    missing = ({CHANGE: NOT_COVERED, columns.ACCOUNT: each.whom} for each in report.not_covered)
    stream.write(text_lines(missing, COLUMNS, raw=False))
