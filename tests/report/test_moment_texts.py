"""Moments are spelled alike one by one and a column at a time."""

from datetime import UTC, datetime, timedelta, timezone

import pandas as pd
import pyarrow as pa
import pytest

from analyzer.report.model import TEXT, arrow_array
from analyzer.report.values import day_text_series, minute_texts, utc_text_series, utc_texts
from analyzer.terms import utc_text

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

MOMENTS = [
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(2026, 3, 1, 9, 30, 7, tzinfo=UTC),
    datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC),
    datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC),
]
UNITS = ("s", "us", "ns")


def series(unit: str) -> pd.Series:
    """Return the moments and a missing one under an index of its own."""
    return pd.Series([*MOMENTS, None], index=[3, 3, 5, 7, 9], dtype=f"datetime64[{unit}, UTC]")


@pytest.mark.parametrize("unit", UNITS)
def test_a_column_of_moments_is_spelled_as_each_is_alone(unit: str) -> None:
    moments = series(unit)
    assert utc_texts(arrow_array(moments)).to_pylist() == [*map(utc_text, MOMENTS), None]
    spelled = utc_text_series(moments)
    assert spelled.fillna("").tolist() == [*map(utc_text, MOMENTS), ""]
    assert (spelled.dtype, spelled.index.tolist()) == (TEXT, moments.index.tolist())


@pytest.mark.parametrize("unit", UNITS)
def test_minutes_and_days_are_the_beginnings_of_the_same_text(unit: str) -> None:
    moments = series(unit)
    texts = [*map(utc_text, MOMENTS)]
    minutes = minute_texts(arrow_array(moments)).to_pylist()
    assert minutes == [*(each[:16].replace("T", " ") for each in texts), None]
    days = day_text_series(moments)
    assert days.fillna("").tolist() == [*(each[:10] for each in texts), ""]
    assert days.index.tolist() == moments.index.tolist()


def test_a_moment_of_another_zone_is_spelled_in_utc() -> None:
    at = datetime(2026, 3, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    assert utc_text(at) == "2026-02-28T23:30:00Z"


def test_no_moments_are_no_texts() -> None:
    assert utc_texts(pa.array([], pa.timestamp("s"))).to_pylist() == []
    assert day_text_series(series("s").iloc[:0]).tolist() == []
