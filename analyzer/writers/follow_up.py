"""Write the follow-up of an earlier review as CSV, one row a decision."""

from typing import BinaryIO, Final

from analyzer import columns
from analyzer.account_names import ACCOUNT_NAME
from analyzer.analysis import Analysis
from analyzer.follow_up import COLUMNS, REPORT, as_text
from analyzer.review import COMMENT, DECIDED_BY, TICKET
from analyzer.writers.csv import frame_lines

_FREE: Final = frozenset(
    {columns.USER, columns.ARN, DECIDED_BY, TICKET, COMMENT, REPORT, ACCOUNT_NAME}
)
"""Columns that may hold any text."""


def write_follow_up(analysis: Analysis, stream: BinaryIO, *, raw: bool = False) -> None:
    """Write the follow-up in its order; its columns are `follow_up.COLUMNS`.

    With `raw` no apostrophe is put before what looks like a formula: for machines only.
    """
    stream.write(",".join(COLUMNS).encode() + b"\n")
    stream.write(frame_lines(as_text(analysis.follow_up), _FREE, raw=raw))
