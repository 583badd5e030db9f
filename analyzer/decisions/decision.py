"""Hold the decisions on each user, and say which of them is in force.

A decision is a line of a ledger: what a person entered, and what the report showed of the user. Of
all lines on a user, the one in force is found in steps:

- `UserDecisions.current`: the newest line of each person on the newest day
- `UserDecisions.decisions`: those of them that are no withdrawal and no conflict
- `UserDecisions.undisputed`: the newest current line, None in a conflict or if it is a withdrawal
- `Ledger.in_force_on`: that line, None if it is to keep and has run out by the day
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import lru_cache
from operator import attrgetter
from typing import Final, NamedTuple, TypeAlias

from analyzer import columns
from analyzer.lists.owners import owner_text
from analyzer.report.model import ReportTime
from analyzer.report.values import timestamp
from analyzer.terms import ACCOUNT_ID_PATTERN, AWS_SOURCES, AsOfSource, utc_text
from analyzer.verdicts.caveats import SERVICE_CREDENTIAL


class Decision(StrEnum):
    """Name the decisions of a reviewer; only the program writes a conflict of two."""

    DELETE = "delete"
    DEACTIVATE = "deactivate"
    KEEP = "keep"
    INVESTIGATE = "investigate"
    WITHDRAW = "withdraw"
    CONFLICT = "conflict"


REMOVALS: Final = (Decision.DEACTIVATE, Decision.DELETE)
"""The decisions that change a user in AWS: a script carries them out, a follow-up shows them."""

CHOICES: Final = tuple(decision for decision in Decision if decision is not Decision.CONFLICT)
"""The decisions that a reviewer can enter."""

USER_ARN: Final = re.compile(
    rf"arn:aws(-[a-z0-9-]+)?:iam::(?P<account>{ACCOUNT_ID_PATTERN}):user/(.*/)?(?P<user>[^/]+)"
)
"""The ARN of an IAM user of a known account."""


class UserKey(NamedTuple):
    """Identify a user: one created again under the same name is another.

    `created` is aware and to the second, None where it is not understood.
    """

    arn: str
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


PersonsDay: TypeAlias = tuple[UserKey, str, date]
"""A user, a person who decided on it, and the day."""


class EntryPlace(NamedTuple):
    """Name the place from which an entry was read: the file, with the sheet, and the row.

    `cell` is the cell of the decision, such as `C5`, empty in a CSV.
    """

    file: str
    row: int
    cell: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLine:
    """Hold the decision of a person on one user, and the user's row in the report.

    It was entered in `row` of `sheet` of the file `workbook` with that `sha256`; `sheet` is empty
    for a CSV. `read_from` is where it was read now: in the ledger, if it was collected before.
    The report shows nothing after `baseline`. `same_second` are the names of the other users that
    were created in the same second, None if not known. `service_credentials` are the services of
    active credentials in AWS's list, empty for none or if there was no list. `user_row` are texts
    by the names of `columns.OF_USERS_CSV`.

    Lines with equal `content` (user, as-of and entries) are the same decision, in any file; lines
    with equal `identity` are copies of one line of a ledger. `id(line)` tells apart the lines that
    one call has read.
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
    user_row: Mapping[str, str]
    read_from: EntryPlace = field(compare=False, repr=False)
    user_key: UserKey = field(init=False, repr=False)
    as_of: datetime = field(init=False, repr=False)
    content: tuple[object, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Read the moments once; raises ValueError if as-of is not a time."""
        as_of = timestamp(self.user_row[columns.AS_OF])
        if as_of is None:
            raise ValueError(f"no as-of: {self.user_row[columns.AS_OF]!r}")
        created = timestamp(self.user_row[columns.USER_CREATION_TIME])
        object.__setattr__(self, "as_of", as_of)
        user_key = UserKey(self.user_row[columns.ARN], created)
        object.__setattr__(self, "user_key", user_key)
        entered = self.decision, self.person, self.decided_on, self.ticket, self.comment
        object.__setattr__(self, "content", (user_key, as_of, *entered))

    @property
    def account(self) -> str:
        """Return the account of the user."""
        return self.user_row[columns.ACCOUNT]

    @property
    def user(self) -> str:
        """Return the name of the user."""
        return self.user_row[columns.USER]

    @property
    def creation_second(self) -> CreationSecond:
        """Return the account, and when the user was created."""
        return self.account, self.user_key.created

    @property
    def user_report_key(self) -> tuple[str, str, str]:
        """Return the user as one report showed it, as text: ARN, creation and as-of."""
        arn, created = self.user_key
        return arn, utc_text(created) if created else "", utc_text(self.as_of)

    @property
    def name_with_path(self) -> str:
        """Return path and name of the user."""
        return self.user_key.arn.partition(":user/")[2]

    @property
    def owner(self) -> str:
        """Return the owner of the user, with address and last day, empty if none is known."""
        return owner_text(*(self.user_row.get(name, "") for name in columns.OWNERSHIP))

    @property
    def root_arn(self) -> str:
        """Return the ARN of the root, which every whole report of the account has."""
        return f"{self.user_key.arn.partition(':user/')[0]}:root"

    @property
    def identifies_user(self) -> bool:
        """Return whether ARN and creation time are known; otherwise nothing acts on the line."""
        arn, created = self.user_key
        return bool(created and USER_ARN.fullmatch(arn)) and arn.isprintable()

    @property
    def has_service_credential(self) -> bool:
        """Return whether AWS's list showed an active one; in `users.csv`, a caveat shows it."""
        has_caveat = SERVICE_CREDENTIAL in self.user_row[columns.CAVEATS].split(";")
        return bool(self.service_credentials) or has_caveat

    @property
    def person(self) -> str:
        """Return the name of the person who decided, as `normal_name` has it."""
        return normal_name(self.decided_by)

    @property
    def persons_day(self) -> PersonsDay:
        """Return the user, the person who decided, and the day."""
        return self.user_key, self.person, self.decided_on

    @property
    def place(self) -> str:
        """Return where the decision was entered."""
        sheet = f", sheet {self.sheet}" if self.sheet else ""
        return f"{self.workbook}{sheet}, row {self.row}"

    @property
    def entered(self) -> tuple[str, ...]:
        """Return the entries of the person, as text."""
        day = self.decided_on.isoformat()
        return str(self.decision), self.decided_by, day, self.ticket, self.comment

    @property
    def identity(self) -> tuple[object, ...]:
        """Return a value that is equal for copies of one line of a ledger."""
        return self.content, self.sha256, self.sheet, self.row

    @property
    def report_time(self) -> ReportTime:
        """Return the time of the report that the decision was made on."""
        source = AsOfSource(self.user_row[columns.AS_OF_SOURCE])
        return ReportTime(self.as_of, source, self.baseline)

    @property
    def summary(self) -> str:
        """Return the decision in one line, with name, day and ticket."""
        parts = str(self.decision), self.decided_by, self.decided_on.isoformat(), self.ticket
        return ", ".join(filter(None, parts))


@dataclass(frozen=True, slots=True)
class UserDecisions:
    """Hold the lines on one user in the order in which they count, and the current ones.

    `current` has the newest decision of each person on the newest day; different ones are a
    conflict. It has a line `conflict` if the decisions in that conflict are not there, since one
    was lost. `conflicts` are the unresolved pairs of different decisions of one day.
    """

    lines: tuple[LedgerLine, ...] = ()
    current: tuple[LedgerLine, ...] = ()
    conflicts: tuple[tuple[LedgerLine, LedgerLine], ...] = ()

    @property
    def decisions(self) -> tuple[LedgerLine, ...]:
        """Return the current lines that are a decision of a person, and no withdrawal."""
        return tuple(line for line in self.current if line.decision not in _NO_DECISION)

    @property
    def is_conflict(self) -> bool:
        """Return whether different people decided differently on the newest day."""
        return _differ(self.current)

    @property
    def undisputed(self) -> LedgerLine | None:
        """Return the newest decision, None if it is in conflict or withdrawn.

        It is in force, unless it is one to keep that has run out (`Ledger.in_force_on`).
        """
        if not self.current or self.is_conflict:
            return None
        newest = self.current[-1]
        return None if newest.decision is Decision.WITHDRAW else newest


UNDECIDED: Final = UserDecisions()
"""The decisions on a user without any."""


class OpenRow(NamedTuple):
    """Name a listed user without an entry, its owner, and the as-of of its report.

    `earlier` is the earlier decision that the list shows, in words.
    """

    user_key: UserKey
    as_of: datetime
    owner: str = ""
    earlier: str = ""

    def is_decided(self, by_user: Mapping[UserKey, UserDecisions]) -> bool:
        """Return whether a current decision on the user was made on this report."""
        decisions = by_user.get(self.user_key, UNDECIDED).decisions
        return any(line.as_of == self.as_of for line in decisions)


class FollowUpRow(NamedTuple):
    """Hold an earlier decision in a follow-up; `texts` are ARN, user and entries, in this order.

    `sha256` is that of the file in which the decision was entered.
    """

    place: EntryPlace
    sha256: str
    texts: tuple[str, ...]


def open_row(cells: Mapping[str, str]) -> OpenRow:
    """Return the user in a row of `users.csv` as an open row."""
    user = UserKey(cells[columns.ARN], timestamp(cells[columns.USER_CREATION_TIME]))
    return OpenRow(user, timestamp(cells[columns.AS_OF]) or _NEVER, cells.get(columns.OWNER, ""))


def decisions_by_user(lines: Iterable[LedgerLine]) -> dict[UserKey, UserDecisions]:
    """Return the decisions on each user, by user in the order of their first line.

    If a line has copies, as after a merge in git, the first counts: a later copy would put a
    decision back in force that was given up since.
    """
    return {user: _user_decisions(of) for user, of in lines_by_user(lines).items()}


def lines_by_user(lines: Iterable[LedgerLine]) -> dict[UserKey, list[LedgerLine]]:
    """Return the lines on each user, by user in the order of their first line."""
    by_user: dict[UserKey, list[LedgerLine]] = {}
    for line in lines:
        by_user.setdefault(line.user_key, []).append(line)
    return by_user


def _first_copies(lines: Sequence[LedgerLine]) -> Sequence[LedgerLine]:
    copies: dict[tuple[object, ...], LedgerLine] = {}
    for line in lines:
        copies.setdefault(line.identity, line)
    return [*copies.values()]


_day: Final = attrgetter("decided_on")
_NO_DECISION: Final = (Decision.WITHDRAW, Decision.CONFLICT)


def _user_decisions(lines: Sequence[LedgerLine]) -> UserDecisions:
    """Return the decisions in the lines on one user; a withdrawn decision is in no conflict."""
    if len(lines) == 1:
        return UserDecisions((*lines,), (*lines,))
    lines = _first_copies(lines)
    places = {id(line): at for at, line in enumerate(lines)}
    # `sorted` is stable: lines of one day stay in the order of the ledger.
    ordered = sorted(lines, key=_day)
    current: Mapping[str, LedgerLine] = {}
    conflicts: dict[date, tuple[LedgerLine, LedgerLine]] = {}
    day = date.min
    for line in ordered:
        if line.decision is Decision.WITHDRAW:
            conflicts.pop(day, None)
        known = {
            who: before for who, before in current.items() if places[id(before)] < places[id(line)]
        }
        current, day = _current_after(line, current, day, known)
        if line.decision is Decision.CONFLICT:
            continue
        conflicts.pop(day, None)
        decisions = [line for who, line in current.items() if who]
        if _differ(decisions):
            first, *others = decisions
            differing = (other for other in others if other.decision is not first.decision)
            conflicts[day] = first, next(differing)
    return UserDecisions(tuple(ordered), tuple(current.values()), tuple(conflicts.values()))


def _current_after(
    line: LedgerLine,
    current: Mapping[str, LedgerLine],
    day: date,
    known: Mapping[str, LedgerLine],
) -> tuple[Mapping[str, LedgerLine], date]:
    """Return the current decisions by person after a line, and their day.

    `current` and `day` are those before it; `known` are the current ones collected before it.

    - A decision of a newer day replaces all of earlier days; on one day, the newest of each person
      counts.
    - In a known conflict, a withdrawal takes back the decision of its person; those of others stay.
    - A person who withdraws their own decision of the day leaves none in force.
    - A person who withdraws the decision of another has decided too: the withdrawal counts.
    - A line `conflict` whose two decisions are not there keeps those of its day out of force, until
      one is withdrawn. Its key is "", which is no person's name.
    """
    of_day = current if line.decided_on == day else {}
    if line.decision is Decision.CONFLICT:
        return of_day if _differ(of_day.values()) else {**of_day, "": line}, line.decided_on
    if line.decision is not Decision.WITHDRAW:
        of_others = {who: other for who, other in of_day.items() if who != line.person}
        return {**of_others, line.person: line}, line.decided_on
    own = known.get(line.person)
    has_decision = own is not None and own.decision is not Decision.WITHDRAW
    if has_decision and _differ(known.values()):
        return {who: other for who, other in current.items() if who not in ("", line.person)}, day
    takes_own_back = has_decision and line.decided_on == day
    return {} if takes_own_back else {line.person: line}, line.decided_on


def _differ(lines: Iterable[LedgerLine]) -> bool:
    decisions = {line.decision for line in lines}
    return len(decisions) > 1 or Decision.CONFLICT in decisions


def user_names(lines: Sequence[LedgerLine]) -> list[str]:
    """Return the name of each user, after the account if there are several accounts."""
    several = len({line.account for line in lines}) > 1
    return [f"{line.account}/{line.user}" if several else line.user for line in lines]
