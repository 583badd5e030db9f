"""Build the columns of tables of users: each has a head, a width, and cells for a page of users."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.model import Page
from analyzer.terms import State
from analyzer.writers.workbook.cells import blank, number, text
from analyzer.writers.workbook.style import Look, Styles

Read = Callable[[Page], Iterable[str]]
Cells = Callable[[Page, Styles], list[str]]

NEVER: Final = "never"
NOT_UNDERSTOOD: Final = " (not understood)"
NOT_REPORTED: Final = "not in this report"

NONE: Final = "none"
NO: Final = "no"
_NOTHING: Final = frozenset({NONE, NO, str(State.ABSENT)})

_EPOCH_DAYS: Final = 25_569
"""Spreadsheets count days from 1899-12-30; this many before 1970."""

_DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Column:
    """Define one column; a reviewer fills it by one of the choices, if there are any."""

    head: str
    width: float
    cells: Cells
    choices: tuple[str, ...] = ()


def free(read: Read, look: Look = Look.TEXT) -> Cells:
    """Make cells of text that differs from user to user."""
    return lambda page, styles: [text(value, styles[look]) for value in read(page)]


def fact_look(word: str) -> Look:
    """Return how a fact looks: odd if it was not understood, faint if there is nothing."""
    if word.endswith((NOT_UNDERSTOOD, NOT_REPORTED)):
        return Look.ODD
    return Look.FAINT if word in _NOTHING else Look.TEXT


def words(read: Read, look: Callable[[str], Look] = fact_look) -> Cells:
    """Make cells of words that come again and again; each is spelled once."""

    def cells(page: Page, styles: Styles) -> list[str]:
        spelled = _Spelled(look, styles)
        return [spelled[word] for word in read(page)]

    return cells


def numbers(name: str) -> Cells:
    """Make cells of one of the users' whole numbers, empty where it is not known."""

    def cells(page: Page, styles: Styles) -> list[str]:
        style = styles[Look.NUMBER]
        known = page.users[name].fillna(-1).to_numpy(np.int64).tolist()
        return [blank(style) if each < 0 else number(each, style) for each in known]

    return cells


def moments(read: Callable[[Page], pd.Series], otherwise: Read) -> Cells:
    """Make cells of dates with times, in UTC, and words where there is none."""

    def cells(page: Page, styles: Styles) -> list[str]:
        style, spelled = styles[Look.DATE], _Spelled(fact_look, styles)
        return [
            number(day, style) if day > 0 else spelled[word]
            for day, word in zip(_serials(read(page)), otherwise(page), strict=True)
        ]

    return cells


def empty(look: Look) -> Cells:
    """Make cells that a reviewer fills."""
    return lambda page, styles: [blank(styles[look])] * len(page)


def with_raw(page: Page, column: str, told: np.ndarray) -> list[str]:
    """Return words, but the raw value where the report's cell was not understood."""
    here = page.unread[page.unread[columns.COLUMN] == column]
    shown: list[str] = told.tolist()
    for position, value in zip(here[columns.POSITION], here[columns.VALUE], strict=True):
        shown[position] = NOT_REPORTED if pd.isna(value) else f'"{value}"{NOT_UNDERSTOOD}'
    return shown


def nothing(column: str) -> Read:
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
