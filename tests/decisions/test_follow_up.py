"""What became of the users that were to be deactivated or deleted, as later reports show it."""

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from analyzer.decisions.outcome import FollowUpStatus

import analyzer
from analyzer.decisions import follow_up
from analyzer.decisions.decision import REMOVALS, LedgerLine
from analyzer.decisions.follow_up import as_text, follow_up_counts, needs_no_decision
from analyzer.decisions.ledger import Ledger
from analyzer.writers import headline
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
from tests.support.decisions import (
    DAY,
    OTHER_ACCOUNT,
    analysis_of,
    console_name,
    in_accounts,
    ledger_of,
    line,
    of_account,
    over_time,
)
from tests.support.outputs import json_document

LATER = AS_OF + timedelta(days=40)
SECOND, ONE_DAY, HOUR = timedelta(seconds=1), timedelta(days=1), timedelta(hours=1)
QUIET, KEY, OFF_KEY = a_user(), a_user(key_1=a_key()), a_user(key_1=an_inactive_key())
PASSWORD, CERTIFICATE = a_user(password=a_password()), a_user(certificate_1=a_certificate())
MASKED = a_user(account="123XXXXXXXX")

DONE, NOT_DONE, UNKNOWN, OVERTAKEN = "done", "not-done", "unknown", "overtaken"
GONE = (DONE, "The user is gone.")
NO_CREDENTIALS = (DONE, "The user has no working credentials. Decide on its deletion.")
OFF_AFTER_USE = (
    DONE,
    f"{NO_CREDENTIALS[1]} Changed since the decision: access key of 2023-08-05 used 2026-06-10.",
)
STILL_THERE = (NOT_DONE, "The user is still there.")
STILL_WORKS = (NOT_DONE, "The user still has working credentials.")
HIDDEN = (NOT_DONE, "The report does not show whether a credential works.")
NO_LATER_REPORT = (NOT_DONE, "No later report of the account is known yet.")
UNREAD = UNKNOWN, "The report has a user of this ARN whose creation time is not understood."
NOT_IDENTIFIED = (
    UNKNOWN,
    "The creation time or the account of the user is not known: nothing acts on this.",
)
SIGNED_IN = "signed in 2026-06-10, access key created 2026-06-10"
CHANGED = OVERTAKEN, f"Changed since the decision: {SIGNED_IN}. Decide again."

Expected = str | tuple[str, str]
Case = tuple[LedgerLine, Sequence[Row], Expected]
"""A decision, the users of a later report, and the status, or the fact too."""


def delete(user: Row = QUIET, **fields: Any) -> LedgerLine:
    return line("delete", user, **fields)


def deactivate(user: Row = QUIET) -> LedgerLine:
    return line("deactivate", user)


def followed_up(
    as_of: datetime | Sequence[str], *cases: tuple[Sequence[LedgerLine], Sequence[Row]], **more: Any
) -> pd.DataFrame:
    """Return what became of decisions, each case in an account of its own, case by case."""
    frame = in_accounts(as_of, *cases, **more).follow_up
    return frame.sort_values("account", ignore_index=True)


def by_reports(
    *cases: tuple[Sequence[LedgerLine], Mapping[datetime, Sequence[Row]]],
) -> list[tuple[str, str]]:
    """Return status and fact of each case's removal, by what reports of these moments show."""
    named = (
        (lines, {console_name(at): users for at, users in reports.items()})
        for lines, reports in cases
    )
    frame = over_time(*named).follow_up.sort_values("account", kind="stable")
    assert {*frame["report"]} == {console_name(LATER)}
    return [*frame[["status", "fact"]].itertuples(index=False, name=None)]


def outcomes(*cases: Case, seconds: Sequence[int] = ()) -> list[tuple[str, str]]:
    """Return status and fact of decisions by later reports. The law has to give the same status.

    The reports are of so many seconds after the one that was decided on, if any are given.
    """
    times = [AS_OF + each * SECOND for each in seconds] or [LATER] * len(cases)
    judged = (((decided,), users) for decided, users, _ in cases)
    frame = in_accounts([*map(console_name, times)], *judged).follow_up.set_index("account")
    accounts = [each[0].account.replace(ACCOUNT, f"{at:012}") for at, each in enumerate(cases)]
    read = [*frame.loc[accounts, ["status", "fact"]].itertuples(index=False, name=None)]
    by_law = [
        status_by_law(decided, {as_of: users})
        for (decided, users, _), as_of in zip(cases, times, strict=True)
    ]
    assert [status for status, _ in read] == by_law
    return read


def status_by_law(
    decided: LedgerLine, reports: Mapping[datetime, Sequence[Row]], source: str = "file-name"
) -> str:
    read = [
        each
        for at, users in reports.items()
        for each in law.reports_of(table(report_text(users).encode()), at, source, at)
    ]
    return law.status(line_by_law(decided), read, decided.same_second)


def line_by_law(decided: LedgerLine) -> law.Line:
    cells = {name: decided.user_row[name] for name in COLUMNS}
    source = decided.user_row["as_of_source"]
    seen = law.Report(decided.account, decided.as_of, source, decided.baseline, (cells,))
    of_day = str(decided.decision), decided.person, decided.decided_on
    return law.Line(*of_day, "", "", "", 0, cells, seen, decided.account)


CREATED, SINCE = days_before(200), AS_OF + timedelta(days=5)
OLD_KEY, NEW_KEY = a_key(CREATED), a_key(days_before(20))
FULL = a_user(
    password=a_password(), key_1=OLD_KEY, key_2=NEW_KEY, certificate_1=a_certificate(), mfa=True
)
KEY_UNREAD = a_user(key_1=a_key(used=days_before(400)), access_key_1_last_rotated="N/A")
KEY_USED = KEY_UNREAD | {"access_key_1_last_used_date": days_before(100)}
OFF_USED = KEY_USED | {"access_key_1_active": "false"}
USED = a_user(key_1=a_key(CREATED, days_before(20)))
USE_COLUMNS = [f"access_key_1_last_used_{each}" for each in ("date", "region", "service")]
WITHOUT_COLUMNS = {**line("delete", USED).user_row, **dict.fromkeys(USE_COLUMNS, "")}
NEW_KEY_AND_USE = a_user(password=a_password(LATER), key_1=a_key(LATER))


def off(used: datetime | str = "N/A", **more: Any) -> Row:
    return a_user(key_1=an_inactive_key(CREATED, used), **more)


def created(at: datetime | str, name: str = "quiet", **more: Any) -> Row:
    return a_user(name, created=at, **more)


def before_decision(at: datetime) -> tuple[str, str]:
    moment = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    fact = f"The user of this ARN was created {moment}, before the decision, and not when the"
    return NOT_DONE, f"{fact} decision says."


BOTH = (delete, deactivate)
X, Y, ROB = a_user("x"), created(LATER, "y"), created("#####", "rob")
OF_X: dict[str, Any] = {"same_second": frozenset({"x"})}
X_RENAMED = (NOT_DONE, "Possibly renamed: x was created in the same second.")
ROB_RENAMED = (NOT_DONE, "Possibly renamed: when rob was created is not understood.")
ANOTHER = (DONE, "The user is gone; another of this name was created on 2026-06-10.")
AS_X = (
    "possibly renamed from x, created in the same second and gone now (name the report decided on"
    " too, --report: it may rule that out)"
)
MAY_BE_X = (OVERTAKEN, f"Changed since the decision: {AS_X}. Decide again.")
KNOWN = frozenset[str]
CASES: dict[str, list[Case]] = {
    "a user who is to be deleted is done when gone": [
        *((word(), [], GONE) for word in BOTH),
        *((delete(user), [user], STILL_THERE) for user in (QUIET, KEY)),
        (delete(KEY), [OFF_KEY], STILL_THERE),
        (delete(), [a_user(path="moved/")], NOT_DONE),
        (delete(FULL), [a_user("renamed"), created(SINCE)], NOT_DONE),
    ],
    "a user who is to be deactivated is done without a credential that works": [
        *((deactivate(user), [user], STILL_WORKS) for user in (KEY, PASSWORD, CERTIFICATE)),
        *((deactivate(KEY), [user], NO_CREDENTIALS) for user in (OFF_KEY, QUIET)),
        (deactivate(), [QUIET], NO_CREDENTIALS),
        (deactivate(KEY), [a_user(access_key_1_active="maybe")], HIDDEN),
        (deactivate(KEY), [a_user(cert_2_active="maybe")], HIDDEN),
        (deactivate(KEY), [a_user(key_1=an_inactive_key(used=LATER))], OFF_AFTER_USE),
        (deactivate(FULL), [a_user(password_enabled="??")], NOT_DONE),
        (deactivate(FULL), [off(access_key_1_active="??")], NOT_DONE),
        (deactivate(FULL), [a_user(key_1=an_inactive_key("??"))], DONE),
        (deactivate(FULL), [a_user(certificate_1=a_certificate(active=False))], DONE),
        (deactivate(FULL), [created(SINCE, password=a_password())], DONE),
        (deactivate(FULL), [a_user("renamed")], NOT_DONE),
        (deactivate(FULL), [off(SINCE)], DONE),
        (deactivate(FULL), [off(mfa=True)], DONE),
        (deactivate(FULL), [off(key_2=an_inactive_key(SINCE))], DONE),
    ],
    "more access or use than the reviewer saw overtakes": [
        *((word(PASSWORD), [NEW_KEY_AND_USE], CHANGED) for word in BOTH),
        (deactivate(FULL), [a_user(key_1=a_key(CREATED, SINCE))], OVERTAKEN),
        (deactivate(FULL), [off(key_2=a_key(SINCE))], OVERTAKEN),
    ],
    "use that the report decided on had no column for overtakes": [
        (delete(USED, user_row=WITHOUT_COLUMNS), [USED], OVERTAKEN),
    ],
    "a user whose creation time is not understood may be another": [
        (delete(), [created("soon")], UNREAD),
    ],
    "only a user created after the report decided on is another of the name": [
        (delete(), [created(LATER)], ANOTHER),
        (delete(), [created(AS_OF + SECOND)], DONE),
        *(
            (delete(), [created(at)], before_decision(at))
            for at in (LONG_AGO - HOUR, LONG_AGO + HOUR, AS_OF)
        ),
    ],
    "a user of the same second who was not there may be the renamed one": [
        *((delete(same_second=known), [X], X_RENAMED) for known in (KNOWN(), KNOWN("y"), None)),
        (delete(same_second=KNOWN("x")), [X], GONE),
        (delete(), [created(LONG_AGO + SECOND, "x"), Y], GONE),
        (delete(), [a_user("x", account="999900000001"), Y], GONE),
    ],
    "a user of unknown creation time who was not there may be the renamed one": [
        *((delete(same_second=known), [ROB], ROB_RENAMED) for known in (KNOWN(), None)),
        (delete(same_second=KNOWN({"rob"})), [ROB], GONE),
        (delete(), [created("#####", "rob", account="999900000002")], GONE),
    ],
    "who is not known, and an account that is not covered, are never done": [
        (delete(a_user(account="999900000003")), [QUIET], (UNKNOWN, "The account is not covered.")),
        (delete(created("N/A")), [], NOT_IDENTIFIED),
        (delete(MASKED), [], NOT_IDENTIFIED),
    ],
    "another user of the same second who is gone may have this name now": [
        *((delete(**OF_X), [QUIET, *users], MAY_BE_X) for users in ([], [created(LATER, "x")])),
        *((delete(**OF_X), [QUIET, user], STILL_THERE) for user in (X, created("#####", "x"))),
        (line("deactivate", KEY, **OF_X), [QUIET], NO_CREDENTIALS),
        (delete(**OF_X), [a_user(mfa=True)], OVERTAKEN),
    ],
}
"""Decisions and later reports by what they show."""


@cache
def read() -> dict[str, list[tuple[str, str]]]:
    """Judge all cases at once, and return what was read of each."""
    every = iter(outcomes(*(case for cases in CASES.values() for case in cases)))
    return {promise: [next(every) for _ in cases] for promise, cases in CASES.items()}


@pytest.mark.parametrize("promise", CASES)
def test_a_later_report_shows_that(promise: str) -> None:
    for case, each in zip(CASES[promise], read()[promise], strict=True):
        assert case[-1] in (each, each[0]), case


OLDER_REPORT = (UNKNOWN, "The report is older than the one that was decided on.")
NOT_IN_REPORTS = (NOT_DONE, "No user in the reports has this ARN and this creation time.")


def test_only_a_later_report_shows_that_a_user_is_gone_or_blames_one_for_being_there() -> None:
    there = [
        (0, (line(word, user), [user], NO_LATER_REPORT))
        for word in REMOVALS
        for user in (QUIET, KEY)
    ]
    gone = [(-1, OLDER_REPORT), (0, NOT_IN_REPORTS), (1, GONE)]
    seconds, cases = zip(*((at, (delete(), [], fact)) for at, fact in gone), *there, strict=True)
    assert outcomes(*cases, seconds=seconds) == [fact for *_, fact in cases]


def test_a_user_with_more_credentials_than_the_slots_show_is_never_deactivated() -> None:
    shown = {**deactivate().user_row, MORE_CREDENTIALS: "1 more"}
    cases = [
        ([decided], [a_user() | {MORE_CREDENTIALS: each} for each in more])
        for more in (["N/A"], ["AKIA3:active"], ["?"])
        for decided in (deactivate(), line("deactivate", user_row=shown))
    ]
    heads, root = (*COLUMNS, MORE_CREDENTIALS), the_root(**{MORE_CREDENTIALS: "N/A"})
    frame = followed_up(LATER, *cases, root=root, heads=heads)
    statuses = [*frame["status"]]
    assert (statuses[:2], DONE in statuses[2:]) == ([DONE, DONE], False)
    more = "The user has more access keys or certificates than the report lists."
    assert [*frame["fact"]][3::2] == [more, more]


def test_a_report_of_the_same_number_in_another_partition_shows_nobody_gone() -> None:
    rows = (a_user("other"), the_root())
    other, root = (row | {"arn": f"{row['arn']}".replace(":aws:", ":aws-cn:")} for row in rows)
    china = analysis_of(other, as_of=LATER, ledger=ledger_of(line()), root=root)
    assert [*china.follow_up["status"]] == [UNKNOWN]


def test_a_report_without_the_root_of_the_account_shows_nobody_gone() -> None:
    gone, there = a_user("gone"), a_user("there")
    cases = [([decided(user)], [there]) for user in (gone, there) for decided in BOTH]
    frame = followed_up(LATER, *cases, root=the_root(OTHER_ACCOUNT))
    assert [*frame["status"]] == [UNKNOWN, UNKNOWN, NOT_DONE, DONE]
    for at in (0, 1):
        why = f"The report has no row of arn:aws:iam::{at:012}:root, so it does not show the whole"
        assert frame["fact"][at].startswith(why)


LISTED = (
    '{"ServiceSpecificCredentials": [{"UserName": "quiet", "Status": "Active",'
    ' "ServiceName": "bedrock.amazonaws.com", "CreateDate": "2026-01-01T00:00:00Z",'
    ' "ServiceSpecificCredentialId": "ACCAEXAMPLE"}]}'
)


def test_only_decisions_in_force_to_delete_or_deactivate_are_followed_up() -> None:
    words = ("keep a", "investigate b", "delete c", "withdraw c", "delete d", "delete e")
    lines = [line(word, a_user(user)) for word, user in map(str.split, words)]
    later = line("deactivate", a_user("e"), on=DAY + ONE_DAY)
    ledger = ledger_of(*lines, line("keep", a_user("d"), by="Tom"), later)
    frame = analysis_of(as_of=LATER, ledger=ledger).follow_up
    assert [*zip(frame["user"], frame["decision"], strict=True)] == [("e", "deactivate")]


def test_a_decision_is_overdue_after_the_last_day_and_what_is_done_or_in_use_again_never() -> None:
    cases = [([line(on=DAY + timedelta(at))], [QUIET]) for at in range(3)]
    changed = [a_user("quiet", password=a_password(LATER)), a_user("quiet", mfa=True)]
    cases += [([line()], []), *(([line()], [each]) for each in changed)]
    frame = followed_up(LATER, *cases, due_days=39)
    overdue = [(40, True), (39, False), (38, False), (40, False), (40, False), (40, True)]
    assert [*zip(frame["days"], frame["overdue"], strict=True)] == overdue
    assert [*as_text(frame)["overdue"]] == ["true", "false", "false", "false", "false", "true"]


def test_a_day_without_a_time_counts_as_its_start() -> None:
    names = [f"{day}.csv" for day in ("2026-05-01", "2026-05-31", "2026-06-01")]
    accounts = (ACCOUNT, OTHER_ACCOUNT)
    decided, elsewhere = (delete(a_user(account=at), on=date(2026, 5, 2)) for at in accounts)
    cases = [([decided], [QUIET]), ([decided], [QUIET]), ([decided, elsewhere], [QUIET])]
    frame = followed_up(names, *cases)
    assert [*frame["days"]] == [0, 29, 30, 30]
    assert [*frame["status"]] == [UNKNOWN, NOT_DONE, NOT_DONE, UNKNOWN]


def test_what_is_done_stays_done_since_the_first_report_that_showed_it() -> None:
    key = (line().user_key.arn, "2023-08-05T12:00:00Z", "delete", "2026-05-01")
    next_day = LATER + ONE_DAY
    for since, expected in ((AS_OF, AS_OF), (next_day + timedelta(9), next_day)):
        ledger = Ledger(lines=(line(),), done_since={key: since})
        frame = analysis_of(as_of=next_day, ledger=ledger).follow_up
        assert [*frame["done_since"]] == [pd.Timestamp(expected)]


def test_each_line_shows_where_it_was_decided_and_what_was_seen() -> None:
    frame = analysis_of(QUIET, as_of=LATER, ledger=ledger_of(line())).follow_up
    (row,) = as_text(frame).to_dict("records")
    assert (row["workbook"], row["sheet"], row["row"]) == ("review.xlsx", "Unused users", 2)
    assert row["sha256"] == "a" * 64
    assert (row["decided_verdict"], row["decided_as_of"]) == ("unused", "2026-05-01T12:00:00Z")
    assert (row["verdict"], row["as_of"]) == ("unused", "2026-06-10T12:00:00Z")
    assert (row["created"], row["decided_on"]) == ("2023-08-05T12:00:00Z", "2026-05-01")


def test_the_most_urgent_come_first_and_are_counted() -> None:
    used = a_user("used", password=a_password(LATER))
    ledger = ledger_of(
        delete(a_user("gone"), same_second=frozenset({"there", "used"})),
        delete(a_user("there")),
        delete(created("soon", "hidden")),
        delete(a_user("used", password=a_password())),
        due_days=7,
    )
    frame = analysis_of(a_user("there"), used, as_of=LATER, ledger=ledger).follow_up
    assert [*frame["user"]] == ["used", "there", "hidden", "gone"]
    assert [*frame["status"].cat.categories] == [*map(str, FollowUpStatus)]
    counts = {"overtaken": 1, "not-done": 1, "unknown": 1, "done": 1, "overdue": 2}
    assert follow_up_counts(frame) == counts


def test_the_columns_have_one_kind_whatever_there_is() -> None:
    frames = [in_accounts(LATER, (lines, [])).follow_up for lines in ([], [line()])]
    assert {tuple(frame) for frame in frames} == {follow_up.COLUMNS}
    assert len({tuple(map(str, frame.dtypes)) for frame in frames}) == 1


def test_csv_and_json_have_each_decision_and_guard_what_looks_like_a_formula() -> None:
    ann, stream = a_user("=ann"), io.BytesIO()
    analysis = in_accounts(LATER, ([delete(ann, comment="=1+1")], [ann]))
    write_follow_up(analysis, stream)
    (row,) = table(stream.getvalue())
    assert tuple(row) == follow_up.COLUMNS
    assert (row["user"], row["comment"], row["status"]) == ("'=ann", "'=1+1", "not-done")
    assert row["arn"].endswith("user/=ann")
    document = json_document(analysis)
    decisions = document["decisions"]
    assert (decisions["keep_days"], decisions["due_days"]) == (180, 30)
    assert (decisions["counts"]["not-done"], decisions["counts"]["overdue"]) == (1, 1)
    (followed,) = decisions["follow_up"]
    assert (followed["user"], followed["status"], followed["overdue"]) == ("=ann", "not-done", True)
    (user,) = document["users"]
    assert user["earlier_decision"] == "delete, Anna, 2026-05-01: =1+1; not done for 40 days"


def test_a_user_that_a_filter_leaves_out_is_not_gone() -> None:
    analysis = analysis_of(a_user("ann"), QUIET, as_of=LATER, ledger=ledger_of(line()))
    filtered = analysis.where(analyzer.Filter(users=("ann",)))
    assert [*filtered.follow_up["status"]] == [NOT_DONE]


DORMANT = a_user(key_1=a_key())
RETIRED = a_user(password={**a_password(LONG_AGO), "password_enabled": "false"})
TOM_KEEPS = line("keep", by="Tom")
TEXT = "Anna, 2026-05-01"
KEPT = f"keep, {TEXT}: break-glass; exempts from "
SINCE_CHANGED = "changed since: signed in 2026-06-10, password set 2023-08-05"
NOT_NOW = "no working credentials now: decide on the deletion"
UNKNOWN_USER = f"{KEPT}nothing: the creation time or the account of the user is not known"
ENDED = "keep, Anna, 2026-04-30: break-glass; ended on 2026-06-09"
UNDATED = created("N/A")
BESIDE: list[tuple[list[LedgerLine], Row, str, str]] = [
    ([], QUIET, "", ""),
    ([delete(a_user("ann"))], QUIET, "", ""),
    ([line(ticket="S-1")], QUIET, f"delete, {TEXT}, S-1; not done for 40 days", ""),
    ([line(on=date(2026, 6, 9))], QUIET, "delete, Anna, 2026-06-09; not done for 1 day", ""),
    ([line(on=date(2026, 6, 8))], QUIET, "delete, Anna, 2026-06-08; not done for 2 days", ""),
    ([line()], a_user(password=a_password(LATER)), f"delete, {TEXT}; {SINCE_CHANGED}", ""),
    ([deactivate(KEY)], QUIET, f"deactivate, {TEXT}; {NOT_NOW}", ""),
    ([line("investigate", comment="ask")], QUIET, f"investigate, {TEXT}: ask", ""),
    ([line(), line("withdraw", by="Tom")], QUIET, "withdraw, Tom, 2026-05-01", ""),
    ([line(), TOM_KEEPS], QUIET, f"conflict: delete, {TEXT}; keep, Tom, 2026-05-01", ""),
    ([line("keep", on=DAY - ONE_DAY)], QUIET, ENDED, ""),
    ([line("keep")], QUIET, f"{KEPT}unused-user until 2026-06-10", "break-glass"),
    ([line("keep", RETIRED)], RETIRED, f"{KEPT}retired-user until 2026-06-10", "break-glass"),
    ([line("keep", DORMANT)], DORMANT, f"{KEPT}nothing: the user is dormant", ""),
    ([line("keep")], created(AS_OF), "", ""),
    ([line("keep", UNDATED)], UNDATED, UNKNOWN_USER, ""),
    ([line("delete", UNDATED)], UNDATED, f"delete, {TEXT}; unknown: {NOT_IDENTIFIED[1]}", ""),
    ([line("keep", MASKED)], MASKED, UNKNOWN_USER, ""),
]
"""Decisions, a user of a later report, what stands beside it, and why it is exempt."""


def test_what_was_decided_stands_beside_a_user_and_a_keep_exempts_until_its_last_day() -> None:
    cases = [(lines, [user]) for lines, user, *_ in BESIDE]
    analysis = in_accounts(LATER, *cases, keep_days=40)
    (page,) = analysis.pages()
    beside = analysis.earlier_decisions(page)
    texts = zip(page.users["account"], beside, page.users["exemption"], strict=True)
    for (_, *shown), case in zip(sorted(texts), BESIDE, strict=True):
        assert shown == [*case[2:]], case


def test_what_a_report_that_lost_its_seconds_shows_of_the_name_stands_beside_the_user() -> None:
    def local(match: re.Match[str]) -> str:
        return f"{datetime.fromisoformat(match[0]):%d/%m/%Y %H:%M}"

    text = report_text([a_user(mfa=True), created(days_before(1), "new")])
    resaved = re.sub(r"\d{4}-\d\d-\d\dT[\d:]+Z", local, text)
    report = analyzer.load((console_name(LATER), resaved.encode()))
    analysis = analyzer.analyze(report, ledger=ledger_of(line()))
    (page,) = analysis.pages()
    beside = [*analysis.earlier_decisions(page)]
    assert beside == [f"delete, {TEXT}; changed since: MFA device added", ""]


def test_a_user_to_keep_whose_rows_differ_in_the_creation_time_is_not_exempt() -> None:
    others = created(days_before(999)), a_user(mfa=True)
    analysis = in_accounts(LATER, *(([line("keep")], [QUIET, each]) for each in others))
    exempt = analysis.users.groupby("account")["exemption"].agg(set)
    assert [*exempt.sort_index()] == [{""}, {"break-glass"}]


def test_a_user_to_keep_fails_other_rules_as_before() -> None:
    analysis = analysis_of(PASSWORD, as_of=LATER, ledger=ledger_of(line("keep", PASSWORD)))
    exempt = {
        rule: bool(reason)
        for frame in analysis.rule_results.frames()
        for rule, reason in zip(frame["rule"], frame["exemption"], strict=True)
        if rule in ("unused-user", "console-user-without-mfa")
    }
    assert exempt == {"unused-user": True, "console-user-without-mfa": False}


def standing_decisions(as_of: datetime, *cases: tuple[Sequence[LedgerLine], Row]) -> list[bool]:
    """Return which users of a report need no decision."""
    analysis = in_accounts(as_of, *((lines, [user]) for lines, user in cases))
    (page,) = analysis.pages()
    standing = needs_no_decision(page, analysis.ledger, analysis.follow_up_result)
    return [bool(each) for each in standing]


def test_a_user_has_a_standing_decision_while_one_is_in_force() -> None:
    cases = [[], ["keep"], ["delete"], ["investigate"], ["keep", "withdraw"]]
    lines = [[line(word, on=DAY + timedelta(at)) for at, word in enumerate(of)] for of in cases]
    read = standing_decisions(AS_OF, *((of_user, a_user()) for of_user in lines))
    assert read == [False, True, True, True, False]


def test_a_decision_answers_in_later_reports_until_it_is_done_or_overtaken() -> None:
    key_since = a_user(password=a_password(), key_1=a_key(AS_OF + timedelta(days=9)))
    deactivated = [line("deactivate", PASSWORD)]
    assert standing_decisions(
        AS_OF + timedelta(days=10),
        (deactivated, PASSWORD),
        (deactivated, a_user()),
        (deactivated, key_since),
        ([line("investigate")], a_user()),
        ([line("keep", UNDATED)], UNDATED),
        ([line("delete", UNDATED)], UNDATED),
    ) == [True, False, False, False, False, False]


WEEK, NEW_KEY = AS_OF + timedelta(days=7), a_key(AS_OF + ONE_DAY)
OLD = f"{console_name(WEEK)}). Decide again."
CHANGED_THEN = f"Changed since the decision: access key created 2026-05-02 (report {OLD}"
CHANGED_AS_X = "Changed since the decision: possibly renamed to x, access key created 2026-05-02"
BETWEEN: list[tuple[LedgerLine, Sequence[Row], Sequence[Row], Expected]] = [
    (delete(), [a_user(key_1=NEW_KEY)], [QUIET], (OVERTAKEN, CHANGED_THEN)),
    (delete(), [a_user(mfa=True)], [QUIET], OVERTAKEN),
    (delete(), [QUIET], [QUIET], STILL_THERE),
    (delete(as_of=WEEK), [QUIET], [QUIET], STILL_THERE),
    (delete(as_of=WEEK + HOUR), [a_user(key_1=NEW_KEY)], [QUIET], STILL_THERE),
    (deactivate(), [a_user(key_1=NEW_KEY)], [CERTIFICATE], OVERTAKEN),
    (deactivate(), [a_user(key_1=NEW_KEY)], [QUIET], NO_CREDENTIALS),
    (delete(), [a_user(key_1=NEW_KEY)], [], GONE),
    (deactivate(KEY), [OFF_KEY], [KEY], STILL_WORKS),
    (delete(), [created(SINCE, key_1=NEW_KEY)], [QUIET], STILL_THERE),
    (delete(), [created("soon", key_1=NEW_KEY)], [QUIET], (OVERTAKEN, CHANGED_THEN)),
    (delete(), [a_user("x", key_1=NEW_KEY)], [QUIET], (OVERTAKEN, f"{CHANGED_AS_X} (report {OLD}")),
    (delete(), [QUIET, a_user("x", key_1=NEW_KEY)], [QUIET], STILL_THERE),
    (delete(same_second=KNOWN("x")), [a_user("x", key_1=NEW_KEY)], [QUIET, X], STILL_THERE),
    (delete(created("N/A")), [created("N/A", key_1=NEW_KEY)], [QUIET], NOT_IDENTIFIED),
]
"""A decision, the users of a report of the week after and of the newest, status and fact."""


InTurn = tuple[Sequence[LedgerLine], Sequence[Sequence[Row]], Expected]
"""Decisions, the users of the report decided on, of one a week after and of the newest; the fact
on the first."""


def check_in_turn(cases: Iterable[InTurn]) -> None:
    every = [*cases]
    moments = AS_OF, WEEK, LATER
    found = by_reports(*((lines, dict(zip(moments, of, strict=True))) for lines, of, _ in every))
    for each, case in zip(found, every, strict=True):
        assert case[-1] in (each, each[0]), case


def test_what_the_newest_report_shows_no_more_overtakes_unless_it_is_done() -> None:
    check_in_turn(([decided], ([QUIET], *users), fact) for decided, *users, fact in BETWEEN)


def test_an_older_report_is_from_when_it_says_itself_whatever_as_of_says() -> None:
    texts = {AS_OF - ONE_DAY: report_text([a_user(mfa=True)]), LATER: report_text([QUIET])}
    named = ((console_name(at), text.encode()) for at, text in texts.items())
    analysis = analyzer.analyze(analyzer.load(*named, as_of=LATER), ledger=ledger_of(delete()))
    assert [*analysis.follow_up["status"]] == [NOT_DONE]


NO_LIST = "AWS's list of these for this account alone was not saved with the report."
MAY_WORK = (UNKNOWN, f"The service-specific credential of the user may still work: {NO_LIST}")


def test_a_service_credential_that_was_seen_may_work_without_aws_list() -> None:
    cells = {**deactivate().user_row, "caveats": "more;service-credential"}
    for as_of, user, expected in (
        (LATER, QUIET, MAY_WORK),
        (LATER, a_user(mfa=True), (OVERTAKEN, "Changed since the decision: MFA device added.")),
        (AS_OF, QUIET, NO_LATER_REPORT),
    ):
        ledger = ledger_of(line("deactivate", user_row=cells))
        (row,) = analysis_of(user, as_of=as_of, ledger=ledger).follow_up.to_dict("records")
        assert (row["status"], row["fact"].removesuffix(" Decide again.")) == expected


def test_where_a_line_does_not_say_who_was_there_the_users_decided_on_count() -> None:
    bulk = [line(word, user, same_second=None) for word, user in (("delete", QUIET), ("keep", X))]
    cases = [(bulk, users) for users in ([QUIET], [QUIET, X])] + [(bulk[:1], [QUIET])]
    frame = followed_up(LATER, *cases)
    assert [*zip(frame["status"], frame["fact"], strict=True)] == [
        MAY_BE_X,
        STILL_THERE,
        STILL_THERE,
    ]


def test_a_user_cannot_be_another_one_of_its_second_that_was_to_be_deleted_and_is_gone() -> None:
    others = (line(word, X, same_second=KNOWN({"quiet"})) for word in ("delete", "deactivate"))
    frame = followed_up(LATER, *(([delete(**OF_X), other], [QUIET]) for other in others))
    read = frame[frame["user"] == "quiet"][["status", "fact"]].itertuples(index=False, name=None)
    assert [*read] == [STILL_THERE, MAY_BE_X]
    used = [delete(**OF_X), line("delete", X, same_second=KNOWN({"quiet"}))]
    reports = {WEEK: [QUIET, a_user("x", mfa=True)], LATER: [QUIET]}
    assert [status for status, _ in by_reports((used, reports))] == [OVERTAKEN, DONE]


BULK: dict[str, Any] = {"same_second": None}
NEW_X = line("keep", X, as_of=WEEK, same_second=None)
IN_TURN: list[InTurn] = [
    ([delete(**BULK)], ([QUIET, X], [], [X]), GONE),
    ([delete(**BULK)], ([QUIET], [QUIET, X], [X]), GONE),
    ([delete(**BULK)], ([QUIET], [], [X]), X_RENAMED),
    ([delete(**BULK)], ([QUIET, created(LATER, "x")], [], [X]), X_RENAMED),
    ([delete(**BULK)], ([created("soon"), X], [], [X]), X_RENAMED),
    ([delete()], ([a_user("moved"), QUIET], [], [a_user("quiet", path="moved/")]), NOT_DONE),
    ([delete(as_of=WEEK)], ([QUIET, X], [QUIET], [X]), X_RENAMED),
    ([delete(**BULK)], ([QUIET, X], [a_user("x", key_1=NEW_KEY)], [QUIET, X]), STILL_THERE),
    ([delete(**BULK)], ([QUIET], [a_user("x", key_1=NEW_KEY)], [QUIET, X]), STILL_THERE),
    ([delete(**BULK)], ([QUIET], [a_user("x", key_1=NEW_KEY)], [QUIET]), OVERTAKEN),
    ([delete(**BULK), NEW_X], ([QUIET], [QUIET, X], [QUIET, X]), STILL_THERE),
    ([delete(**BULK), NEW_X], ([QUIET, X], [X], [QUIET]), OVERTAKEN),
    ([delete(**BULK), NEW_X], ([QUIET], [X], [QUIET]), OVERTAKEN),
    ([delete(**BULK)], ([QUIET, X], [], [QUIET]), OVERTAKEN),
    ([delete()], ([QUIET, X], [], [QUIET]), STILL_THERE),
]


def test_who_stands_beside_a_user_in_a_report_is_another_one() -> None:
    check_in_turn(IN_TURN)


A_KEY, LATELY, BEFORE = (days_before(each) for each in (300, 30, 31))
SIGNED_IN_LATELY: dict[str, Any] = {"password": a_password(LATELY)}
SIGNED_IN_BEFORE: dict[str, Any] = {"password": a_password(BEFORE)}
USED_LATELY: dict[str, Any] = {"key_1": a_key(A_KEY, LATELY)}
TWO_KEYS = {"key_1": a_key(A_KEY), "key_2": a_key(A_KEY, LATELY)}


def password_changed(at: datetime | str) -> dict[str, Any]:
    return {"password": a_password(changed=at)}


CHANGED_LATELY = password_changed(LATELY)
GONE_X: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    ({}, {}, True),
    (SIGNED_IN_LATELY, SIGNED_IN_BEFORE, False),
    (SIGNED_IN_LATELY, SIGNED_IN_LATELY, True),
    (SIGNED_IN_LATELY, {"password": a_password()}, False),
    (SIGNED_IN_LATELY, {}, True),
    (SIGNED_IN_LATELY, {"password_last_used": BEFORE}, False),
    (SIGNED_IN_LATELY, {"password_last_used": "?"}, True),
    (SIGNED_IN_BEFORE, SIGNED_IN_LATELY, True),
    (CHANGED_LATELY, password_changed(BEFORE), False),
    (CHANGED_LATELY, CHANGED_LATELY, True),
    (CHANGED_LATELY, password_changed("?"), True),
    (CHANGED_LATELY, {"password_last_changed": BEFORE}, True),
    (USED_LATELY, {"key_2": a_key(A_KEY, BEFORE)}, False),
    (USED_LATELY, {"key_1": a_key(A_KEY)}, False),
    (USED_LATELY, USED_LATELY, True),
    (USED_LATELY, {"key_1": a_key(A_KEY, "?")}, True),
    (USED_LATELY, {"key_1": a_key(days_before(299))}, True),
    (USED_LATELY, {}, True),
    (TWO_KEYS, {"key_1": a_key(A_KEY)}, True),
    ({"key_2": TWO_KEYS["key_2"]}, {"key_1": a_key(A_KEY), "key_2": a_key(A_KEY)}, True),
    ({"key_1": a_key("?", LATELY)}, {"key_1": a_key("?")}, True),
]
"""What a report showed of one of the second who is gone, and the newest of the user; whether they
may be one."""


def test_who_is_gone_is_not_the_user_if_a_report_showed_later_dates_than_the_user_has() -> None:
    pairs = [(a_user(**of_user), a_user("x", **of_x)) for of_x, of_user, _ in GONE_X]
    cases = [([delete(user, **OF_X)], {AS_OF: [user, x], LATER: [user]}) for user, x in pairs]
    for read, ((decided,), reports), case in zip(by_reports(*cases), cases, GONE_X, strict=True):
        assert (read == MAY_BE_X) == case[-1], case
        assert status_by_law(decided, reports) == read[0]


def test_any_earlier_report_shows_who_cannot_be_the_user() -> None:
    x = a_user("x", **SIGNED_IN_LATELY)
    cases = [
        ([delete(PASSWORD, **OF_X)], {at: [PASSWORD, x], LATER: [PASSWORD]})
        for at in (AS_OF - ONE_DAY, WEEK)
    ]
    assert by_reports(*cases) == [STILL_THERE] * 2


SWITCHED_OFF = LISTED.replace("Active", "Inactive")
NOBODY = '{"ServiceSpecificCredentials": []}'
NOT_SEEN: dict[str, Any] = {}
SEEN: dict[str, Any] = {"service_credentials": "bedrock.amazonaws.com"}
Lists = Mapping[datetime, str]
LISTS: list[tuple[dict[str, Any], Lists, Row, tuple[str, str]]] = [
    (NOT_SEEN, {LATER: LISTED}, QUIET, STILL_WORKS),
    (NOT_SEEN, {AS_OF: LISTED}, QUIET, MAY_WORK),
    (NOT_SEEN, {WEEK: LISTED}, QUIET, MAY_WORK),
    (NOT_SEEN, {WEEK: LISTED}, created(SINCE), NO_CREDENTIALS),
    (NOT_SEEN, {AS_OF - ONE_DAY: LISTED}, QUIET, NO_CREDENTIALS),
    (NOT_SEEN, {WEEK: LISTED, LATER: LISTED}, QUIET, STILL_WORKS),
    (SEEN, {}, QUIET, MAY_WORK),
    (SEEN, {AS_OF: LISTED, WEEK: SWITCHED_OFF}, QUIET, NO_CREDENTIALS),
    (SEEN, {AS_OF: LISTED, WEEK: NOBODY}, QUIET, NO_CREDENTIALS),
    (SEEN, {AS_OF: LISTED, WEEK: NOBODY}, created("soon"), MAY_WORK),
    (SEEN, {AS_OF: SWITCHED_OFF, WEEK: LISTED}, QUIET, MAY_WORK),
    (SEEN, {AS_OF: SWITCHED_OFF}, QUIET, MAY_WORK),
    (SEEN, {AS_OF - ONE_DAY: SWITCHED_OFF}, QUIET, MAY_WORK),
    (SEEN, {WEEK: LISTED, LATER: SWITCHED_OFF}, QUIET, NO_CREDENTIALS),
    ({**SEEN, "as_of": LATER}, {LATER: SWITCHED_OFF}, QUIET, NO_LATER_REPORT),
]
"""What the line says of service-specific credentials, AWS's lists by report, the user in the report
of the week after, and status and fact in the newest."""


def test_the_newest_list_since_a_decision_says_whether_a_service_credential_may_work(
    tmp_path: Path,
) -> None:
    decided = []
    for number, (seen, lists, then, _) in enumerate(LISTS):
        account = f"{number:012}"
        decided.append(of_account(account, line("deactivate", FULL, **seen)))
        for at, of in ((AS_OF - ONE_DAY, KEY), (AS_OF, CERTIFICATE), (WEEK, then), (LATER, QUIET)):
            others = a_user(f"{at:%H%M%d}", created=at)  # so that no report is a copy
            text = report_text([of, others]).replace(ACCOUNT, account)
            saved(tmp_path / account, text, console_name(at))
        for at, text in lists.items():
            saved(tmp_path / account, text, f"{console_name(at)}.service-credentials.json")
    analysis = analyzer.analyze(analyzer.load(tmp_path), ledger=ledger_of(*decided))
    rows = analysis.follow_up.sort_values("account").to_dict("records")
    for row, (*case, expected) in zip(rows, LISTS, strict=True):
        assert (row["status"], row["fact"]) == expected, case
        assert row["had_service_credential"] == (expected != NO_CREDENTIALS), case


def test_a_decision_to_keep_whose_user_may_have_a_new_name_is_noted() -> None:
    kept, moved = line("keep"), a_user(path="ops/")
    noted = "Not in the report, possibly renamed: quiet (keep, Anna, 2026-05-01; {} was created in"
    for now, ledger, notes in (
        ([X], [kept], [noted.format("x")]),
        ([moved], [kept], [noted.format("quiet")]),
        ([X], [kept, line("keep", X, as_of=LATER)], []),
        ([X], [line("keep", **OF_X)], []),
        ([X], [line("keep", on=DAY - 200 * ONE_DAY)], []),
        ([ROB], [line("keep", UNDATED)], []),
        *((now, [kept], []) for now in ([QUIET, X], [Y])),
    ):
        judged = analysis_of(*now, as_of=LATER, ledger=ledger_of(*ledger))
        in_outputs = headline.notes(judged), json_document(judged)["notes"]
        for each in in_outputs:
            found = [note for note in each if note.startswith("Not in the report")]
            assert [note.startswith(of) for note, of in zip(found, notes, strict=True)] == [
                True
            ] * len(notes)


def test_as_of_set_by_hand_makes_no_report_newer_or_older_than_the_one_decided_on() -> None:
    set_later = {**line().user_row, "as_of": f"{LATER:%Y-%m-%dT%H:%M:%SZ}"}
    on_set = replace(delete(), user_row={**set_later, "as_of_source": "option"})
    hidden = "The report does not show that it is newer than the one that was decided on. If it is,"
    for decided, made, set_as_of, users, expected in (
        (delete(), AS_OF - ONE_DAY, LATER, [], (UNKNOWN, hidden)),
        (delete(), AS_OF - ONE_DAY, None, [], (UNKNOWN, "The report is older than the one that")),
        (deactivate(KEY), AS_OF, LATER, [QUIET], NO_LATER_REPORT),
        (on_set, AS_OF + ONE_DAY, None, [PASSWORD], (OVERTAKEN, "Changed since")),
        (on_set, AS_OF + ONE_DAY, None, [], (NOT_DONE, "No user in the reports has this ARN")),
        (on_set, LATER + ONE_DAY, None, [], GONE),
    ):
        report = analyzer.load((console_name(made), report_text(users).encode()), as_of=set_as_of)
        frame = analyzer.analyze(report, ledger=ledger_of(decided)).follow_up
        ((status, fact),) = frame[["status", "fact"]].itertuples(index=False)
        assert (status, fact.startswith(expected[1])) == (expected[0], True), fact
        source = "option" if set_as_of else "file-name"
        assert status_by_law(decided, {made: users}, source) == status


def test_what_whoever_may_be_the_user_has_more_overtakes_the_decision_too() -> None:
    key = a_key(SINCE)
    changed = "Changed since the decision: {}access key created 2026-05-06. Decide again."
    cases: list[Case] = [
        (
            delete(),
            [a_user("x", key_1=key)],
            (OVERTAKEN, changed.format("possibly renamed to x, ")),
        ),
        (delete(), [a_user(key_1=key, created="soon")], (OVERTAKEN, changed.format(""))),
        (
            delete(),
            [a_user("x"), a_user("y"), a_user("z", key_1=key)],
            (OVERTAKEN, changed.format("possibly renamed to z, ")),
        ),
        (delete(same_second=frozenset({"x"})), [a_user("x", key_1=key)], GONE),
        (delete(), [a_user("x", key_1=key), a_user(created="soon")], UNREAD),
    ]
    assert outcomes(*cases) == [expected for *_, expected in cases]
