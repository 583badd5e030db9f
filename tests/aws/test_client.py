"""What is asked ends in time, whatever is asked."""

import time

import pytest

from analyzer.aws.client import Deadline
from analyzer.aws.errors import Late


def test_a_call_that_ends_in_time_gives_its_result() -> None:
    assert Deadline(60).result_in_time("it", lambda: 42) == 42


def test_what_a_call_raises_is_raised() -> None:
    nothing: dict[str, str] = {}
    with pytest.raises(KeyError, match="x"):
        Deadline(60).result_in_time("it", lambda: nothing["x"])


def test_a_call_that_times_out_by_itself_is_not_late() -> None:
    def timing_out() -> None:
        raise TimeoutError("by itself")

    with pytest.raises(TimeoutError, match="by itself"):
        Deadline(60).result_in_time("it", timing_out)


def test_a_call_that_takes_longer_is_left_alone() -> None:
    started = time.monotonic()
    with pytest.raises(
        Late, match=r"^AWS did not answer it within the 0\.1 seconds of --timeout\."
    ):
        Deadline(0.1).result_in_time("it", lambda: time.sleep(3))
    assert time.monotonic() - started < 2


def test_no_time_is_left_at_the_deadline_and_none_after() -> None:
    clock = iter([0.0, 4.0, 5.0, 9.0])
    deadline = Deadline(5, lambda: next(clock))
    assert [deadline.seconds_left for _ in range(3)] == [1, 0, 0]
