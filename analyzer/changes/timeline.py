"""Order the rows of each user in all reports: one small record for each user and report.

The reports of an account are ordered by as-of. A day without a time counts as its start, or as the
newest timestamp in the report if that is later. A report whose as-of is assumed has no place in the
order.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import compress, groupby, pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.changes.events import UserState
from analyzer.changes.snapshot import UNKNOWN, credential_values, states_of_rows
from analyzer.decisions.facts import report_time
from analyzer.errors import InputRefused, Problem
from analyzer.report.model import NO_MOMENT, TEXT, ReportFile, as_category
from analyzer.report.users import Users
from analyzer.terms import AsOfSource, SlotState, Verdict, count_text, minute_text
from analyzer.verdicts.facts import Facts

ACCOUNT_REPORT: Final = "account_report"
SHARED_FACT: Final = "shared_fact"
BY_NAME: Final = "by_name"

_NAMES: Final = (columns.ACCOUNT, columns.USER, columns.ARN)
NOT_COMPARED: Final = (columns.REASON, columns.EXEMPTION)
"""Columns in which two rows may differ although the report has the same facts."""

STATE_COLUMNS: Final = (
    *(key.active for key in columns.ACCESS_KEYS),
    *(certificate.active for certificate in columns.CERTIFICATES),
)
"""The columns that hold the state of an access key or a certificate."""

_SHARED_FACTS: Final = (
    *(columns.VERDICT, *NOT_COMPARED, columns.PASSWORD_ENABLED, columns.MFA_ACTIVE, *STATE_COLUMNS),
    UNKNOWN,
)

_ROWS_AT_ONCE: Final = 2_048  # as Python values: 8,192 of a year of 20 accounts take 23 MiB more
_SECONDS_BITS: Final = 32  # the bits that hold a moment of a report (`values.YEARS`)
_DAY: Final = np.timedelta64(86_400, "s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Set the period, in UTC, and the longest gap in days between reports that is not named.

    By default the period is from the first report of each account to the newest report of all.
    """

    since: datetime | None = None
    until: datetime | None = None
    max_gap: int = 31


@dataclass(frozen=True, slots=True)
class Coverage:
    """Name the reports of an account in the period, from `start` up to `end`, by position.

    An account that is not covered has no report, but a `reason`. `gaps` are the intervals without a
    report that are longer than the span allows, in datetime64[s].
    """

    account: str
    start: int = 0
    end: int = -1
    reason: str = ""
    gaps: tuple[tuple[np.datetime64, np.datetime64], ...] = ()

    @property
    def positions(self) -> np.ndarray:
        """Return the positions of its reports."""
        return np.arange(self.start, self.end + 1)


class AccountReport(NamedTuple):
    """Name one report of one account, in order; `newest` orders days without a time.

    `file` is its position in `Report.files`, `at` its moment.
    """

    account: str
    at: datetime
    newest: datetime
    file: int


@dataclass(frozen=True)
class Timeline:
    """Hold the records of the users in the reports of a period.

    - `coverages`: the reports in the period, for each account.
    - `account_reports`: in the order of account and moment; `moments`: theirs (datetime64[s]);
      `copies`: those that equal another one of the same moment, and do not count: pairs of (copy,
      counted).
    - `users`: `account`, `user`, `arn` str; `created` datetime64[s], NaT where no report shows it;
      `by_name` bool: a report does not show the creation time, so the user is known by its name.
    - `shared_facts`: facts that many rows share, each combination once: `verdict` int8, the
      position in `Verdict`; `reason`, `exemption` str; `password_enabled`, `mfa_active` bool; by
      the report's columns the positions of states in `SlotState`, and `unknown`, the bits
      of `Snapshot.users`, all int64.
    - `rows`: one value for each user and report of the period, in the order of both: `user`,
      `account_report`, `shared_fact` int32, the positions; by the report's columns moments uint32,
      seconds or 0 for none.
    """

    coverages: Sequence[Coverage]
    account_reports: Sequence[AccountReport]
    moments: np.ndarray
    copies: Sequence[tuple[AccountReport, AccountReport]]
    users: pd.DataFrame
    shared_facts: pd.DataFrame
    rows: Mapping[str, np.ndarray]

    @property
    def covered(self) -> dict[str, Coverage]:
        """Return the reports in the period of each account that is covered."""
        return {coverage.account: coverage for coverage in self.coverages if not coverage.reason}

    @cached_property
    def continues_row_before(self) -> np.ndarray:
        """Return which rows are of the same user as the row before, and of the next report."""
        user, account_report = self.rows[columns.USER], self.rows[ACCOUNT_REPORT]
        is_same = np.diff(user, prepend=-1) == 0
        return np.asarray(is_same & (np.diff(account_report, prepend=-1) == 1))

    def fact_values(self, name: str, at: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Return the values of all rows, or of some positions, in a column of `shared_facts`."""
        values: np.ndarray = self.shared_facts[name].to_numpy()[self.rows[SHARED_FACT][at]]
        return values

    def states(self, at: np.ndarray) -> Iterator[UserState]:
        """Yield the states of the users in the rows at some positions."""
        for some in np.split(at, range(_ROWS_AT_ONCE, len(at), _ROWS_AT_ONCE)):
            users = self.users.iloc[self.rows[columns.USER][some]]
            moments = {
                name: _moments(values[some])
                for name, values in self.rows.items()
                if values.dtype == "u4"
            }
            shown = {str(name): self.fact_values(str(name), some) for name in self.shared_facts}
            cells: dict[str, Any] = {
                **{name: users[name].to_numpy() for name in _NAMES},
                **shown,
                columns.VERDICT: as_category(shown[columns.VERDICT], Verdict),
                **{name: as_category(shown[name], SlotState) for name in STATE_COLUMNS},
                **moments,
                columns.USER_CREATION_TIME: users[columns.CREATED].to_numpy("datetime64[s]"),
            }
            yield from states_of_rows(pd.DataFrame(cells))


def timeline_of(analysis: Analysis, span: Span) -> Timeline:
    """Return the timeline of a period, from an analysis in which older reports count too.

    Raises InputRefused for a report that names no account, for different reports of one account and
    moment, and if no report has a known as-of.
    """
    files = analysis.report.files
    account_reports = sorted(_account_reports(files))
    # To save memory, `rows` is changed in place: sorted, then cut to the period.
    rows, names, shared_facts = _records(analysis, account_reports)
    users = _sorted_by_user(rows, names)
    copies = _copies(account_reports, rows, shared_facts, files)
    is_counted = np.ones(len(account_reports), bool)
    is_counted[[at for at, _ in copies]] = False
    number = np.cumsum(is_counted, dtype=np.int32) - 1
    counted = [*compress(account_reports, is_counted)]
    moments = np.array([report.at.replace(tzinfo=None) for report in counted], "datetime64[s]")
    covered = _coverages(counted, moments, span)
    inside = np.concatenate([coverage.positions for coverage in covered])
    in_period = np.zeros(len(account_reports), bool)
    in_period[np.flatnonzero(is_counted)[inside]] = True
    if not in_period.all():
        _take(rows, np.flatnonzero(in_period[rows[ACCOUNT_REPORT]]))
    rows[ACCOUNT_REPORT] = number[rows[ACCOUNT_REPORT]]
    pairs = [(account_reports[at], account_reports[first]) for at, first in copies]
    return Timeline(covered, counted, moments, pairs, users, shared_facts, rows)


def _account_reports(files: Sequence[ReportFile]) -> Iterator[AccountReport]:
    nameless = [
        file.name for file in files if not all(account.account for account in file.accounts)
    ]
    if nameless:
        message = "its ARNs name no account, so its place in a history is not known"
        hint = "Set the account of such reports with --masked-account."
        raise InputRefused(Problem.of_file(name, message, hint) for name in nameless)
    if all(file.as_of_source is AsOfSource.ASSUMED for file in files):
        message = "nothing shows when it was made, so its place in a history is not known"
        hint = "Keep the name that the console gives, or put it in a folder such as 2026-03-01."
        raise InputRefused(Problem.of_file(file.name, message, hint) for file in files)
    for at, file in enumerate(files):
        if file.as_of_source is not AsOfSource.ASSUMED:
            for account in file.accounts:
                yield AccountReport(account.account, report_time(file).earliest, file.baseline, at)


def _records(
    analysis: Analysis, account_reports: Sequence[AccountReport]
) -> tuple[dict[str, np.ndarray], pd.DataFrame, pd.DataFrame]:
    """Return the records of all rows that count, as small numbers, and two frames.

    `user` is the position in the first frame: account, name, ARN and creation (seconds, 0 for
    none); the other is `Timeline.shared_facts`. To concatenate parts would take 175 MB more.
    """
    keys = ((report.file, report.account) for report in account_reports)
    positions: dict[Any, int] = {key: at for at, key in enumerate(keys)}
    names, facts = dict[Any, int](), dict[Any, int]()
    rows, end = dict[str, np.ndarray](), 0
    for page in analysis.pages():
        account_report = _positions(positions, page.users[[columns.FILE, columns.ACCOUNT]])
        counts = account_report < len(account_reports)  # not one whose as-of is assumed
        record = _record(page.where(counts), names, facts)
        record[ACCOUNT_REPORT] = account_report[counts]
        start, end = end, end + int(counts.sum())
        for name, values in record.items():
            every = rows.setdefault(name, np.empty(analysis.report.rows, values.dtype))
            every[start:end] = values
    pa.default_memory_pool().release_unused()
    distinct = pd.DataFrame([*names], columns=[*_NAMES, columns.CREATED])
    shared = pd.DataFrame([*facts], columns=[*_SHARED_FACTS]).astype({columns.VERDICT: np.int8})
    whole = {name: values[:end] for name, values in rows.items()}
    return whole, distinct.astype({columns.CREATED: np.int64}), shared


def _record(page: Users, names: dict[Any, int], facts: dict[Any, int]) -> dict[str, np.ndarray]:
    """Return the records of a judged page without the reports; new names and facts are added."""
    users, known = page.users, credential_values(Facts(page))
    moments = {name: _seconds(known.pop(name)) for name in columns.TIMESTAMPS}
    name = users[[*_NAMES]].assign(**{columns.CREATED: moments.pop(columns.USER_CREATION_TIME)})
    if users[columns.ARN_MASKED].any():  # Masked ARNs may be the same for all users.
        arn = name[columns.ARN]
        name[columns.ARN] = arn.where(arn.str.startswith("arn:"), arn + "/" + name[columns.USER])
    shown = users.assign(**known)[[*_SHARED_FACTS]]
    coded = {name: shown[name].cat.codes for name in (columns.VERDICT, *STATE_COLUMNS)}
    shared_fact = _positions(facts, shown.assign(**coded))
    return {columns.USER: _positions(names, name), SHARED_FACT: shared_fact, **moments}


def _positions(known: dict[Any, int], rows: pd.DataFrame) -> np.ndarray:
    """Return the position of each row among known ones (int32); new ones are added."""
    number = group_numbers(rows)
    _, first = np.unique(number, return_index=True)
    distinct = rows.iloc[first]
    values = zip(*(distinct[name].to_numpy().tolist() for name in distinct), strict=True)
    positions = [known.setdefault(row, len(known)) for row in values]
    return np.asarray(np.array(positions, np.int32)[number])


def group_numbers(rows: pd.DataFrame, *names: str) -> np.ndarray:
    """Return a number for each row, the same for rows that differ only in the named columns."""
    some = rows.drop(columns=[*names])
    return np.asarray(some.groupby([*some], sort=False, observed=True).ngroup())


def _seconds(moments: np.ndarray) -> np.ndarray:
    """Return moments as seconds from 1970 on (uint32), 0 where there is none."""
    return np.where(np.isnat(moments), 0, moments.astype(np.int64)).astype(np.uint32)


def _moments(seconds: np.ndarray) -> np.ndarray:
    """Return seconds as datetime64[s], NaT where they are 0."""
    moments = seconds.astype(np.int64).astype("datetime64[s]")
    moments[seconds == 0] = NO_MOMENT
    return moments


def _take(rows: dict[str, np.ndarray], at: np.ndarray) -> None:
    for name in rows:  # one at a time, to save memory
        rows[name] = rows[name][at]


def _sorted_by_user(rows: dict[str, np.ndarray], names: pd.DataFrame) -> pd.DataFrame:
    """Sort the rows by user and report, keep the first of each, and return `Timeline.users`."""
    arn, _ = names[columns.ARN].factorize()
    shown = names[columns.CREATED].to_numpy()
    identity = arn << _SECONDS_BITS | _created(arn, shown)
    distinct, first, user = np.unique(identity, return_index=True, return_inverse=True)
    rows[columns.USER] = user.astype(np.int32)[rows[columns.USER]]
    order = np.lexsort((rows[ACCOUNT_REPORT], rows[columns.USER]))
    again = [np.diff(rows[name][order], prepend=-1) == 0 for name in (columns.USER, ACCOUNT_REPORT)]
    _take(rows, order[~np.logical_and(*again)])
    created = _moments(distinct & ((1 << _SECONDS_BITS) - 1))
    by_name = np.isin(np.arange(len(distinct)), user[shown == 0])
    users = names.iloc[first][[*_NAMES]].astype(TEXT).reset_index(drop=True)
    return users.assign(**{columns.CREATED: created, BY_NAME: by_name})


def _created(arn: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """Return when users were created (int64): as shown, else as other reports of the ARN show it.

    It is 0 if no report shows it, or if users of the ARN were created at different times.
    """
    known = np.unique((arn << _SECONDS_BITS | shown)[shown > 0])
    of_arn, seconds = known >> _SECONDS_BITS, known & ((1 << _SECONDS_BITS) - 1)
    only = np.zeros(arn.max(initial=0) + 1, np.int64)
    only[of_arn] = seconds
    only[of_arn[1:][np.diff(of_arn) == 0]] = 0
    return np.where(shown > 0, shown, only[arn])


def _copies(
    account_reports: Sequence[AccountReport],
    rows: Mapping[str, np.ndarray],
    shared_facts: pd.DataFrame,
    files: Sequence[ReportFile],
) -> list[tuple[int, int]]:
    """Return the reports that equal the one before of the same moment: (copy, counted).

    Raises InputRefused for reports of one moment that differ.
    """
    tied = np.array([False, *(one[:-1] == other[:-1] for one, other in pairwise(account_reports))])
    user, account_report = rows[columns.USER], rows[ACCOUNT_REPORT]
    is_same_user = np.diff(user, prepend=-1) == 0
    again = np.flatnonzero(
        tied[account_report] & is_same_user & (np.diff(account_report, prepend=-1) == 1)
    )
    facts = [values for name, values in rows.items() if name not in (ACCOUNT_REPORT, SHARED_FACT)]
    facts.append(group_numbers(shared_facts, *NOT_COMPARED)[rows[SHARED_FACT]])
    same = again[np.logical_and.reduce([values[again] == values[again - 1] for values in facts])]
    number, alike = (
        np.bincount(values, minlength=len(tied))
        for values in (account_report, account_report[same])
    )
    is_copy = tied & (alike == number) & (alike == np.roll(number, 1))
    if problems := [
        _tie_problem(files, account_reports[at - 1], account_reports[at])
        for at in np.flatnonzero(tied & ~is_copy).tolist()
    ]:
        raise InputRefused(problems)
    first = np.maximum.accumulate(np.where(tied, 0, np.arange(len(tied))))
    return [(int(at), int(first[at])) for at in np.flatnonzero(is_copy)]


def _tie_problem(files: Sequence[ReportFile], one: AccountReport, other: AccountReport) -> Problem:
    message = (
        f"as of {minute_text(other.at)}, like another report of account {other.account},"
        f" {files[one.file].name}: which of the two is later is not known"
    )
    hint = "Leave one of them out, or name the files so that they have a time."
    return Problem.of_file(files[other.file].name, message, hint)


# Periods


def _coverages(
    account_reports: Sequence[AccountReport], moments: np.ndarray, span: Span
) -> list[Coverage]:
    until = _moment(span.until) if span.until else moments.max()
    by_account = groupby(range(len(account_reports)), lambda at: account_reports[at].account)
    positions = ((account, [*at]) for account, at in by_account)
    return [_coverage(account, at[0], moments[at], span, until) for account, at in positions]


def _coverage(
    account: str, first: int, at: np.ndarray, span: Span, until: np.datetime64
) -> Coverage:
    since = _moment(span.since) if span.since else at[0]
    start, end = (_edge(at, moment, span.max_gap) for moment in (since, until))
    if start is None or end is None or at[end] - until >= (span.max_gap + 1) * _DAY:
        days, nearest = count_text(span.max_gap, "day"), at[np.abs(at - until).argmin()]
        reason = f"no report within {days} of {_day(until)}; the nearest is of {_day(nearest)}"
        inside = at[(at >= since) & (at <= until)]
        if len(inside):
            reports = count_text(len(inside), "report")
            reason += f"; {reports} of {_day(inside[0])} to {_day(inside[-1])} in the period:"
            reason += " end the period there, or allow a longer gap with --max-gap"
        return Coverage(account, reason=reason)
    moments = at[start : end + 1]
    if moments[0] > since:
        moments = np.append(since, moments)
    gaps = tuple(gap for gap in pairwise(moments) if whole_days(gap[1] - gap[0]) > span.max_gap)
    return Coverage(account, first + start, first + end, gaps=gaps)


def _day(at: np.datetime64) -> str:
    return str(at.astype("datetime64[D]"))


def _edge(at: np.ndarray, moment: np.datetime64, max_gap: int) -> int | None:
    """Return the last report up to a moment, or the first after it if that one is too old."""
    before = int(np.searchsorted(at, moment, "right")) - 1
    if before >= 0 and whole_days(moment - at[before]) <= max_gap:
        return before
    return before + 1 if before + 1 < len(at) else None


def whole_days(elapsed: Any) -> Any:
    """Return timedelta64 as whole days (int64), rounded down."""
    return elapsed // _DAY


def _moment(at: datetime) -> np.datetime64:
    return np.datetime64(at.replace(tzinfo=None), "s")
