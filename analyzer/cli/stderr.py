"""Say on standard error what was done, what was found and what to know of it."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.blind_spots import BLIND_SPOTS
from analyzer.cli.saying import say
from analyzer.writers import users

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


def tell(analysis: "Analysis", written: Sequence[Path], *, told: bool) -> None:
    """Say the as-of, the counts and the notes, unless a table `told` them, and what was written."""
    if not told:
        for line in _summary(analysis):
            say(line)
    for path in written:
        say(f"Wrote {path}")


def _summary(analysis: "Analysis") -> Iterator[str]:
    yield users.described(analysis.report)
    for verdict, count, remark in users.counted(analysis):
        yield f"{count:>7} {verdict}" + (f" ({remark})" if remark else "")
    for remark in users.remarks(analysis):
        yield f"Note: {remark}"
    yield f"No report can show: {'; '.join(BLIND_SPOTS)}."
