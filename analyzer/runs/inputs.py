"""Read what a run is made from: its copies of the reports, and the ledger of its folder.

Into the ledger is collected what reviewers entered in workbooks of its runs: one by one, so that
one that is refused does not stop a run.
"""

import csv
import os
import shutil
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import date, datetime
from io import BytesIO
from itertools import count
from pathlib import Path, PurePath
from typing import Final

from analyzer.decisions.collect import LedgerUpdate, collect
from analyzer.decisions.follow_up import (
    CHANGED,
    DECIDE_AGAIN,
    DECISION_KEY,
    DONE_SINCE,
    FACT,
    OVERTAKEN_KEY,
    REPORT,
    STATUS,
    FollowUpStatus,
)
from analyzer.decisions.ledger import Entries, Ledger, holds_decisions, ledger_bytes
from analyzer.decisions.ledger_file import locked_ledger, write_ledger
from analyzer.errors import InputRefused, Problem
from analyzer.files import sha256
from analyzer.lists.csv_lists import file_reference
from analyzer.report.as_of import dated_part
from analyzer.report.input_formats import MAX_INPUT, InputLimit
from analyzer.report.model import Report, ReportFile
from analyzer.reviews.entries import SPREADSHEET_ENDINGS, read_review
from analyzer.reviews.list_sheets import holds_entries
from analyzer.runs.run_folders import Run, is_in_run, runs
from analyzer.sources.fetch_manifest import manifest_sources
from analyzer.sources.files_beside import METADATA, SERVICE_CREDENTIALS
from analyzer.sources.find import find_sources
from analyzer.sources.load import load_sources
from analyzer.sources.source import Source, missing_source, unreadable_file

REPORTS: Final = "reports"
"""The folder of a run with its reports."""

EXEMPTIONS: Final = "exemptions.csv"
ACCOUNTS: Final = "accounts.csv"
OWNERS: Final = "owners.csv"
DECISIONS: Final = "decisions.csv"
"""The ledger: at the top of the folder of runs, and as each run was judged with in the run."""

FOLLOW_UP: Final = "follow_up.csv"

_COMPARED_LISTS: Final = (EXEMPTIONS, DECISIONS)
"""What a run is compared by besides its reports."""


# Reports: copies under names that stay true when the run is in its place


def load_reports(
    run: Path,
    origins: Mapping[Path, str],
    max_input: int = MAX_INPUT,
    as_of: datetime | None = None,
) -> Report:
    """Return the reports in a run's folder; `origins` tells of copies where they came from.

    `as_of` is the moment that they describe, in UTC, where a person says it. Raises InputRefused,
    which names what was copied.
    """
    prefix = f"{run}{os.sep}"
    names = {str(copy): name for copy, name in origins.items()}
    copies = [*names] or [str(run / REPORTS)]
    try:
        found = find_sources(copies, InputLimit(max_input))
        inputs = [replace(each, origin=names.get(each.name, "")) for each in found]
        # A run reads the rows again only once: without them in memory 1,000 accounts take 230 MB
        # less.
        report = load_sources(copies, inputs, as_of, row_bytes_in_memory=0)
    except InputRefused as error:
        raise InputRefused(
            replace(each, file=_with_origins(each.file, names).removeprefix(prefix), message=told)
            for each in error.problems
            for told in [_with_origins(each.message, names).replace(prefix, "")]
        ) from None
    return _with_run_relative_names(prefix, report)


def _with_origins(text: str, names: Mapping[str, str]) -> str:
    """Return a text with what was copied in place of the copies."""
    for copy in sorted(names, key=len, reverse=True):
        text = text.replace(copy, names[copy])
    return text


def _with_run_relative_names(prefix: str, report: Report) -> Report:
    return replace(
        report,
        files=tuple(_with_run_relative_name(prefix, each) for each in report.files),
        older=lambda: (_with_run_relative_names(prefix, each) for each in report.older()),
        source_notes=tuple(note.replace(prefix, "") for note in report.source_notes),
        content_notes=tuple(note.replace(prefix, "") for note in report.content_notes),
    )


def _with_run_relative_name(prefix: str, file: ReportFile) -> ReportFile:
    credentials = file.service_credentials
    if credentials:
        credentials = replace(credentials, name=credentials.name.removeprefix(prefix))
    return replace(file, name=file.name.removeprefix(prefix), service_credentials=credentials)


def outside_runs(folder: Path, names: Iterable[str]) -> Callable[[Source], bool]:
    """Return a check that an input lies in no run of a folder, unless a name leads into the run.

    Runs below a folder of reports would each hold the reports of all earlier ones again.
    """
    named = [os.path.realpath(name) for name in names if is_in_run(folder, name)]

    def is_outside(source: Source) -> bool:
        path = source.archive or source.path or source.name
        return not is_in_run(folder, path) or any(
            Path(os.path.realpath(path)).is_relative_to(each) for each in named
        )

    return is_outside


def run_inputs(names: Sequence[str], folder: Path, max_input: int) -> list[Source]:
    """Return the inputs that the names stand for, outside the runs of a folder."""
    found = find_sources(names, InputLimit(max_input))
    outside = [*filter(outside_runs(folder, names), found)]
    if len(outside) < len(found) and all(each.is_skipped for each in outside):
        message, hint = f"it holds no report but those of runs in {folder}", "Name other reports."
        return [missing_source(", ".join(names), message, hint)]
    return outside


def copy_inputs(
    names: Sequence[str],
    candidates: Sequence[Source],
    folder: Path,
    is_input: Callable[[Source], bool] = lambda _: True,
) -> Mapping[Path, str]:
    """Copy the inputs that the names stand for, and return where each came from, by its copy.

    Files of archives are unpacked, skipped ones left out, and manifests that are no input. A copy
    keeps the file's name, since a name may tell as-of; where two have one name, the second lies in
    a folder of its own. Raises InputRefused with the problems of all inputs together, OSError where
    nothing more can be written.
    """
    inputs = [each for each in candidates if not each.is_skipped]
    sources = [*inputs, *filter(is_input, manifest_sources(names, inputs))]
    copies: dict[Path, str] = {}
    problems: list[Problem] = []
    for source, target in zip(sources, _targets(sources, folder), strict=True):
        try:
            _copy_with_files_beside(source, target)
        except InputRefused as error:
            problems += error.problems
        copies[target] = source.name
    if problems:
        raise InputRefused(problems)
    return copies


def _targets(sources: Sequence[Source], folder: Path) -> Iterator[Path]:
    """Yield a place for each, one for every name, whatever the case of its letters.

    A folder that tells a report's day stays above it.
    """
    names = [PurePath(_dated_folder(each), _name(each)) for each in sources]
    files = {name.name.lower() for name in names}
    free = (each for each in map("input-{}".format, count(2)) if each not in files)
    used_names: set[tuple[str, ...]] = set()
    for name in names:
        *folders, last = (part.lower() for part in name.parts)
        is_taken = (*folders, last) in used_names or not files.isdisjoint(folders)
        yield folder / next(free) / name if is_taken else folder / name
        used_names.add((*folders, last))


def _name(source: Source) -> str:
    """Return the name of a copy, never hidden: it would not be found again."""
    # A file of an archive is named `archive.zip:folder/file`.
    name = source.path.name if source.path else PurePath(source.name).name.rpartition(":")[2]
    return name.lstrip(".") or "report"


def _dated_folder(source: Source) -> str:
    """Return the folder above an input whose date may be its as-of, empty for none."""
    part = dated_part(source.name)
    return "" if part == PurePath(source.name.replace(":", "/")).name else part.lstrip(".")


def _copy_with_files_beside(source: Source, target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _copy_file(source.name, source.path or source.read, target)
    if source.path:
        for ending in (METADATA, SERVICE_CREDENTIALS):
            beside = source.path.with_name(source.path.name + ending)
            if beside.is_file():
                _copy_file(str(beside), beside, target.with_name(target.name + ending))


def _copy_file(name: str, origin: Path | Callable[[], bytes], target: Path) -> None:
    try:
        stream = origin.open("rb") if isinstance(origin, Path) else BytesIO(origin())
    except OSError as error:
        raise unreadable_file(name, error) from None
    with stream, target.open("xb") as copy:
        shutil.copyfileobj(stream, copy)


def has_unchanged_inputs(run: Run) -> bool:
    """Return whether a run still holds the reports and lists that it was made from, no others.

    The next run is compared with what is read from them.
    """
    recorded = {
        path: known
        for path, known in run.files.items()
        if path in _COMPARED_LISTS or path.startswith(f"{REPORTS}/")
    }
    inputs = [*(run.path / name for name in _COMPARED_LISTS), *(run.path / REPORTS).rglob("*")]
    files = (path for path in inputs if path.is_file())
    return recorded == {path.relative_to(run.path).as_posix(): sha256(path) for path in files}


# Ledgers


@dataclass(frozen=True, slots=True)
class CollectedLedger:
    """Hold a folder's ledger, and what came of collecting.

    `added` are sentences on what is new or emptied, `refused` on workbooks whose decisions are
    missing.
    """

    ledger: Ledger
    added: tuple[str, ...]
    refused: tuple[str, ...]


def collected_ledger(
    folder: Path, given: Entries | None, today: date, *, write: bool = True
) -> CollectedLedger:
    """Return the folder's ledger with what was entered in edited workbooks of its runs.

    It names its file as a run keeps it. `given` are decisions that are collected first. The ledger
    is written if anything is new. Raises InputRefused where the ledger itself or what is given is
    refused, Busy, OutputFailed.
    """
    path, refused = folder / DECISIONS, [*_decisions_elsewhere(folder)]
    if not (given or path.exists() or any(edited_workbooks(folder))):
        return CollectedLedger(Ledger(), (), (*refused,))
    with locked_ledger(path) if folder.exists() else nullcontext(Ledger()) as before:
        update = collect(before, [given] if given else [], attended=False)
        ledger = update.ledger
        added = [*_notes(given.source, update)] if given else []
        collected = {line.workbook for line in before.lines}
        for name, content in edited_workbooks(folder, collected):
            try:
                entries = read_review(name, content, today, workbook=name)
                update = collect(ledger, [entries], attended=False)
            except InputRefused as error:
                refused.append(f"The decisions in {name} are not collected: {error}")
                continue
            ledger = update.ledger
            added += _notes(name, update)
        if write and ledger.lines != before.lines:
            write_ledger(path, ledger)
    if ledger.lines:
        ledger = replace(ledger, file=file_reference(DECISIONS, ledger_bytes(ledger.lines)))
    return CollectedLedger(ledger, tuple(added), tuple(refused))


def _notes(name: str, update: LedgerUpdate) -> Iterator[str]:
    if update.added:
        yield f"Decisions added from {name}: {len(update.added):,}."
    for file in update.files:
        yield from (f"{name}: {note}" for note in file.emptied_notes())
    yield from update.notes


def edited_workbooks(folder: Path, collected: Container[str] = ()) -> Iterator[tuple[str, bytes]]:
    """Yield the workbooks in runs that are not as they were made, by name, older runs first.

    Copies that somebody saved beside them are among them, and so are those that were `collected`
    and put back as they were made.
    """
    for run in runs(folder):
        for path in _files_ending(run.path, SPREADSHEET_ENDINGS):
            name, own = (path.relative_to(each).as_posix() for each in (folder, run.path))
            if name in collected or sha256(path) != run.files.get(own):
                yield name, path.read_bytes()


def _decisions_elsewhere(folder: Path) -> Iterator[str]:
    """Yield a sentence on each file with decisions that no run reads.

    In a run these are CSV files, also its own list of users if that was filled in.
    """
    by_place = {run.path: run.files for run in runs(folder)}
    for path in _files_ending(folder, (".csv", ".xlsx")):
        place = next((each for each in path.parents if each in by_place), folder)
        own, is_csv = path.relative_to(place).as_posix(), path.suffix.lower() == ".csv"
        recorded = by_place.get(place, {}).get(own)
        is_report = bool(recorded) and own.startswith(f"{REPORTS}/")
        is_read = own == DECISIONS or (place != folder and not is_csv)
        holds = holds_decisions if is_csv else holds_entries
        if not (is_read or is_report) and holds(path) and sha256(path) != recorded:
            yield f"{path} has decisions and is not read: collect it, or move it out of {folder}."


def _files_ending(folder: Path, endings: tuple[str, ...]) -> list[Path]:
    """Return the files below a folder with these endings, but hidden and locked ones."""
    found = (path for path in folder.rglob("[!.]*") if path.name.lower().endswith(endings))
    return sorted(each for each in found if each.is_file() and not each.name.startswith("~$"))


def last_follow_up(earlier: Sequence[Run]) -> tuple[str, list[dict[str, str]]]:
    """Return the name and the follow-up of the newest older run that has one as it was made."""
    for run in reversed(earlier):
        path = run.path / FOLLOW_UP
        if path.is_file() and sha256(path) == run.files.get(FOLLOW_UP):
            with path.open(encoding="utf-8", newline="") as lines:
                return run.name, [*csv.DictReader(lines)]
    return "", []


def first_done_times(rows: Iterable[Mapping[str, str]]) -> Mapping[tuple[str, ...], datetime]:
    """Return when decisions were first done, by the texts of `DECISION_KEY` in a follow-up."""
    return {
        tuple(row[name] for name in DECISION_KEY): datetime.fromisoformat(row[DONE_SINCE])
        for row in rows
        if row[DONE_SINCE]
    }


def overtaking_changes(
    run: str, rows: Iterable[Mapping[str, str]]
) -> Mapping[tuple[str, ...], str]:
    """Return what overtook decisions by the follow-up of a run, by the texts of `OVERTAKEN_KEY`.

    Each has the report that shows it, with the run that has the report.
    """
    changes: dict[tuple[str, ...], str] = {}
    for row in rows:
        if row[STATUS] == FollowUpStatus.OVERTAKEN:
            change = row[FACT].removeprefix(CHANGED).removesuffix(DECIDE_AGAIN)
            text = change if "(report " in change else f"{change} (report {row[REPORT]})"
            named = text.replace(f"(report {REPORTS}/", f"(report {run}/{REPORTS}/")
            changes[tuple(row[name] for name in OVERTAKEN_KEY)] = named
    return changes
