"""Count the unused users of each account, and those that can still sign in."""

from typing import Final

import pandas as pd

from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.terms import Exposure, Verdict

UNUSED: Final = "unused"
CAN_SIGN_IN: Final = "can_sign_in"
WITHOUT_MFA: Final = "without_mfa"
COUNTS: Final = (columns.USERS, UNUSED, CAN_SIGN_IN, WITHOUT_MFA)


def account_counts(analysis: Analysis) -> pd.DataFrame:
    """Return the counts of each account, the account with most exposed users first.

    Columns: `account` str, `users` int64; of unused users that are not exempt `unused`, those with
    an enabled password `can_sign_in`, and those without MFA `without_mfa` int64.
    """
    counts = analysis.totals.counts
    exposure, users = counts[columns.EXPOSURE], counts[columns.USERS]
    unused = (counts[columns.VERDICT] == Verdict.UNUSED) & ~counts[columns.EXEMPT]
    with_password = exposure.str.startswith(
        (Exposure.PASSWORD_WITHOUT_MFA, Exposure.PASSWORD_WITH_MFA)
    )
    masks = {
        UNUSED: unused,
        CAN_SIGN_IN: unused & with_password,
        WITHOUT_MFA: unused & (exposure == Exposure.PASSWORD_WITHOUT_MFA),
    }
    numbers = {columns.USERS: users, **{name: users.where(mask, 0) for name, mask in masks.items()}}
    by_account = pd.DataFrame(numbers).groupby(counts[columns.ACCOUNT]).sum().reset_index()
    return by_account.sort_values(
        [*COUNTS[:0:-1], columns.ACCOUNT], ascending=[*[False] * 3, True], ignore_index=True
    )
