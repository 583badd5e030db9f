"""Play reviews in random worlds, and hold what the product says to the law.

The product gets what people give it: reports, some of them without a time or cut, and lists that
are filled in with the slips of people. What it says is held against a second reading of the law.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import analyzer
from analyzer.decisions.collect import collect
from analyzer.decisions.follow_up import follow_up, gone_users
from analyzer.decisions.ledger import Ledger, ledger_bytes, read_entries, read_ledger
from analyzer.decisions.plan import removal_plan
from tests.support import campaigns as events
from tests.support import decision_oracle as law
from tests.support.builders import (
    Row,
    a_key,
    a_password,
    a_user,
    report_text,
    table,
    the_root,
)
from tests.support.decisions import bulk, console_name
from tests.support.named_reports import load_named
from tests.support.outputs import csv_rows, exemptions_of

START = datetime(2026, 1, 7, 9, tzinfo=UTC)
REPORTED = [START + timedelta(days=days) for days in (0, 30, 60, 105)]
"""When the reports of all worlds are made; a review follows on each."""

A_DAY = timedelta(days=1)
GAINS = (events.signs_in, events.gets_password, events.rotates_key)
WORDS = ("delete", "delete", "delete", "deactivate", "keep", "investigate")
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
    """Hold what a reviewer wrote of a user, and the day entered."""

    key: Key
    person: str
    decision: str
    day: date

    @property
    def entered(self) -> tuple[str, ...]:
        return self.decision, self.person, self.day.isoformat(), "", "needed"


@dataclass(eq=False)
class ListCopy:
    """Hold the copy of a list of one reviewer, with what is entered there by now."""

    name: str
    person: str
    rows: Sequence[Mapping[str, str]]
    is_record: bool  # shows who was created in one second, as a workbook does, a script does not
    words: dict[int, Word] = field(default_factory=dict)

    def content(self) -> bytes:
        more = ("same_second",) if self.is_record else ()
        rows = [self.rows[at] for at in self.words]
        return bulk(rows, *(word.entered for word in self.words.values()), more=more)


@dataclass
class World:
    """Hold two accounts and their users as they are, and what was said of them.

    By stage, `shown` are the users as the report shows them (a cell may be damaged), `cut` the
    accounts whose report lacks the root and some users, `sources` what dates the report. Users who
    were `deactivated` get access again.
    """

    seed: int
    ledgers: list[Ledger] = field(default_factory=lambda: [Ledger(), Ledger()])
    users: list[Row] = field(default_factory=list)
    shown: list[list[Row]] = field(default_factory=list)
    cut: list[set[str]] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    lists: list[ListCopy] = field(default_factory=list)
    deactivated: set[Key] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.accounts, self.now = [f"{self.seed:06}{at:06}" for at in (0, 1)], START
        second = START - timedelta(days=self.rng.randrange(100, 300))
        for at in range(self.rng.randrange(8, 15)):
            is_of_script = at > 4 and self.rng.random() < 0.7
            created = second if is_of_script else second - timedelta(days=at + 1)
            account = self.accounts[at % 3 == 0]
            self.users.append(self.invented(f"u{at - at % 3}", account, created, at))

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
        happened = events.moments(self.rng, self.now - 20 * A_DAY, self.now)
        for row in list(self.users):
            if row in self.users:
                became = self.changed(row, happened)
                at = self.users.index(row)
                self.users[at : at + 1] = became
        self.sources.append(self.rng.choice(["file-name", "file-name", "file-name", "folder"]))
        self.cut.append({each for each in self.accounts if self.rng.random() < 0.08})
        self.shown.append(
            [
                self.reported(row)
                for row in self.users
                if key_of(row).account not in self.cut[stage] or self.rng.random() < 0.8
            ]
        )

    def changed(self, row: Row, happened: Callable[[], datetime]) -> list[Row]:
        """Return what becomes of a user, if it stays or is created again."""
        fate, rng = self.rng.random(), self.rng
        became = [row]
        if key_of(row) in self.deactivated or fate < 0.2:
            became = [rng.choice(GAINS)(rng, row, happened)]
        elif fate < 0.25:
            more = rng.choice([events.key_changes, events.certificate_changes, events.mfa_changes])
            became = [more(rng, row, happened)]
        elif fate < 0.31:
            became = [events.renamed(row, rng)]
        elif fate < 0.37:
            became = [events.is_deactivated(rng, row, happened)]
            self.deactivated.add(key_of(row))
        elif fate < 0.40:
            became = [self.in_place_of_another(row)]
        elif fate < 0.5:
            became = [events.created_again(row, happened)] if fate < 0.45 else []
        elif fate < 0.56:
            became = [row | {"arn": str(row["arn"]).replace(":user/", ":user/moved/")}]
        return became

    def in_place_of_another(self, row: Row) -> Row:
        """Return a user by the name of one that was created in the same second and goes."""
        of_second = [o for o in self.users if key_of(o)[::2] == key_of(row)[::2] and o != row]
        if not of_second:
            return row
        gone = self.rng.choice(of_second)
        self.users = [other for other in self.users if other is not gone]
        return row | {"user": gone["user"], "arn": gone["arn"]}

    def reported(self, row: Row) -> Row:
        if self.rng.random() < 0.03:
            return row | {self.rng.choice(SPOILT): "??"}
        return row

    def rows_of_report(self, stage: int) -> list[Row]:
        roots = [the_root(each) for each in self.accounts if each not in self.cut[stage]]
        return roots + self.shown[stage]

    # What reviewers do

    def review(self, stage: int, rows: Mapping[str, Sequence[Mapping[str, str]]]) -> None:
        """Let people decide on the lists of a stage, now and then also on older ones."""
        old = [each for each in self.lists if self.rng.random() < 0.4]
        new = [self.new_list(by, stage, rows) for by in self.rng.sample(list(HOURS), 2)]
        self.lists += new
        before = {id(each): dict(each.words) for each in self.lists}
        for _ in range(self.rng.choice([1, 1, 2, 3])):
            for each in (*new, *old):
                self.fill_in(each)
            for each in self.rng.sample(new + old, len(new) + len(old)):
                if self.rng.random() < 0.9:
                    self.hand_in(each)
            self.now += A_DAY
        for each in old[:1]:
            self.hand_in(replace(each, name=f"copy-{each.name}", words=before[id(each)]))

    def new_list(
        self, by: str, stage: int, rows: Mapping[str, Sequence[Mapping[str, str]]]
    ) -> ListCopy:
        """Make a list, perhaps with an as-of that somebody typed, perhaps a filtered one."""
        variant = self.rng.choice([""] * 7 + list(AS_OF))
        own = [
            row
            for row in rows[variant]
            if row["account"] in self.accounts and self.rng.random() < 0.9
        ]
        name = f"{by}-{stage}{variant}.csv".lower()
        return ListCopy(name, by, own, self.rng.random() < 0.7)

    def fill_in(self, copy: ListCopy) -> None:
        for at, row in enumerate(copy.rows):
            self.now += timedelta(minutes=1)
            is_known = row["user_creation_time"] != "??"
            if is_known and self.rng.random() < (0.1 if at in copy.words else 0.25):
                slip = self.rng.choice([-A_DAY, A_DAY]) if self.rng.random() < 0.05 else A_DAY * 0
                decision, key = self.rng.choice(WORDS), key_of(row)
                day = (self.now + timedelta(hours=HOURS[copy.person]) + slip).date()
                copy.words[at] = Word(key, copy.person, decision, day)
                self.words.append(copy.words[at])

    def hand_in(self, copy: ListCopy) -> None:
        """Collect a list into one of two ledgers, without the entries that are not valid."""
        first = {at: date.fromisoformat(row["as_of"][:10]) for at, row in enumerate(copy.rows)}
        valid = {
            at: word
            for at, word in copy.words.items()
            if first[at] - A_DAY <= word.day <= self.now.date() + A_DAY
        }
        copy, side = replace(copy, words=valid), self.rng.randrange(2)
        entries = read_entries(copy.name, copy.content(), self.now.date())
        self.ledgers[side] = collect(self.ledgers[side], [entries], self.now.date()).ledger
        lines = self.ledgers[side].lines
        there = {line.subject + (line.decided_by, line.decided_on, line.decision) for line in lines}
        for word in valid.values():
            assert word.key + (word.person, word.day, word.decision) in there, (self.seed, word)

    def merged(self) -> bytes:
        """Return both ledgers as git merges them: every line of either, in any order."""
        texts = [ledger_bytes(each.lines).decode().splitlines() for each in self.ledgers]
        lines = sorted(set(texts[0][1:]) | set(texts[1][1:]))
        self.rng.shuffle(lines)
        return "\n".join([texts[0][0]] + lines + [""]).encode()


# The reports and lists of all worlds, and what is asked of the product


class Stage(NamedTuple):
    """Hold the files of a stage, and the reports in them by the oracle's reading."""

    files: Sequence[tuple[str, bytes]]
    reports: Sequence[law.Report]


def stage_of(worlds: Sequence[World], stage: int) -> Stage:
    """Write the reports of a stage: those without a time in a folder of that day."""
    at, files, reports = REPORTED[stage], [], []
    end_of_day = at.replace(hour=23, minute=59, second=59)
    day = f"{at:%Y-%m-%d}/report.csv"
    named = (("file-name", console_name(at), at), ("folder", day, end_of_day))
    for number, (source, name, as_of) in enumerate(named, start=8):
        of_source = (each for each in worlds if each.sources[stage] == source)
        rows = [row for each in of_source for row in each.rows_of_report(stage)]
        content = report_text(rows, root=the_root(f"{number}" * 12)).encode()
        files.append((name, content))
        by_account = defaultdict(list)
        for cells in table(content):
            by_account[cells["arn"].split(":")[4]].append(cells)
        newest = law.newest_timestamp(table(content))
        for account, own in by_account.items():
            reports.append(law.Report(account, as_of, source, newest, own))
    return Stage(files, reports)


def lists_of(stage: Stage, at: datetime) -> dict[str, list[dict[str, str]]]:
    """Return the lists made of a stage, plain and with each as-of that somebody types."""
    loaded = {"": [load_named(*stage.files)]}
    for variant, days in AS_OF.items():
        loaded[variant] = [load_named(each, as_of=at + days * A_DAY) for each in stage.files]
    by_account = {report.account: report for report in stage.reports}
    lists: dict[str, list[dict[str, str]]] = {variant: [] for variant in loaded}
    for variant, reports in loaded.items():
        for row in (row for each in reports for row in csv_rows(analyzer.analyze(each))):
            report, created = by_account[row["account"]], law.created_in(row)
            names = report.of_second(created) if created else {row["user"]}
            row["same_second"] = ";".join(sorted(names))
            lists[variant].append(row)
    return lists


def checked(
    worlds: Sequence[World], stages: Sequence[Stage], given: Sequence[int], rng: random.Random
) -> Collection[law.Outcome]:
    """Hold what the product says of the merged ledgers of worlds to the law, and return it."""
    texts = [each.merged() for each in worlds]
    lines = [line for text in texts for line in read_ledger("decisions.csv", text).lines]
    keys = sorted({word.key for each in worlds for word in each.words})
    exempt = {key[:2] for key in keys if rng.random() < 0.08}
    ended = {key[:2] for key in keys if rng.random() < 0.08} - exempt
    names = ("account", "user", "reason", "owner", "expires")
    rows = [key + ("by design", "Ann", "") for key in sorted(exempt)]
    rows += [key + ("by design", "Ann", "2025-01-01") for key in sorted(ended)]
    exemptions = exemptions_of(*map(",".join, rows))
    analysis = analyzer.analyze(loaded(stages, given), exemptions=exemptions)
    says = said_by_product(Ledger(lines=tuple(lines)), analysis)
    went = gone_by_product(Ledger(lines=tuple(lines)), analysis)
    reports = [report for at in given for report in stages[at].reports]
    entries = [dict(zip(names, row, strict=True)) for row in rows]
    for world, text in zip(worlds, texts, strict=True):
        own = [report for report in reports if report.account in world.accounts]
        by_law = law.outcomes(table(text), own, entries)
        found = {key: outcome for key, outcome in says.items() if key.account in world.accounts}
        assert found == by_law, (world.seed, given)
        gone = {key: how for key, how in went.items() if key.account in world.accounts}
        assert gone == law.gone(table(text), own), (world.seed, given)
    return says.values()


def played(seeds: Iterable[int]) -> list[law.Outcome]:
    """Play worlds, whose reports share files; return all outcomes after the last report."""
    worlds = [World(seed) for seed in seeds]
    rng = random.Random(worlds[0].seed)
    stages: list[Stage] = []
    found: list[law.Outcome] = []
    for stage, at in enumerate(REPORTED):
        for each in worlds:
            each.live(stage)
        stages.append(stage_of(worlds, stage))
        lists = lists_of(stages[-1], at)
        for each in worlds:
            each.review(stage, lists)
        sets = {(stage,), tuple(range(stage + 1))}
        sets |= {rng.choice([(stage - 1,), (stage - 1, stage)])} if stage else set()
        found = [each for given in sorted(sets) for each in checked(worlds, stages, given, rng)]
    return found


def loaded(stages: Sequence[Stage], given: Sequence[int]) -> analyzer.Report:
    return load_named(*(file for at in given for file in stages[at].files))


def said_by_product(ledger: Ledger, analysis: analyzer.Analysis) -> dict[Key, law.Outcome]:
    """Return what the plan says of each removal: its state, and what is done."""
    plan = removal_plan(ledger, analysis.report, analysis.judged)
    actions = [(fate, str(fate.action)) for fate in plan.removals]
    actions += [(fate, "") for fate in plan.left_out + plan.done]
    return {
        Key(fate.line.account, fate.line.user, created): law.Outcome(
            str(fate.state), action, str(fate.overdue or "")
        )
        for fate, action in actions
        if fate.line.identifies_user and (created := fate.line.created)
    }


def gone_by_product(ledger: Ledger, analysis: analyzer.Analysis) -> dict[Key, str]:
    """Return what the follow-up says of users gone without a removal."""
    followed = follow_up(analysis.judged, analysis.report, ledger)
    found = gone_users(analysis.judged, analysis.report, followed)
    return {Key(*user): str(of.how) for user, of in found.items()}  # type: ignore[arg-type]  # all have a creation time
