"""Name accounts and their owners, from a CSV that people maintain: account,name,owner.

The columns may stand in any order and case, and others may be there; `owner` may be left out.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from analyzer.errors import InputRefused, Problem
from analyzer.lists.csv_lists import ListForm, cut_account_problems, list_file, list_rows
from analyzer.report.model import AccountName, FileReference, Report
from analyzer.terms import ACCOUNT_ID_PATTERN, printable, short_list

_FORM: Final = ListForm(required=("account", "name"), optional=("owner",))


class AccountList(NamedTuple):
    """Hold the names that a file gives, by account number."""

    names: Mapping[str, AccountName]
    file: FileReference


def read_account_list(name: str, content: bytes) -> AccountList:
    """Return the names in a file of that name and content.

    Raises InputRefused with every problem: those of `list_rows`, and accounts listed twice.
    """
    rows = list_rows(name, content, _FORM, _problems)
    if problems := list(_repeated_account_problems(name, rows)):
        raise InputRefused(problems)
    names = {
        each["account"]: AccountName(
            name=printable(each["name"]), owner=printable(each.get("owner", ""))
        )
        for _, each in rows
    }
    return AccountList(names, list_file(name, content))


def with_account_list(report: Report, listed: AccountList) -> Report:
    """Return the report with the names of a list; they replace those known otherwise.

    A note names the accounts of the list that have no report and are not listed as such already.
    They fail no run: the list names accounts, often all of a company beside the report of one, and
    does not say which must have a report; the manifest of `fetch` does.
    """
    names = {**report.account_names, **listed.names}
    notes = (*report.content_notes, *_missing_report_notes(report, listed))
    return replace(report, account_names=names, account_list=listed.file, content_notes=notes)


def _missing_report_notes(report: Report, listed: AccountList) -> Iterator[str]:
    known = report.accounts.union(each.account for each in (*report.not_covered, *report.left_out))
    missing = [account for account in listed.names if account not in known]
    if missing:
        yield f"Accounts in {listed.file.name} without a report: {short_list(missing)}."


def _problems(name: str, row: int, named: Mapping[str, str]) -> Iterator[Problem]:
    account = named["account"]
    if not re.fullmatch(ACCOUNT_ID_PATTERN, account):
        hint = "Write the 12 digits of the account."
        problem = Problem(name, row, "account", account, "not an account number", hint)
        yield next(cut_account_problems(name, row, account), problem)
    if not named["name"]:
        hint = "Write the name of the account, or remove the row."
        yield Problem(name, row, "name", None, "the cell is empty", hint)


def _repeated_account_problems(
    name: str, rows: Iterable[tuple[int, Mapping[str, str]]]
) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for row, named in rows:
        account = named["account"]
        if first.setdefault(account, row) != row:
            hint = f"It is in row {first[account]} too: remove one of the rows."
            yield Problem(name, row, "account", account, "the account is listed twice", hint)
