"""Judge a large report once for all outputs of a run: what was judged waits in temporary files."""

import pickle
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Generic, TypeVar

from analyzer import analysis as judged
from analyzer.analysis import Analysis
from analyzer.compressed_blocks import CompressedBlocks
from analyzer.exports.runs import os_errors_translated

T = TypeVar("T")


@contextmanager
def stored(analysis: Analysis, folder: Path) -> Iterator[Analysis]:
    """Give an analysis with the same result, which judges each user and words each finding once.

    What it made lies in temporary files in the folder until the end. A report that stays in memory
    needs none.

    Raises OutputFailed where the folder cannot be written.
    """
    with ExitStack() as files:

        def store(values: Callable[[], Iterator[T]]) -> Callable[[], Iterator[T]]:
            with os_errors_translated(folder):
                file = files.enter_context(TemporaryFile(dir=folder))
            return _Stored(values, file, folder)

        is_large = analysis.report.rows > judged.ROWS_IN_MEMORY
        yield replace(analysis, store=store) if is_large else analysis


class _Stored(Generic[T]):
    """Give the same values at each call; they are made in the first that comes to its end."""

    def __init__(self, values: Callable[[], Iterator[T]], file: IO[bytes], folder: Path) -> None:
        self._values = values
        self._file = file
        self._folder = folder
        self._blocks: CompressedBlocks | None = None

    def __call__(self) -> Iterator[T]:
        # Nobody else can open the file: what is read from it was written here.
        blocks = self._blocks
        return self._stored_values() if blocks is None else map(pickle.loads, blocks)

    def _stored_values(self) -> Iterator[T]:
        blocks = CompressedBlocks(self._file)
        for value in self._values():
            with os_errors_translated(self._folder):
                blocks.add(pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL))
            yield value
        self._blocks = blocks
