"""Hold what becomes of decisions against a second reading of the law."""

from functools import cache

import pytest

from tests.support import decision_oracle as law
from tests.support.campaign_play import Play, played
from tests.support.campaigns import BATCH, DATED_ANYHOW, DATED_BY_AWS

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in half the time


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
