"""Write the workbooks of a split review into a folder, and say what became of whom."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.cli.inputs import check_outputs
from analyzer.errors import OutputFailed
from analyzer.terms import SplitBy, short_list

if TYPE_CHECKING:
    from analyzer.cli.options import InputFile
    from analyzer.judging.analysis import Analysis
    from analyzer.writers.split import Split


def write_split(
    analysis: "Analysis",
    by: SplitBy,
    folder: Path,
    read: "Iterable[InputFile | str | Path | None]",
    mode: int | None,
) -> list[str]:
    """Write a workbook for each owner or account, and the index; all of them or none.

    Return what standard error says of them.

    Raises typer.BadParameter where a workbook is filled in or was read, OutputFailed.
    """
    from analyzer.files import replace_series
    from analyzer.writers.split import INDEX, split

    parts = split(analysis, by)
    names = [*(each.file for each in parts.pages), INDEX]
    check_outputs([folder / name for name in names], read)
    try:
        folder.mkdir(0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise OutputFailed(f"{folder} cannot be written: {error.strerror}.") from error
    replace_series(folder, parts.files(), lambda _: False, mode)
    return [*_messages(parts, folder), f"Wrote {folder / INDEX}: workbooks, owners and addresses"]


def _messages(parts: "Split", folder: Path) -> Iterator[str]:
    """Yield the workbooks with their users, and who has nothing left to decide."""
    for each in parts.pages:
        yield f"Wrote {folder / each.file}: {each.label}, {each.lines:,} to decide"
    older = {file: whose for file, whose in parts.nothing_left.items() if (folder / file).exists()}
    for file, whose in older.items():
        yield f"{folder / file} is of an earlier time: {whose} has nothing left to decide."
    if nothing := [whose for file, whose in parts.nothing_left.items() if file not in older]:
        yield f"Nothing to decide: {short_list(nothing)}."
