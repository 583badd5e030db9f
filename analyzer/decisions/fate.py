"""Find what became of a removal: the one judgement for the plan, the follow-up and the history."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from typing import Final

import pandas as pd

from analyzer import columns
from analyzer.decisions.credentials import (
    Credentials,
    access_added,
    credentials_of_users,
    datetimes,
    known_creation,
    page_of_lines,
)
from analyzer.decisions.decision import (
    PROGRAM,
    CreationSecond,
    Decision,
    LedgerLine,
    User,
)
from analyzer.decisions.ledger import Ledger
from analyzer.decisions.standing import Doubt, Standing
from analyzer.report.model import Page, Report, ReportFile, ReportTime
from analyzer.terms import POSSIBLY_RENAMED, AsOfSource, Verdict, short_list, utc_text

NOT_IDENTIFIED: Final = "the creation time or the account of the user is not known"


class State(StrEnum):
    """Name the states of a removal, the most urgent first in lists."""

    DISAGREE = "disagree"
    KEPT = "kept"
    NEWER_WORD = "newer word"
    OVERTAKEN = "overtaken"
    OPEN = "open"
    DEACTIVATED = "deactivated"
    UNKNOWN = "unknown"
    EXEMPT = "exempt"
    ACTIVE = "active"
    DONE = "done"


def report_time(file: ReportFile) -> ReportTime:
    """Return the time of a report."""
    return ReportTime(file.as_of, file.as_of_source, file.baseline)


@dataclass(frozen=True, slots=True)
class Seen:
    """Hold what a report shows of one user."""

    credentials: Credentials
    has_service_credential: bool
    verdict: Verdict | None = None
    exemption: str = ""

    @property
    def can_be_deleted(self) -> bool:
        """Return whether there is no active key, certificate or listed service-specific credential,
        and no password that was ever used; unknown counts as one."""
        shown = self.credentials
        is_active = any(slot.is_active is not False for slot in (*shown.keys, *shown.certificates))
        is_used = shown.has_password is not False and not (
            shown.last_sign_in.is_known and shown.last_sign_in.at is None
        )
        return not (is_active or is_used or self.has_service_credential)


@dataclass(slots=True)
class Shown:
    """Hold what a report of an account shows of the users that matter."""

    file: ReportFile
    has_root: bool
    users: dict[User, Seen] = field(default_factory=dict)
    names: dict[CreationSecond, set[str]] = field(default_factory=lambda: defaultdict(set))

    @property
    def time(self) -> ReportTime:
        """Return the time of the report."""
        return report_time(self.file)

    def of_second(self, line: LedgerLine) -> set[str]:
        """Return the names that were, or may have been, created in the second of a line's user."""
        seconds = line.creation_second, (line.account, None)
        return {name for second in seconds for name in self.names.get(second, ())}


def _shown(
    report: Report, pages: Iterable[Page], lines: Sequence[LedgerLine]
) -> dict[tuple[str, datetime], Shown]:
    """Return what each report shows of the users of lines, by account and as-of."""
    roots = {
        (at, arn.split(":")[4])
        for page in report.roots()
        for at, arn in zip(page.users[columns.FILE], page.users[columns.ARN], strict=True)
    }
    shown = dict[tuple[str, datetime], Shown]()
    by_file = dict[tuple[int, str], Shown]()
    for at, file in enumerate(report.files):
        for of in file.accounts:
            key = of.account, file.as_of
            shown.setdefault(key, Shown(file, has_root=False)).has_root |= (at, of.account) in roots
            by_file[at, of.account] = shown[key]
    names = {line.user for line in lines}
    seconds = pd.DatetimeIndex([line.user_key.created for line in lines], tz=UTC).dropna()
    no_seconds = [at for at, file in enumerate(report.files) if not file.has_seconds]
    alike: dict[Credentials, Credentials] = {}
    for page in pages:
        created = known_creation(page).mask(
            page.users[columns.FILE].isin(no_seconds).to_numpy(bool)
        )
        is_near = created.isin(seconds) | created.isna() | page.users[columns.USER].isin(names)
        some = page.with_users({columns.CREATED: created}).where(is_near.to_numpy(bool))
        users = some.users
        is_judged = columns.VERDICT in users
        rows = zip(
            *(users[name] for name in (columns.FILE, columns.ACCOUNT, columns.USER)),
            datetimes(users[columns.CREATED]),
            credentials_of_users(some),
            users[columns.SERVICE_CREDENTIALS] != "",
            users[columns.VERDICT] if is_judged else [None] * len(users),
            users[columns.EXEMPTION] if is_judged else [""] * len(users),
            strict=True,
        )
        for at, account, name, made, found, listed, verdict, why in rows:
            of_account = by_file[at, account]
            credentials = alike.setdefault(found, found)
            seen = Seen(credentials, bool(listed), verdict and Verdict(verdict), why)
            of_account.users[User(account, name, made)] = seen
            of_account.names[account, made].add(name)
    return shown


@dataclass(frozen=True, slots=True)
class Fate:
    """Say what the reports show of a removal.

    `now` is the user in `file`, None if it is not there; `file` is None if no report covers the
    account. `before` is what the reviewer saw. `shown_by` is the report that shows the fact.
    """

    line: LedgerLine
    state: State
    fact: str = ""
    newest: datetime | None = None
    file: ReportFile | None = None
    now: Seen | None = None
    before: Seen | None = None
    shown_by: ReportFile | None = None
    done_since: datetime | None = None
    gained: tuple[ReportFile, str] | None = None
    """The first newer report that shows more than the reviewer saw, and what; also in a doubt."""

    @property
    def is_done(self) -> bool:
        """Return whether a report shows that it is done."""
        return self.state is State.DONE

    @property
    def action(self) -> Decision:
        """Return what is done: a user with access is deactivated before it is deleted."""
        deletes = (
            self.line.decision is Decision.DELETE
            and (self.before is None or self.before.can_be_deleted)
            and (self.now is None or self.now.can_be_deleted)
        )
        return Decision.DELETE if deletes else Decision.DEACTIVATE

    @property
    def as_of(self) -> datetime:
        """Return the moment of the report."""
        return self.file.as_of if self.file else self.newest or self.line.as_of

    @property
    def days(self) -> int:
        """Return the whole days from the decision to the report."""
        return max((self.as_of.date() - self.line.decided_on).days, 0)

    def is_overdue(self, due_days: int) -> bool:
        """Return whether it is late."""
        return not self.is_done and self.days > due_days


@dataclass(frozen=True)
class _Evidence:
    ledger: Ledger
    shown: Mapping[str, Sequence[Shown]]
    """By account, what its reports show; the newest is the last."""

    newest: datetime | None

    @cached_property
    def words(self) -> Mapping[CreationSecond, Sequence[Standing]]:
        words = defaultdict[CreationSecond, list[Standing]](list)
        for stand in self.ledger.standings.values():
            words[stand.line.creation_second].append(stand)
        return words

    def to_delete(self, second: CreationSecond) -> set[str]:
        stands = (stand.stands for stand in self.words[second])
        return {line.user for line in stands if line and line.decision is Decision.DELETE}

    def was_there(self, line: LedgerLine) -> set[str] | None:
        """Return the names of the second in the report decided on, None if not known."""
        if line.same_second is not None:
            return {*line.same_second}
        of_report = (
            shown for shown in self.shown.get(line.account, ()) if shown.file.as_of == line.as_of
        )
        return next((shown.of_second(line) - {line.user} for shown in of_report), None)


def fates(
    ledger: Ledger,
    report: Report | None = None,
    pages: Iterable[Page] = (),
    until: datetime | None = None,
) -> list[Fate]:
    """Return the fate of each removal that stands, and of each that something keeps from it.

    Reports after `until` do not count.
    """
    removals = [stand for stand in ledger.standings.values() if stand.is_of_removal]
    if not removals:
        return []
    lines = [line for stand in removals for line in stand.lines]
    by_account = defaultdict[str, list[Shown]](list)
    if report:
        every = _shown(report, pages, lines)
        for older in report.older():
            every = {**_shown(older, older.pages(), lines), **every}
        for (account, as_of), shown in sorted(every.items(), key=lambda item: item[0]):
            if until is None or as_of <= until:
                by_account[account].append(shown)
    newest = max((file.as_of for file in report.files), default=None) if report else None
    evidence = _Evidence(ledger, by_account, newest)
    seen = credentials_of_users(page_of_lines([stand.line for stand in removals]))
    before = [
        Seen(o, stand.line.has_service_credential) for o, stand in zip(seen, removals, strict=True)
    ]
    return [_fate(stand, saw, evidence) for stand, saw in zip(removals, before, strict=True)]


def _fate(stand: Standing, before: Seen, evidence: _Evidence) -> Fate:
    line = stand.line
    given = evidence.shown.get(line.account, ())
    shown = given[-1] if given else None
    file = shown.file if shown else None
    now = shown.users.get(line.subject) if shown else None

    gained = next(_gains(line, before, given), None)

    def fate(
        state: State, fact: str, by: ReportFile | None = None, since: datetime | None = None
    ) -> Fate:
        return Fate(line, state, fact, evidence.newest, file, now, before, by, since, gained)

    since = [o for o in given if o.time.earliest > line.as_of]
    if line.identifies_user and (done := _done(stand, before, since, shown, evidence)):
        return fate(State.DONE, *done)
    if stand.doubt is not Doubt.NONE:
        return fate(State(stand.doubt), stand.why)
    if not line.identifies_user:
        return fate(State.UNKNOWN, f"{NOT_IDENTIFIED}: nothing acts on this")
    if gained:
        return fate(State.OVERTAKEN, f"{gained[1]} (report {gained[0].name})")
    if why := _unknown(line, shown, evidence):
        return fate(State.UNKNOWN, why)
    if now and now.exemption:
        return fate(State.EXEMPT, now.exemption)
    if now is None or Verdict.ACTIVE in (now.verdict, line.user_row[columns.VERDICT]):
        return fate(State.ACTIVE, "the user is active, or was when it was decided on")
    if line.decision is Decision.DELETE and not before.can_be_deleted and now.can_be_deleted:
        return fate(
            State.DEACTIVATED, "write delete again, on a report that shows it without access"
        )
    then = "" if line.decision is Decision.DEACTIVATE else ": deactivated first"
    return fate(
        State.OPEN,
        f"still there{then if not before.can_be_deleted or not now.can_be_deleted else ''}",
    )


def _gains(
    line: LedgerLine, before: Seen, given: Iterable[Shown]
) -> Iterator[tuple[ReportFile, str]]:
    """Yield each report newer than the decision that shows more than the reviewer saw."""
    for later in given:
        user = later.users.get(line.subject)
        is_newer = later.time.earliest > line.report_time.earliest
        if user and is_newer and (added := _added(line, before, user)):
            yield later.file, ", ".join(added)


def _added(line: LedgerLine, before: Seen, now: Seen) -> list[str]:
    added = access_added(before.credentials, now.credentials, line.baseline)
    has_more = now.has_service_credential and not before.has_service_credential
    return [*added, *(["service-specific credential"] if has_more else [])]


def _done(
    stand: Standing, before: Seen, since: Sequence[Shown], shown: Shown | None, evidence: _Evidence
) -> tuple[str, ReportFile | None, datetime] | None:
    """Return fact, report and moment if the newest report shows that it is done, or a `done` does."""
    line = stand.line
    fact, first = "", None
    for later in reversed(since):  # the unbroken run of reports up to the newest
        if not (text := _done_in(line, before, later, evidence)):
            break
        fact, first = text, later
    facts = (o for o in stand.facts if o.decision is Decision.DONE and o.as_of > line.baseline)
    known = min(facts, key=lambda o: o.as_of, default=None)
    if known and not (shown and shown.time.earliest >= known.as_of and not fact):
        at = min(known.as_of, first.file.as_of) if first else known.as_of
        return fact or known.comment, first.file if first else None, at
    return (fact, first.file, first.file.as_of) if first else None


def _done_in(line: LedgerLine, before: Seen, shown: Shown, evidence: _Evidence) -> str:
    now = shown.users.get(line.subject)
    if now:
        is_done = (
            line.decision is Decision.DEACTIVATE
            and now.credentials.has_working_credential is False
            and not now.has_service_credential
            and (not before.has_service_credential or shown.file.shows_service_credentials)
        )
        return "no working credentials: decide on the deletion" if is_done else ""
    of_name = [o.created for o in shown.users if (o.account, o.name) == (line.account, line.user)]
    # Two users of one name at a time: the moments of one of the reports are not what AWS wrote.
    if not shown.has_root or any(at is None or at <= line.baseline for at in of_name):
        return ""
    return "" if _others(line, shown, evidence) else "the user is gone"


def _others(line: LedgerLine, shown: Shown, evidence: _Evidence) -> set[str]:
    """Return other names of the second that were not there at the decision, or are not known."""
    return shown.of_second(line) - (evidence.was_there(line) or set()) - {line.user}


def _unknown(line: LedgerLine, shown: Shown | None, evidence: _Evidence) -> str:
    """Return why nothing can be said of the user of a line, empty if something can."""
    if shown is None:
        return "no report covers the account"
    if shown.time.earliest < line.report_time.earliest:
        return "the report is older than the one decided on"
    now = shown.users.get(line.subject)
    if now is None:
        if User(line.account, line.user, None) in shown.users:
            return "the creation time of the user is not understood"
        if not shown.has_root:
            return "the report has no row of the root, so it does not show the whole account"
        if others := _others(line, shown, evidence):
            return f"{POSSIBLY_RENAMED} to {short_list(sorted(others))}"
        return "no user in the reports has this name and this creation time"
    there, of_second = evidence.was_there(line), shown.of_second(line)
    if there is None:
        return f"give the report decided on too, of {utc_text(line.as_of)}: it shows who was created in the same second"
    if gone := there - of_second - evidence.to_delete(line.creation_second):
        return f"{short_list(sorted(gone))}, created in the same second, is gone: perhaps this is that user"
    beside = {line.user, *there, *of_second}
    for stand in evidence.words[line.creation_second]:
        other = stand.line
        has_word = (
            stand.keeps
            or (stand.stands and stand.stands.decision is not Decision.WITHDRAW)
            or stand.doubt
        )
        if has_word and other.user not in beside and other.as_of != line.as_of:
            return f"{other.summary} is there on {other.user}, of the same second: withdraw that"
    if now.credentials.is_unknown:
        return "the report does not show all its credentials"
    return ""


def program_lines(of: Iterable[Fate], known: Iterable[LedgerLine]) -> Iterator[LedgerLine]:
    """Yield the lines by which a ledger remembers what reports show, as far as it lacks them."""
    there = {
        (o.subject, o.decision, o.as_of if o.decision is Decision.DONE else o.sha256)
        for o in known
        if o.is_fact
    }
    facts = [
        (fate, *fact)
        for fate in of
        for fact in (
            (Decision.DONE, fate.shown_by, fate.fact),
            (Decision.OVERTAKEN, *(fate.gained or (None, ""))),
        )
    ]
    for fate, word, file, text in facts:
        if not file or file.as_of_source is AsOfSource.OPTION:
            continue
        key = file.as_of if word is Decision.DONE else file.sha256
        if (fate.line.subject, word, key) in there:
            continue
        kept = (columns.ACCOUNT, columns.USER, columns.ARN, columns.USER_CREATION_TIME)
        row = dict.fromkeys(columns.OF_USERS_CSV, "") | {
            name: fate.line.user_row[name] for name in kept
        }
        row |= {columns.AS_OF: utc_text(file.as_of), columns.AS_OF_SOURCE: str(file.as_of_source)}
        yield LedgerLine(
            decision=word,
            decided_by=PROGRAM,
            decided_on=file.as_of.date(),
            comment=text,
            sha256=file.sha256,
            baseline=file.baseline,
            user_row=row,
            read_from=fate.line.read_from,
        )


def longest_gap(ledger: Ledger, report: Report) -> Iterator[str]:
    """Yield the longest time without a report since the oldest removal that stands."""
    lines = [o.line for o in ledger.standings.values() if o.stands and o.is_of_removal]
    files = [*report.files, *(file for older in report.older() for file in older.files)]
    if lines:
        first = min(line.as_of for line in lines)
        moments = sorted({first, *(file.as_of for file in files if file.as_of > first)})
        gap = max((b - a for a, b in pairwise(moments)), default=timedelta(0))
        yield f"Longest time without a report since the decisions: {gap.days} days."
