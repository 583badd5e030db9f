"""Read the entries of reviewers in workbooks, and check that their rows show their records.

Rows may be sorted; a row whose columns were sorted apart is refused, not guessed at.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path, PurePath
from typing import Final, NamedTuple

from analyzer import columns
from analyzer.decisions import ledger
from analyzer.decisions.decision import Decision, EntryPlace, LedgerLine, open_row
from analyzer.decisions.entries import ENTRIES, DecisionFile, entry_problems, identity_problems
from analyzer.decisions.record import ReviewRecord, UserRecord
from analyzer.decisions.review_list_layout import (
    ACCOUNT,
    ARN,
    BLOCK_HEADS,
    DECISION,
    ENTRY_HEADS,
    RECORD,
    USER,
)
from analyzer.errors import InputRefused, Problem, joined_rows
from analyzer.lists.csv_lists import file_reference
from analyzer.report.model import FileReference
from analyzer.reviews.comparison import (
    GivenReports,
    difference_text,
    report_problems,
    with_same_second,
)
from analyzer.reviews.list_sheets import (
    NEEDED,
    START_AGAIN_HINT,
    ListRow,
    ListSheet,
    lists_and_review,
)
from analyzer.reviews.xlsx_reader import CellError, CellValue, column_name, text_of
from analyzer.terms import count_text

SPREADSHEET_ENDINGS: Final = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_ENTRY_BY_HEAD: Final = dict(zip(ENTRY_HEADS, ENTRIES, strict=True))
"""The name of each entry in the ledger, by head."""

_MOST_PROBLEMS: Final = 10_000
_RESTORE_HINT: Final = f"Restore the cell. {START_AGAIN_HINT}"


def read_files(
    files: Iterable[tuple[str, bytes]], today: date, given: GivenReports | None = None
) -> list[DecisionFile]:
    """Return the entries of workbooks, and of CSV files in the form of the ledger.

    `today` is the day of collecting. With reports, all rows of workbooks and all decisions of a CSV
    are compared with them. Raises InputRefused with the problems of all files.
    """
    read: list[DecisionFile] = []
    problems: list[Problem] = []
    for name, content in files:
        try:
            if _may_be_workbook(name, content):
                read.append(read_review(name, content, today, given))
            else:
                entries = ledger.read_entries(name, content, today)
                read.append(with_same_second(entries, given.analysis) if given else entries)
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


def read_review(
    name: str, content: bytes, today: date, given: GivenReports | None = None
) -> DecisionFile:
    """Return the entries of a workbook of that name and content, collected `today`.

    With reports, each row is compared with them. Raises InputRefused with every problem of the
    file, its sheets, rows, cells and entries.
    """
    file = file_reference(name, content)
    lists, review = lists_and_review(name, content)
    problems: list[Problem] = []
    rows = [row for sheet in lists for row in _rows(sheet, review, today, problems)]
    problems = problems or [*_count_problems(name, review, rows)]
    if given and not problems:
        problems = [*report_problems(name, review, rows, given)]
    if problems:
        raise InputRefused(joined_rows(problems))
    entered = [row for row in rows if any(row.entered.values())]
    notes = (
        note
        for sheet in lists
        for note in sheet.entry_notes([row.number for row in entered if row.sheet is sheet])
    )
    made_with = review.limits if given else ""
    return DecisionFile(
        file,
        tuple(_line(file, row) for row in entered),
        tuple(open_row(row.record.user) for row in rows if not any(row.entered.values())),
        (*([f"{name} lists only {made_with}."] if made_with else []), *notes),
    )


def _rows(
    sheet: ListSheet, review: ReviewRecord, today: date, problems: list[Problem]
) -> Iterator[ListRow]:
    """Yield the rows below the heads, and add the problems; many end the reading."""
    spoilt = [*sheet.cell_problems()]
    problems += spoilt
    rows: list[ListRow] = []
    first_of_record: dict[str, int] = {}
    for number in sheet.rows:
        if len(problems) > _MOST_PROBLEMS:
            return
        text = text_of(sheet.value(RECORD, number))
        first = first_of_record.setdefault(text, number) if text else number
        record = UserRecord.read(text)
        if record is None or record.review != review.digest or first != number:
            problems += _record_problems(sheet, number, record, first)
        else:
            entered = {name: sheet.entry(head, number) for head, name in _ENTRY_BY_HEAD.items()}
            rows.append(ListRow(sheet, number, record, entered))
    problems += _shown_problems(sheet, rows)
    named = {problem.row for problem in spoilt}
    for row in rows:
        if any(row.entered.values()) and row.number not in named:
            problems += _entry_problems(row, today)
    yield from rows


def _record_problems(
    sheet: ListSheet, number: int, record: UserRecord | None, first: int
) -> Iterator[Problem]:
    """Yield why a row has no user; one without any text is none."""
    if record and first != number:
        message = f"rows {first} and {number} are the same user"
        problem = sheet.problem(RECORD, number, message, f"Delete row {number}.")
        yield replace(problem, value=record.user[columns.ARN])
    elif record:
        problem = sheet.problem(RECORD, number, "a row of another workbook", "Delete this row.")
        yield replace(problem, value=record.user[columns.ARN])
    elif text_of(sheet.value(RECORD, number)):
        message = "the record of this row was changed"
        yield replace(sheet.problem(RECORD, number, message, START_AGAIN_HINT), value=None)
    elif sheet.entry(ACCOUNT, number) or sheet.entry(ARN, number):
        yield sheet.problem(RECORD, number, "the record of this row is gone", START_AGAIN_HINT)
    elif any(sheet.entry(head, number) for head in NEEDED):
        yield sheet.problem(RECORD, number, "an entry, but no user", "Clear this row.")


class _Difference(NamedTuple):
    row: ListRow
    recorded: str
    cell: str


def _shown_problems(sheet: ListSheet, rows: Sequence[ListRow]) -> Iterator[Problem]:
    """Yield the problems of cells that do not show their records.

    Columns that were sorted without the others are one problem, and so are the names that a copy of
    a block of entries covers.
    """
    differing = {head: [*_differences(sheet, head, rows)] for head in sheet.column_of}
    moved = {head: cells for head, cells in differing.items() if _are_in_another_order(cells)}
    if moved:
        yield _sorted_problem(sheet, moved)
    users = {row.record.shown[USER] for row in rows}
    for head, cells in differing.items():
        if head == USER and len(cells) > 1 and users.issuperset(each.cell for each in cells):
            if head not in moved:
                yield _copied_problem(sheet, cells)
        elif head not in moved:
            for each in cells:
                message = difference_text(each.recorded, each.cell)
                yield replace(each.row.problem(head, message, _RESTORE_HINT), value=None)


def _differences(sheet: ListSheet, head: str, rows: Sequence[ListRow]) -> Iterator[_Difference]:
    for row in rows:
        recorded = row.record.shown.get(head)
        if recorded is not None:
            value = sheet.value(head, row.number)
            # Most cells equal the text, or both are empty: a ninth of the time of `_shows`.
            if value != recorded and (recorded or value) and not _shows(sheet, value, recorded):
                yield _Difference(row, recorded, text_of(value))


def _shows(sheet: ListSheet, value: CellValue, text: str) -> bool:
    if text_of(value) == text_of(text):
        return True
    return isinstance(value, float) and sheet.cells.moment_text(value) == text


def _are_in_another_order(cells: Sequence[_Difference]) -> bool:
    texts = Counter(each.recorded for each in cells)
    return len(cells) > 1 and texts == Counter(each.cell for each in cells)


def _sorted_problem(sheet: ListSheet, moved: Mapping[str, Sequence[_Difference]]) -> Problem:
    heads = {*moved, *(BLOCK_HEADS if USER in moved else ())}
    at = [sheet.column_of[head] for head in heads]
    first, last = map(column_name, (min(at), max(at)))
    rows = sorted({each.row.number for cells in moved.values() for each in cells})
    message = f"columns {first}-{last} were sorted without the others"
    hint = "Undo the sort, or start from the file as credreport wrote it."
    return Problem(sheet.place, rows[0], None, None, message, hint, rows=(*rows,))


def _copied_problem(sheet: ListSheet, cells: Sequence[_Difference]) -> Problem:
    rows = tuple(each.row.number for each in cells)
    message = "the names of other users, copied with their entries"
    names = ", ".join(f"row {each.row.number} {each.recorded}" for each in cells)
    hint = f"Check the entries, and write the names of these rows: {names}."
    return Problem(sheet.place, rows[0], USER, None, message, hint, rows=rows)


def _entry_problems(row: ListRow, today: date) -> Iterator[Problem]:
    errors = [
        head for head in ENTRY_HEADS if isinstance(row.sheet.value(head, row.number), CellError)
    ]
    if errors:
        yield from (row.problem(head, "it holds an error", "Type the entry.") for head in errors)
        return
    heads = {name: head for head, name in _ENTRY_BY_HEAD.items()}
    heads |= {columns.ACCOUNT: ACCOUNT, columns.USER: USER, columns.ARN: ARN}

    def problem(name: str, message: str, hint: str) -> Problem:
        return row.problem(heads.get(name, RECORD), message, hint)

    user = row.record.user
    yield from entry_problems({**row.entered, **user}, today, problem)
    yield from identity_problems(user, problem)
    names = user[columns.USER], f"{user[columns.ACCOUNT]}/{user[columns.USER]}"
    shown = row.record.shown.get(USER), row.record.shown.get(ARN)
    if shown[0] not in names or shown[1] != user[columns.ARN]:
        yield row.problem(RECORD, "it names another user than the cells", START_AGAIN_HINT)


def _count_problems(name: str, review: ReviewRecord, rows: Sequence[ListRow]) -> Iterator[Problem]:
    """Yield a problem for each list that does not have its users; a copy of a row counts once."""
    listed = Counter(dict.fromkeys((row.record.title, row.record.key) for row in rows))
    counts = Counter(title for title, _ in listed)
    for title, number in review.listed.items():
        if counts[title] != number:
            users = count_text(counts[title], "user")
            message = f"{title} has {users}, and had {number:,} when it was written"
            hint = "Put the missing rows back: hide rows instead of deleting them."
            yield Problem.of_file(name, message, hint)


def _line(file: FileReference, row: ListRow) -> LedgerLine:
    sheet, number, record, entered = row
    decision, decided_by, decided_on, ticket, comment = (entered[name] for name in ENTRIES)
    return LedgerLine(
        decision=Decision(decision.lower()),
        decided_by=decided_by,
        decided_on=date.fromisoformat(decided_on),
        ticket=ticket,
        comment=comment,
        workbook=PurePath(file.name).name,
        row=number,
        same_second=frozenset(record.same_second),
        user_row=record.user,
        read_from=EntryPlace(sheet.place, number, sheet.cell_name(DECISION, number)),
    )
