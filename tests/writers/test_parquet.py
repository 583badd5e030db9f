"""Parquet has the rows of CSV and JSON in one published schema, and data tools read the same."""

import io
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import analyzer
from analyzer.analysis.analysis import Analysis
from analyzer.columns import OF_USERS_CSV, OWNERSHIP, TIMESTAMPS
from analyzer.report.model import NotCovered
from analyzer.report.values import timestamp
from analyzer.rules.rule import FINDINGS as FOUND
from analyzer.terms import Verdict
from analyzer.writers.parquet import write_findings_parquet, write_parquet
from tests.support.builders import COLUMNS_OF_2014, QUIET_PASSWORD, a_key, a_password, a_user
from tests.support.outputs import (
    ALL,
    CONSOLE,
    SAMPLES,
    UNUSED,
    analysis_of,
    analyzed_console,
    analyzed_sample,
    csv_rows,
    findings_bytes,
    rows_of,
    unguarded,
    written,
)

MOMENT = pa.timestamp("us", "UTC")


def users_bytes(analysis: Analysis, verdicts: Collection[Verdict] = ALL) -> bytes:
    return written(write_parquet, analysis, verdicts)


def findings_parquet(analysis: Analysis) -> bytes:
    return written(write_findings_parquet, analysis)


def table_of(content: bytes) -> pa.Table:
    return pq.read_table(io.BytesIO(content))


def as_csv_cell(name: str, value: Any, words: str) -> str:
    """Return a value as CSV has it; where it is null, CSV has text that is no moment."""
    if value is None:
        assert timestamp(words) is None, (name, words)
        return words
    return f"{value:%Y-%m-%dT%H:%M:%SZ}" if hasattr(value, "year") else str(value)


def test_the_columns_are_those_of_csv_and_json_in_their_order_then_the_moment() -> None:
    named = [name for name in OF_USERS_CSV if name != "account_name"]
    assert analyzer.USERS.names == named + ["report", "row"]
    names = ["report" if name == "file" else name for name in FOUND]
    assert analyzer.FINDINGS.names == [*names, *OWNERSHIP, "as_of", "as_of_source"]
    for content, schema in (
        (users_bytes(analyzed_console()), analyzer.USERS),
        (findings_parquet(analyzed_console()), analyzer.FINDINGS),
    ):
        assert table_of(content).schema.equals(schema, check_metadata=True)
    assert analyzer.USERS.metadata == {b"table": b"credreport users", b"schema_version": b"1.0"}
    assert analyzer.FINDINGS.metadata[b"table"] == b"credreport findings"


def test_each_column_has_one_type() -> None:
    for schema, moments, numbers in (
        (analyzer.USERS, ("as_of", *TIMESTAMPS), ("age_days", "idle_days", "row")),
        (analyzer.FINDINGS, ("as_of", "created", "since"), ("row", "slot", "days")),
    ):
        kinds = dict.fromkeys(moments, MOMENT) | dict.fromkeys(numbers, pa.int64())
        assert [field.type for field in schema] == [
            kinds.get(name, pa.string()) for name in schema.names
        ]


@pytest.mark.no_cover
def test_every_cell_is_that_of_csv() -> None:
    analysis = analyzer.analyze(analyzer.load(CONSOLE, SAMPLES / "old-form.csv"))
    for content, cells in (
        (users_bytes(analysis), unguarded(csv_rows(analysis))),
        (findings_parquet(analysis), unguarded(rows_of(findings_bytes(analysis)))),
    ):
        for row, expected in zip(table_of(content).to_pylist(), cells, strict=True):
            assert expected.pop("account_name") == ""
            assert row["report"] == expected.pop("file", row["report"])
            as_text = {name: as_csv_cell(name, row[name], expected[name]) for name in expected}
            assert as_text == expected


def test_what_is_not_understood_or_in_no_column_is_null_and_its_words_stand_in_the_reason() -> None:
    user = a_user("ann", password=a_password("vielleicht"), key_1=a_key())
    (row,) = table_of(users_bytes(analysis_of([user], columns=COLUMNS_OF_2014))).to_pylist()
    for name in ("password_last_used", "access_key_1_last_used_date"):
        assert row[name] is None
    assert row["access_key_1_last_used_service"] is None
    assert "vielleicht" in row["reason"]


def test_accounts_that_could_not_be_read_come_last() -> None:
    analysis = analyzed_console()
    lost = NotCovered(account="999999999999", name="lost", reason="denied.")
    analysis = analyzer.analyze(replace(analysis.report, not_covered=(lost,)))
    last = table_of(users_bytes(analysis, UNUSED)).to_pylist()[-1]
    assert (last["account"], last["verdict"], last["user"]) == ("999999999999", "not-covered", None)
    assert last["reason"] == "Account 999999999999 is not covered: denied."
    finding = table_of(findings_parquet(analysis)).to_pylist()[-1]
    assert (finding["rule"], finding["outcome"]) == ("not-covered", "undecided")


def test_no_rows_are_a_table_with_the_schema() -> None:
    quiet = a_user("ann", password=QUIET_PASSWORD, mfa=True)
    table = table_of(users_bytes(analysis_of([quiet]), UNUSED))
    assert (table.num_rows, table.schema.names) == (0, analyzer.USERS.names)


def test_pandas_and_duckdb_read_the_same_counts_and_values(tmp_path: Path) -> None:
    analysis = analyzed_sample(SAMPLES / "organization")
    path = tmp_path / "users.parquet"
    path.write_bytes(users_bytes(analysis))
    frame = pd.read_parquet(path)
    expected = analysis.users["verdict"].value_counts().to_dict()
    assert frame["verdict"].value_counts().to_dict() == {k: v for k, v in expected.items() if v}
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        relation = connection.read_parquet(str(path))
        counts = relation.aggregate("verdict, count(*)").fetchall()
        rows = pa.table(relation).cast(analyzer.USERS)
    assert dict(counts) == frame["verdict"].value_counts().to_dict()
    assert rows.to_pylist() == pq.read_table(path).to_pylist()
