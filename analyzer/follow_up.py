"""Follow up an earlier review: what became of each user that was to be deactivated or deleted.

A deletion is done when the user is gone, a deactivation also when no credential of the user works
any more. A user with a use since the decision needs another look before anything is done. Where
the report does not show enough, or is from before the day of the decision, the state is unknown.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from enum import StrEnum
from typing import Any, Final

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.account_names import ACCOUNT_NAME, account_names
from analyzer.model import TEXT, Page, Report, as_category, concatenated, days_between
from analyzer.moment_texts import day_text_series, utc_text_series
from analyzer.review import (
    COMMENT,
    DECIDED_BY,
    DECIDED_ON,
    DECISION,
    TICKET,
    Review,
    ReviewDecision,
)
from analyzer.review_columns import REMOVALS, Decision
from analyzer.terms import OVERDUE, State, Verdict


class FollowUpStatus(StrEnum):
    """Name the states of a decision, the most urgent first."""

    OVERTAKEN = "overtaken"
    NOT_DONE = "not-done"
    UNKNOWN = "unknown"
    DONE = "done"


STATUS: Final = "status"
DAYS: Final = "days"
LAST_USE: Final = "last_use"
REPORT: Final = "report"
DONE_SINCE: Final = "done_since"
FACT: Final = "fact"

COLUMNS: Final = (
    STATUS,
    OVERDUE,
    columns.ACCOUNT,
    columns.USER,
    columns.ARN,
    columns.CREATED,
    DECISION,
    DECIDED_BY,
    DECIDED_ON,
    TICKET,
    COMMENT,
    DAYS,
    columns.VERDICT,
    LAST_USE,
    REPORT,
    columns.AS_OF,
    DONE_SINCE,
    FACT,
    ACCOUNT_NAME,
)

MOMENTS: Final = (columns.CREATED, LAST_USE, columns.AS_OF, DONE_SINCE)
"""The columns that hold moments."""

DECISION_KEY: Final = (columns.ARN, columns.CREATED, DECISION, DECIDED_ON)
"""Decisions that agree in these, as text, are the same: `done_since` is carried on."""

_IS_THERE: Final = "is_there"
_HAS_LIVE_CREDENTIAL: Final = "works"
_IS_UNCLEAR: Final = "is_unclear"
_FLAGS: Final = (_IS_THERE, _HAS_LIVE_CREDENTIAL, _IS_UNCLEAR)
_IS_UNDATED: Final = "is_hidden"
_IS_COVERED: Final = "is_covered"
_CREATED_AGAIN: Final = "created_again"
_USES_KNOWN_UNTIL: Final = "since"
_MOMENT_DTYPE: Final = "datetime64[s, UTC]"

_STATE_DTYPES: Final[dict[str, Any]] = {
    columns.ARN: TEXT,
    columns.CREATED: _MOMENT_DTYPE,
    columns.VERDICT: TEXT,
    LAST_USE: _MOMENT_DTYPE,
    _HAS_LIVE_CREDENTIAL: "bool",
    _IS_UNCLEAR: "bool",
}
"""What is known of a user now.

`_HAS_LIVE_CREDENTIAL` if a credential works, `_IS_UNCLEAR` if a cell hides it.
"""

_STATE_COLUMNS: Final = (
    columns.PASSWORD_ENABLED,
    columns.PASSWORD_LAST_USED,
    *(name for key in columns.ACCESS_KEYS for name in (key.active, key.last_used_date)),
    *(certificate.active for certificate in columns.CERTIFICATES),
)
"""The columns without which it is not known whether a credential works, or was used."""


def follow_up(pages: Iterable[Page], report: Report, review: Review) -> pd.DataFrame:
    """Return what became of each decision to deactivate or delete, the most urgent first.

    `pages` are the judged pages of `report`. The columns are `COLUMNS`: `status` category
    (`FollowUpStatus`); `overdue` bool (not done more than `Review.due_days` after the decision);
    `account`, `user`, `arn`, `decision`, `decided_by`, `ticket`, `comment` str; `created`,
    `last_use` datetime64[s, UTC]; `decided_on` datetime64[s]; `days` int64 from the decision to
    as-of; `verdict` str (now, empty for a user who is gone); `report` str (the file, empty where
    the account is not covered); `as_of` and `done_since` datetime64[s, UTC] (the report's moment,
    and that of the first report in which it is done); `fact` str, a sentence; `account_name` str.
    """
    decided = _decision_rows([each for each in review.decisions if each.decision in REMOVALS])
    users = _users_now(pages, decided[columns.ARN])
    frame = _with_report(_with_user_state(decided, users), report)
    days, _ = days_between(frame[DECIDED_ON].dt.tz_localize(UTC), frame[columns.AS_OF])
    cases = _cases(frame, days)
    code = _select(cases, [list(FollowUpStatus).index(case.status) for case in cases])
    done = code == list(FollowUpStatus).index(FollowUpStatus.DONE)
    followed = frame.assign(
        **{
            STATUS: as_category(code, FollowUpStatus),
            OVERDUE: ~done & (days > review.due_days),
            DAYS: days,
            DONE_SINCE: frame[columns.AS_OF].where(done),
            FACT: pd.Series(_select(cases, [case.fact for case in cases]), dtype=TEXT),
            ACCOUNT_NAME: account_names(frame[columns.ACCOUNT], report.account_names),
        }
    )[list(COLUMNS)]
    followed[DONE_SINCE] = _first_done(followed, review.done_since)
    order = [STATUS, DECIDED_ON, columns.ACCOUNT, columns.ARN]
    return followed.sort_values(order, kind="stable", ignore_index=True)


def _first_done(followed: pd.DataFrame, earlier: Mapping[tuple[str, ...], datetime]) -> pd.Series:
    """Return since when each decision is done, of those done earlier already the earlier moment."""
    now = followed[DONE_SINCE]
    keys = as_text(followed)[list(DECISION_KEY)].itertuples(index=False, name=None)
    before = pd.Series([earlier.get(key) for key in keys], index=now.index, dtype=_MOMENT_DTYPE)
    return now.mask(before < now, before)


def as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a follow-up with moments as 2026-03-01T09:30:00Z, days as 2026-03-01."""
    texts = {name: utc_text_series(frame[name]).fillna("") for name in MOMENTS}
    texts[DECIDED_ON] = day_text_series(frame[DECIDED_ON])
    texts[OVERDUE] = frame[OVERDUE].map({True: "true", False: "false"}).astype(TEXT)
    return frame.assign(**texts)


def follow_up_counts(frame: pd.DataFrame) -> dict[str, int]:
    """Return how many decisions have each status, and how many are overdue."""
    counts = {str(status): int((frame[STATUS] == status).sum()) for status in FollowUpStatus}
    return {**counts, OVERDUE: int(frame[OVERDUE].sum())}


@dataclass(frozen=True, slots=True)
class _Case:
    """Hold for which rows a status applies, and the fact in words."""

    mask: np.ndarray
    status: FollowUpStatus
    fact: np.ndarray | str


def _select(cases: Sequence[_Case], choices: Sequence[np.ndarray | str | int]) -> np.ndarray:
    """Return for each row the choice of the first case that applies; the last applies to all."""
    return np.select([case.mask for case in cases[:-1]], choices[:-1], choices[-1])


def _cases(frame: pd.DataFrame, days: np.ndarray) -> list[_Case]:
    """Return the cases in the order in which they are tried."""
    gone, again = ~frame[_IS_THERE].to_numpy(), frame[_CREATED_AGAIN]
    to_delete = (frame[DECISION] == Decision.DELETE).to_numpy()
    unclear = frame[_IS_UNCLEAR].to_numpy()
    used, known = frame[LAST_USE], frame[_USES_KNOWN_UNTIL]
    elapsed = pd.Series(days).map("{:,} days after the decision.".format).astype(TEXT)
    done, unknown = FollowUpStatus.DONE, FollowUpStatus.UNKNOWN
    return [
        _Case(
            frame[columns.CREATED].isna().to_numpy(),
            unknown,
            "The review does not show when the user was created.",
        ),
        _Case(~frame[_IS_COVERED].to_numpy(), unknown, "The account is not covered."),
        _Case(
            (frame[columns.AS_OF] < frame[DECIDED_ON].dt.tz_localize(UTC)).to_numpy(),
            unknown,
            "The report is from before the decision.",
        ),
        _Case(
            gone & frame[_IS_UNDATED].to_numpy(),
            unknown,
            "The report has a user of this ARN whose creation time is not understood.",
        ),
        _Case(
            gone & again.notna().to_numpy(),
            done,
            _texts("The user is gone; another of this name was created on " + _dates(again) + "."),
        ),
        _Case(gone, done, "The user is gone."),
        _Case(
            ~to_delete & ~unclear & ~frame[_HAS_LIVE_CREDENTIAL].to_numpy(),
            done,
            "The user has no working credentials.",
        ),
        _Case(
            (used > known).to_numpy(),
            FollowUpStatus.OVERTAKEN,
            _texts("Used since the review, on " + _dates(used) + ": check before you act."),
        ),
        _Case(unclear, unknown, "The report does not show enough of the user."),
        _Case(to_delete, FollowUpStatus.NOT_DONE, _texts("The user is still there, " + elapsed)),
        _Case(
            ~to_delete,
            FollowUpStatus.NOT_DONE,
            _texts("The user still has working credentials, " + elapsed),
        ),
    ]


def _dates(moments: pd.Series) -> pd.Series:
    return day_text_series(moments).fillna("")


def _texts(series: pd.Series) -> np.ndarray:
    return series.to_numpy(object)


def _decision_rows(decisions: Sequence[ReviewDecision]) -> pd.DataFrame:
    """Return the decisions as rows; a use after `_USES_KNOWN_UNTIL` is news to the reviewer."""
    cells = {
        columns.ACCOUNT: [each.account for each in decisions],
        columns.USER: [each.user for each in decisions],
        columns.ARN: [each.arn for each in decisions],
        columns.CREATED: [each.created for each in decisions],
        DECISION: [str(each.decision) for each in decisions],
        DECIDED_BY: [each.decided_by for each in decisions],
        DECIDED_ON: [each.decided_on for each in decisions],
        TICKET: [each.ticket for each in decisions],
        COMMENT: [each.comment for each in decisions],
        _USES_KNOWN_UNTIL: [_uses_known_until(each) for each in decisions],
    }
    kinds = {
        columns.CREATED: _MOMENT_DTYPE,
        _USES_KNOWN_UNTIL: _MOMENT_DTYPE,
        DECIDED_ON: "datetime64[s]",
    }
    return pd.DataFrame(
        {name: pd.Series(each, dtype=kinds.get(name, TEXT)) for name, each in cells.items()}
    )


def _uses_known_until(decision: ReviewDecision) -> datetime:
    """Return up to when the reviewer knew of uses: as-of, at the latest the day of deciding."""
    day = datetime.combine(decision.decided_on, time(), UTC)
    return min(day, decision.as_of or day)


def _users_now(pages: Iterable[Page], arns: pd.Series) -> pd.DataFrame:
    """Return the state of the users with these ARNs (columns: `_STATE_DTYPES`)."""
    none = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in _STATE_DTYPES.items()})
    states = [
        _states(page.where(mask))
        for page in pages
        if (mask := page.users[columns.ARN].isin(arns).to_numpy()).any()
    ]
    return concatenated([none, *states])


def _states(page: Page) -> pd.DataFrame:
    users = page.users
    works = (
        users[columns.PASSWORD_ENABLED].to_numpy()
        | page.has_key(State.ACTIVE)
        | page.has_certificate(State.ACTIVE)
        | (users[columns.SERVICE_CREDENTIALS] != "").to_numpy()
    )
    unclear = (
        (users[columns.VERDICT] == Verdict.UNDETERMINED).to_numpy()
        | page.has_key(State.UNKNOWN)
        | page.has_certificate(State.UNKNOWN)
        | page.unread_in(*_STATE_COLUMNS)
    )
    state = {
        columns.ARN: users[columns.ARN],
        columns.CREATED: users[columns.CREATED],
        columns.VERDICT: users[columns.VERDICT],
        LAST_USE: _last_use(page),
        _HAS_LIVE_CREDENTIAL: works,
        _IS_UNCLEAR: unclear,
    }
    return pd.DataFrame(state).astype(_STATE_DTYPES)


def _last_use(page: Page) -> pd.Series:
    """Return when the password or an access key was last used, as far as the report shows."""
    keys = page.keys[columns.LAST_USED].to_numpy("M8[s]").reshape(len(columns.SLOTS), -1)
    password = page.users[columns.PASSWORD_LAST_USED].to_numpy("M8[s]")
    newest = np.fmax.reduce([password, *keys])  # fmax skips NaT
    return pd.Series(pd.DatetimeIndex(newest, tz=UTC), index=page.users.index)


def _with_user_state(decided: pd.DataFrame, users: pd.DataFrame) -> pd.DataFrame:
    """Return the decisions with the state of their users, where these are still there."""
    newest = users.sort_values(columns.CREATED, na_position="first").drop_duplicates(
        columns.ARN, keep="last"
    )
    hidden = users.loc[users[columns.CREATED].isna(), columns.ARN]
    same = [columns.ARN, columns.CREATED]
    now = users.drop_duplicates(same).assign(**{_IS_THERE: True})
    frame = decided.merge(now, on=same, how="left")
    flags = {name: frame[name].eq(other=True).astype(bool) for name in _FLAGS}
    return frame.assign(
        **flags,
        **{
            columns.VERDICT: frame[columns.VERDICT].fillna(""),
            _CREATED_AGAIN: _values_at(
                newest[columns.CREATED], newest[columns.ARN], frame[columns.ARN]
            ),
            _IS_UNDATED: frame[columns.ARN].isin(hidden),
        },
    )


def _values_at(values: pd.Series, index: pd.Series, keys: pd.Series) -> pd.Series:
    """Return the values at the wanted places of an index, missing where there is none."""
    return values.set_axis(index).reindex(keys).set_axis(keys.index)


def _with_report(frame: pd.DataFrame, report: Report) -> pd.DataFrame:
    """Return the rows with the report of their account; of one not covered, the newest as-of."""
    files = {each.account: file for file in report.files for each in file.accounts}
    newest = max(file.as_of for file in report.files)
    of_row = [files.get(account) for account in frame[columns.ACCOUNT]]
    moments = [file.as_of if file else newest for file in of_row]
    added: dict[str, pd.Series] = {
        _IS_COVERED: pd.Series([file is not None for file in of_row], dtype="bool"),
        REPORT: pd.Series([file.name if file else "" for file in of_row], dtype=TEXT),
        columns.AS_OF: pd.Series(moments, dtype=_MOMENT_DTYPE),
    }
    return frame.assign(**added)
