"""Find inputs: a file, a folder with all below it, a pattern, a zip archive, standard input."""

import glob
import os
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Final

from analyzer.errors import InputRefused, Problem
from analyzer.report.envelope import LARGEST, ZIP
from analyzer.sources.beside import COMPANIONS

STANDARD_INPUT: Final = "-"
_WORKBOOK: Final = "[Content_Types].xml"


@dataclass(frozen=True, slots=True)
class Source:
    """Name one input and read its bytes; `path` is None where it is no regular file of its own.

    `read` raises InputRefused or OSError where there is nothing to read.
    """

    name: str
    read: Callable[[], bytes]
    path: Path | None = None


def find(names: Iterable[str]) -> list[Source]:
    """Return all inputs that the names stand for, those of a folder or archive in name order.

    What cannot be found is an input that raises when it is read, so that all is told at once.
    """
    return [source for name in names for source in _found(name)]


def _found(name: str) -> Iterator[Source]:
    path = Path(name)
    if name == STANDARD_INPUT:
        yield from _held("standard input", sys.stdin.buffer.read())
    elif path.is_dir():
        yield from _folder(path)
    elif path.is_file():
        yield from _file(name, path)
    elif path.exists():
        yield from _held(name, path.read_bytes())
    elif glob.has_magic(name):
        yield from _pattern(name)
    else:
        yield _missing(name, "there is no such file or folder", "Check the path.")


def _pattern(pattern: str) -> Iterator[Source]:
    every = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207  patterns may be absolute
    matches = [match for match in every if not match.endswith(COMPANIONS)]
    for match in matches:
        yield from _found(match)
    if not matches:
        yield _missing(pattern, "nothing matches this pattern", "Check the path.")


def _folder(folder: Path) -> Iterator[Source]:
    """Yield every file below a folder, but hidden ones and those that lie beside a report."""
    unreadable: list[OSError] = []
    names = [
        str(Path(at, file))
        for at, folders, files in os.walk(folder, onerror=unreadable.append)
        if not folders.sort() and _visible(os.path.relpath(at, folder))
        for file in sorted(files)
        if _visible(file) and not file.endswith(COMPANIONS)
    ]
    for error in unreadable:
        yield _missing(str(error.filename), f"cannot be read: {error.strerror}", "Check its mode.")
    for name in names:
        yield from _file(name, Path(name))
    if not names and not unreadable:
        yield _missing(str(folder), "the folder holds no file", "Name a folder of reports.")


def _visible(path: str) -> bool:
    return path == "." or not any(part.startswith((".", "__MACOSX")) for part in Path(path).parts)


def _file(name: str, path: Path) -> Iterator[Source]:
    if _starts_with_zip(path):
        yield from _archive(name, partial(path.open, "rb"))
    else:
        yield Source(name, path.read_bytes, path)


def _starts_with_zip(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(len(ZIP)) == ZIP
    except OSError:
        return False  # Reading it will tell why.


def _held(name: str, data: bytes) -> Iterator[Source]:
    if data.startswith(ZIP):
        yield from _archive(name, lambda: BytesIO(data))
    else:
        yield Source(name, lambda: data)


def _archive(name: str, opened: Callable[[], object]) -> Iterator[Source]:
    try:
        with zipfile.ZipFile(opened()) as archive:  # type: ignore[call-overload]  # any stream
            members = sorted(each.filename for each in archive.infolist() if not each.is_dir())
    except zipfile.BadZipFile as error:
        yield _missing(name, f"the zip archive is damaged: {error}", "Download it again.")
        return
    if _WORKBOOK in members:
        hint = "Save the sheet as CSV, or better, give the report as AWS made it."
        yield _missing(name, "this is an Excel workbook, not a report", hint)
        return
    visible = [each for each in members if _visible(each) and not each.endswith(COMPANIONS)]
    for member in visible:
        yield Source(f"{name}:{member}", partial(_member, name, opened, member))
    if not visible:
        yield _missing(name, "the zip archive holds no file", "Give an archive of reports.")


def _member(name: str, opened: Callable[[], object], member: str) -> bytes:
    try:
        with (
            zipfile.ZipFile(opened()) as archive,  # type: ignore[call-overload]  # any stream
            archive.open(member) as stream,
        ):
            data: bytes = stream.read(LARGEST + 1)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise _refused(
            f"{name}:{member}", f"cannot be unpacked: {error}", "Unpack it first."
        ) from None
    if len(data) > LARGEST:
        raise _refused(f"{name}:{member}", "it expands to more than 1 GiB", "Unpack it first.")
    return data


def _missing(name: str, message: str, hint: str) -> Source:
    def read() -> bytes:
        raise _refused(name, message, hint)

    return Source(name, read)


def _refused(name: str, message: str, hint: str) -> InputRefused:
    return InputRefused([Problem(name, None, None, None, message, hint)])
