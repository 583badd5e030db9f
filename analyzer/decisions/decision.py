"""Hold a line of a ledger: a person's word on one user, made looking at one report."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Final, NamedTuple

from analyzer import columns
from analyzer.lists.owners import Owners
from analyzer.report.model import ReportTime
from analyzer.report.values import timestamp
from analyzer.terms import ACCOUNT_ID_PATTERN, AsOfSource, account_of
from analyzer.verdicts.caveats import SERVICE_CREDENTIAL


class Decision(StrEnum):
    """Name the words of a reviewer. To take a removal back, a person writes keep or investigate."""

    DELETE = "delete"
    DEACTIVATE = "deactivate"
    KEEP = "keep"
    INVESTIGATE = "investigate"


REMOVALS: Final = (Decision.DEACTIVATE, Decision.DELETE)
"""The decisions that change a user in AWS, the milder first: a script carries them out."""

PROGRAM: Final = "credreport"
"""The name that no person can have."""

USER_ARN: Final = re.compile(
    rf"arn:(?P<partition>aws(-[a-z0-9-]+)?):iam::(?P<account>{ACCOUNT_ID_PATTERN})"
    r":user/(.*/)?(?P<user>[^/]+)"
)
"""The ARN of an IAM user of a known account."""


def of_arn(arn: str) -> dict[str, str]:
    """Return account and name as the ARN of an IAM user has them, nothing for other texts."""
    match = USER_ARN.fullmatch(arn)
    if not match:
        return {}
    account = account_of(match["partition"], match["account"])
    return {columns.ACCOUNT: account, columns.USER: match["user"]}


class User(NamedTuple):
    """Identify a user without its path: one created again under the same name is another.

    `created` is aware and to the second, None where it is not understood.
    """

    account: str
    name: str
    created: datetime | None


# Many lines share few names.
@lru_cache(maxsize=1024)
def normal_name(name: str) -> str:
    """Return a name in lower case, with single blanks."""
    return " ".join(name.casefold().split())


def last_days(owners: Owners) -> dict[str, date]:
    """Return the last day of each person who has left, by the list of owners.

    A person has left if each of its rows says so, by name or address; the latest day counts.
    """
    days = defaultdict[str, list[date]](list)
    for entry in owners.entries:
        for name in {normal_name(entry.owner), normal_name(entry.email)}:
            days[name].append(entry.left or date.max)
    return {name: max(of_person) for name, of_person in days.items()}


def one_line(text: str) -> str:
    """Return a text in which line ends are blanks: a line of a ledger is one line of text."""
    # Most texts have none: collecting takes a twelfth less.
    return text if text.isprintable() else " ".join(text.splitlines())


class EntryPlace(NamedTuple):
    """Name the place from which an entry was read: the file, with the sheet, and the row.

    `cell` is the cell of the decision, such as `C5`, empty in a CSV.
    """

    file: str
    row: int
    cell: str = ""


@dataclass(frozen=True, kw_only=True)
class LedgerLine:
    """Hold the decision of a person on one user, and the user's row in the report.

    It was first entered in `row` of the file `workbook`; `read_from` is where it was read now.
    `user_row` are texts by the names of `columns.OF_LEDGER`, as the report gives them.
    `same_second` are the names of the users of the account that were created in the second of this
    one, its own among them, None if not known.

    Lines with equal `identity` are the same line, in any file.
    """

    decision: Decision
    decided_by: str
    decided_on: date
    ticket: str = ""
    comment: str = ""
    workbook: str = ""
    row: int = 0
    user_row: Mapping[str, str]
    same_second: frozenset[str] | None = None
    read_from: EntryPlace = field(compare=False, repr=False)
    created: datetime | None = field(init=False, repr=False)
    as_of: datetime = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Read the moments, and texts as one line; raises ValueError if as-of is not a time."""
        as_of = timestamp(self.user_row[columns.AS_OF])
        if as_of is None:
            raise ValueError(f"no as-of: {self.user_row[columns.AS_OF]!r}")
        created = timestamp(self.user_row[columns.USER_CREATION_TIME])
        object.__setattr__(self, "as_of", as_of)
        object.__setattr__(self, "created", created)
        for name in ("decided_by", "ticket", "comment"):
            object.__setattr__(self, name, one_line(getattr(self, name)))

    @property
    def is_removal(self) -> bool:
        """Return whether the user is to be deactivated or deleted; other words object to that."""
        return self.decision in REMOVALS

    @property
    def account(self) -> str:
        """Return the account of the user."""
        return self.user_row[columns.ACCOUNT]

    @property
    def arn(self) -> str:
        """Return the ARN of the user, as the report has it."""
        return self.user_row[columns.ARN]

    @property
    def user(self) -> str:
        """Return the name of the user."""
        return self.user_row[columns.USER]

    @cached_property
    def subject(self) -> User:
        """Return whom the line is about: a path counts for nothing."""
        return User(self.account, self.user, self.created)

    @property
    def identifies_user(self) -> bool:
        """Return whether ARN and creation time are known; otherwise nothing acts on the line."""
        return bool(self.created and USER_ARN.fullmatch(self.arn)) and self.arn.isprintable()

    @property
    def has_service_credential(self) -> bool:
        """Return whether a caveat shows an active service-specific credential."""
        return SERVICE_CREDENTIAL in self.user_row[columns.CAVEATS].split(";")

    @cached_property
    def person(self) -> str:
        """Return the name of the person who decided, as `normal_name` has it."""
        return normal_name(self.decided_by)

    @property
    def place(self) -> tuple[str, int]:
        """Return where the decision was first entered, in an order that does not change."""
        return self.workbook, self.row

    @property
    def place_text(self) -> str:
        """Return where the decision was first entered, in words."""
        return f"{self.workbook}, row {self.row}"

    @cached_property
    def newest_timestamp(self) -> datetime:
        """Return the newest timestamp in the user's row: the report is not older."""
        moments = (timestamp(self.user_row[name]) for name in _PAST_TIMESTAMPS)
        return max(filter(None, moments), default=_NEVER)

    @cached_property
    def report_time(self) -> datetime:
        """Return the time of the report that the decision was made on.

        `--as-of` is no time of a report: the newest timestamp of the row counts instead.
        """
        source = AsOfSource(self.user_row[columns.AS_OF_SOURCE])
        return ReportTime(self.as_of, source, self.newest_timestamp).earliest

    @cached_property
    def identity(self) -> tuple[object, ...]:
        """Return what makes lines the same: user, word, person, date, and every cell shown."""
        cells = (_as_read(name, self.user_row.get(name, "")) for name in columns.OF_LEDGER)
        entry = self.decision, self.person, self.decided_on, self.ticket, self.comment
        names = None if self.same_second is None else tuple(sorted(self.same_second))
        return *entry, names, *cells

    @property
    def entry(self) -> tuple[object, ...]:
        """Return what was entered, of whom, and on which report, whatever else the row shows."""
        return self.decision, self.person, self.decided_on, self.subject, self.as_of

    @property
    def summary(self) -> str:
        """Return the decision in one line, with name, day and ticket."""
        parts = str(self.decision), self.decided_by, self.decided_on.isoformat(), self.ticket
        return ", ".join(filter(None, parts))


_NEVER: Final = datetime.fromtimestamp(0, UTC)
_PAST_TIMESTAMPS: Final = tuple(
    name for name in columns.TIMESTAMPS if name != columns.PASSWORD_NEXT_ROTATION
)
_MOMENTS: Final = frozenset((*columns.TIMESTAMPS, columns.AS_OF))
_BOOLEANS: Final = frozenset(("true", "false"))


def _as_read(name: str, cell: str) -> object:
    """Return a cell as it is read: a time as a moment, a boolean in lower case."""
    if name in _MOMENTS:
        return timestamp(cell) or cell
    return lower if (lower := cell.lower()) in _BOOLEANS else one_line(cell)


class OpenRow(NamedTuple):
    """Name a listed user without an entry, its owner, and the as-of of its report."""

    user: User
    as_of: datetime
    owner: str = ""


def open_row(cells: Mapping[str, str]) -> OpenRow:
    """Return the user in a row of `users.csv` as an open row."""
    created = timestamp(cells[columns.USER_CREATION_TIME])
    user = User(cells[columns.ACCOUNT], cells[columns.USER], created)
    return OpenRow(user, timestamp(cells[columns.AS_OF]) or _NEVER, cells.get(columns.OWNER, ""))


def summaries(lines: Iterable[LedgerLine]) -> str:
    """Return decisions in words, each once."""
    return "; ".join(sorted({line.summary for line in lines}))


def user_names(lines: Sequence[LedgerLine]) -> list[str]:
    """Return the name of each user, after the account if there are several accounts."""
    several = len({line.account for line in lines}) > 1
    return [f"{line.account}/{line.user}" if several else line.user for line in lines]
