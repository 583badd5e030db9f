"""Compare two analyses: users, verdicts, exemptions, credentials and findings that changed.

A user is an ARN with a creation time. Only accounts with a report on both sides are compared: in
all others no user is new or gone. Masks select the users of whom anything differs; only these are
put into words, one at a time.
"""

from collections.abc import Collection, Iterator, Mapping
from itertools import chain, islice
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from analyzer import columns
from analyzer.changes.events import UserState
from analyzer.changes.findings import Finding
from analyzer.changes.snapshot import Snapshot, findings_at, states_at
from analyzer.changes.users import Change, ChangeRow, changes_of_user
from analyzer.report.model import (
    TEXT,
    AccountName,
    Report,
    account_names,
    arrow_array,
    as_category,
    concatenated,
    stable_order,
)
from analyzer.rules.rule import RULE

CHANGE: Final = "change"
BEFORE: Final = "before"
NOW: Final = "now"
CAUSE: Final = "cause"
EXEMPTION_BEFORE: Final = "exemption_before"
EXEMPTION_NOW: Final = "exemption_now"
COLUMNS: Final = (*ChangeRow._fields, *columns.OWNERSHIP, columns.ACCOUNT_NAME)

_DTYPES: Final[dict[Any, Any]] = {
    **dict.fromkeys(ChangeRow._fields, TEXT),
    **dict.fromkeys((columns.LAST_USE, columns.CREATED), "datetime64[s, UTC]"),
}
_IDENTITY: Final = (columns.ACCOUNT, columns.USER, columns.ARN)
_NOT_COMPARED: Final = [*_IDENTITY, columns.REASON, columns.CONTRADICTED]
_ROWS_AT_ONCE: Final = 16_384


def changes(before: Snapshot, now: Snapshot) -> pd.DataFrame:
    """Return what changed between two snapshots, in the order of `Change`, account, ARN and rule.

    The columns are `COLUMNS`: `change` category; `account`, `user`, `arn`, `cause`, `rule`, `fact`
    str; `before`, `now` str (verdicts, of findings outcomes, empty where there is none);
    `exemption_before`, `exemption_now` str; `last_use` datetime64[s, UTC], the newest known;
    `created` likewise, of the user, of findings about a credential of that; those of the
    later side's owner (category); `account_name` str, empty where neither side knows it.

    A cell that is not understood on one side is reported as such, and nothing is concluded from
    it. An account without a report on one side has one row, `not-covered`, and so has one whose
    reports are in the wrong order.
    """
    rules = {**before.rules, **now.rules}
    accounts = compared_accounts(before, now)
    elapsed = {each: (now.as_of[each] - before.as_of[each]).days for each in accounts}
    users = _changed_users(before, now, accounts)
    rows = chain.from_iterable(
        changes_of_user(was, has, findings, rules, elapsed[has.account or was.account])
        for was, has, findings in users
    )
    names = {**before.account_names, **now.account_names}
    frame = _frame(chain(rows, _uncompared_accounts(before, now)), names)
    moments = {account: at.replace(tzinfo=None) for account, at in now.as_of.items()}
    as_of = frame[columns.ACCOUNT].map(moments).astype("datetime64[s]")
    return frame.assign(**now.owners.columns_of(frame, as_of))


def not_covered_rows(report: Report) -> pd.DataFrame:
    """Return the accounts that could not be read, where there is nothing to compare with.

    The columns are those of `changes`.
    """
    missing = {each.label: f"not covered: {each.reason}" for each in report.not_covered}
    rows = (_account_row(*each) for each in missing.items())
    return _frame(rows, report.account_names)


def out_of_order(before: Snapshot, now: Snapshot) -> set[str]:
    """Return the accounts whose report is older on the side that should be the later."""
    both = before.as_of.keys() & now.as_of.keys()
    return {each for each in both if now.as_of[each] < before.as_of[each]}


def compared_accounts(before: Snapshot, now: Snapshot) -> set[str]:
    """Return the accounts with a report on both sides, the later one where it should be."""
    return set(before.as_of.keys() & now.as_of.keys()) - out_of_order(before, now)


def counts_by_kind(frame: pd.DataFrame) -> dict[Change, int]:
    """Return how many changes there are of each kind that occurs; accounts are none."""
    numbers = frame[CHANGE].value_counts()
    kinds = (each for each in Change if each is not Change.NOT_COVERED)
    return {each: int(numbers[each]) for each in kinds if numbers.get(each)}


# Users


def _changed_users(
    before: Snapshot, now: Snapshot, accounts: Collection[str]
) -> Iterator[tuple[UserState, UserState, tuple[list[Finding], list[Finding]]]]:
    """Yield what both sides say about the users and roots of whom anything differs."""
    old, new = _changed_positions(before, now, accounts)
    findings = zip(findings_at(before, old), findings_at(now, new), strict=True)
    return zip(states_at(before, old), states_at(now, new), findings, strict=True)


def _changed_positions(
    before: Snapshot, now: Snapshot, accounts: Collection[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of users of whom anything differs on both sides, -1 where one is not."""
    old, new = (
        np.flatnonzero(each.users[columns.ACCOUNT].isin(list(accounts))) for each in (before, now)
    )
    arns, earlier = (
        arrow_array(each.users[columns.ARN].iloc[at]) for each, at in ((now, new), (before, old))
    )
    place = pc.fill_null(pc.index_in(arns, value_set=earlier), -1).to_numpy()
    is_known = place >= 0
    both = old[place[is_known]], new[is_known]
    gone, added = np.delete(old, place[is_known]), new[~is_known]
    differing = _differing(before, now, *both)
    return (
        np.concatenate([both[0][differing], gone, np.full(len(added), -1)]),
        np.concatenate([both[1][differing], np.full(len(gone), -1), added]),
    )


def _differing(before: Snapshot, now: Snapshot, old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Return for which users, by their positions on both sides, anything differs."""
    if [*before.rules] != [*now.rules]:
        return np.ones(len(old), bool)
    mask = (before.outcomes[old] != now.outcomes[new]).any(axis=1)
    for name in before.users.columns.difference(_NOT_COMPARED):
        was, has = before.users[name], now.users[name]
        if isinstance(was.dtype, pd.CategoricalDtype):
            has = has.cat.set_categories(was.cat.categories).cat.codes
            was = was.cat.codes
        numbers = [each.to_numpy().astype(np.int64) for each in (was, has)]
        mask |= numbers[0][old] != numbers[1][new]
    return np.asarray(mask)


# Accounts


def _uncompared_accounts(before: Snapshot, now: Snapshot) -> Iterator[ChangeRow]:
    """Yield the accounts that lack a report on a side, and why."""
    every = {*before.as_of, *now.as_of, *before.missing, *now.missing}
    reversed_accounts = out_of_order(before, now)
    for account in sorted(every):
        lacks = [
            f"not covered {side}: {each.missing.get(account, 'there is no report of it')}"
            for side, each in ((BEFORE, before), (NOW, now))
            if account not in each.as_of
        ]
        if account in reversed_accounts:
            lacks = ["not compared: the report that should be the later one is older"]
        if lacks:
            yield _account_row(account, "; ".join(lacks))


def _account_row(account: str, cause: str) -> ChangeRow:
    return ChangeRow(Change.NOT_COVERED, account, cause=cause)


# Rows


def _frame(rows: Iterator[ChangeRow], names: Mapping[str, AccountName]) -> pd.DataFrame:
    """Return rows as `changes` does; a part at a time, since values of Python take much memory."""
    parts = iter(lambda: list(islice(rows, _ROWS_AT_ONCE)), [])
    frame = concatenated(map(_part, chain([[]], parts)))
    code = pd.Index(list(map(str, Change))).get_indexer(pd.Index(frame[CHANGE]))
    named = account_names(frame[columns.ACCOUNT], names)
    cells: dict[str, Any] = {CHANGE: as_category(code, Change), columns.ACCOUNT_NAME: named}
    nobody = dict.fromkeys(columns.OWNERSHIP, as_category(np.zeros(len(frame), np.int8), [""]))
    frame = frame.assign(**cells, **nobody)[[*COLUMNS]]
    by = (columns.ACCOUNT, columns.ARN, RULE, columns.CREATED)
    order = stable_order(code, *(frame[name] for name in by))
    return frame.take(order).reset_index(drop=True)


def _part(rows: list[ChangeRow]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=ChangeRow._fields, dtype=object).astype(_DTYPES)
