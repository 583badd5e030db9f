"""Hold what becomes of decisions against a second reading of the law."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, cached_property
from typing import Any

import pytest

import analyzer
from analyzer.decisions.ledger import Ledger, ledger_bytes, read_ledger
from tests.support import decision_oracle as law
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    COLUMNS,
    COLUMNS_OF_2014,
    MORE_CREDENTIALS,
    Row,
    a_key,
    a_user,
    an_inactive_key,
    days_before,
    report_text,
    the_root,
)
from tests.support.campaign_play import (
    Play,
    UserRow,
    bulk,
    collected,
    entries,
    listed,
    outcomes,
    played,
    reports_in,
)
from tests.support.campaigns import BATCH, DATED_ANYHOW, DATED_BY_AWS, Entered, ListFile

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in half the time

BEFORE = days_before(20)
LATER = AS_OF + timedelta(days=10)
KEY_DATE = days_before(200)
TODAY = date(2027, 1, 1)
CRITERIA = analyzer.Criteria()


@dataclass(frozen=True)
class Review:
    """Hold one report as both sides read it."""

    analysis: Any
    report: law.Report

    @cached_property
    def rows(self) -> list[UserRow]:
        """Return the list that is made of the report."""
        return listed(self.analysis, {self.report.account: self.report})


def review(
    *users: Row,
    at: datetime = AS_OF,
    name: str = "",
    option: datetime | None = None,
    columns: Sequence[str] = COLUMNS,
) -> Review:
    """Return the review of a report that the console names, unless another name is given."""
    name = name or f"{at:status_reports_%Y-%m-%dT%H-%M-%S+00-00}.csv"
    account = str(users[0]["arn"]).split(":")[4] if users else ACCOUNT
    no_more: Any = {MORE_CREDENTIALS: "N/A"}
    bystander = a_user("bystander", account=account, created=days_before(999), **no_more)
    text = report_text([*users, bystander], root=the_root(account, **no_more), columns=columns)
    return judged(name, text, option)


@cache
def judged(name: str, text: str, option: datetime | None) -> Review:
    """Judge a report once for all tests: most are on the same few users."""
    (report,) = reports_in(name, option, text)
    analysis = analyzer.analyze(analyzer.load((name, text.encode()), as_of=option), CRITERIA)
    return Review(analysis, report)


class Ledgers:
    """Keep the same decisions on both sides."""

    def __init__(self) -> None:
        self.by_product = Ledger()
        self.by_law: tuple[law.Line, ...] = ()

    def collect(
        self, *lists: tuple[str, Review, Mapping[str, Entered]], attended: bool = True
    ) -> tuple[str, str]:
        """Return whether the call is refused, by law and by the product."""
        files, contents = {}, {}
        for name, reviewed, words in lists:
            rows = [row.csv["user"] for row in reviewed.rows]
            entered = {rows.index(user): each for user, each in words.items()}
            file = ListFile(name, "", "", entered)
            files[name] = entries(reviewed.rows, file)
            contents[name] = bulk(reviewed.rows, file)
        by_law = law.collect(self.by_law, files, TODAY, attended=attended)
        by_product = collected(self.by_product, contents, TODAY, attended=attended)
        self.by_law = by_law.lines
        refused = ("refused" if by_law.refused else "collected",)
        if isinstance(by_product, frozenset):
            return (*refused, "refused")
        lines = by_product.ledger.lines
        self.by_product = read_ledger("decisions.csv", ledger_bytes(lines))
        return (*refused, "collected")

    def statuses(self, later: Review) -> tuple[str, str]:
        """Return what became of the only decision, by law and by the product."""
        (by_law,) = law.follow_up(self.by_law, [later.report]).values()
        (by_product,) = outcomes(later.analysis, self.by_product).values()
        return by_law[0], by_product[0]


def spelled(value: Any) -> str | None:
    """Return the name of a parameter: a report's source and time."""
    if isinstance(value, tuple):
        source, at = value
        return f"{source} {at:%d %H.%M.%S}"
    return None


def both(answer: str) -> tuple[str, str]:
    return answer, answer


def decided(reviewed: Review, decision: str, user: str = "quiet") -> Ledgers:
    day = f"{reviewed.report.as_of:%Y-%m-%d}"
    ledgers = Ledgers()
    entered = {user: (decision, "Ann", day, "", "")}
    assert ledgers.collect(("ann.csv", reviewed, entered)) == both("collected")
    return ledgers


@cache
def plays_dated_by_aws() -> list[Play]:
    return played(range(BATCH), DATED_BY_AWS)


def test_reviews_of_reports_that_aws_dates_go_as_the_law_says() -> None:
    assert [each for play in plays_dated_by_aws() for each in play.differences] == []


def test_reviews_of_reports_that_days_and_options_date_go_as_the_law_says() -> None:
    plays = played(range(BATCH, 2 * BATCH), DATED_ANYHOW)
    assert [each for play in plays for each in play.differences] == []


def test_random_reviews_reach_every_answer_of_the_law() -> None:
    plays = plays_dated_by_aws()
    calls = [call for play in plays for call in play.calls]
    tallies = [tally for call in calls for tally in call.tallies.values()]
    lines = [line for play in plays for line in play.lines]
    reports = {row.report.account: row.report for play in plays for row in play.rows["second"]}
    answers = law.follow_up(lines, [*reports.values()], due_days=20)
    assert {status for status, _ in answers.values()} == {
        *("done", "not-done", "overtaken", "unknown")
    }
    assert {overdue for _, overdue in answers.values()} == {True, False}
    assert any(call.refused for call in calls)
    assert any(call.conflicts for call in calls)
    assert any(names for call in calls for names in call.emptied.values())
    assert any(number for call in calls for number in call.still_open.values())
    for count in ("added", "changed", "withdrawn", "already_there"):
        assert any(getattr(tally, count) for tally in tallies)


def with_key(key: Row, **cells: str) -> Row:
    return a_user(key_1=key) | cells


A_KEY = a_key(KEY_DATE)


def test_use_that_the_report_decided_on_had_no_column_for_overtakes_a_decision() -> None:
    user = with_key(a_key(KEY_DATE, BEFORE))
    ledgers = decided(review(user, columns=COLUMNS_OF_2014), "delete")
    assert ledgers.statuses(review(user, at=LATER)) == both("overtaken")


@pytest.mark.parametrize(
    ("seen", "later", "answer"),
    [
        ("N/A", ["N/A"], "done"),
        ("N/A", ["AKIA3:active"], "overtaken"),
        ("AKIA3:active", ["AKIA3:active"], "not-done"),
        ("AKIA3:active", ["N/A"], "done"),
        ("N/A", ["N/A", "AKIA3:active"], "not-done"),
    ],
)
def test_who_has_more_credentials_than_the_slots_show_is_not_deactivated(
    seen: str, later: list[str], answer: str
) -> None:
    def with_more(*texts: str, at: datetime = AS_OF) -> Review:
        rows = [a_user() | {MORE_CREDENTIALS: each} for each in texts]
        return review(*rows, at=at, columns=(*COLUMNS, MORE_CREDENTIALS))

    ledgers = decided(with_more(seen), "deactivate")
    assert ledgers.statuses(with_more(*later, at=LATER)) == both(answer)


def dated(source: str, at: datetime, *users: Row) -> Review:
    """Return the review of a report that is dated in this way."""
    if source == "folder":
        return review(*users, name=f"{at:%Y-%m-%d}/report.csv")
    if source == "option":
        return review(*users, name="report.csv", option=at)
    if source == "assumed":
        return review(*users, a_user("newest", created=at), name="report.csv")
    return review(*users, at=at)


NOON = AS_OF
MIDNIGHT = datetime(2026, 5, 1, tzinfo=UTC)
A_SECOND, A_DAY = timedelta(seconds=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("decided_on", "shown_by", "answer"),
    [
        (("console", NOON), ("assumed", NOON - A_SECOND), "unknown"),
        (("console", NOON), ("console", NOON), "overtaken"),
        (("console", NOON), ("folder", NOON), "unknown"),
        (("folder", NOON), ("console", MIDNIGHT - A_SECOND), "unknown"),
        (("folder", NOON), ("option", MIDNIGHT + A_SECOND), "overtaken"),
    ],
    ids=spelled,
)
def test_only_a_later_report_says_what_became_of_a_decision(
    decided_on: tuple[str, datetime], shown_by: tuple[str, datetime], answer: str
) -> None:
    seen, active = with_key(an_inactive_key(KEY_DATE)), with_key(A_KEY)
    ledgers = decided(dated(*decided_on, seen), "delete")
    assert ledgers.statuses(dated(*shown_by, active)) == both(answer)


@pytest.mark.parametrize(
    ("in_force", "new", "answer"),
    [
        (("console", NOON), ("console", NOON - A_SECOND), "refused"),
        (("assumed", NOON), ("console", NOON), "collected"),
        (("console", NOON), ("folder", NOON - A_DAY), "refused"),
        (("folder", NOON), ("option", NOON + A_DAY), "collected"),
        (("option", NOON), ("folder", NOON - A_DAY), "refused"),
    ],
    ids=spelled,
)
def test_a_decision_made_on_an_older_report_than_the_one_in_force_is_refused(
    in_force: tuple[str, datetime], new: tuple[str, datetime], answer: str
) -> None:
    ledgers = Ledgers()
    keep: Entered = ("keep", "Ann", "2026-05-01", "", "needed")
    delete: Entered = ("delete", "Bob", "2026-05-02", "", "")
    ledgers.collect(("ann.csv", dated(*in_force, a_user()), {"quiet": keep}))
    call = ("bob.csv", dated(*new, a_user()), {"quiet": delete})
    assert ledgers.collect(call) == both(answer)


def test_an_entry_whose_masked_arn_names_another_user_is_refused() -> None:
    rows = review(a_user(account="123XXXXXXXX")).rows
    other = {"arn": f"{rows[0].csv['arn']}er"}
    entry: Entered = ("delete", "Ann", "2026-05-02", "", "")
    file = ListFile("ann.csv", "", "Ann", {0: entry}, {0: other})
    by_law = law.collect((), {"ann.csv": entries(rows, file)}, TODAY)
    by_product = collected(Ledger(), {"ann.csv": bulk(rows, file)}, TODAY, attended=True)
    assert (by_law.refused, by_product) == (frozenset({("ann.csv", 2)}),) * 2


def test_the_same_word_on_a_newer_report_is_a_decision_of_its_own() -> None:
    entry: Entered = ("delete", "Ann", "2026-05-02", "", "")
    ledgers = Ledgers()
    ledgers.collect(("ann.csv", review(a_user()), {"quiet": entry}))
    ledgers.collect(("ann.csv", review(a_user(mfa=True), at=NOON + A_DAY), {"quiet": entry}))
    assert len(ledgers.by_law) == len(ledgers.by_product.lines) == 2
    assert ledgers.statuses(review(a_user(mfa=True), at=LATER)) == both("not-done")
