"""Make one Report of many texts: refuse them with every problem, choose the rows that count.

Copies count once, of reports of one account the newest counts. Equal rows of one user count once,
different ones are refused.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import chain
from operator import itemgetter, methodcaller
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.errors import InputRefused, Problem
from analyzer.report import values
from analyzer.report.model import TEXT, FileReference, as_category, text_series
from analyzer.report.notes import (
    copy_note,
    mended_row_note,
    notes_on_content,
    order_problem,
    repeated_row_note,
    superseded_notes,
)
from analyzer.report.read_reports import ReadReport, Rows, Text, read_reports
from analyzer.report.report import Report
from analyzer.report.report_text import check_as_of
from analyzer.report.table import HISTORY_SCHEMA, MOST_PROBLEMS, SCHEMA
from analyzer.report.users import Users, users_of_rows
from analyzer.terms import AsOfSource, FileNote, code_of, folded_notes, short_list

_Superseded = tuple[ReadReport, dict[str, ReadReport]]
"""An older report, and by account the newer report that counts instead."""

_LACKING: Final = "\0"
_JOINED_HINT: Final = "Several reports of one account were joined: give each on its own."


def assemble_report(
    texts: Iterable[Text], set_as_of: datetime | None = None, *, with_older: bool = False
) -> Report:
    """Return one Report of all texts.

    `set_as_of` is the reports' as-of if the user sets it. A report given twice counts once; of
    different reports of one account the newest counts. With `with_older` each counts, as if alone.

    Raises InputRefused with the problems of all texts, or with the problem of `set_as_of`.
    """
    if set_as_of:
        check_as_of(set_as_of)
    rows, outcomes = read_reports(texts, set_as_of, HISTORY_SCHEMA if with_older else SCHEMA)
    refusals = [outcome.problems for outcome in outcomes if isinstance(outcome, InputRefused)]
    if refusals:
        raise InputRefused(chain(*refusals))
    reports = [outcome for outcome in outcomes if isinstance(outcome, ReadReport)]
    return _report(rows, reports, each_counts=with_older)


def _report(rows: Rows, reports: Sequence[ReadReport], *, each_counts: bool) -> Report:
    """Return one Report of the reports that count; with `each_counts`, each as if alone.

    Raises InputRefused if it is not clear which report or which row of a user counts.
    """
    counted: list[ReadReport] = []
    older: list[ReadReport] = []
    notes: list[FileNote] = []
    problems: list[Problem] = []
    positions = [np.array([], np.int64)]
    for group in [[report] for report in reports] if each_counts else [reports]:
        newest, superseded, group_notes = _newest(group)
        at = np.concatenate([_positions(rows, report) for report in newest])
        first = _first_rows(rows, at)
        repeats = first != at
        notes += group_notes
        if repeats.any():
            problems += _difference_problems(rows, reports, at[repeats], first[repeats])
            newest = [*_with_repeated(rows, newest, at[repeats])]
        notes += (mended_row_note(report) for report in newest if report.mended)
        notes += (repeated_row_note(report) for report in newest if report.repeated)
        positions.append(at[~repeats])
        counted += newest
        older += superseded
    if problems:
        raise InputRefused(problems)
    at = np.concatenate(positions)
    services = _services(counted, each_counts=each_counts)
    roots = _users(rows, at[rows.root[at]], counted, services)
    counted_names = {report.file.name for report in counted}

    typed = partial(_iam_users, rows, at, counted, services)
    all_users = typed if each_counts else partial(_known, typed(is_last=not older))
    return Report(
        files=tuple(report.file for report in counted),
        content_notes=notes_on_content(counted, folded_notes(notes)),
        all_users=all_users,
        by_account=partial(_by_account, rows, at, counted) if each_counts else tuple,
        root_users=roots,
        sha256=frozenset(report.text.sha256 for report in reports),
        superseded=tuple(
            FileReference(name=report.file.name, sha256=report.text.sha256)
            for report in reports
            if report.file.name not in counted_names
        ),
        older=partial(_older, rows, older) if older else tuple,
    )


def _by_account(rows: Rows, at: np.ndarray, reports: Sequence[ReadReport]) -> Iterator[Report]:
    """Yield all reports of each account as one Report, in the order of the accounts."""
    at = at[np.argsort(rows.account[at], kind="stable")]
    edges = np.searchsorted(rows.account[at], np.arange(1, len(rows.accounts)))
    of_accounts = dict(zip(rows.accounts, np.split(at, edges), strict=True))
    parts: dict[str, list[ReadReport]] = defaultdict(list)
    for report in reports:
        every = {of.account for of in report.file.accounts}
        for account in every:
            parts[account].append(_without_accounts(report, every - {account}))
    for account, named in sorted(parts.items()):
        own = of_accounts[account]
        services = _services(named, each_counts=True)
        yield Report(
            files=tuple(report.file for report in named),
            all_users=partial(_iam_users, rows, own, named, services),
            root_users=_users(rows, own[rows.root[own]], named, services),
            sha256=frozenset(report.text.sha256 for report in named),
        )


def _iam_users(
    rows: Rows,
    at: np.ndarray,
    reports: Sequence[ReadReport],
    services: Mapping[tuple[int, str, str], str],
    *,
    is_last: bool = False,
) -> Users:
    return _users(rows, at[~rows.root[at]], reports, services, is_last=is_last)


def _known(users: Users) -> Users:
    return users


def _users(
    rows: Rows,
    at: np.ndarray,
    reports: Sequence[ReadReport],
    services: Mapping[tuple[int, str, str], str],
    *,
    is_last: bool = False,
) -> Users:
    """Return the rows at these positions as users, or roots, of the reports that count.

    The last time, all rows are forgotten: no more than one column is held twice.
    """
    position = np.zeros(rows.reports, np.int64)
    position[[report.at for report in reports]] = np.arange(len(reports))
    file, column = position[rows.file[at]], dict.pop if is_last else dict.__getitem__
    # A copy of neighbours takes 0.3 s more CPU of 1 M rows.
    are_neighbours = len(at) > 0 and bool((np.diff(at) == 1).all())
    part = (
        itemgetter(slice(at[0], at[-1] + 1))
        if are_neighbours
        else methodcaller("take", pa.array(at))
    )
    cells = {name: part(column(rows.cells, name)) for name in SCHEMA.names}
    moments = {name: column(rows.moments, name)[at] for name in [*rows.moments]}
    for name in columns.IN_REPORT:
        if name not in columns.OF_FEW_TEXTS:
            cells[name] = values.texts(cells[name])
    pa.default_memory_pool().release_unused()
    files = [report.file for report in reports]
    as_of = np.array([file.as_of.replace(tzinfo=None) for file in files], "datetime64[s]")
    source = np.array([code_of(file.as_of_source) for file in files], np.int8)
    table = pa.table({**cells, columns.FILE: file})
    account = pa.array(rows.accounts, pa.large_string()).take(pa.array(rows.account[at]))
    users = users_of_rows(table, as_of, account, moments)
    added = {columns.AS_OF_SOURCE: as_category(source[file], AsOfSource)}
    return users.with_users({**added, columns.SERVICE_CREDENTIALS: _listed(users, services)})


def _services(
    reports: Sequence[ReadReport], *, each_counts: bool
) -> dict[tuple[int, str, str], str]:
    """Return the services of active credentials by file, account and user (in lower case).

    If several reports of one account have lists, all lists count for all these reports. In a
    history a report has only its own list.
    """
    covered = [
        (at, report, account, (at if each_counts else -1, account))
        for at, report in enumerate(reports)
        for account in (counts.account for counts in report.file.accounts)
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


def _listed(users: Users, services: Mapping[tuple[int, str, str], str]) -> pd.Series:
    """Return the services of each user's active service-specific credentials, if known."""
    if not services:
        return text_series(pa.repeat(pa.scalar("", pa.large_string()), len(users)))
    names = pc.utf8_lower(users.text[columns.USER]).to_pylist()
    keys = zip(users.file.tolist(), users.account.to_pylist(), names, strict=True)
    return pd.Series([services.get(user, "") for user in keys], dtype=TEXT)


# Rows of one user


def _positions(rows: Rows, report: ReadReport) -> np.ndarray:
    """Return the positions of a report's rows, without its superseded accounts."""
    at = rows.at(report.at)
    for account in report.superseded:
        at = np.setdiff1d(at, rows.at(report.at, account))
    return at


def _first_rows(rows: Rows, at: np.ndarray) -> np.ndarray:
    """Return for each position the first of these positions with the same user or root."""
    if rows.identity.max(initial=-1) + 1 == len(rows.identity):
        return at  # All rows differ: codes count up from 0.
    key = rows.identity[at].astype(np.int64) * 2 + rows.root[at]
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    return np.asarray(at[first[inverse]])


def _difference_problems(
    rows: Rows, reports: Iterable[ReadReport], later: np.ndarray, first: np.ndarray
) -> Iterator[Problem]:
    """Yield a problem for each row that differs from the first of its user, in any column.

    Moments and booleans in another form are equal.
    """
    differing: dict[int, list[str]] = defaultdict(list)
    for name in columns.IN_REPORT:
        here, there = (
            values.normalized(
                name, values.texts(rows.cells[name].take(pa.array(at))).fill_null(_LACKING)
            )
            for at in (later, first)
        )
        for at in np.flatnonzero(np.asarray(pc.not_equal(here, there)))[:MOST_PROBLEMS].tolist():
            differing[at].append(name)
    file_names = {report.at: report.file.name for report in reports}
    for at, names in sorted(differing.items()):
        (file, row), (other_file, other_row) = (
            (file_names[rows.file[position]], int(rows.numbers[position]))
            for position in (later[at], first[at])
        )
        where = f"row {other_row}{f' of {other_file}' if other_file != file else ''}"
        message = f"differs from {where}, of the same user, in {short_list(names)}"
        user = rows.cells[columns.USER][int(later[at])].as_py()
        yield Problem(file, row, columns.USER, user, message, _JOINED_HINT)


def _with_repeated(
    rows: Rows, reports: Iterable[ReadReport], repeated: np.ndarray
) -> Iterator[ReadReport]:
    """Yield the reports with the number of their repeated rows."""
    numbers = rows.numbers_of_rows(repeated)
    for report in reports:
        counted = []
        for counts in report.file.accounts:
            number, roots = numbers.get((report.at, counts.account), (0, 0))
            counted.append(replace(counts, roots=counts.roots - roots, repeated=number))
        number = sum(counts.repeated for counts in counted)
        yield replace(report, repeated=number, file=replace(report.file, accounts=(*counted,)))


# Reports of one account


def _newest(
    reports: Sequence[ReadReport],
) -> tuple[Sequence[ReadReport], list[ReadReport], list[FileNote]]:
    """Return the reports that count, the parts that have a newer report, and notes."""
    if len(reports) == 1:
        return reports, [], []
    distinct, copies = without_copies(reports)
    newest, older = _without_superseded_accounts(distinct)
    notes = [
        *(copy_note(copy.file.name, first.file.name) for copy, first in copies),
        *superseded_notes(older),
    ]
    return newest, [*_older_parts(older)], notes


def _without_superseded_accounts(
    reports: Sequence[ReadReport],
) -> tuple[list[ReadReport], list[_Superseded]]:
    """Remove from each report the accounts that have a newer report.

    Parts of one report count together. Raises InputRefused if the order is not known.
    """
    of_account: dict[str, list[ReadReport]] = defaultdict(list)
    for report in reports:
        for counts in report.file.accounts:
            of_account[counts.account].append(report)
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
    newest = [report for report in reduced if report.file.accounts]
    return newest, [pair for pair in pairs if pair[1]]


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
    accounts = tuple(counts for counts in report.file.accounts if counts.account not in gone)
    return replace(report, superseded=gone, file=replace(report.file, accounts=accounts))


def _older(rows: Rows, reports: Sequence[ReadReport]) -> tuple[Report]:
    """Return one Report in which each older report counts as if alone.

    A report forgets rows that it does not need: it gets columns of its own.
    """
    own = replace(rows, cells={**rows.cells}, moments={**rows.moments})
    return (_report(own, reports, each_counts=True),)
