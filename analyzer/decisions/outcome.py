"""Find the outcome of one decision to delete or deactivate, as far as a later report shows it.

A deletion is done if a later report of the account has no user of the ARN, a deactivation also if
no credential of the user works any more. A user that may only be renamed is not gone. A decision is
overtaken if a later report shows more access or use than the reviewer saw, even if the newest shows
it no more. It is also overtaken if the user may be another one now, or was decided on later under
another name. Nothing acts on an overtaken decision: a person must decide again.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cache, cached_property, partial
from typing import Final, NamedTuple

from analyzer.decisions.credentials import Credentials, access_added
from analyzer.decisions.decision import CreationSecond, Decision, LedgerLine, UserKey
from analyzer.decisions.ledger import Ledger
from analyzer.decisions.renaming import (
    former_name_fact,
    overtaken_by_decision,
    overtaken_by_renaming,
)
from analyzer.decisions.reported_users import (
    NamesOfOthers,
    OlderReports,
    ReportedUser,
    UsersInNewestReports,
    report_time,
)
from analyzer.report.model import Report, ReportFile
from analyzer.terms import POSSIBLY_RENAMED, Verdict, utc_text


class FollowUpStatus(StrEnum):
    """Name the states of a decision, the most urgent first."""

    OVERTAKEN = "overtaken"
    NOT_DONE = "not-done"
    UNKNOWN = "unknown"
    DONE = "done"


NOT_IDENTIFIED: Final = "the creation time or the account of the user is not known"
CHANGED: Final = "Changed since the decision: "
DECIDE_AGAIN: Final = ". Decide again."
"""The words before and after the changes, in the fact on a decision that was overtaken."""


def overtaken_fact(changes: str) -> str:
    """Return the fact on a decision that was overtaken by changes."""
    return f"{CHANGED}{changes}{DECIDE_AGAIN}"


@dataclass(frozen=True, slots=True)
class DecisionOutcome:
    """Hold the outcome of one decision; `now` is the user in `file`, None if it is not there.

    `file` is None if no report covers the account: then days count up to `newest`, the newest as-of
    of all reports. `added` is each access or use that the reviewer did not see.
    `had_service_credential`: AWS's newest list since the report decided on showed an active one.
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
        """Return whether it is late; not for a user in use again, which no review list has."""
        is_overtaken = self.status is FollowUpStatus.OVERTAKEN
        is_back = is_overtaken and self.now and self.now.verdict is Verdict.ACTIVE
        return not (self.is_done or is_back) and self.days > due_days


def decision_outcomes(
    ledger: Ledger, lines: Sequence[LedgerLine], report: Report, users: UsersInNewestReports
) -> dict[UserKey, DecisionOutcome]:
    """Return the outcomes of decisions to delete or deactivate, one for each user.

    `lines` are decisions in force in `ledger`; `users` has their users in the pages of `report`.
    """
    older = OlderReports(lines, next(iter(report.older()), None) if lines else None)
    evidence = _Evidence(ledger, lines, users, older)
    return {line.user_key: _outcome(line, evidence) for line in lines}


@dataclass(frozen=True)
class _Evidence:
    """Hold the evidence on decisions: the ledger, the newest reports, and older ones."""

    ledger: Ledger
    lines: Sequence[LedgerLine]
    users: UsersInNewestReports
    older: OlderReports

    @cached_property
    def names(self) -> Mapping[UserKey, NamesOfOthers]:
        """Return the names that each user cannot have: those of users that stood beside it."""
        names = {}
        for line in self.lines:
            beside = self.users.same_second_names(line), self.older.same_second_names(line)
            names[line.user_key] = NamesOfOthers((line.same_second or (), *beside), line.user)
        return names

    @cached_property
    def earlier(self) -> Mapping[UserKey, "_EarlierFacts"]:
        """Return the facts of older reports on each user."""
        return {line.user_key: _earlier_facts(line, self) for line in self.lines}

    @cached_property
    def to_delete(self) -> Collection[tuple[CreationSecond, str]]:
        """Return the users of each second to delete, if nothing overtook the decision."""
        return {
            (line.creation_second, line.user)
            for line in self.lines
            if line.decision is Decision.DELETE
            and not (self.earlier[line.user_key].change or overtaken_by_ledger(line, self.ledger))
        }

    @cached_property
    def decided(self) -> Mapping[tuple[CreationSecond, datetime], AbstractSet[str]]:
        """Return the users of each second that were decided on in the reports of a moment."""
        decided = defaultdict[tuple[CreationSecond, datetime], set[str]](set)
        for line in self.ledger.lines:
            decided[line.creation_second, line.as_of].add(line.user)
        return decided


def _outcome(line: LedgerLine, evidence: _Evidence) -> DecisionOutcome:
    """Return the outcome of a decision, from all reports and all other decisions.

    Access or use in an older report counts, even if the newest shows it no more.
    """
    outcome = _outcome_in_newest_report(line, evidence)
    if outcome.status in (FollowUpStatus.DONE, FollowUpStatus.OVERTAKEN):
        return outcome
    if change := _overtaking_change(line, evidence, is_there=outcome.now is not None):
        fact = overtaken_fact(change)
        return replace(outcome, status=FollowUpStatus.OVERTAKEN, fact=fact, added=(change,))
    names = evidence.names[line.user_key]
    if outcome.now and (fact := former_name_fact(line, evidence.ledger, names)):
        return replace(outcome, status=FollowUpStatus.UNKNOWN, fact=fact)
    return outcome


def _overtaking_change(line: LedgerLine, evidence: _Evidence, *, is_there: bool) -> str | None:
    """Return the change that overtook a decision, without the newest report; None for none."""
    ledger = evidence.ledger
    change = evidence.earlier[line.user_key].change
    if is_there:  # If the user is not there, the status says "possibly renamed".
        change = (
            change
            or overtaken_by_decision(line, ledger, evidence.names[line.user_key])
            or _overtaken_by_renaming(line, evidence)
        )
    return change or ledger.overtaken.get(line.user_report_key)


def _overtaken_by_renaming(line: LedgerLine, evidence: _Evidence) -> str | None:
    """Return users of the second, gone but not to delete, that may be the user now.

    If a line has no names of the second, those in the ledger and in older reports count.
    """
    names: AbstractSet[str] | None = line.same_second
    users, older = evidence.users, evidence.older
    if names is None:
        decided = evidence.decided[line.creation_second, line.as_of]
        names = decided | older.same_second_names(line)
    return overtaken_by_renaming(line, names, evidence.to_delete, users, older)


class _EarlierFacts(NamedTuple):
    """Hold the first access or use in an older report that the reviewer did not see.

    Hold also whether AWS's newest older list has an active credential, None without a list.
    """

    change: str | None = None
    has_service_credential: bool | None = None


def _earlier_facts(line: LedgerLine, evidence: _Evidence) -> _EarlierFacts:
    """Return the facts of older reports on the user of a line.

    Reports older than the one decided on do not count; that one itself shows nothing more.
    """
    if not line.identifies_user:
        return _EarlierFacts()
    older, names = evidence.older, evidence.names[line.user_key]
    before = evidence.ledger.credentials_at_decision[line.user_key]
    added_to = cache(partial(access_added, before, baseline=line.baseline))
    changes = (
        f"{', '.join((*remark, *added))} (report {file})"
        for _, at, file in older.since(line)
        for remark, now, _ in older.shown_of_user(line, at, names)
        if (added := added_to(now))
    )
    return _EarlierFacts(next(changes, None), older.has_service_credential(line, names))


def _outcome_in_newest_report(line: LedgerLine, evidence: _Evidence) -> DecisionOutcome:
    """Return the outcome of a decision in the newest report of the account alone."""
    users, names = evidence.users, evidence.names[line.user_key]
    file, now = users.files.get(line.account), users.user_of(line)
    had_one = _had_service_credential(line, evidence)
    outcome = partial(DecisionOutcome, line, file, users.newest)
    unchanged = partial(outcome, had_service_credential=had_one)
    if not line.identifies_user:
        fact = f"{NOT_IDENTIFIED.capitalize()}: nothing acts on this."
        return unchanged(FollowUpStatus.UNKNOWN, fact)
    if file is None:
        return unchanged(FollowUpStatus.UNKNOWN, "The account is not covered.")
    shown = report_time(file).earliest
    if shown < line.report_time.earliest:
        return unchanged(FollowUpStatus.UNKNOWN, _older_report_fact(line, file))
    is_later = shown > line.as_of  # a day without a time may be its end
    before = evidence.ledger.credentials_at_decision[line.user_key]
    if now is None:
        for remark, credentials in users.shown_of_possible_users(line, names):
            if added := access_added(before, credentials, line.baseline):
                fact = overtaken_fact(", ".join((*remark, *added)))
                return unchanged(FollowUpStatus.OVERTAKEN, fact, added=(*remark, *added))
        return unchanged(*_status_if_absent(line, users, names, is_later=is_later))
    has_list = line.account in users.with_list
    has_one = now.has_service_credential or (had_one and not (is_later and has_list))
    status, fact, news = _status_if_present(
        line, before, now, is_later=is_later, list_is_missing=has_one and not has_list
    )
    return outcome(status, fact, now, news, had_service_credential=has_one)


def _had_service_credential(line: LedgerLine, evidence: _Evidence) -> bool:
    """Return whether AWS's newest list before this report, if any, showed an active one."""
    listed = evidence.earlier[line.user_key].has_service_credential
    had_one = line.has_service_credential if listed is None else listed
    return had_one or line.user_report_key in evidence.ledger.with_service_credential


def _older_report_fact(line: LedgerLine, file: ReportFile) -> str:
    if file.as_of < line.as_of:
        return "The report is older than the one that was decided on."
    return (
        "The report does not show that it is newer than the one that was decided on. If it is, put"
        " its day in the name of the file."
    )


def _status_if_absent(
    line: LedgerLine, users: UsersInNewestReports, names: NamesOfOthers, *, is_later: bool
) -> tuple[FollowUpStatus, str]:
    """Return status and fact if no user has the ARN and the creation time."""
    of_arn = users.by_arn.get(line.user_key.arn)
    created = of_arn.user_key.created if of_arn else None
    if of_arn and not created:
        fact = "The report has a user of this ARN whose creation time is not understood."
        return FollowUpStatus.UNKNOWN, fact
    if line.root_arn not in users.roots:
        fact = f"The report has no row of {line.root_arn}, so it does not show the whole account."
        return FollowUpStatus.UNKNOWN, fact
    if renamed := users.renamed(line, names):
        return FollowUpStatus.NOT_DONE, f"{POSSIBLY_RENAMED.capitalize()}: {renamed}."
    if created and created <= line.baseline:
        fact = (
            f"The user of this ARN was created {utc_text(created)}, before the decision, and not"
            " when the decision says."
        )
        return FollowUpStatus.NOT_DONE, fact
    if not is_later:
        fact = "No user in the reports has this ARN and this creation time."
        return FollowUpStatus.NOT_DONE, fact
    again = f"; another of this name was created on {created:%Y-%m-%d}" if created else ""
    return FollowUpStatus.DONE, f"The user is gone{again}."


def _status_if_present(
    line: LedgerLine,
    before: Credentials,
    now: ReportedUser,
    *,
    is_later: bool,
    list_is_missing: bool,
) -> tuple[FollowUpStatus, str, tuple[str, ...]]:
    """Return status, fact and added access or use of a user that is there.

    `list_is_missing`: there was an active service-specific credential, and the report has no list
    of them.
    """
    has_listed = now.has_service_credential and not list_is_missing
    works = has_listed or now.credentials.has_working_credential
    seems_done = line.decision is Decision.DEACTIVATE and works is False and is_later
    added = access_added(before, now.credentials, line.baseline)
    if seems_done and not list_is_missing:
        fact = "The user has no working credentials. Decide on its deletion."
        # If the user comes back, it overtakes the decision: AWS may no longer show it then.
        more = f" {CHANGED}{', '.join(added)}." if added else ""
        return FollowUpStatus.DONE, f"{fact}{more}", ()
    if added:
        fact = overtaken_fact(", ".join(added))
        return FollowUpStatus.OVERTAKEN, fact, tuple(added)
    if seems_done:
        fact = (
            "The service-specific credential of the user may still work: AWS's list of these for"
            " this account alone was not saved with the report."
        )
        return FollowUpStatus.UNKNOWN, fact, ()
    if not is_later:
        return FollowUpStatus.NOT_DONE, "No later report of the account is known yet.", ()
    if line.decision is Decision.DELETE:
        return FollowUpStatus.NOT_DONE, "The user is still there.", ()
    return FollowUpStatus.NOT_DONE, _still_working_fact(now, works=works), ()


def _still_working_fact(now: ReportedUser, *, works: bool | None) -> str:
    if works:
        return "The user still has working credentials."
    if now.credentials.has_more_credentials:
        return "The user has more access keys or certificates than the report lists."
    return "The report does not show whether a credential works."


def overtaken_by_ledger(line: LedgerLine, ledger: Ledger) -> str | None:
    """Return the change that overtook a decision, from the ledger or an earlier follow-up."""
    change = overtaken_by_decision(line, ledger, NamesOfOthers())
    return change or ledger.overtaken.get(line.user_report_key)
