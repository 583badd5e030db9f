"""Play reviews on the product and on the oracle at once, and name each difference."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any, Self

import analyzer
from analyzer.decisions.collect import LedgerUpdate, collect
from analyzer.decisions.decision import LedgerLine, decisions_by_user
from analyzer.decisions.follow_up import follow_up
from analyzer.decisions.ledger import Ledger, ledger_bytes, read_entries, read_ledger
from analyzer.decisions.plan import removal_plan
from tests.support import decision_oracle as law
from tests.support.builders import table
from tests.support.campaigns import (
    NOBODYS_ACCOUNT,
    REVIEWERS,
    STAGES,
    START,
    AccountReport,
    Campaign,
    Channel,
    ListFile,
    ListRow,
    campaign,
    file_text,
    fill_in,
)
from tests.support.decisions import bulk
from tests.support.outputs import csv_rows

CALLS = tuple(START.date() + timedelta(days=days) for days in (4, 6, 8))
LATE_CALL = START.date() + timedelta(days=56)
DUE_DAYS = {"review": 15, "second": 20, "third": law.DUE_DAYS}

Refused = frozenset[tuple[str, int]]
"""The rows for which a call is refused: file and number."""


def reports_in(channel: Channel, text: str) -> list[law.Report]:
    """Return the reports in a file, one of each account, as the oracle reads them.

    A day in a name counts only if no timestamp in the file is later.
    """
    rows = table(text.encode())
    newest, as_of, source = law.newest_timestamp(rows), channel.as_of, channel.source
    if source in {"folder", "assumed"} and as_of < newest:
        as_of, source = newest, "assumed"
    reports = law.reports_of(rows, as_of, source, newest)
    return [each for each in reports if not each.account.startswith(NOBODYS_ACCOUNT)]


@dataclass(frozen=True)
class UserRow:
    """Hold a row of `users.csv`, and the user and the report that the oracle has for it."""

    csv: law.Cells
    cells: law.Cells
    report: law.Report

    @classmethod
    def of(cls, row: law.Cells, report: law.Report) -> Self:
        shown = {"user": row["user"].removeprefix("'"), "arn": row["arn"]}
        return cls(row, law.rows_of_user(report, shown)[0], report)

    @cached_property
    def for_list(self) -> ListRow:
        return ListRow(self.report.as_of.date())


def entries(rows: Sequence[UserRow], file: ListFile) -> list[law.Entry]:
    cells = [dict(zip(law.ENTERED, each, strict=True)) for each in file.entries(len(rows))]
    return [
        law.Entry(file.name, number, entered, row.csv, row.cells, row.report)
        for number, (row, entered) in enumerate(zip(rows, cells, strict=True), 2)
    ]


def collected(
    ledger: Ledger, files: Mapping[str, bytes], today: date, *, attended: bool
) -> LedgerUpdate | Refused:
    try:
        read = [read_entries(name, content, today) for name, content in files.items()]
        return collect(ledger, read, attended=attended)
    except analyzer.InputRefused as refusal:
        return frozenset((each.file, each.row or 0) for each in refusal.problems)


def key_of(line: LedgerLine) -> law.Key:
    return line.user_key.arn, line.user_key.created


def word(line: LedgerLine | law.Line | None) -> tuple[Any, ...] | None:
    """Return what both sides say of a decision."""
    if line is None:
        return None
    if isinstance(line, law.Line):
        return (line.user, line.decision, line.person, line.day, line.file, line.row)
    person = line.decided_by.strip().lower()
    place = (line.workbook, line.row)
    return (key_of(line), str(line.decision), person, line.decided_on, *place)


@dataclass
class Play:
    """Play one campaign: what reviewers enter is collected by both sides, call by call."""

    campaign: Campaign
    rows: Mapping[str, Sequence[UserRow]]
    differences: list[tuple[object, ...]] = field(default_factory=list)
    """What differs, and where: the law's answer and the product's."""

    ledger: Ledger = field(default_factory=Ledger)
    lines: tuple[law.Line, ...] = ()
    calls: list[law.LedgerUpdate] = field(default_factory=list)

    def differs(self, kind: str, where: str, by_law: object, by_product: object) -> bool:
        if by_law != by_product:
            self.differences.append((kind, self.campaign.seed, where, by_law, by_product))
        return by_law != by_product

    # What reviewers do

    def review(self) -> None:
        """Hold the first collections."""
        files = self.files()
        for today in CALLS:
            taking_part = [file for file in files if self.campaign.rng.random() < 0.85]
            if not self.call(taking_part or files[:1], today):
                break

    def files(self) -> list[ListFile]:
        """Return the lists of two or three reviewers, and now and then another one of the first.

        Or one of an older report.
        """
        rng = self.campaign.rng
        reviewers = rng.sample(REVIEWERS, rng.choice([2, 2, 3]))
        files = [ListFile(f"{each.lower()}.csv", "review", each) for each in reviewers]
        if rng.random() < 0.3:
            files.append(ListFile("again.csv", "review", reviewers[0]))
        if rng.random() < 0.3 and self.rows["before"]:
            files.append(ListFile("old.csv", "before", rng.choice(reviewers)))
        return files

    def review_again(self) -> None:
        """Hold a later collection, with lists of the next report."""
        files = [ListFile(f"{each.lower()}-2.csv", "second", each) for each in REVIEWERS[:2]]
        if self.rows["second"] and self.campaign.rng.random() < 0.5 and not self.differences:
            self.call(files, LATE_CALL)

    def call(self, files: Sequence[ListFile], today: date) -> bool:
        """Fill in lists and collect them; what is refused may be mended and collected again."""
        rng = self.campaign.rng
        for file in files:
            rows = [row.for_list for row in self.rows[file.stage]]
            fill_in(rng, file, rows, today, rng.choice([0.1, 0.3, 0.5]))
        is_same = self.collect(files, today)
        refused = self.calls[-1].refused
        if is_same and refused and rng.random() < 0.7:
            for name, row in refused:
                for file in files:
                    if file.name == name:
                        file.entered.pop(row - 2, None)
            return self.collect(files, today)
        return is_same

    # What both sides make of it

    def collect(self, files: Sequence[ListFile], today: date) -> bool:
        """Collect on both sides, and return whether they go on alike."""
        attended = self.campaign.is_attended
        lists = [(file, self.rows[file.stage]) for file in files]
        entered = {file.name: entries(rows, file) for file, rows in lists}
        by_law = law.collect(self.lines, entered, attended=attended)
        contents = {
            file.name: bulk([row.csv for row in rows], *file.entries(len(rows)))
            for file, rows in lists
        }
        by_product = collected(self.ledger, contents, today, attended=attended)
        self.calls.append(by_law)
        where = str(today)
        if isinstance(by_product, frozenset):
            is_alike = bool(by_law.refused) and by_product <= by_law.refused
            return is_alike or not self.differs("refused", where, by_law.refused, by_product)
        if self.differs("refused", where, by_law.refused, frozenset()):
            return False
        if self.differs("added", where, *added(by_law, by_product)):
            return False
        self.lines = by_law.lines
        self.ledger = read_ledger("decisions.csv", ledger_bytes(by_product.ledger.lines))
        self.compare_standings(where, today)
        return True

    def compare_standings(self, where: str, today: date) -> None:
        """Compare what is in force now, and when decisions to keep run out."""
        days = [today + timedelta(days=days) for days in (0, law.KEEP_DAYS - 4, law.KEEP_DAYS)]
        by_product: dict[law.Key, object] = {}
        for user, user_decisions in decisions_by_user(self.ledger.lines).items():
            words = [word(self.ledger.in_force_on(day, user_decisions)) for day in days]
            by_product[user.arn, user.created] = words, user_decisions.is_conflict
        by_law = {
            key: ([word(law.in_force_on(day, each)) for day in days], each.is_conflict)
            for key, each in law.standings(self.lines).items()
        }
        for key in sorted({*by_law, *by_product}, key=str):
            self.differs("in force", f"{where} {key[0]}", by_law.get(key), by_product.get(key))


def added(by_law: law.LedgerUpdate, by_product: LedgerUpdate) -> tuple[object, object]:
    """Return what each side adds: decisions in order, and the days of conflicts."""
    conflicts = frozenset(
        (key_of(line), line.decided_on) for line in by_product.added if line.decision == "conflict"
    )
    lines = [word(line) for line in by_product.added if line.decision != "conflict"]
    return ([word(line) for line in by_law.added], by_law.conflicts), (lines, conflicts)


@dataclass
class Stage:
    """Hold all reports of one stage of several campaigns, as both sides read them."""

    reports: list[law.Report]
    analyses: list[Any]

    def reports_of(self, analysis: Any) -> list[law.Report]:
        accounts = {each.account for file in analysis.report.files for each in file.accounts}
        return [each for each in self.reports if each.account in accounts]

    def rows_by_account(self) -> dict[str, list[UserRow]]:
        rows = defaultdict(list)
        of_account = {each.account: each for each in self.reports}
        for analysis in self.analyses:
            for row in csv_rows(analysis):  # the `users.csv` that the product writes
                rows[row["account"]].append(UserRow.of(row, of_account[row["account"]]))
        return rows


def stage_of(reports: Iterable[AccountReport]) -> Stage:
    """Read the files of a stage; those that --as-of dates are read by themselves."""
    by_channel = defaultdict(list)
    for each in reports:
        by_channel[each.channel].append(each)
    texts = {channel: file_text(each, channel) for channel, each in by_channel.items()}
    sources = defaultdict(list)
    for channel, text in texts.items():
        sources[channel.option].append((channel.name, text.encode()))
    read = (each for channel, text in texts.items() for each in reports_in(channel, text))
    loaded = (analyzer.load(*each, as_of=option) for option, each in sources.items())
    return Stage([*read], [*map(analyzer.analyze, loaded)])


def compare_follow_up(plays: Sequence[Play], stage: Stage, name: str) -> None:
    """Compare status and overdue of each decision that is followed up, and whom a plan takes."""
    lines = [line for play in plays for line in play.lines]
    product_lines = tuple(line for play in plays for line in play.ledger.lines)
    ledger = Ledger(lines=product_lines, due_days=DUE_DAYS[name])
    play_of = {line.user: play for play in plays for line in play.lines}
    for analysis in stage.analyses:
        reports, pages = stage.reports_of(analysis), [*analysis.pages()]
        by_law = law.follow_up(lines, reports, DUE_DAYS[name])
        frame = follow_up(pages, analysis.report, ledger).frame
        created = frame["created"].astype(object).where(frame["created"].notna(), None)
        columns = (frame["arn"], created, frame["status"], frame["overdue"])
        by_product = {
            (arn, at and at.to_pydatetime()): (str(status), bool(overdue))
            for arn, at, status, overdue in zip(*columns, strict=True)
        }
        for key in sorted({*by_law, *by_product}, key=str):
            where = f"{name} {key[0]}"
            play_of[key].differs("follow-up", where, by_law.get(key), by_product.get(key))
        to_remove = law.plan(lines, reports)
        taken = removal_plan(ledger, (), analysis.report, pages).removals
        for key in to_remove ^ {each.line.user_key for each in taken}:
            is_by_law = key in to_remove
            play_of[key].differs("plan", f"{name} {key[0]}", is_by_law, not is_by_law)


def played(seeds: Iterable[int]) -> list[Play]:
    """Play the campaigns of these seeds; their reports share files, which are read at once."""
    campaigns = [campaign(seed) for seed in seeds]
    stages = {
        stage: stage_of(report for each in campaigns for report in each.reports[stage])
        for stage in STAGES
    }
    rows = {stage: stages[stage].rows_by_account() for stage in ("before", "review", "second")}
    plays = []
    for each in campaigns:
        of_stages = {
            stage: [row for report in each.reports[stage] for row in of_account[report.account]]
            for stage, of_account in rows.items()
        }
        plays.append(Play(each, of_stages))
        plays[-1].review()
    compare_follow_up(plays, stages["review"], "review")
    compare_follow_up(plays, stages["second"], "second")
    for play in plays:
        play.review_again()
    compare_follow_up(plays, stages["third"], "third")
    later = [dated(each) for of in campaigns for at in STAGES[1:] for each in of.reports[at]]
    compare_follow_up(plays, stage_of(later), "third")
    return plays


def dated(report: AccountReport) -> AccountReport:
    """Return a report as it is read beside others of its account: its own name tells its time.

    --as-of would date them all, and one that nothing dates may be older or newer: it is refused.
    """
    channel = report.channel
    if channel.source not in {"assumed", "option"}:
        return report
    name = f"{channel.name}/{channel.newest:status_reports_%Y-%m-%dT%H-%M-%SZ}.csv"
    named = channel._replace(name=name, as_of=channel.newest, source="file-name", option=None)
    return report._replace(channel=named)
