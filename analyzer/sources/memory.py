"""Take reports that are in memory: bytes, named bytes, file objects, and frames of text."""

import os
from collections.abc import Iterator
from io import BytesIO
from typing import IO, Any, BinaryIO, Final, TypeGuard, cast

import pandas as pd

from analyzer.report.input_size import InputLimit
from analyzer.sources.find import Source, stream_sources
from analyzer.terms import printable

NamedBytes = tuple[str, bytes]
"""The name of a report, which may say its as-of, and its content."""

MemorySource = bytes | NamedBytes | IO[Any] | pd.DataFrame

_READ_AS_TEXT: Final = "read it with pandas.read_csv(path, dtype=str, keep_default_na=False)"
_ACCEPTED_SOURCES: Final = (
    "a source is a path (str or Path), bytes, a pair (name, bytes), a file object or a DataFrame"
    " of text"
)


def is_memory_source(source: object) -> TypeGuard[MemorySource]:
    """Return whether a source is in memory, and not a path.

    Raises TypeError for what is no source, ValueError for a frame with missing cells.
    """
    if isinstance(source, str | os.PathLike):
        return False
    if isinstance(source, pd.DataFrame):
        _check_frame(source)
    elif not (isinstance(source, bytes) or _is_named_bytes(source) or hasattr(source, "read")):
        raise TypeError(
            f"{_ACCEPTED_SOURCES}, not a {type(source).__name__}: load(*paths) takes many"
        )
    return True


def memory_sources(source: MemorySource, number: int, limit: InputLimit) -> Iterator[Source]:
    """Yield the inputs that a source in memory stands for: several for a zip archive.

    `number` is the name of sources without one.
    """
    name, stream = _named_stream(source, number)
    yield from stream_sources(printable(name), stream, limit)


def _named_stream(source: MemorySource, number: int) -> tuple[str, BinaryIO]:
    if isinstance(source, pd.DataFrame):
        return f"DataFrame {number}", BytesIO(source.to_csv(index=False).encode())
    if isinstance(source, bytes):
        return f"bytes {number}", BytesIO(source)
    if isinstance(source, tuple):
        name, content = source
        return name, BytesIO(content)
    return _file_name(source) or f"file object {number}", _binary(source)


def _file_name(file: IO[Any]) -> str:
    """Return the name of a file object, nothing if it has none or a number."""
    name = getattr(file, "name", "")
    return name if isinstance(name, str) else ""


def _binary(file: IO[Any]) -> BinaryIO:
    """Return the file as bytes: reading nothing shows whether it gives text."""
    return (
        BytesIO(file.read().encode()) if isinstance(file.read(0), str) else cast("BinaryIO", file)
    )


def _is_named_bytes(source: object) -> bool:
    if not (isinstance(source, tuple) and len(source) == 2):
        return False
    name, content = source
    return isinstance(name, str) and bool(name) and isinstance(content, bytes)


def _check_frame(frame: pd.DataFrame) -> None:
    for name, column in frame.items():
        if pd.api.types.infer_dtype(column, skipna=True) not in ("string", "empty"):
            raise TypeError(f"column {name} of the DataFrame is not text: {_READ_AS_TEXT}")
        if column.hasnans:
            raise ValueError(f"column {name} of the DataFrame has missing cells: {_READ_AS_TEXT}")
