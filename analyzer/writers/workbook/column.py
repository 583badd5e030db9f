"""Define the kinds of columns, and write their cells as SpreadsheetML, from the style on.

Arrow writes all cells of a page or frame at once, in a fifteenth of the time. Text is always text:
no text of a report becomes a formula or a number.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence, Sized
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime
from functools import partial
from html import escape
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.decisions.review_list_layout import (
    NOT_KNOWN,
    NOT_REPORTED,
    NOT_UNDERSTOOD,
    minute_text,
)
from analyzer.report.users import Users
from analyzer.report.values import joined, utc_texts
from analyzer.terms import NOT_SUPPORTED, SlotState
from analyzer.writers.tables import TEXT_TYPE, Texts, contains, mapped, text_column
from analyzer.writers.workbook.book import CellStyle, Styles

Rows: TypeAlias = Users | pd.DataFrame

ValuesOf: TypeAlias = str | Callable[[Any], Texts]
"""The source of a column's values: the name of a column of the rows, or a function of the rows."""

NOT_SHOWN_FOR_ROOT: Final = "not reported"
NONE: Final = "none"
NO: Final = "no"
_WORDS_FOR_NOTHING: Final = frozenset(
    {NONE, NO, NOT_KNOWN, NOT_SHOWN_FOR_ROOT, str(SlotState.ABSENT)}
)


def column_of(rows: Rows, name: str) -> pd.Series:
    """Return the column with this name of a frame, or of the users of a page."""
    return (rows.users if isinstance(rows, Users) else rows)[name]


def _values(rows: Rows, of: ValuesOf) -> Any:
    return column_of(rows, of) if isinstance(of, str) else of(rows)


def mapped_values(name: str, text: Callable[[str], str]) -> ValuesOf:
    """Return a source of values: those of a column, each replaced by another text."""
    return lambda rows: mapped(column_of(rows, name), text)


def blanks(rows: Sized) -> pa.Array:
    """Return an empty text for every row."""
    return coded_texts(np.zeros(len(rows), np.int8), ("",))


@dataclass(frozen=True, slots=True)
class Column(ABC):
    """Define one column; those that are not `printed` come last."""

    head: str
    width: float
    values_of: ValuesOf
    _: KW_ONLY
    printed: bool = True

    @abstractmethod
    def cells(self, rows: Rows, styles: Styles) -> pa.Array | str:
        """Return the cells, or one cell if it is the same in all rows."""

    def shown(self, rows: Rows) -> pa.Array:
        """Return the shown value of each cell as text (large_string), empty for an empty cell.

        A whole number is plain (`12`), a moment `2026-03-01T09:30:15Z`, a day `2026-03-01`.
        """
        return shown_in_cells(_values(rows, self.values_of))

    def in_words(self, text: str) -> str:
        """Return a shown text as a sentence has it."""
        return text


@dataclass(frozen=True, slots=True)
class EntryColumn(Column):
    """Leave cells empty for a reviewer to enter one of the choices, a date or any text."""

    values_of: ValuesOf = blanks
    choices: tuple[str, ...] = ()
    is_date: bool = False

    def cells(self, _: Rows, styles: Styles) -> str:
        """Return the same empty cell for all rows."""
        return blank_cell(styles[CellStyle.INPUT_DAY if self.is_date else CellStyle.INPUT])


def fact_style(word: str) -> CellStyle:
    """Return the style of a fact; values not understood and words for nothing have their own."""
    if word.endswith((NOT_UNDERSTOOD, NOT_REPORTED)):
        return CellStyle.NOT_UNDERSTOOD
    return CellStyle.FAINT if word in _WORDS_FOR_NOTHING else CellStyle.TEXT


def style_by_name(word: str) -> CellStyle:
    """Return the style of that name."""
    return CellStyle(word) if word else CellStyle.TEXT


StyleOf: TypeAlias = Callable[[str], CellStyle]


def check_style(word: str) -> CellStyle:
    """Return the style of a fact that asks for attention, if there is one."""
    return CellStyle.CHECK if word else CellStyle.TEXT


@dataclass(frozen=True, slots=True)
class TextColumn(Column):
    """Show text in one style, or words that repeat, each in its own style."""

    style: CellStyle | StyleOf = CellStyle.TEXT

    def cells(self, rows: Rows, styles: Styles) -> pa.Array:
        """Return the cells."""
        texts, style = _values(rows, self.values_of), self.style
        if isinstance(style, CellStyle):
            return text_cells(texts, styles[style])
        return word_cells(texts, lambda word: styles[style(word)])


@dataclass(frozen=True, slots=True)
class NumberColumn(Column):
    """Show numbers from 0, whole or with decimals; a cell is empty if its number is unknown."""

    _: KW_ONLY
    has_decimals: bool = False

    def cells(self, rows: Rows, styles: Styles) -> pa.Array:
        """Return the cells."""
        style = styles[CellStyle.DECIMAL if self.has_decimals else CellStyle.NUMBER]
        digits = self.shown(rows)
        cells = joined(f' s="{style}"><v>', digits, "</v></c>")
        return pc.if_else(pc.equal(digits, ""), blank_cell(style), cells)

    def shown(self, rows: Rows) -> pa.Array:
        """Return the digits."""
        kind = np.float64 if self.has_decimals else np.int64
        numbers = _values(rows, self.values_of).fillna(-1).to_numpy(kind)
        return pc.if_else(pa.array(numbers >= 0), pa.array(numbers).cast(TEXT_TYPE), "")


@dataclass(frozen=True, slots=True)
class MomentColumn(Column):
    """Show times in UTC, or days; words if there is none, or it is before 1900."""

    otherwise: ValuesOf = blanks
    _: KW_ONLY
    is_day: bool = False

    def cells(self, rows: Rows, styles: Styles) -> pa.Array:
        """Return the cells."""
        words = _values(rows, self.otherwise)
        others = word_cells(words, lambda word: styles[fact_style(word)])
        style = styles[CellStyle.DAY if self.is_day else CellStyle.DATE]
        moments = self._moments(rows)
        seconds = moments.astype(np.int64)
        digits = pa.array(seconds / _DAY_SECONDS + _EPOCH_DAYS).cast(TEXT_TYPE)
        digits = pc.if_else(pa.array(seconds % _DAY_SECONDS == 0), joined(digits, ".0"), digits)
        cells = joined(f' s="{style}"><v>', digits, "</v></c>")
        return pc.if_else(pa.array(moments >= _FIRST_DATE), cells, others)

    def shown(self, rows: Rows) -> pa.Array:
        """Return the moments as ISO text, else the words."""
        moments = self._moments(rows)
        length = len("2026-03-01" if self.is_day else "2026-03-01T09:30:15Z")
        texts = pc.utf8_slice_codeunits(utc_texts(pa.array(moments)), 0, length)
        others = shown_in_cells(_values(rows, self.otherwise))
        return pc.if_else(pa.array(moments >= _FIRST_DATE), texts.cast(TEXT_TYPE), others)

    def in_words(self, text: str) -> str:
        """Return a moment to the minute, as its cell shows it; the head says UTC."""
        return minute_text(text)

    def _moments(self, rows: Rows) -> np.ndarray:
        moments: np.ndarray = _values(rows, self.values_of).to_numpy("datetime64[s]")
        return moments


DayColumn: Final = partial(MomentColumn, is_day=True)  # shows dates without times


def raw_if_unread(page: Users, column: str, words: Texts) -> Texts:
    """Return words, but the raw value if the report's cell was not understood."""
    at, cells = page.unread_cells(column)
    if not len(at):
        return words
    texts = text_column(words).to_pylist()
    is_root = page.users[columns.ARN].str.endswith(":root").to_numpy(bool)
    for position, value in zip(at.tolist(), cells, strict=True):
        if pd.isna(value):
            texts[position] = NOT_REPORTED
        elif is_root[position] and value == NOT_SUPPORTED:
            texts[position] = NOT_SHOWN_FOR_ROOT
        else:
            texts[position] = f'"{value}"{NOT_UNDERSTOOD}'
    return texts


def unread_text(column: str) -> ValuesOf:
    """Return a source of values: raw cells that were not understood, else empty text."""
    return lambda page: raw_if_unread(page, column, blanks(page))


def text_by_mask(mask: np.ndarray, yes: str, no: str) -> pa.Array:
    """Return `yes` for each true value of a mask, `no` for each false one."""
    return coded_texts(mask.astype(np.int8), (no, yes))


def coded_texts(codes: np.ndarray, words: Sequence[str]) -> pa.Array:
    """Return the word at the position that each code gives."""
    return pa.DictionaryArray.from_arrays(pa.array(codes), text_column(words))


# Cells

LONGEST: Final = 32_767  # the most characters (UTF-16 code units) that a cell holds
CUT: Final = " … [cut: a cell holds no more]"
_SPECIAL: Final = re.compile(r"[&<>\x00-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)|^ | $")
_ESCAPED: Final = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_MARKS: Final = (b"&", b"<", b">", b"_x", b"\xef\xbf\xbe", b"\xef\xbf\xbf")
"""The bytes that `_SPECIAL` finds, besides those below a space, and spaces at the ends."""

_EPOCH: Final = datetime(1899, 12, 30, tzinfo=UTC)
_FIRST_DATE: Final = np.datetime64("1899-12-30", "s")
_EPOCH_DAYS: Final = (datetime(1970, 1, 1, tzinfo=UTC) - _EPOCH).days
_DAY_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True)
class Formula:
    """Hold a formula with the result that it has now, for programs that do not recalculate."""

    expression: str
    result: str | int


Value = str | int | datetime | Formula


def blank_cell(style: int) -> str:
    """Return an empty cell."""
    return f' s="{style}"/>'


def text_cell(value: str, style: int) -> str:
    """Return a cell of text, exactly as it is; empty text is an empty cell."""
    if not value:
        return blank_cell(style)
    if len(value) * 2 > LONGEST or _SPECIAL.search(value):
        # Spreadsheets write characters that XML forbids as `_x0001_`.
        spelled = _ESCAPED.sub(lambda match: f"_x{ord(match[0]):04X}_", _cut_text(value))
        escaped = escape(spelled, quote=False)
        return f' s="{style}" t="inlineStr"><is><t xml:space="preserve">{escaped}</t></is></c>'
    return f' s="{style}" t="inlineStr"><is><t>{value}</t></is></c>'


def text_cells(values: Texts, style: int) -> pa.Array:
    """Return a cell of text for each value, as `text_cell` does."""
    column = text_column(values)
    longest = pc.max(pc.binary_length(column)).as_py() or 0
    at_ends = pc.or_(pc.starts_with(column, " "), pc.ends_with(column, " "))
    # This may catch a text that needs no escape: then it only takes longer.
    if longest * 2 > LONGEST or contains(column, _MARKS, below=b" ") or pc.any(at_ends).as_py():
        return word_cells(column, lambda _: style)
    cells = joined(f' s="{style}" t="inlineStr"><is><t>', column, "</t></is></c>")
    return pc.if_else(pc.not_equal(column, ""), cells, blank_cell(style))


def shown_in_cells(values: Texts) -> pa.Array:
    """Return each text as its cell shows it (large_string): cut if a cell holds no more."""
    column = text_column(values)
    longest = pc.max(pc.binary_length(column)).as_py() or 0
    return text_column(mapped(column, _cut_text)) if longest > LONGEST else column


def word_cells(values: Texts, style_of: Callable[[str], int]) -> pa.Array:
    """Return a cell of text for each value; each distinct one is written once, in its style."""
    return text_column(mapped(values, lambda word: text_cell(word, style_of(word))))


def cell_of(value: Value, style: int) -> str:
    """Return a cell of any value; a moment must have a zone, and is shown in UTC."""
    match value:
        case str():
            return text_cell(value, style)
        case datetime():
            days = (value - _EPOCH).total_seconds() / _DAY_SECONDS
            return f' s="{style}"><v>{days}</v></c>'
        case Formula(expression, result):
            kind = ' t="str"' if isinstance(result, str) else ""
            first, second = (escape(str(part), quote=False) for part in (expression, result))
            return f' s="{style}"{kind}><f>{first}</f><v>{second}</v></c>'
    return f' s="{style}"><v>{value}</v></c>'


def _cut_text(value: str) -> str:
    units = value.encode("utf-16-le")
    if len(units) <= 2 * LONGEST:
        return value
    return units[: 2 * (LONGEST - len(CUT))].decode("utf-16-le", "ignore") + CUT
