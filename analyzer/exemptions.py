"""Excuse users from failing a run: who, why, and until when.

The list is a CSV that people keep by hand: account,user,reason,owner,expires. In `account` and
`user` the signs `*` and `?` match; `expires` is the last day on which the entry applies.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import zip_longest
from typing import Any, Final

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.errors import InputRefused, Problem
from analyzer.model import Exemption, Page, worded

HEADER: Final = ("account", "user", "reason", "owner", "expires")


def read_exemptions(name: str, text: str) -> tuple[Exemption, ...]:
    """Return the entries of an exemption list.

    Rows in which nothing stands are passed over.

    Raises InputRefused with every problem: a missing column, an entry without account, user or
    reason, a date that is not YYYY-MM-DD.
    """
    header, *rows = _rows(name, text.removeprefix("\ufeff"))
    missing = [column for column in HEADER if column not in header]
    if missing:
        hint = f"The first row must be {','.join(HEADER)}."
        raise InputRefused([Problem(name, 1, None, None, f"missing: {', '.join(missing)}", hint)])
    numbered = [(row, cells) for row, cells in enumerate(rows, start=2) if any(cells)]
    problems = [problem for each in numbered for problem in _problems(name, header, *each)]
    if problems:
        raise InputRefused(problems)
    return tuple(_entry(row, _named_cells(header, cells)) for row, cells in numbered)


def _rows(name: str, text: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=None), skipinitialspace=True, strict=True)
    try:
        return [[cell.strip() for cell in row] for row in reader] or [[]]
    except csv.Error as error:
        hint = "Check that every quote up to here is closed."
        raise InputRefused([Problem(name, reader.line_num, None, None, str(error), hint)]) from None


def _problems(name: str, header: list[str], row: int, cells: list[str]) -> Iterator[Problem]:
    if len(cells) > len(header):
        hint = "Put quotes round a cell that holds a comma."
        yield Problem(name, row, None, None, "the row has more cells than the header", hint)
        return
    named = _named_cells(header, cells)
    for column in ("account", "user", "reason"):
        if not named[column]:
            hint = "An exemption says for which account and user it is, and why; `*` means any."
            yield Problem(name, row, column, None, "the cell is empty", hint)
    if named["expires"] and not _is_day(named["expires"]):
        hint = "Write the last day on which it applies as YYYY-MM-DD, or nothing."
        yield Problem(name, row, "expires", named["expires"], "not a date", hint)


def _named_cells(header: list[str], cells: list[str]) -> dict[str, str]:
    return dict(zip_longest(header, cells, fillvalue=""))


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _entry(row: int, named: Mapping[str, str]) -> Exemption:
    account, user, reason, owner, expires = (named[column] for column in HEADER)
    last_day = date.fromisoformat(expires) if expires else None
    return Exemption(account, user, reason, owner, last_day, row)


def exempted(
    page: Page, exemptions: Sequence[Exemption]
) -> "tuple[pd.Categorical[Any], np.ndarray]":
    """Return each user's reason for exemption, empty for none, and which entries match anybody.

    The first entry that applies counts. User names match whatever their case, as in IAM.
    """
    code = np.zeros(len(page), np.int32)
    names_anybody = np.zeros(len(exemptions), bool)
    reasons = ["", *dict.fromkeys(entry.reason for entry in exemptions)]
    for position, entry in enumerate(exemptions):
        named = _named(page.users, entry)
        names_anybody[position] = named.any()
        applies = named & _lasts(page.users[columns.AS_OF], entry) & (code == 0)
        code[applies] = reasons.index(entry.reason)
    return worded(code, reasons), names_anybody


def has_expired(exemption: Exemption, day: date) -> bool:
    """Tell whether an entry no longer applies on a day (in UTC)."""
    return exemption.expires is not None and exemption.expires < day


def _named(users: pd.DataFrame, entry: Exemption) -> np.ndarray:
    account = users[columns.ACCOUNT].str.fullmatch(_pattern(entry.account))
    user = users[columns.USER].str.fullmatch(_pattern(entry.user), case=False)
    return (account & user).to_numpy(bool)


def _pattern(text: str) -> str:
    return "(?s)" + "".join({"*": ".*", "?": "."}.get(sign, re.escape(sign)) for sign in text)


def _lasts(as_of: pd.Series, entry: Exemption) -> np.ndarray:
    if entry.expires is None:
        return np.ones(len(as_of), bool)
    ends = pd.Timestamp(entry.expires, tz="UTC") + pd.Timedelta(days=1)
    return (as_of < ends).to_numpy()
