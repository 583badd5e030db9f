"""Mend rows that have too many or too few cells, where their reading is certain.

No column is ever shifted: a user name with an unquoted comma, and a row glued to the next
report's header, are put right; anything else is a problem.
"""

import csv
import re
from collections.abc import Iterable

from analyzer import columns
from analyzer.errors import Problem
from analyzer.report.raw_report import Header
from analyzer.report.text import ReportText

APART = "Give the reports as files of their own."


def mend(text: ReportText, number: int, row: str) -> list[str] | Problem:
    """Return the cells of a row put right, none for a blank one, or what is wrong with it."""
    header = text.header
    cells = _cells(row.removesuffix(header.line).removesuffix("\ufeff"), header)
    if is_blank(cells) and row.count('"') % 2 == 0:
        return []
    if row.endswith(header.line) and len(cells) == len(header.names):
        return cells
    return _with_comma_in_name(cells, header) or _problem(text, number, row, cells)


def is_header(cells: Iterable[object]) -> bool:
    """Tell whether a row is the header once more, whatever the order of its columns."""
    names = {str(cell).strip("\ufeff ").lower() for cell in cells}
    return len(names.intersection(columns.REPORT)) > len(columns.REQUIRED) // 2


def is_blank(cells: Iterable[str]) -> bool:
    """Tell whether a row says nothing, as spreadsheets leave them below the last one."""
    return not any(map(str.strip, cells))


def _cells(row: str, header: Header) -> list[str]:
    try:
        return next(csv.reader([row], delimiter=header.separator), [])
    except csv.Error:  # A cell longer than any in a report.
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
    count, wanted = len(cells), len(text.header.names)
    if is_header(cells):
        message, hint = "a second header with other columns", APART
    elif '"' in row and "\n" in row:
        message = "a quote opens in this row and does not close, or only rows later"
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
