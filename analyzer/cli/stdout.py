"""Write an analysis to standard output: whole or not at all, and quietly if nobody reads it."""

import os
import shutil
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from io import BytesIO, TextIOWrapper
from typing import TYPE_CHECKING, BinaryIO, Final

import typer

from analyzer.errors import OutputFailed
from analyzer.terms import Format, Verdict, printable

if TYPE_CHECKING:
    from analyzer.analysis import Analysis
    from analyzer.writers.changes import Comparison

CLOSED: Final = 128 + 13
"""The exit code where the reader went away, as if SIGPIPE had ended the program."""


def write(
    analysis: "Analysis", form: Format, verdicts: Collection[Verdict], *, raw_csv: bool
) -> None:
    """Write in the format asked for."""
    with open_to_its_reader():
        _write(analysis, form, verdicts, raw_csv=raw_csv)


@contextmanager
def open_to_its_reader() -> Iterator[None]:
    """Have what is written to standard output arrive, or say why it does not.

    Raises OutputFailed where standard output takes no more, typer.Exit where its reader is gone.
    """
    if sys.stdout is None:
        raise OutputFailed("standard output cannot be written: it is closed.")
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # What Python would still flush at its end must go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(CLOSED) from None
    except OSError as error:
        raise OutputFailed(f"standard output cannot be written: {error.strerror}.") from error


def _write(
    analysis: "Analysis", form: Format, verdicts: Collection[Verdict], *, raw_csv: bool
) -> None:
    if form is Format.TABLE:
        from analyzer.writers.terminal import write_table

        _spell_out()
        write_table(analysis, sys.stdout, verdicts, width=_width(), colour=_is_coloured())
    else:
        _write_bytes(lambda stream: _write_data(analysis, form, stream, verdicts, raw_csv=raw_csv))


def write_comparison(compared: "Comparison", form: Format, *, raw_csv: bool) -> None:
    """Write what changed between two analyses, as a table, CSV or JSON."""
    with open_to_its_reader():
        if form is Format.TABLE:
            from analyzer.writers.changes_table import write_changes_table

            _spell_out()
            write_changes_table(compared, sys.stdout, width=_width(), colour=_is_coloured())
        elif form is Format.CSV:
            from analyzer.writers.changes import write_changes

            _write_bytes(lambda stream: write_changes(compared.changes, stream, raw=raw_csv))
        else:
            from analyzer.writers.changes import write_changes_json

            _write_bytes(lambda stream: write_changes_json(compared, stream))


def _write_bytes(write: Callable[[BinaryIO], None]) -> None:
    if is_terminal():
        output = BytesIO()
        write(output)
        _spell_out()
        # What stands in a report must not command a terminal.
        sys.stdout.write("\n".join(map(printable, output.getvalue().decode().split("\n"))))
    else:
        write(sys.stdout.buffer)


def _write_data(
    analysis: "Analysis",
    form: Format,
    stream: BinaryIO,
    verdicts: Collection[Verdict],
    *,
    raw_csv: bool,
) -> None:
    match form:
        case Format.CSV:
            from analyzer.writers.csv import write_csv

            write_csv(analysis, stream, verdicts, raw=raw_csv)
        case Format.JSON:
            from analyzer.writers.json import write_json

            write_json(analysis, stream, verdicts)
        case _:
            from analyzer.writers.names import write_names

            write_names(analysis, stream, verdicts)


def _spell_out() -> None:
    """Have signs spelled out that the encoding of standard output lacks."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def is_terminal() -> bool:
    """Tell whether a person reads standard output."""
    return bool(sys.stdout and sys.stdout.isatty())


def _width() -> int | None:
    return shutil.get_terminal_size().columns if is_terminal() else None


def _is_coloured() -> bool:
    """Tell whether colours are wanted: on a terminal, unless NO_COLOR or TERM=dumb says not."""
    return is_terminal() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
