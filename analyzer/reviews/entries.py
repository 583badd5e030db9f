"""Read the entries of reviewers in workbooks, and check that their rows show what the report says.

All visible cells of a row, except the five entries, must agree with its record. Rows may be sorted;
a row whose columns were sorted apart is refused, not guessed at.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import islice
from pathlib import Path, PurePath
from typing import Final, NamedTuple

import numpy as np

from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.decisions import ledger
from analyzer.decisions.decision import (
    CHOICES,
    Decision,
    EntryPlace,
    LedgerLine,
    OpenRow,
    baseline_in_row,
    open_row,
)
from analyzer.decisions.entries import ENTRIES, DecisionFile, entry_problems, identity_problems
from analyzer.decisions.review_list_layout import ACCOUNT, ARN, DECISION, ENTRY_HEADS, RECORD, USER
from analyzer.decisions.user_record import (
    UserRecord,
    file_identity,
    judged_pages,
    parsed_record,
    record_differences,
    report_files,
    rows_of_users_csv,
    same_second_names,
    users_and_seconds,
)
from analyzer.errors import InputRefused, Problem
from analyzer.lists.csv_lists import file_reference
from analyzer.report.model import AccountName, FileReference
from analyzer.report.users import Users
from analyzer.reviews.list_sheets import (
    NEEDED,
    SAVED_COPY_HINT,
    ListSheet,
    Summary,
    is_of_entry,
    lists_and_summary,
)
from analyzer.reviews.xlsx_reader import CellError, CellValue, text_of
from analyzer.terms import VERSION, count_text, printable, short_list, utc_text
from analyzer.writers.workbook.review_lists import REVIEW_LISTS

_CHUNK: Final = 8_192  # rows that are compared at a time, to keep the memory small
_MOST_PROBLEMS: Final = 1_000
_REPORT_NOT_NAMED: Final = "the Summary does not name the report of this row"
SPREADSHEET_ENDINGS: Final = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_ENTRY_BY_HEAD: Final = dict(zip(ENTRY_HEADS, ENTRIES, strict=True))
"""The name of each entry in the ledger, by head."""


def read_files(
    files: Iterable[tuple[str, bytes]],
    today: date,
    analysis: Analysis | None = None,
    with_older: Callable[[], Analysis] | None = None,
) -> list[DecisionFile]:
    """Return the entries of workbooks, and of CSV files in the form of the ledger.

    `today` is the day of collecting. With an analysis, each row of a workbook and each decision of
    a CSV is compared with its reports. `with_older` returns an analysis in which older reports of
    an account count too, for a workbook that was made from them.

    Raises InputRefused with the problems of all files.
    """
    read: list[DecisionFile] = []
    problems: list[Problem] = []
    for name, content in files:
        try:
            if _may_be_workbook(name, content):
                read.append(read_review(name, content, today, "", analysis, with_older=with_older))
            else:
                entries = ledger.read_entries(name, content, today)
                given = _users_given(entries.lines, analysis) if analysis else {}
                problems += _line_problems(entries, given) if analysis else ()
                read.append(_with_same_second(entries, given))
        except InputRefused as error:
            problems += error.problems
    if problems:
        raise InputRefused(problems)
    return read


def may_hold_decisions(name: str, content: bytes) -> bool:
    """Return whether a file of a folder is read: a workbook or a CSV, by its name or content."""
    lower = name.lower()
    if lower.endswith(".csv") or _may_be_workbook(name, content):
        return not lower.endswith(".docx")
    # The content of a pipe is empty here: opening it could wait for ever.
    return bool(content) and ledger.holds_decisions(Path(name))


def _may_be_workbook(name: str, content: bytes) -> bool:
    return content.startswith(b"PK") or name.lower().endswith(SPREADSHEET_ENDINGS)


def read_review(  # noqa: PLR0913  the arguments of `read_files`
    name: str,
    content: bytes,
    today: date,
    workbook: str = "",
    analysis: Analysis | None = None,
    *,
    with_older: Callable[[], Analysis] | None = None,
) -> DecisionFile:
    """Return the entries of a workbook of that name and content, collected `today`.

    `workbook` is its name in the ledger, by default the name of the file without folders. With an
    analysis, each row is compared with its reports. Raises InputRefused with every problem of the
    file, its sheets, rows, cells and entries.
    """
    file = file_reference(name, content)
    label = replace(file, name=printable(workbook) or PurePath(file.name).name)
    lists, summary = lists_and_summary(name, content)
    every = (problem for sheet in lists for problem in sheet.cell_problems())
    problems = [*islice(every, _MOST_PROBLEMS + 1)]
    lines: list[LedgerLine] = []
    open_rows: list[OpenRow] = []
    rows: list[_Row] = []
    users: dict[tuple[str, int], str] = {}
    for listed in (listed for sheet in lists for listed in _listed(sheet, today, problems)):
        record = listed.at.record
        users[record.sha256, record.row] = listed.title
        # Records take two fifths of the memory, and few reviews need them afterwards.
        if analysis or record.sha256 not in summary.texts:
            rows.append(listed.at)
        if not any(listed.entered.values()):
            row = open_row(listed.user_row)
            open_rows.append(row._replace(earlier=record.earlier))
        elif not problems:
            lines.append(_line(label, listed))
    foreign = (row for row in rows if row.record.sha256 not in summary.texts)
    problems = problems or [
        *(row.problem(_REPORT_NOT_NAMED, SAVED_COPY_HINT) for row in foreign),
        *summary.changed_count_problems(Counter(users.values())),
    ]
    if analysis and not problems:
        problems += _report_problems(name, rows, analysis, analysis.pages())
        if problems and with_older:
            older = with_older()
            problems = [*_report_problems(name, rows, older, _pages_of_rows(older, rows))]
    if problems:
        of_entries = all(map(is_of_entry, problems))
        raise InputRefused([*(() if of_entries else _other_version_problem(summary)), *problems])
    entered = [line.read_from for line in lines]
    notes = (
        note
        for sheet in lists
        for note in sheet.entry_notes([row for place, row, _ in entered if place == sheet.place])
    )
    return DecisionFile(file, tuple(lines), tuple(open_rows), label.name, tuple(notes))


def _other_version_problem(summary: Summary) -> Iterator[Problem]:
    """Yield a problem if another version wrote the workbook: its words may differ."""
    this = f"credreport {VERSION}"
    others = sorted(filter(re.compile(r"credreport \d\S*").fullmatch, summary.texts - {this}))
    if others and this not in summary.texts:
        message = f"{others[0]} wrote the workbook, and this is {this}: words may differ"
        yield Problem.of_file(summary.place, message, f"Collect it with {others[0]}.")


class _Row(NamedTuple):
    """Hold the position of a row in the cells of its list, and the record of its user."""

    sheet: ListSheet
    position: int
    record: UserRecord

    def problem(self, message: str, hint: str) -> Problem:
        """Return a problem of the record."""
        problem = self.sheet.problem(RECORD, self.position, message, hint)
        return replace(problem, value=self.record.cells[columns.ARN])


class _Listed(NamedTuple):
    """Hold one row: the title of its list, its entries, and its user's row in the report.

    `entered` has texts by `ENTRIES`, `user_row` texts by `columns.OF_USERS_CSV`.
    """

    at: _Row
    title: str
    entered: Mapping[str, str]
    user_row: Mapping[str, str]


def _listed(sheet: ListSheet, today: date, problems: list[Problem]) -> Iterator[_Listed]:
    """Yield the rows below the heads, compared with their records, and add the problems.

    Reading stops after more than `_MOST_PROBLEMS`.
    """
    rows = sheet.cells.row_numbers
    first_of_record: dict[str, int] = {}
    for start in range(bisect_right(rows, sheet.head_row), len(rows), _CHUNK):
        if len(problems) > _MOST_PROBLEMS:
            return
        records: dict[int, UserRecord] = {}
        for at in range(start, min(start + _CHUNK, len(rows))):
            text = text_of(sheet.value(RECORD, at))
            first = first_of_record.setdefault(text, rows[at]) if text else rows[at]
            record = parsed_record(text) if text else None
            if record and first == rows[at]:
                records[at] = record
            elif record or any(text_of(sheet.value(head, at)) for head in NEEDED):
                message = "not a record" if text else "the record of this row is gone"
                message = f"row {first} has the same user" if record else message
                problems.append(sheet.problem(RECORD, at, message, SAVED_COPY_HINT))
        listed = sorted(_compared(sheet, records, problems), key=lambda row: row.at.position)
        for row in listed:
            problems += _entry_problems(row, today) if any(row.entered.values()) else ()
        yield from listed


def _compared(
    sheet: ListSheet, record_at: Mapping[int, UserRecord], problems: list[Problem]
) -> Iterator[_Listed]:
    """Yield the rows, and add a problem for each cell that differs from its record."""
    places, records = [*record_at], [*record_at.values()]
    files = report_files(records)
    names = {
        record.account: AccountName(name=record.account_name, owner=record.account_owner)
        for record in records
        if record.account_name
    }
    for which, page in judged_pages(records):
        user_rows = rows_of_users_csv(page, names)
        unlisted = {*range(len(page))}
        for review_list in REVIEW_LISTS:
            has = review_list.has(page)
            here = [places[at] for at in which[has]]
            shown = review_list.shown_texts(page.where(has), files, names) if here else {}
            for head in filter(sheet.column_of.__contains__, shown):
                problems += _difference_problems(sheet, head, here, shown[head].to_pylist())
            unlisted.difference_update(has.nonzero()[0])
            for at, place in zip(has.nonzero()[0], here, strict=True):
                entered = {name: sheet.entry(head, place) for head, name in _ENTRY_BY_HEAD.items()}
                row = _Row(sheet, place, record_at[place])
                yield _Listed(row, str(review_list.title), entered, user_rows[at])
        for at in sorted(unlisted):
            message = "the record is of a user whom no list has"
            place = places[which[at]]
            problems.append(sheet.problem(RECORD, place, message, SAVED_COPY_HINT))


def _difference_problems(
    sheet: ListSheet, head: str, places: Sequence[int], expected: Sequence[str]
) -> Iterator[Problem]:
    cells = sheet.cells.columns.get(sheet.column_of[head], [])
    for at, text in zip(places, expected, strict=True):
        value = cells[at] if cells else None
        # Most cells equal the text, or both are empty: a ninth of the time of `_shows`.
        if value != text and (text or value is not None) and not _shows(sheet, value, text):
            cell = text_of(value)
            hint = _ASTRAY_HINT if cell.strip().lower() in CHOICES else _RESTORE_HINT
            yield replace(sheet.problem(head, at, _difference_text(text, cell), hint), value=None)


def _difference_text(given: str, cell: str | None) -> str:
    """Return that a report and a cell differ; `cell` is None if the row has no such column."""
    report = f'the report gives "{given}"' if given else "the report gives nothing"
    if cell is None:
        return report
    return f'{report}, and the cell has "{cell}"' if cell else f"{report}, and the cell is empty"


_RESTORE_HINT: Final = (
    "Restore the cell, or enter the decisions again in the workbook as credreport wrote it."
)
_ASTRAY_HINT: Final = "Restore the cell, and enter the decision in the column Decision."


def _shows(sheet: ListSheet, value: CellValue, text: str) -> bool:
    if isinstance(value, float):
        # The text of a moment costs less than that of a number with a fraction.
        return sheet.moment_text(value) == text or text_of(value) == text
    return text_of(value) == text_of(text)


def _entry_problems(listed: _Listed, today: date) -> Iterator[Problem]:
    sheet, at, record = listed.at
    heads = {name: head for head, name in _ENTRY_BY_HEAD.items()}
    heads |= {columns.ACCOUNT: ACCOUNT, columns.USER: USER, columns.ARN: ARN}
    for head in ENTRY_HEADS:
        if isinstance(sheet.value(head, at), CellError):
            yield sheet.problem(head, at, "an error, and no entry", "Enter it again.")

    def problem(name: str, message: str, hint: str) -> Problem:
        return sheet.problem(heads.get(name, RECORD), at, message, hint)

    yield from entry_problems({**listed.entered, **listed.user_row}, today, problem)
    yield from identity_problems(listed.user_row, problem)


def _line(file: FileReference, listed: _Listed) -> LedgerLine:
    sheet, at, record = listed.at
    row = sheet.cells.row_numbers[at]
    decision, decided_by, decided_on, ticket, comment = (listed.entered[name] for name in ENTRIES)
    return LedgerLine(
        decision=Decision(decision.lower()),
        decided_by=decided_by,
        decided_on=date.fromisoformat(decided_on),
        ticket=ticket,
        comment=comment,
        workbook=file.name,
        sha256=file.sha256,
        sheet=sheet.title,
        row=row,
        baseline=datetime.fromisoformat(record.baseline),
        same_second=None if record.same_second is None else frozenset(record.same_second),
        service_credentials=record.service_credentials,
        user_row=listed.user_row,
        read_from=EntryPlace(sheet.place, row, sheet.cell_name(DECISION, row)),
    )


def _pages_of_rows(every: Analysis, rows: Iterable[_Row]) -> Iterator[Users]:
    """Yield only users of the rows' reports: users of others may share a creation second."""
    made_from = {(row.record.sha256, row.record.as_of) for row in rows}
    is_of_rows = [file_identity(file) in made_from for file in every.report.files]
    for page in every.pages():
        yield page.where(np.array(is_of_rows)[page.users[columns.FILE]])


def _report_problems(
    name: str, rows: Sequence[_Row], analysis: Analysis, pages: Iterable[Users]
) -> Iterator[Problem]:
    """Yield a problem for each row whose record differs from the reports.

    All rows of reports that are not named have one problem together.
    """
    named = {file.sha256 for file in analysis.report.files}
    others = [row.record.file for row in rows if row.record.sha256 not in named]
    if others:
        files = short_list([*dict.fromkeys(others)])
        rows_text = count_text(len(others), "row")
        message = f"the report of {rows_text} is not named, by its SHA-256: {files}"
        yield Problem.of_file(name, message, "Name this report too, unchanged.")
    moments = dict(map(file_identity, analysis.report.files))
    listed = [row for row in rows if row.record.sha256 in named]
    records = [row.record for row in listed]
    given = {*map(file_identity, analysis.report.files)}
    moved = next((record for record in records if (record.sha256, record.as_of) not in given), None)
    if moved:
        now = moments[moved.sha256]
        message = f"{moved.file} was judged as of {moved.as_of}, and now as of {now}"
        hint = f"Name the same report {moved.file}, as it was, or set its time with --as-of."
        yield Problem.of_file(name, message, hint)
        return
    for at, message in record_differences(records, pages, analysis.report, analysis.criteria):
        yield listed[at].problem(message, _REPORT_HINT)


_UserGiven = tuple[Mapping[str, str], datetime, list[str] | None]
"""The cells of a user as reports give them, the baseline, and the names of the same second."""
_UsersGiven = Mapping[str, Sequence[_UserGiven]]


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
            message = _difference_text(text, line.user_row.get(name))
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
    parts, seconds = users_and_seconds(
        analysis.pages(), lambda users: users[columns.ARN].isin(arns)
    )
    given: dict[str, list[_UserGiven]] = {}
    for page in parts:
        files = (analysis.report.files[number] for number in page.users[columns.FILE])
        names = same_second_names(page.users, seconds)
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
        for name in _OF_LINE_FROM_REPORT
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


_OF_LINE_FROM_REPORT: Final = tuple(
    name
    for name in columns.OF_USERS_CSV
    if name not in (columns.EXEMPTION, *columns.OWNERSHIP, columns.ACCOUNT_NAME)
)


def _as_saved(cell: str) -> str:
    """Return a cell without what saving and reading may change: blanks, an apostrophe, case."""
    return cell.strip().removeprefix("'").casefold()


_REPORT_HINT: Final = (
    "Name the report that it was made from, and no newer one, with the same options."
)
