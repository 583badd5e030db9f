"""Play reviews in worlds that know the truth, and name where the product goes against it.

A world knows who each user is, whatever its name, and what each reviewer meant last. The product
gets what people give it: reports, and lists that are filled in with the slips of people.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import analyzer
from analyzer.decisions.collect import LedgerUpdate, collect
from analyzer.decisions.decision import REMOVALS, UserKey
from analyzer.decisions.ledger import Ledger, ledger_bytes, read_entries, read_ledger
from analyzer.decisions.plan import RemovalPlan, removal_plan
from tests.support.builders import Row, a_key, a_password, a_user, report_text, the_root
from tests.support.campaigns import (
    created_again,
    gets_password,
    is_deactivated,
    moments,
    renamed,
    rotates_key,
    signs_in,
)
from tests.support.decisions import bulk, console_name
from tests.support.outputs import csv_rows

START = datetime(2026, 1, 7, 9, tzinfo=UTC)
REPORTED = [START + timedelta(days=days) for days in (0, 30, 60, 105)]
"""When the reports of all worlds are made; a review follows on each."""

A_DAY = timedelta(days=1)
GAINS = (signs_in, gets_password, rotates_key)
WORDS = ("delete", "delete", "deactivate", "keep", "investigate", "withdraw")
MILDER = {"deactivate": WORDS[3:], "delete": WORDS[2:]}


def invented(rng: random.Random, name: str, account: str, created: datetime) -> Row:
    used = created + A_DAY
    password = rng.choice([None, a_password(changed=created), a_password(used, created)])
    key = rng.choice([None, a_key(created, used), a_key(created, active=False)])
    return a_user(name, account=account, created=created, password=password, key_1=key)


@dataclass(frozen=True)
class Word:
    """Hold what a reviewer meant of a user, seen in the report of a stage, and the day entered."""

    user: int
    key: UserKey
    person: str
    decision: str
    stage: int
    at: datetime
    day: date

    @property
    def is_slip(self) -> bool:
        return self.day != self.at.date()

    @property
    def entered(self) -> tuple[str, ...]:
        return self.decision, self.person, self.day.isoformat(), "", "needed"


@dataclass(eq=False)
class ListCopy:
    """Hold the copy of a list of one reviewer, with what is entered there by now."""

    name: str
    person: str
    stage: int
    rows: Sequence[Mapping[str, str]]
    users: Sequence[int]
    words: dict[int, Word] = field(default_factory=dict)

    def content(self, words: Mapping[int, Word]) -> bytes:
        entered = [words[at].entered if at in words else () for at in range(len(self.rows))]
        return bulk(self.rows, *entered)


@dataclass
class World:
    """Hold an account and its users as they are, and what was said of them."""

    seed: int
    counts: Counter[str] = field(default_factory=Counter)
    alarms: list[tuple[object, ...]] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    users: dict[int, Row] = field(default_factory=dict)
    keys: dict[UserKey, int] = field(default_factory=dict)
    changed: list[tuple[int, int, bool]] = field(default_factory=list)
    """Which user changed before which report, and whether it gained access or was used."""

    words: list[Word] = field(default_factory=list)
    collected: set[Word] = field(default_factory=set)
    lists: list[ListCopy] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.account, self.now = f"{self.seed:012}", START
        second = START - timedelta(days=self.rng.randrange(100, 300))
        for at in range(self.rng.randrange(8, 14)):
            is_of_script = at > 4 and self.rng.random() < 0.4
            created = second if is_of_script else second - timedelta(days=at + 1)
            self.add(at, invented(self.rng, f"u{at}", self.account, created))

    def add(self, number: int, row: Row) -> None:
        """Let a user be there, a new one or one under a new name."""
        self.users[number] = row
        self.keys[key_of(row)] = number

    def live(self, stage: int) -> None:
        """Let time pass, as far as the next report: every other user changes."""
        self.now = REPORTED[stage]
        happened = moments(self.rng, self.now - 20 * A_DAY, self.now)
        for number, row in [*self.users.items()]:
            fate = self.rng.random()
            if fate < 0.5:
                self.changed.append((number, stage, fate < 0.25))
            if fate < 0.25:
                self.users[number] = self.rng.choice(GAINS)(self.rng, row, happened)
            elif fate < 0.35:
                self.add(number, renamed(row, self.rng))
            elif fate < 0.4:
                self.users[number] = is_deactivated(self.rng, row, happened)
            elif fate < 0.5:
                del self.users[number]
                if fate < 0.45:
                    self.add(len(self.keys) + 100, created_again(row, happened))

    # What reviewers do

    def review(self, stage: int, rows: Sequence[Mapping[str, str]]) -> None:
        """Let two people decide on the list of a stage, now and then also on older ones."""
        users = [self.keys[key_of(row)] for row in rows]
        new = [ListCopy(f"{by}-{stage}.csv", by, stage, rows, users) for by in ("ann", "bob")]
        old = [each for each in self.lists if self.rng.random() < 0.4]
        self.lists += new
        before = {id(each): dict(each.words) for each in self.lists}
        for _ in range(2):
            for each in (*new, *old):
                self.fill_in(each)
            for each in self.rng.sample([*new, *old], len(new) + len(old)):
                self.hand_in(each)
            self.now += A_DAY
        for each in old[:1]:
            self.hand_in(replace(each, name=f"copy-{each.name}", words=before[id(each)]))

    def fill_in(self, copy: ListCopy) -> None:
        for at, (number, row) in enumerate(zip(copy.users, copy.rows, strict=True)):
            self.now += timedelta(minutes=1)
            if self.rng.random() < (0.2 if at in copy.words else 0.3):
                slip = self.rng.choice([-A_DAY, A_DAY]) if self.rng.random() < 0.05 else A_DAY * 0
                decision = self.rng.choice(WORDS)
                day = (self.now + slip).date()
                seen = key_of(row), copy.person, decision, copy.stage, self.now, day
                copy.words[at] = Word(number, *seen)
                self.words.append(copy.words[at])

    def hand_in(self, copy: ListCopy) -> None:
        """Collect a list; what is refused is taken out, and the rest is handed in again."""
        while copy.words:
            try:
                entries = read_entries(copy.name, copy.content(copy.words), self.now.date())
                second = defaultdict(set)
                for row in copy.rows:
                    second[row["user_creation_time"]].add(row["user"])
                lines = tuple(
                    replace(
                        each,
                        same_second=frozenset(
                            second[each.user_row["user_creation_time"]] - {each.user}
                        ),
                    )
                    for each in entries.lines
                )
                entries = replace(entries, lines=lines)
                update = collect(self.ledger, [entries])
            except analyzer.InputRefused as refusal:
                self.counts["refused"] += 1
                refused = {*copy.words} & {(each.row or 0) - 2 for each in refusal.problems}
                if not refused:
                    self.alarms.append((self.seed, "refused without a row", str(refusal)))
                    return
                copy.words = {at: each for at, each in copy.words.items() if at not in refused}
                continue
            self.ledger = read_ledger("decisions.csv", ledger_bytes(update.ledger.lines))
            self.collected |= {*copy.words.values()}
            self.alarms += self.lost(copy, update)
            return

    def lost(self, copy: ListCopy, update: LedgerUpdate) -> Iterator[tuple[object, ...]]:
        """Yield what was entered and is neither in the ledger nor named."""
        decided = {(each.user_key, each.person, str(each.decision)) for each in self.ledger.lines}
        for word in copy.words.values():
            is_there = (word.key, word.person, word.decision) in decided
            if not is_there and word.key.arn not in "\n".join(update.notes):
                yield self.seed, "lost", word

    # What the product makes of it

    def judge(self, plan: RemovalPlan, stages: Sequence[int]) -> None:
        """Hold a plan by the reports of some stages against the truth."""
        removals = [each.line for each in plan.removals if each.line.account == self.account]
        done = [each for each in plan.done if each.account == self.account]
        left_out = [each for each in plan.left_out if each.line.account == self.account]
        for line in removals:
            number, decision = self.keys[line.user_key], str(line.decision)
            # The script finds nobody where the user has another ARN by now.
            is_found = number in self.users and self.users[number]["arn"] == line.user_key.arn
            if is_found and (why := self.wrong(number, line.user_key, decision, stages)):
                self.alarms.append((self.seed, why, stages, decision, line.user_key))
        for line in done:
            if line.decision == "delete" and self.keys[line.user_key] in self.users:
                self.alarms.append((self.seed, "done, yet there", stages, line.user_key))
        settled = {each.user_key for each in (*removals, *done)}
        for word in self.plain_removals(stages):
            self.counts["plain"] += 1
            if word.key not in settled and not any(
                each.state == "active" for each in left_out if each.line.user_key == word.key
            ):
                why_not = [str(each) for each in left_out if each.line.user_key == word.key]
                self.alarms.append((self.seed, "not taken", stages, word, why_not))
        self.counts.update(taken=len(removals), done=len(done), left_out=len(left_out))

    def wrong(self, number: int, key: UserKey, decision: str, stages: Sequence[int]) -> str:
        """Return why it is wrong to remove a user, empty if it is right.

        A wrong date leaves open what was meant last; what was seen in an older report than that of
        the removal does not count.
        """
        said = [each for each in self.words if each.user == number and each in self.collected]
        removals = [each for each in said if each.decision in (decision, "delete")]
        if not removals:
            return "not meant"
        if any(each.is_slip for each in said):
            return ""
        seen = max(each.stage for each in removals)
        last = {each.person: each for each in said}.values()
        meant = max((each.at for each in last if each in removals), default=START)
        # A withdrawal under a former name may be there so that the one under the new name counts.
        milder = (each for each in last if each.decision in MILDER[decision])
        spare = (each for each in milder if each.decision != "withdraw" or each.key == key)
        if any(each.at > meant for each in spare):
            return "spared since"
        gains = self.changes(number, seen, max(stages, default=seen))
        return "gained access since" if gains and all(gains) else ""

    def changes(self, number: int, seen: int, shown: int) -> list[bool]:
        """Return of each change of a user between two reports whether it is a gain."""
        return [gain for of, stage, gain in self.changed if of == number and seen < stage <= shown]

    def plain_removals(self, stages: Sequence[int]) -> Iterator[Word]:
        """Yield each removal that is the only word on a user in whom nothing changed."""
        said = Counter(each.user for each in self.words)
        seconds = Counter(key.created for key in self.keys)
        for word in self.collected:
            shown = max(stages, default=word.stage)
            is_only = said[word.user] == 1 and seconds[word.key.created] == 1
            is_plain = is_only and word.decision in REMOVALS and not word.is_slip
            if is_plain and shown >= word.stage and not self.changes(word.user, word.stage, shown):
                yield word


def key_of(row: Mapping[str, object]) -> UserKey:
    created = row["user_creation_time"]
    at = created if isinstance(created, datetime) else datetime.fromisoformat(str(created))
    return UserKey(str(row["arn"]), at)


def played(seeds: Iterable[int]) -> list[World]:
    """Play worlds; their reports share a file, and so do their plans."""
    worlds = [World(seed) for seed in seeds]
    files: list[tuple[str, bytes]] = []
    for stage, at in enumerate(REPORTED):
        rows: list[Row] = []
        for each in worlds:
            each.live(stage)
            rows += the_root(each.account), *each.users.values()
        files.append((console_name(at), report_text(rows[1:], root=rows[0]).encode()))
        listed = defaultdict(list)
        for row in csv_rows(analyzer.analyze(analyzer.load(files[-1]))):
            listed[row["account"]].append(row)
        for each in worlds:
            each.review(stage, listed[each.account])
        ledger = Ledger(lines=tuple(line for each in worlds for line in each.ledger.lines))
        for stages in ((stage,), tuple(range(stage + 1))):
            named = [files[each] for each in stages]
            analysis = analyzer.analyze(analyzer.load(*named)) if named else None
            plan = removal_plan(ledger, analysis.report, analysis.pages())
            for each in worlds:
                each.judge(plan, stages)
    return worlds
