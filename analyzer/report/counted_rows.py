"""Give the rows that count as typed users, page by page, and as roots."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.report.model import TEXT, as_block, as_category
from analyzer.report.read_reports import ReadReport, Rows
from analyzer.report.users import Users, users_of_rows
from analyzer.terms import AsOfSource, code_of

PAGE_ROWS = 49_152
"""Rows that are judged at once."""


@dataclass(frozen=True)
class CountedRows:
    """Give the rows that count as pages of users, and as roots; can be pickled.

    `reports` are those that count. With `each_counts` reports are not compared, as in a history.
    """

    rows: Rows
    keep: np.ndarray
    reports: Sequence[ReadReport]
    each_counts: bool
    _users: dict[str, pa.Table] = field(default_factory=dict)

    def forget_others(self) -> None:
        """Read the roots, and keep only the users' rows of the table: column by column."""
        self.roots()
        at = self._positions(self.keep & ~self.rows.root)
        table, some = self.rows.table, {}
        object.__setattr__(self.rows, "table", None)
        for name in table.column_names:
            some[name] = as_block(table[name]).take(pa.array(at))
            table = table.drop_columns([name])
        self._users["table"] = pa.table(some)
        pa.default_memory_pool().release_unused()

    def pages(self) -> Iterator[Users]:
        """Yield the users' rows."""
        at = self._positions(self.keep & ~self.rows.root)
        for start in range(0, max(len(at), 1), PAGE_ROWS):
            table = self._users["table"].slice(start, PAGE_ROWS) if self._users else None
            yield self._page(at[start : start + PAGE_ROWS], table)

    def roots(self) -> tuple[Users, ...]:
        """Return the roots' rows, which are few."""
        return self._roots

    @cached_property
    def _roots(self) -> tuple[Users, ...]:
        at = self._positions(self.keep & self.rows.root)
        return (self._page(at),) if len(at) else ()

    def _positions(self, mask: np.ndarray) -> np.ndarray:
        """Return the positions of the rows, in the order of the reports that count."""
        at = np.flatnonzero(mask)
        return at[np.argsort(self._file_of[self.rows.file[at]], kind="stable")]

    @cached_property
    def _file_of(self) -> np.ndarray:
        """Return the position in `Report.files` of each report that was read."""
        positions = np.zeros(max((report.at for report in self.reports), default=-1) + 1, np.int64)
        positions[[report.at for report in self.reports]] = np.arange(len(self.reports))
        return positions

    def _page(self, at: np.ndarray, table: pa.Table | None = None) -> Users:
        file = self._file_of[self.rows.file[at]]
        table = self.rows.table.take(pa.array(at)) if table is None else table
        table = table.set_column(
            table.column_names.index(columns.FILE), columns.FILE, pa.array(file)
        )
        as_of, sources = self._moments_and_sources
        moments = {name: moment[at] for name, moment in self.rows.moments.items()}
        account = self.reports[0].text.masked_account
        page = users_of_rows(table, as_of, account, moments)
        return page.with_users(
            {
                columns.AS_OF_SOURCE: as_category(sources[file], AsOfSource),
                columns.SERVICE_CREDENTIALS: self._service_credentials(page),
            }
        )

    @cached_property
    def _moments_and_sources(self) -> tuple[np.ndarray, np.ndarray]:
        files = [report.file for report in self.reports]
        as_of = np.array([file.as_of.replace(tzinfo=None) for file in files], "datetime64[s]")
        return as_of, np.array([code_of(file.as_of_source) for file in files], np.int8)

    @cached_property
    def _services(self) -> dict[tuple[int, str, str], str]:
        """Return the services of active credentials by file, account and user (in lower case).

        If several reports of one account have lists, all lists count for all these reports. In a
        history, and for rows that name no account, a report has only its own list.
        """
        covered = [
            (
                at,
                report,
                one.account,
                (at if self.each_counts or not one.account else -1, one.account),
            )
            for at, report in enumerate(self.reports)
            for one in report.file.accounts
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
