"""Hold one input with its content, or its refusal; find files that cannot be reports."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from analyzer.errors import InputRefused
from analyzer.report.input_formats import GENERATION_STATES, HEAD_BYTES, InputLimit
from analyzer.report.report_text import is_result_or_list
from analyzer.terms import printable

_OTHER_ENDINGS: Final = (
    *(".md", ".xlsx", ".xls", ".docx", ".pdf", ".png", ".jpg", ".svg", ".db", ".sqlite"),
    *(".html", ".toml", ".yaml", ".yml", ".log", ".parquet", ".py", ".sh"),
    ".ocsf.json",
)

MAC_FOLDER: Final = "__MACOSX"
"""The folder that a Mac adds to archives, and that remains after unpacking."""

_LARGEST_JSON: Final = 16 << 20
"""Larger JSON is not examined here: reading it as a report shows what it is."""


@dataclass(frozen=True, slots=True)
class Source:
    """Name one input, with its content; `path` is None if it is not a regular file of its own.

    The content is bytes, or a function that returns them and counts them in `limit`. `archive` is
    the archive that the input lies in, if any. `origin` is the name of the original if this is
    a copy. An input that `is_skipped` cannot be a report.
    """

    name: str
    content: bytes | Callable[[InputLimit], bytes]
    limit: InputLimit = field(default_factory=InputLimit)
    path: Path | None = None
    archive: Path | None = None
    origin: str = ""
    is_skipped: bool = False

    def read(self) -> bytes:
        """Return the bytes; raises InputRefused or OSError if they cannot be read."""
        return self.content if isinstance(self.content, bytes) else self.content(self.limit)


def missing_source(name: str, message: str, hint: str) -> Source:
    """Return an input that is refused when it is read."""
    return refused_source(name, InputRefused.of_file(printable(name), message, hint))


def refused_source(name: str, refused: InputRefused) -> Source:
    """Return an input that raises the refusal when it is read."""

    def refuse(_limit: InputLimit) -> bytes:
        raise refused

    return Source(printable(name), refuse)


def skipped_source(name: str, archive: Path | None = None) -> Source:
    """Return an input that is not read, since it cannot be a report."""
    missing = missing_source(name, "this cannot be a report", "Leave it out.")
    return replace(missing, archive=archive, is_skipped=True)


def is_visible(path: str) -> bool:
    """Return whether no part of a path is hidden, or the folder that a Mac adds to archives."""
    return not any(part.startswith((".", MAC_FOLDER)) for part in path.split("/") if part != ".")


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
    """Return whether ending, emptiness or content show that a file is no report.

    `start` returns a number of its first bytes. A file with the ending of a report may be a damaged
    one, or an empty one after a failed download: it is refused, not skipped.
    """
    lower = name.lower()
    if lower.endswith(_OTHER_ENDINGS) or not (size or lower.endswith((".csv", ".json"))):
        return True
    if lower.endswith(".json"):
        return size <= _LARGEST_JSON and _is_other_json(start(size))
    return lower.endswith(".csv") and is_result_or_list(start(HEAD_BYTES))


def _is_other_json(data: bytes) -> bool:
    """Return whether this is whole JSON, but not AWS's answer.

    AWS's answer that there is no report yet is not skipped: its account would be lost silently.
    """
    try:
        document: Any = json.loads(data)
    except (ValueError, RecursionError):
        return False
    if not isinstance(document, dict):
        return isinstance(document, list)
    names = {key.lower() for key in document}
    return "content" not in names and document.get("State") not in GENERATION_STATES
