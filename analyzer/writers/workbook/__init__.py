"""Write an analysis as an Excel workbook that a reviewer works in and an auditor can check.

All that writes with openpyxl is here, and all that relies on its internals is in `archive`. A list
is `TableSheets` of `Column`s, each a title, a width and the cells that it makes of a page or frame;
any other sheet is a `TextSheet` of parts. `review_lists` are those to decide in, `lists` those
to look things up in; `book` orders the sheets.

`writers` and `exports` may import this package, through `write_workbook`. Text from a report is
always a text cell, never a formula; formulas are ours, and carry the value that they will have.
"""

from typing import BinaryIO, Final

import pandas as pd

from analyzer import columns
from analyzer.decisions.review_columns import RECORD
from analyzer.decisions.user_record import CreationSeconds, SameSecond, record_texts
from analyzer.judging.analysis import Analysis
from analyzer.report.model import Page
from analyzer.terms import WorkbookSheets
from analyzer.writers.text_columns import Texts
from analyzer.writers.users import as_of_and_scope
from analyzer.writers.workbook import lists
from analyzer.writers.workbook.book import EXCEL_ROWS, LARGE_PRINT, Book, Title
from analyzer.writers.workbook.column import TextColumn
from analyzer.writers.workbook.method_sheet import add_controls, add_method
from analyzer.writers.workbook.review_lists import (
    ACCOUNT,
    REVIEW_LISTS,
    USER,
    Listings,
    ReviewList,
    review_order,
    row_keys,
)
from analyzer.writers.workbook.style import CellStyle
from analyzer.writers.workbook.summary_sheet import TITLE, add_summary
from analyzer.writers.workbook.table_sheets import CollectedUsers, TableSheets

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
    share: str = "",
    same_second: SameSecond | None = None,
) -> None:
    """Write the workbook, of all users; a list longer than a sheet goes on, on further ones.

    `changes` since a previous run, as `analyzer.changes.changes` gives them, get a sheet; `since`
    names that run. `trend` has the numbers of users by month, the oldest first: `as_of`
    datetime64[s, UTC], `unused`, `inactive`, `users` int64.

    The part of an analysis is a `share`, which names whom it is for: then no count is of all users,
    and `same_second` are the names of all (`CreationSeconds.names`).
    """
    analysis = analysis if share else analysis.whole
    titles = [*Title] if sheets is WorkbookSheets.ALL else [*_REVIEW_TITLES]
    if share:
        titles.remove(Title.FOLLOW_UP)
    newest = max(file.as_of for file in analysis.report.files)
    scope, compared = as_of_and_scope(analysis.report), "No previous run."
    with Book(TITLE, scope, newest, titles, rows_a_sheet) as book:
        listings, listed = _add_users(book, analysis, same_second)
        if Title.FINDINGS in titles:
            findings = TableSheets(book, Title.FINDINGS, lists.finding_columns(analysis, listed))
            for frame in analysis.inspection.frames():
                findings.add(frame)
            findings.finish(lists.no_findings_text(analysis.inspection))
            add_controls(book, analysis.inspection)
        if len(analysis.exemptions):
            entries = TableSheets(book, Title.EXEMPTIONS, lists.EXEMPTION_LIST)
            entries.filled(lists.exemption_frame(analysis))
        if changes is not None:
            change_list = TableSheets(book, Title.CHANGES, lists.change_columns(analysis))
            change_list.filled(changes, lists.NO_CHANGES)
            compared = lists.change_counts(changes, since)
        if Title.FOLLOW_UP in titles and analysis.ledger.lines:
            of_decisions = lists.follow_up_columns(analysis)
            follow_up = TableSheets(book, Title.FOLLOW_UP, of_decisions, LARGE_PRINT)
            follow_up.filled(analysis.follow_up, lists.NO_REMOVALS)
        add_summary(book, analysis, listings, compared, trend, share)
        add_method(book, analysis)
        book.save(stream)


def _add_users(
    book: Book, analysis: Analysis, same_second: SameSecond | None
) -> tuple[Listings, lists.ListedRows]:
    """Add the lists of users; return those to decide in, and the rows of reports in each."""
    all_users = TableSheets(book, Title.ALL_USERS, lists.all_users_columns(analysis))
    collected = {each.title: CollectedUsers(each.has) for each in REVIEW_LISTS}
    exempt = CollectedUsers(lambda page: (page.users[columns.EXEMPTION] != "").to_numpy())
    seconds = CreationSeconds()
    for page in analysis.pages():
        all_users.add(page)
        seconds.add(page)
        for some in (exempt, *collected.values()):
            some.add(page)
    all_users.finish("No IAM users in the reports.")
    roots = TableSheets(book, Title.ROOTS, lists.root_columns(analysis.report))
    for page in analysis.report.roots():
        roots.add(page)
    if roots.rows:
        roots.finish()
    if len(exempt):
        TableSheets(book, Title.EXEMPT, lists.exempt_columns(analysis)).filled(exempt.page())
    names = seconds.names() if same_second is None else same_second
    added = {
        each.title: _add_review(book, analysis, each, collected[each.title], names)
        for each in REVIEW_LISTS
    }
    listings = {title: listing for title, (listing, _) in added.items()}
    return listings, {title: rows for title, (_, rows) in added.items()}


def _add_review(
    book: Book, analysis: Analysis, each: ReviewList, users: CollectedUsers, seconds: SameSecond
) -> "tuple[TableSheets, pd.Index[int]]":
    if not len(users):
        empty = TableSheets(book, each.title, (ACCOUNT, USER))
        if each.no_users:
            empty.finish(each.no_users)
        return empty, pd.Index([], dtype="int64")
    report, names = analysis.report, analysis.report.account_names
    page = users.page()
    decided = page.with_users({columns.EARLIER_DECISION: analysis.earlier_decisions(page)})

    def records(some: Page) -> Texts:
        return record_texts(some, report.files, names, analysis.criteria, seconds)

    record = TextColumn(RECORD, 34, records, CellStyle.RECORD, folded=True, printed=False)
    listed_columns = (*each.columns(decided, report.files, names), record)
    rows = TableSheets(book, each.title, listed_columns, LARGE_PRINT)
    return rows.filled(decided, order=review_order(decided)), row_keys(page.users)
