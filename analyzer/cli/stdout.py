"""Write an analysis to standard output, and end quietly if its reader goes away."""

import os
import shutil
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from io import BytesIO, TextIOWrapper
from textwrap import wrap
from typing import TYPE_CHECKING, BinaryIO, Final

import typer

from analyzer.errors import OutputFailed
from analyzer.terms import Format, Verdict, printable

if TYPE_CHECKING:
    from analyzer.judging.analysis import Analysis
    from analyzer.writers.changes import Comparison

PIPE_CLOSED: Final = 128 + 13
"""The exit code where the reader went away, as if SIGPIPE had ended the program."""


def write(
    analysis: "Analysis",
    form: Format,
    verdicts: Collection[Verdict],
    *,
    raw_csv: bool,
    details: bool = False,
    check: bool = False,
) -> None:
    """Write in the format that was selected.

    `details` is for a table on a terminal, `check` for names.
    """
    with flushed_stdout():
        match form:
            case Format.TABLE:
                _write_table(analysis, verdicts, details=details)
            case _:
                from analyzer.writers import write_format

                _write_data(
                    lambda stream: write_format(
                        form, analysis, stream, verdicts, raw_csv=raw_csv, check=check
                    )
                )


@contextmanager
def flushed_stdout() -> Iterator[None]:
    """Flush standard output at the end, and refuse to go on if it cannot be written.

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
        raise typer.Exit(PIPE_CLOSED) from None
    except OSError as error:
        raise OutputFailed(f"standard output cannot be written: {error.strerror}.") from error


def _write_table(analysis: "Analysis", verdicts: Collection[Verdict], *, details: bool) -> None:
    from analyzer.writers.terminal import write_piped_table, write_terminal

    escape_unencodable()
    if is_terminal():
        width, colour = shutil.get_terminal_size().columns, _is_coloured()
        write_terminal(analysis, sys.stdout, verdicts, width=width, colour=colour, details=details)
    else:
        write_piped_table(analysis, sys.stdout, verdicts)


def write_comparison(compared: "Comparison", form: Format, *, raw_csv: bool) -> None:
    """Write what changed between two analyses, as a table, CSV or JSON."""
    with flushed_stdout():
        if form is Format.TABLE:
            from analyzer.writers.changes_table import write_changes_table

            escape_unencodable()
            width = shutil.get_terminal_size().columns if is_terminal() else None
            colour = is_terminal() and _is_coloured()
            write_changes_table(compared, sys.stdout, width=width, colour=colour)
        else:
            _write_data(partial(write_changes_as, compared, form, raw_csv=raw_csv))


def write_changes_as(
    compared: "Comparison", form: Format, stream: BinaryIO, *, raw_csv: bool
) -> None:
    """Write what changed between two analyses to a stream, as CSV or JSON."""
    from analyzer.writers.changes import write_changes, write_changes_json

    if form is Format.CSV:
        write_changes(compared.changes, stream, raw=raw_csv)
    else:
        write_changes_json(compared, stream)


def _write_data(write_to: Callable[[BinaryIO], None]) -> None:
    if is_terminal():
        data = BytesIO()
        write_to(data)
        escape_unencodable()
        # Text in a report must not control a terminal.
        sys.stdout.write("\n".join(map(printable, data.getvalue().decode().split("\n"))))
    else:
        write_to(sys.stdout.buffer)


_NARROWEST: Final = 24
"""A last column of fewer columns is too narrow to break text in."""


def text_for_terminal(text: str) -> str:
    """Return text whose lines fit the terminal, broken under their last column.

    Columns have two spaces between them. A pipe gets the text as it is.
    """
    if not is_terminal():
        return text
    width = shutil.get_terminal_size().columns
    return "\n".join(part for line in text.split("\n") for part in _wrapped_lines(line, width))


def _wrapped_lines(line: str, width: int) -> list[str]:
    column = max(line.rfind("  ") + 2, 2)
    indent = " " * (column if width - column >= _NARROWEST else 4)
    return wrap(
        line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    ) or [line]


def escape_unencodable() -> None:
    """Write characters that the encoding of standard output lacks as escapes."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def is_terminal() -> bool:
    """Return whether standard output is a terminal."""
    return bool(sys.stdout and sys.stdout.isatty())


def _is_coloured() -> bool:
    """Return whether a terminal shows colours, which NO_COLOR and TERM=dumb switch off."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
