"""Show what a period holds: counts, users and events, from all reports of each account.

Between two neighbouring reports lies an interval: what changed happened within it, and when is not
known. Users created and deleted between two reports are not seen.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.changes.done import followed_to_end
from analyzer.changes.stays import (
    AFTER,
    BEFORE,
    IDENTITY,
    UNUSED,
    decided,
    event_frame,
    stays_of,
    stretches_of,
)
from analyzer.changes.timeline import (
    BY_NAME,
    READING,
    Coverage,
    Span,
    Timeline,
    timeline,
    whole_days,
)
from analyzer.report.model import NO_MOMENT, TEXT, Report, concatenated, stable_order
from analyzer.terms import OVERDUE, Verdict

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
    *("unused_end", *_DAYS),
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
REPORTS: Final = (
    *(columns.ACCOUNT, columns.AS_OF, columns.AS_OF_SOURCE, columns.FILE, "sha256"),
    *("rows", "days", "status"),
)

DECIDED: Final = (
    *("decisions", "removals", "done_in_time", "done_undated", "done_late"),
    *(OVERDUE, "open"),
)
"""What the period counts: all decisions of its days; of those in force to delete or deactivate that
were not done before it, those done in time, in time or late (between two reports), done late,
overdue, and open.
"""

COUNTS: Final = "counts"
NO_REPORT: Final = "it has decisions, and none of the reports is of it"
ASSUMED: Final = "as-of is assumed: it has no place in the order"


@dataclass(frozen=True, slots=True)
class History:
    """Hold what a period shows of an analysis in which older reports count too.

    Frames, their text str, moments datetime64[s, UTC], NaT where there is none:

    - `period` (`PERIOD`): a row for each account and one for `ALL`; `reports` int64, other
      numbers Int64 (missing where an account is not covered), days from unused to gone float64.
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
    period: pd.DataFrame
    users: pd.DataFrame
    events: pd.DataFrame
    reports: pd.DataFrame
    trend: pd.DataFrame

    @property
    def gap_count(self) -> int:
        """Return how many gaps are longer than the span allows."""
        return sum(len(each.gaps) for each in self.timeline.coverages)

    @property
    def not_covered(self) -> list[Coverage]:
        """Return the accounts without a report near the end of the period."""
        return [each for each in self.timeline.coverages if each.reason]

    @property
    def missing(self) -> list[object]:
        """Return the accounts, the stretches of time and the files that are not covered."""
        gaps = (gap for each in self.timeline.coverages for gap in each.gaps)
        return [*self.not_covered, *gaps, *self.analysis.report.not_covered]

    def of_accounts(self, accounts: Collection[str]) -> Self:
        """Return what the period shows of some accounts, and all files that could not be read."""
        coverages = [each for each in self.timeline.coverages if each.account in accounts]
        period, users, events, reports = (
            frame[frame[columns.ACCOUNT].isin([*accounts, ALL])]
            for frame in (self.period, self.users, self.events, self.reports)
        )
        return replace(
            self,
            timeline=replace(self.timeline, coverages=coverages),
            period=period,
            users=users,
            events=events,
            reports=reports,
        )


def history(analysis: Analysis, span: Span) -> History:
    """Return what a period shows; in the analysis older reports of an account count too.

    Raises InputRefused as `timeline` does.
    """
    line = timeline(analysis, span)
    runs = stretches_of(line)
    stays = stays_of(runs)
    return History(
        analysis=analysis,
        timeline=line,
        span=span,
        period=_in_utc(_period(line, runs, stays)),
        users=_in_utc(_users(line, runs, stays)),
        events=_in_utc(event_frame(line, runs)),
        reports=_in_utc(_report_rows(analysis.report, line)),
        trend=_in_utc(_trend(line)),
    )


def _in_utc(frame: pd.DataFrame) -> pd.DataFrame:
    moments = frame.select_dtypes("datetime64[s]")
    return frame.assign(**{str(name): moments[name].dt.tz_localize("UTC") for name in moments})


# Tables


def _users(line: Timeline, runs: pd.DataFrame, stays: pd.DataFrame) -> pd.DataFrame:
    at, user = line.moments, runs[columns.USER]
    last = stays.groupby(columns.USER).last()
    first = stays.groupby(columns.USER)["first"].first()
    words = pd.Series([*map(str, Verdict)])
    verdict = runs[columns.VERDICT].map(words)
    row = np.flatnonzero(np.diff(line.rows[columns.USER], append=-1) != 0)
    exemption = line.situation(columns.EXEMPTION, row)
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
    order = stable_order(*(frame[name] for name in IDENTITY))
    return frame.iloc[order][[*USERS]].reset_index(drop=True)


def _moments_at(moments: np.ndarray, readings: pd.Series) -> np.ndarray:
    """Return the moments of readings, NaT for -1."""
    return np.append(moments, NO_MOMENT)[readings]


def _unused_seconds(line: Timeline, runs: pd.DataFrame) -> pd.Series:
    """Return how long each run is unused (int64), with what lies between two of them."""
    unused = runs[columns.VERDICT] == UNUSED
    ended = runs["last"].where(unused).groupby(runs["stay"]).ffill().shift()
    since = ended.where(runs["was_unused"], runs["first"]).astype(np.int64)
    elapsed = line.moments[runs["last"]] - line.moments[since]
    return pd.Series(elapsed.astype(np.int64)).where(unused, 0)


def _period(line: Timeline, runs: pd.DataFrame, stays: pd.DataFrame) -> pd.DataFrame:
    account = np.array([each.account for each in line.readings])
    counts = _counted(runs, stays).groupby(account[runs["first"]]).sum()
    frame = pd.DataFrame([_reports(line, each) for each in line.coverages])
    frame = frame.join(counts.astype(np.int64), on=columns.ACCOUNT)
    numbers = ["longest_gap", "gap_days", *counts]
    frame[numbers] = frame[numbers].fillna(0).where(frame["reports"] > 0).astype("Int64")
    edges = {"first": frame["first"].min(), "last": frame["last"].max()}
    edges |= {columns.ACCOUNT: ALL, "longest_gap": frame["longest_gap"].max()}
    every = frame.sum(numeric_only=True, min_count=1).to_dict() | edges
    frame = pd.concat([frame, pd.DataFrame([every]).astype(frame.dtypes)], ignore_index=True)
    return frame.join(_removal_days(line, stays, account), on=columns.ACCOUNT)[[*PERIOD]]


def _counted(runs: pd.DataFrame, stays: pd.DataFrame) -> pd.DataFrame:
    """Return which runs each number of users of `PERIOD` counts (bool)."""
    unused = runs[columns.VERDICT] == UNUSED
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
    return pd.DataFrame(counted)


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


def _removal_days(line: Timeline, stays: pd.DataFrame, account: np.ndarray) -> pd.DataFrame:
    """Return by account, and for `ALL`, the days from first unused to gone (`_DAYS`, float64).

    Where a user was unused at the start, the most days are not known: infinite, or missing.
    """
    gone = stays[stays["leaves"] & (stays["since"] >= 0)]
    present, since, used = (line.moments[gone[name]] for name in ("last", "since", "used"))
    most = -whole_days(used - line.moments[gone["last"] + 1])
    cells = {
        "least": whole_days(present - since).astype(float),
        "most": np.where(gone["used"] >= 0, most, np.inf),
        "account": account[gone["last"]],
    }
    days = pd.DataFrame(cells)
    by_account = pd.concat([days, days.assign(account=ALL)]).groupby("account")
    of_account = by_account[["least", "most"]].agg(["median", "max"])
    of_account.columns = [*_DAYS]
    return of_account.replace(np.inf, np.nan)


def _trend(line: Timeline) -> pd.DataFrame:
    """Return `History.trend`: by the last report of each account up to the end of each day."""
    shape = len(line.readings), len(Verdict)
    code = line.rows[READING] * shape[1] + line.situation(columns.VERDICT)
    cells = np.bincount(code, minlength=shape[0] * shape[1])
    inside = [each.positions for each in line.coverages]
    day = line.moments.astype("datetime64[D]")
    days = np.unique(day[np.concatenate(inside)])
    total = np.zeros((len(days), shape[1]), np.int64)
    for readings in inside:
        last = np.searchsorted(day[readings], days, "right") - 1
        total[last >= 0] += cells.reshape(shape)[readings[last[last >= 0]]]
    counts = dict(zip(map(str, Verdict), total.T, strict=True))
    return pd.DataFrame({columns.AS_OF: days.astype("datetime64[s]"), **counts})


def _report_rows(report: Report, line: Timeline) -> pd.DataFrame:
    spans = {each.account: each for each in line.coverages}
    places = {(each.file, each.account): at for at, each in enumerate(line.readings)}
    files = report.files
    copied = {(each.file, each.account): files[first.file].name for each, first in line.copies}
    rows: list[tuple[Any, ...]] = []
    for number, file in enumerate(files):
        as_of = np.datetime64(file.as_of.replace(tzinfo=None), "s")
        about = as_of, str(file.as_of_source), file.name, file.sha256
        for of in file.accounts:
            key, days = (number, of.account), pd.NA
            place, same = places.get(key), copied.get(key)
            if place and line.readings[place - 1].account == of.account:
                days = whole_days(line.moments[place] - line.moments[place - 1])
            status = f"same report as {same}" if same else _status(place, spans.get(of.account))
            rows.append((of.account, *about, of.rows, days, status))
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
    return COUNTS if covered.start <= place <= covered.end else "outside the period"


def with_decisions(history: History) -> History:
    """Return a history with the columns `DECIDED` of the period, and events `decision` and `done`.

    An account with decisions and without a report is not covered.
    """
    line, ledger = history.timeline, history.analysis.ledger
    followed = followed_to_end(line, history.analysis)
    counts, events = decided(line, history.span, ledger, *followed)
    lacking = {each.account for each in ledger.lines} - {each.account for each in line.coverages}
    uncovered = [Coverage(each, reason=NO_REPORT) for each in sorted(lacking)]
    accounts = history.period[columns.ACCOUNT].iloc[:-1]
    numbers = {name: [counts[account, name] for account in accounts] for name in DECIDED}
    period = history.period.assign(**{name: [*each, sum(each)] for name, each in numbers.items()})
    added = pd.DataFrame(events, columns=history.events.columns)
    every = concatenated([history.events, added.astype(history.events.dtypes.to_dict())])
    order = stable_order(*(every[name] for name in (*IDENTITY, BEFORE)))
    return replace(
        history,
        timeline=replace(line, coverages=[*line.coverages, *uncovered]),
        period=period,
        events=every.iloc[order].reset_index(drop=True),
    )
