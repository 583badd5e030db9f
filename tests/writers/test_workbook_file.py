"""The file opens anywhere, is the same every time, holds any number of rows, and prints well."""

import errno
import io
import re
from datetime import datetime
from zipfile import ZipFile

import openpyxl
import pytest
from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties

from analyzer.writers.workbook import write_workbook
from analyzer.writers.workbook.book import Book, SheetName
from analyzer.writers.workbook.text_sheet import TextSheet, label
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
    head_row,
    heads_of,
    moment,
    parts,
    records,
    remarks_of,
    row_of,
    smallest_print,
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
    assert set(written) == {b"2026-03-01T09:30:00Z"}
    properties = book.properties
    assert properties.creator == properties.lastModifiedBy == "credreport"
    assert properties.title == "Access review: unused IAM users"
    assert properties.created == properties.modified == moment("2026-03-01 09:30:00")
    assert book.calculation.fullCalcOnLoad


def test_what_a_sheet_cannot_hold_goes_on_the_next() -> None:
    users = [a_user(f"user{at}", created=days_before(9 - at)) for at in range(5)]
    book = book_of(analysis_of(users), rows_a_sheet=9)
    assert book.sheetnames == [
        "Summary",
        "Unused users",
        "Unused users 2",
        "Root users",
        "All users",
        "Method",
    ]
    first, second = book["Unused users"], book["Unused users 2"]
    assert first.max_row == 9
    assert remarks_of(first) == remarks_of(second)
    listed = (*records(first), *records(second))
    assert [row["User"] for row in listed] == [f"user{at}" for at in range(5)]
    top, letter = head_row(first) + 1, get_column_letter(heads_of(first).index("User") + 1)
    cells = (
        f"'Unused users'!${letter}${top}:${letter}$9",
        f"'Unused users 2'!${letter}${top}:${letter}${second.max_row}",
    )
    counted = row_of(book["Summary"], "Unused users")[1]
    assert counted == "=" + "+".join(f'COUNTIF({each},"?*")' for each in cells)
    names = [table.displayName for sheet in book.worksheets for table in sheet.tables.values()]
    assert len(names) == len(set(names))


def test_a_list_is_a_table_with_filters_and_a_head_for_each_column(book: Workbook) -> None:
    for title in ("Unused users", "All users", "Exempt", "Undetermined"):
        sheet = book[title]
        (table,) = sheet.tables.values()
        head = [str(each) for each in heads_of(sheet)]
        below = sheet.dimensions.replace("A1:", f"A{head_row(sheet)}:")
        assert table.ref == table.autoFilter.ref == below
        assert [column.name for column in table.tableColumns] == head
        assert len(set(head)) == len(head)
        assert min(width_of(sheet, each) for each in head) > 5


PROSE = ("Summary", "Method")


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
    assert (set(SHEETS) | {"All users", "Root users", "Exempt"}) <= {sheet.title for sheet in lists}
    for sheet in lists:
        assert smallest_print(sheet) >= 6, sheet.title


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


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("133333333333 team-03 (Cem Can)", 2),  # 30 signs, of which the column shows 27
        ("now/010987654321/status_reports_2026-05-04T08-15-30+00-00.csv", 3),
    ],
)
def test_rows_are_as_high_as_bold_numbers_and_paths_need(text: str, lines: int) -> None:
    book, stream = Book("", "", AS_OF), io.BytesIO()
    sheet = TextSheet(book, SheetName.SUMMARY, (25.5,))
    sheet.row(label(text))
    book.save(stream)
    summary = openpyxl.load_workbook(stream)["Summary"]
    assert summary.row_dimensions[1].height > lines * 9 * 1.2  # lines of 9 points
