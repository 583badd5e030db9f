"""Say on standard error what was done, what was found and what to know of it."""

import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from analyzer.errors import BUG, CredreportError
from analyzer.terms import BLIND_SPOTS, ISO_UTC, printable

if TYPE_CHECKING:
    from analyzer.analysis import Analysis


@contextmanager
def progress(*, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Give a function that is told how many of how many inputs were read, and shows a bar.

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

    def told(done: int, total: int) -> None:
        if total > 1:
            bar.update(task, completed=done, total=total)
            bar.start()

    try:
        yield told
    finally:
        bar.stop()


def _is_terminal() -> bool:
    """Tell whether standard error is a terminal on which a bar can move."""
    return bool(sys.stderr and sys.stderr.isatty()) and os.environ.get("TERM") != "dumb"


def print_summary(analysis: "Analysis", written: Sequence[Path], *, told: bool) -> None:
    """Say the as-of, the counts and the notes, unless a table `told` them, and what was written."""
    if not told:
        for line in _summary(analysis):
            say(line)
    for path in written:
        say(f"Wrote {path}")


def _summary(analysis: "Analysis") -> Iterator[str]:
    from analyzer.writers import users

    yield users.as_of_and_scope(analysis.report)
    for verdict, count, remark in users.verdict_counts(analysis):
        yield f"{count:>7} {verdict}" + (f" ({remark})" if remark else "")
    for remark in users.notes(analysis):
        yield f"Note: {remark}"
    yield f"No report can show: {'; '.join(BLIND_SPOTS)}."


class LogFormat(StrEnum):
    """Choose who reads the log."""

    TEXT = "text"
    JSON = "json"


class Level(StrEnum):
    """Say how much a line of the log matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Say what is done, in one line an event; `quiet` leaves out all that went well."""

    form: LogFormat
    quiet: bool

    def say(self, event: str, message: str, **fields: Any) -> None:
        """Say what was done."""
        if not self.quiet:
            self._line(Level.INFO, event, message, fields)

    def caution(self, event: str, message: str, **fields: Any) -> None:
        """Say what somebody should know or mend."""
        self._line(Level.WARNING, event, message, fields)

    def fail(self, event: str, message: str, **fields: Any) -> None:
        """Say what ended the run."""
        self._line(Level.ERROR, event, message, fields)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Log as JSON what ends the command, where JSON is asked for; the exit code stays.

        Raises typer.Exit.
        """
        if self.form is LogFormat.TEXT:
            yield
            return
        try:
            yield
        except CredreportError as error:
            self.fail("failed", str(error), exit_code=error.exit_code)
            raise typer.Exit(error.exit_code) from None
        except typer.BadParameter as error:
            self.fail("usage", error.format_message(), exit_code=error.exit_code)
            raise typer.Exit(error.exit_code) from None
        except Exception as error:  # noqa: BLE001  a bug: who reads JSON reads no traceback in text
            told = {"traceback": traceback.format_exc(), "exit_code": BUG}
            self.fail("bug", f"This is a bug, please report it: {error!r}", **told)
            raise typer.Exit(BUG) from None

    def _line(self, level: Level, event: str, message: str, fields: dict[str, Any]) -> None:
        if self.form is LogFormat.TEXT:
            say(message)
            return
        import json

        told = {
            "time": f"{datetime.now(UTC):{ISO_UTC}}",
            "level": level,
            "event": event,
            "message": message,
            **fields,
        }
        say(json.dumps(told))


def say(text: str) -> None:
    """Say it in lines that a terminal only shows.

    A standard error that is full or closed changes neither the result nor the exit code.
    """
    try:
        for line in text.split("\n"):
            typer.echo(printable(line), err=True)
    except OSError:
        # What Python would still flush at its end must go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
