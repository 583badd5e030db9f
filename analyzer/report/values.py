"""Read cells of text, many at once: moments in AWS's forms and local ones, booleans, bytes.

Arrow reads the usual moments: with `to_datetime` a million rows take 1.7 times as long.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import lru_cache, wraps
from typing import Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.report.model import NO_MOMENT

_ARROW_TYPE: Final = pa.timestamp("s", "UTC")
_Z_LENGTH: Final = len("2024-04-22T19:47:52Z")

_OFFSET: Final = len("2024-04-22T19:47:52+00:00")
"""AWS writes the first form since 2024, and wrote the second before."""

_FORM: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)", re.ASCII)
_LOCAL_DATE: Final = re.compile(
    r"\s*(\d{1,2}[/.\-]\d{1,2}[/.\-]\d|\d{4}[/.\-]\d{1,2}[/.\-]\d{1,2} \d+:)"
)
_SHORTEST_LOCAL_DATE: Final = len("3/4/21")

YEARS: Final = range(1970, 2100)
"""The years of all moments in reports: a moment of another year is damaged."""

_END_SECONDS: Final = np.datetime64(f"{YEARS.stop}-01-01", "s").astype(np.uint64)


Reading: TypeAlias = Callable[[pa.Array], np.ndarray]


def of_each_text(read: Reading) -> Reading:
    """Let a function of texts read each text of a dictionary once."""

    @wraps(read)
    def read_cells(cells: pa.Array) -> np.ndarray:
        if not is_dictionary(cells):
            return read(cells)
        distinct = pa.concat_arrays([cells.dictionary, pa.nulls(1, cells.dictionary.type)])
        return np.asarray(read(distinct)[cells.indices.fill_null(len(cells.dictionary))])

    return read_cells


def is_dictionary(cells: pa.Array) -> bool:
    """Return whether each distinct text of a column is kept once."""
    return isinstance(cells, pa.DictionaryArray)


def texts(cells: pa.Array) -> pa.Array:
    """Return cells as large_string, also those of a dictionary."""
    return cells.dictionary_decode() if is_dictionary(cells) else cells


def _with_texts(cells: pa.DictionaryArray, distinct: pa.Array) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(cells.indices, distinct)


@of_each_text
def timestamps(cells: pa.Array) -> np.ndarray:
    """Return text cells as datetime64[s] in UTC, NaT where a cell has no date.

    A moment has a date, a time with seconds, and a zone (ISO 8601); fractions are cut off.
    """
    length = np.asarray(pc.binary_length(cells).fill_null(0))
    if length.max(initial=0) < _Z_LENGTH:
        return np.full(len(cells), NO_MOMENT)
    usual = (length == _Z_LENGTH) | (length == _OFFSET)
    unusual = ~usual & (length > _Z_LENGTH)
    try:
        alone = pc.if_else(pa.array(usual), cells, pa.scalar(None, cells.type))
        read = None if unusual.any() else alone.cast(_ARROW_TYPE)
    except pa.ArrowInvalid:
        read = None
    if read is None:  # Each text is parsed once.
        distinct = cells.dictionary_encode()
        moments = pa.array(map(cell_timestamp, distinct.dictionary.to_pylist()), _ARROW_TYPE)
        read = moments.take(distinct.indices)
    seconds = np.asarray(read.cast(pa.int64()).fill_null(-1))
    # As an unsigned number, a moment before 1970 is very late.
    known = seconds.view(np.uint64) < _END_SECONDS
    return np.where(known, seconds.view(NO_MOMENT.dtype), NO_MOMENT)


def cell_timestamp(text: str) -> datetime | None:
    """Return the moment of a cell in one of AWS's forms, None for any other text."""
    return timestamp(text) if _FORM.fullmatch(text) else None


@lru_cache(maxsize=1024)  # Many rows share the moments of a few reports.
def timestamp(text: str) -> datetime | None:
    """Return an ISO 8601 moment in UTC to the second, None for other text or a missing zone.

    Return None also for a year outside `YEARS`.
    """
    try:
        parsed = datetime.fromisoformat(text)
        moment = parsed.astimezone(UTC).replace(microsecond=0) if parsed.tzinfo else None
    except (ValueError, OverflowError):
        return None
    return moment if moment and moment.year in YEARS else None


def is_local_date(cell: str) -> bool:
    """Return whether a cell is a date whose day and month cannot be distinguished."""
    return len(cell) >= _SHORTEST_LOCAL_DATE and _LOCAL_DATE.match(cell) is not None


_BOOLEAN_WORDS: Final = pa.array(["true", "false"], pa.large_string())


def lowercase_booleans(cells: pa.Array) -> pa.Array:
    """Return the cells with booleans in lower case, all others as they are."""
    if is_dictionary(cells):
        return _with_texts(cells, lowercase_booleans(cells.dictionary))
    lower = pc.utf8_lower(cells)
    return pc.if_else(pc.is_in(lower, _BOOLEAN_WORDS), lower, cells)


def is_one_of(words: Iterable[str | None], cells: pa.Array) -> np.ndarray:
    """Return which cells are one of some words; None stands for a cell that is missing."""
    among = pa.array([*words], pa.large_string())
    return of_each_text(lambda texts: np.asarray(pc.is_in(texts, among)))(cells)


# Texts of several columns


def joined(*parts: pa.Array | str, between: str = "") -> pa.Array:
    """Return the parts of each row joined (large_string), null where one is null.

    A part that is a str is in every row.
    """
    kind = pa.large_string()
    cells = [pa.scalar(part, kind) if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(*cells, pa.scalar(between, kind))


def joined_present(*parts: pa.Array, between: str) -> pa.Array:
    """Return the parts of each row joined (large_string), without those that are null."""
    # Arrow leaves a row out if all its parts are null and are to be skipped.
    together = joined(*(joined(between, part).fill_null("") for part in parts))
    return pc.utf8_slice_codeunits(together, len(between))


# Moments as text, in UTC

_DAY_LENGTH: Final = len("2024-04-22")
_MINUTE_LENGTH: Final = len("2024-04-22 19:47")


def utc_texts(moments: pa.Array) -> pa.Array:
    """Return moments (timestamp, UTC) as `2024-04-22T19:47:52Z` (string), null where there is none.

    Arrow's cast, without a zone, is used because `strftime` takes nine times as long.
    """
    texts = _without_zone(moments)
    divided = pc.binary_replace_slice(texts, _DAY_LENGTH, _DAY_LENGTH + 1, "T")
    return pc.binary_replace_slice(divided, _Z_LENGTH - 1, _Z_LENGTH, "Z")  # at the end


_DAY_SECONDS: Final = 86_400
_FORM_OF_TEXT: Final = [("day", "S10"), ("T", "S1"), ("time", "S8"), ("Z", "S1")]


def second_texts(seconds: np.ndarray) -> pa.Array:
    """Return seconds since 1970 (uint32) as `2024-04-22T19:47:52Z` (large_string).

    The text of each day and of each second of a day is looked up: `utc_texts` takes ten times as
    long, and an analysis of 500,000 rows with it 1.03 times. Beyond `YEARS` the text means nothing.
    """
    day_texts, time_texts = _day_and_time_texts()
    days = seconds // _DAY_SECONDS
    lines = np.empty(len(seconds), _FORM_OF_TEXT)
    lines["day"] = day_texts.take(days, mode="clip")
    lines["T"] = b"T"
    lines["time"] = time_texts.take(seconds - days * _DAY_SECONDS)
    lines["Z"] = b"Z"
    ends = np.arange(len(seconds) + 1) * _Z_LENGTH
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(lines)]
    return pa.Array.from_buffers(pa.large_string(), len(seconds), buffers)


@lru_cache(maxsize=1)
def _day_and_time_texts() -> tuple[np.ndarray, np.ndarray]:
    """Return the text of each day since 1970 and of each second of a day (bytes)."""
    days = pa.array(np.arange(int(_END_SECONDS) // _DAY_SECONDS, dtype=np.int32), pa.date32())
    times = pa.array(np.arange(_DAY_SECONDS, dtype=np.int32), pa.time32("s"))
    day_texts, time_texts = (moments.cast(pa.string()).buffers()[2] for moments in (days, times))
    return np.frombuffer(day_texts, "S10", len(days)), np.frombuffer(time_texts, "S8", len(times))


def day_texts(moments: pa.Array) -> pa.Array:
    """Return the days of moments in UTC (large_string), null where there is none."""
    days = pc.utf8_slice_codeunits(_without_zone(moments), 0, _DAY_LENGTH)
    return days.cast(pa.large_string())


def minute_texts(moments: pa.Array) -> pa.Array:
    """Return moments as `2024-04-22 19:47` (large_string), null where there is none."""
    minutes = pc.utf8_slice_codeunits(_without_zone(moments), 0, _MINUTE_LENGTH)
    return minutes.cast(pa.large_string())


def _without_zone(moments: pa.Array) -> pa.Array:
    return moments.cast(pa.timestamp("s")).cast(pa.string())


def text_bytes(cells: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Return the bytes of all cells of a large_string array (uint8), without copying text.

    Return also where each cell begins in the array's memory, and where the last one ends.
    """
    _, offsets, text = cells.buffers()
    if not text:  # Arrow may have no text buffer if there are no cells, or only empty ones.
        return np.zeros(0, np.uint8), np.zeros(len(cells) + 1, np.int64)
    edges = np.frombuffer(offsets, np.int64)[cells.offset : cells.offset + len(cells) + 1]
    return np.frombuffer(text, np.uint8)[edges[0] : edges[-1]], edges


def first_bytes(cells: pa.Array) -> np.ndarray:
    """Return the first byte of each cell of a large_string array (uint8).

    It is undefined for empty cells.
    """
    data, edges = text_bytes(cells)
    if not len(data):
        return np.zeros(len(cells), np.uint8)
    first: np.ndarray = data.take(edges[:-1] - edges[0], mode="clip")
    return first


_WORD_BYTES: Final = 8
_HASHED_WORDS: Final = 4
_PRIME: Final = np.uint64(0x9E37_79B9_7F4A_7C15)


def text_hashes(cells: pa.Array) -> np.ndarray:
    """Return a number (uint64) for each cell of a large_string array, the same for equal cells.

    It is made of the length and the last 32 bytes. Python's hash takes five times as long.
    """
    data, edges = text_bytes(cells)
    starts, ends = edges[:-1] - edges[0], edges[1:] - edges[0]
    hashes: np.ndarray = (ends - starts).astype(np.uint64)
    if len(data) < _WORD_BYTES:
        return hashes
    words = np.ndarray(len(data) - _WORD_BYTES + 1, "<u8", data, strides=(1,))
    for back in range(_WORD_BYTES, (_HASHED_WORDS + 1) * _WORD_BYTES, _WORD_BYTES):
        at = np.minimum(np.maximum(ends - back, starts), len(words) - 1)
        # `take` copies the overlapping words first: a million users take 1.05 times as long.
        hashes = (hashes ^ words[at]) * _PRIME
        hashes ^= hashes >> np.uint64(32)
    hashes[ends - starts < _WORD_BYTES] = 0
    return hashes
