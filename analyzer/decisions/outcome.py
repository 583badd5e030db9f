"""Say what became of one decision to delete or deactivate, as far as a later report shows it.

A deletion is done if a later report of the account has no user of the ARN, a deactivation also if
no credential of the user works any more. A user who may only have been renamed is not gone. If a
later report shows more access or use than the reviewer saw, the decision is overtaken, also where
the newest shows it no more: nothing acts on it, and somebody decides anew. So it is where the user
may be another one now, or was decided on later under another name.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from functools import cache, partial
from typing import Final, NamedTuple

from analyzer.decisions.credentials import (
    Credentials,
    access_added,
    cannot_become,
    credentials_decided_on,
)
from analyzer.decisions.decision import Decision, LedgerLine, UserKey
from analyzer.decisions.ledger import Ledger
from analyzer.decisions.reported_users import (
    IsAnother,
    OlderReports,
    ReportedUser,
    UsersInNewestReports,
    report_time,
)
from analyzer.report.model import Page, Report, ReportFile
from analyzer.terms import code_of, short_list, utc_text


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
        """Return the whole days from the decision; a day without a time is its start."""
        at = report_time(self.file).earliest if self.file else self.newest
        return max((at - datetime.combine(self.line.decided_on, time(), UTC)).days, 0)


def decision_outcomes(
    ledger: Ledger, lines: Sequence[LedgerLine], report: Report, pages: Iterable[Page]
) -> dict[UserKey, DecisionOutcome]:
    """Return what became of decisions to delete or deactivate, one of each user.

    `lines` are some of those in force in `ledger`, `pages` the judged pages of `report`.
    """
    users = UsersInNewestReports(lines, report, pages)
    before = credentials_decided_on(lines)
    older = [OlderReports.of(lines, each) for each in report.older()] if lines else []

    def is_another(line: LedgerLine, name: str) -> bool:
        if name == line.user or name in (line.same_second or ()):
            return name != line.user
        is_beside = users.shows_beside(line, name)
        return is_beside or any(each.shows_beside(line, name) for each in older)

    earlier = {line.user_key: _EarlierFacts() for line in lines}
    earlier |= dict(_earlier_facts(lines, before, older, is_another))

    may_be_other = dict(_other_users(ledger, lines, users, earlier, older))
    outcomes = {}
    for line, credentials in zip(lines, before, strict=True):
        user, key = line.user_key, _overtaken_key(line)
        listed = earlier[user].has_service_credential
        had_one = line.has_service_credential if listed is None else listed
        had_one |= key in ledger.with_service_credential
        outcome = _outcome(line, credentials, users, is_another, had_service_credential=had_one)
        # Of a user who is not there, the status says "possibly renamed".
        again = _decided_again(line, ledger, is_another)
        other = again or may_be_other.get(user) if outcome.now else None
        change = earlier[user].change or other or ledger.overtaken.get(key)
        outcomes[user] = _with_earlier_change(outcome, change)
    return outcomes


def _other_users(
    ledger: Ledger,
    lines: Sequence[LedgerLine],
    users: UsersInNewestReports,
    earlier: Mapping[UserKey, "_EarlierFacts"],
    older: Sequence["OlderReports"],
) -> Iterator[tuple[UserKey, str]]:
    """Yield the users who may be another one of their second, now under their name, in words.

    That one is gone, and no decision to delete it stands, so it may have been renamed, as far as
    nothing rules that out. Where a line does not say who was there, those of the ledger and of
    older reports count.
    """
    decided = defaultdict[tuple[str, datetime | None, datetime], set[str]](set)
    for each in ledger.lines:
        decided[each.account, each.user_key.created, each.as_of].add(each.user)
    to_delete = {
        (each.account, each.user_key.created, each.user)
        for each in lines
        if each.decision is Decision.DELETE
        and not (earlier[each.user_key].change or earlier_change(each, ledger))
    }
    for line in lines:
        second = line.account, line.user_key.created
        names: AbstractSet[str] | None = line.same_second
        if names is None:
            beside = (each.names_beside(line) for each in older)
            names = decided[*second, line.as_of].union(*beside)
        missing = users.gone_of_second(line, names)
        doubtful = (each for each in missing if (*second, each) not in to_delete)
        if gone := sorted(each for each in doubtful if _may_be_user(line, each, users, older)):
            change = f"possibly renamed from {short_list(gone)}, created in the same second and"
            yield line.user_key, f"{change} gone now ({_WAY_OUT})"


def _may_be_user(
    line: LedgerLine, name: str, users: UsersInNewestReports, older: Iterable["OlderReports"]
) -> bool:
    """Return whether nothing shows that one of a name is not the user of a line."""
    there = [
        each.credentials
        for each in users.by_arn.get(line.user_key.arn, ())
        if each.user_key == line.user_key
    ]
    earlier_of_name = (then for each in older for then in each.of_name(line, name))
    return not any(all(cannot_become(then, now) for now in there) for then in earlier_of_name)


def _with_earlier_change(outcome: DecisionOutcome, change: str | None) -> DecisionOutcome:
    """Return an outcome, overtaken if an older report showed it and the newest shows it no more."""
    if change is None or outcome.status in (FollowUpStatus.DONE, FollowUpStatus.OVERTAKEN):
        return outcome
    fact = overtaken_fact(change)
    return replace(outcome, status=FollowUpStatus.OVERTAKEN, fact=fact, added=(change,))


class _EarlierFacts(NamedTuple):
    """Hold what older reports show of a user: the first change, and what the newest list does.

    That is whether it has an active credential, None without a list.
    """

    change: str | None = None
    has_service_credential: bool | None = None


def _earlier_facts(
    lines: Sequence[LedgerLine],
    before: Sequence[Credentials],
    older: Iterable[OlderReports],
    is_another: IsAnother,
) -> Iterator[tuple[UserKey, _EarlierFacts]]:
    """Yield what older reports show of the users of lines.

    A report counts that is not older than the one decided on: the same one shows nothing more.
    """
    for reports in older:
        for line, credentials in zip(lines, before, strict=True):
            added_to = cache(partial(access_added, credentials, baseline=line.baseline))
            changes = (
                f"{', '.join((*remark, *added))} (report {file})"
                for _, at, file in reports.since(line)
                for remark, now, _ in reports.shown.of(line, at, is_another)
                if (added := added_to(now))
            )
            if line.identifies_user:
                listed = reports.has_service_credential(line, is_another)
                yield line.user_key, _EarlierFacts(next(changes, None), listed)


def _outcome(
    line: LedgerLine,
    before: Credentials,
    users: UsersInNewestReports,
    is_another: IsAnother,
    *,
    had_service_credential: bool,
) -> DecisionOutcome:
    file, had_one = users.files.get(line.account), had_service_credential
    of = partial(DecisionOutcome, line, file, users.newest, had_service_credential=had_one)
    if not line.identifies_user:
        fact = f"{NOT_IDENTIFIED.capitalize()}: nothing acts on this."
        return of(FollowUpStatus.UNKNOWN, fact)
    if file is None:
        return of(FollowUpStatus.UNKNOWN, "The account is not covered.")
    later = report_time(file).earliest - line.report_time.earliest
    if later < timedelta():
        fact = "The report is older than the one that was decided on."
        return of(FollowUpStatus.UNKNOWN, fact)
    of_name = users.by_arn.get(line.user_key.arn, [])
    rows = [each for each in of_name if each.user_key == line.user_key]
    if rows:
        # Rows of the user may differ: what any of them shows counts, and none alone proves it done,
        # nor that a cell is known.
        rows.sort(key=lambda now: not now.credentials.is_unknown)
        lists = bool(later) and line.account in users.with_list
        had_one = any(each.has_service_credential for each in rows) or (had_one and not lists)
        hides = had_one and line.account not in users.with_list
        statuses = (
            _status_if_present(line, before, now, is_later=bool(later), hides=hides) for now in rows
        )
        status = min(statuses, key=lambda each: code_of(each[0]))
        return of(*status, had_service_credential=had_one)
    created = [each.user_key.created for each in of_name]
    return of(*_status_if_absent(line, created, users, is_another, is_later=bool(later)))


def _status_if_absent(
    line: LedgerLine,
    created: Sequence[datetime | None],
    users: UsersInNewestReports,
    is_another: IsAnother,
    *,
    is_later: bool,
) -> tuple[FollowUpStatus, str]:
    """Return status and fact where no user has the ARN and the creation time.

    `created` are the creation times of the users that have the ARN.
    """
    known = [at for at in created if at]
    if len(known) < len(created):
        fact = "The report has a user of this ARN whose creation time is not understood."
        return FollowUpStatus.UNKNOWN, fact
    if line.root_arn not in users.roots:
        fact = f"The report has no row of {line.root_arn}, so it does not show the whole account."
        return FollowUpStatus.UNKNOWN, fact
    if renamed := users.renamed(line, is_another):
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
    line: LedgerLine, before: Credentials, now: ReportedUser, *, is_later: bool, hides: bool
) -> tuple[FollowUpStatus, str, ReportedUser, tuple[str, ...]]:
    """Return status and fact of a user who is there, with what was added.

    `hides`: there was an active service-specific credential, and the report does not show those.
    """
    has_listed = now.has_service_credential and not hides
    works = has_listed or now.credentials.has_working_credential
    seems_done = line.decision is Decision.DEACTIVATE and works is False and is_later
    if seems_done and not hides:
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
        "No later report of the account yet."
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
    return _decided_again(line, ledger) or ledger.overtaken.get(_overtaken_key(line))


def _decided_again(
    line: LedgerLine, ledger: Ledger, is_another: IsAnother = lambda *_: False
) -> str | None:
    """Return the latest decision on whoever may be the user under another name, in words."""
    others = ledger.decided_again.get(line.user_key, ())
    other = next((each for each in others[::-1] if not is_another(line, each.user)), None)
    if other is None:
        return None
    return f"possibly renamed to {other.name_with_path}, decided on again: {other.summary}"


def _overtaken_key(line: LedgerLine) -> tuple[str, ...]:
    """Return the cells of `OVERTAKEN_KEY` as text."""
    arn, created = line.user_key
    return arn, utc_text(created) if created else "", utc_text(line.as_of)
