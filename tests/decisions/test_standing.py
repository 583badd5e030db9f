"""People can foresee what stands: the latest word, unless somebody said otherwise around it."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.decisions.decision import LedgerLine
from analyzer.decisions.ledger import Ledger
from analyzer.decisions.standing import HoldingDays, Standing, standings
from analyzer.limits import DUE_DAYS, KEEP_DAYS
from tests.support.builders import AS_OF, a_user
from tests.support.decisions import DAY, line

PERIOD = timedelta(days=10)
"""The time from one report to the next."""


@cache
def word(text: str) -> LedgerLine:
    """Return a line from its word, person, day, and the number of the report: `keep Ann 3 @1`.

    Days count from the first report, number 0. A line of the program has no person and no day.
    """
    entered, _, report = text.partition("@")
    decision, *rest = entered.split()
    person, day = rest or ("credreport", "0")
    on, as_of = DAY + timedelta(int(day)), AS_OF + int(report or 0) * PERIOD
    return line(decision, by=person, on=on, as_of=as_of, workbook=f"{text}.xlsx")


def words(text: str) -> list[LedgerLine]:
    return [word(each.strip()) for each in text.split(",")]


def stand_of(lines: Sequence[LedgerLine], days: HoldingDays | None = None) -> Standing:
    (stand,) = standings(lines, days or HoldingDays()).values()
    return stand


def outcome(stand: Standing) -> str:
    """Return the word that stands, or why none does."""
    return str(stand.doubt or stand.line.decision)


AROUND = [
    # Of one person, of two, on the same day, the day after, and two days after.
    *(
        (f"keep Ann 0, delete {who} {day}", "disagree")
        for who, day in product(("Ann", "Bob"), (0, 1))
    ),
    *(
        (f"delete Ann 0, keep {who} {day}", "disagree")
        for who, day in product(("Ann", "Bob"), (0, 1))
    ),
    ("keep Ann 0, delete Ann 2", "delete"),
    *((f"delete Ann 0, keep {who} 2", "keep") for who in ("Ann", "Bob")),
    ("delete Ann 0, keep Bob 10", "keep"),
    # Removals are two words; to withdraw is a word like any other.
    *((f"deactivate Ann 0, delete Ann {day}", "disagree") for day in (0, 1)),
    ("deactivate Ann 0, delete Bob 2", "delete"),
    ("deactivate Ann 0, delete Bob 90", "delete"),
    *((f"delete Ann 0, withdraw Ann {day}", "disagree") for day in (0, 1)),
    *((f"delete Ann 0, withdraw {who} 2", "withdraw") for who in ("Ann", "Bob")),
    ("withdraw Bob 0, delete Ann 2", "delete"),
    ("investigate Bob 0, withdraw Bob 0 @1, delete Ann 0", "disagree"),
    # The same word again disagrees with nobody.
    ("delete Ann 0, delete Ann 1, delete Bob 2", "delete"),
    ("keep Ann 0, keep Bob 1", "keep"),
    # What was said earlier than around the latest word counts no more.
    ("delete Ann 0, keep Ann 1, delete Ann 3", "delete"),
    ("delete Ann 0, withdraw Ann 0, keep Bob 2", "keep"),
    # Who agrees the day after a disagreement says nothing new: it is still the day before.
    ("delete Ann 0, keep Bob 0, delete Bob 1", "disagree"),
    ("delete Ann 0, keep Bob 0, delete Bob 2", "delete"),
    # An earlier day in another time zone.
    ("delete Ann 1, keep Bob 0", "disagree"),
]
HOLDS = [
    *((f"keep Bob 0, delete Ann {day}", "kept") for day in (2, KEEP_DAYS)),
    (f"keep Bob 0, delete Ann {KEEP_DAYS + 1}", "delete"),
    *((f"investigate Bob 0, deactivate Ann {day}", "kept") for day in (2, DUE_DAYS)),
    (f"investigate Bob 0, delete Ann {DUE_DAYS + 1}", "delete"),
    # Only among the words of its author's last day, whichever those are.
    ("keep Bob 0, delete Bob 4, delete Ann 8", "delete"),
    ("keep Bob 0, withdraw Bob 0, delete Ann 8", "kept"),
    ("keep Bob 0, withdraw Bob 1, delete Ann 8", "delete"),
    ("keep Bob 0, investigate Bob 1, delete Ann 8", "kept"),
    (f"keep Bob 0, investigate Bob 1, delete Ann {DUE_DAYS + 2}", "delete"),
    ("keep Bob 0, withdraw Ann 4, delete Ann 8", "kept"),
    # Nothing comes alive by waiting: a removal is judged by its own day, written every night too.
    (f"keep Bob 0, delete Ann {KEEP_DAYS}, delete Ann {KEEP_DAYS + 1}", "delete"),
    ("investigate Bob 0, delete Bot 2, delete Bot 3, delete Bot 4", "kept"),
    # No removal, so nothing to protect from.
    ("keep Bob 0, withdraw Ann 8", "withdraw"),
    ("investigate Bob 0, keep Ann 8", "keep"),
]
NEWER = [
    *((f"{other} Ann 10 @1, delete Ann 20", "newer word") for other in ("withdraw", "deactivate")),
    ("withdraw Bob 10 @1, delete Ann 20", "newer word"),
    ("withdraw Bob 10 @1, delete Ann 20, delete Eve 20 @1", "delete"),
    ("withdraw Bob 10 @1, delete Ann 20 @2", "delete"),
    ("withdraw Bob 10, delete Ann 20 @1", "delete"),
    ("delete Bob 10 @1, delete Ann 20", "delete"),
    # The latest word decides on whatever report it was written.
    ("delete Ann 10 @1, keep Ann 20", "keep"),
    ("keep Bob 10 @1, delete Ann 20", "kept"),
]
OVERTAKEN = [
    ("delete Ann 0, overtaken@1", "overtaken"),
    ("delete Ann 0, delete Bob 0, overtaken@1", "overtaken"),
    ("delete Ann 0 @1, overtaken@1", "delete"),
    ("delete Ann 0, overtaken@1, delete Bob 12 @1", "delete"),
    ("delete Ann 0, overtaken@1, delete Ann 12", "overtaken"),
    ("delete Ann 0, overtaken@1, delete Ann 12 @1, overtaken@2", "overtaken"),
    ("delete Ann 0, overtaken@2, overtaken@1, delete Ann 12 @1", "overtaken"),
    ("keep Ann 0, overtaken@1", "keep"),
    ("keep Ann 0, delete Ann 5, overtaken@1", "overtaken"),
    ("delete Ann 0, overtaken@1, keep Bob 12", "keep"),
    # Everybody's words count for what people disagree on, and what is kept.
    ("delete Ann 0, keep Bob 0, overtaken@1", "disagree"),
    ("keep Bob 0, delete Ann 5, overtaken@1, delete Ann 12 @1", "kept"),
    # The newest report that somebody looked at counts, of those who agree around the last day.
    ("overtaken@1, delete Ann 12 @1, delete Bob 13", "delete"),
    ("overtaken@1, delete Ann 12 @1, delete Bob 14", "overtaken"),
    # What a report shows of a removal that is done is no word.
    ("delete Ann 0, gone@1", "delete"),
    ("deactivate Ann 0, deactivated@1", "deactivate"),
]


@pytest.mark.parametrize(("text", "expected"), [*AROUND, *HOLDS, *NEWER, *OVERTAKEN])
def test_the_latest_word_stands_unless_somebody_said_otherwise_around_it(
    text: str, expected: str
) -> None:
    stand = stand_of(words(text))
    assert outcome(stand) == expected
    assert (stand.stands is None) == bool(stand.doubt)
    assert stand.is_of_removal == (expected not in ("keep", "withdraw"))


REASONS = {
    "delete Ann 0": "",
    "delete Ann 0, keep Bob 1": "delete, Ann, 2026-05-01; keep, Bob, 2026-05-02: decide together; "
    "one of them writes again, with the date 2026-05-04 or later",
    "keep Bob 0, delete Ann 2": "keep, Bob, 2026-05-01: ends when Bob writes delete",
    "keep Bob 0, investigate Eve 1, deactivate Ann 4": "investigate, Eve, 2026-05-02; "
    "keep, Bob, 2026-05-01: ends when Bob and Eve write deactivate",
    "withdraw Bob 9 @1, delete Ann 20": "withdraw, Bob, 2026-05-10, on a newer report",
    "delete Ann 0, overtaken@1": "new access or use by 2026-05-11",
}


@pytest.mark.parametrize(("text", "why"), REASONS.items())
def test_a_doubt_says_who_wrote_what_and_how_to_end_it(text: str, why: str) -> None:
    assert stand_of(words(text)).why == why


def test_who_follows_the_way_out_of_a_disagreement_on_its_first_day_ends_it() -> None:
    disagree = words("delete Ann 0, keep Bob 1")
    first = date.fromisoformat(stand_of(disagree).why.split()[-3])
    for days, expected in ((-1, "disagree"), (0, "delete")):
        again = line(by="Bob", on=first + timedelta(days))
        assert outcome(stand_of([*disagree, again])) == expected


@pytest.mark.parametrize("name", ["it security", "  IT   SECURITY ", "It\nSecurity"])
def test_two_spellings_of_a_name_are_one_person(name: str) -> None:
    keep, delete = line("keep", by="IT Security"), line(by=name, on=DAY + timedelta(2))
    assert outcome(stand_of([keep, delete])) == "delete"
    assert outcome(stand_of([keep, replace(delete, decided_by=f"{name} 2")])) == "kept"


EARLY, SECOND = AS_OF - timedelta(9), timedelta(seconds=1)
TOMORROW = AS_OF + timedelta(1)


@pytest.mark.parametrize(
    ("source", "as_of", "baseline", "expected"),
    [
        ("file-name", AS_OF, AS_OF, "delete"),
        ("file-name", AS_OF + SECOND, AS_OF, "newer word"),
        ("assumed", AS_OF + SECOND, AS_OF + SECOND, "newer word"),
        ("folder", AS_OF.replace(hour=23), EARLY, "delete"),
        ("folder", AS_OF.replace(hour=23), AS_OF + SECOND, "newer word"),
        ("folder", TOMORROW, EARLY, "newer word"),
        ("option", TOMORROW, EARLY, "delete"),
        ("option", TOMORROW, AS_OF + SECOND, "newer word"),
    ],
)
def test_a_report_is_newer_by_the_earliest_time_that_it_can_have(
    source: str, as_of: datetime, baseline: datetime, expected: str
) -> None:
    cells = {**line(as_of=as_of).user_row, "as_of_source": source}
    other = line("withdraw", user_row=cells, baseline=baseline)
    assert outcome(stand_of([other, line(on=DAY + timedelta(3))])) == expected


def test_a_keep_holds_to_the_end_of_the_calendar_at_most_and_a_removal_not_at_all() -> None:
    for_ever = HoldingDays(keep=10**9)
    assert for_ever.last_day(word("keep Ann 0")) == date.max
    assert for_ever.last_day(word("delete Ann 0")) == date.min
    assert outcome(stand_of(words("keep Bob 0, delete Ann 9999"), for_ever)) == "kept"
    assert outcome(stand_of(words("keep Bob 0, delete Ann 2"), HoldingDays(keep=1))) == "delete"


def test_a_doubt_shows_the_strongest_removal_and_agreement_the_newest_report() -> None:
    for text, expected in (
        ("keep Ann 0 @1, deactivate Bob 0, delete Eve 0", "delete Eve 0"),
        ("keep Ann 0 @1, deactivate Bob 0", "deactivate Bob 0"),
        ("keep Ann 0, withdraw Bob 0 @1", "withdraw Bob 0 @1"),
        ("delete Ann 0 @1, delete Bob 1", "delete Ann 0 @1"),
        ("delete Ann 0, delete Bob 1", "delete Bob 1"),
    ):
        assert stand_of(words(text)).line == word(expected), text
    newest = line(same_second=None, as_of=AS_OF + PERIOD)
    assert stand_of([line(by="Tom"), newest]).line == newest
    of_script = line(same_second=None, by="Tom")
    assert stand_of([of_script, word("delete Ann 0")]).line == word("delete Ann 0")


def test_a_path_counts_for_nothing_and_a_user_created_again_is_another() -> None:
    delete, moved = line(), line("keep", a_user(path="x/y/"))
    again = line("keep", a_user(created=AS_OF - timedelta(days=3)))
    stands = standings([delete, moved, again], HoldingDays())
    assert [outcome(each) for each in stands.values()] == ["disagree", "keep"]


ANY_WORD = st.builds(
    "{} {} {} @{}".format,
    st.sampled_from(["delete", "deactivate", "keep", "investigate", "withdraw"]),
    st.sampled_from(["Ann", "Bob"]),
    st.integers(0, 4) | st.integers(KEEP_DAYS - 1, KEEP_DAYS + 3),
    st.integers(0, 2),
)
ANY_LINES = st.lists(
    ANY_WORD | st.sampled_from(["overtaken@1", "overtaken@2", "gone@2"]), min_size=1
)


@settings(deadline=None)
@given(ANY_LINES, st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_of_lines_ever_matters(
    texts: list[str], dice: random.Random
) -> None:
    lines = [word(each) for each in texts]
    other = [*lines, *dice.sample(lines, len(lines) // 2)]
    dice.shuffle(other)
    assert _outcomes(Ledger(lines=tuple(other))) == _outcomes(Ledger(lines=tuple(lines)))


def _outcomes(ledger: Ledger) -> list[tuple[object, ...]]:
    return [(stand.doubt, stand.line, stand.why) for stand in ledger.standings.values()]
