"""Hold the CSV of a report, in memory or in a large file, and give its rows in blocks."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BufferedIOBase, BytesIO, RawIOBase
from typing import NamedTuple, TypeAlias

from analyzer.errors import InputRefused
from analyzer.files import unreadable_file_refusal
from analyzer.report.input_formats import InputLimit

BLOCK_BYTES = 4 << 20
"""Bytes of CSV that are read and parsed at once: with all at once it takes four times as long."""


Stream: TypeAlias = BufferedIOBase | RawIOBase


class LargeFile(NamedTuple):
    """Name a large file of plain CSV of `size` bytes; `limit` counts them as they are read."""

    name: str
    size: int
    open: Callable[[], RawIOBase]
    limit: InputLimit


class LongRow(Exception):  # noqa: N818  what it names is no error of the program
    """Stop at a row that is longer than a block."""


class Block(NamedTuple):
    """Hold whole rows, in memory that is used again; in quotes, cells can hold line breaks."""

    rows: memoryview
    quoted: bool


@dataclass(slots=True)
class Content:
    """Hold the CSV of a report, in UTF-8 without a byte order mark.

    `size` counts the bytes of the input and `sha256` is their SHA-256; `csv_sha256` is that of the
    CSV in them, the same in any wrapping. Of a large file `csv` has the beginning only, and the
    others are known once its rows were read: what is hashed is what is judged.
    """

    csv: bytes
    size: int = 0
    sha256: str = ""
    csv_sha256: str = ""
    file: LargeFile | None = None

    def blocks(self, start: int) -> Iterator[Block]:
        """Yield the rows from an offset on, which are read once: the bytes are then let go.

        Raises InputRefused for a large file that cannot be read, or whose beginning has changed,
        LongRow for a row longer than a block, UnicodeDecodeError for a block that is not text.
        """
        csv, self.csv = self.csv, b""
        if self.file is None:
            in_memory = BytesIO(csv)
            in_memory.seek(start)
            yield from _blocks(in_memory, len(csv) - start)
            return
        try:
            with self.file.open() as stream:
                yield from self._file_blocks(self.file, stream, csv[:start])
        except OSError as error:
            raise unreadable_file_refusal(self.file.name, error) from None

    def _file_blocks(self, file: LargeFile, stream: Stream, beginning: bytes) -> Iterator[Block]:
        digest = hashlib.sha256()

        def note(data: memoryview) -> None:
            file.limit.add(file.name, len(data))
            self.size += len(data)
            digest.update(data)

        found = stream.read(len(beginning))
        if found != beginning:
            message = "the file changed while it was read"
            raise InputRefused.of_file(file.name, message, "Wait until it is whole, and try again.")
        note(memoryview(found))
        yield from _blocks(stream, max(file.size, BLOCK_BYTES), note)
        self.sha256 = self.csv_sha256 = digest.hexdigest()


def _blocks(
    stream: Stream, size: int, note: Callable[[memoryview], None] = lambda _: None
) -> Iterator[Block]:
    """Yield the rows in a stream of `size` bytes, block by block; from the first quote on, all.

    `note` is called with all bytes as they are read. Raises LongRow, and UnicodeDecodeError for
    what is not text: Arrow would write it to standard error.
    """
    memory = bytearray(max(min(size, BLOCK_BYTES), 1))
    view = memoryview(memory)
    held = 0
    while count := stream.readinto(view[held:]):
        note(view[held : held + count])
        held, size = held + count, size - count
        end = max(memory.rfind(b"\n", 0, held), memory.rfind(b"\r", 0, held)) + 1
        if memory.find(b'"', 0, held) >= 0:
            rest, length = _with_rest(stream, view[:held], size)
            note(memoryview(rest)[held:length])
            yield _block(rest, length, quoted=True)
            return
        if end:
            yield _block(memory, end, quoted=False)
        elif held == BLOCK_BYTES:
            raise LongRow
        view[: held - end] = bytes(view[end:held])
        held -= end
    if held:
        yield _block(memory, held, quoted=False)


def _with_rest(stream: Stream, begun: memoryview, size: int) -> tuple[bytearray, int]:
    """Return memory with what was read and the rest of a stream, about `size`; and the length."""
    held = len(begun)
    memory = bytearray(held + max(size, 0) + 1)
    memory[:held] = begun
    while count := stream.readinto(memoryview(memory)[held:]):
        held += count
        if held == len(memory):  # The file has grown.
            memory += bytes(BLOCK_BYTES)
    return memory, held


def _block(memory: bytearray, length: int, *, quoted: bool) -> Block:
    rows = memoryview(memory)[:length]
    if not memory.isascii():
        bytes(rows).decode()
    return Block(rows, quoted)
