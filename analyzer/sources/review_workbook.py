"""Read what reviewers entered in workbooks, and check that they saw what the report says.

Lists are known by their heads, so that sheets may be renamed and copied, rows sorted and filtered,
columns moved and added. Every cell that people see, but for the five that they enter, must show
what the record of its row gives: a row whose columns were sorted apart is refused, not guessed at.
"""

import hashlib
import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from pathlib import Path, PurePath
from typing import Final, NamedTuple

from analyzer import columns
from analyzer.analysis import Analysis
from analyzer.decisions import ledger
from analyzer.decisions.ledger import (
    Entries,
    LedgerLine,
    OpenRow,
    UserKey,
    entry_problems,
    identity_problems,
    read_entries,
)
from analyzer.decisions.record import (
    Record,
    judged_pages,
    parsed_record,
    record_differences,
    report_files,
    rows_of_users_csv,
)
from analyzer.errors import InputRefused, Problem
from analyzer.model import AccountName, FileReference
from analyzer.report.values import timestamp
from analyzer.review_columns import (
    ACCOUNT,
    ARN,
    DECIDED,
    DECIDED_ON,
    DECISION,
    EARLIER_DECISION,
    ENTERED_IN,
    ENTRIES,
    LIST,
    RECORD,
    REMOVALS,
    USER,
    WHEN_WRITTEN,
    Decision,
)
from analyzer.sources.spreadsheet import (
    CellError,
    CellValue,
    Sheet,
    SheetCells,
    cell_name,
    moment_of_serial,
    open_spreadsheet,
)
from analyzer.terms import utc_text
from analyzer.writers.workbook.formulas import DIFFERS, OK
from analyzer.writers.workbook.review_lists import REVIEW_LISTS
from analyzer.writers.workbook.summary_sheet import TITLE

_TOP_ROWS: Final = 100
"""Heads of a list stand in one of the first rows, whatever somebody put above them."""

_NEEDED: Final = (ACCOUNT, USER, *ENTRIES, ARN, RECORD)
_LIKE_ENTRY: Final = re.compile(
    rf"({'|'.join(ENTRIES)})[\s\d().]*|(.*\W)?{DECISION}(\W.*)?", re.IGNORECASE
)
_CHUNK: Final = 8_192
"""Rows that are compared at a time, to keep the memory small."""

_MOST_PROBLEMS: Final = 1_000
_SPREADSHEET_ENDINGS: Final = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")

_SAVED_COPY_HINT: Final = "Enter the decisions again in the workbook as credreport wrote it."
_FORMULA_ENTRY_HINT: Final = "Copy the cell, and paste it as a value."
_STRUCK_HINT: Final = "Empty the cell, or enter it again; a decision that was collected: withdraw."
_ENTERED: Final = dict(zip(ENTRIES, ledger.ENTRIES, strict=True))
"""The names in the ledger of what is entered, by head."""


class ListedRow(NamedTuple):
    """Hold where a row stands and what its report says of its user."""

    sheet: str
    row: int
    record: Record


def read_files(
    files: Iterable[tuple[str, bytes]], analysis: Analysis | None = None
) -> list[Entries]:
    """Return what is entered in workbooks, and in CSV files in the form of the ledger.

    With an analysis, each row is compared with what its reports give.

    Raises InputRefused with the problems of all files.
    """
    read: list[Entries] = []
    problems: list[Problem] = []
    for name, content in files:
        try:
            if content.startswith(b"PK") or name.lower().endswith(_SPREADSHEET_ENDINGS):
                read.append(read_review(name, content, analysis=analysis))
            else:
                read.append(read_entries(name, content))
        except InputRefused as error:
            problems += error.problems
    if problems:
        raise InputRefused(problems)
    return read


def read_review(
    name: str, content: bytes, workbook: str = "", analysis: Analysis | None = None
) -> Entries:
    """Return what is entered in a workbook of that name and content.

    The ledger gets to know it as `workbook`, by default by its name without folders. With an
    analysis, each row is compared with what its reports give.

    Raises InputRefused with every problem: a file that is no workbook, or is damaged; no list or no
    Summary; a list without one of its columns, with merged cells or with cells outside its columns;
    a cell that shows something else than the record of its row; a row that is gone or there twice;
    a check without its formula; an entry that `entry_problems` or `identity_problems` refuses, that
    a formula gives, that is an error or struck through; a decision among the earlier ones.
    """
    file = FileReference(name=name, sha256=hashlib.sha256(content).hexdigest())
    label = FileReference(name=workbook or PurePath(name).name, sha256=file.sha256)
    lists, counts = _sheets(name, content)
    every = (problem for each in lists for problem in each.cell_problems())
    problems = [*islice(every, _MOST_PROBLEMS + 1)]
    lines: list[LedgerLine] = []
    open_rows: list[OpenRow] = []
    rows: list[ListedRow] = []
    users: dict[tuple[str, int], str] = {}
    for listed in (listed for each in lists for listed in each.listed(problems)):
        users[listed.at.record.sha256, listed.at.record.row] = listed.title
        rows.append(listed.at)
        if not any(listed.entered.values()):
            open_rows.append(_open_row(listed))
        elif not problems:
            lines.append(_line(label, listed))
    problems = problems or [*_count_problems(name, counts, Counter(users.values()))]
    if analysis and not problems:
        problems += _report_problems(name, rows, analysis)
    if problems:
        raise InputRefused(problems)
    return Entries(file, tuple(lines), tuple(open_rows), label.name)


def holds_entries(path: Path) -> bool:
    """Return whether a file is a workbook in which anything is entered, or one that is damaged."""
    if path.suffix.lower() != ".xlsx" or not path.is_file():
        return False
    content = path.read_bytes()
    try:
        return any(_has_entry(sheet) for sheet in open_spreadsheet(path.name, content).sheets)
    except InputRefused:
        return content.startswith(b"PK")


def _has_entry(sheet: Sheet) -> bool:
    """Return whether a sheet is a list in which anything is entered."""
    heads = _head_row(sheet.cells(_TOP_ROWS), _are_of_list)
    if heads is None:
        return False
    cells = sheet.cells()
    row, entries = heads[0], {column for column, head in heads[1].items() if head in ENTRIES}
    return any(at > row and column in entries for at, column in cells.formulas) or any(
        _text(value).strip() for column in entries for _, value in cells.below(column, row)
    )


class _Listed(NamedTuple):
    """Hold one row: the list that its user belongs to, what is entered, and what the report says.

    `entered` has texts by `ledger.ENTRIES`, `user_row` texts by `columns.OF_USERS_CSV`.
    """

    at: ListedRow
    title: str
    entered: Mapping[str, str]
    user_row: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _List:
    """Hold the cells of a list, from which row its heads name the columns, by number from 0."""

    file: str
    title: str
    cells: SheetCells
    head_row: int
    column_of: Mapping[str, int]
    counts_from_1904: bool

    @property
    def place(self) -> str:
        """Return where a problem stands."""
        return f"{self.file}, sheet {self.title}"

    def value(self, head: str, at: int) -> CellValue:
        """Return the cell under a head in the row at a position."""
        cells = self.cells.columns.get(self.column_of[head])
        return cells[at] if cells else None

    def problem(self, head: str, at: int, message: str, hint: str) -> Problem:
        """Return a problem of the cell under a head in the row at a position."""
        row = self.cells.row_numbers[at]
        cell = f"{head}, cell {cell_name(row, self.column_of[head])}"
        text = _text(self.value(head, at)) or None
        return Problem(self.place, row, cell, text, message, hint)

    def cell_problems(self) -> Iterator[Problem]:
        """Yield a problem for each entry that a formula gives, or that is struck through."""
        heads = {self.column_of[head]: head for head in ENTRIES}
        for cells, message, hint in (
            (self.cells.formulas, "a formula, whose result may change", _FORMULA_ENTRY_HINT),
            (self.cells.struck, "it is struck through", _STRUCK_HINT),
        ):
            for row, column in sorted(cells):
                if row > self.head_row and column in heads:
                    cell = f"{heads[column]}, cell {cell_name(row, column)}"
                    text = _text(self.cells.value(row, column)) or None
                    yield Problem(self.place, row, cell, text, message, hint)

    def listed(self, problems: list[Problem]) -> Iterator[_Listed]:
        """Yield the rows below the heads, compared with their records, and add the problems.

        Nothing more is read after many problems.
        """
        rows = self.cells.row_numbers
        first_of_record: dict[str, int] = {}
        for start in range(bisect_right(rows, self.head_row), len(rows), _CHUNK):
            if len(problems) > _MOST_PROBLEMS:
                return
            records: dict[int, Record] = {}
            for at in range(start, min(start + _CHUNK, len(rows))):
                text = _text(self.value(RECORD, at))
                first = first_of_record.setdefault(text, rows[at]) if text else rows[at]
                record = parsed_record(text) if text else None
                if record and first == rows[at]:
                    records[at] = record
                elif record or any(_text(self.value(head, at)) for head in _NEEDED):
                    message = "not a record" if text else "the record of this row is gone"
                    message = f"row {first} has the same user" if record else message
                    problems.append(self.problem(RECORD, at, message, _SAVED_COPY_HINT))
            listed = sorted(self._compared(records, problems), key=lambda each: each.at.row)
            for each in listed:
                problems += self._entry_problems(each) if any(each.entered.values()) else ()
            yield from listed

    def _compared(
        self, record_at: Mapping[int, Record], problems: list[Problem]
    ) -> Iterator[_Listed]:
        """Yield the rows, and add a problem for each cell that shows something else."""
        places, records = [*record_at], [*record_at.values()]
        files = report_files(records)
        names = {
            each.account: AccountName(name=each.account_name, owner=each.account_owner)
            for each in records
            if each.account_name
        }
        for which, page in judged_pages(records):
            user_rows = rows_of_users_csv(page, names)
            unlisted = {*range(len(page))}
            for review_list in REVIEW_LISTS:
                has = review_list.has(page)
                here = [places[at] for at in which[has]]
                shown = review_list.shown_texts(page.where(has), files, names) if here else {}
                for head in shown.keys() & self.column_of.keys():
                    problems += self._differences(head, here, shown[head].to_pylist())
                unlisted.difference_update(has.nonzero()[0])
                for at, place in zip(has.nonzero()[0], here, strict=True):
                    entered = {name: self._entered(head, place) for head, name in _ENTERED.items()}
                    row = ListedRow(self.title, self.cells.row_numbers[place], record_at[place])
                    yield _Listed(row, str(review_list.title), entered, user_rows[at])
            for at in sorted(unlisted):
                message = "the record is of a user whom no list has"
                problems.append(self.problem(RECORD, places[which[at]], message, _SAVED_COPY_HINT))

    def _differences(
        self, head: str, places: Sequence[int], expected: Sequence[str]
    ) -> Iterator[Problem]:
        for at, text in zip(places, expected, strict=True):
            if not self._shows(self.value(head, at), text):
                message = f'the report gives "{text}"' if text else "the report gives nothing"
                yield self.problem(head, at, message, _SAVED_COPY_HINT)

    def _shows(self, value: CellValue, text: str) -> bool:
        if isinstance(value, float):
            return text in (_text(value), self._moment_text(value))
        return _text(value) == _one_kind_of_line_end(text)

    def _moment_text(self, serial: float) -> str:
        at = moment_of_serial(serial, counts_from_1904=self.counts_from_1904)
        return utc_text(at) if at else ""

    def _entered(self, head: str, at: int) -> str:
        """Return an entry as text; a date as YYYY-MM-DD."""
        value = self.value(head, at)
        if head == DECIDED_ON and isinstance(value, float):
            return self._moment_text(value).removesuffix("T00:00:00Z") or _text(value)
        text = _text(value).strip()
        return text.removesuffix(" 00:00:00") if head == DECIDED_ON else text

    def _entry_problems(self, each: _Listed) -> Iterator[Problem]:
        at = bisect_left(self.cells.row_numbers, each.at.row)
        heads = {name: head for head, name in _ENTERED.items()}
        heads |= {columns.ACCOUNT: ACCOUNT, columns.USER: USER, columns.ARN: ARN}
        for head in ENTRIES:
            if isinstance(self.value(head, at), CellError):
                yield self.problem(head, at, "an error, and no entry", "Enter it again.")

        def problem(name: str, message: str, hint: str) -> Problem:
            return self.problem(heads.get(name, RECORD), at, message, hint)

        yield from entry_problems(each.entered, problem)
        yield from identity_problems(each.user_row, problem)


def _text(value: CellValue) -> str:
    """Return what a cell shows: a whole number plain, an error by its name."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return _one_kind_of_line_end(value if isinstance(value, str) else value.text)


def _one_kind_of_line_end(text: str) -> str:
    """Return the text with line feeds alone, as XML and spreadsheets leave it."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _line(file: FileReference, each: _Listed) -> LedgerLine:
    entered, record = each.entered, each.at.record
    return LedgerLine(
        decision=Decision(entered[ledger.DECISION].lower()),
        decided_by=entered[ledger.DECIDED_BY],
        decided_on=date.fromisoformat(entered[ledger.DECIDED_ON]),
        ticket=entered[ledger.TICKET],
        comment=entered[ledger.COMMENT],
        workbook=file.name,
        sha256=file.sha256,
        sheet=each.at.sheet,
        row=each.at.row,
        baseline=datetime.fromisoformat(record.baseline),
        same_second=None if record.same_second is None else frozenset(record.same_second),
        report_cells=each.user_row,
    )


def _open_row(each: _Listed) -> OpenRow:
    created = timestamp(each.user_row[columns.USER_CREATION_TIME])
    user = UserKey(each.user_row[columns.ARN], created)
    return OpenRow(user, datetime.fromisoformat(each.at.record.as_of))


# Sheets


def _sheets(name: str, content: bytes) -> tuple[list[_List], dict[str, int]]:
    """Return the lists of a workbook, and the number of users that the Summary has for each.

    Raises InputRefused.
    """
    book = open_spreadsheet(name, content)
    lists: list[_List] = []
    counts: dict[str, int] = {}
    problems: list[Problem] = []
    for sheet in book.sheets:
        top = sheet.cells(_TOP_ROWS)
        place = f"{name}, sheet {sheet.title}"
        heads = _head_row(top, _are_of_list)
        try:
            if heads:
                _check_heads(place, *heads)
                cells = sheet.cells()
                row, column_of = heads[0], {head: at for at, head in heads[1].items()}
                lists.append(_List(name, sheet.title, cells, row, column_of, book.counts_from_1904))
                problems += _stray_problems(lists[-1])
            elif any(TITLE in map(_text, values) for values in top.columns.values()):
                counts |= _counts_when_written(place, sheet.cells())
            else:
                problems += _other_sheet_problems(place, top, sheet)
        except InputRefused as error:
            problems += error.problems
    if problems:
        raise InputRefused(problems)
    if not lists:
        hint = "Name a workbook that credreport wrote, with its lists of users."
        raise InputRefused.of_file(name, "it has no list with a column Decision", hint)
    if not counts:
        hint = "Send the whole workbook: without it nobody sees whether a row is missing."
        raise InputRefused.of_file(name, "it has no Summary", hint)
    return lists, counts


def _other_sheet_problems(place: str, top: SheetCells, sheet: Sheet) -> Iterator[Problem]:
    """Yield a problem for a list without its heads, and for what is entered on a follow-up."""
    for column in top.columns:
        for row, value in top.below(column, 0):
            if _text(value).startswith("{") and parsed_record(_text(value)):
                message = "the heads of this list are gone"
                yield Problem(place, row, None, None, message, _SAVED_COPY_HINT)
                return
    if heads := _head_row(top, lambda heads: ENTERED_IN in heads and DECIDED in heads):
        yield from _follow_up_problems(place, sheet.cells(), *heads)


def _follow_up_problems(
    place: str, cells: SheetCells, head_row: int, heads: Mapping[int, str]
) -> Iterator[Problem]:
    """Yield a problem for each row in which something else stands than an earlier decision."""
    column_of = {head: column for column, head in heads.items()}
    for at, row in enumerate(cells.row_numbers):
        shown = {
            head: _text(cells.columns[column][at])
            for head, column in column_of.items()
            if column in cells.columns and head in (DECIDED, ENTERED_IN, *ENTRIES)
        }
        is_earlier = shown.get(DECIDED) in [*REMOVALS] and shown.get(ENTERED_IN)
        if row > head_row and any(shown.values()) and not is_earlier:
            cell = f"{DECIDED}, cell {cell_name(row, column_of[DECIDED])}"
            message, hint = "not an earlier decision", "Decide in the list that has the user."
            yield Problem(place, row, cell, shown.get(DECIDED) or None, message, hint)


def _head_row(
    top: SheetCells, are_heads: Callable[[set[str]], bool]
) -> tuple[int, dict[int, str]] | None:
    """Return the first row with such heads, and its heads by column number."""
    for at, row in enumerate(top.row_numbers):
        heads = {
            column: " ".join(_text(values[at]).split())
            for column, values in top.columns.items()
            if _text(values[at]).strip()
        }
        if are_heads({*heads.values()}):
            return row, heads
    return None


def _are_of_list(heads: set[str]) -> bool:
    """Return whether a list has these heads, maybe without one; a follow-up shares some."""
    shared = heads & {*ENTRIES, RECORD}
    return DECISION in heads or RECORD in heads or (len(shared) > 1 and ENTERED_IN not in heads)


def _check_heads(place: str, row: int, heads: Mapping[int, str]) -> None:
    """Refuse heads without a column that is needed, or with one twice; raises InputRefused."""
    counts = Counter(heads.values())
    others = counts.keys() - {*ENTRIES, EARLIER_DECISION}
    wrong = [
        *((each, "the column is gone", _SAVED_COPY_HINT) for each in _NEEDED if not counts[each]),
        *((each, "the column is there twice", _TWICE_HINT) for each in _NEEDED if counts[each] > 1),
        *((each, *_COPY) for each in sorted(others) if _LIKE_ENTRY.fullmatch(each)),
    ]
    if wrong:
        raise InputRefused(Problem(place, row, each, None, *why) for each, *why in wrong)


_TWICE_HINT: Final = "Remove the one you added."
_COPY: Final = "the column looks like a copy", "Give it another name."


def _stray_problems(each: _List) -> Iterator[Problem]:
    """Yield a problem for merged cells, and for what stands beside the columns."""
    for cells in each.cells.merged:
        last_row = max(map(int, re.findall(r"\d{1,7}", cells)), default=each.head_row)
        if last_row >= each.head_row:
            hint = "Split them, and enter each decision in its own row."
            yield Problem(each.place, last_row, None, cells, "merged cells", hint)
    for column in each.cells.columns.keys() - {*each.column_of.values()}:
        for row, value in each.cells.below(column, each.head_row):
            if _text(value).strip():
                cell = f"cell {cell_name(row, column)}"
                hint = "Move it into its column, or give this column a head."
                yield Problem(each.place, row, cell, _text(value), "it is beside the list", hint)
                break


# Counts


def _counts_when_written(place: str, cells: SheetCells) -> dict[str, int]:
    """Return the users of each list as the Summary counts them; raises InputRefused."""
    message = "the formula of this check was typed over"
    problems = [
        Problem(place, row, f"cell {cell_name(row, column)}", str(value), message, _FORMULA_HINT)
        for column in cells.columns
        for row, value in cells.below(column, 0)
        if value in (OK, DIFFERS) and (row, column) not in cells.formulas
    ]
    if problems:
        raise InputRefused(problems)
    first, listed = cells.columns.get(0, []), cells.columns.get(2, [])
    titles = {str(each.title) for each in REVIEW_LISTS}
    starts = [at for at, value in enumerate(first) if value == LIST and listed[at] == WHEN_WRITTEN]
    lines = range(starts[0] + 1, starts[0] + 1 + len(titles)) if starts else range(0)
    return {
        str(first[at]): int(number)
        for at in lines
        if at < len(first) and first[at] in titles and isinstance(number := listed[at], float)
    }


_FORMULA_HINT: Final = "Use the workbook as credreport wrote it."


def _count_problems(
    name: str, counts: Mapping[str, int], listed: Mapping[str, int]
) -> Iterator[Problem]:
    """Yield a problem for each list that has not as many users as when it was written."""
    for each in REVIEW_LISTS:
        title = str(each.title)
        if title not in counts:
            yield Problem.of_file(name, f"the Summary has no count of {title}", _FORMULA_HINT)
        elif listed.get(title, 0) != counts[title]:
            message = f"{title} has {listed.get(title, 0):,} users, and had {counts[title]:,}"
            yield Problem.of_file(name, f"{message} when it was written", _ROWS_HINT)


_ROWS_HINT: Final = "Put the missing rows back: hide rows instead of deleting them."


# Reports


def _report_problems(name: str, rows: Iterable[ListedRow], analysis: Analysis) -> Iterator[Problem]:
    """Yield a problem for each row whose record is not what the reports give."""
    for each, message in record_differences(
        [*rows], analysis.pages(), analysis.report, analysis.criteria
    ):
        place = f"{name}, sheet {each.sheet}"
        hint = "Name the report that the workbook was made from, with the same options."
        arn = each.record.cells[columns.ARN]
        yield Problem(place, each.row, RECORD, arn, message, hint)
