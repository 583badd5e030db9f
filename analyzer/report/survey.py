"""Survey a report before users are judged: refuse it, or describe its contents."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.errors import InputRefused, Problem
from analyzer.model import NO_MOMENT, AccountRows
from analyzer.report import arns, damage, values
from analyzer.report.raw_report import ReportText
from analyzer.report.rows import read_rows

ROW_BYTES_IN_MEMORY = 128 << 20
"""Reports up to this size together stay in memory between the survey and the pages.

Read again, 1,000 reports of 500 rows take 1.34 times as long.
"""

_MOST_PROBLEMS = 1000


@dataclass(frozen=True, slots=True)
class RowRange:
    """Name the rows of one report in a table that it shares with its neighbours.

    Slices that are kept take 20 kB each, whatever is in them: they hold an object for each column.
    """

    shared: pa.Table
    start: int
    end: int

    def table(self) -> pa.Table:
        """Return the rows alone, which are not copied."""
        return self.shared.slice(self.start, self.end - self.start)


def all_rows(table: pa.Table) -> RowRange:
    """Return the rows of a table that belongs to one report alone."""
    return RowRange(table, 0, table.num_rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyedReport:
    """Describe the contents of a report.

    `arns` has a hash for each row, in reading order; equal ARNs have equal hashes. `root_rows` are
    the rows of roots, `rows` all rows where they are small enough to be kept.
    """

    text: ReportText
    accounts: tuple[AccountRows, ...]
    newest: datetime
    arns: np.ndarray
    root_rows: RowRange
    rows: tuple[RowRange, ...] | None

    @property
    def roots(self) -> pa.Table:
        """Return the rows of roots."""
        return self.root_rows.table()

    def read(self) -> Iterator[pa.Table]:
        """Yield the report's rows, from memory or once more from where they lie."""
        return read_rows(self.text) if self.rows is None else (each.table() for each in self.rows)

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what pickles it: rows alone, not the larger tables in which they lie.

        Hashes mean nothing in another process, and are left out.
        """
        rows = None if self.rows is None else [*map(_stream_bytes, self.read())]
        return _unpickled, (self.text, self.accounts, self.newest, _stream_bytes(self.roots), rows)


def _unpickled(
    text: ReportText,
    accounts: tuple[AccountRows, ...],
    newest: datetime,
    roots: bytes,
    rows: Sequence[bytes] | None,
) -> SurveyedReport:
    return SurveyedReport(
        text=text,
        accounts=accounts,
        newest=newest,
        arns=np.array([], np.int64),
        root_rows=all_rows(_table(roots)),
        rows=None if rows is None else tuple(all_rows(_table(each)) for each in rows),
    )


def _stream_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue())


def _table(stream: bytes) -> pa.Table:
    return pa.ipc.open_stream(stream).read_all()


@dataclass(frozen=True, slots=True)
class TimestampColumns:
    """Describe the timestamps of a table.

    `names` are the columns that hold them, `odd` marks by column and row what may be a local
    date, `newest` is the newest moment of each row (datetime64[s]) but that of the next rotation.
    """

    names: list[str]
    odd: np.ndarray
    newest: np.ndarray


def timestamp_columns(table: pa.Table) -> TimestampColumns:
    """Look at all of a table's timestamps at once.

    With a call for each, 1,000 reports of 500 rows take 1.06 times as long.
    """
    names = [name for name in columns.TIMESTAMPS if name in table.column_names]
    chunks = [chunk for name in names for chunk in table[name].chunks]
    cells = pa.chunked_array(chunks, pa.large_string()).combine_chunks()
    moment = values.timestamps(cells).reshape(len(names), -1)
    odd = values.may_be_local_date(cells, moment.ravel()).reshape(len(names), -1)
    past = [name != columns.PASSWORD_NEXT_ROTATION for name in names]
    # As a number NaT is less than any moment, and numbers are compared many at a time.
    newest = moment[past].view(np.int64).max(axis=0).view("datetime64[s]")
    return TimestampColumns(names, odd, newest)


@dataclass(slots=True)
class _SurveyState:
    """Gather what the tables of one report hold."""

    text: ReportText
    rows: Counter[str] = field(default_factory=Counter)
    roots: list[pa.Table] = field(default_factory=list)
    newest: np.datetime64 = NO_MOMENT
    arns: list[np.ndarray] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    last: pa.Table | None = None

    def add(self, table: pa.Table) -> None:
        arn = table[columns.ARN].combine_chunks()
        account = arns.account_ids(arn, self.text.account_id)
        self.rows.update(_value_counts(account))
        root = arns.is_root(arn, table[columns.USER])
        self.roots.append(_known_columns(table.filter(root)))
        self.arns.append(arn_hashes(table))
        timestamps = timestamp_columns(table)
        self.newest = np.fmax(self.newest, np.fmax.reduce(timestamps.newest, initial=NO_MOMENT))
        local = damage.local_date_problems(self.text, table, timestamps.names, timestamps.odd)
        self.problems += islice(local, _MOST_PROBLEMS)
        self.problems += damage.swallowed_row_problems(self.text, table)
        if table.num_rows and (self.last is None or _last_row(table) > _last_row(self.last)):
            self.last = table


def survey(text: ReportText) -> SurveyedReport:
    """Read a report whole and return what is in it.

    Raises InputRefused with every problem: no rows, a row cut off, dates of a local form.
    """
    findings = _SurveyState(text)
    kept: list[RowRange] | None = [] if text.size <= ROW_BYTES_IN_MEMORY else None
    try:
        for table in read_rows(text):
            findings.add(table)
            if kept is not None:
                kept.append(all_rows(_known_columns(table)))
    except InputRefused as refused:
        raise InputRefused([*refused.problems, *findings.problems]) from None
    _check(findings)
    roots = pa.concat_tables(findings.roots)
    return SurveyedReport(
        text=text,
        accounts=_accounts(findings.rows, roots, text.account_id),
        newest=utc(findings.newest),
        arns=np.concatenate(findings.arns),
        root_rows=all_rows(roots),
        rows=None if kept is None else tuple(kept),
    )


def utc(moment: np.datetime64) -> datetime:
    """Return a moment as an aware datetime."""
    return datetime.fromtimestamp(int(moment.astype(np.int64)), UTC)


def _known_columns(table: pa.Table) -> pa.Table:
    known = [name for name in columns.IN_REPORT if name in table.column_names]
    return table.select([*known, columns.ROW])


def arn_hashes(table: pa.Table) -> np.ndarray:
    """Return a hash of each row's ARN; equal ARNs have equal ones within one run."""
    return np.fromiter(map(hash, table[columns.ARN].to_pylist()), np.int64, table.num_rows)


def _check(findings: _SurveyState) -> None:
    problems = [*findings.problems]
    if findings.last is None:
        message = "the report has no data rows, not even the root's"
        problems.append(Problem.of_file(findings.text.name, message, damage.DOWNLOAD_AGAIN))
    else:
        problems += damage.cut_off_problems(findings.text, findings.last)
    if problems:
        raise InputRefused(problems)
    if np.isnat(findings.newest):
        message = "no row holds a timestamp that can be read"
        raise InputRefused.of_file(findings.text.name, message, damage.DOWNLOAD_AGAIN)


def _last_row(table: pa.Table) -> int:
    return int(table[columns.ROW][-1].as_py())


def _value_counts(values: pa.Array) -> dict[str, int]:
    return {each["values"]: each["counts"] for each in pc.value_counts(values).to_pylist()}


def _accounts(rows: Counter[str], roots: pa.Table, of_masked: str) -> tuple[AccountRows, ...]:
    arn = roots[columns.ARN].combine_chunks()
    of_roots = _value_counts(arns.account_ids(arn, of_masked))
    return tuple(
        AccountRows(account=account, rows=count, roots=of_roots.get(account, 0))
        for account, count in sorted(rows.items())
    )
