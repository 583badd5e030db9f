"""Word the problems and notes of collecting: refused files, uncounted entries, open users."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from analyzer import columns
from analyzer.decisions import review_list_layout
from analyzer.decisions.decision import (
    REMOVALS,
    UNDECIDED,
    Decision,
    LedgerLine,
    PersonsDay,
    UserDecisions,
    UserKey,
    decisions_by_user,
    normal_name,
    user_names,
)
from analyzer.decisions.entries import DECISION, DecisionFile
from analyzer.decisions.ledger import Ledger
from analyzer.decisions.new_decisions import new_lines
from analyzer.errors import Problem
from analyzer.report.model import FileReference
from analyzer.terms import AsOfSource, count_text, minute_text, short_list

LATER_DAY: Final = "it has a later date"
_SAME_DAY: Final = "the same person decided twice on that day, and the one collected later counts"
_GIVEN_UP: Final = "the same person gave it up on that day"
_LATER_DECISION: Final = "another person decided on that day, and the one collected later counts"
_WITHDRAWN: Final = "it was withdrawn"
OF_ONE_PERSON: Final = (_SAME_DAY, _GIVEN_UP)
OF_SEVERAL_PEOPLE: Final = (_LATER_DECISION, _WITHDRAWN)
OF_ONE_DAY: Final = (*OF_ONE_PERSON, *OF_SEVERAL_PEOPLE)


def ledger_order_problems(
    known: Sequence[LedgerLine], files: Iterable[DecisionFile]
) -> Iterator[Problem]:
    """Yield a problem for each user whose decision depends on the order of the ledgers.

    Nothing shows which of two decisions in different ledgers is the later one. A decision to remove
    the user must also be in force in one of the ledgers alone.
    """
    given = [file for file in files if file.is_ledger]
    if not given:
        return
    ledgers = [DecisionFile(FileReference(name="", sha256=""), (*known,)), *given]
    orders = (new_lines((), order) for order in (ledgers, ledgers[::-1]))
    forward, backward, *alone = map(
        decisions_by_user, (*orders, *(ledger.lines for ledger in ledgers))
    )
    for line in {line.user_key: line for file in given for line in file.lines}.values():
        user = line.user_key
        one, other, *own = (
            _undisputed(decisions, user) for decisions in (forward, backward, *alone)
        )
        if one is not other or (one in REMOVALS and one not in own):
            lines = forward[user].lines
            newest = (line for line in lines if line.decided_on == lines[-1].decided_on)
            named = dict.fromkeys(f"{line.summary} ({line.place})" for line in newest)
            message = f"the ledgers do not show which decision is the last one: {'; '.join(named)}"
            yield _problem(line, message, "Decide again with a newer date.")


def _undisputed(by_user: Mapping[UserKey, UserDecisions], user: UserKey) -> Decision | None:
    line = by_user.get(user, UNDECIDED).undisputed
    return line.decision if line else None


def two_decision_problems(files: Iterable[DecisionFile]) -> Iterator[Problem]:
    """Yield a problem for two decisions of one person, user and day in the sheets of a workbook.

    Sheets have no order in time: neither is the later one.
    """
    for file in files:
        decisions: dict[PersonsDay, LedgerLine] = {}
        for line in file.lines if not file.is_ledger else ():
            first = decisions.setdefault(line.persons_day, line)
            if line.sheet != first.sheet and line.decision is not first.decision:
                message = f"{first.place} has {first.summary}"
                yield _problem(line, message, "Correct one of them, or empty it.")


def unordered_pairs(
    files: Iterable[DecisionFile], new: Iterable[LedgerLine]
) -> Iterator[tuple[LedgerLine, LedgerLine]]:
    """Yield pairs of new decisions of one person, user and day that differ between workbooks.

    Neither is the later one: the names of files have no order in time.
    """
    new_ids = {id(line) for line in new}
    firsts: dict[PersonsDay, tuple[DecisionFile, LedgerLine]] = {}
    for file in files:
        for line in file.lines if not file.is_ledger else ():
            if id(line) in new_ids:
                first_file, first = firsts.setdefault(line.persons_day, (file, line))
                if first_file is not file and line.decision is not first.decision:
                    yield line, first


def unordered_problems(
    pairs: Iterable[tuple[LedgerLine, LedgerLine]],
) -> Iterator[tuple[LedgerLine, Problem]]:
    """Yield one problem for each two files and person, with the first decision in question."""
    alike = defaultdict[tuple[str, ...], list[tuple[LedgerLine, LedgerLine]]](list)
    for line, other in pairs:
        alike[line.sha256, other.sha256, line.person].append((line, other))
    for (line, other), *more in alike.values():
        file, row, _ = other.read_from
        message = f"{file}, row {row} has {other.summary}, and nothing shows which is the newer one"
        users = [*dict.fromkeys((line.user, *(other_line.user for other_line, _ in more)))]
        if len(users) > 1:
            message += f"; so for {count_text(len(users), 'user')}: {short_list(users)}"
        hint = "Empty the older one, or remove its file; or give the newer one a newer date."
        yield line, _problem(line, message, hint)


def older_report_problem(line: LedgerLine, other: LedgerLine) -> Problem:
    """Return the problem of a decision that was made on an older report than another."""
    message = (
        f"made on a report of {_report_moment(line)}, but {other.place} has {other.summary}, made"
        f" on one of {_report_moment(other)}"
    )
    hint = "Decide again on the newer report."
    if line.report_time.source is AsOfSource.OPTION and line.as_of >= other.as_of:
        message = (
            f"made on a report whose time --as-of set: nothing shows that it is newer than the one"
            f" of {_report_moment(other)}, on which {other.place} has {other.summary}"
        )
        hint = "Put the day of the report in the name of its file, and decide in a new workbook."
    elif line.read_from.cell:
        day = f"{other.as_of:%Y-%m-%d}"
        hint = f"Empty this cell, and decide in the workbook of the newer report, of {day}."
    return _problem(line, message, hint)


def newer_report_problem(line: LedgerLine, older_line: LedgerLine, other: LedgerLine) -> Problem:
    """Return the problem of a new line that would let a decision on an older report count."""
    message = (
        f"{older_line.place} has {older_line.summary}, which counts by its date, but was made on a"
        f" report of {_report_moment(older_line)}; {other.summary} ({other.place}) was made on one"
        f" of {_report_moment(other)}"
    )
    return _problem(line, message, "Decide again on the newer report, with a newer date.")


def _report_moment(line: LedgerLine) -> str:
    remark = _NO_OWN_MOMENT.get(line.report_time.source)
    return f"{line.as_of:%Y-%m-%d} ({remark})" if remark else minute_text(line.as_of)


_NO_OWN_MOMENT: Final[Mapping[AsOfSource, str]] = {
    AsOfSource.FOLDER: "time of day unknown",
    AsOfSource.OPTION: "set with --as-of",
}


def conflict_problem(one: LedgerLine, other: LedgerLine) -> Problem:
    """Return the problem of two people who decided differently on one day."""
    message = f"{one.place} has {one.summary}, made on the same day by another person"
    hint = "Agree. Empty the cells of what does not count, or decide again with a newer date."
    return _problem(other, message, hint)


def follow_up_problems(
    known: Sequence[LedgerLine], files: Iterable[DecisionFile]
) -> Iterator[Problem]:
    """Yield a problem for each earlier decision in a workbook that the ledger does not have.

    A decision from a file that the ledger does not know belongs to another ledger.
    """
    rows = [row for file in files for row in file.followed_up]
    there = {*map(_shown_texts, known)} if rows else set()
    hashes = _hashes(known)
    for row in rows:
        if row.sha256 in hashes and tuple(map(_comparable_text, row.texts)) not in there:
            file, number, cell = row.place
            name = f"{review_list_layout.DECIDED}, cell {cell}"
            shown = ", ".join(filter(None, row.texts[1:]))
            hint = "Restore the row, and decide in the list that has the user."
            message = "the ledger does not have this decision"
            yield Problem(file, number, name, shown, message, hint)


def _hashes(known: Iterable[LedgerLine]) -> set[str]:
    """Return the hashes of the files that a ledger knows; "" stands in a row that lost its own."""
    return {"", *(line.sha256 for line in known)}


def _shown_texts(line: LedgerLine) -> tuple[str, ...]:
    entered = line.decided_by, line.decided_on.isoformat(), line.ticket, line.comment
    return tuple(map(_comparable_text, (line.user_key.arn, line.user, line.decision, *entered)))


def _comparable_text(text: str) -> str:
    """Return a text without what a spreadsheet may change in it: line ends, zeros of a number."""
    words = " ".join(text.split())
    try:
        return f"{float(words):.10g}"
    except ValueError:
        return words


def _problem(line: LedgerLine, message: str, hint: str) -> Problem:
    """Return a problem of a decision, by the name that its file has for the column."""
    file, row, cell = line.read_from
    name = f"{review_list_layout.DECISION}, cell {cell}" if cell else DECISION
    return Problem(file, row, name, f"{line.decision} {line.user_key.arn}", message, hint)


# Notes


def unchecked_notes(known: Iterable[LedgerLine], files: Iterable[DecisionFile]) -> Iterator[str]:
    """Yield a note on files with a follow-up of another ledger, which cannot be checked."""
    hashes = _hashes(known)
    shown = [(file.file.name, row.sha256) for file in files for row in file.followed_up]
    if names := [*dict.fromkeys(name for name, sha256 in shown if sha256 not in hashes)]:
        yield (
            "Not checked for changes, as this ledger does not have them: decisions on the follow-up"
            f" of {short_list(names)}."
        )


def repetition_notes(pairs: Iterable[tuple[LedgerLine, LedgerLine]]) -> Iterator[str]:
    """Yield a note on users with a repeated decision, made on an older report with a newer date.

    The newer date does not count: it does not extend a decision to keep.
    """
    users = [line.user for line, other in pairs if line.decided_on > other.decided_on]
    if users:
        yield (
            "Decided again on an older report, so the earlier decision counts:"
            f" {short_list(users)}."
        )


def withdrawal_notes(
    new: Sequence[LedgerLine], after: Mapping[UserKey, UserDecisions]
) -> Iterator[str]:
    """Yield a note on each withdrawal of another person's decision, or of none in force.

    It is limited to identified users, and to decisions that were collected before.
    """
    new_ids = {id(line) for line in new}
    for line in new:
        user_decisions = after[line.user_key]
        is_withdrawal = line.decision is Decision.WITHDRAW and line.identifies_user
        if is_withdrawal and not user_decisions.decisions:
            earlier = decisions_by_user(user_decisions.lines[: user_decisions.lines.index(line)])
            decisions = [decision for of_user in earlier.values() for decision in of_user.decisions]
            if not decisions:
                whose = f"{line.user_key.arn} ({line.place})"
                yield f"Nothing to withdraw for {whose}: no decision was in force."
            for decision in decisions:
                if decision.person != line.person and id(decision) not in new_ids:
                    yield _counts_note(line, decision, _WITHDRAWN)


def uncounted_notes(
    entered: Iterable[LedgerLine], after: Mapping[UserKey, UserDecisions], reasons: Sequence[str]
) -> Iterator[str]:
    """Yield a note on each entry that gives way to another decision, or was taken back.

    A line `conflict` is not an entry: the program wrote it.
    """
    for line in (decision for decision in entered if decision.decision is not Decision.CONFLICT):
        user_decisions = after[line.user_key]
        of_people = [
            other for other in user_decisions.lines if other.decision is not Decision.CONFLICT
        ]
        for counted in user_decisions.current or of_people[-1:]:
            reason = _why_counted(user_decisions, counted, line)
            if line.decision is not counted.decision and reason in reasons:
                yield _counts_note(counted, line, reason)


def _why_counted(user_decisions: UserDecisions, counted: LedgerLine, line: LedgerLine) -> str:
    if line.decided_on != counted.decided_on:
        return LATER_DAY if line.decided_on < counted.decided_on else ""
    if line.person == counted.person:
        is_in_ledger = any(other.identity == line.identity for other in user_decisions.lines)
        return _SAME_DAY if is_in_ledger else _GIVEN_UP
    if line.person in {other.person for other in user_decisions.current}:
        return ""
    contents = [other.content for other in user_decisions.lines]
    if line.content not in contents[contents.index(counted.content) :]:
        return _LATER_DECISION
    # A withdrawal after the counted line took back the decision of its own person.
    return _WITHDRAWN if line.decision is not Decision.WITHDRAW else ""


def replaced_decision_notes(
    known: Iterable[LedgerLine], new: Iterable[LedgerLine], after: Mapping[UserKey, UserDecisions]
) -> Iterator[str]:
    """Yield a note on each decision that its person replaces by a new one of the same day."""
    decisions = {line.persons_day: line for line in known}
    for line in new:
        before = decisions.get(line.persons_day)
        counts = any(line is other for other in after[line.user_key].current)
        if before and counts and before.decision is not line.decision:
            yield _counts_note(line, before, _SAME_DAY)


def _counts_note(counted: LedgerLine, line: LedgerLine, reason: str) -> str:
    return (
        f"{line.user_key.arn}: {counted.summary} ({counted.place}) counts instead of"
        f" {line.summary} ({line.place}): {reason}. If that is wrong, decide again with a newer"
        " date."
    )


def owner_answer_notes(files: Sequence[DecisionFile], ledger: Ledger) -> Iterator[str]:
    """Yield notes on users that each owner left open, and on decisions for another owner.

    `ledger` includes the decisions of the files. Users in several copies of a workbook count once;
    users without an owner count by file.
    """
    entered: set[str] = set()
    still_open: Counter[tuple[str, UserKey]] = Counter()
    is_owned = False
    for file in files:
        owners = [*map(_owner, file.lines), *(row.owner for row in file.open_rows)]
        unowned = f"no owner in {file.file.name}" if any(owners) else file.file.name
        is_owned |= any(owners)
        entered |= {_owner(line) or unowned for line in file.lines}
        rows = (row for row in file.open_rows if not row.is_decided(ledger.by_user))
        still_open |= Counter((row.owner or unowned, row.user_key) for row in rows)
    by_owner = Counter(owner for owner, _ in still_open.elements())
    for owner, number in by_owner.items():
        if is_owned or owner not in entered:
            answer = "Still open" if owner in entered else "Not answered"
            yield f"{answer}: {owner}, {count_text(number, 'user')}."
    others: dict[tuple[str, str], list[LedgerLine]] = {}
    for line in (line for file in files for line in file.lines):
        owner, email = _owner(line), line.user_row.get(columns.OWNER_EMAIL, "")
        if owner and line.person not in (normal_name(owner), normal_name(email)):
            others.setdefault((line.decided_by, owner), []).append(line)
    for (person, owner), lines in others.items():
        users = short_list(user_names(lines))
        yield f"Decided by {person}, not by the owner {owner}: {users}."


def _owner(line: LedgerLine) -> str:
    return line.user_row.get(columns.OWNER, "")
