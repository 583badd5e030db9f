"""Put files in place whole or not at all, hash them, and write and read the JSON that is saved.

A file is written under a temporary name, hidden and private, flushed to the disk, and then takes
the place of the old one in one step. No well-kept library does that, removes the leftovers of
killed runs, and follows a link only if no other user can have made it.
"""

import hashlib
import json
import os
import re
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from errno import EEXIST
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from stat import S_IMODE, S_ISREG
from typing import Any, BinaryIO, Final
from zipfile import BadZipFile, ZipFile

from analyzer.errors import InputRefused, OutputFailed
from analyzer.terms import VERSION, printable, version_text

fcntl = import_module("fcntl") if find_spec("fcntl") else None
"""The module for file locks; None on Windows, where an open file cannot be removed."""

SCHEMA_VERSION: Final = "1.0"
"""The version of the form of JSON files that are saved beside reports and with runs."""

PRIVATE: Final = 0o600
"""The mode of a new file: for its owner only, whatever the umask."""

NO_FOLDER: Final = "its folder does not exist; create it"
"""The reason if the folder of a new file is missing: its name may be misspelt."""

_BUFFER: Final = 1 << 18
"""Bytes of a file that are written at once, since lines are many and short."""

_WORKBOOK_STARTS: Final = (b"PK", b"\xd0\xcf\x11\xe0")
"""The first bytes of workbooks; the second are those of Excel 97 to 2003 and encrypted ones."""

_TEMPORARY_NAME: Final = re.compile(r"\.(.+)\.[0-9a-f]{8}\.part", re.DOTALL)
"""The temporary name of a file, with the name of its target."""


@contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """Give a stream whose bytes become the file if all goes well, and are removed otherwise.

    The file has the mode of the old one; only its owner can read a new one. Raises OutputFailed.
    """
    try:
        _remove_leftovers([target])
        with _replacement(target) as stream:
            yield stream
            _flush(stream)
    except OSError as error:
        is_missing = isinstance(error, FileNotFoundError) and not target.parent.exists()
        reason = NO_FOLDER if is_missing else error.strerror
        message = f"{target} cannot be written: {reason}. What was there before is intact."
        raise OutputFailed(message) from error


def replace_files(files: dict[Path, bytes], *, stale: Iterable[Path] = ()) -> None:
    """Write private files, then put all in place in this order; remove stale ones.

    Raises OutputFailed.
    """
    last = next(reversed(files))
    try:
        if not last.parent.exists():
            last.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(files)
        with ExitStack() as stack:
            # The last one that is entered is put in place first.
            for target, content in reversed(files.items()):
                stream = stack.enter_context(_replacement(target, PRIVATE))
                stream.write(content)
                _flush(stream)
            for path in stale:
                path.unlink(missing_ok=True)
    except OSError as error:
        message = f"{last} cannot be written: {error.strerror}. No partial file was left."
        raise OutputFailed(message) from error


@contextmanager
def _replacement(target: Path, mode: int | None = None) -> Iterator[BinaryIO]:
    """Give a stream to a temporary file that replaces the target in the end, or is removed.

    The file has its mode before its first byte, by default that of the old one. Links, folders,
    pipes and devices are not replaced.
    """
    if target.is_symlink():
        raise OSError(EEXIST, "it is a link; name the file that it leads to")
    is_new = not target.exists()
    if not is_new and not target.is_file():
        raise OSError(EEXIST, "it is not a regular file; name another one")
    if mode is None:
        mode = PRIVATE if is_new else S_IMODE(target.stat().st_mode)
    stream = _locked_temporary_file(target)
    temporary = Path(stream.name)
    try:
        with stream:
            os.chmod(temporary, mode)  # noqa: PTH101  the same on every system
            yield stream
            temporary.replace(target)
    finally:
        with suppress(OSError):
            temporary.unlink()


def _locked_temporary_file(target: Path) -> BinaryIO:
    """Return a new private file beside the target, locked so that no other run removes it."""
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    stream = open(temporary, "xb", _BUFFER, opener=partial(os.open, mode=PRIVATE))  # noqa: SIM115
    with suppress(OSError):  # Some file systems know no locks: no run removes leftovers there.
        _lock(stream, wait=True)
    if os.fstat(stream.fileno()).st_nlink:
        return stream
    stream.close()  # Another run was quicker, in the moment before the lock.
    return _locked_temporary_file(target)


def _lock(stream: BinaryIO, *, wait: bool) -> None:
    """Mark a file as being written until it is closed; raises OSError if another run did."""
    if fcntl:
        fcntl.flock(stream, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


def _flush(stream: BinaryIO) -> None:
    stream.flush()
    os.fsync(stream.fileno())


def _remove_leftovers(targets: Collection[Path]) -> None:
    """Remove the temporary files that killed runs of this user left for the targets."""
    for folder in {target.parent for target in targets}:
        names = {target.name for target in targets if target.parent == folder}
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                temporary = _TEMPORARY_NAME.fullmatch(entry.name)
                if temporary and temporary[1] in names and _is_own_file(path := Path(entry)):
                    with suppress(OSError), path.open("rb") as stream:
                        _lock(stream, wait=False)
                        path.unlink()


def _is_own_file(path: Path) -> bool:
    status = path.lstat()
    # Windows has no ids of users.
    return S_ISREG(status.st_mode) and (not fcntl or status.st_uid == os.geteuid())


def missing_file_refusal(name: str) -> InputRefused:
    """Return the refusal of an input that does not exist."""
    if name.startswith("s3://"):
        return InputRefused.of_file(printable(name), "it is in a bucket", "Copy it here first.")
    message = "there is no such file or folder"
    return InputRefused.of_file(printable(name), message, "Check the path.")


def unreadable_file_refusal(name: str, error: OSError) -> InputRefused:
    """Return the refusal of a file or folder that is there, but cannot be read."""
    message = f"it cannot be read: {error.strerror or error}"
    hint = "Check the path, and who may read it."
    return InputRefused.of_file(printable(name), message, hint)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def may_be_workbook(path: Path) -> bool:
    """Return whether a file begins like a workbook, whatever its name."""
    with path.open("rb") as stream:
        return begins_as_workbook(stream.read(4))


def begins_as_workbook(content: bytes) -> bool:
    """Return whether content begins like a workbook."""
    return content.startswith(_WORKBOOK_STARTS)


def seal(archive: ZipFile) -> bytes:
    """Return a digest over the names and CRCs of an archive's parts.

    Written as the comment of the archive, it says without reading any part that nothing was changed
    since: every program that saves a workbook writes an archive of its own.
    """
    parts = "".join(f"{part.CRC:08x} {part.filename}\n" for part in archive.infolist())
    return f"credreport {hashlib.sha256(parts.encode()).hexdigest()}".encode()


def is_sealed(path: Path) -> bool:
    """Return whether a file is a workbook that this program wrote and nobody changed."""
    try:
        with ZipFile(path) as archive:
            return archive.comment == seal(archive)
    except (BadZipFile, ValueError, NotImplementedError):
        return False


def provenance() -> dict[str, Any]:
    """Return the fields with which every saved JSON file starts."""
    tool = {"name": "credreport", "version": VERSION}
    return {"schema_version": SCHEMA_VERSION, "tool": tool}


def form_difference(saved: object, form: int, *, is_valid: bool = True) -> str:
    """Return who wrote a saved file in another form than this one, empty if it has this form.

    A file without a number is of form 1. One that is not `is_valid` in this form has another one
    all the same if another version wrote it.
    """
    match saved:
        case {"tool": {"name": "credreport", "version": str(version)}, **others}:
            number = others.get("form", 1)
        case _:
            return ""
    written = f"written by credreport {version_text(version)}"
    if isinstance(number, int) and number != form:
        return f"{written} (form {number}), this is form {form}"
    return "" if is_valid or version == VERSION else f"{written}, this is {VERSION}"


def check_form(name: str, saved: object, form: int, hint: str, *, is_valid: bool = True) -> None:
    """Raise InputRefused for a saved file that another version wrote in another form."""
    if difference := form_difference(saved, form, is_valid=is_valid):
        raise InputRefused.of_file(printable(name), difference, hint)


def json_bytes(value: Mapping[str, Any]) -> bytes:
    """Return a value as JSON that people can read, moments in ISO 8601."""
    text = json.dumps(value, ensure_ascii=False, indent=2, default=datetime.isoformat)
    return f"{text}\n".encode()


def saved_bytes(name: str, read: Callable[[], bytes]) -> bytes:
    """Return the bytes of a saved file; raises InputRefused."""
    try:
        return read()
    except OSError as error:
        raise saved_file_refusal(name, f"it cannot be read: {error.strerror}") from None


def saved_json(name: str, read: Callable[[], bytes]) -> Any:
    """Return the value that a saved JSON file holds; raises InputRefused."""
    try:
        return json.loads(saved_bytes(name, read).decode())
    except (ValueError, RecursionError):
        raise saved_file_refusal(name, "it is not valid JSON") from None


def saved_file_refusal(name: str, message: str) -> InputRefused:
    """Return the refusal of a file that this program saved, or that belongs beside a report."""
    return InputRefused.of_file(printable(name), message, "Remove the file, or save it again.")
