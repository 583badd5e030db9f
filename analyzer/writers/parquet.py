"""Write users or findings as Parquet, for tools that read tables (DuckDB, Spark, Athena, pandas).

The schemas are those of `tables`. Rows are written in groups, so that the memory stays constant.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq

from analyzer.analysis import Analysis
from analyzer.terms import Verdict
from analyzer.writers.tables import FINDINGS, USERS, finding_batches, user_batches

GROUP_ROWS: Final = 65_536
"""A row group has so many rows or more, but the last one."""


def write_parquet(analysis: Analysis, stream: BinaryIO, verdicts: Collection[Verdict]) -> None:
    """Write the users with one of the verdicts, in the report's order."""
    write_batches(user_batches(analysis, verdicts), USERS, stream)


def write_findings_parquet(analysis: Analysis, stream: BinaryIO) -> None:
    """Write all findings in the order of `Inspection.frames`."""
    write_batches(finding_batches(analysis), FINDINGS, stream)


def write_batches(batches: Iterable[pa.RecordBatch], schema: pa.Schema, stream: BinaryIO) -> None:
    """Write batches of one schema as a Parquet file."""
    with pq.ParquetWriter(stream, schema, compression="zstd") as writer:
        for group in _row_groups(batches):
            writer.write_table(group)


def _row_groups(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(map(len, waiting)) >= GROUP_ROWS:
            yield pa.Table.from_batches(waiting)
            waiting = []
    if waiting:
        yield pa.Table.from_batches(waiting)
