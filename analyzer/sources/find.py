"""Find inputs: a file, a folder with all below it, a pattern, a zip archive, standard input."""

import glob
import lzma
import os
import sys
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

from analyzer.errors import InputRefused
from analyzer.report.input_formats import LARGEST, ZIP
from analyzer.sources.companions import COMPANIONS

STANDARD_INPUT: Final = "-"

_WORKBOOK: Final = "[Content_Types].xml"

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
    """Name one input and read its bytes; `path` is None where it is no regular file of its own.

    `archive` is the file that it lies in, where that is an archive, and `aside` what else lies
    there beside reports, the same for all of one archive. `read` raises InputRefused or OSError
    where there is nothing to read.
    """

    name: str
    read: Callable[[], bytes]
    path: Path | None = None
    archive: Path | None = None
    aside: "tuple[Source, ...]" = ()


def find_sources(names: Collection[str]) -> list[Source]:
    """Return all inputs that the names stand for, those of a folder or archive in name order.

    What was saved beside reports is no input, though a shell's `*` names it with them. What
    cannot be found is an input that raises when it is read, so that all is told at once.
    """
    reports = [name for name in names if not name.endswith(COMPANIONS)]
    return [source for name in reports or names for source in _found(name)]


def _found(name: str) -> Iterator[Source]:
    if not name:
        hint = "Name a file or a folder (. for this one); perhaps a shell variable is not set."
        yield _missing('""', "the name of a source is empty", hint)
    elif name == STANDARD_INPUT:
        yield from _held("standard input", sys.stdin.buffer.read() if sys.stdin else b"")
    elif is_pattern(name):
        yield from _pattern(name)
    else:
        yield from _named(name)


def _named(name: str) -> Iterator[Source]:
    path = Path(name)
    try:
        if path.is_dir():
            yield from _folder(path)
        elif path.is_file():
            yield from _file(name, path)
        else:
            yield from _held(name, path.read_bytes())
    except (FileNotFoundError, ValueError):  # no file has a NUL in its name
        yield _missing(name, "there is no such file or folder", "Check the path.")
    except OSError as error:
        yield _raising(name, unreadable_file(name, error))


def is_pattern(name: str) -> bool:
    """Tell whether a name is a pattern, not the name of a file with such signs."""
    return glob.has_magic(name) and not os.path.exists(name)  # noqa: PTH110  says no, never raises


def matches(pattern: str) -> list[str]:
    """Return the paths that a pattern matches, in order."""
    return sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207  patterns may be absolute


def _pattern(pattern: str) -> Iterator[Source]:
    paths = [path for path in matches(pattern) if not path.endswith(COMPANIONS)]
    folders = {Path(match) for match in paths if os.path.isdir(match)}  # noqa: PTH112  likewise
    for match in paths:
        # `**` matches a folder, which is searched, and what is in it once more.
        if folders.isdisjoint(Path(match).parents):
            yield from _named(match)
    if not paths:
        yield _missing(pattern, "nothing matches this pattern", "Check the path.")


def _folder(folder: Path) -> Iterator[Source]:
    """Yield every file below a folder, but hidden ones and those that lie beside a report."""
    closed: list[OSError] = []
    paths = [
        path for path in files_below(folder, closed.append) if not path.name.endswith(COMPANIONS)
    ]
    for error in closed:
        yield _raising(str(error.filename), unreadable_file(str(error.filename), error))
    for path in paths:
        yield from _in_folder(str(path), path)
    if not paths and not closed:
        yield _missing(str(folder), "the folder holds no file", "Name a folder of reports.")


def _in_folder(name: str, path: Path) -> Iterator[Source]:
    if path.exists() and not path.is_file():
        hint = "Name it by itself to read it, or move it out of the folder."
        yield _missing(name, "this is no regular file, but a pipe or a device", hint)
    else:
        yield from _file(name, path)


def _file(name: str, path: Path) -> Iterator[Source]:
    if _starts_with_zip(path):
        for each in _archive(name, lambda: path.open("rb")):
            yield replace(each, archive=path)
    else:
        # Bytes in a name that are no text are spelled out, so that every output can hold it.
        yield Source(name.encode(errors="backslashreplace").decode(), path.read_bytes, path)


def _starts_with_zip(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(len(ZIP[0])) in ZIP
    except OSError:
        return False  # Reading it will tell why.


def _held(name: str, data: bytes) -> Iterator[Source]:
    if data.startswith(ZIP):
        yield from _archive(name, lambda: BytesIO(data))
    else:
        yield Source(name, lambda: data)


def _archive(name: str, opened: Callable[[], BinaryIO]) -> Iterator[Source]:
    try:
        with opened() as stream, zipfile.ZipFile(stream) as archive:
            listed = sorted(archive.infolist(), key=lambda member: member.filename)
    except _DAMAGED as error:
        yield _missing(name, f"the zip archive is damaged: {error}", "Download it again.")
        return
    members = [member for member in listed if not member.filename.endswith("/")]
    if _WORKBOOK in (member.filename for member in members):
        hint = "Save the sheet as CSV, or better, give the report as AWS made it."
        yield _missing(name, "this is an Excel workbook, not a report", hint)
        return
    held = [
        Source(f"{name}:{member.filename}", partial(_member, name, opened, member))
        for member in members
        if is_visible(member.filename)
    ]
    aside = tuple(each for each in held if each.name.endswith(COMPANIONS))
    reports = [each for each in held if not each.name.endswith(COMPANIONS)]
    for each in reports:
        yield replace(each, aside=aside)
    if not reports:
        yield _missing(name, "the zip archive holds no file", "Give an archive of reports.")


def _member(name: str, opened: Callable[[], BinaryIO], member: zipfile.ZipInfo) -> bytes:
    whole = f"{name}:{member.filename}"
    with opened() as stream:
        try:
            with zipfile.ZipFile(stream) as archive, archive.open(member) as unpacked:
                data = unpacked.read(LARGEST + 1)
        except _DAMAGED as error:
            raise _refused(whole, f"cannot be unpacked: {error}", "Unpack it first.") from None
    if len(data) > LARGEST:
        raise _refused(whole, "it expands to more than 1 GiB", "Unpack it first.")
    return data


def _missing(name: str, message: str, hint: str) -> Source:
    return _raising(name, _refused(name, message, hint))


def _raising(name: str, refused: InputRefused) -> Source:
    def read() -> bytes:
        raise refused

    return Source(name, read)


def unreadable_file(name: str, error: OSError) -> InputRefused:
    """Return the refusal of what is there, but cannot be read."""
    message = f"it cannot be read: {error.strerror or error}"
    return _refused(name, message, "Check the path, and who may read it.")


def _refused(name: str, message: str, hint: str) -> InputRefused:
    return InputRefused.of_file(name, message, hint)


def files_below(folder: Path, closed: Callable[[OSError], None] | None = None) -> Iterator[Path]:
    """Yield every file below a folder that is not hidden, in the order of names.

    Links to folders are followed, but no folder is searched twice: a link may lead back up.
    `closed` is told of each folder that cannot be searched.
    """
    seen: set[str] = set()
    for at, folders, files in os.walk(folder, onerror=closed, followlinks=True):
        place = os.path.realpath(at)
        folders[:] = sorted(filter(is_visible, folders)) if place not in seen else ()
        if place not in seen:
            yield from (Path(at, file) for file in sorted(files) if is_visible(file))
        seen.add(place)


def is_visible(path: str) -> bool:
    """Tell whether no part of a path is hidden or what a Mac leaves in archives."""
    return not any(part.startswith((".", "__MACOSX")) for part in Path(path).parts)
