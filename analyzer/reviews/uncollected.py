"""Name the files beside a ledger whose entries it lacks.

A person foresees what a plan does only if the ledger has all words: an entry is the user with its
creation time, the report, the person, the word, the day, the ticket and the comment.
"""

import csv
import os
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from analyzer.decisions.decision import LedgerLine, normal_name, one_line
from analyzer.decisions.entries import COMMENT, DECIDED_BY, DECIDED_ON, DECISION, ENTRIES, TICKET
from analyzer.decisions.ledger import Ledger, is_in_form_of_ledger, read_entries
from analyzer.decisions.review_list_layout import (
    ARN,
    AS_OF,
    CREATED,
    ENTRY_HEADS,
    USER,
    minute_text,
)
from analyzer.decisions.review_list_layout import DECIDED_BY as DECIDED_BY_HEAD
from analyzer.errors import InputRefused, Problem
from analyzer.files import is_sealed, may_be_workbook, sha256
from analyzer.report.values import timestamp
from analyzer.reviews.comparison import said_of_every_row
from analyzer.reviews.entries import SPREADSHEET_ENDINGS, entered_in, has_formula, is_decided
from analyzer.reviews.list_sheets import ListSheet, decided_workbook
from analyzer.reviews.xlsx_reader import text_of
from analyzer.terms import short_list, utc_text

_HINT: Final = "Collect it first, or move it away."
_TEXT_ENDINGS: Final = (".csv", ".tsv", ".txt")
_HEAD_ROWS: Final = 50
"""Rows in which a CSV may have its heading: a spreadsheet saves what stands above a list too."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """Hold an entry as it can be recognized: moments to the minute, as sheets can show them.

    `created` is empty where the creation time was not understood.
    """

    arn: str
    created: str
    as_of: str
    person: str
    word: str
    day: str
    ticket: str
    comment: str


@dataclass(frozen=True, slots=True)
class _Found:
    """Hold an entry of a file with its row and what to call it."""

    row: int
    name: str
    entry: _Entry | None


def uncollected(
    folders: Iterable[Path], ledger: Ledger, known: Container[str] = ()
) -> Iterator[Problem]:
    """Yield a problem for each workbook or CSV with an entry that a ledger lacks, or unread.

    All files in the folders and below are looked at, links followed. `known` are the SHA-256 of
    files that nobody has edited.
    """
    recorded = _recorded(ledger)
    for path in _paths_below(folders):
        if isinstance(path, Problem):
            yield path
            continue
        try:
            found = _entries_of_file(path, ledger, known)
        except (OSError, InputRefused) as error:
            yield Problem.of_file(str(path), f"it has entries that cannot be read: {error}", _HINT)
        else:
            yield from _lacking(path, found, recorded, _HINT)


def lost_lines(copies: Iterable[Path], ledger: Ledger, hint: str) -> Iterator[Problem]:
    """Yield a problem for each copy of a ledger with lines that it lacks now.

    Raises OSError and InputRefused if a copy cannot be read.
    """
    recorded = _recorded(ledger)
    for path in copies:
        found = _entries_of_ledger(str(path), path.read_bytes())
        yield from _lacking(path, found, recorded, hint)


def _recorded(ledger: Ledger) -> set[_Entry | None]:
    return {*map(_entry_of_line, ledger.lines)}


def _lacking(
    path: Path, found: Iterable[_Found], recorded: Container[_Entry | None], hint: str
) -> Iterator[Problem]:
    """Yield one problem that names the entries of a file that are not recorded."""
    if lacking := [each for each in found if each.entry not in recorded]:
        named = short_list([f"row {each.row}: {each.name}" for each in lacking])
        message = f"the ledger lacks {len(lacking):,} of its entries, {named}"
        yield Problem.of_file(str(path), message, hint)


def _paths_below(folders: Iterable[Path]) -> Iterator[Path | Problem]:
    """Yield each file whose name may be that of a list once, and each folder that cannot be read.

    A folder that links lead to again is not searched again.
    """
    problems: list[OSError] = []
    seen: set[tuple[int, int]] = set()
    for top in folders:
        for at, below, names in os.walk(top, onerror=problems.append, followlinks=True):
            status = Path(at).stat()
            if (folder := (status.st_dev, status.st_ino)) in seen:
                below.clear()
                continue
            seen.add(folder)
            below.sort()
            yield from (Path(at, name) for name in sorted(names) if _may_be_list(name))
    for error in problems:
        message = f"it cannot be read: {error.strerror}"
        yield Problem.of_file(str(error.filename), message, "Read it as its owner, or move it.")


def _may_be_list(name: str) -> bool:
    is_named = name.lower().endswith((*SPREADSHEET_ENDINGS, *_TEXT_ENDINGS))
    return is_named and not name.startswith((".", "~$"))


def _entries_of_file(path: Path, ledger: Ledger, known: Container[str]) -> list[_Found]:
    """Return the entries of a file; raises OSError and InputRefused."""
    if path.exists() and not path.is_file():
        return []
    if is_sealed(path) or sha256(path) in known:
        return []
    if may_be_workbook(path):
        return _entries_of_workbook(path)
    if path.name.lower().endswith(SPREADSHEET_ENDINGS):
        raise InputRefused.of_file(str(path), "its form is not known", "Save it as .xlsx.")
    return _entries_of_csv(path, ledger)


def _entry_of_line(line: LedgerLine) -> _Entry:
    return _Entry(
        arn=line.arn,
        created=_minute(line.created),
        as_of=_minute(line.as_of),
        person=line.person,
        word=str(line.decision),
        day=str(line.decided_on),
        ticket=line.ticket,
        comment=line.comment,
    )


def _minute(at: datetime | None) -> str:
    """Return a moment to the minute, as a list may show it, empty if it is not known."""
    return minute_text(utc_text(at)) if at else ""


def _name(person: str, word: str, user: str) -> str:
    return f"{word or 'an entry'} of {user}" + (f" by {person}" if person else "")


# Workbooks


def _entries_of_workbook(path: Path) -> list[_Found]:
    """Return the entries of all rows, also of those that collecting would refuse."""
    workbook = decided_workbook(str(path), path.read_bytes())
    if workbook is None:
        return []
    moments = {timestamp(report.as_of) for report in workbook.review.reports}
    as_of = _minute(moments.pop()) if len(moments) == 1 else ""
    return [each for sheet in workbook.lists for each in _entries_of_list(sheet, as_of)]


def _entries_of_list(sheet: ListSheet, as_of: str) -> Iterator[_Found]:
    """Yield the entries of a list; `as_of` is that of its only report, empty for several."""
    for row in sheet.rows:
        arn, entered = sheet.entry(ARN, row), entered_in(sheet, row)
        is_formula = has_formula(sheet, row)
        if not (is_formula or (any(entered.values()) if arn else is_decided(sheet, row))):
            continue
        entry = _Entry(
            arn=arn,
            created=_shown_minute(sheet, CREATED, row),
            as_of=_shown_minute(sheet, AS_OF, row) or as_of,
            person=normal_name(entered[DECIDED_BY]),
            word=entered[DECISION].lower(),
            day=entered[DECIDED_ON],
            ticket=one_line(entered[TICKET]),
            comment=one_line(entered[COMMENT]),
        )
        name = _name(entered[DECIDED_BY], entered[DECISION], arn or "nobody")
        yield _Found(row, name, None if is_formula else entry)


def _shown_minute(sheet: ListSheet, head: str, row: int) -> str:
    """Return the moment that a list shows of a user, to the minute, empty if it shows none."""
    if head not in sheet.column_of:
        return said_of_every_row(sheet, head)
    value = sheet.value(head, row)
    text = sheet.cells.moment_text(value) if isinstance(value, float) else text_of(value)
    return _minute(timestamp(text))


# CSV files


def _entries_of_csv(path: Path, ledger: Ledger) -> list[_Found]:
    """Return the entries of a CSV: of a ledger or a list in its form, or of any other table."""
    content = path.read_bytes()
    if is_in_form_of_ledger(content):
        return _entries_of_ledger(str(path), content)
    return [*_entries_of_table(_text(content), ledger)]


def _entries_of_ledger(name: str, content: bytes) -> list[_Found]:
    return [
        _Found(line.read_from.row, _name_of_line(line), _entry_of_line(line))
        for line in read_entries(name, content).lines
    ]


def _name_of_line(line: LedgerLine) -> str:
    return _name(line.decided_by, line.decision, line.arn)


def _text(content: bytes) -> str:
    """Return the text of a CSV in any encoding in which a spreadsheet saves one."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    if b"\0" in content[:4]:
        is_little = content[1:2] == b"\0"
        return content.decode("utf-16-le" if is_little else "utf-16-be", errors="replace")
    return content.decode("utf-8-sig", errors="replace")


def _entries_of_table(text: str, ledger: Ledger) -> Iterator[_Found]:
    """Yield the rows below a heading `Decision` in which anything is entered, whatever its columns.

    A row is recorded if its cells have all that a line of the ledger says, as those of a follow-up
    that the program wrote do.
    """
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines[:_HEAD_ROWS], 1):
        separator = max(",;\t", key=line.count)
        heads = [cell.strip().casefold() for cell in next(csv.reader([line], delimiter=separator))]
        if DECISION in heads:
            said = [(_texts(each), _entry_of_line(each)) for each in ledger.lines]
            for row, cells in _rows_below(lines, number, separator):
                named = dict(zip(heads, cells, strict=False))
                if any(named.get(head) for head in _ENTRY_NAMES):
                    entry = next((entry for texts, entry in said if texts <= {*cells}), None)
                    yield _Found(row, _name_of_row(named), entry)
            return


_ENTRY_NAMES: Final = (*ENTRIES, *map(str.casefold, ENTRY_HEADS))


def _rows_below(
    lines: Sequence[str], start: int, separator: str
) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of each row below the heads, and the number of its last line."""
    reader = csv.reader(lines[start:], delimiter=separator)
    for cells in reader:
        yield start + reader.line_num, [one_line(cell.strip()).removeprefix("'") for cell in cells]


def _texts(line: LedgerLine) -> set[str]:
    """Return all that a line of the ledger says of an entry, as the program writes it."""
    created = utc_text(line.created) if line.created else ""
    moments = created, utc_text(line.as_of), str(line.decided_on)
    texts = line.arn, *moments, line.decided_by, str(line.decision), line.ticket, line.comment
    return {*filter(None, texts)}


def _name_of_row(named: Mapping[str, str]) -> str:
    """Return what to call an entry of a table: by the ARN or the name, or by the first cell."""
    others = (text for head, text in named.items() if text and head not in _ENTRY_NAMES)
    user = named.get(ARN.casefold()) or named.get(USER.casefold()) or next(others, "nobody")
    person = named.get(DECIDED_BY) or named.get(DECIDED_BY_HEAD.casefold(), "")
    return _name(person, named[DECISION], user)
