"""List what happened to users between the reports of a period: a row an event."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.changes.events import USE_COLUMNS, EventKind, events
from analyzer.changes.stays import PeriodRows
from analyzer.changes.timeline import READING, Timeline
from analyzer.report.model import TEXT, stable_order
from analyzer.terms import Verdict

AFTER: Final = "after"
BEFORE: Final = "before"
EVENT: Final = "event"
DETAIL: Final = "detail"
CREATED: Final = "created"
APPEARED: Final = "appeared"
GONE: Final = "gone"
VERDICT: Final = "verdict"

IDENTITY: Final = (columns.ACCOUNT, columns.ARN, columns.USER, columns.CREATED)
EVENTS: Final = (
    *(columns.ACCOUNT, columns.USER, columns.ARN, columns.CREATED, AFTER, BEFORE, EVENT, DETAIL),
)

_IDLE: Final = (Verdict.UNUSED, Verdict.RETIRED, Verdict.DORMANT)
_NO_EVENT: Final = frozenset(
    (
        *(columns.USER, READING, columns.VERDICT, columns.REASON, columns.EXEMPTION),
        *(columns.CONTRADICTED, columns.PASSWORD_NEXT_ROTATION),
    )
)
"""What may differ from one report to the next without an event of the user's credentials."""

_USES: Final = (EventKind.SIGN_IN, EventKind.KEY_USE)
_ROWS_AT_ONCE: Final = 2_048
"""Rows in memory as values of Python: with 8,192, a year of 20 accounts takes 23 MiB more."""

_Event = tuple[int, int, str, str]
"""The position of a user, that of the first reading that shows it, the event, and a sentence."""


def event_frame(line: Timeline, rows: PeriodRows, runs: pd.DataFrame) -> pd.DataFrame:
    """Return what happened between the reports of a period (`EVENTS`), by user and time."""
    found = [*_presence(line, runs), *_verdict_changes(runs), *_credential_events(line, rows)]
    user, reading = (np.array([each[at] for each in found], np.int64) for at in (0, 1))
    cells: dict[str, Any] = {
        AFTER: line.moments[reading - 1],
        BEFORE: line.moments[reading],
        EVENT: pd.Series([each[2] for each in found], dtype=TEXT),
        DETAIL: pd.Series([each[3] for each in found], dtype=TEXT),
    }
    frame = line.users[list(IDENTITY)].iloc[user].reset_index(drop=True).assign(**cells)
    order = stable_order(*(frame[name] for name in (*IDENTITY, BEFORE)))
    return frame.iloc[order][[*EVENTS]].reset_index(drop=True)


def _presence(line: Timeline, runs: pd.DataFrame) -> Iterator[_Event]:
    for word, sentence, mask, renamed, of in (
        (CREATED, "user {}", runs["created"], "new_name", "first"),
        (APPEARED, "user {}", runs["enters"] & ~runs["created"], "new_name", "first"),
        (GONE, "user deleted; {}", runs["leaves"], "old_name", "last"),
    ):
        later = int(word == GONE)
        for user, reading, is_renamed in runs.loc[mask, [columns.USER, of, renamed]].to_numpy():
            created = line.users[columns.CREATED].iloc[user]
            when = "created on an unknown day"
            if not pd.isna(created):
                when = f"created on {created:%Y-%m-%d}"
            hint = "; possibly renamed: another user has this creation time" if is_renamed else ""
            yield int(user), int(reading) + later, word, sentence.format(when) + hint


def _verdict_changes(runs: pd.DataFrame) -> Iterator[_Event]:
    words = [*map(str, Verdict)]
    changed = runs[runs["stay"].diff() == 0]
    before = runs[columns.VERDICT].shift(fill_value=0)[changed.index]
    values = zip(
        changed[columns.USER], changed["first"], before, changed[columns.VERDICT], strict=True
    )
    for user, reading, was, has in values:
        yield user, reading, VERDICT, f"{words[was]} -> {words[has]}"


def _credential_events(line: Timeline, rows: PeriodRows) -> Iterator[_Event]:
    """Yield what happened to credentials; that one in use is used again is no event."""
    changed = np.flatnonzero(_differs(line, rows))
    for some in np.split(changed, range(_ROWS_AT_ONCE, len(changed), _ROWS_AT_ONCE)):
        sides = (line.states(rows.places[at]) for at in (some - 1, some))
        for at, before, now in zip(some.tolist(), *sides, strict=True):
            for each in events(before, now):
                again = each.kind in _USES and before.last_use and before.verdict not in _IDLE
                if each.kind is not EventKind.PASSWORD_EXPIRY and not again:
                    yield int(rows.user[at]), int(rows.reading[at]), str(each.kind), each.sentence


def _differs(line: Timeline, rows: PeriodRows) -> np.ndarray:
    """Return which rows say other things of credentials than the row before, of the same user."""
    differs = np.diff(rows.verdict, prepend=-1) != 0
    for name in line.rows.keys() - _NO_EVENT:
        now = line.rows[name][rows.places]
        before = np.append(now[:1], now[:-1])
        differs |= (
            (now < before) | (before == 0) & (now > 0) if name in USE_COLUMNS else now != before
        )
    return np.asarray(differs & rows.goes_on)
