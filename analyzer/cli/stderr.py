"""Write to standard error: messages and the summary, or the log of an unattended run.

The log has one event per line, as text or JSON.
"""

import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import typer

from analyzer.cli.stdout import fitted
from analyzer.errors import BUG, FAILED, INTERRUPTED, PARTIAL, CredreportError
from analyzer.terms import printable, utc_text


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
        shown = "\n".join(map(printable, text.split("\n")))
        for line in fitted(shown, sys.stderr) if sys.stderr else ():
            print(line, file=sys.stderr, flush=True)  # noqa: T201  the one place for messages
    except OSError:
        # What Python would still flush at its end must go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


# The log of an unattended run


class LogFormat(StrEnum):
    """Choose the form of the log."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Log one event per line; `quiet` leaves out all that went well."""

    form: LogFormat
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
            if self.form is LogFormat.TEXT:
                raise
            code, message = exit_code_and_message(error)
            # A reader of JSON expects no traceback in text.
            more = {"traceback": traceback.format_exc()} if code == BUG else {}
            event = {BUG: "bug", typer.BadParameter.exit_code: "usage"}.get(code, "failed")
            self._line("error", event, message, {**more, "exit_code": code})
            raise typer.Exit(code) from None

    def _line(self, level: str, event: str, message: str, fields: dict[str, Any]) -> None:
        if self.form is LogFormat.TEXT:
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
