"""Show a period: counts, users and events, from all reports of each account.

A change happened in the interval between two neighbouring reports; its exact time is not known.
Users created and deleted between two reports are not seen.
"""

from collections import ChainMap, Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import pairwise
from math import inf
from statistics import median
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.analysis.analysis import Analysis, AnalysisRequest
from analyzer.changes.decisions import (
    DECISION_COUNTS,
    HAD_LEFT,
    REMOVED,
    REMOVED_AS,
    REMOVED_FACT,
    Decided,
    decisions_frame,
)
from analyzer.changes.period import Coverage, Span, coverages, ordered_reports
from analyzer.changes.stays import FollowedAccount, FollowedUser
from analyzer.decisions.fate import fates
from analyzer.decisions.reported_accounts import (
    ReportedAccounts,
    reported_accounts,
    with_same_second,
)
from analyzer.errors import InputRefused, Problem
from analyzer.lists.owners import Owner, Owners
from analyzer.report.frames import TEXT
from analyzer.report.model import stable_order
from analyzer.report.report import Report

ALL: Final = "all"
"""The account in the row that counts all accounts."""

AFTER_REPORT: Final = "after"
BEFORE_REPORT: Final = "before"
EVENT: Final = "event"
DETAIL: Final = "detail"
BY_NAME: Final = "by_name"
USED_BEFORE: Final = "used_before"

_COUNTS: Final = (
    "users_start",
    "created",
    "appeared",
    "removed",
    "users_end",
    "renamed",
    "unused_start",
    "newly_unused",
    "unused_removed",
    "back_in_use",
    "unused_unclear",
    "unused_end",
    USED_BEFORE,
)
_DAYS: Final = (
    "median_days_at_least",
    "longest_days_at_least",
    "median_days_at_most",
    "longest_days_at_most",
)

PERIOD: Final = (
    (columns.ACCOUNT, "reports", "first", "last", "longest_gap", "gap_days") + _COUNTS + _DAYS
)
"""The columns of the period. Users: start + created + appeared - removed = end. Unused: start +
newly - removed - back in use - unclear = end; `unclear` are undetermined now, and were unused
before. Of the unused at the end, an earlier report shows use by those `used_before`. The days are
those from first unused to gone.
"""

USERS: Final = (
    columns.ACCOUNT,
    columns.USER,
    columns.ARN,
    columns.CREATED,
    BY_NAME,
    "first",
    "last",
    "verdict_start",
    "verdict_end",
    "unused_since",
    "at_least",
    "days_unused",
    AFTER_REPORT,
    BEFORE_REPORT,
    columns.EXEMPTION,
    USED_BEFORE,
)
EVENTS: Final = (
    columns.ACCOUNT,
    columns.USER,
    columns.ARN,
    columns.CREATED,
    AFTER_REPORT,
    BEFORE_REPORT,
    EVENT,
    DETAIL,
)
REPORTS: Final = (
    columns.ACCOUNT,
    columns.AS_OF,
    columns.AS_OF_SOURCE,
    columns.FILE,
    "sha256",
    "rows",
    "days",
    "status",
)
_BY_USER: Final = (columns.ACCOUNT, columns.ARN, columns.USER, columns.CREATED)
_MOMENTS: Final = (
    "first",
    "last",
    "unused_since",
    columns.CREATED,
    columns.AS_OF,
    AFTER_REPORT,
    BEFORE_REPORT,
)
_DTYPES: Final[dict[str, Any]] = (
    dict.fromkeys(_MOMENTS, "datetime64[s, UTC]")
    | dict.fromkeys(("longest_gap", "gap_days", "days"), "Int64")
    | dict.fromkeys(("reports", "rows", "days_unused"), "int64")
    | dict.fromkeys((BY_NAME, "at_least"), "bool")
    | dict.fromkeys(_DAYS, "float64")
)
"""The dtypes of the columns of tables; all others are text."""

COUNTS: Final = "counts"
NO_REPORT: Final = "it has decisions, and none of the reports is of it"


@dataclass(frozen=True, slots=True)
class History:
    """Hold the history of a period, from an analysis in which older reports count too.

    Frames; text is str, moments are datetime64[s, UTC], NaT for none:

    - `period` (`PERIOD`): a row for each account and one for `ALL`; `reports` int64, other
      numbers Int64 (missing if an account is not covered), days from unused to gone float64.
    - `users` (`USERS`): a row for each user; `by_name` and `at_least` bool (unused at the start),
      `verdict_start`, `verdict_end` empty if the user is not there, `after` and `before` the
      reports between which it went, `exemption` that of the last report, `used_before` the last use
      in an earlier report of a user that is unused at the end, if the last one no longer shows it.
    - `events` (`EVENTS`): what happened between the reports `after` and `before`.
    - `reports` (`REPORTS`): every report of every account, and files that could not be read;
      `rows` int64, `days` Int64 from the report before, `status` in words.

    - `decisions` (`DECISIONS`): what was decided, and what became of it.

    `coverages` are the reports of each account in the period, `newest` is the newest of all.
    """

    analysis: Analysis
    coverages: Sequence[Coverage]
    newest: datetime
    span: Span
    period: pd.DataFrame
    users: pd.DataFrame
    events: pd.DataFrame
    reports: pd.DataFrame
    decisions: pd.DataFrame = field(default_factory=partial(decisions_frame, ()))
    unmatched_owners: Sequence[Owner] = ()

    @property
    def gap_count(self) -> int:
        """Return how many gaps are longer than the span allows."""
        return sum(len(coverage.gaps) for coverage in self.coverages)

    @property
    def not_covered(self) -> list[Coverage]:
        """Return the accounts without a report near the end of the period."""
        return [coverage for coverage in self.coverages if coverage.reason]

    @property
    def missing(self) -> list[object]:
        """Return the accounts, the gaps and the files that are not covered."""
        gaps = (gap for coverage in self.coverages for gap in coverage.gaps)
        return [*self.not_covered, *gaps, *self.analysis.report.not_covered]


def history(request: AnalysisRequest, report: Report, span: Span) -> History:
    """Return the history of a period, with decisions if the request has a ledger.

    In the report older reports of an account count too. They are judged account by account, and
    only users that changed are kept. Raises InputRefused as `ordered_reports` does, and for
    different reports of one account and as-of.
    """
    reports = ordered_reports(report.files)
    covered = {each.account: each for each in coverages(reports, span)}
    # Of one account's reports, the list would call all other accounts missing.
    unlisted = replace(request, accounts=None)
    walked = [_walked(unlisted, part, covered, span) for part in report.by_account()]
    if problems := [problem for each in walked for problem in each.problems]:
        raise InputRefused(problems)
    accounts, owners = [each.account for each in walked], request.owners or Owners()
    owned = set(owners.positions(report.root_users.users).tolist()).union(
        *(each.owned for each in walked)
    )
    rows = [_period_row(each.coverage.account, [each]) for each in accounts]
    nobody = report.root_users.take(np.array([], np.int64))
    followed = History(
        analysis=request.analysis(replace(report, iam_users=nobody)),
        coverages=list(covered.values()),
        newest=max(each.at for each in reports),
        span=span,
        period=_frame(rows + [_period_row(ALL, accounts)], PERIOD),
        users=_frame(
            (_user_row(each, user) for each in accounts for user in each.users), USERS, _BY_USER
        ),
        events=_events_in_order(
            _frame((event for each in accounts for event in each.events), EVENTS)
        ),
        reports=_frame(
            _report_rows(request.named(report), accounts), REPORTS, (columns.ACCOUNT, columns.AS_OF)
        ),
        unmatched_owners=[each for at, each in enumerate(owners.entries) if at not in owned],
    )
    is_decided = request.ledger and any(not each.reason for each in followed.coverages)
    if not is_decided:
        return followed
    return _with_decisions(followed, dict(ChainMap(*(dict(each.reported) for each in walked))))


class _Walked(NamedTuple):
    """Hold what is kept of an account: its users that changed, and what lists and ledger ask."""

    account: FollowedAccount
    problems: Sequence[Problem]
    owned: Collection[int]
    reported: ReportedAccounts


def _walked(
    request: AnalysisRequest, part: Report, covered: Mapping[str, Coverage], span: Span
) -> _Walked:
    """Judge all reports of an account, and follow its users."""
    analysis, reports, ledger = request.analysis(part), ordered_reports(part.files), request.ledger
    account = FollowedAccount(covered[reports[0].account], reports)
    return _Walked(
        account,
        problems=account.follow(analysis.judged),
        owned=set(analysis.owned.tolist()),
        reported=reported_accounts(ledger.lines, part, analysis.judged, span.until)
        if ledger
        else {},
    )


def _frame(
    rows: Iterable[Sequence[Any]], names: Sequence[str], by: Sequence[str] = ()
) -> pd.DataFrame:
    """Return rows as a table, sorted."""
    frame = pd.DataFrame(list(rows), columns=list(names), dtype=object)
    counts = dict.fromkeys(_COUNTS, "Int64") if names is PERIOD else {}
    dtypes = _DTYPES | {USED_BEFORE: "datetime64[s, UTC]"} | counts
    frame = frame.astype({name: dtypes.get(name, TEXT) for name in names})
    order = stable_order(*(frame[name] for name in by)) if by else slice(None)
    return frame.iloc[order].reset_index(drop=True)


def _events_in_order(events: pd.DataFrame) -> pd.DataFrame:
    order = stable_order(*(events[name] for name in (*_BY_USER, BEFORE_REPORT)))
    return events.iloc[order].reset_index(drop=True)


# Tables


def _user_row(account: FollowedAccount, user: FollowedUser) -> list[Any]:
    after, before = user.gone
    row: list[Any] = list(user.identity)
    row += [user.by_name, account.reports[user.verdicts[0][0]].at]
    row += [after or account.coverage.moments[-1]]
    row += [account.first_verdict(user) or "", user.verdicts[-1][1] or ""]
    row += [user.unused_since, bool(user.unused_since and not user.used), user.unused.days]
    row += [after, before, user.exemption, user.used_before]
    return row


def _period_row(account: str, followed: Sequence[FollowedAccount]) -> list[Any]:
    """Return what the reports show of some accounts; nothing is known without a report."""
    covered = [each for each in followed if not each.coverage.reason]
    moments = [each.coverage.moments for each in covered]
    if not covered:
        return [account, 0] + [None] * (len(PERIOD) - 2)
    gaps = [gap for each in covered for gap in each.coverage.gaps]
    stretches = gaps + [pair for each in moments for pair in pairwise(each)]
    counts = sum((each.counts for each in covered), Counter())
    row: list[Any] = [
        account,
        sum(map(len, moments)),
        min(each[0] for each in moments),
        max(each[-1] for each in moments),
        max(((end - start).days for start, end in stretches), default=0),
        sum((end - start).days for start, end in gaps),
    ]
    row += [counts[name] for name in _COUNTS]
    row += _median_and_longest([days for each in covered for days in each.least])
    row += _median_and_longest([days for each in covered for days in each.most])
    return row


def _median_and_longest(days: Sequence[float]) -> list[float | None]:
    """Return both, None for what is not known."""
    known = [median(days), max(days)] if days else [inf, inf]
    return [each if each < inf else None for each in known]


def _report_rows(report: Report, accounts: Iterable[FollowedAccount]) -> Iterator[tuple[Any, ...]]:
    for account in accounts:
        first = before = account.reports[0]
        covered = account.coverage
        for number, each in enumerate(account.reports):
            file, days = each.file, None
            if number > 0 and each.has_as_of_of(before):
                status = f"same report as {first.file.name}"
            else:
                first = each
                days = (each.at - before.at).days if number > 0 else None
                if covered.reason:
                    status = "the account is not covered"
                elif covered.start <= number <= covered.end:
                    status = COUNTS
                else:
                    status = "outside the period"
            about = file.as_of, file.as_of_source, file.name, file.sha256, each.rows
            yield each.account, *about, days, status
            before = each
    for missing in report.not_covered:
        yield missing.account, None, "", missing.name, "", 0, None, f"not read: {missing.reason}"


def _with_decisions(history: History, reported: ReportedAccounts) -> History:
    """Return a history with the decisions, `DECISION_COUNTS` in the period, and their events.

    Its users have the columns `removed_as` and `removed_fact`: how a user went who is gone without
    a removal among the last words, and the fact, empty texts for others. An account with decisions
    and without a report is not covered.
    """
    analysis, span = history.analysis, history.span
    ledger = with_same_second(analysis.ledger, reported)
    of_period = Decided(
        ledger=ledger,
        fates=fates(ledger, reported),
        owners=analysis.owners,
        covered={each.account: each for each in history.coverages if not each.reason},
        since=span.since,
        until=span.until,
    )
    gone = list(of_period.gone_users(history.users))
    removed = {
        REMOVED_AS: [str(user.how) if user else "" for user in gone],
        REMOVED_FACT: [user.fact if user else "" for user in gone],
    }
    users = history.users.assign(**{name: pd.Series(removed[name], dtype=TEXT) for name in removed})
    counts = of_period.counts()
    in_accounts = zip(users[columns.ACCOUNT], gone, strict=True)
    counts.update((account, REMOVED[user.how]) for account, user in in_accounts if user)
    accounts = history.period[columns.ACCOUNT].iloc[:-1]
    numbers = {
        name: _with_sum([counts[account, name] for account in accounts]) for name in DECISION_COUNTS
    }
    if not analysis.owners:
        numbers[HAD_LEFT] = pd.Series(pd.NA, history.period.index, "Int64")
    added = (
        (line.account, line.user, line.arn, line.created, *cells)
        for line, *cells in of_period.events()
    )
    lacking = {line.account for line in analysis.ledger.lines}.difference(
        coverage.account for coverage in history.coverages
    )
    uncovered = (Coverage(account, reason=NO_REPORT) for account in sorted(lacking))
    return replace(
        history,
        coverages=[*history.coverages, *uncovered],
        period=history.period.assign(**numbers),
        users=users,
        events=_events_in_order(
            pd.concat([history.events, _frame(added, EVENTS)], ignore_index=True)
        ),
        decisions=decisions_frame(of_period.rows()),
    )


def _with_sum(numbers: Sequence[int]) -> pd.Series:
    """Return the numbers of accounts and their sum, as Int64."""
    return pd.Series([*numbers, sum(numbers)], dtype="Int64")
