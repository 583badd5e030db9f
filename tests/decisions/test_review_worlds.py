"""Hold the plans of random reviews to a second reading of the law."""

import pytest

from analyzer.decisions.fate import Overdue, State
from tests.support.review_worlds import played

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in half the time

STATES = set(State) - {State.OPEN, State.DEACTIVATED} | {"delete", "deactivate"}


def test_no_word_is_lost_and_what_is_said_of_each_removal_is_the_law() -> None:
    outcomes = list(played(range(500, 520)))
    assert {each.action or each.state for each in outcomes} >= STATES
    assert {each.overdue for each in outcomes} == {"", *Overdue}
