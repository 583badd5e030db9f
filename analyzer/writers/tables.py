"""Give users as tables: the columns that all data formats share, each described once.

A table holds columns by their names: series or Arrow arrays, which have a value for each row.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import pandas as pd
import pyarrow as pa

from analyzer import columns
from analyzer.judging.analysis import Analysis
from analyzer.lists.account_names import account_name
from analyzer.report.model import TEXT, Page, Report
from analyzer.terms import NOT_COVERED, Verdict
from analyzer.writers.text_columns import Texts, mapped

Table: TypeAlias = Mapping[str, Any]

USER_COLUMNS: Final = (*columns.JUDGED, *columns.REPORTED, columns.FILE, columns.ROW)
"""The columns of users, besides the name of the account."""


class Origins:
    """Hold what belongs to the files and the accounts of a report."""

    def __init__(self, report: Report) -> None:
        """Spell what belongs to a file once."""
        files = report.files
        values = {
            columns.FILE: [file.name for file in files],
            columns.AS_OF: pd.DatetimeIndex([file.as_of for file in files]).as_unit("s"),
            columns.AS_OF_SOURCE: [file.as_of_source.value for file in files],
        }
        self._of_files = {name: pa.array(each).dictionary_encode() for name, each in values.items()}
        self._account_names = report.account_names

    def of_rows(self, rows: pd.DataFrame) -> dict[str, pa.DictionaryArray]:
        """Return the columns `file` (its name), `as_of`, `as_of_source` and `account_name`.

        `rows` has the position of the file in `file`, and `account`.
        """
        at = pa.array(rows[columns.FILE])
        of_files = {name: each.take(at) for name, each in self._of_files.items()}
        return {**of_files, columns.ACCOUNT_NAME: self._names_of(rows[columns.ACCOUNT])}

    def uncovered(self, rows: Iterable[Mapping[str, str]], names: Sequence[str]) -> Iterator[Table]:
        """Yield rows of accounts that could not be read as one table, empty where they say nothing.

        Without such rows nothing is yielded.
        """
        frame = pd.DataFrame([*rows], columns=[*names], dtype=TEXT)
        if len(frame):
            named = self._names_of(frame[columns.ACCOUNT])
            yield {**{name: frame[name] for name in names}, columns.ACCOUNT_NAME: named}

    def _names_of(self, accounts: Texts) -> pa.DictionaryArray:
        return mapped(accounts, lambda account: account_name(account, self._account_names))


def listed_users(
    analysis: Analysis, verdicts: Collection[Verdict]
) -> Iterator[tuple[Page, dict[str, Any]]]:
    """Yield each page of the users with one of the verdicts, and its table (`USER_COLUMNS`)."""
    origins, words = Origins(analysis.report), list(map(str, verdicts))
    for page in analysis.pages():
        listed = page.where(page.users[columns.VERDICT].isin(words).to_numpy())
        if len(listed):
            table = {
                **{name: listed.users[name] for name in (*columns.JUDGED, columns.ROW)},
                **{name: listed.cells[name] for name in columns.REPORTED},
                **origins.of_rows(listed.users),
            }
            yield listed, table


def user_tables(analysis: Analysis, verdicts: Collection[Verdict]) -> Iterator[Table]:
    """Yield the users with one of the verdicts, then the accounts that could not be read."""
    for _, table in listed_users(analysis, verdicts):
        yield table
    report = analysis.report
    rows = (
        {columns.ACCOUNT: each.label, columns.VERDICT: NOT_COVERED, columns.REASON: str(each)}
        for each in report.not_covered
    )
    yield from Origins(report).uncovered(rows, USER_COLUMNS)
