"""Write a history as a workbook: a summary with a chart, and a sheet for each table."""

from collections.abc import Iterator
from typing import BinaryIO, Final

import pandas as pd

from analyzer import columns
from analyzer.changes.history import History
from analyzer.changes.timeline import BY_NAME
from analyzer.terms import HistoryTable, count_text
from analyzer.verdicts.verdict import criteria_meanings
from analyzer.version import VERSION
from analyzer.writers.history import headline, sentences, table_frame
from analyzer.writers.workbook.book import EXCEL_ROWS, Book, Title
from analyzer.writers.workbook.charts import DAY_LINES, add_trend
from analyzer.writers.workbook.column import (
    Column,
    DecimalColumn,
    MomentColumn,
    NumberColumn,
    TextColumn,
    style_by_name,
    text_by_mask,
)
from analyzer.writers.workbook.style import CellStyle
from analyzer.writers.workbook.summary_sheet import add_other_files
from analyzer.writers.workbook.table_sheets import TableSheets
from analyzer.writers.workbook.text_sheet import SpannedCell, TextSheet, head, label

_WIDTHS: Final = (34, *(13,) * 11)
_NO_TOTAL: Final = ("first", "last")
_HEADS: Final = {BY_NAME: "Known by name", "at_least": "Or before"}
_MOST_DAYS: Final = 40
"""Of more, markers would cover the lines of the chart, and the days would fill many pages."""


def write_history_workbook(history: History, stream: BinaryIO) -> None:
    """Write the workbook; a table longer than a sheet goes on, on further ones."""
    newest = max(file.as_of for file in history.analysis.report.files)
    titles = [Title.SUMMARY, *(Title(table.capitalize()) for table in HistoryTable)]
    with Book("History of IAM users", headline(history), newest, titles, EXCEL_ROWS) as book:
        _add_summary(book, history)
        for table in HistoryTable:
            frame = table_frame(history, table)
            listed = tuple(_column(str(name), frame[name]) for name in frame)
            TableSheets(book, Title(table.capitalize()), listed).filled(frame, "Nothing to list.")
        book.save(stream)


def _add_summary(book: Book, history: History) -> None:
    sheet = TextSheet(book, Title.SUMMARY, _WIDTHS)
    sheet.full_row("History of IAM users", CellStyle.TITLE)
    sheet.full_row(headline(history), CellStyle.SUBTITLE)
    sheet.section("Notes and limitations")
    for sentence in sentences(history):
        sheet.row(SpannedCell(sentence, span=len(_WIDTHS)))
    sheet.section("Period: all accounts")
    sheet.table_head(head("Number"), "All")
    every = history.period.drop(columns=[columns.ACCOUNT, *_NO_TOTAL]).astype(object).iloc[-1]
    for name, number in every.items():
        sheet.row(label(_head(str(name))), SpannedCell("") if pd.isna(number) else number)
    sheet.text_section("Criteria", _criteria(history))
    add_other_files(sheet, history.analysis)
    sheet.next_page()
    step = -(-len(history.trend) // _MOST_DAYS)
    title = f"Users by day: one in {step} days" if step > 1 else "Users by day"
    # The last day is among them.
    add_trend(sheet, title, history.trend[::-1][::step][::-1], DAY_LINES)


def _criteria(history: History) -> Iterator[tuple[str, str]]:
    """Yield by what users were judged, the period that was asked for, and what wrote this."""
    span = history.span
    yield from criteria_meanings(history.analysis.criteria)
    since, until = (f"{each:%Y-%m-%d}" if each else "" for each in (span.since, span.until))
    yield "Period", f"{since or 'the first report'} to {until or 'the last report'}"
    yield "Longest gap", count_text(span.max_gap, "day")
    yield "Program", f"credreport {VERSION}"


def _head(name: str) -> str:
    text = _HEADS.get(name) or name.replace("_", " ").capitalize()
    return text.replace("Arn", "ARN").replace("Sha256", "SHA-256")


def _column(name: str, values: pd.Series) -> Column:
    """Return the column of a table, by the kind of its values."""
    title = _head(name)
    if pd.api.types.is_datetime64_any_dtype(values):
        return MomentColumn(f"{title} (UTC)", 16, name)
    if pd.api.types.is_bool_dtype(values):
        return TextColumn(title, 10, lambda rows: text_by_mask(rows[name].to_numpy(), "yes", ""))
    if pd.api.types.is_integer_dtype(values):
        return NumberColumn(title, 10.5, name)
    if pd.api.types.is_float_dtype(values):
        return DecimalColumn(title, 10.5, name)
    longest = int(values.str.len().max()) if len(values) else 0
    width = min(max(longest, len(title)) + 2.0, 48.0)
    if name.startswith("verdict"):
        return TextColumn(title, 14, name, style_by_name)
    return TextColumn(title, width, name)
