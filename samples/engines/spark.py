"""Judge the credential reports in a folder or bucket with Spark, and write the users as Parquet.

spark-submit samples/engines/spark.py s3://bucket/reports s3://bucket/users
"""

import sys

import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql.functions import broadcast
from pyspark.sql.pandas.types import from_arrow_schema

from analyzer import USERS, InputRefused, batches


def run(spark: SparkSession, folder: str, target: str, rows: int = 100_000) -> None:
    """Judge all reports below a folder, in batches of about so many rows."""
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", 100)  # files in memory at once
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    spark.conf.set("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")  # not INT96
    reader = spark.read.format("binaryFile").option("recursiveFileLookup", "true")
    files = reader.load(folder).select("path", "content")

    surveyed = files.mapInArrow(batches.survey_files, from_arrow_schema(batches.SURVEY))
    surveys = surveyed.toArrow()
    batch_of = batches.plan(surveys, rows)
    planned = spark.createDataFrame(pa.table({"path": [*batch_of.index], "batch": [*batch_of]}))

    def judge(batch: pa.Table) -> pa.Table:
        return batches.judge_files(batch, surveys=surveys)

    groups = files.join(broadcast(planned), "path").groupBy("batch")
    users = groups.applyInArrow(judge, from_arrow_schema(USERS))
    users.write.mode("overwrite").parquet(target)
    count = spark.read.parquet(target).count()
    print(f"files {len(batch_of)}, batches {batch_of.nunique()}, users {count}")


if __name__ == "__main__":
    try:
        run(SparkSession.builder.appName("credreport").getOrCreate(), *sys.argv[1:3])
    except InputRefused as refused:
        sys.exit("\n".join(map(str, refused.problems)))
