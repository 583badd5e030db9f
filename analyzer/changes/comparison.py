"""Compare two analyses, the earlier first; refuse what cannot be compared."""

from dataclasses import dataclass

import pandas as pd

from analyzer.changes.diff import CAUSE, CHANGE, changes, compared_accounts, out_of_order
from analyzer.changes.snapshot import snapshot
from analyzer.changes.users import Change
from analyzer.columns import ACCOUNT
from analyzer.errors import InputRefused, Problem
from analyzer.judging.analysis import Analysis
from analyzer.judging.filters import account_labels
from analyzer.report.model import Report, ReportFile
from analyzer.terms import AsOfSource, minute_text, short_list


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
