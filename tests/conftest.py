import gc
import sys
from functools import cache
from typing import Any

import pytest


def pytest_configure() -> None:
    """Look for garbage in nothing that stays: a sixth of the time of collecting the tests."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Look for garbage in nothing that stays, and make each command of the program once."""
    gc.freeze()
    gc.enable()
    program: Any = sys.modules.get("analyzer.cli")
    if program:
        program.command_named = cache(program.command_named)


@pytest.fixture(autouse=True)
def unmeasured_processes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no coverage measured in what a test starts that is itself not measured."""
    if request.node.get_closest_marker("no_cover"):
        monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
