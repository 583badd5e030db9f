"""A period says what an auditor asks of decisions: each state apart, and who acted without one."""

import io
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import analyzer
from analyzer.analysis.analysis import AnalysisRequest
from analyzer.changes.decisions import DECISION_COUNTS
from analyzer.changes.history import History, history
from analyzer.changes.period import Span
from analyzer.decisions.decision import LedgerLine
from analyzer.decisions.removal_log import read_removal_log
from analyzer.terms import HistoryTable
from analyzer.writers.history import sentences, write_history_table
from tests.changes.test_history import ACCOUNT, BORN, day, person, report
from tests.support.builders import Row, a_key, a_password, an_inactive_key
from tests.support.decisions import ledger_of, line
from tests.support.histories import Named, history_of
from tests.support.named_reports import load_named
from tests.support.removal_logs import CALLER, log_row, log_text

ANN = person()


def decided(
    reports: list[Named], *lines: LedgerLine, log: list[Any] | None = None, owners: str = ""
) -> History:
    """Return the history of reports beside decisions, a log and a list of owners."""
    ledger = ledger_of(*lines)
    if log:
        ledger = replace(ledger, log=read_removal_log("log.csv", log_text(*log).encode()))
    listed = analyzer.read_owners(
        ("owners.csv", f"account,user,owner,email,left\n{owners}".encode())
    )
    loaded = load_named(*reports, with_older=True)
    return history(AnalysisRequest(ledger=ledger, owners=listed), loaded, Span())


def counted(found: History) -> dict[str, int]:
    """Return the numbers of decisions that are not zero."""
    total = found.period.iloc[-1]
    return {name: int(total[name]) for name in DECISION_COUNTS if total[name]}


def word(what: str, on: int, by: str = "Anna", at: int = 0, user: Row = ANN) -> LedgerLine:
    return line(what, user, by=by, on=day(on).date(), as_of=day(at))


GONE = [report(0, ANN), report(20, ANN), report(60)]


@pytest.mark.parametrize(
    ("words", "undecided", "says"),
    [
        ([word("delete", 1)], False, ""),
        ([word("deactivate", 1)], False, ""),
        ([], True, "ann (no decision)"),
        ([word("keep", 1)], True, "ann (keep, Anna)"),
        ([word("delete", 1), word("withdraw", 9)], True, "ann (withdraw, Anna)"),
        ([word("delete", 1), word("keep", 1, "Bob")], True, "ann (delete, Anna)"),
        ([word("delete", 60)], False, ""),
        ([word("delete", 61)], True, "ann (delete, Anna)"),
        ([word("delete", 1), word("keep", 61)], False, ""),
    ],
)
def test_who_is_removed_without_a_removal_that_stood_by_then_is_named_with_the_last_word(
    words: list[LedgerLine], *, undecided: bool, says: str
) -> None:
    found = decided(GONE, *words, word("keep", 1, user=person("bo")))
    (user,) = found.users.to_dict("records")
    assert user["removed_undecided"] is undecided
    assert counted(found).get("removed_undecided", 0) == undecided
    named = [each for each in sentences(found) if each.startswith("Removed without")]
    assert named == ([f"Removed without a removal that stood: {says}."] if says else [])


def logged(at: int) -> Any:
    return log_row(day(at), "ann", BORN, decided_on=str(day(1).date()), account=ACCOUNT)


@pytest.mark.parametrize(
    ("log", "outcome", "how"),
    [
        ([], "done_undated", "between two reports"),
        ([logged(31)], "done_in_time", "deleted on 2026-02-01 09:30 UTC by"),
        ([logged(32)], "done_late", "deleted on 2026-02-02 09:30 UTC by"),
    ],
)
def test_a_removal_done_has_the_moment_and_the_caller_of_the_log_or_lies_between_two_reports(
    log: list[Any], outcome: str, how: str
) -> None:
    found = decided(GONE, word("delete", 1), log=log)
    expected = {"decisions": 1, "removals": 1, outcome: 1}
    assert counted(found) == expected | ({"done_logged": 1} if log else {})
    (done,) = found.events[found.events["event"] == "done"]["detail"]
    assert done.startswith(f"delete, Anna, 2026-01-02; {how}")
    (user,) = found.users.to_dict("records")
    assert (user["decision"], user["state"]) == ("delete", "done")
    assert (user["done_by"], str(user["done_at"])[:10]) == (
        (CALLER, how[11:21]) if log else ("", "NaT")
    )


def test_what_the_reports_deny_of_the_log_is_named() -> None:
    found = decided([report(0, ANN), report(60, ANN)], word("delete", 1), log=[logged(31)])
    (denied,) = [
        each for each in sentences(found) if each.startswith("log.csv, row 2: ann deleted")
    ]
    assert denied.endswith("shows the user afterwards.")
    assert counted(found) == {"decisions": 1, "removals": 1, "open": 1, "overdue": 1}


def test_each_state_of_a_removal_is_counted_apart_and_overdue_beside_it() -> None:
    names = ("open", "kept", "apart", "used", "newer")
    users = {
        name: person(name, created=BORN - timedelta(seconds=at)) for at, name in enumerate(names)
    }
    signed_in = users["used"] | a_password(day(30))
    later = [*(user for name, user in users.items() if name != "used"), signed_in]
    reports = [report(0, *users.values()), report(40, *later)]
    found = decided(
        reports,
        *(word("delete", 8, user=user) for user in users.values()),
        word("keep", 1, "Bob", user=users["kept"]),
        word("withdraw", 8, "Bob", user=users["apart"]),
        word("investigate", 9, "Bob", at=40, user=users["newer"]),
    )
    assert counted(found) == {
        "decisions": 8,
        "removals": 5,
        "overdue": 5,
        "open": 1,
        "kept": 1,
        "disagree": 2,
        "overtaken": 1,
    }
    states = found.users.set_index("user")["state"].to_dict()
    assert states == dict(
        zip(names, ("open", "kept", "disagree", "overtaken", "disagree"), strict=True)
    )
    said = (
        "(disagree 2, kept 1, overtaken 1, open 1); overdue 5; in the log of the removal script 0."
    )
    assert any(each.endswith(said) for each in sentences(found))


LEFT = "*,ann,Anna,anna@example.com,{}\n"


@pytest.mark.parametrize(
    ("owners", "number"),
    [
        (LEFT.format("2026-01-01"), 1),
        (LEFT.format("2026-01-02"), 0),
        (LEFT.format(""), 0),
        (LEFT.format("2026-01-01") + "*,bo,anna,,\n", 0),
        (LEFT.format("2026-01-01") + "*,bo,ANNA,,2026-01-09\n", 0),
        ("*,ann,Anna Lee,anna,2026-01-01\n", 0),
        ("*,ann,Lee,,2026-01-01\n", 0),
    ],
)
def test_a_decision_by_a_person_who_had_left_by_then_is_named(owners: str, number: int) -> None:
    owners = owners.replace("Anna Lee,anna,", "Anna Lee,anna@x,")
    found = decided([report(0, ANN), report(20, ANN)], word("delete", 1), owners=owners)
    assert counted(found).get("decided_after_leaving", 0) == number
    named = [each for each in sentences(found) if each.startswith("Decided by people")]
    assert named == ["Decided by people who had left: ann."] * number


@pytest.mark.parametrize(("last", "number"), [(-1, 0), (0, 1), (30, 1), (31, 0)])
def test_keeps_that_end_before_the_next_review_are_counted_and_named(
    last: int, number: int
) -> None:
    end = day(200)
    keep = line("keep", ANN, on=(end + timedelta(days=last - 180)).date(), as_of=day(0))
    found = decided([report(0, ANN), report(200, ANN)], keep)
    assert counted(found).get("keeps_ending", 0) == number
    named = [each for each in sentences(found) if "that end within" in each]
    assert named == ["Decisions to keep that end within 30 days after the period: ann."] * number


KEYED = person(key_1=a_key(BORN, day(-3)))
NO_KEY, OFF = person(), person(key_1=an_inactive_key(BORN, day(-3)))
SIGNED_IN = person() | a_password(day(-2))
BOTH = person(key_1=a_key(BORN, day(-3))) | a_password(day(-2))


@pytest.mark.parametrize(
    ("shown", "period", "used"),
    [
        ([SIGNED_IN, NO_KEY], (0, 20), day(-2)),
        ([KEYED, NO_KEY], (0, 20), day(-3)),
        ([KEYED, OFF], (0, 20), None),
        ([BOTH, OFF], (0, 20), day(-2)),
        ([BOTH, NO_KEY], (0, 20), day(-2)),
        ([NO_KEY, NO_KEY], (0, 20), None),
        ([NO_KEY, SIGNED_IN], (0, 20), None),
        ([SIGNED_IN, KEYED], (0, 20), None),
        ([SIGNED_IN, NO_KEY, NO_KEY], (20, 40), day(-2)),
        ([NO_KEY, NO_KEY, SIGNED_IN], (0, 20), None),
        ([SIGNED_IN, person("bo")], (0, 20), None),
        ([SIGNED_IN, person(user_creation_time=day(1))], (0, 20), None),
    ],
)
def test_an_unused_user_of_whom_an_earlier_report_shows_a_use_is_counted_apart(
    shown: list[Row], period: tuple[int, int], used: Any
) -> None:
    since, until = map(day, period)
    reports = [report(20 * at, user) for at, user in enumerate(shown)]
    found = history_of(reports, Span(since=since, until=until))
    assert int(found.period.iloc[-1]["used_before"]) == (used is not None)
    assert [*found.users["used_before"].dropna()] == [used] * (used is not None)
    says = "Unused at the end, but used before, as an earlier report shows: ann."
    assert (says in sentences(found)) is (used is not None)


def test_a_terminal_shows_the_decision_on_a_user_and_what_it_lacked() -> None:
    found = decided([report(0, ANN, person("bo")), report(20)], word("keep", 1))
    stream = io.StringIO()
    write_history_table(found, stream, HistoryTable.USERS, width=400)
    lines = {line.split()[0]: line for line in stream.getvalue().splitlines() if line.strip()}
    lacking = "removed without a removal that stood"
    assert f"keep, Anna, 2026-01-02; {lacking}" in lines["ann"]
    assert lines["bo"].rstrip().endswith(lacking)
