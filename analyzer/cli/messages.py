"""Say on standard error what was done, what was found and what to know of it."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from analyzer.blind_spots import BLIND_SPOTS
from analyzer.writers import people
from analyzer.writers.plain import printable

if TYPE_CHECKING:
    from analyzer.analysis import Analysis


@contextmanager
def progress(*, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Give a function that is told how many of how many inputs were read, and shows a bar.

    The bar shows only on a terminal, and only for many inputs.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    words = TextColumn("Reading reports")
    with Progress(
        words, BarColumn(), MofNCompleteColumn(), console=Console(stderr=True), transient=True
    ) as bar:
        task = bar.add_task("", total=None, visible=False)
        yield lambda done, total: bar.update(task, completed=done, total=total, visible=total > 1)


def say(analysis: "Analysis", written: Sequence[Path], *, told: bool) -> None:
    """Say the as-of, the counts and the notes, unless a table `told` them, and what was written."""
    if not told:
        for line in _summary(analysis):
            typer.echo(printable(line), err=True)
    for path in written:
        typer.echo(f"Wrote {printable(str(path))}", err=True)


def _summary(analysis: "Analysis") -> Iterator[str]:
    yield people.described(analysis.report.files)
    for verdict, count, remark in people.counted(analysis):
        yield f"{count:>7} {verdict}" + (f" ({remark})" if remark else "")
    for remark in people.remarks(analysis):
        yield f"Note: {remark}"
    yield f"No report can show: {'; '.join(BLIND_SPOTS)}."
