"""Define the kinds of columns: each has a head, a width, and cells for a page or a frame."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence, Sized
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, Final, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.decisions.review_columns import NOT_KNOWN, NOT_REPORTED, NOT_UNDERSTOOD
from analyzer.report.model import Page
from analyzer.report.values import utc_texts
from analyzer.terms import NOT_SUPPORTED, State
from analyzer.writers.text_columns import TEXT_TYPE, Texts, mapped, text_column
from analyzer.writers.workbook import cell_xml
from analyzer.writers.workbook.style import CellStyle, Styles

Rows: TypeAlias = Page | pd.DataFrame

Read: TypeAlias = str | Callable[[Any], Texts]
"""What gives a column's values: the name of a fact of the rows, or a function of them."""

NOT_SHOWN_FOR_ROOT: Final = "not reported"
NONE: Final = "none"
NO: Final = "no"
_NOTHING: Final = frozenset({NONE, NO, NOT_KNOWN, NOT_SHOWN_FOR_ROOT, str(State.ABSENT)})


def fact(rows: Rows, name: str) -> pd.Series:
    """Return a fact of the users of a page, or of the rows of a frame."""
    return (rows.users if isinstance(rows, Page) else rows)[name]


def _values(rows: Rows, read: Read) -> Any:
    return fact(rows, read) if isinstance(read, str) else read(rows)


def text_of(name: str, text: Callable[[str], str]) -> Read:
    """Read another text for each value of a fact."""
    return lambda rows: mapped(fact(rows, name), text)


def blanks(rows: Sized) -> pa.Array:
    """Return an empty text for every row."""
    return coded_texts(np.zeros(len(rows), np.int8), ("",))


@dataclass(frozen=True, slots=True)
class Column(ABC):
    """Define one column; a folded one is hidden at first, those that are not printed come last."""

    head: str
    width: float
    read: Read
    _: KW_ONLY
    folded: bool = False
    printed: bool = True

    @abstractmethod
    def cells(self, rows: Rows, styles: Styles) -> pa.Array | str:
        """Return the cells, or the one that all rows have."""

    def shown(self, rows: Rows) -> pa.Array:
        """Return what each cell shows as text (large_string), empty for an empty cell.

        A whole number is plain (`12`), a moment `2026-03-01T09:30:15Z`, a day `2026-03-01`.
        """
        return cell_xml.shown(_values(rows, self.read))


@dataclass(frozen=True, slots=True)
class EntryColumn(Column):
    """Leave cells empty for what a person enters: one of the choices, a date or any text."""

    read: Read = blanks
    choices: tuple[str, ...] = ()
    is_date: bool = False

    def cells(self, _: Rows, styles: Styles) -> str:
        """Return the one empty cell."""
        return cell_xml.blank(styles[CellStyle.INPUT_DAY if self.is_date else CellStyle.INPUT])


def fact_style(word: str) -> CellStyle:
    """Return the style of a fact; what was not understood and what is absent have their own."""
    if word.endswith((NOT_UNDERSTOOD, NOT_REPORTED)):
        return CellStyle.NOT_UNDERSTOOD
    return CellStyle.FAINT if word in _NOTHING else CellStyle.TEXT


def style_by_name(word: str) -> CellStyle:
    """Return the style of that name."""
    return CellStyle(word) if word else CellStyle.TEXT


StyleOf: TypeAlias = Callable[[str], CellStyle]


def style_among(styles: Mapping[str, CellStyle]) -> StyleOf:
    """Return the style that some words have; others are neutral."""
    return lambda word: styles.get(word, CellStyle.TEXT)


@dataclass(frozen=True, slots=True)
class TextColumn(Column):
    """Show text in one style, or words that come again and again, each in its own."""

    style: CellStyle | StyleOf = CellStyle.TEXT

    def cells(self, rows: Rows, styles: Styles) -> pa.Array:
        """Return the cells."""
        texts, style = _values(rows, self.read), self.style
        if isinstance(style, CellStyle):
            return cell_xml.texts(texts, styles[style])
        return cell_xml.words(texts, lambda word: styles[style(word)])


@dataclass(frozen=True, slots=True)
class NumberColumn(Column):
    """Show whole numbers from 0, nothing where one is not known."""

    style: ClassVar[CellStyle] = CellStyle.NUMBER
    kind: ClassVar[type[np.number]] = np.int64

    def cells(self, rows: Rows, styles: Styles) -> pa.Array:
        """Return the cells."""
        return cell_xml.numbers(self._numbers(rows), styles[self.style])

    def shown(self, rows: Rows) -> pa.Array:
        """Return the digits."""
        numbers = self._numbers(rows)
        return pc.if_else(pa.array(numbers >= 0), pa.array(numbers).cast(TEXT_TYPE), "")

    def _numbers(self, rows: Rows) -> np.ndarray:
        numbers: np.ndarray = _values(rows, self.read).fillna(-1).to_numpy(self.kind)
        return numbers


@dataclass(frozen=True, slots=True)
class DecimalColumn(NumberColumn):
    """Show numbers from 0 with their decimals, nothing where one is missing."""

    style: ClassVar[CellStyle] = CellStyle.DECIMAL
    kind: ClassVar[type[np.number]] = np.float64


@dataclass(frozen=True, slots=True)
class MomentColumn(Column):
    """Show dates with times, in UTC, and words where there is none."""

    otherwise: Read = blanks
    style: ClassVar[CellStyle] = CellStyle.DATE
    text_length: ClassVar[int] = len("2026-03-01T09:30:15Z")

    def cells(self, rows: Rows, styles: Styles) -> pa.Array:
        """Return the cells."""
        words = _values(rows, self.otherwise)
        others = cell_xml.words(words, lambda word: styles[fact_style(word)])
        return cell_xml.moments(self._seconds(rows), styles[self.style], others)

    def shown(self, rows: Rows) -> pa.Array:
        """Return the moments as ISO text, else the words."""
        moments = self._seconds(rows)
        texts = pc.utf8_slice_codeunits(utc_texts(pa.array(moments)), 0, self.text_length)
        others = cell_xml.shown(_values(rows, self.otherwise))
        return pc.if_else(cell_xml.has_date(moments), texts.cast(TEXT_TYPE), others)

    def _seconds(self, rows: Rows) -> np.ndarray:
        moments: np.ndarray = _values(rows, self.read).to_numpy("datetime64[s]")
        return moments


@dataclass(frozen=True, slots=True)
class DayColumn(MomentColumn):
    """Show dates, and words where there is none."""

    style: ClassVar[CellStyle] = CellStyle.DAY
    text_length: ClassVar[int] = len("2026-03-01")


def raw_if_unread(page: Page, column: str, words: Texts) -> Texts:
    """Return words, but the raw value where the report's cell was not understood."""
    if page.unread.empty or not (is_here := page.unread[columns.COLUMN] == column).any():
        return words
    here = page.unread[is_here]
    texts = text_column(words).to_pylist()
    is_root = page.users[columns.ARN].str.endswith(":root").to_numpy(bool)
    for position, value in zip(here[columns.POSITION], here[columns.VALUE], strict=True):
        if pd.isna(value):
            texts[position] = NOT_REPORTED
        elif is_root[position] and value == NOT_SUPPORTED:
            texts[position] = NOT_SHOWN_FOR_ROOT
        else:
            texts[position] = f'"{value}"{NOT_UNDERSTOOD}'
    return texts


def unread_text(column: str) -> Read:
    """Read the report's cell where it was not understood, else nothing."""
    return lambda page: raw_if_unread(page, column, blanks(page))


def text_by_mask(mask: np.ndarray, yes: str, no: str) -> pa.Array:
    """Return one word where the mask holds, the other elsewhere."""
    return coded_texts(mask.astype(np.int8), (no, yes))


def coded_texts(codes: np.ndarray, words: Sequence[str]) -> pa.Array:
    """Return for each code the word at that place."""
    return pa.DictionaryArray.from_arrays(pa.array(codes), text_column(words))
