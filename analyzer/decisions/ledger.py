"""Keep decisions in a ledger, a set of lines of people's words, and read and write its file.

Order, copies and merging change nothing, and the program writes no line of its own. The file is a
CSV that can be kept in git. A script can write one: `users.csv` with
`decision,decided_by,decided_on,ticket,comment` in front. A spreadsheet may save it: account and
name are read from the ARN, and without one leading apostrophe.
"""

import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property, partial
from pathlib import Path, PurePath
from typing import Final

from analyzer import columns
from analyzer.decisions.decision import (
    Decision,
    EntryPlace,
    LedgerLine,
    User,
    of_arn,
    one_line,
    open_row,
    user_names,
)
from analyzer.decisions.entries import (
    COMMENT,
    DECIDED_BY,
    DECIDED_ON,
    DECISION,
    ENTRIES,
    ROW_HINT,
    TICKET,
    DecisionFile,
    ProblemOf,
    day_without_time,
    entry_problems,
    identity_problems,
)
from analyzer.decisions.removal_log import NO_LOG, RemovalLog
from analyzer.decisions.review_list_layout import ENTRY_HEADS
from analyzer.decisions.standing import Standing, last_day, standings
from analyzer.errors import InputRefused, Problem
from analyzer.limits import DUE_DAYS
from analyzer.lists.csv_lists import ListForm, file_reference, list_rows
from analyzer.report.model import Exemption, FileReference
from analyzer.report.values import timestamp
from analyzer.terms import FORMULA_SIGNS, VERSION, AsOfSource, Verdict, count_text, short_list

WORKBOOK: Final = "workbook"
ROW: Final = "row"
SAME_SECOND: Final = "same_second"
_ADDED_COLUMNS: Final = (WORKBOOK, ROW, SAME_SECOND)
"""Columns that collecting adds: where the entry was first made, and who was created with the user.
"""

COLUMNS: Final = (*ENTRIES, *_ADDED_COLUMNS, *columns.OF_LEDGER)

_SHEET_ENTRIES: Final = tuple(map(str.lower, ENTRY_HEADS))
_CONFLICT_MARKS: Final = ("<<<<<<<", "|||||||", "=======", ">>>>>>>")
"""The beginnings of the lines with which git marks two sides that it could not merge."""

_FORM: Final = ListForm(
    required=(*ENTRIES, *columns.OF_LEDGER),
    optional=(*_ADDED_COLUMNS, *columns.OWNERSHIP, columns.ACCOUNT_NAME),
    by_program=True,
    hint=f"Use a ledger, or users.csv with {','.join(ENTRIES)} in front.",
)
_WRITTEN_FIRST: Final = (*ENTRIES, *_ADDED_COLUMNS)
"""The columns with which every ledger begins that this program wrote, in any version."""

_LONGEST_HEAD: Final = 1 << 16
_NEEDS_APOSTROPHE: Final = ("'", *FORMULA_SIGNS)


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """Hold the lines of a ledger, a set; `log` is that of the removal script, empty if none."""

    lines: tuple[LedgerLine, ...] = ()
    file: FileReference | None = None
    log: RemovalLog = NO_LOG

    def __repr__(self) -> str:
        """Return its number of decisions in a line."""
        return f"<Ledger: decisions {len(self.lines):,}>"

    def until(self, day: date) -> "Ledger":
        """Return the ledger with the decisions up to and including a day."""
        lines = tuple(line for line in self.lines if line.decided_on <= day)
        return replace(self, lines=lines, log=self.log.until(day))

    def with_lines(self, lines: Iterable[LedgerLine]) -> "Ledger":
        """Return the union with other lines; of equal lines the smallest place stays."""
        union: dict[tuple[object, ...], LedgerLine] = {}
        for line in (*lines, *self.lines):
            known = union.setdefault(line.identity, line)
            if known is not line and _place(line) < _place(known):
                union[line.identity] = line
        return replace(self, lines=tuple(sorted(union.values(), key=_line_order)))

    @cached_property
    def standings(self) -> Mapping[User, Standing]:
        """Return what stands on each user."""
        return standings(self.lines)

    def exemptions(self) -> tuple[Exemption, ...]:
        """Return an entry for each user that a keep protects, with the person as its reason."""
        return tuple(
            Exemption(
                account=line.account,
                user=line.user,
                reason=f"kept by {line.decided_by} until {last_day(line)}",
                owner=line.decided_by,
                expires=last_day(line),
                line=line.row,
                arn=line.arn,
                created=line.created,
            )
            for line in self._keeps()
            if line.identifies_user
        )

    def _keeps(self) -> Iterator[LedgerLine]:
        """Yield the keep of each user that counts the longest."""
        for stand in self.standings.values():
            if keep := stand.longest_keep:
                yield keep

    def keeps_ending(self, day: date) -> list[LedgerLine]:
        """Return the keeps that end within `DUE_DAYS` from a day on."""
        soon = day + timedelta(DUE_DAYS)
        return [line for line in self._keeps() if day <= last_day(line) <= soon]

    def notes(self, as_of: date) -> Iterator[str]:
        """Yield sentences on decisions that nothing acts on, and on keeps that end soon."""
        yield from unidentified_notes(self.lines)
        if contested := [stand.line for stand in self.standings.values() if stand.is_contested]:
            users = short_list(user_names(contested))
            yield f"Nothing stands on these users, as people disagree: {users}."
        if ending := self.keeps_ending(as_of):
            users = short_list(user_names(ending))
            yield f"Decisions to keep that end within {count_text(DUE_DAYS, 'day')}: {users}."


def _place(line: LedgerLine) -> tuple[object, ...]:
    """Return what orders lines by their places."""
    return line.place, *_cells(line)


def _line_order(line: LedgerLine) -> tuple[object, ...]:
    of_user = line.account, line.user, line.decided_on, line.person, line.decision, line.as_of
    return *of_user, *_place(line)


def unidentified_notes(lines: Iterable[LedgerLine]) -> Iterator[str]:
    """Yield a sentence on the decisions whose user is not identified."""
    if users := [f"{line.user} ({line.place_text})" for line in lines if not line.identifies_user]:
        text = "Not acted on, as the user's creation time or account is not known"
        yield f"{text}: {short_list(users)}."


def read_entries(
    name: str, content: bytes, today: date | None = None, *, refuses_others: bool = False
) -> DecisionFile:
    """Return the decisions in a CSV: a ledger, or `users.csv` with the five columns.

    `today` is the day of collecting; without it, days are not compared with the report and today.
    `refuses_others` refuses other columns, which would be lost if the file is written again. Raises
    InputRefused with every problem of its columns, entries and users.
    """
    names = _head(_first_line(content))[1]
    if _is_sheet(names):
        message = "a sheet of a workbook, saved as CSV"
        raise InputRefused([Problem.of_file(name, message, "Save the whole workbook as .xlsx.")])
    _check_form(name, names, refuses_others=refuses_others)
    form, problems_of = replace(_FORM, refuses_others=refuses_others), partial(_problems, today)
    rows = [(row, _of_user(cells)) for row, cells in list_rows(name, content, form, problems_of)]
    file = file_reference(name, content)
    lines = tuple(_line(file, row, cells) for row, cells in rows if not _is_open(cells))
    open_rows = tuple(open_row(cells) for _, cells in rows if _is_open(cells))
    return DecisionFile(file, lines, open_rows, is_ledger=WORKBOOK in names)


def _check_form(name: str, names: Sequence[str], *, refuses_others: bool) -> None:
    """Raise InputRefused for a ledger with other columns than this version writes.

    A ledger names no version: its columns are its form. Lists that somebody else made pass.
    """
    if tuple(names[: len(_WRITTEN_FIRST)]) != _WRITTEN_FIRST:
        return
    lacking = [column for column in _FORM.required if column not in names]
    others = [column for column in names if column and column not in COLUMNS]
    differences, hint = [], "If another version of credreport wrote it, use that one."
    if lacking:
        differences.append(f"it lacks {short_list(lacking)}")
        hint += " Else restore the columns, or collect its workbooks into a new ledger."
    if others and refuses_others:
        differences.append(f"it also has {short_list(others)}")
        hint += " Else remove the columns, or keep them in another file: it would be lost."
    if differences:
        message = f"not the columns that credreport {VERSION} writes: {', and '.join(differences)}"
        raise InputRefused.of_file(name, message, hint)


def read_ledger(name: str, content: bytes, *, refuses_others: bool = False) -> Ledger:
    """Return the ledger in a file of that name and content; raises as `read_entries` does."""
    entries = read_entries(name, content, refuses_others=refuses_others)
    return Ledger(file=entries.file).with_lines(entries.lines)


def holds_decisions(path: Path) -> bool:
    """Return whether a file is a ledger, a list in its form, or a sheet as CSV, with any entry."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        separator, names = _head(stream.readline(_LONGEST_HEAD))
        rows = csv.DictReader(stream, names, delimiter=separator)
        is_ledger, is_sheet = {*_FORM.required} <= {*names}, _is_sheet(names)
        entries = _SHEET_ENTRIES if is_sheet else ENTRIES
        return (is_ledger or is_sheet) and any(row[name] for row in rows for name in entries)


def is_in_form_of_ledger(content: bytes) -> bool:
    """Return whether the columns of a CSV are those of a ledger, or of a list in its form."""
    return {*_FORM.required} <= {*_head(_first_line(content))[1]}


def _first_line(content: bytes) -> str:
    lines = content[:_LONGEST_HEAD].decode("utf-8-sig", errors="replace").splitlines()
    return lines[0] if lines else ""


def _head(line: str) -> tuple[str, list[str]]:
    """Return the separator of a CSV and the names of its columns, in lower case."""
    separator = max(",;\t", key=line.count)
    cells = next(csv.reader([line], delimiter=separator), ())
    return separator, [cell.strip().lower() for cell in cells]


def _is_sheet(names: Collection[str]) -> bool:
    return {*_SHEET_ENTRIES} <= {*names}


def _unquoted(cells: Mapping[str, str]) -> dict[str, str]:
    """Return cells without the apostrophe that keeps a spreadsheet from reading a formula."""
    unquoted = {name: text.removeprefix("'") for name, text in cells.items()}
    return {**unquoted, DECIDED_ON: day_without_time(unquoted[DECIDED_ON])}


def _of_user(quoted: Mapping[str, str]) -> dict[str, str]:
    """Return cells with account and name as the ARN has them: a spreadsheet rewrites numbers."""
    cells = _unquoted(quoted)
    return {**cells, **of_arn(cells[columns.ARN])}


def _is_open(cells: Mapping[str, str]) -> bool:
    """Return whether a row has no entry and was not collected before."""
    return not any(cells.get(name) for name in (*ENTRIES, *_ADDED_COLUMNS))


def ledger_bytes(lines: Iterable[LedgerLine]) -> bytes:
    """Return lines as a CSV that `read_ledger` reads, safe to open in a spreadsheet.

    Each line is one line of text, so that git can merge two ledgers.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(
        [f"'{cell}" if cell.startswith(_NEEDS_APOSTROPHE) else cell for cell in _cells(line)]
        for line in lines
    )
    return text.getvalue().encode(errors="surrogateescape")


def _cells(line: LedgerLine) -> Iterator[str]:
    cells = (
        *(str(line.decision), line.decided_by, line.decided_on.isoformat()),
        *(line.ticket, line.comment, line.workbook, str(line.row)),
        ";".join(sorted(line.same_second or ())),
        *(line.user_row.get(name, "") for name in columns.OF_LEDGER),
    )
    return map(one_line, cells)


def _line(file: FileReference, row: int, cells: Mapping[str, str]) -> LedgerLine:
    names = cells.get(SAME_SECOND)
    return LedgerLine(
        decision=Decision(cells[DECISION].lower()),
        decided_by=cells[DECIDED_BY],
        decided_on=date.fromisoformat(cells[DECIDED_ON]),
        ticket=cells[TICKET],
        comment=cells[COMMENT],
        workbook=cells.get(WORKBOOK) or PurePath(file.name).name,
        row=int(cells.get(ROW) or row),
        user_row={name: cells.get(name, "") for name in columns.OF_LEDGER},
        same_second=frozenset(names.split(";")) if names else None,
        read_from=EntryPlace(file.name, row),
    )


def _problems(
    today: date | None, name: str, row: int, quoted: Mapping[str, str]
) -> Iterator[Problem]:
    cells = _unquoted(quoted)
    if _is_open(cells):
        return

    def problem(column: str, message: str, hint: str) -> Problem:
        return Problem(name, row, column, cells[column] or None, message, hint)

    if cells[DECISION].startswith(_CONFLICT_MARKS):
        hint = "Keep the lines of both sides, and delete this one."
        yield problem(DECISION, "a merge conflict of git that is not resolved", hint)
        return
    if [cells[name].lower() for name in ENTRIES] == [*ENTRIES]:
        yield problem(DECISION, "the heads of the columns once more", "Delete this row.")
        return
    yield from entry_problems(cells, today, problem)
    yield from _row_problems(cells, problem)
    yield from identity_problems(cells, problem)


def _row_problems(cells: Mapping[str, str], problem: ProblemOf) -> Iterator[Problem]:
    """Yield problems of cells that only the program writes."""
    if timestamp(cells[columns.AS_OF]) is None:
        yield problem(columns.AS_OF, "not a time", "Put it back as 2026-03-01T09:30:00Z.")
    for column, words in ((columns.AS_OF_SOURCE, AsOfSource), (columns.VERDICT, Verdict)):
        if cells[column] not in [*words]:
            hint = f"Put the row back as `users.csv` had it: {', '.join(words)}."
            yield problem(column, "not a word of this column", hint)
    if cells.get(ROW) and not re.fullmatch("[0-9]{1,7}", cells[ROW]):
        yield problem(ROW, "not a whole number", "Put the number back.")
    name, names = cells[columns.ARN].rpartition("/")[2], cells.get(SAME_SECOND)
    if names and name not in names.split(";"):
        yield problem(SAME_SECOND, "it does not name the user of this row", ROW_HINT)
