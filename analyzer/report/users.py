"""Turn rows of text into typed columns, and read AWS's words for a missing value.

This is the only code that has seen `N/A`, `no_information` or `not_supported`: what is decided from
users is decided from moments, flags and states, and from what is known of them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike

from analyzer import columns
from analyzer.columns import AccessKeyColumns, CertificateColumns
from analyzer.report import arns, values
from analyzer.report.model import NO_MOMENT, SLICE_ROWS, as_block
from analyzer.terms import NO_SIGN_IN, NO_VALUE, NOT_SUPPORTED, SlotState, code_of

if TYPE_CHECKING:
    import pandas as pd

_EMPTY_WORDS = {columns.USER_CREATION_TIME: (), columns.PASSWORD_LAST_USED: (NO_VALUE, NO_SIGN_IN)}
"""The words that AWS writes for a missing moment, by column; all other columns have only `N/A`."""

_TEXT_TYPE: Final = pa.large_string()
_WORDS_TYPE: Final = pa.dictionary(pa.int8(), _TEXT_TYPE)

_READ: Final = (columns.USER, columns.ARN, *columns.TIMESTAMPS, *columns.BOOLEANS)
"""The columns whose cells are understood or not; all others are text of any form."""

_NO_SECOND: Final = np.uint32(2**32 - 1)
"""The value of a second that is missing: all moments of reports fit into 32 bits."""

Column = TypeVar("Column")


class _ColumnsByName(Mapping[str, Column], Generic[Column]):
    """Compute a column when it is asked for by its name."""

    def __init__(self, names: Sequence[str], column: Callable[[str], Column]) -> None:
        self.names, self.column = names, column

    def __getitem__(self, name: str) -> Column:
        if name not in self.names:
            raise KeyError(name)
        return self.column(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, eq=False)
class Users:
    """Hold users, or roots, of reports as typed columns; each array has one value a user.

    - `file` (position in `Report.files`) and `row` (the header is row 1) are int32.
    - `account` is a dictionary, `arn` large_string.
    - `seconds`: uint32 by `columns.TIMESTAMPS` and for `as_of`. `words`: the other text of these
      cells, null where there is a moment or no such column; and the text of all other columns of
      the report, booleans in lower case, null where there is no such column.
    - `unread`: which cells of a column were not understood (bool), if there are any.
    - `key_states`, `certificate_states`: a row for each slot, positions in `SlotState` (int8).
    - `added`: further columns, dictionaries: `as_of_source` (`AsOfSource`), `service_credentials`
      (services with an active credential, by AWS's saved list); by the analysis `verdict`,
      `reason`, `exposure`, `certainty`, `caveats` (ids joined by `;`), `exemption` and those of
      `columns.OWNERSHIP`; and `age_days`, `idle_days` int64, null where there are none.
    """

    file: np.ndarray
    row: np.ndarray
    account: pa.DictionaryArray
    arn: pa.Array
    seconds: Mapping[str, np.ndarray]
    words: Mapping[str, pa.Array]
    unread: Mapping[str, np.ndarray]
    key_states: np.ndarray
    certificate_states: np.ndarray
    added: Mapping[str, pa.Array] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of users."""
        return len(self.file)

    # Columns of the report

    @property
    def moments(self) -> Mapping[str, np.ndarray]:
        """Return the moments by `columns.TIMESTAMPS` (datetime64[s], NaT if not known)."""
        return _ColumnsByName(columns.TIMESTAMPS, lambda name: _moments(self.seconds[name]))

    @property
    def as_of(self) -> np.ndarray:
        """Return the moment that each user's report describes (datetime64[s])."""
        return _moments(self.seconds[columns.AS_OF])

    @property
    def flags(self) -> Mapping[str, np.ndarray]:
        """Return by `columns.BOOLEANS` which cells are true (bool)."""
        return _ColumnsByName(columns.BOOLEANS, lambda name: _is(self.words[name], "true"))

    @property
    def known(self) -> Mapping[str, np.ndarray]:
        """Return which cells were understood (bool); text of any form is not here."""
        return _ColumnsByName(_READ, self._known)

    def _known(self, name: str) -> np.ndarray:
        if name in self.unread:
            return ~self.unread[name]
        return np.broadcast_to(np.array([True]), len(self))

    @property
    def text(self) -> Mapping[str, pa.Array]:
        """Return the report's cells (large_string, or a dictionary of it), timestamps as `…Z`."""
        return _ColumnsByName(columns.IN_REPORT, self._text)

    def _text(self, name: str) -> pa.Array:
        if name == columns.ARN:
            return self.arn
        words = self.words[name]
        if name not in self.seconds or not words.null_count:
            return words
        is_missing = self.seconds[name] == _NO_SECOND
        if is_missing.all():
            return words
        moments = values.second_texts(self.seconds[name])
        if not is_missing.any():
            return moments
        # Most columns have one word only: decoded for each row, a million take 1.03 times as long.
        # Users of a report without this column have no word either.
        distinct = words.dictionary
        is_one_word = len(distinct) == 1 and np.asarray(words.is_valid())[is_missing].all()
        missing = distinct[0] if is_one_word else words.cast(_TEXT_TYPE)
        return pc.if_else(pa.array(is_missing), missing, moments)

    def unread_in(self, *names: str) -> np.ndarray:
        """Return which users have a cell in these columns that was not understood."""
        mask = np.zeros(len(self), bool)
        for name in names:
            if name in self.unread:
                mask |= self.unread[name]
        return mask

    def unread_cells(
        self, name: str, where: np.ndarray | None = None
    ) -> tuple[np.ndarray, list[Any]]:
        """Return the users with a cell in a column that was not understood, and these cells."""
        if name not in self.unread:
            return np.array([], np.int64), []
        at = np.flatnonzero(self.unread[name] if where is None else where & self.unread[name])
        return at, self.text[name].take(pa.array(at)).to_pylist()

    # Frames

    @cached_property
    def users(self) -> "pd.DataFrame":
        """Return the columns about the users as a frame (`frames.user_frame`)."""
        from analyzer.report.frames import user_frame  # noqa: PLC0415  pandas takes 0.15 s

        return user_frame(self)

    def frame(self, files: Sequence[str]) -> "pd.DataFrame":
        """Return the users and their access keys as a frame (`frames.user_and_key_frame`)."""
        from analyzer.report.frames import user_and_key_frame  # noqa: PLC0415  pandas takes 0.15 s

        return user_and_key_frame(self, files)

    def with_users(self, added: Mapping[str, pa.Array]) -> Self:
        """Return the users with more columns."""
        return replace(self, added={**self.added, **added})

    def of_files(self, file: np.ndarray, as_of: np.ndarray) -> Self:
        """Return the users with the positions of their files, and the as-of of each file."""
        seconds = {**self.seconds, columns.AS_OF: _seconds(as_of)[file]}
        return replace(self, file=file, seconds=seconds)

    # Parts

    def where(self, mask: np.ndarray) -> "Users":
        """Return the users where the mask holds."""
        return self if mask.all() else self.take(np.flatnonzero(mask))

    def take(self, positions: np.ndarray) -> "Users":
        """Return the users at these positions, in this order."""
        at = pa.array(positions)

        def at_positions(column: Any) -> Any:
            if isinstance(column, np.ndarray):
                return column.take(positions, axis=-1)
            return column.take(at)

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


def _moments(seconds: np.ndarray) -> np.ndarray:
    moments = seconds.astype(np.int64).view(NO_MOMENT.dtype)
    moments[seconds == _NO_SECOND] = NO_MOMENT
    return moments


def _seconds(moments: np.ndarray) -> np.ndarray:
    return np.where(np.isnat(moments), _NO_SECOND, moments.astype(np.int64)).astype(np.uint32)


def _is(cells: pa.Array, *words: str | None) -> np.ndarray:
    return values.is_one_of(words, cells)


# Rows of text


def users_of_rows(
    table: pa.Table, as_of: ArrayLike, account: pa.DictionaryArray | None = None
) -> Users:
    """Return rows of IAM users, or of roots: the two must not be mixed.

    `table` has the report's columns (text, or a dictionary of it), `file` and `row` (int64);
    `as_of` holds a moment for each file; `account` has the rows' accounts, by default those of the
    ARNs.
    """
    here = {*table.column_names}
    missing = {name: pa.nulls(len(table), _WORDS_TYPE) for name in columns.IN_REPORT}
    text = {name: as_block(table[name]) if name in here else missing[name] for name in missing}
    file, arn = table[columns.FILE].to_numpy(), text.pop(columns.ARN)
    unread = _unread_subjects(arn, text[columns.USER])
    seconds, words = {}, {}
    for name in columns.TIMESTAMPS:
        moments = values.timestamps(text[name])
        is_missing = np.isnat(moments)
        seconds[name], words[name] = _seconds(moments), _words(text.pop(name), is_missing)
        if is_missing.any():
            unread[name] = is_missing & ~_is(words[name], *_EMPTY_WORDS.get(name, (NO_VALUE,)))
    for name in columns.BOOLEANS:
        words[name] = _narrow(values.lowercase_booleans(text.pop(name).dictionary_encode()))
        unread[name] = ~_is(words[name], "true", "false")
    words |= {
        name: cells if name == columns.USER else _narrow(cells.dictionary_encode())
        for name, cells in text.items()
    }
    dated = {name: ~np.isnat(_moments(of)) for name, of in seconds.items()}
    keys = [_key_state(words, dated, unread, key) for key in columns.ACCESS_KEYS]
    certificates = [_state(words, dated, unread, slot) for slot in columns.CERTIFICATES]
    seconds[columns.AS_OF] = _seconds(np.asarray(as_of, NO_MOMENT.dtype))[file]
    return Users(
        file=file.astype(np.int32),
        row=table[columns.ROW].to_numpy().astype(np.int32),
        account=arns.account_ids(arn).dictionary_encode() if account is None else account,
        arn=arn,
        seconds=seconds,
        words=words,
        unread={name: mask for name, mask in unread.items() if mask.any()},
        key_states=np.stack(keys),
        certificate_states=np.stack(certificates),
    )


def _narrow(cells: pa.DictionaryArray) -> pa.DictionaryArray:
    """Return a dictionary of few texts with indices of one byte."""
    if len(cells.dictionary) > np.iinfo(np.int8).max:
        return cells
    return pa.DictionaryArray.from_arrays(cells.indices.cast(pa.int8()), cells.dictionary)


def _unread_subjects(arn: pa.Array, name: pa.Array) -> dict[str, np.ndarray]:
    """Return which users have no ARN of their name, or a name that IAM does not give."""
    named = arns.is_user_arn(arn, name)
    if named.all():
        return {}
    return {columns.USER: ~arns.is_user_name(name), columns.ARN: ~named}


def _words(cells: pa.Array, is_word: np.ndarray) -> pa.DictionaryArray:
    """Return the cells that are no moments as a dictionary, null elsewhere."""
    if not is_word.any():
        return pa.nulls(len(cells), _WORDS_TYPE)
    nothing = pa.scalar(None, _TEXT_TYPE)
    words = pc.if_else(pa.array(is_word), values.texts(cells), nothing)
    return _narrow(words.dictionary_encode())


_Masks = dict[str, np.ndarray]


def _state(
    words: Mapping[str, pa.Array],
    dated: _Masks,
    unread: _Masks,
    slot: AccessKeyColumns | CertificateColumns,
) -> np.ndarray:
    """Return the codes of a slot's states; a date that an active slot lacks is not known.

    A slot that is not active is absent without a date and inactive with one.
    """
    active, is_dated = _is(words[slot.active], "true"), dated[slot.last_rotated]
    no_date = unread.get(slot.last_rotated, np.zeros(len(active), bool))
    code = np.where(is_dated, code_of(SlotState.INACTIVE), code_of(SlotState.ABSENT))
    code[active] = code_of(SlotState.ACTIVE)
    code[unread[slot.active] | no_date] = code_of(SlotState.UNKNOWN)
    unread[slot.last_rotated] = no_date | (active & ~is_dated)
    return code.astype(np.int8)


def _key_state(
    words: Mapping[str, pa.Array], dated: _Masks, unread: _Masks, slot: AccessKeyColumns
) -> np.ndarray:
    """Return the codes of a key's states; traces of use where there is no key are not understood.

    A report without a column of use knows that a key that is absent has none.
    """
    code = _state(words, dated, unread, slot)
    absent, no_use = code == code_of(SlotState.ABSENT), (NO_VALUE, NOT_SUPPORTED, "", None)
    used = [dated[slot.last_used_date], *(~_is(words[name], *no_use) for name in slot.last_use)]
    contradicted = absent & np.logical_or.reduce(used)
    code[contradicted] = code_of(SlotState.UNKNOWN)
    unread[slot.last_rotated] |= contradicted
    if slot.last_used_date in unread:
        lacks_use = absent & ~contradicted & _is(words[slot.last_used_date], None)
        unread[slot.last_used_date] &= ~lacks_use
    return code
