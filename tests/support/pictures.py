"""Draw the picture of the review from the workbook that the program writes."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from textwrap import wrap
from typing import Any, Final
from xml.sax.saxutils import escape

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from analyzer.decisions.review_list_layout import ENTRY_HEADS
from tests.support.workbooks import console_file, head_row, heads_of, opened

_LIST: Final = "Unused users"
_LAST_HEAD: Final = "Age in days"
_ROWS: Final = 11
_DECISIONS: Final[tuple[tuple[str | date, ...], ...]] = (
    ("delete", "Ines Weber", date(2026, 3, 4), "SEC-101", ""),
    ("keep", "Ines Weber", date(2026, 3, 4), "", "Break-glass, tested in January"),
    ("deactivate", "Tom Brandt", date(2026, 3, 5), "SEC-102", ""),
    ("investigate", "Tom Brandt", date(2026, 3, 5), "SEC-103", "Ask the data team"),
)
_UNIT: Final = 7
_LINE: Final = 15
_LETTER: Final = 6.1
"""Pixels of a unit of width, of a line of text, and of a letter of it, rather too many."""


def review_picture() -> str:
    """Return an SVG picture of the first rows of the list, some of them decided."""
    book = opened(console_file())
    sheet = book[_LIST]
    heads, top = heads_of(sheet), head_row(sheet)
    for row, decided in enumerate(_DECISIONS, top + 1):
        for head, value in zip(ENTRY_HEADS, decided, strict=True):
            sheet.cell(row, heads.index(head) + 1, value)
    last = heads.index(_LAST_HEAD) + 1
    cells = list(sheet.iter_rows(min_row=top, max_row=top + _ROWS - 1, max_col=last))
    edges = _edges(_width(sheet, at) for at in range(1, last + 1))
    tops = _edges(max(map(len, map(_lines, row))) * _LINE + 6 for row in cells)
    drawn = [
        _cell(cell, edges[at : at + 2], tops[row : row + 2])
        for row, of_row in enumerate(cells)
        for at, cell in enumerate(of_row)
    ]
    bottom = tops[-1] + 24
    start = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {edges[-1]} {bottom}"'
        ' font-family="Arial, Liberation Sans, Helvetica, sans-serif" font-size="12">\n'
        f"<title>The sheet {_LIST} of a review</title>\n"
        f'<rect width="{edges[-1]}" height="{bottom}" fill="#FFFFFF"/>\n'
    )
    return start + "".join((*drawn, *_tabs(book.sheetnames, tops[-1]))) + "</svg>\n"


def _edges(sizes: Iterable[float]) -> list[int]:
    edges = [0]
    for size in sizes:
        edges.append(edges[-1] + round(size))
    return edges


def _width(sheet: Worksheet, at: int) -> float:
    return sheet.column_dimensions[get_column_letter(at)].width * _UNIT


def _lines(cell: Any) -> list[str]:
    """Return the lines of a cell's text, broken as its column is wide."""
    width = int(_width(cell.parent, cell.column) / _LETTER)
    return [part for line in _text(cell.value).split("\n") for part in wrap(line, width)] or [""]


def _text(value: Any) -> str:
    if isinstance(value, date | datetime):
        return f"{value:%Y-%m-%d}"
    return "" if value is None else str(value)


def _cell(cell: Any, across: list[int], down: list[int]) -> str:
    """Return a cell with its fill and its text, in the styles of the workbook."""
    (left, right), (top, bottom) = across, down
    fill = f"#{cell.fill.start_color.rgb[2:]}" if cell.fill.fill_type else "#FFFFFF"
    weight = ' font-weight="bold"' if cell.font.b else ""
    slant = ' font-style="italic"' if cell.font.i else ""
    style = f'fill="#{cell.font.color.rgb[2:]}"{weight}{slant}'
    texts = "".join(
        f'<text x="{left + 4}" y="{top + _LINE * number}" {style}>{escape(line)}</text>\n'
        for number, line in enumerate(_lines(cell), 1)
        if line
    )
    return (
        f'<rect x="{left}" y="{top}" width="{right - left}" height="{bottom - top}"'
        f' fill="{fill}" stroke="#D0D0D0"/>\n{texts}'
    )


def _tabs(titles: Iterable[str], top: int) -> Iterator[str]:
    """Yield the names of the sheets, as a spreadsheet program has them below."""
    left = 4
    for title in titles:
        weight = ' font-weight="bold" text-decoration="underline"' if title == _LIST else ""
        yield f'<text x="{left}" y="{top + 17}" fill="#1F3864"{weight}>{escape(title)}</text>\n'
        left += round(len(title) * 6.1) + 20
