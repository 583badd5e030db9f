"""Say which changes a user had between two reports, and why: its own, and those of its findings."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple, Self

from analyzer.changes.events import (
    USE_COLUMNS,
    Event,
    EventKind,
    UserState,
    day_text,
    events,
    sentences,
)
from analyzer.changes.findings import (
    Finding,
    FindingChange,
    LimitedRule,
    cause_of_finding,
    changed_findings,
)
from analyzer.terms import NOT_COVERED, Verdict


class Change(StrEnum):
    """Name the kinds of changes, in the order of outputs, each with its meaning in a sentence.

    Of the changes of a user up to `CREDENTIALS_CHANGED`, the first that fits applies. Changes of
    an exemption and of findings have rows of their own.
    """

    meaning: str

    NEW = "new", "A user that the earlier report does not have."
    GONE = "gone", "A user that the later report no longer has."
    RE_CREATED = "re-created", "A user deleted and created again under the same name."
    NEW_UNUSED = "new-unused", "Unused now, with another verdict before."
    FIRST_SIGN_IN = "first-sign-in", "Signed in for the first time."
    FIRST_USE = "first-use", "An access key used, by a user that was never used before."
    USED_AGAIN = "used-again", "Unused, retired or dormant before, and used since."
    NO_LONGER_UNUSED = "no-longer-unused", "Unused before, with another verdict now."
    UNDETERMINED = "undetermined", "Not understood in one of the two reports."
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
        """Make a kind of its word and what it means."""
        change = str.__new__(cls, word)
        change._value_ = word
        change.meaning = meaning
        return change


class ChangeRow(NamedTuple):
    """Hold a change as outputs list it; `before` and `now` are verdicts, or outcomes of a rule."""

    change: Change
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


_IDLE: Final = (Verdict.UNUSED, Verdict.RETIRED, Verdict.DORMANT)
_USES: Final = (EventKind.FIRST_SIGN_IN, EventKind.SIGN_IN, EventKind.KEY_USE)
_PRESENCE: Final = {
    EventKind.CREATED: Change.NEW,
    EventKind.DELETED: Change.GONE,
    EventKind.RE_CREATED: Change.RE_CREATED,
}
_CREDENTIALS: Final = (
    EventKind.PASSWORD,
    EventKind.PASSWORD_CHANGED,
    EventKind.ACCESS_KEY,
    EventKind.CERTIFICATE,
    EventKind.MFA,
)


def changes_of_user(
    before: UserState,
    now: UserState,
    findings: tuple[Sequence[Finding], Sequence[Finding]],
    rules: Mapping[str, LimitedRule],
    elapsed: int,
) -> Iterator[ChangeRow]:
    """Yield the change of a user if there is one, that of its exemption, and those of findings.

    A report that does not have the user says `UserState()`. `findings` are those of both reports,
    `rules` those that ran, by their ids; `elapsed` days lie between the reports.
    """
    latest = now if now.arn else before

    def row(kind: Change, why: str = "") -> ChangeRow:
        return ChangeRow(
            change=kind,
            account=latest.account,
            user=latest.user,
            arn=latest.arn,
            before=before.verdict or "",
            now=now.verdict or "",
            last_use=_newest_use(before, now),
            cause=why,
            exemption_before=before.exemption,
            exemption_now=now.exemption,
            created=latest.created,
        )

    happened = events(before, now)
    change = _change(before, now, happened) if latest.verdict else None
    cause = _cause(before, now, happened)
    is_same = not any(each.kind in _PRESENCE for each in happened)
    if change:
        yield row(change, cause)
    if is_same and before.exemption != now.exemption:
        yield row(_exemption_change(before, now))
    for each in changed_findings(*findings):
        rule = rules[each.latest.rule]
        why = cause_of_finding(each, rule, elapsed, happened) if is_same else cause
        yield _finding_row(row(_finding_change(each), why), each)


def _finding_row(of_user: ChangeRow, change: FindingChange) -> ChangeRow:
    before, now, latest = change.before, change.now, change.latest
    return of_user._replace(
        before=before.outcome or "",
        now=now.outcome or "",
        last_use=None,
        exemption_before=before.exemption,
        exemption_now=now.exemption,
        created=latest.created,
        rule=latest.rule,
        fact=latest.fact,
    )


def _finding_change(change: FindingChange) -> Change:
    if change.is_undecided:
        return Change.FINDING_UNDECIDED
    return Change.FINDING_NEW if change.now.outcome else Change.FINDING_RESOLVED


def _exemption_change(before: UserState, now: UserState) -> Change:
    if before.exemption and now.exemption:
        return Change.EXEMPTION_CHANGED
    return Change.EXEMPTED if now.exemption else Change.EXEMPTION_ENDED


def _change(before: UserState, now: UserState, happened: Collection[Event]) -> Change | None:
    """Return the change of an IAM user, None if there is none."""
    kinds = {each.kind for each in happened}
    was, has = before.verdict, now.verdict
    has_use = was in _IDLE and _is_used_since(before, now)
    is_unclear = EventKind.NOT_UNDERSTOOD in kinds
    fits = {
        **{change: kind in kinds for kind, change in _PRESENCE.items()},
        Change.NEW_UNUSED: has is Verdict.UNUSED and was not in (has, Verdict.UNDETERMINED),
        Change.FIRST_SIGN_IN: EventKind.FIRST_SIGN_IN in kinds,
        Change.FIRST_USE: has_use and not before.last_use,
        Change.USED_AGAIN: has_use,
        Change.NO_LONGER_UNUSED: was is Verdict.UNUSED and has not in (was, Verdict.UNDETERMINED),
        Change.UNDETERMINED: is_unclear or (was is not has and Verdict.UNDETERMINED in (was, has)),
        Change.VERDICT_CHANGED: was is not has,
        Change.CREDENTIALS_CHANGED: not kinds.isdisjoint(_CREDENTIALS),
    }
    return next((change for change, applies in fits.items() if applies), None)


def _is_used_since(before: UserState, now: UserState) -> bool:
    """Return whether a use is newer than all before; that there was none must be known."""
    if before.last_use and now.last_use:
        return now.last_use > before.last_use
    return bool(now.last_use) and USE_COLUMNS.isdisjoint(before.unknown)


def _cause(before: UserState, now: UserState, happened: Collection[Event]) -> str:
    """Return in words why a user changed; uses of an active user that stays active are no cause."""
    kinds = {each.kind for each in happened}
    is_changed = before.arn == now.arn and before.verdict is not now.verdict
    shows_uses = is_changed or before.verdict in _IDLE or EventKind.FIRST_SIGN_IN in kinds
    shown = (*_PRESENCE, *(_USES if shows_uses else ()), *_CREDENTIALS, EventKind.NOT_UNDERSTOOD)
    parts = [sentences(happened, shown)]
    if is_changed:
        parts += [
            f"undetermined {side}: {state.reason}"
            for side, state in (("before", before), ("now", now))
            if state.verdict is Verdict.UNDETERMINED
        ]
    # That time went by makes a user dormant, whatever else happened.
    is_quiet = not any(parts) or now.verdict is Verdict.DORMANT
    if is_changed and is_quiet and EventKind.RE_CREATED not in kinds:
        last_use = _newest_use(before, now)
        parts.append(f"not used since {day_text(last_use)}" if last_use else "never used")
    return "; ".join(filter(None, parts))


def _newest_use(before: UserState, now: UserState) -> datetime | None:
    return max(filter(None, (before.last_use, now.last_use)), default=None)
