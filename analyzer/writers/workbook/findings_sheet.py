"""List the findings of the rules that were chosen, and the controls that no report decides."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.analysis.rule_results import Result, RuleResults
from analyzer.report.frames import TEXT
from analyzer.rules.rule import DAYS, FACT, OUTCOME, RULE, SEVERITY, SINCE
from analyzer.terms import ROOT_USER, Severity, count_text
from analyzer.writers import findings
from analyzer.writers.workbook import user_columns
from analyzer.writers.workbook.book import Book, CellStyle, SheetName
from analyzer.writers.workbook.column import MomentColumn, NumberColumn, TextColumn, text_cell
from analyzer.writers.workbook.lookup_lists import MOST_LISTED
from analyzer.writers.workbook.table_sheets import TableSheets, add_list
from analyzer.writers.workbook.text_sheet import TextSheet

_CONTROL: Final = "control"
_WIDTH: Final = 150
"""The width of a sheet without a list, in characters."""


def _severity_style(word: str) -> CellStyle:
    return CellStyle.CRITICAL if word == Severity.CRITICAL else CellStyle.TEXT


_COLUMNS: Final = (
    user_columns.ACCOUNT,
    user_columns.USER,
    TextColumn("Control", 8, _CONTROL),
    TextColumn("Rule", 22, RULE),
    TextColumn("Severity", 9, SEVERITY, _severity_style),
    NumberColumn("Slot", 6, columns.SLOT),
    MomentColumn("Since (UTC)", 14.5, SINCE),
    NumberColumn("Days", 7.5, DAYS),
    TextColumn("Fact", 40, FACT),
    TextColumn("Outcome", 10, OUTCOME),
    user_columns.EXEMPTION,
)


def add_findings(book: Book, analysis: Analysis) -> None:
    """Add the findings of root users, then of users, and below the controls without a decision."""
    results = analysis.rule_results
    number = sum(results.counts.values())
    remarks, controls = list(_remarks(analysis)), _not_decidable(results)
    if 0 < number <= MOST_LISTED:
        listed = add_list(book, SheetName.FINDINGS, _rows(results), _COLUMNS, remarks=remarks)
        _add_below(listed, ["", *controls] if controls else [])
        return
    if number:
        remarks.append(f"{number:,} findings are too many for a sheet: -o findings.csv lists them.")
    sheet = TextSheet(book, SheetName.FINDINGS, (_WIDTH,))
    for line in (*remarks, *controls):
        sheet.full_row(line, CellStyle.REMARK)


def _remarks(analysis: Analysis) -> Iterator[str]:
    """Yield which rules ran, how many findings there are, and of which users."""
    results = analysis.rule_results
    yield findings.standard_and_limits_text(results)
    summary = f" {results.control_summary}." if results.book.has_benchmark else ""
    yield f"{findings.severity_counts_text(results)}.{summary}"
    if analysis.filter:
        yield f"Findings of these users only: {analysis.filter}."


def _rows(results: RuleResults) -> pd.DataFrame:
    """Return the findings as a frame, those of root users first, each with its controls."""
    book, frame = results.book, results.findings
    frame = frame.iloc[np.argsort(frame[columns.USER] != ROOT_USER, kind="stable")]
    controls = [""] * len(frame)
    if book.has_benchmark:
        # A control with days of its own stands on a finding only if the idle days reach them.
        days = frame[DAYS].astype("Float64").fillna(np.inf)
        controls = [", ".join(each) for each in map(book.standard.numbers, frame[RULE], days)]
    return frame.assign(**{_CONTROL: pd.array(controls, TEXT)}).reset_index(drop=True)


def _not_decidable(results: RuleResults) -> list[str]:
    """Return a heading and the controls of the standard that a report cannot decide."""
    every = [one.control for one in results.controls if one.result is Result.NOT_DECIDABLE]
    heading = f"Not decidable from a credential report: {count_text(len(every), 'control')}"
    named = [f"{control.number}  {control.title}" for control in every]
    return [f"{heading} of {results.book.standard.name}", *named] if every else []


def _add_below(listed: TableSheets, lines: Sequence[str]) -> None:
    """Add lines below a list, which print with it."""
    sheet, style = listed.sheets[-1], listed.book.styles[CellStyle.REMARK]
    for line in lines:
        sheet.add([text_cell(line, style)])
    first, _, _ = sheet.worksheet.print_area.rpartition("$")
    sheet.worksheet.print_area = f"{first}${sheet.row}".rpartition("!")[2]
