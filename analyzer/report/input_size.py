"""Bound what an input may hold, before it is held: archives and pipes can hold any number of bytes.

Sizes are in bytes.
"""

import io
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, Protocol

from analyzer.errors import InputRefused

HEAD_BYTES: Final = 1 << 16
"""So many first bytes show what an input is."""

LARGEST_CSV: Final = 1 << 29
"""No report that is not streamed holds more."""

LARGEST_WRAPPED: Final = 1 << 26
"""No JSON, base64 or UTF-16 with a report in it holds more."""

MAX_INPUT: Final = 2 << 30
"""What all inputs of a run may unpack to together."""

_CHUNK_BYTES: Final = 1 << 20
_UNITS: Final = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SIZE: Final = re.compile(r"([0-9]{1,15})\s*([KMGT]?)(i?B)?", re.IGNORECASE | re.ASCII)


def size_in_bytes(text: str) -> int:
    """Return the number of bytes that a text such as `500MiB`, `2G` or `1000` names.

    Raises ValueError for another text, and for none at all.
    """
    match = _SIZE.fullmatch(text.strip())
    size = int(match[1]) * _UNITS[match[2].upper()] if match else 0
    if size < 1:
        raise ValueError(text)
    return size


def size_text(size: int) -> str:
    """Return a number of bytes in the largest unit that divides it."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if size and size % _UNITS[unit[0]] == 0:
            return f"{size // _UNITS[unit[0]]} {unit}"
    return f"{size} bytes"


class ReadableStream(Protocol):
    """Describe what bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """Return so many bytes or fewer, none at the end."""


@dataclass(slots=True)
class InputLimit:
    """Count what is unpacked or piped in, of all inputs together; threads may share it."""

    most: int = MAX_INPUT
    count: int = 0
    _lock: Lock = field(default_factory=Lock)

    def add(self, name: str, size: int) -> None:
        """Count more bytes of an input.

        Raises InputRefused where that is more than is allowed.
        """
        with self._lock:
            self.count += size
        if self.count > self.most:
            message = f"the inputs unpack to more than {size_text(self.most)} in all"
            hint = "If they are what you expect, raise the bound with --max-input."
            raise InputRefused.of_file(name, message, hint)


def bounded_bytes(
    name: str,
    stream: ReadableStream,
    limit: InputLimit | None,
    largest: Callable[[str, bytes], int],
) -> bytes:
    """Return all bytes of a stream.

    `largest` tells from the first bytes of a long input how many it may hold, and refuses what
    cannot be a report: nothing more of it is read. `limit` counts the bytes, if there is one.

    Raises InputRefused, and whatever the stream does.
    """
    counted = limit or InputLimit(sys.maxsize)
    chunk = _first_bytes(stream)
    if len(chunk) < HEAD_BYTES:
        counted.add(name, len(chunk))
        return chunk
    most = largest(name, chunk)
    content = io.BytesIO()
    while chunk:
        counted.add(name, len(chunk))
        content.write(chunk)
        if content.tell() > most:
            message = f"it holds more than {size_text(most)}"
            raise InputRefused.of_file(name, message, "Unpack it first, and give it as CSV.")
        chunk = stream.read(_CHUNK_BYTES)
    return content.getvalue()


def _first_bytes(stream: ReadableStream) -> bytes:
    """Return as many bytes as show what an input is; a pipe may give fewer at a time."""
    head = b""
    while len(head) < HEAD_BYTES and (more := stream.read(HEAD_BYTES - len(head))):
        head += more
    return head
