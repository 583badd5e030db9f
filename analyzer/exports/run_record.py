"""Write down in `manifest.json` what a run was made from and holds, and read it back."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from stat import S_ISREG
from typing import Annotated, Any, Final, Literal

from pydantic import AliasPath, BaseModel, BeforeValidator, Field, StrictInt

from analyzer.files import json_bytes, provenance
from analyzer.report.model import FileReference, Report
from analyzer.report.values import timestamp
from analyzer.terms import Verdict, utc_text
from analyzer.version import VERSION

RECORD_FILE: Final = "manifest.json"

_LARGEST_RECORD: Final = 1 << 28
"""No record holds more bytes: 300,000 files have 60 MB."""


def _moment(text: object) -> datetime:
    if isinstance(text, str) and (at := timestamp(text)):
        return at
    raise ValueError("no moment")


_Moment = Annotated[datetime, BeforeValidator(_moment)]


class RunFile(BaseModel):
    """Hold the path of a file in its run, and the SHA-256 that it was made with."""

    path: str
    sha256: str


class RunRecord(BaseModel):
    """Hold what is read back from the record of a run.

    `as_of` is that of its newest report, `set_as_of` the one of `--as-of`, `users` how many had
    each verdict.
    """

    kind: Literal["export"]
    as_of: _Moment
    set_as_of: Annotated[
        _Moment | None, Field(validation_alias=AliasPath("parameters", "as_of"))
    ] = None
    parameters: dict[str, Any]
    identity: str
    exit_code: StrictInt
    users: Annotated[dict[Verdict, StrictInt], Field(min_length=len(Verdict))]
    files: tuple[RunFile, ...]


def newest_as_of(report: Report) -> datetime:
    """Return the newest moment that a report describes."""
    return max(file.as_of for file in report.files)


def run_identity(report: Report, parameters: Mapping[str, Any]) -> str:
    """Return what two runs share that were made from the same, as a SHA-256.

    `parameters` are what the verdicts, the rules and the exit code depend on besides the report.
    Where the reports came from, and why an account could not be read, makes no difference.
    """
    evidence = (each.service_credentials for each in report.files)
    parts = {
        "tool": VERSION,
        "reports": sorted((file.sha256, utc_text(file.as_of)) for file in report.files),
        "evidence": sorted(each.sha256 for each in evidence if each),
        "not_covered": sorted(each.label for each in report.not_covered),
        "parameters": dict(parameters),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def record_bytes(  # noqa: PLR0913  each is one line of the record
    report: Report,
    parameters: Mapping[str, Any],
    files: Iterable[Mapping[str, Any]],
    *,
    exit_code: int,
    compared_with: str | None,
    users: Mapping[Verdict, int],
    ledger: FileReference | None,
) -> bytes:
    """Return the record of a run; `files` have path, size and sha256 each.

    `compared_with` names the run before it, if any; `users` is the number of users of each
    verdict; `ledger` has the decisions that it was judged with.
    """
    record = {
        **provenance(),
        "kind": "export",
        "as_of": utc_text(newest_as_of(report)),
        "identity": run_identity(report, parameters),
        "exit_code": exit_code,
        "compared_with": compared_with,
        "users": dict(users),
        "parameters": dict(parameters),
        "accounts": {
            "covered": [
                {"account": account.account, "as_of": utc_text(file.as_of), "report": file.name}
                for file in report.files
                for account in file.accounts
            ],
            "not_covered": [asdict(each) for each in report.not_covered],
            "skipped": [asdict(each) for each in report.left_out],
        },
        "ledger": asdict(ledger) if ledger else None,
        "files": list(files),
    }
    return json_bytes(record)


def read_record(folder: Path) -> RunRecord | None:
    """Return a run's record, None if there is none or a file that it lists is missing.

    A run appears whole or not at all, so one whose files differ from it was edited since. A link,
    a pipe or a device is no record: to read it could lead elsewhere, or never end.
    """
    path = folder / RECORD_FILE
    try:
        status = path.lstat()
        if not S_ISREG(status.st_mode) or status.st_size > _LARGEST_RECORD:
            return None
        record = RunRecord.model_validate_json(path.read_bytes())
    except (OSError, ValueError):  # pydantic's ValidationError is one
        return None
    # A folder of runs lists many files: joined paths would take longer than the look.
    is_whole = all(os.path.isfile(f"{folder}/{each.path}") for each in record.files)  # noqa: PTH113
    return record if is_whole else None
