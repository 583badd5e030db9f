"""Folders of runs, and runs whose outputs are not what is tested."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from analyzer.exports.runs import Run
from analyzer.judging.analysis import Analysis
from tests.support.aws_server import Aws, serving_an_organization
from tests.support.runs import OUTPUTS, SAMPLE, exporting


def write_plainly(_: Analysis, folder: Path, _previous: Run | None, _trend: pd.DataFrame) -> int:
    """Write every output of a run as one word."""
    for output in OUTPUTS:
        (folder / output).write_text("unused")
    return 0


@pytest.fixture
def plain_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a tenth of the time for a run whose outputs nobody reads."""
    monkeypatch.setattr("analyzer.exports.contents.write_all", write_plainly)


@pytest.fixture
def plain_workbook(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take half the time for a run whose workbook nobody reads."""
    monkeypatch.setattr(
        "analyzer.exports.contents.write_workbook", lambda _, stream, **__: stream.write(b"book")
    )


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    return tmp_path / "reports"


@pytest.fixture(scope="session")
def plain_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a run with plain outputs once, to be copied."""
    folder = tmp_path_factory.mktemp("plain") / "runs"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("analyzer.exports.contents.write_all", write_plainly)
        assert exporting(folder, "--from", SAMPLE) == 0
    return folder


@pytest.fixture
def one_run(plain_runs: Path, runs: Path) -> Path:
    """Copy a folder of runs with one run in it, and return that run."""
    shutil.copytree(plain_runs, runs, symlinks=True)
    return runs / "2026-03-01T09-30-00Z"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Aws]:
    with serving_an_organization(monkeypatch, tmp_path) as server:
        yield server
