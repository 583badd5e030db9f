"""Make frames of pandas from the columns of users, for Python, workbooks and comparisons.

Only those who ask for a frame import this module: pandas takes 0.15 s, a third of the run on a
small report.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from analyzer import columns
from analyzer.report.model import AccountName, arrow_array
from analyzer.report.users import Users
from analyzer.report.values import is_dictionary, texts, utc_texts
from analyzer.terms import SlotState, code_of

# Arrow asks once whether there is pandas; the command line answers no (`cli.inputs`).
pa.nulls(0).to_pandas()

TEXT: Final = pd.StringDtype(na_value=np.nan)
"""The dtype of text in frames: pandas 3 guesses it and names it `str`, pandas 2.3 does neither."""

UTC_INDEX: Final = partial(pd.DatetimeIndex, tz="UTC")


def user_frame(users: Users) -> pd.DataFrame:
    """Return the columns about users as a frame with the index 0 … n-1.

    `file` and `row` are int64; `account`, `user`, `arn` and `service_credentials` str; moments
    datetime64[s, UTC]; `password_enabled` and `mfa_active` bool. What the analysis adds are
    categories, `age_days` and `idle_days` Int64.
    """
    shown = {
        columns.FILE: users.file.astype(np.int64),
        columns.ROW: users.row.astype(np.int64),
        columns.ACCOUNT: text_series(texts(users.account)),
        columns.USER: report_cells(users, columns.USER),
        columns.ARN: text_series(users.arn),
        columns.CREATED: UTC_INDEX(users.moments[columns.USER_CREATION_TIME]),
        columns.PASSWORD_ENABLED: users.flags[columns.PASSWORD_ENABLED],
        **{name: UTC_INDEX(users.moments[name]) for name in columns.TIMESTAMPS[1:4]},
        columns.MFA_ACTIVE: users.flags[columns.MFA_ACTIVE],
        columns.AS_OF: UTC_INDEX(users.as_of),
    }
    added = {name: _column(cells) for name, cells in users.added.items()}
    services = texts(users.added[columns.SERVICE_CREDENTIALS])
    added[columns.SERVICE_CREDENTIALS] = text_series(services)
    return pd.DataFrame({**shown, **added}, copy=False)


def user_and_key_frame(users: Users, files: Sequence[str]) -> pd.DataFrame:
    """Return the users and their access keys as one frame, for further analysis.

    The columns are those of `user_frame`, and `file` is one of the names of the files (str).
    `password_enabled`, `mfa_active` and `access_key_1_active` are `boolean`, `<NA>` where the cell
    was not understood. `access_key_1_last_rotated` and `access_key_1_last_used_date` are
    datetime64[s, UTC]. Key 2 has the same columns.
    """
    frame: dict[str, Any] = {columns.FILE: pd.array(np.array(files, object)[users.file], TEXT)}
    for name in (columns.PASSWORD_ENABLED, columns.MFA_ACTIVE):
        frame[name] = pd.arrays.BooleanArray(users.flags[name], ~users.known[name])
    unknown, active = (code_of(state) for state in (SlotState.UNKNOWN, SlotState.ACTIVE))
    for key, state in zip(columns.ACCESS_KEYS, users.key_states, strict=True):
        frame[key.active] = pd.arrays.BooleanArray(state == active, state == unknown)
        frame |= {
            name: UTC_INDEX(users.moments[name]) for name in (key.last_rotated, key.last_used_date)
        }
    return users.users.assign(**frame)


def report_cells(users: Users, name: str) -> pd.Series:
    """Return a column of the report as text, missing where the report has no such column."""
    return text_series(texts(users.text[name]))


def finding_frame(findings: Mapping[str, pa.Array]) -> pd.DataFrame:
    """Return findings as a frame; their account is text."""
    account = texts(findings[columns.ACCOUNT])
    shown = {
        **{name: _column(cells) for name, cells in findings.items()},
        columns.FILE: findings[columns.FILE].to_numpy(),
        columns.ROW: findings[columns.ROW].to_numpy(),
        columns.ACCOUNT: text_series(account),
    }
    return pd.DataFrame(shown, copy=False)


# Columns


def _column(cells: pa.Array) -> Any:
    if is_dictionary(cells):
        return category(cells)
    if pa.types.is_large_string(cells.type):
        return text_series(cells)
    if pa.types.is_timestamp(cells.type):
        return UTC_INDEX(cells.to_numpy(zero_copy_only=False))
    return integers(cells)


def text_series(cells: pa.Array | pa.ChunkedArray) -> pd.Series:
    """Return text of Arrow (large_string) as a series of `TEXT`, without a copy."""
    series: pd.Series = cells.to_pandas(types_mapper=lambda _: TEXT)
    return series


def integers(numbers: pa.Array) -> "pd.arrays.IntegerArray":
    """Return whole numbers of Arrow as Int64, missing where they are null."""
    is_missing = np.asarray(numbers.is_null())
    return pd.arrays.IntegerArray(np.asarray(numbers.fill_null(0)), is_missing)


def category(words: pa.DictionaryArray) -> "pd.Categorical[Any]":
    """Return a dictionary of Arrow as a category column."""
    return as_category(words.indices.to_numpy(), words.dictionary.to_pylist())


def categories(named: Mapping[str, pa.DictionaryArray]) -> dict[str, "pd.Categorical[Any]"]:
    """Return dictionaries of Arrow as category columns."""
    return {name: category(words) for name, words in named.items()}


def as_category(codes: np.ndarray, words: Iterable[str]) -> "pd.Categorical[Any]":
    """Return a category column: the position of each value's word among the words."""
    return pd.Categorical.from_codes(codes, dtype=_category(tuple(map(str, words))))


# All pages have the same categories, and making one takes ten times as long as using it.
@lru_cache(maxsize=16)
def _category(words: tuple[str, ...]) -> pd.CategoricalDtype:
    # Not TEXT: for a category of TEXT, pandas 2.3 gives the lists of `.str.split` as text.
    return pd.CategoricalDtype(pd.Index(words, dtype="str"))


def blank_categories(names: Iterable[str], rows: int) -> dict[str, "pd.Categorical[Any]"]:
    """Return category columns of these names with empty cells."""
    return dict.fromkeys(names, as_category(np.zeros(rows, "int8"), [""]))


def account_names(accounts: pd.Series, names: Mapping[str, AccountName]) -> pd.Series:
    """Return the name of each row's account, empty where it is not known."""
    known = {account: known_account.name for account, known_account in names.items()}
    named: pd.Series = accounts.map(known).astype(TEXT).fillna("")
    return named


def utc_text_series(moments: pd.Series) -> pd.Series:
    """Return moments as ISO text to the second (`TEXT`), missing where there is none."""
    return text_series(utc_texts(arrow_array(moments))).set_axis(moments.index)
