"""Write what changed between two analyses: CSV, JSON, a table on a terminal, lines in a pipe."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, BinaryIO, Final, TextIO

import pandas as pd
from rich.table import Table
from rich.text import Text

from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.changes import diff
from analyzer.changes.diff import COLUMNS, Comparison
from analyzer.changes.user_changes import ChangeKind
from analyzer.files import provenance
from analyzer.report.model import ReportFile
from analyzer.report.users import Users
from analyzer.report.values import is_one_of
from analyzer.rules.rule import FACT, RULE
from analyzer.terms import BLIND_SPOTS, BLIND_SPOTS_PAGE, Verdict, printable, short_list
from analyzer.writers import headline, user_lists
from analyzer.writers.json import fields, write_document
from analyzer.writers.tables import plain_objects, plain_rows, write_tables
from analyzer.writers.terminal import headed_table, terminal, write_cells

_ROWS_AT_ONCE: Final = 50_000  # changes that are text at a time, to keep the memory small

_COLOURS: Final[Mapping[str, str]] = {
    ChangeKind.BECAME_UNUSED: "bold red",
    ChangeKind.FINDING_NEW: "bold red",
    ChangeKind.FINDING_RESOLVED: "green",
    ChangeKind.GONE: "dim",
    ChangeKind.UNDETERMINED: "magenta",
    ChangeKind.FINDING_UNDECIDED: "magenta",
    ChangeKind.NOT_COVERED: "bold magenta",
}

_MOST_NAMES: Final = 10  # newly unused users that a line names

_ARROW: Final = " -> "


def write_changes(frame: pd.DataFrame, stream: BinaryIO) -> None:
    """Write the changes (`changes.diff.COLUMNS`) as CSV, in their order."""
    starts = range(0, len(frame), _ROWS_AT_ONCE)
    parts = (frame.iloc[start : start + _ROWS_AT_ONCE] for start in starts)
    write_tables(parts, COLUMNS, stream)


def write_changes_csv(comparison: Comparison, stream: BinaryIO) -> None:
    """Write the changes of a comparison as CSV."""
    write_changes(comparison.changes, stream)


def write_changes_json(comparison: Comparison, stream: BinaryIO) -> None:
    """Write both sides, the number of changes of each kind, and the changes, one per line."""
    head = provenance() | {
        "criteria": comparison.now.criteria,
        "before": _side(comparison.before),
        "now": _side(comparison.now),
        "counts": diff.counts_by_kind(comparison.changes),
        "blind_spots": BLIND_SPOTS,
    }
    write_document(stream, head, {"changes": plain_objects(comparison.changes, COLUMNS)})


def _text_rows(frame: pd.DataFrame) -> Iterator[list[str]]:
    return ([cell or "" for cell in row] for row in plain_rows(frame, COLUMNS))


def _side(analysis: Analysis) -> dict[str, Any]:
    report = analysis.report
    return {
        "files": [
            fields(file, "name", "sha256", "as_of", "as_of_source")
            | {"accounts": [account.account for account in file.accounts]}
            for file in report.files
        ],
        "not_covered": report.not_covered,
        "exemptions": analysis.exemptions.file,
        "notes": report.notes,
    }


# For a chat, and for commands that act on users


def write_changes_line(comparison: Comparison, stream: BinaryIO) -> None:
    """Write in one line how much changed, the first newly unused users, and what was compared."""
    frame = comparison.changes
    names = frame.loc[diff.has_newly(Verdict.UNUSED, frame), columns.USER]
    unused = [f"Newly unused: {short_list(names.tolist(), _MOST_NAMES)}."] if len(names) else []
    sides = (f"{side}." for side in compared_reports(comparison))
    line = " ".join([count_sentence(comparison), *unused, *sides, *comparison.not_compared])
    stream.write(f"{printable(line)}\n".encode())


def write_changed_names(comparison: Comparison, stream: BinaryIO) -> None:
    """Write the names of the users of `write_changed_arns`, with accounts if there are several."""
    for users in _users_to_act_on(comparison):
        user_lists.write_name_lines(users, stream, several=comparison.account_count > 1)


def write_changed_arns(comparison: Comparison, stream: BinaryIO) -> None:
    """Write the ARNs of the users that changed: those of the later side first, then gone ones.

    Left out are the same users as of the list of unused users (`user_lists.write_arns`).
    """
    for users in _users_to_act_on(comparison):
        user_lists.write_lines(users.arn, stream)


def omitted_users_sentence(comparison: Comparison) -> Iterator[str]:
    """Yield how many users of the changes are in no list of names and why, nothing for none."""
    yield from user_lists.omission_sentence(_changed_users(comparison))


def _users_to_act_on(comparison: Comparison) -> list[Users]:
    return [user_lists.users_to_act_on(*part) for part in _changed_users(comparison)]


def _changed_users(comparison: Comparison) -> list[tuple[Users, Sequence[ReportFile]]]:
    """Return the users of the changes, with the files of their side."""
    arns = set(comparison.changes[columns.ARN])
    parts: list[tuple[Users, Sequence[ReportFile]]] = []
    for analysis in (comparison.now, comparison.before):
        users = analysis.judged.where(is_one_of(arns, analysis.judged.arn))
        parts.append((users, analysis.report.files))
        arns -= set(users.arn.to_pylist())
    return parts


# For people


def write_changes_table(
    comparison: Comparison, stream: TextIO, *, width: int | None = None, colour: bool = False
) -> None:
    """Write the changes; `width` is the width of the terminal in columns, None for a pipe.

    A pipe gets one table: the names of the columns, then a line for each change.
    """
    if width is None:
        write_cells(chain([COLUMNS], _text_rows(comparison.changes)), stream)
        return
    console = terminal(stream, width, colour=colour)
    sides = (Text(line, "bold") for line in compared_reports(comparison))
    console.print(*sides, Text(count_sentence(comparison)), "", sep="\n")
    if len(comparison.changes):
        console.print(_table(comparison, width))
    console.print(Text(BLIND_SPOTS_PAGE, "dim"))


def compared_reports(comparison: Comparison) -> list[str]:
    """Return which reports were compared."""
    sides = (("Before", comparison.before), ("Now", comparison.now))
    return [f"{side}: {headline.as_of_and_scope(analysis.report)}" for side, analysis in sides]


def count_sentence(comparison: Comparison) -> str:
    """Return the number of changes of each kind, and of accounts if some were not compared."""
    numbers = diff.counts_text(comparison.changes)
    sentence = f"Changes: {numbers}." if numbers else "No changes."
    if missing := len(comparison.not_compared):
        compared = comparison.account_count
        sentence += f" Accounts compared: {compared:,}, not compared: {missing:,}."
    return sentence


def _table(comparison: Comparison, width: int) -> Table:
    """Return a table with a row for each user, in the order of their first changes."""
    table = headed_table()
    table.add_column("User", overflow="fold", max_width=max(width // 3, 20))
    table.add_column("What changed", overflow="fold")
    accounts = comparison.changes[columns.ACCOUNT].nunique() > 1
    changed: dict[tuple[str, str], dict[str, Text]] = {}
    for cells in _text_rows(comparison.changes):
        row = dict(zip(COLUMNS, cells, strict=True))
        user, change = row[columns.USER], row[diff.CHANGE]
        account = row[columns.ACCOUNT] if accounts or not user else ""
        of_user = changed.setdefault((user, account), {})
        what = _detail(row)
        of_user[f"{change}: {what}"] = Text.assemble((change, _COLOURS.get(change, "")), ": ", what)
        if cause := printable(row[diff.CAUSE]):
            of_user.setdefault(cause, Text(f"  {cause}"))
    for names, details in changed.items():
        subject = Text("\n".join(map(printable, filter(None, names))))
        table.add_row(subject, Text("\n").join(details.values()))
    return table


def _detail(row: Mapping[str, str]) -> str:
    """Return rule and fact of a finding, verdicts or exemptions of a user.

    A finding that was undecided on one side also has the outcome of each side.
    """
    outcomes, finding = (row[diff.BEFORE], row[diff.NOW]), f"{row[RULE]}: {row[FACT]}"
    if row[diff.CHANGE] == ChangeKind.FINDING_UNDECIDED:
        lines = [finding, _ARROW.join(outcome or "no finding" for outcome in outcomes)]
    elif row[RULE]:
        lines = [finding]
    elif row[diff.CHANGE].startswith("exempt"):
        exemptions = row[diff.EXEMPTION_BEFORE], row[diff.EXEMPTION_NOW]
        lines = [_ARROW.join(exemption or "not exempt" for exemption in exemptions)]
    else:
        lines = [_ARROW.join(dict.fromkeys(filter(None, outcomes)))]
    return "\n".join(printable(line) for line in lines if line)
