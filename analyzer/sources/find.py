"""Find inputs: a file, a folder with all below it, a pattern, a zip archive, standard input."""

import glob
import lzma
import os
import sys
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import partial
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO, Final

from analyzer.errors import InputRefused
from analyzer.report.input_formats import ZIP, read_report_bytes
from analyzer.report.input_size import InputLimit
from analyzer.sources.companions import COMPANIONS
from analyzer.sources.other_files import cannot_be_report, content_cannot_be_report
from analyzer.terms import printable

STANDARD_INPUT: Final = "-"
_ANY_DEPTH: Final = "**"
_WORKBOOK: Final = "[Content_Types].xml"

_LOOK_BUDGET: Final = 256 << 20
"""No more bytes of an archive are unpacked to find out which of its files cannot be reports."""

_LEAST_LOOK_BYTES: Final = 16 << 10
"""A look at a file counts as so many bytes at least: to open it takes as long as to unpack them."""

_MEMBER_HEADER: Final = 30
"""So many bytes and its name stand before each file in a zip archive, at least."""

_DAMAGED: Final = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,  # a compression that Python does not know
    RuntimeError,  # encrypted
    ValueError,  # names and places that cannot be
    OSError,  # likewise, and damaged bzip2
)


@dataclass(frozen=True, slots=True)
class Source:
    """Name one input and read its bytes; `path` is None if it is not a regular file of its own.

    `archive` is the archive that it lies in, if any, and `companions` are the files saved with
    reports there, the same for all of one archive. `read` raises InputRefused or OSError
    where there is nothing to read; `read_again` does the same, and counts nothing as unpacked.
    `origin` is the name of the file of which this is a copy, if it is one; `account_id` is the
    account of rows whose ARN is masked, if that is set. What `is_skipped` cannot be a report.
    """

    name: str
    read: Callable[[], bytes]
    read_again: Callable[[], bytes]
    path: Path | None = None
    archive: Path | None = None
    companions: "tuple[Source, ...]" = ()
    origin: str = ""
    account_id: str = ""
    is_skipped: bool = False


def find_sources(names: Collection[str], limit: InputLimit | None = None) -> list[Source]:
    """Return all inputs that the names stand for, those of a folder or archive in name order.

    What was saved beside reports is no input, though a shell's `*` names it with them. What
    cannot be found is an input that raises when it is read, so that all is said at once. `limit`
    counts what is unpacked or piped in.
    """
    reports = [name for name in names if not name.endswith(COMPANIONS)]
    bound = limit or InputLimit()
    return [source for name in reports or names for source in _sources(name, bound)]


def _sources(name: str, limit: InputLimit) -> Iterator[Source]:
    if not name:
        hint = "Name a file or a folder (. for this one); perhaps a shell variable is not set."
        yield _missing_source('""', "the name of a source is empty", hint)
    elif name == STANDARD_INPUT:
        piped = sys.stdin.buffer if sys.stdin else BytesIO()
        yield from stream_sources("standard input", piped, limit)
    elif is_pattern(name):
        yield from _pattern_sources(name, limit)
    else:
        yield from _sources_at_path(name, limit)


def _sources_at_path(name: str, limit: InputLimit) -> Iterator[Source]:
    path = Path(name)
    try:
        if path.is_dir():
            yield from _folder_sources(path, limit)
        elif path.is_file():
            yield from _file_sources(name, path, limit)
        else:
            with path.open("rb") as stream:
                yield from stream_sources(name, stream, limit)
    except (FileNotFoundError, ValueError):  # no file has a NUL in its name
        yield _missing_source(name, "there is no such file or folder", "Check the path.")
    except OSError as error:
        yield _refused_source(name, unreadable_file(name, error))


def is_pattern(name: str) -> bool:
    """Return whether a name is a pattern, not the name of a file with such signs."""
    return glob.has_magic(name) and not os.path.exists(name)  # noqa: PTH110  says no, never raises


def matching_paths(pattern: str) -> list[str]:
    """Return the paths that a pattern matches, in order.

    `**` searches no folder twice, as glob does where links lead back up.
    """
    parts = Path(pattern).parts
    if _ANY_DEPTH not in parts:
        return sorted(glob.glob(pattern))  # noqa: PTH207  patterns may be absolute
    depth = parts.index(_ANY_DEPTH)
    top = os.path.join(*parts[:depth]) if depth else ""  # noqa: PTH118  "" stands for this folder
    folders = glob.glob(top) if glob.has_magic(top) else [top]  # noqa: PTH207  likewise
    return sorted({path for each in folders for path in _matches_below(each, parts[depth:])})


def _matches_below(folder: str, pattern: Sequence[str]) -> Iterator[str]:
    if os.path.isdir(folder or os.curdir) and _fits((), pattern):  # noqa: PTH112  never raises
        yield os.path.join(folder, "")  # noqa: PTH118  as glob names it
    for at, folders, files in _folders_below(Path(folder)):
        for name in (*folders, *files):
            path = Path(at, name)
            if _fits(path.relative_to(folder).parts, pattern):
                yield str(path)


def _fits(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Return whether a path below a folder fits a pattern; `**` stands for any number of parts."""
    starts = {0}
    for each in pattern:
        if each == _ANY_DEPTH:
            starts = set(range(min(starts), len(parts) + 1)) if starts else starts
        else:
            at = (start for start in starts if start < len(parts))
            starts = {start + 1 for start in at if fnmatchcase(parts[start], each)}
    return len(parts) in starts


def _pattern_sources(pattern: str, limit: InputLimit) -> Iterator[Source]:
    paths = [path for path in matching_paths(pattern) if not path.endswith(COMPANIONS)]
    folders = {Path(match) for match in paths if os.path.isdir(match)}  # noqa: PTH112  likewise
    skipped = {path for path in paths if cannot_be_report(Path(path))}
    for match in paths:
        # `**` matches a folder, which is searched, and what is in it once more.
        if folders.isdisjoint(Path(match).parents):
            yield from [_skipped(match)] if match in skipped else _match_sources(match, limit)
    if skipped.issuperset(paths):
        what = "only files that cannot be reports match" if skipped else "nothing matches"
        yield _missing_source(pattern, f"{what} this pattern", "Check the path.")


def _match_sources(name: str, limit: InputLimit) -> Iterator[Source]:
    """Yield the inputs at a path that a pattern matched: a pipe is not waited for."""
    path = Path(name)
    is_file_or_pipe = os.path.exists(name) and not path.is_dir()  # noqa: PTH110  never raises
    yield from (
        _folder_file_sources(name, path, limit)
        if is_file_or_pipe
        else _sources_at_path(name, limit)
    )


def _folder_sources(folder: Path, limit: InputLimit) -> Iterator[Source]:
    """Yield every file below a folder, but hidden ones and those that lie beside a report."""
    closed: list[OSError] = []
    paths = [
        path for path in files_below(folder, closed.append) if not path.name.endswith(COMPANIONS)
    ]
    for error in closed:
        yield _refused_source(str(error.filename), unreadable_file(str(error.filename), error))
    skipped = {path for path in paths if cannot_be_report(path)}
    for path in paths:
        if path in skipped:
            yield _skipped(str(path))
        else:
            yield from _folder_file_sources(str(path), path, limit)
    if skipped.issuperset(paths) and not closed:
        what = "no report, only files of other kinds" if skipped else "no file"
        yield _missing_source(str(folder), f"the folder holds {what}", "Name a folder of reports.")


def _skipped(name: str, archive: Path | None = None) -> Source:
    missing = _missing_source(name, "this cannot be a report", "Leave it out.")
    return replace(missing, archive=archive, is_skipped=True)


def _folder_file_sources(name: str, path: Path, limit: InputLimit) -> Iterator[Source]:
    if path.exists() and not path.is_file():
        hint = "Name it by itself to read it, or move it out of the folder."
        yield _missing_source(name, "not a regular file, but a pipe or a device", hint)
    else:
        yield from _file_sources(name, path, limit)


def _file_sources(name: str, path: Path, limit: InputLimit) -> Iterator[Source]:
    if _starts_with_zip(path):
        yield from _archive_sources(name, partial(_opened, path), limit, path)
    else:
        # What is no text in a name is spelled out, so that every output can hold it in a line.
        text = printable(name)
        read = partial(_file_bytes, text, path)
        yield Source(text, read, read, path)


def _opened(path: Path) -> BinaryIO:
    return path.open("rb")


def _file_bytes(name: str, path: Path) -> bytes:
    with path.open("rb") as stream:
        return read_report_bytes(name, stream, None)


def _starts_with_zip(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(len(ZIP[0])) in ZIP
    except OSError:
        return False  # Reading it will tell why.


def stream_sources(name: str, stream: BinaryIO, limit: InputLimit) -> Iterator[Source]:
    """Yield the inputs in a stream, which can be read only once: several in a zip archive."""
    try:
        data = read_report_bytes(name, stream, limit)
    except InputRefused as refused:
        yield _refused_source(name, InputRefused(refused.problems))
        return
    if data.startswith(ZIP):
        yield from _archive_sources(name, partial(BytesIO, data), limit)
    else:
        yield Source(name, partial(bytes, data), partial(bytes, data))


@dataclass(slots=True)
class _Archive:
    """Unpack the files of a zip archive, opened once for all of them, and then closed.

    `unread_members` are the files that were not yet read.
    """

    name: str
    opened: Callable[[], BinaryIO]
    unread_members: int = 0
    _opened: tuple[zipfile.ZipFile, BinaryIO] | None = None
    _lock: Lock = field(default_factory=Lock)

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what pickles it: it is opened again."""
        return _Archive, (self.name, self.opened)

    def members(self) -> list[tuple[zipfile.ZipInfo, bool]]:
        """Return the files in the archive by name, and whether each cannot be a report.

        Raises one of `_DAMAGED`.
        """
        with self.opened() as stream, zipfile.ZipFile(stream) as archive:
            _refuse_overlap(archive.infolist())
            listed = sorted(archive.infolist(), key=lambda member: member.filename)
            files = [member for member in listed if not member.filename.endswith("/")]
            budget = InputLimit(_LOOK_BUDGET)
            return [(member, _member_cannot_be_report(archive, member, budget)) for member in files]

    def read(self, member: zipfile.ZipInfo, limit: InputLimit | None) -> bytes:
        """Return a file of the archive; raises InputRefused, and OSError if the archive is gone."""
        name = f"{self.name}:{printable(member.filename)}"
        with self._lock:
            try:
                with self._archive().open(member) as unpacked:
                    return read_report_bytes(name, unpacked, limit)
            except FileNotFoundError:
                raise
            except _DAMAGED as error:
                raise _refused(name, f"cannot be unpacked: {error}", "Unpack it first.") from None
            finally:
                self._close_after_last()

    def _archive(self) -> zipfile.ZipFile:
        if self._opened is None:
            stream = self.opened()
            self._opened = zipfile.ZipFile(stream), stream
        return self._opened[0]

    def _close_after_last(self) -> None:
        self.unread_members -= 1
        if self._opened and self.unread_members <= 0:
            for each in self._opened:
                each.close()
            self._opened = None


def _member_cannot_be_report(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, budget: InputLimit
) -> bool:
    """Return whether a file of an archive cannot be a report, as far as the budget lasts."""

    def start(size: int) -> bytes:
        budget.add(member.filename, max(min(size, member.file_size), _LEAST_LOOK_BYTES))
        with archive.open(member) as unpacked:
            return unpacked.read(size)

    try:
        return content_cannot_be_report(member.filename, member.file_size, start)
    except (*_DAMAGED, InputRefused):
        return False  # Reading it shows the reason.


def _refuse_overlap(members: Iterable[zipfile.ZipInfo]) -> None:
    """Refuse an archive whose files share bytes: a small one can unpack to any size.

    Raises zipfile.BadZipFile.
    """
    in_order = sorted(members, key=lambda member: member.header_offset)
    for member, following in pairwise(in_order):
        least = _MEMBER_HEADER + len(member.orig_filename) + member.compress_size
        if member.header_offset + least > following.header_offset:
            message = f"{member.filename} and {following.filename} overlap"
            raise zipfile.BadZipFile(printable(message))


def _archive_sources(
    name: str, opened: Callable[[], BinaryIO], limit: InputLimit, path: Path | None = None
) -> Iterator[Source]:
    archive = _Archive(printable(name), opened)
    try:
        members = archive.members()
    except _DAMAGED as error:
        yield _missing_source(name, f"the zip archive is damaged: {error}", "Download it again.")
        return
    if any(member.filename == _WORKBOOK for member, _ in members):
        hint = "Save the sheet as CSV, or better, give the report as AWS made it."
        yield _missing_source(name, "this is an Excel workbook, not a report", hint)
        return
    visible = [each for each in members if is_visible(each[0].filename)]
    beside = [member for member, _ in visible if member.filename.endswith(COMPANIONS)]
    reports = [each for each in visible if not each[0].filename.endswith(COMPANIONS)]
    companions = tuple(_member_source(archive, member, limit, path) for member in beside)
    archive.unread_members = sum(not is_other for _, is_other in reports)
    for member, is_other in reports:
        if is_other:
            yield _skipped(f"{archive.name}:{printable(member.filename)}", path)
        else:
            yield _member_source(archive, member, limit, path, companions)
    if all(is_other for _, is_other in reports):
        what = "no report, only files of other kinds" if reports else "no file"
        yield _missing_source(name, f"the zip archive holds {what}", "Give an archive of reports.")


def _member_source(
    archive: _Archive,
    member: zipfile.ZipInfo,
    limit: InputLimit,
    path: Path | None,
    companions: tuple[Source, ...] = (),
) -> Source:
    read, read_again = (partial(archive.read, member, each) for each in (limit, None))
    name = f"{archive.name}:{printable(member.filename)}"
    return Source(name, read, read_again, archive=path, companions=companions)


def companions_in_archives(inputs: Iterable[Source]) -> list[Source]:
    """Return what lies beside the inputs in their archives, each once."""
    archives = {id(each.companions): each.companions for each in inputs}
    return [*{each.name: each for companions in archives.values() for each in companions}.values()]


def _missing_source(name: str, message: str, hint: str) -> Source:
    return _refused_source(name, _refused(name, message, hint))


def _refused_source(name: str, refused: InputRefused) -> Source:
    def read() -> bytes:
        raise refused

    return Source(printable(name), read, read)


def unreadable_file(name: str, error: OSError) -> InputRefused:
    """Return the refusal of what is there, but cannot be read."""
    message = f"it cannot be read: {error.strerror or error}"
    return _refused(name, message, "Check the path, and who may read it.")


def _refused(name: str, message: str, hint: str) -> InputRefused:
    return InputRefused.of_file(printable(name), message, hint)


def files_below(folder: Path, closed: Callable[[OSError], None] | None = None) -> Iterator[Path]:
    """Yield every file below a folder that is not hidden, in the order of names.

    Links to folders are followed, but no folder is searched twice: a link may lead back up.
    `closed` is called with the error of each folder that cannot be searched.
    """
    for at, _, files in _folders_below(folder, closed):
        yield from (Path(at, file) for file in files)


def _folders_below(
    folder: Path, closed: Callable[[OSError], None] | None = None
) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield each folder with the folders and files in it, as os.walk does, but none twice."""
    searched: set[str] = set()
    for at, folders, files in os.walk(folder, onerror=closed, followlinks=True):
        place = os.path.realpath(at)
        folders[:] = sorted(filter(is_visible, folders)) if place not in searched else ()
        if place not in searched:
            yield at, folders, sorted(filter(is_visible, files))
        searched.add(place)


def is_visible(path: str) -> bool:
    """Return whether no part of a path is hidden or what a Mac leaves in archives."""
    return not any(part.startswith((".", "__MACOSX")) for part in path.split("/") if part != ".")
