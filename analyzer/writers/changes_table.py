"""Write changes for people: a table on a terminal, lines with tabs in a pipe."""

from collections.abc import Mapping
from itertools import chain
from typing import Final, TextIO

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from analyzer import columns
from analyzer.changes.diff import (
    BEFORE,
    CAUSE,
    CHANGE,
    COLUMNS,
    EXEMPTION_BEFORE,
    EXEMPTION_NOW,
    NOW,
    Comparison,
    counts_by_kind,
)
from analyzer.changes.user_changes import Change
from analyzer.rules.rule import FACT, RULE
from analyzer.terms import printable
from analyzer.writers import users
from analyzer.writers.changes import text_rows
from analyzer.writers.summary import blind_spots_line
from analyzer.writers.terminal import breakable, terminal, write_cells

_COLOURS: Final[Mapping[str, str]] = {
    Change.NEW_UNUSED: "bold red",
    Change.FINDING_NEW: "bold red",
    Change.FINDING_RESOLVED: "green",
    Change.GONE: "dim",
    Change.UNDETERMINED: "magenta",
    Change.FINDING_UNDECIDED: "magenta",
    Change.NOT_COVERED: "bold magenta",
}

_ARROW: Final = " -> "


def write_changes_table(
    compared: Comparison, stream: TextIO, *, width: int | None = None, colour: bool = False
) -> None:
    """Write what changed; `width` is that of the terminal in columns, None for a pipe.

    A pipe gets one table: the names of the columns, then a line for each change.
    """
    if width is None:
        write_cells(chain([COLUMNS], text_rows(compared.changes)), stream)
        return
    console = terminal(stream, width, colour=colour)
    for line in compared_reports(compared):
        console.print(Text(line, "bold"))
    console.print(Text(count_sentence(compared)), "", sep="\n")
    if len(compared.changes):
        console.print(_table(compared, width))
    files = [*compared.before.report.files, *compared.now.report.files]
    console.print(Text(blind_spots_line(files), "dim"))


def compared_reports(compared: Comparison) -> list[str]:
    """Return which reports were compared."""
    labelled_snapshots = (("Before", compared.before), ("Now", compared.now))
    return [f"{side}: {users.as_of_and_scope(each.report)}" for side, each in labelled_snapshots]


def count_sentence(compared: Comparison) -> str:
    """Return how many changes there are of each kind, and how many accounts were compared or not.

    The accounts are counted only where some were not compared.
    """
    counts = counts_by_kind(compared.changes)
    counts_text = ", ".join(f"{kind} {number:,}" for kind, number in counts.items())
    missing = int((compared.changes[CHANGE] == Change.NOT_COVERED).sum())
    sentence = f"Changes: {counts_text}." if counts_text else "No changes."
    accounts = f" Accounts compared: {compared.accounts:,}, not compared: {missing:,}."
    return f"{sentence}{accounts if missing else ''}"


def _table(compared: Comparison, width: int) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("Change", no_wrap=True)
    table.add_column("User", overflow="fold", max_width=max(width // 3, 20))
    table.add_column("What changed", overflow="fold")
    accounts = compared.changes[columns.ACCOUNT].nunique() > 1
    for cells in text_rows(compared.changes):
        row = dict(zip(COLUMNS, cells, strict=True))
        change = row[CHANGE]
        table.add_row(
            Text(change, _COLOURS.get(change, "")), _subject(row, accounts=accounts), _detail(row)
        )
    return table


def _subject(row: Mapping[str, str], *, accounts: bool) -> Text:
    names = [row[columns.USER], row[columns.ACCOUNT] if accounts or not row[columns.USER] else ""]
    return Text("\n".join(printable(name) for name in names if name))


def _detail(row: Mapping[str, str]) -> Text:
    """Return rule and fact of a finding, verdicts or exemptions of a user, then the cause.

    Of a finding that was undecided on one side, its outcomes say on which.
    """
    outcomes = row[BEFORE], row[NOW]
    if row[CHANGE] == Change.FINDING_UNDECIDED:
        lines = [_finding(row), _ARROW.join(outcome or "no finding" for outcome in outcomes)]
    elif row[RULE]:
        lines = [_finding(row)]
    elif row[CHANGE].startswith("exempt"):
        exemptions = row[EXEMPTION_BEFORE], row[EXEMPTION_NOW]
        lines = [_ARROW.join(each or "not exempt" for each in exemptions)]
    else:
        lines = [_ARROW.join(dict.fromkeys(filter(None, outcomes)))]
    return Text("\n".join(printable(line) for line in (*lines, row[CAUSE]) if line))


def _finding(row: Mapping[str, str]) -> str:
    return f"{row[RULE]}: {breakable(row[FACT])}"
