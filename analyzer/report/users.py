"""Turn rows of text into typed columns, and read AWS's words for a missing value.

This is the only code that has seen `N/A`, `no_information` or `not_supported`: what is decided from
users is decided from moments, flags and states, and from what is known of them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any, Final, Self

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import ArrayLike

from analyzer import columns
from analyzer.columns import AccessKeyColumns, CertificateColumns
from analyzer.report import arns, values
from analyzer.report.model import NO_MOMENT, TEXT, as_block, text_series
from analyzer.report.values import lowercase_booleans
from analyzer.terms import NO_SIGN_IN, NO_VALUE, NOT_SUPPORTED, SlotState, code_of

_EMPTY_WORDS = {columns.USER_CREATION_TIME: (), columns.PASSWORD_LAST_USED: (NO_VALUE, NO_SIGN_IN)}
"""The words that AWS writes for a missing moment, by column; all other columns have only `N/A`."""

SLICE_ROWS = 49_152
"""Users that are judged or written at once: with more, the results in between take more memory."""

UTC_INDEX: Final = partial(pd.DatetimeIndex, tz="UTC")
_TEXT_TYPE: Final = pa.large_string()


@dataclass(frozen=True, eq=False)
class Users:
    """Hold users, or roots, of reports as typed columns; each array has one value a user.

    - `file` (position in `Report.files`), `row` int64 (the header is row 1), `as_of` datetime64[s].
    - `account`, `arn` large_string.
    - `text`: the report's own columns (large_string, or a dictionary of it), timestamps as `…Z`,
      booleans in lower case, null where the report has no such column. `known`: which cells of a
      column were understood; a column that is not here is text of any form.
    - `moments`: datetime64[s] by `columns.TIMESTAMPS`; `flags`: bool by `columns.BOOLEANS`. NaT and
      False also stand for cells that are not known.
    - `key_states`, `certificate_states`: a row for each slot, positions in `SlotState` (int8).
    - `added`: further columns of `frame`: `as_of_source` category (`AsOfSource`),
      `service_credentials` str (services with an active credential, by AWS's saved list); by the
      analysis `verdict`, `reason`, `exposure`, `certainty`, `caveats` (ids joined by `;`) and
      `exemption` category, `age_days`, `idle_days` Int64.
    """

    file: np.ndarray
    row: np.ndarray
    as_of: np.ndarray
    account: pa.Array
    arn: pa.Array
    text: Mapping[str, pa.Array]
    known: Mapping[str, np.ndarray]
    moments: Mapping[str, np.ndarray]
    flags: Mapping[str, np.ndarray]
    key_states: np.ndarray
    certificate_states: np.ndarray
    added: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of users."""
        return len(self.file)

    def cell(self, name: str) -> pd.Series:
        """Return a column of the report as text, missing where the report has no such column."""
        return text_series(values.texts(self.text[name]))

    def unread_in(self, *names: str) -> np.ndarray:
        """Return which users have a cell in these columns that was not understood."""
        mask = np.zeros(len(self), bool)
        for name in names:
            mask |= ~self.known[name]
        return mask

    def unread(self, name: str, where: np.ndarray | None = None) -> tuple[np.ndarray, list[Any]]:
        """Return the users with a cell in a column that was not understood, and these cells."""
        if name not in self.known or self.known[name].all():
            return np.array([], np.int64), []
        at = np.flatnonzero(~self.known[name] if where is None else where & ~self.known[name])
        return at, self.text[name].take(pa.array(at)).to_pylist()

    @cached_property
    def users(self) -> pd.DataFrame:
        """Return the columns about the users as a frame with the index 0 … n-1."""
        shown = {
            columns.FILE: self.file,
            columns.ROW: self.row,
            columns.ACCOUNT: text_series(self.account),
            columns.USER: self.cell(columns.USER),
            columns.ARN: text_series(self.arn),
            columns.CREATED: UTC_INDEX(self.moments[columns.USER_CREATION_TIME]),
            columns.PASSWORD_ENABLED: self.flags[columns.PASSWORD_ENABLED],
            **{name: UTC_INDEX(self.moments[name]) for name in columns.TIMESTAMPS[1:4]},
            columns.MFA_ACTIVE: self.flags[columns.MFA_ACTIVE],
            columns.AS_OF: UTC_INDEX(self.as_of),
        }
        return pd.DataFrame({**shown, **self.added}, copy=False)

    def frame(self, files: Sequence[str]) -> pd.DataFrame:
        """Return the users and their access keys as one frame, for further analysis.

        `file` is one of the names of the files (str). `password_enabled`, `mfa_active` and
        `access_key_1_active` are `boolean`, `<NA>` where the cell was not understood.
        `access_key_1_last_rotated` and `access_key_1_last_used_date` are datetime64[s, UTC]. Key 2
        has the same columns.
        """
        frame: dict[str, Any] = {columns.FILE: pd.array(np.array(files, object)[self.file], TEXT)}
        for name in (columns.PASSWORD_ENABLED, columns.MFA_ACTIVE):
            frame[name] = pd.arrays.BooleanArray(self.flags[name].copy(), ~self.known[name])
        unknown, active = (code_of(state) for state in (SlotState.UNKNOWN, SlotState.ACTIVE))
        for key, state in zip(columns.ACCESS_KEYS, self.key_states, strict=True):
            frame[key.active] = pd.arrays.BooleanArray(state == active, state == unknown)
            frame |= {
                name: UTC_INDEX(self.moments[name])
                for name in (key.last_rotated, key.last_used_date)
            }
        return self.users.assign(**frame)

    def with_users(self, added: Mapping[str, Any]) -> Self:
        """Return the users with more columns."""
        new = {
            name: column.array if isinstance(column, pd.Series) else column
            for name, column in added.items()
        }
        return replace(self, added={**self.added, **new})

    def where(self, mask: np.ndarray) -> "Users":
        """Return the users where the mask holds."""
        return self if mask.all() else self.take(np.flatnonzero(mask))

    def take(self, positions: np.ndarray) -> "Users":
        """Return the users at these positions, in this order."""
        at = pa.array(positions)

        def at_positions(column: Any) -> Any:
            if isinstance(column, np.ndarray):
                return column.take(positions, axis=-1)
            return column.take(at if isinstance(column, pa.Array) else positions)

        return self._with_columns(at_positions)

    def slices(self) -> Iterator["Users"]:
        """Yield the users in parts of `SLICE_ROWS`, at least one, whose cells are not copied."""
        if len(self) <= SLICE_ROWS:
            yield self
            return
        for start in range(0, len(self), SLICE_ROWS):
            rows = slice(start, start + SLICE_ROWS)
            yield self._with_columns(partial(_rows, rows))

    def _with_columns(self, part: Callable[[Any], Any]) -> "Users":
        """Return the users with a part of each column."""

        def part_of(column: Any) -> Any:
            if isinstance(column, Mapping):
                return {name: part_of(cells) for name, cells in column.items()}
            return part(column)

        return Users(**{one.name: part_of(getattr(self, one.name)) for one in fields(self)})


def _rows(rows: slice, column: Any) -> Any:
    return column[..., rows] if isinstance(column, np.ndarray) else column[rows]


@dataclass(slots=True)
class _Cells:
    """Read columns of text, noting which cells are known. Reading puts cells in AWS's form."""

    text: dict[str, pa.Array]
    moments: dict[str, np.ndarray]
    known: dict[str, np.ndarray] = field(default_factory=dict)
    flags: dict[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.text[columns.USER])

    def equals(self, column: str, *words: str) -> np.ndarray:
        """Return which cells are one of the words, none where the report has no such column."""
        return values.is_one_of(words, self.text[column])

    def is_filled(self, column: str) -> np.ndarray:
        """Return which cells hold more than a word for a missing value."""
        return ~values.is_one_of((NO_VALUE, NOT_SUPPORTED, "", None), self.text[column])

    def boolean(self, column: str) -> None:
        """Read a column of `true` and `false`, in upper or lower case."""
        true, false = self.equals(column, "true"), self.equals(column, "false")
        if not (true | false).all():
            self.text[column] = lowercase_booleans(self.text[column])
            true, false = self.equals(column, "true"), self.equals(column, "false")
        self.flags[column], self.known[column] = true, true | false

    def moment(self, column: str) -> None:
        """Read a column of moments."""
        moment = self.moments.get(column)
        if moment is None:
            moment = values.timestamps(self.text[column])
        known = ~np.isnat(moment)
        if not known.all():
            known |= self.equals(column, *_EMPTY_WORDS.get(column, (NO_VALUE,)))
        self.moments[column], self.known[column] = moment, known


def users_of_rows(
    table: pa.Table,
    as_of: ArrayLike,
    account: pa.Array | None = None,
    moments: Mapping[str, np.ndarray] = MappingProxyType({}),
) -> Users:
    """Return rows of IAM users, or of roots: the two must not be mixed.

    `table` has the report's columns (large_string), `file` and `row` (int64); `as_of` holds a
    moment for each file; `account` has the rows' accounts, by default those of the ARNs.
    """
    here, missing = {*table.column_names}, pa.nulls(len(table), _TEXT_TYPE)
    text = {name: as_block(table[name]) if name in here else missing for name in columns.IN_REPORT}
    arn, file = text[columns.ARN], table[columns.FILE].to_numpy()
    cells = _Cells(text, {**moments})
    _read_arns(cells)
    for name in columns.TIMESTAMPS:
        cells.moment(name)
    for name in columns.BOOLEANS:
        cells.boolean(name)
    key_states = np.stack([_key_state(cells, key) for key in columns.ACCESS_KEYS])
    certificate_states = np.stack([_state(cells, slot) for slot in columns.CERTIFICATES])
    for name in columns.TIMESTAMPS:  # What is not understood is shown as it stands.
        shown = np.where(cells.known[name], cells.moments[name], NO_MOMENT)
        cells.text[name] = values.timestamp_texts(cells.text[name], shown)
    return Users(
        file=file,
        row=table[columns.ROW].to_numpy(),
        as_of=np.asarray(as_of, "datetime64[s]")[file],
        account=arns.account_ids(arn) if account is None else account,
        arn=arn,
        key_states=key_states,
        certificate_states=certificate_states,
        text=cells.text,
        known=cells.known,
        moments=cells.moments,
        flags=cells.flags,
    )


def _read_arns(cells: _Cells) -> None:
    """Note which users have an ARN of their name."""
    name, arn = cells.text[columns.USER], cells.text[columns.ARN]
    named = arns.is_user_arn(arn, name)
    cells.known |= {columns.USER: named, columns.ARN: named}
    if not named.all():
        cells.known[columns.USER] = arns.is_user_name(name)


def _state(cells: _Cells, slot: AccessKeyColumns | CertificateColumns) -> np.ndarray:
    """Return the codes of a slot's states; a date that an active slot lacks is not known.

    A slot that is not active is absent without a date and inactive with one.
    """
    active, dated = cells.flags[slot.active], ~np.isnat(cells.moments[slot.last_rotated])
    date_known = cells.known[slot.last_rotated]
    code = np.where(dated, code_of(SlotState.INACTIVE), code_of(SlotState.ABSENT)).astype(np.int8)
    code[active] = code_of(SlotState.ACTIVE)
    code[~(cells.known[slot.active] & date_known)] = code_of(SlotState.UNKNOWN)
    cells.known[slot.last_rotated] = date_known & (dated | ~active)
    return code


def _key_state(cells: _Cells, slot: AccessKeyColumns) -> np.ndarray:
    """Return the codes of a key's states; traces of use where there is no key are not understood.

    A report without a column of use knows that a key that is absent has none.
    """
    code = _state(cells, slot)
    absent, used = code == code_of(SlotState.ABSENT), map(cells.is_filled, slot.last_use)
    contradicted = absent & np.logical_or.reduce([*used])
    code[contradicted] = code_of(SlotState.UNKNOWN)
    cells.known[slot.last_rotated] &= ~contradicted
    lacks_use = absent & ~contradicted & np.asarray(cells.text[slot.last_used_date].is_null())
    cells.known[slot.last_used_date] |= lacks_use
    return code
