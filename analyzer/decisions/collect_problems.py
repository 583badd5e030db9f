"""Say why decisions of files are refused: no order in time, an older report, another person."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from analyzer.decisions import review_list_layout
from analyzer.decisions.decision import (
    REMOVALS,
    Decision,
    LedgerLine,
    UserDecisions,
    UserKey,
    decisions_by_user,
)
from analyzer.decisions.ledger import DECISION, Entries
from analyzer.decisions.new_decisions import PersonsDay, new_lines
from analyzer.errors import Problem
from analyzer.report.model import FileReference
from analyzer.terms import count_text, short_list


def ledger_order_problems(
    known: Sequence[LedgerLine], files: Iterable[Entries]
) -> Iterator[Problem]:
    """Yield a problem for each user on whom another decision counts if ledgers change places.

    Nothing shows which one is the later of two decisions that stand in different ledgers. None to
    remove the user comes into force by their order that is not in force in one of them.
    """
    given = [each for each in files if each.is_ledger]
    if not given:
        return
    ledgers = [Entries(FileReference(name="", sha256=""), (*known,)), *given]
    orders = (new_lines((), each) for each in (ledgers, ledgers[::-1]))
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


def two_decision_problems(files: Iterable[Entries]) -> Iterator[Problem]:
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


def unordered_pairs(
    files: Iterable[Entries], new: Iterable[LedgerLine]
) -> Iterator[tuple[LedgerLine, LedgerLine]]:
    """Yield two new decisions of one person, user and day that differ, in different workbooks.

    Neither is the later one: the names of files have no order in time.
    """
    new_ids = {id(line) for line in new}
    firsts: dict[PersonsDay, tuple[Entries, LedgerLine]] = {}
    for each in files:
        for line in each.lines if not each.is_ledger else ():
            if id(line) in new_ids:
                key = line.user_key, line.person, line.decided_on
                file, first = firsts.setdefault(key, (each, line))
                if file is not each and line.decision is not first.decision:
                    yield first, line


def unordered_problems(
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


def older_report_problem(line: LedgerLine, other: LedgerLine) -> Problem:
    """Return the problem of a decision on an older report than another was made on."""
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


def newer_report_problem(line: LedgerLine, older_view: LedgerLine, other: LedgerLine) -> Problem:
    """Return the problem of a new line beside which a decision on an older report would count."""
    older, newer = (
        f"{each.report_time.earliest:%Y-%m-%d %H:%M} UTC" for each in (older_view, other)
    )
    message = (
        f"{older_view.place} has {older_view.summary}, which counts by its date, but was made on a"
        f" report of {older}; {other.summary} ({other.place}) was made on one of {newer}"
    )
    return _problem(line, message, "Decide again on the newer report, with a newer date.")


def conflict_problem(one: LedgerLine, other: LedgerLine) -> Problem:
    """Return the problem of two people who decided differently on one day."""
    message = f"{one.place} has {one.summary}, made on the same day by another person"
    hint = "Agree, and correct one of them, or write withdraw there; or give the newer one its day."
    return _problem(other, message, hint)


def _problem(line: LedgerLine, message: str, hint: str) -> Problem:
    """Return a problem of a decision, by the name that its file has for the column."""
    file, row, cell = line.read_from
    name = f"{review_list_layout.DECISION}, cell {cell}" if cell else DECISION
    return Problem(file, row, name, f"{line.decision} {line.user_key.arn}", message, hint)
