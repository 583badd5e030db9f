"""Check the decisions that people entered, and add what is new to a ledger: all or nothing."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from analyzer.decisions.collect_messages import (
    LATER_DAY,
    OF_ONE_DAY,
    conflict_problem,
    follow_up_problems,
    ledger_order_problems,
    needless_withdrawal_notes,
    newer_report_problem,
    older_report_problem,
    repetition_notes,
    replaced_decision_notes,
    two_decision_problems,
    unchecked_notes,
    uncounted_notes,
    unordered_pairs,
    unordered_problems,
)
from analyzer.decisions.decision import (
    Decision,
    LedgerLine,
    OpenRow,
    UserDecisions,
    UserKey,
    decisions_by_user,
)
from analyzer.decisions.entries import Entries
from analyzer.decisions.ledger import PROGRAM, Ledger, unidentified_notes
from analyzer.decisions.new_decisions import (
    current_decisions_on_older_reports,
    decisions_on_older_reports,
    new_decisions,
)
from analyzer.errors import InputRefused, Problem


@dataclass(slots=True)
class Tally:
    """Count what one reviewer entered in one file, and what came of it."""

    reviewer: str
    entered: int = 0
    added: int = 0
    changed: int = 0
    withdrawn: int = 0
    already_there: int = 0


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """Hold the tallies of a file's reviewers, and what is not decided there.

    `emptied` are decisions that were collected before, from this file or an earlier version of it,
    and are no longer in it: they stay in force. `still_open` is the number of listed users that
    nobody decided on in this review.
    """

    file: str
    tallies: tuple[Tally, ...]
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
    """Hold the ledger with what was added, and what came of each file."""

    ledger: Ledger
    added: tuple[LedgerLine, ...]
    files: tuple[FileOutcome, ...]
    notes: tuple[str, ...]


def collect(ledger: Ledger, files: Sequence[Entries], *, attended: bool = True) -> LedgerUpdate:
    """Return the ledger with the decisions of files that are not in it.

    Different decisions of different people on one user and day are a conflict: refused, or where
    nobody is there to solve it, a line `conflict` is added. Raises InputRefused with every problem.
    """
    return _ledger_update(ledger, files, _contents(ledger, files), attended=attended)


class _DecisionContents(NamedTuple):
    """Hold the contents of decisions: those collected before a call, and those in its files.

    `hashes` are of the files that they were collected from.
    """

    collected: Container[object]
    hashes: Container[str]
    entered: Container[object]


def _contents(ledger: Ledger, files: Iterable[Entries]) -> _DecisionContents:
    return _DecisionContents(
        collected={line.content for line in ledger.lines},
        hashes={line.sha256 for line in ledger.lines},
        entered={line.content for each in files for line in each.lines},
    )


def _ledger_update(
    ledger: Ledger, files: Sequence[Entries], contents: _DecisionContents, *, attended: bool
) -> LedgerUpdate:
    new, repeated = new_decisions(ledger, files)
    older = [*decisions_on_older_reports(ledger.lines, new)]
    whole = replace(ledger, lines=(*ledger.lines, *new))
    conflicts = [*_new_conflicts(ledger.by_user, whole.by_user)]
    conflict_lines = [_conflict_line(*pair) for pair in conflicts]
    if conflict_lines:
        whole = replace(whole, lines=(*whole.lines, *conflict_lines))
    before, after = ledger.by_user, whole.by_user
    entered = [line for each in files for line in each.lines]
    known = [*ledger.lines, *entered]
    problems = [
        *two_decision_problems(files),
        *follow_up_problems(known, files),
        *(problem for _, problem in unordered_problems(unordered_pairs(files, new))),
        *ledger_order_problems(ledger.lines, files),
        *(older_report_problem(*pair) for pair in older),
        *(_conflict_problems(ledger, files, new, conflicts) if attended else ()),
        *_newer_report_problems(new, older, after),
    ]
    if problems:
        raise InputRefused(problems)
    new_ids = {id(line) for line in new}
    return LedgerUpdate(
        ledger=whole,
        added=(*new, *conflict_lines),
        files=tuple(_file_outcome(each, new_ids, before, after, contents) for each in files),
        notes=(
            *(
                f"Conflict on {line.user_key.arn}: neither is in force. {line.comment}"
                for line in conflict_lines
            ),
            *(note for each in files if attended or new for note in each.notes),
            *unchecked_notes(known, files),
            # Unattended, the notes of the run say it of the whole ledger.
            *(unidentified_notes(new) if attended else ()),
            *needless_withdrawal_notes(new, after),
            *repetition_notes(repeated),
            *dict.fromkeys(
                (
                    *uncounted_notes(entered, after, OF_ONE_DAY),
                    *replaced_decision_notes(ledger.lines, new, after),
                )
            ),
            # Unattended, the workbooks of all earlier reviews are collected again.
            *dict.fromkeys(uncounted_notes(entered if attended else new, after, [LATER_DAY])),
        ),
    )


def _conflict_problems(
    ledger: Ledger,
    files: Sequence[Entries],
    new: Sequence[LedgerLine],
    conflicts: Sequence[tuple[LedgerLine, LedgerLine]],
) -> Iterator[Problem]:
    """Yield a problem for each user and day on which people differ.

    Workbooks have no order in time: what is in conflict in one order of them is in conflict.
    """
    new_ids = {id(line) for line in new}
    ledgers = [each for each in files if each.is_ledger]
    turned = *ledgers, *(each for each in reversed(files) if not each.is_ledger)
    in_reverse = [line for each in turned for line in each.lines if id(line) in new_ids]
    by_user = decisions_by_user([*ledger.lines, *in_reverse]) if len(files) > 1 else {}
    pairs = [*conflicts, *_new_conflicts(ledger.by_user, by_user)]
    by_day = {(one.user_key, one.decided_on): (one, other) for one, other in reversed(pairs)}
    yield from (conflict_problem(*pair) for pair in reversed(by_day.values()))


def _newer_report_problems(
    new: Sequence[LedgerLine],
    older: Iterable[tuple[LedgerLine, LedgerLine]],
    after: Mapping[UserKey, UserDecisions],
) -> Iterator[Problem]:
    """Yield a problem for each user on whom a decision on an older report would count."""
    refused = {line.user_key for line, _ in older}
    first_new = {line.user_key: line for line in reversed(new) if line.user_key not in refused}
    touched = {user: after[user] for user in first_new}
    for older_line, other in current_decisions_on_older_reports(touched):
        yield newer_report_problem(first_new[older_line.user_key], older_line, other)


def collected_one_by_one(
    ledger: Ledger, files: Sequence[Entries]
) -> Iterator[tuple[str, LedgerUpdate | InputRefused]]:
    """Yield what comes of each file, by its source: unattended, others are collected all the same.

    Two decisions of one person on one user and day have no order in files that are all new, and of
    two reports the decision on the older one gives way, whichever file comes first. Files in which
    something is withdrawn come first, so that nothing of another one comes into force by that.
    """
    new, _ = new_decisions(ledger, files)
    pairs = [*unordered_pairs(files, new)]
    # Of such a pair both files are refused, each with a problem of its own: hence both orders.
    problems = [
        *unordered_problems(pairs),
        *unordered_problems((first, line) for line, first in pairs),
        *(
            (line, older_report_problem(line, other))
            for line, other in decisions_on_older_reports(ledger.lines, new)
        ),
    ]
    contents = _contents(ledger, files)
    for each in sorted(files, key=_withdraws_nothing):
        own = {id(line) for line in each.lines}
        if refused := [problem for line, problem in problems if id(line) in own]:
            yield each.source, InputRefused(refused)
            continue
        try:
            update = _ledger_update(ledger, [each], contents, attended=False)
        except InputRefused as refusal:
            yield each.source, refusal
        else:
            ledger = update.ledger
            yield each.source, update


def _withdraws_nothing(entries: Entries) -> bool:
    return all(line.decision is not Decision.WITHDRAW for line in entries.lines)


def merged_update(files: Sequence[Entries]) -> LedgerUpdate:
    """Return one ledger of several files, whatever their names and order.

    Its notes name what one person decided twice on a day also where both decisions stand in one
    ledger: git or a spreadsheet may have changed their order. Raises InputRefused as `collect`
    does, and for a decision that counts though it was made on an older report than one before it.
    """
    ledgers = sorted(
        (each for each in files if each.is_ledger),
        key=lambda each: (-len(each.lines), each.file.sha256),
    )
    others = [each for each in files if not each.is_ledger]
    if not ledgers:
        return collect(Ledger(), others)
    first, *rest = ledgers
    update = collect(Ledger(lines=first.lines, file=first.file), [*rest, *others])
    by_user = update.ledger.by_user
    if older := [*current_decisions_on_older_reports(by_user)]:
        raise InputRefused([older_report_problem(*pair) for pair in older])
    in_ledger = uncounted_notes(first.lines, by_user, OF_ONE_DAY)
    return replace(update, notes=(*dict.fromkeys((*update.notes, *in_ledger)),))


def _new_conflicts(
    before: Mapping[UserKey, UserDecisions], after: Mapping[UserKey, UserDecisions]
) -> Iterator[tuple[LedgerLine, LedgerLine]]:
    """Yield the pairs of lines that are in conflict, but for those with a line `conflict` already.

    A conflict of a day that was settled, and comes up again, is another one.
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


def _file_outcome(
    entries: Entries,
    new_ids: set[int],
    before: Mapping[UserKey, UserDecisions],
    after: Mapping[UserKey, UserDecisions],
    contents: _DecisionContents,
) -> FileOutcome:
    """Return what came of the entries of one file; `new_ids` are of the lines that were added."""
    tallies: dict[str, Tally] = {}
    for line in entries.lines:
        tally = tallies.setdefault(line.person, Tally(line.decided_by))
        tally.entered += 1
        if id(line) not in new_ids:
            tally.already_there += 1
        elif line.decision is Decision.WITHDRAW:
            tally.withdrawn += 1
        elif (earlier := before.get(line.user_key)) and (earlier.undisputed or earlier.is_conflict):
            tally.changed += 1
        else:
            tally.added += 1
    emptied = tuple(_emptied(entries, after, contents))
    still_open = sum(not row.is_decided(after) for row in entries.open_rows)
    return FileOutcome(entries.file.name, tuple(tallies.values()), emptied, still_open)


def _emptied(
    entries: Entries, after: Mapping[UserKey, UserDecisions], contents: _DecisionContents
) -> Iterator[LedgerLine]:
    """Yield the decisions that were collected from a list before and are no longer in it.

    The file is the same list as the one of a decision

    - if the person of the decision entered something in it on that report,
    - if one of its entries was collected from the same file as the decision,
    - or if nothing is entered in it, by its name.

    A decision is not emptied if the list shows it as an earlier one. Nor is it if it stands in
    another file of the call, unless this file is a new version: it holds other decisions of the
    person on that report that were collected before.

    A CSV may have lost the whole row.
    """
    people = {(line.person, line.as_of) for line in entries.lines}
    is_csv = not all(line.sheet for line in entries.lines)
    old = contents.collected if entries.file.sha256 not in contents.hashes else ()
    copied = {(line.person, line.as_of) for line in entries.lines if line.content in old}
    earlier_files = {
        line.sha256
        for entered in entries.lines
        for line in after[entered.user_key].lines
        if line.content == entered.content
    }
    listed = {line.user_key for line in entries.lines}.union(
        row.user_key for row in entries.open_rows
    )
    lost = (
        OpenRow(user, line.as_of)
        for user, user_decisions in (after.items() if is_csv else ())
        for line in user_decisions.decisions
        if user not in listed and line.sha256 in earlier_files and line.workbook == entries.source
    )
    for row in (*entries.open_rows, *lost):
        user_decisions = after.get(row.user_key)
        for line in user_decisions.decisions if user_decisions else ():
            author = line.person, line.as_of
            was_listed = line.as_of == row.as_of and line.summary not in row.earlier
            is_blank_list = not entries.lines and line.workbook == entries.source
            is_same_list = author in people or line.sha256 in earlier_files or is_blank_list
            is_gone = line.content not in contents.entered or author in copied
            if was_listed and is_same_list and is_gone and line.content in contents.collected:
                yield line
