"""Judge credential reports in a folder or bucket with Spark, and write the users as Parquet.

spark-submit samples/engines/spark.py s3://bucket/2026-03-01 s3://bucket/users 2026-03-01T09:30Z
"""

import sys
from collections.abc import Iterable, Iterator
from datetime import datetime

import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from analyzer import batches


def run(spark: SparkSession, reports: str, target: str, as_of: datetime) -> None:
    """Judge all reports of one moment; each batch is judged by itself."""

    def judged(frames: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        return (batches.judge(frame, as_of) for frame in frames)

    spark.conf.set("spark.sql.session.timeZone", "UTC")
    rows = spark.read.csv(reports, header=True, enforceSchema=False, nullValue="\0", emptyValue="")
    users = rows.mapInPandas(judged, from_arrow_schema(batches.SCHEMA))
    users.write.mode("overwrite").parquet(target)


if __name__ == "__main__":
    session = SparkSession.builder.appName("credreport").getOrCreate()
    run(session, *sys.argv[1:3], datetime.fromisoformat(sys.argv[3]))
