"""Lay out a sheet of prose and small tables, on columns of its own."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from textwrap import wrap
from typing import Final, TypeAlias

from openpyxl.formatting.rule import Rule
from openpyxl.styles import Font
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.worksheet.cell_range import CellRange
from openpyxl.worksheet.pagebreak import Break

from analyzer.writers.workbook.book import ALARM, Book, CellStyle, SheetName, set_widths
from analyzer.writers.workbook.column import Formula, Value, blank_cell, cell_of

_LINE_HEIGHT: Final = 1.35  # the height of a line of text, in font sizes
_HEAD_HEIGHT: Final = 28  # two lines: the heads of narrow columns are broken
_FULL_SIZE: Final = 10  # a column of width 1 holds one digit of this size
_PROSE_RATIO: Final = 1.15  # letters of prose in a digit's width; rather too low than too high
_BOLD_RATIO: Final = 1.0  # the same for bold letters and digits
_HIGHEST: Final = 409  # the greatest height of a row in Excel, in points


@dataclass(frozen=True, slots=True)
class SpannedCell:
    """Show a value with a style, across one or more columns."""

    value: Value
    style: CellStyle = CellStyle.TEXT
    span: int = 1


Part: TypeAlias = SpannedCell | Value
"""A part of a row; a bare text or number takes one column, in the usual style."""

_OK: Final = "OK"
_DIFFERS: Final = "DIFFERS"
NOT_APPLICABLE: Final = SpannedCell("–", CellStyle.NONE)  # noqa: RUF001  as printed tables have it


label: Final = partial(SpannedCell, style=CellStyle.LABEL)  # what a row is about
total: Final = partial(SpannedCell, style=CellStyle.TOTAL)  # a number that sums up others


def head(text: str, span: int = 1) -> SpannedCell:
    """Return the head of a column of texts."""
    return SpannedCell(text, CellStyle.HEADER, span)


def check(condition: str, *, holds: bool) -> SpannedCell:
    """Return a cell whose formula shows whether a condition holds."""
    formula = Formula(f'IF({condition},"{_OK}","{_DIFFERS}")', _OK if holds else _DIFFERS)
    return SpannedCell(formula, CellStyle.SUCCESS)


class TextSheet:
    """Add rows of parts, each as high as its text: programs do not fit merged cells."""

    def __init__(self, book: Book, title: SheetName, widths: tuple[float, ...]) -> None:
        """Begin a sheet."""
        self._sheet = book.sheet(title)
        self.worksheet = self._sheet.worksheet
        self._styles = book.styles
        self._widths = widths
        set_widths(self.worksheet, widths)
        self.worksheet.sheet_view.showGridLines = False

    @property
    def next_row(self) -> int:
        """Return the number of the next row."""
        return self._sheet.row + 1

    def row(self, *parts: Part, height: float = 0) -> int:
        """Add a row of at least `height`, and return its number; a last bare text fills the row."""
        cells: list[str] = []
        heights = [height]
        *others, last = map(_spanned, parts)
        if isinstance(parts[-1], str):
            last = replace(last, span=len(self._widths) - sum(part.span for part in others))
        for part in (*others, last):
            start, style = len(cells), self._styles[part.style]
            cells += [cell_of(part.value, style)] + [blank_cell(style)] * (part.span - 1)
            heights.append(_height(part, sum(self._widths[start : len(cells)])))
            if part.span > 1:
                # `merged_cells.add` first compares all merged cells: slow for thousands.
                merged = CellRange(None, start + 1, self.next_row, len(cells), self.next_row)
                self.worksheet.merged_cells.ranges.add(merged)
        return self._sheet.add(cells, max(heights))

    def full_row(self, text: str, style: CellStyle = CellStyle.TEXT) -> None:
        """Add a text across the whole sheet."""
        self.row(SpannedCell(text, style, len(self._widths)))

    def hidden_row(self, text: str) -> None:
        """Add a hidden row with a text in its first cell."""
        self._sheet.add([cell_of(text, self._styles[CellStyle.TEXT])], is_hidden=True)

    def section(self, title: str) -> None:
        """Add the heading of a section."""
        self._sheet.row += 1
        self.full_row(title, CellStyle.SECTION)

    def text_section(self, title: str, named: Iterable[tuple[str, str]]) -> None:
        """Add a section of names, each with a text."""
        self.section(title)
        for name, text in named:
            self.named_text(name, text)

    def named_text(self, name: str, text: str) -> None:
        """Add a name, with a text that takes the rest of the row."""
        self.row(label(name), text)

    def next_page(self) -> None:
        """Begin a new printed page."""
        self.worksheet.row_breaks.append(Break(id=self._sheet.row))

    def table_head(self, *heads: str | SpannedCell) -> int:
        """Add the heads of a table; a bare one stands over numbers in one column."""
        parts = (
            SpannedCell(head, CellStyle.COUNT_HEADER) if isinstance(head, str) else head
            for head in heads
        )
        return self.row(*parts, height=_HEAD_HEIGHT)

    def ignore_number_warning(self, cells: str) -> None:
        """Switch off Excel's warning of text that looks like a number in these cells."""
        self._sheet.number_like = f"{self._sheet.number_like} {cells}".strip()

    def alarm(self, cells: str) -> None:
        """Show failed checks in these cells of one column in red."""
        red = DifferentialStyle(font=Font(bold=True, color="FFFFFF"), fill=ALARM)
        rule = Rule(type="cellIs", operator="equal", formula=[f'"{_DIFFERS}"'], dxf=red)
        self.worksheet.conditional_formatting.add(cells, rule)


def _spanned(part: Part) -> SpannedCell:
    if isinstance(part, SpannedCell):
        return part
    return SpannedCell(part, CellStyle.TEXT if isinstance(part, str) else CellStyle.NUMBER)


def _height(part: SpannedCell, width: float) -> float:
    size = part.style.look.size
    value = part.value.result if isinstance(part.value, Formula) else part.value
    ratio = _BOLD_RATIO if part.style.look.bold else _PROSE_RATIO
    fits = max(int(width * _FULL_SIZE / size * ratio) - 1, 1)
    # Programs also break paths at `/`.
    text = value.replace("/", "/ ") if isinstance(value, str) else ""
    lines = sum(len(wrap(line, fits)) if len(line) > fits else 1 for line in text.split("\n"))
    return min(round(lines * size * _LINE_HEIGHT + 3, 1), _HIGHEST)
