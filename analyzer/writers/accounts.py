"""Count the unused users by account, owner, exposure and age, and those that can still sign in."""

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

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


def account_counts(analysis: Analysis, by: str = columns.ACCOUNT) -> list[dict[str, Any]]:
    """Return the counts of each account, or owner, the one with most exposed users first.

    Each has the account or owner under the name `by`, and `users`; the users that are `unused`,
    those of them with an enabled password `can_sign_in`, and those of these without MFA
    `without_mfa`; and how many of each of the three are exempt, such as `unused_exempt`.
    """
    totals = analysis.totals
    counts = totals.counts if by == columns.ACCOUNT else totals.counts_by(by)
    exposure, users = counts[columns.EXPOSURE], counts[columns.USERS]
    unused = pc.equal(counts[columns.VERDICT], Verdict.UNUSED)
    without_mfa = pc.starts_with(exposure, Exposure.PASSWORD_WITHOUT_MFA)
    with_mfa = pc.starts_with(exposure, Exposure.PASSWORD_WITH_MFA)
    masks = {
        UNUSED: unused,
        CAN_SIGN_IN: pc.and_(unused, pc.or_(without_mfa, with_mfa)),
        WITHOUT_MFA: pc.and_(unused, pc.equal(exposure, Exposure.PASSWORD_WITHOUT_MFA)),
    }
    for name in COUNTS[1:]:
        masks[f"{name}{OF_THESE_EXEMPT}"] = pc.and_(masks[name], counts[columns.EXEMPT])
    numbers = {name: pc.if_else(mask, users, 0) for name, mask in masks.items()}
    rows = _sums_by(by, pa.table({by: counts[by], columns.USERS: users, **numbers}))
    return sorted(rows, key=lambda row: (*(-row[name] for name in COUNTS[:0:-1]), row[by]))


def _sums_by(name: str, table: pa.Table) -> list[dict[str, Any]]:
    """Return the sums of all other columns for each value of the column named."""
    # Grouping by Arrow loads another library of it, of 20 MB.
    groups = table[name].combine_chunks().dictionary_encode()
    sums = {name: groups.dictionary.to_pylist()}
    for one in table.column_names:
        if one != name:
            numbers = np.bincount(groups.indices, table[one], len(groups.dictionary))
            sums[one] = numbers.astype(np.int64).tolist()
    return [dict(zip(sums, row, strict=True)) for row in zip(*sums.values(), strict=True)]


def counts_by_name(analysis: Analysis) -> dict[str, dict[str, dict[str, int]]]:
    """Return the counts by `Account` if there are several, and by `Owner` if there is a list.

    They stand under the account with its name, or the owner.
    """
    names = analysis.report.account_names
    named: dict[str, dict[str, dict[str, int]]] = {}
    if len(analysis.report.accounts) > 1:
        named["Account"] = {
            account_with_name(counts[columns.ACCOUNT], names): counts
            for counts in account_counts(analysis)
        }
    if analysis.owners:
        named["Owner"] = {
            counts[columns.OWNER] or "no owner": counts
            for counts in account_counts(analysis, columns.OWNER)
        }
    return named


def unused_bars(analysis: Analysis) -> dict[str, dict[str, int]]:
    """Return how many unused users have each exposure, and are of each age.

    Words for something unknown that do not occur are left out.
    """
    counts = analysis.totals.counts
    unused = counts.filter(pc.equal(counts[columns.VERDICT], Verdict.UNUSED))
    bars = {}
    for title, name, words in (
        ("exposure", columns.EXPOSURE, EXPOSURES),
        ("age", columns.AGE_BAND, AGE_BANDS),
    ):
        sums = _sums_by(name, unused.select([name, columns.USERS]))
        users = {row[name]: row[columns.USERS] for row in sums}
        shown = [word for word in words if word in users or "unknown" not in word]
        bars[title] = {word: users.get(word, 0) for word in shown}
    return bars
