"""Write findings as CSV: one row each, in the same way as users."""

from typing import BinaryIO, Final

import pandas as pd

from analyzer import columns
from analyzer.account_names import account_name, account_names
from analyzer.analysis import Analysis
from analyzer.model import TEXT, Report
from analyzer.moment_texts import utc_text_series
from analyzer.rules.rule import FINDINGS, REMEDY, SINCE
from analyzer.terms import utc_text
from analyzer.writers.csv import frame_lines, text_lines
from analyzer.writers.findings import uncovered_finding

FINDING_COLUMNS: Final = (
    *(name for name in FINDINGS if name != REMEDY),
    columns.AS_OF,
    columns.AS_OF_SOURCE,
    columns.ACCOUNT_NAME,
)
"""The columns of `rules.rule.FINDINGS` but the remedy, then the report's as-of and account's name.

`file` has the report's name; `account_name` is empty where the account's name is not known.
"""


def write_findings(analysis: Analysis, stream: BinaryIO, *, raw: bool = False) -> None:
    """Write all findings in the order of `Inspection.frames`.

    An account that could not be read has a row at the end, under the rule `NOT_COVERED`.

    With `raw` no apostrophe is put before what looks like a formula: for machines only.
    """
    stream.write(",".join(FINDING_COLUMNS).encode() + b"\n")
    for frame in analysis.inspection.frames():
        stream.write(frame_lines(_findings_as_text(frame, analysis.report), raw=raw))
    names = analysis.report.account_names
    uncovered = [
        {**uncovered_finding(each), columns.ACCOUNT_NAME: account_name(each.account, names)}
        for each in analysis.report.not_covered
    ]
    stream.write(text_lines(uncovered, FINDING_COLUMNS, raw=raw))


def _findings_as_text(frame: pd.DataFrame, report: Report) -> pd.DataFrame:
    of_files = pd.DataFrame(
        {
            columns.FILE: [file.name for file in report.files],
            columns.AS_OF: [utc_text(file.as_of) for file in report.files],
            columns.AS_OF_SOURCE: [str(file.as_of_source) for file in report.files],
        },
        dtype=TEXT,
    )
    of_findings = of_files.take(frame[columns.FILE].to_numpy()).set_index(frame.index)
    texts = {
        **{name: utc_text_series(frame[name]) for name in (columns.CREATED, SINCE)},
        **{str(name): each for name, each in of_findings.items()},
        columns.ACCOUNT_NAME: account_names(frame[columns.ACCOUNT], report.account_names),
    }
    return frame.assign(**texts)[list(FINDING_COLUMNS)]
