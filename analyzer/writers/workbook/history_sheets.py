"""Show the past: what changed since the previous run, and what became of earlier decisions."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import pandas as pd

from analyzer import columns
from analyzer.changes.diff import (
    BEFORE,
    CAUSE,
    CHANGE,
    EXEMPTION_BEFORE,
    EXEMPTION_NOW,
    NOW,
    counts_by_kind,
)
from analyzer.changes.users import Change
from analyzer.decisions import follow_up, ledger
from analyzer.decisions.follow_up import FollowUpStatus, follow_up_counts
from analyzer.decisions.review_columns import DECIDED, ENTERED_IN, Decision
from analyzer.rules.rule import FACT, RULE
from analyzer.terms import OVERDUE
from analyzer.writers.text_columns import Texts
from analyzer.writers.workbook import user_columns
from analyzer.writers.workbook.column import (
    Column,
    DayColumn,
    MomentColumn,
    NumberColumn,
    TextColumn,
    WordColumn,
    style_among,
    style_by_name,
    text_by_mask,
    text_of,
)
from analyzer.writers.workbook.grid import Grid, SpannedCell, head, label, total
from analyzer.writers.workbook.review_lists import ACCOUNT, USER
from analyzer.writers.workbook.style import CellStyle
from analyzer.writers.workbook.user_columns import (
    AccountNames,
    account_name_columns,
    named_user_columns,
)

# Changes since the previous run

NO_CHANGES: Final = "No changes since the previous run."

_CHANGE_STYLES: Final[Mapping[str, CellStyle]] = {
    Change.NEW_UNUSED: CellStyle.UNUSED,
    Change.GONE: CellStyle.FAINT,
    Change.FIRST_SIGN_IN: CellStyle.CHECK,
    Change.FIRST_USE: CellStyle.CHECK,
    Change.USED_AGAIN: CellStyle.CHECK,
    Change.UNDETERMINED: CellStyle.UNDETERMINED,
    Change.NOT_COVERED: CellStyle.UNDETERMINED,
}


def change_counts(frame: pd.DataFrame, since: str) -> str:
    """Return the run that was compared with, and the number of changes of each kind."""
    numbers = ", ".join(f"{kind} {number:,}" for kind, number in counts_by_kind(frame).items())
    changed = f"Changes since: {numbers}." if numbers else NO_CHANGES
    accounts = int((frame[CHANGE] == Change.NOT_COVERED).sum())
    uncompared = f" Accounts not compared: {accounts:,}." if accounts else ""
    return f"The run {since}. {changed}{uncompared}"


def change_columns(names: AccountNames) -> tuple[Column, ...]:
    """Return the columns of changes."""
    return (
        *named_user_columns(names),
        WordColumn("Change", 18, CHANGE, style_among(_CHANGE_STYLES)),
        WordColumn("Before", 12.5, BEFORE, style_by_name),
        WordColumn("Now", 12.5, NOW, style_by_name),
        TextColumn("Cause", 52, CAUSE),
        WordColumn("Rule", 24, RULE),
        TextColumn("Finding", 44, FACT),
        MomentColumn("Last use (UTC)", 14.5, columns.LAST_USE),
        MomentColumn("Created (UTC)", 14.5, columns.CREATED),
        WordColumn("Exemption before", 24, EXEMPTION_BEFORE),
        WordColumn("Exemption now", 24, EXEMPTION_NOW),
        WordColumn("Meaning", 44, text_of(CHANGE, lambda change: Change(change).meaning)),
    )


# Follow-up of earlier decisions

NO_REMOVALS: Final = "No decision in force is to delete or deactivate a user."

_STATUS_MEANINGS: Final[Mapping[FollowUpStatus, str]] = {
    FollowUpStatus.OVERTAKEN: "More access or use than the reviewer saw: decide again.",
    FollowUpStatus.NOT_DONE: "Still there, still has working credentials, or is possibly renamed.",
    FollowUpStatus.UNKNOWN: "No report shows the whole account, or the user is not known.",
    FollowUpStatus.DONE: (
        "A later report shows that the user is gone or, to deactivate, has no working credentials."
    ),
}

_STATUS_STYLES: Final[Mapping[str, CellStyle]] = {
    FollowUpStatus.OVERTAKEN: CellStyle.CHECK,
    FollowUpStatus.NOT_DONE: CellStyle.UNUSED,
    FollowUpStatus.UNKNOWN: CellStyle.UNDETERMINED,
    FollowUpStatus.DONE: CellStyle.SUCCESS,
    OVERDUE: CellStyle.CRITICAL,
}

_REMOVALS: Final = (Decision.DELETE, Decision.DEACTIVATE)


def _overdue_words(frame: pd.DataFrame) -> Texts:
    return text_by_mask(frame[OVERDUE].to_numpy(bool), OVERDUE, "")


def follow_up_columns(names: AccountNames) -> tuple[Column, ...]:
    """Return the columns of a follow-up (`follow_up.COLUMNS`)."""
    return (
        ACCOUNT,
        *account_name_columns(names, 12),
        USER,
        WordColumn("Status", 10, follow_up.STATUS, style_among(_STATUS_STYLES)),
        WordColumn("Overdue", 9, _overdue_words, style_among(_STATUS_STYLES)),
        WordColumn(DECIDED, 10.5, ledger.DECISION),
        WordColumn("Decided by", 10.5, ledger.DECIDED_BY),
        DayColumn("Decided on", 10.5, ledger.DECIDED_ON),
        NumberColumn("Days since", 6.5, follow_up.DAYS),
        TextColumn("Fact", 46, follow_up.FACT),
        WordColumn("Verdict now", 12.5, columns.VERDICT, style_by_name),
        MomentColumn("Last use (UTC)", 14.5, follow_up.LAST_USE),
        MomentColumn("Done since (UTC)", 14.5, follow_up.DONE_SINCE),
        TextColumn("Ticket", 9, ledger.TICKET),
        TextColumn("Comment", 28, ledger.COMMENT),
        MomentColumn("Created (UTC)", 14.5, columns.CREATED),
        *(replace(each, printed=False) for each in _FOLLOW_UP_SOURCES),
    )


_FOLLOW_UP_SOURCES: Final = (
    WordColumn("Verdict decided on", 12.5, follow_up.DECIDED_VERDICT, style_by_name),
    MomentColumn("As of decided on (UTC)", 14.5, follow_up.DECIDED_AS_OF),
    WordColumn(ENTERED_IN, 26, ledger.WORKBOOK),
    WordColumn("Sheet", 14, ledger.SHEET),
    NumberColumn("Row", 6.5, ledger.ROW),
    WordColumn("SHA-256", 20, ledger.SHA256),
    user_columns.AS_OF,
    WordColumn("Report", 26, follow_up.REPORT),
    user_columns.ARN,
)


def add_follow_up(grid: Grid, frame: pd.DataFrame) -> None:
    """Add a line a status: how many decisions have it, and how many of these are overdue."""
    heads = ("Decisions", *map(str, _REMOVALS), "overdue")
    grid.table_head(head("Follow-up"), *heads, head("Meaning", 7))
    for status, meaning in _STATUS_MEANINGS.items():
        numbers = _numbers(frame[frame[follow_up.STATUS] == status])
        name = SpannedCell(str(status), _STATUS_STYLES[status])
        grid.row(name, *numbers, SpannedCell(meaning, span=7))
    about = "The sheet Follow-up lists them all." if len(frame) else NO_REMOVALS
    grid.row(label("All"), *map(total, _numbers(frame)), SpannedCell(about, span=7))


def _numbers(frame: pd.DataFrame) -> list[int]:
    """Return how many decisions there are, how many of each kind, and how many are overdue."""
    removals = [int((frame[ledger.DECISION] == decision).sum()) for decision in _REMOVALS]
    return [len(frame), *removals, follow_up_counts(frame)[OVERDUE]]
