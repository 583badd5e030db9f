"""List every word of the ledger: what was seen, what became of it, and what is to be looked at."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

import pandas as pd

from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.decisions.decision import LedgerLine, User, last_days, normal_name
from analyzer.decisions.fate import Overdue, State
from analyzer.decisions.follow_up import GoneUser, Removed, gone_users
from analyzer.decisions.review_list_layout import DECIDED, ENTERED_IN
from analyzer.decisions.standing import Standing, last_day
from analyzer.limits import DUE_DAYS, SOON_DAYS
from analyzer.report.frames import TEXT, categories
from analyzer.terms import code_of
from analyzer.writers.workbook import user_columns
from analyzer.writers.workbook.book import Book, CellStyle, SheetName
from analyzer.writers.workbook.column import (
    DayColumn,
    MomentColumn,
    NumberColumn,
    TextColumn,
)
from analyzer.writers.workbook.table_sheets import TableSheets, add_list
from analyzer.writers.workbook.text_sheet import SpannedCell, TextSheet, head


class Exceptional(StrEnum):
    """Name what is to be looked at first, in this order."""

    NOT_CARRIED_OUT = Overdue.NOT_CARRIED_OUT
    UNDONE = Overdue.UNDONE
    DONE_OTHERWISE = "done, not as decided"
    CHANGED = "changed"
    CONTESTED = "contested"
    AGAINST_KEEP = Removed.AGAINST_KEEP
    AGAINST_INVESTIGATION = Removed.AGAINST_INVESTIGATION
    UNDECIDED = Removed.UNDECIDED
    RENAMED = Removed.RENAMED
    HAD_LEFT = "decided after leaving"
    ON_ONESELF = "decided on oneself"
    KEEP_ENDS = "keep ends soon"


EXCEPTION_MEANINGS: Final[Mapping[Exceptional, str]] = {
    Exceptional.NOT_CARRIED_OUT: (
        f"Removals open for more than {DUE_DAYS} days after the report decided on, or lapsed."
    ),
    Exceptional.UNDONE: "Removals that were carried out, and the user has access again.",
    Exceptional.DONE_OTHERWISE: "The user had changed before, or people differed.",
    Exceptional.CHANGED: "No longer as it was seen: decide again.",
    Exceptional.CONTESTED: "People disagree: nothing is done until all agree.",
    Exceptional.AGAINST_KEEP: "Users who are gone, and a decision to keep them counted.",
    Exceptional.AGAINST_INVESTIGATION: (
        "Users who are gone, and a decision to investigate them counted."
    ),
    Exceptional.UNDECIDED: "Users of an older report who are gone, and nobody decided that.",
    Exceptional.RENAMED: "Users who are gone, and a new user has their creation second.",
    Exceptional.HAD_LEFT: "Decisions of people who had left by then, by the list of owners.",
    Exceptional.ON_ONESELF: "Decisions of people on a user of their own name.",
    Exceptional.KEEP_ENDS: f"Decisions to keep that end within {DUE_DAYS} days: decide again.",
}

_OF_STATE: Final[Mapping[str, Exceptional]] = {
    State.DONE_OTHERWISE: Exceptional.DONE_OTHERWISE,
    State.CHANGED: Exceptional.CHANGED,
    State.CONTESTED: Exceptional.CONTESTED,
}


class OtherState(StrEnum):
    """Name what became of words that are no removals, or that their person replaced."""

    COUNTS = "counts"
    ENDED = "ended"
    REPLACED = "replaced"


_MEANINGS: Final[Mapping[str, str]] = {
    State.DONE_OTHERWISE: EXCEPTION_MEANINGS[Exceptional.DONE_OTHERWISE],
    State.CONTESTED: EXCEPTION_MEANINGS[Exceptional.CONTESTED],
    State.CHANGED: EXCEPTION_MEANINGS[Exceptional.CHANGED],
    State.DEACTIVATED: "No credentials are left: write delete again on this report.",
    State.LAPSED: f"Decided on a report of more than {SOON_DAYS} days ago: decide again.",
    State.UNKNOWN: "The reports do not show the user, or not enough of it.",
    State.OPEN: "Still there, or still has working credentials.",
    State.ACTIVE: "The user was active when it was decided on.",
    State.EXEMPT: "The user is exempt.",
    State.NOTHING_TO_DO: "To deactivate, and had no credentials when it was decided on.",
    State.DONE: "A later report shows that it is done.",
    OtherState.COUNTS: "A keep or investigate that counts against a removal.",
    OtherState.ENDED: "A keep or investigate that no longer counts.",
    OtherState.REPLACED: "Its person wrote another word later.",
}

_STYLES: Final[Mapping[str, CellStyle]] = {
    State.DONE_OTHERWISE: CellStyle.CRITICAL,
    **dict.fromkeys((State.CONTESTED, State.CHANGED, State.LAPSED), CellStyle.CHECK),
    **dict.fromkeys((State.DEACTIVATED, State.OPEN), CellStyle.UNUSED),
    **dict.fromkeys((State.UNKNOWN, State.ACTIVE, State.EXEMPT), CellStyle.UNDETERMINED),
    **dict.fromkeys((State.NOTHING_TO_DO, State.DONE), CellStyle.SUCCESS),
    **dict.fromkeys(OtherState, CellStyle.FAINT),
}


class _Row(NamedTuple):
    """Hold a word of the ledger, or a user who was removed without one."""

    account: str
    user: str
    arn: str
    created: Any
    exceptions: tuple[Exceptional, ...]
    decision: str = ""
    decided_by: str = ""
    decided_on: date | None = None
    ticket: str = ""
    comment: str = ""
    seen: str = ""
    state: str = ""
    fact: str = ""
    done_since: Any = None
    as_of: Any = None
    workbook: str = ""
    row: int = -1


_DTYPES: Final[Mapping[str, Any]] = (
    dict.fromkeys(_Row._fields, TEXT)
    | dict.fromkeys(("created", "done_since", "as_of"), "datetime64[s, UTC]")
    | {"decided_on": "datetime64[s]", "exceptions": "object", "row": "int64"}
)


def follow_up(analysis: Analysis) -> pd.DataFrame:
    """Return every word of the ledger, and the users removed without one; exceptions first.

    The columns are those of `_Row`, and the users' owners.
    """
    rows: list[_Row] = []
    if analysis.ledger.lines:
        whole = analysis.whole
        gone = gone_users(whole.judged, whole.report, whole.follow_up_result)
        words = _Words(analysis, gone)
        rows = [*map(words.row, analysis.ledger.lines), *_rows_of(gone)]
    frame = pd.DataFrame(rows, columns=_Row._fields).astype(_DTYPES)
    frame = frame.assign(**categories(analysis.owners.columns_of(frame)))
    states, last = list(_MEANINGS), len(Exceptional)
    frame["rank"] = [min(map(code_of, words), default=last) for words in frame["exceptions"]]
    frame["state_rank"] = [states.index(state) if state else 0 for state in frame["state"]]
    order = ["rank", "state_rank", "decided_on", columns.ACCOUNT, columns.ARN]
    return frame.sort_values(order, kind="stable", ignore_index=True)


class _Words:
    """Say what became of words, by the reports of an analysis."""

    def __init__(self, analysis: Analysis, gone: Mapping[User, GoneUser]) -> None:
        """Follow the decisions up; `gone` are the users gone without a removal."""
        self._gone = gone
        self._followed = analysis.whole.follow_up_result
        files = analysis.whole.report.files
        self._days = {of.account: file.as_of.date() for file in files for of in file.accounts}
        self._newest = max(file.as_of.date() for file in files)
        self._last_days = last_days(analysis.owners)

    def row(self, line: LedgerLine) -> _Row:
        """Return the row of a word."""
        stand = self._followed.standings[line.subject]
        is_last = any(line.entry == word.entry for word in stand.words)
        state, fact, done_since = self._became(line, stand, is_last=is_last)
        seen = line.user_row
        return _Row(
            account=line.account,
            user=line.user,
            arn=line.arn,
            created=line.created,
            exceptions=tuple(self._exceptions(line, stand, state, is_last=is_last)),
            decision=str(line.decision),
            decided_by=line.decided_by,
            decided_on=line.decided_on,
            ticket=line.ticket,
            comment=line.comment,
            seen=f"{seen[columns.VERDICT]}; exposure {seen[columns.EXPOSURE]}",
            state=str(state),
            fact=fact,
            done_since=done_since,
            as_of=line.as_of,
            workbook=line.workbook,
            row=line.row,
        )

    def _became(
        self, line: LedgerLine, stand: Standing, *, is_last: bool
    ) -> tuple[State | OtherState, str, datetime | None]:
        """Return what became of a word, the fact behind it, and since when it is done."""
        fate = self._followed.fates.get(line.subject)
        if not is_last:
            return OtherState.REPLACED, "", None
        if fate and (line.is_removal or stand.is_contested):
            return fate.state, fate.fact, fate.done_since.time if fate.done_since else None
        day, gone = last_day(line), self._against(line)
        seen = f"; {_last_seen(gone)}" if gone else ""
        if self._as_of(line) <= day:
            return OtherState.COUNTS, f"until {day}{seen}", None
        return OtherState.ENDED, f"on {day}{seen}", None

    def _against(self, line: LedgerLine) -> GoneUser | None:
        """Return how the user went if it was removed against this word."""
        gone = self._gone.get(line.subject)
        is_against = gone and any(line.entry == word.entry for word in gone.against)
        return gone if is_against else None

    def _exceptions(
        self, line: LedgerLine, stand: Standing, state: State | OtherState, *, is_last: bool
    ) -> Iterator[Exceptional]:
        fate = self._followed.fates.get(line.subject)
        if fate and fate.overdue and is_last and line.is_removal:
            yield Exceptional(fate.overdue)
        if exceptional := _OF_STATE.get(state):
            yield exceptional
        if gone := self._against(line):
            yield Exceptional(gone.how)
        if line.decided_on > self._last_days.get(line.person, date.max):
            yield Exceptional.HAD_LEFT
        if _letters(line.user) in (_letters(line.decided_by), _letters(line.decided_by, "@")):
            yield Exceptional.ON_ONESELF
        if stand.longest_keep and line.entry == stand.longest_keep.entry:
            days = (last_day(line) - self._as_of(line)).days
            if 0 <= days <= DUE_DAYS:
                yield Exceptional.KEEP_ENDS

    def _as_of(self, line: LedgerLine) -> date:
        return self._days.get(line.account, self._newest)


def _letters(name: str, end: str = "") -> str:
    """Return letters and digits of a name, up to a sign: `Ann Lee` and `ann.lee@…` are alike."""
    start = name.partition(end)[0] if end else name
    return "".join(sign for sign in normal_name(start) if sign.isalnum())


def _rows_of(gone: Mapping[User, GoneUser]) -> Iterator[_Row]:
    """Yield a row for each user who is gone, unless rows of words against that say it."""
    for user, of_user in gone.items():
        if not of_user.against:
            yield _Row(
                account=user.account,
                user=user.name,
                arn=of_user.arn,
                created=user.created,
                exceptions=(Exceptional(of_user.how),),
                fact="; ".join(filter(None, (of_user.fact, _last_seen(of_user)))),
                as_of=of_user.last_seen,
            )


def _last_seen(gone: GoneUser) -> str:
    return f"last seen in the report of {gone.last_seen:%Y-%m-%d}"


def add_follow_up(book: Book, analysis: Analysis, frame: pd.DataFrame) -> TableSheets:
    """Add the follow-up as a list."""
    names = analysis.report.account_names
    return add_list(
        book,
        SheetName.FOLLOW_UP,
        frame,
        (
            user_columns.ACCOUNT,
            user_columns.USER,
            TextColumn(
                "Exception",
                14,
                lambda rows: ["; ".join(words) for words in rows["exceptions"]],
                lambda text: CellStyle.CRITICAL if text else CellStyle.TEXT,
            ),
            TextColumn(DECIDED, 10.5, "decision"),
            TextColumn("Decided by", 12, "decided_by"),
            DayColumn("Decided on", 10.5, "decided_on"),
            TextColumn("Ticket", 9, "ticket"),
            TextColumn("Comment", 18, "comment"),
            TextColumn("Seen", 20, "seen"),
            TextColumn(
                "What became of it", 13, "state", lambda word: _STYLES.get(word, CellStyle.TEXT)
            ),
            TextColumn("Fact", 36, "fact"),
            MomentColumn("Done since (UTC)", 14.5, "done_since"),
            user_columns.OWNER[0],
        )
        + user_columns.unprinted(
            *user_columns.account_name_columns(names, 12),
            MomentColumn("Report decided on (UTC)", 14.5, "as_of"),
            TextColumn(ENTERED_IN, 26, "workbook"),
            NumberColumn("Row", 6.5, "row"),
            user_columns.ARN,
        ),
        remarks=("Every decision in the ledger, exceptions first.",),
    )


def add_state_counts(sheet: TextSheet, frame: pd.DataFrame) -> None:
    """Add a line for each state that words have, with the number of users."""
    of_user = [columns.ACCOUNT, columns.USER, columns.CREATED, "state"]
    counts = frame.drop_duplicates(of_user)["state"].value_counts()
    sheet.table_head(head("What became of them"), "Users", head("Meaning", 10))
    for state, meaning in _MEANINGS.items():
        if state in counts:
            sheet.row(SpannedCell(str(state), _STYLES[state]), int(counts[state]), meaning)
