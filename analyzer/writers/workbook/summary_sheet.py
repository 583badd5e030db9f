"""Write the first sheet: progress, result, criteria, notes, sign-off, checks and input files."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Final

import pandas as pd

from analyzer.decisions.ledger import Ledger
from analyzer.judging.analysis import Analysis
from analyzer.report.model import Report, ReportFile, account_with_name
from analyzer.terms import AS_OF_SOURCES, BLIND_SPOTS, Verdict, count_text, short_list
from analyzer.verdicts.verdict import criteria_meanings, unused_definition
from analyzer.version import VERSION
from analyzer.writers import users
from analyzer.writers.users import VERDICT_ORDER
from analyzer.writers.workbook import counts
from analyzer.writers.workbook.book import Book, Title
from analyzer.writers.workbook.charts import add_bar_chart, add_trend
from analyzer.writers.workbook.review_lists import (
    Listings,
    add_legend,
    add_list_checks,
    add_progress,
    first_step,
)
from analyzer.writers.workbook.style import INK, VERDICT_COLOURS, CellStyle
from analyzer.writers.workbook.text_sheet import SpannedCell, TextSheet, head, label
from analyzer.writers.workbook.user_columns import account_text

TITLE: Final = "Access review: unused IAM users"
_WIDTHS: Final = (25.5, 14.5, 9.5, 11, 11, 12, 9.5, 11, 9.5, 13.5, 10, 14.5)
"""Together they fill a Letter page in landscape, with text of 9 points printed at 8."""

_SERVICE_CREDENTIALS: Final = "AWS's list of service-specific credentials, saved with a report."
_DAY: Final = timedelta(days=1)

_CHARTS_HEIGHT: Final = 13
"""How many rows the charts take."""


def add_summary(  # noqa: PLR0913, PLR0917  what it is about
    book: Book,
    analysis: Analysis,
    listings: Listings,
    compared: str,
    trend: pd.DataFrame | None,
    share: str,
) -> None:
    """Add the summary; `compared` says with which run this one was compared, and what changed.

    A `share` has some users only: its lines are counted, and neither all users nor all rows.
    """
    sheet = TextSheet(book, Title.SUMMARY, _WIDTHS)
    _add_title(sheet, analysis, first_step(analysis, listings), share)
    sheet.section("Review progress")
    add_progress(sheet, listings)
    sheet.section("What to enter in the yellow cells of the lists")
    add_legend(sheet, analysis.ledger.keep_days)
    _add_sign_off(sheet)
    sheet.next_page()
    if not share:
        _add_numbers(sheet, analysis)
        sheet.next_page()
    if Title.FOLLOW_UP in book and analysis.ledger.lines:
        sheet.section("Follow-up of earlier decisions")
        counts.add_follow_up(sheet, analysis.follow_up)
    if trend is not None and len(trend) > 1:
        add_trend(sheet, "Trend: users by month", trend)
    if Title.FINDINGS in book:
        sheet.section("Findings by severity")
        counts.add_severities(sheet, analysis.inspection)
    _add_criteria(sheet, analysis, compared, share)
    _add_notes(sheet, analysis.report.notes if share else users.notes(analysis), analysis.report)
    sheet.section("Checks: the lists add up to all users")
    add_list_checks(sheet, analysis, listings)
    if not share:
        sheet.section("Accounts: every row of the reports is counted")
        counts.add_accounts(sheet, analysis)
    sheet.section("Reports")
    _add_files(sheet, analysis.report.files)
    add_other_files(sheet, analysis)


def _add_title(sheet: TextSheet, analysis: Analysis, first: str, share: str) -> None:
    sheet.full_row(TITLE, CellStyle.TITLE)
    if incomplete := _missing_accounts_text(analysis):
        sheet.full_row(incomplete, CellStyle.ALARM)
    sheet.full_row(users.as_of_and_scope(analysis.report), CellStyle.SUBTITLE)
    sheet.full_row(f"For {share}" if share else _headline(analysis), CellStyle.SUBTITLE)
    sheet.full_row(first, CellStyle.LABEL)


def _missing_accounts_text(analysis: Analysis) -> str:
    """Return how many accounts are missing, and which; empty if none is."""
    report = analysis.report
    covered = report.accounts - {""}
    missing = sorted({each.label for each in report.not_covered} - covered)
    if not missing:
        return ""
    every = len(covered) + len(missing)
    named = short_list([account_with_name(each, report.account_names) for each in missing])
    return f"INCOMPLETE: {len(covered):,} of {every:,} accounts. Missing: {named}."


def _headline(analysis: Analysis) -> str:
    """Return the finding in a sentence."""
    totals = analysis.totals
    unused, users = totals.users(Verdict.UNUSED), totals.users()
    exempt = totals.users(Verdict.UNUSED, exempt=True)
    sentence = f"Unused: {unused:,} of {users:,} IAM users; {unused_definition(analysis.criteria)}."
    return f"{sentence} Exempt: {exempt:,}." if exempt else sentence


def _add_numbers(sheet: TextSheet, analysis: Analysis) -> None:
    """Add the counts, and beside the ages of unused users the two charts."""
    sheet.section("Result")
    verdict_rows = counts.add_result(sheet, analysis)
    sheet.space()
    top = sheet.next_row
    age_rows, ages = counts.add_ages(sheet, analysis)
    sheet.space(top + _CHARTS_HEIGHT - sheet.next_row)
    verdicts = [
        (str(verdict), analysis.totals.users(verdict), VERDICT_COLOURS[CellStyle(verdict)])
        for verdict in VERDICT_ORDER
    ]
    add_bar_chart(sheet, "Users by verdict", verdicts, verdict_rows, f"C{top}")
    bands = [(band, users, INK) for band, users in ages.items()]
    add_bar_chart(sheet, "Unused users by age", bands, age_rows, f"H{top}")


def _add_criteria(sheet: TextSheet, analysis: Analysis, compared: str, share: str) -> None:
    sheet.text_section("Criteria", criteria_meanings(analysis.criteria))
    if not share:
        sheet.named_text("Exemptions", _exemptions(analysis))
    if analysis.ledger.lines:
        sheet.named_text("Earlier decisions", _earlier_decisions(analysis.ledger))
    if analysis.settings:
        sheet.named_text("Settings", analysis.settings)
    sheet.named_text("Compared with", compared)
    sheet.named_text("Program", f"credreport {VERSION}")


def _earlier_decisions(ledger: Ledger) -> str:
    """Return how many decisions there are, and the days that count."""
    return (
        f"Decisions: {len(ledger.lines):,}, on users: {len(ledger.by_user):,}. A user to keep is"
        f" exempt for {count_text(ledger.keep_days, 'day')} after the decision. A user to delete or"
        f" deactivate is overdue more than {count_text(ledger.due_days, 'day')} after it."
    )


def _exemptions(analysis: Analysis) -> str:
    entries, totals = len(analysis.exemptions), analysis.totals
    if not entries:
        return "No exemptions."
    exempt = totals.users(exempt=True)
    return (
        f"Entries: {entries:,}. Exempt users: {exempt:,}. Expired entries:"
        f" {len(totals.expired):,}. Entries that match no user: {len(totals.unmatched):,}."
    )


def _add_notes(sheet: TextSheet, notes: Iterable[str], report: Report) -> None:
    sheet.section("Notes and limitations")
    for note in (*_as_of_spread_notes(report.files), *notes):
        sheet.named_text("Note", note, CellStyle.CHECK)
    blind_spots = "\n".join(f"• {each}" for each in BLIND_SPOTS)
    sheet.named_text("Not visible in a credential report", blind_spots)


def _as_of_spread_notes(files: Sequence[ReportFile]) -> Iterator[str]:
    """Yield a note if the reports of the accounts lie more than a day apart."""
    first = min(files, key=lambda file: file.as_of)
    last = max(files, key=lambda file: file.as_of)
    if last.as_of - first.as_of > _DAY:
        days = (last.as_of - first.as_of) / _DAY
        yield (
            f"The reports are {days:,.1f} days apart: from {first.as_of:%Y-%m-%d %H:%M} UTC"
            f" ({first.name}) to {last.as_of:%Y-%m-%d %H:%M} UTC ({last.name}). See As of of each"
            " account."
        )


def _add_sign_off(sheet: TextSheet) -> None:
    sheet.section("Sign-off")
    sheet.table_head(head(""), head("Name", 4), head("Date", 2), head("Signature", 5))
    for role in ("Prepared by", "Reviewed by"):
        lines = (SpannedCell("", CellStyle.INPUT, span) for span in (4, 2, 5))
        sheet.row(label(role), *lines, height=30)


def _add_files(sheet: TextSheet, files: Sequence[ReportFile]) -> None:
    heads = (head("Report"), head("As of (UTC)"), head("As-of source", 2), head("Account", 2))
    row = sheet.table_head(*heads, "Rows read", "Bytes", head("SHA-256", 4))
    for file in files:
        accounts = count_text(len(file.accounts), "account")
        if len(file.accounts) == 1:
            accounts = account_text(file.accounts[0].account)
        sheet.row(
            label(file.name),
            SpannedCell(file.as_of, CellStyle.DATE),
            SpannedCell(AS_OF_SOURCES[file.as_of_source], span=2),
            SpannedCell(accounts, span=2),
            sum(account.rows for account in file.accounts),
            file.size,
            SpannedCell(file.sha256, span=4),
        )
    sheet.ignore_number_warning(f"E{row + 1}:E{sheet.next_row - 1}")


def add_other_files(sheet: TextSheet, analysis: Analysis) -> None:
    """Add the other files that were read, if there are any."""
    report, exemptions = analysis.report, analysis.exemptions
    lists = (
        ("Exemption list: exempt users and rules, reasons and last days.", exemptions.file),
        ("Account list: names and owners of accounts.", report.account_list),
        ("Owners: of which user each is the owner.", analysis.owners.file),
        ("Ledger: the earlier decisions, and what the reviewers saw.", analysis.ledger.file),
        *((_SERVICE_CREDENTIALS, file.service_credentials) for file in report.files),
    )
    read = [(content, file) for content, file in lists if file]
    if read:
        sheet.section("Other input files")
        sheet.table_head(head("File"), head("Content", 6), head("SHA-256", 5))
    for content, each in read:
        sheet.row(label(each.name), SpannedCell(content, span=6), SpannedCell(each.sha256, span=5))
