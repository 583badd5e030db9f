"""What became of the users that were to be deactivated or deleted, as later reports show it."""

import io
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

import analyzer
from analyzer.decisions import follow_up
from analyzer.decisions.follow_up import FollowUpStatus, as_text, follow_up_counts
from analyzer.decisions.ledger import Ledger
from analyzer.decisions.user_decisions import LedgerLine
from analyzer.writers.csv import write_follow_up
from tests.support import decision_oracle as law
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    COLUMNS,
    LONG_AGO,
    MORE_CREDENTIALS,
    Row,
    a_certificate,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    report_text,
    saved,
    table,
    the_root,
)
from tests.support.decisions import DAY, OTHER_ACCOUNT, analysis_of, ledger_of, line

LATER = AS_OF + timedelta(days=40)
NEXT_DAY = LATER + timedelta(days=1)
DONE, NOT_DONE, UNKNOWN, OVERTAKEN = "done", "not-done", "unknown", "overtaken"
STILL_THERE = (NOT_DONE, "The user is still there.")
STILL_WORKS = (NOT_DONE, "The user still has working credentials.")
NO_LATER_REPORT = (NOT_DONE, "No later report of the account yet.")
NO_CREDENTIALS = (DONE, "The user has no working credentials. Decide on its deletion.")
GONE = (DONE, "The user is gone.")
KEY = a_user(key_1=a_key())


def outcome(
    decided: LedgerLine, *users: Row, as_of: datetime = LATER, **days: int
) -> tuple[str, str]:
    """Return status and fact of one decision by a later report of these users.

    The law has to give the same status.
    """
    frame = analysis_of(*users, as_of=as_of, ledger=ledger_of(decided, **days)).follow_up
    ((status, fact),) = zip(frame["status"], frame["fact"], strict=True)
    assert status == status_by_law(decided, users, as_of)
    return status, fact


def status_by_law(decided: LedgerLine, users: Sequence[Row], as_of: datetime) -> str:
    by_account: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in table(report_text(users).encode()):
        by_account[row["arn"].split(":")[4]].append(row)
    reports = [
        law.Report(account, as_of, "file-name", as_of, tuple(rows))
        for account, rows in by_account.items()
    ]
    cells = {name: decided.report_cells[name] for name in COLUMNS}
    seen = law.Report(decided.account, decided.as_of, "file-name", decided.baseline, (cells,))
    of_day = str(decided.decision), decided.person, decided.decided_on
    said = law.Line(*of_day, "", "", "", 0, cells, seen, decided.account)
    return law.status(said, reports, decided.same_second)


KEY_DATE, SINCE = days_before(200), AS_OF + timedelta(days=5)
EVERYTHING = a_user(
    password=a_password(),
    key_1=a_key(KEY_DATE),
    key_2=a_key(days_before(20)),
    certificate_1=a_certificate(),
    mfa=True,
)
OFF = an_inactive_key(KEY_DATE)


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("decision", "users", "expected"),
    [
        ("delete", [a_user("renamed"), a_user(created=SINCE)], NOT_DONE),
        ("delete", [a_user(created=days_before(20)), a_user(created=SINCE)], UNKNOWN),
        ("deactivate", [a_user(password_enabled="??")], NOT_DONE),
        ("deactivate", [a_user(key_1=a_key(KEY_DATE), access_key_1_active="??")], NOT_DONE),
        ("deactivate", [a_user(key_1=an_inactive_key("??"))], DONE),
        ("deactivate", [a_user(certificate_1=a_certificate(active=False))], DONE),
        ("deactivate", [a_user(), a_user(password=a_password())], NOT_DONE),
        ("deactivate", [a_user(created=SINCE, password=a_password())], DONE),
        ("deactivate", [a_user("renamed")], NOT_DONE),
        ("deactivate", [a_user(key_1=a_key(KEY_DATE, SINCE))], OVERTAKEN),
        ("deactivate", [a_user(key_1=an_inactive_key(KEY_DATE, SINCE))], DONE),
        ("deactivate", [a_user(key_1=OFF, mfa=True)], DONE),
        ("deactivate", [a_user(key_1=OFF, key_2=a_key(SINCE))], OVERTAKEN),
        ("deactivate", [a_user(key_1=OFF, key_2=an_inactive_key(SINCE))], DONE),
    ],
)
def test_a_decision_is_done_only_if_a_later_report_proves_it(
    decision: str, users: list[Row], expected: str
) -> None:
    assert outcome(line(decision, EVERYTHING), *users)[0] == expected


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("decided", "users", "expected"),
    [
        (line("delete"), [], GONE),
        (line("deactivate", KEY), [], GONE),
        (line("delete"), [a_user()], STILL_THERE),
        (line("delete", KEY), [KEY], STILL_THERE),
        (line("delete", KEY), [a_user(key_1=an_inactive_key())], STILL_THERE),
        (line("deactivate", KEY), [KEY], STILL_WORKS),
        (line("deactivate", KEY), [a_user(key_1=an_inactive_key())], NO_CREDENTIALS),
        (line("deactivate", KEY), [a_user()], NO_CREDENTIALS),
        (
            line("deactivate", a_user(password=a_password())),
            [a_user(password=a_password())],
            STILL_WORKS,
        ),
        (
            line("deactivate", a_user(certificate_1=a_certificate())),
            [a_user(certificate_1=a_certificate())],
            STILL_WORKS,
        ),
        (line("deactivate"), [a_user()], NO_CREDENTIALS),
        (
            line("deactivate", KEY),
            [a_user(access_key_1_active="maybe")],
            (NOT_DONE, "The report does not show whether a credential works."),
        ),
        (
            line("deactivate", KEY),
            [a_user(cert_2_active="maybe")],
            (NOT_DONE, "The report does not show whether a credential works."),
        ),
        (
            line("delete"),
            [a_user(created=LATER)],
            (DONE, "The user is gone; another of this name was created on 2026-06-10."),
        ),
        (
            line("delete"),
            [a_user(created="soon")],
            (UNKNOWN, "The report has a user of this ARN whose creation time is not understood."),
        ),
    ],
)
def test_what_a_later_report_shows_of_a_decision(
    decided: LedgerLine, users: list[Row], expected: tuple[str, str]
) -> None:
    assert outcome(decided, *users) == expected


@pytest.mark.parametrize("decision", ["delete", "deactivate"])
def test_more_access_or_use_than_the_reviewer_saw_overtakes_a_decision(decision: str) -> None:
    used = a_user(password=a_password(LATER), key_1=a_key(LATER))
    status, fact = outcome(line(decision, a_user(password=a_password())), used)
    assert status == OVERTAKEN
    assert fact == (
        "Changed since the decision: signed in 2026-06-10, access key created 2026-06-10."
        " Decide again."
    )


def test_a_use_before_the_credentials_went_does_not_undo_that_they_are_gone() -> None:
    used = a_user(key_1=an_inactive_key(used=LATER))
    assert outcome(line("deactivate", KEY), used) == NO_CREDENTIALS


@pytest.mark.parametrize("other", [days_before(999), LONG_AGO - timedelta(seconds=1)])
@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("decided", [line("delete"), line("deactivate")])
def test_a_user_whose_rows_differ_in_the_creation_time_may_be_another(
    decided: LedgerLine, other: datetime, *, is_first: bool
) -> None:
    rows = [a_user(), a_user(created=other)]
    status, fact = outcome(decided, *(rows if is_first else rows[::-1]))
    assert status == UNKNOWN
    assert fact == "The report has a user of this ARN whose creation time is not understood."


@pytest.mark.parametrize("is_active_first", [True, False])
def test_use_that_one_of_differing_rows_shows_overtakes_whatever_their_order(
    *, is_active_first: bool
) -> None:
    reviewed = a_user(key_1=a_key(used=days_before(400))) | {"access_key_1_last_rotated": "N/A"}
    active = reviewed | {"access_key_1_last_used_date": f"{days_before(100):%Y-%m-%dT%H:%M:%SZ}"}
    rows = [active, active | {"access_key_1_active": "false"}]
    status, fact = outcome(line("delete", reviewed), *(rows if is_active_first else rows[::-1]))
    assert (status, "access key used" in fact) == (OVERTAKEN, True)


@pytest.mark.parametrize(
    ("created", "expected"),
    [
        (LONG_AGO - timedelta(hours=1), NOT_DONE),
        (LONG_AGO + timedelta(hours=1), NOT_DONE),
        (AS_OF, NOT_DONE),
        (AS_OF + timedelta(seconds=1), DONE),
    ],
)
def test_only_a_user_created_after_the_report_decided_on_is_another_of_the_name(
    created: datetime, expected: str
) -> None:
    status, fact = outcome(line(), a_user(created=created))
    assert status == expected
    assert (expected == DONE) is fact.startswith("The user is gone")
    assert (expected == NOT_DONE) is fact.endswith("and not when the decision says.")


@pytest.mark.parametrize("more", [["AKIA3:active"], ["?"], ["N/A", ""], ["N/A", "1 more"]])
def test_a_user_with_more_credentials_than_the_slots_show_is_never_deactivated(
    more: list[str],
) -> None:
    heads = (*COLUMNS, MORE_CREDENTIALS)
    users = [a_user() | {MORE_CREDENTIALS: each} for each in more]
    root = the_root(**{MORE_CREDENTIALS: "N/A"})
    seen = dict(line("deactivate").report_cells) | {MORE_CREDENTIALS: "1 more"}
    for decided in (line("deactivate"), line("deactivate", report_cells=seen)):
        ledger = Ledger(lines=(decided,))
        analysis = analysis_of(*users, as_of=LATER, ledger=ledger, root=root, columns=heads)
        assert analysis.follow_up["status"][0] != DONE
    shown = analysis.follow_up["fact"][0]
    assert shown == (
        "The user has more access keys or certificates than the report lists."
        if len(more) == 1
        else "The report does not show whether a credential works."
    )


# Renamed


@pytest.mark.parametrize(
    ("known", "name", "expected"),
    [
        (frozenset(), "renamed", NOT_DONE),
        (frozenset({"sister"}), "renamed", NOT_DONE),
        (frozenset({"sister"}), "sister", DONE),
        (None, "sister", NOT_DONE),
    ],
)
def test_a_user_created_in_the_same_second_who_was_not_there_may_be_the_renamed_one(
    known: frozenset[str] | None, name: str, expected: str
) -> None:
    status, fact = outcome(line(same_second=known), a_user(name))
    assert status == expected
    assert (fact == f"Possibly renamed: {name} was created in the same second.") is (
        expected == NOT_DONE
    )


@pytest.mark.parametrize(
    "other",
    [
        a_user("x", created=a_user()["user_creation_time"] + timedelta(seconds=1)),  # type: ignore[operator]  # a moment
        a_user("x", account=OTHER_ACCOUNT),
    ],
    ids=["another second", "another account"],
)
def test_a_user_of_another_second_or_account_is_not_the_renamed_one(other: Row) -> None:
    assert outcome(line(), other, a_user("y", created=LATER))[0] == DONE


@pytest.mark.parametrize(
    ("users", "known", "expected"),
    [
        ([a_user("rob", created="#####")], frozenset(), NOT_DONE),
        ([a_user("rob", created="#####")], None, NOT_DONE),
        ([a_user("rob", created="#####")], frozenset({"rob"}), DONE),
        ([a_user("rob"), a_user("rob", created=LATER)], frozenset(), NOT_DONE),
        ([a_user("rob", created="#####", account=OTHER_ACCOUNT)], frozenset(), DONE),
    ],
)
def test_a_user_of_unknown_creation_time_who_was_not_there_may_be_the_renamed_one(
    users: list[Row], known: frozenset[str] | None, expected: str
) -> None:
    status, fact = outcome(line(same_second=known), *users)
    unread = "Possibly renamed: when rob was created is not understood."
    assert (status, fact) == (GONE if expected == DONE else (NOT_DONE, unread))


def test_a_user_who_moved_to_another_path_is_not_gone() -> None:
    assert outcome(line(), a_user(path="moved/"))[0] == NOT_DONE


# Reports that show nothing


def test_an_account_that_is_not_covered_stays_unknown() -> None:
    other = line("delete", a_user(account=OTHER_ACCOUNT))
    assert outcome(other, a_user()) == (UNKNOWN, "The account is not covered.")


def in_china(row: Row) -> Row:
    return row | {"arn": str(row["arn"]).replace("arn:aws:", "arn:aws-cn:")}


def test_a_report_of_the_same_number_in_another_partition_shows_nobody_gone() -> None:
    ledger, other = Ledger(lines=(line(),)), in_china(a_user("other"))
    china = analysis_of(other, as_of=LATER, ledger=ledger, root=in_china(the_root()))
    assert [*china.follow_up["status"]] == [UNKNOWN]


@pytest.mark.parametrize(
    ("decided", "users", "expected"),
    [
        (line("delete"), [a_user("other")], UNKNOWN),
        (line("deactivate"), [a_user("other")], UNKNOWN),
        (line("delete"), [a_user()], NOT_DONE),
        (line("deactivate"), [a_user()], DONE),
    ],
)
def test_a_report_without_the_root_of_the_account_shows_nobody_gone(
    decided: LedgerLine, users: list[Row], expected: str
) -> None:
    stray = the_root(OTHER_ACCOUNT)
    analysis = analysis_of(*users, as_of=LATER, ledger=Ledger(lines=(decided,)), root=stray)
    assert [*analysis.follow_up["status"]] == [expected]
    fact = f"The report has no row of arn:aws:iam::{ACCOUNT}:root, so it does not show the whole"
    assert analysis.follow_up["fact"][0].startswith(fact) is (expected == UNKNOWN)


@pytest.mark.parametrize(
    "user",
    [a_user(created="N/A"), a_user(arn="arn:aws:iam::123XXXXXXXX:user/quiet")],
    ids=["without creation time", "masked"],
)
def test_a_user_who_is_not_known_stays_unknown_and_is_never_done(user: Row) -> None:
    status, fact = outcome(line("delete", user))
    assert status == UNKNOWN
    assert "nothing acts on this" in fact


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-1, (UNKNOWN, "The report is older than the one that was decided on.")),
        (0, (NOT_DONE, "No user in the reports has this ARN and this creation time.")),
        (1, GONE),
    ],
)
def test_only_a_later_report_shows_that_a_user_is_gone(
    seconds: int, expected: tuple[str, str]
) -> None:
    assert outcome(line(), as_of=AS_OF + timedelta(seconds=seconds)) == expected


@pytest.mark.parametrize("decided", [line(), line("delete", KEY), line("deactivate", KEY)])
def test_before_a_later_report_a_user_is_not_blamed_for_being_there(decided: LedgerLine) -> None:
    user = KEY if decided.report_cells["access_key_1_active"] == "true" else a_user()
    assert outcome(decided, user, as_of=AS_OF) == NO_LATER_REPORT


def test_the_report_that_was_decided_on_shows_no_deactivation() -> None:
    assert outcome(line("deactivate"), a_user(), as_of=AS_OF) == NO_LATER_REPORT


def test_a_service_credential_in_aws_list_still_works(tmp_path: Any) -> None:
    report = saved(
        tmp_path, report_text([a_user()]), f"status_reports_{LATER:%Y-%m-%dT%H-%M-%S}+00-00.csv"
    )
    (tmp_path / f"{report.name}.service-credentials.json").write_text(
        '{"ServiceSpecificCredentials": [{"UserName": "quiet", "Status": "Active",'
        ' "ServiceName": "bedrock.amazonaws.com", "CreateDate": "2026-01-01T00:00:00Z",'
        ' "ServiceSpecificCredentialId": "ACCAEXAMPLE"}]}'
    )
    ledger = Ledger(lines=(line("deactivate"),))
    frame = analyzer.analyze(analyzer.load(report), ledger=ledger).follow_up
    assert [*frame["status"]] == [NOT_DONE]


def test_only_decisions_in_force_to_delete_or_deactivate_are_followed_up() -> None:
    lines = (
        line("keep", a_user("a")),
        line("investigate", a_user("b")),
        line("delete", a_user("c")),
        line("withdraw", a_user("c")),
        line("delete", a_user("d")),
        line("keep", a_user("d"), by="Tom"),
        line("delete", a_user("e")),
        line("deactivate", a_user("e"), on=DAY + timedelta(1)),
    )
    frame = analysis_of(as_of=LATER, ledger=Ledger(lines=lines)).follow_up
    assert [*zip(frame["user"], frame["decision"], strict=True)] == [("e", "deactivate")]


# How long


@pytest.mark.parametrize(("due", "expected"), [(39, True), (40, False), (41, False)])
def test_a_decision_is_overdue_after_the_last_day(due: int, *, expected: bool) -> None:
    ledger = Ledger(lines=(line(),), due_days=due)
    frame = analysis_of(a_user(), as_of=LATER, ledger=ledger).follow_up
    assert [*frame["overdue"]] == [expected]
    assert [*as_text(frame)["overdue"]] == [str(expected).lower()]
    assert [*frame["days"]] == [40]


def test_what_is_done_is_never_overdue() -> None:
    frame = analysis_of(as_of=LATER, ledger=Ledger(lines=(line(),), due_days=0)).follow_up
    assert [*frame["overdue"]] == [False]


@pytest.mark.parametrize(("as_of", "days"), [("2026-05-31", 29), ("2026-06-01", 30)])
@pytest.mark.parametrize("user", [a_user(), a_user(account=OTHER_ACCOUNT)], ids=["in", "not in"])
def test_a_day_without_a_time_counts_as_its_start(as_of: str, days: int, user: Row) -> None:
    report = analyzer.load((f"{as_of}.csv", report_text([a_user()]).encode()))
    decided = line("delete", user, on=date(2026, 5, 2))
    frame = analyzer.analyze(report, ledger=Ledger(lines=(decided,))).follow_up
    assert [*frame["days"]] == [days]


def test_what_is_done_stays_done_since_the_first_report_that_showed_it() -> None:
    decided = line()
    key = (decided.user_key.arn, "2023-08-05T12:00:00Z", "delete", "2026-05-01")
    for since, expected in ((AS_OF, AS_OF), (NEXT_DAY + timedelta(9), NEXT_DAY)):
        ledger = Ledger(lines=(decided,), done_since={key: since})
        frame = analysis_of(as_of=NEXT_DAY, ledger=ledger).follow_up
        assert [*frame["done_since"]] == [pd.Timestamp(expected)]


# The frame


def test_each_line_shows_where_it_was_decided_and_what_was_seen() -> None:
    frame = analysis_of(a_user(), as_of=LATER, ledger=Ledger(lines=(line(),))).follow_up
    (row,) = as_text(frame).to_dict("records")
    assert (row["workbook"], row["sheet"], row["row"]) == ("review.xlsx", "Unused users", 2)
    assert row["sha256"] == "a" * 64
    assert (row["decided_verdict"], row["decided_as_of"]) == ("unused", "2026-05-01T12:00:00Z")
    assert (row["verdict"], row["as_of"]) == ("unused", "2026-06-10T12:00:00Z")
    assert (row["created"], row["decided_on"]) == ("2023-08-05T12:00:00Z", "2026-05-01")


def test_the_most_urgent_come_first_and_are_counted() -> None:
    used = a_user("used", password=a_password(LATER))
    lines = (
        line("delete", a_user("gone"), same_second=frozenset({"there", "used"})),
        line("delete", a_user("there")),
        line("delete", a_user("hidden", created="soon")),
        line("delete", a_user("used", password=a_password())),
    )
    ledger = Ledger(lines=lines, due_days=7)
    frame = analysis_of(a_user("there"), used, as_of=LATER, ledger=ledger).follow_up
    assert [*frame["user"]] == ["used", "there", "hidden", "gone"]
    assert [*frame["status"].cat.categories] == [*map(str, FollowUpStatus)]
    counts = {"overtaken": 1, "not-done": 1, "unknown": 1, "done": 1, "overdue": 3}
    assert follow_up_counts(frame) == counts


@pytest.mark.parametrize("lines", [(), (line(),)], ids=["none", "one"])
def test_the_columns_have_one_kind_whatever_there_is(lines: tuple[LedgerLine, ...]) -> None:
    frame = analysis_of(as_of=LATER, ledger=Ledger(lines=lines)).follow_up
    one = analysis_of(a_user(), as_of=LATER, ledger=Ledger(lines=(line(),))).follow_up
    assert tuple(frame) == follow_up.COLUMNS
    assert [*map(str, frame.dtypes)] == [*map(str, one.dtypes)]


def test_the_csv_has_a_row_a_decision_and_guards_what_looks_like_a_formula() -> None:
    ledger = Ledger(lines=(line("delete", a_user("=ann"), comment="=1+1"),))
    stream = io.BytesIO()
    write_follow_up(analysis_of(a_user("=ann"), as_of=LATER, ledger=ledger), stream)
    (row,) = table(stream.getvalue())
    assert tuple(row) == follow_up.COLUMNS
    assert (row["user"], row["comment"], row["status"]) == ("'=ann", "'=1+1", "not-done")
    assert row["arn"].endswith("user/=ann")


def test_a_user_that_a_filter_leaves_out_is_not_gone() -> None:
    analysis = analysis_of(a_user("ann"), a_user(), as_of=LATER, ledger=Ledger(lines=(line(),)))
    filtered = analysis.where(analyzer.Filter(users=("ann",)))
    assert [*filtered.follow_up["status"]] == [NOT_DONE]


# Beside the list


def beside(*lines: LedgerLine, user: Row | None = None, **days: int) -> str:
    """Return what a list shows beside a user of a later report."""
    analysis = analysis_of(user or a_user(), as_of=LATER, ledger=ledger_of(*lines, **days))
    (page,) = analysis.pages()
    return str(analysis.earlier_decisions(page).iloc[0])


@pytest.mark.parametrize(
    ("lines", "user", "expected"),
    [
        ([], None, ""),
        ([line("delete", a_user("ann"))], None, ""),
        (
            [line(ticket="SEC-101")],
            None,
            "delete, Anna, 2026-05-01, SEC-101; not done for 40 days",
        ),
        (
            [line(on=LATER.date() - timedelta(1))],
            None,
            "delete, Anna, 2026-06-09; not done for 1 day",
        ),
        (
            [line(on=LATER.date() - timedelta(2))],
            None,
            "delete, Anna, 2026-06-08; not done for 2 days",
        ),
        (
            [line()],
            a_user(password=a_password(LATER)),
            "delete, Anna, 2026-05-01; changed since: signed in 2026-06-10, password set 2023-08-05",  # noqa: E501  as it stands there
        ),
        (
            [line("deactivate", KEY)],
            None,
            "deactivate, Anna, 2026-05-01; no working credentials now: decide on the deletion",
        ),
        ([line("investigate", comment="ask")], None, "investigate, Anna, 2026-05-01: ask"),
        ([line(), line("withdraw", by="Tom")], None, "withdraw, Tom, 2026-05-01"),
        (
            [line(), line("keep", by="Tom")],
            None,
            "conflict: delete, Anna, 2026-05-01; keep, Tom, 2026-05-01",
        ),
    ],
)
def test_what_was_decided_earlier_stands_beside_a_user(
    lines: list[LedgerLine], user: Row | None, expected: str
) -> None:
    assert beside(*lines, user=user) == expected


def test_a_keep_says_until_when_it_held_and_where_it_exempts_from_nothing() -> None:
    assert beside(line("keep"), keep_days=39) == (
        "keep, Anna, 2026-05-01: break-glass; ended on 2026-06-09"
    )
    dormant = a_user(key_1=a_key())
    assert beside(line("keep", dormant), user=dormant) == (
        "keep, Anna, 2026-05-01: break-glass; exempts from nothing: the user is dormant"
    )


def test_a_keep_says_that_it_exempts_nobody_whose_account_is_masked() -> None:
    masked = a_user(account="123XXXXXXXX")
    assert beside(line("keep", masked), user=masked) == (
        "keep, Anna, 2026-05-01: break-glass; exempts from nothing:"
        " the creation time or the account of the user is not known"
    )


# Keep


def exemption(decided: LedgerLine, user: Row, as_of: datetime = LATER, **days: int) -> str:
    analysis = analysis_of(user, as_of=as_of, ledger=ledger_of(decided, **days))
    return str(analysis.users["exemption"].iloc[0])


@pytest.mark.parametrize("days", [(39, ""), (40, "break-glass")])
def test_a_user_to_keep_is_exempt_with_the_comment_as_reason_until_the_last_day(
    days: tuple[int, str],
) -> None:
    keep_days, reason = days
    assert exemption(line("keep"), a_user(), keep_days=keep_days) == reason


def test_a_retired_user_to_keep_is_exempt_and_a_dormant_one_is_not() -> None:
    retired = a_user(password_last_used=AS_OF)
    assert exemption(line("keep", retired), retired) == "break-glass"
    assert exemption(line("keep", KEY), KEY) == ""


@pytest.mark.parametrize("decision", ["delete", "deactivate", "investigate", "withdraw"])
def test_no_other_decision_exempts(decision: str) -> None:
    assert exemption(line(decision), a_user()) == ""


def test_a_user_created_again_or_without_creation_time_is_not_exempt() -> None:
    assert exemption(line("keep"), a_user(created=AS_OF)) == ""
    unknown = a_user(created="N/A")
    assert exemption(line("keep", unknown), unknown) == ""


def test_a_user_to_keep_whose_rows_differ_in_the_creation_time_is_not_exempt() -> None:
    rows = [a_user(), a_user(created=days_before(999))]
    analysis = analysis_of(*rows, as_of=LATER, ledger=ledger_of(line("keep")))
    assert {*analysis.users["exemption"]} == {""}
    rows = [a_user(mfa=True), a_user()]
    analysis = analysis_of(*rows, as_of=LATER, ledger=ledger_of(line("keep")))
    assert {*analysis.users["exemption"]} == {"break-glass"}


def test_a_user_to_keep_whose_account_is_masked_is_not_exempt() -> None:
    masked = a_user(account="123XXXXXXXX")
    assert exemption(line("keep", masked), masked) == ""


def test_a_user_to_keep_fails_other_rules_as_before() -> None:
    user = a_user(password=a_password())
    analysis = analysis_of(user, as_of=LATER, ledger=Ledger(lines=(line("keep", user),)))
    exempt = {
        rule: bool(reason)
        for frame in analysis.inspection.frames()
        for rule, reason in zip(frame["rule"], frame["exemption"], strict=True)
        if rule in ("unused-user", "console-user-without-mfa")
    }
    assert exempt == {"unused-user": True, "console-user-without-mfa": False}


def test_a_root_is_nobody_to_decide_on() -> None:
    analysis = analysis_of(a_user(), ledger=Ledger(lines=(line(),)), root=the_root())
    assert len(analysis.follow_up) == 1


def test_a_decision_on_an_unused_key_counts_from_the_report_of_its_account() -> None:
    day = replace(line(), decided_on=date(2026, 6, 1))
    frame = analysis_of(a_user(), as_of=LATER, ledger=Ledger(lines=(day,))).follow_up
    assert [*frame["days"]] == [9]
    assert datetime(2026, 6, 1, tzinfo=UTC) < LATER
