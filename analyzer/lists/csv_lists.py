"""Read CSV lists that people maintain, strictly."""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import zip_longest
from typing import Final

from analyzer.errors import InputRefused, Problem
from analyzer.report.input_formats import place_of_bad_byte
from analyzer.report.model import FileReference
from analyzer.terms import (
    FORMULA_SIGNS,
    account_with_zeros,
    missing_columns_text,
    printable,
)

RowProblems = Callable[[str, int, Mapping[str, str]], Iterator[Problem]]
"""Yields the problems of one row, from the file's name, the row's number and its cells by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListForm:
    """Name the columns that a list must have, and those that it may have besides.

    Other columns are not read, or with `refuses_others` are refused. In a list that is written
    `by_program`, the last row has all its cells; otherwise the file is cut off.
    """

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    refuses_others: bool = False
    by_program: bool = False
    hint: str = ""


def file_reference(name: str, content: bytes) -> FileReference:
    """Return the name of a file, as outputs can show it, with its SHA-256."""
    return FileReference(name=printable(name), sha256=hashlib.sha256(content).hexdigest())


def list_rows(
    name: str, content: bytes, form: ListForm, problems_of: RowProblems
) -> list[tuple[int, Mapping[str, str]]]:
    """Return each row's number and its cells by lower-case column; empty rows are skipped.

    Raises InputRefused with every problem: bytes that are not UTF-8, a column that is missing,
    unknown or there twice, a row with too many cells, the problems that `problems_of` yields; or
    for a file that is cut off.
    """
    name = printable(name)
    first, *rows = _rows(name, _text(name, content))
    header = [cell.lower() for cell in first]
    if problems := list(_problems_of_header(name, header, form)):
        raise InputRefused(problems)
    is_open_ended = form.by_program and not content.endswith((b"\n", b"\r"))
    if is_open_ended and rows and len(rows[-1]) < len(header):
        problem = "the last line is cut off", "Restore the file: a part of it is lost."
        raise InputRefused([Problem(name, len(rows) + 1, None, None, *problem)])
    numbered = [(row, cells) for row, cells in enumerate(rows, start=2) if any(cells)]
    if problems := [
        problem for row in numbered for problem in _problems(name, header, row, form, problems_of)
    ]:
        raise InputRefused(problems)
    return [(row, _named_cells(header, cells)) for row, cells in numbered]


def cut_account_problems(name: str, row: int, account: str) -> Iterator[Problem]:
    """Yield a problem for an account that lost its leading zeros: it would match no user."""
    if meant := account_with_zeros(account):
        hint = f"Did you mean {meant}? A spreadsheet cuts leading zeros."
        yield Problem(name, row, "account", account, "an account has 12 digits", hint)


def is_day(text: str) -> bool:
    """Return whether a text is a date as YYYY-MM-DD."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        hint = "Save it as a CSV in UTF-8."
        if content.startswith(b"PK"):
            message = "it is a workbook or an archive, not a CSV"
            hint += " Decisions in a workbook: credreport collect."
            raise InputRefused.of_file(name, message, hint) from None
        row, value = place_of_bad_byte(content[: error.start].decode())
        raise InputRefused([Problem(name, row, None, value, "not UTF-8 text", hint)]) from None


def _rows(name: str, text: str) -> list[list[str]]:
    # Of a long list, StringIO holds four bytes a character.
    lines, head = io.TextIOWrapper(io.BytesIO(text.encode()), "utf-8"), text.partition("\n")[0]
    separator = next((sign for sign in ",;\t" if sign in head), ",")  # Spreadsheets write any.
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True)
    try:
        return [[cell.strip() for cell in row] for row in reader] or [[]]
    except csv.Error as error:
        hint = "Check that every quote up to here is closed."
        raise InputRefused([Problem(name, reader.line_num, None, None, str(error), hint)]) from None


def _problems_of_header(name: str, header: list[str], form: ListForm) -> Iterator[Problem]:
    if missing := [column for column in form.required if column not in header]:
        hint = form.hint or f"The first row must be {','.join(form.required)}."
        yield Problem(name, 1, None, None, missing_columns_text(missing), hint)
    known = form.required + form.optional
    for column, count in Counter(filter(None, header)).items():
        if count > 1:
            yield Problem(name, 1, column, None, "the column is there twice", "Remove one of them.")
        if form.refuses_others and column not in known:
            hint = f"Remove it, or rename it: the columns are {', '.join(known)}."
            yield Problem(name, 1, column, None, "not a column of this list", hint)


def _problems(
    name: str,
    header: list[str],
    numbered: tuple[int, list[str]],
    form: ListForm,
    problems_of: RowProblems,
) -> Iterator[Problem]:
    row, cells = numbered
    for head, cell in zip(header, cells, strict=False) if form.refuses_others else ():
        if cell and not head:
            hint = "Empty the cell, or keep it in another file: it would be lost."
            yield Problem(name, row, None, cell, "the column of this cell has no name", hint)
    if len(cells) > len(header):
        hint = "Put quotes round a cell that holds a comma."
        yield Problem(name, row, None, None, "the row has more cells than the header", hint)
    else:
        yield from problems_of(name, row, _named_cells(header, cells))


def _named_cells(header: list[str], cells: list[str]) -> dict[str, str]:
    """Return cells by name, without the apostrophe that `users.csv` has before a formula."""
    exact = (cell[1:] if cell.startswith(_QUOTED_FORMULA) else cell for cell in cells)
    return dict(zip_longest(header, exact, fillvalue=""))


_QUOTED_FORMULA: Final = tuple(f"'{sign}" for sign in FORMULA_SIGNS)
