"""Make one Report of many texts: refuse each with every problem, choose the rows that count.

All rows lie in one table. Copies count once, of reports of one account the newest counts. Equal
rows of one user count once, different ones are refused.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from itertools import chain, groupby
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.errors import InputRefused, Problem
from analyzer.report import arns, values
from analyzer.report.model import (
    NO_MOMENT,
    TEXT,
    AccountRowCounts,
    Report,
    ReportFile,
    as_block,
    as_category,
)
from analyzer.report.notes import (
    copy_note,
    masked_problem,
    notes_on_content,
    order_problem,
    repeated_row_note,
    superseded_notes,
)
from analyzer.report.report_text import ReportText, check_as_of, own_as_of
from analyzer.report.table import (
    DOWNLOAD_AGAIN,
    MOST_PROBLEMS,
    SCHEMA,
    cut_off_problems,
    local_date_problem,
    read_table,
    read_together,
)
from analyzer.report.users import Users, users_of_rows
from analyzer.terms import (
    ACCOUNT_ID_PATTERN,
    AWS_SOURCES,
    AsOfSource,
    FileNote,
    code_of,
    folded_notes,
    short_list,
)

PAGE_ROWS = 49_152
"""Rows that are judged at once."""

_GROUP: Final = 64
"""Reports that are read at once."""

Opener = Callable[[], ReportText]


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
        return positions[self.account[start:end] == self.accounts.index(account)]

    @cached_property
    def newest(self) -> np.ndarray:
        """Return the newest moment of each row; the next rotation of a password never counts."""
        past = (self.moments[name] for name in columns.TIMESTAMPS if name in _PAST)
        return np.fmax.reduce([*past])


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


def assemble_report(
    openers: Sequence[Opener],
    set_as_of: datetime | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    threads: int = 2,
    *,
    with_older: bool = False,
) -> Report:
    """Return one Report of all texts; an opener may refuse its input.

    `set_as_of` is the reports' as-of if the user sets it; `progress` is called with the number of
    texts read and the number of all. A report given twice counts once; of different reports of one
    account the newest counts. With `with_older` each counts, as if alone.

    Raises InputRefused with the problems of all texts, or with the problem of `set_as_of`.
    """
    if set_as_of:
        check_as_of(set_as_of)
    rows, outcomes = read_reports(openers, set_as_of, progress, threads)
    refused = [one.problems for one in outcomes if isinstance(one, InputRefused)]
    if refused:
        raise InputRefused(chain(*refused))
    reports = [one for one in outcomes if isinstance(one, ReadReport)]
    return _Choice(rows, reports).report(each_counts=with_older)


# Read


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
        each_in = readers.map if groups[1:] else map
        for group, of_group, of_rows in each_in(_read_group, groups):
            tables += (_with_file(table, len(texts)) for table in of_group)
            problems |= {len(texts) + at: some for at, some in of_rows.items()}
            texts += group
            progress(len(texts), len(openers))
            of_group.clear()
    known = [text for text in texts if isinstance(text, ReportText)]
    rows = Rows.of(_in_one_block(tables), known[0].masked_account if known else "")
    survey = _Survey(rows, texts, problems, set_as_of)
    return rows, survey.outcomes()


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


def _with_file(table: pa.Table, before: int) -> pa.Table:
    position = table.column_names.index(columns.FILE)
    return table.set_column(position, columns.FILE, pc.add(table[columns.FILE], before))


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
    for _, alike in groupby(range(len(texts)), lambda at: _layout(texts[at], at)):
        some = [*alike]
        together = read_together([texts[at] for at in some]) if some[1:] else []
        for table in together:
            tables.append(_with_file(table, some[0]))
        for at in () if together else some:
            text = texts[at]
            if isinstance(text, ReportText):
                try:
                    table, problems[at] = read_table(text)
                    file = pa.array(np.full(len(table), at))
                    tables.append(table.append_column(columns.FILE, file))
                except InputRefused as refused:
                    texts[at] = InputRefused(refused.problems)
    read = [text if isinstance(text, InputRefused) else text.read() for text in texts]
    return read, tables, problems


def _layout(text: ReportText | InputRefused, at: int) -> object:
    """Return a key that is equal for reports that can be read together."""
    is_alone = isinstance(text, InputRefused) or text.quoted or columns.ARN not in text.header.names
    return at if is_alone else text.header.line


class _Survey:
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
        text = self._texts[at]
        assert isinstance(text, ReportText)
        return text

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


# Choose

_Superseded = tuple[ReadReport, dict[str, ReadReport]]
"""An older report, and by account the newer report that counts instead."""


@dataclass(frozen=True, slots=True)
class _Choice:
    """Choose the reports and rows that count."""

    rows: Rows
    reports: Sequence[ReadReport]

    def report(self, *, each_counts: bool) -> Report:
        """Return one Report; with `each_counts`, older ones count too, each as if alone."""
        if problem := masked_problem([report.file for report in self.reports]):
            raise InputRefused([problem])
        groups = [[report] for report in self.reports] if each_counts else [self.reports]
        notes: list[FileNote] = []
        counted: list[ReadReport] = []
        older: list[ReadReport] = []
        problems: list[Problem] = []
        keep = np.zeros(len(self.rows.file), bool)
        for group in groups:
            chosen, of_group, superseded = self._newest(group)
            notes += of_group
            older += superseded
            mask = self._mask(chosen)
            repeated, firsts = self._repeated(mask)
            problems += self._difference_problems(repeated, firsts)
            mask[repeated] = False
            keep |= mask
            counted += self._with_repeated(chosen, repeated)
            notes += (
                repeated_row_note(report)
                for report in counted[len(counted) - len(chosen) :]
                if report.repeated
            )
        if problems:
            raise InputRefused(problems)
        selected = _SelectedRows(self.rows, keep, counted, each_counts)
        content_notes = notes_on_content(counted, folded_notes(notes), self.rows)
        if not older:
            selected.forget_others()
        return Report(
            files=tuple(report.file for report in counted),
            content_notes=content_notes,
            pages=selected.pages,
            roots=selected.roots,
            older=partial(_older, self.rows, older),
        )

    def _mask(self, reports: Iterable[ReadReport]) -> np.ndarray:
        """Return which rows are of these reports, without their superseded accounts."""
        mask = np.zeros(len(self.rows.file), bool)
        for report in reports:
            mask[self.rows.at(report.at)] = True
            for account in report.superseded:
                mask[self.rows.at(report.at, account)] = False
        return mask

    def _newest(
        self, reports: Sequence[ReadReport]
    ) -> tuple[list[ReadReport], list[FileNote], list[ReadReport]]:
        """Return the reports that count, notes, and the parts with a newer report."""
        if len(reports) == 1:
            return [*reports], [], []
        distinct, same = without_copies(reports)
        newest, older = _without_superseded_accounts(distinct)
        notes = [
            *(copy_note(copy.file.name, first.file.name) for copy, first in same),
            *superseded_notes(older),
        ]
        return newest, notes, [*_older_parts(older)]

    # Rows of one user

    def _repeated(self, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows of a mask whose user or root had an earlier row, and these rows."""
        at = np.flatnonzero(mask)
        key = self.rows.identity[at].astype(np.int64) * 2 + self.rows.root[at]
        _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
        if len(first) == len(at):
            return at[:0], at[:0]
        later = np.ones(len(at), bool)
        later[first] = False
        return at[later], at[first[inverse[later]]]

    def _difference_problems(self, later: np.ndarray, first: np.ndarray) -> Iterator[Problem]:
        """Yield a problem for each row that differs from the first of its user, in any column.

        Moments and booleans in another form are equal.
        """
        table, differing = self.rows.table, defaultdict[int, list[str]](list)
        for name in columns.IN_REPORT if len(later) else ():
            here, there = (
                values.normalized(
                    name, table[name].take(pa.array(at)).combine_chunks().fill_null(_LACKING)
                )
                for at in (later, first)
            )
            for at in np.flatnonzero(np.asarray(pc.not_equal(here, there))).tolist():
                differing[at].append(name)
        name_of = {report.at: report.file.name for report in self.reports}
        for at, names in sorted(differing.items()):
            row, other = (table.slice(each[at], 1).to_pylist()[0] for each in (later, first))
            file, its = (name_of[one[columns.FILE]] for one in (row, other))
            where = f"row {other[columns.ROW]}{f' of {its}' if its != file else ''}"
            message = f"differs from {where}, of the same user, in {short_list(names)}"
            user = row[columns.USER]
            yield Problem(file, row[columns.ROW], columns.USER, user, message, _JOINED_HINT)

    def _with_repeated(
        self, reports: Iterable[ReadReport], repeated: np.ndarray
    ) -> Iterator[ReadReport]:
        """Yield the reports with the number of their repeated rows."""
        rows = self.rows
        kinds = Counter(
            zip(
                rows.file[repeated].tolist(),
                rows.account[repeated].tolist(),
                rows.root[repeated].tolist(),
                strict=True,
            )
        )
        code = {account: at for at, account in enumerate(rows.accounts)}
        for report in reports:
            accounts = []
            for one in report.file.accounts:
                users, roots = (kinds[report.at, code[one.account], root] for root in (False, True))
                accounts.append(replace(one, roots=one.roots - roots, repeated=users + roots))
            number = sum(one.repeated for one in accounts)
            yield replace(report, repeated=number, file=replace(report.file, accounts=(*accounts,)))


_LACKING: Final = "\0"
_JOINED_HINT: Final = "Several reports of one account were joined: give each on its own."


def _without_superseded_accounts(
    reports: Sequence[ReadReport],
) -> tuple[list[ReadReport], list[_Superseded]]:
    """Remove from each report the accounts that have a newer report.

    Parts of one report count together. Raises InputRefused if the order is not known.
    """
    of_account: dict[str, list[ReadReport]] = defaultdict(list)
    for report in reports:
        for account in report.named_accounts:
            of_account[account].append(report)
    newer: dict[int, dict[str, ReadReport]] = defaultdict(dict)
    unknown: dict[int, list[tuple[ReadReport, ReadReport, str]]] = defaultdict(list)
    for account, some in of_account.items():
        latest = max(some, key=lambda report: report.own_as_of)
        for report in some:
            if report is latest or report.is_part_of(latest):
                continue
            newer[report.at][account] = latest
            if not report.is_in_order_with(latest):
                unknown[latest.at].append((latest, report, account))
    if unknown:
        raise InputRefused(
            order_problem(pairs[0][0], [(other, account) for _, other, account in pairs])
            for pairs in unknown.values()
        )
    pairs = [(report, newer[report.at]) for report in reports]
    reduced = (_without_accounts(*pair) for pair in pairs)
    return [one for one in reduced if one.file.accounts], [pair for pair in pairs if pair[1]]


def without_copies(
    reports: Sequence[ReadReport],
) -> tuple[list[ReadReport], list[tuple[ReadReport, ReadReport]]]:
    """Return each report once, whatever it was wrapped in, and pairs of (left out, counted).

    A report that AWS gave again describes the later moment too. So the copy with the newest known
    moment counts, or with equal moments the copy with the best source. The newest list of
    service-specific credentials saved with any copy counts too.
    """
    copies: dict[str, list[ReadReport]] = defaultdict(list)

    def preference(report: ReadReport) -> tuple[bool, datetime, int]:
        known = report.own_source is not AsOfSource.ASSUMED
        return known, report.own_as_of, -code_of(report.own_source)

    for report in sorted(reports, key=preference, reverse=True):
        copies[report.text.csv_sha256].append(report)
    best = {content: reports[0] for content, reports in copies.items()}
    chosen = [report for report in reports if best[report.text.csv_sha256] is report]
    same = [(report, best[report.text.csv_sha256]) for report in reports]
    merged = [_with_credentials_of(copies[report.text.csv_sha256], report) for report in chosen]
    return merged, [(copy, first) for copy, first in same if copy is not first]


def _with_credentials_of(copies: Sequence[ReadReport], chosen: ReadReport) -> ReadReport:
    """Return a report with the newest list saved with its copies; the newest copy comes first.

    Lists of the newest moment and of an unknown moment count together, under the name of the first.
    A list older than the report does not show which users have no credential now.
    """
    moments = [copy.own_as_of for copy in copies if copy.text.service_credentials]
    if not moments:
        return chosen
    newest = [
        copy
        for copy in copies
        if copy.own_as_of == moments[0] or copy.own_source is AsOfSource.ASSUMED
    ]
    listed = [copy.text.service_credentials for copy in newest if copy.text.service_credentials]
    active = frozenset().union(*(credentials.active for credentials in listed))
    text = replace(chosen.text, service_credentials=replace(listed[0], active=active))
    shows = moments[0] == chosen.own_as_of and any(
        copy.file.shows_service_credentials for copy in newest
    )
    file = replace(chosen.file, service_credentials=listed[0].file, shows_service_credentials=shows)
    return replace(chosen, text=text, file=file)


def _older_parts(older: Iterable[_Superseded]) -> Iterator[ReadReport]:
    """Yield the parts of older reports whose accounts have a newer report.

    Each part keeps the report's own time: `--as-of` is the time of the newer reports.
    """
    for report, newer in older:
        others = {account.account for account in report.file.accounts} - {*newer}
        part = _without_accounts(report, others)
        own: dict[str, Any] = {"as_of": report.own_as_of, "as_of_source": report.own_source}
        yield replace(part, file=replace(part.file, **own))


def _without_accounts(report: ReadReport, superseded: Iterable[str]) -> ReadReport:
    gone = frozenset(superseded)
    if not gone:
        return report
    accounts = tuple(one for one in report.file.accounts if one.account not in gone)
    counts = accounts if any(one.account for one in accounts) else ()
    return replace(report, superseded=gone, file=replace(report.file, accounts=counts))


def _older(rows: Rows, reports: Sequence[ReadReport]) -> Iterator[Report]:
    """Yield one Report in which each older report counts as if alone, if there are any."""
    if reports:
        yield _Choice(rows, reports).report(each_counts=True)


# Pages


@dataclass(frozen=True)
class _SelectedRows:
    """Give the rows that count as pages of users, and as roots; can be pickled.

    `reports` are those that count. With `each_counts` reports are not compared, as in a history.
    """

    rows: Rows
    keep: np.ndarray
    reports: Sequence[ReadReport]
    each_counts: bool
    _users: dict[str, pa.Table] = field(default_factory=dict)

    def forget_others(self) -> None:
        """Read the roots, and keep only the users' rows of the table: column by column."""
        assert self.roots() is not None
        at = self._positions(self.keep & ~self.rows.root)
        table, some = self.rows.table, {}
        object.__setattr__(self.rows, "table", None)
        for name in table.column_names:
            some[name] = as_block(table[name]).take(pa.array(at))
            table = table.drop_columns([name])
        self._users["table"] = pa.table(some)
        pa.default_memory_pool().release_unused()

    def pages(self) -> Iterator[Users]:
        """Yield the users' rows."""
        at = self._positions(self.keep & ~self.rows.root)
        for start in range(0, max(len(at), 1), PAGE_ROWS):
            table = self._users["table"].slice(start, PAGE_ROWS) if self._users else None
            yield self._page(at[start : start + PAGE_ROWS], table)

    def roots(self) -> tuple[Users, ...]:
        """Return the roots' rows, which are few."""
        return self._roots

    @cached_property
    def _roots(self) -> tuple[Users, ...]:
        at = self._positions(self.keep & self.rows.root)
        return (self._page(at),) if len(at) else ()

    def _positions(self, mask: np.ndarray) -> np.ndarray:
        """Return the positions of the rows, in the order of the reports that count."""
        at = np.flatnonzero(mask)
        return at[np.argsort(self._file_of[self.rows.file[at]], kind="stable")]

    @cached_property
    def _file_of(self) -> np.ndarray:
        """Return the position in `Report.files` of each report that was read."""
        positions = np.zeros(max((report.at for report in self.reports), default=-1) + 1, np.int64)
        positions[[report.at for report in self.reports]] = np.arange(len(self.reports))
        return positions

    def _page(self, at: np.ndarray, table: pa.Table | None = None) -> Users:
        file = self._file_of[self.rows.file[at]]
        table = self.rows.table.take(pa.array(at)) if table is None else table
        table = table.set_column(
            table.column_names.index(columns.FILE), columns.FILE, pa.array(file)
        )
        as_of, sources = self._moments_and_sources
        moments = {name: moment[at] for name, moment in self.rows.moments.items()}
        account = self.reports[0].text.masked_account
        page = users_of_rows(table, as_of, account, moments)
        return page.with_users(
            {
                columns.AS_OF_SOURCE: as_category(sources[file], AsOfSource),
                columns.SERVICE_CREDENTIALS: self._service_credentials(page),
            }
        )

    @cached_property
    def _moments_and_sources(self) -> tuple[np.ndarray, np.ndarray]:
        files = [report.file for report in self.reports]
        as_of = np.array([file.as_of.replace(tzinfo=None) for file in files], "datetime64[s]")
        return as_of, np.array([code_of(file.as_of_source) for file in files], np.int8)

    @cached_property
    def _services(self) -> dict[tuple[int, str, str], str]:
        """Return the services of active credentials by file, account and user (in lower case).

        If several reports of one account have lists, all lists count for all these reports. In a
        history, and for rows that name no account, a report has only its own list.
        """
        covered = [
            (
                at,
                report,
                one.account,
                (at if self.each_counts or not one.account else -1, one.account),
            )
            for at, report in enumerate(self.reports)
            for one in report.file.accounts
        ]
        active: dict[tuple[int, str], set[Any]] = defaultdict(set)
        for _, report, _, key in covered:
            if listed := report.text.service_credentials:
                active[key] |= listed.active
        services: dict[tuple[int, str, str], set[str]] = defaultdict(set)
        for at, report, account, key in covered:
            for credential in active.get(key, ()):
                if credential.expires is None or credential.expires >= report.file.as_of:
                    services[at, account, credential.user].add(credential.service)
        return {user: ", ".join(sorted(names)) for user, names in services.items()}

    def _service_credentials(self, page: Users) -> pd.Series:
        """Return the services of each user's active service-specific credentials, if known."""
        if not self._services:
            return pd.Series("", index=range(len(page)), dtype=TEXT)
        names = pc.utf8_lower(page.text[columns.USER]).to_pylist()
        keys = zip(page.file.tolist(), page.account.to_pylist(), names, strict=True)
        return pd.Series([self._services.get(user, "") for user in keys], dtype=TEXT)
