"""Decisions are read from the workbook of a review, whatever a person did to it besides."""

import io
import random
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from openpyxl.styles import PatternFill

from analyzer.errors import InputRefused, Problem
from analyzer.review import ReviewDecision, UserState, combined_review, decisions_on_page
from analyzer.review_columns import SHEETS, Decision
from analyzer.sources import review
from analyzer.sources.review import read_review
from tests.support.builders import LONG_AGO, a_user, days_before
from tests.support.reviews import DAY, HEADS, arn_of, decisions_in, listed, workbook_bytes
from tests.support.workbooks import (
    analyzed_users,
    moment,
    needs_libreoffice,
    saved_by_libreoffice,
)

NAMES = ("=1+1", "-x", "a,b", "+A1", "@SUM", "ann")
DECISIONS = dict(
    zip(NAMES, ("delete", "keep", "deactivate", "investigate", "keep", "delete"), strict=True)
)
ROWS = [listed(name, decision) for name, decision in DECISIONS.items()]


def only(content: bytes) -> ReviewDecision:
    (decision,) = read_review("LAST.xlsx", content).decisions
    return decision


def problems(content: bytes) -> tuple[Problem, ...]:
    with pytest.raises(InputRefused) as refusal:
        read_review("LAST.xlsx", content)
    assert all(each.hint for each in refusal.value.problems)
    return refusal.value.problems


def places(content: bytes) -> list[str]:
    return [str(each).split("\n")[0] for each in problems(content)]


# What is read


def test_a_decision_is_read_with_all_that_the_reviewer_wrote() -> None:
    row = listed("ann", "keep", Ticket=4711, Comment=" by design ")
    decision = only(workbook_bytes(row))
    assert (decision.account, decision.user, decision.arn) == (
        "012345678901",
        "ann",
        arn_of("ann"),
    )
    assert decision.created == LONG_AGO
    assert decision.decision is Decision.KEEP
    assert (decision.decided_by, decision.decided_on) == ("Ann", DAY)
    assert (decision.ticket, decision.comment) == ("4711", "by design")
    assert decision.place == "LAST.xlsx, sheet Unused users, row 2"


@pytest.mark.parametrize("title", [*SHEETS, "Unused users 2"])
def test_every_list_of_the_review_is_read(title: str) -> None:
    assert decisions_in(workbook_bytes(*ROWS, title=title)) == DECISIONS


def test_rows_without_a_decision_are_skipped() -> None:
    rows = [listed("ann"), listed("bob", " "), listed("eve", Comment="ask Bob"), *ROWS]
    assert decisions_in(workbook_bytes(*rows)) == DECISIONS


@pytest.mark.parametrize("word", ["Keep", " KEEP ", "keep\n"])
def test_a_decision_counts_in_any_case_and_with_blanks_around(word: str) -> None:
    assert only(workbook_bytes(listed("ann", word))).decision is Decision.KEEP


def test_columns_may_be_added_and_moved_and_those_for_the_ticket_left_out() -> None:
    heads = list(reversed([head for head in HEADS if head not in ("Ticket", "Decided by")]))
    heads.insert(1, "Team")
    assert decisions_in(workbook_bytes(*ROWS, heads=heads)) == DECISIONS


def test_rows_may_be_sorted_and_stand_anywhere() -> None:
    rows = random.Random(1).sample(ROWS, len(ROWS))
    above = [["Unused users"], ["Decision"], []]
    assert decisions_in(workbook_bytes(*rows, above=above)) == DECISIONS


def test_sheets_may_be_added_and_rows_be_hidden_and_coloured() -> None:
    book = load_workbook(io.BytesIO(workbook_bytes(*ROWS)))
    book.create_sheet("Notes", 0).append(["Decision", "ARN", "whatever"])
    book["Unused users"].row_dimensions[3].hidden = True
    book["Unused users"]["C4"].fill = PatternFill("solid", fgColor="FFFF00")
    stream = io.BytesIO()
    book.save(stream)
    assert decisions_in(stream.getvalue()) == DECISIONS


def test_a_sheet_that_lists_nobody_has_no_decisions() -> None:
    assert decisions_in(workbook_bytes(heads=["There are no undetermined users."])) == {}


def test_a_list_of_exempt_users_needs_no_column_to_fill_in_but_all_if_it_has_one() -> None:
    heads = ["Account", "User", "ARN", "Exempt because", "Created"]
    assert decisions_in(workbook_bytes(listed("ann"), title="Exempt 2", heads=heads)) == {}
    (place,) = places(workbook_bytes(listed("ann"), title="Exempt", heads=[*heads, "Ticket"]))
    assert "missing: Decision, Decided on, Comment" in place
    (place,) = places(workbook_bytes(listed("ann"), title="Unused users", heads=heads))
    assert "missing: Decision, Decided on, Comment" in place


def test_a_list_in_which_nothing_was_decided_needs_no_other_heads() -> None:
    rows = [listed("ann"), {"ARN": "arn"}]
    assert decisions_in(workbook_bytes(*rows, heads=["ARN", "Comment", "Decision"])) == {}
    assert decisions_in(workbook_bytes(rows[1], heads=["ARN", "Comment", "Decision"])) == {}


@pytest.mark.parametrize(
    "value",
    [
        LONG_AGO.replace(tzinfo=None),
        LONG_AGO.replace(tzinfo=None, microsecond=499_000),
        f"{LONG_AGO:%Y-%m-%d %H:%M:%S}",
        f"{LONG_AGO:%Y-%m-%dT%H:%M:%SZ}",
        f"{LONG_AGO:%Y-%m-%d %H:%M:%S} UTC",
        f"{LONG_AGO.replace(hour=14):%Y-%m-%dT%H:%M:%S}+02:00",
        45143.5,
    ],
)
def test_the_creation_time_is_read_to_the_second_in_any_form(value: Any) -> None:
    assert datetime(2023, 8, 5, 12, tzinfo=UTC) == LONG_AGO
    assert only(workbook_bytes(listed("ann", "keep", Created=value))).created == LONG_AGO


@pytest.mark.parametrize(
    "value", [None, "N/A", "2023-08-05 12:00", "05.08.2023 12:00:00", 1e30, True]
)
def test_a_creation_time_that_is_none_is_not_guessed(value: Any) -> None:
    assert only(workbook_bytes(listed("ann", "keep", Created=value))).created is None


@pytest.mark.parametrize(
    "value", [DAY, moment("2026-03-05 17:30"), "2026-03-05", "2026-03-05T17:30:00", 46086]
)
def test_the_day_of_the_decision_is_a_date_or_text(value: Any) -> None:
    decision = only(workbook_bytes(listed("ann", "keep", Decided_on=value)))
    assert (decision.decided_on, decision.has_entered_date) == (DAY, True)


def test_a_decision_without_a_day_counts_from_the_as_of_of_the_summary() -> None:
    row = listed("ann", "keep", Decided_on=None)
    decision = only(workbook_bytes(row, summary="As of 2026-03-01 09:30 UTC (from the file name)"))
    assert (decision.decided_on, decision.has_entered_date) == (date(2026, 3, 1), False)
    assert decision.as_of == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


# The state of a user that its row shows

AS_OF = datetime(2026, 3, 1, 9, 30, 1, tzinfo=UTC)
STATE_CELLS = {
    "As of (UTC)": AS_OF.replace(tzinfo=None),
    "Last activity (UTC)": "2026-02-03 04:05, access key 1, s3 in eu-west-1",
    "Access key 1": "active",
    "Access key 2": "inactive",
}


def state_shown(*added: str, **cells: Any) -> UserState | Problem:
    """Return the state in a row; `cells` replace some, `added` are further heads."""
    row = {**listed("ann", "delete"), **STATE_CELLS, **cells}
    book = read_review("LAST.xlsx", workbook_bytes(row, heads=(*HEADS, *STATE_CELLS, *added)))
    (decision,) = book.decisions
    return book.states[decision.place]


def test_a_row_shows_as_of_the_last_use_and_the_active_keys() -> None:
    assert state_shown() == UserState(AS_OF, datetime(2026, 2, 3, 4, 5, tzinfo=UTC), 1)


@pytest.mark.parametrize("word", ["never", "not known"])
def test_a_user_without_a_known_use_has_none(word: str) -> None:
    assert state_shown(**{"Last activity (UTC)": word}) == UserState(AS_OF, None, 1)


@pytest.mark.parametrize(
    ("word", "active"),
    [
        ("active", 2),
        ("inactive", 1),
        ("absent", 1),
        ("unknown", 1),
        ('"perhaps" (not understood)', 1),
        ("not in this report", 1),
    ],
)
def test_only_a_key_that_is_active_counts_as_active(word: str, active: int) -> None:
    state = state_shown(**{"Access key 2": word})
    assert isinstance(state, UserState)
    assert state.active_keys == active


@pytest.mark.parametrize(
    ("head", "cell", "value"),
    [
        ("As of (UTC)", "K2", None),
        ("As of (UTC)", "K2", "2026-03-01 09:30"),
        ("Last activity (UTC)", "L2", None),
        ("Last activity (UTC)", "L2", moment("2026-02-03 04:05")),
        ("Last activity (UTC)", "L2", "2026-02-03 04:05"),
        ("Last activity (UTC)", "L2", "2026-02-30 04:05, sign-in"),
        ("Last activity (UTC)", "L2", "sign-in"),
        ("Access key 1", "M2", None),
        ("Access key 2", "N2", "yes"),
    ],
)
def test_a_cell_of_the_state_that_was_changed_is_named_and_refuses_no_decision(
    head: str, cell: str, value: Any
) -> None:
    problem = state_shown(**{head: value})
    assert isinstance(problem, Problem)
    place = f"LAST.xlsx, sheet Unused users, row 2, column {head}, cell {cell}: "
    assert str(problem).startswith(f"{place}not as credreport wrote it")
    assert "--report FILE" in problem.hint


def test_a_column_of_the_state_that_is_missing_or_there_twice_is_named() -> None:
    problem = state_shown("Access key 2")
    assert isinstance(problem, Problem)
    assert problem.message == "missing, or there twice: Access key 2"
    book = read_review("LAST.xlsx", workbook_bytes(listed("ann", "delete")))
    (problem,) = book.states.values()
    assert isinstance(problem, Problem)
    assert problem.message == f"missing, or there twice: {', '.join(STATE_CELLS)}"


def test_as_of_is_that_of_the_row_before_that_of_the_summary() -> None:
    row = {**listed("ann", "keep", Decided_on=None), **STATE_CELLS}
    summary = "As of 2026-02-22 09:30 UTC to 2026-03-01 09:30 UTC (by report)"
    decision = only(workbook_bytes(row, heads=(*HEADS, *STATE_CELLS), summary=summary))
    assert (decision.as_of, decision.decided_on) == (AS_OF, date(2026, 3, 1))
    damaged = {**row, "As of (UTC)": "soon"}
    decision = only(workbook_bytes(damaged, heads=(*HEADS, *STATE_CELLS), summary=summary))
    assert decision.as_of == datetime(2026, 2, 22, 9, 30, tzinfo=UTC)


# What is refused


def test_a_decision_that_is_none_is_refused_with_sheet_row_and_cell() -> None:
    assert places(workbook_bytes(listed("bob"), listed("ann", "delte"))) == [
        "LAST.xlsx, sheet Unused users, row 3, column Decision, cell C3: not a decision ('delte')"
    ]


@pytest.mark.parametrize(
    "value", ["5.3.2026", "soon", date(1999, 12, 31), date(2100, 1, 1), True, -1]
)
def test_a_day_that_is_none_is_refused(value: Any) -> None:
    (place,) = places(workbook_bytes(listed("ann", "keep", Decided_on=value)))
    assert "row 2, column Decided on, cell E2: not a date" in place


@pytest.mark.parametrize("day", [date(2000, 1, 1), date(2099, 12, 31)])
def test_a_day_of_this_century_is_one(day: date) -> None:
    assert only(workbook_bytes(listed("ann", "keep", Decided_on=day))).decided_on == day


@pytest.mark.parametrize("summary", [None, "nothing"])
def test_a_decision_without_a_day_is_refused_where_the_summary_shows_none(
    summary: str | None,
) -> None:
    assert places(workbook_bytes(listed("ann", "keep", Decided_on=None), summary=summary)) == [
        "LAST.xlsx, sheet Unused users, row 2, column Decided on, cell E2: the cell is empty"
    ]


def test_a_decision_without_an_arn_is_refused() -> None:
    (place,) = places(workbook_bytes(listed("ann", "keep", ARN=None)))
    assert place.endswith("row 2, column ARN, cell I2: the cell is empty")


@pytest.mark.parametrize("head", ["Decision", "Decided on", "ARN"])
def test_a_formula_in_a_cell_that_counts_is_refused(head: str) -> None:
    (place,) = places(workbook_bytes({**listed("ann", "keep"), head: "=TODAY()"}))
    assert f"column {head}, cell" in place
    assert "a formula, whose result may change ('=TODAY()')" in place


@pytest.mark.parametrize("head", ["ARN", "Created", "Decision", "Decided on", "Comment"])
def test_a_list_without_a_key_column_is_refused(head: str) -> None:
    heads = [each for each in HEADS if each != head]
    assert places(workbook_bytes(*ROWS, heads=heads, above=[[]])) == [
        f"LAST.xlsx, sheet Unused users, row 2: missing: {head}"
    ]


def test_a_list_of_users_without_heads_is_refused() -> None:
    content = workbook_bytes(*ROWS, heads=["x"], above=[[arn_of("ann")]])
    (place,) = places(content)
    assert "row 1: missing: ARN, Created, Decision, Decided on, Comment" in place


def test_a_key_column_that_is_there_twice_is_refused() -> None:
    assert places(workbook_bytes(*ROWS, heads=[*HEADS, "Decision"])) == [
        "LAST.xlsx, sheet Unused users, row 1, column Decision: the column is there twice"
    ]


def test_two_decisions_of_one_day_on_one_user_are_refused() -> None:
    rows = [listed("ann", "keep"), listed("ann", "keep"), listed("ann", "delete")]
    assert places(workbook_bytes(*rows)) == [
        (
            "LAST.xlsx, sheet Unused users, row 4, column Decision:"
            " the decision in sheet Unused users, row 2 is keep ('delete')"
        )
    ]


def test_all_problems_are_named_together() -> None:
    rows = [
        listed("ann", "x"),
        listed("bob", "keep", ARN=None, Decided_on="y"),
        listed("c", "keep"),
    ]
    assert len(problems(workbook_bytes(*rows))) == 3


def test_a_workbook_without_a_list_of_a_review_is_refused() -> None:
    (problem,) = problems(workbook_bytes(*ROWS, title="Sheet1"))
    assert problem.message == "it has no list of a review"


def zipped(**files: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.mark.parametrize(
    "content", [b"", b"account,user\n", zipped(a=b"b"), workbook_bytes()[:900]]
)
def test_what_is_no_workbook_is_refused(content: bytes) -> None:
    (problem,) = problems(content)
    assert problem.message.startswith("not an Excel workbook, or damaged: ")


def test_a_damaged_sheet_is_refused() -> None:
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook_bytes(*ROWS))) as whole,
        zipfile.ZipFile(stream, "w") as archive,
    ):
        for name in whole.namelist():
            content = whole.read(name)
            archive.writestr(name, content[:300] if "sheet1" in name else content)
    (problem,) = problems(stream.getvalue())
    assert "damaged" in problem.message


def test_a_workbook_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review, "_LARGEST_UNPACKED", 1000)
    (problem,) = problems(workbook_bytes(*ROWS))
    assert problem.message == "it is too large for a workbook of a review"


@needs_libreoffice
def test_a_workbook_that_libreoffice_saved_again_reads_the_same(tmp_path: Path) -> None:
    rows = [*ROWS, listed("again", "delete", Created=moment("2024-01-02 03:04:59"))]
    content = workbook_bytes(*rows, summary="As of 2026-03-01 09:30 UTC (assumed)")
    before = read_review("LAST.xlsx", content).decisions
    after = read_review("LAST.xlsx", saved_by_libreoffice(tmp_path, content)).decisions
    assert after == before
    assert len(after) == 7


@needs_libreoffice
def test_every_decision_reaches_its_user_in_the_next_report(tmp_path: Path) -> None:
    rows = random.Random(2).sample([*ROWS, listed("again", "delete")], len(ROWS) + 1)
    heads = ["Team", *reversed(HEADS)]
    content = saved_by_libreoffice(tmp_path, workbook_bytes(*rows, heads=heads, above=[[]]))
    earlier = combined_review([read_review("LAST.xlsx", content)])
    users = [*map(a_user, NAMES), a_user("again", created=days_before(9))]
    analysis = analyzed_users(tmp_path, users)
    (page,) = analysis.pages()
    decisions = decisions_on_page(earlier, page)["decision"]
    assert dict(zip(page.users["user"], decisions, strict=True)) == {**DECISIONS, "again": ""}
