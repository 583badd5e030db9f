"""Write an analysis as an Excel workbook that a reviewer works in and an auditor can check.

All that writes with openpyxl is here, and all that relies on its internals is in `archive`. A sheet
is a module (`*_sheet`, `*_sheets`, `*_lists`): a `Listing` of `Column`s, each a title, a width and
a function from a page to its cells, or a `Grid` of parts. `formulas`, `reconciliation` and
`review_progress` count in the workbook itself; `book` orders the sheets.

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
from analyzer.review import Review
from analyzer.writers import users
from analyzer.writers.workbook import exemptions_sheet, findings_sheet, user_sheets
from analyzer.writers.workbook.book import EXCEL_ROWS, Book, PrintBlocks, Title
from analyzer.writers.workbook.changes_sheet import NOTHING, change_columns, change_counts
from analyzer.writers.workbook.column import AccountNames, Column
from analyzer.writers.workbook.controls_sheet import add_controls
from analyzer.writers.workbook.findings_sheet import ListedRows
from analyzer.writers.workbook.follow_up_sheet import NOTHING as NO_FOLLOW_UP
from analyzer.writers.workbook.follow_up_sheet import follow_up_blocks, follow_up_columns
from analyzer.writers.workbook.formulas import CountFormula, RuleCounts
from analyzer.writers.workbook.listing import CollectedUsers, Listing
from analyzer.writers.workbook.method_sheet import add_method
from analyzer.writers.workbook.review_lists import (
    REVIEW_LISTS,
    ReviewListing,
    certain_to_decide,
    earlier_decisions,
    review_order,
    row_keys,
    with_earlier_decisions,
)
from analyzer.writers.workbook.review_progress import CountedListings
from analyzer.writers.workbook.summary_sheet import TITLE, History, add_summary

_NewUserListing = Callable[[Title, tuple[Column[Page], ...], PrintBlocks], Listing[Page]]
_NewListing = Callable[
    [Title, tuple[Column[pd.DataFrame], ...], PrintBlocks], Listing[pd.DataFrame]
]


def write_workbook(  # noqa: PLR0913  what a file can hold beside the analysis
    analysis: Analysis,
    stream: BinaryIO,
    *,
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
    files, names = analysis.report.files, analysis.report.account_names
    with Book(TITLE, max(file.as_of for file in files)) as book:
        start = (book, users.as_of_and_scope(analysis.report), rows_a_sheet)
        listings, listed = _add_users(partial(Listing[Page], *start), analysis)
        rows = partial(Listing[pd.DataFrame], *start)
        _add_exemptions(rows, analysis)
        findings = _add_findings(rows, analysis.inspection, listed)
        if changes is not None:
            _add_changes(rows, changes, names)
        followed = _add_follow_up(rows, analysis) if analysis.review.workbooks else None
        rule_counts = RuleCounts(analysis.inspection, CountFormula(findings))
        add_controls(book, rule_counts)
        present = {Title.CHANGES: changes is not None, Title.FOLLOW_UP: followed is not None}
        add_method(book, analysis, [title for title, there in present.items() if not there])
        compared = "" if changes is None else change_counts(changes, since)
        history = History(comparison_text=compared, follow_up_listing=followed, trend=trend)
        add_summary(book, analysis, listings, rule_counts, history)
        book.save(stream)


def _add_users(listing: _NewUserListing, analysis: Analysis) -> tuple[CountedListings, ListedRows]:
    """Add the lists of users; return them, and which rows of the reports are to be reviewed."""
    files, names = analysis.report.files, analysis.report.account_names
    all_users = listing(Title.ALL_USERS, user_sheets.all_users_columns(files, names), ())
    reviews = [(each, CollectedUsers(each.has)) for each in REVIEW_LISTS]
    exempt = CollectedUsers(_is_exempt)
    for page in analysis.pages():
        all_users.add(page)
        for collected in (*(each for _, each in reviews), exempt):
            collected.add(page)
    all_users.finish("No IAM users in the reports.")
    _add_roots(listing(Title.ROOTS, user_sheets.root_columns(files, names), ()), analysis)
    exempt_columns = user_sheets.exempt_columns(
        analysis.exemptions, names, with_decisions=bool(analysis.review.decisions)
    )
    exempt_users = listing(Title.EXEMPT, exempt_columns, ())
    _add_exempt(exempt_users, exempt, analysis.review)
    listings: dict[Title, ReviewListing] = {}
    listed: ListedRows = {each.title: np.empty(0, np.int64) for each in REVIEW_LISTS}
    for each, unlisted in reviews:
        to_review = listing(each.title, each.columns(files, names), each.print_blocks(files, names))
        if len(unlisted):
            listings[each.title], listed[each.title] = _add_review(
                to_review, unlisted, analysis.review
            )
        elif each.no_users:
            to_review.finish(each.no_users)
    return CountedListings(all_users=all_users, exempt=exempt_users, reviews=listings), listed


def _is_exempt(page: Page) -> np.ndarray:
    mask: np.ndarray = (page.users[columns.EXEMPTION] != "").to_numpy()
    return mask


def _add_exempt(listing: Listing[Page], exempt: CollectedUsers, earlier: Review) -> None:
    """Add the list of exempt users in the report's order, unless there are none."""
    if len(exempt):
        listing.add(with_earlier_decisions(exempt.page(), earlier))
        listing.finish()


def _add_review(
    listing: Listing[Page], unlisted: CollectedUsers, earlier: Review
) -> tuple[ReviewListing, np.ndarray]:
    """Add a list to decide in, which begins with the earlier decisions; return it and its rows."""
    page = with_earlier_decisions(unlisted.page(), earlier)
    order = review_order(page)
    listing.add(page, order)
    listing.finish()
    review = ReviewListing(listing, earlier_decisions(page, order), certain_to_decide(page))
    return review, np.sort(row_keys(page.users))


def _add_roots(listing: Listing[Page], analysis: Analysis) -> None:
    """Add the list of root users, unless there is none."""
    for page in analysis.report.roots():
        listing.add(page)
    if listing.rows:
        listing.finish()


def _add_exemptions(listing: _NewListing, analysis: Analysis) -> None:
    """Add the entries of the exemption list, if there are any."""
    if len(analysis.exemptions):
        entries = listing(Title.EXEMPTIONS, exemptions_sheet.COLUMNS, ())
        entries.add(exemptions_sheet.exemption_frame(analysis))
        entries.finish()


def _add_findings(
    listing: _NewListing, inspection: Inspection, listed: ListedRows
) -> Listing[pd.DataFrame]:
    """Add the list of findings in the order in which they come, and return it."""
    findings = listing(
        Title.FINDINGS,
        findings_sheet.finding_columns(inspection, listed),
        (),
    )
    for frame in inspection.frames():
        findings.add(frame)
    findings.finish(findings_sheet.no_findings_text(inspection))
    return findings


def _add_changes(listing: _NewListing, changes: pd.DataFrame, names: AccountNames) -> None:
    rows = listing(Title.CHANGES, change_columns(names), ())
    rows.add(changes)
    rows.finish(NOTHING)


def _add_follow_up(listing: _NewListing, analysis: Analysis) -> Listing[pd.DataFrame]:
    """Add the list of what became of the earlier decisions, and return it."""
    names = analysis.report.account_names
    rows = listing(Title.FOLLOW_UP, follow_up_columns(names), follow_up_blocks(names))
    rows.add(analysis.follow_up)
    rows.finish(NO_FOLLOW_UP)
    return rows
