"""List what makes it less than certain that an unused or retired user can go.

Each caveat is one entry of CAVEATS: when it holds, and a sentence with the value behind it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.model import Page, as_category, days_between, in_any_slot
from analyzer.terms import Criteria, State

TRACKING_BEGAN: Final = pd.Timestamp("2014-10-20T00:00:00Z")
"""AWS recorded no sign-ins before (IAM User Guide, "Generate credential reports")."""

GAP_BEGAN: Final = pd.Timestamp("2018-05-04T05:50:00Z")
GAP_ENDED: Final = pd.Timestamp("2018-05-23T21:08:00Z")
"""AWS recorded no sign-ins in between (the same page: 3 May 22:50 to 23 May 14:08 PDT)."""

SERVICE_USER_PREFIX: Final = "BedrockAPIKey-"
"""AWS's console gives this name to the user that it makes for a Bedrock API key."""


@dataclass(frozen=True, slots=True)
class Caveat:
    """Doubt a verdict: `holds` tells for whom, `because` says why, a sentence for every user."""

    id: str
    holds: Callable[[Page, Criteria], np.ndarray]
    because: Callable[[Page], pd.Series]


def caveats_of(page: Page, criteria: Criteria, goes: np.ndarray) -> "pd.Categorical[Any]":
    """Return the ids of each user's caveats, joined by `;`, empty for those who do not go."""
    bits = np.zeros(len(page), np.int16)
    for position, caveat in enumerate(CAVEATS):
        bits |= (caveat.holds(page, criteria) & goes).astype(np.int16) << position
    occurring = np.flatnonzero(np.bincount(bits, minlength=1 << len(CAVEATS)))
    code = np.zeros(1 << len(CAVEATS), np.int16)
    code[occurring] = np.arange(len(occurring))
    return as_category(code[bits], [_ids(int(each)) for each in occurring])


def caveat_sentences(page: Page) -> list[tuple[tuple[str, str], ...]]:
    """Return for each user of a judged page its caveats as (id, sentence)."""
    told = {caveat.id: caveat.because(page).tolist() for caveat in CAVEATS}
    return [
        tuple((each, told[each][user]) for each in caveats.split(";") if each)
        for user, caveats in enumerate(page.users[columns.CAVEATS])
    ]


def _ids(bits: int) -> str:
    return ";".join(caveat.id for position, caveat in enumerate(CAVEATS) if bits >> position & 1)


def _inactive_used(page: Page) -> np.ndarray:
    inactive = (page.keys[columns.STATE] == State.INACTIVE).to_numpy()
    return inactive & page.keys[columns.LAST_USED].notna().to_numpy()


def _in_gap(page: Page) -> np.ndarray:
    users = page.users
    open_to_doubt = (users[columns.CREATED] < GAP_ENDED) & (users[columns.AS_OF] > GAP_BEGAN)
    never = users[columns.PASSWORD_LAST_USED].isna()
    return (users[columns.PASSWORD_ENABLED] & never & open_to_doubt).to_numpy()


def _mfa_without_sign_in(page: Page) -> np.ndarray:
    never = page.users[columns.PASSWORD_LAST_USED].isna()
    return (page.users[columns.MFA_ACTIVE] & never).to_numpy()


def _more_credentials(page: Page) -> np.ndarray:
    info = page.cells[columns.ADDITIONAL_CREDENTIALS_INFO]
    if info.isna().all():
        return np.zeros(len(page), bool)
    return ~info.fillna("").isin(["", "N/A"]).to_numpy()


def _is_new(page: Page, criteria: Criteria) -> np.ndarray:
    days, unknown = days_between(page.users[columns.CREATED], page.users[columns.AS_OF])
    return np.asarray((days < criteria.grace_days) & ~unknown)


def _day(moments: pd.Series) -> pd.Series:
    return pd.Series(moments.dt.strftime("%Y-%m-%d"))


def _slot_dates(slots: pd.DataFrame, told: np.ndarray, since: str) -> pd.Series:
    """Return for each user the slots of a mask with a date each: `1 (2024-04-22) and 2 (…)`."""
    text = slots[columns.SLOT].astype(str) + " (" + _day(slots[since]) + ")"
    each = text.where(pd.Series(told, index=slots.index), "")
    first, second = each.iloc[: len(each) // 2], each.iloc[len(each) // 2 :]
    both = pd.Series(" and ", index=first.index).where((first != "") & (second != ""), "")
    return first + both + second


def _certificate_sentences(page: Page) -> pd.Series:
    active = (page.certificates[columns.STATE] == State.ACTIVE).to_numpy()
    told = _slot_dates(page.certificates, active, columns.CREATED)
    return "Active signing certificate " + told + ": a way in that the definition does not count."


def _key_sentences(page: Page) -> pd.Series:
    told = _slot_dates(page.keys, _inactive_used(page), columns.LAST_USED)
    return "Inactive access key " + told + " was used: somebody used this user once."


def _always(sentence: str) -> Callable[[Page], pd.Series]:
    return lambda page: pd.Series(sentence, index=page.users.index, dtype=str)


CAVEATS: Final = (
    Caveat(
        "active-certificate",
        lambda page, _: page.has_certificate(State.ACTIVE),
        _certificate_sentences,
    ),
    Caveat(
        "inactive-key-was-used", lambda page, _: in_any_slot(_inactive_used(page)), _key_sentences
    ),
    Caveat(
        "created-before-tracking",
        lambda page, _: (page.users[columns.CREATED] < TRACKING_BEGAN).to_numpy(),
        lambda page: (
            "Created "
            + _day(page.users[columns.CREATED])
            + ", before AWS recorded sign-ins (2014-10-20)."
        ),
    ),
    Caveat(
        "sign-in-gap",
        lambda page, _: _in_gap(page),
        lambda page: (
            "Created "
            + _day(page.users[columns.CREATED])
            + "; AWS recorded no sign-ins from 2018-05-04 05:50 to 2018-05-23 21:08 UTC."
        ),
    ),
    Caveat(
        "mfa-registered",
        lambda page, _: _mfa_without_sign_in(page),
        _always("An MFA device is registered, though nobody ever signed in."),
    ),
    Caveat(
        "service-credential-user",
        lambda page, _: page.users[columns.USER].str.startswith(SERVICE_USER_PREFIX).to_numpy(),
        lambda page: (
            "The name "
            + page.users[columns.USER]
            + " is one that AWS gives to a user made for a service API key, which is live"
            " and invisible in the report."
        ),
    ),
    Caveat(
        "service-credential",
        lambda page, _: (page.users[columns.SERVICE_CREDENTIALS] != "").to_numpy(),
        lambda page: (
            "Has an active service-specific credential: "
            + page.users[columns.SERVICE_CREDENTIALS]
            + "."
        ),
    ),
    Caveat(
        "more-credentials",
        lambda page, _: _more_credentials(page),
        lambda page: (
            "Has more credentials than the report lists: "
            + page.cells[columns.ADDITIONAL_CREDENTIALS_INFO].fillna("")
        ),
    ),
    Caveat(
        "new-user",
        _is_new,
        lambda page: (
            "Created "
            + page.users[columns.CREATED].dt.strftime("%Y-%m-%d %H:%M UTC")
            + ", so new that the report may be older than the first use."
        ),
    ),
)
"""Every caveat, in the order in which outputs list them."""
