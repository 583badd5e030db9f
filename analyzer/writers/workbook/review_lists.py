"""Define the lists that a reviewer decides in: their users, their order and their columns."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns, review_columns
from analyzer.model import Page, ReportFile, stable_order
from analyzer.terms import Certainty, Verdict
from analyzer.writers.workbook import user_columns
from analyzer.writers.workbook.book import Title
from analyzer.writers.workbook.column import (
    AccountNames,
    Column,
    EntryCells,
    Read,
    TextCells,
    account_name_columns,
    account_owner_column,
    from_users,
    source_columns,
)
from analyzer.writers.workbook.listing import CHUNK_ROWS, Listing, take_rows
from analyzer.writers.workbook.style import CellStyle

ACCOUNT: Final = replace(user_columns.ACCOUNT, head=review_columns.ACCOUNT, width=12.5)
USER: Final = replace(user_columns.USER, head=review_columns.USER, width=18)
CREATED: Final = replace(user_columns.CREATED, head=review_columns.CREATED)

DECISION: Final = Column(
    review_columns.DECISION, 11, EntryCells(choices=tuple(map(str, review_columns.CHOICES)))
)
DECIDED_BY: Final = Column(review_columns.DECIDED_BY, 10.5, EntryCells())
DECIDED_ON: Final = Column(review_columns.DECIDED_ON, 10.5, EntryCells(is_date=True))
TICKET: Final = Column(review_columns.TICKET, 8.5, EntryCells())
COMMENT: Final = Column(review_columns.COMMENT, 16, EntryCells())
ENTRIES: Final = (DECISION, DECIDED_BY, DECIDED_ON, TICKET, COMMENT)

_EARLIER: Final = Column(
    review_columns.EARLIER_DECISION, 17.5, TextCells(from_users(columns.EARLIER_DECISION))
)


def record_column(read: Read[Page]) -> Column[Page]:
    """Return the last column of a list: what the report says of each user, as JSON."""
    cells = TextCells(read, CellStyle.RECORD)
    return Column(review_columns.RECORD, 34, cells, folded=True, printed=False)


_WHY: Final = replace(user_columns.WHY, width=21.5)

_CHECK_WIDTH: Final = 33.5
_ONLY_WHY_WIDTH: Final = 46
"""The columns up to there fill a Letter page in landscape, if there are no earlier decisions.

Those up to the owner fit 1,400 pixels of a screen.
"""

_NAME_WIDTH: Final = 12
_OWNER_WIDTH: Final = 13


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewList:
    """Define a list: the users with one of the verdicts that are not exempt.

    `verdict_columns` are the columns between the earlier decision and the age, narrower by a number
    of characters; `last_columns` those before the states of the credentials.
    """

    title: Title
    verdicts: tuple[Verdict, ...]
    verdict_columns: Callable[[float], tuple[Column[Page], ...]]
    last_columns: Callable[[Sequence[ReportFile]], tuple[Column[Page], ...]]
    no_users: str = ""

    def has(self, page: Page) -> np.ndarray:
        """Return which users of a judged page are listed."""
        verdicts = page.users[columns.VERDICT].isin(list(map(str, self.verdicts)))
        return (verdicts & (page.users[columns.EXEMPTION] == "")).to_numpy()

    def columns(
        self, page: Page, files: Sequence[ReportFile], names: AccountNames
    ) -> tuple[Column[Page], ...]:
        """Return the columns of the list of these users, but for facts that none of them has."""
        return self._columns(page, files, names, partial(_filled, page))

    def _columns(
        self,
        page: Page,
        files: Sequence[ReportFile],
        names: AccountNames,
        filled: Callable[[Iterable[Column[Page]]], tuple[Column[Page], ...]],
    ) -> tuple[Column[Page], ...]:
        name = filled(account_name_columns(from_users, names, _NAME_WIDTH))
        owner = account_owner_column(from_users, names, _OWNER_WIDTH)
        earlier = filled((_EARLIER,) if columns.EARLIER_DECISION in page.users else ())
        facts = (
            *self.verdict_columns(_NAME_WIDTH * len(name)),
            *(user_columns.AGE, owner, user_columns.LAST_ACTIVITY, CREATED, user_columns.AS_OF),
            *self.last_columns(files),
        )
        return (ACCOUNT, *name, USER, *ENTRIES, *earlier, *filled(facts), *_DETAILS)

    def shown_texts(
        self, page: Page, files: Sequence[ReportFile], names: AccountNames
    ) -> dict[str, pa.Array]:
        """Return by head what the list of these users shows (large_string), in their order.

        The columns are all that it can have, but for the entries.
        """
        return {
            column.head: column.cells.shown(page)
            for column in self._columns(page, files, names, tuple)
            if column not in ENTRIES
        }


def _filled(page: Page, facts: Iterable[Column[Page]]) -> tuple[Column[Page], ...]:
    """Return the columns in which any user has a text; most have one among the first users."""
    first = take_rows(page, np.arange(min(len(page), CHUNK_ROWS)))
    return tuple(each for each in facts if _has_text(each, first) or _has_text(each, page))


def _has_text(column: Column[Page], page: Page) -> bool:
    return bool(pc.any(pc.not_equal(column.cells.shown(page), "")).as_py())


def _verdict_columns(narrower: float) -> tuple[Column[Page], ...]:
    check = Column("Check first", _CHECK_WIDTH - narrower, TextCells(user_columns.caveat_texts))
    return _WHY, user_columns.CERTAINTY, check


def _undetermined_columns(narrower: float) -> tuple[Column[Page], ...]:
    return (replace(user_columns.WHY, width=_ONLY_WHY_WIDTH - narrower),)


def _details() -> tuple[Column[Page], ...]:
    """Return the state of each credential, with its dates folded beside it."""
    keys = [
        user_columns.key_columns(slot, names)
        for slot, names in zip(columns.SLOTS, columns.ACCESS_KEYS, strict=True)
    ]
    certificates = [
        user_columns.certificate_columns(slot, names)
        for slot, names in zip(columns.SLOTS, columns.CERTIFICATES, strict=True)
    ]
    password = (user_columns.PASSWORD, user_columns.LAST_SIGN_IN, user_columns.PASSWORD_CHANGED)
    mfa = (user_columns.MFA, replace(user_columns.ARN, head=review_columns.ARN))
    groups = (password, *keys, *certificates, mfa)
    return tuple(
        replace(column, folded=at > 0, printed=False)
        for group in groups
        for at, column in enumerate(group)
    )


_DETAILS: Final = _details()

REVIEW_LISTS: Final = (
    ReviewList(
        title=Title.UNUSED,
        verdicts=(Verdict.UNUSED,),
        verdict_columns=_verdict_columns,
        last_columns=lambda _: (),
        no_users="No users to review: no user is unused, or all unused users are exempt.",
    ),
    ReviewList(
        title=Title.INACTIVE,
        verdicts=(Verdict.RETIRED, Verdict.DORMANT),
        verdict_columns=_verdict_columns,
        last_columns=lambda _: (user_columns.IDLE, replace(user_columns.VERDICT, printed=False)),
    ),
    ReviewList(
        title=Title.UNDETERMINED,
        verdicts=(Verdict.UNDETERMINED,),
        verdict_columns=_undetermined_columns,
        last_columns=lambda files: source_columns(from_users, files),
    ),
)


def review_order(page: Page) -> np.ndarray:
    """Return the users' positions by account, certain before check, oldest first."""
    users = page.users
    return stable_order(
        users[columns.ACCOUNT],
        users[columns.CERTAINTY] == Certainty.CHECK,
        users[columns.CREATED],
        users[columns.USER],
    )


_ROW_BITS: Final = 32


def row_keys(frame: pd.DataFrame) -> np.ndarray:
    """Return a number (int64) for each row of a report, of users or of findings."""
    file = frame[columns.FILE].to_numpy(np.int64)
    keys: np.ndarray = (file << _ROW_BITS) | frame[columns.ROW].to_numpy(np.int64)
    return keys


ReviewListings = Mapping[Title, Listing[Page]]
"""The lists of a workbook that hold any user."""
