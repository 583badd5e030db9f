"""Carry the decisions of earlier reviews over: the newest of each user, and what follows from it.

A user is its ARN and its creation time: one that was created again under the same name is another.
A user to *keep* is exempt until so many days after the decision; then the question comes anew.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.errors import Problem
from analyzer.model import TEXT, Exemption, Exemptions, FileReference, Page, user_positions
from analyzer.report.notes import short_list
from analyzer.review_columns import Decision
from analyzer.terms import DUE_DAYS, KEEP_DAYS

DECISION: Final = "decision"
DECIDED_BY: Final = "decided_by"
DECIDED_ON: Final = "decided_on"
TICKET: Final = "ticket"
COMMENT: Final = "comment"
REVIEW_COLUMNS: Final = (DECISION, DECIDED_BY, DECIDED_ON, TICKET, COMMENT)
"""The columns of `decisions_on_page`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewDecision:
    """Hold the decision on one user.

    `created` is aware and to the second, None where the workbook has no such moment. `as_of` is
    the moment of the report that the row is from, else the oldest that the Summary shows, None
    where neither does. `has_entered_date` is False where the reviewer gave no date and `decided_on`
    is the day of as-of, the earliest that it can be. `row` is where it stands in `sheet` of `file`.
    """

    arn: str
    created: datetime | None
    decision: Decision
    decided_on: date
    decided_by: str = ""
    ticket: str = ""
    comment: str = ""
    has_entered_date: bool = True
    as_of: datetime | None = None
    file: str = ""
    sheet: str = ""
    row: int = 0

    @property
    def account(self) -> str:
        """Return the account that the ARN names, empty for a text that is no ARN."""
        parts = self.arn.split(":")
        return parts[4] if len(parts) > 5 and parts[0] == "arn" else ""

    @property
    def user(self) -> str:
        """Return the user's name, which is the end of the ARN."""
        return self.arn.rpartition("/")[2]

    @property
    def place(self) -> str:
        """Return where the decision stands."""
        return f"{self.file}, sheet {self.sheet}, row {self.row}"


class UserState(NamedTuple):
    """Hold what a report shows of a user: its moment, the newest use, and the active keys.

    `last_use` is None where no use is known: never used, or not understood.
    """

    as_of: datetime
    last_use: datetime | None
    active_keys: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewWorkbook:
    """Hold the decisions of one workbook, in its order.

    `states` are by `ReviewDecision.place` what the row shows of the user, or why it does not.
    """

    file: FileReference
    decisions: tuple[ReviewDecision, ...]
    states: Mapping[str, UserState | Problem] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Hold the newest decision on each user, of one or many workbooks.

    `keep_days` after a decision to keep, the user is no longer exempt; more than `due_days` after
    one to delete or deactivate, it is overdue. `done_since` says of decisions when an earlier
    follow-up first showed them done, by `arn`, `created`, `decision` and `decided_on` as text.
    """

    workbooks: tuple[FileReference, ...] = ()
    decisions: tuple[ReviewDecision, ...] = ()
    keep_days: int = KEEP_DAYS
    due_days: int = DUE_DAYS
    done_since: Mapping[tuple[str, ...], datetime] = field(default_factory=dict)

    def last_day(self, decision: ReviewDecision) -> date:
        """Return the last day on which a user to keep is exempt."""
        return _plus_days(decision.decided_on, self.keep_days)

    def exemptions(self) -> tuple[Exemption, ...]:
        """Return an entry for each user to keep, with the comment as reason."""
        return tuple(
            Exemption(
                account=each.account,
                user=each.user,
                reason=each.comment or _reason(each),
                owner=each.decided_by,
                expires=self.last_day(each),
                line=each.row,
                arn=each.arn,
                created=each.created,
            )
            for each in self.decisions
            if each.decision is Decision.KEEP and each.created
        )

    def notes(self) -> list[str]:
        """Return sentences on decisions that could not be carried over as they stand."""
        undated = [each for each in self.decisions if not each.has_entered_date]
        unmatched = [each.place for each in self.decisions if not each.created]
        notes = []
        if undated:
            days = short_list(sorted({each.decided_on.isoformat() for each in undated}))
            notes.append(
                f"Decisions without a date in the review: {len(undated):,}. They count from the"
                f" time of its reports, {days}."
            )
        if unmatched:
            notes.append(
                "Decisions not carried over, because the creation time of the user is not known:"
                f" {short_list(unmatched)}."
            )
        return notes


def _reason(decision: ReviewDecision) -> str:
    return f"kept{_by(decision)} in the review of {decision.decided_on}"


def _by(decision: ReviewDecision) -> str:
    return f" by {decision.decided_by}" if decision.decided_by else ""


def _plus_days(day: date, days: int) -> date:
    try:
        return day + timedelta(days)
    except OverflowError:
        return date.max


def combined_review(
    workbooks: Iterable[ReviewWorkbook], *, keep_days: int = KEEP_DAYS, due_days: int = DUE_DAYS
) -> Review:
    """Return the newest decision on each user; of one day, that of the last workbook counts."""
    books = list(workbooks)
    newest: dict[tuple[str, datetime | None], ReviewDecision] = {}
    for each in (decision for book in books for decision in book.decisions):
        user = each.arn, each.created
        if user not in newest or newest[user].decided_on <= each.decided_on:
            newest[user] = each
    return Review(
        workbooks=tuple(book.file for book in books),
        decisions=tuple(newest.values()),
        keep_days=keep_days,
        due_days=due_days,
    )


def with_kept_users(exemptions: Exemptions, review: Review) -> Exemptions:
    """Return the exemptions with those of users to keep behind them."""
    return Exemptions((*exemptions.entries, *review.exemptions()), exemptions.file)


def decisions_on_page(review: Review, page: Page) -> pd.DataFrame:
    """Return the newest earlier decision on each user of a page, one row a user.

    The columns are `REVIEW_COLUMNS`: `decision`, `decided_by`, `ticket`, `comment` str, empty where
    there is no decision; `decided_on` datetime64[s]. Of a decision to keep that has run out by the
    user's as-of only the ticket and the comment are left, so that the question comes anew.
    """
    known = {(each.arn, each.created): each for each in review.decisions if each.created}
    at = user_positions(page.users, known)
    ends = np.array([*(_shown_until(review, each) for each in known.values()), _NO_END], "M8[s]")
    has_ended = page.users[columns.AS_OF].to_numpy("M8[s]") >= ends[at]
    # Behind the decisions stands what is left of each, and last what stands for users without one.
    ended = [_ended_row(review, each) for each in known.values()]
    rows = [*map(_decision_row, known.values()), *ended, ("", "", None, "", "")]
    frame = pd.DataFrame(rows, columns=list(REVIEW_COLUMNS)).astype(_DTYPES)
    return frame.take(np.where(has_ended, at + len(known), at)).reset_index(drop=True)


_NO_END: Final = np.datetime64(date.max, "D")
_DTYPES: Final = dict.fromkeys(REVIEW_COLUMNS, TEXT) | {DECIDED_ON: "datetime64[s]"}


def _shown_until(review: Review, decision: ReviewDecision) -> np.datetime64:
    """Return the moment from which an earlier decision is no longer shown."""
    if decision.decision is not Decision.KEEP:
        return _NO_END
    return np.datetime64(review.last_day(decision), "D") + np.timedelta64(1, "D")


def _ended_row(review: Review, decision: ReviewDecision) -> tuple[str, str, None, str, str]:
    comment = f": {decision.comment}" if decision.comment else "."
    until = f"Kept until {review.last_day(decision)}{_by(decision)}"
    return "", "", None, decision.ticket, until + comment


def _decision_row(decision: ReviewDecision) -> tuple[str, str, date, str, str]:
    return (
        str(decision.decision),
        decision.decided_by,
        decision.decided_on,
        decision.ticket,
        decision.comment,
    )
