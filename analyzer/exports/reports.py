"""Read the reports that a run holds, under names that stay true when the run is in its place."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from analyzer.errors import InputRefused
from analyzer.exports.place import written
from analyzer.exports.record import Made
from analyzer.model import Report, ReportFile
from analyzer.sources.beside import SKIPPED, listed
from analyzer.sources.files import load
from analyzer.sources.find import manifests

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


def made(run: Path, report: Report, parameters: Mapping[str, Any]) -> Made:
    """Return what a run is made from, with what the reports' manifests and companions tell."""
    accounts = [
        each for found in manifests([str(run / REPORTS)]) for each in listed(found.name, found.read)
    ]
    names = ("account", "name", "reason")
    return Made(
        report=report,
        skipped=[
            {name: each[name] for name in names} for each in accounts if each["status"] == SKIPPED
        ],
        parameters=parameters,
    )
