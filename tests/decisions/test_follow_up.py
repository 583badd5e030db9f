"""The follow-up has a row for each removal; what was decided stands beside each user."""

import io
from datetime import timedelta

import pytest

import analyzer
from analyzer.decisions import follow_up
from analyzer.decisions.decision import LedgerLine
from analyzer.decisions.fate import State
from analyzer.decisions.follow_up import follow_up_counts, needs_no_decision
from analyzer.writers.tables import write_follow_up
from tests.support.builders import AS_OF, Row, a_key, a_password, a_user, an_inactive_key, table
from tests.support.decisions import DAY, analysis_of, in_accounts, ledger_of, line
from tests.support.outputs import json_document

LATER, ONE_DAY = AS_OF + timedelta(days=40), timedelta(days=1)
QUIET, KEY, OFF = a_user(), a_user(key_1=a_key()), a_user(key_1=an_inactive_key())
UNDATED = a_user(created="N/A")
RETIRED = a_user(password=a_password(AS_OF - 999 * ONE_DAY) | {"password_enabled": "false"})


def test_each_row_shows_where_it_was_decided_what_was_seen_and_what_is_now() -> None:
    frame = analysis_of(QUIET, as_of=LATER, ledger=ledger_of(line(ticket="S-1"))).follow_up
    (row,) = frame.astype(str).where(frame.notna(), "").to_dict("records")
    expected = {
        "status": "open",
        "fact": "still there",
        "days": "40",
        "overdue": "not carried out",
        "decision": "delete",
        "decided_by": "Anna",
        "decided_on": "2026-05-01",
        "ticket": "S-1",
        "workbook": "review.xlsx",
        "row": "2",
        "decided_verdict": "unused",
        "decided_as_of": "2026-05-01 12:00:00+00:00",
        "verdict": "unused",
        "as_of": "2026-06-10 12:00:00+00:00",
        "done_since": "",
        "created": "2023-08-05 12:00:00+00:00",
        "last_use": "",
    }
    assert {name: row[name] for name in expected} == expected


def test_the_columns_have_one_kind_whatever_there_is() -> None:
    frames = [in_accounts(LATER, (lines, [])).follow_up for lines in ([], [line()])]
    assert {tuple(frame) for frame in frames} == {follow_up.COLUMNS}
    assert len({tuple(map(str, frame.dtypes)) for frame in frames}) == 1


def test_the_most_urgent_come_first_and_are_counted() -> None:
    used = a_user("used", password=a_password(LATER))
    others = {"gone", "there", "used"}
    ledger = ledger_of(
        line("delete", a_user("gone"), beside=others),
        line("delete", a_user("there"), beside=others),
        line("delete", a_user("hidden", created="soon")),
        line("delete", a_user("used", password=a_password()), beside=others),
        line("keep", a_user("kept", created=AS_OF - ONE_DAY)),
    )
    frame = analysis_of(a_user("there"), used, as_of=LATER, ledger=ledger).follow_up
    assert list(frame["user"]) == ["used", "hidden", "there", "gone"]
    assert list(frame["status"].cat.categories) == list(map(str, State))
    counts = {"changed": 1, "open": 1, "unknown": 1, "done": 1, "not carried out": 1}
    assert {word: n for word, n in follow_up_counts(frame).items() if n} == counts


def test_csv_and_json_have_each_removal_and_guard_what_looks_like_a_formula() -> None:
    ann, stream = a_user("=ann"), io.BytesIO()
    analysis = in_accounts(LATER, ([line("delete", ann, comment="=1+1")], [ann]))
    write_follow_up(analysis, stream)
    (row,) = table(stream.getvalue())
    assert tuple(row) == follow_up.COLUMNS
    assert (row["user"], row["comment"], row["status"]) == ("'=ann", "'=1+1", "open")
    assert (row["overdue"], row["decided_on"]) == ("not carried out", "2026-05-01")
    document = json_document(analysis)
    decisions = document["decisions"]
    assert (decisions["counts"]["open"], decisions["counts"]["not carried out"]) == (1, 1)
    (followed,) = decisions["follow_up"]
    found = [followed[name] for name in ("user", "status", "overdue")]
    assert found == ["=ann", "open", "not carried out"]
    (user,) = document["users"]
    became = "open, not carried out: still there"
    assert user["earlier_decision"] == f"delete, Anna, 2026-05-01: =1+1; {became}"


def test_a_user_that_a_filter_leaves_out_is_not_gone() -> None:
    analysis = analysis_of(
        a_user("ann"), QUIET, as_of=LATER, ledger=ledger_of(line(beside=["ann"]))
    )
    filtered = analysis.where(analyzer.Filter(users=("ann",)))
    assert list(filtered.follow_up["status"]) == ["open"]


DORMANT = a_user(password=a_password(AS_OF - 100 * ONE_DAY))
TEXT = "Anna, 2026-05-01"
KEPT, KEPT_ON_10 = "kept by Anna until 2026-10-28", "kept by Anna until 2026-11-06"
KEPT_TODAY = "kept by Anna until 2026-06-10"
IN_USE = a_user(password=a_password(LATER))
NOT_KNOWN = "the creation time or the account of the user is not known"
UNTIL = "exempt until 2026-10-28"
BESIDE: list[tuple[list[LedgerLine], Row, str, str]] = [
    ([], QUIET, "", ""),
    ([line("delete", a_user("ann"))], QUIET, "", ""),
    ([line(ticket="S-1")], QUIET, f"delete, {TEXT}, S-1; open, not carried out: still", ""),
    ([line()], a_user(mfa=True), f"delete, {TEXT}; changed: not as it was seen: MFA (report ", ""),
    ([line("deactivate", KEY)], OFF, f"deactivate, {TEXT}; done: no working credentials", ""),
    ([line("investigate", comment="ask")], QUIET, f"investigate, {TEXT}: ask", ""),
    ([line(), line("keep", on=DAY + 9 * ONE_DAY)], QUIET, "keep, Anna, 2026-05-10: ", KEPT_ON_10),
    (
        [line(), line("keep", by="Tom")],
        QUIET,
        f"keep, Tom, 2026-05-01: break-glass; delete, {TEXT}; contested: delete, {TEXT}; keep, Tom",
        "kept by Tom until 2026-10-28",
    ),
    (
        [line("investigate"), line("keep", by="Tom")],
        QUIET,
        f"keep, Tom, 2026-05-01: break-glass; investigate, {TEXT}; {UNTIL}",
        "kept by Tom until 2026-10-28",
    ),
    ([line("keep", on=DAY - 141 * ONE_DAY)], QUIET, "keep, Anna, 2025-12-11: break-glass; end", ""),
    ([line("keep", on=DAY - 140 * ONE_DAY)], QUIET, "keep, Anna, 2025-12-12: break", KEPT_TODAY),
    *(
        ([line("keep", user)], user, f"keep, {TEXT}: break-glass; {UNTIL}", KEPT)
        for user in (QUIET, RETIRED, DORMANT)
    ),
    ([line("keep", IN_USE)], IN_USE, f"keep, {TEXT}: break-glass; exempts a user who is act", ""),
    ([line("keep")], a_user(created=AS_OF), "", ""),
    ([line("keep", UNDATED)], UNDATED, f"keep, {TEXT}: break-glass; exempts from nothing", ""),
    ([line("delete", UNDATED)], UNDATED, f"delete, {TEXT}; unknown: {NOT_KNOWN}", ""),
]
"""Decisions, a user of a later report, what stands beside it, and why it is exempt."""


def test_what_was_decided_stands_beside_a_user_and_a_keep_exempts_until_its_last_day() -> None:
    analysis = in_accounts(LATER, *((lines, [user]) for lines, user, *_ in BESIDE))
    (page,) = analysis.judged.slices()
    beside = analysis.earlier_decisions(page).to_pylist()
    texts = sorted(zip(page.users["account"], beside, page.users["exemption"], strict=True))
    for (_, text, exemption), (*case, begins, reason) in zip(texts, BESIDE, strict=True):
        assert (text.startswith(begins), bool(text), exemption) == (True, bool(begins), reason), (
            text,
            case,
        )


def test_a_user_to_keep_fails_other_rules_as_before() -> None:
    user = a_user(password=a_password())
    analysis = analysis_of(user, as_of=LATER, ledger=ledger_of(line("keep", user)))
    found = analysis.findings
    exempt = {
        rule: bool(reason)
        for rule, reason in zip(found["rule"], found["exemption"], strict=True)
        if rule in ("unused-user", "console-user-without-mfa")
    }
    assert exempt == {"unused-user": True, "console-user-without-mfa": False}


ACTIVE = dict(line().user_row) | {"verdict": "active"}
NEEDS_NONE: list[tuple[list[LedgerLine], Row, bool]] = [
    ([], QUIET, False),
    ([line()], QUIET, True),
    ([line("keep")], QUIET, True),
    # Listed again from the thirtieth day before its end.
    ([line("keep", on=DAY - 109 * ONE_DAY)], QUIET, True),
    ([line("keep", on=DAY - 110 * ONE_DAY)], QUIET, False),
    ([line(), line("keep", by="Tom")], QUIET, False),
    ([line(as_of=LATER), line("keep", by="Tom")], QUIET, False),
    ([line("investigate")], QUIET, False),
    ([line("investigate", as_of=LATER)], QUIET, True),
    ([line("keep", UNDATED)], UNDATED, False),
    ([line("keep", UNDATED, as_of=LATER)], UNDATED, True),
    ([line("deactivate", KEY)], KEY, True),
    ([line("deactivate", KEY)], OFF, False),
    ([line("deactivate")], QUIET, False),
    ([line("deactivate", as_of=LATER)], QUIET, True),
    ([line("delete", KEY)], OFF, False),
    ([line()], a_user(mfa=True), False),
    ([line(on=DAY + 61 * ONE_DAY)], QUIET, False),
    ([line(user_row=ACTIVE)], QUIET, False),
]
"""Decisions, a user of a later report, and whether nothing is to be decided now."""


@pytest.mark.parametrize("of_part", [False, True])
def test_a_decision_answers_until_it_ends_is_done_or_the_user_changes(*, of_part: bool) -> None:
    analysis = in_accounts(LATER, *((lines, [user]) for lines, user, _ in NEEDS_NONE))
    if of_part:
        analysis = analysis.where(analyzer.Filter(users=("quiet",)))
    (page,) = analysis.judged.slices()
    found = needs_no_decision(page, analysis.follow_up_result)
    by_account = sorted(zip(page.users["account"], map(bool, found), strict=True))
    assert [each for _, each in by_account] == [each for *_, each in NEEDS_NONE]
