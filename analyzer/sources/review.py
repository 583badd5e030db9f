"""Read the reviewer's decisions from a workbook, whatever a person did to it besides.

Sheets are known by their titles, columns by their heads, so that rows may be sorted, filtered,
coloured or removed, and columns and sheets added. A cell that the reviewer filled in and that is
not understood refuses the workbook, with its sheet, row and cell.
"""

import hashlib
import re
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Any, Final

import openpyxl
from openpyxl.cell.read_only import EMPTY_CELL
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import from_excel

from analyzer.errors import InputRefused, Problem
from analyzer.model import FileReference
from analyzer.review import ReviewDecision, ReviewWorkbook, UserState
from analyzer.review_columns import (
    ARN,
    AS_OF,
    CHOICES,
    COMMENT,
    CREATED,
    DECIDED_BY,
    DECIDED_ON,
    DECISION,
    EXEMPT,
    NEVER,
    NOT_KNOWN,
    NOT_REPORTED,
    NOT_UNDERSTOOD,
    SHEETS,
    STATE_COLUMNS,
    TICKET,
    Decision,
)
from analyzer.terms import State

_REQUIRED_COLUMNS: Final = (ARN, CREATED, DECISION, DECIDED_ON, COMMENT)
"""The columns without which a list is refused."""

_COLUMNS: Final = (*_REQUIRED_COLUMNS, DECIDED_BY, TICKET)
_ENTRIES: Final = (DECISION, DECIDED_BY, DECIDED_ON, TICKET, COMMENT)
_TITLE: Final = re.compile(rf"(?:{'|'.join((*SHEETS, EXEMPT))})(?: \d+)?")
_SUMMARY: Final = "Summary"
_AS_OF: Final = re.compile(r"\bAs of (\d{4}-\d\d-\d\d \d\d:\d\d)\b")
_ACTIVITY: Final = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d), .+")
_FIRST_DAY: Final = date(2000, 1, 1)
_LAST_DAY: Final = date(2099, 12, 31)

_LARGEST_UNPACKED: Final = 1 << 30
"""More bytes than these, unpacked, are no workbook of a review."""

_DAMAGED: Final = (
    zipfile.BadZipFile,
    zlib.error,
    SyntaxError,  # XML that is not well-formed
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    OSError,
    EOFError,
    NotImplementedError,  # a compression that Python does not know
    RuntimeError,  # encrypted
)
"""What openpyxl raises for a file that is no workbook, or a damaged one."""

_SAVE_HINT: Final = "Save the workbook as .xlsx."
_RESTORE_HINT: Final = (
    "Put it back as credreport wrote it, or name the reports that the decision was made from:"
    " --report FILE."
)


_Row = Sequence[Any]
"""Cells as openpyxl reads them: each with its value and its type."""

_FORMULA: Final = "f"


@dataclass(frozen=True, slots=True, kw_only=True)
class _ListSheet:
    """Hold one sheet below its heads: in which column each stands, from 0, and the rows."""

    file: str
    title: str
    column_of: Mapping[str, int]
    rows: Mapping[int, _Row]

    def problem(self, row: int, head: str, message: str, hint: str) -> Problem:
        """Return a problem of one cell."""
        at = self.column_of[head]
        cell = f"{get_column_letter(at + 1)}{row}"
        value = self.rows[row][at].value
        text = None if value is None else str(value)
        place = f"{self.file}, sheet {self.title}"
        return Problem(place, row, f"{head}, cell {cell}", text, message, hint)


def read_review(name: str, content: bytes) -> ReviewWorkbook:
    """Return the decisions in a workbook of that name and content.

    A decision without a date counts from the as-of of its row, else from that of the Summary.

    Raises InputRefused with every problem: a file that is no workbook or has no list of a review,
    a list without its key columns, a decision that is none, a date that is none or missing, a
    formula in a cell that counts, different decisions on one user. A cell that only shows the
    state of a user refuses nothing: the problem stands in `states`.
    """
    sheets, as_of = _sheets(name, content)
    problems: list[Problem] = []
    decisions: list[ReviewDecision] = []
    states: dict[str, UserState | Problem] = {}
    for title, rows in sheets.items():
        try:
            listed = _list(name, title, rows)
            of_list = list(_decisions(listed, as_of))
        except InputRefused as error:
            problems += error.problems
        else:
            decisions += of_list
            states |= {each.place: _state(listed, each.row) for each in of_list}
    if problems := [*problems, *_contradictions(decisions)]:
        raise InputRefused(problems)
    file = FileReference(name=name, sha256=hashlib.sha256(content).hexdigest())
    return ReviewWorkbook(file=file, decisions=tuple(decisions), states=states)


def _sheets(name: str, content: bytes) -> tuple[dict[str, list[_Row]], datetime | None]:
    """Return the rows of the sheets that a reviewer fills in, and the as-of of the Summary."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            unpacked = sum(each.file_size for each in archive.infolist())
        if unpacked > _LARGEST_UNPACKED:
            raise InputRefused.of_file(
                name, "it is too large for a workbook of a review", _SAVE_HINT
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what openpyxl does not keep is not read here either
            book = openpyxl.load_workbook(BytesIO(content), read_only=True)
            sheets = {each.title: each for each in book.worksheets}
            lists = {title: _rows(sheets[title]) for title in sheets if _TITLE.fullmatch(title)}
            summary = _rows(sheets[_SUMMARY]) if _SUMMARY in sheets else []
    except _DAMAGED as error:
        message = f"not an Excel workbook, or damaged: {error}"
        raise InputRefused.of_file(name, message, _SAVE_HINT) from None
    if not lists:
        hint = f"A review has the sheet {', '.join(SHEETS[:-1])} or {SHEETS[-1]}."
        raise InputRefused.of_file(name, "it has no list of a review", hint)
    return lists, _as_of(summary)


def _rows(sheet: Any) -> list[_Row]:
    # Rows of a sheet that is read as a stream may be shorter than others.
    sheet.reset_dimensions()
    return list(sheet.iter_rows())


def _as_of(summary: Iterable[_Row]) -> datetime | None:
    """Return the first moment that the Summary shows as as-of, the oldest where they differ."""
    texts = (cell.value for row in summary for cell in row if isinstance(cell.value, str))
    match = next(filter(None, map(_AS_OF.search, texts)), None)
    return datetime.fromisoformat(match[1]).replace(tzinfo=UTC) if match else None


def _list(file: str, title: str, rows: Sequence[_Row]) -> _ListSheet:
    """Return a sheet's rows below its heads, none where nothing was decided or no user is listed.

    Raises InputRefused.
    """
    place = f"{file}, sheet {title}"
    for row, cells in enumerate(rows, start=1):
        heads = [_head(cell) for cell in cells]
        if len({*heads} & {*_COLUMNS}) > 1:
            if _has_no_entries(title, heads) or _has_no_decision(heads, rows[row:]):
                break
            _check_heads(place, row, heads)
            known = [*_COLUMNS, *(head for head in STATE_COLUMNS if heads.count(head) == 1)]
            at = {head: heads.index(head) for head in known if head in heads}
            empty = [EMPTY_CELL] * len(heads)
            below = {
                number: [*each, *empty] for number, each in enumerate(rows[row:], start=row + 1)
            }
            return _ListSheet(file=file, title=title, column_of=at, rows=below)
    else:
        if any(str(cell.value).startswith("arn:") for cells in rows for cell in cells):
            _check_heads(place, 1, [])
    return _ListSheet(file=file, title=title, column_of={}, rows={})


def _has_no_entries(title: str, heads: Sequence[str]) -> bool:
    """Return whether a list of exempt users has no column to fill in: there was no review yet."""
    return title.startswith(EXEMPT) and not {*heads} & {*_ENTRIES}


def _has_no_decision(heads: Sequence[str], rows: Iterable[_Row]) -> bool:
    """Return whether nothing stands in the column of decisions: other heads do not matter then."""
    if heads.count(DECISION) != 1:
        return False
    at = heads.index(DECISION)
    return all(_is_empty(row[at]) for row in rows if len(row) > at)


def _head(cell: Any) -> str:
    return " ".join(cell.value.split()) if isinstance(cell.value, str) else ""


def _check_heads(place: str, row: int, heads: Sequence[str]) -> None:
    """Refuse heads without a key column, or with one twice.

    Raises InputRefused.
    """
    counts = Counter(heads)
    if missing := [head for head in _REQUIRED_COLUMNS if not counts[head]]:
        message = f"missing: {', '.join(missing)}"
        hint = "Put the heads back as they were, in one row; other columns may be added."
        raise InputRefused([Problem(place, row, None, None, message, hint)])
    if repeated := [head for head in _COLUMNS if counts[head] > 1]:
        hint = "Rename the one that was added."
        raise InputRefused(
            Problem(place, row, head, None, "the column is there twice", hint) for head in repeated
        )


def _decisions(listed: _ListSheet, of_summary: datetime | None) -> Iterator[ReviewDecision]:
    """Yield the decisions of a list; rows without one are skipped.

    Raises InputRefused with all problems of the list.
    """
    problems: list[Problem] = []
    for row, cells in listed.rows.items():
        named = {head: cells[at] for head, at in listed.column_of.items() if head in _COLUMNS}
        if _is_empty(named[DECISION]):
            continue
        as_of = of_summary
        if AS_OF in listed.column_of:
            as_of = _moment(cells[listed.column_of[AS_OF]].value) or of_summary
        if of_row := list(_problems(listed, row, named, as_of)):
            problems += of_row
        else:
            yield replace(_decision(named, as_of), file=listed.file, sheet=listed.title, row=row)
    if problems:
        raise InputRefused(problems)


def _problems(
    listed: _ListSheet, row: int, named: Mapping[str, Any], as_of: datetime | None
) -> Iterator[Problem]:
    formulas = [head for head in named if named[head].data_type == _FORMULA]
    for head in formulas:
        hint = "Copy the cell, and paste it as a value."
        yield listed.problem(row, head, "a formula, whose result may change", hint)
    if DECISION not in formulas and _word(named[DECISION]) not in CHOICES:
        hint = f"Write {', '.join(CHOICES)}, or nothing."
        yield listed.problem(row, DECISION, "not a decision", hint)
    if ARN not in formulas and _is_empty(named[ARN]):
        hint = "Put the ARN back, or remove the decision: nothing else names the user."
        yield listed.problem(row, ARN, "the cell is empty", hint)
    if DECIDED_ON in formulas:
        return
    if _is_empty(named[DECIDED_ON]) and as_of is None:
        hint = (
            "Write the day of the decision as YYYY-MM-DD: the Summary has no time of the reports."
        )
        yield listed.problem(row, DECIDED_ON, "the cell is empty", hint)
    elif not _is_empty(named[DECIDED_ON]) and _day(named[DECIDED_ON].value) is None:
        hint = "Write the day of the decision as YYYY-MM-DD."
        yield listed.problem(row, DECIDED_ON, "not a date", hint)


def _decision(named: Mapping[str, Any], as_of: datetime | None) -> ReviewDecision:
    day = _day(named[DECIDED_ON].value)
    return ReviewDecision(
        arn=_text(named, ARN),
        created=_moment(named[CREATED].value),
        decision=Decision(_word(named[DECISION])),
        decided_on=day or _day(as_of) or _LAST_DAY,
        decided_by=_text(named, DECIDED_BY),
        ticket=_text(named, TICKET),
        comment=_text(named, COMMENT),
        has_entered_date=day is not None,
        as_of=as_of,
    )


def _state(listed: _ListSheet, row: int) -> UserState | Problem:
    """Return what a row shows of its user, or why it does not: each cell is as it was written."""
    if missing := [head for head in STATE_COLUMNS if head not in listed.column_of]:
        place = f"{listed.file}, sheet {listed.title}"
        message = f"missing, or there twice: {', '.join(missing)}"
        return Problem(place, row, None, None, message, _RESTORE_HINT)
    as_of, activity, *keys = (
        listed.rows[row][listed.column_of[head]].value for head in STATE_COLUMNS
    )
    moment, last_use = _moment(as_of), _last_use(activity)
    is_read = (moment, last_use or activity in (NEVER, NOT_KNOWN), *map(_is_key_state, keys))
    unread = [head for head, read in zip(STATE_COLUMNS, is_read, strict=True) if not read]
    if moment is None or unread:
        return listed.problem(row, unread[0], "not as credreport wrote it", _RESTORE_HINT)
    return UserState(moment, last_use, active_keys=keys.count(State.ACTIVE))


def _last_use(activity: Any) -> datetime | None:
    """Return the moment with which a last activity begins."""
    match = _ACTIVITY.fullmatch(str(activity))
    at = _parsed(match[1]) if match else None
    return at.replace(tzinfo=UTC) if at else None


def _is_key_state(value: Any) -> bool:
    return value in list(State) or str(value).endswith((NOT_UNDERSTOOD, NOT_REPORTED))


def _contradictions(decisions: Iterable[ReviewDecision]) -> Iterator[Problem]:
    """Yield a problem for each user with two decisions of one day in one workbook."""
    first: dict[tuple[str, datetime | None, date], ReviewDecision] = {}
    for each in decisions:
        other = first.setdefault((each.arn, each.created, each.decided_on), each)
        if other.decision is not each.decision:
            message = f"the decision in sheet {other.sheet}, row {other.row} is {other.decision}"
            place = f"{each.file}, sheet {each.sheet}"
            hint = "Remove one of the rows, or give the newer decision a later date."
            yield Problem(place, each.row, DECISION, str(each.decision), message, hint)


def _is_empty(cell: Any) -> bool:
    return cell.value is None or not str(cell.value).strip()


def _word(cell: Any) -> str:
    return str(cell.value).strip().lower()


def _text(named: Mapping[str, Any], head: str) -> str:
    """Return a cell as text: a ticket may be a number, and a column may be missing."""
    cell = named.get(head)
    return "" if cell is None or cell.value is None else str(cell.value).strip()


def _day(value: Any) -> date | None:
    """Return the day that a cell holds as a date or as text, None for another value."""
    if isinstance(value, str):
        value = _parsed(value.strip())
    elif _is_number(value):
        value = _from_serial(value)
    day = value.date() if isinstance(value, datetime) else value
    return day if isinstance(day, date) and _FIRST_DAY <= day <= _LAST_DAY else None


def _moment(value: Any) -> datetime | None:
    """Return the moment in UTC, to the second, that a cell holds; None for another value."""
    if isinstance(value, str):
        value = _parsed(value.strip()) if value.count(":") > 1 else None
    elif _is_number(value):
        value = _from_serial(value)
    if not isinstance(value, datetime):
        return None
    at = value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    # A spreadsheet counts in days, and a second is a fraction that may be a little off.
    return (at + timedelta(seconds=0.5)).replace(microsecond=0)


def _parsed(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.removesuffix("UTC").strip())
    except ValueError:
        return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _from_serial(value: float) -> Any:
    """Return the moment that a spreadsheet counts so, where a cell lost its form of a date."""
    try:
        return from_excel(value)
    except (ValueError, OverflowError):
        return None
