"""A period says what an auditor asks of decisions: each state apart, and who acted without one."""

import io
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import analyzer
from analyzer.analysis.analysis import AnalysisRequest
from analyzer.changes.decisions import DECISION_COUNTS, DECISIONS
from analyzer.changes.history import History, history
from analyzer.changes.period import Span
from analyzer.decisions.decision import LedgerLine
from analyzer.decisions.removal_log import read_removal_log
from analyzer.terms import HistoryTable
from analyzer.writers.history import (
    sentences,
    write_history_csv,
    write_history_json,
    write_history_table,
)
from analyzer.writers.workbook.history import write_history_workbook
from tests.changes.test_history import ACCOUNT, BORN, day, person, report
from tests.support.builders import Row, a_key, a_password, an_inactive_key, table
from tests.support.decisions import ledger_of, line
from tests.support.histories import Named, history_of
from tests.support.named_reports import load_named
from tests.support.removal_logs import CALLER, log_row, log_text

ANN, SECOND = person(), timedelta(seconds=1)


def decided(
    reports: list[Named], *lines: LedgerLine, log: list[Any] | None = None, owners: str | None = ""
) -> History:
    """Return the history of reports beside decisions, a log and perhaps a list of owners."""
    ledger = ledger_of(*lines)
    if log:
        ledger = replace(ledger, log=read_removal_log("log.csv", log_text(*log).encode()))
    listed = None
    if owners is not None:
        text = f"account,user,owner,email,left\n{owners}"
        listed = analyzer.read_owners(("owners.csv", text.encode()))
    loaded = load_named(*reports, with_older=True)
    return history(AnalysisRequest(ledger=ledger, owners=listed), loaded, Span())


def counted(found: History) -> dict[str, int]:
    """Return the numbers of decisions that are not zero."""
    total = found.period.iloc[-1]
    return {name: int(total[name]) for name in DECISION_COUNTS if total[name]}


def word(what: str, on: int, by: str = "Anna", at: int = 0, user: Row = ANN) -> LedgerLine:
    return line(what, user, by=by, on=day(on).date(), as_of=day(at))


GONE = [report(0, ANN), report(20, ANN), report(60)]


KEEP = "removed_against_a_keep"
UNDECIDED, TO_X = "removed_without_a_decision", person("x")
WENT: list[tuple[list[LedgerLine], list[Row], str, str]] = [
    ([word("delete", 1)], [], "", ""),
    ([word("deactivate", 1)], [], "", ""),
    # Those who differ are counted as done, not as decided.
    ([word("delete", 1), word("keep", 1, "Bob")], [], "", ""),
    ([], [], UNDECIDED, ""),
    ([word("keep", 1)], [], KEEP, "keep, Anna, 2026-01-02: break-glass"),
    ([word("delete", 1), word("keep", 9)], [], KEEP, "keep, Anna, 2026-01-10: break-glass"),
    (
        [word("investigate", 1, "Bob"), word("keep", 1)],
        [],
        KEEP,
        "keep, Anna, 2026-01-02: break-glass",
    ),
    ([word("keep", 60)], [], KEEP, "keep, Anna, 2026-03-02: break-glass"),
    ([word("keep", 61)], [], UNDECIDED, "keep, Anna, 2026-03-03: break-glass"),
    # In force when it was last seen, or no more.
    ([word("keep", -160)], [], KEEP, "keep, Anna, 2025-07-25: break-glass"),
    ([word("keep", -161)], [], UNDECIDED, "keep, Anna, 2025-07-24: break-glass"),
    (
        [word("investigate", -10)],
        [],
        "removed_against_an_investigation",
        "investigate, Anna, 2025-12-22",
    ),
    ([word("investigate", -11)], [], UNDECIDED, "investigate, Anna, 2025-12-21"),
    ([], [TO_X], "possibly_renamed", "possibly renamed to x"),
    ([], [TO_X, person("y")], "possibly_renamed", "possibly renamed to x, y"),
    ([], [person("x", created=BORN - SECOND)], UNDECIDED, ""),
    (
        [word("keep", 1)],
        [TO_X],
        KEEP,
        "keep, Anna, 2026-01-02: break-glass; possibly renamed to x",
    ),
]
"""Words on a user who goes between two reports, who is new in the later one, and how it went."""


@pytest.mark.parametrize(("words", "new", "how", "fact"), WENT)
def test_who_is_gone_without_a_decision_to_remove_it_is_counted_by_what_is_known(
    words: list[LedgerLine], new: list[Row], how: str, fact: str
) -> None:
    other = word("keep", 1, user=person("bo", created=BORN - SECOND))
    found = decided([report(0, ANN), report(20, ANN), report(60, *new)], *words, other)
    rows = {row["user"]: row for row in found.users.to_dict("records")}
    assert {row["removed_as"] for user, row in rows.items() if user != "ann"} <= {""}
    as_column = rows["ann"]["removed_as"].replace(" ", "_")
    assert (as_column, rows["ann"]["removed_fact"]) == (how, fact)
    assert counted(found).get(how, 0) == bool(how)
    text = f"1 ({rows['ann']['removed_as']} 1)" if how else "0"
    said = f"Users gone without a decision to remove them: {text}."
    assert any(each.endswith(said) for each in sentences(found))
    named = f"{rows['ann']['removed_as'].capitalize()}: ann{f' ({fact})' if fact else ''}."
    assert (named in sentences(found)) is bool(how)


def test_a_name_that_was_there_beside_the_user_is_no_new_name_of_it() -> None:
    found = decided([report(0, ANN, TO_X), report(20, ANN, TO_X), report(60, TO_X)])
    assert counted(found) == {UNDECIDED: 1}


def test_a_new_name_that_is_gone_again_explains_nothing() -> None:
    found = decided([report(0, ANN), report(20, TO_X), report(60)])
    assert counted(found) == {UNDECIDED: 2}


def logged(at: int) -> Any:
    return log_row(day(at), "ann", BORN, decided_on=str(day(1).date()), account=ACCOUNT)


@pytest.mark.parametrize(
    ("log", "how"),
    [
        ([], "between two reports"),
        ([logged(31)], "deleted on 2026-02-01 09:30 UTC by"),
        ([logged(61)], "between two reports"),
    ],
)
def test_a_removal_done_has_the_moment_and_the_caller_of_the_log_or_lies_between_two_reports(
    log: list[Any], how: str
) -> None:
    found = decided(GONE, word("delete", 1), log=log)
    assert counted(found) == {"decisions": 1, "removals": 1, "done": 1}
    (done,) = found.events[found.events["event"] == "done"]["detail"]
    assert done.startswith(f"delete, Anna, 2026-01-02; {how}")
    (row,) = found.decisions.to_dict("records")
    assert (row["decision"], row["state"], row["done_since"]) == ("delete", "done", day(60))
    is_logged = how.startswith("deleted")
    assert (row["done_by"], str(row["done_at"])[:10]) == (
        (CALLER, how[11:21]) if is_logged else ("", "NaT")
    )


NAMES = ("open", "kept", "used", "gone", "left", "lapsed", "off", "none")


def test_one_table_has_all_decisions_with_what_became_of_each_and_each_state_is_counted() -> None:
    users = {name: person(name, created=BORN - at * SECOND) for at, name in enumerate(NAMES)}
    users["off"] |= a_key_of(users["off"])
    signed_in = users["used"] | a_password(day(30))
    stay = ("open", "kept", "lapsed", "none")
    later = [users[name] for name in stay] + [
        signed_in,
        users["off"] | {"access_key_1_active": "false"},
    ]
    found = decided(
        [report(0, *users.values()), report(20, *users.values()), report(40, *later)],
        *(word("delete", 8, user=users[name]) for name in NAMES if name not in ("lapsed", "none")),
        word("keep", 1, "Bob", user=users["kept"]),
        word("keep", 1, "Bob", user=users["left"]),
        word("delete", 61, user=users["lapsed"]),
        word("deactivate", 8, user=users["none"]),
    )
    assert counted(found) == {
        "decisions": 10,
        "removals": 8,
        "open": 1,
        "not_carried_out": 2,
        "contested": 1,
        "changed": 1,
        "done": 1,
        "done_not_as_decided": 1,
        "lapsed": 1,
        "deactivated": 1,
        "nothing_to_do": 1,
    }
    words = found.decisions
    assert list(words.columns) == list(DECISIONS)
    removals = words[words["decision"] != "keep"].set_index("user")["state"].to_dict()
    assert removals == {
        "open": "open",
        "kept": "contested",
        "used": "changed",
        "gone": "done",
        "left": "done, not as decided",
        "lapsed": "lapsed",
        "off": "deactivated",
        "none": "nothing to do",
    }
    keeps = words[words["decision"] == "keep"]
    assert set(zip(keeps["state"], keeps["fact"], strict=True)) == {("", "counts until 2026-07-01")}
    said = (
        "(done, not as decided 1; contested 1; changed 1; deactivated 1; lapsed 1; open 1;"
        " nothing to do 1; done 1; of these not carried out 2)."
    )
    assert any(said in each for each in sentences(found))


def a_key_of(user: Row) -> Row:
    """Return the cells of an active key of a user."""
    key = person(key_1=a_key(BORN))
    return {name: cell for name, cell in key.items() if name.startswith("access_key_1") and user}


def test_a_word_that_its_person_replaced_has_no_state() -> None:
    found = decided([report(0, ANN), report(20, ANN)], word("delete", 1), word("keep", 9))
    rows = found.decisions.sort_values("decided_on")
    assert list(zip(rows["decision"], rows["state"], rows["fact"], strict=True)) == [
        ("delete", "", "replaced: its person wrote another word later"),
        ("keep", "", "counts until 2026-07-09"),
    ]
    assert counted(found) == {"decisions": 2}


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
def test_a_decision_by_a_person_who_had_left_by_then_is_marked(owners: str, number: int) -> None:
    owners = owners.replace("Anna Lee,anna,", "Anna Lee,anna@x,")
    found = decided([report(0, ANN), report(20, ANN)], word("delete", 1), owners=owners)
    assert counted(found).get("had_left", 0) == number
    assert list(found.decisions["had_left"]) == [bool(number)]
    said = f"Decisions: 1, by people who had left {number}. "
    assert any(each.startswith(said) for each in sentences(found))


def test_without_a_list_of_owners_it_is_not_known_who_had_left(tmp_path: Path) -> None:
    found = decided([report(0, ANN), report(20, ANN)], word("delete", 1), owners=None)
    assert list(found.period["had_left"].isna()) == [True, True]
    assert list(found.decisions["had_left"].isna()) == [True]
    says = "Decisions: 1, by people who had left: not known (name the list of --owners). "
    assert any(each.startswith(says) for each in sentences(found))
    stream = io.BytesIO()
    write_history_json(found, stream)
    tables = json.loads(stream.getvalue())
    rows = [*tables["period"], *tables["decisions"]]
    assert [row["had_left"] for row in rows] == [None, None, None]
    for name in (HistoryTable.PERIOD, HistoryTable.DECISIONS):
        cells = io.BytesIO()
        write_history_csv(found, cells, name)
        assert {row["had_left"] for row in table(cells.getvalue())} == {""}
    with (tmp_path / "year.xlsx").open("wb") as workbook:
        write_history_workbook(found, workbook)
    book = openpyxl.load_workbook(tmp_path / "year.xlsx")
    summary = {row[0]: row[1] for row in book["Summary"].iter_rows(values_only=True)}
    assert (summary["Decisions"], summary["Had left"]) == (1, "not known")
    assert "Had left" not in [cell.value for cell in book["Decisions"][1]]
    shown = io.StringIO()
    write_history_table(found, shown, HistoryTable.DECISIONS, width=400)
    assert "had left" in shown.getvalue()
    assert "(had left)" not in shown.getvalue()


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
    assert list(found.users["used_before"].dropna()) == [used] * (used is not None)
    says = "Unused at the end, but used before, as an earlier report shows: ann."
    assert (says in sentences(found)) is (used is not None)


def test_a_terminal_shows_each_decision_and_what_became_of_it() -> None:
    owners = "*,ann,Anna,,2026-01-01\n"
    found = decided(GONE, word("delete", 1), log=[logged(31)], owners=owners)
    stream = io.StringIO()
    write_history_table(found, stream, HistoryTable.DECISIONS, width=400)
    (shown,) = (row for row in stream.getvalue().splitlines() if row.strip().startswith("ann"))
    assert "delete, Anna (had left), 2026-01-02" in shown
    assert f"done; the user is gone; log: deleted on 2026-02-01 09:30 UTC by {CALLER}" in shown
    late = decided([report(0, ANN), report(40, ANN)], word("delete", 1))
    write_history_table(late, stream, HistoryTable.DECISIONS, width=400)
    assert "open, not carried out; still there" in stream.getvalue()
