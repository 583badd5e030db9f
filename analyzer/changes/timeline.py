"""Order what all reports say of each user: one small record for each user and report.

The reports of an account are ordered by when they are from: a day without a time counts as its
start, or as the newest timestamp in the report if that is later. A report whose as-of is assumed
orders nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import compress, pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.changes.events import USE_COLUMNS, UserState
from analyzer.changes.snapshot import UNKNOWN, credential_values, states_of_rows
from analyzer.decisions.follow_up import report_time
from analyzer.errors import InputRefused, Problem
from analyzer.judging.analysis import Analysis
from analyzer.report.model import NO_MOMENT, TEXT, Page, ReportFile, arrow_array, as_category
from analyzer.terms import AsOfSource, State, Verdict, minute_text
from analyzer.verdicts.facts import Facts

READING: Final = "reading"
BY_NAME: Final = "by_name"

_NAMES: Final = (columns.ACCOUNT, columns.USER, columns.ARN)
_REMARKS: Final = (columns.REASON, columns.EXEMPTION)
STATES: Final = (
    *(key.active for key in columns.ACCESS_KEYS),
    *(certificate.active for certificate in columns.CERTIFICATES),
)
"""The columns that hold the state of an access key or a certificate."""

_FLAGS: Final = (columns.PASSWORD_ENABLED, columns.MFA_ACTIVE)
_ROWS_AT_ONCE: Final = 2_048
"""Rows in memory as values of Python: with 8,192, a year of 20 accounts takes 23 MiB more."""

_SECONDS_BITS: Final = 32
"""A moment of a report fits in this number of bits (`values.YEARS`)."""


class Reading(NamedTuple):
    """Name one report of one account; `file` is its position in `Report.files`, `at` its moment.

    They stand in the order of these values: `newest` orders those of the same moment, which days
    without a time may be.
    """

    account: str
    at: datetime
    newest: datetime
    file: int


@dataclass(frozen=True)
class Timeline:
    """Hold what the reports of each account say of its users.

    - `readings`: the reports in the order of account and moment; `copies` are those that say the
      same at the same moment as another one, and do not count: pairs of (copy, counted).
    - `users`: `account`, `user`, `arn` str; `created` datetime64[s], NaT where no report shows it;
      `by_name` bool: a report does not show the creation time, so the user is known by its name.
    - `rows`: one value for each user and reading, in the order of both: `user` and `reading` int64,
      the positions; `verdict` int8, the position in `Verdict`; `reason`, `exemption` int32, the
      positions in `words`; `password_enabled`, `mfa_active` bool; by the report's columns moments
      uint32, seconds or 0 for none, and states int8, the positions in `State`; `unknown`,
      `contradicted` int32, the bits of `Snapshot.users`.
    """

    readings: Sequence[Reading]
    copies: Sequence[tuple[Reading, Reading]]
    users: pd.DataFrame
    rows: Mapping[str, np.ndarray]
    words: Mapping[str, np.ndarray]

    @cached_property
    def moments(self) -> np.ndarray:
        """Return the moment of each reading (datetime64[s])."""
        return np.array([each.at.replace(tzinfo=None) for each in self.readings], "datetime64[s]")

    def states(self, at: np.ndarray) -> Iterator[UserState]:
        """Yield what the rows at some positions say of their users."""
        for some in np.split(at, range(_ROWS_AT_ONCE, len(at), _ROWS_AT_ONCE)):
            rows = {name: values[some] for name, values in self.rows.items()}
            users = self.users.iloc[rows[columns.USER]]
            moments = {name: _moments(each) for name, each in rows.items() if each.dtype == "u4"}
            cells: dict[str, Any] = {
                **{name: users[name].to_numpy() for name in _NAMES},
                **{name: self.words[name][rows[name]] for name in _REMARKS},
                columns.VERDICT: as_category(rows[columns.VERDICT], Verdict),
                **{name: as_category(rows[name], State) for name in STATES},
                **{name: rows[name] for name in (*_FLAGS, UNKNOWN, columns.CONTRADICTED)},
                **moments,
                columns.USER_CREATION_TIME: users[columns.CREATED].to_numpy("datetime64[s]"),
                columns.LAST_USE: np.fmax.reduce([moments[name] for name in sorted(USE_COLUMNS)]),
            }
            yield from states_of_rows(pd.DataFrame(cells))


def timeline(analysis: Analysis) -> Timeline:
    """Return the timeline of an analysis of reports that all count, older ones too.

    Raises InputRefused for a report that names no account, for different reports of one account and
    moment, and where no report has a known as-of.
    """
    files = analysis.report.files
    readings = sorted(_readings(files))
    rows, words = _records(analysis)
    _set_readings(rows, readings, words[columns.ACCOUNT])
    users = _sorted_by_user(rows, words)
    copies = _copies(readings, rows, files)
    counted = np.ones(len(readings), bool)
    counted[[at for at, _ in copies]] = False
    _take(rows, np.flatnonzero(counted[rows[READING]]))
    rows[READING] = (np.cumsum(counted) - 1)[rows[READING]]
    pairs = [(readings[at], readings[first]) for at, first in copies]
    return Timeline([*compress(readings, counted)], pairs, users, rows, words)


def _readings(files: Sequence[ReportFile]) -> Iterator[Reading]:
    nameless = [file.name for file in files if not all(each.account for each in file.accounts)]
    if nameless:
        message = "its ARNs name no account, so its place in a history is not known"
        hint = "Set the account of such reports with --masked-account."
        raise InputRefused(Problem.of_file(name, message, hint) for name in nameless)
    if all(file.as_of_source is AsOfSource.ASSUMED for file in files):
        message = "nothing shows when it was made, so its place in a history is not known"
        hint = "Keep the name that the console gives, or put it in a folder such as 2026-03-01."
        raise InputRefused(Problem.of_file(file.name, message, hint) for file in files)
    for at, file in enumerate(files):
        if file.as_of_source is not AsOfSource.ASSUMED:
            for each in file.accounts:
                yield Reading(each.account, report_time(file).earliest, file.baseline, at)


def _record(page: Page, words: Mapping[str, dict[str, int]]) -> dict[str, np.ndarray]:
    """Return what is kept of a judged page, all of it as small numbers; new words are added."""
    users = page.users
    texts = {name: users[name] for name in words}
    if users[columns.ARN_MASKED].any():  # What stands for an ARN may be the same for all users.
        arn = users[columns.ARN]
        texts[columns.ARN] = arn.where(arn.str.startswith("arn:"), arn + "/" + users[columns.USER])
    known = credential_values(Facts(page))
    del known[columns.LAST_USE]
    return {
        **{name: _positions(words[name], each) for name, each in texts.items()},
        columns.FILE: users[columns.FILE].to_numpy(np.int32),
        columns.VERDICT: users[columns.VERDICT].cat.codes.to_numpy(),
        **{name: users[name].to_numpy() for name in _FLAGS},
        **{name: _compact(values) for name, values in known.items()},
    }


def _positions(words: dict[str, int], values: pd.Series) -> np.ndarray:
    """Return the position of each value among the words; new words are added."""
    encoded = arrow_array(values).dictionary_encode()
    places = [words.setdefault(each, len(words)) for each in encoded.dictionary.to_pylist()]
    at: np.ndarray = np.array(places, np.int32)[encoded.indices]
    return at


def _compact(values: Any) -> np.ndarray:
    """Return states as positions, moments as seconds from 1970 on, and all else as it is."""
    if isinstance(values, pd.Series):
        codes: np.ndarray = values.cat.codes.to_numpy()
        return codes
    if values.dtype.kind == "M":
        return np.where(np.isnat(values), 0, values.astype(np.int64)).astype(np.uint32)
    return np.asarray(values)


def _moments(seconds: np.ndarray) -> np.ndarray:
    """Return seconds as datetime64[s], NaT where they are 0."""
    moments = seconds.astype(np.int64).astype("datetime64[s]")
    moments[seconds == 0] = NO_MOMENT
    return moments


def _records(analysis: Analysis) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return the records of all pages as one, words as positions in those returned with it.

    Filled page by page: 3.65 million rows as parts and then as one take 300 MB more.
    """
    words: dict[str, dict[str, int]] = {name: {} for name in (*_NAMES, *_REMARKS)}
    rows: dict[str, np.ndarray] = {}
    end = 0
    for page in analysis.pages():
        start, end = end, end + len(page.users)
        for name, values in _record(page, words).items():
            every = rows.setdefault(name, np.empty(analysis.report.rows, values.dtype))
            every[start:end] = values
    whole = {name: values[:end] for name, values in rows.items()}
    return whole, {name: np.array([*each], object) for name, each in words.items()}


def _take(rows: dict[str, np.ndarray], at: np.ndarray) -> None:
    for name in rows:  # One at a time: all rows twice take much memory.
        rows[name] = rows[name][at]


def _set_readings(
    rows: dict[str, np.ndarray], readings: Sequence[Reading], accounts: np.ndarray
) -> None:
    """Set the reading of each row instead of its file; rows of assumed reports go."""
    code = {account: at for at, account in enumerate(accounts)}
    # An account without users has no rows.
    places = [each.file * len(code) + code.get(each.account, -1) for each in readings]
    order = np.argsort(places)
    place = rows.pop(columns.FILE).astype(np.int64) * len(code) + rows[columns.ACCOUNT]
    near = np.minimum(np.searchsorted(places, place, sorter=order), len(order) - 1)
    rows[READING] = order[near].astype(np.int32)
    _take(rows, np.flatnonzero(np.array(places)[rows[READING]] == place))


def _sorted_by_user(rows: dict[str, np.ndarray], words: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Put the rows in the order of user and reading, and return `Timeline.users`.

    Of rows of a report that contradict each other the first stands for all.
    """
    shown = rows.pop(columns.USER_CREATION_TIME)
    identity = rows[columns.ARN].astype(np.int64) << _SECONDS_BITS
    identity |= _created(rows[columns.ARN], shown)
    distinct, first = np.unique(identity, return_index=True)
    user = np.searchsorted(distinct, identity).astype(np.int32)
    users = pd.DataFrame({name: words[name][rows.pop(name)[first]] for name in _NAMES}, dtype=TEXT)
    by_name = np.zeros(len(distinct), bool)
    by_name[user[shown == 0]] = True
    rows[columns.USER] = user
    del identity, shown  # They take as much memory as all that follows.
    order = np.lexsort((rows[READING], user))
    _take(rows, order)
    again = (np.diff(rows[columns.USER]) == 0) & (np.diff(rows[READING]) == 0)
    _take(rows, np.flatnonzero(~np.append(False, again)[: len(order)]))
    created = _moments(distinct & ((1 << _SECONDS_BITS) - 1))
    return users.assign(**{columns.CREATED: created, BY_NAME: by_name})


def _created(arn: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """Return when users were created (int64): as shown, else as all other reports of the ARN say.

    It is 0 where none says it, or where users of the ARN were created at different times.
    """
    known = np.unique((arn.astype(np.int64) << _SECONDS_BITS | shown)[shown > 0])
    of_arn, seconds = known >> _SECONDS_BITS, known & ((1 << _SECONDS_BITS) - 1)
    only = np.zeros(arn.max(initial=0) + 1, np.int64)
    only[of_arn] = seconds
    only[of_arn[1:][np.diff(of_arn) == 0]] = 0
    return np.where(shown > 0, shown, only[arn])


def _copies(
    readings: Sequence[Reading], rows: Mapping[str, np.ndarray], files: Sequence[ReportFile]
) -> list[tuple[int, int]]:
    """Return which readings say the same as the one before, of the same moment: (copy, counted).

    Raises InputRefused for those that do not.
    """
    tied = np.array([False, *(one[:-1] == other[:-1] for one, other in pairwise(readings))])
    user, reading = rows[columns.USER], rows[READING]
    again = np.flatnonzero(
        tied[reading] & (np.diff(user, prepend=-1) == 0) & (np.diff(reading, prepend=-1) == 1)
    )
    facts = [values for name, values in rows.items() if name not in (READING, *_REMARKS)]
    same = again[np.logical_and.reduce([each[again] == each[again - 1] for each in facts])]
    number, alike = (np.bincount(each, minlength=len(tied)) for each in (reading, reading[same]))
    is_copy = tied & (alike == number) & (alike == np.roll(number, 1))
    if problems := [
        _tie_problem(files, readings[at - 1], readings[at])
        for at in np.flatnonzero(tied & ~is_copy).tolist()
    ]:
        raise InputRefused(problems)
    first = np.maximum.accumulate(np.where(tied, 0, np.arange(len(tied))))
    return [(int(at), int(first[at])) for at in np.flatnonzero(is_copy)]


def _tie_problem(files: Sequence[ReportFile], one: Reading, other: Reading) -> Problem:
    message = (
        f"as of {minute_text(other.at)}, like another report of account {other.account},"
        f" {files[one.file].name}: which of the two is later is not known"
    )
    hint = "Leave one of them out, or name the files so that they have a time."
    return Problem.of_file(files[other.file].name, message, hint)
