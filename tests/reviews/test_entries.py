"""A workbook is read with what its report says, and compared with the report itself."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl.workbook import Workbook

import analyzer
from analyzer.decisions.ledger import Ledger, ledger_bytes
from analyzer.decisions.user_rows import NOT_FROM_REPORT
from analyzer.lists.owners import read_owners
from analyzer.reviews.uncollected import uncollected
from analyzer.sources.source import Source
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    Row,
    a_key,
    a_user,
    days_before,
    report_text,
)
from tests.support.decisions import analysis_of, bulk, console_name, user_rows
from tests.support.review import (
    UNUSED,
    USERS,
    edited,
    edited_book,
    entered,
    problems_of,
    read_back,
    review_of,
    row_of,
    saved,
    shown,
    written,
)
from tests.support.workbooks import file_of

INACTIVE, UNDETERMINED = "Inactive users", "Undetermined"
EVERY_LIST = USERS[:4] + (
    a_user("emil", key_1=a_key(days_before(500)), created=days_before(500)),
    a_user("fay", password_enabled="maybe", created=days_before(400)),
    a_user("gus", key_1=a_key(days_before(9), days_before(1))),
    a_user("hal", password_enabled="perhaps", created=days_before(300)),
    a_user("zoe", arn=f"arn:aws:iam::{ACCOUNT}:user/other", created=days_before(200)),
)
ON = date(2026, 5, 4)
ENTRY: tuple[Any, ...] = ("delete", "Anna", ON, "SEC-1", "left")
BOB = entered("bob", ENTRY)


@pytest.fixture(scope="module")
def every_list() -> bytes:
    """Return the workbook of a review in which each list has users."""
    return review_of(*EVERY_LIST)


@pytest.mark.no_cover
def test_users_are_open_until_an_entry_is_read_with_what_was_shown(every_list: bytes) -> None:
    at_first = read_back(every_list)
    assert (at_first.lines, len(at_first.open_rows)) == ((), 8)
    content = edited(
        every_list,
        entered("bob", ENTRY),
        entered("emil", ("deactivate", "Tom", ON, None, None), INACTIVE),
        entered("fay", ("investigate", "Tom", ON, None, None), UNDETERMINED),
    )
    entries = read_back(content, "folder/r.xlsx")
    decisions = {line.user: str(line.decision) for line in entries.lines}
    assert decisions == {"bob": "delete", "emil": "deactivate", "fay": "investigate"}
    assert len(entries.open_rows) == 5
    line = entries.lines[0]
    row = row_of(edited_book(content)[UNUSED], "bob")
    assert (line.decision, line.decided_by, line.decided_on) == ("delete", "Anna", ON)
    assert (line.ticket, line.comment) == ("SEC-1", "left")
    assert (line.workbook, line.row, line.same_second) == ("r.xlsx", row, frozenset({"bob"}))
    assert line.read_from == (f"folder/r.xlsx, sheet {UNUSED}", row, f"A{row}")
    cells = line.user_row
    assert (cells["password_enabled"], cells["verdict"]) == ("true", "unused")


def test_what_was_seen_is_the_row_of_the_report_without_what_lists_say(every_list: bytes) -> None:
    owners = read_owners("o.csv", f"account,user,owner\n{ACCOUNT},*,Tom\n".encode())
    made = analyzer.analyze(analysis_of(*EVERY_LIST).report, owners=owners)
    content = edited(file_of(made), entered("bob", ENTRY))
    of_owner, plain = (read_back(each).lines for each in (content, edited(every_list, BOB)))
    assert of_owner == plain
    assert {plain[0].user_row[name] for name in NOT_FROM_REPORT} == {""}


def test_users_of_one_second_are_named_beside_each_other() -> None:
    twins = [a_user(name, created=days_before(100)) for name in ("one", "two")]
    unread = [a_user(name, created="N/A") for name in ("odd", "odder")]
    content = edited(review_of(*twins, *unread), entered("one", ENTRY), entered("odd", ENTRY))
    names = {line.user: set(line.same_second or ()) for line in read_back(content).lines}
    assert names == {"one": {"one", "two"}, "odd": {"odd"}}


@pytest.mark.no_cover
def test_every_problem_is_named_with_its_cell_or_its_rows() -> None:
    content = edited(
        written(),
        entered("ann", ("remove", None, "soon", None, None)),
        *(entered(user, ("delete", None, ON, None, None)) for user in ("anna", "=cmd")),
        entered("cid", ("delete", "Anna", date(2062, 3, 4), None, None)),
        shown("bob", "Password", "none"),
        shown("bob", "Exposure", "no"),
    )
    problems = problems_of(content)
    exposed = "password-without-mfa in the report; this file says no"
    assert [each.split("\n")[0].removeprefix(f"r.xlsx, sheet {UNUSED}, ") for each in problems] == [
        f"row 3, column Exposure, cell G3: {exposed}",
        "row 3, column Password, cell L3: enabled in the report; this file says none",
        "row 2, column Decision, cell A2: not a decision ('remove')",
        "rows 2, 5-6, column Decided by: the cell is empty",
        "row 2, column Decided on, cell D2: not a date ('soon')",
        "row 4, column Decided on, cell D4: the day is after today, 2027-01-01 ('2062-03-04')",
    ]
    assert problems[0].endswith("Start from the file as credreport wrote it, and enter it there.")


def test_many_rows_with_one_mistake_are_one_problem() -> None:
    users = [a_user(f"u{at}", created=days_before(400 + at)) for at in range(50)]
    book = review_of(*users)
    edits = [entered(f"u{at}", ("delete", None, ON, None, None)) for at in range(50)]
    (problem,) = problems_of(edited(book, *edits))
    assert "rows 2-51, column Decided by: the cell is empty" in problem


# Lists in CSV


NEWER, EARLIER = days_before(-30), days_before(30)


def listed(*users: Row, as_of: datetime = AS_OF, cells: Mapping[str, str] | None = None) -> bytes:
    """Return users.csv with a decision on its first user, some of whose cells were changed."""
    first, *others = user_rows(*users, as_of=as_of)
    return bulk([{**first, **(cells or {})}] + others, ("delete", "Anna", f"{ON}"))


def sources(*moments: datetime) -> list[Source]:
    """Return reports with the same users."""
    text = report_text(EVERY_LIST).encode()
    return [Source(console_name(as_of), text + b"\n" * at) for at, as_of in enumerate(moments)]


def test_a_list_in_csv_is_found_by_its_as_of_beside_a_newer_report() -> None:
    for as_of in (AS_OF, EARLIER):
        content = listed(*EVERY_LIST, as_of=as_of)
        for moments in ((as_of,), (AS_OF, EARLIER), (EARLIER, AS_OF)):
            (line,) = read_back(content, "l.csv", sources=sources(*moments)).lines
            assert (line.user, line.as_of) == ("ann", as_of)
            assert line.same_second == frozenset({"ann"})
    (problem,) = problems_of(listed(*EVERY_LIST), name="l.csv", sources=sources(NEWER))
    assert "l.csv, row 2, column arn: no report named has this user as of 2026-05-01T12" in problem
    assert problems_of(listed(*EVERY_LIST), name="l.csv", sources=[])


@pytest.mark.parametrize(
    ("column", "cell", "is_same"),
    [
        ("password_enabled", "TRUE", True),
        ("user_creation_time", "2023-11-13 12:00:00+00:00", True),
        ("age_days", "900.0", True),
        ("exposure", " PASSWORD-without-mfa", True),
        ("password_enabled", "false", False),
        ("verdict", "active", False),
        ("mfa_active", "", False),
        ("access_key_1_active", "true", False),
        ("exposure", "none", False),
    ],
)
def test_a_list_in_csv_is_compared_as_values(column: str, cell: str, *, is_same: bool) -> None:
    content = listed(*EVERY_LIST, cells={column: cell})
    if is_same:
        (line,) = read_back(content, "l.csv", sources=sources(AS_OF)).lines
        assert line.user_row == user_rows(EVERY_LIST[0])[0]
    else:
        (problem,) = problems_of(content, name="l.csv", sources=sources(AS_OF))
        assert f"column {column}" in problem
        assert f"in the report; this file says {cell or 'nothing'}" in problem


def test_days_that_a_spreadsheet_filled_down_are_refused_in_a_list_and_not_in_a_ledger() -> None:
    users = [a_user(f"u{at}", created=days_before(400 + at)) for at in range(7)]
    given = [Source(console_name(AS_OF), report_text(users).encode())]
    days = [("delete", "Anna", f"{ON + timedelta(at)}") for at in range(7)]
    content = bulk(user_rows(*users), *days)
    (problem,) = problems_of(content, name="l.csv", sources=given)
    assert "from row 2 on, days rise by one: a spreadsheet filled them down" in problem
    edits = [entered(f"u{at}", day + (None, None)) for at, day in enumerate(reversed(days))]
    (problem,) = problems_of(edited(review_of(*users), *edits))
    assert "from row 2 on, days rise by one" in problem
    lines = read_back(bulk(user_rows(*users), *days[:6]), "l.csv", sources=given).lines
    ledger = ledger_bytes(
        replace(each, decided_on=ON + timedelta(at)) for at, each in enumerate(lines * 2)
    )
    assert len(read_back(ledger, "decisions.csv", sources=given).lines) == 12


def test_lines_of_a_ledger_are_compared_where_their_report_is_given() -> None:
    (line,) = read_back(listed(*EVERY_LIST), "l.csv", sources=sources(AS_OF)).lines
    content = ledger_bytes([line])
    read = read_back(content, "decisions.csv", sources=sources(NEWER))
    assert read.lines == (line,)
    assert read.notes == ("decisions.csv: 1 line not compared: their reports are not given.",)
    assert read_back(content, "decisions.csv", sources=sources(AS_OF)).notes == ()
    for forged, told in (
        (replace(line, same_second=frozenset({"ann", "eve"})), "ann in the report; this file says"),
        (replace(line, user_row=dict(line.user_row) | {"mfa_active": "true"}), "column mfa_active"),
    ):
        (problem,) = problems_of(
            ledger_bytes([forged]), name="decisions.csv", sources=sources(AS_OF)
        )
        assert told in problem


def test_a_workbook_that_holds_entries_is_known_by_them(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    for content, expected in (
        (written(), False),
        (edited(written(), entered("ann", (None, None, None, "7", None))), True),
        (edited(written(), lambda book: setattr(book[UNUSED]["A7"], "value", "=B7")), False),
        (saved(Workbook()), False),
        (b"no workbook", False),
        (written()[:2000], True),
        (b"\xd0\xcf\x11\xe0 encrypted", True),
    ):
        path.write_bytes(content)
        assert bool([*uncollected([tmp_path], Ledger())]) is expected
