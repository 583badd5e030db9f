"""Survey small reports together; where anything in them is unusual, each by itself.

A call into Arrow costs as much for five hundred rows as for ten thousand: with a survey each, 1,000
reports of 500 rows take 1.6 times as long.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Final, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from analyzer import columns
from analyzer.errors import InputRefused
from analyzer.model import AccountRows
from analyzer.report import arns, damage, rows
from analyzer.report.raw_report import ReportText
from analyzer.report.survey import (
    ROW_BYTES_IN_MEMORY,
    RowRange,
    SurveyedReport,
    arn_hashes,
    survey,
    timestamp_columns,
    utc,
)

GROUPS: Final = 8
"""Reports are surveyed in at least so many groups, if there are as many: threads share them."""

LARGEST_GROUP: Final = 64
"""No more than so many reports gain anything in one go."""

T = TypeVar("T")


def grouped_by_size(
    openers: Sequence[Callable[[], ReportText]],
) -> Iterator[Sequence[Callable[[], ReportText]]]:
    """Yield the openers in groups of neighbours, each for one call of `survey_each`."""
    size = min(max(len(openers) // GROUPS, 1), LARGEST_GROUP)
    for start in range(0, len(openers), size):
        yield openers[start : start + size]


def survey_each(openers: Sequence[Callable[[], ReportText]]) -> list[SurveyedReport | InputRefused]:
    """Open reports and survey them, in their order, neighbours with the same header together."""
    return [*_rows_dropped_beyond(ROW_BYTES_IN_MEMORY // GROUPS, _surveyed_in_batches(openers))]


def _rows_dropped_beyond(
    limit: int, outcomes: Iterable[SurveyedReport | InputRefused]
) -> Iterator[SurveyedReport | InputRefused]:
    """Forget the rows beyond so many bytes, but those of the first report: groups are many."""
    kept = 0
    for each in outcomes:
        size = 0 if isinstance(each, InputRefused) else each.text.size
        beyond = kept and kept + size > limit
        kept += size
        yield replace(each, rows=None) if isinstance(each, SurveyedReport) and beyond else each


def _surveyed_in_batches(
    openers: Sequence[Callable[[], ReportText]],
) -> Iterator[SurveyedReport | InputRefused]:
    waiting: list[ReportText] = []
    for opener in openers:
        text = _value_or_refusal(opener)
        if isinstance(text, InputRefused) or not _fit_one_batch([*waiting, text]):
            yield from _surveyed_batch(waiting)
            waiting = []
        if isinstance(text, InputRefused):
            yield text
        else:
            waiting.append(text)
    yield from _surveyed_batch(waiting)


def _value_or_refusal(what: Callable[[], T]) -> T | InputRefused:
    try:
        return what()
    except InputRefused as refused:
        # Its traceback would keep alive what was read of the input.
        return InputRefused(refused.problems)


def _fit_one_batch(texts: Sequence[ReportText]) -> bool:
    """Return whether texts can be read in one go."""
    return (
        len({text.header.line for text in texts}) == 1
        and columns.ARN in texts[0].header.names
        and sum(text.size for text in texts) <= rows.BLOCK_BYTES
        and not any(text.quoted for text in texts)
    )


def _surveyed_batch(texts: Sequence[ReportText]) -> Sequence[SurveyedReport | InputRefused]:
    tables = _tables(texts) if len(texts) > 1 else []
    surveyed = _surveyed(texts, tables) if tables else []
    return surveyed or [_value_or_refusal(partial(survey, text)) for text in texts]


def _tables(texts: Sequence[ReportText]) -> list[pa.Table]:
    """Return the rows of each text, read in one go, or nothing where a row is unusual.

    A row of empty cells is put before each text to tell where its rows begin. A blank row within
    a text, a second header or an odd ARN makes more of them than there are texts.
    """
    header = texts[0].header
    edge = f"\n{header.separator * (len(header.names) - 1)}\n".encode()
    try:
        csv = b"".join(part for text in texts for part in (edge, _csv(text)))
        table = pa_csv.read_csv(pa.BufferReader(csv), **rows.csv_options(texts[0], len(csv)))
    except (pa.ArrowInvalid, OSError, InputRefused):
        return []
    edges = np.flatnonzero(~np.asarray(pc.starts_with(table[columns.ARN], "arn:")))
    if len(edges) != len(texts):
        return []
    ends = [*edges, len(table)]
    numbers = np.arange(len(table)) - np.repeat(edges, np.diff(ends))
    headers = np.repeat([text.header.row for text in texts], np.diff(ends))
    numbered = table.append_column(columns.ROW, pa.array(numbers + headers))
    return [numbered.slice(start + 1, end - start - 1) for start, end in pairwise(ends)]


def _csv(text: ReportText) -> bytes:
    stream = text.open()
    stream.seek(text.header.end)
    return bytes(stream.read())


def _surveyed(texts: Sequence[ReportText], tables: Sequence[pa.Table]) -> list[SurveyedReport]:
    """Return what each table holds, or nothing where one is empty or damaged."""
    counts = [*map(len, tables)]
    if not all(counts) or any(
        any(damage.cut_off_problems(*each)) for each in zip(texts, tables, strict=True)
    ):
        return []
    table = pa.concat_tables(tables).combine_chunks()
    ends = np.cumsum(np.array(counts, np.int64))
    starts = ends - counts
    timestamps = timestamp_columns(table)
    newest = np.fmax.reduceat(timestamps.newest, starts)
    if timestamps.odd.any() or np.isnat(newest).any():
        return []
    arn = table[columns.ARN].combine_chunks()
    root = np.asarray(arns.is_root(arn, table[columns.USER]))
    file = np.repeat(np.arange(len(texts)), counts)
    accounts = _accounts(file, arns.account_ids(arn, texts[0].account_id), root)
    hashed = np.split(arn_hashes(table), starts[1:])
    roots = table.filter(pa.array(root))
    root_ends = np.cumsum(np.bincount(file[root], minlength=len(texts)))
    return [
        SurveyedReport(
            text=text,
            accounts=accounts[at],
            newest=utc(newest[at]),
            arns=hashed[at],
            root_rows=RowRange(roots, *of_roots),
            rows=(RowRange(table, *of_rows),),
        )
        for at, (text, of_rows, of_roots) in enumerate(
            zip(texts, _ranges(ends), _ranges(root_ends), strict=True)
        )
    ]


def _ranges(ends: np.ndarray) -> Iterator[tuple[int, int]]:
    return pairwise([0, *ends.tolist()])


def _accounts(
    file: np.ndarray, account: pa.Array, root: np.ndarray
) -> list[tuple[AccountRows, ...]]:
    """Return each file's accounts in order, given the file, account and kind of each row."""
    encoded = account.dictionary_encode()
    names = encoded.dictionary.to_pylist()
    shape = int(file[-1]) + 1, len(names)
    place = np.ravel_multi_index((file, encoded.indices.to_numpy()), shape)
    rows, roots = (
        np.bincount(each, minlength=shape[0] * shape[1]).reshape(shape).tolist()
        for each in (place, place[root])
    )
    return [
        tuple(
            AccountRows(account=name, rows=count, roots=of_root)
            for name, count, of_root in sorted(zip(names, *of_file, strict=True))
            if count
        )
        for of_file in zip(rows, roots, strict=True)
    ]
