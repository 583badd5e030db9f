"""Write tables as CSV: one row each, stable columns, safe to open in a spreadsheet.

A cell that a spreadsheet would take for a formula gets an apostrophe in front of it, unless the CSV
is `raw`: for machines only. The ARN is exact, since no ARN begins so. Arrow joins the cells: with
`to_csv` an analysis of a million rows takes 2.8 times as long.
"""

import re
from collections.abc import Collection, Iterable
from typing import BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.judging.analysis import Analysis
from analyzer.report.values import first_bytes
from analyzer.terms import FORMULA_SIGNS, Verdict
from analyzer.writers.text_columns import (
    Columns,
    array,
    coded,
    contains,
    content,
    joined,
    text_column,
)
from analyzer.writers.users import user_tables

_FORMULA: Final = f"^[{re.escape(FORMULA_SIGNS)}]"

_MAY_BE_FORMULA: Final = np.isin(np.arange(256), [each.encode()[0] for each in FORMULA_SIGNS])
"""Which bytes are the first of these signs."""

_SPECIAL: Final = (b'"', b",", b"\n", b"\r")


def write_csv(
    analysis: Analysis, stream: BinaryIO, verdicts: Collection[Verdict], *, raw: bool = False
) -> None:
    """Write the users with one of the verdicts, in the report's order.

    An account that could not be read has a row of its own at the end, with any verdicts: its
    verdict is `NOT_COVERED`, its reason says why, and it has no user.
    """
    write_tables(user_tables(analysis, verdicts), columns.OF_USERS_CSV, stream, raw=raw)


def write_findings(analysis: Analysis, stream: BinaryIO, *, raw: bool = False) -> None:
    """Write all findings in the order of `Inspection.frames`.

    An account that could not be read has a row at the end, under the rule `NOT_COVERED`.
    """
    # The rules are slow to import, and a list of users needs none.
    from analyzer.writers.findings import FINDING_COLUMNS, finding_tables  # noqa: PLC0415

    write_tables(finding_tables(analysis), FINDING_COLUMNS, stream, raw=raw)


def write_follow_up(analysis: Analysis, stream: BinaryIO, *, raw: bool = False) -> None:
    """Write what became of earlier decisions, one row a decision (`follow_up.COLUMNS`)."""
    write_tables([analysis.follow_up], analysis.follow_up.columns, stream, raw=raw)


def write_tables(
    parts: Iterable[Columns], names: Iterable[str], stream: BinaryIO, *, raw: bool
) -> None:
    """Write a line of names, then these columns of each part."""
    header = [*names]
    stream.write(",".join(header).encode() + b"\n")
    for part in parts:
        cells = [_cells(array(part[name]), raw=raw) for name in header]
        # The bytes of the rows lie in Arrow's memory one behind the other.
        stream.write(content(joined(*cells[:-1], joined(cells[-1], "\n"), between=",")))


def _cells(values: pa.Array, *, raw: bool) -> pa.Array:
    """Return a column as cells; of one that is coded each word that occurs is spelled once.

    The bytes show first whether any cell may be a formula or needs quotes.
    """
    if pa.types.is_dictionary(values.type):
        words = coded(values)
        return _cells(words.dictionary, raw=raw).take(words.indices)
    texts = text_column(values)
    if not raw and _MAY_BE_FORMULA.take(first_bytes(texts)).any():
        texts = pc.if_else(pc.match_substring_regex(texts, _FORMULA), joined("'", texts), texts)
    if contains(texts, _SPECIAL):
        quoted = joined('"', pc.replace_substring(texts, '"', '""'), '"')
        texts = pc.if_else(pc.match_substring_regex(texts, '[",\n\r]'), quoted, texts)
    return texts
