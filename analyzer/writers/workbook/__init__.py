"""Write an analysis as an Excel workbook that a reviewer works in and an auditor can check.

A review can be split: one workbook with the users to decide per owner, or per account.

Only this package writes with openpyxl. A list is `TableSheets` of `Column`s; any other sheet is a
`TextSheet` of parts. Text from a report is always
a text cell, never a formula; formulas are ours, and are written with their results.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from io import BytesIO
from typing import BinaryIO, Final, NamedTuple

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.decisions.follow_up import needs_no_decision
from analyzer.limits import DUE_DAYS
from analyzer.report.frames import TEXT
from analyzer.report.model import AccountName, account_with_name
from analyzer.report.users import Users
from analyzer.terms import SplitBy, Verdict
from analyzer.writers.headline import as_of_and_scope
from analyzer.writers.tables import write_tables
from analyzer.writers.workbook import lookup_lists
from analyzer.writers.workbook.accounts_sheet import add_accounts, have_several
from analyzer.writers.workbook.book import Book
from analyzer.writers.workbook.exceptions import ExceptionRows
from analyzer.writers.workbook.findings_sheet import add_findings
from analyzer.writers.workbook.follow_up_sheet import add_follow_up, follow_up
from analyzer.writers.workbook.listed_users import review_of
from analyzer.writers.workbook.method_sheet import add_method
from analyzer.writers.workbook.review_lists import (
    Selection,
    add_review_lists,
    listed_again,
    lists_of_verdicts,
    narrowing,
)
from analyzer.writers.workbook.summary_sheet import TITLE, add_summary


def write_workbook(analysis: Analysis, stream: BinaryIO, *, verdicts: Collection[str] = ()) -> None:
    """Write the workbook; a list longer than a sheet continues on the next sheets.

    The lists to decide in, and the findings, have the users that a filter keeps; of these the lists
    have those with the `verdicts`, if any are given. All other sheets have all users.
    """
    whole = analysis.whole
    selection = Selection(chosen=analysis, every=whole, verdicts=narrowing(verdicts))
    book = _new_book(whole)
    listings = add_review_lists(book, selection)
    rows = _add_other_lists(book, whole)
    if whole.book:
        add_findings(book, analysis)
    add_summary(book, whole, selection, listings, rows, review_of(selection, None, ""))
    add_method(book, whole)
    book.save(stream)


def _new_book(analysis: Analysis) -> Book:
    newest = max(file.as_of for file in analysis.report.files)
    return Book(TITLE, as_of_and_scope(analysis.report), newest)


def _add_other_lists(book: Book, analysis: Analysis) -> ExceptionRows:
    """Add the lists of a whole review, and return those that its exceptions lead to."""
    accounts = add_accounts(book, analysis) if have_several(analysis.report) else {}
    lookup_lists.add_exempt(book, analysis)
    words = follow_up(analysis)
    follow_up_sheets = add_follow_up(book, analysis, words)
    roots = lookup_lists.add_roots(book, analysis)
    lookup_lists.add_all_users(book, analysis)
    return ExceptionRows(words, follow_up_sheets, roots, accounts)


# A split review

INDEX: Final = "index.csv"

_COLUMNS: Final = {SplitBy.OWNER: columns.OWNER, SplitBy.ACCOUNT: columns.ACCOUNT}
"""The column of users by which a review is split."""

_LONGEST_NAME: Final = 60
_RESERVED: Final = re.compile("con|prn|aux|nul|(com|lpt)[0-9]")
"""Names of devices: Windows has no files of these names, whatever their ending."""


class SplitWorkbook(NamedTuple):
    """Name a workbook of a split, its owner or account, and the number of users to decide.

    `account` is empty in a split by owner, `owner` is empty for users without one. `left` is the
    last day of an owner who has left; `due` is the day `DUE_DAYS` after the newest as-of. Several
    addresses or days of one owner are joined by `;`.
    """

    file: str
    account: str
    account_name: str
    owner: str
    email: str
    left: str
    replaced_by: str
    lines: int
    due: str

    @property
    def label(self) -> str:
        """Return the owner or the account, in words."""
        account = f"{self.account} ({self.account_name})" if self.account_name else self.account
        return account or self.owner or "users without an owner"


@dataclass(frozen=True, slots=True)
class Split:
    """Hold the workbooks of a split, and by file the owners or accounts with nothing to decide.

    `users_by_workbook` are the users to decide of each workbook; `every` are all users to decide,
    whatever a filter or the `verdicts` leave out.
    """

    analysis: Analysis
    by: SplitBy
    verdicts: tuple[Verdict, ...]
    users_by_workbook: Mapping[SplitWorkbook, Users]
    every: Users
    nothing_left: Mapping[str, str]

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield the name and the content of each workbook, and of the index last."""
        for workbook in self.users_by_workbook:
            yield workbook.file, self.content_of(workbook)
        names = SplitWorkbook._fields
        index = pd.DataFrame(list(self.users_by_workbook), columns=list(names)).astype(TEXT)
        stream = BytesIO()
        write_tables([index], names, stream)
        yield INDEX, stream.getvalue()

    def content_of(self, workbook: SplitWorkbook) -> bytes:
        """Return a workbook of the split."""
        stream, part, whole = BytesIO(), self.part_of(workbook), self.analysis.whole
        selection = Selection(
            chosen=self.analysis.of_users(self.users_by_workbook[workbook]),
            every=whole.of_users(self._in_part(self.every, part)),
            verdicts=self.verdicts,
            label=workbook.label,
        )
        counted = whole.of_users(self._in_part(whole.judged, part))
        book = _new_book(counted)
        listings = add_review_lists(book, selection)
        review = review_of(selection, self.by, part)
        add_summary(book, counted, selection, listings, None, review)
        add_method(book, counted)
        book.save(stream)
        return stream.getvalue()

    def _in_part(self, users: Users, part: str) -> Users:
        return users.where((users.users[_COLUMNS[self.by]] == part).to_numpy(bool))

    def part_of(self, workbook: SplitWorkbook) -> str:
        """Return the owner, or the id of the account, whose users a workbook lists."""
        return workbook.account if self.by is SplitBy.ACCOUNT else workbook.owner


def split(analysis: Analysis, by: SplitBy, verdicts: Collection[str] = ()) -> Split:
    """Return the users to decide of an analysis, by their owner or by their account.

    Users with a decision that is still in force are left out, and users without one of the
    verdicts, if any are given.
    """
    name, asked = _COLUMNS[by], narrowing(verdicts)
    listed = _to_decide(analysis, asked)
    words = set(analysis.judged.users[name].unique())
    files = _file_names(analysis, by, words)
    parts = {
        word: listed.where((listed.users[name] == word).to_numpy(bool))
        for word in sorted(words, key=lambda word: (not word, word))
    }
    listing = {word: part for word, part in parts.items() if len(part)}
    return Split(
        analysis,
        by,
        asked,
        {_split_workbook(analysis, by, files[word], part): part for word, part in listing.items()},
        _to_decide(analysis.whole, ()) if analysis.filter or asked else listed,
        {files[word]: word for word in parts if word and word not in listing},
    )


def _to_decide(analysis: Analysis, verdicts: Collection[str]) -> Users:
    judged, again = analysis.judged, listed_again(analysis)
    has = [review_list.has(judged, again) for review_list in lists_of_verdicts(verdicts)]
    listed = judged.where(np.logical_or.reduce(has))
    return listed.where(~needs_no_decision(listed, analysis.follow_up_result))


def _split_workbook(analysis: Analysis, by: SplitBy, file: str, part: Users) -> SplitWorkbook:
    users, names = part.users, analysis.report.account_names
    # Two persons of one name, or one with another address since: all addresses are named.
    owner, email, left = (
        ";".join(filter(None, users[name].unique())) for name in columns.OWNERSHIP
    )
    days = left.split(";")
    entries = analysis.owners.entries
    others = [of.replaced_by for of in entries if of.owner == owner and str(of.left) in days]
    replaced_by = ";".join(dict.fromkeys(filter(None, others)))
    account = name = ""
    if by is SplitBy.ACCOUNT:
        account = users[columns.ACCOUNT].iloc[0]
        known = names.get(account, AccountName(name=""))
        name, owner = known.name, known.owner
        email = left = replaced_by = ""
    newest = max(file.as_of for file in analysis.report.files)
    due = newest + timedelta(DUE_DAYS)
    whom = owner, email, left, replaced_by
    return SplitWorkbook(file, account, name, *whom, len(part), f"{due:%Y-%m-%d}")


def _file_names(analysis: Analysis, by: SplitBy, words: Collection[str]) -> dict[str, str]:
    """Return the name of the file of each owner or account: of letters, digits and hyphens.

    A hash follows if two names would be equal, or if nothing is left. All owners of the list count,
    so that each split gives the same names.
    """
    labels = {word: account_with_name(word, analysis.report.account_names) for word in words}
    if by is SplitBy.OWNER:
        listed = (entry.owner for entry in analysis.owners.entries)
        labels = {word: word for word in (*words, *listed)}
    stems = {word: _stem(label or f"no {by}") for word, label in labels.items()}
    counts = Counter(stems.values())
    hashed = {
        word: f"{stem or 'review'}-{sha256(word.encode()).hexdigest()[:8]}"
        for word, stem in stems.items()
        if counts[stem] > 1 or not stem
    }
    return {word: f"{stem}.xlsx" for word, stem in (stems | hashed).items()}


def _stem(label: str) -> str:
    """Return a label in lower case for a file name, empty if some system does not allow that."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    stem = re.sub("[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST_NAME].strip("-")
    return "" if _RESERVED.fullmatch(stem) else stem
