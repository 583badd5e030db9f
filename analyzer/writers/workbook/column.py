"""Build the columns of tables: each has a head, a width, and cells for a page or a frame."""

from collections.abc import Callable, Mapping, Sequence, Sized
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa

from analyzer import columns
from analyzer.model import AccountName, Page, ReportFile
from analyzer.review_columns import NOT_KNOWN, NOT_REPORTED, NOT_UNDERSTOOD
from analyzer.terms import NOT_SUPPORTED, State
from analyzer.writers.text_columns import Texts, mapped, text_column
from analyzer.writers.workbook import cells
from analyzer.writers.workbook.cells import blank
from analyzer.writers.workbook.style import CellStyle, Styles

Rows = TypeVar("Rows", Page, pd.DataFrame)

Read = Callable[[Rows], Texts]

Cells = Callable[[Rows, Styles], pa.Array | str]
"""Make the cells of a column, or the one that all rows have."""

NOT_SHOWN_FOR_ROOT: Final = "not reported"
NONE: Final = "none"
NO: Final = "no"
_NOTHING: Final = frozenset({NONE, NO, NOT_KNOWN, NOT_SHOWN_FOR_ROOT, str(State.ABSENT)})


@dataclass(frozen=True, slots=True, kw_only=True)
class InputValidation:
    """Define what a reviewer enters: one of the choices, a date or any text, with a prompt."""

    prompt: str = ""
    choices: tuple[str, ...] = ()
    is_date: bool = False


@dataclass(frozen=True, slots=True)
class Column(Generic[Rows]):
    """Define one column; `entry` is what a reviewer enters, a folded one is hidden at first."""

    head: str
    width: float
    cells: Cells[Rows]
    entry: InputValidation | None = None
    folded: bool = False


def text_cells(read: Read[Rows], style: CellStyle = CellStyle.TEXT) -> Cells[Rows]:
    """Make cells of text that differs from row to row."""
    return lambda rows, styles: cells.texts(read(rows), styles[style])


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


def repeated_text_cells(
    read: Read[Rows], style_of: Callable[[str], CellStyle] = fact_style
) -> Cells[Rows]:
    """Make cells of words that come again and again; each is spelled once."""
    return lambda rows, styles: cells.words(read(rows), lambda word: styles[style_of(word)])


def number_cells(read: Callable[[Rows], pd.Series]) -> Cells[Rows]:
    """Make cells of whole numbers, empty where one is not known."""
    return lambda rows, styles: cells.numbers(
        read(rows).fillna(-1).to_numpy(np.int64), styles[CellStyle.NUMBER]
    )


def moment_cells(read: Callable[[Rows], pd.Series], otherwise: Read[Rows]) -> Cells[Rows]:
    """Make cells of dates with times, in UTC, and words where there is none."""
    others = repeated_text_cells(otherwise)
    return lambda rows, styles: cells.moments(
        _seconds(read(rows)), styles[CellStyle.DATE], others(rows, styles)
    )


def day_cells(read: Callable[[Rows], pd.Series], style: CellStyle = CellStyle.DAY) -> Cells[Rows]:
    """Make cells of dates, empty where there is none."""
    return lambda rows, styles: cells.moments(
        _seconds(read(rows)), styles[style], blank(styles[style])
    )


def _seconds(moments: pd.Series) -> np.ndarray:
    return moments.to_numpy("datetime64[s]")


def input_cells(style: CellStyle) -> Cells[Any]:
    """Make cells that a reviewer fills."""
    return lambda _, styles: blank(styles[style])


def reviewer_text_cells(name: str) -> Cells[Page]:
    """Make cells that a reviewer fills, with the earlier text where users have that column."""
    filled = repeated_text_cells(from_users(name), _input_style)
    empty = input_cells(CellStyle.INPUT)
    return lambda page, styles: (filled if name in page.users else empty)(page, styles)


def reviewer_day_cells(name: str) -> Cells[Page]:
    """Make cells for dates that a reviewer fills, with the earlier date likewise."""
    filled = day_cells(from_users(name), CellStyle.INPUT_DAY)
    empty = input_cells(CellStyle.INPUT_DAY)
    return lambda page, styles: (filled if name in page.users else empty)(page, styles)


def _input_style(text: str) -> CellStyle:
    return CellStyle.INPUT_TEXT if text else CellStyle.INPUT


def blanks(rows: Sized) -> pa.Array:
    """Return an empty text for every row."""
    return coded_texts(np.zeros(len(rows), np.int8), ("",))


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


def account_owner_columns(
    of: ColumnOf[Rows], names: AccountNames, width: float
) -> tuple[Column[Rows], ...]:
    """Return the column of the account's owner, none where no owner is known."""
    known = {account: each.owner for account, each in names.items() if each.owner}
    return (_account_column(of, "Account owner", width, known),) if known else ()


def _account_column(
    of: ColumnOf[Rows], head: str, width: float, known: Mapping[str, str]
) -> Column[Rows]:
    account = of(columns.ACCOUNT)

    return Column(
        head,
        width,
        repeated_text_cells(
            lambda rows: mapped(account(rows), lambda each: known.get(each, "")), neutral_style
        ),
    )


def user_columns(of: ColumnOf[Rows]) -> tuple[Column[Rows], Column[Rows], Column[Rows]]:
    """Return the columns that identify a user."""
    account = of(columns.ACCOUNT)

    def accounts(rows: Rows) -> Texts:
        return mapped(account(rows), account_text)

    return (
        Column("Account", 13, repeated_text_cells(accounts, neutral_style)),
        Column("User", 22, text_cells(of(columns.USER))),
        Column("ARN", 34, text_cells(of(columns.ARN), CellStyle.ID)),
    )


def source_columns(
    of: ColumnOf[Rows], files: Sequence[ReportFile]
) -> tuple[Column[Rows], Column[Rows]]:
    """Return the columns that say where in which report a row's facts stand."""
    names = text_column([file.name for file in files])
    file = of(columns.FILE)

    def reports(rows: Rows) -> Texts:
        return names.take(pa.array(file(rows)))

    return Column("Report", 26, repeated_text_cells(reports)), Column(
        "Row", 6.5, number_cells(of(columns.ROW))
    )


def input_columns(decisions: tuple[str, ...]) -> tuple[Column[Any], Column[Any], Column[Any]]:
    """Return the columns that the reviewer fills, in this workbook only."""
    entries = input_cells(CellStyle.INPUT)
    text = InputValidation(prompt=_NOT_CARRIED_OVER)
    return (
        Column("Decision", 12, entries, replace(text, choices=decisions)),
        Column("Owner", 14, entries, text),
        Column("Comment", 24, entries, text),
    )


_NOT_CARRIED_OVER: Final = (
    "For this workbook only: the next one does not have it. To accept a finding for longer, add its"
    " rule and user to the exemption list."
)
