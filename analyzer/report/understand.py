"""Make one Report of the texts of many, and refuse them together."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.errors import InputRefused, Problem
from analyzer.model import Page, Report
from analyzer.report import counted, identity, notes
from analyzer.report.ahead import ahead
from analyzer.report.counted import Counted
from analyzer.report.survey import KEPT_BYTES, Surveyed, survey
from analyzer.report.text import ReportText
from analyzer.report.tidy import tidy

PAGE_ROWS = 32_768
"""Rows of small reports that are gathered into one page."""


def understand(
    openers: Iterable[Callable[[], ReportText]], option: datetime | None = None
) -> Report:
    """Return the Report that the texts are together; an opener may refuse its input.

    `option` is the moment that the user says the reports describe. The same report twice counts
    once; of different reports of one account the newest counts.

    Raises InputRefused with the problems of all texts together.
    """
    surveyed = [counted.dated(each, option) for each in _surveyed(openers)]
    distinct, same = counted.distinct(surveyed)
    newest, older = counted.newest(distinct)
    reports, contradicting = counted.once(newest)
    return Report(
        files=tuple(report.file() for report in reports),
        notes=notes.of_input(reports, same, older, contradicting),
        pages=lambda: _ahead_if_large(reports, _pages(reports, contradicting)),
    )


def _surveyed(openers: Iterable[Callable[[], ReportText]]) -> Iterator[Surveyed]:
    problems: list[Problem] = []
    kept = 0
    for opener in openers:
        try:
            each = survey(opener())
        except InputRefused as refused:
            problems += refused.problems
        else:
            kept += each.text.size
            yield each if kept <= KEPT_BYTES else replace(each, tables=None)
    if problems:
        raise InputRefused(problems)


def _ahead_if_large(reports: Sequence[Counted], pages: Iterator[Page]) -> Iterator[Page]:
    """Make pages in a thread where the rows are read once more; memory is faster than that."""
    large = any(report.surveyed.tables is None for report in reports)
    return ahead(pages) if large else pages


def _pages(reports: Sequence[Counted], contradicting: Mapping[str, str]) -> Iterator[Page]:
    as_of = [np.datetime64(report.as_of.replace(tzinfo=None), "s") for report in reports]
    services = [report.surveyed.text.service_credentials for report in reports]
    for table in _gathered(_users(reports)):
        page = tidy(table, as_of)
        yield replace(
            page,
            users=page.users.assign(
                **{
                    columns.CONTRADICTED: _contradicted(page.users, contradicting),
                    columns.SERVICE_CREDENTIALS: _service_credentials(page.users, services),
                }
            ),
        )


def _contradicted(users: pd.DataFrame, contradicting: Mapping[str, str]) -> pd.Series:
    """Return for each user the columns in which another row of the same ARN differs."""
    if not contradicting:
        return pd.Series("", index=users.index, dtype="str")
    return users[columns.ARN].map(contradicting).fillna("")


def _service_credentials(
    users: pd.DataFrame, services: Sequence[Mapping[str, str] | None]
) -> pd.Series:
    """Return the services of each user's live service-specific credentials, where told."""
    found = pd.Series("", index=users.index, dtype="str")
    for file in users[columns.FILE].unique():
        if known := services[file]:
            here = users[columns.FILE] == file
            found[here] = users.loc[here, columns.USER].str.lower().map(known).fillna("")
    return found


def _users(reports: Sequence[Counted]) -> Iterator[pa.Table]:
    """Yield the IAM users' rows that count, with the position of their file."""
    for file, report in enumerate(reports):
        for table in report.surveyed.read():
            left = report.left(table)
            root = identity.is_root(left[columns.ARN].combine_chunks())
            users = left.filter(pc.invert(root))
            yield users.append_column(columns.FILE, pa.array(np.full(users.num_rows, file)))


def _gathered(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Join small tables that have the same columns."""
    waiting: list[pa.Table] = []
    for table in tables:
        if waiting and waiting[-1].schema != table.schema:
            yield pa.concat_tables(waiting)
            waiting = []
        waiting.append(table)
        if sum(map(len, waiting)) >= PAGE_ROWS:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)
