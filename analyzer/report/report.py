"""Hold credential reports that were understood, as one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from analyzer.report.model import (
    AccountName,
    FileReference,
    NotCovered,
    ReportFile,
    html_table,
)
from analyzer.report.users import Users
from analyzer.terms import AsOfSource, short_list

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Hold one or more credential reports that were understood, as one.

    `iam_users` are in the files' order, `root_users` beside them.
    `sha256` are those of the bytes of all reports that were read, also of those that do not count,
    which `superseded` names.
    `older` are the reports that do not count because another report of the account is newer, or
    because it has the same bytes and a later as-of, if any, as one Report in which each file counts
    as if alone. `not_covered` are the accounts that
    should have a report and have none, `left_out` the accounts of an organization that were left
    out on purpose. `source_notes` name the input that was not read as it is, `content_notes` the
    oddities of the files that were read.
    `account_names` has the known names by account number; they come from `account_list`.
    """

    files: tuple[ReportFile, ...]
    iam_users: Users
    root_users: Users
    sha256: frozenset[str]
    superseded: tuple[FileReference, ...] = ()
    older: "Report | None" = None
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
        """Return the accounts that the files hold."""
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
        assumed = [file for file in self.files if file.as_of_source is AsOfSource.ASSUMED]
        if names := [file.name for file in assumed if file.accounts]:
            yield (
                f"No generation time in {short_list(names)}: the newest timestamp in the report is"
                " assumed to be its time. The report can be newer, so users can be idle for longer"
                " than shown; a file name as the console gives it, or a folder such as 2026-03-01,"
                " sets the time."
            )

    @property
    def users(self) -> "pd.DataFrame":
        """Return all IAM users as one frame (columns: `Users.frame`)."""
        return self.iam_users.frame([file.name for file in self.files])

    def roots(self) -> Iterator[Users]:
        """Yield the root users, if there are any."""
        yield from self.root_users.slices() if len(self.root_users) else ()

    def by_account(self) -> Iterator["Report"]:
        """Yield the reports of each account as one Report, in the order of the accounts."""
        users, roots = _by_account(self.iam_users), _by_account(self.root_users)
        files: dict[str, list[tuple[int, ReportFile]]] = {account: [] for account in self.accounts}
        for at, file in enumerate(self.files):
            for counts in file.accounts:
                files[counts.account].append((at, replace(file, accounts=(counts,))))
        for account, own in sorted(files.items()):
            positions, of_account = zip(*own, strict=True)
            yield Report(
                files=of_account,
                iam_users=self._part(self.iam_users, users.get(account), positions),
                root_users=self._part(self.root_users, roots.get(account), positions),
                sha256=frozenset(file.sha256 for file in of_account),
            )

    def _part(self, users: Users, positions: np.ndarray | None, files: Sequence[int]) -> Users:
        """Return the users at positions, as those of the files alone."""
        part = users.take(np.array([], np.int64) if positions is None else positions)
        known = np.array(files, part.file.dtype)
        return replace(part, file=np.searchsorted(known, part.file).astype(np.int32))


def _by_account(users: Users) -> dict[str, np.ndarray]:
    """Return the positions of the users of each account."""
    code = users.account.indices.to_numpy()
    order = np.argsort(code, kind="stable")
    edges = np.searchsorted(code[order], np.arange(1, len(users.account.dictionary)))
    accounts = users.account.dictionary.to_pylist()
    return dict(zip(accounts, np.split(order, edges), strict=True)) if accounts else {}
