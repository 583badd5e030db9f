"""Check the decisions that people entered, and add what is new to a ledger: all or nothing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from analyzer import columns
from analyzer.decisions import review_columns
from analyzer.decisions.follow_up import page_of_lines
from analyzer.decisions.ledger import DECIDED_ON, DECISION, PROGRAM, Entries, Ledger
from analyzer.decisions.review_columns import Decision
from analyzer.decisions.standing import LedgerLine, Standing, UserKey, standings
from analyzer.errors import InputRefused, Problem
from analyzer.verdicts.caveats import UNREAD_CELL
from analyzer.verdicts.facts import ANOTHER_ROW

_TOLERANCE: Final = timedelta(days=1)
"""A day may have begun, or not ended, where the reviewer is."""


@dataclass(slots=True)
class Tally:
    """Count what one reviewer entered in one file, and what came of it."""

    file: str
    reviewer: str
    entered: int = 0
    added: int = 0
    changed: int = 0
    withdrawn: int = 0
    already_there: int = 0


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """Hold the tallies of a file's reviewers, and what is not decided there.

    `emptied` are decisions that were collected from this file before and are no longer in it: they
    stay in force. `still_open` is the number of listed users that nobody decided on in this review.
    """

    file: str
    tallies: tuple[Tally, ...]
    emptied: tuple[LedgerLine, ...]
    still_open: int


@dataclass(frozen=True, slots=True)
class Collection:
    """Hold the ledger with what was added, and what came of each file."""

    ledger: Ledger
    added: tuple[LedgerLine, ...]
    files: tuple[FileOutcome, ...]
    notes: tuple[str, ...]


def collect(
    ledger: Ledger, files: Sequence[Entries], today: date, *, attended: bool = True
) -> Collection:
    """Return the ledger with the decisions of files that are not in it.

    `today` is the day of collecting. Different decisions of different people on one user and day
    are a conflict: refused, or where nobody is there to solve it, a line `conflict` is added.

    Raises InputRefused with every problem.
    """
    entered = [line for each in files for line in each.lines]
    new = _without_repeats(ledger.lines, entered)
    problems = [
        *(problem for line in entered for problem in _date_problems(line, today)),
        *_hidden_difference_problems(entered),
        *_older_view_problems(ledger.lines, new),
    ]
    conflicts = [*_unnoted_conflicts([*ledger.lines, *new])]
    if attended:
        problems += [_conflict_problem(*pair) for pair in conflicts]
    if problems:
        raise InputRefused(problems)
    noted = [_conflict_line(*pair) for pair in conflicts]
    whole = replace(ledger, lines=(*ledger.lines, *new, *noted))
    before, after = standings(ledger.lines), standings(whole.lines)
    kept = {id(line) for line in new}
    return Collection(
        ledger=whole,
        added=(*new, *noted),
        files=tuple(_file_outcome(each, kept, before, after) for each in files),
        notes=(*_conflict_notes(noted), *dict.fromkeys(_replaced_notes(entered, after))),
    )


def _without_repeats(
    known: Iterable[LedgerLine], entered: Iterable[LedgerLine]
) -> list[LedgerLine]:
    """Return the decisions that are not there already.

    There is the word that counts for this person, user and day, and the last one that was collected
    from the same row. A word that the person gave up since is given anew.
    """
    newest: dict[tuple[object, ...], LedgerLine] = {}
    for line in known:
        newest |= dict.fromkeys(_places(line), line)
    new = []
    for line in entered:
        there = (newest[place] for place in _places(line) if place in newest)
        if line.content not in [each.content for each in there]:
            new.append(line)
            newest |= dict.fromkeys(_places(line), line)
    return new


def _places(line: LedgerLine) -> tuple[tuple[object, ...], tuple[object, ...]]:
    """Return what names the person's word of the day, and the row that it was entered in."""
    own = line.user_key, line.person
    return (*own, line.decided_on), (*own, line.workbook, line.sheet, line.row)


def _date_problems(line: LedgerLine, today: date) -> Iterator[Problem]:
    """Yield a problem for a day before the report was made, or after today."""
    if line.decided_on < line.as_of.date() - _TOLERANCE:
        message = f"decided before the report, which is of {line.as_of.date()}"
        hint = "Write the day on which you decided with this report before you."
        yield _problem(line, DECIDED_ON, message, hint)
    if line.decided_on > today + _TOLERANCE:
        hint = "Write the day of the decision, or check the clock of this machine."
        yield _problem(line, DECIDED_ON, f"the day is after today, {today}", hint)


def _hidden_difference_problems(lines: Sequence[LedgerLine]) -> Iterator[Problem]:
    """Yield a problem where rows of the ARN differ, and the cells do not show it.

    A record has no value in such cells, but `users.csv` has that of one of the rows.
    """
    doubtful = [line for line in lines if UNREAD_CELL in line.report_cells[columns.CAVEATS]]
    unread = {*page_of_lines(doubtful).unread[columns.POSITION]} if doubtful else set()
    hidden = [line for at, line in enumerate(doubtful) if at not in unread]
    for line in lines:
        _, _, names = line.report_cells[columns.REASON].partition(ANOTHER_ROW)
        if any(line.report_cells.get(name) for name in names.strip().split(", ")):
            hidden.append(line)
    for line in hidden:
        message = "the report has rows of this user that differ, which this file does not show"
        yield _problem(line, columns.ARN, message, "Decide on this user in a workbook.")


def _older_view_problems(
    known: Sequence[LedgerLine], new: Iterable[LedgerLine]
) -> Iterator[Problem]:
    """Yield a problem for a decision on an older report than the one in force was made on.

    That is the one in force in the ledger, or after the decisions that precede this one.
    """
    lines: dict[UserKey, list[LedgerLine]] = {}
    for line in known:
        lines.setdefault(line.user_key, []).append(line)
    newly: dict[UserKey, list[LedgerLine]] = {}
    for line in sorted(new, key=lambda line: line.decided_on):
        of_ledger = lines.get(line.user_key, [])
        of_files = newly.setdefault(line.user_key, [])
        preceding = [each for each in of_ledger if each.decided_on <= line.decided_on]
        for others in (of_ledger, [*preceding, *of_files]):
            in_force = standings(others)[line.user_key].in_force if others else None
            if in_force and line.report_time.earliest < in_force.report_time.earliest:
                yield _older_view_problem(line, in_force)
                break
        of_files.append(line)


def _older_view_problem(line: LedgerLine, in_force: LedgerLine) -> Problem:
    older, newer = (f"{each.report_time.earliest:%Y-%m-%d %H:%M} UTC" for each in (line, in_force))
    message = (
        f"made on a report of {older}, but {in_force.place} has {in_force.summary}, made on one of"
        f" {newer}"
    )
    return _problem(line, DECISION, message, "Decide again on the newer report.")


def _unnoted_conflicts(lines: Iterable[LedgerLine]) -> Iterator[tuple[LedgerLine, LedgerLine]]:
    """Yield the pairs of lines that are in conflict and not noted as such."""
    for standing in standings(lines).values():
        for one, other in standing.conflicts:
            if other.decided_on not in standing.noted:
                yield one, other


def _conflict_problem(one: LedgerLine, other: LedgerLine) -> Problem:
    message = f"{one.place} has {one.summary}, made on the same day by another person"
    hint = "Agree, and correct one of them, or write withdraw there; or give the newer one its day."
    return _problem(other, DECISION, message, hint)


def _conflict_line(one: LedgerLine, other: LedgerLine) -> LedgerLine:
    """Return the line that keeps both of two decisions out of force."""
    comment = "; ".join(f"{line.place}: {line.summary}" for line in (one, other))
    word = Decision.CONFLICT
    return replace(other, decision=word, decided_by=PROGRAM, ticket="", comment=comment)


_HEADS: Final = {
    DECISION: review_columns.DECISION,
    DECIDED_ON: review_columns.DECIDED_ON,
    columns.ARN: review_columns.ARN,
}
"""The heads that a sheet has for columns of the ledger."""


def _problem(line: LedgerLine, column: str, message: str, hint: str) -> Problem:
    """Return a problem of a column of the ledger, by the name that the line's file has for it."""
    place = f"{line.workbook}, sheet {line.sheet}" if line.sheet else line.workbook
    entered = {DECISION: line.decision, DECIDED_ON: line.decided_on}.get(column)
    value = f"{entered} {line.user_key.arn}" if entered else line.user_key.arn
    name = _HEADS[column] if line.sheet else column
    return Problem(place, line.row, name, value, message, hint)


def _file_outcome(
    entries: Entries,
    new: set[int],
    before: Mapping[UserKey, Standing],
    after: Mapping[UserKey, Standing],
) -> FileOutcome:
    """Return what came of the entries of one file; `new` are the lines that were added."""
    tallies: dict[str, Tally] = {}
    for line in entries.lines:
        tally = tallies.setdefault(line.person, Tally(entries.file.name, line.decided_by))
        tally.entered += 1
        if id(line) not in new:
            tally.already_there += 1
        elif line.decision is Decision.WITHDRAW:
            tally.withdrawn += 1
        elif (earlier := before.get(line.user_key)) and (earlier.in_force or earlier.is_conflict):
            tally.changed += 1
        else:
            tally.added += 1
    emptied = [
        line
        for row in entries.open_rows
        if (standing := after.get(row.user_key))
        for line in standing.words
        if (line.workbook, line.as_of) == (entries.source, row.as_of)
    ]
    still_open = sum(
        row.user_key not in after
        or all(line.as_of != row.as_of for line in after[row.user_key].words)
        for row in entries.open_rows
    )
    return FileOutcome(entries.file.name, tuple(tallies.values()), tuple(emptied), still_open)


def _conflict_notes(lines: Iterable[LedgerLine]) -> Iterator[str]:
    for line in lines:
        yield f"Conflict on {line.user_key.arn}: neither is in force. {line.comment}"


def _replaced_notes(
    entered: Iterable[LedgerLine], after: Mapping[UserKey, Standing]
) -> Iterator[str]:
    """Yield a note on each entry for which another of the same person and day counts.

    That is the one that was collected later.
    """
    for line in entered:
        for later in after[line.user_key].current:
            same = (line.person, line.decided_on) == (later.person, later.decided_on)
            if same and line.decision is not later.decision:
                yield (
                    f"{line.user_key.arn}: {later.summary} ({later.place}) counts, and not"
                    f" {line.summary} ({line.place}): it was collected later, for the same person"
                    " and day. If that is wrong, decide again with a later date."
                )
