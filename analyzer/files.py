"""Put files in place whole or not at all, hash them, and write and read the JSON that is saved.

No well-kept library does the first: a file is written under a temporary name, hidden and private,
flushed to the disk, and then takes the place of the old one in one step.
"""

import hashlib
import json
import os
import re
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from errno import EEXIST, EPERM
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from stat import S_IMODE, S_ISREG, S_ISVTX
from typing import Any, BinaryIO, Final

from analyzer.errors import InputRefused, OutputFailed
from analyzer.terms import printable
from analyzer.version import VERSION

fcntl = import_module("fcntl") if find_spec("fcntl") else None
"""The module for locks on files, where the system has one: Windows removes no file that is open."""

SCHEMA_VERSION: Final = "1.0"
"""The version of the form of JSON files that are saved beside reports and with runs."""

PRIVATE: Final = 0o600
"""The mode of a new file: for its owner only, whatever the umask."""

_MOST_LINKS: Final = 40
"""No path leads over more links than this; Linux takes as many."""

_ROOT_UID: Final = 0

_BUFFER: Final = 1 << 18
"""Bytes of a file that are written at once: lines are many and short."""

_TEMPORARY_NAME: Final = re.compile(r"\.(.+)\.[0-9a-f]{8}\.part", re.DOTALL)
"""The temporary name of a file, with the name of its target."""


@dataclass(frozen=True, slots=True)
class _Replacement:
    """Hold a new file under its temporary name, and its target."""

    stream: BinaryIO
    temporary: Path
    target: Path

    def put_in_place(self) -> None:
        """Have the new file on disk, and then in its place."""
        self.flush()
        self.temporary.replace(self.target)

    def flush(self) -> None:
        """Have all bytes of the new file on disk."""
        self.stream.flush()
        os.fsync(self.stream.fileno())


@contextmanager
def replacing(target: Path, mode: int | None = None) -> Iterator[BinaryIO]:
    """Give a stream whose bytes become the file when all went well, and vanish when not.

    A new file has the mode of the old one; without an old one, only its owner can read it. `mode`
    sets another.

    Raises OutputFailed.
    """
    try:
        target = _resolved(target)
        _check_regular(target)
        _remove_leftovers([target])
        with _replacement(target, _mode(target) if mode is None else mode) as new:
            yield new.stream
            new.put_in_place()
    except OSError as error:
        message = f"{target} cannot be written: {error.strerror}. What was there before is intact."
        raise OutputFailed(message) from error


def replace_files(files: dict[Path, bytes], *, stale: Iterable[Path] = ()) -> None:
    """Put private files in place in this order, all of them written first; remove stale ones.

    Raises OutputFailed.
    """
    last = next(reversed(files))
    try:
        if not last.parent.exists():
            last.parent.mkdir(parents=True, exist_ok=True)
        targets = [_resolved(path) for path in files]
        _remove_leftovers(targets)
        with ExitStack() as stack:
            every = [stack.enter_context(_replacement(path, PRIVATE)) for path in targets]
            for new, content in zip(every, files.values(), strict=True):
                new.stream.write(content)
                new.flush()
            for path in stale:
                path.unlink(missing_ok=True)
            for new in every:
                new.put_in_place()
    except OSError as error:
        message = f"{last} cannot be written: {error.strerror}. No partial file was left."
        raise OutputFailed(message) from error


@contextmanager
def _replacement(target: Path, mode: int) -> Iterator[_Replacement]:
    """Give a file beside its target that has its mode before its bytes; leave none behind."""
    stream, temporary = _new_temporary_file(target)
    try:
        with stream:
            os.chmod(temporary, mode)  # noqa: PTH101  the same on every system
            yield _Replacement(stream, temporary, target)
    finally:
        with suppress(OSError):
            temporary.unlink()


def _new_temporary_file(target: Path) -> tuple[BinaryIO, Path]:
    """Return a new temporary file, locked so that no other run removes it, and its path."""
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    stream = open(temporary, "xb", _BUFFER, opener=_open_private)  # noqa: SIM115  it is given away
    with suppress(OSError):  # Some file systems know no locks: no run removes leftovers there.
        _lock(stream, wait=True)
    if os.fstat(stream.fileno()).st_nlink:
        return stream, temporary
    stream.close()  # Another run was quicker, in the moment before the lock.
    return _new_temporary_file(target)


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, mode=PRIVATE)


def _lock(stream: BinaryIO, *, wait: bool) -> None:
    """Mark a file as being written until it is closed; raises OSError where another run has."""
    if fcntl:
        fcntl.flock(stream, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


def _remove_leftovers(targets: Collection[Path]) -> None:
    """Remove temporary files that killed runs left for the targets."""
    for folder in {target.parent for target in targets}:
        names = {target.name for target in targets if target.parent == folder}
        for path in _own_temporary_files(folder, names):
            with suppress(OSError), path.open("rb") as stream:
                _lock(stream, wait=False)
                path.unlink()


def _own_temporary_files(folder: Path, names: Collection[str]) -> list[Path]:
    """Return this user's regular files with temporary names for the names."""
    with suppress(OSError), os.scandir(folder) as entries:
        return [
            Path(each.path)
            for each in entries
            if (leftover := _TEMPORARY_NAME.fullmatch(each.name))
            and leftover[1] in names
            and _is_own_file(each.stat(follow_symlinks=False))
        ]
    return []


def _is_own_file(status: os.stat_result) -> bool:
    return S_ISREG(status.st_mode) and status.st_uid == _user_id()


def _user_id() -> int:
    """Return the id of the current user, that of root where a system has none."""
    return os.geteuid() if hasattr(os, "geteuid") else _ROOT_UID


def _resolved(path: Path) -> Path:
    """Return where a path leads; raises OSError where that is for another user to say."""
    for link in _links(path):
        owner, folder = link.lstat().st_uid, link.parent.stat()
        is_shared = folder.st_mode & S_ISVTX or folder.st_uid != _user_id()
        if owner not in {_user_id(), _ROOT_UID} and is_shared:
            raise OSError(EPERM, f"the link {link} belongs to another user")
    return Path(os.path.realpath(path))


def _links(path: Path) -> Iterator[Path]:
    """Yield the links that a path leads over, also those that the links lead over."""
    at = path.absolute()
    for _ in range(_MOST_LINKS):
        link = next((each for each in (*reversed(at.parents), at) if each.is_symlink()), None)
        if link is None:
            return
        yield link
        at = link.parent / link.readlink() / at.relative_to(link)


def _mode(target: Path) -> int:
    """Return the mode of the file that is replaced, for a new one that of private files."""
    try:
        return S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        return PRIVATE


def _check_regular(target: Path) -> None:
    """Keep folders, pipes and devices from being replaced by a file."""
    if target.exists() and not target.is_file():
        raise OSError(EEXIST, "not a regular file")


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def provenance() -> dict[str, Any]:
    """Return what every JSON file that is saved starts with."""
    tool = {"name": "credreport", "version": VERSION}
    return {"schema_version": SCHEMA_VERSION, "tool": tool}


def json_bytes(value: Mapping[str, Any]) -> bytes:
    """Return a value as JSON that people can read, moments in ISO 8601."""
    text = json.dumps(value, ensure_ascii=False, indent=2, default=datetime.isoformat)
    return f"{text}\n".encode()


def saved_bytes(name: str, read: Callable[[], bytes]) -> bytes:
    """Return the bytes of a saved file.

    Raises InputRefused.
    """
    try:
        return read()
    except OSError as error:
        raise saved_file_refused(name, f"it cannot be read: {error.strerror}") from None


def saved_json(name: str, content: bytes) -> Any:
    """Return the value that a saved JSON file holds.

    Raises InputRefused.
    """
    try:
        return json.loads(content.decode())
    except (ValueError, RecursionError):
        raise saved_file_refused(name, "it is not valid JSON") from None


def json_list(value: Any) -> list[Any]:
    """Return a JSON value that must be a list; raises TypeError for another."""
    if not isinstance(value, list):
        raise TypeError
    return value


def json_text(value: Any) -> str:
    """Return a JSON value that must be a text; raises TypeError for another."""
    if not isinstance(value, str):
        raise TypeError
    return value


def saved_file_refused(name: str, message: str) -> InputRefused:
    """Return the refusal of a file that this program saved, or that belongs beside a report."""
    return InputRefused.of_file(printable(name), message, "Remove the file, or save it again.")
