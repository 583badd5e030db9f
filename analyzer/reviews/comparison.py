"""Compare workbooks and CSV files with the reports that they were made from.

Only this proves that nobody forged cells and records, or took a user out of a list.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.decisions import ledger
from analyzer.decisions.decision import LedgerLine, User, open_row
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
from analyzer.report.model import Exemptions
from analyzer.report.report import Report
from analyzer.reviews.list_sheets import ListRow
from analyzer.terms import VERSION, SplitBy, count_text, short_list, utc_text, version_text


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


_SAME_REPORT_HINT: Final = "Name the reports that it was made from, unchanged, with --report."
_FROM_REPORT: Final = tuple(
    name
    for name in columns.OF_USERS_CSV
    if name not in (columns.EXEMPTION, *columns.OWNERSHIP, columns.ACCOUNT_NAME)
)
_HEADS_NOT_FROM_REPORT: Final = (
    *(USER, EARLIER_DECISION, OWNER, OWNER_LEFT),
    *(ACCOUNT_NAME, ACCOUNT_OWNER),
)


def report_problems(
    name: str, review: ReviewRecord, rows: Sequence[ListRow], given: GivenReports
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
        made_by = version_text(review.version)
        message = f"{made_by} of credreport wrote the workbook, and this is {VERSION}"
        hint = "Words may differ: collect it with the version that wrote it."
        yield Problem.of_file(name, message, hint)
    yield from differing
    listed = {row.record.key for row in rows}
    lacking = [
        record.user[columns.ARN]
        for key, record in anew.items()
        if key not in listed and open_row(record.user).user not in given.decided
    ]
    if lacking:
        users = f"{count_text(len(lacking), 'user')}: {short_list(lacking)}"
        hint = "Start from the file as credreport wrote it, or name its ledger with -o."
        yield Problem.of_file(name, f"the reports put more users on its lists, {users}", hint)


def _input_problems(
    name: str,
    review: ReviewRecord,
    rows: Sequence[ListRow],
    report: Report,
    given: GivenReports,
) -> Iterator[Problem]:
    """Yield a problem for each list or report of the review that is not given."""
    recorded = {option: sha256 for option, sha256, _ in review.lists}
    lists = [("exemptions", given.exemptions.file)]
    if review.split == SplitBy.OWNER:
        lists.append(("owners", given.owners.file))
    for option, listed in lists:
        sha256 = recorded.get(option, "")
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
    row: ListRow, anew: Mapping[tuple[str, str, str], UserRecord]
) -> Iterator[Problem]:
    record = row.record
    given = anew.get(record.key)
    if given is None or given.title != record.title:
        message = "the reports do not put this user on this list"
        yield row.problem(RECORD, message, _SAME_REPORT_HINT)
        return
    for head, text in record.shown.items():
        if head not in _HEADS_NOT_FROM_REPORT and given.shown.get(head) != text:
            message = difference_text(given.shown.get(head), text)
            yield replace(row.problem(head, message, _SAME_REPORT_HINT), value=None)
    names = ("file", "baseline", "same_second", "service_credentials")
    facts = [(name, getattr(record, name), getattr(given, name)) for name in names]
    facts += [(name, record.user[name], given.user[name]) for name in _FROM_REPORT]
    for name, recorded, text in facts:
        if recorded != text:
            message = f"its record has {name} {recorded}, and the report gives {text}"
            yield row.problem(RECORD, message, _SAME_REPORT_HINT)


def difference_text(given: str | None, cell: str) -> str:
    """Return that a report and a cell differ, for a problem of the cell."""
    return f"{given or 'nothing'} in the report; this file says {cell or 'nothing'}"


# Decisions in CSV


def with_same_second(entries: DecisionFile, analysis: Analysis) -> DecisionFile:
    """Return decisions in a CSV with the names of the users of the same second.

    Raises InputRefused with each cell that differs from the reports.
    """
    arns = {line.arn for line in entries.lines}
    seconds, pages = CreationSeconds(), []
    for page in analysis.judged.slices():
        seconds.add(page)
        pages.append(page.where(page.users[columns.ARN].isin(arns).to_numpy()))
    same_second = seconds.same_second()
    given: dict[tuple[str, str], tuple[dict[str, str], list[str]]] = {}
    for page in pages:
        rows, names = rows_of_users_csv(page, {}), same_second_names(page.users, same_second)
        for row, alike in zip(rows, names, strict=True):
            given[row[columns.ARN], row[columns.AS_OF]] = row, alike
    lines, problems = list[LedgerLine](), list[Problem]()
    for line in entries.lines:
        file, at, _ = line.read_from
        user = given.get((line.arn, utc_text(line.as_of)))
        if user is None:
            message = "no report named has this user as of this time"
            problems.append(Problem(file, at, columns.ARN, None, message, _SAME_REPORT_HINT))
            continue
        for name, text, cell in _differing_cells(line, *user):
            message, arn = difference_text(text, cell), line.arn
            problems.append(Problem(file, at, name, arn, message, _SAME_REPORT_HINT))
        lines.append(replace(line, same_second=frozenset(user[1])))
    if problems:
        raise InputRefused(problems)
    return replace(entries, lines=(*lines,))


def _differing_cells(
    line: LedgerLine, given: Mapping[str, str], same_second: list[str]
) -> Iterator[tuple[str, str, str]]:
    """Yield the name, the text in the report and the cell of each cell that differs."""
    for name in _FROM_REPORT:
        cell = line.user_row[name]
        if _as_saved(cell) != _as_saved(given[name]):
            yield name, given[name], cell
    if line.same_second is not None and sorted(line.same_second) != same_second:
        yield ledger.SAME_SECOND, ", ".join(same_second), ", ".join(sorted(line.same_second))


def _as_saved(cell: str) -> str:
    """Return a cell without what saving and reading may change: blanks, an apostrophe, case."""
    return cell.strip().removeprefix("'").casefold()
