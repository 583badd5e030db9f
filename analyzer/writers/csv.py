"""Write users as CSV: one row each, stable columns, safe to open in a spreadsheet.

A cell that a spreadsheet would take for a formula gets an apostrophe in front of it; the ARN is
exact. Arrow joins the cells: with `to_csv` an analysis of a million rows takes 2.8 times as long.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import BinaryIO, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.account_names import account_name
from analyzer.analysis import Analysis
from analyzer.model import TEXT, AccountName, Page, ReportFile
from analyzer.terms import FORMULA_SIGNS, Verdict, utc_text
from analyzer.text_cells import first_bytes
from analyzer.writers.text_columns import (
    combinations,
    contains,
    content,
    joined,
    mapped,
    text_column,
)
from analyzer.writers.users import listed_pages, uncovered_user

_WORD_COLUMNS: Final = (
    columns.VERDICT,
    columns.REASON,
    columns.CERTAINTY,
    columns.CAVEATS,
    columns.EXEMPTION,
)
"""Columns of few words, next to each other; behind them come the two that a file has."""

_COLUMNS_BEFORE_WORDS: Final = columns.OF_USERS_CSV[: columns.OF_USERS_CSV.index(_WORD_COLUMNS[0])]
_COLUMNS_AFTER_WORDS: Final = columns.OF_USERS_CSV[
    columns.OF_USERS_CSV.index(columns.AS_OF_SOURCE) + 1 : -1
]

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

    With `raw` no apostrophe is put before what looks like a formula: for machines only.
    """
    stream.write(",".join(columns.OF_USERS_CSV).encode() + b"\n")
    report = analysis.report
    of_files = _file_columns(report.files)
    for page in listed_pages(analysis, verdicts):
        stream.write(_lines(page, of_files, report.account_names, raw=raw))
    uncovered = [
        {
            **uncovered_user(each),
            columns.ACCOUNT_NAME: account_name(each.account, report.account_names),
        }
        for each in report.not_covered
    ]
    stream.write(text_lines(uncovered, columns.OF_USERS_CSV, raw=raw))


def _file_columns(files: Sequence[ReportFile]) -> pa.Array:
    """Return what is the same for all users of a file, `as_of` and `as_of_source`, joined."""
    texts = [f"{utc_text(file.as_of)},{file.as_of_source.value}" for file in files]
    return text_column(texts)


def _lines(
    page: Page, of_files: pa.Array, names: Mapping[str, AccountName], *, raw: bool
) -> memoryview:
    def cells(name: str) -> pa.Array:
        texts = text_column(page.users[name] if name in columns.JUDGED else page.cells[name])
        return _csv_cells(texts, raw=raw)

    words = _joined_category_columns(page, of_files, raw=raw)
    named = _account_name_cells(page.users[columns.ACCOUNT], names, raw=raw)
    return _rows(
        [*map(cells, _COLUMNS_BEFORE_WORDS), words, *map(cells, _COLUMNS_AFTER_WORDS), named]
    )


def _account_name_cells(
    accounts: pd.Series, names: Mapping[str, AccountName], *, raw: bool
) -> pa.Array:
    """Return the name of each row's account; few accounts occur, and each is spelled once."""
    named = mapped(accounts, lambda account: account_name(account, names))
    return _csv_cells(named.dictionary, raw=raw).take(named.indices)


def frame_lines(frame: pd.DataFrame, *, raw: bool) -> memoryview:
    """Return the rows of a frame as bytes, whatever text stands in it."""
    if frame.empty:
        return memoryview(b"")
    return _rows([_csv_cells(text_column(frame[name]), raw=raw) for name in frame])


def text_lines(
    rows: Iterable[Mapping[str, str]], header: Sequence[str], *, raw: bool
) -> memoryview:
    """Return rows of text as bytes; a column that a row does not have stays empty."""
    if not (every := list(rows)):
        return memoryview(b"")
    frame = pd.DataFrame(every, columns=list(header), dtype=TEXT).fillna("")
    return frame_lines(frame, raw=raw)


def _rows(texts: Sequence[pa.Array]) -> memoryview:
    """Return rows of columns as bytes; they lie in Arrow's memory one behind the other."""
    return content(joined(*texts[:-1], joined(texts[-1], "\n"), between=","))


def _joined_category_columns(page: Page, of_files: pa.Array, *, raw: bool) -> pa.Array:
    """Return the columns of few words joined, each combination that occurs only once.

    With each column joined for itself a million rows take 1.11 times as long.
    """
    columns_of_words = [page.users[name].cat for name in _WORD_COLUMNS]
    words = [_csv_cells(text_column(each.categories), raw=raw) for each in columns_of_words]
    codes = [each.codes.to_numpy() for each in columns_of_words]
    every = [*codes, page.users[columns.FILE].to_numpy()]
    combined, occurring = combinations(every, [*map(len, words), len(of_files)])
    parts = zip((*words, of_files), occurring, strict=True)
    distinct = joined(*(texts.take(pa.array(at)) for texts, at in parts), between=",")
    return distinct.take(combined)


def _csv_cells(texts: pa.Array, *, raw: bool) -> pa.Array:
    return _quoted(texts if raw else _formula_safe(texts))


def _formula_safe(texts: pa.Array) -> pa.Array:
    if not _MAY_BE_FORMULA.take(first_bytes(texts)).any():
        return texts
    return pc.if_else(pc.match_substring_regex(texts, _FORMULA), joined("'", texts), texts)


def _quoted(texts: pa.Array) -> pa.Array:
    """Put quotes round the cells that need them, if the bytes show that any does."""
    if not contains(texts, _SPECIAL):
        return texts
    special = pc.match_substring_regex(texts, '[",\n\r]')
    doubled = pc.replace_substring(texts, '"', '""')
    return pc.if_else(special, joined('"', doubled, '"'), texts)
