"""Say what became of the removals of each user: the one judgement for plan, follow-up and history.

Everything is computed from the ledger and the reports that are given; nothing is remembered.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from itertools import takewhile
from typing import Final

from analyzer import columns
from analyzer.decisions.credentials import ReportedUser
from analyzer.decisions.decision import Decision, LedgerLine, summaries
from analyzer.decisions.ledger import Ledger
from analyzer.decisions.removal_log import LoggedRemoval
from analyzer.decisions.reported_accounts import ReportedAccount, ReportedAccounts
from analyzer.decisions.standing import Standing
from analyzer.limits import DUE_DAYS, SOON_DAYS
from analyzer.terms import POSSIBLY_RENAMED, Verdict, short_list, utc_text


class State(StrEnum):
    """Name what became of a removal, the most urgent first in lists."""

    DONE_OTHERWISE = "done, not as decided"
    CONTESTED = "contested"
    CHANGED = "changed"
    DEACTIVATED = "deactivated"
    LAPSED = "lapsed"
    UNKNOWN = "unknown"
    OPEN = "open"
    ACTIVE = "active"
    EXEMPT = "exempt"
    NOTHING_TO_DO = "nothing to do"
    DONE = "done"

    @property
    def is_done(self) -> bool:
        """Return whether a newer report shows the removal done."""
        return self in (State.DONE, State.DONE_OTHERWISE)


class Overdue(StrEnum):
    """Name why a removal is overdue, whatever its state: waiting takes no exception away."""

    NOT_CARRIED_OUT = "not carried out"
    UNDONE = "undone"


def became_text(state: str, overdue: str) -> str:
    """Return what became of a removal, with why it is overdue, if it is."""
    return f"{state}, {overdue}" if overdue else state


@dataclass(frozen=True, slots=True)
class Fate:
    """Say what became of the removals of a user; `line` is the newest, `before` what it showed.

    `reports` are those given of the account from the one decided on, the newest last. `to_delete`
    are the names of its creation second on which a delete stands. `done_since` is the first report
    from which on it is done; `logged` is what the log of the script says. `was_done` says whether
    any report shows it done, `is_undone` whether it was carried out, by a report or the log, and
    the newest report shows access again.
    """

    standing: Standing
    before: ReportedUser
    reports: Sequence[ReportedAccount]
    to_delete: frozenset[str]
    state: State = State.OPEN
    fact: str = "still there"
    done_since: ReportedAccount | None = None
    logged: LoggedRemoval | None = None
    was_done: bool = False
    is_undone: bool = False

    @property
    def line(self) -> LedgerLine:
        """Return the newest removal, whose row was seen."""
        return self.standing.line

    @property
    def word(self) -> Decision:
        """Return the removal that stands, of contested users the newest one."""
        return self.standing.word or self.line.decision

    @property
    def restraint(self) -> str:
        """Return why less is done than somebody's delete says, empty if there is none."""
        words = {line.decision for line in self.standing.words}
        if self.action is Decision.DELETE or Decision.DELETE not in words:
            return ""
        milder = summaries(self.standing.milder)
        return f"not deleted, as people wrote {milder}" if milder else DELETED_LATER

    @property
    def newest(self) -> ReportedAccount | None:
        """Return the newest report of the account, if any is not older than the one decided on."""
        return self.reports[-1] if self.reports else None

    @property
    def shown(self) -> list[ReportedUser | None]:
        """Return the user in each of the reports, None if it is not there."""
        return [shown.users.get(self.line.subject) for shown in self.reports]

    @property
    def now(self) -> ReportedUser | None:
        """Return the user in the newest report, None if it is not there."""
        return self.shown[-1] if self.reports else None

    @property
    def action(self) -> Decision:
        """Return what is done: who has access, or may have it, is deactivated and not deleted."""
        may_have_access = self.before.has_access or self.before.credentials.is_unknown
        return Decision.DEACTIVATE if may_have_access else self.word

    @property
    def days(self) -> int:
        """Return the days from the report decided on to the newest report."""
        decided_on = self.line.report_time.date()
        return (self.newest.time.date() - decided_on).days if self.newest else 0

    @property
    def overdue(self) -> Overdue | None:
        """Return why the removal is overdue, by the newest report; None if it is not.

        What is late is open after `DUE_DAYS` or lapsed, and no report ever showed it done.
        """
        if self.is_undone:
            return Overdue.UNDONE
        is_due = self.state is State.OPEN and self.days > DUE_DAYS
        is_late = is_due or self.state is State.LAPSED
        return Overdue.NOT_CARRIED_OUT if is_late and not self.was_done else None


def fates(ledger: Ledger, accounts: ReportedAccounts) -> list[Fate]:
    """Return what became of the removals of each user who has any among the last words.

    Every line has the names of its second, unless its report is not among `accounts`.
    """
    logged, names = ledger.log.by_user(), defaultdict[tuple[str, datetime | None], set[str]](set)
    for user, standing in ledger.standings.items():
        if standing.word is Decision.DELETE:
            names[user.account, user.created].add(user.name)
    found = []
    for user, standing in ledger.standings.items():
        if standing.before:
            line, of_account = standing.line, accounts.get(user.account, ())
            since = [shown for shown in of_account if shown.time >= line.report_time]
            before = _as_seen(line, standing.before, since)
            to_delete = frozenset(names[user.account, user.created])
            fate = Fate(standing, before, since, to_delete)
            found.append(_with_state(fate, logged.get(user, ())))
    return found


def _as_seen(
    line: LedgerLine, before: ReportedUser, since: Sequence[ReportedAccount]
) -> ReportedUser:
    """Return the user as it was seen, with AWS's list if the report decided on is given."""
    decided_on = (shown for shown in since if shown.time == line.report_time)
    of_report = next((shown.users.get(line.subject) for shown in decided_on), None)
    if of_report is None:
        return before
    return replace(of_report, credentials=before.credentials, verdict=before.verdict, exemption="")


def _with_state(fate: Fate, logged: Sequence[LoggedRemoval]) -> Fate:
    """Return what became of the removals of a user: the first state that fits."""
    done = [*takewhile(partial(_is_done, fate), reversed(fate.reports))]
    after = [of for of in logged if of.at > fate.line.report_time]
    if done:
        is_there = fate.line.subject in done[-1].users
        otherwise = [*_otherwise(fate, fate.reports[: -len(done)])]
        state = State.DONE_OTHERWISE if otherwise else State.DONE
        gone = "no working credentials" if is_there else "the user is gone"
        fact, first = "; ".join([gone, *otherwise]), done[-1]
        after = [of for of in after if of.at <= first.file.as_of and of.is_deleted != is_there]
        fate = replace(fate, done_since=first, was_done=True)
    else:
        was_done = any(_is_done(fate, shown) for shown in fate.reports)
        fate = replace(fate, was_done=was_done, is_undone=_is_undone(fate, after))
        states = ((state, why(fate)) for state, why in _STATES)
        state, fact = next(((state, fact) for state, fact in states if fact), _still_open(fate))
    log = after[-1] if after else None
    return replace(fate, state=state, fact=f"{fact}; log: {log}" if log else fact, logged=log)


# Done


def _is_done(fate: Fate, shown: ReportedAccount) -> bool:
    """Return whether a report, newer than the one decided on, shows a removal done."""
    line = fate.line
    if shown.time <= line.report_time or not line.identifies_user:
        return False
    if line.subject in shown.users:
        return fate.word is Decision.DEACTIVATE and _ended(fate, shown)
    may_be_there = shown.may_show(line.subject) or shown.later_names(line)
    return shown.has_root and line.same_second is not None and not may_be_there


def _ended(fate: Fate, shown: ReportedAccount) -> bool:
    """Return whether a user is there and has lost all the credentials that it had."""
    now = shown.users.get(fate.line.subject)
    had_any = not fate.before.has_no_credentials
    return now is not None and had_any and _is_deactivated(fate.before, now)


def _is_undone(fate: Fate, logged: Sequence[LoggedRemoval]) -> bool:
    """Return whether a removal was carried out, and the newest report shows access again.

    A report or the log shows that the user was deleted, or deactivated where no more was to be
    done. A user who was deleted and is there again counts whatever it has.
    """
    newest, now = fate.newest, fate.now
    if newest is None or now is None:
        return False
    before = [of for of in logged if of.at < newest.time]
    gone = (shown for shown in fate.reports if fate.line.subject not in shown.users)
    was_deleted = any(of.is_deleted for of in before) or any(_is_done(fate, of) for of in gone)
    is_to_deactivate = fate.action is Decision.DEACTIVATE
    ended = is_to_deactivate and any(_ended(fate, shown) for shown in fate.reports)
    return was_deleted or (now.has_credentials and (bool(before) or ended))


def _is_deactivated(before: ReportedUser, now: ReportedUser) -> bool:
    """Return whether no credentials are left; AWS's list must show it of those it had named."""
    return now.has_no_credentials and (now.has_list or not before.services)


def _otherwise(fate: Fate, earlier: Sequence[ReportedAccount]) -> Iterator[str]:
    """Yield why a removal is done, but not as it was decided; `earlier` are the reports before."""
    if fate.standing.objections:
        yield f"people differed: {summaries(fate.standing.objections)}"
    user = fate.line.subject
    for shown in [shown for shown in earlier if shown.has_root or user in shown.users][-1:]:
        if changes := changes_since(fate, shown):
            yield f"changed before: {', '.join(changes)} (report {shown.file.name})"


def changes_since(fate: Fate, shown: ReportedAccount) -> list[str]:
    """Return, in words, in what a report shows a user otherwise than it was seen."""
    line, now = fate.line, shown.users.get(fate.line.subject)
    if now is None:
        return ["not shown"]
    names = shown.same_second(line.subject) ^ (line.same_second or frozenset())
    others = sorted(names - fate.to_delete - {line.user})
    created_with = [f"users created with it ({short_list(others)})"] if others else []
    return [*fate.before.differences(now), *created_with]


# Not done: why, empty if a state does not fit


def _contested(fate: Fate) -> str:
    words = summaries((*fate.standing.words, *fate.standing.objections))
    return f"{words}: nothing is done until all agree" if fate.standing.objections else ""


def _nothing_to_do(fate: Fate) -> str:
    if fate.standing.word is Decision.DELETE or not fate.before.has_no_credentials:
        return ""
    return "; ".join(filter(None, ("no working credentials", fate.restraint)))


def _deactivated(fate: Fate) -> str:
    could_only = fate.standing.word is Decision.DELETE and fate.before.has_access
    is_so = fate.now is not None and _is_deactivated(fate.before, fate.now)
    return "no access is left: write delete again on this report" if could_only and is_so else ""


def _lapsed(fate: Fate) -> str:
    decided_on = fate.line.report_time.date()
    newest = max([fate.line.decided_on, *(shown.time.date() for shown in fate.reports)])
    text = f"decided on a report of {decided_on}, more than {SOON_DAYS} days before"
    return f"{text}: decide again" if (newest - decided_on).days > SOON_DAYS else ""


def _unknown(fate: Fate) -> str:
    line = fate.line
    if not line.identifies_user:
        return NOT_IDENTIFIED
    if not fate.reports:
        return "no report of the account is as new as the one decided on"
    name_it = f"name the report of {utc_text(line.as_of)} too"
    if line.same_second is None:
        return f"{name_it}: it shows who was created with it"
    if _needs_first_list(fate):
        return f"{name_it}: a later one lists service-specific credentials"
    if fate.before.credentials.is_unknown:
        return "not all its credentials were understood"
    return next(filter(None, (_not_known_by(fate, shown) for shown in fate.reports)), "")


def _needs_first_list(fate: Fate) -> bool:
    """Return whether only a later report is given with AWS's list, and the row hides the first.

    Caveats say whether there are any service-specific credentials; not every verdict has caveats.
    """
    line = fate.line
    is_given = any(shown.time == line.report_time for shown in fate.reports)
    is_listed = any(user.services for user in fate.shown if user)
    shows_none = line.user_row[columns.CERTAINTY] and not line.has_service_credential
    return is_listed and not (is_given or shows_none)


def _not_known_by(fate: Fate, shown: ReportedAccount) -> str:
    """Return why a report does not show the user."""
    user, name = fate.line.subject, shown.file.name
    if now := shown.users.get(user):
        is_unknown = now.credentials.is_unknown
        return f"not all its credentials are understood (report {name})" if is_unknown else ""
    if shown.may_show(user):
        return f"its creation time is not understood (report {name})"
    others = sorted(shown.later_names(fate.line))
    renamed = f": {POSSIBLY_RENAMED} to {short_list(others)}" if others else ""
    lacking = "" if shown.has_root else ", which has no row of the root user"
    return f"not in the report {name}{lacking}{renamed}"


def _changed(fate: Fate) -> str:
    for shown in fate.reports:
        if changes := changes_since(fate, shown):
            text = f"{', '.join(changes)} (report {shown.file.name})"
            return f"not as it was seen: {text}; decide again"
    return ""


def _active(fate: Fate) -> str:
    is_active = fate.before.verdict == Verdict.ACTIVE
    return "the verdict was active when it was decided on" if is_active else ""


def _exempt(fate: Fate) -> str:
    return next((user.exemption for user in fate.shown if user and user.exemption), "")


def _still_open(fate: Fate) -> tuple[State, str]:
    return State.OPEN, fate.restraint or "still there"


_STATES: Final = (
    (State.CONTESTED, _contested),
    (State.NOTHING_TO_DO, _nothing_to_do),
    (State.DEACTIVATED, _deactivated),
    (State.LAPSED, _lapsed),
    (State.UNKNOWN, _unknown),
    (State.CHANGED, _changed),
    (State.ACTIVE, _active),
    (State.EXEMPT, _exempt),
)
"""The states of what is not done, in the order in which they are tried."""

NOT_IDENTIFIED: Final = "the creation time or the account of the user is not known"
DELETED_LATER: Final = "deactivated first; write delete again, on a report that shows no access"
