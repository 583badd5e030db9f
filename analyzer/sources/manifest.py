"""Say what became of each account that was to be fetched; what is missing is never silent."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import PurePath
from typing import Any, Final

from analyzer.version import VERSION

SCHEMA_VERSION: Final = "1.0"
MANIFEST: Final = "fetched.manifest.json"
"""The manifest's name, beside the reports that it lists."""


class Status(StrEnum):
    """Say what became of one account."""

    FETCHED = "fetched"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Say what became of one account, and why; `account` is empty where it never became known.

    `name` is the account's, or the profile's with which it was asked. `service_credentials`
    says what is known of those, where the report was fetched.
    """

    account: str
    name: str
    status: Status
    reason: str = ""
    file: str = ""
    sha256: str = ""
    generated_time: str = ""
    service_credentials: str = ""


def manifest(entries: Iterable[Entry], unmatched: Sequence[str] = ()) -> bytes:
    """Return the list of all accounts as JSON, and the patterns that named none of them.

    It lies in the folder of the reports, so `file` is but their name.
    """
    accounts = sorted(entries, key=lambda entry: (entry.account, entry.name))
    told = {
        **provenance(),
        "accounts": [asdict(entry) | {"file": PurePath(entry.file).name} for entry in accounts],
        "unmatched_patterns": list(unmatched),
    }
    return as_json(told)


def provenance() -> dict[str, Any]:
    """Return what every JSON file that is saved starts with."""
    tool = {"name": "credreport", "version": VERSION}
    return {"schema_version": SCHEMA_VERSION, "tool": tool}


def as_json(value: Mapping[str, Any]) -> bytes:
    """Return a value as JSON that people can read, moments in ISO 8601."""
    text = json.dumps(value, ensure_ascii=False, indent=2, default=datetime.isoformat)
    return f"{text}\n".encode()
