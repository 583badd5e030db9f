"""Define the sheet that lists what changed since the previous run."""

from collections.abc import Mapping
from typing import Final

import pandas as pd

from analyzer.writers.workbook.column import Column, moments, no_words, words
from analyzer.writers.workbook.style import Look
from analyzer.writers.workbook.whose import in_frame, texts, who

CHANGES: Final = "Changes"
"""The sheet's title."""

MEANINGS: Final[Mapping[str, str]] = {
    "new-unused": "Unused now, and was not in the previous run.",
    "gone": "In the previous run, and in no report any more.",
    "used-again": "Not in use in the previous run, and used since.",
    "no-longer-unused": "Unused in the previous run, and has another verdict now.",
}
"""What each change means, in the order in which they are explained."""

_LOOKS: Final = {"new-unused": Look.UNUSED, "gone": Look.FAINT, "used-again": Look.CHECK}


def _change_look(change: str) -> Look:
    return _LOOKS.get(change, Look.TEXT)


def _verdict_look(verdict: str) -> Look:
    return Look(verdict) if verdict else Look.TEXT


def _meanings(frame: pd.DataFrame) -> list[str]:
    return [MEANINGS.get(change, "") for change in frame["change"].tolist()]


COLUMNS: Final[tuple[Column[pd.DataFrame], ...]] = (
    *who(in_frame),
    Column("Change", 17, words(texts(in_frame("change")), _change_look)),
    Column("Meaning", 44, words(_meanings, lambda _: Look.TEXT)),
    Column("Before", 12.5, words(texts(in_frame("before")), _verdict_look)),
    Column("Now", 12.5, words(texts(in_frame("now")), _verdict_look)),
    Column("Last use (UTC)", 14.5, moments(in_frame("last_use"), no_words)),
)
NOTHING: Final = "Nothing changed since the previous run."
