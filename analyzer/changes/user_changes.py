"""List the changes of a user and of its findings between two reports, with their causes.

The cause of a change of a finding is all that happened to its user, empty if only time passed.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import chain
from typing import Final, NamedTuple, Self

from analyzer.changes.events import (
    KEY_USE_COLUMNS,
    USE_COLUMNS,
    Event,
    EventKind,
    UserState,
    day_text,
    events,
)
from analyzer.rules.rule import Outcome
from analyzer.terms import NOT_COVERED, Verdict


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

    `created` is the creation of the user or, for a rule on slots, of the credential.
    """

    rule: str = ""
    created: datetime | None = None
    outcome: Outcome | None = None
    fact: str = ""
    exemption: str = ""


_USES: Final = (EventKind.FIRST_SIGN_IN, EventKind.SIGN_IN, EventKind.KEY_USE)
_KINDS_OF_USE: Final = (ChangeKind.FIRST_SIGN_IN, ChangeKind.FIRST_USE, ChangeKind.USED_AGAIN)
_PRESENCE: Final = {
    EventKind.CREATED: ChangeKind.NEW,
    EventKind.DELETED: ChangeKind.GONE,
    EventKind.RE_CREATED: ChangeKind.RE_CREATED,
}
_CREDENTIALS: Final = (
    EventKind.PASSWORD,
    EventKind.PASSWORD_CHANGED,
    EventKind.ACCESS_KEY,
    EventKind.CERTIFICATE,
    EventKind.MFA,
)


def changes_of_user(
    states: tuple[UserState, UserState],
    findings: tuple[Sequence[Finding], Sequence[Finding]],
    earlier: datetime,
    idle_limit: int,
    *,
    is_possibly_renamed: bool,
) -> Iterator[ChangeRow]:
    """Yield the change of a user, if any, that of its exemption, and those of its findings.

    `states` and `findings` are those of both reports, `UserState()` if one lacks the user;
    `earlier` is the as-of of the first. A user without use for `idle_limit` days was idle.
    """
    before, now = states
    latest = now if now.arn else before
    last_use = max(filter(None, (before.last_use, now.last_use)), default=None)

    def row(kind: ChangeKind, why: str = "") -> ChangeRow:
        return ChangeRow(
            kind,
            latest.account,
            latest.user,
            latest.arn,
            before=before.verdict or "",
            now=now.verdict or "",
            last_use=last_use,
            cause=why,
            exemption_before=before.exemption,
            exemption_now=now.exemption,
            created=latest.created,
        )

    user_events = events(before, now, earlier, is_possibly_renamed=is_possibly_renamed)
    event_kinds = {event.kind for event in user_events}
    idle_days = (earlier - before.last_use).days if before.last_use else -1
    was_idle = idle_days >= idle_limit and USE_COLUMNS.isdisjoint(before.unknown)
    change = _change_kind(before, now, event_kinds, was_idle=was_idle)
    if latest.verdict and change:
        yield row(change, _cause(before, now, user_events, last_use, change))
    if event_kinds.isdisjoint(_PRESENCE) and before.exemption != now.exemption:
        kind = ChangeKind.EXEMPTED if now.exemption else ChangeKind.EXEMPTION_ENDED
        yield row(ChangeKind.EXEMPTION_CHANGED if before.exemption and now.exemption else kind)
    happened = "; ".join(event.sentence for event in user_events)
    yield from changed_findings(*findings, (latest.account, latest.user, latest.arn), happened)


def _change_kind(
    before: UserState, now: UserState, event_kinds: set[EventKind], *, was_idle: bool
) -> ChangeKind | None:
    """Return the first kind that fits, None if none does."""
    for event, kind in _PRESENCE.items():
        if event in event_kinds:
            return kind
    is_changed = before.verdict is not now.verdict
    if is_changed and now.verdict in _KINDS_OF_NEW_VERDICT:
        return _KINDS_OF_NEW_VERDICT[now.verdict]
    if is_changed and before.verdict is Verdict.UNUSED:
        return ChangeKind.NO_LONGER_UNUSED
    if kind_of_use := _kind_of_use(before, event_kinds, was_idle=was_idle):
        return kind_of_use
    if is_changed:
        return ChangeKind.VERDICT_CHANGED
    return None if event_kinds.isdisjoint(_CREDENTIALS) else ChangeKind.CREDENTIALS_CHANGED


_KINDS_OF_NEW_VERDICT: Final = {
    Verdict.UNDETERMINED: ChangeKind.UNDETERMINED,
    Verdict.UNUSED: ChangeKind.BECAME_UNUSED,
}


def _kind_of_use(
    before: UserState, event_kinds: set[EventKind], *, was_idle: bool
) -> ChangeKind | None:
    if EventKind.FIRST_SIGN_IN in event_kinds:
        return ChangeKind.FIRST_SIGN_IN
    had_key_use = before.last_key_use or not KEY_USE_COLUMNS.isdisjoint(before.unknown)
    if EventKind.KEY_USE in event_kinds and not had_key_use:
        return ChangeKind.FIRST_USE
    is_used = not event_kinds.isdisjoint(_USES)
    return ChangeKind.USED_AGAIN if is_used and was_idle else None


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
    shown = chain(_PRESENCE, uses, _CREDENTIALS, [EventKind.NOT_UNDERSTOOD])
    parts = [
        "; ".join(event.sentence for kind in shown for event in user_events if event.kind is kind)
    ]
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


def changed_findings(
    before: Iterable[Finding], now: Iterable[Finding], subject: tuple[str, str, str], happened: str
) -> Iterator[ChangeRow]:
    """Yield the findings on a user that changed; the subject is account, user and ARN.

    Rule and creation of its subject identify a finding; those of one second are numbered.
    """
    were, are = _numbered(before), _numbered(now)
    for key in were | are:
        was, has = were.get(key, Finding()), are.get(key, Finding())
        if was.outcome is not has.outcome:
            kind = ChangeKind.FINDING_NEW if has.outcome else ChangeKind.FINDING_RESOLVED
            if Outcome.UNDECIDED in (was.outcome, has.outcome):
                kind = ChangeKind.FINDING_UNDECIDED
            of = has if has.outcome else was
            yield ChangeRow(
                kind,
                *subject,
                before=was.outcome or "",
                now=has.outcome or "",
                cause=happened,
                exemption_before=was.exemption,
                exemption_now=has.exemption,
                created=of.created,
                rule=of.rule,
                fact=of.fact,
            )


def _numbered(findings: Iterable[Finding]) -> dict[tuple[str, datetime | None, int], Finding]:
    numbers = Counter[tuple[str, datetime | None]]()
    numbered = {}
    for finding in findings:
        key = finding.rule, finding.created
        numbered[*key, numbers[key]] = finding
        numbers[key] += 1
    return numbered
