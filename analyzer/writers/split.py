"""Split a review: a workbook with the users to decide for each owner, or for each account."""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from io import BytesIO
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.decisions.user_record import CreationSeconds, SameSecond
from analyzer.judging.analysis import Analysis
from analyzer.report.model import TEXT, AccountName, Page, account_with_name
from analyzer.terms import SplitBy, WorkbookSheets
from analyzer.writers.csv import write_tables
from analyzer.writers.workbook import write_workbook
from analyzer.writers.workbook.review_lists import REVIEW_LISTS

INDEX: Final = "index.csv"

_LONGEST_NAME: Final = 60
_DIGITS: Final = 8
_RESERVED: Final = re.compile("con|prn|aux|nul|(com|lpt)[0-9]")
"""Names of devices: Windows has no files of these names, whatever their ending."""


class Share(NamedTuple):
    """Name a workbook of a split, whose it is, and how many users are to decide in it.

    `account` is empty where each owner has a workbook, and `owner` empty for users without one.
    `left` is the last day of an owner who has left; `due` is when as-of is due days ago.
    """

    file: str
    account: str
    account_name: str
    owner: str
    email: str
    left: str
    lines: int
    due: str

    @property
    def label(self) -> str:
        """Return whose it is, in words."""
        account = f"{self.account} ({self.account_name})" if self.account_name else self.account
        return account or self.owner or "users without an owner"


@dataclass(frozen=True, slots=True)
class Split:
    """Hold the workbooks of a split, and by file the owners who have nothing to decide."""

    analysis: Analysis
    pages: Mapping[Share, tuple[Page, ...]]
    same_second: SameSecond
    nothing_left: Mapping[str, str]

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield the name and the content of each workbook, and those of the index last."""
        for share, pages in self.pages.items():
            stream, part = BytesIO(), self.analysis.of_users(pages)
            review, seconds = WorkbookSheets.REVIEW, self.same_second
            write_workbook(part, stream, sheets=review, share=share.label, same_second=seconds)
            yield share.file, stream.getvalue()
        stream, rows = BytesIO(), pd.DataFrame([*self.pages], columns=[*Share._fields]).astype(TEXT)
        write_tables([rows], Share._fields, stream, raw=False)
        yield INDEX, stream.getvalue()


def split(analysis: Analysis, by: SplitBy) -> Split:
    """Return the users to decide of an analysis, by their owner or by their account.

    Users on whom a decision in force stands are left out.
    """
    name = columns.OWNER if by is SplitBy.OWNER else columns.ACCOUNT
    seconds, words, listed = CreationSeconds(), set[str](), list[Page]()
    for page in analysis.whole.pages():
        seconds.add(page)
    for page in analysis.pages():
        words.update(page.users[name].unique())
        some = page.where(np.logical_or.reduce([each.has(page) for each in REVIEW_LISTS]))
        listed.append(some.where(~analysis.answered(some)))
    files = _file_names(analysis, by, words)
    parts = {
        word: tuple(each.where((each.users[name] == word).to_numpy(bool)) for each in listed)
        for word in sorted(words, key=lambda word: (not word, word))
    }
    shares = {word: part for word, part in parts.items() if any(map(len, part))}
    return Split(
        analysis,
        {_share(analysis, by, files[word], part): part for word, part in shares.items()},
        seconds.names(),
        {files[word]: word for word in parts if word and word not in shares},
    )


def _share(analysis: Analysis, by: SplitBy, file: str, pages: Sequence[Page]) -> Share:
    first, names = next(filter(len, pages)).users.iloc[0], analysis.report.account_names
    account, name, (owner, email, left) = "", "", (first[name] for name in columns.OWNERSHIP)
    if by is SplitBy.ACCOUNT:
        known = names.get(first[columns.ACCOUNT], AccountName(name=""))
        account, name = first[columns.ACCOUNT], known.name
        owner, email, left = known.owner, "", ""
    newest = max(each.as_of for each in analysis.report.files)
    due = newest + timedelta(analysis.ledger.due_days)
    lines = sum(map(len, pages))
    return Share(file, account, name, owner, email, left, lines, f"{due:%Y-%m-%d}")


def _file_names(analysis: Analysis, by: SplitBy, words: Collection[str]) -> dict[str, str]:
    """Return the name of the file of each owner or account: of letters, digits and hyphens.

    It has a hash where two would have the same, or nothing is left. All owners of the list count,
    so that a name stays the same from split to split.
    """
    every = dict.fromkeys(words)
    labels = {word: account_with_name(word, analysis.report.account_names) for word in every}
    if by is SplitBy.OWNER:
        every |= dict.fromkeys(each.owner for each in analysis.owners.entries)
        labels = {word: word for word in every}
    stems = {word: _stem(labels[word] or f"no {by}") for word in every}
    counts = Counter(stems.values())
    return {
        word: f"{stem if counts[stem] == 1 and stem else _hashed(stem, word)}.xlsx"
        for word, stem in stems.items()
    }


def _stem(label: str) -> str:
    """Return a label in lower case, nothing where that would be no name on some system."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    stem = re.sub("[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST_NAME].strip("-")
    return "" if _RESERVED.fullmatch(stem) else stem


def _hashed(stem: str, word: str) -> str:
    return "-".join(filter(None, (stem or "review", sha256(word.encode()).hexdigest()[:_DIGITS])))
