"""Compare made-up reports in this process."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd

import analyzer
from analyzer.changes.diff import changes
from analyzer.changes.snapshot import Snapshot, snapshot
from analyzer.judging.analysis import Analysis
from analyzer.report.model import Exemption
from tests.support.builders import AS_OF, Row, report_text, saved

LATER = AS_OF + timedelta(days=30)


def analysis_of(
    folder: Path,
    users: Iterable[Row],
    as_of: datetime = AS_OF,
    exemptions: Iterable[Exemption] = (),
) -> Analysis:
    """Analyze a report of these users and the root, saved in a folder of its own."""
    at = folder / f"{as_of:%Y%m%dT%H%M%S}"
    at.mkdir(exist_ok=True)
    path = saved(at, report_text(users))
    return analyzer.analyze(analyzer.load(path, as_of=as_of), exemptions=exemptions)


def snapshot_of(folder: Path, *users: Row, as_of: datetime = AS_OF) -> Snapshot:
    return snapshot(analysis_of(folder, users, as_of))


def compared(folder: Path, before: Iterable[Row], now: Iterable[Row]) -> pd.DataFrame:
    """Return what changed from AS_OF to LATER."""
    return changes(snapshot_of(folder, *before), snapshot_of(folder, *now, as_of=LATER))


def user_changes(frame: pd.DataFrame) -> list[tuple[str, ...]]:
    """Return change, user, before, now and cause of each change that is not about a finding."""
    rows = frame[frame["rule"] == ""]
    return [tuple(row) for row in rows[["change", "user", "before", "now", "cause"]].to_numpy()]


def compared_each(
    folder: Path, sides: Iterable[tuple[Row | None, Row | None]]
) -> Iterator[pd.DataFrame]:
    """Compare many users, each before and now or absent, at once; return the changes of each."""
    renamed = [
        tuple(_with_name(row, f"user-{number}") for row in pair)
        for number, pair in enumerate(sides)
    ]
    before, now = ([row for row in side if row] for side in zip(*renamed, strict=True))
    frame = compared(folder, before, now)
    for number in range(len(renamed)):
        rows = frame[frame["user"] == f"user-{number}"]
        yield rows.assign(user="quiet").reset_index(drop=True)


def _with_name(row: Row | None, name: str) -> Row | None:
    return row and {
        **row,
        "user": name,
        "arn": f"{row['arn']}".replace("user/quiet", f"user/{name}"),
    }
