"""Every program's workbook is read cell by cell, and no file takes more than its share."""

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from openpyxl.styles import Font
from openpyxl.workbook import Workbook

from analyzer.errors import InputRefused
from analyzer.sources.sheet_cells import (
    CellError,
    CellValue,
    SheetCells,
    cell_name,
    moment_of_serial,
)
from analyzer.sources.spreadsheet import open_spreadsheet
from tests.support.builders import a_key, a_user
from tests.support.reading import zipped
from tests.support.review import review_of
from tests.support.workbooks import parts

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def workbook(
    rows: str, *, strings: str = "", more: str = "", main: str = MAIN, properties: str = ""
) -> bytes:
    """Return a workbook of one sheet with these rows, as XML."""
    sheet = f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData>{more}</worksheet>'
    book = (
        f'<workbook xmlns="{main}" xmlns:r="{RELATED}"><workbookPr {properties}/>'
        '<sheets><sheet name="S" sheetId="1" r:id="a"/></sheets></workbook>'
    )
    related = (
        f'<Relationships xmlns="{PACKAGE}">'
        f'<Relationship Id="a" Type="{RELATED}/worksheet" Target="worksheets/s.xml"/>'
        f'<Relationship Id="b" Type="{RELATED}/sharedStrings" Target="/xl/strings.xml"/>'
        "</Relationships>"
    )
    return zipped(
        {
            "xl/workbook.xml": book,
            "xl/_rels/workbook.xml.rels": related,
            "xl/worksheets/s.xml": sheet,
            "xl/strings.xml": f'<sst xmlns="{main}">{strings}</sst>',
        }
    )


def cells_of(content: bytes) -> SheetCells:
    (sheet,) = open_spreadsheet("x.xlsx", content).sheets
    return sheet.cells()


def values(cells: SheetCells) -> dict[str, CellValue]:
    """Return the values by the names of their cells."""
    return {
        cell_name(row, column): value
        for column, of in cells.columns.items()
        for row, value in zip(cells.row_numbers, of, strict=True)
        if value is not None
    }


def refusal(content: bytes) -> str:
    with pytest.raises(InputRefused) as refused:
        [sheet.cells() for sheet in open_spreadsheet("x.xlsx", content).sheets]
    (problem,) = refused.value.problems
    assert problem.file.startswith("x.xlsx")
    assert problem.hint
    return str(problem).splitlines()[0]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ('<c r="B2" t="inlineStr"><is><t>a</t></is></c>', "a"),
        ('<c r="B2" t="inlineStr"><is><r><t>a</t></r><r><t> b</t></r></is></c>', "a b"),
        ('<c r="B2" t="inlineStr"><is><t>a</t><rPh><t>x</t></rPh></is></c>', "a"),
        ('<c r="B2" t="inlineStr"><is><t xml:space="preserve"> a </t></is></c>', " a "),
        ('<c r="B2" t="inlineStr"><is><t>a&#10;<![CDATA[<b>]]></t></is></c>', "a\n<b>"),
        ('<c r="B2" t="inlineStr"><is><t>_x0041__x005F_x</t></is></c>', "A_x"),
        ('<c r="B2" t="str"><f>A1</f><v>text</v></c>', "text"),
        ('<c r="B2" t="s"><v>1</v></c>', "shared text"),
        ('<c r="B2"><v>12</v></c>', 12.0),
        ('<c r="B2" t="n"><v>-1.5E+3</v></c>', -1500.0),
        ('<c r="B2" t="b"><v>1</v></c>', True),
        ('<c r="B2" t="b"><v>0</v></c>', False),
        ('<c r="B2" t="e"><v>#N/A</v></c>', CellError("#N/A")),
        ('<c r="B2" t="d"><v>2026-05-01T12:00:00</v></c>', 46143.5),
        ('<c r="B2" s="3"/>', None),
        ('<c r="B2" t="n"><v></v></c>', None),
        ('<c r="B2" t="inlineStr"><is><t></t></is></c>', None),
    ],
)
def test_a_cell_of_every_type_is_read(cell: str, expected: CellValue) -> None:
    strings = (
        "<si><t>no</t></si><si><r><t>shared</t></r><r><t> text</t></r><rPh><t>x</t></rPh></si>"
    )
    for main in (MAIN, STRICT):
        cells = cells_of(workbook(f'<row r="2">{cell}</row>', strings=strings, main=main))
        assert values(cells) == ({} if expected is None else {"B2": expected})


def test_cells_and_rows_without_names_stand_one_behind_the_other() -> None:
    rows = "<row><c><v>1</v></c><c/><c><v>2</v></c></row><row/><row><c><v>3</v></c></row>"
    assert values(cells_of(workbook(rows))) == {"A1": 1.0, "C1": 2.0, "A3": 3.0}


def test_columns_are_as_long_as_there_are_rows_and_only_those_with_a_value_are_there() -> None:
    rows = (
        '<row r="3"><c r="A3"><v>1</v></c></row><row r="5"><c r="A5"/></row>'
        '<row r="9"><c r="IV9"><v>2</v></c></row>'
    )
    cells = cells_of(workbook(rows))
    assert cells.row_numbers == [3, 9]
    assert cells.columns == {0: [1.0, None], 255: [None, 2.0]}


def test_formulas_and_merged_cells_are_named() -> None:
    rows = '<row r="1"><c r="C1"><f>A1</f></c><c r="D1"><f>B1</f><v>7</v></c></row>'
    cells = cells_of(workbook(rows, more='<mergeCells><mergeCell ref="A2:A4"/></mergeCells>'))
    assert cells.formulas == {(1, 2), (1, 3)}
    assert cells.merged == ["A2:A4"]
    assert values(cells) == {"D1": 7.0}


STYLES = (
    f'<styleSheet xmlns="{MAIN}"><fonts><font/><font><strike val="0"/></font><font><b/><strike/>'
    '</font></fonts><cellStyleXfs><xf fontId="2"/></cellStyleXfs><cellXfs><xf fontId="0"/>'
    '<xf fontId="1"/><xf fontId="2"/></cellXfs><dxfs><dxf><font><strike/></font></dxf></dxfs>'
    "</styleSheet>"
)
STRUCK_RUN = '<r><rPr><strike val="{}"/></rPr><t>a</t></r><r><t>b</t></r>'


def test_cells_that_are_struck_through_in_part_or_as_a_whole_are_named() -> None:
    shared = f"<si>{STRUCK_RUN.format(0)}</si><si>{STRUCK_RUN.format(1)}</si>"
    inline = (
        f'<c r="{name}2" t="inlineStr"><is>{STRUCK_RUN.format(flag)}</is></c>'
        for name, flag in (("F", "true"), ("G", "false"))
    )
    row = (
        '<c r="A2" s="0"><v>1</v></c><c r="B2" s="1"><v>1</v></c><c r="C2" s="2"><v>1</v></c>'
        f'<c r="D2" t="s"><v>0</v></c><c r="E2" t="s"><v>1</v></c>{"".join(inline)}<c s="2"/>'
    )
    content = workbook(f'<row r="2">{row}</row>', strings=shared)
    unpacked = {name: part.decode() for name, part in parts(content).items()}
    styles = f'<Relationship Id="c" Type="{RELATED}/styles" Target="styles.xml"/></Relationships>'
    related = unpacked["xl/_rels/workbook.xml.rels"].replace("</Relationships>", styles)
    unpacked |= {"xl/styles.xml": STYLES, "xl/_rels/workbook.xml.rels": related}
    cells = cells_of(zipped(unpacked))
    assert {cell_name(*cell) for cell in cells.struck} == {"C2", "E2", "F2"}
    assert values(cells)["E2"] == values(cells)["G2"] == "ab"
    assert (cells.value(2, 0), cells.value(2, 99), cells.value(1, 0)) == (1.0, None, None)


def test_formats_and_formulas_outside_of_cells_are_of_no_cell() -> None:
    rows = '<row><v>1</v></row><f>1</f><row r="2"><c r="A2"><v>1</v></c></row>'
    cells = cells_of(workbook(f"{rows}<dxf><font><strike/></font></dxf>"))
    assert (values(cells), cells.formulas, cells.struck) == ({"A2": 1.0}, set(), set())


def test_the_top_rows_are_read_and_no_more() -> None:
    rows = '<row r="1"><c><v>1</v></c></row><row r="3"><c><v>3</v></c></row><row r="4"><c t="?"><v>'
    (sheet,) = open_spreadsheet("x.xlsx", workbook(f"{rows}1</v></c></row>")).sheets
    assert values(sheet.cells(3)) == {"A1": 1.0, "A3": 3.0}
    with pytest.raises(InputRefused):
        sheet.cells()


def test_prefixes_and_other_namespaces_do_not_matter() -> None:
    content = workbook("")
    sheet = (
        f'<x:worksheet xmlns:x="{MAIN}" xmlns:o="other"><o:row r="1"><o:c r="A1"/></o:row>'
        '<x:sheetData><x:row r="1"><x:c r="A1"><x:v>1</x:v></x:c></x:row></x:sheetData>'
        "</x:worksheet>"
    )
    unpacked = parts(content) | {"xl/worksheets/s.xml": sheet.encode("utf-16")}
    upper = zipped({name.upper(): part for name, part in unpacked.items()})
    assert values(cells_of(upper)) == {"A1": 1.0}


def test_the_first_column_is_a_and_the_last_is_iv() -> None:
    assert [cell_name(7, at) for at in (0, 25, 26, 255)] == ["A7", "Z7", "AA7", "IV7"]


@pytest.mark.parametrize(
    ("number", "from_1904", "expected"),
    [
        (46143.5, False, datetime(2026, 5, 1, 12, tzinfo=UTC)),
        (44681.5, True, datetime(2026, 5, 1, 12, tzinfo=UTC)),
        (46143.50000001, False, datetime(2026, 5, 1, 12, tzinfo=UTC)),
        (61, False, datetime(1900, 3, 1, tzinfo=UTC)),
        (60, False, None),
        (0.5, False, None),
        (-1, False, None),
        (2958465.99999999, False, None),
        (1e300, True, None),
    ],
)
def test_a_number_is_the_moment_that_the_spreadsheet_shows(
    number: float, expected: datetime | None, *, from_1904: bool
) -> None:
    assert moment_of_serial(number, counts_from_1904=from_1904) == expected


@pytest.mark.parametrize("value", ["1", "true", "on", "0", "false", "off"])
def test_a_workbook_says_from_which_year_it_counts(value: str) -> None:
    content = workbook("", properties=f'date1904="{value}"')
    assert open_spreadsheet("x", content).counts_from_1904 is (value in ("1", "true", "on"))


def by_pandas() -> bytes:
    stream = io.BytesIO()
    frame = pd.DataFrame({"a": ["x", None, "z"], "n": [1, 2.5, None], "b": [True, False, None]})
    frame.assign(d=pd.Timestamp("2026-05-01 12:30")).to_excel(stream)
    return stream.getvalue()


def by_openpyxl() -> bytes:
    book = Workbook()
    sheet = book.create_sheet("Second", 0)
    sheet["B3"], sheet["D9"], sheet["A1"] = "text & <more>", 1e-7, "=1+1"
    sheet["A1"].font = Font(bold=True)
    sheet.merge_cells("F1:G2")
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def by_us() -> bytes:
    return review_of(a_user("ann"), a_user("=bob", key_1=a_key()))


@pytest.mark.no_cover
@pytest.mark.parametrize("content", [by_pandas, by_openpyxl, by_us])
def test_the_cells_are_those_that_openpyxl_reads(content: Callable[[], bytes]) -> None:
    file = content()
    sheets = {each.title: each for each in open_spreadsheet("x", file).sheets}
    book = openpyxl.load_workbook(io.BytesIO(file), data_only=True)
    assert [*sheets] == [sheet.title for sheet in book.worksheets]
    for sheet in book.worksheets:
        expected = {
            cell.coordinate: cell.value
            for row in sheet.iter_rows()
            for cell in row
            if cell.value not in (None, "")
        }
        read = values(sheets[sheet.title].cells())
        assert {*read} == {*expected}
        for name, value in read.items():
            assert _alike(value, expected[name]), (name, value, expected[name])


def _alike(value: CellValue, other: Any) -> bool:
    if isinstance(other, datetime) and isinstance(value, float):
        return moment_of_serial(value, counts_from_1904=False) == other.replace(tzinfo=UTC)
    return bool(value == other)


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ('<row r="1"><c r="A1" t="s"><v>9</v></c></row>', "row 1, cell A1"),
        ('<row r="1"><c r="A1" t="s"><v>-1</v></c></row>', "row 1, cell A1"),
        ('<row r="1"><c r="A1" t="x"><v>1</v></c></row>', "its type is x"),
        ('<row r="1"><c r="A1"><v>soon</v></c></row>', "not a number: soon"),
        ('<row r="1"><c r="A1"><v>nan</v></c></row>', "not a number"),
        ('<row r="1"><c r="A1"><v>1e9999</v></c></row>', "not a number"),
        ('<row r="1"><c r="A1"><v>1_0</v></c></row>', "not a number"),
        ('<row r="1"><c r="A1" t="b"><v>2</v></c></row>', "the cell cannot be read"),
        ('<row r="1"><c r="A1" t="d"><v>soon</v></c></row>', "the cell cannot be read"),
        ('<row r="1"><c r="A1" t="str"><v>_xD83D_</v></c></row>', "the cell cannot be read"),
        ('<row r="2"/><row r="1"/>', "its rows are not in order"),
        ('<c r="A0"><v>1</v></c><row r="1"/>', "a cell is in no row"),
        ('<row r="1"/><c r="B1"><v>1</v></c>', "a cell is in no row"),
        ('<row r="1"><c r="A1"><v>1</v><row r="2"/></c></row>', "a row is in a row"),
        ('<row r="1"><row r="2"/></row>', "a row is in a row"),
        ('<row r="1"><c r="A1"><c/><v>1</v></c></row>', "a cell is in a cell"),
        ('<row r="1"><c r="A1"><v>1<x/>2</v></c></row>', "an element is in a text"),
        ('<row r="1"><c r=""><v>1</v></c></row>', "a cell is not in this row"),
        ('<row r="1"/><row r="1"/>', "its rows are not in order"),
        ('<row r="1048577"/>', "its rows are not in order"),
        ('<row r="1"><c r="A1"><v>1</v></c><c r="A1"><v>1</v></c></row>', "a cell is there twice"),
        ('<row r="1"><c r="A2"><v>1</v></c></row>', "a cell is not in this row"),
        ('<row r="1"><c r="a1"><v>1</v></c></row>', "a cell is not in this row"),
        ('<row r="1"><c r="IW1"><v>1</v></c></row>', "or in 256 columns"),
        (f"<row>{'<c/>' * 256}<c><v>1</v></c></row>", "cell IW1: the file is damaged"),
        ('<row r="1"><c r="1"><v>1</v></c></row>', "a cell is not in this row"),
        ('<row r="1"><c r="A"><v>1</v></c></row>', "a cell is not in this row"),
        ("<row><c></row>", "tag mismatch"),
    ],
)
def test_a_damaged_cell_is_refused_with_its_place(rows: str, problem: str) -> None:
    assert problem in refusal(workbook(rows))


def test_an_empty_cell_beyond_the_last_column_does_not_matter() -> None:
    assert values(cells_of(workbook('<row r="1"><c r="XFD1" s="1"/></row>'))) == {}
    assert values(cells_of(workbook(f"<row>{'<c/>' * 255}<c><v>1</v></c><c/></row>"))) == {"IV1": 1}


def miscounted() -> bytes:
    """Return a workbook whose sheet is another one than its checksum says."""
    content = workbook("")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        checksum = archive.getinfo("xl/worksheets/s.xml").CRC.to_bytes(4, "little")
    return content.replace(checksum, bytes(4))


def encrypted() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    content = bytearray(stream.getvalue())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "not an Excel workbook"),
        (b"<html>", "not an Excel workbook"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "an encrypted workbook, or one of Excel 97 to 2003"),
        (
            zipped({"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}),
            "another kind of",
        ),
        (
            zipped(
                {
                    "_rels/.rels": f'<Relationships xmlns="{PACKAGE}"><Relationship Id="a"'
                    f' Type="{RELATED}/officeDocument" Target="xl/workbook.bin"/></Relationships>'
                }
            ),
            "another kind of workbook",
        ),
        (zipped({"a": "b"}), "it has no workbook"),
        (
            zipped(dict.fromkeys(["xl/workbook.xml", "xl/Workbook.xml"], "<a/>")),
            "of the same name",
        ),
        (workbook("")[:300], "the file is damaged"),
        (encrypted(), "the file is damaged"),
        (miscounted(), "the file is damaged: xl/worksheets/s.xml: Bad CRC-32"),
        (zipped({"xl/workbook.xml": "<workbook"}), "the file is damaged"),
        (zipped({"xl/workbook.xml": "<!DOCTYPE a []><a/>"}), "it has a document type"),
        (
            zipped(
                {
                    "xl/workbook.xml": f'<workbook xmlns="{MAIN}"><sheets><sheet name="S"/>'
                    "</sheets></workbook>"
                }
            ),
            "sheet S: the file is damaged: a sheet has no part",
        ),
    ],
)
def test_what_is_no_workbook_is_refused(content: bytes, problem: str) -> None:
    assert problem in refusal(content)


def test_a_part_of_more_elements_than_the_bound_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.sources.spreadsheet._MOST_TAGS_AT_ONCE", 1)
    assert "it holds too many elements" in refusal(workbook(""))


def test_cells_share_texts() -> None:
    row = '<row><c t="s"><v>1</v></c><c t="s"><v>0</v></c><c t="s"><v>1</v></c></row>'
    strings = "<si><t>a</t></si><si><t>b</t></si>"
    assert values(cells_of(workbook(row, strings=strings))) == {"A1": "b", "B1": "a", "C1": "b"}


def test_a_sheet_that_is_only_a_chart_has_no_cells() -> None:
    book = openpyxl.Workbook()
    book.create_chartsheet("Chart")
    stream = io.BytesIO()
    book.save(stream)
    sheets = open_spreadsheet("x.xlsx", stream.getvalue()).sheets
    assert [sheet.title for sheet in sheets] == ["Sheet"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (workbook("<a>" * 300 + "</a>" * 300), "Excessive depth"),
        (zipped({"xl/workbook.xml": "<a>" * 300 + "</a>" * 300}), "Excessive depth"),
        (
            workbook(f'<row><c t="inlineStr"><is><t>{"x" * 70_000}</t></is></c></row>'),
            "its text is too long",
        ),
    ],
)
def test_what_is_too_deep_or_too_long_is_refused(content: bytes, problem: str) -> None:
    assert problem in refusal(content)


@pytest.mark.parametrize(
    ("bound", "enough", "element", "problem"),
    [
        (("sheet_cells._MOST_HELD", 6 * 144), 6, "<c><v>{}</v></c>", "it holds too many cells"),
        (("spreadsheet._MOST_TAGS", 100), 31, "<c/>", "it holds too many elements"),
        (("sheet_cells._MOST_MERGED", 2), 2, "<mergeCell/>", "it has too many merged cells"),
    ],
)
def test_a_bound_can_be_reached_and_not_passed(
    bound: tuple[str, int],
    enough: int,
    element: str,
    problem: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(f"analyzer.sources.{bound[0]}", bound[1])
    elements = [element.format(number) for number in range(enough + 1)]
    cells_of(workbook(f"<row>{''.join(elements[:-1])}</row>"))
    assert problem in refusal(workbook(f"<row>{''.join(elements)}</row>"))


def test_what_unpacks_to_more_than_the_bound_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.sources.spreadsheet._MOST_UNPACKED", 1 << 20)
    assert "it unpacks to more than 1 MiB" in refusal(workbook(" " * (1 << 20)))


def test_more_shared_texts_than_the_bound_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.sources.sheet_cells._MOST_HELD", 1_000)
    content = workbook('<row><c t="s"><v>0</v></c></row>', strings="<si><t>text</t></si>" * 50)
    assert "its texts are too many" in refusal(content)


MB = 1 << 20


def repeated(text: str, times: int) -> Iterator[bytes]:
    block = text.encode() * 1000
    for _ in range(times // 1000):
        yield block


def bomb(folder: Path, name: str) -> Path:
    """Write a small workbook a part of which unpacks to much."""
    start, text, times, end, part = BOMBS[name]
    path = folder / "bomb.xlsx"
    unpacked = parts(workbook('<row><c t="s"><v>0</v></c></row>'))
    bomb_part = {"s": "xl/worksheets/s.xml", "strings": "xl/strings.xml"}[part]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for other, content in unpacked.items():
            if other != bomb_part:
                archive.writestr(other, content)
        with archive.open(bomb_part, "w", force_zip64=True) as stream:
            stream.write(start.encode())
            for block in repeated(text, times):
                stream.write(block)
            stream.write(end.encode())
    return path


SHEET = f'<worksheet xmlns="{MAIN}"><sheetData>'
STRINGS = f'<sst xmlns="{MAIN}">'
BOMBS: dict[str, tuple[str, str, int, str, str]] = {
    "empty cells": (f"{SHEET}<row>", "<c/>", 2_000_000, "</row>", "s"),
    "rows of cells": (SHEET, "<row><c><v>1</v></c></row>", 110_000, "", "s"),
    "a text without an end": (f'{SHEET}<row><c t="str"><v>', "x" * 99, 110_000, "", "s"),
    "texts": (STRINGS, f"<si><t>{'x' * 90}</t></si>", 300_000, "</sst>", "strings"),
    "long texts": (STRINGS, f"<si><t>😀{'x' * 30000}</t></si>", 2_000, "", "strings"),
}

READ = """
import re, resource, sys
from pathlib import Path
from analyzer.errors import InputRefused
from analyzer.sources import sheet_cells, spreadsheet
SHARE = 10
sheet_cells.MOST_ROWS //= SHARE
sheet_cells._MOST_HELD //= SHARE
spreadsheet._MOST_UNPACKED //= SHARE
spreadsheet._MOST_TAGS //= SHARE
spreadsheet._MOST_TAGS_AT_ONCE //= SHARE
def memory(name):
    return int(re.search(name + ":.*?([0-9]+) kB", Path("/proc/self/status").read_text())[1])
def seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
content, before, start = open(sys.argv[1], "rb").read(), memory("VmRSS"), seconds()
try:
    for sheet in spreadsheet.open_spreadsheet("x", content).sheets:
        sheet.cells()
    print("read", end=" ")
except InputRefused as refused:
    print("refused", end=" ")
print(SHARE * (memory("VmHWM") - before) >> 10, SHARE * (seconds() - start))
"""
"""Read with a tenth of the bounds, and print ten times the memory and the seconds."""


@pytest.mark.no_cover
@pytest.mark.parametrize("name", BOMBS)
def test_a_small_file_that_unpacks_to_much_takes_little_memory_and_time(
    name: str, tmp_path: Path
) -> None:
    path = bomb(tmp_path, name)
    assert path.stat().st_size < 5 * MB
    done = subprocess.run(
        [sys.executable, "-c", READ, path], capture_output=True, text=True, check=True
    )
    outcome, megabytes, seconds = done.stdout.split()
    assert outcome == "refused"
    assert int(megabytes) < 700
    assert float(seconds) < 20
