"""Write the first sheets: the summary of a review, and the counts of accounts and owners."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.decisions.review import Review
from analyzer.decisions.review_list_layout import REVIEW
from analyzer.limits import DUE_DAYS, KEEP_DAYS, SOON_DAYS
from analyzer.report.model import ReportFile, account_with_name
from analyzer.terms import (
    AS_OF_SOURCES,
    BLIND_SPOTS,
    VERSION,
    Certainty,
    Verdict,
    count_text,
    short_list,
)
from analyzer.verdicts.verdict import criteria_meanings, verdict_meaning
from analyzer.writers import headline
from analyzer.writers.accounts import CAN_SIGN_IN, UNUSED, WITHOUT_MFA, counts_by_name
from analyzer.writers.workbook import lookup_lists, review_lists
from analyzer.writers.workbook.book import Book, CellStyle, SheetName
from analyzer.writers.workbook.review_lists import Listings
from analyzer.writers.workbook.text_sheet import (
    NOT_APPLICABLE,
    Part,
    SpannedCell,
    TextSheet,
    check,
    head,
    label,
    total,
)
from analyzer.writers.workbook.user_columns import account_text

TITLE: Final = "Access review: unused IAM users"
_WIDTHS: Final = (25.5, 14.5, 9.5, 11, 11, 12, 9.5, 11, 9.5, 13.5, 10, 14.5)
"""Together the columns fill a Letter page in landscape, with text of 9 points printed at 8."""

_PART_OF_REVIEW: Final = 30_000  # characters; a cell holds 32,767


def add_summary(
    book: Book,
    analysis: Analysis,
    listings: Listings,
    part_label: str,
    review: Review,
) -> None:
    """Add the summary.

    A workbook with a `part_label` has only some users: the lines of its lists are counted, but not
    all users or all rows.
    """
    sheet = TextSheet(book, SheetName.SUMMARY, _WIDTHS)
    _add_title(sheet, analysis, review_lists.first_step(listings), part_label)
    if not part_label:
        _add_result(sheet, analysis)
    sheet.section("Review progress")
    review_lists.add_progress(sheet, listings)
    sheet.next_page()
    sheet.section("What to enter in the yellow cells of the lists")
    review_lists.add_legend(sheet)
    if SheetName.FOLLOW_UP in book:
        sheet.section("Follow-up of earlier decisions")
        lookup_lists.add_follow_up(sheet, analysis.follow_up)
    _add_criteria(sheet, analysis, part_label)
    sheet.section("Notes and limitations")
    notes = analysis.report.notes if part_label else headline.notes(analysis)
    files = [file for file in analysis.report.files if file.accounts or not part_label]
    for note in notes:
        sheet.named_text("Note", note, CellStyle.CHECK)
    blind_spots = "\n".join(f"• {spot}" for spot in BLIND_SPOTS)
    sheet.named_text("Not visible in a credential report", blind_spots)
    sheet.next_page()
    sheet.section(f"Checks: the lists add up to all users{' of this part' if part_label else ''}")
    review_lists.add_list_checks(sheet, analysis, listings)
    if not part_label:
        sheet.section("Accounts: every row of the reports is counted")
        _add_row_counts(sheet, analysis)
    sheet.section("Reports")
    _add_files(sheet, files)
    add_other_files(sheet, analysis)
    text = review.model_dump_json()
    for start in range(0, len(text), _PART_OF_REVIEW):
        sheet.hidden_row(f"{REVIEW}{text[start : start + _PART_OF_REVIEW]}")


def _add_title(sheet: TextSheet, analysis: Analysis, first_step: str, part_label: str) -> None:
    report = analysis.report
    sheet.full_row(TITLE, CellStyle.TITLE)
    if missing := sorted({account.label for account in report.not_covered} - report.accounts):
        named = short_list(
            [account_with_name(account, report.account_names) for account in missing]
        )
        incomplete = f"INCOMPLETE: {headline.accounts_text(report)}. Missing: {named}."
        sheet.full_row(incomplete, CellStyle.ALARM)
    result = f"{headline.result_text(analysis, [Verdict.UNUSED])}."
    sheet.full_row(f"For {part_label}" if part_label else result, CellStyle.RESULT)
    sheet.full_row(headline.as_of_and_scope(report), CellStyle.SUBTITLE)
    sheet.full_row(first_step, CellStyle.LABEL)


def _add_criteria(sheet: TextSheet, analysis: Analysis, part_label: str) -> None:
    entries, totals, ledger = len(analysis.exemptions), analysis.totals, analysis.ledger
    sheet.text_section("Criteria", criteria_meanings(analysis.criteria))
    if not part_label:
        exempt, expired = totals.user_count(exempt=True), len(totals.expired)
        counts = (
            f"Entries: {entries:,}. Exempt users: {exempt:,}. Expired entries: {expired:,}."
            f" Entries that match no user: {len(totals.unmatched):,}."
        )
        sheet.named_text("Exemptions", counts if entries else "No exemptions.")
    if ledger.lines:
        sheet.named_text(
            "Earlier decisions",
            f"Decisions: {len(ledger.lines):,}, on users: {len(ledger.standings):,}. A user to keep"
            f" is exempt for {KEEP_DAYS} days after the decision, if unused, retired or dormant. A"
            f" user to delete or deactivate is overdue {DUE_DAYS} days after the report decided on;"
            f" {SOON_DAYS} days after it, the decision lapses.",
        )
    sheet.named_text("Program", f"credreport {VERSION}")


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
        *((beside, file.service_credentials) for file in report.files),
    )
    read = [(content, file) for content, file in named if file]
    if read:
        sheet.section("Other input files")
        sheet.table_head(head("File"), head("Content", 6), head("SHA-256", 5))
    for content, file in read:
        sheet.row(label(file.name), SpannedCell(content, span=6), file.sha256)


# Users, accounts and findings


def _add_result(sheet: TextSheet, analysis: Analysis) -> None:
    sheet.section("Result")
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
    sheet.row(label("IAM users"), *sums, *[NOT_APPLICABLE] * len(Certainty), "All verdicts.")


def _add_row_counts(sheet: TextSheet, analysis: Analysis) -> None:
    counted = ("Rows read", "Root rows", "Repeated rows", "IAM users", *headline.VERDICT_ORDER)
    top = sheet.table_head(head("Account"), *counted, head("Check"), head("As of (UTC)"))
    report, accounts = analysis.report, _account_counts(analysis)
    every = sum(accounts.values(), Counter[str]())
    _add_account(sheet, "All accounts read", every, "", CellStyle.TOTAL)
    from_newest = sorted(report.files, key=lambda file: file.as_of, reverse=True)
    oldest = {account.account: file.as_of for file in from_newest for account in file.accounts}
    for account, counts in sorted(accounts.items()):
        known = report.account_names.get(account)
        owner = f" ({known.owner})" if known and known.owner else ""
        name = f"{account_text(account)} {known.name if known else ''}".rstrip() + owner
        _add_account(sheet, name, counts, oldest[account])
    sheet.alarm(f"K{top + 1}:K{sheet.next_row - 1}")
    # No row of these accounts was read.
    absent = [(missing, "not covered", CellStyle.CHECK) for missing in report.not_covered]
    absent += [(missing, "left out", CellStyle.FAINT) for missing in report.left_out]
    for missing, state, style in absent:
        known = report.account_names.get(missing.account)
        name = known.name if known else missing.name
        why = f"{state}: {missing.reason}"
        named = f"{name}, {why}" if name and missing.account else why
        sheet.row(label(missing.label), SpannedCell(named, style, 11))
    sheet.ignore_number_warning(f"A{top + 2}:A{sheet.next_row - 1}")


_COUNTED: Final = ("rows", "roots", "repeated", columns.USERS, *map(str, headline.VERDICT_ORDER))
"""The counts of an account: rows of each kind, users, and users of each verdict."""


def _account_counts(analysis: Analysis) -> dict[str, Counter[str]]:
    accounts: dict[str, Counter[str]] = {}
    for file in analysis.report.files:
        for covered in file.accounts:
            counts = accounts.setdefault(covered.account, Counter())
            counts.update(rows=covered.rows, roots=covered.roots, repeated=covered.repeated)
    judged = analysis.totals.counts
    names = (columns.ACCOUNT, columns.VERDICT, columns.USERS)
    for account, verdict, number in zip(*(judged[name] for name in names), strict=True):
        accounts[account].update({columns.USERS: int(number), verdict: int(number)})
    return accounts


def _add_account(
    sheet: TextSheet,
    name: str,
    counts: Counter[str],
    as_of: datetime | str,
    style: CellStyle = CellStyle.NUMBER,
) -> None:
    row = sheet.next_row
    holds = counts["rows"] == counts["roots"] + counts["repeated"] + counts[columns.USERS]
    tie = check(f"AND(B{row}=C{row}+D{row}+E{row},E{row}=SUM(F{row}:J{row}))", holds=holds)
    cells = (SpannedCell(counts[name], style) for name in _COUNTED)
    sheet.row(label(name), *cells, tie, SpannedCell(as_of, CellStyle.DATE))


# Accounts and owners

_ACCOUNT_WIDTHS: Final = (38, *(13,) * 4)
_EXPOSED_COUNTS: Final = {
    WITHOUT_MFA: "Can sign in without MFA",
    CAN_SIGN_IN: "Can sign in",
    UNUSED: "Unused",
    columns.USERS: "IAM users",
}


def add_accounts(book: Book, analysis: Analysis) -> None:
    """Add the unused users of each account and owner, if there are several or a list of owners."""
    tables = counts_by_name(analysis)
    if not tables:
        return
    sheet = TextSheet(book, SheetName.ACCOUNTS, _ACCOUNT_WIDTHS)
    sheet.full_row("Unused users by account and owner", CellStyle.TITLE)
    about = "Unused users, exempt ones too, the most exposed first. IAM users: all of them."
    sheet.full_row(about, CellStyle.SUBTITLE)
    for name, counts in tables.items():
        sheet.section(f"By {name.lower()}")
        top = sheet.table_head(head(name), *_EXPOSED_COUNTS.values())
        numbers = counts[[*_EXPOSED_COUNTS]]
        for word, *of_word in numbers.itertuples(name=None):
            sheet.row(label(word), *of_word)
        sheet.row(label("All"), *map(total, numbers.sum().tolist()))
        sheet.ignore_number_warning(f"A{top + 1}:A{sheet.next_row - 1}")
        sheet.space()
