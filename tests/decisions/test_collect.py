"""What people enter is checked, added once, and counted: nothing is dropped without a word."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from analyzer.decisions.collect import Collection, merged
from analyzer.decisions.decision import EntryPlace, LedgerLine
from analyzer.decisions.ledger import Entries, Ledger, OpenRow, read_entries
from analyzer.errors import InputRefused
from analyzer.report.model import FileReference
from tests.support.builders import AS_OF, Row, a_certificate, a_password, a_user
from tests.support.decisions import (
    DAY,
    TODAY,
    analysis_of,
    bulk,
    collected,
    entries,
    line,
    user_rows,
)

NEXT = DAY + timedelta(days=1)
NEWER = AS_OF + timedelta(days=30)
ANN = a_user("ann")


def file(*lines: LedgerLine, name: str = "review.xlsx", left_open: int = 0) -> Entries:
    """Return what is entered in a workbook, and how many users are open in it."""
    rows = [OpenRow(line("delete", a_user(f"open{at}")).user_key, AS_OF) for at in range(left_open)]
    sha256 = lines[0].sha256 if lines else "f" * 64
    return Entries(FileReference(name=name, sha256=sha256), lines, tuple(rows))


def ledger(*lines: LedgerLine) -> Ledger:
    return Ledger(lines=lines)


def refused(*files: Entries, known: Ledger | None = None) -> list[str]:
    with pytest.raises(InputRefused) as error:
        collected(*files, ledger=known)
    return [str(each) for each in error.value.problems]


def tally(collection: Collection, at: int = 0) -> tuple[int, ...]:
    ((each,),) = ([*collection.files[at].tallies],)
    return each.entered, each.added, each.changed, each.withdrawn, each.already_there


def test_lines_are_added_behind_those_that_are_there() -> None:
    first, second, third = line(), line("keep", ANN), line("deactivate", a_user("bob"))
    collection = collected(file(second), file(third), ledger=ledger(first))
    assert collection.ledger.lines == (first, second, third)
    assert collection.added == (second, third)


@pytest.mark.parametrize(
    "again",
    [line(), line(by="  ANNA "), line(workbook="copy.xlsx", sheet="Unused users (2)", row=9)],
    ids=["the same", "another spelling of the name", "another place"],
)
def test_the_same_decision_again_adds_nothing_wherever_it_stands(again: LedgerLine) -> None:
    assert collected(file(again), ledger=ledger(line())).added == ()
    assert len(collected(file(line()), file(again, name="copy.xlsx")).added) == 1


@pytest.mark.parametrize(
    "other",
    [
        *(line(ticket="7"), line(comment="x"), line(on=NEXT), line(by="Tom"), line("delete", ANN)),
        *(line(ticket="7", workbook="copy.xlsx"), line(as_of=AS_OF + timedelta(hours=1))),
    ],
    ids=["ticket", "comment", "day", "person", "user", "ticket, in a copy", "newer report"],
)
def test_what_differs_in_an_entry_or_the_user_is_another_decision(other: LedgerLine) -> None:
    assert collected(file(other), ledger=ledger(line())).added == (other,)


def test_each_reviewer_of_a_file_is_counted_and_the_counts_add_up() -> None:
    known = ledger(line("delete", a_user("a")), line("delete", a_user("b")))
    anna = [
        line("delete", a_user("a")),
        line("keep", a_user("b"), on=NEXT),
        line("delete", a_user("c")),
    ]
    tom = [line("withdraw", a_user("a"), by="Tom", on=NEXT), line("keep", a_user("d"), by="Tom")]
    (only,) = collected(file(*anna, *tom, left_open=3), ledger=known).files
    counts = {each.reviewer: each for each in only.tallies}
    assert [*counts] == ["Anna", "Tom"]
    one, other = counts.values()
    assert (one.entered, one.added, one.changed, one.already_there) == (3, 1, 1, 1)
    assert (other.entered, other.added, other.changed, other.withdrawn) == (2, 1, 0, 1)
    assert only.still_open == 3


@pytest.mark.parametrize(
    ("known", "elsewhere"),
    [
        ([line("delete", ANN), line()], line()),
        ([line("delete", ANN, on=NEXT)], line("delete", ANN, workbook="copy.xlsx")),
    ],
    ids=["on another user", "of another day"],
)
def test_an_entry_is_emptied_whatever_else_its_person_decides(
    known: list[LedgerLine], elsewhere: LedgerLine
) -> None:
    emptied = Entries(file(left_open=0).file, (), (OpenRow(known[0].user_key, AS_OF),))
    first, _ = collected(emptied, file(elsewhere, name="b.xlsx"), ledger=ledger(*known)).files
    assert first.emptied == (known[0],)


def test_an_entry_gives_way_to_each_of_those_who_agree_later() -> None:
    later = [line(by=person, on=NEXT) for person in ("Tom", "Eva")]
    notes = collected(file(line("keep"), *later)).notes
    assert ["Tom" in notes[0], "Eva" in notes[1]] == [True, True]


def test_a_word_that_was_given_up_is_given_anew_on_a_newer_report() -> None:
    newer = line(as_of=AS_OF + timedelta(hours=1), ticket="7", workbook="june.xlsx")
    assert collected(file(newer), ledger=ledger(line(), line("keep"))).added == (newer,)


def test_a_line_that_a_ledger_has_twice_is_a_copy_once() -> None:
    known = ledger(line(), line("keep"))
    assert collected(entries(line(), line("keep"), line()), ledger=known).added == (line(),)


def test_a_decision_after_a_withdrawn_one_is_added_and_not_changed() -> None:
    known = ledger(line(), line("withdraw", on=NEXT))
    assert tally(collected(file(line("keep", on=NEXT)), ledger=known)) == (1, 1, 0, 0, 0)


def collected_on(today: date, *decisions: tuple[str, str, str]) -> list[str]:
    """Return what is wrong with decisions in a bulk file that is collected on a day."""
    rows = user_rows(*[a_user(f"user-{at}") for at in range(len(decisions))])
    try:
        read_entries("bulk.csv", bulk(rows, *decisions), today)
    except InputRefused as error:
        return [str(each) for each in error.problems]
    return []


@pytest.mark.parametrize(("days", "is_valid"), [(-2, False), (-1, True), (0, True), (30, True)])
def test_nobody_decides_before_the_report_but_for_a_day_of_time_zones(
    days: int, *, is_valid: bool
) -> None:
    day = f"{DAY + timedelta(days)}"
    message = "bulk.csv, row 2, column decided_on: decided before the report, which is of 2026-05"
    problems = collected_on(TODAY, ("delete", "Anna", day))
    assert [each.startswith(message) for each in problems] == [True] * (not is_valid)


@pytest.mark.parametrize(("days", "is_valid"), [(0, True), (1, True), (2, False)])
def test_nobody_decides_after_today_but_for_a_day_of_time_zones(
    days: int, *, is_valid: bool
) -> None:
    day = f"{NEXT + timedelta(days)}"
    message = f"row 2, column decided_on: the day is after today, 2026-05-02 ('{day}')\n"
    problems = collected_on(NEXT, ("delete", "Anna", day))
    assert [message in each for each in problems] == [True] * (not is_valid)


def test_a_day_out_of_time_is_named_together_with_all_other_problems() -> None:
    problems = collected_on(
        NEXT,
        ("delet", "Anna", f"{DAY}"),
        ("delete", "Anna", "2999-01-01"),
        ("keep", "", "2020-01-01"),
    )
    assert [each.split(":")[0] for each in problems] == [
        "bulk.csv, row 2, column decision",
        "bulk.csv, row 3, column decided_on",
        "bulk.csv, row 4, column decided_by",
        "bulk.csv, row 4, column decided_on",
        "bulk.csv, row 4, column comment",
    ]


@pytest.mark.no_cover
def test_one_refusal_refuses_all_files_and_names_every_problem() -> None:
    ann, bob = (
        line("delete", a_user("ann"), as_of=NEWER),
        line("delete", a_user("bob"), as_of=NEWER),
    )
    older = [line("keep", a_user(name), on=NEXT) for name in ("ann", "bob")]
    problems = refused(*map(file, older), known=ledger(ann, bob))
    assert len(problems) == 2


@pytest.mark.parametrize(
    ("place", "problem"),
    [
        (
            EntryPlace("a.xlsx, sheet Mine", 7, "C7"),
            "a.xlsx, sheet Mine, row 7, column Decision, cell C7",
        ),
        (EntryPlace("decisions.csv", 9), "decisions.csv, row 9, column decision"),
    ],
)
def test_a_problem_names_the_place_in_the_file_that_was_read(
    place: EntryPlace, problem: str
) -> None:
    older = line("keep", on=NEXT, read_from=place)
    (said,) = refused(file(older), known=ledger(line(as_of=NEWER)))
    assert said.startswith(f"{problem}: made on a report of 2026-05-01 12:00 UTC, but review.xlsx")


def test_a_decision_on_an_older_report_than_the_one_in_force_was_made_on_is_refused() -> None:
    known = ledger(line(as_of=NEWER, on=NEWER.date(), workbook="new.xlsx"))
    (problem,) = refused(file(line("keep", on=NEWER.date())), known=known)
    assert "made on a report of 2026-05-01 12:00 UTC, but new.xlsx" in problem
    assert "delete, Anna, 2026-05-31, made on one of 2026-05-31 12:00 UTC" in problem


@pytest.mark.parametrize(
    "known",
    [
        ledger(line(as_of=AS_OF, workbook="same.xlsx", ticket="1")),
        ledger(line(as_of=NEWER, on=NEWER.date()), line("withdraw", on=NEWER.date(), as_of=NEWER)),
        ledger(line("delete", ANN, as_of=NEWER, on=NEWER.date())),
    ],
    ids=["the same report", "withdrawn", "another user"],
)
def test_a_decision_on_an_older_report_stands_where_none_on_a_newer_one_is_in_force(
    known: Ledger,
) -> None:
    assert len(collected(file(line("keep", on=NEWER.date())), ledger=known).added) == 1


def test_two_reviews_can_be_collected_in_one_go_in_any_order() -> None:
    old = file(line("investigate"), name="old.xlsx")
    new = file(line("keep", on=NEWER.date(), as_of=NEWER), name="new.xlsx")
    for files in ((old, new), (new, old)):
        (of_user,) = collected(*files).ledger.by_user.values()
        assert of_user.in_force
        assert of_user.in_force.decision == "keep"


def test_an_older_view_is_refused_after_a_newer_one_that_is_collected_with_it() -> None:
    new = file(line("keep", on=NEWER.date(), as_of=NEWER, workbook="new.xlsx"), name="new.xlsx")
    old = file(line(on=NEWER.date() + timedelta(days=1)))
    for files in ((old, new), (new, old)):
        (problem,) = refused(*files)
        assert "made on a report of 2026-05-01 12:00 UTC, but new.xlsx" in problem


def test_an_older_view_is_refused_by_what_was_in_force_on_its_own_day() -> None:
    newer = line("keep", on=NEWER.date(), as_of=NEWER)
    withdrawn = line("withdraw", on=NEWER.date() + timedelta(days=1), as_of=NEWER)
    assert len(refused(file(line(on=NEWER.date())), known=ledger(newer, withdrawn))) == 1


def test_different_decisions_of_one_day_by_different_people_are_refused_with_both_places() -> None:
    at = EntryPlace("tom.xlsx, sheet Mine", 7, "D7")
    anna, tom = line(), line("keep", by="Tom", workbook="tom.xlsx", row=7, read_from=at)
    for files in ([file(anna, tom)], [file(anna), file(tom)]):
        (problem,) = refused(*files)
        assert "tom.xlsx, sheet Mine, row 7, column Decision, cell D7: " in problem
        assert "review.xlsx, sheet Unused users, row 2 has delete, Anna, 2026-05-01" in problem
    assert len(refused(file(tom), known=ledger(anna))) == 1
    assert len(refused(known=ledger(anna, tom))) == 1


@pytest.mark.parametrize(
    "other",
    [
        line(by="Tom"),
        line("keep", by="Tom", on=NEXT),
        line("keep", ANN, by="Tom"),
        line("withdraw", by="Tom"),
    ],
    ids=["the same word", "another day", "another user", "a withdrawal"],
)
def test_it_is_no_conflict_otherwise(other: LedgerLine) -> None:
    assert len(collected(file(line(), other)).added) == 2


@pytest.mark.parametrize(
    "entered",
    [
        [line(), line("deactivate", by="Tom")],
        [line("withdraw"), line(by="Tom")],
        [line(), line(by="Tom"), line("keep")],
        [line(), line("keep", by="Tom", on=NEXT), line("keep", by="Eve")],
        [line(), line("withdraw", by="Tom", on=NEXT), line(by="Eve", on=NEXT)],
        [line(), line("withdraw", by="Tom", on=NEXT), line(on=NEXT)],
    ],
)
def test_different_words_of_one_day_by_different_people_are_refused_whatever_came_before(
    entered: list[LedgerLine],
) -> None:
    *before, one, other = (file(each) for each in entered)
    assert len(refused(one, other, known=collected(*before).ledger)) == 1


def test_a_conflict_that_one_of_the_two_withdraws_is_none() -> None:
    resolved = file(line(), line("keep", by="Tom"), line("withdraw", on=NEXT))
    (of_user,) = collected(resolved).ledger.by_user.values()
    assert of_user.in_force
    assert of_user.in_force.decision == "keep"


def test_unattended_a_line_says_that_two_are_in_conflict_and_neither_is_in_force() -> None:
    anna, tom = line(), line("keep", by="Tom", workbook="tom.xlsx")
    collection = collected(file(anna), file(tom), attended=False)
    *_, noted = collection.added
    assert (noted.decision, noted.decided_by, noted.decided_on) == ("conflict", "credreport", DAY)
    assert "review.xlsx, sheet Unused users, row 2: delete, Anna" in noted.comment
    (note,) = collection.notes
    assert note == f"Conflict on {anna.user_key.arn}: neither is in force. {noted.comment}"
    (of_user,) = collection.ledger.by_user.values()
    assert of_user.in_force is None
    again = collected(file(anna), file(tom), ledger=collection.ledger, attended=False)
    assert again.added == ()
    assert collected(ledger=collection.ledger).added == ()


def test_the_same_person_may_change_a_decision_on_the_same_day_and_that_is_said() -> None:
    before, after = line(), line("keep", workbook="second.xlsx")
    collection = collected(file(after, name="second.xlsx"), ledger=ledger(before))
    assert tally(collection) == (1, 0, 1, 0, 0)
    counts = "keep, Anna, 2026-05-01 (second.xlsx, sheet Unused users, row 2) counts, and not"
    (note,) = collection.notes
    assert f"{counts} delete, Anna, 2026-05-01" in note
    again = collected(file(before), ledger=collection.ledger)
    assert (again.notes, again.added) == ((note,), ())
    assert ": the same person decided twice on that day, and the one collected later cou" in note


@pytest.mark.parametrize(
    ("known", "entered", "is_needless"),
    [
        ([], [line("withdraw")], True),
        ([line()], [line("withdraw", on=NEXT)], False),
        ([], [line(), line("withdraw", on=NEXT)], False),
        ([], [line("withdraw", on=NEXT), line()], False),
        ([line(on=NEXT)], [line("withdraw")], False),
        ([line(), line("withdraw")], [line("withdraw", on=NEXT)], True),
        ([line(), line("keep", by="Tom")], [line("withdraw", on=NEXT)], False),
        ([line("delete", ANN)], [line("withdraw")], True),
        ([], [line("keep")], False),
    ],
    ids=[
        "nothing decided",
        "decided",
        "decided in the same call",
        "decided in the same call, after it",
        "decided on a later day, which is said instead",
        "withdrawn",
        "in conflict",
        "another user",
        "no withdrawal",
    ],
)
def test_a_withdrawal_where_no_decision_was_in_force_is_added_and_noted(
    known: list[LedgerLine], entered: list[LedgerLine], *, is_needless: bool
) -> None:
    collection = collected(file(*entered), ledger=ledger(*known))
    assert len(collection.added) == len(entered)
    note = (
        f"Nothing to withdraw for {entered[0].user_key.arn} (review.xlsx, sheet Unused users,"
        " row 2): no decision was in force."
    )
    assert collection.notes.count(note) == is_needless


GIVEN_UP = line(), line("withdraw", workbook="anna.xlsx", sha256="b" * 64)
"""A word, and what the person replaced it by in another workbook."""


@pytest.mark.parametrize(
    "copy",
    [
        line(workbook="Copy of review.xlsx"),
        line(row=9, sha256="c" * 64),
        line(sheet="Decided", sha256="c" * 64),
        line(ticket="7", workbook="Copy of review.xlsx"),
        line(workbook="bulk.csv", sheet="", row=7),
    ],
    ids=["a copy", "a row that moved", "a sheet renamed", "a ticket without zeros", "a list"],
)
@pytest.mark.parametrize("attended", [True, False])
def test_a_copy_that_still_has_a_word_does_not_give_it_anew(
    copy: LedgerLine, *, attended: bool
) -> None:
    known = ledger(*GIVEN_UP)
    collection = collected(file(copy), ledger=known, attended=attended)
    assert collection.added == ()
    assert collection.ledger.by_user[copy.user_key].in_force is None
    assert "withdraw, Anna, 2026-05-01 (anna.xlsx, sheet Unused users, row 2) counts" in " ".join(
        collection.notes
    )


@pytest.mark.parametrize("again", ["delete", "keep"])
def test_who_changes_back_in_the_same_workbook_gives_the_word_anew_and_that_is_said(
    again: str,
) -> None:
    other = "keep" if again == "delete" else "delete"
    known = ledger(line(again), line(other, sha256="b" * 64))
    collection = collected(file(line(again, sha256="c" * 64)), ledger=known)
    assert [each.decision for each in collection.added] == [again]
    (note,) = collection.notes
    assert f"{again}, Anna, 2026-05-01 (review.xlsx, sheet Unused users, row 2) counts" in note


def test_two_copies_of_one_name_that_disagree_add_their_words_once() -> None:
    files = file(line()), file(line("keep", sha256="b" * 64))
    first = collected(*files)
    assert [each.decision for each in first.added] == ["delete", "keep"]
    again = collected(*files, ledger=first.ledger)
    assert again.added == ()
    assert "keep, Anna" in again.notes[0]


@pytest.mark.parametrize("attended", [True, False])
def test_a_conflict_that_was_settled_and_comes_up_again_is_another_one(*, attended: bool) -> None:
    known = collected(
        file(line()), file(line("keep", by="Tom", workbook="tom.xlsx")), attended=False
    ).ledger
    settled = collected(file(line("withdraw", by="Tom", sha256="b" * 64)), ledger=known).ledger
    cleo = file(line("keep", by="Cleo", workbook="cleo.xlsx"))
    if attended:
        (problem,) = refused(cleo, known=settled)
        assert "made on the same day by another person" in problem
    else:
        added = collected(cleo, ledger=settled, attended=False).added
        assert [each.decision for each in added] == ["keep", "conflict"]


@pytest.mark.parametrize("word", ["keep", "withdraw"])
def test_a_word_of_an_earlier_day_than_what_counts_is_said_to_have_no_effect(word: str) -> None:
    known = ledger(line(on=NEXT))
    (note,) = collected(file(line(word, by="Bob", workbook="bob.xlsx")), ledger=known).notes
    assert "delete, Anna, 2026-05-02" in note
    assert note.endswith("it has a later date. If that is wrong, decide again with a newer date.")


def test_a_long_list_is_not_gone_through_again_for_each_of_its_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Entries] = []

    def is_ledger(each: Entries) -> bool:
        asked.append(each)
        return False

    monkeypatch.setattr(Entries, "is_ledger", property(is_ledger))
    collected(file(*[line(row=at) for at in range(99)]))
    assert len(asked) < 9


def test_a_ledger_alone_is_taken_as_it_was_collected() -> None:
    newer = line("keep", as_of=NEWER, on=NEWER.date() + timedelta(3), workbook="q2.xlsx")
    older = line(by="Bob", on=NEWER.date() + timedelta(2))
    ledgers = entries(newer, older, line("keep", ANN), line("delete", ANN), line("keep", ANN))
    assert merged([ledgers]).ledger.lines == ledgers.lines


@pytest.mark.parametrize("is_newer_first", [True, False])
def test_an_earlier_copy_of_a_ledger_revives_nothing(*, is_newer_first: bool) -> None:
    withdrawn = line("withdraw", sha256="b" * 64)
    files = [entries(line(), withdrawn, name="new.csv"), entries(line(), name="old.csv")]
    ordered = files if is_newer_first else files[::-1]
    whole = merged(ordered).ledger
    assert [each.decision for each in whole.lines] == ["delete", "withdraw"]


def test_all_words_of_another_ledger_are_taken_in_their_order() -> None:
    words = line("keep"), line("delete", sha256="b" * 64), line("keep", sha256="c" * 64)
    files = [entries(line("keep"), name="a.csv"), entries(*words, name="b.csv")]
    whole = merged(files).ledger
    assert [each.decision for each in whole.lines] == ["keep", "delete", "keep"]


def test_a_workbook_is_collected_into_the_ledger_named_with_it() -> None:
    book = file(line("keep", sha256="b" * 64, workbook="tom.xlsx", by="Tom", on=NEXT))
    whole = merged([book, entries(line())]).ledger
    assert [each.decision for each in whole.lines] == ["delete", "keep"]


def test_an_entry_that_stands_in_another_copy_of_that_name_is_not_emptied() -> None:
    anna, tom = line(), line("keep", ANN, by="Tom", sha256="b" * 64)
    of_anna = replace(file(anna), open_rows=(OpenRow(tom.user_key, AS_OF),))
    of_tom = replace(file(tom), open_rows=(OpenRow(anna.user_key, AS_OF),))
    files = collected(of_anna, of_tom, ledger=ledger(anna, tom)).files
    assert [each.emptied for each in files] == [(), ()]


def test_an_entry_that_was_collected_and_is_empty_now_stays_in_force_and_is_named() -> None:
    known = ledger(line())
    emptied = Entries(
        FileReference(name="review.xlsx", sha256="e" * 64), (), (OpenRow(line().user_key, AS_OF),)
    )
    (only,) = collected(emptied, ledger=known).files
    assert only.emptied == (line(),)
    assert only.still_open == 0


@pytest.mark.parametrize(
    ("name", "as_of"),
    [("other.xlsx", AS_OF), ("review.xlsx", NEWER)],
    ids=["another workbook", "a later review"],
)
def test_a_cell_that_was_never_filled_in_is_not_emptied(name: str, as_of: object) -> None:
    row = OpenRow(line().user_key, as_of)  # type: ignore[arg-type]  # a moment
    open_file = Entries(FileReference(name=name, sha256="e" * 64), (), (row,))
    (only,) = collected(open_file, ledger=ledger(line())).files
    assert only.emptied == ()
    assert only.still_open == (as_of == NEWER)


def test_a_withdrawn_decision_is_not_emptied_and_its_user_is_open() -> None:
    row = OpenRow(line().user_key, AS_OF)
    emptied = Entries(FileReference(name="review.xlsx", sha256="e" * 64), (), (row,))
    (only,) = collected(emptied, ledger=ledger(line(), line("withdraw"))).files
    assert (only.emptied, only.still_open) == ((), 1)


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "twice",
    [
        (a_user(), a_user(password=a_password())),
        (a_user(), a_user(mfa=True)),
        (a_user(), a_user(certificate_1=a_certificate())),
    ],
    ids=["a cell of the verdict", "a cell of a caveat", "a certificate"],
)
def test_users_csv_shows_that_rows_differ(twice: tuple[Row, Row]) -> None:
    (page,) = analysis_of(*twice).pages()
    (row,) = user_rows(*twice)
    (names,) = page.contradicted_columns()
    assert {row[name] for name in names} == {"rows differ"}
    entered = read_entries("bulk.csv", bulk([row], ("delete", "Anna", f"{DAY}")))
    assert len(collected(entered).added) == 1


def test_two_rows_of_one_user_that_show_it_otherwise_are_refused() -> None:
    (row,) = user_rows(a_user())
    entry = ("delete", "Anna", f"{DAY}")
    with pytest.raises(InputRefused, match="another row of this user, which differs"):
        read_entries("bulk.csv", bulk([row, row | {"mfa_active": "true"}], entry))


def test_a_cell_that_is_not_understood_is_no_reason_to_refuse() -> None:
    (row,) = user_rows(a_user(mfa_active="maybe", password_last_used="soon"))
    entered = read_entries("bulk.csv", bulk([row], ("delete", "Anna", f"{DAY}")))
    assert len(collected(entered).added) == 1
