"""A message names the first problems, and says how many more there are."""

import pytest

from analyzer.errors import InputRefused, Problem


@pytest.mark.parametrize(
    ("count", "end"), [(1, "0"), (20, "19"), (21, "and 1 more"), (5000, "and 4,980 more")]
)
def test_a_refusal_shows_twenty_problems_and_counts_the_others(count: int, end: str) -> None:
    problems = [Problem.of_file(f"{n}.csv", "wrong", f"Mend it: {n}") for n in range(count)]
    refused = InputRefused(problems)
    assert refused.problems == tuple(problems)
    assert str(refused).count("wrong") == min(count, 20)
    assert str(refused).splitlines()[-1].endswith(end)
