"""Read the CSV of reports into one Arrow table of text, and find damage.

A report may be cut off, saved again with local dates, or have lost a quote. An account has at most
5,000 users; many small reports are read at once, a large one in slices that stay small.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from analyzer import columns
from analyzer.errors import InputRefused, Problem
from analyzer.report import content, values
from analyzer.report.content import LongRow
from analyzer.report.input_formats import not_text, place_of_bad_byte
from analyzer.report.model import SLICE_ROWS, as_block
from analyzer.report.report_text import Header, ReportText, column_name
from analyzer.terms import LONGEST_SHOWN, NO_SIGN_IN, NO_VALUE, NOT_SUPPORTED, count_text

MOST_PROBLEMS = 1000
"""The most problems of one file that are kept; a file with more is not a report."""

DOWNLOAD_AGAIN: Final = "Download the report again, or save the AWS CLI's output again."
_OPEN_QUOTE: Final = "a quote opens in this row and does not close, or only rows later"
_CLOSE_QUOTE: Final = "Give the report as AWS made it, or close the quote."
_WORDS: Final = (NO_VALUE, NOT_SUPPORTED, NO_SIGN_IN)
"""AWS's words for a moment that there is not."""

_ROW_WITHIN: Final = r"(?s)[\r\n].*arn:"
"""The form of a cell that has swallowed a row: a line break, and later an ARN."""

_LONGEST_ROW: Final = 1 << 16
"""More characters than any row of a report has."""

SEPARATE_FILES = "Give the reports as files of their own."
_TEXT: Final = pa.large_string()
_DISTINCT: Final = pa.dictionary(pa.int32(), _TEXT)


_TYPES: Final = dict.fromkeys(columns.IN_REPORT, _TEXT) | dict.fromkeys(
    columns.OF_FEW_TEXTS, _DISTINCT
)


@dataclass(slots=True)
class Damage:
    """Collect the problems of a report, and the number of its rows that were mended."""

    problems: list[Problem] = field(default_factory=list)
    mended: int = 0


def read_together(texts: Sequence[ReportText]) -> pa.Table | None:
    """Return the rows of reports with the same header, None if one report is unusual.

    Columns: those of the report that are there, `row` (of the rows that are not blank; the header
    is row 1) and `file` (position in the texts) int64. A row of empty cells marks the beginning of
    each report. A blank row, a second header or an odd ARN looks like a mark: then there are more
    marks than reports. One by one, 1,000 reports take longer.
    """
    header = texts[0].header
    edge = f"\n{header.separator * (len(header.names) - 1)}\n".encode()
    together = b"".join(part for text in texts for part in (edge, text.rows))
    if b'"' in together:
        return None
    try:
        table = pa_csv.read_csv(pa.BufferReader(together), **_csv_options(header, len(together)))
    except pa.ArrowInvalid:
        return None
    is_edge = ~np.asarray(pc.starts_with(table[columns.ARN], "arn:"))
    edges = np.flatnonzero(is_edge)
    if len(edges) != len(texts):
        return None
    sizes = np.diff([*edges, len(table)])
    numbers = np.arange(len(table)) - np.repeat(edges, sizes)
    numbers += np.repeat([text.header.row for text in texts], sizes)
    file = np.repeat(np.arange(len(texts)), sizes)
    return _numbered(table.unify_dictionaries(), numbers, file).filter(pa.array(~is_edge))


def read_alone(text: ReportText, damage: Damage) -> Iterator[pa.Table]:
    """Yield the rows of a report in slices, in their order.

    The columns are those of `read_together`, `file` is 0. A report with problems may lack rows.
    Raises InputRefused if the bytes cannot be read, or are not text.
    """
    odd = OddRows(text.header)
    end, last, quoted, is_too_long = text.header.row, memoryview(b""), False, False
    try:
        for last, quoted in text.content.blocks(text.header.end):
            try:
                tables = () if is_too_long else _tables(text.header, last, odd, quoted=quoted)
                for table in filter(len, tables):
                    every = np.arange(end + 1, end + len(table) + len(odd.numbers) + 1)
                    numbers = np.setdiff1d(every, odd.numbers, assume_unique=True)[: len(table)]
                    end = int(numbers[-1])
                    odd.good += len(table)
                    rows = _with_mended(_numbered(table, numbers), odd.mended_until(end))
                    yield from _whole_rows(text, rows, damage, quoted=quoted)
            except pa.ArrowInvalid:
                is_too_long = True
    except LongRow:
        is_too_long = True
    except UnicodeDecodeError as undecoded:
        row, value = place_of_bad_byte(undecoded.object[: undecoded.start].decode())
        raise InputRefused([not_text(text.name, odd.read + row, value)]) from None
    ending = bytes(last).rstrip(b"\r\n") if odd.broken else b""
    damage.problems += (odd_row_problem(text, *row, ending) for row in odd.broken)
    if is_too_long and len(odd.broken) <= MOST_PROBLEMS:
        damage.problems.append(_long_row_problem(text.name, odd.read + 1, quoted=quoted))
    damage.mended = odd.mended_count
    if odd.mended:
        here = text.header.named_columns if quoted else text.header.report_columns
        yield from _whole_rows(text, _mended_rows(odd.mended, here), damage, quoted=quoted)


def _tables(
    header: Header, rows: memoryview, odd: "OddRows", *, quoted: bool
) -> Iterator[pa.Table]:
    """Yield the rows of a block, if it has any; in quotes, rows are longer than lines."""
    odd.before = odd.read
    options = _csv_options(header, len(rows), odd, quoted=quoted)
    if quoted:
        yield from _slices(pa_csv.open_csv(pa.BufferReader(rows), **options))
    else:
        yield pa_csv.read_csv(pa.BufferReader(rows), **options).unify_dictionaries()


def _slices(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Yield the rows of batches in tables of `SLICE_ROWS` rows or a little more, none empty.

    Raises pa.ArrowInvalid at a row that is longer than a block, after the rows before it.
    """
    waiting: list[pa.RecordBatch] = []
    stopped: pa.ArrowInvalid | None = None
    try:
        for batch in batches:
            waiting.append(batch)
            if sum(map(len, waiting)) >= SLICE_ROWS:
                yield pa.Table.from_batches(waiting).unify_dictionaries()
                waiting = []
    except pa.ArrowInvalid as invalid:
        stopped = invalid
    if any(map(len, waiting)):
        yield pa.Table.from_batches(waiting).unify_dictionaries()
    if stopped:
        raise stopped


def _mended_rows(rows: list[dict[str, Any]], names: Iterable[str]) -> pa.Table:
    """Return mended rows with these columns, and `row` and `file`."""
    table = pa.Table.from_pylist(rows, pa.schema([(name, _TEXT) for name in names]))
    for at, name in enumerate(table.column_names):
        if _TYPES.get(name) == _DISTINCT:  # The lowest pyarrow makes no dictionaries of lists.
            table = table.set_column(at, name, table[name].dictionary_encode())
    return _numbered(table, np.array([row[columns.ROW] for row in rows]))


def _with_mended(table: pa.Table, mended: list[dict[str, Any]]) -> pa.Table:
    """Return rows and the mended ones among them, in the order of the report."""
    if not mended:
        return table
    names = [name for name in table.column_names if name not in (columns.ROW, columns.FILE)]
    together = pa.concat_tables([table, _mended_rows(mended, names)])
    return together.unify_dictionaries().sort_by(columns.ROW)


def _whole_rows(
    text: ReportText, table: pa.Table, damage: Damage, *, quoted: bool
) -> Iterator[pa.Table]:
    """Yield the rows without blank ones and repeated headers; note damage within them."""
    table, order_problems = _without_headers(text, table)
    damage.problems += order_problems
    damage.problems += _swallowed_row_problems(text, table) if quoted else ()
    if len(table):
        yield table


def _numbered(table: pa.Table, numbers: np.ndarray, file: np.ndarray | None = None) -> pa.Table:
    """Return rows with their numbers and files, by default all of the first file."""
    files = np.zeros(len(table), np.int64) if file is None else file
    table = table.append_column(columns.ROW, pa.array(numbers))
    return table.append_column(columns.FILE, pa.array(files))


@dataclass(slots=True)
class OddRows:
    """Collect rows of another length: put unquoted commas back into user names, or keep the row.

    `before` is the number of the row before those that are parsed now, `good` counts the rows of
    the right length; `broken` are numbers and texts. `mended` are the mended rows that were not
    taken yet, of `mended_count` in all.
    """

    header: Header
    before: int = 0
    good: int = 0
    numbers: list[int] = field(default_factory=list)
    mended: list[dict[str, Any]] = field(default_factory=list)
    mended_count: int = 0
    broken: list[tuple[int, str]] = field(default_factory=list)

    @property
    def read(self) -> int:
        """Return the number of the last row that was parsed."""
        return self.header.row + self.good + len(self.numbers)

    def __call__(self, row: pa_csv.InvalidRow) -> str:
        """Collect a row, and return what Arrow shall do: skip it, or end the reading."""
        number = row.number + self.before
        self.numbers.append(number)
        cells = mended_cells(self.header, row.text)
        if cells is None:
            self.broken.append((number, row.text))
        elif cells:  # A blank row has no cells.
            named = zip(self.header.names, cells, strict=True)
            self.mended.append({**dict(named), columns.ROW: number})
            self.mended_count += 1
        return "skip" if len(self.broken) <= MOST_PROBLEMS else "error"

    def mended_until(self, end: int) -> list[dict[str, Any]]:
        """Take the mended rows before the row of this number."""
        taken = [row for row in self.mended if row[columns.ROW] < end]
        self.mended = self.mended[len(taken) :]
        return taken


def _csv_options(
    header: Header, block: int, odd: OddRows | None = None, *, quoted: bool = False
) -> dict[str, Any]:
    return {
        "read_options": pa_csv.ReadOptions(
            use_threads=False,
            block_size=min(max(block, 1), content.BLOCK_BYTES),
            column_names=header.names,
        ),
        "parse_options": pa_csv.ParseOptions(
            delimiter=header.separator, newlines_in_values=quoted, invalid_row_handler=odd
        ),
        "convert_options": pa_csv.ConvertOptions(
            column_types=dict.fromkeys(header.names, _TEXT) | _TYPES,
            # A lost quote can hide rows in any column.
            include_columns=header.named_columns if quoted else header.report_columns,
            strings_can_be_null=False,
        ),
    }


def _without_headers(text: ReportText, table: pa.Table) -> tuple[pa.Table, list[Problem]]:
    """Drop blank rows and repeated headers of concatenated reports.

    Return also the problems of headers with another order of columns.
    """
    is_suspect = pc.invert(pc.starts_with(table[columns.ARN], "arn:"))
    suspects = table.filter(is_suspect).to_pylist()
    headers = [row for row in suspects if is_header(row.values())]
    blank = [row for row in suspects if is_blank(row[name] for name in text.header.report_columns)]
    dropped = pa.array([row[columns.ROW] for row in (*headers, *blank)], pa.int64())
    if not dropped:  # A filter would copy all rows.
        return table, []
    kept = table.filter(pc.invert(pc.is_in(table[columns.ROW], dropped)))
    return kept, [*_column_order_problems(text, headers)]


def _column_order_problems(text: ReportText, headers: list[dict[str, Any]]) -> Iterator[Problem]:
    """Yield the problem of the first column that stands elsewhere in each repeated header."""
    message = "a second header starts here, with its columns in another order"
    for row in headers:
        for column in text.header.named_columns:
            if column in row and column_name(row[column]) != column:
                value = row[column]
                yield Problem(text.name, row[columns.ROW], column, value, message, SEPARATE_FILES)
                break


def _long_row_problem(name: str, row: int, *, quoted: bool) -> Problem:
    """Return the problem of a row that is longer than a block: no row of a report is."""
    message, hint = f"the row is longer than {content.BLOCK_BYTES} bytes", DOWNLOAD_AGAIN
    if quoted:
        message, hint = _OPEN_QUOTE, _CLOSE_QUOTE
    return Problem(name, row, None, None, message, hint)


# Rows of another length


def mended_cells(header: Header, row: str) -> list[str] | None:
    """Return the cells of the mended row, none for a blank row, None if it cannot be mended."""
    if len(row) > _LONGEST_ROW:
        return None
    cells = _cells(row, header)
    if is_blank(cells) and row.count('"') % 2 == 0:
        return []
    return _with_comma_in_name(cells, header) or None


def is_header(cells: Iterable[object]) -> bool:
    """Return whether a row is the header once more, whatever the order of its columns."""
    names = {str(cell).strip("\ufeff ").lower() for cell in cells}
    return len(names.intersection(columns.IN_REPORT)) > 2


def is_blank(cells: Iterable[str]) -> bool:
    """Return whether all cells of a row are blank; spreadsheets leave such rows at the end."""
    return not any(map(str.strip, cells))


def _cells(row: str, header: Header) -> list[str]:
    return next(csv.reader([row], delimiter=header.separator), [])


def _with_comma_in_name(cells: list[str], header: Header) -> list[str]:
    """Return the cells with the commas back in the user name, or no cells if that is unsure.

    The name lacks its quotes only where commas separate cells. The ARN starts at the first cell
    that begins with `arn:`; the cells before it are the name. The ARN must end in the same name.
    """
    rest = len(header.names) - 2
    begins_with_name = header.names[:2] == (columns.USER, columns.ARN)
    if header.separator != "," or not begins_with_name or len(cells) <= len(header.names):
        return []
    head = ",".join(cells[: len(cells) - rest])
    match = re.fullmatch(r"(.+?),(arn:.+)", head, re.DOTALL)
    if match is None or not match[2].endswith("/" + match[1]):
        return []
    return [match[1], match[2], *cells[-rest:]]


def odd_row_problem(text: ReportText, number: int, row: str, ending: bytes) -> Problem:
    """Return the problem of a row of another length; `ending` is that of the report."""
    separator, expected = text.header.separator, len(text.header.names)
    is_long = len(row) > _LONGEST_ROW
    cells = row.split(separator, expected + 1) if is_long else _cells(row, text.header)
    count = len(cells)
    if is_header(cells):
        message, hint = "a second header with other columns", SEPARATE_FILES
    elif "\n" in row:
        message, hint = _OPEN_QUOTE, _CLOSE_QUOTE
    elif count < expected and ending.endswith(row.encode()):
        message = "the file is cut off in the middle of this row"
        hint = DOWNLOAD_AGAIN
    else:
        message = f"the row has {count_text(count, 'cell')}, the header {expected}"
        hint = (
            "Give the report as AWS made it, or put quotes round the cell that holds a separator."
        )
    return Problem(text.name, number, None, row[:LONGEST_SHOWN], message, hint)


# Cells that show damage


def local_date_problem(text: ReportText, row: int, column: str, value: str) -> Problem:
    """Return the problem of a date of which nothing shows whether day or month comes first."""
    message = "a date in a local form, which a spreadsheet wrote"
    return Problem(text.name, row, column, value, message, DOWNLOAD_AGAIN)


def _swallowed_row_problems(text: ReportText, table: pa.Table) -> Iterator[Problem]:
    """Yield a problem for each cell that holds other rows: its quote was closed too late."""
    message = "a quote opens in this cell and does not close, or only rows later"
    for name in text.header.named_columns if len(table) else ():
        cells = values.texts(as_block(table[name]))
        if pc.max(pc.binary_length(cells)).as_py() > LONGEST_SHOWN:
            within = table.filter(pc.match_substring_regex(cells, _ROW_WITHIN))
            for row in within.select([columns.ROW, name]).to_pylist():
                value = row[name][:LONGEST_SHOWN]
                yield Problem(text.name, row[columns.ROW], name, value, message, _CLOSE_QUOTE)


def cut_off_problems(text: ReportText, row: int, value: str) -> Iterator[Problem]:
    """Yield a problem if the last cell of a report is no value of its column, one of AWS's."""
    name = text.header.names[-1]
    if name in columns.TIMESTAMPS:
        is_value = value in _WORDS or values.cell_timestamp(value) or values.is_local_date(value)
    else:
        is_value = name not in columns.BOOLEANS or value.lower() in {"true", "false"}
    if not is_value:
        message = "the file is cut off in this cell, or a program rewrote it"
        yield Problem(text.name, row, name, value, message, DOWNLOAD_AGAIN)
