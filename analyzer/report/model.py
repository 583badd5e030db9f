"""Hold the values that travel from the report to the writers; all are frozen."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from html import escape
from itertools import chain
from typing import Any, Final, NamedTuple, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.terms import AsOfSource, printable

SLICE_ROWS: Final = 65_536
"""Rows that are read, judged or written at once, so that what lies between stays in the cache."""

NO_MOMENT: Final = np.datetime64("NaT", "s")
"""The value of a moment that is missing or not understood; NumPy requires its unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRowCounts:
    """Count the data rows that one file holds of one account, before users are judged.

    `repeated` counts the rows that do not
    count because another row of the user or root does.
    """

    account: str
    rows: int
    roots: int
    repeated: int = 0

    @property
    def user_count(self) -> int:
        """Return how many rows are left to be judged."""
        return self.rows - self.roots - self.repeated


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReference:
    """Name a file that was read besides the reports; `sha256` is of its bytes."""

    name: str
    sha256: str


class ReportTime(NamedTuple):
    """Hold the time of a report: as-of, the source of as-of, and the report's `baseline`."""

    as_of: datetime
    source: AsOfSource
    baseline: datetime

    @property
    def earliest(self) -> datetime:
        """Return the earliest time that the report can have, for actions that rely on it.

        A day without a time counts as its start; `--as-of` is no proof, and the baseline counts
        instead.
        """
        if self.source is AsOfSource.OPTION:
            return self.baseline
        if self.source is not AsOfSource.FOLDER:
            return self.as_of
        return datetime.combine(self.as_of.date(), time(), UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFile:
    """Describe one file that counts: its source and its contents.

    `sha256` is of the bytes on disk, `size` their number; `as_of` is aware, in UTC. Changes in a
    later report count from `baseline`: the time that AWS gives for the report, else its newest
    timestamp; never `--as-of`, and never a day without a time. `service_credentials` is AWS's list
    of service-specific credentials, if saved with the report; with `shows_service_credentials` the
    list is of the only account, and as new as the report. `has_older_list` says that it was saved
    with a copy of an earlier moment, `listed_credentials` are users (in lower case) and ids of the
    active credentials in it.
    """

    name: str
    sha256: str
    size: int
    as_of: datetime
    as_of_source: AsOfSource
    baseline: datetime
    accounts: tuple[AccountRowCounts, ...]
    service_credentials: FileReference | None = None
    shows_service_credentials: bool = False
    has_older_list: bool = False
    listed_credentials: frozenset[tuple[str, str]] = frozenset()

    @property
    def time(self) -> datetime:
        """Return the earliest time that the report can have (`ReportTime.earliest`)."""
        return ReportTime(self.as_of, self.as_of_source, self.baseline).earliest


def as_block(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array, without a copy if it is one already."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def arrow_array(values: Any) -> pa.Array:
    """Return values, of NumPy or pandas or texts, as one Arrow array, null where one is missing."""
    array = values if isinstance(values, pa.Array) else pa.array(values, from_pandas=True)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def word_column(codes: np.ndarray, words: Iterable[str]) -> pa.DictionaryArray:
    """Return the word at each code, as a dictionary of large_string."""
    dictionary = pa.array(map(str, words), pa.large_string())
    is_narrow = len(dictionary) <= np.iinfo(np.int8).max
    indices = codes.astype(np.int8 if is_narrow else np.int32)
    return pa.DictionaryArray.from_arrays(indices, dictionary)


def together(parts: Sequence[pa.Array]) -> pa.Array:
    """Return the parts of a column as one; the dictionaries of parts can differ."""
    if not isinstance(parts[0], pa.DictionaryArray):
        return pa.concat_arrays(parts)
    dictionaries = [part.dictionary.to_pylist() for part in parts]
    distinct = dict.fromkeys(chain.from_iterable(dictionaries))
    code = {word: at for at, word in enumerate(distinct)}
    codes = [
        np.array([code[word] for word in words], np.int32)[part.indices]
        for words, part in zip(dictionaries, parts, strict=True)
    ]
    return word_column(np.concatenate(codes), code)


def blank_columns(names: Iterable[str], rows: int) -> dict[str, pa.DictionaryArray]:
    """Return columns of these names with empty cells."""
    return dict.fromkeys(names, word_column(np.zeros(rows, np.int8), [""]))


def stable_order(*keys: Any) -> np.ndarray:
    """Return the positions of rows sorted by some keys, the most important key first.

    Missing values come last. With `sort_values` 400,000 users take 30 MB more.
    """
    table = pa.table([*map(arrow_array, keys)], [*map(str, range(len(keys)))])
    by = [(name, "ascending") for name in table.column_names]
    order: np.ndarray = pc.sort_indices(table, sort_keys=by).to_numpy().astype(np.int64)
    return order


@dataclass(frozen=True, slots=True)
class Exemption:
    """Exempt the users that match from failing a run, until a date.

    `account` and `user` are patterns in which `*` and `?` match; `line` is the line of the entry in
    its file, 0 for an entry of `--exempt`. An entry applies up to and including the day `expires`,
    to everything or only to the `rule` of that id. An entry with an `arn` is a decision to keep the
    one user that was `created` at that moment (aware, to the second): it exempts only from being
    unused or retired.
    """

    account: str
    user: str
    reason: str
    owner: str
    expires: date | None
    line: int
    rule: str = ""
    arn: str = ""
    created: datetime | None = None

    @classmethod
    def of_option(cls, text: str) -> Self:
        """Return an entry for every account, as `--exempt` has it: `PATTERN=REASON`."""
        user, _, reason = map(str.strip, text.partition("="))
        return cls("*", user, reason, "", None, 0)


@dataclass(frozen=True, slots=True)
class Exemptions(Sequence[Exemption]):
    """Hold the entries of an exemption list, and the file that they come from, if any."""

    entries: tuple[Exemption, ...] = ()
    file: FileReference | None = None

    @property
    def by_option(self) -> list[Exemption]:
        """Return the entries that come from no file and no ledger."""
        return [entry for entry in self.entries if not (entry.line or entry.arn)]

    def __repr__(self) -> str:
        """Return the number of entries in a line."""
        return f"<Exemptions: entries {len(self):,}>"

    def __getitem__(self, at: Any) -> Any:
        """Return an entry, or a slice of the entries."""
        return self.entries[at]

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self.entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotCovered:
    """Name an account without a report, and say why it has none.

    `account` is empty if its number never became known; `name` is the name of the account, or of
    the profile used to ask AWS.
    """

    account: str
    name: str
    reason: str

    @property
    def label(self) -> str:
        """Return what identifies the account: its number where that is known, else its name."""
        return self.account or self.name

    def __str__(self) -> str:
        """Return the sentence on an account that should have a report."""
        return f"Account {self.label} is not covered: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UncoveredFile(NotCovered):
    """Name a file that cannot be read as a report, and say why; `name` is the file name."""

    def __str__(self) -> str:
        """Return the sentence on a file that cannot be read."""
        return f"File {self.name} is not covered: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountName:
    """Name an account, and its owner if known; characters that are not printable are escaped."""

    name: str
    owner: str = ""

    def __post_init__(self) -> None:
        """Escape characters that control a terminal, or that no file can hold."""
        object.__setattr__(self, "name", printable(self.name))
        object.__setattr__(self, "owner", printable(self.owner))


def account_name(account: str, names: Mapping[str, AccountName]) -> str:
    """Return the name of an account, empty where none is known."""
    return names[account].name if account in names else ""


def account_with_name(account: str, names: Mapping[str, AccountName]) -> str:
    """Return an account with its name where that is known: `012345678901 (production)`."""
    return f"{account} ({names[account].name})" if account in names else account


def html_table(caption: str, heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a small table in HTML, for a notebook; no text in it can be markup."""
    head = "".join(f"<th>{escape(head)}</th>" for head in heads)
    cells = ("".join(f"<td>{escape(str(cell))}</td>" for cell in row) for row in rows)
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    return (
        f"<table><caption>{escape(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )
