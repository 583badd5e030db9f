"""Open credential reports and make one Report of them."""

import hashlib
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import pyarrow as pa

from analyzer.errors import InputRefused
from analyzer.model import Report
from analyzer.report import input_formats
from analyzer.report.assemble import assemble_report
from analyzer.report.raw_report import ReportText, find_header
from analyzer.sources import companions
from analyzer.sources.find import Source, find_sources, unreadable_file
from analyzer.sources.manifest import manifests, with_listed_accounts

STREAMED: Final = 32 << 20
"""Plain CSV of more bytes than this is read in pieces, never whole."""

_HEAD: Final = 1 << 16
_TAIL: Final = 1 << 10


def load(
    *sources: str | Path,
    as_of: datetime | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Report:
    """Return all reports in the sources as one.

    A source is a file, a folder (searched with all below it), a pattern, a zip archive or `-`,
    each an argument of its own: `load(*paths)`.
    `as_of` is the moment that the reports describe, with its zone, where it is known better than
    from them; `progress` is told how many of how many inputs were read.

    Raises InputRefused with the problems of all inputs together, TypeError for what is no name or
    no moment, ValueError for a moment without its zone.
    """
    _check(sources, as_of)
    if as_of is not None:
        as_of = as_of.astimezone(UTC).replace(microsecond=0)
    names = [*map(str, sources)]
    return load_sources(names, find_sources(names), as_of, progress)


def _check(sources: Collection[object], as_of: object) -> None:
    if not sources:
        raise TypeError("load() needs at least one source")
    for source in sources:
        if not isinstance(source, str | os.PathLike):
            kind = type(source).__name__
            raise TypeError(f"a source is a str or a Path, not a {kind}: load(*paths) takes many")
    if as_of is not None and not isinstance(as_of, datetime):
        raise TypeError(f"as_of is a datetime with its zone, not {as_of!r}")
    if as_of is not None and as_of.tzinfo is None:
        raise ValueError(f"as_of lacks its zone: {as_of}")


def load_sources(
    names: Collection[str],
    inputs: Sequence[Source],
    as_of: datetime | None,
    progress: Callable[[int, int], None],
) -> Report:
    """Return as one all reports that were found for the names; `as_of` is in UTC to the second.

    Raises InputRefused with the problems of all inputs together.
    """
    report = assemble_report([partial(_open, each) for each in inputs], as_of, progress)
    told = replace(report, notes=(*_unread(inputs), *report.notes))
    return with_listed_accounts(told, manifests(names, inputs), inputs)


def _unread(inputs: Iterable[Source]) -> Iterator[str]:
    """Say what was saved beside reports and lies in archives, where it is not read."""
    aside = {each.name: None for source in inputs for each in source.aside}
    unread = [name for name in aside if not name.endswith(companions.MANIFEST)]
    if unread:
        yield f"Not read, since it lies in a zip archive (unpack it first): {', '.join(unread)}"


def _open(source: Source) -> ReportText:
    try:
        if source.path and source.path.stat().st_size > STREAMED:
            with source.path.open("rb") as stream:
                head = stream.read(_HEAD)
            if input_formats.is_plain(head):
                return _streamed(source.name, source.path, head)
        return _whole(source)
    except OSError as error:
        raise unreadable_file(source.name, error) from None


def _streamed(name: str, path: Path, head: bytes) -> ReportText:
    """Open a large CSV without holding it; its SHA-256 is made while the rows are read."""
    making = ThreadPoolExecutor(max_workers=1).submit(_digest, path)
    digest = partial(_made, name, making)
    size = path.stat().st_size
    return ReportText(
        name=name,
        size=size,
        sha256=digest,
        content=digest,
        header=find_header(name, head),
        open=_reopening(name, path),
        tail=_tail(path, size),
        metadata=companions.metadata(path, digest),
        service_credentials=companions.service_credentials(path),
    )


def _whole(source: Source) -> ReportText:
    data = source.read()
    opened = input_formats.unwrapped(source.name, data)
    plain = opened.csv == data
    sha256 = hashlib.sha256(data).hexdigest()
    content = sha256 if plain else hashlib.sha256(opened.csv).hexdigest()
    return ReportText(
        name=source.name,
        size=len(data),
        sha256=lambda: sha256,
        content=lambda: content,
        header=find_header(source.name, opened.csv[:_HEAD]),
        open=_reopening(source.name, source.path) if plain and source.path else _held(opened.csv),
        tail=opened.csv[-_TAIL:],
        quoted=b'"' in opened.csv,
        envelope=opened.generated,
        metadata=companions.metadata(source.path, lambda: sha256) if source.path else None,
        service_credentials=companions.service_credentials(source.path) if source.path else None,
    )


def _held(csv: bytes) -> Callable[[], pa.NativeFile]:
    return lambda: pa.BufferReader(csv)


def _reopening(name: str, path: Path) -> Callable[[], pa.NativeFile]:
    """Return what opens a file again, and refuses it if it is no longer the same."""
    first = path.stat()

    def reopened() -> pa.NativeFile:
        try:
            now = path.stat()
            if (now.st_size, now.st_mtime_ns) == (first.st_size, first.st_mtime_ns):
                return pa.OSFile(os.fsencode(path))
        except OSError:
            pass
        hint = "Something writes to it: copy the file and analyze the copy."
        message = "the file changed or went away while it was read"
        raise InputRefused.of_file(name, message, hint)

    return reopened


def _made(name: str, making: Future[str]) -> str:
    try:
        return making.result()
    except OSError as error:
        raise unreadable_file(name, error) from None


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _tail(path: Path, size: int) -> bytes:
    with path.open("rb") as stream:
        stream.seek(max(size - _TAIL, 0))
        return stream.read()
