"""Define the lists to look things up in: all, root and exempt users, and the exemption list."""

from collections.abc import Iterable, Sequence, Sized
from dataclasses import replace
from itertools import chain
from typing import Final

import pandas as pd

from analyzer import columns
from analyzer.analysis import Analysis
from analyzer.exemptions import ExemptionMatches
from analyzer.model import Exemption, Page, ReportFile
from analyzer.rules.rule import RULE
from analyzer.writers.workbook import user_columns
from analyzer.writers.workbook.column import (
    Column,
    DayColumn,
    NumberColumn,
    TextColumn,
    WordColumn,
    fact_style,
)
from analyzer.writers.workbook.review_lists import CREATED
from analyzer.writers.workbook.style import CellStyle
from analyzer.writers.workbook.user_columns import AccountNames, named_user_columns, source_columns

_SLOTS: Final = tuple(chain(*user_columns.KEYS, *user_columns.CERTIFICATES))


def all_users_columns(files: Sequence[ReportFile], names: AccountNames) -> tuple[Column, ...]:
    """Return the columns of all users: every fact, and the row of the report that it is from."""
    return (
        *named_user_columns(names),
        user_columns.VERDICT,
        user_columns.REASON,
        user_columns.CERTAINTY,
        user_columns.CAVEAT_IDS,
        user_columns.EXEMPTION,
        user_columns.CREATED,
        user_columns.AGE,
        user_columns.IDLE,
        user_columns.PASSWORD,
        user_columns.LAST_SIGN_IN,
        user_columns.PASSWORD_CHANGED,
        user_columns.PASSWORD_ROTATION,
        user_columns.MFA,
        *_SLOTS,
        user_columns.MORE_CREDENTIALS,
        user_columns.service_credential_column(files),
        user_columns.AS_OF,
        *source_columns(files),
    )


def root_columns(files: Sequence[ReportFile], names: AccountNames) -> tuple[Column, ...]:
    """Return the columns of root users: those that the rules on them read."""
    return (
        *named_user_columns(names),
        user_columns.CREATED,
        user_columns.PASSWORD,
        user_columns.LAST_SIGN_IN,
        user_columns.PASSWORD_CHANGED,
        user_columns.MFA,
        *_SLOTS,
        user_columns.MORE_CREDENTIALS,
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
        user_columns.VERDICT,
        user_columns.REASON,
        user_columns.CERTAINTY,
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


_APPLIES: Final = "applies"
_NO_LINE: Final = -1
"""Shown as an empty cell: a user to keep by a review is in no list."""


def _state_style(state: str) -> CellStyle:
    return CellStyle.TEXT if state == _APPLIES else CellStyle.CHECK


EXEMPTION_LIST: Final = (
    TextColumn("Account", 13, columns.ACCOUNT),
    TextColumn("User", 24, columns.USER),
    WordColumn("Exempt from", 24, RULE),
    TextColumn("Reason", 60, "reason"),
    TextColumn("Owner", 24, "owner"),
    DayColumn("Last day (UTC)", 12, "expires", _no_end),
    NumberColumn("Users matched", 10, "matched"),
    WordColumn("State", 15, "state", _state_style),
    NumberColumn("Line in the list", 8, "line"),
)
"""The columns of the entries of the exemption list, with the state of each."""


def exemption_frame(analysis: Analysis) -> pd.DataFrame:
    """Return the entries in their order: the columns that `EXEMPTION_LIST` shows."""
    entries, totals = analysis.exemptions, analysis.totals
    rows = [
        {
            columns.ACCOUNT: each.account,
            columns.USER: each.user,
            RULE: each.rule or "all rules",
            "reason": each.reason,
            "owner": each.owner,
            "matched": matched,
            "state": _state(each, analysis, matched),
            "line": _NO_LINE if each.arn else each.line,
        }
        for each, matched in zip(entries, totals.matched, strict=True)
    ]
    return pd.DataFrame(rows).assign(expires=_last_days(entries))


def _state(entry: Exemption, analysis: Analysis, matched: int) -> str:
    if entry in analysis.totals.expired:
        return "expired"
    return _APPLIES if matched else "matches no user"
