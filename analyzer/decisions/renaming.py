"""Find users that may be the user of a decision under another name, now or before.

Such a user was created in the same second, and no report shows it beside the user decided on.
"""

from collections.abc import Collection, Container, Iterable, Iterator
from typing import Final

from analyzer.decisions.credentials import cannot_be_same_user
from analyzer.decisions.decision import CreationSecond, Decision, LedgerLine
from analyzer.decisions.ledger import Ledger
from analyzer.decisions.new_decisions import removes_more
from analyzer.decisions.reported_users import (
    NamesOfOthers,
    OlderReports,
    UsersInNewestReports,
)
from analyzer.terms import POSSIBLY_RENAMED, short_list


def overtaken_by_decision(line: LedgerLine, ledger: Ledger, names: NamesOfOthers) -> str | None:
    """Return the latest decision on a user that may be the user of a line, in words.

    A decision on the user itself counts too, if made on a newer report. It was withdrawn or is in
    conflict: otherwise, collecting refuses a decision on the older report.
    """
    if not line.identifies_user:
        return None
    made = line.report_time.earliest
    own = reversed(ledger.by_user[line.user_key].lines)
    if other := next((one for one in own if one.report_time.earliest > made), None):
        return f"decided on again, on a newer report: {other.summary}"
    later = (other for other in _others(line, ledger) if other.report_time.earliest > made)
    if other := _first_possible(later, names):
        to = f"{POSSIBLY_RENAMED} to {other.name_with_path}"
        return f"{to}, decided on again: {other.summary}"
    if other := _later_unidentified(line, ledger):
        return f"decided on again, {_UNIDENTIFIED}: {other.summary}"
    return None


_UNIDENTIFIED: Final = "on a report that does not show its creation time or account"


def _later_unidentified(line: LedgerLine, ledger: Ledger) -> LedgerLine | None:
    """Return the last other decision on a user of the same name that its report does not identify.

    That user may be the user of the line, unless its creation time or known account is another.
    """
    made, created = line.report_time.earliest, line.user_key.created
    others = (
        other
        for account in (line.account, "")
        for other in ledger.unidentified.get((account, line.user), ())
        if other.user_key.created in (None, created) and other.decision is not line.decision
        if other.decided_on >= line.decided_on or other.report_time.earliest > made
    )
    return next(reversed([*others]), None)


def former_name_fact(line: LedgerLine, ledger: Ledger, names: NamesOfOthers) -> str:
    """Return the decision that spares the user under a possible former name; empty for none.

    A decision in conflict spares the user too, and so does one to keep that has run out, unless it
    was withdrawn. One to deactivate spares the user from a deletion, unless that is of a later day.
    """
    sparing = (
        other
        for other in _others(line, ledger)
        if removes_more(line, other) and other.decision is not Decision.WITHDRAW
        if other.decision is not Decision.DEACTIVATE or other.decided_on >= line.decided_on
        if other in ledger.by_user[other.user_key].current
    )
    if other := _first_possible(sparing, names):
        return (
            f"{POSSIBLY_RENAMED.capitalize()} from {other.name_with_path}, on whom"
            f" {other.summary} was decided: withdraw that, or name a report that has both users,"
            " --report."
        )
    return ""


def _others(line: LedgerLine, ledger: Ledger) -> Iterator[LedgerLine]:
    """Yield the lines that may be on the user of a line under another name, the latest first.

    Their users were created in the same second. Lines on the same report are left out: it shows
    both users. If two reports have the same as-of, such as a day, `baseline` tells them apart, if
    `same_second` is known. Unidentified users of the same name are left out too.
    """
    for other in reversed(ledger.lines_of_second[line.creation_second]):
        is_of_one_report = other.as_of == line.as_of and (
            line.same_second is None or other.baseline == line.baseline
        )
        is_beside = other.user in (line.same_second or ()) or line.user in (other.same_second or ())
        has_name = other.user == line.user and not other.identifies_user
        if other.user_key != line.user_key and not (is_of_one_report or is_beside or has_name):
            yield other


def _first_possible(others: Iterable[LedgerLine], names: NamesOfOthers) -> LedgerLine | None:
    return next((other for other in others if names.not_of_others([other.user])), None)


def overtaken_by_renaming(
    line: LedgerLine,
    names: Iterable[str],
    to_delete: Container[tuple[CreationSecond, str]],
    users: UsersInNewestReports,
    older: OlderReports,
) -> str | None:
    """Return users of the same second that are gone and may be the user of a line now, in words.

    Users to delete do not count.
    """
    missing = users.missing_same_second_names(line, names)
    doubtful = (name for name in missing if (line.creation_second, name) not in to_delete)
    if gone := sorted(name for name in doubtful if _may_be_user(line, name, users, older)):
        who = f"{POSSIBLY_RENAMED} from {short_list(gone)}, created in the same second and gone now"
        return f"{who} (name the report decided on too, --report: it may rule that out)"
    return None


def _may_be_user(
    line: LedgerLine, name: str, users: UsersInNewestReports, older: OlderReports
) -> bool:
    """Return whether the user of a name may be the user of a line: no report rules it out."""
    user, earlier_of_name = users.user_of(line), older.credentials_of_name(line, name)
    return user is None or not any(
        cannot_be_same_user(then, user.credentials) for then in earlier_of_name
    )


def renamed_notes(
    lines: Iterable[LedgerLine], ledger: Ledger, users: UsersInNewestReports
) -> Iterator[str]:
    """Yield a note on decisions that end: their user is not there and may have another name.

    Names of other users that were there, or were decided on, do not count.
    """
    absent = (line for line in lines if not users.user_of(line))
    renamed = [
        f"{line.user} ({line.summary}; {text})"
        for line in absent
        if (text := users.renamed(line, _undecided_names(line, ledger)))
    ]
    if renamed:
        hint = "Decide on the new name; to remove the user, also withdraw the old decision."
        yield f"Not in the report, {POSSIBLY_RENAMED}: {short_list(renamed)}. {hint}"


def _undecided_names(line: LedgerLine, ledger: Ledger) -> NamesOfOthers:
    decided: Collection[str] = {
        other.user
        for other in ledger.lines_of_second[line.creation_second]
        if other.user_key != line.user_key
    }
    return NamesOfOthers((decided, line.same_second or ()))
