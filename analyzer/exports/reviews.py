"""Read back what people and earlier runs left in a folder of runs: decisions, and what was done."""

import csv
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from analyzer.exports.contents import FOLLOW_UP, WORKBOOK
from analyzer.exports.runs import earlier_runs, runs
from analyzer.files import sha256
from analyzer.follow_up import DECISION_KEY, DONE_SINCE

DoneSince = Mapping[tuple[str, ...], datetime]


def edited_workbooks(folder: Path, before: str | None = None) -> dict[Path, bytes]:
    """Return the workbooks that a person edited, by path, those of older runs first.

    With `before` only those of runs older than one of that name: a decision that was taken after
    a report says nothing of users as they were before it.
    """
    edited = {}
    for run in runs(folder) if before is None else earlier_runs(folder, before):
        workbook = run.path / WORKBOOK
        if sha256(workbook) != run.sha256_of(WORKBOOK):
            edited[workbook] = workbook.read_bytes()
    return edited


def first_done_times(folder: Path, before: str) -> DoneSince:
    """Return when decisions were first done, from the newest older run that followed a review up.

    The keys are the texts of `DECISION_KEY` in its CSV.
    """
    for run in reversed(earlier_runs(folder, before)):
        path = run.path / FOLLOW_UP
        if path.is_file() and sha256(path) == run.sha256_of(FOLLOW_UP):
            with path.open(encoding="utf-8", newline="") as lines:
                rows = [row for row in csv.DictReader(lines) if row[DONE_SINCE]]
            return {
                tuple(row[name] for name in DECISION_KEY): datetime.fromisoformat(row[DONE_SINCE])
                for row in rows
            }
    return {}
