"""Put users into the columns that all formats share, turn columns into text, and write CSV.

A cell of CSV that a spreadsheet would read as a formula gets a leading apostrophe.
An ARN is never changed, since none begins like a formula. Arrow joins
the cells: with `to_csv` an analysis of a million rows takes 2.8 times as long.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.report.model import SLICE_ROWS, NotCovered, account_name, arrow_array
from analyzer.report.report import Report
from analyzer.report.users import Users
from analyzer.report.values import first_bytes, is_dictionary, is_one_of, joined, utc_texts
from analyzer.terms import FORMULA_SIGNS, NOT_COVERED, Verdict

if TYPE_CHECKING:
    import pandas as pd

Table: TypeAlias = "Mapping[str, Any] | pd.DataFrame"
"""Columns by name: series or Arrow arrays with a value for each row."""

# Users

USER_COLUMNS: Final = (
    *(*columns.JUDGED, *columns.REPORT_ONLY, *columns.OWNERSHIP),
    *(columns.FILE, columns.ROW),
)
"""The columns of users, besides the name of the account."""


def file_columns(report: Report) -> Callable[[Table], dict[str, pa.DictionaryArray]]:
    """Return a function that gives `file` (its name), `as_of`, `as_of_source` and `account_name`.

    Its argument is a table with the position of the file in `file`, and with `account`.
    """
    files = report.files
    values = {
        columns.FILE: [file.name for file in files],
        columns.AS_OF: pa.array([file.as_of for file in files], pa.timestamp("s", "UTC")),
        columns.AS_OF_SOURCE: [file.as_of_source.value for file in files],
    }
    of_files = {name: arrow_array(value).dictionary_encode() for name, value in values.items()}

    def of_rows(rows: Table) -> dict[str, pa.DictionaryArray]:
        at = arrow_array(rows[columns.FILE])
        of_rows = {name: values.take(at) for name, values in of_files.items()}
        return {**of_rows, columns.ACCOUNT_NAME: _account_names(report, rows)}

    return of_rows


def _account_names(report: Report, rows: Table) -> pa.DictionaryArray:
    known = report.account_names
    return mapped(rows[columns.ACCOUNT], lambda account: account_name(account, known))


def uncovered_table(
    report: Report, row: Callable[[NotCovered], Mapping[str, str]], names: Sequence[str]
) -> Iterator[Table]:
    """Yield one table of the accounts that could not be read, if there are any."""
    if report.not_covered:
        cells = [row(account) for account in report.not_covered]
        rows = {name: pa.array([of_row.get(name) for of_row in cells], TEXT_TYPE) for name in names}
        yield {**rows, columns.ACCOUNT_NAME: _account_names(report, rows)}


def listed_users(
    analysis: Analysis, verdicts: Collection[Verdict]
) -> Iterator[tuple[Users, dict[str, Any]]]:
    """Return each page of the users with one of the verdicts, and its table.

    The table has `USER_COLUMNS` and the name of the account.
    """
    of_rows, words = file_columns(analysis.report), list(map(str, verdicts))

    def table(page: Users) -> tuple[Users, dict[str, Any]]:
        rows = {columns.ACCOUNT: page.account, columns.FILE: page.file, columns.ROW: page.row}
        return page, {**page.text, **page.added, **rows, **of_rows(rows)}

    def listed(page: Users) -> Users:
        return page.where(is_one_of(words, page.added[columns.VERDICT]))

    # A loop would keep a page in memory while the next one is built.
    return map(table, filter(len, map(listed, analysis.judged.slices())))


def user_tables(analysis: Analysis, verdicts: Collection[Verdict]) -> Iterator[Table]:
    """Yield the users with one of the verdicts, then the accounts that could not be read."""
    yield from map(itemgetter(1), listed_users(analysis, verdicts))
    yield from uncovered_table(analysis.report, _uncovered_user, USER_COLUMNS)


def _uncovered_user(account: NotCovered) -> Mapping[str, str]:
    return {
        columns.ACCOUNT: account.label,
        columns.VERDICT: NOT_COVERED,
        columns.REASON: str(account),
    }


# Columns

_ROW_BITS: Final = 32


def row_keys(rows: Table) -> np.ndarray:
    """Return a number for each row of a report, of users or of findings (int64)."""
    file, row = (np.asarray(rows[name], np.int64) for name in (columns.FILE, columns.ROW))
    keys: np.ndarray = (file << _ROW_BITS) | row
    return keys


TEXT_TYPE: Final = pa.large_string()
_VALUES_AT_ONCE: Final = 4_096  # a Python object takes many times the memory of a value in a column

Texts: TypeAlias = "pa.Array | pd.Series | pd.Index | Sequence[str]"


def plain_rows(table: Table, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Yield the values of these columns row by row, ready for a JSON encoder.

    Moments are ISO text; a missing value is None.
    """
    return zip(*(_plain_values(arrow_array(table[name])) for name in names), strict=True)


def plain_objects(table: Table, names: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    """Yield the rows of `plain_rows` as objects, with these names in this order, or with all."""
    chosen = names or [*table]
    return map(dict, map(zip, repeat(chosen), plain_rows(table, chosen)))


def _plain_values(values: pa.Array) -> Iterator[Any]:
    if pa.types.is_dictionary(values.type):
        words = [*_plain_values(values.dictionary), None]
        return map(words.__getitem__, _plain_values(values.indices.fill_null(-1)))
    starts = range(0, len(values), _VALUES_AT_ONCE)
    parts = (values.slice(start, _VALUES_AT_ONCE) for start in starts)
    return chain.from_iterable(_with_moments_as_text(part).to_pylist() for part in parts)


def _with_moments_as_text(values: pa.Array) -> pa.Array:
    """Return moments as ISO text, moments without a zone as days, other values unchanged."""
    if not pa.types.is_timestamp(values.type):
        return values
    return utc_texts(values) if values.type.tz else values.cast(pa.date32())


def text_column(texts: Texts) -> pa.Array:
    """Return values as text (large_string), empty where one is missing; moments as ISO text."""
    values = arrow_array(texts)
    values = values.dictionary_decode() if pa.types.is_dictionary(values.type) else values
    cells = _with_moments_as_text(values).cast(TEXT_TYPE)
    return cells.fill_null("") if cells.null_count else cells


def coded(texts: Texts) -> pa.DictionaryArray:
    """Return texts as codes of words, empty where one is missing.

    If a category has more words than there are rows, only the words that occur are kept.
    """
    words = arrow_array(texts)
    is_coded = pa.types.is_dictionary(words.type) and not words.null_count
    if is_coded and len(words.dictionary) <= len(words):
        return words
    return text_column(words).dictionary_encode()


def mapped(texts: Texts, text_of: Callable[[str], str]) -> pa.DictionaryArray:
    """Return a new text for each text; the function is called once per distinct text."""
    words = coded(texts)
    others = text_column([text_of(text) for text in words.dictionary.to_pylist()])
    return pa.DictionaryArray.from_arrays(words.indices, others)


def contains(texts: pa.Array, marks: Sequence[bytes], *, below: bytes = b"\0") -> bool:
    """Return whether the bytes of all cells have one of the marks, or a byte less than `below`.

    A pattern takes ten times as long; most columns have no such byte.
    """
    text = cell_bytes(texts)
    least = int(np.frombuffer(text, np.uint8).min()) if text else 255
    if least < ord(below):
        return True
    copied = bytes(text) if least <= max(mark[0] for mark in marks) else b""
    return any(mark in copied for mark in marks)


def cell_bytes(texts: pa.Array) -> memoryview:
    """Return the bytes of all cells, one cell after the other, without copying them."""
    _, offsets, text = texts.buffers()
    if not len(texts) or text is None:
        return memoryview(b"")
    ends = np.frombuffer(offsets, np.int64)
    return memoryview(text)[ends[texts.offset] : ends[texts.offset + len(texts)]]


# CSV

_MAY_BE_FORMULA: Final = np.isin(np.arange(256), [sign.encode()[0] for sign in FORMULA_SIGNS])
"""For each byte, whether a formula may begin with it."""

_MOST_COMBINED: Final = 65_536
"""The most combinations of words of neighbouring columns that are looked for."""


def write_csv(analysis: Analysis, stream: BinaryIO, verdicts: Collection[Verdict]) -> None:
    """Write the users with one of the verdicts, in the report's order.

    An account that could not be read has a row of its own at the end, whatever the `verdicts`: its
    verdict is `NOT_COVERED`, its reason says why, and it has no user.
    """
    write_tables(user_tables(analysis, verdicts), columns.OF_USERS_CSV, stream)


def write_follow_up(analysis: Analysis, stream: BinaryIO) -> None:
    """Write the outcomes of earlier decisions, one row per decision (`follow_up.COLUMNS`)."""
    write_tables([analysis.follow_up], analysis.follow_up.columns, stream)


def write_tables(parts: Iterable[Table], names: Iterable[str], stream: BinaryIO) -> None:
    """Write a line of names, then these columns of each part."""
    header = [*names]
    stream.write(",".join(header).encode() + b"\n")
    for part in parts:
        cells = [arrow_array(part[name]) for name in header]
        for start in range(0, len(cells[0]), SLICE_ROWS):
            stream.write(_lines([column.slice(start, SLICE_ROWS) for column in cells]))


def _lines(columns: Iterable[pa.Array]) -> memoryview:
    *cells, last = _with_neighbours_joined(map(_cells, columns))
    # In Arrow's memory the bytes of a row follow those of the row before.
    return cell_bytes(joined(*cells, joined(last, "\n"), between=","))


def _with_neighbours_joined(cells: Iterable[pa.Array]) -> Iterator[pa.Array]:
    """Yield the columns as text, coded neighbours as one column; each combination is joined once.

    With each column joined on its own 500,000 rows take 1.07 times as long.
    """
    waiting: pa.DictionaryArray | None = None
    for column in cells:
        is_coded = is_dictionary(column)
        if waiting is not None and is_coded and _combinations(waiting, column) <= _MOST_COMBINED:
            waiting = _combined(waiting, column)
            continue
        if waiting is not None:
            yield waiting.dictionary_decode()
        waiting = column if is_coded else None
        if not is_coded:
            yield column
    if waiting is not None:
        yield waiting.dictionary_decode()


def _combinations(first: pa.DictionaryArray, second: pa.DictionaryArray) -> int:
    return len(first.dictionary) * len(second.dictionary)


def _combined(first: pa.DictionaryArray, second: pa.DictionaryArray) -> pa.DictionaryArray:
    """Return two columns as one: the words of each row, with a comma between them."""
    of_second = len(second.dictionary)
    code = first.indices.to_numpy().astype(np.int64) * of_second + second.indices.to_numpy()
    occurring = np.flatnonzero(np.bincount(code))
    position = np.zeros(_combinations(first, second), np.int32)
    position[occurring] = np.arange(len(occurring))
    words = joined(
        first.dictionary.take(pa.array(occurring // of_second)),
        second.dictionary.take(pa.array(occurring % of_second)),
        between=",",
    )
    return pa.DictionaryArray.from_arrays(position[code], words)


def _cells(values: pa.Array) -> pa.Array:
    """Return a column as cells of CSV; a coded column stays coded.

    A look at the bytes shows first whether any cell may be a formula or need quotes.
    """
    if is_dictionary(values):
        words = coded(values)
        return pa.DictionaryArray.from_arrays(words.indices, _cells(words.dictionary))
    cells = text_column(values)
    if _MAY_BE_FORMULA.take(first_bytes(cells)).any():
        is_formula = pc.match_substring_regex(cells, f"^[{re.escape(FORMULA_SIGNS)}]")
        cells = pc.if_else(is_formula, joined("'", cells), cells)
    if contains(cells, (b'"', b",", b"\n", b"\r")):
        quoted = joined('"', pc.replace_substring(cells, '"', '""'), '"')
        cells = pc.if_else(pc.match_substring_regex(cells, '[",\n\r]'), quoted, cells)
    return cells
