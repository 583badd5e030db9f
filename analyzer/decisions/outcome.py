"""Say what became of one decision to delete or deactivate, as far as a later report shows it.

A deletion is done if a later report of the account has no user of the ARN, a deactivation also if
no credential of the user works any more. A user who may only have been renamed is not gone. If a
later report shows more access or use than the reviewer saw, the decision is overtaken, also where
the newest shows it no more: nothing acts on it, and somebody decides anew. So it is where the user
may be another one now, or was decided on later under another name.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cache, partial
from typing import Final, NamedTuple

from analyzer.decisions.credentials import (
    Credentials,
    access_added,
    cannot_be_same_user,
)
from analyzer.decisions.decision import Decision, LedgerLine, UserKey
from analyzer.decisions.ledger import Ledger
from analyzer.decisions.reported_users import (
    NamesOf,
    OlderReports,
    ReportedUser,
    UsersInNewestReports,
    report_time,
)
from analyzer.report.model import Report, ReportFile
from analyzer.terms import Verdict, code_of, short_list, utc_text


class FollowUpStatus(StrEnum):
    """Name the states of a decision, the most urgent first."""

    OVERTAKEN = "overtaken"
    NOT_DONE = "not-done"
    UNKNOWN = "unknown"
    DONE = "done"


_WAY_OUT: Final = "name the report decided on too, --report: it may rule that out"
NOT_IDENTIFIED: Final = "the creation time or the account of the user is not known"
CHANGED: Final = "Changed since the decision: "
DECIDE_AGAIN: Final = ". Decide again."
"""What stands before and after the changes, in the fact on a decision that was overtaken."""


def overtaken_fact(changes: str) -> str:
    """Return the fact on a decision that was overtaken by changes."""
    return f"{CHANGED}{changes}{DECIDE_AGAIN}"


@dataclass(frozen=True, slots=True)
class DecisionOutcome:
    """Hold what became of one decision; `now` is the user in `file`, None if it is not there.

    `file` is None where no report covers the account: then time counts to `newest`, the newest
    as-of of all reports. `added` is each access or use that the reviewer did not see. With
    `had_service_credential` AWS's newest list, since the report decided on, showed an active one.
    """

    line: LedgerLine
    file: ReportFile | None
    newest: datetime
    status: FollowUpStatus
    fact: str
    now: ReportedUser | None = None
    added: tuple[str, ...] = ()
    had_service_credential: bool = False

    @property
    def is_done(self) -> bool:
        """Return whether a report shows that it is done."""
        return self.status is FollowUpStatus.DONE

    @property
    def as_of(self) -> datetime:
        """Return the moment of the report."""
        return self.file.as_of if self.file else self.newest

    @property
    def days(self) -> int:
        """Return the whole days from the decision to the report."""
        return max((self.as_of.date() - self.line.decided_on).days, 0)

    def is_overdue(self, due_days: int) -> bool:
        """Return whether it is not done in time; a user in use again is on no list to decide in."""
        is_overtaken = self.status is FollowUpStatus.OVERTAKEN
        is_back = is_overtaken and self.now and self.now.verdict is Verdict.ACTIVE
        return not (self.is_done or is_back) and self.days > due_days


def decision_outcomes(
    ledger: Ledger, lines: Sequence[LedgerLine], report: Report, users: UsersInNewestReports
) -> dict[UserKey, DecisionOutcome]:
    """Return what became of decisions to delete or deactivate, one of each user.

    `lines` are some of those in force in `ledger`, `users` theirs in the judged pages of `report`.
    """
    older = OlderReports(lines, next(iter(report.older()), None) if lines else None)
    of_others = {
        line.user_key: (
            line.same_second or (),
            users.same_second_names(line),
            older.same_second_names(line),
        )
        for line in lines
    }

    def names_of(line: LedgerLine, names: Collection[str]) -> list[str]:
        possible = set(names).difference(*of_others[line.user_key])
        return [name for name in names if name in possible or name == line.user]

    earlier = {line.user_key: _earlier_facts(line, ledger, older, names_of) for line in lines}
    to_delete = {
        (*each.second, each.user)
        for each in lines
        if each.decision is Decision.DELETE
        and not (earlier[each.user_key].change or earlier_change(each, ledger))
    }
    decided = defaultdict[tuple[object, ...], set[str]](set)
    for each in ledger.lines:
        decided[*each.second, each.as_of].add(each.user)

    def renamed_from(line: LedgerLine) -> str | None:
        """Return who may be the user now: one of the second who is gone, and not deleted.

        Where a line does not say who was there, those of the ledger and of older reports count.
        """
        names: AbstractSet[str] | None = line.same_second
        if names is None:
            names = decided[*line.second, line.as_of] | older.same_second_names(line)
        missing = users.missing_same_second_names(line, names)
        doubtful = (each for each in missing if (*line.second, each) not in to_delete)
        gone = sorted(each for each in doubtful if _may_be_user(line, each, users, older))
        if not gone:
            return None
        change = f"possibly renamed from {short_list(gone)}, created in the same second and"
        return f"{change} gone now ({_WAY_OUT})"

    outcomes = {}
    for line in lines:
        user, key = line.user_key, _reported_user_key(line)
        listed = earlier[user].has_service_credential
        had_one = line.has_service_credential if listed is None else listed
        had_one |= key in ledger.with_service_credential
        outcome = _outcome(line, ledger, users, names_of, had_service_credential=had_one)
        change = earlier[user].change
        if outcome.now:  # Of a user who is not there, the status says "possibly renamed".
            change = change or _decided_again(line, ledger, names_of) or renamed_from(line)
        change = change or ledger.overtaken.get(key)
        # What an older report showed counts, also where the newest shows it no more.
        is_shown = outcome.status in (FollowUpStatus.DONE, FollowUpStatus.OVERTAKEN)
        if change is not None and not is_shown:
            status, fact = FollowUpStatus.OVERTAKEN, overtaken_fact(change)
            outcome = replace(outcome, status=status, fact=fact, added=(change,))
        elif not is_shown and outcome.now and (fact := spared_fact(line, ledger, names_of)):
            outcome = replace(outcome, status=FollowUpStatus.UNKNOWN, fact=fact)
        outcomes[user] = outcome
    return outcomes


def _may_be_user(
    line: LedgerLine, name: str, users: UsersInNewestReports, older: OlderReports
) -> bool:
    """Return whether nothing shows that one of a name is not the user of a line."""
    there = [each.credentials for each in users.rows_of_user(line)]
    earlier_of_name = older.credentials_of_name(line, name)
    return not any(all(cannot_be_same_user(then, now) for now in there) for then in earlier_of_name)


class _EarlierFacts(NamedTuple):
    """Hold what older reports show of a user: the first change, and what the newest list does.

    That is whether it has an active credential, None without a list.
    """

    change: str | None = None
    has_service_credential: bool | None = None


def _earlier_facts(
    line: LedgerLine, ledger: Ledger, older: OlderReports, names_of: NamesOf
) -> _EarlierFacts:
    """Return what older reports show of the user of a line.

    A report counts that is not older than the one decided on: the same one shows nothing more.
    """
    if not line.identifies_user:
        return _EarlierFacts()
    before = ledger.credentials_decided_on[line.user_key]
    added_to = cache(partial(access_added, before, baseline=line.baseline))
    changes = (
        f"{', '.join((*remark, *added))} (report {file})"
        for _, at, file in older.since(line)
        for remark, now, _ in older.shown_of_user(line, at, names_of)
        if (added := added_to(now))
    )
    return _EarlierFacts(next(changes, None), older.has_service_credential(line, names_of))


def _outcome(
    line: LedgerLine,
    ledger: Ledger,
    users: UsersInNewestReports,
    names_of: NamesOf,
    *,
    had_service_credential: bool,
) -> DecisionOutcome:
    file = users.files.get(line.account)
    outcome = partial(DecisionOutcome, line, file, users.newest)
    unchanged = partial(outcome, had_service_credential=had_service_credential)
    if not line.identifies_user:
        fact = f"{NOT_IDENTIFIED.capitalize()}: nothing acts on this."
        return unchanged(FollowUpStatus.UNKNOWN, fact)
    if file is None:
        return unchanged(FollowUpStatus.UNKNOWN, "The account is not covered.")
    decided, shown = line.report_time.earliest, report_time(file).earliest
    if shown < decided:
        fact = (
            "The report is older than the one that was decided on."
            if file.as_of < line.as_of
            else "The report does not show that it is newer than the one that was decided on. If it"
            " is, put its day in the name of the file."
        )
        return unchanged(FollowUpStatus.UNKNOWN, fact)
    is_later = shown > line.as_of  # a day without a time may be its end
    rows = users.rows_of_user(line)
    if not rows:
        return unchanged(*_status_if_absent(line, users, names_of, is_later=is_later))
    before = ledger.credentials_decided_on[line.user_key]
    # Rows of the user may differ: what any of them shows counts, and none alone proves it done,
    # nor that a cell is known.
    rows.sort(key=lambda now: not now.credentials.is_unknown)
    has_list = line.account in users.with_list
    has_listed = any(each.has_service_credential for each in rows)
    had_one = has_listed or (had_service_credential and not (is_later and has_list))
    list_is_missing = had_one and not has_list
    statuses = (
        _status_if_present(line, before, now, is_later=is_later, list_is_missing=list_is_missing)
        for now in rows
    )
    status = min(statuses, key=lambda each: code_of(each[0]))
    return outcome(*status, had_service_credential=had_one)


def _status_if_absent(
    line: LedgerLine, users: UsersInNewestReports, names_of: NamesOf, *, is_later: bool
) -> tuple[FollowUpStatus, str]:
    """Return status and fact where no user has the ARN and the creation time."""
    created = [each.user_key.created for each in users.by_arn.get(line.user_key.arn, ())]
    known = [at for at in created if at]
    if len(known) < len(created):
        fact = "The report has a user of this ARN whose creation time is not understood."
        return FollowUpStatus.UNKNOWN, fact
    if line.root_arn not in users.roots:
        fact = f"The report has no row of {line.root_arn}, so it does not show the whole account."
        return FollowUpStatus.UNKNOWN, fact
    if renamed := users.renamed(line, names_of):
        return FollowUpStatus.NOT_DONE, f"Possibly renamed: {renamed}."
    if known and min(known) <= line.baseline:
        fact = (
            f"The user of this ARN was created {utc_text(min(known))}, before the decision, and"
            " not when the decision says."
        )
        return FollowUpStatus.NOT_DONE, fact
    if not is_later:
        fact = "No user in the reports has this ARN and this creation time."
        return FollowUpStatus.NOT_DONE, fact
    again = ", ".join(f"{at:%Y-%m-%d}" for at in known)
    fact = f"The user is gone; another of this name was created on {again}."
    return FollowUpStatus.DONE, fact if again else "The user is gone."


def _status_if_present(
    line: LedgerLine,
    before: Credentials,
    now: ReportedUser,
    *,
    is_later: bool,
    list_is_missing: bool,
) -> tuple[FollowUpStatus, str, ReportedUser, tuple[str, ...]]:
    """Return status and fact of a user who is there, with what was added.

    `list_is_missing`: there was an active service-specific credential, and the report has no list
    of these.
    """
    has_listed = now.has_service_credential and not list_is_missing
    works = has_listed or now.credentials.has_working_credential
    seems_done = line.decision is Decision.DEACTIVATE and works is False and is_later
    if seems_done and not list_is_missing:
        fact = "The user has no working credentials. Decide on its deletion."
        return FollowUpStatus.DONE, fact, now, ()
    if added := access_added(before, now.credentials, line.baseline):
        fact = overtaken_fact(", ".join(added))
        return FollowUpStatus.OVERTAKEN, fact, now, tuple(added)
    if seems_done:
        fact = (
            "The service-specific credential of the user may still work: AWS's list of these for"
            " this account alone was not saved with the report."
        )
        return FollowUpStatus.UNKNOWN, fact, now, ()
    fact = (
        "No later report of the account is known yet."
        if not is_later
        else "The user is still there."
        if line.decision is Decision.DELETE
        else "The user still has working credentials."
        if works
        else "The user has more access keys or certificates than the report lists."
        if now.credentials.has_more_credentials
        else "The report does not show whether a credential works."
    )
    return FollowUpStatus.NOT_DONE, fact, now, ()


def earlier_change(line: LedgerLine, ledger: Ledger) -> str | None:
    """Return what overtook a decision by the ledger, or by an earlier follow-up."""
    return _decided_again(line, ledger) or ledger.overtaken.get(_reported_user_key(line))


def _every_name(_: LedgerLine, names: Collection[str]) -> list[str]:
    return [*names]


def _decided_again(line: LedgerLine, ledger: Ledger, names_of: NamesOf = _every_name) -> str | None:
    """Return the latest decision on whoever may be the user under another name, in words."""
    others = ledger.decided_again.get(line.user_key, ())
    if other := _latest(line, others, names_of):
        return f"possibly renamed to {other.name_with_path}, decided on again: {other.summary}"
    return None


def spared_fact(line: LedgerLine, ledger: Ledger, names_of: NamesOf = _every_name) -> str:
    """Return which earlier decision may spare the user, under another name; empty for none."""
    if other := _latest(line, ledger.spared_before(line), names_of):
        return (
            f"Possibly renamed from {other.name_with_path}, on whom {other.summary} was decided:"
            " withdraw that, or name a report that has both users, --report."
        )
    return ""


def _latest(line: LedgerLine, others: Sequence[LedgerLine], names_of: NamesOf) -> LedgerLine | None:
    names = {*names_of(line, [each.user for each in others])}
    return next((each for each in reversed(others) if each.user in names), None)


def _reported_user_key(line: LedgerLine) -> tuple[str, ...]:
    """Return the cells of `REPORTED_USER_KEY` as text."""
    arn, created = line.user_key
    return arn, utc_text(created) if created else "", utc_text(line.as_of)
