"""Name accounts and the owners of users, from two CSVs that people maintain.

- account,user,owner,email,left,replaced_by: in `account` and `user` the signs `*` and `?` match,
  and user names match in any case; the first entry that matches counts. `left` is the last day of
  an owner who has left, `replaced_by` names whom to ask then. An account's root has an owner only
  if it is named, as `<root_account>`.
- account,name,owner: an account by its number.

`email`, `left`, `replaced_by` and the `owner` of an account may be left out, and the `account` of a
user, whose owner then holds in every account. Other columns are refused.
"""

import re
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from analyzer import columns
from analyzer.errors import InputRefused, Problem
from analyzer.lists import csv_lists
from analyzer.report.model import (
    AccountName,
    FileReference,
    NotCovered,
    arrow_array,
    blank_columns,
    word_column,
)
from analyzer.report.report import Report
from analyzer.report.values import is_one_of
from analyzer.terms import ACCOUNT_PATTERN, ROOT_USER, printable, short_list

if TYPE_CHECKING:
    import pandas as pd

_FORM: Final = csv_lists.ListForm(
    required=("user", "owner"),
    optional=("account", "email", "left", "replaced_by"),
    refuses_others=True,
)
_FORM_OF_ACCOUNTS: Final = csv_lists.ListForm(
    required=("account", "name"), optional=("owner",), refuses_others=True
)
_TEXT_TYPE: Final = pa.large_string()


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Name the owner of the users that match; `line` is where the entry stands in its file.

    `account` and `user` are patterns in which `*` and `?` match; `left` is the owner's last day,
    `replaced_by` whom to ask then, empty if not known.
    """

    account: str
    user: str
    owner: str
    email: str
    left: date | None
    replaced_by: str
    line: int

    def __str__(self) -> str:
        """Return the patterns of its users."""
        return f"{self.account}/{self.user}"


@dataclass(frozen=True)
class Owners:
    """Hold the entries of a list of owners, in their order, and its file."""

    entries: tuple[Owner, ...] = ()
    file: FileReference | None = None

    def __bool__(self) -> bool:
        """Return whether there is a list."""
        return self.file is not None

    def positions(self, users: "Mapping[str, Any] | pd.DataFrame") -> np.ndarray:
        """Return the position of the first entry that matches each user or root, -1 for none.

        `users` has `account` and `user`.
        """
        from analyzer.lists.user_patterns import UserPatterns  # noqa: PLC0415  pandas takes 0.15 s

        root, names = is_one_of([ROOT_USER], arrow_array(users[columns.USER])), UserPatterns(users)
        first = np.full(len(root), -1)
        for at, entry in reversed(list(enumerate(self.entries))):
            matching = names.matching(entry.account, entry.user)
            first[matching[root[matching] == (entry.user == ROOT_USER)]] = at
        return first

    def columns_of(
        self,
        users: "Mapping[str, Any] | pd.DataFrame",
        as_of: "pd.Series | np.ndarray | None" = None,
        positions: np.ndarray | None = None,
    ) -> dict[str, pa.DictionaryArray]:
        """Return the columns `columns.OWNERSHIP` of users, empty if no owner is known.

        `owner_left` is the last day of an owner, as text, if it is before the day of as-of. `as_of`
        are moments, by default those of the users; `positions` are the result of `positions()`.
        """
        if not self.entries:
            return blank_columns(columns.OWNERSHIP, len(users[columns.USER]))
        at = self.positions(users) if positions is None else positions
        days = np.asarray(users[columns.AS_OF] if as_of is None else as_of, "datetime64[D]")
        lasts = np.array([entry.left for entry in self.entries], "datetime64[D]")
        texts = {
            columns.OWNER: [entry.owner for entry in self.entries],
            columns.OWNER_EMAIL: [entry.email for entry in self.entries],
            columns.OWNER_LEFT: [str(entry.left or "") for entry in self.entries],
        }
        is_known = dict.fromkeys(texts, at >= 0)
        is_known[columns.OWNER_LEFT] = (at >= 0) & (lasts[at] < days)
        ownership = {}
        for name, values in texts.items():
            words = {text: code for code, text in enumerate(dict.fromkeys([""] + values))}
            codes = np.array([words[text] for text in values], np.int32)
            ownership[name] = word_column(np.where(is_known[name], codes[at], 0), words)
        return ownership


NO_OWNERS: Final = Owners()


def owner_text(owner: str, email: str, left: str) -> str:
    """Return an owner with address and last day, empty if none is known."""
    address = f" <{email}>" if email else ""
    return f"{owner}{address}{f', left on {left}' if left else ''}" if owner else ""


def read_owners(name: str, content: bytes) -> Owners:
    """Return the owners in a file of that name and content.

    Raises InputRefused with every problem: those of `list_rows`, and users that are listed twice.
    """
    rows = csv_lists.list_rows(name, content, _FORM, _problems)
    keys = [(named.get("account", "*"), named["user"].lower()) for _, named in rows]
    _refuse_repeated(
        name, rows, keys, "user", "Keep the row of the owner who answers for the user."
    )
    entries = []
    for line, named in rows:
        left = date.fromisoformat(named["left"]) if named.get("left") else None
        names = ("user", "owner", "email", "replaced_by")
        cells = {name: printable(named.get(name, "")) for name in names}
        account = printable(named.get("account", "*"))
        entries.append(Owner(account=account, **cells, left=left, line=line))
    return Owners(tuple(entries), csv_lists.file_reference(name, content))


def _problems(name: str, row: int, named: Mapping[str, str]) -> Iterator[Problem]:
    for column in ("account", "user", "owner"):
        if not named.get(column, "*"):
            hint = "Name the account and the user (`*` means any), and the owner."
            yield Problem(name, row, column, None, "the cell is empty", hint)
    yield from csv_lists.cut_account_problems(name, row, named.get("account", ""))
    if named.get("email") and "@" not in named["email"]:
        hint = "Write one such as ann@example.com, or nothing."
        yield Problem(name, row, "email", named["email"], "not an e-mail address", hint)
    if named.get("left") and not csv_lists.is_day(named["left"]):
        hint = "Write the owner's last day as YYYY-MM-DD, or nothing."
        yield Problem(name, row, "left", named["left"], "not a date", hint)
    if (successor := named.get("replaced_by")) and not named.get("left"):
        message, hint = "the owner has no last day", "Write the owner's last day in `left`."
        yield Problem(name, row, "replaced_by", successor, message, hint)


def _refuse_repeated(
    name: str,
    rows: Sequence[tuple[int, Mapping[str, str]]],
    keys: Sequence[Hashable],
    column: str,
    hint: str,
) -> None:
    """Raise InputRefused with every row whose key another row has too."""
    counts = Counter(keys)
    message = f"the {column} is listed twice"
    if problems := [
        Problem(name, row, column, named[column], message, hint)
        for (row, named), key in zip(rows, keys, strict=True)
        if counts[key] > 1
    ]:
        raise InputRefused(problems)


# Names of accounts


class AccountList(NamedTuple):
    """Hold the names of accounts in a file, by account number."""

    names: Mapping[str, AccountName]
    file: FileReference


def read_account_list(name: str, content: bytes) -> AccountList:
    """Return the names in a file of that name and content.

    Raises InputRefused with every problem: those of `list_rows`, and accounts listed twice.
    """
    rows = csv_lists.list_rows(name, content, _FORM_OF_ACCOUNTS, _account_problems)
    names = {
        row["account"]: AccountName(name=row["name"], owner=row.get("owner", "")) for _, row in rows
    }
    keys = [row["account"] for _, row in rows]
    _refuse_repeated(name, rows, keys, "account", "Remove one of the rows.")
    return AccountList(names, csv_lists.file_reference(name, content))


def with_account_list(report: Report, listed: AccountList) -> Report:
    """Return the report with the names of a list; they replace names known from elsewhere.

    An account of the list without a report is not covered. A note names the accounts that are not
    in the list.
    """
    file = listed.file
    known = report.accounts.union(
        account.account for account in report.not_covered + report.left_out
    )
    missing = [
        NotCovered(
            account=account, name=named.name, reason=f"{file.name} lists it; it has no report"
        )
        for account, named in sorted(listed.names.items())
        if account not in known
    ]
    unnamed = sorted(report.accounts - {""} - set(listed.names))
    notes = [f"Accounts that are not in {file.name}: {short_list(unnamed)}."] if unnamed else []
    return replace(
        report,
        account_names=dict(report.account_names) | dict(listed.names),
        account_list=file,
        not_covered=report.not_covered + tuple(missing),
        content_notes=report.content_notes + tuple(notes),
    )


def _account_problems(name: str, row: int, named: Mapping[str, str]) -> Iterator[Problem]:
    account = named["account"]
    if not re.fullmatch(ACCOUNT_PATTERN, account):
        hint = "Write its 12 digits, outside the partition aws as in aws-cn:111122223333."
        problem = Problem(name, row, "account", account, "not an account number", hint)
        yield next(csv_lists.cut_account_problems(name, row, account), problem)
    if not named["name"]:
        hint = "Write the name of the account, or remove the row."
        yield Problem(name, row, "name", None, "the cell is empty", hint)
