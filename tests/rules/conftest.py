"""What rules find is not measured for coverage: other tests reach the same lines, in less time."""

from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent and "command_line" not in item.path.name:
            item.add_marker("no_cover")
