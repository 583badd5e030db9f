"""Write all outputs of a run, and list what it holds."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
from pyarrow import csv

from analyzer import columns
from analyzer.analysis import Analysis
from analyzer.changes import NEEDED, changes
from analyzer.exports.runs import Run, sync
from analyzer.files import replacing, sha256
from analyzer.terms import NOT_COVERED, Verdict
from analyzer.writers import write
from analyzer.writers.csv import write_changes
from analyzer.writers.workbook import write_workbook

USERS: Final = "users.csv"
FINDINGS: Final = "findings.csv"
CHANGES: Final = "changes.csv"
ANALYSIS: Final = "analysis.json"
WORKBOOK: Final = "review.xlsx"
FOLLOW_UP: Final = "follow_up.csv"
EXEMPTIONS: Final = "exemptions.csv"
ACCOUNTS: Final = "accounts.csv"

_TEXT: Final = csv.ConvertOptions(
    include_columns=list(NEEDED), column_types=dict.fromkeys(NEEDED, pa.large_string())
)
_LARGEST_BLOCK: Final = 1 << 30
_LINES: Final = csv.ParseOptions(newlines_in_values=True)


def write_all(analysis: Analysis, folder: Path, previous: Run | None) -> int:
    """Write every output of a run into a folder, and return how many users changed.

    Raises OutputFailed.
    """
    everybody = tuple(Verdict)
    users, data = folder / USERS, folder / ANALYSIS
    followed = folder / FOLLOW_UP if analysis.review.workbooks else None
    findings = folder / FINDINGS
    write(analysis, users, data, verdicts=everybody, findings=findings, follow_up=followed)
    changed = _changes_since(analysis, users, previous)
    with replacing(folder / CHANGES) as stream:
        write_changes(changed, analysis.report, stream)
    with replacing(folder / WORKBOOK) as stream:
        if previous:
            write_workbook(analysis, stream, changes=changed, since=previous.name)
        else:
            write_workbook(analysis, stream)
    return len(changed)


def _changes_since(analysis: Analysis, users: Path, previous: Run | None) -> pd.DataFrame:
    """Return what changed since the previous run; without one, nothing is known to have."""
    now = _users(users)
    if previous is None:
        return changes(now.head(0), now.head(0), (), ())
    covered_before = {each["account"] for each in previous.record["accounts"]["covered"]}
    covered = {account.account for file in analysis.report.files for account in file.accounts}
    return changes(_users(previous.path / USERS), now, covered_before, covered)


def is_unchanged(run: Run) -> bool:
    """Tell whether the users of a run are still those that it was made with."""
    return run.sha256_of(USERS) == sha256(run.path / USERS)


def sealed_files(folder: Path) -> Iterator[dict[str, Any]]:
    """Have all files and folders on disk, for their owner only; list path, size and sha256."""
    for at, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(at, name)
            path.chmod(0o600)
            sync(path)
            yield {
                "path": path.relative_to(folder).as_posix(),
                "size": path.stat().st_size,
                "sha256": sha256(path),
            }
        sync(Path(at))


def write_synced(path: Path, content: bytes) -> None:
    """Write a file of a run, and have it and its name on disk."""
    path.touch(0o600)
    path.write_bytes(content)
    sync(path)
    sync(path.parent)


def _users(path: Path) -> pd.DataFrame:
    # A row must lie within a block, however long its cells are.
    blocks = csv.ReadOptions(block_size=min(max(path.stat().st_size, 1), _LARGEST_BLOCK))
    read = csv.read_csv(path, blocks, parse_options=_LINES, convert_options=_TEXT)
    frame: pd.DataFrame = read.to_pandas()
    return frame[frame[columns.VERDICT] != NOT_COVERED]
