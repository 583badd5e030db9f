"""A history shows a period from all reports of each account, and says what it cannot show."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import pytest

from analyzer.changes.history import ALL, History
from analyzer.changes.period import Span
from analyzer.errors import InputRefused
from analyzer.writers.history import remarks
from tests.changes.test_random_histories import adds_up
from tests.support.builders import (
    NEVER,
    Row,
    a_certificate,
    a_key,
    a_password,
    a_user,
    report_text,
    the_root,
)
from tests.support.decisions import console_name
from tests.support.histories import Named, history_of

JANUARY = datetime(2026, 1, 1, 9, 30, tzinfo=UTC)
BORN = datetime(2025, 6, 1, tzinfo=UTC)
ACCOUNT = "012345678901"


def day(number: float) -> datetime:
    return JANUARY + timedelta(days=number)


def report(number: int, *users: Row, name: str = "", account: str = ACCOUNT) -> Named:
    root = the_root(password_last_used=BORN)
    text = report_text(users, root=root).replace(ACCOUNT, account)
    return f"{account}/{name or console_name(day(number))}", text.encode()


def person(name: str = "ann", **has: Any) -> Row:
    return a_user(name, **{"created": BORN, **has})


class Story(NamedTuple):
    """Hold the users in weekly reports of an account, and what is said: events and some numbers."""

    weeks: Sequence[Sequence[Row]]
    events: Sequence[str] | None
    numbers: Mapping[str, Any]


def story(*weeks: Sequence[Row], events: Sequence[str] | None = None, **numbers: Any) -> Story:
    return Story(weeks, events, numbers)


def two(before: Row, now: Row, *events: str) -> Story:
    return story([before], [now], events=events)


def with_key(used: datetime | None = None, **more: Any) -> Row:
    return person(key_1=a_key(BORN, used or "N/A"), **more)


def just_created(seconds: int) -> Row:
    return person(created=day(0) + timedelta(seconds=seconds))


ANN, UNREAD, NO_TIME = person(), person(password_enabled="??"), person(user_creation_time="??")
ANNA = person("anna")
SIGNED_IN, ACTIVE = a_password(day(-1), BORN), with_key(day(-1))
EXPIRING = SIGNED_IN | {"password_next_rotation": day(50)}
CERTIFICATE = person(certificate_1=a_certificate(day(1)))
PASSWORD = person(password=a_password(NEVER, day(1)))
SIGNING = "certificate: signing certificate created on 2026-01-02"
AWAKE, OF_KEY = "verdict: dormant -> active", "access key of 2025-06-01"
WENT_BACK = "last use went back from 2025-12-31 09:30:00 to 2025-12-30 09:30:00 UTC"
LOST = "sign-in-lost: last sign-in of 2025-12-31 no longer in the report"
UNCLEAR = "verdict: active -> undetermined", LOST, "not-understood: password not understood now"
DELETED, HINT = "gone: user deleted or renamed; created on", "another user has this creation time"
GONE = f"{DELETED} 2025-06-01"
AGAIN = "created: user created on 2026-01-04"
EARLIER = "created: not in the earlier report; created on 2025-06-01"
RENAMED = [f"{x}; possibly renamed: {HINT}" for x in (GONE, EARLIER)]
STORIES: dict[str, Story] = {
    "nothing happened": two(ANN, ANN),
    "a password was set": two(ANN, PASSWORD, "password: password set on 2026-01-02"),
    "an active key was used again": two(ACTIVE, with_key(day(1))),
    "a dormant key was used again": two(
        with_key(day(-200)), with_key(day(1)), AWAKE, f"key-use: {OF_KEY} used again on 2026-01-02"
    ),
    "a key was first used": two(
        with_key(), with_key(day(1)), AWAKE, f"key-use: {OF_KEY} first used on 2026-01-02"
    ),
    "a use went back": two(ACTIVE, with_key(day(-2)), f"key-use-lost: {OF_KEY}: {WENT_BACK}"),
    "MFA was added": two(ANN, person(mfa=True), "mfa: MFA device registered"),
    "MFA and use": two(ACTIVE, with_key(day(1), mfa=True), "mfa: MFA device registered"),
    "a certificate came": two(ANN, CERTIFICATE, SIGNING),
    "a password expires": two(person(password=SIGNED_IN), person(password=EXPIRING)),
    "a sign-in is lost": two(person(password=SIGNED_IN), UNREAD, *UNCLEAR),
    "a user created again is another user": two(ANN, person(created=day(3)), GONE, AGAIN),
    "created before the preceding report": story([], [just_created(-1)], created=0, appeared=1),
    "created at the preceding report": story([], [just_created(0)], created=1, appeared=0),
    "created after the preceding report": story([], [just_created(1)], created=1, appeared=0),
    "a renamed user counts as removed and created": story(
        [ANN], [ANNA], events=RENAMED, removed=1, created=1, appeared=0, renamed=1
    ),
    "not everyone removed was renamed": story(
        [ANN, person("bo", created=day(-3))], [ANNA], removed=2, created=1, appeared=0, renamed=1
    ),
    "a user without a creation time is known by name": story([ANN], [NO_TIME], [ANN], events=[]),
    "it was never known": story([NO_TIME], [NO_TIME], [], events=[f"{DELETED} an unknown day"]),
    "undetermined reports do not end a time without use": story(
        *([ANN], [UNREAD], [ANN], []),
        unused_start=1,
        newly_unused=0,
        back_in_use=0,
        unused_removed=1,
        median_days_at_least=14,
    ),
    "from first unused to gone the days lie between two bounds": story(
        [ACTIVE], [ANN], [ANN], [], median_days_at_least=7, median_days_at_most=21
    ),
    "who came and went between was unused for some days at most": story(
        [], [person(created=day(1))], [], longest_days_at_least=0, longest_days_at_most=13
    ),
    "identical rows are one user": story(
        [ANN], [ANN, ANN], [ANN], users_start=1, users_end=1, removed=0
    ),
    "without users there is a history too": story([], [], reports=2, users_start=0, users_end=0),
}
ACCOUNTS = {promise: f"{number:012}" for number, promise in enumerate(STORIES)}


@cache
def every_story() -> History:
    """Read all stories as one history, each in an account of its own."""
    return history_of(
        [
            report(7 * week, *users, account=ACCOUNTS[promise])
            for promise, story in STORIES.items()
            for week, users in enumerate(story.weeks)
        ]
    )


@pytest.mark.parametrize("promise", STORIES)
def test_a_history_shows_that(promise: str) -> None:
    account, (_, expected, numbers) = ACCOUNTS[promise], STORIES[promise]
    events, period = every_story().events, every_story().period
    (row,) = period[period["account"] == account].to_dict("records")
    assert adds_up(row)
    assert {name: row[name] for name in numbers} == numbers
    if expected is not None:
        own = events[events["account"] == account]
        assert list(own["event"] + ": " + own["detail"]) == list(expected)


def test_a_user_has_its_times_and_is_known_by_its_name_if_need_be() -> None:
    users = every_story().users.set_index("account")
    user = users.loc[ACCOUNTS["undetermined reports do not end a time without use"]]
    assert (user["unused_since"], user["at_least"], user["days_unused"]) == (day(0), True, 14)
    assert users.loc[ACCOUNTS["a user without a creation time is known by name"], "by_name"]
    assert users.loc[[ACCOUNTS["it was never known"]], "created"].isna().all()
    user = users.loc[ACCOUNTS["identical rows are one user"]]
    assert (user["verdict_start"], user["verdict_end"]) == ("unused", "unused")


MARCH = [report(0, ANN), report(60, ANN)]
"""Reports of 2026-01-01 and 2026-03-02."""

EDGES = (
    ((None, None, 0, 60), (31, 60, 0, 60))
    + ((32, 60, 60, 60), (-5, 60, 0, 60))
    + ((0, 31, 0, 0), (0, 59, 0, 60), (0, 91, 0, 60))
)
"""The edges of a period, and the days of the reports with which it begins and ends."""


@pytest.mark.no_cover
def test_the_period_begins_and_ends_with_a_report_near_its_edges() -> None:
    for since, until, *expected in EDGES:
        first, last = (None if each is None else day(each) for each in (since, until))
        row = history_of(MARCH, Span(since=first, until=last)).period.iloc[0]
        assert (row["first"], row["last"]) == tuple(map(day, expected)), (since, until)


def test_without_a_report_near_the_edge_nothing_is_said_of_the_account_and_why() -> None:
    shown = history_of(MARCH, Span(since=day(0), until=day(92)))
    reason = "no report within 31 days of 2026-04-03; the nearest is of 2026-03-02"
    inside = "2 reports of 2026-01-01 to 2026-03-02 in the period"
    way_out = f"{inside}: end the period there, or allow a longer gap with --max-gap"
    assert (shown.not_covered[0].reason, bool(shown.missing)) == (f"{reason}; {way_out}", True)
    assert shown.period["reports"].tolist()[0] == 0
    numbers = shown.period.loc[:, "longest_gap":"unused_end"]
    assert numbers.isna().all(axis=None)  # as nothing is known, "none" is not said
    assert shown.reports["status"].tolist() == ["the account is not covered"] * 2
    assert len(shown.users) == 0
    alone = history_of([report(0, ANN)], Span(since=day(60), until=day(120)))
    assert alone.not_covered[0].reason.endswith("; the nearest is of 2026-01-01")


BEGINS, ENDS = "begins with the report of 2026-01-01,", "ends with the report of 2026-03-02,"
EDGES_AFTER = (BEGINS, "start"), ("ends with the report of 2026-01-01,", "end")
JUST_AFTER = [f"{edge} less than 1 day after its {name} 2026-01-01" for edge, name in EDGES_AFTER]
BEFORE = [f"{BEGINS} 1 day before its start 2026-01-02", f"{ENDS} 1 day before its end 2026-03-03"]
REMARKS: tuple[tuple[float | None, float | None, list[str]], ...] = (
    *((None, None, []), (0, 60, []), (0.9, 60.9, []), (1, 61, BEFORE)),
    (-1, 60, [f"{BEGINS} 1 day after its start 2025-12-31"]),
    (-0.1, -0.1, JUST_AFTER),
    (-9.5 / 24, 60, []),  # the start of the day
)


@pytest.mark.no_cover
def test_an_edge_of_the_period_without_a_report_is_named_with_both_days() -> None:
    for since, until, expected in REMARKS:
        edges = {"since": since, "until": until}
        span = Span(**{name: day(at) for name, at in edges.items() if at is not None}, max_gap=60)
        said = list(remarks(history_of(MARCH, span)))
        assert said == [f"The period {text}: account {ACCOUNT}." for text in expected]


@pytest.mark.no_cover
def test_a_gap_longer_than_the_limit_is_named_between_reports_and_before_the_first() -> None:
    for apart, gaps in ((31, 0), (32, 1)):
        between = history_of([report(0, ANN), report(apart, ANN)])
        before = history_of([report(apart, ANN)], Span(since=day(0)))
        for shown in (between, before):
            assert (shown.gap_count, bool(shown.missing)) == (gaps, bool(gaps))
            assert shown.period["gap_days"].tolist() == [apart * gaps] * 2


def test_the_same_report_counts_once_and_another_of_that_moment_is_refused() -> None:
    one, other = report(0, ANN), report(0, person("bo"))
    again = f"again/{one[0]}", one[1].replace(b"Z", b"+00:00")
    shown = history_of([one, again, report(7, ANN)])
    assert shown.period["reports"].tolist() == [2, 2]
    assert f"same report as {one[0]}" in shown.reports["status"].tolist()
    with pytest.raises(InputRefused, match="which of the two is later is not known"):
        history_of([one, (f"again/{other[0]}", other[1])])


def test_a_history_of_reports_without_any_user_has_no_users() -> None:
    shown = history_of([report(0), report(7)])
    assert shown.period["reports"].tolist() == [2, 2]
    assert shown.period["users_end"].tolist() == [0, 0]
    assert shown.users.empty
    assert shown.events.empty


def test_reports_whose_order_is_not_known_are_refused_by_name() -> None:
    folder = day(0).date().isoformat()
    at_night = [f"{folder}/{name}.csv" for name in "ab"]
    console, later, assumed = report(0, ANN), report(7, ANN), report(0, ANN, name="report.csv")
    equal = [report(0, ANN, name=name) for name in at_night]
    assert history_of(equal + [later]).period["reports"].tolist() == [2, 2]
    assert history_of([assumed]).period["reports"].tolist() == [1, 1]
    different = [equal[0], report(0, person("bo"), name=at_night[1])]
    for pair in (different, [equal[0], console], [assumed, later], [assumed, console]):
        with pytest.raises(InputRefused, match="which of the two is later is not known") as refused:
            history_of(list(pair))
        assert all(name in str(refused.value) for name, _ in pair)
    assert len(history_of([equal[0], report(1, ANN)]).reports) == 2
    lacking = report(0, name=at_night[1])
    with pytest.raises(InputRefused, match="like another report of account"):
        history_of([lacking, equal[0], later])


@pytest.mark.no_cover
def test_several_accounts_each_begin_and_end_with_their_own_reports() -> None:
    other = "999999999999"
    of_other = report(5, ANN, account=other), report(33, account=other)
    shown = history_of([report(0, ANN), report(30, ANN), *of_other])
    assert shown.period["account"].tolist() == [ACCOUNT, other, ALL]
    assert shown.period["users_end"].tolist() == [1, 0, 1]
