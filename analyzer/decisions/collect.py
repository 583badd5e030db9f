"""Check the decisions that people entered, and add the new ones to a ledger: all or none."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from analyzer.decisions.collect_messages import (
    LATER_DAY,
    OF_ONE_DAY,
    OF_ONE_PERSON,
    OF_SEVERAL_PEOPLE,
    conflict_problem,
    follow_up_problems,
    ledger_order_problems,
    newer_report_problem,
    older_report_problem,
    repetition_notes,
    replaced_decision_notes,
    two_decision_problems,
    unchecked_notes,
    uncounted_notes,
    unordered_pairs,
    unordered_problems,
    withdrawal_notes,
)
from analyzer.decisions.decision import (
    REMOVALS,
    UNDECIDED,
    Decision,
    LedgerLine,
    OpenRow,
    UserDecisions,
    UserKey,
    decisions_by_user,
)
from analyzer.decisions.entries import DecisionFile
from analyzer.decisions.ledger import PROGRAM, Ledger, unidentified_notes
from analyzer.decisions.new_decisions import (
    current_decisions_on_older_reports,
    decisions_on_older_reports,
    new_decisions,
)
from analyzer.errors import InputRefused, Problem


@dataclass(slots=True)
class ReviewerTally:
    """Count the entries of one reviewer in one file, in total and by outcome."""

    reviewer: str
    entered: int = 0
    added: int = 0
    changed: int = 0
    withdrawn: int = 0
    already_there: int = 0


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """Hold the tallies of a file's reviewers, and the decisions that it lacks.

    `emptied` are decisions that were collected before, from this file or an earlier version of it,
    and are no longer in it: they stay in force. `still_open` is the number of listed users
    without a decision in this review.
    """

    file: str
    tallies: tuple[ReviewerTally, ...]
    emptied: tuple[LedgerLine, ...]
    still_open: int

    def emptied_notes(self) -> Iterator[str]:
        """Yield a note on each decision that is no longer in the file."""
        for line in self.emptied:
            yield (
                f"emptied: {line.user_key.arn}: {line.summary} ({line.place}), stays in force; to"
                " take it back, write withdraw"
            )


@dataclass(frozen=True, slots=True)
class LedgerUpdate:
    """Hold the ledger after collecting, the lines added, and the outcome of each file."""

    ledger: Ledger
    added: tuple[LedgerLine, ...]
    files: tuple[FileOutcome, ...]
    notes: tuple[str, ...]


def collect(
    ledger: Ledger | None, files: Sequence[DecisionFile], *, attended: bool = True
) -> LedgerUpdate:
    """Return the ledger with the new decisions of files; without a ledger, only check them.

    Different decisions of different people on one user and day are a conflict. It is refused; in
    an unattended run, a line `conflict` is added. Raises InputRefused with every problem.
    """
    contents = _contents(ledger or Ledger(), files)
    return _ledger_update(ledger, files, contents, attended=attended)


class _DecisionContents(NamedTuple):
    """Hold the contents of the decisions collected before a call, and of those in all its files.

    `hashes` are those of the files collected before. A decision that another file of the call has
    is not emptied, even if the files are collected one by one.
    """

    collected: Container[object]
    hashes: Container[str]
    entered: Container[object]


def _contents(ledger: Ledger, files: Iterable[DecisionFile]) -> _DecisionContents:
    return _DecisionContents(
        collected={line.content for line in ledger.lines},
        hashes={line.sha256 for line in ledger.lines},
        entered={line.content for file in files for line in file.lines},
    )


@dataclass(frozen=True)
class _Collected:
    """Hold the new lines of files, and the ledger before (None to only check) and `after` them.

    `contents` may be of more files. `repeated` are pairs of a decision on an older report and the
    decision of the ledger that it repeats. Each of the `conflicts` has one of the `conflict_lines`.
    """

    ledger: Ledger | None
    files: Sequence[DecisionFile]
    contents: _DecisionContents
    new: Sequence[LedgerLine]
    repeated: Sequence[tuple[LedgerLine, LedgerLine]]
    conflicts: Sequence[tuple[LedgerLine, LedgerLine]]
    conflict_lines: Sequence[LedgerLine]
    after: Ledger

    @cached_property
    def before(self) -> Ledger:
        """Return the ledger without what the files add."""
        return self.ledger or Ledger()

    @property
    def entered(self) -> Sequence[LedgerLine]:
        """Return all lines of the files."""
        return [line for file in self.files for line in file.lines]

    @cached_property
    def new_ids(self) -> Container[int]:
        """Return the `id` of each new line."""
        return {id(line) for line in self.new}


def _ledger_update(
    ledger: Ledger | None,
    files: Sequence[DecisionFile],
    contents: _DecisionContents,
    *,
    attended: bool,
) -> LedgerUpdate:
    collected = _collected(ledger, files, contents)
    if problems := [*_problems(collected, attended=attended)]:
        raise InputRefused(problems)
    return LedgerUpdate(
        ledger=collected.after,
        added=(*collected.new, *collected.conflict_lines),
        files=tuple(_file_outcome(file, collected) for file in files),
        notes=(*_notes(collected, attended=attended),),
    )


def _collected(
    ledger: Ledger | None, files: Sequence[DecisionFile], contents: _DecisionContents
) -> _Collected:
    known = ledger or Ledger()
    new, repeated = new_decisions(known, files)
    whole = replace(known, lines=(*known.lines, *new))
    conflicts = [*_new_conflicts(known.by_user, whole.by_user)]
    lines = [_conflict_line(*pair) for pair in conflicts]
    after = replace(whole, lines=(*whole.lines, *lines)) if lines else whole
    return _Collected(ledger, files, contents, new, repeated, conflicts, lines, after)


def _problems(collected: _Collected, *, attended: bool) -> Iterator[Problem]:
    """Yield the problems that refuse the files; in an unattended run, a conflict is not one."""
    ledger, files, new = collected.before, collected.files, collected.new
    older = [*decisions_on_older_reports(ledger.lines, new)]
    yield from two_decision_problems(files)
    yield from follow_up_problems([*ledger.lines, *collected.entered], files)
    yield from (problem for _, problem in unordered_problems(unordered_pairs(files, new)))
    yield from ledger_order_problems(ledger.lines, files)
    yield from (older_report_problem(*pair) for pair in older)
    if attended:
        yield from _conflict_problems(collected)
    refused = {line.user_key for line, _ in older}
    yield from _newer_report_problems(
        [line for line in new if line.user_key not in refused], collected.after.by_user
    )


def _notes(collected: _Collected, *, attended: bool) -> Iterator[str]:
    """Yield the notes on the collected decisions."""
    ledger, files, new = collected.before, collected.files, collected.new
    entered, after = collected.entered, collected.after.by_user
    for line in collected.conflict_lines:
        yield f"Conflict on {line.user_key.arn}: neither is in force. {line.comment}"
    yield from (note for file in files if attended or new for note in file.notes)
    if collected.ledger:
        yield from unchecked_notes([*ledger.lines, *entered], files)
    if attended:  # otherwise the run has these notes for the whole ledger
        yield from unidentified_notes(new)
    yield from repetition_notes(collected.repeated)
    of_one_day = (
        *withdrawal_notes(new, after),
        *uncounted_notes(entered, after, OF_ONE_DAY),
        *replaced_decision_notes(ledger.lines, new, after),
    )
    yield from dict.fromkeys(of_one_day)
    # The workbooks of all earlier reviews may be collected again.
    not_there = [line for line in entered if line.content not in collected.contents.collected]
    yield from dict.fromkeys(uncounted_notes(not_there if attended else new, after, [LATER_DAY]))


def _conflict_problems(collected: _Collected) -> Iterator[Problem]:
    """Yield a problem for each user and day on which people differ.

    Workbooks have no order in time: a conflict in the given or in the reverse order counts.
    """
    ledger, files = collected.before, collected.files
    ledgers = [file for file in files if file.is_ledger]
    turned = *ledgers, *(file for file in reversed(files) if not file.is_ledger)
    lines = (line for file in turned for line in file.lines)
    in_reverse = [line for line in lines if id(line) in collected.new_ids]
    by_user = decisions_by_user([*ledger.lines, *in_reverse]) if len(files) > 1 else {}
    pairs = [*collected.conflicts, *_new_conflicts(ledger.by_user, by_user)]
    by_day = {(one.user_key, one.decided_on): (one, other) for one, other in reversed(pairs)}
    yield from (conflict_problem(*pair) for pair in reversed(by_day.values()))


def _newer_report_problems(
    new: Sequence[LedgerLine], after: Mapping[UserKey, UserDecisions]
) -> Iterator[Problem]:
    """Yield a problem for each user on whom a decision on an older report would count."""
    first_new = {line.user_key: line for line in reversed(new)}
    touched = {user: after[user] for user in first_new}
    for older_line, other in current_decisions_on_older_reports(touched):
        yield newer_report_problem(first_new[older_line.user_key], older_line, other)


def collected_one_by_one(
    ledger: Ledger, files: Sequence[DecisionFile]
) -> Iterator[tuple[str, LedgerUpdate | InputRefused]]:
    """Yield the update or refusal of each file in an unattended run, with the file's source.

    A refused file does not stop the others. In files that are all new, two decisions of one person
    on one user and day have no order. The order of the files makes no difference for decisions on
    two reports: the one on the older report gives way. Files with a withdrawal come first, so that
    it brings no decision of another file into force.
    """
    new, _ = new_decisions(ledger, files)
    pairs = [*unordered_pairs(files, new)]
    # Both files of such a pair are refused, each with its own problem: hence both orders.
    problems = [
        *unordered_problems(pairs),
        *unordered_problems((first, line) for line, first in pairs),
        *(
            (line, older_report_problem(line, other))
            for line, other in decisions_on_older_reports(ledger.lines, new)
        ),
    ]
    contents = _contents(ledger, files)
    for file in sorted(files, key=_withdraws_nothing):
        own = {id(line) for line in file.lines}
        if refused := [problem for line, problem in problems if id(line) in own]:
            yield file.source, InputRefused(refused)
            continue
        try:
            update = _ledger_update(ledger, [file], contents, attended=False)
        except InputRefused as refusal:
            yield file.source, refusal
        else:
            ledger = update.ledger
            yield file.source, update


def _withdraws_nothing(entries: DecisionFile) -> bool:
    return all(line.decision is not Decision.WITHDRAW for line in entries.lines)


def merged_update(files: Sequence[DecisionFile]) -> LedgerUpdate:
    """Return one ledger of several files; their names and order make no difference.

    The notes also name two decisions of one person on one day in one ledger, unless the user stays:
    git or a spreadsheet may have changed their order. Raises InputRefused as `collect` does, and if
    a decision counts that was made on an older report than one before it.
    """
    ledgers = sorted(
        (file for file in files if file.is_ledger),
        key=lambda ledger_file: (-len(ledger_file.lines), ledger_file.file.sha256),
    )
    others = [file for file in files if not file.is_ledger]
    if not ledgers:
        return collect(Ledger(), others)
    first, *rest = ledgers
    update = collect(Ledger(lines=first.lines, file=first.file), [*rest, *others])
    by_user = update.ledger.by_user
    if older := [*current_decisions_on_older_reports(by_user)]:
        raise InputRefused([older_report_problem(*pair) for pair in older])
    removed = {
        user
        for user, decisions in by_user.items()
        if any(line.decision in REMOVALS for line in decisions.current)
    }
    of_removed = (line for line in first.lines if line.user_key in removed)
    in_ledger = (
        *uncounted_notes(of_removed, by_user, OF_ONE_PERSON),
        *uncounted_notes(first.lines, by_user, OF_SEVERAL_PEOPLE),
    )
    return replace(update, notes=(*dict.fromkeys((*update.notes, *in_ledger)),))


def _new_conflicts(
    before: Mapping[UserKey, UserDecisions], after: Mapping[UserKey, UserDecisions]
) -> Iterator[tuple[LedgerLine, LedgerLine]]:
    """Yield the pairs of lines in conflict, except those that already have a line `conflict`.

    A settled conflict of a day that comes up again is a new one.
    """
    have_line = {
        (user, one.decided_on)
        for user, user_decisions in before.items()
        for one, _ in user_decisions.conflicts
        for line in user_decisions.lines
        if line.decision is Decision.CONFLICT and line.decided_on == one.decided_on
    }
    for user, user_decisions in after.items():
        for one, other in user_decisions.conflicts:
            if (user, other.decided_on) not in have_line:
                yield one, other


def _conflict_line(one: LedgerLine, other: LedgerLine) -> LedgerLine:
    """Return the line that keeps both of two decisions out of force."""
    comment = "; ".join(f"{line.place}: {line.summary}" for line in (one, other))
    decision = Decision.CONFLICT
    return replace(other, decision=decision, decided_by=PROGRAM, ticket="", comment=comment)


def _file_outcome(entries: DecisionFile, collected: _Collected) -> FileOutcome:
    """Return the outcome of the entries of one file."""
    before, after = collected.before.by_user, collected.after.by_user
    tallies: dict[str, ReviewerTally] = {}
    for line in entries.lines:
        tally = tallies.setdefault(line.person, ReviewerTally(line.decided_by))
        tally.entered += 1
        if id(line) not in collected.new_ids:
            tally.already_there += 1
        elif line.decision is Decision.WITHDRAW:
            tally.withdrawn += 1
        elif _is_decided(before.get(line.user_key, UNDECIDED)):
            tally.changed += 1
        else:
            tally.added += 1
    emptied = tuple(_emptied(entries, after, collected.contents))
    still_open = sum(not row.is_decided(after) for row in entries.open_rows)
    return FileOutcome(entries.file.name, tuple(tallies.values()), emptied, still_open)


def _is_decided(user_decisions: UserDecisions) -> bool:
    return user_decisions.undisputed is not None or user_decisions.is_conflict


def _emptied(
    entries: DecisionFile, after: Mapping[UserKey, UserDecisions], contents: _DecisionContents
) -> Iterator[LedgerLine]:
    """Yield the decisions that were collected from a list before and are no longer in it.

    The file is the same list as the one of a decision

    - if the person of the decision entered something in it on that report,
    - if one of its entries was collected from the same file as the decision,
    - or if it has the same name and no entries.

    A decision is not emptied if the list shows it as an earlier one. It is also not emptied if
    another file of the call has it, unless this file is a new version: it holds other decisions of
    the person on that report that were collected before.
    """
    authors = {(line.person, line.as_of) for line in entries.lines}
    is_new_file = entries.file.sha256 not in contents.hashes
    authors_of_new_version = {
        (line.person, line.as_of)
        for line in entries.lines
        if is_new_file and line.content in contents.collected
    }
    earlier_files = {
        line.sha256
        for entered in entries.lines
        for line in after[entered.user_key].lines
        if line.content == entered.content
    }
    for row in (*entries.open_rows, *_lost_rows(entries, after, earlier_files)):
        for line in after.get(row.user_key, UNDECIDED).decisions:
            author = line.person, line.as_of
            was_entered = line.as_of == row.as_of and line.content in contents.collected
            is_shown = line.summary in row.earlier
            is_blank_list = not entries.lines and line.workbook == entries.source
            is_same_list = author in authors or line.sha256 in earlier_files or is_blank_list
            is_new_version = author in authors_of_new_version
            is_elsewhere = line.content in contents.entered and not is_new_version
            if was_entered and is_same_list and not (is_shown or is_elsewhere):
                yield line


def _lost_rows(
    entries: DecisionFile, after: Mapping[UserKey, UserDecisions], earlier_files: Container[str]
) -> list[OpenRow]:
    """Return the users decided on in earlier versions of a CSV, which may have lost their rows."""
    if all(line.sheet for line in entries.lines):
        return []
    listed = {line.user_key for line in entries.lines} | {row.user_key for row in entries.open_rows}
    return [
        OpenRow(user, line.as_of)
        for user, user_decisions in after.items()
        for line in user_decisions.decisions
        if user not in listed and line.sha256 in earlier_files and line.workbook == entries.source
    ]
