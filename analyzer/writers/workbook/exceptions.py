"""Find what an auditor looks at before the result, each with a link to its first row."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.decisions.entries import DECIDED_ON
from analyzer.report.model import account_with_name
from analyzer.report.values import is_one_of, texts
from analyzer.rules.rule import OUTCOME, Outcome
from analyzer.terms import OVERDUE, AsOfSource, Severity, short_list
from analyzer.writers.workbook.book import SheetName
from analyzer.writers.workbook.column import Formula
from analyzer.writers.workbook.follow_up_sheet import EXCEPTION_MEANINGS, Exceptional
from analyzer.writers.workbook.table_sheets import TableSheets

REPORTS: Final = "Reports_read"
"""The name of the cell with the first report."""

_COUNTED_BY_DECISION: Final = (Exceptional.HAD_LEFT, Exceptional.ON_ONESELF)
_USER: Final = [columns.ACCOUNT, columns.USER, columns.CREATED]


class SummaryException(NamedTuple):
    """Name an exception, with its number, its meaning, and the cell with its first row."""

    name: str
    number: int
    meaning: str
    place: str

    @property
    def link(self) -> Formula:
        """Return the formula that shows the name and leads to the row."""
        return Formula(f'HYPERLINK("#{self.place}","{self.name}")', self.name)


@dataclass(frozen=True, slots=True)
class ExceptionRows:
    """Hold the lists that exceptions lead to.

    `follow_up` has the rows of `follow_up_sheets`, `accounts` the row of each account not read.
    """

    follow_up: pd.DataFrame
    follow_up_sheets: TableSheets
    roots: TableSheets
    accounts: Mapping[str, int]


def exceptions(analysis: Analysis, rows: ExceptionRows) -> Iterator[SummaryException]:
    """Yield the exceptions that exist, those of decisions first."""
    for exception, meaning in EXCEPTION_MEANINGS.items():
        found = rows.follow_up[[exception in words for words in rows.follow_up["exceptions"]]]
        if len(found):
            by_decision = exception in _COUNTED_BY_DECISION
            number = len(found if by_decision else found.drop_duplicates(_USER))
            place = rows.follow_up_sheets.place_of(int(found.index[0]))
            days = _days_text(analysis.follow_up, exception)
            yield SummaryException(str(exception), number, f"{meaning}{days}", place)
    if rows.accounts:
        first = min(rows.accounts.values())
        place = f"'{SheetName.ACCOUNTS}'!A{first}"
        names = analysis.report.account_names
        named = short_list([account_with_name(account, names) for account in rows.accounts])
        meaning = f"Expected, but no report was read, so users are missing: {named}."
        yield SummaryException("accounts not read", len(rows.accounts), meaning, place)
    assumed = [file for file in analysis.report.files if file.as_of_source is AsOfSource.ASSUMED]
    if assumed:
        meaning = "The time of a report is its newest timestamp: it can be later."
        yield SummaryException("as-of assumed", len(assumed), meaning, REPORTS)
    critical = critical_roots(analysis)
    if len(critical):
        meaning = "A root user with an active access key, or without MFA."
        place = rows.roots.place_of(int(critical[0]))
        yield SummaryException("critical root users", len(critical), meaning, place)


def _days_text(removals: pd.DataFrame, exception: Exceptional) -> str:
    """Return when overdue removals were decided, the oldest first, with users; else nothing."""
    overdue = removals[removals[OVERDUE] == exception]
    by_day = overdue.groupby(DECIDED_ON)[columns.USER]
    days = [f"{day:%Y-%m-%d}: {short_list([*names])}" for day, names in by_day]
    return f" Decided on {'; '.join(days)}." if days else ""


def critical_roots(analysis: Analysis) -> np.ndarray:
    """Return the positions of the root users with critical findings that are not exempt."""
    results = analysis.rule_results
    rules = (rule for rule in results.book.rules if rule.is_of_root)
    critical = tuple(rule for rule in rules if rule.severity is Severity.CRITICAL)
    if not critical:
        return np.array([], np.int64)
    found = replace(results, book=replace(results.book, rules=critical)).finding_columns
    fails = is_one_of([Outcome.FAILS], found[OUTCOME]) & is_one_of([""], found[columns.EXEMPTION])
    accounts = texts(found[columns.ACCOUNT].filter(pa.array(fails))).to_pylist()
    return np.flatnonzero(is_one_of(accounts, analysis.report.root_users.account))
