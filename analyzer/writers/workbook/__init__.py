"""Write an analysis as an Excel workbook that an auditor can work from; the only openpyxl."""

from functools import partial
from typing import BinaryIO

import numpy as np

from analyzer import columns
from analyzer.analysis import Analysis
from analyzer.model import Page
from analyzer.terms import Certainty, Verdict
from analyzer.writers import people
from analyzer.writers.workbook import users
from analyzer.writers.workbook.book import EXCEL_ROWS, Book
from analyzer.writers.workbook.method import add_method
from analyzer.writers.workbook.summary import TITLE, add_summary
from analyzer.writers.workbook.table import Listing
from analyzer.writers.workbook.taken import Gathering


def write_workbook(analysis: Analysis, stream: BinaryIO, *, rows_a_sheet: int = EXCEL_ROWS) -> None:
    """Write the workbook; a list longer than a sheet goes on, on further ones."""
    files = analysis.report.files
    with Book(TITLE, max(file.as_of for file in files)) as book:
        listing = partial(Listing, book, people.described(files), rows_a_sheet)
        everybody = listing("All users", users.every(files))
        unused, exempt = Gathering(_to_do), Gathering(_exempt)
        undetermined = Gathering(_undetermined)
        for page in analysis.pages():
            everybody.add(page)
            for gathering in (unused, exempt, undetermined):
                gathering.add(page)
        everybody.finish("No report has an IAM user.")
        _add_some(listing("Exempt", users.exempt(analysis.exemptions)), exempt)
        _add_some(listing("Undetermined", users.undetermined(files)), undetermined)
        add_method(book, analysis)
        _add_to_do(listing("Unused users", users.UNUSED, at=0), unused)
        add_summary(book, analysis, everybody)
        book.save(stream)


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


def _add_some(listing: Listing[Page], some: Gathering) -> None:
    """Add a list in the report's order, unless there is nobody to list."""
    if page := some.page():
        listing.add(page)
        listing.finish()


def _add_to_do(listing: Listing[Page], unused: Gathering) -> None:
    """Add the list of unused users: certain ones first, then the oldest first."""
    if page := unused.page():
        doubtful = page.users[columns.CERTAINTY] == Certainty.CHECK
        keys = ["doubtful", columns.CREATED, columns.ACCOUNT, columns.USER]
        order = page.users.assign(doubtful=doubtful).sort_values(keys, kind="stable").index
        listing.add(page, order.to_numpy())
    listing.finish("Nobody is unused, or whoever is, is exempt.")
