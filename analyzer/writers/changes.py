"""Write what changed between two analyses as CSV or JSON."""

from collections.abc import Iterator
from typing import Any, BinaryIO, Final

import pandas as pd

from analyzer.changes.diff import COLUMNS, Comparison, counts_by_kind
from analyzer.judging.analysis import Analysis
from analyzer.version import VERSION
from analyzer.writers.csv import write_tables
from analyzer.writers.json import fields, json_bytes
from analyzer.writers.text_columns import plain_objects, plain_rows

SCHEMA_VERSION: Final = "1.0"

_ROWS_AT_ONCE: Final = 50_000
"""So many changes at a time are put in text, to keep the memory small."""


def write_changes(frame: pd.DataFrame, stream: BinaryIO, *, raw: bool = False) -> None:
    """Write the changes (`changes.diff.COLUMNS`) as CSV, in their order."""
    starts = range(0, len(frame), _ROWS_AT_ONCE)
    parts = (frame.iloc[start : start + _ROWS_AT_ONCE] for start in starts)
    write_tables(parts, COLUMNS, stream, raw=raw)


def write_changes_json(compared: Comparison, stream: BinaryIO) -> None:
    """Write both sides, the number of changes of each kind, and the changes, one a line."""
    head = {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "credreport", "version": VERSION},
        "criteria": compared.now.criteria,
        "settings": compared.now.settings,
        "before": _side(compared.before),
        "now": _side(compared.now),
        "counts": counts_by_kind(compared.changes),
    }
    stream.write(json_bytes(head).removesuffix(b"}") + b',"changes":[')
    between = b"\n"
    for change in plain_objects(compared.changes, COLUMNS):
        stream.write(between + json_bytes(change))
        between = b",\n"
    stream.write(b"\n]}\n")


def text_rows(frame: pd.DataFrame) -> Iterator[list[str]]:
    """Yield the cells of each change as text, in the order of `COLUMNS`; moments as ISO 8601."""
    return ([cell or "" for cell in row] for row in plain_rows(frame, COLUMNS))


def _side(analysis: Analysis) -> dict[str, Any]:
    report = analysis.report
    return {
        "files": [
            {
                **fields(file, "name", "sha256", "as_of", "as_of_source"),
                "accounts": [account.account for account in file.accounts],
            }
            for file in report.files
        ],
        "not_covered": report.not_covered,
        "exemptions": analysis.exemptions.file,
        "notes": report.notes,
    }
