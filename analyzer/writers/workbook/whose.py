"""Define the columns that tables of users and of findings share: whose row it is, and from where.

Each is made for what is listed by `of`, which tells where a column of facts lies in it.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import pandas as pd

from analyzer import columns
from analyzer.model import Page, ReportFile
from analyzer.writers.workbook.column import Column, empty, free, numbers, plain, words
from analyzer.writers.workbook.style import Look
from analyzer.writers.workbook.taken import Listed

Of = Callable[[str], Callable[[Listed], pd.Series]]

NO_ACCOUNT: Final = "not known"


def of_users(name: str) -> Callable[[Page], pd.Series]:
    """Return where a fact of users lies in a page."""
    return lambda page: page.users[name]


def in_frame(name: str) -> Callable[[pd.DataFrame], pd.Series]:
    """Return where a fact lies in a frame."""
    return lambda frame: frame[name]


def texts(series: Callable[[Listed], pd.Series]) -> Callable[[Listed], list[str]]:
    """Read facts that are text as they are."""
    return lambda rows: series(rows).tolist()


def account_text(account: str) -> str:
    """Return the account as the sheets show it; rows whose ARN names none have none."""
    return account or NO_ACCOUNT


def who(of: Of[Listed]) -> tuple[Column[Listed], Column[Listed], Column[Listed]]:
    """Return the columns that name whom a row is about."""
    account = of(columns.ACCOUNT)

    def accounts(rows: Listed) -> list[str]:
        return [account_text(each) for each in account(rows).tolist()]

    return (
        Column("Account", 13, words(accounts, plain)),
        Column("User", 22, free(texts(of(columns.USER)))),
        Column("ARN", 34, free(texts(of(columns.ARN)), Look.ID)),
    )


def source(of: Of[Listed], files: Sequence[ReportFile]) -> tuple[Column[Listed], Column[Listed]]:
    """Return the columns that say where in which report a row's facts stand."""
    names = [file.name for file in files]
    file = of(columns.FILE)

    def reports(rows: Listed) -> list[str]:
        return [names[each] for each in file(rows).tolist()]

    return Column("Report", 26, words(reports)), Column("Row", 6.5, numbers(of(columns.ROW)))


def review(decisions: tuple[str, ...]) -> tuple[Column[Any], Column[Any], Column[Any]]:
    """Return the columns that the reviewer fills."""
    return (
        Column("Decision", 12, empty(Look.INPUT), decisions),
        Column("Owner", 14, empty(Look.INPUT)),
        Column("Comment", 24, empty(Look.INPUT)),
    )
