"""What became of the users that were to be deactivated or deleted, over four quarters."""

import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import analyzer
from analyzer.analysis import Analysis
from analyzer.follow_up import COLUMNS, FollowUpStatus, as_text, follow_up_counts
from analyzer.review import Review
from analyzer.review_columns import Decision
from analyzer.writers.follow_up import write_follow_up
from tests.support.builders import (
    LONG_AGO,
    Row,
    a_certificate,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    report_text,
    saved,
    table,
)
from tests.support.reading import OTHER_ACCOUNT
from tests.support.reviews import arn_of, decision_on, review_of

DECIDED = date(2026, 1, 10)
QUARTERS = [datetime(2026, month, 1, 12, tzinfo=UTC) for month in (1, 4, 7, 10)]
SEEN = QUARTERS[0]
LATER = datetime(2026, 3, 20, 8, tzinfo=UTC)
DELETE, DEACTIVATE = Decision.DELETE, Decision.DEACTIVATE


def analysis_of(
    folder: Path, review: Review, *users: Row, as_of: datetime = QUARTERS[1]
) -> Analysis:
    report = analyzer.load(saved(folder, report_text(users)), as_of=as_of)
    return analyzer.analyze(report, review=review)


def decided(decision: Decision, name: str = "ann", **cells: Any) -> Review:
    return review_of(decision_on(name, decision, DECIDED, as_of=SEEN, **cells))


def state(folder: Path, review: Review, *users: Row, **as_of: datetime) -> tuple[str, str]:
    frame = analysis_of(folder, review, *users, **as_of).follow_up
    ((status, fact),) = zip(frame["status"], frame["fact"], strict=True)
    return status, fact


GONE = ("done", "The user is gone.")
POWERLESS = ("done", "The user has no working credentials.")
STILL_THERE = ("not-done", "The user is still there, 81 days after the decision.")
STILL_WORKS = ("not-done", "The user still has working credentials, 81 days after the decision.")
USED = ("overtaken", "Used since the review, on 2026-03-20: check before you act.")
UNCLEAR = ("unknown", "The report does not show enough of the user.")
CASES: list[tuple[Decision, Row | None, tuple[str, str]]] = [
    (DELETE, None, GONE),
    (DEACTIVATE, None, GONE),
    (DELETE, a_user("ann"), STILL_THERE),
    (DEACTIVATE, a_user("ann"), POWERLESS),
    (DEACTIVATE, a_user("ann", key_1=an_inactive_key(LONG_AGO, LATER)), POWERLESS),
    (DEACTIVATE, a_user("ann", password=a_password()), STILL_WORKS),
    (DEACTIVATE, a_user("ann", key_2=a_key()), STILL_WORKS),
    (DEACTIVATE, a_user("ann", certificate_1=a_certificate()), STILL_WORKS),
    (DELETE, a_user("ann", password=a_password(LATER)), USED),
    (DEACTIVATE, a_user("ann", key_2=a_key(LONG_AGO, LATER)), USED),
    (DELETE, a_user("ann", key_1=an_inactive_key(LONG_AGO, LATER)), USED),
    (DELETE, a_user("ann", password=a_password(SEEN)), STILL_THERE),
    (
        DELETE,
        a_user("ann", password=a_password(SEEN + timedelta(seconds=1))),
        ("overtaken", "Used since the review, on 2026-01-01: check before you act."),
    ),
    (DELETE, a_user("ann", password_enabled="maybe"), UNCLEAR),
    (DEACTIVATE, a_user("ann", access_key_1_active="maybe"), UNCLEAR),
    (DEACTIVATE, a_user("ann", cert_1_active="maybe"), UNCLEAR),
    (
        DELETE,
        a_user("ann", created=LATER),
        ("done", "The user is gone; another of this name was created on 2026-03-20."),
    ),
    (
        DELETE,
        a_user("ann", user_creation_time="?"),
        ("unknown", "The report has a user of this ARN whose creation time is not understood."),
    ),
]


@pytest.mark.parametrize(("decision", "user", "expected"), CASES)
def test_what_the_new_report_shows_of_a_decision(
    decision: Decision, user: Row | None, expected: tuple[str, str], tmp_path: Path
) -> None:
    users = [a_user("bob"), *([user] if user else [])]
    assert state(tmp_path, decided(decision), *users) == expected


def test_without_as_of_a_use_since_the_day_of_the_decision_is_news(tmp_path: Path) -> None:
    review = review_of(decision_on("ann", DELETE, DECIDED))
    day = datetime(2026, 1, 10, tzinfo=UTC)
    same, later = (a_user("ann", password=a_password(day + timedelta(seconds=s))) for s in (0, 1))
    assert state(tmp_path, review, same) == STILL_THERE
    assert state(tmp_path, review, later)[0] == "overtaken"


def test_an_account_that_is_not_covered_stays_unknown(tmp_path: Path) -> None:
    review = decided(DELETE, arn=arn_of("ann", OTHER_ACCOUNT))
    analysis = analysis_of(tmp_path, review, a_user("ann"))
    (row,) = analysis.follow_up.to_dict("records")
    assert (row["status"], row["fact"]) == ("unknown", "The account is not covered.")
    assert (row["report"], row["days"], row["overdue"]) == ("", 81, True)


def test_a_user_whose_creation_time_the_review_does_not_show_stays_unknown(
    tmp_path: Path,
) -> None:
    assert state(tmp_path, decided(DELETE, created=None), a_user("ann")) == (
        "unknown",
        "The review does not show when the user was created.",
    )


def test_only_decisions_to_delete_or_deactivate_are_followed_up(tmp_path: Path) -> None:
    review = review_of(*(decision_on(word, word) for word in Decision))
    analysis = analysis_of(tmp_path, review)
    assert sorted(analysis.follow_up["user"]) == ["deactivate", "delete"]


@pytest.mark.parametrize(
    ("days", "due_days", "overdue"),
    [(29, 30, False), (30, 30, False), (31, 30, True), (1, 0, True), (0, 0, False)],
)
def test_a_decision_is_overdue_after_the_last_day(
    days: int, due_days: int, *, overdue: bool, tmp_path: Path
) -> None:
    day = (QUARTERS[1] - timedelta(days)).date()
    review = review_of(decision_on("ann", DELETE, day), due_days=due_days)
    (row,) = analysis_of(tmp_path, review, a_user("ann")).follow_up.to_dict("records")
    assert (row["days"], row["overdue"]) == (days, overdue)


def test_a_user_whom_a_filter_leaves_out_is_not_gone(tmp_path: Path) -> None:
    analysis = analysis_of(tmp_path, decided(DELETE), a_user("ann"))
    filtered = analysis.where(analyzer.Filter(users=("bob",)))
    assert filtered.users.empty
    pd.testing.assert_frame_equal(filtered.follow_up, analysis.follow_up)


def test_what_is_done_is_never_overdue(tmp_path: Path) -> None:
    assert not analysis_of(tmp_path, decided(DELETE), a_user("bob")).follow_up["overdue"].any()


@pytest.mark.parametrize(
    ("as_of", "status", "fact"),
    [
        (SEEN, "unknown", "The report is from before the decision."),
        (datetime(2026, 1, 9, 23, 59, 59, tzinfo=UTC), "unknown", "The report is from before"),
        (datetime(2026, 1, 10, tzinfo=UTC), "not-done", "The user is still there, 0 days after"),
        (datetime(2026, 1, 11, tzinfo=UTC), "not-done", "The user is still there, 1 days after"),
    ],
)
@pytest.mark.parametrize("users", [(a_user("ann"),), ()])
def test_a_report_from_before_the_day_of_the_decision_shows_nothing(
    tmp_path: Path, as_of: datetime, status: str, fact: str, users: tuple[Row, ...]
) -> None:
    frame = analysis_of(tmp_path, decided(DELETE), *users, as_of=as_of).follow_up
    gone = status == "not-done" and not users
    assert frame["status"].tolist() == ["done" if gone else status]
    assert frame["fact"][0].startswith("The user is gone" if gone else fact)
    assert frame[["days", "overdue"]].to_numpy().tolist() == [[int(as_of.day == 11), False]]


HISTORY: dict[str, list[Row | None]] = {
    "removed": [a_user("removed"), None, None],
    "slow": [a_user("slow"), a_user("slow"), None],
    "stays": [a_user("stays"), a_user("stays"), a_user("stays")],
    "wakes": [a_user("wakes"), a_user("wakes", password=a_password(LATER)), None],
}
EXPECTED = {
    "removed": ["not-done", "done 04", "done 04", "done 04"],
    "slow": ["not-done", "not-done", "done 07", "done 07"],
    "stays": ["not-done", "not-done", "not-done", "not-done"],
    "wakes": ["not-done", "overtaken", "done 07", "done 07"],
}


def test_over_four_quarters_each_line_says_what_was_so_and_since_when(tmp_path: Path) -> None:
    review = review_of(
        *(decision_on(name, DELETE, date(2026, 1, 1), as_of=SEEN) for name in HISTORY)
    )
    told: dict[str, list[str]] = {name: [] for name in HISTORY}
    for number, as_of in enumerate(QUARTERS):
        users = [user for every in HISTORY.values() if (user := every[min(number, 2)])]
        frame = analysis_of(tmp_path, review, *users, as_of=as_of).follow_up
        for name, status, since in zip(
            frame["user"], frame["status"], frame["done_since"], strict=True
        ):
            told[name].append(status if pd.isna(since) else f"{status} {since:%m}")
        review = with_dates_of(frame, review)
    assert told == EXPECTED


def with_dates_of(frame: pd.DataFrame, review: Review) -> Review:
    done = as_text(frame).loc[frame["done_since"].notna()]
    keys = done[["arn", "created", "decision", "decided_on"]].itertuples(index=False, name=None)
    moments = map(datetime.fromisoformat, done["done_since"])
    return replace(review, done_since=dict(zip(keys, moments, strict=True)))


def test_the_most_urgent_come_first_and_are_counted(tmp_path: Path) -> None:
    names = ("gone", "bob", "ann", "eve", "far")
    review = review_of(
        *(decision_on(name, DELETE, DECIDED, as_of=SEEN) for name in names[:4]),
        decision_on("far", DELETE, DECIDED, arn=arn_of("far", OTHER_ACCOUNT)),
    )
    users = [a_user("ann"), a_user("bob"), a_user("eve", password=a_password(LATER))]
    frame = analysis_of(tmp_path, review, *users).follow_up
    assert frame["user"].tolist() == ["eve", "ann", "bob", "far", "gone"]
    assert frame["status"].cat.categories.tolist() == list(FollowUpStatus)
    assert follow_up_counts(frame) == {
        "overtaken": 1,
        "not-done": 2,
        "unknown": 1,
        "done": 1,
        "overdue": 4,
    }


KINDS = {
    **dict.fromkeys(COLUMNS, "str"),
    **dict.fromkeys(("created", "last_use", "as_of", "done_since"), "datetime64[s, UTC]"),
    "status": "category",
    "overdue": "bool",
    "decided_on": "datetime64[s]",
    "days": "int64",
}


@pytest.mark.parametrize("review", [Review(), decided(DELETE), decided(DEACTIVATE, "bob")])
def test_the_columns_have_one_kind_whatever_there_is(review: Review, tmp_path: Path) -> None:
    frame = analysis_of(tmp_path, review, a_user("ann")).follow_up
    assert tuple(frame.columns) == COLUMNS
    assert frame.dtypes.astype(str).to_dict() == KINDS


def test_the_csv_has_a_row_a_decision_and_guards_what_looks_like_a_formula(
    tmp_path: Path,
) -> None:
    review = decided(DELETE, "=1+1", decided_by="@Ann", ticket="-1", comment='a,"b"')
    analysis = analysis_of(tmp_path, review, a_user("=1+1"))
    guarded, raw = io.BytesIO(), io.BytesIO()
    write_follow_up(analysis, guarded)
    write_follow_up(analysis, raw, raw=True)
    (row,) = table(guarded.getvalue())
    assert (row["user"], row["decided_by"], row["ticket"]) == ("'=1+1", "'@Ann", "'-1")
    assert table(raw.getvalue()) == [
        {
            "status": "not-done",
            "overdue": "true",
            "account": "012345678901",
            "user": "=1+1",
            "arn": arn_of("=1+1"),
            "created": "2023-08-05T12:00:00Z",
            "decision": "delete",
            "decided_by": "@Ann",
            "decided_on": "2026-01-10",
            "ticket": "-1",
            "comment": 'a,"b"',
            "days": "81",
            "verdict": "unused",
            "last_use": "",
            "report": str(tmp_path / "report.csv"),
            "as_of": "2026-04-01T12:00:00Z",
            "done_since": "",
            "fact": "The user is still there, 81 days after the decision.",
            "account_name": "",
        }
    ]
