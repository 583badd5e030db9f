"""Write down in `manifest.json` what a run was made from and holds, and read it back."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from analyzer.files import as_json, provenance
from analyzer.model import ReadFile, Report
from analyzer.terms import ISO_UTC
from analyzer.version import VERSION

RECORD: Final = "manifest.json"

KIND: Final = "export"


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
        told = {
            "tool": VERSION,
            "reports": sorted((file.sha256, _utc(file.as_of)) for file in self.report.files),
            "evidence": sorted(each.evidence.sha256 for each in self.report.files if each.evidence),
            "not_covered": sorted(each.whom for each in self.report.not_covered),
            "parameters": dict(self.parameters),
        }
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def record_bytes(
    made: RunInput,
    files: Iterable[Mapping[str, Any]],
    *,
    reviews: Iterable[ReadFile] = (),
    compared_with: str | None,
    exit_code: int,
) -> bytes:
    """Return the record of a run.

    `files` have path, size and sha256 each; `reviews` are the workbooks whose decisions were read.
    """
    told = {
        **provenance(),
        "kind": KIND,
        "as_of": _utc(made.as_of),
        "identity": made.identity,
        "exit_code": exit_code,
        "compared_with": compared_with,
        "parameters": dict(made.parameters),
        "accounts": {
            "covered": covered_accounts(made.report),
            "not_covered": [asdict(each) for each in made.report.not_covered],
            "skipped": [asdict(each) for each in made.report.left_out],
        },
        "reviews": [asdict(each) for each in reviews],
        "files": list(files),
    }
    return as_json(told)


def covered_accounts(report: Report) -> list[dict[str, str]]:
    """Return account, as_of and report of each account that could be read."""
    return [
        {"account": account.account, "as_of": _utc(file.as_of), "report": file.name}
        for file in report.files
        for account in file.accounts
    ]


def read_record(folder: Path) -> Mapping[str, Any] | None:
    """Return a run's record, None if there is none or a file that it lists is missing.

    A run appears whole or not at all, so one whose files differ from it was edited since.
    """
    try:
        told = json.loads((folder / RECORD).read_bytes())
        is_complete = _is_understood(told) and all(
            # A folder of runs lists many files: joined paths would take longer than the look.
            os.path.isfile(f"{folder}/{each['path']}")  # noqa: PTH113
            for each in told["files"]
        )
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
    return told if is_complete else None


def _is_understood(told: Mapping[str, Any]) -> bool:
    return (
        told["kind"] == KIND
        and isinstance(told["identity"], str)
        and type(told["exit_code"]) is int
        and isinstance(told["parameters"], dict)
        and isinstance(told["files"], list)
        and all(isinstance(each[key], str) for each in told["files"] for key in ("path", "sha256"))
    )


def _utc(moment: datetime) -> str:
    return f"{moment:{ISO_UTC}}"
