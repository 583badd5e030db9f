"""Write users as CSV: one row a user, stable columns, safe to open in a spreadsheet.

A cell that a spreadsheet would take for a formula gets an apostrophe in front of it; the ARN is
exact. Arrow joins the cells, so that a million rows take a second.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import BinaryIO, Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.analysis import Analysis
from analyzer.cells import begins_with
from analyzer.model import Page, ReportFile
from analyzer.terms import Verdict
from analyzer.writers.listing import FACTS, JUDGED, listed

HEADER: Final = (*JUDGED, *FACTS)

_FORMULA: Final = b"=+-@\t\r"
_SPECIAL: Final = (b'"', b",", b"\n", b"\r")
_TEXT: Final = pa.large_string()
_FREE: Final = frozenset(
    {columns.USER, columns.ARN, columns.ADDITIONAL_CREDENTIALS_INFO, columns.EXEMPTION}
    | {
        name
        for key in columns.ACCESS_KEYS
        for name in (key.last_used_region, key.last_used_service)
    }
)
"""Columns in which any text may stand, even where all was understood."""


def write_csv(
    analysis: Analysis, stream: BinaryIO, verdicts: Collection[Verdict], *, raw: bool = False
) -> None:
    """Write the users with one of the verdicts, in the report's order.

    With `raw` no apostrophe is put before what looks like a formula: for machines only.
    """
    stream.write(",".join(HEADER).encode() + b"\n")
    of_files = _of_files(analysis.report.files)
    for page in listed(analysis, verdicts):
        stream.write(_lines(page, of_files, raw=raw))


def _of_files(files: Sequence[ReportFile]) -> dict[str, pa.Array]:
    """Return the columns that are the same for all users of a file, a value for each file."""
    moments = [f"{file.as_of:%Y-%m-%dT%H:%M:%SZ}" for file in files]
    sources = [file.as_of_source.value for file in files]
    return {
        columns.AS_OF: pa.array(moments, _TEXT),
        columns.AS_OF_SOURCE: pa.array(sources, _TEXT),
    }


def _lines(page: Page, of_files: Mapping[str, pa.Array], *, raw: bool) -> memoryview:
    free = _FREE | {columns.REASON} | set(page.unread[columns.COLUMN])
    return lines([(_cells(page, name, of_files), name in free) for name in HEADER], raw=raw)


def lines(cells: Sequence[tuple[pa.Array, bool]], *, raw: bool) -> memoryview:
    """Return rows as bytes; they lie in Arrow's memory one behind the other.

    `cells` are columns (large_string), each with whether any text may stand in it.
    """
    safe = [_quoted(cell if raw else _guarded(cell)) if free else cell for cell, free in cells]
    lines = _joined(*safe[:-1], _joined(safe[-1], "\n"), between=",")
    return memoryview(lines.buffers()[2])[: pc.sum(pc.binary_length(lines)).as_py()]


def _joined(*parts: pa.Array | str, between: str = "") -> pa.Array:
    texts = [pa.scalar(part, _TEXT) if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(*texts, pa.scalar(between, _TEXT))


def _cells(page: Page, name: str, of_files: Mapping[str, pa.Array]) -> pa.Array:
    if name in of_files:
        return of_files[name].take(pa.array(page.users[columns.FILE]))
    return as_text(page.users[name] if name in JUDGED else page.cells[name])


def as_text(values: pd.Series) -> pa.Array:
    """Return values as text (large_string), empty where there is none."""
    held = pa.array(values, from_pandas=True)
    texts = (held.combine_chunks() if isinstance(held, pa.ChunkedArray) else held).cast(_TEXT)
    return texts.fill_null("") if texts.null_count else texts


def _guarded(texts: pa.Array) -> pa.Array:
    formula = begins_with(texts, _FORMULA)
    return pc.if_else(pa.array(formula), _joined("'", texts), texts) if formula.any() else texts


def _quoted(texts: pa.Array) -> pa.Array:
    """Put quotes round the cells that need them, if the bytes show that any does."""
    held = texts.buffers()[2]
    if held is None or not any(sign in held.to_pybytes() for sign in _SPECIAL):
        return texts
    special = pc.match_substring_regex(texts, '[",\n\r]')
    doubled = pc.replace_substring(texts, '"', '""')
    return pc.if_else(special, _joined('"', doubled, '"'), texts)
