"""Read the reports that a run holds, under names that stay true when the run is in its place."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from itertools import count
from pathlib import Path, PurePath

from analyzer.errors import InputRefused, Problem
from analyzer.report.input_formats import MAX_INPUT, InputLimit
from analyzer.report.model import Report, ReportFile
from analyzer.sources.companions import METADATA, SERVICE_CREDENTIALS
from analyzer.sources.find import Source, find_sources, unreadable_file
from analyzer.sources.load import load_sources
from analyzer.sources.manifest import manifests

REPORTS = "reports"


def load_reports(
    run: Path,
    origins: Mapping[Path, str],
    max_input: int = MAX_INPUT,
    as_of: datetime | None = None,
) -> Report:
    """Return the reports in a run's folder; `origins` tells of copies where they came from.

    `as_of` is the moment that they describe, in UTC, where a person says it.

    Raises InputRefused, which names what was copied.
    """
    prefix = f"{run}{os.sep}"
    names = {str(copy): name for copy, name in origins.items()}
    limit = InputLimit(max_input)
    copies = [*names] or [str(run / REPORTS)]
    try:
        found = find_sources(copies, limit)
        inputs = [replace(each, origin=names.get(each.name, "")) for each in found]
        # A run reads the rows again only once: without them in memory 1,000 accounts take 230 MB
        # less.
        report = load_sources(
            copies, inputs, as_of, lambda _done, _total: None, limit, row_bytes_in_memory=0
        )
    except InputRefused as error:
        raise InputRefused(
            replace(each, file=names.get(each.file, each.file).removeprefix(prefix))
            for each in error.problems
        ) from None
    return replace(
        report,
        files=tuple(_with_run_relative_names(prefix, each) for each in report.files),
        source_notes=tuple(note.replace(prefix, "") for note in report.source_notes),
        content_notes=tuple(note.replace(prefix, "") for note in report.content_notes),
    )


def _with_run_relative_names(prefix: str, file: ReportFile) -> ReportFile:
    """Return the file with names that are true in the run."""
    credentials = file.service_credentials
    if credentials:
        credentials = replace(credentials, name=credentials.name.removeprefix(prefix))
    return replace(file, name=file.name.removeprefix(prefix), service_credentials=credentials)


def copy_inputs(
    names: Sequence[str], candidates: Sequence[Source], folder: Path
) -> Mapping[Path, str]:
    """Copy the inputs that the names stand for, and return where each came from, by its copy.

    Files of archives are unpacked, skipped ones left out. A copy keeps the file's name, since a
    name may tell as-of; where two have one name, the second lies in a folder of its own.

    Raises InputRefused with the problems of all inputs together, OSError where nothing more can
    be written.
    """
    inputs = [each for each in candidates if not each.is_skipped]
    sources = [*inputs, *manifests(names, inputs)]
    copies: dict[Path, str] = {}
    problems: list[Problem] = []
    for source, target in zip(sources, _targets(sources, folder), strict=True):
        try:
            _copy_with_companions(source, target)
        except InputRefused as error:
            problems += error.problems
        copies[target] = source.name
    if problems:
        raise InputRefused(problems)
    return copies


def _targets(sources: Sequence[Source], folder: Path) -> Iterator[Path]:
    """Yield a place for each, one for every name, whatever the case of its letters."""
    names = [_name(source) for source in sources]
    files = {name.lower() for name in names}
    free = (each for each in map("input-{}".format, count(2)) if each not in files)
    used_names: set[str] = set()
    for name in names:
        yield folder / next(free) / name if name.lower() in used_names else folder / name
        used_names.add(name.lower())


def _name(source: Source) -> str:
    """Return the name of a copy, never hidden: it would not be found again."""
    # A file of an archive is named `archive.zip:folder/file`.
    name = source.path.name if source.path else PurePath(source.name).name.rpartition(":")[2]
    return name.lstrip(".") or "report"


def _copy_with_companions(source: Source, target: Path) -> None:
    target.parent.mkdir(mode=0o700, exist_ok=True)
    _copy_file(source, target)
    if source.path:
        for ending in (METADATA, SERVICE_CREDENTIALS):
            beside = source.path.with_name(source.path.name + ending)
            if beside.is_file():
                companion = Source(str(beside), beside.read_bytes, beside.read_bytes, beside)
                _copy_file(companion, target.with_name(target.name + ending))


def _copy_file(source: Source, target: Path) -> None:
    try:
        stream = source.path.open("rb") if source.path else BytesIO(source.read())
    except OSError as error:
        raise unreadable_file(source.name, error) from None
    with stream, target.open("xb") as copy:
        shutil.copyfileobj(stream, copy)
