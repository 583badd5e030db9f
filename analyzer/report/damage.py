"""Find what shows that a report was damaged: cut off, re-saved with local dates, a lost quote."""

import csv
import re
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.errors import Problem
from analyzer.report import values
from analyzer.report.raw_report import Header, ReportText
from analyzer.terms import LONGEST_SHOWN, NO_VALUE, NOT_SUPPORTED, count_text

DOWNLOAD_AGAIN: Final = "Download the report again, or save the AWS CLI's output again."
_TIMESTAMP: Final = "0000-00-00T00:00:00+00:00"
_CELL_WORDS: Final = (NO_VALUE, NOT_SUPPORTED)

_ROW_WITHIN: Final = r"(?s)[\r\n].*arn:"
"""A cell that holds a row of its own is wider than that, and looks so."""


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

    Without quotes there is none.
    """
    message = "a quote opens in this cell and does not close, or only rows later"
    hint = "Give the report as AWS made it, or close the quote."
    for name in text.header.named_columns:
        cells = table[name].combine_chunks()
        if (pc.max(pc.binary_length(cells)).as_py() or 0) > LONGEST_SHOWN:
            within = table.filter(pc.match_substring_regex(cells, _ROW_WITHIN))
            for row in within.select([columns.ROW, name]).to_pylist():
                value = row[name][:LONGEST_SHOWN]
                yield Problem(text.name, row[columns.ROW], name, value, message, hint)


def cut_off_problems(text: ReportText, last: pa.Table) -> Iterator[Problem]:
    """Yield a problem if the last row, which no line break ends, ends within its last cell."""
    name = text.header.names[-1]
    if name not in columns.TIMESTAMPS:
        return
    row, value = (last[column][-1].as_py() for column in (columns.ROW, name))
    if _is_cut_off(value):
        yield Problem(
            text.name, row, name, value, "the file is cut off in this cell", DOWNLOAD_AGAIN
        )


def _is_cut_off(cell: str) -> bool:
    """Return whether a cell is the beginning only of a timestamp or of one of AWS's words."""
    shape = re.sub(r"\d", "0", cell, flags=re.ASCII)
    wholes = (_TIMESTAMP, *_CELL_WORDS)
    return any(
        whole.startswith(each) for whole in wholes for each in (cell, shape) if each != whole
    )


_LONGEST_ROW: Final = 1 << 16
"""No row of a report has so many characters."""

SEPARATE_FILES = "Give the reports as files of their own."


def mended_row(text: ReportText, number: int, row: str) -> list[str] | Problem:
    """Return the cells of a row put right, none for a blank one, or what is wrong with it."""
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
    """Return whether a row says nothing, as spreadsheets leave them below the last one."""
    return not any(map(str.strip, cells))


def _cells(row: str, header: Header) -> list[str]:
    try:
        return next(csv.reader([row], delimiter=header.separator), [])
    except csv.Error:  # a line break outside of quotes
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


def _problem(text: ReportText, number: int, row: str, cells: list[str]) -> Problem:
    count, expected = len(cells), len(text.header.names)
    if is_header(cells):
        message, hint = "a second header with other columns", SEPARATE_FILES
    elif '"' in row and "\n" in row:
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
