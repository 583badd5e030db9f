"""Write an analysis as an Excel workbook that a reviewer works in and an auditor can check.

All that writes with openpyxl is here. A sheet is a module (`*_sheet`, `user_sheets`) that defines
its columns: a `Column` is a title, a width and a function from a page to cells. `listing` streams
rows under columns, `grid` lays out sheets that are no lists, `formulas` and
`reconciliation` count in the workbook itself, `book`, `style` and `cells` write the file.

`writers` and `exports` may import this package, through `write_workbook`. Text from a report is
always a text cell, never a formula; formulas are ours, and carry the value that they will have.
"""

from collections.abc import Callable
from functools import partial
from typing import BinaryIO

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.analysis import Analysis
from analyzer.inspection import Inspection
from analyzer.model import Page
from analyzer.terms import Certainty, Verdict
from analyzer.writers import users
from analyzer.writers.workbook import exemptions_sheet, findings_sheet, user_sheets
from analyzer.writers.workbook.book import EXCEL_ROWS, Book, Title
from analyzer.writers.workbook.changes_sheet import COLUMNS, NOTHING, change_counts
from analyzer.writers.workbook.column import Column
from analyzer.writers.workbook.controls_sheet import add_controls
from analyzer.writers.workbook.formulas import CountFormula, RuleCounts
from analyzer.writers.workbook.listing import Collected, Listing
from analyzer.writers.workbook.method_sheet import add_method
from analyzer.writers.workbook.summary_sheet import TITLE, add_summary

_Users = Callable[[Title, tuple[Column[Page], ...]], Listing[Page]]
_Rows = Callable[[Title, tuple[Column[pd.DataFrame], ...]], Listing[pd.DataFrame]]


def write_workbook(
    analysis: Analysis,
    stream: BinaryIO,
    *,
    changes: pd.DataFrame | None = None,
    since: str = "",
    rows_a_sheet: int = EXCEL_ROWS,
) -> None:
    """Write the workbook; a list longer than a sheet goes on, on further ones.

    `changes` since a previous run, as `analyzer.changes.changes` gives them, get a sheet; `since`
    names that run.
    """
    files = analysis.report.files
    with Book(TITLE, max(file.as_of for file in files)) as book:
        start = (book, users.as_of_and_scope(analysis.report), rows_a_sheet)
        everybody = _add_users(partial(Listing[Page], *start), analysis)
        _add_exemptions(partial(Listing[pd.DataFrame], *start), analysis)
        found = _add_findings(partial(Listing[pd.DataFrame], *start), analysis.inspection)
        if changes is not None:
            _add_changes(partial(Listing[pd.DataFrame], *start), changes)
        tally = RuleCounts(analysis.inspection, CountFormula(found))
        add_controls(book, tally)
        add_method(book, analysis, with_changes=changes is not None)
        compared = "" if changes is None else change_counts(changes, since)
        add_summary(book, analysis, everybody, tally, compared)
        book.save(stream)


def _add_users(listing: _Users, analysis: Analysis) -> Listing[Page]:
    """Add the lists of users; return the one of everybody."""
    files = analysis.report.files
    everybody = listing(Title.EVERYBODY, user_sheets.all_users_columns(files))
    unused, exempt = Collected(_to_do), Collected(_exempt)
    undetermined = Collected(_undetermined)
    for page in analysis.pages():
        everybody.add(page)
        for gathering in (unused, exempt, undetermined):
            gathering.add(page)
    everybody.finish("No report has an IAM user.")
    _add_to_do(listing(Title.UNUSED, user_sheets.UNUSED), unused)
    _add_roots(listing(Title.ROOTS, user_sheets.root_columns(files)), analysis)
    _add_some(listing(Title.EXEMPT, user_sheets.exempt_columns(analysis.exemptions)), exempt)
    _add_some(listing(Title.UNDETERMINED, user_sheets.undetermined_columns(files)), undetermined)
    return everybody


def _to_do(page: Page) -> np.ndarray:
    mask: np.ndarray = _has(page, Verdict.UNUSED) & ~_exempt(page)
    return mask


def _undetermined(page: Page) -> np.ndarray:
    return _has(page, Verdict.UNDETERMINED)


def _exempt(page: Page) -> np.ndarray:
    mask: np.ndarray = (page.users[columns.EXEMPTION] != "").to_numpy()
    return mask


def _has(page: Page, verdict: Verdict) -> np.ndarray:
    mask: np.ndarray = (page.users[columns.VERDICT] == verdict).to_numpy()
    return mask


def _add_some(listing: Listing[Page], some: Collected) -> None:
    """Add a list in the report's order, unless there is nobody to list."""
    if page := some.page():
        listing.add(page)
        listing.finish()


def _add_roots(listing: Listing[Page], analysis: Analysis) -> None:
    """Add the list of root users, unless there is none."""
    for page in analysis.report.roots():
        listing.add(page)
    if listing.rows:
        listing.finish()


def _add_exemptions(listing: _Rows, analysis: Analysis) -> None:
    """Add the entries of the exemption list, if there are any."""
    if len(analysis.exemptions):
        listed = listing(Title.EXEMPTIONS, exemptions_sheet.COLUMNS)
        listed.add(exemptions_sheet.exemption_frame(analysis))
        listed.finish()


def _add_to_do(listing: Listing[Page], unused: Collected) -> None:
    """Add the list of unused users: certain ones first, then the oldest first."""
    if page := unused.page():
        doubtful = page.users[columns.CERTAINTY] == Certainty.CHECK
        keys = ["doubtful", columns.CREATED, columns.ACCOUNT, columns.USER]
        order = page.users.assign(doubtful=doubtful).sort_values(keys, kind="stable").index
        listing.add(page, order.to_numpy())
    listing.finish("Nobody is unused, or whoever is, is exempt.")


def _add_findings(listing: _Rows, inspection: Inspection) -> Listing[pd.DataFrame]:
    """Add the list of findings in the order in which they come, and return it."""
    found = listing(
        Title.FINDINGS, findings_sheet.finding_columns(inspection.book, inspection.report.files)
    )
    for frame in inspection.frames():
        found.add(frame)
    found.finish(findings_sheet.nothing_found(inspection))
    return found


def _add_changes(listing: _Rows, changes: pd.DataFrame) -> None:
    changed = listing(Title.CHANGES, COLUMNS)
    changed.add(changes)
    changed.finish(NOTHING)
