"""Log an unattended run on standard error: one event per line, as text or JSON."""

import json
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import typer

from analyzer.cli.streams import say, utc_now
from analyzer.errors import BUG, FAILED, INTERRUPTED, PARTIAL, CredreportError
from analyzer.terms import utc_text


class TextOrJson(StrEnum):
    """Choose the form of a log or an explanation."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Log one event per line; `quiet` leaves out all but warnings and errors."""

    form: TextOrJson
    quiet: bool

    def say(self, event: str, message: str, **fields: Any) -> None:
        """Log an event without a problem, such as a step done."""
        if not self.quiet:
            self._line("info", event, message, fields)

    def caution(self, event: str, message: str, **fields: Any) -> None:
        """Log a warning."""
        self._line("warning", event, message, fields)

    def log_wait(self, name: str, seconds: float, state: str) -> None:
        """Log that the report of an account is not ready after some seconds."""
        message = f"Waiting for AWS: no report of {name} after {seconds:.0f} seconds ({state})."
        self.say("waiting", message, seconds=round(seconds), state=state)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Log the error that ends the command, if the log is JSON; the exit code stays.

        Raises SystemExit.
        """
        try:
            yield
        except typer.Exit:
            raise
        except BaseException as error:
            if self.form is TextOrJson.TEXT:
                raise
            code, message = exit_code_and_message(error)
            # A reader of JSON expects no traceback in text.
            fields: dict[str, Any] = {"traceback": traceback.format_exc()} if code == BUG else {}
            event = {BUG: "bug", typer.BadParameter.exit_code: "usage"}.get(code, "failed")
            self._line("error", event, message, fields | {"exit_code": code})
            raise SystemExit(code) from error

    def _line(self, level: str, event: str, message: str, fields: dict[str, Any]) -> None:
        if self.form is TextOrJson.TEXT:
            say(message)
            return
        head = {"time": utc_text(utc_now()), "level": level, "event": event, "message": message}
        say(json.dumps(head | fields))


_MESSAGES_BY_EXIT_CODE: Final = {
    0: "Done.",
    FAILED: "Done. Something that is not exempt meets --fail-on.",
    PARTIAL: "Done. Some accounts or details are missing.",
}
"""The messages of runs that end with outputs."""


def exit_code_and_message(error: BaseException) -> tuple[int, str]:
    """Return the exit code with which an exception ends the program, and a message."""
    if isinstance(error, typer.Exit):
        return error.exit_code, _MESSAGES_BY_EXIT_CODE[error.exit_code]
    if isinstance(error, CredreportError):
        return error.exit_code, str(error)
    if isinstance(error, typer.BadParameter):
        return error.exit_code, error.format_message()
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED, "Ended by Ctrl-C."
    if isinstance(error, SystemExit):
        return int(error.code or 0), "Ended by a signal."
    return BUG, f"This is a bug, please report it: {error!r}"
