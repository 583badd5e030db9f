"""Write the first sheet: the result of a review, its progress, and what was read."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Final

from analyzer.analysis.analysis import Analysis
from analyzer.decisions.review import Review
from analyzer.decisions.review_list_layout import REVIEW
from analyzer.limits import DUE_DAYS
from analyzer.report.model import ReportFile
from analyzer.terms import AS_OF_SOURCES, Certainty, Verdict, count_text
from analyzer.verdicts.verdict import verdict_meaning
from analyzer.writers import headline
from analyzer.writers.workbook import lookup_lists, review_lists
from analyzer.writers.workbook.accounts_sheet import (
    CHECK_COLUMN,
    ROW_COUNT_HEADS,
    add_row_count,
    row_counts,
)
from analyzer.writers.workbook.book import Book, CellStyle, SheetName
from analyzer.writers.workbook.exceptions import (
    REPORTS,
    ExceptionRows,
    SummaryException,
    exceptions,
)
from analyzer.writers.workbook.follow_up_sheet import add_state_counts
from analyzer.writers.workbook.review_lists import Listings, Selection
from analyzer.writers.workbook.text_sheet import (
    NOT_APPLICABLE,
    Part,
    SpannedCell,
    TextSheet,
    head,
    label,
    total,
)
from analyzer.writers.workbook.user_columns import account_text

TITLE: Final = "Access review: unused IAM users"
_WIDTHS: Final = (25.5, 14.5, 9.5, 10, 10, 11, 12, 10, 12, 13.5, 10, 13.5)
"""Together the columns fill a Letter page in landscape, with text of 9 points printed at 8."""

_MOST_ON_FIRST_PAGE: Final = 4  # exceptions, beside the result and the block to sign
_PART_OF_REVIEW: Final = 30_000  # characters; a cell holds 32,767


def add_summary(  # noqa: PLR0913, PLR0917  what it is about
    book: Book,
    analysis: Analysis,
    selection: Selection,
    listings: Listings,
    rows: ExceptionRows | None,
    review: Review,
) -> None:
    """Add the summary: exceptions, then the result, then the tables.

    `selection` says which users the lists have. A workbook of a part of a split review counts only
    the users of that part, and has no exceptions.
    """
    report, part_label = analysis.report, selection.label
    files = [file for file in report.files if file.accounts or rows]
    sheet = TextSheet(book, SheetName.SUMMARY, _WIDTHS)
    sheet.full_row(f"{TITLE}, for {part_label}" if part_label else TITLE, CellStyle.TITLE)
    sheet.full_row(headline.as_of_and_scope(report), CellStyle.SUBTITLE)
    found = list(exceptions(analysis, rows)) if rows else []
    if rows:
        _add_exceptions(sheet, found)
    _add_result(sheet, analysis)
    if selection.asked:
        sheet.full_row(selection.summary(listings), CellStyle.LABEL)
    sheet.full_row(review_lists.first_step(listings), CellStyle.LABEL)
    if len(found) > _MOST_ON_FIRST_PAGE:
        sheet.next_page()
    _add_sign_off(sheet, part_label, files)
    if len(found) <= _MOST_ON_FIRST_PAGE:
        sheet.next_page()
    _add_progress(sheet, listings)
    if rows and len(rows.follow_up):
        sheet.section("Earlier decisions")
        add_state_counts(sheet, rows.follow_up)
    if notes := _notes(analysis, is_whole=bool(rows)):
        sheet.section("Notes")
        for note in notes:
            sheet.full_row(note)
    if rows:
        sheet.section("Every row of the reports is counted")
        top = sheet.table_head(head("Accounts"), *ROW_COUNT_HEADS, head("Check"))
        every = sum(row_counts(analysis).values(), Counter[str]())
        add_row_count(sheet, count_text(len(report.accounts), "account"), every)
        sheet.alarm(f"{CHECK_COLUMN}{top + 1}")
    sheet.section("Reports")
    _add_files(sheet, files)
    book.name_cell(REPORTS, f"'{SheetName.SUMMARY}'!$A${sheet.next_row - len(files)}")
    add_other_files(sheet, analysis)
    text = review.model_dump_json()
    for start in range(0, len(text), _PART_OF_REVIEW):
        sheet.hidden_row(f"{REVIEW}{text[start : start + _PART_OF_REVIEW]}")


def _notes(analysis: Analysis, *, is_whole: bool) -> list[str]:
    """Return the notes, but for what exceptions and other sheets say."""
    report = analysis.report
    newest = max(file.as_of for file in report.files)
    said = set(map(str, report.not_covered)) | set(analysis.ledger.notes(newest.date()))
    notes = headline.input_notes(analysis) if is_whole else report.notes
    left_out = lookup_lists.left_out_notes(analysis) if is_whole else []
    return left_out + [note for note in notes if note not in said]


def _add_progress(sheet: TextSheet, listings: Listings) -> None:
    """Add how far the review is, and what to enter; nothing without users to decide."""
    if not listings:
        return
    sheet.section("Review progress")
    review_lists.add_progress(sheet, listings)
    sheet.section("What to enter in the yellow cells of the lists")
    review_lists.add_legend(sheet)


def _add_exceptions(sheet: TextSheet, found: Sequence[SummaryException]) -> None:
    sheet.section("Exceptions")
    for each in found:
        sheet.row(SpannedCell(each.link, CellStyle.LINK), each.number, each.meaning)
    if not found:
        sheet.full_row("None.")


_MOST_SHA256: Final = 3


def _add_sign_off(sheet: TextSheet, part_label: str, files: Sequence[ReportFile]) -> None:
    """Add the block that people sign: what was reviewed, by when it is due, and by whom."""
    newest = max(file.as_of for file in files)
    every = [file.sha256 for file in files]
    reports = "\n".join(every)
    if len(every) > _MOST_SHA256:
        digest = sha256("".join(f"{one}\n" for one in sorted(every)).encode()).hexdigest()
        reports = f"{digest} of the sorted SHA-256 of {len(every):,} reports, one a line"
    sheet.section("Sign-off")
    name = f"{TITLE}, as of {newest:%Y-%m-%d}"
    sheet.named_text("Review", f"{name}, for {part_label}" if part_label else name)
    sheet.named_text("SHA-256 of the reports", reports)
    sheet.named_text("Due", f"{newest + timedelta(DUE_DAYS):%Y-%m-%d}")
    for by in ("Prepared by", "Reviewed by", "Approved by"):
        date, signature = (label(word, span=1) for word in ("Date", "Signature"))
        blank = SpannedCell("", CellStyle.INPUT, 4)
        sheet.row(label(by), blank, date, SpannedCell("", CellStyle.INPUT_DAY), signature, blank)


def _add_result(sheet: TextSheet, analysis: Analysis) -> None:
    sheet.section("Result")
    sheet.full_row(f"{headline.result_text(analysis, [Verdict.UNUSED])}.", CellStyle.RESULT)
    number_of = analysis.totals.user_count
    counted = ("Users", "Exempt", "Not exempt", "of these certain", "of these to check")
    sheet.table_head(head("Verdict"), *counted, head("Meaning", 6))
    for verdict in headline.VERDICT_ORDER:
        by_certainty: list[Part] = [NOT_APPLICABLE] * len(Certainty)
        if verdict in (Verdict.UNUSED, Verdict.RETIRED):
            by_certainty = [
                number_of(verdict, exempt=False, certainty=certainty) for certainty in Certainty
            ]
        name, about = str(verdict), verdict_meaning(verdict, analysis.criteria)
        numbers = (number_of(verdict, exempt=exempt) for exempt in (None, True, False))
        sheet.row(SpannedCell(name, CellStyle(verdict)), *numbers, *by_certainty, about)
    sums = (total(number_of(exempt=exempt)) for exempt in (None, True, False))
    sheet.row(label("IAM users"), *sums)


def _add_files(sheet: TextSheet, files: Sequence[ReportFile]) -> None:
    heads = (head("Report"), head("As of (UTC)"), head("As-of source", 2), head("Account", 2))
    row = sheet.table_head(*heads, "Rows read", "Bytes", head("SHA-256", 4))
    for file in files:
        accounts = count_text(len(file.accounts), "account")
        if len(file.accounts) == 1:
            accounts = account_text(file.accounts[0].account)
        as_of = SpannedCell(file.as_of, CellStyle.DATE)
        source, named = (
            SpannedCell(text, span=2) for text in (AS_OF_SOURCES[file.as_of_source], accounts)
        )
        rows = sum(account.rows for account in file.accounts)
        sheet.row(label(file.name), as_of, source, named, rows, file.size, file.sha256)
    sheet.ignore_number_warning(f"E{row + 1}:E{sheet.next_row - 1}")


def add_other_files(sheet: TextSheet, analysis: Analysis) -> None:
    """Add the other files that were read, if there are any."""
    report, exemptions = analysis.report, analysis.exemptions
    beside = "AWS's list of service-specific credentials, saved with a report."
    named = (
        ("Exemption list: exempt users and rules, reasons and last days.", exemptions.file),
        ("Account list: names and owners of accounts.", report.account_list),
        ("Owners: of which user each is the owner.", analysis.owners.file),
        ("Ledger: the earlier decisions, and what the reviewers saw.", analysis.ledger.file),
    ) + tuple((beside, file.service_credentials) for file in report.files)
    read = [(content, file) for content, file in named if file]
    if read:
        sheet.section("Other input files")
        sheet.table_head(head("File"), head("Content", 6), head("SHA-256", 5))
    for content, file in read:
        sheet.row(label(file.name), SpannedCell(content, span=6), file.sha256)
