"""Write logs as the removal script does."""

import csv
import io
from datetime import datetime
from pathlib import Path
from typing import Any

from analyzer.decisions.removal_log import LOG_COLUMNS
from tests.support.builders import ACCOUNT, saved

CALLER = f"arn:aws:iam::{ACCOUNT}:user/admin"


def log_row(
    at: datetime, name: str = "quiet", created: datetime | None = None, **cells: Any
) -> Any:
    """Return one line of a log: by default that a user was deleted, as Anna decided."""
    account = cells.get("account", ACCOUNT)
    return (
        dict.fromkeys(LOG_COLUMNS, "")
        | {
            "time": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "run": "20260505T093000Z-77",
            "account": account,
            "caller": CALLER,
            "script_sha256": "b" * 64,
            "ledger_sha256": "c" * 64,
            "decision": "delete",
            "decided_by": "Anna",
            "decided_on": "2026-05-01",
            "user": name,
            "arn": f"arn:aws:iam::{account}:user/{name}",
            "created": f"{created:%Y-%m-%dT%H:%M:%SZ}",
            "step": "delete-user",
            "result": "ok",
            "detail": name,
        }
        | cells
    )


def log_text(*rows: dict[str, str]) -> str:
    """Return a log with these lines."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, LOG_COLUMNS, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def log_in(folder: Path, *rows: dict[str, str], name: str = "removals.csv") -> Path:
    return saved(folder, log_text(*rows), name)
