"""What people enter is checked, recorded and counted: nothing is dropped without a word."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from analyzer.columns import OWNER, OWNER_EMAIL
from analyzer.decisions.collect import (
    FileOutcome,
    lines_of,
    owner_answer_notes,
)
from analyzer.decisions.decision import EntryPlace, LedgerLine, OpenRow
from analyzer.decisions.entries import DecisionFile
from analyzer.decisions.ledger import read_entries
from analyzer.errors import InputRefused
from analyzer.report.model import FileReference
from tests.support.builders import AS_OF, a_user, days_before
from tests.support.decisions import (
    DAY,
    TODAY,
    bulk,
    collected,
    entries,
    ledger_of,
    line,
    user_rows,
)

NEXT = DAY + timedelta(days=1)
NEWER = AS_OF + timedelta(days=30)
LATE = NEWER.date()
ANN = a_user("ann", created=days_before(500))
DELETE, KEEP = line(), line("keep")
ENTERED = ("delete", "Anna", f"{DAY}")
TOM_KEEPS = line("keep", by="Tom")
OF_ANN = line("delete", ANN)


def file(
    *lines: LedgerLine, name: str = "review.xlsx", rows: Sequence[OpenRow] = ()
) -> DecisionFile:
    """Return what is entered in a workbook, and the rows that are open in it."""
    return DecisionFile(FileReference(name=name, sha256="f" * 64), lines, tuple(rows))


def still_open(each: LedgerLine = DELETE, as_of: datetime = AS_OF, **of: str) -> OpenRow:
    return OpenRow(each.subject, as_of, **of)


def refused(*files: DecisionFile) -> list[str]:
    with pytest.raises(InputRefused) as error:
        collected(*files)
    return [str(each) for each in error.value.problems]


# What is valid


@pytest.mark.parametrize(
    ("today", "day", "message"),
    [
        *((TODAY, -2, "decided before the report, which is of 2026-05-01 ('2026-04-29')"),),
        *((TODAY, day, "") for day in (-1, 0, 30)),
        *((NEXT, day, "") for day in (1, 2)),
        (NEXT, 3, "the day is after today, 2026-05-02 ('2026-05-04')"),
    ],
)
def test_nobody_decides_before_the_report_or_after_today_but_for_a_day_of_time_zones(
    today: date, day: int, message: str
) -> None:
    listed = bulk(user_rows(a_user()), ("delete", "Anna", f"{DAY + timedelta(day)}"))
    assert [each.rpartition("decided_on: ")[2] for each in problems(listed, today)] == (
        [message] if message else []
    )


def problems(listed: bytes, today: date) -> list[str]:
    """Return the first lines of what is wrong with a list that is collected on a day."""
    try:
        read_entries("bulk.csv", listed, today)
    except InputRefused as error:
        return [str(each).splitlines()[0] for each in error.problems]
    return []


def test_every_problem_of_a_list_is_named_at_once() -> None:
    later, earlier = ("delete", "credreport", "2999-01-01"), ("keep", "", "2020-01-01")
    rows = user_rows(*(a_user(f"user-{at}") for at in range(3)))
    wrong = bulk(rows, ("delet", "Anna", f"{DAY}"), later, earlier)
    assert [each.split(":")[0] for each in problems(wrong, NEXT)] == [
        "bulk.csv, row 2, column decision",
        "bulk.csv, row 3, column decided_by",
        "bulk.csv, row 3, column decided_on",
        "bulk.csv, row 4, column decided_by",
        "bulk.csv, row 4, column decided_on",
        "bulk.csv, row 4, column comment",
    ]


def on_days(*days: int, name: str = "review.xlsx") -> DecisionFile:
    """Return decisions of days in rows below each other."""
    cell = "C7" if name.endswith(".xlsx") else ""
    lines = (
        line(on=DAY + timedelta(day), row=row, read_from=EntryPlace(name, row, cell))
        for row, day in enumerate(days, 2)
    )
    return file(*lines, name=name)


def test_days_that_rise_from_row_to_row_are_refused_as_filled_down_by_a_spreadsheet() -> None:
    filled = on_days(0, 0, *range(1, 10)), on_days(*range(7), name="bulk.csv")
    assert [each.splitlines()[0] for each in refused(*filled)] == [
        f"{place}: from row {first} on, days rise by one: a spreadsheet filled them down ('{day}')"
        for place, first, day in (
            ("review.xlsx, row 9, column Decided on", 3, "2026-05-07"),
            ("bulk.csv, row 8, column decided_on", 2, "2026-05-07"),
        )
    ]


def test_days_that_rise_over_fewer_rows_apart_or_in_a_ledger_were_written_by_people() -> None:
    seven = on_days(*range(7)).lines
    places = [each.read_from for each in seven]
    next_row = [place._replace(row=place.row + (at > 2)) for at, place in enumerate(places)]
    other_sheet = [place._replace(file="b.xlsx") for place in places]
    apart = [replace(each, read_from=place) for each, place in zip(seven, next_row, strict=True)]
    of_other = [replace(each, read_from=at) for each, at in zip(seven, other_sheet, strict=True)]
    for lines in (
        on_days(*range(6)).lines,
        on_days(*range(6), 6, 6).lines[:6],
        on_days(0, 1, 2, 2, 3, 4, 5, 6).lines,
        on_days(0, 1, 2, 4, 5, 6, 7).lines,
        on_days(*range(7, 0, -1)).lines,
        apart,
        [*seven[:3], *of_other[3:]],
    ):
        assert collected(file(*lines)).added
    assert collected(entries(*seven)).added


# What is recorded


@pytest.mark.parametrize(
    ("known", "entered"),
    [
        ([], DELETE),
        ([DELETE], TOM_KEEPS),
        ([KEEP], DELETE),
        ([line(on=NEXT)], KEEP),
        ([DELETE, KEEP], line(ticket="again")),
        ([line("keep", as_of=NEWER, on=LATE)], line(on=LATE)),
        ([line("keep", as_of=NEWER, on=LATE)], line(on=LATE + timedelta(9), by="Tom")),
        ([], line("investigate")),
        ([], line(user=a_user(created="N/A"))),
    ],
)
def test_every_valid_entry_is_recorded_late_older_repeated_or_at_odds(
    known: list[LedgerLine], entered: LedgerLine
) -> None:
    update = collected(file(entered), ledger=ledger_of(*known))
    assert update.added == (entered,)
    assert len(update.ledger.lines) == len(known) + 1


# What is counted


def printed(*files: DecisionFile, known: Sequence[LedgerLine] = ()) -> list[str]:
    return [*lines_of(collected(*files, ledger=ledger_of(*known)))]


def test_each_file_says_who_wrote_what_and_what_of_it_is_new() -> None:
    a, b, c, d, e = (a_user(each, created=days_before(ord(each))) for each in "abcde")
    anna = [line("delete", a), line("keep", b, by="ANNA"), line("delete", c), line("delete", c)]
    tom = [line("investigate", d, by="Tom"), line("keep", e, by="Tom")]
    rows = [still_open(line("delete", a_user(f"open{at}"))) for at in range(3)]
    known = line("delete", a), line("keep", b, workbook="b.xlsx")
    of_review, of_other = collected(
        file(*anna, *tom, rows=rows), file(name="b.xlsx"), ledger=ledger_of(*known)
    ).files
    words = {
        ("Anna", "delete"): 3,
        ("Anna", "keep"): 1,
        ("Tom", "investigate"): 1,
        ("Tom", "keep"): 1,
    }
    assert of_review == FileOutcome("review.xlsx", Counter(words), 3, 3)
    assert printed(file(*anna, *tom, rows=rows), file(name="b.xlsx"), known=known) == [
        "review.xlsx: entered 6, new 3, still open 3",
        "  Anna: 3 delete, 1 keep",
        "  Tom: 1 keep, 1 investigate",
        "b.xlsx: entered 0",
    ]
    assert of_other.words.total() == 0


def test_a_row_is_open_if_nobody_decided_on_its_user_and_report() -> None:
    rows = [still_open(), still_open(as_of=NEWER)]
    (outcome,) = collected(file(rows=rows), ledger=ledger_of(DELETE)).files
    assert outcome.still_open == 1


QUIET = DELETE.arn
NOTES: list[tuple[list[LedgerLine], list[LedgerLine], list[str]]] = [
    ([], [DELETE], []),
    ([DELETE], [line(by="Tom")], []),
    (
        [DELETE],
        [TOM_KEEPS],
        [f"{QUIET}: people disagree: delete, Anna, 2026-05-01; keep, Tom, 2026-05-01"],
    ),
    ([TOM_KEEPS], [line(on=LATE)], [f"{QUIET}: people disagree: delete, Anna, 2026-05-31; keep"]),
    # Only of who is written about, and what stands in the way of the whole.
    ([DELETE, TOM_KEEPS], [OF_ANN], []),
    # A removal that replaces another word of its name, perhaps of somebody else under that name.
    *(
        (
            [line(word)],
            [line(on=LATE)],
            [f"{QUIET}: delete, Anna, 2026-05-31 replaces another word"],
        )
        for word in ("keep", "investigate")
    ),
    ([KEEP], [line("investigate", on=LATE)], []),
    ([KEEP], [line("keep", on=LATE)], []),
    ([line("deactivate")], [line(on=LATE)], []),
    (
        [KEEP],
        [line(on=LATE), line(on=LATE, by="Tom")],
        [f"{QUIET}: delete, Anna, 2026-05-31 replaces another word under this name"],
    ),
    (
        [],
        [line(user=a_user(created="N/A"))],
        ["Not acted on, as the user's creation time or account is not known: quiet (review.xlsx, "],
    ),
]
"""What was collected, what is entered, and the beginnings of the notes."""


@pytest.mark.parametrize(("known", "entered", "expected"), NOTES)
def test_what_does_not_stand_or_replaces_another_word_of_its_name_is_said(
    known: list[LedgerLine], entered: list[LedgerLine], expected: list[str]
) -> None:
    notes = collected(file(*entered), ledger=ledger_of(*known)).notes
    assert len(notes) == len(expected)
    assert all(map(str.startswith, notes, expected)), notes


# Answers of owners


def test_each_owner_is_named_with_what_is_still_open_and_copies_count_once() -> None:
    of_ann = line(user_row={**DELETE.user_row, OWNER: "Ann", OWNER_EMAIL: "ann@example.org"})
    users = [line(user=a_user(f"u{at}")) for at in range(4)]
    rows = [still_open(u, owner=o) for u, o in zip(users, ("Ann", "Ann", "Tom", ""), strict=True)]
    files = [file(of_ann, rows=rows), file(name="copy.xlsx", rows=rows)]
    assert [*owner_answer_notes(files, ledger_of(of_ann))] == [
        "Still open: Ann, 2 users.",
        "Not answered: Tom, 1 user.",
        "Decided by Anna, not by the owner Ann: quiet.",
    ]
    others = [replace(of_ann, user_row={**of_ann.user_row, "user": f"u{at}"}) for at in range(7)]
    (by_another,) = owner_answer_notes([file(*others)], ledger_of())
    assert by_another == "Decided by Anna, not by the owner Ann: u0, u1, u2, u3, u4 and 2 more."
    # Decided before, so not asked for though the file is empty; answered under name or address.
    assert [*owner_answer_notes([file(rows=rows)], ledger_of(*users))] == []
    for name in ("ANN", "Ann@example.org"):
        assert [*owner_answer_notes([file(replace(of_ann, decided_by=name))], ledger_of())] == []
