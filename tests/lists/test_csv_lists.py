"""A list is read by its form: what a closed one would lose is refused, with what to do."""

from collections.abc import Iterator, Mapping

import pytest

from analyzer.errors import InputRefused, Problem
from analyzer.lists.csv_lists import ListForm, list_rows

OPEN = ListForm(required=("a", "b"))
CLOSED = ListForm(required=("a", "b"), optional=("c",), closed=True, source="Use a ledger.")


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
        (OPEN, "a\n", "missing: b", "The first row must be a,b."),
        (CLOSED, "a\n", "missing: b", "Use a ledger."),
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
