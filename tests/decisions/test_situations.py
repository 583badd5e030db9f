"""Play situations of a review that its guide foretells: who writes what, and what becomes of it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple

import pytest

import analyzer
from analyzer.decisions.collect import collect
from analyzer.decisions.entries import DecisionFile
from analyzer.decisions.ledger import Ledger, ledger_bytes, read_entries, read_ledger
from analyzer.decisions.plan import removal_plan
from tests.support.builders import (
    ACCOUNT,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    report_text,
    the_root,
)
from tests.support.decisions import TODAY, bulk, console_name
from tests.support.named_reports import load_named
from tests.support.outputs import csv_rows, exemptions_of


def day(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}T12:00:00+00:00")


FEBRUARY, MARCH, APRIL, JUNE, OCTOBER = map(day, ("02-01", "03-01", "04-15", "06-01", "10-01"))
MOMENTS = {"feb": FEBRUARY, "mar": MARCH, "apr": APRIL, "jun": JUNE, "oct": OCTOBER}
MOMENTS |= {"end": day("04-28"), "sixty": day("04-30"), "late": day("05-01"), "aug": day("08-20")}
MOMENTS |= {f"{of}-day": MOMENTS[of].replace(hour=23, minute=59, second=59) for of in MOMENTS}
"""When the reports of the table are made; those of a day are in a folder, without a time."""

USERS = {
    "quiet": a_user("quiet"),
    "calm": a_user("calm"),  # of the creation second of quiet
    "again": a_user("quiet", created=day("05-01")),
    "other": a_user("other", created=day("05-01")),
    "moved": a_user("quiet", path="ops/"),
    "password": a_user("quiet", password=a_password(changed=day("04-01"))),
    "mfa": a_user("quiet", password=a_password(changed=day("04-01")), mfa=True),
    "used-key": a_user("quiet", key_1=a_key(day("04-01"), day("04-02"))),
    "new-key": a_user("quiet", key_1=an_inactive_key(FEBRUARY.replace(hour=15))),
    "idle-key": a_user("quiet", key_1=a_key()),
    "off-key": a_user("quiet", key_1=an_inactive_key()),
    "signed-in": a_user("quiet", password=a_password(datetime(2025, 1, 1, tzinfo=UTC))),
    "busy": a_user("quiet", password=a_password(day("02-27")), key_1=a_key(used=day("02-27"))),
}
"""What a report shows of a user, by a word of the table."""

TABLE = """
a keep, and a delete the next day: Ann keep 03-05, Bob delete 03-06 = contested
a keep, and a delete days later: Ann keep 03-05, Bob delete 03-10 = contested
a keep, and a delete after it ended: Ann keep 03-05, Bob delete 09-02 aug | mar quiet, aug quiet =
  delete
a keep on its last day: Ann keep 03-05, Bob delete 09-01 aug | mar quiet, aug quiet = contested
a keep, and a delete on a newer report: Ann keep 03-05, Bob delete 04-16 apr | mar quiet, apr
  quiet = contested
a keep that ended, on a newer report: Ann keep 04-16 apr, Bob delete 12-10 | mar quiet, apr quiet
  = contested
a list against a reminder of that day: Ann keep 04-16, Bob delete 04-16 apr | mar quiet, apr quiet
  = contested
a later keep of one's own on an older list: Ann delete 03-05, Ann keep 03-08 feb | feb quiet, mar
  quiet = nothing
a later keep on a list with a typed as-of: Ann delete 03-05, Ann keep 03-08 as=02-10 = nothing
Auckland deletes, Los Angeles keeps later: Ann delete 03-06, Bob keep 03-05 = contested
two words of one person on one day: Ann delete 03-05, Ann keep 03-05 = contested
three words of two people on one day: Bob investigate 03-05 feb, Bob investigate 03-05, Ann delete
  03-05 | feb quiet, mar quiet = contested
two spellings of one name: Ann_Lee keep 03-05, ANN__lee delete 03-10 = delete
two names of one person: Ann_Lee keep 03-05, A._Lee delete 03-10 = contested
two people under one name: IT_Security keep 03-05, IT_Security delete 03-10 = delete
investigated by the owner, deleted two days later: Ann investigate 03-05, Bob delete 03-07 =
  contested
investigated long ago: Ann investigate 03-05, Bob delete 04-05 = delete
a keep between the nights of a bot: Bot delete 03-07, Bot delete 03-08, Ann keep 03-08, Bot delete
  03-09, Bot delete 03-10 = contested
a keep after the last night of a bot: Bot delete 03-07, Bot delete 03-08, Ann keep 03-09 =
  contested
a keep on another path: Ann keep 03-05, Bob delete 04-16 apr | mar quiet, apr moved = contested
a late list with the same word: Ann delete 06-05 jun, Bob delete 03-05 | mar quiet, jun quiet =
  delete
a late list with a keep: Ann delete 06-05 jun, Bob keep 03-05 | mar quiet, jun quiet = contested
a late list that investigates: Ann delete 06-05 jun, Bob investigate 03-05 | mar quiet, jun quiet
  = delete
corrected the day after: Ann delete 03-05, Ann keep 03-06 = contested
corrected two days after: Ann delete 03-05, Ann keep 03-07 = nothing
a keep corrected two days after: Ann keep 03-05, Ann delete 03-07 = delete
written again after a disagreement: Ann delete 03-05, Bob investigate 03-05, Bob delete 03-07 =
  delete
a keep that ends while nobody writes: Ann keep 03-05, Bob delete 03-10 | mar quiet, oct quiet =
  contested
a keep that ended, and a new delete: Ann keep 03-05, Bob delete 03-10, Bob delete 10-02 oct | mar
  quiet, oct quiet = delete
exempted after the decision: Ann delete 03-05 = exempt
created again: Ann delete 03-05 | mar quiet, jun again = done
renamed: Ann delete 03-05 | mar quiet, end calm = unknown
on another path: Ann delete 03-05 | mar quiet, end moved = delete
renamed to the name of one that is gone: Ann delete 03-05 | mar quiet+calm, end quiet = changed
renamed to the name of one that is deleted too: Ann delete 03-05, Ann delete 03-05 user=calm | mar
  quiet+calm, end quiet = delete
kept under another name: Ann keep 03-05 user=calm, Bob delete 06-05 jun | mar calm, jun quiet =
  contested
kept, and renamed to the name of one that is gone: Ann keep 03-05 user=calm, Bob delete 06-05 jun
  | mar quiet+calm, jun quiet = contested
a key between two reports: Ann delete 03-05 | mar quiet, apr used-key, end quiet = changed
a key in a report that is not given: Ann delete 03-05 | mar quiet, (apr) used-key, end quiet =
  delete
changed: Ann delete 03-05 | mar quiet, end password = changed
changed, and decided anew on that report: Ann delete 03-05, Ann delete 06-05 jun | mar quiet, jun
  password = delete
changed, and decided anew on the older report: Ann delete 03-05, Ann delete 06-05 | mar quiet, jun
  password = lapsed
changed, and a keep on the older report: Ann delete 03-05, Bob keep 06-05 | mar quiet, jun
  password = contested
changed, a keep on the older report, and a delete: Ann delete 03-05, Bob keep 06-05, Ann delete
  06-10 jun | mar quiet, jun password = contested
changed twice: Ann delete 03-05, Ann delete 04-20 apr | mar quiet, apr password, jun mfa = changed
changed twice, and decided anew: Ann delete 03-05, Ann delete 04-20 apr, Ann delete 06-05 jun |
  mar quiet, apr password, jun mfa = delete
deleted with access: Ann delete 03-05 | mar signed-in = deactivate
deleted with access, and deactivated: Ann delete 03-05 | mar signed-in, jun quiet = deactivated
deactivated in March, deleted in June: Ann delete 03-05, Ann delete 06-05 jun | mar signed-in, jun
  quiet = delete
a key that somebody turned off by hand: Ann delete 03-05 | mar idle-key, jun off-key = deactivated
a key that was turned off, and deleted in June: Ann delete 03-05, Ann delete 06-05 jun | mar
  idle-key, jun off-key = delete
deactivated as decided: Ann deactivate 03-05 | mar idle-key, jun off-key = done
typed as-of too late: Ann delete 03-27 as=03-26 | mar quiet, end quiet = lapsed
typed as-of too late, and changed: Ann delete 06-20 as=06-20 | mar quiet, jun password = lapsed
typed as-of too early, and changed: Ann delete 03-05 as=01-20 | mar quiet, end password = lapsed
no time in a report of the day decided on: Ann delete 03-01 | (mar) quiet, mar-day quiet = unknown
no time in a report of a day with newer timestamps: Ann delete 02-01 feb | (feb) quiet, feb-day
  new-key = unknown
an administrator in a bulk list: Ann delete 03-05 | mar busy = active
gone: Ann delete 03-05 | mar quiet, jun nobody = done
gone, and there again: Ann delete 03-05 | mar quiet, apr nobody, end quiet = unknown
gone from a report that was cut: Ann delete 03-05 | mar quiet, end other+rootless = unknown
sixty days after the report: Ann delete 03-05 | mar quiet, sixty quiet = delete
sixty-one days after the report: Ann delete 03-05 | mar quiet, late quiet = lapsed
overtaken, in June: Ann delete 03-05 | mar quiet, jun password = lapsed
two people, and the milder word: Ann deactivate 03-05, Bob delete 03-10 | mar signed-in, apr
  signed-in = deactivate
deleted though somebody wanted to keep it: Ann delete 03-05, Bob keep 03-10 | mar quiet, apr
  nobody = done, not as decided
a key while it was to be deleted, and gone: Ann delete 03-05 | mar quiet, apr used-key, end nobody
  = done, not as decided
deactivated though nothing was active: Ann deactivate 03-05 | mar quiet, apr quiet = nothing to do
"""
"""What people write, what reports show, and what becomes of `quiet`.

A word has person, word and day; the report, of March if none is named; `user=` for another user,
and `as=` for an as-of that somebody types. A report in brackets is not given to
`plan`. Without reports, March shows `quiet`.
"""


class Situation(NamedTuple):
    """Hold a line of the table, in an account of its own; `shows` are users by report."""

    account: str
    words: Sequence[str]
    shows: Mapping[datetime, Sequence[str]]
    given: Collection[datetime]
    becomes: str


def situation(account: str, text: str) -> Situation:
    left, becomes = text.rsplit(" = ", 1)
    words, _, reports = left.partition(" | ")
    shows, given = {}, set()
    for report in (reports or "mar quiet").split(", "):
        name, users = report.split()
        moment = MOMENTS[name.strip("()")]
        shows[moment] = users.removeprefix("nobody").split("+")
        given |= set() if name.startswith("(") else {moment}
    return Situation(account, words.split(", "), shows, given, becomes)


LINES = TABLE.strip().replace("\n  ", " ").splitlines()
SITUATIONS = {
    name: situation(f"{at:012}", text)
    for at, (name, text) in enumerate(line.split(": ") for line in LINES)
}


def file_of(moment: datetime, cases: Iterable[Situation]) -> tuple[str, bytes]:
    """Return a report of the accounts of some situations, as far as they show that moment."""
    rows = []
    for case in cases:
        names = case.shows.get(moment)
        if names is not None:
            rows += [] if "rootless" in names else [the_root(case.account)]
            users = (USERS[name] for name in names if name in USERS)
            rows += [row | {"arn": str(row["arn"]).replace(ACCOUNT, case.account)} for row in users]
    is_of_day = moment.hour == 23
    name = f"{moment:%Y-%m-%d}/report.csv" if is_of_day else console_name(moment)
    return name, report_text(rows, root=the_root("9" * 12)).encode()


@cache
def rows_of_list(moment: datetime, as_of: datetime | None) -> list[dict[str, str]]:
    """Return the rows of the lists that are made of a report, with what a record has besides."""
    report = load_named(file_of(moment, SITUATIONS.values()), as_of=as_of)
    rows = csv_rows(analyzer.analyze(report))
    seconds = defaultdict(set)
    for row in rows:
        seconds[row["account"], row["user_creation_time"]].add(row["user"])
    for row in rows:
        names = seconds[row["account"], row["user_creation_time"]]
        row["same_second"] = ";".join(sorted(names))
    return rows


def filled_in(case: Situation, at: int) -> DecisionFile:
    """Return the list in which the word of a situation is entered."""
    by, word, on, *more = case.words[at].split()
    options = dict(each.split("=") for each in more if "=" in each)
    months = [each for each in more if "=" not in each]
    as_of = day(options["as"]) if "as" in options else None
    whose = case.account, options.get("user", "quiet")
    listed = rows_of_list(MOMENTS[(months or ["mar"])[0]], as_of)
    rows = [row for row in listed if (row["account"], row["user"]) == whose]
    entry = word, by.replace("_", " "), f"2026-{on}", "", "needed"
    content = bulk(rows, entry, more=("same_second",))
    return read_entries(f"{by}-{at}.csv", content, TODAY)


def ledger_of(files: Iterable[DecisionFile]) -> Ledger:
    """Collect files one after the other."""
    ledger = Ledger()
    for file in files:
        update = collect(ledger, [file], TODAY)
        ledger = read_ledger("decisions.csv", ledger_bytes(update.ledger.lines))
    return ledger


def merged(ledgers: Iterable[Ledger]) -> Ledger:
    """Return the ledger of every line of each, backwards, as git may merge files."""
    texts = [ledger_bytes(each.lines).decode().splitlines() for each in ledgers]
    lines = sorted({line for _, *rows in texts for line in rows}, reverse=True)
    return read_ledger("decisions.csv", "\n".join([texts[0][0]] + lines).encode())


@pytest.fixture(scope="module")
def ledgers() -> list[Ledger]:
    """Return the ledgers of all situations: collected in two orders, and merged by git."""
    ledgers = []
    for case in SITUATIONS.values():
        files = [filled_in(case, at) for at in range(len(case.words))]
        ways = ledger_of(files), ledger_of(files[::-1])
        ledgers.append((*ways, merged(ledger_of([file]) for file in files)))
    return [
        Ledger(lines=tuple(line for each in ways for line in each.lines))
        for ways in zip(*ledgers, strict=True)
    ]


@pytest.fixture(scope="module")
def outcomes(ledgers: Sequence[Ledger]) -> list[dict[tuple[str, str], str]]:
    """Return what becomes of each user of an account, by each ledger."""
    cases = SITUATIONS.values()
    given = ((at, [case for case in cases if at in case.given]) for at in MOMENTS.values())
    report = load_named(*(file_of(moment, shown) for moment, shown in given if shown))
    exempt = [f"{case.account},*,asked,," for case in cases if case.becomes == "exempt"]
    analysis = analyzer.analyze(report, exemptions=exemptions_of(*exempt))
    return [outcome(ledger, analysis) for ledger in ledgers]


def outcome(ledger: Ledger, analysis: analyzer.Analysis) -> dict[tuple[str, str], str]:
    """Return what `plan` does with each user, or else the state of the removal."""
    plan = removal_plan(ledger, analysis.report, analysis.judged)
    states = [(each.line, str(each.action)) for each in plan.removals]
    states += [(each.line, str(each.state)) for each in plan.left_out + plan.done]
    return {(line.account, line.user): state for line, state in states}


@pytest.mark.parametrize("name", SITUATIONS)
def test_what_people_write_has_the_outcome_that_the_guide_foretells(
    name: str, outcomes: Sequence[dict[tuple[str, str], str]]
) -> None:
    case = SITUATIONS[name]
    found = {by_ledger.get((case.account, "quiet"), "nothing") for by_ledger in outcomes}
    assert found == {case.becomes}


def test_every_word_is_kept_in_whatever_order_lists_come(ledgers: Sequence[Ledger]) -> None:
    every = [{line.identity for line in each.lines} for each in ledgers]
    assert len(every[0]) == sum(len(case.words) for case in SITUATIONS.values())
    assert every == [every[0]] * len(ledgers)


def test_of_a_name_in_twenty_accounts_only_the_users_decided_on_are_removed() -> None:
    accounts = [f"{at:012}" for at in range(20)]
    users = [row for of in accounts for row in (the_root(of), a_user("deploy", account=of))]
    analysis = analyzer.analyze(load_named((console_name(MARCH), report_text(users).encode())))
    entries = [("delete", "Ann", "2026-03-05", "", "")[: 5 * (at % 3 == 1)] for at in range(20)]
    decided = read_entries("deploy.csv", bulk(csv_rows(analysis), *entries), TODAY)
    found = outcome(ledger_of([decided]), analysis)
    assert found == {(account, "deploy"): "delete" for account in accounts[1::3]}
