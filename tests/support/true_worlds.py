"""Play reviews in worlds that know the truth, and name where the product goes against it.

A world knows who each user is, whatever its name, and what each reviewer meant last, on whatever
report. The product gets what people give it: reports, some of them without a time or cut, and
lists that are filled in with the slips of people. What it says is held against the truth, and
against a second reading of the law.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import NamedTuple

import pandas as pd

import analyzer
from analyzer.decisions.collect import collect, with_facts
from analyzer.decisions.decision import User
from analyzer.decisions.fate import fates
from analyzer.decisions.follow_up import follow_up
from analyzer.decisions.ledger import Ledger, ledger_bytes, read_entries, read_ledger
from analyzer.decisions.plan import removal_plan
from tests.support import decision_oracle as law
from tests.support.builders import Row, a_key, a_password, a_user, report_text, table, the_root
from tests.support.campaigns import (
    certificate_changes,
    created_again,
    gets_password,
    is_deactivated,
    key_changes,
    mfa_changes,
    moments,
    renamed,
    rotates_key,
    signs_in,
)
from tests.support.decisions import bulk, console_name
from tests.support.outputs import csv_rows, exemptions_of

START = datetime(2026, 1, 7, 9, tzinfo=UTC)
REPORTED = [START + timedelta(days=days) for days in (0, 30, 60, 105)]
"""When the reports of all worlds are made; a review follows on each."""

A_DAY = timedelta(days=1)
GAINS = (signs_in, gets_password, rotates_key)
WORDS = ("delete", "delete", "deactivate", "keep", "investigate", "withdraw")
HOURS = {"Ann": 13, "Bob": -8, "Cy": 0}
"""The reviewers, and the hours by which their clocks are before the world's."""

AS_OF = {"right": 0, "late": 25, "early": -40}
"""Days by which somebody who types the as-of of a report is wrong."""

SPOILT = ("password_enabled", "cert_1_active", "access_key_1_last_rotated", "user_creation_time")


class Key(NamedTuple):
    """Identify a user as people can: by account, name and creation time."""

    account: str
    name: str
    created: datetime


def key_of(row: Mapping[str, object]) -> Key:
    created, account = row["user_creation_time"], str(row["arn"]).split(":")[4]
    at = created if isinstance(created, datetime) else datetime.fromisoformat(str(created))
    return Key(account, str(row["user"]), at)


@dataclass(frozen=True)
class Word:
    """Hold what a reviewer meant of a user, seen in the report of a stage, and the day entered."""

    user: int
    key: Key
    person: str
    decision: str
    stage: int
    variant: str
    at: datetime
    day: date

    @property
    def entered(self) -> tuple[str, ...]:
        return self.decision, self.person, self.day.isoformat(), "", "needed"


@dataclass(eq=False)
class ListCopy:
    """Hold the copy of a list of one reviewer, with what is entered there by now."""

    name: str
    person: str
    stage: int
    variant: str
    rows: Sequence[Mapping[str, str]]
    is_record: bool
    """Whether it shows who was created in one second, as a workbook does and a script does not."""

    words: dict[int, Word] = field(default_factory=dict)

    def content(self) -> bytes:
        entered = [
            word.entered if (word := self.words.get(at)) else () for at in range(len(self.rows))
        ]
        more = ("baseline", "same_second") if self.is_record else ()
        rows = [row if at in self.words else hidden(row) for at, row in enumerate(self.rows)]
        return bulk(rows, *entered, more=more)


def hidden(row: Mapping[str, str]) -> dict[str, str]:
    """Return a row in which nothing is entered, as a list has it."""
    return {name: cell for name, cell in row.items() if name not in ("baseline", "same_second")}


@dataclass
class World:
    """Hold two accounts and their users as they are, and what was said of them."""

    seed: int
    counts: Counter[str] = field(default_factory=Counter)
    alarms: list[tuple[object, ...]] = field(default_factory=list)
    ledgers: list[Ledger] = field(default_factory=lambda: [Ledger(), Ledger()])
    users: dict[int, Row] = field(default_factory=dict)
    past: list[dict[int, Row]] = field(default_factory=list)
    """The users at each report."""

    shown: list[dict[int, Row]] = field(default_factory=list)
    """The users as each report shows them: a cell may be damaged, and a cut report lacks some."""

    cut: list[set[str]] = field(default_factory=list)
    """The accounts whose report somebody cut: it lacks the root, and some users."""

    changed: list[tuple[int, int, bool]] = field(default_factory=list)
    """Which user changed before which report, and whether it gained access or was used."""

    evidence: list[tuple[object, ...]] = field(default_factory=list)
    """Each alarm with the ledger and the reports behind it, to look at by hand."""

    words: list[Word] = field(default_factory=list)
    collected: set[Word] = field(default_factory=set)
    lists: list[ListCopy] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng, self.numbers = random.Random(self.seed), count(1000)
        self.accounts, self.now = [f"{self.seed:06}{at:06}" for at in (0, 1)], START
        second = START - timedelta(days=self.rng.randrange(100, 300))
        for at in range(self.rng.randrange(10, 18)):
            is_of_script = at > 5 and self.rng.random() < 0.4
            created = second if is_of_script else second - timedelta(days=at + 1)
            account = self.accounts[at % 3 == 0]
            self.users[at] = self.invented(f"u{at - at % 3}", account, created, at)

    def invented(self, name: str, account: str, created: datetime, at: int) -> Row:
        used = self.rng.choice([created + A_DAY, created + A_DAY, START - 9 * A_DAY])
        password = self.rng.choice([None, a_password(changed=created), a_password(used, created)])
        key = self.rng.choice([None, a_key(created, used), a_key(created, active=False)])
        path = self.rng.choice(["", "", "ops/"])
        name = f"{name}{'abc'[at % 3]}"
        of_user = {"account": account, "path": path, "created": created}
        return a_user(name, password=password, key_1=key, **of_user)  # type: ignore[arg-type]

    # What happens in the accounts

    def live(self, stage: int) -> None:
        """Let time pass, as far as the next report: every other user changes."""
        self.now = REPORTED[stage]
        happened = moments(self.rng, self.now - 20 * A_DAY, self.now)
        for number in [*self.users]:
            if number in self.users:
                self.change(number, stage, happened)
        self.sources.append(self.rng.choice(["console", "console", "console", "folder"]))
        self.past.append(dict(self.users))
        self.cut.append({each for each in self.accounts if self.rng.random() < 0.08})
        self.shown.append(
            {
                number: self.reported(row)
                for number, row in self.users.items()
                if key_of(row).account not in self.cut[stage] or self.rng.random() < 0.8
            }
        )

    def change(self, number: int, stage: int, happened: Callable[[], datetime]) -> None:
        row, fate, rng = self.users[number], self.rng.random(), self.rng
        if fate < 0.5:
            self.changed.append((number, stage, fate < 0.2))
        if fate < 0.2:
            self.users[number] = rng.choice(GAINS)(rng, row, happened)
        elif fate < 0.25:
            more = rng.choice([key_changes, certificate_changes, mfa_changes])
            self.users[number] = more(rng, row, happened)
        elif fate < 0.31:
            self.users[number] = renamed(row, rng)
        elif fate < 0.37:
            self.users[number] = is_deactivated(rng, row, happened)
        elif fate < 0.40:
            self.take_place(number)
        elif fate < 0.5:
            del self.users[number]
            if fate < 0.45:
                self.users[next(self.numbers)] = created_again(row, happened)
        elif fate < 0.56:
            arn = str(row["arn"]).replace(":user/", ":user/moved/")
            self.users[number] = row | {"arn": arn}

    def take_place(self, number: int) -> None:
        """Rename a user to the name of one that was created in the same second and goes."""
        row = self.users[number]
        same = [
            each
            for each, other in self.users.items()
            if key_of(other)[::2] == key_of(row)[::2] and each != number
        ]
        if same:
            gone = self.users.pop(self.rng.choice(same))
            self.users[number] = row | {"user": gone["user"], "arn": gone["arn"]}

    def reported(self, row: Row) -> Row:
        if self.rng.random() < 0.03:
            return row | {self.rng.choice(SPOILT): "??"}
        return row

    def rows_of_report(self, stage: int) -> list[Row]:
        roots = [the_root(each) for each in self.accounts if each not in self.cut[stage]]
        return [*roots, *self.shown[stage].values()]

    def at(self, key: Key, stage: int) -> int | None:
        """Return who has a name, at the report of a stage."""
        same = (number for number, row in self.past[stage].items() if key_of(row) == key)
        return next(same, None)

    # What reviewers do

    def review(self, stage: int, rows: Mapping[str, Sequence[Mapping[str, str]]]) -> None:
        """Let people decide on the lists of a stage, now and then also on older ones."""
        old = [each for each in self.lists if self.rng.random() < 0.4]
        new = [self.new_list(by, stage, rows) for by in self.rng.sample([*HOURS], 2)]
        self.lists += new
        before = {id(each): dict(each.words) for each in self.lists}
        for _ in range(self.rng.choice([1, 2, 2, 4])):
            for each in (*new, *old):
                self.fill_in(each)
            for each in self.rng.sample([*new, *old], len(new) + len(old)):
                if self.rng.random() < 0.9:
                    self.hand_in(each)
            self.now += A_DAY
        for each in old[:1]:
            self.hand_in(replace(each, name=f"copy-{each.name}", words=before[id(each)]))

    def new_list(
        self, by: str, stage: int, rows: Mapping[str, Sequence[Mapping[str, str]]]
    ) -> ListCopy:
        """Make a list, perhaps with an as-of that somebody typed, perhaps a filtered one."""
        variant = self.rng.choice([""] * 7 + [*AS_OF])
        own = [
            row
            for row in rows[variant]
            if row["account"] in self.accounts and self.rng.random() < 0.9
        ]
        name = f"{by}-{stage}{variant}.csv".lower()
        return ListCopy(name, by, stage, variant, own, self.rng.random() < 0.7)

    def fill_in(self, copy: ListCopy) -> None:
        for at, row in enumerate(copy.rows):
            self.now += timedelta(minutes=1)
            is_known = row["user_creation_time"] != "??"
            if is_known and self.rng.random() < (0.2 if at in copy.words else 0.3):
                slip = self.rng.choice([-A_DAY, A_DAY]) if self.rng.random() < 0.05 else A_DAY * 0
                decision, key = self.rng.choice(WORDS), key_of(row)
                day = (self.now + timedelta(hours=HOURS[copy.person]) + slip).date()
                number = self.at(key, copy.stage)
                assert number is not None
                seen = copy.stage, copy.variant, self.now, day
                copy.words[at] = Word(number, key, copy.person, decision, *seen)
                self.words.append(copy.words[at])

    def hand_in(self, copy: ListCopy) -> None:
        """Collect a list into one of two ledgers, without the entries that are not valid."""
        first = {at: date.fromisoformat(row["as_of"][:10]) for at, row in enumerate(copy.rows)}
        valid = {
            at: word
            for at, word in copy.words.items()
            if first[at] - A_DAY <= word.day <= self.now.date() + A_DAY
        }
        copy = replace(copy, words=valid)
        at = self.rng.randrange(2)
        try:
            entries = read_entries(copy.name, copy.content(), self.now.date())
        except analyzer.InputRefused as refusal:
            self.alarms.append((self.seed, "refused", copy.name, str(refusal)))
            return
        update = collect(self.ledgers[at], [entries])
        text = ledger_bytes(update.ledger.lines)
        read = self.read(text)
        if read is None:
            return
        self.ledgers[at] = read
        self.collected |= {*valid.values()}
        self.alarms += self.lost(copy, table(text))

    def read(self, text: bytes) -> Ledger | None:
        """Read a ledger as it was written; what is refused then is an alarm."""
        try:
            return read_ledger("decisions.csv", text)
        except analyzer.InputRefused as refusal:
            self.alarms.append((self.seed, "ledger refused", str(refusal), text.decode()))
        return None

    def lost(
        self, copy: ListCopy, lines: Iterable[Mapping[str, str]]
    ) -> Iterator[tuple[object, ...]]:
        """Yield what was entered and is not in the ledger."""
        there = {
            (key_of(each), each["decided_by"], each["decision"], each["decided_on"])
            for each in lines
            if each["user_creation_time"] not in ("", "??")
        }
        for word in copy.words.values():
            if (word.key, word.person, word.decision, word.day.isoformat()) not in there:
                yield self.seed, "lost", word

    def merged(self) -> bytes:
        """Return both ledgers as git merges them: every line of either, in any order."""
        texts = [ledger_bytes(each.lines).decode().splitlines() for each in self.ledgers]
        lines = sorted({*texts[0][1:], *texts[1][1:]})
        self.rng.shuffle(lines)
        return "\n".join([texts[0][0], *lines, ""]).encode()

    # What the product makes of it

    def judge(
        self,
        says: Mapping[Key, law.Outcome],
        stages: Sequence[int],
        exempt: Collection[tuple[str, str]],
    ) -> None:
        """Hold what is to be done, by the reports of some stages, against the truth."""
        newest = max(stages)
        for key, (state, action) in says.items():
            number = self.at(key, newest)
            why = ""
            if action and number is not None:
                row = self.past[newest][number]
                why = self.wrong(number, key, action, stages) or self.has_access(
                    row, action, newest
                )
                why = "exempt" if key[:2] in exempt else why
            elif state == "done":
                why = self.not_done(key, newest)
            if why:
                self.alarms.append((self.seed, why, stages, state, action, key))
            self.counts[action or state] += 1
        for word in self.plain_removals(stages):
            self.counts["plain"] += 1
            state = says[word.key].state if word.key in says else "forgotten"
            is_exempt = word.key[:2] in exempt
            if state not in ("open", "done", "deactivated") and not is_exempt:
                self.alarms.append((self.seed, "not taken", stages, state, word))

    def wrong(self, number: int, key: Key, action: str, stages: Sequence[int]) -> str:
        """Return why it is wrong to remove a user, empty if it is right."""
        said = [each for each in self.words if each.user == number and each in self.collected]
        removals = [each for each in said if each.decision in ("delete", action)]
        if not removals:
            return "not meant"
        meant = max(removals, key=lambda each: each.at)
        days = {"keep": 178, "investigate": 28}
        for each in {each.person: each for each in said}.values():
            is_milder = each.decision not in ("delete", action)
            # A withdrawal under a former name may be there so that the new one counts.
            is_of_old_name = each.decision == "withdraw" and each.key != key
            if each.at > meant.at and is_milder and not is_of_old_name:
                if not self.is_twice_wrong(meant, each):
                    return "spared since"
            elif each.at < meant.at <= each.at + days.get(each.decision, 0) * A_DAY:
                return "kept by somebody else"
        seen = max(each.stage for each in removals)
        return "gained access since" if self.has_gained(number, seen, stages) else ""

    def is_twice_wrong(self, removal: Word, other: Word) -> bool:
        """Return whether two wrong dates let one look two days earlier than the other."""
        return other.day <= removal.day - 2 * A_DAY

    def has_gained(self, number: int, seen: int, stages: Sequence[int]) -> bool:
        """Return whether a report given shows a gain since the one that was seen."""
        of_user = [(at, gain) for of, at, gain in self.changed if of == number and at > seen]
        for at, gain in of_user:
            hidden = min((other for other, more in of_user if other > at and not more), default=99)
            if gain and any(at <= each < hidden for each in stages):
                return True
        return False

    def has_access(self, row: Row, action: str, stage: int, days: int = 89) -> str:
        """Return why a user must not be deleted, or not be removed at all, as it is.

        A report without a time can be of any time of its day, so that `days` are one less or more.
        """
        keys = [row[f"access_key_{at}_active"] == "true" for at in (1, 2)]
        certificates = [row[f"cert_{at}_active"] == "true" for at in (1, 2)]
        enabled = row["password_enabled"] == "true"
        is_used = enabled and isinstance(row["password_last_used"], datetime)
        if action == "delete" and (any(keys) or any(certificates) or is_used):
            return "deleted with access"
        is_unused = not isinstance(row["password_last_used"], datetime) and not any(keys)
        recent = REPORTED[stage] - days * A_DAY
        uses = [
            last_use(row, f"access_key_{at}_last_used_date", f"access_key_{at}_last_rotated")
            for at in (1, 2)
            if keys[at - 1]
        ]
        uses += [last_use(row, "password_last_used", "password_last_changed")] if enabled else []
        is_recent = any(each > recent for each in uses)
        return "active" if is_recent and not is_unused else ""

    def not_done(self, key: Key, newest: int) -> str:
        """Return why a removal is not done: the user is there, perhaps under another name."""
        last = [each for each in self.words if each.key == key and each in self.collected]
        is_deletion = not any(each.decision == "deactivate" for each in last)
        there = self.past[newest]
        numbers = {each.user for each in last} & {*there}
        # Who took the name of somebody who is gone cannot be told from that one.
        numbers -= {number for number in numbers if self.took_place(number, newest)}
        return "done, yet there" if is_deletion and numbers else ""

    def took_place(self, number: int, newest: int) -> bool:
        """Return whether a user has had the name of another one of its creation second."""
        past = self.past[: newest + 1]
        own = {key_of(at[number]) for at in past if number in at}
        return any(
            other != number and key_of(row) in own for at in past for other, row in at.items()
        )

    def plain_removals(self, stages: Sequence[int]) -> Iterator[Word]:
        """Yield each removal against which nothing speaks: it is the last word on a user.

        All else was said days before, of no newer report, and is a removal or withdrawn.
        """
        seconds = Counter(key_of(row)[::2] for row in self.users.values())
        of_user = defaultdict(list)
        for word in self.words:
            of_user[word.user].append(word)
        for words in of_user.values():
            last, number = words[-1], words[-1].user
            is_last = all(
                each is last
                or (
                    each.decision in ("delete", "deactivate", "withdraw")
                    and each.stage <= last.stage
                    and each.day < last.day - A_DAY
                )
                for each in words
            )
            is_meant = last.decision in law.REMOVALS and last in self.collected
            is_given = not last.variant and last.stage in stages and max(stages) >= last.stage
            if is_last and is_meant and is_given and number in self.users:
                rows = [at.get(number) for at in self.shown[last.stage :]]
                first = rows[0]
                if first and all(row == first for row in rows) and "??" not in first.values():
                    is_single = seconds[last.key[::2]] == 1
                    if is_single and not self.has_access(first, "", last.stage, 91):
                        yield last


def last_use(row: Row, used: str, made: str) -> datetime:
    """Return when a credential was used last; one that never was counts from when it was made."""
    at = row[used] if isinstance(row[used], datetime) else row[made]
    return at if isinstance(at, datetime) else START


class Stage(NamedTuple):
    """Hold the files of a stage, and the reports in them by the oracle's reading."""

    files: Sequence[tuple[str, bytes]]
    reports: Sequence[law.Report]


def stage_of(worlds: Sequence[World], stage: int) -> Stage:
    """Write the reports of a stage: those without a time in a folder of that day."""
    files, reports, at = [], [], REPORTED[stage]
    names = {"console": console_name(at), "folder": f"{at:%Y-%m-%d}/report.csv"}
    moments_of = {"console": at, "folder": at.replace(hour=23, minute=59, second=59)}
    for source, name in names.items():
        nobody = the_root({"console": "9" * 12, "folder": "8" * 12}[source])
        rows = [
            row
            for each in worlds
            if each.sources[stage] == source
            for row in each.rows_of_report(stage)
        ]
        content = report_text(rows, root=nobody).encode()
        files.append((name, content))
        cells = table(content)
        newest = law.newest_timestamp(cells)
        by_account = defaultdict(list)
        for row in cells:
            by_account[row["arn"].split(":")[4]].append(row)
        word = {"console": "file-name", "folder": "folder"}[source]
        reports += [
            law.Report(account, moments_of[source], word, newest, own)
            for account, own in by_account.items()
        ]
    return Stage(files, reports)


def lists_of(stage: Stage, at: datetime) -> dict[str, list[dict[str, str]]]:
    """Return the lists made of a stage, plain and with each as-of that somebody types."""
    loaded = {"": [analyzer.load(*stage.files)]}
    for variant, days in AS_OF.items():
        loaded[variant] = [analyzer.load(each, as_of=at + days * A_DAY) for each in stage.files]
    return {
        variant: [
            with_record(row, stage) for each in reports for row in csv_rows(analyzer.analyze(each))
        ]
        for variant, reports in loaded.items()
    }


def with_record(row: dict[str, str], stage: Stage) -> dict[str, str]:
    """Return a row with what a workbook has in its record."""
    (report,) = (each for each in stage.reports if each.account == row["account"])
    is_of_aws = row["as_of_source"] == "file-name"
    created = law.created_in(row)
    names = report.of_second(created) - {row["user"]} if created else {}
    baseline = row["as_of"] if is_of_aws else f"{report.newest:%Y-%m-%dT%H:%M:%SZ}"
    return row | {"baseline": baseline, "same_second": ";".join(sorted(names)) or "(none)"}


def played(seeds: Iterable[int]) -> list[World]:
    """Play worlds; their reports share files, and so do their plans."""
    worlds = [World(seed) for seed in seeds]
    rng = random.Random(worlds[0].seed)
    stages: list[Stage] = []
    for stage, at in enumerate(REPORTED):
        for each in worlds:
            each.live(stage)
        stages.append(stage_of(worlds, stage))
        lists = lists_of(stages[-1], at)
        for each in worlds:
            each.review(stage, lists)
        sets = [(stage,), tuple(range(stage + 1))]
        sets += [(stage - 1,), (stage - 1, stage)] if stage else []
        for given in sets:
            compare(worlds, stages, given, rng)
        known = tuple(range(stage + 1)) if rng.random() < 0.5 else (stage,)
        keep_facts([each for each in worlds if each.rng.random() < 0.5], stages, known)
    return worlds


def keep_facts(worlds: Sequence[World], stages: Sequence[Stage], given: Sequence[int]) -> None:
    """Let the program write into ledgers what reports show, as `collect --report` does."""
    analysis = analyzer.analyze(loaded(stages, given))
    sides = [(each, each.rng.randrange(2)) for each in worlds]
    lines = tuple(line for each, side in sides for line in each.ledgers[side].lines)
    ledger = Ledger(lines=lines)
    update = collect(ledger, [])
    added = with_facts(update, fates(ledger, analysis.report, [*analysis.pages()])).added
    for each, side in sides:
        own = [line for line in added if line.account in each.accounts]
        text = ledger_bytes(each.ledgers[side].with_lines(own).lines)
        each.ledgers[side] = each.read(text) or each.ledgers[side]
        each.counts["facts"] += len(own)


def loaded(stages: Sequence[Stage], given: Sequence[int]) -> analyzer.Report:
    return analyzer.load(*(file for at in given for file in stages[at].files))


def compare(
    worlds: Sequence[World], stages: Sequence[Stage], given: Sequence[int], rng: random.Random
) -> None:
    """Hold states and plans by some reports against the law and against the truth."""
    texts = {each.seed: each.merged() for each in worlds}
    keys = sorted({word.key for each in worlds for word in each.words})
    exempt = {key for key in keys if rng.random() < 0.04}
    ended = {key for key in keys if rng.random() < 0.04} - exempt
    rows = [
        f"{key.account},{key.name},by design,Ann,{day}"
        for some, day in ((exempt, ""), (ended, "2025-01-01"))
        for key in sorted(some)
    ]
    analysis = analyzer.analyze(loaded(stages, given), exemptions=exemptions_of(*rows))
    of_worlds = [read.lines for each in worlds if (read := each.read(texts[each.seed]))]
    ledger = Ledger(lines=tuple(line for lines in of_worlds for line in lines))
    says = said_by_product(ledger, analysis)
    entries = [
        dict(zip(("account", "user", "reason", "owner", "expires"), row.split(","), strict=True))
        for row in rows
    ]
    for each in worlds:
        reports = [
            report
            for at in given
            for report in stages[at].reports
            if report.account in each.accounts
        ]
        by_law = law.outcomes(table(texts[each.seed]), reports, entries)
        own = {key: outcome for key, outcome in says.items() if key.account in each.accounts}
        before = len(each.alarms)
        for key in sorted({*own, *by_law}):
            law_says, product_says = by_law.get(key), own.get(Key(*key))
            if law_says != product_says:
                each.alarms.append((each.seed, "differs", given, key, law_says, product_says))
        each.judge(own, given, {key[:2] for key in exempt})
        each.evidence += [(alarm, texts[each.seed], reports) for alarm in each.alarms[before:]]


def said_by_product(ledger: Ledger, analysis: analyzer.Analysis) -> dict[Key, law.Outcome]:
    """Return the state of each removal by the follow-up, and what the plan does."""
    pages = [*analysis.pages()]
    plan = removal_plan(ledger, analysis.report, pages)
    actions = {each.line.subject: str(each.line.decision) for each in plan.removals}
    frame = follow_up(pages, analysis.report, ledger).frame
    columns = (frame[name] for name in ("account", "user", "created", "status"))
    return {
        (key := Key(str(account), str(user), created.to_pydatetime())): law.Outcome(
            str(status), actions.get(User(*key), "")
        )
        for account, user, created, status in zip(*columns, strict=True)
        if created is not pd.NaT  # nothing acts on it
    }
