"""Text stays text in the workbook: nothing in a report is read as something else.

What a list shows is known as text, with which a workbook that is read back is compared.
"""

import io
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from openpyxl import Workbook, load_workbook

from analyzer.analysis.analysis import Analysis
from analyzer.report.frames import TEXT
from analyzer.report.model import AccountName
from analyzer.report.users import Users
from analyzer.writers.workbook import archive
from analyzer.writers.workbook.archive import Sheet, write_archive
from analyzer.writers.workbook.book import Book, CellStyle, SheetName
from analyzer.writers.workbook.column import (
    CUT,
    LONGEST,
    Column,
    DayColumn,
    EntryColumn,
    Formula,
    MomentColumn,
    NumberColumn,
    TextColumn,
    blank_cell,
    cell_of,
    text_cell,
    text_cells,
    word_cells,
)
from analyzer.writers.workbook.review_lists import REVIEW_LISTS, ReviewList
from tests.support.builders import ACCOUNT, AS_OF, Row, a_user
from tests.support.outputs import analysis_of
from tests.support.workbook_texts import second_review
from tests.support.workbooks import (
    book_of,
    console_file,
    file_of,
    head_row,
    heads_of,
    needs_libreoffice,
    opened,
    organization,
    parts,
    records,
    remarks_of,
    seen_by_libreoffice,
)

PLAIN = ("=1+1", "+A1", "-1", "@SUM", "a,b", "NA", "null", "007", "1e5", "x" * 64, "_x_", "x0041_")
ESCAPED = {
    "_x0041_": "_x005F_x0041_",
    "a\x01b": "a_x0001_b",
    "a\x1bb": "a_x001B_b",
    "a\rb": "a_x000D_b",
}
MARKED_UP = ("<b>x</b>", "a&b", ' "quoted" ', "a\nb", "a\tb", "naïve", "日本", "😀")


def arn_of(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:user/{name}"


def user_named(name: str) -> Row:
    return a_user(name, arn=arn_of(name))


@pytest.fixture(scope="module")
def file() -> bytes:
    """Write users of all names once."""
    return file_of(analysis_of(map(user_named, (*PLAIN, *MARKED_UP, *ESCAPED))))


@pytest.mark.no_cover
def test_a_name_reads_back_as_it_was_or_spelled_as_excel_does_and_stays_text_when_edited(
    file: bytes,
) -> None:
    arns = {each: arn_of(each) for each in (*PLAIN, *MARKED_UP, *ESCAPED.values())}
    for title, names in (
        ("Unused users", set(PLAIN) | {"_x005F_x0041_"}),
        ("All users", set(arns)),
    ):
        sheet = opened(file)[title]
        assert {row["User"] for row in records(sheet)} == names
        assert f"Account {ACCOUNT}" in remarks_of(sheet)
        at = heads_of(sheet).index("User")
        for row in sheet.iter_rows(min_row=head_row(sheet) + 1):
            assert row[at].data_type == "s"
            assert row[at].quotePrefix
    listed = records(opened(file)["Unused users"])
    assert all(row["ARN"] == arns[row["User"]] for row in listed)


def test_a_text_is_the_same_cell_alone_and_among_plain_ones() -> None:
    odd = ("", " a", "a ", "a |b", "|", "\u200b", "\ufffe", "y" * LONGEST)
    for value in (*PLAIN, *ESCAPED, *MARKED_UP, *odd):
        for values in ([value], ["plain", value, "plain"], [value, value]):
            cells = [text_cell(each, 3) for each in values]
            assert text_cells(values, 3).to_pylist() == cells
            assert word_cells(values, lambda _: 3).to_pylist() == cells


def test_each_word_has_its_own_style_and_a_missing_one_is_an_empty_cell() -> None:
    style = {"": 0, "a": 1, "b": 2}.__getitem__
    expected = [text_cell("b", 2), blank_cell(0), text_cell("a", 1)]
    category = pd.Series(["b", None, "a"], dtype="category")
    large = category.cat.set_categories(list("abcdef"))
    for each in (category, large, category.astype(TEXT)):
        assert word_cells(each, style).to_pylist() == expected


def test_whole_numbers_are_cells_and_what_is_negative_is_empty() -> None:
    cells = [cell_of(each, 3) for each in (0, 7, 45_000)] + [blank_cell(3)]
    column, styles = NumberColumn("X", 9, "x"), {CellStyle.NUMBER: 3}
    numbers = pd.DataFrame({"x": [0, 7, 45_000, -1]})
    assert column.cells(numbers, styles).to_pylist() == cells
    for nothing in (text_cells([], 3), column.cells(numbers[:0], styles)):
        assert nothing.to_pylist() == []


def test_a_moment_is_the_same_cell_alone_and_in_a_column() -> None:
    otherwise, styles = text_cell("never", 4), {CellStyle.DATE: 3, CellStyle.TEXT: 4}
    column = MomentColumn("X", 9, "x", lambda rows: ["never"] * len(rows))
    for moment in ("2026-03-01T09:30:07", "1970-01-01T00:00:01", "1900-01-01T12:00:00"):
        alone = cell_of(datetime.fromisoformat(moment).replace(tzinfo=UTC), 3)
        dates = np.array([moment, "NaT", "1899-12-29", moment], "datetime64[s]")
        frame = pd.DataFrame({"x": dates})
        cells = column.cells(frame, styles).to_pylist()
        assert cells == [alone, otherwise, otherwise, alone]
        assert column.cells(frame[:1], styles).to_pylist() == [alone]


@pytest.mark.no_cover
def test_excel_does_not_warn_of_accounts_that_look_like_numbers(file: bytes) -> None:
    for sheet in ("sheet2", "sheet3"):
        part = parts(file)[f"xl/worksheets/{sheet}.xml"]
        assert b'numberStoredAsText="1"/></ignoredErrors><' in part


@needs_libreoffice
def test_libreoffice_shows_every_name_as_it_is(tmp_path: Path) -> None:
    names = [*PLAIN, *MARKED_UP, "_x0041_"]
    seen = seen_by_libreoffice(tmp_path, file_of(analysis_of(map(user_named, names))))
    assert [row[0] for row in seen["All users"]][-len(names) :] == names


def test_a_text_longer_than_a_cell_is_cut_with_a_mark_and_never_within_a_wide_character() -> None:
    cut = (LONGEST - len(CUT)) // 2
    shown = {
        "x" * LONGEST: "x" * LONGEST,
        "x" * (LONGEST + 1): "x" * (LONGEST - len(CUT)) + CUT,
        "😀" * (LONGEST // 2): "😀" * (LONGEST // 2),
        "😀" * LONGEST: "😀" * cut + CUT,
    }
    for text, whole in shown.items():
        (found,) = ET.fromstring(f"<c{text_cell(text, 1)}").iter("t")
        assert found.text == whole


def test_values_are_spelled_by_what_they_are() -> None:
    assert cell_of("a", 1) == text_cell("a", 1)
    assert text_cell("", 3) == blank_cell(3) == ' s="3"/>'
    assert cell_of(7, 1) == ' s="1"><v>7</v></c>'
    assert cell_of(AS_OF, 1) == ' s="1"><v>46143.5</v></c>'
    assert cell_of(Formula("SUM(A1:A2)", 3), 1) == ' s="1"><f>SUM(A1:A2)</f><v>3</v></c>'
    assert cell_of(Formula('IF(A1<2,"&","")', "&"), 1) == (
        ' s="1" t="str"><f>IF(A1&lt;2,"&amp;","")</f><v>&amp;</v></c>'
    )


@pytest.mark.no_cover
def test_a_name_of_an_account_that_no_file_or_header_can_hold_is_spelled_out_and_cut() -> None:
    odd = AccountName(name="bad\x01\udcff\ufffe\n&<>", owner="\x1b[31mred")
    assert odd == AccountName(name=r"bad\x01\udcff\ufffe\n&<>", owner=r"\x1b[31mred")
    long = replace(odd, name=f"{odd.name}{'R&&&D' * 60}")
    analysis = analysis_of([a_user("ann")])
    report = replace(analysis.report, account_names={ACCOUNT: long})
    book = book_of(replace(analysis, report=report))
    assert long.name in str(book["Summary"]["A2"].value)
    (row,) = records(book["Unused users"])
    assert (row["Account name"], row["Account owner"]) == (long.name, odd.owner)
    header = str(book["Summary"].oddHeader)
    assert len(header) <= 255  # Excel refuses a longer one
    assert "R&&&&&&DR&&" in header


# Rows past openpyxl


ORDER = (
    (b"<dimension ", b"<sheetViews>", b"<sheetFormatPr", b"<cols>", b"<sheetData>")
    + (b"<mergeCells", b"<conditionalFormatting", b"<dataValidations", b"<pageMargins")
    + (b"<pageSetup", b"<headerFooter", b"<rowBreaks", b"<ignoredErrors>", b"<tableParts")
)
"""Parts of a sheet in the order of ECMA-376, 18.3.1.99: Excel repairs a file with another."""


def test_the_parts_of_each_sheet_stand_in_the_order_that_excel_asks_for() -> None:
    sheets = [part for name, part in parts(console_file()).items() if "worksheets/sheet" in name]
    assert {each for each in ORDER if any(each in sheet for sheet in sheets)} == set(ORDER)
    for sheet in sheets:
        places = [sheet.index(each) for each in ORDER if each in sheet]
        assert places == sorted(places)
        assert [sheet.count(each) for each in ORDER[:5]] == [1] * 5
        assert sheet.rindex(b"</row>") < sheet.index(b"</sheetData>")


def rows_of(sheets: dict[str, Sequence[str | None]]) -> dict[str, list[Any]]:
    """Write sheets of one column and read them back; None is no row."""
    workbook, written = Workbook(write_only=True), []
    for title, words in sheets.items():
        worksheet: Any = workbook.create_sheet(title)
        written.append(Sheet(worksheet))
        for word in words:
            if word:
                written[-1].add([text_cell(word, 0)])
            else:
                written[-1].row += 1
    stream = io.BytesIO()
    write_archive(workbook, written, FONT, stream)
    book = load_workbook(stream)
    assert book["a"]["A1"].font.name == "Mono"
    return {sheet.title: [cell.value for cell in sheet["A"]] for sheet in book.worksheets}


FONT = '<font><name val="Mono"/><sz val="10"/></font>'


def test_sheets_read_back_in_their_order_with_all_rows() -> None:
    words = ["one", "two", None, None, *map(str, range(20_000))]
    assert list(rows_of({"a": words, "b": words[:5]}).items()) == [("a", words), ("b", words[:5])]


def test_a_sheet_of_many_cells_may_have_2_gib(monkeypatch: pytest.MonkeyPatch) -> None:
    sheet = Sheet(Workbook().create_sheet(), row=10, _columns=4)
    for most, needs in ((39, True), (40, False)):
        monkeypatch.setattr(archive, "_MANY_CELLS", most)
        assert sheet.needs_64_bits is needs


def test_sheets_stand_in_the_order_of_their_titles_in_whatever_order_they_are_added() -> None:
    book, stream = Book("Review", "", AS_OF), io.BytesIO()
    for title, number in ((SheetName.UNUSED, 2), (SheetName.METHOD, 1), (SheetName.UNUSED, 1)):
        book.sheet(title, number).add([text_cell(title, 0)])
    book.sheet(SheetName.SUMMARY)
    book.save(stream)
    sheets = load_workbook(stream)
    assert sheets.sheetnames == ["Summary", "Unused users", "Unused users 2", "Method"]
    assert [sheets[each]["A1"].value for each in sheets.sheetnames[1:]] == (
        ["Unused users", "Unused users", "Method"]
    )


SPAN = "As of 2026-03-25 04:27 to 2026-09-30 06:00 UTC (each has its own; assumed for 10 of 50)"
HEADERS = (
    (f"{SPAN}, 5 accounts in 5 reports", f"{SPAN}, 5 accounts in 5 reports"),
    ("&" * 65, "&" * 130),
    ("&" * 66, f"{'&' * 130}…"),
    (f"a{'&' * 65}", f"a{'&' * 128}…"),
)


def test_a_header_is_whole_or_ends_with_an_ellipsis() -> None:
    for scope, header in HEADERS:
        sheet: Any = Book("Review", scope, AS_OF).sheet(SheetName.SUMMARY).worksheet
        assert sheet.oddHeader.right.text == header


# What a list shows

HEADS = ("Created", "Last activity (UTC)", "As of (UTC)", "Age in days", "Last sign-in (UTC)")


def listed_page(analysis: Analysis, each: ReviewList) -> Users:
    return analysis.judged.where(each.has(analysis.judged))


def shown(analysis: Analysis, each: ReviewList, page: Users) -> dict[str, list[str]]:
    facts = each.facts(analysis.report.files, analysis.report.account_names)
    return {fact.head: fact.shown(page).to_pylist() for fact in facts}


def as_text(value: Any) -> str:
    """Return a cell as openpyxl reads it in the form in which cells are compared."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    return "" if value is None else str(value)


@pytest.mark.no_cover
def test_the_facts_are_those_of_every_cell_and_what_no_cell_shows_is_the_same_for_all() -> None:
    analysis = second_review()
    book = book_of(analysis)
    lists = [each for each in REVIEW_LISTS if each.title in book.sheetnames]
    assert len(lists) > 1
    for each in lists:
        page = listed_page(analysis, each)
        expected = shown(analysis, each, page)
        users = dict(zip(expected["ARN"], range(len(page)), strict=True))
        rows = records(book[each.title])
        assert set(users) <= {row["ARN"] for row in rows}
        for head, texts in expected.items():
            if head not in rows[0]:
                (text,) = set(texts)
                if text and "T" not in text:
                    assert f"{head} {text}" in remarks_of(book[each.title]).replace("\n", " ")
                continue
            for row in rows:
                if row["ARN"] in users:
                    assert as_text(row[head]) == texts[users[row["ARN"]]]


def test_a_part_of_the_users_has_the_texts_that_it_has_among_all() -> None:
    analysis = organization()
    each = REVIEW_LISTS[0]
    page = listed_page(analysis, each)
    part = np.arange(len(page)) % 7 == 0
    every, some = shown(analysis, each, page), shown(analysis, each, page.where(part))
    assert set(HEADS) <= set(some) == set(every)
    for head, texts in some.items():
        assert texts == [text for text, there in zip(every[head], part, strict=True) if there]


MOMENTS = pd.array(
    ["2026-03-01 09:30:15", "2026-03-01", "1900-01-01", "1899-12-30", "1899-12-29", None],
    dtype="datetime64[s]",
)
DAYS = ["2026-03-01", "2026-03-01", "1900-01-01", "1899-12-30"]
SHOWN = ["2026-03-01T09:30:15Z"] + [f"{day}T00:00:00Z" for day in DAYS[1:]]
TEXTS = ("=1+1", "", " a ", "x" * LONGEST, "x" * (LONGEST + 1))
NUMBERS = pd.array([12, 0, 1_234_567, -1, None], dtype="Int64")


def never(frame: pd.DataFrame) -> list[str]:
    return ["never"] * len(frame)


CASES: tuple[tuple[Column, Any, list[str]], ...] = (
    (TextColumn("X", 9, "x"), TEXTS, [*TEXTS[:4], "x" * (LONGEST - len(CUT)) + CUT]),
    (NumberColumn("X", 9, "x"), NUMBERS, ["12", "0", "1234567", "", ""]),
    (MomentColumn("X", 9, "x", never), MOMENTS, SHOWN + ["never", "never"]),
    (DayColumn("X", 9, "x"), MOMENTS, DAYS + ["", ""]),
    (EntryColumn("X", 9), ["a", "b"], ["", ""]),
)


def test_a_cell_shows() -> None:
    for column, values, expected in CASES:
        texts = column.shown(pd.DataFrame({"x": values}))
        assert texts.type == "large_string", column
        assert texts.to_pylist() == expected, column
