"""Read the rows of all reports into one table, and say of each what it is, or what is wrong."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import groupby
from typing import Final, cast

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
    cut_off_problems,
    local_date_problem,
    read_table,
    read_together,
)
from analyzer.terms import ACCOUNT_ID_PATTERN, AWS_SOURCES, AsOfSource

_GROUP: Final = 64
"""Reports that are read at once."""

Opener = Callable[[], ReportText]
"""A function that reads a report's text; raises InputRefused."""


@dataclass(frozen=True)
class Rows:
    """Hold the rows of all reports under each other, and what each row is about.

    `file` is the position of the row's report, ascending; `account` that in `accounts`. Rows of one
    user or root have an equal `identity`. `moments` are the cells of `columns.TIMESTAMPS`.
    """

    table: pa.Table
    file: np.ndarray
    root: np.ndarray
    account: np.ndarray
    accounts: Sequence[str]
    identity: np.ndarray
    moments: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, table: pa.Table, masked_account: str) -> "Rows":
        """Read the subjects of rows (`columns.IN_REPORT`, `row`, `file`)."""
        account = arns.account_ids(as_block(table[columns.ARN]), masked_account)
        encoded = account.dictionary_encode()
        identity = arns.identities(table).dictionary_encode().indices.to_numpy()
        return cls(
            table,
            table[columns.FILE].to_numpy(),
            np.asarray(arns.is_root(table)),
            encoded.indices.to_numpy(),
            encoded.dictionary.to_pylist(),
            identity,
            {name: values.timestamps(as_block(table[name])) for name in columns.TIMESTAMPS},
        )

    def at(self, report: int, account: str | None = None) -> np.ndarray:
        """Return the positions of the rows of a report, or only those of an account."""
        start, end = np.searchsorted(self.file, [report, report + 1])
        positions = np.arange(start, end)
        if account is None:
            return positions
        return np.asarray(positions[self.account[start:end] == self.accounts.index(account)])

    @cached_property
    def newest(self) -> np.ndarray:
        """Return the newest moment of each row; the next rotation of a password never counts."""
        past = (self.moments[name] for name in columns.TIMESTAMPS if name in _PAST)
        return np.asarray(np.fmax.reduce([*past]))


_PAST: Final = [name for name in columns.TIMESTAMPS if name != columns.PASSWORD_NEXT_ROTATION]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadReport:
    """Describe a report that was read: its own time and newest timestamp.

    `at` is its position in `Rows.file`; `superseded` are its accounts that have a newer report.
    """

    text: ReportText
    file: ReportFile
    newest: datetime
    own_as_of: datetime
    own_source: AsOfSource
    at: int
    superseded: frozenset[str] = frozenset()
    repeated: int = 0

    @property
    def named_accounts(self) -> list[str]:
        """Return the accounts; rows that name none count as one if there is no other account."""
        only = len(self.file.accounts) == 1
        return [account.account for account in self.file.accounts if account.account or only]

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


def read_reports(
    openers: Sequence[Opener],
    set_as_of: datetime | None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    threads: int = 2,
) -> tuple[Rows, list[ReadReport | InputRefused]]:
    """Return the rows of all reports, and what each report is, or its refusal."""
    groups = [openers[start : start + _GROUP] for start in range(0, len(openers), _GROUP)]
    tables: list[pa.Table] = []
    texts: list[ReportText | InputRefused] = []
    problems: dict[int, list[Problem]] = defaultdict(list)
    with ThreadPoolExecutor(threads) as readers:
        read_all = readers.map if groups[1:] else map
        for group, of_group, of_rows in read_all(_read_group, groups):
            after = np.arange(len(texts), len(texts) + len(group))
            tables += (_with_file(table, after) for table in of_group)
            problems |= {len(texts) + at: some for at, some in of_rows.items()}
            texts += group
            progress(len(texts), len(openers))
            of_group.clear()
    known = [text for text in texts if isinstance(text, ReportText)]
    rows = Rows.of(_in_one_block(tables), known[0].masked_account if known else "")
    return rows, _Outcomes(rows, texts, problems, set_as_of).outcomes()


_EMPTY: Final = SCHEMA.append(pa.field(columns.FILE, pa.int64())).empty_table()


def _in_one_block(tables: list[pa.Table]) -> pa.Table:
    """Return the rows of all tables, each column in one block, so that slices need no copy.

    The tables are forgotten column by column: no more than one column is held twice.
    """
    parts = pa.concat_tables([_EMPTY, *tables])
    tables.clear()
    blocks = {}
    for name in parts.column_names:
        blocks[name] = as_block(parts[name])
        parts = parts.drop_columns([name])
    pa.default_memory_pool().release_unused()
    return pa.table(blocks)


def _read_group(
    openers: Sequence[Opener],
) -> tuple[list[ReportText | InputRefused], list[pa.Table], dict[int, list[Problem]]]:
    """Return texts without their CSV, or their refusals, and tables and problems of their rows."""
    texts: list[ReportText | InputRefused] = []
    for opener in openers:
        try:
            texts.append(opener())
        except InputRefused as refused:
            # The traceback of `refused` would keep the bytes that were read in memory.
            texts.append(InputRefused(refused.problems))
    tables: list[pa.Table] = []
    problems: dict[int, list[Problem]] = {}
    readable = [(at, text) for at, text in enumerate(texts) if isinstance(text, ReportText)]
    for _, alike in groupby(readable, _layout):
        some = [*alike]
        together = read_together([text for _, text in some]) if some[1:] else None
        if together is not None:
            tables.append(_with_file(together, np.array([at for at, _ in some])))
            continue
        for at, text in some:
            try:
                table, problems[at] = read_table(text)
                file = pa.array(np.full(len(table), at))
                tables.append(table.append_column(columns.FILE, file))
            except InputRefused as refused:
                texts[at] = InputRefused(refused.problems)
    read = [text.read() if isinstance(text, ReportText) else text for text in texts]
    return read, tables, problems


def _with_file(table: pa.Table, files: np.ndarray) -> pa.Table:
    """Return a table whose `file` is the position of each file among all."""
    position = table.column_names.index(columns.FILE)
    file = files[table[columns.FILE].to_numpy()]
    return table.set_column(position, columns.FILE, pa.array(file))


def _layout(numbered: tuple[int, ReportText]) -> object:
    """Return a key that is equal for reports that can be read together."""
    at, text = numbered
    return at if text.quoted or columns.ARN not in text.header.names else text.header.line


class _Outcomes:
    """Say of each report what it is, or what is wrong with it, from all rows at once."""

    def __init__(
        self,
        rows: Rows,
        texts: Sequence[ReportText | InputRefused],
        problems: dict[int, list[Problem]],
        set_as_of: datetime | None,
    ) -> None:
        self._rows, self._texts, self._set_as_of = rows, texts, set_as_of
        self._problems = problems
        self._unread = {at for at, some in problems.items() if some}

    def _find_local_dates(self) -> None:
        rows = self._rows
        for name, moment in rows.moments.items():
            suspect = values.may_be_local_date(as_block(rows.table[name]), moment)
            for at in np.flatnonzero(suspect).tolist():
                file = int(rows.file[at])
                value, number = (rows.table[column][at].as_py() for column in (name, columns.ROW))
                if values.is_local_date(value) and len(self._problems[file]) < MOST_PROBLEMS:
                    self._problems[file].append(
                        local_date_problem(self._text(file), number, name, value)
                    )

    def _text(self, at: int) -> ReportText:
        return cast("ReportText", self._texts[at])

    def outcomes(self) -> list[ReadReport | InputRefused]:
        """Return each report, or its refusal with every problem."""
        self._find_local_dates()
        rows, count = self._rows, len(self._texts)
        newest = np.full(count, NO_MOMENT)
        here, first = np.unique(rows.file, return_index=True)
        if len(here):
            newest[here] = np.fmax.reduceat(rows.newest, first)
        counts = self._account_counts()
        last = self._last_rows()
        outcomes: list[ReadReport | InputRefused] = []
        for at, text in enumerate(self._texts):
            if isinstance(text, InputRefused):
                outcomes.append(text)
                continue
            of_whole = self._problems_of_whole(at, text, newest[at], last.get(at))
            problems = [*self._problems[at], *of_whole]
            outcomes.append(
                InputRefused(problems)
                if problems
                else self._report(at, text, newest[at], counts[at])
            )
        return outcomes

    def _last_rows(self) -> dict[int, tuple[int, str | None]]:
        """Return number and last cell of the last row of each report; mended rows come last."""
        number = self._rows.table[columns.ROW].to_numpy()
        order = np.lexsort((number, self._rows.file))
        here, at = np.unique(self._rows.file[order][::-1], return_index=True)
        positions = order[::-1][at]
        last: dict[int, tuple[int, str | None]] = {}
        for file, position in zip(here.tolist(), positions.tolist(), strict=True):
            name = self._text(file).header.names[-1]
            is_open = self._text(file).is_open and name in columns.TIMESTAMPS
            cell = self._rows.table[name][position].as_py() if is_open else None
            last[file] = int(number[position]), cell
        return last

    def _account_counts(self) -> list[tuple[AccountRowCounts, ...]]:
        """Return by report the numbers of rows by account, of roots and of users."""
        rows = self._rows
        shape = len(self._texts), len(rows.accounts), 2
        code = np.ravel_multi_index((rows.file, rows.account, rows.root.astype(int)), shape)
        occurring, numbers = np.unique(code, return_counts=True)
        counts: list[Counter[tuple[str, bool]]] = [Counter() for _ in self._texts]
        for file, account, root, number in zip(
            *(part.tolist() for part in np.unravel_index(occurring, shape)),
            numbers.tolist(),
            strict=True,
        ):
            counts[file][rows.accounts[account], bool(root)] += number
        return [
            tuple(
                AccountRowCounts(
                    account=account,
                    rows=count[account, False] + count[account, True],
                    roots=count[account, True],
                )
                for account in sorted({account for account, _ in count})
            )
            for count in counts
        ]

    def _problems_of_whole(
        self, at: int, text: ReportText, newest: np.datetime64, last: tuple[int, str | None] | None
    ) -> Iterator[Problem]:
        if at in self._unread:
            return
        if last is None:
            message = "the report has no data rows, not even the root's"
            yield Problem.of_file(text.name, message, DOWNLOAD_AGAIN)
            return
        credentials = text.service_credentials
        if credentials and credentials.users:
            users = self._rows.table[columns.USER].take(pa.array(self._rows.at(at)))
            if credentials.users.isdisjoint(pc.utf8_lower(users).to_pylist()):
                yield credentials.of_other_report(text.name)
        cut_off = [*cut_off_problems(text, last[0], last[1])] if last[1] is not None else []
        yield from cut_off
        if np.isnat(newest) and not (cut_off or self._problems[at]):
            message = "no row holds a timestamp that can be read"
            yield Problem.of_file(text.name, message, DOWNLOAD_AGAIN)

    def _report(
        self,
        at: int,
        text: ReportText,
        moment: np.datetime64,
        accounts: tuple[AccountRowCounts, ...],
    ) -> ReadReport:
        newest = datetime.fromtimestamp(int(moment.astype(np.int64)), UTC)
        own, own_source = own_as_of(text, newest)
        credentials = text.service_credentials
        file = ReportFile(
            name=text.name,
            sha256=text.sha256,
            size=text.size,
            as_of=self._set_as_of or own,
            as_of_source=AsOfSource.OPTION if self._set_as_of else own_source,
            baseline=own if own_source in AWS_SOURCES else newest,
            accounts=accounts,
            service_credentials=credentials.file if credentials else None,
            # A list does not name its account.
            shows_service_credentials=bool(credentials) and len(accounts) == 1,
            is_masked=any(
                one.account == text.masked_account
                or not re.fullmatch(ACCOUNT_ID_PATTERN, one.account)
                for one in accounts
                if one.account or len(accounts) == 1
            ),
        )
        return ReadReport(
            text=text,
            file=file,
            newest=newest,
            own_as_of=own,
            own_source=own_source,
            at=at,
        )
