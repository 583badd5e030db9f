"""What people enter is checked, recorded and counted: nothing is dropped without a word."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

import analyzer
from analyzer.decisions.collect import FileOutcome, lines_of
from analyzer.decisions.decision import EntryPlace, LedgerLine, OpenRow
from analyzer.decisions.entries import DecisionFile, filled_down_problems
from analyzer.decisions.ledger import read_entries
from analyzer.errors import InputRefused
from analyzer.lists.owners import NO_OWNERS, Owners, read_owners
from analyzer.report.model import FileReference
from analyzer.writers.workbook.follow_up_sheet import Exceptional, follow_up
from tests.support.builders import ACCOUNT, AS_OF, a_user, days_before, report_text
from tests.support.decisions import (
    DAY,
    TODAY,
    bulk,
    collected,
    console_name,
    ledger_of,
    line,
    loaded,
    user_rows,
)

NEXT = DAY + timedelta(days=1)
NEWER = AS_OF + timedelta(days=30)
LATE = NEWER.date()
ANN = a_user("ann", created=days_before(500))
DELETE, KEEP, LOOK = line(), line("keep"), line("investigate")
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


def on_days(*days: int, name: str = "review.xlsx, sheet A", cell: str = "C7") -> list[LedgerLine]:
    """Return decisions of days in rows below each other."""
    return [
        line(on=DAY + timedelta(day), read_from=EntryPlace(name, row, cell))
        for row, day in enumerate(days, 2)
    ]


def test_days_that_rise_from_row_to_row_are_refused_as_filled_down_by_a_spreadsheet() -> None:
    filled = on_days(0, 0, *range(1, 10)), on_days(*range(7), name="bulk.csv", cell="")
    assert [str(each).splitlines()[0] for of in filled for each in filled_down_problems(of)] == [
        f"{place}: from row {first} on, days rise by one: a spreadsheet filled them down ('{day}')"
        for place, first, day in (
            ("review.xlsx, sheet A, row 9, column Decided on", 3, "2026-05-07"),
            ("bulk.csv, row 8, column decided_on", 2, "2026-05-07"),
        )
    ]


def test_days_that_rise_over_fewer_rows_or_apart_were_written_by_people() -> None:
    seven = on_days(*range(7))
    other_sheet = [EntryPlace("review.xlsx, sheet B", row, "C7") for row in range(5, 9)]
    apart = [EntryPlace("review.xlsx, sheet A", row, "C7") for row in range(6, 10)]
    moved = [
        [replace(each, read_from=to) for each, to in zip(seven[3:], places, strict=True)]
        for places in (other_sheet, apart)
    ]
    for lines in (
        on_days(*range(6)),
        on_days(*range(6), 6, 6)[:6],
        on_days(0, 1, 2, 2, 3, 4, 5, 6),
        on_days(0, 1, 2, 4, 5, 6, 7),
        on_days(*range(7, 0, -1)),
    ) + tuple(seven[:3] + others for others in moved):
        assert not list(filled_down_problems(lines))


def by_names(*names: str) -> list[LedgerLine]:
    """Return decisions of people in rows below each other."""
    return [
        line(by=name, read_from=EntryPlace("bulk.csv", row)) for row, name in enumerate(names, 2)
    ]


@pytest.mark.parametrize("first", [1, 8, 99])
def test_names_that_a_spreadsheet_counted_up_are_refused_like_days(first: int) -> None:
    (problem,) = filled_down_problems(by_names(*(f"Ann  {first + at}" for at in range(9))))
    assert str(problem).splitlines()[0] == (
        "bulk.csv, row 8, column decided_by: from row 2 on, the numbers behind names rise by one:"
        f" a spreadsheet filled them down ('Ann  {first + 6}')"
    )


def test_names_that_differ_otherwise_or_over_fewer_rows_are_those_of_people() -> None:
    for names in (
        [f"ann {at}" for at in range(6)],
        ["ann 1"] * 9,
        [f"ann {at}" for at in (1, 2, 3, 5, 6, 7, 8)],
        [f"{name} {at}" for at, name in enumerate(["ann", "bob"] * 4)],
        [f"ann {at}" for at in range(9, 0, -1)],
        ["ann"] * 9,
    ):
        assert not [*filled_down_problems(by_names(*names))]


# What is recorded


@pytest.mark.parametrize(
    ("known", "entered"),
    [
        ([], DELETE),
        ([DELETE], TOM_KEEPS),
        ([KEEP], DELETE),
        ([line(on=NEXT)], KEEP),
        ([DELETE, LOOK], line(ticket="again")),
        ([line("keep", as_of=NEWER, on=LATE)], line(on=LATE)),
        ([line("keep", as_of=NEWER, on=LATE)], line(on=LATE + timedelta(9), by="Tom")),
        ([], LOOK),
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
    return list(lines_of(collected(*files, ledger=ledger_of(*known))))


def test_each_file_says_who_wrote_what_and_what_of_it_is_new() -> None:
    a, b, c, d, e = (a_user(n, created=days_before(300 + at)) for at, n in enumerate("abcde"))
    anna = [line("delete", a), line("keep", b, by="ANNA"), line("delete", c), line("delete", c)]
    tom = [line("investigate", d, by="Tom"), line("keep", e, by="Tom")]
    rows = [still_open(line("delete", a_user(f"open{at}"))) for at in range(3)]
    known = line("delete", a), line("keep", b, workbook="b.xlsx")
    of_review, of_other = collected(
        file(*anna, *tom, rows=rows), file(name="b.xlsx"), ledger=ledger_of(*known)
    ).files
    words = {("Anna", "delete"): 3, ("Anna", "keep"): 1}
    words |= {("Tom", "investigate"): 1, ("Tom", "keep"): 1}
    assert of_review == FileOutcome("review.xlsx", Counter(words), 3, 3)
    assert printed(file(*anna, *tom, rows=rows), file(name="b.xlsx"), known=known) == [
        "review.xlsx: entered 6, new 3, still open 3",
        "  Anna: 3 delete, 1 keep",
        "  Tom: 1 keep, 1 investigate",
        "b.xlsx: entered 0",
        "New removals, to be checked by who decided: a column sorted alone moves its words.",
        f"  Anna, account {ACCOUNT}: delete c",
    ]
    assert of_other.words.total() == 0


def test_new_removals_are_named_by_person_and_account_thirty_at_most() -> None:
    users = [a_user(f"u{at:02}", created=days_before(300 + at)) for at in range(32)]
    removals = [line("delete", user) for user in users[:29]]
    removals += [line("deactivate", user, by="Tom") for user in users[29:]]
    assert not printed(file(line("keep", users[0])))[2:]
    head, *named = printed(file(*removals[:1], *removals[29:30]))[3:]
    assert head.startswith("New removals, to be checked by who decided")
    assert named == [
        f"  Anna, account {ACCOUNT}: delete u00",
        f"  Tom, account {ACCOUNT}: deactivate u29",
    ]
    assert printed(file(*removals[:30]))[-1] == f"  Tom, account {ACCOUNT}: deactivate u29"
    assert printed(file(*removals[:31]))[-1] == "  and 1 more removal: see the ledger"
    assert printed(file(*removals))[-1] == "  and 2 more removals: see the ledger"


QUIET = DELETE.arn
NOTES: list[tuple[list[LedgerLine], list[LedgerLine], list[str]]] = [
    ([], [DELETE], []),
    ([DELETE], [line(by="Tom")], []),
    (
        [DELETE],
        [TOM_KEEPS],
        [f"Contested, {QUIET}: delete, Anna, 2026-05-01; keep, Tom, 2026-05-01. Decide together;"],
    ),
    ([TOM_KEEPS], [line(on=LATE)], [f"Contested, {QUIET}: delete, Anna, 2026-05-31; keep, Tom"]),
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


@pytest.mark.parametrize(
    ("word", "after", "is_lapsed"),
    [("delete", 60, False), ("delete", 61, True), ("deactivate", 61, True), ("keep", 61, False)],
)
def test_a_removal_that_nothing_will_act_on_is_recorded_and_named(
    word: str, *, after: int, is_lapsed: bool
) -> None:
    late, ledger = DAY + timedelta(after), ledger_of(line(word, ANN))
    update = collected(file(line(word)), ledger=ledger, today=late)
    assert len(update.added) == 1
    text = "Lapsed, on reports of more than 60 days ago: quiet. Nothing acts on them: decide again."
    assert list(update.notes) == ([text] if is_lapsed else [])
    merged = collected(replace(file(line(word)), is_ledger=True), ledger=ledger, today=late)
    again = collected(file(line(word)), ledger=update.ledger, today=late)
    assert merged.notes == again.notes == ()


# What looks careless


OWNERS = read_owners(
    "owners.csv",
    f"account,user,owner,email,left\n{ACCOUNT},a*,Tom,tom@example.org,2026-05-10\n".encode(),
)
USERS = [a_user(f"u{at}", created=days_before(300 + at)) for at in range(20)]
MANY = [line(user=user) for user in USERS]
ALIKE = [line("keep", user=user, comment="ok ok") for user in USERS]
SOON, LATER = date(2026, 5, 10), date(2026, 5, 11)
CARELESS: list[tuple[list[LedgerLine], Owners, list[str]]] = [
    ([line(by="TOM", on=SOON)], OWNERS, []),
    ([line(by="TOM", on=LATER)], NO_OWNERS, []),
    *(
        (
            [line(by=name, on=LATER)],
            OWNERS,
            [f"Had left, by the list of owners, when they decided: {name} on quiet."],
        )
        for name in ("TOM", "tom@example.org")
    ),
    *(
        (
            [line(user=a_user("lena.hartwig"), by=name)],
            OWNERS,
            [f"Decided on a user of the person's own name: {name} on lena.hartwig."],
        )
        for name in ("Lena Hartwig", "lena.hartwig@example.org", "LENA-HARTWIG")
    ),
    ([line(user=a_user("lena"), by="Lena Hartwig")], OWNERS, []),
    ([line("keep", comment="ok")], OWNERS, ["Comments of fewer than 3 letters: quiet (ok)."]),
    ([line("keep", comment="- 1")], OWNERS, ["Comments of fewer than 3 letters: quiet (- 1)."]),
    ([line("keep", comment="yes")], OWNERS, []),
    (MANY[:19], OWNERS, []),
    (MANY, OWNERS, ["Anna wrote delete with no comment in 20 rows."]),
    (ALIKE, OWNERS, ['Anna wrote keep with the comment "ok ok" in 20 rows.']),
    (MANY[:10] + ALIKE[10:], OWNERS, []),
]
"""What is entered, the list of owners, and the notes."""


@pytest.mark.parametrize(("entered", "owners", "expected"), CARELESS)
def test_what_looks_careless_is_named_and_not_refused(
    entered: list[LedgerLine], owners: Owners, expected: list[str]
) -> None:
    update = collected(file(*entered), owners=owners)
    assert (len(update.added), list(update.notes)) == (len(entered), expected)


LEFT_EARLY, LEFT_LATE = "Tom,tom@example.org,2026-05-02", "Tom,it@example.org,2026-05-04"
THERE = "Tom,it@example.org,"
LEAVERS: list[tuple[list[str], str, date, bool]] = [
    ([LEFT_EARLY], "tom", date(2026, 5, 3), True),
    ([LEFT_EARLY], "tom", date(2026, 5, 2), False),
    # A namesake, or the same person, is still there.
    ([LEFT_EARLY, THERE], "tom", date(2026, 5, 3), False),
    ([THERE, LEFT_EARLY], "tom", date(2026, 5, 3), False),
    ([LEFT_EARLY, THERE], "tom@example.org", date(2026, 5, 3), True),
    # A mailbox that people share.
    (["Ben,it@example.org,", LEFT_LATE], "it@example.org", date(2026, 5, 5), False),
    # The latest of the last days counts.
    ([LEFT_EARLY, LEFT_LATE], "Tom", date(2026, 5, 4), False),
    ([LEFT_LATE, LEFT_EARLY], "Tom", date(2026, 5, 4), False),
    ([LEFT_LATE, LEFT_EARLY], "Tom", date(2026, 5, 5), True),
]
"""Owners with address and last day, who decides on which day, and whether that person had left."""


@pytest.mark.parametrize(("rows", "by", "on", "had_left"), LEAVERS)
def test_a_person_has_left_if_each_of_its_rows_in_the_list_of_owners_says_so(
    rows: list[str], by: str, on: date, *, had_left: bool
) -> None:
    listed = "".join(f"*,u{at},{row}\n" for at, row in enumerate(rows))
    owners = read_owners("owners.csv", f"account,user,owner,email,left\n{listed}".encode())
    entered = line(by=by, on=on)
    assert bool(collected(file(entered), owners=owners).notes) is had_left
    analysis = analyzer.analyze(
        loaded((console_name(AS_OF), report_text([a_user()]).encode())),
        ledger=ledger_of(entered),
        owners=owners,
    )
    (row,) = follow_up(analysis).to_dict("records")
    assert (Exceptional.HAD_LEFT in row["exceptions"]) is had_left


def test_lines_of_a_ledger_were_looked_at_when_they_were_collected() -> None:
    of_ledger = replace(file(*MANY), is_ledger=True)
    assert not collected(of_ledger, owners=OWNERS).notes
