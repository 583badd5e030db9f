"""Keep decisions in plain Python: a second reading of the law that shares no code with analyzer.

It is written to be read beside section 6 of the definitions, one small function a rule, and is as
slow as that makes it. It works on the cells of reports as text, and on moments. Where the law can
be read in two ways, the docstring says which one is taken here, and why.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, cached_property
from itertools import permutations
from operator import attrgetter
from typing import Literal, NamedTuple

from tests.support.verdict_oracle import (
    NO_PLACE,
    SLOTS,
    USE,
    Terms,
    boolean,
    judge_user,
    moment,
    read_user,
)

Cells = dict[str, str]
Never = Literal["never"]
NEVER: Never = "never"
When = datetime | Never | None
"""A moment, the word that there is none, or nothing where the cell does not say."""

Key = tuple[str, datetime | None]
"""The ARN and the creation time of a user."""

KEEP_DAYS, DUE_DAYS = 180, 30
A_DAY = timedelta(days=1)

ENTERED = ("decision", "decided_by", "decided_on", "ticket", "comment")
REMOVALS = ("delete", "deactivate")
OF_AWS = ("envelope", "metadata", "file-name")

USER_ARN = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):user/(.*/)?([^/]+)")


# Section 1: when a report is


@dataclass(frozen=True, eq=False)
class Report:
    """Hold one report of one account: its rows as text, as-of, and how that is known.

    `newest` is the newest timestamp of the file, which may have other accounts too.
    """

    account: str
    as_of: datetime
    source: str
    newest: datetime
    rows: tuple[Cells, ...]

    @cached_property
    def users(self) -> list[Cells]:
        """All rows of an ARN are one user."""
        by_arn: dict[str, Cells] = {}
        for row in self.rows:
            if not is_root(row):
                by_arn.setdefault(user_key(row)[0], row)
        return [*by_arn.values()]


def reports_of(
    rows: Iterable[Cells], as_of: datetime, source: str, newest: datetime
) -> list[Report]:
    """A file may have the reports of several accounts, which the ARNs name."""
    by_account: dict[str, list[Cells]] = {}
    for row in rows:
        by_account.setdefault(row["arn"].split(":")[4], []).append(row)
    return [Report(account, as_of, source, newest, (*own,)) for account, own in by_account.items()]


def newest_timestamp(rows: Iterable[Cells]) -> datetime:
    """A password's next rotation lies ahead; every other timestamp is of something that was."""
    timestamps = (
        at.replace(microsecond=0)
        for row in rows
        for column, raw in row.items()
        if column != "password_next_rotation" and (at := moment(raw))
    )
    return max(timestamps, default=datetime.min.replace(tzinfo=UTC))


def moment_acted_on(report: Report, newest: datetime) -> datetime:
    """Where something is done because of a report, a day without a time is its start.

    It is never --as-of. Taken here: not the start of the day where the newest timestamp proves that
    the report is from later on.
    """
    if report.source == "option":
        return newest
    if report.source != "folder":
        return report.as_of
    return max(start_of(report.as_of.date()), newest)


def start_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def baseline(report: Report, cells: Cells) -> datetime:
    """ "Since" counts from AWS's own as-of, else from the newest timestamp.

    That is never a day without a time, and never --as-of. A row of `users.csv` shows its own
    timestamps only; the newest of them is earlier, so more counts as having happened since.
    """
    if report.source in (*OF_AWS, "assumed"):
        return report.as_of
    return newest_timestamp([cells])


# Section 1: what a row says of a user


@dataclass(frozen=True)
class Credential:
    """Hold what a slot says of an access key or a certificate."""

    active: bool | None
    created: When
    used: When = NEVER

    @property
    def is_absent(self) -> bool:
        """A slot is empty if it is not active and has no date."""
        return self.active is False and self.created == NEVER


class State(NamedTuple):
    """Hold the cells that count for a decision: what the reviewer saw, or a later report shows."""

    password: bool | None
    signed_in: When
    changed: When
    mfa: bool | None
    keys: tuple[Credential, ...]
    certificates: tuple[Credential, ...]
    more: bool | None
    """Whether there are more keys or certificates than the slots show."""


@cache
def when(raw: str | None, *never: str) -> When:
    """A date, one of the words that AWS writes where there is none, or not understood."""
    at = moment(raw)
    if at is None:
        return NEVER if raw in never else None
    return at.replace(microsecond=0)


@cache
def is_masked(arn: str) -> bool:
    """An ARN that names no account of 12 digits leaves open which user it is."""
    return USER_ARN.fullmatch(arn) is None


def read_key(cells: Cells, slot: int) -> Credential:
    """`last_rotated` is when a key was created; a key that was used cannot be absent."""
    key = read_credential(cells, f"access_key_{slot}")
    uses = {cells.get(f"access_key_{slot}_last_used_{each}") for each in USE}
    created = None if key.is_absent and uses - NO_PLACE else key.created
    return replace(
        key, created=created, used=when(cells.get(f"access_key_{slot}_last_used_date"), "N/A")
    )


def read_credential(cells: Cells, thing: str) -> Credential:
    """A key or certificate is active, inactive or absent: false and N/A.

    Of an active one N/A says nothing. Taken here: where the cell that says if it is active is not
    understood, N/A says that there is none, so that any one that is there later is new.
    """
    active = boolean(cells.get(f"{thing}_active"))
    created = when(cells.get(f"{thing}_last_rotated"), "N/A")
    return Credential(active, None if active is True and created == NEVER else created)


def read_state(cells: Cells) -> State:
    """A column that is missing, and a cell that is not understood, say nothing."""
    return State(
        password=boolean(cells.get("password_enabled")),
        signed_in=when(cells.get("password_last_used"), "N/A", "no_information"),
        changed=when(cells.get("password_last_changed"), "N/A"),
        mfa=boolean(cells.get("mfa_active")),
        keys=tuple(read_key(cells, slot) for slot in SLOTS),
        certificates=tuple(read_credential(cells, f"cert_{slot}") for slot in SLOTS),
        more=read_more(cells.get("additional_credentials_info", "")),
    )


def read_more(raw: str) -> bool:
    """What the cell says of more credentials."""
    return raw not in ("", "N/A")


def user_key(cells: Cells) -> Key:
    """A user is its ARN and its creation time: one created again is another.

    Where the ARN is the same for several, as a masked one can be, the name is in it too.
    """
    arn = cells["arn"]
    if is_masked(arn) and not arn.endswith(f"/{cells['user']}"):
        arn = f"{arn}/{cells['user']}"
    created = when(cells.get("user_creation_time"))
    return arn, created if isinstance(created, datetime) else None


def rows_of_user(report: Report, cells: Cells) -> list[Cells]:
    arn = user_key(cells)[0]
    return [row for row in report.rows if not is_root(row) and user_key(row)[0] == arn]


def is_root(cells: Cells) -> bool:
    return cells["user"] == "<root_account>"


# What a person entered


class Entry(NamedTuple):
    """Hold a row of a list: what is entered, what identifies the user, and the report behind it."""

    file: str
    row: int
    entered: Cells
    shown: Cells
    cells: Cells
    report: Report


@dataclass(frozen=True)
class Line:
    """Hold a decision as it is collected."""

    decision: str
    person: str
    day: date
    ticket: str
    comment: str
    file: str
    row: int
    cells: Cells
    report: Report
    account: str
    """As the ARN has it, failing that as the row of the list has it."""
    content: int = 0
    """Stands for the bytes of the file."""

    @cached_property
    def user(self) -> Key:
        return user_key(self.cells)

    @cached_property
    def made_on(self) -> datetime:
        return moment_acted_on(self.report, newest_timestamp([self.cells]))


def text(entry: Entry, column: str) -> str:
    """Blanks around a cell are trimmed, and one apostrophe of a spreadsheet goes."""
    return entry.entered[column].strip().removeprefix("'").strip()


def is_open(entry: Entry) -> bool:
    """A row in which nothing is entered is no entry."""
    return not any(text(entry, column) for column in ENTERED)


def content_of(file: Iterable[Entry]) -> int:
    rows = [(*each.shown.items(), *each.entered.items()) for each in file]
    return hash(tuple(rows))


def line_of(entry: Entry, content: int) -> Line:
    word, person, day, ticket, comment = (text(entry, column) for column in ENTERED)
    account = entry.report.account if USER_ARN.fullmatch(entry.shown["arn"]) else None
    of_row = entry.file, entry.row, entry.cells, entry.report, account or entry.shown["account"]
    decided = word.lower(), person.lower(), date.fromisoformat(day), ticket, comment
    return Line(*decided, *of_row, content)


# What stands


@dataclass
class Standing:
    """Hold what stands of the lines on one user, each person's decision of one day.

    `conflicts` has the decisions of each day on which people differ, unless that was settled since.
    """

    day: date = date.min
    decisions: dict[str, Line] = field(default_factory=dict)
    conflicts: dict[date, tuple[Line, ...]] = field(default_factory=dict)

    @property
    def is_conflict(self) -> bool:
        """People who decide differently on one day are in conflict."""
        return len({line.decision for line in self.decisions.values()}) > 1

    @property
    def undisputed(self) -> Line | None:
        """The latest counts; after a withdrawal or in conflict there is none."""
        if not self.decisions or self.is_conflict:
            return None
        *_, latest = self.decisions.values()
        return None if latest.decision == "withdraw" else latest


def decide(standing: Standing, line: Line) -> None:
    """A later day replaces what was; on the same day a person's later one replaces the own."""
    if line.day > standing.day:
        standing.decisions, standing.day = {}, line.day
    standing.decisions.pop(line.person, None)
    standing.decisions[line.person] = line


def withdraw(standing: Standing, line: Line, before: Sequence[Line]) -> None:
    """To withdraw ends what stands, and nothing earlier revives.

    In a conflict it takes back that person's decision only, and the other one's is in force. Taken
    here: in a conflict that was known, as both stood in the ledger `before`. Who
    withdraws the own decision of that day has none left; who withdraws another's has decided too,
    and a third decision of that day by somebody else is a conflict with it.
    """
    own = standing.decisions.get(line.person)
    known = [each for each in standing.decisions.values() if is_one_of(each, before)]
    was_conflict = own in known and len({each.decision for each in known}) > 1
    if was_conflict and own and own.decision != "withdraw":
        del standing.decisions[line.person]
        return
    had_decided = own is not None and own.decision != "withdraw" and standing.day == line.day
    standing.conflicts.pop(standing.day, None)
    standing.decisions = {} if had_decided else {line.person: line}
    standing.day = line.day


def standing_of(lines: Iterable[Line]) -> Standing:
    """Lines count by their day, then by their place in the ledger (which `lines` is ordered by)."""
    standing, ledger = Standing(), [*lines]
    for place, line in sorted(enumerate(ledger), key=lambda each: each[1].day):
        if line.decision == "withdraw":
            withdraw(standing, line, ledger[:place])
        else:
            decide(standing, line)
        standing.conflicts.pop(standing.day, None)
        if standing.is_conflict:
            standing.conflicts[standing.day] = (*standing.decisions.values(),)
    return standing


def standings(lines: Iterable[Line]) -> dict[Key, Standing]:
    by_user: dict[Key, list[Line]] = {}
    for line in lines:
        by_user.setdefault(line.user, []).append(line)
    return {user: standing_of(each) for user, each in by_user.items()}


def in_force_on(day: date, standing: Standing) -> Line | None:
    """A keep runs out after its days; until the last of them, that day included, it is in force."""
    line = standing.undisputed
    if line and line.decision == "keep" and day > line.day + KEEP_DAYS * A_DAY:
        return None
    return line


# Collecting


class LedgerUpdate(NamedTuple):
    """Hold what a call adds, or the rows for which it is refused."""

    lines: tuple[Line, ...]
    refused: frozenset[tuple[str, int]] = frozenset()
    added: tuple[Line, ...] = ()
    conflicts: frozenset[tuple[Key, date]] = frozenset()


DECISION = attrgetter("user", "person", "day", "decision", "ticket", "comment", "report.as_of")
"""A decision is what a person decided on one user, on one report."""


def is_same_decision(one: Line, other: Line) -> bool:
    return bool(DECISION(one) == DECISION(other))


def is_already_there(
    line: Line, ledger: Sequence[Line], entered: Sequence[Line], collected: Sequence[Line]
) -> bool:
    """A decision that was collected before is not collected again, wherever it stands.

    One that the person has given up since is made anew where it is put back: in the file of the
    decision that replaced it, which stands nowhere any more. To remove a user, it takes more than
    another ticket or comment, and more than to put it back: the file may be a copy of an older one.
    Nothing earlier revives by a file that was collected before, to the byte, and no removal by an
    older report than its person decided so on.

    Taken here: in any file, against the removal that another person decides on that day, as no
    decision is lost without a word.
    """
    own = [each for each in ledger if (each.user, each.person) == (line.user, line.person)]
    of_day = [each for each in own if each.day == line.day]
    if not of_day:
        return False
    last = of_day[-1]
    if is_same_decision(line, last):
        return True
    before = [each for each in of_day if is_same_decision(line, each)]
    if line.decision in REMOVALS and line.decision != last.decision:
        before = [
            each
            for each in of_day
            if each.decision == line.decision and each.report.as_of == line.report.as_of
        ]
        before += [
            each
            for each in collected
            if (each.user, each.person) == (line.user, line.person)
            if each.decision == line.decision and each.report.as_of > line.report.as_of
        ]
    if not before:
        return False
    if loss(line) > loss(last):
        return True
    is_old_file = any(each.content == line.content for each in collected)
    still_stands = any(is_same_decision(last, each) for each in entered)
    is_put_back = line.file == last.file or (
        line.decision not in REMOVALS and is_removed_by_another(line, collected, entered)
    )
    return is_old_file or still_stands or not is_put_back


def loss(line: Line) -> int:
    """Deleting a user takes more than deactivating, and that more than anything else."""
    return {"delete": 2, "deactivate": 1}.get(line.decision, 0)


def is_removed_by_another(line: Line, ledger: Sequence[Line], entered: Sequence[Line]) -> bool:
    """Whether somebody else removes the user that day: as it stands, or by what is entered now."""
    standing = standing_of(each for each in ledger if each.user == line.user)
    fresh = [
        each
        for each in entered
        if each.user == line.user and not any(is_same_decision(each, known) for known in ledger)
    ]
    return any(
        each.decision in REMOVALS and each.person != line.person and each.day == line.day
        for each in (*standing.decisions.values(), *fresh)
    )


def is_on_older_report(line: Line, others: Iterable[Line]) -> bool:
    """A decision must not rest on an older report than the one that is in force.

    Taken here: to take more from a user than that one does, it must be sure that the report is not
    older: what spares the user may be from the end of a day without a time. Of two reports whose
    time --as-of set, that time says which is newer, and also of one where that spares the user.
    """
    force = standing_of(each for each in others if each.user == line.user).undisputed
    if force is None:
        return False
    return is_of_older_report(line, force)


def is_of_older_report(line: Line, force: Line) -> bool:
    is_another = line.report.as_of != force.report.as_of
    takes_more = loss(line) > loss(force)
    if line.report.source == "option" and (force.report.source == "option" or not takes_more):
        return line.report.as_of < force.report.as_of
    if is_another and takes_more:
        return line.made_on < force.report.as_of
    return line.made_on < force.made_on


def is_repetition(line: Line, ledger: Iterable[Line], new: Iterable[Line]) -> bool:
    """The word in force of the same person on a newer report has it already.

    Taken here: not where another word on the user is new, as either may be the later one.
    """
    force = standing_of(each for each in ledger if each.user == line.user).undisputed
    if force is None or line.person != force.person or not is_of_older_report(line, force):
        return False
    return {each.decision for each in new if each.user == line.user} == {force.decision}


def on_older_reports(new: Sequence[Line], ledger: Sequence[Line]) -> list[Line]:
    """Each new line is compared with what is in force in the ledger, and with what it follows.

    Taken here: what is refused itself does not count for those that follow.
    """
    refused: list[Line] = []
    valid = [*ledger]
    for line in sorted(new, key=lambda each: each.day):
        followed = [each for each in valid if each.day <= line.day]
        is_refused = is_on_older_report(line, ledger) or is_on_older_report(line, followed)
        (refused if is_refused else valid).append(line)
    return refused


def on_newer_reports(new: Sequence[Line], ledger: Sequence[Line]) -> list[Line]:
    """A decision on a newer report must not come behind one on an older report that stands.

    By its own day that one would have been refused, had this one been collected before.
    """
    users = {line.user for line in new}
    of_users = {user: [each for each in (*ledger, *new) if each.user == user] for user in users}
    hidden = {user for user, lines in of_users.items() if stands_on_older_report(lines)}
    return [line for line in new if line.user in hidden]


def stands_on_older_report(lines: Sequence[Line]) -> bool:
    """Day by day, what is on an older report than what was in force then is an older view."""
    valid: list[Line] = []
    for line in sorted(lines, key=lambda each: each.day):
        if not is_on_older_report(line, valid):
            valid.append(line)
    return any(not is_one_of(line, valid) for line in standing_of(lines).decisions.values())


def new_conflicts(
    lines: Sequence[Line], new: Sequence[Line]
) -> dict[tuple[Key, date], tuple[Line, ...]]:
    """Two people, one user, one day, other decisions: each conflict that a new line is part of."""
    return {
        (user, day): pair
        for user, standing in standings(lines).items()
        for day, pair in standing.conflicts.items()
        if any(is_one_of(line, new) for line in pair)
    }


def in_conflict(ledger: Sequence[Line], files: Sequence[Sequence[Line]]) -> list[Line]:
    """Files have no order in time, so that a conflict in any order of them is one."""
    orders = [[line for file in order for line in file] for order in permutations(files)]
    return [
        line
        for new in orders
        for pair in new_conflicts([*ledger, *new], new).values()
        for line in pair
        if is_one_of(line, new)
    ]


def without_order(new: Sequence[Line]) -> list[Line]:
    """What one person enters for one user and day in two files, and differs, has no order in time.

    What was collected before is older, and no part of this.
    """
    return [
        line
        for line, other in permutations(new, 2)
        if (line.user, line.person, line.day) == (other.user, other.person, other.day)
        if line.file != other.file and line.decision != other.decision
    ]


def is_one_of(line: Line, lines: Iterable[Line]) -> bool:
    return any(line is each for each in lines)


def collect(
    ledger: Sequence[Line], files: Mapping[str, Sequence[Entry]], *, attended: bool
) -> LedgerUpdate:
    """One refusal refuses the whole call; what is there already is counted, never added again."""
    lines_entered = [
        line_of(each, content_of(rows))
        for rows in files.values()
        for each in rows
        if not is_open(each)
    ]
    new: list[Line] = []
    for line in lines_entered:
        if not is_already_there(line, [*ledger, *new], lines_entered, ledger):
            new.append(line)
    # Files have no order: whoever withdraws does not know what another file of the call says.
    withdrawn = {(each.file, each.user) for each in lines_entered if each.decision == "withdraw"}
    new.sort(key=lambda each: (each.file, each.user) not in withdrawn)
    new = [line for line in new if not is_repetition(line, ledger, new)]
    refused = [
        *on_older_reports(new, ledger),
        *on_newer_reports(new, ledger),
        *without_order(new),
    ]
    conflicts = new_conflicts([*ledger, *new], new)
    if attended:
        refused += in_conflict(
            ledger, [[each for each in new if each.file == name] for name in files]
        )
    if refused:
        return LedgerUpdate((*ledger,), frozenset((each.file, each.row) for each in refused))
    # Of each conflict one line is added, when it comes up.
    before = {(user, day) for user, each in standings(ledger).items() for day in each.conflicts}
    return LedgerUpdate((*ledger, *new), added=(*new,), conflicts=frozenset(conflicts) - before)


# Following up: more access or use than the reviewer saw


def is_later(now: When, seen: When) -> bool:
    """A date shows more than an earlier one, than none, and than a cell that said nothing."""
    return isinstance(now, datetime) and (not isinstance(seen, datetime) or seen < now)


def appeared(seen: bool | None, now: bool | None) -> bool:  # noqa: FBT001  cells of three values
    """Something is there that was not, or of which the cell did not say whether it was."""
    return now is True and seen is not True


def password_changed(seen: State, now: State, since: datetime) -> bool:
    """A change is more than was seen; where nothing was seen, one since the baseline is."""
    if seen.changed is None:
        return isinstance(now.changed, datetime) and now.changed > since
    return is_later(now.changed, seen.changed)


def shows_nothing(credential: Credential) -> bool:
    """A slot shows no credential unless it is active, or has a date."""
    dated = isinstance(credential.created, datetime) or isinstance(credential.used, datetime)
    return credential.active is not True and not dated


def is_no_more_than(now: Credential, seen: Credential, since: datetime) -> bool:
    """A credential is one that the reviewer saw, neither activated nor used since.

    It is known by when it was created. Where a report does not say, it may be any that was seen.
    """
    if appeared(seen.active, now.active) or is_later(now.used, seen.used):
        return False
    return now.created in (seen.created, NEVER, None) or may_have_been_there(now, seen, since)


def may_have_been_there(now: Credential, seen: Credential, since: datetime) -> bool:
    """A slot whose date the reviewer could not read may hold what is there now.

    Taken here: only if that is from before the baseline, shows no use, and is not active; an active
    one is a cell that was unknown and turns out to be access.
    """
    is_old = isinstance(now.created, datetime) and now.created <= since
    no_access = now.active is not True and not isinstance(now.used, datetime)
    return seen.created is None and is_old and no_access


def credentials_added(
    seen: Sequence[Credential], now: Sequence[Credential], since: datetime
) -> bool:
    """Slots are not stable: it is enough if the credentials match those seen in some order."""
    return not any(
        all(
            shows_nothing(each) or is_no_more_than(each, other, since)
            for each, other in zip(now, order, strict=True)
        )
        for order in permutations(seen)
    )


def is_overtaken(seen: State, now: State, since: datetime) -> bool:
    """A later report shows more access or use than the reviewer saw."""
    return (
        is_later(now.signed_in, seen.signed_in)
        or appeared(seen.password, now.password)
        or password_changed(seen, now, since)
        or appeared(seen.mfa, now.mfa)
        or appeared(seen.more, now.more)
        or credentials_added(seen.keys, now.keys, since)
        or credentials_added(seen.certificates, now.certificates, since)
    )


def is_off(now: State) -> bool:
    """Deactivated is who has no password, no active key and no active certificate, for certain.

    Taken here: whoever has more keys or certificates than the report shows is not, for certain.
    """
    return (now.password, now.more) == (False, False) and all(
        each.active is False for each in (*now.keys, *now.certificates)
    )


# Following up: what became of a decision


def is_identified(line: Line) -> bool:
    """Without a creation time, or with a masked ARN, a decision is never acted on."""
    return line.user[1] is not None and not is_masked(line.cells["arn"])


def is_renamed(line: Line, report: Report, same_second: frozenset[str] | None) -> bool:
    """A user of the same second who was not in the report decided on may be the same one.

    `same_second` are the names of those who were there, or beside the user in another report; a
    list that does not say excludes nobody. Taken here: whoever was created nobody knows when may be
    of that second.
    """
    arn, created = line.user
    return any(
        user_key(cells)[1] in (created, None)
        and user_key(cells)[0] != arn
        and cells["user"] not in (same_second or ())
        for cells in report.users
    )


def names_beside(line: Line, reports: Iterable[Report]) -> frozenset[str]:
    """Whoever stands beside the user in one report, created in the same second, is another one.

    Taken here: in a report that is not older than the one decided on.
    """
    return frozenset(
        each["user"]
        for report in reports
        if report.account == line.account
        if moment_acted_on(report, report.newest) >= line.made_on
        if line.user in map(user_key, report.users)
        for each in report.users
        if user_key(each)[1] == line.user[1] and each["user"] != line.cells["user"]
    )


def shows_whole_account(report: Report, line: Line) -> bool:
    """A report of an account has its root, with the account and the partition in the ARN.

    Taken here: one without is of another partition, or a part, and does not show who is gone.
    """
    root = line.user[0].partition(":user/")[0] + ":root"
    return any(is_root(cells) and cells["arn"] == root for cells in report.rows)


def is_decided_again(
    line: Line, lines: Iterable[Line], same_second: frozenset[str] | None = None
) -> bool:
    """Nothing that happened later may slip under a decision: a later one also under another name.

    Taken here: a decision on a later report, on whoever was not in the report decided on and has
    the creation time, may be on the same user, whatever it says; so is one on the user itself, if
    it was withdrawn or is in conflict.
    """
    _, created = line.user
    return any(
        (each.account, each.user[1]) == (line.account, created)
        and each.cells["user"] not in (same_second or ())
        and each.report != line.report
        and each.made_on > line.made_on
        and not is_unnamed(each, line)
        for each in lines
    )


def is_unnamed(other: Line, line: Line) -> bool:
    """A decision on somebody of that name whom nothing identifies may be on the very user."""
    names = (each.cells["user"] for each in (other, line))
    return len({*names}) == 1 and not is_identified(other)


def is_decided_otherwise(line: Line, lines: Iterable[Line]) -> bool:
    """Such a decision is never acted on, and a removal that was decided before it is not either.

    Taken here: also if it is of the same day, or of an earlier one on a later report.
    """
    return any(
        is_unnamed(each, line)
        and each.account in (line.account, "")
        and each.user[1] in (None, line.user[1])
        and each.decision != line.decision
        and (each.day >= line.day or each.made_on > line.made_on)
        for each in lines
    )


def is_spared_before(line: Line, lines: Iterable[Line], others: frozenset[str]) -> bool:
    """What stands for a user does not end without a word where the user gets another name.

    Taken here: whoever was created in the same second, and stands beside the user in no report,
    may be the user by now; what stands for that one and removes nobody spares it, a conflict and a
    keep that has run out too. So does one to deactivate, but from a deletion decided on later.
    """
    is_delete = line.decision == "delete"
    return any(
        (each.account, each.user[1]) == (line.account, line.user[1])
        and each.user[0] != line.user[0]
        and each.decision not in ("delete", "withdraw")
        and (each.decision != "deactivate" or (is_delete and each.day >= line.day))
        and each.report != line.report
        and each.cells["user"] not in others
        and not is_unnamed(each, line)
        for standing in standings(lines).values()
        for each in standing.decisions.values()
    )


def went_back(now: When, then: When, *, may_vanish: bool) -> bool:
    """A date that a user has does not become an earlier one, and vanishes only if it may."""
    if not isinstance(then, datetime) or now is None:
        return False
    return not may_vanish if now == NEVER else now < then


def is_ruled_out(then: State, now: State) -> bool:
    """Who signed in, used a key, or changed a password later than the user shows now is another.

    Taken here: without a password now, AWS may not show a sign-in; a key that is not there now was
    deleted, and its use with it; of keys of one second none is known from the other.
    """
    passwords = then.password is True and now.password is True
    both = {each.created for each in then.keys} & {each.created for each in now.keys}
    pairs = [
        [[each.used for each in state.keys if each.created == at] for state in (now, then)]
        for at in both
        if isinstance(at, datetime)
    ]
    return (
        went_back(now.signed_in, then.signed_in, may_vanish=now.password is not True)
        or (passwords and went_back(now.changed, then.changed, may_vanish=True))
        or any(
            went_back(*of_now, *of_then, may_vanish=False)
            for of_now, of_then in pairs
            if (len(of_now), len(of_then)) == (1, 1)
        )
    )


def may_be_another(
    line: Line,
    reports: Sequence[Report],
    same_second: frozenset[str] | None,
    lines: Iterable[Line],
) -> bool:
    """The one of the name may be one of its second who is there no more, and was renamed.

    Taken here: not if that one was to be deleted, by a decision in force, nor if a report shows
    that it is not the user. Where nobody kept who was
    there, whoever was decided on by the same report was, and whoever stands beside it in a report.
    """
    created, report = line.user[1], newest_of(reports)
    if same_second is None:
        report_of_line = line.account, created, line.report.as_of
        alike = (
            each
            for each in lines
            if (each.account, each.user[1], each.report.as_of) == report_of_line
        )
        beside = names_beside(line, reports)
        same_second = frozenset(each.cells["user"] for each in alike) | beside
    there = {each["user"] for each in report.users if user_key(each)[1] in (created, None)}
    of_second = (
        standing.undisputed for (_, at), standing in standings(lines).items() if at == created
    )
    to_delete = {each.cells["user"] for each in of_second if each and each.decision == "delete"}
    (now,) = (read_state(each) for each in report.users if user_key(each) == line.user)
    others = {
        each["user"]
        for earlier in reports
        for each in earlier.users
        if user_key(each)[1] == created and is_ruled_out(read_state(each), now)
    }
    return not same_second <= there | to_delete | others


def status(
    line: Line,
    reports: Iterable[Report],
    same_second: frozenset[str] | None = None,
    lines: Sequence[Line] = (),
) -> str:
    """Say what became of a decision to delete or deactivate.

    It is done if the user is not there any more (a user created again is another one), or, to
    deactivate, without a working credential; overtaken, if there is more than the reviewer saw;
    else not done. Where no report can show it, the status is unknown, which is not done either.

    Where rows of the ARN differ in when the user was created, that is unknown. Taken here: a user
    of the ARN is another one only if created after the baseline. Another report of the very moment
    may overtake a decision, and never shows that it is done; nor does one of which it is not sure
    that it is newer, as the day of the other has no time, or --as-of set it. The newest report
    says what is done;
    of what is not, any report since overtakes it, whatever the newest shows. So does, where
    the user is there, a later decision on whoever may be it, and the doubt that it is another one.
    """
    own = [each for each in reports if each.account == line.account]
    lines = [each for each in lines if each.account == line.account]
    if not is_identified(line) or not own:
        return "unknown"
    report = newest_of(own)
    others = (same_second or frozenset()) | names_beside(line, own)
    seen_at, shown_at = line.made_on, moment_acted_on(report, report.newest)
    found = "unknown"
    if shown_at >= seen_at:
        found = status_in(report, line, others, is_later=shown_at > line.report.as_of)
    since = [each for each in own if moment_acted_on(each, each.newest) >= seen_at]
    was_overtaken = any(showed_more(line, each, others) for each in since)
    if shown_at >= seen_at and line.user in map(user_key, report.users):
        was_overtaken |= is_decided_again(line, lines, others) or is_decided_otherwise(line, lines)
        was_overtaken |= may_be_another(line, own, same_second, lines)
        if found == "not-done" and is_spared_before(line, lines, others):
            found = "unknown"
    return "overtaken" if found != "done" and was_overtaken else found


def newest_of(reports: Iterable[Report]) -> Report:
    return max(reports, key=lambda each: each.as_of)


def showed_more(line: Line, report: Report, same_second: frozenset[str] | None) -> bool:
    """Say whether the user had more than was seen, in a report that is not older.

    Taken here: a user of the ARN of whom the cell does not say when it was created is the user. Who
    is not there may be any user of the same second who was not in the report decided on.
    """
    arn, created = line.user
    there = report.users
    own = [each for each in there if user_key(each) in ((arn, created), (arn, None))]
    others = [
        each
        for each in there
        if user_key(each)[1] == created and each["user"] not in (same_second or ())
    ]
    since = baseline(line.report, line.cells)
    seen = read_state(line.cells)
    return any(is_overtaken(seen, read_state(each), since) for each in own or others)


def status_in(
    report: Report, line: Line, same_second: frozenset[str] | None, *, is_later: bool
) -> str:
    _, created = line.user
    rows = rows_of_user(report, line.cells)
    now = user_key(rows[0])[1] if rows else None
    if rows and now == created:
        return status_of_present(line, read_state(rows[0]), is_later=is_later)
    if (rows and now is None) or not shows_whole_account(report, line):
        return "unknown"
    is_another = now is None or now > baseline(line.report, line.cells)
    is_gone = is_later and is_another and not is_renamed(line, report, same_second)
    return "done" if is_gone else "not-done"


def status_of_present(line: Line, now: State, *, is_later: bool) -> str:
    """Of a user who is there: switched off as decided, else with more than was seen, else as was.

    Taken here: a deactivation that is done is done, whatever happened on the way.
    """
    if is_later and line.decision == "deactivate" and is_off(now):
        return "done"
    more = is_overtaken(read_state(line.cells), now, baseline(line.report, line.cells))
    return "overtaken" if more else "not-done"


def days_since_decided(line: Line, reports: Sequence[Report]) -> int:
    """Whole days from the day of the decision to the account's report, failing it to the newest."""
    own = [each for each in reports if each.account == line.account]
    counted = [newest_of(own)] if own else reports
    at = max(each.as_of for each in counted)
    return max(0, (at - start_of(line.day)) // A_DAY)


def follow_up(
    lines: Sequence[Line], reports: Sequence[Report], due_days: int = DUE_DAYS
) -> dict[Key, tuple[str, bool]]:
    """Status and overdue of each decision to delete or deactivate that is in force.

    What is not done is overdue after its days. Taken here: not so if the decision was overtaken and
    the user is active, as nobody is asked to decide on active users.
    """
    told = {}
    for line in (each.undisputed for each in standings(lines).values()):
        if line and line.decision in REMOVALS:
            became = status(line, reports, lines=lines)
            days = days_since_decided(line, reports)
            can_wait = became == "done" or (became == "overtaken" and is_active(line, reports))
            told[line.user] = became, days > due_days and not can_wait
    return told


def is_active(line: Line, reports: Sequence[Report]) -> bool:
    """Say whether the newest report of the account has the user, and the verdict is active."""
    report = newest_of([each for each in reports if each.account == line.account])
    there = [read_user(each) for each in report.users if user_key(each) == line.user]
    return any(judge_user(each, Terms(report.as_of))[0].verdict == "active" for each in there)


# Acting


def plan(lines: Sequence[Line], reports: Sequence[Report]) -> set[Key]:
    """Return the users whom a plan takes.

    It takes a user whose decision to delete or deactivate is in force, identifies the user and is
    not overtaken; where reports are named, the user is in one of them.
    """
    force = [each.undisputed for each in standings(lines).values()]
    return {
        line.user
        for line in force
        if line and line.decision in REMOVALS and is_identified(line)
        if is_confirmed(line, reports, lines) and not is_spared(line, lines)
    }


def is_spared(line: Line, lines: Sequence[Line]) -> bool:
    """Taken here: who decided both ways on one day, on no newer report, has to date one anew.

    So does a decision behind this one with the date of the day before, as days begin elsewhere.
    """
    milder = {"keep", "withdraw", "investigate"} | {"deactivate"} - {line.decision}
    of_user = [each for each in lines if each.user == line.user]
    (place,) = (at for at, each in enumerate(of_user) if each is line)
    if is_withdrawn_by_another(line, lines):
        return True
    of_day = line.person, line.day
    may_be_later = [each for each in of_user if (each.person, each.day) == of_day]
    may_be_later += [each for each in of_user[place:] if each.day == line.day - A_DAY]
    return any(
        each.decision in milder and each.report.as_of >= line.made_on for each in may_be_later
    )


def is_withdrawn_by_another(line: Line, lines: Iterable[Line]) -> bool:
    """Taken here: who decided the same on that day, and withdrew, may have meant this one too."""
    words: dict[str, set[str]] = {}
    for each in lines:
        if (each.user, each.day) == (line.user, line.day) and each.person != line.person:
            words.setdefault(each.person, set()).add(each.decision)
    return any({line.decision, "withdraw"} <= of_person for of_person in words.values())


def is_confirmed(line: Line, reports: Sequence[Report], lines: Sequence[Line]) -> bool:
    """Taken here: a report that does not show how the user is now is as good as none."""
    if not reports:
        is_replaced = is_decided_again(line, lines) or is_decided_otherwise(line, lines)
        return not is_replaced and not is_spared_before(line, lines, frozenset())
    own = [each for each in reports if each.account == line.account]
    rows = [rows_of_user(newest_of(own), line.cells)] if own else []
    now = [each[0] for each in rows if each]
    is_there = line.user in map(user_key, now) and status(line, reports, lines=lines) == "not-done"
    return is_there and not any(map(is_unclear, now))


def is_unclear(cells: Cells) -> bool:
    """A cell that says nothing may hide access or use, and a removal must not rest on it.

    The change of a password that is not enabled gives no access.
    """
    now = read_state(cells)
    credentials = (*now.keys, *now.certificates)
    return (
        None in (now.password, now.signed_in, now.mfa, now.more)
        or (now.password is True and now.changed is None)
        or any(None in (each.active, each.created) for each in credentials)
        or any(is_use_unclear(key, cells, slot) for key, slot in zip(now.keys, SLOTS, strict=True))
    )


def is_use_unclear(key: Credential, cells: Cells, slot: int) -> bool:
    """Where there is no key, a report may lack the column of its use."""
    lacks_use = key.is_absent and cells.get(f"access_key_{slot}_last_used_date") is None
    return key.used is None and not lacks_use
