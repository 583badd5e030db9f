"""Write an analysis as an Excel workbook that a reviewer works in and an auditor can check.

All that writes with openpyxl is here, and all that relies on its internals is in `archive`. A sheet
is a module (`*_sheet`, `*_sheets`, `*_lists`): a `Listing` of `Column`s, each a title, a width and
the `Cells` that it makes of a page, or a `Grid` of parts. `formulas`, `reconciliation` and
`review_progress` count in the workbook itself; `book` orders the sheets.

`writers` and `exports` may import this package, through `write_workbook`. Text from a report is
always a text cell, never a formula; formulas are ours, and carry the value that they will have.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, BinaryIO, Final

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.analysis import Analysis
from analyzer.decisions.record import CreationSeconds, SameSecond, record_texts
from analyzer.inspection import Inspection
from analyzer.model import Page
from analyzer.terms import WorkbookSheets
from analyzer.writers import users
from analyzer.writers.workbook import exemptions_sheet, findings_sheet, user_sheets
from analyzer.writers.workbook.book import EXCEL_ROWS, LARGE_PRINT, Book, Title
from analyzer.writers.workbook.changes_sheet import NOTHING, change_columns, change_counts
from analyzer.writers.workbook.controls_sheet import add_controls
from analyzer.writers.workbook.findings_sheet import ListedRows
from analyzer.writers.workbook.follow_up_sheet import NOTHING as NO_FOLLOW_UP
from analyzer.writers.workbook.follow_up_sheet import follow_up_columns
from analyzer.writers.workbook.listing import CollectedUsers, Listing
from analyzer.writers.workbook.method_sheet import add_method
from analyzer.writers.workbook.review_lists import (
    ACCOUNT,
    REVIEW_LISTS,
    USER,
    ReviewList,
    record_column,
    review_order,
    row_keys,
)
from analyzer.writers.workbook.review_progress import CountedListings
from analyzer.writers.workbook.summary_sheet import TITLE, History, add_summary

_NewListing = Callable[..., Listing[Any]]

_REVIEW_TITLES: Final = (
    *(Title.SUMMARY, Title.UNUSED, Title.INACTIVE, Title.UNDETERMINED, Title.FOLLOW_UP),
    Title.METHOD,
)


def write_workbook(  # noqa: PLR0913  what a file can hold beside the analysis
    analysis: Analysis,
    stream: BinaryIO,
    *,
    sheets: WorkbookSheets = WorkbookSheets.ALL,
    changes: pd.DataFrame | None = None,
    since: str = "",
    trend: pd.DataFrame | None = None,
    rows_a_sheet: int = EXCEL_ROWS,
) -> None:
    """Write the workbook; a list longer than a sheet goes on, on further ones.

    `changes` since a previous run, as `analyzer.changes.changes` gives them, get a sheet; `since`
    names that run. `trend` has the numbers of users of the newest runs, the oldest first: `as_of`
    datetime64[s, UTC], `unused`, `inactive`, `users` int64.
    """
    whole = sheets is WorkbookSheets.ALL
    newest = max(file.as_of for file in analysis.report.files)
    titles = [*Title] if whole else _REVIEW_TITLES
    with Book(TITLE, users.as_of_and_scope(analysis.report), newest, titles) as book:
        listing = partial(Listing, book, rows_a_sheet)
        listings, listed = _add_users(listing, analysis)
        inspection = analysis.inspection if whole else None
        if inspection:
            _add_rules(listing, book, inspection, listed)
        if len(analysis.exemptions):
            entries = exemptions_sheet.exemption_frame(analysis)
            listing(Title.EXEMPTIONS, exemptions_sheet.COLUMNS).filled(entries)
        names, compared = analysis.report.account_names, ""
        if changes is not None:
            listing(Title.CHANGES, change_columns(names)).filled(changes, NOTHING)
            compared = change_counts(changes, since)
        if analysis.ledger.lines:
            follow_up = listing(Title.FOLLOW_UP, follow_up_columns(names), LARGE_PRINT)
            follow_up.filled(analysis.follow_up, NO_FOLLOW_UP)
        history = History(comparison_text=compared, trend=trend)
        add_summary(book, analysis, listings, inspection, history)
        add_method(book, analysis, inspection)
        book.save(stream)


def _add_users(listing: _NewListing, analysis: Analysis) -> tuple[CountedListings, ListedRows]:
    """Add the lists of users; return them, and which rows of the reports are to be reviewed."""
    files, names = analysis.report.files, analysis.report.account_names
    all_users = listing(Title.ALL_USERS, user_sheets.all_users_columns(files, names))
    reviews = [(each, CollectedUsers(each.has)) for each in REVIEW_LISTS]
    exempt = CollectedUsers(_is_exempt)
    seconds = CreationSeconds()
    for page in analysis.pages():
        all_users.add(page)
        seconds.add(page)
        for collected in (*(each for _, each in reviews), exempt):
            collected.add(page)
    all_users.finish("No IAM users in the reports.")
    roots = listing(Title.ROOTS, user_sheets.root_columns(files, names))
    for page in analysis.report.roots():
        roots.add(page)
    if roots.rows:
        roots.finish()
    exempt_columns = user_sheets.exempt_columns(analysis.exemptions, names)
    exempt_users = listing(Title.EXEMPT, exempt_columns)
    if len(exempt):
        exempt_users.filled(exempt.page())
    listings: dict[Title, Listing[Page]] = {}
    listed: ListedRows = {each.title: np.empty(0, np.int64) for each in REVIEW_LISTS}
    same_second = seconds.names()
    for each, unlisted in reviews:
        if len(unlisted):
            added = _add_review(listing, each, unlisted.page(), analysis, same_second)
            listings[each.title], listed[each.title] = added
        elif each.no_users:
            listing(each.title, (ACCOUNT, USER)).finish(each.no_users)
    return CountedListings(all_users=all_users, exempt=exempt_users, reviews=listings), listed


def _add_review(
    listing: _NewListing, each: ReviewList, page: Page, analysis: Analysis, same_second: SameSecond
) -> tuple[Listing[Page], np.ndarray]:
    """Add a list to decide in; return it, and the rows of its users."""
    report, names = analysis.report, analysis.report.account_names
    decided = page.with_users({columns.EARLIER_DECISION: analysis.earlier_decisions(page)})
    record = record_column(
        lambda some: record_texts(some, report.files, names, analysis.criteria, same_second)
    )
    listed_columns = (*each.columns(decided, report.files, names), record)
    rows = listing(each.title, listed_columns, LARGE_PRINT).filled(
        decided, order=review_order(decided)
    )
    return rows, np.sort(row_keys(page.users))


def _is_exempt(page: Page) -> np.ndarray:
    mask: np.ndarray = (page.users[columns.EXEMPTION] != "").to_numpy()
    return mask


def _add_rules(
    listing: _NewListing, book: Book, inspection: Inspection, listed: ListedRows
) -> None:
    """Add the findings in the order in which they come, and the controls."""
    findings = listing(Title.FINDINGS, findings_sheet.finding_columns(inspection, listed))
    for frame in inspection.frames():
        findings.add(frame)
    findings.finish(findings_sheet.no_findings_text(inspection))
    add_controls(book, inspection)
