"""A list is read by its form: what a closed one would lose is refused, with what to do."""

from collections.abc import Iterator, Mapping

import pytest

from analyzer.errors import InputRefused, Problem
from analyzer.lists.csv_lists import ListForm, list_rows

OPEN = ListForm(required=("a", "b"))
CLOSED = ListForm(required=("a", "b"), optional=("c",), closed=True, hint="Use a ledger.")


def no_problems(_name: str, _row: int, _cells: Mapping[str, str]) -> Iterator[Problem]:
    return iter(())


@pytest.mark.parametrize(
    ("form", "text", "message", "hint"),
    [
        (OPEN, "a,b,x,\n1,2,3,4\n", "", ""),
        (CLOSED, "a,b,c\n1,2,3\n", "", ""),
        (CLOSED, "a,b,\n1,2,\n", "", ""),
        (CLOSED, "a,b,\n1,2,3\n", "the column of this cell has no name", "it would be lost"),
        (CLOSED, "a,b,x\n1,2,3\n", "not a column of this list", "it would be lost"),
        (OPEN, "a\n", "column b is missing", "The first row must be a,b."),
        (CLOSED, "a\n", "column b is missing", "Use a ledger."),
    ],
)
def test_a_list_holds_the_columns_of_its_form(
    form: ListForm, text: str, message: str, hint: str
) -> None:
    if not message:
        ((row, cells),) = list_rows("l.csv", text.encode(), form, no_problems)
        assert (row, cells["a"], cells["b"]) == (2, "1", "2")
        return
    with pytest.raises(InputRefused) as refusal:
        list_rows("l.csv", text.encode(), form, no_problems)
    (problem,) = refusal.value.problems
    assert problem.message == message
    assert hint in problem.hint


@pytest.mark.parametrize(
    ("cell", "text"), [("'=x", "=x"), ("'-b", "-b"), ("'x", "'x"), ("''=x", "''=x"), ("=x", "=x")]
)
def test_a_name_copied_from_users_csv_loses_the_apostrophe_before_a_formula(
    cell: str, text: str
) -> None:
    ((_, cells),) = list_rows("l.csv", f"a,b\n{cell},2\n".encode(), OPEN, no_problems)
    assert cells["a"] == text
