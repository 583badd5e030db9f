"""Define the lists to look things up in: all, root and exempt users, and the exemption list."""

from collections.abc import Iterable, Sequence, Sized
from dataclasses import asdict, replace
from itertools import chain
from typing import Final

import pandas as pd

from analyzer.judging.analysis import Analysis, Totals
from analyzer.lists.exemptions import EntryUse, ExemptionMatches
from analyzer.report.model import Exemption, Page, ReportFile
from analyzer.writers.workbook import user_columns
from analyzer.writers.workbook.column import (
    Column,
    DayColumn,
    NumberColumn,
    TextColumn,
    WordColumn,
    fact_style,
    style_among,
)
from analyzer.writers.workbook.review_lists import CREATED
from analyzer.writers.workbook.style import CellStyle
from analyzer.writers.workbook.user_columns import AccountNames, named_user_columns, source_columns

_CREDENTIALS: Final = (
    *chain(*user_columns.KEYS, *user_columns.CERTIFICATES),
    user_columns.MORE_CREDENTIALS,
)


def all_users_columns(files: Sequence[ReportFile], names: AccountNames) -> tuple[Column, ...]:
    """Return the columns of all users: every fact, and the row of the report that it is from."""
    return (
        *named_user_columns(names),
        *user_columns.VERDICT_FACTS,
        user_columns.CAVEAT_IDS,
        user_columns.EXEMPTION,
        user_columns.CREATED,
        user_columns.AGE,
        user_columns.IDLE,
        *user_columns.PASSWORD_FACTS,
        user_columns.PASSWORD_ROTATION,
        user_columns.MFA,
        *_CREDENTIALS,
        user_columns.service_credential_column(files),
        user_columns.AS_OF,
        *source_columns(files),
    )


def root_columns(files: Sequence[ReportFile], names: AccountNames) -> tuple[Column, ...]:
    """Return the columns of root users: those that the rules on them read."""
    return (
        *named_user_columns(names),
        user_columns.CREATED,
        *user_columns.PASSWORD_FACTS,
        user_columns.MFA,
        *_CREDENTIALS,
        user_columns.AS_OF,
        *source_columns(files),
    )


def exempt_columns(exemptions: Sequence[Exemption], names: AccountNames) -> tuple[Column, ...]:
    """Return the columns of exempt users, with the entry or earlier decision that exempts them."""

    def entries(page: Page) -> list[Exemption]:
        # The analysis keeps the reason of the entry, and two may have the same.
        numbered = tuple(replace(each, reason=str(at)) for at, each in enumerate(exemptions))
        numbers = pd.Series(ExemptionMatches(page, numbered).verdict_reasons())
        return [exemptions[int(at)] for at in numbers]

    def owners(page: Page) -> list[str]:
        return [each.owner for each in entries(page)]

    return (
        *named_user_columns(names),
        *user_columns.VERDICT_FACTS,
        user_columns.CAVEATS,
        replace(user_columns.EXEMPTION, head="Exempt because", width=36),
        WordColumn("Exemption owner", 20, owners, fact_style),
        DayColumn("Exempt until", 12, lambda page: _last_days(entries(page)), _no_end),
        CREATED,
        user_columns.AGE,
        user_columns.IDLE,
    )


def _last_days(entries: Iterable[Exemption]) -> pd.Series:
    """Return the last day on which each entry applies, missing if it has no end."""
    return pd.Series([each.expires for each in entries], dtype="datetime64[s]")


def _no_end(rows: Sized) -> list[str]:
    return ["no end"] * len(rows)


_EXPIRED: Final = "expired"
_EXPIRED_IN_PART: Final = "expired in part"
_UNMATCHED: Final = "matches no user"
_STATE_STYLES: Final = dict.fromkeys((_EXPIRED, _EXPIRED_IN_PART, _UNMATCHED), CellStyle.CHECK)
_NO_LINE: Final = -1
"""Shown as an empty cell: a user to keep by a review is in no list."""


EXEMPTION_LIST: Final = (
    TextColumn("Account", 13, "account"),
    TextColumn("User", 24, "user"),
    WordColumn("Exempt from", 24, "rule"),
    TextColumn("Reason", 60, "reason"),
    TextColumn("Owner", 24, "owner"),
    DayColumn("Last day (UTC)", 12, "expires", _no_end),
    NumberColumn("Users matched", 10, "matched"),
    NumberColumn("Applies to", 10, "applied"),
    WordColumn("State", 15, "state", style_among(_STATE_STYLES)),
    NumberColumn("Line in the list", 8, "line"),
)
"""The columns of the entries of the exemption list, with the state of each."""


def exemption_frame(analysis: Analysis) -> pd.DataFrame:
    """Return the entries in their order: the columns that `EXEMPTION_LIST` shows."""
    entries, totals = analysis.exemptions, analysis.totals
    return pd.DataFrame(map(asdict, entries)).assign(
        rule=[each.rule or "all rules" for each in entries],
        expires=_last_days(entries),
        matched=[each.matched for each in totals.entries],
        applied=[each.applied for each in totals.entries],
        state=[_state(totals, each) for each in totals.entries],
        line=[_NO_LINE if each.arn else each.line for each in entries],
    )


def _state(totals: Totals, use: EntryUse) -> str:
    if use in totals.expired:
        return _EXPIRED_IN_PART if use.applied else _EXPIRED
    return "applies" if use.matched else _UNMATCHED
