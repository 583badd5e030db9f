"""What became of the users that were to be deactivated or deleted, as later reports show it."""

import io
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

import analyzer
from analyzer.decisions import follow_up
from analyzer.decisions.decision import LedgerLine
from analyzer.decisions.follow_up import FollowUpStatus, as_text, follow_up_counts
from analyzer.decisions.ledger import Ledger
from analyzer.decisions.review_columns import REMOVALS
from analyzer.writers.tables import write_follow_up
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
from tests.support.decisions import DAY, OTHER_ACCOUNT, analysis_of, in_accounts, line
from tests.support.outputs import json_document

LATER = AS_OF + timedelta(days=40)
NEXT_DAY = LATER + timedelta(days=1)
DONE, NOT_DONE, UNKNOWN, OVERTAKEN = "done", "not-done", "unknown", "overtaken"
STILL_THERE = (NOT_DONE, "The user is still there.")
STILL_WORKS = (NOT_DONE, "The user still has working credentials.")
NO_LATER_REPORT = (NOT_DONE, "No later report of the account yet.")
NO_CREDENTIALS = (DONE, "The user has no working credentials. Decide on its deletion.")
GONE = (DONE, "The user is gone.")
KEY = a_user(key_1=a_key())


def outcomes(
    *cases: tuple[LedgerLine, Sequence[Row]], as_of: datetime = LATER
) -> list[tuple[str, str]]:
    """Return status and fact of decisions by later reports. The law has to give the same status."""
    analysis = in_accounts(as_of, *(((decided,), users) for decided, users in cases))
    frame = analysis.follow_up.sort_values("account")
    read = [*zip(frame["status"], frame["fact"], strict=True)]
    by_law = [status_by_law(decided, users, as_of) for decided, users in cases]
    assert [status for status, _ in read] == by_law
    return read


def outcome(decided: LedgerLine, *users: Row, as_of: datetime = LATER) -> tuple[str, str]:
    """Return status and fact of one decision by a later report of these users."""
    (only,) = outcomes((decided, users), as_of=as_of)
    return only


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
def test_a_decision_is_done_only_if_a_later_report_proves_it() -> None:
    cases: list[tuple[str, list[Row], str]] = [
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
    ]
    read = outcomes(*((line(decision, EVERYTHING), users) for decision, users, _ in cases))
    for (status, _), case in zip(read, cases, strict=True):
        assert status == case[-1], case


@pytest.mark.no_cover
def test_what_a_later_report_shows_of_a_decision() -> None:
    cases: list[tuple[LedgerLine, list[Row], tuple[str, str]]] = [
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
        *(
            (
                line(decision, a_user(password=a_password())),
                [a_user(password=a_password(LATER), key_1=a_key(LATER))],
                (OVERTAKEN, SIGNED_IN_AND_KEY_CREATED),
            )
            for decision in ("delete", "deactivate")
        ),
        (line("deactivate", KEY), [a_user(key_1=an_inactive_key(used=LATER))], NO_CREDENTIALS),
    ]
    read = outcomes(*((decided, users) for decided, users, _ in cases))
    for each, case in zip(read, cases, strict=True):
        assert each == case[-1], case


SIGNED_IN_AND_KEY_CREATED = (
    "Changed since the decision: signed in 2026-06-10, access key created 2026-06-10. Decide again."
)


@pytest.mark.no_cover
def test_a_user_whose_rows_differ_in_the_creation_time_may_be_another() -> None:
    cases = [
        (line(decision), [a_user(), a_user(created=other)][::order])
        for decision in ("delete", "deactivate")
        for other in (days_before(999), LONG_AGO - timedelta(seconds=1))
        for order in (1, -1)
    ]
    fact = "The report has a user of this ARN whose creation time is not understood."
    assert outcomes(*cases) == [(UNKNOWN, fact)] * len(cases)


@pytest.mark.no_cover
def test_use_that_one_of_differing_rows_shows_overtakes_whatever_their_order() -> None:
    reviewed = a_user(key_1=a_key(used=days_before(400))) | {"access_key_1_last_rotated": "N/A"}
    active = reviewed | {"access_key_1_last_used_date": f"{days_before(100):%Y-%m-%dT%H:%M:%SZ}"}
    rows = [active, active | {"access_key_1_active": "false"}]
    decided = line("delete", reviewed)
    for status, fact in outcomes((decided, rows), (decided, rows[::-1])):
        assert (status, "access key used" in fact) == (OVERTAKEN, True)


def test_use_that_the_report_decided_on_had_no_column_for_overtakes() -> None:
    user = a_user(key_1=a_key(KEY_DATE, days_before(20)))
    cells = dict(line("delete", user).report_cells) | {
        f"access_key_1_last_used_{name}": "" for name in ("date", "region", "service")
    }
    assert outcome(line("delete", user, report_cells=cells), user)[0] == OVERTAKEN


def test_only_a_user_created_after_the_report_decided_on_is_another_of_the_name() -> None:
    hour, second = timedelta(hours=1), timedelta(seconds=1)
    created = (LONG_AGO - hour, LONG_AGO + hour, AS_OF, AS_OF + second)
    *others, (status, fact) = outcomes(*((line(), [a_user(created=each)]) for each in created))
    assert (status, fact.startswith("The user is gone")) == (DONE, True)
    for each in others:
        assert (each[0], each[1].endswith("and not when the decision says.")) == (NOT_DONE, True)


def test_a_user_with_more_credentials_than_the_slots_show_is_never_deactivated() -> None:
    seen = dict(line("deactivate").report_cells) | {MORE_CREDENTIALS: "1 more"}
    cases = [
        ([decided], [a_user() | {MORE_CREDENTIALS: each} for each in more])
        for more in (["N/A"], ["AKIA3:active"], ["?"], ["N/A", ""], ["N/A", "1 more"])
        for decided in (line("deactivate"), line("deactivate", report_cells=seen))
    ]
    heads, root = (*COLUMNS, MORE_CREDENTIALS), the_root(**{MORE_CREDENTIALS: "N/A"})
    frame = in_accounts(LATER, *cases, root=root, heads=heads).follow_up.sort_values("account")
    statuses = [*frame["status"]]
    assert (statuses[:2], DONE in statuses[2:]) == ([DONE, DONE], False)
    more = "The user has more access keys or certificates than the report lists."
    hidden = "The report does not show whether a credential works."
    assert [*frame["fact"]][3::2] == [more, more, hidden, hidden]


@pytest.mark.no_cover
def test_a_user_created_in_the_same_second_who_was_not_there_may_be_the_renamed_one() -> None:
    cases: list[tuple[frozenset[str] | None, str, str]] = [
        (frozenset(), "renamed", NOT_DONE),
        (frozenset({"sister"}), "renamed", NOT_DONE),
        (frozenset({"sister"}), "sister", DONE),
        (None, "sister", NOT_DONE),
    ]
    read = outcomes(*((line(same_second=known), [a_user(name)]) for known, name, _ in cases))
    for (status, fact), (known, name, expected) in zip(read, cases, strict=True):
        assert status == expected, (known, name)
        is_renamed = fact == f"Possibly renamed: {name} was created in the same second."
        assert is_renamed is (expected == NOT_DONE), (known, name)


@pytest.mark.no_cover
def test_a_user_of_another_second_or_account_is_not_the_renamed_one() -> None:
    others = (
        a_user("x", created=LONG_AGO + timedelta(seconds=1)),
        a_user("x", account=OTHER_ACCOUNT),
    )
    later = a_user("y", created=LATER)
    assert outcomes(*((line(), [other, later]) for other in others)) == [GONE, GONE]


def test_a_user_of_unknown_creation_time_who_was_not_there_may_be_the_renamed_one() -> None:
    rob = a_user("rob", created="#####")
    *possible, known, elsewhere = outcomes(
        (line(same_second=frozenset()), [rob]),
        (line(same_second=None), [rob]),
        (line(), [a_user("rob"), a_user("rob", created=LATER)]),
        (line(same_second=frozenset({"rob"})), [rob]),
        (line(), [a_user("rob", created="#####", account=OTHER_ACCOUNT)]),
    )
    unread = "Possibly renamed: when rob was created is not understood."
    assert possible == [(NOT_DONE, unread)] * 3
    assert (known, elsewhere) == (GONE, GONE)


def test_a_user_who_moved_to_another_path_is_not_gone() -> None:
    assert outcome(line(), a_user(path="moved/"))[0] == NOT_DONE


@pytest.mark.no_cover
def test_an_account_that_is_not_covered_stays_unknown() -> None:
    other = line("delete", a_user(account=OTHER_ACCOUNT))
    assert outcome(other, a_user()) == (UNKNOWN, "The account is not covered.")


def in_china(row: Row) -> Row:
    return row | {"arn": str(row["arn"]).replace("arn:aws:", "arn:aws-cn:")}


def test_a_report_of_the_same_number_in_another_partition_shows_nobody_gone() -> None:
    ledger, other = Ledger(lines=(line(),)), in_china(a_user("other"))
    china = analysis_of(other, as_of=LATER, ledger=ledger, root=in_china(the_root()))
    assert [*china.follow_up["status"]] == [UNKNOWN]


@pytest.mark.no_cover
def test_a_report_without_the_root_of_the_account_shows_nobody_gone() -> None:
    gone, there = a_user("gone"), a_user("there")
    cases = [
        ([line(decision, user)], [there])
        for user in (gone, there)
        for decision in ("delete", "deactivate")
    ]
    frame = in_accounts(LATER, *cases, root=the_root(OTHER_ACCOUNT)).follow_up
    frame = frame.sort_values("account", ignore_index=True)
    assert [*frame["status"]] == [UNKNOWN, UNKNOWN, NOT_DONE, DONE]
    for at in (0, 1):
        why = f"The report has no row of arn:aws:iam::{at:012}:root, so it does not show the whole"
        assert frame["fact"][at].startswith(why)


@pytest.mark.no_cover
def test_a_user_who_is_not_known_stays_unknown_and_is_never_done() -> None:
    unknown = a_user(created="N/A"), a_user(arn="arn:aws:iam::123XXXXXXXX:user/quiet")
    for status, fact in outcomes(*((line("delete", user), []) for user in unknown)):
        assert status == UNKNOWN
        assert "nothing acts on this" in fact


@pytest.mark.no_cover
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


@pytest.mark.no_cover
def test_before_a_later_report_a_user_is_not_blamed_for_being_there_nor_deactivated() -> None:
    cases = [(line(decision, user), [user]) for decision in REMOVALS for user in (a_user(), KEY)]
    assert outcomes(*cases, as_of=AS_OF) == [NO_LATER_REPORT] * len(cases)


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


@pytest.mark.no_cover
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


@pytest.mark.no_cover
def test_a_decision_is_overdue_after_the_last_day_and_what_is_done_never() -> None:
    cases = [([line(on=DAY + timedelta(at))], [a_user()]) for at in range(3)]
    frame = in_accounts(LATER, *cases, ([line()], []), due_days=39).follow_up
    frame = frame.sort_values("account")
    assert [*zip(frame["days"], frame["overdue"], strict=True)] == [
        (40, True),
        (39, False),
        (38, False),
        (40, False),
    ]
    assert [*as_text(frame)["overdue"]] == ["true", "false", "false", "false"]


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("as_of", "days", "status"),
    [("2026-05-01", 0, UNKNOWN), ("2026-05-31", 29, NOT_DONE), ("2026-06-01", 30, NOT_DONE)],
)
def test_a_day_without_a_time_counts_as_its_start(as_of: str, days: int, status: str) -> None:
    report = analyzer.load((f"{as_of}.csv", report_text([a_user()]).encode()))
    users = a_user(), a_user(account=OTHER_ACCOUNT)
    decided = [line("delete", user, on=date(2026, 5, 2)) for user in users]
    frame = analyzer.analyze(report, ledger=Ledger(lines=tuple(decided))).follow_up
    assert [*frame["days"]] == [days, days]
    assert frame.loc[frame["account"] == ACCOUNT, "status"].item() == status


@pytest.mark.no_cover
def test_what_is_done_stays_done_since_the_first_report_that_showed_it() -> None:
    decided = line()
    key = (decided.user_key.arn, "2023-08-05T12:00:00Z", "delete", "2026-05-01")
    for since, expected in ((AS_OF, AS_OF), (NEXT_DAY + timedelta(9), NEXT_DAY)):
        ledger = Ledger(lines=(decided,), done_since={key: since})
        frame = analysis_of(as_of=NEXT_DAY, ledger=ledger).follow_up
        assert [*frame["done_since"]] == [pd.Timestamp(expected)]


@pytest.mark.no_cover
def test_each_line_shows_where_it_was_decided_and_what_was_seen() -> None:
    frame = analysis_of(a_user(), as_of=LATER, ledger=Ledger(lines=(line(),))).follow_up
    (row,) = as_text(frame).to_dict("records")
    assert (row["workbook"], row["sheet"], row["row"]) == ("review.xlsx", "Unused users", 2)
    assert row["sha256"] == "a" * 64
    assert (row["decided_verdict"], row["decided_as_of"]) == ("unused", "2026-05-01T12:00:00Z")
    assert (row["verdict"], row["as_of"]) == ("unused", "2026-06-10T12:00:00Z")
    assert (row["created"], row["decided_on"]) == ("2023-08-05T12:00:00Z", "2026-05-01")


@pytest.mark.no_cover
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


@pytest.mark.no_cover
def test_the_columns_have_one_kind_whatever_there_is() -> None:
    cases = [([], []), ([line()], []), ([line()], [a_user()])]
    frames = [in_accounts(LATER, each).follow_up for each in cases]
    assert {tuple(frame) for frame in frames} == {follow_up.COLUMNS}
    assert len({tuple(map(str, frame.dtypes)) for frame in frames}) == 1


@pytest.mark.no_cover
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


def beside(*cases: tuple[Sequence[LedgerLine], Row], **days: Any) -> list[str]:
    """Return what lists show beside users of later reports."""
    analysis = in_accounts(LATER, *((lines, [user]) for lines, user in cases), **days)
    texts = {
        account: text
        for page in analysis.pages()
        for account, text in zip(
            page.users["account"], analysis.earlier_decisions(page), strict=True
        )
    }
    return [texts[account] for account in sorted(texts)]


def test_what_was_decided_earlier_stands_beside_a_user() -> None:
    dormant = a_user(key_1=a_key())
    retired = a_user(password={**a_password(LONG_AGO), "password_enabled": "false"})
    cases: list[tuple[list[LedgerLine], Row, str]] = [
        ([], a_user(), ""),
        ([line("delete", a_user("ann"))], a_user(), ""),
        (
            [line(ticket="SEC-101")],
            a_user(),
            "delete, Anna, 2026-05-01, SEC-101; not done for 40 days",
        ),
        (
            [line(on=LATER.date() - timedelta(1))],
            a_user(),
            "delete, Anna, 2026-06-09; not done for 1 day",
        ),
        (
            [line(on=LATER.date() - timedelta(2))],
            a_user(),
            "delete, Anna, 2026-06-08; not done for 2 days",
        ),
        (
            [line()],
            a_user(password=a_password(LATER)),
            "delete, Anna, 2026-05-01; changed since: signed in 2026-06-10, password set 2023-08-05",  # noqa: E501  as it stands there
        ),
        (
            [line("deactivate", KEY)],
            a_user(),
            "deactivate, Anna, 2026-05-01; no working credentials now: decide on the deletion",
        ),
        ([line("investigate", comment="ask")], a_user(), "investigate, Anna, 2026-05-01: ask"),
        ([line(), line("withdraw", by="Tom")], a_user(), "withdraw, Tom, 2026-05-01"),
        (
            [line(), line("keep", by="Tom")],
            a_user(),
            "conflict: delete, Anna, 2026-05-01; keep, Tom, 2026-05-01",
        ),
        (
            [line("keep", on=DAY - timedelta(1))],
            a_user(),
            "keep, Anna, 2026-04-30: break-glass; ended on 2026-06-09",
        ),
        (
            [line("keep")],
            a_user(),
            "keep, Anna, 2026-05-01: break-glass; exempts from unused-user until 2026-06-10",
        ),
        (
            [line("keep", retired)],
            retired,
            "keep, Anna, 2026-05-01: break-glass; exempts from retired-user until 2026-06-10",
        ),
        (
            [line("keep", dormant)],
            dormant,
            "keep, Anna, 2026-05-01: break-glass; exempts from nothing: the user is dormant",
        ),
    ]
    shown = beside(*((lines, user) for lines, user, _ in cases), keep_days=40)
    for text, case in zip(shown, cases, strict=True):
        assert text == case[-1], case


def test_a_keep_says_that_it_exempts_nobody_whose_account_is_masked() -> None:
    masked = a_user(account="123XXXXXXXX")
    (text,) = beside(([line("keep", masked)], masked))
    assert text == (
        "keep, Anna, 2026-05-01: break-glass; exempts from nothing:"
        " the creation time or the account of the user is not known"
    )


def exemptions(*cases: tuple[LedgerLine, Row], **days: Any) -> list[str]:
    """Return the reasons for which users of later reports are exempt."""
    analysis = in_accounts(LATER, *(([decided], [user]) for decided, user in cases), **days)
    return [*analysis.users.sort_values("account")["exemption"]]


def test_a_user_to_keep_is_exempt_with_the_comment_as_reason_until_the_last_day() -> None:
    decided = [(line("keep", on=DAY - timedelta(at)), a_user()) for at in (0, 1)]
    assert exemptions(*decided, keep_days=40) == ["break-glass", ""]


@pytest.mark.no_cover
def test_only_an_unused_or_retired_user_to_keep_of_known_creation_time_is_exempt() -> None:
    retired, unknown = a_user(password_last_used=AS_OF), a_user(created="N/A")
    assert exemptions(
        (line("keep", retired), retired),
        (line("keep", KEY), KEY),
        *((line(each), a_user()) for each in ("delete", "deactivate", "investigate", "withdraw")),
        (line("keep"), a_user(created=AS_OF)),
        (line("keep", unknown), unknown),
    ) == ["break-glass", *[""] * 7]


def test_a_user_to_keep_whose_rows_differ_in_the_creation_time_is_not_exempt() -> None:
    others = a_user(created=days_before(999)), a_user(mfa=True)
    analysis = in_accounts(LATER, *(([line("keep")], [a_user(), each]) for each in others))
    exempt = analysis.users.groupby("account")["exemption"].agg(set)
    assert [*exempt.sort_index()] == [{""}, {"break-glass"}]


def test_a_user_to_keep_whose_account_is_masked_is_not_exempt() -> None:
    masked = a_user(account="123XXXXXXXX")
    assert exemptions((line("keep", masked), masked)) == [""]


def test_a_user_to_keep_fails_other_rules_as_before() -> None:
    user = a_user(password=a_password())
    analysis = analysis_of(user, as_of=LATER, ledger=Ledger(lines=(line("keep", user),)))
    exempt = {
        rule: bool(reason)
        for frame in analysis.rule_results.frames()
        for rule, reason in zip(frame["rule"], frame["exemption"], strict=True)
        if rule in ("unused-user", "console-user-without-mfa")
    }
    assert exempt == {"unused-user": True, "console-user-without-mfa": False}


def test_a_root_is_nobody_to_decide_on() -> None:
    analysis = analysis_of(a_user(), ledger=Ledger(lines=(line(),)), root=the_root())
    assert len(analysis.follow_up) == 1


def test_json_counts_the_decisions_and_follows_each() -> None:
    ann = a_user("=ann")
    document = json_document(in_accounts(LATER, ([line("delete", ann)], [ann])))
    decisions = document["decisions"]
    assert (decisions["keep_days"], decisions["due_days"]) == (180, 30)
    assert (decisions["counts"]["not-done"], decisions["counts"]["overdue"]) == (1, 1)
    (followed,) = decisions["follow_up"]
    assert (followed["user"], followed["status"], followed["overdue"]) == ("=ann", "not-done", True)
    (user,) = document["users"]
    assert user["earlier_decision"] == "delete, Anna, 2026-05-01; not done for 40 days"
