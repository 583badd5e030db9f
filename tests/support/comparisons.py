"""Compare made-up reports in this process."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import cache

import pandas as pd

import analyzer
from analyzer.analysis.analysis import Analysis
from analyzer.changes.diff import Side, changes
from analyzer.report.model import Exemption
from tests.support.builders import AS_OF, Row, report_text
from tests.support.named_reports import load_named

LATER = AS_OF + timedelta(days=30)


def analysis_of(
    users: Iterable[Row], as_of: datetime = AS_OF, exemptions: Iterable[Exemption] = ()
) -> Analysis:
    """Analyze a report of these users and the root."""
    report = load_named(("report.csv", report_text(users).encode()), as_of=as_of)
    return analyzer.analyze(report, exemptions=exemptions)


def snapshot_of(*users: Row, as_of: datetime = AS_OF) -> Side:
    return _snapshot(report_text(users), as_of)


@cache
def _snapshot(text: str, as_of: datetime) -> Side:
    """Analyze a report once for all tests: many compare with the same one."""
    return Side.of(analyzer.analyze(load_named(("report.csv", text.encode()), as_of=as_of)))


def compared(before: Iterable[Row], now: Iterable[Row]) -> pd.DataFrame:
    """Return what changed from AS_OF to LATER."""
    return changes(snapshot_of(*before), snapshot_of(*now, as_of=LATER))


def user_changes(frame: pd.DataFrame) -> list[tuple[str, ...]]:
    """Return change, user, before, now and cause of each change that is not about a finding."""
    rows = frame[frame["rule"] == ""]
    return [tuple(row) for row in rows[["change", "user", "before", "now", "cause"]].to_numpy()]


def compared_each(sides: Iterable[tuple[Row | None, Row | None]]) -> Iterator[pd.DataFrame]:
    """Compare many users, each before and now or absent, at once; return the changes of each."""
    renamed = [
        tuple(named(row, f"user-{number}") for row in pair) for number, pair in enumerate(sides)
    ]
    before, now = ([row for row in side if row] for side in zip(*renamed, strict=True))
    frame = compared(before, now)
    for number in range(len(renamed)):
        rows = frame[frame["user"] == f"user-{number}"]
        yield rows.assign(user="quiet").reset_index(drop=True)


def named(row: Row | None, name: str) -> Row | None:
    """Return a row as that of a user of another name."""
    return row and row | {
        "user": name,
        "arn": f"{row['arn']}".replace("user/quiet", f"user/{name}"),
    }
