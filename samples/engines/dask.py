"""Judge the credential reports in a folder or bucket with Dask, and write the users as Parquet.

    python -m samples.engines.dask s3://bucket/reports s3://bucket/users

Run it as a module: as a script it would import itself instead of Dask.
"""

import sys
from itertools import chain
from typing import Any

import dask
import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from analyzer import InputRefused, batches


def read(system: Any, names: list[str]) -> pa.Table:
    """Return files as a table with the columns `path` and `content`."""
    return pa.table({"path": names, "content": [system.cat_file(name) for name in names]})


@dask.delayed
def survey(system: Any, names: list[str]) -> list[pa.RecordBatch]:
    """Survey some files."""
    return [*batches.survey_files(read(system, names).to_batches())]


@dask.delayed
def judge(system: Any, names: list[str], surveys: pa.Table, target: str) -> int:
    """Judge a batch, write its users to a file, and return their number."""
    users = batches.judge_files(read(system, names), surveys=surveys)
    with fsspec.open(target, "wb") as stream:
        pq.write_table(users, stream)
    return len(users)


def run(folder: str, target: str, rows: int = 100_000) -> None:
    """Judge all reports below a folder, in batches of about so many rows."""
    system, root = fsspec.url_to_fs(folder)
    names = sorted(system.find(root))
    chunks = [names[start : start + 100] for start in range(0, len(names), 100)]
    surveyed = dask.compute(*(survey(system, chunk) for chunk in chunks))
    surveys = pa.Table.from_batches(chain(*surveyed), batches.SURVEY)
    batch_of = batches.plan(surveys, rows)
    fsspec.url_to_fs(target)[0].makedirs(target, exist_ok=True)
    counts = dask.compute(
        *(
            judge(system, [*group.index], surveys, f"{target}/{batch:05}.parquet")
            for batch, group in batch_of.groupby(batch_of)
        )
    )
    print(f"files {len(batch_of)}, batches {len(counts)}, users {sum(counts)}")


if __name__ == "__main__":
    try:
        with dask.config.set(scheduler="processes"):  # in a cluster: a dask.distributed.Client
            run(*sys.argv[1:3])
    except InputRefused as refused:
        sys.exit("\n".join(map(str, refused.problems)))
