"""Keep what two analyses are compared by: users with their credentials, findings, accounts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import numpy as np
import pandas as pd

from analyzer import columns
from analyzer.analysis import Analysis
from analyzer.columns import AccessKeyColumns, CertificateColumns
from analyzer.facts import Facts, Truth, slot_matrix
from analyzer.model import NO_MOMENT, TEXT, AccountName, Page, Report, concatenated
from analyzer.rules.rule import DAYS, FACT, OUTCOME, RULE, SEVERITY, Rule
from analyzer.terms import State

KEY: Final = "key"
CERTIFICATE: Final = "certificate"
PASSWORD: Final = "password"
MFA: Final = "mfa"
CHANGED: Final = "changed"
EXPIRES: Final = "expires"
SIGN_IN: Final = "sign_in"
UNKNOWN: Final = "_unknown"
STATES: Final = list(State)
_TEXTS: Final = (columns.ACCOUNT, columns.USER, columns.ARN)
_WORDS: Final = (columns.VERDICT, columns.REASON, columns.EXEMPTION)
_FINDING_KEY: Final = [columns.ARN, RULE, columns.SLOT]
_FINDING_TEXTS: Final = (*_TEXTS, RULE, SEVERITY, FACT, OUTCOME, columns.EXEMPTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Hold the users, the findings and the accounts of one analysis.

    - `users`: one row an ARN. `account`, `user`, `arn`, `verdict`, `reason`, `exemption` str;
      `created`, `changed` and `expires` (the password), `sign_in` datetime64[s], NaT where there
      is none or it is unknown; `changed_unknown`, `expires_unknown`, `sign_in_unknown` bool;
      `password`, `mfa` int8 (1 yes, 0 no, -1 unknown); `contradicted` str, the columns in which
      rows of the ARN differ; for each slot, named by `slot_column`: `state` int8 (position in
      `STATES`), `created` datetime64[s], and of access keys `last_used` likewise,
      `last_used_unknown` bool.
    - `roots`: the same columns without `verdict`, `reason`, `exemption`.
    - `findings`: `account`, `user`, `arn`, `rule`, `severity`, `fact`, `outcome`, `exemption` str,
      `slot` Int8, `created` datetime64[s], `days` Int64; a row for each finding, of an ARN that
      has several rows one.
    - `rules`: by their ids, those that ran; `limits`: the days of those that have a limit.
    - `as_of`: the moment of the report of each account that has one.
    - `missing`: the reason for each account that could not be read.
    - `account_names`: those that are known.
    """

    users: pd.DataFrame
    roots: pd.DataFrame
    findings: pd.DataFrame
    as_of: Mapping[str, datetime]
    missing: Mapping[str, str]
    account_names: Mapping[str, AccountName] = field(default_factory=dict)
    rules: Mapping[str, Rule] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)


def slot_column(kind: str, slot: int, name: str) -> str:
    """Return the name of a column about one slot, such as `key_1_state`."""
    return f"{kind}_{slot}_{name}"


def snapshot(analysis: Analysis) -> Snapshot:
    """Return what an analysis is compared by."""
    users = concatenated(_user_rows(page) for page in analysis.pages())
    roots = concatenated(_credential_rows(page) for page in analysis.report.roots())
    findings = concatenated(_finding_rows(frame) for frame in analysis.inspection.frames())
    book = analysis.inspection.book
    return Snapshot(
        users=users.drop_duplicates(columns.ARN, ignore_index=True),
        roots=roots.drop_duplicates(columns.ARN, ignore_index=True),
        findings=findings.drop_duplicates(_FINDING_KEY, ignore_index=True),
        as_of=_moments_by_account(analysis.report),
        missing=missing_accounts(analysis.report),
        account_names=analysis.report.account_names,
        rules={rule.id: rule for rule in book.rules},
        limits={
            rule.id: getattr(book.thresholds, rule.threshold)
            for rule in book.rules
            if rule.threshold
        },
    )


def missing_accounts(report: Report) -> dict[str, str]:
    """Return the reason for each account that could not be read."""
    return {each.label: each.reason for each in report.not_covered}


def without_users(snapshot: Snapshot, missing: Mapping[str, str]) -> Snapshot:
    """Return a snapshot of the same columns and no users; `missing` are accounts and reasons."""
    users, roots = snapshot.users.head(0), snapshot.roots.head(0)
    findings = snapshot.findings.head(0)
    return replace(snapshot, users=users, roots=roots, findings=findings, as_of={}, missing=missing)


def _moments_by_account(report: Report) -> dict[str, datetime]:
    files = sorted(report.files, key=lambda file: file.as_of)
    return {each.account: file.as_of for file in files for each in file.accounts}


def _user_rows(page: Page) -> pd.DataFrame:
    words = {name: page.users[name].astype(TEXT) for name in _WORDS}
    return _credential_rows(page).assign(**words)


def _credential_rows(page: Page) -> pd.DataFrame:
    facts = Facts(page)
    return pd.DataFrame(
        {
            **{name: page.users[name] for name in (*_TEXTS, columns.CONTRADICTED)},
            columns.CREATED: facts.age.moment,
            PASSWORD: _ternary_codes(facts.password),
            MFA: _ternary_codes(facts.mfa),
            **_moments(CHANGED, page, facts, columns.PASSWORD_LAST_CHANGED),
            **_moments(EXPIRES, page, facts, columns.PASSWORD_NEXT_ROTATION),
            **_moments(SIGN_IN, page, facts, columns.PASSWORD_LAST_USED),
            **dict(_slot_columns(facts, KEY, page.keys, columns.ACCESS_KEYS)),
            **dict(_slot_columns(facts, CERTIFICATE, page.certificates, columns.CERTIFICATES)),
        }
    )


def _moments(name: str, page: Page, facts: Facts, column: str) -> dict[str, np.ndarray]:
    unknown = facts.has_unknown_cell(column)
    moments = page.users[column].to_numpy("datetime64[s]")
    return {name: _without_unknown(moments, unknown), f"{name}{UNKNOWN}": unknown}


def _ternary_codes(truth: Truth) -> np.ndarray:
    """Return 1 for yes, 0 for no and -1 for unknown."""
    return np.select([truth.yes, truth.no], [1, 0], -1).astype(np.int8)


def _without_unknown(moments: np.ndarray, unknown: np.ndarray) -> np.ndarray:
    return np.where(unknown, NO_MOMENT, moments)


def _slot_columns(
    facts: Facts,
    kind: str,
    slots: pd.DataFrame,
    named: Sequence[AccessKeyColumns | CertificateColumns],
) -> Iterator[tuple[str, np.ndarray]]:
    state: Any = slots[columns.STATE].cat
    states = slot_matrix(state.codes.to_numpy())
    created = slot_matrix(slots[columns.CREATED].to_numpy("datetime64[s]"))
    for at, (slot, names) in enumerate(zip(columns.SLOTS, named, strict=True)):
        unknown = facts.has_unknown_cell(names.active, names.last_rotated)
        code = np.where(unknown, STATES.index(State.UNKNOWN), states[at])
        yield slot_column(kind, slot, columns.STATE), code
        yield slot_column(kind, slot, columns.CREATED), created[at]
        if isinstance(names, AccessKeyColumns):
            used = slot_matrix(slots[columns.LAST_USED].to_numpy("datetime64[s]"))
            unknown = facts.has_unknown_cell(names.last_used_date)
            yield slot_column(kind, slot, columns.LAST_USED), _without_unknown(used[at], unknown)
            yield slot_column(kind, slot, columns.LAST_USED + UNKNOWN), unknown


def _finding_rows(findings: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            **{name: findings[name].astype(TEXT) for name in _FINDING_TEXTS},
            columns.SLOT: findings[columns.SLOT],
            DAYS: findings[DAYS],
            columns.CREATED: findings[columns.CREATED].to_numpy("datetime64[s]"),
        }
    )
