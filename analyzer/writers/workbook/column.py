"""Build the columns of tables: each has a head, a width, and cells for a page or a frame."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Generic, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.model import AccountName, Page, ReportFile
from analyzer.moment_texts import utc_texts
from analyzer.review_columns import NOT_KNOWN, NOT_REPORTED, NOT_UNDERSTOOD
from analyzer.terms import NOT_SUPPORTED, State
from analyzer.writers.text_columns import TEXT_TYPE, Texts, mapped, text_column
from analyzer.writers.workbook import cells
from analyzer.writers.workbook.cells import blank
from analyzer.writers.workbook.style import CellStyle, Styles

Rows = TypeVar("Rows", Page, pd.DataFrame)

Read = Callable[[Rows], Texts]

NOT_SHOWN_FOR_ROOT: Final = "not reported"
NONE: Final = "none"
NO: Final = "no"
_NOTHING: Final = frozenset({NONE, NO, NOT_KNOWN, NOT_SHOWN_FOR_ROOT, str(State.ABSENT)})


@dataclass(frozen=True, slots=True)
class Cells(ABC, Generic[Rows]):
    """Make the cells of a column from what is read, and return what they show."""

    read: Callable[[Rows], Any]

    @abstractmethod
    def __call__(self, rows: Rows, styles: Styles) -> pa.Array | str:
        """Return the cells, or the one that all rows have."""

    def shown(self, rows: Rows) -> pa.Array:
        """Return what each cell shows as text (large_string), empty for an empty cell.

        A whole number is plain (`12`), a moment `2026-03-01T09:30:15Z`, a day `2026-03-01`.
        """
        return cells.shown(self.read(rows))


@dataclass(frozen=True, slots=True)
class Column(Generic[Rows]):
    """Define one column; a folded one is hidden at first, those that are not printed come last."""

    head: str
    width: float
    cells: Cells[Rows]
    folded: bool = False
    printed: bool = True


def blanks(rows: Sized) -> pa.Array:
    """Return an empty text for every row."""
    return coded_texts(np.zeros(len(rows), np.int8), ("",))


@dataclass(frozen=True, slots=True)
class EntryCells(Cells[Any]):
    """Leave cells empty for what a person enters: one of the choices, a date or any text."""

    read: Read[Any] = blanks
    choices: tuple[str, ...] = ()
    is_date: bool = False

    def __call__(self, _: Any, styles: Styles) -> str:
        """Return the one empty cell."""
        return blank(styles[CellStyle.INPUT_DAY if self.is_date else CellStyle.INPUT])


@dataclass(frozen=True, slots=True)
class TextCells(Cells[Rows]):
    """Show text that differs from row to row."""

    style: CellStyle = CellStyle.TEXT

    def __call__(self, rows: Rows, styles: Styles) -> pa.Array:
        """Return the cells."""
        return cells.texts(self.read(rows), styles[self.style])


def fact_style(word: str) -> CellStyle:
    """Return the style of a fact; what was not understood and what is absent have their own."""
    if word.endswith((NOT_UNDERSTOOD, NOT_REPORTED)):
        return CellStyle.NOT_UNDERSTOOD
    return CellStyle.FAINT if word in _NOTHING else CellStyle.TEXT


def neutral_style(_: str) -> CellStyle:
    """Return the style of words that mean neither good nor bad."""
    return CellStyle.TEXT


def style_by_name(word: str) -> CellStyle:
    """Return the style of that name."""
    return CellStyle(word) if word else CellStyle.TEXT


@dataclass(frozen=True, slots=True)
class WordCells(Cells[Rows]):
    """Show words that come again and again; each is spelled once."""

    style_of: Callable[[str], CellStyle] = fact_style

    def __call__(self, rows: Rows, styles: Styles) -> pa.Array:
        """Return the cells, each in the style of its word."""
        return cells.words(self.read(rows), lambda word: styles[self.style_of(word)])


class NumberCells(Cells[Rows]):
    """Show whole numbers from 0, nothing where one is not known."""

    __slots__ = ()

    def __call__(self, rows: Rows, styles: Styles) -> pa.Array:
        """Return the cells."""
        numbers = self.read(rows).fillna(-1).to_numpy(np.int64)
        return cells.numbers(numbers, styles[CellStyle.NUMBER])

    def shown(self, rows: Rows) -> pa.Array:
        """Return the digits."""
        numbers = self.read(rows).fillna(-1).to_numpy(np.int64)
        return pc.if_else(pa.array(numbers >= 0), pa.array(numbers).cast(TEXT_TYPE), "")


@dataclass(frozen=True, slots=True)
class MomentCells(Cells[Rows]):
    """Show dates with times, in UTC, and words where there is none."""

    otherwise: Read[Rows] = blanks
    style: ClassVar[CellStyle] = CellStyle.DATE
    text_length: ClassVar[int] = len("2026-03-01T09:30:15Z")

    def __call__(self, rows: Rows, styles: Styles) -> pa.Array:
        """Return the cells."""
        others = WordCells(self.otherwise)(rows, styles)
        return cells.moments(_seconds(self.read(rows)), styles[self.style], others)

    def shown(self, rows: Rows) -> pa.Array:
        """Return the moments as ISO text, else the words."""
        moments = _seconds(self.read(rows))
        texts = pc.utf8_slice_codeunits(utc_texts(pa.array(moments)), 0, self.text_length)
        others = cells.shown(self.otherwise(rows))
        return pc.if_else(cells.has_date(moments), texts.cast(TEXT_TYPE), others)


class DayCells(MomentCells[Rows]):
    """Show dates, and words where there is none."""

    __slots__ = ()
    style = CellStyle.DAY
    text_length = len("2026-03-01")


def _seconds(moments: pd.Series) -> np.ndarray:
    return moments.to_numpy("datetime64[s]")


def raw_if_unread(page: Page, column: str, words: Texts) -> Texts:
    """Return words, but the raw value where the report's cell was not understood."""
    if page.unread.empty or not (is_here := page.unread[columns.COLUMN] == column).any():
        return words
    here = page.unread[is_here]
    texts = text_column(words).to_pylist()
    is_root = page.users[columns.ARN].str.endswith(":root").to_numpy(bool)
    for position, value in zip(here[columns.POSITION], here[columns.VALUE], strict=True):
        texts[position] = _raw_text(value, is_root=is_root[position])
    return texts


def _raw_text(value: Any, *, is_root: bool) -> str:
    """Return a value that was not understood as the sheets show it."""
    if pd.isna(value):
        return NOT_REPORTED
    return (
        NOT_SHOWN_FOR_ROOT if is_root and value == NOT_SUPPORTED else f'"{value}"{NOT_UNDERSTOOD}'
    )


def unread_text(column: str) -> Read[Page]:
    """Read the report's cell where it was not understood, else nothing."""
    return lambda page: raw_if_unread(page, column, blanks(page))


def text_by_mask(mask: np.ndarray, yes: str, no: str) -> pa.Array:
    """Return one word where the mask holds, the other elsewhere."""
    return coded_texts(mask.astype(np.int8), (no, yes))


def coded_texts(codes: np.ndarray, words: Sequence[str]) -> pa.Array:
    """Return for each code the word at that place."""
    return pa.DictionaryArray.from_arrays(pa.array(codes), text_column(words))


def in_slot(slots: pd.DataFrame, slot: int) -> pd.DataFrame:
    """Return the rows of one slot, a user each."""
    users = len(slots) // len(columns.SLOTS)
    return slots.iloc[(slot - 1) * users : slot * users]


ColumnOf = Callable[[str], Callable[[Rows], pd.Series]]

NO_ACCOUNT: Final = "not known"


def from_users(name: str) -> Callable[[Page], pd.Series]:
    """Return where a fact of users lies in a page."""
    return lambda page: page.users[name]


def from_frame(name: str) -> Callable[[pd.DataFrame], pd.Series]:
    """Return where a fact lies in a frame."""
    return lambda frame: frame[name]


def account_text(account: str) -> str:
    """Return the account as the sheets show it; rows whose ARN names none have none."""
    return account or NO_ACCOUNT


AccountNames = Mapping[str, AccountName]


def named_user_columns(of: ColumnOf[Rows], names: AccountNames) -> tuple[Column[Rows], ...]:
    """Return the columns that identify a user, with the account's name where any is known."""
    identity = user_columns(of)
    return identity[:1] + account_name_columns(of, names) + identity[1:]


def account_name_columns(
    of: ColumnOf[Rows], names: AccountNames, width: float = 16
) -> tuple[Column[Rows], ...]:
    """Return the column of the account's name, none where no name is known."""
    known = {account: each.name for account, each in names.items()}
    return (_account_column(of, "Account name", width, known),) if known else ()


def account_owner_column(of: ColumnOf[Rows], names: AccountNames, width: float) -> Column[Rows]:
    """Return the column of the account's owner, empty where none is known."""
    known = {account: each.owner for account, each in names.items()}
    return _account_column(of, "Account owner", width, known)


def _account_column(
    of: ColumnOf[Rows], head: str, width: float, known: Mapping[str, str]
) -> Column[Rows]:
    account = of(columns.ACCOUNT)

    return Column(
        head,
        width,
        WordCells(
            lambda rows: mapped(account(rows), lambda each: known.get(each, "")), neutral_style
        ),
    )


def user_columns(of: ColumnOf[Rows]) -> tuple[Column[Rows], Column[Rows], Column[Rows]]:
    """Return the columns that identify a user."""
    account = of(columns.ACCOUNT)

    def accounts(rows: Rows) -> Texts:
        return mapped(account(rows), account_text)

    return (
        Column("Account", 13, WordCells(accounts, neutral_style)),
        Column("User", 22, TextCells(of(columns.USER))),
        Column("ARN", 34, TextCells(of(columns.ARN))),
    )


def source_columns(
    of: ColumnOf[Rows], files: Sequence[ReportFile]
) -> tuple[Column[Rows], Column[Rows]]:
    """Return the columns that say where in which report a row's facts stand."""
    names = text_column([file.name for file in files])
    file = of(columns.FILE)

    def reports(rows: Rows) -> Texts:
        return names.take(pa.array(file(rows)))

    return Column("Report", 26, WordCells(reports)), Column(
        "Row", 6.5, NumberCells(of(columns.ROW))
    )
