"""Compare two analyses: users, verdicts, exemptions, credentials and findings that changed.

A user is an ARN with a creation time. Only accounts with a report on both sides are compared: in
all others no user is new or gone.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.account_names import account_names
from analyzer.credential_changes import (
    CredentialChanges,
    MaskedText,
    credential_changes,
    event_texts,
    last_use,
)
from analyzer.finding_causes import finding_causes
from analyzer.model import NO_MOMENT, TEXT, AccountName, Report, as_category, concatenated
from analyzer.rules.rule import DAYS, FACT, OUTCOME, RULE, Outcome
from analyzer.snapshot import Snapshot, missing_accounts
from analyzer.terms import NOT_COVERED, Verdict

CHANGE: Final = "change"
BEFORE: Final = "before"
NOW: Final = "now"
LAST_USE: Final = "last_use"
CAUSE: Final = "cause"
EXEMPTION_BEFORE: Final = "exemption_before"
EXEMPTION_NOW: Final = "exemption_now"
COLUMNS: Final = (
    CHANGE,
    columns.ACCOUNT,
    columns.USER,
    columns.ARN,
    BEFORE,
    NOW,
    LAST_USE,
    CAUSE,
    EXEMPTION_BEFORE,
    EXEMPTION_NOW,
    columns.CREATED,
    RULE,
    FACT,
    columns.ACCOUNT_NAME,
)


class Change(StrEnum):
    """Name the kinds of changes, in the order of outputs.

    Of the changes of a user up to `CREDENTIALS_CHANGED`, the first that fits applies. Changes of
    an exemption and of findings have rows of their own.
    """

    NEW = "new"
    GONE = "gone"
    RE_CREATED = "re-created"
    NEW_UNUSED = "new-unused"
    FIRST_SIGN_IN = "first-sign-in"
    FIRST_USE = "first-use"
    USED_AGAIN = "used-again"
    NO_LONGER_UNUSED = "no-longer-unused"
    UNDETERMINED = "undetermined"
    VERDICT_CHANGED = "verdict-changed"
    CREDENTIALS_CHANGED = "credentials-changed"
    EXEMPTED = "exempted"
    EXEMPTION_ENDED = "exemption-ended"
    EXEMPTION_CHANGED = "exemption-changed"
    FINDING_NEW = "finding-new"
    FINDING_RESOLVED = "finding-resolved"
    FINDING_UNDECIDED = "finding-undecided"
    NOT_COVERED = NOT_COVERED


MEANINGS: Final[Mapping[Change, str]] = {
    Change.NEW: "A user that the earlier report does not have.",
    Change.GONE: "A user that the later report no longer has.",
    Change.RE_CREATED: "A user deleted and created again under the same name.",
    Change.NEW_UNUSED: "Unused now, with another verdict before.",
    Change.FIRST_SIGN_IN: "Signed in for the first time.",
    Change.FIRST_USE: "An access key used, by a user that was never used before.",
    Change.USED_AGAIN: "Unused, retired or dormant before, and used since.",
    Change.NO_LONGER_UNUSED: "Unused before, with another verdict now.",
    Change.UNDETERMINED: "Not understood in one of the two reports.",
    Change.VERDICT_CHANGED: "Another verdict now.",
    Change.CREDENTIALS_CHANGED: "The same verdict, with other credentials.",
    Change.EXEMPTED: "Exempt now, not before.",
    Change.EXEMPTION_ENDED: "Exempt before, no longer now.",
    Change.EXEMPTION_CHANGED: "Exempt with another reason now.",
    Change.FINDING_NEW: "The rule fails now, not before.",
    Change.FINDING_RESOLVED: "The rule failed before, no longer now.",
    Change.FINDING_UNDECIDED: "The rule could not be decided in one of the two reports.",
    Change.NOT_COVERED: "The account was not compared; the cause says why.",
}
"""What each change means."""

_IDLE: Final = (Verdict.UNUSED, Verdict.RETIRED, Verdict.DORMANT)
_PRESENCE_CHANGES: Final = (Change.NEW, Change.GONE, Change.RE_CREATED)
_ONE_SIDE_CAUSES: Final = {Change.NEW: "user created on ", Change.GONE: "user deleted; created on "}
_UNDATED_ONE_SIDE_CAUSES: Final = {
    Change.NEW: "not in the earlier report",
    Change.GONE: "not in the later report",
}
_EXEMPTION_WORDS: Final = (
    str(Change.EXEMPTED),
    str(Change.EXEMPTION_ENDED),
    str(Change.EXEMPTION_CHANGED),
)
_FINDING_WORDS: Final = (
    str(Change.FINDING_UNDECIDED),
    str(Change.FINDING_NEW),
    str(Change.FINDING_RESOLVED),
)

_MOMENTS: Final = (LAST_USE, columns.CREATED)
_TEXTS: Final = tuple(name for name in COLUMNS if name not in _MOMENTS)
_DTYPES: Final[dict[Any, Any]] = {
    **dict.fromkeys(_TEXTS, TEXT),
    **dict.fromkeys(_MOMENTS, "datetime64[s]"),
}
_ORDER: Final = [CHANGE, columns.ACCOUNT, columns.ARN, RULE, columns.CREATED]

_MATCH_KEY: Final = [columns.ARN, RULE, columns.CREATED, "number"]
"""A finding is the rule and what it is about; keys of one second have numbers."""


def changes(before: Snapshot, now: Snapshot) -> pd.DataFrame:
    """Return what changed between two snapshots, in the order of `Change`, account, ARN and rule.

    The columns are `COLUMNS`: `change` category; `account`, `user`, `arn`, `cause`, `rule`, `fact`
    str; `before`, `now` str (verdicts, of findings outcomes, empty where there is none);
    `exemption_before`, `exemption_now` str; `last_use` datetime64[s, UTC], the newest known;
    `created` likewise, of the user, of findings about a credential of that; `account_name` str,
    empty where neither side knows it.

    A cell that is not understood on one side is reported as such, and nothing is concluded from
    it. An account without a report on one side has one row, `not-covered`, and so has one whose
    reports are in the wrong order.
    """
    both = compared_accounts(before, now)
    users = _user_changes(_rows_of_accounts(before.users, both), _rows_of_accounts(now.users, both))
    return _ordered(
        [
            users[users[CHANGE] != ""],
            _exemption_changes(users),
            _finding_changes(before, now, both, users),
            _account_rows(_uncompared_accounts(before, now)),
        ],
        {**before.account_names, **now.account_names},
    )


def not_covered_rows(report: Report) -> pd.DataFrame:
    """Return the accounts that could not be read, where there is nothing to compare with.

    The columns are those of `changes`.
    """
    missing = missing_accounts(report)
    rows = ((account, f"not covered: {reason}") for account, reason in missing.items())
    return _ordered([_account_rows(rows)], report.account_names)


def out_of_order(before: Snapshot, now: Snapshot) -> set[str]:
    """Return the accounts whose report is older on the side that should be the later."""
    both = before.as_of.keys() & now.as_of.keys()
    return {each for each in both if now.as_of[each] < before.as_of[each]}


def compared_accounts(before: Snapshot, now: Snapshot) -> set[str]:
    """Return the accounts with a report on both sides, the later one where it should be."""
    return set(before.as_of.keys() & now.as_of.keys()) - out_of_order(before, now)


def counts_by_kind(frame: pd.DataFrame) -> dict[Change, int]:
    """Return how many changes there are of each kind that occurs; accounts are none."""
    numbers = frame[CHANGE].value_counts()
    kinds = (each for each in Change if each is not Change.NOT_COVERED)
    return {each: int(numbers[each]) for each in kinds if numbers.get(each)}


# Users


def _rows_of_accounts(frame: pd.DataFrame, accounts: Collection[str]) -> pd.DataFrame:
    return frame[frame[columns.ACCOUNT].isin(list(accounts))]


def _user_changes(before: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each user of either side; its change is empty where nothing changed."""
    place = pd.Index(before[columns.ARN]).get_indexer(pd.Index(now[columns.ARN]))
    gone = before[~before[columns.ARN].isin(now[columns.ARN])]
    known = before.iloc[place[place >= 0]], now[place >= 0]
    parts = [
        _users_on_both_sides(*(frame.reset_index(drop=True) for frame in known)),
        _users_on_one_side(now[place < 0], Change.NEW, NOW, EXEMPTION_NOW),
        _users_on_one_side(gone, Change.GONE, BEFORE, EXEMPTION_BEFORE),
    ]
    return concatenated(map(_with_dtypes, parts))


def _users_on_one_side(
    users: pd.DataFrame, change: Change, side: str, exemption: str
) -> pd.DataFrame:
    """Return users that only one side has."""
    values: dict[str, Any] = {
        CHANGE: str(change),
        **dict.fromkeys((BEFORE, NOW, EXEMPTION_BEFORE, EXEMPTION_NOW), ""),
        side: users[columns.VERDICT],
        exemption: users[columns.EXEMPTION],
        LAST_USE: last_use(users),
        CAUSE: event_texts(_one_side_events(users, change), len(users)),
    }
    return _identities(users).assign(**values)


def _one_side_events(users: pd.DataFrame, change: Change) -> list[MaskedText]:
    known = users[columns.CREATED].notna().to_numpy()
    return [
        (known, _ONE_SIDE_CAUSES[change], _created(users)),
        (~known, _UNDATED_ONE_SIDE_CAUSES[change]),
    ]


def _users_on_both_sides(before: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """Return users that both sides have."""
    happened = credential_changes(before, now)
    created, earlier = _created(now), _created(before)
    re_created = ~np.isnat(created) & ~np.isnat(earlier) & (created != earlier)
    verdicts = before[columns.VERDICT].to_numpy(object), now[columns.VERDICT].to_numpy(object)
    words = np.array([*map(str, Change), ""], object)
    values: dict[str, Any] = {
        CHANGE: words[_change_codes(*verdicts, happened, re_created)],
        BEFORE: before[columns.VERDICT],
        NOW: now[columns.VERDICT],
        EXEMPTION_BEFORE: before[columns.EXEMPTION],
        EXEMPTION_NOW: now[columns.EXEMPTION],
        LAST_USE: happened.last_use,
        CAUSE: _causes(before, now, happened, re_created),
    }
    return _identities(now).assign(**values)


def _identities(users: pd.DataFrame) -> pd.DataFrame:
    return users[[columns.ACCOUNT, columns.USER, columns.ARN, columns.CREATED]]


def _change_codes(
    before: np.ndarray, now: np.ndarray, happened: CredentialChanges, re_created: np.ndarray
) -> np.ndarray:
    """Return the position of each user's change in `Change`, -1 where nothing changed."""
    was_known, is_known = before != Verdict.UNDETERMINED, now != Verdict.UNDETERMINED
    was_unused, is_unused = before == Verdict.UNUSED, now == Verdict.UNUSED
    used = happened.used & _is_idle(before)
    fits = {
        Change.RE_CREATED: re_created,
        Change.NEW_UNUSED: is_unused & ~was_unused & was_known,
        Change.FIRST_SIGN_IN: happened.first_sign_in,
        Change.FIRST_USE: used & happened.first_use,
        Change.USED_AGAIN: used,
        Change.NO_LONGER_UNUSED: was_unused & ~is_unused & is_known,
        Change.UNDETERMINED: (was_known != is_known) | (happened.unclear != ""),
        Change.VERDICT_CHANGED: before != now,
        Change.CREDENTIALS_CHANGED: happened.texts != "",
    }
    order = list(Change)
    return np.select(list(fits.values()), [order.index(each) for each in fits], -1)


def _is_idle(verdicts: np.ndarray) -> np.ndarray:
    return np.asarray(np.any([verdicts == each for each in _IDLE], axis=0))


def _causes(
    before: pd.DataFrame, now: pd.DataFrame, happened: CredentialChanges, re_created: np.ndarray
) -> np.ndarray:
    """Return in words what happened to each user."""
    changed = (before[columns.VERDICT] != now[columns.VERDICT]).to_numpy()
    idle = _is_idle(before[columns.VERDICT].to_numpy(object))
    uses = happened.first_sign_in | changed | idle
    undetermined: list[MaskedText] = [
        (
            (frame[columns.VERDICT] == Verdict.UNDETERMINED).to_numpy() & changed,
            f"undetermined {side}: ",
            frame[columns.REASON].to_numpy(object),
        )
        for side, frame in ((BEFORE, before), (NOW, now))
    ]
    same = ~re_created
    events = event_texts(
        [
            (same & uses & (happened.uses != ""), happened.uses),
            (same & (happened.texts != ""), happened.texts),
            (re_created, "created on ", _created(now), ", the earlier user on ", _created(before)),
            (same & (happened.unclear != ""), happened.unclear),
            *undetermined,
        ],
        len(now),
    )
    # That time went by makes a user dormant, whatever else happened.
    is_dormant = (now[columns.VERDICT] == Verdict.DORMANT).to_numpy()
    quiet = same & changed & ((events == "") | is_dormant)
    never = np.isnat(happened.last_use)
    since: list[MaskedText] = [
        (np.asarray(events != ""), events),
        (quiet & never, "never used"),
        (quiet & ~never, "not used since ", happened.last_use),
    ]
    return event_texts(since, len(now))


def _created(users: pd.DataFrame) -> np.ndarray:
    return users[columns.CREATED].to_numpy("datetime64[s]")


# Exemptions


def _exemption_changes(users: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each user of both sides whose exemption changed."""
    same_user = ~users[CHANGE].isin(_PRESENCE_CHANGES)
    was, has = users[EXEMPTION_BEFORE], users[EXEMPTION_NOW]
    words = np.select([was == "", has == ""], _EXEMPTION_WORDS[:2], _EXEMPTION_WORDS[2])
    new_columns: dict[str, Any] = {CHANGE: words, CAUSE: ""}
    return users.assign(**new_columns)[same_user & (was != has)]


# Findings


def _finding_changes(
    before: Snapshot, now: Snapshot, accounts: Collection[str], users: pd.DataFrame
) -> pd.DataFrame:
    """Return a row for each finding that one side has, or has with another outcome."""
    old, new = (
        _numbered_findings(_rows_of_accounts(side.findings, accounts)) for side in (before, now)
    )
    both = old.merge(new, on=_MATCH_KEY, how="outer", suffixes=(f"_{BEFORE}", f"_{NOW}"))
    was, has = (both[f"{OUTCOME}_{side}"].fillna("") for side in (BEFORE, NOW))
    both = both[was != has].reset_index(drop=True)

    def now_else_before(name: str) -> pd.Series:
        return both[f"{name}_{NOW}"].fillna(both[f"{name}_{BEFORE}"])

    was, has = (both[f"{OUTCOME}_{side}"].fillna("") for side in (BEFORE, NOW))
    undecided = (was == Outcome.UNDECIDED) | (has == Outcome.UNDECIDED)
    words = np.select([undecided, was == ""], _FINDING_WORDS[:2], _FINDING_WORDS[2])
    new_columns: dict[str, Any] = {
        CHANGE: words,
        **{name: now_else_before(name) for name in (columns.ACCOUNT, columns.USER, FACT, DAYS)},
        BEFORE: was,
        NOW: has,
        EXEMPTION_BEFORE: both[f"{columns.EXEMPTION}_{BEFORE}"].fillna(""),
        EXEMPTION_NOW: both[f"{columns.EXEMPTION}_{NOW}"].fillna(""),
        LAST_USE: NO_MOMENT,
    }
    frame = both.assign(**new_columns)
    other = users[users[CHANGE].isin(_PRESENCE_CHANGES)].set_index(columns.ARN)[CAUSE]
    return frame.assign(**{CAUSE: finding_causes(frame, before, now, other)})


def _numbered_findings(findings: pd.DataFrame) -> pd.DataFrame:
    """Return what failed or is undecided, findings on credentials of one second numbered."""
    counted = findings[findings[OUTCOME] != Outcome.NOTED].sort_values(columns.SLOT, kind="stable")
    number = counted.groupby(_MATCH_KEY[:-1], dropna=False, sort=False).cumcount()
    return counted.assign(number=number).drop(columns=columns.SLOT)


# Accounts


def _uncompared_accounts(before: Snapshot, now: Snapshot) -> Iterator[tuple[str, str]]:
    """Yield the accounts that lack a report on a side, and why."""
    every = {*before.as_of, *now.as_of, *before.missing, *now.missing}
    reversed_accounts = out_of_order(before, now)
    for account in sorted(every):
        lacks = [
            f"not covered {side}: {each.missing.get(account, 'there is no report of it')}"
            for side, each in ((BEFORE, before), (NOW, now))
            if account not in each.as_of
        ]
        if account in reversed_accounts:
            lacks = ["not compared: the report that should be the later one is older"]
        if lacks:
            yield account, "; ".join(lacks)


def _account_rows(reasons: Iterable[tuple[str, str]]) -> pd.DataFrame:
    rows = [
        {CHANGE: str(Change.NOT_COVERED), columns.ACCOUNT: account, CAUSE: reason}
        for account, reason in reasons
    ]
    return pd.DataFrame(rows, columns=[CHANGE, columns.ACCOUNT, CAUSE], dtype=TEXT)


def _with_dtypes(part: pd.DataFrame) -> pd.DataFrame:
    """Return rows in the dtypes of all parts: without rows or values, pandas would guess them."""
    return part.astype({name: _DTYPES[name] for name in part})


def _ordered(parts: Iterable[pd.DataFrame], names: Mapping[str, AccountName]) -> pd.DataFrame:
    frame = concatenated(_with_dtypes(part.reindex(columns=list(COLUMNS))) for part in parts)
    frame = frame.fillna(dict.fromkeys(_TEXTS, ""))
    code = pd.Index(list(map(str, Change))).get_indexer(pd.Index(frame[CHANGE]))
    moments: dict[str, Any] = {name: pd.DatetimeIndex(frame[name], tz="UTC") for name in _MOMENTS}
    named = account_names(frame[columns.ACCOUNT], names)
    frame = frame.assign(
        **{CHANGE: as_category(code, Change), columns.ACCOUNT_NAME: named, **moments}
    )
    return frame.sort_values(_ORDER, kind="stable", ignore_index=True)
