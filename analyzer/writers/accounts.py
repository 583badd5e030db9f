"""Count the unused users by account, owner, exposure and age, and those that can still sign in."""

from typing import Final

import pandas as pd

from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.analysis.totals import AGE_BANDS
from analyzer.report.model import account_with_name
from analyzer.terms import Exposure, Verdict
from analyzer.verdicts.exposure import EXPOSURES

UNUSED: Final = "unused"
CAN_SIGN_IN: Final = "can_sign_in"
WITHOUT_MFA: Final = "without_mfa"
COUNTS: Final = (columns.USERS, UNUSED, CAN_SIGN_IN, WITHOUT_MFA)
OF_THESE_EXEMPT: Final = "_exempt"
"""The end of the name of a number of exempt users, behind that of all of them."""


def account_counts(analysis: Analysis, by: str = columns.ACCOUNT) -> pd.DataFrame:
    """Return the counts of each account, or owner, the one with most exposed users first.

    Columns: the one named `by` str, `users` int64; the users that are `unused`, those of them with
    an enabled password `can_sign_in`, and those of these without MFA `without_mfa` int64; and how
    many of each of the three are exempt, such as `unused_exempt` int64.
    """
    totals = analysis.totals
    counts = totals.counts if by == columns.ACCOUNT else totals.counts_by(by)
    exposure, users = counts[columns.EXPOSURE], counts[columns.USERS]
    unused = counts[columns.VERDICT] == Verdict.UNUSED
    with_password = exposure.str.startswith(
        (Exposure.PASSWORD_WITHOUT_MFA, Exposure.PASSWORD_WITH_MFA)
    )
    masks = {
        UNUSED: unused,
        CAN_SIGN_IN: unused & with_password,
        WITHOUT_MFA: unused & (exposure == Exposure.PASSWORD_WITHOUT_MFA),
    }
    masks |= {
        f"{name}{OF_THESE_EXEMPT}": mask & counts[columns.EXEMPT] for name, mask in masks.items()
    }
    numbers = {columns.USERS: users} | {name: users.where(mask, 0) for name, mask in masks.items()}
    by_account = pd.DataFrame(numbers).groupby(counts[by]).sum().reset_index()
    return by_account.sort_values(
        list(COUNTS[:0:-1]) + [by], ascending=[False, False, False, True], ignore_index=True
    )


def counts_by_name(analysis: Analysis) -> dict[str, pd.DataFrame]:
    """Return the counts by `Account` if there are several, and by `Owner` if there is a list.

    The index is the account with its name, or the owner.
    """
    names = analysis.report.account_names
    frames: dict[str, pd.DataFrame] = {}
    if len(analysis.report.accounts) > 1:
        counts = account_counts(analysis).set_index(columns.ACCOUNT)
        frames["Account"] = counts.rename(lambda account: account_with_name(account, names))
    if analysis.owners:
        counts = account_counts(analysis, columns.OWNER).set_index(columns.OWNER)
        frames["Owner"] = counts.rename({"": "no owner"})
    return frames


def unused_bars(analysis: Analysis) -> "dict[str, pd.Series[int]]":
    """Return how many unused users have each exposure, and are of each age.

    Words for something unknown that do not occur are left out.
    """
    counts, bars = analysis.totals.counts, {}
    unused = counts[counts[columns.VERDICT] == Verdict.UNUSED]
    for title, name, words in (
        ("exposure", columns.EXPOSURE, EXPOSURES),
        ("age", columns.AGE_BAND, AGE_BANDS),
    ):
        users = unused.groupby(name)[columns.USERS].sum().reindex(list(words), fill_value=0)
        bars[title] = users[(users > 0) | ~users.index.str.contains("unknown")]
    return bars
