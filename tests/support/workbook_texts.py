"""Show a workbook as a text: how each sheet prints, its columns, and all that its cells say."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime
from functools import cache
from typing import Any

from openpyxl.formula.translate import Translator
from openpyxl.worksheet.worksheet import Worksheet

import analyzer
from analyzer.analysis.analysis import Analysis
from analyzer.report.model import AccountName, FileReference, NotCovered
from analyzer.writers.workbook.table_sheets import ROWS_A_SHEET
from tests.support.builders import (
    ACCOUNT,
    AS_OF,
    COLUMNS,
    COLUMNS_OF_2014,
    MORE_CREDENTIALS,
    Row,
    a_certificate,
    a_key,
    a_password,
    a_user,
    an_inactive_key,
    days_before,
    no_password,
    report_text,
    the_root,
)
from tests.support.decisions import ledger_of, line
from tests.support.named_reports import load_named
from tests.support.workbooks import file_of, opened

_OLD, _LOST, _UNNAMED, _CLOSED = "111122223333", "444455556666", "555566667777", "666677778888"

_RAW: Row = {
    "user_creation_time": "2023-04-1",
    "password_enabled": "wahr",
    "mfa_active": "ja",
    "access_key_1_active": "perhaps",
    "access_key_1_last_used_date": "soon",
    "cert_1_active": "revoked",
}
_NEVER_SIGNED_IN, _SIGNED_IN = a_password(), a_password(days_before(400))
_FRANK = a_user("frank", created=days_before(100))
_USERS: tuple[Row, ...] = (
    a_user("=ann", created=days_before(990)),
    a_user("bob", password=_NEVER_SIGNED_IN, created=days_before(60), mfa=True),
    a_user("bob", password=_NEVER_SIGNED_IN, created=days_before(60), mfa=True),
    a_user("carol", key_1=an_inactive_key(used=days_before(500)), certificate_2=a_certificate()),
    a_user("adam", key_1=an_inactive_key(), additional_credentials_info="=HYPERLINK(1)"),
    a_user("dave", password=no_password(days_before(400))),
    a_user("erin", password=a_password(days_before(400), "?"), key_2=a_key(used=days_before(300))),
    a_user("fay", password=a_password(days_before(200)), password_next_rotation=days_before(-9)),
    a_user("frank", key_1=a_key(days_before(80), days_before(0.5)), created=days_before(100)),
    a_user("grace") | _RAW,
    a_user("heidi"),
    a_user("ivan", password=_NEVER_SIGNED_IN, created=days_before(200)),
    a_user("ivan", password=_NEVER_SIGNED_IN, created=days_before(200)),
    a_user("judy", arn=f"arn:aws:iam::{ACCOUNT}:gone"),
    a_user("kim", created=""),
    a_user("leo", key_1=a_key(used=days_before(300)), access_key_1_last_used_region="N/A"),
    a_user("mia", key_2=a_key(used=days_before(300)), access_key_2_last_used_region=""),
    a_user("nina", password_enabled="not_supported"),
    a_user("oscar"),
    a_user("pat", password=a_password(days_before(300))),
)
_EXEMPTIONS = b"""account,user,reason,owner,expires,rule
*,oscar,=1+1,@first,,
*,ivan,=1+1,@second,2027-01-01,
*,mia,waits,IT,2027-01-01,idle-access-key
*,pat,On tour,IT,2026-05-01,
*,zoe,Gone,Ops,,
*,yves,Gone,Ops,,
*,adam,Left,Ops,2026-01-01,
"""
_SEEN, _ON, _LATER_ON = days_before(90), date(2026, 3, 1), date(2026, 4, 20)
_LEDGER = ledger_of(
    line("delete", _USERS[0], by="Ann", on=_ON, as_of=_SEEN, ticket="7", comment="=SUM(1)"),
    line("deactivate", _FRANK, on=_ON, as_of=_SEEN),
    line("deactivate", _USERS[6], on=_LATER_ON, as_of=_SEEN),
    line("deactivate", a_user("dave", password=_SIGNED_IN), on=_ON, as_of=_SEEN),
    line("investigate", a_user("nina"), on=_ON, as_of=_SEEN),
    line("delete", a_user("gone", created=days_before(99)), on=_ON, as_of=_SEEN),
    line("delete", a_user("far", account="999999999999"), on=_LATER_ON, as_of=_SEEN),
    line("keep", a_user("heidi"), by="Ann", on=_ON, as_of=_SEEN, comment="by design"),
)


@cache
def second_review() -> Analysis:
    """Analyze users of all kinds, with account names, exemptions and earlier decisions."""
    of_2014 = [a_user("old", account=_OLD, key_1=an_inactive_key())]
    header, _, row = report_text(of_2014, columns=COLUMNS_OF_2014).splitlines()
    root = the_root(password_enabled="not_supported", password_last_changed="?")
    root |= {f"access_key_1_{name}": cell for name, cell in an_inactive_key().items()}
    rows = [{MORE_CREDENTIALS: "N/A", **each} for each in (root, *_USERS)]
    text = report_text(rows[1:], root=rows[0], columns=(*COLUMNS, MORE_CREDENTIALS))
    files = {"a.csv": text, "b.csv": f"{header}\n{row}\n"}
    report = load_named(*((name, text.encode()) for name, text in files.items()), as_of=AS_OF)
    named = replace(
        report,
        account_names={
            ACCOUNT: AccountName(name="=production", owner="Platform team"),
            _LOST: AccountName(name="lost"),
        },
        account_list=FileReference(name="accounts.csv", sha256="a" * 64),
        not_covered=tuple(
            NotCovered(account=each, name="", reason="access denied") for each in (_LOST, _UNNAMED)
        ),
        left_out=(NotCovered(account=_CLOSED, name="old", reason="closed"),),
    )
    return analyzer.analyze(
        named,
        analyzer.Criteria(idle_days=100, grace_days=9),
        analyzer.read_exemptions(("list.csv", _EXEMPTIONS)),
        ledger=_LEDGER,
        book=analyzer.rulebook("fsbp", limits={"rotation_days": 77}),
    )


def reviewed(rows_a_sheet: int = ROWS_A_SHEET) -> bytes:
    """Write the workbook of that review."""
    return file_of(second_review(), rows_a_sheet)


def workbook_text(content: bytes) -> str:
    """Return all that is in a workbook, with the results that stand behind its formulas."""
    book, results = opened(content), opened(content, results=True)
    shown = (
        "\n".join([f"=== {sheet.title}", *_layout(sheet), *_lines(sheet, results[sheet.title])])
        for sheet in book.worksheets
    )
    return "\n\n".join(shown) + "\n"


def _layout(sheet: Worksheet) -> list[str]:
    """Return how a sheet is shown, printed and checked."""
    setup, marked = sheet.page_setup, sheet.conditional_formatting
    layout = {
        "frozen": sheet.freeze_panes,
        "printed": sheet.print_area,
        "on each page": sheet.print_titles,
        "paper": f"{setup.paperSize} {setup.orientation}, {setup.scale or 'fits'}",
        "header": sheet.oddHeader,
        "footer": sheet.oddFooter,
        "breaks": [each.id for each in (*sheet.col_breaks.brk, *sheet.row_breaks.brk)],
        "table": {each.displayName: each.ref for each in sheet.tables.values()},
        "marked": {str(each.sqref): each.rules[0].formula for each in marked},
        "merged": " ".join(map(str, sheet.merged_cells.ranges)),
    }
    valid = [
        f"valid in {each.sqref}: {each.type} {each.operator} {each.formula1} {each.error}"
        for each in sheet.data_validations.dataValidation
    ]
    return [*(f"{name}: {value}" for name, value in layout.items() if value), *valid]


def _lines(sheet: Worksheet, results: Worksheet) -> Iterator[str]:
    """Yield a line for each column of a table, or for each row of another sheet."""
    lines: Iterable[tuple[Any, ...]] = sheet.iter_cols() if sheet.tables else sheet.iter_rows()
    for cells in lines:
        texts = [_text(cell, results[cell.coordinate].value) for cell in cells]
        if sheet.tables:
            column = sheet.column_dimensions[cells[0].column_letter]
            folded = " folded" if column.hidden else ""
            yield f"{cells[0].column_letter} {column.width:g}{folded} {' | '.join(texts)}"
        elif any(texts):
            named = zip(cells, texts, strict=True)
            yield " | ".join(f"{cell.coordinate} {text}" for cell, text in named if text)


_COMMON_FILLS = ("00000000", "001F3864", "00F2F2F2")
"""Of most cells, of heads and of labels."""


def _text(cell: Any, result: Any) -> str:
    """Return what a cell shows, its formula with the result, and a colour that has a meaning."""
    value: Any = "" if cell.value is None else cell.value
    text, fill = str(value).replace("\n", " / "), cell.fill.start_color.rgb
    if isinstance(value, datetime):
        text = f"{value:%Y-%m-%d %H:%M}"[: len(cell.number_format)]
    elif cell.data_type == "f":
        left = cell.offset(column=-1)
        moved = Translator(str(left.value), left.coordinate).translate_formula(cell.coordinate)
        text = f"{'as before' if moved == value else text} -> {result}"
    return text if fill in _COMMON_FILLS else f"{text} #{fill[2:]}".lstrip()
