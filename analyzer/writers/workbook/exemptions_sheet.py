"""Define the sheet that lists the entries of the exemption list, with the state of each."""

from typing import Final

import pandas as pd

from analyzer import columns
from analyzer.analysis import Analysis
from analyzer.model import Exemption
from analyzer.rules.rule import RULE
from analyzer.writers.workbook.column import (
    Column,
    DayCells,
    NumberCells,
    TextCells,
    WordCells,
    from_frame,
    neutral_style,
)
from analyzer.writers.workbook.style import CellStyle
from analyzer.writers.workbook.user_sheets import last_days, no_end

APPLIES: Final = "applies"
EXPIRED: Final = "expired"
UNMATCHED: Final = "matches no user"
ALL_RULES: Final = "all rules"
_LINE: Final = "line"
_NO_LINE: Final = -1
"""Shown as an empty cell: a user to keep by a review is in no list."""

_REASON: Final = "reason"
_OWNER: Final = "owner"
_UNTIL: Final = "until"
_MATCHED: Final = "matched"
_STATE: Final = "state"
_STYLES_OF: Final = {EXPIRED: CellStyle.CHECK, UNMATCHED: CellStyle.CHECK}


def _state_style(state: str) -> CellStyle:
    return _STYLES_OF.get(state, CellStyle.TEXT)


COLUMNS: Final = (
    Column("Account", 13, TextCells(from_frame(columns.ACCOUNT))),
    Column("User", 24, TextCells(from_frame(columns.USER))),
    Column("Exempt from", 24, WordCells(from_frame(RULE), neutral_style)),
    Column("Reason", 60, TextCells(from_frame(_REASON))),
    Column("Owner", 24, TextCells(from_frame(_OWNER))),
    Column("Last day (UTC)", 12, DayCells(from_frame(_UNTIL), no_end)),
    Column("Users matched", 10, NumberCells(from_frame(_MATCHED))),
    Column("State", 15, WordCells(from_frame(_STATE), _state_style)),
    Column("Line in the list", 8, NumberCells(from_frame(_LINE))),
)


def exemption_frame(analysis: Analysis) -> pd.DataFrame:
    """Return the entries in their order: the columns that `COLUMNS` shows."""
    totals = analysis.totals
    rows = [
        {
            columns.ACCOUNT: each.account,
            columns.USER: each.user,
            RULE: each.rule or ALL_RULES,
            _REASON: each.reason,
            _OWNER: each.owner,
            _MATCHED: matched,
            _STATE: _state(each, analysis, matched),
            _LINE: _NO_LINE if each.arn else each.line,
        }
        for each, matched in zip(analysis.exemptions, totals.matched, strict=True)
    ]
    return pd.DataFrame(rows).assign(**{_UNTIL: last_days(analysis.exemptions)})


def _state(entry: Exemption, analysis: Analysis, matched: int) -> str:
    if entry in analysis.totals.expired:
        return EXPIRED
    return APPLIES if matched else UNMATCHED
