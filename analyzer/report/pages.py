"""Turn rows of text into tidy frames, and read AWS's words for a missing value.

The tidy columns have no `N/A`, `no_information` or `not_supported`, and each slot is a row.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike

from analyzer import columns
from analyzer.columns import AccessKeyColumns, CertificateColumns
from analyzer.report import arns, values
from analyzer.report.model import (
    NO_MOMENT,
    TEXT,
    Page,
    as_category,
    cells_of_users,
    repeated_per_slot,
    text_series,
)
from analyzer.report.values import REGION_OR_SERVICE, lowercase_booleans
from analyzer.terms import NO_VALUE, NOT_SUPPORTED, ROWS_DIFFER, SlotState, code_of

_NO_SIGN_IN = "no_information"
_EMPTY_WORDS = {columns.USER_CREATION_TIME: (), columns.PASSWORD_LAST_USED: (NO_VALUE, _NO_SIGN_IN)}
"""The words that AWS writes for a missing moment, by column; all other columns have only `N/A`."""


NO_CELLS = cells_of_users([])
_utc = partial(pd.DatetimeIndex, tz="UTC")


@dataclass(slots=True)
class _Cells:
    """Read columns of a table, noting each cell that was not understood.

    `texts` has all columns of a report, null if this report has no such column. Reading a column
    puts its cells in AWS's form.
    """

    table: pa.Table
    texts: dict[str, pa.Array]
    unread: list[pd.DataFrame]

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def has(self, column: str) -> bool:
        return column in self.table.column_names

    def equals(self, column: str, *words: str) -> np.ndarray:
        """Return which cells are one of the words, none where the report has no such column."""
        mask = np.zeros(len(self), bool)
        for word in words:
            mask |= np.asarray(pc.equal(self.texts[column], word).fill_null(fill_value=False))
        return mask

    def record_unread(self, column: str, odd: np.ndarray) -> None:
        """Record the cells that were not understood, as they stand in the report."""
        if not odd.any():
            return
        position = np.flatnonzero(odd)
        cells = self.table[column] if self.has(column) else self.texts[column]
        self.unread.append(
            pd.DataFrame(
                {
                    columns.POSITION: position,
                    columns.COLUMN: pd.Series(column, index=range(len(position)), dtype=TEXT),
                    columns.VALUE: text_series(cells.take(pa.array(position))),
                }
            )
        )

    def booleans(self, column: str) -> tuple[np.ndarray, np.ndarray]:
        """Return which cells are true, and which are understood, in upper or lower case."""
        true, false = self.equals(column, "true"), self.equals(column, "false")
        if not (true | false).all():
            self.texts[column] = lowercase_booleans(self.texts[column])
            true, false = self.equals(column, "true"), self.equals(column, "false")
        understood = true | false
        self.record_unread(column, ~understood)
        return true, understood

    def moment(self, column: str) -> tuple[np.ndarray, np.ndarray]:
        """Return a column's moments as datetime64[s], and which cells are understood."""
        if not self.has(column):
            return np.full(len(self), NO_MOMENT), np.zeros(len(self), bool)
        moment = values.timestamps(self.texts[column])
        self.texts[column] = values.timestamp_texts(self.texts[column], moment)
        understood = ~np.isnat(moment)
        if not understood.all():
            understood |= self.equals(column, *_EMPTY_WORDS.get(column, (NO_VALUE,)))
        return moment, understood


def page_of_rows(
    table: pa.Table,
    as_of: ArrayLike,
    masked_account: str = "",
    contradicted: pd.DataFrame = NO_CELLS,
) -> Page:
    """Return IAM users' rows, or roots' rows, as a Page.

    `table` has the report's columns (large_string), `file` and `row` (int64); `as_of` holds a
    moment for each file; `masked_account` is the account of masked ARNs, where that is known;
    `contradicted` are the cells in which another row of the ARN differs, as `Page` has them. Rows
    of users and of roots must not be mixed.
    """
    unread = [NO_CELLS]
    if len(contradicted):  # This takes 2 ms a page.
        table = _with_contradictions(table, contradicted)
        names = contradicted[contradicted[columns.COLUMN] == columns.USER]
        # pandas 2.3 gives an empty column the dtype object.
        unread.append(names.assign(value=ROWS_DIFFER).astype({columns.VALUE: TEXT}))
    known, missing = {*table.column_names}, pa.nulls(len(table), pa.large_string())
    texts = {
        name: table[name].combine_chunks() if name in known else missing
        for name in columns.IN_REPORT
    }
    cells = _Cells(table, texts, unread)
    users = _users(cells, np.asarray(as_of, "datetime64[s]"), masked_account)
    keys = _slots([_key(cells, key) for key in columns.ACCESS_KEYS], len(cells))
    certificates = _slots(
        [_slot_state(cells, certificate) for certificate in columns.CERTIFICATES], len(cells)
    )
    raw = {name: text_series(values) for name, values in texts.items()}
    every = pd.concat(unread, ignore_index=True)
    return Page(users, keys, certificates, every, contradicted, pd.DataFrame(raw, copy=False))


def _with_contradictions(table: pa.Table, contradicted: pd.DataFrame) -> pa.Table:
    """Return the table with `ROWS_DIFFER` in contradicted cells, a value that is never understood.

    User names stay, as the lists of users need them.
    """
    for name, cells in contradicted.groupby(columns.COLUMN):
        if name != columns.USER and name in table.column_names:
            differs = np.zeros(table.num_rows, bool)
            differs[cells[columns.POSITION]] = True
            replaced = pc.if_else(pa.array(differs), ROWS_DIFFER, table[name])
            table = table.set_column(table.column_names.index(name), name, replaced)
    return table


def _users(cells: _Cells, as_of: np.ndarray, masked_account: str) -> pd.DataFrame:
    name, arn = cells.texts[columns.USER], cells.texts[columns.ARN]
    masked = _read_arns(cells)
    file = cells.table[columns.FILE].to_numpy()
    moment: dict[str, np.ndarray] = {}
    for column in columns.TIMESTAMPS[:4]:
        moment[column], understood = cells.moment(column)
        cells.record_unread(column, ~understood)
    return pd.DataFrame(
        {
            columns.FILE: file,
            columns.ROW: cells.table[columns.ROW].to_numpy(),
            columns.ACCOUNT: text_series(arns.account_ids(arn, masked_account)),
            columns.USER: text_series(name),
            columns.ARN: text_series(arn),
            columns.CREATED: _utc(moment[columns.USER_CREATION_TIME]),
            columns.PASSWORD_ENABLED: cells.booleans(columns.PASSWORD_ENABLED)[0],
            columns.PASSWORD_LAST_USED: _utc(moment[columns.PASSWORD_LAST_USED]),
            columns.PASSWORD_LAST_CHANGED: _utc(moment[columns.PASSWORD_LAST_CHANGED]),
            columns.PASSWORD_NEXT_ROTATION: _utc(moment[columns.PASSWORD_NEXT_ROTATION]),
            columns.MFA_ACTIVE: cells.booleans(columns.MFA_ACTIVE)[0],
            columns.AS_OF: _utc(as_of[file]),
            columns.ARN_MASKED: masked,
        },
        copy=False,
    )


def _read_arns(cells: _Cells) -> np.ndarray:
    """Return which users are judged by name; restore the report's ARNs, record invalid cells."""
    name, arn = cells.texts[columns.USER], cells.texts[columns.ARN]
    named = arns.is_user_arn(arn, name)
    if named.all():
        return np.zeros(len(cells), bool)
    masked = arns.is_masked_user_arn(arn, name)
    cells.texts[columns.ARN] = arns.without_user_names(arn)
    cells.record_unread(columns.USER, ~arns.is_user_name(name))
    cells.record_unread(columns.ARN, ~(named | masked))
    return masked


def _slot_state(
    cells: _Cells, slot: AccessKeyColumns | CertificateColumns
) -> dict[str, np.ndarray]:
    """Return the code of a slot's state, and the creation time of its key or certificate.

    A slot that is not active is absent without a date and inactive with one. An active slot without
    a date is recorded as unread. Without a column of dates only active slots have a known state.
    """
    active, active_read = cells.booleans(slot.active)
    created, created_read = cells.moment(slot.last_rotated)
    dated = ~np.isnat(created)
    cells.record_unread(slot.last_rotated, ~created_read | active & ~dated)
    no_dates = not cells.has(slot.last_rotated)
    unread = ~(active_read & (created_read | active & no_dates))
    states = [unread, active, dated]
    codes = [*map(code_of, (SlotState.UNKNOWN, SlotState.ACTIVE, SlotState.INACTIVE))]
    code = np.select(states, codes, code_of(SlotState.ABSENT)).astype(np.int8)
    return {columns.STATE: code, columns.CREATED: created}


def _key(cells: _Cells, slot: AccessKeyColumns) -> dict[str, np.ndarray]:
    state = _slot_state(cells, slot)
    code = state[columns.STATE]
    last_used, understood = cells.moment(slot.last_used_date)
    used, absent = ~np.isnat(last_used), code == code_of(SlotState.ABSENT)
    if cells.has(slot.last_used_date):
        used |= cells.equals(slot.last_used_date, ROWS_DIFFER)
    placed = _has_use_without_date(cells, slot, ~used & (understood | absent))
    foreign = ~understood & cells.has(slot.last_used_date)
    understood &= ~(placed | used & (absent | cells.equals(slot.last_used_service, NO_VALUE)))
    code[absent & (used | placed)] = code_of(SlotState.UNKNOWN)
    last_used = np.where(understood, last_used, NO_MOMENT)
    cells.record_unread(slot.last_used_date, foreign | ~understood & (used | ~absent))
    return {**state, columns.KEY_LAST_USED: last_used}


def _has_use_without_date(cells: _Cells, slot: AccessKeyColumns, unused: np.ndarray) -> np.ndarray:
    """Return which keys have a region or service without a use, and record each such cell.

    Cells without the form of a region or service are recorded too.
    """
    placed = np.zeros(len(cells), bool)
    for column in filter(cells.has, (slot.last_used_region, slot.last_used_service)):
        words = cells.texts[column].dictionary_encode()
        filled = ~np.isin(words.dictionary, (NO_VALUE, NOT_SUPPORTED, ""))
        formed = pc.match_substring_regex(words.dictionary, rf"^{REGION_OR_SERVICE}\z")
        foreign = (filled & ~np.asarray(formed))[words.indices]
        wrong = unused & filled[words.indices]
        cells.record_unread(column, foreign | wrong)
        placed |= wrong
    return placed


def _slots(slots: list[dict[str, np.ndarray]], count: int) -> pd.DataFrame:
    """Put the slots under each other: all of slot 1, then all of slot 2."""
    stacked = {name: np.concatenate([slot[name] for slot in slots]) for name in slots[0]}
    state = as_category(stacked.pop(columns.STATE), SlotState)
    return pd.DataFrame(
        {
            columns.SLOT: np.repeat(np.array(columns.SLOTS, np.int8), count),
            columns.STATE: state,
            **{name: _utc(moment) for name, moment in stacked.items()},
        },
        index=repeated_per_slot(np.arange(count)),
        copy=False,
    )
