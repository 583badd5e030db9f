"""Say what of the entries does not count, and what reviewers have left open."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from analyzer import columns
from analyzer.decisions.decision import (
    Decision,
    LedgerLine,
    UserDecisions,
    UserKey,
    decisions_by_user,
    normal_name,
)
from analyzer.decisions.ledger import Entries, Ledger
from analyzer.terms import count_text, short_list


def repetition_notes(pairs: Iterable[tuple[LedgerLine, LedgerLine]]) -> Iterator[str]:
    """Yield whose newer date does not count: a decision to keep holds no longer by it."""
    users = [line.user for line, other in pairs if line.decided_on > other.decided_on]
    if users:
        yield (
            "Decided again on an older report, so the earlier decision counts:"
            f" {short_list(users)}."
        )


def needless_withdrawal_notes(
    new: Iterable[LedgerLine], after: Mapping[UserKey, UserDecisions]
) -> Iterator[str]:
    """Yield a note on each withdrawal where no decision was in force."""
    for line in new:
        user_decisions = after[line.user_key]
        if line.decision is Decision.WITHDRAW and not user_decisions.decisions:
            earlier = decisions_by_user(user_decisions.lines[: user_decisions.lines.index(line)])
            if not any(each.decisions for each in earlier.values()):
                whose = f"{line.user_key.arn} ({line.place})"
                yield f"Nothing to withdraw for {whose}: no decision was in force."


def uncounted_notes(
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
        return LATER_DAY if line.decided_on < counted.decided_on else ""
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


def replaced_decision_notes(
    known: Iterable[LedgerLine], new: Iterable[LedgerLine], after: Mapping[UserKey, UserDecisions]
) -> Iterator[str]:
    """Yield a note on each decision that its person replaces by a new one of the same day."""
    decisions = {(line.user_key, line.person, line.decided_on): line for line in known}
    for line in new:
        before = decisions.get((line.user_key, line.person, line.decided_on))
        counts = any(line is each for each in after[line.user_key].current)
        if before and counts and before.decision is not line.decision:
            yield _counts_note(line, before, _SAME_DAY)


LATER_DAY: Final = "it has a later date"


_SAME_DAY: Final = "the same person decided twice on that day, and the one collected later counts"


_GIVEN_UP: Final = "the same person gave it up on that day"


_LATER_DECISION: Final = "another person decided on that day, and the one collected later counts"


_WITHDRAWN: Final = "it was withdrawn"


OF_ONE_DAY: Final = (_SAME_DAY, _GIVEN_UP, _LATER_DECISION, _WITHDRAWN)


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
