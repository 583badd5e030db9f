"""Find which decisions of files are new to a ledger, and which were made on an older report.

As a rule, a decision that its person gave up on the same day needs a newer date to count again: a
file that has it may be an old copy.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime

from analyzer.decisions.decision import (
    REMOVALS,
    Decision,
    LedgerLine,
    PersonsDay,
    UserDecisions,
    UserKey,
    decisions_by_user,
    lines_by_user,
)
from analyzer.decisions.entries import DecisionFile
from analyzer.decisions.ledger import Ledger
from analyzer.terms import AsOfSource


def new_decisions(
    ledger: Ledger, files: Sequence[DecisionFile]
) -> tuple[list[LedgerLine], list[tuple[LedgerLine, LedgerLine]]]:
    """Return the new decisions, and each repetition on an older report with what it repeats."""
    new = _withdrawn_first(new_lines(ledger.lines, files), files)
    repeated = _repeated_on_older_reports(ledger, new)
    return [line for line in new if id(line) not in repeated], [*repeated.values()]


def _withdrawn_first(new: Iterable[LedgerLine], files: Iterable[DecisionFile]) -> list[LedgerLine]:
    """Return new decisions: first those of ledgers, and of workbooks with a withdrawal on the user.

    Workbooks have no order in time: a withdrawal brings no decision of another one into force.
    """
    of_ledgers = {id(line) for file in files if file.is_ledger for line in file.lines}
    withdrawing = {
        (line.sha256, line.user_key)
        for file in files
        for line in file.lines
        if line.decision is Decision.WITHDRAW
    }

    def withdraws_nothing(line: LedgerLine) -> bool:
        return id(line) not in of_ledgers and (line.sha256, line.user_key) not in withdrawing

    return sorted(new, key=withdraws_nothing)


def new_lines(known: Sequence[LedgerLine], files: Sequence[DecisionFile]) -> list[LedgerLine]:
    """Return the decisions of files that were not collected before, from any file.

    A collected decision that its person gave up since counts as new on the same day

    - in the workbook that gave it up, if it was changed back there. The same file, or a copy of it,
      does not count again. A decision that takes more from the user than the last one needs a newer
      date: the file may be an older one of that name.
    - in any workbook, if it spares a user whom another person would remove on that day: the two
      people have to agree.
    - in a ledger, if its line stands behind the one that replaced the decision: only the order of
      its own lines is known. Lines of ledgers were collected before the entries of other files.
    """
    own = defaultdict[PersonsDay, list[LedgerLine]](list)
    seen: set[object] = set()
    for line in known:
        if line.identity not in seen:
            own[line.persons_day].append(line)
        seen.add(line.identity)
    reports = _newest_report_by_decision(known)
    collected = {line.sha256 for line in known}
    entered = [line for file in files if not file.is_ledger for line in file.lines]
    entered_now = {line.content for line in entered}
    removers = _removers(known, entered)
    new = []
    for file in sorted(files, key=lambda file: not file.is_ledger):
        preceding: set[object] = set()
        for line in file.lines:
            of_day = own[line.persons_day]
            last = of_day[-1] if of_day else line
            if file.is_ledger:
                is_anew = line.identity not in seen and last.content in preceding
            else:
                is_given_up = last.content != line.content and last.content not in entered_now
                is_new_file = line.sha256 not in collected
                is_anew = is_given_up and is_new_file and _is_put_back(line, last, removers)
            if not _was_collected(line, of_day, reports) or is_anew:
                new.append(line)
                of_day.append(line)
            seen.add(line.identity)
            preceding.add(line.content)
    return new


def _is_put_back(
    line: LedgerLine, last: LedgerLine, removers: Mapping[tuple[UserKey, date], set[str]]
) -> bool:
    """Return whether a workbook can bring back a decision that its person replaced by `last`."""
    others = removers[line.user_key, line.decided_on] - {line.person}
    is_contested = bool(others) and line.decision not in REMOVALS
    return is_contested or (last.workbook == line.workbook and not removes_more(line, last))


def _removers(
    known: Iterable[LedgerLine], entered: Sequence[LedgerLine]
) -> Mapping[tuple[UserKey, date], set[str]]:
    """Return, by user and day, the people whose current or new decision removes the user."""
    users = {line.user_key for line in entered}
    of_users = [line for line in known if line.user_key in users]
    contents = {line.content for line in of_users}
    current = [
        line for decisions in decisions_by_user(of_users).values() for line in decisions.current
    ]
    new = (line for line in entered if line.content not in contents)
    removers = defaultdict[tuple[UserKey, date], set[str]](set)
    for line in (*current, *new):
        if line.decision in REMOVALS:
            removers[line.user_key, line.decided_on].add(line.person)
    return removers


def removes_more(line: LedgerLine, last: LedgerLine) -> bool:
    """Return whether a decision takes more from the user than the last one of its person."""
    return line.decision in REMOVALS and last.decision not in (line.decision, Decision.DELETE)


_PersonsDecision = tuple[UserKey, str, Decision]
"""A user, a person, and the person's decision on the user."""


def _newest_report_by_decision(known: Iterable[LedgerLine]) -> Mapping[_PersonsDecision, datetime]:
    """Return the newest as-of of the reports on which a person made the same decision."""
    reports: dict[_PersonsDecision, datetime] = {}
    for line in known:
        decided = line.user_key, line.person, line.decision
        reports[decided] = max(line.as_of, reports.get(decided, line.as_of))
    return reports


def _was_collected(
    line: LedgerLine, of_day: Sequence[LedgerLine], reports: Mapping[_PersonsDecision, datetime]
) -> bool:
    """Return whether a decision is among the earlier ones of its person, user and day.

    - As a rule, the same decision must be among them, with its ticket and comment.
    - For a decision to remove the user that was given up since, ticket and comment may differ. It
      also counts as collected if its person decided the same on a newer report on any day: it may
      have been left out as a repetition.
    """
    if line.decision in REMOVALS and of_day and of_day[-1].decision is not line.decision:
        decided = line.decision, line.as_of
        newest = reports.get((line.user_key, line.person, line.decision), line.as_of)
        is_repeated = newest > line.as_of
        return is_repeated or any((other.decision, other.as_of) == decided for other in of_day)
    return any(other.content == line.content for other in of_day)


def decisions_on_older_reports(
    known: Sequence[LedgerLine], new: Iterable[LedgerLine]
) -> Iterator[tuple[LedgerLine, LedgerLine]]:
    """Yield each decision that was made on an older report than the undisputed one, and that one.

    The undisputed decision is that of the ledger, or that of the valid decisions before this one.
    """
    collected = lines_by_user(known)
    preceding_new = defaultdict[UserKey, list[LedgerLine]](list)
    for line in sorted(new, key=lambda line: line.decided_on):
        of_ledger, of_files = collected.get(line.user_key, []), preceding_new[line.user_key]
        preceding = [other for other in of_ledger if other.decided_on <= line.decided_on]
        for others in (of_ledger, [*preceding, *of_files]):
            undisputed = decisions_by_user(others)[line.user_key].undisputed if others else None
            if undisputed and _is_on_older_report(line, undisputed):
                yield line, undisputed
                break
        else:
            of_files.append(line)


def _is_on_older_report(line: LedgerLine, other: LedgerLine) -> bool:
    """Return whether a decision was made on an older report than another, or may have been.

    The doubt counts if the decision takes more from the user: a day without a time may be its end.
    """
    made = line.report_time.earliest
    is_set = line.report_time.source is AsOfSource.OPTION
    if is_set and (other.report_time.source is AsOfSource.OPTION or not removes_more(line, other)):
        return line.as_of < other.as_of
    is_unsure = removes_more(line, other) and line.as_of != other.as_of
    return made < (other.as_of if is_unsure else other.report_time.earliest)


def _repeated_on_older_reports(
    ledger: Ledger, new: Sequence[LedgerLine]
) -> dict[int, tuple[LedgerLine, LedgerLine]]:
    """Return each decision that repeats the undisputed one of its person, with that one, by id.

    A repetition on an older report adds nothing, unless another decision on the user is new.
    """
    decided = defaultdict[UserKey, set[Decision]](set)
    for line in new:
        decided[line.user_key].add(line.decision)
    undisputed = {id(decisions.undisputed) for decisions in ledger.by_user.values()}
    return {
        id(line): (line, other)
        for line, other in decisions_on_older_reports(ledger.lines, new)
        if line.person == other.person
        and decided[line.user_key] == {other.decision}
        and id(other) in undisputed
    }


def current_decisions_on_older_reports(
    by_user: Mapping[UserKey, UserDecisions],
) -> Iterator[tuple[LedgerLine, LedgerLine]]:
    """Yield pairs of a current decision and one before it that was made on a newer report."""
    lines = (line for decisions in by_user.values() for line in decisions.lines)
    for line, other in decisions_on_older_reports((), lines):
        if any(line is other for other in by_user[line.user_key].current):
            yield line, other
