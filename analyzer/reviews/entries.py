"""Read what people entered in workbooks and lists, each compared with its reports.

A list is made anew from its reports: rows may be sorted, but no cell may differ, no user be added,
and in a workbook none be missing. What a person saw is the row of the report.
"""

from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path, PurePath
from typing import Final

from analyzer import columns
from analyzer.decisions import ledger
from analyzer.decisions.decision import (
    Decision,
    EntryPlace,
    LedgerLine,
    open_row,
)
from analyzer.decisions.entries import (
    COMMENT,
    DECIDED_BY,
    DECIDED_ON,
    ENTRIES,
    TICKET,
    DecisionFile,
    entry_problems,
    filled_down_problems,
)
from analyzer.decisions.entries import DECISION as DECISION_ENTRY
from analyzer.decisions.review import ReportedUser, Review
from analyzer.decisions.review_list_layout import ARN, DECISION, ENTRY_HEADS, SENTENCES, USER
from analyzer.errors import InputRefused, Problem, joined_rows
from analyzer.lists.csv_lists import file_reference
from analyzer.report.model import FileReference
from analyzer.reviews.comparison import (
    NOT_COMPARED,
    difference_text,
    is_same_value,
    sentence_problems,
    sheet_problems,
)
from analyzer.reviews.given_reports import GivenReports
from analyzer.reviews.list_sheets import ListSheet, read_workbook
from analyzer.reviews.xlsx_reader import CellError
from analyzer.terms import VERSION, count_text, short_list, utc_text, version_text, with_noun

SPREADSHEET_ENDINGS: Final = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_ENTRY_BY_HEAD: Final = dict(zip(ENTRY_HEADS, ENTRIES, strict=True))
"""The name of each entry in the ledger, by head."""

_ROW_HINT: Final = "Put the row back as the report had it."
_NO_REPORT_HINT: Final = "Name the report that it was made from, with --report."


def read_files(
    files: Iterable[tuple[str, bytes]], today: date, given: GivenReports
) -> list[DecisionFile]:
    """Return the entries of workbooks, and of CSV files in the form of the ledger.

    `today` is the day of collecting. Raises InputRefused with the problems of all files.
    """
    read: list[DecisionFile] = []
    problems: list[Problem] = []
    for name, content in files:
        try:
            if _may_be_workbook(name, content):
                read.append(_read_workbook(name, content, today, given))
            else:
                read.append(_read_csv(name, content, today, given))
        except InputRefused as error:
            problems += error.problems
    if problems:
        raise InputRefused(joined_rows(problems))
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


# Workbooks


@dataclass(frozen=True, slots=True)
class ComparedSheet:
    """Hold a list of a workbook, its users by row as the reports give them, and their entries."""

    sheet: ListSheet
    rows: Mapping[int, ReportedUser]
    entered: Mapping[int, Mapping[str, str]]

    @property
    def filled(self) -> list[int]:
        """Return the rows with an entry."""
        return [row for row, entry in self.entered.items() if any(entry.values())]


@dataclass(frozen=True, slots=True)
class ComparedWorkbook:
    """Hold the lists of a workbook, and how they differ from those that the reports give.

    `notes` name what was added, hidden or left out, and is no difference.
    """

    review: Review
    sheets: tuple[ComparedSheet, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


def compared_workbook(name: str, content: bytes, given: GivenReports) -> ComparedWorkbook:
    """Compare the lists of a workbook with those that its reports give.

    Raises InputRefused if it is no workbook of a review, or a report or list of it is missing.
    """
    review, lists, other_sheets, unread = read_workbook(name, content)
    reported = given.lists_of(name, review)
    users = {arn: user for made in reported.values() for arn, user in made.users.items()}
    heads = [*dict.fromkeys(head for user in users.values() for head in user.shown)]
    is_of_version = review.version == VERSION
    left_out = NOT_COMPARED if is_of_version else NOT_COMPARED.union(SENTENCES)
    compared_heads = [head for head in heads if head not in left_out]
    sheets, problems, notes = list[ComparedSheet](), list[Problem](), list[str]()
    for sheet in lists:
        rows = _rows_by_number(sheet, users, problems)
        problems += sheet_problems(sheet, rows, compared_heads)
        problems += sentence_problems(sheet, rows, compared_heads)
        compared = ComparedSheet(sheet, rows, {row: entered_in(sheet, row) for row in rows})
        sheets.append(compared)
        notes += _sheet_notes(compared, heads)
    listed = {user.row[columns.ARN] for each in sheets for user in each.rows.values()}
    ledgers = [each.name for each in review.lists if each.option == "decisions"]
    problems += _missing_problems(name, users, listed, given, ", ".join(ledgers))
    if not is_of_version:
        notes.append(f"Not compared, {name}: {' and '.join(SENTENCES)}, sentences of a version.")
        problems[:0] = [_version_problem(name, review)] if problems else []
    if added := [title for title in other_sheets if not _is_sheet_of(title, given)]:
        notes.append(f"Not read, {name}: added {with_noun('sheet', added)}.")
    if unread:
        notes.append(f"Decisions that are not read, {name}: {with_noun('sheet', unread)}.")
    if review.limits:
        notes.append(f"{name} lists only {review.limits}.")
    return ComparedWorkbook(review, (*sheets,), (*problems,), (*notes,))


def _read_workbook(name: str, content: bytes, today: date, given: GivenReports) -> DecisionFile:
    """Return the entries of a workbook; raises InputRefused with every problem."""
    file, workbook = file_reference(name, content), compared_workbook(name, content, given)
    problems = [*workbook.problems]
    for compared in workbook.sheets:
        for row in compared.filled:
            problems += _entry_problems(compared, row, today)
    if problems:
        raise InputRefused(problems)
    lines = tuple(_line(file, each, row) for each in workbook.sheets for row in each.filled)
    if problems := [*filled_down_problems(lines)]:
        raise InputRefused(problems)
    open_rows = tuple(
        open_row(user.row)
        for each in workbook.sheets
        for row, user in each.rows.items()
        if not any(each.entered[row].values())
    )
    return DecisionFile(file, lines, open_rows, workbook.notes)


def _rows_by_number(
    sheet: ListSheet, users: Mapping[str, ReportedUser], problems: list[Problem]
) -> dict[int, ReportedUser]:
    """Return the users of a list by row; a row that is no user's is a problem if it has an entry.

    Rows without an ARN are signatures, totals and the like.
    """
    rows: dict[int, ReportedUser] = {}
    first: dict[str, int] = {}
    names = {name for user in users.values() for name in (user.shown[USER], user.row[columns.USER])}
    for row in sheet.rows:
        arn = sheet.entry(ARN, row)
        if not arn:
            if is_decided(sheet, row) or _names_a_user(sheet, row, names):
                message = "an entry, but no user"
                problems.append(sheet.problem(ARN, row, message, f"Clear row {row}."))
        elif arn not in users:
            message = "the reports do not put this user on these lists"
            problems.append(sheet.problem(ARN, row, message, "Delete the row."))
        elif arn in first:
            message = f"rows {first[arn]} and {row} are the same user"
            problems.append(sheet.problem(ARN, row, message, f"Delete row {row}."))
        else:
            first[arn] = row
            rows[row] = users[arn]
    return rows


def is_decided(sheet: ListSheet, row: int) -> bool:
    """Return whether the decision of a row is one of the four words."""
    return sheet.entry(DECISION, row).lower() in [*Decision]


def _names_a_user(sheet: ListSheet, row: int, names: Container[str]) -> bool:
    """Return whether a row has an entry beside the name of a listed user."""
    is_filled = any(sheet.entry(head, row) for head in ENTRY_HEADS)
    return (is_filled or has_formula(sheet, row)) and sheet.entry(USER, row) in names


def has_formula(sheet: ListSheet, row: int) -> bool:
    """Return whether an entry of a row is a formula, whose result may change."""
    return any((row, sheet.column_of[head]) in sheet.cells.formulas for head in ENTRY_HEADS)


def entered_in(sheet: ListSheet, row: int) -> dict[str, str]:
    """Return the entries of a row by `ENTRIES`."""
    return {name: sheet.entry(head, row) for head, name in _ENTRY_BY_HEAD.items()}


def _entry_problems(compared: ComparedSheet, row: int, today: date) -> Iterator[Problem]:
    sheet = compared.sheet
    errors = [head for head in ENTRY_HEADS if isinstance(sheet.value(head, row), CellError)]
    if errors:
        for head in errors:
            yield sheet.problem(head, row, "it holds an error", "Type the entry.")
        return
    heads = {name: head for head, name in _ENTRY_BY_HEAD.items()}

    def problem(name: str, message: str, hint: str) -> Problem:
        return sheet.problem(heads[name], row, message, hint)

    yield from entry_problems({**compared.rows[row].row, **compared.entered[row]}, today, problem)


def _missing_problems(
    name: str,
    users: Mapping[str, ReportedUser],
    listed: set[str],
    given: GivenReports,
    with_ledger: str,
) -> Iterator[Problem]:
    """Yield a problem for users whom the reports put on the lists, and who have no word.

    Raises InputRefused if the review was made `with_ledger`, and no ledger is given.
    """
    lacking = [
        arn
        for arn, user in users.items()
        if arn not in listed and open_row(user.row).user not in given.decided
    ]
    if lacking:
        named = f"{count_text(len(lacking), 'user')}: {short_list(lacking)}"
        if with_ledger and not given.decided:
            message = f"it was made with {with_ledger}, which left out {named}"
            raise InputRefused.of_file(name, message, "Name that ledger too.")
        hint = "Start from the file as credreport wrote it: hide rows instead of deleting them."
        yield Problem.of_file(name, f"the reports put more users on its lists, {named}", hint)


def _version_problem(name: str, review: Review) -> Problem:
    message = f"{version_text(review.version)} of credreport wrote it, and this is {VERSION}"
    return Problem.of_file(name, message, "Words may differ: use the version that wrote it.")


def _sheet_notes(compared: ComparedSheet, heads: Iterable[str]) -> Iterator[str]:
    sheet = compared.sheet
    if others := [str(row) for row in sheet.rows if row not in compared.rows]:
        yield f"Not read, {sheet.place}: {with_noun('row', others)} without an ARN."
    yield from sheet.column_notes({*heads, *NOT_COMPARED})
    yield from sheet.entry_notes(compared.filled)


def _is_sheet_of(title: str, given: GivenReports) -> bool:
    """Return whether a workbook can have a sheet of that title, perhaps continued or copied."""
    return title.rstrip(" ()0123456789") in given.sheets


def _line(file: FileReference, compared: ComparedSheet, row: int) -> LedgerLine:
    entered, user, sheet = compared.entered[row], compared.rows[row], compared.sheet
    return LedgerLine(
        decision=Decision(entered[DECISION_ENTRY].lower()),
        decided_by=entered[DECIDED_BY],
        decided_on=date.fromisoformat(entered[DECIDED_ON]),
        ticket=entered[TICKET],
        comment=entered[COMMENT],
        workbook=PurePath(file.name).name,
        row=row,
        user_row=user.row,
        same_second=user.same_second,
        read_from=EntryPlace(sheet.place, row, sheet.cell_name(DECISION, row)),
    )


# Lists in CSV


def _read_csv(name: str, content: bytes, today: date, given: GivenReports) -> DecisionFile:
    """Return the decisions in a CSV, each compared with the report of its as-of.

    Lines of a ledger, which were collected before, are compared where their reports are given.
    """
    entries = ledger.read_entries(name, content, today)
    reported = given.users_of({line.user for line in entries.lines})
    lines, problems, unknown = list[LedgerLine](), list[Problem](), 0
    for line in entries.lines:
        user = reported.get((line.subject, utc_text(line.as_of)))
        if user and entries.is_ledger:
            problems += line_problems(line, user, not_known(line))
            lines.append(replace(line, same_second=user.same_second))
        elif user:
            problems += line_problems(line, user)
            lines.append(replace(line, user_row=user.row, same_second=user.same_second))
        elif entries.is_ledger:
            unknown += 1
            lines.append(line)
        else:
            file, row, _ = line.read_from
            message = f"no report named has this user as of {utc_text(line.as_of)}"
            problems.append(Problem(file, row, columns.ARN, None, message, _NO_REPORT_HINT))
    if not entries.is_ledger:
        problems += filled_down_problems(entries.lines)
    if problems:
        raise InputRefused(problems)
    text = f"{name}: {count_text(unknown, 'line')} not compared: their reports are not given."
    return replace(entries, lines=(*lines,), notes=(*entries.notes, *([text] if unknown else ())))


BY_LIMITS: Final = (columns.VERDICT, columns.REASON, columns.CERTAINTY, columns.CAVEATS)
"""The columns of `users.csv` that depend on the limits by which a user was judged."""


def not_known(line: LedgerLine) -> Collection[str]:
    """Return the columns of a line that its report alone does not give.

    A line keeps what its workbook showed, by limits that a ledger does not say; a CSV has the usual
    ones.
    """
    return () if line.workbook.lower().endswith(".csv") else BY_LIMITS


def line_problems(
    line: LedgerLine, user: ReportedUser, not_compared: Collection[str] = ()
) -> Iterator[Problem]:
    """Yield a problem for each cell of a line of a CSV that its report does not give."""
    for name, given in user.shown.items():
        if name not in not_compared and not is_same_value(line.user_row[name], given):
            message = difference_text(given, line.user_row[name])
            yield _problem(line, name, message, _ROW_HINT)
    if line.same_second is not None and line.same_second != user.same_second:
        names = (";".join(sorted(each)) for each in (user.same_second, line.same_second))
        yield _problem(line, ledger.SAME_SECOND, difference_text(*names), _ROW_HINT)


def _problem(line: LedgerLine, column: str, message: str, hint: str) -> Problem:
    return Problem(line.read_from.file, line.read_from.row, column, line.arn, message, hint)
