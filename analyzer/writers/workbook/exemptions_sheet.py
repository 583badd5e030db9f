"""Define the sheet that lists the entries of the exemption list, with the state of each."""

from typing import Final

import pandas as pd
import pyarrow as pa

from analyzer import columns
from analyzer.analysis import Analysis
from analyzer.model import Exemption
from analyzer.rules.rule import RULE
from analyzer.writers.text_columns import text_column
from analyzer.writers.workbook.cells import cell
from analyzer.writers.workbook.column import (
    Column,
    from_frame,
    neutral_style,
    number_cells,
    repeated_text_cells,
    text_cells,
)
from analyzer.writers.workbook.style import CellStyle, Styles
from analyzer.writers.workbook.user_sheets import last_day

APPLIES: Final = "applies"
EXPIRED: Final = "expired"
UNMATCHED: Final = "matches no user"
EVERYTHING: Final = "everything"
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


def _last_days(frame: pd.DataFrame, styles: Styles) -> pa.Array:
    return text_column([cell(each, styles[CellStyle.DAY]) for each in frame[_UNTIL].tolist()])


COLUMNS: Final = (
    Column("Account", 13, text_cells(from_frame(columns.ACCOUNT))),
    Column("User", 24, text_cells(from_frame(columns.USER))),
    Column("Exempt from", 24, repeated_text_cells(from_frame(RULE), neutral_style)),
    Column("Reason", 60, text_cells(from_frame(_REASON))),
    Column("Owner", 24, text_cells(from_frame(_OWNER))),
    Column("Last day (UTC)", 12, _last_days),
    Column("Users matched", 10, number_cells(from_frame(_MATCHED))),
    Column("State", 15, repeated_text_cells(from_frame(_STATE), _state_style)),
    Column("Line in the list", 8, number_cells(from_frame(_LINE))),
)


def exemption_frame(analysis: Analysis) -> pd.DataFrame:
    """Return the entries in their order: the columns that `COLUMNS` shows."""
    totals = analysis.totals
    rows = [
        {
            columns.ACCOUNT: each.account,
            columns.USER: each.user,
            RULE: each.rule or EVERYTHING,
            _REASON: each.reason,
            _OWNER: each.owner,
            _UNTIL: last_day(each),
            _MATCHED: matched,
            _STATE: _state(each, analysis, matched),
            _LINE: _NO_LINE if each.arn else each.line,
        }
        for each, matched in zip(analysis.exemptions, totals.matched, strict=True)
    ]
    return pd.DataFrame(rows).astype({_UNTIL: object})


def _state(entry: Exemption, analysis: Analysis, matched: int) -> str:
    if entry in analysis.totals.expired:
        return EXPIRED
    return APPLIES if matched else UNMATCHED
