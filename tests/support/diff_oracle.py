"""Say what changed between two reports in plain Python: a second opinion, read from the CSV.

Verdicts are those of `verdict_oracle`, findings those of `rule_oracle`; what changed is found here.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from tests.support.rule_oracle import judge_rules
from tests.support.verdict_oracle import (
    ABSENT,
    Slot,
    Terms,
    User,
    is_root,
    judge,
    moment,
    read_user,
    rows_of,
)

Change = tuple[str, str, str, str, str]
"""The kind, the ARN, the rule if it is about a finding, and the verdicts or outcomes."""

IDLE = timedelta(days=90)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Report(NamedTuple):
    """Hold a report as the law reads it: users, their verdicts, and findings by what they are."""

    users: dict[str, User]
    verdicts: dict[str, str]
    findings: dict[tuple[object, ...], str]


def read(text: str, as_of: datetime, rules: Collection[str]) -> Report:
    cells = {row["arn"]: row for row in rows_of(text)}
    users = {arn: read_user(row) for arn, row in cells.items() if not is_root(row)}
    verdicts = {each.arn: each.judgement.verdict for each in judge(text, Terms(as_of))}
    findings: dict[tuple[object, ...], str] = {}
    numbers = Counter[tuple[object, ...]]()
    for found in sorted(judge_rules(text, as_of), key=lambda found: found.slot):
        column = f"access_key_{found.slot}_last_rotated" if found.slot else "user_creation_time"
        if found.slot and found.rule == "active-signing-certificate":
            column = f"cert_{found.slot}_last_rotated"
        key = found.rule, found.arn, moment(cells[found.arn].get(column))
        if found.rule in rules and found.outcome != "noted":
            findings[*key, numbers[key]] = found.outcome
            numbers[key] += 1
    return Report(users, verdicts, findings)


def changes_of(before: Report, now: Report, earlier: datetime) -> Counter[Change]:
    """Return what changed from a report as of `earlier` to the next."""
    found = Counter[Change]()
    for arn in before.users.keys() | now.users.keys():
        was, has = before.users.get(arn), now.users.get(arn)
        words = before.verdicts.get(arn, ""), now.verdicts.get(arn, "")
        if kind := _kind(was, has, words, earlier):
            found[kind, arn, "", *words] += 1
    for key in before.findings.keys() | now.findings.keys():
        outcomes = before.findings.get(key, ""), now.findings.get(key, "")
        if outcomes[0] != outcomes[1]:
            kind = "finding-new" if outcomes[1] else "finding-resolved"
            kind = "finding-undecided" if "undecided" in outcomes else kind
            found[kind, str(key[1]), str(key[0]), *outcomes] += 1
    return found


def is_clear(user: User | None) -> bool:
    """Return whether no two credentials of a user are of one second: then each is known by it."""
    slots = (user.keys, user.certificates) if user else ()
    moments = [[slot.created for slot in pair if slot.state != ABSENT] for pair in slots]
    return all(len(set(each)) == len(each) for each in moments)


def _kind(
    was: User | None, has: User | None, words: tuple[str, str], earlier: datetime
) -> str | None:
    if not was or not has:
        return "gone" if was else "new"
    before, now = words
    is_other = before != now
    signed_in, first = _sign_in(was, has)
    used = bool(list(_key_uses(was, has)))
    had_use = any(slot.unread_use or (slot.used and slot.state != ABSENT) for slot in was.keys)
    fits = {
        "re-created": was.created and has.created and was.created != has.created,
        "undetermined": is_other and now == "undetermined",
        "became-unused": is_other and now == "unused",
        "no-longer-unused": is_other and before == "unused",
        "first-sign-in": first,
        "first-use": used and not had_use,
        "used-again": (signed_in or used) and _was_idle(was, earlier),
        "verdict-changed": is_other,
        "credentials-changed": _is_other(was, has),
    }
    return next((kind for kind, applies in fits.items() if applies), None)


def _sign_in(was: User, has: User) -> tuple[bool, bool]:
    """Return whether a user signed in, and whether for the first time on record."""
    is_unread = any(cell.column == "password_last_used" for cell in was.unread)
    first = bool(has.signed_in and not was.signed_in and not is_unread)
    again = bool(has.signed_in and was.signed_in and has.signed_in > was.signed_in)
    return first or again, first


def _is_known(slots: tuple[Slot, ...]) -> bool:
    """Return whether each credential is understood, and known by its creation."""
    return all(not slot.unread and (slot.created or slot.state == ABSENT) for slot in slots)


def _key_uses(was: User, has: User) -> Iterator[datetime]:
    if not (_is_known(was.keys) and _is_known(has.keys)):
        before, now = ([slot.used for slot in user.keys if slot.used] for user in (was, has))
        if (
            now
            and not any(slot.unread_use for slot in was.keys)
            and max(now) > max([*before, LONG_AGO])
        ):
            yield max(now)
        return
    earlier = {slot.created: slot for slot in was.keys if slot.state != ABSENT}
    for slot in has.keys:
        same = earlier.get(slot.created) if slot.created else None
        if slot.used and not (same and (same.unread_use or (same.used and slot.used <= same.used))):
            yield slot.used


def _was_idle(user: User, earlier: datetime) -> bool:
    uses = [user.signed_in] + [slot.used for slot in user.keys]
    known = [use for use in uses if use]
    is_read = not any(slot.unread_use for slot in user.keys)
    is_read &= not any(cell.column == "password_last_used" for cell in user.unread)
    return bool(known) and is_read and earlier - max(known) >= IDLE


def _is_other(was: User, has: User) -> bool:
    """Return whether a user has other credentials, as far as both reports show them."""
    passwords = was.has_password, has.has_password
    is_known = passwords == (True, True) and not (was.unread_changed or has.unread_changed)
    return (
        (None not in passwords and passwords[0] != passwords[1])
        or (is_known and has.password_changed not in {None, was.password_changed})
        or (None not in (was.mfa, has.mfa) and was.mfa != has.mfa)
        or _differ(was.keys, has.keys)
        or _differ(was.certificates, has.certificates)
    )


def _differ(was: tuple[Slot, ...], has: tuple[Slot, ...]) -> bool:
    if not (_is_known(was) and _is_known(has)):
        return False
    one, other = ({(slot.created, slot.state) for slot in each} for each in (was, has))
    return one != other
