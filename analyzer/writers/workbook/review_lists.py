"""Define the lists that a reviewer decides in: their users, their order and their columns."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.decisions import review_columns
from analyzer.report.model import Page, ReportFile, stable_order
from analyzer.terms import Certainty, Verdict
from analyzer.writers.workbook import user_columns
from analyzer.writers.workbook.book import Title
from analyzer.writers.workbook.column import Column, EntryColumn, TextColumn
from analyzer.writers.workbook.user_columns import (
    AccountNames,
    account_column,
    account_name_columns,
    source_columns,
)

ACCOUNT: Final = replace(user_columns.ACCOUNT, width=12.5)
USER: Final = replace(user_columns.USER, width=18)
CREATED: Final = replace(user_columns.CREATED, head=review_columns.CREATED)

_CHOICES: Final = tuple(map(str, review_columns.CHOICES))

ENTRIES: Final = (
    EntryColumn(review_columns.DECISION, 11, choices=_CHOICES),
    EntryColumn(review_columns.DECIDED_BY, 10.5),
    EntryColumn(review_columns.DECIDED_ON, 10.5, is_date=True),
    EntryColumn(review_columns.TICKET, 8.5),
    EntryColumn(review_columns.COMMENT, 16),
)

_EARLIER: Final = TextColumn(review_columns.EARLIER_DECISION, 17.5, columns.EARLIER_DECISION)
_WHY: Final = replace(user_columns.WHY, width=21.5)

_CHECK_WIDTH: Final = 33.5
_ONLY_WHY_WIDTH: Final = 46
"""The columns up to there fill a Letter page in landscape, if there are no earlier decisions.

Those up to the owner fit 1,400 pixels of a screen.
"""

_NAME_WIDTH: Final = 12

_Filled = Callable[[Iterable[Column]], Sequence[Column]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewList:
    """Define a list: the users with one of the verdicts that are not exempt.

    `verdict_columns` are the columns between the earlier decision and the age, narrower by a number
    of characters; `last_columns` those before the states of the credentials.
    """

    title: Title
    verdicts: tuple[Verdict, ...]
    verdict_columns: Callable[[float], tuple[Column, ...]]
    last_columns: Callable[[Sequence[ReportFile]], tuple[Column, ...]]
    no_users: str = ""

    def has(self, page: Page) -> np.ndarray:
        """Return which users of a judged page are listed."""
        verdicts = page.users[columns.VERDICT].isin(list(map(str, self.verdicts)))
        return (verdicts & (page.users[columns.EXEMPTION] == "")).to_numpy()

    def columns(
        self, page: Page, files: Sequence[ReportFile], names: AccountNames, *, every: bool = False
    ) -> tuple[Column, ...]:
        """Return the columns of the list of these users; facts that none has only with `every`."""
        filled: _Filled = tuple if every else partial(_filled, page)
        owners = {account: each.owner for account, each in names.items()}
        name = filled(account_name_columns(names, _NAME_WIDTH))
        earlier = filled((_EARLIER,) if columns.EARLIER_DECISION in page.users else ())
        facts = (
            *self.verdict_columns(_NAME_WIDTH * len(name)),
            user_columns.AGE,
            *user_columns.OWNER,
            account_column("Account owner", 13, owners),
            *(user_columns.LAST_ACTIVITY, CREATED, user_columns.AS_OF),
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
            column.head: column.shown(page)
            for column in self.columns(page, files, names, every=True)
            if column not in ENTRIES
        }


def _filled(page: Page, facts: Iterable[Column]) -> list[Column]:
    """Return the columns in which any user has a text."""
    return [each for each in facts if pc.any(pc.not_equal(each.shown(page), "")).as_py()]


def _verdict_columns(narrower: float) -> tuple[Column, ...]:
    check = TextColumn("Check first", _CHECK_WIDTH - narrower, user_columns.caveat_texts)
    return _WHY, user_columns.CERTAINTY, check


_DETAIL_GROUPS: Final = (
    user_columns.PASSWORD_FACTS,
    *(key[:3] for key in user_columns.KEYS),  # The last activity says where a key was used.
    *user_columns.CERTIFICATES,
    (user_columns.MFA, user_columns.ARN),
)
_DETAILS: Final = tuple(
    replace(column, folded=at > 0, printed=False)
    for group in _DETAIL_GROUPS
    for at, column in enumerate(group)
)
"""The state of each credential, with its dates folded beside it."""

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
        verdict_columns=lambda narrower: (replace(_WHY, width=_ONLY_WHY_WIDTH - narrower),),
        last_columns=source_columns,
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


def row_keys(frame: pd.DataFrame) -> "pd.Index[int]":
    """Return a number for each row of a report, of users or of findings."""
    file = frame[columns.FILE].to_numpy(np.int64)
    row = frame[columns.ROW].to_numpy(np.int64)
    keys: pd.Index[int] = pd.Index((file << _ROW_BITS) | row)
    return keys
