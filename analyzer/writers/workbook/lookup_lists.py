"""Define the reference lists: users, findings, changes, follow-up and exemptions."""

from collections.abc import Iterable, Mapping, Sequence, Sized
from dataclasses import replace
from itertools import chain
from typing import Final

import pandas as pd

from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.decisions import follow_up, ledger
from analyzer.decisions.decision import REMOVALS
from analyzer.decisions.entries import COMMENT, DECIDED_BY, DECIDED_ON, DECISION, TICKET
from analyzer.decisions.fate import State
from analyzer.decisions.review_list_layout import DECIDED, ENTERED_IN
from analyzer.limits import SOON_DAYS
from analyzer.lists.exemptions import ExemptionMatches
from analyzer.report.model import Exemption, ReportFile
from analyzer.report.report import Report
from analyzer.report.users import Users
from analyzer.terms import OVERDUE
from analyzer.writers.tables import Texts
from analyzer.writers.workbook import user_columns
from analyzer.writers.workbook.book import CellStyle, SheetName
from analyzer.writers.workbook.column import (
    Column,
    DayColumn,
    MomentColumn,
    NumberColumn,
    TextColumn,
    fact_style,
    style_among,
    style_by_name,
    text_by_mask,
)
from analyzer.writers.workbook.review_lists import ACCOUNT, CREATED, USER
from analyzer.writers.workbook.text_sheet import SpannedCell, TextSheet, head, label, total

_CREATED: Final = MomentColumn("Created (UTC)", 14.5, columns.CREATED)
_LAST_USE: Final = MomentColumn("Last use (UTC)", 14.5, columns.LAST_USE)

# Users

_CREDENTIALS: Final = (
    *chain(*user_columns.KEYS, *user_columns.CERTIFICATES),
    user_columns.MORE_CREDENTIALS,
)


def all_users_columns(analysis: Analysis) -> tuple[Column, ...]:
    """Return the columns of all users: every fact, and the report's row that it comes from."""
    files = analysis.report.files
    return (
        *user_columns.named_user_columns(analysis.report.account_names, analysis.owners),
        *(*user_columns.VERDICT_FACTS, user_columns.CAVEAT_IDS, user_columns.EXEMPTION),
        *(user_columns.AGE, user_columns.IDLE, *user_columns.PASSWORD_FACTS[:2], user_columns.MFA),
        *user_columns.unprinted(
            *(user_columns.CREATED, user_columns.ARN, *user_columns.PASSWORD_FACTS[2:]),
            *(user_columns.PASSWORD_ROTATION, *_CREDENTIALS),
            *(user_columns.service_credential_column(files), *_sources(files)),
        ),
    )


def _sources(files: Sequence[ReportFile]) -> tuple[Column, ...]:
    return (user_columns.AS_OF, *user_columns.source_columns(files))


def root_columns(report: Report) -> tuple[Column, ...]:
    """Return the columns of root users: those that the rules on root users read."""
    return (
        *user_columns.named_user_columns(report.account_names),
        *(user_columns.CREATED, *user_columns.PASSWORD_FACTS, user_columns.MFA),
        *chain(*(key[:3] for key in user_columns.KEYS)),
        *(certificate[0] for certificate in user_columns.CERTIFICATES),
        *user_columns.unprinted(
            *(user_columns.ARN, *chain(*(key[3:] for key in user_columns.KEYS))),
            *(certificate[1] for certificate in user_columns.CERTIFICATES),
            *(user_columns.MORE_CREDENTIALS, *_sources(report.files)),
        ),
    )


def exempt_columns(analysis: Analysis) -> tuple[Column, ...]:
    """Return the columns of exempt users, with the entry or earlier decision that exempts them."""

    def entries(page: Users) -> list[Exemption]:
        # The analysis keeps only an entry's reason, and two entries may have the same one.
        every = enumerate(analysis.exemptions)
        numbered = tuple(replace(entry, reason=str(at)) for at, entry in every)
        numbers = pd.Series(ExemptionMatches(page, numbered).verdict_reasons())
        return [analysis.exemptions[int(at)] for at in numbers]

    return (
        *user_columns.named_user_columns(analysis.report.account_names, analysis.owners),
        *user_columns.VERDICT_FACTS,
        replace(user_columns.CAVEATS, width=30),
        replace(user_columns.EXEMPTION, head="Exempt because", width=30),
        TextColumn(
            *("Exemption owner", 16, lambda page: [entry.owner for entry in entries(page)]),
            fact_style,
        ),
        DayColumn("Exempt until", 12, lambda page: _last_days(entries(page)), _no_end),
        *user_columns.unprinted(user_columns.ARN, CREATED, user_columns.AGE, user_columns.IDLE),
    )


def _last_days(entries: Iterable[Exemption]) -> pd.Series:
    return pd.Series([entry.expires for entry in entries], dtype="datetime64[s]")


def _no_end(rows: Sized) -> list[str]:
    return ["no end"] * len(rows)


NO_REMOVALS: Final = "No decision in force is to delete or deactivate a user."

STATUS_STYLES: Final[Mapping[str, CellStyle]] = {
    State.DONE_OTHERWISE: CellStyle.CRITICAL,
    **dict.fromkeys((State.CONTESTED, State.CHANGED, State.LAPSED), CellStyle.CHECK),
    **dict.fromkeys((State.DEACTIVATED, State.OPEN), CellStyle.UNUSED),
    **dict.fromkeys((State.UNKNOWN, State.ACTIVE, State.EXEMPT), CellStyle.UNDETERMINED),
    **dict.fromkeys((State.NOTHING_TO_DO, State.DONE), CellStyle.SUCCESS),
    OVERDUE: CellStyle.CRITICAL,
}


def follow_up_columns(analysis: Analysis) -> tuple[Column, ...]:
    """Return the columns of a follow-up (`follow_up.COLUMNS`)."""

    def overdue(frame: pd.DataFrame) -> Texts:
        return text_by_mask(frame[OVERDUE].to_numpy(bool), OVERDUE, "")

    names = user_columns.account_name_columns(analysis.report.account_names, 12)
    owner = user_columns.OWNER if analysis.owners else ()
    return (
        *(ACCOUNT, *names, USER, *owner),
        TextColumn("Status", 10, follow_up.STATUS, style_among(STATUS_STYLES)),
        TextColumn("Overdue", 9, overdue, style_among(STATUS_STYLES)),
        TextColumn(DECIDED, 10.5, DECISION),
        TextColumn("Decided by", 10.5, DECIDED_BY),
        DayColumn("Decided on", 10.5, DECIDED_ON),
        TextColumn("Ticket", 9, TICKET),
        NumberColumn("Days since", 6.5, follow_up.DAYS),
        TextColumn("Verdict now", 12.5, columns.VERDICT, style_by_name),
        TextColumn("Fact", 41.5, follow_up.FACT),
        MomentColumn("Done since (UTC)", 14.5, follow_up.DONE_SINCE),
        TextColumn("Comment", 18, COMMENT),
        *user_columns.unprinted(_LAST_USE, _CREATED, *_FOLLOW_UP_SOURCES),
    )


_FOLLOW_UP_SOURCES: Final = (
    TextColumn("Verdict decided on", 12.5, follow_up.DECIDED_VERDICT, style_by_name),
    MomentColumn("As of decided on (UTC)", 14.5, follow_up.DECIDED_AS_OF),
    TextColumn(ENTERED_IN, 26, ledger.WORKBOOK),
    NumberColumn("Row", 6.5, ledger.ROW),
    user_columns.AS_OF,
    TextColumn("Report", 26, follow_up.REPORT),
    user_columns.ARN,
)

_STATUS_MEANINGS: Final[Mapping[State, str]] = {
    State.DONE_OTHERWISE: "Done, though the user had changed, or people differed.",
    State.CONTESTED: "People disagree: nothing is done until all agree.",
    State.CHANGED: "No longer as it was seen: decide again.",
    State.DEACTIVATED: "No credentials are left: write delete again on this report.",
    State.LAPSED: f"Decided on a report of more than {SOON_DAYS} days ago: decide again.",
    State.UNKNOWN: "The reports do not show the user, or not enough of it.",
    State.OPEN: "Still there, or still has working credentials.",
    State.ACTIVE: "The user was active when it was decided on.",
    State.EXEMPT: "On the list of exemptions.",
    State.NOTHING_TO_DO: "To deactivate, and had no credentials when it was decided on.",
    State.DONE: "A later report shows that it is done.",
}


def add_follow_up(sheet: TextSheet, frame: pd.DataFrame) -> None:
    """Add a line per status: the number of decisions that have it, and of overdue ones."""
    heads = ("Decisions", *map(str, REMOVALS[::-1]), OVERDUE)
    sheet.table_head(head(SheetName.FOLLOW_UP), *heads, head("Meaning", 7))
    for status, meaning in _STATUS_MEANINGS.items():
        numbers = _decision_numbers(frame[frame[follow_up.STATUS] == status])
        name = SpannedCell(str(status), STATUS_STYLES[status])
        sheet.row(name, *numbers, meaning)
    about = f"The sheet {SheetName.FOLLOW_UP} lists them all." if len(frame) else NO_REMOVALS
    sheet.row(label("All"), *map(total, _decision_numbers(frame)), about)


def _decision_numbers(frame: pd.DataFrame) -> list[int]:
    removals = [int((frame[DECISION] == decision).sum()) for decision in REMOVALS[::-1]]
    return [len(frame), *removals, follow_up.follow_up_counts(frame)[OVERDUE]]
