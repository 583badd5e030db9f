"""Compare a ledger with the lists that its decisions were entered in, and with its reports."""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import NamedTuple, TypeAlias

from analyzer import columns
from analyzer.decisions.decision import LedgerLine, User, normal_name, one_line, open_row
from analyzer.decisions.entries import (
    COMMENT,
    DECIDED_BY,
    DECIDED_ON,
    DECISION,
    TICKET,
    DecisionFile,
)
from analyzer.decisions.ledger import ROW, SAME_SECOND, WORKBOOK, Ledger
from analyzer.decisions.review import ReportedUser
from analyzer.errors import Problem, joined_rows
from analyzer.reviews.entries import ComparedWorkbook, line_problems, not_known
from analyzer.reviews.given_reports import GivenReports, of_report
from analyzer.terms import count_text, utc_text, with_noun
from analyzer.verify import Verification


class _Entry(NamedTuple):
    """Name an entry: user, report, person, word and day."""

    user: User
    as_of: str
    person: str
    word: str
    day: str

    @property
    def summary(self) -> str:
        """Return the decision in one line."""
        return f"{self.word}, {self.person}, {self.day}"


@dataclass(slots=True)
class _Entered:
    """Hold where an entry stands, and its ticket and comment in each copy of the workbook.

    `rows` are those in which the copies have it.
    """

    place: str
    remarks: list[tuple[str, str]]
    rows: set[int] = field(default_factory=set)


_UserAsOf: TypeAlias = tuple[User, str]
"""A user, and the as-of of the report that shows it."""


@dataclass(slots=True)
class _Copies:
    """Hold what the workbooks of one name have, of which several copies can be given.

    `as_of` are those of their reports, `users` are judged by their limits, `unfilled` those without
    an entry in a copy. Entries that are not valid are among the `entries`.
    """

    as_of: set[str] = field(default_factory=set)
    users: dict[_UserAsOf, ReportedUser] = field(default_factory=dict)
    unfilled: set[_UserAsOf] = field(default_factory=set)
    entries: dict[_Entry, _Entered] = field(default_factory=dict)

    def add(self, file: str, workbook: ComparedWorkbook) -> None:
        """Add a copy."""
        self.as_of |= {report.as_of for report in workbook.review.reports}
        for each in workbook.sheets:
            for row, user in each.rows.items():
                shown, entered = user.row, each.entered[row]
                at = open_row(shown).user, shown[columns.AS_OF]
                self.users[at] = ReportedUser(of_report(shown), shown, user.same_second)
                if not any(entered.values()):
                    self.unfilled.add(at)
                    continue
                word, day = entered[DECISION].lower(), entered[DECIDED_ON]
                entry = _Entry(*at, normal_name(entered[DECIDED_BY]), word, day)
                place = f"{file}, sheet {each.sheet.cells.title}, row {row}"
                remarks = one_line(entered[TICKET]), one_line(entered[COMMENT])
                found = self.entries.setdefault(entry, _Entered(place, []))
                found.remarks.append(remarks)
                found.rows.add(row)

    def add_list(self, listed: DecisionFile) -> None:
        """Add a list in CSV, whose users are judged by the usual limits."""
        unfilled = {(row.user, utc_text(row.as_of)) for row in listed.open_rows}
        self.unfilled |= unfilled
        self.as_of |= {as_of for _, as_of in unfilled}
        self.as_of |= {utc_text(line.as_of) for line in listed.lines}
        for line in listed.lines:
            entered = _Entered(f"{listed.file.name}, row {line.row}", [])
            found = self.entries.setdefault(_entry_of(line), entered)
            found.remarks.append((line.ticket, line.comment))
            found.rows.add(line.row)


def verify_list(listed: DecisionFile, given: GivenReports, result: Verification) -> None:
    """Compare the rows of a list in CSV that have an entry with their reports."""
    result.outputs += 1
    reported = given.users_of({line.user for line in listed.lines})
    found = [_compare_row(line, _Copies(), reported, result) for line in listed.lines]
    if lacking := found.count(False):
        text = f"{listed.file.name}: {count_text(lacking, 'line')} without a report"
        result.not_checked.append(text)


def verify_ledger(
    ledger: Ledger,
    workbooks: Mapping[str, ComparedWorkbook],
    lists: Iterable[DecisionFile],
    given: GivenReports,
    result: Verification,
) -> None:
    """Compare a ledger with the entries of workbooks and lists, and its lines with their reports.

    An entry that was emptied, or corrected by a later word of its person, is a note.
    """
    result.outputs += 1
    name = ledger.file.name if ledger.file else ""
    copies = dict[str, _Copies]()
    for file, workbook in workbooks.items():
        copies.setdefault(PurePath(file).name, _Copies()).add(file, workbook)
    for listed in lists:
        copies.setdefault(PurePath(listed.file.name).name, _Copies()).add_list(listed)
    reported = given.users_of({line.user for line in ledger.lines})
    recorded = {*map(_entry_of, ledger.lines)}
    without, notes = Counter[str](), list[Problem]()
    for line in ledger.lines:
        of_name = copies.get(line.workbook, _Copies())
        has_workbook = utc_text(line.as_of) in of_name.as_of
        without["report"] += not _compare_row(line, of_name, reported, result)
        without["workbook"] += not has_workbook and line.workbook != PurePath(name).name
        if has_workbook:
            notes += _entry_notes(line, of_name, recorded, result)
        else:
            _compare_workbook(line, copies, result)
    result.notes += [str(note).partition("\n")[0] for note in joined_rows(notes)]
    for of_name in copies.values():
        for entry, found in of_name.entries.items():
            if entry not in recorded:
                result.add(found.place, f"not in {name}: {entry.summary}")
    for what, number in without.items():
        if number:
            result.not_checked.append(f"{name}: {count_text(number, 'line')} without a {what}")


def _compare_row(
    line: LedgerLine,
    of_name: _Copies,
    reported: Mapping[_UserAsOf, ReportedUser],
    result: Verification,
) -> bool:
    """Compare the row of a line with that of its report; return whether the report is given."""
    at = line.subject, utc_text(line.as_of)
    user = of_name.users.get(at) or reported.get(at)
    if user is None:
        return False
    by_limits = () if at in of_name.users else not_known(line)
    result.add_problems(line_problems(line, user, by_limits))
    # A script's line may lack it.
    if line.workbook != PurePath(line.read_from.file).name and line.same_second is None:
        place = f"{line.read_from.file}, row {line.read_from.row}, column {SAME_SECOND}"
        result.add(place, "it is empty, and collect always fills it in")
    return True


def _entry_notes(
    line: LedgerLine, of_name: _Copies, recorded: Container[_Entry], result: Verification
) -> Iterator[Problem]:
    """Compare a line with the entries of its workbook; yield that it was emptied or corrected."""
    entry, (file, row, _) = _entry_of(line), line.read_from
    if entry in of_name.entries:
        remarks = of_name.entries[entry].remarks
        if (line.ticket, line.comment) not in remarks:
            shown = "; ".join(f"ticket {ticket!r}, comment {text!r}" for ticket, text in remarks)
            result.add(f"{file}, row {row}", f"ticket or comment: {line.workbook} has {shown}")
        if line.row not in (rows := of_name.entries[entry].rows):
            text = f"{line.workbook} has the entry in {with_noun('row', [*map(str, sorted(rows))])}"
            result.add(f"{file}, row {row}, column {ROW}", f"{line.row}; {text}")
        return
    alike = [one for one in of_name.entries if one[:2] == entry[:2]]
    alike.sort(key=lambda one: one.person != entry.person)
    now = alike[0] if alike else None
    is_corrected = now is not None and now in recorded and _corrects(now, entry)
    if entry[:2] in of_name.unfilled and not is_corrected:
        now = None
    text = f"{line.summary}; {line.workbook} has {now.summary if now else 'no entry'} now"
    if now is None or is_corrected:
        yield Problem(file, row, None, None, text, "")
        return
    if now.person != entry.person:
        text += ": written over, or never there. Name the copy that was collected, too"
    result.add(f"{file}, row {row}", text)


def _compare_workbook(
    line: LedgerLine, copies: Mapping[str, _Copies], result: Verification
) -> None:
    """Compare the workbook of a line, which is not given, with those that have its entry."""
    names = [name for name, of_name in copies.items() if _entry_of(line) in of_name.entries]
    if names:
        file, row, _ = line.read_from
        text = f"the entry is in {', '.join(sorted(names))}; if in both, name that file too"
        result.add(f"{file}, row {row}, column {WORKBOOK}", f"{line.workbook}; {text}")


def _entry_of(line: LedgerLine) -> _Entry:
    day, as_of = str(line.decided_on), utc_text(line.as_of)
    return _Entry(line.subject, as_of, line.person, str(line.decision), day)


def _corrects(now: _Entry, entry: _Entry) -> bool:
    """Return whether the entry of now is a later word, or one of that day, of the same person."""
    return now.person == entry.person and now.day >= entry.day
