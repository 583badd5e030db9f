"""Check the decisions that people entered, and add what is new to a ledger: all or nothing."""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, Self

from analyzer import columns
from analyzer.decisions import review_list_layout
from analyzer.decisions.decision import (
    REMOVALS,
    Decision,
    LedgerLine,
    UserDecisions,
    UserKey,
    decisions_by_user,
    normal_name,
)
from analyzer.decisions.ledger import DECISION, PROGRAM, Entries, Ledger
from analyzer.errors import InputRefused, Problem
from analyzer.report.model import FileReference
from analyzer.terms import count_text, short_list


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
    return _updated(ledger, files, _Contents.of(ledger, files), attended=attended)


@dataclass(frozen=True, slots=True)
class _Contents:
    """Hold the contents of decisions: those collected before a call, and those in its files.

    `hashes` are of the files that they were collected from.
    """

    collected: Container[object]
    hashes: Container[str]
    entered: Container[object]

    @classmethod
    def of(cls, ledger: Ledger, files: Iterable[Entries]) -> Self:
        return cls(
            collected={line.content for line in ledger.lines},
            hashes={line.sha256 for line in ledger.lines},
            entered={line.content for each in files for line in each.lines},
        )


def _updated(
    ledger: Ledger, files: Sequence[Entries], contents: _Contents, *, attended: bool
) -> LedgerUpdate:
    entered = [line for each in files for line in each.lines]
    new = _new_lines(ledger.lines, files)
    repeated = _repeated_on_older_reports(ledger.lines, new)
    new = [line for line in new if id(line) not in repeated]
    older = [*_decisions_on_older_reports(ledger.lines, new)]
    problems = [
        *_two_decision_problems(files),
        *(
            problem
            for _, problem in _unordered_problems(
                (line, first) for first, line in _unordered_pairs(files, new)
            )
        ),
        *_order_problems(ledger.lines, files),
        *(_older_report_problem(*pair) for pair in older),
    ]
    conflicts = [*_new_conflicts(ledger.lines, new)]
    new_ids = {id(line) for line in new}
    if attended:
        reversed_lines = [
            line
            for each in _workbooks_reversed(files)
            for line in each.lines
            if id(line) in new_ids
        ]
        in_turn = _new_conflicts(ledger.lines, reversed_lines) if len(files) > 1 else ()
        pairs = [*conflicts, *in_turn]
        by_day = {(one.user_key, one.decided_on): (one, other) for one, other in reversed(pairs)}
        problems += [_conflict_problem(*pair) for pair in reversed(by_day.values())]
    conflict_lines = [_conflict_line(*pair) for pair in conflicts]
    whole = replace(ledger, lines=(*ledger.lines, *new, *conflict_lines))
    before, after = decisions_by_user(ledger.lines), decisions_by_user(whole.lines)
    refused = {line.user_key for line, _ in older}
    first_new = {line.user_key: line for line in reversed(new) if line.user_key not in refused}
    problems += (
        _newer_report_problem(first_new[pair[0].user_key], *pair)
        for pair in _older_views_that_count({user: after[user] for user in first_new})
    )
    if problems:
        raise InputRefused(problems)
    return LedgerUpdate(
        ledger=whole,
        added=(*new, *conflict_lines),
        files=tuple(_file_outcome(each, new_ids, before, after, contents) for each in files),
        notes=(
            *(
                f"Conflict on {line.user_key.arn}: neither is in force. {line.comment}"
                for line in conflict_lines
            ),
            *_needless_withdrawal_notes(new, after),
            *_repetition_notes(repeated.values()),
            *dict.fromkeys(_uncounted_notes(entered, after, _OF_ONE_DAY)),
            *dict.fromkeys(_replaced_decision_notes(ledger.lines, new, after)),
            # Unattended, the workbooks of all earlier reviews are collected again.
            *dict.fromkeys(_uncounted_notes(entered if attended else new, after, [_LATER_DAY])),
        ),
    )


def collected_apart(
    ledger: Ledger, files: Sequence[Entries]
) -> Iterator[tuple[str, LedgerUpdate | InputRefused]]:
    """Yield what comes of each file, by its source: unattended, others are collected all the same.

    Two decisions of one person on one user and day have no order in files that are all new, and of
    two reports the decision on the older one gives way, whichever file comes first.
    """
    new = _new_lines(ledger.lines, files)
    repeated = _repeated_on_older_reports(ledger.lines, new)
    new = [line for line in new if id(line) not in repeated]
    pairs = [*_unordered_pairs(files, new)]
    problems = [
        *_unordered_problems((line, first) for first, line in pairs),
        *_unordered_problems(pairs),
        *(
            (line, _older_report_problem(line, other))
            for line, other in _decisions_on_older_reports(ledger.lines, new)
        ),
    ]
    contents = _Contents.of(ledger, files)
    for each in files:
        own = {id(line) for line in each.lines}
        if refused := [problem for line, problem in problems if id(line) in own]:
            yield each.source, InputRefused(refused)
            continue
        try:
            update = _updated(ledger, [each], contents, attended=False)
        except InputRefused as refusal:
            yield each.source, refusal
        else:
            ledger = update.ledger
            yield each.source, update


def _workbooks_reversed(files: Sequence[Entries]) -> Iterator[Entries]:
    """Yield files with the workbooks in reverse order: they have none in time.

    What is in conflict in one order of them is in conflict.
    """
    yield from (each for each in files if each.is_ledger)
    yield from (each for each in reversed(files) if not each.is_ledger)


def merged_ledger(files: Sequence[Entries]) -> LedgerUpdate:
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
    if older := [*_older_views_that_count(by_user)]:
        raise InputRefused([_older_report_problem(*pair) for pair in older])
    in_ledger = _uncounted_notes(first.lines, by_user, _OF_ONE_DAY)
    return replace(update, notes=(*dict.fromkeys((*update.notes, *in_ledger)),))


_PersonsDay = tuple[UserKey, str, date]
"""A user, and who decided on it on which day."""


def _new_lines(known: Sequence[LedgerLine], files: Sequence[Entries]) -> list[LedgerLine]:
    """Return the decisions of files that were not collected before, wherever they stand.

    A person who has given a decision up since, and changes back to it in the same workbook, makes
    it anew; the same file once more, and a copy of it, do not. A copy does where another person
    would remove the user on that day: then they have to agree. One to remove the user takes a newer
    date, as the file may be an older one of that name. Of a ledger only the order of its own lines
    is known: there the decision must stand behind the one that replaced it. Its lines were
    collected before what is entered elsewhere.
    """
    own = defaultdict[_PersonsDay, list[LedgerLine]](list)
    seen: set[object] = set()
    for line in known:
        if line.identity not in seen:
            own[line.user_key, line.person, line.decided_on].append(line)
        seen.add(line.identity)
    reports = _reports_by_word(known)
    collected = {line.sha256 for line in known}
    entered = [line for each in files if not each.is_ledger for line in each.lines]
    entered_now = {line.content for line in entered}
    removers = _removers(known, entered)
    new = []
    for each in sorted(files, key=lambda each: not each.is_ledger):
        preceding: set[object] = set()
        for line in each.lines:
            of_day = own[line.user_key, line.person, line.decided_on]
            last = of_day[-1] if of_day else line
            if each.is_ledger:
                is_anew = line.identity not in seen and last.content in preceding
            else:
                others = removers[line.user_key, line.decided_on] - {line.person}
                is_contested = bool(others) and line.decision not in REMOVALS
                is_same_workbook = last.workbook == line.workbook
                is_put_back = is_contested or (is_same_workbook and not _removes_more(line, last))
                is_given_up = last.content != line.content and last.content not in entered_now
                is_anew = is_put_back and is_given_up and line.sha256 not in collected
            if not _was_collected(line, of_day, reports) or is_anew:
                new.append(line)
                of_day.append(line)
            seen.add(line.identity)
            preceding.add(line.content)
    return new


def _removers(
    known: Iterable[LedgerLine], entered: Sequence[LedgerLine]
) -> Mapping[tuple[UserKey, date], set[str]]:
    """Return by user and day who would remove the user: in the ledger now, or newly entered."""
    users = {line.user_key for line in entered}
    of_users = [line for line in known if line.user_key in users]
    contents = {line.content for line in of_users}
    current = [line for each in decisions_by_user(of_users).values() for line in each.current]
    new = (line for line in entered if line.content not in contents)
    removers = defaultdict[tuple[UserKey, date], set[str]](set)
    for line in (*current, *new):
        if line.decision in REMOVALS:
            removers[line.user_key, line.decided_on].add(line.person)
    return removers


def _removes_more(line: LedgerLine, last: LedgerLine) -> bool:
    """Return whether a decision takes more from the user than the last one of its person."""
    return line.decision in REMOVALS and last.decision not in (line.decision, Decision.DELETE)


_PersonsWord = tuple[UserKey, str, Decision]
"""A user, and who decided what on it."""


def _reports_by_word(known: Iterable[LedgerLine]) -> Mapping[_PersonsWord, datetime]:
    """Return the as-of of the newest report on which a person decided so on a user."""
    reports: dict[_PersonsWord, datetime] = {}
    for line in known:
        word = line.user_key, line.person, line.decision
        reports[word] = max(line.as_of, reports.get(word, line.as_of))
    return reports


def _was_collected(
    line: LedgerLine, of_day: Sequence[LedgerLine], reports: Mapping[_PersonsWord, datetime]
) -> bool:
    """Return whether a decision is among the earlier ones of its person, user and day.

    One to remove the user that was given up since is, whatever its ticket and comment, also where
    it was made on a newer report on another day: this one may have been taken for a repetition.
    """
    if line.decision in REMOVALS and of_day and of_day[-1].decision is not line.decision:
        decided = line.decision, line.as_of
        newest = reports.get((line.user_key, line.person, line.decision), line.as_of)
        is_repeated = newest > line.as_of
        return is_repeated or any((each.decision, each.as_of) == decided for each in of_day)
    return any(each.content == line.content for each in of_day)


def _order_problems(known: Sequence[LedgerLine], files: Iterable[Entries]) -> Iterator[Problem]:
    """Yield a problem for each user on whom another decision counts if ledgers change places.

    Nothing shows which one is the later of two decisions that stand in different ledgers. None to
    remove the user comes into force by their order that is not in force in one of them.
    """
    given = [each for each in files if each.is_ledger]
    if not given:
        return
    ledgers = [Entries(FileReference(name="", sha256=""), (*known,)), *given]
    orders = (_new_lines((), each) for each in (ledgers, ledgers[::-1]))
    forward, backward, *alone = map(decisions_by_user, (*orders, *(each.lines for each in ledgers)))
    for line in {line.user_key: line for each in given for line in each.lines}.values():
        user = line.user_key
        one, other, *own = (_undisputed(each, user) for each in (forward, backward, *alone))
        if one is not other or (one in REMOVALS and one not in own):
            lines = forward[user].lines
            newest = (each for each in lines if each.decided_on == lines[-1].decided_on)
            named = dict.fromkeys(f"{each.summary} ({each.place})" for each in newest)
            message = f"the ledgers do not show which decision is the last one: {'; '.join(named)}"
            yield _problem(line, message, "Decide again with a newer date.")


def _undisputed(by_user: Mapping[UserKey, UserDecisions], user: UserKey) -> Decision | None:
    user_decisions = by_user.get(user)
    line = user_decisions.undisputed if user_decisions else None
    return line.decision if line else None


def _two_decision_problems(files: Iterable[Entries]) -> Iterator[Problem]:
    """Yield a problem for two decisions of one person, user and day in the sheets of a workbook.

    Sheets have no order in time: neither is the later one.
    """
    for each in files:
        decisions: dict[tuple[object, ...], LedgerLine] = {}
        for line in each.lines if not each.is_ledger else ():
            first = decisions.setdefault((line.user_key, line.person, line.decided_on), line)
            if line.sheet != first.sheet and line.decision is not first.decision:
                message = f"{first.place} has {first.summary}"
                yield _problem(line, message, "Correct one of them, or empty it.")


def _unordered_pairs(
    files: Iterable[Entries], new: Iterable[LedgerLine]
) -> Iterator[tuple[LedgerLine, LedgerLine]]:
    """Yield two new decisions of one person, user and day that differ, in different workbooks.

    Neither is the later one: the names of files have no order in time.
    """
    new_ids = {id(line) for line in new}
    firsts: dict[_PersonsDay, tuple[Entries, LedgerLine]] = {}
    for each in files:
        for line in each.lines if not each.is_ledger else ():
            if id(line) in new_ids:
                key = line.user_key, line.person, line.decided_on
                file, first = firsts.setdefault(key, (each, line))
                if file is not each and line.decision is not first.decision:
                    yield first, line


def _unordered_problems(
    pairs: Iterable[tuple[LedgerLine, LedgerLine]],
) -> Iterator[tuple[LedgerLine, Problem]]:
    """Yield one problem for two files and a person, with the first decision that it is about."""
    alike = defaultdict[tuple[str, ...], list[tuple[LedgerLine, LedgerLine]]](list)
    for line, other in pairs:
        alike[line.sha256, other.sha256, line.person].append((line, other))
    for of_files in alike.values():
        (line, other), *_ = of_files
        users = [*dict.fromkeys(each.user for each, _ in of_files)]
        yield line, _unordered_problem(line, other, users)


def _unordered_problem(line: LedgerLine, other: LedgerLine, users: Sequence[str]) -> Problem:
    file, row, _ = other.read_from
    message = f"{file}, row {row} has {other.summary}, and nothing shows which is the newer one"
    if len(users) > 1:
        message += f"; so for {count_text(len(users), 'user')}: {short_list(users)}"
    hint = "Empty the older one, or remove its file; or give the newer one a newer date."
    return _problem(line, message, hint)


def _decisions_on_older_reports(
    known: Sequence[LedgerLine], new: Iterable[LedgerLine]
) -> Iterator[tuple[LedgerLine, LedgerLine]]:
    """Yield each decision on an older report than the undisputed one was made on, with that one.

    That is the undisputed one of the ledger, or after the valid decisions that precede this one.
    """
    collected, preceding_new = (defaultdict[UserKey, list[LedgerLine]](list) for _ in range(2))
    for line in known:
        collected[line.user_key].append(line)
    for line in sorted(new, key=lambda line: line.decided_on):
        of_ledger, of_files = collected[line.user_key], preceding_new[line.user_key]
        preceding = [each for each in of_ledger if each.decided_on <= line.decided_on]
        for others in (of_ledger, [*preceding, *of_files]):
            undisputed = decisions_by_user(others)[line.user_key].undisputed if others else None
            if undisputed and line.report_time.earliest < undisputed.report_time.earliest:
                yield line, undisputed
                break
        else:
            of_files.append(line)


def _repeated_on_older_reports(
    known: Sequence[LedgerLine], new: Sequence[LedgerLine]
) -> dict[int, tuple[LedgerLine, LedgerLine]]:
    """Return each decision that repeats the undisputed one of its person, with that one, by id.

    It was made on an older report, and adds nothing, unless another word on the user is new.
    """
    by_user = decisions_by_user(known)
    words = defaultdict[UserKey, set[Decision]](set)
    for line in new:
        words[line.user_key].add(line.decision)
    return {
        id(line): (line, other)
        for line, other in _decisions_on_older_reports(known, new)
        if line.person == other.person
        and words[line.user_key] == {other.decision}
        and by_user[line.user_key].undisputed is other
    }


def _repetition_notes(pairs: Iterable[tuple[LedgerLine, LedgerLine]]) -> Iterator[str]:
    """Yield whose newer date does not count: a decision to keep holds no longer by it."""
    users = [line.user for line, other in pairs if line.decided_on > other.decided_on]
    if users:
        yield (
            "Decided again on an older report, so the earlier decision counts:"
            f" {short_list(users)}."
        )


def _older_views_that_count(
    by_user: Mapping[UserKey, UserDecisions],
) -> Iterator[tuple[LedgerLine, LedgerLine]]:
    """Yield each current decision on an older report than one before it, with that one."""
    lines = (line for each in by_user.values() for line in each.lines)
    for line, other in _decisions_on_older_reports((), lines):
        if any(line is each for each in by_user[line.user_key].current):
            yield line, other


def _older_report_problem(line: LedgerLine, other: LedgerLine) -> Problem:
    older, newer = (f"{each.report_time.earliest:%Y-%m-%d %H:%M} UTC" for each in (line, other))
    message = (
        f"made on a report of {older}, but {other.place} has {other.summary}, made on one of"
        f" {newer}"
    )
    hint = "Decide again on the newer report."
    if line.read_from.cell:
        day = f"{other.as_of:%Y-%m-%d}"
        hint = f"Empty this cell, and decide in the workbook of the newer report, of {day}."
    return _problem(line, message, hint)


def _newer_report_problem(line: LedgerLine, older_view: LedgerLine, other: LedgerLine) -> Problem:
    """Return the problem of a new line beside which a decision on an older report would count."""
    older, newer = (
        f"{each.report_time.earliest:%Y-%m-%d %H:%M} UTC" for each in (older_view, other)
    )
    message = (
        f"{older_view.place} has {older_view.summary}, which counts by its date, but was made on a"
        f" report of {older}; {other.summary} ({other.place}) was made on one of {newer}"
    )
    return _problem(line, message, "Decide again on the newer report, with a newer date.")


def _new_conflicts(
    known: Sequence[LedgerLine], new: Sequence[LedgerLine]
) -> Iterator[tuple[LedgerLine, LedgerLine]]:
    """Yield the pairs of lines that are in conflict, but for those with a line `conflict` already.

    A conflict of a day that was settled, and comes up again, is another one.
    """
    have_line = {
        (user, one.decided_on)
        for user, user_decisions in decisions_by_user(known).items()
        for one, _ in user_decisions.conflicts
        if one.decided_on in user_decisions.conflict_days
    }
    for user, user_decisions in decisions_by_user([*known, *new]).items():
        for one, other in user_decisions.conflicts:
            if (user, other.decided_on) not in have_line:
                yield one, other


def _conflict_problem(one: LedgerLine, other: LedgerLine) -> Problem:
    message = f"{one.place} has {one.summary}, made on the same day by another person"
    hint = "Agree, and correct one of them, or write withdraw there; or give the newer one its day."
    return _problem(other, message, hint)


def _conflict_line(one: LedgerLine, other: LedgerLine) -> LedgerLine:
    """Return the line that keeps both of two decisions out of force."""
    comment = "; ".join(f"{line.place}: {line.summary}" for line in (one, other))
    decision = Decision.CONFLICT
    return replace(other, decision=decision, decided_by=PROGRAM, ticket="", comment=comment)


def _problem(line: LedgerLine, message: str, hint: str) -> Problem:
    """Return a problem of a decision, by the name that its file has for the column."""
    file, row, cell = line.read_from
    name = f"{review_list_layout.DECISION}, cell {cell}" if cell else DECISION
    return Problem(file, row, name, f"{line.decision} {line.user_key.arn}", message, hint)


def _file_outcome(
    entries: Entries,
    new_ids: set[int],
    before: Mapping[UserKey, UserDecisions],
    after: Mapping[UserKey, UserDecisions],
    contents: _Contents,
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
    entries: Entries, after: Mapping[UserKey, UserDecisions], contents: _Contents
) -> Iterator[LedgerLine]:
    """Yield the decisions that were collected from a list before and are no longer in it.

    It is the same list by what their person entered in it on that report, or by an entry that was
    collected from the same file; by its name only if nothing is entered. It is not where it shows
    the decision as an earlier one. One that stands in another file of the call is not emptied,
    unless this is a new version: with others that were collected from a file before.
    """
    people = {(line.person, line.as_of) for line in entries.lines}
    old = contents.collected if entries.file.sha256 not in contents.hashes else ()
    copied = {(line.person, line.as_of) for line in entries.lines if line.content in old}
    earlier_files = {
        line.sha256
        for entered in entries.lines
        for line in after[entered.user_key].lines
        if line.content == entered.content
    }
    for row in entries.open_rows:
        user_decisions = after.get(row.user_key)
        for line in user_decisions.decisions if user_decisions else ():
            author = line.person, line.as_of
            was_listed = line.as_of == row.as_of and line.summary not in row.earlier
            is_blank_list = not entries.lines and line.workbook == entries.source
            is_same_list = author in people or line.sha256 in earlier_files or is_blank_list
            is_gone = line.content not in contents.entered or author in copied
            if was_listed and is_same_list and is_gone and line.content in contents.collected:
                yield line


def _needless_withdrawal_notes(
    new: Iterable[LedgerLine], after: Mapping[UserKey, UserDecisions]
) -> Iterator[str]:
    for line in new:
        user_decisions = after[line.user_key]
        if line.decision is Decision.WITHDRAW and not user_decisions.decisions:
            earlier = decisions_by_user(user_decisions.lines[: user_decisions.lines.index(line)])
            if not any(each.decisions for each in earlier.values()):
                whose = f"{line.user_key.arn} ({line.place})"
                yield f"Nothing to withdraw for {whose}: no decision was in force."


def _uncounted_notes(
    entered: Iterable[LedgerLine], after: Mapping[UserKey, UserDecisions], reasons: Sequence[str]
) -> Iterator[str]:
    """Yield a note on each entry that gives way to another decision, or was taken back.

    A line `conflict` of the program is nobody's decision.
    """
    for line in (each for each in entered if each.decision is not Decision.CONFLICT):
        user_decisions = after[line.user_key]
        of_people = [
            each for each in user_decisions.lines if each.decision is not Decision.CONFLICT
        ]
        for counted in user_decisions.current or of_people[-1:]:
            reason = _why_counted(user_decisions, counted, line)
            if line.decision is not counted.decision and reason in reasons:
                yield _counts_note(counted, line, reason)


def _why_counted(user_decisions: UserDecisions, counted: LedgerLine, line: LedgerLine) -> str:
    if line.decided_on != counted.decided_on:
        return _LATER_DAY if line.decided_on < counted.decided_on else ""
    if line.person == counted.person:
        is_in_ledger = any(each.identity == line.identity for each in user_decisions.lines)
        return _SAME_DAY if is_in_ledger else _GIVEN_UP
    if line.person in {each.person for each in user_decisions.current}:
        return ""
    contents = [each.content for each in user_decisions.lines]
    if line.content not in contents[contents.index(counted.content) :]:
        return _LATER_DECISION
    # A withdrawal behind what counts took back the own decision of its person.
    return _WITHDRAWN if line.decision is not Decision.WITHDRAW else ""


def _replaced_decision_notes(
    known: Iterable[LedgerLine], new: Iterable[LedgerLine], after: Mapping[UserKey, UserDecisions]
) -> Iterator[str]:
    """Yield a note on each decision that its person replaces by a new one of the same day."""
    decisions = {(line.user_key, line.person, line.decided_on): line for line in known}
    for line in new:
        before = decisions.get((line.user_key, line.person, line.decided_on))
        counts = any(line is each for each in after[line.user_key].current)
        if before and counts and before.decision is not line.decision:
            yield _counts_note(line, before, _SAME_DAY)


_LATER_DAY: Final = "it has a later date"
_SAME_DAY: Final = "the same person decided twice on that day, and the one collected later counts"
_GIVEN_UP: Final = "the same person gave it up on that day"
_LATER_DECISION: Final = "another person decided on that day, and the one collected later counts"
_WITHDRAWN: Final = "it was withdrawn on that day"
_OF_ONE_DAY: Final = (_SAME_DAY, _GIVEN_UP, _LATER_DECISION, _WITHDRAWN)


def _counts_note(counted: LedgerLine, line: LedgerLine, reason: str) -> str:
    return (
        f"{line.user_key.arn}: {counted.summary} ({counted.place}) counts, and not {line.summary}"
        f" ({line.place}): {reason}. If that is wrong, decide again with a newer date."
    )


def answer_notes(files: Sequence[Entries], ledger: Ledger) -> Iterator[str]:
    """Yield how many users each owner has left open, and who decided on users of another owner.

    `ledger` is the one with what the files hold. Users in several copies of a workbook count once,
    those without an owner by file.
    """
    entered: set[str] = set()
    still_open: Counter[tuple[str, UserKey]] = Counter()
    is_owned = False
    for each in files:
        owners = [*map(_owner, each.lines), *(row.owner for row in each.open_rows)]
        unowned = f"no owner in {each.file.name}" if any(owners) else each.file.name
        is_owned |= any(owners)
        entered |= {_owner(line) or unowned for line in each.lines}
        rows = (row for row in each.open_rows if not row.is_decided(ledger.by_user))
        still_open |= Counter((row.owner or unowned, row.user_key) for row in rows)
    by_owner = Counter(owner for owner, _ in still_open.elements())
    for owner, number in by_owner.items():
        if is_owned or owner not in entered:
            answer = "Still open" if owner in entered else "Not answered"
            yield f"{answer}: {owner}, {count_text(number, 'user')}."
    yield from _notes_on_others(line for each in files for line in each.lines)


def _owner(line: LedgerLine) -> str:
    return line.report_cells.get(columns.OWNER, "")


def _notes_on_others(lines: Iterable[LedgerLine]) -> Iterator[str]:
    others: dict[tuple[str, str], list[str]] = {}
    for line in lines:
        owner, email = _owner(line), line.report_cells.get(columns.OWNER_EMAIL, "")
        if owner and line.person not in (normal_name(owner), normal_name(email)):
            others.setdefault((line.decided_by, owner), []).append(line.user)
    for (person, owner), users in others.items():
        yield f"Decided by {person}, not by the owner {owner}: {short_list(users)}."
