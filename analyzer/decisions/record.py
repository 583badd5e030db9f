"""Write beside each listed user what was shown, and read it back.

Each row of a list has a record: the text of every cell shown, the user's row of `users.csv`, and
the report. A workbook has one record of its review: by what the lists were made, and how long they
are. A digest closes each record, so that a change is noticed; it is no signature: only a comparison
with the reports proves that record and cells were not both forged.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Final, Literal, Self

import numpy as np
import orjson
import pandas as pd
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, model_validator

from analyzer import columns
from analyzer.decisions.credentials import datetimes
from analyzer.limits import Criteria, Definition
from analyzer.report.model import (
    TEXT,
    AccountName,
    ReportFile,
    account_names,
    arrow_array,
)
from analyzer.report.users import Users
from analyzer.report.values import timestamp, utc_text_series
from analyzer.terms import AsOfSource, SplitBy, Verdict, utc_text

_DIGITS: Final = 32  # of the digest that closes a record


class _Record(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Return the record in a cell, None if it is not a record or was changed."""
        content, _, digest = text.rpartition(" ")
        try:
            return cls.model_validate_json(content) if digest_of(content) == digest else None
        except ValueError:  # pydantic's ValidationError is one
            return None


def digest_of(content: str) -> str:
    """Return the digest that closes a record of this content."""
    return sha256(content.encode(errors="surrogatepass")).hexdigest()[:_DIGITS]


def closed(content: str) -> str:
    """Return the content of a record with its digest, as it is written."""
    return f"{content} {digest_of(content)}"


def digest_of_rows(rows: Iterable[Iterable[str]]) -> str:
    """Return the digest of rows of texts in any order; empty rows count for nothing."""
    return digest_of("\n".join(sorted("\t".join(row) for row in map(tuple, rows) if any(row))))


class UserRecord(_Record):
    """Hold what a list shows of one user.

    `review` is the digest of the record of the review, `title` the list. `shown` are the texts of
    the cells by head, `user` the row of `users.csv`. `same_second` are the names of the users of
    its creation second, `earlier` is the earlier decision.
    """

    review: str
    title: str
    file: str
    sha256: str
    baseline: str
    service_credentials: str
    earlier: str
    same_second: list[str]
    shown: dict[str, str]
    user: dict[str, str]

    @model_validator(mode="after")
    def _check_user(self) -> Self:
        """Refuse what no report gives; only with --as-of is the baseline later than as-of."""
        if {*columns.OF_USERS_CSV} != self.user.keys():
            raise ValueError("not a row of users.csv")
        source = AsOfSource(self.user[columns.AS_OF_SOURCE])
        Verdict(self.user[columns.VERDICT])
        as_of, baseline = timestamp(self.user[columns.AS_OF]), timestamp(self.baseline)
        if not as_of or not baseline or (baseline > as_of and source is not AsOfSource.OPTION):
            raise ValueError("not the times of a report")
        return self

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what identifies the user among all reports: their SHA-256, as-of, and the ARN."""
        return self.sha256, self.user[columns.AS_OF], self.user[columns.ARN]


class ReviewRecord(_Record):
    """Hold by what the lists of a workbook were made, and the number of users of each list.

    `lists` have the option, SHA-256 and name of each list, ledger and log of the removal script;
    `exempt` are user and reason of the entries of `--exempt`. `split` is `owner` or `account`, and
    `part` the one whose users are listed. `accounts` (ids), `users` (patterns), `exposures`,
    `certain` and `min_age` are the filter. `reports` have name, SHA-256 and as-of,
    `superseded` name and SHA-256 of the reports that do not count, `evidence` those of AWS's lists
    beside the reports; `set_as_of` says that as-of was an option. `standard`, `rules` and
    `thresholds` are the rulebook. `of_run` says that an earlier run can be shown too. `follow_up`
    is the digest of the earlier decisions shown there (`digest_of_rows`).
    """

    version: str
    definition: str
    idle_days: int
    grace_days: int
    lists: list[tuple[str, str, str]]
    exempt: list[tuple[str, str]]
    split: SplitBy | Literal[""]
    part: str
    accounts: list[str]
    users: list[str]
    exposures: list[str]
    certain: bool
    min_age: int
    reports: list[tuple[str, str, str]]
    superseded: list[tuple[str, str]]
    evidence: list[tuple[str, str]]
    set_as_of: bool
    standard: str
    rules: list[str]
    thresholds: dict[str, int]
    listed: dict[str, int]
    follow_up: str

    @model_validator(mode="after")
    def _check_review(self) -> Self:
        """Refuse criteria that are not valid, and a review of no report."""
        if not self.reports or timestamp(self.reports[0][2]) is None or not self.criteria:
            raise ValueError("not the record of a review")
        return self

    @property
    def criteria(self) -> Criteria:
        """Return the criteria of the verdicts; raises ValueError if they are not valid."""
        return Criteria(
            definition=Definition(self.definition),
            idle_days=self.idle_days,
            grace_days=self.grace_days,
        )

    @property
    def limits(self) -> str:
        """Return part, filters and criteria that are not the usual ones, empty for none."""
        standard = {**asdict(Criteria()), "split": "", "part": "", "accounts": [], "users": []}
        standard |= {"exempt": [], "exposures": []}
        standard |= {"certain": False, "min_age": 0}
        named = {name: getattr(self, name) for name in standard}
        return ", ".join(f"{name} {is_}" for name, is_ in named.items() if is_ != standard[name])

    @property
    def text(self) -> str:
        """Return the record as it is written."""
        return closed(self.model_dump_json())

    @property
    def digest(self) -> str:
        """Return the digest that closes the record."""
        return digest_of(self.model_dump_json())


@dataclass(slots=True)
class CreationSeconds:
    """Gather the creation times of users from all pages, to find users of the same second."""

    _parts: list[pd.DataFrame] = field(default_factory=list)

    def add(self, page: Users) -> None:
        """Add the users of a page."""
        self._parts.append(page.users[[columns.ACCOUNT, columns.CREATED, columns.USER]])

    def same_second(self) -> "SameSecond":
        """Return the names by account and creation time, if there are at least two."""
        every = pd.concat(self._parts, ignore_index=True)
        keys = [columns.ACCOUNT, columns.CREATED]
        shared = every[every.duplicated(keys, keep=False) & every[columns.CREATED].notna()]
        return {
            (str(account), created.to_pydatetime()): frozenset(names)  # type: ignore[attr-defined]  # a pair of keys
            for (account, created), names in shared.groupby(keys)[columns.USER]
        }


SameSecond = Mapping[tuple[str, datetime], frozenset[str]]
"""The names of users of an account that were created in the same second, at least two."""


def same_second_names(users: pd.DataFrame, same_second: SameSecond) -> Iterator[list[str]]:
    """Yield for each user the names of the users created in its second, its own among them."""
    accounts, names = (users[name].tolist() for name in (columns.ACCOUNT, columns.USER))
    for account, at, user in zip(accounts, datetimes(users[columns.CREATED]), names, strict=True):
        yield sorted(same_second.get((account, at), {user}) if at else {user})


@dataclass(frozen=True, slots=True)
class RecordedList:
    """Write the records of the users of one list, whose title and review they name."""

    review: str
    title: str
    files: Sequence[ReportFile]
    names: Mapping[str, AccountName]
    same_second: SameSecond

    def texts(self, page: Users, shown: Mapping[str, pa.Array]) -> pd.Series:
        """Return the record of each user of a judged page (str); `shown` are texts by head.

        The users have `earlier_decision` if anything was decided.
        """
        users, of_files = page.users, [*map(self._fields_of_file, self.files)]
        records = (
            {
                **of_files[file],
                "service_credentials": services,
                "earlier": earlier,
                "same_second": names,
                "shown": dict(zip(shown, texts, strict=True)),
                "user": user,
            }
            for file, services, earlier, names, texts, user in zip(
                users[columns.FILE],
                users[columns.SERVICE_CREDENTIALS],
                users.get(columns.EARLIER_DECISION, [""] * len(users)),
                same_second_names(users, self.same_second),
                zip(*map(_shared_texts, shown.values()), strict=True),
                rows_of_users_csv(page, self.names),
                strict=True,
            )
        )
        # Arrow has no SHA-256, so that each record is a text of Python anyway.
        texts = [closed(orjson.dumps(record).decode()) for record in records]
        return pd.Series(texts, users.index, TEXT)

    def _fields_of_file(self, file: ReportFile) -> dict[str, object]:
        return {
            "review": self.review,
            "title": self.title,
            "file": file.name,
            "sha256": file.sha256,
            "baseline": utc_text(file.baseline),
        }


def rows_of_users_csv(page: Users, names: Mapping[str, AccountName]) -> list[dict[str, str]]:
    """Return the users of a judged page as texts by `columns.OF_USERS_CSV`."""
    users = page.users
    texts = {
        name: page.cell(name).fillna("") if name in columns.REPORT_ONLY else _text_of(users[name])
        for name in (*columns.JUDGED, *columns.REPORT_ONLY, *columns.OWNERSHIP)
    }
    texts[columns.ACCOUNT_NAME] = account_names(users[columns.ACCOUNT], names)
    # A seventh of the time that `to_dict("records")` takes.
    cells = zip(*map(_shared_texts, texts.values()), strict=True)
    return [dict(zip(texts, row, strict=True)) for row in cells]


def _shared_texts(texts: pa.Array | pd.Series) -> list[str]:
    """Return texts, equal ones as one object: many lines take half the memory."""
    coded = arrow_array(texts).dictionary_encode()
    shared: list[str] = np.array(coded.dictionary.to_pylist(), object)[coded.indices].tolist()
    return shared


def _text_of(values: pd.Series) -> pd.Series:
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return utc_text_series(values)
    return values.astype(TEXT).fillna("")
