"""Every program's workbook is read cell by cell, and no file takes more than its share."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import openpyxl
import pytest
from openpyxl.comments import Comment
from openpyxl.styles import Font

from analyzer.errors import InputRefused
from analyzer.reviews.xlsx_reader import (
    CellError,
    CellValue,
    SheetCells,
    can_show_another_value,
    cell_name,
    read_sheets,
)
from tests.support.reading import zipped
from tests.support.review import saved
from tests.support.workbooks import parts

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
S, T = "xl/worksheets/sheet1.xml", "xl/strings.xml"
STRINGS_TYPE = (
    f'<Override PartName="/{T}" ContentType="application/vnd.openxmlformats-officedocument'
    '.spreadsheetml.sharedStrings+xml"/></Types>'
)
SHEET, END = f'<worksheet xmlns="{MAIN}"><sheetData>', "</sheetData></worksheet>"
HEAD = '<row r="1"><c r="A1" t="inlineStr"><is><t>Head</t></is></c></row>'


def of_parts(**changed: str) -> dict[str, bytes | str]:
    """Return the parts of a workbook of one sheet, some of them changed, by `S` and `T`."""
    book = openpyxl.Workbook()
    unpacked: dict[str, bytes | str] = dict(parts(saved(book)))
    types = parts(saved(book))["[Content_Types].xml"].decode()
    unpacked["[Content_Types].xml"] = types.replace("</Types>", STRINGS_TYPE)
    unpacked[T] = f'<sst xmlns="{MAIN}">{changed.get("T", "")}</sst>'
    return unpacked | {S: changed.get("S", "")}


def workbook(rows: str, *, strings: str = "", more: str = "") -> bytes:
    """Return a workbook of one sheet with these rows, as XML."""
    sheet = f"{SHEET}{rows}</sheetData>{more}</worksheet>"
    return zipped(of_parts(S=sheet, T=strings))


def cells_of(content: bytes) -> SheetCells:
    """Return the cells of the only sheet; any text is a head."""
    (sheet,) = read_sheets("x.xlsx", content, [""], "no text")
    return sheet


def values(cells: SheetCells) -> dict[str, CellValue]:
    """Return the values by the names of their cells."""
    return {
        cell_name(row, column): value
        for row, of in cells.rows.items()
        for column, value in of.items()
    }


def refusal(content: bytes) -> str:
    with pytest.raises(InputRefused) as refused:
        cells_of(content)
    (problem,) = refused.value.problems
    assert problem.file == "x.xlsx"
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
    ('<c r="B2" t="inlineStr"/>', None),
    ('<c r="B2" t="str"><f>A1</f><v>text</v></c>', None),
    ('<c r="B2" t="str"><v>text</v></c>', "text"),
    ('<c r="B2" t="s"><v>1</v></c>', "shared text"),
    ('<c r="B2" t="s"/>', None),
    ('<c r="B2"><v>12</v></c>', 12.0),
    ('<c r="B2" t="n"><v>-1.5E+3</v></c>', -1500.0),
    ('<c r="B2" t="n"><v></v></c>', None),
    ('<c r="B2" t="b"><v>1</v></c>', True),
    ('<c r="B2" t="b"><v>0</v></c>', False),
    ('<c r="B2" t="e"><v>#N/A</v></c>', CellError("#N/A")),
    ('<c r="B2" t="d"><v>2026-05-01T12:00:00</v></c>', "2026-05-01T12:00:00Z"),
    ('<c r="B2" s="3"/>', None),
)
SHARED = "<si><t>no</t></si><si><r><t>shared</t></r><r><t> text</t></r><rPh><t>x</t></rPh></si>"


def test_a_cell_of_every_type_is_read() -> None:
    for cell, expected in CELLS:
        cells = cells_of(workbook(f'<row r="2">{cell}</row>', strings=SHARED))
        assert values(cells) == ({} if expected is None else {"B2": expected}), cell
        assert (cells.formulas == {(2, 1)}) is ("<f>" in cell)


def test_a_value_is_where_its_cell_is_and_none_is_elsewhere() -> None:
    cells = cells_of(
        workbook(
            '<row><c><v>1</v></c><c/><c r="D1"><v>2</v></c><c><v>3</v></c></row><row/>'
            '<row><c><v>4</v></c></row><row r="9" hidden="1"><c t="inlineStr"><is><t>a</t></is></c>'
            '<c r="XFD9"/></row><row r="8" hidden="0"><c r="A8"><v>5</v></c></row>',
            more='<mergeCells><mergeCell ref="A2:A4"/><mergeCell x="" ref="A:B"/></mergeCells>',
        )
    )
    expected = {"A1": 1.0, "D1": 2.0, "E1": 3.0, "A3": 4.0, "A8": 5.0, "A9": "a"}
    assert values(cells) == expected
    assert list(cells.rows) == [1, 3, 8, 9]
    assert (cells.merged, cells.hidden) == (["A2:A4", "A:B"], {9})
    assert (cells.value(1, 0), cells.value(1, 1), cells.value(7, 0)) == (1.0, None, None)
    assert cells_of(zipped(of_parts(S=f'<worksheet xmlns="{MAIN}"><x></x></worksheet>'))).rows == {}


def test_cells_that_are_struck_through_and_notes_and_hidden_sheets_are_named() -> None:
    book = openpyxl.Workbook()
    sheet = book.create_sheet("Mine")
    sheet.sheet_state = "veryHidden"
    for name in ("A1", "B1"):
        sheet[name] = 1
        sheet[name].font = Font(strike=name == "A1")
    sheet["C1"].font = Font(strike=True)
    sheet["D1"] = "x"
    sheet["D1"].comment = Comment("NO", "Bob")
    book.create_chartsheet("Chart")
    run = '<r><rPr><strike val="{}"/></rPr><t>a</t></r>'
    cells = (text(run.format(flag)).replace("B2", name) for flag, name in ((1, "E1"), (0, "F1")))
    struck = "".join(cells)
    unpacked = parts(saved(book))
    row = unpacked["xl/worksheets/sheet2.xml"].decode().replace("</row>", f"{struck}</row>")
    content = zipped(unpacked | {"xl/worksheets/sheet2.xml": row})
    chart, mine, plain = read_sheets("x", content, [""], "x")[::-1]
    assert (chart.title, chart.rows) == ("Chart", {})
    assert (mine.title, mine.is_hidden, plain.is_hidden) == ("Mine", True, False)
    assert {cell_name(*cell) for cell in mine.struck} == {"A1", "E1"}
    assert (mine.noted, plain.noted) == ({"D1"}, set())


def test_only_sheets_with_one_of_the_texts_are_read_however_it_is_written() -> None:
    rich = "<is><r><t>De</t></r><r><rPr/><t>cision</t></r></is>"
    for cell, is_read in (
        ('<c t="inlineStr"><is><t> decision\n</t></is></c>', True),
        (f'<c t="inlineStr">{rich}</c>', True),
        ('<c t="s"><v>0</v></c>', True),
        ('<c t="s"><v>1</v></c>', True),
        ('<c t="inlineStr"><is><t>begins so: {</t></is></c>', True),
        ('<c t="s"><v>2</v></c>', False),
        ('<c t="inlineStr"><is><t>Decision taken</t></is></c>', False),
    ):
        strings = "<si><t>DECISION </t></si><si><t>begins so: {</t></si><si><t>Decisions</t></si>"
        content = workbook(f"<row>{cell}</row>", strings=strings)
        (sheet,) = read_sheets("x", content, ["Decision"], "begins so: ")
        assert bool(sheet.rows) is is_read, cell


HONEST_FORMATS = (
    ("General", "@", "0", "#,##0.0", '0 "days"', "#,##0 [$€-407]", "[Red]0", "[h]:mm")
    + ("yyyy-mm-dd;@", "[$-F800]dddd\\,\\ mmmm\\ dd", 'd" de "mmmm" de "yyyy')
    + ('_(* #,##0_);_(* \\(#,##0\\);_(* "-"_);_(@_)',)
)
OTHER_FORMATS = (
    ('"12"', "\\10", '0"00"', "[$12-407]0")
    + ('"a"0;"1"0', "0,", "0%", "0.0E+00", ";;;")
    + ('"active";"active"', '[<100]"x";0', '"not "@', ';;;"keep"')
)


@pytest.mark.parametrize("number_format", [*HONEST_FORMATS, *OTHER_FORMATS])
def test_a_number_format_can_show_another_value(number_format: str) -> None:
    assert can_show_another_value(number_format) is (number_format in OTHER_FORMATS)


def test_cells_with_such_a_format_and_hidden_columns_are_named() -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for name, shown in (("A1", '"9"'), ("B1", "0.00"), ("C1", "0%")):
        sheet[name] = 1
        sheet[name].number_format = shown
    sheet.column_dimensions["B"].hidden = True
    (cells,) = read_sheets("x", saved(book), [""], "x")
    assert {cell_name(*at): shown for at, shown in cells.formatted.items()} == {
        "A1": '"9"',
        "C1": "0%",
    }
    assert cells.hidden_columns == {1}


NOON = "2026-05-01T12:00:00Z"
MOMENTS = (
    ((46143.5, False, NOON), (44681.5, True, NOON), (46143.50000001, False, NOON))
    + ((61, False, "1900-03-01T00:00:00Z"), (0.5, False, ""))
    + ((-1, False, ""), (1e300, True, ""))
)


@pytest.mark.parametrize(("number", "from_1904", "expected"), MOMENTS)
def test_a_number_is_the_moment_that_the_spreadsheet_shows(
    number: float, expected: str, *, from_1904: bool
) -> None:
    assert SheetCells("S", counts_from_1904=from_1904).moment_text(number) == expected
    book = openpyxl.Workbook()
    assert book.active is not None
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904 if from_1904 else book.epoch
    cell = book.active["A1"]
    cell.value, cell.number_format = number, "yyyy-mm-dd hh:mm"
    cells = cells_of(saved(book))
    assert cells.counts_from_1904 is from_1904
    if expected:
        assert values(cells) == {"A1": expected}


def a1(value: str, kind: str = "n", name: str = "A1") -> str:
    return f'<row r="1"><c r="{name}" t="{kind}"><v>{value}</v></c></row>'


@pytest.mark.parametrize(
    "rows",
    [a1("9", "s"), a1("-1", "s"), a1("soon"), a1("1_x"), a1("nan"), a1("2b", "b")]
    + [a1("soon", "d"), a1("1", name="A2"), a1("1", name="1"), a1("1", name="A")]
    + [a1("1", name="XFE1"), f"<row>{'<c/>' * 16384}<c><v>1</v></c></row>"]
    + [
        '<row r="1"><c r="A1"><v>1</v></c><c r="A1"><v>1</v></c></row>',
        '<c r="B1"><v>1</v></c>',
        '<row r="1"/><row r="1"/>',
        "<row><c></row>",
        f"<row>{text('<t>_xD83D_</t>')}</row>",
        f"<row>{text('<t>' + 'x' * 70_000 + '</t>')}</row>",
    ],
    ids=range(18),
)
def test_a_damaged_cell_is_refused(rows: str) -> None:
    assert "x.xlsx: the file is damaged: " in refusal(workbook(rows))


def miscounted() -> bytes:
    """Return a workbook whose sheet is another one than its checksum says."""
    content = workbook("")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        checksum = archive.getinfo(S).CRC.to_bytes(4, "little")
    return content.replace(checksum, bytes(4))


def encrypted() -> bytes:
    content = bytearray(workbook(""))
    content[6] |= 1
    at = -1
    while (at := content.find(b"PK\x01\x02", at + 1)) >= 0:
        content[at + 8] |= 1
    return bytes(content)


def packed(compression: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, part in of_parts().items():
            archive.writestr(name, part)
    return stream.getvalue()


def sheet_twice() -> bytes:
    unpacked = parts(workbook(HEAD))
    book = unpacked["xl/workbook.xml"].decode()
    sheet = book[book.index("<sheet ") : book.index("</sheets>")]
    return zipped(unpacked | {"xl/workbook.xml": book.replace(sheet, sheet * 2)})


def with_part(name: str, part: str) -> bytes:
    return zipped(parts(workbook(HEAD)) | {name: part})


OPEN_DOCUMENT = {"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "not an Excel workbook"),
        (b"<html>", "not an Excel workbook"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "an encrypted workbook, or one of Excel 97 to 2003"),
        (zipped(OPEN_DOCUMENT), "another kind of workbook"),
        (zipped({"xl/workbook.bin": "b"}), "another kind of workbook"),
        (zipped({"a": "b"}), "a zip archive, and no workbook"),
        (with_part("xl/Workbook.xml", "<a/>"), "two parts have the same name"),
        (workbook("")[:300], "the file is damaged"),
        (encrypted(), "the file is damaged"),
        (miscounted(), f"Bad CRC-32 for file '{S}'"),
        (packed(zipfile.ZIP_LZMA), "a part is packed in another way"),
        (sheet_twice(), "two sheets are the same part"),
        (with_part("xl/workbook.xml", "<workbook"), "the file is damaged"),
        (with_part("x.xml", "<!DOCTYPE a []><a/>"), "x.xml has a very long tag, a document type"),
        (with_part("x.xml", "<?xml version='1.0' encoding='cp037'?>"), "or another encoding"),
        (with_part("x.xml", f"<a {'b=1 ' * 16_000}/>"), "x.xml has a very long tag"),
        (zipped({"[Content_Types].xml": "<a/>"}), "the file is damaged"),
    ],
    ids=range(17),
)
def test_what_is_no_workbook_is_refused(content: bytes, problem: str) -> None:
    assert problem in refusal(content)


@pytest.mark.parametrize(
    ("bound", "most", "problem"),
    [
        ("_MOST_UNPACKED", 1 << 20, "unpacks to more than 1 MiB"),
        ("_MOST_ELEMENTS", 8_000, "it has too many cells or elements"),
        ("_MOST_OTHERS", 100, "it has too many cells or elements"),
    ],
)
def test_more_than_a_bound_is_refused(
    bound: str, most: int, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = workbook(f"{HEAD}<row>{'<c/>' * 8_000}</row>{' ' * (1 << 20)}")
    assert cells_of(content)
    monkeypatch.setattr(f"analyzer.reviews.xlsx_reader.{bound}", most)
    assert problem in refusal(content)


NARROW = "<row><c><v>1</v></c></row>"
FORMULA = f'<row><c><f t="shared" si="0">{"A1+" * 9000}1</f></c>'
BOMBS: dict[str, tuple[str, str, str, int, str]] = {
    "empty cells": (S, f"{SHEET}{HEAD}<row>", "<c/>", 95, f"</row>{END}"),
    "rows of cells": (S, SHEET + HEAD, NARROW, 16, END),
    "formulas": (S, SHEET + HEAD + FORMULA, '<c><f t="shared" si="0"/></c>', 15, f"</row>{END}"),
    "a text without an end": (S, f'{SHEET}{HEAD}<row><c t="str"><v>', "x" * 95, 50, ""),
    "elements in each other": (S, SHEET + HEAD, "<a>", 95, ""),
    "blanks": (S, SHEET + HEAD, " " * 95, 50, END),
    "merged cells": (
        S,
        f"{SHEET}{HEAD}</sheetData><mergeCells>",
        '<mergeCell ref="A1:XFD1048576"/>',
        90,
        "</mergeCells></worksheet>",
    ),
    "texts": (T, f'<sst xmlns="{MAIN}">', "<si><t>x</t></si>", 24, "</sst>"),
    "styles": ("xl/styles.xml", f'<styleSheet xmlns="{MAIN}"><cellXfs>', "<xf/>", 2, "</cellXfs>"),
}
"""The part of a small workbook that unpacks to much: how it begins, thousands of what, its end."""


def write_bomb(path: Path) -> None:
    part, start, text, thousands, end = BOMBS[path.name]
    unpacked = of_parts(S=f"{SHEET}{HEAD}{END}")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for other in set(unpacked) - {part}:
            archive.writestr(other, unpacked[other])
        archive.writestr(part, start + text * 1000 * thousands + end)


READ = """
import os, re, resource, sys
from pathlib import Path
from analyzer.errors import InputRefused
from analyzer.reviews import entries, list_sheets, xlsx_reader
SHARE = 20
xlsx_reader._MOST_UNPACKED //= SHARE
xlsx_reader._MOST_ELEMENTS //= SHARE
xlsx_reader._MOST_OTHERS //= SHARE
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
        sheets = xlsx_reader.read_sheets("x", content, ["Head"], "no text")
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
        assert path.stat().st_size < 1 << 20
    done = subprocess.run(
        [sys.executable, "-c", READ, *paths], capture_output=True, text=True, check=True
    )
    for name, line in zip(BOMBS, done.stdout.splitlines(), strict=True):
        _, megabytes, seconds = line.split()
        # What the reader needs for any file counts 20 times too.
        assert int(megabytes) < 800, name
        assert float(seconds) < 20, name
