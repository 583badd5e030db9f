"""Find when users and verdicts came and went: stays, their stretches, and events.

A stay is a run of reports that have the user. A stretch is a part of it with one verdict.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.changes.events import (
    IDLE_VERDICTS,
    USE_COLUMNS,
    EventKind,
    events,
    presence_text,
)
from analyzer.changes.timeline import (
    ACCOUNT_REPORT,
    NOT_COMPARED,
    SHARED_FACT,
    Timeline,
    group_numbers,
)
from analyzer.report.model import TEXT, stable_order
from analyzer.terms import Verdict, code_of

AFTER_REPORT: Final = "after"
BEFORE_REPORT: Final = "before"
EVENT: Final = "event"
DETAIL: Final = "detail"
CREATED: Final = "created"
APPEARED: Final = "appeared"
GONE: Final = "gone"
VERDICT: Final = "verdict"

IDENTITY: Final = (columns.ACCOUNT, columns.ARN, columns.USER, columns.CREATED)
EVENTS: Final = (
    *(columns.ACCOUNT, columns.USER, columns.ARN, columns.CREATED),
    *(AFTER_REPORT, BEFORE_REPORT, EVENT, DETAIL),
)

_NO_EVENT: Final = {columns.USER, ACCOUNT_REPORT, SHARED_FACT, columns.PASSWORD_NEXT_ROTATION}
"""Columns of rows that are no moments, or whose change alone is no event."""

_USES: Final = (EventKind.SIGN_IN, EventKind.KEY_USE)
_Event = tuple[int, int, str, str]
"""The positions of a user and of the first report with the event, the event, and a sentence."""

# Stays

UNUSED, _UNDETERMINED = code_of(Verdict.UNUSED), code_of(Verdict.UNDETERMINED)


def verdict_stretches(timeline: Timeline) -> pd.DataFrame:
    """Return a row for each stretch of reports in which a user has the same verdict.

    The columns are those of `_stretches` and, all bool: `created` (others that enter appeared),
    `old_name` (leaves, possibly renamed), `new_name` (enters, possibly renamed), `was_unused` (the
    stretch before in the stay is unused), `newly_unused`, `back_in_use`. The last three skip
    undetermined stretches.
    """
    stretches = _stretches(timeline)
    created = timeline.users[columns.CREATED].to_numpy("datetime64[s]")[stretches[columns.USER]]
    stretches["new_name"], stretches["old_name"] = _possibly_renamed(stretches, created)
    is_new = created >= timeline.moments[stretches["first"] - 1]
    stretches["created"] = stretches["enters"] & (is_new | stretches["new_name"])
    known = stretches[stretches[columns.VERDICT] != _UNDETERMINED]
    before = known.groupby("stay")[columns.VERDICT].shift().reindex(stretches.index)
    unused, was_unused = stretches[columns.VERDICT] == UNUSED, before == UNUSED
    stretches["was_unused"] = was_unused
    stretches["newly_unused"] = unused & ~was_unused & ~(before.isna() & stretches["at_start"])
    stretches["back_in_use"] = stretches.index.isin(known.index) & ~unused & was_unused
    return stretches


def _stretches(timeline: Timeline) -> pd.DataFrame:
    """Return where each stretch begins and ends.

    `user`, `stay`, `verdict`, `first`, `last` int64: positions of user and stay, in `Verdict`
    and of reports; bool: `at_start` and `at_end` of the period, `enters` and `leaves` (the first
    stretch of a stay that begins in the period, the last of one that ends in it).
    """
    verdict, begins_stay = timeline.fact_values(columns.VERDICT), ~timeline.continues_row_before
    first = np.flatnonzero(begins_stay | (np.diff(verdict, prepend=-1) != 0))
    last = np.append(first[1:], len(begins_stay))[: len(first)] - 1
    begins = begins_stay[first]
    is_last = np.append(begins[1:], True)[: len(first)]
    named = {
        columns.USER: timeline.rows[columns.USER][first],
        "stay": np.cumsum(begins) - 1,
        columns.VERDICT: verdict[first],
        "first": timeline.rows[ACCOUNT_REPORT][first],
        "last": timeline.rows[ACCOUNT_REPORT][last],
    }
    stretches = pd.DataFrame(named).astype(np.int64)
    covered = timeline.covered.values()
    stretches["at_start"] = begins & stretches["first"].isin(
        [coverage.start for coverage in covered]
    )
    stretches["at_end"] = is_last & stretches["last"].isin([coverage.end for coverage in covered])
    stretches["enters"] = begins & ~stretches["at_start"]
    stretches["leaves"] = is_last & ~stretches["at_end"]
    return stretches


def _possibly_renamed(stretches: pd.DataFrame, created: np.ndarray) -> Iterator[pd.Series]:
    """Yield the stretches that enter, then those that leave, of possibly renamed users (bool).

    Of two users of one second, one is gone and the other is new in the same interval.
    """
    known, seconds = ~np.isnat(created), created.astype(np.int64)
    enters, leaves = known & stretches["enters"], known & stretches["leaves"]
    key_in = pd.Series((stretches["first"].to_numpy() - 1) << 32 | seconds)
    key_out = pd.Series(stretches["last"].to_numpy() << 32 | seconds)
    yield enters & key_in.isin(key_out[leaves])
    yield leaves & key_out.isin(key_in[enters])


def stays_of(stretches: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each stay, made from its stretches.

    `user`, `leaves`; the positions of the `first` and `last` report; `since`, the report from which
    the user is unused up to the end of the stay, and `used`, the last one in which it was not, or
    was not yet there (int64, -1 for none). Undetermined stretches are skipped.
    """
    stay, verdict = stretches["stay"], stretches[columns.VERDICT]
    unused, known = verdict == UNUSED, verdict != _UNDETERMINED
    ends_unused = verdict.where(known).groupby(stay).last() == UNUSED
    since = stretches["first"].where(unused & ~stretches["was_unused"]).groupby(stay).last()
    used = stretches["last"].where(known & ~unused).groupby(stay).last()
    stays = stretches.groupby("stay").agg({columns.USER: "first", "first": "first", "last": "last"})
    entered = stretches["enters"].groupby(stay).any()
    before = (stays["first"] - 1).where(entered)
    positions = {"since": since.where(ends_unused), "used": used.fillna(before)}
    whole = {name: values.fillna(-1).astype(np.int64) for name, values in positions.items()}
    return stays.assign(**whole, leaves=stretches["leaves"].groupby(stay).any())


# Events


def event_frame(timeline: Timeline, stretches: pd.DataFrame) -> pd.DataFrame:
    """Return what happened between the reports of a period (`EVENTS`), by user and time."""
    found = [
        *_presence(timeline, stretches),
        *_verdict_changes(stretches),
        *_credential_events(timeline),
    ]
    user, account_report = (np.array([event[at] for event in found], np.int64) for at in (0, 1))
    cells: dict[str, Any] = {
        AFTER_REPORT: timeline.moments[account_report - 1],
        BEFORE_REPORT: timeline.moments[account_report],
        EVENT: pd.Series([event[2] for event in found], dtype=TEXT),
        DETAIL: pd.Series([event[3] for event in found], dtype=TEXT),
    }
    frame = timeline.users[list(IDENTITY)].iloc[user].reset_index(drop=True).assign(**cells)
    return in_order(frame[[*EVENTS]])


def in_order(events_of_users: pd.DataFrame) -> pd.DataFrame:
    """Return events by user and time."""
    by = (events_of_users[name] for name in (*IDENTITY, BEFORE_REPORT))
    return events_of_users.iloc[stable_order(*by)].reset_index(drop=True)


def _presence(timeline: Timeline, stretches: pd.DataFrame) -> Iterator[_Event]:
    appeared = stretches["enters"] & ~stretches["created"]
    for word, mask, renamed, of in (
        (CREATED, stretches["created"], "new_name", "first"),
        (APPEARED, appeared, "new_name", "first"),
        (GONE, stretches["leaves"], "old_name", "last"),
    ):
        is_gone = word == GONE
        some = stretches.loc[mask, [columns.USER, of, renamed]]
        for user, account_report, is_renamed in some.to_numpy():
            created = timeline.users[columns.CREATED].iloc[user]
            day = "an unknown day" if pd.isna(created) else f"{created:%Y-%m-%d}"
            text = presence_text(
                day,
                is_gone=is_gone,
                is_new=word == CREATED and not is_renamed,
                is_possibly_renamed=is_renamed,
            )
            yield int(user), int(account_report) + is_gone, word, text


def _verdict_changes(stretches: pd.DataFrame) -> Iterator[_Event]:
    words = [*map(str, Verdict)]
    changed = stretches[stretches["stay"].diff() == 0]
    before = stretches[columns.VERDICT].shift(fill_value=0)[changed.index]
    values = zip(
        changed[columns.USER], changed["first"], before, changed[columns.VERDICT], strict=True
    )
    for user, account_report, was, has in values:
        yield user, account_report, VERDICT, f"{words[was]} -> {words[has]}"


def _credential_events(timeline: Timeline) -> Iterator[_Event]:
    """Yield the events of credentials; a further use by a user in use is no event."""
    changed = np.flatnonzero(_differs(timeline))
    user, account_report = (timeline.rows[name] for name in (columns.USER, ACCOUNT_REPORT))
    sides = (timeline.states(at) for at in (changed - 1, changed))
    for at, before, now in zip(changed.tolist(), *sides, strict=True):
        for event in events(before, now):
            again = event.kind in _USES and before.last_use and before.verdict not in IDLE_VERDICTS
            if event.kind is not EventKind.PASSWORD_EXPIRY and not again:
                yield int(user[at]), int(account_report[at]), str(event.kind), event.sentence


def _differs(timeline: Timeline) -> np.ndarray:
    """Return which rows differ in credentials from the row before, of the same user.

    A use that is only newer than a known one is no difference.
    """
    facts = group_numbers(timeline.shared_facts, *NOT_COMPARED)
    differs = np.diff(facts[timeline.rows[SHARED_FACT]], prepend=-1) != 0
    for name in timeline.rows.keys() - _NO_EVENT:
        now = timeline.rows[name]
        before = np.append(now[:1], now[:-1])
        differs |= (
            (now < before) | (before == 0) & (now > 0) if name in USE_COLUMNS else now != before
        )
    return np.asarray(differs & timeline.continues_row_before)
