"""Say things on standard error, whatever becomes of them there."""

import os
import sys

import typer

from analyzer.writers.plain import printable


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
