"""Two quarters of 300 users: what nobody carried out stays in sight, and all outputs agree.

What became of each kind of user is counted by hand, in a table.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from analyzer.changes.decisions import OVERDUES, REMOVED, STATES
from analyzer.decisions.ledger import ledger_bytes
from analyzer.writers.workbook.follow_up_sheet import Exceptional
from tests.support.builders import (
    ACCOUNT,
    Row,
    Run,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    report_text,
    run,
    saved,
    table,
)
from tests.support.decisions import console_name, line, of_account, user_rows
from tests.support.removal_logs import log_in, log_row
from tests.support.workbooks import opened, values

ACCOUNTS = ("111111111111", "222222222222", "333333333333")
FIRST = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
SECOND, LAST = FIRST + timedelta(days=45), FIRST + timedelta(days=92)
DAYS = {FIRST: date(2026, 1, 12), SECOND: date(2026, 2, 23)}
"""The day of each review of a report."""

LATE, UNDONE = "not carried out", "undone"
BORN = FIRST - timedelta(days=700)
KEYED = {"key_1": a_key(BORN, BORN + timedelta(days=9))}
OFF = {"key_1": an_inactive_key(BORN, BORN + timedelta(days=9))}
QUIET: dict[str, Any] = {}
MFA, IN_USE = {"mfa": True}, {"password": a_password(FIRST - timedelta(days=2), BORN)}


class Kind(NamedTuple):
    """Hold a kind of user: how many an account has, and what becomes of it.

    `words` are the words of a review and their persons, `shown` what each report shows of it, None
    for nothing. `state`, `overdue` and `gone` are what the law says of it after the last report.
    """

    number: int
    words: tuple[tuple[str, str], ...]
    on: datetime
    shown: tuple[dict[str, Any] | None, ...]
    state: str = ""
    overdue: str = ""
    gone: str = ""
    is_logged: bool = False
    new_name: str = ""


DELETE, OFF_BY_AMY = (("delete", "Amy Lee"),), (("deactivate", "Amy Lee"),)
STAYS = (QUIET, QUIET, QUIET)
KINDS = {
    "forgotten": Kind(7, DELETE, FIRST, STAYS, "lapsed", LATE),
    "by-two": Kind(2, (*DELETE, ("delete", "Ben Roy")), FIRST, STAYS, "lapsed", LATE),
    "with-mfa": Kind(3, DELETE, FIRST, (QUIET, MFA, MFA), "lapsed", LATE),
    "keyed": Kind(2, DELETE, FIRST, (KEYED, KEYED, KEYED), "lapsed", LATE),
    "moved": Kind(1, DELETE, FIRST, (QUIET, None, None), "lapsed", LATE, new_name="hidden"),
    "late": Kind(4, DELETE, SECOND, STAYS, "open", LATE),
    "deleted": Kind(6, DELETE, FIRST, (QUIET, QUIET, None), "done", is_logged=True),
    "at-once": Kind(3, DELETE, FIRST, (QUIET, None, None), "done"),
    "switched-off": Kind(3, OFF_BY_AMY, FIRST, (KEYED, OFF, OFF), "done"),
    "back": Kind(4, OFF_BY_AMY, FIRST, (KEYED, OFF, KEYED), "lapsed", UNDONE),
    "back-by-log": Kind(
        2, OFF_BY_AMY, FIRST, (KEYED, KEYED, KEYED), "lapsed", UNDONE, is_logged=True
    ),
    "back-soon": Kind(1, OFF_BY_AMY, FIRST, (KEYED, OFF, IN_USE), "lapsed", UNDONE),
    "half-way": Kind(2, DELETE, FIRST, (KEYED, OFF, OFF), "deactivated"),
    "surprise": Kind(2, DELETE, FIRST, (QUIET, MFA, None), "done, not as decided"),
    "used": Kind(3, DELETE, SECOND, (QUIET, QUIET, IN_USE), "changed"),
    "in-dispute": Kind(2, (*DELETE, ("keep", "Ben Roy")), FIRST, STAYS, "contested"),
    "idle": Kind(2, OFF_BY_AMY, FIRST, STAYS, "nothing to do"),
    "busy": Kind(1, DELETE, SECOND, (IN_USE, IN_USE, IN_USE), "active"),
    "spared": Kind(1, DELETE, SECOND, STAYS, "exempt"),
    "lost": Kind(1, DELETE, SECOND, (QUIET, QUIET, None), "unknown", new_name="found"),
    "wanted": Kind(3, (("keep", "Ben Roy"),), FIRST, STAYS),
    "wanted-gone": Kind(
        2,
        (("keep", "Ben Roy"),),
        FIRST,
        (QUIET, QUIET, None),
        gone="removed against a keep",
    ),
    "asked-gone": Kind(
        1,
        (("investigate", "Ben Roy"),),
        SECOND,
        (QUIET, QUIET, None),
        gone="removed against an investigation",
    ),
    "renamed": Kind(1, (), FIRST, (QUIET, QUIET, None), gone="possibly renamed", new_name="newly"),
    "gone": Kind(2, (), FIRST, (QUIET, None, None), gone="removed without a decision"),
    "at-work": Kind(39, (), FIRST, (IN_USE, IN_USE, IN_USE)),
}


class Person(NamedTuple):
    """Hold a user of an account in all reports."""

    kind: Kind
    name: str
    created: datetime
    new_name: str

    def row(self, number: int) -> Row | None:
        """Return what a report shows of it."""
        shown = self.kind.shown[number]
        if shown is not None:
            return a_user(self.name, created=self.created, **shown)
        if self.new_name:
            return a_user(self.new_name, created=self.created)
        return None


def people() -> Iterator[Person]:
    """Yield the users of an account; each has a creation time of its own."""
    at = 0
    for name, kind in KINDS.items():
        for number in range(kind.number):
            at += 1
            new = f"{kind.new_name}-{number}" if kind.new_name else ""
            yield Person(kind, f"{name}-{number}", BORN + timedelta(days=at), new)


EVERY = [*people()]


def expected() -> Counter[str]:
    """Return the numbers of each state, of what is overdue and of who is gone, in all accounts."""
    words = (
        word for each in EVERY for word in (each.kind.state, each.kind.overdue, each.kind.gone)
    )
    return Counter({word: len(ACCOUNTS) * n for word, n in Counter(words).items() if word})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the reports, the ledger of both reviews, the log and the exemptions."""
    root = tmp_path_factory.mktemp("quarters")
    for number, at in enumerate((FIRST, SECOND, LAST)):
        rows = [row for each in EVERY if (row := each.row(number))]
        for account in ACCOUNTS:
            text = report_text(rows).replace(ACCOUNT, account)
            saved(root / "reports" / account, text, console_name(at))
    entries, judged = [], dict[datetime, dict[str, dict[str, str]]]()
    for number, at in enumerate((FIRST, SECOND)):
        shown = [row for each in EVERY if (row := each.row(number))]
        judged[at] = {row["user"]: row for row in user_rows(*shown, as_of=at)}
    for each in EVERY:
        for word, by in each.kind.words:
            on = each.kind.on
            cells: dict[str, Any] = {"as_of": on, "on": DAYS[on], "user_row": judged[on][each.name]}
            of_word = line(word, a_user(each.name), by=by, **cells)
            entries += [of_account(account, of_word) for account in ACCOUNTS]
    saved(root, ledger_bytes(entries), "decisions.csv")
    off = {"decision": "deactivate", "step": "end", "result": "done", "detail": ""}
    log_in(
        root,
        *(
            log_row(FIRST + timedelta(days=50), each.name, each.created, account=account)
            | (off if each.kind.words == OFF_BY_AMY else {})
            for each in EVERY
            for account in ACCOUNTS
            if each.kind.is_logged
        ),
    )
    saved(root, "account,user,reason\n*,spared-*,break-glass\n", "exemptions.csv")
    return root


LISTS = (
    *("--decisions", "decisions.csv", "--exemptions", "exemptions.csv"),
    *("--log", "removals.csv", "--fail-on", "overdue"),
)


@pytest.fixture(scope="module")
def review(folder: Path) -> Run:
    """Follow the decisions up after the last report, in all forms that say what became of them."""
    outputs = [word for name in FORMS for word in ("-o", name)]
    return run("analyze", "reports", *LISTS, *outputs, folder=folder)


FORMS = ("review.xlsx", "review.json", "review.html", "review.md")


def numbers(words: Iterable[str]) -> dict[str, int]:
    """Return the numbers that were counted by hand for some words."""
    return {word: number for word in words if (number := expected()[word])}


def test_300_users_are_followed_in_three_accounts_and_every_state_is_among_them() -> None:
    assert len(ACCOUNTS) * len(EVERY) == 300
    assert {*expected()} == {*STATES, *OVERDUES, *REMOVED}


def test_a_run_that_finds_removals_not_carried_out_or_undone_ends_with_1(
    folder: Path, review: Run
) -> None:
    of_users = ("--table", "users", "--max-gap", "60")
    period = run("history", "reports", *LISTS, *of_users, folder=folder)
    late, undone = expected()[LATE], expected()[UNDONE]
    for done in (review, period):
        assert done.code == 1
        assert f"Meets --fail-on: {late} {LATE}; {undone} {UNDONE}\n" in done.messages
    # An export has no log: what it alone shows done was not carried out.
    words = [word for word in LISTS if word not in ("--log", "removals.csv")]
    exported = run("export", "--from", "reports", *words, "--out-dir", "runs", folder=folder)
    by_log = len(ACCOUNTS) * KINDS["back-by-log"].number
    said = f": {late + by_log} {LATE}; {undone - by_log} {UNDONE}\n"
    assert (exported.code, said in exported.messages) == (1, True), exported.messages
    rows = table((folder / "runs" / "latest" / "follow_up.csv").read_bytes())
    assert Counter(row["overdue"] for row in rows if row["overdue"]) == {
        LATE: late + by_log,
        UNDONE: undone - by_log,
    }


def test_history_analysis_page_and_workbook_give_the_same_numbers_of_each_state(
    folder: Path, review: Run
) -> None:
    assert review.code == 1
    counts = json.loads((folder / "review.json").read_text())["decisions"]["counts"]
    by_law = numbers([*STATES, *OVERDUES])
    assert {word: number for word, number in counts.items() if number} == by_law
    states = "; ".join(f"{number} {state}" for state, number in numbers(STATES).items())
    overdue = ", ".join(f"{number} {why}" for why, number in numbers(OVERDUES).items())
    for name in ("review.html", "review.md"):
        assert f"Decisions: {states}; of these {overdue}." in (folder / name).read_text()
    words = ("--max-gap", "60", "--format", "json")
    document = run("history", "reports", *LISTS, *words, folder=folder).document
    of_period: list[tuple[str, str]] = [*STATES.items(), *OVERDUES.items(), *REMOVED.items()]
    total = document["period"][-1]
    found = {str(word): total[name] for word, name in of_period}
    assert found == numbers(word for word, _ in of_period)
    assert total["removals"] == sum(numbers(STATES).values())
    rows = {row[0]: row[1] for row in summary_of(folder) if row[0]}
    assert {str(state): rows[state] for state in STATES} == numbers(STATES)
    exceptional = [word for word in Exceptional if expected()[word]]
    assert {str(word): rows[word] for word in exceptional} == numbers(exceptional)


@pytest.mark.usefixtures("review")
def test_every_overdue_removal_is_on_the_first_page_with_the_day_it_was_decided(
    folder: Path,
) -> None:
    by_day = Counter(
        (each.kind.overdue, f"{DAYS[each.kind.on]}") for each in EVERY if each.kind.overdue
    )
    rows = summary_of(folder)
    firsts = [row[0] for row in rows]
    for why in OVERDUES:
        at = firsts.index(why)
        assert at < firsts.index("Result")
        days = str(rows[at][2]).partition("Decided on ")[2].removesuffix(".").split("; ")
        shown = {(str(why), day[:10]): number_of_names(day[12:]) for day in days}
        here = {day: len(ACCOUNTS) * n for day, n in by_day.items() if day[0] == why}
        assert shown == here


def summary_of(folder: Path) -> list[tuple[Any, ...]]:
    return values(opened((folder / "review.xlsx").read_bytes(), results=True)["Summary"])


def number_of_names(text: str) -> int:
    """Return how many users a short list stands for."""
    names, _, more = text.partition(" and ")
    return len(names.split(", ")) + int(more.removesuffix(" more") or 0)


def test_nobody_is_overdue_once_all_is_done_or_decided_anew(folder: Path) -> None:
    """A report of a day later shows the users gone whom somebody had forgotten."""
    late = [each for each in EVERY if each.kind.overdue]
    stays = [row for each in EVERY if each not in late and (row := each.row(2))]
    for account in ACCOUNTS:
        text = report_text(stays).replace(ACCOUNT, account)
        saved(folder / "after" / account, text, console_name(LAST + timedelta(days=1)))
    done = run("analyze", "reports", "after", *LISTS, "-o", "after.json", folder=folder)
    assert done.code == 0, done.messages
    decisions = json.loads((folder / "after.json").read_text())["decisions"]
    assert {row["overdue"] for row in decisions["follow_up"]} == {""}
