"""Hold what becomes of decisions against a second reading of the law."""

import pytest

from tests.support import decision_oracle as law
from tests.support.campaign_play import Play, played
from tests.support.campaigns import BATCH

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in half the time


@pytest.fixture(scope="module")
def plays() -> list[Play]:
    return played(range(BATCH))


def test_random_reviews_go_as_the_law_says(plays: list[Play]) -> None:
    assert [each for play in plays for each in play.differences] == []


def test_random_reviews_reach_every_answer_of_the_law(plays: list[Play]) -> None:
    calls = [call for play in plays for call in play.calls]
    lines = [line for play in plays for line in play.lines]
    reports = {row.report.account: row.report for play in plays for row in play.rows["second"]}
    answers = law.follow_up(lines, [*reports.values()], due_days=20)
    assert {status for status, _ in answers.values()} == {
        *("done", "not-done", "overtaken", "unknown")
    }
    assert {overdue for _, overdue in answers.values()} == {True, False}
    assert any(call.refused for call in calls)
    assert any(call.conflicts for call in calls)
