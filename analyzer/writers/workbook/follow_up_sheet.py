"""Define the sheet on what became of the earlier decisions, and its counts on the Summary."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import pandas as pd

from analyzer import columns
from analyzer.decisions.follow_up import (
    DAYS,
    DECIDED_AS_OF,
    DECIDED_VERDICT,
    DONE_SINCE,
    FACT,
    LAST_USE,
    REPORT,
    STATUS,
    FollowUpStatus,
    follow_up_counts,
)
from analyzer.decisions.ledger import (
    COMMENT,
    DECIDED_BY,
    DECIDED_ON,
    DECISION,
    ROW,
    SHA256,
    SHEET,
    TICKET,
    WORKBOOK,
)
from analyzer.review_columns import DECIDED, ENTERED_IN, Decision
from analyzer.terms import OVERDUE
from analyzer.writers.text_columns import Texts
from analyzer.writers.workbook.column import (
    AccountNames,
    Column,
    DayCells,
    MomentCells,
    NumberCells,
    TextCells,
    WordCells,
    account_name_columns,
    from_frame,
    neutral_style,
    style_by_name,
    text_by_mask,
    user_columns,
)
from analyzer.writers.workbook.formulas import CountFormula, summed
from analyzer.writers.workbook.grid import Grid, SpannedCell, head
from analyzer.writers.workbook.listing import Listing
from analyzer.writers.workbook.style import CellStyle

NOTHING: Final = "No decision in force is to delete or deactivate a user."

MEANINGS: Final[Mapping[FollowUpStatus, str]] = {
    FollowUpStatus.OVERTAKEN: "More access or use than the reviewer saw: decide again.",
    FollowUpStatus.NOT_DONE: "Still there, still has working credentials, or is possibly renamed.",
    FollowUpStatus.UNKNOWN: "No report of the account, or the user is not known.",
    FollowUpStatus.DONE: (
        "A later report shows that the user is gone or, to deactivate, has no working credentials."
    ),
}
"""What each status means."""

_STYLES: Final[Mapping[str, CellStyle]] = {
    FollowUpStatus.OVERTAKEN: CellStyle.CHECK,
    FollowUpStatus.NOT_DONE: CellStyle.UNUSED,
    FollowUpStatus.UNKNOWN: CellStyle.UNDETERMINED,
    FollowUpStatus.DONE: CellStyle.SUCCESS,
    OVERDUE: CellStyle.CRITICAL,
}

_REMOVAL_ORDER: Final = (Decision.DELETE, Decision.DEACTIVATE)
_NAME_WIDTH: Final = 12
_MEANING_SPAN: Final = 7
"""How many columns of the grid the meaning of a line takes."""


def status_style(word: str) -> CellStyle:
    """Return the style of a status."""
    return _STYLES.get(word, CellStyle.TEXT)


def _overdue_words(frame: pd.DataFrame) -> Texts:
    return text_by_mask(frame[OVERDUE].to_numpy(bool), OVERDUE, "")


_STATUS: Final = Column("Status", 10, WordCells(from_frame(STATUS), status_style))
_OVERDUE: Final = Column("Overdue", 9, WordCells(_overdue_words, status_style))
_DECISION: Final = Column(DECIDED, 10.5, WordCells(from_frame(DECISION), neutral_style))

_FACTS: Final = (
    _STATUS,
    _OVERDUE,
    _DECISION,
    Column("Decided by", 10.5, WordCells(from_frame(DECIDED_BY), neutral_style)),
    Column("Decided on", 10.5, DayCells(from_frame(DECIDED_ON))),
    Column("Days since", 6.5, NumberCells(from_frame(DAYS))),
    Column("Fact", 46, TextCells(from_frame(FACT))),
    Column("Verdict now", 12.5, WordCells(from_frame(columns.VERDICT), style_by_name)),
    Column("Last use (UTC)", 14.5, MomentCells(from_frame(LAST_USE))),
    Column("Done since (UTC)", 14.5, MomentCells(from_frame(DONE_SINCE))),
    Column("Ticket", 9, TextCells(from_frame(TICKET))),
    Column("Comment", 28, TextCells(from_frame(COMMENT))),
    Column("Created (UTC)", 14.5, MomentCells(from_frame(columns.CREATED))),
)
_NOT_PRINTED: Final = (
    Column("Verdict decided on", 12.5, WordCells(from_frame(DECIDED_VERDICT), style_by_name)),
    Column("As of decided on (UTC)", 14.5, MomentCells(from_frame(DECIDED_AS_OF))),
    Column(ENTERED_IN, 26, WordCells(from_frame(WORKBOOK), neutral_style)),
    Column("Sheet", 14, WordCells(from_frame(SHEET), neutral_style)),
    Column("Row", 6.5, NumberCells(from_frame(ROW))),
    Column("SHA-256", 20, WordCells(from_frame(SHA256), neutral_style)),
    Column("As of (UTC)", 14.5, MomentCells(from_frame(columns.AS_OF))),
    Column("Report", 26, WordCells(from_frame(REPORT), neutral_style)),
    user_columns(from_frame)[-1],
)


def follow_up_columns(names: AccountNames) -> tuple[Column[pd.DataFrame], ...]:
    """Return the columns of a follow-up (`follow_up.COLUMNS`)."""
    not_printed = (replace(each, printed=False) for each in _NOT_PRINTED)
    return (*_identity_columns(names), *_FACTS, *not_printed)


def _identity_columns(names: AccountNames) -> tuple[Column[pd.DataFrame], ...]:
    account, user, _ = user_columns(from_frame)
    name = account_name_columns(from_frame, names, _NAME_WIDTH)
    return (replace(account, width=12.5), *name, replace(user, width=18))


def add_follow_up(grid: Grid, frame: pd.DataFrame, listing: Listing[pd.DataFrame]) -> None:
    """Add a line a status: how many decisions have it, and how many of these are overdue."""
    decisions = map(str, _REMOVAL_ORDER)
    row = grid.table_head(
        head("Follow-up"), "Decisions", *decisions, "overdue", head("Meaning", _MEANING_SPAN)
    )
    count = CountFormula(listing)
    for status, meaning in MEANINGS.items():
        _add_status(grid, frame[frame[STATUS] == status], count, str(status), meaning)
    numbers = _numbers(frame)
    first, last = row + 1, grid.next_row - 1
    sums = [
        SpannedCell(summed(f"{letter}{first}:{letter}{last}", number), CellStyle.TOTAL)
        for letter, number in zip("BCDE", numbers, strict=True)
    ]
    about = "The sheet Follow-up lists them all." if len(frame) else NOTHING
    grid.row(SpannedCell("All", CellStyle.LABEL), *sums, SpannedCell(about, span=_MEANING_SPAN))


def _add_status(
    grid: Grid, frame: pd.DataFrame, count: CountFormula[pd.DataFrame], status: str, meaning: str
) -> None:
    same = (_STATUS, f"$A{grid.next_row}")
    conditions = [
        [same],
        *([same, (_DECISION, f'"{decision}"')] for decision in _REMOVAL_ORDER),
        [same, (_OVERDUE, f'"{OVERDUE}"')],
    ]
    formulas = [
        count.of(number, *each) for number, each in zip(_numbers(frame), conditions, strict=True)
    ]
    grid.row(
        SpannedCell(status, status_style(status)),
        *(SpannedCell(formula, CellStyle.NUMBER) for formula in formulas),
        SpannedCell(meaning, span=_MEANING_SPAN),
    )


def _numbers(frame: pd.DataFrame) -> list[int]:
    """Return the numbers of decisions: all, those of each kind, and those that are overdue."""
    by_decision = [int((frame[DECISION] == decision).sum()) for decision in _REMOVAL_ORDER]
    return [len(frame), *by_decision, follow_up_counts(frame)[OVERDUE]]
