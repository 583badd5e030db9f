"""Read the reports that a run holds, under names that stay true when the run is in its place."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from analyzer.errors import InputRefused
from analyzer.exports.place import written
from analyzer.model import Report, ReportFile
from analyzer.sources.load import load

REPORTS = "reports"


def made_in(run: Path) -> Path:
    """Make and return the folder for a run's reports.

    Raises OutputFailed.
    """
    folder = run / REPORTS
    with written(run):
        folder.mkdir(mode=0o700)
    return folder


def loaded(run: Path, origins: Mapping[Path, str]) -> Report:
    """Return the reports in a run's folder; `origins` tells of copies where they came from.

    Raises InputRefused, which names what was copied.
    """
    aside = f"{run}{os.sep}"
    try:
        report = load(*(origins or [run / REPORTS]))
    except InputRefused as error:
        names = {str(copy): name for copy, name in origins.items()}
        raise InputRefused(
            replace(each, file=names.get(each.file, each.file).removeprefix(aside))
            for each in error.problems
        ) from None
    return replace(
        report,
        files=tuple(_within(aside, each) for each in report.files),
        notes=tuple(note.replace(aside, "") for note in report.notes),
    )


def _within(aside: str, file: ReportFile) -> ReportFile:
    """Return the file with names that are true in the run."""
    evidence = file.evidence
    if evidence:
        evidence = replace(evidence, name=evidence.name.removeprefix(aside))
    return replace(file, name=file.name.removeprefix(aside), evidence=evidence)
