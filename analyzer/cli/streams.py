"""Write results to standard output, and messages to standard error."""

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO, RawIOBase, TextIOWrapper
from itertools import accumulate
from typing import Any, BinaryIO, Final, TextIO

import typer

from analyzer.errors import FAILED, PARTIAL, OutputFailed
from analyzer.terms import encodable, printable

PIPE_CLOSED: Final = 128 + 13
"""The exit code if the reader went away, as if SIGPIPE had ended the program."""

OUTPUT_CLOSED: Final = "credreport: standard output was closed before the end of the result."

_NARROWEST: Final = 24
"""A last column of fewer characters is too narrow to break text in."""


def buffered(stream: TextIO) -> TextIO:
    """Return standard output with a buffer, which notices if only a part of the bytes is taken.

    With PYTHONUNBUFFERED there is none, and what a full disk did not take would be lost unnoticed.
    """
    if not isinstance(stream, TextIOWrapper) or not isinstance(stream.buffer, RawIOBase):
        return stream
    descriptor, encoding = stream.fileno(), stream.encoding
    return open(descriptor, "w", encoding=encoding, errors=stream.errors, closefd=False)


def write_lines(text: str) -> None:
    """Write text for people; on a terminal, a long line continues under its last column.

    Columns have two spaces between them. A pipe gets the lines unbroken.
    """
    with text_stream() as stream:
        stream.write("".join(f"{part}\n" for part in fitted(text, stream)))


def fitted(text: str, stream: TextIO) -> list[str]:
    """Return the printable lines of a text, broken to the width of a terminal if the stream is one.

    Characters that the terminal's encoding lacks are escaped first.
    """
    lines = [*map(printable, text.split("\n"))]
    if not stream.isatty():
        return lines
    width = shutil.get_terminal_size().columns
    spelled = (encodable(line, stream.encoding) for line in lines)
    return [part for line in spelled for part in _wrapped(line, width)]


def _wrapped(line: str, width: int) -> Iterator[str]:
    """Yield the parts of a line; the signs of some scripts take two columns each."""
    from rich.cells import cell_len, chop_cells

    before, gap, last = line.rpartition("  ")
    column = max(cell_len(before + gap), 2)
    longest = max(map(cell_len, last.split()), default=0)
    # A word that fits the terminal, such as an ARN, is not broken, so that it can be copied.
    fits = width - column >= max(_NARROWEST, longest)
    indent = " " * (column if fits else max(min(4, width - longest), 0))
    part = ""
    for word in re.findall(r"\s*\S+", line):
        if part and cell_len(part + word) > width:
            yield part
            part = indent + word.lstrip()
        else:
            part += word
        *full, part = chop_cells(part, width)
        yield from full
    yield part


@contextmanager
def text_stream() -> Iterator[TextIO]:
    """Give standard output for text, with escapes for characters that its encoding lacks.

    Raises OutputFailed if standard output cannot be written, typer.Exit if its reader is gone.
    """
    if sys.stdout is None:
        raise OutputFailed("standard output cannot be written: it is closed.")
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        yield sys.stdout
        sys.stdout.flush()
    except BrokenPipeError:
        # Discard what Python would still flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        say(OUTPUT_CLOSED)
        raise typer.Exit(PIPE_CLOSED) from None
    except OSError as error:
        raise OutputFailed(f"standard output cannot be written: {error.strerror}.") from error


@contextmanager
def binary_stream() -> Iterator[BinaryIO]:
    """Give standard output for bytes; text in them cannot control a terminal.

    Raises OutputFailed and typer.Exit as `text_stream`.
    """
    with text_stream() as text:
        if is_terminal():
            data = BytesIO()
            yield data
            text.write("\n".join(map(printable, data.getvalue().decode().split("\n"))))
        else:
            yield text.buffer


def is_terminal() -> bool:
    """Return whether standard output is a terminal."""
    return bool(sys.stdout and sys.stdout.isatty())


def terminal_look() -> dict[str, Any]:
    """Return width and colours of the terminal; NO_COLOR and TERM=dumb switch colours off."""
    colour = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return {"width": shutil.get_terminal_size().columns, "colour": colour}


# Standard error


_LARGE: Final = 32 << 20
"""The bytes of reports from which a bar shows for a single one, too."""

_MANY_ROWS: Final = 100_000
"""The rows from which a bar shows while they are judged and written."""


@contextmanager
def progress(
    text: str, *, quiet: bool, sizes: Sequence[int] = (), rows: int = 0
) -> Iterator[Callable[[int, int], None]]:
    """Give a function that shows the number of inputs done, and of all, in a progress bar.

    The bar shows only on a terminal: for many inputs, for large ones by their `sizes` in bytes, or
    for many `rows`, which are only named.
    """
    is_terminal = bool(sys.stderr and sys.stderr.isatty())
    if quiet or not is_terminal or os.environ.get("TERM") == "dumb":
        yield lambda _done, _total: None
        return
    from rich import progress as parts
    from rich.console import Console

    count = [parts.DownloadColumn()] if sizes else [] if rows else [parts.MofNCompleteColumn()]
    shown = (parts.TextColumn(text, markup=False), parts.BarColumn(), *count)
    clock, console = parts.TimeElapsedColumn(), Console(stderr=True)
    bar = parts.Progress(*shown, clock, console=console, transient=True)
    ends = [0, *accumulate(sizes)]
    task = bar.add_task("", total=ends[-1] or None)
    if rows > _MANY_ROWS or ends[-1] > _LARGE:
        bar.start()

    def update(done: int, total: int) -> None:
        if total > 1:
            both = (ends[done], ends[-1]) if sizes else (done, total)
            bar.update(task, completed=both[0], total=both[1])
            bar.start()

    try:
        yield update
    finally:
        bar.stop()


def exit_if_failed_or_partial(failures: Sequence[str] = (), missing: Sequence[object] = ()) -> None:
    """Exit with 1 and a message if anything meets --fail-on, else with 5 if anything is missing.

    Raises typer.Exit.
    """
    if failures:
        say(f"Meets --fail-on: {'; '.join(failures)}")
        raise typer.Exit(FAILED)
    if missing:
        raise typer.Exit(PARTIAL)


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def say(text: str) -> None:
    """Write lines that cannot control a terminal.

    A standard error that is full or closed changes neither the result nor the exit code.
    """
    try:
        for line in fitted(text, sys.stderr) if sys.stderr else ():
            print(line, file=sys.stderr, flush=True)  # noqa: T201  the one place for messages
    except OSError:
        # Discard what Python would still flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
