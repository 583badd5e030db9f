"""Define the sheet that lists what changed since the previous run."""

from collections.abc import Mapping
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
from analyzer.rules.rule import FACT, RULE
from analyzer.writers.text_columns import Texts, mapped
from analyzer.writers.workbook.column import (
    AccountNames,
    Column,
    MomentCells,
    TextCells,
    WordCells,
    from_frame,
    named_user_columns,
    neutral_style,
    style_by_name,
)
from analyzer.writers.workbook.style import CellStyle

NOTHING: Final = "No changes since the previous run."

_STYLES_OF: Final[Mapping[str, CellStyle]] = {
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
    changed = f"Changes since: {numbers}." if numbers else NOTHING
    accounts = int((frame[CHANGE] == Change.NOT_COVERED).sum())
    uncompared = f" Accounts not compared: {accounts:,}." if accounts else ""
    return f"The run {since}. {changed}{uncompared}"


def change_columns(names: AccountNames) -> tuple[Column[pd.DataFrame], ...]:
    """Return the columns of changes."""
    return (*named_user_columns(from_frame, names), *_COLUMNS)


def _change_style(change: str) -> CellStyle:
    return _STYLES_OF.get(change, CellStyle.TEXT)


def _meanings(frame: pd.DataFrame) -> Texts:
    return mapped(frame[CHANGE], lambda change: Change(change).meaning)


_COLUMNS: Final = (
    Column("Change", 18, WordCells(from_frame(CHANGE), _change_style)),
    Column("Before", 12.5, WordCells(from_frame(BEFORE), style_by_name)),
    Column("Now", 12.5, WordCells(from_frame(NOW), style_by_name)),
    Column("Cause", 52, TextCells(from_frame(CAUSE))),
    Column("Rule", 24, WordCells(from_frame(RULE), neutral_style)),
    Column("Finding", 44, TextCells(from_frame(FACT))),
    Column("Last use (UTC)", 14.5, MomentCells(from_frame(columns.LAST_USE))),
    Column("Created (UTC)", 14.5, MomentCells(from_frame(columns.CREATED))),
    Column(
        "Exemption before",
        24,
        WordCells(from_frame(EXEMPTION_BEFORE), neutral_style),
    ),
    Column(
        "Exemption now",
        24,
        WordCells(from_frame(EXEMPTION_NOW), neutral_style),
    ),
    Column("Meaning", 44, WordCells(_meanings, neutral_style)),
)
