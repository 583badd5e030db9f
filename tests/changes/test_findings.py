"""The cause of a change of a finding is about what the rule reads, or says that time passed."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import analyzer
from analyzer.changes.diff import changes
from analyzer.changes.snapshot import snapshot
from analyzer.changes.user_changes import (
    Finding,
    FindingChange,
    LimitedRule,
    cause_of_finding,
    changed_findings,
)
from analyzer.rules.rule import Outcome, Rule
from tests.support.builders import (
    AS_OF,
    LONG_AGO,
    Row,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    no_password,
    report_text,
    saved,
    the_root,
)
from tests.support.comparisons import LATER, named

ONE_KEY, OTHER_KEY, FRESH, SINCE = (days_before(each) for each in (70, 60, 10, -8))
IDLE_LATER = days_before(20)
DAY = "2026-05-09"
NO_ROOT = ""
KEYED_ROOT = the_root(access_key_1_active="true", access_key_1_last_rotated=LONG_AGO)


def compared(
    folder: Path,
    before: list[Row],
    now: list[Row],
    rule: str | Rule,
    roots: tuple[Any, Any] = (None, None),
) -> pd.DataFrame:
    """Return what changed by one rule from AS_OF to LATER."""
    sides = []
    extra = [rule] if isinstance(rule, Rule) else []
    name = rule.id if isinstance(rule, Rule) else rule
    book = analyzer.rulebook(rules=name, extra=extra)
    for users, root, as_of in zip((before, now), roots, (AS_OF, LATER), strict=True):
        text = report_text(users, root=root or None)
        if root == NO_ROOT:
            text = "\n".join(line for line in text.split("\n") if "<root_account>" not in line)
        path = saved(folder, text, f"{as_of:%Y%m%d}.csv")
        sides.append(snapshot(analyzer.analyze(analyzer.load(path, as_of=as_of), book=book)))
    frame = changes(*sides)
    return frame[frame["rule"] != ""]


def user(**cells: Any) -> Row:
    return a_user(**{"password": a_password(FRESH, FRESH), "mfa": True, **cells})


CAUSES: tuple[tuple[str, tuple[Row, Row], tuple[str, str]], ...] = (
    # Another credential changed, and this one only grew older.
    (
        "idle-access-key",
        (
            user(key_1=a_key(ONE_KEY, FRESH), key_2=a_key(OTHER_KEY, IDLE_LATER)),
            user(key_2=a_key(OTHER_KEY, IDLE_LATER)),
        ),
        ("finding-new", "passed the limit of 45 days"),
    ),
    (
        "idle-password",
        (
            user(password=a_password(IDLE_LATER), key_1=a_key(ONE_KEY)),
            user(password=a_password(IDLE_LATER)),
        ),
        ("finding-new", "passed the limit of 45 days"),
    ),
    (
        "unrotated-access-key",
        (user(key_1=a_key(ONE_KEY, FRESH)), user(key_1=a_key(ONE_KEY, SINCE))),
        ("finding-new", "passed the limit of 90 days"),
    ),
    # This credential changed.
    (
        "idle-access-key",
        (
            user(key_1=a_key(LONG_AGO), key_2=a_key(OTHER_KEY, FRESH)),
            user(key_2=a_key(OTHER_KEY, FRESH)),
        ),
        ("finding-resolved", "access key of 2023-08-05 deleted"),
    ),
    (
        "idle-access-key",
        (
            user(key_1=a_key(LONG_AGO), key_2=a_key(OTHER_KEY, FRESH)),
            user(key_1=a_key(LONG_AGO, SINCE)),
        ),
        ("finding-resolved", f"access key of 2023-08-05 first used on {DAY}"),
    ),
    (
        "idle-access-key",
        (user(key_1=an_inactive_key(LONG_AGO)), user(key_1=a_key(LONG_AGO))),
        ("finding-new", "access key of 2023-08-05 reactivated"),
    ),
    (
        "idle-password",
        (user(password=a_password(LONG_AGO)), user(password=a_password(SINCE))),
        ("finding-resolved", f"signed in again on {DAY}"),
    ),
    (
        "idle-password",
        (user(password=a_password(LONG_AGO)), user(password=no_password(LONG_AGO))),
        ("finding-resolved", "password removed"),
    ),
    (
        "unused-user",
        (user(), user(password=a_password("no_information", FRESH))),
        ("finding-new", "last sign-in of 2026-04-21 no longer in the report"),
    ),
    # The date of expiry.
    (
        "expired-password",
        (
            user(password_next_rotation="2026-05-10T00:00:00Z"),
            user(password_next_rotation="2026-05-10T00:00:00Z"),
        ),
        ("finding-new", "30 days passed between the reports"),
    ),
    (
        "expired-password",
        (
            user(password_next_rotation="2026-04-10T00:00:00Z"),
            user(password_next_rotation="2027-04-10T00:00:00Z"),
        ),
        ("finding-resolved", "password expires on 2027-04-10 by the password policy now"),
    ),
    (
        "expired-password",
        (user(password_next_rotation="2026-04-10T00:00:00Z"), user(password_next_rotation="N/A")),
        ("finding-resolved", "password no longer expires"),
    ),
    (
        "password-expires-soon",
        (
            user(password_next_rotation="2026-06-05T00:00:00Z"),
            user(password_next_rotation="2026-06-05T00:00:00Z"),
        ),
        ("finding-new", "30 days passed between the reports"),
    ),
    # What is not understood.
    (
        "idle-password",
        (user(), user(password_last_used="?")),
        ("finding-undecided", "last sign-in not understood now"),
    ),
    (
        "idle-access-key",
        (
            user(key_1=a_key(ONE_KEY, FRESH)),
            user(key_1=a_key(ONE_KEY, FRESH), access_key_1_last_used_date="?"),
        ),
        ("finding-undecided", 'undecided now: access_key_1_last_used_date "?" is not understood'),
    ),
    (
        "idle-access-key",
        (
            user(key_1=a_key(ONE_KEY, FRESH), access_key_1_last_used_date="?"),
            user(key_1=a_key(ONE_KEY, days_before(0))),
        ),
        (
            "finding-undecided",
            'undecided before: access_key_1_last_used_date "?" is not understood',
        ),
    ),
)


@pytest.mark.no_cover
def test_the_cause_of_a_finding_is_about_what_its_rule_reads(tmp_path: Path) -> None:
    before, now = (
        [
            row
            for number, (_, sides, _) in enumerate(CAUSES)
            if (row := named(sides[at], f"user-{number}"))
        ]
        for at in (0, 1)
    )
    frame = compared(tmp_path, before, now, "all")
    for number, (rule, sides, expected) in enumerate(CAUSES):
        own = frame[(frame["user"] == f"user-{number}") & (frame["rule"] == rule)]
        assert own[["change", "cause"]].to_numpy().tolist() == [list(expected)], (rule, sides)


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("rule", "before", "now", "cause"),
    [
        ("root-access-key", KEYED_ROOT, the_root(), "access key of 2023-08-05 deleted"),
        (
            "root-used",
            the_root(password_enabled="true", password_last_used="2026-04-21T09:30:00Z"),
            the_root(password_enabled="true", password_last_used="2026-04-21T09:30:00Z"),
            "passed the limit of 30 days",
        ),
        ("root-access-key", KEYED_ROOT, NO_ROOT, "no root row in the later report"),
        ("root-access-key", NO_ROOT, KEYED_ROOT, "no root row in the earlier report"),
    ],
)
def test_a_finding_about_the_root_has_its_cause(
    tmp_path: Path, rule: str, before: Any, now: Any, cause: str
) -> None:
    frame = compared(tmp_path, [a_user()], [a_user()], rule, (before, now))
    assert frame["cause"].tolist() == [cause]


@pytest.mark.no_cover
def test_contradicting_rows_are_one_finding_and_named_as_contradicting(tmp_path: Path) -> None:
    twice = [user(), user(password=a_password(SINCE, FRESH))]
    frame = compared(tmp_path, [user()], twice, "idle-password")
    assert frame["cause"].tolist() == ["rows contradict each other now: last sign-in"]


@pytest.mark.no_cover
def test_a_rule_of_ones_own_that_names_no_columns_has_all_that_happened_as_its_cause(
    tmp_path: Path,
) -> None:
    every = analyzer.rulebook(rules="console-user-without-mfa").rules[0]
    own = replace(every, id="own-rule", reads=())
    frame = compared(tmp_path, [user(mfa=False)], [user(password=a_password(SINCE, FRESH))], own)
    assert frame["cause"].tolist() == [f"signed in again on {DAY}; MFA device registered"]


def a_finding(
    *, days: int | None = None, outcome: Outcome = Outcome.FAILS, fact: str = "", number: int = 0
) -> Finding:
    return Finding(f"rule-{number}", None, outcome, fact, days, "")


def cause(
    rule: str, limit: int | None, finding: Finding, *, is_new: bool, elapsed: int = 30
) -> str:
    limited = LimitedRule(analyzer.rulebook(rules=rule).rules[0], limit)
    before, now = (Finding(), finding) if is_new else (finding, Finding())
    return cause_of_finding(FindingChange(before, now), limited, elapsed, ())


@pytest.mark.parametrize(
    ("days", "is_new", "passes"),
    [
        # New: at the limit now, not yet past it before.
        (44, True, False),
        (45, True, True),
        (75, True, True),
        (76, True, False),
        (None, True, False),
        # Resolved: few days before, at the limit or more now.
        (14, False, False),
        (15, False, True),
        (44, False, True),
        (45, False, False),
        (None, False, False),
    ],
)
def test_a_limit_is_passed_where_the_days_reach_it_between_the_reports(
    days: int | None, *, is_new: bool, passes: bool
) -> None:
    finding = a_finding(days=days)
    text = cause("idle-access-key", 45, finding, is_new=is_new)
    assert (text == "passed the limit of 45 days") is passes
    assert passes or text == "30 days passed between the reports"


def test_a_day_is_one_day() -> None:
    at_limit = partial(cause, finding=a_finding(days=1), is_new=True)
    assert at_limit("idle-access-key", 1) == "passed the limit of 1 day"
    assert at_limit("expired-password", None, elapsed=1) == "1 day passed between the reports"


def test_where_time_does_not_matter_and_nothing_is_known_no_cause_is_made_up() -> None:
    for rule in ("console-user-without-mfa", "two-active-access-keys"):
        assert cause(rule, None, a_finding(days=3), is_new=True) == ""


def test_findings_on_two_keys_of_one_second_are_two() -> None:
    one, undecided = a_finding(), a_finding(outcome=Outcome.UNDECIDED)
    assert not [*changed_findings([one, one], [one, one])]
    assert [*changed_findings([one, one], [one])] == [(one, Finding())]
    assert [*changed_findings([one], [one, undecided])] == [(Finding(), undecided)]
    assert [*changed_findings([one], [undecided])] == [(one, undecided)]


def test_findings_of_different_rules_are_different() -> None:
    before, now = a_finding(number=1), a_finding(number=2)
    changed = [*changed_findings([before], [now])]
    assert changed == [(before, Finding()), (Finding(), now)]


@pytest.mark.no_cover
def test_a_key_that_passes_a_limit_of_the_rules_own_has_the_time_as_its_cause(
    tmp_path: Path,
) -> None:
    limit = (LATER - ONE_KEY).days - 1
    rule = replace(
        analyzer.rulebook(rules="unrotated-access-key").rules[0],
        id="own-limit",
        threshold=None,
        fixed_limit=limit,
        judge=lambda facts, _: facts.key_age.more_than(limit),
    )
    user = [a_user("ann", key_1=a_key(ONE_KEY, FRESH))]
    frame = compared(tmp_path, user, user, rule)
    assert frame[["change", "cause"]].to_numpy().tolist() == [
        ["finding-new", f"passed the limit of {limit} days"]
    ]
