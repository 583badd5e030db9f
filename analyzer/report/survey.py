"""Go through a report once before anybody is judged: refuse it, or say what is in it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.errors import InputRefused, Problem
from analyzer.model import AccountRows
from analyzer.report import identity, moments
from analyzer.report.rows import read_rows
from analyzer.report.text import ReportText

KEPT_BYTES = 64 << 20
"""Reports up to this size together stay in memory between the survey and the pages."""

_MOST_PROBLEMS = 1000


@dataclass(frozen=True, slots=True)
class Surveyed:
    """Say what a report holds.

    `arns` has a hash for each row, in reading order; equal ARNs have equal hashes. `tables` are
    the rows themselves where they are small enough to be kept.
    """

    text: ReportText
    accounts: tuple[AccountRows, ...]
    newest: datetime
    arns: np.ndarray
    tables: tuple[pa.Table, ...] | None

    def read(self) -> Iterator[pa.Table]:
        """Yield the report's rows, from memory or once more from where they lie."""
        return iter(self.tables) if self.tables is not None else read_rows(self.text)


@dataclass(slots=True)
class _Findings:
    """Gather what the tables of one report hold."""

    text: ReportText
    rows: Counter[str] = field(default_factory=Counter)
    roots: Counter[str] = field(default_factory=Counter)
    newest: np.datetime64 = moments.NEVER
    arns: list[np.ndarray] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    last: pa.Table | None = None

    def add(self, table: pa.Table) -> None:
        arn = table[columns.ARN].combine_chunks()
        account = identity.accounts(arn)
        self.rows.update(_counted(account))
        self.roots.update(_counted(account.filter(identity.is_root(arn))))
        self.arns.append(hashes(table))
        for column in columns.TIMESTAMPS:
            if column in table.column_names:
                self._look_at(table, column)
        self.last = table if table.num_rows else self.last

    def _look_at(self, table: pa.Table, column: str) -> None:
        cells = table[column].combine_chunks()
        moment = moments.moments(cells)
        if column != columns.PASSWORD_NEXT_ROTATION and not np.isnat(moment).all():
            self.newest = np.fmax(self.newest, np.nanmax(moment))
        odd = moments.may_be_local_date(cells, moment)
        if odd.any():
            rows = table.select([columns.ROW, column]).filter(pa.array(odd)).to_pylist()
            self.problems += [
                _local_date(self.text, row[columns.ROW], column, row[column])
                for row in rows[: _MOST_PROBLEMS - len(self.problems)]
                if moments.is_local_date(row[column])
            ]


def survey(text: ReportText) -> Surveyed:
    """Read a report whole and return what is in it.

    Raises InputRefused with every problem: no rows, a row cut off, dates of a local form.
    """
    findings = _Findings(text)
    kept: list[pa.Table] | None = [] if text.size <= KEPT_BYTES else None
    for table in read_rows(text):
        findings.add(table)
        if kept is not None:
            kept.append(table)
    _refuse(findings)
    return Surveyed(
        text,
        _accounts(findings),
        findings.newest.astype(datetime).replace(tzinfo=UTC),
        np.concatenate(findings.arns),
        None if kept is None else tuple(kept),
    )


def hashes(table: pa.Table) -> np.ndarray:
    """Return a hash of each row's ARN; equal ARNs have equal ones within one run."""
    return np.fromiter(map(hash, table[columns.ARN].to_pylist()), np.int64, table.num_rows)


def _refuse(findings: _Findings) -> None:
    problems = [*findings.problems]
    if findings.last is None:
        message = "the report has no data rows, not even the root's"
        problems.append(Problem(findings.text.name, None, None, None, message, _AGAIN))
    elif _is_cut_off(findings.text, findings.last):
        problems.append(_cut_off(findings.text, findings.last))
    if problems:
        raise InputRefused(problems)
    if np.isnat(findings.newest):
        message = "no row holds a timestamp that can be read"
        raise InputRefused([Problem(findings.text.name, None, None, None, message, _AGAIN)])


_AGAIN = "Download the report again, or save the AWS CLI's output again."


def _is_cut_off(text: ReportText, last: pa.Table) -> bool:
    """Tell whether the last row ends within its last cell; AWS writes no newline after it."""
    column = text.header.names[-1]
    if text.tail.endswith((b"\n", b"\r")) or column not in columns.TIMESTAMPS:
        return False
    cell = last[column].combine_chunks().slice(last.num_rows - 1)
    whole = not np.isnat(moments.moments(cell)[0]) or cell[0].as_py() in ("N/A", "not_supported")
    return not whole


def _cut_off(text: ReportText, last: pa.Table) -> Problem:
    column = text.header.names[-1]
    row, value = (last[name][-1].as_py() for name in (columns.ROW, column))
    return Problem(text.name, row, column, value, "the file is cut off in this cell", _AGAIN)


def _local_date(text: ReportText, row: int, column: str, value: str) -> Problem:
    message = "a date in a local form, in which day and month cannot be told apart"
    hint = "A spreadsheet rewrote it: give the report as AWS made it (2026-03-01T09:30:00Z)."
    return Problem(text.name, row, column, value, message, hint)


def _counted(values: pa.Array) -> dict[str, int]:
    return {each["values"]: each["counts"] for each in pc.value_counts(values).to_pylist()}


def _accounts(findings: _Findings) -> tuple[AccountRows, ...]:
    return tuple(
        AccountRows(account=account, rows=count, roots=findings.roots[account])
        for account, count in sorted(findings.rows.items())
    )
