"""Say why a finding changed: what happened to what its rule reads, or that time passed."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final, NamedTuple

from analyzer import columns
from analyzer.changes.events import Event, EventKind, sentences
from analyzer.rules.rule import Outcome, Rule
from analyzer.terms import count_text

_RESTARTS: Final = (
    EventKind.FIRST_SIGN_IN,
    EventKind.SIGN_IN,
    EventKind.SIGN_IN_LOST,
    EventKind.PASSWORD_CHANGED,
    EventKind.PASSWORD_EXPIRY,
    EventKind.KEY_USE,
)
"""The events after which days are counted anew."""

_CHANGES: Final = (
    EventKind.PASSWORD,
    EventKind.MFA,
    EventKind.ACCESS_KEY,
    EventKind.CERTIFICATE,
)


class Finding(NamedTuple):
    """Hold a finding on one user in one report; the empty one, that the report has none.

    `created` is the creation of the user or, of a rule on slots, of the credential; `days` are
    those counted to as-of, None where none are.
    """

    rule: str = ""
    created: datetime | None = None
    outcome: Outcome | None = None
    fact: str = ""
    days: int | None = None
    exemption: str = ""


class LimitedRule(NamedTuple):
    """Hold a rule that ran and its limit in days, None where it has none."""

    rule: Rule
    limit: int | None


class FindingChange(NamedTuple):
    """Hold a finding that one report has, or both with another outcome."""

    before: Finding
    now: Finding

    @property
    def latest(self) -> Finding:
        """Return the finding in the later of the reports that have it."""
        return self.now if self.now.outcome else self.before

    @property
    def is_undecided(self) -> bool:
        """Return whether the rule could not be decided in one of the reports."""
        return Outcome.UNDECIDED in (self.before.outcome, self.now.outcome)


def changed_findings(before: Iterable[Finding], now: Iterable[Finding]) -> Iterator[FindingChange]:
    """Yield the findings on a user that changed.

    A finding is the rule and what it is about, known by its creation; keys of one second count.
    """
    were, are = _numbered(before), _numbered(now)
    for key in {**were, **are}:
        change = FindingChange(were.get(key, Finding()), are.get(key, Finding()))
        if change.before.outcome is not change.now.outcome:
            yield change


def _numbered(findings: Iterable[Finding]) -> dict[tuple[str, datetime | None, int], Finding]:
    numbered: dict[tuple[str, datetime | None, int], Finding] = {}
    for each in findings:
        number = 0
        while (each.rule, each.created, number) in numbered:
            number += 1
        numbered[each.rule, each.created, number] = each
    return numbered


def cause_of_finding(
    change: FindingChange, of: LimitedRule, elapsed: int, happened: Iterable[Event]
) -> str:
    """Return in words why a finding changed; where nothing happened, that time passed.

    `elapsed` days lie between the reports.
    """
    read = [each for each in happened if _is_about(change.latest, of.rule, each)]
    unclear = sentences(read, [EventKind.NOT_UNDERSTOOD])
    if not change.is_undecided and _is_past_limit(change, of, elapsed):
        changed = "" if change.before.outcome else sentences(read, _CHANGES)
        passed = (
            f"passed the limit of {count_text(of.limit, 'day')}"
            if of.limit
            else _elapsed_text(elapsed)
        )
        parts = [changed, passed]
    else:
        changed = sentences(read, (*_RESTARTS, *_CHANGES))
        parts = [changed, unclear if change.is_undecided else ""]
    text = "; ".join(filter(None, parts)) or unclear or _undecided_text(change)
    return text or (_elapsed_text(elapsed) if _depends_on_time(of.rule) else "")


def _is_about(finding: Finding, rule: Rule, event: Event) -> bool:
    """Return whether a rule reads what shows an event, of slots the finding's own credential alone.

    A rule that names no columns reads all.
    """
    reads = rule.columns
    is_read = not reads or not event.shown_in.isdisjoint(reads)
    is_of_user = not event.created or not rule.subject.in_slots
    return is_read and (is_of_user or finding.created in event.created)


def _is_past_limit(change: FindingChange, of: LimitedRule, elapsed: int) -> bool:
    """Return whether the days counted passed the limit between the reports.

    A rule that fails for many days then has a new finding, one that fails for few has it resolved.
    """
    days, limit = change.latest.days, of.limit or 0
    if days is None or not _depends_on_time(of.rule):
        return False
    if change.before.outcome:
        return days < limit <= days + elapsed
    return days - elapsed <= limit <= days


def _depends_on_time(rule: Rule) -> bool:
    has_limit = rule.threshold or rule.fixed_limit
    return bool(has_limit) or columns.PASSWORD_NEXT_ROTATION in rule.reads


def _undecided_text(change: FindingChange) -> str:
    for side, finding in (("now", change.now), ("before", change.before)):
        if finding.outcome is Outcome.UNDECIDED:
            return f"undecided {side}: {finding.fact}"
    return ""


def _elapsed_text(days: int) -> str:
    return f"{count_text(days, 'day')} passed between the reports"
