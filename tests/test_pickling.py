"""Reports and results can be pickled: other processes get the same users and findings."""

import gzip
import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from pandas.testing import assert_frame_equal

import analyzer
from analyzer.judging.analysis import Analysis
from analyzer.judging.filters import Filter
from analyzer.report import survey
from analyzer.rules import RULES
from analyzer.sources import load
from tests.support.builders import a_user, report_text, saved
from tests.support.outputs import CONSOLE, analyzed_console, csv_bytes, json_bytes

T = TypeVar("T")


def copied(value: T) -> T:
    result: T = pickle.loads(pickle.dumps(value))
    return result


def same_outputs(analysis: Analysis, other: Analysis) -> bool:
    return csv_bytes(analysis) == csv_bytes(other) and json_bytes(analysis) == json_bytes(other)


def zipped(folder: Path, content: bytes) -> Path:
    with zipfile.ZipFile(folder / "reports.zip", "w") as archive:
        archive.writestr("report.csv", content)
    return folder / "reports.zip"


def gzipped(folder: Path, content: bytes) -> Path:
    path = folder / "report.csv.gz"
    path.write_bytes(gzip.compress(content))
    return path


def plain(folder: Path, content: bytes) -> Path:
    return saved(folder, content.decode())


Wrapper = Callable[[Path, bytes], Path]


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("wrapper", "kept_bytes"),
    [(plain, survey.ROW_BYTES_IN_MEMORY), (plain, 0), (gzipped, 0), (zipped, 0)],
)
def test_a_report_gives_the_same_users_after_pickling(
    wrapper: Wrapper, kept_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analyzer.report.assemble.ROW_BYTES_IN_MEMORY", kept_bytes)
    report = analyzer.load(wrapper(tmp_path, CONSOLE.read_bytes()))
    assert same_outputs(analyzer.analyze(report), analyzer.analyze(copied(report)))


@pytest.mark.no_cover
def test_a_streamed_report_gives_the_same_users_after_pickling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "STREAMED_FROM", 0)
    report = analyzer.load(plain(tmp_path, CONSOLE.read_bytes()))
    again = copied(report)
    assert again.files == report.files
    assert same_outputs(analyzer.analyze(report), analyzer.analyze(again))


def test_standard_input_is_pickled_with_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Piped:
        buffer = io.BytesIO(zipped(tmp_path, CONSOLE.read_bytes()).read_bytes())

    monkeypatch.setattr("sys.stdin", Piped)
    report = analyzer.load("-")
    assert same_outputs(analyzer.analyze(report), analyzer.analyze(copied(report)))


@pytest.mark.no_cover
def test_an_analysis_gives_the_same_outputs_after_pickling() -> None:
    analysis = analyzed_console()
    again = copied(analysis)
    assert_frame_equal(again.users, analysis.users)
    assert_frame_equal(again.inspection.findings, analysis.inspection.findings)
    assert same_outputs(analysis, copied(analysis))


def test_a_part_of_an_analysis_gives_the_same_outputs_after_pickling() -> None:
    analysis = analyzed_console().where(Filter(users=("s*",)))
    again = copied(analysis)
    assert again.filtered_out == analysis.filtered_out > 0
    assert same_outputs(analysis, again)


@pytest.mark.no_cover
def test_an_inspection_gives_the_same_findings_after_pickling() -> None:
    inspection = analyzed_console().inspection
    again = copied(inspection)
    assert_frame_equal(again.findings, inspection.findings)
    assert again.controls == inspection.controls


def test_every_rule_is_the_same_after_pickling() -> None:
    assert copied(RULES) == RULES


def test_slices_of_one_table_are_pickled_by_themselves(tmp_path: Path) -> None:
    sizes = {}
    for files in (1, 8):
        folder = tmp_path / f"{files}"
        folder.mkdir()
        for number in range(files):
            account = f"{number:012}"
            users = [a_user(f"user-{each}", account=account) for each in range(200)]
            saved(folder, report_text(users), f"{account}.csv")
        sizes[files] = len(pickle.dumps(analyzer.load(folder)))
    assert sizes[8] < 12 * sizes[1]
