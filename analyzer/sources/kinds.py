"""Tell which files of a folder cannot be reports: people keep notes and results beside them."""

import json
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
    name = path.name.lower()
    try:
        if not path.is_file():
            return False
        size = path.stat().st_size
        if name.endswith(_ENDINGS) or not size:
            return True
        if name.endswith(".json"):
            return size <= _LARGEST_JSON and _is_other_json(path.read_bytes())
        return name.endswith(".csv") and _starts_as_result(path)
    except OSError:
        return False  # Reading it will tell why.


def _starts_as_result(path: Path) -> bool:
    with path.open("rb") as stream:
        return is_result(stream.read(HEAD))


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
