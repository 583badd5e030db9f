"""Excuse users from failing a run: who, why, and until when.

The list is a CSV that people keep by hand: account,user,reason,owner,expires. In `account` and
`user` the signs `*` and `?` match; `expires` is the last day on which the entry applies.
"""

import csv
import io
import re
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.errors import InputRefused, Problem
from analyzer.model import Exemption, Page, worded

HEADER: Final = ("account", "user", "reason", "owner", "expires")


def read_exemptions(name: str, text: str) -> tuple[Exemption, ...]:
    """Return the entries of an exemption list.

    Raises InputRefused with every problem: a missing column, an entry without account, user or
    reason, a date that is not YYYY-MM-DD.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), skipinitialspace=True)
    missing = [column for column in HEADER if column not in (reader.fieldnames or ())]
    if missing:
        hint = f"The first row must be {','.join(HEADER)}."
        raise InputRefused([Problem(name, 1, None, None, f"missing: {', '.join(missing)}", hint)])
    entries = [_entry(name, row, cells) for row, cells in enumerate(reader, start=2)]
    problems = [entry for entry in entries if isinstance(entry, Problem)]
    if problems:
        raise InputRefused(problems)
    return tuple(entry for entry in entries if isinstance(entry, Exemption))


def _entry(name: str, row: int, cells: dict[str, str | None]) -> Exemption | Problem:
    account, user, reason, owner, expires = ((cells[column] or "").strip() for column in HEADER)
    for column, cell in (("account", account), ("user", user), ("reason", reason)):
        if not cell:
            hint = "An exemption says for which account and user it is, and why; `*` means any."
            return Problem(name, row, column, None, "the cell is empty", hint)
    if None in cells:
        hint = "Put quotes round a cell that holds a comma."
        return Problem(name, row, None, None, "the row has more cells than the header", hint)
    try:
        last_day = date.fromisoformat(expires) if expires else None
    except ValueError:
        hint = "Write the last day on which it applies as YYYY-MM-DD, or nothing."
        return Problem(name, row, "expires", expires, "not a date", hint)
    return Exemption(account, user, reason, owner, last_day, row)


def exempted(
    page: Page, exemptions: Sequence[Exemption]
) -> "tuple[pd.Categorical[Any], np.ndarray]":
    """Return each user's reason for exemption, empty for none, and which entries match anybody.

    The first entry that applies counts. User names match whatever their case, as in IAM.
    """
    code = np.zeros(len(page), np.int16)
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
    return "".join({"*": ".*", "?": "."}.get(sign, re.escape(sign)) for sign in text)


def _lasts(as_of: pd.Series, entry: Exemption) -> np.ndarray:
    if entry.expires is None:
        return np.ones(len(as_of), bool)
    ends = pd.Timestamp(entry.expires, tz="UTC") + pd.Timedelta(days=1)
    return (as_of < ends).to_numpy()
