"""Select the reports and rows that count: copies count once, and the newest report counts."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from pathlib import PurePath
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.errors import InputRefused, Problem
from analyzer.report import arns
from analyzer.report.model import NO_MOMENT, ReportTime
from analyzer.report.survey import SurveyedReport, identity_hashes, repeated_identity_hashes
from analyzer.report.values import normalized, timestamps
from analyzer.terms import (
    AWS_SOURCES,
    LONGEST_SHOWN,
    AsOfSource,
    FileNote,
    code_of,
    minute_text,
    printable,
    short_list,
    with_noun,
)

_MOST_DESCRIBED: Final = 1_000
"""The most users whose differing cells are kept in words: there may be millions of users."""

_EncodedCells: TypeAlias = tuple[list[str | None], np.ndarray]

_Superseded: TypeAlias = tuple[SurveyedReport, dict[str, SurveyedReport]]
"""An older report, and by account the newer report that counts instead."""


def selected(
    reports: Sequence[SurveyedReport],
) -> tuple[list[SurveyedReport], list[FileNote], list[SurveyedReport]]:
    """Return the reports that count, without copies and repeated rows of users, and notes on them.

    Return also the parts that do not count because another report of the account is newer. Raises
    InputRefused if it is not known which report is the newest.
    """
    distinct, same = without_copies(reports)
    newest, older = without_superseded_accounts(distinct)
    if problems := [*_order_problems(distinct, older)]:
        raise InputRefused(problems)
    suspects = repeated_identity_hashes(newest)
    counted, contradicted, files = (
        with_one_row_each(newest, suspects) if len(suspects) else (newest, {}, ())
    )
    notes = [
        *(_copy_note(*pair) for pair in same),
        *_superseded_notes(older),
        *(_repeated_row_note(report) for report in counted if len(report.repeated)),
    ]
    if contradicted:
        notes.append(_contradiction_note(counted[0].file.name, contradicted, files))
        counted = [replace(report, contradicted=contradicted) for report in counted]
    return counted, notes, [*_older_parts(older)]


def without_copies(
    reports: Sequence[SurveyedReport],
) -> tuple[list[SurveyedReport], list[tuple[SurveyedReport, SurveyedReport]]]:
    """Return each report once, whatever it was wrapped in, and pairs of (left out, counted).

    A report that AWS gave again describes the later moment too. So the copy with the newest known
    moment counts, or with equal moments the copy with the best source. The newest list of
    service-specific credentials saved with any copy counts too.
    """
    copies: dict[str, list[SurveyedReport]] = defaultdict(list)

    def preference(report: SurveyedReport) -> tuple[bool, datetime, int]:
        known = report.own_source is not AsOfSource.ASSUMED
        return known, report.own_as_of, -code_of(report.own_source)

    for report in sorted(reports, key=preference, reverse=True):
        copies[report.text.csv_sha256].append(report)
    best = {content: reports[0] for content, reports in copies.items()}
    chosen = [report for report in reports if best[report.text.csv_sha256] is report]
    same = [(report, best[report.text.csv_sha256]) for report in reports]
    merged = [_with_credentials_of(copies[report.text.csv_sha256], report) for report in chosen]
    return merged, [(copy, first) for copy, first in same if copy is not first]


def _with_credentials_of(
    copies: Sequence[SurveyedReport], chosen: SurveyedReport
) -> SurveyedReport:
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


def without_superseded_accounts(
    reports: Sequence[SurveyedReport],
) -> tuple[list[SurveyedReport], list[_Superseded]]:
    """Remove from each report the accounts that have a newer report.

    Reports to which AWS gives the same moment count together, and so do parts of one report, which
    have no user in common. A report without ARNs must have a root row, which tells accounts apart:
    `masked_accounts`.
    """

    def known(report: SurveyedReport) -> Iterator[str]:
        return (account for account in report.named_accounts if account or report.roots)

    latest: dict[str, SurveyedReport] = {}
    for report in sorted(reports, key=_order):
        latest |= dict.fromkeys(known(report), report)
    newer = []
    for report in reports:
        others = {id(latest[account]): latest[account] for account in known(report)}
        may_be_older = {at: _may_be_older_by_account(report, other) for at, other in others.items()}
        newer.append(
            {
                account: of
                for account in known(report)
                if may_be_older[id(of := latest[account])](account)
            }
        )
    reduced = (_without_accounts(*pair) for pair in zip(reports, newer, strict=True))
    older = [pair for pair in zip(reports, newer, strict=True) if pair[1]]
    return [report for report in reduced if report.file.accounts], older


def _may_be_older_by_account(
    report: SurveyedReport, latest: SurveyedReport
) -> Callable[[str], bool]:
    """Return a function that says for an account whether a report may be older than the latest.

    Of two reports of one day, or with an equal newest timestamp, either may be older, if they have
    users of the account in common and are not equal.
    """
    if report.own_as_of != latest.own_as_of:
        is_older = _order(report) < _order(latest)
        return lambda _: is_older
    is_one_moment = report.own_source in AWS_SOURCES or report.own_source is not latest.own_source
    if is_one_moment or report is latest:
        return lambda _: False
    suspects = repeated_identity_hashes([report, latest])
    _, contradicted, _ = with_one_row_each([report, latest], suspects)
    own, others = (_users_by_account(side) for side in (report, latest))

    def differs(account: str) -> bool:
        has_common = not own[account].isdisjoint(others[account])
        return has_common and bool(contradicted or own[account] != others[account])

    return differs


def _users_by_account(report: SurveyedReport) -> Mapping[str, set[int]]:
    """Return the hashes of the identities of the users of each account."""
    users = defaultdict[str, set[int]](set)
    for table in report.tables(of_roots=False):
        of_users = table.filter(pc.invert(arns.is_root(table)))
        accounts = report.account_ids(of_users).to_pandas()
        for account, hashes in pd.Series(identity_hashes(of_users)).groupby(accounts):
            users[account].update(hashes)
    return users


def _order(report: SurveyedReport) -> tuple[datetime, datetime]:
    """Return the earliest time that a report can have, and its as-of."""
    as_of = report.own_as_of
    return ReportTime(as_of, report.own_source, report.newest).earliest, as_of


def _order_problems(
    reports: Sequence[SurveyedReport], older: Iterable[_Superseded]
) -> Iterator[Problem]:
    """Yield a problem for each latest report, with all reports that may be newer.

    An assumed as-of is a lower bound, and a day without a time may be its end, so the rows must
    show that a report is older; with equal times they cannot. Reports with the same rows are one
    report, and its better known time counts.
    """
    unknown: dict[int, list[tuple[SurveyedReport, SurveyedReport, str]]] = defaultdict(list)
    for old, newer in older:
        is_assumed = old.own_source is AsOfSource.ASSUMED
        unsure = {
            account: new
            for account, new in newer.items()
            if is_assumed or old.own_as_of > _order(new)[0]
        }
        source = code_of(old.own_source)
        better = (report for report in reports if code_of(report.own_source) < source)
        if not unsure or any(_has_same_rows(old, report) for report in better):
            continue
        for account, new in unsure.items():
            if _order(old) == _order(new) or not _is_shown_older(old, new, account):
                unknown[id(new)].append((old, new, account))
    for pairs in unknown.values():
        yield _order_problem(pairs[0][1], [(old, account) for old, _, account in pairs])


def _order_problem(new: SurveyedReport, unknown: Sequence[tuple[SurveyedReport, str]]) -> Problem:
    """Return the problem of the reports that may be newer than the latest one."""
    names = [*dict.fromkeys(old.file.name for old, _ in unknown)]
    accounts = [*dict.fromkeys(_account_text(account) for _, account in unknown)]
    message = (
        f"no generation time, so perhaps newer than {new.file.name} ({_as_of_text(new)}), another"
        f" report of {with_noun('account', accounts)}"
    )
    example = PurePath(names[0].replace(":", "/"))
    put_day = (
        ", put the day of the report in the name of the file or its folder, such as"
        f" {example.stem}-2026-02-02{example.suffix},"
    )
    has_day = unknown[0][0].own_source is AsOfSource.FOLDER
    hint = (
        f"Keep the name that the console gives{'' if has_day else put_day} or leave out the older"
        " of the reports."
    )
    file_names = f"{len(names):,} reports ({short_list(names)})" if len(names) > 1 else names[0]
    return replace(Problem.of_file(file_names, message, hint), files=(*names,))


_IDENTITY: Final = "identity"
_USER: Final = (_IDENTITY, columns.USER_CREATION_TIME)

_FORWARD_ONLY: Final = (
    ([*_USER], columns.PASSWORD_LAST_USED),
    ([*_USER], columns.PASSWORD_LAST_CHANGED),
    *(([*_USER, key.last_rotated], key.last_used_date) for key in columns.ACCESS_KEYS),
)
"""The moments that never go back, each with its subject: a user, or one of its access keys."""


def _is_shown_older(old: SurveyedReport, new: SurveyedReport, account: str) -> bool:
    """Return whether a moment that never goes back is later in the new report, and none earlier."""
    before, after = (_moments(side, account) for side in (old, new))
    changes = [
        after.groupby(of)[name].min().sub(before.groupby(of)[name].max()).dropna()
        for of, name in _FORWARD_ONLY
    ]
    change = pd.concat(changes, ignore_index=True)
    return bool((change > pd.Timedelta(0)).any() and (change >= pd.Timedelta(0)).all())


def _moments(report: SurveyedReport, account: str) -> pd.DataFrame:
    """Return the moments of each row of an account, to the minute: a spreadsheet cuts seconds."""
    parts: list[pd.DataFrame] = []
    for table in report.tables(of_roots=False):
        rows = table.filter(pc.equal(report.account_ids(table), account))
        none = np.full(len(rows), NO_MOMENT)
        moments = {
            name: timestamps(rows[name].combine_chunks()) if name in rows.column_names else none
            for name in dict.fromkeys(chain(*((*of[1:], name) for of, name in _FORWARD_ONLY)))
        }
        minutes = {name: values.astype("M8[m]").astype("M8[s]") for name, values in moments.items()}
        parts.append(pd.DataFrame({_IDENTITY: identity_hashes(rows), **minutes}))
    return pd.concat(parts)


def _has_same_rows(one: SurveyedReport, other: SurveyedReport) -> bool:
    """Return whether two reports have the same rows, whatever the form of moments and booleans."""
    if one.newest != other.newest or not np.array_equal(
        np.unique(one.identities), np.unique(other.identities)
    ):
        return False
    _, contradicted, _ = with_one_row_each([one, other], repeated_identity_hashes([one, other]))
    return not contradicted


def _older_parts(older: Iterable[_Superseded]) -> Iterator[SurveyedReport]:
    """Yield the parts of older reports whose accounts have a newer report.

    Each part keeps the report's own time: `--as-of` is the time of the newer reports.
    """
    for report, newer in older:
        part = _without_accounts(
            report, {account.account for account in report.file.accounts} - {*newer}
        )
        own: dict[str, Any] = {"as_of": report.own_as_of, "as_of_source": report.own_source}
        yield replace(part, file=replace(part.file, **own))


def _without_accounts(report: SurveyedReport, superseded: Collection[str]) -> SurveyedReport:
    if not superseded:
        return report
    accounts = tuple(
        account for account in report.file.accounts if account.account not in superseded
    )
    counts = accounts if any(account.account for account in accounts) else ()
    file = replace(report.file, accounts=counts)
    return replace(report, superseded=frozenset(superseded), file=file)


def with_one_row_each(
    reports: Sequence[SurveyedReport], suspects: pa.Array
) -> tuple[list[SurveyedReport], dict[str, dict[str, str]], list[tuple[str, str]]]:
    """Count the first row of each user and root, and no other.

    `suspects` are the hashes of identities that occur more than once. Return also the identities
    whose rows differ, with the differing cells by column, and the pairs of files with such rows, if
    they are in two files. Moments and booleans in another form do not differ.
    """
    users, roots = _ComparedRows(), _ComparedRows()
    counted = [
        _without_repeated_rows(report, _repeated_rows(report, suspects, users, roots))
        for report in reports
    ]
    cells_by_identity: dict[str, dict[int, str]] = defaultdict(dict)
    for identity, contradicted in chain(users.contradicted.items(), roots.contradicted.items()):
        cells_by_identity[identity] |= contradicted
    differing = {
        identity: {columns.IN_REPORT[at]: contradicted[at] for at in sorted(contradicted)}
        for identity, contradicted in cells_by_identity.items()
    }
    return counted, differing, [*(users.files | roots.files)]


def _repeated_rows(
    report: SurveyedReport, suspects: pa.Array, users: "_ComparedRows", roots: "_ComparedRows"
) -> list[pa.Table]:
    """Return user, ARN and number of the rows of users and roots that had an earlier row."""
    repeated: list[pa.Table] = []
    for table in report.tables(of_roots=False):
        suspect = pc.is_in(pa.array(identity_hashes(table)), suspects)
        rows = report.rows_that_count(table.filter(suspect))
        root = arns.is_root(rows)
        for compared, of_kind in ((users, pc.invert(root)), (roots, root)):
            if len(some := rows.filter(of_kind)):
                again = pa.array(compared.repeats(some, report.file.name))
                repeated.append(some.select([columns.USER, columns.ARN, columns.ROW]).filter(again))
    return [rows for rows in repeated if len(rows)]


@dataclass(slots=True)
class _ComparedRows:
    """Compare the rows of each user, a table at a time: there may be millions.

    `first` has the file, number and cells of each user's first row, by identity. `contradicted`
    describes, by identity and position of a column, the first row and the first that differs.
    `files` has the pairs of files of such rows, if they are in two files.
    """

    first: dict[str, tuple[str, int, tuple[str | None, ...]]] = field(default_factory=dict)
    contradicted: dict[str, dict[int, str]] = field(default_factory=lambda: defaultdict(dict))
    files: dict[tuple[str, str], None] = field(default_factory=dict)

    def repeats(self, table: pa.Table, file: str) -> np.ndarray:
        """Return which rows are of a user with an earlier row, and compare them with that row."""
        cells = [_cells(name, table) for name in columns.IN_REPORT]
        words, codes = _encoded(arns.identities(table))
        user, at, own = np.unique(codes, return_index=True, return_inverse=True)
        users, rows = [str(words[code]) for code in user.tolist()], at.tolist()
        numbers = table[columns.ROW].to_pylist()
        repeated = np.ones(len(codes), bool)
        repeated[[row for name, row in zip(users, rows, strict=True) if name not in self.first]] = 0
        first = [
            self.first.setdefault(
                name, (file, numbers[row], tuple(words[codes[row]] for words, codes in cells))
            )
            for name, row in zip(users, rows, strict=True)
        ]
        for position, (words, codes) in enumerate(cells):
            known = {word: code for code, word in enumerate(words)}
            code = np.array([known.get(row[position], -1) for _, _, row in first], np.int64)
            odd = np.flatnonzero(codes != code[own])
            for user_at, of in zip(*np.unique(own[odd], return_index=True), strict=True):
                other, number, row = first[user_at]
                own_file, its_file = ("", "") if other == file else (f" of {other}", f" of {file}")
                self.files |= {(other, file): None} if other != file else {}
                text = f"row {number}{own_file} has {_shown(row[position])}, row {numbers[odd[of]]}"
                text += f"{its_file} has {_shown(words[codes[odd[of]]])}"
                described = text if len(self.contradicted) < _MOST_DESCRIBED else ""
                self.contradicted[users[user_at]].setdefault(position, described)
        return repeated


def _shown(cell: str | None) -> str:
    return "no such cell" if cell is None else f'"{printable(cell[:LONGEST_SHOWN])}"'


def _cells(name: str, table: pa.Table) -> _EncodedCells:
    """Return a column's distinct cells, in one form, and each row's position (int64) in them."""
    if name not in table.column_names:
        return [None], np.zeros(table.num_rows, np.int64)
    return _encoded(normalized(name, table[name].combine_chunks()))


def _encoded(cells: pa.Array) -> _EncodedCells:
    encoded = cells.dictionary_encode()
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int64)


def _without_repeated_rows(report: SurveyedReport, repeated: list[pa.Table]) -> SurveyedReport:
    """Return the report without the repeated rows, which are counted as such."""
    if not repeated:
        return report
    table = pa.concat_tables(repeated)
    account, rows = report.account_ids(table), np.sort(table[columns.ROW].to_numpy())
    every = Counter(account.to_pylist())
    roots = Counter(account.filter(arns.is_root(table)).to_pylist())
    accounts = tuple(
        replace(
            account, roots=account.roots - roots[account.account], repeated=every[account.account]
        )
        for account in report.file.accounts
    )
    file = replace(report.file, accounts=accounts)
    return replace(report, repeated=rows, file=file)


# Notes


def _copy_note(copy: SurveyedReport, first: SurveyedReport) -> FileNote:
    text = f"{copy.file.name} is the same report as {first.file.name}: counted once."
    return FileNote(copy.file.name, text, "files are the same report as another, counted once")


def _superseded_notes(older: Iterable[_Superseded]) -> Iterator[FileNote]:
    many = "reports are not counted for an account that has a newer one"
    accounts: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    for old, newer in older:
        for account, new in newer.items():
            key = old.file.name, _as_of_text(old), new.file.name, _as_of_text(new)
            accounts[key].append(_account_text(account))
    for (old_name, old_at, new_name, new_at), which in accounts.items():
        text = (
            f"{old_name} ({old_at}) is not counted for {with_noun('account', which)}:"
            f" {new_name} is newer ({new_at})."
        )
        yield FileNote(old_name, text, many)


def _account_text(account: str) -> str:
    return account or "(number unknown)"


def _as_of_text(report: SurveyedReport) -> str:
    unsure = {AsOfSource.ASSUMED: ", assumed: perhaps later", AsOfSource.FOLDER: ", or earlier"}
    return f"{minute_text(report.own_as_of)}{unsure.get(report.own_source, '')}"


def _contradiction_note(
    file: str, identities: Iterable[str], files: Iterable[tuple[str, str]]
) -> FileNote:
    # Without an ARN, the identity is a word in its place with the name of the user.
    users = (
        identity if identity.startswith("arn:") else identity.rpartition("/")[2]
        for identity in identities
    )
    note = (
        "Rows of the same ARN differ, so the cells in which they do are unknown:"
        f" {short_list(sorted(users))}."
    )
    if pairs := [f"{one} and {other}" for one, other in files]:
        note += f" Such rows are in {short_list(pairs)}: give one of the two."
    many = (
        "reports have rows of the same ARN that differ, so the cells in which they do are unknown"
    )
    return FileNote(file, note, many)


def _repeated_row_note(report: SurveyedReport) -> FileNote:
    count = len(report.repeated)
    what = "1 row repeats a user" if count == 1 else f"{count:,} rows repeat users"
    text = f"{report.file.name}: {what} of another row: each user counts once."
    many = "reports have rows that repeat users of other rows; each user counts once"
    return FileNote(report.file.name, text, many)
