"""A batch of rows on an engine gets the verdicts that one process gives."""

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal

import analyzer
from analyzer import batches
from analyzer.errors import InputRefused
from analyzer.limits import Criteria
from tests.support.builders import AS_OF, COLUMNS, a_user, report_text, saved
from tests.support.outputs import SAMPLES

PLAIN = SAMPLES / "organization" / "222233334444.csv"


def rows_of(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def one_process(path: Path, folder: Path, criteria: Criteria | None = None) -> pd.DataFrame:
    """Return the users as Parquet of one process has them."""
    analysis = analyzer.analyze(analyzer.load(path, as_of=AS_OF), criteria)
    analyzer.write(analysis, folder / "users.parquet", verdicts=list(analyzer.Verdict))
    table = pq.read_table(folder / "users.parquet", columns=batches.SCHEMA.names)
    frame: pd.DataFrame = table.to_pandas()
    return frame


@pytest.mark.parametrize("criteria", [None, Criteria(idle_days=10, grace_days=400)])
def test_users_of_a_batch_have_the_verdicts_of_one_process(
    tmp_path: Path, criteria: Criteria | None
) -> None:
    for path in (PLAIN, SAMPLES / "old-form.csv"):
        judged = batches.judge(rows_of(path), AS_OF, criteria)
        assert_frame_equal(judged, one_process(path, tmp_path, criteria))


def test_rows_in_several_batches_are_judged_as_in_one() -> None:
    rows = rows_of(PLAIN)
    parts = [batches.judge(rows[start : start + 7], AS_OF) for start in range(0, len(rows), 7)]
    assert_frame_equal(pd.concat(parts, ignore_index=True), batches.judge(rows, AS_OF))
    assert len(batches.judge(rows[:0], AS_OF)) == 0


def test_a_batch_does_not_know_other_rows_of_a_user() -> None:
    rows = rows_of(PLAIN)
    twice = batches.judge(pd.concat([rows, rows]), AS_OF)
    assert len(twice) == 2 * len(batches.judge(rows, AS_OF))


def test_the_moment_has_a_zone_and_is_that_of_all_users() -> None:
    judged = batches.judge(rows_of(PLAIN), AS_OF + timedelta(microseconds=5))
    assert set(judged["as_of"]) == {AS_OF}
    assert set(judged["as_of_source"]) == {"option"}


BEYOND = {
    "1969-12-31T23:59:59Z": "1969-12-31T23:59:59+00:00",
    "1970-01-01T00:00:00+14:00": "1969-12-31T10:00:00+00:00",
    "2100-01-01T00:00:00Z": "2100-01-01T00:00:00+00:00",
    "2099-12-31T23:59:59-14:00": "2100-01-01T13:59:59+00:00",
    "0001-01-01T00:00:00+14:00": "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00": "9999-12-31T23:59:59-14:00",
}


@pytest.mark.parametrize("text", BEYOND)
def test_a_moment_that_no_report_describes_is_refused(text: str) -> None:
    with pytest.raises(InputRefused) as refused:
        batches.judge(rows_of(PLAIN), datetime.fromisoformat(text))
    (problem,) = refused.value.problems
    assert (problem.value, problem.message) == (BEYOND[text], "no report describes this time")


def test_the_first_and_the_last_moment_that_a_report_can_describe_are_taken() -> None:
    for text in ("1970-01-01T00:00:00Z", "2099-12-31T23:59:59Z"):
        moment = datetime.fromisoformat(text)
        assert set(batches.judge(rows_of(PLAIN), moment)["as_of"]) == {moment}


def test_a_moment_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="as_of lacks its zone: 2026-05-01 12:00:00"):
        batches.judge(rows_of(PLAIN), AS_OF.replace(tzinfo=None))


REFUSED: dict[str, dict[str, Any]] = {
    "column user_creation_time is missing": {"user_creation_time": None},
    "cells are missing in mfa_active": {"mfa_active": [None, "true"]},
    "the ARN names no account of 12 digits": {"arn": "arn:aws:iam::123XXXXXXXX:user/ann"},
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_no_report_has_is_refused(tmp_path: Path, message: str) -> None:
    rows = rows_of(saved(tmp_path, report_text([a_user("ann")])))
    for name, cells in REFUSED[message].items():
        rows = rows.drop(columns=name) if cells is None else rows.assign(**{name: cells})
    with pytest.raises(InputRefused, match=message) as refused:
        batches.judge(rows, AS_OF)
    assert all(problem.hint for problem in refused.value.problems)


@pytest.mark.no_cover
def test_the_sample_gives_these_users_on_dask(tmp_path: Path) -> None:
    dask = pytest.importorskip("dask")
    from samples.engines import dask as sample  # noqa: PLC0415

    for number in range(3):
        users = [a_user(f"user-{each}", account=f"{number:012}") for each in range(5)]
        saved(tmp_path, report_text(users, columns=COLUMNS), f"{number}.csv")
    with dask.config.set(scheduler="synchronous"):
        sample.run(f"{tmp_path}{os.sep}*.csv", str(tmp_path / "users"), AS_OF)
    judged = pq.read_table(tmp_path / "users").to_pandas()
    assert judged["verdict"].tolist() == ["unused"] * 15
    assert set(judged["account"]) == {"000000000000", "000000000001", "000000000002"}
