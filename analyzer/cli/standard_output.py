"""Write an analysis to standard output: whole or not at all, and quietly if nobody reads it."""

import os
import shutil
import sys
from collections.abc import Collection
from io import TextIOWrapper
from typing import TYPE_CHECKING, BinaryIO, Final

import typer

from analyzer.errors import OutputFailed
from analyzer.terms import Format, Verdict

if TYPE_CHECKING:
    from analyzer.analysis import Analysis

CLOSED: Final = 128 + 13
"""The exit code where the reader went away, as if SIGPIPE had ended the program."""


def write(
    analysis: "Analysis", form: Format, verdicts: Collection[Verdict], *, raw_csv: bool
) -> None:
    """Write in the format asked for.

    Raises OutputFailed where standard output takes no more, typer.Exit where its reader is gone.
    """
    if sys.stdout is None:
        raise OutputFailed("standard output cannot be written: it is closed.")
    try:
        _write(analysis, form, verdicts, raw_csv=raw_csv)
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
    stream: BinaryIO = sys.stdout.buffer
    match form:
        case Format.CSV:
            from analyzer.writers.csv import write_csv

            write_csv(analysis, stream, verdicts, raw=raw_csv)
        case Format.JSON:
            from analyzer.writers.json import write_json

            write_json(analysis, stream, verdicts)
        case Format.NAMES:
            from analyzer.writers.names import write_names

            write_names(analysis, stream, verdicts)
        case Format.TABLE:
            from analyzer.writers.table import write_table

            if isinstance(sys.stdout, TextIOWrapper):
                # A sign that the terminal's encoding lacks is spelled out.
                sys.stdout.reconfigure(errors="backslashreplace")
            write_table(analysis, sys.stdout, verdicts, width=_width(), colour=_is_coloured())


def is_terminal() -> bool:
    """Tell whether a person reads standard output."""
    return bool(sys.stdout and sys.stdout.isatty())


def _width() -> int | None:
    return shutil.get_terminal_size().columns if is_terminal() else None


def _is_coloured() -> bool:
    """Tell whether colours are wanted: on a terminal, unless NO_COLOR or TERM=dumb says not."""
    return is_terminal() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
