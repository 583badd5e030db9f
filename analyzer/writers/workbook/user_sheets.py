"""Define the columns of the lists to look things up in: all users, root users, exempt users."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Final

import pandas as pd
import pyarrow as pa

from analyzer import columns
from analyzer.exemptions import ExemptionMatches
from analyzer.model import Exemption, Page, ReportFile
from analyzer.writers.text_columns import mapped, text_column
from analyzer.writers.workbook import user_columns
from analyzer.writers.workbook.cells import Value, cell
from analyzer.writers.workbook.column import (
    AccountNames,
    Cells,
    Column,
    account_name_columns,
    from_users,
    source_columns,
)
from analyzer.writers.workbook.review_lists import CREATED, REVIEWER_COLUMNS
from analyzer.writers.workbook.style import CellStyle, Styles

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


def _identity_columns(names: AccountNames) -> tuple[Column[Page], ...]:
    name = account_name_columns(from_users, names)
    return (user_columns.ACCOUNT, *name, user_columns.USER, user_columns.ARN)


def all_users_columns(files: Sequence[ReportFile], names: AccountNames) -> tuple[Column[Page], ...]:
    """Return the columns of all users: every fact, and the row of the report that it is from."""
    return (
        *_identity_columns(names),
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
        *_identity_columns(names),
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
    exemptions: Sequence[Exemption], names: AccountNames, *, with_decisions: bool
) -> tuple[Column[Page], ...]:
    """Return the columns of exempt users, with the entry or earlier decision that exempts them."""
    return (
        *_identity_columns(names),
        user_columns.VERDICT,
        user_columns.REASON,
        user_columns.CERTAINTY,
        user_columns.CAVEATS,
        replace(user_columns.EXEMPTION, head="Exempt because", width=36),
        Column(
            "Exemption owner", 20, _exempting_entry_cells(exemptions, lambda entry: entry.owner)
        ),
        Column("Exempt until", 12, _exempting_entry_cells(exemptions, last_day)),
        *(REVIEWER_COLUMNS if with_decisions else ()),
        CREATED,
        user_columns.AGE,
        user_columns.IDLE,
    )


def _exempting_entry_cells(
    entries: Sequence[Exemption], value_of: Callable[[Exemption], Value]
) -> Cells[Page]:
    """Make cells of the entry that exempts a user."""
    numbered = tuple(
        replace(entry, reason=str(at)) for at, entry in enumerate(entries)
    )  # The analysis keeps the reason of the entry, and two may have the same.

    def cells(page: Page, styles: Styles) -> pa.Array:
        positions = text_column(pd.Series(ExemptionMatches(page, numbered).verdict_reasons()))
        style = styles[CellStyle.DAY]
        spelled = mapped(positions, lambda at: cell(value_of(entries[int(at)]), style))
        return text_column(spelled)

    return cells


def last_day(entry: Exemption) -> Value:
    """Return the last day on which an entry applies, or that it has no end."""
    if entry.expires is None:
        return "no end"
    return datetime.combine(entry.expires, time(), UTC)
