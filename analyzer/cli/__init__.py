"""Run the command line: `run` owns the process, and each command is one function of one file.

Only this package reads options and the terminal. Only `sources`, `aws` and this
package use the clock and the network. It imports all packages, and no other package imports it.

- A command's function lists its steps: load, judge, write, say, exit. It decides nothing about
  users.
- `options.py` defines the options that several commands share, `values.py` parses their values,
  `inputs.py` reads the files that they name, `command.py` turns a function into a command.
- `streams.py` writes results to standard output, messages to standard error; `table_outputs.py`
  writes tables, also to files, `log.py` logs an unattended run. Errors are
  `CredreportError`s, which `main` turns into a message and an exit code; any other exception is a
  bug and ends with 70.
"""

import atexit
import gc
import os
import signal
import sys
import traceback
from contextlib import suppress
from typing import Any, Final, NoReturn

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from analyzer.cli.command import SUMMARIES, command_named, help_stream
from analyzer.cli.streams import OUTPUT_CLOSED, PIPE_CLOSED, buffered, say, write_lines
from analyzer.errors import BUG, INTERRUPTED, CredreportError
from analyzer.terms import VERSION


class Program(TyperGroup):
    """Import a command only when it is run; the list of commands is from `SUMMARIES`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the command with its options, and the remaining arguments."""
        known, command, rest = super().resolve_command(ctx, args)
        return known, command_named(known) if known else command, rest

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        with help_stream(self.get_params(ctx)):
            super().format_help(ctx, formatter)


# Windows has no SIGHUP.
_CAUGHT: Final = {
    getattr(signal, name): name for name in ("SIGHUP", "SIGTERM") if hasattr(signal, name)
}
_SIGNALS: Final = {INTERRUPTED: "Ctrl-C"} | {128 + number: name for number, name in _CAUGHT.items()}
"""The signals that end the program, by their exit code."""

app = typer.Typer(
    name="credreport",
    cls=Program,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="credreport analyze report.json\n\ncredreport analyze --help",
)
for _name, _line in SUMMARIES.items():
    app.command(_name, help=_line)(lambda: None)


@app.callback(invoke_without_command=True)
def credreport(
    context: typer.Context,
    *,
    version: bool = typer.Option(False, "-V", "--version", help="Show the version."),
) -> None:
    """Find unused IAM users in AWS credential reports, offline."""
    if version:
        write_lines(f"credreport {VERSION}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        say("credreport: a command is missing.")
        context.get_help()
        raise typer.Exit(typer.BadParameter.exit_code)


def run() -> NoReturn:
    """Run the program and end the process with its exit code."""
    # Unwind as on Ctrl-C, so that no half-written file stays behind.
    for number in _CAUGHT:
        if signal.getsignal(number) is not signal.SIG_IGN:  # Under nohup, SIGHUP ends nothing.
            signal.signal(number, lambda number, _: sys.exit(128 + number))
    # Importing creates many objects, and a short run frees few: with Python's default threshold
    # for garbage collection, 5,000 users take 1.23 times as long.
    gc.set_threshold(1_000_000)
    # NumPy starts threads for matrices, of which there are none here, and they wait busily: with
    # them 5,000 users take 1.4 times as long.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.stdout = buffered(sys.stdout)
    code = main(sys.argv[1:])
    atexit.register(_end, code)
    sys.exit(code)


def _end(code: int) -> NoReturn:
    """End the process at once, without Python's own shutdown.

    A thread of Arrow that releases a Python object during it would abort the process: one run in 20
    on a report without rows.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):
            stream.flush()
    os._exit(code)


def main(arguments: list[str]) -> int:
    """Run the program and return its exit code."""
    try:
        code: int = app(arguments, prog_name="credreport", standalone_mode=False) or 0
    except CredreportError as error:
        say("\n".join([f"credreport: {error}", *getattr(error, "__notes__", ())]))
        return error.exit_code
    except TyperException as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context else f"credreport {arguments[0]}"
        say(f"credreport: {error.format_message()}\nTry '{command} --help'.")
        return error.exit_code
    except SystemExit as end:
        code = int(end.code or 0)
        if end.__cause__:  # A log in JSON has the message.
            return code
        if isinstance(end.__context__, BrokenPipeError):  # typer would exit with 1
            say(OUTPUT_CLOSED)
            return PIPE_CLOSED
    except Exception:  # noqa: BLE001  a bug: exit code 1 would mean findings
        say(traceback.format_exc())
        say("credreport: this is a bug; please report it with the lines above.")
        return BUG
    if code in _SIGNALS:  # typer, too, turns Ctrl-C into its code.
        say(f"credreport: ended by {_SIGNALS[code]}.")
    return code
