"""Find when users and verdicts came and went: stays, events, and what was decided and done.

A stay is an unbroken run of reports that have a user; in a run it also has the same verdict.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import Any, Final

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.changes.events import (
    IDLE,
    USE_COLUMNS,
    EventKind,
    events,
)
from analyzer.changes.timeline import (
    READING,
    REMARKS,
    SITUATION,
    Span,
    Timeline,
    numbers_but,
)
from analyzer.decisions.decision import Decision, LedgerLine, UserKey
from analyzer.decisions.follow_up import DecisionOutcome
from analyzer.decisions.ledger import Ledger
from analyzer.report.model import TEXT, stable_order
from analyzer.terms import OVERDUE, Verdict, code_of

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

_NO_EVENT: Final = {columns.USER, READING, SITUATION, columns.PASSWORD_NEXT_ROTATION}
"""What is no moment of a row, or whose change alone is no event."""

_USES: Final = (EventKind.SIGN_IN, EventKind.KEY_USE)
_Event = tuple[int, int, str, str]
"""The position of a user, that of the first reading that shows it, the event, and a sentence."""

# Stays

UNUSED, _UNDETERMINED = code_of(Verdict.UNUSED), code_of(Verdict.UNDETERMINED)


def stretches_of(line: Timeline) -> pd.DataFrame:
    """Return a row for each unbroken run of reports in which a user has the same verdict.

    `user`, `stay`, `verdict`, `first`, `last` int64: positions of the user, the stay, in `Verdict`
    and of readings; bool: `at_start` and `at_end` of the period, `enters` and `leaves` (the first
    run of a stay that begins in the period, the last of one that ends in it), `created` (of those
    that enter; the others appeared), `old_name` (of those that leave: possibly renamed), `new_name`
    likewise, `newly` unused, `back` in use. Runs of undetermined users are passed over in `newly`
    and `back`, and in `was_unused`: whether the run before of the stay is unused.
    """
    verdict, goes_on = line.situation(columns.VERDICT), line.goes_on
    first = np.flatnonzero(~goes_on | (np.diff(verdict, prepend=-1) != 0))
    last = np.append(first[1:], len(goes_on))[: len(first)] - 1
    begins = ~goes_on[first]
    is_last = np.append(begins[1:], True)[: len(first)]
    named = {
        columns.USER: line.rows[columns.USER][first],
        "stay": np.cumsum(begins) - 1,
        columns.VERDICT: verdict[first],
        "first": line.rows[READING][first],
        "last": line.rows[READING][last],
    }
    runs = pd.DataFrame(named).astype(np.int64)
    covered = line.covered.values()
    runs["at_start"] = begins & runs["first"].isin([each.start for each in covered])
    runs["at_end"] = is_last & runs["last"].isin([each.end for each in covered])
    runs["enters"] = begins & ~runs["at_start"]
    runs["leaves"] = is_last & ~runs["at_end"]
    created = line.users[columns.CREATED].to_numpy("datetime64[s]")[runs[columns.USER]]
    runs["new_name"], runs["old_name"] = _possibly_renamed(runs, created)
    is_new = created >= line.moments[runs["first"] - 1]
    runs["created"] = runs["enters"] & (is_new | runs["new_name"])
    known = runs[runs[columns.VERDICT] != _UNDETERMINED]
    before = known.groupby("stay")[columns.VERDICT].shift().reindex(runs.index)
    unused = runs[columns.VERDICT] == UNUSED
    runs["was_unused"] = before == UNUSED
    runs["newly"] = unused & ~runs["was_unused"] & ~(before.isna() & runs["at_start"])
    runs["back"] = runs.index.isin(known.index) & ~unused & runs["was_unused"]
    return runs


def _possibly_renamed(runs: pd.DataFrame, created: np.ndarray) -> Iterator[pd.Series]:
    """Yield which runs enter, and which leave, as another user of the same second does not.

    Of two users of one second, one is gone and one is new in the same interval.
    """
    known, seconds = ~np.isnat(created), created.astype(np.int64)
    enters, leaves = known & runs["enters"], known & runs["leaves"]
    key_in = pd.Series((runs["first"].to_numpy() - 1) << 32 | seconds)
    key_out = pd.Series(runs["last"].to_numpy() << 32 | seconds)
    yield enters & key_in.isin(key_out[leaves])
    yield leaves & key_out.isin(key_in[enters])


def stays_of(runs: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each stay, with what its runs say of it.

    `user`, `first` and `last` reading, `leaves`; `since` and `used` are readings (int64, -1 for
    none): since when it is unused up to its end, and the last report in which it was not, or not
    yet there. Runs of undetermined users are passed over.
    """
    stay, verdict = runs["stay"], runs[columns.VERDICT]
    unused, known = verdict == UNUSED, verdict != _UNDETERMINED
    ends_unused = verdict.where(known).groupby(stay).last() == UNUSED
    since = runs["first"].where(unused & ~runs["was_unused"]).groupby(stay).last()
    used = runs["last"].where(known & ~unused).groupby(stay).last()
    stays = runs.groupby("stay").agg({columns.USER: "first", "first": "first", "last": "last"})
    entered = runs["enters"].groupby(stay).any()
    before = (stays["first"] - 1).where(entered)
    readings = {"since": since.where(ends_unused), "used": used.fillna(before)}
    whole = {name: each.fillna(-1).astype(np.int64) for name, each in readings.items()}
    return stays.assign(**whole, leaves=runs["leaves"].groupby(stay).any())


# Events


def event_frame(line: Timeline, runs: pd.DataFrame) -> pd.DataFrame:
    """Return what happened between the reports of a period (`EVENTS`), by user and time."""
    found = [*_presence(line, runs), *_verdict_changes(runs), *_credential_events(line)]
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
        (CREATED, "user created", runs["created"], "new_name", "first"),
        (APPEARED, "user created", runs["enters"] & ~runs["created"], "new_name", "first"),
        (GONE, "user deleted or renamed; created", runs["leaves"], "old_name", "last"),
    ):
        later = int(word == GONE)
        for user, reading, is_renamed in runs.loc[mask, [columns.USER, of, renamed]].to_numpy():
            created = line.users[columns.CREATED].iloc[user]
            day = "an unknown day" if pd.isna(created) else f"{created:%Y-%m-%d}"
            hint = "; possibly renamed: another user has this creation time" if is_renamed else ""
            yield int(user), int(reading) + later, word, f"{sentence} on {day}{hint}"


def _verdict_changes(runs: pd.DataFrame) -> Iterator[_Event]:
    words = [*map(str, Verdict)]
    changed = runs[runs["stay"].diff() == 0]
    before = runs[columns.VERDICT].shift(fill_value=0)[changed.index]
    values = zip(
        changed[columns.USER], changed["first"], before, changed[columns.VERDICT], strict=True
    )
    for user, reading, was, has in values:
        yield user, reading, VERDICT, f"{words[was]} -> {words[has]}"


def _credential_events(line: Timeline) -> Iterator[_Event]:
    """Yield what happened to credentials; that one in use is used again is no event."""
    changed = np.flatnonzero(_differs(line))
    user, reading = (line.rows[name] for name in (columns.USER, READING))
    sides = (line.states(at) for at in (changed - 1, changed))
    for at, before, now in zip(changed.tolist(), *sides, strict=True):
        for each in events(before, now):
            again = each.kind in _USES and before.last_use and before.verdict not in IDLE
            if each.kind is not EventKind.PASSWORD_EXPIRY and not again:
                yield int(user[at]), int(reading[at]), str(each.kind), each.sentence


def _differs(line: Timeline) -> np.ndarray:
    """Return which rows say other things of credentials than the row before, of the same user.

    That a use is newer than one known before is nothing else.
    """
    facts = numbers_but(line.situations, *REMARKS, columns.CONTRADICTED)
    differs = np.diff(facts[line.rows[SITUATION]], prepend=-1) != 0
    for name in line.rows.keys() - _NO_EVENT:
        now = line.rows[name]
        before = np.append(now[:1], now[:-1])
        differs |= (
            (now < before) | (before == 0) & (now > 0) if name in USE_COLUMNS else now != before
        )
    return np.asarray(differs & line.goes_on)


# Decisions


def decided(
    line: Timeline,
    span: Span,
    ledger: Ledger,
    outcomes: Mapping[UserKey, DecisionOutcome],
    done_since: Mapping[UserKey, int],
) -> tuple[Counter[tuple[str, str]], list[dict[str, object]]]:
    """Return how many decisions of each account a period counts, and they and what was done.

    `outcomes` are what the last reports show of the decisions in force, `done_since` the readings
    since which they are done. The numbers are those of `history.DECIDED`, the rows have the columns
    of `EVENTS`.
    """
    covered = line.covered
    last_day = span.until.date() if span.until else date.max
    counts: Counter[tuple[str, str]] = Counter()
    events = []
    for each in ledger.lines:
        of = covered.get(each.account) if each.decision is not Decision.CONFLICT else None
        if of and (span.since or line.readings[of.start].at).date() <= each.decided_on <= last_day:
            counts[of.account, "decisions"] += 1
            midnight = datetime.combine(each.decided_on, time(), UTC)
            events.append(_event(each, None, midnight, "decision"))
    for user, outcome in outcomes.items():
        of, done = covered[outcome.line.account], done_since.get(user)
        if done is None or done > of.start:
            status = _status(line, outcome, done, ledger.due_days)
            counts.update(((of.account, "removals"), (of.account, status)))
        if done is not None and done > of.start:
            edges = (line.readings[reading].at for reading in (done - 1, done))
            events.append(_event(outcome.line, *edges, "done"))
    return counts, events


def _status(line: Timeline, outcome: DecisionOutcome, done: int | None, due_days: int) -> str:
    if done is None:
        return OVERDUE if outcome.days > due_days else "open"
    before, at_last = (
        (line.readings[reading].at.date() - outcome.line.decided_on).days
        for reading in (done - 1, done)
    )
    if at_last <= due_days:
        return "done_in_time"
    return "done_late" if before > due_days else "done_undated"


def _event(line: LedgerLine, *cells: object) -> dict[str, object]:
    """Return a decision as an event; the cells are after, before and what happened."""
    user = line.account, line.user_key.arn, line.user, line.user_key.created
    names = (*IDENTITY, AFTER, BEFORE, EVENT, DETAIL)
    return dict(zip(names, (*user, *cells, line.summary), strict=True))
