"""Read the rows of a report's CSV into Arrow tables of text, and mend what can be mended.

Rows with too many or too few cells never shift a column: a user name with an unquoted comma
and a row glued to the next file's header are put right, because their reading is certain;
anything else is a problem.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from analyzer import columns
from analyzer.errors import InputRefused, Problem
from analyzer.report.ahead import ahead
from analyzer.report.header import Header
from analyzer.report.text import ReportText

BLOCK = 2 << 20
"""Bytes of CSV that are turned into one table."""

_MOST = 1000
"""Problems of one file that are kept; a file with more is no report."""


@dataclass(slots=True)
class _Skipped:
    """Collect the rows that do not have the header's number of cells."""

    rows: list[tuple[int, str]] = field(default_factory=list)

    def __call__(self, row: pa_csv.InvalidRow) -> str:
        self.rows.append((row.number, row.text))
        return "skip" if len(self.rows) <= _MOST else "error"


def read_rows(text: ReportText) -> Iterator[pa.Table]:
    """Yield tables of the report's known columns (large_string) and `row` (int64).

    `row` counts the rows that are not blank, the header being 1. Mended rows come last. A large
    report is read one table ahead.

    Raises InputRefused with all rows that cannot be read.
    """
    tables = _read_rows(text)
    return ahead(tables) if text.size > BLOCK else tables


def _read_rows(text: ReportText) -> Iterator[pa.Table]:
    skipped = _Skipped()
    start = 1
    for batch in _batches(text, skipped):
        numbers = _row_numbers(start, batch.num_rows, skipped.rows)
        start = int(numbers[-1]) + 1 if len(numbers) else start
        yield _without_headers(text, _numbered(batch, numbers + text.header.row))
    if skipped.rows:
        yield _mended(text, skipped.rows)


def _batches(text: ReportText, skipped: _Skipped) -> Iterator[pa.RecordBatch]:
    stream = text.open()
    stream.seek(text.header.end)
    if text.size == text.header.end:
        return
    try:
        yield from pa_csv.open_csv(
            stream,
            read_options=pa_csv.ReadOptions(
                use_threads=False, block_size=BLOCK, column_names=list(text.header.names)
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=text.header.separator,
                newlines_in_values=True,
                invalid_row_handler=skipped,
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(text.header.names, pa.large_string()),
                include_columns=list(text.header.known),
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV file" not in str(error):
            raise _unreadable(text, skipped, str(error)) from None


def _row_numbers(start: int, count: int, skipped: list[tuple[int, str]]) -> np.ndarray:
    """Return the numbers of the next `count` rows, leaving out those that were skipped."""
    gone = [number for number, _ in skipped if number >= start]
    candidates = np.arange(start, start + count + len(gone), dtype=np.int64)
    return np.setdiff1d(candidates, gone)[:count] if gone else candidates


def _numbered(batch: pa.RecordBatch, numbers: np.ndarray) -> pa.Table:
    return pa.Table.from_batches([batch]).append_column(columns.ROW, pa.array(numbers))


def _without_headers(text: ReportText, table: pa.Table) -> pa.Table:
    """Drop the headers that concatenated reports repeat; refuse one of another order."""
    arn = table[columns.ARN]
    short = pc.less(pc.binary_length(arn), 30)
    if not pc.any(short).as_py():
        return table
    suspects = table.filter(short)
    headers = [row for row in suspects.to_pylist() if _is_header(row)]
    _check_order(text, headers)
    repeated = pa.array([row[columns.ROW] for row in headers], pa.int64())
    return table.filter(pc.invert(pc.is_in(table[columns.ROW], repeated))) if headers else table


def _is_header(row: dict[str, object]) -> bool:
    cells = {str(cell).strip("\ufeff ").lower() for cell in row.values()}
    return len(cells.intersection(columns.REPORT)) > len(columns.REQUIRED) // 2


def _check_order(text: ReportText, headers: list[dict[str, object]]) -> None:
    odd = [
        Problem(
            text.name,
            int(str(row[columns.ROW])),
            column,
            str(cell),
            "a second header starts here, with its columns in another order",
            "Give the reports as files of their own.",
        )
        for row in headers
        for column, cell in row.items()
        if column != columns.ROW and str(cell).strip("\ufeff ").lower() != column
    ]
    if odd:
        raise InputRefused(odd[:1])


def _mended(text: ReportText, skipped: list[tuple[int, str]]) -> pa.Table:
    """Return the skipped rows, put right; raise InputRefused with all that cannot be."""
    mended = [_mend(text, number, row) for number, row in skipped]
    problems = [row for row in mended if isinstance(row, Problem)]
    if problems:
        raise InputRefused(problems)
    rows = [
        dict(zip(text.header.names, row, strict=True)) for row in mended if isinstance(row, list)
    ]
    schema = pa.schema([(name, pa.large_string()) for name in text.header.known])
    numbers = pa.array([number + text.header.row for number, _ in skipped], pa.int64())
    return pa.Table.from_pylist(rows, schema).append_column(columns.ROW, numbers)


def _mend(text: ReportText, number: int, row: str) -> list[str] | Problem:
    header = text.header
    cells = _cells(row.removesuffix(header.line), header)
    if row.endswith(header.line) and len(cells) == len(header.names):
        return cells
    named = _with_comma_in_name(cells, header)
    if named:
        return named
    if _is_header(dict(enumerate(cells))):  # type: ignore[arg-type]  # positions stand for names
        message, hint = (
            "a second header with other columns",
            "Give the reports as files of their own.",
        )
    elif len(cells) < len(header.names) and text.tail.rstrip(b"\r\n").endswith(row.encode()):
        message = "the file is cut off in the middle of this row"
        hint = "Download the report again, or save the AWS CLI's output again."
    else:
        message = f"the row has {len(cells)} cells, the header {len(header.names)}"
        hint = (
            "Give the report as AWS made it, or put quotes round the cell that holds a separator."
        )
    return Problem(text.name, number + header.row, None, row[:80], message, hint)


def _cells(row: str, header: Header) -> list[str]:
    return next(csv.reader([row], delimiter=header.separator), [])


def _with_comma_in_name(cells: list[str], header: Header) -> list[str]:
    """Return the cells with the commas of the user name back in it, or none if that is unsure.

    The ARN starts at the first cell that begins `arn:`, all before it is the name, and the ARN
    must end in that same name.
    """
    rest = len(header.names) - 2
    if header.names[:2] != (columns.USER, columns.ARN) or len(cells) <= len(header.names):
        return []
    head = header.separator.join(cells[: len(cells) - rest])
    match = re.fullmatch(rf"(.+?){re.escape(header.separator)}(arn:.+)", head, re.DOTALL)
    if match is None or not match[2].endswith("/" + match[1]):
        return []
    return [match[1], match[2], *cells[-rest:]]


def _unreadable(text: ReportText, skipped: _Skipped, message: str) -> InputRefused:
    hint = "Give the report as AWS made it, in UTF-8."
    problems = [
        row for row in (_mend(text, *each) for each in skipped.rows) if isinstance(row, Problem)
    ]
    whole = Problem(text.name, None, None, None, f"the rows cannot be read: {message}", hint)
    return InputRefused([*problems[:_MOST], whole])
