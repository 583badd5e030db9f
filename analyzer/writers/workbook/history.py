"""Write a history as a workbook: a summary, and a sheet for each table."""

from typing import BinaryIO, Final

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.changes.decisions import HAD_LEFT
from analyzer.changes.history import History
from analyzer.decisions.entries import DECIDED_ON, DECISION
from analyzer.decisions.review_list_layout import DECIDED
from analyzer.limits import DUE_DAYS, SOON_DAYS
from analyzer.terms import VERSION, HistoryTable, count_text
from analyzer.verdicts.verdict import criteria_meanings
from analyzer.writers.history import headline, sentences, table_frame
from analyzer.writers.workbook.book import Book, CellStyle, SheetName
from analyzer.writers.workbook.column import (
    Column,
    MomentColumn,
    NumberColumn,
    TextColumn,
    style_by_name,
    text_by_mask,
)
from analyzer.writers.workbook.summary_sheet import add_other_files
from analyzer.writers.workbook.table_sheets import TableSheets, alike_texts
from analyzer.writers.workbook.text_sheet import SpannedCell, TextSheet, head, label

_WIDTHS: Final = (34, *(13,) * 11)
_NO_TOTAL: Final = ("first", "last")
_A3: Final = 8  # Excel's number of the paper; a period has more columns than A4 can show

MEANINGS: Final = {
    "reports": "Reports that count in the period.",
    "longest_gap": "Most days between two reports of an account.",
    "gap_days": "Days in gaps longer than the limit; what happened there is not known.",
    "users_start": "Users in the first report of the period.",
    "created": "New users, created since the report before; also those that may only be renamed.",
    "appeared": "New users that were created before the previous report, but are not in it.",
    "removed": "Users in a report, but not in the next one.",
    "users_end": "Users in the last report: start + created + appeared - removed.",
    "renamed": "Of the removed users, those that may only be renamed.",
    "unused_start": "Unused users in the first report.",
    "newly_unused": "Users that became unused, and new users that are unused.",
    "unused_removed": "Users removed while unused.",
    "back_in_use": "Unused users that got another verdict.",
    "unused_unclear": "Users that were unused, and are undetermined at the end.",
    "unused_end": "Unused users in the last report: start + newly - removed - back - unclear.",
    "median_days_at_least": "Of removed unused users: from the first report as unused to the last.",
    "longest_days_at_least": "The same, of the user with the most days.",
    "median_days_at_most": "From the report before, or a later creation, to the first without it.",
    "longest_days_at_most": "The same, of the user with the most days.",
    "used_before": "Of the unused users at the end, those of whom an earlier report shows a use.",
    "decisions": "All decisions of the days of the period; what was decided later does not count.",
    "had_left": "Of these, by people who had left by then, by the list of owners.",
    "removals": "Users to delete or deactivate, without those removed before the period.",
    "done_not_as_decided": "Done, though the user had changed or people differed.",
    "contested": "Not done: people disagree, so that nothing stands.",
    "changed": "Not done: the user is no longer as it was seen.",
    "deactivated": "Deactivated, to be deleted when delete is written again.",
    "lapsed": f"Not done within {SOON_DAYS} days after the report decided on.",
    "unknown": "Nothing can be said, as far as the reports show.",
    "open": "Not done, and nothing speaks against it.",
    "active": "Not done: the user was active when it was decided on.",
    "exempt": "Not done: the user is exempt.",
    "nothing_to_do": "To deactivate, and had no credentials when it was decided on.",
    "done": "Done, as a later report shows.",
    "not_carried_out": f"Of these lapsed, or open for more than {DUE_DAYS} days, and never done.",
    "undone": "Of these carried out, and the user has access again in the last report.",
    "removed_against_a_keep": "Users gone while a decision to keep them counted.",
    "removed_against_an_investigation": "Users gone while a decision to investigate counted.",
    "possibly_renamed": "Other users gone undecided; a new user has their creation second.",
    "removed_without_a_decision": "Users gone, and nobody decided to delete or deactivate them.",
}

_COLUMN_MEANINGS: Final = (
    ("By name", "The report shows no creation time: the user is known by its name alone."),
    ("At least", "The user was unused when the period began, and perhaps before."),
    ("After, Before", "It happened between these two reports; the exact time is not known."),
)
"""The meanings of some columns of the other sheets."""


_HEADS: Final = {DECISION: DECIDED, DECIDED_ON: "Day of decision"}
"""Heads of columns whose names would make a sheet a list to decide in."""


def write_history_workbook(history: History, stream: BinaryIO) -> None:
    """Write the workbook; a table longer than a sheet continues on the next sheets."""
    newest = max(file.as_of for file in history.analysis.report.files)
    book = Book("History of IAM users", headline(history), newest)
    _add_summary(book, history)
    for table in HistoryTable:
        frame = table_frame(history, table)
        listed = TableSheets(book, SheetName(table.capitalize()), _columns(frame))
        listed.fill(frame)
        for sheet in listed.sheets:
            sheet.worksheet.page_setup.paperSize = _A3
    book.save(stream)


def _add_summary(book: Book, history: History) -> None:
    sheet = TextSheet(book, SheetName.SUMMARY, _WIDTHS)
    sheet.full_row("History of IAM users", CellStyle.TITLE)
    sheet.full_row(headline(history), CellStyle.SUBTITLE)
    sheet.section("Notes and limitations")
    for sentence in sentences(history):
        sheet.full_row(sentence)
    sheet.section("Period: all accounts")
    sheet.table_head(head("Number"), "All", head("Meaning", len(_WIDTHS) - 2))
    every = history.period.drop(columns=[columns.ACCOUNT, *_NO_TOTAL]).astype(object).iloc[-1]
    for name, number in every.items():
        missing = SpannedCell("not known" if name == HAD_LEFT else "")
        shown = missing if pd.isna(number) else number
        meaning = SpannedCell(MEANINGS[str(name)], span=len(_WIDTHS) - 2)
        sheet.row(label(_head(str(name))), shown, meaning)
    sheet.text_section("Columns of the other sheets", _COLUMN_MEANINGS)
    span = history.span
    since, until = (f"{moment:%Y-%m-%d}" if moment else "" for moment in (span.since, span.until))
    sheet.text_section("Criteria", criteria_meanings(history.analysis.criteria))
    period = f"{since or 'the first report'} to {until or 'the last report'}"
    sheet.named_text("Period", period)
    sheet.named_text("Gaps named", f"longer than {count_text(span.max_gap, 'day')}")
    sheet.named_text("Program", f"credreport {VERSION}")
    add_other_files(sheet, history.analysis)


def _head(name: str) -> str:
    words = _HEADS.get(name, name.replace("_", " ").capitalize())
    return words.replace("Arn", "ARN").replace("Sha256", "SHA-256")


def _columns(frame: pd.DataFrame) -> tuple[Column, ...]:
    """Return the columns of a table, the account's name beside the account.

    A column of text that is empty in all rows, such as owners, is left out.
    """
    names = sorted(frame, key=lambda name: name not in (columns.ACCOUNT, columns.ACCOUNT_NAME))
    every = tuple(_column(str(name), frame[name]) for name in names)
    texts = (column for column in every if isinstance(column, TextColumn))
    alike = alike_texts(frame, texts)
    return tuple(column for column in every if alike.get(column.head) != "")


def _is_true(values: pd.Series) -> np.ndarray:
    """Return which values are true (bool); those that are not known are not."""
    return values.to_numpy("bool", na_value=False)


def _column(name: str, values: pd.Series) -> Column:
    """Return the column of a table, by the kind of its values."""
    title = _head(name)
    if pd.api.types.is_datetime64_any_dtype(values):
        return MomentColumn(f"{title} (UTC)", 16, name)
    if pd.api.types.is_bool_dtype(values):
        return TextColumn(title, 10, lambda rows: text_by_mask(_is_true(rows[name]), "yes", ""))
    if pd.api.types.is_numeric_dtype(values):
        has_decimals = pd.api.types.is_float_dtype(values)
        return NumberColumn(title, 10.5, name, has_decimals=has_decimals)
    longest = int(values.str.len().max()) if len(values) else 0
    width = min(max(longest, len(title)) + 2.0, 48.0)
    if name.startswith("verdict"):
        return TextColumn(title, 14, name, style_by_name)
    return TextColumn(title, width, name)
