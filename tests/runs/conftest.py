"""Folders of runs, and runs whose outputs are not what is tested."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.aws_server import Aws, serving_an_organization
from tests.support.runs import SAMPLE, exporting, have_plain_outputs


@pytest.fixture
def plain_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    have_plain_outputs(monkeypatch)


@pytest.fixture
def plain_workbook(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take half the time for a run whose workbook nobody reads."""
    monkeypatch.setattr(
        "analyzer.runs.outputs.write_workbook", lambda _, stream, **__: stream.write(b"book")
    )


@pytest.fixture
def changes_alone(plain_workbook: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take half of that time for a run of which only the changes and what follows up are read."""
    del plain_workbook

    monkeypatch.setattr("analyzer.runs.outputs.write", lambda *_, **__: None)


@pytest.fixture
def uncompared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take half the time for a run whose changes nobody reads."""
    monkeypatch.setattr("analyzer.runs.run._runs_to_compare", lambda *_: ((), None))


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    return tmp_path / "reports"


@pytest.fixture(scope="session")
def plain_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a run with plain outputs once, to be copied, while others may read what is new."""
    folder = tmp_path_factory.mktemp("plain") / "runs"
    before = os.umask(0)
    with pytest.MonkeyPatch.context() as patch:
        have_plain_outputs(patch)
        assert exporting(folder, "--from", SAMPLE) == 0
    os.umask(before)
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
