"""Give what a report shows of a user as a line of the ledger keeps it.

That is its row of `users.csv`, of what follows from the report alone, and the names of the users
that were created in the same second.
"""

from collections import defaultdict

import numpy as np
import pandas as pd
import pyarrow as pa

from analyzer import columns
from analyzer.report.frames import TEXT, report_cells, utc_text_series
from analyzer.report.model import arrow_array
from analyzer.report.users import Users

NOT_FROM_REPORT = (columns.EXEMPTION,)
"""The columns of a line that come from lists that people keep; a row has none of them."""


def rows_of_users_csv(page: Users) -> list[dict[str, str]]:
    """Return the users of a judged page as texts by `columns.OF_LEDGER`."""
    users, empty = page.users, pd.Series("", page.users.index, TEXT)
    texts = {
        name: report_cells(page, name).fillna("")
        if name in columns.REPORT_ONLY
        else _text_of(users[name])
        for name in columns.OF_LEDGER
    }
    texts |= dict.fromkeys(NOT_FROM_REPORT, empty)
    shared = [shared_texts(texts[name]) for name in columns.OF_LEDGER]
    # A seventh of the time that `to_dict("records")` takes.
    return [dict(zip(columns.OF_LEDGER, row, strict=True)) for row in zip(*shared, strict=True)]


def shared_texts(texts: pa.Array | pd.Series) -> list[str]:
    """Return texts, equal ones as one object: many lines take half the memory."""
    coded = arrow_array(texts).dictionary_encode()
    shared: list[str] = np.array(coded.dictionary.to_pylist(), object)[coded.indices].tolist()
    return shared


def _text_of(values: pd.Series) -> pd.Series:
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return utc_text_series(values)
    return values.astype(TEXT).fillna("")


def same_second_names(chosen: pd.DataFrame, every: pd.DataFrame) -> list[frozenset[str]]:
    """Return for each chosen user the names of the users of its account and creation second.

    `every` are all users of the reports; both have `account`, `as_of`, `created` and `user`. The
    user itself is among the names, alone if its creation time is not understood.
    """
    keys = [columns.ACCOUNT, columns.AS_OF, columns.CREATED, columns.USER]
    alike = every.loc[every[columns.CREATED].isin(chosen[columns.CREATED].dropna()), keys]
    names = defaultdict[tuple[object, ...], set[str]](set)
    for *second, user in alike.itertuples(index=False):
        names[*second].add(user)
    return [
        frozenset({user} | names[*second]) for *second, user in chosen[keys].itertuples(index=False)
    ]
