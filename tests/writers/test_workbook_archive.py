"""Each internal of openpyxl that the writer of rows relies on is still there, and as it was.

A new openpyxl that changes one of them fails here, by name, and nowhere else.
"""

# ruff: noqa: SLF001  the internals are the subject

import io
from importlib.metadata import requires
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any, cast

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.chart import BarChart
from openpyxl.styles import Font
from openpyxl.worksheet.table import Table, TableColumn
from openpyxl.writer.excel import ExcelWriter

from analyzer.writers.workbook import archive as written_archive
from analyzer.writers.workbook.archive import Sheet, new_workbook, write_archive
from analyzer.writers.workbook.cell_xml import text

if TYPE_CHECKING:
    from zipfile import ZipFile

    from openpyxl.worksheet.worksheet import Worksheet


class RecordingArchive:
    """Record which parts openpyxl hands over, and by which call."""

    def __init__(self) -> None:
        self.texts: dict[str, str | bytes] = {}
        self.sheets: dict[str, bytes] = {}

    def writestr(self, name: str, data: str | bytes) -> None:
        self.texts[name] = data

    def write(self, path: str, name: str) -> None:
        self.sheets[name] = Path(path).read_bytes()

    def namelist(self) -> list[str]:
        return [*self.texts, *self.sheets]


def full_workbook() -> Workbook:
    """Return a workbook whose first sheet has all that a sheet of ours can have."""
    workbook = Workbook(write_only=True)
    sheet = cast("Worksheet", workbook.create_sheet("first"))
    sheet.freeze_panes = "C2"
    sheet.column_dimensions["A"].width = 9
    chart = BarChart()
    sheet.add_chart(chart, "A1")
    columns = [TableColumn(id=1, name="a")]
    sheet.tables.add(Table(displayName="first", ref="A1:A2", tableColumns=columns))
    workbook.create_sheet("second")
    return workbook


@pytest.fixture
def archive() -> RecordingArchive:
    archive = RecordingArchive()
    ExcelWriter(full_workbook(), cast("ZipFile", archive)).write_data()
    return archive


def test_openpyxl_is_bounded_above() -> None:
    (bound,) = [each for each in requires("credreport") or () if each.startswith("openpyxl")]
    assert "<3.2" in bound


def test_the_sheets_of_a_workbook_are_a_list_in_the_order_of_the_file() -> None:
    workbook = full_workbook()
    assert isinstance(workbook._sheets, list)  # type: ignore[attr-defined]
    workbook._sheets.reverse()  # type: ignore[attr-defined]
    assert workbook.sheetnames == ["second", "first"]


def test_a_sheet_without_rows_is_spelled_as_the_rows_need_it(archive: RecordingArchive) -> None:
    for sheet in archive.sheets.values():
        assert sheet.count(b"<sheetData></sheetData>") == 1
        assert sheet.count(b"<sheetViews>") == 1
        assert sheet.index(b"<sheetViews>") < sheet.index(b"<sheetData>")
        assert b"<dimension" not in sheet


def test_nothing_but_a_drawing_and_tables_follow_the_place_of_warnings(
    archive: RecordingArchive,
) -> None:
    sheet = archive.sheets["xl/worksheets/sheet1.xml"]
    order = [sheet.index(each) for each in (b"<pageMargins", b"<drawing ", b"<tableParts")]
    assert order == sorted(order)


def test_a_file_of_sheets_reads_back_in_their_order_with_their_rows() -> None:
    workbook = new_workbook(Font(name="Arial", size=10))
    sheets = []
    with SpooledTemporaryFile() as rows, SpooledTemporaryFile() as others:
        for title, file in (("b", others), ("a", rows)):
            frame: Any = workbook.create_sheet(title)
            sheets.append(Sheet(frame, file))
            sheets[-1].add([text(title, 0), text("next", 0)])
        stream = io.BytesIO()
        write_archive(workbook, sheets[::-1], stream)
    book = load_workbook(stream)
    assert book.sheetnames == ["a", "b"]
    assert [sheet["A1"].value for sheet in book.worksheets] == ["a", "b"]
    assert {sheet.dimensions for sheet in book.worksheets} == {"A1:B1"}


def test_rows_that_are_written_in_blocks_with_rows_left_empty_read_back_where_they_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(written_archive, "_BLOCK", 40)
    workbook = new_workbook(Font(name="Arial", size=10))
    with SpooledTemporaryFile() as rows:
        frame: Any = workbook.create_sheet("a")
        sheet = Sheet(frame, rows)
        for word in ("one", "two", "three"):
            sheet.add([text(word, 0)])
        sheet.skip(2)
        sheet.add([text("last", 0)])
        stream = io.BytesIO()
        write_archive(workbook, [sheet], stream)
    cells = [cell.value for cell in load_workbook(stream)["a"]["A"]]
    assert cells == ["one", "two", "three", None, None, "last"]
