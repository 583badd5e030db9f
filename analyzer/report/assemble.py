"""Make one Report of many report texts, with notes on them, or refuse them together."""

from collections import defaultdict
from collections.abc import Callable, ItemsView, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property, partial
from itertools import chain

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.errors import InputRefused, Problem
from analyzer.report import arns
from analyzer.report.masked_accounts import (
    masked_alike,
    mixed_account_problems,
    one_account_notes,
    root_creation_times,
)
from analyzer.report.model import TEXT, Page, Report, as_category, cells_of_users
from analyzer.report.pages import NO_CELLS, page_of_rows
from analyzer.report.report_text import (
    ReportText,
    ServiceCredential,
    check_as_of,
)
from analyzer.report.rows import read_ahead
from analyzer.report.survey import (
    ROW_BYTES_IN_MEMORY,
    SurveyedReport,
    batches,
    groups_of_neighbours,
    repeated_identity_hashes,
    survey_each,
    tables_of_each,
)
from analyzer.report.values import order_of_numbers
from analyzer.terms import (
    NO_VALUE,
    AsOfSource,
    FileNote,
    code_of,
    count_text,
    folded_notes,
    minute_text,
    short_list,
)

PAGE_ROWS = 49_152
"""Rows of small reports that are gathered into one page.

With a page each, 1,000 reports of 500 rows take 8.7 times as long. For a million rows, pages a
third larger take 40 MB more, and pages a third smaller 1.07 times as long.
"""
_SKEW = timedelta(hours=1)
"""The most by which AWS's clocks and rounded last uses may be ahead of a report's as-of."""


def assemble_report(  # noqa: PLR0913  each is one choice
    openers: Sequence[Callable[[], ReportText]],
    set_as_of: datetime | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    threads: int = 2,
    row_bytes_in_memory: int | None = None,
    *,
    with_older: bool = False,
) -> Report:
    """Return one Report of all texts; an opener may refuse its input.

    `set_as_of` is the reports' as-of if the user sets it; `progress` is called with the number of
    texts read and the number of all. `threads` read them. Rows of up to `row_bytes_in_memory` bytes
    stay in memory, by default `ROW_BYTES_IN_MEMORY`. A report given twice counts once; of different
    reports of one account the newest counts. With `with_older` each counts, as if alone.

    Raises InputRefused with the problems of all texts, or with the problem of `set_as_of`.
    """
    if set_as_of:
        check_as_of(set_as_of)
    bytes_in_memory = ROW_BYTES_IN_MEMORY if row_bytes_in_memory is None else row_bytes_in_memory
    reports: list[SurveyedReport] = []
    problems: list[Problem] = []
    size = 0
    # Each thread takes a group at a time: Arrow lets several threads run.
    with ThreadPoolExecutor(threads) as surveyors:
        each_in = map if len(openers) == 1 else surveyors.map
        groups = each_in(partial(survey_each, set_as_of=set_as_of), groups_of_neighbours(openers))
        for done, surveyed in enumerate(chain.from_iterable(groups), start=1):
            progress(done, len(openers))
            if isinstance(surveyed, InputRefused):
                problems += surveyed.problems
                continue
            reports.append(surveyed)
            # The first report that does not fit drops the rows of all reports: if some keep their
            # rows, 10,000 reports take 220 MB more.
            first = len(reports) - 1 if size > bytes_in_memory else 0
            size += surveyed.file.size
            if size > bytes_in_memory:
                reports[first:] = [replace(one, rows=None) for one in reports[first:]]
    if problems:
        raise InputRefused(problems)
    return _assembled(reports, each_counts=with_older)


def _assembled(reports: Sequence[SurveyedReport], *, each_counts: bool) -> Report:
    """Return one Report of surveyed reports; with `each_counts` the older ones count too."""
    of_selection: list[FileNote] = []
    older: list[SurveyedReport] = []
    of_accounts = [*_masked_account_notes(reports)] if len(reports) > 1 else []
    if len(reports) > 1 or len(repeated_identity_hashes(reports)):
        from analyzer.report.selection import selected  # noqa: PLC0415  most are one report

        compared, reports = [[report] for report in reports] if each_counts else [reports], []
        for group in compared:
            counted, notes, superseded = selected(group)
            reports += counted
            of_selection += notes
            older += superseded
    rows = _SelectedRows(reports, each_counts)
    return Report(
        files=tuple(report.file for report in reports),
        content_notes=(
            *folded_notes(_late_timestamp_notes(reports)),
            *_replaced_time_notes(reports),
            *of_accounts,
            *folded_notes(of_selection),
            *_local_date_notes(reports),
            *_missing_column_notes(reports),
            *_emptied_cell_notes(reports),
            *_account_number_notes(reports),
        ),
        pages=rows.pages,
        roots=rows.roots,
        older=partial(_older, older),
    )


def _masked_account_notes(reports: Sequence[SurveyedReport]) -> Iterator[str]:
    """Note the reports that count as one account; raises InputRefused if they are of several."""
    for alike in masked_alike(reports):
        files = [report.file for report in alike]
        created = root_creation_times(files, _SelectedRows(alike, each_counts=True).roots())
        if problems := [*mixed_account_problems(files, created)]:
            raise InputRefused(problems)
        yield from one_account_notes(files, created)


def _older(reports: Sequence[SurveyedReport]) -> Iterator[Report]:
    """Yield one Report in which each older report counts as if alone, if there are any."""
    if reports:
        yield _assembled(reports, each_counts=True)


@dataclass(frozen=True)
class _SelectedRows:
    """Read the rows that count, as often as they are needed; can be pickled.

    With `each_counts` reports are not compared with one another, as in a history.
    """

    reports: Sequence[SurveyedReport]
    each_counts: bool

    def pages(self) -> Iterator[Page]:
        """Yield the users' rows; the next page is made while one is used, if there are several."""
        pages = self._pages(of_roots=False)
        rows = sum(account.rows for report in self.reports for account in report.file.accounts)
        return read_ahead(pages) if rows > PAGE_ROWS else pages

    def roots(self) -> tuple[Page, ...]:
        """Return the roots' rows, which are few."""
        return self._roots

    @cached_property
    def _roots(self) -> tuple[Page, ...]:
        return tuple(self._pages(of_roots=True))

    def _pages(self, *, of_roots: bool) -> Iterator[Page]:
        tables = _tables(self.reports, of_roots=of_roots)
        for alike in batches(tables, lambda table: table.schema, len, PAGE_ROWS):
            yield self._page(alike, of_roots=of_roots)

    def _page(self, alike: list[pa.Table], *, of_roots: bool) -> Page:
        """Return the rows of tables as a page; empty the list, to free the tables' memory."""
        table = pa.concat_tables(alike).combine_chunks()
        alike.clear()
        is_root = arns.is_root(table)
        if not of_roots and pc.any(is_root).as_py():
            table = table.filter(pc.invert(is_root))
        as_of, sources = self._moments_and_sources
        account, contradicted = self.reports[0].text.masked_account, self._contradicted_cells(table)
        page = page_of_rows(table, as_of, account, contradicted)
        source = as_category(sources[page.users[columns.FILE].to_numpy()], AsOfSource)
        return page.with_users(
            {
                columns.AS_OF_SOURCE: source,
                columns.SERVICE_CREDENTIALS: self._service_credentials(page.users),
            }
        )

    @cached_property
    def _moments_and_sources(self) -> tuple[np.ndarray, np.ndarray]:
        files = [report.file for report in self.reports]
        as_of = np.array([file.as_of.replace(tzinfo=None) for file in files], "datetime64[s]")
        return as_of, np.array([code_of(file.as_of_source) for file in files], np.int8)

    def _contradicted_cells(self, rows: pa.Table) -> pd.DataFrame:
        """Return the cells of users in which another row of the same ARN differs."""
        distinct = {id(report.contradicted): report.contradicted for report in self.reports}
        known = pa.array([*chain(*distinct.values())], pa.large_string())
        if not known:
            return NO_CELLS
        identity = arns.identities(rows)
        at = np.flatnonzero(pc.is_in(identity, known))
        users = identity.take(pa.array(at)).to_pylist()
        files = rows[columns.FILE].to_numpy()[at].tolist()
        return cells_of_users(
            (position, name, text)
            for position, user, file in zip(at.tolist(), users, files, strict=True)
            for name, text in self.reports[file].contradicted.get(user, {}).items()
        )

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
                account.account,
                (at if self.each_counts or not account.account else -1, account.account),
            )
            for at, report in enumerate(self.reports)
            for account in report.file.accounts
        ]
        active: dict[tuple[int, str], set[ServiceCredential]] = defaultdict(set)
        for _, report, _, key in covered:
            if listed := report.text.service_credentials:
                active[key] |= listed.active
        services: dict[tuple[int, str, str], set[str]] = defaultdict(set)
        for at, report, account, key in covered:
            for credential in active.get(key, ()):
                if credential.expires is None or credential.expires >= report.file.as_of:
                    services[at, account, credential.user].add(credential.service)
        return {user: ", ".join(sorted(names)) for user, names in services.items()}

    def _service_credentials(self, users: pd.DataFrame) -> pd.Series:
        """Return the services of each user's active service-specific credentials, if known."""
        if not self._services:
            return pd.Series("", index=users.index, dtype=TEXT)
        names = users[columns.USER].str.lower()
        keys = zip(users[columns.FILE], users[columns.ACCOUNT], names, strict=True)
        return pd.Series([self._services.get(user, "") for user in keys], users.index, TEXT)


def _tables(reports: Sequence[SurveyedReport], *, of_roots: bool) -> Iterator[pa.Table]:
    """Yield the rows that count, of roots or all, with the position of their file."""
    roots = (report.tables(of_roots=True) for report in reports)
    for file, tables in enumerate(roots if of_roots else tables_of_each(reports)):
        for table in tables:
            rows = reports[file].rows_that_count(table)
            yield rows.append_column(columns.FILE, pa.array(np.full(len(rows), file)))


# Notes


def _names_by(
    reports: Iterable[SurveyedReport], key: Callable[[SurveyedReport], str]
) -> ItemsView[str, list[str]]:
    """Return the names of the reports by their key, without reports whose key is empty."""
    names: dict[str, list[str]] = defaultdict(list)
    for report in reports:
        if own := key(report):
            names[own].append(report.file.name)
    return names.items()


def _late_timestamp_notes(reports: Iterable[SurveyedReport]) -> Iterator[FileNote]:
    many = (
        "reports have a timestamp after their as-of, so they do not show the state of that time;"
        " later times count as 0 days old"
    )
    for report in reports:
        if report.newest > report.file.as_of + _SKEW:
            newest, as_of = minute_text(report.newest), minute_text(report.file.as_of)
            text = (
                f"{report.file.name} has a timestamp of {newest}, after its as-of ({as_of}): later"
                " times count as 0 days old, so this is not the state of that time."
            )
            yield FileNote(report.file.name, text, many)


def _replaced_time_notes(reports: Iterable[SurveyedReport]) -> Iterator[str]:
    """Note the reports whose own time --as-of replaces by another."""
    dated = [report for report in reports if report.own_source is not AsOfSource.ASSUMED]
    if replaced := [report for report in dated if report.own_as_of != report.file.as_of]:
        texts = [f"{report.file.name} ({minute_text(report.own_as_of)})" for report in replaced]
        is_later = any(report.own_as_of < report.file.as_of for report in replaced)
        limit = (
            " A report does not show use after its own time, so users can be idle for less time"
            " than shown."
        )
        yield (
            f"--as-of replaces the own time of {count_text(len(texts), 'report')}:"
            f" {short_list(texts)}.{limit if is_later else ''}"
        )


def _local_date_notes(reports: Iterable[SurveyedReport]) -> Iterator[str]:
    dated = [report for report in reports if report.date_form]
    for order, names in _names_by(dated, lambda report: order_of_numbers(report.date_form)):
        yield (
            f"{short_list(names)}: a program such as a spreadsheet wrote the dates in a local form;"
            f" they are read as {order}, in UTC."
        )
    if names := [report.file.name for report in dated if not report.file.has_seconds]:
        yield (
            f"{short_list(names)}: the dates have no seconds, so that a decision cannot name its"
            " user: such decisions are refused. Review the report as AWS made it."
        )


def _missing_column_notes(reports: Iterable[SurveyedReport]) -> Iterator[str]:
    uses = [name for name in columns.IN_REPORT if name.endswith("_last_used_date")]

    def missing(report: SurveyedReport) -> str:
        return ", ".join(name for name in uses if name not in report.text.header.names)

    for names_of_columns, names in _names_by(reports, missing):
        yield (
            f"{short_list(names)}: no column {names_of_columns}, as in reports of 2014; verdicts"
            " that need it are undetermined."
        )


def _emptied_cell_notes(reports: Iterable[SurveyedReport]) -> Iterator[str]:
    """Note the reports whose root rows have an empty date of an access key, and no `N/A`."""
    dates = {name for key in columns.ACCESS_KEYS for name in (key.last_rotated, key.last_used_date)}
    names = []
    for report in reports:
        cells = {
            cell
            for table in report.tables(of_roots=True)
            for name in dates.intersection(table.column_names)
            for cell in table[name].to_pylist()
        }
        if "" in cells and NO_VALUE not in cells:
            names.append(report.file.name)
    if names:
        yield (
            f"{short_list(names)}: cells are empty where AWS writes N/A, because a program such as"
            " pandas saved the report again; verdicts that need them are undetermined. Use the"
            " report as AWS made it, or read it with keep_default_na=False before you save it."
        )


def _account_number_notes(reports: Iterable[SurveyedReport]) -> Iterator[str]:
    """Note the reports with users whose account was set because their ARNs name none."""
    if names := [
        report.file.name
        for report in reports
        if report.text.masked_account
        and report.text.masked_account in {one.account for one in report.file.accounts}
    ]:
        yield (
            f"{short_list(names)}: the account is set; users whose ARN is masked or missing are"
            " judged by name, and to check if unused. --include-check lists them too with --format"
            " names."
        )
