"""A plan takes a removal that stands, of a user of whom the reports show nothing against it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

import analyzer
from analyzer.decisions.decision import Decision, LedgerLine, fact_line
from analyzer.decisions.fate import State
from analyzer.decisions.ledger import Ledger
from analyzer.decisions.plan import RemovalPlan, longest_gap, removal_plan, removal_script
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    Row,
    a_key,
    a_user,
    an_inactive_key,
    days_before,
    report_text,
)
from tests.support.decisions import DAY, analysis_of, console_name, in_accounts, line
from tests.support.named_reports import load_named
from tests.support.outputs import exemptions_of

NEWER, DAYS = AS_OF + timedelta(days=10), timedelta(days=1)
USED = days_before(100)
QUIET, OFF, KEY = a_user(), a_user(key_1=an_inactive_key()), a_user(key_1=a_key())
MFA, X = a_user(mfa=True), a_user("x")


def planned(*cases: tuple[Sequence[LedgerLine], Sequence[Row]]) -> RemovalPlan:
    """Return the plan of decisions and newer reports, each in an account of its own."""
    analysis = in_accounts(NEWER, *cases)
    return removal_plan(analysis.ledger, analysis.report, analysis.judged)


def keep(by: str = "Tom", days: int = 0, **more: Any) -> LedgerLine:
    return line("keep", by=by, on=DAY + days * DAYS, **more)


def word(decision: str = "delete", by: str = "Anna", days: int = 0, **more: Any) -> LedgerLine:
    return line(decision, by=by, on=DAY + days * DAYS, **more)


TAKEN: list[tuple[list[LedgerLine], Row, str]] = [
    ([word()], QUIET, "delete"),
    ([word("deactivate", user=KEY)], KEY, "deactivate"),
    ([word("deactivate")], QUIET, ""),
    ([word(user=KEY)], KEY, "deactivate"),
    ([word(user=KEY), word(user=OFF, as_of=NEWER, days=40)], OFF, "delete"),
    ([word(), keep("Anna", 2)], QUIET, ""),
]
"""What people wrote, the user in a newer report, and what the script does, if anything."""


def test_a_removal_that_stands_is_taken_with_the_words_of_who_decided() -> None:
    of_plan = planned(*((lines, [user]) for lines, user, _ in TAKEN))
    found = {each.line.account: each for each in of_plan.removals}
    for at, (lines, _, action) in enumerate(TAKEN):
        removal = found.get(f"{at:012}")
        assert (removal.line.decision if removal else "") == action, lines
    only = found["000000000000"]
    assert (only.line.decided_by, only.line.decided_on, only.confirmed) == ("Anna", DAY, NEWER)


ACTIVE = {**word().user_row, "verdict": "active"}
LEFT: list[tuple[list[LedgerLine], Sequence[Row], str, bool]] = [
    (
        [word(), keep()],
        [QUIET],
        "disagree: delete, Anna, 2026-05-01; keep, Tom, 2026-05-01: ",
        False,
    ),
    ([keep(days=-180), word()], [QUIET], "kept: keep, Tom, 2025-11-02: ends when Tom", False),
    ([word("withdraw", "Tom", 0, as_of=NEWER), word(days=5)], [QUIET], "newer word: ", False),
    ([word(user=KEY)], [OFF], "deactivated: write delete again, on a report that", False),
    ([word()], [MFA], "overtaken: MFA device added (report status_reports_2026", True),
    ([word()], [X], "unknown: possibly renamed to x", True),
    ([word(user=a_user(created="N/A"))], [QUIET], "unknown: the creation time or the acc", True),
    ([word(user_row=ACTIVE)], [QUIET], "active: the verdict", True),
]
"""What people wrote, the users of a newer report, why the plan leaves the user out, and whether
the removal stands."""


def test_who_is_left_out_is_named_once_with_the_reason() -> None:
    of_plan = planned(*((lines, users) for lines, users, *_ in LEFT))
    assert (of_plan.removals, of_plan.done) == ((), ())
    found = {each.line.account: each for each in of_plan.left_out}
    for at, (lines, users, reason, stands) in enumerate(LEFT):
        account = lines[0].account.replace(ACCOUNT, f"{at:012}")
        each = found.pop(account)
        assert (each.reason.startswith(reason), each.stands) == (True, stands), (each.reason, users)
    assert found == {}


def test_who_is_exempt_by_now_is_left_out_with_the_reason() -> None:
    report = analysis_of(QUIET, as_of=NEWER).report
    analysis = analyzer.analyze(report, exemptions=exemptions_of("*,quiet,asked,,"))
    (left,) = removal_plan(Ledger(lines=(word(),)), report, analysis.judged).left_out
    assert (left.state, left.reason) == (State.EXEMPT, "exempt: asked")


def test_who_is_left_out_has_a_sentence_with_the_owner() -> None:
    owned = line(user_row={**word().user_row, "owner": "Lee", "owner_email": "lee@example.com"})
    (each,) = planned(([owned], [MFA])).left_out
    start = "delete arn:aws:iam::000000000000:user/quiet (owner Lee <lee@example.com>): overtaken: "
    assert str(each).startswith(start)


def test_what_reports_or_the_ledger_show_done_is_neither_taken_nor_left_out() -> None:
    of_other = analysis_of(a_user("other"), as_of=NEWER).report.files[0]
    gone = fact_line(Decision.GONE, word(), of_other)
    of_plan = planned(([word()], []), ([word("deactivate", user=KEY)], [OFF]))
    assert (of_plan.removals, of_plan.left_out, len(of_plan.done)) == ((), (), 2)
    analysis = analysis_of(as_of=AS_OF)
    ledger = Ledger(lines=(word(), gone))
    assert len(removal_plan(ledger, analysis.report, analysis.judged).done) == 1
    analysis = analysis_of(QUIET, as_of=NEWER + DAYS)
    of_plan = removal_plan(ledger, analysis.report, analysis.judged)
    assert ([each.line for each in of_plan.removals], of_plan.done) == ([word()], ())


def test_a_report_confirms_a_user_from_the_earliest_time_that_it_can_have() -> None:
    ledger = Ledger(lines=(word(),))
    for name, as_of, confirmed in (
        (console_name(AS_OF), None, AS_OF),
        (console_name(NEWER), None, NEWER),
        ("2026-05-11.csv", None, NEWER.replace(hour=0)),
    ):
        report = load_named((name, report_text([QUIET]).encode()), as_of=as_of)
        analysis = analyzer.analyze(report)
        (only,) = removal_plan(ledger, report, analysis.judged).removals
        assert only.confirmed == confirmed, name
    set_by_hand = load_named(("report.csv", report_text([QUIET]).encode()), as_of=NEWER)
    (left,) = removal_plan(ledger, set_by_hand, analyzer.analyze(set_by_hand).judged).left_out
    assert left.reason == "unknown: the report is older than the one decided on"


@pytest.mark.parametrize("cell", ["password_enabled", "mfa_active", "cert_1_last_rotated"])
def test_what_was_unknown_to_the_reviewer_counts_as_not_there(cell: str) -> None:
    of_plan = planned(([word(user=QUIET | {cell: "maybe"})], [QUIET]))
    script = removal_script(of_plan.removals, ledgers=())
    (call,) = (each for each in script.splitlines() if each.startswith("remove de"))
    assert call.partition(" expires=")[2].partition(" by=")[0].split()[1:] == []


def test_the_longest_time_without_a_report_since_the_removals_is_said() -> None:
    def said(*lines: LedgerLine, **days: int) -> list[str]:
        users = [(f"{at}-{name}", at) for name, at in days.items()]
        named = ((console_name(AS_OF + at * DAYS), a_user(name)) for name, at in users)
        report = load_named(*((name, report_text([user]).encode()) for name, user in named))
        return [*longest_gap(Ledger(lines=lines), report)]

    text = "Longest time without a report since the decisions: {}."
    assert said(word(), a=-15, b=3, c=13) == [text.format("10 days")]
    assert said(word(), a=0) == [text.format("0 days")]
    assert said(keep(), a=3) == said(word(), keep(), a=3) == []


def test_every_state_of_a_removal_is_taken_left_out_or_done() -> None:
    assert {*State} - {State.OPEN, State.DONE, State.EXEMPT} == {
        State(reason.partition(":")[0]) for *_, reason, _ in LEFT
    }


def test_of_a_name_in_twenty_accounts_only_the_users_decided_on_are_removed() -> None:
    users = [([word(user=X)] if at % 3 == 1 else [], [X]) for at in range(20)]
    found = [each.line.account for each in planned(*users).removals]
    assert found == [f"{at:012}" for at in range(1, 20, 3)]


def test_the_package_offers_no_change_of_aws() -> None:
    assert not any(each in name for name in analyzer.__all__ for each in ("remove", "delete"))
