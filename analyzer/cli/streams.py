"""Write results to standard output, and messages and logs to standard error.

The result ends quietly if its reader goes away. Tables can go to files too. The log of an
unattended run has one event per line, as text or JSON.
"""

import json
import os
import re
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Final, TextIO

import typer

from analyzer.cli.options import Quiet, RawCsv
from analyzer.errors import BUG, FAILED, INTERRUPTED, PARTIAL, CredreportError, OutputFailed
from analyzer.files import replacing
from analyzer.terms import Format, encodable, printable, utc_text

PIPE_CLOSED: Final = 128 + 13
"""The exit code where the reader went away, as if SIGPIPE had ended the program."""

_NARROWEST: Final = 24
"""A last column of fewer columns is too narrow to break text in."""


def write_lines(text: str) -> None:
    """Write text for people, whose lines fit the terminal, broken under their last column.

    Columns have two spaces between them. A pipe gets the text as it is.
    """
    with text_stream() as stream:
        stream.write("".join(f"{part}\n" for part in fitted(text, stream)))


def fitted(text: str, stream: TextIO) -> list[str]:
    """Return the printable lines of a text, broken to the width of a terminal if the stream is one.

    What the encoding of the stream lacks is spelled out first.
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
    # A word that fits the terminal, such as an ARN, can be copied whole.
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

    Raises OutputFailed where standard output takes no more, typer.Exit where its reader is gone.
    """
    if sys.stdout is None:
        raise OutputFailed("standard output cannot be written: it is closed.")
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        yield sys.stdout
        sys.stdout.flush()
    except BrokenPipeError:
        # What Python would still flush at its end must go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
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


# Commands whose result is tables


class DataFormat(StrEnum):
    """Choose what standard output gets."""

    TABLE = Format.TABLE.value
    CSV = Format.CSV.value
    JSON = Format.JSON.value


@dataclass(frozen=True, slots=True, kw_only=True)
class DataOutputs:
    """Hold the options on what is written, and where; each command has its own `output`."""

    output: list[Path] = field(default_factory=list)
    format_: Annotated[
        DataFormat | None,
        typer.Option(
            "-f",
            "--format",
            metavar="FORMAT",
            help=f"Write to standard output: {', '.join(DataFormat)}. Default table, if no"
            " file is written.",
        ),
    ] = None
    raw_csv: RawCsv = False
    quiet: Quiet = False

    @property
    def form(self) -> DataFormat | None:
        """Return what standard output gets: a table, unless another output or silence is set."""
        return self.format_ or (None if self.output or self.quiet else DataFormat.TABLE)

    @property
    def is_shown(self) -> bool:
        """Return whether a terminal shows the table."""
        return self.form is DataFormat.TABLE and is_terminal()

    def write(
        self, data: Callable[[str, BinaryIO], None], table: Callable[[TextIO, dict[str, Any]], None]
    ) -> None:
        """Write the files, then standard output.

        `data` writes a file of an ending, `table` a table, for a terminal as `terminal`
        describes it, or for a pipe where nothing does.
        """
        with ExitStack() as files:
            for path in self.output:
                data(path.suffix.lower(), files.enter_context(replacing(path)))
        if self.form is DataFormat.TABLE:
            with text_stream() as text:
                table(text, terminal_look() if self.is_shown else {})
        elif self.form:
            with binary_stream() as stream:
                data(f".{self.form}", stream)


# Standard error


@contextmanager
def progress(*, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Give a function that shows in a bar how many of how many inputs are read.

    The bar shows only on a terminal, and only for many inputs.
    """
    is_terminal = bool(sys.stderr and sys.stderr.isatty())
    if quiet or not is_terminal or os.environ.get("TERM") == "dumb":
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    parts = (TextColumn("Reading reports"), BarColumn(), MofNCompleteColumn())
    bar = Progress(*parts, console=Console(stderr=True), transient=True)
    task = bar.add_task("", total=None)

    def update(done: int, total: int) -> None:
        if total > 1:
            bar.update(task, completed=done, total=total)
            bar.start()

    try:
        yield update
    finally:
        bar.stop()


def exit_if_failed_or_partial(failures: Sequence[str] = (), missing: Sequence[object] = ()) -> None:
    """Exit with 1 if something meets --fail-on, and say what; with 5 if something is missing.

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
        # What Python would still flush at its end must go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


# The log of an unattended run


class TextOrJson(StrEnum):
    """Choose the form of a log or an explanation."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Log one event per line; `quiet` leaves out all that went well."""

    form: TextOrJson
    quiet: bool

    def say(self, event: str, message: str, **fields: Any) -> None:
        """Log what was done."""
        if not self.quiet:
            self._line("info", event, message, fields)

    def caution(self, event: str, message: str, **fields: Any) -> None:
        """Log what should be known or fixed."""
        self._line("warning", event, message, fields)

    def log_wait(self, name: str, seconds: float, state: str) -> None:
        """Log that the report of an account is not ready after so many seconds."""
        message = f"Waiting for AWS: no report of {name} after {seconds:.0f} seconds ({state})."
        self.say("waiting", message, seconds=round(seconds), state=state)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Log as JSON what ends the command, if the log is JSON; the exit code stays.

        Raises typer.Exit.
        """
        try:
            yield
        except typer.Exit:
            raise
        except Exception as error:
            if self.form is TextOrJson.TEXT:
                raise
            code, message = exit_code_and_message(error)
            # A reader of JSON expects no traceback in text.
            more = {"traceback": traceback.format_exc()} if code == BUG else {}
            event = {BUG: "bug", typer.BadParameter.exit_code: "usage"}.get(code, "failed")
            self._line("error", event, message, {**more, "exit_code": code})
            raise typer.Exit(code) from None

    def _line(self, level: str, event: str, message: str, fields: dict[str, Any]) -> None:
        if self.form is TextOrJson.TEXT:
            say(message)
            return
        head = {"time": utc_text(utc_now()), "level": level, "event": event, "message": message}
        say(json.dumps(head | fields))


_OUTCOMES: Final = {
    0: "Done.",
    FAILED: "Done. Something that is not exempt meets --fail-on.",
    PARTIAL: "Done. Some accounts or details are missing.",
}
"""The messages of runs that end with outputs."""


def exit_code_and_message(error: BaseException) -> tuple[int, str]:
    """Return the exit code with which an exception ends the program, and a message."""
    if isinstance(error, typer.Exit):
        return error.exit_code, _OUTCOMES[error.exit_code]
    if isinstance(error, CredreportError):
        return error.exit_code, str(error)
    if isinstance(error, typer.BadParameter):
        return error.exit_code, error.format_message()
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED, "Ended by Ctrl-C."
    if isinstance(error, SystemExit):
        return int(error.code or 0), "Ended by a signal."
    return BUG, f"This is a bug, please report it: {error!r}"
