"""Write findings as CSV: one row a finding, safe to open in a spreadsheet."""

from collections.abc import Mapping, Sequence
from typing import BinaryIO, Final

import pandas as pd

from analyzer import columns
from analyzer.analysis import Analysis
from analyzer.model import Absent, ReportFile
from analyzer.rules.not_covered import MATTER
from analyzer.rules.rule import DAYS, FACT, OUTCOME, RULE, SEVERITY, SINCE, SUBJECT, Outcome
from analyzer.terms import ISO_UTC
from analyzer.writers.csv import frame_lines, text_lines

HEADER: Final = (
    columns.ACCOUNT,
    columns.USER,
    columns.ARN,
    SEVERITY,
    RULE,
    SUBJECT,
    columns.SLOT,
    columns.CREATED,
    SINCE,
    DAYS,
    FACT,
    OUTCOME,
    columns.EXEMPTION,
    columns.FILE,
    columns.ROW,
)
"""The columns, as `rules.rule.FINDINGS` describes them; `file` is the report's name."""


_FREE: Final = frozenset(
    {columns.USER, columns.ARN, FACT, columns.EXEMPTION, columns.FILE, columns.ACCOUNT}
)
"""Columns in which any text may stand."""


def write_findings(analysis: Analysis, stream: BinaryIO, *, raw: bool = False) -> None:
    """Write all findings in the order of `Inspection.frames`.

    An account that could not be read has a row at the end, under the rule `NOT_COVERED`.

    With `raw` no apostrophe is put before what looks like a formula: for machines only.
    """
    stream.write(",".join(HEADER).encode() + b"\n")
    for frame in analysis.inspection.frames():
        stream.write(frame_lines(_told(frame, analysis.report.files), _FREE, raw=raw))
    stream.write(text_lines(map(_uncovered, analysis.report.not_covered), HEADER, raw=raw))


def _uncovered(account: Absent) -> Mapping[str, str]:
    return {
        columns.ACCOUNT: account.whom,
        SEVERITY: MATTER.severity,
        RULE: MATTER.id,
        SUBJECT: MATTER.subject,
        FACT: str(account),
        OUTCOME: Outcome.UNDECIDED,
    }


def _told(frame: pd.DataFrame, files: Sequence[ReportFile]) -> pd.DataFrame:
    names = pd.Series([file.name for file in files], dtype="str")
    moments = {name: _utc(frame[name]) for name in (columns.CREATED, SINCE)}
    file = names.take(frame[columns.FILE].to_numpy()).set_axis(frame.index)
    return frame.assign(**moments, **{columns.FILE: file})[list(HEADER)]


def _utc(moments: pd.Series) -> pd.Series:
    texts: pd.Series = moments.dt.strftime(ISO_UTC)
    return texts
