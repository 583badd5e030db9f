"""Read timestamps: many at once, both of AWS's forms, and nothing that is ambiguous."""

import re
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

MOMENT = pa.timestamp("s", "UTC")

_LENGTHS = pa.array([20, 25], pa.int64())
"""`2024-04-22T19:47:52Z` since 2024, `…+00:00` before."""

_FORM = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)", re.ASCII)
_LOCAL_DATE = re.compile(r"\s*\d{1,2}[/.\-]\d{1,2}[/.\-](\d{2}|\d{4})\b.*", re.DOTALL)

_FROM, _TO = (pa.scalar(datetime(year, 1, 1, tzinfo=UTC), MOMENT) for year in (1970, 2100))
"""No moment in a report lies outside: what does is damaged."""


def is_local_date(cell: str) -> bool:
    """Tell whether a cell is a date whose day and month cannot be told apart, or lacks its zone."""
    return _LOCAL_DATE.fullmatch(cell) is not None


def moments(cells: pa.Array) -> pa.Array:
    """Return text cells as timestamp[s, UTC], null where a cell holds no moment.

    A moment has a date, a time with seconds, and a zone (ISO 8601); fractions are cut off.
    """
    read = _usual(cells)
    return pc.if_else(
        pc.and_(pc.greater_equal(read, _FROM), pc.less(read, _TO)), read, pa.scalar(None, MOMENT)
    )


def _usual(cells: pa.Array) -> pa.Array:
    """Read all cells of the usual lengths at once, and each distinct cell where others occur."""
    length = pc.binary_length(cells)
    usual = pc.is_in(length, _LENGTHS)
    if pc.any(pc.greater(pc.if_else(usual, 0, length), 20)).as_py():
        return _distinct(cells)
    try:
        return pc.if_else(usual, cells, pa.scalar(None, cells.type)).cast(MOMENT)
    except pa.ArrowInvalid:
        return _distinct(cells)


def _distinct(cells: pa.Array) -> pa.Array:
    distinct = cells.dictionary_encode()
    read = pa.array([_moment(cell) for cell in distinct.dictionary.to_pylist()], MOMENT)
    return read.take(distinct.indices)


def _moment(cell: str) -> datetime | None:
    if _FORM.fullmatch(cell) is None:
        return None
    try:
        return datetime.fromisoformat(cell).astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        return None


def as_text(read: pa.Array, cells: pa.Array) -> pa.Array:
    """Return the cells with every moment in the form `2024-04-22T19:47:52Z`."""
    usual = pc.and_(pc.equal(pc.binary_length(cells), 20), pc.ends_with(cells, "Z"))
    if pc.all(pc.or_(usual, pc.is_null(read))).as_py() is not False:
        return cells
    return pc.coalesce(pc.strftime(read, "%Y-%m-%dT%H:%M:%SZ").cast(cells.type), cells)


def newest(reads: list[pa.Array]) -> np.datetime64:
    """Return the newest of the moments, NaT if there is none."""
    found = [pc.max(read).as_py() for read in reads]
    known = [moment for moment in found if moment is not None]
    return (
        np.datetime64(max(known).replace(tzinfo=None), "s") if known else np.datetime64("NaT", "s")
    )
