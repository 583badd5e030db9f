"""Define the sheet that lists what changed since the previous run."""

from collections.abc import Mapping
from typing import Final

import pandas as pd

from analyzer.changes import BEFORE, CHANGE, LAST_USE, NOW, Change
from analyzer.writers.workbook.column import (
    Column,
    in_frame,
    moment_cells,
    plain,
    repeated_text_cells,
    text_or_raw,
    texts,
    user_columns,
    word_style,
)
from analyzer.writers.workbook.style import CellStyle

MEANINGS: Final[Mapping[Change, str]] = {
    Change.NEW_UNUSED: (
        "Unused now. In the previous run: another verdict, or not listed (Before is empty)."
    ),
    Change.GONE: "In the previous run, not in the reports now.",
    Change.USED_AGAIN: "Not in use in the previous run. Used since.",
    Change.NO_LONGER_UNUSED: "Unused in the previous run. Another verdict now.",
}
"""What each change means."""

NOTHING: Final = "No changes since the previous run."

_STYLES_OF: Final[Mapping[str, CellStyle]] = {
    Change.NEW_UNUSED: CellStyle.UNUSED,
    Change.GONE: CellStyle.FAINT,
    Change.USED_AGAIN: CellStyle.CHECK,
}


def change_counts(frame: pd.DataFrame, since: str) -> str:
    """Return with which run was compared, and how many changes of each kind there are."""
    numbers = frame[CHANGE].value_counts()
    counts = ", ".join(f"{each} {numbers[each]:,}" for each in Change if numbers.get(each))
    return f"The run {since}. {f'Changes since: {counts}.' if counts else NOTHING}"


def _change_style(change: str) -> CellStyle:
    return _STYLES_OF.get(change, CellStyle.TEXT)


def _meanings(frame: pd.DataFrame) -> list[str]:
    return [MEANINGS[Change(change)] for change in frame[CHANGE].tolist()]


COLUMNS: Final = (
    *user_columns(in_frame),
    Column("Change", 17, repeated_text_cells(texts(in_frame(CHANGE)), _change_style)),
    Column("Meaning", 44, repeated_text_cells(_meanings, plain)),
    Column("Before", 12.5, repeated_text_cells(texts(in_frame(BEFORE)), word_style)),
    Column("Now", 12.5, repeated_text_cells(texts(in_frame(NOW)), word_style)),
    Column("Last use (UTC)", 14.5, moment_cells(in_frame(LAST_USE), text_or_raw)),
)
