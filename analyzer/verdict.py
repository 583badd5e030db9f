"""Judge every IAM user: the mission of this program.

Unused is who never signed in and has no active access key (Trend Micro Conformity IAM-029,
"Unused IAM User"; AWS: IAM User Guide, "Find unused credentials"). A cell that is not understood
is never read as "no": what depends on it is undetermined.
"""

from typing import Any, Final

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.caveats import caveats_of
from analyzer.model import Page, as_category, days_between, in_any_slot
from analyzer.terms import Certainty, Criteria, Definition, State, UnusedReason, Verdict

REASON_TEXTS: Final = {
    UnusedReason.NEVER_SIGNED_IN: "has a password that was never used, and no access key",
    UnusedReason.NEVER_SIGNED_IN_INACTIVE_KEYS: (
        "has a password that was never used, and only inactive access keys"
    ),
    UnusedReason.NO_CREDENTIALS: "has neither a password nor an access key",
    UnusedReason.INACTIVE_KEYS_ONLY: "has no password, and only inactive access keys",
}

RETIRED_TEXT: Final = "nothing left to get in with: no password, no active access key"

_LAST_USED: Final = tuple(key.last_used_date for key in columns.ACCESS_KEYS)

_IDENTITY: Final = (
    columns.USER,
    columns.ARN,
    columns.USER_CREATION_TIME,
    columns.PASSWORD_ENABLED,
    columns.PASSWORD_LAST_USED,
    *(name for key in columns.ACCESS_KEYS for name in (key.active, key.last_rotated)),
)
"""Without these nothing can be said of a user."""

_DOUBTS: Final = (
    columns.MFA_ACTIVE,
    *(name for each in columns.CERTIFICATES for name in (each.active, each.last_rotated)),
)
"""Without these it cannot be said how certain it is that a user can go."""

_DATE_OF: Final = {
    name: key.last_used_date
    for key in columns.ACCESS_KEYS
    for name in (key.last_used_region, key.last_used_service)
}

_DECIDING: Final = (*_IDENTITY, *_DOUBTS, *_LAST_USED, *_DATE_OF, columns.PASSWORD_LAST_CHANGED)

_LONGEST_VALUE: Final = 80

_MISSING: Final = np.iinfo(np.int64).max


def with_verdicts(page: Page, criteria: Criteria) -> Page:
    """Return the page with `verdict`, `reason`, `certainty`, `caveats`, `age_days`, `idle_days`.

    Days are whole ones elapsed before as-of, never negative; `idle_days` counts from the latest
    use of whatever the user can still get in with, and is missing if there is nothing.
    """
    idle, unsure = _idle_days(page)
    code = _verdict_codes(page, criteria, idle, unsure)
    goes = (code == _code(Verdict.UNUSED)) | (code == _code(Verdict.RETIRED))
    caveats = caveats_of(page, criteria, goes)
    certainty = np.where(goes, np.where(caveats != "", 2, 1), 0)
    age, unknown = days_between(page.users[columns.CREATED], page.users[columns.AS_OF])
    return page.with_users(
        {
            columns.VERDICT: as_category(code, Verdict),
            columns.REASON: _reasons(page, code),
            columns.CERTAINTY: as_category(certainty, ("", *Certainty)),
            columns.CAVEATS: caveats,
            columns.AGE_DAYS: pd.arrays.IntegerArray(age, unknown),
            columns.IDLE_DAYS: pd.arrays.IntegerArray(idle, idle == _MISSING),
        }
    )


def _code(verdict: Verdict) -> int:
    return list(Verdict).index(verdict)


def _verdict_codes(
    page: Page, criteria: Criteria, idle: np.ndarray, unsure: np.ndarray
) -> np.ndarray:
    """Return the position of each user's verdict in `Verdict`: the first that fits."""
    signed_in = page.users[columns.PASSWORD_LAST_USED].notna().to_numpy()
    active_key = page.has_key(State.ACTIVE)
    usable = page.users[columns.PASSWORD_ENABLED].to_numpy() | active_key
    strict = criteria.definition is Definition.IAM_029
    attached = active_key | page.has_key(State.INACTIVE) if strict else active_key
    unused = ~signed_in & ~attached
    goes = unused | ~usable
    recent = idle < criteria.dormant_days
    undecided = np.where(goes, _doubtful(page), unsure & ~recent)
    undetermined = _unknown(page) | undecided
    fits = [undetermined, unused, ~usable, ~recent]
    return np.asarray(np.select(fits, range(len(fits)), len(fits)), np.int8)


def _unknown(page: Page) -> np.ndarray:
    contradicted = (page.users[columns.CONTRADICTED] != "").to_numpy()
    return np.asarray(page.unread_in(*_IDENTITY) | page.has_key(State.UNKNOWN) | contradicted)


def _doubtful(page: Page) -> np.ndarray:
    """Tell of whom it cannot be said how certain a verdict to let go would be."""
    inactive = (page.keys[columns.STATE] == State.INACTIVE).to_numpy()
    return np.asarray(page.unread_in(*_DOUBTS) | in_any_slot(inactive & _last_used_unread(page)))


def _last_used_unread(page: Page) -> np.ndarray:
    """Tell which slots, as `Page.keys` has them, hold a last use that was not understood."""
    return np.concatenate([page.unread_in(column) for column in _LAST_USED])


def _idle_days(page: Page) -> tuple[np.ndarray, np.ndarray]:
    """Return the days since the latest use of a usable credential, and who has one unread.

    A credential never used counts from when it was made: the password from its last change,
    failing that from the user's creation, the access key from its own.
    """
    as_of = page.users[columns.AS_OF]
    never = page.users[columns.PASSWORD_LAST_USED].isna()
    changed = page.users[columns.PASSWORD_LAST_CHANGED].fillna(page.users[columns.CREATED])
    enabled = page.users[columns.PASSWORD_ENABLED].to_numpy()
    since = page.users[columns.PASSWORD_LAST_USED].fillna(changed)
    password, undated = days_between(since, as_of)
    unread = page.unread_in(columns.PASSWORD_LAST_USED, columns.PASSWORD_LAST_CHANGED)
    password_unread = enabled & never.to_numpy() & (unread | undated)

    active = (page.keys[columns.STATE] == State.ACTIVE).to_numpy()
    used = page.keys[columns.LAST_USED].fillna(page.keys[columns.CREATED])
    key, _ = days_between(used, pd.concat([as_of] * len(columns.SLOTS)))
    key_unread = active & _last_used_unread(page)

    days = np.vstack(
        [
            np.where(enabled & ~password_unread, password, _MISSING),
            np.where(active & ~key_unread, key, _MISSING).reshape(len(columns.SLOTS), -1),
        ]
    )
    return days.min(axis=0), password_unread | in_any_slot(key_unread)


def _reasons(page: Page, code: np.ndarray) -> "pd.Categorical[Any]":
    """Return why a user is unused or undetermined, empty for all others."""
    password = page.users[columns.PASSWORD_ENABLED].to_numpy()
    inactive = page.has_key(State.INACTIVE)
    unused = np.select([password & ~inactive, password, ~inactive], [1, 2, 3], 4)
    reason = np.where(code == _code(Verdict.UNUSED), unused, 0)
    texts = _undetermined_texts(page, np.flatnonzero(code == _code(Verdict.UNDETERMINED)))
    known = ["", *map(str, UnusedReason)]
    distinct = pd.Index(texts.unique())
    reason[texts.index] = distinct.get_indexer(texts) + len(known)
    return as_category(reason, [*known, *distinct])


def _undetermined_texts(page: Page, positions: np.ndarray) -> pd.Series:
    """Return, by position, a sentence that names each deciding cell and its raw value."""
    unread = page.unread
    unread = _without_implied_dates(
        unread[unread[columns.POSITION].isin(positions) & unread[columns.COLUMN].isin(_DECIDING)]
    )
    value = unread[columns.VALUE].str.slice(0, _LONGEST_VALUE)
    told = unread[columns.COLUMN] + ' "' + value + '" is not understood'
    missing = unread[columns.COLUMN] + " is not in this report"
    sentence = told.where(unread[columns.VALUE].notna(), missing)
    sentence.index = pd.Index(unread[columns.POSITION])
    differing = page.users.loc[page.users[columns.CONTRADICTED] != "", columns.CONTRADICTED]
    every = pd.concat([sentence, "another row of this ARN has another " + differing])
    return every.groupby(level=0).agg("; ".join)


def _without_implied_dates(unread: pd.DataFrame) -> pd.DataFrame:
    """Leave out dates that are not understood for a region or service of use, which is named."""
    column = unread[columns.COLUMN]
    dates = pd.MultiIndex.from_arrays([unread[columns.POSITION], column.map(_DATE_OF)])
    return unread[~pd.MultiIndex.from_arrays([unread[columns.POSITION], column]).isin(dates)]


def reason_text(verdict: str, reason: str, idle_days: int | None) -> str:
    """Return in words why a user has its verdict; `reason` is the one of the judged page."""
    if verdict == Verdict.UNUSED:
        return REASON_TEXTS[UnusedReason(reason)]
    if verdict == Verdict.RETIRED:
        return RETIRED_TEXT
    if verdict == Verdict.UNDETERMINED:
        return reason
    return f"idle for {idle_days} day{'' if idle_days == 1 else 's'}"


def unused_definition(criteria: Criteria) -> str:
    """Return what unused means, of several users."""
    if criteria.definition is Definition.IAM_029:
        return "nobody ever signed in as them, and they have no access key attached"
    return "nobody ever signed in as them, and they have no active access key"


def verdict_meaning(verdict: Verdict, criteria: Criteria) -> str:
    """Return what a verdict means; of several that fit, the first in the law's order applies."""
    days = _days(criteria.dormant_days)
    strict = criteria.definition is Definition.IAM_029
    key = "access key attached, active or not" if strict else "active access key"
    return {
        Verdict.UNDETERMINED: (
            "A cell that the decision needs was not understood, or two rows of one ARN differ."
            " Never taken for unused."
        ),
        Verdict.UNUSED: f"Never signed in, and has no {key}.",
        Verdict.RETIRED: (
            "Not unused, but has no password and no active access key: nothing is left to get in"
            " with."
        ),
        Verdict.DORMANT: (
            "Every enabled password and active access key was last used, or made if never used,"
            f" {days} or more before as-of."
        ),
        Verdict.ACTIVE: (
            "All others: an enabled password or active access key was used, or made, less than"
            f" {days} before as-of."
        ),
    }[verdict]


def criteria_meanings(criteria: Criteria) -> list[tuple[str, str]]:
    """Return each parameter with its value and what that does."""
    strict = criteria.definition is Definition.IAM_029
    keys = "an inactive access key is one" if strict else "inactive access keys do not count"
    return [
        (
            "Definition of unused",
            f"{criteria.definition}: {verdict_meaning(Verdict.UNUSED, criteria)} Here {keys}.",
        ),
        (
            "Dormant from",
            (
                f"{_days(criteria.dormant_days)} without use of any password or access key, in"
                " whole days of 24 hours up to as-of."
            ),
        ),
        (
            "Grace for new users",
            f"Created less than {_days(criteria.grace_days)} before as-of: to be checked.",
        ),
        (
            "As of",
            (
                "Ages and idle times count up to the moment that each report describes, never up to"
                " today."
            ),
        ),
    ]


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number:,} days"
