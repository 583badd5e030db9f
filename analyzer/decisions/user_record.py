"""Write the report's facts beside each listed user, and read them back as users of a report.

A decision is compared with this record: the cells that people see must agree with it. A record that
is read back is parsed and judged like a report, since nothing in it is trusted. Only a comparison
with the reports themselves proves that record and cells were not both changed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import numpy as np
import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict

from analyzer import columns
from analyzer.decisions.credentials import datetimes, page_of_cells
from analyzer.decisions.decision import CreationSecond
from analyzer.limits import Criteria, Definition
from analyzer.report.model import (
    TEXT,
    AccountName,
    ReportFile,
    account_names,
    arrow_array,
    as_category,
    blank_categories,
    text_series,
)
from analyzer.report.report import Report
from analyzer.report.users import Users
from analyzer.report.values import timestamp, utc_text_series
from analyzer.terms import AsOfSource, code_of, utc_text
from analyzer.verdicts.verdict import with_verdicts

MOST_SAME_SECOND: Final = 50
"""If more users than this were created in one second, their names are not kept."""

MOST_UNREAD_CREATIONS: Final = 10
"""If more users of an account than this have no known creation time, they are left out."""


class UserRecord(BaseModel):
    """Hold the facts of a report on one user; `cells` are the report's own, by column.

    `same_second` are the names of other users that are or may be created in the same second (None: not kept), `earlier` the
    earlier decision.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    file: str
    sha256: str
    row: int
    as_of: str
    as_of_source: str
    baseline: str
    definition: str
    dormant_days: int
    grace_days: int
    account: str
    account_name: str
    account_owner: str
    service_credentials: str
    same_second: list[str] | None
    earlier: str
    owner: str
    owner_email: str
    owner_left: str
    cells: dict[str, str]

    @property
    def criteria(self) -> Criteria:
        """Return the criteria of the verdict; raises ValueError if they are not valid."""
        return _criteria(self.definition, self.dormant_days, self.grace_days)


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
        shared = every[every.duplicated(keys, keep=False) | every[columns.CREATED].isna()]
        groups = shared.groupby(keys, dropna=False)[columns.USER]
        return {
            (str(account), None if created is pd.NaT else created.to_pydatetime()): frozenset(names)  # type: ignore[attr-defined]  # a pair of keys
            for (account, created), names in groups
        }


SameSecond = Mapping[CreationSecond, frozenset[str]]
"""The names of users of an account that were created in the same second, at least two.

Under None are those whose creation time is not known: it may be any second.
"""


def record_texts(
    page: Users,
    files: Sequence[ReportFile],
    names: Mapping[str, AccountName],
    criteria: Criteria,
    same_second: SameSecond,
) -> pd.Series:
    """Return the record of each user of a judged page as JSON (str).

    The users have `earlier_decision` if anything was decided; `same_second` is what
    `CreationSeconds.same_second` returned.
    """
    users = page.users
    owners = {account: known.owner for account, known in names.items()}
    heads = [_fields_of_file(file, criteria) for file in files]
    fields = {
        "row": arrow_array(users[columns.ROW]).cast(_TEXT_TYPE),
        "account": _json_texts(users[columns.ACCOUNT]),
        "account_name": _json_texts(account_names(users[columns.ACCOUNT], names)),
        "account_owner": _json_texts(users[columns.ACCOUNT].map(owners).astype(TEXT).fillna("")),
        "service_credentials": _json_texts(users[columns.SERVICE_CREDENTIALS]),
        "same_second": _json(same_second_names(users, same_second)),
        "earlier": _json_texts(users.get(columns.EARLIER_DECISION, [""] * len(users))),
        **{name: _json_texts(users[name]) for name in columns.OWNERSHIP},
        "cells": _objects(
            {name: _json_texts(values) for name, values in cells_of_report(page).items()}
        ),
    }
    of_files = pc.utf8_slice_codeunits(_json(heads), 1, -1).take(pa.array(users[columns.FILE]))
    return text_series(_objects(fields, of_files)).set_axis(users.index)


def _fields_of_file(file: ReportFile, criteria: Criteria) -> dict[str, object]:
    return {
        "file": file.name,
        "sha256": file.sha256,
        "as_of": utc_text(file.as_of),
        "as_of_source": str(file.as_of_source),
        "baseline": utc_text(file.baseline),
        **asdict(criteria),
    }


# Arrow joins the records: with a dictionary for each user they took 2.3 times as long.

_TEXT_TYPE: Final = pa.large_string()
_ESCAPED_IN_JSON: Final = r'["\\\x00-\x1f]'


def _json(values: Iterable[object]) -> pa.Array:
    """Return each value as JSON (large_string)."""
    return pa.array([orjson.dumps(value).decode() for value in values], _TEXT_TYPE)


def _json_texts(texts: pd.Series | Sequence[str]) -> pa.Array:
    """Return each text as JSON, null where it is missing; each distinct text is encoded once."""
    coded = arrow_array(texts).dictionary_encode()
    words = coded.dictionary.cast(_TEXT_TYPE)
    escaped = pc.any(pc.match_substring_regex(words, _ESCAPED_IN_JSON)).as_py()
    spelled = _json(words.to_pylist()) if escaped else _joined('"', words, '"')
    return spelled.take(coded.indices)


def _objects(fields: Mapping[str, pa.Array], *before: pa.Array) -> pa.Array:
    """Return an object for each row as JSON: the fields before, then those that are not null."""
    named = (_joined(f'"{name}":', values) for name, values in fields.items())
    return _joined("{", _joined(*before, *named, between=","), "}")


def _joined(*parts: pa.Array | str, between: str = "") -> pa.Array:
    texts = [
        pa.scalar(part, _TEXT_TYPE) if isinstance(part, str) else part for part in (*parts, between)
    ]
    return pc.binary_join_element_wise(*texts, null_handling="skip" if between else "emit_null")


def cells_of_report(page: Users) -> dict[str, pd.Series]:
    """Return the report's own cells of the users by column (str), missing if it has no such column."""
    return {name: page.cell(name) for name in columns.IN_REPORT}


def same_second_names(users: pd.DataFrame, same_second: SameSecond) -> Iterator[list[str] | None]:
    """Yield for each user the names of the others that may be created in the same second.

    Yields None if they are too many to keep.
    """
    nobody = frozenset[str]()
    accounts, names = (users[name].tolist() for name in (columns.ACCOUNT, columns.USER))
    for account, at, user in zip(accounts, datetimes(users[columns.CREATED]), names, strict=True):
        alike = same_second.get((account, at), nobody) - {user}
        unread = same_second.get((account, None), nobody) - {user}
        others = alike | (unread if len(unread) <= MOST_UNREAD_CREATIONS else nobody)
        yield sorted(others) if len(alike) <= MOST_SAME_SECOND else None


def parsed_record(text: str) -> UserRecord | None:
    """Return the record in a cell, None if it is not a record."""
    try:
        record = UserRecord.model_validate_json(text)
        is_of_report = _can_be_report(record.as_of, record.as_of_source, record.baseline)
        is_record = record.criteria and is_of_report and record.row > 0
    except ValueError:  # pydantic's ValidationError is one
        return None
    return record if is_record and _NEEDED <= record.cells.keys() <= _KNOWN else None


_NEEDED: Final = frozenset(columns.REQUIRED)
_KNOWN: Final = frozenset(columns.IN_REPORT)


# Rows share few reports and criteria: caching takes half of the time.
@lru_cache(maxsize=1024)
def _can_be_report(as_of: str, source: str, baseline: str) -> bool:
    """Return whether the times are understood; the baseline is after as-of only with --as-of."""
    at, since = timestamp(as_of), timestamp(baseline)
    is_past = at and since and (since <= at or source == AsOfSource.OPTION)
    return bool(is_past) and source in [*AsOfSource]


@lru_cache(maxsize=1024)
def _criteria(definition: str, dormant_days: int, grace_days: int) -> Criteria:
    return Criteria(
        definition=Definition(definition), dormant_days=dormant_days, grace_days=grace_days
    )


def report_files(records: Sequence[UserRecord]) -> list[ReportFile]:
    """Return the reports that records name, each once, in the order in which they come."""
    return [
        ReportFile(
            name=name,
            sha256=sha256,
            size=0,
            as_of=datetime.fromisoformat(as_of),
            as_of_source=AsOfSource(source),
            baseline=datetime.fromisoformat(baseline),
            accounts=(),
        )
        for name, sha256, as_of, source, baseline in dict.fromkeys(map(_file_key, records))
    ]


def file_identity(file: ReportFile) -> tuple[str, str]:
    """Return a report's identity in records: two of a quiet account can have the same bytes."""
    return file.sha256, utc_text(file.as_of)


def _file_key(record: UserRecord) -> tuple[str, str, str, str, str]:
    return record.file, record.sha256, record.as_of, record.as_of_source, record.baseline


def judged_pages(records: Sequence[UserRecord]) -> Iterator[tuple[np.ndarray, Users]]:
    """Yield the judged users of the records, page by page, with the positions of their records.

    Records whose reports had other columns, or that were judged by other criteria, have a page of
    their own. Files are numbered as in `report_files`.
    """
    number = {key: at for at, key in enumerate(dict.fromkeys(map(_file_key, records)))}
    alike: dict[tuple[object, ...], list[int]] = {}
    for at, record in enumerate(records):
        alike.setdefault((*sorted(record.cells), record.criteria), []).append(at)
    as_of = [file.as_of for file in report_files(records)]
    for positions in alike.values():
        some = [records[at] for at in positions]
        page = page_of_cells(
            [record.cells for record in some],
            [number[_file_key(record)] for record in some],
            [record.row for record in some],
            as_of,
        )
        sources = [code_of(AsOfSource(record.as_of_source)) for record in some]
        added = {
            **{name: _texts([getattr(record, name) for record in some]) for name in _COPIED},
            columns.EARLIER_DECISION: _texts([record.earlier for record in some]),
            columns.AS_OF_SOURCE: as_category(np.array(sources, np.int64), AsOfSource),
            **blank_categories([columns.EXEMPTION], len(some)),
        }
        whole = page.with_users(added)
        yield np.array(positions, np.int64), with_verdicts(whole, some[0].criteria)


_COPIED: Final = (columns.ACCOUNT, columns.SERVICE_CREDENTIALS, *columns.OWNERSHIP)
"""The columns that users have from their records, under the same names."""


def _texts(texts: Sequence[str]) -> pd.Series:
    return text_series(pa.array(texts, pa.large_string()))


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


def _shared_texts(texts: pd.Series) -> list[str]:
    """Return texts, equal ones as one object: many lines take half the memory."""
    coded = arrow_array(texts).dictionary_encode()
    shared: list[str] = np.array(coded.dictionary.to_pylist(), object)[coded.indices].tolist()
    return shared


def _text_of(values: pd.Series) -> pd.Series:
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return utc_text_series(values)
    return values.astype(TEXT).fillna("")


def record_differences(
    records: Sequence[UserRecord], pages: Iterable[Users], report: Report, criteria: Criteria
) -> Iterator[tuple[int, str]]:
    """Yield the position of each record that differs from the reports, and the difference.

    The records are of files of `report`, `pages` are its judged pages.
    """
    numbers = {file_identity(file): at for at, file in enumerate(report.files)}
    places = [(numbers[record.sha256, record.as_of], record.row) for record in records]
    files, rows = ({place[at] for place in places} for at in (0, 1))
    parts, names = users_and_seconds(
        pages, lambda users: users[columns.FILE].isin(files) & users[columns.ROW].isin(rows)
    )
    given: dict[tuple[int, int], dict[str, Any]] = {}
    for page in parts:
        there = zip(page.users[columns.FILE], page.users[columns.ROW], strict=True)
        texts = record_texts(page, report.files, {}, criteria, names)
        given |= zip(there, map(orjson.loads, texts), strict=True)
    for at, (record, place) in enumerate(zip(records, places, strict=True)):
        if place not in given:
            yield at, f"no report named has row {record.row} of this SHA-256"
        for name, value in given.get(place, {}).items():
            if getattr(record, name) != value and name not in _NOT_FROM_REPORT:
                yield at, f"{name} is not what the report gives: {value}"


_NOT_FROM_REPORT: Final = (
    *("file", "account_name", "account_owner", "earlier"),
    *columns.OWNERSHIP,
)


def users_and_seconds(
    pages: Iterable[Users], are_wanted: Callable[[pd.DataFrame], pd.Series]
) -> tuple[list[Users], SameSecond]:
    """Return the wanted users of pages, and the names of all users created in the same second."""
    seconds = CreationSeconds()
    parts = []
    for page in pages:
        seconds.add(page)
        parts.append(page.where(are_wanted(page.users).to_numpy()))
    return parts, seconds.same_second()
