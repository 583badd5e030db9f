"""Hold plans against worlds that know who each user is, and what each reviewer meant last."""

import pytest

from tests.support.true_worlds import World, played

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in half the time

STATES = "done disagree kept overtaken unknown exempt active delete deactivate plain facts"


@pytest.fixture(scope="module")
def worlds() -> list[World]:
    return played(range(100, 116))


def test_nobody_is_removed_against_the_last_word_and_what_is_said_is_the_law(
    worlds: list[World],
) -> None:
    assert [alarm for world in worlds for alarm in world.alarms] == []


@pytest.mark.parametrize("what", STATES.split())
def test_the_worlds_have_what_they_are_held_against(worlds: list[World], what: str) -> None:
    assert sum(world.counts[what] for world in worlds) > 10
