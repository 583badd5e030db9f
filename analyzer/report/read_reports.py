"""Read the rows of all reports, each slice once; describe each report, or say what is wrong."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer import columns
from analyzer.errors import InputRefused, Problem, first_of_columns
from analyzer.report import arns, values
from analyzer.report.growing import GrowingUsers
from analyzer.report.model import AccountRowCounts, ReportFile
from analyzer.report.report_text import (
    RefusedText,
    ReportText,
    Text,
    listed_credentials,
    own_as_of,
)
from analyzer.report.table import (
    DOWNLOAD_AGAIN,
    Damage,
    cut_off_problems,
    local_date_problem,
    read_alone,
    read_together,
)
from analyzer.report.users import Users, users_of_rows
from analyzer.terms import AWS_SOURCES, LONGEST_SHOWN, AsOfSource

_GROUP_BYTES = 16 << 20
"""Bytes of small reports that are read at once: about as many rows as a slice has."""

_PAST: Final = [name for name in columns.TIMESTAMPS if name != columns.PASSWORD_NEXT_ROTATION]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadReport:
    """Describe a report that was read: its own time and newest timestamp.

    `at` is its position in `Users.file`; `superseded` are its accounts that have a newer report;
    `repeated` and `mended` are numbers of rows.
    """

    text: ReportText
    file: ReportFile
    newest: datetime
    own_as_of: datetime
    own_source: AsOfSource
    at: int
    superseded: frozenset[str] = frozenset()
    repeated: int = 0
    mended: int = 0

    @property
    def name(self) -> str:
        """Return the name of the input."""
        return self.text.name

    def is_part_of(self, other: "ReadReport") -> bool:
        """Return whether AWS gave both reports the same as-of, so that they count together."""
        sources = {self.own_source, other.own_source}
        return self.own_as_of == other.own_as_of and sources.issubset(AWS_SOURCES)

    def is_in_order_with(self, other: "ReadReport") -> bool:
        """Return whether as-of shows which report is newer; a day without time may be any time."""
        sources = {self.own_source, other.own_source}
        of_one_day = self.own_as_of.date() == other.own_as_of.date()
        return not (
            AsOfSource.ASSUMED in sources
            or (AsOfSource.FOLDER in sources and of_one_day)
            or self.own_as_of == other.own_as_of
        )


@dataclass(frozen=True)
class Rows:
    """Hold the rows of all reports: IAM users, and beside them roots.

    `Users.file` is the position of the row's report. The hashes (uint64) of the ARNs show whether
    users, and likewise roots, may stand in several rows.
    """

    users: Users
    roots: Users
    user_hashes: np.ndarray
    root_hashes: np.ndarray


@dataclass(slots=True)
class _Seen:
    """Collect what the rows of one report show.

    `last_column` is the last one of its header. `newest` is the newest moment in seconds; of the
    last row there are the number, the last cell and the password cell; `rows` and `roots` are the
    numbers of rows by account; `nameless` are the rows whose ARN names none.
    """

    last_column: str
    damage: Damage = field(default_factory=Damage)
    newest: int = -1
    has_boolean: bool = False
    last_row: int = 0
    last_cell: str | None = None
    last_password: str | None = None
    rows: Counter[str] = field(default_factory=Counter)
    roots: Counter[str] = field(default_factory=Counter)
    dates: list[tuple[int, str, str]] = field(default_factory=list)
    nameless: list[tuple[int, str]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)

    @property
    def user_count(self) -> int:
        return self.rows.total() - self.roots.total()


class Reading:
    """Read the rows of reports into typed columns, and note what each report shows.

    Small reports with the same header wait for each other, and are read together.
    """

    def __init__(self) -> None:
        """Begin without a report."""
        self.texts: list[Text] = []
        self.seen: dict[int, _Seen] = {}
        self.users, self.roots = GrowingUsers(), GrowingUsers()
        self.waiting: list[ReportText] = []
        self.waiting_bytes = 0

    def add(self, text: Text) -> None:
        """Add a report, or the refusal of an input."""
        if self.waiting and not self._may_wait(text):
            self._read_waiting()
        self.texts.append(text)
        if isinstance(text, ReportText):
            self.waiting.append(text)
            self.waiting_bytes += len(text.content.csv)
            self.seen[len(self.texts) - 1] = _Seen(text.header.names[-1])

    def _may_wait(self, text: Text) -> bool:
        """Return whether a text may be read with those that wait."""
        first = self.waiting[0]
        if isinstance(text, RefusedText) or text.header.line != first.header.line:
            return False
        size = self.waiting_bytes + len(text.content.csv)
        return not (text.is_large or first.is_large) and size <= _GROUP_BYTES

    def _read_waiting(self) -> None:
        """Read the rows of the reports that wait; their bytes are then let go."""
        group, self.waiting, self.waiting_bytes = self.waiting, [], 0
        start = len(self.texts) - len(group)
        together = read_together(group) if group[1:] else None
        if together is not None:
            self._add(together, start)
            for text in group:
                text.content.csv = b""
            return
        for at, text in enumerate(group, start):
            try:
                for table in read_alone(text, self.seen[at].damage):
                    self._add(table, at)
            except InputRefused as refused:
                self.texts[at] = RefusedText(text.name, refused.problems)

    def _add(self, table: pa.Table, start: int) -> None:
        """Add the rows of a slice; `start` is the position of its first report."""
        file = table[columns.FILE].to_numpy() + start
        table = table.set_column(
            table.column_names.index(columns.FILE), columns.FILE, pa.array(file)
        )
        self._note_last_cells(table, file)
        rows = users_of_rows(table, np.zeros(len(self.texts), "M8[s]"))
        is_root = arns.is_root(rows.arn, rows.words[columns.USER])
        self._note(rows, is_root)
        users = rows.where(~is_root)
        self._note_listed_names(users)
        self.users.append(users)
        self.roots.append(rows.where(is_root))

    def _note_last_cells(self, table: pa.Table, file: np.ndarray) -> None:
        """Note the cell in the last column of each report's last row."""
        numbers = table[columns.ROW].to_numpy()
        for last in np.flatnonzero(np.diff(file, append=len(self.texts))).tolist():
            seen = self.seen[int(file[last])]
            name = seen.last_column
            seen.last_row = int(numbers[last])
            seen.last_cell = table[name][last].as_py() if name in columns.IN_REPORT else None
            seen.last_password = table[columns.PASSWORD_ENABLED][last].as_py()

    def _note(self, rows: Users, is_root: np.ndarray) -> None:
        """Note what the rows of a slice show of their reports."""
        edges = np.flatnonzero(np.diff(rows.file, prepend=-1))
        # A second that is missing is the greatest number, which one more makes the least.
        seconds_after = np.maximum.reduce([rows.seconds[name] + np.uint32(1) for name in _PAST])
        newest = np.maximum.reduceat(seconds_after, edges).astype(np.int64) - 1
        is_boolean = np.logical_or.reduce([rows.known[name] for name in columns.BOOLEANS])
        has_boolean = np.logical_or.reduceat(is_boolean, edges)
        for at, seconds, has in zip(
            rows.file[edges].tolist(), newest.tolist(), has_boolean, strict=True
        ):
            seen = self.seen[at]
            seen.newest = max(seen.newest, seconds)
            seen.has_boolean |= bool(has)
        self._count(rows, is_root)
        self._note_local_dates(rows)

    def _count(self, rows: Users, is_root: np.ndarray) -> None:
        accounts = rows.account.dictionary.to_pylist()
        code = rows.file.astype(np.int64) * len(accounts) + rows.account.indices.to_numpy()
        pairs, counts = np.unique(code, return_counts=True)
        roots = Counter(code[is_root].tolist())
        for pair, number in zip(pairs.tolist(), counts.tolist(), strict=True):
            seen, account = self.seen[pair // len(accounts)], accounts[pair % len(accounts)]
            seen.rows[account] += number
            seen.roots[account] += roots[pair]
        if "" in accounts:
            is_nameless = rows.account.indices.to_numpy() == accounts.index("")
            nameless = rows.where(is_nameless & ~is_root)
            for file, row, arn in zip(
                nameless.file.tolist(), nameless.row.tolist(), nameless.arn.to_pylist(), strict=True
            ):
                self.seen[file].nameless.append((row, arn))

    def _note_local_dates(self, users: Users) -> None:
        for name in columns.TIMESTAMPS:
            words = users.words[name]
            local = [*filter(values.is_local_date, words.dictionary.to_pylist())]
            for at in np.flatnonzero(values.is_one_of(local, words)).tolist() if local else ():
                dates = self.seen[int(users.file[at])].dates
                dates.append((int(users.row[at]), name, words[at].as_py()))

    def _note_listed_names(self, users: Users) -> None:
        """Note which names of AWS's list of service-specific credentials are in its report."""
        for at in np.unique(users.file).tolist():
            text = self.texts[at]
            if isinstance(text, ReportText) and text.service_credentials:
                names = users.words[columns.USER].filter(pa.array(users.file == at))
                self.seen[at].names |= text.service_credentials.users.intersection(
                    pc.utf8_lower(names).to_pylist()
                )

    def outcomes(self, set_as_of: datetime | None) -> tuple[Rows, list["ReadReport | RefusedText"]]:
        """Return the rows of all reports, and what each report is, or its refusal."""
        if self.waiting:
            self._read_waiting()
        return self._rows(), [*_outcomes(self, set_as_of)]

    def _rows(self) -> Rows:
        """Return all rows; roots whose ARN names no account have the one of their report."""
        nobody = users_of_rows(_NO_ROWS, np.zeros(1, "M8[s]"))
        for some in (self.users, self.roots):
            some.append(nobody)
        users, roots = self.users.users(), self._with_accounts(self.roots.users())
        return Rows(users, roots, *map(_arn_hashes, (users, roots)))

    def _with_accounts(self, roots: Users) -> Users:
        accounts = values.texts(roots.account).to_pylist()
        for at in [at for at, account in enumerate(accounts) if not account]:
            seen = self.seen[int(roots.file[at])]
            known = [account for account in seen.rows if account]
            if len(known) != 1:
                seen.nameless.append((int(roots.row[at]), roots.arn[at].as_py()))
                continue
            accounts[at] = known[0]
            for counter in (seen.rows, seen.roots):
                counter[known[0]] += 1
                counter[""] -= 1
        return replace(roots, account=pa.array(accounts, pa.large_string()).dictionary_encode())


def _arn_hashes(users: Users) -> np.ndarray:
    return np.concatenate([values.text_hashes(part.arn) for part in users.slices()])


_NO_ROWS: Final = pa.table(
    {
        **{name: pa.array([], pa.large_string()) for name in columns.IN_REPORT},
        **{name: pa.array([], pa.int64()) for name in (columns.FILE, columns.ROW)},
    }
)


# What each report is


def _outcomes(reading: Reading, set_as_of: datetime | None) -> Iterator[ReadReport | RefusedText]:
    """Yield each report, or its refusal with every problem."""
    for at, text in enumerate(reading.texts):
        if isinstance(text, RefusedText):
            yield text
            continue
        if text.metadata and text.metadata.sha256 != text.content.sha256:
            yield RefusedText(text.name, text.metadata.of_other_report(text.name).problems)
            continue
        seen = reading.seen[at]
        dates = sorted(seen.dates, key=lambda date: columns.TIMESTAMPS.index(date[1]))
        problems = [*seen.damage.problems]
        problems += (local_date_problem(text, *date) for date in dates)
        if not seen.damage.problems:
            problems += _problems_of_whole(text, seen)
        if seen.newest < 0 and not problems:
            message = "no row holds a timestamp that can be read"
            problems = [Problem.of_file(text.name, message, DOWNLOAD_AGAIN)]
        if problems:
            yield RefusedText(text.name, InputRefused(first_of_columns(problems)).problems)
        else:
            yield _read_report(at, text, seen, set_as_of)


def _problems_of_whole(text: ReportText, seen: _Seen) -> Iterator[Problem]:
    """Yield the problems of a report each of whose rows can be read."""
    if not seen.rows:
        message = "the report has no data rows, not even the root's"
        yield Problem.of_file(text.name, message, DOWNLOAD_AGAIN)
        return
    for row, arn in sorted(seen.nameless):
        message = "the ARN names no account of 12 digits"
        hint = "Put 12 digits in the place of the account: arn:aws:iam::123456789012:user/ann"
        yield Problem(text.name, row, columns.ARN, arn[:LONGEST_SHOWN], message, hint)
    credentials = text.service_credentials
    if credentials and credentials.users and not seen.names:
        yield credentials.of_other_report(text.name)
    if seen.last_cell is not None:
        yield from cut_off_problems(text, seen.last_row, seen.last_cell)
    if not seen.has_boolean and seen.user_count > 1:
        message = "neither true nor false, like every such cell: a program translated them"
        cell = columns.PASSWORD_ENABLED, seen.last_password
        yield Problem(text.name, seen.last_row, *cell, message, DOWNLOAD_AGAIN)


def _read_report(at: int, text: ReportText, seen: _Seen, set_as_of: datetime | None) -> ReadReport:
    newest = datetime.fromtimestamp(seen.newest, UTC)
    own, own_source = own_as_of(text, newest)
    accounts = tuple(
        AccountRowCounts(account=account, rows=rows, roots=seen.roots[account])
        for account, rows in sorted(seen.rows.items())
        if rows
    )
    credentials = text.service_credentials
    file = ReportFile(
        name=text.name,
        sha256=text.content.sha256,
        size=text.content.size,
        as_of=set_as_of or own,
        as_of_source=AsOfSource.OPTION if set_as_of else own_source,
        baseline=own if own_source in AWS_SOURCES else newest,
        accounts=accounts,
        service_credentials=credentials.file if credentials else None,
        listed_credentials=listed_credentials(credentials.active if credentials else ()),
        # A list does not name its account.
        shows_service_credentials=bool(credentials) and len(accounts) == 1,
    )
    return ReadReport(
        text=text,
        file=file,
        newest=newest,
        own_as_of=own,
        own_source=own_source,
        at=at,
        mended=seen.damage.mended,
    )
