"""Write the sheet that counts the unused users of each account and of each owner."""

from typing import Final

from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.writers.accounts import CAN_SIGN_IN, UNUSED, WITHOUT_MFA, counts_by_name
from analyzer.writers.workbook.book import Book, CellStyle, SheetName
from analyzer.writers.workbook.text_sheet import TextSheet, add_bar_chart, head, label, total

_WIDTHS: Final = (38, *(13,) * 4, *(11,) * 6)
_NUMBERS: Final = {
    WITHOUT_MFA: "Can sign in without MFA",
    CAN_SIGN_IN: "Can sign in",
    UNUSED: "Unused",
    columns.USERS: "IAM users",
}
_MOST_BARS: Final = 10
_CHART_ROWS: Final = 16  # the rows of the table beside which its chart is


def add_accounts(book: Book, analysis: Analysis) -> None:
    """Add the sheet if there are several accounts, or a list of owners."""
    tables = counts_by_name(analysis)
    if not tables:
        return
    sheet = TextSheet(book, SheetName.ACCOUNTS, _WIDTHS)
    sheet.full_row("Unused users by account and owner", CellStyle.TITLE)
    about = "Unused users that are not exempt, the most exposed first. IAM users: all of them."
    sheet.full_row(about, CellStyle.SUBTITLE)
    for name, counts in tables.items():
        sheet.section(f"By {name.lower()}")
        sheet.keep(_CHART_ROWS)
        top = sheet.table_head(head(name), *_NUMBERS.values())
        numbers = counts[[*_NUMBERS]]
        for word, *of_word in numbers.itertuples(name=None):
            sheet.row(label(word), *of_word)
        bars = counts[WITHOUT_MFA].head(_MOST_BARS)
        rows = range(top + 1, top + 1 + len(bars))
        add_bar_chart(sheet, _NUMBERS[WITHOUT_MFA], bars, rows, f"G{top}")
        sheet.row(label("All"), *map(total, numbers.sum().tolist()))
        sheet.ignore_number_warning(f"A{top + 1}:A{sheet.next_row - 1}")
        sheet.space(max(top + _CHART_ROWS - sheet.next_row, 0))
