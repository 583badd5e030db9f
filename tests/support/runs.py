"""Run `credreport export`, and hold what it leaves to its record."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from analyzer.cli import main
from analyzer.runs.inputs import copy_inputs
from analyzer.runs.run_folders import LAST_RUN
from analyzer.sources.find import find_sources
from analyzer.writers.workbook import write_workbook
from tests.support.builders import ROOT_FOLDER, Row, a_user, report_text, saved

SAMPLE = next((ROOT_FOLDER / "samples").glob("status_reports_*.csv"))
OUTPUTS = ("analysis.json", "changes.csv", "findings.csv", "review.xlsx", "users.csv")


def write_plainly(folder: Path) -> str:
    """Write every output of a run as one word."""
    for output in OUTPUTS:
        (folder / output).write_text("unused")
    return "0"


def have_plain_outputs(patch: pytest.MonkeyPatch) -> None:
    """Take a tenth of the time for runs whose outputs nobody reads."""
    write_all = "analyzer.runs.outputs.write_all"
    patch.setattr(write_all, lambda _, folder, *__: write_plainly(folder))


def have_review_workbook(patch: pytest.MonkeyPatch) -> None:
    """Write only the lists to decide in, for runs whose decisions are read back."""
    small = write_workbook
    patch.setattr("analyzer.runs.outputs.write_workbook", small)


def console_report(folder: Path, day: str, *users: Row) -> Path:
    """Save a report under the name that the console would give it on that day at 09:30."""
    folder.mkdir(exist_ok=True)
    name = f"status_reports_{day}T09-30-00+00-00.csv"
    return saved(folder, report_text(users or [a_user()]), name)


def exporting(out: Path, *arguments: str | Path) -> int:
    """Run `credreport export` in this process and return its exit code."""
    return main(["export", "--out-dir", *map(str, (out, *arguments))])


def exporting_day(out: Path, day: str, *users: Row, more: Sequence[str | Path] = ()) -> int:
    """Export the report that the console would give on that day."""
    return exporting(out, "--from", console_report(out.with_name("reports"), day, *users), *more)


def copied(names: Sequence[str], folder: Path) -> Mapping[Path, str]:
    """Copy all inputs that the names stand for, as a run does."""
    return copy_inputs(names, find_sources(names), folder)


def visible(folder: Path) -> set[str]:
    """Return what is in a folder of runs, besides the record of how the last one ended."""
    return {path.name for path in folder.glob("[!.]*")} - {LAST_RUN, "decisions.csv"}


def hidden(folder: Path) -> set[str]:
    return {path.name for path in folder.glob(".*")} - {".lock", ".decisions.csv.lock"}


def record_of(run: Path) -> Mapping[str, Any]:
    told: Mapping[str, Any] = json.loads((run / "manifest.json").read_bytes())
    return told


def check_whole(run: Path) -> None:
    """Hold every file of a run to its record."""
    listed = {each["path"]: (each["size"], each["sha256"]) for each in record_of(run)["files"]}
    found = {
        path.relative_to(run).as_posix(): path.read_bytes()
        for path in run.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }
    assert listed == {
        name: (len(content), hashlib.sha256(content).hexdigest()) for name, content in found.items()
    }
    assert set(OUTPUTS) < set(found)


def check_folder(folder: Path) -> None:
    """Hold every visible run to its record, and `latest` to lead to the newest of them."""
    names = visible(folder) - {"latest"}
    for name in names:
        check_whole(folder / name)
    if names:
        assert (folder / "latest").is_symlink()
