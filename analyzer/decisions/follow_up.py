"""Say what became of each decision to delete or deactivate, as far as a later report shows it.

A deletion is done if a later report of the account has no user of the ARN, a deactivation also if
no credential of the user works any more. A user who may only have been renamed is not gone. If a
later report shows more access or use than the reviewer saw, the decision is overtaken: nothing acts
on it, and somebody decides anew.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from analyzer import columns
from analyzer.account_names import account_name
from analyzer.decisions.ledger import (
    COMMENT,
    DECIDED_BY,
    DECIDED_ON,
    DECISION,
    ROW,
    SHA256,
    SHEET,
    TICKET,
    WORKBOOK,
    Ledger,
)
from analyzer.decisions.standing import LedgerLine, ReportTime, Standing, UserKey
from analyzer.decisions.user_state import UserState, access_added, datetimes, user_states
from analyzer.model import TEXT, AccountName, Page, Report, ReportFile, as_category
from analyzer.moment_texts import day_text_series, utc_text_series
from analyzer.report.tidy import tidy
from analyzer.review_columns import Decision
from analyzer.terms import OVERDUE, Verdict, short_list


class FollowUpStatus(StrEnum):
    """Name the states of a decision, the most urgent first."""

    OVERTAKEN = "overtaken"
    NOT_DONE = "not-done"
    UNKNOWN = "unknown"
    DONE = "done"


STATUS: Final = "status"
DAYS: Final = "days"
LAST_USE: Final = "last_use"
REPORT: Final = "report"
DONE_SINCE: Final = "done_since"
FACT: Final = "fact"
DECIDED_VERDICT: Final = "decided_verdict"
DECIDED_AS_OF: Final = "decided_as_of"

_DTYPES: Final[Mapping[str, Any]] = {
    STATUS: "object",
    OVERDUE: "bool",
    columns.ACCOUNT: TEXT,
    columns.USER: TEXT,
    columns.ARN: TEXT,
    columns.CREATED: "datetime64[s, UTC]",
    DECISION: TEXT,
    DECIDED_BY: TEXT,
    DECIDED_ON: "datetime64[s]",
    TICKET: TEXT,
    COMMENT: TEXT,
    DAYS: "int64",
    columns.VERDICT: TEXT,
    LAST_USE: "datetime64[s, UTC]",
    REPORT: TEXT,
    columns.AS_OF: "datetime64[s, UTC]",
    DONE_SINCE: "datetime64[s, UTC]",
    FACT: TEXT,
    DECIDED_VERDICT: TEXT,
    DECIDED_AS_OF: "datetime64[s, UTC]",
    WORKBOOK: TEXT,
    SHEET: TEXT,
    ROW: "int64",
    SHA256: TEXT,
    columns.ACCOUNT_NAME: TEXT,
}
COLUMNS: Final = tuple(_DTYPES)

MOMENTS: Final = (columns.CREATED, LAST_USE, columns.AS_OF, DONE_SINCE, DECIDED_AS_OF)
"""The columns that hold moments."""

DECISION_KEY: Final = (columns.ARN, columns.CREATED, DECISION, DECIDED_ON)
"""Decisions that agree in these, as text, are the same: `done_since` is carried on."""


@dataclass(frozen=True, slots=True)
class UserNow:
    """Hold what a report shows of one user: its credentials, and what the analysis says."""

    user_key: UserKey
    state: UserState
    verdict: Verdict
    has_service_credential: bool
    exemption: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """Hold what became of one decision; `now` is the user in `file`, None if it is not there.

    `added` is each access or use that the reviewer did not see. `file` is None where no report
    covers the account.
    """

    line: LedgerLine
    status: FollowUpStatus
    fact: str
    file: ReportFile | None = None
    now: UserNow | None = None
    added: tuple[str, ...] = ()


def outcomes(
    lines: Sequence[LedgerLine], report: Report, pages: Iterable[Page]
) -> dict[UserKey, Outcome]:
    """Return what became of decisions to delete or deactivate, one of each user.

    `pages` are the judged pages of `report`.
    """
    files = {account.account: file for file in report.files for account in file.accounts}
    users = _UsersNow(lines, pages)
    before = states_decided_on(lines)
    return {
        line.user_key: _outcome(line, state, files.get(line.account), users)
        for line, state in zip(lines, before, strict=True)
    }


def states_decided_on(lines: Sequence[LedgerLine]) -> list[UserState]:
    """Return what the report that was decided on showed of the user of each line."""
    return user_states(page_of_lines(lines)) if lines else []


def page_of_lines(lines: Sequence[LedgerLine]) -> Page:
    """Return the users of lines as their reports showed them, each of a file of its own."""
    texts = {
        name: pa.array([line.report_cells[name] for line in lines], pa.large_string())
        for name in columns.IN_REPORT
    }
    numbers = pa.array(np.arange(len(lines)))
    table = pa.table({**texts, columns.FILE: numbers, columns.ROW: numbers})
    page = tidy(table, [np.datetime64(line.as_of.replace(tzinfo=None), "s") for line in lines])
    return page.with_users({columns.CONTRADICTED: ""})


class _UsersNow:
    """Find in judged pages the users decided on, and those created in the same seconds."""

    def __init__(self, lines: Iterable[LedgerLine], pages: Iterable[Page]) -> None:
        known = [line.user_key for line in lines]
        self.by_arn: dict[str, list[UserNow]] = {}
        self.names: dict[tuple[str, datetime | None], dict[str, str]] = {}
        arns = {user.arn for user in known}
        seconds = pd.DatetimeIndex([user.created for user in known if user.created], tz=UTC)
        for page in pages:
            self._add(page, arns, seconds)

    def _add(self, page: Page, arns: set[str], seconds: pd.DatetimeIndex) -> None:
        users = page.users
        named = users[columns.ARN].isin(arns).to_numpy()
        chosen = page.where(named)
        keys = zip(chosen.users[columns.ARN], datetimes(chosen.users[columns.CREATED]), strict=True)
        flags = zip(
            chosen.users[columns.VERDICT],
            chosen.users[columns.SERVICE_CREDENTIALS] != "",
            chosen.users[columns.EXEMPTION],
            strict=True,
        )
        states = user_states(chosen)
        for key, state, (verdict, service, exemption) in zip(keys, states, flags, strict=True):
            user = UserNow(UserKey(*key), state, Verdict(verdict), bool(service), exemption)
            self.by_arn.setdefault(key[0], []).append(user)
        alike = users[users[columns.CREATED].isin(seconds)]
        for account, created, name, arn in zip(
            alike[columns.ACCOUNT],
            datetimes(alike[columns.CREATED]),
            alike[columns.USER],
            alike[columns.ARN],
            strict=True,
        ):
            self.names.setdefault((account, created), {})[arn] = name

    def renamed(self, line: LedgerLine) -> list[str]:
        """Return the users that may be that of a line under another name or path."""
        arn, created = line.user_key
        alike = self.names.get((line.account, created), {}) if created else {}
        known = line.same_second or frozenset()
        return sorted(name for other, name in alike.items() if other != arn and name not in known)


def _outcome(
    line: LedgerLine, before: UserState, file: ReportFile | None, users: _UsersNow
) -> Outcome:
    """Return what became of one decision."""
    if not line.identifies_user:
        fact = "The creation time or the account of the user is not known: nothing acts on this."
        return Outcome(line, FollowUpStatus.UNKNOWN, fact, file)
    if file is None:
        return Outcome(line, FollowUpStatus.UNKNOWN, "The account is not covered.")
    if report_time(file).earliest < line.report_time.earliest:
        fact = "The report is older than the one that was decided on."
        return Outcome(line, FollowUpStatus.UNKNOWN, fact, file)
    of_name = users.by_arn.get(line.user_key.arn, [])
    now = next((each for each in of_name if each.user_key == line.user_key), None)
    if now is None:
        return _outcome_of_absent(line, file, of_name, users.renamed(line))
    return _outcome_of_present(line, before, file, now)


def report_time(file: ReportFile) -> ReportTime:
    """Return the time of a report."""
    return ReportTime(file.as_of, file.as_of_source, file.baseline)


def _outcome_of_absent(
    line: LedgerLine, file: ReportFile, of_name: Sequence[UserNow], renamed: Sequence[str]
) -> Outcome:
    """Return the outcome where no user has the ARN and the creation time."""
    if any(each.user_key.created is None for each in of_name):
        fact = "The report has a user of this ARN whose creation time is not understood."
        return Outcome(line, FollowUpStatus.UNKNOWN, fact, file)
    if renamed:
        fact = f"Possibly renamed: {short_list(renamed)} was created in the same second."
        return Outcome(line, FollowUpStatus.NOT_DONE, fact, file)
    if report_time(file).earliest == line.report_time.earliest:
        fact = "No user in the reports has this ARN and this creation time."
        return Outcome(line, FollowUpStatus.NOT_DONE, fact, file)
    again = ", ".join(f"{each.user_key.created:%Y-%m-%d}" for each in of_name)
    fact = f"The user is gone; another of this name was created on {again}."
    return Outcome(line, FollowUpStatus.DONE, fact if again else "The user is gone.", file)


def _outcome_of_present(
    line: LedgerLine, before: UserState, file: ReportFile, now: UserNow
) -> Outcome:
    """Return the outcome where the user is still there."""
    works = now.has_service_credential or now.state.has_working_credential
    is_later = report_time(file).earliest > line.report_time.earliest
    if line.decision is Decision.DEACTIVATE and works is False and is_later:
        fact = "The user has no working credentials. Decide on its deletion."
        return Outcome(line, FollowUpStatus.DONE, fact, file, now)
    if added := access_added(before, now.state, line.baseline):
        fact = f"Changed since the decision: {', '.join(added)}. Decide again."
        return Outcome(line, FollowUpStatus.OVERTAKEN, fact, file, now, tuple(added))
    fact = (
        "The user is still there."
        if line.decision is Decision.DELETE
        else "The user still has working credentials."
        if works
        else "The report does not show whether a credential works."
        if works is None
        else "No later report shows whether this is done."
    )
    return Outcome(line, FollowUpStatus.NOT_DONE, fact, file, now)


@dataclass(frozen=True)
class FollowUp:
    """Hold what became of each decision in force, as a frame, and by user.

    `frame` has the columns `COLUMNS`, the most urgent decision first: `status` category
    (`FollowUpStatus`); `overdue` bool (not done more than `Ledger.due_days` after the decision);
    `account`, `user`, `arn`, `decision`, `decided_by`, `ticket`, `comment` str; `created`,
    `last_use` datetime64[s, UTC]; `decided_on` datetime64[s]; `days` int64 from the decision to
    as-of; `verdict` str (now, empty for a user who is gone); `report` str (the file, empty where
    the account is not covered); `as_of`, `done_since` datetime64[s, UTC] (the report's moment, and
    that of the first report in which it is done); `fact` str, a sentence; `decided_verdict` str and
    `decided_as_of` datetime64[s, UTC] (what the reviewer saw); `workbook`, `sheet`, `sha256` str,
    `row` int64 (where it was entered); `account_name` str.
    """

    frame: pd.DataFrame
    newest: datetime
    outcomes: Mapping[UserKey, Outcome]
    standings: Mapping[UserKey, Standing]


def follow_up(pages: Iterable[Page], report: Report, ledger: Ledger) -> FollowUp:
    """Return what became of each decision to deactivate or delete that is in force.

    `pages` are the judged pages of `report`.
    """
    of_users = outcomes(ledger.removals(), report, pages)
    newest = max(file.as_of for file in report.files)
    rows = [_row(each, newest, ledger, report.account_names) for each in of_users.values()]
    frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype(dict(_DTYPES))
    codes = [[*FollowUpStatus].index(each.status) for each in of_users.values()]
    frame[STATUS] = as_category(np.array(codes, np.int64), FollowUpStatus)
    frame[DONE_SINCE] = _first_done(frame, ledger.done_since)
    order = [STATUS, DECIDED_ON, columns.ACCOUNT, columns.ARN]
    ordered = frame.sort_values(order, kind="stable", ignore_index=True)
    return FollowUp(ordered, newest, of_users, ledger.standings)


def _row(
    outcome: Outcome, newest: datetime, ledger: Ledger, names: Mapping[str, AccountName]
) -> dict[str, Any]:
    line, file, now = outcome.line, outcome.file, outcome.now
    is_done = outcome.status is FollowUpStatus.DONE
    days = days_after(line, file, newest)
    return {
        STATUS: str(outcome.status),
        OVERDUE: not is_done and days > ledger.due_days,
        columns.ACCOUNT: line.account,
        columns.USER: line.user,
        columns.ARN: line.user_key.arn,
        columns.CREATED: line.user_key.created,
        DECISION: str(line.decision),
        DECIDED_BY: line.decided_by,
        DECIDED_ON: line.decided_on,
        TICKET: line.ticket,
        COMMENT: line.comment,
        DAYS: days,
        columns.VERDICT: str(now.verdict) if now else "",
        LAST_USE: now.state.last_use if now else None,
        REPORT: file.name if file else "",
        columns.AS_OF: file.as_of if file else newest,
        DONE_SINCE: file.as_of if file and is_done else None,
        FACT: outcome.fact,
        DECIDED_VERDICT: line.report_cells[columns.VERDICT],
        DECIDED_AS_OF: line.as_of,
        WORKBOOK: line.workbook,
        SHEET: line.sheet,
        ROW: line.row,
        SHA256: line.sha256,
        columns.ACCOUNT_NAME: account_name(line.account, names),
    }


def days_after(line: LedgerLine, file: ReportFile | None, newest: datetime) -> int:
    """Return the whole days from a decision to a report; a day without a time is its start."""
    at = report_time(file).earliest if file else newest
    return max((at - datetime.combine(line.decided_on, time(), UTC)).days, 0)


def _first_done(followed: pd.DataFrame, earlier: Mapping[tuple[str, ...], datetime]) -> pd.Series:
    """Return since when each decision is done, of those done earlier already the earlier moment."""
    now = followed[DONE_SINCE]
    keys = as_text(followed)[list(DECISION_KEY)].itertuples(index=False, name=None)
    before = pd.Series([earlier.get(key) for key in keys], now.index, _DTYPES[DONE_SINCE])
    return now.mask(before < now, before)


def as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a follow-up with moments as 2026-03-01T09:30:00Z, days as 2026-03-01."""
    texts = {name: utc_text_series(frame[name]).fillna("") for name in MOMENTS}
    texts[DECIDED_ON] = day_text_series(frame[DECIDED_ON])
    texts[OVERDUE] = frame[OVERDUE].map({True: "true", False: "false"}).astype(TEXT)
    return frame.assign(**texts)


def follow_up_counts(frame: pd.DataFrame) -> dict[str, int]:
    """Return how many decisions have each status, and how many are overdue."""
    counts = {str(status): int((frame[STATUS] == status).sum()) for status in FollowUpStatus}
    return {**counts, OVERDUE: int(frame[OVERDUE].sum())}


def earlier_decisions(page: Page, ledger: Ledger, followed: FollowUp) -> pd.Series:
    """Return what was decided earlier on each user of a judged page, in words (str)."""
    users = page.users
    keys = zip(users[columns.ARN], datetimes(users[columns.CREATED]), strict=True)
    texts = [
        _earlier(standing, as_of.date(), verdict, ledger, followed)
        if (standing := followed.standings.get(UserKey(*key)))
        else ""
        for key, as_of, verdict in zip(
            keys, users[columns.AS_OF], users[columns.VERDICT], strict=True
        )
    ]
    return pd.Series(texts, users.index, TEXT)


def _earlier(
    standing: Standing, day: date, verdict: str, ledger: Ledger, followed: FollowUp
) -> str:
    """Return what stands of the decisions on one user, and what became of it."""
    if standing.is_conflict:
        return f"conflict: {'; '.join(each.summary for each in standing.current)}"
    line = standing.in_force
    if line is None:
        return standing.lines[-1].summary
    remark = f": {line.comment}" if line.comment else ""
    if ledger.in_force(standing, day) is None:
        return f"{line.summary}{remark}; ended on {ledger.last_day(line)}"
    if line.decision is Decision.KEEP:
        return f"{line.summary}{remark}; exempts from nothing: the user is {verdict}"
    outcome = followed.outcomes.get(line.user_key)
    return f"{line.summary}{remark}{_outcome_remark(outcome, followed) if outcome else ''}"


def _outcome_remark(outcome: Outcome, followed: FollowUp) -> str:
    """Return what became of a decision to delete or deactivate, in a few words."""
    if outcome.added:
        return f"; changed since: {', '.join(outcome.added)}"
    if outcome.status is FollowUpStatus.DONE:
        return "; no working credentials now: decide on the deletion"
    days = days_after(outcome.line, outcome.file, followed.newest)
    return f"; not done for {days:,} {'day' if days == 1 else 'days'}"
