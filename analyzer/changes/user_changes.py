"""List the changes of a user and of its findings between two reports, with their causes."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple, Self

from analyzer import columns
from analyzer.changes.events import (
    KEY_USE_COLUMNS,
    USE_COLUMNS,
    Event,
    EventKind,
    UserState,
    day_text,
    events,
    joined_sentences,
)
from analyzer.rules.rule import Outcome, Rule
from analyzer.terms import NOT_COVERED, Verdict, count_text


class ChangeKind(StrEnum):
    """Name the kinds of changes, in the order of outputs, each with its meaning in a sentence.

    Of the kinds up to `CREDENTIALS_CHANGED`, the first that fits a user applies. Changes of an
    exemption and of findings have rows of their own.
    """

    meaning: str

    NEW = "new", "A user that the earlier report does not have."
    GONE = "gone", "A user that the later report no longer has."
    RE_CREATED = "re-created", "A user deleted and created again under the same name."
    UNDETERMINED = "undetermined", "Undetermined now, not before."
    BECAME_UNUSED = "became-unused", "Unused now, with another verdict before."
    NO_LONGER_UNUSED = "no-longer-unused", "Unused before, with another verdict now."
    FIRST_SIGN_IN = "first-sign-in", "Signed in, with no sign-in on record before."
    FIRST_USE = "first-use", "Used an access key, with no such use on record before."
    USED_AGAIN = "used-again", "Used again after the idle limit."
    VERDICT_CHANGED = "verdict-changed", "Another verdict now."
    CREDENTIALS_CHANGED = "credentials-changed", "The same verdict, with other credentials."
    EXEMPTED = "exempted", "Exempt now, not before."
    EXEMPTION_ENDED = "exemption-ended", "Exempt before, no longer now."
    EXEMPTION_CHANGED = "exemption-changed", "Exempt with another reason now."
    FINDING_NEW = "finding-new", "The rule fails now, not before."
    FINDING_RESOLVED = "finding-resolved", "The rule failed before, no longer now."
    FINDING_UNDECIDED = (
        "finding-undecided",
        "The rule could not be decided in one of the two reports.",
    )
    NOT_COVERED = NOT_COVERED, "The account was not compared; the cause says why."

    def __new__(cls, word: str, meaning: str = "") -> Self:
        """Make a kind from its word and its meaning."""
        kind = str.__new__(cls, word)
        kind._value_ = word
        kind.meaning = meaning
        return kind


class ChangeRow(NamedTuple):
    """Hold a change as outputs list it; `before` and `now` are verdicts, or outcomes of a rule."""

    change: ChangeKind
    account: str
    user: str = ""
    arn: str = ""
    before: str = ""
    now: str = ""
    last_use: datetime | None = None
    cause: str = ""
    exemption_before: str = ""
    exemption_now: str = ""
    created: datetime | None = None
    rule: str = ""
    fact: str = ""


class Finding(NamedTuple):
    """Hold a finding on one user in one report; an empty one if the report has none.

    `created` is the creation of the user or, for a rule on slots, of the credential; `days` are
    counted to as-of, None if the rule counts none.
    """

    rule: str = ""
    created: datetime | None = None
    outcome: Outcome | None = None
    fact: str = ""
    days: int | None = None
    exemption: str = ""


class Interval(NamedTuple):
    """Hold the as-of of two reports, and the days without use after which a user is used again."""

    start: datetime
    end: datetime
    idle_limit: int


RuleWithLimit = tuple[Rule, int | None]
"""A rule that ran and its limit in days, None for a rule without."""


class FindingChange(NamedTuple):
    """Hold a finding that only one report has, or that has another outcome in each."""

    before: Finding
    now: Finding

    @property
    def latest(self) -> Finding:
        """Return the finding in the later of the reports that have it."""
        return self.now if self.now.outcome else self.before

    @property
    def kind(self) -> ChangeKind:
        """Return the kind of the change."""
        if Outcome.UNDECIDED in (self.before.outcome, self.now.outcome):
            return ChangeKind.FINDING_UNDECIDED
        return ChangeKind.FINDING_NEW if self.now.outcome else ChangeKind.FINDING_RESOLVED

    def row(self, subject: tuple[str, str, str], why: str) -> ChangeRow:
        """Return the change as outputs list it; the subject is account, user and ARN."""
        was, has, found = self.before, self.now, self.latest
        outcomes, about = (was.outcome or "", has.outcome or ""), (found.created, found.rule)
        exempt = was.exemption, has.exemption
        return ChangeRow(self.kind, *subject, *outcomes, None, why, *exempt, *about, found.fact)


_USES: Final = (EventKind.FIRST_SIGN_IN, EventKind.SIGN_IN, EventKind.KEY_USE)
_KINDS_OF_USE: Final = (ChangeKind.FIRST_SIGN_IN, ChangeKind.FIRST_USE, ChangeKind.USED_AGAIN)
_PRESENCE: Final = {
    EventKind.CREATED: ChangeKind.NEW,
    EventKind.DELETED: ChangeKind.GONE,
    EventKind.RE_CREATED: ChangeKind.RE_CREATED,
}
_CREDENTIALS: Final = (
    *(EventKind.PASSWORD, EventKind.PASSWORD_CHANGED, EventKind.ACCESS_KEY),
    *(EventKind.CERTIFICATE, EventKind.MFA),
)


def changes_of_user(
    states: tuple[UserState, UserState],
    findings: tuple[Sequence[Finding], Sequence[Finding]],
    rules: Mapping[str, RuleWithLimit],
    interval: Interval,
    *,
    is_possibly_renamed: bool,
) -> Iterator[ChangeRow]:
    """Yield the change of a user, if any, that of its exemption, and those of its findings.

    `states` and `findings` are those of both reports, `UserState()` if one lacks the user; `rules`
    are those that ran, by their ids.
    """
    before, now = states
    latest = now if now.arn else before
    last_use = max(filter(None, (before.last_use, now.last_use)), default=None)
    subject = latest.account, latest.user, latest.arn
    verdicts = before.verdict or "", now.verdict or ""
    exemptions = before.exemption, now.exemption

    def row(kind: ChangeKind, why: str = "") -> ChangeRow:
        return ChangeRow(kind, *subject, *verdicts, last_use, why, *exemptions, latest.created)

    elapsed = interval.end - interval.start
    user_events = events(before, now, interval.start, is_possibly_renamed=is_possibly_renamed)
    event_kinds = {event.kind for event in user_events}
    idle_days = (interval.start - before.last_use).days if before.last_use else -1
    was_idle = idle_days >= interval.idle_limit and USE_COLUMNS.isdisjoint(before.unknown)
    change = _change_kind(before, now, event_kinds, was_idle=was_idle)
    cause = _cause(before, now, user_events, last_use, change)
    is_same = event_kinds.isdisjoint(_PRESENCE)
    if latest.verdict and change:
        yield row(change, cause)
    if is_same and before.exemption != now.exemption:
        kind = ChangeKind.EXEMPTED if now.exemption else ChangeKind.EXEMPTION_ENDED
        yield row(ChangeKind.EXEMPTION_CHANGED if before.exemption and now.exemption else kind)
    for found in changed_findings(*findings):
        why = cause
        if is_same:
            why = cause_of_finding(found, *rules[found.latest.rule], elapsed.days, user_events)
        yield found.row(subject, why)


def _change_kind(
    before: UserState, now: UserState, event_kinds: set[EventKind], *, was_idle: bool
) -> ChangeKind | None:
    was, has = before.verdict, now.verdict
    had_key_use = any(key and key.last_used for key in before.keys or ())
    had_key_use |= not KEY_USE_COLUMNS.isdisjoint(before.unknown)
    fits = {
        **{kind: event in event_kinds for event, kind in _PRESENCE.items()},
        ChangeKind.UNDETERMINED: was is not has is Verdict.UNDETERMINED,
        ChangeKind.BECAME_UNUSED: was is not has is Verdict.UNUSED,
        ChangeKind.NO_LONGER_UNUSED: has is not was is Verdict.UNUSED,
        ChangeKind.FIRST_SIGN_IN: EventKind.FIRST_SIGN_IN in event_kinds,
        ChangeKind.FIRST_USE: EventKind.KEY_USE in event_kinds and not had_key_use,
        ChangeKind.USED_AGAIN: was_idle and not event_kinds.isdisjoint(_USES),
        ChangeKind.VERDICT_CHANGED: was is not has,
        ChangeKind.CREDENTIALS_CHANGED: not event_kinds.isdisjoint(_CREDENTIALS),
    }
    return next((kind for kind, applies in fits.items() if applies), None)


def _cause(
    before: UserState,
    now: UserState,
    user_events: Collection[Event],
    last_use: datetime | None,
    change: ChangeKind | None,
) -> str:
    """Return the cause of a change in words; uses of an active user that stays active are none."""
    is_changed = before.arn == now.arn and before.verdict is not now.verdict
    uses = _USES if is_changed or change in _KINDS_OF_USE else ()
    shown = (*_PRESENCE, *uses, *_CREDENTIALS, EventKind.NOT_UNDERSTOOD)
    parts = [joined_sentences(user_events, shown)]
    if is_changed:
        parts += [
            f"undetermined {side}: {state.reason}"
            for side, state in (("before", before), ("now", now))
            if state.verdict is Verdict.UNDETERMINED
        ]
    # Time makes a user dormant, whatever else happened.
    is_quiet = not any(parts) or now.verdict is Verdict.DORMANT
    if is_changed and is_quiet and change is not ChangeKind.RE_CREATED:
        parts.append(f"not used since {day_text(last_use)}" if last_use else "never used")
    return "; ".join(filter(None, parts))


# Causes of findings

_RESTARTS: Final = (
    *(EventKind.FIRST_SIGN_IN, EventKind.SIGN_IN, EventKind.SIGN_IN_LOST),
    *(EventKind.PASSWORD_CHANGED, EventKind.PASSWORD_EXPIRY, EventKind.KEY_USE),
)
"""The events after which days are counted anew."""

_STATE_CHANGES: Final = (
    EventKind.PASSWORD,
    EventKind.MFA,
    EventKind.ACCESS_KEY,
    EventKind.CERTIFICATE,
)


def changed_findings(before: Iterable[Finding], now: Iterable[Finding]) -> Iterator[FindingChange]:
    """Yield the findings on a user that changed.

    Rule and creation of its subject identify a finding; those of one second are numbered.
    """
    were, are = _numbered(before), _numbered(now)
    for key in {**were, **are}:
        change = FindingChange(were.get(key, Finding()), are.get(key, Finding()))
        if change.before.outcome is not change.now.outcome:
            yield change


def _numbered(findings: Iterable[Finding]) -> dict[tuple[str, datetime | None, int], Finding]:
    numbered: dict[tuple[str, datetime | None, int], Finding] = {}
    for finding in findings:
        number = 0
        while (finding.rule, finding.created, number) in numbered:
            number += 1
        numbered[finding.rule, finding.created, number] = finding
    return numbered


def cause_of_finding(
    change: FindingChange,
    rule: Rule,
    limit: int | None,
    elapsed: int,
    user_events: Iterable[Event],
) -> str:
    """Return in words why a finding changed; if nothing happened, time passed.

    `elapsed` is the number of days between the reports.
    """
    read = [event for event in user_events if _is_about(change.latest, rule, event)]
    unclear = joined_sentences(read, [EventKind.NOT_UNDERSTOOD])
    passed = f"{count_text(elapsed, 'day')} passed between the reports"
    has_limit = rule.threshold or rule.fixed_limit
    depends_on_time = has_limit or columns.PASSWORD_NEXT_ROTATION in rule.reads
    parts = [joined_sentences(read, (*_RESTARTS, *_STATE_CHANGES))]
    if change.kind is ChangeKind.FINDING_UNDECIDED:
        parts.append(unclear)
    elif depends_on_time and _is_past_limit(change, limit or 0, elapsed):
        changed = "" if change.before.outcome else joined_sentences(read, _STATE_CHANGES)
        parts = [changed, f"passed the limit of {count_text(limit, 'day')}" if limit else passed]
    undecided = (
        f"undecided {side}: {finding.fact}"
        for side, finding in (("now", change.now), ("before", change.before))
        if finding.outcome is Outcome.UNDECIDED
    )
    text = "; ".join(filter(None, parts)) or unclear or next(undecided, "")
    return text or (passed if depends_on_time else "")


def _is_about(finding: Finding, rule: Rule, event: Event) -> bool:
    """Return whether a rule reads an event's columns; of slots, only the finding's own credential.

    A rule that names no columns reads all.
    """
    reads = rule.columns
    is_read = not reads or not event.shown_in.isdisjoint(reads)
    is_of_user = not event.created or not rule.subject.in_slots
    return is_read and (is_of_user or finding.created in event.created)


def _is_past_limit(change: FindingChange, limit: int, elapsed: int) -> bool:
    """Return whether the days counted passed the limit between the reports.

    A rule that fails for many days then has a new finding; one for few days, a resolved one.
    """
    days = change.latest.days
    if days is None:
        return False
    if change.before.outcome:
        return days < limit <= days + elapsed
    return days - elapsed <= limit <= days
