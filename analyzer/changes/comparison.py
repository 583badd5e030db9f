"""Compare two analyses, the earlier first; refuse what cannot be compared."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Self

import pandas as pd

from analyzer.changes.diff import (
    BEFORE,
    CAUSE,
    CHANGE,
    EXEMPTION_NOW,
    NOW,
    changes,
    compared_accounts,
    out_of_order,
)
from analyzer.changes.snapshot import snapshot
from analyzer.changes.users import Change
from analyzer.columns import ACCOUNT, ARN, VERDICT
from analyzer.errors import InputRefused, Problem
from analyzer.judging.analysis import Analysis
from analyzer.judging.filters import account_labels
from analyzer.report.model import Report, ReportFile
from analyzer.rules.rule import RULE, Outcome
from analyzer.terms import AsOfSource, Severity, Verdict, count_text, minute_text, short_list


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Hold two analyses and what changed from one to the other (`changes.diff.COLUMNS`).

    `accounts` is the number of accounts that were compared.
    """

    before: Analysis
    now: Analysis
    changes: pd.DataFrame
    accounts: int

    def __repr__(self) -> str:
        """Return how many changes there are, in a line."""
        return f"<Comparison: changes {len(self.changes):,}, accounts {self.accounts:,}>"

    @property
    def not_compared(self) -> list[str]:
        """Return a line for each account that was not compared, with the cause."""
        missing = self.changes[self.changes[CHANGE] == Change.NOT_COVERED]
        pairs = zip(missing[ACCOUNT], missing[CAUSE], strict=True)
        return [f"Account {account} was not compared: {cause}" for account, cause in pairs]

    def where(self, kinds: Collection[str] = (), verdicts: Collection[str] = ()) -> Self:
        """Return the changes of these kinds, of users that had or have one of these verdicts.

        None stands for all of them. Accounts that were not compared stay.
        """
        frame = self.changes
        keep = frame[CHANGE].isin(list(kinds or Change))
        if verdicts:
            keep &= frame[ARN].isin(self._arns(verdicts))
        keep |= frame[CHANGE] == Change.NOT_COVERED
        return replace(self, changes=frame[keep].reset_index(drop=True))

    def _arns(self, verdicts: Collection[str]) -> set[str]:
        return {
            arn
            for analysis in (self.before, self.now)
            for page in analysis.pages()
            for arn in page.users[ARN][page.users[VERDICT].isin(list(verdicts))]
        }

    def failures(self, words: Collection[str]) -> list[str]:
        """Return which changes meet words, each with its number; only what is new counts.

        The words are verdicts, severities, ids of rules and kinds of changes. New means another
        verdict before, no finding before, or exempt before. Users that are newly undetermined and
        accounts that were not compared always meet them.
        """
        return [*self._failures(words)] if words else []

    def _failures(self, words: Collection[str]) -> Iterator[str]:
        frame = self.changes
        if missing := len(self.not_compared):
            yield f"{count_text(missing, 'account')} not compared"
        open_ = frame[frame[EXEMPTION_NOW] == ""]
        changed = (open_[BEFORE] != open_[NOW]) | (open_[CHANGE] == Change.EXEMPTION_ENDED)
        users = open_[changed & (open_[RULE] == "")]
        for verdict in Verdict:
            arns = users.loc[users[NOW] == verdict, ARN].nunique()
            if arns and verdict in (Verdict.UNDETERMINED, *words):
                yield f"{arns:,} newly {verdict}"
        mildest = max((each.rank for each in Severity if each in words), default=-1)
        fails = open_[changed & open_[NOW].isin([Outcome.FAILS, Outcome.UNDECIDED])]
        for rule in self.now.inspection.book.rules if len(fails) else ():
            number = int((fails[RULE] == rule.id).sum())
            if number and (rule.id in words or rule.severity.rank <= mildest):
                yield f"{rule.id}: {number:,} new"
        for kind in (
            each for each in Change if each in words and str(each) not in [*map(str, Verdict)]
        ):
            if number := int((frame[CHANGE] == kind).sum()):
                yield f"{number:,} {kind}"


def diff(before: Analysis, now: Analysis) -> Comparison:
    """Return what changed between two analyses.

    Raises InputRefused where they are in the wrong order, or have no account in common.
    """
    sides = snapshot(before), snapshot(now)
    if accounts := out_of_order(*sides):
        raise InputRefused(_order_problem(before, now, each) for each in sorted(accounts))
    accounts = compared_accounts(*sides)
    if not accounts:
        raise InputRefused([_nothing_in_common(before.report, now.report)])
    return Comparison(before=before, now=now, changes=changes(*sides), accounts=len(accounts))


def _nothing_in_common(before: Report, now: Report) -> Problem:
    old, new = (short_list(account_labels(each)) or "unknown" for each in (before, now))
    place = " and ".join(short_list([file.name for file in each.files]) for each in (before, now))
    message = f"no account has a report in both: OLD has account {old}, NEW has account {new}"
    hint = "Name two reports of the same account, the earlier first: credreport diff OLD NEW."
    return Problem.of_file(place, message, hint)


def _order_problem(before: Analysis, now: Analysis, account: str) -> Problem:
    old, new = (_newest_file(analysis.report, account) for analysis in (before, now))
    message = f"as of {minute_text(new.as_of)}, earlier than {old.name} ({minute_text(old.as_of)})"
    hint = "Put the earlier report first: credreport diff OLD NEW."
    if AsOfSource.ASSUMED in (old.as_of_source, new.as_of_source):
        hint += " If the order is right, set the times with --old-as-of and --new-as-of."
    return Problem.of_file(new.name, message, hint)


def _newest_file(report: Report, account: str) -> ReportFile:
    files = (file for file in report.files if account in (each.account for each in file.accounts))
    return max(files, key=lambda file: file.as_of)
