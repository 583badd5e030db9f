"""Tell which files of a folder cannot be reports: people keep notes and results beside them."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from analyzer import columns
from analyzer.report.input_size import HEAD
from analyzer.report.raw_report import is_result

_ENDINGS: Final = (
    *(".md", ".xlsx", ".xls", ".docx", ".pdf", ".png", ".jpg", ".svg", ".db", ".sqlite"),
    *(".html", ".toml", ".yaml", ".yml", ".log", ".parquet", ".py", ".sh"),
    *(".ocsf.json", ".asff.json"),
)

_LARGEST_JSON: Final = 16 << 20
"""JSON of more bytes is left to those who read reports, which say what it is."""


def cannot_be_report(path: Path) -> bool:
    """Tell whether a file cannot be a report, by its ending, its emptiness or what it is instead.

    What has the ending of a report, is damaged or cannot be read may be one: that is refused.
    """
    try:
        if not path.is_file():
            return False
        return is_of_another_kind(path.name, path.stat().st_size, partial(_first_bytes, path))
    except OSError:
        return False  # Reading it will tell why.


def is_of_another_kind(name: str, size: int, first_bytes: Callable[[int], bytes]) -> bool:
    """Tell the same of a file of that name and size; `first_bytes` returns so many of its bytes."""
    ending = name.lower()
    if ending.endswith(_ENDINGS) or not size:
        return True
    if ending.endswith(".json"):
        return size <= _LARGEST_JSON and _is_other_json(first_bytes(size))
    return ending.endswith(".csv") and is_result(first_bytes(HEAD))


def _first_bytes(path: Path, size: int) -> bytes:
    with path.open("rb") as stream:
        return stream.read(size)


def _is_other_json(data: bytes) -> bool:
    """Tell whether this is whole JSON, but neither AWS's answer nor the rows of a report."""
    try:
        document: Any = json.loads(data)
    except (ValueError, RecursionError):
        return False
    first = document[0] if isinstance(document, list) and document else document
    if not isinstance(first, dict):
        return isinstance(document, list)
    names = {key.lower() for key in first}
    return "content" not in names and not names.issuperset((columns.USER, columns.ARN))
