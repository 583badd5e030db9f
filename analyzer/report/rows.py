"""Read the rows of a report's CSV into Arrow tables of text, and mend what can be mended.

Rows with too many or too few cells never shift a column: a user name with an unquoted comma
and a row glued to the next file's header are put right, because their reading is certain;
anything else is a problem.
"""

import csv
import io
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from analyzer import columns
from analyzer.errors import InputRefused, Problem
from analyzer.report.ahead import ahead
from analyzer.report.envelope import not_text
from analyzer.report.header import Header
from analyzer.report.text import ReportText

BLOCK = 2 << 20
"""Bytes of CSV that are turned into one table."""

_MOST = 1000
"""Problems of one file that are kept; a file with more is no report."""

_APART = "Give the reports as files of their own."


@dataclass(slots=True)
class _Skipped:
    """Mend the rows that do not have the header's number of cells, or say what is wrong."""

    text: ReportText
    numbers: list[int] = field(default_factory=list)
    mended: list[dict[str, Any]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def __call__(self, row: pa_csv.InvalidRow) -> str:
        self.numbers.append(row.number)
        number = row.number + self.text.header.row
        cells = _mend(self.text, number, row.text)
        if isinstance(cells, Problem):
            self.problems.append(cells)
        elif cells:
            names = self.text.header.names
            self.mended.append({**dict(zip(names, cells, strict=True)), columns.ROW: number})
        return "skip" if len(self.problems) <= _MOST else "error"

    def table(self) -> pa.Table:
        """Return the rows that were mended."""
        texts = [(name, pa.large_string()) for name in self.text.header.known]
        return pa.Table.from_pylist(self.mended, pa.schema([*texts, (columns.ROW, pa.int64())]))


def read_rows(text: ReportText) -> Iterator[pa.Table]:
    """Yield tables of the report's known columns (large_string) and `row` (int64).

    `row` counts the rows that are not blank, the header being 1. Mended rows come last. A large
    report is read one table ahead.

    Raises InputRefused with all rows that cannot be read.
    """
    tables = _read_rows(text)
    return ahead(tables) if text.size > BLOCK else tables


def _read_rows(text: ReportText) -> Iterator[pa.Table]:
    skipped = _Skipped(text)
    start = 1
    for batch in _batches(text, skipped):
        numbers = _row_numbers(start, batch.num_rows, skipped.numbers)
        start = int(numbers[-1]) + 1 if len(numbers) else start
        yield _without_headers(text, _numbered(batch, numbers + text.header.row))
    if skipped.problems:
        raise InputRefused(skipped.problems)
    if skipped.mended:
        yield skipped.table()


def _batches(text: ReportText, skipped: _Skipped) -> Iterator[pa.RecordBatch]:
    stream = text.open()
    stream.seek(text.header.end)
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
    except (pa.ArrowInvalid, OSError) as error:
        if "Empty CSV file" not in str(error):
            raise InputRefused([*skipped.problems, _unreadable(text, str(error))]) from None


def _row_numbers(start: int, count: int, skipped: list[int]) -> np.ndarray:
    """Return the numbers of the next `count` rows, leaving out those that were skipped."""
    gone = skipped[bisect_left(skipped, start) :]
    candidates = np.arange(start, start + count + len(gone), dtype=np.int64)
    return np.setdiff1d(candidates, gone)[:count] if gone else candidates


def _numbered(batch: pa.RecordBatch, numbers: np.ndarray) -> pa.Table:
    return pa.Table.from_batches([batch]).append_column(columns.ROW, pa.array(numbers))


def _without_headers(text: ReportText, table: pa.Table) -> pa.Table:
    """Drop blank rows and the headers that concatenated reports repeat; refuse another order."""
    odd = pc.invert(pc.starts_with(table[columns.ARN], "arn:"))
    if not pc.any(odd).as_py():
        return table
    suspects = table.filter(odd).to_pylist()
    headers = [row for row in suspects if _is_header(row.values())]
    _check_order(text, headers)
    dropped = [
        row[columns.ROW] for row in suspects if row in headers or _is_blank(list(row.values())[:-1])
    ]
    gone = pc.is_in(table[columns.ROW], pa.array(dropped, pa.int64()))
    return table.filter(pc.invert(gone)) if dropped else table


def _is_header(cells: Iterable[object]) -> bool:
    names = {str(cell).strip("\ufeff ").lower() for cell in cells}
    return len(names.intersection(columns.REPORT)) > len(columns.REQUIRED) // 2


def _is_blank(cells: Iterable[str]) -> bool:
    return not any(map(str.strip, cells))


def _check_order(text: ReportText, headers: list[dict[str, object]]) -> None:
    odd = [
        Problem(
            text.name,
            int(str(row[columns.ROW])),
            column,
            str(cell),
            "a second header starts here, with its columns in another order",
            _APART,
        )
        for row in headers
        for column, cell in row.items()
        if column != columns.ROW and str(cell).strip("\ufeff ").lower() != column
    ]
    if odd:
        raise InputRefused(odd[:1])


def _mend(text: ReportText, number: int, row: str) -> list[str] | Problem:
    """Return the cells of a row put right, none for a blank one, or what is wrong with it."""
    header = text.header
    cells = _cells(row.removesuffix(header.line).removesuffix("\ufeff"), header)
    if _is_blank(cells):
        return []
    if row.endswith(header.line) and len(cells) == len(header.names):
        return cells
    return _with_comma_in_name(cells, header) or _wrong(text, number, row, cells)


def _wrong(text: ReportText, number: int, row: str, cells: list[str]) -> Problem:
    count, wanted = len(cells), len(text.header.names)
    if _is_header(cells):
        message, hint = "a second header with other columns", _APART
    elif '"' in row and "\n" in row:
        message = "a quote opens in this row and does not close, or closes rows later"
        hint = "Give the report as AWS made it, or close the quote."
    elif count < wanted and text.tail.rstrip(b"\r\n").endswith(row.encode()):
        message = "the file is cut off in the middle of this row"
        hint = "Download the report again, or save the AWS CLI's output again."
    else:
        message = f"the row has {count} cells, the header {wanted}"
        hint = (
            "Give the report as AWS made it, or put quotes round the cell that holds a separator."
        )
    return Problem(text.name, number, None, row[:80], message, hint)


def _cells(row: str, header: Header) -> list[str]:
    try:
        return next(csv.reader([row], delimiter=header.separator), [])
    except csv.Error:  # a cell longer than any report's
        return [row]


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


def _unreadable(text: ReportText, message: str) -> Problem:
    if "UTF8" in message:
        return _undecodable(text)
    if "straddling" in message:
        message = f"one is longer than {BLOCK} bytes"
    hint = "Give the report as AWS made it; perhaps a quote opens in it and does not close."
    return Problem(text.name, None, None, None, f"the rows cannot be read: {message}", hint)
