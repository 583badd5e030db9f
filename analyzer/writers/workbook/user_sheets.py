"""Define the columns of the lists to look things up in: all users, root users, exempt users."""

from collections.abc import Iterable, Sequence, Sized
from dataclasses import replace
from functools import partial
from typing import Final

import pandas as pd

from analyzer import columns
from analyzer.exemptions import ExemptionMatches
from analyzer.model import Exemption, Page, ReportFile
from analyzer.writers.workbook import user_columns
from analyzer.writers.workbook.column import (
    AccountNames,
    Column,
    DayCells,
    WordCells,
    from_users,
    named_user_columns,
    source_columns,
)
from analyzer.writers.workbook.review_lists import CREATED

_KEYS: Final = tuple(zip(columns.SLOTS, columns.ACCESS_KEYS, strict=True))
_KEYS_WITH_USE: Final = tuple(
    column
    for slot, names in _KEYS
    for column in (
        *user_columns.key_columns(slot, names),
        *user_columns.key_use_columns(slot, names),
    )
)
_CERTIFICATES: Final = tuple(
    column
    for slot, names in zip(columns.SLOTS, columns.CERTIFICATES, strict=True)
    for column in user_columns.certificate_columns(slot, names)
)


def all_users_columns(files: Sequence[ReportFile], names: AccountNames) -> tuple[Column[Page], ...]:
    """Return the columns of all users: every fact, and the row of the report that it is from."""
    return (
        *named_user_columns(from_users, names),
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
        *_KEYS_WITH_USE,
        *_CERTIFICATES,
        user_columns.MORE_CREDENTIALS,
        user_columns.service_credential_column(files),
        user_columns.AS_OF,
        *source_columns(from_users, files),
    )


def root_columns(files: Sequence[ReportFile], names: AccountNames) -> tuple[Column[Page], ...]:
    """Return the columns of root users: those that the rules on them read."""
    return (
        *named_user_columns(from_users, names),
        user_columns.CREATED,
        user_columns.PASSWORD,
        user_columns.LAST_SIGN_IN,
        user_columns.PASSWORD_CHANGED,
        user_columns.MFA,
        *_KEYS_WITH_USE,
        *_CERTIFICATES,
        user_columns.MORE_CREDENTIALS,
        user_columns.AS_OF,
        *source_columns(from_users, files),
    )


def exempt_columns(
    exemptions: Sequence[Exemption], names: AccountNames
) -> tuple[Column[Page], ...]:
    """Return the columns of exempt users, with the entry or earlier decision that exempts them."""
    entries_of = partial(_exempting_entries, exemptions)
    return (
        *named_user_columns(from_users, names),
        user_columns.VERDICT,
        user_columns.REASON,
        user_columns.CERTAINTY,
        user_columns.CAVEATS,
        replace(user_columns.EXEMPTION, head="Exempt because", width=36),
        Column("Exemption owner", 20, WordCells(lambda page: [e.owner for e in entries_of(page)])),
        Column("Exempt until", 12, DayCells(lambda page: last_days(entries_of(page)), no_end)),
        CREATED,
        user_columns.AGE,
        user_columns.IDLE,
    )


def _exempting_entries(entries: Sequence[Exemption], page: Page) -> list[Exemption]:
    """Return the entry that exempts each user of a page of exempt users."""
    numbered = tuple(
        replace(entry, reason=str(at)) for at, entry in enumerate(entries)
    )  # The analysis keeps the reason of the entry, and two may have the same.
    reasons = pd.Series(ExemptionMatches(page, numbered).verdict_reasons())
    return [entries[int(at)] for at in reasons]


def last_days(entries: Iterable[Exemption]) -> pd.Series:
    """Return the last day on which each entry applies, missing if it has no end."""
    return pd.Series([each.expires for each in entries], dtype="datetime64[s]")


def no_end(rows: Sized) -> list[str]:
    """Return what is shown of entries without a last day."""
    return ["no end"] * len(rows)
