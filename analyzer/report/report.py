"""Hold credential reports that were understood, as one, and give the rows that count as users."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.report.model import (
    TEXT,
    AccountName,
    FileReference,
    NotCovered,
    ReportFile,
    as_category,
    concatenated,
    html_table,
)
from analyzer.report.read_reports import ReadReport, Rows
from analyzer.report.table import SCHEMA
from analyzer.report.users import Users, users_of_rows
from analyzer.terms import ACCOUNT_ID_PATTERN, AsOfSource, code_of, short_list

PAGE_ROWS = 49_152
"""Rows that are judged at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Hold one or more credential reports that were understood, as one.

    `pages` gives the users' rows, in the files' order, `roots` the roots' rows, which are few.
    `older` gives the reports that do not count because another report of the account is newer, if
    any, as one Report in which each file counts as if alone. `not_covered` are the accounts that
    should have a report and have none, `left_out` the accounts of an organization that were left
    out on purpose. `source_notes` name the input that was not read as it is, `content_notes` the
    oddities of the files that were read. `account_names` has the known names by account number;
    they come from `account_list`.
    """

    files: tuple[ReportFile, ...]
    pages: Callable[[], Iterator[Users]]
    roots: Callable[[], Iterable[Users]]
    older: Callable[[], Iterable["Report"]] = tuple
    source_notes: tuple[str, ...] = ()
    content_notes: tuple[str, ...] = ()
    not_covered: tuple[NotCovered, ...] = ()
    left_out: tuple[NotCovered, ...] = ()
    account_names: Mapping[str, AccountName] = field(default_factory=dict)
    account_list: FileReference | None = None

    def __repr__(self) -> str:
        """Return its size and as-of in a line."""
        users = sum(account.user_count for file in self.files for account in file.accounts)
        moments = sorted({f"{file.as_of:%Y-%m-%d %H:%M} UTC" for file in self.files})
        as_of = " to ".join(dict.fromkeys((moments[0], moments[-1])))
        return f"<Report: IAM users {users:,}, files {len(self.files):,}, as of {as_of}>"

    def _repr_html_(self) -> str:
        """Return its files as a table, for a notebook."""
        rows = [
            (
                file.name,
                ", ".join(account.account for account in file.accounts),
                sum(account.user_count for account in file.accounts),
                f"{file.as_of:%Y-%m-%d %H:%M}",
                file.as_of_source,
            )
            for file in self.files
        ]
        heads = ("File", "Account", "IAM users", "As of (UTC)", "As-of source")
        return html_table(repr(self).strip("<>"), heads, rows)

    @property
    def accounts(self) -> frozenset[str]:
        """Return the accounts that the files hold, among them "" for rows whose ARN names none."""
        return frozenset(account.account for file in self.files for account in file.accounts)

    @property
    def rows(self) -> int:
        """Return the number of data rows in all files that count."""
        return sum(account.rows for file in self.files for account in file.accounts)

    @property
    def notes(self) -> tuple[str, ...]:
        """Return the notes on the input and its limitations, as sentences."""
        lost = map(str, self.not_covered)
        return (*lost, *self.source_notes, *self._notes_on_files(), *self.content_notes)

    def _notes_on_files(self) -> Iterator[str]:
        """Yield the notes that list files by what is missing in them."""
        counted = [file for file in self.files if file.accounts]
        if names := [file.name for file in counted if file.as_of_source is AsOfSource.ASSUMED]:
            # --as-of is the time of all reports, also of those that have their own.
            several = "a file name as the console gives it, or a folder such as 2026-03-01,"
            yield (
                f"No generation time in {short_list(names)}: the newest timestamp in the report is"
                " assumed to be its time. The report can be newer, so users can be idle for longer"
                f" than shown; {'--as-of' if len(counted) == 1 else several} sets the time."
            )
        if names := [
            file.name
            for file in counted
            if not any(re.fullmatch(ACCOUNT_ID_PATTERN, counts.account) for counts in file.accounts)
        ]:
            yield (
                f"No account number in {short_list(names)}: the ARNs are masked or missing, so"
                " users are judged by name, and unused users are to check. --masked-account sets"
                " the account."
            )

    @property
    def users(self) -> pd.DataFrame:
        """Return all IAM users as one frame (columns: `Users.frame`)."""
        return self.frame(self.pages())

    def frame(self, pages: Iterable[Users]) -> pd.DataFrame:
        """Return the users of pages of this report as one frame (columns: `Users.frame`)."""
        names = [file.name for file in self.files]
        return concatenated(page.frame(names) for page in pages)


# The rows that count


@dataclass(frozen=True)
class SelectedRows:
    """Hold chosen rows: cells (`SCHEMA`, `file` among the reports that count) and moments."""

    table: pa.Table
    moments: Mapping[str, np.ndarray]

    @classmethod
    def of(
        cls,
        rows: Rows,
        at: np.ndarray,
        reports: Sequence[ReadReport],
        *,
        others_needed: bool = True,
    ) -> "SelectedRows":
        """Return the rows at these positions; others are forgotten unless they are needed.

        Then no more than one column is held twice.
        """
        position = np.zeros(rows.reports, np.int64)
        position[[report.at for report in reports]] = np.arange(len(reports))
        cells = {}
        for name in SCHEMA.names:
            cells[name] = rows.cells[name].take(pa.array(at))
            if not others_needed:
                del rows.cells[name]
        cells[columns.FILE] = pa.array(position[rows.file[at]])
        moments = {}
        for name in columns.TIMESTAMPS:
            moments[name] = rows.moments[name][at]
            if not others_needed:
                del rows.moments[name]
        pa.default_memory_pool().release_unused()
        return cls(pa.table(cells), moments)


@dataclass(frozen=True)
class CountedRows:
    """Give the rows that count as pages of users, and as roots; can be pickled.

    `reports` are those that count. With `each_counts` reports are not compared, as in a history.
    """

    users: SelectedRows
    roots: SelectedRows
    reports: Sequence[ReadReport]
    each_counts: bool

    def pages(self) -> Iterator[Users]:
        """Yield the users' rows."""
        for start in range(0, max(len(self.users.table), 1), PAGE_ROWS):
            yield self._page(self.users, start)

    def root_pages(self) -> tuple[Users, ...]:
        """Return the roots' rows, which are few."""
        starts = range(0, len(self.roots.table), PAGE_ROWS)
        return tuple(self._page(self.roots, start) for start in starts)

    def _page(self, rows: SelectedRows, start: int = 0) -> Users:
        """Return a page of rows, whose cells are not copied."""
        page = slice(start, start + PAGE_ROWS)
        moments = {name: moment[page] for name, moment in rows.moments.items()}
        files = [report.file for report in self.reports]
        as_of = np.array([file.as_of.replace(tzinfo=None) for file in files], "datetime64[s]")
        sources = np.array([code_of(file.as_of_source) for file in files], np.int8)
        account = self.reports[0].text.masked_account
        users = users_of_rows(rows.table[page], as_of, account, moments)
        return users.with_users(
            {
                columns.AS_OF_SOURCE: as_category(sources[users.file], AsOfSource),
                columns.SERVICE_CREDENTIALS: self._service_credentials(users),
            }
        )

    @cached_property
    def _services(self) -> dict[tuple[int, str, str], str]:
        """Return the services of active credentials by file, account and user (in lower case).

        If several reports of one account have lists, all lists count for all these reports. In a
        history, and for rows that name no account, a report has only its own list.
        """
        covered = [
            (at, report, account, (at if self.each_counts or not account else -1, account))
            for at, report in enumerate(self.reports)
            for account in (counts.account for counts in report.file.accounts)
        ]
        active: dict[tuple[int, str], set[Any]] = defaultdict(set)
        for _, report, _, key in covered:
            if listed := report.text.service_credentials:
                active[key] |= listed.active
        services: dict[tuple[int, str, str], set[str]] = defaultdict(set)
        for at, report, account, key in covered:
            for credential in active.get(key, ()):
                if credential.expires is None or credential.expires >= report.file.as_of:
                    services[at, account, credential.user].add(credential.service)
        return {user: ", ".join(sorted(names)) for user, names in services.items()}

    def _service_credentials(self, page: Users) -> pd.Series:
        """Return the services of each user's active service-specific credentials, if known."""
        if not self._services:
            return pd.Series("", index=range(len(page)), dtype=TEXT)
        names = pc.utf8_lower(page.text[columns.USER]).to_pylist()
        keys = zip(page.file.tolist(), page.account.to_pylist(), names, strict=True)
        return pd.Series([self._services.get(user, "") for user in keys], dtype=TEXT)
