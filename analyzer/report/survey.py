"""Survey reports before users are judged: refuse each, or describe its contents.

`survey_each` does this step by step; the first half of the module is the contents of a survey.

Small reports with the same header are read and described together: a call into Arrow takes as long
for 500 rows as for 10,000. One by one, 1,000 reports of 500 rows take 1.5 times as long.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from itertools import chain, groupby, islice, pairwise
from operator import attrgetter
from pathlib import PurePath
from typing import Any, Final, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.errors import InputRefused, Problem
from analyzer.report import arns, values
from analyzer.report.model import NO_MOMENT, AccountRowCounts, ReportFile
from analyzer.report.report_text import ReportText, own_as_of
from analyzer.report.rows import (
    DOWNLOAD_AGAIN,
    MOST_PROBLEMS,
    cut_off_problems,
    local_date_problems,
    read_rows,
    read_together,
    swallowed_row_problems,
)
from analyzer.terms import AWS_SOURCES, AsOfSource, printable

ROW_BYTES_IN_MEMORY: Final = 128 << 20
"""Reports of up to this size together keep their rows in memory, and their files may then go.

If read again instead, 1,000 reports of 500 rows take 1.07 times as long.
"""

LEAST_GROUPS: Final = 8
"""Many reports are surveyed in at least this many groups, which threads share."""

LARGEST_GROUP: Final = 64
"""More reports than this at once gain nothing."""

_BYTES_TOGETHER: Final = 4 << 20
"""Reports are read together until they reach this size; larger reports are read alone."""

_size: Final = attrgetter("text.size")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RowRange:
    """Name the rows of one report in a table that it shares with its neighbours.

    A slice of any length takes 20 kB: it holds an object for each column.
    """

    shared: pa.Table
    start: int
    end: int

    def table(self) -> pa.Table:
        """Return only the report's rows, without a copy."""
        return self.shared.slice(self.start, self.end - self.start)

    def __reduce__(self) -> tuple[Any, ...]:
        """Return the parts to pickle: the report's rows, not the shared table."""
        alone = self.shared.take(pa.array(range(self.start, self.end)))
        return RowRange, (alone, 0, len(alone))


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyedReport:
    """Describe the contents of a report, its time, and which of its rows do not count.

    - `file` describes the report for the verdicts and the outputs.
    - `own_as_of` is the report's own time, from `own_source`; `newest` is its newest timestamp,
      except for the next rotation of a password.
    - `identities` has a hash for each row, in reading order; in one process, rows of one user have
      equal hashes.
    - `roots` are the rows of roots; `rows` are all rows, if they are small enough to be kept.
    - `superseded` are the accounts that have a newer report; `repeated` are the numbers (int64)
      of the rows that do not count because another row of the user or root does.
    - `contradicted` are the identities whose rows differ, in this report or another that counts
      with it: by column, the values of the two rows in words.
    - `date_form` is the form of the dates in the CSV if it is a local one.
    """

    text: ReportText
    file: ReportFile
    newest: datetime
    own_as_of: datetime
    own_source: AsOfSource
    identities: np.ndarray
    roots: tuple[RowRange, ...]
    rows: tuple[RowRange, ...] | None
    superseded: frozenset[str] = frozenset()
    repeated: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    contradicted: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    date_form: str = ""

    @property
    def named_accounts(self) -> list[str]:
        """Return the accounts; rows that name none count as one if there is no other account."""
        only = len(self.file.accounts) == 1
        return [account.account for account in self.file.accounts if account.account or only]

    def tables(self, *, of_roots: bool) -> Iterator[pa.Table]:
        """Return the rows of roots, or all rows."""
        return _rows(self.text, self.roots if of_roots else self.rows, self.date_form)

    def rows_that_count(self, table: pa.Table) -> pa.Table:
        """Return the rows of a table of the report that count."""
        if self.superseded:
            older = pa.array(sorted(self.superseded), pa.large_string())
            table = table.filter(pc.invert(pc.is_in(self.account_ids(table), older)))
        if len(self.repeated):
            # The repeated rows are in order, and there may be a million.
            number = table[columns.ROW].to_numpy()
            again = (
                self.repeated.take(np.searchsorted(self.repeated, number), mode="clip") == number
            )
            table = table.filter(pa.array(~again))
        return table

    def account_ids(self, table: pa.Table) -> pa.Array:
        """Return the account of each row of a table of the report."""
        return arns.account_ids(table[columns.ARN].combine_chunks(), self.text.masked_account)


def tables_of_each(reports: Iterable[SurveyedReport]) -> Iterator[Iterable[pa.Table]]:
    """Yield the tables of all rows of each report; small reports are read again together."""

    def layout(report: SurveyedReport) -> Hashable:
        is_alone = report.rows is not None or report.date_form
        return id(report) if is_alone else _layout(report.text)

    for alike in batches(reports, layout, _size, _BYTES_TOGETHER):
        together = [[table] for table in read_together([report.text for report in alike])]
        yield from together or (report.tables(of_roots=False) for report in alike)


def _rows(text: ReportText, kept: Iterable[RowRange] | None, date_form: str) -> Iterator[pa.Table]:
    """Return the kept rows, or read the rows again."""
    tables = read_rows(text) if kept is None else map(RowRange.table, kept)
    if not date_form:
        return tables
    return map(partial(values.with_local_moments, form=date_form), tables)


@dataclass(slots=True, kw_only=True)
class _Survey:
    """Gather the contents of the tables of one report.

    `rows` counts rows by account and by whether they are a root's. `read_problems` kept the report
    from being read to its end; `last` is the last row in the file. `date_forms` are the local forms
    that fit all local dates; `has_moments` is True if other dates are in AWS's form,
    `has_listed_user` if a user is in the list of service-specific credentials.
    """

    text: ReportText
    kept: list[RowRange] | None
    rows: Counter[tuple[str, bool]] = field(default_factory=Counter)
    roots: list[RowRange] = field(default_factory=list)
    newest: np.datetime64 = NO_MOMENT
    has_moments: bool = False
    date_forms: tuple[str, ...] | None = None
    date_problems: list[Problem] = field(default_factory=list)
    identities: list[np.ndarray] = field(default_factory=list)
    read_problems: tuple[Problem, ...] = ()
    problems: list[Problem] = field(default_factory=list)
    has_listed_user: bool = False
    last_number: int = 0
    last: pa.Table | None = None

    def outcome(self, set_as_of: datetime | None) -> SurveyedReport | InputRefused:
        """Return the report, or its refusal with every problem."""
        form = "" if self.date_forms is None else self._only_date_form(self.date_forms)
        if problems := [*self.read_problems, *self.problems, *self._problems_of_whole()]:
            return InputRefused(problems)
        text, credentials = self.text, self.text.service_credentials
        newest = datetime.fromtimestamp(int(self.newest.astype(np.int64)), UTC)
        own, own_source = own_as_of(text, newest)
        roots = {
            account: self.rows[account, True]
            for account in sorted({account for account, _ in self.rows})
        }
        return SurveyedReport(
            text=text,
            file=ReportFile(
                name=text.name,
                sha256=text.sha256,
                size=text.size,
                as_of=set_as_of or own,
                as_of_source=AsOfSource.OPTION if set_as_of else own_source,
                baseline=own if own_source in AWS_SOURCES else newest,
                accounts=tuple(
                    AccountRowCounts(
                        account=account, rows=self.rows[account, False] + count, roots=count
                    )
                    for account, count in roots.items()
                ),
                service_credentials=credentials.file if credentials else None,
                # A list does not name its account.
                shows_service_credentials=bool(credentials) and len(roots) == 1,
                has_seconds=not form or "%S" in form,
            ),
            newest=newest,
            own_as_of=own,
            own_source=own_source,
            identities=np.concatenate(self.identities),
            roots=tuple(self.roots),
            rows=None if self.kept is None else tuple(self.kept),
            date_form=form,
        )

    def _only_date_form(self, forms: tuple[str, ...]) -> str:
        """Return the local form of all dates and find the newest, or add the problems of dates."""
        if len(forms) == 1 and not self.has_moments:
            for table in _rows(self.text, self.kept, forms[0]):
                self.newest = np.fmax(self.newest, np.fmax.reduce(_dates_and_newest(table)[2]))
            return forms[0]
        lacks = {values.local_date_lack(problem.value or "") for problem in self.date_problems}
        lacks = {"whose day and month are ambiguous"} if forms else lacks
        reason = next(iter(lacks)) if len(lacks) == 1 and not self.has_moments else ""
        message = f"a date in a local form, {reason or 'but not all dates have one form'}"
        self.problems += [replace(problem, message=message) for problem in self.date_problems]
        return ""

    def add_dates(self, table: pa.Table, suspects: np.ndarray) -> None:
        """Add the local dates among the suspects (by `columns.TIMESTAMPS` and rows) of a table."""
        dates = values.local_dates(table, suspects)
        if len(dates):
            forms = values.LOCAL_FORMS if self.date_forms is None else self.date_forms
            self.date_forms = values.fitting_forms(forms, dates)
            problems = local_date_problems(self.text, table, suspects)
            self.date_problems += islice(problems, MOST_PROBLEMS)

    def _problems_of_whole(self) -> Iterator[Problem]:
        if self.read_problems:
            return
        if self.last is None:
            message = "the report has no data rows, not even the root's"
            yield Problem.of_file(self.text.name, message, DOWNLOAD_AGAIN)
            return
        credentials = self.text.service_credentials
        if credentials and credentials.users and not self.has_listed_user:
            message = f"none of its users is in {PurePath(self.text.name).name}"
            hint = "Remove the file, or save it again."
            yield Problem.of_file(printable(credentials.file.name), message, hint)
        # AWS ends no row within a cell: a file that ends with a line break is whole.
        is_open = not self.text.tail.endswith((b"\n", b"\r"))
        cut_off = [*cut_off_problems(self.text, self.last)] if is_open else []
        yield from cut_off
        users = sum(count for (_, is_root), count in self.rows.items() if not is_root)
        tables = chain([self.last], _rows(self.text, self.kept, ""))
        if users > 1 and not any(map(values.has_boolean, tables)):
            message = "neither true nor false, like every such cell: a program translated them"
            cell = columns.PASSWORD_ENABLED, self.last[columns.PASSWORD_ENABLED][0].as_py()
            row = self.last[columns.ROW][0].as_py()
            yield Problem(self.text.name, row, *cell, message, DOWNLOAD_AGAIN)
        if np.isnat(self.newest) and not (cut_off or self.problems):
            message = "no row holds a timestamp that can be read"
            yield Problem.of_file(self.text.name, message, DOWNLOAD_AGAIN)


def groups_of_neighbours(openers: Sequence[T]) -> list[Sequence[T]]:
    """Return the openers in groups, each for one call of `survey_each`."""
    size = min(max(len(openers) // LEAST_GROUPS, 1), LARGEST_GROUP)
    return [openers[start : start + size] for start in range(0, len(openers), size)]


def survey_each(
    openers: Iterable[Callable[[], ReportText]], set_as_of: datetime | None = None
) -> list[SurveyedReport | InputRefused]:
    """Open reports and survey them, in their order; `set_as_of`, if given, is the as-of of all.

    A report is refused with every problem: no rows, a row cut off, dates of a local form.
    """
    surveys: list[_Survey | InputRefused] = []
    opened = _opened(openers, surveys)
    for alike in batches(opened, lambda survey: _layout(survey.text), _size, _BYTES_TOGETHER):
        _read_alike(alike)
    return [
        survey if isinstance(survey, InputRefused) else survey.outcome(set_as_of)
        for survey in surveys
    ]


def _opened(
    openers: Iterable[Callable[[], ReportText]], surveys: list[_Survey | InputRefused]
) -> Iterator[_Survey]:
    """Yield a survey of each report that can be opened, and add it or the refusal to the list.

    Only the first report and those that fit beside it keep their rows, as there are many groups.
    """
    size = 0
    for opener in openers:
        try:
            text = opener()
        except InputRefused as refused:
            # The traceback of `refused` would keep the bytes that were read in memory.
            surveys.append(InputRefused(refused.problems))
            continue
        most = ROW_BYTES_IN_MEMORY // LEAST_GROUPS if size else ROW_BYTES_IN_MEMORY
        size += text.size
        survey = _Survey(text=text, kept=[] if size <= most else None)
        surveys.append(survey)
        yield survey


def _layout(text: ReportText) -> str | int:
    """Return a key that is equal for reports that can be read together."""
    alone = text.quoted or text.size > _BYTES_TOGETHER or columns.ARN not in text.header.names
    return id(text) if alone else text.header.line


def _read_alike(surveys: Sequence[_Survey]) -> None:
    """Read reports together if there are several and no row is unusual, otherwise one by one."""
    together = read_together([survey.text for survey in surveys])
    if together:
        _add_tables([*zip(surveys, together, strict=True)])
        return
    for survey in surveys:
        try:
            for table in read_rows(survey.text):
                _add_tables([(survey, table)])
        except InputRefused as refused:
            survey.read_problems = refused.problems


def batches(
    items: Iterable[T], alike: Callable[[T], Hashable], size: Callable[[T], int], most: int
) -> Iterator[list[T]]:
    """Yield neighbours that are alike in batches; a batch ends when it reaches the size `most`."""
    for _, group in groupby(items, alike):
        waiting: list[T] = []
        waiting_size = 0
        for item in group:
            waiting.append(item)
            waiting_size += size(item)
            if waiting_size >= most:
                yield waiting
                waiting, waiting_size = [], 0
        if waiting:
            yield waiting


def _add_tables(parts: Sequence[tuple[_Survey, pa.Table]]) -> None:
    """Add to each survey the contents of its table; all tables have the same columns."""
    parts = [(survey, table) for survey, table in parts if len(table)]
    if not parts:
        return
    # The tables of a report with quotes also have columns that AWS does not know.
    known = [name for name in (*columns.IN_REPORT, columns.ROW) if name in parts[0][1].column_names]
    table = pa.concat_tables([table.select(known) for _, table in parts]).combine_chunks()
    ends = np.cumsum([len(table) for _, table in parts])
    part = np.repeat(np.arange(len(parts)), np.diff(ends, prepend=0))
    root, arn = arns.is_root(table), table[columns.ARN].combine_chunks()
    _count_rows(parts, part, arns.account_ids(arn, parts[0][0].text.masked_account), root)
    hashes, roots = identity_hashes(table), table.filter(root)
    root_ends = np.cumsum(np.bincount(part[np.asarray(root)], minlength=len(parts)))
    odd, dated, newest = _dates_and_newest(table)
    number = table[columns.ROW].to_numpy()
    of_parts, of_roots = (pairwise([0, *ends.tolist()]) for ends in (ends, root_ends))
    for (survey, own), (start, end), (first, last) in zip(parts, of_parts, of_roots, strict=True):
        if survey.kept is not None:
            survey.kept.append(RowRange(table, start, end))
        if first < last:
            survey.roots.append(RowRange(roots, first, last))
        survey.identities.append(hashes[start:end])
        survey.newest = np.fmax(survey.newest, np.fmax.reduce(newest[start:end]))
        if number[end - 1] > survey.last_number:
            survey.last_number = number[end - 1]
            survey.last = own.slice(len(own) - 1)
        survey.has_moments |= bool(dated[start:end].any())
        if odd[:, start:end].any():
            survey.add_dates(own, odd[:, start:end])
        if credentials := survey.text.service_credentials:
            users = pc.utf8_lower(own[columns.USER]).to_pylist()
            survey.has_listed_user |= not credentials.users.isdisjoint(users)
        if survey.text.quoted:
            survey.problems += swallowed_row_problems(survey.text, own)


def _count_rows(
    parts: Sequence[tuple[_Survey, pa.Table]], part: np.ndarray, account: pa.Array, root: pa.Array
) -> None:
    """Add to the surveys their numbers of rows by account, of roots and of users."""
    # For `group_by` Arrow loads 11 MB of code, which takes 20 ms.
    encoded = account.dictionary_encode()
    names = encoded.dictionary.to_pylist()
    shape = len(parts), len(names), 2
    code = np.ravel_multi_index((part, encoded.indices.to_numpy(), np.asarray(root, int)), shape)
    occurring, counts = np.unique(code, return_counts=True)
    groups = np.transpose(np.unravel_index(occurring, shape)).tolist()
    for (at, name, is_root), count in zip(groups, counts.tolist(), strict=True):
        parts[at][0].rows[names[name], bool(is_root)] += count


def identity_hashes(table: pa.Table) -> np.ndarray:
    """Return a hash of each row's identity; equal identities have equal hashes within one run."""
    return np.fromiter(map(hash, arns.identities(table).to_pylist()), np.int64, table.num_rows)


def repeated_identity_hashes(reports: Sequence[SurveyedReport]) -> pa.Array:
    """Return the hashes of identities that more than one row has."""
    every = np.concatenate([report.identities for report in reports])
    every.sort()
    return pa.array(np.unique(every[1:][every[1:] == every[:-1]]))


def _dates_and_newest(table: pa.Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return which cells may be local dates, which rows have a moment, and their newest moments.

    Cells are by `columns.TIMESTAMPS` and row. The next rotation of a password, in the future, is
    never the newest moment.
    """
    odd = np.zeros((len(columns.TIMESTAMPS), len(table)), bool)
    newest, next_rotation = np.full((2, len(table)), NO_MOMENT)
    for position, name in enumerate(columns.TIMESTAMPS):
        if name in table.column_names:
            cells = table[name].combine_chunks()
            moment = values.timestamps(cells)
            odd[position] = values.may_be_local_date(cells, moment)
            if name == columns.PASSWORD_NEXT_ROTATION:
                next_rotation = moment
            else:
                newest = np.fmax(newest, moment)
    return odd, ~(np.isnat(newest) & np.isnat(next_rotation)), newest
