"""Judge credential reports in a folder or bucket with Dask, and write the users as Parquet.

    python -m samples.engines.dask 'reports/*.csv' users 2026-03-01T09:30Z

Run it as a module: as a script it would import itself instead of Dask.
"""

import sys
from datetime import datetime

import dask.dataframe

from analyzer import batches


def run(reports: str, target: str, as_of: datetime) -> None:
    """Judge all reports of one moment; each batch is judged by itself."""
    rows = dask.dataframe.read_csv(reports, dtype=str, keep_default_na=False)
    users = rows.map_partitions(batches.judge, as_of, meta=batches.SCHEMA.empty_table().to_pandas())
    users.to_parquet(target, schema=batches.SCHEMA)


if __name__ == "__main__":
    run(*sys.argv[1:3], datetime.fromisoformat(sys.argv[3]))
