"""Make one Report of many texts: refuse them with every problem, choose the rows that count.

Copies count once, of reports of one account the newest counts. Equal rows of one user count once,
different ones are refused.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.errors import InputRefused, Problem
from analyzer.report import values
from analyzer.report.counted_rows import CountedRows
from analyzer.report.notes import (
    copy_note,
    masked_problem,
    notes_on_content,
    order_problem,
    repeated_row_note,
    superseded_notes,
)
from analyzer.report.read_reports import Opener, ReadReport, Rows, read_reports
from analyzer.report.report import Report
from analyzer.report.report_text import check_as_of
from analyzer.terms import AsOfSource, FileNote, code_of, folded_notes, short_list


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
        selected = CountedRows(self.rows, keep, counted, each_counts)
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
