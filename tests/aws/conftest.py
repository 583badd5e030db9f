"""An organization to fetch from, and the folder to fetch into."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.aws_server import Aws, serving_an_organization


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Aws]:
    with serving_an_organization(monkeypatch, tmp_path) as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "reports"
