"""Build the columns of tables: each has a head, a width, and cells for a page or a frame."""

from collections.abc import Callable, Iterable, Sized
from dataclasses import dataclass
from typing import Any, Final, Generic

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.model import Page
from analyzer.terms import State
from analyzer.writers.workbook.cells import blank, number, text
from analyzer.writers.workbook.style import Look, Styles
from analyzer.writers.workbook.taken import Listed

Read = Callable[[Listed], Iterable[str]]
Cells = Callable[[Listed, Styles], list[str]]

NEVER: Final = "never"
NOT_UNDERSTOOD: Final = " (not understood)"
NOT_REPORTED: Final = "not in this report"

NONE: Final = "none"
NO: Final = "no"
NO_EVIDENCE: Final = "not known"
_NOTHING: Final = frozenset({NONE, NO, NO_EVIDENCE, str(State.ABSENT)})

_EPOCH_DAYS: Final = 25_569
"""Spreadsheets count days from 1899-12-30; this many before 1970."""

_DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Column(Generic[Listed]):
    """Define one column; a reviewer fills it by one of the choices, if there are any."""

    head: str
    width: float
    cells: Cells[Listed]
    choices: tuple[str, ...] = ()


def free(read: Read[Listed], look: Look = Look.TEXT) -> Cells[Listed]:
    """Make cells of text that differs from row to row."""
    return lambda rows, styles: [text(value, styles[look]) for value in read(rows)]


def fact_look(word: str) -> Look:
    """Return how a fact looks: odd if it was not understood, faint if there is nothing."""
    if word.endswith((NOT_UNDERSTOOD, NOT_REPORTED)):
        return Look.ODD
    return Look.FAINT if word in _NOTHING else Look.TEXT


def plain(_: str) -> Look:
    """Return how words look that mean neither good nor bad."""
    return Look.TEXT


def judged_look(word: str) -> Look:
    """Return how a word looks that has a look of its own."""
    return Look(word) if word else Look.TEXT


def words(read: Read[Listed], look: Callable[[str], Look] = fact_look) -> Cells[Listed]:
    """Make cells of words that come again and again; each is spelled once."""

    def cells(rows: Listed, styles: Styles) -> list[str]:
        spelled = _Spelled(look, styles)
        return [spelled[word] for word in read(rows)]

    return cells


def numbers(read: Callable[[Listed], pd.Series]) -> Cells[Listed]:
    """Make cells of whole numbers, empty where one is not known."""

    def cells(rows: Listed, styles: Styles) -> list[str]:
        style = styles[Look.NUMBER]
        known = read(rows).fillna(-1).to_numpy(np.int64).tolist()
        return [blank(style) if each < 0 else number(each, style) for each in known]

    return cells


def moments(read: Callable[[Listed], pd.Series], otherwise: Read[Listed]) -> Cells[Listed]:
    """Make cells of dates with times, in UTC, and words where there is none."""

    def cells(rows: Listed, styles: Styles) -> list[str]:
        style, spelled = styles[Look.DATE], _Spelled(fact_look, styles)
        return [
            number(day, style) if day > 0 else spelled[word]
            for day, word in zip(_serials(read(rows)), otherwise(rows), strict=True)
        ]

    return cells


def empty(look: Look) -> Cells[Any]:
    """Make cells that a reviewer fills."""
    return lambda rows, styles: [blank(styles[look])] * len(rows)


def no_words(rows: Sized) -> list[str]:
    """Read nothing, of every row."""
    return [""] * len(rows)


def with_raw(page: Page, column: str, told: np.ndarray) -> list[str]:
    """Return words, but the raw value where the report's cell was not understood."""
    here = page.unread[page.unread[columns.COLUMN] == column]
    shown: list[str] = told.tolist()
    for position, value in zip(here[columns.POSITION], here[columns.VALUE], strict=True):
        shown[position] = NOT_REPORTED if pd.isna(value) else f'"{value}"{NOT_UNDERSTOOD}'
    return shown


def nothing(column: str) -> Read[Page]:
    """Read no words, but the raw value where the report's cell was not understood."""
    return lambda page: with_raw(page, column, np.full(len(page), "", object))


def either(mask: np.ndarray, yes: str, no: str) -> np.ndarray:
    """Return one word where the mask holds, the other elsewhere."""
    return np.where(mask, np.array(yes, object), np.array(no, object))


class _Spelled(dict[str, str]):
    """Spell each word as a cell when it is first asked for."""

    def __init__(self, look: Callable[[str], Look], styles: Styles) -> None:
        super().__init__()
        self._look = look
        self._styles = styles

    def __missing__(self, word: str) -> str:
        cell = self[word] = text(word, self._styles[self._look(word)])
        return cell


def _serials(dates: pd.Series) -> list[float]:
    """Return moments as spreadsheets count them, in days, NaN for none."""
    seconds = dates.to_numpy("datetime64[s]")
    counted = seconds.astype(np.int64) / _DAY + _EPOCH_DAYS
    serials: list[float] = np.where(np.isnat(seconds), np.nan, counted).tolist()
    return serials
