"""Say which users are decided, who has not answered, and who decided instead of the owner."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import numpy as np

from analyzer import columns
from analyzer.decisions.follow_up import FollowUp, FollowUpStatus, Outcome
from analyzer.decisions.ledger import Entries, Ledger
from analyzer.decisions.review_columns import Decision
from analyzer.decisions.user_decisions import LedgerLine, UserDecisions, UserKey, normal_name
from analyzer.decisions.user_state import datetimes
from analyzer.report.model import Page
from analyzer.terms import count_text, short_list


def is_answered(page: Page, ledger: Ledger, followed: FollowUp) -> np.ndarray:
    """Return which users of a judged page need no decision now (bool).

    The decision in force stands: neither overtaken, nor done so that the deletion is to be decided,
    nor to investigate a user since an earlier report.
    """
    users = page.users
    keys = map(UserKey, users[columns.ARN], datetimes(users[columns.CREATED]))
    decided = ((key, ledger.by_user.get(key)) for key in keys)
    answers = [
        of_user is not None and _stands(key, of_user, as_of, ledger, followed.outcomes)
        for (key, of_user), as_of in zip(decided, users[columns.AS_OF], strict=True)
    ]
    return np.array(answers, bool)


def _stands(
    key: UserKey,
    of_user: UserDecisions,
    as_of: datetime,
    ledger: Ledger,
    outcomes: Mapping[UserKey, Outcome],
) -> bool:
    line = ledger.in_force(of_user, as_of.date())
    if line is None:
        return False
    if line.decision is Decision.INVESTIGATE:
        return line.as_of >= as_of
    is_open = (FollowUpStatus.OVERTAKEN, FollowUpStatus.DONE)
    return line.decision is Decision.KEEP or outcomes[key].status not in is_open


def answer_notes(files: Sequence[Entries], ledger: Ledger) -> Iterator[str]:
    """Yield who has decided on none of their users, and who decided on users of another owner.

    `ledger` is the one with what the files hold. Users without an owner count by file.
    """
    entered = {_whose(each, _owner(line)) for each in files for line in each.lines}
    still_open: dict[str, int] = {}
    for each in files:
        for row in each.open_rows:
            whose = _whose(each, row.owner)
            if whose not in entered and not row.is_decided(ledger.by_user):
                still_open[whose] = still_open.get(whose, 0) + 1
    for whose, number in still_open.items():
        yield f"Not answered: {whose}, {count_text(number, 'user')}."
    yield from _notes_on_others(line for each in files for line in each.lines)


def _owner(line: LedgerLine) -> str:
    return line.report_cells.get(columns.OWNER, "")


def _whose(entries: Entries, owner: str) -> str:
    return owner or entries.file.name


def _notes_on_others(lines: Iterable[LedgerLine]) -> Iterator[str]:
    """Yield a note for each person who decided on users of another owner."""
    others: dict[tuple[str, str], list[str]] = {}
    for line in lines:
        owner, email = _owner(line), line.report_cells.get(columns.OWNER_EMAIL, "")
        if owner and line.person not in (normal_name(owner), normal_name(email)):
            others.setdefault((line.decided_by, owner), []).append(line.user)
    for (person, owner), users in others.items():
        yield f"Decided by {person}, not by the owner {owner}: {short_list(users)}."
