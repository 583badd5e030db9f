"""What people enter is checked, added once, and counted: nothing is dropped without a word."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from analyzer.columns import OWNER
from analyzer.decisions.collect import (
    LedgerUpdate,
    ReviewerTally,
    collect,
    collected_one_by_one,
    merged_update,
)
from analyzer.decisions.collect_messages import owner_answer_notes
from analyzer.decisions.decision import EntryPlace, FollowUpRow, LedgerLine, OpenRow
from analyzer.decisions.entries import DecisionFile
from analyzer.decisions.ledger import Ledger, read_entries
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
    ledger_of,
    line,
    user_rows,
)

NEXT = DAY + timedelta(days=1)
NEWER = AS_OF + timedelta(days=30)
LATE = NEWER.date()
ANN = a_user("ann")
DELETE, KEEP, WITHDRAW = line(), line("keep"), line("withdraw")
ENTERED = ("delete", "Anna", f"{DAY}")
TOM_KEEPS = line("keep", by="Tom")


def file(
    *lines: LedgerLine, name: str = "review.xlsx", rows: Sequence[OpenRow] = ()
) -> DecisionFile:
    """Return what is entered in a workbook, and the rows that are open in it."""
    sha256 = lines[0].sha256 if lines else "f" * 64
    return DecisionFile(FileReference(name=name, sha256=sha256), lines, tuple(rows))


def still_open(each: LedgerLine = DELETE, as_of: datetime = AS_OF) -> OpenRow:
    return OpenRow(each.user_key, as_of)


def added(*files: DecisionFile, known: Sequence[LedgerLine] = ()) -> tuple[LedgerLine, ...]:
    return collected(*files, ledger=Ledger(lines=tuple(known))).added


def refused(*files: DecisionFile, known: Ledger | None = None) -> list[str]:
    with pytest.raises(InputRefused) as error:
        collected(*files, ledger=known)
    return [str(each) for each in error.value.problems]


def ledger(*lines: LedgerLine) -> Ledger:
    return Ledger(lines=lines)


def in_force(update: LedgerUpdate) -> str | None:
    (user_decisions,) = update.ledger.by_user.values()
    return str(user_decisions.undisputed.decision) if user_decisions.undisputed else None


def in_force_of(update: LedgerUpdate, known: LedgerLine) -> LedgerLine | None:
    return update.ledger.by_user[known.user_key].undisputed


def words(lines: Sequence[LedgerLine]) -> list[str]:
    return [str(each.decision) for each in lines]


def test_the_same_decision_again_adds_nothing_wherever_it_stands() -> None:
    elsewhere = line(workbook="copy.xlsx", sheet="Unused users (2)", row=9)
    for again in (line(), line(by="  ANNA "), elsewhere):
        assert added(file(again), known=[DELETE]) == (), again
        assert len(added(file(DELETE), file(again, name="copy.xlsx"))) == 1


def test_what_differs_in_an_entry_or_the_user_is_another_decision() -> None:
    for other in (
        *(line(ticket="7"), line(comment="x"), line(on=NEXT), line(by="Tom"), line("delete", ANN)),
        *(line(ticket="7", workbook="copy.xlsx"), line(as_of=AS_OF + timedelta(hours=1))),
    ):
        assert added(file(other), known=[DELETE]) == (other,)


def test_each_reviewer_of_a_file_is_counted_and_the_counts_add_up() -> None:
    a, b, c, d = (a_user(name) for name in "abcd")
    anna = [line("delete", a), line("keep", b, on=NEXT), line("delete", c)]
    tom = [line("withdraw", a, by="Tom", on=NEXT), line("keep", d, by="Tom")]
    rows = [still_open(line("delete", a_user(f"open{at}"))) for at in range(3)]
    known = ledger(line("delete", a), line("delete", b))
    (only,) = collected(file(*anna, *tom, rows=rows), ledger=known).files
    of_anna = ReviewerTally("Anna", entered=3, added=1, changed=1, already_there=1)
    of_tom = ReviewerTally("Tom", entered=2, added=1, withdrawn=1)
    assert (only.tallies, only.still_open) == ((of_anna, of_tom), 3)


def test_an_entry_gives_way_to_each_of_those_who_agree_later() -> None:
    later = [line(by=person, on=NEXT) for person in ("Tom", "Eva")]
    notes = collected(file(KEEP, *later)).notes
    assert ["Tom" in notes[0], "Eva" in notes[1]] == [True, True]


def test_a_word_that_was_given_up_is_given_anew_on_a_newer_report() -> None:
    newer = line(as_of=AS_OF + timedelta(hours=1), ticket="7", workbook="june.xlsx")
    assert added(file(newer), known=[DELETE, KEEP]) == (newer,)


def test_a_line_that_a_ledger_has_twice_counts_once() -> None:
    assert added(entries(DELETE, KEEP, DELETE), known=[DELETE, KEEP]) == ()


def test_a_decision_after_a_withdrawn_one_is_added_and_not_changed() -> None:
    known = ledger(DELETE, line("withdraw", on=NEXT))
    (only,) = collected(file(line("keep", on=NEXT)), ledger=known).files
    assert only.tallies == (ReviewerTally("Anna", entered=1, added=1),)


def collected_on(today: date, *decisions: tuple[str, str, str]) -> list[str]:
    """Return what is wrong with decisions in a bulk file that is collected on a day."""
    rows = user_rows(*[a_user(f"user-{at}") for at in range(len(decisions))])
    try:
        read_entries("bulk.csv", bulk(rows, *decisions), today)
    except InputRefused as error:
        return [str(each) for each in error.problems]
    return []


def test_nobody_decides_before_the_report_or_after_today_but_for_a_day_of_time_zones() -> None:
    early = "bulk.csv, row 2, column decided_on: decided before the report, which is of 2026-05"
    late = "bulk.csv, row 2, column decided_on: the day is after today, 2026-05-02 ('2026-05-04')\n"
    for today, days, message in (
        *((TODAY, -2, early), (TODAY, -1, ""), (TODAY, 0, ""), (TODAY, 30, "")),
        *((NEXT, 1, ""), (NEXT, 2, ""), (NEXT, 3, late)),
    ):
        problems = collected_on(today, (*ENTERED[:2], f"{DAY + timedelta(days)}"))
        assert [each.startswith(message) for each in problems] == [True] * bool(message), days


def test_a_day_out_of_time_is_named_together_with_all_other_problems() -> None:
    later, earlier = ("delete", "Anna", "2999-01-01"), ("keep", "", "2020-01-01")
    wrong = (("delet", "Anna", f"{DAY}"), later, earlier)
    assert [each.split(":")[0] for each in collected_on(NEXT, *wrong)] == [
        "bulk.csv, row 2, column decision",
        "bulk.csv, row 3, column decided_on",
        "bulk.csv, row 4, column decided_by",
        "bulk.csv, row 4, column decided_on",
        "bulk.csv, row 4, column comment",
    ]


def test_one_refusal_refuses_all_files_and_names_every_problem() -> None:
    users = a_user("ann"), a_user("bob")
    known = ledger(*(line("delete", user, as_of=NEWER) for user in users))
    older = [file(line("keep", user, on=NEXT)) for user in users]
    assert len(refused(*older, known=known)) == 2


def test_a_decision_on_an_older_report_is_refused_at_the_place_in_the_file_that_was_read() -> None:
    known = ledger(line(as_of=NEWER, on=LATE, workbook="new.xlsx"))
    sheet = "a.xlsx, sheet Mine"
    for place, where in (
        (EntryPlace(sheet, 7, "C7"), f"{sheet}, row 7, column Decision, cell C7"),
        (EntryPlace("decisions.csv", 9), "decisions.csv, row 9, column decision"),
    ):
        (said,) = refused(file(line("keep", on=LATE, read_from=place)), known=known)
        assert said.startswith(f"{where}: made on a report of 2026-05-01 12:00 UTC, but new.xlsx")
        assert "delete, Anna, 2026-05-31, made on one of 2026-05-31 12:00 UTC" in said


def test_a_decision_on_an_older_report_stands_where_none_on_a_newer_one_is_in_force() -> None:
    for known in (
        [line(as_of=AS_OF, workbook="same.xlsx", ticket="1")],
        [line(as_of=NEWER, on=LATE), line("withdraw", on=LATE, as_of=NEWER)],
        [line("delete", ANN, as_of=NEWER, on=LATE)],
    ):
        assert len(added(file(line("keep", on=LATE)), known=known)) == 1, known


def test_two_reviews_are_collected_in_any_order_unless_the_older_report_is_decided_later() -> None:
    new = file(line("keep", on=LATE, as_of=NEWER, workbook="new.xlsx"), name="new.xlsx")
    old, decided_later = file(line("investigate")), file(line(on=LATE + timedelta(days=1)))
    for order in (1, -1):
        assert in_force(collected(*[old, new][::order])) == "keep"
        (problem,) = refused(*[decided_later, new][::order])
        assert "made on a report of 2026-05-01 12:00 UTC, but new.xlsx" in problem


def test_a_decision_on_an_older_report_is_refused_by_what_was_in_force_on_its_own_day() -> None:
    withdrawn = line("withdraw", on=LATE + timedelta(days=1), as_of=NEWER)
    known = ledger(line("keep", on=LATE, as_of=NEWER), withdrawn)
    assert len(refused(file(line(on=LATE)), known=known)) == 1


def test_different_decisions_of_one_day_by_different_people_are_refused_with_both_places() -> None:
    at = EntryPlace("tom.xlsx, sheet Mine", 7, "D7")
    tom = line("keep", by="Tom", workbook="tom.xlsx", row=7, read_from=at)
    for files in ([file(DELETE, tom)], [file(DELETE), file(tom)]):
        (problem,) = refused(*files)
        assert "tom.xlsx, sheet Mine, row 7, column Decision, cell D7: " in problem
        assert "review.xlsx, sheet Unused users, row 2 has delete, Anna, 2026-05-01" in problem
    assert len(refused(file(tom), known=ledger(DELETE))) == 1
    assert len(refused(known=ledger(DELETE, tom))) == 1


def test_it_is_no_conflict_by_the_same_word_another_day_another_user_or_a_withdrawal() -> None:
    elsewhere = line("keep", ANN, by="Tom")
    others = line(by="Tom"), line("keep", by="Tom", on=NEXT), elsewhere, line("withdraw", by="Tom")
    for other in others:
        assert len(added(file(DELETE, other))) == 2, other


def test_different_words_of_one_day_by_different_people_are_refused_whatever_came_before() -> None:
    for entered in (
        [DELETE, line("deactivate", by="Tom")],
        [WITHDRAW, line(by="Tom")],
        [DELETE, line(by="Tom"), KEEP],
        [DELETE, line("keep", by="Tom", on=NEXT), line("keep", by="Eve")],
        [DELETE, line("withdraw", by="Tom", on=NEXT), line(by="Eve", on=NEXT)],
        [DELETE, line("withdraw", by="Tom", on=NEXT), line(on=NEXT)],
    ):
        *before, one, other = (file(each) for each in entered)
        assert len(refused(one, other, known=collected(*before).ledger)) == 1, entered


def test_a_conflict_that_one_of_the_two_withdraws_is_none() -> None:
    assert in_force(collected(file(DELETE, TOM_KEEPS, line("withdraw", on=NEXT)))) == "keep"


def test_unattended_a_line_says_that_two_are_in_conflict_and_neither_is_in_force() -> None:
    files = file(DELETE), file(line("keep", by="Tom", workbook="tom.xlsx"))
    update = collected(*files, attended=False)
    *_, added = update.added
    assert (added.decision, added.decided_by, added.decided_on) == ("conflict", "credreport", DAY)
    assert "review.xlsx, sheet Unused users, row 2: delete, Anna" in added.comment
    note = f"Conflict on {DELETE.user_key.arn}: neither is in force. {added.comment}"
    assert (update.notes, in_force(update)) == ((note,), None)
    assert collected(*files, ledger=update.ledger, attended=False).added == ()
    assert collected(ledger=update.ledger).added == ()


def test_the_same_person_may_change_a_decision_on_the_same_day_and_that_is_said() -> None:
    after = file(line("keep", workbook="second.xlsx"), name="second.xlsx")
    update = collected(after, ledger=ledger(DELETE))
    assert update.files[0].tallies == (ReviewerTally("Anna", entered=1, changed=1),)
    counts = "keep, Anna, 2026-05-01 (second.xlsx, sheet Unused users, row 2) counts instead of"
    (note,) = update.notes
    assert f"{counts} delete, Anna, 2026-05-01" in note
    assert ": the same person decided twice on that day, and the one collected later cou" in note
    again = collected(file(DELETE), ledger=update.ledger)
    assert (again.notes, again.added) == ((note,), ())
    assert collected(file(DELETE), after, ledger=ledger(DELETE)).notes == (note,)


WITHDRAWN: list[tuple[list[LedgerLine], list[LedgerLine], bool]] = [
    ([], [WITHDRAW], True),
    ([DELETE], [line("withdraw", on=NEXT)], False),
    ([], [DELETE, line("withdraw", on=NEXT)], False),
    ([], [line("withdraw", on=NEXT), DELETE], False),
    ([line(on=NEXT)], [WITHDRAW], False),  # which is said instead
    ([DELETE, WITHDRAW], [line("withdraw", on=NEXT)], True),
    ([DELETE, TOM_KEEPS], [line("withdraw", on=NEXT)], False),
    ([line("delete", ANN)], [WITHDRAW], True),
    ([line("conflict", by="credreport")], [line("withdraw", on=NEXT)], True),
    ([], [KEEP], False),
]
"""What was collected, what is entered, and whether nothing was there to withdraw."""


def test_a_withdrawal_where_no_decision_was_in_force_is_added_and_noted() -> None:
    place = f"{DELETE.user_key.arn} (review.xlsx, sheet Unused users, row 2)"
    note = f"Nothing to withdraw for {place}: no decision was in force."
    for known, entered, is_needless in WITHDRAWN:
        update = collected(file(*entered), ledger=ledger(*known))
        assert len(update.added) == len(entered)
        assert update.notes.count(note) == is_needless, (known, entered)


@pytest.mark.parametrize("attended", [True, False])
def test_a_copy_that_still_has_a_word_does_not_give_it_anew(*, attended: bool) -> None:
    known = ledger(DELETE, line("withdraw", workbook="anna.xlsx", sha256="b" * 64))
    for copy in (
        line(workbook="Copy of review.xlsx"),
        line(row=9, sha256="c" * 64),
        line(sheet="Decided", sha256="c" * 64),
        line(ticket="7", workbook="Copy of review.xlsx"),
        line(workbook="bulk.csv", sheet="", row=7),
    ):
        update = collected(file(copy), ledger=known, attended=attended)
        assert (update.added, in_force(update)) == ((), None), copy
        note = "withdraw, Anna, 2026-05-01 (anna.xlsx, sheet Unused users, row 2) counts"
        assert note in " ".join(update.notes)


def test_who_changes_back_in_the_same_workbook_gives_the_word_anew_and_that_is_said() -> None:
    for again, other in (("deactivate", "delete"), ("keep", "delete")):
        known = ledger(line(again), line(other, sha256="b" * 64))
        update = collected(file(line(again, sha256="c" * 64)), ledger=known)
        assert words(update.added) == [again]
        (note,) = update.notes
        assert f"{again}, Anna, 2026-05-01 (review.xlsx, sheet Unused users, row 2) counts" in note


@pytest.mark.parametrize("names", [("review.xlsx", "review.xlsx"), ("a.xlsx", "a (1).xlsx")])
def test_two_new_files_with_two_decisions_of_one_person_and_day_are_refused(
    names: tuple[str, str],
) -> None:
    for other in ("keep", "withdraw", "deactivate"):
        two = DELETE, line(other, sha256="b" * 64, read_from=EntryPlace("b.xlsx, sheet Mine", 7))
        files = [file(each, name=name) for each, name in zip(two, names, strict=True)]
        for order in (files, files[::-1]):
            assert len(refused(*order)) == 1
            assert words(collected(*order, ledger=ledger(DELETE)).added) == [other]
        (problem,) = refused(*files)
        assert problem.startswith("b.xlsx, sheet Mine, row 7, column decision: decisions.csv, row")
        assert "2 has delete, Anna, 2026-05-01, and nothing shows which is the newer one" in problem


def test_what_a_ledger_holds_was_collected_before_what_a_workbook_named_first_holds() -> None:
    book = file(line("keep", workbook="book.xlsx"), name="book.xlsx")
    assert in_force(collected(book, entries(line(sha256="b" * 64), name="z.csv"))) == "keep"


def test_a_conflict_that_was_settled_and_comes_up_again_is_another_one() -> None:
    tom = file(line("keep", by="Tom", workbook="tom.xlsx"))
    known = collected(file(DELETE), tom, attended=False).ledger
    withdrawn = file(line("withdraw", by="Tom", sha256="b" * 64))
    settled = collected(withdrawn, ledger=known).ledger
    cleo = file(line("keep", by="Cleo", workbook="cleo.xlsx"))
    (problem,) = refused(cleo, known=settled)
    assert "made on the same day by another person" in problem
    assert words(collected(cleo, ledger=settled, attended=False).added) == ["keep", "conflict"]


@pytest.mark.parametrize("decision", ["keep", "withdraw"])
def test_a_decision_of_an_earlier_day_is_said_to_have_no_effect(decision: str) -> None:
    bob = file(line(decision, by="Bob", workbook="bob.xlsx"))
    (note,) = collected(bob, ledger=ledger(line(on=NEXT))).notes
    assert "delete, Anna, 2026-05-02" in note
    assert note.endswith("it has a later date. If that is wrong, decide again with a newer date.")


def test_a_ledger_alone_is_taken_as_it_was_collected() -> None:
    newer = line("keep", as_of=NEWER, on=LATE + timedelta(3), workbook="q2.xlsx")
    of_ann = line("keep", ANN), line("delete", ANN), line("keep", ANN)
    one = entries(newer, line(by="Bob", on=LATE + timedelta(2)), *of_ann)
    assert merged_update([one]).ledger.lines == one.lines


def test_ledgers_and_workbooks_named_together_are_one_ledger_in_which_nothing_revives() -> None:
    withdrawn, tom = line("withdraw", sha256="b" * 64), line("keep", by="Tom", on=NEXT)
    own = KEEP, line("delete", sha256="b" * 64), line("keep", sha256="c" * 64)
    given_up = line(sha256="d" * 64), line("keep", sha256="e" * 64)
    old, new = entries(DELETE, name="old.csv"), entries(DELETE, withdrawn, name="new.csv")
    book = file(replace(tom, sha256="b" * 64, workbook="tom.xlsx"))
    for files, expected in (
        ([new, old], ["delete", "withdraw"]),
        ([old, new], ["delete", "withdraw"]),
        ([entries(KEEP, name="a.csv"), entries(*own, name="b.csv")], ["keep", "delete", "keep"]),
        ([entries(*given_up, name="a.csv"), old], ["delete", "keep"]),
        ([old, entries(*given_up, name="a.csv")], ["delete", "keep"]),
        ([book, entries(DELETE)], ["delete", "keep"]),
    ):
        assert words(merged_update(files).ledger.lines) == expected


def emptied(*lines: LedgerLine, name: str = "review.xlsx", as_of: datetime = AS_OF) -> DecisionFile:
    """Return a workbook in which nothing is entered for the users of lines."""
    return file(name=name, rows=[still_open(each, as_of) for each in lines])


OF_ANN = line("delete", ANN, on=NEXT, sha256="b" * 64)
COPIES = [file(DELETE, rows=[still_open(OF_ANN)]), file(OF_ANN, rows=[still_open()])]
VERSION = file(line(sha256="c" * 64), name="v2.xlsx", rows=[still_open(OF_ANN)])
SHOWN = still_open(OF_ANN)._replace(earlier=f"{OF_ANN.summary}: why")
FOR_TOM = line("delete", ANN, by="Tom")
BY_TOM = replace(FOR_TOM, sha256="b" * 64)
OF_BULK = [line("delete", user, workbook="bulk.csv", sheet="") for user in (a_user(), ANN)]


EMPTIED: list[tuple[list[LedgerLine], list[DecisionFile], list[LedgerLine], int]] = [
    ([DELETE], [emptied(DELETE)], [DELETE], 0),
    # Whatever else its person decides.
    ([OF_ANN, DELETE], [emptied(OF_ANN), file(DELETE, name="b.xlsx")], [OF_ANN], 0),
    ([OF_ANN], [emptied(OF_ANN), file(line("delete", ANN), name="b.xlsx")], [OF_ANN], 0),
    # Never filled in: in another workbook, or of a later review.
    ([DELETE], [emptied(DELETE, name="other.xlsx")], [], 0),
    ([DELETE], [emptied(DELETE, as_of=NEWER)], [], 1),
    # Withdrawn.
    ([DELETE, WITHDRAW], [emptied(DELETE)], [], 1),
    # Each stands in another copy of that name.
    ([DELETE, OF_ANN], COPIES, [], 0),
    # A new version under another name, alone or beside the old one; not where others entered it.
    ([DELETE, OF_ANN], [VERSION], [OF_ANN], 0),
    ([DELETE, OF_ANN], [VERSION, file(DELETE, OF_ANN)], [OF_ANN], 0),
    ([TOM_KEEPS, OF_ANN], [file(TOM_KEEPS, name="tom.xlsx", rows=VERSION.open_rows)], [], 0),
    # A newer version has it for the first time; a list shows it as an earlier decision.
    ([DELETE], [VERSION, file(DELETE, OF_ANN)], [], 0),
    ([DELETE, OF_ANN], [replace(VERSION, open_rows=(SHOWN,))], [], 0),
    # In another reviewer's copy of the same name; emptied in one that both filled in.
    ([BY_TOM], [file(DELETE, rows=[still_open(OF_ANN)])], [], 0),
    ([BY_TOM, DELETE], [file(DELETE, rows=[still_open(OF_ANN)])], [], 0),
    ([FOR_TOM, DELETE], [replace(VERSION, lines=(DELETE,))], [FOR_TOM], 0),
    # A CSV without the row; another of that name for other users, and a later one with both.
    (OF_BULK, [file(OF_BULK[0], name="bulk.csv")], [OF_BULK[1]], 0),
    (OF_BULK, [file(replace(BY_TOM, sheet="", workbook="bulk.csv"), name="bulk.csv")], [], 0),
    (OF_BULK, [file(OF_BULK[0], name="other.csv")], [], 0),
    (OF_BULK, [file(*OF_BULK, name="bulk.csv")], [], 0),
]
"""What was collected, the files now, the lines that are named, and how many users are open."""


def test_an_entry_that_was_collected_and_is_empty_now_stays_in_force_and_is_named() -> None:
    for known, files, named, number in EMPTIED:
        update = collected(*files, ledger=ledger(*known))
        assert [line for each in update.files for line in each.emptied] == named
        assert update.files[0].still_open == number, files
        assert update.ledger.lines[: len(known)] == (*known,)


OPEN = FileReference(name="ann.xlsx", sha256="a" * 64)


def test_a_user_who_was_decided_on_before_is_not_asked_for_though_the_file_is_empty() -> None:
    decided = line()
    rows = [OpenRow(decided.user_key, AS_OF, owner) for owner in ("Ann", "")]
    files = [DecisionFile(OPEN, (), (*rows,))]
    assert [*owner_answer_notes(files, ledger_of(decided))] == []
    assert [*owner_answer_notes(files, ledger_of())] == [
        "Not answered: Ann, 1 user.",
        "Not answered: no owner in ann.xlsx, 1 user.",
    ]


def test_each_owner_is_named_with_what_is_still_open_and_copies_count_once() -> None:
    decided = line(user_row={**line().user_row, OWNER: "Ann"})
    owners = ("Ann", "Ann", "Tom", "")
    keys = (line(user=a_user(f"u{at}")).user_key for at in range(len(owners)))
    rows = [OpenRow(key, AS_OF, owner) for key, owner in zip(keys, owners, strict=True)]
    files = [DecisionFile(OPEN, (decided,), (*rows,)), DecisionFile(OPEN, (), (*rows,))]
    assert [*owner_answer_notes(files, ledger_of(decided))][:3] == [
        "Still open: Ann, 2 users.",
        "Not answered: Tom, 1 user.",
        "Not answered: no owner in ann.xlsx, 1 user.",
    ]


def test_without_owners_the_numbers_of_the_file_say_what_is_still_open() -> None:
    rows = [OpenRow(line(user=a_user("other")).user_key, AS_OF)]
    assert [*owner_answer_notes([DecisionFile(OPEN, (line(),), (*rows,))], ledger_of(line()))] == []


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "other",
    [a_user(password=a_password()), a_user(mfa=True), a_user(certificate_1=a_certificate())],
)
def test_users_csv_shows_that_rows_differ(other: Row) -> None:
    twice = a_user(), other
    (page,) = analysis_of(*twice).pages()
    (row,) = user_rows(*twice)
    (names,) = page.contradicted_columns()
    assert {row[name] for name in names} == {"rows differ"}
    assert len(added(read_entries("bulk.csv", bulk([row], ENTERED)))) == 1


def test_a_cell_that_is_not_understood_is_no_reason_to_refuse() -> None:
    (row,) = user_rows(a_user(mfa_active="maybe", password_last_used="soon"))
    assert len(added(read_entries("bulk.csv", bulk([row], ENTERED)))) == 1


def test_two_words_of_one_person_and_day_in_a_ledger_alone_are_named() -> None:
    less = line("deactivate")
    for lines, counts in (([WITHDRAW, DELETE], DELETE), ([DELETE, less, DELETE], less)):
        (note,) = merged_update([entries(*lines)]).notes
        assert f"{counts.summary} ({DELETE.place}) counts instead of " in note
    assert merged_update([entries(DELETE, line("keep", on=NEXT))]).notes == ()
    assert merged_update([entries(DELETE, KEEP)]).notes == ()


def test_the_same_file_once_more_puts_nothing_back_that_was_given_up_since() -> None:
    for given_up, later in ((DELETE, "keep"), (DELETE, "withdraw"), (KEEP, "delete")):
        known = ledger(given_up, line(later, sha256="b" * 64))
        update = collected(file(given_up), ledger=known)
        (note,) = update.notes
        assert (update.added, note.startswith(f"{DELETE.user_key.arn}: {later}")) == ((), True)


def test_ledgers_are_refused_where_only_their_order_would_say_what_is_in_force() -> None:
    keeps, deletes = line("keep", sha256="b" * 64), line(sha256="c" * 64)
    later = line("investigate", ANN), line("investigate", on=NEXT)
    gives_up = line("withdraw", sha256="b" * 64)
    for one, other in (
        ([DELETE], [keeps]),
        ([DELETE, keeps], [KEEP, deletes]),
        ([keeps], [deletes, keeps]),
        ([KEEP, gives_up], [KEEP, line(by="Tom", sha256="d" * 64)]),
    ):
        for ledgers in ((one, other), (other, one)):
            files = [entries(*lines, name=f"{at}.csv") for at, lines in enumerate(ledgers)]
            for known, rest in ((ledger(), files), (ledger(*ledgers[0]), files[1:])):
                problem, *_ = refused(*rest, known=known)
                assert "the ledgers do not show which decision is the last one: " in problem
            of_ann, of_user = (entries(each, name="later.csv") for each in later)
            assert refused(*files, of_ann)
            assert in_force(collected(*files, of_user)) == "investigate"


def test_a_decision_on_an_older_report_in_a_ledger_is_refused_until_somebody_decides_anew() -> None:
    newer = line("keep", by="Tom", as_of=NEWER, on=LATE)
    older = [line(on=LATE + timedelta(days), ticket=f"{days}") for days in (1, 2)]
    anew = line("investigate", as_of=NEWER, on=LATE + timedelta(3))
    one, other = [newer], older
    whole = [entries(newer, *older)]
    for first, second in (("tom.csv", "lee.csv"), ("lee.csv", "tom.csv")):
        apart = [entries(*one, name=first), entries(*other, name=second)]
        for files in (whole, apart, apart[::-1]):
            with pytest.raises(InputRefused, match="made on a report of 2026-05-01 12:00 UTC"):
                merged_update(files)
    assert in_force(merged_update([entries(newer, *older, anew)])) == "investigate"


COPY = line("keep", by="Tom", workbook="tom (2).xlsx", sha256="c" * 64)
TAKEN_BACK = [TOM_KEEPS, line("withdraw", by="Tom", sha256="b" * 64)]


@pytest.mark.parametrize(
    ("known", "entered"),
    [([*TAKEN_BACK, DELETE], [[COPY]]), (TAKEN_BACK, [[COPY], [DELETE]])],
)
def test_a_copy_that_would_keep_a_user_whom_another_person_removes_is_in_conflict(
    known: list[LedgerLine], entered: list[list[LedgerLine]]
) -> None:
    for files in ([file(*each) for each in entered], [file(*each) for each in entered[::-1]]):
        (problem,) = refused(*files, known=ledger(*known))
        assert "made on the same day by another person" in problem
        update = collected(*files, ledger=ledger(*known), attended=False)
        assert (words(update.added)[-1], in_force(update)) == ("conflict", None)
    assert added(file(COPY), known=TAKEN_BACK) == ()


@pytest.mark.parametrize(
    ("known", "entered", "reason"),
    [
        ([*TAKEN_BACK, DELETE], TOM_KEEPS, "delete, Anna, .* another person decided on that day"),
        ([TOM_KEEPS, WITHDRAW], COPY, "withdraw, Anna, .* another person decided on that day"),
        ([DELETE, *TAKEN_BACK], TOM_KEEPS, "delete, Anna, .* it was withdrawn\\."),
        ([DELETE, *TAKEN_BACK], TAKEN_BACK[1], None),
        ([*TAKEN_BACK, DELETE], DELETE, None),
        ([DELETE, TOM_KEEPS, line("conflict", by="credreport")], TOM_KEEPS, None),
    ],
)
def test_an_entry_that_gives_way_to_the_word_of_another_person_is_named(
    known: list[LedgerLine], entered: LedgerLine, reason: str | None
) -> None:
    notes = collected(file(entered), ledger=ledger(*known)).notes
    assert [bool(re.search(reason or "", each)) for each in notes] == [True] * bool(reason)


def test_a_withdrawal_of_another_persons_word_is_refused_with_it_whatever_the_order() -> None:
    files = file(DELETE), file(line("withdraw", by="Tom", workbook="tom.xlsx"), name="tom.xlsx")
    for each in (files, files[::-1]):
        (problem,) = refused(*each)
        assert "made on the same day by another person" in problem
        assert in_force(collected(*each, attended=False)) is None


def test_a_conflict_in_a_ledger_is_no_word_that_gives_way_to_another() -> None:
    conflict = line("conflict", by="credreport", workbook=TOM_KEEPS.workbook)
    assert merged_update([entries(DELETE, TOM_KEEPS, conflict)]).notes == ()


@pytest.mark.parametrize("name", ["review.xlsx", "of-bob.xlsx"])
def test_a_removal_that_was_given_up_comes_back_by_a_newer_date_alone(name: str) -> None:
    for removal, other in (
        *(("delete", each) for each in ("keep", "withdraw", "investigate", "deactivate")),
        ("deactivate", "withdraw"),
    ):
        known = ledger(line(removal), line(other, sha256="b" * 64))
        of_bob = line("keep", ANN, by="Bob", sha256="c" * 64, workbook=name)
        copied = line(removal, sha256="c" * 64, workbook=name)
        update = collected(file(copied, of_bob), ledger=known)
        assert update.added == (of_bob,), (removal, other)
        (note,) = update.notes
        assert "the same person gave it up on that day. If that is wrong, decide again" in note
        assert in_force(collected(file(line(removal, on=NEXT)), ledger=known)) == removal


LATE_VIEW = line(on=LATE + timedelta(3), workbook="old.xlsx", sha256="b" * 64)
ON_NEWER = partial(line, as_of=NEWER, on=LATE)
BACK = ON_NEWER("withdraw", by="Tom", sha256="c" * 64)
DISPUTED = [ON_NEWER(), ON_NEWER("keep", by="Tom"), ON_NEWER("conflict", by="credreport")]


@pytest.mark.parametrize(
    ("known", "new"),
    [
        ([LATE_VIEW], ON_NEWER("keep")),
        ([LATE_VIEW], line("keep", as_of=NEWER, on=LATE + timedelta(2))),
        # A conflict kept the decision on the newer report out of force, until one is withdrawn.
        ([*DISPUTED, LATE_VIEW], BACK),
    ],
)
def test_a_decision_that_would_leave_a_decision_on_an_older_report_in_force_is_refused(
    known: list[LedgerLine], new: LedgerLine
) -> None:
    elsewhere = line("keep", ANN, sha256="d" * 64)
    (problem,) = refused(file(new, elsewhere), known=ledger(*known))
    assert f"old.xlsx, sheet Unused users, row 2 has {LATE_VIEW.summary}, which counts" in problem
    assert " on a report of 2026-05-01 12:00 UTC; " in problem
    assert " was made on one of 2026-05-31 12:00 UTC" in problem
    anew = line("keep", as_of=NEWER, on=LATE + timedelta(4))
    assert in_force(collected(file(new, anew), ledger=ledger(*known))) == "keep"
    assert added(file(elsewhere), known=[*known, new]) == (elsewhere,)


@pytest.mark.parametrize(("known", "left_out"), [([], "old.xlsx"), ([LATE_VIEW], "new.xlsx")])
def test_one_by_one_the_newer_file_is_left_out_only_behind_a_collected_older_one(
    known: list[LedgerLine], left_out: str
) -> None:
    files = file(LATE_VIEW, name="old.xlsx"), file(ON_NEWER("keep"), name="new.xlsx")
    for order in (files, files[::-1]):
        outcomes = dict(collected_one_by_one(ledger(*known), order))
        assert isinstance(outcomes.pop(left_out), InputRefused)
        (update,) = outcomes.values()
        assert isinstance(update, LedgerUpdate)


def test_a_late_answer_with_the_word_in_force_of_its_person_is_already_there() -> None:
    for word in ("delete", "keep", "investigate"):
        known = ON_NEWER(word, sha256="c" * 64)
        late = file(line(word, ANN), line(word)), file(line(word, on=LATE + timedelta(3)))
        of_ann = late[0].lines[:1]
        for attended in (True, False):
            update = collected(*late, ledger=ledger(known), attended=attended)
            assert (update.added, in_force_of(update, known)) == (of_ann, known)
            assert [each.tallies[0].already_there for each in update.files] == [1, 1]
            (note,) = update.notes
            assert note == (
                f"Decided again on an older report, so the earlier decision counts: {known.user}."
            )
        for _, outcome in collected_one_by_one(ledger(known), late):
            assert isinstance(outcome, LedgerUpdate)
        assert refused(file(line(word, by="Tom")), known=ledger(known))
        assert refused(file(line("deactivate")), known=ledger(known))
        taken_back = file(line("withdraw", as_of=NEWER, on=LATE + timedelta(3)), name="v2.xlsx")
        assert refused(late[1], taken_back, known=ledger(known))


def test_a_removal_on_an_older_report_does_not_come_back_by_the_day_of_its_withdrawal() -> None:
    day = LATE + timedelta(3)
    known = ledger(ON_NEWER(), line("withdraw", as_of=NEWER, on=day, sha256="b" * 64))
    update = collected(file(line(on=day, sha256="c" * 64)), ledger=known)
    (note,) = update.notes
    assert (update.added, in_force(update)) == ((), None)
    assert "the same person gave it up on that day" in note


def test_a_decision_on_an_older_report_says_in_which_workbook_to_decide() -> None:
    known, of_ledger = ledger(ON_NEWER()), EntryPlace("d.csv", 9)
    for place, hint in (
        (
            EntryPlace("a.xlsx, sheet Mine", 7, "C7"),
            "Empty this cell, and decide in the workbook of the newer report, of 2026-05-31.",
        ),
        (of_ledger, "Decide again on the newer report."),
    ):
        (said,) = refused(file(line("keep", on=LATE, read_from=place)), known=known)
        assert said.endswith(hint)


def test_two_versions_of_one_day_are_one_problem_however_many_users_differ() -> None:
    users = [a_user(f"user-{at}") for at in range(7)]
    words = {"a.xlsx": "delete", "b.xlsx": "keep"}
    files = [
        file(*(line(words[name], user, sha256=name) for user in users), name=name) for name in words
    ]
    many = "; so for 7 users: user-0, user-1, user-2, user-3, user-4 and 2 more ('keep arn:aws:"
    (said,) = refused(*files)
    assert f"nothing shows which is the newer one{many}" in said
    for _, outcome in collected_one_by_one(ledger(), files):
        assert isinstance(outcome, InputRefused)
        (problem,) = outcome.problems
        assert "; so for 7 users: user-0, " in str(problem)
    of_tom = [
        file(*each.lines, line(words[name], by="Tom", sha256=name), name=name)
        for name, each in zip(words, files, strict=True)
    ]
    assert [many in each for each in refused(*of_tom)] == [True, False]


def test_a_word_on_an_older_report_with_a_later_day_is_refused_in_a_first_collection_too() -> None:
    files = file(ON_NEWER(), name="new.xlsx"), file(line(on=LATE + timedelta(1)), name="old.xlsx")
    (problem,) = refused(*files)
    assert "made on a report of 2026-05-01 12:00 UTC" in problem


def test_a_removal_is_refused_beside_a_milder_word_on_a_report_that_may_be_newer() -> None:
    evening = AS_OF.replace(hour=23, minute=59, second=59)
    for source, of_day in (("folder", "time of day unknown"), ("option", "set with --as-of")):
        cells = {**line(as_of=evening).user_row, "as_of_source": source}
        of_evening: dict[str, Any] = {
            "as_of": evening,
            "baseline": AS_OF - timedelta(9),
            "user_row": cells,
        }
        known = [line("keep", **of_evening)]
        for new in (line(), line("deactivate", on=DAY + timedelta(1), by="Tom")):
            (problem,) = refused(file(new), known=ledger(*known))
            assert "12:00 UTC, but review.xlsx" in problem
            assert f"made on one of 2026-05-01 ({of_day})" in problem
        for new in (
            line("keep", on=DAY + timedelta(1), by="Tom"),
            line(on=DAY + timedelta(1), by="Tom", **of_evening),
            line(on=LATE, as_of=NEWER),
        ):
            assert added(file(new), known=known) == (new,)


def test_a_withdrawal_names_the_decision_of_another_person_that_it_takes_back() -> None:
    for on in (DAY, NEXT):
        withdrawn = line("withdraw", by="Tom", on=on, workbook="tom.xlsx")
        (note,) = collected(file(withdrawn), ledger=ledger(DELETE)).notes
        assert f"{DELETE.summary} ({DELETE.place}): it was withdrawn" in note
    assert collected(file(line("withdraw", on=NEXT)), ledger=ledger(DELETE)).notes == ()


def test_what_is_there_already_is_not_said_again_to_have_given_way_to_a_later_day() -> None:
    later = line("keep", on=NEXT, workbook="later.xlsx")
    files = file(DELETE), file(later, name="later.xlsx")
    assert len(collected(*files, ledger=ledger(later)).notes) == 1
    assert collected(*files, ledger=ledger(DELETE, later)).notes == ()


def test_a_follow_up_of_another_ledger_is_noted_where_a_ledger_is_named() -> None:
    row = FollowUpRow(EntryPlace("review.xlsx", 2, "C2"), "e" * 64, ("",) * 7)
    workbook = replace(file(DELETE), followed_up=(row,))
    (note,) = collect(Ledger(), [workbook]).notes
    assert note.endswith("does not have them: decisions on the follow-up of review.xlsx.")
    assert collect(None, [workbook]).notes == ()


def test_a_decision_on_a_user_who_is_not_identified_is_noted_as_not_acted_on() -> None:
    user, text = a_user(created="N/A"), "Not acted on, as the user's creation time or account is"
    for decision in ("keep", "withdraw"):
        (note,) = collected(file(line(decision, user)), ledger=ledger(DELETE)).notes
        assert note == f"{text} not known: quiet (review.xlsx, sheet Unused users, row 2)."


def test_nothing_comes_into_force_by_a_withdrawal_in_another_file_of_the_call() -> None:
    known = ledger(line("deactivate", sha256="b" * 64))
    late = file(line("delete", by="Tom"), name="a.xlsx")
    taken_back = file(line("withdraw", on=NEXT, sha256="c" * 64), name="b.xlsx")
    for order in ([late, taken_back], [taken_back, late]):
        update = collected(*order, ledger=known)
        assert in_force(update) is None
        (note,) = update.notes
        assert ": withdraw, Anna" in note
        assert "counts instead of delete, Tom" in note
        *_, (_, unattended) = collected_one_by_one(known, order)
        assert isinstance(unattended, LedgerUpdate)
        assert in_force(unattended) is None
