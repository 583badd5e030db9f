"""A history shows a period from all reports of each account, and says what it cannot show."""

from collections import defaultdict
from collections.abc import Hashable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analyzer.changes.history import ALL
from analyzer.changes.timeline import Span
from analyzer.errors import InputRefused
from analyzer.terms import Verdict
from analyzer.writers.history import remarks
from tests.changes.test_random_histories import adds_up, check
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
from tests.support.histories import Named, a_year, history_of
from tests.support.history_oracle import Given, period_of

JANUARY = datetime(2026, 1, 1, 9, 30, tzinfo=UTC)
BORN = datetime(2025, 6, 1, tzinfo=UTC)
ACCOUNT = "012345678901"


def day(number: float) -> datetime:
    return JANUARY + timedelta(days=number)


def report(number: int, *users: Row, name: str = "", account: str = ACCOUNT) -> Named:
    root = the_root(account, password_last_used=BORN)
    text = report_text(users, root=root)
    return f"{account}/{name or console_name(day(number))}", text.encode()


def person(name: str = "ann", **has: Any) -> Row:
    return a_user(name, **{"created": BORN, **has})


def happened(*reports: Named) -> list[tuple[str, str]]:
    events = history_of([*reports]).events
    return [*zip(events["event"], events["detail"], strict=True)]


def numbers(*reports: Named) -> dict[Hashable, Any]:
    row = history_of([*reports]).period.iloc[-1].to_dict()
    assert adds_up(row)
    return row


def test_every_number_of_a_year_is_that_of_an_independent_count() -> None:
    files: list[Named] = []
    given: dict[str, list[Given]] = defaultdict(list)
    for file, one in a_year():
        files.append(file)
        given[one.account].append(one)
    told = history_of(files)
    until = max(one.at for each in given.values() for one in each if one.at)
    check(told, {account: period_of(each, None, until, 31) for account, each in given.items()})
    every = told.period.iloc[-1]
    assert (every["reports"], every["users_start"], told.gaps) == (32, 180, 3)
    assert every["renamed"] == 3
    again = told.users.groupby(["account", "arn"]).size()
    assert (again == 2).sum() == 3
    last = told.trend.iloc[-1]
    ends = told.users["verdict_end"].value_counts()
    assert {each: last[each] for each in map(str, Verdict)} == {
        each: ends.get(each, 0) for each in map(str, Verdict)
    }
    status = told.reports["status"].value_counts()
    assert status["counts"] == 32
    assert status.filter(like="same report").sum() == 1
    assert status.filter(like="assumed").sum() == 1


EVENTS: tuple[tuple[dict[str, Any], dict[str, Any], list[tuple[str, str]]], ...] = (
    ({}, {}, []),
    ({}, {"password": a_password(NEVER, day(1))}, [("password", "password set on 2026-01-02")]),
    ({"key_1": a_key(BORN, day(-1))}, {"key_1": a_key(BORN, day(1))}, []),
    (
        {"key_1": a_key(BORN, day(-200))},
        {"key_1": a_key(BORN, day(1))},
        [
            ("verdict", "dormant -> active"),
            ("key-use", "access key of 2025-06-01 used again on 2026-01-02"),
        ],
    ),
    (
        {"key_1": a_key(BORN)},
        {"key_1": a_key(BORN, day(1))},
        [
            ("verdict", "dormant -> active"),
            ("key-use", "access key of 2025-06-01 first used on 2026-01-02"),
        ],
    ),
    (
        {"key_1": a_key(BORN, day(-1))},
        {"key_1": a_key(BORN, day(-2))},
        [
            (
                "key-use-lost",
                (
                    "access key of 2025-06-01: last use went back from"
                    " 2025-12-31 09:30:00 to 2025-12-30 09:30:00 UTC"
                ),
            )
        ],
    ),
    ({}, {"mfa": True}, [("mfa", "MFA device registered")]),
    (
        {"key_1": a_key(BORN, day(-1))},
        {"key_1": a_key(BORN, day(1)), "mfa": True},
        [("mfa", "MFA device registered")],
    ),
    (
        {},
        {"certificate_1": a_certificate(day(1))},
        [("certificate", "signing certificate created on 2026-01-02")],
    ),
    (
        {"password": a_password(day(-1), BORN)},
        {"password": a_password(day(-1), BORN) | {"password_next_rotation": day(50)}},
        [],
    ),
    (
        {"password": a_password(day(-1), BORN)},
        {"password_enabled": "??"},
        [
            ("verdict", "active -> undetermined"),
            ("sign-in-lost", "last sign-in of 2025-12-31 no longer in the report"),
            ("not-understood", "password not understood now"),
        ],
    ),
)


def test_events_say_what_changed_and_leave_out_further_use_of_what_is_in_use() -> None:
    accounts = [f"{number:012}" for number in range(len(EVENTS))]
    reports = [
        report(number, person(account=account, **cells), account=account)
        for account, (before, now, _) in zip(accounts, EVENTS, strict=True)
        for number, cells in ((0, before), (7, now))
    ]
    events = history_of(reports).events
    for account, (before, now, expected) in zip(accounts, EVENTS, strict=True):
        own = events[events["account"] == account]
        assert [*zip(own["event"], own["detail"], strict=True)] == expected, (before, now)


def test_a_user_created_again_is_another_user() -> None:
    again = person(created=day(3))
    assert happened(report(0, person()), report(7, again)) == [
        ("gone", "user deleted or renamed; created on 2025-06-01"),
        ("created", "user created on 2026-01-04"),
    ]


@pytest.mark.no_cover
@pytest.mark.parametrize(("created", "word"), [(-1, "appeared"), (0, "created"), (1, "created")])
def test_who_was_created_before_the_preceding_report_has_appeared(created: int, word: str) -> None:
    row = numbers(report(0), report(7, person(created=day(0) + timedelta(seconds=created))))
    assert (row["created"], row["appeared"]) == ((1, 0) if word == "created" else (0, 1))


@pytest.mark.no_cover
def test_a_renamed_user_counts_as_removed_and_created() -> None:
    row = numbers(
        report(0, person("ann"), person("bo", created=day(-3))), report(7, person("anna"))
    )
    assert (row["removed"], row["created"], row["appeared"], row["renamed"]) == (2, 1, 0, 1)
    hint = "possibly renamed: another user has this creation time"
    assert happened(report(0, person("ann")), report(7, person("anna"))) == [
        ("gone", f"user deleted or renamed; created on 2025-06-01; {hint}"),
        ("created", f"user created on 2025-06-01; {hint}"),
    ]


@pytest.mark.no_cover
def test_a_user_without_a_creation_time_is_known_by_its_name() -> None:
    unread = person(user_creation_time="??")
    told = history_of([report(0, person()), report(7, unread), report(14, person())])
    assert told.events["event"].tolist() == []
    assert told.users["by_name"].tolist() == [True]
    nameless = history_of([report(0, unread), report(7, unread), report(14)])
    assert nameless.users["created"].isna().all()
    assert nameless.events["detail"].tolist() == [
        "user deleted or renamed; created on an unknown day"
    ]


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (None, None, (0, 60)),
        (0, 60, (0, 60)),
        (31, 60, (0, 60)),
        (32, 60, (60, 60)),
        (-5, 60, (0, 60)),
        (0, 31, (0, 0)),
        (0, 91, (0, 60)),
        (0, 59, (0, 60)),
        (0, 92, None),
    ],
)
def test_the_period_begins_and_ends_with_a_report_near_its_edges(
    since: int | None, until: int | None, expected: tuple[int, int] | None
) -> None:
    first, last = (None if each is None else day(each) for each in (since, until))
    span = Span(since=first, until=last)
    told = history_of([report(0, person()), report(60, person())], span)
    row = told.period.iloc[0]
    if expected is None:
        assert told.missing
        reason = "no report within 31 days of 2026-04-03; the nearest is of 2026-03-02"
        inside = "2 reports of 2026-01-01 to 2026-03-02 in the period"
        way_out = f"{inside}: end it there, or allow a longer one by --max-gap"
        assert told.not_covered[0].reason == f"{reason}; {way_out}"
        assert row["reports"] == 0
        numbers = told.period.loc[:, "longest_gap":"unused_end"]
        assert numbers.isna().all(axis=None)  # as nothing is known, "none" is not said
        assert told.reports["status"].tolist() == ["the account is not covered"] * 2
        assert len(told.users) == 0
    else:
        assert (row["first"], row["last"]) == tuple(map(day, expected))


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (None, None, []),
        (0, 60, []),
        (0.9, 60.9, []),
        (
            *(1, 61),
            [
                "begins with the report of 2026-01-01, 1 day before its start 2026-01-02",
                "ends with the report of 2026-03-02, 1 day before its end 2026-03-03",
            ],
        ),
        (-1, 60, ["begins with the report of 2026-01-01, 1 day after its start 2025-12-31"]),
        (
            *(-0.1, -0.1),
            [
                "begins with the report of 2026-01-01, less than 1 day after its start 2026-01-01",
                "ends with the report of 2026-01-01, less than 1 day after its end 2026-01-01",
            ],
        ),
    ],
)
def test_an_edge_of_the_period_without_a_report_is_named_with_both_days(
    since: float | None, until: float | None, expected: list[str]
) -> None:
    edges = {"since": since, "until": until}
    span = Span(**{name: day(at) for name, at in edges.items() if at is not None}, max_gap=60)
    shown = history_of([report(0, person()), report(60, person())], span)
    assert [*remarks(shown)] == [f"The period {text}: account {ACCOUNT}." for text in expected]


def test_no_report_is_named_in_a_period_that_has_none() -> None:
    shown = history_of([report(0, person())], Span(since=day(60), until=day(120)))
    assert shown.not_covered[0].reason.endswith("; the nearest is of 2026-01-01")


@pytest.mark.no_cover
@pytest.mark.parametrize(("apart", "gaps"), [(30, 0), (31, 0), (32, 1)])
@pytest.mark.parametrize("edge", ["between", "since"])
def test_a_gap_longer_than_the_limit_is_named(apart: int, gaps: int, edge: str) -> None:
    later = [report(0, person()), report(apart, person())]
    told = (
        history_of(later)
        if edge == "between"
        else history_of([report(apart, person())], Span(since=day(0)))
    )
    assert (told.gaps, bool(told.missing)) == (gaps, bool(gaps))
    assert told.period["gap_days"].tolist() == [apart * gaps] * 2


def test_undetermined_reports_do_not_end_a_time_without_use() -> None:
    unread = person(password_enabled="??")
    told = history_of([report(0, person()), report(7, unread), report(14, person()), report(21)])
    (user,) = told.users.to_dict("records")
    assert (user["unused_since"], user["at_least"], user["days_unused"]) == (day(0), True, 14)
    row = told.period.iloc[0]
    assert (row["unused_start"], row["newly_unused"], row["back_in_use"]) == (1, 0, 0)
    assert (row["median_days_at_least"], row["unused_removed"]) == (14, 1)


@pytest.mark.no_cover
def test_days_from_first_unused_to_gone_lie_between_two_bounds() -> None:
    used = person(key_1=a_key(BORN, day(-1)))
    row = numbers(report(0, used), report(7, person()), report(14, person()), report(24))
    assert (row["median_days_at_least"], row["median_days_at_most"]) == (7, 24)
    row = numbers(report(0), report(7, person(created=day(1))), report(14))
    assert (row["longest_days_at_least"], row["longest_days_at_most"]) == (0, 14)


def test_the_same_report_counts_once_and_another_of_that_moment_is_refused() -> None:
    one, other = report(0, person()), report(0, person("bo"))
    again = f"again/{one[0]}", one[1].replace(b"Z", b"+00:00")
    told = history_of([one, again, report(7, person())])
    assert told.period["reports"].tolist() == [2, 2]
    assert f"same report as {one[0]}" in told.reports["status"].tolist()
    with pytest.raises(InputRefused, match="which of the two is later is not known"):
        history_of([one, (f"again/{other[0]}", other[1])])


def test_a_day_without_a_time_is_ordered_by_the_newest_timestamp() -> None:
    morning, evening = person(), person(key_1=a_key(day(0)))
    folder = day(0).date().isoformat()
    two = report(0, evening, name=f"{folder}/b.csv"), report(0, morning, name=f"{folder}/a.csv")
    assert [event for event, _ in happened(*two)] == ["verdict", "access-key"]
    with pytest.raises(InputRefused, match="name the files so that they have a time"):
        history_of([two[0], report(0, person(key_2=a_key(day(0))), name=f"{folder}/a.csv")])


def test_a_report_whose_time_is_assumed_orders_nothing() -> None:
    told = history_of([report(0, person()), report(0, name="report.csv"), report(7, person())])
    assert told.period["reports"].tolist() == [2, 2]
    assert told.reports["status"].str.contains("assumed").sum() == 1
    with pytest.raises(InputRefused, match="nothing shows when it was made"):
        history_of([report(0, person(), name="report.csv")])


def test_reports_that_name_no_account_are_refused() -> None:
    with pytest.raises(InputRefused, match="Set the account of such reports"):
        history_of([report(0, person(arn="N/A"))])


def test_users_whose_arn_is_masked_are_told_apart_by_name() -> None:
    root = the_root(arn="arn:aws:iam::0123456XXXXX:root")
    ann, bo = (a_user(name, arn=f"arn:aws:iam::0123456XXXXX:user/{name}") for name in ("ann", "bo"))
    texts = (report_text(users, root=root) for users in ([ann, bo], [ann]))
    reports = [(console_name(day(at * 7)), text.encode()) for at, text in enumerate(texts)]
    assert history_of(reports).period["removed"].tolist() == [1, 1]


@pytest.mark.no_cover
def test_rows_that_contradict_each_other_are_one_undetermined_user_of_that_report() -> None:
    two = person(), person(password_enabled="true")
    told = history_of([report(0, person()), report(7, *two), report(14, person())])
    assert [
        (row["verdict_start"], row["verdict_end"]) for row in told.users.to_dict("records")
    ] == [("unused", "unused")]
    assert told.trend["undetermined"].tolist() == [0, 1, 0]


@pytest.mark.no_cover
def test_an_account_without_users_has_a_history_too() -> None:
    row = numbers(report(0), report(7))
    assert (row["reports"], row["users_start"], row["users_end"]) == (2, 0, 0)


@pytest.mark.no_cover
def test_several_accounts_each_begin_and_end_with_their_own_reports() -> None:
    other = "999999999999"
    told = history_of(
        [
            report(0, person()),
            report(30, person()),
            report(5, person(account=other), account=other),
            report(33, account=other),
        ]
    )
    assert told.period["account"].tolist() == [ACCOUNT, other, ALL]
    assert told.period["users_end"].tolist() == [1, 0, 1]
    assert told.trend["unused"].tolist() == [1, 2, 2, 1]
