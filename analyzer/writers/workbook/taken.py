"""Take rows out of pages of users and out of frames, in any order."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, TypeVar

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.model import Page, joined

CHUNK: Final = 4_096
"""So many rows at a time are spelled as cells, to keep the memory small."""

Listed = TypeVar("Listed", Page, pd.DataFrame)


def taken(listed: Listed, positions: np.ndarray) -> Listed:
    """Return the rows at these positions, in this order, numbered anew."""
    if isinstance(listed, pd.DataFrame):
        return listed.take(positions).reset_index(drop=True)
    return _users(listed, positions)


def _users(page: Page, positions: np.ndarray) -> Page:
    new = pd.Series(np.arange(len(positions)), index=positions)
    unread = page.unread[page.unread[columns.POSITION].isin(positions)]
    return replace(
        page,
        users=page.users.take(positions).reset_index(drop=True),
        keys=_slots(page.keys, positions),
        certificates=_slots(page.certificates, positions),
        unread=unread.assign(
            **{columns.POSITION: new[unread[columns.POSITION]].to_numpy(np.int64)}
        ),
        cells=page.cells.take(positions).reset_index(drop=True),
    )


class Gathering:
    """Gather the users for whom a mask holds from page after page."""

    def __init__(self, wanted: Callable[[Page], np.ndarray]) -> None:
        """Begin with nobody."""
        self._wanted = wanted
        self._pages: list[Page] = []

    def add(self, page: Page) -> None:
        """Keep those users of a page that are wanted."""
        mask = self._wanted(page)
        if mask.any():
            self._pages.append(page.where(mask))

    def page(self) -> Page | None:
        """Return all who were kept as one page and forget them; None if there is nobody."""
        pages, self._pages = self._pages, []
        return _together(pages) if pages else None


def in_slot(slots: pd.DataFrame, slot: int) -> pd.DataFrame:
    """Return the rows of one slot, a user each."""
    users = len(slots) // len(columns.SLOTS)
    return slots.iloc[(slot - 1) * users : slot * users]


def _slots(slots: pd.DataFrame, positions: np.ndarray) -> pd.DataFrame:
    users = len(slots) // len(columns.SLOTS)
    both = np.concatenate([positions + users * at for at in range(len(columns.SLOTS))])
    index = np.tile(np.arange(len(positions)), len(columns.SLOTS))
    return slots.take(both).set_axis(index)


def _stacked(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    every = joined(in_slot(frame, slot) for slot in columns.SLOTS for frame in frames)
    return every.set_axis(np.tile(np.arange(len(every) // len(columns.SLOTS)), len(columns.SLOTS)))


def _together(pages: Sequence[Page]) -> Page:
    starts = np.cumsum([0, *map(len, pages)])
    unread = [
        page.unread.assign(**{columns.POSITION: page.unread[columns.POSITION] + start})
        for page, start in zip(pages, starts[:-1], strict=True)
    ]
    return Page(
        users=joined(page.users for page in pages),
        keys=_stacked([page.keys for page in pages]),
        certificates=_stacked([page.certificates for page in pages]),
        unread=joined(unread),
        cells=joined(page.cells for page in pages),
    )
