"""Write messages and the summary to standard error."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import typer

from analyzer.cli.stdout import fitted
from analyzer.errors import FAILED, PARTIAL
from analyzer.terms import printable


@contextmanager
def progress(*, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Give a function that shows in a bar how many of how many inputs are read.

    The bar shows only on a terminal, and only for many inputs.
    """
    if quiet or not _is_terminal():
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


def _is_terminal() -> bool:
    """Return whether standard error is a terminal on which a bar can move."""
    return bool(sys.stderr and sys.stderr.isatty()) and os.environ.get("TERM") != "dumb"


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
        shown = "\n".join(map(printable, text.split("\n")))
        for line in fitted(shown, sys.stderr) if sys.stderr else ():
            typer.echo(line, err=True)
    except OSError:
        # What Python would still flush at its end must go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
