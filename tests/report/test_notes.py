"""What everybody who relies on a result must know of its input is said in sentences."""

from datetime import timedelta

import pytest

from tests.support.builders import ACCOUNT, AS_OF, COLUMNS, COLUMNS_OF_2014, a_user, report_text
from tests.support.named_reports import load_named
from tests.support.reading import BOB, PLAIN, lines, of_account

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time

CONSOLE = "status_reports_2026-05-01T12-00-00+00-00.csv"


def notes(*files: tuple[str, str]) -> list[str]:
    return list(load_named(*((name, text.encode()) for name, text in files)).notes)


def test_an_assumed_moment_is_said_with_what_follows_from_it() -> None:
    (note,) = notes(("report.csv", PLAIN))
    assert note == (
        "No generation time in report.csv: the newest timestamp in the report is assumed to be"
        " its time. The report can be newer, so users can be idle for longer than shown;"
        " a file name as the console gives it, or a folder such as 2026-03-01, sets the time."
    )


def test_no_more_than_five_names_are_listed() -> None:
    texts = [of_account(str(10**11 + number), a_user("x")) for number in range(8)]
    for count, more in ((2, ""), (5, ""), (6, " and 1 more"), (8, " and 3 more")):
        (note,) = notes(*((f"{at}.csv", text) for at, text in enumerate(texts[:count])))
        named = ", ".join(f"{at}.csv" for at in range(min(count, 5)))
        assert note.startswith(f"No generation time in {named}{more}:")


def test_a_timestamp_later_than_the_report_is_said_beyond_an_hour_of_skew() -> None:
    late = (
        f"{CONSOLE} has a timestamp of 2026-05-01 13:00 UTC, after its as-of"
        " (2026-05-01 12:00 UTC): later times count as 0 days old, so this is not the"
        " state of that time."
    )
    coming = a_user("x", password_next_rotation=AS_OF + timedelta(days=30))
    in_time, too_late = (
        a_user("x", password_last_used=AS_OF + timedelta(hours=1, seconds=each)) for each in (0, 1)
    )
    for user, expected in ((coming, []), (in_time, []), (too_late, [late])):
        assert notes((CONSOLE, report_text([user]))) == expected


def without(*endings: str) -> list[str]:
    return [name for name in COLUMNS if not name.endswith(endings)]


def test_columns_that_reports_of_2014_lack_are_said_and_those_that_decide_nothing_are_not() -> None:
    old = report_text([a_user("x")], columns=COLUMNS_OF_2014)
    (note,) = notes((CONSOLE, old), (f"sub/{CONSOLE}", old.replace(ACCOUNT, "1" * 12)))
    assert note == (
        f"{CONSOLE}, sub/{CONSOLE}: no column access_key_1_last_used_date,"
        " access_key_2_last_used_date, as in reports of 2014;"
        " verdicts that need it are undetermined."
    )
    silent = without("_region", "_service", "_rotation")
    assert notes((CONSOLE, report_text([a_user("x")], columns=silent))) == []


def test_reports_that_lack_different_columns_are_said_apart() -> None:
    gone = [f"access_key_{slot}_last_used_date" for slot in (1, 2)]
    one, two = (report_text([a_user("x")], columns=without(each)) for each in gone)
    found = notes((f"0/{CONSOLE}", one), (f"1/{CONSOLE}", two.replace(ACCOUNT, "1" * 12)))
    said = [note.split(",")[0] for note in found]
    assert said == [f"{at}/{CONSOLE}: no column {each}" for at, each in enumerate(gone)]


def test_all_there_is_to_know_is_said_in_one_order() -> None:
    twice = lines(PLAIN, BOB, BOB)
    old = report_text([], columns=COLUMNS_OF_2014)
    future = report_text([a_user("x", created=AS_OF + timedelta(days=1))])
    other = future.replace(ACCOUNT, "1" * 12)
    dated = "old/status_reports_2025-07-05T12-00-00Z.csv"
    day, third = "2026-05-03/b.csv", ("d.csv", of_account("2" * 12))
    found = notes((day, twice), (dated, old), ("c.csv", twice), (CONSOLE, other), third)
    assert [" ".join(note.split(" ")[:3]) for note in found] == [
        "No generation time",
        f"{CONSOLE} has a",
        "c.csv is the",
        f"{dated} (2025-07-05 12:00",
        f"{day}: 2 rows",
    ]


def test_a_report_whose_own_time_an_option_replaces_is_named_with_what_follows() -> None:
    other = PLAIN.replace(ACCOUNT, "1" * 12).encode()
    files = (CONSOLE, other), ("report.csv", PLAIN.encode())
    (note,) = load_named(*files, as_of=AS_OF + timedelta(days=90)).notes
    assert note == (
        f"The as-of set by option replaces the own time of 1 report: {CONSOLE} (2026-05-01 12:00"
        " UTC). A report does not show use after its own time, so users can be idle for less time"
        " than shown."
    )
    (note,) = load_named(*files, as_of=AS_OF - timedelta(days=1)).notes
    assert note.endswith(f"1 report: {CONSOLE} (2026-05-01 12:00 UTC).")
    assert not load_named(*files, as_of=AS_OF).notes


def test_of_many_notes_of_a_kind_there_is_one_that_names_the_first_files() -> None:
    late = report_text([a_user("x", password_last_used=AS_OF + timedelta(days=1))])
    names = [f"{at}/status_reports_2026-04-{at:02}T12-00-00Z.csv" for at in range(10, 17)]
    older = [(name, lines(PLAIN, *[BOB] * at)) for at, name in enumerate(names[:6], 1)]
    copies = [(f"{at}.csv", PLAIN) for at in range(6)]
    texts = [of_account(str(10**11 + at), a_user("x")) for at in range(6)]
    for files, about in (
        (older + [(CONSOLE, PLAIN)], "6 reports are not counted for an account that has a newer"),
        (
            copies + [(CONSOLE, PLAIN)],
            "6 files are the same report as another, counted once: 0.csv",
        ),
        (
            [(f"{at}/{CONSOLE}", late.replace(ACCOUNT, f"{at:012}")) for at in range(6)],
            "6 reports have a timestamp after their as-of, so they do not show the state of that",
        ),
        (
            [(f"{at}/{CONSOLE}", f"{text}\n{text}") for at, text in enumerate(texts)],
            "6 reports have rows that repeat users of other rows; each user counts once: 0/status",
        ),
    ):
        (note,) = notes(*files)
        assert note.startswith(about)
        assert note.endswith(" and 1 more.")
        assert len(notes(*files[1:])) == 5
