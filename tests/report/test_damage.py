"""A row of another length is put right only where its reading is certain."""

import pyarrow as pa
import pytest

from analyzer.errors import Problem
from analyzer.report.raw_report import ReportText, find_header
from analyzer.report.rows import mended_row
from tests.support.builders import COLUMNS, a_user, report_text

HEADER = ",".join(COLUMNS)
ROOT, ANN = report_text([a_user("ann")]).splitlines()[1:]
REST = ANN.split(",")[2:]
ARN = "arn:aws:iam::012345678901:user/a,b"


def a_text(tail: str = "") -> ReportText:
    return ReportText(
        name="report.csv",
        size=1,
        sha256="",
        csv_sha256="",
        header=find_header("report.csv", HEADER.encode()),
        check_unchanged=lambda: None,
        open=lambda: pa.BufferReader(b""),
        tail=tail.encode(),
    )


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        (",,,,", []),
        (f"a,b,{ARN},{','.join(REST)}", ["a,b", ARN, *REST]),
        (ANN + HEADER, ANN.split(",")),
        (f"{ANN}\ufeff{HEADER}", ANN.split(",")),
    ],
)
def test_what_is_certain_is_put_right(row: str, cells: list[str]) -> None:
    assert mended_row(a_text(), 5, row) == cells


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (f"x,b,{ARN},{','.join(REST)}", "the row has 24 cells, the header 22"),
        (ANN + ",more", "the row has 23 cells, the header 22"),
        (HEADER + ",more", "a second header with other columns"),
        ('x,"y\nz', "a quote opens in this row and does not close, or only rows later"),
        ("x," + "y" * 200_000, "the row has 2 cells, the header 22"),
        ("x\ry,z", "the row has 1 cell, the header 22"),
    ],
)
def test_what_is_not_certain_is_a_problem_that_names_the_row(row: str, message: str) -> None:
    found = mended_row(a_text(), 5, row)
    assert isinstance(found, Problem)
    assert (found.row, found.value, found.message) == (5, row[:80], message)


def test_a_short_row_at_the_end_of_the_file_is_cut_off() -> None:
    found = mended_row(a_text(tail=f"{ROOT}\nann,arn:aws"), 3, "ann,arn:aws")
    assert isinstance(found, Problem)
    assert found.message == "the file is cut off in the middle of this row"
