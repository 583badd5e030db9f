"""A plan takes a removal that stands, of a user of whom the reports show nothing against it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

import analyzer
from analyzer.decisions.decision import LedgerLine
from analyzer.decisions.fate import State
from analyzer.decisions.ledger import Ledger
from analyzer.decisions.plan import (
    RemovalPlan,
    last_moment,
    longest_gap,
    reason,
    removal_plan,
    removal_script,
)
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
    ([word(user=KEY)], KEY, "deactivate"),
    ([word(user=KEY), word("deactivate", "Tom", user=KEY)], KEY, "deactivate"),
    ([word(user=KEY), word(user=OFF, as_of=NEWER, days=40)], OFF, "delete"),
    ([word(), keep("Anna", 2)], QUIET, ""),
]
"""What people wrote, the user in a newer report, and what the script does, if anything."""


def test_a_removal_that_stands_is_taken_with_the_words_of_who_decided() -> None:
    of_plan = planned(*((lines, [user]) for lines, user, _ in TAKEN))
    found = {each.line.account: each for each in of_plan.removals}
    for at, (lines, _, action) in enumerate(TAKEN):
        removal = found.get(f"{at:012}")
        assert (removal.action if removal else "") == action, lines
    only = found["000000000000"]
    assert (only.line.decided_by, only.line.decided_on) == ("Anna", DAY)


def in_china(text: str) -> str:
    return text.replace(":aws:", ":aws-cn:")


@pytest.mark.parametrize("users", [[QUIET], [X], [MFA]], ids=["as it was seen", "gone", "changed"])
def test_an_account_of_another_partition_has_reports_and_words_of_its_own(
    users: Sequence[Row],
) -> None:
    files = {console_name(AS_OF): report_text([QUIET])}
    files[console_name(NEWER)] = in_china(report_text(users))
    report = load_named(*((name, text.encode()) for name, text in files.items()))
    kept = keep(user=QUIET | {"arn": in_china(str(QUIET["arn"]))})
    analysis = analyzer.analyze(report, ledger=Ledger(lines=(word(), kept)))
    plan = removal_plan(analysis.ledger, report, analysis.judged)
    (removal,) = plan.removals
    assert (removal.line.account, plan.left_out, plan.done) == (ACCOUNT, (), ())
    assert [shown.time for shown in removal.reports] == [AS_OF]
    assert {user.account for user in analysis.ledger.standings} == {ACCOUNT, f"aws-cn:{ACCOUNT}"}


ACTIVE = dict(word().user_row) | {"verdict": "active"}
LEFT: list[tuple[list[LedgerLine], Sequence[Row], str, bool]] = [
    ([word(), keep()], [QUIET], "contested: delete, Anna, 2026-05-01; keep, Tom, ", False),
    ([word(user=KEY)], [OFF], "deactivated: no access is left: write delete again", False),
    ([word("deactivate")], [QUIET], "nothing to do: no working credentials", False),
    (
        [word(), word("deactivate", "Ben")],
        [QUIET],
        "nothing to do: no working credentials; not deleted, as people wrote deactivate, Ben",
        False,
    ),
    ([word(days=61)], [QUIET], "lapsed: decided on a report of 2026-05-01, more than 60", False),
    ([word()], [MFA], "changed: not as it was seen: MFA (report status_reports_2026", True),
    ([word()], [X], "unknown: not in the report status_reports_2026", True),
    ([word(user=a_user(created="N/A"))], [QUIET], "unknown: the creation time or the acc", True),
    ([word(user_row=ACTIVE)], [QUIET], "active: the verdict", True),
]
"""What people wrote, the users of a newer report, why the plan leaves the user out, and whether
the plan is partial for that."""


def test_who_is_left_out_is_named_once_with_the_reason() -> None:
    of_plan = planned(*((lines, users) for lines, users, *_ in LEFT))
    assert (of_plan.removals, of_plan.done) == ((), ())
    found = {each.line.account: each for each in of_plan.left_out}
    for at, (lines, users, why, is_missing) in enumerate(LEFT):
        account = lines[0].account.replace(ACCOUNT, f"{at:012}")
        each = found.pop(account)
        start = f"{each.word} {each.line.arn}: {why}"
        assert (reason(each).startswith(start), each in of_plan.missing) == (True, is_missing), (
            reason(each),
            users,
        )
    assert found == {}


def test_who_is_exempt_by_now_is_left_out_with_the_reason() -> None:
    report = analysis_of(QUIET, as_of=NEWER).report
    analysis = analyzer.analyze(report, exemptions=exemptions_of("*,quiet,asked,,"))
    of_plan = removal_plan(Ledger(lines=(word(),)), report, analysis.judged)
    assert [(each.state, each.fact) for each in of_plan.missing] == [(State.EXEMPT, "asked")]


@pytest.mark.parametrize("other", [f"{DAY}.csv", f"{NEWER:%Y-%m-%d}.csv", console_name(NEWER)])
def test_who_is_exempt_is_left_out_whatever_copies_of_the_report_are_given(other: str) -> None:
    """Exemptions are asked of the newest; a day without a time counts as its start."""
    content = report_text([QUIET]).encode()
    report = load_named((console_name(AS_OF), content), (other, content))
    analysis = analyzer.analyze(report, exemptions=exemptions_of("*,quiet,asked,,"))
    of_plan = removal_plan(Ledger(lines=(word(),)), report, analysis.judged)
    assert (of_plan.removals, len(of_plan.missing)) == ((), 1)


def test_who_is_left_out_has_a_sentence_with_the_reason() -> None:
    (each,) = planned(([line()], [MFA])).left_out
    start = "delete arn:aws:iam::000000000000:user/quiet: changed: "
    assert reason(each).startswith(start)


def test_what_a_report_shows_done_is_neither_taken_nor_left_out() -> None:
    of_plan = planned(([word()], []), ([word("deactivate", user=KEY)], [OFF]))
    assert (of_plan.removals, of_plan.left_out, len(of_plan.done)) == ((), (), 2)
    otherwise = planned(([word(), keep()], []))
    assert [each.state for each in otherwise.done] == [State.DONE_OTHERWISE]
    assert (otherwise.left_out, otherwise.missing) == ((), [])


LAST = [
    (AS_OF, "2026-06-30T23:59:59"),
    (AS_OF.replace(hour=0, minute=0, second=0), "2026-06-30T23:59:59"),
    (AS_OF.replace(hour=23, minute=59, second=59), "2026-06-30T23:59:59"),
]
"""The time of a report decided on, and the last moment of its sixtieth day."""


@pytest.mark.parametrize(("at", "expires"), LAST)
def test_a_script_carries_out_a_removal_up_to_the_sixtieth_day(at: datetime, expires: str) -> None:
    analysis = analysis_of(QUIET, as_of=NEWER)
    ledger = Ledger(lines=(word(as_of=at),))
    (only,) = removal_plan(ledger, analysis.report, analysis.judged).removals
    assert last_moment(only).isoformat() == f"{expires}+00:00"
    (call,) = calls_of(removal_script([only], ledgers=()))
    assert f" confirmed={NEWER:%Y-%m-%dT%H:%M:%SZ} expires={expires}Z " in call


def calls_of(script: str) -> list[str]:
    return [each for each in script.splitlines() if each.startswith("remove de")]


def test_what_an_unused_row_shows_later_than_its_report_was_there_before_the_script() -> None:
    """A day without a time counts as its start, and the report has timestamps of that day."""
    made = AS_OF.replace(hour=9)
    user = a_user(key_1=an_inactive_key(made))
    ends = AS_OF.replace(hour=23, minute=59, second=59)
    of_day = word(user=user, as_of=ends)
    of_day = word(user_row=dict(of_day.user_row) | {"as_of_source": "folder"})
    analysis = analysis_of(user, as_of=NEWER)
    (only,) = removal_plan(Ledger(lines=(of_day,)), analysis.report, analysis.judged).removals
    assert (
        f" baseline={made:%Y-%m-%dT%H:%M:%SZ} " in calls_of(removal_script([only], ledgers=()))[0]
    )


def test_the_longest_time_without_a_report_since_the_removals_is_said() -> None:
    def said(*lines: LedgerLine, **days: int) -> list[str]:
        users = [(f"{at}-{name}", at) for name, at in days.items()]
        named = ((console_name(AS_OF + at * DAYS), a_user(name)) for name, at in users)
        report = load_named(*((name, report_text([user]).encode()) for name, user in named))
        return list(longest_gap(Ledger(lines=lines), report))

    text = "Longest time without a report since the decisions: {}."
    assert said(word(), a=-15, b=3, c=13) == [text.format("10 days")]
    assert said(word(), a=0) == [text.format("0 days")]
    assert said(keep(), a=3) == said(word(), keep(), a=3) == []


def test_every_state_of_a_removal_is_taken_left_out_or_done() -> None:
    assert set(State) - {State.OPEN, State.DONE, State.DONE_OTHERWISE, State.EXEMPT} == {
        State(reason.partition(":")[0]) for *_, reason, _ in LEFT
    }


def test_the_package_offers_no_change_of_aws() -> None:
    assert not any(each in name for name in analyzer.__all__ for each in ("remove", "delete"))
