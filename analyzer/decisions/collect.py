"""Check the decisions that people entered, and add them to a ledger: all or none.

A ledger is a set of lines: the order of collecting changes nothing, and every valid entry is
recorded, late, repeated, older or at odds with another.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from analyzer import columns
from analyzer.decisions.decision import Decision, LedgerLine, normal_name, user_names
from analyzer.decisions.entries import DecisionFile, filled_down_problems
from analyzer.decisions.ledger import Ledger, unidentified_notes
from analyzer.decisions.standing import summaries
from analyzer.errors import InputRefused
from analyzer.terms import count_text, short_list


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


def collect(before: Ledger, files: Sequence[DecisionFile]) -> LedgerUpdate:
    """Return the union of a ledger and the entries of files.

    Raises InputRefused if a spreadsheet filled days down.
    """
    entered = [file for file in files if not file.is_ledger]
    if problems := [problem for file in entered for problem in filled_down_problems(file.lines)]:
        raise InputRefused(problems)
    after = before.with_lines(line for file in files for line in file.lines)
    known = {line.identity for line in before.lines}
    added = tuple(line for line in after.lines if line.identity not in known)
    outcomes = tuple(_outcome(file, after, known) for file in files)
    return LedgerUpdate(after, added, outcomes, (*_notes(files, added, after),))


def _outcome(file: DecisionFile, after: Ledger, known: set[tuple[object, ...]]) -> FileOutcome:
    people = {line.person: line.decided_by for line in file.lines}
    words = Counter((people[line.person], str(line.decision)) for line in file.lines)
    open_rows = {(row.user, row.as_of) for row in file.open_rows}
    decided = {(line.subject, line.as_of) for line in after.lines}
    added = len({line.identity for line in file.lines} - known)
    return FileOutcome(file.file.name, words, added, len(open_rows - decided))


def _notes(
    files: Sequence[DecisionFile], added: Sequence[LedgerLine], after: Ledger
) -> Iterator[str]:
    """Yield notes on what does not stand, or replaces another word of its name."""
    yield from (note for file in files for note in file.notes)
    yield from unidentified_notes(added)
    objected = {(line.subject, line.person) for line in after.lines if not line.is_removal}
    for subject in dict.fromkeys(line.subject for line in added):
        stand = after.standings[subject]
        if stand.is_contested:
            words = summaries((*stand.words, *stand.objections))
            yield f"{stand.line.arn}: people disagree: {words}"
        for line in stand.words if stand.word else ():
            if (subject, line.person) in objected:
                yield f"{line.arn}: {line.summary} replaces another word under this name"


def lines_of(update: LedgerUpdate) -> Iterator[str]:
    """Yield the numbers by file, person and word, and the notes."""
    for file in update.files:
        numbers = {"new": file.added, "still open": file.still_open}
        others = (f", {name} {number:,}" for name, number in numbers.items() if number)
        yield f"{file.file}: entered {file.words.total():,}{''.join(others)}"
        for person in dict.fromkeys(person for person, _ in file.words):
            words = (f"{n:,} {word}" for word in Decision if (n := file.words[person, word]))
            yield f"  {person}: {', '.join(words)}"
    yield from update.notes


def owner_answer_notes(files: Sequence[DecisionFile], ledger: Ledger) -> Iterator[str]:
    """Yield notes on users that each owner left open, and on decisions for another owner."""
    decided = {(line.subject, line.as_of) for line in ledger.lines}
    rows = {(row.user, row.as_of): row.owner for file in files for row in file.open_rows}
    still_open = Counter(owner for key, owner in rows.items() if owner and key not in decided)
    answered = {_owner(line) for line in _entered(files)}
    for owner, number in still_open.items():
        answer = "Still open" if owner in answered else "Not answered"
        yield f"{answer}: {owner}, {count_text(number, 'user')}."
    others = defaultdict[tuple[str, str], list[LedgerLine]](list)
    for line in _entered(files):
        owner, email = _owner(line), line.user_row.get(columns.OWNER_EMAIL, "")
        if owner and line.person not in (normal_name(owner), normal_name(email)):
            others[line.decided_by, owner].append(line)
    for (person, owner), lines in others.items():
        users = short_list(user_names(lines))
        yield f"Decided by {person}, not by the owner {owner}: {users}."


def _entered(files: Iterable[DecisionFile]) -> Iterator[LedgerLine]:
    return (line for file in files for line in file.lines)


def _owner(line: LedgerLine) -> str:
    return line.user_row.get(columns.OWNER, "")
