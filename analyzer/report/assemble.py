"""Make one Report of the texts of many, and refuse them together."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, partial
from itertools import chain

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.errors import InputRefused, Problem
from analyzer.report import arns, as_of, notes, selection
from analyzer.report.model import TEXT, Page, Report, as_category
from analyzer.report.raw_report import ReportText
from analyzer.report.rows import read_ahead
from analyzer.report.survey import (
    ROW_BYTES_IN_MEMORY,
    SurveyedReport,
    batches,
    grouped_by_size,
    survey_each,
)
from analyzer.report.tidy import tidy
from analyzer.terms import AsOfSource, code_of

PAGE_ROWS = 32_768
"""Rows of small reports that are gathered into one page.

1,000 reports of 500 rows, a page each, take 8.7 times as long.
"""

_FEW_ROOTS = 200
"""Up to so many, cutting out each is faster than copying the page: 7 against 16 ms for 65."""


def assemble_report(
    openers: Sequence[Callable[[], ReportText]],
    option: datetime | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    threads: int = 2,
    row_bytes_in_memory: int | None = None,
) -> Report:
    """Return the Report that the texts are together; an opener may refuse its input.

    `option` is the moment that the user says the reports describe; `progress` is called with how
    many of how many texts were read, `threads` at a time. Rows of up to so many bytes stay in
    memory, by default `ROW_BYTES_IN_MEMORY`. The same report twice counts once; of different
    reports of one account the newest counts.

    Raises InputRefused with the problems of all texts together, or that of the option.
    """
    as_of.check_as_of(option)
    kept = ROW_BYTES_IN_MEMORY if row_bytes_in_memory is None else row_bytes_in_memory
    outcomes = _outcomes(openers, option, threads)
    surveyed = [*_surveyed(outcomes, len(openers), progress, kept)]
    several = len(surveyed) > 1
    distinct, same = selection.without_copies(surveyed) if several else (surveyed, [])
    newest, older = selection.without_superseded_accounts(distinct) if several else (distinct, [])
    reports, contradicting = selection.deduplicate_rows(newest)
    rows = _SelectedRows(reports, contradicting)
    files = tuple(map(selection.file_of, reports))
    return Report(
        files=files,
        notes=notes.input_notes(files, reports, same, older, contradicting),
        pages=rows.pages,
        roots=rows.roots,
        contradicted=frozenset(contradicting),
    )


@dataclass(frozen=True)
class _SelectedRows:
    """Read the rows that count, as often as they are needed; can be pickled.

    `contradicting` has the ARNs whose rows differ, and the columns in which they do.
    """

    reports: Sequence[SurveyedReport]
    contradicting: Mapping[str, str]

    def pages(self) -> Iterator[Page]:
        """Yield the users' rows; of several pages each is made while the one before is used."""
        tables = map(_without_roots, _joined_tables(_rows(self.reports, SurveyedReport.read)))
        pages = _pages(self.reports, tables, self.contradicting)
        rows = sum(each.rows for report in self.reports for each in report.accounts)
        return read_ahead(pages) if rows > PAGE_ROWS else pages

    def roots(self) -> tuple[Page, ...]:
        """Return the roots' rows, which are few."""
        return self._roots

    @cached_property
    def _roots(self) -> tuple[Page, ...]:
        tables = _joined_tables(_rows(self.reports, SurveyedReport.root_rows))
        return tuple(_pages(self.reports, tables, self.contradicting))


def _outcomes(
    openers: Sequence[Callable[[], ReportText]], option: datetime | None, threads: int
) -> Iterator[SurveyedReport | InputRefused]:
    """Survey the reports, a group in each thread: Arrow lets several run."""
    if len(openers) == 1:
        yield from survey_each(openers, option)
        return
    with ThreadPoolExecutor(threads) as surveyors:
        survey = partial(survey_each, option=option)
        yield from chain.from_iterable(surveyors.map(survey, grouped_by_size(openers)))


def _surveyed(
    outcomes: Iterable[SurveyedReport | InputRefused],
    total: int,
    progress: Callable[[int, int], None],
    row_bytes_in_memory: int,
) -> Iterator[SurveyedReport]:
    """Yield the reports, with their rows if all fit in the memory; refuse all problems together."""
    problems: list[Problem] = []
    size = 0
    for done, each in enumerate(outcomes, start=1):
        progress(done, total)
        if isinstance(each, InputRefused):
            problems += each.problems
        else:
            size += each.text.size
            yield each if size <= row_bytes_in_memory else replace(each, rows=None)
    if problems:
        raise InputRefused(problems)


def _pages(
    reports: Sequence[SurveyedReport], tables: Iterable[pa.Table], contradicting: Mapping[str, str]
) -> Iterator[Page]:
    as_of = np.array([report.as_of.replace(tzinfo=None) for report in reports], "datetime64[s]")
    sources = np.array([code_of(report.as_of_source) for report in reports], np.int8)
    of_masked = next((each.text.account_id for each in reports), "")
    for table in tables:
        page = tidy(table, as_of, of_masked)
        source = as_category(sources[page.users[columns.FILE].to_numpy()], AsOfSource)
        yield page.with_users(
            {
                columns.CONTRADICTED: _contradicted(page.users, contradicting),
                columns.AS_OF_SOURCE: source,
                columns.SERVICE_CREDENTIALS: _service_credentials(page.users, reports),
            }
        )


def _contradicted(users: pd.DataFrame, contradicting: Mapping[str, str]) -> pd.Series:
    """Return for each user the columns in which another row of the same ARN differs."""
    if not contradicting:
        return pd.Series("", index=users.index, dtype=TEXT)
    differing: pd.Series = users[columns.ARN].map(contradicting).astype(TEXT).fillna("")
    return differing


def _service_credentials(users: pd.DataFrame, reports: Sequence[SurveyedReport]) -> pd.Series:
    """Return the services of each user's active service-specific credentials, if known."""
    services = pd.Series("", index=users.index, dtype=TEXT)
    for file in users[columns.FILE].unique():
        of_file = reports[file].service_credentials
        if of_file and (texts := of_file.services_at(reports[file].as_of)):
            here = users[columns.FILE] == file
            services[here] = users.loc[here, columns.USER].str.lower().map(texts).fillna("")
    return services


def _rows(
    reports: Sequence[SurveyedReport], read: Callable[[SurveyedReport], Iterator[pa.Table]]
) -> Iterator[pa.Table]:
    """Yield the rows that count of those that are read, with the position of their file."""
    for file, report in enumerate(reports):
        for table in read(report):
            rows = selection.counted_rows(report, table)
            yield rows.append_column(columns.FILE, pa.array(np.full(len(rows), file)))


def _without_roots(table: pa.Table) -> pa.Table:
    """Return the table without its roots; where they are few, what lies between is not copied."""
    root = arns.is_root(table[columns.ARN].combine_chunks(), table[columns.USER])
    rows = np.flatnonzero(root)
    if len(rows) > _FEW_ROOTS:
        return table.combine_chunks().filter(pc.invert(root))
    edges = zip([0, *(rows + 1)], [*rows, table.num_rows], strict=True)
    return pa.concat_tables([table.slice(start, end - start) for start, end in edges])


def _joined_tables(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Join small tables that have the same columns."""
    for alike in batches(tables, lambda each: each.schema, len, PAGE_ROWS):
        yield pa.concat_tables(alike)
