"""Put users and findings into Arrow tables, whose two schemas are published for data tools.

Words are `string`, numbers `int64`, moments `timestamp[us, UTC]`. A cell is null where something
is unknown, missing or did not happen; that includes AWS's words in place of a moment (`N/A`).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from analyzer import columns
from analyzer.analysis import Analysis
from analyzer.model import TEXT, Page, Report, arrow_array
from analyzer.report.values import timestamps
from analyzer.rules import rule
from analyzer.rules.rule import DAYS, SINCE
from analyzer.terms import Verdict
from analyzer.writers.findings import uncovered_finding
from analyzer.writers.users import listed_pages, uncovered_user

SCHEMA_VERSION: Final = "1.0"
"""The version of both schemas, which stands in their metadata."""

REPORT: Final = "report"
"""The column with the name of the file that a row comes from."""

_MOMENTS: Final = frozenset({columns.AS_OF, columns.CREATED, SINCE, *columns.TIMESTAMPS})
_NUMBERS: Final = frozenset({columns.AGE_DAYS, columns.IDLE_DAYS, columns.ROW, columns.SLOT, DAYS})


def _schema(table: str, names: Iterable[str]) -> pa.Schema:
    about = {"table": f"credreport {table}", "schema_version": SCHEMA_VERSION}
    return pa.schema([(name, _type(name)) for name in names], about)


def _type(name: str) -> pa.DataType:
    if name in _MOMENTS:
        return pa.timestamp("us", "UTC")
    return pa.int64() if name in _NUMBERS else pa.string()


USERS: Final = _schema("users", (*columns.JUDGED, *columns.REPORTED, REPORT, columns.ROW))
"""One row a user: the columns of the CSV in its order, then the file and the row in it.

Account names are in the manifest, not here: a batch of reports may lie without it.
"""

FINDINGS: Final = _schema(
    "findings",
    (
        *(REPORT if name == columns.FILE else name for name in rule.FINDINGS),
        columns.AS_OF,
        columns.AS_OF_SOURCE,
    ),
)
"""One row a finding: the columns of `rules.rule.FINDINGS`, then the moment of the report."""


def user_batches(analysis: Analysis, verdicts: Collection[Verdict]) -> Iterator[pa.RecordBatch]:
    """Yield the users with one of the verdicts, with the schema `USERS`.

    An account that could not be read has a row at the end, as in CSV.
    """
    names = _file_names(analysis.report)
    for page in listed_pages(analysis, verdicts):
        yield _batch(USERS, _user_columns(page, names))
    yield from _rows(USERS, map(uncovered_user, analysis.report.not_covered))


def _user_columns(page: Page, names: pd.Series) -> Mapping[str, Any]:
    return {
        **{name: page.users[name] for name in (*columns.JUDGED, columns.ROW)},
        **{name: _report_column(name, page.cells[name]) for name in columns.REPORTED},
        REPORT: names.take(page.users[columns.FILE].to_numpy()),
    }


def _report_column(name: str, cells: pd.Series) -> pd.Series | np.ndarray:
    """Return a column of the report, as moments where it holds such."""
    return timestamps(arrow_array(cells).cast(pa.large_string())) if name in _MOMENTS else cells


def finding_batches(analysis: Analysis) -> Iterator[pa.RecordBatch]:
    """Yield all findings in the order of `Inspection.frames`, with the schema `FINDINGS`.

    An account that could not be read has a row at the end, as in CSV.
    """
    names = _file_names(analysis.report)
    files = analysis.report.files
    moments = pd.Series(pd.DatetimeIndex([file.as_of for file in files]))
    sources = pd.Series([file.as_of_source.value for file in files], dtype=TEXT)
    for frame in analysis.inspection.frames():
        file = frame[columns.FILE].to_numpy()
        about = {REPORT: names, columns.AS_OF: moments, columns.AS_OF_SOURCE: sources}
        taken = {name: each.take(file) for name, each in about.items()}
        yield _batch(FINDINGS, {**{name: frame[name] for name in rule.FINDINGS}, **taken})
    yield from _rows(FINDINGS, map(uncovered_finding, analysis.report.not_covered))


def _file_names(report: Report) -> pd.Series:
    return pd.Series([file.name for file in report.files], dtype=TEXT)


def _batch(schema: pa.Schema, values: Mapping[str, Any]) -> pa.RecordBatch:
    arrays = [arrow_array(values[field.name]).cast(field.type) for field in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _rows(schema: pa.Schema, rows: Iterable[Mapping[str, str]]) -> Iterator[pa.RecordBatch]:
    """Yield few rows as one batch, or none."""
    if every := list(rows):
        yield pa.RecordBatch.from_pylist(every, schema)
