"""The file opens anywhere, is the same every time, holds any number of rows, and prints well."""

import errno
import io
import re
from datetime import datetime
from itertools import pairwise
from zipfile import ZipFile

import openpyxl
import pytest
from openpyxl import Workbook
from openpyxl.worksheet.properties import PageSetupProperties

from analyzer.writers.workbook import write_workbook
from analyzer.writers.workbook.book import Book, SheetName
from analyzer.writers.workbook.text_sheet import TextSheet, head, label
from tests.support.builders import (
    AS_OF,
    a_user,
    days_before,
)
from tests.support.outputs import analysis_of
from tests.support.workbooks import (
    PAGE_POINTS,
    POINTS_A_UNIT,
    SHEETS,
    book_of,
    console_file,
    moment,
    parts,
    records,
    smallest_print,
    values,
    width_of,
)

pytestmark = pytest.mark.no_cover  # other tests reach the same lines, in less time


def test_the_file_knows_no_time_but_that_of_the_report_and_its_properties_are_filled(
    book: Workbook,
) -> None:
    with ZipFile(io.BytesIO(console_file())) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert str(datetime.now().year).encode() not in parts(console_file())["docProps/app.xml"]  # noqa: DTZ005
    written = re.findall(rb"\d{4}-\d\d-\d\dT[\d:]+Z", parts(console_file())["docProps/core.xml"])
    assert {*written} == {b"2026-03-01T09:30:00Z"}
    properties = book.properties
    assert properties.creator == properties.lastModifiedBy == "credreport"
    assert properties.title == "Access review: unused IAM users"
    assert properties.created == properties.modified == moment("2026-03-01 09:30:00")
    assert book.calculation.fullCalcOnLoad


def test_what_a_sheet_cannot_hold_goes_on_the_next() -> None:
    users = [a_user(f"user{at}", created=days_before(9 - at)) for at in range(5)]
    book = book_of(analysis_of(users), rows_a_sheet=4)
    assert book.sheetnames == [
        *("Summary", "Unused users", "Unused users 2", "Findings", "Findings 2", "Controls"),
        *("All users", "All users 2", "Root users", "Method"),
    ]
    for title in ("Unused users", "All users", "Findings"):
        first, second = (records(book[each]) for each in (title, f"{title} 2"))
        assert [len(first), len(second)] == [3, 2]
        assert [row["User"] for row in (*first, *second)] == [f"user{at}" for at in range(5)]
    *_, checks = [row for row in values(book["Summary"]) if row[0] == "Unused users"]
    cells = ("'Unused users'!$A$2:$A$4", "'Unused users 2'!$A$2:$A$3")
    assert checks[1] == "=" + "+".join(f'COUNTIF({each},"?*")' for each in cells)
    names = [table.displayName for sheet in book.worksheets for table in sheet.tables.values()]
    assert len(names) == len({*names})


def test_a_list_is_a_table_with_filters_and_a_head_for_each_column(book: Workbook) -> None:
    for title in ("Unused users", "Findings", "All users", "Exempt", "Undetermined"):
        sheet = book[title]
        (table,) = sheet.tables.values()
        head = [str(cell.value) for cell in sheet[1]]
        assert table.ref == table.autoFilter.ref == sheet.dimensions
        assert [column.name for column in table.tableColumns] == head
        assert len(set(head)) == len(head)
        assert min(width_of(sheet, each) for each in head) > 5


PROSE = ("Summary", "Controls", "Method")


def test_prose_is_printed_as_wide_as_the_page_at_8_points_or_more(book: Workbook) -> None:
    for title in PROSE:
        setup = book[title].page_setup
        assert book[title].sheet_properties.pageSetUpPr == PageSetupProperties(fitToPage=True)
        assert (setup.paperSize, setup.fitToWidth, setup.fitToHeight) == (9, 1, 0)
    for sheet in (book["Summary"], book["Method"]):
        width = sum(each.width for each in sheet.column_dimensions.values())
        scale = min(min(PAGE_POINTS.values()) / (width * POINTS_A_UNIT), 1)
        cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
        assert min(cell.font.size for cell in cells) * scale >= 8


def test_each_list_is_one_page_of_a4_wide_in_6_points_or_more(book: Workbook) -> None:
    lists = [sheet for sheet in book.worksheets if sheet.title not in PROSE]
    assert {*SHEETS, "Findings", "All users", "Root users", "Exempt"} < {
        sheet.title for sheet in lists
    }
    for sheet in lists:
        assert smallest_print(sheet) >= 6, sheet.title


def test_charts_follow_the_counts_and_show_their_axes(book: Workbook) -> None:
    rows = {row[0]: at for at, row in enumerate(values(book["Summary"]), 1)}
    for name, first, last in (
        ("chart1", "password-without-mfa", "none"),
        ("chart2", "under 30 days", "unknown"),
    ):
        chart = parts(console_file())[f"xl/charts/{name}.xml"].decode()
        assert len(re.findall('<(?:c:)?delete val="0"', chart)) == 2
        assert f"'Summary'!$A${rows[first]}:$A${rows[last]}" in chart
        assert "showVal" in chart
    held = parts(console_file())["xl/charts/chart1.xml"].decode()
    counts = {
        "password-without-mfa": 7,
        "access-key": 0,
        "password-with-mfa": 1,
        "certificate-or-service": 5,
        "certificate-or-service (unknown)": 1,
        "inactive-key": 2,
        "none": 5,
    }
    shown = re.findall(r"<(?:c:)?v>([^<]+)<", held)
    assert shown == [*counts, *map(str, counts.values())]


def test_cells_lie_where_their_names_say() -> None:
    for name, part in parts(console_file()).items():
        if not name.startswith("xl/worksheets/sheet"):
            continue
        dimension = re.search(rb'<dimension ref="A1:([A-Z]+)(\d+)"', part)
        rows = [int(row) for row in re.findall(rb'<row r="(\d+)"', part)]
        assert dimension
        assert rows == sorted(set(rows))
        assert rows[-1] == int(dimension[2])


class FullDisk(io.BytesIO):
    def write(self, data: object) -> int:
        del data
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_named_as_the_reason() -> None:
    with pytest.raises(OSError, match="No space left"):
        write_workbook(analysis_of([a_user()]), FullDisk())


A4_HEIGHT = 595.2 - 2 * 0.7 * 72


def test_no_page_of_prose_is_higher_than_a4_or_ends_with_a_heading(book: Workbook) -> None:
    for sheet in (book["Summary"], book["Method"]):
        ends = [0, *(each.id for each in sheet.row_breaks.brk), sheet.max_row]
        for first, last in pairwise(ends):
            rows = range(first + 1, last + 1)
            assert sum(sheet.row_dimensions[row].height or 12.75 for row in rows) <= A4_HEIGHT
            feet = [sheet.cell(row, 1) for row in (last - 1, last)]
            assert not [each for each in feet if each.font.size == 13]
            assert not feet[1].fill.start_color.rgb.endswith("1F3864")


def test_rows_are_as_high_as_paths_need_and_those_that_no_page_holds_go_on_on_the_next() -> None:
    path = "now/010987654321/status_reports_2026-05-04T08-15-30+00-00.csv"
    with Book("", "", AS_OF, [SheetName.METHOD]) as book:
        sheet = TextSheet(book, SheetName.METHOD, (25.5,))
        sheet.table_head(head(path))
        for _ in range(9):
            sheet.full_row("\n" * 9)
        many = TextSheet(book, SheetName.SUMMARY, (25.5,))
        for _ in range(1_010):
            many.row("", height=409)
        stream = io.BytesIO()
        book.save(stream)
    method = openpyxl.load_workbook(stream)["Method"]
    assert method.row_dimensions[1].height > 3 * 9 * 1.2  # three lines of 9 points
    assert [each.id for each in method.row_breaks.brk] == [4, 7]
    assert len(many.worksheet.row_breaks) == 1_000  # Excel refuses more than 1,026.


def test_rows_are_as_high_as_bold_numbers_need() -> None:
    account = "133333333333 team-03 (Cem Can)"  # 30 signs, of which the column shows 27
    with Book("", "", AS_OF, [SheetName.SUMMARY]) as book:
        sheet = TextSheet(book, SheetName.SUMMARY, (25.5,))
        sheet.row(label(account))
        stream = io.BytesIO()
        book.save(stream)
    summary = openpyxl.load_workbook(stream)["Summary"]
    assert summary.row_dimensions[1].height > 2 * 9 * 1.2  # two lines of 9 points
