"""Write what became of earlier decisions as CSV, one row a decision."""

from typing import BinaryIO

from analyzer.analysis import Analysis
from analyzer.decisions.follow_up import COLUMNS, as_text
from analyzer.writers.csv import frame_lines


def write_follow_up(analysis: Analysis, stream: BinaryIO, *, raw: bool = False) -> None:
    """Write the follow-up in its order; its columns are `follow_up.COLUMNS`.

    With `raw` no apostrophe is put before what looks like a formula: for machines only.
    """
    stream.write(",".join(COLUMNS).encode() + b"\n")
    stream.write(frame_lines(as_text(analysis.follow_up), raw=raw))
