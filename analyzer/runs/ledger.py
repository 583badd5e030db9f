"""Collect the decisions in a folder of runs, and the outcomes in its follow-ups.

Workbooks are collected one by one, so that a refused one does not stop a run.
"""

import os
from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import date
from itertools import chain, starmap
from os.path import isfile
from pathlib import Path
from typing import Final, TypeAlias, cast
from zipfile import ZipFile

from analyzer.analysis.analysis import analyze
from analyzer.decisions.collect import LedgerUpdate, collect, collected_one_by_one
from analyzer.decisions.decision import Decision
from analyzer.decisions.entries import DecisionFile
from analyzer.decisions.follow_up import (
    LINE_KEY,
    EarlierOutcomes,
    as_text,
    earlier_rows,
    follow_up,
    line_key,
)
from analyzer.decisions.ledger import Ledger, holds_decisions, ledger_bytes, read_ledger
from analyzer.decisions.ledger_file import locked_ledger, write_ledger
from analyzer.errors import InputRefused, Problem
from analyzer.files import may_be_workbook, sha256
from analyzer.lists.csv_lists import file_reference
from analyzer.reviews.entries import SPREADSHEET_ENDINGS, read_review
from analyzer.reviews.list_sheets import (
    content_holds_entries,
    entered_rows,
    holds_entries,
    is_of_entry,
    is_of_row,
)
from analyzer.runs.inputs import DECISIONS, FOLLOW_UP, REPORTS, has_unchanged_inputs, load_reports
from analyzer.runs.run_folders import Run, incomplete_runs, runs
from analyzer.sources.archives import DAMAGED, unpacked_files
from analyzer.sources.source import unreadable_file_refusal
from analyzer.terms import count_text, short_list

_MAY_HOLD_DECISIONS: Final = (*SPREADSHEET_ENDINGS, ".csv", ".zip")
"""The endings of files in which decisions may be entered."""

_UNREAD_ENDINGS: Final = tuple({*SPREADSHEET_ENDINGS} - {".xlsx", ".xlsm"})
"""The endings of workbooks that are never read."""


def collected_ledger(
    folder: Path, given: DecisionFile | None, today: date, *, write: bool = True
) -> tuple[Ledger, list[str], list[str]]:
    """Return the folder's ledger with the entries in edited workbooks of its runs.

    Return also sentences on new and emptied decisions, and on files whose decisions are missing.
    The ledger names its file as a run keeps it. The decisions in `given` are collected first. The
    ledger is written if anything is new. Raises InputRefused if the ledger itself or `given` is
    refused, Busy, OutputFailed.
    """
    path, elsewhere = folder / DECISIONS, [*_decisions_elsewhere(folder)]
    locks = folder.exists() and (given or path.exists() or any(edited_workbooks(folder)))
    with locked_ledger(path) if locks else nullcontext(Ledger()) as before:
        update = collect(before, [given] if given else [], attended=False)
        ledger = update.ledger
        added = [*_notes(given.source, update)] if given else []
        ledger, more, refused = _with_edited_workbooks(folder, update.ledger, today)
        if write and ledger.lines != before.lines:
            write_ledger(path, ledger)
    if ledger.lines:
        ledger = replace(ledger, file=file_reference(DECISIONS, ledger_bytes(ledger.lines)))
    reasons = (f"The decisions in {name} are not collected: {why}" for name, why in refused)
    lost = starmap(uncollected_sentence, _lost_decisions(folder, ledger))
    return ledger, [*added, *more], [*elsewhere, *reasons, *lost]


def _with_edited_workbooks(
    folder: Path, ledger: Ledger, today: date
) -> tuple[Ledger, list[str], list[tuple[str, InputRefused]]]:
    """Return a ledger with the entries in edited workbooks of runs, notes on it, and refusals."""
    notes: list[str] = []
    refused: list[tuple[str, InputRefused]] = []
    files: list[DecisionFile] = []
    for name, content in edited_workbooks(folder, {line.workbook for line in ledger.lines}):
        try:
            entries = read_review(name, content, today, workbook=name)
        except InputRefused as error:
            refused.append((name, error))
            continue
        # Rows of other users cannot have been emptied, and would take much memory.
        rows = (row for row in entries.open_rows if row.user_key in ledger.by_user)
        files.append(replace(entries, open_rows=(*rows,)))
    for name, outcome in collected_one_by_one(ledger, files):
        if isinstance(outcome, LedgerUpdate):
            ledger = outcome.ledger
            notes += _notes(name, outcome)
        else:
            refused.append((name, outcome))
    return ledger, notes, refused


def uncollected_decisions(
    folder: Path, ledger: Ledger, today: date
) -> Iterator[tuple[Path, list[str]]]:
    """Yield the files of runs with decisions that a ledger lacks, with the ARN of each decision.

    Raises InputRefused if it is not known which users the entries of a workbook are on.
    """
    yield from _lost_decisions(folder, ledger)
    in_force = {(line.user_key.arn, line.decision) for line in ledger.removals()}
    collected = {(line.user_key.arn, *line.entered) for line in ledger.lines}
    whole, _, refused = _with_edited_workbooks(folder, ledger, today)
    arns = defaultdict[str, list[str]](list)
    for line in whole.lines[len(ledger.lines) :]:
        arn, decision = line.user_key.arn, line.decision
        if decision is not Decision.CONFLICT and (arn, decision) not in in_force:
            arns[line.workbook].append(arn)
    for name, error in refused:
        rows = entered_rows(str(folder / name), (folder / name).read_bytes())
        uncollected = [
            arn
            for arn, word, *others in (rows if holds_entries(folder / name) else ())
            if (arn, word) not in in_force and (arn, word, *others) not in collected
        ]
        unclear = [problem for problem in error.problems if not is_of_entry(problem)]
        if unclear and (uncollected or any(map(is_of_row, unclear))):
            raise InputRefused(
                replace(problem, file=str(folder / problem.file)) for problem in unclear
            )
        arns[name] += uncollected
    yield from ((folder / name, of) for name, of in arns.items() if of)


def _lost_decisions(folder: Path, ledger: Ledger) -> Iterator[tuple[Path, list[str]]]:
    """Yield the ledgers of runs with lines that a ledger lacks, with the ARN of each such line.

    Lines are only ever added, so most copies are the ledger's beginning. Edited ones do not count.
    """
    whole, known = ledger_bytes(ledger.lines), {line.identity for line in ledger.lines}
    newest = {
        recorded: path
        for run in runs(folder)
        if (recorded := run.files.get(DECISIONS))
        and sha256(path := run.path / DECISIONS) == recorded
    }
    for path in reversed(newest.values()):
        content = path.read_bytes()
        if whole.startswith(content):
            continue
        lines = read_ledger(str(path), content).lines
        if lost := [line for line in lines if line.identity not in known]:
            yield path, [line.user_key.arn for line in lost]
        known.update(line.identity for line in lost)


def uncollected_sentence(path: Path, arns: Sequence[str]) -> str:
    """Return a sentence on decisions on these users that a file has and the ledger lacks."""
    decisions, users = count_text(len(arns), "decision"), short_list([*dict.fromkeys(arns)])
    return f"{path} has {decisions} that the ledger has not: collect it. The users: {users}."


def _notes(name: str, update: LedgerUpdate) -> Iterator[str]:
    if update.added:
        yield f"Decisions added from {name}: {len(update.added):,}."
    for file in update.files:
        yield from (f"{name}: {note}" for note in file.emptied_notes())
    yield from update.notes


def edited_workbooks(folder: Path, collected: Container[str] = ()) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of the edited workbooks in runs, older runs first.

    `collected` workbooks are among them, even if their original state was restored.
    """
    for run in runs(folder):
        for path in _files_ending(run.path, SPREADSHEET_ENDINGS):
            name, own = (path.relative_to(top).as_posix() for top in (folder, run.path))
            if name in collected or sha256(path) != run.files.get(own):
                yield name, path.read_bytes()


def _decisions_elsewhere(folder: Path, known: Collection[str] = ()) -> Iterator[str]:
    """Yield a sentence on each file with decisions that no run reads."""
    files_by_run = {run.path: run.files for run in runs(folder)}
    for path in _files_ending(folder, _MAY_HOLD_DECISIONS):
        run_or_folder = next((parent for parent in path.parents if parent in files_by_run), folder)
        own, is_workbook = (
            path.relative_to(run_or_folder).as_posix(),
            _ends(path, SPREADSHEET_ENDINGS),
        )
        recorded = files_by_run.get(run_or_folder, {}).get(own)
        is_report = bool(recorded) and own.startswith(f"{REPORTS}/")
        is_read = own == DECISIONS or (run_or_folder != folder and is_workbook)
        if not (is_read or is_report) and _may_hold_decisions(path, {recorded, *known}):
            yield f"{path} may have decisions and is not read: {_hint(path, folder)}."


def is_listable(folder: Path) -> bool:
    """Return whether the files of a folder can be listed and opened."""
    return os.access(folder, os.R_OK | os.X_OK)


def unread_file_notes(folder: Path, ledger: Ledger) -> Iterator[str]:
    """Yield a sentence on each unread file or run of a folder that may have more decisions.

    Files that the ledger was collected from do not count. A folder without runs has none.
    """
    if not is_listable(folder):
        yield f"{folder} cannot be listed: what runs there hold is not known."
        return
    complete = runs(folder)
    incomplete = [*incomplete_runs(folder, complete)]
    yield from (
        f"{path} is not a complete run, or cannot be read: passed over." for path in incomplete
    )
    if complete or incomplete:
        yield from _decisions_elsewhere(folder, {line.sha256 for line in ledger.lines})


def _hint(path: Path, folder: Path) -> str:
    if _ends(path, _UNREAD_ENDINGS):
        return "save it as .xlsx, and remove this file"
    first = "unpack it and collect its workbooks" if _ends(path, (".zip",)) else "collect it"
    return f"{first}, or move it out of {folder}"


def _may_hold_decisions(path: Path, known: Container[str | None]) -> bool:
    """Return whether a file has decisions or cannot be read, and is not known by its SHA-256."""
    try:
        if _ends(path, (".zip",)):
            holds = _archive_holds_entries(path)
        else:
            holds = holds_entries(path) if may_be_workbook(path) else holds_decisions(path)
        return holds and sha256(path) not in known
    except (*DAMAGED, InputRefused):
        return True


def _archive_holds_entries(path: Path) -> bool:
    """Return whether a zip archive has entries, as a workbook or in workbooks in it."""
    with ZipFile(path) as archive:
        is_workbook = any(_ends(Path(name), ("xl/workbook.xml",)) for name in archive.namelist())
    workbooks = unpacked_files(path, SPREADSHEET_ENDINGS)
    return (is_workbook and holds_entries(path)) or any(
        content_holds_entries(*workbook) for workbook in workbooks
    )


def _files_ending(folder: Path, endings: tuple[str, ...]) -> list[Path]:
    """Return the files below a folder with these endings, without hidden and lock files."""
    found = (path for path in folder.rglob("[!.]*") if _ends(path, endings))
    return sorted(path for path in found if path.is_file() and not path.name.startswith("~$"))


def _ends(path: Path, endings: tuple[str, ...]) -> bool:
    return path.as_posix().lower().endswith(endings)


# Follow-ups


def with_earlier_outcomes(
    ledger: Ledger, folders: Iterable[Path], complete: Sequence[Run] = ()
) -> tuple[Ledger, list[Problem]]:
    """Return a ledger with the outcomes in follow-ups of folders, and the problems of these files.

    The folders come in the order of their runs. A decision that was not in force in the newest
    complete run, such as one collected late, is followed up in the reports of the runs.
    """
    outcomes = EarlierOutcomes(REPORTS)
    problems: list[Problem] = []
    newest, followed = complete[-1].name if complete else "", set[tuple[str, ...]]()
    # Late decisions are known only after the last file.
    files = _follow_ups(folders, complete, problems)
    for run, rows, is_as_made in chain(
        files, _unfollowed_rows(ledger, complete, followed, problems)
    ):
        for row in rows:
            outcomes.add(run, row, is_as_made=is_as_made)
            if run == newest:
                followed.add(tuple(row[name] for name in LINE_KEY))
    return outcomes.added_to(ledger), problems


_Rows: TypeAlias = tuple[str, Iterable[Mapping[str, str]], bool]
"""The name of a run, the rows of its follow-up, and whether their files are unedited."""


def _follow_ups(
    folders: Iterable[Path], complete: Sequence[Run], problems: list[Problem]
) -> Iterator[_Rows]:
    """Yield the follow-ups in folders, and add the problems of refused ones."""
    as_made = {run.path / FOLLOW_UP: run.files.get(FOLLOW_UP) for run in complete}
    for path in filter(isfile, (folder / FOLLOW_UP for folder in folders)):
        try:
            content = path.read_bytes()
            rows = earlier_rows(str(path), content)
        except OSError as error:
            problems += unreadable_file_refusal(str(path), error).problems
        except InputRefused as error:
            problems += error.problems
        else:
            is_as_made = file_reference(path.name, content).sha256 == as_made.get(path)
            yield path.absolute().parent.name, rows, is_as_made


def _unfollowed_rows(
    ledger: Ledger,
    complete: Sequence[Run],
    followed: Container[tuple[str, ...]],
    problems: list[Problem],
) -> Iterator[_Rows]:
    """Yield outcomes in all runs of decisions in force that the newest run did not follow up."""
    late = {
        key: line.report_time.earliest
        for line in ledger.removals()
        if (key := line_key(line)) not in followed
    }
    for run in complete if late else ():
        if run.record.as_of < min(late.values()):
            continue
        try:
            report = load_reports(run.path, {}, as_of=run.record.set_as_of)
            frame = as_text(follow_up(analyze(report).pages(), report, ledger).frame)
        except InputRefused as error:
            problems += (
                replace(problem, file=f"{run.name}/{problem.file}") for problem in error.problems
            )
            continue
        keys = frame[[*LINE_KEY]].itertuples(index=False, name=None)
        rows = frame[[*map(late.__contains__, keys)]].to_dict("records")
        yield run.name, cast("list[dict[str, str]]", rows), has_unchanged_inputs(run)
