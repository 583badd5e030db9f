"""Make one Report of many texts: refuse them with every problem, choose the rows that count.

Copies count once, of reports of one account the newest counts. Equal rows of one user count once,
different ones are refused.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.errors import InputRefused, Problem
from analyzer.report import values
from analyzer.report.model import FileReference, UncoveredFile, word_column
from analyzer.report.notes import (
    copy_note,
    mended_row_note,
    notes_on_content,
    order_problem,
    repeated_row_note,
    superseded_notes,
)
from analyzer.report.read_reports import Reading, ReadReport, Rows
from analyzer.report.report import Report
from analyzer.report.report_text import RefusedText, listed_credentials
from analyzer.report.table import MOST_PROBLEMS
from analyzer.report.users import Users
from analyzer.terms import AsOfSource, FileNote, code_of, folded_notes, short_list

_Superseded = tuple[ReadReport, dict[str, ReadReport]]
"""An older report, and by account the newer report that counts instead."""

_LACKING: Final = "\0"
_JOINED_HINT: Final = "Several reports of one account were joined: give each on its own."


def assemble_report(
    reading: Reading,
    set_as_of: datetime | None = None,
    *,
    with_older: bool = False,
    skip_unreadable: bool = False,
) -> Report:
    """Return one Report of all that was read.

    `set_as_of` is the reports' as-of if the user sets it. A report given twice counts once; of
    different reports of one account the newest counts. With `with_older` each counts, as if alone.
    With `skip_unreadable`, what is no whole report is not covered, nor a report of which it is
    unknown whether it is the newest.

    Raises InputRefused with the problems of all inputs; with `skip_unreadable`, if none is a
    report.
    """
    rows, outcomes = reading.outcomes(set_as_of)
    unreadable: dict[str, Sequence[Problem]] = {}
    if skip_unreadable:
        unreadable = _unreadable(rows, outcomes, with_older=with_older)
        outcomes = [outcome for outcome in outcomes if outcome.name not in unreadable]
    refusals = [outcome.problems for outcome in outcomes if isinstance(outcome, RefusedText)]
    if refusals:
        raise InputRefused(chain(*refusals))
    reports = [outcome for outcome in outcomes if isinstance(outcome, ReadReport)]
    report = _of_reports(rows, reports, with_older=with_older)
    return replace(report, not_covered=tuple(map(_uncovered, unreadable, unreadable.values())))


def _of_reports(rows: Rows, reports: Sequence[ReadReport], *, with_older: bool) -> Report:
    """Return one Report; raises InputRefused if it is not clear what counts."""
    if with_older:
        return _report(rows, [_Choice([report]) for report in reports], reports)
    newest = _newest(reports)
    older = [_Choice([part]) for part in newest.older]
    return _report(rows, [newest], reports, _report(rows, older, reports) if older else None)


def _unreadable(
    rows: Rows, outcomes: Iterable[ReadReport | RefusedText], *, with_older: bool
) -> dict[str, Sequence[Problem]]:
    """Return the problems of what cannot count, by the name of the input.

    Raises InputRefused if that is all.
    """
    problems: dict[str, Sequence[Problem]] = {}
    readable: list[ReadReport] = []
    for outcome in outcomes:
        if isinstance(outcome, RefusedText):
            problems[outcome.name] = outcome.problems
            continue
        try:
            _report(rows, [_Choice([outcome])], [outcome])
        except InputRefused as refused:
            problems[outcome.name] = refused.problems
        else:
            readable.append(outcome)
    if not readable:
        raise InputRefused(chain(*problems.values()))
    try:
        _of_reports(rows, readable, with_older=with_older)
    except InputRefused as refused:
        for problem in refused.problems:
            problems |= dict.fromkeys(problem.files or (problem.file,), (problem,))
    return problems


def _uncovered(name: str, problems: Sequence[Problem]) -> UncoveredFile:
    first = problems[0]
    reason = f"row {first.row}: {first.message}" if first.row else first.message
    return UncoveredFile(account="", name=name, reason=reason)


@dataclass(frozen=True)
class _Choice:
    """Hold the reports that count together, the parts that have a newer report, and notes."""

    reports: Sequence[ReadReport]
    older: Sequence[ReadReport] = ()
    notes: Sequence[FileNote] = ()


def _report(
    rows: Rows,
    choices: Sequence[_Choice],
    reports: Sequence[ReadReport],
    older: Report | None = None,
) -> Report:
    """Return one Report of the reports that count, each choice of them as if alone.

    Raises InputRefused if it is not clear which row of a user counts.
    """
    counted: list[ReadReport] = []
    notes: list[FileNote] = []
    problems: list[Problem] = []
    kept = {id(users): [np.array([], np.int64)] for users in (rows.users, rows.roots)}
    for choice in choices:
        repeated: Counter[tuple[int, str, bool]] = Counter()
        for users, hashes in ((rows.users, rows.user_hashes), (rows.roots, rows.root_hashes)):
            at = np.concatenate([_positions(users, report) for report in choice.reports])
            first = _first_rows(users, hashes, at)
            repeats = first != at
            kept[id(users)].append(at[~repeats])
            if repeats.any():
                later = users.take(at[repeats])
                problems += _difference_problems(reports, later, users.take(first[repeats]))
                pairs = zip(later.file.tolist(), later.account.to_pylist(), strict=True)
                repeated.update((*pair, users is rows.roots) for pair in pairs)
        read = [*_with_repeated(choice.reports, repeated)]
        notes += choice.notes
        notes += (mended_row_note(report) for report in read if report.mended)
        notes += (repeated_row_note(report) for report in read if report.repeated)
        counted += read
    if problems:
        order = {report.file.name: at for at, report in enumerate(reports)}
        problems.sort(key=lambda problem: (order[problem.file], problem.row))
        raise InputRefused(problems[:MOST_PROBLEMS])
    services = _services(counted, is_history=len(choices) > 1)
    names = {report.file.name for report in counted}
    iam_users, roots = (
        _of_files(users, np.concatenate(kept[id(users)]), counted, services)
        for users in (rows.users, rows.roots)
    )
    return Report(
        files=tuple(report.file for report in counted),
        content_notes=notes_on_content(counted, folded_notes(notes)),
        iam_users=iam_users,
        root_users=roots,
        sha256=frozenset(report.file.sha256 for report in reports),
        superseded=tuple(
            FileReference(name=report.file.name, sha256=report.file.sha256)
            for report in reports
            if report.file.name not in names
        ),
        older=older,
    )


def _of_files(
    users: Users,
    at: np.ndarray,
    reports: Sequence[ReadReport],
    services: Mapping[tuple[int, str, str], str],
) -> Users:
    """Return the users at these positions as those of the reports that count."""
    part = users if len(at) == len(users) else users.take(at)
    positions = np.zeros(max((report.at for report in reports), default=0) + 1, np.int32)
    positions[[report.at for report in reports]] = np.arange(len(reports))
    file = positions[part.file]
    as_of = np.array([report.file.as_of.replace(tzinfo=None) for report in reports], "M8[s]")
    source = np.array([code_of(report.file.as_of_source) for report in reports], np.int8)
    part = part.of_files(file, as_of)
    added = {columns.AS_OF_SOURCE: word_column(source[file], AsOfSource)}
    return part.with_users({**added, columns.SERVICE_CREDENTIALS: _listed(part, services)})


def _services(
    reports: Sequence[ReadReport], *, is_history: bool
) -> dict[tuple[int, str, str], str]:
    """Return the services of active credentials by file, account and user (in lower case).

    If several reports of one account have lists, all lists count for all these reports. In a
    history a report has only its own list.
    """
    covered = [
        (at, report, account, (at if is_history else -1, account))
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


def _listed(users: Users, services: Mapping[tuple[int, str, str], str]) -> pa.DictionaryArray:
    """Return the services of each user's active service-specific credentials, if known."""
    if not services:
        return word_column(np.zeros(len(users), np.int8), [""])
    names = pc.utf8_lower(users.text[columns.USER]).to_pylist()
    keys = zip(users.file.tolist(), values.texts(users.account).to_pylist(), names, strict=True)
    listed = pa.array([services.get(user, "") for user in keys], pa.large_string())
    return listed.dictionary_encode()


# Rows of one user


def _positions(users: Users, report: ReadReport) -> np.ndarray:
    """Return the positions of a report's users, without those of its superseded accounts."""
    # Of another type, the bounds would cast the whole column for each report.
    bounds = np.array([report.at, report.at + 1], users.file.dtype)
    at = np.arange(*np.searchsorted(users.file, bounds))
    if not report.superseded:
        return at
    accounts = users.account.dictionary.to_pylist()
    gone = [code for code, account in enumerate(accounts) if account in report.superseded]
    return np.asarray(at[~np.isin(users.account.indices.to_numpy()[at], gone)])


def _first_rows(users: Users, hashes: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return for each position the first of these positions with the same ARN."""
    ordered = np.sort(hashes[at])
    if not (ordered[1:] == ordered[:-1]).any():
        return at
    code = users.arn.take(pa.array(at)).dictionary_encode().indices.to_numpy()
    _, first, of_row = np.unique(code, return_index=True, return_inverse=True)
    return np.asarray(at[first[of_row]])


def _difference_problems(
    reports: Iterable[ReadReport], later: Users, first: Users
) -> Iterator[Problem]:
    """Yield a problem for each row that differs from the first of its user, in any column.

    Moments and booleans in another form are equal.
    """
    differing: dict[int, list[str]] = defaultdict(list)
    for name in columns.IN_REPORT:
        here, there = (
            values.texts(users.text[name]).fill_null(_LACKING) for users in (later, first)
        )
        for at in np.flatnonzero(np.asarray(pc.not_equal(here, there)))[:MOST_PROBLEMS].tolist():
            differing[at].append(name)
    file_names = {report.at: report.file.name for report in reports}
    for at, names in sorted(differing.items()):
        (file, row), (other_file, other_row) = (
            (file_names[int(users.file[at])], int(users.row[at])) for users in (later, first)
        )
        where = f"row {other_row}{f' of {other_file}' if other_file != file else ''}"
        message = f"differs from {where}, of the same user, in {short_list(names)}"
        user = later.words[columns.USER][at].as_py()
        yield Problem(file, row, columns.USER, user, message, _JOINED_HINT)


def _with_repeated(
    reports: Iterable[ReadReport], repeated: Mapping[tuple[int, str, bool], int]
) -> Iterator[ReadReport]:
    """Yield the reports with the number of their repeated rows, by report, account and root."""
    if not repeated:
        yield from reports
        return
    for report in reports:
        counted = []
        for counts in report.file.accounts:
            users, roots = (
                repeated.get((report.at, counts.account, of_roots), 0) for of_roots in (False, True)
            )
            number = users + roots
            counted.append(replace(counts, roots=counts.roots - roots, repeated=number))
        number = sum(counts.repeated for counts in counted)
        yield replace(report, repeated=number, file=replace(report.file, accounts=(*counted,)))


# Reports of one account


def _newest(reports: Sequence[ReadReport]) -> _Choice:
    """Return the reports that count, of each account the newest."""
    if len(reports) == 1:
        return _Choice(reports)
    distinct, copies = without_copies(reports)
    newest, older = _without_superseded_accounts(distinct)
    notes = [
        *(copy_note(copy.file.name, first.file.name) for copy, first in copies),
        *superseded_notes(older),
    ]
    return _Choice(newest, [*_older_parts(older), *_earlier_copies(copies)], notes)


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
        copies[report.text.content.csv_sha256].append(report)
    best = [copies[report.text.content.csv_sha256] for report in reports]
    pairs = [*zip(reports, best, strict=True)]
    merged = [_with_credentials_of(same, report) for report, same in pairs if same[0] is report]
    return merged, [(report, same[0]) for report, same in pairs if same[0] is not report]


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
    is_older = moments[0] != chosen.own_as_of and not any(
        copy.own_source is AsOfSource.ASSUMED for copy in newest if copy.text.service_credentials
    )
    file = replace(
        chosen.file,
        service_credentials=listed[0].file,
        shows_service_credentials=shows,
        has_older_list=is_older,
        listed_credentials=listed_credentials(active),
    )
    return replace(chosen, text=text, file=file)


def _older_parts(older: Iterable[_Superseded]) -> Iterator[ReadReport]:
    """Yield the parts of older reports whose accounts have a newer report."""
    for report, newer in older:
        others = {account.account for account in report.file.accounts} - {*newer}
        yield _as_of_its_own(_without_accounts(report, others))


def _earlier_copies(copies: Iterable[tuple[ReadReport, ReadReport]]) -> Iterator[ReadReport]:
    """Yield the copies of other moments than what counts instead, those of one moment once.

    They have the lists of their own moment.
    """
    of_moment: dict[tuple[str, datetime], list[ReadReport]] = defaultdict(list)
    for copy, first in copies:
        if copy.is_in_order_with(first):
            of_moment[copy.text.content.csv_sha256, copy.own_as_of].append(_as_of_its_own(copy))
    for alike in of_moment.values():
        yield _with_credentials_of(alike, alike[0])


def _as_of_its_own(report: ReadReport) -> ReadReport:
    """Return an older report as of its own time: `--as-of` is the time of the newer ones."""
    own: dict[str, Any] = {"as_of": report.own_as_of, "as_of_source": report.own_source}
    return replace(report, file=replace(report.file, **own))


def _without_accounts(report: ReadReport, superseded: Iterable[str]) -> ReadReport:
    gone = frozenset(superseded)
    if not gone:
        return report
    accounts = tuple(counts for counts in report.file.accounts if counts.account not in gone)
    return replace(report, superseded=gone, file=replace(report.file, accounts=accounts))
