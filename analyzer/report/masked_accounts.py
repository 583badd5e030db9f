"""Tell apart accounts that look alike because their number is masked or missing.

A root user is created with its account, so all reports of an account agree on its creation time.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import pandas as pd

from analyzer import columns
from analyzer.errors import Problem
from analyzer.report import arns
from analyzer.report.model import Page, ReportFile, arrow_array
from analyzer.report.survey import SurveyedReport
from analyzer.terms import ACCOUNT_ID_PATTERN, short_list


def masked_alike(reports: Iterable[SurveyedReport]) -> list[list[SurveyedReport]]:
    """Return the reports of each account with a masked or missing number and several reports."""
    by_account: dict[str, list[SurveyedReport]] = defaultdict(list)
    for report in reports:
        for account in report.named_accounts:
            by_account[account].append(report)
    return [
        alike
        for account, alike in by_account.items()
        if len(alike) > 1
        and (
            not re.fullmatch(ACCOUNT_ID_PATTERN, account)
            or any(report.text.masked_account == account for report in alike)
        )
    ]


def root_creation_times(files: Sequence[ReportFile], roots: Iterable[Page]) -> pd.DataFrame:
    """Return file, account, creation time and ARN of each root whose creation time is known."""
    names = [columns.FILE, columns.ACCOUNT, columns.CREATED, columns.ARN]
    users = [page.users[names] for page in roots]
    if not users:
        return pd.DataFrame(columns=names)
    every = pd.concat(users, ignore_index=True)
    if not all(file.has_seconds for file in files):
        every[columns.CREATED] = every[columns.CREATED].dt.floor("min")
    return every[every[columns.CREATED].notna()]


def mixed_account_problems(files: Sequence[ReportFile], created: pd.DataFrame) -> Iterator[Problem]:
    """Yield a problem for each masked account whose files have roots of several accounts.

    `created` is the frame of `root_creation_times`.
    """
    for _, roots in created.groupby(columns.ACCOUNT):
        times = roots.groupby(columns.FILE)[columns.CREATED].agg(frozenset).drop_duplicates()
        if len(times) > 1 and not arns.has_account_number(arrow_array(roots[columns.ARN])).all():
            message = (
                "the account number is masked or missing, and the root users were created at"
                " different times: these are reports of different accounts"
            )
            hint = "Name the reports of one account only; --masked-account sets its number."
            names = [files[at].name for at in times.index]
            yield Problem.of_file(short_list(names), message, hint)


def one_account_notes(files: Sequence[ReportFile], created: pd.DataFrame) -> Iterator[str]:
    """Note the files of a masked account if not all show when its root was created."""
    if created[columns.FILE].nunique() < len(files):
        yield (
            f"{short_list([file.name for file in files])} are taken for one account: its number is"
            " masked or missing, and not all show when the root user was created, which tells"
            " accounts apart. Analyze reports of different accounts one by one."
        )
