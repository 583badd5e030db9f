"""Give users as tables: the columns that all data formats share, each described once.

A table holds columns by their names: series or Arrow arrays, which have a value for each row.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import pandas as pd
import pyarrow as pa

from analyzer import columns
from analyzer.judging.analysis import Analysis
from analyzer.report.model import TEXT, Page, Report, UncoveredAccount, account_name
from analyzer.terms import NOT_COVERED, Verdict
from analyzer.writers.text_columns import mapped

Table: TypeAlias = Mapping[str, Any]

_OF_USERS: Final = (*columns.JUDGED, *columns.OWNERSHIP, columns.ROW)
USER_COLUMNS: Final = (
    *(*columns.JUDGED, *columns.REPORTED, *columns.OWNERSHIP),
    *(columns.FILE, columns.ROW),
)
"""The columns of users, besides the name of the account."""


def origins(report: Report) -> Callable[[pd.DataFrame], dict[str, pa.DictionaryArray]]:
    """Return a function that gives `file` (its name), `as_of`, `as_of_source` and `account_name`.

    The rows have the position of the file in `file`, and `account`.
    """
    files = report.files
    values = {
        columns.FILE: [file.name for file in files],
        columns.AS_OF: pd.DatetimeIndex([file.as_of for file in files]).as_unit("s"),
        columns.AS_OF_SOURCE: [file.as_of_source.value for file in files],
    }
    of_files = {name: pa.array(each).dictionary_encode() for name, each in values.items()}

    def of_rows(rows: pd.DataFrame) -> dict[str, pa.DictionaryArray]:
        at = pa.array(rows[columns.FILE])
        taken = {name: each.take(at) for name, each in of_files.items()}
        return {**taken, columns.ACCOUNT_NAME: _account_names(report, rows)}

    return of_rows


def _account_names(report: Report, rows: pd.DataFrame) -> pa.DictionaryArray:
    known = report.account_names
    return mapped(rows[columns.ACCOUNT], lambda account: account_name(account, known))


def uncovered_table(
    report: Report, row: Callable[[UncoveredAccount], Mapping[str, str]], names: Sequence[str]
) -> Iterator[Table]:
    """Yield one table of the accounts that could not be read, if there are any."""
    if report.not_covered:
        rows = pd.DataFrame([*map(row, report.not_covered)], columns=[*names], dtype=TEXT)
        yield {**rows, columns.ACCOUNT_NAME: _account_names(report, rows)}


def listed_users(
    analysis: Analysis, verdicts: Collection[Verdict]
) -> Iterator[tuple[Page, dict[str, Any]]]:
    """Yield each page of the users with one of the verdicts, and its table (`USER_COLUMNS`)."""
    of_rows, words = origins(analysis.report), list(map(str, verdicts))
    for page in analysis.pages():
        listed = page.where(page.users[columns.VERDICT].isin(words).to_numpy())
        if len(listed):
            table = {
                **{name: listed.users[name] for name in _OF_USERS},
                **{name: listed.cells[name] for name in columns.REPORTED},
                **of_rows(listed.users),
            }
            yield listed, table


def user_tables(analysis: Analysis, verdicts: Collection[Verdict]) -> Iterator[Table]:
    """Yield the users with one of the verdicts, then the accounts that could not be read."""
    for _, table in listed_users(analysis, verdicts):
        yield table
    yield from uncovered_table(analysis.report, _uncovered_user, USER_COLUMNS)


def _uncovered_user(account: UncoveredAccount) -> Mapping[str, str]:
    return {
        columns.ACCOUNT: account.label,
        columns.VERDICT: NOT_COVERED,
        columns.REASON: str(account),
    }
