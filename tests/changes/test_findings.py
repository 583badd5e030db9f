"""The cause of a change of a finding is what happened to its user, if anything did."""

from operator import itemgetter
from typing import Any

import pandas as pd
import pytest

import analyzer
from analyzer.changes.diff import Side, changes
from analyzer.changes.user_changes import (
    Finding,
    changed_findings,
)
from analyzer.rules.rule import Outcome
from tests.support.builders import (
    AS_OF,
    LONG_AGO,
    Row,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    in_slot,
    no_password,
    report_text,
    the_root,
)
from tests.support.comparisons import LATER, named
from tests.support.named_reports import load_named

ONE_KEY, OTHER_KEY, FRESH, SINCE = (days_before(each) for each in (70, 60, 10, -8))
IDLE_LATER = days_before(20)
DAY = "2026-05-09"
AGAIN, SIGN_IN = f"signed in again on {DAY}", "last sign-in"
NO_ROOT = a_user()
KEYED_ROOT = the_root(access_key_1_active="true", access_key_1_last_rotated=LONG_AGO)
USED_ROOT = the_root(password_enabled="true", password_last_used="2026-04-21T09:30:00Z")


def compared(
    before: list[Row], now: list[Row], roots: tuple[Row | None, ...] = (None, None), **book: Any
) -> pd.DataFrame:
    """Return what changed by the rules of a book from AS_OF to LATER."""
    rules, sides = analyzer.rulebook(**book), []
    for users, root, as_of in zip((before, now), roots, (AS_OF, LATER), strict=True):
        text = report_text(users, root=root)
        report = load_named(("report.csv", text.encode()), as_of=as_of)
        sides.append(Side.of(analyzer.analyze(report, book=rules)))
    frame = changes(*sides)
    return frame[frame["rule"] != ""]


def user(**cells: Any) -> Row:
    return a_user(**{"password": a_password(FRESH, FRESH), "mfa": True, **cells})


def expiring(day: str) -> Row:
    return user(password_next_rotation=f"{day}T00:00:00Z")


def pair(one: Row, other: Row, **cells: Any) -> Row:
    return user(key_1=one, key_2=other, **cells)


USED, OLD = a_key(ONE_KEY, FRESH), a_key(LONG_AGO)
USED_OTHER, IDLE_OTHER = a_key(OTHER_KEY, FRESH), a_key(OTHER_KEY, IDLE_LATER)
IDLE_USER, OLD_USER = (user(password=a_password(at)) for at in (IDLE_LATER, LONG_AGO))
OFF, OLD_KEYS = user(key_1=an_inactive_key(LONG_AGO)), pair(OLD, USED_OTHER)
KEY_UNREAD = user(key_1=USED, access_key_1_last_used_date="?")
KEY_IN_USE, USED_SINCE = a_key(ONE_KEY, SINCE), user(key_1=a_key(LONG_AGO, SINCE))
NEVER_IN, NO_PASSWORD = a_password("no_information", FRESH), user(password=no_password(LONG_AGO))
IDLE, UNROTATED, NO_MFA = "idle-access-key", "unrotated-access-key", "console-user-without-mfa"
IDLE_PASSWORD, EXPIRED, UNUSED = "idle-password", "expired-password", "unused-user"
NEW, RESOLVED = ("finding-new", "", "fails"), ("finding-resolved", "fails", "")
UNDECIDED, KNOWN = (("finding-undecided", *each) for each in (("", "undecided"), ("undecided", "")))
FAILS_NOW = ("finding-undecided", "undecided", "fails")
OF_OLD, OF_NEW = "access key of 2023-08-05", "access key of 2026-02-20"
DELETED, BOTH = f"{OF_NEW} deleted", f"access key of 2026-03-02 deleted; {OF_OLD}"
LOST = "no longer in the report"
BORN = "created on 2023-08-05; possibly renamed: another user has this creation time"
NOT_NOW, NOT_BEFORE = (f"not understood {when}" for when in ("now", "before"))
NO_EXPIRY, EXPIRES = "password no longer expires", "password expires on 2027-04-10 by the password"
CAUSES: tuple[tuple[str, Row | None, Row | None, tuple[str, ...], str], ...] = (
    # Another credential changed, and this one only grew older.
    (IDLE, pair(USED, IDLE_OTHER), user(key_2=IDLE_OTHER), NEW, DELETED),
    (IDLE_PASSWORD, IDLE_USER | in_slot("access_key", 1, USED), IDLE_USER, NEW, DELETED),
    (UNROTATED, user(key_1=USED), user(key_1=KEY_IN_USE), NEW, f"{OF_NEW} used again on {DAY}"),
    (UNROTATED, pair(OLD, USED), pair(USED, OLD), NEW, ""),
    # This credential changed.
    (IDLE, OLD_KEYS, user(key_2=USED_OTHER), RESOLVED, f"{OF_OLD} deleted"),
    (IDLE, OLD_KEYS, USED_SINCE, RESOLVED, f"{BOTH} first used on {DAY}"),
    (IDLE, OFF, user(key_1=OLD), NEW, f"{OF_OLD} reactivated"),
    (IDLE_PASSWORD, OLD_USER, user(password=a_password(SINCE)), RESOLVED, AGAIN),
    (IDLE_PASSWORD, OLD_USER, NO_PASSWORD, RESOLVED, "password removed"),
    (UNUSED, user(), user(password=NEVER_IN), NEW, f"{SIGN_IN} of 2026-04-21 {LOST}"),
    (NO_MFA, user(mfa=False), user(), RESOLVED, "MFA device registered"),
    # The user came or went.
    (UNUSED, None, a_user(), NEW, f"not in the earlier report; {BORN}"),
    (UNUSED, a_user(), None, RESOLVED, f"user deleted or renamed; {BORN}"),
    # The date of expiry.
    (EXPIRED, expiring("2026-05-10"), expiring("2026-05-10"), NEW, ""),
    (EXPIRED, expiring("2026-04-10"), expiring("2027-04-10"), RESOLVED, f"{EXPIRES} policy now"),
    (EXPIRED, expiring("2026-04-10"), user(), RESOLVED, NO_EXPIRY),
    ("password-expires-soon", expiring("2026-06-05"), expiring("2026-06-05"), NEW, ""),
    # What is not understood.
    (IDLE_PASSWORD, user(), user(password_last_used="?"), UNDECIDED, f"{SIGN_IN} {NOT_NOW}"),
    (IDLE, user(key_1=USED), KEY_UNREAD, UNDECIDED, ""),
    (IDLE, KEY_UNREAD, user(key_1=a_key(ONE_KEY, AS_OF)), KNOWN, ""),
    (NO_MFA, user(), user(mfa_active="?"), UNDECIDED, f"MFA device {NOT_NOW}"),
    (NO_MFA, user(mfa_active="?"), user(mfa=False), FAILS_NOW, f"MFA device {NOT_BEFORE}"),
)
"""The rule, a user before and now, the change with the outcomes before and now, the cause."""


@pytest.mark.no_cover
def test_the_cause_of_a_finding_is_what_happened_to_its_user_and_empty_if_nothing_did() -> None:
    before, now = (
        [row for at, case in enumerate(CAUSES) if (row := named(side(case), f"user-{at}"))]
        for side in (itemgetter(1), itemgetter(2))
    )
    frame = compared(before, now, rules="all", limits={"idle_days": 45})
    for at, (rule, *_, change, cause) in enumerate(CAUSES):
        own = frame[(frame["user"] == f"user-{at}") & (frame["rule"] == rule)]
        rows = own[["change", "before", "now", "cause"]].to_numpy().tolist()
        assert rows == [[*change, cause]], CAUSES[at]


ROOTS: tuple[tuple[str, Row, Row, str], ...] = (
    ("root-access-key", KEYED_ROOT, the_root(), f"{OF_OLD} deleted"),
    ("root-used", USED_ROOT, USED_ROOT, ""),
    ("root-access-key", KEYED_ROOT, NO_ROOT, "no root row in the later report"),
    ("root-access-key", NO_ROOT, KEYED_ROOT, "no root row in the earlier report"),
)


@pytest.mark.no_cover
def test_a_finding_about_the_root_has_its_cause() -> None:
    for rule, before, now, cause in ROOTS:
        frame = compared([], [], (before, now), rules=rule)
        assert frame["cause"].tolist() == [cause]


@pytest.mark.no_cover
def test_two_keys_of_a_second_that_pass_the_limit_are_two_findings() -> None:
    users = [pair(KEY_IN_USE, KEY_IN_USE)]
    assert compared(users, users, rules=UNROTATED)["cause"].tolist() == [""] * 2


def a_finding(outcome: Outcome = Outcome.FAILS, number: int = 0) -> Finding:
    return Finding(f"rule-{number}", None, outcome)


def test_findings_on_two_keys_of_one_second_and_of_different_rules_are_two() -> None:
    one, undecided, other = a_finding(), a_finding(Outcome.UNDECIDED), a_finding(number=1)
    for before, now, expected in (
        ([one, one], [one, one], []),
        ([one, one], [one], [(one, Finding())]),
        ([one], [one, undecided], [(Finding(), undecided)]),
        ([one], [undecided], [(one, undecided)]),
        ([one], [other], [(one, Finding()), (Finding(), other)]),
    ):
        rows = changed_findings(before, now, ("1", "ann", "arn"), "")
        found = [(row.rule, row.before, row.now) for row in rows]
        assert found == [
            (max(was.rule, has.rule), was.outcome or "", has.outcome or "") for was, has in expected
        ]
