"""Judge credential reports on an engine (Spark, Dask), a batch of rows at a time.

    users = batches.judge(rows, as_of)  # frames of pandas; samples/engines has the calls

Each row is judged as in one process. A batch does not know which of several reports of an account
counts, nor other rows of a user, nor that a file was cut off: give reports that were read before.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.errors import InputRefused, Problem
from analyzer.limits import Criteria
from analyzer.report import arns
from analyzer.report.model import word_column
from analyzer.report.users import users_of_rows
from analyzer.sources.load import moment_in_utc
from analyzer.terms import AsOfSource, missing_columns_text
from analyzer.verdicts import verdict
from analyzer.writers.parquet import USERS, record_batch

if TYPE_CHECKING:
    import pandas as pd

SCHEMA: Final = pa.schema(
    USERS.field(name)
    for name in (*columns.JUDGED, *columns.REPORT_ONLY)
    if name != columns.EXEMPTION
)
"""The columns of the users: those of the analysis, then those of the report, as in Parquet."""


def judge(
    rows: "pd.DataFrame", as_of: datetime, criteria: Criteria | None = None
) -> "pd.DataFrame":
    """Return the IAM users among rows of reports, with the columns of `SCHEMA`.

    `rows` have the report's columns as text, `as_of` is the moment that the reports describe, with
    its zone. Rows of roots are left out. Raises ValueError for a moment without its zone, and
    InputRefused for one that no report describes, if a column is missing that a report must have,
    if a cell is missing (a blank one is text), or if an ARN names no account.
    """
    moment = moment_in_utc(as_of)
    if lacking := [name for name in columns.REQUIRED if name not in rows]:
        hint = "Give the report's columns under AWS's names."
        raise InputRefused.of_file("the batch", missing_columns_text(lacking), hint)
    texts = rows[[name for name in columns.IN_REPORT if name in rows]]
    schema = pa.schema([(name, pa.large_string()) for name in texts])
    table = pa.Table.from_pandas(texts, schema, preserve_index=False).combine_chunks()
    if incomplete := [name for name in table.column_names if table[name].null_count]:
        hint = "Read all cells as text, and none as missing (pandas: keep_default_na=False)."
        message = f"cells are missing in {', '.join(incomplete)}"
        raise InputRefused.of_file("the batch", message, hint)
    arn, user = (table[name].combine_chunks() for name in (columns.ARN, columns.USER))
    positions = np.flatnonzero(~arns.is_root(arn, user))
    table = table.take(pa.array(positions)).append_column(columns.ROW, pa.array(positions))
    table = table.append_column(columns.FILE, pa.array(np.zeros(len(positions), np.int64)))
    users = users_of_rows(table.combine_chunks(), [np.datetime64(moment.replace(tzinfo=None), "s")])
    nameless = users.arn.filter(pc.equal(users.account, "")).to_pylist()
    if nameless:
        hint = "Put 12 digits in the place of the account."
        message = "the ARN names no account of 12 digits"
        raise InputRefused([Problem("the batch", None, columns.ARN, nameless[0], message, hint)])
    words = {columns.AS_OF_SOURCE: AsOfSource.OPTION, columns.SERVICE_CREDENTIALS: ""}
    first = np.zeros(len(users), np.int8)
    users = users.with_users({name: word_column(first, [word]) for name, word in words.items()})
    judged = verdict.judge(users, criteria or Criteria())
    own = {columns.ACCOUNT: judged.account, columns.AS_OF: judged.as_of}
    frame: pd.DataFrame = record_batch(SCHEMA, {**judged.text, **judged.added, **own}).to_pandas()
    return frame
