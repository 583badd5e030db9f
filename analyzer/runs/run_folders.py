"""Keep the runs in a folder: name, record, find, publish and remove them under a lock."""

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import chain, count
from pathlib import Path
from stat import S_ISREG
from typing import Annotated, Any, Final, Literal

import orjson
from filelock import FileLock, Timeout
from pydantic import AliasPath, BaseModel, BeforeValidator, Field, StrictInt

from analyzer.analysis.analysis import Analysis
from analyzer.errors import Busy, OutputFailed
from analyzer.files import PRIVATE, form_difference, json_bytes, provenance, replacing, sha256
from analyzer.report.report import Report
from analyzer.report.values import timestamp
from analyzer.terms import VERSION, Feed, Verdict, utc_text

RECORD_FILE: Final = "manifest.json"

FORM: Final = 2
"""The number of the record's form: raise it with every change of what is read back."""

_LARGEST_RECORD: Final = 1 << 28
"""The most bytes of a record; 300,000 files take 60 MB."""


def _moment(text: object) -> datetime:
    if isinstance(text, str) and (at := timestamp(text)):
        return at
    raise ValueError("no moment")


_Moment = Annotated[datetime, BeforeValidator(_moment)]


class RunFile(BaseModel):
    """Hold the path of a file in its run, and its SHA-256 when it was written."""

    path: str
    sha256: str


class CoveredAccount(BaseModel):
    """Name an account with a report in a run."""

    account: str


class MadeFrom(BaseModel):
    """Hold what the outputs of a run show besides the files that it keeps.

    `unreadable` are names and reasons of files that could not be read, `skipped` and `notes` the
    sentences on files that are not kept, `older_runs` the runs that accounts are compared with by
    hand, `lists` the names of the lists.
    """

    unreadable: tuple[tuple[str, str], ...]
    skipped: tuple[str, ...]
    notes: tuple[str, ...]
    older_runs: dict[str, str]
    lists: dict[str, str]
    feeds: tuple[Feed, ...]


class RunRecord(BaseModel):
    """Hold the fields of a run's record that are read back.

    `as_of` is that of its newest report, `exempt` are the entries of `--exempt`, `met` says what
    met `--fail-on`, `not_compared` why changes since the run before are not known. `other_form`
    says who wrote a record in another form, of which only as-of and version are read.
    """

    kind: Literal["export"]
    as_of: _Moment
    exempt: Annotated[
        tuple[str, ...], Field(validation_alias=AliasPath("parameters", "exempt"))
    ] = ()
    parameters: dict[str, Any]
    identity: str
    exit_code: StrictInt
    met: tuple[str, ...] = ()
    files: tuple[RunFile, ...]
    version: Annotated[str, Field(validation_alias=AliasPath("tool", "version"))] = ""
    compared_with: str | None = None
    made_from: MadeFrom | None = None
    covered: Annotated[
        tuple[CoveredAccount, ...], Field(validation_alias=AliasPath("accounts", "covered"))
    ] = ()
    not_compared: str | None = None
    other_form: str = ""


def newest_as_of(report: Report) -> datetime:
    """Return the newest moment that a report describes."""
    return max(file.as_of for file in report.files)


def run_identity(analysis: Analysis, parameters: Mapping[str, Any]) -> str:
    """Return a SHA-256 that is the same for runs with the same reports and parameters.

    The verdicts, the rules and the exit code depend on `parameters` and the report. The origin of
    the reports, and the reason why an account could not be read, make no difference.
    """
    report = analysis.report
    evidence = (file.service_credentials for file in report.files)
    parts = {
        "tool": VERSION,
        "reports": sorted((file.sha256, utc_text(file.as_of)) for file in report.files),
        "evidence": sorted(listed.sha256 for listed in evidence if listed),
        "not_covered": sorted(missing.label for missing in report.not_covered),
        "parameters": _with_ledger(parameters, analysis),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _with_ledger(parameters: Mapping[str, Any], analysis: Analysis) -> dict[str, Any]:
    """Return parameters with the ledger as it was used: with the facts that the run added."""
    file = analysis.ledger.file
    return dict(parameters) | {"decisions": file.sha256 if file else None}


def record_bytes(
    analysis: Analysis,
    parameters: Mapping[str, Any],
    files: Iterable[Mapping[str, Any]],
    made_from: Mapping[str, Any],
    **outcome: object,
) -> bytes:
    """Return the record of a run; `files` have path, size and sha256 each.

    Its last field is the SHA-256 of the record without it: no byte can change alone.

    `made_from` has the fields of `MadeFrom`, `outcome` the `exit_code`, what `met` `--fail-on`, the
    name of the run that it is `compared_with`, if any, and else perhaps why it is `not_compared`.
    """
    report, ledger = analysis.report, analysis.ledger.file
    record = {
        **provenance(),
        "form": FORM,
        "kind": "export",
        "as_of": utc_text(newest_as_of(report)),
        "identity": run_identity(analysis, parameters),
        **outcome,
        "users": {verdict: analysis.totals.user_count(verdict) for verdict in Verdict},
        "made_from": made_from,
        "parameters": _with_ledger(parameters, analysis),
        "accounts": {
            "covered": [
                {
                    "account": account.account,
                    "as_of": utc_text(file.as_of),
                    "report": file.name,
                }
                for file in report.files
                for account in file.accounts
            ],
            "not_covered": [asdict(missing) for missing in report.not_covered],
            "skipped": [asdict(account) for account in report.left_out],
        },
        "ledger": asdict(ledger) if ledger else None,
        "files": list(files),
    }
    digest = hashlib.sha256(json_bytes(record)).hexdigest()
    return json_bytes({**record, "record_sha256": digest})


def read_record(folder: Path) -> RunRecord | None:
    """Return a run's record, None if there is none or a file that it lists is missing.

    Of a run that another version wrote in another form, only what its name shows is known.
    """
    record = record_of_files(folder)
    if record is None and (difference := other_form(folder)) and (moment := _moment_of(folder)):
        known = {"kind": "export", "as_of": moment, "other_form": difference}
        unknown = {"parameters": {}, "identity": "", "exit_code": 0, "files": ()}
        return RunRecord.model_validate(known | unknown)
    # Runs list many files: to join paths would take longer than to look them up.
    if record and all(os.path.isfile(f"{folder}/{file.path}") for file in record.files):  # noqa: PTH113
        return record
    return None


def record_of_files(folder: Path) -> RunRecord | None:
    """Return the record in a folder, None if there is none; files that it lists may be missing.

    A link, a pipe or a device is not a record: reading it could lead elsewhere, or never end.
    """
    saved = _saved_record(folder)
    try:
        return None if form_difference(saved, FORM) else RunRecord.model_validate(saved)
    except ValueError:  # pydantic's ValidationError is one
        return None


def other_form(folder: Path) -> str:
    """Return who wrote a run's record in another form, empty if there is no such record."""
    return form_difference(
        _saved_record(folder), FORM, is_valid=record_of_files(folder) is not None
    )


def _saved_record(folder: Path) -> object:
    path = folder / RECORD_FILE
    try:
        status = path.lstat()
        if not S_ISREG(status.st_mode) or status.st_size > _LARGEST_RECORD:
            return None
        saved: object = orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return saved


KEPT_MONTHS: Final = 13
"""Months whose last run is never removed: a year, and the month in which it begins."""

_NAME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ)(?:-(\d{1,9}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Run:
    """Hold a complete run: its path and its record."""

    path: Path
    record: RunRecord

    @property
    def name(self) -> str:
        """Return the name of the run's folder."""
        return self.path.name

    @property
    def files(self) -> Mapping[str, str]:
        """Return the recorded SHA-256 of each file of the run, by its path in the run."""
        return {file.path: file.sha256 for file in self.record.files}

    def is_unedited(self) -> bool:
        """Return whether the run's folder has exactly its recorded files, unedited.

        Of a run in another form that is not known.
        """
        if self.record.other_form:
            return False
        own = {self.path / path for path in (RECORD_FILE, *self.files)}
        own |= {folder for path in own for folder in path.parents}
        return all(
            path in own and not path.is_symlink()
            for at, folders, names in os.walk(self.path)
            for path in (Path(at, name) for name in (*folders, *names))
        ) and all(sha256(self.path / path) == recorded for path, recorded in self.files.items())


def is_in_run(folder: Path, path: str | Path) -> bool:
    """Return whether a path leads to or into a run of a folder, by the name of a run."""
    real_path, top = Path(os.path.realpath(path)), os.path.realpath(folder)
    return real_path.is_relative_to(top) and any(
        _NAME.fullmatch(part) for part in real_path.relative_to(top).parts[:1]
    )


def runs(folder: Path) -> list[Run]:
    """Return the complete runs, the oldest first; those of one moment are in order of number.

    A run whose name is not its as-of was copied or renamed, and is left out.
    """
    complete = (
        Run(path, record)
        for path in (folder.iterdir() if folder.is_dir() else ())
        if (named := _NAME.fullmatch(path.name)) and not path.is_symlink()
        if (record := read_record(path)) and named[1] == _run_name(record.as_of)
    )
    return sorted(complete, key=lambda run: run_sort_key(run.name))


def incomplete_runs(folder: Path, complete: Sequence[Run]) -> list[Path]:
    """Return paths that are named like runs but are not complete; nothing reads or removes them."""
    named = {path for path in folder.iterdir() if _NAME.fullmatch(path.name)}
    return sorted(named - {run.path for run in complete})


def next_run_name(folder: Path, as_of: datetime) -> str:
    """Return a name that is free in the folder, made from the as-of of a run."""
    name = _run_name(as_of)
    names = chain([name], (f"{name}-{number}" for number in count(2)))
    return next(name for name in names if not os.path.lexists(folder / name))


def _moment_of(folder: Path) -> str:
    """Return the moment in the name of a run's folder, empty if it has another name."""
    named = _NAME.fullmatch(folder.name)
    text = f"{named[1][:10]}T{named[1][11:].replace('-', ':')}" if named else ""
    return text if timestamp(text) else ""


def _run_name(as_of: datetime) -> str:
    return f"{as_of:%Y-%m-%dT%H-%M-%SZ}"


def run_sort_key(name: str) -> tuple[str, int]:
    """Return the sort key of a run's name: moment, then number; other names come first."""
    named = _NAME.fullmatch(name)
    return (named[1], int(named[2] or 1)) if named else ("", 0)


LAST_RUN: Final = "last-run.json"
"""How the last run in a folder ended, for monitoring."""

LATEST: Final = "latest"
LOCK: Final = ".lock"
BUILDING: Final = ".credreport-building-"
REMOVING: Final = ".credreport-removing-"
NEW_LINK: Final = ".credreport-latest"
"""The names beside the runs: beginnings of folders, and the link that becomes `latest`."""


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Make the folder, lock it, and repair what a killed run left in it.

    Raises Busy if another run holds the lock, OutputFailed if the folder cannot be written.
    """
    with os_errors_translated(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = _acquired_lock(folder)
    try:
        with os_errors_translated(folder):
            _check_latest(folder)
            remove_leftovers(folder)
            point_latest_at_newest(folder)
        yield
    finally:
        lock.release()


@contextmanager
def new_run_folder(folder: Path) -> Iterator[Path]:
    """Yield a hidden folder to build in; it is removed at the end if it is still there."""
    with os_errors_translated(folder):
        building = Path(tempfile.mkdtemp(prefix=BUILDING, dir=os.path.realpath(folder)))
    try:
        yield building
    except OutputFailed as error:
        raise OutputFailed(str(error).replace(str(building), str(folder))) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)


def publish(building: Path, run: Path, record: bytes) -> None:
    """Write the record in a folder whose files are on disk, rename it to the run; set `latest`."""
    with os_errors_translated(run.parent):
        path = building / RECORD_FILE
        path.touch(PRIVATE)
        path.write_bytes(record)
        sync(path)
        sync(building)
        building.rename(run)
        sync(run.parent)
        point_latest_at_newest(run.parent)


def point_latest_at_newest(folder: Path) -> None:
    """Point `latest` to the newest complete run, or remove it if there is none."""
    every = runs(folder)
    link = folder / LATEST
    leads_to = link.readlink() if link.is_symlink() else None
    if every and leads_to != Path(every[-1].name):
        new_link = folder / NEW_LINK
        new_link.symlink_to(every[-1].name)
        new_link.replace(link)
        sync(folder)
    elif leads_to and not every:
        link.unlink()


def prune(folder: Path, keep: int, *, except_run: str) -> list[Run]:
    """Remove and return old complete runs, except the newest `keep` and the one of a name.

    The last run of each of the newest `KEPT_MONTHS` stays, and so do runs that were edited.
    """
    with os_errors_translated(folder):
        every = runs(folder)
        last_of_month = {f"{run.record.as_of:%Y-%m}": run.name for run in every}
        kept = {except_run} | set(list(last_of_month.values())[-KEPT_MONTHS:])
        old = [run for run in every[:-keep] if run.name not in kept and run.is_unedited()]
        for run in old:
            hidden = folder / f"{REMOVING}{run.name}"
            run.path.rename(hidden)
            shutil.rmtree(hidden)
    return old


def write_last_run(
    folder: Path, at: datetime, exit_code: int, message: str, outcome: Mapping[str, object]
) -> None:
    """Write when a run ended, with which exit code, message and outcome; `at` is in UTC.

    Nothing is written if the folder does not exist. Raises OutputFailed.
    """
    if not folder.is_dir():
        return
    record = {
        **provenance(),
        "kind": "last-run",
        "when": utc_text(at),
        "exit_code": exit_code,
        "message": message,
        **outcome,
    }
    with replacing(folder / LAST_RUN) as stream:
        stream.write(json_bytes(record))


def sync(path: Path) -> None:
    """Flush a file's bytes to the disk, or the names in a folder where the system can open one."""
    if path.is_dir() and not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def os_errors_translated(folder: Path) -> Iterator[None]:
    """Turn errors of the system into OutputFailed."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        message = f"{folder} cannot be written: {reason}. All complete runs in it are intact."
        raise OutputFailed(message) from error


def _acquired_lock(folder: Path) -> FileLock:
    if (folder / LOCK).is_symlink():
        raise OutputFailed(f"{folder / LOCK} is a link, which is not opened: move it away.")
    lock = FileLock(folder / LOCK, blocking=False, mode=PRIVATE)
    try:
        lock.acquire()
    except Timeout:
        raise Busy(f"Another run uses {folder}: nothing was done.") from None
    return lock


def _check_latest(folder: Path) -> None:
    link, new_link = folder / LATEST, folder / NEW_LINK
    leads_to_a_run = link.is_symlink() and _NAME.fullmatch(str(link.readlink()))
    if os.path.lexists(link) and not leads_to_a_run:
        raise OutputFailed(f"{link} is not a link to a run: move it away.")
    if new_link.exists() and not new_link.is_symlink():
        raise OutputFailed(f"{new_link} is in the way of a link: move it away.")


def remove_leftovers(folder: Path) -> None:
    """Remove the leftovers of a killed run, and nothing else."""
    for path in folder.iterdir():
        is_link = path.is_symlink()
        if path.name == NEW_LINK and is_link:
            path.unlink()
        elif path.name.startswith((BUILDING, REMOVING)) and path.is_dir() and not is_link:
            shutil.rmtree(path)
