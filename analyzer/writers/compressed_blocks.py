"""Hold blocks of bytes, compressed, in a temporary file: what is too large for the memory."""

import os
from collections.abc import Iterator
from typing import IO, Final

import pyarrow as pa

_CODEC: Final = "zstd"


class CompressedBlocks:
    """Hold blocks of bytes, to be read again and again in their order.

    Rows of sheets take a tenth of the room so. A gigabyte takes 1.0 s; as it is the system takes
    from 0.3 to 2.6 s to write and read it.
    """

    def __init__(self, file: IO[bytes]) -> None:
        """Begin with no blocks; they go behind what a file holds already."""
        self._file = file
        self._places: list[tuple[int, int, int]] = []

    def add(self, block: bytes | bytearray) -> None:
        """Add a block."""
        compressed = pa.compress(block, _CODEC, asbytes=True)
        at = self._file.seek(0, os.SEEK_END)
        self._file.write(compressed)
        self._places.append((at, len(compressed), len(block)))

    def __iter__(self) -> Iterator[bytes]:
        """Yield the blocks."""
        for at, compressed, size in self._places:
            self._file.seek(at)
            yield pa.decompress(self._file.read(compressed), size, _CODEC, asbytes=True)
