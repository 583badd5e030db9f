"""Write down in `manifest.json` what a run was made from and holds, and read it back."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from analyzer.files import json_bytes, provenance
from analyzer.report.model import FileReference, Report
from analyzer.report.values import timestamp
from analyzer.terms import utc_text
from analyzer.version import VERSION

RECORD_FILE: Final = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInput:
    """Hold what a run was made from.

    `parameters` are what the verdicts, the rules and the exit code depend on besides the report.
    """

    report: Report
    parameters: Mapping[str, Any]

    @property
    def as_of(self) -> datetime:
        """Return the newest moment that a report describes."""
        return max(file.as_of for file in self.report.files)

    @property
    def identity(self) -> str:
        """Return what two runs share that were made from the same, as a SHA-256.

        Where the reports came from, and why an account could not be read, makes no difference.
        """
        identity_parts = {
            "tool": VERSION,
            "reports": sorted((file.sha256, utc_text(file.as_of)) for file in self.report.files),
            "evidence": sorted(
                each.service_credentials.sha256
                for each in self.report.files
                if each.service_credentials
            ),
            "not_covered": sorted(each.label for each in self.report.not_covered),
            "parameters": dict(self.parameters),
        }
        return hashlib.sha256(json.dumps(identity_parts, sort_keys=True).encode()).hexdigest()


def record_bytes(  # noqa: PLR0913  each is one line of the record
    run_input: RunInput,
    files: Iterable[Mapping[str, Any]],
    *,
    exit_code: int,
    compared_with: str | None,
    users: Mapping[str, int],
    ledger: FileReference | None,
) -> bytes:
    """Return the record of a run; `files` have path, size and sha256 each.

    `compared_with` names the run before it, if any; `users` is the number of users of each
    verdict; `ledger` has the decisions that it was judged with.
    """
    record = {
        **provenance(),
        "kind": "export",
        "as_of": utc_text(run_input.as_of),
        "identity": run_input.identity,
        "exit_code": exit_code,
        "compared_with": compared_with,
        "users": dict(users),
        "parameters": dict(run_input.parameters),
        "accounts": {
            "covered": [
                {"account": account.account, "as_of": utc_text(file.as_of), "report": file.name}
                for file in run_input.report.files
                for account in file.accounts
            ],
            "not_covered": [asdict(each) for each in run_input.report.not_covered],
            "skipped": [asdict(each) for each in run_input.report.left_out],
        },
        "ledger": asdict(ledger) if ledger else None,
        "files": list(files),
    }
    return json_bytes(record)


def read_record(folder: Path) -> Mapping[str, Any] | None:
    """Return a run's record, None if there is none or a file that it lists is missing.

    A run appears whole or not at all, so one whose files differ from it was edited since.
    """
    try:
        record = json.loads((folder / RECORD_FILE).read_bytes())
        is_complete = _is_understood(record) and all(
            # A folder of runs lists many files: joined paths would take longer than the look.
            os.path.isfile(f"{folder}/{each['path']}")  # noqa: PTH113
            for each in record["files"]
        )
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
    return record if is_complete else None


def as_of_option(record: Mapping[str, Any]) -> datetime | None:
    """Return the moment that `--as-of` set for a run's reports, None where they have their own."""
    option = record["parameters"].get("as_of")
    return timestamp(option) if option else None


def _is_understood(record: Mapping[str, Any]) -> bool:
    files, parameters = record["files"], record["parameters"]
    return (
        record["kind"] == "export"
        and isinstance(record["identity"], str)
        and type(record["exit_code"]) is int
        and isinstance(parameters, dict)
        and (not parameters.get("as_of") or as_of_option(record) is not None)
        and isinstance(files, list)
        and all(isinstance(each[key], str) for each in files for key in ("path", "sha256"))
    )
