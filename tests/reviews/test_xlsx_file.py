"""Every program's workbook is read cell by cell, and no file takes more than its share."""

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from analyzer.reviews.xlsx_cells import (
    CellError,
    CellValue,
    SheetCells,
    cell_name,
    moment_of_serial,
)
from analyzer.reviews.xlsx_file import open_spreadsheet
from openpyxl.styles import Font
from openpyxl.workbook import Workbook

from analyzer.errors import InputRefused
from tests.support.reading import zipped
from tests.support.review import review, saved
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


def text(inner: str) -> str:
    return f'<c r="B2" t="inlineStr"><is>{inner}</is></c>'


CELLS: tuple[tuple[str, CellValue], ...] = (
    (text("<t>a</t>"), "a"),
    (text("<r><t>a</t></r><r><t> b</t></r>"), "a b"),
    (text("<t>a</t><rPh><t>x</t></rPh>"), "a"),
    (text('<t xml:space="preserve"> a </t>'), " a "),
    (text("<t>a&#10;<![CDATA[<b>]]></t>"), "a\n<b>"),
    (text("<t>_x0041__x005F_x</t>"), "A_x"),
    (text("<t></t>"), None),
    ('<c r="B2" t="str"><f>A1</f><v>text</v></c>', "text"),
    ('<c r="B2" t="s"><v>1</v></c>', "shared text"),
    ('<c r="B2"><v>12</v></c>', 12.0),
    ('<c r="B2" t="n"><v>-1.5E+3</v></c>', -1500.0),
    ('<c r="B2" t="n"><v></v></c>', None),
    ('<c r="B2" t="b"><v>1</v></c>', True),
    ('<c r="B2" t="b"><v>0</v></c>', False),
    ('<c r="B2" t="e"><v>#N/A</v></c>', CellError("#N/A")),
    ('<c r="B2" t="d"><v>2026-05-01T12:00:00</v></c>', 46143.5),
    ('<c r="B2" s="3"/>', None),
)
SHARED = "<si><t>no</t></si><si><r><t>shared</t></r><r><t> text</t></r><rPh><t>x</t></rPh></si>"


def test_a_cell_of_every_type_is_read() -> None:
    for main, (cell, expected) in product((MAIN, STRICT), CELLS):
        cells = cells_of(workbook(f'<row r="2">{cell}</row>', strings=SHARED, main=main))
        assert values(cells) == ({} if expected is None else {"B2": expected}), cell


def test_a_text_that_comes_again_is_read_alike_whatever_came_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("analyzer.reviews.xlsx_cells._MOST_READ", 2)
    texts = ["a", "b", "a", "c", "a", "b"]
    rows = "".join(f'<row><c t="str"><v>{each}</v></c><c><v>1</v></c></row>' for each in texts)
    assert cells_of(workbook(rows)).columns == {0: texts, 1: [1.0] * len(texts)}


STRUCK_FORMAT = "<dxf><font><strike/></font></dxf>"
PLACES: dict[str, tuple[str, dict[str, CellValue]]] = {
    "rows and cells without names": (
        "<row><c><v>1</v></c><c/><c><v>2</v></c></row><row/><row><c><v>3</v></c></row>",
        {"A1": 1.0, "C1": 2.0, "A3": 3.0},
    ),
    "formats and formulas outside of cells": (
        f'<row><v>1</v></row><f>1</f><row r="2"><c r="A2"><v>1</v></c></row>{STRUCK_FORMAT}',
        {"A2": 1.0},
    ),
    "an empty cell beyond the last column": ('<row r="1"><c r="XFD1" s="1"/></row>', {}),
    "and one without a name": (f"<row>{'<c/>' * 255}<c><v>1</v></c><c/></row>", {"IV1": 1.0}),
}


@pytest.mark.parametrize(("rows", "expected"), PLACES.values(), ids=PLACES)
def test_a_value_is_where_its_cell_is(rows: str, expected: dict[str, CellValue]) -> None:
    cells = cells_of(workbook(rows))
    assert (values(cells), cells.formulas, cells.struck) == (expected, set(), set())


def test_columns_are_as_long_as_there_are_rows_and_only_those_with_a_value_are_there() -> None:
    first = '<row r="3"><c r="A3"><v>1</v></c></row><row r="5"><c r="A5"/></row>'
    cells = cells_of(workbook(f'{first}<row r="9"><c r="IV9"><v>2</v></c></row>'))
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
    '<xf fontId="1"/><xf fontId="2"/></cellXfs><dxfs>'
    f"{STRUCK_FORMAT}</dxfs></styleSheet>"
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
        f'<c r="D2" t="s"><v>0</v></c><c r="E2" t="s"><v>1</v></c>{"".join(inline)}'
        '<c r="H2" t="s"><v>1</v></c><c r="I2" s="2"/>'
    )
    content = workbook(f'<row r="2">{row}</row>', strings=shared)
    unpacked = {name: part.decode() for name, part in parts(content).items()}
    styles = f'<Relationship Id="c" Type="{RELATED}/styles" Target="styles.xml"/></Relationships>'
    related = unpacked["xl/_rels/workbook.xml.rels"].replace("</Relationships>", styles)
    unpacked |= {"xl/styles.xml": STYLES, "xl/_rels/workbook.xml.rels": related}
    cells = cells_of(zipped(unpacked))
    assert {cell_name(*cell) for cell in cells.struck} == {"C2", "E2", "F2", "H2"}
    assert values(cells)["E2"] == values(cells)["G2"] == "ab"
    assert (cells.value(2, 0), cells.value(2, 99), cells.value(1, 0)) == (1.0, None, None)


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


NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("number", "from_1904", "expected"),
    [
        (46143.5, False, NOON),
        (44681.5, True, NOON),
        (46143.50000001, False, NOON),
        (61, False, datetime(1900, 3, 1, tzinfo=UTC)),
        (60, False, None),
        (-1, False, None),
        (2958465.99999999, False, None),
        (1e300, True, None),
    ],
)
def test_a_number_is_the_moment_that_the_spreadsheet_shows(
    number: float, expected: datetime | None, *, from_1904: bool
) -> None:
    assert moment_of_serial(number, counts_from_1904=from_1904) == expected


def test_a_workbook_says_from_which_year_it_counts() -> None:
    for word in ("1", "true", "on", "0", "false", "off"):
        content = workbook("", properties=f'date1904="{word}"')
        assert open_spreadsheet("x", content).counts_from_1904 is (word in ("1", "true", "on"))


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
    return saved(book)


@pytest.mark.no_cover
@pytest.mark.parametrize("content", [by_pandas, by_openpyxl, review])
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


def a1(value: str, kind: str = "n", name: str = "A1") -> str:
    return f'<row r="1"><c r="{name}" t="{kind}"><v>{value}</v></c></row>'


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (a1("9", "s"), "row 1, cell A1"),
        (a1("-1", "s"), "row 1, cell A1"),
        (a1("1", "x"), "its type is x"),
        (a1("soon"), "not a number: soon"),
        (a1("nan"), "not a number"),
        (a1("1e9999"), "not a number"),
        (a1("1_0"), "not a number"),
        (a1("2", "b"), "the cell cannot be read"),
        (a1("soon", "d"), "the cell cannot be read"),
        (a1("_xD83D_", "str"), "the cell cannot be read"),
        (a1("1<x/>2"), "an element is in a text"),
        (a1("1", name=""), "a cell is not in this row"),
        (a1("1", name="A2"), "a cell is not in this row"),
        (a1("1", name="a1"), "a cell is not in this row"),
        (a1("1", name="1"), "a cell is not in this row"),
        (a1("1", name="A"), "a cell is not in this row"),
        (a1("1", name="IW1"), "or in 256 columns"),
        (f"<row>{'<c/>' * 256}<c><v>1</v></c></row>", "cell IW1: the file is damaged"),
        ('<row r="1"><c r="A1"><v>1</v></c><c r="A1"><v>1</v></c></row>', "a cell is there twice"),
        ('<row r="1"><c r="A1"><c/><v>1</v></c></row>', "a cell is in a cell"),
        ('<c r="A0"><v>1</v></c><row r="1"/>', "a cell is in no row"),
        ('<row r="1"/><c r="B1"><v>1</v></c>', "a cell is in no row"),
        ('<row r="1"><c r="A1"><v>1</v><row r="2"/></c></row>', "a row is in a row"),
        ('<row r="1"><row r="2"/></row>', "a row is in a row"),
        ('<row r="2"/><row r="1"/>', "its rows are not in order"),
        ('<row r="1"/><row r="1"/>', "its rows are not in order"),
        ('<row r="1048577"/>', "its rows are not in order"),
        ("<row><c></row>", "tag mismatch"),
        ("<a>" * 300 + "</a>" * 300, "Excessive depth"),
        (f'<row><c t="inlineStr"><is><t>{"x" * 70_000}</t></is></c></row>', "its text is too long"),
    ],
    ids=range(30),
)
def test_a_damaged_cell_is_refused_with_its_place(rows: str, problem: str) -> None:
    assert problem in refusal(workbook(rows))


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


def book(text: str) -> bytes:
    return zipped({"xl/workbook.xml": text})


OPEN_DOCUMENT = {"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}
BINARY = {
    "_rels/.rels": f'<Relationships xmlns="{PACKAGE}"><Relationship Id="a"'
    f' Type="{RELATED}/officeDocument" Target="xl/workbook.bin"/></Relationships>'
}
TWICE = dict.fromkeys(["xl/workbook.xml", "xl/Workbook.xml"], "<a/>")
PARTLESS = f'<workbook xmlns="{MAIN}"><sheets><sheet name="S"/></sheets></workbook>'


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "not an Excel workbook"),
        (b"<html>", "not an Excel workbook"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "an encrypted workbook, or one of Excel 97 to 2003"),
        (zipped(OPEN_DOCUMENT), "another kind of workbook"),
        (zipped(BINARY), "another kind of workbook"),
        (zipped({"a": "b"}), "a zip archive, and no workbook"),
        (zipped(TWICE), "of the same name"),
        (workbook("")[:300], "the file is damaged"),
        (encrypted(), "the file is damaged"),
        (miscounted(), "the file is damaged: xl/worksheets/s.xml: Bad CRC-32"),
        (book("<workbook"), "the file is damaged"),
        (book("<!DOCTYPE a []><a/>"), "it has a document type"),
        (book(PARTLESS), "sheet S: the file is damaged: a sheet has no part"),
        (book("<a>" * 300 + "</a>" * 300), "Excessive depth"),
        (zipped({"[Content_Types].xml": "<a/>"}), "it has no workbook"),
    ],
    ids=range(15),
)
def test_what_is_no_workbook_is_refused(content: bytes, problem: str) -> None:
    assert problem in refusal(content)


def test_a_sheet_that_is_only_a_chart_has_no_cells() -> None:
    book = openpyxl.Workbook()
    book.create_chartsheet("Chart")
    sheets = open_spreadsheet("x.xlsx", saved(book)).sheets
    assert [sheet.title for sheet in sheets] == ["Sheet"]


@pytest.mark.parametrize(
    ("bound", "most", "enough", "element", "problem"),
    [
        ("xlsx_cells._MOST_HELD", 6 * 144, 6, "<c><v>{}</v></c>", "it holds too many cells"),
        ("xlsx_file._MOST_TAGS", 100, 31, "<c/>", "it holds too many elements"),
        ("xlsx_cells._MOST_MERGED", 2, 2, "<mergeCell/>", "it has too many merged cells"),
    ],
)
def test_a_bound_can_be_reached_and_not_passed(  # noqa: PLR0913, PLR0917  a table
    bound: str, most: int, enough: int, element: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"analyzer.reviews.{bound}", most)
    elements = [element.format(number) for number in range(enough + 1)]
    cells_of(workbook(f"<row>{''.join(elements[:-1])}</row>"))
    assert problem in refusal(workbook(f"<row>{''.join(elements)}</row>"))


@pytest.mark.parametrize(
    ("bound", "most", "rows", "problem"),
    [
        ("xlsx_file._MOST_TAGS_AT_ONCE", 1, "", "it holds too many elements"),
        ("xlsx_file._MOST_UNPACKED", 1 << 20, " " * (1 << 20), "unpacks to more than 1 MiB"),
        ("xlsx_cells._MOST_HELD", 1_000, a1("0", "s"), "its texts are too many"),
    ],
    ids=["tags", "unpacked", "texts"],
)
def test_more_than_a_bound_of_the_file_is_refused(
    bound: str, most: int, rows: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"analyzer.reviews.{bound}", most)
    assert problem in refusal(workbook(rows, strings="<si><t>text</t></si>" * 50))


SHEET = f'<worksheet xmlns="{MAIN}"><sheetData>'
WIDE, NARROW = f"<row>{'<c><v>1</v></c>' * 256}</row>", "<row><c><v>1</v></c></row>"
END = "</sheetData></worksheet>"
STRINGS = f'<sst xmlns="{MAIN}">'
S, T = "xl/worksheets/s.xml", "xl/strings.xml"
BOMBS: dict[str, tuple[str, str, str, int, str]] = {
    "empty cells": (S, f"{SHEET}<row>", "<c/>", 1_000, "</row>"),
    "rows of cells": (S, SHEET, NARROW, 55, ""),
    "narrow rows below a wide one": (S, SHEET + WIDE, NARROW, 50, END),
    "a wide row below narrow ones": (S, SHEET, NARROW, 50, WIDE + END),
    "a text without an end": (S, f'{SHEET}<row><c t="str"><v>', "x" * 99, 55, ""),
    "texts": (T, STRINGS, f"<si><t>{'x' * 90}</t></si>", 150, "</sst>"),
    "long texts": (T, STRINGS, f"<si><t>😀{'x' * 30000}</t></si>", 1, ""),
}
"""The part of a small workbook that unpacks to much: how it begins, thousands of what, its end."""


def write_bomb(path: Path) -> None:
    part, start, text, thousands, end = BOMBS[path.name]
    unpacked = parts(workbook('<row><c t="s"><v>0</v></c></row>'))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for other in {*unpacked} - {part}:
            archive.writestr(other, unpacked[other])
        with archive.open(part, "w", force_zip64=True) as stream:
            stream.write(start.encode())
            for _ in range(thousands):
                stream.write(text.encode() * 1000)
            stream.write(end.encode())


READ = """
import os, re, resource, sys
from pathlib import Path
from analyzer.errors import InputRefused
from analyzer.reviews import xlsx_cells, xlsx_file
SHARE = 20
xlsx_cells.MOST_ROWS //= SHARE
xlsx_cells._MOST_HELD //= SHARE
xlsx_file._MOST_UNPACKED //= SHARE
xlsx_file._MOST_TAGS //= SHARE
xlsx_file._MOST_TAGS_AT_ONCE //= SHARE
def memory(name):
    return int(re.search(name + ":.*?([0-9]+) kB", Path("/proc/self/status").read_text())[1])
def seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
for name in sys.argv[1:]:
    if process := os.fork():
        os.waitpid(process, 0)
        continue
    content, before, start = open(name, "rb").read(), memory("VmRSS"), seconds()
    try:
        for sheet in xlsx_file.open_spreadsheet("x", content).sheets:
            sheet.cells()
        print("read", end=" ")
    except InputRefused as refused:
        print("refused", end=" ")
    print(SHARE * (memory("VmHWM") - before) >> 10, SHARE * (seconds() - start), flush=True)
    os._exit(0)
"""
"""Read each file with a twentieth of the bounds, and print 20 times the memory and the seconds."""


@pytest.mark.no_cover
def test_a_small_file_that_unpacks_to_much_takes_little_memory_and_time(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in BOMBS]
    for path in paths:
        write_bomb(path)
        assert path.stat().st_size < 5 << 20
    done = subprocess.run(
        [sys.executable, "-c", READ, *paths], capture_output=True, text=True, check=True
    )
    for name, line in zip(BOMBS, done.stdout.splitlines(), strict=True):
        outcome, megabytes, seconds = line.split()
        assert outcome == "refused", name
        assert int(megabytes) < 700, name
        assert float(seconds) < 20, name
