"""Hold the plans of random reviews to a second reading of the law."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest

from analyzer.decisions import facts, fate, ledger, standing
from analyzer.decisions.credentials import ReportedUser
from analyzer.decisions.decision import LedgerLine
from analyzer.report.model import ReportTime
from tests.support.review_worlds import Round, World, played, said_by_product

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in half the time

STATES = "done disagree kept overtaken unknown exempt active delete deactivate"


@pytest.fixture(scope="module")
def after_all() -> tuple[list[World], list[Round]]:
    return played(range(500, 516))


def test_no_word_is_lost_and_what_is_said_of_each_removal_is_the_law(
    after_all: tuple[list[World], list[Round]],
) -> None:
    assert [alarm for world in after_all[0] for alarm in world.alarms] == []


def test_the_worlds_have_every_state(after_all: tuple[list[World], list[Round]]) -> None:
    says = [said_by_product(each.ledger, each.analysis) for each in after_all[1]]
    found = Counter(action or state for each in says for state, action in each.values())
    assert min(found[state] for state in STATES.split()) > 3


def newest_only(accounts: Callable[..., facts.ReportedAccounts]) -> Callable[..., Any]:
    return lambda *given: {key: shown[-1:] for key, shown in accounts(*given).items()}


def without_exemption(state_of: Callable[..., Any]) -> Callable[..., Any]:
    return lambda line, before, now: state_of(line, before, replace(now, exemption=""))


def never_active(state_of: Callable[..., Any]) -> Callable[..., Any]:
    return lambda line, before, now: state_of(
        line, replace(before, is_active=False), replace(now, is_active=False)
    )


def by_path(standings: Callable[..., Any]) -> Callable[..., Any]:
    """Let only the words count that have the ARN of the last one."""

    def of_last_path(lines: Sequence[LedgerLine], days: standing.HoldingDays) -> Any:
        arns = {o.subject: o.arn for o in sorted(lines, key=lambda o: o.decided_on)}
        return standings([o for o in lines if o.arn == arns[o.subject]], days)

    return of_last_path


def of_last_day(words: Sequence[LedgerLine]) -> tuple[LedgerLine, ...]:
    day = max(word.decided_on for word in words)
    return (*sorted((o for o in words if o.decided_on == day), key=standing._newness)[::-1],)  # noqa: SLF001


def end_of(time: ReportTime) -> datetime:
    return time.as_of


FAULTS = {
    "a keep that does not hold": (standing.HoldingDays, "last_day", lambda *_: date.min),
    "the day before does not count": (standing, "_latest", of_last_day),
    "a newer word does not count": (standing, "_is_other_on_newer_report", lambda *_: False),
    "reports in the middle do not count": (
        fate,
        "reported_accounts",
        newest_only(facts.reported_accounts),
    ),
    "somebody who is gone does not count": (
        fate._Evidence,  # noqa: SLF001
        "_to_delete",
        lambda self, line: {*(facts.names_there(line, self.accounts) or ())},
    ),
    "nobody is deactivated first": (ReportedUser, "can_be_deleted", True),
    "nobody is exempt": (fate, "_state_of_user", without_exemption(fate._state_of_user)),  # noqa: SLF001
    "a path counts": (ledger, "standings", by_path(standing.standings)),
    "a day without a time is its end": (ReportTime, "earliest", property(end_of)),
    "nobody is active": (fate, "_state_of_user", never_active(fate._state_of_user)),  # noqa: SLF001
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_the_law_raises_an_alarm(
    name: str,
    after_all: tuple[list[World], list[Round]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(*FAULTS[name])
    alarms = (alarm for each in after_all[1] for alarm in each.alarms())
    assert next(alarms, None)
