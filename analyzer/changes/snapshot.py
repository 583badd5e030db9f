"""Hold an analysis for a comparison: one row a user, the outcomes of rules, the accounts."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from itertools import chain, islice
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from analyzer import columns
from analyzer.analysis.analysis import Analysis
from analyzer.changes.events import (
    CERTIFICATE_COLUMNS,
    KEY_COLUMNS,
    USE_COLUMNS,
    Credential,
    UserState,
)
from analyzer.changes.user_changes import Finding, RuleWithLimit
from analyzer.columns import AccessKeyColumns, CertificateColumns
from analyzer.lists.exemptions import ExemptionMatches
from analyzer.report.model import (
    NO_MOMENT,
    TEXT,
    arrow_array,
    as_category,
    concatenated,
    stable_order,
)
from analyzer.report.users import Users
from analyzer.rules.engine import NO_FINDING, page_findings, page_outcomes
from analyzer.rules.rule import DAYS, FACT, OUTCOME, RULE, Outcome
from analyzer.terms import SlotState, Verdict
from analyzer.verdicts.facts import Facts

UNKNOWN: Final = "unknown"
_CATEGORY_DTYPES: Final = dict.fromkeys(
    (columns.ACCOUNT, columns.VERDICT, columns.REASON, columns.EXEMPTION), "category"
)
_OF_USERS: Final = (columns.USER, columns.ARN, columns.PASSWORD_ENABLED, columns.MFA_ACTIVE)
_USER_STATE_FIELDS: Final = (
    *(columns.ACCOUNT, columns.USER, columns.ARN, columns.REASON, columns.EXEMPTION),
    *(columns.PASSWORD_LAST_USED, columns.PASSWORD_LAST_CHANGED, columns.PASSWORD_NEXT_ROTATION),
    columns.LAST_USE,
)
_BIT_OF: Final = {name: at for at, name in enumerate(columns.IN_REPORT)}
_ROWS_AT_ONCE: Final = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Hold the users, the outcomes of rules and the accounts of one analysis.

    - `users`: IAM users and roots, the first row of each ARN. `user`, `arn` str; `account`,
      `verdict`, `reason`, `exemption` category, the last three empty for a root. By the names of
      the report's columns: moments datetime64[s], NaT where there is none or it is unknown;
      `password_enabled`, `mfa_active` bool; `access_key_1_active` and its like category
      (`SlotState`). `unknown` int32: a bit for each of `columns.IN_REPORT` whose cell is unknown.
    - `outcomes`: those that `engine.page_outcomes` returns, a row for each of the users.
    - `user_of_row`: the position of the user in each row of the report, those of roots first.
    - `rules`: those that ran, by their ids.
    - `as_of`: the moment of the report of each account that has one.
    - `missing`: the reason for each account that could not be read.
    """

    analysis: Analysis
    users: pd.DataFrame
    outcomes: np.ndarray
    user_of_row: np.ndarray
    rules: Mapping[str, RuleWithLimit]
    as_of: Mapping[str, datetime]
    missing: Mapping[str, str]


def snapshot(analysis: Analysis) -> Snapshot:
    """Return the snapshot of an analysis."""
    book = analysis.rule_results.book
    frames, outcomes = [], []
    for page, of_roots in _pages(analysis):
        facts = Facts(page)
        users = page.users
        texts = users.reindex(columns=[*_CATEGORY_DTYPES]).astype(TEXT).fillna("")
        values = {name: users[name] for name in _OF_USERS} | credential_values(facts)
        frames.append(texts.assign(**values))
        outcomes.append(page_outcomes(facts, book.rules, book.thresholds, of_roots=of_roots))
    rows = concatenated(frames).astype(_CATEGORY_DTYPES)
    user_of_row, _ = rows[columns.ARN].factorize()
    order = np.argsort(user_of_row, kind="stable")
    _, first = np.unique(user_of_row[order], return_index=True)
    limits = asdict(book.thresholds)
    return Snapshot(
        analysis=analysis,
        users=rows.iloc[order[first]].reset_index(drop=True),
        outcomes=np.minimum.reduceat(np.concatenate(outcomes)[order], first),
        user_of_row=user_of_row,
        rules={
            rule.id: (rule, limits.get(rule.threshold or "", rule.fixed_limit))
            for rule in book.rules
        },
        as_of={
            account.account: file.as_of
            for file in sorted(analysis.report.files, key=lambda file: file.as_of)
            for account in file.accounts
        },
        missing={account.label: account.reason for account in analysis.report.not_covered},
    )


def _pages(analysis: Analysis) -> Iterator[tuple[Users, bool]]:
    """Yield the pages of roots, then those of users, each with whether it has roots."""
    yield from ((page, True) for page in analysis.report.roots())
    yield from ((page, False) for page in analysis.pages())


def credential_values(facts: Facts) -> dict[str, Any]:
    """Return states, moments and unknown cells as `Snapshot.users` has them."""
    states = {
        name: as_category(codes, SlotState)
        for name, codes in zip(
            columns.SLOT_FLAGS,
            (*facts.page.key_states, *facts.page.certificate_states),
            strict=True,
        )
    }
    unknown = {name: ~known for name, known in facts.page.known.items()}
    for name, values in states.items():
        unknown[name] |= values == SlotState.UNKNOWN
    moments = {
        name: np.where(unknown[name], NO_MOMENT, values)
        for name, values in facts.page.moments.items()
    }
    bits = [mask.astype(np.int32) << _BIT_OF[name] for name, mask in unknown.items()]
    return {**states, **moments, UNKNOWN: np.bitwise_or.reduce(bits)}


# From rows to states and findings


def states_at(snapshot: Snapshot, at: np.ndarray) -> Iterator[UserState]:
    """Yield the states of the users at some positions, an empty one for -1."""
    states = chain.from_iterable(map(states_of_rows, _parts(snapshot.users.iloc[at[at >= 0]])))
    return (next(states) if position >= 0 else UserState() for position in at.tolist())


def findings_at(snapshot: Snapshot, at: np.ndarray) -> Iterator[list[Finding]]:
    """Yield the failed and undecided findings on users at positions, by slot; none for -1."""
    some = at[at >= 0]
    found = _findings(snapshot, some[(snapshot.outcomes[some] != NO_FINDING).any(axis=1)])
    arns = [arrow_array(frame[columns.ARN]) for frame in (found, snapshot.users.iloc[some])]
    position = pc.index_in(arns[0], value_set=arns[1]).to_numpy()
    outcome, days = found[OUTCOME].cat.codes, -found[DAYS].fillna(-1)
    by = (position, found[columns.SLOT], outcome, days, found[FACT])
    ordered = found.assign(**{columns.POSITION: position}).take(stable_order(*by))
    distinct = ordered.drop_duplicates([columns.POSITION, RULE, columns.SLOT])
    counted = distinct[distinct[OUTCOME] != Outcome.NOTED]
    findings = chain.from_iterable(map(_findings_of_rows, _parts(counted)))
    numbers = iter(np.bincount(counted[columns.POSITION], minlength=len(some)).tolist())
    return (
        list(islice(findings, next(numbers) if position >= 0 else 0)) for position in at.tolist()
    )


def _findings(snapshot: Snapshot, at: np.ndarray) -> pd.DataFrame:
    """Return the findings (`rule.FINDINGS`) on all rows of users; later pages are not read."""
    analysis, wanted = snapshot.analysis, np.isin(snapshot.user_of_row, at)
    book, pages = analysis.rule_results.book, _pages(analysis)
    frames: list[pd.DataFrame] = []
    while not frames or wanted.any():
        page, of_roots = next(pages)
        part, wanted = page.where(wanted[: len(page)]), wanted[len(page) :]
        exempt = ExemptionMatches(part, analysis.exemptions)
        frames.append(page_findings(part, book.rules, book.thresholds, exempt, of_roots=of_roots))
    return concatenated(frames)


def _parts(frame: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the rows in parts, whose values take little memory."""
    starts = range(0, len(frame), _ROWS_AT_ONCE)
    return [frame.iloc[start : start + _ROWS_AT_ONCE] for start in starts]


def _findings_of_rows(rows: pd.DataFrame) -> Iterator[Finding]:
    return map(
        Finding,
        rows[RULE],
        rows[columns.CREATED].to_numpy("datetime64[s]").tolist(),
        map(Outcome, rows[OUTCOME]),
        rows[FACT].to_numpy(),
        rows[DAYS].astype(object).where(rows[DAYS].notna(), None),
        rows[columns.EXEMPTION],
    )


def states_of_rows(users: pd.DataFrame) -> list[UserState]:
    """Return the states in rows of `Snapshot.users`, as Python values."""
    shown = {str(name): users[name].to_numpy() for name in users}
    shown[columns.LAST_USE] = np.fmax.reduce([shown[name] for name in USE_COLUMNS])
    values = {name: column.tolist() for name, column in shown.items()}
    rows = zip(*values.values(), strict=True)
    return [_state(dict(zip(values, row, strict=True))) for row in rows]


def _state(cells: Mapping[str, Any]) -> UserState:
    unknown = _column_names(cells[UNKNOWN])
    keys = tuple(_credential(cells, key) for key in columns.ACCESS_KEYS)
    certificates = tuple(_credential(cells, certificate) for certificate in columns.CERTIFICATES)
    return UserState(
        **{name: cells[name] for name in _USER_STATE_FIELDS},
        verdict=Verdict(cells[columns.VERDICT]) if cells[columns.VERDICT] else None,
        created=cells[columns.USER_CREATION_TIME],
        password=None if columns.PASSWORD_ENABLED in unknown else cells[columns.PASSWORD_ENABLED],
        mfa=None if columns.MFA_ACTIVE in unknown else cells[columns.MFA_ACTIVE],
        keys=keys if unknown.isdisjoint(KEY_COLUMNS) else None,
        certificates=certificates if unknown.isdisjoint(CERTIFICATE_COLUMNS) else None,
        unknown=unknown,
    )


def _credential(
    cells: Mapping[str, Any], names: AccessKeyColumns | CertificateColumns
) -> Credential | None:
    if cells[names.active] == SlotState.ABSENT:
        return None
    is_active = cells[names.active] == SlotState.ACTIVE
    used = cells[names.last_used_date] if isinstance(names, AccessKeyColumns) else None
    return Credential(is_active, cells[names.last_rotated], used)


@lru_cache(4096)
def _column_names(bits: int) -> frozenset[str]:
    return frozenset(name for name, at in _BIT_OF.items() if bits >> at & 1)
