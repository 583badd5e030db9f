"""Put files in place whole or not at all, hash them, and write and read the JSON that is saved.

No well-kept library does the first: a file is written aside, hidden and private, flushed to the
disk, and then takes the place of the old one in one step.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from errno import EEXIST
from pathlib import Path
from stat import S_IMODE
from typing import Any, BinaryIO, Final

from analyzer.errors import InputRefused, OutputFailed
from analyzer.terms import printable
from analyzer.version import VERSION

SCHEMA_VERSION: Final = "1.0"
"""The version of the form of JSON files that are saved beside reports and with runs."""

_PRIVATE: Final = 0o600


@dataclass(frozen=True, slots=True)
class _Replacement:
    """Hold a new file that is being written aside, and the place that it will take."""

    stream: BinaryIO
    aside: Path
    target: Path

    def put_in_place(self) -> None:
        """Have the new file on disk, and then in its place."""
        self.flush()
        self.aside.replace(self.target)

    def flush(self) -> None:
        """Have all bytes of the new file on disk."""
        self.stream.flush()
        os.fsync(self.stream.fileno())


@contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """Give a stream whose bytes become the file when all went well, and vanish when not.

    The new file may be read by whoever could read the old one, by nobody else.

    Raises OutputFailed.
    """
    target = Path(os.path.realpath(target))
    try:
        _check_regular(target)
        with _replacement(target, private=False) as new:
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
        with ExitStack() as stack:
            every = [stack.enter_context(_replacement(path, private=True)) for path in files]
            for new, content in zip(every, files.values(), strict=True):
                new.stream.write(content)
                new.flush()
            for path in stale:
                path.unlink(missing_ok=True)
            for new in every:
                new.put_in_place()
    except OSError as error:
        message = f"{last} cannot be written: {error.strerror}. No half file was left."
        raise OutputFailed(message) from error


@contextmanager
def _replacement(path: Path, *, private: bool) -> Iterator[_Replacement]:
    """Give a file beside its target, for its owner only while it is written; leave none behind."""
    target = Path(os.path.realpath(path))
    aside = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with open(aside, "xb", opener=_open_private) as stream:
            if not private:
                os.chmod(aside, _mode(target))  # noqa: PTH101  the same on every system
            yield _Replacement(stream, aside, target)
    finally:
        with suppress(OSError):
            aside.unlink()


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, mode=_PRIVATE)


def _mode(target: Path) -> int:
    """Return the mode of the file that is replaced, for a new one what the umask leaves."""
    try:
        return S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        umask = os.umask(0)
        os.umask(umask)
        return 0o666 & ~umask


def _check_regular(target: Path) -> None:
    """Keep folders, pipes and devices from being replaced by a file."""
    if target.exists() and not target.is_file():
        raise OSError(EEXIST, "it is no regular file")


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def provenance() -> dict[str, Any]:
    """Return what every JSON file that is saved starts with."""
    tool = {"name": "credreport", "version": VERSION}
    return {"schema_version": SCHEMA_VERSION, "tool": tool}


def as_json(value: Mapping[str, Any]) -> bytes:
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
