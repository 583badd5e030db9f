"""Define the lists that a reviewer decides in: their users, their order and their columns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from analyzer import columns, review, review_columns
from analyzer.model import Page, ReportFile, stable_order
from analyzer.terms import Certainty, Verdict
from analyzer.writers.workbook import user_columns
from analyzer.writers.workbook.book import PrintBlocks, Title
from analyzer.writers.workbook.column import (
    AccountNames,
    Column,
    InputValidation,
    account_name_columns,
    account_owner_columns,
    from_users,
    reviewer_day_cells,
    reviewer_text_cells,
    source_columns,
    text_cells,
)
from analyzer.writers.workbook.listing import Listing

ACCOUNT: Final = replace(user_columns.ACCOUNT, head=review_columns.ACCOUNT, width=12.5)
USER: Final = replace(user_columns.USER, head=review_columns.USER, width=18)
CREATED: Final = replace(user_columns.CREATED, head=review_columns.CREATED)

DECISION: Final = Column(
    review_columns.DECISION,
    11,
    reviewer_text_cells(review.DECISION),
    InputValidation(
        choices=tuple(map(str, review_columns.Decision)),
        prompt=(
            "delete: remove the user. deactivate: disable its credentials first. keep: give the"
            " reason as comment. investigate: not decided yet."
        ),
    ),
)

DECIDED_BY: Final = Column(
    review_columns.DECIDED_BY,
    10.5,
    reviewer_text_cells(review.DECIDED_BY),
    InputValidation(prompt="Your name."),
)

DECIDED_ON: Final = Column(
    review_columns.DECIDED_ON,
    10.5,
    reviewer_day_cells(review.DECIDED_ON),
    InputValidation(is_date=True, prompt="A date, such as 2026-03-01. Ctrl+; enters today's."),
)

TICKET: Final = Column(
    review_columns.TICKET,
    8.5,
    reviewer_text_cells(review.TICKET),
    InputValidation(prompt="Number of the ticket or change request."),
)

COMMENT: Final = Column(
    review_columns.COMMENT,
    16,
    reviewer_text_cells(review.COMMENT),
    InputValidation(prompt="The reason. For keep, it becomes the reason of the exemption."),
)

REVIEWER_COLUMNS: Final = (DECISION, DECIDED_BY, DECIDED_ON, TICKET, COMMENT)
_WHY: Final = replace(user_columns.WHY, width=21.5)

_CHECK_WIDTH: Final = 33.5
"""The columns up to `Check first` fill a Letter page in landscape, and 1,060 pixels of a screen."""

_NAME_WIDTH: Final = 12
_OWNER_WIDTH: Final = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewList:
    """Define a list: the users with one of the verdicts that are not exempt.

    `verdict_columns` are the columns between the reviewer's and the last activity; `printed_last`
    those that follow the as-of in print.
    """

    title: Title
    verdicts: tuple[Verdict, ...]
    verdict_columns: Callable[[float], tuple[Column[Page], ...]]
    printed_last: Callable[[Sequence[ReportFile]], tuple[Column[Page], ...]]
    no_users: str = ""

    def has(self, page: Page) -> np.ndarray:
        """Return which users of a judged page are listed."""
        verdicts = page.users[columns.VERDICT].isin(list(map(str, self.verdicts)))
        return (verdicts & (page.users[columns.EXEMPTION] == "")).to_numpy()

    def columns(self, files: Sequence[ReportFile], names: AccountNames) -> tuple[Column[Page], ...]:
        """Return the columns; the account's name and owner have one where any is known."""
        first, second = self._columns_by_printed_page(files, names)
        return (*first, *second, *_DETAILS)

    def print_blocks(self, files: Sequence[ReportFile], names: AccountNames) -> PrintBlocks:
        """Return how many columns each page across shows."""
        first, second = self._columns_by_printed_page(files, names)
        return len(first), len(first) + len(second)

    def _columns_by_printed_page(
        self, files: Sequence[ReportFile], names: AccountNames
    ) -> tuple[tuple[Column[Page], ...], tuple[Column[Page], ...]]:
        name = account_name_columns(from_users, names, _NAME_WIDTH)
        check_width = _CHECK_WIDTH - (_NAME_WIDTH if name else 0)
        first = (ACCOUNT, *name, USER, *REVIEWER_COLUMNS, *self.verdict_columns(check_width))
        activity = (user_columns.LAST_ACTIVITY, CREATED, user_columns.AGE, user_columns.AS_OF)
        owner = account_owner_columns(from_users, names, _OWNER_WIDTH)
        return first, (*activity, *self.printed_last(files), *owner)


def _verdict_columns(width: float) -> tuple[Column[Page], ...]:
    check = Column("Check first", width, text_cells(user_columns.caveat_texts))
    return _WHY, user_columns.CERTAINTY, check


def _undetermined_columns(width: float) -> tuple[Column[Page], ...]:
    return (replace(user_columns.WHY, width=_WHY.width + user_columns.CERTAINTY.width + width),)


def _folded(*details: Column[Page]) -> tuple[Column[Page], ...]:
    return tuple(replace(detail, folded=True) for detail in details)


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
    return tuple(column for state, *dates in groups for column in (state, *_folded(*dates)))


_DETAILS: Final = _details()

REVIEW_LISTS: Final = (
    ReviewList(
        title=Title.UNUSED,
        verdicts=(Verdict.UNUSED,),
        verdict_columns=_verdict_columns,
        printed_last=lambda _: (),
        no_users="No users to review: no user is unused, or all unused users are exempt.",
    ),
    ReviewList(
        title=Title.INACTIVE,
        verdicts=(Verdict.RETIRED, Verdict.DORMANT),
        verdict_columns=_verdict_columns,
        printed_last=lambda _: (user_columns.VERDICT, user_columns.IDLE),
    ),
    ReviewList(
        title=Title.UNDETERMINED,
        verdicts=(Verdict.UNDETERMINED,),
        verdict_columns=_undetermined_columns,
        printed_last=lambda files: source_columns(from_users, files),
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


def with_earlier_decisions(page: Page, earlier: review.Review) -> Page:
    """Return the page whose users have `review.REVIEW_COLUMNS`, if anything was decided."""
    if not earlier.decisions:
        return page
    decided = review.decisions_on_page(earlier, page)
    return page.with_users({name: decided[name] for name in review.REVIEW_COLUMNS})


def earlier_decisions(page: Page, order: np.ndarray) -> pd.DataFrame:
    """Return what a list in this order begins with (columns: `review.REVIEW_COLUMNS`).

    There is a row for each user with a decision or a comment; the index is its place in the list.
    """
    if review.DECISION not in page.users:
        return pd.DataFrame(columns=list(review.REVIEW_COLUMNS))
    decided = page.users[list(review.REVIEW_COLUMNS)].take(order).reset_index(drop=True)
    return decided[(decided[review.DECISION] != "") | (decided[review.COMMENT] != "")]


def certain_to_decide(page: Page) -> int:
    """Return how many users of a list are certain, and left to decide."""
    left = page.users[columns.CERTAINTY] == Certainty.CERTAIN
    if review.DECISION in page.users:
        left &= ~page.users[review.DECISION].isin(review_columns.FINAL_DECISIONS)
    return int(left.sum())


_ROW_BITS: Final = 32


def row_keys(frame: pd.DataFrame) -> np.ndarray:
    """Return a number (int64) for each row of a report, of users or of findings."""
    file = frame[columns.FILE].to_numpy(np.int64)
    keys: np.ndarray = (file << _ROW_BITS) | frame[columns.ROW].to_numpy(np.int64)
    return keys


class ReviewListing(NamedTuple):
    """Hold a list of a workbook, and the `earlier_decisions` that it begins with."""

    listing: Listing[Page]
    earlier: pd.DataFrame
    certain_to_decide: int

    @property
    def decided(self) -> int:
        """Return how many users need no other decision: those to investigate do."""
        return int(self.earlier[review.DECISION].isin(review_columns.FINAL_DECISIONS).sum())

    @property
    def to_decide(self) -> int:
        """Return how many users are left to decide."""
        return self.listing.rows - self.decided


ReviewListings = Mapping[Title, ReviewListing]
"""The lists of a workbook that hold any user."""
