"""Hold the entries of files with decisions, and check them.

A decision is valid if its five cells are valid, and all cells of its row name one IAM user.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

from analyzer import columns
from analyzer.decisions import review_list_layout
from analyzer.decisions.decision import (
    PROGRAM,
    Decision,
    LedgerLine,
    OpenRow,
    normal_name,
    of_arn,
)
from analyzer.errors import Problem
from analyzer.lists.csv_lists import is_day
from analyzer.report.model import FileReference
from analyzer.report.values import timestamp
from analyzer.terms import ROOT_USER

ENTRIES: Final = ("decision", "decided_by", "decided_on", "ticket", "comment")
"""The columns that a person fills in."""

DECISION, DECIDED_BY, DECIDED_ON, TICKET, COMMENT = ENTRIES
_TOLERANCE: Final = timedelta(days=1)
"""In the reviewer's time zone, the next day may have begun, or the last not ended."""


@dataclass(frozen=True)
class DecisionFile:
    """Hold the entries of one file, in its order, and the users that are left open.

    `notes` are other sentences on the file. The lines of a ledger were collected before.
    """

    file: FileReference
    lines: tuple[LedgerLine, ...]
    open_rows: tuple[OpenRow, ...] = ()
    notes: tuple[str, ...] = ()
    is_ledger: bool = False


ProblemOf = Callable[[str, str, str], Problem]
"""A function that makes a problem of a row from a column, a message and a hint."""


def entry_problems(
    cells: Mapping[str, str], today: date | None, problem: ProblemOf
) -> Iterator[Problem]:
    """Yield the problems of a person's entries.

    `cells` has texts by `ENTRIES` and by `columns.OF_USERS_CSV`. The day of the decision must not
    be before the report, nor after `today`, the day of collecting, if there is one.
    """
    if cells[DECISION].lower() not in [*Decision]:
        message = "not a decision" if cells[DECISION] else "an entry without a decision"
        yield problem(DECISION, message, f"Write {', '.join(Decision)}; or empty the other cells.")
    if not cells[DECIDED_BY]:
        yield problem(DECIDED_BY, "the cell is empty", "Write the name of the person who decided.")
    if _INVISIBLE.search(cells[DECIDED_BY]):
        spelled = cells[DECIDED_BY].encode("ascii", "backslashreplace").decode()
        message = f"the name has characters that nobody sees: {spelled}"
        yield problem(DECIDED_BY, message, "Type the name of the person who decided.")
    if normal_name(cells[DECIDED_BY]) == PROGRAM:
        yield problem(DECIDED_BY, "the name of the program", "Write the name of the person.")
    yield from _day_problems(cells, today, problem)
    if cells[DECISION].lower() == Decision.KEEP and not cells[COMMENT]:
        yield problem(COMMENT, "the cell is empty", "Write why the user is kept.")


_INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Control characters, and those that Unicode has programs show as nothing (its property
Default_Ignorable_Code_Point, and the blank pattern of Braille): two names with and without one look
the same."""


def _day_problems(
    cells: Mapping[str, str], today: date | None, problem: ProblemOf
) -> Iterator[Problem]:
    text, as_of = cells[DECIDED_ON], timestamp(cells[columns.AS_OF])
    day = date.fromisoformat(text) if is_day(text) else None
    if day is None:
        hint = "Write the day of the decision as YYYY-MM-DD."
        yield problem(DECIDED_ON, "not a date" if text else "the cell is empty", hint)
    elif today and day > today + _TOLERANCE:
        hint = "Write the day of the decision, or check the clock of this machine."
        yield problem(DECIDED_ON, f"the day is after today, {today}", hint)
    elif as_of and day < as_of.date() - _TOLERANCE:
        message = f"decided before the report, which is of {as_of.date()}"
        hint = "Write the day on which you decided on this report."
        yield problem(DECIDED_ON, message, hint)


def day_without_time(text: str) -> str:
    """Return a day without the time of day behind it; other text as it is."""
    return text[:10] if _DAY_AND_TIME.fullmatch(text) else text


_DAY_AND_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d\S*", re.ASCII)


def identity_problems(cells: Mapping[str, str], problem: ProblemOf) -> Iterator[Problem]:
    """Yield a problem for each cell that keeps a row of `users.csv` from naming one IAM user.

    The ARN has account and name too, and the age counts from the creation time.
    """
    arn, user = cells[columns.ARN], cells[columns.USER]
    parts = of_arn(arn)
    if user == ROOT_USER or arn.endswith(":root"):
        yield problem(columns.USER, "the root user is not an IAM user", "Remove the row.")
    elif not parts:
        yield problem(columns.ARN, "not the ARN of an IAM user", ROW_HINT)
    _, slash, name = arn.rpartition("/")
    parts = parts or ({columns.USER: name} if slash else {})
    for column, part in parts.items():
        if not _is_same(cells[column], part):
            hint = f"The ARN names {part}. Put the row back as the report had it."
            yield problem(column, f"the ARN names another {column}", hint)
    created, as_of = timestamp(cells[columns.USER_CREATION_TIME]), timestamp(cells[columns.AS_OF])
    age = str(max(0, (as_of - created).days)) if as_of and created else ""
    if as_of and not _is_same(cells[columns.AGE_DAYS], age):
        message = f"not the creation time of a user with age_days {cells[columns.AGE_DAYS]!r}"
        yield problem(columns.USER_CREATION_TIME, message, ROW_HINT)


ROW_HINT: Final = "Put the row back as the report had it, or decide in a workbook."


def _is_same(cell: str, part: str) -> bool:
    """Return whether a cell holds a part of the ARN, perhaps as a spreadsheet rewrote the number.

    A spreadsheet turns 012345678901 into 12345678901 or 1.23457E+10.
    """
    if cell == part:
        return True
    with suppress(ValueError, OverflowError):
        return math.isclose(float(cell), float(part), rel_tol=1e-5 if "E" in cell.upper() else 0)
    return False


def filled_down_problems(lines: Sequence[LedgerLine]) -> Iterator[Problem]:
    """Yield a problem if days, or numbers behind names, rise by one from row to row.

    A spreadsheet filled them down. The lines are those of a workbook or list, in its order.
    """
    if line := _counted_up(
        lines, lambda before, line: line.decided_on - before.decided_on == _A_DAY
    ):
        hint = "Write the day on which you decided in each row."
        yield _filled_down(line, DECIDED_ON, str(line.decided_on), "days rise", hint)
    if line := _counted_up(lines, lambda before, line: _next_name(before.person) == line.person):
        hint = "Write the name of the person who decided in each row."
        yield _filled_down(line, DECIDED_BY, line.decided_by, "the numbers behind names rise", hint)


def _counted_up(
    lines: Sequence[LedgerLine], rises: Callable[[LedgerLine, LedgerLine], bool]
) -> LedgerLine | None:
    """Return the last of the first rows in which something rises from row to row, if any."""
    run = 1
    for before, line in pairwise(lines):
        (file, row, _), above = line.read_from, before.read_from
        is_next = (file, row) == (above.file, above.row + 1)
        run = run + 1 if is_next and rises(before, line) else 1
        if run == _FILLED_ROWS:
            return line
    return None


def _next_name(name: str) -> str | None:
    """Return a name whose number is one more, None for a name without a number at its end."""
    match = re.fullmatch(r"(.*?)(\d+)", name, re.ASCII)
    return f"{match[1]}{int(match[2]) + 1}" if match else None


def _filled_down(line: LedgerLine, name: str, value: str, what: str, hint: str) -> Problem:
    file, row, cell = line.read_from
    message = f"from row {row - _FILLED_ROWS + 1} on, {what} by one: a spreadsheet filled them down"
    column = _HEADS[name] if cell else name
    return Problem(file, row, column, value, message, hint)


_HEADS: Final = {
    DECIDED_BY: review_list_layout.DECIDED_BY,
    DECIDED_ON: review_list_layout.DECIDED_ON,
}
_A_DAY: Final = timedelta(days=1)
_FILLED_ROWS: Final = 7
