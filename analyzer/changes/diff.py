"""Compare two analyses: users, verdicts, exemptions, credentials and findings that changed.

A user is an ARN with a creation time. Only accounts with a report on both sides are compared: in
all others no user is new or gone.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, islice
from typing import Any, Final, Self

import numpy as np
import pandas as pd
import pyarrow as pa

from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.analysis.filters import account_labels
from analyzer.analysis.rulebook import Rulebook
from analyzer.changes.events import RENAMED_REMARK, renamed_count_text
from analyzer.changes.user_changes import (
    ChangeKind,
    ChangeRow,
    Finding,
    changes_of_user,
)
from analyzer.changes.walk import Steps, Walk, of_roots
from analyzer.errors import InputRefused, Problem
from analyzer.lists.exemptions import ExemptionMatches
from analyzer.report.frames import (
    TEXT,
    account_names,
    as_category,
    blank_categories,
    categories,
)
from analyzer.report.model import AccountName, stable_order
from analyzer.report.report import Report
from analyzer.report.users import Users
from analyzer.report.values import is_one_of, texts
from analyzer.rules.engine import outcomes, page_findings
from analyzer.rules.rule import FACT, OUTCOME, RULE, Outcome
from analyzer.terms import AsOfSource, Verdict, count_text, minute_text, short_list
from analyzer.verdicts.facts import Facts

CHANGE: Final = "change"
BEFORE: Final = "before"
NOW: Final = "now"
CAUSE: Final = "cause"
EXEMPTION_BEFORE: Final = "exemption_before"
EXEMPTION_NOW: Final = "exemption_now"
COLUMNS: Final = ChangeRow._fields + columns.OWNERSHIP + (columns.ACCOUNT_NAME,)

NO_REPORT: Final = "there is no report of it"

_MOMENT: Final = "datetime64[s, UTC]"
_MOMENTS: Final = {columns.LAST_USE: _MOMENT, columns.CREATED: _MOMENT}
_DTYPES: Final[dict[Any, Any]] = dict.fromkeys(ChangeRow._fields, TEXT) | _MOMENTS
_OF_EXEMPTIONS: Final = [
    ChangeKind.EXEMPTED,
    ChangeKind.EXEMPTION_ENDED,
    ChangeKind.EXEMPTION_CHANGED,
]
_STEPS_AT_ONCE: Final = 8_192


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """Hold one side of a comparison.

    `as_of` is that of the report of each account that has one (naive, in UTC); `missing` the reason
    for each account that could not be read.
    """

    analysis: Analysis
    as_of: Mapping[str, datetime]
    missing: Mapping[str, str]

    @classmethod
    def of(cls, analysis: Analysis) -> Self:
        """Return an analysis as a side."""
        files = sorted(analysis.report.files, key=lambda file: file.as_of)
        as_of = {
            of.account: file.as_of.replace(tzinfo=None) for file in files for of in file.accounts
        }
        missing = {account.label: account.reason for account in analysis.report.not_covered}
        return cls(analysis=analysis, as_of=as_of, missing=missing)

    @property
    def book(self) -> Rulebook:
        """Return the rules that ran, with their limits."""
        return self.analysis.rule_results.book

    def outcomes(self, page: Users) -> np.ndarray:
        """Return the outcomes of all rules, a row for each user or root (`engine.outcomes`)."""
        rules, thresholds = self.book.rules, self.book.thresholds
        found = [np.zeros((0, len(page)), np.int8)]
        for _, of_rule in outcomes(Facts(page), rules, thresholds, of_roots=of_roots(page)):
            found.append(of_rule)
        return np.concatenate(found).T

    def findings_at(self, walk: Walk, at: np.ndarray) -> list[list[Finding]]:
        """Return the failed and undecided findings in the rows at some positions; none for -1."""
        findings: list[list[Finding]] = [[] for _ in at]
        for places, users in walk.parts(at):
            rows = zip(users.file.tolist(), users.row.tolist(), strict=True)
            place_of = dict(zip(rows, places.tolist(), strict=True))
            for file, row, finding in self._findings(users):
                findings[place_of[file, row]].append(finding)
        return findings

    def _findings(self, users: Users) -> Iterator[tuple[int, int, Finding]]:
        book = self.book
        exempt = ExemptionMatches(users, self.analysis.exemptions)
        found = page_findings(users, book.rules, book.thresholds, exempt, of_roots=of_roots(users))
        order = stable_order(found[columns.SLOT])
        kept = order[~is_one_of([Outcome.NOTED], found[OUTCOME])[order]]
        file, row, rule, created, outcome, fact, exemption = (
            texts(found[name].take(pa.array(kept))) for name in _OF_FINDING
        )
        created = created.cast(pa.timestamp("s")).to_pylist()
        outcomes = map(Outcome, outcome.to_pylist())
        cells = rule.to_pylist(), created, outcomes, fact.to_pylist(), exemption.to_pylist()
        return zip(file.to_pylist(), row.to_pylist(), map(Finding, *cells), strict=True)


_OF_FINDING: Final = (
    columns.FILE,
    columns.ROW,
    RULE,
    columns.CREATED,
    OUTCOME,
    FACT,
    columns.EXEMPTION,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Hold two analyses and what changed from one to the other (`COLUMNS`)."""

    before: Analysis
    now: Analysis
    changes: pd.DataFrame
    account_count: int

    def __repr__(self) -> str:
        """Return how many changes there are, in a line."""
        return f"<Comparison: changes {len(self.changes):,}, accounts {self.account_count:,}>"

    @property
    def not_compared(self) -> list[str]:
        """Return a line for each account that was not compared, with the cause."""
        missing = self.changes[self.changes[CHANGE] == ChangeKind.NOT_COVERED]
        pairs = zip(missing[columns.ACCOUNT], missing[CAUSE], strict=True)
        return [f"Account {account} was not compared: {cause}" for account, cause in pairs]

    @property
    def same_reports(self) -> list[str]:
        """Return the names of the later reports that the earlier side has too, as of the same time.

        AWS's CSV has no time in it: where nothing happened, two of them have the same bytes.
        """
        earlier = {(file.sha256, file.as_of) for file in self.before.report.files}
        return [file.name for file in self.now.report.files if (file.sha256, file.as_of) in earlier]

    def where(self, kinds: Collection[str] = (), verdicts: Collection[str] = ()) -> Self:
        """Return the changes of these kinds, of users that had or have one of these verdicts.

        Without kinds or verdicts, all count; the kind `unused` means all newly unused users.
        Accounts that were not compared stay.
        """
        frame = self.changes
        keep = frame[CHANGE].isin(list(kinds or ChangeKind))
        if Verdict.UNUSED in kinds:
            keep |= has_newly(Verdict.UNUSED, frame)
        if verdicts:
            arns: set[str] = set()
            for analysis in (self.before, self.now):
                users = analysis.judged.users
                arns.update(users.loc[users[columns.VERDICT].isin(list(verdicts)), columns.ARN])
            keep &= frame[columns.ARN].isin(arns)
        keep |= frame[CHANGE] == ChangeKind.NOT_COVERED
        return replace(self, changes=frame[keep].reset_index(drop=True))

    def failures(self, words: Collection[str]) -> list[str]:
        """Return the changes that meet words, each kind with its number; only new ones count.

        The words are verdicts, severities, ids of rules and kinds of changes. A verdict is met by
        users that have it now, and had another one or were not there before; a rule by a finding
        that was not there before. Users that are newly undetermined and accounts that were not
        compared always meet them.
        """
        return list(self._failures(words)) if words else []

    def _failures(self, words: Collection[str]) -> Iterator[str]:
        frame = self.changes
        if missing := len(self.not_compared):
            yield f"{count_text(missing, 'account')} not compared"
        open_ = frame[frame[EXEMPTION_NOW] == ""]
        for verdict in Verdict:
            users = open_[has_newly(verdict, open_)]
            if len(users) and (verdict is Verdict.UNDETERMINED or verdict in words):
                yield f"{len(users):,} newly {verdict}{renamed_count_text(renamed_count(users))}"
        fails = open_[open_[NOW].isin([Outcome.FAILS, Outcome.UNDECIDED])]
        for rule in self.now.rule_results.book.rules if len(fails) else ():
            number = int((fails[RULE] == rule.id).sum())
            if number and rule.is_named(words):
                yield f"{rule.id}: {number:,} new"
        for kind in ChangeKind:
            some = frame[frame[CHANGE] == kind]
            if len(some) and kind in words and kind is not ChangeKind.UNDETERMINED:
                yield f"{len(some):,} {kind}{renamed_count_text(renamed_count(some))}"


def diff(before: Analysis, now: Analysis) -> Comparison:
    """Return what changed between two analyses.

    Raises InputRefused if they are in the wrong order, or have no account in common.
    """
    sides = Side.of(before), Side.of(now)
    if accounts := out_of_order(*sides):
        raise InputRefused(_order_problem(before, now, account) for account in sorted(accounts))
    accounts = compared_accounts(*sides)
    if not accounts:
        reports = before.report, now.report
        old, new = (short_list(account_labels(report)) for report in reports)
        names = " and ".join(short_list([file.name for file in report.files]) for report in reports)
        message = f"no account has a report in both: OLD has account {old}, NEW has account {new}"
        hint = "Name two reports of the same account, the earlier first: credreport diff OLD NEW."
        raise InputRefused.of_file(names, message, hint)
    return Comparison(before=before, now=now, changes=changes(*sides), account_count=len(accounts))


def _order_problem(before: Analysis, now: Analysis, account: str) -> Problem:
    old, new = (
        max(
            (file for file in report.files if account in (of.account for of in file.accounts)),
            key=lambda file: file.as_of,
        )
        for report in (before.report, now.report)
    )
    message = f"as of {minute_text(new.as_of)}, earlier than {old.name} ({minute_text(old.as_of)})"
    hint = "Put the earlier report first: credreport diff OLD NEW."
    if AsOfSource.ASSUMED in (old.as_of_source, new.as_of_source):
        hint += " If the order is right, set the times with --old-as-of and --new-as-of."
    return Problem.of_file(new.name, message, hint)


# Changes


def changes(before: Side, now: Side) -> pd.DataFrame:
    """Return what changed between two sides, sorted by `ChangeKind`, account, ARN and rule.

    The columns are `COLUMNS`: `change` category; `account`, `user`, `arn`, `cause`, `rule`, `fact`
    str; `before`, `now` str (verdicts or outcomes of findings, empty for none);
    `exemption_before`, `exemption_now` str; `last_use` datetime64[s, UTC], the newest known;
    `created` likewise, of the user, or of the credential that a finding is about; the owner on
    the later side (category); `account_name` str, empty if neither side knows it.

    A cell that is not understood on one side is reported as such, and nothing is concluded from
    it. An account without a report on one side has one row, `not-covered`, and so has one whose
    reports are in the wrong order.
    """
    names = {**before.analysis.report.account_names, **now.analysis.report.account_names}
    rows = chain(_changed_users(before, now), _uncompared_accounts(before, now))
    frame = _frame(rows, names)
    as_of = frame[columns.ACCOUNT].map(now.as_of).astype("datetime64[s]")
    return frame.assign(**categories(now.analysis.owners.columns_of(frame, as_of)))


def not_covered_rows(report: Report) -> pd.DataFrame:
    """Return the accounts that could not be read, if there is nothing to compare with.

    The columns are those of `changes`.
    """
    missing = {account.label: f"not covered: {account.reason}" for account in report.not_covered}
    rows = (
        ChangeRow(ChangeKind.NOT_COVERED, account, cause=why) for account, why in missing.items()
    )
    return _frame(rows, report.account_names)


def out_of_order(before: Side, now: Side) -> set[str]:
    """Return the accounts whose report on the later side is the older one."""
    both = before.as_of.keys() & now.as_of.keys()
    return {account for account in both if now.as_of[account] < before.as_of[account]}


def compared_accounts(before: Side, now: Side) -> set[str]:
    """Return the accounts with a report on both sides, in the right order."""
    return set(before.as_of.keys() & now.as_of.keys()) - out_of_order(before, now)


def has_newly(verdict: Verdict, frame: pd.DataFrame) -> "pd.Series[bool]":
    """Return which changes are of users that have a verdict now, and had not or were not there."""
    of_user = (frame[RULE] == "") & ~frame[CHANGE].isin(_OF_EXEMPTIONS)
    is_new = (frame[BEFORE] != frame[NOW]) | (frame[CHANGE] == ChangeKind.RE_CREATED)
    return of_user & is_new & (frame[NOW] == verdict)


def counts_by_kind(frame: pd.DataFrame) -> dict[ChangeKind, int]:
    """Return the number of changes of each kind that occurs, without rows on accounts."""
    numbers = frame[CHANGE].value_counts()
    kinds = (kind for kind in ChangeKind if kind is not ChangeKind.NOT_COVERED)
    return {kind: int(numbers[kind]) for kind in kinds if numbers.get(kind)}


def counts_text(frame: pd.DataFrame) -> str:
    """Return how many changes there are of each kind, in words; empty for none."""
    renamed = renamed_count_text(renamed_count(frame[frame[CHANGE] == ChangeKind.GONE]))
    return ", ".join(
        f"{kind} {number:,}{renamed if kind is ChangeKind.GONE else ''}"
        for kind, number in counts_by_kind(frame).items()
    )


def renamed_count(frame: pd.DataFrame) -> int:
    """Return the number of possibly renamed users, without the changes of their findings."""
    return int(frame.loc[frame[RULE] == "", CAUSE].str.endswith(RENAMED_REMARK).sum())


def _changed_users(before: Side, now: Side) -> Iterator[ChangeRow]:
    """Yield the changes of users and roots; each account has two reports to walk through."""
    accounts = sorted(compared_accounts(before, now))
    walk, steps = _changed_steps(before, now, accounts)
    limit = now.analysis.criteria.idle_days
    for part in steps.parts(_STEPS_AT_ONCE):
        states = zip(walk.states(part.before), walk.states(part.now), strict=True)
        findings = zip(
            before.findings_at(walk, part.before), now.findings_at(walk, part.now), strict=True
        )
        renamed = part.renamed.tolist()
        for (was, has), found, is_renamed in zip(states, findings, renamed, strict=True):
            earlier = before.as_of[has.account or was.account]
            yield from changes_of_user(
                (was, has), found, earlier, limit, is_possibly_renamed=is_renamed
            )


def _changed_steps(before: Side, now: Side, accounts: Sequence[str]) -> tuple[Walk, Steps]:
    """Return the steps of users and roots that differ, also in the outcome of a rule."""
    number_of = {account: number for number, account in enumerate(accounts)}
    pages: list[Users] = []
    numbers, codes = [], []
    for later, side in enumerate((before, now)):
        for page in chain(side.analysis.report.roots(), side.analysis.judged.slices()):
            ids = page.account.dictionary.to_pylist()
            number = [2 * number_of[id_] + later if id_ in number_of else -1 for id_ in ids]
            numbers.append(np.array(number, np.int64)[page.account.indices])
            pages.append(page)
            codes.append(side.outcomes(page))
    walk = Walk(pages, np.concatenate(numbers), as_shown=True)
    steps = _with_re_created(walk, walk.steps(np.arange(2 * len(accounts)) % 2 == 0))
    ids, others = ([rule.id for rule in side.book.rules] for side in (before, now))
    if ids == others:
        changed = walk.differs(steps)
        for of_rule in np.concatenate(codes).T:
            changed |= of_rule[steps.before] != of_rule[steps.now]
        steps = steps.where(changed)
    # Rows that are near each other are put into words together.
    return replace(walk), steps.where(np.lexsort((steps.before, steps.now)))


def _with_re_created(walk: Walk, steps: Steps) -> Steps:
    """Return the steps, those of a user that is gone and of a new one of its ARN as one."""
    before, now, report, renamed = steps
    gone, new = np.flatnonzero(now < 0), np.flatnonzero(before < 0)
    arns = walk.arn[before[gone]], walk.arn[now[new]]
    _, of_gone, of_new = np.intersect1d(*arns, return_indices=True)
    now[gone[of_gone]] = now[new[of_new]]
    renamed[gone[of_gone]] = False
    return Steps(before, now, report, renamed).where(~np.isin(np.arange(len(now)), new[of_new]))


def _uncompared_accounts(before: Side, now: Side) -> Iterator[ChangeRow]:
    """Yield the accounts that lack a report on a side, and why."""
    reversed_accounts = out_of_order(before, now)
    for account in sorted(set().union(before.as_of, now.as_of, before.missing, now.missing)):
        lacks = [
            f"not covered {word}: {side.missing.get(account, NO_REPORT)}"
            for word, side in ((BEFORE, before), (NOW, now))
            if account not in side.as_of
        ]
        if account in reversed_accounts:
            lacks = ["not compared: the report that should be the later one is older"]
        if lacks:
            yield ChangeRow(ChangeKind.NOT_COVERED, account, cause="; ".join(lacks))


def _frame(rows: Iterator[ChangeRow], names: Mapping[str, AccountName]) -> pd.DataFrame:
    """Return the frame of `changes`, built in parts, since Python values take much memory."""
    parts = iter(lambda: list(islice(rows, _STEPS_AT_ONCE)), [])
    frames = (
        pd.DataFrame(part, columns=ChangeRow._fields, dtype=object).astype(_DTYPES)
        for part in chain([[]], parts)
    )
    frame = pd.concat(frames, ignore_index=True)
    code = pd.Index(list(map(str, ChangeKind))).get_indexer(pd.Index(frame[CHANGE]))
    cells: dict[str, Any] = blank_categories(columns.OWNERSHIP, len(frame))
    cells[CHANGE] = as_category(code, ChangeKind)
    cells[columns.ACCOUNT_NAME] = account_names(frame[columns.ACCOUNT], names)
    frame = frame.assign(**cells)[list(COLUMNS)]
    by = (columns.ACCOUNT, columns.ARN, RULE, columns.CREATED)
    order = stable_order(code, *(frame[name] for name in by))
    return frame.take(order).reset_index(drop=True)
