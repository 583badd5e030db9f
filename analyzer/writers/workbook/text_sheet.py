"""Lay out a sheet of prose and small tables, on columns of its own."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from textwrap import wrap
from typing import Final, TypeAlias

from openpyxl.formatting.rule import Rule
from openpyxl.styles import Font
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.worksheet.cell_range import CellRange
from openpyxl.worksheet.pagebreak import Break

from analyzer.decisions.review_columns import DIFFERS, OK
from analyzer.writers.workbook.book import Book, Title, set_widths
from analyzer.writers.workbook.column import Formula, Value, blank_cell, cell_of
from analyzer.writers.workbook.style import ALARM, CellStyle

_LINE: Final = 1.35
"""The height of a line of text in units of its font's size."""

_HEAD_HEIGHT: Final = 28
"""Two lines: the heads of narrow columns are broken."""

_FULL_SIZE: Final = 10
"""A column of width 1 holds one digit of this size."""

_PROSE_RATIO: Final = 1.15
"""How many letters of prose fit where one digit does; rather too few than too many."""


@dataclass(frozen=True, slots=True)
class SpannedCell:
    """Show a value with a style, across one or more columns."""

    value: Value
    style: CellStyle = CellStyle.TEXT
    span: int = 1


Part: TypeAlias = SpannedCell | Value
"""A part of a row; a bare text or number takes one column, in the usual style."""

NOT_APPLICABLE: Final = SpannedCell("–", CellStyle.NONE)  # noqa: RUF001  as printed tables have it


def head(text: str, span: int = 1) -> SpannedCell:
    """Return the head of a column of texts."""
    return SpannedCell(text, CellStyle.HEADER, span)


def label(text: str) -> SpannedCell:
    """Return what a row is about."""
    return SpannedCell(text, CellStyle.LABEL)


def total(value: Value) -> SpannedCell:
    """Return a number that sums up others."""
    return SpannedCell(value, CellStyle.TOTAL)


def check(condition: str, *, holds: bool) -> SpannedCell:
    """Return whether a condition holds, as a formula that says so."""
    formula = Formula(f'IF({condition},"{OK}","{DIFFERS}")', OK if holds else DIFFERS)
    return SpannedCell(formula, CellStyle.SUCCESS)


class TextSheet:
    """Add rows of parts, each as high as its text needs; merged cells do not grow by themselves."""

    def __init__(self, book: Book, title: Title, widths: tuple[float, ...]) -> None:
        """Begin a sheet."""
        self._sheet = book.sheet(title)
        self.frame = self._sheet.frame
        self._styles = book.styles
        self._widths = widths
        set_widths(self.frame, widths)
        self.frame.sheet_view.showGridLines = False

    @property
    def next_row(self) -> int:
        """Return the number of the row that is added next."""
        return self._sheet.row + 1

    def row(self, *parts: Part, height: float = 0) -> int:
        """Add a row, at least so high, and return its number; a last bare text takes the rest."""
        cells: list[str] = []
        heights = [height]
        *others, last = (_spanned(part) for part in parts)
        if isinstance(parts[-1], str):
            last = replace(last, span=len(self._widths) - sum(part.span for part in others))
        for part in (*others, last):
            start, style = len(cells), self._styles[part.style]
            cells += [cell_of(part.value, style), *[blank_cell(style)] * (part.span - 1)]
            heights.append(_height(part, sum(self._widths[start : len(cells)])))
            if part.span > 1:
                # The `add` of all merged cells looks at each of them first: slow for thousands.
                merged = CellRange(None, start + 1, self.next_row, len(cells), self.next_row)
                self.frame.merged_cells.ranges.add(merged)
        return self._sheet.add(cells, max(heights))

    def full_row(self, text: str, style: CellStyle) -> None:
        """Add a text across the whole sheet."""
        self.row(SpannedCell(text, style, len(self._widths)))

    def space(self, rows: int = 1) -> None:
        """Leave rows empty."""
        self._sheet.skip(rows)

    def section(self, title: str) -> None:
        """Add the heading of a section."""
        self.space()
        self.full_row(title, CellStyle.SECTION)

    def text_section(
        self, title: str, named: Iterable[tuple[str, str]], *, styled: bool = False
    ) -> None:
        """Add a section of names, and a text on each; `styled` words have styles of their own."""
        self.section(title)
        for name, text in named:
            self.named_text(str(name), text, CellStyle(name) if styled else CellStyle.LABEL)

    def named_text(self, name: str, text: str, style: CellStyle = CellStyle.LABEL) -> None:
        """Add a name, and a text on it that takes the rest of the row."""
        self.row(SpannedCell(name, style), text)

    def next_page(self) -> None:
        """Have what follows printed on a page of its own."""
        self.frame.row_breaks.append(Break(id=self._sheet.row))

    def table_head(self, *heads: str | SpannedCell) -> int:
        """Add the heads of a table; a bare one stands over numbers in one column."""
        parts = (
            SpannedCell(head, CellStyle.COUNT_HEADER) if isinstance(head, str) else head
            for head in heads
        )
        return self.row(*parts, height=_HEAD_HEIGHT)

    def reference(self, letter: str, rows: range) -> str:
        """Return where cells of a column are, as charts name it."""
        return f"'{self.frame.title}'!${letter}${rows.start}:${letter}${rows.stop - 1}"

    def ignore_number_warning(self, cells: str) -> None:
        """Have Excel not warn of text that looks like a number in these cells."""
        self._sheet.number_like = f"{self._sheet.number_like} {cells}".strip()

    def alarm(self, cells: str) -> None:
        """Have the checks in these cells of one column turn red where they fail."""
        red = DifferentialStyle(font=Font(bold=True, color="FFFFFF"), fill=ALARM)
        rule = Rule(type="cellIs", operator="equal", formula=[f'"{DIFFERS}"'], dxf=red)
        self.frame.conditional_formatting.add(cells, rule)


def _spanned(part: Part) -> SpannedCell:
    if isinstance(part, SpannedCell):
        return part
    return SpannedCell(part, CellStyle.TEXT if isinstance(part, str) else CellStyle.NUMBER)


def _height(part: SpannedCell, width: float) -> float:
    size = part.style.look.size
    value = part.value.result if isinstance(part.value, Formula) else part.value
    fits = max(int(width * _FULL_SIZE / size * _PROSE_RATIO) - 1, 1)
    text = value if isinstance(value, str) else ""
    lines = sum(len(wrap(line, fits)) if len(line) > fits else 1 for line in text.split("\n"))
    return round(lines * size * _LINE + 3, 1)
