"""Judge a large report once for all outputs of a run: what was judged waits in temporary files."""

import pickle
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TypeVar

from analyzer.exports.runs import os_errors_translated
from analyzer.judging import analysis as judged
from analyzer.judging.analysis import Analysis
from analyzer.writers.compressed_blocks import CompressedBlocks

T = TypeVar("T")


@contextmanager
def stored(analysis: Analysis, folder: Path) -> Iterator[Analysis]:
    """Give an analysis with the same result, which judges each user and words each finding once.

    What it made lies in temporary files in the folder until the end. A report that stays in memory
    needs none.

    Raises OutputFailed where the folder cannot be written.
    """
    with ExitStack() as files:

        def opened() -> IO[bytes]:
            with os_errors_translated(folder):
                return files.enter_context(TemporaryFile(dir=folder))

        def store(values: Callable[[], Iterator[T]]) -> Callable[[], Iterator[T]]:
            return _stored_in(opened, values, folder)

        if analysis.report.rows > judged.ROWS_IN_MEMORY:
            analysis = replace(analysis, pages=store(analysis.pages), store=store)
        yield analysis


def _stored_in(
    opened: Callable[[], IO[bytes]], values: Callable[[], Iterator[T]], folder: Path
) -> Callable[[], Iterator[T]]:
    """Return what gives the same values each time; they are made until one pass is complete."""
    complete: list[CompressedBlocks] = []

    def passed() -> Iterator[T]:
        if complete:
            # Nobody else can open the file: what is read from it was written here.
            yield from map(pickle.loads, complete[0])
            return
        blocks = CompressedBlocks(opened())
        for value in values():
            with os_errors_translated(folder):
                blocks.add(pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL))
            yield value
        complete.append(blocks)

    return passed
