"""Find inputs: a file, a folder with all below it, a zip archive, standard input."""

import os
import sys
from collections.abc import Callable, Collection, Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

from analyzer.errors import InputRefused
from analyzer.files import missing_file_refusal, unreadable_file_refusal
from analyzer.report.input_formats import ZIP, InputLimit, read_report_bytes
from analyzer.sources.files_beside import BESIDE_ENDINGS
from analyzer.sources.source import (
    MAC_FOLDER,
    Source,
    cannot_be_report,
    is_visible,
    missing_source,
    refused_source,
    skipped_source,
)
from analyzer.terms import LONGEST_SHOWN, printable

STANDARD_INPUT: Final = "-"


def find_sources(names: Collection[str], limit: InputLimit | None = None) -> list[Source]:
    """Return all inputs that the names give, in name order, however they were given.

    Files saved beside reports are not inputs, even if a shell's `*` names them. A name that cannot
    be found is an input that raises when it is read, so that all problems come at once. `limit`
    counts the bytes that are read and unpacked.
    """
    reports = [name for name in names if _may_be_input(name)]
    bound = limit or InputLimit()
    return [source for name in sorted(reports or names) for source in _sources(name, bound)]


def _may_be_input(name: str) -> bool:
    """Return whether a name is neither a file beside reports nor the folder that a Mac adds."""
    return Path(name).name != MAC_FOLDER and not name.endswith(BESIDE_ENDINGS)


def _sources(name: str, limit: InputLimit) -> Iterator[Source]:
    path = Path(name)
    try:
        if not name:
            hint = "Name a file or a folder (. for this one); perhaps a shell variable is not set."
            yield missing_source('""', "the name of a source is empty", hint)
        elif name == STANDARD_INPUT:
            piped = sys.stdin.buffer if sys.stdin else BytesIO()
            yield from stream_sources("standard input", piped, limit)
        elif "\n" in name and not os.path.exists(name):  # noqa: PTH110  never raises
            hint = "Name a file, or pass the text of a report as bytes."
            shown = name if len(name) <= LONGEST_SHOWN else f"{name[:LONGEST_SHOWN]}…"
            yield missing_source(shown, "this is text, not a path", hint)
        elif path.is_dir():
            yield from _folder_sources(path, limit)
        elif path.is_file():
            yield from _file_sources(name, path, limit)
        else:
            path.stat()
            yield _irregular_source(name)
    except (FileNotFoundError, ValueError):  # no file has a NUL in its name
        yield refused_source(name, missing_file_refusal(name))
    except OSError as error:
        yield refused_source(name, unreadable_file_refusal(name, error))


def _folder_sources(folder: Path, limit: InputLimit) -> Iterator[Source]:
    """Yield every file below a folder, without hidden files and files beside a report."""
    unreadable: list[OSError] = []
    names = [*filter(_may_be_input, map(str, files_below(folder, unreadable.append)))]
    yield from map(_unreadable_source, unreadable)
    sources = [source for name in names for source in _listed_path_sources(name, limit)]
    yield from sources
    if all(source.is_skipped for source in sources) and not unreadable:
        what = "no report, only files of other kinds" if sources else "no file"
        yield missing_source(str(folder), f"the folder holds {what}", "Name a folder of reports.")


def _unreadable_source(error: OSError) -> Source:
    """Return an input that is refused, for a folder that cannot be searched."""
    return refused_source(str(error.filename), unreadable_file_refusal(str(error.filename), error))


def _listed_path_sources(name: str, limit: InputLimit) -> Iterator[Source]:
    """Yield the inputs at a path that a folder lists."""
    path = Path(name)
    if cannot_be_report(path):
        yield skipped_source(name)
    elif path.is_file():
        yield from _file_sources(name, path, limit)
    elif not path.exists():
        yield refused_source(name, missing_file_refusal(name))
    else:
        yield _irregular_source(name)


def _irregular_source(name: str) -> Source:
    """Return an input that is refused: reading it could wait for ever."""
    hint = "Give a file, or - to read a report from standard input."
    return missing_source(name, "not a regular file, but a pipe or a device", hint)


def _file_sources(name: str, path: Path, limit: InputLimit) -> Iterator[Source]:
    try:
        is_archive = _start(path, len(ZIP[0])) in ZIP
    except OSError:
        is_archive = False  # Reading it shows the reason.
    if is_archive:
        yield from _archive_sources(name, path, limit)
    else:
        # Signs that are not printable are escaped, so that a line of any output can hold the name.
        text = printable(name)
        yield Source(text, partial(_file_bytes, text, path), limit, path)


def _archive_sources(name: str, content: Path | bytes, limit: InputLimit) -> Iterator[Source]:
    from analyzer.sources.archives import archive_sources  # noqa: PLC0415  few inputs are archives

    return archive_sources(name, content, limit)


def _start(path: Path, size: int) -> bytes:
    if not path.stat().st_size:
        return b""
    with path.open("rb") as stream:
        return stream.read(size)


def _file_bytes(name: str, path: Path, limit: InputLimit) -> bytes:
    if not path.stat().st_size:  # a file of the kernel says so too, and may wait for ever
        return b""
    with path.open("rb") as stream:
        return read_report_bytes(name, stream, limit)


def stream_sources(name: str, stream: BinaryIO, limit: InputLimit) -> Iterator[Source]:
    """Yield the inputs in a stream, which can be read only once: several in a zip archive."""
    try:
        data = read_report_bytes(name, stream, limit)
    except InputRefused as refused:
        yield refused_source(name, InputRefused(refused.problems))
        return
    except OSError as error:
        yield refused_source(name, unreadable_file_refusal(name, error))
        return
    if data.startswith(ZIP):
        yield from _archive_sources(name, data, limit)
    else:
        yield Source(name, data, limit)


def files_below(
    folder: Path, on_unreadable: Callable[[OSError], None] | None = None
) -> Iterator[Path]:
    """Yield every file below a folder that is not hidden, in the order of names.

    Links to folders are followed, but no folder is searched twice: a link may lead back up.
    `on_unreadable` is called with the error of each folder that cannot be searched.
    """
    for at, _, files in _folders_below(folder, on_unreadable):
        yield from (Path(at, file) for file in files)


def _folders_below(
    folder: Path, on_unreadable: Callable[[OSError], None] | None = None
) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield each folder with the folders and files in it, as os.walk does, but none twice."""
    searched: set[str] = set()
    for at, folders, files in os.walk(folder, onerror=on_unreadable, followlinks=True):
        real_path = os.path.realpath(at)
        folders[:] = sorted(filter(is_visible, folders)) if real_path not in searched else ()
        if real_path not in searched:
            yield at, folders, sorted(filter(is_visible, files))
        searched.add(real_path)
