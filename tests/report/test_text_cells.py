"""Columns of text are looked at as they lie in memory, a slice of one like a whole one."""

import pyarrow as pa
import pytest

from analyzer.report.values import cells_or_null, consist_of, end_with_tails, lengths

COLUMNS = {
    "nothing": [],
    "one empty": [""],
    "all empty": ["", "", ""],
    "words": ["N/A", "", "2024", "é", " x", "🗝"],
}


def texts(cells: list[str]) -> pa.Array:
    return pa.array(cells, pa.large_string())


def slices(cells: list[str]) -> list[pa.Array]:
    """Return the cells as a whole column, and as the middle of a longer one."""
    return [texts(cells), texts(["before", *cells, "after"]).slice(1, len(cells))]


@pytest.mark.parametrize("cells", COLUMNS.values(), ids=COLUMNS)
def test_what_is_seen_of_a_column_is_what_its_texts_hold(cells: list[str]) -> None:
    encoded = [cell.encode() for cell in cells]
    for column in slices(cells):
        assert lengths(column).tolist() == [len(cell) for cell in encoded]
        assert consist_of(column, b"/ANx 2").tolist() == [
            set(cell) <= set("/ANx 2") for cell in cells
        ]


@pytest.mark.parametrize("cells", COLUMNS.values(), ids=COLUMNS)
def test_cells_that_are_masked_out_are_missing(cells: list[str]) -> None:
    for column in slices(cells):
        held = cells_or_null(column, lengths(column) > 1)
        assert held.to_pylist() == [cell if len(cell.encode()) > 1 else None for cell in cells]
        held.validate(full=True)


@pytest.mark.parametrize(
    ("cell", "tail", "ends"),
    [
        ("user/ann", "/ann", True),
        ("user/ann", "user/ann", True),
        ("user/ann", "/bnn", False),
        ("user/ann", "/an", False),
        ("ann", "user/ann", False),
        ("ann", "", True),
        ("", "", True),
        ("", "a", False),
        ("é", "\u00e9", True),
    ],
)
def test_a_cell_ends_with_the_text_beside_it(cell: str, tail: str, *, ends: bool) -> None:
    assert end_with_tails(texts([cell]), texts([tail])).tolist() == [ends]
    for cells, tails in zip(slices([cell, "x", cell]), slices([tail, "x", tail]), strict=True):
        assert end_with_tails(cells, tails).tolist() == [ends, True, ends]


def test_no_cells_end_with_nothing() -> None:
    assert end_with_tails(texts([]), texts([])).tolist() == []
