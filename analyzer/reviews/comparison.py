"""Compare workbooks and CSV files with the reports that they were made from.

Only this proves that nobody forged cells and records, or took a user out of a list.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Protocol

from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.decisions import ledger
from analyzer.decisions.decision import LedgerLine, User, baseline_in_row
from analyzer.decisions.entries import DecisionFile
from analyzer.decisions.record import (
    CreationSeconds,
    ReviewRecord,
    UserRecord,
    rows_of_users_csv,
    same_second_names,
)
from analyzer.decisions.review_list_layout import (
    ACCOUNT_NAME,
    ACCOUNT_OWNER,
    EARLIER_DECISION,
    OWNER,
    OWNER_LEFT,
    RECORD,
    USER,
)
from analyzer.errors import InputRefused, Problem
from analyzer.lists.owners import Owners
from analyzer.report.model import Exemptions, Report
from analyzer.report.values import timestamp
from analyzer.terms import VERSION, SplitBy, count_text, short_list, utc_text


@dataclass(frozen=True, kw_only=True)
class GivenReports:
    """Hold the reports to compare with, and the lists that workbooks may be made with.

    `analysis` is of the newest reports, `older` returns all. `records_of` returns the records of
    all users whom reports put on the lists of a review, with exemptions and owners. `decided` are
    users with a word in the ledger: a list may lack them.
    """

    analysis: Analysis
    older: Callable[[], Report]
    records_of: Callable[[Report, ReviewRecord, Exemptions, Owners], Iterable[str]]
    exemptions: Exemptions = field(default_factory=Exemptions)
    owners: Owners = field(default_factory=Owners)
    decided: Collection[User] = ()

    def report_of(self, review: ReviewRecord) -> Report:
        """Return the newest reports, or all if the review was made from others."""
        newest = self.analysis.report
        names = {(file.sha256, utc_text(file.as_of)) for file in newest.files}
        has_all = all((sha256, as_of) in names for _, sha256, as_of in review.reports)
        return newest if has_all else self.older()


class RecordedRow(Protocol):
    """Describe a row of a list that has a record."""

    @property
    def record(self) -> UserRecord:
        """Return the record."""

    def problem(self, head: str, message: str, hint: str) -> Problem:
        """Return a problem of the cell under a head."""


_SAME_REPORT_HINT: Final = "Name the reports that it was made from, unchanged, with --report."
_NOT_FROM_REPORT: Final = (columns.EXEMPTION, *columns.OWNERSHIP, columns.ACCOUNT_NAME)
_HEADS_NOT_FROM_REPORT: Final = (
    *(USER, EARLIER_DECISION, OWNER, OWNER_LEFT),
    *(ACCOUNT_NAME, ACCOUNT_OWNER),
)


def report_problems(
    name: str, review: ReviewRecord, rows: Sequence[RecordedRow], given: GivenReports
) -> Iterator[Problem]:
    """Yield a problem for each difference between the lists and those that reports give."""
    report = given.report_of(review)
    if problems := [*_input_problems(name, review, rows, report, given)]:
        yield from problems
        return
    texts = given.records_of(report, review, given.exemptions, given.owners)
    anew = {record.key: record for record in map(UserRecord.read, texts) if record}
    differing = [problem for row in rows for problem in _row_problems(row, anew)]
    if differing and review.version != VERSION:
        message = f"credreport {review.version} wrote the workbook, and this is {VERSION}"
        hint = f"Words may differ: collect it with credreport {review.version}."
        yield Problem.of_file(name, message, hint)
    yield from differing
    listed = {row.record.key for row in rows}
    lacking = [
        record.user[columns.ARN]
        for key, record in anew.items()
        if key not in listed and _subject(record) not in given.decided
    ]
    if lacking:
        users = f"{count_text(len(lacking), 'user')}: {short_list(lacking)}"
        hint = "Start from the file as credreport wrote it, or name its ledger with -o."
        yield Problem.of_file(name, f"the reports put more users on its lists, {users}", hint)


def _subject(record: UserRecord) -> User:
    user = record.user
    created = timestamp(user[columns.USER_CREATION_TIME])
    return User(user[columns.ACCOUNT], user[columns.USER], created)


def _input_problems(
    name: str,
    review: ReviewRecord,
    rows: Sequence[RecordedRow],
    report: Report,
    given: GivenReports,
) -> Iterator[Problem]:
    """Yield a problem for each list or report of the review that is not given."""
    lists = [("exemptions", review.exemptions, given.exemptions.file)]
    if review.split == SplitBy.OWNER:
        lists.append(("owners", review.owners, given.owners.file))
    for option, sha256, listed in lists:
        if sha256 != (listed.sha256 if listed else ""):
            made = f"with the list of SHA-256 {sha256}" if sha256 else "without such a list"
            message = f"it was made {made}, and --{option} names another or none"
            yield Problem.of_file(name, message, f"Name the same list with --{option}.")
    moments = {file.sha256: utc_text(file.as_of) for file in report.files}
    given_files = {(file.sha256, utc_text(file.as_of)) for file in report.files}
    lacking = {sha256: file for file, sha256, _ in review.reports if sha256 not in moments}
    if lacking:
        of_rows = sum(row.record.sha256 in lacking for row in rows)
        message = f"{count_text(of_rows, 'row')} come from reports that --report did not include"
        files = short_list([*lacking.values()])
        yield Problem.of_file(name, f"{message}: {files}", _SAME_REPORT_HINT)
    for file, sha256, as_of in review.reports:
        if sha256 in moments and (sha256, as_of) not in given_files:
            message = f"{file} was judged as of {as_of}, and now as of {moments[sha256]}"
            hint = f"Name the same report {file}, as it was, or set its time with --as-of."
            yield Problem.of_file(name, message, hint)


def _row_problems(
    row: RecordedRow, anew: Mapping[tuple[str, str, str], UserRecord]
) -> Iterator[Problem]:
    record = row.record
    given = anew.get(record.key)
    if given is None or given.title != record.title:
        message = "the reports do not put this user on this list"
        yield row.problem(RECORD, message, _SAME_REPORT_HINT)
        return
    for head, text in record.shown.items():
        if head not in _HEADS_NOT_FROM_REPORT and given.shown.get(head) != text:
            message = f"{given.shown.get(head) or 'nothing'} in the report; this file says {text}"
            yield replace(row.problem(head, message, _SAME_REPORT_HINT), value=None)
    facts = {
        name: (getattr(record, name), getattr(given, name))
        for name in ("file", "baseline", "has_seconds", "same_second", "service_credentials")
    }
    facts |= {
        name: (record.user[name], given.user[name])
        for name in columns.OF_USERS_CSV
        if name not in _NOT_FROM_REPORT
    }
    for name, (recorded, text) in facts.items():
        if recorded != text:
            message = f"its record has {name} {recorded}, and the report gives {text}"
            yield row.problem(RECORD, message, _SAME_REPORT_HINT)


# Decisions in CSV

_UserGiven = tuple[Mapping[str, str], datetime, list[str] | None]
"""The cells of a user as reports give them, the baseline, and the names of the same second."""
_UsersGiven = Mapping[str, Sequence[_UserGiven]]

_REPORT_HINT: Final = (
    "Name the report that it was made from, and no newer one, with the same options."
)


def csv_lines(entries: DecisionFile, analysis: Analysis) -> DecisionFile:
    """Return entries of a CSV whose lines name the users of the same second.

    Raises InputRefused with each cell that differs from the reports.
    """
    given = _users_given(entries.lines, analysis)
    if problems := [*_line_problems(entries, given)]:
        raise InputRefused(problems)
    return _with_same_second(entries, given)


def _line_problems(entries: DecisionFile, given: _UsersGiven) -> Iterator[Problem]:
    """Yield a problem for each cell of a CSV's decisions that differs from the reports.

    Decisions on other reports have one problem together.
    """
    differences: list[tuple[LedgerLine, str, str]] = []
    for line in entries.lines:
        users = given.get(line.user_key.arn)
        if not users:
            differences.append((line, columns.ARN, "no report named has this user"))
            continue
        cells = min((_differing_cells(line, *user) for user in users), key=len)
        for name, text in cells.items():
            cell = line.user_row.get(name)
            message = f"{text or 'nothing'} in the report; this file says {cell or 'nothing'}"
            differences.append((line, name, message))
    of_others = (columns.ARN, columns.AS_OF)
    others = [f"row {line.read_from.row}" for line, name, _ in differences if name in of_others]
    if len(others) > 1:
        which = f"the users and as-of of {len(others):,} decisions: {short_list(others)}"
        yield Problem.of_file(entries.file.name, f"no report named has {which}", _REPORT_HINT)
    for line, name, message in differences:
        if len(others) < 2 or name not in of_others:
            file, row, _ = line.read_from
            yield Problem(file, row, name, line.user_key.arn, message, _REPORT_HINT)


def _users_given(lines: Sequence[LedgerLine], analysis: Analysis) -> _UsersGiven:
    """Return the users of lines as the reports show them, by ARN."""
    arns = {line.user_key.arn for line in lines}
    seconds, pages = CreationSeconds(), []
    for page in analysis.pages():
        seconds.add(page)
        pages.append(page.where(page.users[columns.ARN].isin(arns).to_numpy()))
    given: dict[str, list[_UserGiven]] = {}
    for page in pages:
        files = (analysis.report.files[number] for number in page.users[columns.FILE])
        names = same_second_names(page.users, seconds.same_second())
        for cells, file, same_second in zip(rows_of_users_csv(page, {}), files, names, strict=True):
            user = cells, file.baseline, same_second
            given.setdefault(cells[columns.ARN], []).append(user)
    return given


def _with_same_second(entries: DecisionFile, given: _UsersGiven) -> DecisionFile:
    """Return entries whose lines name the users of the same second, if the reports show them."""
    names = {
        id(line): frozenset(same_second)
        for line in entries.lines
        if line.same_second is None
        for cells, baseline, same_second in given.get(line.user_key.arn, ())
        if same_second is not None and not _differing_cells(line, cells, baseline, same_second)
    }
    lines = (
        replace(line, same_second=names[id(line)]) if id(line) in names else line
        for line in entries.lines
    )
    return replace(entries, lines=(*lines,))


def _differing_cells(
    line: LedgerLine, given: Mapping[str, str], baseline: datetime, same_second: list[str] | None
) -> dict[str, str]:
    """Return the report's cells that a line does not have, by column; only as-of if it differs."""
    differing = {
        name: given[name]
        for name in columns.OF_USERS_CSV
        if name not in _NOT_FROM_REPORT
        if (cell := line.user_row[name]) != given[name]
        and _as_saved(cell) != _as_saved(given[name])
    }
    if columns.AS_OF in differing:
        return {columns.AS_OF: differing[columns.AS_OF]}
    if line.baseline not in (baseline, baseline_in_row(given)):
        differing[ledger.BASELINE] = utc_text(baseline)
    if line.same_second is not None and sorted(line.same_second) != same_second:
        differing[ledger.SAME_SECOND] = ", ".join(same_second or [])
    return differing


def _as_saved(cell: str) -> str:
    """Return a cell without what saving and reading may change: blanks, an apostrophe, case."""
    return cell.strip().removeprefix("'").casefold()
