"""Copy the reports of a run, under names that stay valid when the run is published."""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from io import BytesIO
from itertools import count
from pathlib import Path, PurePath
from typing import Final

from analyzer.errors import InputRefused, Problem
from analyzer.files import sha256, unreadable_file_refusal
from analyzer.report.age import MaxAge
from analyzer.report.input_formats import MAX_INPUT, InputLimit
from analyzer.report.model import UncoveredFile
from analyzer.report.report import Report
from analyzer.report.report_text import dated_part
from analyzer.runs.run_folders import RECORD_FILE, CoveredAccount, Run, is_in_run, runs
from analyzer.sources.fetch_manifest import manifest_sources
from analyzer.sources.files_beside import METADATA_ENDING, SERVICE_CREDENTIALS_ENDING
from analyzer.sources.find import find_sources
from analyzer.sources.load import load_sources
from analyzer.sources.source import Source, missing_source

REPORTS: Final = "reports"
"""The folder of a run with its reports."""

EXEMPTIONS: Final = "exemptions.csv"
ACCOUNTS: Final = "accounts.csv"
OWNERS: Final = "owners.csv"
LISTS: Final = (EXEMPTIONS, OWNERS)
"""The lists in a run that decide which users a review lists."""

DECISIONS: Final = "decisions.csv"
"""The ledger: at the top of the folder of runs, and in each run the copy that it used."""

FOLLOW_UP: Final = "follow_up.csv"


def load_reports(
    run: Path,
    origins: Mapping[Path, str],
    max_input: int = MAX_INPUT,
    max_age: MaxAge | None = None,
) -> Report:
    """Return the reports in a run's folder; `origins` has the original of each copy.

    Raises InputRefused, which names the originals; also if a report is too old.
    """
    prefix = f"{run}{os.sep}"
    names = {str(copy): name for copy, name in origins.items()}
    # By their folder, as when the run is verified: the order of files is that of their names.
    copies = [str(run / REPORTS)]
    try:
        found = find_sources(copies, InputLimit(max_input))
        inputs = [replace(source, origin=names.get(source.name, "")) for source in found]
        report = load_sources(copies, inputs, None)
        if max_age:
            max_age.check(report)
    except InputRefused as error:
        raise InputRefused(
            replace(
                problem, file=_with_origins(problem.file, names).removeprefix(prefix), message=told
            )
            for problem in error.problems
            for told in [_with_origins(problem.message, names).replace(prefix, "")]
        ) from None
    return _with_run_relative_names(prefix, report)


def with_outside(
    report: Report,
    *,
    unreadable: Iterable[Sequence[str]],
    skipped: Iterable[str],
    notes: Iterable[str],
) -> Report:
    """Return a report with what a run does not keep: unreadable files, skipped ones and notes.

    `unreadable` are names and reasons.
    """
    files = (UncoveredFile(account="", name=name, reason=reason) for name, reason in unreadable)
    return replace(
        report,
        not_covered=tuple(files) + report.not_covered,
        source_notes=tuple(skipped) + report.source_notes,
        content_notes=report.content_notes + tuple(notes),
    )


def _with_origins(text: str, names: Mapping[str, str]) -> str:
    """Return a text that names the originals instead of the copies."""
    for copy in sorted(names, key=len, reverse=True):
        text = text.replace(copy, names[copy])
    return text


def _with_run_relative_names(prefix: str, report: Report) -> Report:
    files = []
    for file in report.files:
        beside = file.service_credentials
        beside = beside and replace(beside, name=beside.name.removeprefix(prefix))
        name = file.name.removeprefix(prefix)
        files.append(replace(file, name=name, service_credentials=beside))
    return replace(
        report,
        files=tuple(files),
        superseded=tuple(
            replace(file, name=file.name.removeprefix(prefix)) for file in report.superseded
        ),
        older=report.older and _with_run_relative_names(prefix, report.older),
        source_notes=tuple(note.replace(prefix, "") for note in report.source_notes),
        content_notes=tuple(note.replace(prefix, "") for note in report.content_notes),
    )


def _outside_runs_check(folder: Path, names: Iterable[str]) -> Callable[[Source], bool]:
    """Return a check that an input is in no run of a folder, unless a name leads into the run.

    If runs lie below a folder of reports, each would copy the reports of all earlier runs.
    """
    named = [os.path.realpath(name) for name in names if is_in_run(folder, name)]

    def is_outside(source: Source) -> bool:
        path = source.archive or source.path or source.name
        return not is_in_run(folder, path) or any(
            Path(os.path.realpath(path)).is_relative_to(top) for top in named
        )

    return is_outside


def inputs_outside_runs(
    names: Sequence[str], folder: Path, max_input: int
) -> tuple[list[Source], Callable[[Source], bool]]:
    """Return the inputs that the names give outside the runs of a folder, and the check."""
    found = find_sources(names, InputLimit(max_input))
    is_outside = _outside_runs_check(folder, names)
    outside = [source for source in found if is_outside(source)]
    if len(outside) < len(found) and all(source.is_skipped for source in outside):
        message, hint = f"it holds no report but those of runs in {folder}", "Name other reports."
        outside = [missing_source(", ".join(names), message, hint)]
    return outside, is_outside


def copy_inputs(
    names: Sequence[str],
    candidates: Sequence[Source],
    folder: Path,
    is_input: Callable[[Source], bool] = lambda _: True,
) -> Mapping[Path, str]:
    """Copy the inputs that the names give, and return the original of each copy.

    Files of archives are unpacked. Skipped files and manifests that are no input are left out. A
    copy keeps the file's name, since a name may show as-of. If two files have one name, the second
    gets its own folder. Raises InputRefused with the problems of all inputs together, OSError if
    nothing more can be written.
    """
    inputs = [source for source in candidates if not source.is_skipped]
    manifests = [each for each in manifest_sources(names, inputs) if is_input(each)]
    sources = inputs + manifests
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
    """Yield a path for each source; the paths differ in more than upper and lower case."""
    names = [_copy_path(source) for source in sources]
    files = {name.name.lower() for name in names}
    free = (name for name in map("input-{}".format, count(2)) if name not in files)
    used_names: set[tuple[str, ...]] = set()
    for name in names:
        *folders, last = (part.lower() for part in name.parts)
        is_taken = (*folders, last) in used_names or not files.isdisjoint(folders)
        yield folder / next(free) / name if is_taken else folder / name
        used_names.add((*folders, last))


def _copy_path(source: Source) -> PurePath:
    """Return the name of a copy, below the folder above the input whose date may be its as-of.

    Neither is hidden, since the copy would not be found again.
    """
    # A file of an archive is named `archive.zip:folder/file`.
    name = source.path.name if source.path else PurePath(source.name).name.rpartition(":")[2]
    part = dated_part(source.name)
    is_name = part == PurePath(source.name.replace(":", "/")).name
    return PurePath("" if is_name else part.lstrip("."), name.lstrip(".") or "report")


def _copy_with_files_beside(source: Source, target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _copy_file(source.name, source.path or source.read, target)
    if source.path:
        for ending in (METADATA_ENDING, SERVICE_CREDENTIALS_ENDING):
            beside = source.path.with_name(source.path.name + ending)
            if beside.is_file():
                _copy_file(str(beside), beside, target.with_name(target.name + ending))


def _copy_file(name: str, origin: Path | Callable[[], bytes], target: Path) -> None:
    try:
        stream = origin.open("rb") if isinstance(origin, Path) else BytesIO(origin())
    except OSError as error:
        raise unreadable_file_refusal(name, error) from None
    with stream, target.open("xb") as copy:
        shutil.copyfileobj(stream, copy)


def is_input(path: str) -> bool:
    """Return whether a file of a run, by its path there, is a report or list it was made from."""
    lists = EXEMPTIONS, OWNERS, ACCOUNTS, DECISIONS
    return path in lists or path.startswith(f"{REPORTS}/")


def written_by_runs(folder: Path) -> set[str]:
    """Return the SHA-256 of all that the runs of a folder wrote, but for their copies of ledgers.

    A copy of a ledger can have lines that the ledger lacks now.
    """
    files = (file for run in runs(folder) for file in run.files.items())
    return {digest for path, digest in files if path != DECISIONS}


def with_covered_accounts(run: Run) -> Run:
    """Return a run of another form with the accounts of its reports, none if they are refused."""
    try:
        accounts = load_reports(run.path, {}).accounts
    except InputRefused:
        accounts = frozenset()
    covered = tuple(CoveredAccount(account=account) for account in sorted(accounts))
    return replace(run, record=run.record.model_copy(update={"covered": covered}))


GONE: Final = "the file is gone"


def changed_files(run: Run) -> Iterator[tuple[str, str]]:
    """Yield what of a run's folder is not as it was written, and what happened to it.

    A run has the files of its record, each as a plain file with its SHA-256, and nothing else.
    """
    for path, digest in run.files.items():
        places = [run.path / place for place in (PurePath(path), *PurePath(path).parents)]
        if any(place.is_symlink() for place in places[:-1]):
            yield path, "a link stands in the place of the file"
        elif not places[0].is_file():
            yield path, GONE
        elif sha256(places[0]) != digest:
            yield path, "the file was changed since the run"
    written = {PurePath(RECORD_FILE), *map(PurePath, run.files)}
    folders = {folder for path in written for folder in path.parents}
    for top, below, names in os.walk(run.path):
        here = PurePath(top).relative_to(run.path)
        for name in sorted({here / name for name in names} - written):
            yield name.as_posix(), "the file was added"
        for name in sorted({here / name for name in below} - folders - written):
            yield name.as_posix(), "the folder was added"
