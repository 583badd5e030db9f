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
from tests.support.decisions import console_name, ledger_of, line
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
_FRANKS, _LEAVERS = days_before(100), ("gone", "ghost")
_HEIDI, _OSKAR = (
    a_user("heidi", created=days_before(970)),
    a_user("oskar", created=days_before(971)),
)
_USERS: tuple[Row, ...] = (
    a_user("=ann", created=days_before(990)),
    a_user("bob", password=_NEVER_SIGNED_IN, created=days_before(60), mfa=True),
    a_user("bob", password=_NEVER_SIGNED_IN, created=days_before(60), mfa=True),
    a_user("carol", key_1=an_inactive_key(used=days_before(500)), certificate_2=a_certificate()),
    a_user("adam", key_1=an_inactive_key(), additional_credentials_info="=HYPERLINK(1)"),
    a_user("dave", password=no_password(days_before(400)), created=days_before(910)),
    a_user("erin", password=a_password(days_before(400), "?"), key_2=a_key(used=days_before(300))),
    a_user("fay", password=a_password(days_before(200)), password_next_rotation=days_before(-9)),
    a_user("frank", key_1=a_key(days_before(80), days_before(0.5)), created=days_before(100)),
    a_user("grace") | _RAW,
    _HEIDI,
    _OSKAR,
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
_OWNERS = b"""account,user,owner,email,left
*,heidi,Hans,,
*,frank,Lea,lea@example.com,2026-02-01
"""
_SEEN, _ON = days_before(45), date(2026, 3, 18)
_ANN, _DAVE = _USERS[0], a_user("dave", password=_SIGNED_IN, created=days_before(910))
_GONE, _GHOST = (a_user(name, created=days_before(960 - at)) for at, name in enumerate(_LEAVERS))
_OTTO, _FRANK_THEN = a_user("otto", created=days_before(980)), a_user("frank", created=_FRANKS)
_BEFORE = (_ANN, _DAVE, _GONE, _GHOST, _OTTO, _FRANK_THEN, _HEIDI, _OSKAR)
"""The users of the report before."""

_LEDGER = ledger_of(
    line("delete", _ANN, by="Amy", on=_ON, as_of=_SEEN, ticket="7", comment="=SUM(1)"),
    line("delete", _FRANK_THEN, by="Lea", on=_ON, as_of=_SEEN),
    line("deactivate", _DAVE, by="Dave", on=_ON, as_of=_SEEN),
    line("delete", _OTTO, by="Ann", on=_ON, as_of=_SEEN),
    line("keep", _OTTO, by="Ben", on=_ON, as_of=_SEEN),
    line("delete", _OSKAR, by="Ann", on=_ON, as_of=_SEEN),
    line("investigate", _OSKAR, by="Ben", on=_ON, as_of=_SEEN),
    line("investigate", a_user("nina"), on=_ON, as_of=_SEEN),
    line("delete", _GONE, on=date(2026, 3, 17), as_of=_SEEN),
    line("keep", _GONE, on=date(2026, 2, 1), as_of=days_before(95)),
    line("delete", a_user("far", account="999999999999"), on=_ON, as_of=_SEEN),
    line("keep", _HEIDI, by="Ann", on=date(2025, 11, 22), as_of=days_before(165)),
)


@cache
def second_review() -> Analysis:
    """Analyze users of all kinds, with account names, exemptions, owners and earlier decisions.

    Each exception exists.
    """
    of_2014 = [a_user("old", account=_OLD, key_1=an_inactive_key())]
    header, _, row = report_text(of_2014, columns=COLUMNS_OF_2014).splitlines()
    root = the_root(password_enabled="not_supported", password_last_changed="?")
    root |= {f"access_key_1_{name}": cell for name, cell in a_key().items()}
    rows = [{MORE_CREDENTIALS: "N/A", **each} for each in (root, *_USERS)]
    text = report_text(rows[1:], root=rows[0], columns=(*COLUMNS, MORE_CREDENTIALS))
    files = {
        console_name(AS_OF): text,
        console_name(_SEEN): report_text(_BEFORE),
        "b.csv": f"{header}\n{row}\n",
    }
    report = load_named(*((name, text.encode()) for name, text in files.items()))
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
        owners=analyzer.read_owners(("owners.csv", _OWNERS)),
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
    return [f"{name}: {value}" for name, value in layout.items() if value] + valid


def _lines(sheet: Worksheet, results: Worksheet) -> Iterator[str]:
    """Yield a line for each column of a table, or for each row of another sheet."""
    lines: Iterable[tuple[Any, ...]] = sheet.iter_cols() if sheet.tables else sheet.iter_rows()
    for cells in lines:
        texts = [_text(cell, results[cell.coordinate].value) for cell in cells]
        if sheet.tables:
            column = sheet.column_dimensions[cells[0].column_letter]
            yield f"{cells[0].column_letter} {column.width:g} {' | '.join(texts)}"
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
        text = f"{'as before' if _is_copied(cell) else text} -> {result}"
    return text if fill in _COMMON_FILLS else f"{text} #{fill[2:]}".lstrip()


def _is_copied(cell: Any) -> bool:
    """Return whether a formula is the one beside it, moved."""
    if cell.column == 1:
        return False
    left = cell.offset(column=-1)
    moved = Translator(str(left.value), left.coordinate).translate_formula(cell.coordinate)
    return bool(moved == cell.value)
