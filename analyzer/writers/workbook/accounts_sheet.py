"""Count the rows and users of each account and owner, and check that no row is left out."""

from collections import Counter
from typing import Final

from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.report.report import Report
from analyzer.writers.accounts import CAN_SIGN_IN, UNUSED, WITHOUT_MFA, account_counts
from analyzer.writers.headline import VERDICT_ORDER
from analyzer.writers.workbook.book import Book, CellStyle, SheetName
from analyzer.writers.workbook.text_sheet import Part, SpannedCell, TextSheet, check, head, label
from analyzer.writers.workbook.user_columns import account_text

_WIDTHS: Final = (32, *(9.5,) * 8, 13.5, 9, 14.5, 10, 10)
_EXPOSED: Final = {
    CAN_SIGN_IN: "Unused, can sign in",
    WITHOUT_MFA: "of these without MFA",
}
"""The numbers of unused users that can still sign in."""


def have_several(report: Report) -> bool:
    """Return whether a report is of several accounts, read or not."""
    missing = {account.label for account in report.not_covered + report.left_out}
    return len(report.accounts | missing) > 1


def add_accounts(book: Book, analysis: Analysis) -> dict[str, int]:
    """Add the counts of each account and owner; return the row of each account not covered."""
    sheet = TextSheet(book, SheetName.ACCOUNTS, _WIDTHS)
    sheet.full_row("Accounts and owners", CellStyle.TITLE)
    rows = _add_account_table(sheet, analysis)
    if analysis.owners:
        sheet.section("Owners")
        sheet.table_head(head("Owner"), "IAM users", "Unused", *_EXPOSED.values())
        for counts in account_counts(analysis, columns.OWNER):
            numbers = (counts[name] for name in (columns.USERS, UNUSED, *_EXPOSED))
            sheet.row(label(counts[columns.OWNER] or "no owner"), *numbers)
    return rows


def _add_account_table(sheet: TextSheet, analysis: Analysis) -> dict[str, int]:
    report, counts = analysis.report, row_counts(analysis)
    exposed = {
        of_account[columns.ACCOUNT]: [of_account[name] for name in _EXPOSED]
        for of_account in account_counts(analysis)
    }
    as_of = {account.account: file.as_of for file in report.files for account in file.accounts}
    sheet.section("Accounts, those with the most exposed unused users first")
    others: tuple[str | SpannedCell, ...] = (head("Check"), head("As of (UTC)"), *_EXPOSED.values())
    top = sheet.table_head(head("Account"), *ROW_COUNT_HEADS, *others)
    for account in dict.fromkeys((*exposed, *sorted(counts))):
        known = report.account_names.get(account)
        owner = f" ({known.owner})" if known and known.owner else ""
        name = f"{account_text(account)} {known.name if known else ''}".rstrip() + owner
        numbers = exposed.get(account, [0] * len(_EXPOSED))
        at = SpannedCell(as_of[account], CellStyle.DATE)
        add_row_count(sheet, name, counts[account], at, *numbers)
    sheet.alarm(f"{CHECK_COLUMN}{top + 1}:{CHECK_COLUMN}{sheet.next_row - 1}")
    rows = _add_accounts_not_read(sheet, report)
    sheet.ignore_number_warning(f"A{top + 1}:A{sheet.next_row - 1}")
    return rows


def _add_accounts_not_read(sheet: TextSheet, report: Report) -> dict[str, int]:
    """Add the accounts and files of which no row was read; return their rows by label."""
    rows: dict[str, int] = {}
    for missing in report.not_covered + report.left_out:
        is_left_out = missing in report.left_out
        known = report.account_names.get(missing.account)
        name = known.name if known else missing.name
        state = f"{'left out' if is_left_out else 'not read'}: {missing.reason}"
        text = f"{name}, {state}" if name and missing.account else state
        style = CellStyle.FAINT if is_left_out else CellStyle.CHECK
        row = sheet.row(label(missing.label), SpannedCell(text, style, len(_WIDTHS) - 1))
        if not is_left_out:
            rows[missing.label] = row
    return rows


# The rows of an account

ROW_COUNT_HEADS: Final = (
    *("Rows read", "Root rows", "Repeated rows", "IAM users"),
    *map(str, VERDICT_ORDER),
)
_COUNTED: Final = ("rows", "roots", "repeated", columns.USERS, *map(str, VERDICT_ORDER))
"""The counts of an account: rows of each kind, users, and users of each verdict."""

CHECK_COLUMN: Final = "K"


def row_counts(analysis: Analysis) -> dict[str, Counter[str]]:
    """Return the counts of each account."""
    accounts: dict[str, Counter[str]] = {}
    for file in analysis.report.files:
        for covered in file.accounts:
            counts = accounts.setdefault(covered.account, Counter())
            counts.update(rows=covered.rows, roots=covered.roots, repeated=covered.repeated)
    judged = analysis.totals.counts
    names = (columns.ACCOUNT, columns.VERDICT, columns.USERS)
    for account, verdict, number in zip(*(judged[name].to_pylist() for name in names), strict=True):
        accounts[account].update({columns.USERS: number, verdict: number})
    return accounts


def add_row_count(sheet: TextSheet, name: str, counts: Counter[str], *others: Part) -> None:
    """Add a line with the counts, and a check that they add up."""
    row = sheet.next_row
    holds = counts["rows"] == counts["roots"] + counts["repeated"] + counts[columns.USERS]
    tie = check(f"AND(B{row}=C{row}+D{row}+E{row},E{row}=SUM(F{row}:J{row}))", holds=holds)
    sheet.row(label(name), *(counts[name] for name in _COUNTED), tie, *others)
