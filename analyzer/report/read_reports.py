"""Read the rows of all reports under each other; describe each report, or say what is wrong."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from itertools import groupby, islice
from operator import attrgetter
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.errors import InputRefused, Problem
from analyzer.report import arns, values
from analyzer.report.model import NO_MOMENT, AccountRowCounts, ReportFile, as_block
from analyzer.report.report_text import ReportText, own_as_of
from analyzer.report.table import (
    DOWNLOAD_AGAIN,
    MOST_PROBLEMS,
    SCHEMA,
    Damage,
    cut_off_problems,
    local_date_problem,
    read_texts,
)
from analyzer.terms import AWS_SOURCES, LONGEST_SHOWN, AsOfSource

_GROUP: Final = 64
"""Reports that are read at once."""

_PAST: Final = [name for name in columns.TIMESTAMPS if name != columns.PASSWORD_NEXT_ROTATION]


@dataclass(frozen=True)
class Rows:
    """Hold the rows of all reports under each other, and the subject of each row.

    `cells` are the columns of a schema of `table`; `file` is the position of the row's report,
    ascending; `reports` is the number of all; `numbers` are those of the rows in their reports.
    `account` is the position in `accounts`. Rows of one user or root have an equal `identity`.
    `moments` are the cells of `columns.TIMESTAMPS` that are no dictionary.
    """

    cells: dict[str, pa.Array]
    reports: int
    file: np.ndarray
    numbers: np.ndarray
    root: np.ndarray
    account: np.ndarray
    accounts: Sequence[str]
    identity: np.ndarray
    moments: dict[str, np.ndarray]

    @classmethod
    def of(cls, cells: dict[str, pa.Array], reports: int) -> "Rows":
        """Read the subjects of rows."""
        arn, name, of_row = _subjects(cells[columns.ARN], cells[columns.USER])
        account = arns.account_ids(arn).dictionary_encode()
        accounts = account.dictionary.to_pylist()
        file, root = cells[columns.FILE].to_numpy(), np.asarray(arns.is_root(arn, name))[of_row]
        of_rows = account.indices.to_numpy()[of_row]
        plain = (name for name in columns.TIMESTAMPS if not values.is_dictionary(cells[name]))
        return cls(
            cells,
            reports,
            file,
            cells[columns.ROW].to_numpy(),
            root,
            _with_accounts_of_roots(of_rows, accounts, file, root),
            accounts,
            arn.dictionary_encode().indices.to_numpy()[of_row],
            {name: values.timestamps(cells[name]) for name in plain},
        )

    def moment(self, name: str) -> np.ndarray:
        """Return a column of `columns.TIMESTAMPS`; of a dictionary each text is read anew."""
        moment = self.moments.get(name)
        return values.timestamps(self.cells[name]) if moment is None else moment

    def at(self, report: int, account: str | None = None) -> np.ndarray:
        """Return the positions of the rows of a report, or only those of an account."""
        start, end = np.searchsorted(self.file, [report, report + 1])
        positions = np.arange(start, end)
        if account is None:
            return positions
        return np.asarray(positions[self.account[start:end] == self.accounts.index(account)])

    @cached_property
    def newest(self) -> np.ndarray:
        """Return the newest moment of each report (datetime64[s], NaT for none)."""
        newest = np.full(self.reports, NO_MOMENT)
        reports_with_rows, first = np.unique(self.file, return_index=True)
        if len(first):  # The next rotation of a password may be in the future.
            of_columns = (np.fmax.reduceat(self.moment(name), first) for name in _PAST)
            newest[reports_with_rows] = np.fmax.reduce([*of_columns])
        return newest

    @cached_property
    def has_boolean(self) -> np.ndarray:
        """Return which reports have a boolean that is understood."""
        has_boolean = np.zeros(self.reports, bool)
        for name in columns.BOOLEANS:  # The first column is enough of nearly every report.
            if not has_boolean.all():
                has_boolean[self.file[values.is_boolean(self.cells[name])]] = True
        return has_boolean

    @cached_property
    def account_counts(self) -> dict[int, tuple[AccountRowCounts, ...]]:
        """Return the numbers of rows and of roots, by report and then by account."""
        counts: dict[int, list[AccountRowCounts]] = defaultdict(list)
        for (report, account), (rows, roots) in self.numbers_of_rows(slice(None)).items():
            counts[report].append(AccountRowCounts(account=account, rows=rows, roots=roots))
        by_name = attrgetter("account")
        return {report: tuple(sorted(some, key=by_name)) for report, some in counts.items()}

    def numbers_of_rows(self, at: np.ndarray | slice) -> dict[tuple[int, str], tuple[int, int]]:
        """Return the numbers of rows and of roots at these positions, by report and account."""
        code = self.file[at] * len(self.accounts) + self.account[at]
        occurring, of_row, rows = np.unique(code, return_inverse=True, return_counts=True)
        roots = np.bincount(of_row, self.root[at], len(occurring)).astype(int)
        report, account = np.divmod(occurring, max(len(self.accounts), 1))
        names = map(self.accounts.__getitem__, account.tolist())
        numbers = zip(rows.tolist(), roots.tolist(), strict=True)
        return dict(zip(zip(report.tolist(), names, strict=True), numbers, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadReport:
    """Describe a report that was read: its own time and newest timestamp.

    `at` is its position in `Rows.file`; `superseded` are its accounts that have a newer report;
    `repeated` and `mended` are numbers of rows.
    """

    text: ReportText
    file: ReportFile
    newest: datetime
    own_as_of: datetime
    own_source: AsOfSource
    at: int
    superseded: frozenset[str] = frozenset()
    repeated: int = 0
    mended: int = 0

    def is_part_of(self, other: "ReadReport") -> bool:
        """Return whether AWS gave both reports the same as-of, so that they count together."""
        sources = {self.own_source, other.own_source}
        return self.own_as_of == other.own_as_of and sources.issubset(AWS_SOURCES)

    def is_in_order_with(self, other: "ReadReport") -> bool:
        """Return whether as-of shows which report is newer; a day without time may be any time."""
        sources = {self.own_source, other.own_source}
        of_one_day = self.own_as_of.date() == other.own_as_of.date()
        return not (
            AsOfSource.ASSUMED in sources
            or (AsOfSource.FOLDER in sources and of_one_day)
            or self.own_as_of == other.own_as_of
        )


Text = ReportText | InputRefused
"""The text of a report, or the refusal to read it."""


def _with_accounts_of_roots(
    account: np.ndarray, accounts: Sequence[str], file: np.ndarray, root: np.ndarray
) -> np.ndarray:
    """Return the accounts; a root whose ARN names none has the one account of its report."""
    if "" not in accounts:
        return account
    nameless = accounts.index("")
    known = account.copy()
    for report in np.unique(file[root & (account == nameless)]).tolist():
        of_report = file == report
        others = np.unique(account[of_report & (account != nameless)])
        if len(others) == 1:
            known[of_report & root & (account == nameless)] = others[0]
    return known


def _subjects(arn: pa.Array, name: pa.Array) -> tuple[pa.Array, pa.Array, np.ndarray | slice]:
    """Return ARNs and names, of dictionaries each pair once, and the position of each row's."""
    if not values.is_dictionary(arn):
        return arn, name, slice(None)
    pair = arn.indices.to_numpy().astype(np.int64) * len(name.dictionary) + name.indices.to_numpy()
    distinct, of_row = np.unique(pair, return_inverse=True)
    positions = map(pa.array, np.divmod(distinct, max(len(name.dictionary), 1)))
    texts = (each.dictionary.take(at) for each, at in zip((arn, name), positions, strict=True))
    return *texts, of_row


def read_reports(
    texts: Iterable[Text], set_as_of: datetime | None, schema: pa.Schema = SCHEMA
) -> tuple[Rows, list[ReadReport | InputRefused]]:
    """Return the rows of all reports, and what each report is, or its refusal."""
    remaining, read = iter(texts), list[Text]()
    tables = [schema.empty_table()]
    damage: dict[int, Damage] = {}
    while group := _read_group([*islice(remaining, _GROUP)], len(read), tables, damage):
        read += group
    rows = Rows.of(_blocks(tables), len(read))
    return rows, [*_outcomes(rows, read, damage, set_as_of)]


def _read_group(
    texts: list[Text], start: int, tables: list[pa.Table], damage: dict[int, Damage]
) -> list[Text]:
    """Return texts without their CSV, or their refusals; add their rows and damage.

    `start` is the position of the first.
    """
    readable = [(at, text) for at, text in enumerate(texts) if isinstance(text, ReportText)]
    for _, numbered in groupby(readable, lambda pair: pair[1].header.line):
        positions, alike = zip(*numbered, strict=True)
        schema = tables[0].schema
        table, found = read_texts(alike, schema)
        at = start + np.array(positions)
        file = pa.array(at[table[columns.FILE].to_numpy()])
        tables.append(table.set_column(len(schema) - 1, columns.FILE, file))
        damage |= zip(at.tolist(), found, strict=True)
    return [replace(text, csv=b"") if isinstance(text, ReportText) else text for text in texts]


def _blocks(tables: list[pa.Table]) -> dict[str, pa.Array]:
    """Return the rows of all tables, each column in one block, so that slices need no copy.

    The tables are forgotten column by column: no more than one column is held twice.
    """
    parts = pa.concat_tables(tables)
    tables.clear()
    blocks = {}
    for name in parts.column_names:
        blocks[name] = _narrow(as_block(parts[name]))
        parts = parts.drop_columns([name])
        pa.default_memory_pool().release_unused()
    return blocks


def _narrow(cells: pa.Array) -> pa.Array:
    """Return a dictionary of few texts with indices of one byte."""
    if not values.is_dictionary(cells) or len(cells.dictionary) > np.iinfo(np.int8).max:
        return cells
    return pa.DictionaryArray.from_arrays(cells.indices.cast(pa.int8()), cells.dictionary)


# What each report is


def _outcomes(
    rows: Rows,
    texts: Sequence[Text],
    damage: Mapping[int, Damage],
    set_as_of: datetime | None,
) -> Iterator[ReadReport | InputRefused]:
    """Yield each report, or its refusal with every problem."""
    dates = _local_dates(rows)
    for at, text in enumerate(texts):
        if isinstance(text, InputRefused):
            yield text
            continue
        problems = damage[at].problems
        found = [*problems, *(local_date_problem(text, *date) for date in dates.get(at, ()))]
        if not problems:
            found += _problems_of_whole(rows, at, text)
        if np.isnat(rows.newest[at]) and not found:
            message = "no row holds a timestamp that can be read"
            found = [Problem.of_file(text.name, message, DOWNLOAD_AGAIN)]
        if found:
            yield InputRefused(found)
        else:
            report = _read_report(rows, at, text, set_as_of)
            yield replace(report, mended=damage[at].mended)


def _local_dates(rows: Rows) -> dict[int, list[tuple[int, str, str]]]:
    """Return by report the row, column and value of each date in a local form."""
    found: dict[int, list[tuple[int, str, str]]] = defaultdict(list)
    for name in columns.TIMESTAMPS:
        suspect = values.may_be_local_date(rows.cells[name], rows.moment(name))
        for at in np.flatnonzero(suspect).tolist():
            value, dates = rows.cells[name][at].as_py(), found[int(rows.file[at])]
            if values.is_local_date(value) and len(dates) < MOST_PROBLEMS:
                dates.append((int(rows.numbers[at]), name, value))
    return found


def _problems_of_whole(rows: Rows, at: int, text: ReportText) -> Iterator[Problem]:
    """Yield the problems of a report each of whose rows can be read."""
    positions = rows.at(at)
    if not len(positions):
        message = "the report has no data rows, not even the root's"
        yield Problem.of_file(text.name, message, DOWNLOAD_AGAIN)
        return
    yield from _account_problems(rows, positions, text)
    credentials = text.service_credentials
    if credentials and credentials.users:
        users = values.texts(rows.cells[columns.USER].take(pa.array(positions)))
        if credentials.users.isdisjoint(pc.utf8_lower(users).to_pylist()):
            yield credentials.of_other_report(text.name)
    last, name = int(positions[np.argmax(rows.numbers[positions])]), text.header.names[-1]
    number = int(rows.numbers[last])
    if name in columns.IN_REPORT:  # Mended rows come last in the table, not in the file.
        yield from cut_off_problems(text, number, rows.cells[name][last].as_py())
    if not rows.has_boolean[at] and np.count_nonzero(~rows.root[positions]) > 1:
        message = "neither true nor false, like every such cell: a program translated them"
        cell = columns.PASSWORD_ENABLED, rows.cells[columns.PASSWORD_ENABLED][last].as_py()
        yield Problem(text.name, number, *cell, message, DOWNLOAD_AGAIN)


def _account_problems(rows: Rows, positions: np.ndarray, text: ReportText) -> Iterator[Problem]:
    """Yield a problem for each row that names no account: nobody is judged by name."""
    nameless = [at for at, account in enumerate(rows.accounts) if not account]
    for at in positions[np.isin(rows.account[positions], nameless)][:MOST_PROBLEMS].tolist():
        value = rows.cells[columns.ARN][at].as_py()[:LONGEST_SHOWN]
        message = "the ARN names no account of 12 digits"
        hint = "Put 12 digits in the place of the account: arn:aws:iam::123456789012:user/ann"
        yield Problem(text.name, int(rows.numbers[at]), columns.ARN, value, message, hint)


def _read_report(rows: Rows, at: int, text: ReportText, set_as_of: datetime | None) -> ReadReport:
    newest = datetime.fromtimestamp(int(rows.newest[at].astype(np.int64)), UTC)
    own, own_source = own_as_of(text, newest)
    accounts, credentials = rows.account_counts[at], text.service_credentials
    file = ReportFile(
        name=text.name,
        sha256=text.sha256,
        size=text.size,
        as_of=set_as_of or own,
        as_of_source=AsOfSource.OPTION if set_as_of else own_source,
        baseline=own if own_source in AWS_SOURCES else newest,
        accounts=accounts,
        service_credentials=credentials.file if credentials else None,
        # A list does not name its account.
        shows_service_credentials=bool(credentials) and len(accounts) == 1,
    )
    return ReadReport(
        text=text, file=file, newest=newest, own_as_of=own, own_source=own_source, at=at
    )
