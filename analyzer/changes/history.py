"""Show what a period holds: counts, users and events, from all reports of each account.

Between two neighbouring reports lies an interval: what changed happened within it, and when is not
known. Users created and deleted between two reports are not seen.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Final, NamedTuple, Self

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.changes.events import USE_COLUMNS, EventKind, events
from analyzer.changes.timeline import BY_NAME, READING, Timeline, timeline
from analyzer.judging.analysis import Analysis
from analyzer.report.model import NO_MOMENT, TEXT, Report, stable_order
from analyzer.terms import Verdict, code_of, count_text

MAX_GAP: Final = 31
"""Days: a longer gap between two reports is named, by default."""

AFTER: Final = "after"
BEFORE: Final = "before"
EVENT: Final = "event"
DETAIL: Final = "detail"
CREATED: Final = "created"
APPEARED: Final = "appeared"
GONE: Final = "gone"
VERDICT: Final = "verdict"

ALL: Final = "all"
"""Stands for the account in the row that counts all."""

_DAYS: Final = (
    *("median_days_at_least", "longest_days_at_least"),
    *("median_days_at_most", "longest_days_at_most"),
)

PERIOD: Final = (
    *(columns.ACCOUNT, "reports", "first", "last", "longest_gap", "gap_days"),
    *("users_start", "created", "appeared", "removed", "users_end", "renamed"),
    *("unused_start", "newly_unused", "unused_removed", "back_in_use", "unused_unclear"),
    *(
        "unused_end",
        "median_days_at_least",
        "longest_days_at_least",
        "median_days_at_most",
        "longest_days_at_most",
    ),
)
"""The columns of the period: users add up (start, created, appeared, less removed, end), and so do
the unused (start, newly, less removed, back in use and unclear, end); `unclear` are undetermined
now, and were unused before. The days are those from first unused to gone.
"""

USERS: Final = (
    *(columns.ACCOUNT, columns.USER, columns.ARN, columns.CREATED, BY_NAME, "first", "last"),
    *("verdict_start", "verdict_end", "unused_since", "at_least", "days_unused", AFTER, BEFORE),
    columns.EXEMPTION,
)
EVENTS: Final = (
    *(columns.ACCOUNT, columns.USER, columns.ARN, columns.CREATED, AFTER, BEFORE, EVENT, DETAIL),
)
REPORTS: Final = (
    *(columns.ACCOUNT, columns.AS_OF, columns.AS_OF_SOURCE, columns.FILE, "sha256"),
    *("rows", "days", "status"),
)

_DAY: Final = np.timedelta64(86_400, "s")
_UNUSED, _UNDETERMINED = code_of(Verdict.UNUSED), code_of(Verdict.UNDETERMINED)
_IDLE: Final = (Verdict.UNUSED, Verdict.RETIRED, Verdict.DORMANT)
_NO_EVENT: Final = frozenset(
    (
        *(columns.USER, READING, columns.VERDICT, columns.REASON, columns.EXEMPTION),
        *(columns.CONTRADICTED, columns.PASSWORD_NEXT_ROTATION),
    )
)
"""What may differ from one report to the next without an event of the user's credentials."""

_USES: Final = (EventKind.SIGN_IN, EventKind.KEY_USE)
ASSUMED: Final = "as-of is assumed: it has no place in the order"
_ROWS_AT_ONCE: Final = 8_192

_Event = tuple[int, int, str, str]
"""The position of a user, that of the first reading that shows it, the event, and a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Set the period, in UTC, and the longest gap in days between reports that is not named.

    Without `since` it begins with the first report of each account, without `until` it ends with
    the newest report of all.
    """

    since: datetime | None = None
    until: datetime | None = None
    max_gap: int = MAX_GAP


@dataclass(frozen=True, slots=True)
class Coverage:
    """Name the readings of an account in the period, from `start` up to `end`, by position.

    An account that is not covered has none, and a `reason`. `gaps` are the intervals without a
    report that are longer than the span allows, in datetime64[s].
    """

    account: str
    start: int = 0
    end: int = -1
    reason: str = ""
    gaps: tuple[tuple[np.datetime64, np.datetime64], ...] = ()


def coverages(timeline: Timeline, span: Span) -> list[Coverage]:
    """Return which reports of each account lie in the period, in the order of accounts."""
    accounts = np.array([each.account for each in timeline.readings])
    distinct, first, count = np.unique(accounts, return_index=True, return_counts=True)
    until = _moment(span.until) if span.until else timeline.moments.max()
    parts = zip(distinct.tolist(), first.tolist(), count.tolist(), strict=True)
    return [
        _coverage(account, start, timeline.moments[start : start + number], span, until)
        for account, start, number in parts
    ]


def _coverage(
    account: str, first: int, at: np.ndarray, span: Span, until: np.datetime64
) -> Coverage:
    start = _edge(at, _moment(span.since), span.max_gap) if span.since else 0
    end = _edge(at, until, span.max_gap)
    if start is None or end is None or at[end] - until >= (span.max_gap + 1) * _DAY:
        reason = f"no report within {count_text(span.max_gap, 'day')} of {day_text(until)}"
        return Coverage(account, reason=reason)
    moments = at[start : end + 1]
    if span.since and moments[0] > _moment(span.since):
        moments = np.append(_moment(span.since), moments)
    pairs = pairwise(moments)
    gaps = tuple(each for each in pairs if whole_days(each[1] - each[0]) > span.max_gap)
    return Coverage(account, first + start, first + end, gaps=gaps)


def _edge(at: np.ndarray, moment: np.datetime64, max_gap: int) -> int | None:
    """Return the last report up to a moment, if not too long before it, else the first after."""
    before = int(np.searchsorted(at, moment, "right")) - 1
    if before >= 0 and whole_days(moment - at[before]) <= max_gap:
        return before
    return before + 1 if before + 1 < len(at) else None


def whole_days(elapsed: Any) -> Any:
    """Return timedelta64 as whole days (int64), rounded down."""
    return elapsed // _DAY


def day_text(at: np.datetime64) -> str:
    """Return the day of a moment: `2026-03-01`."""
    return str(at.astype("datetime64[D]"))


def _moment(at: datetime) -> np.datetime64:
    return np.datetime64(at.replace(tzinfo=None), "s")


@dataclass(frozen=True, slots=True)
class History:
    """Hold what a period shows of an analysis in which older reports count too.

    Frames, their text str, moments datetime64[s, UTC], NaT where there is none:

    - `period` (`PERIOD`): a row for each account and one for `ALL`; numbers int64, days float64.
    - `users` (`USERS`): a row for each user; `by_name` and `at_least` bool (it was unused at the
      start), `verdict_start`, `verdict_end` empty where it is not there, `after` and `before` the
      reports between which it was gone, `exemption` that of the last report.
    - `events` (`EVENTS`): what happened between the reports `after` and `before`.
    - `reports` (`REPORTS`): every report of every account, and files that could not be read;
      `rows` int64, `days` Int64 from the report before, `status` in words.
    - `trend`: the number of users of each verdict (int64), by the days in `as_of`.
    """

    analysis: Analysis
    timeline: Timeline
    span: Span
    coverages: Sequence[Coverage]
    period: pd.DataFrame
    users: pd.DataFrame
    events: pd.DataFrame
    reports: pd.DataFrame
    trend: pd.DataFrame

    @property
    def gaps(self) -> int:
        """Return how many gaps are longer than the span allows."""
        return sum(len(each.gaps) for each in self.coverages)

    @property
    def not_covered(self) -> list[Coverage]:
        """Return the accounts without a report near the end of the period."""
        return [each for each in self.coverages if each.reason]

    @property
    def files_at_end(self) -> set[str]:
        """Return the names of the reports with which the period ends."""
        ends = (self.timeline.readings[each.end] for each in self.coverages if not each.reason)
        return {self.analysis.report.files[each.file].name for each in ends}

    @property
    def missing(self) -> list[object]:
        """Return the accounts, the stretches of time and the files that are not covered."""
        gaps = (gap for each in self.coverages for gap in each.gaps)
        return [*self.not_covered, *gaps, *self.analysis.report.not_covered]


def history(analysis: Analysis, span: Span) -> History:
    """Return what a period shows; in the analysis older reports of an account count too.

    Raises InputRefused as `timeline` does.
    """
    line = timeline(analysis)
    covered = coverages(line, span)
    rows = _Rows.of(line, covered)
    runs = _runs(line, rows)
    stays = _stays(runs)
    return History(
        analysis=analysis,
        timeline=line,
        span=span,
        coverages=covered,
        period=_in_utc(_period(line, covered, runs, stays)),
        users=_in_utc(_users(line, rows, runs, stays)),
        events=_in_utc(_events(line, rows, runs)),
        reports=_in_utc(_report_rows(analysis.report, line, covered)),
        trend=_in_utc(_trend(line, covered, rows)),
    )


def _in_utc(frame: pd.DataFrame) -> pd.DataFrame:
    moments = frame.select_dtypes("datetime64[s]")
    return frame.assign(**{str(name): moments[name].dt.tz_localize("UTC") for name in moments})


# Rows, runs and stays


class _Rows(NamedTuple):
    """Hold the rows of a period: their `places` in `Timeline.rows`, and what stands there.

    `goes_on` says which are of the same user as the row before, and of the next report; `start` and
    `end` which readings are the first and last of their account in the period.
    """

    places: np.ndarray
    user: np.ndarray
    reading: np.ndarray
    verdict: np.ndarray
    goes_on: np.ndarray
    start: np.ndarray
    end: np.ndarray

    @classmethod
    def of(cls, line: Timeline, covered: Sequence[Coverage]) -> Self:
        """Return the rows in the period of each account."""
        inside, start, end = np.zeros((3, len(line.readings)), bool)
        for each in covered:
            if not each.reason:
                inside[each.start : each.end + 1] = start[each.start] = end[each.end] = True
        at = np.flatnonzero(inside[line.rows[READING]])
        named = (columns.USER, READING, columns.VERDICT)
        user, reading, verdict = (line.rows[name][at] for name in named)
        goes_on = (np.diff(user, prepend=-1) == 0) & (np.diff(reading, prepend=-1) == 1)
        return cls(at, user, reading, verdict, goes_on, start, end)


def _runs(line: Timeline, rows: _Rows) -> pd.DataFrame:
    """Return a row for each unbroken run of reports in which a user has the same verdict.

    A stay is an unbroken run of reports that have the user. `user`, `stay`, `verdict`, `first`,
    `last` int64: positions of the user, the stay, in `Verdict` and of readings; bool: `at_start`
    and `at_end` of the period, `enters` and `leaves` (the first run of a stay that begins in the
    period, the last of one that ends in it), `created` (of those that enter; the others appeared),
    `old_name` (of those that leave: possibly renamed), `new_name` likewise, `newly` unused, `back`
    in use. Runs of undetermined users are passed over in `newly` and `back`, and in `was_unused`:
    whether the run before of the stay is unused.
    """
    begins = ~rows.goes_on | (np.diff(rows.verdict, prepend=-1) != 0)
    first = np.flatnonzero(begins)
    last = np.append(first[1:], len(begins))[: len(first)] - 1
    stay = np.cumsum(~rows.goes_on)[first] - 1
    is_last = np.diff(stay, append=-1) != 0
    runs = pd.DataFrame(
        {
            columns.USER: rows.user[first],
            "stay": stay,
            columns.VERDICT: rows.verdict[first].astype(np.int64),
            "first": rows.reading[first],
            "last": rows.reading[last],
        }
    )
    runs["at_start"] = ~rows.goes_on[first] & rows.start[runs["first"]]
    runs["at_end"] = is_last & rows.end[runs["last"]]
    runs["enters"] = ~rows.goes_on[first] & ~runs["at_start"]
    runs["leaves"] = is_last & ~runs["at_end"]
    created = line.users[columns.CREATED].to_numpy("datetime64[s]")[runs[columns.USER]]
    runs["new_name"], runs["old_name"] = _possibly_renamed(runs, created)
    is_new = created >= line.moments[runs["first"] - 1]
    runs["created"] = runs["enters"] & (is_new | runs["new_name"])
    known = runs[runs[columns.VERDICT] != _UNDETERMINED]
    before = known.groupby("stay")[columns.VERDICT].shift().reindex(runs.index)
    unused = runs[columns.VERDICT] == _UNUSED
    runs["was_unused"] = before == _UNUSED
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


def _stays(runs: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each stay, with what its runs say of it.

    `user`, `first` and `last` reading, `leaves`; `since` and `used` are readings (int64, -1 for
    none): since when it is unused up to its end, and the last report in which it was not, or not
    yet there. Runs of undetermined users are passed over.
    """
    stay, verdict = runs["stay"], runs[columns.VERDICT]
    unused, known = verdict == _UNUSED, verdict != _UNDETERMINED
    ends_unused = verdict.where(known).groupby(stay).last() == _UNUSED
    since = runs["first"].where(unused & ~runs["was_unused"]).groupby(stay).last()
    used = runs["last"].where(known & ~unused).groupby(stay).last()
    stays = runs.groupby("stay").agg({columns.USER: "first", "first": "first", "last": "last"})
    entered = runs["enters"].groupby(stay).any()
    before = (stays["first"] - 1).where(entered)
    readings = {"since": since.where(ends_unused), "used": used.fillna(before)}
    whole = {name: each.fillna(-1).astype(np.int64) for name, each in readings.items()}
    return stays.assign(**whole, leaves=runs["leaves"].groupby(stay).any())


# Tables


def _users(line: Timeline, rows: _Rows, runs: pd.DataFrame, stays: pd.DataFrame) -> pd.DataFrame:
    at, user = line.moments, runs[columns.USER]
    last = stays.groupby(columns.USER).last()
    first = stays.groupby(columns.USER)["first"].first()
    words = pd.Series([*map(str, Verdict)])
    verdict = runs[columns.VERDICT].map(words)
    row = np.flatnonzero(np.diff(rows.user, append=-1) != 0)
    exemption = line.words[columns.EXEMPTION][line.rows[columns.EXEMPTION][rows.places[row]]]
    cells: dict[str, Any] = {
        "first": at[first],
        "last": at[last["last"]],
        "verdict_start": verdict.where(runs["at_start"], "").groupby(user).first(),
        "verdict_end": verdict.where(runs["at_end"], "").groupby(user).last(),
        "unused_since": _moments_at(at, last["since"]),
        "at_least": (last["since"] >= 0) & (last["used"] < 0),
        "days_unused": _unused_seconds(line, runs).groupby(user).sum() // 86_400,
        AFTER: _moments_at(at, last["last"].where(last["leaves"], -1)),
        BEFORE: _moments_at(at, (last["last"] + 1).where(last["leaves"], -1)),
        columns.EXEMPTION: pd.Series(exemption, last.index, TEXT),
    }
    frame = line.users.loc[last.index].assign(**cells)
    frame = frame.astype({"verdict_start": TEXT, "verdict_end": TEXT})
    order = stable_order(*(frame[name] for name in _IDENTITY))
    return frame.iloc[order][[*USERS]].reset_index(drop=True)


_IDENTITY: Final = (columns.ACCOUNT, columns.ARN, columns.USER, columns.CREATED)


def _moments_at(moments: np.ndarray, readings: pd.Series) -> np.ndarray:
    """Return the moments of readings, NaT for -1."""
    return np.append(moments, NO_MOMENT)[readings]


def _unused_seconds(line: Timeline, runs: pd.DataFrame) -> pd.Series:
    """Return how long each run is unused (int64), with what lies between two of them."""
    unused = runs[columns.VERDICT] == _UNUSED
    ended = runs["last"].where(unused).groupby(runs["stay"]).ffill().shift()
    since = ended.where(runs["was_unused"], runs["first"]).astype(np.int64)
    elapsed = line.moments[runs["last"]] - line.moments[since]
    return pd.Series(elapsed.astype(np.int64)).where(unused, 0)


def _period(
    line: Timeline, covered: Sequence[Coverage], runs: pd.DataFrame, stays: pd.DataFrame
) -> pd.DataFrame:
    account = np.array([each.account for each in line.readings])
    unused = runs[columns.VERDICT] == _UNUSED
    ends_unused = runs["stay"].map(stays["since"]) >= 0
    counted = {
        "users_start": runs["at_start"],
        "created": runs["created"],
        "appeared": runs["enters"] & ~runs["created"],
        "removed": runs["leaves"],
        "users_end": runs["at_end"],
        "renamed": runs["old_name"],
        "unused_start": runs["at_start"] & unused,
        "newly_unused": runs["newly"],
        "unused_removed": runs["leaves"] & ends_unused,
        "back_in_use": runs["back"],
        "unused_unclear": runs["at_end"] & ends_unused & ~unused,
        "unused_end": runs["at_end"] & unused,
    }
    counts = pd.DataFrame(counted).groupby(account[runs["first"]]).sum()
    frame = pd.DataFrame([_reports(line, each) for each in covered])
    frame = frame.join(counts.astype(np.int64), on=columns.ACCOUNT)
    frame[[*counts]] = frame[[*counts]].fillna(0).astype(np.int64)
    spans = {"first": frame["first"].min(), "last": frame["last"].max()}
    spans |= {columns.ACCOUNT: ALL, "longest_gap": frame["longest_gap"].max()}
    every = frame.sum(numeric_only=True).astype(np.int64).to_dict() | spans
    frame = pd.concat([frame, pd.DataFrame([every])], ignore_index=True)
    gone = _days_to_removal(line, stays)
    days = pd.concat([gone.assign(account=account[gone["last"]]), gone.assign(account=ALL)])
    # Infinite days are not known: the user was unused at the start.
    of_account = days.groupby("account")[["least", "most"]].agg(["median", "max"])
    of_account.columns = [
        "median_days_at_least",
        "longest_days_at_least",
        "median_days_at_most",
        "longest_days_at_most",
    ]
    frame = frame.join(of_account.replace(np.inf, np.nan), on=columns.ACCOUNT)
    return frame[[*PERIOD]]


def _reports(line: Timeline, covered: Coverage) -> dict[str, Any]:
    """Return what `PERIOD` has of the reports of an account."""
    at = line.moments[covered.start : covered.end + 1]
    gaps = [int(whole_days(end - start)) for start, end in covered.gaps]
    return {
        columns.ACCOUNT: covered.account,
        "reports": len(at),
        "first": at[0] if len(at) else NO_MOMENT,
        "last": at[-1] if len(at) else NO_MOMENT,
        "longest_gap": max((*whole_days(np.diff(at)).tolist(), *gaps), default=0),
        "gap_days": sum(gaps),
    }


def _days_to_removal(line: Timeline, stays: pd.DataFrame) -> pd.DataFrame:
    """Return the stays of unused users who are gone, with the days from first unused to gone.

    `least` and `most` are float64, `most` infinite where the user was unused at the start.
    """
    gone = stays[stays["leaves"] & (stays["since"] >= 0)]
    present, since, used = (line.moments[gone[name]] for name in ("last", "since", "used"))
    most = -whole_days(used - line.moments[gone["last"] + 1])
    bounded = np.where(gone["used"] >= 0, most, np.inf)
    return gone.assign(least=whole_days(present - since).astype(float), most=bounded)


def _trend(line: Timeline, covered: Sequence[Coverage], rows: _Rows) -> pd.DataFrame:
    """Return `History.trend`: by the last report of each account up to the end of each day."""
    shape = len(line.readings), len(Verdict)
    cells = np.bincount(rows.reading * shape[1] + rows.verdict, minlength=shape[0] * shape[1])
    inside = [np.arange(each.start, each.end + 1) for each in covered]
    day = line.moments.astype("datetime64[D]")
    days = np.unique(day[np.concatenate(inside)])
    total = np.zeros((len(days), shape[1]), np.int64)
    for readings in inside:
        last = np.searchsorted(day[readings], days, "right") - 1
        total[last >= 0] += cells.reshape(shape)[readings[last[last >= 0]]]
    counts = dict(zip(map(str, Verdict), total.T, strict=True))
    return pd.DataFrame({columns.AS_OF: days.astype("datetime64[s]"), **counts})


def _report_rows(report: Report, line: Timeline, covered: Sequence[Coverage]) -> pd.DataFrame:
    spans = {each.account: each for each in covered}
    places = {(each.file, each.account): at for at, each in enumerate(line.readings)}
    first_of = {(copy.file, copy.account): first for copy, first in line.copies}
    rows: list[tuple[Any, ...]] = []
    for file, each in enumerate(report.files):
        for of in each.accounts:
            place, copied = places.get((file, of.account)), first_of.get((file, of.account))
            gap: Any = pd.NA
            if place and line.readings[place - 1].account == of.account:
                gap = int(whole_days(line.moments[place] - line.moments[place - 1]))
            status = (
                f"same report as {report.files[copied.file].name}"
                if copied
                else _status(place, spans.get(of.account))
            )
            as_of = np.datetime64(each.as_of.replace(tzinfo=None), "s")
            read = as_of, str(each.as_of_source), each.name, each.sha256, of.rows
            rows.append((of.account, *read, gap, status))
    for missing in report.not_covered:
        unread = NO_MOMENT, "", missing.name, "", 0, pd.NA, f"not read: {missing.reason}"
        rows.append((missing.account, *unread))
    kinds: dict[str, Any] = {columns.AS_OF: "datetime64[s]", "rows": "int64", "days": "Int64"}
    frame = pd.DataFrame(rows, columns=[*REPORTS]).astype({**dict.fromkeys(REPORTS, TEXT), **kinds})
    return frame.iloc[stable_order(frame[columns.ACCOUNT], frame[columns.AS_OF])]


def _status(place: int | None, covered: Coverage | None) -> str:
    if place is None or covered is None:
        return ASSUMED
    if covered.reason:
        return "the account is not covered"
    return "counts" if covered.start <= place <= covered.end else "outside the period"


# Events


def _events(line: Timeline, rows: _Rows, runs: pd.DataFrame) -> pd.DataFrame:
    found = [*_presence(line, runs), *_verdict_changes(runs), *_credential_events(line, rows)]
    user, reading = (np.array([each[at] for each in found], np.int64) for at in (0, 1))
    cells: dict[str, Any] = {
        AFTER: line.moments[reading - 1],
        BEFORE: line.moments[reading],
        EVENT: pd.Series([each[2] for each in found], dtype=TEXT),
        DETAIL: pd.Series([each[3] for each in found], dtype=TEXT),
    }
    frame = line.users[list(_IDENTITY)].iloc[user].reset_index(drop=True).assign(**cells)
    order = stable_order(*(frame[name] for name in (*_IDENTITY, BEFORE)))
    return frame.iloc[order][[*EVENTS]].reset_index(drop=True)


def _presence(line: Timeline, runs: pd.DataFrame) -> Iterator[_Event]:
    for word, mask, renamed, of, later in (
        (CREATED, runs["created"], "new_name", "first", 0),
        (APPEARED, runs["enters"] & ~runs["created"], "new_name", "first", 0),
        (GONE, runs["leaves"], "old_name", "last", 1),
    ):
        for user, reading, is_renamed in runs.loc[mask, [columns.USER, of, renamed]].to_numpy():
            created = line.users[columns.CREATED].iloc[user]
            when = "unknown when" if pd.isna(created) else f"created on {created:%Y-%m-%d}"
            hint = "; possibly renamed: another user has this creation time" if is_renamed else ""
            yield int(user), int(reading) + later, word, when + hint


def _verdict_changes(runs: pd.DataFrame) -> Iterator[_Event]:
    words = [*map(str, Verdict)]
    changed = runs[runs["stay"].diff() == 0]
    before = runs[columns.VERDICT].shift(fill_value=0)[changed.index]
    values = zip(
        changed[columns.USER], changed["first"], before, changed[columns.VERDICT], strict=True
    )
    for user, reading, was, has in values:
        yield user, reading, VERDICT, f"{words[was]} -> {words[has]}"


def _credential_events(line: Timeline, rows: _Rows) -> Iterator[_Event]:
    """Yield what happened to credentials; that one in use is used again is no event."""
    changed = np.flatnonzero(_differs(line, rows))
    for some in np.split(changed, range(_ROWS_AT_ONCE, len(changed), _ROWS_AT_ONCE)):
        sides = (line.states(rows.places[at]) for at in (some - 1, some))
        for at, before, now in zip(some.tolist(), *sides, strict=True):
            for each in events(before, now):
                again = each.kind in _USES and before.last_use and before.verdict not in _IDLE
                if each.kind is not EventKind.PASSWORD_EXPIRY and not again:
                    yield int(rows.user[at]), int(rows.reading[at]), str(each.kind), each.sentence


def _differs(line: Timeline, rows: _Rows) -> np.ndarray:
    """Return which rows say other things of credentials than the row before, of the same user."""
    differs = np.diff(rows.verdict, prepend=-1) != 0
    for name in line.rows.keys() - _NO_EVENT:
        now = line.rows[name][rows.places]
        before = np.append(now[:1], now[:-1])
        differs |= (
            (now < before) | (before == 0) & (now > 0) if name in USE_COLUMNS else now != before
        )
    return np.asarray(differs & rows.goes_on)
