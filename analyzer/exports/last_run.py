"""Record how the last run in a folder ended, for monitoring."""

from datetime import datetime
from pathlib import Path
from typing import Final

from analyzer.files import json_bytes, provenance, replacing
from analyzer.terms import utc_text

LAST_RUN: Final = "last-run.json"


def write_last_run(folder: Path, at: datetime, exit_code: int, message: str) -> None:
    """Write when a run ended, with which exit code and message; `at` is in UTC.

    Nothing is written where the folder does not exist.

    Raises OutputFailed.
    """
    if not folder.is_dir():
        return
    record = {
        **provenance(),
        "kind": "last-run",
        "when": utc_text(at),
        "exit_code": exit_code,
        "message": message,
    }
    with replacing(folder / LAST_RUN) as stream:
        stream.write(json_bytes(record))
