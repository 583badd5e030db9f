"""Add the decisions that people entered to a ledger, and say what is remarkable about them.

A ledger is a set of lines: the order of collecting changes nothing, and every valid entry is
recorded, late, repeated, older or at odds with another.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from analyzer.decisions.decision import (
    Decision,
    LedgerLine,
    last_days,
    normal_name,
    summaries,
    user_names,
)
from analyzer.decisions.entries import DecisionFile
from analyzer.decisions.ledger import Ledger, unidentified_notes
from analyzer.limits import SOON_DAYS
from analyzer.lists.owners import NO_OWNERS, Owners
from analyzer.terms import count_text, short_list

_MANY_ROWS: Final = 20
"""So many rows of a person with one word and one comment are named."""

_MOST_REMOVALS: Final = 30
"""So many new removals are named."""

_SHORT: Final = 3
"""A comment of fewer letters is named."""


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """Hold the numbers of entries of a file by reviewer and word, and how many are new."""

    file: str
    words: Counter[tuple[str, str]]
    added: int
    still_open: int


@dataclass(frozen=True, slots=True)
class LedgerUpdate:
    """Hold the ledger after collecting, the lines added, and the outcome of each file."""

    ledger: Ledger
    added: tuple[LedgerLine, ...]
    files: tuple[FileOutcome, ...] = ()
    notes: tuple[str, ...] = ()


def collect(
    before: Ledger, files: Sequence[DecisionFile], today: date, owners: Owners = NO_OWNERS
) -> LedgerUpdate:
    """Return the union of a ledger and the entries of files, on the day of collecting.

    `owners` say who had left, if a list of them is known.
    """
    after = before.with_lines(line for file in files for line in file.lines)
    known = {line.identity for line in before.lines}
    added = tuple(line for line in after.lines if line.identity not in known)
    outcomes = tuple(_outcome(file, after, known) for file in files)
    entered = (line for file in files if not file.is_ledger for line in file.lines)
    new = [line for line in entered if line.identity not in known]
    notes = *_notes(files, added, after, owners), *_lapsed_notes(new, today)
    return LedgerUpdate(after, added, outcomes, notes)


def _outcome(file: DecisionFile, after: Ledger, known: set[tuple[object, ...]]) -> FileOutcome:
    people = {line.person: line.decided_by for line in file.lines}
    words = Counter((people[line.person], str(line.decision)) for line in file.lines)
    decided = {(line.subject, line.as_of) for line in after.lines}
    open_rows = {(row.user, row.as_of) for row in file.open_rows}
    added = len({line.identity for line in file.lines} - known)
    return FileOutcome(file.file.name, words, added, len(open_rows - decided))


def _notes(
    files: Sequence[DecisionFile], added: Sequence[LedgerLine], after: Ledger, owners: Owners
) -> Iterator[str]:
    """Yield notes on the files, on what does not stand, and on entries that look careless."""
    yield from (note for file in files for note in file.notes)
    yield from unidentified_notes(added)
    yield from _standing_notes(added, after)
    entered = [line for file in files if not file.is_ledger for line in file.lines]
    yield from _leaver_notes(entered, owners)
    own = [line for line in entered if _is_own_name(line)]
    if own:
        yield f"Decided on a user of the person's own name: {_users_by_person(own)}."
    short = [line for line in entered if line.comment and _letters(line.comment) < _SHORT]
    if short:
        text = f"Comments of fewer than {count_text(_SHORT, 'letter')}"
        yield f"{text}: {short_list([f'{line.user} ({line.comment})' for line in short])}."
    alike = Counter((line.decided_by, line.decision, line.comment) for line in entered)
    for (person, word, comment), number in alike.items():
        if number >= _MANY_ROWS:
            reason = f'the comment "{comment}"' if comment else "no comment"
            yield f"{person} wrote {word} with {reason} in {count_text(number, 'row')}."


def _standing_notes(added: Sequence[LedgerLine], after: Ledger) -> Iterator[str]:
    """Yield who disagrees on a user, and removals that replace another word of their name."""
    objected = {(line.subject, line.person) for line in after.lines if not line.is_removal}
    for subject in dict.fromkeys(line.subject for line in added):
        stand = after.standings[subject]
        if stand.is_contested:
            words = summaries((*stand.words, *stand.objections))
            yield f"Contested, {stand.line.arn}: {words}. {_TOGETHER}"
        for line in stand.words if stand.word else ():
            if (subject, line.person) in objected:
                yield f"{line.arn}: {line.summary} replaces another word under this name"


def _lapsed_notes(new: Iterable[LedgerLine], today: date) -> Iterator[str]:
    """Yield the removals on which nothing will act any more."""
    last = today - timedelta(SOON_DAYS)
    if lapsed := [line for line in new if line.is_removal and line.report_time.date() < last]:
        text = f"Lapsed, on reports of more than {count_text(SOON_DAYS, 'day')} ago"
        yield f"{text}: {short_list(user_names(lapsed))}. Nothing acts on them: decide again."


def _removal_lines(added: Iterable[LedgerLine]) -> Iterator[str]:
    """Yield the removals that are new, by person and account.

    Of a column of entries that was sorted alone nothing shows that its words moved to other users.
    """
    removals = [line for line in added if line.is_removal]
    if not removals:
        return
    yield "New removals, to be checked by who decided: a column sorted alone moves its words."
    named = defaultdict[tuple[str, str], list[str]](list)
    for line in removals[:_MOST_REMOVALS]:
        named[line.decided_by, line.account].append(f"{line.decision} {line.user}")
    for (person, account), users in sorted(named.items()):
        yield f"  {person}, account {account}: {', '.join(users)}"
    if (more := len(removals) - _MOST_REMOVALS) > 0:
        yield f"  and {count_text(more, 'more removal')}: see the ledger"


_TOGETHER: Final = "Decide together; one of you writes again, with a later date."


def _leaver_notes(entered: Sequence[LedgerLine], owners: Owners) -> Iterator[str]:
    """Yield the people who, by the list of owners, had left when they decided."""
    last = last_days(owners)
    late = [line for line in entered if line.decided_on > last.get(line.person, date.max)]
    if late:
        yield f"Had left, by the list of owners, when they decided: {_users_by_person(late)}."


def _users_by_person(lines: Sequence[LedgerLine]) -> str:
    users = defaultdict[str, list[LedgerLine]](list)
    for line in lines:
        users[line.decided_by].append(line)
    named = (f"{person} on {short_list(user_names(of))}" for person, of in users.items())
    return "; ".join(named)


def _is_own_name(line: LedgerLine) -> bool:
    """Return whether a person has the name of the user, perhaps as an address."""
    names = _letters_only(line.decided_by), _letters_only(line.decided_by.partition("@")[0])
    return _letters_only(line.user) in names


def _letters_only(name: str) -> str:
    return re.sub(r"[\W_]", "", normal_name(name))


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))


def lines_of(update: LedgerUpdate) -> Iterator[str]:
    """Yield the numbers by file, person and word, the notes, and the removals that are new."""
    for file in update.files:
        numbers: Mapping[str, int] = {"new": file.added, "still open": file.still_open}
        others = (f", {name} {number:,}" for name, number in numbers.items() if number)
        yield f"{file.file}: entered {file.words.total():,}{''.join(others)}"
        for person in dict.fromkeys(person for person, _ in file.words):
            words = (f"{n:,} {word}" for word in Decision if (n := file.words[person, word]))
            yield f"  {person}: {', '.join(words)}"
    yield from update.notes
    yield from _removal_lines(update.added)
