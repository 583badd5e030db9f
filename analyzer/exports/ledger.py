"""Keep ledgers in files: read one while nobody else writes it, and write it whole.

A folder of runs has one, into which is collected what reviewers entered in workbooks of its runs:
one by one, so that one that is refused does not stop a run.
"""

import csv
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from analyzer.decisions.collect import Collection, collect
from analyzer.decisions.follow_up import DECISION_KEY, DONE_SINCE
from analyzer.decisions.ledger import Entries, Ledger, ledger_bytes, read_ledger
from analyzer.errors import Busy, InputRefused, OutputFailed
from analyzer.exports.contents import DECISIONS, FOLLOW_UP
from analyzer.exports.runs import Run, runs
from analyzer.files import NO_FOLDER, PRIVATE, replacing, sha256
from analyzer.lists.csv_lists import list_file
from analyzer.sources.review_workbook import SPREADSHEET_ENDINGS, read_review


@contextmanager
def locked_ledger(path: Path) -> Iterator[Ledger]:
    """Give the ledger in a file, an empty one where there is no file, and lock it.

    Raises Busy if another process has it, InputRefused, OutputFailed.
    """
    if not path.parent.exists():
        raise OutputFailed(f"{path} cannot be written: {NO_FOLDER}.")
    lock = FileLock(path.with_name(f".{path.name}.lock"), blocking=False, mode=PRIVATE)
    try:
        lock.acquire()
    except Timeout:
        raise Busy(f"{path} is in use by another run: nothing was done.") from None
    except OSError as error:
        raise OutputFailed(f"{path} cannot be locked: {error.strerror}.") from error
    try:
        # Columns that writing would lose are refused.
        is_there = path.is_file()
        yield read_ledger(str(path), path.read_bytes(), closed=True) if is_there else Ledger()
    finally:
        lock.release()


def write_ledger(path: Path, ledger: Ledger) -> None:
    """Put a ledger in place of the one in the file.

    Raises OutputFailed, and InputRefused for a ledger that could not be read again.
    """
    content = ledger_bytes(ledger.lines)
    read_ledger(str(path), content, closed=True)
    with replacing(path) as stream:
        stream.write(content)


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

    `given` are decisions that are collected first. The ledger is written if anything is new.

    Raises InputRefused where the ledger itself or what is given is refused, Busy, OutputFailed.
    """
    path = folder / DECISIONS
    if not (given or path.exists() or any(edited_workbooks(folder))):
        return CollectedLedger(Ledger(), (), ())
    with locked_ledger(path) if folder.exists() else nullcontext(Ledger()) as before:
        collection = collect(before, [given] if given else [], attended=False)
        ledger = collection.ledger
        added = [*_notes(given.source, collection)] if given else []
        refused: list[str] = []
        collected = {line.workbook for line in before.lines}
        for name, content in edited_workbooks(folder, collected):
            try:
                entries = read_review(name, content, today, workbook=name)
                collection = collect(ledger, [entries], attended=False)
            except InputRefused as error:
                refused.append(f"The decisions in {name} are not collected: {error}")
                continue
            ledger = collection.ledger
            added += _notes(name, collection)
        if write and ledger.lines != before.lines:
            write_ledger(path, ledger)
    return CollectedLedger(_with_file(ledger), tuple(added), tuple(refused))


def _notes(name: str, collection: Collection) -> Iterator[str]:
    """Yield sentences on what came of collecting one file: what is new, emptied or to be known."""
    if collection.added:
        yield f"Decisions added from {name}: {len(collection.added)}."
    for file in collection.files:
        yield from (f"{name}: {note}" for note in file.emptied_notes())
    yield from collection.notes


def _with_file(ledger: Ledger) -> Ledger:
    """Return a ledger that names its file, as a run keeps it."""
    if not ledger.lines:
        return ledger
    return replace(ledger, file=list_file(DECISIONS, ledger_bytes(ledger.lines)))


def edited_workbooks(folder: Path, collected: Container[str] = ()) -> Iterator[tuple[str, bytes]]:
    """Yield the workbooks in runs that are not as they were made, by name, older runs first.

    Copies that somebody saved beside them are among them, and so are those that were `collected`
    and put back as they were made.
    """
    for run in runs(folder):
        for path in sorted(run.path.glob("[!~.]*")):
            name = f"{run.name}/{path.name}"
            is_workbook = path.name.lower().endswith(SPREADSHEET_ENDINGS) and path.is_file()
            if is_workbook and (name in collected or sha256(path) != run.files.get(path.name)):
                yield name, path.read_bytes()


def first_done_times(earlier: Sequence[Run]) -> Mapping[tuple[str, ...], datetime]:
    """Return when decisions were first done, from the newest older run that followed some up.

    The keys are the texts of `DECISION_KEY` in its CSV.
    """
    for run in reversed(earlier):
        path = run.path / FOLLOW_UP
        if path.is_file() and sha256(path) == run.files.get(FOLLOW_UP):
            with path.open(encoding="utf-8", newline="") as lines:
                rows = [row for row in csv.DictReader(lines) if row[DONE_SINCE]]
            return {
                tuple(row[name] for name in DECISION_KEY): datetime.fromisoformat(row[DONE_SINCE])
                for row in rows
            }
    return {}
