"""Put users and findings into Arrow tables, whose two schemas are published, and into Parquet.

Words are `string`, numbers `int64`, moments `timestamp[us, UTC]`. A cell is null if its value is
unknown, missing or did not happen, also where AWS has words in place of a moment (`N/A`).
"""

from collections.abc import Collection, Iterable, Iterator
from typing import BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq

from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.report.model import arrow_array
from analyzer.report.values import timestamps
from analyzer.rules.rule import DAYS, SINCE
from analyzer.terms import Verdict
from analyzer.writers.findings import COLUMNS, finding_tables
from analyzer.writers.tables import TEXT_TYPE, USER_COLUMNS, Table, user_tables

SCHEMA_VERSION: Final = "1.0"  # the version of both schemas, in their metadata
REPORT: Final = "report"  # the column with the name of the file that a row comes from

_MOMENTS: Final = (columns.AS_OF, columns.CREATED, SINCE, *columns.TIMESTAMPS)
_NUMBERS: Final = (columns.AGE_DAYS, columns.IDLE_DAYS, columns.ROW, columns.SLOT, DAYS)


def _schema(table: str, names: Iterable[str]) -> pa.Schema:
    kinds = dict.fromkeys(_MOMENTS, pa.timestamp("us", "UTC")) | dict.fromkeys(_NUMBERS, pa.int64())
    about = {"table": f"credreport {table}", "schema_version": SCHEMA_VERSION}
    shown = {columns.FILE: REPORT}
    fields = [(shown.get(name, name), kinds.get(name, pa.string())) for name in names]
    return pa.schema(fields, about)


USERS: Final = _schema("users", USER_COLUMNS)
"""One row per user: the columns of the CSV in its order, then the file and the row in it.

Account names are in the manifest, not here: a batch of reports may lie without it.
"""

FINDINGS: Final = _schema("findings", COLUMNS)
"""One row per finding: the columns of `RuleResults.tables`, then the as-of of the report."""


def write_parquet(analysis: Analysis, stream: BinaryIO, verdicts: Collection[Verdict]) -> None:
    """Write the users with one of the verdicts, in the report's order."""
    write_batches(user_batches(analysis, verdicts), USERS, stream)


def write_findings_parquet(analysis: Analysis, stream: BinaryIO) -> None:
    """Write all findings in the order of `RuleResults.tables`."""
    write_batches(finding_batches(analysis), FINDINGS, stream)


def user_batches(analysis: Analysis, verdicts: Collection[Verdict]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of `tables.write_csv` with the schema `USERS`."""
    return (record_batch(USERS, table) for table in user_tables(analysis, verdicts))


def finding_batches(analysis: Analysis) -> Iterator[pa.RecordBatch]:
    """Yield the rows of `findings.write_findings` with the schema `FINDINGS`."""
    return (record_batch(FINDINGS, table) for table in finding_tables(analysis))


def record_batch(schema: pa.Schema, table: Table) -> pa.RecordBatch:
    """Return columns as the schema has them."""
    arrays = [
        _typed(arrow_array(table[columns.FILE if field.name == REPORT else field.name]), field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _typed(values: pa.Array, type_: pa.DataType) -> pa.Array:
    """Return values as the type; text becomes moments if the type asks for them."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_timestamp(type_) and not pa.types.is_timestamp(values.type):
        values = pa.array(timestamps(values.cast(TEXT_TYPE)), from_pandas=True)
    return values.cast(type_)


def write_batches(batches: Iterable[pa.RecordBatch], schema: pa.Schema, stream: BinaryIO) -> None:
    """Write batches of one schema as a Parquet file."""
    with pq.ParquetWriter(stream, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)
