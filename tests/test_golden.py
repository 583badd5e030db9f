"""Files that hold what the program makes hold what it makes now."""

import re
from pathlib import Path

import pytest

from tests.support.golden import FILES


def words(content: str, path: Path) -> list[str]:
    """Return what is to be read: where each word of a terminal stands is the drawing's own."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", content) if path.suffix == ".svg" else [content]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_python_m_tests_golden_would_change_nothing(path: Path, tmp_path: Path) -> None:
    assert words(path.read_text(encoding="utf-8"), path) == words(FILES[path](tmp_path), path)
