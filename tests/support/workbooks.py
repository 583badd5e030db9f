"""Write workbooks of reports, open them again, and have LibreOffice look at them."""

import csv
import io
import re
import subprocess
from collections.abc import Sequence
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from unittest.mock import patch
from zipfile import ZipFile
from zlib import adler32

import openpyxl
import pytest
from openpyxl import Workbook
from openpyxl.utils import column_index_from_string, get_column_letter
from openpyxl.worksheet.merge import MergedCellRange
from openpyxl.worksheet.worksheet import Worksheet

from analyzer.analysis.analysis import Analysis
from analyzer.writers.workbook import table_sheets, write_workbook
from analyzer.writers.workbook.table_sheets import ROWS_A_SHEET
from tests.support.builders import a_user
from tests.support.outputs import SAMPLES, analysis_of, analyzed_console, analyzed_sample

SHEETS = ("Unused users", "Inactive users", "Undetermined")
"""The lists that a reviewer fills in."""

POINTS_A_UNIT = 5.55
"""A digit of the default font on paper in LibreOffice; less in Excel."""

PAGE_POINTS = {"A4": 841.9 - 2 * 0.3 * 72, "Letter": 792 - 2 * 0.3 * 72}

needs_libreoffice = pytest.mark.libreoffice
_ALWAYS_RECALCULATE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop>
</item></oor:items>
"""
_EVERY_SHEET_AS_CSV = (
    "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
)


def head_row(sheet: Worksheet) -> int:
    """Return the row with the heads of a list, below the remarks."""
    return int(str(sheet.print_title_rows).split("$")[-1])


def heads_of(sheet: Worksheet) -> list[Any]:
    """Return the heads of a list."""
    return [cell.value for cell in sheet[head_row(sheet)]]


def remarks_of(sheet: Worksheet) -> str:
    """Return what stands above a list."""
    return "\n".join(str(sheet.cell(row, 1).value) for row in range(1, head_row(sheet)))


def width_of(sheet: Worksheet, *heads: Any) -> float:
    """Return how wide the columns with these heads are together, in characters."""
    every = heads_of(sheet)
    letters = [get_column_letter(every.index(head) + 1) for head in heads]
    return sum(sheet.column_dimensions[letter].width for letter in letters)


def smallest_print(sheet: Worksheet) -> float:
    """Return the size of the smallest text of a list that is printed as wide as a page."""
    assert (sheet.page_setup.fitToWidth, sheet.page_setup.paperSize) == (1, 9)
    row = head_row(sheet)
    assert (sheet.print_title_rows, sheet.col_breaks.brk) == (f"${row}:${row}", [])
    last = column_index_from_string(sheet.print_area.split(":")[1].split("$")[1])
    width = width_of(sheet, *heads_of(sheet)[:last]) * POINTS_A_UNIT
    sizes = [float(cell.font.size) for row in sheet.iter_rows(max_col=last) for cell in row]
    return min(sizes) * min(min(PAGE_POINTS.values()) / width, 1)


def file_of(analysis: Analysis, rows_a_sheet: int = ROWS_A_SHEET, **options: Any) -> bytes:
    """Write a workbook; `options` are its sheets, the changes, and since which run."""
    stream = io.BytesIO()
    with patch.object(table_sheets, "ROWS_A_SHEET", rows_a_sheet):
        write_workbook(analysis, stream, **options)
    return stream.getvalue()


def book_of(analysis: Analysis, rows_a_sheet: int = ROWS_A_SHEET, **options: Any) -> Workbook:
    return opened(file_of(analysis, rows_a_sheet, **options))


def results_of(analysis: Analysis, **options: Any) -> Workbook:
    """Open a workbook with the results that stand behind its formulas."""
    return opened(file_of(analysis, **options), results=True)


@cache
def quiet_book() -> Workbook:
    """Write and open the workbook of one unused user once for all tests."""
    return book_of(analysis_of([a_user()]))


@cache
def console_file() -> bytes:
    """Write the workbook of the sample once for all tests."""
    return file_of(analyzed_console())


def organization() -> Analysis:
    """Analyze six reports of an organization once for all tests."""
    return analyzed_sample(SAMPLES / "organization")


def console_book(*, results: bool = False) -> Workbook:
    return opened(console_file(), results=results)


@lru_cache(maxsize=16)
def opened(file: bytes, *, results: bool = False) -> Workbook:
    """Open a workbook to look at, with `results` those that stand behind its formulas.

    Merged cells get no borders anew, which took three quarters of the time.
    """
    with patch.object(MergedCellRange, "format"):
        return openpyxl.load_workbook(io.BytesIO(file), data_only=results)


def values(sheet: Worksheet) -> list[tuple[Any, ...]]:
    return list(sheet.iter_rows(values_only=True))


def records(sheet: Worksheet) -> list[dict[str, Any]]:
    """Return the rows below the head, by the names of their columns."""
    head, *rows = values(sheet)[head_row(sheet) - 1 :]
    return [dict(zip(head, row, strict=True)) for row in rows]


def moment(text: str) -> datetime:
    """Return a moment as a workbook holds it, without a zone."""
    return datetime.fromisoformat(text)


def texts(sheet: Worksheet) -> str:
    return "\n".join(str(value) for row in values(sheet) for value in row if value is not None)


def row_of(sheet: Worksheet, first: str) -> tuple[Any, ...]:
    """Return the one row that begins so."""
    (row,) = [row for row in values(sheet) if row[0] == first]
    return row


def parts(file: bytes) -> dict[str, bytes]:
    with ZipFile(io.BytesIO(file)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def with_wrong_results(file: bytes) -> bytes:
    """Return a workbook whose formulas all claim to result in 666."""
    wrong = io.BytesIO()
    with ZipFile(wrong, "w") as archive:
        for name, part in parts(file).items():
            archive.writestr(name, re.sub(rb"</f><v>[^<]*</v>", rb"</f><v>666</v>", part))
    return wrong.getvalue()


@cache
def _profile(folder: Path, settings: str) -> str:
    """Make a profile, which takes LibreOffice 1.5 s: all tests with the same settings share it."""
    user = folder / f"office-{adler32(settings.encode())}" / "user"
    user.mkdir(parents=True)
    (user / "registrymodifications.xcu").write_text(settings)
    return user.parent.as_uri()


def office(folder: Path, settings: str = _ALWAYS_RECALCULATE) -> list[str]:
    """Return the command that starts LibreOffice beside the folder of a test."""
    return ["soffice", f"-env:UserInstallation={_profile(folder.parent, settings)}", "--headless"]


def saved_by_libreoffice(folder: Path, content: bytes) -> bytes:
    """Return a workbook as LibreOffice saves it after opening it."""
    (folder / "in").mkdir()
    path = folder / "in" / "LAST.xlsx"
    path.write_bytes(content)
    command = office(folder) + ["--convert-to", "xlsx", "--outdir", str(folder), str(path)]
    subprocess.run(command, check=True, capture_output=True)
    return (folder / "LAST.xlsx").read_bytes()


def seen_by_libreoffice(folder: Path, book: bytes) -> dict[str, list[Sequence[str]]]:
    """Return what LibreOffice shows on each sheet after it has calculated every formula."""
    path = folder / "book.xlsx"
    path.write_bytes(book)
    command = office(folder) + ["--convert-to", _EVERY_SHEET_AS_CSV]
    command += ["--outdir", str(folder), str(path)]
    subprocess.run(command, check=True, capture_output=True)
    return {
        path.stem.removeprefix("book-"): list(csv.reader(io.StringIO(path.read_text(), newline="")))
        for path in folder.glob("book-*.csv")
    }
