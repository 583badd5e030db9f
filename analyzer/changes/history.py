"""Show a period: counts, users and events, from all reports of each account.

A change happened in the interval between two neighbouring reports; its exact time is not known.
Users created and deleted between two reports are not seen.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Any, Final, Self

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.changes.stays import (
    AFTER_REPORT,
    BEFORE_REPORT,
    DETAIL,
    EVENT,
    IDENTITY,
    UNUSED,
    event_frame,
    in_order,
    stays_of,
    verdict_stretches,
)
from analyzer.changes.timeline import (
    ACCOUNT_REPORT,
    BY_NAME,
    Coverage,
    Span,
    Timeline,
    timeline_of,
    whole_days,
)
from analyzer.decisions.decision import LedgerLine
from analyzer.decisions.fate import Fate, fates
from analyzer.report.model import NO_MOMENT, TEXT, concatenated, stable_order
from analyzer.report.report import Report
from analyzer.terms import OVERDUE, Verdict

ALL: Final = "all"
"""The account in the row that counts all accounts."""

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
"""The columns of the period. Users: start + created + appeared - removed = end. Unused: start +
newly - removed - back in use - unclear = end; `unclear` are undetermined now, and were unused
before. The days are those from first unused to gone.
"""

USERS: Final = (
    *(columns.ACCOUNT, columns.USER, columns.ARN, columns.CREATED, BY_NAME, "first", "last"),
    *("verdict_start", "verdict_end", "unused_since", "at_least", "days_unused"),
    *(AFTER_REPORT, BEFORE_REPORT, columns.EXEMPTION),
)
REPORTS: Final = (
    *(columns.ACCOUNT, columns.AS_OF, columns.AS_OF_SOURCE, columns.FILE, "sha256"),
    *("rows", "days", "status"),
)

DECISION_COUNTS: Final = (
    *("decisions", "removals", "done_in_time", "done_undated", "done_late"),
    *(OVERDUE, "open"),
)
"""The numbers of decisions: `decisions` are all of the days of the period. `removals` are those in
force to delete or deactivate, and not done before it. Each is done in time, undated (between two
reports, in time or late), done late, overdue, or open.
"""

COUNTS: Final = "counts"
NO_REPORT: Final = "it has decisions, and none of the reports is of it"
ASSUMED: Final = "as-of is assumed: it has no place in the order"


@dataclass(frozen=True, slots=True)
class History:
    """Hold the history of a period, from an analysis in which older reports count too.

    Frames; text is str, moments are datetime64[s, UTC], NaT for none:

    - `period` (`PERIOD`): a row for each account and one for `ALL`; `reports` int64, other
      numbers Int64 (missing if an account is not covered), days from unused to gone float64.
    - `users` (`USERS`): a row for each user; `by_name` and `at_least` bool (unused at the start),
      `verdict_start`, `verdict_end` empty if the user is not there, `after` and `before` the
      reports between which it went, `exemption` that of the last report.
    - `events` (`EVENTS`): what happened between the reports `after` and `before`.
    - `reports` (`REPORTS`): every report of every account, and files that could not be read;
      `rows` int64, `days` Int64 from the report before, `status` in words.
    - `trend`: the number of users of each verdict (int64), by the days in `as_of`, from the first
      day on which every covered account has a report.
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
        return sum(len(coverage.gaps) for coverage in self.timeline.coverages)

    @property
    def not_covered(self) -> list[Coverage]:
        """Return the accounts without a report near the end of the period."""
        return [coverage for coverage in self.timeline.coverages if coverage.reason]

    @property
    def missing(self) -> list[object]:
        """Return the accounts, the gaps and the files that are not covered."""
        gaps = (gap for coverage in self.timeline.coverages for gap in coverage.gaps)
        return [*self.not_covered, *gaps, *self.analysis.report.not_covered]

    def of_accounts(self, accounts: Collection[str]) -> Self:
        """Return the history of some accounts, with all files that could not be read."""
        coverages = [
            coverage for coverage in self.timeline.coverages if coverage.account in accounts
        ]
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
    """Return the history of a period; in the analysis older reports of an account count too.

    Raises InputRefused as `timeline_of` does.
    """
    timeline = timeline_of(analysis, span)
    stretches = verdict_stretches(timeline)
    stays = stays_of(stretches)
    return History(
        analysis=analysis,
        timeline=timeline,
        span=span,
        period=_in_utc(_period(timeline, stretches, stays)),
        users=_in_utc(_users(timeline, stretches, stays)),
        events=_in_utc(event_frame(timeline, stretches)),
        reports=_in_utc(_report_rows(analysis.report, timeline)),
        trend=_in_utc(_trend(timeline)),
    )


def _in_utc(frame: pd.DataFrame) -> pd.DataFrame:
    moments = frame.select_dtypes("datetime64")
    return frame.assign(**{str(name): moments[name].dt.tz_localize("UTC") for name in moments})


# Tables


def _users(timeline: Timeline, stretches: pd.DataFrame, stays: pd.DataFrame) -> pd.DataFrame:
    at, user = timeline.moments, stretches[columns.USER]
    last = stays.groupby(columns.USER).last()
    first = stays.groupby(columns.USER)["first"].first()
    words = pd.Series([*map(str, Verdict)])
    verdict = stretches[columns.VERDICT].map(words)
    row = np.flatnonzero(np.diff(timeline.rows[columns.USER], append=-1) != 0)
    exemption = timeline.fact_values(columns.EXEMPTION, row)
    cells: dict[str, Any] = {
        "first": at[first],
        "last": at[last["last"]],
        "verdict_start": verdict.where(stretches["at_start"], "").groupby(user).first(),
        "verdict_end": verdict.where(stretches["at_end"], "").groupby(user).last(),
        "unused_since": _moments_at(at, last["since"]),
        "at_least": (last["since"] >= 0) & (last["used"] < 0),
        "days_unused": _unused_seconds(timeline, stretches).groupby(user).sum() // 86_400,
        AFTER_REPORT: _moments_at(at, last["last"].where(last["leaves"], -1)),
        BEFORE_REPORT: _moments_at(at, (last["last"] + 1).where(last["leaves"], -1)),
        columns.EXEMPTION: pd.Series(exemption, last.index, TEXT),
    }
    frame = timeline.users.loc[last.index].assign(**cells)
    frame = frame.astype({"verdict_start": TEXT, "verdict_end": TEXT})
    order = stable_order(*(frame[name] for name in IDENTITY))
    return frame.iloc[order][[*USERS]].reset_index(drop=True)


def _moments_at(moments: np.ndarray, positions: pd.Series) -> np.ndarray:
    """Return the moments of reports, NaT for -1."""
    return np.append(moments, NO_MOMENT)[positions]


def _unused_seconds(timeline: Timeline, stretches: pd.DataFrame) -> pd.Series:
    """Return the unused seconds of each stretch (int64), from the end of an unused one before."""
    unused = stretches[columns.VERDICT] == UNUSED
    ended = stretches["last"].where(unused).groupby(stretches["stay"]).ffill().shift()
    since = ended.where(stretches["was_unused"], stretches["first"]).astype(np.int64)
    elapsed = timeline.moments[stretches["last"]] - timeline.moments[since]
    return pd.Series(elapsed.astype(np.int64)).where(unused, 0)


def _period(timeline: Timeline, stretches: pd.DataFrame, stays: pd.DataFrame) -> pd.DataFrame:
    account = np.array([report.account for report in timeline.account_reports])
    counts = _counted_stretches(stretches, stays).groupby(account[stretches["first"]]).sum()
    frame = pd.DataFrame([_report_counts(timeline, coverage) for coverage in timeline.coverages])
    frame = frame.join(counts.astype(np.int64), on=columns.ACCOUNT)
    numbers = ["longest_gap", "gap_days", *counts]
    frame[numbers] = frame[numbers].fillna(0).where(frame["reports"] > 0).astype("Int64")
    edges = {"first": frame["first"].min(), "last": frame["last"].max()}
    edges |= {columns.ACCOUNT: ALL, "longest_gap": frame["longest_gap"].max()}
    every = frame.sum(numeric_only=True, min_count=1).to_dict() | edges
    frame = pd.concat([frame, pd.DataFrame([every]).astype(frame.dtypes)], ignore_index=True)
    return frame.join(_removal_days(timeline, stays, account), on=columns.ACCOUNT)[[*PERIOD]]


def _counted_stretches(stretches: pd.DataFrame, stays: pd.DataFrame) -> pd.DataFrame:
    """Return which stretches count in each number of users in `PERIOD` (bool)."""
    unused = stretches[columns.VERDICT] == UNUSED
    ends_unused = stretches["stay"].map(stays["since"]) >= 0
    counted = {
        "users_start": stretches["at_start"],
        "created": stretches["created"],
        "appeared": stretches["enters"] & ~stretches["created"],
        "removed": stretches["leaves"],
        "users_end": stretches["at_end"],
        "renamed": stretches["old_name"],
        "unused_start": stretches["at_start"] & unused,
        "newly_unused": stretches["newly_unused"],
        "unused_removed": stretches["leaves"] & ends_unused,
        "back_in_use": stretches["back_in_use"],
        "unused_unclear": stretches["at_end"] & ends_unused & ~unused,
        "unused_end": stretches["at_end"] & unused,
    }
    return pd.DataFrame(counted)


def _report_counts(timeline: Timeline, covered: Coverage) -> dict[str, Any]:
    """Return the cells of `PERIOD` on the reports of an account."""
    at = timeline.moments[covered.start : covered.end + 1]
    gaps = [int(whole_days(end - start)) for start, end in covered.gaps]
    return {
        columns.ACCOUNT: covered.account,
        "reports": len(at),
        "first": at[0] if len(at) else NO_MOMENT,
        "last": at[-1] if len(at) else NO_MOMENT,
        "longest_gap": max((*whole_days(np.diff(at)).tolist(), *gaps), default=0),
        "gap_days": sum(gaps),
    }


def _removal_days(timeline: Timeline, stays: pd.DataFrame, account: np.ndarray) -> pd.DataFrame:
    """Return by account, and for `ALL`, the days from first unused to gone (`_DAYS`, float64).

    If a user was unused at the start, the most days are not known: infinite, or missing.
    """
    gone = stays[stays["leaves"] & (stays["since"] >= 0)]
    present, since, used = (timeline.moments[gone[name]] for name in ("last", "since", "used"))
    most = -whole_days(used - timeline.moments[gone["last"] + 1])
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


def _trend(timeline: Timeline) -> pd.DataFrame:
    """Return `History.trend`, from the last report of each account up to the end of each day."""
    shape = len(timeline.account_reports), len(Verdict)
    code = timeline.rows[ACCOUNT_REPORT] * shape[1] + timeline.fact_values(columns.VERDICT)
    cells = np.bincount(code, minlength=shape[0] * shape[1])
    inside = [coverage.positions for coverage in timeline.covered.values()]
    day = timeline.moments.astype("datetime64[D]")
    days = np.unique(day[np.concatenate([[], *inside]).astype(int)])
    # Users of an account that comes later would look like growth.
    days = days[days >= max((day[positions[0]] for positions in inside), default=NO_MOMENT)]
    total = np.zeros((len(days), shape[1]), np.int64)
    for positions in inside:
        last = np.searchsorted(day[positions], days, "right") - 1
        total += cells.reshape(shape)[positions[last]]
    counts = dict(zip(map(str, Verdict), total.T, strict=True))
    return pd.DataFrame({columns.AS_OF: days.astype("datetime64[s]"), **counts})


def _report_rows(report: Report, timeline: Timeline) -> pd.DataFrame:
    spans = {coverage.account: coverage for coverage in timeline.coverages}
    positions = {
        (report.file, report.account): at for at, report in enumerate(timeline.account_reports)
    }
    files = report.files
    copied = {(copy.file, copy.account): files[first.file].name for copy, first in timeline.copies}
    rows: list[tuple[Any, ...]] = []
    for number, file in enumerate(files):
        as_of = np.datetime64(file.as_of.replace(tzinfo=None), "s")
        about = as_of, str(file.as_of_source), file.name, file.sha256
        for of in file.accounts:
            key, days = (number, of.account), pd.NA
            position, same = positions.get(key), copied.get(key)
            if position and timeline.account_reports[position - 1].account == of.account:
                days = whole_days(timeline.moments[position] - timeline.moments[position - 1])
            status = f"same report as {same}" if same else _status(position, spans.get(of.account))
            rows.append((of.account, *about, of.rows, days, status))
    for missing in report.not_covered:
        unread = NO_MOMENT, "", missing.name, "", 0, pd.NA, f"not read: {missing.reason}"
        rows.append((missing.account, *unread))
    kinds: dict[str, Any] = {columns.AS_OF: "datetime64[s]", "rows": "int64", "days": "Int64"}
    frame = pd.DataFrame(rows, columns=[*REPORTS]).astype({**dict.fromkeys(REPORTS, TEXT), **kinds})
    return frame.iloc[stable_order(frame[columns.ACCOUNT], frame[columns.AS_OF])]


def _status(position: int | None, covered: Coverage | None) -> str:
    if position is None or covered is None:
        return ASSUMED
    if covered.reason:
        return "the account is not covered"
    return COUNTS if covered.start <= position <= covered.end else "outside the period"


def with_decisions(history: History) -> History:
    """Return a history with `DECISION_COUNTS` in the period, and events `decision` and `done`.

    An account with decisions and without a report is not covered.
    """
    timeline, ledger = history.timeline, history.analysis.ledger
    counts, events = _decision_counts_and_events(timeline, history.span, history.analysis)
    known = {coverage.account for coverage in timeline.coverages}
    lacking = {line.account for line in ledger.lines} - known
    uncovered = [Coverage(account, reason=NO_REPORT) for account in sorted(lacking)]
    accounts = history.period[columns.ACCOUNT].iloc[:-1]
    numbers = {name: [counts[account, name] for account in accounts] for name in DECISION_COUNTS}
    period = history.period.assign(
        **{name: [*counts, sum(counts)] for name, counts in numbers.items()}
    )
    added = pd.DataFrame(events, columns=history.events.columns)
    every = concatenated([history.events, added.astype(history.events.dtypes.to_dict())])
    return replace(
        history,
        timeline=replace(timeline, coverages=[*timeline.coverages, *uncovered]),
        period=period,
        events=in_order(every),
    )


def _decision_counts_and_events(
    timeline: Timeline, span: Span, analysis: Analysis
) -> tuple[Counter[tuple[str, str]], list[dict[str, object]]]:
    """Return the numbers of decisions in a period by account, and the events of decisions."""
    covered, ledger = timeline.covered, analysis.ledger
    last_day = span.until.date() if span.until else date.max
    counts: Counter[tuple[str, str]] = Counter()
    events = []
    for line in ledger.lines:
        coverage = covered.get(line.account) if not line.is_fact else None
        first = coverage and (span.since or timeline.account_reports[coverage.start].at).date()
        if first and first <= line.decided_on <= last_day:
            counts[line.account, "decisions"] += 1
            midnight = datetime.combine(line.decided_on, time(), UTC)
            events.append(_decision_event(line, None, midnight, "decision"))
    for fate in fates(ledger, analysis.report, analysis.pages(), span.until).fates:
        coverage = covered.get(fate.line.account)
        moments = [timeline.account_reports[at].at for at in coverage.positions] if coverage else []
        since = fate.done_since
        if not moments or (since and since <= moments[0]):
            continue
        before = max((at for at in moments if since and at < since), default=moments[0])
        status = _decision_status(fate, before, ledger.due_days)
        counts.update(((fate.line.account, "removals"), (fate.line.account, status)))
        if since:
            events.append(_decision_event(fate.line, before, since, "done"))
    return counts, events


def _decision_status(fate: Fate, before: datetime, due_days: int) -> str:
    if not fate.done_since:
        return OVERDUE if fate.is_overdue(due_days) else "open"
    first, last = ((at.date() - fate.line.decided_on).days for at in (before, fate.done_since))
    if last <= due_days:
        return "done_in_time"
    return "done_late" if first > due_days else "done_undated"


def _decision_event(line: LedgerLine, *cells: object) -> dict[str, object]:
    """Return a decision as an event; the cells are `after`, `before` and the event."""
    user = line.account, line.arn, line.user, line.created
    names = (*IDENTITY, AFTER_REPORT, BEFORE_REPORT, EVENT, DETAIL)
    return dict(zip(names, (*user, *cells, line.summary), strict=True))
