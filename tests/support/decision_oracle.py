"""Judge decisions in plain Python: a second reading of the law that shares no code with analyzer.

It is written to be read beside section 6 of the definitions, one small function a rule. It works
on the cells of ledgers and of reports as text. Where the law can be read in two ways, the
docstring says which one is taken here.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fnmatch import fnmatchcase
from functools import cached_property
from typing import NamedTuple

from tests.support.verdict_oracle import SLOTS, Terms, boolean, judge_user, moment, read_user

Cells = Mapping[str, str]
User = tuple[str, str, datetime]
"""The account, the name and the creation time: a path counts for nothing."""

WORDS = ("delete", "deactivate", "keep", "investigate", "withdraw")
REMOVALS = WORDS[:2]
HOLDING = WORDS[2:4]
A_DAY = timedelta(days=1)
NEVER = datetime.min.replace(tzinfo=UTC)
IDLE_LIMIT = 90

USER_ARN = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):user/(?:.*/)?([^/]+)")


class Outcome(NamedTuple):
    """Hold the state of a removal and what a plan does: delete, deactivate, or nothing."""

    state: str
    action: str = ""


# Reports


def newest_timestamp(rows: Iterable[Cells]) -> datetime:
    """A password's next rotation lies ahead; every other timestamp is of something that was."""
    timestamps = (
        at.replace(microsecond=0)
        for row in rows
        for column, raw in row.items()
        if column not in ("password_next_rotation", "as_of", "baseline") and (at := moment(raw))
    )
    return max(timestamps, default=NEVER)


def earliest(as_of: datetime, source: str, newest: datetime) -> datetime:
    """A day without a time is its start, and --as-of proves nothing.

    Taken here: a timestamp in the report proves that a day without a time is from later on.
    """
    if source == "option":
        return newest
    if source != "folder":
        return as_of
    return max(datetime.combine(as_of.date(), time(), UTC), newest)


@dataclass(frozen=True, eq=False)
class Report:
    """Hold the rows of one account in a report; `newest` is the newest timestamp of the file."""

    account: str
    as_of: datetime
    source: str
    newest: datetime
    rows: Sequence[Cells]

    @cached_property
    def earliest(self) -> datetime:
        return earliest(self.as_of, self.source, self.newest)

    @cached_property
    def has_root(self) -> bool:
        return any(row["user"] == "<root_account>" for row in self.rows)

    @cached_property
    def users(self) -> list[Cells]:
        return [row for row in self.rows if row["user"] != "<root_account>"]

    def row_of(self, user: User) -> Cells | None:
        _, name, created = user
        same = (row for row in self.users if row["user"] == name)
        return next((row for row in same if created_in(row) == created), None)

    def of_second(self, created: datetime) -> set[str]:
        """Users whose creation time is not understood count as there."""
        return {row["user"] for row in self.users if created_in(row) in (created, None)}


def created_in(cells: Cells) -> datetime | None:
    at = moment(cells["user_creation_time"])
    return at and at.replace(microsecond=0)


# What people wrote


@dataclass(frozen=True, eq=False)
class Word:
    """Hold a line of a ledger."""

    cells: Cells
    user: User

    @cached_property
    def word(self) -> str:
        return self.cells["decision"].strip().lower()

    @cached_property
    def person(self) -> str:
        return " ".join(self.cells["decided_by"].casefold().split())

    @cached_property
    def day(self) -> date:
        return date.fromisoformat(self.cells["decided_on"])

    @cached_property
    def as_of(self) -> datetime:
        return moment(self.cells["as_of"]) or NEVER

    @cached_property
    def baseline(self) -> datetime:
        """A line of a script has none: then the newest timestamp of its row."""
        if at := moment(self.cells.get("baseline")):
            return at
        is_of_aws = self.cells["as_of_source"] not in ("option", "folder")
        return self.as_of if is_of_aws else newest_timestamp([self.cells])

    @cached_property
    def earliest(self) -> datetime:
        return earliest(self.as_of, self.cells["as_of_source"], self.baseline)

    def others(self, reports: Sequence[Report]) -> frozenset[str] | None:
        """The other names of the creation second in the report decided on, if that is known."""
        if names := self.cells.get("same_second"):
            return frozenset() if names == "(none)" else frozenset(names.split(";"))
        account, name, created = self.user
        decided_on = (each for each in reports if each.as_of == self.as_of)
        shown = [each.of_second(created) for each in decided_on if each.account == account]
        return frozenset(shown[0] - {name}) if shown else None


def words_of(lines: Iterable[Cells]) -> dict[User, list[Word]]:
    """A line with a masked ARN or without a creation time is never acted on."""
    words: dict[User, list[Word]] = {}
    for cells in lines:
        found, created = USER_ARN.fullmatch(cells["arn"].removeprefix("'")), created_in(cells)
        if found and created:
            user = (found[1], found[2], created)
            words.setdefault(user, []).append(Word(cells, user))
    return words


def people(words: Iterable[Word]) -> list[Word]:
    return [each for each in words if each.word in WORDS]


def facts(words: Iterable[Word], *names: str) -> list[Word]:
    return [each for each in words if each.person == "credreport" and each.word in names]


# What stands


class Standing(NamedTuple):
    """Hold the lines of the latest day and the day before; they stand if their word is one."""

    lines: Sequence[Word]

    @property
    def day(self) -> date:
        return max(each.day for each in self.lines)

    @property
    def removals(self) -> list[Word]:
        return [each for each in self.lines if each.word in REMOVALS]

    @property
    def word(self) -> str:
        """The latest word, if nobody wrote another on that day or the day before."""
        words = {each.word for each in self.lines}
        return words.pop() if len(words) == 1 else ""

    @property
    def decided(self) -> Word:
        """What they saw is in the newest of the lines that agree.

        Taken here: of lines on one report, one that says who was created with the user.
        """
        return max(
            self.lines,
            key=lambda each: (each.earliest, bool(each.cells.get("same_second")), each.as_of),
        )


def standing(words: Sequence[Word]) -> Standing:
    last = max((each.day for each in words), default=date.min)
    return Standing([each for each in words if each.day + A_DAY >= last])


def is_older(word: Word, overtaken: Word | Report) -> bool:
    """A list of the same report is not older, though a line of a script has no baseline."""
    is_same = word.as_of == overtaken.as_of and word.cells["as_of_source"] != "option"
    return word.earliest < overtaken.earliest and not is_same


def holds(word: Word, words: Sequence[Word], day: date, days: Mapping[str, int]) -> bool:
    """A keep or investigate holds as long as it is of its author's last day."""
    last = max(each.day for each in words if each.person == word.person)
    until = word.day + days.get(word.word, -1) * A_DAY
    return word.word in HOLDING and word.day == last and day <= until


def spared_by(standing: Standing, words: Sequence[Word], days: Mapping[str, int]) -> str:
    """Return the state in which another word leaves a removal, empty if it stands."""
    if not standing.word:
        return "disagree"
    authors = {each.person for each in standing.lines}
    others = (each for each in words if each.person not in authors)
    if any(holds(each, words, standing.day, days) for each in others):
        return "kept"
    newer = (each for each in words if each.earliest > standing.decided.earliest)
    return "newer word" if any(each.word != standing.word for each in newer) else ""


# What a row shows of a user


class Slot(NamedTuple):
    """Hold a place for a key or certificate; None says that a cell is not understood."""

    active: bool | None
    created: datetime | None
    used: datetime | None


def when(raw: str | None, *never: str) -> datetime | None:
    """Return a moment, NEVER for a word that says that there is none, None if not understood."""
    at = moment(raw)
    return at.replace(microsecond=0) if at else NEVER if raw in never else None


def slot(cells: Cells, thing: str) -> Slot:
    active = boolean(cells.get(f"{thing}_active"))
    created = when(cells.get(f"{thing}_last_rotated"), "N/A")
    used = when(cells.get(f"{thing}_last_used_date"), "N/A")
    used = NEVER if thing.startswith("cert") else used
    return Slot(active, None if active and created == NEVER else created, used)


class Shown(NamedTuple):
    """Hold what a row shows of the ways into an account."""

    password: bool | None
    signed_in: datetime | None
    changed: datetime | None
    mfa: bool | None
    keys: Sequence[Slot]
    certificates: Sequence[Slot]
    more: bool | None

    @property
    def slots(self) -> Sequence[Slot]:
        return (*self.keys, *self.certificates)

    @property
    def is_unclear(self) -> bool:
        """When a password was changed that is not enabled is of no account."""
        cells: list[object] = [self.password, self.signed_in, self.mfa, self.more]
        cells += [cell for each in self.slots for cell in each]
        return None in cells or (self.password is True and self.changed is None)

    @property
    def can_be_deleted(self) -> bool:
        """Taken here: what is not understood is not "no"."""
        is_without = all(each.active is False for each in self.slots)
        never_used = self.password is False or self.signed_in == NEVER
        return bool(is_without and never_used)

    @property
    def has_no_way_in(self) -> bool:
        return self.password is False and all(each.active is False for each in self.slots)


def shown(cells: Cells) -> Shown:
    return Shown(
        boolean(cells.get("password_enabled")),
        when(cells.get("password_last_used"), "N/A", "no_information"),
        when(cells.get("password_last_changed"), "N/A"),
        boolean(cells.get("mfa_active")),
        [slot(cells, f"access_key_{each}") for each in SLOTS],
        [slot(cells, f"cert_{each}") for each in SLOTS],
        (cells.get("additional_credentials_info") or "N/A") != "N/A",
    )


def shows_more(saw: Shown, now: Shown, baseline: datetime) -> bool:
    """Say whether a newer report shows more access or use, or an unknown cell as access."""
    return (
        is_later(now.signed_in, saw.signed_in)
        or bool(now.password and not saw.password)
        or (now.password is not False and is_later(now.changed, saw.changed))
        or bool(now.mfa and not saw.mfa)
        or bool(now.more and not saw.more)
        or any(is_more(each, saw.keys, baseline) for each in now.keys)
        or any(is_more(each, saw.certificates, baseline) for each in now.certificates)
    )


def is_later(now: datetime | None, saw: datetime | None) -> bool:
    """A moment where the cell was unknown is one that turned out to be."""
    return now is not None and now > (saw or NEVER)


def is_more(now: Slot, saw: Sequence[Slot], baseline: datetime) -> bool:
    """Keys and certificates can change their places, so they are known by their creation.

    Taken here: one that is inactive may be one that was not understood, unless it is younger.
    """
    if now.created == NEVER and not now.active:
        return False
    if now.created is None:
        return bool(now.active and not any(each.active for each in saw))
    same = [each for each in saw if each.created == now.created]
    for each in same:
        return bool(now.active and not each.active) or is_later(now.used, each.used)
    was_unclear = any(None in (each.active, each.created) for each in saw)
    return bool(now.active) or now.created > baseline or not was_unclear


# What became of a removal


@dataclass(frozen=True)
class Case:
    """Hold all that is known where a removal is judged."""

    words: Mapping[User, Sequence[Word]]
    reports: Sequence[Report]
    exemptions: Sequence[Cells]
    days: Mapping[str, int]

    def reports_of(self, user: User) -> list[Report]:
        of_account = (each for each in self.reports if each.account == user[0])
        return sorted(of_account, key=lambda each: each.as_of)

    def outcome(self, user: User) -> Outcome | None:
        """Return nothing of a user of whom no removal is among the latest words."""
        latest = standing(people(self.words[user]))
        if not latest.removals:
            return None
        if self.is_done(user, latest):
            return Outcome("done")
        if state := self.doubt(user, latest) or self.obstacle(user, latest.decided):
            return Outcome(state)
        row = self.reports_of(user)[-1].row_of(user)
        now, saw = shown(row or {}), shown(latest.decided.cells)
        if latest.word == "deactivate" or (saw.can_be_deleted and now.can_be_deleted):
            return Outcome("open", latest.word)
        return Outcome("deactivated") if now.has_no_way_in else Outcome("open", "deactivate")

    def obstacle(self, user: User, decided: Word) -> str:
        """Return the state in which the newest report leaves a removal that stands."""
        newest = next(reversed(self.reports_of(user)), None)
        row = newest.row_of(user) if newest else None
        if newest is None or row is None or self.is_unknown(user, decided, newest, row):
            return "unknown"
        if self.is_exempt(user, newest):
            return "exempt"
        is_one = is_active(decided.cells, decided.as_of) or is_active(row, newest.as_of)
        return "active" if is_one else ""

    def doubt(self, user: User, latest: Standing) -> str:
        """Return the state in which words and newer reports leave a removal, empty for none."""
        words = people(self.words[user])
        state = spared_by(latest, words, self.days)
        return state or ("overtaken" if self.is_overtaken(user, latest.decided) else "")

    def overtaking(self, user: User) -> Iterator[Report]:
        """A report overtakes if it shows more than the newest removal before it saw."""
        removals = Standing(people(self.words[user])).removals
        for report in self.reports_of(user):
            older = [each for each in removals if each.earliest < report.earliest]
            row = report.row_of(user)
            if row and older and report.source != "option":
                newest = max(each.earliest for each in older)
                compared = [each for each in older if each.earliest == newest]
                if any(shows_more(shown(saw.cells), shown(row), saw.baseline) for saw in compared):
                    yield report

    def is_overtaken(self, user: User, decided: Word) -> bool:
        """Reports count, and the lines of the ledger, which record reports that are not given."""
        rows = [row for each in self.later(user, decided) if (row := each.row_of(user))]
        newer = (each for each in people(self.words[user]) if each.earliest > decided.earliest)
        saw, rows = shown(decided.cells), rows + [each.cells for each in newer]
        return (
            any(shows_more(saw, shown(row), decided.baseline) for row in rows)
            or any(is_older(decided, each) for each in facts(self.words[user], "overtaken"))
            or any(is_older(decided, each) for each in self.overtaking(user))
        )

    def is_unknown(self, user: User, decided: Word, newest: Report, row: Cells) -> bool:
        """Taken here: a report that may be older than the one decided on says nothing."""
        account, _, created = user
        is_older = newest.earliest < decided.earliest and newest.as_of != decided.as_of
        others = decided.others(self.reports)
        if is_older or shown(row).is_unclear or others is None:
            return True
        gone = [(account, each, created) for each in others - newest.of_second(created)]
        same = [each for each in self.words if each[::2] == user[::2] and each != user]
        absent = [each for each in same if each[1] not in newest.of_second(created)]
        return any(not self.is_to_be_deleted(each) for each in gone) or any(
            self.has_word(each, decided.day, user[1]) for each in absent
        )

    def is_to_be_deleted(self, user: User) -> bool:
        latest = standing(people(self.words.get(user, ())))
        return latest.word == "delete" and not self.doubt(user, latest)

    def has_word(self, user: User, day: date, name: str) -> bool:
        """Return whether a word holds or stands on a user, who may have the other name now.

        A `delete` is on nobody else whom a report decided on shows with that user.
        """
        words = people(self.words[user])
        if any(holds(each, words, day, self.days) for each in words):
            return True
        latest = standing(words)
        is_removal = latest.word in REMOVALS and not spared_by(latest, words, self.days)
        if is_removal and latest.word == "delete":
            return all(name not in (each.others(self.reports) or ()) for each in words)
        return is_removal or latest.word in HOLDING

    def is_exempt(self, user: User, newest: Report) -> bool:
        return any(
            fnmatchcase(user[0], each["account"])
            and fnmatchcase(user[1], each["user"])
            and (not each["expires"] or each["expires"] >= newest.as_of.date().isoformat())
            for each in self.exemptions
        )

    # Done

    def is_done(self, user: User, latest: Standing) -> bool:
        """Taken here: a user who is gone has been deactivated too."""
        is_deletion = any(each.word == "delete" for each in latest.lines)
        decided = Standing(latest.removals).decided
        return self.is_gone(user, decided) or (not is_deletion and self.is_off(user, decided))

    def later(self, user: User, decided: Word) -> list[Report]:
        return [each for each in self.reports_of(user) if each.earliest > decided.earliest]

    def is_gone(self, user: User, decided: Word) -> bool:
        """Gone is who is not shown again since; facts and lines of the ledger count too.

        Taken here: each removal of the user may show it, as a line of the program is of no one.
        """
        words, later = people(self.words[user]), self.later(user, decided)
        removals = Standing(words).removals
        there = [each for each in later if self.is_there(user, decided, each)]
        gone = [each for each in later if any(self.lacks(user, word, each) for word in removals)]
        shown_at = max([each.earliest for each in there] + [each.earliest for each in words])
        gone_at = [each.earliest for each in facts(self.words[user], "gone")]
        return any(at >= shown_at for at in [*gone_at, *(each.earliest for each in gone)])

    def is_there(self, user: User, decided: Word, report: Report) -> bool:
        same = (row for row in report.users if row["user"] == user[1])
        return any((created_in(row) or NEVER) <= decided.baseline for row in same)

    def lacks(self, user: User, decided: Word, report: Report) -> bool:
        """Possibly renamed is not gone."""
        if not report.has_root or self.is_there(user, decided, report):
            return False
        return report.of_second(user[2]) <= (decided.others(self.reports) or frozenset())

    def is_off(self, user: User, decided: Word) -> bool:
        """Off is who no later report shows with a way in; lines of the program count too."""
        known = [each.earliest for each in facts(self.words[user], "deactivated")]
        off_at, on_at = [at for at in known if at > decided.earliest], [decided.earliest]
        for each in self.later(user, decided):
            if row := each.row_of(user):
                (off_at if shown(row).has_no_way_in else on_at).append(each.earliest)
        return any(at > max(on_at) for at in off_at)


def is_active(cells: Cells, as_of: datetime) -> bool:
    limit = int(cells.get("idle_limit") or IDLE_LIMIT)
    verdict = judge_user(read_user(dict(cells)), Terms(as_of, idle_days=limit)).verdict
    return verdict == "active"


def outcomes(
    lines: Iterable[Cells],
    reports: Sequence[Report],
    exemptions: Sequence[Cells] = (),
    *,
    keep_days: int = 180,
    due_days: int = 30,
) -> dict[User, Outcome]:
    """Return the state of each removal that is the latest word on a user, and the plan."""
    days = {"keep": keep_days, "investigate": due_days}
    case = Case(words_of(lines), reports, exemptions, days)
    found = ((user, case.outcome(user)) for user, words in case.words.items() if people(words))
    return {user: outcome for user, outcome in found if outcome}
