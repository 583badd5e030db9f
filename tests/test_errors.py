"""A message names the first problems, and says how many more there are."""

import pickle

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


def test_many_problems_of_one_file_hide_no_other_file() -> None:
    problems = [Problem("a.csv", row, None, None, "wrong", "Mend it") for row in range(2, 40)]
    refused = InputRefused(problems + [Problem.of_file("b.csv", "cut off", "Get it again")])
    *_, first_hint, last, _, more = str(refused).splitlines()
    assert (first_hint, last, more) == ("    Mend it", "b.csv: cut off", "and 28 more")


def test_a_hint_of_several_problems_stands_once() -> None:
    files = [("a", "Get it again"), ("b", "Get it again"), ("c", "Mend it"), ("d", "Get it again")]
    refused = InputRefused(Problem.of_file(file, "cut off", hint) for file, hint in files)
    assert str(refused).splitlines() == (
        ["a: cut off", "b: cut off", "    Get it again"]
        + ["c: cut off", "    Mend it"]
        + ["d: cut off", "    Get it again"]
    )


@pytest.mark.parametrize(
    ("column", "place"),
    [
        (None, "a.csv: "),
        ("user", "a.csv, column user: "),
        ("User, cell B2", "a.csv, column User, cell B2: "),
        ("cell C84", "a.csv, cell C84: "),
        ("cells A1:B2", "a.csv, cells A1:B2: "),
    ],
)
def test_a_cell_is_named_without_the_word_column(column: str | None, place: str) -> None:
    assert str(Problem("a.csv", None, column, None, "wrong", "Mend it")).startswith(place)


def test_a_refusal_in_another_process_says_the_same() -> None:
    refused = InputRefused.of_file("a.csv", "cut off", "Get it again")
    again = pickle.loads(pickle.dumps(refused))
    assert (type(again), str(again)) == (InputRefused, str(refused))
