"""Keep decisions in a ledger, and read and write its file.

It is a CSV file to which lines are only ever added. It can be kept in git, and a script can write
one: `users.csv` with `decision,decided_by,decided_on,ticket,comment` in front. A spreadsheet may
save it: account and name are read from the ARN, and without one leading apostrophe.
"""

import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, partial
from pathlib import Path, PurePath
from typing import Final

from analyzer import columns
from analyzer.decisions.decision import (
    FACTS,
    PROGRAM,
    USER_ARN,
    Decision,
    EntryPlace,
    LedgerLine,
    User,
    baseline_in_row,
    open_row,
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
    day_problems,
    entry_problems,
    identity_problems,
)
from analyzer.decisions.review_list_layout import ENTRY_HEADS
from analyzer.decisions.standing import Days, Doubt, Standing, standings
from analyzer.errors import InputRefused, Problem
from analyzer.limits import DUE_DAYS, KEEP_DAYS
from analyzer.lists.csv_lists import ListForm, file_reference, list_rows
from analyzer.report.model import Exemption, FileReference
from analyzer.report.values import timestamp
from analyzer.terms import (
    FORMULA_SIGNS,
    AsOfSource,
    Verdict,
    short_list,
    utc_text,
)

_PLACE: Final = ("workbook", "sha256", "sheet", "row")
_ADDED_COLUMNS: Final = (*_PLACE, "baseline", "same_second", columns.SERVICE_CREDENTIALS)
"""Columns that collecting adds: the place of the entry, and data to compare a later report with."""

WORKBOOK, SHA256, SHEET, ROW, BASELINE, SAME_SECOND, _ = _ADDED_COLUMNS

COLUMNS: Final = (*ENTRIES, *_ADDED_COLUMNS, *columns.OF_USERS_CSV)

_SHEET_ENTRIES: Final = tuple(map(str.lower, ENTRY_HEADS))
_CONFLICT_MARKS: Final = ("<<<<<<<", "|||||||", "=======", ">>>>>>>")
"""The beginnings of the lines with which git marks two sides that it could not merge."""

_FORM: Final = ListForm(
    required=(*ENTRIES, *columns.JUDGED, *columns.REPORT_ONLY),
    optional=(*_ADDED_COLUMNS, *columns.OWNERSHIP, columns.ACCOUNT_NAME),
    by_program=True,
    hint=f"Use a ledger, or users.csv with {','.join(ENTRIES)} in front.",
)
_NO_NAMES: Final = "(none)"
"""The text in `same_second` if no other user was created then; no user has this name."""

_LONGEST_HEAD: Final = 1 << 16
_NEEDS_APOSTROPHE: Final = ("'", *FORMULA_SIGNS)


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """Hold the lines of a ledger, a set, and the days for which words hold.

    One to delete or deactivate is overdue after more than `due_days`.
    """

    lines: tuple[LedgerLine, ...] = ()
    file: FileReference | None = None
    keep_days: int = KEEP_DAYS
    due_days: int = DUE_DAYS

    def __repr__(self) -> str:
        """Return its number of decisions in a line."""
        return f"<Ledger: decisions {len(self.lines):,}>"

    @property
    def days(self) -> Days:
        """Return for how many days words hold."""
        return Days(self.keep_days, self.due_days)

    def until(self, day: date) -> "Ledger":
        """Return the ledger with the decisions up to and including a day."""
        return replace(self, lines=tuple(line for line in self.lines if line.decided_on <= day))

    def with_lines(self, lines: Iterable[LedgerLine]) -> "Ledger":
        """Return the union of the ledger and other lines; of equal lines the first place stays."""
        every = {line.identity: line for line in (*lines, *self.lines)[::-1]}
        every.update((line.identity, line) for line in self.lines)
        return replace(self, lines=tuple(sorted(every.values(), key=_line_order)))

    @cached_property
    def standings(self) -> Mapping[User, Standing]:
        """Return what stands on each user."""
        return standings(self.lines, self.days)

    def exemptions(self) -> tuple[Exemption, ...]:
        """Return an entry for each keep that may hold, with the comment as reason."""
        return tuple(
            Exemption(
                account=line.account,
                user=line.user,
                reason=line.comment,
                owner=line.decided_by,
                expires=self.days.last_day(line),
                line=line.row,
                arn=line.user_key.arn,
                created=line.user_key.created,
            )
            for stand in self.standings.values()
            for line in stand.keeps
            if line.identifies_user
        )

    def notes(self) -> list[str]:
        """Return sentences on decisions that nothing acts on."""
        notes = [*unidentified_notes(self.lines)]
        doubts = [stand.line for stand in self.standings.values() if stand.doubt is Doubt.DISAGREE]
        if doubts:
            users = short_list([line.user_key.arn for line in doubts])
            notes.append(f"Users on whom people disagree, so that nothing stands: {users}.")
        return notes


def _line_order(line: LedgerLine) -> tuple[object, ...]:
    return (
        line.account,
        line.user,
        line.decided_on,
        line.person,
        line.decision,
        line.as_of,
        line.place,
    )


def unidentified_notes(lines: Iterable[LedgerLine]) -> Iterator[str]:
    """Yield a sentence on the decisions whose user is not identified."""
    if users := [f"{line.user} ({line.place})" for line in lines if not line.identifies_user]:
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
    first, *_ = content[:_LONGEST_HEAD].decode("utf-8-sig", errors="replace").splitlines() or [""]
    if _is_sheet(_head(first)[1]):
        message = "a sheet of a workbook, saved as CSV"
        raise InputRefused([Problem.of_file(name, message, "Save the whole workbook as .xlsx.")])
    form, problems_of = replace(_FORM, refuses_others=refuses_others), partial(_problems, today)
    rows = [(row, _unquoted(cells)) for row, cells in list_rows(name, content, form, problems_of)]
    if problems := [*_different_row_problems(name, rows)]:
        raise InputRefused(problems)
    file = file_reference(name, content)
    lines = tuple(_line(file, row, cells) for row, cells in rows if not _is_open(cells))
    open_rows = tuple(open_row(cells) for _, cells in rows if _is_open(cells))
    return DecisionFile(file, lines, open_rows)


def _different_row_problems(
    name: str, rows: Sequence[tuple[int, Mapping[str, str]]]
) -> Iterator[Problem]:
    """Yield a problem for each decision on a user whose rows in a report differ.

    This file does not show which of the rows the reviewer saw. Lines of a ledger that were
    entered in different files may be about different reports of one moment.
    """
    shown: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    users = [(cells[columns.ARN], cells[columns.AS_OF], cells.get(SHA256, "")) for _, cells in rows]
    for user, (_, cells) in zip(users, rows, strict=True):
        shown.setdefault(user, set()).add(
            tuple(cells[name].lower() for name in columns.REPORT_ONLY)
        )
    for user, (row, cells) in zip(users, rows, strict=True):
        if not _is_open(cells) and len(shown[user]) > 1:
            message = "the report has another row of this user, which differs"
            hint = "Decide on this user in a workbook."
            yield Problem(name, row, columns.ARN, cells[columns.ARN], message, hint)


def read_ledger(name: str, content: bytes, *, refuses_others: bool = False) -> Ledger:
    """Return the ledger in a file of that name and content; raises as `read_entries` does."""
    entries = read_entries(name, content, refuses_others=refuses_others)
    return Ledger(lines=entries.lines, file=entries.file)


def holds_decisions(path: Path) -> bool:
    """Return whether a file is a ledger, a list in its form, or a sheet as CSV, with any entry."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        separator, names = _head(stream.readline(_LONGEST_HEAD))
        rows = csv.DictReader(stream, names, delimiter=separator)
        is_ledger, is_sheet = {*_FORM.required} <= {*names}, _is_sheet(names)
        entries = _SHEET_ENTRIES if is_sheet else ENTRIES
        return (is_ledger or is_sheet) and any(row[name] for row in rows for name in entries)


def _head(line: str) -> tuple[str, list[str]]:
    """Return the separator of a CSV and the names of its columns, in lower case."""
    separator = max(",;\t", key=line.count)
    cells = next(csv.reader([line], delimiter=separator), ())
    return separator, [cell.strip().lower() for cell in cells]


def _is_sheet(names: Collection[str]) -> bool:
    return {*_SHEET_ENTRIES} <= {*names}


def _unquoted(cells: Mapping[str, str]) -> dict[str, str]:
    """Return cells without the apostrophe that keeps a spreadsheet from reading a formula."""
    return {name: text.removeprefix("'") for name, text in cells.items()}


def _is_open(cells: Mapping[str, str]) -> bool:
    """Return whether a row has no entry and was not collected before."""
    return not any(cells.get(name) for name in (*ENTRIES, *_ADDED_COLUMNS))


def ledger_bytes(lines: Iterable[LedgerLine]) -> bytes:
    """Return lines as a CSV that `read_ledger` reads, safe to open in a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(
        [f"'{cell}" if cell.startswith(_NEEDS_APOSTROPHE) else cell for cell in _cells(line)]
        for line in lines
    )
    return text.getvalue().encode(errors="surrogateescape")


def _cells(line: LedgerLine) -> Iterator[str]:
    yield str(line.decision)
    yield from (line.decided_by, line.decided_on.isoformat(), line.ticket, line.comment)
    yield from (line.workbook, line.sha256, line.sheet, str(line.row))
    yield utc_text(line.baseline)
    names = line.same_second
    yield "" if names is None else ";".join(sorted(names)) or _NO_NAMES
    yield line.service_credentials
    yield from (line.user_row.get(name, "") for name in columns.OF_USERS_CSV)


def _names(text: str) -> frozenset[str] | None:
    if not text:
        return None
    return frozenset() if text == _NO_NAMES else frozenset(text.split(";"))


def _line(file: FileReference, row: int, cells: Mapping[str, str]) -> LedgerLine:
    user_row = {name: cells.get(name, "") for name in columns.OF_USERS_CSV}
    if match := USER_ARN.fullmatch(user_row[columns.ARN]):
        user_row |= {columns.ACCOUNT: match["account"], columns.USER: match["user"]}
    workbook, sha256, sheet, entered_row, baseline, same_second, services = map(
        cells.get, _ADDED_COLUMNS
    )
    return LedgerLine(
        decision=Decision(cells[DECISION].lower()),
        decided_by=cells[DECIDED_BY],
        decided_on=date.fromisoformat(cells[DECIDED_ON]),
        ticket=cells[TICKET],
        comment=cells[COMMENT],
        workbook=workbook or ("" if sha256 else PurePath(file.name).name),
        sha256=sha256 or file.sha256,
        sheet=sheet or "",
        row=int(entered_row or row),
        baseline=timestamp(baseline or "") or baseline_in_row(user_row),
        same_second=_names(same_second or ""),
        service_credentials=services or "",
        user_row=user_row,
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
    yield from _time_problems(cells, problem)
    if (cells[DECISION].lower(), cells[DECIDED_BY]) in [(fact, PROGRAM) for fact in FACTS]:
        yield from day_problems(cells, None, problem)
        return
    yield from entry_problems(cells, today, problem)
    for column, words in ((columns.AS_OF_SOURCE, AsOfSource), (columns.VERDICT, Verdict)):
        if cells[column] not in [*words]:
            hint = f"Put the row back as `users.csv` had it: {', '.join(words)}."
            yield problem(column, "not a word of this column", hint)
    if cells.get(ROW) and not re.fullmatch("[0-9]{1,7}", cells[ROW]):
        yield problem(ROW, "not a row", "Put the number back.")
    yield from identity_problems(cells, problem)
    if cells[columns.ARN].rpartition("/")[2] in (_names(cells.get(SAME_SECOND, "")) or ()):
        yield problem(SAME_SECOND, "it names the user of this row", ROW_HINT)


def _time_problems(cells: Mapping[str, str], problem: ProblemOf) -> Iterator[Problem]:
    """Yield problems of the times of a report: invalid, or the baseline is after as-of."""
    for column in (columns.AS_OF, *filter(cells.get, (BASELINE,))):
        if timestamp(cells[column]) is None:
            yield problem(column, "not a time", "Put it back as 2026-03-01T09:30:00Z.")
    as_of, baseline = (timestamp(cells.get(name, "")) for name in (columns.AS_OF, BASELINE))
    is_set = cells[columns.AS_OF_SOURCE] == AsOfSource.OPTION
    if as_of and baseline and as_of < baseline and not is_set:
        hint = "Put it back as the ledger had it."
        yield problem(BASELINE, f"later than the report, which is of {utc_text(as_of)}", hint)
