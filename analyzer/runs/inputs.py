"""Read what a run is made from: its copies of the reports, and the ledger of its folder.

What reviewers entered is collected workbook by workbook, so that one refused does not stop a run.
"""

import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import date, datetime
from io import BytesIO
from itertools import chain, count, starmap
from os.path import isfile
from pathlib import Path, PurePath
from typing import Final, TypeAlias, cast
from zipfile import ZipFile

from analyzer.analysis.analysis import analyze
from analyzer.decisions.collect import LedgerUpdate, collect, collected_one_by_one
from analyzer.decisions.decision import Decision, LedgerLine
from analyzer.decisions.follow_up import COLUMNS as FOLLOW_UP_COLUMNS
from analyzer.decisions.follow_up import (
    DECIDED_AS_OF,
    DECISION_KEY,
    DONE_SINCE,
    FACT,
    HAD_SERVICE_CREDENTIAL,
    REPORT,
    REPORTED_USER_KEY,
    STATUS,
    as_text,
    follow_up,
)
from analyzer.decisions.ledger import (
    Entries,
    Ledger,
    holds_decisions,
    ledger_bytes,
    read_ledger,
)
from analyzer.decisions.ledger_file import locked_ledger, write_ledger
from analyzer.decisions.outcome import CHANGED, DECIDE_AGAIN, FollowUpStatus
from analyzer.errors import InputRefused, Problem
from analyzer.files import may_be_workbook, sha256
from analyzer.lists.csv_lists import ListForm, file_reference, list_rows
from analyzer.report.input_formats import MAX_INPUT, InputLimit
from analyzer.report.model import Report
from analyzer.report.report_text import dated_part
from analyzer.report.values import timestamp
from analyzer.reviews.entries import SPREADSHEET_ENDINGS, read_review
from analyzer.reviews.list_sheets import (
    content_holds_entries,
    entered_rows,
    holds_entries,
    is_of_entry,
)
from analyzer.runs.run_folders import Run, is_in_run, runs
from analyzer.sources.archives import DAMAGED, unpacked_files
from analyzer.sources.fetch_manifest import manifest_sources
from analyzer.sources.files_beside import METADATA, SERVICE_CREDENTIALS_ENDING
from analyzer.sources.find import find_sources
from analyzer.sources.load import load_sources
from analyzer.sources.source import Source, missing_source, unreadable_file
from analyzer.terms import count_text, short_list, utc_text

REPORTS: Final = "reports"
"""The folder of a run with its reports."""

EXEMPTIONS: Final = "exemptions.csv"
ACCOUNTS: Final = "accounts.csv"
OWNERS: Final = "owners.csv"
DECISIONS: Final = "decisions.csv"
"""The ledger: at the top of the folder of runs, and as each run was judged with in the run."""

FOLLOW_UP: Final = "follow_up.csv"

_MAY_HOLD_DECISIONS: Final = (*SPREADSHEET_ENDINGS, ".csv", ".zip")
"""How the names of files end in which decisions may be entered."""

_UNREAD_ENDINGS: Final = tuple({*SPREADSHEET_ENDINGS} - {".xlsx", ".xlsm"})
"""How the names of workbooks end that are read in no place."""


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
    files = []
    for each in report.files:
        beside = each.service_credentials
        beside = beside and replace(beside, name=beside.name.removeprefix(prefix))
        name = each.name.removeprefix(prefix)
        files.append(replace(each, name=name, service_credentials=beside))
    return replace(
        report,
        files=(*files,),
        older=lambda: (_with_run_relative_names(prefix, each) for each in report.older()),
        source_notes=tuple(note.replace(prefix, "") for note in report.source_notes),
        content_notes=tuple(note.replace(prefix, "") for note in report.content_notes),
    )


def _outside_runs(folder: Path, names: Iterable[str]) -> Callable[[Source], bool]:
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


def run_inputs(
    names: Sequence[str], folder: Path, max_input: int
) -> tuple[list[Source], Callable[[Source], bool]]:
    """Return the inputs that the names stand for outside the runs of a folder, and the check."""
    found = find_sources(names, InputLimit(max_input))
    is_outside = _outside_runs(folder, names)
    outside = [*filter(is_outside, found)]
    if len(outside) < len(found) and all(each.is_skipped for each in outside):
        message, hint = f"it holds no report but those of runs in {folder}", "Name other reports."
        outside = [missing_source(", ".join(names), message, hint)]
    return outside, is_outside


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
    """Yield a place for each, one for every name, whatever the case of its letters."""
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
        for ending in (METADATA, SERVICE_CREDENTIALS_ENDING):
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
    lists = EXEMPTIONS, DECISIONS
    recorded = {
        path: known
        for path, known in run.files.items()
        if path in lists or path.startswith(f"{REPORTS}/")
    }
    inputs = [*(run.path / name for name in lists), *(run.path / REPORTS).rglob("*")]
    files = (path for path in inputs if path.is_file())
    return recorded == {path.relative_to(run.path).as_posix(): sha256(path) for path in files}


# Ledgers


def collected_ledger(
    folder: Path, given: Entries | None, today: date, *, write: bool = True
) -> tuple[Ledger, list[str], list[str]]:
    """Return the folder's ledger with what was entered in edited workbooks of its runs.

    With it come sentences on what is new or emptied, and on files whose decisions are missing. It
    names its file as a run keeps it. `given` are decisions that are collected first. The ledger is
    written if anything is new. Raises InputRefused where the ledger itself or what is given is
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
    """Return a ledger with what edited workbooks of runs add, notes on it, and what is refused."""
    notes: list[str] = []
    refused: list[tuple[str, InputRefused]] = []
    files: list[Entries] = []
    for name, content in edited_workbooks(folder, {line.workbook for line in ledger.lines}):
        try:
            entries = read_review(name, content, today, workbook=name)
        except InputRefused as error:
            refused.append((name, error))
            continue
        # Others cannot have been emptied; many lists of many users would take much memory.
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
    """Yield the files of runs with decisions that a ledger has not, with the ARN of each.

    Raises InputRefused where it is not known which users the entries of a workbook are on.
    """
    yield from _lost_decisions(folder, ledger)
    whole, _, refused = _with_edited_workbooks(folder, ledger, today)
    arns = defaultdict[str, list[str]](list)
    for line in whole.lines[len(ledger.lines) :]:
        if line.decision is not Decision.CONFLICT:
            arns[line.workbook].append(line.user_key.arn)
    collected = {(line.user_key.arn, *line.entered) for line in ledger.lines}
    for name, error in refused:
        if unclear := [each for each in error.problems if not is_of_entry(each)]:
            raise InputRefused(unclear)
        rows = entered_rows(name, (folder / name).read_bytes())
        arns[name] += (arn for arn, *entered in rows if (arn, *entered) not in collected)
    yield from ((folder / name, of) for name, of in arns.items() if of)


def _lost_decisions(folder: Path, ledger: Ledger) -> Iterator[tuple[Path, list[str]]]:
    """Yield the ledgers of runs that have lines which a ledger lacks, with the ARN of each line.

    Lines are only ever added, so that most are its beginning. Edited copies do not count.
    """
    whole, known = ledger_bytes(ledger.lines), {line.identity for line in ledger.lines}
    newest = {run.files[DECISIONS]: run.path for run in runs(folder) if DECISIONS in run.files}
    for recorded, run in reversed(newest.items()):
        content = (path := run / DECISIONS).read_bytes()
        if whole.startswith(content) or sha256(path) != recorded:
            continue
        lines = read_ledger(str(path), content).lines
        if lost := [line for line in lines if line.identity not in known]:
            yield path, [line.user_key.arn for line in lost]
        known.update(line.identity for line in lost)


def uncollected_sentence(path: Path, arns: Sequence[str]) -> str:
    """Return a sentence on decisions on these users which a file has and the ledger has not."""
    decisions, users = count_text(len(arns), "decision"), short_list([*dict.fromkeys(arns)])
    return f"{path} has {decisions} that the ledger has not: collect it. The users: {users}."


def _notes(name: str, update: LedgerUpdate) -> Iterator[str]:
    if update.added:
        yield f"Decisions added from {name}: {len(update.added):,}."
    for file in update.files:
        yield from (f"{name}: {note}" for note in file.emptied_notes())
    yield from update.notes


def edited_workbooks(folder: Path, collected: Container[str] = ()) -> Iterator[tuple[str, bytes]]:
    """Yield the workbooks in runs that are not as they were made, by name, older runs first.

    Those that were `collected` are among them, though they were put back as they were made.
    """
    for run in runs(folder):
        for path in _files_ending(run.path, SPREADSHEET_ENDINGS):
            name, own = (path.relative_to(each).as_posix() for each in (folder, run.path))
            if name in collected or sha256(path) != run.files.get(own):
                yield name, path.read_bytes()


def _decisions_elsewhere(folder: Path) -> Iterator[str]:
    """Yield a sentence on each file with decisions that no run reads."""
    files_by_run = {run.path: run.files for run in runs(folder)}
    for path in _files_ending(folder, _MAY_HOLD_DECISIONS):
        run_or_folder = next((each for each in path.parents if each in files_by_run), folder)
        own, is_workbook = (
            path.relative_to(run_or_folder).as_posix(),
            _ends(path, SPREADSHEET_ENDINGS),
        )
        recorded = files_by_run.get(run_or_folder, {}).get(own)
        is_report = bool(recorded) and own.startswith(f"{REPORTS}/")
        is_read = own == DECISIONS or (run_or_folder != folder and is_workbook)
        if not (is_read or is_report) and _may_hold_decisions(path, recorded):
            yield f"{path} may have decisions and is not read: {_hint(path, folder)}."


def _hint(path: Path, folder: Path) -> str:
    if _ends(path, _UNREAD_ENDINGS):
        return "save it as .xlsx, and remove this file"
    first = "unpack it and collect its workbooks" if _ends(path, (".zip",)) else "collect it"
    return f"{first}, or move it out of {folder}"


def _may_hold_decisions(path: Path, recorded: str | None) -> bool:
    """Return whether a file is not as it was made, and has decisions or cannot be read."""
    try:
        if _ends(path, (".zip",)):
            holds = _archive_holds_entries(path)
        else:
            holds = holds_entries(path) if may_be_workbook(path) else holds_decisions(path)
        return holds and sha256(path) != recorded
    except (*DAMAGED, InputRefused):
        return True


def _archive_holds_entries(path: Path) -> bool:
    """Return whether a workbook in a zip archive has entries, or the archive, if it is one."""
    with ZipFile(path) as archive:
        is_workbook = any(_ends(Path(name), ("xl/workbook.xml",)) for name in archive.namelist())
    workbooks = unpacked_files(path, SPREADSHEET_ENDINGS)
    return (is_workbook and holds_entries(path)) or any(
        content_holds_entries(*each) for each in workbooks
    )


def _files_ending(folder: Path, endings: tuple[str, ...]) -> list[Path]:
    """Return the files below a folder with these endings, but hidden and locked ones."""
    found = (path for path in folder.rglob("[!.]*") if _ends(path, endings))
    return sorted(each for each in found if each.is_file() and not each.name.startswith("~$"))


def _ends(path: Path, endings: tuple[str, ...]) -> bool:
    return path.as_posix().lower().endswith(endings)


def exemption_lists(folders: Iterable[Path]) -> Iterator[Path]:
    """Yield the exemption list of the newest run in each folder that has runs, if it has one."""
    lists = (run.path / EXEMPTIONS for folder in folders for run in runs(folder)[-1:])
    yield from filter(isfile, lists)


# Follow-ups


def with_earlier_outcomes(
    ledger: Ledger, folders: Iterable[Path], complete: Sequence[Run] = ()
) -> tuple[Ledger, list[Problem]]:
    """Return a ledger with what follow-ups in folders show of decisions, and their problems.

    The folders come in the order of their runs. What overtook a decision counts wherever it stands,
    and so does a service-specific credential, since they only hold back: also in a file that a
    spreadsheet saved, or in a run that is no longer complete. Since when a decision is done is
    taken only from a run as it was made. A decision that was not in force in the newest complete
    run, such as one collected late, is followed up in the reports of the runs.
    """
    done_since: dict[tuple[str, ...], datetime] = {}
    overtaken: dict[tuple[str, ...], str] = {}
    with_service_credential: set[tuple[str, ...]] = set()
    problems: list[Problem] = []
    newest, followed = complete[-1].name if complete else "", set[tuple[str, ...]]()
    # Late decisions are known after the last file.
    files = _follow_ups(folders, complete, problems)
    for run, rows, is_as_made in chain(files, _late_rows(ledger, complete, followed, problems)):
        for row in rows:
            decision = tuple(row[name] for name in DECISION_KEY)
            if row[STATUS] == FollowUpStatus.DONE and is_as_made:
                done_since.setdefault(decision, datetime.fromisoformat(row[DONE_SINCE]))
            elif row[STATUS] != FollowUpStatus.DONE and row[REPORT]:  # else it is not covered
                done_since.pop(decision, None)
            if row[STATUS] == FollowUpStatus.OVERTAKEN:
                overtaken.setdefault(_reported_user_key(row), _overtaking_change(run, row))
            if _had_service_credential(row):
                with_service_credential.add(_reported_user_key(row))
            if run == newest:
                followed.add((*decision, row[DECIDED_AS_OF]))
    shown = replace(
        ledger,
        done_since=done_since,
        overtaken=overtaken,
        with_service_credential=frozenset(with_service_credential),
    )
    return shown, problems


_Rows: TypeAlias = tuple[str, Iterable[Mapping[str, str]], bool]
"""The name of a run, the rows of its follow-up, and whether the run is as it was made."""


def _follow_ups(
    folders: Iterable[Path], complete: Sequence[Run], problems: list[Problem]
) -> Iterator[_Rows]:
    """Yield the follow-ups in folders, and add the problems of others."""
    as_made = {run.path / FOLLOW_UP: run.files.get(FOLLOW_UP) for run in complete}
    for path in filter(isfile, (folder / FOLLOW_UP for folder in folders)):
        try:
            content = path.read_bytes()
            rows = list_rows(str(path), content, _FOLLOW_UP_FORM, _follow_up_problems)
        except OSError as error:
            problems += unreadable_file(str(path), error).problems
        except InputRefused as error:
            problems += error.problems
        else:
            is_as_made = file_reference(path.name, content).sha256 == as_made.get(path)
            yield path.absolute().parent.name, (cells for _, cells in rows), is_as_made


def _late_rows(
    ledger: Ledger,
    complete: Sequence[Run],
    followed: Container[tuple[str, ...]],
    problems: list[Problem],
) -> Iterator[_Rows]:
    """Yield what runs would have shown of decisions in force now that the newest did not follow."""
    late = {key: line.as_of for line in ledger.removals() if (key := _key(line)) not in followed}
    for run in complete if late else ():
        if run.record.as_of < min(late.values()):
            continue
        try:
            report = load_reports(run.path, {}, as_of=run.record.set_as_of)
            frame = as_text(follow_up(analyze(report).pages(), report, ledger).frame)
        except InputRefused as error:
            problems += (replace(each, file=f"{run.name}/{each.file}") for each in error.problems)
            continue
        keys = frame[[*DECISION_KEY, DECIDED_AS_OF]].itertuples(index=False, name=None)
        rows = frame[[*map(late.__contains__, keys)]].to_dict("records")
        yield run.name, cast("list[dict[str, str]]", rows), has_unchanged_inputs(run)


def _key(line: LedgerLine) -> tuple[str, ...]:
    """Return the cells of `DECISION_KEY` and the moment of the report decided on, as text."""
    arn, created = line.user_key
    day, as_of = line.decided_on.isoformat(), utc_text(line.as_of)
    return arn, utc_text(created) if created else "", str(line.decision), day, as_of


def _reported_user_key(row: Mapping[str, str]) -> tuple[str, ...]:
    """Return the cells of `REPORTED_USER_KEY`, times in one form; some may be unknown."""
    arn, *cells = (row[name] for name in REPORTED_USER_KEY)
    return arn, *(utc_text(at) if (at := timestamp(each)) else "" for each in cells)


_FOLLOW_UP_FORM: Final = ListForm(
    required=(STATUS, *DECISION_KEY, DECIDED_AS_OF, FACT, REPORT, DONE_SINCE),
    optional=FOLLOW_UP_COLUMNS,
    by_program=True,
    hint="Put the file back as the run wrote it.",
)


def _follow_up_problems(name: str, row: int, cells: Mapping[str, str]) -> Iterator[Problem]:
    """Yield where a row has no status, or does not say which decision it holds back."""
    hint = _FOLLOW_UP_FORM.hint
    if cells[STATUS] not in [*FollowUpStatus]:
        yield Problem(name, row, STATUS, cells[STATUS], "not a status", hint)
        return
    _, *moments = REPORTED_USER_KEY
    is_overtaken = cells[STATUS] == FollowUpStatus.OVERTAKEN
    if is_overtaken or _had_service_credential(cells):
        for column in (each for each in moments if cells[each] or is_overtaken):
            if not timestamp(cells[column]):
                yield Problem(name, row, column, cells[column], "not a time", hint)


def _had_service_credential(row: Mapping[str, str]) -> bool:
    return row.get(HAD_SERVICE_CREDENTIAL, "").lower() == "true"


def _overtaking_change(run: str, row: Mapping[str, str]) -> str:
    """Return what overtook a decision, with the report that shows it and the run that has it."""
    change = row[FACT].removeprefix(CHANGED).removesuffix(DECIDE_AGAIN)
    text = change if "(report " in change else f"{change} (report {row[REPORT]})"
    return text.replace(f"(report {REPORTS}/", f"(report {run}/{REPORTS}/")
