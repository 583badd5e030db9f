"""Hold a line of a ledger: what a person entered, and what the report showed of the user."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Final, NamedTuple, TypeAlias

from analyzer import columns
from analyzer.limits import Criteria
from analyzer.lists.owners import owner_text
from analyzer.report.model import ReportFile, ReportTime
from analyzer.report.values import timestamp
from analyzer.terms import ACCOUNT_ID_PATTERN, AWS_SOURCES, AsOfSource, utc_text
from analyzer.verdicts.caveats import SERVICE_CREDENTIAL


class Decision(StrEnum):
    """Name the words of a reviewer, and the facts that only the program writes."""

    DELETE = "delete"
    DEACTIVATE = "deactivate"
    KEEP = "keep"
    INVESTIGATE = "investigate"
    WITHDRAW = "withdraw"
    GONE = "gone"
    DEACTIVATED = "deactivated"
    OVERTAKEN = "overtaken"


REMOVALS: Final = (Decision.DEACTIVATE, Decision.DELETE)
"""The decisions that change a user in AWS: a script carries them out, a follow-up shows them."""

FACTS: Final = (Decision.GONE, Decision.DEACTIVATED, Decision.OVERTAKEN)
"""What the program writes of a report: no person's word."""

CHOICES: Final = tuple(decision for decision in Decision if decision not in FACTS)
"""The decisions that a reviewer can enter."""

PROGRAM: Final = "credreport"
"""The name in `decided_by` of a fact."""

IDLE_LIMIT: Final = Criteria().idle_days
"""The days without use from which a user is idle, for a line that has no limit of its own."""

USER_ARN: Final = re.compile(
    rf"arn:aws(-[a-z0-9-]+)?:iam::(?P<account>{ACCOUNT_ID_PATTERN}):user/(.*/)?(?P<user>[^/]+)"
)
"""The ARN of an IAM user of a known account."""


class User(NamedTuple):
    """Identify a user without its path: one created again under the same name is another.

    `created` is aware and to the second, None where it is not understood.
    """

    account: str
    name: str
    created: datetime | None


CreationSecond: TypeAlias = tuple[str, datetime | None]
"""An account, and the second in which users of it were created, None if not known.

A renamed user keeps it, and a script can create many users in one second.
"""


def baseline_in_row(cells: Mapping[str, str]) -> datetime:
    """Return the moment from which "since" counts, as far as a row of `users.csv` shows it.

    It is as-of if AWS gives it, else the newest timestamp of the row, which is not later than that
    of the report.
    """
    past = (name for name in columns.TIMESTAMPS if name != columns.PASSWORD_NEXT_ROTATION)
    is_of_report = cells[columns.AS_OF_SOURCE] in (*AWS_SOURCES, AsOfSource.ASSUMED)
    moments = (timestamp(cells[name]) for name in ((columns.AS_OF,) if is_of_report else past))
    return max(filter(None, moments), default=_NEVER)


_NEVER: Final = datetime.fromtimestamp(0, UTC)


# Many lines share few names.
@lru_cache(maxsize=1024)
def normal_name(name: str) -> str:
    """Return a name in lower case, with single blanks."""
    return " ".join(name.casefold().split())


def one_line(text: str) -> str:
    """Return a text in which line ends are blanks: a line of a ledger is one line of text."""
    return " ".join(text.splitlines())


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

    It was entered in `row` of `sheet` of the file `workbook` with that `sha256`; `sheet` is empty
    for a CSV. `read_from` is where it was read now: in the ledger, if it was collected before.
    The report shows nothing after `baseline`. `same_second` are the names of the other users that
    were created in the same second, None if not known. `service_credentials` are the services of
    active credentials in AWS's list, empty for none or if there was no list. The verdict was judged
    with `idle_limit`, in days. `user_row` are texts by the names of `columns.OF_USERS_CSV`.

    Lines with equal `identity` (entries and every cell shown) are the same line, in any file.
    """

    decision: Decision
    decided_by: str
    decided_on: date
    ticket: str = ""
    comment: str = ""
    workbook: str = ""
    sha256: str = ""
    sheet: str = ""
    row: int = 0
    baseline: datetime
    same_second: frozenset[str] | None = None
    service_credentials: str = ""
    idle_limit: int = IDLE_LIMIT
    user_row: Mapping[str, str]
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

    @property
    def creation_second(self) -> CreationSecond:
        """Return the account, and when the user was created."""
        return self.account, self.created

    @property
    def owner(self) -> str:
        """Return the owner of the user, with address and last day, empty if none is known."""
        return owner_text(*(self.user_row.get(name, "") for name in columns.OWNERSHIP))

    @property
    def identifies_user(self) -> bool:
        """Return whether ARN and creation time are known; otherwise nothing acts on the line."""
        return bool(self.created and USER_ARN.fullmatch(self.arn)) and self.arn.isprintable()

    @property
    def has_service_credential(self) -> bool:
        """Return whether AWS's list showed an active one; in `users.csv`, a caveat shows it."""
        has_caveat = SERVICE_CREDENTIAL in self.user_row[columns.CAVEATS].split(";")
        return bool(self.service_credentials) or has_caveat

    @cached_property
    def person(self) -> str:
        """Return the name of the person who decided, as `normal_name` has it."""
        return normal_name(self.decided_by)

    @property
    def place(self) -> tuple[str, str, int, str]:
        """Return where the decision was first entered, in an order that does not change."""
        return self.workbook, self.sheet, self.row, self.sha256

    @property
    def place_text(self) -> str:
        """Return where the decision was first entered, in words."""
        sheet = f", sheet {self.sheet}" if self.sheet else ""
        return f"{self.workbook}{sheet}, row {self.row}"

    @cached_property
    def identity(self) -> tuple[object, ...]:
        """Return what makes lines the same: user, word, person, date, baseline, every cell shown.

        A fact of the program is one of a report.
        """
        of_report = (self.sha256,) if self.is_fact else (self.ticket, self.comment, self.baseline)
        cells = (_as_read(name, self.user_row.get(name, "")) for name in columns.OF_USERS_CSV)
        return self.decision, self.person, self.decided_on, *of_report, *cells

    @property
    def is_fact(self) -> bool:
        """Return whether the program wrote the line."""
        return self.decision in FACTS

    @cached_property
    def subject(self) -> User:
        """Return whom the line is about: a path counts for nothing."""
        return User(self.account, self.user, self.created)

    @cached_property
    def report_time(self) -> ReportTime:
        """Return the time of the report that the decision was made on."""
        source = AsOfSource(self.user_row[columns.AS_OF_SOURCE])
        return ReportTime(self.as_of, source, self.baseline)

    @cached_property
    def earliest(self) -> datetime:
        """Return the earliest time that the report decided on can have."""
        return self.report_time.earliest

    @property
    def summary(self) -> str:
        """Return the decision in one line, with name, day and ticket."""
        parts = str(self.decision), self.decided_by, self.decided_on.isoformat(), self.ticket
        return ", ".join(filter(None, parts))


_MOMENTS: Final = frozenset((*columns.TIMESTAMPS, columns.AS_OF))
_BOOLEANS: Final = frozenset(("true", "false"))


def _as_read(name: str, cell: str) -> object:
    """Return a cell as it is read: a time as a moment, a boolean in lower case."""
    if name in _MOMENTS:
        return timestamp(cell) or cell
    return lower if (lower := cell.lower()) in _BOOLEANS else one_line(cell)


def fact_line(fact: Decision, line: LedgerLine, file: ReportFile) -> LedgerLine:
    """Return the line by which the program remembers what a report shows of the user of a line.

    It has the user without a path, the fact, as-of with its source, and SHA-256; nothing else.
    """
    shown = {
        columns.ACCOUNT: line.account,
        columns.USER: line.user,
        columns.ARN: re.sub(":user/.*", f":user/{line.user}", line.arn),
        columns.USER_CREATION_TIME: utc_text(created) if (created := line.created) else "",
        columns.AS_OF: utc_text(file.as_of),
        columns.AS_OF_SOURCE: str(file.as_of_source),
    }
    return LedgerLine(
        decision=fact,
        decided_by=PROGRAM,
        decided_on=file.as_of.date(),
        sha256=file.sha256,
        baseline=file.baseline,
        user_row={**dict.fromkeys(columns.OF_USERS_CSV, ""), **shown},
        read_from=line.read_from,
    )


class OpenRow(NamedTuple):
    """Name a listed user without an entry, its owner, and the as-of of its report.

    `earlier` is the earlier decision that the list shows, in words.
    """

    user: User
    as_of: datetime
    owner: str = ""
    earlier: str = ""


def open_row(cells: Mapping[str, str]) -> OpenRow:
    """Return the user in a row of `users.csv` as an open row."""
    created = timestamp(cells[columns.USER_CREATION_TIME])
    user = User(cells[columns.ACCOUNT], cells[columns.USER], created)
    return OpenRow(user, timestamp(cells[columns.AS_OF]) or _NEVER, cells.get(columns.OWNER, ""))


def user_names(lines: Sequence[LedgerLine]) -> list[str]:
    """Return the name of each user, after the account if there are several accounts."""
    several = len({line.account for line in lines}) > 1
    return [f"{line.account}/{line.user}" if several else line.user for line in lines]
