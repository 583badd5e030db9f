"""All agree, or nothing stands: everybody's last words count, and no order of them."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.decisions.decision import LedgerLine, User
from analyzer.decisions.ledger import Ledger
from analyzer.decisions.standing import Standing, last_day, standings
from tests.support.builders import AS_OF, a_key, a_password, a_user, an_inactive_key
from tests.support.decisions import DAY, line

PERIOD = timedelta(days=10)
"""The time from one report to the next."""

SHOWN = {
    "": a_user(),
    "key": a_user(key_1=a_key()),
    "off": a_user(key_1=an_inactive_key()),
    "password": a_user(password=a_password()),
    "unread": a_user() | {"mfa_active": "maybe"},
}
"""What the report shows of the user, by a word of the tables."""


@cache
def word(text: str) -> LedgerLine:
    """Return a line from its word, person and day: `keep Ann 3`, and perhaps more.

    `@1` is the number of the report, `of=x` the name of another user of the second, `beside=x+y`
    the names that the report shows with it, `?` if the line does not say, and another word is what
    the report shows of the user. Days count from the first report, number 0.
    """
    decision, person, day, *more = text.split()
    options = dict(each.split("=") for each in more if "=" in each)
    report = next((int(each[1:]) for each in more if each.startswith("@")), 0)
    shown = next((each for each in more if each in SHOWN), "")
    user = SHOWN[shown] | {}
    if "of" in options:
        user = a_user(options["of"])
    beside: Any = None if "?" in more else list(filter(None, options.get("beside", "").split("+")))
    on, as_of = DAY + timedelta(int(day)), AS_OF + report * PERIOD
    return line(decision, user, by=person, on=on, as_of=as_of, beside=beside, row=len(text))


def words(text: str) -> list[LedgerLine]:
    return [word(each.strip()) for each in text.split(",")]


def stand_of(lines: Sequence[LedgerLine], name: str = "quiet") -> Standing:
    (stand,) = (stand for user, stand in standings(lines).items() if user.name == name)
    return stand


def outcome(stand: Standing) -> str:
    """Return the word that stands, whether people disagree, or that nobody removes."""
    return "contested" if stand.is_contested else str(stand.word or "nothing")


LAST_WORDS = [
    ("delete Ann 0", "delete"),
    ("keep Ann 0", "nothing"),
    ("investigate Ann 0", "nothing"),
    # Of one person: those of its last day, and of the day before.
    *((f"keep Ann 0, delete Ann {day}", "contested") for day in (0, 1)),
    ("keep Ann 0, delete Ann 2", "delete"),
    *((f"delete Ann 0, keep Ann {day}", "contested") for day in (0, 1)),
    ("delete Ann 0, keep Ann 2", "nothing"),
    ("keep Ann 0, delete Ann 1, delete Ann 2", "delete"),
    ("delete Ann 0, investigate Ann 2", "nothing"),
    # Somebody else takes nothing back, however late.
    *((f"delete Ann 0, keep Bob {day}", "contested") for day in (0, 2, 59)),
    ("keep Bob 0, delete Ann 2, delete Bob 4", "delete"),
    ("keep Bob 0, keep Ann 0, delete Ann 2", "contested"),
    ("delete Ann 0, delete Bob 9", "delete"),
    # A word on a user's other path is of the same person.
    ("keep ANN 0, delete Ann 2", "delete"),
]
OBJECTIONS = [
    # Counted to the day of the newest removal.
    ("keep Bob 0, delete Ann 179", "contested"),
    ("keep Bob 0, delete Ann 180", "contested"),
    ("keep Bob 0, delete Ann 181", "delete"),
    ("investigate Bob 0, deactivate Ann 29", "contested"),
    ("investigate Bob 0, deactivate Ann 30", "contested"),
    ("investigate Bob 0, deactivate Ann 31", "deactivate"),
    # Nothing comes alive by waiting: only a newer removal ends it.
    ("keep Bob 0, delete Ann 180, delete Cid 181", "delete"),
    ("keep Bob 0, delete Ann 180 @18, delete Cid 182 @13", "contested"),
    # One made on a newer report counts, whatever its date and author.
    ("keep Ann 11 @1, delete Ann 30", "contested"),
    ("investigate Bob 11 @1, delete Ann 80", "contested"),
    ("investigate Bob 11 @1, delete Ann 80 @1", "delete"),
    ("investigate Bob 11 @1, delete Ann 80, delete Cid 12 @2", "contested"),
    ("keep Ann 11 @1, delete Ann 30 @2", "delete"),
    ("keep Bob 11, delete Ann 30 @1", "contested"),
]
MILDER = [
    ("deactivate Ann 0, delete Bob 0", "deactivate"),
    ("delete Ann 0, deactivate Bob 9", "deactivate"),
    ("deactivate Ann 0, delete Ann 1", "deactivate"),
    ("deactivate Ann 0, delete Ann 2", "delete"),
    # Done, as the row of the newest removal shows, of a later report.
    ("deactivate Ann 0 key, delete Bob 11 @1 off", "delete"),
    ("deactivate Ann 0 key, delete Bob 11 @1 key", "deactivate"),
    ("deactivate Ann 0 key, delete Bob 11 @1 password", "deactivate"),
    ("deactivate Ann 0 key, delete Bob 11 @1 unread", "deactivate"),
    ("deactivate Ann 0, delete Bob 1", "deactivate"),
    # It was so already when the milder word was written.
    ("deactivate Ann 0, delete Bob 11 @1", "delete"),
    # The milder word is on the newer report.
    ("deactivate Ann 11 @1, delete Bob 0", "deactivate"),
]
FORMER = [
    ("keep Ann 0 of=x, delete Bob 11 @1", "contested"),
    ("keep Ann 0 of=x, delete Bob 11 @1 beside=x", "delete"),
    ("keep Ann 0 of=x, delete Bob 11 @1 ?", "contested"),
    ("investigate Ann 0 of=x, delete Bob 31 @1", "delete"),
    ("keep Ann 0 of=x, delete Bob 181 @1", "delete"),
    ("delete Ann 0 of=x, delete Bob 11 @1", "delete"),
    ("deactivate Ann 0 of=x, delete Bob 11 @1 key", "deactivate"),
    ("deactivate Ann 0 of=x, delete Bob 11 @1 off", "delete"),
    # Unless its person wrote about this name more than a day later, where the other is not shown.
    ("keep Ann 0 of=x, delete Ann 1 @1", "contested"),
    ("keep Ann 0 of=x, delete Ann 2 @1", "delete"),
    ("keep Ann 0 of=x, delete Ann 2 ?, delete Bob 11 @1", "contested"),
    ("keep Ann 0 of=x, delete Ann 2 beside=x, delete Bob 11 @1", "contested"),
    # Beside it both were shown, and one of them is gone.
    ("keep Ann 0 of=x beside=quiet, delete Bob 35 @3", "contested"),
]


@pytest.mark.parametrize(("text", "expected"), [*LAST_WORDS, *OBJECTIONS, *MILDER, *FORMER])
def test_a_removal_stands_if_all_agree_and_the_milder_is_done(text: str, expected: str) -> None:
    assert outcome(stand_of(words(text))) == expected


def test_no_later_row_shows_that_a_listed_service_credential_is_gone() -> None:
    listed = dict(word("deactivate Ann 0").user_row) | {"caveats": "service-credential"}
    first = line("deactivate", SHOWN[""], by="Ann", user_row=listed)
    assert outcome(stand_of([first, word("delete Bob 11 @1")])) == "deactivate"


SEEN = {
    "delete Ann 0, delete Bob 11 @1": "delete Bob 11 @1",
    "delete Ann 19, delete Bob 11 @1": "delete Bob 11 @1",
    "delete Ann 0, delete Bob 9": "delete Bob 9",
    "delete Ann 0 @1, delete Bob 0": "delete Ann 0 @1",
    "delete Ann 0, keep Bob 11 @1": "delete Ann 0",
    "keep Ann 0, investigate Bob 0 @1": "investigate Bob 0 @1",
    "delete Ann 0 ?, delete Bob 0": "delete Bob 0",
    "delete Ann 0, delete Bob 0 ?": "delete Ann 0",
}


@pytest.mark.parametrize(("text", "seen"), SEEN.items())
def test_what_was_seen_is_the_row_of_the_removal_on_the_newest_report(text: str, seen: str) -> None:
    assert stand_of(words(text)).line == word(seen)


def test_words_on_a_user_without_a_known_creation_time_are_about_no_other_one() -> None:
    odd, other = a_user(created="N/A"), a_user("x", created="N/A")
    lines = [line("keep", other), line("delete", odd)]
    assert outcome(stand_of(lines)) == "delete"


@pytest.mark.parametrize("name", ["it security", "  IT   SECURITY ", "It\nSecurity"])
def test_two_spellings_of_a_name_are_one_person(name: str) -> None:
    keep, delete = line("keep", by="IT Security"), line(by=name, on=DAY + timedelta(2))
    assert outcome(stand_of([keep, delete])) == "delete"
    assert outcome(stand_of([keep, replace(delete, decided_by=f"{name} 2")])) == "contested"


EARLY, SECOND = AS_OF - timedelta(9), timedelta(seconds=1)
TOMORROW = AS_OF + timedelta(1)


@pytest.mark.parametrize(
    ("source", "as_of", "expected"),
    [
        ("file-name", AS_OF, "delete"),
        ("file-name", AS_OF + SECOND, "contested"),
        ("assumed", AS_OF + SECOND, "contested"),
        # A day without a time counts as its start, and --as-of not at all.
        ("folder", AS_OF.replace(hour=23), "delete"),
        ("folder", TOMORROW, "contested"),
        ("option", TOMORROW, "delete"),
    ],
)
def test_a_report_is_newer_by_its_own_time(source: str, as_of: datetime, expected: str) -> None:
    cells = {**line(as_of=as_of).user_row, "as_of_source": source}
    other = line("investigate", user_row=cells)
    assert outcome(stand_of([other, line(by="Bob", on=DAY + timedelta(31))])) == expected


def test_an_objection_counts_to_the_end_of_the_calendar_at_most() -> None:
    late = line("keep", on=date(9999, 12, 1))
    assert last_day(late) == date.max
    assert last_day(word("keep Ann 0")) == DAY + timedelta(180)
    assert last_day(word("investigate Ann 0")) == DAY + timedelta(30)


def test_a_path_counts_for_nothing_and_a_user_created_again_is_another() -> None:
    delete, moved = line(), line("keep", a_user(path="x/y/"), by="Bob")
    again = line("keep", a_user(created=AS_OF - timedelta(days=3)))
    stands = standings([delete, moved, again])
    assert [outcome(each) for each in stands.values()] == ["contested", "nothing"]


PEOPLE = ("Ann", "Bob", "Cid")
ANY_WORD = st.builds(
    "{} {} {} @{} {}".format,
    st.sampled_from(["delete", "deactivate", "keep", "investigate"]),
    st.sampled_from(PEOPLE),
    st.integers(0, 4) | st.integers(28, 33) | st.integers(179, 183),
    st.integers(0, 2),
    st.sampled_from(["", "?", "beside=x", "of=x", "of=x beside=quiet", "key", "off"]),
)
ANY_LINES = st.lists(ANY_WORD, min_size=1, max_size=7)


@settings(deadline=None)
@given(ANY_LINES, st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_of_lines_ever_matters(
    texts: list[str], dice: random.Random
) -> None:
    lines = [word(each) for each in texts]
    other = [*lines, *dice.sample(lines, len(lines) // 2)]
    dice.shuffle(other)
    assert _outcomes(Ledger().with_lines(other)) == _outcomes(Ledger().with_lines(lines))


def _outcomes(ledger: Ledger) -> dict[User, tuple[object, ...]]:
    return {
        user: (outcome(stand), stand.line.identity, len(stand.objections))
        for user, stand in ledger.standings.items()
    }


@settings(deadline=None)
@given(ANY_LINES)
def test_nothing_stands_against_a_last_word_that_counts(texts: list[str]) -> None:
    lines = [word(each) for each in texts]
    for user, stand in standings(lines).items():
        own = [each for each in lines if each.subject == user]
        for person in {each.person for each in own}:
            day = max(each.decided_on for each in own if each.person == person)
            said = [each for each in own if each.person == person and each.decided_on == day]
            keeps = [each for each in said if each.decision == "keep"]
            if stand.word and keeps:
                assert (stand.line.decided_on - day).days > 180
