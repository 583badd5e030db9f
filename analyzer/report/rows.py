"""Read the rows of a report's CSV into Arrow tables of text, and find damage.

A report may be cut off, saved again with local dates, or have lost a quote.
"""

import csv
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from analyzer import columns
from analyzer.errors import InputRefused, Problem
from analyzer.report import arns, values
from analyzer.report.report_text import Header, ReportText, column_name
from analyzer.terms import LONGEST_SHOWN, NO_VALUE, NOT_SUPPORTED, count_text

BLOCK_BYTES = 2 << 20
"""Bytes of CSV that are turned into one table."""

MOST_PROBLEMS = 1000
"""The most problems of one file that are kept; a file with more is not a report."""

DOWNLOAD_AGAIN: Final = "Download the report again, or save the AWS CLI's output again."
_LAST_CELL_SHAPES: Final = ("0000-00-00T00:00:00+00:00", NO_VALUE, NOT_SUPPORTED)

_ROW_WITHIN: Final = r"(?s)[\r\n].*arn:"
"""The form of a cell that has swallowed a row: a line break, and later an ARN."""


@dataclass(slots=True)
class _InvalidRows:
    """Repair the rows that do not have the header's number of cells, or return what is wrong."""

    text: ReportText
    numbers: list[int] = field(default_factory=list)
    mended: list[dict[str, Any]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def __call__(self, row: pa_csv.InvalidRow) -> str:
        self.numbers.append(row.number)
        number = row.number + self.text.header.row
        cells = mended_row(self.text, number, row.text)
        if isinstance(cells, Problem):
            self.problems.append(cells)
        else:
            # A blank row has no cells.
            rows = [zip(self.text.header.names, cells, strict=True)] if cells else []
            self.mended += [{**dict(row), columns.ROW: number} for row in rows]
        return "skip" if len(self.problems) <= MOST_PROBLEMS else "error"

    def table(self) -> pa.Table:
        """Return the rows that were repaired."""
        texts = [(name, pa.large_string()) for name in _columns(self.text)]
        schema = pa.schema([*texts, (columns.ROW, pa.int64())])
        return _with_arns(pa.Table.from_pylist(self.mended, schema))


def read_rows(text: ReportText) -> Iterator[pa.Table]:
    """Yield tables of the report's known columns (large_string) and `row` (int64).

    If the report has quotes, the tables also have the columns that AWS does not know: a lost quote
    can hide rows in any of them. `row` counts the rows that are not blank; the header is row 1.
    Mended rows come last. A large report is read one table ahead.

    Raises InputRefused with all rows that cannot be read.
    """
    tables = _read_rows(text)
    return read_ahead(tables) if text.size > BLOCK_BYTES else tables


def _read_rows(text: ReportText) -> Iterator[pa.Table]:
    skipped = _InvalidRows(text)
    start = 1
    for batch in _batches(text, skipped):
        numbers = _row_numbers(start, batch.num_rows, skipped.numbers)
        start = int(numbers[-1]) + 1 if len(numbers) else start
        row = pa.array(numbers + text.header.row)
        table = pa.Table.from_batches([batch]).append_column(columns.ROW, row)
        has_arns = columns.ARN in table.column_names and _are_arns(table)
        yield table if has_arns else _without_headers(text, _with_arns(table))
    text.check_unchanged()
    if skipped.problems:
        raise InputRefused(skipped.problems)
    if skipped.mended:
        yield skipped.table()


def _batches(text: ReportText, skipped: _InvalidRows) -> Iterator[pa.RecordBatch]:
    try:
        yield from pa_csv.open_csv(_rows_stream(text), **_csv_options(text, BLOCK_BYTES, skipped))
    except (pa.ArrowInvalid, OSError) as error:
        if len(skipped.problems) <= MOST_PROBLEMS and "Empty CSV file" not in str(error):
            raise InputRefused([*skipped.problems, _unreadable(text, str(error))]) from None


def read_together(texts: Sequence[ReportText]) -> list[pa.Table]:
    """Return the rows of several reports with the same header, nothing if one report is unusual.

    A row of empty cells marks the beginning of each report. A blank row, a second header or an odd
    ARN looks like a mark: then there are more marks than reports.
    """
    if len(texts) == 1:
        return []
    header = texts[0].header
    edge = f"\n{header.separator * (len(header.names) - 1)}\n".encode()
    try:
        content = b"".join(part for text in texts for part in (edge, _rows_stream(text).read()))
        options = _csv_options(texts[0], len(content))
        table = pa_csv.read_csv(pa.BufferReader(content), **options)
        for text in texts:
            text.check_unchanged()
    except (pa.ArrowInvalid, OSError, InputRefused):
        return []
    edges = np.flatnonzero(~np.asarray(pc.starts_with(table[columns.ARN], "arn:")))
    if len(edges) != len(texts):
        return []
    ends = [*edges, len(table)]
    numbers = np.arange(len(table)) - np.repeat(edges, np.diff(ends))
    numbers += np.repeat([text.header.row for text in texts], np.diff(ends))
    numbered = table.append_column(columns.ROW, pa.array(numbers))
    return [numbered.slice(start + 1, end - start - 1) for start, end in pairwise(ends)]


def _rows_stream(text: ReportText) -> pa.NativeFile:
    stream = text.open()
    stream.seek(text.header.end)
    return stream


def _csv_options(
    text: ReportText, block: int, skipped: _InvalidRows | None = None
) -> dict[str, Any]:
    """Return Arrow's options to read `block` bytes at a time; `skipped` gets rows of odd length."""
    names = text.header.names
    return {
        "read_options": pa_csv.ReadOptions(use_threads=False, block_size=block, column_names=names),
        "parse_options": pa_csv.ParseOptions(
            delimiter=text.header.separator,
            newlines_in_values=text.quoted,
            invalid_row_handler=skipped,
        ),
        "convert_options": pa_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.large_string()),
            include_columns=_columns(text),
            strings_can_be_null=False,
        ),
    }


def _columns(text: ReportText) -> tuple[str, ...]:
    return text.header.named_columns if text.quoted else text.header.report_columns


def _row_numbers(start: int, count: int, skipped: list[int]) -> np.ndarray:
    """Return the numbers of the next `count` rows, leaving out those that were skipped."""
    gone = skipped[bisect_left(skipped, start) :]
    candidates = np.arange(start, start + count + len(gone), dtype=np.int64)
    return np.setdiff1d(candidates, gone)[:count] if gone else candidates


def _are_arns(table: pa.Table) -> bool:
    return bool(pc.all(pc.starts_with(table[columns.ARN], "arn:")).as_py())


def _with_arns(table: pa.Table) -> pa.Table:
    """Return the table with ARNs that tell users apart, even if ARNs are missing or masked."""
    name = table[columns.USER]
    if columns.ARN not in table.column_names:
        word, slash = (pa.scalar(word, pa.large_string()) for word in (arns.NO_ARN, "/"))
        arn = pc.binary_join_element_wise(word, name, slash)
        position = table.column_names.index(columns.USER) + 1
        return table.add_column(position, columns.ARN, arn)
    if _are_arns(table):
        return table
    position = table.column_names.index(columns.ARN)
    return table.set_column(position, columns.ARN, arns.with_user_names(table[columns.ARN], name))


def _without_headers(text: ReportText, table: pa.Table) -> pa.Table:
    """Drop blank rows and repeated headers of concatenated reports; refuse another column order."""
    suspects = table.filter(pc.invert(pc.starts_with(table[columns.ARN], "arn:"))).to_pylist()
    headers = [row for row in suspects if is_header(row.values())]
    _check_column_order(text, headers)
    blank = [row for row in suspects if is_blank(row[name] for name in text.header.report_columns)]
    dropped = pa.array([row[columns.ROW] for row in (*headers, *blank)], pa.int64())
    return table.filter(pc.invert(pc.is_in(table[columns.ROW], dropped))) if dropped else table


def _check_column_order(text: ReportText, headers: list[dict[str, object]]) -> None:
    message = "a second header starts here, with its columns in another order"
    for row in headers:
        for column, cell in row.items():
            if column in text.header.names and column_name(str(cell)) != column:
                at = int(str(row[columns.ROW]))
                raise InputRefused(
                    [Problem(text.name, at, column, str(cell), message, SEPARATE_FILES)]
                )


def _unreadable(text: ReportText, message: str) -> Problem:
    if "straddling" in message:
        message = f"one is longer than {BLOCK_BYTES} bytes"
    hint = "Give the report as AWS made it; perhaps a quote opens in it and does not close."
    return Problem.of_file(text.name, f"the rows cannot be read: {message}", hint)


T = TypeVar("T")


def read_ahead(items: Iterator[T]) -> Iterator[T]:
    """Yield the items; the next item is made while one is used.

    Otherwise a million rows take 1.45 times as long on two cores, by the clock.
    """
    with ThreadPoolExecutor(max_workers=1) as maker:
        coming = maker.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = maker.submit(next, items, None)
            yield item


# Rows of another length

_LONGEST_ROW: Final = 1 << 16
"""More characters than any row of a report has."""

SEPARATE_FILES = "Give the reports as files of their own."


def mended_row(text: ReportText, number: int, row: str) -> list[str] | Problem:
    """Return the cells of the mended row, none for a blank row, or the problem of the row."""
    header = text.header
    if len(row) > _LONGEST_ROW:
        return _problem(text, number, row, row.split(header.separator, len(header.names) + 1))
    cells = _cells(row.removesuffix(header.line).removesuffix("\ufeff"), header)
    if is_blank(cells) and row.count('"') % 2 == 0:
        return []
    if row.endswith(header.line) and len(cells) == len(header.names):
        return cells
    return _with_comma_in_name(cells, header) or _problem(text, number, row, cells)


def is_header(cells: Iterable[object]) -> bool:
    """Return whether a row is the header once more, whatever the order of its columns."""
    names = {str(cell).strip("\ufeff ").lower() for cell in cells}
    return len(names.intersection(columns.IN_REPORT)) > len(columns.REQUIRED) // 2


def is_blank(cells: Iterable[str]) -> bool:
    """Return whether all cells of a row are blank; spreadsheets leave such rows at the end."""
    return not any(map(str.strip, cells))


def _cells(row: str, header: Header) -> list[str]:
    try:
        return next(csv.reader([row], delimiter=header.separator), [])
    except csv.Error:  # a line break outside of quotes
        return [row]


def _with_comma_in_name(cells: list[str], header: Header) -> list[str]:
    """Return the cells with the commas back in the user name, or no cells if that is unsure.

    The ARN starts at the first cell that begins with `arn:`; the cells before it are the name. The
    ARN must end in the same name.
    """
    rest = len(header.names) - 2
    if header.names[:2] != (columns.USER, columns.ARN) or len(cells) <= len(header.names):
        return []
    head = header.separator.join(cells[: len(cells) - rest])
    match = re.fullmatch(rf"(.+?){re.escape(header.separator)}(arn:.+)", head, re.DOTALL)
    if match is None or not match[2].endswith("/" + match[1]):
        return []
    return [match[1], match[2], *cells[-rest:]]


def _problem(text: ReportText, number: int, row: str, cells: list[str]) -> Problem:
    count, expected = len(cells), len(text.header.names)
    if is_header(cells):
        message, hint = "a second header with other columns", SEPARATE_FILES
    elif "\n" in row:
        message = "a quote opens in this row and does not close, or only rows later"
        hint = "Give the report as AWS made it, or close the quote."
    elif count < expected and text.tail.rstrip(b"\r\n").endswith(row.encode()):
        message = "the file is cut off in the middle of this row"
        hint = DOWNLOAD_AGAIN
    else:
        message = f"the row has {count_text(count, 'cell')}, the header {expected}"
        hint = (
            "Give the report as AWS made it, or put quotes round the cell that holds a separator."
        )
    return Problem(text.name, number, None, row[:LONGEST_SHOWN], message, hint)


# Cells that show damage


def local_date_problems(text: ReportText, table: pa.Table, odd: np.ndarray) -> Iterator[Problem]:
    """Yield a problem for each cell with a date of a local form.

    `odd` marks the suspects, `columns.TIMESTAMPS` by rows.
    """
    message = "a date in a local form"
    hint = "A spreadsheet rewrote it: give the report as AWS made it (2026-03-01T09:30:00Z)."
    for column, row in np.argwhere(odd):
        name = columns.TIMESTAMPS[column]
        value = table[name][row].as_py()
        if values.is_local_date(value):
            number = table[columns.ROW][row].as_py()
            yield Problem(text.name, number, name, value, message, hint)


def swallowed_row_problems(text: ReportText, table: pa.Table) -> Iterator[Problem]:
    """Yield a problem for each cell that holds other rows: its quote was closed too late.

    A report without quotes has no such cell.
    """
    message = "a quote opens in this cell and does not close, or only rows later"
    hint = "Give the report as AWS made it, or close the quote."
    for name in text.header.named_columns:
        cells = table[name].combine_chunks()
        if pc.max(pc.binary_length(cells)).as_py() > LONGEST_SHOWN:
            within = table.filter(pc.match_substring_regex(cells, _ROW_WITHIN))
            for row in within.select([columns.ROW, name]).to_pylist():
                value = row[name][:LONGEST_SHOWN]
                yield Problem(text.name, row[columns.ROW], name, value, message, hint)


def cut_off_problems(text: ReportText, last: pa.Table) -> Iterator[Problem]:
    """Yield a problem if the last row, without a line break, ends within its last cell."""
    name = text.header.names[-1]
    if name not in columns.TIMESTAMPS:
        return
    row, value = (last[column][-1].as_py() for column in (columns.ROW, name))
    # The cell is only the beginning of a timestamp or of AWS's word; all digits count as 0.
    shape = re.sub(r"\d", "0", value, flags=re.ASCII)
    if any(
        whole.startswith(form) and form != whole
        for whole in _LAST_CELL_SHAPES
        for form in (value, shape)
    ):
        message = "the file is cut off in this cell"
        yield Problem(text.name, row, name, value, message, DOWNLOAD_AGAIN)
