"""Return which files cannot be reports: people keep notes and results in the same folders."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from analyzer import columns
from analyzer.report.input_size import HEAD_BYTES
from analyzer.report.raw_report import is_own_output

_ENDINGS: Final = (
    *(".md", ".xlsx", ".xls", ".docx", ".pdf", ".png", ".jpg", ".svg", ".db", ".sqlite"),
    *(".html", ".toml", ".yaml", ".yml", ".log", ".parquet", ".py", ".sh"),
    *(".ocsf.json", ".asff.json"),
)

_LARGEST_JSON: Final = 16 << 20
"""Larger JSON is not examined here: reading it as a report shows what it is."""


def cannot_be_report(path: Path) -> bool:
    """Return whether a file cannot be a report; one that cannot be read may be one."""

    def start(size: int) -> bytes:
        with path.open("rb") as stream:
            return stream.read(size)

    try:
        return path.is_file() and content_cannot_be_report(path.name, path.stat().st_size, start)
    except OSError:
        return False  # Reading it shows the reason.


def content_cannot_be_report(name: str, size: int, start: Callable[[int], bytes]) -> bool:
    """Return whether a file is no report by its ending, its emptiness or its content.

    `start` returns so many bytes of its start. What has the ending of a report or is damaged may
    be one: that is refused.
    """
    lower = name.lower()
    if lower.endswith(_ENDINGS) or not size:
        return True
    if lower.endswith(".json"):
        return size <= _LARGEST_JSON and _is_other_json(start(size))
    return lower.endswith(".csv") and is_own_output(start(HEAD_BYTES))


def _is_other_json(data: bytes) -> bool:
    """Return whether this is whole JSON, but neither AWS's answer nor the rows of a report."""
    try:
        document: Any = json.loads(data)
    except (ValueError, RecursionError):
        return False
    first = document[0] if isinstance(document, list) and document else document
    if not isinstance(first, dict):
        return isinstance(document, list)
    names = {key.lower() for key in first}
    return "content" not in names and not names.issuperset((columns.USER, columns.ARN))
