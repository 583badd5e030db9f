"""Follow up all decisions to remove users: a table, and a text beside each user.

A run keeps the table as `follow_up.csv`, and later runs read the outcomes in earlier reports.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.decisions.decision import UNDECIDED, Decision, LedgerLine, UserKey
from analyzer.decisions.entries import COMMENT, DECIDED_BY, DECIDED_ON, DECISION, TICKET
from analyzer.decisions.ledger import ROW, SHA256, SHEET, WORKBOOK, Ledger
from analyzer.decisions.outcome import (
    CHANGED,
    DECIDE_AGAIN,
    NOT_IDENTIFIED,
    DecisionOutcome,
    FollowUpStatus,
    decision_outcomes,
)
from analyzer.decisions.renaming import renamed_notes
from analyzer.decisions.reported_users import UsersInNewestReports, user_keys
from analyzer.errors import Problem
from analyzer.lists.csv_lists import ListForm, list_rows
from analyzer.lists.exemptions import RULE_OF_VERDICT
from analyzer.lists.owners import NO_OWNERS, Owners
from analyzer.report.model import TEXT, Report, account_names, as_category
from analyzer.report.users import Users
from analyzer.report.values import day_text_series, timestamp, utc_text_series
from analyzer.terms import OVERDUE, Verdict, code_of, count_text, utc_text

STATUS: Final = "status"
DAYS: Final = "days"
REPORT: Final = "report"
DONE_SINCE: Final = "done_since"
FACT: Final = "fact"
DECIDED_VERDICT: Final = "decided_verdict"
DECIDED_AS_OF: Final = "decided_as_of"
HAD_SERVICE_CREDENTIAL: Final = "had_service_credential"
_MOMENT_DTYPE: Final = "datetime64[s, UTC]"

MOMENTS: Final = (columns.CREATED, columns.LAST_USE, columns.AS_OF, DONE_SINCE, DECIDED_AS_OF)
"""The columns that hold moments."""

DECISION_KEY: Final = (columns.ARN, columns.CREATED, DECISION, DECIDED_ON)
"""Columns that identify a decision, as text, so that `done_since` is carried on."""

_USER_REPORT_KEY: Final = (columns.ARN, columns.CREATED, DECIDED_AS_OF)
"""Columns that identify a user, as one report showed it.

A later run carries on what overtook a decision on it, and its service-specific credential.
"""

LINE_KEY: Final = (*DECISION_KEY, DECIDED_AS_OF)
"""Columns that identify a decision on one report, as text: `line_key`."""

_CELLS: Final[Mapping[str, tuple[Any, Callable[[DecisionOutcome], Any]]]] = {
    STATUS: ("object", lambda outcome: str(outcome.status)),
    OVERDUE: ("bool", lambda _: False),
    columns.ACCOUNT: (TEXT, lambda outcome: outcome.line.account),
    columns.USER: (TEXT, lambda outcome: outcome.line.user),
    columns.ARN: (TEXT, lambda outcome: outcome.line.user_key.arn),
    columns.CREATED: (_MOMENT_DTYPE, lambda outcome: outcome.line.user_key.created),
    DECISION: (TEXT, lambda outcome: str(outcome.line.decision)),
    DECIDED_BY: (TEXT, lambda outcome: outcome.line.decided_by),
    DECIDED_ON: ("datetime64[s]", lambda outcome: outcome.line.decided_on),
    TICKET: (TEXT, lambda outcome: outcome.line.ticket),
    COMMENT: (TEXT, lambda outcome: outcome.line.comment),
    DAYS: ("int64", lambda outcome: outcome.days),
    columns.VERDICT: (TEXT, lambda outcome: str(outcome.now.verdict) if outcome.now else ""),
    columns.LAST_USE: (
        _MOMENT_DTYPE,
        lambda outcome: outcome.now.credentials.last_use if outcome.now else None,
    ),
    REPORT: (TEXT, lambda outcome: outcome.file.name if outcome.file else ""),
    columns.AS_OF: (_MOMENT_DTYPE, lambda outcome: outcome.as_of),
    DONE_SINCE: (_MOMENT_DTYPE, lambda outcome: outcome.as_of if outcome.is_done else None),
    FACT: (TEXT, lambda outcome: outcome.fact),
    DECIDED_VERDICT: (TEXT, lambda outcome: outcome.line.user_row[columns.VERDICT]),
    DECIDED_AS_OF: (_MOMENT_DTYPE, lambda outcome: outcome.line.as_of),
    HAD_SERVICE_CREDENTIAL: ("bool", lambda outcome: outcome.had_service_credential),
    WORKBOOK: (TEXT, lambda outcome: outcome.line.workbook),
    SHEET: (TEXT, lambda outcome: outcome.line.sheet),
    ROW: ("int64", lambda outcome: outcome.line.row),
    SHA256: (TEXT, lambda outcome: outcome.line.sha256),
    **dict.fromkeys((*columns.OWNERSHIP, columns.ACCOUNT_NAME), (TEXT, lambda _: "")),
}
"""The dtype and the value of each column; some are filled in for all rows together."""

COLUMNS: Final = tuple(_CELLS)


@dataclass(frozen=True)
class FollowUp:
    """Hold the outcome of each decision in force, as a frame, and by user.

    `frame` has the columns `COLUMNS`, the most urgent decision first: `status` is a category
    (`FollowUpStatus`), `overdue` is `DecisionOutcome.is_overdue` for `Ledger.due_days`, `days`
    count from the decision to the report, `verdict` is the one now (empty if the user is gone),
    `report` is the file (empty if the account is not covered), `as_of` its moment, `done_since`
    that of the first report in which the decision is done. `notes` name other decisions, which end
    as their user may have another name now.
    """

    frame: pd.DataFrame
    outcomes: Mapping[UserKey, DecisionOutcome]
    notes: tuple[str, ...] = ()


def follow_up(
    pages: Iterable[Users], report: Report, ledger: Ledger, owners: Owners = NO_OWNERS
) -> FollowUp:
    """Return the outcome of each decision to deactivate or delete that is in force.

    `pages` are the judged pages of `report`.
    """
    day = max(file.as_of for file in report.files).date()
    lines, not_to_remove = ledger.removals(), ledger.not_to_remove_on(day)
    users = UsersInNewestReports((*lines, *not_to_remove), report, pages)
    of_users = decision_outcomes(ledger, lines, report, users)
    cells = {
        name: pd.Series([value(outcome) for outcome in of_users.values()], dtype=dtype)
        for name, (dtype, value) in _CELLS.items()
    }
    frame = pd.DataFrame(cells)
    codes = [code_of(outcome.status) for outcome in of_users.values()]
    frame[STATUS] = as_category(np.array(codes, np.int64), FollowUpStatus)
    frame[OVERDUE] = np.array(
        [outcome.is_overdue(ledger.due_days) for outcome in of_users.values()], bool
    )
    frame[DONE_SINCE] = _first_done(frame, ledger.done_since)
    frame = frame.assign(**owners.columns_of(frame))
    frame[columns.ACCOUNT_NAME] = account_names(frame[columns.ACCOUNT], report.account_names)
    order = [STATUS, DECIDED_ON, columns.ACCOUNT, columns.ARN]
    sorted_frame = frame.sort_values(order, kind="stable", ignore_index=True)
    return FollowUp(sorted_frame, of_users, (*renamed_notes(not_to_remove, ledger, users),))


def _first_done(frame: pd.DataFrame, earlier: Mapping[tuple[str, ...], datetime]) -> pd.Series:
    """Return since when each decision is done: the moment in an earlier follow-up, if earlier."""
    now = frame[DONE_SINCE]
    keys = as_text(frame)[list(DECISION_KEY)].itertuples(index=False, name=None)
    before = pd.Series([earlier.get(key) for key in keys], now.index, _MOMENT_DTYPE)
    return now.mask(before < now, before)


def as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a follow-up with moments as 2026-03-01T09:30:00Z, days as 2026-03-01."""
    texts = {name: utc_text_series(frame[name]).fillna("") for name in MOMENTS}
    texts[DECIDED_ON] = day_text_series(frame[DECIDED_ON])
    for name in (OVERDUE, HAD_SERVICE_CREDENTIAL):
        texts[name] = frame[name].map({True: "true", False: "false"}).astype(TEXT)
    return frame.assign(**texts)


def follow_up_counts(frame: pd.DataFrame) -> dict[str, int]:
    """Return how many decisions have each status, and how many are overdue."""
    counts = {str(status): int((frame[STATUS] == status).sum()) for status in FollowUpStatus}
    return {**counts, OVERDUE: int(frame[OVERDUE].sum())}


def earlier_decisions(page: Users, ledger: Ledger, follow_up_result: FollowUp) -> pd.Series:
    """Return the earlier decision on each user of a judged page, in words (str)."""

    def text(user: UserKey, as_of: datetime, verdict: str) -> str:
        user_decisions = ledger.by_user.get(user)
        if user_decisions is None:
            return ""
        if user_decisions.is_conflict:
            return f"conflict: {'; '.join(line.summary for line in user_decisions.current)}"
        line = user_decisions.undisputed
        if line is None:
            return user_decisions.lines[-1].summary
        decision = f"{line.summary}: {line.comment}" if line.comment else line.summary
        if ledger.in_force_on(as_of.date(), user_decisions) is None:
            return f"{decision}; ended on {ledger.last_day(line)}"
        if line.decision is Decision.KEEP:
            return f"{decision}; exempts from {_kept_from(line, verdict, ledger)}"
        outcome = follow_up_result.outcomes.get(user)
        return f"{decision}{_outcome_remark(outcome) if outcome else ''}"

    users = page.users
    shown = user_keys(users), users[columns.AS_OF], users[columns.VERDICT]
    return pd.Series([*map(text, *shown)], users.index, TEXT)


def _kept_from(line: LedgerLine, verdict: str, ledger: Ledger) -> str:
    """Return the rule that a user to keep is exempt from, until when, or why from none."""
    if not line.identifies_user:
        return f"nothing: {NOT_IDENTIFIED}"
    rule = RULE_OF_VERDICT.get(Verdict(verdict))
    return f"{rule} until {ledger.last_day(line)}" if rule else f"nothing: the user is {verdict}"


def _outcome_remark(outcome: DecisionOutcome) -> str:
    if outcome.added:
        return f"; changed since: {', '.join(outcome.added)}"
    if outcome.is_done:
        return "; no working credentials now: decide on the deletion"
    if outcome.status is FollowUpStatus.UNKNOWN:
        return f"; {outcome.status}: {outcome.fact}"
    return f"; not done for {count_text(outcome.days, 'day')}"


def needs_no_decision(page: Users, ledger: Ledger, follow_up_result: FollowUp) -> np.ndarray:
    """Return which users of a judged page need no decision now (bool).

    A removal is decided again if it is overtaken, or done (then on the deletion). A decision to
    investigate, or on a user that is not identified, is made again on a newer report.
    """

    def stands(user: UserKey, as_of: datetime) -> bool:
        line = ledger.in_force_on(as_of.date(), ledger.by_user.get(user, UNDECIDED))
        if line is None:
            return False
        if line.decision is Decision.INVESTIGATE or not line.identifies_user:
            return line.as_of >= as_of
        if line.decision is Decision.KEEP:
            return True
        reopened_by = (FollowUpStatus.OVERTAKEN, FollowUpStatus.DONE)
        return follow_up_result.outcomes[user].status not in reopened_by

    return np.array([*map(stands, user_keys(page.users), page.users[columns.AS_OF])], bool)


# Follow-ups of earlier runs


def line_key(line: LedgerLine) -> tuple[str, ...]:
    """Return the cells of `LINE_KEY` as text."""
    arn, created, as_of = line.user_report_key
    return arn, created, str(line.decision), line.decided_on.isoformat(), as_of


def earlier_rows(name: str, content: bytes) -> list[Mapping[str, str]]:
    """Return the rows of a `follow_up.csv`; raises InputRefused with every problem."""
    return [cells for _, cells in list_rows(name, content, _FORM, _row_problems)]


_FORM: Final = ListForm(
    required=(STATUS, *LINE_KEY, FACT, REPORT, DONE_SINCE),
    optional=COLUMNS,
    by_program=True,
    hint="Put the file back as the run wrote it.",
)


def _row_problems(name: str, row: int, cells: Mapping[str, str]) -> Iterator[Problem]:
    """Yield problems of a row without a status, or without the decision that it holds back."""
    if cells[STATUS] not in [*FollowUpStatus]:
        yield Problem(name, row, STATUS, cells[STATUS], "not a status", _FORM.hint)
        return
    _, *moments = _USER_REPORT_KEY
    is_overtaken = _is_overtaken(cells)
    if is_overtaken or _had_service_credential(cells):
        for column in (name for name in moments if cells[name] or is_overtaken):
            if not timestamp(cells[column]):
                yield Problem(name, row, column, cells[column], "not a time", _FORM.hint)


@dataclass(slots=True)
class EarlierOutcomes:
    """Gather the outcomes in rows of earlier follow-ups, as `Ledger` has them.

    Changes that overtook a decision, and service-specific credentials, only hold back. They count
    from any file, even one that a spreadsheet saved, or in a run that is no longer complete. The
    moment since which a decision is done counts only from an unedited run. `report_folder` is the
    folder with the reports in each run.
    """

    report_folder: str
    done_since: dict[tuple[str, ...], datetime] = field(default_factory=dict)
    overtaken: dict[tuple[str, ...], str] = field(default_factory=dict)
    with_service_credential: set[tuple[str, ...]] = field(default_factory=set)

    def add(self, run: str, row: Mapping[str, str], *, is_as_made: bool) -> None:
        """Add the outcome in a row; rows come in the order of their runs."""
        decision = tuple(row[name] for name in DECISION_KEY)
        if row[STATUS] == FollowUpStatus.DONE and is_as_made:
            self.done_since.setdefault(decision, datetime.fromisoformat(row[DONE_SINCE]))
        elif row[STATUS] != FollowUpStatus.DONE and row[REPORT]:  # else not covered
            self.done_since.pop(decision, None)
        if _is_overtaken(row):
            change = _overtaking_change(row)
            # Reports of earlier runs have the name of their run already.
            own, named = (f"(report {folder}{self.report_folder}/" for folder in ("", f"{run}/"))
            self.overtaken.setdefault(_user_report_key(row), change.replace(own, named))
        if _had_service_credential(row):
            self.with_service_credential.add(_user_report_key(row))

    def added_to(self, ledger: Ledger) -> Ledger:
        """Return a ledger with the gathered outcomes."""
        return replace(
            ledger,
            done_since=self.done_since,
            overtaken=self.overtaken,
            with_service_credential=frozenset(self.with_service_credential),
        )


def _user_report_key(row: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values of `LedgerLine.user_report_key`, times in one form, empty if unknown."""
    arn, *cells = (row[name] for name in _USER_REPORT_KEY)
    return arn, *(utc_text(at) if (at := timestamp(cell)) else "" for cell in cells)


def _is_overtaken(row: Mapping[str, str]) -> bool:
    """Return whether a later plan must not act, even if the decision was done before."""
    return row[STATUS] == FollowUpStatus.OVERTAKEN or CHANGED in row[FACT]


def _had_service_credential(row: Mapping[str, str]) -> bool:
    return row.get(HAD_SERVICE_CREDENTIAL, "").lower() == "true"


def _overtaking_change(row: Mapping[str, str]) -> str:
    """Return the change that overtook a decision, with the report that shows it."""
    change = row[FACT].rpartition(CHANGED)[2].removesuffix(DECIDE_AGAIN).removesuffix(".")
    return change if "(report " in change else f"{change} (report {row[REPORT]})"
