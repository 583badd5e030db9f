"""Log on standard error, in lines for people or in JSON for machines."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import typer

from analyzer.cli.saying import say
from analyzer.errors import BUG, CredreportError
from analyzer.terms import ISO_UTC


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
